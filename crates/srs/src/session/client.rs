//! The session as client: our re-INVITE, our BYE, and what the client answers to them
//! (RFC 3261 §12.2.1, §14.1, §15.1.1, §17.1).

use super::{Phase, SUPPORTED_OF_REQUESTS, Session, hear};
use crate::api::{EndCause, Event, LocalDirection, SessionKey};
use crate::body;
use crate::context::Context;
use crate::counters::Counted;
use crate::limits::{GLARE_RETRIES_MAX, REINVITE_MICROS_MAX};
use crate::peer::{Peer, Transport};
use crate::sdp;
use crate::sip::write::Writer;
use crate::sip::{Message, Method};
use voicelog_model::Timestamp;

/// A request of ours that waits for its response.
pub(super) struct ClientTransaction {
    branch: String,
    to: Peer,
    bytes: Vec<u8>,
    /// When to send it again; never over TCP, and for INVITE not after a provisional response.
    next: Option<Timestamp>,
    interval: i64,
    /// When to give up.
    until: Timestamp,
}

/// Our re-INVITE and the direction that it offers.
pub(super) struct Reinvite {
    pub(super) transaction: ClientTransaction,
    cseq: u32,
    direction: LocalDirection,
    /// A provisional response has come.
    is_proceeding: bool,
}

/// Our BYE.
pub(super) struct Bye {
    pub(super) transaction: ClientTransaction,
}

/// The ACK of our last re-INVITE, for when the client's final response comes again.
pub(super) struct FinalAck {
    branch: String,
    to: Peer,
    bytes: Vec<u8>,
    pub(super) until: Timestamp,
}

/// The session in whose branch a response came, if the branch can be ours at all.
pub(crate) fn session_of(branch: &str) -> Option<SessionKey> {
    let (_, key) = branch.rsplit_once('.')?;
    u64::from_str_radix(key, 16).ok().map(SessionKey)
}

impl ClientTransaction {
    pub(super) fn new(
        cx: &Context,
        now: Timestamp,
        branch: String,
        to: Peer,
        bytes: Vec<u8>,
    ) -> Self {
        let is_udp = to.transport == Transport::Udp;
        Self {
            branch,
            to,
            bytes,
            next: is_udp.then(|| now.plus_micros(cx.config.t1_micros)),
            interval: cx.config.t1_micros,
            until: now.plus_micros(64 * cx.config.t1_micros),
        }
    }

    pub(super) fn deadline(&self) -> Timestamp {
        self.next.map_or(self.until, |next| next.min(self.until))
    }

    /// Sends the request again if it is time. Says whether to give up.
    fn timeout(&mut self, cx: &mut Context, now: Timestamp, interval_max: i64) -> bool {
        if self.until <= now {
            return true;
        }
        if self.next.is_some_and(|next| next <= now) {
            self.interval = self.interval.saturating_mul(2).min(interval_max);
            self.next = Some(now.plus_micros(self.interval));
            cx.transmit(self.to, self.bytes.clone());
        }
        false
    }
}

impl Session {
    pub(super) fn branch(&self, cx: &mut Context) -> String {
        format!("{}.{:x}", cx.ids.branch(), self.key.0)
    }

    /// What a re-INVITE or UPDATE of ours says of us.
    pub(super) fn describe_ourselves(&mut self, now: Timestamp, writer: &mut Writer) {
        writer.text("Contact", &self.dialog.contact());
        writer.text("Allow", Method::ALLOW);
        writer.text("Supported", SUPPORTED_OF_REQUESTS);
        self.expiry.ask(now, writer);
    }

