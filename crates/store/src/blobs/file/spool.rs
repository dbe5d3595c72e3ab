//! The format of a spool: what was appended to all objects since the spool began, in order.
//!
//! ```text
//! file   = "voicelog spool" version:u16 record*
//! record = crc32:u32 byte_count:u32 offset:u64 key_len:u16 key bytes
//! ```
//!
//! Big-endian. The CRC-32 (IEEE) covers everything in the record after itself. Each record stands
//! alone: it names its object in full, so that no record depends on one before it. A record whose
//! checks fail ends the spool: that is the torn tail of a write that was never committed.

use crate::StoreError;
use crate::blobs::{OBJECT_BYTES_MAX, check_key};
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;

/// Name and version at the start of a spool.
pub(super) const HEADER: &[u8; 16] = b"voicelog spool\x00\x01";
/// How the name of a spool ends.
const SUFFIX: &str = ".spool";
/// Fixed bytes before a record's key.
const RECORD_HEADER_BYTES: usize = 4 + 4 + 8 + 2;

/// Where the bytes of one record lie and where they belong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    /// Position of the bytes in the spool.
    pub(super) at: u64,
    /// Where they belong in the object.
    pub(super) offset: u64,
    /// How many there are.
    pub(super) len: u64,
}

/// What a spool holds.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Pieces by object, in the order in which they were appended.
    pub(super) pieces: Vec<(String, Piece)>,
    /// Bytes after the last whole record.
    pub(super) torn_bytes: u64,
}

/// The name of the spool of a generation.
pub(super) fn name(generation: u64) -> String {
    format!("{generation:016}{SUFFIX}")
}

/// The generation whose spool has this name.
pub(super) fn generation(file_name: &str) -> Option<u64> {
    let generation = file_name.strip_suffix(SUFFIX)?.parse().ok()?;
    (name(generation) == file_name).then_some(generation)
}

/// Appends one record to a buffer. The caller has checked key and sizes.
pub(super) fn encode(out: &mut Vec<u8>, key: &str, offset: u64, bytes: &[u8]) {
    // Both fit: a key has at most 200 bytes and an object at most 128 MiB.
    let key_len = u16::try_from(key.len()).unwrap_or(u16::MAX);
    let byte_count = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut crc = crc32fast::Hasher::new();
    crc.update(&byte_count.to_be_bytes());
    crc.update(&offset.to_be_bytes());
    crc.update(&key_len.to_be_bytes());
    crc.update(key.as_bytes());
    crc.update(bytes);
    out.reserve(RECORD_HEADER_BYTES + key.len() + bytes.len());
    out.extend_from_slice(&crc.finalize().to_be_bytes());
    out.extend_from_slice(&byte_count.to_be_bytes());
    out.extend_from_slice(&offset.to_be_bytes());
    out.extend_from_slice(&key_len.to_be_bytes());
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(bytes);
}

/// Reads a spool up to the last whole record.
///
/// Errors: the disk cannot be read, or the spool has a version that this program does not know.
pub(super) fn scan(path: &Path) -> Result<Contents, StoreError> {
    let failed = |error| StoreError::io("read", path.display())(error);
    let file = File::open(path).map_err(failed)?;
    let total = file.metadata().map_err(failed)?.len();
    let input = BufReader::with_capacity(1 << 16, file);
    scan_input(input, total)
        .map_err(failed)?
        .ok_or_else(|| StoreError::Foreign {
            place: path.display().to_string(),
            why: "is not a spool that this program knows".to_owned(),
        })
}

/// None if it is not of a version that this program knows.
fn scan_input(input: impl Read, total: u64) -> std::io::Result<Option<Contents>> {
    let mut scanner = Scanner { input, at: 0 };
    let mut contents = Contents {
        torn_bytes: total,
        ..Contents::default()
    };
    let mut header = [0; HEADER.len()];
    if !scanner.fill(&mut header)? {
        return Ok(Some(contents));
    }
    if header != *HEADER {
        // A header of zeros is one that never reached the disk; another text is another format.
        let is_blank = header.iter().all(|byte| *byte == 0);
        return Ok(is_blank.then_some(contents));
    }
    let mut buffer = Vec::new();
    let mut whole = scanner.at;
    while let Some(record) = scanner.record(&mut buffer)? {
        contents.pieces.push(record);
        whole = scanner.at;
    }
    contents.torn_bytes = total.saturating_sub(whole);
    Ok(Some(contents))
}

struct Scanner<R> {
    input: R,
    at: u64,
}

