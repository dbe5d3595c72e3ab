//! The session as server: what the client asks within the dialog, and our answers.

use super::{Asked, Pending, Phase, Session, TimerRequest, Unacknowledged, hear};
use crate::api::{EndCause, Event, LocalDirection, StreamAnswer};
use crate::body::{self, Bodies};
use crate::context::{Context, Response};
use crate::counters::Counted;
use crate::peer::Peer;
use crate::sdp::{self, Description, KeyFault, MediaLine, SdpError};
use crate::sip::options::SUPPORTED;
use crate::sip::{Message, Method};
use crate::transaction::TransactionKey;
use std::net::IpAddr;
use voicelog_model::Timestamp;

/// A request within the dialog that has a transaction.
pub(crate) struct Request<'a> {
    pub(crate) message: &'a Message<'a>,
    pub(crate) method: Method,
    pub(crate) cseq: u32,
    pub(crate) from: Peer,
    pub(crate) transaction: TransactionKey,
}

impl Asked {
    fn of(request: &Request<'_>) -> Self {
        Self {
            transaction: request.transaction,
            method: request.method.clone(),
            cseq: request.cseq,
            timer: TimerRequest::read(request.message),
        }
    }
}

/// How a session description that is of no use is refused.
pub(crate) const fn sdp_refusal(error: SdpError) -> (u16, Counted, &'static str) {
    match error {
        SdpError::Unreadable => (400, Counted::BadRequest, "the SDP cannot be read"),
        SdpError::NoMedia => (488, Counted::NoUsableStream, "the SDP has no m= line"),
        SdpError::TooManyStreams => (
            488,
            Counted::NoUsableStream,
            "the SDP has too many m= lines",
        ),
    }
}

/// How keys that are of no use are refused, with what to do about it.
pub(crate) const fn key_refusal(fault: KeyFault) -> (Counted, &'static str) {
    match fault {
        KeyFault::Exposed => (
            Counted::KeysExposed,
            "SRTP keys came without TLS: send SIP over TLS, or set sip.srtp_keys_without_tls on a network that you trust",
        ),
        KeyFault::NoneUsable => (
            Counted::NoUsableKey,
            "no a=crypto line that can be used: offer AES_CM_128_HMAC_SHA1_80 without MKI and session parameters",
        ),
    }
}

impl Session {
    /// BYE, re-INVITE, UPDATE or OPTIONS of the client.
    pub(crate) fn request(&mut self, cx: &mut Context, now: Timestamp, request: &Request<'_>) {
        if request.cseq <= self.dialog.remote_cseq {
            cx.count(Counted::OutOfOrder);
            self.refuse(
                cx,
                now,
                request,
                Response::new(500).warning(399, "CSeq is not above the last one"),
            );
            return;
        }
        self.dialog.remote_cseq = request.cseq;
        self.dialog.peer = request.from;
        self.was_heard = true;
        match request.method {
            Method::Bye => self.bye_received(cx, now, request),
            // A session that is ending answers nothing else any more.
            _ if self.is_closing() => {
                cx.count(Counted::NoSuchCall);
                self.refuse(cx, now, request, Response::new(481));
            }
            Method::Invite | Method::Update => self.offer_request(cx, now, request),
            Method::Prack => {
                let response = if self.acknowledge_progress(request) {
                    self.ok(false)
                } else {
                    cx.count(Counted::NoSuchCall);
                    Response::new(481).tag(&self.dialog.local_tag)
                };
                cx.respond(now, request.transaction, response);
            }
            _ => {
                let response = self.ok(false).header("Accept", body::ACCEPT);
                cx.respond(now, request.transaction, response);
            }
        }
    }

    fn refuse(&self, cx: &mut Context, now: Timestamp, request: &Request<'_>, response: Response) {
        cx.respond(
            now,
            request.transaction,
            response.tag(&self.dialog.local_tag),
        );
    }

    /// The start of a 200 of ours.
    fn ok(&self, with_contact: bool) -> Response {
        let response = Response::new(200).tag(&self.dialog.local_tag);
        let response = if with_contact {
            response.header("Contact", self.dialog.contact())
        } else {
            response
        };
        response
            .header("Allow", Method::ALLOW)
            .header("Supported", SUPPORTED)
    }

