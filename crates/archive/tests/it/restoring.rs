//! What a restore brings back of the time after the backup, and what it does when a step of it fails.

use crate::backup::{World, backup_key, later, opens, restore, verifier, write, wrong};
use crate::destroying::certified;
use crate::support::*;
use serde_json::{Map, Value};
use voicelog_archive::backup::{BackupError, DestroyedList, RestoreInput, Restored};
use voicelog_archive::{Archive, Came, HoldAsked, HoldGround, Login, State, Verdict};
use voicelog_evidence::Digest;
use voicelog_evidence::canonical::canonical_json;
use voicelog_evidence::certificate::Certificate;
use voicelog_evidence::key::{open_bytes, seal_bytes};
use voicelog_evidence::note::SigningKey;
use voicelog_model::{Action, Pii, RecordingId};
use voicelog_store::Layout;
use voicelog_store::faulty::{FaultyBlobs, FaultyKeys, Schedule, Then, When};

fn hold(archive: &Archive, id: RecordingId, owner: &str) -> voicelog_archive::Hold {
    let asked = HoldAsked {
        ground: HoldGround::Claim,
        owner: Pii::new(owner.to_owned()),
        review_at: later().plus_micros(1_000_000),
        note: None,
        by: asker(),
    };
    archive.place_hold(id, &asked, later()).unwrap()
}

fn is_refused(archive: &Archive, id: RecordingId) -> bool {
    let answer = archive.ask_to_destroy(id, later()).unwrap();
    matches!(answer.verdict, Verdict::Refusal(_))
}

/// A call of which nothing is kept.
fn refused_call(archive: &Archive) -> RecordingId {
    let call = open_call(archive, "covert");
    archive.ask_to_record(call.id, START).unwrap();
    let over = (
        START,
        voicelog_archive::journal::JournalEvent::CallStarted {},
    );
    archive
        .finish_unrecorded(call.id, &[over], seconds(9))
        .unwrap();
    call.id
}

#[test]
fn a_hold_that_was_placed_after_the_backup_stands_in_the_restored_archive_with_whose_it_is() {
    let world = World::new();
    let (id, free) = (record(world.archive()).id, record(world.archive()).id);
    let nothing_kept = refused_call(world.archive());
    world.back_up();
    let placed = hold(world.archive(), id, "mr. Kanarie");
    let bare = hold(world.archive(), nothing_kept, "mr. Vink");
    let after = record(world.archive()).id;
    hold(world.archive(), after, "mr. Mus");
    let (bytes, _report) = world.archive().destroyed_list(0, later()).unwrap();
    for name in ["Kanarie", "Vink", "Mus"] {
        let is_there = bytes.windows(name.len()).any(|at| at == name.as_bytes());
        assert!(!is_there, "{name} stands in the clear");
    }
    let input = RestoreInput {
        lists: vec![DestroyedList::read(&bytes, &verifier(), None).unwrap()],
        ..world.input()
    };
    let (again, restored) = restore(&input).unwrap();
    assert_eq!(
        restored.holds, 2,
        "what was recorded after the backup is gone"
    );
    assert!(is_refused(&again.archive, id));
    let standing = again.archive.open_holds(None, 9).unwrap();
    assert!(standing.iter().any(|held| held.recording == nothing_kept));
    assert!(!is_refused(&again.archive, free));
    let opened = again.archive.holds_opened(id).unwrap();
    assert_eq!(opened[0].hold, placed);
    let owner = &opened[0].details.as_ref().unwrap().owner;
    assert_eq!(owner.expose(), "mr. Kanarie");
    // The archive's own key outlives what it holds, so the list does not carry what it sealed.
    let opened = again.archive.holds_opened(nothing_kept).unwrap();
    assert!(opened[0].details.is_none());
    assert_eq!(wrong(&again.archive), [""; 0]);
    // They end as any other.
    let why = Pii::new("settled".to_owned());
    for id in [placed.id, bare.id] {
        again.archive.release(id, &why, &asker(), later()).unwrap();
    }
    assert!(!is_refused(&again.archive, id));
    again.archive.sequence().unwrap();
    assert_eq!(wrong(&again.archive), [""; 0]);
}

