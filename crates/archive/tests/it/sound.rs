//! Sound whose term ends before that of what is known of the call.

use crate::support::*;
use std::path::Path;
use voicelog_archive::check::Level;
use voicelog_archive::{
    Archive, ArchiveError, Continued, HoldAsked, HoldGround, Permit, RecordingWriter, State,
    Verdict, act,
};
use voicelog_evidence::certificate::Certificate;
use voicelog_evidence::tlog::{Leaf, LeafKind};
use voicelog_model::{Action, RecordingId, Scope, Timestamp};
use voicelog_store::faulty::{Schedule, Then, When};

fn days(days: i64) -> Timestamp {
    seconds(days * 86_400)
}

/// Three months after the recording.
fn after_the_sound() -> Timestamp {
    days(100)
}

fn after_the_whole() -> Timestamp {
    days(367)
}

pub(crate) fn record_on(archive: &Archive, line: &str) -> RecordingId {
    let call = open_call(archive, line);
    let writer = write_media(archive, &call, 50);
    let id = end(archive, writer, 50).unwrap().id;
    archive.sequence().unwrap();
    id
}

fn sound_permit(archive: &Archive, id: RecordingId, now: Timestamp) -> Permit<act::DestroySound> {
    let mut answers = archive.ask_to_destroy_sound_all(&[id], now);
    let answer = answers.pop().unwrap().1.unwrap();
    match answer.verdict {
        Verdict::Permit(permit) => permit,
        Verdict::Refusal(refusal) => panic!("{refusal:?}"),
    }
}

pub(crate) fn end_sound(archive: &Archive, id: RecordingId) -> Continued {
    let permit = sound_permit(archive, id, after_the_sound());
    let mut all = archive.destroy_sound_all(vec![permit], after_the_sound());
    all.as_mut().unwrap().pop().unwrap()
}

fn leaves(archive: &Archive, kind: LeafKind) -> usize {
    archive.sequence().unwrap();
    let all = archive.leaves(0, 10_000).unwrap();
    let read = all.iter().map(|row| Leaf::from_bytes(&row.bytes).unwrap());
    read.filter(|leaf| leaf.kind == kind).count()
}

fn key_files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder.join("keys")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.ends_with(".key")).collect();
    names.sort();
    names
}

fn may_listen(archive: &Archive, id: RecordingId) -> Result<(), ArchiveError> {
    let answer = archive.ask_to_listen(id, &asker(), &reader(), seconds(60))?;
    let Verdict::Permit(permit) = answer.verdict else {
        panic!("{:?}", answer.decision)
    };
    listen(archive, permit, seconds(60)).map(drop)
}

#[test]
fn the_sound_goes_at_its_own_term_and_timeline_decisions_and_proof_stay() {
    let Fixture { archive, folder } = fixture();
    let id = record_on(&archive, "short_sound");
    let summary = archive.summary(id).unwrap();
    let until = summary.sound_until.unwrap().to_string();
    assert!(until.starts_with("2027-02-21"), "{until}");
    assert_eq!(key_files(folder.path()).len(), 2, "a key for each");
    may_listen(&archive, id).unwrap();
    assert_eq!(archive.due_sound(days(80), None, 9).unwrap(), []);
    assert_eq!(
        archive.due_sound(after_the_sound(), None, 9).unwrap().len(),
        1
    );
    let before = archive.detail(id).unwrap();

    let ended = end_sound(&archive, id);
    assert_eq!((ended.id, ended.scope), (id, Scope::Sound));
    let trace = archive.trace(id).unwrap();
    assert_eq!(
        (trace.blobs, trace.has_sound_key, trace.has_key),
        (0, false, true)
    );
    let after = archive.detail(id).unwrap();
    assert_eq!(after.summary.state, State::WithoutSound);
    assert_eq!(after.summary.sound_destroyed_at, Some(after_the_sound()));
    assert_eq!(
        (after.summary.destroyed_at, &after.certificate),
        (None, &None)
    );
    assert_eq!(
        (before.timeline, before.manifest),
        (after.timeline, after.manifest)
    );
    assert_eq!(
        archive.accesses(id).unwrap().len(),
        1,
        "who listened is known"
    );
    assert!(
        archive
            .due_sound(after_the_sound(), None, 9)
            .unwrap()
            .is_empty()
    );

    let key = archive.verifier_key().parse().unwrap();
    let signed = after.sound_certificate.unwrap();
    let (certificate, _) = Certificate::verify(signed.as_bytes(), &key).unwrap();
    let statement = certificate.statement;
    assert_eq!(
        (statement.scope, statement.keys, statement.objects),
        (Scope::Sound, 1, 1)
    );
    let was = statement.was.unwrap();
    assert_eq!(
        was.retention_term.as_deref(),
        Some("P3M"),
        "the term that ended"
    );
    assert_eq!(was.retain_until, summary.sound_until);
    assert!(!was.asked_by_account);
    assert_eq!(leaves(&archive, LeafKind::SoundDestroyed), 1);
    assert_eq!(
        leaves(&archive, LeafKind::Destroyed),
        0,
        "the recording is not over"
    );
    assert_eq!(archive.check(Level::Hash).unwrap().wrong, []);
    archive.prove(id).unwrap();
}

