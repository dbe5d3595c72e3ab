//! Objects after the process was killed or the power was cut, at every step.

use crate::fixture::{Dice, archive_in_memory, memory_folder, open_blobs};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use tempfile::TempDir;
use voicelog_model::Kind;
use voicelog_store::blobs::{Faults, Options, Step, cut_power};
use voicelog_store::{BlobId, Blobs, FileBlobs, Layout, StoreError};

/// What the store owes its caller at a moment.
#[derive(Debug, Clone, Default)]
struct Promised {
    /// Bytes committed, by object.
    committed: BTreeMap<&'static str, usize>,
    /// Objects deleted.
    deleted: BTreeSet<&'static str>,
}

/// What each object holds when it is whole.
fn contents() -> BTreeMap<&'static str, Vec<u8>> {
    let mut dice = Dice(0x5eed_0004);
    ["rec/1/1", "rec/1/2", "rec/2/1", "rec/3/1"]
        .map(|key| (key, dice.bytes(600)))
        .into()
}

/// Writes four objects in turns and in pieces, with commits, seals and a deletion in between, and
/// a spool that is replaced often. Tells `promise` before and after each act.
fn scenario(blobs: &dyn Blobs, promise: &Mutex<Promised>) -> Result<(), StoreError> {
    let contents = contents();
    let mut open: BTreeMap<&str, (BlobId, usize)> = BTreeMap::new();
    let mut dice = Dice(0x5eed_0005);
    let commit = |open: &BTreeMap<&'static str, (BlobId, usize)>| {
        blobs.commit()?;
        let lens = open.iter().map(|(key, (_, len))| (*key, *len));
        promise.lock().unwrap().committed.extend(lens);
        Ok(())
    };
    for key in contents.keys() {
        open.insert(key, (blobs.create(key)?, 0));
    }
    for round in 0..9 {
        for (key, (blob, len)) in &mut open {
            let piece = dice.below(70);
            blobs.append(*blob, &contents[key][*len..*len + piece])?;
            *len += piece;
        }
        commit(&open)?;
        if round == 3 {
            let (blob, len) = open.remove("rec/1/1").unwrap();
            assert_eq!(blobs.seal(blob)?, len as u64);
        }
        if round == 6 {
            promise.lock().unwrap().committed.remove("rec/1/1");
            blobs.delete("rec/1/1")?;
            promise.lock().unwrap().deleted.insert("rec/1/1");
        }
    }
    for (key, (blob, len)) in open {
        blobs.append(blob, &contents[key][len..])?;
        blobs.seal(blob)?;
        promise
            .lock()
            .unwrap()
            .committed
            .insert(key, contents[key].len());
    }
    Ok(())
}

fn small_spools(faults: Option<Arc<dyn Faults>>) -> Options {
    Options {
        spool_bytes_max: 700,
        spool_objects_max: 9,
        faults,
    }
}

/// Holds what is there against what was promised.
fn assert_kept(blobs: &dyn Blobs, promised: &Promised, when: &str) {
    let contents = contents();
    for (key, len) in &promised.committed {
        let found = blobs
            .read(key)
            .unwrap_or_else(|error| panic!("{when}: {key}: {error}"));
        assert!(
            found.len() >= *len,
            "{when}: {key} has {} of {len} bytes",
            found.len()
        );
        assert!(
            contents[key].starts_with(&found),
            "{when}: {key} holds something else"
        );
    }
    for key in &promised.deleted {
        assert!(blobs.read(key).is_err(), "{when}: {key} came back");
    }
}

/// What the disk owes the store: what a power cut cannot take. Paths below the root.
#[derive(Debug, Clone, Default)]
struct Durable {
    /// Length of each file when its last sync began.
    lens: BTreeMap<PathBuf, u64>,
    /// Files and folders that were there when the last sync of their folder began.
    names: BTreeSet<PathBuf>,
}

