//! A folder that is watched: sound files that another program puts there are imported, and then put aside with the
//! answer beside them.

use super::aside::{Aside, BESIDE_BYTES_MAX, changed_micros, facts_beside, is_beside};
use super::import;
use super::queue::Queue;
use crate::Asked;
use serde_json::{Map, Value, json};
use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use voicelog_archive::{Archive, ArchiveError, SoundFile, SoundFileError, StopImport};
use voicelog_model::{Kind, Language, Pii, Timestamp, error};

/// A file that its header says is not whole may still be written: it is left alone so many times longer.
const UNFINISHED_TIMES: i64 = 10;
/// Files of one look; the next takes the rest.
const FILES_MAX: usize = 100;
/// How often it is looked whether what was put aside has to go.
const CLEAR_MICROS: i64 = 3_600 * 1_000_000;
const DAY_MICROS: i64 = 86_400 * 1_000_000;

/// How it is known when a file was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MomentFrom {
    /// A file beside it says so: `recorded_at` in `NAME.EXT.json`.
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

/// What is set for a folder.
#[derive(Debug, Clone)]
pub struct FolderSettings {
    /// Where it is.
    pub path: PathBuf,
    /// Its name in messages, and who asks in decisions.
    pub name: String,
    /// Facts that hold for every file in it; what is beside a file goes before.
    pub facts: Map<String, Value>,
    /// Seconds for which a file must be unchanged before it is looked at.
    pub settle_seconds: u32,
    /// How it is known when a file was recorded.
    pub moment: MomentFrom,
    /// What happens with a file that was imported.
    pub after: After,
    /// Days after which what was put aside is removed, and its answer.
    pub keep_days: u32,
    /// Bytes that are left on the disk for calls.
    pub keep_free: u64,
}

/// A folder that is watched.
#[derive(Debug)]
pub struct Folder {
    settings: FolderSettings,
    asker: Pii<String>,
    queue: Queue,
    /// When what was put aside was looked at last.
    cleared: Option<Timestamp>,
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
    /// Files that wait for their turn: they are still being written, or have just been, or failed before.
    pub waiting: usize,
    /// Files that were removed since they had been put aside long ago.
    pub removed: usize,
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
    /// A folder. It makes the folders in which files are put aside.
    ///
    /// # Errors
    /// It is not there, or cannot be written in.
    pub fn new(settings: FolderSettings) -> io::Result<Self> {
        for aside in Aside::ALL {
            aside.make(&settings.path)?;
        }
        Ok(Self {
            asker: Pii::new(format!("{} (import folder)", settings.name)),
            queue: Queue::new(i64::from(settings.settle_seconds) * 1_000_000),
            cleared: None,
            settings,
        })
    }

