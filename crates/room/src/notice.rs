//! The notice of a talk: a file that the host's device plays when recording begins, looked for in what the devices
//! record.
//!
//! Those who take part were told on their own screens, so the law is not asked about it. What is found stands in the
//! timeline, and the host sees where it was not heard.

use crate::rooms::{Rooms, Shared};
use crate::talk::{Inner, Journal, Seat, Talk};
use crate::{NoticeState, RoomError};
use std::fmt;
use std::sync::Arc;
use voicelog_archive::journal::JournalEvent;
use voicelog_archive::notice::{EarNews, Hearing, Notice};
use voicelog_model::{MediaStream, RecordingId, Timestamp};
use zeroize::Zeroizing;

/// How much longer than the notice itself is waited for it, from the start of the recording: 30 s.
const WITHIN_MICROS: i64 = 30_000_000;
/// How much longer for what a device without a network has not sent: 2 minutes.
const LATE_MICROS: i64 = 120_000_000;

/// The notice of a kind of talk.
#[derive(Clone)]
pub struct PlayedNotice {
    /// What is looked for.
    pub sound: Arc<Notice>,
    /// The WAV file that the host's device plays.
    pub file: Arc<[u8]>,
}

impl fmt::Debug for PlayedNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlayedNotice({} bytes)", self.file.len())
    }
}

impl Rooms {
    /// The WAV file of the notice of their talk, if its kind has one.
    ///
    /// # Errors
    ///
    /// The talk is forgotten.
    pub fn notice(&self, seat: &Seat) -> Result<Option<Arc<[u8]>>, RoomError> {
        let talk = self.shared.find(seat.talk)?;
        let notice = self.shared.notices.get(&talk.line.name);
        Ok(notice.map(|notice| Arc::clone(&notice.file)))
    }
}

impl Shared {
    /// Recording begins: looks for the notice, where there is one.
    pub(crate) fn await_notice(&self, talk: &Talk, inner: &mut Inner) {
        if let Some(notice) = self.notices.get(&talk.line.name) {
            inner.notice = Some(NoticeState::Awaited);
            let sound = Arc::clone(&notice.sound);
            self.ear.look(talk.id, sound, Vec::new());
        }
    }

    /// A device opened a track, in which it may be heard.
    pub(crate) fn listen_to(&self, talk: &Talk, inner: &Inner, stream: &MediaStream) {
        if inner.awaits_notice() {
            self.ear.stream(talk.id, stream.clone());
        }
    }

    /// Has the ear listen to what is kept of a track.
    pub(crate) fn listen(&self, talk: &Talk, inner: &mut Inner, journal: &[Vec<u8>]) {
        if !inner.awaits_notice() {
            return;
        }
        let is_listened_to = journal
            .iter()
            .all(|chunk| self.ear.chunk(talk.id, Zeroizing::new(chunk.clone())));
        if !is_listened_to {
            tracing::error!(recording = %talk.id, "too much is to be listened to: the notice of this talk is not looked for any more");
            self.miss(talk, inner, self.clock.now());
        }
    }

    /// What the ear heard.
    pub(crate) fn on_ear_news(&self, news: EarNews) {
        match news {
            EarNews::Heard(id, hearing) => self.settle_notice(id, |talk, inner| {
                self.hear_notice(talk, inner, hearing);
            }),
            // What nobody could listen to was not heard.
            EarNews::NotListened(id) => self.settle_notice(id, |talk, inner| {
                self.miss(talk, inner, self.clock.now());
            }),
        }
    }

    fn settle_notice(&self, id: RecordingId, settle: impl FnOnce(&Talk, &mut Inner)) {
        // A talk that is forgotten by now was closed long before.
        let Ok(talk) = self.find(id) else {
            return;
        };
        {
            let mut inner = talk.lock();
            if !inner.awaits_notice() {
                return;
            }
            settle(&talk, &mut inner);
        }
        talk.changed();
    }

    fn hear_notice(&self, talk: &Talk, inner: &mut Inner, hearing: Hearing) {
        let Hearing { stream, found } = hearing;
        let start = inner.started.map_or(found.start, |at| at.max(found.start));
        inner.notice = Some(NoticeState::Heard);
        let event = JournalEvent::NoticeHeard {
            stream,
            length_us: u64::try_from(found.end.micros_since(start)).unwrap_or(0),
            similarity_permille: found.similarity_permille,
        };
        talk.note(inner, &self.writer, start, event);
        tracing::info!(recording = %talk.id, %stream, similarity = found.similarity_permille, "the notice was heard");
    }

    fn miss(&self, talk: &Talk, inner: &mut Inner, at: Timestamp) {
        inner.notice = Some(NoticeState::Missed);
        self.ear.forget(talk.id);
        talk.note(inner, &self.writer, at, JournalEvent::NoticeMissed {});
        tracing::info!(recording = %talk.id, "the notice was not heard");
    }

    /// Gives it up once its time is over and the devices have sent what they recorded in that time. Whether it did.
    pub(crate) fn mind_notice(&self, talk: &Talk, inner: &mut Inner, now: Timestamp) -> bool {
        let (Some(started), true, None) = (inner.started, inner.awaits_notice(), inner.ended)
        else {
            return false;
        };
        let until = started.plus_micros(self.notice_micros(talk).saturating_add(WITHIN_MICROS));
        let open = inner.tracks.iter().filter(|track| track.is_open);
        let is_all_here = !inner.tracks.is_empty()
            && open
                .map(|track| track.began.plus_micros(track.latest))
                .all(|latest| latest >= until);
        let is_over = match is_all_here {
            true => now > until && self.ear.is_idle(),
            false => now > until.plus_micros(LATE_MICROS),
        };
        if is_over {
            self.miss(talk, inner, now);
        }
        is_over
    }

    fn notice_micros(&self, talk: &Talk) -> i64 {
        let notice = self.notices.get(&talk.line.name);
        let length = notice.map_or(0, |notice| notice.sound.length_us());
        i64::try_from(length).unwrap_or(i64::MAX)
    }

    /// Whether the end of a talk has to wait for the ear, which still listens.
    pub(crate) fn is_listening(&self, inner: &Inner) -> bool {
        inner.awaits_notice() && !self.ear.is_idle()
    }

    /// The talk is over at that moment. Where the ear listened to all of it, it was not heard; where it had no time for
    /// that, nothing is said.
    pub(crate) fn end_notice(&self, talk: &Talk, inner: &mut Inner, at: Timestamp) {
        if !inner.awaits_notice() {
            return;
        }
        if self.ear.is_idle() {
            self.miss(talk, inner, at);
        } else {
            inner.notice = None;
            self.ear.forget(talk.id);
        }
    }
}

impl Inner {
    fn awaits_notice(&self) -> bool {
        self.notice == Some(NoticeState::Awaited) && matches!(self.journal, Journal::Open)
    }
}