/// A folder as a kill left it, and what was owed then.
#[derive(Debug)]
struct Picture {
    root: PathBuf,
    when: String,
    promised: Promised,
    durable: Durable,
}

impl Picture {
    /// Takes from every file as much as a power cut may, by the throw of dice.
    fn cut_power(&self, dice: &mut Dice) {
        for file in files_below(&self.root.join("objects"))
            .into_iter()
            .chain(files_below(&self.root.join("spool")))
        {
            let path = file.strip_prefix(&self.root).unwrap();
            let mut names = path
                .ancestors()
                .take_while(|name| name.components().count() > 1);
            if !names.all(|name| self.durable.names.contains(name)) && dice.below(2) == 0 {
                std::fs::remove_file(&file).unwrap();
                continue;
            }
            let len = std::fs::metadata(&file).unwrap().len();
            let safe = self.durable.lens.get(path).copied().unwrap_or(0).min(len);
            let left = safe + dice.below(usize::try_from(len - safe).unwrap() + 1) as u64;
            std::fs::File::options()
                .write(true)
                .open(&file)
                .unwrap()
                .set_len(left)
                .unwrap();
        }
    }
}

/// Takes a picture before and after every step. Steps of several threads are made one at a time,
/// so that each picture is of one moment.
#[derive(Debug)]
struct Camera {
    root: PathBuf,
    album: TempDir,
    promised: Arc<Mutex<Promised>>,
    film: Mutex<Film>,
    step_ends: Condvar,
}

#[derive(Debug, Default)]
struct Film {
    is_in_step: bool,
    durable: Durable,
    /// What will be durable if the step succeeds.
    begun: Durable,
    pictures: Vec<Picture>,
}

impl Camera {
    fn new(root: &Path, promised: &Arc<Mutex<Promised>>) -> Arc<Self> {
        Arc::new(Self {
            root: root.to_path_buf(),
            album: memory_folder(),
            promised: Arc::clone(promised),
            film: Mutex::default(),
            step_ends: Condvar::new(),
        })
    }

    fn pictures(&self) -> Vec<Picture> {
        std::mem::take(&mut self.film.lock().unwrap().pictures)
    }

    fn take(&self, film: &mut Film, moment: &str, step: Step) -> io::Result<()> {
        let number = film.pictures.len();
        let root = self.album.path().join(number.to_string());
        std::fs::create_dir(&root)?;
        for part in ["meta", "objects", "spool"] {
            copy_all(&self.root.join(part), &root.join(part))?;
        }
        film.pictures.push(Picture {
            root,
            when: format!("picture {number}, {moment} {step:?}"),
            promised: self.promised.lock().unwrap().clone(),
            durable: film.durable.clone(),
        });
        Ok(())
    }
}

impl Faults for Camera {
    fn before(&self, step: Step, path: &Path) -> io::Result<()> {
        let film = self.film.lock().unwrap();
        let mut film = self
            .step_ends
            .wait_while(film, |film| film.is_in_step)
            .unwrap();
        film.is_in_step = true;
        self.take(&mut film, "before", step)?;
        let below = |path: &Path| path.strip_prefix(&self.root).unwrap().to_path_buf();
        let mut begun = film.durable.clone();
        match step {
            Step::SyncObject | Step::SyncSpool => {
                begun
                    .lens
                    .insert(below(path), std::fs::metadata(path)?.len());
            }
            Step::SyncFolder => {
                for entry in std::fs::read_dir(path)? {
                    begun.names.insert(below(&entry?.path()));
                }
            }
            _ => {}
        }
        film.begun = begun;
        Ok(())
    }

