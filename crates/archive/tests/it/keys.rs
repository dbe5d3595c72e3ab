//! The keys above the data keys: epochs that come and go, another master key, the recovery set, a process that has
//! only the public key.

use crate::support::*;
use std::path::Path;
use std::sync::Arc;
use voicelog_archive::backup::{Backup, BackupKey, RestoreInput};
use voicelog_archive::check::Level;
use voicelog_archive::keys::{
    EpochKeys, KeysError, MasterKey, RecoveryState, Sheet, key_of_sheets, secrets_under_set,
};
use voicelog_archive::{Archive, ArchiveError, HoldAsked, HoldGround, State, Verdict};
use voicelog_evidence::key::{DataKey, KeyEncryptionKey, unwrap_key, wrapped_epoch};
use voicelog_evidence::tlog::{Leaf, LeafKind};
use voicelog_model::RecordingId;
use voicelog_store::faulty::{DISK, DiskFaults, Schedule, Then, When};
use voicelog_store::{FileKeys, Keys as _, Layout, durable};

pub(crate) fn master() -> MasterKey {
    MasterKey::from_random([0x11; 32])
}

pub(crate) fn other_master() -> MasterKey {
    MasterKey::from_random([0x22; 32])
}

pub(crate) fn opened(folder: &Path, keys: EpochKeys) -> Archive {
    let mut parts = parts(folder);
    parts.secrets.epoch_keys = keys;
    Archive::open(parts)
}

pub(crate) fn under(folder: &Path, master: MasterKey) -> Archive {
    opened(folder, EpochKeys::under(Box::new(master), None))
}

/// A command beside whoever has the archive open for writing.
pub(crate) fn beside(folder: &Path, master: MasterKey) -> Archive {
    let mut parts = reading(folder);
    parts.secrets.epoch_keys = EpochKeys::under(Box::new(master), None);
    Archive::open(parts)
}

/// An archive with a master key, and one recording under epoch 1.
pub(crate) fn with_master(folder: &Path) -> RecordingId {
    let archive = under(folder, master());
    assert_eq!(archive.new_epoch(START).unwrap(), 1);
    archive.introduce(START).unwrap();
    record(&archive).id
}

pub(crate) fn whole(archive: &Archive) {
    archive.sequence().unwrap();
    let findings = archive.check(Level::Hash).unwrap();
    assert_eq!(findings.wrong, []);
}

fn told(archive: &Archive) -> Vec<(LeafKind, String)> {
    archive.sequence().unwrap();
    let leaves = archive.leaves(0, 1_000).unwrap().into_iter();
    let leaves = leaves.map(|row| Leaf::from_bytes(&row.bytes).unwrap());
    leaves
        .filter(|leaf| matches!(leaf.kind, LeafKind::KeyCreated | LeafKind::KeyRetired))
        .map(|leaf| (leaf.kind, leaf.object))
        .collect()
}

pub(crate) fn epoch_of(folder: &Path, id: RecordingId) -> u32 {
    let keys = FileKeys::open(&folder.join("keys")).unwrap();
    wrapped_epoch(&keys.get(id).unwrap()).unwrap()
}

#[test]
fn a_new_epoch_takes_new_recordings_and_the_old_ones_move_when_they_are_wrapped_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let one = with_master(path);
    // A server that has been running since before, and a command beside it.
    let server = under(path, master());
    let command = beside(path, master());
    let before = opened_copy(path, one);
    assert_eq!(command.new_epoch(START).unwrap(), 2);
    let two = record(&server).id;
    assert_eq!((epoch_of(path, one), epoch_of(path, two)), (1, 2));

    let done = command.rewrap(START).unwrap();
    // That of the server is sealed to the public key: it asks no master key in a call.
    assert_eq!((done.epoch, done.moved, done.destroyed), (2, 2, vec![1]));
    assert_eq!(epoch_of(path, one), 2);
    assert!(!path.join("keys/records/epoch-0001").exists());
    assert_eq!(command.rewrap(START).unwrap().moved, 0);
    whole(&server);
    let created = |epoch: &str| (LeafKind::KeyCreated, epoch.to_owned());
    let expected = [
        created("epoch-1"),
        created("master"),
        created("epoch-2"),
        (LeafKind::KeyRetired, "epoch-1".to_owned()),
    ];
    assert_eq!(told(&server), expected);

    // A copy of the wrapped key from before is of no use: what wrapped it is nowhere any more.
    let keys = FileKeys::open(&path.join("keys")).unwrap();
    let now = keys.get(one).unwrap();
    assert!(keys.replace(one, &now, &before).unwrap());
    let error = server.trace(one).and_then(|_| server.check(Level::Hash));
    assert_ne!(error.unwrap().wrong, []);
}

