//! A SIP message as read: start line, headers in order, body as the exact bytes.

use super::{grammar, options};
use crate::limits::LIST_VALUES_MAX;
use crate::quirk::Quirks;
use std::borrow::Cow;

/// A request method. Methods are case-sensitive (RFC 3261 §7.1).
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Method {
    Invite,
    Ack,
    Bye,
    Cancel,
    Options,
    Update,
    Prack,
    Other(String),
}

impl Method {
    /// What `Allow` says.
    pub(crate) const ALLOW: &'static str = "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, PRACK";

    pub(crate) fn from_token(token: &str) -> Self {
        match token {
            "INVITE" => Self::Invite,
            "ACK" => Self::Ack,
            "BYE" => Self::Bye,
            "CANCEL" => Self::Cancel,
            "OPTIONS" => Self::Options,
            "UPDATE" => Self::Update,
            "PRACK" => Self::Prack,
            other => Self::Other(other.to_owned()),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Invite => "INVITE",
            Self::Ack => "ACK",
            Self::Bye => "BYE",
            Self::Cancel => "CANCEL",
            Self::Options => "OPTIONS",
            Self::Update => "UPDATE",
            Self::Prack => "PRACK",
            Self::Other(token) => token,
        }
    }
}

/// The first line.
pub(crate) enum StartLine {
    Request { method: Method, uri: String },
    Response { status: u16 },
}

/// The header names that we act on; everything else is carried by and ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeaderName {
    Via,
    From,
    To,
    CallId,
    CSeq,
    Contact,
    RecordRoute,
    ContentLength,
    ContentType,
    ContentEncoding,
    ContentTransferEncoding,
    Require,
    Supported,
    Allow,
    SessionExpires,
    MinSe,
    RAck,
    Replaces,
    /// RFC 7989.
    SessionId,
    /// RFC 5806.
    Diversion,
    /// RFC 7044.
    HistoryInfo,
    /// `X-Cisco-Recording-Participant`.
    RecordingParticipant,
    Other,
}

impl HeaderName {
    /// Full names in any case, and the compact forms of RFC 3261 §7.3.3.
    pub(crate) fn from_bytes(name: &[u8]) -> Self {
        const NAMES: [(&[u8], HeaderName); 31] = [
            (b"via", HeaderName::Via),
            (b"v", HeaderName::Via),
            (b"from", HeaderName::From),
            (b"f", HeaderName::From),
            (b"to", HeaderName::To),
            (b"t", HeaderName::To),
            (b"call-id", HeaderName::CallId),
            (b"i", HeaderName::CallId),
            (b"cseq", HeaderName::CSeq),
            (b"contact", HeaderName::Contact),
            (b"m", HeaderName::Contact),
            (b"record-route", HeaderName::RecordRoute),
            (b"content-length", HeaderName::ContentLength),
            (b"l", HeaderName::ContentLength),
            (b"content-type", HeaderName::ContentType),
            (b"c", HeaderName::ContentType),
            (b"content-encoding", HeaderName::ContentEncoding),
            (b"e", HeaderName::ContentEncoding),
            (b"require", HeaderName::Require),
            (b"supported", HeaderName::Supported),
            (b"k", HeaderName::Supported),
            (b"allow", HeaderName::Allow),
            (b"session-expires", HeaderName::SessionExpires),
            (b"x", HeaderName::SessionExpires),
            (b"min-se", HeaderName::MinSe),
            (b"rack", HeaderName::RAck),
            (b"replaces", HeaderName::Replaces),
            (b"session-id", HeaderName::SessionId),
            (b"diversion", HeaderName::Diversion),
            (b"history-info", HeaderName::HistoryInfo),
            (
                b"x-cisco-recording-participant",
                HeaderName::RecordingParticipant,
            ),
        ];
        if name.eq_ignore_ascii_case(b"content-transfer-encoding") {
            return Self::ContentTransferEncoding;
        }
        NAMES
            .iter()
            .find(|(known, _)| name.eq_ignore_ascii_case(known))
            .map_or(Self::Other, |(_, header)| *header)
    }
}

