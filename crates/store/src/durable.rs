//! Small files and folders that are there, whole, or not there, whatever happens in between.
//!
//! A file is durable when its bytes are synced *and* the folder that names it is: each function
//! here lists the system calls that make it so. Files have mode 0600 and folders 0700: nobody
//! but the account that voicelog runs under reads them.
//!
//! Each call that changes something is a named step, so that a test can make exactly that one fail
//! ([`faulty::DiskFaults`](crate::faulty::DiskFaults)).

use crate::StoreError;
use crate::faulty::step;
use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Mode of files.
pub const FILE_MODE: u32 = 0o600;
/// Mode of folders.
pub const FOLDER_MODE: u32 = 0o700;
/// Threads that do something to files at once. A sync waits for the disk, and those that wait together share one flush
/// of it; so does taking a file away where its room is given back to the disk at once.
const THREADS: usize = 16;

/// Makes a file that does not exist yet: open(`O_EXCL`), write, fsync, fsync of the folder.
///
/// Errors: a file of that name is there ([`StoreError::Io`] with `AlreadyExists`); on any error
/// no half-written file of ours stays behind, unless the machine itself stops.
pub fn create(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    write_new(path, bytes)?;
    sync_folder_of(path)
}

/// Writes a file in place of the one that may be there: the new bytes under a temporary name
/// (open, write, fsync), rename, fsync of the folder. Readers see the old or the new, whole.
///
/// Two replacements of one file at the same time are the caller's to prevent.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let temporary = temporary_name(path)?;
    // A crash may have left one; its bytes were never promised to anybody.
    remove_if_there(&temporary)?;
    write_new(&temporary, bytes)?;
    rename(&temporary, path)?;
    sync_folder_of(path)
}

/// As [`replace`], for what must not stay on the disk when it is replaced: the former file is overwritten
/// too. Interrupted in between, the next one does it.
pub fn replace_secret(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let (temporary, former) = (temporary_name(path)?, former_name(path)?);
    sweep(path)?;
    write_new(&temporary, bytes)?;
    // Some file systems know no second name for a file; there, it is reached by the open file alone.
    let open = open_to_overwrite(path)?;
    let has_second_name = open.is_some() && link(path, &former).is_ok();
    rename(&temporary, path)?;
    sync_folder_of(path)?;
    match open {
        Some(_named) if has_second_name => shred(&former),
        Some(open) => overwrite(&open, path),
        None => Ok(()),
    }
}

/// Takes away what a [`replace_secret`] that was cut off left beside a file: overwritten, then removed.
pub(crate) fn sweep(path: &Path) -> Result<(), StoreError> {
    shred(&temporary_name(path)?)?;
    let former = former_name(path)?;
    // Cut off before the new file took the name, it is the file of now under a second one.
    if is_one_file(path, &former)? {
        return remove(&former);
    }
    shred(&former)
}

