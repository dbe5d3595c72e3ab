//! The media of one call: its sockets, what may be done with what arrives, and the journal that
//! is being filled. One media thread owns it; there is no lock.

use super::counts::{MediaCounts, SharedCounts};
use super::loss::Loss;
use super::receive::{Datagram, Receiver, SweepTime, discard};
use super::source::{SourceLock, Whose};
use super::wanted::{Want, Wanted};
use crate::ports::PortPair;
use std::net::SocketAddr;
use std::sync::Arc;
use voicelog_archive::journal::{Cause, ChunkBuilder, JournalEvent, KeyPacket, PacketKind};
use voicelog_model::rtp::RtpPacket;
use voicelog_model::{MediaStream, RecordingId, StreamNumber, Timestamp};

/// Journal of one call that waits in memory at most, in bytes: a quarter of a minute of a call
/// with two streams. A disk that is slow for longer costs packets, which are counted.
pub(crate) const WAITING_BYTES_MAX: usize = 256 * 1024;

/// Packets about keys of one call that are left out one by one: some ten thousand keys. Each costs
/// a line among the events, of which a copy of the recording holds only so many; beyond, they are
/// counted as dropped.
const LEFT_OUT_MAX: u64 = 100_000;

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

/// One stream of a call.
#[derive(Debug)]
pub(crate) struct StreamMedia {
    number: StreamNumber,
    wanted: Wanted,
    ports: PortPair,
    source: SourceLock,
    /// Packets that could not be kept and are not yet in the journal.
    dropped: u64,
    /// Packets that came since the permit ended and were not kept.
    closed_to: u64,
    /// The same while what came before the end is still being read.
    late: u64,
    loss: Loss,
}

impl StreamMedia {
    /// A stream on its sockets; `offered` is where the client says that its media comes from.
    /// Packets that say which key was pressed are kept only with `keep_keys`.
    pub(crate) fn new(
        stream: &MediaStream,
        ports: PortPair,
        offered: Option<SocketAddr>,
        keep_keys: bool,
    ) -> Self {
        Self {
            number: stream.number,
            wanted: Wanted::of(stream, keep_keys),
            ports,
            source: SourceLock::new(offered),
            dropped: 0,
            closed_to: 0,
            late: 0,
            loss: Loss::default(),
        }
    }

    /// Which stream.
    pub(crate) const fn number(&self) -> StreamNumber {
        self.number
    }

