//! Reading the one form, and naming the place where a file is not of it.

use super::{ENTRIES_MAX, Entry, LOCAL, LOCAL_BYTES, NAME_BYTES_MAX, ZipError, directory, is_name};
use crate::wire::Reader;
use std::collections::BTreeSet;

/// An entry whose headers are right.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scanned<'a> {
    pub(crate) name: &'a str,
    pub(crate) content: &'a [u8],
    /// Where the content starts.
    pub(crate) at: usize,
    /// Whether the content matches its CRC-32.
    pub(crate) intact: bool,
}

/// Reads a ZIP file that [`super::write`] wrote: names and contents, in order.
pub fn read(bytes: &[u8]) -> Result<Vec<(&str, &[u8])>, ZipError> {
    let scanned = scan(bytes)?;
    match scanned.iter().find(|entry| !entry.intact) {
        Some(entry) => Err(ZipError::Content {
            entry: entry.name.to_owned(),
            at: entry.at,
        }),
        None => Ok(scanned
            .into_iter()
            .map(|entry| (entry.name, entry.content))
            .collect()),
    }
}

/// Like [`read`], but an entry whose content does not match its CRC-32 is only marked, so that a
/// verifier can go on and name all that is broken.
pub(crate) fn scan(bytes: &[u8]) -> Result<Vec<Scanned<'_>>, ZipError> {
    let mut entries = Vec::new();
    let mut scanned = Vec::new();
    let mut names = BTreeSet::new();
    let mut at = 0;
    while bytes.get(at..).is_some_and(|rest| rest.starts_with(&LOCAL)) {
        if entries.len() >= ENTRIES_MAX {
            return Err(ZipError::TooLarge);
        }
        let (entry, content_at) = read_local(bytes, at)?;
        let malformed = |what| ZipError::Malformed {
            at,
            what,
            entry: Some(entry.name.to_owned()),
        };
        if !names.insert(entry.name) {
            return Err(malformed("a second entry of this name"));
        }
        let byte_len = usize::try_from(entry.byte_len).unwrap_or(usize::MAX);
        let content = content_at
            .checked_add(byte_len)
            .and_then(|end| bytes.get(content_at..end))
            .ok_or_else(|| malformed("the content is longer than the file"))?;
        let intact = crc32fast::hash(content) == entry.crc;
        scanned.push(Scanned {
            name: entry.name,
            content,
            at: content_at,
            intact,
        });
        entries.push(entry);
        at = content_at + byte_len;
    }
    let expected = directory(&entries, at)?;
    let found = bytes.get(at..).unwrap_or_default();
    if found == expected {
        return Ok(scanned);
    }
    let same = expected
        .iter()
        .zip(found)
        .take_while(|(left, right)| left == right)
        .count();
    let what = if same == expected.len() {
        "bytes behind the end of the file"
    } else if same < expected.len().saturating_sub(22) {
        "the central directory does not agree with the entries"
    } else {
        "the end record is not right"
    };
    // The entry before which reading stopped is the likeliest to have a damaged length.
    let entry = if same == 0 {
        entries.last().map(|entry| entry.name.to_owned())
    } else {
        None
    };
    Err(ZipError::Malformed {
        at: at + same,
        what,
        entry,
    })
}

/// Reads one local header, byte for byte as it is written; gives where its content starts.
fn read_local(bytes: &[u8], at: usize) -> Result<(Entry<'_>, usize), ZipError> {
    const CUT: &str = "a local header is cut";
    let malformed = |at, what, entry| ZipError::Malformed { at, what, entry };
    let cut = || malformed(at, CUT, None);
    let head = bytes.get(at..).unwrap_or_default();
    // CRC-32, length and length of the name are free; all else follows from them.
    let mut free = Reader::new(head.get(14..LOCAL_BYTES).ok_or_else(cut)?);
    let crc = free.array().map(u32::from_le_bytes).ok_or_else(cut)?;
    let byte_len = free.array().map(u32::from_le_bytes).ok_or_else(cut)?;
    let _second_length = free.u32().ok_or_else(cut)?;
    let name_len = usize::from(free.array().map(u16::from_le_bytes).ok_or_else(cut)?);
    let name = head
        .get(LOCAL_BYTES..LOCAL_BYTES + name_len.min(NAME_BYTES_MAX + 1))
        .and_then(|name| std::str::from_utf8(name).ok())
        .filter(|name| is_name(name))
        .ok_or_else(|| malformed(at + LOCAL_BYTES, "no plain name", None))?;
    let offset = u32::try_from(at).map_err(|_| ZipError::TooLarge)?;
    let entry = Entry {
        name,
        crc,
        byte_len,
        offset,
    };
    let mut expected = Vec::with_capacity(LOCAL_BYTES + name.len());
    entry.put_local(&mut expected);
    match expected
        .iter()
        .zip(head)
        .position(|(left, right)| left != right)
    {
        Some(differs) => Err(malformed(
            at + differs,
            "a local header is not right",
            Some(name.to_owned()),
        )),
        None => Ok((entry, at + expected.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::write;
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Vec<u8> {
        write(&[
            ("README.txt", b"read me"),
            ("original/1.journal", &[0; 40]),
            ("empty", b""),
        ])
        .unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = sample();
        let entries = read(&bytes).unwrap();
        assert_eq!(entries[0], ("README.txt", &b"read me"[..]));
        assert_eq!(entries[1], ("original/1.journal", &[0; 40][..]));
        assert_eq!(entries[2], ("empty", &b""[..]));
        assert_eq!(read(&write(&[]).unwrap()).unwrap(), []);
    }

    #[test]
    fn a_changed_bit_anywhere_is_named_by_its_place() {
        let bytes = sample();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                match read(&changed).unwrap_err() {
                    ZipError::Malformed { at: found, .. } => {
                        assert!(found <= bytes.len(), "{at}: {found}");
                    }
                    ZipError::Content { entry, at: found } => {
                        assert!(found <= at || entry.is_empty(), "{at}: {entry} {found}");
                    }
                    other => panic!("{at}: {other}"),
                }
            }
        }
    }

    #[test]
    fn a_cut_and_an_addition_are_seen() {
        let bytes = sample();
        for cut in 0..bytes.len() {
            assert!(read(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        assert!(read(&[bytes.clone(), vec![0]].concat()).is_err());
        assert!(read(&[vec![0], bytes].concat()).is_err());
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in [
            "",
            "/etc/passwd",
            "../up",
            "a//b",
            "a/../b",
            "a\\b",
            "a b",
            ".hidden",
            "é",
            "a/",
        ] {
            assert_eq!(
                write(&[(name, b"")]),
                Err(ZipError::Name(name.into())),
                "{name}"
            );
        }
        assert!(write(&[("a", b""), ("a", b"")]).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(tail in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ignored = read(&tail);
            let _ignored = read(&[&LOCAL[..], &tail].concat());
        }
    }
}
