//! Bytes that were written once and must be read for ever.
//!
//! Each version of each format keeps its folder in `tests/vectors`; from the first release on, files there are only added.
//! A failing comparison leaves the present bytes in the target folder and names the place.

use crate::fixture::{Parts, archive_key, chunk, data_key, recording, records, segment, verifier};
use crate::part::{copy, excerpt, redaction, without};
use std::io::Write as _;
use std::path::Path;
use voicelog_evidence::receipt::Receipt;
use voicelog_evidence::segment::CHAIN_START;
use voicelog_evidence::tlog::{commitment, root_of};
use voicelog_evidence::{
    Certificate, Checkpoint, CopyGiven, DestroyedRecording, DestructionGround,
    DestructionStatement, Digest, Leaf, LeafKind, SegmentReader, Tail, TlogProof, decode_chunk,
    verify,
};
use voicelog_model::{DecisionId, DestructionId, Timestamp};

fn is_golden(name: &str, written: &[u8], kept: &[u8]) {
    if written == kept {
        return;
    }
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::File::create(&path)
        .unwrap()
        .write_all(written)
        .unwrap();
    panic!(
        "{name} is written differently now; the present bytes are in {}",
        path.display()
    );
}

#[test]
fn a_chunk_of_version_1_is_read_and_written_as_ever() {
    let kept = include_bytes!("../vectors/journal/v1/call.chunk");
    is_golden("call.chunk", &chunk(&records(2, 12)), kept);
    assert_eq!(decode_chunk(kept).unwrap(), records(2, 12));
}

#[test]
fn a_segment_of_version_1_is_read_and_written_as_ever() {
    let kept = include_bytes!("../vectors/segment/v1/call.segment");
    let (written, chain) = segment(&records(2, 12));
    is_golden("call.segment", &written, kept);
    let opened = SegmentReader::open(&data_key(), recording(), 1, CHAIN_START, kept).unwrap();
    assert_eq!((opened.chain, opened.tail), (chain, Tail::Clean));
    assert_eq!(
        chain,
        Digest::of(kept).0,
        "the chain is what sha256sum says of the file"
    );
    let read: Vec<_> = opened
        .chunks
        .iter()
        .flat_map(|chunk| decode_chunk(chunk).unwrap())
        .collect();
    assert_eq!(read, records(2, 12));
}

/// A certificate of a destruction, whose leaf is the only one of the log.
fn certificate() -> Certificate {
    let at = Timestamp::from_micros(1_830_000_000_000_000);
    let statement = DestructionStatement {
        scope: voicelog_model::Scope::Whole,
        version: DestructionStatement::VERSION,
        destruction: DestructionId::from_bytes([2; 16]),
        recording: recording(),
        decision: DecisionId::from_bytes([3; 16]),
        key_destroyed_at: at,
        completed_at: at.plus_micros(5_000),
        keys: 1,
        objects: 3,
        bytes: 1_234_567,
        was: Some(DestroyedRecording {
            recorded_at: at.plus_micros(-31_536_000_000_000),
            purpose: Some("complaint_handling".to_owned()),
            retention_term: Some("P1Y".to_owned()),
            retain_until: Some(at),
            recorder_type: Some("municipality".to_owned()),
            process_type: None,
            asked_by_account: false,
            grounds: vec![DestructionGround {
                rule: "retention.end".to_owned(),
                articles: vec!["AVG art. 5 lid 1 onder e".to_owned()],
            }],
            copies: vec![CopyGiven {
                at: at.plus_micros(-86_400_000_000),
                decision: DecisionId::from_bytes([4; 16]),
                recipient: Some("data_subject".to_owned()),
            }],
        }),
    };
    let salt = [9; 32];
    let committed = commitment(&salt, &statement.sha256().unwrap());
    let leaf = Leaf::new(LeafKind::Destroyed, at, recording().to_string(), committed);
    let hashes = [leaf.hash().unwrap()];
    Certificate {
        statement,
        salt,
        leaf,
        proof: TlogProof {
            index: 0,
            hashes: Vec::new(),
            checkpoint: Checkpoint::sign(1, root_of(&hashes), &archive_key()).unwrap(),
        },
    }
}

#[test]
fn a_certificate_of_version_1_is_read_and_written_as_ever() {
    let kept = include_bytes!("../vectors/certificate/v1/destroyed.txt");
    let written = certificate().sign(&archive_key()).unwrap();
    is_golden("destroyed.txt", written.as_bytes(), kept);
    let (read, _checkpoint) = Certificate::verify(kept, &verifier()).unwrap();
    assert_eq!(read, certificate());
}

#[test]
fn a_receipt_of_version_1_is_read_and_written_as_ever() {
    let kept = include_bytes!("../vectors/receipt/v1/receipt.txt");
    let Certificate { leaf, proof, .. } = certificate();
    let receipt = Receipt {
        leaf,
        key: verifier(),
        proof,
    };
    is_golden("receipt.txt", receipt.text().unwrap().as_bytes(), kept);
    assert_eq!(Receipt::parse(kept).unwrap(), receipt);
    assert_eq!(receipt.verify(&verifier()).unwrap().size, 1);
}

#[test]
fn a_bundle_of_version_1_verifies_and_is_written_as_ever() {
    let kept = include_bytes!("../vectors/bundle/v1/call.zip");
    is_golden("call.zip", &Parts::new(2, 12).bundle(), kept);
    let report = verify(kept, Some(&verifier()));
    assert!(report.holds(), "{:#?}", report.broken().collect::<Vec<_>>());
}

#[test]
fn copies_of_a_part_of_version_1_verify_and_are_written_as_ever() {
    let parts = Parts::new(2, 60);
    let kept: [(&str, &[u8], _); 2] = [
        (
            "excerpt.zip",
            include_bytes!("../vectors/bundle/v1/excerpt.zip"),
            excerpt(200, 900),
        ),
        (
            "redacted.zip",
            include_bytes!("../vectors/bundle/v1/redacted.zip"),
            without(vec![redaction(&[1], 500, 700)]),
        ),
    ];
    for (name, kept, plan) in kept {
        is_golden(name, &copy(&parts, &plan), kept);
        let report = verify(kept, Some(&verifier()));
        assert!(report.holds(), "{:#?}", report.broken().collect::<Vec<_>>());
    }
}
