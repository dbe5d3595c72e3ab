//! What the media threads hand to the writer: the journals of many calls since their last chunks,
//! one behind the other in one piece of memory.
//!
//! One piece and not one for each call: a call's own buffer is then filled again at once, and what
//! waits for a slow disk takes the room of its bytes and no more.

use std::ops::Range;
use voicelog_model::RecordingId;

/// Chunks of several recordings, in the order in which they are to be written.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    bytes: Vec<u8>,
    places: Vec<(RecordingId, Range<usize>)>,
}

impl Chunks {
    /// One chunk.
    pub(crate) fn of_one(id: RecordingId, plaintext: Vec<u8>) -> Self {
        let places = vec![(id, 0..plaintext.len())];
        Self {
            bytes: plaintext,
            places,
        }
    }

    /// Adds the chunk of one recording.
    pub(crate) fn push(&mut self, id: RecordingId, plaintext: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(plaintext);
        self.places.push((id, start..self.bytes.len()));
    }

    /// Each recording with its chunk.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (RecordingId, &[u8])> {
        let chunk = |place: &Range<usize>| self.bytes.get(place.clone()).unwrap_or_default();
        self.places
            .iter()
            .map(move |(id, place)| (*id, chunk(place)))
    }

    /// Bytes of all chunks together.
    pub(crate) const fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is none.
    pub(crate) const fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_recording_gets_its_own_bytes_back() {
        let ids = [1, 2, 3].map(|byte| RecordingId::from_bytes([byte; 16]));
        let mut chunks = Chunks::default();
        assert!(chunks.is_empty());
        for (id, plaintext) in ids.iter().zip([&b"abc"[..], b"", b"de"]) {
            chunks.push(*id, plaintext);
        }
        let found: Vec<_> = chunks.iter().collect();
        let expected: [(_, &[u8]); 3] = [(ids[0], b"abc"), (ids[1], b""), (ids[2], b"de")];
        assert_eq!((found, chunks.byte_len()), (expected.to_vec(), 5));
        let one = Chunks::of_one(ids[1], b"xyz".to_vec());
        assert_eq!(one.iter().collect::<Vec<_>>(), [(ids[1], &b"xyz"[..])]);
    }
}