    fn bye_received(&mut self, cx: &mut Context, now: Timestamp, request: &Request<'_>) {
        // RFC 3261 §15.1.2: what still waits for an answer gets 487.
        if let Some(pending) = self.pending.take() {
            let response = Response::new(487).tag(&self.dialog.local_tag);
            cx.respond(now, pending.asked.transaction, response);
        }
        self.refuse(cx, now, request, Response::new(200));
        self.over(cx, EndCause::ByRecordingClient);
    }

    /// A re-INVITE or UPDATE: with an offer, with metadata, with both or with neither.
    fn offer_request(&mut self, cx: &mut Context, now: Timestamp, request: &Request<'_>) {
        let bodies = body::read(request.message);
        let asks = request.method == Method::Invite || bodies.sdp.is_some();
        let asked = Asked::of(request);
        if let Some(response) = self.obstacle(cx, &bodies, asks, &asked) {
            self.refuse(cx, now, request, response);
            return;
        }
        let description = match self.read_offer(cx, &bodies, request.from) {
            Ok(description) => description,
            Err(response) => return self.refuse(cx, now, request, response),
        };
        if asks {
            // It could not offer again if it had not seen our answer, so the ACK was lost.
            self.acknowledged(cx, None);
        }
        self.dialog.refresh(request.message);
        let has_metadata = hear(
            &mut self.metadata,
            bodies.metadata.as_ref(),
            request.message,
        );
        match description {
            Some(description) if self.media.needs_answer(&description.media) => {
                if request.method == Method::Invite {
                    cx.transactions.bind(&request.transaction, self.key);
                    cx.respond(now, request.transaction, Response::new(100));
                }
                let mut quirks = bodies.quirks;
                quirks.extend(description.quirks.as_slice());
                let offer = self.offer(&description.media, quirks);
                // First: whoever joins is known before the stream that carries the voice.
                if has_metadata && let Some(metadata) = offer.metadata.clone() {
                    cx.event(self.key, Event::MetadataChanged(Box::new(metadata)));
                }
                self.pending = Some(Pending {
                    asked,
                    lines: description.media,
                    is_ours: false,
                    until: now.plus_micros(cx.config.answer_micros_max),
                });
                cx.event(self.key, Event::StreamsChanged(Box::new(offer)));
            }
            Some(description) => {
                self.answer_unasked(cx, now, &asked, &description.media, has_metadata);
            }
            None => {
                self.answer_without_offer(cx, now, &asked);
                self.tell_metadata(cx, has_metadata);
            }
        }
    }

    /// The offer of a request within the dialog, if it has one. One that cannot be used is refused as a
    /// whole, so that what was agreed on before goes on (RFC 3261 §14.2).
    fn read_offer(
        &self,
        cx: &mut Context,
        bodies: &Bodies<'_>,
        from: Peer,
    ) -> Result<Option<Description>, Response> {
        let Some(body) = &bodies.sdp else {
            return Ok(None);
        };
        let read = sdp::read(body, cx.secrecy(from));
        // Whoever meant a port and wrote none does not take the stream away.
        let read = read.and_then(|new| match self.media.loses(&new.lost) {
            true => Err(SdpError::Unreadable),
            false => Ok(new),
        });
        let description = read.map_err(|error| {
            let (status, counted, text) = sdp_refusal(error);
            cx.count(counted);
            Response::new(status).warning(399, text)
        })?;
        if let Some(fault) = self.media.key_fault(&description.media) {
            let (counted, text) = key_refusal(fault);
            cx.count(counted);
            return Err(Response::new(488).warning(399, text));
        }
        Ok(Some(description))
    }

