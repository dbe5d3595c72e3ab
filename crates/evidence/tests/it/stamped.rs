//! Bundles with a timestamp of the log, by a real authority.

use crate::authority::{Authority, Key, POLICY};
use crate::fixture::{Parts, archive_key, logged_at, records, verifier};
use voicelog_evidence::bundle::{self, Papers, StampedProof};
use voicelog_evidence::digest::sha256;
use voicelog_evidence::timestamp::{Anchors, Question};
use voicelog_evidence::verify::{Check, Severity, Trust, verify_with};
use voicelog_evidence::{Finding, Note, Record, Report};
use voicelog_model::Timestamp;

/// Ten years, in microseconds.
const LATER: i64 = 10 * 365 * 86_400 * 1_000_000;

/// A bundle whose log this authority stamped now.
pub(crate) fn stamped_by(authority: &Authority, parts: &Parts) -> Vec<u8> {
    let note = Note::parse(parts.proof.checkpoint.as_bytes()).unwrap();
    let question = Question {
        imprint: sha256(note.unverified_text().as_bytes()),
        ..Question::default()
    };
    let token = authority.answer(&question.to_der().unwrap());
    let anchors = authority.anchor();
    let timestamp = StampedProof {
        proof: &parts.proof,
        token: &token,
        anchors: Some(&anchors),
    };
    let papers = Papers {
        timestamp: Some(timestamp),
        ..Papers::default()
    };
    let input = bundle::BundleInput {
        papers,
        ..parts.input()
    };
    bundle::build(&input, &archive_key()).unwrap()
}

/// What is found in one.
fn stamped(parts: &Parts) -> Report {
    stamped_under(parts, None)
}

/// The same, by a checker who takes stamps under one policy only.
fn stamped_under(parts: &Parts, policy: Option<&str>) -> Report {
    let authority = Authority::new(Key::P256);
    let bundle = stamped_by(&authority, parts);
    let anchors = Anchors::from_pem(&authority.anchor()).unwrap();
    let key = verifier();
    let trust = Trust {
        key: Some(&key),
        anchors: Some(&anchors),
        stamp_policy: policy,
        ..Trust::default()
    };
    verify_with(&bundle, &trust)
}

/// What a reader is warned of about the stamp.
fn warnings(report: &Report) -> Vec<String> {
    assert!(report.holds(), "{:#?}", report.broken().collect::<Vec<_>>());
    let warned =
        |found: &&Finding| found.check == Check::Timestamp && found.severity == Severity::Warning;
    let warned = report.findings.iter().filter(warned);
    warned.map(|found| found.text_en.clone()).collect()
}

#[test]
fn a_stamp_after_the_call_and_its_entry_in_the_log_says_nothing_odd() {
    assert!(warnings(&stamped(&Parts::new(1, 5))).is_empty());
}

#[test]
fn a_stamp_from_before_the_entry_in_the_log_is_a_warning() {
    let mut parts = Parts::new(1, 5);
    let later = parts.manifest.call_ended.plus_micros(LATER);
    (parts.leaf, parts.proof) = logged_at(&parts.manifest, later);
    let warned = warnings(&stamped(&parts));
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert!(warned[0].contains("came into the log"), "{warned:?}");
}

#[test]
fn a_stamp_from_before_the_end_of_the_call_is_a_warning() {
    let mut records = records(1, 5);
    let later = |at: &mut Timestamp| *at = at.plus_micros(LATER);
    for record in &mut records {
        match record {
            Record::Packet { arrived, .. } => later(arrived),
            Record::Event { at, .. } => later(at),
        }
    }
    let warned = warnings(&stamped(&Parts::of(&records)));
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert!(warned[0].contains("end of the call"), "{warned:?}");
}

#[test]
fn a_stamp_is_held_against_the_policy_that_the_checker_asks_for() {
    let parts = Parts::new(1, 5);
    assert!(stamped_under(&parts, Some(POLICY)).holds());
    let report = stamped_under(&parts, Some("1.2.3.4.99"));
    let broken: Vec<_> = report.broken().collect();
    assert_eq!(broken.len(), 1, "{broken:?}");
    assert_eq!(broken[0].check, Check::Timestamp);
    assert!(broken[0].text_en.contains("policy"), "{broken:?}");
}
