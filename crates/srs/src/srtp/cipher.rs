//! One packet whose index is known: whether it is authentic, and what is in it.
//!
//! Authenticity comes first, always: a packet that fails is left as it was, so that it can be tried
//! with another index or key.

use super::derive::{KeyLength, SessionKeys, Traffic, apply_counter_mode, by_key_length};
use super::key::MasterKey;
use super::suite::{CipherKind, Suite};
use aes::{Aes128, Aes256};
use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use zeroize::Zeroizing;

/// Bytes of RTCP that stay in the clear: the header and the sender (RFC 3711 §3.4).
pub(super) const CONTROL_HEADER_BYTES: usize = 8;
/// The bit that says that a packet of RTCP is encrypted.
const ENCRYPTED: u32 = 1 << 31;
/// Bytes of the word with that bit and the index.
const INDEX_BYTES: usize = 4;
/// Longest tag.
const TAG_BYTES_MAX: usize = 20;

/// Not made with this key and this index, or changed on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotAuthentic;

enum Kind {
    CounterMode128(Box<(Aes128, Hmac<Sha1>)>),
    CounterMode256(Box<(Aes256, Hmac<Sha1>)>),
    Gcm128(Box<Aes128Gcm>),
    Gcm256(Box<Aes256Gcm>),
}

/// The session keys of one direction, for media or for RTCP, made ready.
pub(super) struct Cipher {
    kind: Kind,
    salt: Zeroizing<[u8; 14]>,
    tag_bytes: usize,
}

/// A packet in its parts.
struct Parts<'a> {
    header: &'a [u8],
    payload: &'a mut [u8],
    /// Four bytes that are authenticated besides: of media the rollover counter, of RTCP the index.
    bound: [u8; 4],
    ssrc: u32,
    /// 48 bits of media (rollover counter and sequence number), 31 of RTCP.
    index: u64,
    is_control: bool,
}

impl Cipher {
    /// `None` never comes about: the lengths are those of the suite.
    pub(super) fn new(master: &MasterKey, traffic: Traffic) -> Option<Self> {
        let suite = master.suite();
        let keys = SessionKeys::derive(master, traffic);
        let tag_bytes = match traffic {
            Traffic::Media => suite.tag_bytes(),
            Traffic::Control => suite.control_tag_bytes(),
        };
        Some(Self {
            kind: Kind::new(suite, &keys)?,
            salt: keys.salt,
            tag_bytes,
        })
    }

    const fn is_gcm(&self) -> bool {
        matches!(self.kind, Kind::Gcm128(_) | Kind::Gcm256(_))
    }

    /// Takes the protection off a packet of RTP, of which the first `clear` bytes are not encrypted.
    /// Gives how many bytes are left.
    pub(super) fn open_media(
        &self,
        packet: &mut [u8],
        clear: usize,
        ssrc: u32,
        index: u64,
    ) -> Result<usize, NotAuthentic> {
        let length = packet
            .len()
            .checked_sub(self.tag_bytes)
            .ok_or(NotAuthentic)?;
        let (body, tag) = packet.split_at_mut_checked(length).ok_or(NotAuthentic)?;
        let (header, payload) = body.split_at_mut_checked(clear).ok_or(NotAuthentic)?;
        let parts = Parts {
            header,
            payload,
            bound: rollover(index),
            ssrc,
            index,
            is_control: false,
        };
        self.open(parts, tag)?;
        Ok(length)
    }

    /// Takes the protection off a packet of RTCP with this index, which stands in it.
    pub(super) fn open_control(
        &self,
        packet: &mut [u8],
        index: u32,
    ) -> Result<usize, NotAuthentic> {
        let behind = self.tag_bytes + INDEX_BYTES;
        let length = packet.len().checked_sub(behind).ok_or(NotAuthentic)?;
        let (body, end) = packet.split_at_mut_checked(length).ok_or(NotAuthentic)?;
        let (header, payload) = body
            .split_first_chunk_mut::<CONTROL_HEADER_BYTES>()
            .ok_or(NotAuthentic)?;
        // The index stands before the tag, with GCM behind it (RFC 7714 §9.2).
        let tag = if self.is_gcm() {
            end.get(..self.tag_bytes)
        } else {
            end.get(INDEX_BYTES..)
        };
        let parts = Parts {
            ssrc: sender(header),
            header,
            payload,
            bound: (ENCRYPTED | index).to_be_bytes(),
            index: u64::from(index),
            is_control: true,
        };
        self.open(parts, tag.ok_or(NotAuthentic)?)?;
        Ok(length)
    }

