//! Recordings that somebody is listening to: opened under a permit, bound to the login that opened
//! them, gone after a while. What is held of one is where its packets are, not its sound.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use voicelog_archive::Playable;
use voicelog_model::{RecordingId, Timestamp};

/// Open at once at most; the oldest makes room.
const OPEN_MAX: usize = 32;
/// Bytes in memory at most; the oldest make room, the newest always stays.
const BYTES_MAX: usize = 1 << 28;
/// How long one stays open.
const OPEN_MICROS: i64 = 2 * 3_600 * 1_000_000;

/// One opened recording.
#[derive(Debug)]
pub(crate) struct Opened {
    /// What was opened.
    pub(crate) sound: Playable,
    /// The reason that was given.
    pub(crate) reason: String,
    /// Hash of the login that may hear it.
    login: [u8; 32],
    opened_at: Timestamp,
}

/// Who opened what: by this it is found again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OpenedBy {
    /// Hash of the token in the address.
    pub(crate) token_hash: [u8; 32],
    /// Hash of the login.
    pub(crate) login: [u8; 32],
    pub(crate) id: RecordingId,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Playing(Mutex<BTreeMap<[u8; 32], Arc<Opened>>>);

impl Playing {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<[u8; 32], Arc<Opened>>> {
        // Every change below is one insert or a removal: a poisoned map is still whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps an opened recording under the hash of its token. The same login's earlier opening of
    /// the same recording is closed.
    pub(crate) fn open(
        &self,
        token_hash: [u8; 32],
        login: [u8; 32],
        sound: Playable,
        reason: String,
        now: Timestamp,
    ) {
        let mut open = self.lock();
        open.retain(|_, other| other.login != login || other.sound.id != sound.id);
        open.insert(
            token_hash,
            Arc::new(Opened {
                sound,
                reason,
                login,
                opened_at: now,
            }),
        );
        while open.len() > 1 && (open.len() > OPEN_MAX || bytes_in(&open) > BYTES_MAX) {
            let oldest = open
                .iter()
                .filter(|(hash, _)| **hash != token_hash)
                .min_by_key(|(_, opened)| opened.opened_at)
                .map(|(hash, _)| *hash);
            let Some(oldest) = oldest else { break };
            open.remove(&oldest);
        }
    }

    /// The opened recording, if this login opened it and it is still open.
    pub(crate) fn find(&self, by: &OpenedBy, now: Timestamp) -> Option<Arc<Opened>> {
        self.sweep(now);
        self.lock()
            .get(&by.token_hash)
            .filter(|opened| opened.login == by.login && opened.sound.id == by.id)
            .cloned()
    }

    /// Closes what has been open for long enough.
    pub(crate) fn sweep(&self, now: Timestamp) {
        self.lock().retain(|_, opened| {
            let age = now.micros_since(opened.opened_at);
            (0..OPEN_MICROS).contains(&age)
        });
    }

    /// Closes everything that a login opened.
    pub(crate) fn close_login(&self, login: &[u8; 32]) {
        self.lock().retain(|_, opened| opened.login != *login);
    }

    /// Closes a recording for everybody: it was destroyed.
    pub(crate) fn close_recording(&self, id: RecordingId) {
        self.lock().retain(|_, opened| opened.sound.id != id);
    }
}

fn bytes_in(open: &BTreeMap<[u8; 32], Arc<Opened>>) -> usize {
    let held = open.values().map(|opened| opened.sound.held_bytes());
    held.sum()
}
