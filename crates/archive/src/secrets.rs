//! The secrets that the archive is opened with. They never pass through `store`.

use std::fmt;
use voicelog_evidence::key::{DataKey, KeyEncryptionKey};
use voicelog_evidence::note::SigningKey;

/// Keys of the archive itself, read by the binary from files that only it may read.
pub struct Secrets {
    /// The key that wraps new data keys.
    pub key_encryption_key: KeyEncryptionKey,
    /// Signs checkpoints, bundles and certificates.
    pub signing_key: SigningKey,
    /// Seals the facts that decisions were made on.
    pub decision_key: DataKey,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets(epoch {})", self.key_encryption_key.epoch())
    }
}