    fn after(&self, step: Step, _path: &Path) -> io::Result<()> {
        let mut film = self.film.lock().unwrap();
        film.durable = std::mem::take(&mut film.begun);
        self.take(&mut film, "after", step)?;
        film.is_in_step = false;
        self.step_ends.notify_all();
        Ok(())
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let (folders, mut files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    files.extend(folders.iter().flat_map(|folder| files_below(folder)));
    files
}

/// Copies a file or folder.
fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        std::fs::create_dir_all(to)?;
        for entry in std::fs::read_dir(from)? {
            let entry = entry?;
            copy_all(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    std::fs::copy(from, to).map(drop)
}

/// Fails the step with a certain number, in one of two ways.
#[derive(Debug)]
struct FailAt {
    number: usize,
    after: bool,
    /// Whether everything fails from then on.
    for_good: bool,
    seen: AtomicUsize,
    error: i32,
}

impl FailAt {
    fn new(number: usize, after: bool, for_good: bool, error: i32) -> Arc<Self> {
        Arc::new(Self {
            number,
            after,
            for_good,
            seen: AtomicUsize::new(0),
            error,
        })
    }

    fn has_fired(&self) -> bool {
        self.seen.load(Ordering::SeqCst) > self.number
    }
}

impl Faults for FailAt {
    fn before(&self, _step: Step, _path: &Path) -> io::Result<()> {
        let number = self.seen.fetch_add(1, Ordering::SeqCst);
        let now = (number == self.number && !self.after) || (number > self.number && self.for_good);
        if now {
            Err(io::Error::from_raw_os_error(self.error))
        } else {
            Ok(())
        }
    }

    fn after(&self, _step: Step, _path: &Path) -> io::Result<()> {
        let now = self.after && self.seen.load(Ordering::SeqCst) == self.number + 1;
        if now {
            Err(io::Error::from_raw_os_error(self.error))
        } else {
            Ok(())
        }
    }
}

const NO_SPACE: i32 = 28;
const IO_ERROR: i32 = 5;

#[test]
fn a_kill_or_a_power_cut_at_any_step_costs_nothing_that_was_committed() {
    let (_folder, layout) = archive_in_memory();
    let promised = Arc::new(Mutex::new(Promised::default()));
    let camera = Camera::new(&layout.blobs, &promised);
    let options = small_spools(Some(Arc::clone(&camera) as _));
    let blobs = FileBlobs::open(&layout.blobs, options).unwrap();
    scenario(&blobs, &promised).unwrap();
    drop(blobs);
    let pictures = camera.pictures();
    assert!(pictures.len() > 200, "{}", pictures.len());
    assert_eq!(pictures.last().unwrap().promised.committed.len(), 3);
    let mut dice = Dice(0x5eed_0006);
    let mut restored = 0;
    for (number, picture) in pictures.iter().enumerate() {
        if number % 3 > 0 {
            picture.cut_power(&mut dice);
        }
        // Recovery may be cut off too: at any of its steps, without an effect or with.
        let fault = FailAt::new(dice.below(12), dice.below(2) == 0, true, IO_ERROR);
        let first = FileBlobs::open(&picture.root, small_spools(Some(fault as _)));
        first.into_iter().for_each(|blobs| blobs.abandon());
        let blobs = FileBlobs::open(&picture.root, small_spools(None)).unwrap();
        let recovered = blobs.recovered();
        restored += recovered.restored_bytes;
        assert!(
            recovered
                .objects
                .iter()
                .all(|object| object.missing_bytes == 0)
        );
        assert_kept(&blobs, &picture.promised, &picture.when);
        drop(blobs);
        let blobs = FileBlobs::open(&picture.root, small_spools(None)).unwrap();
        assert_eq!(
            blobs.recovered().spools,
            0,
            "an orderly end leaves nothing to recover"
        );
        assert_kept(&blobs, &picture.promised, &picture.when);
    }
    assert!(
        restored > 1_000,
        "power cuts did take something: {restored}"
    );
}

#[test]
fn a_power_cut_at_any_step_of_recovery_costs_nothing_either() {
    let (_folder, layout) = archive_in_memory();
    let promised = Arc::new(Mutex::new(Promised::default()));
    let roomy = Options {
        spool_bytes_max: 3_000,
        ..Options::default()
    };
    let blobs = FileBlobs::open(&layout.blobs, roomy.clone()).unwrap();
    scenario(&blobs, &promised).unwrap();
    // Enough new names that the dice take some of them.
    let new: Vec<String> = (10..30).map(|number| format!("rec/{number}/1")).collect();
    for key in &new {
        let blob = blobs.create(key).unwrap();
        blobs.append(blob, key.as_bytes()).unwrap();
    }
    blobs.commit().unwrap();
    blobs.abandon();
    drop(blobs);
    cut_power(&layout.blobs, &mut |_, _| None).unwrap();

    let camera = Camera::new(&layout.blobs, &promised);
    for file in files_below(&layout.blobs) {
        let name = file.strip_prefix(&layout.blobs).unwrap().to_path_buf();
        let mut film = camera.film.lock().unwrap();
        film.durable
            .lens
            .insert(name.clone(), std::fs::metadata(&file).unwrap().len());
        film.durable
            .names
            .extend(name.ancestors().map(Path::to_path_buf));
    }
    let options = Options {
        faults: Some(Arc::clone(&camera) as _),
        ..roomy
    };
    FileBlobs::open(&layout.blobs, options).unwrap().abandon();
    let pictures = camera.pictures();
    assert!(pictures.len() > 10, "{}", pictures.len());
    let mut dice = Dice(0x5eed_0008);
    for picture in pictures {
        picture.cut_power(&mut dice);
        let blobs = FileBlobs::open(&picture.root, small_spools(None)).unwrap();
        assert_kept(&blobs, &picture.promised, &picture.when);
        for key in &new {
            assert_eq!(blobs.read(key).unwrap(), key.as_bytes(), "{}", picture.when);
        }
    }
}

#[test]
fn a_step_that_fails_once_costs_at_most_what_its_caller_was_told() {
    for after in [false, true] {
        for number in 0.. {
            let (_folder, layout) = archive_in_memory();
            let error = if number % 2 == 0 { NO_SPACE } else { IO_ERROR };
            let fault = FailAt::new(number, after, false, error);
            let options = small_spools(Some(Arc::clone(&fault) as _));
            let blobs = FileBlobs::open(&layout.blobs, options).unwrap();
            let promised = Mutex::new(Promised::default());
            let result = scenario(&blobs, &promised);
            if !fault.has_fired() {
                assert!(number > 80, "{number}");
                break;
            }
            // Whatever failed, the store works on.
            let blob = blobs.create("rec/9").unwrap();
            blobs.append(blob, b"goes on").unwrap();
            blobs.commit().unwrap();
            // The failure may be one of the thread that settles, on its way to us just now.
            if let Err(StoreError::Unsettled { .. }) = blobs.settle() {
                blobs.settle().unwrap();
            }
            assert_eq!(blobs.trouble(), None, "one failure is repaired");
            blobs.append(blob, b", and on").unwrap();
            blobs.commit().unwrap();
            let promised = promised.into_inner().unwrap();
            assert_kept(&blobs, &promised, "before a restart");
            blobs.abandon();
            drop(blobs);
            cut_power(&layout.blobs, &mut |_, _| None).unwrap();
            let blobs = open_blobs(&layout);
            let when = format!("step {number}, after: {after}, {result:?}");
            assert_kept(&blobs, &promised, &when);
            assert_eq!(blobs.read("rec/9").unwrap(), b"goes on, and on", "{when}");
        }
    }
}

#[test]
fn files_cut_to_any_length_are_whole_again_after_opening() {
    let content = Dice(0x5eed_0007).bytes(300);
    for left in 0..=301 {
        let (_folder, layout) = archive_in_memory();
        let blobs = open_blobs(&layout);
        let blob = blobs.create("rec/1/1").unwrap();
        for piece in content.chunks(37) {
            blobs.append(blob, piece).unwrap();
        }
        blobs.commit().unwrap();
        blobs.append(blob, b"uncommitted").unwrap();
        blobs.abandon();
        drop(blobs);
        cut_power(&layout.blobs, &mut |_, _| (left <= 300).then_some(left)).unwrap();
        let blobs = open_blobs(&layout);
        assert_eq!(blobs.read("rec/1/1").unwrap(), content);
        let recovered = blobs.recovered();
        let lost = 300 - if left <= 300 { left } else { 0 };
        assert_eq!((recovered.spools, recovered.restored_bytes), (1, lost));
    }
}

#[test]
fn an_object_without_a_byte_is_there_again_too() {
    let (_folder, layout) = archive_in_memory();
    let blobs = open_blobs(&layout);
    blobs.create("rec/1/1").unwrap();
    blobs.commit().unwrap();
    blobs.abandon();
    drop(blobs);
    cut_power(&layout.blobs, &mut |_, _| None).unwrap();
    assert!(!layout.blobs.join("objects/rec/1/1").exists());
    assert_eq!(open_blobs(&layout).len("rec/1/1").unwrap(), 0);
}

#[test]
fn what_was_appended_and_not_committed_is_left_alone_when_only_the_process_died() {
    let (_folder, layout) = archive_in_memory();
    let blobs = open_blobs(&layout);
    let blob = blobs.create("rec/1").unwrap();
    blobs.append(blob, b"committed").unwrap();
    blobs.commit().unwrap();
    blobs.append(blob, b" and more").unwrap();
    let never_committed = blobs.create("rec/2").unwrap();
    blobs.append(never_committed, b"also there").unwrap();
    blobs.abandon();
    drop(blobs);
    let blobs = open_blobs(&layout);
    assert_eq!(blobs.read("rec/1").unwrap(), b"committed and more");
    assert_eq!(blobs.read("rec/2").unwrap(), b"also there");
    let recovered = &blobs.recovered().objects;
    assert_eq!(
        (
            recovered.len(),
            recovered[0].promised_len,
            recovered[0].found_len
        ),
        (1, 9, 18)
    );
}

/// Makes some kinds of steps fail for as long as it is told to.
#[derive(Debug)]
struct Broken {
    steps: Mutex<Vec<Step>>,
    error: i32,
}

impl Broken {
    fn new(steps: &[Step], error: i32) -> Arc<Self> {
        Arc::new(Self {
            steps: Mutex::new(steps.to_vec()),
            error,
        })
    }

    fn set(&self, steps: &[Step]) {
        *self.steps.lock().unwrap() = steps.to_vec();
    }
}

impl Faults for Broken {
    fn before(&self, step: Step, _path: &Path) -> io::Result<()> {
        let is_broken = self.steps.lock().unwrap().contains(&step);
        if is_broken {
            Err(io::Error::from_raw_os_error(self.error))
        } else {
            Ok(())
        }
    }

    fn after(&self, _step: Step, _path: &Path) -> io::Result<()> {
        Ok(())
    }
}

fn open_broken(layout: &Layout, faults: &Arc<Broken>) -> FileBlobs {
    let options = Options {
        faults: Some(Arc::clone(faults) as _),
        ..Options::default()
    };
    FileBlobs::open(&layout.blobs, options).unwrap()
}

#[test]
fn a_spool_that_cannot_grow_makes_commits_slow_and_not_false() {
    let (_folder, layout) = archive_in_memory();
    let blobs = open_broken(&layout, &Broken::new(&[Step::WriteSpool], NO_SPACE));
    let blob = blobs.create("rec/1").unwrap();
    for _ in 0..3 {
        blobs.append(blob, b"kept ").unwrap();
        blobs.commit().unwrap();
    }
    blobs.abandon();
    drop(blobs);
    cut_power(&layout.blobs, &mut |_, _| None).unwrap();
    assert_eq!(
        open_blobs(&layout).read("rec/1").unwrap(),
        b"kept kept kept "
    );
}

#[test]
fn a_commit_that_fails_is_made_up_for_by_the_next() {
    let (_folder, layout) = archive_in_memory();
    let faults = Broken::new(&[], IO_ERROR);
    let blobs = open_broken(&layout, &faults);
    let one = blobs.create("rec/1").unwrap();
    blobs.append(one, b"first, ").unwrap();
    blobs.commit().unwrap();
    faults.set(&[Step::SyncSpool, Step::SyncObject]);
    blobs.append(one, b"second, ").unwrap();
    assert_eq!(blobs.commit().unwrap_err().kind(), Kind::Unavailable);
    assert_eq!(blobs.seal(one).unwrap_err().kind(), Kind::Unavailable);
    blobs.append(one, b"third").unwrap();
    let two = blobs.create("rec/2").unwrap();
    blobs.append(two, b"another").unwrap();
    faults.set(&[]);
    blobs.commit().unwrap();
    blobs.abandon();
    drop(blobs);
    cut_power(&layout.blobs, &mut |_, _| None).unwrap();
    let blobs = open_blobs(&layout);
    assert_eq!(blobs.read("rec/1").unwrap(), b"first, second, third");
    assert_eq!(blobs.read("rec/2").unwrap(), b"another");
}

#[test]
fn a_disk_that_does_not_sync_is_reported_and_keeps_its_spool_until_it_does() {
    let (_folder, layout) = archive_in_memory();
    let faults = Broken::new(&[Step::SyncObject], IO_ERROR);
    let blobs = open_broken(&layout, &faults);
    let blob = blobs.create("rec/1").unwrap();
    blobs.append(blob, b"safe").unwrap();
    blobs.seal(blob).unwrap();
    let error = blobs.settle().unwrap_err();
    assert!(matches!(error, StoreError::Unsettled { .. }), "{error:?}");
    assert!(blobs.trouble().unwrap().contains("cannot sync"));
    // A spool still holds bytes of it, which a deletion would leave behind: refused.
    assert!(matches!(
        blobs.delete("rec/1"),
        Err(StoreError::Unsettled { .. })
    ));
    // Other objects are not held up.
    let other = blobs.create("rec/2").unwrap();
    blobs.append(other, b"safe too").unwrap();
    blobs.commit().unwrap();
    faults.set(&[]);
    blobs.settle().unwrap();
    assert_eq!(blobs.trouble(), None);
    blobs.delete("rec/1").unwrap();
    assert_eq!(blobs.read("rec/2").unwrap(), b"safe too");
}

#[test]
fn a_deletion_that_was_cut_off_before_its_folders_were_synced_is_made_durable_by_the_next_try() {
    let (_folder, layout) = archive_in_memory();
    let faults = Broken::new(&[], IO_ERROR);
    let blobs = open_broken(&layout, &faults);
    blobs
        .create("rec/1/1")
        .and_then(|blob| blobs.seal(blob))
        .unwrap();
    blobs
        .create("rec/2/1")
        .and_then(|blob| blobs.seal(blob))
        .unwrap();
    blobs.settle().unwrap();
    faults.set(&[Step::SyncFolder]);
    assert!(blobs.delete("rec/1/1").is_err());
    assert_eq!(blobs.list("rec/1/").unwrap(), []);
    // Nothing is left to be deleted, and that is not on the disk.
    assert!(blobs.delete_all(&[]).is_err());
    faults.set(&[]);
    blobs.delete_all(&[]).unwrap();
}

#[test]
fn a_store_that_plays_dead_takes_nothing_more_and_keeps_nobody_waiting() {
    let (_folder, layout) = archive_in_memory();
    let blobs = open_blobs(&layout);
    let blob = blobs.create("rec/1").unwrap();
    blobs.append(blob, b"before").unwrap();
    blobs.commit().unwrap();
    blobs.abandon();
    assert!(blobs.append(blob, b"after").is_err());
    assert!(blobs.commit().is_err());
    assert!(blobs.seal(blob).is_err());
    assert!(blobs.delete("rec/1").is_err());
    assert!(blobs.settle().is_err());
    drop(blobs);
    assert_eq!(open_blobs(&layout).read("rec/1").unwrap(), b"before");
}
