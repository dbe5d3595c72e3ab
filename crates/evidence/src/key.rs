//! Keys of a recording: the data key, what is drawn from it, and how it is wrapped for storage.
//!
//! Everything that can open a recording is drawn from its data key. Destroying the wrapped data
//! key therefore destroys the recording, wherever copies of its ciphertext are.

use crate::aead::{Cipher, NONCE_BYTES, TAG_BYTES};
use crate::digest::{Digest, hkdf_sha256, sha256_of};
use crate::sealing::{self, NoSealingKey, OpeningKey, SEALED_OVERHEAD_BYTES, SealingKey};
use crate::wire::Reader;
use std::fmt;
use voicelog_model::{Kind, RecordingId};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const WRAP_VERSION: u8 = 1;
/// The version of a data key that was sealed to the public key of an epoch.
const SEALED_WRAP_VERSION: u8 = 2;
const SEALED_WRAP_INFO: &[u8] = b"voicelog/v1/sealed-data-key";
const SEAL_VERSION: u8 = 1;
/// Bytes of a wrapped data key, version 1.
pub const WRAPPED_BYTES: usize = 1 + 4 + NONCE_BYTES + 32 + TAG_BYTES;
/// Bytes of a data key that was sealed to a public key, version 2.
pub const SEALED_WRAP_BYTES: usize = 1 + 4 + 32 + SEALED_OVERHEAD_BYTES;
/// Bytes that [`seal_bytes`] adds to its plaintext, version 1.
pub const SEAL_OVERHEAD_BYTES: usize = 1 + NONCE_BYTES + TAG_BYTES;

/// The data key of one recording: 32 random bytes, drawn once, wiped from memory when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct DataKey([u8; 32]);

impl DataKey {
    /// From 32 random bytes.
    #[must_use]
    pub const fn from_random(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A key or salt of one purpose: HKDF-SHA-256 with `info` = `voicelog/v1/` ‖ label ‖ 0 ‖
    /// context. Labels hold no zero byte, so that no two purposes share an `info`.
    #[must_use]
    pub fn derive(&self, label: &str, context: &[u8]) -> [u8; 32] {
        debug_assert!(!label.as_bytes().contains(&0), "a label holds no zero byte");
        hkdf_sha256(&self.0, &[b"voicelog/v1/", label.as_bytes(), &[0], context])
    }

    /// The salt of the recording's commitments in the log. A bundle shows it.
    #[must_use]
    pub fn commitment_salt(&self, recording: RecordingId) -> [u8; 32] {
        self.derive("commitment-salt", recording.as_bytes())
    }

    /// The salt from which the salts of all tree leaves come. A bundle of the whole shows it.
    #[must_use]
    pub fn tree_salt(&self, recording: RecordingId) -> [u8; 32] {
        self.derive("tree-salt", recording.as_bytes())
    }
}

/// Under which name the key of a recording's sound is kept, where it has one: the recording's id with the bits of its
/// version turned over, so 8 in the place of 7 (RFC 9562 §5.8). No recording has such an id. It is wrapped for that
/// name, so it never passes for the data key.
#[must_use]
pub const fn sound_key_name(recording: RecordingId) -> RecordingId {
    let mut bytes = *recording.as_bytes();
    bytes[6] ^= 0xf0;
    RecordingId::from_bytes(bytes)
}

/// Whose key is kept under a name, and whether it is that of the sound alone.
#[must_use]
pub const fn owner_of_key(name: RecordingId) -> (RecordingId, bool) {
    let is_sound = name.as_bytes()[6] >> 4 == 8;
    let owner = match is_sound {
        true => sound_key_name(name),
        false => name,
    };
    (owner, is_sound)
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(secret)")
    }
}

/// A key that wraps data keys, valid for one epoch.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct KeyEncryptionKey {
    epoch: u32,
    key: [u8; 32],
}

impl KeyEncryptionKey {
    /// The key of an epoch.
    #[must_use]
    pub const fn new(epoch: u32, key: [u8; 32]) -> Self {
        Self { epoch, key }
    }

    /// Its epoch.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Its 32 bytes, to be wrapped themselves.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        &self.key
    }

    /// The pair of keys of the same epoch: who has the public one can put data keys under the epoch, and open none.
    /// Drawn with HKDF-SHA-256, `info` = `voicelog/v1/epoch-pair`.
    #[must_use]
    pub fn opening_key(&self) -> OpeningKey {
        OpeningKey::from_random(hkdf_sha256(&self.key, &[b"voicelog/v1/epoch-pair"]))
    }

    /// Which key it is, for those who have it: SHA-256 of `voicelog/v1/kek` ‖ 0x00 ‖ key. It says
    /// nothing of the key, which is random.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        Digest(sha256_of(&[b"voicelog/v1/kek\0", &self.key]))
    }
}

