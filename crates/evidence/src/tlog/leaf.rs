//! What the log says of one act.

use super::{TlogError, leaf_hash};
use crate::canonical::{CanonicalError, canonical_json, from_canonical};
use crate::digest::{Digest, hmac_sha256};
use serde::{Deserialize, Deserializer, Serialize};
use voicelog_model::Timestamp;

/// Version of the leaf format that is written.
const VERSION: u32 = 1;

/// What happened. Kinds are only ever added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeafKind {
    /// A recording is complete.
    Recorded,
    /// An act was refused, or a call ended of which nothing was recorded: the object tells which.
    Refused,
    /// An act was permitted.
    Permitted,
    /// A recording was listened to.
    Listened,
    /// A bundle was given out.
    Exported,
    /// A recording was destroyed.
    Destroyed,
    /// The sound of a recording was destroyed; what is known of the call was not.
    SoundDestroyed,
    /// The archive was made.
    ArchiveOpened,
    /// Another rulebook is in force.
    RulebookChanged,
    /// A key that wraps the recordings' keys came into use, or one above it.
    KeyCreated,
    /// Such a key was destroyed: nothing is under it any more.
    KeyRetired,
    /// A recording was paused, and went on or not.
    Paused,
    /// A recording was written out as text. Not written yet.
    Transcribed,
    /// Somebody outside was given a way to a recording. Not written yet.
    Shared,
    /// A recording that was due was not destroyed.
    DestructionRefused,
    /// A recording is held: it is not destroyed until it is released.
    Held,
    /// A hold ended.
    Released,
    /// The archive goes on from a backup: what came after it and is not in the log is lost.
    Restored,
    /// Somebody said that the clock is right, although it had jumped.
    ClockConfirmed,
    /// An account was made.
    AccountMade,
    /// An account ended.
    AccountEnded,
    /// Somebody asked to destroy a recording, which a second person has to confirm.
    Proposed,
    /// A second person confirmed it.
    Confirmed,
    /// Somebody declined it.
    Declined,
}

/// One leaf of the log: canonical JSON. No personal data, ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaf {
    /// Version of the format: 1.
    #[serde(deserialize_with = "version")]
    pub v: u32,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: LeafKind,
    /// When.
    pub at: Timestamp,
    /// Id of what it happened to.
    pub object: String,
    /// Salted commitment to the content: see [`commitment`].
    pub commitment: Digest,
}

impl Leaf {
    /// A leaf of the present version.
    #[must_use]
    pub const fn new(kind: LeafKind, at: Timestamp, object: String, commitment: Digest) -> Self {
        Self {
            v: VERSION,
            kind,
            at,
            object,
            commitment,
        }
    }

    /// The bytes that the log holds.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CanonicalError> {
        canonical_json(self)
    }

    /// Reads the bytes of a leaf; a kind or version that is not known is refused, not skipped.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TlogError> {
        from_canonical(bytes).map_err(|_| TlogError::MalformedLeaf)
    }

    /// Its hash in the tree.
    pub fn hash(&self) -> Result<[u8; 32], CanonicalError> {
        self.to_bytes().map(|bytes| leaf_hash(&bytes))
    }
}

/// HMAC-SHA-256 of a content's hash under a salt. Without the salt, and after its destruction, it
/// says nothing of the content.
#[must_use]
pub fn commitment(salt: &[u8; 32], content_sha256: &[u8; 32]) -> Digest {
    Digest(hmac_sha256(salt, &[content_sha256]))
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    crate::manifest::known_version(deserializer, VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_is_canonical_json() {
        let at = Timestamp::from_micros(1_790_000_000_000_000);
        let leaf = Leaf::new(LeafKind::ArchiveOpened, at, "x".into(), Digest([0; 32]));
        let bytes = leaf.to_bytes().unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        let zeros = "0".repeat(64);
        assert_eq!(
            text,
            format!(
                r#"{{"at":"2026-09-21T14:13:20.000000Z","commitment":"sha256:{zeros}","object":"x","type":"archive_opened","v":1}}"#
            )
        );
        assert_eq!(Leaf::from_bytes(&bytes).unwrap(), leaf);
        for (from, to) in [
            ("\"v\":1", "\"v\":2"),
            ("archive_opened", "unheard_of"),
            ("{", "{ "),
        ] {
            let changed = text.replace(from, to);
            assert_eq!(
                Leaf::from_bytes(changed.as_bytes()),
                Err(TlogError::MalformedLeaf)
            );
        }
    }
}
