//! The formats of evidence: what a stranger hands to `voicelog verify`, and what lies on a disk.

use super::{ROUNDS, smoke, smoke_rounds};
use voicelog_evidence::{fuzzing, zip};

const BUNDLE: &[u8] = include_bytes!("../../../crates/evidence/tests/vectors/bundle/v1/call.zip");
const CHUNK: &[u8] = include_bytes!("../../../crates/evidence/tests/vectors/journal/v1/call.chunk");
const SEGMENT: &[u8] =
    include_bytes!("../../../crates/evidence/tests/vectors/segment/v1/call.segment");
/// A bundle is verified whole each time; damage is mostly found at its door.
const BUNDLE_ROUNDS: usize = ROUNDS / 10;

/// The files of the bundle whose names end so.
fn files(ends: &[&str]) -> Vec<Vec<u8>> {
    let files = zip::read(BUNDLE).unwrap();
    let wanted = |name: &str| ends.iter().any(|end| name.ends_with(end));
    let found: Vec<_> = files
        .iter()
        .filter(|(name, _)| wanted(name))
        .map(|(_, bytes)| bytes.to_vec())
        .collect();
    assert!(!found.is_empty(), "nothing in the bundle ends in {ends:?}");
    found
}

#[test]
fn fuzz_smoke_chunk() {
    smoke(20, &[CHUNK.to_vec()], fuzzing::decode_chunk);
}

#[test]
fn fuzz_smoke_segment() {
    smoke(21, &[SEGMENT.to_vec()], fuzzing::open_segment);
}

#[test]
fn fuzz_smoke_key() {
    smoke(22, &[vec![1; 61], vec![0; 28]], fuzzing::open_key);
}

#[test]
fn fuzz_smoke_original() {
    smoke(23, &files(&[".journal"]), fuzzing::read_original);
}

#[test]
fn fuzz_smoke_documents() {
    smoke(24, &files(&[".json"]), fuzzing::read_documents);
}

#[test]
fn fuzz_smoke_note() {
    smoke(25, &files(&[".note", ".vkey"]), fuzzing::read_note);
}

#[test]
fn fuzz_smoke_proof() {
    smoke(26, &files(&[".tlog-proof"]), fuzzing::read_proof);
}

#[test]
fn fuzz_smoke_zip() {
    smoke(27, &[BUNDLE.to_vec()], fuzzing::read_zip);
}

/// Packets of every codec that a call can hold, in turn.
fn sound() -> Vec<u8> {
    let mut bytes = Vec::new();
    for n in 0..60_u8 {
        let payload = [n; 40];
        bytes.extend_from_slice(&[40, n, n / 20, 20]);
        bytes.extend_from_slice(&payload);
    }
    bytes
}

#[test]
fn fuzz_smoke_sound() {
    smoke_rounds(BUNDLE_ROUNDS, 29, &[sound()], fuzzing::render_sound);
}

#[test]
fn fuzz_smoke_bundle() {
    smoke_rounds(
        BUNDLE_ROUNDS,
        28,
        &[BUNDLE.to_vec()],
        fuzzing::verify_bundle,
    );
}
