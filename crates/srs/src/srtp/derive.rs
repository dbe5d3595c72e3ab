//! Session keys from a master key (RFC 3711 §4.3.1, with the derivation rate 0; RFC 6188 §2 for
//! AES-256, RFC 7714 §11 for AES-GCM).

use super::key::MasterKey;
use super::suite::{CipherKind, Suite};
use aes::cipher::{BlockCipherEncrypt, BlockSizeUser, InnerIvInit, KeyInit, StreamCipher};
use aes::cipher::{StreamCipherCoreWrapper, consts::U16};
use aes::{Aes128, Aes256};
use ctr::{CtrCore, flavors::Ctr128BE};
use zeroize::Zeroizing;

/// Bytes of the key of HMAC-SHA1.
pub(super) const AUTHENTICATION_KEY_BYTES: usize = 20;

/// What a session key is for; the keys of RTCP follow those of RTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Traffic {
    Media,
    Control,
}

/// The session keys of one kind of traffic.
pub(super) struct SessionKeys {
    pub(super) encryption: Zeroizing<[u8; 32]>,
    pub(super) authentication: Zeroizing<[u8; AUTHENTICATION_KEY_BYTES]>,
    pub(super) salt: Zeroizing<[u8; 14]>,
}

impl SessionKeys {
    /// Derives them. What is longer than the suite needs is zeros.
    pub(super) fn derive(master: &MasterKey, traffic: Traffic) -> Self {
        let suite = master.suite();
        let first = match traffic {
            Traffic::Media => 0,
            Traffic::Control => 3,
        };
        let mut keys = Self {
            encryption: Zeroizing::new([0; 32]),
            authentication: Zeroizing::new([0; AUTHENTICATION_KEY_BYTES]),
            salt: Zeroizing::new([0; 14]),
        };
        let fill = |label: u8, out: &mut [u8], bytes: usize| {
            if let Some(out) = out.get_mut(..bytes) {
                stream(master, label, out);
            }
        };
        fill(first, &mut *keys.encryption, suite.key_bytes());
        if suite.cipher() == CipherKind::CounterMode {
            fill(
                first + 1,
                &mut *keys.authentication,
                AUTHENTICATION_KEY_BYTES,
            );
        }
        fill(first + 2, &mut *keys.salt, suite.salt_bytes());
        keys
    }
}

/// The pseudo-random function: AES in counter mode under the master key, from the salt and the
/// label. A salt of 12 bytes has two bytes of zeros behind it.
fn stream(master: &MasterKey, label: u8, out: &mut [u8]) {
    let mut block = Zeroizing::new([0; 16]);
    for (place, byte) in block.iter_mut().zip(master.salt()) {
        *place = *byte;
    }
    if let Some(place) = block.get_mut(7) {
        *place ^= label;
    }
    out.fill(0);
    match by_key_length(master.suite()) {
        KeyLength::Aes128 => {
            if let Ok(cipher) = Aes128::new_from_slice(master.key()) {
                apply_counter_mode(&cipher, &block, out);
            }
        }
        KeyLength::Aes256 => {
            if let Ok(cipher) = Aes256::new_from_slice(master.key()) {
                apply_counter_mode(&cipher, &block, out);
            }
        }
    }
}

/// Which AES.
#[derive(Debug, Clone, Copy)]
pub(super) enum KeyLength {
    Aes128,
    Aes256,
}

pub(super) const fn by_key_length(suite: Suite) -> KeyLength {
    match suite.key_bytes() {
        32 => KeyLength::Aes256,
        _ => KeyLength::Aes128,
    }
}

/// Encrypts or decrypts in place, from this counter block on.
pub(super) fn apply_counter_mode<C>(cipher: &C, block: &[u8; 16], bytes: &mut [u8])
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16>,
{
    let core = CtrCore::<&C, Ctr128BE>::inner_iv_init(cipher, block.into());
    let mut stream = StreamCipherCoreWrapper::from_core(core);
    stream.apply_keystream(bytes);
}