#[test]
fn who_asks_for_the_sound_afterwards_is_told_when_and_why_it_went() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let id = record_on(archive, "short_sound");
    // Asked for before, and opened after: nothing is given either.
    let earlier = permit_to_listen(archive, id, seconds(60));
    end_sound(archive, id);
    let told = |error: ArchiveError| {
        let text = error.to_string();
        assert!(
            text.contains(&after_the_sound().to_string()) && text.contains("term of the sound"),
            "{text}"
        );
        assert!(error.help().contains("voicelog show"));
    };
    told(listen(archive, earlier, after_the_sound()).unwrap_err());
    told(may_listen(archive, id).unwrap_err());
    let nothing = serde_json::Map::new();
    for action in [Action::GiveCopy, Action::FileInCourt] {
        let copy = archive.ask_for_copy(id, action, &asker(), &nothing, after_the_sound());
        told(copy.unwrap_err());
    }
    let again = archive.ask_to_destroy_sound_all(&[id], after_the_sound());
    assert!(again.into_iter().all(|(_, answer)| answer.is_err()));
}

#[test]
fn sound_whose_destruction_failed_halfway_is_not_heard_by_who_has_it_open() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Schedule::counting();
    let archive = with_faulty_keys(folder.path(), &keys);
    let id = record_on(&archive, "short_sound");
    let permit = permit_to_listen(&archive, id, seconds(60));
    let opened = archive.play(permit, seconds(60)).unwrap();
    let all = || heard_in(&archive, &opened, 0..opened.byte_len());
    assert_eq!(all().unwrap().len(), opened.byte_len());
    let permit = sound_permit(&archive, id, after_the_sound());
    keys.set_down(true);
    let ended = archive.destroy_sound_all(vec![permit], after_the_sound());
    assert!(ended.unwrap().iter().all(|one| one.outcome.is_err()));
    keys.set_down(false);
    let (state, trace) = (archive.summary(id).unwrap().state, archive.trace(id));
    assert_eq!(state, State::SoundDestroying);
    assert!(trace.unwrap().has_sound_key, "it could be decrypted");
    let error = all().unwrap_err();
    assert!(
        matches!(error, ArchiveError::SoundDestroyed { .. }),
        "{error}"
    );
}

#[test]
fn the_rest_goes_at_the_end_of_the_whole_term_and_has_a_certificate_of_its_own() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let id = record_on(archive, "short_sound");
    end_sound(archive, id);
    assert_eq!(archive.due(after_the_whole(), None, 9).unwrap().len(), 1);
    let answer = archive.ask_to_destroy(id, after_the_whole()).unwrap();
    let Verdict::Permit(permit) = answer.verdict else {
        panic!("{:?}", answer.decision)
    };
    let destroyed = archive.destroy(permit, after_the_whole()).unwrap();
    assert_eq!((destroyed.scope, destroyed.objects), (Scope::Whole, 0));
    let detail = archive.detail(id).unwrap();
    assert_eq!(detail.summary.state, State::Destroyed);
    let key = archive.verifier_key().parse().unwrap();
    let scopes = [detail.sound_certificate, detail.certificate].map(|signed| {
        let signed = signed.unwrap();
        let (certificate, _) = Certificate::verify(signed.as_bytes(), &key).unwrap();
        (certificate.statement.scope, certificate.statement.keys)
    });
    assert_eq!(scopes, [(Scope::Sound, 1), (Scope::Whole, 1)]);
    let trace = archive.trace(id).unwrap();
    assert_eq!((trace.has_key, trace.has_sound_key), (false, false));
    assert_eq!(archive.check(Level::Hash).unwrap().wrong, []);
}

