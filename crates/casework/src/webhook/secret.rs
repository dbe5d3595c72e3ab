//! The secret that both sides have, and signatures with it (Standard Webhooks, symmetric).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use sha2::Sha256;
use std::fmt;
use zeroize::Zeroizing;

/// What a secret begins with.
const PREFIX: &str = "whsec_";
/// How many random bytes it has.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A secret. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        Self::parse(&text).map_err(D::Error::custom)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// That is no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is `whsec_` and then 24 to 64 random bytes in base64; `echo whsec_$(openssl rand -base64 32)` makes one"
)]
pub struct SecretError;

impl Secret {
    /// Reads `whsec_` and base64.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let encoded = text.trim().strip_prefix(PREFIX).ok_or(SecretError)?;
        let bytes = Zeroizing::new(STANDARD.decode(encoded).map_err(|_base64| SecretError)?);
        if BYTES.contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(SecretError)
        }
    }

    /// The value of `webhook-signature` for a message: over its id, the moment of the attempt in seconds
    /// since 1970, and its bytes.
    pub(super) fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        // HMAC takes a key of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            return String::new();
        };
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_long_enough_and_never_shown() {
        let text = format!("whsec_{}", STANDARD.encode([7; 32]));
        let secret = Secret::parse(&format!("{text}\n")).unwrap();
        assert_eq!(format!("{secret:?}"), "Secret");
        for wrong in ["", "whsec_", "whsec_AAAA", &text[6..], "whsec_%%%"] {
            assert_eq!(Secret::parse(wrong), Err(SecretError), "{wrong}");
        }
    }

    /// The example that the Standard Webhooks libraries test with.
    #[test]
    fn a_signature_is_the_one_that_others_make() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = secret.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
