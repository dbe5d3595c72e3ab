//! A master key: the secret of one direction of one stream.

use super::suite::{MASTER_BYTES_MAX, Suite};
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A master key and its salt, with the suite that they are for. Wiped when dropped, and no `Debug`
/// shows it.
#[derive(Clone)]
pub struct MasterKey {
    suite: Suite,
    /// The key, then the salt; zeros behind them.
    bytes: Zeroizing<[u8; MASTER_BYTES_MAX]>,
}

impl MasterKey {
    /// Takes a key and its salt, one behind the other. `None` unless there are exactly
    /// [`Suite::master_bytes`].
    #[must_use]
    pub fn new(suite: Suite, key_and_salt: &[u8]) -> Option<Self> {
        (key_and_salt.len() == suite.master_bytes()).then(|| Self::from_random(suite, key_and_salt))
    }

    /// A new key from random bytes, of which the suite takes as many as it needs.
    /// `random`: bytes that nobody can foresee, at least [`Suite::master_bytes`]; what is missing
    /// would be zeros.
    fn from_random(suite: Suite, random: &[u8]) -> Self {
        let mut bytes = Zeroizing::new([0; MASTER_BYTES_MAX]);
        let taken = random.iter().take(suite.master_bytes());
        for (place, byte) in bytes.iter_mut().zip(taken) {
            *place = *byte;
        }
        Self { suite, bytes }
    }

    /// A new key of ours from 64 bytes that nobody can foresee.
    #[must_use]
    pub fn of_random(suite: Suite, random: &[u8; 64]) -> Self {
        Self::from_random(suite, random)
    }

    /// What it is for.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// The key without its salt.
    pub(super) fn key(&self) -> &[u8] {
        self.bytes.get(..self.suite.key_bytes()).unwrap_or_default()
    }

    /// The salt.
    pub(super) fn salt(&self) -> &[u8] {
        let (from, to) = (self.suite.key_bytes(), self.suite.master_bytes());
        self.bytes.get(from..to).unwrap_or_default()
    }

    /// Both, as `a=crypto` carries them.
    pub(super) fn key_and_salt(&self) -> &[u8] {
        let to = self.suite.master_bytes();
        self.bytes.get(..to).unwrap_or_default()
    }
}

impl PartialEq for MasterKey {
    fn eq(&self, other: &Self) -> bool {
        self.suite == other.suite && bool::from(self.bytes.ct_eq(&*other.bytes))
    }
}

impl Eq for MasterKey {}

impl fmt::Debug for MasterKey {
    /// Names the suite only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.suite)
    }
}
