//! A folder that is watched: sound files that another program puts there are imported, and then put aside with the
//! answer beside them.

use super::import;
use crate::Asked;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File, Metadata};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use voicelog_archive::{Archive, ArchiveError, SoundFile, SoundFileError};
use voicelog_model::{Kind, Language, Pii, Timestamp, error};

/// Where the files go that were imported, or were there before.
const DONE: &str = "done";
/// Where those go that were not taken.
const REFUSED: &str = "refused";
/// A file that its header says is not whole may still be written: it is left alone so many times longer.
const UNFINISHED_TIMES: i64 = 10;
/// Facts beside a file, and answers, are no larger.
const BESIDE_BYTES_MAX: u64 = 1 << 16;
/// Files of one scan; the next takes the rest.
const FILES_MAX: usize = 100;

/// How it is known when a file was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MomentFrom {
    /// A file beside it says so: `recorded_at` in `NAME.json`.
    #[default]
    Beside,
    /// It was written until its sound ended: when it was changed last, less its length. For folders that a telephone
    /// system of one's own writes to.
    Modified,
}

/// What happens with a file that was imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum After {
    /// It is moved to `done`.
    #[default]
    Move,
    /// It is removed, and what was beside it: what is kept is in the archive.
    Remove,
}

/// A folder that is watched.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    facts: Map<String, Value>,
    asker: Pii<String>,
    settle_micros: i64,
    moment: MomentFrom,
    after: After,
    keep_free: u64,
    /// How each file that is there was seen first: how large, changed when, and since when it is so.
    seen: BTreeMap<OsString, (u64, i64, Timestamp)>,
}

/// What one look at a folder came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scan {
    /// Files that were imported.
    pub imported: usize,
    /// Files that were in the archive before.
    pub known: usize,
    /// Files that were not taken: by the law, or since they are no whole sound file.
    pub refused: usize,
    /// Files that are still being written, or have just been.
    pub waiting: usize,
    /// Why files are tried again whose own fault it is not. Their names are not told: they can say who called.
    pub failed: Vec<String>,
}

/// What becomes of one file.
enum Fate {
    Imported(Value),
    Known(Value),
    Refused(Value),
    Waits,
}

impl Folder {
    /// A folder. `facts` hold for every file in it; what is beside a file goes before. It makes the folders in which files
    /// are put aside.
    ///
    /// # Errors
    /// It is not there, or cannot be written in.
    pub fn new(
        path: &Path,
        name: &str,
        facts: Map<String, Value>,
        settle_seconds: u32,
        (moment, after): (MomentFrom, After),
        keep_free: u64,
    ) -> io::Result<Self> {
        for aside in [DONE, REFUSED] {
            let made = DirBuilder::new().mode(0o700).create(path.join(aside));
            match made {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        Ok(Self {
            path: path.to_owned(),
            facts,
            asker: Pii::new(format!("{name} (import folder)")),
            settle_micros: i64::from(settle_seconds) * 1_000_000,
            moment,
            after,
            keep_free,
            seen: BTreeMap::new(),
        })
    }

    /// Looks at every file, and offers those that nobody has written to for a while. Errors of one file keep none of the
    /// others; those that are its own put it aside.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn scan(&mut self, archive: &Archive, now: Timestamp) -> io::Result<Scan> {
        let mut scan = Scan::default();
        let found = self.settled(now, &mut scan)?;
        for (name, since) in found.into_iter().take(FILES_MAX) {
            let fate = self.offer(archive, &name, since, now);
            if fate.is_ok() && !self.is_as_seen(&name) {
                // Somebody wrote to it meanwhile, or put another in its place: that one was not looked at.
                scan.waiting += 1;
                continue;
            }
            let aside = match fate {
                Ok(Fate::Imported(answer)) => {
                    scan.imported += 1;
                    self.put_aside(&name, DONE, &answer)
                }
                Ok(Fate::Known(answer)) => {
                    scan.known += 1;
                    self.put_aside(&name, DONE, &answer)
                }
                Ok(Fate::Refused(answer)) => {
                    scan.refused += 1;
                    self.put_aside(&name, REFUSED, &answer)
                }
                Ok(Fate::Waits) => {
                    scan.waiting += 1;
                    continue;
                }
                Err(error) => {
                    scan.failed.push(error::chain(&error).to_string());
                    continue;
                }
            };
            match aside {
                Ok(()) => {
                    self.seen.remove(&name);
                }
                Err(error) => scan.failed.push(format!("it cannot be put aside: {error}")),
            }
        }
        Ok(scan)
    }

    /// The files that have not changed for long enough, by name, with the moment since when.
    fn settled(
        &mut self,
        now: Timestamp,
        scan: &mut Scan,
    ) -> io::Result<Vec<(OsString, Timestamp)>> {
        let mut seen = BTreeMap::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name();
            // A file that went away meanwhile is none.
            let Ok(about) = fs::symlink_metadata(entry.path()) else {
                continue;
            };
            if !about.is_file() || is_beside(&name) {
                continue;
            }
            let (len, changed) = (about.len(), changed_micros(&about));
            let since = match self.seen.get(&name) {
                Some((as_large, as_old, since)) if (*as_large, *as_old) == (len, changed) => *since,
                _ => now,
            };
            seen.insert(name, (len, changed, since));
        }
        self.seen = seen;
        let mut settled = Vec::new();
        for (name, (_, _, since)) in &self.seen {
            if now.micros_since(*since) >= self.settle_micros {
                settled.push((name.clone(), *since));
            } else {
                scan.waiting += 1;
            }
        }
        Ok(settled)
    }

