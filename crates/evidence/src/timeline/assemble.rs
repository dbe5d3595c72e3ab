//! Sorting records into streams, runs and states.

use super::clock::Run;
use super::content::{Content, Pressing, content, known_formats};
use super::layout::{Said, WholeCall, is_for, lay_out};
use super::line::Line;
use super::sequence::{Counts, Sequencer, Unit};
use super::states::{Permission, State, States};
use super::{
    ClockStep, KeepMark, NoticeHearing, NoticeMark, Presence, RefusalMark, SourceMark,
    StreamTimeline, Timeline, VERSION, Verdict, VoiceMark,
};
use crate::journal::{
    Cause, JournalEvent, KEEP_RULE, KeyPacket, PacketKind, PauseReason, Pausing, RecordRef, SaidBy,
};
use std::collections::BTreeMap;
use voicelog_model::limits::STREAMS_MAX;
use voicelog_model::rtp::RtpPacket;
use voicelog_model::{Codec, Format, MediaStream, StreamNumber, Timestamp};

/// Most events about dropped packets of one stream that are told apart.
const DROPS_MAX: usize = 10_000;
/// Most formats of one stream that are told apart.
const FORMATS_MAX: usize = 64;
/// Most comings and goings, changes of voice, settings of the clock, notices, refusals and wishes to keep
/// the call that are told, of each.
const PRESENCES_MAX: usize = 1_000;

/// A packet that has its place in the timeline, told in the order of its stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed<T> {
    pub(crate) stream: StreamNumber,
    pub(crate) tag: T,
    /// Place of its format among [`known_formats`] of the stream as the timeline gives it.
    pub(crate) format: usize,
    /// How long it lasts, in units of the format's clock.
    pub(crate) ticks: u32,
}

/// A timeline while its records come in. Each packet carries a tag, which is given back when the
/// packet finds its place.
#[derive(Debug)]
pub(crate) struct Assembly<T> {
    started: Option<Timestamp>,
    /// Latest time of any record.
    latest: Timestamp,
    permission: Permission,
    /// The pause on our side that holds.
    paused: Option<Pausing>,
    /// That the call is private, if it is.
    private: Option<Pausing>,
    ever_permitted: bool,
    /// At some moment it was only that nobody had asked to keep it.
    waited_for_request: bool,
    end: Option<(Timestamp, Cause)>,
    stray_packets: u64,
    /// Boxed: a map keeps room for eleven in one piece, and a call has two.
    streams: BTreeMap<StreamNumber, Box<Strand<T>>>,
    presence: Vec<Presence>,
    voices: Vec<VoiceMark>,
    clock_steps: Vec<ClockStep>,
    /// How far the clock of the records is ahead of one that nobody set since the start, in microseconds.
    clock_ahead: i64,
    notices: Vec<NoticeMark>,
    refusals: Vec<RefusalMark>,
    keeps: Vec<KeepMark>,
    sources: Vec<SourceMark>,
}

/// One stream while its records come in.
#[derive(Debug)]
pub(super) struct Strand<T> {
    pub(super) stream: MediaStream,
    /// [`known_formats`] of it.
    formats: Vec<Format>,
    pub(super) states: States,
    sequencer: Sequencer<T>,
    /// Which stretch of recording the sequencer is in.
    stretch: Option<usize>,
    line: Line<T>,
    pub(super) drops: Vec<Drop>,
    tally: Tally,
}

/// Packets that the recorder lost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drop {
    pub(super) at_us: i64,
    pub(super) packets: u64,
    pub(super) cause: Cause,
}

/// Plain counts of one stream.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    packets: u64,
    rtcp_packets: u64,
    payload_bytes: u64,
    malformed: u64,
    unplaced: u64,
    left_out: u64,
    first_sequence: Option<u16>,
    last_sequence: Option<u16>,
}

impl<T> Default for Assembly<T> {
    fn default() -> Self {
        Self {
            started: None,
            latest: Timestamp::from_micros(i64::MIN),
            permission: Permission::Undecided,
            paused: None,
            private: None,
            ever_permitted: false,
            waited_for_request: false,
            end: None,
            stray_packets: 0,
            streams: BTreeMap::new(),
            presence: Vec::new(),
            voices: Vec::new(),
            clock_steps: Vec::new(),
            clock_ahead: 0,
            notices: Vec::new(),
            refusals: Vec::new(),
            keeps: Vec::new(),
            sources: Vec::new(),
        }
    }
}

