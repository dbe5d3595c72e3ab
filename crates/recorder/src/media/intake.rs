//! What becomes of one datagram while a permit is held: kept, told without its content, or counted.

use super::acting::Acting;
use super::counts::MediaCounts;
use super::doubted::Doubted;
use super::keys::KeyListener;
use super::loss::Loss;
use super::receive::Datagram;
use super::reports::Reports;
use super::source::{Change, DOUBT_MICROS, SourceLock, Whose};
use super::terms::{self, Former, Plain};
use super::wanted::{Want, Wanted};
use std::net::SocketAddr;
use voicelog_archive::journal::{ChunkBuilder, JournalEvent, KeyPacket, PacketKind};
use voicelog_model::rtcp;
use voicelog_model::rtp::RtpPacket;
use voicelog_model::{StreamNumber, Timestamp};
use voicelog_srs::srtp::{SrtpError, Unprotector};

/// Journal of one call that waits in memory at most, in bytes: a quarter of a minute of a call
/// with two streams. A disk that is slow for longer costs packets, which are counted.
pub(crate) const WAITING_BYTES_MAX: usize = 256 * 1024;

/// Packets about keys of one call that are left out one by one: some ten thousand keys. Each costs
/// a line among the events, of which a copy of the recording holds only so many; beyond, they are
/// counted as dropped.
const LEFT_OUT_MAX: u64 = 100_000;

/// The part of a stream that an arriving packet needs.
pub(super) struct Lane<'a> {
    pub(super) number: StreamNumber,
    pub(super) wanted: Wanted,
    /// Takes the protection off; `None` where none was agreed on.
    pub(super) unprotector: &'a mut Option<Unprotector>,
    /// The protection before, while packets may still have it.
    pub(super) former: &'a mut Option<Former>,
    /// What we report to the client of the stream.
    pub(super) reports: Option<&'a mut Reports>,
    pub(super) source: &'a mut SourceLock,
    pub(super) doubted: &'a mut Doubted,
    pub(super) keys: &'a mut KeyListener,
    pub(super) loss: &'a mut Loss,
    pub(super) dropped: &'a mut u64,
    /// RTP that came before the permit.
    pub(super) before: &'a mut u64,
    /// RTP that came after its end.
    pub(super) after: &'a mut u64,
}

impl Lane<'_> {
    /// The packet as it was before it was protected, in the same place.
    fn unprotect<'p>(
        &mut self,
        bytes: &'p mut [u8],
        is_control: bool,
        arrived: Timestamp,
    ) -> Result<Plain<'p>, SrtpError> {
        terms::unprotect(self.unprotector, self.former, bytes, is_control, arrived)
    }

    /// A packet goes by unread.
    fn skip(&mut self, on_control_port: bool) {
        if let Some(unprotector) = self.unprotector.as_mut().filter(|_| !on_control_port) {
            unprotector.skipped(1);
        }
    }
}

/// Where packets go while a permit is held.
pub(super) struct Intake<'a> {
    pub(super) from: Timestamp,
    pub(super) until: Option<Timestamp>,
    pub(super) journal: &'a mut ChunkBuilder,
    pub(super) counts: &'a mut MediaCounts,
    pub(super) last_packet: &'a mut Option<Timestamp>,
    pub(super) acting: Acting<'a>,
}

