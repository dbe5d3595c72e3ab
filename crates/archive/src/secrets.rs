//! The secrets that the archive is opened with. They never pass through `store`.

use crate::keys::EpochKeys;
use std::fmt;
use voicelog_evidence::key::DataKey;
use voicelog_evidence::note::SigningKey;

/// Keys of the archive itself, read by the binary from files that only it may read.
pub struct Secrets {
    /// What can be done with the keys that wrap data keys.
    pub epoch_keys: EpochKeys,
    /// Signs checkpoints, bundles and certificates.
    pub signing_key: SigningKey,
    /// Seals the facts that decisions were made on.
    pub decision_key: DataKey,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({:?})", self.epoch_keys)
    }
}
