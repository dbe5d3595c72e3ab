//! The sending side of SRTP (RFC 3711, RFC 6188, RFC 7714), with the key in the offer (RFC 4568).
//!
//! Written from the standards without a look at the server's: two programs that make the same
//! mistake would understand each other. The vectors of libsrtp are the judge of both.

use crate::random::Names;
use aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use aes::{Aes128, Aes256};
use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sha1::Sha1;

/// How a call is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SrtpSuite {
    /// `AES_CM_128_HMAC_SHA1_80`.
    AesCm128HmacSha1_80,
    /// `AES_CM_128_HMAC_SHA1_32`.
    AesCm128HmacSha1_32,
    /// `AES_256_CM_HMAC_SHA1_80`.
    AesCm256HmacSha1_80,
    /// `AES_256_CM_HMAC_SHA1_32`.
    AesCm256HmacSha1_32,
    /// `AEAD_AES_128_GCM`.
    AeadAes128Gcm,
    /// `AEAD_AES_256_GCM`.
    AeadAes256Gcm,
}

impl SrtpSuite {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::AesCm128HmacSha1_80,
        Self::AesCm128HmacSha1_32,
        Self::AesCm256HmacSha1_80,
        Self::AesCm256HmacSha1_32,
        Self::AeadAes128Gcm,
        Self::AeadAes256Gcm,
    ];

    /// Its name in SDP.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Self::AesCm128HmacSha1_32 => "AES_CM_128_HMAC_SHA1_32",
            Self::AesCm256HmacSha1_80 => "AES_256_CM_HMAC_SHA1_80",
            Self::AesCm256HmacSha1_32 => "AES_256_CM_HMAC_SHA1_32",
            Self::AeadAes128Gcm => "AEAD_AES_128_GCM",
            Self::AeadAes256Gcm => "AEAD_AES_256_GCM",
        }
    }

    const fn is_gcm(self) -> bool {
        matches!(self, Self::AeadAes128Gcm | Self::AeadAes256Gcm)
    }

    const fn key_bytes(self) -> usize {
        match self {
            Self::AesCm128HmacSha1_80 | Self::AesCm128HmacSha1_32 | Self::AeadAes128Gcm => 16,
            Self::AesCm256HmacSha1_80 | Self::AesCm256HmacSha1_32 | Self::AeadAes256Gcm => 32,
        }
    }

    const fn salt_bytes(self) -> usize {
        if self.is_gcm() { 12 } else { 14 }
    }

    /// Bytes of HMAC-SHA1 behind a packet of media; RTCP has 10 of them always.
    const fn tag_bytes(self) -> usize {
        match self {
            Self::AesCm128HmacSha1_32 | Self::AesCm256HmacSha1_32 => 4,
            _ => 10,
        }
    }
}

/// A master key and its salt.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct MasterKey {
    suite: SrtpSuite,
    bytes: Vec<u8>,
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MasterKey({})", self.suite.as_str())
    }
}

impl MasterKey {
    /// A key of a test call. It keeps nothing secret that is not public: what is said in these
    /// calls comes with the program.
    pub(crate) fn draw(suite: SrtpSuite, names: &mut Names) -> Self {
        let length = suite.key_bytes() + suite.salt_bytes();
        let words = std::iter::repeat_with(|| names.next().to_be_bytes());
        let bytes = words.take(length.div_ceil(8)).flatten().take(length);
        Self {
            suite,
            bytes: bytes.collect(),
        }
    }

    /// The value of `a=crypto`.
    pub(crate) fn attribute(&self) -> String {
        let suite = self.suite.as_str();
        format!("1 {suite} inline:{}", STANDARD.encode(&self.bytes))
    }

    pub(crate) const fn suite(&self) -> SrtpSuite {
        self.suite
    }

    /// RFC 3711 §4.3.1: the keystream under the master key, from the salt with the label in it.
    fn derive(&self, label: u8, length: usize) -> Vec<u8> {
        let (key, salt) = self.bytes.split_at(self.suite.key_bytes());
        let mut block = [0; 16];
        for (place, byte) in block.iter_mut().zip(salt) {
            *place = *byte;
        }
        let mut block = u128::from_be_bytes(block) ^ (u128::from(label) << 64);
        let aes = Aes::new(key);
        let mut out = Vec::new();
        while out.len() < length {
            out.extend_from_slice(&aes.block(block));
            block = block.wrapping_add(1);
        }
        out.truncate(length);
        out
    }
}

/// AES with either key.
enum Aes {
    Short(Box<Aes128>),
    Long(Box<Aes256>),
}

