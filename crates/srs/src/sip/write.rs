//! Writing responses and requests.

use super::grammar::without_empty_tag;
use super::message::{HeaderName, Message, Method, StartLine};
use super::via::Via;
use crate::limits::LIST_VALUES_MAX;
use crate::peer::Peer;

/// What a response copies from its request (RFC 3261 §8.2.6.2), and where it goes.
pub(crate) struct ReplyTo {
    pub(crate) peer: Peer,
    /// Via values, the topmost stamped.
    via: Vec<Vec<u8>>,
    from: Vec<u8>,
    to: Vec<u8>,
    to_is_tagged: bool,
    call_id: Vec<u8>,
    cseq: Vec<u8>,
    /// Copied to a response that makes a dialog (RFC 3261 §12.1.1).
    record_route: Vec<Vec<u8>>,
}

impl ReplyTo {
    /// `None` when a header is missing without which nobody can be answered.
    pub(crate) fn new(message: &Message<'_>, from: Peer) -> Option<(Self, Via)> {
        let headers = &message.headers;
        let top = headers.text(HeaderName::Via)?;
        let (first, others) = match super::grammar::find(&top, ',') {
            Some(comma) => (top.get(..comma)?, top.get(comma + 1..)),
            None => (top.as_ref(), None),
        };
        let via = Via::parse(first)?;
        let mut lines = vec![via.stamped(from.address).into_bytes()];
        lines.extend(others.map(|others| others.trim().as_bytes().to_vec()));
        lines.extend(
            headers
                .lines(HeaderName::Via)
                .skip(1)
                .take(LIST_VALUES_MAX)
                .map(<[u8]>::to_vec),
        );
        let makes_dialog = matches!(
            message.start,
            StartLine::Request {
                method: Method::Invite,
                ..
            }
        );
        let reply = Self {
            peer: via.response_peer(from),
            via: lines,
            from: headers.first(HeaderName::From)?.to_vec(),
            to: without_empty_tag(headers.first(HeaderName::To)?),
            to_is_tagged: message.tag(HeaderName::To).is_some(),
            call_id: message.call_id()?.to_vec(),
            cseq: headers.first(HeaderName::CSeq)?.to_vec(),
            record_route: headers
                .lines(HeaderName::RecordRoute)
                .take(if makes_dialog { LIST_VALUES_MAX } else { 0 })
                .map(<[u8]>::to_vec)
                .collect(),
        };
        Some((reply, via))
    }

    /// A response, for the caller to add headers and a body to.
    ///
    /// `tag` becomes the `To` tag where the request had none; 100 needs none.
    pub(crate) fn response(&self, status: u16, tag: Option<&str>) -> Writer {
        let mut writer = Writer(format!("SIP/2.0 {status} {}\r\n", phrase(status)).into_bytes());
        for via in &self.via {
            writer.header("Via", via);
        }
        if (101..300).contains(&status) {
            for route in &self.record_route {
                writer.header("Record-Route", route);
            }
        }
        writer.header("From", &self.from);
        match tag {
            Some(tag) if !self.to_is_tagged => {
                writer.header(
                    "To",
                    &[&self.to, b";tag=" as &[u8], tag.as_bytes()].concat(),
                );
            }
            _ => writer.header("To", &self.to),
        }
        writer.header("Call-ID", &self.call_id);
        writer.header("CSeq", &self.cseq);
        writer
    }
}

/// A message being written.
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn request(method: &Method, uri: &str) -> Self {
        Self(format!("{} {uri} SIP/2.0\r\n", method.as_str()).into_bytes())
    }

    pub(crate) fn header(&mut self, name: &str, value: &[u8]) {
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b": ");
        self.0.extend_from_slice(value);
        self.0.extend_from_slice(b"\r\n");
    }

    pub(crate) fn text(&mut self, name: &str, value: &str) {
        self.header(name, value.as_bytes());
    }

    /// Ends the message, with or without a body.
    pub(crate) fn finish(mut self, body: Option<(&str, &[u8])>) -> Vec<u8> {
        if let Some((media_type, _)) = body {
            self.text("Content-Type", media_type);
        }
        let bytes = body.map_or(&[][..], |(_, bytes)| bytes);
        self.text("Content-Length", &bytes.len().to_string());
        self.0.extend_from_slice(b"\r\n");
        self.0.extend_from_slice(bytes);
        self.0
    }
}

/// The reason phrase of the statuses that we send (RFC 3261 §21).
const fn phrase(status: u16) -> &'static str {
    match status {
        100 => "Trying",
        183 => "Session Progress",
        200 => "OK",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Request Entity Too Large",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        420 => "Bad Extension",
        422 => "Session Interval Too Small",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        491 => "Request Pending",
        500 => "Server Internal Error",
        503 => "Service Unavailable",
        505 => "Version Not Supported",
        603 => "Decline",
        _ => "Refused",
    }
}
