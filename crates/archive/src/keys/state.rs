//! What can be told of the keys without opening anything.

use super::epochs::Epochs;
use super::record::{self, By, EpochRecord};
use super::{KeysError, MasterError, RecoverySet};
use crate::error::Doing;
use crate::{Archive, ArchiveError};
use voicelog_evidence::key::KeyEncryptionKey;
use voicelog_model::Timestamp;
use voicelog_store::StoreError;

/// One epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochState {
    /// Its number.
    pub epoch: u32,
    /// When it was made; unknown for a key from before there was a master key.
    pub created_at: Option<Timestamp>,
    /// Data keys under it.
    pub data_keys: u64,
    /// Whether new data keys come under it.
    pub is_newest: bool,
    /// The master keys that open it.
    pub masters: Vec<String>,
    /// Whether the recovery set that counts opens it.
    pub is_under_set: bool,
}

/// How it stands with the recovery set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecoveryState {
    /// There is none: who loses the master key loses every recording.
    None,
    /// Sheets were made, and not typed back.
    NotConfirmed(RecoverySet),
    /// There is one that the master key does not vouch for, or a former one: somebody may have put it there, and nothing
    /// comes under it.
    Foreign(RecoverySet),
    /// Two sheets were typed back; `waiting` is one that will take its place.
    Confirmed {
        /// The one that counts.
        set: RecoverySet,
        /// The one that waits.
        waiting: Option<RecoverySet>,
    },
}

impl RecoveryState {
    /// Its word.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::NotConfirmed(_) => "not_confirmed",
            Self::Foreign(_) => "foreign",
            Self::Confirmed { .. } => "confirmed",
        }
    }
}

/// The keys above the data keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyState {
    /// The epochs, the oldest first.
    pub epochs: Vec<EpochState>,
    /// Data keys that name an epoch that is not there: nobody can open them.
    pub data_keys_lost: u64,
    /// Names of records of epochs that are damaged, gone, were destroyed and put back, or that this archive did not put
    /// there. Nothing is done with them.
    pub odd: Vec<String>,
    /// The recovery set.
    pub recovery: RecoveryState,
}

impl Archive {
    /// Tells of the keys. Reads every wrapped data key, and opens none.
    pub fn key_state(&self) -> Result<KeyState, ArchiveError> {
        let mut under = self.data_keys_by_epoch()?;
        let recovery = self.recovery_state()?;
        let set = match &recovery {
            RecoveryState::Confirmed { set, .. } => Some(By::Recovery(set.name.clone())),
            _ => None,
        };
        let newest = match self.newest_epoch() {
            Ok((newest, _record)) => newest,
            Err(ArchiveError::Keys(KeysError::NoEpochs | KeysError::NotVouched)) => 0,
            Err(error) => return Err(error),
        };
        let given = self.secrets.epoch_keys.given_key();
        let mut epochs = Vec::new();
        if let Some(epoch) = given.map(KeyEncryptionKey::epoch) {
            epochs.push(EpochState {
                epoch,
                created_at: None,
                data_keys: under.remove(&epoch).unwrap_or(0),
                is_newest: epoch == newest,
                masters: Vec::new(),
                is_under_set: false,
            });
        }
        let Epochs { ours, mut odd } = self.epochs()?;
        odd.extend(self.missing_epoch()?);
        for record in ours {
            let masters = record.slots.iter().filter_map(|slot| match &slot.by {
                By::Master(name) => Some(name.clone()),
                By::Recovery(_) => None,
            });
            epochs.push(EpochState {
                epoch: record.epoch,
                created_at: Some(record.created_at),
                data_keys: under.remove(&record.epoch).unwrap_or(0),
                is_newest: record.epoch == newest,
                masters: masters.collect(),
                is_under_set: record
                    .slots
                    .iter()
                    .any(|slot| Some(&slot.by) == set.as_ref()),
            });
        }
        Ok(KeyState {
            epochs,
            data_keys_lost: under.into_values().sum(),
            odd,
            recovery,
        })
    }

    /// What lies in the key store that this archive did not put there, or that is damaged, and what is gone of what the
    /// log tells of, by name: it is an alarm.
    pub fn odd_key_records(&self) -> Result<Vec<String>, ArchiveError> {
        let mut odd = self.odd_epochs()?;
        odd.extend(self.missing_epoch()?);
        odd.extend(self.odd_recovery_set()?);
        Ok(odd)
    }

