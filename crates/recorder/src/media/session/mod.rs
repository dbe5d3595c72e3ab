//! The media of one call: its sockets, what may be done with what arrives, and the journal that
//! is being filled. One media thread owns it; there is no lock.

mod failing;
mod waiting;

use super::acting::{Acting, HeardKey};
use super::counts::{MediaCounts, SharedCounts};
use super::cut::{cut, cut_chunk};
use super::intake::Intake;
use super::keys::Listening;
use super::pauses::{PauseOrder, PauseStatus, Pauses, PrivateOrder};
use super::receive::{Receiver, SweepTime, discard};
use super::stream::{StreamMedia, worst_loss};
use super::terms::StreamTerms;
use super::waiting::Waiting;
use crate::chunks::Chunks;
use crate::guard::mishap;
use std::net::SocketAddr;
use std::sync::Arc;
use voicelog_archive::journal::{
    Cause, ChunkBuilder, JournalEvent, PacketKind, PrivateEnd, ResumedBy,
};
use voicelog_model::{RecordingId, StreamNumber, Timestamp};
use voicelog_srs::srtp::MasterKey;

/// Events of pauses before a permit that are kept at most.
const EARLY_MAX: usize = 1_000;

/// An event of the journal with its moment.
pub(crate) type Dated = (Timestamp, JournalEvent);

/// What may be done with what arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// The law is being asked: nothing is read, the kernel holds it.
    Held,
    /// No permit: thrown away unread.
    Closed,
    /// A permit is held: everything that arrived at or after `from` is kept.
    Keeping,
}

/// The media of one call.
#[derive(Debug)]
pub(crate) struct MediaSession {
    id: RecordingId,
    mode: Mode,
    /// The moment of the permit: what arrived earlier is never kept. `None` while none is held, in
    /// whatever mode.
    from: Option<Timestamp>,
    /// Why media is not kept although no refusal says so; `None` if the journal says so itself.
    closed_cause: Option<Cause>,
    /// Whether a writer is open for it, so that the journal may be filled.
    is_begun: bool,
    /// Whether its media can't be written any more.
    is_failed: bool,
    streams: Vec<StreamMedia>,
    journal: ChunkBuilder,
    /// Somebody listens for the notice of the line.
    is_listened_to: bool,
    /// What waits in memory until the notice was heard, or until somebody asks to keep the call.
    waiting: Option<Waiting>,
    /// From when on the call is kept.
    kept_from: Option<Timestamp>,
    /// Chunks of what had waited, before the journal.
    released: Vec<Vec<u8>>,
    /// Events of pauses from before the first permit.
    early: Vec<Dated>,
    pauses: Pauses,
    /// How long a pause by key lasts at most, in microseconds.
    pause_micros: i64,
    heard: Vec<HeardKey>,
    counts: MediaCounts,
    last_packet: Option<Timestamp>,
    /// The last packet of what was handed over.
    handed_over: Option<Timestamp>,
    /// How often the session was told to wait for the law.
    holds: u64,
    shared: Arc<SharedCounts>,
}

impl MediaSession {
    /// Media of a call about which the law is being asked.
    pub(crate) fn new(
        id: RecordingId,
        streams: Vec<StreamMedia>,
        shared: Arc<SharedCounts>,
    ) -> Self {
        Self {
            id,
            mode: Mode::Held,
            from: None,
            closed_cause: None,
            is_begun: false,
            is_failed: false,
            streams,
            journal: ChunkBuilder::new(),
            is_listened_to: false,
            waiting: None,
            kept_from: None,
            released: Vec::new(),
            early: Vec::new(),
            pauses: Pauses::default(),
            pause_micros: 0,
            heard: Vec::new(),
            counts: MediaCounts::default(),
            last_packet: None,
            handed_over: None,
            holds: 0,
            shared,
        }
    }

    /// Which recording.
    pub(crate) const fn id(&self) -> RecordingId {
        self.id
    }

    /// A stream that the client added during the call.
    pub(crate) fn add_stream(&mut self, stream: StreamMedia) {
        self.streams.push(stream);
        if let Some(waiting) = &mut self.waiting {
            waiting.make_room_for(self.streams.len());
        }
    }