/// Whether two names are of one file.
fn is_one_file(one: &Path, two: &Path) -> Result<bool, StoreError> {
    let look = |path: &Path| match std::fs::metadata(path) {
        Ok(facts) => Ok(Some((facts.dev(), facts.ino()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io("look at", path.display())(error)),
    };
    let (one, two) = (look(one)?, look(two)?);
    Ok(one.is_some() && one == two)
}

/// Overwrites a file with zeros, then removes it; one that is not there is gone already. The name goes
/// last: a crash in between leaves zeros under a name that the next try finds.
pub fn shred(path: &Path) -> Result<(), StoreError> {
    let Some(file) = open_to_overwrite(path)? else {
        return Ok(());
    };
    overwrite(&file, path)?;
    remove(path)
}

/// As [`shred`], for files of one folder, with one sync of the folder for all. On an error some of them are gone, some
/// are zeros, and some are as they were; the names of what is not overwritten stay.
pub(crate) fn shred_all(folder: &Path, paths: &[PathBuf]) -> Result<(), StoreError> {
    side_by_side(paths, |path| {
        if let Some(file) = open_to_overwrite(path)? {
            overwrite(&file, path)?;
            remove_if_there(path)?;
        }
        Ok(())
    })?;
    // Also where nothing was there: the process before may have stopped between the names and the folder.
    sync_folder(folder)
}

/// Does the same to several files on a few threads at once: overwriting and removing a file waits for the disk, and
/// those who wait together share that. The first error is told when all threads have ended.
pub(crate) fn side_by_side(
    paths: &[PathBuf],
    act: impl Fn(&Path) -> Result<(), StoreError> + Sync,
) -> Result<(), StoreError> {
    let work = |share: &[PathBuf]| share.iter().try_for_each(|path| act(path));
    if paths.len() <= 1 {
        return work(paths);
    }
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for share in paths.chunks(paths.len().div_ceil(THREADS)) {
            let thread = std::thread::Builder::new().spawn_scoped(scope, move || work(share));
            threads.push(thread.map_err(StoreError::io("start a", "thread"))?);
        }
        threads.into_iter().try_for_each(|thread| {
            let ended = thread.join();
            ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    })
}

/// None where it is not there.
fn open_to_overwrite(path: &Path) -> Result<Option<File>, StoreError> {
    match OpenOptions::new().write(true).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io("open", path.display())(error)),
    }
}

/// Overwrites all of a file where it lies, and syncs its bytes.
pub(crate) fn overwrite(file: &File, path: &Path) -> Result<(), StoreError> {
    step("disk: overwrite", path, || write_zeros(file, path))?;
    // Its bytes, and not when they were changed: the file is as long as it was, and lies where it lay, so that no
    // file system has to write its journal for each.
    step("disk: sync", path, || {
        file.sync_data()
            .map_err(StoreError::io("sync", path.display()))
    })
}

fn write_zeros(file: &File, path: &Path) -> Result<(), StoreError> {
    let zeros = [0; 65_536];
    let metadata = file.metadata();
    let len = metadata
        .map_err(StoreError::io("look at", path.display()))?
        .len();
    let mut at = 0;
    while at < len {
        let left = usize::try_from(len - at).unwrap_or(usize::MAX);
        let piece = zeros.get(..left.min(zeros.len())).unwrap_or(&zeros);
        file.write_all_at(piece, at)
            .map_err(StoreError::io("overwrite", path.display()))?;
        at += piece.len() as u64;
    }
    Ok(())
}

fn sync(file: &File, path: &Path) -> Result<(), StoreError> {
    step("disk: sync", path, || {
        file.sync_all()
            .map_err(StoreError::io("sync", path.display()))
    })
}

fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    step("disk: rename", to, || {
        std::fs::rename(from, to).map_err(StoreError::io("replace", to.display()))
    })
}

fn link(file: &Path, second: &Path) -> Result<(), StoreError> {
    step("disk: link", second, || {
        std::fs::hard_link(file, second).map_err(StoreError::io("link", second.display()))
    })
}

/// Bytes that can still be written where something lies, or is going to.
pub fn free_bytes(path: &Path) -> Result<u64, StoreError> {
    let there = path.ancestors().find(|folder| folder.exists());
    let there = there.unwrap_or_else(|| Path::new("."));
    let space = nix::sys::statvfs::statvfs(there)
        .map_err(|error| StoreError::io("ask the free space of", there.display())(error.into()))?;
    // Some file systems over a network do not tell.
    if space.blocks() == 0 {
        return Ok(u64::MAX);
    }
    Ok(space
        .blocks_available()
        .saturating_mul(space.fragment_size()))
}

/// Removes a file, if it is there: unlink, fsync of the folder.
pub fn remove(path: &Path) -> Result<(), StoreError> {
    if remove_if_there(path)? || folder_of(path).is_dir() {
        sync_folder_of(path)?;
    }
    Ok(())
}