impl fmt::Debug for KeyEncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyEncryptionKey(epoch {}, secret)", self.epoch)
    }
}

/// Why a wrapped key or a sealed column does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not as long as such bytes are.
    #[error("sealed bytes are too short or too long")]
    Length,
    /// Written by a newer voicelog.
    #[error("sealed bytes have version {0}, which this program does not know")]
    Version(u8),
    /// No key of that epoch was given.
    #[error("no key-encryption key of epoch {0} is here")]
    UnknownEpoch(u32),
    /// Only the public key of that epoch is here.
    #[error("this process has only the public key of epoch {0}: it can record, and open nothing")]
    PublicOnly(u32),
    /// Changed, of another recording, or made with another key.
    #[error("sealed bytes do not authenticate for this recording")]
    NotAuthentic,
}

impl KeyError {
    /// What kind of trouble it is.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::UnknownEpoch(_) | Self::PublicOnly(_) => Kind::Unavailable,
            Self::Length | Self::Version(_) | Self::NotAuthentic => Kind::Corrupt,
        }
    }
}

/// Wraps a data key for the key store.
///
/// Version 1: version byte ‖ epoch (4, big-endian) ‖ nonce (12) ‖ ciphertext (32) ‖ tag (16);
/// AES-256-GCM, AAD = `voicelog/v1/wrap` ‖ recording id (16) ‖ epoch (4). `nonce` is random.
#[must_use]
pub fn wrap(
    kek: &KeyEncryptionKey,
    data_key: &DataKey,
    recording: RecordingId,
    nonce: [u8; NONCE_BYTES],
) -> Vec<u8> {
    let mut out = Vec::with_capacity(WRAPPED_BYTES);
    out.push(WRAP_VERSION);
    out.extend_from_slice(&kek.epoch.to_be_bytes());
    out.extend_from_slice(&nonce);
    let mut body = data_key.0;
    let tag = Cipher::new(&kek.key).seal(nonce, &wrap_aad(recording, kek.epoch), &mut body);
    out.extend_from_slice(&body);
    out.extend_from_slice(&tag);
    out
}

/// Seals a data key to the public key of an epoch, for whoever must not be able to open it.
///
/// Version 2: version byte ‖ epoch (4, big-endian) ‖ what [`sealing::seal`] makes of the key (80), with `info` =
/// `voicelog/v1/sealed-data-key` and the AAD of [`wrap`]. `random` is used for this alone.
pub fn wrap_sealed(
    epoch: u32,
    to: &SealingKey,
    data_key: &DataKey,
    recording: RecordingId,
    random: [u8; 32],
) -> Result<Vec<u8>, NoSealingKey> {
    let aad = wrap_aad(recording, epoch);
    let sealed = sealing::seal(to, SEALED_WRAP_INFO, &aad, &data_key.0, random)?;
    let head = [SEALED_WRAP_VERSION];
    Ok([head.as_slice(), &epoch.to_be_bytes(), &sealed].concat())
}

/// Unwraps a data key with the key of its epoch, in whichever way it was wrapped.
pub fn unwrap_key(
    keks: &[KeyEncryptionKey],
    recording: RecordingId,
    wrapped: &[u8],
) -> Result<DataKey, KeyError> {
    let epoch = wrapped_epoch(wrapped)?;
    let find = || keks.iter().find(|kek| kek.epoch == epoch);
    let mut reader = Reader::new(wrapped);
    let version = reader.u8().ok_or(KeyError::Length)?;
    let _epoch = reader.u32().ok_or(KeyError::Length)?;
    if version == SEALED_WRAP_VERSION {
        if wrapped.len() != SEALED_WRAP_BYTES {
            return Err(KeyError::Length);
        }
        let kek = find().ok_or(KeyError::UnknownEpoch(epoch))?;
        let aad = wrap_aad(recording, epoch);
        let opened = kek
            .opening_key()
            .open(SEALED_WRAP_INFO, &aad, reader.rest())
            .ok_or(KeyError::NotAuthentic)?;
        let key: [u8; 32] = opened.as_slice().try_into().map_err(|_| KeyError::Length)?;
        return Ok(DataKey(key));
    }
    let nonce = reader.array().ok_or(KeyError::Length)?;
    let mut body: [u8; 32] = reader.array().ok_or(KeyError::Length)?;
    let tag = reader.array().ok_or(KeyError::Length)?;
    if !reader.is_empty() {
        return Err(KeyError::Length);
    }
    let kek = find().ok_or(KeyError::UnknownEpoch(epoch))?;
    if Cipher::new(&kek.key).open(nonce, &wrap_aad(recording, epoch), &mut body, tag) {
        Ok(DataKey(body))
    } else {
        body.zeroize();
        Err(KeyError::NotAuthentic)
    }
}