    /// The index in a packet of RTCP. `None` for one that is cut, or that is not encrypted:
    /// that was not agreed on.
    pub(super) fn control_index(&self, packet: &[u8]) -> Option<u32> {
        let behind = if self.is_gcm() { 0 } else { self.tag_bytes };
        let word = packet.get(..packet.len().checked_sub(behind)?)?;
        let (_, word) = word.split_last_chunk::<INDEX_BYTES>()?;
        let word = u32::from_be_bytes(*word);
        (word & ENCRYPTED != 0).then_some(word & !ENCRYPTED)
    }

    /// Protects a packet of RTCP. `None` if it is cut.
    pub(super) fn seal_control(&self, packet: &[u8], index: u32) -> Option<Vec<u8>> {
        let (header, payload) = packet.split_first_chunk::<CONTROL_HEADER_BYTES>()?;
        let word = (ENCRYPTED | index).to_be_bytes();
        let mut payload = payload.to_vec();
        let parts = Parts {
            header,
            payload: &mut payload,
            bound: word,
            ssrc: sender(header),
            index: u64::from(index),
            is_control: true,
        };
        let (tag, tag_bytes) = self.seal(parts)?;
        let tag = tag.get(..tag_bytes)?;
        Some(if self.is_gcm() {
            [header, &payload[..], tag, &word].concat()
        } else {
            [header, &payload[..], &word, tag].concat()
        })
    }

    /// Protects a packet of RTP.
    #[cfg(test)]
    pub(super) fn seal_media(&self, packet: &[u8], clear: usize, ssrc: u32, index: u64) -> Vec<u8> {
        let (header, payload) = packet.split_at(clear);
        let mut payload = payload.to_vec();
        let parts = Parts {
            header,
            payload: &mut payload,
            bound: rollover(index),
            ssrc,
            index,
            is_control: false,
        };
        let (tag, tag_bytes) = self.seal(parts).unwrap();
        [header, &payload, &tag[..tag_bytes]].concat()
    }

    fn open(&self, mut parts: Parts<'_>, tag: &[u8]) -> Result<(), NotAuthentic> {
        let block = counter_block(&self.salt, parts.ssrc, parts.index);
        match &self.kind {
            Kind::CounterMode128(keys) => {
                check(&keys.1, &parts, tag)?;
                apply_counter_mode(&keys.0, &block, parts.payload);
                Ok(())
            }
            Kind::CounterMode256(keys) => {
                check(&keys.1, &parts, tag)?;
                apply_counter_mode(&keys.0, &block, parts.payload);
                Ok(())
            }
            Kind::Gcm128(gcm) => self.open_gcm(&**gcm, &mut parts, tag),
            Kind::Gcm256(gcm) => self.open_gcm(&**gcm, &mut parts, tag),
        }
    }

    /// The tag, and how many bytes of it count.
    fn seal(&self, mut parts: Parts<'_>) -> Option<([u8; TAG_BYTES_MAX], usize)> {
        let block = counter_block(&self.salt, parts.ssrc, parts.index);
        let tag = match &self.kind {
            Kind::CounterMode128(keys) => {
                apply_counter_mode(&keys.0, &block, parts.payload);
                authenticate(&keys.1, &parts)
            }
            Kind::CounterMode256(keys) => {
                apply_counter_mode(&keys.0, &block, parts.payload);
                authenticate(&keys.1, &parts)
            }
            Kind::Gcm128(gcm) => self.seal_gcm(&**gcm, &mut parts)?,
            Kind::Gcm256(gcm) => self.seal_gcm(&**gcm, &mut parts)?,
        };
        Some((tag, self.tag_bytes))
    }

    fn open_gcm<G: AeadInOut>(
        &self,
        gcm: &G,
        parts: &mut Parts<'_>,
        tag: &[u8],
    ) -> Result<(), NotAuthentic> {
        let nonce = self.nonce(parts);
        let nonce = (&nonce[..]).try_into().map_err(|_| NotAuthentic)?;
        let tag = tag.try_into().map_err(|_| NotAuthentic)?;
        let (bound, bytes) = parts.associated();
        let associated = bound.get(..bytes).unwrap_or(parts.header);
        gcm.decrypt_inout_detached(nonce, associated, (&mut *parts.payload).into(), tag)
            .map_err(|_| NotAuthentic)
    }

