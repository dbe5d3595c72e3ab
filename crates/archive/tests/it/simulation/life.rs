//! One life: processes that open the archive, do something, and end; between them, what is there is looked at.

use super::acts::{Did, Outcome, Process, back_up, listen_to};
use super::disk::{Disk, Fault, How};
use super::model::{Done, Held, Model};
use crate::backup::{backup_key, files_of, verifier, write};
use crate::support::*;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use voicelog_archive::backup::{Backup, DestroyedList, RestoreInput};
use voicelog_archive::check::Level;
use voicelog_archive::keys::{EpochKeys, MasterKey};
use voicelog_archive::{Archive, Recovery};
use voicelog_evidence::checkpoint::Checkpoint;
use voicelog_model::{RecordingId, Timestamp};
use voicelog_store::blobs::Options;
use voicelog_store::faulty::{Dice, Schedule, Then, When};
use voicelog_store::{Access, ArchiveId, Layout, LocalStore};

/// A folder in memory, on machines that have one: syncing is quick there, and this disk is played anyway.
fn memory_folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

/// A backup, and what was known when it was made.
struct Copy {
    made_at: Timestamp,
    model: Model,
}

pub(crate) struct Life<'a> {
    dice: Dice,
    now: Timestamp,
    folder: TempDir,
    disk: Arc<Disk>,
    model: Model,
    place: TempDir,
    /// The backups that the folder may hold: the one that was acknowledged last, and those that failed since.
    copies: Vec<Copy>,
    /// A spool that is soon full, or never: then it still holds what is destroyed.
    spool_bytes_max: u64,
    told: &'a Mutex<Vec<String>>,
}

impl<'a> Life<'a> {
    pub(crate) fn new(seed: u64, told: &'a Mutex<Vec<String>>) -> Self {
        let folder = memory_folder();
        let layout = Layout::in_folder(folder.path());
        LocalStore::create(&layout, ArchiveId([7; 16]), START).unwrap();
        Self {
            dice: Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            now: START,
            disk: Arc::new(Disk::new(&layout.blobs, memory_folder())),
            folder,
            model: Model::default(),
            place: memory_folder(),
            copies: Vec::new(),
            spool_bytes_max: 4_000,
            told,
        }
    }

    fn tell(&self, what: impl Into<String>) {
        self.told.lock().unwrap().push(what.into());
    }

    pub(crate) fn live(mut self, mut acts: usize) {
        while acts > 0 {
            acts = acts.saturating_sub(1);
            let count = self.dice.below(13).min(acts);
            acts -= self.process(count);
            // Every other time the next process meets what this one left, with faults of its own.
            if self.dice.below(2) == 0 {
                self.look();
            }
            if self.dice.below(6) == 0 {
                self.restore();
            }
        }
        self.look();
        self.farewell();
    }

    fn open(&self, schedule: &Schedule) -> Result<Archive, String> {
        let faults = Some(Arc::clone(&self.disk) as _);
        let options = Options {
            spool_bytes_max: self.spool_bytes_max,
            faults,
            ..Options::default()
        };
        let layout = Layout::in_folder(self.folder.path());
        let store = LocalStore::open(&layout, Access::Write(options));
        let parts = parts_of(store.map_err(|error| format!("{error:?}"))?);
        let archive = Archive::open(under_master(with_faults(parts, schedule)));
        archive
            .ensure_epoch(self.now)
            .and_then(|()| archive.introduce(self.now))
            .map_err(|error| format!("{error:?}"))?;
        Ok(archive)
    }

    /// What will go wrong in the next process, if anything: an operation of the store, or steps of its disk.
    fn draw_faults(&mut self) -> (Option<(usize, When, Then)>, Option<Fault>) {
        use How::{After, Before, Full, PowerCut, PowerCutAfter};
        let dice = &mut self.dice;
        match dice.below(5) {
            0 => (None, None),
            1 | 2 => {
                // Storage that says no has done nothing, unless the process dies of it.
                let ways = [
                    (When::Before, Then::GoOn),
                    (When::Before, Then::Dead),
                    (When::After, Then::Dead),
                ];
                let (when, then) = ways[dice.below(3)];
                (Some((1 + dice.below(160), when, then)), None)
            }
            _ => {
                let fault = Fault {
                    is_of_settler: dice.below(4) == 0,
                    at: 1 + dice.below(40),
                    count: 1 + dice.below(5),
                    how: [Before, After, Full, PowerCut, PowerCutAfter][dice.below(5)],
                };
                (None, Some(fault))
            }
        }
    }

