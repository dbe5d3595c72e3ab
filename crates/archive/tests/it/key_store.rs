//! The key store in the hands of somebody who can write in it, of several commands at once, and after a restore.

use crate::keys::{
    beside, epoch_of, master, opened, other_master, typed, under, whole, with_master,
};
use crate::support::*;
use serde_json::{Value, json};
use std::path::Path;
use voicelog_archive::backup::{Backup, BackupKey, DestroyedList, RestoreInput};
use voicelog_archive::check::Level;
use voicelog_archive::keys::{EpochKeys, KeysError, Master as _, RecoveryState, Sheet};
use voicelog_archive::{Archive, ArchiveError};
use voicelog_evidence::Digest;
use voicelog_evidence::canonical::canonical_json;
use voicelog_evidence::key::{DataKey, KeyEncryptionKey};
use voicelog_evidence::sealing::{SealingKey, seal};
use voicelog_evidence::tlog::{Leaf, LeafKind};
use voicelog_model::Kind;
use voicelog_store::faulty::Schedule;
use voicelog_store::{FileKeys, Keys as _, Layout, StoreError, durable};

fn read(folder: &Path, name: &str) -> Value {
    let bytes = std::fs::read(folder.join("keys/records").join(name)).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// Somebody puts a record there.
fn put(folder: &Path, name: &str, record: &Value) {
    let path = folder.join("keys/records").join(name);
    durable::replace(&path, &canonical_json(record).unwrap()).unwrap();
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The key of the stranger's epoch.
fn strange(epoch: u32) -> KeyEncryptionKey {
    KeyEncryptionKey::new(epoch, [0x66; 32])
}

/// The record of an epoch that a stranger makes out of one of the archive's.
fn forged(folder: &Path, epoch: u32) -> Value {
    let mut record = read(folder, "epoch-0001");
    record["epoch"] = json!(epoch);
    record["public_key"] = json!(hex(&strange(epoch).opening_key().sealing_key().0));
    record
}

fn confirmed(archive: &Archive) -> Vec<Sheet> {
    let set = archive.new_recovery_set(START).unwrap();
    let sheets: Vec<Sheet> = set.sheets.iter().map(typed).collect();
    let done = archive.confirm_recovery_set(&sheets[0], &sheets[1], b"secrets", START);
    done.unwrap();
    sheets
}

fn keys_error(error: ArchiveError) -> KeysError {
    match error {
        ArchiveError::Keys(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_recovery_set_that_somebody_puts_into_the_key_store_gets_no_epoch_and_is_an_alarm() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    with_master(path);
    let archive = under(path, master());
    confirmed(&archive);
    assert_eq!(archive.odd_key_records().unwrap(), Vec::<String>::new());
    let ours = read(path, "recovery");
    let mut swapped = ours.clone();
    swapped["public_key"] = json!("07".repeat(32));
    // As it was confirmed before anything bound it.
    let mut unbound = ours;
    unbound["version"] = json!(1);
    unbound.as_object_mut().unwrap().remove("bound");
    for foreign in [swapped, unbound] {
        put(path, "recovery", &foreign);
        let refused = keys_error(archive.new_epoch(START).unwrap_err());
        assert!(matches!(refused, KeysError::ForeignSet(_)), "{refused}");
        assert!(!path.join("keys/records/epoch-0002").exists());
        assert_eq!(archive.odd_key_records().unwrap(), ["recovery"]);
        assert!(matches!(
            archive.recovery_state().unwrap(),
            RecoveryState::Foreign(_)
        ));
    }
    std::fs::remove_file(path.join("keys/records/recovery")).unwrap();
    assert_eq!(
        archive.odd_key_records().unwrap(),
        ["recovery"],
        "it is missing"
    );
    // Made anew, it counts.
    confirmed(&archive);
    assert_eq!(archive.odd_key_records().unwrap(), Vec::<String>::new());
    archive.new_epoch(START).unwrap();
    let state = archive.key_state().unwrap();
    assert!(state.epochs.iter().all(|epoch| epoch.is_under_set));
}

#[test]
fn a_former_recovery_set_that_is_put_back_gets_no_epoch_and_is_an_alarm() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    with_master(path);
    let archive = under(path, master());
    confirmed(&archive);
    let former = read(path, "recovery");
    confirmed(&archive);
    assert_eq!(archive.odd_key_records().unwrap(), Vec::<String>::new());
    // The same master key vouched for it.
    put(path, "recovery", &former);
    let refused = keys_error(archive.new_epoch(START).unwrap_err());
    assert!(matches!(refused, KeysError::ForeignSet(_)), "{refused}");
    drop(archive);
    for keys in [
        EpochKeys::public_only(),
        EpochKeys::under(Box::new(master()), None),
    ] {
        let server = opened(path, keys);
        assert_eq!(server.odd_key_records().unwrap(), ["recovery"]);
    }
}

#[test]
fn an_epoch_that_was_destroyed_and_is_put_back_gets_no_data_key_and_is_an_alarm() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    with_master(path);
    let archive = under(path, master());
    let destroyed = read(path, "epoch-0001");
    archive.new_epoch(START).unwrap();
    assert_eq!(archive.rewrap(START).unwrap().destroyed, [1]);
    put(path, "epoch-0001", &destroyed);
    assert_eq!(archive.odd_key_records().unwrap(), ["epoch-0001"]);
    assert_eq!(archive.key_state().unwrap().odd, ["epoch-0001"]);
    assert_eq!(found_wrong(&archive), ["epoch-0001"]);
    assert_eq!(epoch_of(path, record(&archive).id), 2);
    drop(archive);
    std::fs::remove_file(path.join("keys/records/epoch-0002")).unwrap();
    let recorder = opened(path, EpochKeys::public_only());
    let refused = keys_error(recorder.check_newest_epoch().unwrap_err());
    assert!(matches!(refused, KeysError::NotVouched), "{refused}");
}

#[test]
fn the_newest_epoch_is_missed_when_somebody_takes_it_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    with_master(path);
    let archive = under(path, master());
    archive.new_epoch(START).unwrap();
    assert_eq!(archive.odd_key_records().unwrap(), Vec::<String>::new());
    drop(archive);
    std::fs::remove_file(path.join("keys/records/epoch-0002")).unwrap();
    let server = opened(path, EpochKeys::public_only());
    assert_eq!(server.odd_key_records().unwrap(), ["epoch-0002"]);
    assert_eq!(server.key_state().unwrap().odd, ["epoch-0002"]);
    drop(server);
    assert_eq!(
        found_wrong(&under(path, master())),
        ["the key of epoch 2 is missing"]
    );
}

#[test]
fn the_log_tells_of_no_end_of_an_epoch_that_is_damaged_and_not_destroyed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    with_master(path);
    let archive = under(path, master());
    archive.new_epoch(START).unwrap();
    drop(archive);
    durable::replace(&path.join("keys/records/epoch-0001"), b"{}").unwrap();
    let archive = under(path, master());
    assert_eq!(archive.rewrap(START).unwrap().stuck.len(), 1);
    archive.sequence().unwrap();
    let leaves = archive.leaves(0, 1_000).unwrap().into_iter();
    let mut kinds = leaves.map(|row| Leaf::from_bytes(&row.bytes).unwrap().kind);
    assert!(kinds.all(|kind| kind != LeafKind::KeyRetired));
}

