//! The master key: it wraps the keys of epochs, and nothing else.

use crate::random;
use std::fmt;
use voicelog_evidence::Digest;
use voicelog_evidence::key::{DataKey, open_bytes, seal_bytes};
use voicelog_model::RecordingId;
use zeroize::Zeroizing;

/// The master key, wherever it is. It wraps 32 bytes for a purpose (`context`), and opens them for the same.
pub trait Master: Send + Sync + fmt::Debug {
    /// Which key it is, in at most 64 characters. It stands in the open, beside what the key wrapped.
    fn name(&self) -> Result<String, MasterError>;

    /// Wraps a key.
    fn wrap(&self, context: &str, key: &[u8; 32]) -> Result<Vec<u8>, MasterError>;

    /// Opens what [`Master::wrap`] made for the same context.
    fn unwrap(&self, context: &str, wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>, MasterError>;
}

/// Why the master key does not wrap or open.
#[derive(Debug, thiserror::Error)]
pub enum MasterError {
    /// It cannot be reached: a token that is gone, a PIN that is refused.
    #[error("{0}")]
    Unavailable(String),
    /// It answers that something failed, and not what: it is in trouble itself, or another key wrapped this.
    #[error("{0}")]
    Unclear(String),
    /// What it is asked to open was changed, or wrapped by another key.
    #[error("the master key does not open this: it was changed, or another key wrapped it")]
    NotAuthentic,
}

impl MasterError {
    /// Neither message nor cause may hold key material.
    #[must_use]
    pub fn unavailable(why: impl fmt::Display) -> Self {
        Self::Unavailable(why.to_string())
    }
}

/// A master key of 32 bytes in memory, as a file or systemd gives it.
#[derive(Clone)]
pub struct MasterKey(DataKey);

impl MasterKey {
    /// From 32 random bytes.
    #[must_use]
    pub const fn from_random(bytes: [u8; 32]) -> Self {
        Self(DataKey::from_random(bytes))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(secret)")
    }
}

/// A master key stands for no recording.
fn nobody() -> RecordingId {
    RecordingId::from_bytes([0; 16])
}

impl Master for MasterKey {
    fn name(&self) -> Result<String, MasterError> {
        let drawn = self.0.derive("master-key-name", &[]);
        let name: String = Digest(drawn).to_hex().chars().take(16).collect();
        Ok(format!("key-{name}"))
    }

    fn wrap(&self, context: &str, key: &[u8; 32]) -> Result<Vec<u8>, MasterError> {
        let nonce = random::bytes().map_err(MasterError::unavailable)?;
        Ok(seal_bytes(&self.0, context, nobody(), nonce, key))
    }

    fn unwrap(&self, context: &str, wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>, MasterError> {
        let opened = open_bytes(&self.0, context, nobody(), wrapped).map(Zeroizing::new);
        let opened = opened.map_err(|_changed| MasterError::NotAuthentic)?;
        let key: Result<[u8; 32], _> = opened.as_slice().try_into();
        key.map(Zeroizing::new)
            .map_err(|_length| MasterError::NotAuthentic)
    }
}
