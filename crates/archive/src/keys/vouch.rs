//! The archive's signature beneath what is kept of its keys.
//!
//! Whoever can write in the key store can put a record there. Without this, a process that has no master key at hand
//! would seal to the public key of a stranger.

use super::KeysError;
use voicelog_evidence::Digest;
use voicelog_evidence::note::{Note, SigningKey, VerifierKey};

/// The text that is signed, a C2SP signed note: which record, and the hash of what it says.
fn text(name: &str, body: &[u8]) -> String {
    let hash = Digest::of(body).to_hex();
    format!("voicelog-key-record/v1\n{name}\n{hash}\n")
}

/// The line of the signature beneath that text.
pub(super) fn sign(key: &SigningKey, name: &str, body: &[u8]) -> Result<String, KeysError> {
    let damaged = || KeysError::Damaged(name.to_owned());
    let text = text(name, body);
    let note = key.sign(&text).map_err(|_name| damaged())?;
    let line = note.strip_prefix(&text).map(str::trim);
    line.map(str::to_owned).ok_or_else(damaged)
}

/// Whether the archive signed it.
pub(super) fn is_signed(key: &VerifierKey, name: &str, body: &[u8], line: &str) -> bool {
    let note = format!("{}\n{line}\n", text(name, body));
    Note::parse(note.as_bytes()).is_ok_and(|note| key.verify_alone(&note).is_ok())
}
