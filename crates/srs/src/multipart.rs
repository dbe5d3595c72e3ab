//! Multipart bodies (RFC 2046 §5.1), split into exact byte slices.
//!
//! Hand-written because the bytes are evidence: no decoding, no normalising, and a lone LF, a
//! preamble, a missing end or a nested multipart are all fine.

use crate::limits::{BOUNDARY_BYTES_MAX, MULTIPART_PARTS_MAX};
use crate::sip::message::Headers;
use crate::sip::parse::{head_end, headers, logical_lines};

/// One part: its headers, and its content as it stood between the boundaries.
pub(crate) struct Part<'a> {
    pub(crate) headers: Headers<'a>,
    pub(crate) body: &'a [u8],
}

/// A body taken apart.
pub(crate) struct Multipart<'a> {
    pub(crate) parts: Vec<Part<'a>>,
    /// The closing boundary was there.
    pub(crate) is_closed: bool,
    /// There were more parts than we take.
    pub(crate) is_cut: bool,
}

/// Splits a body at its boundary.
pub(crate) fn split<'a>(body: &'a [u8], boundary: &str) -> Multipart<'a> {
    let mut multipart = Multipart {
        parts: Vec::new(),
        is_closed: false,
        is_cut: false,
    };
    if boundary.is_empty() || boundary.len() > BOUNDARY_BYTES_MAX {
        return multipart;
    }
    let mut open: Option<usize> = None;
    let mut at = 0;
    while let Some(rest) = body.get(at..).filter(|rest| !rest.is_empty()) {
        let line_len = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(rest.len(), |newline| newline + 1);
        let line = rest.get(..line_len).unwrap_or_default();
        if let Some(is_last) = delimiter(line, boundary) {
            if let Some(start) = open {
                push(&mut multipart, body, start, at);
            }
            if is_last {
                multipart.is_closed = true;
                return multipart;
            }
            open = Some(at + line_len);
        }
        at += line_len;
    }
    if let Some(start) = open {
        push(&mut multipart, body, start, body.len() + 1);
    }
    multipart
}

/// Whether a line is a boundary; `true` inside for the closing one.
fn delimiter(line: &[u8], boundary: &str) -> Option<bool> {
    let tail = line
        .strip_prefix(b"--")?
        .strip_prefix(boundary.as_bytes())?
        .trim_ascii_end();
    match tail {
        [] => Some(false),
        b"--" => Some(true),
        _ => None,
    }
}

/// Adds the part from `start` to the boundary line at `end`; the line end before the boundary
/// belongs to the boundary. `end` behind the body means that there was no boundary.
fn push<'a>(multipart: &mut Multipart<'a>, body: &'a [u8], start: usize, end: usize) {
    if multipart.parts.len() == MULTIPART_PARTS_MAX {
        multipart.is_cut = true;
        return;
    }
    let raw = match body.get(start..end) {
        Some(raw) => {
            let raw = raw.strip_suffix(b"\n").unwrap_or(raw);
            raw.strip_suffix(b"\r").unwrap_or(raw)
        }
        None => body.get(start..).unwrap_or_default(),
    };
    multipart.parts.push(part(raw));
}

fn part(raw: &[u8]) -> Part<'_> {
    let bare = |body| Part {
        headers: Headers::default(),
        body,
    };
    if let Some(body) = raw.strip_prefix(b"\r\n").or(raw.strip_prefix(b"\n")) {
        return bare(body);
    }
    let Some((head, body)) = head_end(raw, 0).and_then(|end| raw.split_at_checked(end)) else {
        return bare(raw);
    };
    let lines = logical_lines(head);
    let head = headers(lines.into_iter());
    if head.headers.0.is_empty() && (head.is_cut || head.defect.is_some()) {
        return bare(raw);
    }
    Part {
        headers: head.headers,
        body,
    }
}