impl<R: Read> Scanner<R> {
    /// Fills the buffer; false where the input ends before.
    fn fill(&mut self, buffer: &mut [u8]) -> std::io::Result<bool> {
        match self.input.read_exact(buffer) {
            Ok(()) => {
                self.at = self
                    .at
                    .saturating_add(u64::try_from(buffer.len()).unwrap_or(u64::MAX));
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The next record, or none at the end or at the first record that is not whole.
    fn record(&mut self, buffer: &mut Vec<u8>) -> std::io::Result<Option<(String, Piece)>> {
        let mut header = [0; RECORD_HEADER_BYTES];
        if !self.fill(&mut header)? {
            return Ok(None);
        }
        let [c0, c1, c2, c3, n0, n1, n2, n3, rest @ ..] = header;
        let [o0, o1, o2, o3, o4, o5, o6, o7, k0, k1] = rest;
        let len = u64::from(u32::from_be_bytes([n0, n1, n2, n3]));
        let offset = u64::from_be_bytes([o0, o1, o2, o3, o4, o5, o6, o7]);
        let key_len = u16::from_be_bytes([k0, k1]);
        if offset.saturating_add(len) > OBJECT_BYTES_MAX {
            return Ok(None);
        }
        let mut key = vec![0; usize::from(key_len)];
        if !self.fill(&mut key)? {
            return Ok(None);
        }
        let at = self.at;
        buffer.clear();
        self.at = self.at.saturating_add(len);
        // Not sized by the length field, which may be noise, but by what is really there.
        let read = self.input.by_ref().take(len).read_to_end(buffer)?;
        if u64::try_from(read).unwrap_or(0) != len {
            return Ok(None);
        }
        let mut crc = crc32fast::Hasher::new();
        crc.update(header.get(4..).unwrap_or_default());
        crc.update(&key);
        crc.update(buffer);
        let key = String::from_utf8(key).unwrap_or_default();
        if crc.finalize().to_be_bytes() != [c0, c1, c2, c3] || check_key(&key).is_err() {
            return Ok(None);
        }
        Ok(Some((key, Piece { at, offset, len })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scan_bytes(bytes: &[u8]) -> Contents {
        scan_input(bytes, bytes.len() as u64).unwrap().unwrap()
    }

    #[test]
    fn names_of_spools_are_read_strictly() {
        assert_eq!(generation(&name(42)), Some(42));
        for wrong in [
            "42.spool",
            "lock",
            "+000000000000042.spool",
            "0000000000000042",
        ] {
            assert_eq!(generation(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_spool_of_another_version_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name(1));
        crate::durable::create(&path, b"voicelog spool\x00\x02").unwrap();
        assert!(matches!(scan(&path), Err(StoreError::Foreign { .. })));
    }

    #[test]
    fn a_spool_that_is_cut_or_damaged_anywhere_gives_only_whole_records() {
        let mut bytes = HEADER.to_vec();
        let mut ends = vec![bytes.len()];
        for (key, offset, content) in [("a/b", 0, &b"one"[..]), ("c", 7, b""), ("a/b", 3, b"two")] {
            encode(&mut bytes, key, offset, content);
            ends.push(bytes.len());
        }
        let whole = |len: usize| {
            ends.iter()
                .filter(|end| **end <= len)
                .count()
                .saturating_sub(1)
        };
        for cut in 0..=bytes.len() {
            let contents = scan_bytes(&bytes[..cut]);
            assert_eq!(contents.pieces.len(), whole(cut), "cut at {cut}");
            let kept = if cut < HEADER.len() {
                0
            } else {
                ends[contents.pieces.len()]
            };
            assert_eq!(contents.torn_bytes, (cut - kept) as u64);
        }
        for at in HEADER.len()..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x40;
            assert_eq!(scan_bytes(&damaged).pieces.len(), whole(at), "byte {at}");
        }
        let mut zeros = bytes.clone();
        zeros.resize(bytes.len() + 100, 0);
        assert_eq!(scan_bytes(&zeros).pieces.len(), 3);
        assert_eq!(scan_bytes(&zeros).torn_bytes, 100);
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_found_where_it_lies(
            records in proptest::collection::vec(
                ("[a-z0-9]{1,9}(/[a-z0-9.-]{0,3}[a-z]){0,2}", 0u64..1_000_000,
                 proptest::collection::vec(any::<u8>(), 0..300)),
                0..20,
            ),
            noise in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let mut bytes = HEADER.to_vec();
            let mut expected = Vec::new();
            for (key, offset, content) in &records {
                if check_key(key).is_err() {
                    continue;
                }
                encode(&mut bytes, key, *offset, content);
                let at = (bytes.len() - content.len()) as u64;
                expected.push((key.clone(), Piece { at, offset: *offset, len: content.len() as u64 }));
            }
            bytes.extend_from_slice(&noise);
            let contents = scan_bytes(&bytes);
            prop_assert_eq!(contents.pieces, expected);
            prop_assert_eq!(contents.torn_bytes, noise.len() as u64);
        }
    }
}