#[test]
fn a_restore_excuses_what_is_gone_and_nothing_that_came_back_after_it_was_destroyed() {
    let world = World::new();
    let gone = record(world.archive()).id;
    world.back_up();
    world.destroy(gone);
    let input = RestoreInput {
        lists: vec![world.list(0)],
        ..world.input()
    };
    let (again, _restored) = restore(&input).unwrap();
    assert_eq!(wrong(&again.archive), [""; 0]);
    let index = Layout::in_folder(again.folder.path()).index;
    // Somebody who can write in the index, and has its checks ignored.
    let index = rusqlite::Connection::open(index).unwrap();
    let ignored = index.pragma_update(None, "ignore_check_constraints", true);
    ignored.unwrap();
    let back = "UPDATE recordings SET state = 'sealed' WHERE id = ?1";
    assert_eq!(index.execute(back, [gone.as_bytes()]).unwrap(), 1);
    let wrong = format!("{:?}", wrong(&again.archive));
    let what = "the log says that it was destroyed, and the index does not";
    assert!(wrong.contains(what), "{wrong}");
}

#[test]
fn what_was_recorded_and_destroyed_after_the_backup_has_its_tombstone_and_certificate() {
    let world = World::new();
    record(world.archive());
    world.back_up();
    let gone = record(world.archive()).id;
    world.destroy(gone);
    let input = RestoreInput {
        lists: vec![world.list(0)],
        ..world.input()
    };
    let (again, restored) = restore(&input).unwrap();
    assert_eq!(restored.buried, 1);
    let summary = again.archive.summary(gone).unwrap();
    assert_eq!(
        (summary.state, summary.started_at),
        (State::Destroyed, START)
    );
    let certificate = again.archive.certificate(gone).unwrap().unwrap();
    let (certificate, _checkpoint) =
        Certificate::verify(certificate.as_bytes(), &verifier()).unwrap();
    assert_eq!(certificate.statement.recording, gone);
    assert_eq!(wrong(&again.archive), [""; 0]);
}

/// A list without its papers, signed again: as if they had been lost.
fn without_papers(list: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(list.to_vec()).unwrap();
    let (note, lines) = text.split_once("---\n").unwrap();
    let kept: String = lines
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("{\"destroyed\""))
        .collect();
    let mut head: Value = serde_json::from_str(note.lines().nth(1).unwrap()).unwrap();
    head["destructions"] = 0.into();
    head["lines_sha256"] = serde_json::to_value(Digest::of(kept.as_bytes())).unwrap();
    let head = String::from_utf8(canonical_json(&head).unwrap()).unwrap();
    let key = SigningKey::from_seed("voicelog/test", [2; 32]).unwrap();
    let note = key
        .sign(&format!("voicelog-destroyed/v3\n{head}\n"))
        .unwrap();
    format!("{note}---\n{kept}").into_bytes()
}

#[test]
fn what_only_the_log_says_was_destroyed_does_not_come_back_either() {
    let world = World::new();
    let (gone, kept) = (record(world.archive()).id, record(world.archive()).id);
    hold(world.archive(), kept, "mr. Kanarie");
    world.back_up();
    world.destroy(gone);
    let (bytes, _report) = world.archive().destroyed_list(0, later()).unwrap();
    let bare = without_papers(&bytes);
    let input = RestoreInput {
        lists: vec![DestroyedList::read(&bare, &verifier(), None).unwrap()],
        ..world.input()
    };
    let (again, restored) = restore(&input).unwrap();
    assert_eq!(restored.buried, 1);
    assert_eq!(again.archive.summary(gone).unwrap().state, State::Destroyed);
    assert!(!opens(&again.archive, gone) && opens(&again.archive, kept));
    let trace = again.archive.trace(gone).unwrap();
    assert_eq!((trace.blobs, trace.has_key), (0, false));
    let found = wrong(&again.archive);
    assert_eq!(found.len(), 1, "that its certificate is lost: {found:?}");
}

