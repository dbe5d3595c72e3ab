//! The little grammar that header values share: quoted strings, angle brackets, parameters
//! (RFC 3261 §25.1). Everything here works on text of any content and never fails.

/// Splits at a separator that is outside quotes and angle brackets.
///
/// A quote or bracket that is never closed is taken as a plain character, so that one stray
/// character does not swallow the rest of the line.
pub(crate) fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let all = rest?;
        let end = find(all, separator);
        let (head, tail) = match end {
            Some(at) => (all.get(..at)?, all.get(at + separator.len_utf8()..)),
            None => (all, None),
        };
        rest = tail;
        Some(head)
    })
}

/// Position of the first `wanted` outside quotes and angle brackets.
pub(crate) fn find(text: &str, wanted: char) -> Option<usize> {
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        let c = rest.chars().next()?;
        if c == wanted {
            return Some(at);
        }
        at += match c {
            '"' => quoted_len(rest).unwrap_or(1),
            '<' => rest.find('>').map_or(1, |end| end + 1),
            other => other.len_utf8(),
        };
    }
    None
}

/// Bytes of a quoted string with its quotes, if it is closed.
fn quoted_len(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Takes the quotes and backslashes off a quoted string; other text stays as it is.
pub(crate) fn unquote(text: &str) -> String {
    let text = text.trim();
    let Some(inner) = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) else {
        return text.to_owned();
    };
    let mut out = String::with_capacity(inner.len());
    let mut escaped = false;
    for c in inner.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            out.push(c);
            escaped = false;
        }
    }
    out
}

/// Parameters after a value: `;name=value;flag`.
pub(crate) fn params(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    split(text, ';').filter_map(|param| {
        let (name, value) = match param.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (param.trim(), None),
        };
        (!name.is_empty()).then_some((name, value))
    })
}

/// `name-addr` or `addr-spec` with header parameters: the value of `From`, `To`, `Contact`,
/// `Route`.
pub(crate) struct Address<'a> {
    /// The URI as written.
    pub(crate) uri: &'a str,
    params: &'a str,
}

impl<'a> Address<'a> {
    pub(crate) fn parse(text: &'a str) -> Self {
        let text = text.trim();
        if let Some(open) = find(text, '<')
            && let Some(after) = text.get(open + 1..)
            && let Some((uri, params)) = after.split_once('>')
        {
            return Self {
                uri: uri.trim(),
                params,
            };
        }
        // Without brackets every parameter belongs to the header (RFC 3261 §20.10).
        match text.split_once(';') {
            Some((uri, params)) => Self {
                uri: uri.trim(),
                params,
            },
            None => Self {
                uri: text,
                params: "",
            },
        }
    }

    /// A parameter: `None` = absent, `Some(None)` = without a value.
    pub(crate) fn param(&self, name: &str) -> Option<Option<&'a str>> {
        params(self.params)
            .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

/// An address header without a `tag` parameter that is empty, for a tag to be added.
pub(crate) fn without_empty_tag(value: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(value);
    if Address::parse(&text).param("tag").flatten() != Some("") {
        return value.to_vec();
    }
    let pieces = split(&text, ';').filter(|piece| {
        let (name, value) = piece.split_once('=').unwrap_or((piece, "-"));
        !(name.trim().eq_ignore_ascii_case("tag") && value.trim().is_empty())
    });
    pieces.collect::<Vec<_>>().join(";").into_bytes()
}

/// A `Content-Type`: type in lower case, and its parameters.
pub(crate) struct MediaType<'a> {
    pub(crate) essence: String,
    params: &'a str,
}

impl<'a> MediaType<'a> {
    pub(crate) fn parse(text: &'a str) -> Self {
        let (essence, params) = text.split_once(';').unwrap_or((text, ""));
        Self {
            essence: essence.trim().to_ascii_lowercase(),
            params,
        }
    }

    pub(crate) fn param(&self, name: &str) -> Option<String> {
        params(self.params)
            .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .and_then(|(_, value)| value)
            .map(unquote)
    }

    pub(crate) fn is_multipart(&self) -> bool {
        self.essence.starts_with("multipart/")
    }
}

/// Makes text fit for a header or a quoted string: one line, printable, no quotes, bounded.
pub(crate) fn plain(text: &str, bytes_max: usize) -> String {
    let mut out = String::new();
    for c in text.chars() {
        let c = match c {
            '"' | '\\' => '\'',
            c if c.is_control() => ' ',
            c => c,
        };
        if out.len() + c.len_utf8() > bytes_max {
            break;
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn commas_in_quotes_and_brackets_do_not_split() {
        let values: Vec<_> = split(r#""Doe, J" <sip:a@b,c>, <sip:d>"#, ',').collect();
        assert_eq!(values, [r#""Doe, J" <sip:a@b,c>"#, " <sip:d>"]);
    }

    #[test]
    fn an_open_quote_is_a_plain_character() {
        let values: Vec<_> = split(r#"5" nail, b"#, ',').collect();
        assert_eq!(values, [r#"5" nail"#, " b"]);
    }

    #[test]
    fn parameters_inside_brackets_belong_to_the_uri() {
        let address = Address::parse(r#""a;tag=no" <sip:x@y;tag=uri>;Tag=yes;+sip.src"#);
        assert_eq!(address.uri, "sip:x@y;tag=uri");
        assert_eq!(address.param("tag"), Some(Some("yes")));
        assert_eq!(address.param("+sip.src"), Some(None));
        assert_eq!(address.param("src"), None);
    }

    #[test]
    fn parameters_without_brackets_belong_to_the_header() {
        let address = Address::parse("sip:x@y;tag=1");
        assert_eq!(
            (address.uri, address.param("TAG")),
            ("sip:x@y", Some(Some("1")))
        );
    }

    #[test]
    fn a_boundary_may_be_quoted_or_not() {
        for text in [
            r#"multipart/mixed;boundary="a b;c""#,
            r#"Multipart/Mixed ; charset=x; BOUNDARY = "a b;c" "#,
        ] {
            let media = MediaType::parse(text);
            assert!(media.is_multipart());
            assert_eq!(media.param("boundary").as_deref(), Some("a b;c"));
        }
    }

    proptest! {
        #[test]
        fn splitting_loses_nothing(text in "[a,\"<>\\\\é ]{0,40}") {
            let joined = split(&text, ',').collect::<Vec<_>>().join(",");
            prop_assert_eq!(joined, text);
        }

        #[test]
        fn no_text_makes_an_address_or_a_type_panic(text in "\\PC{0,60}") {
            let address = Address::parse(&text);
            let _ = address.param("tag");
            let _ = MediaType::parse(&text).param("boundary");
            let _ = plain(&text, 7);
        }
    }
}
