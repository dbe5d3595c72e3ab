//! The folders that the server watches for sound files.

use crate::clock::SystemClock;
use crate::config::Config;
use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;
use voicelog_archive::{Archive, StopImport};
use voicelog_casework::importing::{After, Folder, FolderSettings, MomentFrom, Scan};
use voicelog_law::Facts;
use voicelog_model::{Clock as _, Timestamp};

/// How often the folders are looked at.
const LOOK: Duration = Duration::from_secs(5);

/// Sound files that come from elsewhere.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ImportConfig {
    #[serde(rename = "folder")]
    pub(crate) folders: Vec<ImportFolder>,
}

/// A folder that is watched.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportFolder {
    /// Its name in messages, and who asks in decisions.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// Facts that hold for every file in it.
    pub(crate) facts: Map<String, Value>,
    /// Seconds for which a file must be unchanged before it is looked at.
    #[serde(default = "settle_seconds")]
    pub(crate) settle_seconds: u32,
    /// How it is known when a file was recorded.
    #[serde(default)]
    pub(crate) recorded_at: RecordedAt,
    /// What happens with a file that was imported.
    #[serde(default)]
    pub(crate) after: AfterImport,
    /// Days after which what was put aside is removed, and its answer.
    #[serde(default = "keep_days")]
    pub(crate) keep_days: u32,
}

const fn settle_seconds() -> u32 {
    30
}

const fn keep_days() -> u32 {
    14
}

/// How it is known when a file was recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RecordedAt {
    /// `NAME.EXT.json` beside it says so.
    #[default]
    Beside,
    /// When it was changed last, less its length.
    Modified,
}

impl From<RecordedAt> for MomentFrom {
    fn from(from: RecordedAt) -> Self {
        match from {
            RecordedAt::Beside => Self::Beside,
            RecordedAt::Modified => Self::Modified,
        }
    }
}

/// What happens with a file that was imported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AfterImport {
    /// Moved to `done`.
    #[default]
    Move,
    /// Removed.
    Remove,
}

impl From<AfterImport> for After {
    fn from(after: AfterImport) -> Self {
        match after {
            AfterImport::Move => Self::Move,
            AfterImport::Remove => Self::Remove,
        }
    }
}

impl ImportConfig {
    /// What types cannot check.
    pub(crate) fn check(&self, now: Timestamp) -> Result<()> {
        for (place, folder) in self.folders.iter().enumerate() {
            let name = &folder.name;
            if self
                .folders
                .iter()
                .skip(place + 1)
                .any(|other| other.name == *name)
            {
                bail!("two folders of [[import.folder]] have the name `{name}`");
            }
            if folder.settle_seconds == 0 {
                bail!(
                    "import folder `{name}`: settle_seconds is 0, and a file that is still being written would be taken; \
                     give 1 or more"
                );
            }
            if folder.keep_days == 0 {
                bail!(
                    "import folder `{name}`: keep_days is 0, and nobody could read an answer; give 1 or more"
                );
            }
            let mut facts = folder.facts.clone();
            let act = facts.insert("requested_action".to_owned(), json!("import_file"));
            if act.is_some_and(|act| act != "import_file") {
                bail!(
                    "import folder `{name}`: requested_action has to be import_file, and can be left out"
                );
            }
            Facts::from_map(&facts, now)
                .with_context(|| format!("in the facts of import folder `{name}`"))?;
        }
        Ok(())
    }
}

/// The thread that looks.
#[derive(Debug)]
pub(crate) struct Imports {
    stop: Sender<()>,
    /// What is being read of a file ends as well.
    stop_file: StopImport,
    thread: Option<JoinHandle<()>>,
}

impl Imports {
    /// Starts to watch. A folder that cannot be opened is told, and tried again: calls are recorded without it.
    pub(crate) fn start(
        config: &Config,
        archive: &Arc<Archive>,
        clock: &Arc<SystemClock>,
    ) -> Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let keep_free = config.storage.keep_free_mib << 20;
        let folders = config.import.folders.iter();
        let mut folders: Vec<_> = folders.map(|one| Watched::new(one, keep_free)).collect();
        let (archive, clock) = (Arc::clone(archive), Arc::clone(clock));
        let stop_file = StopImport::default();
        let stop_now = Arc::clone(&stop_file);
        let watch = move || {
            loop {
                archive.undo_imports(clock.now());
                for folder in &mut folders {
                    if !stop_now.load(Ordering::Relaxed) {
                        folder.look(&archive, clock.now(), &stop_now);
                    }
                }
                if stopped.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("imports".to_owned());
        let thread = thread.spawn(watch).context("cannot start a thread")?;
        Ok(Self {
            stop,
            stop_file,
            thread: Some(thread),
        })
    }

    /// Ends within the file at hand, of which nothing is kept then.
    pub(crate) fn stop(&mut self) {
        self.stop_file.store(true, Ordering::Relaxed);
        // Where the thread panicked nobody hears it.
        let _is_gone = self.stop.send(());
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

/// A folder of the configuration, whether it can be opened or not.
struct Watched {
    settings: FolderSettings,
    folder: Option<Folder>,
    /// What was told of it last, so that it is told once.
    trouble: Option<String>,
}

impl Watched {
    fn new(folder: &ImportFolder, keep_free: u64) -> Self {
        let settings = FolderSettings {
            path: folder.path.clone(),
            name: folder.name.clone(),
            facts: folder.facts.clone(),
            settle_seconds: folder.settle_seconds,
            moment: folder.recorded_at.into(),
            after: folder.after.into(),
            keep_days: folder.keep_days,
            keep_free,
        };
        Self {
            settings,
            folder: None,
            trouble: None,
        }
    }

    fn look(&mut self, archive: &Archive, now: Timestamp, stop: &StopImport) {
        let name = &self.settings.name;
        let opened = match self.folder.take() {
            Some(folder) => Ok(folder),
            None => Folder::new(self.settings.clone()),
        };
        let looked = opened.and_then(|mut folder| {
            let scan = folder.scan(archive, now, stop);
            self.folder = Some(folder);
            scan
        });
        match looked {
            Ok(scan) => {
                if self.trouble.take().is_some() {
                    tracing::info!(folder = %name, "an import folder can be read again");
                }
                tell(name, &scan);
            }
            Err(error) => {
                let trouble = error.to_string();
                if self.trouble.as_ref() != Some(&trouble) {
                    let path = self.settings.path.display();
                    tracing::error!(
                        folder = %name, %path, %error,
                        "an import folder cannot be read, or written in; nothing is taken from it until it can. Calls are recorded"
                    );
                }
                self.trouble = Some(trouble);
            }
        }
    }
}

fn tell(name: &str, scan: &Scan) {
    for error in &scan.failed {
        tracing::warn!(folder = %name, error, "a file is tried again later");
    }
    let (imported, known, refused) = (scan.imported, scan.known, scan.refused);
    if imported + known + refused > 0 {
        tracing::info!(folder = %name, imported, known, refused, "files were put aside");
    }
    if scan.removed > 0 {
        let removed = scan.removed;
        tracing::info!(folder = %name, removed, "files that were put aside long ago were removed");
    }
}