    /// A stream became another one, on the ports that it has: nothing that is on its way is lost.
    pub(crate) fn change_stream(&mut self, terms: StreamTerms, now: Timestamp) {
        let mut streams = self.streams.iter_mut();
        if let Some(stream) = streams.find(|stream| stream.number == terms.number) {
            stream.change(terms, now);
        }
    }

    /// The client says anew where the media of a stream comes from.
    pub(crate) fn move_stream(&mut self, number: StreamNumber, offered: SocketAddr) {
        for stream in self.streams.iter_mut().filter(|s| s.number == number) {
            stream.move_to(offered);
        }
    }

    /// The client protects a stream with another key from now on.
    pub(crate) fn rekey_stream(&mut self, number: StreamNumber, key: &MasterKey) {
        for stream in self.streams.iter_mut().filter(|s| s.number == number) {
            stream.rekey(key);
        }
    }

    /// All its streams are protected with this key.
    #[cfg(test)]
    pub(crate) fn protect_for_test(&mut self, key: &MasterKey) {
        for stream in &mut self.streams {
            stream.unprotector = voicelog_srs::srtp::Unprotector::new(key);
        }
    }

    /// The law is being asked (again): leave what arrives in the kernel until it has answered.
    pub(crate) fn hold(&mut self) {
        self.holds = self.holds.saturating_add(1);
        if !self.is_failed {
            self.mode = Mode::Held;
        }
    }

    /// Whether a permit is held and the law is being asked again, or is about to be.
    pub(crate) fn is_held(&self) -> bool {
        self.from.is_some() && (self.mode == Mode::Held || self.is_hold_under_way())
    }

    /// The facts have changed, and the command that says so has not come yet.
    fn is_hold_under_way(&self) -> bool {
        self.shared.holds() > self.holds
    }

    /// A permit is held from `from` on. With the first one a writer is open. If the facts have
    /// changed since it was asked for (`is_stale`), what arrives waits for the next answer.
    pub(crate) fn keep(&mut self, from: Timestamp, events: Vec<Dated>, is_stale: bool) {
        self.forget_waiting();
        self.begin(from, events, is_stale);
    }

    /// The same, where what waited was seen to.
    fn begin(&mut self, from: Timestamp, events: Vec<Dated>, is_stale: bool) {
        if !self.is_begun {
            // What was thrown away until now is what the journal calls "not started".
            self.closed_cause = None;
        }
        self.is_begun = true;
        self.push_events(events);
        let early = std::mem::take(&mut self.early);
        self.push_events(early);
        if !self.is_failed {
            // A permit that never ended goes on from where it began.
            self.from.get_or_insert(from);
            self.kept_from.get_or_insert(from);
            self.mode = if is_stale { Mode::Held } else { Mode::Keeping };
        }
    }

    /// Our clock was set: what comes from now on has other times, and the same moments are meant.
    pub(crate) fn on_clock_step(&mut self, now: Timestamp, by_us: i64) {
        self.from = self.from.map(|from| from.plus_micros(by_us));
        self.last_packet = self.last_packet.map(|at| at.plus_micros(by_us));
        self.handed_over = self.handed_over.map(|at| at.plus_micros(by_us));
        self.pauses.on_clock_step(by_us);
        for stream in &mut self.streams {
            stream.doubted.on_clock_step(by_us);
        }
        self.kept_from = self.kept_from.map(|from| from.plus_micros(by_us));
        if let Some(waiting) = &mut self.waiting {
            waiting.start_anew(now);
        }
        if self.is_begun {
            self.push_event(now, &JournalEvent::ClockStepped { by_us });
        }
    }

    /// No permit from `since` on: what arrived before is still taken in, the rest is not. `cause`
    /// if the journal does not otherwise say why.
    pub(crate) fn close(
        &mut self,
        receiver: &mut Receiver,
        time: SweepTime,
        since: Timestamp,
        events: Vec<Dated>,
        cause: Option<Cause>,
    ) {
        self.take_out(since);
        if self.is_failed {
            self.tell_closed(since);
        }
        // Without a permit there is nothing to take in, even if it waited for an answer.
        self.take_in(receiver, time, Some(since), true);
        self.from = None;
        self.mode = Mode::Closed;
        self.closed_cause = cause;
        // What was read and handed over before anybody could know is not behind the end.
        let earliest = self.handed_over.map(|last| last.plus_micros(1));
        let dated = events.into_iter();
        let dated =
            dated.map(|(at, event)| (earliest.map_or(at, |earliest| at.max(earliest)), event));
        self.push_events(dated.collect());
    }

