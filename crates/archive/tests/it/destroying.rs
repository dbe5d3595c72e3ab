//! Destruction: the key first, nothing left, and proven.

use crate::support::*;
use std::path::Path;
use voicelog_archive::check::Level;
use voicelog_archive::{
    Archive, Continued, DESTROYED_TOGETHER_MAX, HoldAsked, HoldGround, Permit, State, Verdict, act,
};
use voicelog_evidence::certificate::Certificate;
use voicelog_model::{Action, RecordingId};
use voicelog_store::Layout;
use voicelog_store::faulty::{DISK, DiskFaults, FaultyBlobs, Schedule, Then, When};

/// A year and a day after the recording.
fn after_the_term() -> voicelog_model::Timestamp {
    START.plus_micros(366 * 86_400 * 1_000_000)
}

#[test]
fn a_destroyed_recording_leaves_a_tombstone_and_a_certificate_that_verifies() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let id = record(archive).id;
    let due = archive.due(after_the_term(), None, 10).unwrap();
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
fn a_certificate_says_what_it_was_for_its_term_why_it_went_and_which_copies_had_been_given() {
    let Fixture { archive, folder } = fixture();
    let id = record(&archive).id;
    let nothing = serde_json::Map::new();
    let given = seconds(60);
    let asked = archive.ask_for_copy(id, Action::FileInCourt, &asker(), &nothing, given);
    let answer = asked.unwrap();
    let Verdict::Permit(permit) = answer.verdict else {
        panic!("{:?}", answer.decision)
    };
    archive.export(permit, None, given).unwrap();
    let answer = archive.ask_to_destroy(id, after_the_term()).unwrap();
    let Verdict::Permit(permit) = answer.verdict else {
        panic!("{:?}", answer.decision)
    };
    let term = archive.summary(id).unwrap().retain_until;
    archive.destroy(permit, after_the_term()).unwrap();
    let was = certified(&archive, id).statement.was.unwrap();
    assert_eq!(was.recorded_at, archive.summary(id).unwrap().started_at);
    assert_eq!(was.purpose.as_deref(), Some("bewijs_overeenkomst"));
    assert_eq!(was.recorder_type.as_deref(), Some("company"));
    assert_eq!(
        (was.retention_term.as_deref(), was.retain_until),
        (Some("P1Y"), term)
    );
    let grounds: Vec<_> = was.grounds.iter().map(|one| one.rule.as_str()).collect();
    assert_eq!(grounds, ["avg.5.term_over"]);
    assert_eq!(was.grounds[0].articles, ["AVG 5 lid 1 e"]);
    let copies: Vec<_> = was
        .copies
        .iter()
        .map(|one| (one.at, one.recipient.as_deref()))
        .collect();
    assert_eq!(copies, [(given, Some("court"))]);

    // Before the end of its term the law lets it be kept: there is no ground but that somebody asked.
    let early = record(&archive).id;
    assert!(!was.asked_by_account);
    let asked = archive.ask_to_destroy_for(early, Some(&asker()), seconds(120));
    let permit = asked.unwrap().verdict;
    let Verdict::Permit(permit) = permit else {
        panic!("refused")
    };
    archive.destroy(permit, seconds(120)).unwrap();
    let was = certified(&archive, early).statement.was.unwrap();
    assert!(was.asked_by_account);
    assert_eq!((was.grounds, was.copies), (vec![], vec![]));
    drop(folder);
}

#[test]
fn a_municipality_destroys_after_the_term_of_its_selection_list_and_the_certificate_names_the_process()
 {
    let fixture = fixture();
    let archive = &fixture.archive;
    let call = open_call(archive, "municipality");
    let writer = write_media(archive, &call, 20);
    let id = end(archive, writer, 20).unwrap().id;
    let early = archive.ask_to_destroy(id, seconds(60)).unwrap();
    assert!(!early.decision.is_permitted(), "its term runs");
    let answer = archive.ask_to_destroy(id, after_the_term()).unwrap();
    let Verdict::Permit(permit) = answer.verdict else {
        panic!("{:?}", answer.decision)
    };
    archive.destroy(permit, after_the_term()).unwrap();
    let was = certified(archive, id).statement.was.unwrap();
    assert_eq!(was.recorder_type.as_deref(), Some("government_body"));
    assert_eq!(was.process_type.as_deref(), Some("8.1"));
}

