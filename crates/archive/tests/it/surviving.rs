//! Backups on an ugly day: cut off, damaged, made while calls grow and recordings are destroyed.

use crate::backup::{World, backup_key, files_of, later, opens, restore, verifier, write, wrong};
use crate::support::*;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use voicelog_archive::backup::{Backup, BackupError};
use voicelog_archive::{Archive, State, Verdict};
use voicelog_evidence::key::KeyEncryptionKey;
use voicelog_model::RecordingId;
use voicelog_store::Layout;
use voicelog_store::faulty::Schedule;

fn verified(world: &World) -> Vec<BackupError> {
    Backup::open(&world.folder(), &verifier())
        .unwrap()
        .verify()
        .wrong
}

fn segment_of(world: &World, id: RecordingId) -> PathBuf {
    world.folder().join(format!("objects/rec/{id}/000001.seg"))
}

#[test]
fn a_call_that_goes_on_after_a_backup_leaves_that_backup_whole_also_when_the_next_is_cut_off() {
    let world = World::new();
    let kept = record(world.archive()).id;
    let call = open_call(world.archive(), "announced");
    let answer = world.archive().ask_to_record(call.id, START).unwrap();
    let decision = answer.id;
    let mut writer = world.archive().begin(permit(answer)).unwrap();
    write_to(world.archive(), &mut writer, &call, decision, 50);
    let first = world.back_up();
    assert!(!segment_of(&world, call.id).exists(), "it still grows");

    write_more(world.archive(), &mut writer, 50..100);
    let blocked = world.folder().join(".backup.note.new");
    std::fs::create_dir(&blocked).unwrap();
    let cut = world
        .archive()
        .create_backup(&world.folder(), &backup_key(1), later());
    assert!(cut.is_err());
    std::fs::remove_dir(&blocked).unwrap();
    let backup = Backup::open(&world.folder(), &verifier()).unwrap();
    assert_eq!(backup.statement(), &first.statement);
    assert_eq!(verified(&world).len(), 0);
    let (again, _restored) = restore(&world.input()).unwrap();
    for id in [kept, call.id] {
        assert!(opens(&again.archive, id));
    }
    assert_eq!(wrong(&again.archive), [""; 0]);

    // Once it is closed it lies among the others, and what was cut off is taken away.
    end(world.archive(), writer, 100).unwrap();
    world.back_up();
    assert!(segment_of(&world, call.id).exists());
    let folders = std::fs::read_dir(world.folder()).unwrap();
    assert_eq!(folders.count(), 3, "the note, the objects, one backup");
    assert_eq!(verified(&world).len(), 0);
}

#[test]
fn an_object_that_the_folder_lost_or_that_was_cut_there_is_copied_again_and_a_changed_one_is_found_by_reading()
 {
    let world = World::new();
    let (one, two) = (record(world.archive()).id, record(world.archive()).id);
    let three = record(world.archive()).id;
    world.back_up();
    let whole = std::fs::read(segment_of(&world, one)).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    write(&segment_of(&world, one), &flipped);
    std::fs::remove_file(segment_of(&world, two)).unwrap();
    write(&segment_of(&world, three), &whole[..40]);
    assert_eq!(verified(&world).len(), 3);
    // What was written there before is not read each time: its length is looked at.
    let again = world.back_up();
    assert_eq!((again.copied, again.kept), (2, 1));
    let wrong = verified(&world);
    assert_eq!(wrong.len(), 1);
    assert!(wrong[0].to_string().contains(&one.to_string()));
    // Taken away, it is copied again.
    std::fs::remove_file(segment_of(&world, one)).unwrap();
    world.back_up();
    assert_eq!(std::fs::read(segment_of(&world, one)).unwrap(), whole);
    assert_eq!(verified(&world).len(), 0);
}