    /// A process that does so much at most. Gives how many acts it came to.
    fn process(&mut self, count: usize) -> usize {
        let (failing, fault) = self.draw_faults();
        self.spool_bytes_max = [4_000, 1 << 20][self.dice.below(2)];
        self.tell(format!("process: {failing:?}, {fault:?}"));
        let schedule = failing.map_or_else(Schedule::counting, |(number, when, then)| {
            Schedule::failing(number, when, then)
        });
        self.disk.arm(fault, &schedule);
        let is_sound = fault.is_none() && failing.is_none();
        let mut done = 0;
        match self.open(&schedule) {
            Ok(archive) => done = self.work(&archive, &schedule, (count, is_sound)),
            Err(error) if is_sound => panic!("it does not open: {error}"),
            Err(error) => self.tell(format!("does not open: {error}")),
        }
        if self.disk.is_cut() {
            self.tell("power cut");
            self.disk.cut_power(&mut self.dice);
        }
        done
    }

    fn work(
        &mut self,
        archive: &Archive,
        schedule: &Schedule,
        (count, is_sound): (usize, bool),
    ) -> usize {
        let mut done = 0;
        match archive.recover(self.now) {
            Ok(recovery) if is_sound => assert_clean(&recovery),
            Ok(_recovery) => {}
            Err(error) if is_sound => panic!("no recovery: {error:?}"),
            Err(error) => {
                self.tell(format!("no recovery: {error:?}"));
                return 0;
            }
        }
        let mut writers = Vec::new();
        while done < count && !schedule.is_dead() {
            done += 1;
            let (name, outcome) = if self.dice.below(14) == 0 {
                ("backup", self.back_up(archive, is_sound))
            } else {
                let mut process = Process {
                    archive,
                    folder: self.folder.path(),
                    model: &mut self.model,
                    dice: &mut self.dice,
                    now: &mut self.now,
                    is_sound,
                    writers: std::mem::take(&mut writers),
                };
                let outcome = process.act();
                writers = process.writers;
                outcome
            };
            assert!(!is_sound || outcome.is_ok(), "{name}: {outcome:?}");
            self.tell(match outcome {
                Ok(Did::It) => name.to_owned(),
                Ok(Did::Nothing) => format!("{name}: nothing"),
                Err(error) => format!("{name}: {error}"),
            });
            if let Ok(Some((now, _note))) = archive.newest_checkpoint() {
                self.model.checkpoints.push((now.size, now.root));
            }
        }
        match self.dice.below(3) {
            0 => {
                let settled = archive.settle();
                assert!(
                    !is_sound || settled.is_ok() || !writers.is_empty(),
                    "{settled:?}"
                );
                self.tell("stop");
            }
            1 => {
                schedule.kill();
                self.tell("kill");
            }
            _ => {
                schedule.kill();
                self.disk.cut_now();
            }
        }
        done
    }

    fn back_up(&mut self, archive: &Archive, is_sound: bool) -> Outcome {
        self.now = self.now.plus_micros(1_000_000);
        let folder = self.place.path().join("backup");
        let made = back_up(archive, &folder, self.now);
        let copy = Copy {
            made_at: self.now,
            model: self.model.clone(),
        };
        match &made {
            Ok(created) if created.damaged.is_empty() => self.copies = vec![copy],
            Ok(created) if is_sound => panic!("damaged: {:?}", created.damaged),
            Ok(_) => {
                // Something could not be read while it was copied.
                self.copies = Vec::new();
                self.place = memory_folder();
            }
            Err(_) => self.copies.push(copy),
        }
        made.map(|_created| Did::It)
    }

    /// A process without faults: it recovers, and everything that was acknowledged holds.
    fn look(&mut self) {
        self.now = self.now.plus_micros(1_000_000);
        let schedule = Schedule::counting();
        self.disk.arm(None, &schedule);
        self.tell("a look at all of it");
        let archive = self.open(&schedule).unwrap();
        assert_clean(&archive.recover(self.now).unwrap());
        archive.settle().unwrap();
        self.model.assert_holds(&archive, self.folder.path());
    }

    fn backup(&self) -> Option<Backup> {
        let folder = self.place.path().join("backup");
        let is_there = folder.join("backup.note").exists();
        is_there.then(|| Backup::open(&folder, &verifier()).unwrap())
    }

