//! Bytes that were written once and must be read for ever.
//!
//! Each version of each format keeps its folder in `tests/vectors`; from the first release on, files there are only added.
//! A failing comparison leaves the present bytes in the target folder and names the place.

use crate::fixture::{Parts, chunk, data_key, recording, records, segment, verifier};
use crate::part::{copy, excerpt, redaction, without};
use std::io::Write as _;
use std::path::Path;
use voicelog_evidence::segment::CHAIN_START;
use voicelog_evidence::{Digest, SegmentReader, Tail, decode_chunk, verify};

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