    /// Sends a re-INVITE if the direction wanted is not the one agreed, or if the session must be
    /// refreshed and the client takes no UPDATE, and nothing else is under way; tells the caller
    /// when it is agreed.
    pub(super) fn pursue_direction(&mut self, cx: &mut Context, now: Timestamp) {
        let is_busy = self.pending.is_some()
            || self.unacknowledged.is_some()
            || self.reinvite.is_some()
            || self.retry_at.is_some();
        if is_busy {
            return;
        }
        let must_refresh = self.expiry.is_due() && !self.dialog.allows_update;
        if self.media.wanted != self.media.agreed || must_refresh {
            self.send_reinvite(cx, now);
        } else if self.is_direction_awaited {
            self.is_direction_awaited = false;
            self.retries = 0;
            let event = Event::DirectionAgreed {
                direction: self.media.agreed,
                streams: self.media.activities(0),
            };
            cx.event(self.key, event);
        }
    }

    fn send_reinvite(&mut self, cx: &mut Context, now: Timestamp) {
        let branch = self.branch(cx);
        let sdp = if self.media.wanted == self.media.agreed {
            // A refresh: what is held stays held.
            self.media.description()
        } else {
            self.media.offer()
        };
        let mut writer = self.dialog.request(&Method::Invite, &branch, None);
        self.describe_ourselves(now, &mut writer);
        let bytes = writer.finish(Some(("application/sdp", &sdp)));
        let to = self.dialog.next_hop();
        cx.transmit(to, bytes.clone());
        self.final_ack = None;
        self.reinvite = Some(Reinvite {
            transaction: ClientTransaction::new(cx, now, branch, to, bytes),
            cseq: self.dialog.last_cseq(),
            direction: self.media.wanted,
            is_proceeding: false,
        });
    }

    pub(super) fn send_bye(&mut self, cx: &mut Context, now: Timestamp, reason: &str) {
        let branch = self.branch(cx);
        let mut writer = self.dialog.request(&Method::Bye, &branch, None);
        writer.text("Reason", reason);
        let bytes = writer.finish(None);
        let to = self.dialog.next_hop();
        cx.transmit(to, bytes.clone());
        self.bye = Some(Bye {
            transaction: ClientTransaction::new(cx, now, branch, to, bytes),
        });
    }

    /// A response of the client.
    pub(crate) fn response(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        from: Peer,
        branch: &str,
        status: u16,
        message: &Message<'_>,
    ) {
        self.was_heard = true;
        let method = message.cseq().map(|(_, method)| method);
        let is_bye = self
            .bye
            .as_ref()
            .is_some_and(|bye| bye.transaction.branch == branch);
        if is_bye && method == Some(Method::Bye) {
            if status >= 200 {
                self.bye = None;
                self.phase = Phase::Over;
            }
            return;
        }
        let is_update = self
            .update
            .as_ref()
            .is_some_and(|update| update.transaction.branch == branch);
        if is_update && method == Some(Method::Update) {
            if let Some(update) = self.update.take_if(|_| status >= 200) {
                self.update_response(cx, now, &update, status, message);
            }
            return;
        }
        if let Some(ack) = self.final_ack.as_ref().filter(|ack| ack.branch == branch) {
            if status >= 200 {
                let (to, bytes) = (ack.to, ack.bytes.clone());
                cx.transmit(to, bytes);
            }
            return;
        }
        let reinvite = self
            .reinvite
            .take_if(|reinvite| reinvite.transaction.branch == branch);
        match reinvite {
            Some(reinvite) if method == Some(Method::Invite) => {
                self.reinvite_response(cx, now, from, reinvite, status, message);
            }
            other => {
                self.reinvite = other.or(self.reinvite.take());
                cx.count(Counted::StrayResponse);
            }
        }
    }

