//! An INVITE that begins a call: whether it can be taken, and the session that it makes.

use super::Endpoint;
use super::receive::Arrival;
use crate::api::SessionKey;
use crate::body::{self, Bodies};
use crate::context::Response;
use crate::counters::Counted;
use crate::metadata;
use crate::quirk::{Quirk, Quirks};
use crate::sdp::{self, MediaLine};
use crate::session::dialog::{Dialog, Ours};
use crate::session::{Invitation, Request, Session, TimerRequest, key_refusal, sdp_refusal};
use crate::sip::grammar::Address;
use crate::sip::uri::Called;
use crate::sip::{HeaderName, Message, options};
use sha2::{Digest, Sha256};

impl Endpoint {
    /// An INVITE that begins a call. An error is the refusal to send.
    pub(super) fn invite(
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
        let timer = TimerRequest::read(message);
        if let Some(refusal) = timer.refusal() {
            self.cx.count(Counted::TimerTooShort);
            return Err(refusal);
        }
        let replaces = self.replaced(message)?;
        let lines = match &bodies.sdp {
            Some(offer) => Some(self.offered_lines(arrival, offer, &mut quirks)?),
            None => None,
        };
        let tag = self.cx.ids.token();
        let dialog = self.new_dialog(arrival, uri, request, tag.clone(), &mut quirks);
        let (dialog, request_user) = dialog.ok_or_else(|| {
            self.refuse(
                Counted::BadRequest,
                400,
                399,
                "the Request-URI does not tell our address",
            )
        })?;
        self.last_key += 1;
        let key = SessionKey(self.last_key);
        let invitation = Invitation {
            transaction: request.transaction,
            timer,
            merge_key,
            message,
            replaces,
            dialog,
            request_user,
            lines,
            metadata: bodies.metadata.as_ref(),
            quirks,
            address: arrival.local.ip(),
        };
        let session = Session::invited(&mut self.cx, arrival.now, key, invitation);
        self.by_tag.insert(tag, key);
        self.by_invite.insert(merge_key, key);
        self.sessions.insert(key, Box::new(session));
        self.with(arrival.now, key, |_, _| ());
        Ok(())
    }

    /// The lines that a client offers, of which at least one can be recorded.
    fn offered_lines(
        &mut self,
        arrival: Arrival,
        offer: &[u8],
        quirks: &mut Quirks,
    ) -> Result<Vec<MediaLine>, Response> {
        let secrecy = self.cx.secrecy(arrival.from);
        let description = sdp::read(offer, secrecy).map_err(|error| {
            let (status, counted, text) = sdp_refusal(error);
            self.refuse(counted, status, 399, text)
        })?;
        quirks.extend(description.quirks.as_slice());
        if description.media.iter().any(MediaLine::is_usable) {
            return Ok(description.media);
        }
        if let Some(fault) = description.media.iter().find_map(|line| line.key_fault) {
            let (counted, text) = key_refusal(fault);
            return Err(self.refuse(counted, 488, 399, text));
        }
        // RFC 3261 §20.43: 305 is for formats that do not fit.
        let text = "no stream is audio over RTP/AVP or RTP/SAVP";
        Err(self.refuse(Counted::NoUsableStream, 488, 305, text))
    }

    fn new_dialog(
        &self,
        arrival: Arrival,
        uri: &str,
        request: &Request<'_>,
        tag: String,
        quirks: &mut Quirks,
    ) -> Option<(Dialog, String)> {
        let asked = Called::parse(uri)?;
        let ours = Ours {
            contact_host: self.cx.config.contact_host.as_deref(),
            product: &self.cx.config.product,
            local: arrival.local,
            asked: &asked,
        };
        let dialog = Dialog::new(request.message, request.cseq, arrival.from, tag, &ours)?;
        if asked.is_repaired {
            quirks.add(Quirk::RequestUriRepaired);
        }
        if !dialog.has_contact {
            quirks.add(Quirk::ContactUnusable);
        }
        Some((dialog, asked.user))
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
        // QUIRK Cisco: recording from the network shows by its participants alone.
        let has_participants =
            headers.first(HeaderName::RecordingParticipant).is_some() || metadata::is_side(message);
        let is_recording =
            is_required || has_tag || has_bare_tag || bodies.metadata.is_some() || has_participants;
        if !is_recording && !self.cx.config.accept_without_siprec {
            let text = "this server takes recording sessions (RFC 7866) only";
            return Err(self.refuse(Counted::NotRecording, 403, 399, text));
        }
        let mut quirks = Quirks::default();
        if options::are_joined(message) {
            quirks.add(Quirk::OptionTagsJoined);
        }
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
