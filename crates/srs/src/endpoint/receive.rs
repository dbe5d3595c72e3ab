//! What to do with a message, in the order of RFC 3261 §8.2 and §17.2.

use super::Endpoint;
use crate::api::SessionKey;
use crate::body;
use crate::context::Response;
use crate::counters::Counted;
use crate::limits::{TRANSACTIONS_BASE, TRANSACTIONS_PER_SESSION};
use crate::peer::Peer;
use crate::quirk::Quirk;
use crate::session::{Request, session_of};
use crate::sip::options::{self, SUPPORTED};
use crate::sip::parse::{NotSip, Parsed};
use crate::sip::uri::Called;
use crate::sip::via::Via;
use crate::sip::write::ReplyTo;
use crate::sip::{Defect, HeaderName, Message, Method, StartLine, parse};
use crate::transaction::TransactionKey;
use std::net::SocketAddr;
use voicelog_model::Timestamp;

/// When and by which way a message came.
#[derive(Clone, Copy)]
pub(super) struct Arrival {
    pub(super) now: Timestamp,
    pub(super) from: Peer,
    pub(super) local: SocketAddr,
}

impl Endpoint {
    pub(super) fn receive(&mut self, now: Timestamp, from: Peer, local: SocketAddr, bytes: &[u8]) {
        let arrival = Arrival { now, from, local };
        let parsed = match parse(bytes) {
            Ok(parsed) => forgiven(parsed),
            Err(NotSip::KeepAlive) => return self.cx.count(Counted::KeepAlive),
            Err(NotSip::Garbage) => return self.cx.count(Counted::NotSip),
        };
        match &parsed.message.start {
            StartLine::Response { status } => {
                self.cx.count(Counted::Responses);
                self.response(arrival, *status, &parsed.message, parsed.defect);
            }
            StartLine::Request { method, uri } => {
                self.cx.count(Counted::Requests);
                self.request(arrival, method, uri, &parsed.message, parsed.defect);
            }
        }
    }

    fn response(
        &mut self,
        arrival: Arrival,
        status: u16,
        message: &Message<'_>,
        defect: Option<Defect>,
    ) {
        let vias = message.headers.list(HeaderName::Via);
        let via = vias.first().and_then(|via| Via::parse(via));
        let branch = via.as_ref().and_then(Via::branch);
        // RFC 3261 §18.1.2: a response with more than our own Via is not for us.
        let ours = branch.filter(|_| vias.len() == 1 && defect.is_none());
        let session = ours.and_then(session_of);
        let known = session.zip(ours).and_then(|(key, branch)| {
            self.with(arrival.now, key, |session, cx| {
                session.response(cx, arrival.now, arrival.from, branch, status, message);
            })
        });
        if known.is_none() {
            self.cx.count(Counted::StrayResponse);
        }
    }

    fn request(
        &mut self,
        arrival: Arrival,
        method: &Method,
        uri: &str,
        message: &Message<'_>,
        defect: Option<Defect>,
    ) {
        let Some((reply, via)) = ReplyTo::new(message, arrival.from) else {
            return self.cx.count(Counted::Unanswerable);
        };
        let cseq = message.cseq().filter(|(_, named)| named == method);
        let (cseq, defect) = match (cseq, defect) {
            (Some((cseq, _)), None) => (cseq, None),
            (cseq, defect) => (
                cseq.map_or(0, |(cseq, _)| cseq),
                Some(defect.unwrap_or(Defect::HeaderLine)),
            ),
        };
        if let Some(defect) = defect {
            // An ACK is never answered (RFC 3261 §17).
            if *method == Method::Ack {
                return self.cx.count(Counted::Unanswerable);
            }
            let response = self.defective(defect);
            return self.cx.respond_once(&reply, response);
        }
        if *method == Method::Ack {
            return self.ack(arrival, message, &via, cseq);
        }
        let key = TransactionKey::new(message, &via, cseq, method);
        if let Some((to, last)) = self.cx.transactions.again(&key) {
            if !last.is_empty() {
                let bytes = last.to_vec();
                self.cx.transmit(to, bytes);
            }
            return self.cx.count(Counted::Retransmitted);
        }
        let most = self
            .cx
            .config
            .sessions_max
            .saturating_mul(TRANSACTIONS_PER_SESSION);
        if self.cx.transactions.len() >= most.saturating_add(TRANSACTIONS_BASE) {
            let response = self.full();
            return self.cx.respond_once(&reply, response);
        }
        self.cx.transactions.open(key, reply, method);
        let request = Request {
            message,
            method: method.clone(),
            cseq,
            from: arrival.from,
            transaction: key,
        };
        if let Some(response) = self.dispatch(arrival, uri, &via, &request) {
            self.cx.respond(arrival.now, key, response);
        }
    }

