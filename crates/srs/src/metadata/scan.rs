//! A first look over XML, before a tree is built: depth, attributes, document type, and where the
//! root element ends.
//!
//! It costs one pass and no memory, so that hostile nesting never reaches the reader.

use crate::limits::{METADATA_DEPTH_MAX, XML_ATTRIBUTES_MAX};

/// Why no tree should be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScanError {
    /// A `<!DOCTYPE` that could hold entities.
    Doctype,
    /// Too deep, or too many attributes on one element.
    TooComplex,
    /// No root element, or it does not end.
    Unclosed,
}

/// Position behind the end of the root element.
pub(crate) fn root_end(text: &str) -> Result<usize, ScanError> {
    let bytes = text.as_bytes();
    let mut depth = 0usize;
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let open = rest
            .iter()
            .position(|byte| *byte == b'<')
            .ok_or(ScanError::Unclosed)?;
        at += open;
        let tag = rest.get(open..).unwrap_or_default();
        let (length, change) = if tag.starts_with(b"<!--") {
            (until(tag, b"-->")?, Change::None)
        } else if tag.starts_with(b"<![CDATA[") {
            (until(tag, b"]]>")?, Change::None)
        } else if tag.starts_with(b"<?") {
            (until(tag, b"?>")?, Change::None)
        } else if tag.starts_with(b"<!") {
            // One that only names the document type is left out before a tree is built.
            let length = start_tag_len(tag).ok_or(ScanError::Unclosed)?;
            if depth > 0 || tag.get(..length).is_none_or(|tag| tag.contains(&b'[')) {
                return Err(ScanError::Doctype);
            }
            (length, Change::None)
        } else if tag.starts_with(b"</") {
            (until(tag, b">")?, Change::Out)
        } else {
            start_tag(tag)?
        };
        at += length;
        match change {
            Change::None => continue,
            Change::In => depth += 1,
            Change::Out => depth = depth.checked_sub(1).ok_or(ScanError::Unclosed)?,
            Change::InAndOut => {}
        }
        if depth > METADATA_DEPTH_MAX {
            return Err(ScanError::TooComplex);
        }
        if depth == 0 {
            return Ok(at);
        }
    }
}

enum Change {
    None,
    In,
    Out,
    InAndOut,
}

pub(super) fn until(tag: &[u8], end: &[u8]) -> Result<usize, ScanError> {
    tag.windows(end.len())
        .position(|window| window == end)
        .map(|at| at + end.len())
        .ok_or(ScanError::Unclosed)
}

/// Length of a tag up to the first `>` outside quotes.
pub(super) fn start_tag_len(tag: &[u8]) -> Option<usize> {
    let mut quote = None;
    let end = tag.iter().position(|byte| {
        match (quote, *byte) {
            (Some(open), byte) if byte == open => quote = None,
            (None, b'"' | b'\'') => quote = Some(*byte),
            _ => {}
        }
        quote.is_none() && *byte == b'>'
    });
    end.map(|end| end + 1)
}

/// Length of a start tag; a `>` inside a quoted value does not end it.
fn start_tag(tag: &[u8]) -> Result<(usize, Change), ScanError> {
    let mut quote = None;
    let mut attributes = 0;
    let mut previous = 0;
    for (at, byte) in tag.iter().enumerate() {
        match (quote, *byte) {
            (Some(open), byte) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => {
                quote = Some(*byte);
                attributes += 1;
                if attributes > XML_ATTRIBUTES_MAX {
                    return Err(ScanError::TooComplex);
                }
            }
            (None, b'>') if previous == b'/' => return Ok((at + 1, Change::InAndOut)),
            (None, b'>') => return Ok((at + 1, Change::In)),
            (None, _) => {}
        }
        previous = *byte;
    }
    Err(ScanError::Unclosed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_root_ends_where_its_tag_closes() {
        for text in [
            "<a/>",
            "<?xml version='1.0'?><!-- <b> --><a x='>'><![CDATA[</a>]]><b/></a>",
            "<!DOCTYPE a SYSTEM 'x>y'><a/>",
        ] {
            assert_eq!(root_end(&format!("{text} trailing")), Ok(text.len()));
        }
    }

    #[test]
    fn depth_attributes_and_doctypes_are_stopped() {
        let deep = |n: usize| format!("{}{}", "<a>".repeat(n), "</a>".repeat(n));
        assert!(root_end(&deep(METADATA_DEPTH_MAX)).is_ok());
        assert_eq!(
            root_end(&deep(METADATA_DEPTH_MAX + 1)),
            Err(ScanError::TooComplex)
        );
        let wide = format!("<a{}/>", " b=''".repeat(XML_ATTRIBUTES_MAX + 1));
        assert_eq!(root_end(&wide), Err(ScanError::TooComplex));
        assert_eq!(
            root_end("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"),
            Err(ScanError::Doctype)
        );
        assert_eq!(root_end("<a><b></b>"), Err(ScanError::Unclosed));
        assert_eq!(root_end("</a>"), Err(ScanError::Unclosed));
        assert_eq!(root_end("text"), Err(ScanError::Unclosed));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(<[a!?/-]|[a>'\"/ ]|-->){0,60}") {
            if let Ok(end) = root_end(&text) {
                prop_assert!(end <= text.len());
            }
        }
    }
}