/// The epoch that wrapped bytes name, without opening them.
pub fn wrapped_epoch(wrapped: &[u8]) -> Result<u32, KeyError> {
    let mut reader = Reader::new(wrapped);
    match reader.u8().ok_or(KeyError::Length)? {
        WRAP_VERSION | SEALED_WRAP_VERSION => reader.u32().ok_or(KeyError::Length),
        other => Err(KeyError::Version(other)),
    }
}

/// Whether wrapped bytes were sealed to a public key.
#[must_use]
pub fn is_sealed(wrapped: &[u8]) -> bool {
    wrapped.first() == Some(&SEALED_WRAP_VERSION)
}

fn wrap_aad(recording: RecordingId, epoch: u32) -> Vec<u8> {
    [
        b"voicelog/v1/wrap".as_slice(),
        recording.as_bytes(),
        &epoch.to_be_bytes(),
    ]
    .concat()
}

/// Seals bytes of one purpose (`label`) that belong to a recording, such as a column of its row.
///
/// Version 1: version byte ‖ nonce (12) ‖ ciphertext ‖ tag (16); AES-256-GCM under
/// `derive("seal/" ‖ label, recording id)`, AAD = `voicelog/v1/seal` ‖ recording id. `nonce` is
/// random: with one key for each recording and label, 96 random bits do not repeat in practice.
#[must_use]
pub fn seal_bytes(
    data_key: &DataKey,
    label: &str,
    recording: RecordingId,
    nonce: [u8; NONCE_BYTES],
    plaintext: &[u8],
) -> Vec<u8> {
    let mut body = plaintext.to_vec();
    let tag = seal_cipher(data_key, label, recording).seal(nonce, &seal_aad(recording), &mut body);
    let mut out = Vec::with_capacity(plaintext.len() + SEAL_OVERHEAD_BYTES);
    out.push(SEAL_VERSION);
    out.extend_from_slice(&nonce);
    out.append(&mut body);
    out.extend_from_slice(&tag);
    out
}

/// Opens what [`seal_bytes`] sealed for the same label and recording.
pub fn open_bytes(
    data_key: &DataKey,
    label: &str,
    recording: RecordingId,
    sealed: &[u8],
) -> Result<Vec<u8>, KeyError> {
    let mut reader = Reader::new(sealed);
    match reader.u8().ok_or(KeyError::Length)? {
        SEAL_VERSION => {}
        other => return Err(KeyError::Version(other)),
    }
    let nonce = reader.array().ok_or(KeyError::Length)?;
    let (body, tag) = reader
        .rest()
        .split_last_chunk::<TAG_BYTES>()
        .ok_or(KeyError::Length)?;
    let mut plaintext = body.to_vec();
    let cipher = seal_cipher(data_key, label, recording);
    if cipher.open(nonce, &seal_aad(recording), &mut plaintext, *tag) {
        Ok(plaintext)
    } else {
        Err(KeyError::NotAuthentic)
    }
}

fn seal_cipher(data_key: &DataKey, label: &str, recording: RecordingId) -> Cipher {
    let key = Zeroizing::new(data_key.derive(&format!("seal/{label}"), recording.as_bytes()));
    Cipher::new(&key)
}