#[test]
fn where_no_epoch_opens_only_the_master_key_that_the_log_knows_makes_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    with_master(path);
    durable::replace(&path.join("keys/records/epoch-0001"), b"{}").unwrap();
    let refused = keys_error(under(path, other_master()).new_epoch(START).unwrap_err());
    assert!(matches!(refused, KeysError::NotVouched), "{refused}");
    assert!(!path.join("keys/records/epoch-0002").exists());
    let archive = under(path, master());
    assert_eq!(archive.new_epoch(START).unwrap(), 2);
    assert_eq!(epoch_of(path, record(&archive).id), 2);
}

#[test]
fn a_server_that_starts_with_the_former_master_key_does_not_tell_the_log_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    with_master(path);
    let archive = under(path, master());
    archive.change_master(&other_master(), START).unwrap();
    let told = archive.told_master().unwrap();
    assert_eq!(told, other_master().name().ok());
    drop(archive);
    let server = under(path, master());
    server.introduce(seconds(9)).unwrap();
    assert_eq!(server.told_master().unwrap(), told);
}

#[test]
fn a_recovery_set_goes_along_to_another_master_key_and_to_the_one_that_its_sheets_make() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    with_master(path);
    let archive = under(path, master());
    let sheets = confirmed(&archive);
    archive.change_master(&other_master(), START).unwrap();
    drop(archive);
    let archive = under(path, other_master());
    assert_eq!(archive.new_epoch(START).unwrap(), 2);
    drop(archive);
    // A server that goes on with the former one raises no alarm, and makes no epoch.
    let former = under(path, master());
    assert_eq!(former.odd_key_records().unwrap(), Vec::<String>::new());
    assert!(former.new_epoch(START).is_err());
    drop(former);
    let archive = opened(path, EpochKeys::public_only());
    archive
        .open_with_sheets(&sheets[0], &sheets[2], &master(), START)
        .unwrap();
    drop(archive);
    let archive = under(path, master());
    assert_eq!(archive.new_epoch(START).unwrap(), 3);
    let state = archive.key_state().unwrap();
    assert!(state.epochs.iter().all(|epoch| epoch.is_under_set));
    whole(&archive);
}