/// The wrapped data key as it lies there.
fn opened_copy(folder: &Path, id: RecordingId) -> Vec<u8> {
    FileKeys::open(&folder.join("keys"))
        .unwrap()
        .get(id)
        .unwrap()
}

#[test]
fn the_key_that_lay_in_the_open_goes_when_everything_is_under_an_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let one = {
        let archive = Archive::open(parts(path));
        archive.introduce(START).unwrap();
        assert!(matches!(
            archive.rewrap(START),
            Err(ArchiveError::Keys(KeysError::NoEpochs))
        ));
        record(&archive).id
    };
    let given = KeyEncryptionKey::new(1, [1; 32]);
    let keys = EpochKeys::under(Box::new(master()), Some(given));
    let archive = opened(path, keys);
    assert_eq!(archive.new_epoch(START).unwrap(), 2);
    let two = record(&archive).id;
    whole(&archive);
    let done = archive.rewrap(START).unwrap();
    assert_eq!((done.moved, done.given_unused), (1, Some(1)));
    archive.tell_retired(&[1], START).unwrap();
    drop(archive);

    let archive = under(path, master());
    assert_eq!((epoch_of(path, one), epoch_of(path, two)), (2, 2));
    whole(&archive);
    assert!(told(&archive).contains(&(LeafKind::KeyRetired, "epoch-1".to_owned())));
}

#[test]
fn a_data_key_that_does_not_open_keeps_its_epoch_and_the_others_move() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let damaged = with_master(path);
    let archive = under(path, master());
    let whole = record(&archive).id;
    let file = path.join(format!("keys/{damaged}.key"));
    let mut bytes = std::fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    durable::replace(&file, &bytes).unwrap();
    archive.new_epoch(START).unwrap();
    let done = archive.rewrap(START).unwrap();
    assert_eq!((done.moved, done.destroyed), (1, vec![]));
    assert_eq!(done.stuck.len(), 1);
    assert_eq!(done.stuck[0].0, damaged);
    assert_eq!((epoch_of(path, damaged), epoch_of(path, whole)), (1, 2));
}

#[test]
fn a_recording_that_is_destroyed_while_keys_are_wrapped_again_stays_destroyed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let id = with_master(path);
    under(path, master()).new_epoch(START).unwrap();
    // Between the look at the key and its new wrapping somebody destroys it.
    let keys = FileKeys::open(&path.join("keys")).unwrap();
    let schedule = Schedule::interrupted("get", move || keys.destroy(id).unwrap());
    let mut parts = with_faults(parts(path), &schedule);
    parts.secrets.epoch_keys = EpochKeys::under(Box::new(master()), None);
    let done = Archive::open(parts).rewrap(START).unwrap();
    assert_eq!(done.moved, 0);
    assert!(!path.join(format!("keys/{id}.key")).exists());
}

#[test]
fn a_recording_that_begins_while_the_epoch_changes_is_under_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    with_master(path);
    let schedule = {
        let path = path.to_owned();
        // The whole of a rotation, between the choice of the epoch and the end of keeping the key.
        Schedule::interrupted("put", move || {
            let command = beside(&path, master());
            command.new_epoch(START).unwrap();
            command.rewrap(START).unwrap();
        })
    };
    let mut parts = with_faults(parts(path), &schedule);
    parts.secrets.epoch_keys = EpochKeys::under(Box::new(master()), None);
    let archive = Archive::open(parts);
    let id = record(&archive).id;
    assert_eq!(epoch_of(path, id), 2);
    whole(&archive);
}

