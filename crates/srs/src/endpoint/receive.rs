//! What to do with a message, in the order of RFC 3261 §8.2 and §17.2.

use super::Endpoint;
use crate::api::SessionKey;
use crate::body::{self, Bodies};
use crate::context::Response;
use crate::counters::Counted;
use crate::limits::{TRANSACTIONS_BASE, TRANSACTIONS_PER_SESSION};
use crate::peer::Peer;
use crate::quirk::{Quirk, Quirks};
use crate::sdp;
use crate::session::dialog::{Dialog, Ours};
use crate::session::{Invitation, Request, Session, sdp_refusal, session_of};
use crate::sip::grammar::Address;
use crate::sip::parse::NotSip;
use crate::sip::uri::Uri;
use crate::sip::via::Via;
use crate::sip::write::ReplyTo;
use crate::sip::{Defect, HeaderName, Message, Method, StartLine, parse};
use crate::transaction::TransactionKey;
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use voicelog_model::Timestamp;

/// Extensions that may stand in `Require`. Of `100rel` we need nothing: it binds whoever sends
/// provisional responses other than 100 (RFC 3262 §3), and we send none.
const EXTENSIONS: [&str; 2] = ["siprec", "100rel"];

/// When and by which way a message came.
#[derive(Clone, Copy)]
struct Arrival {
    now: Timestamp,
    from: Peer,
    local: SocketAddr,
}

