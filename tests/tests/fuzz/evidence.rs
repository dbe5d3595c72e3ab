//! The formats of evidence: what a stranger hands to `voicelog verify`, and what lies on a disk.

use super::{ROUNDS, kept, smoke, smoke_rounds};
use voicelog_evidence::checkpoint::Checkpoint;
use voicelog_evidence::cosignature::Cosigner;
use voicelog_evidence::note::SigningKey;
use voicelog_evidence::policy::{Policy, PolicyWitness};
use voicelog_evidence::tlog::EMPTY_ROOT;
use voicelog_evidence::witness::AddCheckpoint;
use voicelog_evidence::{fuzzing, zip};
use voicelog_model::Timestamp;

const BUNDLE: &[u8] = include_bytes!("../../../crates/evidence/tests/vectors/bundle/v1/call.zip");
const CHUNK: &[u8] = include_bytes!("../../../crates/evidence/tests/vectors/journal/v1/call.chunk");
const SEGMENT: &[u8] =
    include_bytes!("../../../crates/evidence/tests/vectors/segment/v1/call.segment");
const RECEIPT: &[u8] =
    include_bytes!("../../../crates/evidence/tests/vectors/receipt/v1/receipt.txt");
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
    smoke("chunk", &[CHUNK.to_vec()], fuzzing::decode_chunk);
}

#[test]
fn fuzz_smoke_segment() {
    smoke("segment", &[SEGMENT.to_vec()], fuzzing::open_segment);
}

#[test]
fn fuzz_smoke_key() {
    smoke("key", &[vec![1; 61], vec![0; 28]], fuzzing::open_key);
}

#[test]
fn fuzz_smoke_original() {
    smoke("original", &files(&[".journal"]), fuzzing::read_original);
}

#[test]
fn fuzz_smoke_documents() {
    smoke("documents", &files(&[".json"]), fuzzing::read_documents);
}

#[test]
fn fuzz_smoke_note() {
    smoke("note", &files(&[".note", ".vkey"]), fuzzing::read_note);
}

#[test]
fn fuzz_smoke_proof() {
    smoke("proof", &files(&[".tlog-proof"]), fuzzing::read_proof);
}

/// Its samples are those of `fuzz/corpus/timestamp`: answers of `openssl ts`, with the certificates to believe.
#[test]
fn fuzz_smoke_timestamp() {
    let samples = kept("timestamp");
    let hold = samples
        .iter()
        .filter(|sample| fuzzing::read_timestamp(sample));
    assert!(hold.count() > 1);
    smoke("timestamp", &samples, |input| {
        fuzzing::read_timestamp(input);
    });
}

/// A receipt, a policy, a cosigned checkpoint, and the request to cosign it.
fn vouching() -> Vec<Vec<u8>> {
    let log = SigningKey::from_seed("fuzz.example", [1; 32]).unwrap();
    let witness = Cosigner::from_seed("witness.example", [2; 32]).unwrap();
    let checkpoint = Checkpoint {
        origin: "fuzz.example".to_owned(),
        size: 0,
        root: EMPTY_ROOT,
    };
    let (text, at) = (
        checkpoint.to_string(),
        Timestamp::from_micros(1_795_255_200_000_000),
    );
    let signed = log.sign(&text).unwrap();
    let request = AddCheckpoint {
        old: 0,
        proof: Vec::new(),
        checkpoint: signed.clone(),
    };
    let one = PolicyWitness {
        name: "one".to_owned(),
        key: witness.verifier(),
        url: Some("https://witness.example/".to_owned()),
    };
    let policy = Policy::new(log.verifier(), vec![one], 1).unwrap();
    let cosigned = format!("{signed}{}", witness.cosign(&text, at));
    let texts = [policy.to_string(), cosigned, request.to_string()];
    let mut samples = vec![RECEIPT.to_vec()];
    samples.extend(texts.map(String::into_bytes));
    samples
}

#[test]
fn fuzz_smoke_vouching() {
    smoke("vouching", &vouching(), fuzzing::read_vouching);
}

#[test]
fn fuzz_smoke_zip() {
    smoke("zip", &[BUNDLE.to_vec()], fuzzing::read_zip);
}

/// Datagrams as they come from the wire: sound, a key that is pressed and let go, comfort noise,
/// reports, and a packet with everything that RTP allows.
fn datagrams() -> Vec<u8> {
    let rtp = |kind: u8, sequence: u8, payload: &[u8]| {
        let head = [0x80, kind, 0, sequence, 0, 0, sequence, 0, 1, 2, 3, 4];
        [&head, payload].concat()
    };
    let report = [
        &[0x80, 200, 0, 6, 1, 2, 3, 4][..],
        &[0; 20],
        &[0x81, 202, 0, 3, 1, 2, 3, 4, 1, 2, b'a', b'b', 0, 0, 0, 0],
        &[0x81, 203, 0, 1, 1, 2, 3, 4],
    ]
    .concat();
    let full = [
        &[
            0xb2, 8, 0, 6, 0, 0, 6, 0, 1, 2, 3, 4, 0, 0, 0, 1, 0, 0, 0, 2,
        ][..],
        &[0xbe, 0xde, 0, 1, 0x10, 7, 0, 0],
        &[0xd5; 20],
        &[4, 4, 4, 4],
    ]
    .concat();
    let pieces = [
        rtp(8, 1, &[0xd5; 160]),
        rtp(0x80 | 101, 2, &[5, 10, 0, 160]),
        rtp(101, 3, &[5, 0x8a, 1, 64]),
        rtp(101, 3, &[5, 0x8a, 1, 64]),
        rtp(13, 4, &[0x40]),
        rtp(8, 8, &[0xd5; 80]),
        report,
        full,
    ];
    let framed = |piece: Vec<u8>| [&[u8::try_from(piece.len()).unwrap(), 20][..], &piece].concat();
    pieces.into_iter().flat_map(framed).collect()
}

#[test]
fn fuzz_smoke_datagrams() {
    smoke("datagrams", &[datagrams()], fuzzing::take_datagrams);
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
    smoke_rounds(BUNDLE_ROUNDS, "sound", &[sound()], fuzzing::render_sound);
}

#[test]
fn fuzz_smoke_bundle() {
    smoke_rounds(
        BUNDLE_ROUNDS,
        "bundle",
        &[BUNDLE.to_vec()],
        fuzzing::verify_bundle,
    );
}