#[test]
fn what_is_damaged_in_the_archive_is_named_and_takes_the_place_of_no_whole_copy() {
    let world = World::new();
    let (one, two) = (record(world.archive()).id, record(world.archive()).id);
    let three = record(world.archive()).id;
    world.back_up();
    let three_whole = std::fs::read(segment_of(&world, three)).unwrap();
    std::fs::remove_file(segment_of(&world, two)).unwrap();
    let layout = Layout::in_folder(world.made.folder.path());
    let in_archive = |id: RecordingId| layout.blobs.join(format!("objects/rec/{id}/000001.seg"));
    for id in [one, two] {
        let mut bytes = std::fs::read(in_archive(id)).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        write(&in_archive(id), &bytes);
    }
    std::fs::remove_file(in_archive(three)).unwrap();
    let again = world.back_up();
    // The folder's copies of the first and the third are whole; of the second there is no other.
    assert_eq!((again.copied, again.kept), (1, 2));
    // What only the archive lost is named as well.
    assert_eq!(again.damaged.len(), 2, "{:?}", again.damaged);
    assert!(
        again
            .damaged
            .iter()
            .any(|one| one.contains(&two.to_string()))
    );
    assert!(
        again
            .damaged
            .iter()
            .any(|one| one.contains(&three.to_string()))
    );
    assert_eq!(
        std::fs::read(segment_of(&world, three)).unwrap(),
        three_whole
    );
    let (again, _restored) = restore(&world.input()).unwrap();
    assert!(opens(&again.archive, one) && opens(&again.archive, three));
    assert_ne!(wrong(&again.archive), [""; 0]);
}

#[test]
fn what_the_archive_lost_altogether_stays_in_the_folder_however_little_of_it_there_is() {
    let world = World::new();
    let (one, two) = (record(world.archive()).id, record(world.archive()).id);
    world.back_up();
    // Of the first the archive lost the object, and the folder's is damaged; of the second nobody can
    // read the manifest any more.
    let layout = Layout::in_folder(world.made.folder.path());
    let lost = layout.blobs.join(format!("objects/rec/{one}/000001.seg"));
    std::fs::remove_file(lost).unwrap();
    let mut bytes = std::fs::read(segment_of(&world, one)).unwrap();
    bytes[60] ^= 1;
    write(&segment_of(&world, one), &bytes);
    let index = rusqlite::Connection::open(&layout.index).unwrap();
    let damage = "UPDATE erasable SET bytes = x'00' WHERE seq =
        (SELECT manifest FROM recordings WHERE id = ?1)";
    assert_eq!(index.execute(damage, [two.as_bytes()]).unwrap(), 1);
    drop(index);
    let again = world.back_up();
    assert_eq!(again.damaged.len(), 2, "{:?}", again.damaged);
    assert_eq!(std::fs::read(segment_of(&world, one)).unwrap(), bytes);
    assert!(segment_of(&world, two).exists());
    let wrong = verified(&world);
    assert_eq!(wrong.len(), 1, "reading finds it: {wrong:?}");
    assert!(wrong[0].to_string().contains(&one.to_string()));
}

#[test]
fn an_archive_that_went_back_to_an_older_state_does_not_take_from_a_newer_backup() {
    let world = World::new();
    record(world.archive());
    world.archive().sequence().unwrap();
    let older = tempfile::tempdir().unwrap();
    copy_folder(world.made.folder.path(), older.path());
    record(world.archive());
    world.back_up();
    let older = Archive::open(parts(older.path()));
    let refused = older.create_backup(&world.folder(), &backup_key(1), later());
    let refused = refused.unwrap_err();
    assert!(matches!(refused, BackupError::Newer { .. }), "{refused}");
    assert_eq!(verified(&world).len(), 0, "nothing was taken away");
}

#[test]
fn secrets_open_a_backup_or_it_is_said_what_they_do_not_open() {
    let world = World::new();
    let id = record(world.archive()).id;
    record(world.archive());
    world.back_up();
    let backup = Backup::open(&world.folder(), &verifier()).unwrap();
    let wrapping = |byte| [KeyEncryptionKey::new(1, [byte; 32])];
    assert_eq!(
        backup
            .try_opening(&backup_key(1), &wrapping(1), None)
            .wrong
            .len(),
        0
    );
    let other_epoch = backup.try_opening(&backup_key(2), &wrapping(1), None).wrong;
    assert!(matches!(other_epoch[..], [BackupError::Epoch { .. }]));
    let pretended = voicelog_archive::backup::BackupKey {
        epoch: 1,
        ..backup_key(2)
    };
    let not_it = backup.try_opening(&pretended, &wrapping(1), None).wrong;
    assert_eq!(not_it.len(), 2, "index and keys: {not_it:?}");
    for keys in [&wrapping(9)[..], &[]] {
        let closed = backup.try_opening(&backup_key(1), keys, None).wrong;
        let told: Vec<_> = closed.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told.iter().any(|one| one.contains(&id.to_string())));
    }
}