    /// The client says anew where its media comes from.
    pub(crate) fn move_to(&mut self, offered: SocketAddr) {
        self.source.move_to(Some(offered));
    }
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
    counts: MediaCounts,
    last_packet: Option<Timestamp>,
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
            counts: MediaCounts::default(),
            last_packet: None,
            shared,
        }
    }

    /// Which recording.
    pub(crate) const fn id(&self) -> RecordingId {
        self.id
    }

    /// A stream that the client added during the call, or that became another one.
    pub(crate) fn add_stream(&mut self, stream: StreamMedia) {
        self.streams.retain(|known| known.number != stream.number);
        self.streams.push(stream);
    }

    /// The client says anew where the media of a stream comes from.
    pub(crate) fn move_stream(&mut self, number: StreamNumber, offered: SocketAddr) {
        for stream in self.streams.iter_mut().filter(|s| s.number == number) {
            stream.move_to(offered);
        }
    }

    /// The law is being asked (again): leave what arrives in the kernel until it has answered.
    pub(crate) fn hold(&mut self) {
        if !self.is_failed {
            self.mode = Mode::Held;
        }
    }

    /// A permit is held from `from` on. With the first one a writer is open. If the facts have
    /// changed since it was asked for (`is_stale`), what arrives waits for the next answer.
    pub(crate) fn keep(&mut self, from: Timestamp, events: Vec<Dated>, is_stale: bool) {
        if !self.is_begun {
            // What was thrown away until now is what the journal calls "not started".
            self.closed_cause = None;
        }
        self.is_begun = true;
        self.push_events(events);
        if !self.is_failed {
            // A permit that never ended goes on from where it began.
            self.from.get_or_insert(from);
            self.mode = if is_stale { Mode::Held } else { Mode::Keeping };
        }
    }

    /// Our clock was set: what comes from now on has other times, and the same moments are meant.
    pub(crate) fn on_clock_step(&mut self, now: Timestamp, by_us: i64) {
        self.from = self.from.map(|from| from.plus_micros(by_us));
        self.last_packet = self.last_packet.map(|at| at.plus_micros(by_us));
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
        // Without a permit there is nothing to take in, even if it waited for an answer.
        self.take_in(receiver, time, Some(since), true);
        self.from = None;
        self.mode = Mode::Closed;
        self.closed_cause = cause;
        self.push_events(events);
    }

    /// Its media cannot be written any more.
    pub(crate) fn fail(&mut self) {
        self.is_failed = true;
        self.from = None;
        self.mode = Mode::Closed;
        self.journal = ChunkBuilder::new();
    }

    /// Puts events into the journal, if there is one.
    pub(crate) fn push_events(&mut self, events: Vec<Dated>) {
        if self.is_begun {
            for (at, event) in events {
                self.push_event(at, &event);
            }
        }
    }

    fn push_event(&mut self, at: Timestamp, event: &JournalEvent) {
        if let Err(error) = self.journal.push_event(at, event) {
            tracing::error!(recording = %self.id, %error, "an event of the journal is lost");
        }
    }

    /// Deals with everything that arrived since the last sweep.
    pub(crate) fn sweep(&mut self, receiver: &mut Receiver, time: SweepTime, with_control: bool) {
        match self.mode {
            Mode::Held => return,
            Mode::Closed => self.throw_away(time, with_control),
            Mode::Keeping => self.take_in(receiver, time, None, with_control),
        }
        self.shared.publish(&self.counts, self.last_packet);
    }

    /// The call is over: takes in what arrived until `at` and ends the journal. The last chunk, if
    /// there is a writer to take it.
    pub(crate) fn end(
        mut self,
        receiver: &mut Receiver,
        time: SweepTime,
        at: Timestamp,
        events: Vec<Dated>,
    ) -> Option<Vec<u8>> {
        if self.mode == Mode::Keeping {
            self.take_in(receiver, time, Some(at), true);
        }
        self.tell_closed(at);
        self.tell_dropped(at);
        self.push_events(events);
        self.shared.publish(&self.counts, self.last_packet);
        if self.counts.foreign > 0 {
            let packets = self.counts.foreign;
            tracing::warn!(recording = %self.id, packets, "packets from elsewhere were not kept");
        }
        self.is_begun.then(|| self.journal.take())
    }

    /// The journal since the last chunk, if there is any.
    pub(crate) fn take_chunk(&mut self, now: Timestamp) -> Option<Vec<u8>> {
        if self.journal.is_empty() {
            return None;
        }
        let chunk = self.journal.take();
        self.tell_dropped(now);
        Some(chunk)
    }

    fn throw_away(&mut self, time: SweepTime, with_control: bool) {
        for stream in &mut self.streams {
            let count = discard(&stream.ports.rtp);
            if count > 0 {
                self.last_packet = Some(time.now);
            }
            self.counts.without_permit += count;
            stream.closed_to += count;
            if with_control {
                discard(&stream.ports.rtcp);
            }
        }
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
        let mut intake = Intake {
            from,
            until,
            journal: &mut self.journal,
            counts: &mut self.counts,
            last_packet: &mut self.last_packet,
        };
        for stream in &mut self.streams {
            let StreamMedia {
                ports,
                number,
                wanted,
                source,
                dropped,
                closed_to,
                late,
                loss,
            } = stream;
            let mut lane = Lane {
                number: *number,
                wanted: *wanted,
                source,
                dropped,
                before: closed_to,
                after: late,
                loss,
            };
            let read = receiver.receive(&ports.rtp, time, |datagram| {
                intake.take(&mut lane, datagram, false);
            });
            let control = if with_control {
                receiver.receive(&ports.rtcp, time, |datagram| {
                    intake.take(&mut lane, datagram, true);
                })
            } else {
                Ok(())
            };
            if let Err(error) = read.and(control) {
                // A datagram socket has no state to lose; the next sweep tries again.
                tracing::debug!(recording = %self.id, stream = %number, %error, "cannot read media");
            }
        }
        let worst = self
            .streams
            .iter()
            .map(|stream| stream.loss.permille())
            .max();
        self.counts.loss_permille = worst.unwrap_or(0);
        self.tell_closed(from);
        for stream in &mut self.streams {
            stream.closed_to = std::mem::take(&mut stream.late);
        }
    }

    /// Puts into the journal what overload cost, now that there is room again.
    fn tell_dropped(&mut self, at: Timestamp) {
        let events = self.streams.iter_mut().filter_map(|stream| {
            let packets = std::mem::take(&mut stream.dropped);
            let (stream, cause) = (stream.number, Cause::Overload);
            (packets > 0).then_some((
                at,
                JournalEvent::MediaDropped {
                    stream,
                    packets,
                    cause,
                },
            ))
        });
        let events = events.collect();
        self.push_events(events);
    }

    /// Puts into the journal what was thrown away without a refusal that explains it.
    fn tell_closed(&mut self, at: Timestamp) {
        let cause = self.closed_cause.take();
        let events = self.streams.iter_mut().filter_map(|stream| {
            let packets = std::mem::take(&mut stream.closed_to);
            let (stream, cause) = (stream.number, cause?);
            (packets > 0).then_some((
                at,
                JournalEvent::MediaDropped {
                    stream,
                    packets,
                    cause,
                },
            ))
        });
        let events = events.collect();
        self.push_events(events);
    }
}

