//! What a message body holds for us: an SDP, an rs-metadata document, both or neither
//! (RFC 7866 §9.1).

use crate::limits::{MISCOUNT_BYTES_MAX, MULTIPART_DEPTH_MAX};
use crate::multipart::Multipart;
use crate::quirk::{Quirk, Quirks};
use crate::sip::grammar::MediaType;
use crate::sip::message::{HeaderName, Headers, Message};
use crate::sip::parse::content_length;
use crate::{metadata, multipart};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::borrow::Cow;

/// What we understand, for `Accept` (RFC 3261 §20.1).
pub(crate) const ACCEPT: &str =
    "application/sdp, multipart/mixed, application/rs-metadata+xml, application/rs-metadata";

/// The parts of a body that we use.
#[derive(Default)]
pub(crate) struct Bodies<'a> {
    pub(crate) sdp: Option<Cow<'a, [u8]>>,
    pub(crate) metadata: Option<MetadataPart<'a>>,
    /// The whole body is of a type that we do not understand.
    pub(crate) is_unsupported: bool,
    pub(crate) quirks: Quirks,
}

/// A metadata document in a body.
pub(crate) struct MetadataPart<'a> {
    /// As an exact slice of the message.
    pub(crate) raw: &'a [u8],
    /// The same with its transfer encoding taken off.
    pub(crate) text: Cow<'a, [u8]>,
    /// It is said to be of another type; its root element tells what it is.
    pub(crate) is_mistyped: bool,
}

/// Looks through the body of a message.
pub(crate) fn read<'a>(message: &Message<'a>) -> Bodies<'a> {
    let mut bodies = Bodies {
        quirks: message.quirks.clone(),
        ..Bodies::default()
    };
    if message.body.trim_ascii().is_empty() {
        return bodies;
    }
    let has_coding = message
        .headers
        .list(HeaderName::ContentEncoding)
        .iter()
        .any(|coding| !coding.eq_ignore_ascii_case("identity"));
    if has_coding {
        bodies.is_unsupported = true;
        return bodies;
    }
    take(&mut bodies, &message.headers, message.body, 0);
    bodies
}

/// Whether the body of a message that says a larger length is whole all the same: it has its closing
/// boundary, or only line ends were counted that are not there.
pub(crate) fn is_whole(message: &Message<'_>) -> bool {
    let media_type = message.headers.text(HeaderName::ContentType);
    let media_type = media_type.as_deref().map(MediaType::parse);
    if let Some(media_type) = media_type.filter(MediaType::is_multipart) {
        let said = media_type.param("boundary").unwrap_or_default();
        return split(message.body, &said, &mut Quirks::default()).is_closed;
    }
    let length = content_length(&message.headers).ok().flatten();
    let is_short_by = length.map(|length| length.saturating_sub(message.body.len()));
    is_short_by.is_some_and(|bytes| bytes <= MISCOUNT_BYTES_MAX) && !message.body.is_empty()
}

/// Splits a multipart body at the boundary that it says, or at the one that it has.
fn split<'a>(body: &'a [u8], said: &str, quirks: &mut Quirks) -> Multipart<'a> {
    let multipart = multipart::split(body, said);
    if !multipart.parts.is_empty() {
        return multipart;
    }
    let Some(guess) = multipart::guess_boundary(body) else {
        return multipart;
    };
    quirks.add(if said.is_empty() {
        Quirk::BoundaryMissing
    } else {
        Quirk::BoundaryWrong
    });
    multipart::split(body, guess)
}

fn take<'a>(bodies: &mut Bodies<'a>, headers: &Headers<'_>, body: &'a [u8], depth: usize) {
    let Some(content_type) = headers.text(HeaderName::ContentType) else {
        if body.starts_with(b"v=0") {
            bodies.quirks.add(Quirk::BodyTypeMissing);
            put_sdp(bodies, Cow::Borrowed(body));
        } else {
            ignore(bodies, depth);
        }
        return;
    };
    let media_type = MediaType::parse(&content_type);
    if media_type.is_multipart() {
        take_multipart(bodies, &media_type, body, depth);
        return;
    }
    let Some(text) = decoded(headers, body, &mut bodies.quirks) else {
        return ignore(bodies, depth);
    };
    match media_type.essence.as_str() {
        "application/sdp" => put_sdp(bodies, text),
        // RFC 9806 renamed it to the second form.
        "application/rs-metadata" | "application/rs-metadata+xml" => {
            put_metadata(bodies, body, text, false);
        }
        "application/xml" | "text/xml" if metadata::is_metadata(&text) => {
            put_metadata(bodies, body, text, true);
        }
        _ => ignore(bodies, depth),
    }
}

