//! Destruction: the key first, nothing left, and proven.

use crate::support::*;
use voicelog_archive::check::Level;
use voicelog_archive::{State, Verdict};
use voicelog_evidence::certificate::Certificate;

/// A year and a day after the recording.
fn after_the_term() -> voicelog_model::Timestamp {
    START.plus_micros(366 * 86_400 * 1_000_000)
}

#[test]
fn a_destroyed_recording_leaves_a_tombstone_and_a_certificate_that_verifies() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let id = record(archive).id;
    let due = archive.due(after_the_term(), 10).unwrap();
    assert_eq!(due.len(), 1);
    let answer = archive.ask_to_destroy(id, after_the_term()).unwrap();
    let Verdict::Permit(permit) = answer.verdict else {
        panic!("{:?}", answer.decision)
    };
    let destroyed = archive.destroy(permit, after_the_term()).unwrap();
    assert_eq!(destroyed.objects, 1);
    let trace = archive.trace(id).unwrap();
    assert_eq!((trace.blobs, trace.has_key), (0, false));
    let detail = archive.detail(id).unwrap();
    assert_eq!(detail.summary.state, State::Destroyed);
    let key = archive.verifier_key().parse().unwrap();
    let signed = detail.certificate.unwrap();
    let (certificate, _checkpoint) = Certificate::verify(signed.as_bytes(), &key).unwrap();
    assert_eq!(certificate.statement.recording, id);
    assert_eq!(archive.check(Level::Hash).unwrap().wrong, []);
}

#[test]
fn a_recording_before_the_end_of_its_term_is_not_due() {
    let fixture = fixture();
    record(&fixture.archive);
    assert!(fixture.archive.due(seconds(3_600), 10).unwrap().is_empty());
}

#[test]
fn a_destroyed_recording_cannot_be_opened_exported_or_destroyed_again() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let id = record(archive).id;
    let Verdict::Permit(permit) = archive
        .ask_to_destroy(id, after_the_term())
        .unwrap()
        .verdict
    else {
        panic!("refused")
    };
    archive.destroy(permit, after_the_term()).unwrap();
    let nothing = serde_json::Map::new();
    assert!(
        archive
            .ask_to_listen(id, &nothing, after_the_term())
            .is_err()
    );
    assert!(archive.ask_to_destroy(id, after_the_term()).is_err());
}
