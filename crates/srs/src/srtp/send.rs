//! Our own RTCP, protected with our own key.

use super::cipher::Cipher;
use super::derive::Traffic;
use super::key::MasterKey;
use std::fmt;

/// Protects RTCP that we send. It counts, so one key has one of these.
pub struct ControlProtector {
    cipher: Cipher,
    /// Of the next packet; each index is used once under a key (RFC 3711 §3.4).
    next: u32,
}

impl fmt::Debug for ControlProtector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ControlProtector({} sent)", self.next.saturating_sub(1))
    }
}

impl ControlProtector {
    /// For this key. `None` never comes about.
    #[must_use]
    pub fn new(master: &MasterKey) -> Option<Self> {
        let cipher = Cipher::new(master, Traffic::Control)?;
        Some(Self { cipher, next: 1 })
    }

    /// Protects a packet. `None` if it is shorter than its header, or the key is used up: 2^31
    /// packets, some centuries of reports.
    pub fn protect(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let index = self.next;
        if index >> 31 != 0 {
            return None;
        }
        self.next = index.saturating_add(1);
        self.cipher.seal_control(packet, index)
    }
}