/// A part without its transfer encoding (RFC 2045 §6), which SIP does not have and clients use;
/// `None` where it cannot be taken off.
fn decoded<'a>(
    headers: &Headers<'_>,
    body: &'a [u8],
    quirks: &mut Quirks,
) -> Option<Cow<'a, [u8]>> {
    let coding = headers.text(HeaderName::ContentTransferEncoding);
    let coding = coding.unwrap_or_default().trim().to_ascii_lowercase();
    if matches!(coding.as_str(), "" | "7bit" | "8bit" | "binary") {
        return Some(Cow::Borrowed(body));
    }
    quirks.add(Quirk::PartEncoded);
    match coding.as_str() {
        "base64" => {
            let is_text = |byte: &u8| !byte.is_ascii_whitespace();
            let packed: Vec<u8> = body.iter().copied().filter(is_text).collect();
            BASE64.decode(packed).ok().map(Cow::Owned)
        }
        "quoted-printable" => Some(Cow::Owned(quoted_printable(body))),
        _ => None,
    }
}

/// RFC 2045 §6.7. What is no escape stays as it is.
fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while let [first, tail @ ..] = rest {
        rest = match (first, tail) {
            (b'=', [b'\r', b'\n', after @ ..] | [b'\n', after @ ..]) => after,
            (b'=', [high, low, after @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    out.push(u8::try_from(high * 16 + low).unwrap_or_default());
                    after
                }
                _ => {
                    out.push(b'=');
                    tail
                }
            },
            (byte, _) => {
                out.push(*byte);
                tail
            }
        };
    }
    out
}

fn take_multipart<'a>(
    bodies: &mut Bodies<'a>,
    media_type: &MediaType<'_>,
    body: &'a [u8],
    depth: usize,
) {
    if depth == MULTIPART_DEPTH_MAX {
        bodies.quirks.add(Quirk::PartLimit);
        return;
    }
    let said = media_type.param("boundary").unwrap_or_default();
    let multipart = split(body, &said, &mut bodies.quirks);
    if !multipart.is_closed {
        bodies.quirks.add(Quirk::MultipartNotClosed);
    }
    if multipart.is_cut {
        bodies.quirks.add(Quirk::PartLimit);
    }
    for part in &multipart.parts {
        take(bodies, &part.headers, part.body, depth + 1);
    }
}

fn put_sdp<'a>(bodies: &mut Bodies<'a>, sdp: Cow<'a, [u8]>) {
    if bodies.sdp.is_some() {
        bodies.quirks.add(Quirk::PartRepeated);
    } else {
        bodies.sdp = Some(sdp);
    }
}

fn put_metadata<'a>(
    bodies: &mut Bodies<'a>,
    raw: &'a [u8],
    text: Cow<'a, [u8]>,
    is_mistyped: bool,
) {
    if bodies.metadata.is_some() {
        bodies.quirks.add(Quirk::PartRepeated);
    } else {
        bodies.metadata = Some(MetadataPart {
            raw,
            text,
            is_mistyped,
        });
    }
}

