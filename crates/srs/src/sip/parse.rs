//! Bytes to [`Message`] (RFC 3261 §7.3, §7.5, §18.3).
//!
//! Reading is lenient where a guess cannot change the meaning (bare LF, spaces before the colon,
//! folded lines, empty lines in front) and says what is wrong where it could.

use super::message::{Header, HeaderName, Headers, Message, Method, StartLine};
use crate::limits::{SIP_HEADERS_MAX, SIP_MESSAGE_BYTES_MAX};
use crate::quirk::{Quirk, Quirks};
use std::borrow::Cow;

/// The bytes are not SIP at all; nobody can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotSip {
    /// Nothing but line ends: a keepalive.
    KeepAlive,
    /// No start line of a SIP message.
    Garbage,
}

/// What is wrong with a message that can be answered all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Defect {
    /// A header that we need cannot be read.
    HeaderLine,
    /// More headers than we read.
    TooManyHeaders,
    /// `Content-Length` that is not a number, or two that differ.
    ContentLength,
    /// The headers have no end.
    Cut,
    /// Fewer bytes of body than the message says it has, which can be a miscount.
    BodyCut,
    /// More bytes than we take.
    TooLarge,
    /// A header that says who talks to whom about what is there twice, and says two things.
    Contradiction,
    /// Not SIP/2.0.
    Version,
}

/// A message and the first thing wrong with it.
pub(crate) struct Parsed<'a> {
    pub(crate) message: Message<'a>,
    pub(crate) defect: Option<Defect>,
}

/// End of the head: the position after the first empty line at or behind `from`.
pub(crate) fn head_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let newline = at + bytes.get(at..)?.iter().position(|byte| *byte == b'\n')?;
        let rest = bytes.get(newline + 1..)?;
        if rest.starts_with(b"\n") {
            return Some(newline + 2);
        }
        if rest.starts_with(b"\r\n") {
            return Some(newline + 3);
        }
        at = newline + 1;
    }
}

/// Lines of a head, without their line ends, folded lines joined by one space.
pub(crate) fn logical_lines(head: &[u8]) -> Vec<Cow<'_, [u8]>> {
    let mut lines: Vec<Cow<'_, [u8]>> = Vec::new();
    for line in head.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match (line.first(), lines.last_mut()) {
            (Some(b' ' | b'\t'), Some(previous)) => {
                let previous = previous.to_mut();
                previous.push(b' ');
                previous.extend_from_slice(line.trim_ascii());
            }
            _ => lines.push(Cow::Borrowed(line)),
        }
    }
    lines
}

/// Header lines as read.
pub(crate) struct Head<'a> {
    pub(crate) headers: Headers<'a>,
    /// Why the message cannot be used.
    pub(crate) defect: Option<Defect>,
    /// A line was left out that could not be read and that nothing depends on.
    pub(crate) is_cut: bool,
}

/// Reads header lines up to the first empty one. A line that cannot be read is left out, as RFC
/// 3261 §8.2.2 asks, unless it is one of the headers that say whose message it is and how long.
pub(crate) fn headers<'a>(lines: impl Iterator<Item = Cow<'a, [u8]>>) -> Head<'a> {
    let mut head = Head {
        headers: Headers::default(),
        defect: None,
        is_cut: false,
    };
    for line in lines {
        if line.is_empty() {
            break;
        }
        if head.headers.0.len() == SIP_HEADERS_MAX {
            head.defect = Some(Defect::TooManyHeaders);
            return head;
        }
        let Some(header) = header(line) else {
            head.is_cut = true;
            continue;
        };
        if is_clean(&header.value) {
            head.headers.0.push(header);
        } else if is_needed(header.name) {
            head.defect = head.defect.or(Some(Defect::HeaderLine));
        } else {
            head.is_cut = true;
        }
    }
    head
}

/// Whether a message cannot be answered, or belongs to nobody, without this header.
const fn is_needed(name: HeaderName) -> bool {
    matches!(
        name,
        HeaderName::Via
            | HeaderName::From
            | HeaderName::To
            | HeaderName::CallId
            | HeaderName::CSeq
            | HeaderName::ContentLength
    )
}

/// A control character in a value could end a line when the value is echoed.
fn is_clean(value: &[u8]) -> bool {
    let mut bytes = value.iter();
    bytes.all(|byte| !byte.is_ascii_control() || *byte == b'\t')
}

fn header(line: Cow<'_, [u8]>) -> Option<Header<'_>> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = line.get(..colon)?.trim_ascii_end();
    let is_token = !name.is_empty()
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(byte));
    if !is_token {
        return None;
    }
    let name = HeaderName::from_bytes(name);
    let value = match line {
        Cow::Borrowed(line) => Cow::Borrowed(line.get(colon + 1..)?.trim_ascii()),
        Cow::Owned(line) => Cow::Owned(line.get(colon + 1..)?.trim_ascii().to_vec()),
    };
    Some(Header { name, value })
}