    /// Takes out of the journal, and of what had waited and was released, what arrived from `since` on and
    /// was read before we were told to wait.
    fn take_out(&mut self, since: Timestamp) {
        if self.from.is_none() || self.last_packet.is_none_or(|last| last < since) {
            return;
        }
        let mut out = cut(&mut self.journal, since);
        for chunk in &mut self.released {
            out.extend(cut_chunk(chunk, since));
        }
        self.released.retain(|chunk| !chunk.is_empty());
        for (number, kind) in out {
            self.counts.without_permit += 1;
            if kind == PacketKind::Rtcp {
                self.counts.control = self.counts.control.saturating_sub(1);
                continue;
            }
            self.counts.kept = self.counts.kept.saturating_sub(1);
            for stream in self.streams.iter_mut().filter(|s| s.number == number) {
                stream.late += 1;
            }
        }
    }

    /// Puts events into the journal, if there is one.
    pub(crate) fn push_events(&mut self, events: Vec<Dated>) {
        if self.is_begun {
            for (at, event) in events {
                self.push_event(at, &event);
            }
        }
    }

    /// Which keys on which streams do what; a stream that is not named is not listened to.
    pub(crate) fn listen(&mut self, all: &[(StreamNumber, Listening)], pause_micros: i64) {
        self.pause_micros = pause_micros;
        for stream in &mut self.streams {
            let mut named = all.iter().filter(|(number, _)| *number == stream.number);
            stream
                .keys
                .listen(named.next().map(|(_, listening)| listening.clone()));
        }
        // Streams on which a key can pause the call are read first: then nothing of the others
        // that arrived after the key is in the journal before the key is read.
        self.streams
            .sort_by_key(|stream| (!stream.keys.is_listening(), stream.number));
    }

    /// Keys about consent that were pressed since the last time.
    pub(crate) fn take_heard(&mut self) -> Vec<HeardKey> {
        std::mem::take(&mut self.heard)
    }

    /// Keeps nothing that arrives from this moment on, until the order's time is over. What
    /// arrived before is still taken in.
    pub(crate) fn pause(
        &mut self,
        receiver: &mut Receiver,
        time: SweepTime,
        order: PauseOrder,
    ) -> Option<PauseStatus> {
        self.end_pause_in_time(time);
        let was_paused = self.pauses.are_on();
        let event = self.pauses.begin(order, time.now);
        match self.mode {
            Mode::Keeping if !was_paused => self.take_in(receiver, time, None, true),
            Mode::Closed if !was_paused && self.waiting.is_some() => {
                self.put_by(receiver, time, true);
            }
            _ => {}
        }
        self.tell(vec![(time.now, event)]);
        self.publish();
        self.pauses.status()
    }

    /// Goes on from this moment. Whether there was a pause.
    pub(crate) fn resume(&mut self, time: SweepTime, by: ResumedBy) -> bool {
        self.end_pause_in_time(time);
        let event = self.pauses.end(time.now, by);
        let is_over = event.is_some();
        self.tell(event.map(|event| (time.now, event)).into_iter().collect());
        self.publish();
        is_over
    }

    /// It is a private call from this moment on, if it was none: nothing that arrives is kept, and
    /// what waits in memory for somebody to ask is dropped. Since when it is one.
    pub(crate) fn begin_private(
        &mut self,
        receiver: &mut Receiver,
        time: SweepTime,
        order: PrivateOrder,
    ) -> Option<Timestamp> {
        let was_on = self.pauses.are_on();
        let event = self.pauses.begin_private(order.by, order.party, time.now);
        if self.mode == Mode::Keeping && !was_on {
            self.take_in(receiver, time, None, true);
        }
        self.mind_private(false);
        self.tell(event.map(|event| (time.now, event)).into_iter().collect());
        self.publish();
        self.pauses.private()
    }

    /// It is no longer one. Whether it was.
    pub(crate) fn end_private(
        &mut self,
        time: SweepTime,
        reason: PrivateEnd,
        order: PrivateOrder,
    ) -> bool {
        let PrivateOrder { by, party } = order;
        let event = self.pauses.end_private(reason, by, party, time.now);
        let is_over = event.is_some();
        self.tell(event.map(|event| (time.now, event)).into_iter().collect());
        self.publish();
        is_over
    }

