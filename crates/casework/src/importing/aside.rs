//! Where the files of a folder go, with the answer beside them, and how long they stay there.

use serde_json::Value;
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use voicelog_archive::{Archive, State};
use voicelog_model::{RecordingId, Timestamp};

/// What the facts of a file have behind its name.
const FACTS: &str = ".json";
/// And the answer.
const ANSWER: &str = ".answer.json";
/// And half an answer.
const HALF: &str = ".answer.half";
/// Facts beside a file, and what is read of an answer, are no larger.
pub(super) const BESIDE_BYTES_MAX: u64 = 1 << 16;
/// Numbers that are tried behind a name.
const NUMBERS_MAX: u32 = 10_000;

/// Where a file goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aside {
    /// It was imported, or was there before.
    Done,
    /// It was not taken.
    Refused,
}

impl Aside {
    pub(super) const ALL: [Self; 2] = [Self::Done, Self::Refused];

    const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }

    pub(super) fn make(self, folder: &Path) -> io::Result<()> {
        match DirBuilder::new()
            .mode(0o700)
            .create(folder.join(self.name()))
        {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }

    /// Moves a file and its facts, and writes the answer; or removes both where `keep` is false. The answer first: a file that
    /// is gone has one.
    pub(super) fn put(
        self,
        folder: &Path,
        name: &OsStr,
        answer: &Value,
        keep: bool,
    ) -> io::Result<()> {
        let from = folder.join(name);
        let to = free_name(&folder.join(self.name()), name)?;
        write_answer(&to, answer)?;
        let facts = beside(&from, FACTS);
        if !keep {
            fs::remove_file(from)?;
            return gone(fs::remove_file(facts));
        }
        fs::rename(from, &to)?;
        gone(fs::rename(facts, beside(&to, FACTS)))
    }

    /// Removes what was put aside before that moment, and its answer; says how many there were. A file stays where its
    /// recording is neither there nor was destroyed, and where there is no answer of ours beside it.
    pub(super) fn clear(
        self,
        folder: &Path,
        archive: &Archive,
        before: Timestamp,
    ) -> io::Result<usize> {
        let mut removed = 0;
        for entry in fs::read_dir(folder.join(self.name()))? {
            let answer = entry?.path();
            let Some(file) = without_answer(&answer) else {
                continue;
            };
            let about = fs::symlink_metadata(&answer)?;
            if !about.is_file() || changed_micros(&about) >= before.micros() {
                continue;
            }
            if self == Self::Done && !was_kept(archive, &answer) {
                continue;
            }
            // The answer last: as long as it is there, the rest is found again.
            for path in [&file, &beside(&file, FACTS), &answer] {
                gone(fs::remove_file(path))?;
            }
            removed += 1;
        }
        Ok(removed)
    }
}

/// Whether the recording that an answer names is there, or was and is destroyed.
fn was_kept(archive: &Archive, answer: &Path) -> bool {
    let mut text = Vec::new();
    let read = File::open(answer)
        .and_then(|file| file.take(BESIDE_BYTES_MAX).read_to_end(&mut text))
        .is_ok();
    let answer: Value = serde_json::from_slice(&text).unwrap_or_default();
    let id = answer.get("id").and_then(Value::as_str);
    let id: Option<RecordingId> = id.and_then(|id| id.parse().ok());
    let state = id
        .filter(|_| read)
        .and_then(|id| archive.summary(id).ok())
        .map(|summary| summary.state);
    matches!(
        state,
        Some(State::Sealed | State::WithoutSound | State::Destroyed)
    )
}

/// The facts of a file are in the file of its whole name with `.json` behind it.
pub(super) fn facts_beside(file: &Path) -> PathBuf {
    beside(file, FACTS)
}

/// Facts and answers, and what programs keep out of sight while they write it.
pub(super) fn is_beside(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b".") || name.ends_with(FACTS.as_bytes())
}

pub(super) fn changed_micros(about: &fs::Metadata) -> i64 {
    about.mtime().saturating_mul(1_000_000) + about.mtime_nsec() / 1_000
}

fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn without_answer(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?.strip_suffix(ANSWER)?;
    (!name.is_empty()).then(|| path.with_file_name(name))
}

/// Whole or not at all, whoever waits for it.
fn write_answer(file: &Path, answer: &Value) -> io::Result<()> {
    let half = beside(file, HALF);
    let mut options = File::options();
    let mut written = options
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&half)?;
    written.write_all(format!("{answer:#}\n").as_bytes())?;
    written.sync_all()?;
    fs::rename(half, beside(file, ANSWER))
}

/// What is not there needs not be moved.
fn gone(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// A name that no file in the folder has yet, nor its facts or its answer: nothing is written over. A number goes between
/// the name and its end.
fn free_name(folder: &Path, name: &OsStr) -> io::Result<PathBuf> {
    let plain = Path::new(name);
    let stem = plain.file_stem().unwrap_or(name);
    for number in 1..NUMBERS_MAX {
        let mut free = OsString::from(stem);
        if number > 1 {
            free.push(format!("-{number}"));
        }
        if let Some(end) = plain.extension() {
            free.push(".");
            free.push(end);
        }
        let path = folder.join(free);
        let is_free = ["", FACTS, ANSWER].iter().all(|end| {
            let about = fs::symlink_metadata(beside(&path, end));
            matches!(about, Err(error) if error.kind() == ErrorKind::NotFound)
        });
        if is_free {
            return Ok(path);
        }
    }
    Err(io::Error::other(
        "too many files of one name were put aside",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn put(path: &Path, text: &str) {
        let mut file = File::create(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn an_answer_that_is_there_is_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        Aside::Done.make(folder.path()).unwrap();
        for (number, keep) in [(1, true), (2, false), (3, true)] {
            for name in ["a.wav", "a.mp3"] {
                put(&at(name), &number.to_string());
                put(&at(&format!("{name}.json")), name);
                let answer = json!([number, name]);
                let put = Aside::Done.put(folder.path(), OsStr::new(name), &answer, keep);
                put.unwrap();
                assert!(!at(name).exists() && !at(&format!("{name}.json")).exists());
            }
        }
        for (name, wanted) in [
            ("a.wav", json!([1, "a.wav"])),
            ("a.mp3", json!([1, "a.mp3"])),
            ("a-2.wav", json!([2, "a.wav"])),
            ("a-3.mp3", json!([3, "a.mp3"])),
        ] {
            let text = fs::read(at(&format!("done/{name}.answer.json"))).unwrap();
            let answer: Value = serde_json::from_slice(&text).unwrap();
            assert_eq!(answer, wanted);
            assert_eq!(at(&format!("done/{name}")).exists(), answer[0] != 2);
        }
        assert_eq!(fs::read(at("done/a.wav.json")).unwrap(), b"a.wav");
        assert_eq!(fs::read(at("done/a-3.mp3.json")).unwrap(), b"a.mp3");
    }
}
