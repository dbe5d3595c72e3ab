//! RSASSA-PKCS1-v1_5 (RFC 8017 §8.2.2). Only verified here, so nothing is secret and nothing need take the
//! same time.

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};

/// Smallest (RFC 7518 §3.3) and largest modulus, in bytes.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1_024;

/// A public key.
#[derive(Debug)]
pub(crate) struct RsaKey {
    modulus: Vec<u8>,
    exponent: u32,
}

impl RsaKey {
    /// From its numbers, big-endian; zeros in front of the modulus count for nothing. None where the key is
    /// too short, too long or none.
    pub(crate) fn new(modulus: &[u8], exponent: u64) -> Option<Self> {
        let modulus = modulus.strip_prefix(&[0]).unwrap_or(modulus);
        let exponent = u32::try_from(exponent).ok()?;
        let is_odd = modulus.last().is_some_and(|byte| byte % 2 == 1);
        let fits = MODULUS_BYTES.contains(&modulus.len()) && is_odd && exponent >= 3;
        (fits && exponent % 2 == 1).then(|| Self {
            modulus: modulus.to_vec(),
            exponent,
        })
    }

    /// Whether the signature is over that `DigestInfo` (RFC 8017 §9.2, step 2): the block that must be in
    /// it is made and compared, and nothing of the one that is in it is parsed.
    pub(crate) fn verifies(&self, digest_info: &[u8], signature: &[u8]) -> bool {
        let len = self.modulus.len();
        let padding = len.saturating_sub(digest_info.len() + 3);
        let block = [&[0, 1][..], &vec![0xff; padding], &[0], digest_info].concat();
        padding >= 8 && signature.len() == len && self.raised(signature).as_deref() == Some(&block)
    }

    fn raised(&self, signature: &[u8]) -> Option<Vec<u8>> {
        let bits = u32::try_from(self.modulus.len() * 8).ok()?;
        let number = |bytes: &[u8]| BoxedUint::from_be_slice(bytes, bits).ok();
        let modulus: Odd<BoxedUint> = Option::from(Odd::new(number(&self.modulus)?))?;
        let value = number(signature).filter(|value| value < modulus.as_ref())?;
        let params = BoxedMontyParams::new_vartime(modulus);
        let raised = BoxedMontyForm::new(value, &params).pow(&BoxedUint::from(self.exponent));
        Some(raised.retrieve().to_be_bytes().to_vec())
    }
}