#[test]
fn nothing_is_sealed_to_an_epoch_that_this_archive_did_not_sign_whatever_number_it_goes_by() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    with_master(path);
    for epoch in [2, 99, u32::MAX] {
        put(path, &format!("epoch-{epoch:04}"), &forged(path, epoch));
    }
    durable::replace(&path.join("keys/records/epoch-0050"), b"{}").unwrap();
    let odd = ["epoch-0002", "epoch-0050", "epoch-0099", "epoch-4294967295"];
    // A server whose master key is away at the moment is no better than one that never had it.
    for keys in [
        EpochKeys::public_only(),
        EpochKeys::under(Box::new(master()), None),
    ] {
        let server = opened(path, keys);
        assert_eq!(server.odd_key_records().unwrap(), odd);
        let id = record(&server).id;
        assert_eq!(epoch_of(path, id), 1);
    }
    let archive = under(path, master());
    assert_eq!(found_wrong(&archive), odd);
    assert_eq!(archive.key_state().unwrap().odd, odd);
    // What a stranger put there is in nobody's way: the next number that is free.
    assert_eq!(archive.new_epoch(START).unwrap(), 3);
    archive.rewrap(START).unwrap();
    archive.change_master(&other_master(), START).unwrap();
    drop(archive);
    assert_eq!(found_wrong(&under(path, other_master())), odd);
}

/// The records of keys that the check names; nothing else may be wrong.
fn found_wrong(archive: &Archive) -> Vec<String> {
    archive.sequence().unwrap();
    let findings = archive.check(Level::Hash).unwrap();
    let named = |what: &str| what.split('`').nth(1).map(str::to_owned);
    findings
        .wrong
        .iter()
        .map(|found| named(&found.what).unwrap_or_else(|| found.what.clone()))
        .collect()
}

#[test]
fn an_archive_from_before_epochs_were_signed_signs_them_where_its_master_key_opens_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    with_master(path);
    let mut before = read(path, "epoch-0001");
    before["version"] = json!(1);
    before.as_object_mut().unwrap().remove("signature");
    put(path, "epoch-0001", &before);
    let recorder = opened(path, EpochKeys::public_only());
    let refused = keys_error(recorder.check_newest_epoch().unwrap_err());
    assert!(matches!(refused, KeysError::NotVouched), "{refused}");
    drop(recorder);
    under(path, master()).open_newest_epoch().unwrap();
    let recorder = opened(path, EpochKeys::public_only());
    recorder.check_newest_epoch().unwrap();
    record(&recorder);
    assert_eq!(recorder.odd_key_records().unwrap(), Vec::<String>::new());
}

#[test]
fn sheets_open_what_they_open_and_name_what_is_damaged_or_a_strangers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let one = with_master(path);
    let archive = under(path, master());
    let sheets = confirmed(&archive);
    archive.new_epoch(START).unwrap();
    let two = record(&archive).id;
    archive.new_epoch(START).unwrap();
    drop(archive);
    // One is damaged; one was sealed to the set by a stranger, as anybody can who knows its public key.
    let mut damaged = read(path, "epoch-0002");
    damaged["slots"][1]["wrapped"] = json!("00".repeat(80));
    put(path, "epoch-0002", &damaged);
    let mut forged = forged(path, 99);
    let set = read(path, "recovery")["public_key"].clone();
    let set = Digest::from_hex(set.as_str().unwrap()).unwrap().0;
    let sealed = seal(
        &SealingKey(set),
        b"voicelog/v1/recovery",
        b"epoch-key/99",
        strange(99).expose(),
        [4; 32],
    );
    forged["slots"] = json!([{
        "by": read(path, "epoch-0003")["slots"][1]["by"],
        "wrapped": hex(&sealed.unwrap()),
    }]);
    put(path, "epoch-0099", &forged);

    let archive = opened(path, EpochKeys::public_only());
    let opened = archive.open_with_sheets(&sheets[0], &sheets[1], &other_master(), START);
    let opened = opened.unwrap();
    assert_eq!(opened.epochs, 2);
    let closed: Vec<_> = opened
        .closed
        .iter()
        .map(|(name, _why)| name.as_str())
        .collect();
    assert_eq!(closed, ["epoch-0002", "epoch-0099"]);
    drop(archive);
    let archive = under(path, other_master());
    assert_eq!(read(path, "epoch-0002"), damaged, "as it was");
    archive.sequence().unwrap();
    let wrong = format!("{:?}", archive.check(Level::Hash).unwrap().wrong);
    assert!(
        wrong.contains(&two.to_string()) && !wrong.contains(&one.to_string()),
        "{wrong}"
    );
    assert_eq!(
        archive.check_newest_epoch().err().map(|error| error.kind()),
        None::<Kind>
    );
    assert_eq!(epoch_of(path, record(&archive).id), 3);
}