impl<T: Copy> Assembly<T> {
    /// Adds the next record. What comes after the end of the call only counts as stray.
    pub(crate) fn push(
        &mut self,
        record: RecordRef<'_>,
        tag: T,
        placed: &mut impl FnMut(Placed<T>),
    ) {
        if self.end.is_some() {
            self.stray_packets += u64::from(matches!(record, RecordRef::Packet { .. }));
            return;
        }
        if let RecordRef::Event {
            event: JournalEvent::ClockStepped { by_us },
            ..
        } = record
        {
            self.clock_ahead = bounded(self.clock_ahead.saturating_add(*by_us));
        }
        // The time of a clock that nobody set.
        let time = record.time().plus_micros(-self.clock_ahead);
        let started = *self.started.get_or_insert(time);
        let at_us = bounded(time.micros_since(started));
        match record {
            RecordRef::Packet {
                stream,
                kind,
                bytes,
                ..
            } => {
                self.latest = self.latest.max(time);
                match self.streams.get_mut(&stream) {
                    Some(strand) => strand.push_packet(at_us, kind, bytes, tag, placed),
                    None => self.stray_packets += 1,
                }
            }
            RecordRef::Event {
                event: JournalEvent::KeyLeftOut { stream, packet },
                ..
            } => {
                self.latest = self.latest.max(time);
                if let Some(strand) = self.streams.get_mut(stream) {
                    strand.push_left_out(at_us, packet, tag, placed);
                }
            }
            RecordRef::Event { event, .. } => self.push_event(time, at_us, event),
        }
    }

    /// How many things it holds that grow with what happens in the call.
    pub(crate) fn kept(&self) -> usize {
        let strands = self.streams.values();
        let of_streams: usize = strands
            .map(|strand| strand.states.kept() + strand.line.kept() + strand.drops.len())
            .sum();
        let of_call = self.presence.len() + self.voices.len() + self.clock_steps.len();
        of_streams
            + of_call
            + self.notices.len()
            + self.refusals.len()
            + self.keeps.len()
            + self.sources.len()
    }

    fn push_event(&mut self, at: Timestamp, at_us: i64, event: &JournalEvent) {
        match event {
            // When the recorder ran again is told for people: nobody knows how long the call went
            // on without it, so its interval ends where the last thing known of it does.
            JournalEvent::Interrupted { .. } => {
                let down_us = bounded(self.latest.micros_since(self.started.unwrap_or(at)).max(0));
                for strand in self.streams.values_mut() {
                    strand.states.change(down_us, State::Down);
                }
                self.end = Some((at.max(self.latest), Cause::Restart));
                return;
            }
            JournalEvent::CallEnded { cause } => self.end = Some((at.max(self.latest), *cause)),
            JournalEvent::StreamAdded { stream } => self.announce(at_us, stream, None),
            JournalEvent::StreamRefused { stream, cause } => {
                self.announce(at_us, stream, Some(*cause));
            }
            JournalEvent::NotPermitted { reasons, .. } => {
                self.waited_for_request |= is_for(KEEP_RULE, reasons);
                self.permit(at_us, Permission::Refused(reasons.clone()));
            }
            JournalEvent::PermitEnded { reasons, .. } => {
                self.permit(at_us, Permission::Ended(reasons.clone()));
            }
            JournalEvent::Permitted { .. } => {
                self.ever_permitted = true;
                self.permit(at_us, Permission::Given);
            }
            JournalEvent::StreamPaused { stream, by } => self.pause(*stream, at_us, Some(*by)),
            JournalEvent::StreamResumed { stream } => self.pause(*stream, at_us, None),
            JournalEvent::RecordingPaused { .. }
            | JournalEvent::RecordingResumed { .. }
            | JournalEvent::PrivateBegan { .. }
            | JournalEvent::PrivateEnded { .. } => self.withhold(at_us, event),
            JournalEvent::MediaDropped {
                stream,
                packets,
                cause,
            } => {
                if let Some(strand) = self.streams.get_mut(stream) {
                    strand.add_drop(Drop {
                        at_us,
                        packets: *packets,
                        cause: *cause,
                    });
                }
            }
            JournalEvent::StreamVoice { .. }
            | JournalEvent::PartyJoined { .. }
            | JournalEvent::PartyLeft { .. }
            | JournalEvent::ClockStepped { .. }
            | JournalEvent::NoticeHeard { .. }
            | JournalEvent::NoticeMissed {}
            | JournalEvent::KeepRequested { .. }
            | JournalEvent::LookBackCut { .. }
            | JournalEvent::RefusalSaid { .. }
            | JournalEvent::SourceChanged {
                was_elsewhere: true,
                ..
            } => self.note(at_us, event),
            // Packets show any other change of source themselves; the event is for people. What clocks
            // say is told beside the timeline, and nothing is reckoned with it.
            JournalEvent::CallStarted {}
            | JournalEvent::SourceChanged { .. }
            | JournalEvent::ClientTimes { .. }
            | JournalEvent::ClockChecked { .. } => {}
            // Sorted among the packets: see `push`.
            JournalEvent::KeyLeftOut { .. } => {}
        }
        self.latest = self.latest.max(at);
    }