impl Aes {
    /// A key of 32 bytes makes AES-256, any other one AES-128.
    fn new(key: &[u8]) -> Self {
        match (key.first_chunk::<32>(), key.first_chunk::<16>()) {
            (Some(key), _) => Self::Long(Box::new(Aes256::new(key.into()))),
            (None, Some(key)) => Self::Short(Box::new(Aes128::new(key.into()))),
            (None, None) => Self::Short(Box::new(Aes128::new(&[0; 16].into()))),
        }
    }

    fn block(&self, block: u128) -> [u8; 16] {
        let mut bytes = block.to_be_bytes().into();
        match self {
            Self::Short(aes) => aes.encrypt_block(&mut bytes),
            Self::Long(aes) => aes.encrypt_block(&mut bytes),
        }
        bytes.into()
    }

    fn apply(&self, mut block: u128, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(16) {
            for (byte, mask) in chunk.iter_mut().zip(self.block(block)) {
                *byte ^= mask;
            }
            block = block.wrapping_add(1);
        }
    }
}

/// The session keys of media or of RTCP.
enum Lock {
    CounterMode { aes: Aes, mac: Option<Hmac<Sha1>> },
    Gcm128(Box<Aes128Gcm>),
    Gcm256(Box<Aes256Gcm>),
}

struct Keys {
    lock: Lock,
    /// As the upper bytes of a number of 16.
    salt: u128,
}

impl Keys {
    /// `first`: 0 for media, 3 for RTCP.
    fn new(master: &MasterKey, first: u8) -> Self {
        let suite = master.suite;
        let key = master.derive(first, suite.key_bytes());
        let mut salt = [0; 16];
        for (place, byte) in salt
            .iter_mut()
            .zip(master.derive(first + 2, suite.salt_bytes()))
        {
            *place = byte;
        }
        let lock = match (suite.is_gcm(), Aes256Gcm::new_from_slice(&key)) {
            (true, Ok(gcm)) => Lock::Gcm256(Box::new(gcm)),
            (true, Err(_)) => {
                let key = key.first_chunk::<16>().copied().unwrap_or_default();
                Lock::Gcm128(Box::new(Aes128Gcm::new(&key.into())))
            }
            (false, _) => Lock::CounterMode {
                aes: Aes::new(&key),
                mac: Hmac::new_from_slice(&master.derive(first + 1, 20)).ok(),
            },
        };
        Self {
            lock,
            salt: u128::from_be_bytes(salt),
        }
    }

    /// Encrypts in place and gives the whole tag. `index` has 48 bits; `bound` is authenticated
    /// behind the packet with HMAC, and `associated` instead of the header with GCM.
    fn seal(
        &self,
        (header, associated): (&[u8], &[u8]),
        payload: &mut [u8],
        bound: [u8; 4],
        ssrc: u32,
        index: u64,
    ) -> Vec<u8> {
        match &self.lock {
            Lock::CounterMode { aes, mac } => {
                let block = self.salt ^ (u128::from(ssrc) << 64) ^ (u128::from(index) << 16);
                aes.apply(block, payload);
                let Some(mut mac) = mac.clone() else {
                    return Vec::new();
                };
                for part in [header, payload, &bound[..]] {
                    mac.update(part);
                }
                mac.finalize().into_bytes().to_vec()
            }
            Lock::Gcm128(gcm) => self.seal_gcm(&**gcm, associated, payload, ssrc, index),
            Lock::Gcm256(gcm) => self.seal_gcm(&**gcm, associated, payload, ssrc, index),
        }
    }

    fn seal_gcm<G: AeadInOut>(
        &self,
        gcm: &G,
        associated: &[u8],
        payload: &mut [u8],
        ssrc: u32,
        index: u64,
    ) -> Vec<u8> {
        // Two zero bytes, the source, the index: twelve bytes, the upper ones of sixteen.
        let nonce = self.salt ^ (u128::from(ssrc) << 80) ^ (u128::from(index) << 32);
        let nonce = nonce.to_be_bytes();
        let Some(Ok(nonce)) = nonce.get(..12).map(TryInto::try_into) else {
            return Vec::new();
        };
        gcm.encrypt_inout_detached(nonce, associated, payload.into())
            .map_or_else(|_| Vec::new(), |tag| tag.to_vec())
    }
}

/// Protects what one stream sends.
pub(crate) struct Protector {
    suite: SrtpSuite,
    media: Keys,
    control: Keys,
    rollovers: u32,
    last_sequence: Option<u16>,
    next_control: u32,
}

impl std::fmt::Debug for Protector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Protector({})", self.suite.as_str())
    }
}

