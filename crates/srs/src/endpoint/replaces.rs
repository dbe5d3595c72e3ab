//! `Replaces` (RFC 3891): an INVITE that takes the place of a session.

use super::Endpoint;
use crate::api::SessionKey;
use crate::context::Response;
use crate::counters::Counted;
use crate::session::Standing;
use crate::sip::grammar::params;
use crate::sip::{HeaderName, Message};

/// The dialog that a `Replaces` header names, with its tags as we see them.
struct Named<'a> {
    call_id: &'a str,
    /// `to-tag`: the tag of whoever gets the INVITE.
    local_tag: &'a str,
    remote_tag: &'a str,
    is_early_only: bool,
}

impl<'a> Named<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (call_id, rest) = text.split_once(';')?;
        let value = |name: &str| {
            params(rest)
                .find(|(found, _)| found.eq_ignore_ascii_case(name))
                .and_then(|(_, value)| value)
        };
        Some(Self {
            call_id: call_id.trim(),
            local_tag: value("to-tag")?,
            remote_tag: value("from-tag")?,
            is_early_only: params(rest).any(|(name, _)| name.eq_ignore_ascii_case("early-only")),
        })
    }
}

impl Endpoint {
    /// The session that an INVITE wants to replace, if it names one. An error is the refusal to
    /// send (RFC 3891 §3).
    pub(super) fn replaced(
        &mut self,
        message: &Message<'_>,
    ) -> Result<Option<SessionKey>, Response> {
        let mut lines = message.headers.lines(HeaderName::Replaces);
        let Some(line) = lines.next() else {
            return Ok(None);
        };
        let text = String::from_utf8_lossy(line);
        let named = Named::parse(&text).filter(|_| lines.next().is_none());
        let Some(named) = named else {
            let text = "Replaces is not one dialog with both tags";
            return Err(self.refuse(Counted::BadRequest, 400, 399, text));
        };
        let key = self.by_tag.get(named.local_tag).copied();
        let session = key.and_then(|key| self.sessions.get(&key));
        let known =
            session.filter(|session| session.dialog.is_named(named.call_id, named.remote_tag));
        // Every dialog of ours was begun by the client, and such a one cannot be replaced early.
        let (counted, status, text) = match known.map(|session| (session.key, session.standing())) {
            Some((_, Standing::Stands)) if named.is_early_only => {
                (Counted::AlreadyAnswered, 486, "the session is answered")
            }
            Some((key, Standing::Stands)) => return Ok(Some(key)),
            Some((_, Standing::Ending)) => (Counted::NoSuchCall, 603, "the session is over"),
            Some((_, Standing::Offered)) | None => (
                Counted::NoSuchCall,
                481,
                "there is no such session to replace",
            ),
        };
        Err(self.refuse(counted, status, 399, text))
    }
}