    /// What lies beside the intervals.
    fn note(&mut self, at_us: i64, event: &JournalEvent) {
        match event {
            JournalEvent::StreamVoice { .. } => self.note_voice(at_us, event),
            JournalEvent::PartyJoined { party } => self.note_presence(party, true, at_us),
            JournalEvent::PartyLeft { party } => self.note_presence(party, false, at_us),
            JournalEvent::ClockStepped { by_us } => {
                if self.clock_steps.len() < PRESENCES_MAX {
                    let (at_us, by_us) = (from_start(at_us), bounded(*by_us));
                    self.clock_steps.push(ClockStep { at_us, by_us });
                }
            }
            JournalEvent::NoticeHeard { .. } | JournalEvent::NoticeMissed {} => {
                self.note_notice(at_us, event);
            }
            JournalEvent::RefusalSaid { party, by } => self.note_refusal(party, *by, at_us),
            JournalEvent::SourceChanged { stream, .. } => {
                if self.sources.len() < PRESENCES_MAX {
                    let (stream, at_us) = (*stream, from_start(at_us));
                    self.sources.push(SourceMark { stream, at_us });
                }
            }
            other => {
                let mark = KeepMark::of(other, from_start(at_us));
                let has_room = self.keeps.len() < PRESENCES_MAX;
                self.keeps.extend(mark.filter(|_mark| has_room));
            }
        }
    }

    /// A stream is announced, or again; with `refused`, as one that cannot be recorded.
    fn announce(&mut self, at_us: i64, stream: &MediaStream, refused: Option<Cause>) {
        // LIMIT: a recording session offers no more; packets of further streams are stray.
        let is_known = self.streams.contains_key(&stream.number);
        if !is_known && self.streams.len() >= STREAMS_MAX {
            return;
        }
        let holds = (
            &self.permission,
            self.private.as_ref().or(self.paused.as_ref()),
        );
        let strand = self
            .streams
            .entry(stream.number)
            .or_insert_with(|| Box::new(Strand::new(stream.clone(), at_us, holds)));
        if refused.is_none() {
            strand.announce(stream);
        }
        strand.states.refuse(at_us, refused, &self.permission);
    }

    fn note_notice(&mut self, at_us: i64, event: &JournalEvent) {
        let heard = match event {
            JournalEvent::NoticeHeard {
                stream,
                length_us,
                similarity_permille,
            } => Some(NoticeHearing {
                stream: *stream,
                length_us: *length_us,
                similarity_permille: *similarity_permille,
            }),
            _ => None,
        };
        if self.notices.len() < PRESENCES_MAX {
            let at_us = from_start(at_us);
            self.notices.push(NoticeMark { at_us, heard });
        }
    }

    fn note_voice(&mut self, at_us: i64, event: &JournalEvent) {
        if let JournalEvent::StreamVoice {
            stream,
            label,
            parties,
            rule,
        } = event
            && self.voices.len() < PRESENCES_MAX
        {
            self.voices.push(VoiceMark {
                stream: *stream,
                at_us: from_start(at_us),
                label: label.clone(),
                parties: parties.clone(),
                rule: *rule,
            });
        }
    }

    fn note_presence(&mut self, party: &str, is_there: bool, at_us: i64) {
        if self.presence.len() < PRESENCES_MAX {
            self.presence.push(Presence {
                party: party.to_owned(),
                is_there,
                at_us: from_start(at_us),
            });
        }
    }

    fn note_refusal(&mut self, party: &str, by: SaidBy, at_us: i64) {
        if self.refusals.len() < PRESENCES_MAX {
            self.refusals.push(RefusalMark {
                party: party.to_owned(),
                by,
                at_us: from_start(at_us),
            });
        }
    }

    fn permit(&mut self, at_us: i64, permission: Permission) {
        self.permission = permission;
        for strand in self.streams.values_mut() {
            strand.states.update(at_us, &self.permission);
        }
    }