    fn reinvite_response(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        from: Peer,
        mut reinvite: Reinvite,
        status: u16,
        message: &Message<'_>,
    ) {
        if status < 200 {
            if !reinvite.is_proceeding {
                reinvite.is_proceeding = true;
                reinvite.transaction.next = None;
                reinvite.transaction.until = now.plus_micros(REINVITE_MICROS_MAX);
            }
            self.reinvite = Some(reinvite);
            return;
        }
        let is_accepted = status < 300;
        if is_accepted {
            self.dialog.refresh(message);
            self.expiry.answered(now, message);
        }
        self.acknowledge(cx, now, &reinvite, is_accepted);
        if self.is_closing() {
            return;
        }
        if is_accepted {
            let bodies = body::read(message);
            let answer = bodies
                .sdp
                .as_deref()
                .and_then(|sdp| sdp::read(sdp, cx.secrecy(from)).ok());
            let lines = answer.map(|answer| answer.media).unwrap_or_default();
            self.media.answered(&lines, reinvite.direction);
            self.retries = 0;
            let has_metadata = hear(&mut self.metadata, bodies.metadata.as_ref(), message);
            self.tell_metadata(cx, has_metadata);
            return;
        }
        match status {
            491 if self.retries < GLARE_RETRIES_MAX => {
                // RFC 3261 §14.1: who did not make the Call-ID waits 0 to 2 s, in steps of 10 ms.
                self.retries += 1;
                let steps = i64::try_from(cx.ids.number() % 201).unwrap_or(200);
                self.retry_at = Some(now.plus_micros(steps * 10_000));
            }
            481 => self.over(cx, EndCause::ByRecordingClient),
            422 if self.expiry.too_short(message) => {}
            _ => self.reinvite_refused(cx, status, reinvite.direction),
        }
    }

    /// The session goes on in the direction agreed before. A re-INVITE that asked for that very
    /// direction was a refresh, and says nothing about what the caller wants since.
    fn reinvite_refused(&mut self, cx: &mut Context, status: u16, direction: LocalDirection) {
        if direction == self.media.agreed {
            return;
        }
        self.media.wanted = self.media.agreed;
        self.is_direction_awaited = false;
        self.retries = 0;
        let agreed = self.media.agreed;
        cx.event(self.key, Event::ReinviteRefused { status, agreed });
    }

    /// The ACK of a 2xx is a request of its own with a new branch (RFC 3261 §13.2.2.4), that of a
    /// refusal belongs to the INVITE's transaction (§17.1.1.3).
    fn acknowledge(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        reinvite: &Reinvite,
        is_accepted: bool,
    ) {
        let invite = &reinvite.transaction;
        let branch = if is_accepted {
            self.branch(cx)
        } else {
            invite.branch.clone()
        };
        let writer = self
            .dialog
            .request(&Method::Ack, &branch, Some(reinvite.cseq));
        let bytes = writer.finish(None);
        let to = if is_accepted {
            self.dialog.next_hop()
        } else {
            invite.to
        };
        cx.transmit(to, bytes.clone());
        self.final_ack = Some(FinalAck {
            branch: invite.branch.clone(),
            to,
            bytes,
            until: now.plus_micros(64 * cx.config.t1_micros),
        });
    }

    /// Deadlines of our own requests.
    pub(super) fn client_timeout(&mut self, cx: &mut Context, now: Timestamp) {
        self.final_ack.take_if(|ack| ack.until <= now);
        self.retry_at.take_if(|at| *at <= now);
        if let Some(mut reinvite) = self.reinvite.take() {
            // Timer A of an INVITE doubles without limit, timer B ends it.
            if reinvite.transaction.timeout(cx, now, i64::MAX) {
                if !self.is_closing() {
                    self.reinvite_refused(cx, 408, reinvite.direction);
                }
            } else {
                self.reinvite = Some(reinvite);
            }
        }
        let interval_max = cx.config.t2_micros;
        let unanswered = self
            .update
            .take_if(|update| update.transaction.timeout(cx, now, interval_max));
        if let Some(update) = unanswered {
            self.update_refused(cx, &update, 408);
        }
        if let Some(mut bye) = self.bye.take() {
            if bye.transaction.timeout(cx, now, interval_max) {
                self.phase = Phase::Over;
            } else {
                self.bye = Some(bye);
            }
        }
    }
}