    fn seal_gcm<G: AeadInOut>(
        &self,
        gcm: &G,
        parts: &mut Parts<'_>,
    ) -> Option<[u8; TAG_BYTES_MAX]> {
        let nonce = self.nonce(parts);
        let nonce = (&nonce[..]).try_into().ok()?;
        let (bound, bytes) = parts.associated();
        let associated = bound.get(..bytes).unwrap_or(parts.header);
        let tag = gcm
            .encrypt_inout_detached(nonce, associated, (&mut *parts.payload).into())
            .ok()?;
        let mut out = [0; TAG_BYTES_MAX];
        for (place, byte) in out.iter_mut().zip(&tag) {
            *place = *byte;
        }
        Some(out)
    }

    /// RFC 7714 §8.1 and §9.1.
    fn nonce(&self, parts: &Parts<'_>) -> [u8; 12] {
        let [s0, s1, s2, s3] = parts.ssrc.to_be_bytes();
        let [_, _, i0, i1, i2, i3, i4, i5] = parts.index.to_be_bytes();
        let mut nonce = [0, 0, s0, s1, s2, s3, i0, i1, i2, i3, i4, i5];
        for (place, salt) in nonce.iter_mut().zip(self.salt.iter()) {
            *place ^= *salt;
        }
        nonce
    }
}

impl Parts<'_> {
    /// Of RTCP, what GCM authenticates: the header and the index. Of media it is the header as it
    /// is, said by a length that does not fit.
    fn associated(&self) -> ([u8; CONTROL_HEADER_BYTES + 4], usize) {
        let mut all = [0; CONTROL_HEADER_BYTES + 4];
        if !self.is_control {
            return (all, usize::MAX);
        }
        for (place, byte) in all.iter_mut().zip(self.header.iter().chain(&self.bound)) {
            *place = *byte;
        }
        (all, CONTROL_HEADER_BYTES + 4)
    }
}

impl Kind {
    fn new(suite: Suite, keys: &SessionKeys) -> Option<Self> {
        let key = keys.encryption.get(..suite.key_bytes())?;
        let mac = || Hmac::<Sha1>::new_from_slice(&keys.authentication[..]).ok();
        Some(match (suite.cipher(), by_key_length(suite)) {
            (CipherKind::CounterMode, KeyLength::Aes128) => {
                Self::CounterMode128(Box::new((Aes128::new_from_slice(key).ok()?, mac()?)))
            }
            (CipherKind::CounterMode, KeyLength::Aes256) => {
                Self::CounterMode256(Box::new((Aes256::new_from_slice(key).ok()?, mac()?)))
            }
            (CipherKind::Gcm, KeyLength::Aes128) => {
                Self::Gcm128(Box::new(Aes128Gcm::new_from_slice(key).ok()?))
            }
            (CipherKind::Gcm, KeyLength::Aes256) => {
                Self::Gcm256(Box::new(Aes256Gcm::new_from_slice(key).ok()?))
            }
        })
    }
}

/// The first counter block of a packet (RFC 3711 §4.1.1).
fn counter_block(salt: &[u8; 14], ssrc: u32, index: u64) -> [u8; 16] {
    let [s0, s1, s2, s3] = ssrc.to_be_bytes();
    let [_, _, i0, i1, i2, i3, i4, i5] = index.to_be_bytes();
    let mut block = [0, 0, 0, 0, s0, s1, s2, s3, i0, i1, i2, i3, i4, i5, 0, 0];
    for (place, salt) in block.iter_mut().zip(salt) {
        *place ^= *salt;
    }
    block
}

/// What the tag covers besides the packet: the part of the index that the packet does not say.
fn rollover(index: u64) -> [u8; 4] {
    let [_, _, i0, i1, i2, i3, _, _] = index.to_be_bytes();
    [i0, i1, i2, i3]
}

fn mac_of(mac: &Hmac<Sha1>, parts: &Parts<'_>) -> Hmac<Sha1> {
    let mut mac = mac.clone();
    mac.update(parts.header);
    mac.update(parts.payload);
    mac.update(&parts.bound);
    mac
}

/// Compares in constant time.
fn check(mac: &Hmac<Sha1>, parts: &Parts<'_>, tag: &[u8]) -> Result<(), NotAuthentic> {
    let mac = mac_of(mac, parts);
    mac.verify_truncated_left(tag).map_err(|_| NotAuthentic)
}

fn authenticate(mac: &Hmac<Sha1>, parts: &Parts<'_>) -> [u8; TAG_BYTES_MAX] {
    mac_of(mac, parts).finalize().into_bytes().into()
}

/// Who sent a packet of RTCP.
pub(super) const fn sender(header: &[u8; CONTROL_HEADER_BYTES]) -> u32 {
    let [_, _, _, _, a, b, c, d] = *header;
    u32::from_be_bytes([a, b, c, d])
}