    /// Why a request cannot be taken now.
    fn obstacle(
        &self,
        cx: &mut Context,
        bodies: &Bodies<'_>,
        asks: bool,
        asked: &Asked,
    ) -> Option<Response> {
        if bodies.is_unsupported {
            cx.count(Counted::UnknownBody);
            let response = Response::new(415).header("Accept", body::ACCEPT);
            return Some(response.header("Accept-Encoding", "identity"));
        }
        if let Some(refusal) = asked.timer.refusal() {
            cx.count(Counted::TimerTooShort);
            return Some(refusal);
        }
        if !asks {
            return None;
        }
        let holds_offer = self
            .unacknowledged
            .as_ref()
            .is_some_and(|u| u.offered.is_some());
        if self.reinvite.is_some() || holds_offer {
            cx.count(Counted::Glare);
            return Some(Response::new(491));
        }
        if self.pending.is_some() {
            // RFC 3261 §14.2 and RFC 3311 §5.2 want a wait of 0 to 10 seconds.
            cx.count(Counted::OfferPending);
            let seconds = cx.ids.number() % 11;
            return Some(Response::new(500).retry_after(seconds));
        }
        None
    }

    /// Answers an offer that needs no new port: hold, resume, removal, or nothing new.
    fn answer_unasked(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        asked: &Asked,
        lines: &[MediaLine],
        has_metadata: bool,
    ) {
        let count = self.media.len();
        let before = self.media.activities(count);
        self.media.answer_unasked(lines);
        self.send_answer(cx, now, asked, None);
        self.tell_metadata(cx, has_metadata);
        let streams = self.media.activities(count);
        if streams != before {
            cx.event(self.key, Event::DirectionChanged { streams });
        }
    }

    /// A re-INVITE without offer gets ours (RFC 3261 §14.2), an UPDATE nothing.
    fn answer_without_offer(&mut self, cx: &mut Context, now: Timestamp, asked: &Asked) {
        if asked.method == Method::Invite {
            self.media.offer();
            let offered = Some(self.media.wanted);
            self.send_answer(cx, now, asked, offered);
        } else {
            let response = self.expiry.answer(now, asked.timer, self.ok(true));
            cx.respond(now, asked.transaction, response);
        }
    }

    pub(super) fn tell_metadata(&self, cx: &mut Context, has_metadata: bool) {
        if let Some(metadata) = self.metadata_now().filter(|_| has_metadata) {
            cx.event(self.key, Event::MetadataChanged(Box::new(metadata)));
        }
    }

    /// Sends 200 with our session description; to an INVITE, until its ACK comes.
    fn send_answer(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        asked: &Asked,
        offered: Option<LocalDirection>,
    ) {
        let response = self.expiry.answer(now, asked.timer, self.ok(true));
        let response = response.sdp(self.media.description());
        cx.respond(now, asked.transaction, response);
        if asked.method != Method::Invite {
            return;
        }
        let Some((to, bytes)) = cx.transactions.again(&asked.transaction) else {
            return;
        };
        self.unacknowledged = Some(Unacknowledged {
            cseq: asked.cseq,
            to,
            bytes: bytes.to_vec(),
            next: now.plus_micros(cx.config.t1_micros),
            interval: cx.config.t1_micros,
            until: now.plus_micros(64 * cx.config.t1_micros),
            offered,
            is_first: self.phase == Phase::Offered,
        });
    }

    /// The caller answers the pending offer.
    pub(super) fn answer(
        &mut self,
        cx: &mut Context,
        now: Timestamp,
        address: IpAddr,
        answers: &[StreamAnswer],
        direction: LocalDirection,
    ) {
        let Some(pending) = self.pending.take() else {
            cx.count(Counted::LateCommand);
            return;
        };
        self.media.wanted = direction;
        let is_any_taken = self.media.answer(&pending.lines, address, answers);
        if pending.is_ours {
            self.media.is_our_offer();
        }
        let is_first = self.phase == Phase::Offered;
        if is_first && !is_any_taken {
            cx.count(Counted::Rejected);
            let response = Response::new(488).warning(399, "no stream is taken");
            cx.respond(
                now,
                pending.asked.transaction,
                response.tag(&self.dialog.local_tag),
            );
            self.over(cx, EndCause::ByUs);
            return;
        }
        let offered = pending.is_ours.then_some(direction);
        self.send_answer(cx, now, &pending.asked, offered);
        if is_first {
            cx.count(Counted::Answered);
            self.phase = Phase::Established;
        }
    }