#[test]
fn rotation_survives_a_crash_at_every_operation_and_goes_on_where_it_was() {
    let rotate = |archive: &Archive| -> Result<(), ArchiveError> {
        archive.new_epoch(START)?;
        archive.rewrap(START)?;
        archive.change_master(&other_master(), START)?;
        Ok(())
    };
    let before = tempfile::tempdir().unwrap();
    with_master(before.path());
    let archive = under(before.path(), master());
    record(&archive);
    let sheets = archive.new_recovery_set(START).unwrap().sheets;
    let set = archive.confirm_recovery_set(&sheets[0], &sheets[1], b"secrets", START);
    set.unwrap();
    drop(archive);
    let run = |schedule: Schedule| {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(before.path(), folder.path());
        let mut parts = with_faults(parts(folder.path()), &schedule);
        parts.secrets.epoch_keys = EpochKeys::under(Box::new(master()), None);
        let disk = DiskFaults::below(folder.path(), &schedule);
        let done = rotate(&Archive::open(parts));
        drop(disk);
        (folder, done)
    };
    let counting = Schedule::counting();
    run(counting.clone()).1.unwrap();
    let operations = counting.operations();
    assert!(operations.len() > 20, "{operations:?}");
    let on_disk = |name: &&&str| name.starts_with(DISK);
    assert!(
        operations.iter().filter(on_disk).count() > 20,
        "{operations:?}"
    );
    for number in 1..=operations.len() {
        for when in [When::Before, When::After] {
            let schedule = Schedule::failing(number, when, Then::Dead);
            let (folder, done) = run(schedule.clone());
            let at = format!("{number} ({}) {when:?}", operations[number - 1]);
            // What says that nothing is there fails by itself, and is no fault.
            assert!(done.is_err() || !schedule.is_dead(), "{at}");
            let path = folder.path();
            // One of the two master keys opens everything; both may.
            let opens = |master| {
                let archive = beside(path, master);
                let known = archive.known_calls(START, seconds(60), None, 9);
                known.is_ok_and(|known| known.0.iter().all(|call| call.numbers.is_some()))
            };
            let by_former = opens(master());
            assert!(
                by_former || opens(other_master()),
                "{at}: nobody can open it"
            );
            let archive = under(path, if by_former { master() } else { other_master() });
            archive.rewrap(START).unwrap();
            archive.change_master(&other_master(), START).unwrap();
            drop(archive);
            let archive = under(path, other_master());
            whole(&archive);
            let state = archive.key_state().unwrap();
            assert_eq!(state.epochs.len(), 1, "{at}");
            assert_eq!(state.epochs[0].data_keys, 2, "{at}");
            let recovery = state.recovery.as_str();
            assert_eq!(recovery, "confirmed", "{at}: the set went along");
            assert!(
                !opens(master()),
                "{at}: the former master key opens nothing"
            );
        }
    }
}

#[test]
fn the_wrong_master_key_is_told_by_name_and_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let id = with_master(path);
    let wrong = under(path, MasterKey::from_random([0x33; 32]));
    for error in [wrong.rewrap(START).err(), wrong.new_epoch(START).err()] {
        assert!(matches!(error, Some(ArchiveError::Keys(_))), "{error:?}");
    }
    // A call that comes in is recorded all the same: its key is sealed to the public key.
    let recorded = record(&wrong).id;
    drop(wrong);
    let archive = under(path, master());
    whole(&archive);
    archive.rewrap(START).unwrap();
    assert_eq!(epoch_of(path, id), epoch_of(path, recorded));
    whole(&archive);
}

#[test]
fn a_backup_has_the_epochs_so_that_the_master_key_opens_what_is_restored() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    with_master(path);
    let archive = under(path, master());
    archive.new_epoch(START).unwrap();
    record(&archive);
    let (place, again) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let backup = place.path().join("backup");
    let key = || BackupKey {
        epoch: 1,
        key: DataKey::from_random([9; 32]),
    };
    archive.create_backup(&backup, &key(), seconds(60)).unwrap();
    let input = RestoreInput {
        backup: Backup::open(&backup, &archive.verifier_key().parse().unwrap()).unwrap(),
        lists: Vec::new(),
        known: None,
        accept_lost_entries: false,
    };
    input
        .unpack(&Layout::in_folder(again.path()), &key())
        .unwrap();
    let restored = under(again.path(), master());
    restored.settle_in(&input, seconds(60)).unwrap();
    restored.recover(seconds(60)).unwrap();
    whole(&restored);
    let counts = restored.key_state().unwrap().epochs.into_iter();
    let counts: Vec<_> = counts.map(|epoch| (epoch.epoch, epoch.data_keys)).collect();
    assert_eq!(counts, [(1, 1), (2, 1)]);
}

pub(crate) fn typed(sheet: &Sheet) -> Sheet {
    Sheet::parse(&sheet.lines().join("\n")).unwrap()
}

