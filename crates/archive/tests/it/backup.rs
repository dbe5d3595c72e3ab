//! Backups: made beside a running archive, incremental, and nothing destroyed comes back.

use crate::support::*;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use voicelog_archive::backup::{
    Backup, BackupError, BackupKey, DestroyedList, RestoreInput, Restored,
};
use voicelog_archive::check::Level;
use voicelog_archive::{Archive, ArchiveError, HoldAsked, HoldGround, State, Verdict};
use voicelog_evidence::certificate::Certificate;
use voicelog_evidence::checkpoint::Checkpoint;
use voicelog_evidence::key::DataKey;
use voicelog_evidence::note::{SigningKey, VerifierKey};
use voicelog_evidence::tlog::{Leaf, LeafKind};
use voicelog_model::{Kind, Pii, RecordingId, Timestamp};
use voicelog_store::Layout;
use voicelog_store::faulty::{DISK, DiskFaults, Schedule, Then, When};

pub(crate) fn later() -> Timestamp {
    seconds(400 * 86_400)
}

pub(crate) fn backup_key(epoch: u32) -> BackupKey {
    BackupKey {
        epoch,
        key: DataKey::from_random([epoch.to_le_bytes()[0]; 32]),
    }
}

pub(crate) fn verifier() -> VerifierKey {
    SigningKey::from_seed("voicelog/test", [2; 32])
        .unwrap()
        .verifier()
}

/// A running archive, and a folder for backups.
pub(crate) struct World {
    pub(crate) made: Fixture,
    pub(crate) place: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            made: fixture(),
            place: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn archive(&self) -> &Archive {
        &self.made.archive
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.place.path().join("backup")
    }

    pub(crate) fn back_up(&self) -> voicelog_archive::backup::Created {
        let snapshot = self.made.folder.path().join("index.snapshot");
        let created = self
            .archive()
            .create_backup(&self.folder(), &backup_key(1), later())
            .unwrap();
        assert!(!snapshot.exists(), "the plain copy of the index is gone");
        created
    }

    pub(crate) fn destroy(&self, id: RecordingId) {
        let answer = self.archive().ask_to_destroy(id, later()).unwrap();
        let Verdict::Permit(permit) = answer.verdict else {
            panic!("{:?}", answer.decision)
        };
        self.archive().destroy(permit, later()).unwrap();
    }

    pub(crate) fn list(&self, from: u64) -> DestroyedList {
        let (bytes, _report) = self.archive().destroyed_list(from, later()).unwrap();
        DestroyedList::read(&bytes, &verifier(), None).unwrap()
    }

    fn checkpoint(&self) -> Checkpoint {
        let signed = self.archive().checkpoint().unwrap().unwrap();
        Checkpoint::verify(signed.as_bytes(), &verifier()).unwrap()
    }

    pub(crate) fn input(&self) -> RestoreInput {
        RestoreInput {
            backup: Backup::open(&self.folder(), &verifier()).unwrap(),
            lists: Vec::new(),
            known: None,
            accept_lost_entries: false,
        }
    }
}

/// Makes an archive again, and opens it as the server does.
pub(crate) fn restore(input: &RestoreInput) -> Result<(Fixture, Restored), BackupError> {
    let folder = tempfile::tempdir().unwrap();
    input.unpack(&Layout::in_folder(folder.path()), &backup_key(1))?;
    let archive = Archive::open(parts(folder.path()));
    let restored = archive.settle_in(input, later())?;
    archive.recover(later()).unwrap();
    let made = Fixture {
        archive: std::sync::Arc::new(archive),
        folder,
    };
    Ok((made, restored))
}

pub(crate) fn wrong(archive: &Archive) -> Vec<String> {
    let found = archive.check(Level::Hash).unwrap();
    found.wrong.into_iter().map(|one| one.what).collect()
}