pub(crate) fn certified(archive: &Archive, id: RecordingId) -> Certificate {
    let signed = archive.certificate(id).unwrap().unwrap();
    let key = archive.verifier_key().parse().unwrap();
    Certificate::verify(signed.as_bytes(), &key).unwrap().0
}

#[test]
fn a_recording_before_the_end_of_its_term_is_not_due() {
    let fixture = fixture();
    record(&fixture.archive);
    assert!(
        fixture
            .archive
            .due(seconds(3_600), None, 10)
            .unwrap()
            .is_empty()
    );
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
            let at = operations.iter().position(|name| *name == "delete_all");
            faults = Schedule::failing(at.unwrap() + 1, When::Before, Then::Dead);
            continue;
        }
        let archive = Archive::open(parts(folder.path()));
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

/// An archive whose first operation on blobs fails.
fn with_faulty_blobs(folder: &Path, then: Then) -> Archive {
    let mut parts = parts(folder);
    let schedule = Schedule::failing(1, When::Before, then);
    parts.blobs = Box::new(FaultyBlobs::new(parts.blobs, schedule));
    Archive::open(parts)
}

fn ask_to_destroy(archive: &Archive, id: RecordingId) -> Permit<act::Destroy> {
    let answer = archive.ask_to_destroy(id, after_the_term()).unwrap();
    match answer.verdict {
        Verdict::Permit(permit) => permit,
        Verdict::Refusal(refusal) => panic!("{refusal:?}"),
    }
}

#[test]
fn a_destruction_that_failed_goes_on_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let id = record(&Archive::open(parts(folder.path()))).id;
    let archive = with_faulty_blobs(folder.path(), Then::GoOn);
    let permit = ask_to_destroy(&archive, id);
    assert!(archive.destroy(permit, after_the_term()).is_err());
    assert_eq!(archive.summary(id).unwrap().state, State::Destroying);
    assert!(archive.due(after_the_term(), None, 9).unwrap().is_empty());
    let went_on = archive.continue_destructions(after_the_term()).unwrap();
    assert!(matches!(&went_on[..], [Continued { id: of, outcome: Ok(_), .. }] if *of == id));
    assert_eq!(archive.summary(id).unwrap().state, State::Destroyed);
    let left = archive.continue_destructions(after_the_term()).unwrap();
    assert!(left.is_empty());
    assert_eq!(archive.check(Level::Hash).unwrap().wrong, []);
}

#[test]
fn a_recording_whose_destruction_failed_halfway_is_not_heard_by_who_has_it_open() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Schedule::counting();
    let archive = with_faulty_keys(folder.path(), &keys);
    let id = record(&archive).id;
    let permit = permit_to_listen(&archive, id, seconds(60));
    let opened = archive.play(permit, seconds(60)).unwrap();
    let all = || heard_in(&archive, &opened, 0..opened.byte_len());
    assert_eq!(all().unwrap().len(), opened.byte_len());
    let permit = ask_to_destroy(&archive, id);
    keys.set_down(true);
    assert!(archive.destroy(permit, after_the_term()).is_err());
    keys.set_down(false);
    assert_eq!(archive.summary(id).unwrap().state, State::Destroying);
    assert!(archive.trace(id).unwrap().has_key, "it could be decrypted");
    let error = all().unwrap_err().to_string();
    assert!(
        error.contains("destroying, so it cannot be heard"),
        "{error}"
    );
}

#[test]
fn a_destruction_that_fails_again_does_not_keep_the_server_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let id = record(&Archive::open(parts(folder.path()))).id;
    let archive = with_faulty_blobs(folder.path(), Then::Dead);
    let permit = ask_to_destroy(&archive, id);
    assert!(archive.destroy(permit, after_the_term()).is_err());
    drop(archive);
    let archive = with_faulty_blobs(folder.path(), Then::Dead);
    let recovery = archive.recover(after_the_term()).unwrap();
    assert_eq!(recovery.damaged.len(), 1);
    drop(archive);
    let archive = Archive::open(parts(folder.path()));
    assert_eq!(archive.recover(after_the_term()).unwrap().destroyed, [id]);
}