#[test]
fn a_recovery_set_counts_when_two_sheets_were_typed_back_and_opens_everything_without_the_master_key()
 {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    with_master(path);
    let archive = under(path, master());
    assert_eq!(archive.recovery_state().unwrap(), RecoveryState::None);
    let set = archive.new_recovery_set(START).unwrap();
    assert!(matches!(
        archive.recovery_state().unwrap(),
        RecoveryState::NotConfirmed(_)
    ));
    assert!(!archive.key_state().unwrap().epochs[0].is_under_set);
    let [one, two, three] = [0, 1, 2].map(|at| typed(&set.sheets[at]));
    let refused = archive.confirm_recovery_set(&one, &one, b"secrets", START);
    assert!(matches!(
        refused,
        Err(ArchiveError::Keys(KeysError::Sheet(_)))
    ));
    let confirmed = archive.confirm_recovery_set(&three, &one, b"secrets", seconds(9));
    assert_eq!(confirmed.unwrap().confirmed_at, Some(seconds(9)));
    // A later epoch comes under the set, and nobody had to take out the sheets.
    archive.new_epoch(START).unwrap();
    record(&archive);
    let state = archive.key_state().unwrap();
    assert!(state.epochs.iter().all(|epoch| epoch.is_under_set));
    assert!(told(&archive).contains(&(LeafKind::KeyCreated, "recovery".to_owned())));
    drop(archive);

    for (first, second) in [(&one, &two), (&two, &three), (&three, &one)] {
        let machine = tempfile::tempdir().unwrap();
        copy_folder(path, machine.path());
        let key = key_of_sheets(first, second).unwrap();
        let keys = FileKeys::open(&machine.path().join("keys")).unwrap();
        assert_eq!(*secrets_under_set(&keys, &key).unwrap(), b"secrets");
        let archive = opened(machine.path(), EpochKeys::public_only());
        let opened = archive.open_with_sheets(first, second, &other_master(), START);
        let opened = opened.unwrap();
        assert_eq!((opened.epochs, opened.closed), (2, vec![]));
        drop(archive);
        let archive = under(machine.path(), other_master());
        whole(&archive);
        let lost = beside(machine.path(), master());
        assert_ne!(lost.check(Level::Hash).unwrap().wrong, []);
    }
}

#[test]
fn a_new_set_takes_the_place_of_the_old_one_when_it_is_confirmed_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    with_master(folder.path());
    let archive = under(folder.path(), master());
    let first = archive.new_recovery_set(START).unwrap().sheets;
    let (one, two) = (&first[0], &first[1]);
    archive.confirm_recovery_set(one, two, b"1", START).unwrap();
    let second = archive.new_recovery_set(START).unwrap().sheets;
    let mixed = archive.confirm_recovery_set(&first[0], &second[1], b"2", START);
    assert!(matches!(
        mixed,
        Err(ArchiveError::Keys(KeysError::Sheet(_)))
    ));
    let of_the_first = archive.confirm_recovery_set(one, two, b"2", START);
    assert!(matches!(
        of_the_first,
        Err(ArchiveError::Keys(KeysError::OtherSet))
    ));
    let open = |sheets: &[Sheet]| {
        let machine = tempfile::tempdir().unwrap();
        copy_folder(folder.path(), machine.path());
        let archive = opened(machine.path(), EpochKeys::public_only());
        archive.open_with_sheets(&sheets[0], &sheets[1], &other_master(), START)
    };
    assert!(open(&first).is_ok(), "the new one does not count yet");
    assert!(open(&second).is_err());
    archive
        .confirm_recovery_set(&second[2], &second[1], b"2", START)
        .unwrap();
    assert!(open(&second).is_ok());
    assert!(open(&first).is_err(), "who kept old sheets has nothing");
}

#[test]
fn a_process_with_only_the_public_key_records_a_call_from_beginning_to_end_and_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let before = with_master(path);
    let recorder = opened(path, EpochKeys::public_only());
    recorder.introduce(START).unwrap();
    assert!(!recorder.can_open());
    let call = open_call(&recorder, "announced");
    let writer = write_media(&recorder, &call, 100);
    let finished = end(&recorder, writer, 100).unwrap();
    recorder.sequence().unwrap();
    // Who has the whole of this machine has no key that opens it, of this recording or of those before.
    let numbers = |archive: &Archive| {
        let known = archive.known_calls(START, seconds(60), None, 9).unwrap().0;
        known
            .into_iter()
            .map(|known| known.numbers)
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers(&recorder), [None, None], "nor of those before");
    assert_ne!(before, finished.id);
    let everything: Vec<[u8; 32]> = files_of_32_bytes(path);
    let wrapped = opened_copy(path, finished.id);
    for raw in everything {
        let kek = KeyEncryptionKey::new(1, raw);
        assert!(unwrap_key(&[kek], finished.id, &wrapped).is_err());
    }
    drop(recorder);
    let archive = under(path, master());
    whole(&archive);
    assert!(numbers(&archive).iter().all(Option::is_some));
    // Then it is wrapped like all others, and the master key alone opens it.
    assert_eq!(archive.rewrap(START).unwrap().moved, 1);
    whole(&archive);
}

