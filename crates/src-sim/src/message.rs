//! SIP messages as this client reads and writes them (RFC 3261 §7). Lenient in reading: the point
//! is to place a call, not to judge the server's spelling.
//!
//! **Invariant:** shares no code with the server's parser; the load and the thing loaded must not
//! have the same mistake.

use crate::dialect::BodyStyle;
use std::fmt::Write as _;
use voicelog_model::limits;

/// The first line of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Start {
    /// A request and its request URI.
    Request { method: String, uri: String },
    /// A response and its reason phrase.
    Response { status: u16, reason: String },
}

/// One SIP message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) start: Start,
    /// Names in lower case and in their long form, values without the white space around them.
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// Reads one message from a datagram or from a framed piece of a connection.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let bytes = skip_blank(bytes);
        let (head, body_start) = split_head(bytes)?;
        let mut lines = unfolded(head).into_iter();
        let start = read_start(&lines.next()?)?;
        let headers: Vec<_> = lines.filter_map(|line| read_header(&line)).collect();
        let rest = bytes.get(body_start..)?;
        let length = content_length(&headers).unwrap_or(rest.len());
        let body = rest.get(..length).unwrap_or(rest).to_vec();
        Some(Self {
            start,
            headers,
            body,
        })
    }

    /// The first value of a header; `name` in lower case and long form.
    pub(crate) fn header(&self, name: &'static str) -> Option<&str> {
        self.headers(name).next()
    }

    /// All values of a header in the order sent, one for each header line.
    pub(crate) fn headers(&self, name: &'static str) -> impl Iterator<Item = &str> {
        let same = move |(found, _): &&(String, String)| found == name;
        self.headers.iter().filter(same).map(|(_, v)| v.as_str())
    }

    /// Number and method of `CSeq`.
    pub(crate) fn cseq(&self) -> Option<(u32, &str)> {
        let (number, method) = self.header("cseq")?.split_once(char::is_whitespace)?;
        Some((number.parse().ok()?, method.trim()))
    }

    /// The body if it has this media type, also when it is one part of a multipart body. A body
    /// without a type counts as SDP.
    pub(crate) fn body_of_type(&self, wanted: &str) -> Option<Vec<u8>> {
        if self.body.is_empty() {
            return None;
        }
        let content_type = self.header("content-type").unwrap_or("application/sdp");
        let (kind, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
        let kind = kind.trim();
        if kind.eq_ignore_ascii_case(wanted) {
            return Some(self.body.clone());
        }
        if !kind.to_ascii_lowercase().starts_with("multipart/") {
            return None;
        }
        let boundary = parameter(parameters, "boundary")?;
        part_of_type(&self.body, &boundary, wanted)
    }
}

/// The value of a `;`-separated parameter without its quotes.
pub(crate) fn parameter(parameters: &str, name: &str) -> Option<String> {
    parameters.split(';').find_map(|parameter| {
        let (found, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"');
        (found.trim().eq_ignore_ascii_case(name)).then(|| value.to_owned())
    })
}

/// The URI of a `Contact`, `Route` or `To` value: what is between `<` and `>`, or all before `;`.
pub(crate) fn uri_of(value: &str) -> &str {
    let inner = value
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    match inner {
        Some((uri, _)) => uri,
        None => value.split_once(';').map_or(value, |(uri, _)| uri).trim(),
    }
}

/// Bytes of the first whole message in a connection's buffer (RFC 3261 §18.3).
///
/// `None`: it has not all come yet. `Some(Err)`: the buffer can never become a message.
pub(crate) fn framed(buffer: &[u8]) -> Option<Result<usize, &'static str>> {
    let blank = buffer.len() - skip_blank(buffer).len();
    let rest = buffer.get(blank..)?;
    let Some((head, body_start)) = split_head(rest) else {
        let full = rest.len() > limits::SIP_MESSAGE_BYTES_MAX;
        return full.then_some(Err("no end of the header within the limit"));
    };
    let headers: Vec<_> = unfolded(head)
        .iter()
        .filter_map(|line| read_header(line))
        .collect();
    let Some(length) = content_length(&headers) else {
        return Some(Err("no Content-Length on a connection"));
    };
    if length > limits::SIP_MESSAGE_BYTES_MAX {
        return Some(Err("Content-Length is over the limit"));
    }
    let end = blank + body_start + length;
    (buffer.len() >= end).then_some(Ok(end))
}