/// A type we have no use for: inside a multipart it is passed over, alone it is refused.
fn ignore(bodies: &mut Bodies<'_>, depth: usize) {
    if depth == 0 {
        bodies.is_unsupported = true;
    } else {
        bodies.quirks.add(Quirk::PartIgnored);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::parse;

    fn with(head: &str, body: &str, check: impl Fn(&Bodies<'_>)) {
        let text = format!("UPDATE sip:a SIP/2.0\r\n{head}\r\n\r\n{body}");
        check(&read(&parse(text.as_bytes()).unwrap().message));
    }

    fn document<'a>(bodies: &'a Bodies<'_>) -> Option<&'a [u8]> {
        bodies.metadata.as_ref().map(|part| part.text.as_ref())
    }

    #[test]
    fn a_transfer_encoding_is_taken_off_and_the_bytes_stay_as_they_came() {
        let sdp = "e: identity\r\nContent-Transfer-Encoding: base64\r\nc: application/sdp";
        with(sdp, "dj0w\r\nDQo=\r\n", |bodies| {
            assert_eq!(bodies.sdp.as_deref(), Some(&b"v=0\r\n"[..]));
            assert_eq!(bodies.quirks.as_slice(), [Quirk::PartEncoded]);
        });
        let head = "Content-Transfer-Encoding: Quoted-Printable\r\nc: application/rs-metadata";
        with(head, "<a b=3D'=C3=A9'=\r\n/>=", |bodies| {
            assert_eq!(document(bodies), Some("<a b='é'/>=".as_bytes()));
            let raw = bodies.metadata.as_ref().map(|part| part.raw);
            assert_eq!(raw, Some(&b"<a b=3D'=C3=A9'=\r\n/>="[..]));
        });
        for (coding, body) in [("base64", "no base64!"), ("x-own", "v=0")] {
            let head = format!("Content-Transfer-Encoding: {coding}\r\nc: application/sdp");
            with(&head, body, |bodies| assert!(bodies.is_unsupported));
        }
    }

    #[test]
    fn metadata_under_the_name_of_plain_xml_is_known_by_its_root() {
        for name in ["text/xml", "application/xml;charset=utf-8"] {
            with(
                &format!("c: {name}"),
                "<?xml version='1.0'?><recording/>",
                |bodies| {
                    let part = bodies.metadata.as_ref().expect("metadata");
                    assert!(part.is_mistyped);
                },
            );
            with(&format!("c: {name}"), "<presence/>", |bodies| {
                assert!(bodies.metadata.is_none() && bodies.is_unsupported);
            });
        }
    }

    #[test]
    fn a_boundary_that_no_part_has_does_not_lose_the_call() {
        for said in ["q,", "'q'", "other"] {
            with(
                &format!("c: multipart/mixed;boundary={said}"),
                "--q\r\nc: application/sdp\r\n\r\nv=0\r\n--q--",
                |bodies| {
                    assert_eq!(bodies.sdp.as_deref(), Some(&b"v=0"[..]), "{said}");
                    assert_eq!(bodies.quirks.as_slice(), [Quirk::BoundaryWrong]);
                },
            );
        }
    }

    #[test]
    fn a_length_that_is_too_large_is_forgiven_where_the_body_shows_its_end() {
        let whole = |head: &str, body: &str| {
            let text = format!("INVITE sip:a SIP/2.0\r\n{head}\r\n\r\n{body}");
            is_whole(&parse(text.as_bytes()).unwrap().message)
        };
        let parts = "c: multipart/mixed;boundary=q\r\nl: 60";
        assert!(whole(
            parts,
            "--q\r\nc: application/sdp\r\n\r\nv=0\r\n--q--"
        ));
        assert!(!whole(parts, "--q\r\nc: application/sdp\r\n\r\nv=0\r\n"));
        assert!(whole("c: application/sdp\r\nl: 5", "v=0"));
        assert!(!whole("c: application/sdp\r\nl: 6", "v=0"));
        assert!(!whole("c: application/sdp\r\nl: 2", ""));
    }

    #[test]
    fn the_order_of_the_parts_and_strangers_between_them_do_not_matter() {
        let body = "--x\r\nContent-Type:application/rs-metadata+xml\r\nContent-Disposition: recording-session\r\n\r\n<r/>\r\n--x\r\nContent-Type: application/gtd\r\nContent-Disposition: signal;handling=optional\r\n\r\nIAM,\r\n--x\r\nContent-Type: Application/SDP\r\n\r\nv=0\r\n\r\n--x--\r\n";
        with("Content-Type: multipart/mixed;boundary=x", body, |bodies| {
            assert_eq!(document(bodies), Some(&b"<r/>"[..]));
            assert_eq!(bodies.sdp.as_deref(), Some(&b"v=0\r\n"[..]));
            assert_eq!(bodies.quirks.as_slice(), [Quirk::PartIgnored]);
        });
    }

    #[test]
    fn a_multipart_in_a_multipart_is_looked_into() {
        let body = "--o\n\nhello\n--o\nContent-Type: multipart/related;boundary=\"i i\"\n\n--i i\nContent-Type: application/sdp\n\nv=0\n--i i--\n--o--";
        with("c: multipart/mixed; boundary=o", body, |bodies| {
            assert_eq!(bodies.sdp.as_deref(), Some(&b"v=0"[..]));
        });
    }

    #[test]
    fn bare_metadata_is_not_sdp() {
        for name in [
            "application/rs-metadata",
            "application/rs-metadata+xml;charset=UTF-8",
        ] {
            with(&format!("c: {name}"), "<recording/>", |bodies| {
                assert_eq!(
                    (bodies.sdp.as_deref(), document(bodies)),
                    (None, Some(&b"<recording/>"[..]))
                );
            });
        }
    }

    #[test]
    fn an_unknown_type_alone_is_refused() {
        with("c: text/plain", "hello", |bodies| {
            assert!(bodies.is_unsupported)
        });
        with("c: application/sdp\r\ne: gzip", "v=0", |bodies| {
            assert!(bodies.is_unsupported)
        });
        with("x: y", "hello", |bodies| assert!(bodies.is_unsupported));
        with("c: text/plain", "\r\n", |bodies| {
            assert!(!bodies.is_unsupported)
        });
    }

    #[test]
    fn a_forgotten_boundary_does_not_lose_the_call() {
        with(
            "c: multipart/mixed",
            "--q\r\nc: application/sdp\r\n\r\nv=0\r\n--q--",
            |bodies| {
                assert_eq!(bodies.sdp.as_deref(), Some(&b"v=0"[..]));
                assert_eq!(bodies.quirks.as_slice(), [Quirk::BoundaryMissing]);
            },
        );
    }
}
