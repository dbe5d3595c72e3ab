//! What can be told of the keys without opening anything.

use super::epochs::Epochs;
use super::record::By;
use super::{KeysError, RecoverySet};
use crate::{Archive, ArchiveError};
use voicelog_evidence::key::KeyEncryptionKey;
use voicelog_model::Timestamp;

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
    /// There is one that the master key does not vouch for: somebody may have put it there, and nothing comes under it.
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
    /// Names of records of epochs that are damaged, or that this archive did not put there. Nothing is done with them.
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
        let Epochs { ours, odd } = self.epochs()?;
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