/// The boundary that a body has, for a `Content-Type` that forgot to say it or says another: the
/// first line that looks like one.
pub(crate) fn guess_boundary(body: &[u8]) -> Option<&str> {
    let mut lines = body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines.find_map(|line| {
        let boundary = std::str::from_utf8(line.strip_prefix(b"--")?).ok()?;
        (!boundary.is_empty() && boundary.len() <= BOUNDARY_BYTES_MAX).then_some(boundary)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::HeaderName;
    use proptest::prelude::*;

    fn bodies<'a>(body: &'a [u8], boundary: &str) -> Vec<&'a [u8]> {
        split(body, boundary).parts.iter().map(|p| p.body).collect()
    }

    #[test]
    fn parts_are_exact_with_crlf_and_with_lf() {
        for end in ["\r\n", "\n"] {
            let body = [
                "preamble",
                "--b",
                "Content-Type: application/sdp",
                "",
                "v=0",
                "",
                "--b \t",
                "c: x/y",
                "",
                "",
                "--b--",
                "epilogue",
            ]
            .join(end);
            let multipart = split(body.as_bytes(), "b");
            assert!(multipart.is_closed && !multipart.is_cut);
            assert_eq!(multipart.parts[0].body, format!("v=0{end}").as_bytes());
            assert_eq!(multipart.parts[1].body, b"");
            assert_eq!(
                multipart.parts[0].headers.first(HeaderName::ContentType),
                Some(&b"application/sdp"[..])
            );
        }
    }

    #[test]
    fn a_missing_end_keeps_everything_and_is_said() {
        let multipart = split(b"--b\r\n\r\n<a/>\r\n", "b");
        assert!(!multipart.is_closed);
        assert_eq!(multipart.parts[0].body, b"<a/>\r\n");
    }

    #[test]
    fn the_closing_boundary_needs_no_line_end() {
        assert_eq!(bodies(b"--b\r\n\r\nx\r\n--b--", "b"), [b"x"]);
    }

    #[test]
    fn a_longer_boundary_with_the_same_start_is_another_one() {
        assert_eq!(
            bodies(b"--b\n\n--bb\nx\n--b-\n--b--", "b"),
            [b"--bb\nx\n--b-"]
        );
    }

    #[test]
    fn a_part_without_headers_is_a_body() {
        assert_eq!(
            bodies(b"--b\nv=0\na=rtpmap:8 PCMA/8000\n\n--b--", "b"),
            [b"v=0\na=rtpmap:8 PCMA/8000\n"]
        );
    }

    #[test]
    fn too_many_parts_are_cut_and_said() {
        let body = "--b\n\nx\n".repeat(MULTIPART_PARTS_MAX + 1);
        let multipart = split(body.as_bytes(), "b");
        assert!(multipart.is_cut);
        assert_eq!(multipart.parts.len(), MULTIPART_PARTS_MAX);
    }

    #[test]
    fn a_forgotten_boundary_is_read_from_the_body() {
        assert_eq!(guess_boundary(b"\r\n--foo bar\r\n\r\n"), Some("foo bar"));
        assert_eq!(guess_boundary(b"v=0\r\n"), None);
    }

    proptest! {
        #[test]
        fn what_is_joined_is_split_again(
            contents in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..5),
        ) {
            prop_assume!(contents.iter().all(|c| !c.windows(5).any(|w| w == b"--zz\n" || w == b"--zz-")));
            let mut body = Vec::new();
            for content in &contents {
                body.extend_from_slice(b"--zz\r\nA: b\r\n\r\n");
                body.extend_from_slice(content);
                body.extend_from_slice(b"\r\n");
            }
            body.extend_from_slice(b"--zz--");
            let multipart = split(&body, "zz");
            prop_assert!(multipart.is_closed);
            let found: Vec<_> = multipart.parts.iter().map(|p| p.body.to_vec()).collect();
            prop_assert_eq!(found, contents);
        }

        #[test]
        fn no_bytes_make_it_panic(body in proptest::collection::vec(prop_oneof![Just(b'-'), Just(b'b'), Just(b'\n'), Just(b'\r'), any::<u8>()], 0..120)) {
            let _ = split(&body, "b").parts.len();
            let _ = guess_boundary(&body);
        }
    }
}