#[test]
fn a_list_of_version_1_is_read_and_one_of_a_version_to_come_is_not() {
    let world = World::new();
    let id = record(world.archive()).id;
    world.destroy(id);
    let (bytes, _report) = world.archive().destroyed_list(0, later()).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (note, lines) = text.split_once("---\n").unwrap();
    let older = lines.replace(&format!(",\"started_at\":\"{START}\""), "");
    assert!(older != lines);
    let mut head: Value = serde_json::from_str(note.lines().nth(1).unwrap()).unwrap();
    head["lines_sha256"] = serde_json::to_value(Digest::of(older.as_bytes())).unwrap();
    let key = SigningKey::from_seed("voicelog/test", [2; 32]).unwrap();
    let signed = |version: u32, head: &mut Value| {
        head["version"] = version.into();
        let json = String::from_utf8(canonical_json(head).unwrap()).unwrap();
        let note = key
            .sign(&format!("voicelog-destroyed/v{version}\n{json}\n"))
            .unwrap();
        DestroyedList::read(format!("{note}---\n{older}").as_bytes(), &verifier(), None)
    };
    assert_eq!(signed(1, &mut head).unwrap().report().destructions, 1);
    let error = signed(4, &mut head).unwrap_err();
    assert!(matches!(error, BackupError::Version(_)), "{error}");
}

#[test]
fn nobody_is_signed_in_to_a_restored_archive() {
    let world = World::new();
    record(world.archive());
    first_account(world.archive(), "beheer");
    let accounts = world.archive().accounts();
    let login = Login {
        token_hash: [5; 32],
        account: "beheer".to_owned(),
        csrf: [6; 32],
        expires_at: later().plus_micros(1_000_000),
    };
    assert!(accounts.insert_login(&login, START).unwrap());
    let account = accounts.account("beheer").unwrap();
    world.back_up();
    let (again, _restored) = restore(&world.input()).unwrap();
    let accounts = again.archive.accounts();
    assert_eq!(accounts.login(&[5; 32], later()).unwrap(), None);
    assert_eq!(accounts.account("beheer").unwrap(), account);
}

/// A restore of which the operation with this number fails. Gives what came of it.
fn restore_with(
    input: &RestoreInput,
    folder: &std::path::Path,
    schedule: &Schedule,
) -> Result<Restored, BackupError> {
    let layout = Layout::in_folder(folder);
    let unfinished = Layout {
        index: folder.join("index.restoring"),
        ..layout
    };
    input.unpack_through(
        &unfinished,
        &backup_key(1),
        |keys| Box::new(FaultyKeys::new(Box::new(keys), schedule.clone())),
        |blobs| Box::new(FaultyBlobs::new(Box::new(blobs), schedule.clone())),
    )?;
    let archive = Archive::open(with_faults(parts_at(&unfinished), schedule));
    archive.settle_in(input, later())
}

#[test]
fn whatever_fails_while_an_archive_is_restored_there_is_none_yet_and_the_next_try_makes_it() {
    let world = World::new();
    let (gone, kept) = (record(world.archive()).id, record(world.archive()).id);
    world.back_up();
    hold(world.archive(), kept, "mr. Kanarie");
    world.destroy(gone);
    let input = RestoreInput {
        lists: vec![world.list(0)],
        ..world.input()
    };
    let mut failed = 0;
    for number in 1.. {
        let mut is_over = true;
        for when in [When::Before, When::After] {
            let folder = tempfile::tempdir().unwrap();
            let schedule = Schedule::failing(number, when, Then::Dead);
            let made = restore_with(&input, folder.path(), &schedule);
            assert!(
                !Layout::in_folder(folder.path()).exists(),
                "it has no name yet"
            );
            if schedule.is_dead() {
                assert!(made.is_err(), "operation {number}");
                is_over = false;
                failed += 1;
            } else {
                assert_eq!(made.unwrap().holds, 1);
            }
        }
        if is_over {
            break;
        }
    }
    assert!(failed > 40, "{failed}");
    let (again, restored) = restore(&input).unwrap();
    assert_eq!((restored.buried, restored.holds), (1, 1));
    assert!(opens(&again.archive, kept) && !opens(&again.archive, gone));
    assert_eq!(wrong(&again.archive), [""; 0]);
}