    /// A pause, or the private call, began or is over. A private call is one also while it is paused.
    fn withhold(&mut self, at_us: i64, event: &JournalEvent) {
        match event {
            JournalEvent::RecordingPaused { reason, by, party } => {
                let (reason, by, party) = (*reason, *by, party.clone());
                self.paused = Some(Pausing { reason, by, party });
            }
            JournalEvent::PrivateBegan { by, party } => {
                let (reason, by, party) = (PauseReason::PrivateCall, *by, party.clone());
                self.private = Some(Pausing { reason, by, party });
            }
            JournalEvent::PrivateEnded { .. } => self.private = None,
            _ => self.paused = None,
        }
        let withheld = self.private.as_ref().or(self.paused.as_ref());
        for strand in self.streams.values_mut() {
            strand.states.withhold(at_us, withheld, &self.permission);
        }
    }

    fn pause(&mut self, stream: StreamNumber, at_us: i64, by: Option<Cause>) {
        if let Some(strand) = self.streams.get_mut(&stream) {
            strand.states.pause(at_us, by, &self.permission);
        }
    }

    /// The timeline of the records so far.
    pub(crate) fn finish(mut self, placed: &mut impl FnMut(Placed<T>)) -> Timeline {
        for strand in self.streams.values_mut() {
            strand.close(placed);
        }
        let call_started = self.started.unwrap_or_default();
        let last = self.end.map_or(self.latest, |(at, _)| at);
        let length_us = bounded(last.micros_since(call_started).max(0));
        let call_ended = call_started.plus_micros(length_us);
        let end = self.end.map(|(_, cause)| cause);
        let is_silent = self.streams.values().all(|strand| strand.is_silent());
        let call = WholeCall { end, is_silent };
        let laid: Vec<_> = self
            .streams
            .values()
            .map(|strand| lay_out(strand, length_us, call))
            .collect();
        let refused = match &self.permission {
            Permission::Refused(grounds) => grounds.as_slice(),
            Permission::Undecided | Permission::Given | Permission::Ended(_) => &[],
        };
        let asked = |mark: &KeepMark| matches!(mark, KeepMark::Requested { .. });
        let said = Said {
            ever_permitted: self.ever_permitted,
            refused,
            is_unasked: self.waited_for_request && !self.keeps.iter().any(asked),
        };
        let verdict = super::layout::verdict(&laid, end, said);
        // Nobody can say that the side before was the one that it should be.
        let verdict = match verdict {
            Verdict::Whole if !self.sources.is_empty() => Verdict::WholeWithDeclaredGaps,
            other => other,
        };
        Timeline {
            version: VERSION,
            call_started,
            call_ended,
            end,
            verdict,
            stray_packets: self.stray_packets,
            streams: laid.into_iter().map(|laid| laid.timeline).collect(),
            presence: self.presence,
            voices: self.voices,
            clock_steps: self.clock_steps,
            notices: self.notices,
            refusals: self.refusals,
            keeps: self.keeps,
            sources: self.sources,
        }
    }
}

/// A place in the call: what a damaged journal puts before its start is at the start.
fn from_start(at_us: i64) -> u64 {
    u64::try_from(at_us).unwrap_or(0)
}

/// A time within the call, within what JSON keeps exactly: 285 years. What a damaged or hostile
/// journal puts beyond that is cut off there.
fn bounded(micros: i64) -> i64 {
    const MICROS_MAX: i64 = (1 << 53) - 1;
    micros.clamp(-MICROS_MAX, MICROS_MAX)
}