#[test]
fn a_recording_that_is_destroyed_as_a_whole_takes_both_keys_with_it() {
    let Fixture { archive, folder } = fixture();
    let id = record_on(&archive, "short_sound");
    let answer = archive.ask_to_destroy(id, seconds(90)).unwrap();
    let Verdict::Permit(permit) = answer.verdict else {
        panic!("{:?}", answer.decision)
    };
    archive.destroy(permit, seconds(90)).unwrap();
    assert_eq!(key_files(folder.path()), [""; 0]);
    let signed = archive.certificate(id).unwrap().unwrap();
    let key = archive.verifier_key().parse().unwrap();
    let (certificate, _) = Certificate::verify(signed.as_bytes(), &key).unwrap();
    assert_eq!(certificate.statement.keys, 2);
    assert_eq!(archive.sound_certificate(id).unwrap(), None);
    assert_eq!(archive.check(Level::Hash).unwrap().wrong, []);
}

#[test]
fn without_a_term_of_its_own_the_sound_has_no_key_of_its_own_and_cannot_go_alone() {
    let Fixture { archive, folder } = fixture();
    let id = record(&archive).id;
    assert_eq!(key_files(folder.path()), [format!("{id}.key")]);
    assert_eq!(archive.summary(id).unwrap().sound_until, None);
    let asked = archive.ask_to_destroy_sound_all(&[id], after_the_sound());
    assert!(asked.into_iter().all(|(_, answer)| answer.is_err()));
    assert_eq!(archive.summary(id).unwrap().state, State::Sealed);
}

#[test]
fn the_files_that_somebody_copied_do_not_open_with_what_is_left() {
    let fixture = fixture();
    let id = record_on(&fixture.archive, "short_sound");
    fixture.archive.settle().unwrap();
    let copy = tempfile::tempdir().unwrap();
    copy_folder(fixture.folder.path(), copy.path());
    end_sound(&fixture.archive, id);
    // The ciphertext is put back, and the data key is there: nobody hears anything.
    let again = fixture.crash_then(|folder| {
        let segments = format!("blobs/objects/rec/{id}");
        std::fs::create_dir_all(folder.join(&segments)).unwrap();
        copy_folder(&copy.path().join(&segments), &folder.join(&segments));
    });
    assert!(matches!(
        may_listen(&again.archive, id),
        Err(ArchiveError::SoundDestroyed { .. })
    ));
    let found = again.archive.check(Level::Presence).unwrap().wrong;
    assert!(
        found
            .iter()
            .any(|one| (one.invariant, one.recording) == (5, Some(id))),
        "{found:?}"
    );
}

#[test]
fn a_hold_and_a_floor_keep_the_sound_as_they_keep_the_whole() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let id = record_on(archive, "short_sound");
    let permit = sound_permit(archive, id, after_the_sound());
    let asked = HoldAsked {
        ground: HoldGround::Claim,
        owner: asker(),
        review_at: seconds(86_400),
        note: None,
        by: asker(),
    };
    let hold = archive.place_hold(id, &asked, seconds(60)).unwrap();
    assert!(
        archive
            .due_sound(after_the_sound(), None, 9)
            .unwrap()
            .is_empty()
    );
    // Not even with a permit from before the hold.
    let told = archive.destroy_sound_all(vec![permit], after_the_sound());
    assert!(told.unwrap().iter().all(|one| one.outcome.is_err()));
    let mut answers = archive.ask_to_destroy_sound_all(&[id], after_the_sound());
    let refused = answers.pop().unwrap().1.unwrap();
    assert!(matches!(refused.verdict, Verdict::Refusal(_)));
    may_listen(archive, id).unwrap();
    archive
        .release(hold.id, &asker(), &asker(), seconds(90))
        .unwrap();
    assert!(end_sound(archive, id).outcome.is_ok());
    // What is left can be held, and the hold opens.
    archive.place_hold(id, &asked, seconds(95)).unwrap();
    let open = archive.holds_opened(id).unwrap();
    assert!(open.iter().all(|hold| hold.details.is_some()));
    let whole = archive.ask_to_destroy(id, after_the_whole()).unwrap();
    assert!(matches!(whole.verdict, Verdict::Refusal(_)));

    let broker = record_on(archive, "broker_short_sound");
    let mut answers = archive.ask_to_destroy_sound_all(&[broker], after_the_sound());
    let refused = answers.pop().unwrap().1.unwrap();
    assert!(
        matches!(refused.verdict, Verdict::Refusal(_)),
        "a statute asks for five years"
    );
    assert_eq!(archive.check(Level::Hash).unwrap().wrong, []);
}

