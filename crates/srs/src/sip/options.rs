//! Option tags (RFC 3261 §19.2): the extensions that we know, and those of a request that we do not.

use super::{HeaderName, Message};

/// The extensions that we know, for `Supported` of our responses.
pub(crate) const SUPPORTED: &str = "siprec, timer, replaces, 100rel";

/// What a request may require. `record-aware` is a client's own (RFC 7866 §6.3) and asks nothing of
/// us; the rest we support.
const KNOWN: [&str; 5] = ["siprec", "record-aware", "timer", "replaces", "100rel"];

/// The extensions that a request requires and that we do not know, for `Unsupported`.
pub(crate) fn unknown(message: &Message<'_>) -> Vec<String> {
    let required = message.headers.list(HeaderName::Require);
    let is_known = |tag: &String| is_known(tag) || joined(tag).is_some();
    required.into_iter().filter(|tag| !is_known(tag)).collect()
}

/// Whether a tag of `Require` or `Supported` is several ones without the comma between them.
pub(crate) fn are_joined(message: &Message<'_>) -> bool {
    let headers = [HeaderName::Require, HeaderName::Supported];
    let mut tags = headers
        .into_iter()
        .flat_map(|name| message.headers.list(name));
    tags.any(|tag| joined(&tag).is_some())
}

fn is_known(tag: &str) -> bool {
    KNOWN.iter().any(|known| tag.eq_ignore_ascii_case(known))
}

/// The tags that one is joined of, as products write `100relsiprec`; `None` where it is not made of
/// known ones alone. No known tag begins another, so there is one way to take it apart.
pub(crate) fn joined(tag: &str) -> Option<Vec<&'static str>> {
    let mut rest = tag;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let known = KNOWN.iter().find(|known| {
            rest.get(..known.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(known))
        })?;
        found.push(*known);
        rest = rest.get(known.len()..)?;
    }
    (found.len() > 1).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_without_a_comma_between_them_are_told_apart() {
        assert_eq!(joined("100relsiprec"), Some(vec!["100rel", "siprec"]));
        assert_eq!(joined("SiprecTimer"), Some(vec!["siprec", "timer"]));
        for one in ["siprec", "siprecx", "xsiprec", "", "é"] {
            assert_eq!(joined(one), None, "{one}");
        }
    }

    #[test]
    fn no_known_tag_begins_another() {
        for tag in KNOWN {
            let others = KNOWN.iter().filter(|other| **other != tag);
            assert!(others.clone().all(|other| !other.starts_with(tag)), "{tag}");
        }
        assert!(SUPPORTED.split(", ").all(is_known));
    }
}