    /// Looks at every file, and offers those that nobody has written to for a while. Errors of one file keep none of the
    /// others; those that are its own put it aside. It ends when `stop` is set, within a file too: of that one nothing is
    /// kept.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn scan(
        &mut self,
        archive: &Archive,
        now: Timestamp,
        stop: &StopImport,
    ) -> io::Result<Scan> {
        let mut scan = Scan::default();
        self.find(now)?;
        let due = self.queue.due(now);
        scan.waiting = self.queue.len() - due.len();
        for name in due.into_iter().take(FILES_MAX) {
            if stop.load(Ordering::Relaxed) {
                return Ok(scan);
            }
            let fate = self.offer(archive, &name, now, stop);
            self.settle(&name, fate, now, &mut scan);
        }
        self.clear(archive, now, &mut scan)?;
        Ok(scan)
    }

    /// Puts a file aside, or says when it is its turn again.
    fn settle(
        &mut self,
        name: &OsStr,
        fate: Result<Fate, ArchiveError>,
        now: Timestamp,
        scan: &mut Scan,
    ) {
        if fate.is_ok() && !self.is_as_seen(name) {
            // Somebody wrote to it meanwhile, or put another in its place: that one was not looked at.
            scan.waiting += 1;
            return;
        }
        let (count, aside, answer) = match fate {
            Ok(Fate::Imported(answer)) => (&mut scan.imported, Aside::Done, answer),
            Ok(Fate::Known(answer)) => (&mut scan.known, Aside::Done, answer),
            Ok(Fate::Refused(answer)) => (&mut scan.refused, Aside::Refused, answer),
            Ok(Fate::Waits) => {
                scan.waiting += 1;
                self.queue.settle(name, now);
                return;
            }
            Err(ArchiveError::ImportStopped) => return,
            Err(error) => {
                self.queue.failed(name, now);
                scan.failed.push(error::chain(&error).to_string());
                return;
            }
        };
        *count += 1;
        let keep = self.settings.after == After::Move || aside == Aside::Refused;
        match aside.put(&self.settings.path, name, &answer, keep) {
            Ok(()) => self.queue.done(name),
            Err(error) => {
                self.queue.failed(name, now);
                let why = format!("it cannot be put aside: {error}");
                scan.failed.push(why);
            }
        }
    }

    /// Removes what was put aside long ago, where the clock can be believed.
    fn clear(&mut self, archive: &Archive, now: Timestamp, scan: &mut Scan) -> io::Result<()> {
        let since = self.cleared.map(|cleared| now.micros_since(cleared));
        if since.is_some_and(|since| (0..CLEAR_MICROS).contains(&since))
            || archive.must_believe_clock(now).is_err()
        {
            return Ok(());
        }
        let kept = i64::from(self.settings.keep_days).saturating_mul(DAY_MICROS);
        for aside in Aside::ALL {
            scan.removed += aside.clear(&self.settings.path, archive, now.plus_micros(-kept))?;
        }
        self.cleared = Some(now);
        Ok(())
    }

    fn find(&mut self, now: Timestamp) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.settings.path)? {
            let entry = entry?;
            let name = entry.file_name();
            // A file that went away meanwhile is none.
            let Ok(about) = fs::symlink_metadata(entry.path()) else {
                continue;
            };
            if about.is_file() && !is_beside(&name) {
                files.push((name, (about.len(), changed_micros(&about))));
            }
        }
        self.queue.found(files.into_iter(), now);
        Ok(())
    }

    /// Whether a file is still the one that was found.
    fn is_as_seen(&self, name: &OsStr) -> bool {
        let about = fs::symlink_metadata(self.settings.path.join(name));
        about.is_ok_and(|about| {
            let look = (about.len(), changed_micros(&about));
            self.queue.looks_like(name, look)
        })
    }

    fn offer(
        &self,
        archive: &Archive,
        name: &OsStr,
        now: Timestamp,
        stop: &StopImport,
    ) -> Result<Fate, ArchiveError> {
        let path = self.settings.path.join(name);
        let keep_free = self.settings.keep_free;
        let opened = SoundFile::open_until(&path, stop);
        let asked = opened.and_then(|file| match self.facts_of(&path, &file) {
            Ok(facts) => import(archive, file, &facts, &self.asker, keep_free, now).map(Ok),
            Err(why) => Ok(Err(why)),
        });
        let settled = i64::from(self.settings.settle_seconds) * 1_000_000;
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
                if self.queue.unchanged(name, now) < UNFINISHED_TIMES * settled =>
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
        let mut facts = self.settings.facts.clone();
        if self.settings.moment == MomentFrom::Modified
            && let Some(began) = began(path, file)
        {
            facts.insert("recorded_at".to_owned(), json!(began));
        }
        let beside = facts_beside(path);
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
}

/// When a file was changed last, less the length of its sound.
fn began(path: &Path, file: &SoundFile) -> Option<Timestamp> {
    let changed = changed_micros(&fs::metadata(path).ok()?);
    let length = i64::try_from(file.contents.length_us).ok()?;
    Some(Timestamp::from_micros(changed.checked_sub(length)?))
}