#[test]
fn a_missing_key_of_the_sound_does_not_go_unnoticed() {
    let fixture = fixture();
    let id = record_on(&fixture.archive, "short_sound");
    let own = format!("{id}.key");
    let again = fixture.crash_then(|folder| {
        let sound = key_files(folder).into_iter().find(|name| *name != own);
        std::fs::remove_file(folder.join("keys").join(sound.unwrap())).unwrap();
    });
    let recovery = again.archive.recover(seconds(60)).unwrap();
    assert_eq!(recovery.without_key, [id]);
    for level in [Level::Presence, Level::Hash] {
        let found = again.archive.check(level).unwrap().wrong;
        let named = found
            .iter()
            .filter(|one| one.what.contains("key of its sound"));
        assert_eq!(named.count(), 1, "{found:?}");
    }
    assert!(matches!(
        may_listen(&again.archive, id),
        Err(ArchiveError::NoSoundKey(_))
    ));
}

#[test]
fn a_crash_in_a_call_with_two_keys_costs_what_it_costs_with_one() {
    let fixture = fixture();
    let call = open_call(&fixture.archive, "short_sound");
    let writer: RecordingWriter = write_media(&fixture.archive, &call, 50);
    fixture.archive.commit().unwrap();
    let again = fixture.crash_then(|_folder| {});
    drop(writer);
    let recovery = again.archive.recover(seconds(60)).unwrap();
    assert_eq!(recovery.interrupted, [call.id]);
    let detail = again.archive.detail(call.id).unwrap();
    assert_eq!(detail.timeline.unwrap().streams[0].packets, 50);
    assert!(detail.summary.sound_until.is_some());
    assert_eq!(again.archive.check(Level::Hash).unwrap().wrong, []);
}

/// How far a life came before the fault.
#[derive(Default)]
struct Progress {
    id: Option<RecordingId>,
    committed: bool,
    ended: bool,
}

fn live(archive: &Archive, progress: &mut Progress) -> Result<(), ArchiveError> {
    let call = open_call(archive, "short_sound");
    progress.id = Some(call.id);
    let answer = archive.ask_to_record(call.id, START)?;
    let decision = answer.id;
    let mut writer = archive.begin(permit(answer))?;
    archive.append(&mut writer, &first_chunk(&call, decision, 50))?;
    archive.commit()?;
    progress.committed = true;
    end(archive, writer, 50)?;
    archive.sequence()?;
    let mut answers = archive.ask_to_destroy_sound_all(&[call.id], after_the_sound());
    let Verdict::Permit(permit) = answers.pop().unwrap().1?.verdict else {
        panic!("refused")
    };
    for ended in archive.destroy_sound_all(vec![permit], after_the_sound())? {
        ended.outcome?;
    }
    progress.ended = true;
    Ok(())
}

#[test]
fn after_any_single_fault_the_sound_is_whole_or_gone_and_never_half() {
    let counting = Schedule::counting();
    let folder = tempfile::tempdir().unwrap();
    live(&faulty(folder.path(), &counting), &mut Progress::default()).unwrap();
    let operations = counting.operations();
    for (number, name) in operations.iter().enumerate() {
        for when in [When::Before, When::After] {
            let place = format!("operation {} ({name}), {when:?}", number + 1);
            let folder = tempfile::tempdir().unwrap();
            let schedule = Schedule::failing(number + 1, when, Then::Dead);
            let mut progress = Progress::default();
            let archive = faulty(folder.path(), &schedule);
            let ended = live(&archive, &mut progress);
            assert_eq!(ended.is_err(), schedule.is_dead(), "{place}");
            drop(archive);
            check_after(&Archive::open(parts(folder.path())), &progress, &place);
        }
    }
}

fn check_after(archive: &Archive, progress: &Progress, place: &str) {
    let recovery = archive.recover(days(101)).unwrap();
    assert_eq!(recovery.damaged, [], "{place}");
    assert_eq!(archive.check(Level::Hash).unwrap().wrong, [], "{place}");
    let id = progress.id.unwrap();
    let Ok(detail) = archive.detail(id) else {
        assert!(!progress.committed, "{place}");
        return;
    };
    match detail.summary.state {
        State::Sealed => {
            assert!(!progress.ended, "{place}");
            // Of a call that was cut off before its first chunk there is nothing to hear.
            let streams = detail.timeline.unwrap().streams;
            assert!(!streams.is_empty() || !progress.committed, "{place}");
            assert_eq!(
                may_listen(archive, id).is_ok(),
                !streams.is_empty(),
                "{place}"
            );
        }
        State::WithoutSound => {
            assert!(detail.sound_certificate.is_some(), "{place}");
            assert_eq!(leaves(archive, LeafKind::SoundDestroyed), 1, "{place}");
            let trace = archive.trace(id).unwrap();
            assert_eq!((trace.blobs, trace.has_sound_key), (0, false), "{place}");
        }
        State::NotRecorded => assert!(!progress.committed, "{place}"),
        other => panic!("{place}: still {other}"),
    }
}