/// `Content-Length`: absent, a number, or wrong. Two that agree are one.
pub(crate) fn content_length(headers: &Headers<'_>) -> Result<Option<usize>, Defect> {
    let mut found = None;
    for line in headers.lines(HeaderName::ContentLength) {
        let is_number = !line.is_empty() && line.iter().all(u8::is_ascii_digit);
        let text = std::str::from_utf8(line).map_err(|_| Defect::ContentLength)?;
        let length = if is_number {
            // A number too long for the type is certainly too large for us.
            text.parse().unwrap_or(usize::MAX)
        } else {
            return Err(Defect::ContentLength);
        };
        if found.is_some_and(|earlier| earlier != length) {
            return Err(Defect::ContentLength);
        }
        found = Some(length);
    }
    Ok(found)
}

fn start_line(line: &[u8]) -> Option<(StartLine, Option<Defect>)> {
    let line = std::str::from_utf8(line).ok()?.trim_end();
    if line.chars().any(char::is_control) {
        return None;
    }
    let (first, rest) = line.split_once(' ')?;
    if is_version(first) {
        let status = rest.get(..3)?;
        let ends = rest
            .get(3..)
            .is_some_and(|tail| tail.is_empty() || tail.starts_with(' '));
        let status: u16 = status.parse().ok()?;
        return (ends && (100..700).contains(&status))
            .then_some((StartLine::Response { status }, None));
    }
    let (uri, version) = rest.trim_start().rsplit_once(' ')?;
    if !version.get(..4)?.eq_ignore_ascii_case("SIP/") || first.is_empty() {
        return None;
    }
    let defect = (!is_version(version)).then_some(Defect::Version);
    let start = StartLine::Request {
        method: Method::from_token(first),
        uri: uri.trim().to_owned(),
    };
    Some((start, defect))
}

fn is_version(text: &str) -> bool {
    text.eq_ignore_ascii_case("SIP/2.0")
}

/// Reads one whole message: a datagram, or what the framer cut out of a byte stream.
pub(crate) fn parse(bytes: &[u8]) -> Result<Parsed<'_>, NotSip> {
    // RFC 3261 §7.5: empty lines before the start line are ignored.
    let lead = bytes
        .iter()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
        .count();
    let bytes = bytes.get(lead..).unwrap_or_default();
    if bytes.is_empty() {
        return Err(NotSip::KeepAlive);
    }
    let end = head_end(bytes, 0);
    let (head, rest) = bytes
        .split_at_checked(end.unwrap_or(bytes.len()))
        .ok_or(NotSip::Garbage)?;
    if head.len() > SIP_MESSAGE_BYTES_MAX {
        return Err(NotSip::Garbage);
    }
    let mut lines = logical_lines(head).into_iter();
    let first = lines.next().ok_or(NotSip::Garbage)?;
    let (start, version) = start_line(&first).ok_or(NotSip::Garbage)?;
    let Head {
        headers,
        defect: broken,
        is_cut,
    } = headers(lines);
    let (body, length) = body(&headers, rest);
    let cut = end.is_none().then_some(Defect::Cut);
    let contradiction = contradicts_itself(&headers).then_some(Defect::Contradiction);
    let mut quirks = Quirks::default();
    if is_cut {
        quirks.add(Quirk::HeaderLeftOut);
    }
    if has_bare_line_end(head) {
        quirks.add(Quirk::LineEndBare);
    }
    Ok(Parsed {
        message: Message {
            start,
            headers,
            body,
            quirks,
        },
        defect: version.or(cut).or(broken).or(contradiction).or(length),
    })
}

/// Whether a line ends in LF without CR before it.
fn has_bare_line_end(head: &[u8]) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n');
    // What is behind the last end is no line.
    lines.next_back();
    lines.any(|line| !line.ends_with(b"\r"))
}

/// Whether a header that can be there once (RFC 3261 §8.1.1) is there with two values: whoever
/// forwarded the message may have read the other one.
fn contradicts_itself(headers: &Headers<'_>) -> bool {
    let once = [
        HeaderName::From,
        HeaderName::To,
        HeaderName::CallId,
        HeaderName::CSeq,
    ];
    once.into_iter().any(|name| {
        let first = headers.first(name);
        headers.lines(name).any(|line| Some(line) != first)
    })
}