    /// Gives a request to whom it concerns; a response that comes back is sent.
    fn dispatch(
        &mut self,
        arrival: Arrival,
        uri: &str,
        via: &Via,
        request: &Request<'_>,
    ) -> Option<Response> {
        if request.method == Method::Cancel {
            return Some(self.cancel(arrival, via, request));
        }
        if let Some(refusal) = self.unacceptable(uri, request) {
            return Some(refusal);
        }
        if let Some(tag) = request.message.tag(HeaderName::To) {
            let Some(key) = self.dialog(&tag, request.message) else {
                self.cx.count(Counted::NoSuchCall);
                return Some(Response::new(481));
            };
            self.with(arrival.now, key, |session, cx| {
                session.request(cx, arrival.now, request)
            });
            return None;
        }
        match request.method {
            Method::Options => Some(self.options(uri)),
            Method::Invite => self.invite(arrival, uri, request).err(),
            _ => {
                self.cx.count(Counted::NoSuchCall);
                Some(Response::new(481))
            }
        }
    }

    fn defective(&mut self, defect: Defect) -> Response {
        let (status, counted, text) = match defect {
            Defect::TooLarge => (413, Counted::TooLarge, "the message is too large"),
            Defect::Version => (505, Counted::UnknownVersion, "only SIP/2.0 is spoken here"),
            Defect::Cut | Defect::BodyCut => (
                400,
                Counted::BadRequest,
                "the message is shorter than it says",
            ),
            Defect::ContentLength => (400, Counted::BadRequest, "Content-Length is not one number"),
            Defect::TooManyHeaders => (400, Counted::BadRequest, "too many headers"),
            Defect::HeaderLine => (400, Counted::BadRequest, "a header cannot be read"),
            Defect::Contradiction => (
                400,
                Counted::BadRequest,
                "a header is there twice and says two things",
            ),
        };
        self.cx.count(counted);
        Response::new(status).warning(399, text)
    }

    fn full(&mut self) -> Response {
        self.cx.count(Counted::Full);
        Response::new(503).retry_after(self.cx.config.retry_after_seconds.into())
    }

    /// Method, URI scheme and extensions (RFC 3261 §8.2.1 to §8.2.2).
    fn unacceptable(&mut self, uri: &str, request: &Request<'_>) -> Option<Response> {
        if matches!(request.method, Method::Other(_)) {
            self.cx.count(Counted::UnknownMethod);
            return Some(Response::new(405).header("Allow", Method::ALLOW));
        }
        // Within a dialog the tags say who is meant: no call must outlive a BYE with an odd URI.
        let names_us = request.message.tag(HeaderName::To).is_none();
        if names_us && Called::parse(uri).is_none() {
            if has_other_scheme(uri) {
                self.cx.count(Counted::UnknownScheme);
                return Some(Response::new(416));
            }
            let text = "the Request-URI cannot be read";
            return Some(self.refuse(Counted::BadRequest, 400, 399, text));
        }
        let unknown = options::unknown(request.message);
        if unknown.is_empty() {
            return None;
        }
        self.cx.count(Counted::UnknownExtension);
        Some(Response::new(420).header("Unsupported", unknown.join(", ")))
    }

