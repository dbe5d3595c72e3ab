//! Bundles whose log others signed too.

use crate::fixture::{Parts, archive_key, verifier};
use voicelog_evidence::cosignature::Cosigner;
use voicelog_evidence::policy::{Policy, PolicyWitness};
use voicelog_evidence::verify::{Check, Severity, Trust, verify_with};
use voicelog_evidence::{Note, Report, TlogProof, verify};
use voicelog_model::Timestamp;

fn witness(number: u8) -> Cosigner {
    Cosigner::from_seed(&format!("example.com/w{number}"), [100 + number; 32]).unwrap()
}

/// A bundle under a checkpoint that these witnesses signed.
fn bundle(signers: &[u8]) -> Vec<u8> {
    let mut parts = Parts::new(1, 5);
    parts.proof = cosigned(parts.proof, signers);
    parts.bundle()
}

/// The proof under a checkpoint that these witnesses signed too.
pub(crate) fn cosigned(mut proof: TlogProof, signers: &[u8]) -> TlogProof {
    let checkpoint = proof.checkpoint.clone();
    let note = Note::parse(checkpoint.as_bytes()).unwrap();
    for signer in signers {
        let at = Timestamp::from_micros(1_800_000_000_000_000);
        let line = witness(*signer).cosign(note.unverified_text(), at);
        proof.checkpoint.push_str(&line);
    }
    proof
}

/// The archive, three witnesses, and how many of them must have signed.
pub(crate) fn policy(quorum: usize) -> Policy {
    let witnesses = (1..=3).map(|number| PolicyWitness {
        name: format!("w{number}"),
        key: witness(number).verifier(),
        url: None,
    });
    Policy::new(verifier(), witnesses.collect(), quorum).unwrap()
}

fn judged(signers: &[u8], policy: &Policy) -> Report {
    let key = verifier();
    let trust = Trust {
        key: Some(&key),
        policy: Some(policy),
        ..Trust::default()
    };
    verify_with(&bundle(signers), &trust)
}

#[test]
fn enough_witnesses_are_asked_for_and_found() {
    for (signers, quorum, holds) in [
        (&[1, 3][..], 2, true),
        (&[1, 2, 3], 2, true),
        (&[1], 2, false),
        (&[], 1, false),
        (&[9], 1, false),
        (&[], 0, true),
    ] {
        let report = judged(signers, &policy(quorum));
        assert_eq!(report.holds(), holds, "{signers:?} of {quorum}");
        let broken: Vec<_> = report.broken().map(|found| found.check).collect();
        assert!(
            broken.iter().all(|check| *check == Check::Witnesses),
            "{broken:?}"
        );
    }
}

#[test]
fn a_policy_for_another_log_refuses_the_bundle() {
    let other = Policy::parse(
        b"log example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\nquorum none\n",
    );
    assert!(!judged(&[1, 2, 3], &other.unwrap()).holds());
}

#[test]
fn without_a_policy_lines_of_others_are_told_as_unchecked() {
    let warned = |signers: &[u8]| {
        let report = verify(&bundle(signers), Some(&archive_key().verifier()));
        assert!(report.holds());
        let warned = |found: &&voicelog_evidence::Finding| {
            found.check == Check::Witnesses && found.severity == Severity::Warning
        };
        report.findings.iter().filter(warned).count()
    };
    assert_eq!(warned(&[]), 0);
    assert_eq!(warned(&[1, 9]), 1);
}