pub(crate) fn opens(archive: &Archive, id: RecordingId) -> bool {
    match archive.ask_to_listen(id, &asker(), &reader(), later()) {
        Ok(answer) => match answer.verdict {
            Verdict::Permit(permit) => listen(archive, permit, later()).is_ok(),
            Verdict::Refusal(refusal) => panic!("{refusal:?}"),
        },
        Err(ArchiveError::Destroyed { .. }) => false,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn an_archive_is_made_again_from_its_backup_with_every_recording_and_the_same_log() {
    let world = World::new();
    let (one, two) = (record(world.archive()).id, record(world.archive()).id);
    let created = world.back_up();
    assert_eq!((created.copied, created.kept), (2, 0));
    let report = Backup::open(&world.folder(), &verifier()).unwrap().verify();
    assert!(report.wrong.is_empty() && report.files >= 5, "{report:?}");
    let (again, restored) = restore(&world.input()).unwrap();
    assert_eq!((restored.buried, restored.lost), (0, 0));
    assert_eq!(wrong(&again.archive), [""; 0]);
    for id in [one, two] {
        assert!(opens(&again.archive, id));
    }
    let known = world.checkpoint();
    let leaves = again.archive.leaves(0, 1_000).unwrap();
    assert_eq!(
        leaves[..usize::try_from(known.size).unwrap()],
        world.archive().leaves(0, 1_000).unwrap()
    );
    let last = leaves
        .iter()
        .map(|leaf| Leaf::from_bytes(&leaf.bytes).unwrap().kind);
    assert!(last.into_iter().any(|kind| kind == LeafKind::Restored));
}

#[test]
fn a_second_backup_copies_what_is_new_and_takes_away_what_was_destroyed() {
    let world = World::new();
    let (one, two) = (record(world.archive()).id, record(world.archive()).id);
    let first = world.back_up();
    world.destroy(one);
    let three = record(world.archive()).id;
    let second = world.back_up();
    assert_eq!((second.copied, second.kept), (1, 1));
    assert!(second.removed > 0);
    let objects = world.folder().join("objects/rec");
    let there = |id: RecordingId| objects.join(id.to_string()).exists();
    assert!(!there(one) && there(two) && there(three));
    assert!(
        !world
            .folder()
            .join(first.statement.backup.to_string())
            .exists()
    );
    let (again, _restored) = restore(&world.input()).unwrap();
    assert_eq!(again.archive.summary(one).unwrap().state, State::Destroyed);
    assert!(opens(&again.archive, two) && opens(&again.archive, three));
    assert_eq!(wrong(&again.archive), [""; 0]);
}

#[test]
fn what_was_destroyed_after_the_backup_does_not_come_back() {
    let world = World::new();
    let (gone, kept) = (record(world.archive()).id, record(world.archive()).id);
    // Held when the backup was made, and released before the destruction.
    let hold = HoldAsked {
        ground: HoldGround::Claim,
        owner: asker(),
        review_at: later().plus_micros(1),
        note: None,
        by: asker(),
    };
    let hold = world.archive().place_hold(gone, &hold, later()).unwrap();
    world.back_up();
    let why = Pii::new("settled".to_owned());
    world
        .archive()
        .release(hold.id, &why, &asker(), later())
        .unwrap();
    world.destroy(gone);
    let input = RestoreInput {
        lists: vec![world.list(0)],
        known: Some(world.checkpoint()),
        ..world.input()
    };
    let (again, restored) = restore(&input).unwrap();
    assert_eq!(restored.buried, 1);
    assert!(
        restored.caught_up > 0,
        "the list brings the entries since the backup"
    );
    assert_eq!(again.archive.summary(gone).unwrap().state, State::Destroyed);
    assert!(!opens(&again.archive, gone) && opens(&again.archive, kept));
    let trace = again.archive.trace(gone).unwrap();
    assert_eq!((trace.blobs, trace.has_key), (0, false));
    assert_eq!(again.archive.open_holds(None, 9).unwrap(), []);
    let certificate = again.archive.certificate(gone).unwrap().unwrap();
    let (certificate, _checkpoint) =
        Certificate::verify(certificate.as_bytes(), &verifier()).unwrap();
    let original = world.archive().certificate(gone).unwrap().unwrap();
    let (original, _checkpoint) = Certificate::verify(original.as_bytes(), &verifier()).unwrap();
    assert_eq!(
        certificate.statement, original.statement,
        "it states the same"
    );
    assert_eq!(certificate.leaf, original.leaf);
    assert_eq!(wrong(&again.archive), [""; 0]);
    let unpacked = {
        let folder = tempfile::tempdir().unwrap();
        input
            .unpack(&Layout::in_folder(folder.path()), &backup_key(1))
            .unwrap()
    };
    assert_eq!(
        unpacked.left_out, 2,
        "an object and a key were left in the backup"
    );
}

#[test]
fn without_the_newer_list_a_checkpoint_that_somebody_kept_shows_what_would_be_lost() {
    let world = World::new();
    record(world.archive());
    world.back_up();
    record(world.archive());
    world.archive().sequence().unwrap();
    let input = RestoreInput {
        known: Some(world.checkpoint()),
        ..world.input()
    };
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::in_folder(folder.path());
    let refused = input.unpack(&layout, &backup_key(1)).unwrap_err();
    assert!(matches!(refused, BackupError::Behind { .. }), "{refused}");
    assert!(
        !layout.keys.exists() && !layout.exists(),
        "nothing was written"
    );
    let accepted = RestoreInput {
        accept_lost_entries: true,
        ..input
    };
    let (again, restored) = restore(&accepted).unwrap();
    assert!(restored.lost > 0);
    assert_eq!(wrong(&again.archive), [""; 0]);
    // With the newer list nothing is lost.
    let caught_up = RestoreInput {
        lists: vec![world.list(0)],
        accept_lost_entries: false,
        ..accepted
    };
    let (again, restored) = restore(&caught_up).unwrap();
    assert_eq!(restored.lost, 0);
    assert_eq!(wrong(&again.archive), [""; 0]);
}

/// Refused before a key or an object is written.
fn is_another_history(input: &RestoreInput) {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::in_folder(folder.path());
    let refused = input.unpack(&layout, &backup_key(1)).unwrap_err();
    assert!(matches!(refused, BackupError::Fork { .. }), "{refused}");
    assert!(!layout.keys.exists() && !layout.blobs.exists());
}

#[test]
fn a_checkpoint_of_another_history_is_refused() {
    let (world, other) = (World::new(), World::new());
    record(world.archive());
    record(other.archive());
    other.archive().sequence().unwrap();
    world.back_up();
    let input = RestoreInput {
        // Signed with the same key, of another tree: what a second copy that went on would show.
        known: Some(Checkpoint {
            size: 2,
            ..other.checkpoint()
        }),
        ..world.input()
    };
    is_another_history(&input);
    let input = RestoreInput {
        lists: vec![other.list(0)],
        ..world.input()
    };
    is_another_history(&input);
}

#[test]
fn after_a_change_of_its_key_a_former_backup_opens_with_no_secret_that_is_left() {
    let world = World::new();
    record(world.archive());
    world.back_up();
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::in_folder(folder.path());
    let refused = world.input().unpack(&layout, &backup_key(2)).unwrap_err();
    assert!(
        matches!(
            refused,
            BackupError::Epoch {
                backup: 1,
                secrets: 2
            }
        ),
        "{refused}"
    );
    // Nor by saying that it is the one.
    let pretended = BackupKey {
        epoch: 1,
        ..backup_key(2)
    };
    let refused = world.input().unpack(&layout, &pretended).unwrap_err();
    assert_eq!(refused.kind(), Kind::Corrupt, "{refused}");
    assert!(!layout.exists());
}

pub(crate) fn files_of(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.append(&mut files_of(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test's own file need not survive a power cut"
)]
pub(crate) fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}

/// One file of the backup is not what it was: that is found by its name, and it is not restored.
fn found_by_name(world: &World, name: &str) {
    let backup = Backup::open(&world.folder(), &verifier());
    let found = backup.and_then(|backup| {
        let mut found = backup.verify();
        assert_eq!(found.wrong.len(), 1, "{name}");
        Err::<(), _>(found.wrong.remove(0))
    });
    let found = found.unwrap_err();
    assert!(
        matches!(&found, BackupError::Damaged { file, .. } if name.ends_with(file.as_str())),
        "{name}: {found}"
    );
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::in_folder(folder.path());
    let unpacked = Backup::open(&world.folder(), &verifier()).and_then(|backup| {
        let input = RestoreInput {
            backup,
            ..world.input()
        };
        input.unpack(&layout, &backup_key(1))
    });
    match unpacked {
        Err(_refused) => assert!(!name.ends_with(".seg"), "{name}"),
        // The other recording comes back, and what is not whole is named.
        Ok(unpacked) => {
            assert!(name.ends_with(".seg"), "{name}");
            assert_eq!((unpacked.objects, unpacked.damaged.len()), (1, 1));
            let BackupError::Damaged { file, .. } = &unpacked.damaged[0] else {
                panic!("{:?}", unpacked.damaged)
            };
            assert!(name.ends_with(file.as_str()), "{name}: {file}");
            let archive = Archive::open(parts(folder.path()));
            let found = archive.check(Level::Hash).unwrap().wrong;
            assert!(
                found
                    .iter()
                    .any(|one| file.contains(&one.recording.unwrap().to_string())),
                "{found:?}"
            );
        }
    }
}

#[test]
fn a_changed_cut_swapped_or_missing_file_is_found_by_name_and_never_restored() {
    let world = World::new();
    record(world.archive());
    record(world.archive());
    world.back_up();
    let files = files_of(&world.folder());
    let segment = |path: &&PathBuf| path.extension().is_some_and(|end| end == "seg");
    let segments: Vec<_> = files.iter().filter(segment).collect();
    assert_eq!(segments.len(), 2);
    let restores = |name: &str| found_by_name(&world, name);
    for path in &files {
        let name = path.display().to_string();
        if name.ends_with("backup.note") {
            continue;
        }
        let bytes = std::fs::read(path).unwrap();
        let mut flipped = bytes.clone();
        flipped[bytes.len() / 2] ^= 1;
        write(path, &flipped);
        restores(&name);
        write(path, &bytes[..bytes.len() - 1]);
        restores(&name);
        std::fs::remove_file(path).unwrap();
        restores(&name);
        write(path, &bytes);
    }
    let bytes = std::fs::read(segments[0]).unwrap();
    std::fs::copy(segments[1], segments[0]).unwrap();
    restores(&segments[0].display().to_string());
    write(segments[0], &bytes);

    let note = world.folder().join("backup.note");
    let text = std::fs::read_to_string(&note).unwrap();
    write(&note, text.replacen("backup/v2", "backup/v3", 1).as_bytes());
    let error = Backup::open(&world.folder(), &verifier()).unwrap_err();
    assert!(matches!(error, BackupError::Version(_)), "{error}");
    write(
        &note,
        text.replacen("\"epoch\":1", "\"epoch\":2", 1).as_bytes(),
    );
    let error = Backup::open(&world.folder(), &verifier()).unwrap_err();
    assert!(matches!(error, BackupError::Damaged { .. }), "{error}");
    write(&note, text.as_bytes());
    restore(&world.input()).unwrap();
}

#[test]
fn a_backup_or_a_list_of_another_archive_is_refused() {
    let world = World::new();
    record(world.archive());
    world.back_up();
    let other = SigningKey::from_seed("voicelog/other", [9; 32])
        .unwrap()
        .verifier();
    let error = Backup::open(&world.folder(), &other).unwrap_err();
    assert!(matches!(error, BackupError::Foreign { .. }), "{error}");
    let (list, _report) = world.archive().destroyed_list(0, later()).unwrap();
    let error = DestroyedList::read(&list, &other, None).unwrap_err();
    assert!(matches!(error, BackupError::Foreign { .. }), "{error}");
    let mut changed = list;
    let last = changed.len() - 2;
    changed[last] ^= 1;
    let error = DestroyedList::read(&changed, &verifier(), None).unwrap_err();
    assert!(matches!(error, BackupError::Damaged { .. }), "{error}");
    let empty = tempfile::tempdir().unwrap();
    let error = Backup::open(empty.path(), &verifier()).unwrap_err();
    assert_eq!(error.kind(), Kind::Corrupt);
    // Nor does a backup go into a folder that is something else.
    write(&empty.path().join("holiday.jpg"), b"x");
    let error = world
        .archive()
        .create_backup(empty.path(), &backup_key(1), later())
        .unwrap_err();
    assert!(matches!(error, BackupError::NotABackup(_)), "{error}");
    assert!(empty.path().join("holiday.jpg").exists());
}

#[test]
fn a_call_that_is_being_recorded_is_in_the_backup_as_far_as_it_was() {
    let world = World::new();
    let call = open_call(world.archive(), "announced");
    let writer = write_media(world.archive(), &call, 100);
    world.back_up();
    end(world.archive(), writer, 100).unwrap();
    let (again, _restored) = restore(&world.input()).unwrap();
    assert_eq!(again.archive.summary(call.id).unwrap().state, State::Sealed);
    assert!(opens(&again.archive, call.id));
    assert_eq!(wrong(&again.archive), [""; 0]);
}

#[test]
fn index_keys_and_names_lie_in_no_backup_in_the_clear() {
    let world = World::new();
    let id = record(world.archive()).id;
    world.back_up();
    let layout = Layout::in_folder(world.made.folder.path());
    let key = std::fs::read(layout.keys.join(format!("{id}.key"))).unwrap();
    for path in files_of(&world.folder()) {
        let bytes = std::fs::read(&path).unwrap();
        let holds = |what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
        assert!(
            !holds(&key) && !holds(b"SQLite format 3"),
            "{}",
            path.display()
        );
        assert!(
            !holds(NAME.as_bytes()) && !holds(b"verkoop"),
            "{}",
            path.display()
        );
    }
}

/// How one act fails: which operation, when, and what becomes of the others.
type Fault = (usize, When, Then);

/// An archive and a backup of it, from before one more was recorded and one was destroyed.
struct Behind {
    world: World,
    gone: RecordingId,
    kept: [RecordingId; 2],
}

impl Behind {
    fn new() -> Self {
        let world = World::new();
        let (gone, first) = (record(world.archive()).id, record(world.archive()).id);
        world.back_up();
        world.destroy(gone);
        let kept = [first, record(world.archive()).id];
        world.archive().settle().unwrap();
        Self { world, gone, kept }
    }

    /// A copy of both, in which a backup is made while something fails. What was in the backup before, or what is now,
    /// must be there, whole; the folder of the archive keeps no plain copy of the index.
    fn attempt(&self, schedule: &Schedule) -> (TempDir, TempDir, bool) {
        let (folder, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        copy_folder(self.world.made.folder.path(), folder.path());
        copy_folder(self.world.place.path(), place.path());
        let target = place.path().join("backup");
        let archive = faulty(folder.path(), schedule);
        let disks = [folder.path(), place.path()].map(|root| DiskFaults::below(root, schedule));
        let made = archive.create_backup(&target, &backup_key(1), later());
        drop((disks, archive));
        let index = Layout::in_folder(folder.path()).index;
        // As the server does when it starts.
        voicelog_store::forget_snapshot(&index).unwrap();
        assert!(!folder.path().join("index.snapshot").exists());
        let backup = Backup::open(&target, &verifier()).unwrap();
        let wrong = backup.verify().wrong;
        assert!(wrong.is_empty(), "{:?}: {wrong:?}", schedule.operations());
        (folder, place, made.is_ok())
    }

    fn survives(&self, (number, when, then): Fault, operation: &str) -> (TempDir, TempDir) {
        let schedule = Schedule::failing(number, when, then);
        let (folder, place, is_made) = self.attempt(&schedule);
        let at = format!("{number} ({operation}) {when:?} {then:?}");
        // A plain copy of the index that cannot be overwritten now is by whoever starts next.
        let last = schedule.operations().pop();
        let is_tidying = last.is_some_and(|last| last.starts_with(DISK));
        assert!(!is_made || !schedule.is_dead() || is_tidying, "{at}");
        let archive = Archive::open(parts(folder.path()));
        let target = place.path().join("backup");
        archive
            .create_backup(&target, &backup_key(1), later())
            .unwrap();
        assert_eq!(archive.check(Level::Hash).unwrap().wrong, [], "{at}");
        drop(archive);
        let backup = Backup::open(&target, &verifier()).unwrap();
        assert_eq!(backup.verify().wrong.len(), 0, "{at}");
        for path in files_of(&target) {
            let name = path.display().to_string();
            assert!(!name.contains(&self.gone.to_string()), "{at}: {name}");
            assert!(!name.ends_with(".new"), "{at}: {name}");
        }
        (folder, place)
    }
}

#[test]
fn whatever_fails_while_a_backup_is_made_the_one_from_before_stays_whole_and_the_next_is_made() {
    let behind = Behind::new();
    let counting = Schedule::counting();
    assert!(behind.attempt(&counting).2);
    let operations = counting.operations();
    let on_disk = |name: &&&str| name.starts_with(DISK);
    assert!(
        operations.iter().filter(on_disk).count() > 30,
        "{operations:?}"
    );
    for (number, name) in (1..).zip(&operations) {
        let mut last = None;
        for when in [When::Before, When::After] {
            last = Some(behind.survives((number, when, Then::Dead), name));
            if name.starts_with(DISK) {
                last = Some(behind.survives((number, when, Then::GoOn), name));
            }
        }
        // Taking one of them back is slow; one in seven.
        let Some((_folder, place)) = last.filter(|_| number % 7 == 0) else {
            continue;
        };
        let input = RestoreInput {
            backup: Backup::open(&place.path().join("backup"), &verifier()).unwrap(),
            lists: Vec::new(),
            known: None,
            accept_lost_entries: false,
        };
        let (again, _restored) = restore(&input).unwrap();
        let archive = &again.archive;
        assert_eq!(
            archive.summary(behind.gone).unwrap().state,
            State::Destroyed
        );
        assert!(behind.kept.iter().all(|id| opens(archive, *id)));
        assert_eq!(wrong(archive), [""; 0]);
    }
}