impl Protector {
    pub(crate) fn new(master: &MasterKey) -> Self {
        Self {
            suite: master.suite,
            media: Keys::new(master, 0),
            control: Keys::new(master, 3),
            rollovers: 0,
            last_sequence: None,
            next_control: 1,
        }
    }

    /// Protects a packet with a header of 12 bytes. They come in the order of their numbers.
    pub(crate) fn media(&mut self, packet: &[u8]) -> Vec<u8> {
        let Some((header, payload)) = packet.split_first_chunk::<12>() else {
            return Vec::new();
        };
        let [_, _, s0, s1, _, _, _, _, r0, r1, r2, r3] = *header;
        let sequence = u16::from_be_bytes([s0, s1]);
        if self
            .last_sequence
            .replace(sequence)
            .is_some_and(|last| sequence < last)
        {
            self.rollovers = self.rollovers.wrapping_add(1);
        }
        let index = (u64::from(self.rollovers) << 16) | u64::from(sequence);
        let ssrc = u32::from_be_bytes([r0, r1, r2, r3]);
        let mut payload = payload.to_vec();
        let bound = self.rollovers.to_be_bytes();
        let mut tag = self
            .media
            .seal((header, header), &mut payload, bound, ssrc, index);
        if !self.suite.is_gcm() {
            tag.truncate(self.suite.tag_bytes());
        }
        [&header[..], &payload, &tag].concat()
    }

    /// Protects a compound packet of RTCP.
    pub(crate) fn control(&mut self, packet: &[u8]) -> Vec<u8> {
        let Some((header, payload)) = packet.split_first_chunk::<8>() else {
            return Vec::new();
        };
        let index = self.next_control;
        self.next_control = index.wrapping_add(1) & 0x7fff_ffff;
        let word = (0x8000_0000 | index).to_be_bytes();
        let [_, _, _, _, r0, r1, r2, r3] = *header;
        let ssrc = u32::from_be_bytes([r0, r1, r2, r3]);
        let associated = [&header[..], &word].concat();
        let mut payload = payload.to_vec();
        let parts = (&header[..], &associated[..]);
        let mut tag = self
            .control
            .seal(parts, &mut payload, word, ssrc, index.into());
        if self.suite.is_gcm() {
            return [&header[..], &payload, &tag, &word].concat();
        }
        tag.truncate(10);
        [&header[..], &payload, &word, &tag].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        let byte =
            |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.chunks(2).map(byte).collect()
    }

    #[test]
    fn packets_are_those_that_libsrtp_makes() {
        // From the tests of libsrtp 2: suite, key and salt, a packet, a packet of RTCP.
        let vectors = [
            (
                SrtpSuite::AesCm128HmacSha1_80,
                "e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6",
                "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb",
                "81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798",
            ),
            (
                SrtpSuite::AesCm256HmacSha1_80,
                "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6\
                 3b04803de51ee7c96423ab5b78d2",
                "800f1234decafbadcafebabef1d9de17ff251ff1aa007774b0b4b40da08d9d9a5b3a55d8873b",
                "",
            ),
            (
                SrtpSuite::AeadAes128Gcm,
                "000102030405060708090a0b0c0d0e0fa0a1a2a3a4a5a6a7a8a9aaab",
                "800f1234decafbadcafebabec5002ede04cfdd2eb91159e0880aa06e\
                 d2976826f796b201df3131a127e8a392",
                "81c8000bcafebabec98b8b5df0392a55852b6c21ac8e7025\
                 c52c6fbea2b3b446ea31123ba88ce61e80000001",
            ),
        ];
        for (suite, key, media, control) in vectors {
            let bytes = hex(key);
            let mut protector = Protector::new(&MasterKey { suite, bytes });
            let plain = |header: &str| [hex(header), vec![0xab; 16]].concat();
            let sealed = protector.media(&plain("800f1234decafbadcafebabe"));
            assert_eq!(sealed, hex(media), "{suite:?}");
            let sealed = protector.control(&plain("81c8000bcafebabe"));
            if !control.is_empty() {
                assert_eq!(sealed, hex(control), "{suite:?}");
            }
        }
    }

    #[test]
    fn a_tag_of_32_bits_is_the_start_of_one_of_80() {
        let bytes = vec![7; 30];
        let packet = [&[0x80, 8, 0, 1][..], &[0; 8], &[1; 20]].concat();
        let [long, short] = [
            SrtpSuite::AesCm128HmacSha1_80,
            SrtpSuite::AesCm128HmacSha1_32,
        ]
        .map(|suite| {
            let bytes = bytes.clone();
            Protector::new(&MasterKey { suite, bytes }).media(&packet)
        });
        assert_eq!(long[..packet.len() + 4], short);
    }
}
