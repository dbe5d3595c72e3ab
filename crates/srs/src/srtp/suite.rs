//! The crypto suites.

use std::fmt;

/// Longest master key with its salt, in bytes.
pub(super) const MASTER_BYTES_MAX: usize = 46;

macro_rules! suites {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $cipher:expr, $key:literal, $salt:literal, $tag:literal, $control_tag:literal;)*) => {
        /// How packets are encrypted and authenticated.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Suite {
            $($(#[$doc])* $name,)*
        }

        impl Suite {
            /// Every suite that we can.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name in `a=crypto`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Which cipher.
            pub(super) const fn cipher(self) -> CipherKind {
                match self { $(Self::$name => $cipher,)* }
            }

            /// Bytes of the master key, and of each session key that encrypts.
            #[must_use]
            pub const fn key_bytes(self) -> usize {
                match self { $(Self::$name => $key,)* }
            }

            /// Bytes of the salt.
            pub(super) const fn salt_bytes(self) -> usize {
                match self { $(Self::$name => $salt,)* }
            }

            /// Bytes of the tag behind a packet of media.
            pub(super) const fn tag_bytes(self) -> usize {
                match self { $(Self::$name => $tag,)* }
            }

            /// Bytes of the tag of a packet of RTCP.
            pub(super) const fn control_tag_bytes(self) -> usize {
                match self { $(Self::$name => $control_tag,)* }
            }
        }
    };
}

/// The ciphers behind the suites.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CipherKind {
    /// AES in counter mode, authenticated with HMAC-SHA1.
    CounterMode,
    /// AES-GCM, which authenticates by itself.
    Gcm,
}

suites! {
    /// AES-128 in counter mode with HMAC-SHA1, tag of 80 bits: the one that everybody has.
    AesCm128HmacSha1_80 = "AES_CM_128_HMAC_SHA1_80", CipherKind::CounterMode, 16, 14, 10, 10;
    /// The same with a tag of 32 bits for media; RTCP keeps 80 (RFC 4568 §6.2.2).
    AesCm128HmacSha1_32 = "AES_CM_128_HMAC_SHA1_32", CipherKind::CounterMode, 16, 14, 4, 10;
    /// AES-256 in counter mode (RFC 6188).
    AesCm256HmacSha1_80 = "AES_256_CM_HMAC_SHA1_80", CipherKind::CounterMode, 32, 14, 10, 10;
    /// The same with a tag of 32 bits for media.
    AesCm256HmacSha1_32 = "AES_256_CM_HMAC_SHA1_32", CipherKind::CounterMode, 32, 14, 4, 10;
    /// AES-128-GCM (RFC 7714).
    AeadAes128Gcm = "AEAD_AES_128_GCM", CipherKind::Gcm, 16, 12, 16, 16;
    /// AES-256-GCM (RFC 7714).
    AeadAes256Gcm = "AEAD_AES_256_GCM", CipherKind::Gcm, 32, 12, 16, 16;
}

impl Suite {
    /// The suite of that name; names are compared without regard to case.
    #[must_use]
    pub fn read(name: &str) -> Option<Self> {
        let mut suites = Self::ALL.iter().copied();
        suites.find(|suite| suite.as_str().eq_ignore_ascii_case(name))
    }

    /// Bytes of a master key with its salt, as `a=crypto` carries them.
    #[must_use]
    pub const fn master_bytes(self) -> usize {
        self.key_bytes() + self.salt_bytes()
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