impl Intake<'_> {
    /// Takes a datagram in, or counts why not.
    pub(super) fn take(
        &mut self,
        lane: &mut Lane<'_>,
        datagram: Datagram<'_>,
        on_control_port: bool,
    ) {
        let arrived = datagram.arrived;
        if arrived < self.from {
            self.counts.without_permit += 1;
            *lane.before += u64::from(!on_control_port);
            return self.hear_only(lane, datagram, on_control_port);
        }
        if self.until.is_some_and(|until| arrived >= until) {
            self.counts.without_permit += 1;
            *lane.after += u64::from(!on_control_port);
            return self.hear_only(lane, datagram, on_control_port);
        }
        let Datagram {
            from,
            bytes,
            is_cut,
            ..
        } = datagram;
        *self.last_packet = (*self.last_packet).max(Some(arrived));
        if is_cut {
            self.counts.unusable += 1;
            return;
        }
        // The first bytes tell RTCP from RTP, protected or not (RFC 3711 §3.1 and §3.4).
        let is_control = on_control_port || RtpPacket::is_rtcp(bytes);
        let plain = match lane.unprotect(bytes, is_control, arrived) {
            Ok(plain) => plain,
            Err(SrtpError::Malformed) => return self.counts.unusable += 1,
            Err(SrtpError::NotAuthentic) => return self.counts.not_authentic += 1,
            Err(SrtpError::Replayed) => return self.counts.replayed += 1,
        };
        if is_control {
            self.take_control(lane, from, arrived, plain.bytes);
        } else {
            self.take_media(lane, from, arrived, plain);
        }
    }

    fn take_media(
        &mut self,
        lane: &mut Lane<'_>,
        from: SocketAddr,
        arrived: Timestamp,
        Plain {
            bytes,
            is_authentic,
        }: Plain<'_>,
    ) {
        let Ok(packet) = RtpPacket::parse(bytes) else {
            self.counts.unusable += 1;
            return;
        };
        if lane.wanted.want(packet.payload_type) == Want::Nothing {
            self.counts.unusable += 1;
            self.counts.unagreed = Some(packet.payload_type);
            return;
        }
        let whose = lane.source.judge(from, packet.ssrc, arrived);
        if let Some(change) = lane.source.take_change() {
            self.changed(lane, change, arrived);
        }
        match whose {
            Whose::Own | Whose::NewSource => {
                self.believe(lane);
                self.keep_media(lane, arrived, &packet, bytes);
            }
            // Who has the key is no stranger.
            Whose::Unsure if is_authentic => {
                self.keep_media(lane, arrived, &packet, bytes);
            }
            Whose::Unsure if self.acting.pauses.covers(arrived) => self.counts.paused += 1,
            Whose::Unsure => {
                if !lane.doubted.put_by(arrived, bytes) {
                    self.counts.dropped += 1;
                    *lane.dropped += 1;
                }
            }
            Whose::Foreign => self.counts.foreign += 1,
        }
    }

    /// The source of a stream changed. What waited of somebody who fits the offer less well was not the
    /// client's.
    fn changed(&mut self, lane: &mut Lane<'_>, change: Change, arrived: Timestamp) {
        let stream = lane.number;
        let was_stranger = change == Change::Better { was_believed: true };
        let was_elsewhere = was_stranger && lane.unprotector.is_none();
        match change {
            Change::Ssrc => {}
            Change::Address => self.believe(lane),
            Change::Better { .. } => self.counts.foreign += lane.doubted.take().len() as u64,
        }
        self.counts.source_changes += u64::from(change != Change::Ssrc);
        let event = JournalEvent::SourceChanged {
            stream,
            was_elsewhere,
        };
        if let Err(error) = self.journal.push_event(arrived, &event) {
            tracing::error!(%stream, %error, "an event of the journal is lost");
        }
    }

    /// Keeps what waited of a source that was doubted.
    fn believe(&mut self, lane: &mut Lane<'_>) {
        for (arrived, bytes) in lane.doubted.take() {
            // It may have waited for longer than it was permitted to keep it.
            let is_before = arrived < self.from;
            if is_before || self.until.is_some_and(|until| arrived >= until) {
                self.counts.without_permit += 1;
                *(if is_before {
                    &mut *lane.before
                } else {
                    &mut *lane.after
                }) += 1;
            } else if let Ok(packet) = RtpPacket::parse(&bytes) {
                self.keep_media(lane, arrived, &packet, &bytes);
            }
        }
    }

    /// Keeps what waits of a source of which nobody better has come by now; of whatever source, where
    /// `is_last`: nothing more will come that could tell.
    pub(super) fn settle(&mut self, lane: &mut Lane<'_>, now: Timestamp, is_last: bool) {
        let is_old = |since: Timestamp| now.micros_since(since) >= DOUBT_MICROS;
        if is_last || lane.doubted.since().is_some_and(is_old) {
            self.believe(lane);
        }
    }

    fn keep_media(
        &mut self,
        lane: &mut Lane<'_>,
        arrived: Timestamp,
        packet: &RtpPacket<'_>,
        bytes: &[u8],
    ) {
        let want = lane.wanted.want(packet.payload_type);
        lane.loss.take(packet.ssrc, packet.sequence, arrived);
        if let Some(reports) = &mut lane.reports {
            reports.heard(packet, arrived);
        }
        if lane.wanted.is_key(packet.payload_type)
            && let Some(act) = lane.keys.hear(packet, arrived)
        {
            self.acting.act(act, lane.keys.party(), arrived);
        }
        if self.acting.pauses.covers(arrived) {
            self.counts.paused += 1;
            return;
        }
        if want == Want::LeaveOut && self.leave_out(lane.number, arrived, packet) {
            self.counts.left_out += 1;
        } else if want == Want::Keep && self.push(lane.number, arrived, PacketKind::Rtp, bytes) {
            self.counts.kept += 1;
            self.counts.hear(lane.number);
        } else {
            self.counts.dropped += 1;
            *lane.dropped += 1;
        }
    }

    /// A packet for which there is no permit goes by: a key that it tells of counts all the same.
    fn hear_only(&mut self, lane: &mut Lane<'_>, datagram: Datagram<'_>, on_control_port: bool) {
        let Datagram {
            from,
            arrived,
            bytes,
            ..
        } = datagram;
        let is_media = !on_control_port && !RtpPacket::is_rtcp(bytes);
        let is_key = |second: &u8| lane.wanted.is_key(second & 0x7f);
        if !is_media || !lane.keys.is_listening() || !bytes.get(1).is_some_and(is_key) {
            return lane.skip(on_control_port);
        }
        let plain = lane.unprotect(bytes, false, arrived);
        if let Ok(Plain {
            bytes,
            is_authentic,
        }) = plain
            && let Ok(packet) = RtpPacket::parse(bytes)
            && lane
                .source
                .may_act(from, packet.ssrc, arrived, is_authentic)
            && let Some(act) = lane.keys.hear(&packet, arrived)
        {
            self.acting.act(act, lane.keys.party(), arrived);
        }
        if lane.source.take_was_stranger() {
            self.counts.foreign += lane.doubted.take().len() as u64;
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
        lane: &mut Lane<'_>,
        from: SocketAddr,
        arrived: Timestamp,
        bytes: &[u8],
    ) {
        if !RtpPacket::is_rtcp(bytes) {
            self.counts.unusable += 1;
        } else if !lane.source.is_host(from) {
            self.counts.foreign += 1;
        } else {
            if let Some(reports) = &mut lane.reports {
                for said in rtcp::read(bytes) {
                    if reports.said(said, from, arrived) {
                        self.counts.leave(lane.number);
                    }
                }
            }
            self.keep_control(lane.number, arrived, bytes);
        }
    }

    fn keep_control(&mut self, stream: StreamNumber, arrived: Timestamp, bytes: &[u8]) {
        if self.acting.pauses.covers(arrived) {
            self.counts.paused += 1;
        } else if self.push(stream, arrived, PacketKind::Rtcp, bytes) {
            self.counts.control += 1;
        }
    }
}