/// One header line, unfolded.
pub(crate) struct Header<'a> {
    pub(crate) name: HeaderName,
    pub(crate) value: Cow<'a, [u8]>,
}

/// Headers in the order received.
#[derive(Default)]
pub(crate) struct Headers<'a>(pub(crate) Vec<Header<'a>>);

impl Headers<'_> {
    /// The values of one header, line by line, as received.
    pub(crate) fn lines(&self, name: HeaderName) -> impl Iterator<Item = &[u8]> {
        self.0
            .iter()
            .filter(move |header| header.name == name)
            .map(|header| header.value.as_ref())
    }

    /// The first line of a header.
    pub(crate) fn first(&self, name: HeaderName) -> Option<&[u8]> {
        self.lines(name).next()
    }

    /// The first line of a header as text; bytes that are not UTF-8 are replaced.
    pub(crate) fn text(&self, name: HeaderName) -> Option<Cow<'_, str>> {
        self.first(name).map(String::from_utf8_lossy)
    }

    /// All values of a header whose grammar is a comma-separated list, at most
    /// [`LIST_VALUES_MAX`].
    pub(crate) fn list(&self, name: HeaderName) -> Vec<String> {
        let mut values = Vec::new();
        for line in self.lines(name) {
            let text = String::from_utf8_lossy(line);
            for value in grammar::split(&text, ',') {
                let value = value.trim();
                if !value.is_empty() && values.len() < LIST_VALUES_MAX {
                    values.push(value.to_owned());
                }
            }
        }
        values
    }

    /// Whether a list of tokens (`Require`, `Supported`, `Allow`) holds this one, be it joined to
    /// another.
    pub(crate) fn has_token(&self, name: HeaderName, token: &str) -> bool {
        self.list(name).iter().any(|value| {
            value.eq_ignore_ascii_case(token)
                || options::joined(value)
                    .is_some_and(|tags| tags.iter().any(|tag| tag.eq_ignore_ascii_case(token)))
        })
    }
}

/// A message. `Debug` is not implemented: its headers are personal data.
pub(crate) struct Message<'a> {
    pub(crate) start: StartLine,
    pub(crate) headers: Headers<'a>,
    pub(crate) body: &'a [u8],
    /// What had to be mended to read it.
    pub(crate) quirks: Quirks,
}

impl Message<'_> {
    /// `CSeq` as number and method (RFC 3261 §8.1.1.5).
    pub(crate) fn cseq(&self) -> Option<(u32, Method)> {
        let text = self.headers.text(HeaderName::CSeq)?;
        let (number, method) = text.trim().split_once([' ', '\t'])?;
        let number: u32 = number.parse().ok()?;
        Some((number, Method::from_token(method.trim())))
    }

    /// The `tag` parameter of `From` or `To`; an empty one is none.
    pub(crate) fn tag(&self, name: HeaderName) -> Option<String> {
        let text = self.headers.text(name)?;
        grammar::Address::parse(&text)
            .param("tag")
            .flatten()
            .filter(|tag| !tag.is_empty())
            .map(str::to_owned)
    }

    /// `Call-ID`, as bytes: it is compared and echoed, never read.
    pub(crate) fn call_id(&self) -> Option<&[u8]> {
        self.headers
            .first(HeaderName::CallId)
            .filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_and_full_names_in_any_case_are_the_same_header() {
        for (name, header) in [
            ("v", HeaderName::Via),
            ("VIA", HeaderName::Via),
            ("i", HeaderName::CallId),
            ("call-id", HeaderName::CallId),
            ("L", HeaderName::ContentLength),
            ("K", HeaderName::Supported),
            ("m", HeaderName::Contact),
            ("X", HeaderName::SessionExpires),
            ("x-anything", HeaderName::Other),
        ] {
            assert_eq!(HeaderName::from_bytes(name.as_bytes()), header, "{name}");
        }
    }
}