fn ask_about_all(archive: &Archive, ids: &[RecordingId]) -> Vec<Permit<act::Destroy>> {
    let answers = archive.ask_to_destroy_all(ids, after_the_term());
    let permits = answers.into_iter().map(|(id, answer)| {
        let answer = answer.unwrap();
        match answer.verdict {
            Verdict::Permit(permit) => permit,
            Verdict::Refusal(refusal) => panic!("{id}: {refusal:?}"),
        }
    });
    permits.collect()
}

fn has_a_certificate(archive: &Archive, id: RecordingId) -> bool {
    let key = archive.verifier_key().parse().unwrap();
    let signed = archive.certificate(id).unwrap().unwrap();
    let (certificate, _) = Certificate::verify(signed.as_bytes(), &key).unwrap();
    certificate.statement.recording == id && certificate.statement.objects == 1
}

#[test]
fn many_are_destroyed_together_in_a_few_steps_and_each_has_its_own_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::open(parts(folder.path()));
    let ids: Vec<_> = (0..7).map(|_| record(&archive).id).collect();
    drop(archive);
    let counting = Schedule::counting();
    let archive = faulty(folder.path(), &counting);
    let permits = ask_about_all(&archive, &ids);
    let all = archive.destroy_all(permits, after_the_term()).unwrap();
    assert!(all.iter().all(|one| one.outcome.is_ok()), "{all:?}");
    for id in &ids {
        assert!(has_a_certificate(&archive, *id));
        let trace = archive.trace(*id).unwrap();
        assert_eq!((trace.blobs, trace.has_key), (0, false));
    }
    // Whatever waits for the disk does so once for all.
    let operations = counting.operations();
    for (name, count) in [
        ("insert_decisions", 1),
        ("begin_destructions", 1),
        ("destroy_all", 1),
        ("delete_all", 1),
        ("set_settings", 2),
        ("complete_destructions", 1),
        ("set_certificates", 1),
    ] {
        let seen = operations.iter().filter(|one| **one == name).count();
        assert_eq!(seen, count, "{name}");
    }
    for one_by_one in ["insert_decision", "destroy", "delete", "set_setting"] {
        assert!(!operations.contains(&one_by_one), "{one_by_one}");
    }
    assert_eq!(archive.check(Level::Hash).unwrap().wrong, []);
}

/// Whether anything in the folder of keys has the name of a recording, hidden names and zeros included.
fn has_key_file(folder: &Path, id: RecordingId) -> bool {
    let keys = std::fs::read_dir(Layout::in_folder(folder).keys).unwrap();
    let mut names = keys.map(|entry| entry.unwrap().file_name());
    names.any(|name| name.to_string_lossy().contains(&id.to_string()))
}

#[test]
fn after_any_single_fault_among_many_that_are_destroyed_together_recovery_completes_each() {
    let made = tempfile::tempdir().unwrap();
    let archive = Archive::open(parts(made.path()));
    let ids: Vec<_> = (0..3).map(|_| record(&archive).id).collect();
    archive.settle().unwrap();
    drop(archive);
    let attempt = |schedule: &Schedule| {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(made.path(), folder.path());
        let archive = faulty(folder.path(), schedule);
        let _disk = DiskFaults::below(folder.path(), schedule);
        let answers = archive.ask_to_destroy_all(&ids, after_the_term());
        let permits = answers.into_iter().filter_map(|(_, answer)| {
            let Verdict::Permit(permit) = answer.ok()?.verdict else {
                panic!("refused")
            };
            Some(permit)
        });
        let told = archive.destroy_all(permits.collect(), after_the_term());
        (folder, told)
    };
    let counting = Schedule::counting();
    attempt(&counting).1.unwrap();
    let on_disk = |name: &&str| name.starts_with(DISK);
    let steps = counting.operations().into_iter().filter(on_disk).count();
    assert!(steps >= 3 * 3, "each key is overwritten, synced, removed");
    for (number, name) in counting.operations().iter().enumerate() {
        for (when, then) in [
            (When::Before, Then::Dead),
            (When::After, Then::Dead),
            (When::Before, Then::GoOn),
            (When::After, Then::GoOn),
        ] {
            let place = format!("operation {} ({name}), {when:?}, {then:?}", number + 1);
            let (folder, told) = attempt(&Schedule::failing(number + 1, when, then));
            let archive = Archive::open(parts(folder.path()));
            let later = after_the_term().plus_micros(3_600_000_000);
            let recovery = archive.recover(later).unwrap();
            assert_eq!(recovery.damaged, [], "{place}");
            for id in &ids {
                let told = told.as_ref().ok().and_then(|told| {
                    let of = told.iter().find(|one| one.id == *id)?;
                    Some(of.outcome.is_ok())
                });
                match archive.summary(*id).unwrap().state {
                    State::Destroyed => {
                        assert!(has_a_certificate(&archive, *id), "{place}");
                        assert!(!has_key_file(folder.path(), *id), "{place}");
                    }
                    State::Sealed => assert_ne!(told, Some(true), "{place}: {id}"),
                    other => panic!("{place}: {id} is still {other}"),
                }
            }
            assert_eq!(archive.check(Level::Hash).unwrap().wrong, [], "{place}");
        }
    }
}

