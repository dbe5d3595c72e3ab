//! A receipt that somebody kept, and what the archive gives later.

use crate::fixture::{Parts, archive_key, verifier};
use voicelog_evidence::digest::Digest;
use voicelog_evidence::receipt::Receipt;
use voicelog_evidence::tlog::{inclusion_proof, leaf_hash, root_of};
use voicelog_evidence::verify::{Check, Severity, Trust, verify_with};
use voicelog_evidence::{Checkpoint, Leaf, Report, SigningKey, TlogProof};

/// The leaf at a place in a log of a size, whose other leaves are told apart by `filler`.
fn proven(leaf: &Leaf, place: u64, size: u8, filler: u8, key: &SigningKey) -> TlogProof {
    let mut hashes: Vec<_> = (0..size).map(|n| leaf_hash(&[n, filler])).collect();
    hashes[usize::try_from(place).unwrap()] = leaf.hash().unwrap();
    let size = u64::from(size);
    TlogProof {
        index: place,
        hashes: inclusion_proof(&hashes, place, size).unwrap(),
        checkpoint: Checkpoint::sign(size, root_of(&hashes), key).unwrap(),
    }
}

/// What was given when the call had ended: the leaf at place 3 of a log of 4.
fn kept(leaf: &Leaf) -> Receipt {
    Receipt {
        leaf: leaf.clone(),
        key: verifier(),
        proof: proven(leaf, 3, 4, 0, &archive_key()),
    }
}

fn judged(parts: &Parts, receipt: &Receipt) -> Report {
    let key = verifier();
    let trust = Trust {
        key: Some(&key),
        receipt: Some(receipt),
        ..Trust::default()
    };
    verify_with(&parts.bundle(), &trust)
}

fn later(place: u64, size: u8, filler: u8) -> Parts {
    let mut parts = Parts::new(1, 5);
    parts.proof = proven(&parts.leaf, place, size, filler, &archive_key());
    parts
}

/// Only the receipt is broken, and this is said of it.
fn is_broken(report: &Report, said: &str) {
    let broken: Vec<_> = report.broken().collect();
    assert_eq!(broken.len(), 1, "{broken:?}");
    assert_eq!(broken[0].check, Check::Receipt);
    assert_eq!(broken[0].place, "receipt");
    assert!(broken[0].text_en.contains(said), "{}", broken[0].text_en);
}

#[test]
fn what_is_still_as_it_was_when_the_receipt_was_given_holds() {
    let parts = later(3, 9, 0);
    let report = judged(&parts, &kept(&parts.leaf));
    assert!(report.holds(), "{:?}", report.broken().collect::<Vec<_>>());
    let found = report
        .findings
        .iter()
        .find(|found| found.check == Check::Receipt);
    assert_eq!(found.unwrap().severity, Severity::Ok);
    assert!(report.facts.iter().any(|fact| fact.value_en == "4 places"));
}

#[test]
fn without_a_receipt_nothing_is_said_of_one() {
    let parts = later(3, 9, 0);
    let report = verify_with(&parts.bundle(), &Trust::default());
    assert!(
        report
            .findings
            .iter()
            .all(|found| found.check != Check::Receipt)
    );
}

#[test]
fn a_recording_that_was_rewritten_is_found_by_who_kept_its_receipt() {
    // The archive made another recording of it and logged that, in a log that is sound by itself.
    let mut before = later(3, 9, 0).leaf;
    before.commitment = Digest([7; 32]);
    let report = judged(&later(3, 9, 0), &kept(&before));
    is_broken(&report, "OTHERWISE");
}

#[test]
fn a_recording_at_another_place_is_another_history() {
    let parts = later(5, 9, 0);
    is_broken(&judged(&parts, &kept(&parts.leaf)), "OTHERWISE");
}

#[test]
fn a_log_of_the_same_size_with_other_leaves_is_another_history() {
    let parts = later(3, 4, 1);
    is_broken(&judged(&parts, &kept(&parts.leaf)), "two different logs");
}

#[test]
fn a_receipt_of_another_recording_or_archive_or_changed_by_hand_is_told_apart() {
    let parts = later(3, 9, 0);
    let mut other = parts.leaf.clone();
    other.object = "01a20794-092f-7bfb-994c-4826559d83b5".to_owned();
    is_broken(&judged(&parts, &kept(&other)), "another recording");

    let stranger = SigningKey::from_seed("example.com/elsewhere", [8; 32]).unwrap();
    let elsewhere = Receipt {
        leaf: parts.leaf.clone(),
        key: stranger.verifier(),
        proof: proven(&parts.leaf, 3, 4, 0, &stranger),
    };
    is_broken(&judged(&parts, &elsewhere), "another archive");

    let mut changed = kept(&parts.leaf);
    changed.leaf.at = changed.leaf.at.plus_micros(1);
    is_broken(
        &judged(&parts, &changed),
        "the receipt itself does not hold",
    );
}