#[test]
fn a_data_key_that_is_destroyed_while_the_epoch_changes_is_no_key_to_record_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let before = with_master(path);
    let schedule = {
        let path = path.to_owned();
        Schedule::interrupted("put", move || {
            let keys = FileKeys::open(&path.join("keys")).unwrap();
            beside(&path, master()).new_epoch(START).unwrap();
            for id in keys.list().unwrap() {
                if id != before {
                    keys.destroy(id).unwrap();
                }
            }
        })
    };
    let mut parts = with_faults(parts(path), &schedule);
    parts.secrets.epoch_keys = EpochKeys::under(Box::new(master()), None);
    let archive = Archive::open(parts);
    let call = open_call(&archive, "announced");
    let answer = archive.ask_to_record(call.id, START).unwrap();
    let begun = archive.begin(permit(answer));
    assert!(matches!(begun, Err(ArchiveError::NoKey(id)) if id == call.id));
}

#[test]
fn commands_on_keys_exclude_each_other_and_the_second_is_told_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    with_master(path);
    let archive = under(path, master());
    let sheets = confirmed(&archive);
    let waiting = archive.new_recovery_set(START).unwrap().sheets;
    let keys = FileKeys::open(&path.join("keys")).unwrap();
    let held = keys.turn("voicelog backup create", false).unwrap();
    let (one, two) = (&waiting[0], &waiting[1]);
    let refused = [
        archive.new_epoch(START).err(),
        archive.rewrap(START).err(),
        archive.change_master(&other_master(), START).err(),
        archive.new_recovery_set(START).err(),
        archive.confirm_recovery_set(one, two, b"", START).err(),
        archive
            .open_with_sheets(&sheets[0], &sheets[1], &other_master(), START)
            .err(),
    ];
    for error in refused {
        let error = error.unwrap();
        let told = voicelog_model::error::chain(&error).to_string();
        assert!(told.contains("voicelog backup create` (process"), "{told}");
        assert!(told.contains("try again"), "{told}");
        assert!(matches!(
            error,
            ArchiveError::Store {
                source: StoreError::KeysInUse { .. },
                ..
            }
        ));
    }
    // Calls go on.
    record(&archive);
    drop(held);
    archive.rewrap(START).unwrap();
}

#[test]
fn a_file_of_secrets_is_old_once_the_master_key_is_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    with_master(path);
    let archive = under(path, master());
    assert!(!archive.are_kept_secrets_old().unwrap(), "there is none");
    archive.note_kept_secrets().unwrap();
    archive.new_epoch(START).unwrap();
    assert!(!archive.are_kept_secrets_old().unwrap());
    archive.change_master(&other_master(), START).unwrap();
    assert!(archive.are_kept_secrets_old().unwrap());
    archive.note_kept_secrets().unwrap();
    assert!(!archive.are_kept_secrets_old().unwrap());
}

#[test]
fn a_restored_archive_records_under_a_new_epoch_where_those_of_the_backup_were_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    with_master(path);
    let archive = under(path, master());
    let place = tempfile::tempdir().unwrap();
    let backup = place.path().join("backup");
    let key = || BackupKey {
        epoch: 1,
        key: DataKey::from_random([9; 32]),
    };
    archive.create_backup(&backup, &key(), seconds(60)).unwrap();
    archive.new_epoch(seconds(70)).unwrap();
    assert_eq!(archive.rewrap(seconds(70)).unwrap().destroyed, [1]);
    archive.sequence().unwrap();
    let (list, _report) = archive.destroyed_list(0, seconds(80)).unwrap();
    let verifier = archive.verifier_key().parse().unwrap();
    let restored = |lists: Vec<DestroyedList>| {
        let again = tempfile::tempdir().unwrap();
        let input = RestoreInput {
            backup: Backup::open(&backup, &verifier).unwrap(),
            lists,
            known: None,
            accept_lost_entries: false,
        };
        input
            .unpack(&Layout::in_folder(again.path()), &key())
            .unwrap();
        let archive = under(again.path(), master());
        archive.settle_in(&input, seconds(90)).unwrap();
        (again, archive)
    };
    let (_as_of_then, archive) = restored(Vec::new());
    assert!(!archive.is_epoch_over().unwrap(), "nobody told of another");
    let (again, archive) = restored(vec![DestroyedList::read(&list, &verifier, None).unwrap()]);
    assert!(archive.is_epoch_over().unwrap());
    // The number that the log knows is not used again.
    assert_eq!(archive.new_epoch(seconds(90)).unwrap(), 3);
    assert!(!archive.is_epoch_over().unwrap());
    archive.rewrap(seconds(90)).unwrap();
    let id = record(&archive).id;
    assert_eq!(epoch_of(again.path(), id), 3);
    assert!(!again.path().join("keys/records/epoch-0001").exists());
    whole(&archive);
}