#[test]
fn a_recording_that_begins_its_destruction_when_the_list_is_made_is_destroyed_in_the_end() {
    let world = World::new();
    let id = record(world.archive()).id;
    world.back_up();
    let World { made, place } = world;
    let folder = made.folder;
    drop(made.archive);
    // The process dies before the key is gone.
    let schedule = Schedule::counting();
    let archive = faulty(folder.path(), &schedule);
    let answer = archive.ask_to_destroy(id, later()).unwrap();
    let Verdict::Permit(permit) = answer.verdict else {
        panic!("{:?}", answer.decision)
    };
    let number = schedule.operations().len() + 2;
    drop(archive);
    let schedule = Schedule::failing(number, When::Before, Then::Dead);
    let archive = faulty(folder.path(), &schedule);
    let again = archive.ask_to_destroy(id, later()).unwrap();
    drop(again);
    assert!(archive.destroy(permit, later()).is_err());
    drop(archive);
    let archive = Archive::open(parts(folder.path()));
    assert_eq!(archive.summary(id).unwrap().state, State::Destroying);
    let (bytes, _report) = archive.destroyed_list(0, later()).unwrap();
    let input = RestoreInput {
        backup: voicelog_archive::backup::Backup::open(&place.path().join("backup"), &verifier())
            .unwrap(),
        lists: vec![DestroyedList::read(&bytes, &verifier(), None).unwrap()],
        known: None,
        accept_lost_entries: false,
    };
    let (again, _restored) = restore(&input).unwrap();
    assert_eq!(again.archive.summary(id).unwrap().state, State::Destroyed);
    assert!(again.archive.certificate(id).unwrap().is_some());
}

#[test]
fn a_list_from_a_place_on_has_what_a_backup_of_that_log_does_not_know_and_no_more() {
    let world = World::new();
    let [before, after] = [record(world.archive()).id, record(world.archive()).id];
    let kept = record(world.archive()).id;
    world.destroy(before);
    let size = world.back_up().statement.log_size;
    world.destroy(after);
    let (whole, part) = (world.list(0), world.list(size));
    assert_eq!(whole.report().destructions, 2);
    assert_eq!(part.report().destructions, 1);
    let input = RestoreInput {
        lists: vec![part],
        ..world.input()
    };
    let (again, restored) = restore(&input).unwrap();
    assert_eq!(restored.buried, 1);
    for id in [before, after] {
        assert_eq!(again.archive.summary(id).unwrap().state, State::Destroyed);
        assert!(again.archive.certificate(id).unwrap().is_some());
    }
    assert!(opens(&again.archive, kept));
    assert_eq!(wrong(&again.archive), [""; 0]);

    // One that begins later leaves a gap in which something may have been destroyed: nothing permits that.
    let input = RestoreInput {
        lists: vec![world.list(size + 1)],
        accept_lost_entries: true,
        ..world.input()
    };
    let refused = restore(&input).err().unwrap();
    assert!(matches!(refused, BackupError::Gap { .. }), "{refused}");
    assert!(refused.to_string().contains(&format!("--since {size}")));
}