/// The part of a stream that an arriving packet needs.
struct Lane<'a> {
    number: StreamNumber,
    wanted: Wanted,
    source: &'a mut SourceLock,
    dropped: &'a mut u64,
    /// RTP that came before the permit.
    before: &'a mut u64,
    /// RTP that came after its end.
    after: &'a mut u64,
    loss: &'a mut Loss,
}

/// Where packets go while a permit is held.
struct Intake<'a> {
    from: Timestamp,
    until: Option<Timestamp>,
    journal: &'a mut ChunkBuilder,
    counts: &'a mut MediaCounts,
    last_packet: &'a mut Option<Timestamp>,
}

impl Intake<'_> {
    fn take(&mut self, lane: &mut Lane<'_>, datagram: Datagram<'_>, on_control_port: bool) {
        let Datagram {
            from,
            arrived,
            bytes,
            is_cut,
        } = datagram;
        if arrived < self.from {
            self.counts.without_permit += 1;
            *lane.before += u64::from(!on_control_port);
            return;
        }
        if self.until.is_some_and(|until| arrived >= until) {
            self.counts.without_permit += 1;
            *lane.after += u64::from(!on_control_port);
            return;
        }
        *self.last_packet = Some(arrived);
        if is_cut {
            self.counts.unusable += 1;
            return;
        }
        if on_control_port || RtpPacket::is_rtcp(bytes) {
            self.take_control(lane, from, arrived, bytes);
            return;
        }
        let Ok(packet) = RtpPacket::parse(bytes) else {
            self.counts.unusable += 1;
            return;
        };
        let want = lane.wanted.want(packet.payload_type);
        if want == Want::Nothing {
            self.counts.unusable += 1;
            return;
        }
        match lane.source.judge(from, packet.ssrc, arrived) {
            Whose::Own => {}
            Whose::NewSource => {
                let stream = lane.number;
                let event = JournalEvent::SourceChanged { stream };
                if let Err(error) = self.journal.push_event(arrived, &event) {
                    tracing::error!(%stream, %error, "an event of the journal is lost");
                }
            }
            Whose::Foreign => {
                self.counts.foreign += 1;
                return;
            }
        }
        lane.loss.take(packet.ssrc, packet.sequence, arrived);
        if want == Want::LeaveOut && self.leave_out(lane.number, arrived, &packet) {
            self.counts.left_out += 1;
        } else if want == Want::Keep && self.push(lane.number, arrived, PacketKind::Rtp, bytes) {
            self.counts.kept += 1;
            self.counts.hear(lane.number);
        } else {
            self.counts.dropped += 1;
            *lane.dropped += 1;
        }
    }

    fn push(
        &mut self,
        stream: StreamNumber,
        arrived: Timestamp,
        kind: PacketKind,
        bytes: &[u8],
    ) -> bool {
        self.journal.byte_len() < WAITING_BYTES_MAX
            && self
                .journal
                .push_packet(stream, arrived, kind, bytes)
                .is_ok()
    }

    /// Says that a packet about a key came, without what would tell which.
    fn leave_out(
        &mut self,
        stream: StreamNumber,
        arrived: Timestamp,
        packet: &RtpPacket<'_>,
    ) -> bool {
        let packet = KeyPacket::of(packet);
        let event = JournalEvent::KeyLeftOut { stream, packet };
        self.counts.left_out < LEFT_OUT_MAX
            && self.journal.byte_len() < WAITING_BYTES_MAX
            && self.journal.push_event(arrived, &event).is_ok()
    }

    fn take_control(
        &mut self,
        lane: &Lane<'_>,
        from: SocketAddr,
        arrived: Timestamp,
        bytes: &[u8],
    ) {
        if !RtpPacket::is_rtcp(bytes) {
            self.counts.unusable += 1;
        } else if !lane.source.is_host(from) {
            self.counts.foreign += 1;
        } else if self.push(lane.number, arrived, PacketKind::Rtcp, bytes) {
            self.counts.control += 1;
        }
    }
}