#[test]
fn a_list_of_destructions_is_of_one_moment_whatever_is_destroyed_meanwhile() {
    let world = World::new();
    let all: Vec<_> = (0..12).map(|_| record(world.archive()).id).collect();
    let mut seen = BTreeSet::new();
    std::thread::scope(|scope| {
        let destroying = scope.spawn(|| all.iter().for_each(|id| world.destroy(*id)));
        loop {
            let is_over = destroying.is_finished();
            let (list, _report) = world.archive().destroyed_list(0, later()).unwrap();
            let text = String::from_utf8(list).unwrap();
            let (papers, leaves) = destroyed_in(&text);
            assert!(
                leaves.is_subset(&papers),
                "the log tells of {leaves:?}, and the list has {papers:?}"
            );
            seen.insert(papers.len());
            if is_over {
                break;
            }
        }
    });
    assert!(seen.contains(&all.len()), "{seen:?}");
}

/// The recordings that a list tells of, by their papers and by the leaves of the log.
fn destroyed_in(list: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut papers, mut leaves) = (BTreeSet::new(), BTreeSet::new());
    let (_head, lines) = list.split_once("---\n").unwrap();
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if let Some(id) = line["destroyed"]["recording"].as_str() {
            papers.insert(id.to_owned());
        }
        if let Some(leaf) = line["leaf"]["bytes"].as_str() {
            let leaf: Value = serde_json::from_str(leaf).unwrap();
            if leaf["type"] == "destroyed" {
                leaves.insert(leaf["object"].as_str().unwrap().to_owned());
            }
        }
    }
    (papers, leaves)
}

#[test]
fn while_the_index_is_copied_nothing_is_destroyed_and_what_a_crash_left_of_the_copy_is_overwritten()
{
    let world = World::new();
    let id = record(world.archive()).id;
    let copy = world.made.folder.path().join("index.snapshot");
    let seen = world.place.path().join("seen");
    write(&copy, &[7; 9_000]);
    std::fs::hard_link(&copy, &seen).unwrap();
    // Somebody works with it.
    let held = std::fs::File::open(&copy).unwrap();
    held.try_lock().unwrap();
    let answer = world.archive().ask_to_destroy(id, later()).unwrap();
    let Verdict::Permit(permit) = answer.verdict else {
        panic!("{:?}", answer.decision)
    };
    let error = world.archive().destroy(permit, later()).unwrap_err();
    assert!(error.is_blocked(), "{error}");
    assert_eq!(world.archive().summary(id).unwrap().state, State::Sealed);
    drop(held);
    world.destroy(id);
    assert!(!copy.exists());
    assert_eq!(std::fs::read(&seen).unwrap(), vec![0; 9_000]);
    // And none is left of one that ends as it should.
    world.back_up();
    assert!(!copy.exists());
    assert!(files_of(&world.folder()).len() > 3);
}

#[test]
fn what_is_damaged_in_the_folder_and_in_the_archive_stays_there_as_it_is() {
    let world = World::new();
    let id = record(world.archive()).id;
    world.back_up();
    let layout = Layout::in_folder(world.made.folder.path());
    let mine = layout.blobs.join(format!("objects/rec/{id}/000001.seg"));
    let whole = std::fs::read(&mine).unwrap();
    write(&segment_of(&world, id), &whole[..whole.len() - 1]);
    write(&mine, &whole[..50]);
    let again = world.back_up();
    assert_eq!((again.copied, again.damaged.len()), (0, 1));
    let kept = std::fs::read(segment_of(&world, id)).unwrap();
    assert_eq!(kept.len(), whole.len() - 1, "the longer of two bad ones");
}

