//! One stream of a call: its sockets, whose it is, and what an arriving packet needs to know.

use super::acting::Acting;
use super::doubted::Doubted;
use super::intake::Lane;
use super::keys::KeyListener;
use super::loss::Loss;
use super::receive::{SweepTime, discard_but};
use super::reports::Reports;
use super::source::SourceLock;
use super::terms::{self, Former, StreamTerms};
use super::wanted::{Want, Wanted};
use crate::ports::PortPair;
use std::net::SocketAddr;
use voicelog_model::rtp::RtpPacket;
use voicelog_model::{StreamNumber, Timestamp};
use voicelog_srs::srtp::{MasterKey, Unprotector};

/// One stream of a call.
#[derive(Debug)]
pub(crate) struct StreamMedia {
    pub(super) number: StreamNumber,
    pub(super) wanted: Wanted,
    pub(super) ports: PortPair,
    /// Takes the protection off what comes (SRTP), where it was agreed on.
    pub(super) unprotector: Option<Unprotector>,
    /// The protection that it had before, while packets may still have it.
    pub(super) former: Option<Former>,
    /// What we report to the client of it; `None` = nothing.
    pub(super) reports: Option<Reports>,
    pub(super) source: SourceLock,
    /// What came while it is not known whether the source is the client.
    pub(super) doubted: Doubted,
    pub(super) keys: KeyListener,
    /// Packets that could not be kept and are not yet in the journal.
    pub(super) dropped: u64,
    /// Packets that came since the permit ended and were not kept.
    pub(super) closed_to: u64,
    /// The same while what came before the end is still being read.
    pub(super) late: u64,
    pub(super) loss: Loss,
}

impl StreamMedia {
    /// A stream on its sockets; `offered` is where the client says that its media comes from.
    pub(crate) fn new(terms: StreamTerms, ports: PortPair, offered: Option<SocketAddr>) -> Self {
        Self {
            number: terms.number,
            wanted: terms.wanted,
            ports,
            unprotector: terms.protection.map(|(_, unprotector)| unprotector),
            former: None,
            reports: terms.reports,
            source: SourceLock::new(offered),
            doubted: Doubted::default(),
            keys: KeyListener::default(),
            dropped: 0,
            closed_to: 0,
            late: 0,
            loss: Loss::default(),
        }
    }

    /// Sends a report if one is due. What is not sent is a loss on the way like any other.
    pub(super) fn report(&mut self, now: Timestamp) {
        let Some(reports) = &mut self.reports else {
            return;
        };
        let Some((to, bytes)) = reports.due(now, self.source.address()) else {
            return;
        };
        let socket = if reports.is_muxed() {
            &self.ports.rtp
        } else {
            &self.ports.rtcp
        };
        if let Err(error) = socket.send_to(&bytes, to) {
            tracing::debug!(stream = %self.number, %error, "a receiver report is not sent");
        }
    }

    /// The client protects what it sends with another key from now on. A stream that was not
    /// protected stays so until it is [changed](Self::change).
    pub(crate) fn rekey(&mut self, key: &MasterKey) {
        if let Some(unprotector) = &mut self.unprotector {
            unprotector.rekey(key);
        }
    }

    /// Which stream.
    pub(crate) const fn number(&self) -> StreamNumber {
        self.number
    }

    /// Its sockets, and the part of it that an arriving packet needs.
    pub(super) fn lane(&mut self) -> (&PortPair, Lane<'_>) {
        let lane = Lane {
            number: self.number,
            wanted: self.wanted,
            unprotector: &mut self.unprotector,
            former: &mut self.former,
            reports: self.reports.as_mut(),
            source: &mut self.source,
            doubted: &mut self.doubted,
            keys: &mut self.keys,
            dropped: &mut self.dropped,
            before: &mut self.closed_to,
            after: &mut self.late,
            loss: &mut self.loss,
        };
        (&self.ports, lane)
    }

    /// Throws away what waits, but for packets about keys, which are heard and kept nowhere. Returns
    /// how many there were.
    pub(super) fn listen_only(&mut self, time: SweepTime, acting: &mut Acting<'_>) -> u64 {
        let Self {
            ports,
            wanted,
            unprotector,
            former,
            source,
            keys,
            ..
        } = self;
        discard_but(
            &ports.rtp,
            |payload_type| wanted.is_key(payload_type),
            |passing, read| {
                let Some(bytes) = read else {
                    // Speech tells whose stream it is, but where it would have to be opened to be believed.
                    match unprotector {
                        Some(unprotector) => unprotector.skipped(1),
                        None if wanted.want(passing.payload_type) == Want::Nothing => {}
                        None => {
                            source.pass_by(passing.from, passing.ssrc, time.now);
                        }
                    }
                    return;
                };
                // A key from elsewhere says nothing.
                if let Ok(plain) = terms::unprotect(unprotector, former, bytes, false, time.now)
                    && let Ok(packet) = RtpPacket::parse(plain.bytes)
                    && source.may_act(passing.from, packet.ssrc, time.now, plain.is_authentic)
                    && let Some(act) = keys.hear(&packet, time.now)
                {
                    acting.act(act, keys.party(), time.now);
                }
            },
        )
    }

    /// So many packets were thrown away unread.
    pub(super) fn skip(&mut self, count: u64) {
        if let Some(unprotector) = &mut self.unprotector {
            unprotector.skipped(count);
        }
    }

    /// The client says anew where its media comes from.
    pub(crate) fn move_to(&mut self, offered: SocketAddr) {
        self.source.move_to(Some(offered));
    }
}

/// The loss of the stream that loses most, in packets of a thousand.
pub(super) fn worst_loss(streams: &[StreamMedia]) -> u64 {
    let worst = streams.iter().map(|stream| stream.loss.permille()).max();
    worst.unwrap_or(0)
}