/// Makes the backup one that an older program could have made: its index has the schema before this one.
fn make_older(world: &World) {
    let folder = world.folder();
    let mut statement = world.input().backup.statement().clone();
    let own = folder.join(statement.backup.to_string());
    let (part, list) = (own.join("index.000001"), own.join("files"));
    let (key, label) = (backup_key(1).key, "backup index 1 of 1");
    let of = RecordingId::from_bytes(*statement.backup.as_bytes());
    let plain = open_bytes(&key, label, of, &std::fs::read(&part).unwrap()).unwrap();
    let index = world.place.path().join("older.db");
    write(&index, &plain);
    let connection = rusqlite::Connection::open(&index).unwrap();
    let back = "DROP INDEX recordings_put_off; DROP INDEX recordings_by_sound_term;
        DROP INDEX recordings_by_end_of_sound;
        ALTER TABLE recordings DROP COLUMN sound_destroyed_at;
        ALTER TABLE recordings DROP COLUMN sound_ask_again_at;
        ALTER TABLE recordings DROP COLUMN sound_until;
        ALTER TABLE recordings DROP COLUMN sound;
        DROP TABLE destructions;
        CREATE TABLE destructions (
            id BLOB NOT NULL PRIMARY KEY, recording BLOB NOT NULL UNIQUE REFERENCES recordings (id),
            decision BLOB NOT NULL REFERENCES decisions (id), begun_at INTEGER NOT NULL, leaf BLOB,
            certificate BLOB
        ) STRICT;
        DROP TABLE imported_files; DROP TABLE copy_links; DROP TABLE proposals; DROP TABLE invitations; DROP TABLE accounts;
        CREATE TABLE accounts (name TEXT NOT NULL PRIMARY KEY, password_hash TEXT NOT NULL,
            role TEXT NOT NULL, created_at INTEGER NOT NULL) STRICT;
        UPDATE schema_history SET version = 5;";
    connection.execute_batch(back).unwrap();
    drop(connection);
    let sealed = seal_bytes(&key, label, of, [1; 12], &std::fs::read(&index).unwrap());
    write(&part, &sealed);
    let name = format!("{}/index.000001", statement.backup);
    let listed = std::fs::read_to_string(&list).unwrap();
    let listed: Vec<String> = listed
        .lines()
        .map(|line| match line.ends_with(&name) {
            true => format!("{}  {name}\n", Digest::of(&sealed).to_hex()),
            false => format!("{line}\n"),
        })
        .collect();
    write(&list, listed.concat().as_bytes());
    statement.list_sha256 = Digest::of(listed.concat().as_bytes());
    let json = String::from_utf8(canonical_json(&statement).unwrap()).unwrap();
    let signing = SigningKey::from_seed("voicelog/test", [2; 32]).unwrap();
    let note = signing
        .sign(&format!("voicelog-backup/v2\n{json}\n"))
        .unwrap();
    write(&folder.join("backup.note"), note.as_bytes());
}

#[test]
fn a_backup_of_an_older_schema_is_restored_and_brought_up_to_date() {
    let world = World::new();
    let (gone, kept) = (record(world.archive()).id, record(world.archive()).id);
    world.back_up();
    make_older(&world);
    world.destroy(gone);
    let input = RestoreInput {
        lists: vec![world.list(0)],
        ..world.input()
    };
    assert_eq!(input.backup.verify().wrong.len(), 0);
    let (again, restored) = restore(&input).unwrap();
    assert_eq!(restored.buried, 1);
    assert!(opens(&again.archive, kept) && !opens(&again.archive, gone));
    assert_eq!(wrong(&again.archive), [""; 0]);
}

#[test]
fn a_copy_that_was_given_after_the_backup_stands_in_the_certificate_of_the_restored_archive() {
    let world = World::new();
    let id = record(world.archive()).id;
    world.back_up();
    let court = Action::FileInCourt;
    let asked = world
        .archive()
        .ask_for_copy(id, court, &asker(), &Map::new(), seconds(60));
    let answer = asked.unwrap();
    let given = answer.id;
    let Verdict::Permit(permit) = answer.verdict else {
        panic!("{:?}", answer.decision)
    };
    world.archive().export(permit, None, seconds(60)).unwrap();
    assert!(opens(world.archive(), id), "somebody listens as well");

    // Twice the same list, and what a second restore begins with.
    let input = RestoreInput {
        lists: vec![world.list(0), world.list(0)],
        ..world.input()
    };
    let (again, _restored) = restore(&input).unwrap();
    let archive = &again.archive;
    let told = archive.accesses(id).unwrap();
    let what: Vec<_> = told
        .iter()
        .map(|access| (access.action, access.came, access.asker.is_some()))
        .collect();
    let lost = |action| (action, Came::OnlyLogged, false);
    assert_eq!(what, [lost(Action::GiveCopy), lost(Action::Listen)]);
    assert_eq!((told[0].decision, told[0].at), (given, seconds(60)));

    let answer = archive.ask_to_destroy(id, later()).unwrap();
    let Verdict::Permit(permit) = answer.verdict else {
        panic!("{:?}", answer.decision)
    };
    archive.destroy(permit, later()).unwrap();
    assert_eq!(archive.accesses(id).unwrap(), told, "after it as well");
    let copies = certified(archive, id).statement.was.unwrap().copies;
    let copies: Vec<_> = copies
        .into_iter()
        .map(|copy| (copy.at, copy.decision, copy.recipient))
        .collect();
    assert_eq!(copies, [(seconds(60), given, None)]);
    assert_eq!(wrong(archive), Vec::<String>::new());
}