    /// Ends a pause that has lasted as long as it may, at the moment at which it had.
    fn end_pause_in_time(&mut self, time: SweepTime) {
        if let Some(until) = self.pauses.is_due(time.now) {
            let event = self.pauses.end(until, ResumedBy::Limit);
            self.tell(event.map(|event| (until, event)).into_iter().collect());
        }
    }

    /// Puts events of pauses into the journal, or keeps them until there is one.
    fn tell(&mut self, events: Vec<Dated>) {
        if self.is_begun {
            self.push_events(events);
        } else if self.early.len() < EARLY_MAX {
            self.early.extend(events);
        }
    }

    fn publish(&self) {
        self.shared.publish(&self.counts, self.last_packet);
        self.shared.publish_pause(self.pauses.status());
        self.shared.publish_private(self.pauses.private());
    }

    fn push_event(&mut self, at: Timestamp, event: &JournalEvent) {
        if let Err(error) = self.journal.push_event(at, event) {
            tracing::error!(recording = %self.id, %error, "an event of the journal is lost");
        }
    }

    /// Deals with everything that arrived since the last sweep.
    pub(crate) fn sweep(&mut self, receiver: &mut Receiver, time: SweepTime, with_control: bool) {
        self.end_pause_in_time(time);
        match self.mode {
            Mode::Held => {}
            Mode::Keeping if self.is_hold_under_way() => {}
            Mode::Closed if self.waiting.is_some() && !self.pauses.are_on() => {
                self.put_by(receiver, time, with_control);
            }
            Mode::Closed => self.throw_away(time, with_control),
            Mode::Keeping if self.pauses.are_on() => self.throw_away(time, with_control),
            Mode::Keeping => {
                self.take_in(receiver, time, None, with_control);
                if with_control {
                    for stream in &mut self.streams {
                        stream.report(time.now);
                    }
                }
            }
        }
        self.publish();
    }

    /// The call is over: takes in what arrived until `at` and ends the journal. The last chunk, if
    /// there is a writer to take it. Nothing comes after it.
    pub(crate) fn end(
        &mut self,
        receiver: &mut Receiver,
        time: SweepTime,
        at: Timestamp,
        events: Vec<Dated>,
    ) -> Option<Vec<u8>> {
        self.end_pause_in_time(time);
        self.forget_waiting();
        if self.mode == Mode::Keeping {
            self.take_in(receiver, time, Some(at), true);
        } else if self.is_failed {
            self.throw_away(time, true);
        }
        mishap(self.id, "ending");
        self.tell_closed(at);
        self.tell_dropped(at);
        self.push_events(events);
        self.publish();
        if self.counts.foreign > 0 {
            let packets = self.counts.foreign;
            tracing::warn!(recording = %self.id, packets, "packets from elsewhere were not kept");
        }
        self.is_begun.then(|| self.journal.take())
    }

    /// Adds the journal since the last chunk, if there is any.
    pub(crate) fn hand_over(&mut self, now: Timestamp, chunks: &mut Chunks) {
        self.hand_over_released(chunks);
        if !self.journal.is_empty() {
            self.handed_over = self.last_packet;
            mishap(self.id, "handing over");
            chunks.push(self.id, self.journal.plaintext());
            self.journal.clear();
            self.tell_dropped(now);
        }
    }

    /// Throws away what waits. Nothing of it is read, but for keys where somebody listens for them:
    /// of each packet then its header, and of one about a key the rest.
    fn throw_away(&mut self, time: SweepTime, with_control: bool) {
        let is_paused = self.mode == Mode::Keeping
            || self.waiting.is_some()
            || self.is_failed && self.pauses.are_on();
        let was_private = self.pauses.private().is_some();
        let mut events = Vec::new();
        let mut acting = Acting {
            pauses: &mut self.pauses,
            events: &mut events,
            heard: &mut self.heard,
            pause_micros: self.pause_micros,
        };
        for stream in &mut self.streams {
            let count = if stream.keys.is_listening() {
                stream.listen_only(time, &mut acting)
            } else {
                let count = discard(&stream.ports.rtp);
                stream.skip(count);
                count
            };
            if stream.source.take_was_stranger() {
                self.counts.foreign += stream.doubted.take().len() as u64;
            }
            if count > 0 {
                self.last_packet = Some(time.now);
                stream.loss.pass_over();
            }
            if is_paused {
                self.counts.paused += count;
            } else if self.is_failed && self.closed_cause.is_some() {
                self.counts.dropped += count;
                stream.closed_to += count;
            } else {
                self.counts.without_permit += count;
                stream.closed_to += count;
            }
            if with_control {
                discard(&stream.ports.rtcp);
            }
        }
        self.mind_private(was_private);
        self.tell(events);
    }

