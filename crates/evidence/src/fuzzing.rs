//! Bodies of the fuzz targets: each takes any bytes and must come back.
//!
//! They live here and not in the targets, so that the ordinary tests run them too.

use crate::bundle::BundleNote;
use crate::certificate::Certificate;
use crate::checkpoint::{Checkpoint, TlogProof};
use crate::journal::{ChunkReader, JournalEvent};
use crate::key::{DataKey, KeyEncryptionKey, open_bytes, unwrap_key};
use crate::manifest::Manifest;
use crate::note::{Note, SigningKey, VerifierKey};
use crate::original::{self, EVENTS};
use crate::segment::{CHAIN_START, SegmentReader};
use crate::timeline::{Timeline, TimelineBuilder};
use crate::tlog::{CompactRange, Leaf};
use voicelog_model::{RecordingId, StreamNumber};

/// Reads a chunk, and builds the timeline of what it holds.
pub fn decode_chunk(data: &[u8]) {
    let mut timeline = TimelineBuilder::new();
    let Ok(mut reader) = ChunkReader::new(data) else {
        return;
    };
    while let Ok(Some(record)) = reader.next_record() {
        timeline.push_view(record);
    }
    let _timeline = timeline.finish();
}

/// Opens a segment with a key that did not seal it, whole and as the tail of a right header.
pub fn open_segment(data: &[u8]) {
    let (key, recording) = (
        DataKey::from_random([1; 32]),
        RecordingId::from_bytes([2; 16]),
    );
    let _opened = SegmentReader::open(&key, recording, 1, CHAIN_START, data);
    let (_, mut bytes) = crate::SegmentWriter::create(&key, recording, 1, CHAIN_START);
    bytes.extend_from_slice(data);
    let _opened = SegmentReader::open(&key, recording, 1, CHAIN_START, &bytes);
}

/// Opens a wrapped key and a sealed column.
pub fn open_key(data: &[u8]) {
    let (key, recording) = (
        DataKey::from_random([1; 32]),
        RecordingId::from_bytes([2; 16]),
    );
    let _key = unwrap_key(&[KeyEncryptionKey::new(1, [3; 32])], recording, data);
    let _column = open_bytes(&key, "fuzz", recording, data);
}

/// Reads the files of an original.
pub fn read_original(data: &[u8]) {
    let _packets = original::read_packets(StreamNumber(1), data);
    let _events = original::read_events(data);
    let framed = [original::header(EVENTS), data.to_vec()].concat();
    let _events = original::read_events(&framed);
}

/// Reads the canonical JSON documents.
pub fn read_documents(data: &[u8]) {
    let _manifest = Manifest::from_bytes(data);
    let _timeline = Timeline::from_bytes(data);
    let _leaf = Leaf::from_bytes(data);
    let _event = crate::from_canonical::<JournalEvent>(data);
    let _state = CompactRange::from_bytes(data);
}

/// Reads a note in all its uses.
pub fn read_note(data: &[u8]) {
    let Ok(key) = SigningKey::from_seed("fuzz.example", [1; 32]) else {
        return;
    };
    let _checkpoint = Checkpoint::verify(data, &key.verifier());
    let _certificate = Certificate::verify(data, &key.verifier());
    if let Ok(note) = Note::parse(data) {
        let _list = BundleNote::parse(note.unverified_text());
        let _checkpoint = Checkpoint::parse(note.unverified_text());
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _key = text.parse::<VerifierKey>();
        let _list = BundleNote::parse(text);
    }
}

/// Reads and verifies a proof.
pub fn read_proof(data: &[u8]) {
    let Ok(key) = SigningKey::from_seed("fuzz.example", [1; 32]) else {
        return;
    };
    if let Ok(proof) = TlogProof::parse(data) {
        let _checkpoint = proof.verify(&[0; 32], &key.verifier());
    }
}

/// Reads a ZIP file.
pub fn read_zip(data: &[u8]) {
    let _files = crate::zip::read(data);
}

/// Verifies a bundle.
pub fn verify_bundle(data: &[u8]) {
    let _report = crate::verify(data, None);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_bytes_make_anything_panic(data in proptest::collection::vec(any::<u8>(), 0..300)) {
            super::decode_chunk(&data);
            super::open_segment(&data);
            super::open_key(&data);
            super::read_original(&data);
            super::read_documents(&data);
            super::read_note(&data);
            super::read_proof(&data);
            super::read_zip(&data);
            super::verify_bundle(&data);
        }
    }
}
