//! What is wrong with the keys while it can still be helped: looked at when the server starts, and with each look at the terms.

use crate::config::{Config, RecorderKeys};
use crate::data_folder::DataFolder;
use crate::key_ring;
use crate::master::Source;
use voicelog_archive::{Archive, ArchiveError};
use voicelog_model::{Timestamp, error};
use voicelog_recorder::Recorder;

/// Looks at the keys of a server.
#[derive(Debug)]
pub(crate) struct KeyWatch {
    /// Where the master key is, that a recorder with only the public key must not get at.
    forbidden: Option<Source>,
}

impl KeyWatch {
    /// Of a server whose data folder is there.
    pub(crate) fn new(config: &Config) -> Self {
        let is_public = config.keys.recorder == RecorderKeys::Public;
        let folder = DataFolder::open(&config.storage.data).ok();
        let folder = folder.filter(|_folder| is_public);
        Self {
            forbidden: folder.map(|folder| key_ring::master(&folder, config)),
        }
    }

    /// Sets the alarms about keys, or takes them back.
    pub(crate) fn look(&self, archive: &Archive, recorder: &Recorder, now: Timestamp) {
        let set = |alarm, stands| recorder.set_alarm(alarm, stands, now);
        if let Err(error) = look(archive, &set) {
            tracing::error!("keys: {}", error::chain(&error));
        }
        // Whoever steals the machine would open all.
        let is_beside = self.forbidden.as_ref().is_some_and(Source::is_here);
        set("master_key_beside_recorder", is_beside);
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
