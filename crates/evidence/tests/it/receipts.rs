//! A receipt that somebody kept, and what the archive gives later.

use crate::fixture::{Parts, archive_key, verifier};
use crate::others::{emptied, put, said};
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

/// A receipt of a leaf that was changed after the archive had proved it.
fn changed(leaf: &Leaf, change: fn(&mut Leaf)) -> Receipt {
    let mut receipt = kept(leaf);
    change(&mut receipt.leaf);
    receipt
}

/// Bundles with a receipt beside each, and what this verifier says: the other one must say the same
/// (`cargo xtask verifier`). A text that is no receipt is bad input to both.
#[test]
fn receipts_for_the_other_verifier() {
    let (same, moved, other) = (later(3, 9, 0), later(5, 9, 0), later(3, 4, 1));
    let mut before = same.leaf.clone();
    before.commitment = Digest([7; 32]);
    let mut elsewhere = kept(&same.leaf);
    elsewhere.key = SigningKey::from_seed("example.com/elsewhere", [8; 32])
        .unwrap()
        .verifier();
    let mut unproven = same.clone();
    unproven.proof.hashes.pop();
    let cases: [(&str, &Parts, Receipt); 10] = [
        ("same", &same, kept(&same.leaf)),
        ("rewritten", &same, kept(&before)),
        ("moved", &moved, kept(&moved.leaf)),
        ("two-histories", &other, kept(&other.leaf)),
        ("same-size", &later(3, 4, 0), kept(&other.leaf)),
        ("elsewhere", &same, elsewhere),
        ("unproven", &unproven, kept(&same.leaf)),
        ("other", &same, kept(&Parts::new(1, 6).leaf)),
        (
            "later",
            &same,
            changed(&same.leaf, |leaf| leaf.at = leaf.at.plus_micros(1)),
        ),
        (
            "kind",
            &same,
            changed(&same.leaf, |leaf| {
                leaf.kind = voicelog_evidence::LeafKind::Held;
            }),
        ),
    ];
    let folder = emptied("receipts");
    for (name, parts, receipt) in cases {
        let text = receipt.text().unwrap();
        let mailed = format!("\u{feff} {}\r\n\t", text.replace('\n', "\r\n"));
        let lone = text.replacen('\n', "\r", 1);
        let more = format!("{text}x");
        for (how, text) in [
            ("", text),
            ("-mailed", mailed),
            ("-lone", lone),
            ("-more", more),
        ] {
            let path = folder.join(format!("{name}{how}.zip"));
            let report = Receipt::parse(text.as_bytes()).map_or_else(
                |_| br#"{"status":2}"#.to_vec(),
                |found| said(&judged(parts, &found)),
            );
            put(&path, &parts.bundle());
            put(&path.with_extension("zip.json"), &report);
            put(&path.with_extension("zip.receipt"), text.as_bytes());
        }
    }
    put(
        &folder.join("archive.vkey"),
        format!("{}\n", verifier()).as_bytes(),
    );
}
