//! Reading the one form, and naming the place where a file is not of it.

use super::{ENTRIES_MAX, Entry, LOCAL, LOCAL_BYTES, NAME_BYTES_MAX, ZipError, directory, is_name};
use crate::wire::Reader;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::ops::Range;

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

/// Where the content of an entry lies, by headers that are right.
pub(crate) struct Place {
    name: String,
    crc: u32,
    content: Range<usize>,
}

/// Like [`read`], but an entry whose content does not match its CRC-32 is only marked, so that a
/// verifier can go on and name all that is broken.
pub(crate) fn scan(bytes: &[u8]) -> Result<Vec<Scanned<'_>>, ZipError> {
    let part = |range: Range<usize>| bytes.get(range).unwrap_or_default().to_vec();
    let places = outline(bytes.len(), |range| Ok::<_, Infallible>(part(range)));
    let places = places.unwrap_or_else(|never| match never {})?;
    let scanned = places.iter().map(|place| {
        let name = place.content.start.saturating_sub(place.name.len())..place.content.start;
        let content = bytes.get(place.content.clone()).unwrap_or_default();
        Scanned {
            name: std::str::from_utf8(bytes.get(name).unwrap_or_default()).unwrap_or_default(),
            content,
            at: place.content.start,
            intact: crc32fast::hash(content) == place.crc,
        }
    });
    Ok(scanned.collect())
}

/// Looks at all of a file of `size` bytes but the contents. `part` gives the bytes of a range that lies within the file; its
/// error ends it.
pub(crate) fn outline<E>(
    size: usize,
    mut part: impl FnMut(Range<usize>) -> Result<Vec<u8>, E>,
) -> Result<Result<Vec<Place>, ZipError>, E> {
    let mut places: Vec<Place> = Vec::new();
    let mut names = BTreeSet::new();
    let mut at = 0;
    loop {
        let head = part(at..size.min(at + LOCAL_BYTES + NAME_BYTES_MAX + 1))?;
        if !head.starts_with(&LOCAL) {
            break;
        }
        if places.len() >= ENTRIES_MAX {
            return Ok(Err(ZipError::TooLarge));
        }
        let place = match read_local(&head, at, size) {
            Ok(place) => place,
            Err(error) => return Ok(Err(error)),
        };
        if !names.insert(place.name.clone()) {
            return Ok(Err(ZipError::Malformed {
                at,
                what: "a second entry of this name",
                entry: Some(place.name),
            }));
        }
        at = place.content.end;
        places.push(place);
    }
    let expected = match directory_of(&places, at) {
        Ok(expected) => expected,
        Err(error) => return Ok(Err(error)),
    };
    let found = part(at..size.min(at + expected.len() + 1))?;
    Ok(match found == expected {
        true => Ok(places),
        false => Err(wrong_end(&places, at, &expected, &found)),
    })
}

/// Central directory and end record, as they follow from the entries before them.
fn directory_of(places: &[Place], at: usize) -> Result<Vec<u8>, ZipError> {
    let mut offset = 0;
    let mut entries = Vec::with_capacity(places.len());
    for place in places {
        entries.push(entry(place, offset)?);
        offset = place.content.end;
    }
    directory(&entries, at)
}

fn entry(place: &Place, offset: usize) -> Result<Entry<'_>, ZipError> {
    Ok(Entry {
        name: &place.name,
        crc: place.crc,
        byte_len: u32::try_from(place.content.len()).map_err(|_| ZipError::TooLarge)?,
        offset: u32::try_from(offset).map_err(|_| ZipError::TooLarge)?,
    })
}

fn wrong_end(places: &[Place], at: usize, expected: &[u8], found: &[u8]) -> ZipError {
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
    let entry = places.last().filter(|_| same == 0);
    ZipError::Malformed {
        at: at + same,
        what,
        entry: entry.map(|place| place.name.clone()),
    }
}

/// Reads one local header, byte for byte as it is written. `head` is what the file has from `at` on.
fn read_local(head: &[u8], at: usize, size: usize) -> Result<Place, ZipError> {
    const CUT: &str = "a local header is cut";
    let malformed = |at, what, entry| ZipError::Malformed { at, what, entry };
    let cut = || malformed(at, CUT, None);
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
    let header = Entry {
        name,
        crc,
        byte_len,
        offset,
    };
    let mut expected = Vec::with_capacity(LOCAL_BYTES + name.len());
    header.put_local(&mut expected);
    let name = name.to_owned();
    let mut both = expected.iter().zip(head);
    if let Some(differs) = both.position(|(left, right)| left != right) {
        let what = "a local header is not right";
        return Err(malformed(at + differs, what, Some(name)));
    }
    let start = at + expected.len();
    let byte_len = usize::try_from(byte_len).unwrap_or(usize::MAX);
    let end = start.checked_add(byte_len).filter(|end| *end <= size);
    match end {
        Some(end) => Ok(Place {
            name,
            crc,
            content: start..end,
        }),
        None => Err(malformed(
            at,
            "the content is longer than the file",
            Some(name),
        )),
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
