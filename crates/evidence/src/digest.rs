//! SHA-256 in its three uses: a hash, a keyed hash, and keys drawn from a key.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256, Sha512};
use std::fmt;
use std::str::FromStr;

/// A SHA-256 value. In text: `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

/// The text is not a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a digest is `sha256:` and 64 lower-case hexadecimal digits")]
pub struct ParseDigestError;

impl Digest {
    /// Hashes bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha256(bytes))
    }

    /// The 64 digits alone, as `sha256sum` prints them.
    #[must_use]
    pub fn to_hex(self) -> String {
        hex(&self.0)
    }

    /// Reads the 64 digits alone.
    pub fn from_hex(text: &str) -> Result<Self, ParseDigestError> {
        unhex(text).map(Self).ok_or(ParseDigestError)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.to_hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Digest {
    type Err = ParseDigestError;
    fn from_str(text: &str) -> Result<Self, ParseDigestError> {
        Self::from_hex(text.strip_prefix("sha256:").ok_or(ParseDigestError)?)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// SHA-256 of bytes (FIPS 180-4).
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// SHA-512 of bytes: what a vCon names sound by.
pub(crate) fn sha512(bytes: &[u8]) -> [u8; 64] {
    Sha512::digest(bytes).into()
}

/// SHA-256 of the parts one after the other.
#[must_use]
pub fn sha256_of(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// HMAC-SHA-256 (RFC 2104) over the parts one after the other.
#[must_use]
pub fn hmac_sha256(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    #[expect(
        clippy::expect_used,
        reason = "HMAC takes keys of any length (RFC 2104 §2)"
    )]
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes any key");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// HKDF-SHA-256 (RFC 5869) with an empty salt: 32 bytes for the parts of `info`, one after the
/// other.
#[must_use]
pub fn hkdf_sha256(key: &[u8; 32], info: &[&[u8]]) -> [u8; 32] {
    let mut out = [0; 32];
    draw(None, key, info, &mut out);
    out
}

/// HKDF-SHA-256, as long as `out` is: at most 8,160 bytes.
fn draw(salt: Option<&[u8]>, key: &[u8], info: &[&[u8]], out: &mut [u8]) {
    #[expect(
        clippy::expect_used,
        reason = "HKDF-SHA-256 refuses only more than 8,160 bytes"
    )]
    Hkdf::<Sha256>::new(salt, key)
        .expand_multi_info(info, out)
        .expect("what is drawn here is within HKDF's bound");
}

/// Lower-case hexadecimal.
#[must_use]
pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String cannot fail.
            let _infallible = write!(text, "{byte:02x}");
            text
        })
}

/// Reads exactly `N` bytes of lower-case hexadecimal.
pub(crate) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    fn digit(byte: u8) -> Option<u8> {
        match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        }
    }
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut out = [0; N];
    for (byte, [high, low]) in out.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_published_one() {
        // FIPS 180-4 example "abc".
        let digest = Digest::of(b"abc");
        assert_eq!(
            digest.to_hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(digest.0, sha256_of(&[b"a", b"", b"bc"]));
        assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
    }

    /// A key of any length as one of 32 bytes: HMAC fills it up with zeros, or hashes one that is longer than a block
    /// of 64 (RFC 2104 §2).
    fn key_of(key: &[u8]) -> [u8; 32] {
        let mut all = [0; 32];
        match all.get_mut(..key.len()) {
            Some(start) => start.copy_from_slice(key),
            None => {
                assert!(key.len() > 64, "no form of 32 bytes");
                all = sha256(key);
            }
        }
        all
    }

    /// RFC 4231 §4, test cases 1 to 4, 6 and 7 (5 is of a shortened output, which nothing here has).
    #[test]
    fn the_published_codes_of_hmac_are_given() {
        let counted: Vec<u8> = (1..=25).collect();
        let cases: [(&[u8], &[u8], &str); 6] = [
            (
                &[0x0b; 20],
                b"Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &[0xaa; 20],
                &[0xdd; 50],
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
            ),
            (
                &counted,
                &[0xcd; 50],
                "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
            ),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
            (
                &[0xaa; 131],
                b"This is a test using a larger than block-size key and a larger than block-size data. \
                  The key needs to be hashed before being used by the HMAC algorithm.",
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
            ),
        ];
        for (key, text, code) in cases {
            let (start, rest) = text.split_at(text.len() / 2);
            assert_eq!(hex(&hmac_sha256(&key_of(key), &[start, rest])), code);
        }
    }

    /// RFC 5869 appendix A.1 to A.3: with a salt, with long inputs, with neither salt nor info.
    #[test]
    fn the_published_keys_of_hkdf_are_drawn() {
        let (salt, info): (Vec<u8>, Vec<u8>) = ((0..=0x0c).collect(), (0xf0..=0xf9).collect());
        let mut drawn = [0; 42];
        draw(Some(&salt), &[0x0b; 22], &[&info], &mut drawn);
        assert_eq!(
            hex(&drawn),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        );
        let key: Vec<u8> = (0..=0x4f).collect();
        let (salt, info): (Vec<u8>, Vec<u8>) = ((0x60..=0xaf).collect(), (0xb0..=0xff).collect());
        let mut drawn = [0; 82];
        draw(Some(&salt), &key, &[&info[..7], &info[7..]], &mut drawn);
        assert_eq!(
            hex(&drawn),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c\
             59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71\
             cc30c58179ec3e87c14c01d5c1f3434f1d87"
        );
        let mut drawn = [0; 42];
        draw(None, &[0x0b; 22], &[], &mut drawn);
        assert_eq!(
            hex(&drawn),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
        );
    }

    #[test]
    fn keys_are_drawn_with_a_blank_salt_and_the_parts_of_info_one_after_the_other() {
        // Computed from the definition: PRK = HMAC(zeros, key), T1 = HMAC(PRK, info ‖ 1).
        let key = [7; 32];
        let prk = hmac_sha256(&[0; 32], &[&key]);
        assert_eq!(
            hkdf_sha256(&key, &[b"in", b"fo"]),
            hmac_sha256(&prk, &[b"info", &[1]])
        );
    }

    #[test]
    fn a_digest_has_one_spelling() {
        let text = Digest([0xab; 32]).to_string();
        for wrong in [
            text.to_uppercase(),
            text.replace("sha256:", ""),
            format!("{text}0"),
        ] {
            assert_eq!(wrong.parse::<Digest>(), Err(ParseDigestError));
        }
    }
}