/// Every run of 32 bytes in every file of the key store: what a thief would try.
fn files_of_32_bytes(folder: &Path) -> Vec<[u8; 32]> {
    let mut found = Vec::new();
    for folder in [folder.join("keys"), folder.join("keys/records")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let bytes = std::fs::read(path).unwrap();
                found.extend(
                    bytes
                        .windows(32)
                        .map(|run| <[u8; 32]>::try_from(run).unwrap()),
                );
            }
        }
    }
    found
}

#[test]
fn a_process_with_only_the_public_key_can_hold_what_it_could_destroy_and_lift_that_again() {
    let folder = tempfile::tempdir().unwrap();
    let id = with_master(folder.path());
    let recorder = opened(folder.path(), EpochKeys::public_only());
    let asked = HoldAsked {
        ground: HoldGround::Claim,
        owner: asker(),
        review_at: seconds(86_400),
        note: None,
        by: asker(),
    };
    let held = recorder.place_hold(id, &asked, seconds(60)).unwrap();
    let years = seconds(5 * 366 * 86_400);
    let refused = recorder.ask_to_destroy(id, years).unwrap();
    assert!(matches!(refused.verdict, Verdict::Refusal(_)));
    let owner = |archive: &Archive| archive.holds_opened(id).unwrap()[0].details.clone();
    assert_eq!(owner(&recorder).unwrap().owner, asked.owner);
    // It is sealed with a key that does not end with the recording, so no copy of it leaves the index.
    let (list, _report) = recorder.destroyed_list(0, seconds(70)).unwrap();
    let list = String::from_utf8(list).unwrap();
    let line = list
        .lines()
        .find(|line| line.starts_with("{\"hold\""))
        .unwrap();
    assert!(
        line.contains(&held.id.to_string()) && !line.contains("sealed"),
        "{line}"
    );
    drop(recorder);

    // Where the master key is, both kinds open.
    let archive = under(folder.path(), master());
    let second = archive.place_hold(id, &asked, seconds(80)).unwrap();
    assert_eq!(owner(&archive).unwrap().owner, asked.owner);
    drop(archive);
    let recorder = opened(folder.path(), EpochKeys::public_only());
    let closed = recorder.holds_opened(id).unwrap();
    assert!(closed[0].closed.is_none() && closed[1].closed.is_some());
    for hold in [held.id, second.id] {
        assert!(
            recorder
                .release(hold, &asker(), &asker(), seconds(90))
                .unwrap()
        );
    }
    let answer = recorder.ask_to_destroy(id, years).unwrap();
    let Verdict::Permit(permit) = answer.verdict else {
        panic!("{:?}", answer.decision)
    };
    recorder.destroy(permit, years).unwrap();
}

#[test]
fn what_a_recorder_without_a_key_could_not_finish_waits_and_is_finished_where_the_key_is() {
    let folder = tempfile::tempdir().unwrap();
    with_master(folder.path());
    let recorder = opened(folder.path(), EpochKeys::public_only());
    let call = open_call(&recorder, "announced");
    let writer = write_media(&recorder, &call, 100);
    assert!(recorder.waiting_for_key().unwrap().is_empty());
    // The machine stops here.
    let after = tempfile::tempdir().unwrap();
    copy_folder(folder.path(), after.path());
    drop(writer);

    let recorder = opened(after.path(), EpochKeys::public_only());
    let recovery = recorder.recover(seconds(60)).unwrap();
    assert_eq!(recovery.waiting_for_key, [call.id]);
    assert_eq!((recovery.damaged, recovery.interrupted), (vec![], vec![]));
    assert_eq!(recorder.waiting_for_key().unwrap(), [call.id]);
    // It records further calls meanwhile.
    let next = record(&recorder).id;
    drop(recorder);

    let archive = Arc::new(under(after.path(), master()));
    let recovery = archive.recover(seconds(90)).unwrap();
    assert_eq!(recovery.interrupted, [call.id]);
    let state = |id| archive.summary(id).unwrap().state;
    assert_eq!(
        (state(call.id), state(next)),
        (State::Sealed, State::Sealed)
    );
    whole(&archive);
}

#[test]
fn no_key_stands_in_what_is_printed_of_them() {
    let keys = EpochKeys::under(
        Box::new(MasterKey::from_random([0xaa; 32])),
        Some(KeyEncryptionKey::new(1, [0xaa; 32])),
    );
    let shown = format!("{keys:?} {:?}", DataKey::from_random([0xaa; 32]));
    assert!(!shown.contains("170") && !shown.contains("aa"), "{shown}");
}