fn seal_aad(recording: RecordingId) -> Vec<u8> {
    [b"voicelog/v1/seal".as_slice(), recording.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(byte: u8) -> RecordingId {
        RecordingId::from_bytes([byte; 16])
    }

    #[test]
    fn a_wrapped_key_opens_with_its_epoch_and_recording_only() {
        let keks = [
            KeyEncryptionKey::new(1, [1; 32]),
            KeyEncryptionKey::new(2, [2; 32]),
        ];
        let key = DataKey::from_random([9; 32]);
        let wrapped = wrap(&keks[1], &key, recording(5), [3; 12]);
        assert_eq!(wrapped.len(), WRAPPED_BYTES);
        assert_eq!(wrapped_epoch(&wrapped), Ok(2));
        let opened = unwrap_key(&keks, recording(5), &wrapped).unwrap();
        assert_eq!(opened.derive("x", b""), key.derive("x", b""));
        let refused = |keks, id| unwrap_key(keks, id, &wrapped).unwrap_err();
        assert_eq!(refused(&keks[..1], recording(5)), KeyError::UnknownEpoch(2));
        assert_eq!(refused(&keks, recording(6)), KeyError::NotAuthentic);
    }

    #[test]
    fn a_key_sealed_to_the_public_key_of_an_epoch_opens_with_the_epoch_and_for_its_recording_only()
    {
        let keks = [
            KeyEncryptionKey::new(1, [1; 32]),
            KeyEncryptionKey::new(2, [2; 32]),
        ];
        let public = keks[1].opening_key().sealing_key();
        let key = DataKey::from_random([9; 32]);
        let seal = |random| wrap_sealed(2, &public, &key, recording(5), random).unwrap();
        let wrapped = seal([3; 32]);
        assert_eq!(wrapped.len(), SEALED_WRAP_BYTES);
        assert_ne!(wrapped, seal([4; 32]));
        assert!(is_sealed(&wrapped));
        assert_eq!(wrapped_epoch(&wrapped), Ok(2));
        let opened = unwrap_key(&keks, recording(5), &wrapped).unwrap();
        assert_eq!(opened.derive("x", b""), key.derive("x", b""));
        let refused = |keks, id| unwrap_key(keks, id, &wrapped).unwrap_err();
        assert_eq!(refused(&keks[..1], recording(5)), KeyError::UnknownEpoch(2));
        assert_eq!(refused(&keks, recording(6)), KeyError::NotAuthentic);
        let other = [KeyEncryptionKey::new(2, [7; 32])];
        assert_eq!(refused(&other, recording(5)), KeyError::NotAuthentic);
        for at in 0..wrapped.len() {
            let mut changed = wrapped.clone();
            changed[at] ^= 1;
            assert!(
                unwrap_key(&keks, recording(5), &changed).is_err(),
                "byte {at}"
            );
            assert!(unwrap_key(&keks, recording(5), &wrapped[..at]).is_err());
        }
    }

    #[test]
    fn the_key_of_the_sound_has_a_name_of_its_own_and_does_not_pass_for_the_data_key() {
        let id: RecordingId = "0190f3c2-0000-7abc-8def-0123456789ab".parse().unwrap();
        let name = sound_key_name(id);
        assert_eq!(name.to_string(), "0190f3c2-0000-8abc-8def-0123456789ab");
        assert_eq!(owner_of_key(name), (id, true));
        assert_eq!(owner_of_key(id), (id, false));
        let keks = [KeyEncryptionKey::new(1, [1; 32])];
        let wrapped = wrap(&keks[0], &DataKey::from_random([9; 32]), name, [3; 12]);
        assert!(unwrap_key(&keks, name, &wrapped).is_ok());
        assert_eq!(
            unwrap_key(&keks, id, &wrapped).unwrap_err(),
            KeyError::NotAuthentic
        );
    }

    #[test]
    fn any_changed_or_missing_byte_of_a_wrapped_key_is_seen() {
        let kek = [KeyEncryptionKey::new(7, [1; 32])];
        let wrapped = wrap(
            &kek[0],
            &DataKey::from_random([9; 32]),
            recording(5),
            [3; 12],
        );
        for at in 0..wrapped.len() {
            let mut changed = wrapped.clone();
            changed[at] ^= 1;
            assert!(
                unwrap_key(&kek, recording(5), &changed).is_err(),
                "byte {at}"
            );
            assert!(
                unwrap_key(&kek, recording(5), &wrapped[..at]).is_err(),
                "cut at {at}"
            );
        }
        let longer = [wrapped, vec![0]].concat();
        assert_eq!(
            unwrap_key(&kek, recording(5), &longer).unwrap_err(),
            KeyError::Length
        );
    }

    #[test]
    fn a_sealed_column_opens_for_its_label_and_recording_only() {
        let key = DataKey::from_random([4; 32]);
        let sealed = seal_bytes(&key, "parties", recording(1), [8; 12], b"tel:+31");
        assert_eq!(sealed.len(), 7 + SEAL_OVERHEAD_BYTES);
        assert_eq!(
            open_bytes(&key, "parties", recording(1), &sealed).unwrap(),
            b"tel:+31"
        );
        assert!(open_bytes(&key, "other", recording(1), &sealed).is_err());
        assert!(open_bytes(&key, "parties", recording(2), &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 0x80;
            assert!(open_bytes(&key, "parties", recording(1), &changed).is_err());
            assert!(open_bytes(&key, "parties", recording(1), &sealed[..at]).is_err());
        }
    }

    #[test]
    fn printing_a_key_does_not_show_it() {
        let shown = format!(
            "{:?} {:?}",
            DataKey::from_random([0xaa; 32]),
            KeyEncryptionKey::new(3, [0xaa; 32])
        );
        assert_eq!(shown, "DataKey(secret) KeyEncryptionKey(epoch 3, secret)");
    }
}
