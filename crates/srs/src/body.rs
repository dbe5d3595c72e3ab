//! What a message body holds for us: an SDP, an rs-metadata document, both or neither
//! (RFC 7866 §9.1).

use crate::limits::MULTIPART_DEPTH_MAX;
use crate::multipart;
use crate::quirk::{Quirk, Quirks};
use crate::sip::grammar::MediaType;
use crate::sip::message::{HeaderName, Headers, Message};

/// What we understand, for `Accept` (RFC 3261 §20.1).
pub(crate) const ACCEPT: &str =
    "application/sdp, multipart/mixed, application/rs-metadata+xml, application/rs-metadata";

/// The parts of a body that we use, as exact slices of the message.
#[derive(Default)]
pub(crate) struct Bodies<'a> {
    pub(crate) sdp: Option<&'a [u8]>,
    pub(crate) metadata: Option<&'a [u8]>,
    /// The whole body is of a type that we do not understand.
    pub(crate) is_unsupported: bool,
    pub(crate) quirks: Quirks,
}

/// Looks through the body of a message.
pub(crate) fn read<'a>(message: &Message<'a>) -> Bodies<'a> {
    let mut bodies = Bodies::default();
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

fn take<'a>(bodies: &mut Bodies<'a>, headers: &Headers<'_>, body: &'a [u8], depth: usize) {
    let Some(content_type) = headers.text(HeaderName::ContentType) else {
        if body.starts_with(b"v=0") {
            bodies.quirks.add(Quirk::BodyTypeMissing);
            put_sdp(bodies, body);
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
    let is_encoded = headers
        .text(HeaderName::ContentTransferEncoding)
        .is_some_and(|coding| {
            let coding = coding.trim().to_ascii_lowercase();
            !matches!(coding.as_str(), "7bit" | "8bit" | "binary")
        });
    match media_type.essence.as_str() {
        _ if is_encoded => {
            bodies.quirks.add(Quirk::PartEncoded);
            ignore(bodies, depth);
        }
        "application/sdp" => put_sdp(bodies, body),
        // RFC 9806 renamed it to the second form.
        "application/rs-metadata" | "application/rs-metadata+xml" => {
            if bodies.metadata.is_some() {
                bodies.quirks.add(Quirk::PartRepeated);
            } else {
                bodies.metadata = Some(body);
            }
        }
        _ => ignore(bodies, depth),
    }
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
    let boundary = media_type.param("boundary").or_else(|| {
        bodies.quirks.add(Quirk::BoundaryMissing);
        multipart::guess_boundary(body).map(str::to_owned)
    });
    let multipart = multipart::split(body, &boundary.unwrap_or_default());
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

fn put_sdp<'a>(bodies: &mut Bodies<'a>, body: &'a [u8]) {
    if bodies.sdp.is_some() {
        bodies.quirks.add(Quirk::PartRepeated);
    } else {
        bodies.sdp = Some(body);
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

    #[test]
    fn the_order_of_the_parts_and_strangers_between_them_do_not_matter() {
        let body = "--x\r\nContent-Type:application/rs-metadata+xml\r\nContent-Disposition: recording-session\r\n\r\n<r/>\r\n--x\r\nContent-Type: application/gtd\r\nContent-Disposition: signal;handling=optional\r\n\r\nIAM,\r\n--x\r\nContent-Type: Application/SDP\r\n\r\nv=0\r\n\r\n--x--\r\n";
        with("Content-Type: multipart/mixed;boundary=x", body, |bodies| {
            assert_eq!(bodies.metadata, Some(&b"<r/>"[..]));
            assert_eq!(bodies.sdp, Some(&b"v=0\r\n"[..]));
            assert_eq!(bodies.quirks.as_slice(), [Quirk::PartIgnored]);
        });
    }

    #[test]
    fn a_multipart_in_a_multipart_is_looked_into() {
        let body = "--o\n\nhello\n--o\nContent-Type: multipart/related;boundary=\"i i\"\n\n--i i\nContent-Type: application/sdp\n\nv=0\n--i i--\n--o--";
        with("c: multipart/mixed; boundary=o", body, |bodies| {
            assert_eq!(bodies.sdp, Some(&b"v=0"[..]));
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
                    (bodies.sdp, bodies.metadata),
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
                assert_eq!(bodies.sdp, Some(&b"v=0"[..]));
                assert_eq!(bodies.quirks.as_slice(), [Quirk::BoundaryMissing]);
            },
        );
    }
}