    /// The caller refuses the pending offer.
    pub(super) fn reject(&mut self, cx: &mut Context, now: Timestamp, response: Response) {
        let Some(pending) = self.pending.take() else {
            cx.count(Counted::LateCommand);
            return;
        };
        cx.count(Counted::Rejected);
        cx.respond(
            now,
            pending.asked.transaction,
            response.tag(&self.dialog.local_tag),
        );
        if self.phase == Phase::Offered {
            self.over(cx, EndCause::ByUs);
        }
    }

    /// The caller did not answer in time.
    pub(super) fn unanswered(&mut self, cx: &mut Context, now: Timestamp) {
        if self.phase == Phase::Offered {
            self.end(cx, now, EndCause::Timeout, "no answer in time");
            return;
        }
        self.withdraw(
            cx,
            now,
            Response::new(500).warning(399, "no answer in time"),
        );
    }

    /// CANCEL of an INVITE that waits for the caller; the CANCEL itself is answered elsewhere.
    pub(crate) fn cancelled(&mut self, cx: &mut Context, now: Timestamp) {
        if self.phase != Phase::Offered {
            self.withdraw(cx, now, Response::new(487));
            return;
        }
        if let Some(pending) = self.pending.take() {
            let response = Response::new(487).tag(&self.dialog.local_tag);
            cx.respond(now, pending.asked.transaction, response);
        }
        self.over(cx, EndCause::ByRecordingClient);
    }

    fn withdraw(&mut self, cx: &mut Context, now: Timestamp, response: Response) {
        if let Some(pending) = self.pending.take() {
            cx.respond(
                now,
                pending.asked.transaction,
                response.tag(&self.dialog.local_tag),
            );
            cx.event(self.key, Event::OfferWithdrawn);
        }
    }

    /// ACK of a 200. Says whether it was waited for.
    pub(crate) fn ack(
        &mut self,
        cx: &mut Context,
        message: &Message<'_>,
        cseq: u32,
        from: Peer,
    ) -> bool {
        if self.unacknowledged.as_ref().is_none_or(|u| u.cseq != cseq) {
            return false;
        }
        self.dialog.peer = from;
        self.acknowledged(cx, Some((message, from)));
        true
    }

    fn acknowledged(&mut self, cx: &mut Context, ack: Option<(&Message<'_>, Peer)>) {
        let Some(unacknowledged) = self.unacknowledged.take() else {
            return;
        };
        if self.is_closing() {
            return;
        }
        if unacknowledged.is_first {
            cx.event(self.key, Event::Answered);
        }
        let answer = ack.and_then(|(message, from)| {
            sdp::read(&body::read(message).sdp?, cx.secrecy(from)).ok()
        });
        if let (Some(answer), Some(direction)) = (answer, unacknowledged.offered) {
            let count = self.media.len();
            let before = self.media.activities(count);
            self.media.answered(&answer.media, direction);
            if direction == LocalDirection::Inactive {
                // Whoever is asked for nothing sends nothing; that is no hold.
                self.media.as_willing_as(&before);
            }
            let streams = self.media.activities(count);
            if streams != before {
                cx.event(self.key, Event::DirectionChanged { streams });
            }
        }
    }

    /// RFC 3261 §13.3.1.4: the 200 is sent again until the ACK; without one, the session ends.
    pub(super) fn retransmit_answer(&mut self, cx: &mut Context, now: Timestamp) {
        let Some(unacknowledged) = &mut self.unacknowledged else {
            return;
        };
        if unacknowledged.until <= now {
            self.unacknowledged = None;
            self.end(cx, now, EndCause::NoAck, "no ACK");
            return;
        }
        if unacknowledged.next <= now {
            unacknowledged.interval = (unacknowledged.interval * 2).min(cx.config.t2_micros);
            unacknowledged.next = now.plus_micros(unacknowledged.interval);
            let (to, bytes) = (unacknowledged.to, unacknowledged.bytes.clone());
            cx.transmit(to, bytes);
        }
    }
}