    fn take_in(
        &mut self,
        receiver: &mut Receiver,
        time: SweepTime,
        until: Option<Timestamp>,
        with_control: bool,
    ) {
        let Some(from) = self.from else {
            return;
        };
        self.read(receiver, time, (from, until), with_control);
        self.tell_closed(from);
        for stream in &mut self.streams {
            stream.closed_to = std::mem::take(&mut stream.late);
        }
    }

    fn read(
        &mut self,
        receiver: &mut Receiver,
        time: SweepTime,
        (from, until): (Timestamp, Option<Timestamp>),
        with_control: bool,
    ) {
        let mut events = Vec::new();
        let was_private = self.pauses.private().is_some();
        let (journal, counts) = match &mut self.waiting {
            Some(waiting) => (&mut waiting.journal, &mut waiting.counts),
            None => (&mut self.journal, &mut self.counts),
        };
        let mut intake = Intake {
            from,
            until,
            journal,
            counts,
            last_packet: &mut self.last_packet,
            acting: Acting {
                pauses: &mut self.pauses,
                events: &mut events,
                heard: &mut self.heard,
                pause_micros: self.pause_micros,
            },
        };
        let is_last = until.is_some();
        let id = self.id;
        for stream in &mut self.streams {
            let (ports, mut lane) = stream.lane();
            let number = lane.number;
            let read = receiver.receive(&ports.rtp, time, |datagram| {
                mishap(id, "reading");
                intake.take(&mut lane, datagram, false);
            });
            let control = if with_control {
                receiver.receive(&ports.rtcp, time, |datagram| {
                    intake.take(&mut lane, datagram, true);
                })
            } else {
                Ok(())
            };
            intake.settle(&mut lane, time.now, is_last);
            if let Err(error) = read.and(control) {
                // A datagram socket has no state to lose; the next sweep tries again.
                tracing::debug!(recording = %self.id, stream = %number, %error, "cannot read media");
            }
        }
        self.mind_private(was_private);
        self.tell(events);
        // Control sockets as well: theirs are read less often.
        if !self.pauses.are_on() && until.is_none() && with_control {
            self.pauses.forget_over();
        }
        self.counts.loss_permille = worst_loss(&self.streams);
    }

    /// Puts into the journal what overload cost, now that there is room again.
    fn tell_dropped(&mut self, at: Timestamp) {
        let events = dropped(at, Cause::Overload, overloaded(&mut self.streams));
        self.push_events(events);
    }

    /// Puts into the journal what was thrown away without a refusal that explains it.
    fn tell_closed(&mut self, at: Timestamp) {
        let streams = self.streams.iter_mut();
        let lost = streams.map(|stream| (stream.number, std::mem::take(&mut stream.closed_to)));
        // What went wrong can have taken packets that nobody counted.
        let is_told = |lost: &(StreamNumber, u64)| lost.1 > 0 || self.is_failed;
        let lost: Vec<_> = lost.filter(is_told).collect();
        if let Some(cause) = self.closed_cause.take() {
            self.push_events(dropped(at, cause, lost.into_iter()));
        }
    }
}

/// What overload cost each stream since the last time.
fn overloaded(streams: &mut [StreamMedia]) -> impl Iterator<Item = (StreamNumber, u64)> {
    let streams = streams.iter_mut();
    let lost = streams.map(|stream| (stream.number, std::mem::take(&mut stream.dropped)));
    lost.filter(|(_, packets)| *packets > 0)
}

/// An event for each of these streams, of which something is gone.
fn dropped(
    at: Timestamp,
    cause: Cause,
    lost: impl Iterator<Item = (StreamNumber, u64)>,
) -> Vec<Dated> {
    let event = |(stream, packets)| {
        let event = JournalEvent::MediaDropped {
            stream,
            packets,
            cause,
        };
        (at, event)
    };
    lost.map(event).collect()
}