    /// The session of a request with this tag of ours.
    fn dialog(&self, tag: &str, message: &Message<'_>) -> Option<SessionKey> {
        let key = *self.by_tag.get(tag)?;
        let session = self.sessions.get(&key)?;
        session.dialog.matches(message).then_some(key)
    }

    fn ack(&mut self, arrival: Arrival, message: &Message<'_>, via: &Via, cseq: u32) {
        let tag = message.tag(HeaderName::To);
        let session = tag.and_then(|tag| self.dialog(&tag, message));
        let is_taken = session.and_then(|key| {
            self.with(arrival.now, key, |session, cx| {
                session.ack(cx, message, cseq, arrival.from)
            })
        });
        if is_taken == Some(true) {
            return;
        }
        let key = TransactionKey::new(message, via, cseq, &Method::Invite);
        let cx = &mut self.cx;
        let is_known = cx
            .transactions
            .acknowledged(arrival.now, &key, &cx.config, &mut cx.timers);
        if !is_known {
            self.cx.count(Counted::StrayAck);
        }
    }

    /// RFC 3261 §9.2: the CANCEL is answered for itself; the INVITE gets 487 if it still waits.
    fn cancel(&mut self, arrival: Arrival, via: &Via, request: &Request<'_>) -> Response {
        let invite = TransactionKey::new(request.message, via, request.cseq, &Method::Invite);
        if self.cx.transactions.again(&invite).is_none() {
            self.cx.count(Counted::NoSuchCall);
            return Response::new(481);
        }
        if let Some(key) = self.cx.transactions.waiting_session(&invite) {
            self.with(arrival.now, key, |session, cx| {
                session.cancelled(cx, arrival.now)
            });
        }
        Response::new(200)
    }

    /// An OPTIONS outside a call: clients ask this way whether we can record.
    fn options(&mut self, uri: &str) -> Response {
        if let Some(refusal) = self.no_room() {
            return refusal;
        }
        if !self.is_ready(uri) {
            let text = "no call to this address would be recorded";
            let response = self.refuse(Counted::NotReady, 503, 399, text);
            return response.retry_after(self.cx.config.retry_after_seconds.into());
        }
        Response::new(200)
            .header("Allow", Method::ALLOW)
            .header("Accept", body::ACCEPT)
            .header("Accept-Encoding", "identity")
            .header("Supported", SUPPORTED)
    }

    /// Whether a call to this address could be recorded. One without a user asks for the server
    /// itself: then one line that could is enough.
    fn is_ready(&self, uri: &str) -> bool {
        let Some(ready) = &self.ready else {
            return true;
        };
        let user = Called::parse(uri).map(|called| called.user.to_ascii_lowercase());
        match user.as_deref() {
            None | Some("") => ready.others || ready.users.values().any(|is_ready| *is_ready),
            Some(user) => ready.users.get(user).copied().unwrap_or(ready.others),
        }
    }

    pub(super) fn no_room(&mut self) -> Option<Response> {
        if let Some(seconds) = self.refusing {
            self.cx.count(Counted::NotAccepting);
            return Some(Response::new(503).retry_after(seconds.into()));
        }
        (self.sessions.len() >= self.cx.config.sessions_max).then(|| self.full())
    }

    pub(super) fn refuse(
        &mut self,
        counted: Counted,
        status: u16,
        code: u16,
        text: &str,
    ) -> Response {
        self.cx.count(counted);
        Response::new(status).warning(code, text)
    }
}

/// A message whose length is miscounted is taken with the body that is there, if that is whole.
fn forgiven(mut parsed: Parsed<'_>) -> Parsed<'_> {
    if parsed.defect == Some(Defect::BodyCut) && body::is_whole(&parsed.message) {
        parsed.defect = None;
        parsed.message.quirks.add(Quirk::LengthTooLarge);
    }
    parsed
}

/// Whether it is a URI of another scheme than ours (RFC 3986 §3.1).
fn has_other_scheme(uri: &str) -> bool {
    let Some((scheme, _)) = uri.split_once(':') else {
        return false;
    };
    let is_known = ["sip", "sips", "tel"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known));
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    is_scheme && !is_known
}