impl<T: Copy> Strand<T> {
    fn new(
        stream: MediaStream,
        at_us: i64,
        (permission, withheld): (&Permission, Option<&Pausing>),
    ) -> Self {
        Self {
            formats: known_formats(&stream),
            stream,
            states: States::new(at_us, permission, withheld),
            sequencer: Sequencer::default(),
            stretch: None,
            line: Line::default(),
            drops: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// A stream is announced again: what it may hold besides from now on.
    fn announce(&mut self, stream: &MediaStream) {
        for format in stream.formats() {
            let current = self.current(format.payload_type);
            if current.is_some_and(|(_, current)| *current == format)
                || self.stream.also.len() >= FORMATS_MAX
            {
                continue;
            }
            self.stream.also.push(format.clone());
            self.formats.push(format);
        }
    }

    /// The format that a payload type stands for now, and its place.
    fn current(&self, payload_type: u8) -> Option<(usize, &Format)> {
        let mut formats = self.formats.iter().enumerate().rev();
        formats.find(|(_, format)| format.payload_type == payload_type)
    }

    fn push_packet(
        &mut self,
        arrived_us: i64,
        kind: PacketKind,
        bytes: &[u8],
        tag: T,
        placed: &mut impl FnMut(Placed<T>),
    ) {
        if kind == PacketKind::Rtcp {
            self.tally.rtcp_packets += 1;
            return;
        }
        let Ok(packet) = RtpPacket::parse(bytes) else {
            self.tally.malformed += 1;
            return;
        };
        self.tally.packets += 1;
        self.tally.payload_bytes += packet.payload.len() as u64;
        self.tally.first_sequence.get_or_insert(packet.sequence);
        self.tally.last_sequence = Some(packet.sequence);
        let (format, content, rate) = match self.current(packet.payload_type) {
            Some((place, format)) => (place, content(&packet, format), format.codec.clock_rate()),
            None => (0, Content::Nothing, 1),
        };
        let unit = Unit {
            ssrc: packet.ssrc,
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            marker: packet.marker,
            content,
            rate,
            format,
            arrived_us,
            tag,
        };
        self.push_unit(unit, placed);
    }

    /// A packet about a key that the journal has no bytes of.
    fn push_left_out(
        &mut self,
        arrived_us: i64,
        packet: &KeyPacket,
        tag: T,
        placed: &mut impl FnMut(Placed<T>),
    ) {
        self.tally.left_out += 1;
        let rate = self
            .current(packet.payload_type)
            .map_or(1, |(_, format)| format.codec.clock_rate());
        let unit = Unit {
            ssrc: packet.ssrc,
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            marker: false,
            content: Content::Key(Pressing {
                ticks: u32::from(packet.duration),
                has_ended: packet.has_ended,
            }),
            rate,
            format: 0,
            arrived_us,
            tag,
        };
        self.push_unit(unit, placed);
    }

    fn push_unit(&mut self, unit: Unit<T>, placed: &mut impl FnMut(Placed<T>)) {
        let Some(stretch) = self.states.stretch_of(unit.arrived_us) else {
            self.tally.unplaced += 1;
            return;
        };
        if self.stretch != Some(stretch) {
            self.close(placed);
            self.stretch = Some(stretch);
        }
        let Self {
            sequencer,
            line,
            stream,
            ..
        } = self;
        sequencer.push(unit, &mut |ordered| {
            line.take(ordered, stretch, stream.number, placed);
        });
    }

    /// Puts everything held in its place; the next packet starts a new run.
    fn close(&mut self, placed: &mut impl FnMut(Placed<T>)) {
        let Some(stretch) = self.stretch.take() else {
            return;
        };
        let Self {
            sequencer,
            line,
            stream,
            ..
        } = self;
        sequencer.restart(&mut |ordered| line.take(ordered, stretch, stream.number, placed));
        line.settle(None, stream.number, placed);
    }

    /// LIMIT: beyond [`DROPS_MAX`], the last drop stands for those that follow.
    fn add_drop(&mut self, drop: Drop) {
        let full = self.drops.len() >= DROPS_MAX;
        match self.drops.last_mut() {
            Some(last) if full => last.packets = last.packets.saturating_add(drop.packets),
            _ => self.drops.push(drop),
        }
    }

    /// The runs by stretch of recording, each in order.
    pub(super) fn runs(&self) -> BTreeMap<usize, Vec<&Run>> {
        let mut runs: BTreeMap<usize, Vec<&Run>> = BTreeMap::new();
        for (stretch, run) in &self.line.runs {
            runs.entry(*stretch).or_default().push(run);
        }
        runs
    }

    /// Whether no media ever came.
    pub(super) fn is_silent(&self) -> bool {
        self.line.runs.is_empty()
    }

    /// The codecs in which sound came, if that is not the negotiated one alone.
    fn heard(&self) -> Vec<Codec> {
        let mut heard: Vec<Codec> = Vec::new();
        let formats = self.line.heard.iter();
        for format in formats.filter_map(|place| self.formats.get(*place)) {
            if !heard.contains(&format.codec) {
                heard.push(format.codec.clone());
            }
        }
        match heard.as_slice() {
            [only] if *only == self.stream.codec => Vec::new(),
            _ => heard,
        }
    }

    /// The counts as the timeline states them.
    pub(super) fn counted(&self) -> StreamTimeline {
        let Tally {
            packets,
            rtcp_packets,
            payload_bytes,
            malformed,
            unplaced,
            left_out,
            ..
        } = self.tally;
        let Counts {
            duplicates,
            reordered,
            late,
            foreign,
        } = self.sequencer.counts();
        StreamTimeline {
            stream: self.stream.clone(),
            packets,
            rtcp_packets,
            lost: self.line.lost,
            duplicates,
            reordered,
            late,
            outside: unplaced + foreign,
            left_out,
            malformed,
            payload_bytes,
            first_sequence: self.tally.first_sequence,
            last_sequence: self.tally.last_sequence,
            drift_us: 0,
            heard: self.heard(),
            keys: self.line.keys.clone(),
            intervals: Vec::new(),
        }
    }
}