/// Writes a message: start line, headers, then `Content-Length` and the body.
pub(crate) fn write(start: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text = String::with_capacity(512 + body.len());
    let mut line = |name: &str, value: &str| {
        text.push_str(name);
        text.push_str(value);
        text.push_str("\r\n");
    };
    line(start, "");
    for (name, value) in headers {
        line(&format!("{name}: "), value);
    }
    line("Content-Length: ", &body.len().to_string());
    text.push_str("\r\n");
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// A multipart/mixed body of SDP and rs-metadata (RFC 7866 §9.1).
pub(crate) fn sdp_and_metadata(
    style: &BodyStyle,
    boundary: &str,
    sdp: &str,
    metadata: &str,
) -> Vec<u8> {
    let mut body = String::with_capacity(sdp.len() + metadata.len() + 400);
    body.push_str(style.preamble);
    let mut parts = [
        format!("{}\r\n{sdp}\r\n", style.sdp_headers),
        style.third_part.to_owned(),
        format!("{}\r\n{metadata}\r\n", style.metadata_headers),
    ];
    if style.metadata_first {
        parts.reverse();
    }
    for part in parts.iter().filter(|part| !part.is_empty()) {
        let written = write!(body, "--{boundary}\r\n{part}");
        debug_assert!(written.is_ok(), "writing to a string cannot fail");
    }
    if style.closes {
        let written = write!(body, "--{boundary}--\r\n");
        debug_assert!(written.is_ok(), "writing to a string cannot fail");
    }
    body.into_bytes()
}

fn skip_blank(bytes: &[u8]) -> &[u8] {
    let blank = bytes
        .iter()
        .take_while(|b| matches!(b, b'\r' | b'\n'))
        .count();
    bytes.get(blank..).unwrap_or_default()
}

/// The header part as text and where the body starts.
fn split_head(bytes: &[u8]) -> Option<(&str, usize)> {
    let end = find(bytes, b"\r\n\r\n").map(|at| (at, 4));
    let (end, gap) = end.or_else(|| find(bytes, b"\n\n").map(|at| (at, 2)))?;
    let head = std::str::from_utf8(bytes.get(..end)?).ok()?;
    Some((head, end + gap))
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

/// Lines with continuation lines joined to the one before (RFC 3261 §7.3.1).
fn unfolded(head: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in head.lines().take(limits::SIP_HEADERS_MAX) {
        match lines.last_mut() {
            Some(last) if line.starts_with([' ', '\t']) => {
                last.push(' ');
                last.push_str(line.trim());
            }
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

fn read_start(line: &str) -> Option<Start> {
    if let Some(rest) = line.strip_prefix("SIP/2.0 ") {
        let (status, reason) = rest.split_once(' ').unwrap_or((rest, ""));
        let status = status.parse().ok()?;
        let reason = reason.trim().to_owned();
        return (100..700)
            .contains(&status)
            .then_some(Start::Response { status, reason });
    }
    let mut words = line.split(' ');
    let (method, uri, version) = (words.next()?, words.next()?, words.next()?);
    (version == "SIP/2.0").then(|| Start::Request {
        method: method.to_owned(),
        uri: uri.to_owned(),
    })
}

fn read_header(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    let name = name.trim().to_ascii_lowercase();
    // Compact forms (RFC 3261 §7.3.3 and the RFCs of each header).
    let long = match name.as_str() {
        "v" => "via",
        "f" => "from",
        "t" => "to",
        "i" => "call-id",
        "m" => "contact",
        "l" => "content-length",
        "c" => "content-type",
        "k" => "supported",
        other => other,
    };
    Some((long.to_owned(), value.trim().to_owned()))
}

fn content_length(headers: &[(String, String)]) -> Option<usize> {
    let (_, value) = headers.iter().find(|(name, _)| name == "content-length")?;
    value.parse().ok()
}

/// The content of the first part with this media type (RFC 2046 §5.1).
fn part_of_type(body: &[u8], boundary: &str, wanted: &str) -> Option<Vec<u8>> {
    let delimiter = format!("--{boundary}").into_bytes();
    let mut rest = body.get(find(body, &delimiter)? + delimiter.len()..)?;
    for _ in 0..limits::MULTIPART_PARTS_MAX {
        if rest.starts_with(b"--") {
            return None;
        }
        let end = find(rest, &delimiter).unwrap_or(rest.len());
        let part = rest.get(..end)?;
        if let Some((head, start)) = split_head(skip_blank(part)) {
            let headers: Vec<_> = head.lines().filter_map(read_header).collect();
            let kind = headers.iter().find(|(name, _)| name == "content-type");
            let same = kind.is_some_and(|(_, value)| {
                let kind = value.split(';').next().unwrap_or_default().trim();
                kind.eq_ignore_ascii_case(wanted)
            });
            if same {
                return Some(skip_blank(part).get(start..)?.to_vec());
            }
        }
        rest = rest.get(end + delimiter.len()..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OK: &[u8] =
        b"SIP/2.0 200 OK\r\nv: SIP/2.0/UDP a;branch=z9hG4bK1\r\nTo: <sip:b@c>;tag=x\r\n\
        CSeq:  7   INVITE\r\nSubject: one\r\n two\r\nl: 4\r\n\r\nbodyEXTRA";

    #[test]
    fn a_response_is_read_with_compact_and_folded_headers() {
        let message = Message::read(OK).unwrap();
        let start = Start::Response {
            status: 200,
            reason: "OK".to_owned(),
        };
        assert_eq!(message.start, start);
        assert_eq!(message.cseq(), Some((7, "INVITE")));
        assert_eq!(message.header("via"), Some("SIP/2.0/UDP a;branch=z9hG4bK1"));
        assert_eq!(message.header("subject"), Some("one two"));
        assert_eq!(message.body, b"body");
    }

    #[test]
    fn what_is_written_can_be_read() {
        let bytes = write("BYE sip:a@b SIP/2.0", &[("CSeq", "2 BYE")], b"x");
        let message = Message::read(&bytes).unwrap();
        assert!(matches!(message.start, Start::Request { ref method, .. } if method == "BYE"));
        assert_eq!(message.body, b"x");
        assert_eq!(framed(&bytes), Some(Ok(bytes.len())));
    }

    #[test]
    fn a_connection_gives_whole_messages_only() {
        let mut stream = b"\r\n\r\n".to_vec();
        stream.extend_from_slice(&OK[..OK.len() - 5]);
        for end in 0..stream.len() {
            assert_eq!(framed(&stream[..end]), None, "at {end}");
        }
        assert_eq!(framed(&stream), Some(Ok(stream.len())));
        stream.extend_from_slice(b"SIP/2.0 1");
        assert_eq!(framed(&stream), Some(Ok(stream.len() - 9)));
        assert!(matches!(framed(b"A b\r\nCSeq: 1 A\r\n\r\n"), Some(Err(_))));
    }

    #[test]
    fn the_parts_of_a_multipart_body_are_found_by_type() {
        let body = sdp_and_metadata(
            &crate::Dialect::Plain.style().body,
            "b1",
            "v=0\r\n",
            "<recording/>",
        );
        let bytes = write(
            "INVITE sip:a@b SIP/2.0",
            &[("Content-Type", "multipart/mixed;boundary=\"b1\"")],
            &body,
        );
        let message = Message::read(&bytes).unwrap();
        let part = |kind| message.body_of_type(kind).map(String::from_utf8);
        assert_eq!(part("application/sdp"), Some(Ok("v=0\r\n\r\n".to_owned())));
        assert_eq!(
            part("application/rs-metadata+xml"),
            Some(Ok("<recording/>\r\n".to_owned()))
        );
        assert_eq!(part("text/plain"), None);
    }

    #[test]
    fn a_uri_is_found_with_and_without_brackets() {
        assert_eq!(uri_of("\"x\" <sip:a@b;lr>;+sip.srs"), "sip:a@b;lr");
        assert_eq!(uri_of("sip:a@b;expires=3"), "sip:a@b");
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _read = Message::read(&bytes);
            let _framed = framed(&bytes);
            let mut message = b"SIP/2.0 200 OK\r\nc: multipart/x;boundary=-\r\n\r\n".to_vec();
            message.extend_from_slice(&bytes);
            let _part = Message::read(&message).and_then(|m| m.body_of_type("application/sdp"));
        }
    }
}