impl Endpoint {
    pub(super) fn receive(&mut self, now: Timestamp, from: Peer, local: SocketAddr, bytes: &[u8]) {
        let arrival = Arrival { now, from, local };
        let parsed = match parse(bytes) {
            Ok(parsed) => parsed,
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
                session.response(cx, arrival.now, branch, status, message);
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
            Method::Options => Some(self.options(arrival)),
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
            Defect::Cut => (
                400,
                Counted::BadRequest,
                "the message is shorter than it says",
            ),
            Defect::ContentLength => (400, Counted::BadRequest, "Content-Length is not one number"),
            Defect::TooManyHeaders => (400, Counted::BadRequest, "too many headers"),
            Defect::HeaderLine => (400, Counted::BadRequest, "a header cannot be read"),
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
        if Uri::parse(uri).is_none() {
            let scheme = uri.split(':').next().unwrap_or_default();
            if ["sip", "sips"]
                .iter()
                .any(|known| scheme.eq_ignore_ascii_case(known))
            {
                self.cx.count(Counted::BadRequest);
                return Some(Response::new(400).warning(399, "the Request-URI cannot be read"));
            }
            self.cx.count(Counted::UnknownScheme);
            return Some(Response::new(416));
        }
        let required = request.message.headers.list(HeaderName::Require);
        let unknown: Vec<_> = required
            .iter()
            .filter(|tag| {
                !EXTENSIONS
                    .iter()
                    .any(|known| tag.eq_ignore_ascii_case(known))
            })
            .map(String::as_str)
            .collect();
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
    fn options(&mut self, _arrival: Arrival) -> Response {
        if let Some(refusal) = self.no_room() {
            return refusal;
        }
        Response::new(200)
            .header("Allow", Method::ALLOW)
            .header("Accept", body::ACCEPT)
            .header("Accept-Encoding", "identity")
            .header("Supported", "siprec")
    }

    fn no_room(&mut self) -> Option<Response> {
        if let Some(seconds) = self.refusing {
            self.cx.count(Counted::NotAccepting);
            return Some(Response::new(503).retry_after(seconds.into()));
        }
        (self.sessions.len() >= self.cx.config.sessions_max).then(|| self.full())
    }

    /// An INVITE that begins a call. An error is the refusal to send.
    fn invite(
        &mut self,
        arrival: Arrival,
        uri: &str,
        request: &Request<'_>,
    ) -> Result<(), Response> {
        let message = request.message;
        let merge_key = merge_key(message, request.cseq);
        if self.by_invite.contains_key(&merge_key) {
            // RFC 3261 §8.2.2.2: one recording of a call is enough.
            return Err(self.refuse(Counted::Merged, 482, 399, "this INVITE came by another way"));
        }
        if let Some(refusal) = self.no_room() {
            return Err(refusal);
        }
        let bodies = body::read(message);
        let mut quirks = self.admit(message, &bodies)?;
        quirks.extend(bodies.quirks.as_slice());
        let Some(offer) = bodies.sdp else {
            let text = "no SDP in the INVITE; this server does not make the offer";
            return Err(self.refuse(Counted::NoOffer, 488, 399, text));
        };
        let description = sdp::read(offer).map_err(|error| {
            let (status, counted, text) = sdp_refusal(error);
            self.refuse(counted, status, 399, text)
        })?;
        quirks.extend(description.quirks.as_slice());
        if !description.media.iter().any(|line| line.is_usable()) {
            // RFC 3261 §20.43: 305 is for formats that do not fit.
            let text = "no stream is G.711 over RTP/AVP";
            return Err(self.refuse(Counted::NoUsableStream, 488, 305, text));
        }
        let tag = self.cx.ids.token();
        let dialog = self.new_dialog(arrival, uri, request, tag.clone());
        let (dialog, request_user) = dialog
            .ok_or_else(|| self.refuse(Counted::BadRequest, 400, 399, "Contact cannot be read"))?;
        self.last_key += 1;
        let key = SessionKey(self.last_key);
        let invitation = Invitation {
            transaction: request.transaction,
            merge_key,
            dialog,
            request_user,
            lines: description.media,
            metadata: bodies.metadata,
            quirks,
            address: arrival.local.ip(),
        };
        let session = Session::invited(&mut self.cx, arrival.now, key, invitation);
        self.by_tag.insert(tag, key);
        self.by_invite.insert(merge_key, key);
        self.sessions.insert(key, session);
        self.with(arrival.now, key, |_, _| ());
        Ok(())
    }

    fn new_dialog(
        &self,
        arrival: Arrival,
        uri: &str,
        request: &Request<'_>,
        tag: String,
    ) -> Option<(Dialog, String)> {
        let asked = Uri::parse(uri)?;
        let ours = Ours {
            contact_host: self.cx.config.contact_host.as_deref(),
            product: &self.cx.config.product,
            local: arrival.local,
            asked: &asked,
        };
        let dialog = Dialog::new(request.message, request.cseq, arrival.from, tag, &ours)?;
        Some((dialog, asked.user()))
    }

    /// Whether the INVITE is one for a recording session (RFC 7866 §6.1.1), and what it lacks.
    fn admit(&mut self, message: &Message<'_>, bodies: &Bodies<'_>) -> Result<Quirks, Response> {
        if bodies.is_unsupported {
            self.cx.count(Counted::UnknownBody);
            let response = Response::new(415).header("Accept", body::ACCEPT);
            return Err(response.header("Accept-Encoding", "identity"));
        }
        let headers = &message.headers;
        let is_required = headers.has_token(HeaderName::Require, "siprec");
        let is_supported = headers.has_token(HeaderName::Supported, "siprec");
        let contacts = headers.list(HeaderName::Contact);
        let contact = contacts.first().map_or("", String::as_str);
        let has_tag = contact.to_ascii_lowercase().contains("+sip.src");
        // QUIRK BroadWorks: `src` without the prefix of RFC 3840 §9.
        let has_bare_tag = !has_tag && Address::parse(contact).param("src").is_some();
        let is_recording = is_required || has_tag || has_bare_tag || bodies.metadata.is_some();
        if !is_recording && !self.cx.config.accept_without_siprec {
            let text = "this server takes recording sessions (RFC 7866) only";
            return Err(self.refuse(Counted::NotRecording, 403, 399, text));
        }
        let mut quirks = Quirks::default();
        if !is_required && !is_supported {
            quirks.add(Quirk::OptionTagMissing);
        }
        match (has_tag, has_bare_tag) {
            (true, _) => {}
            (false, true) => quirks.add(Quirk::SourceTagBare),
            (false, false) => quirks.add(Quirk::SourceTagMissing),
        }
        Ok(quirks)
    }

    fn refuse(&mut self, counted: Counted, status: u16, code: u16, text: &str) -> Response {
        self.cx.count(counted);
        Response::new(status).warning(code, text)
    }
}

/// What two copies of one INVITE have in common, whichever way they came.
fn merge_key(message: &Message<'_>, cseq: u32) -> [u8; 32] {
    let mut hash = Sha256::new();
    let tag = message.tag(HeaderName::From).unwrap_or_default();
    hash.update(u64::try_from(tag.len()).unwrap_or(u64::MAX).to_be_bytes());
    hash.update(tag);
    hash.update(cseq.to_be_bytes());
    hash.update(message.call_id().unwrap_or_default());
    hash.finalize().into()
}