#[test]
fn one_that_is_held_by_now_does_not_keep_those_that_are_destroyed_together_with_it() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let ids: Vec<_> = (0..3).map(|_| record(archive).id).collect();
    let permits = ask_about_all(archive, &ids);
    let asked = HoldAsked {
        ground: HoldGround::Claim,
        owner: asker(),
        review_at: after_the_term().plus_micros(86_400_000_000),
        note: None,
        by: asker(),
    };
    archive
        .place_hold(ids[1], &asked, after_the_term())
        .unwrap();
    let told = archive.destroy_all(permits, after_the_term()).unwrap();
    let failed: Vec<_> = told.iter().filter(|one| one.outcome.is_err()).collect();
    assert!(matches!(&failed[..], [one] if one.id == ids[1]), "{told:?}");
    let states: Vec<_> = ids
        .iter()
        .map(|id| archive.summary(*id).unwrap().state)
        .collect();
    assert_eq!(states, [State::Destroyed, State::Sealed, State::Destroyed]);
}

#[test]
fn two_groups_at_once_are_gone_on_from_after_a_crash_in_either_and_what_is_held_keeps_none() {
    let made = tempfile::tempdir().unwrap();
    let archive = Archive::open(parts(made.path()));
    let count = DESTROYED_TOGETHER_MAX + 3;
    let ids: Vec<_> = (0..count).map(|_| record(&archive).id).collect();
    archive.settle().unwrap();
    drop(archive);
    let held = *ids.last().unwrap();
    let attempt = |schedule: &Schedule| {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(made.path(), folder.path());
        let archive = faulty(folder.path(), schedule);
        let permits = ask_about_all(&archive, &ids);
        let hold = HoldAsked {
            ground: HoldGround::Claim,
            owner: asker(),
            review_at: after_the_term().plus_micros(86_400_000_000),
            note: None,
            by: asker(),
        };
        archive.place_hold(held, &hold, after_the_term()).unwrap();
        (
            folder,
            archive.destroy_all(permits, after_the_term()).unwrap(),
        )
    };
    let state_of_all = |archive: &Archive| {
        for id in &ids {
            match archive.summary(*id).unwrap().state {
                State::Destroyed => assert!(*id != held && has_a_certificate(archive, *id)),
                // Held, or not begun when the process died.
                state => assert_eq!(state, State::Sealed, "{id}"),
            }
        }
        assert_eq!(archive.check(Level::Hash).unwrap().wrong, []);
    };
    let counting = Schedule::counting();
    let (folder, told) = attempt(&counting);
    let failed: Vec<_> = told.iter().filter(|one| one.outcome.is_err()).collect();
    assert!(matches!(&failed[..], [one] if one.id == held), "{failed:?}");
    assert_eq!(told.len(), count, "each is told once");
    state_of_all(&Archive::open(parts(folder.path())));
    let operations = counting.operations();
    for name in ["destroy_all", "complete_destructions", "set_certificates"] {
        let at = operations.iter().position(|one| *one == name).unwrap();
        let (folder, _told) = attempt(&Schedule::failing(at + 1, When::After, Then::Dead));
        let archive = Archive::open(parts(folder.path()));
        let recovery = archive.recover(after_the_term()).unwrap();
        assert_eq!(recovery.damaged, [], "{name}");
        state_of_all(&archive);
    }
}