    /// The backup is whole, and an archive comes out of it that has everything but what was destroyed. Every
    /// other time it takes the place of the one that it is of.
    fn restore(&mut self) {
        self.look();
        let Some(backup) = self.backup() else {
            return;
        };
        let wrong = backup.verify().wrong;
        assert!(wrong.is_empty(), "the backup: {wrong:?}");
        let made_at = backup.statement().made_at;
        let Some(copy) = self.copies.iter().find(|copy| copy.made_at == made_at) else {
            panic!("the backup of {made_at} is none of ours");
        };
        let mut expected = expected_of(&copy.model, &self.model);
        let (list, known) = {
            let archive = self.open(&Schedule::counting()).unwrap();
            let (list, _report) = archive.destroyed_list(0, self.now).unwrap();
            (list, archive.checkpoint().unwrap().unwrap())
        };
        let input = RestoreInput {
            backup,
            lists: vec![DestroyedList::read(&list, &verifier(), None).unwrap()],
            known: Some(Checkpoint::verify(known.as_bytes(), &verifier()).unwrap()),
            accept_lost_entries: false,
        };
        self.tell("restore");
        let folder = memory_folder();
        let layout = Layout::in_folder(folder.path());
        let unpacked = input.unpack(&layout, &backup_key(1)).unwrap();
        assert!(unpacked.damaged.is_empty(), "{:?}", unpacked.damaged);
        let archive = Archive::open(under_master(parts(folder.path())));
        archive.settle_in(&input, self.now).unwrap();
        assert_clean(&archive.recover(self.now).unwrap());
        expected.assert_holds(&archive, folder.path());
        drop(archive);
        if self.dice.below(2) == 0 {
            self.tell("go on with it");
            self.disk = Arc::new(Disk::new(&layout.blobs, memory_folder()));
            self.folder = folder;
            self.model = expected;
        }
    }

    /// Everything is heard once more; then something is damaged or lost, and it is named.
    fn farewell(&mut self) {
        let schedule = Schedule::counting();
        self.disk.arm(None, &schedule);
        let archive = self.open(&schedule).unwrap();
        let kept: Vec<_> = self
            .model
            .calls
            .iter()
            .filter(|known| known.is_heard())
            .collect();
        for known in &kept {
            listen_to(&archive, known, self.now).unwrap();
        }
        let Some(one) = kept.get(self.dice.below(kept.len())).map(|known| known.id) else {
            return;
        };
        archive.settle().unwrap();
        assert_eq!(damaged(&archive), []);
        let named = [one];
        if self.dice.below(2) == 0 {
            std::fs::remove_file(self.folder.path().join(format!("keys/{one}.key"))).unwrap();
        } else {
            let segments = self.folder.path().join(format!("blobs/objects/rec/{one}"));
            let path: PathBuf = files_of(&segments).swap_remove(0);
            let mut bytes = std::fs::read(&path).unwrap();
            let at = self.dice.below(bytes.len());
            bytes[at] ^= 1 << self.dice.below(8);
            write(&path, &bytes);
            self.tell(format!("flip byte {at} of {}", path.display()));
        }
        assert_eq!(damaged(&archive), named);
    }
}

fn damaged(archive: &Archive) -> Vec<RecordingId> {
    let found = archive.check(Level::Hash).unwrap().wrong;
    let mut named: Vec<_> = found.iter().map(|one| one.recording.unwrap()).collect();
    named.dedup();
    named
}

fn under_master(mut parts: voicelog_archive::Parts) -> voicelog_archive::Parts {
    let master = MasterKey::from_random([0x11; 32]);
    parts.secrets.epoch_keys = EpochKeys::under(Box::new(master), None);
    parts
}

fn assert_clean(recovery: &Recovery) {
    assert_eq!(recovery.damaged, [], "damaged");
    assert_eq!(recovery.without_key, [], "without key");
    assert_eq!(recovery.waiting_for_key, [], "waiting for the master key");
}

/// What an archive must be that was made from a backup, with the list of destructions of now.
fn expected_of(then: &Model, now: &Model) -> Model {
    let mut model = Model {
        calls: Vec::new(),
        ..now.clone()
    };
    for known in &now.calls {
        let before = then.calls.iter().find(|before| before.id == known.id);
        let mut known = known.clone();
        match before {
            Some(before) if before.closed => {
                let was_there = |held: &Held| before.holds.iter().find(|was| was.id == held.id);
                known
                    .holds
                    .retain_mut(|held| match (was_there(held), held.released) {
                        // The list has holds that stand: one that came and went since the backup is on none.
                        (None, Done::Yes) => false,
                        // Lifted since, it stands again.
                        (Some(was), Done::Yes) if was.released != Done::Yes => {
                            held.released = Done::Perhaps;
                            true
                        }
                        _ => true,
                    });
            }
            // As far as it was, or begun later: what there is of it nobody acknowledged.
            _ if known.destroyed != Done::Yes => {
                (known.begun, known.closed, known.durable) = (false, false, 0);
                known.manifest = None;
                (known.holds, known.unclear_hold) = (Vec::new(), true);
            }
            // Its tombstone comes from the list, which has no hold that was lifted.
            _ => (known.holds, known.unclear_hold) = (Vec::new(), true),
        }
        model.calls.push(known);
    }
    model
}