#[test]
fn recordings_can_be_destroyed_while_their_objects_are_copied() {
    let world = World::new();
    let (gone, kept) = (record(world.archive()).id, record(world.archive()).id);
    let World { made, place } = world;
    let folder = made.folder;
    drop(made.archive);
    let shared: Arc<OnceLock<Arc<Archive>>> = Arc::default();
    let during = Arc::clone(&shared);
    let schedule = Schedule::interrupted("read", move || {
        let archive = during.get().unwrap();
        let answer = archive.ask_to_destroy(gone, later()).unwrap();
        let Verdict::Permit(permit) = answer.verdict else {
            panic!("{:?}", answer.decision)
        };
        archive.destroy(permit, later()).unwrap();
    });
    let archive = Arc::new(faulty(folder.path(), &schedule));
    shared.set(Arc::clone(&archive)).unwrap();
    let to = place.path().join("backup");
    let created = archive.create_backup(&to, &backup_key(1), later()).unwrap();
    assert_eq!(created.damaged, [""; 0]);
    assert_eq!(archive.summary(gone).unwrap().state, State::Destroyed);
    let input = voicelog_archive::backup::RestoreInput {
        backup: Backup::open(&to, &verifier()).unwrap(),
        lists: Vec::new(),
        known: None,
        accept_lost_entries: false,
    };
    let (again, restored) = restore(&input).unwrap();
    assert_eq!(restored.buried, 1);
    assert!(opens(&again.archive, kept) && !opens(&again.archive, gone));
    assert_eq!(wrong(&again.archive), [""; 0]);
}

#[test]
fn what_systems_put_into_folders_by_themselves_is_in_nobodys_way() {
    let world = World::new();
    let id = record(world.archive()).id;
    let folder = world.folder();
    std::fs::create_dir_all(folder.join("lost+found")).unwrap();
    write(&folder.join(".DS_Store"), b"x");
    world.back_up();
    write(&folder.join("objects/rec/.DS_Store"), b"x");
    let inside = folder.join(format!("objects/rec/{id}/.DS_Store"));
    write(&inside, b"x");
    world.back_up();
    assert!(inside.exists(), "what is not ours stays");
    world.destroy(id);
    world.back_up();
    assert!(inside.exists() && !segment_of(&world, id).exists());
    assert_eq!(verified(&world).len(), 0);
    let other = world.place.path().join("other");
    std::fs::create_dir(&other).unwrap();
    write(&other.join("holiday.txt"), b"x");
    let refused = world
        .archive()
        .create_backup(&other, &backup_key(1), later());
    assert!(matches!(refused, Err(BackupError::NotABackup(_))));
}

#[test]
fn a_folder_whose_backup_is_gone_is_told_from_one_that_never_had_any() {
    let world = World::new();
    record(world.archive());
    assert!(!world.archive().backup_vanished(&world.folder()).unwrap());
    world.back_up();
    assert!(!world.archive().backup_vanished(&world.folder()).unwrap());
    // As where the disk is not mounted: the mount point is there, and empty.
    std::fs::rename(world.folder(), world.place.path().join("elsewhere")).unwrap();
    assert!(world.archive().backup_vanished(&world.folder()).unwrap());
    std::fs::create_dir(world.folder()).unwrap();
    assert!(world.archive().backup_vanished(&world.folder()).unwrap());
    let never = world.place.path().join("never");
    assert!(!world.archive().backup_vanished(&never).unwrap());
}

/// Packets of a recording that goes on.
fn write_more(
    archive: &Archive,
    writer: &mut voicelog_archive::RecordingWriter,
    numbers: std::ops::Range<u16>,
) {
    use voicelog_archive::journal::{ChunkBuilder, PacketKind};
    use voicelog_model::StreamNumber;
    let mut chunk = ChunkBuilder::new();
    for sequence in numbers {
        let arrived = START.plus_micros(i64::from(sequence) * 20_000);
        for number in [1, 2] {
            chunk
                .push_packet(
                    StreamNumber(number),
                    arrived,
                    PacketKind::Rtp,
                    &rtp(sequence),
                )
                .unwrap();
        }
    }
    archive.append(writer, &chunk.take()).unwrap();
    archive.commit().unwrap();
}
