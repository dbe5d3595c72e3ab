//! What is wrong with the keys while it can still be helped: looked at when the server starts, and with each look at the terms.

use crate::config::{Config, RecorderKeys};
use crate::data_folder::DataFolder;
use crate::key_ring;
use anyhow::Result;
use voicelog_archive::{Archive, ArchiveError};
use voicelog_model::{Timestamp, error};
use voicelog_recorder::Recorder;

/// Looks at the keys of a server.
#[derive(Debug)]
pub(crate) struct KeyWatch {
    folder: DataFolder,
    config: Config,
}

impl KeyWatch {
    pub(crate) fn new(config: &Config) -> Result<Self> {
        Ok(Self {
            folder: DataFolder::open(&config.storage.data)?,
            config: config.clone(),
        })
    }

    /// Sets the alarms about keys, or takes them back.
    pub(crate) fn look(&self, archive: &Archive, recorder: &Recorder, now: Timestamp) {
        let set = |alarm, stands| recorder.set_alarm(alarm, stands, now);
        if let Err(error) = look(archive, &set) {
            tracing::error!("keys: {}", error::chain(&error));
        }
        set("master_key_beside_recorder", self.is_master_beside());
    }

    /// A recorder that is to have only the public key, and whose machine has the master key: who steals it opens all.
    fn is_master_beside(&self) -> bool {
        self.config.keys.recorder == RecorderKeys::Public
            && key_ring::master(&self.folder, &self.config).is_here()
    }
}

fn look(archive: &Archive, set: &impl Fn(&'static str, bool)) -> Result<(), ArchiveError> {
    let odd = archive.odd_key_records()?;
    if !odd.is_empty() {
        // Its name was chosen by whoever put it there; it is told by `voicelog keys`.
        tracing::warn!(
            count = odd.len(),
            "records in the key store that this archive did not sign"
        );
    }
    set("key_record_foreign", !odd.is_empty());
    set("epoch_over", archive.is_epoch_over()?);
    set("secrets_file_old", archive.are_kept_secrets_old()?);
    Ok(())
}
