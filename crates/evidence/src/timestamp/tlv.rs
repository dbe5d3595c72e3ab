//! The little of DER (X.690 §10) that a timestamp needs: elements with a definite, shortest length.
//!
//! Nothing here recurses: who reads decides how deep, so no input can.

use super::TimestampError;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTETS: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OID: u8 = 0x06;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// One element: its tag, its content, and all of its bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    pub(super) whole: &'a [u8],
}

/// Elements one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

type Read<T> = Result<T, TimestampError>;

const MALFORMED: TimestampError = TimestampError::Malformed;

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next element, whatever it is.
    pub(super) fn any(&mut self) -> Read<Element<'a>> {
        let (&tag, rest) = self.0.split_first().ok_or(MALFORMED)?;
        // Tags of several bytes occur nowhere in a timestamp.
        if tag & 0x1f == 0x1f {
            return Err(MALFORMED);
        }
        let (&first, rest) = rest.split_first().ok_or(MALFORMED)?;
        let (length, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            let count = usize::from(first & 0x7f);
            if !(1..=4).contains(&count) {
                return Err(MALFORMED);
            }
            let (digits, rest) = rest.split_at_checked(count).ok_or(MALFORMED)?;
            let length = digits
                .iter()
                .fold(0_usize, |sum, digit| (sum << 8) | usize::from(*digit));
            let is_shortest = digits.first() != Some(&0) && length >= 0x80;
            if !is_shortest {
                return Err(MALFORMED);
            }
            (length, rest)
        };
        let (content, rest) = rest.split_at_checked(length).ok_or(MALFORMED)?;
        let taken = self.0.len() - rest.len();
        let whole = self.0.get(..taken).ok_or(MALFORMED)?;
        self.0 = rest;
        Ok(Element {
            tag,
            content,
            whole,
        })
    }

    /// The next element, which must have this tag.
    pub(super) fn need(&mut self, tag: u8) -> Read<Element<'a>> {
        let element = self.any()?;
        if element.tag == tag {
            Ok(element)
        } else {
            Err(MALFORMED)
        }
    }

    /// The next element if it has this tag.
    pub(super) fn maybe(&mut self, tag: u8) -> Read<Option<Element<'a>>> {
        if self.0.first() == Some(&tag) {
            self.any().map(Some)
        } else {
            Ok(None)
        }
    }

    /// Nothing may follow.
    pub(super) const fn end(&self) -> Read<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(MALFORMED)
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> Element<'a> {
    /// What is in it.
    pub(super) const fn inside(&self) -> Reader<'a> {
        Reader::new(self.content)
    }

    /// A small whole number that is not negative.
    pub(super) fn small(&self) -> Read<u64> {
        match self.content {
            [] => Err(MALFORMED),
            [first, ..] if *first >= 0x80 => Err(MALFORMED),
            [0, second, ..] if *second < 0x80 => Err(MALFORMED),
            bytes if bytes.len() <= 8 => Ok(bytes
                .iter()
                .fold(0, |sum, byte| (sum << 8) | u64::from(*byte))),
            _ => Err(MALFORMED),
        }
    }
}

/// The only element of these bytes.
pub(super) fn only(bytes: &[u8], tag: u8) -> Read<Element<'_>> {
    let mut reader = Reader::new(bytes);
    let element = reader.need(tag)?;
    reader.end()?;
    Ok(element)
}

/// An element with this content.
pub(super) fn write(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    let length = content.len().to_be_bytes();
    let digits: Vec<u8> = length.into_iter().skip_while(|digit| *digit == 0).collect();
    match digits.as_slice() {
        [] => bytes.push(0),
        [small] if *small < 0x80 => bytes.push(*small),
        _ => {
            bytes.push(0x80 | u8::try_from(digits.len()).unwrap_or(0x7f));
            bytes.extend_from_slice(&digits);
        }
    }
    bytes.extend_from_slice(content);
    bytes
}