/// RFC 3261 §18.3: without a length the body runs to the end of the datagram; with one, bytes
/// behind it are dropped.
fn body<'a>(headers: &Headers<'_>, rest: &'a [u8]) -> (&'a [u8], Option<Defect>) {
    match content_length(headers) {
        Err(defect) => (&[], Some(defect)),
        Ok(None) if rest.len() > SIP_MESSAGE_BYTES_MAX => (&[], Some(Defect::TooLarge)),
        Ok(None) => (rest, None),
        Ok(Some(length)) if length > SIP_MESSAGE_BYTES_MAX => (&[], Some(Defect::TooLarge)),
        Ok(Some(length)) => match rest.get(..length) {
            Some(body) => (body, None),
            None => (rest, Some(Defect::BodyCut)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn defect(text: &str) -> Option<Defect> {
        parse(text.as_bytes()).unwrap().defect
    }

    #[test]
    fn a_body_without_length_runs_to_the_end() {
        let parsed = parse(b"\r\n\r\nBYE sip:a SIP/2.0\nTo : <sip:b>\n ;tag=1\n\nv=0\r\n").unwrap();
        assert_eq!(parsed.defect, None);
        assert_eq!(parsed.message.body, b"v=0\r\n");
        assert_eq!(parsed.message.tag(HeaderName::To).as_deref(), Some("1"));
    }

    #[test]
    fn lines_that_end_in_lf_alone_are_read_and_said() {
        for (text, said) in [
            ("BYE sip:a SIP/2.0\r\nl: 0\r\n\r\na\nb", &[][..]),
            ("BYE sip:a SIP/2.0\nl: 0\n\n", &[Quirk::LineEndBare]),
            ("BYE sip:a SIP/2.0\r\nl: 0\n\r\n", &[Quirk::LineEndBare]),
        ] {
            let parsed = parse(text.as_bytes()).unwrap();
            assert_eq!(parsed.message.quirks.as_slice(), said, "{text:?}");
        }
    }

    #[test]
    fn bytes_behind_the_stated_length_are_dropped() {
        let parsed = parse(b"BYE sip:a SIP/2.0\r\nl: 2\r\n\r\nabcd").unwrap();
        assert_eq!((parsed.message.body, parsed.defect), (&b"ab"[..], None));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(
            defect("BYE sip:a SIP/2.0\r\nl: 5\r\n\r\nabcd"),
            Some(Defect::BodyCut)
        );
        assert_eq!(defect("BYE sip:a SIP/2.0\r\nl: 5\r\n"), Some(Defect::Cut));
        assert_eq!(
            defect("BYE sip:a SIP/2.0\r\nl: -1\r\n\r\n"),
            Some(Defect::ContentLength)
        );
        assert_eq!(
            defect("BYE sip:a SIP/2.0\r\nl: 1\r\nl: 2\r\n\r\nab"),
            Some(Defect::ContentLength)
        );
        assert_eq!(
            defect("BYE sip:a SIP/2.0\r\nl: 99999999999999999999999\r\n\r\n"),
            Some(Defect::TooLarge)
        );
        assert_eq!(defect("BYE sip:a SIP/3.0\r\n\r\n"), Some(Defect::Version));
        assert_eq!(
            defect("BYE sip:a SIP/2.0\r\nTo: a\0b\r\n\r\n"),
            Some(Defect::HeaderLine)
        );
        let many = "a: b\r\n".repeat(SIP_HEADERS_MAX + 1);
        assert_eq!(
            defect(&format!("BYE sip:a SIP/2.0\r\n{many}\r\n")),
            Some(Defect::TooManyHeaders)
        );
    }

    #[test]
    fn a_line_that_is_no_header_and_one_that_we_never_read_cost_only_themselves() {
        for line in ["no colon", "X-My Header: foo", "X-Foo: a\u{1}b", ": x"] {
            let text = format!("BYE sip:a SIP/2.0\r\n{line}\r\nTo: <sip:b>;tag=1\r\n\r\n");
            let parsed = parse(text.as_bytes()).unwrap();
            assert_eq!(parsed.defect, None, "{line}");
            assert_eq!(parsed.message.quirks.as_slice(), [Quirk::HeaderLeftOut]);
            assert_eq!(parsed.message.tag(HeaderName::To).as_deref(), Some("1"));
        }
    }

    #[test]
    fn what_is_not_sip_is_not_read() {
        for bytes in [
            &b"GET / HTTP/1.1\r\n\r\n"[..],
            b"\xff\xfe\x00",
            b"SIP/2.0 2000 OK\r\n\r\n",
            b"x",
        ] {
            assert!(matches!(parse(bytes), Err(NotSip::Garbage)));
        }
        assert!(matches!(parse(b"\r\n\r\n"), Err(NotSip::KeepAlive)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            drop(parse(&bytes));
        }

        #[test]
        fn no_mutilated_message_makes_it_panic(cut in 0usize..120, at in 0usize..120, byte: u8) {
            let mut bytes = b"INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP c;branch=z9hG4bKd\r\nCSeq: 1 INVITE\r\nl: 4\r\n\r\nbody".to_vec();
            bytes.truncate(bytes.len().saturating_sub(cut));
            if let Some(place) = bytes.get_mut(at) { *place = byte; }
            if let Ok(parsed) = parse(&bytes) {
                let _ = parsed.message.cseq();
                let _ = parsed.message.headers.list(HeaderName::Via);
            }
        }
    }
}
