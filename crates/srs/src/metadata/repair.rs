//! What clients write that is no XML, or not the XML that was agreed on, made readable where no
//! guess can change the meaning. The document is kept as it came all the same.

use super::scan::{start_tag_len, until};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write;

/// Most prefixes that are bound where the document forgot to.
const PREFIXES_MAX: usize = 16;

/// The text of a document, and whether it was UTF-8. UTF-16 is known by its byte order mark, or by
/// the zero byte of its first character (XML 1.0 appendix F).
pub(super) fn text(bytes: &[u8]) -> (Cow<'_, str>, bool) {
    let units = |order: fn([u8; 2]) -> u16| {
        let (pairs, _) = bytes.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| order(*pair)).collect();
        (Cow::Owned(String::from_utf16_lossy(&units)), false)
    };
    match bytes {
        [0xfe, 0xff, ..] | [0, b'<', ..] => units(u16::from_be_bytes),
        [0xff, 0xfe, ..] | [b'<', 0, ..] => units(u16::from_le_bytes),
        _ => {
            let text = String::from_utf8_lossy(bytes);
            let is_utf8 = matches!(text, Cow::Borrowed(_));
            (text, is_utf8)
        }
    }
}

/// Whether it looks like a document of ours, by the name of its root element.
pub(crate) fn is_metadata(bytes: &[u8]) -> bool {
    let (text, _) = text(bytes);
    let root = text.split('<').skip(1).find(|tag| {
        let first = tag.chars().next();
        first.is_some_and(|c| c.is_alphabetic() || c == '_')
    });
    let name = root.and_then(|tag| tag.split([' ', '\t', '\r', '\n', '>', '/']).next());
    let name = name.map(|name| name.rsplit(':').next().unwrap_or(name));
    name.is_some_and(super::read::is_root)
}

/// Escapes each `&` that begins no reference that XML knows.
pub(super) fn escape_ampersands(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut pieces = text.split('&');
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let name = piece.split_once(';').map_or("", |(name, _)| name);
        let is_number = name.strip_prefix('#').is_some_and(|digits| {
            let digits = digits.strip_prefix('x').unwrap_or(digits);
            !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit())
        });
        let is_reference = is_number || matches!(name, "amp" | "lt" | "gt" | "quot" | "apos");
        out.push_str(if is_reference { "&" } else { "&amp;" });
        out.push_str(piece);
    }
    out
}

/// The document without a document type declaration that holds no entities: the reader takes none,
/// and nothing outside the document is ever fetched.
pub(super) fn without_doctype(text: &str) -> Cow<'_, str> {
    let mut at = 0;
    while let Some(open) = text.get(at..).and_then(|rest| rest.find('<')) {
        at += open;
        let tag = text.get(at..).unwrap_or_default().as_bytes();
        let skipped = match tag {
            [b'<', b'?', ..] => until(tag, b"?>"),
            [b'<', b'!', b'-', b'-', ..] => until(tag, b"-->"),
            [b'<', b'!', ..] => {
                let end = start_tag_len(tag).unwrap_or(tag.len());
                let (before, rest) = text.split_at_checked(at).unwrap_or((text, ""));
                return Cow::Owned(format!("{before}{}", rest.get(end..).unwrap_or_default()));
            }
            _ => break,
        };
        match skipped {
            Ok(length) => at += length,
            Err(_) => break,
        }
    }
    Cow::Borrowed(text)
}

/// The document with each prefix bound that it uses and does not bind at its root, and without the
/// second of two attributes of one name. `None` where it cannot be taken apart.
pub(super) fn mend(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len() + 64);
    let mut prefixes = BTreeSet::new();
    let mut bound = BTreeSet::new();
    // Where the root's own attributes begin, once it is known.
    let mut root = None;
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        out.push_str(rest.get(..open)?);
        rest = rest.get(open..)?;
        let bytes = rest.as_bytes();
        let length = match bytes {
            [b'<', b'!', b'-', b'-', ..] => until(bytes, b"-->").ok()?,
            [b'<', b'!', ..] => until(bytes, b"]]>").ok()?,
            [b'<', b'?', ..] => until(bytes, b"?>").ok()?,
            [b'<', b'/', ..] => until(bytes, b">").ok()?,
            _ => {
                let length = start_tag_len(bytes)?;
                let tag = StartTag::read(rest.get(..length)?)?;
                prefixes.extend(tag.prefixes());
                let end = tag.write(&mut out);
                if root.is_none() {
                    root = Some(end);
                    bound = tag.bound();
                }
                rest = rest.get(length..)?;
                continue;
            }
        };
        out.push_str(rest.get(..length)?);
        rest = rest.get(length..)?;
    }
    out.push_str(rest);
    let mut missing = String::new();
    let unbound: Vec<_> = prefixes.difference(&bound).collect();
    if unbound.len() > PREFIXES_MAX {
        return None;
    }
    for prefix in unbound {
        // Writing to a string cannot fail.
        let _infallible = write!(missing, " xmlns:{prefix}=\"urn:unbound:{prefix}\"");
    }
    out.insert_str(root?, &missing);
    Some(out)
}