/// Makes a folder and those above it that are missing, each durably. One that is there is left
/// as it is.
pub fn create_folder(path: &Path) -> Result<(), StoreError> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    create_folder(folder_of(path))?;
    step("disk: make folder", path, || {
        match DirBuilder::new().mode(FOLDER_MODE).create(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            other => other.map_err(StoreError::io("make folder", path.display())),
        }
    })?;
    sync_folder_of(path)
}

/// Removes a folder and all that is in it. Its name is durably gone once the folder above is synced.
pub fn remove_folder(path: &Path) -> Result<(), StoreError> {
    step("disk: remove folder", path, || {
        std::fs::remove_dir_all(path).map_err(StoreError::io("remove", path.display()))
    })
}

/// Removes a folder, as [`remove_folder`] does, unless something is in it.
pub fn remove_empty_folder(path: &Path) -> Result<(), StoreError> {
    step("disk: remove folder", path, || {
        match std::fs::remove_dir(path) {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => Ok(()),
            other => other.map_err(StoreError::io("remove", path.display())),
        }
    })
}

/// Makes the names in a folder durable: fsync of the folder.
pub fn sync_folder(path: &Path) -> Result<(), StoreError> {
    // An empty path is the folder that a bare file name lies in.
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    step("disk: sync folder", path, || {
        File::open(path)
            .and_then(|folder| folder.sync_all())
            .map_err(StoreError::io("sync folder", path.display()))
    })
}

/// The folder that a file lies in; empty for a bare file name.
fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or_else(|| Path::new(""))
}

fn sync_folder_of(path: &Path) -> Result<(), StoreError> {
    sync_folder(folder_of(path))
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut file = step("disk: make", path, || {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(FILE_MODE)
            .open(path)
            .map_err(StoreError::io("make", path.display()))
    })?;
    let written = step("disk: write", path, || {
        file.write_all(bytes)
            .map_err(StoreError::io("write", path.display()))
    });
    written.and_then(|()| sync(&file, path)).inspect_err(|_| {
        // What was being done fails for the reason that matters; this is only tidying up.
        if let Err(_untidy) = remove_if_there(path) {}
    })
}

/// Whether it was there.
fn remove_if_there(path: &Path) -> Result<bool, StoreError> {
    step("disk: remove", path, || match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::io("remove", path.display())(error)),
    })
}

/// The name that [`replace`] writes under first.
pub(crate) fn temporary_name(path: &Path) -> Result<PathBuf, StoreError> {
    hidden(path, ".new")
}

/// The name that [`replace_secret`] keeps the former file under until it is overwritten.
pub(crate) fn former_name(path: &Path) -> Result<PathBuf, StoreError> {
    hidden(path, ".old")
}

/// The file that a hidden name beside it, of [`replace`] or [`replace_secret`], is of.
#[must_use]
pub fn unhidden(name: &str) -> Option<&str> {
    let name = name.strip_prefix('.')?;
    name.strip_suffix(".new")
        .or_else(|| name.strip_suffix(".old"))
}