    /// The same of the epochs that lie there. The master key is not asked.
    fn odd_epochs(&self) -> Result<Vec<String>, ArchiveError> {
        let mut odd = Vec::new();
        for epoch in self.epoch_numbers()? {
            match self.epoch_record(epoch)? {
                Some(Ok(record)) if self.is_vouched(&record) && !self.is_retired(epoch)? => {}
                Some(_odd) => odd.push(record::name_of(epoch)),
                None => {}
            }
        }
        Ok(odd)
    }

    /// The record of the newest epoch that the log tells of, where it is gone: whoever takes it away has calls come under
    /// the one before.
    fn missing_epoch(&self) -> Result<Option<String>, ArchiveError> {
        let mut newest = match self.newest_epoch() {
            Ok((newest, _record)) => newest,
            Err(ArchiveError::Keys(KeysError::NoEpochs | KeysError::NotVouched)) => 0,
            Err(error) => return Err(error),
        };
        let here = newest;
        while let Some(next) = newest.checked_add(1)
            && self.log_knows(next)?
        {
            newest = next;
        }
        // One that was made meanwhile is there now; one that is damaged is odd.
        let is_gone = newest > here && self.epoch_record(newest)?.is_none();
        Ok(is_gone.then(|| record::name_of(newest)))
    }

    /// Names of the records that are damaged, that this archive did not put there, that were destroyed and put back, or
    /// that the master key of this process, if it has one, does not open.
    pub(crate) fn damaged_key_records(&self) -> Result<Vec<String>, ArchiveError> {
        let mut damaged = self.odd_epochs()?;
        damaged.extend(self.odd_recovery_set()?);
        for name in self.keys.records().doing("listing the keys of epochs")? {
            let is_epoch = record::epoch_of(&name).is_some();
            let bytes = match self.keys.record(&name) {
                Ok(bytes) if is_epoch => bytes,
                Ok(_) | Err(StoreError::NotFound { .. }) => continue,
                Err(error) => return Err(error).doing("reading the key of an epoch"),
            };
            let opens = EpochRecord::from_bytes(&name, &bytes).and_then(|record| {
                if !record.is_signed(&self.secrets.signing_key.verifier()) {
                    return Err(KeysError::Damaged(name.clone()));
                }
                match self.secrets.epoch_keys.master() {
                    Ok(master) => record.open(master).map(drop),
                    Err(_no_master) => Ok(()),
                }
            });
            match opens {
                // A token that is away says nothing of the record.
                Ok(()) | Err(KeysError::Master(MasterError::Unavailable(_))) => {}
                Err(_damaged) if damaged.contains(&name) => {}
                Err(_damaged) => damaged.push(name),
            }
        }
        if !damaged.is_empty() {
            return Ok(damaged);
        }
        // Every epoch is under the set that counts, so another set in its place is under none.
        match self.key_state() {
            Ok(state) => {
                let is_confirmed = matches!(state.recovery, RecoveryState::Confirmed { .. });
                let mut records = state.epochs.iter().filter(|one| one.created_at.is_some());
                if is_confirmed && records.any(|epoch| !epoch.is_under_set) {
                    damaged.push("recovery".to_owned());
                }
            }
            Err(ArchiveError::Keys(KeysError::Damaged(name))) => damaged.push(name),
            Err(other) => return Err(other),
        }
        Ok(damaged)
    }

    /// The newest epoch whose key is kept here, by the names alone; 0 if there is none.
    pub(crate) fn newest_kept_epoch(&self) -> Result<u32, ArchiveError> {
        let names = self.keys.records().doing("listing the keys of epochs")?;
        let kept = names.iter().filter_map(|name| record::epoch_of(name));
        let given = self.secrets.epoch_keys.given_key();
        let given = given.map(KeyEncryptionKey::epoch);
        Ok(kept.chain(given).max().unwrap_or(0))
    }

    /// How it stands with the recovery set.
    pub fn recovery_state(&self) -> Result<RecoveryState, ArchiveError> {
        let is_foreign = self.odd_recovery_set()?.is_some();
        Ok(match self.recovery_sets()? {
            (Some(set), _waiting) if is_foreign => RecoveryState::Foreign(set),
            (Some(set), waiting) => RecoveryState::Confirmed { set, waiting },
            (None, Some(set)) => RecoveryState::NotConfirmed(set),
            (None, None) => RecoveryState::None,
        })
    }
}