    /// Whether a file is still the one that was found.
    fn is_as_seen(&self, name: &OsStr) -> bool {
        let about = fs::symlink_metadata(self.path.join(name));
        let seen = self.seen.get(name);
        matches!((about, seen), (Ok(about), Some((len, changed, _)))
            if (about.len(), changed_micros(&about)) == (*len, *changed))
    }

    fn offer(
        &self,
        archive: &Archive,
        name: &OsStr,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Fate, ArchiveError> {
        let path = self.path.join(name);
        let asked = SoundFile::open(&path).and_then(|file| match self.facts_of(&path, &file) {
            Ok(facts) => import(archive, file, &facts, &self.asker, self.keep_free, now).map(Ok),
            Err(why) => Ok(Err(why)),
        });
        let asked = match asked {
            Ok(Ok(asked)) => Ok(asked),
            Ok(Err(why)) => return Ok(Fate::Refused(json!({ "error": why }))),
            Err(error) => Err(error),
        };
        match asked {
            Ok(Asked::Given(imported)) => {
                let answer = imported.to_json();
                Ok(match imported.new {
                    Some(_) => Fate::Imported(answer),
                    None => Fate::Known(answer),
                })
            }
            Ok(Asked::Refused { decision, .. }) => {
                Ok(Fate::Refused(decision.to_json(Language::default())))
            }
            Err(ArchiveError::SoundFile(SoundFileError::CutOff(_)))
                if now.micros_since(since) < UNFINISHED_TIMES * self.settle_micros =>
            {
                Ok(Fate::Waits)
            }
            Err(ArchiveError::FileChanged) => Ok(Fate::Waits),
            Err(error) if error.kind() == Kind::Invalid => {
                let why = error::chain(&error).to_string();
                Ok(Fate::Refused(json!({ "error": why })))
            }
            Err(error) => Err(error),
        }
    }

    /// What is said of a file: of all in the folder, of it alone, and when it was recorded.
    fn facts_of(&self, path: &Path, file: &SoundFile) -> Result<Map<String, Value>, String> {
        let mut facts = self.facts.clone();
        if self.moment == MomentFrom::Modified
            && let Some(began) = began(path, file)
        {
            facts.insert("recorded_at".to_owned(), json!(began));
        }
        let beside = path.with_extension("json");
        let about = match fs::symlink_metadata(&beside) {
            Ok(about) => about,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(facts),
            Err(error) => return Err(format!("the facts beside it cannot be read: {error}")),
        };
        if !about.is_file() || about.len() > BESIDE_BYTES_MAX {
            return Err("the facts beside it are no file, or too large".to_owned());
        }
        let text = fs::read(&beside).map_err(|error| format!("the facts beside it: {error}"))?;
        let own = voicelog_law::strict_object(&text)
            .ok_or("the facts beside it are no JSON object, or name a fact twice")?;
        facts.extend(own);
        Ok(facts)
    }

    /// Moves a file and what is beside it, and writes the answer. The answer first: a file that is gone has one.
    fn put_aside(&self, name: &OsStr, aside: &str, answer: &Value) -> io::Result<()> {
        let from = self.path.join(name);
        let to = free_name(&self.path.join(aside), name)?;
        write_answer(&to, answer)?;
        let beside = from.with_extension("json");
        if self.after == After::Remove && aside == DONE {
            fs::remove_file(from)?;
            return gone(fs::remove_file(beside));
        }
        fs::rename(from, &to)?;
        gone(fs::rename(beside, to.with_extension("json")))
    }
}

/// Whole or not at all, whoever waits for it.
fn write_answer(beside: &Path, answer: &Value) -> io::Result<()> {
    let named = |end: &str| {
        let mut name = beside.as_os_str().to_owned();
        name.push(end);
        name
    };
    let (half, whole) = (named(".answer.half"), named(".answer.json"));
    let mut options = File::options();
    let mut file = options
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&half)?;
    file.write_all(format!("{answer:#}\n").as_bytes())?;
    file.sync_all()?;
    fs::rename(half, whole)
}

/// What is not there needs not be moved.
fn gone(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Facts and answers, and what programs keep out of sight while they write it.
fn is_beside(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b".") || name.ends_with(b".json")
}

fn changed_micros(about: &Metadata) -> i64 {
    about.mtime().saturating_mul(1_000_000) + about.mtime_nsec() / 1_000
}

/// When a file was changed last, less the length of its sound.
fn began(path: &Path, file: &SoundFile) -> Option<Timestamp> {
    let changed = changed_micros(&fs::metadata(path).ok()?);
    let length = i64::try_from(file.contents.length_us).ok()?;
    Some(Timestamp::from_micros(changed.checked_sub(length)?))
}

/// A name that nothing in the folder has yet: nothing is written over.
fn free_name(folder: &Path, name: &OsStr) -> io::Result<PathBuf> {
    for number in 0..10_000_u32 {
        let mut free = OsString::new();
        if number > 0 {
            free.push(format!("{number}-"));
        }
        free.push(name);
        let path = folder.join(free);
        let is_there = fs::symlink_metadata(&path);
        if matches!(is_there, Err(error) if error.kind() == ErrorKind::NotFound) {
            return Ok(path);
        }
    }
    Err(io::Error::other(
        "too many files of one name were put aside",
    ))
}