/// A name beside a file's, hidden, with another end.
fn hidden(path: &Path, end: &str) -> Result<PathBuf, StoreError> {
    let name = path.file_name().ok_or_else(|| StoreError::Invalid {
        what: "not the path of a file",
        value: path.display().to_string(),
    })?;
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(end);
    Ok(path.with_file_name(hidden))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faulty::{DiskFaults, Schedule, Then, When};
    use std::os::unix::fs::PermissionsExt as _;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn files_and_folders_are_for_nobody_else() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a/b");
        create_folder(&folder).unwrap();
        create_folder(&folder).unwrap();
        let file = folder.join("file");
        create(&file, b"one").unwrap();
        assert_eq!(
            (mode(&root.path().join("a")), mode(&folder), mode(&file)),
            (0o700, 0o700, 0o600)
        );
    }

    #[test]
    fn a_file_is_made_once_and_replaced_whole() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        create(&file, b"one").unwrap();
        let again = create(&file, b"two").unwrap_err();
        assert!(
            matches!(&again, StoreError::Io { source, .. } if source.kind() == ErrorKind::AlreadyExists)
        );
        assert_eq!(std::fs::read(&file).unwrap(), b"one");
        replace(&file, b"three").unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"three");
        assert_eq!(
            std::fs::read_dir(root.path()).unwrap().count(),
            1,
            "no temporary file is left"
        );
    }

    #[test]
    fn what_is_shredded_or_replaced_as_a_secret_is_zeros_wherever_it_still_has_a_name() {
        let root = tempfile::tempdir().unwrap();
        let (file, seen) = (root.path().join("file"), root.path().join("seen"));
        let long = vec![7; 200_000];
        create(&file, &long).unwrap();
        std::fs::hard_link(&file, &seen).unwrap();
        shred(&file).unwrap();
        shred(&file).unwrap();
        assert!(!file.exists());
        assert_eq!(std::fs::read(&seen).unwrap(), vec![0; 200_000]);

        create(&file, b"former").unwrap();
        remove(&seen).unwrap();
        std::fs::hard_link(&file, &seen).unwrap();
        // What a crash left of the one before.
        create(&root.path().join(".file.old"), b"older").unwrap();
        replace_secret(&file, b"new").unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"new");
        assert_eq!(std::fs::read(&seen).unwrap(), [0; 6]);
        assert_eq!(mode(&file), FILE_MODE);
        replace_secret(&root.path().join("another"), b"new").unwrap();
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 3);
    }

    #[test]
    fn whatever_step_of_replacing_a_secret_fails_one_of_the_two_is_there_and_the_next_leaves_nothing_of_the_former()
     {
        let attempt = |schedule: &Schedule| {
            let root = tempfile::tempdir().unwrap();
            let (file, seen) = (root.path().join("file"), root.path().join("seen"));
            create(&file, b"former").unwrap();
            std::fs::hard_link(&file, &seen).unwrap();
            let disk = DiskFaults::below(root.path(), schedule);
            let done = replace_secret(&file, b"new");
            drop(disk);
            let there = std::fs::read(&file).unwrap();
            // Its name is the new one's before its bytes are overwritten.
            assert!(there == b"new" || (done.is_err() && there == b"former"));
            replace_secret(&file, b"later").unwrap();
            assert_eq!(std::fs::read(&file).unwrap(), b"later");
            assert_eq!(std::fs::read(&seen).unwrap(), [0; 6]);
            assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 2);
            done
        };
        let counting = Schedule::counting();
        attempt(&counting).unwrap();
        let steps = counting.operations().len();
        assert!(steps > 8, "{:?}", counting.operations());
        for number in 1..=steps {
            for when in [When::Before, When::After] {
                for then in [Then::Dead, Then::GoOn] {
                    let schedule = Schedule::failing(number, when, then);
                    let done = attempt(&schedule);
                    assert!(done.is_err() || !schedule.is_dead(), "step {number}");
                }
            }
        }
    }

    #[test]
    fn a_replacement_that_was_cut_off_before_the_new_name_costs_the_file_nothing() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        create(&file, b"now").unwrap();
        std::fs::hard_link(&file, root.path().join(".file.old")).unwrap();
        sweep(&file).unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"now");
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_crash_left_under_the_temporary_name_is_in_nobodys_way() {
        let root = tempfile::tempdir().unwrap();
        create(&root.path().join(".file.new"), b"half").unwrap();
        replace(&root.path().join("file"), b"whole").unwrap();
        assert_eq!(std::fs::read(root.path().join("file")).unwrap(), b"whole");
    }

    #[test]
    fn removing_what_is_not_there_is_no_error() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        create(&file, b"").unwrap();
        remove(&file).unwrap();
        remove(&file).unwrap();
        remove(&root.path().join("no/such/folder")).unwrap();
    }
}
