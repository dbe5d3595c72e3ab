//! Destruction: the key first, nothing left, and proven.

use crate::support::*;
use voicelog_archive::check::Level;
use voicelog_archive::{State, Verdict};
use voicelog_evidence::certificate::Certificate;
use voicelog_model::Action;
use voicelog_store::faulty::{Schedule, Then, When};

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
    let listening = archive.ask_to_listen(id, &asker(), &nothing, after_the_term());
    let copying = archive.ask_for_copy(
        id,
        Action::FileInCourt,
        &asker(),
        &nothing,
        after_the_term(),
    );
    let again = archive.ask_to_destroy(id, after_the_term());
    for error in [
        listening.unwrap_err(),
        copying.unwrap_err(),
        again.unwrap_err(),
    ] {
        let told = format!("recording {id} was destroyed on {}", after_the_term());
        assert_eq!(error.to_string(), told);
    }
    assert_eq!(archive.accesses(id).unwrap(), []);
}

#[test]
fn a_certificate_tells_when_the_key_went_and_when_the_rest_did() {
    // Dead at the first deletion of a segment; its number is that of a destruction without faults.
    let mut faults = Schedule::counting();
    loop {
        let fixture = fixture();
        let id = record(&fixture.archive).id;
        let Fixture { archive, folder } = fixture;
        drop(archive);
        let archive = faulty(folder.path(), &faults);
        let answer = archive.ask_to_destroy(id, after_the_term()).unwrap();
        let Verdict::Permit(permit) = answer.verdict else {
            panic!("{:?}", answer.decision)
        };
        let destroyed = archive.destroy(permit, after_the_term());
        drop(archive);
        if destroyed.is_ok() {
            let operations = faults.operations();
            let at = operations.iter().position(|name| *name == "delete");
            faults = Schedule::failing(at.unwrap() + 1, When::Before, Then::Dead);
            continue;
        }
        let archive = voicelog_archive::Archive::open(parts(folder.path()));
        let later = after_the_term().plus_micros(3_600_000_000);
        assert_eq!(archive.recover(later).unwrap().destroyed, [id]);
        let signed = archive.certificate(id).unwrap().unwrap();
        let key = archive.verifier_key().parse().unwrap();
        let (certificate, _) = Certificate::verify(signed.as_bytes(), &key).unwrap();
        let statement = certificate.statement;
        assert_eq!(statement.key_destroyed_at, after_the_term());
        assert_eq!(statement.completed_at, later);
        assert_eq!(statement.objects, 1);
        return;
    }
}
