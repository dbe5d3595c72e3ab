//! What is missing in a track, and how the journal says so.
//!
//! The arithmetic of the timeline takes events about a stream in the order of their times: a state begins no earlier than
//! the one before (`design/evidence-format.md`, "How it is computed", 1). What a device tells comes late, perhaps after a
//! pause of the whole talk was written. So an interruption is written once both its ends are known: as a pause of the
//! stream where nothing was written about a later moment, and otherwise as media that is missing, which explains a hole
//! wherever it lies.

use crate::rooms::Shared;
use crate::talk::{Inner, Talk};
use voicelog_archive::journal::{Cause, JournalEvent};
use voicelog_model::Timestamp;

/// A hole so short needs no reason: 200 ms.
const SHORT_MICROS: i64 = 200_000;
/// What is missing so shortly before the end that the devices themselves made: 2 s.
const TAIL_MICROS: i64 = 2_000_000;

impl Shared {
    /// The track in that place recorded nothing between two moments, and goes on.
    pub(crate) fn interrupted(
        &self,
        talk: &Talk,
        inner: &mut Inner,
        place: usize,
        (from, until): (Timestamp, Timestamp),
        by: Cause,
    ) {
        let last_change = inner.last_change;
        let Some(track) = inner.tracks.get_mut(place) else {
            return;
        };
        let stream = track.number;
        if from < last_change.max(track.last_change) {
            self.missing(talk, inner, place, (from, until), by);
            return;
        }
        track.last_change = until;
        let (paused, resumed) = (
            JournalEvent::StreamPaused { stream, by },
            JournalEvent::StreamResumed { stream },
        );
        talk.note(inner, &self.writer, from, paused);
        talk.note(inner, &self.writer, until, resumed);
    }

    /// Media is missing in what was held between two moments.
    fn missing(
        &self,
        talk: &Talk,
        inner: &mut Inner,
        place: usize,
        (from, until): (Timestamp, Timestamp),
        cause: Cause,
    ) {
        let Some(stream) = inner.tracks.get(place).map(|track| track.number) else {
            return;
        };
        let holes: Vec<_> = inner.held.between(from, until).collect();
        for (start, end) in holes {
            if end.micros_since(start) <= SHORT_MICROS {
                continue;
            }
            // How many packets a device would have made nobody knows.
            let event = JournalEvent::MediaDropped {
                stream,
                packets: 0,
                cause,
            };
            let middle = start.plus_micros(end.micros_since(start) / 2);
            talk.note(inner, &self.writer, middle, event);
        }
    }

    /// Nothing more comes of the track in that place, which was to record until then: what is missing at its end is
    /// declared.
    pub(crate) fn conclude(
        &self,
        talk: &Talk,
        inner: &mut Inner,
        place: usize,
        until: Timestamp,
        cause: Cause,
    ) {
        let (last_change, end) = (inner.last_change, inner.ended);
        let Some(track) = inner.tracks.get_mut(place) else {
            return;
        };
        if std::mem::replace(&mut track.is_concluded, true) {
            return;
        }
        track.is_open = false;
        let until = track.stopped.unwrap_or(until);
        let stream = track.number;
        let last_heard = track.last_packet.unwrap_or(track.began);
        let (from, cause) = match track.interrupted {
            // It said why, and never came back.
            Some((since, why)) if cause != Cause::Overload => (since, why),
            Some((since, _)) => (since, cause),
            None => (last_heard, cause),
        };
        let is_written_later = from < last_change.max(track.last_change);
        let ends_with_the_talk = matches!(end, Some((at, Cause::RecordingClient)) if at <= until);
        let is_short = match ends_with_the_talk {
            true => until.micros_since(from) <= TAIL_MICROS,
            false => until.micros_since(from) <= SHORT_MICROS,
        };
        // A device that ended by itself records nothing from then on, however short that is before the end.
        track.stopped.get_or_insert(until);
        if is_short && end.is_some() {
            return;
        }
        if is_written_later {
            self.missing(talk, inner, place, (from, until), cause);
            return;
        }
        track.last_change = from;
        let event = JournalEvent::StreamPaused { stream, by: cause };
        talk.note(inner, &self.writer, from, event);
    }
}
