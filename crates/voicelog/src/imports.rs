//! The folders that the server watches for sound files.

use crate::clock::SystemClock;
use crate::config::Config;
use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;
use voicelog_archive::Archive;
use voicelog_casework::importing::{After, Folder, MomentFrom, Scan};
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
}

const fn settle_seconds() -> u32 {
    30
}

/// How it is known when a file was recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RecordedAt {
    /// `NAME.json` beside it says so.
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
    thread: Option<JoinHandle<()>>,
}

impl Imports {
    /// Starts to watch; without a folder there is nothing to do.
    ///
    /// # Errors
    /// A folder is not there, or cannot be written in.
    pub(crate) fn start(
        config: &Config,
        archive: &Arc<Archive>,
        clock: &Arc<SystemClock>,
    ) -> Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let keep_free = config.storage.keep_free_mib << 20;
        let mut folders = Vec::new();
        for folder in &config.import.folders {
            folders.push((folder.name.clone(), open(folder, keep_free)?));
        }
        if folders.is_empty() {
            return Ok(Self { stop, thread: None });
        }
        let (archive, clock) = (Arc::clone(archive), Arc::clone(clock));
        let watch = move || {
            loop {
                for (name, folder) in &mut folders {
                    match folder.scan(&archive, clock.now()) {
                        Ok(scan) => tell(name, &scan),
                        Err(error) => {
                            tracing::error!(folder = %name, %error, "an import folder cannot be read");
                        }
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
            thread: Some(thread),
        })
    }

    /// Ends after the file at hand.
    pub(crate) fn stop(&mut self) {
        // One that watches nothing has ended.
        let _is_gone = self.stop.send(());
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

fn open(folder: &ImportFolder, keep_free: u64) -> Result<Folder> {
    let how = (folder.recorded_at.into(), folder.after.into());
    let (path, facts) = (&folder.path, folder.facts.clone());
    Folder::new(
        path,
        &folder.name,
        facts,
        folder.settle_seconds,
        how,
        keep_free,
    )
    .with_context(|| format!("cannot watch the import folder `{}`", path.display()))
}

fn tell(name: &str, scan: &Scan) {
    for error in &scan.failed {
        tracing::warn!(folder = %name, error, "a file is tried again");
    }
    let (imported, known, refused) = (scan.imported, scan.known, scan.refused);
    if imported + known + refused > 0 {
        tracing::info!(folder = %name, imported, known, refused, "files were put aside");
    }
}
