//! Whether a backup opens with the secrets that somebody keeps: the only trial that tells before the day
//! on which they are needed.

use super::format::{behind_head, record_name};
use super::restore::next_key;
use super::sealed::{open, part_name};
use super::{Backup, BackupError, BackupKey};
use crate::keys::{Master, epoch_in};
use std::collections::BTreeSet;
use voicelog_evidence::key::{KeyEncryptionKey, owner_of_key, unwrap_key, wrapped_epoch};

/// What an index begins with once it is open.
const INDEX_START: &[u8] = b"SQLite format 3\0";

/// What came of opening a backup.
#[derive(Debug, Default)]
pub struct Trial {
    /// What does not open.
    pub wrong: Vec<BackupError>,
    /// Data keys that were not tried: the master key above them is not among the secrets.
    pub untried: u64,
}

impl Backup {
    /// Opens index and keys with these secrets and nothing else, and each data key with the keys that wrapped
    /// it: `wrapping` in the open, and those of the epochs that `master` opens.
    #[must_use]
    pub fn try_opening(
        &self,
        key: &BackupKey,
        wrapping: &[KeyEncryptionKey],
        master: Option<&dyn Master>,
    ) -> Trial {
        let mut trial = Trial::default();
        let (backup, secrets) = (self.statement().epoch, key.epoch);
        if backup != secrets {
            trial.wrong.push(BackupError::Epoch { backup, secrets });
            return trial;
        }
        self.try_index(key, &mut trial.wrong);
        match self.all_keys(key) {
            Err(error) => trial.wrong.push(error),
            Ok(all) => self.try_keys(&all, wrapping, master, &mut trial),
        }
        trial
    }

    fn try_index(&self, key: &BackupKey, wrong: &mut Vec<BackupError>) {
        for number in 1..=self.statement().index_parts {
            match self.part(key, "index", (number, self.statement().index_parts)) {
                Ok(plain) if number == 1 && !plain.starts_with(INDEX_START) => {
                    let file = self.own(&part_name("index", number));
                    let why = "it opens, and is no index".to_owned();
                    wrong.push(BackupError::Damaged { file, why });
                }
                Ok(_plain) => {}
                Err(error) => wrong.push(error),
            }
        }
    }

    fn try_keys(
        &self,
        all: &[u8],
        wrapping: &[KeyEncryptionKey],
        master: Option<&dyn Master>,
        trial: &mut Trial,
    ) {
        let (mut data_keys, mut epochs, mut rest) = (Vec::new(), Vec::new(), all);
        while let Some((id, bytes, after)) = next_key(rest) {
            rest = after;
            match record_name(id.as_bytes()) {
                Some(name) => epochs.push((name, bytes)),
                None => data_keys.push((id, bytes)),
            }
        }
        if !rest.is_empty() {
            trial.wrong.push(self.cut_key());
        }
        let does_not_open = |what: String| BackupError::DoesNotOpen { what };
        let (mut opened, mut closed) = (wrapping.to_vec(), BTreeSet::new());
        for (name, bytes) in epochs {
            match epoch_in(&name, bytes, master) {
                Ok(Some((_, Some(kek)))) => opened.push(kek),
                Ok(Some((epoch, None))) => {
                    closed.insert(epoch);
                }
                // The recovery set: what it opens, its sheets open.
                Ok(None) => {}
                Err(error) => {
                    let what = format!("the key `{name}` ({error})");
                    trial.wrong.push(does_not_open(what));
                }
            }
        }
        for (id, wrapped) in data_keys {
            if unwrap_key(&opened, id, wrapped).is_ok() {
                continue;
            }
            if wrapped_epoch(wrapped).is_ok_and(|epoch| closed.contains(&epoch)) {
                trial.untried = trial.untried.saturating_add(1);
            } else {
                let (id, _is_sound) = owner_of_key(id);
                let what = format!("the key of recording {id}");
                trial.wrong.push(does_not_open(what));
            }
        }
    }

    /// One file of a part, opened.
    pub(super) fn part(
        &self,
        key: &BackupKey,
        part: &str,
        (number, count): (u32, u32),
    ) -> Result<Vec<u8>, BackupError> {
        let name = self.own(&part_name(part, number));
        let sealed = self.file(&name)?;
        open(key, self.statement.backup, part, (number, count), &sealed)
    }

    /// Every wrapped key, one after the other.
    pub(super) fn all_keys(&self, key: &BackupKey) -> Result<Vec<u8>, BackupError> {
        let count = self.statement.key_parts;
        let mut all = Vec::new();
        for number in 1..=count {
            all.append(&mut self.part(key, "keys", (number, count))?);
        }
        behind_head(all)
    }

    pub(super) fn cut_key(&self) -> BackupError {
        BackupError::Damaged {
            file: self.own("keys"),
            why: "it ends in the midst of a key".to_owned(),
        }
    }
}