/// The name and the attributes of a start tag, as written.
struct StartTag<'a> {
    name: &'a str,
    /// Name, and value with its quotes; each name once.
    attributes: Vec<(&'a str, &'a str)>,
    is_empty: bool,
}

impl<'a> StartTag<'a> {
    fn read(tag: &'a str) -> Option<Self> {
        let inner = tag.strip_prefix('<')?.strip_suffix('>')?;
        let (inner, is_empty) = match inner.strip_suffix('/') {
            Some(inner) => (inner, true),
            None => (inner, false),
        };
        let end = inner.find(char::is_whitespace).unwrap_or(inner.len());
        let (name, mut rest) = inner.split_at_checked(end)?;
        let mut attributes: Vec<(&str, &str)> = Vec::new();
        loop {
            rest = rest.trim_start();
            if rest.is_empty() {
                break;
            }
            let (attribute, after) = rest.split_once('=')?;
            let (attribute, after) = (attribute.trim_end(), after.trim_start());
            let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            let close = after.get(1..)?.find(quote)? + 2;
            if !attributes.iter().any(|(known, _)| *known == attribute) {
                attributes.push((attribute, after.get(..close)?));
            }
            rest = after.get(close..)?;
        }
        Some(Self {
            name,
            attributes,
            is_empty,
        })
    }

    /// Writes the tag; where its attributes begin.
    fn write(&self, out: &mut String) -> usize {
        out.push('<');
        out.push_str(self.name);
        let end = out.len();
        for (name, value) in &self.attributes {
            for piece in [" ", name, "=", value] {
                out.push_str(piece);
            }
        }
        out.push_str(if self.is_empty { "/>" } else { ">" });
        end
    }

    /// Prefixes that it uses.
    fn prefixes(&self) -> impl Iterator<Item = String> {
        let names = self.attributes.iter().map(|(name, _)| *name);
        let prefixes = std::iter::once(self.name).chain(names);
        let prefixes = prefixes.filter_map(|name| Some(name.split_once(':')?.0));
        let is_own = |prefix: &&str| !matches!(*prefix, "" | "xml" | "xmlns");
        prefixes.filter(is_own).map(str::to_owned)
    }

    /// Prefixes that it binds.
    fn bound(&self) -> BTreeSet<String> {
        let names = self.attributes.iter();
        let bound = names.filter_map(|(name, _)| name.strip_prefix("xmlns:"));
        bound.map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prefixes_that_nothing_binds_are_bound_at_the_root_and_doubled_attributes_dropped() {
        assert_eq!(
            mend("<?xml version='1.0'?><r xmlns:a='u'><a:b/><ac:Id x='1' x = \"2\" y:z='>'>t</ac:Id></r>").unwrap(),
            "<?xml version='1.0'?><r xmlns:ac=\"urn:unbound:ac\" xmlns:y=\"urn:unbound:y\" xmlns:a='u'><a:b/><ac:Id x='1' y:z='>'>t</ac:Id></r>"
        );
        for broken in ["<r a></r>", "<r a=b/>", "text", "<r"] {
            assert_eq!(mend(broken), None, "{broken}");
        }
    }

    #[test]
    fn a_document_type_without_entities_is_left_out() {
        assert_eq!(
            without_doctype(
                "<?xml version='1.0'?>\n<!DOCTYPE recording SYSTEM \"a>b\">\n<recording/>"
            ),
            "<?xml version='1.0'?>\n\n<recording/>"
        );
        assert_eq!(without_doctype("<r><!x></r>"), "<r><!x></r>");
    }

    #[test]
    fn utf16_is_known_by_its_mark_or_by_its_zeros() {
        for (order, mark) in [(true, true), (true, false), (false, true), (false, false)] {
            let text_of = if mark { "\u{feff}<é/>" } else { "<é/>" };
            let bytes: Vec<u8> = text_of
                .encode_utf16()
                .flat_map(|unit| {
                    if order {
                        unit.to_be_bytes()
                    } else {
                        unit.to_le_bytes()
                    }
                })
                .collect();
            assert_eq!(text(&bytes), (Cow::Borrowed(text_of), false));
        }
    }

    #[test]
    fn a_document_is_known_by_its_root() {
        for yes in [
            "<recording/>",
            "\u{feff}<?xml version='1.0'?>\n<!-- a -->\n<rs:Recording xmlns:rs='x'>",
        ] {
            assert!(is_metadata(yes.as_bytes()), "{yes}");
        }
        for no in ["<presence/>", "", "recording", "<"] {
            assert!(!is_metadata(no.as_bytes()), "{no}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(<[a!?/-]?|[a:='\"> é]|-->|]]>){0,40}") {
            let _ = (mend(&text), without_doctype(&text), is_metadata(text.as_bytes()));
        }
    }
}
