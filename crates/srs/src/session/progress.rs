//! Our reliable 183 (RFC 3262), for a client that requires it: it says that we are still thinking
//! about the offer. It carries no session description, so the 200 never has to wait for it.

use super::{Pending, Phase, Session};
use crate::context::{Context, Response};
use crate::limits::PROGRESS_MICROS;
use crate::peer::Peer;
use crate::session::Request;
use crate::sip::{HeaderName, Message};
use voicelog_model::Timestamp;

/// Where the 183 is.
pub(super) enum Progress {
    /// The client does not require one.
    NotAsked,
    /// It is sent if the caller has not answered by then.
    Planned(Timestamp),
    /// It was sent.
    Sent(Provisional),
}

/// A provisional response that waits for its PRACK.
pub(super) struct Provisional {
    rseq: u32,
    cseq: u32,
    to: Peer,
    bytes: Vec<u8>,
    /// When to send it again; `None` once its PRACK has come.
    next: Option<Timestamp>,
    interval: i64,
}

impl Progress {
    pub(super) fn planned(message: &Message<'_>, now: Timestamp) -> Self {
        if message.headers.has_token(HeaderName::Require, "100rel") {
            Self::Planned(now.plus_micros(PROGRESS_MICROS))
        } else {
            Self::NotAsked
        }
    }

    fn deadline(&self) -> Option<Timestamp> {
        match self {
            Self::NotAsked => None,
            Self::Planned(at) => Some(*at),
            Self::Sent(provisional) => provisional.next,
        }
    }
}

/// `RAck` (RFC 3262 §7.2): the numbers of the response and of its request, and the method.
fn rack(message: &Message<'_>) -> Option<(u32, u32)> {
    let text = message.headers.text(HeaderName::RAck)?;
    let mut words = text.split_ascii_whitespace();
    let rseq = words.next()?.parse().ok()?;
    let cseq = words.next()?.parse().ok()?;
    (words.next() == Some("INVITE")).then_some((rseq, cseq))
}

impl Session {
    /// When something must be done about the 183: never once the INVITE has its final response.
    pub(super) fn progress_deadline(&self) -> Option<Timestamp> {
        let is_waiting = self.phase == Phase::Offered && self.pending.is_some();
        self.progress.deadline().filter(|_| is_waiting)
    }

    /// Sends the 183, or sends it again.
    pub(super) fn progress_timeout(&mut self, cx: &mut Context, now: Timestamp) {
        if self.progress_deadline().is_none_or(|at| at > now) {
            return;
        }
        if let Progress::Sent(provisional) = &mut self.progress {
            provisional.interval = provisional.interval.saturating_mul(2);
            provisional.next = Some(now.plus_micros(provisional.interval));
            cx.transmit(provisional.to, provisional.bytes.clone());
        } else if let Some(pending) = &self.pending {
            let provisional = self.progress_response(cx, now, pending);
            self.progress = provisional.map_or(Progress::NotAsked, Progress::Sent);
        }
    }

    fn progress_response(
        &self,
        cx: &mut Context,
        now: Timestamp,
        pending: &Pending,
    ) -> Option<Provisional> {
        // RFC 3262 §3: the first number is chosen at random between 1 and 2^31 - 1.
        let rseq = u32::try_from(cx.ids.number() % 0x7fff_ffff).ok()? + 1;
        let response = Response::new(183)
            .tag(&self.dialog.local_tag)
            .header("Contact", self.dialog.contact())
            .header("Require", "100rel")
            .header("RSeq", rseq.to_string());
        cx.respond(now, pending.asked.transaction, response);
        let (to, bytes) = cx.transactions.again(&pending.asked.transaction)?;
        Some(Provisional {
            rseq,
            cseq: pending.asked.cseq,
            to,
            bytes: bytes.to_vec(),
            next: Some(now.plus_micros(cx.config.t1_micros)),
            interval: cx.config.t1_micros,
        })
    }

    /// A PRACK. Says whether it is of our 183; it may come after the final response.
    pub(super) fn acknowledge_progress(&mut self, request: &Request<'_>) -> bool {
        let Progress::Sent(provisional) = &mut self.progress else {
            return false;
        };
        let is_its_own = rack(request.message) == Some((provisional.rseq, provisional.cseq));
        if is_its_own {
            provisional.next = None;
        }
        is_its_own
    }
}
