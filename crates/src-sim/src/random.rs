//! Random names for tags, branches and sources: one draw from the system, then arithmetic.

use crate::error::SimError;
use base64::Engine as _;

/// A source of names that nobody else uses. Not for secrets.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    state: u64,
}

impl Names {
    /// Draws a seed from the system.
    #[expect(
        clippy::disallowed_methods,
        reason = "tags and SSRCs must differ from run to run (RFC 3261 §19.3, RFC 3550 §8); no secret is made"
    )]
    pub(crate) fn from_system() -> Result<Self, SimError> {
        let mut seed = [0; 8];
        getrandom::fill(&mut seed).map_err(|source| SimError::NoRandom { source })?;
        Ok(Self::from_seed(u64::from_le_bytes(seed)))
    }

    /// The same names for the same seed.
    pub(crate) const fn from_seed(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits.
    pub(crate) const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        mix(self.state)
    }

    /// A token of 16 hexadecimal digits.
    pub(crate) fn token(&mut self) -> String {
        format!("{:016x}", self.next())
    }

    /// An id for rs-metadata: base64 of a random UUID (RFC 7865 §5).
    pub(crate) fn metadata_id(&mut self) -> String {
        base64::engine::general_purpose::STANDARD.encode(self.uuid().to_be_bytes())
    }

    /// The same as a name (RFC 9562 §4).
    pub(crate) fn urn(&mut self) -> String {
        let bits = self.uuid();
        format!(
            "urn:uuid:{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            bits >> 96,
            bits >> 80 & 0xffff,
            bits >> 64 & 0xffff,
            bits >> 48 & 0xffff,
            bits & 0xffff_ffff_ffff
        )
    }

    /// A random UUID (RFC 9562 §5.4).
    const fn uuid(&mut self) -> u128 {
        let bits = ((self.next() as u128) << 64) | (self.next() as u128);
        let version = (bits & !(0xf << 76)) | (4 << 76);
        (version & !(0b11 << 62)) | (0b10 << 62)
    }
}

/// 2^64 divided by the golden ratio: the step of SplitMix64 (Steele, Lea, Flood, 2014).
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The output function of SplitMix64: every input gives another output, and they look random.
pub(crate) const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// The output of step `number` of a SplitMix64 that began at `seed`.
pub(crate) const fn mix_at(seed: u64, number: u64) -> u64 {
    mix(seed.wrapping_add(number.wrapping_add(1).wrapping_mul(GOLDEN)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_splitmix64() {
        // First outputs for seed 1234567, as published with the reference implementation.
        let mut names = Names::from_seed(1_234_567);
        assert_eq!(names.next(), 6_457_827_717_110_365_317);
        assert_eq!(names.next(), 3_203_168_211_198_807_973);
        assert_eq!(mix_at(1_234_567, 1), 3_203_168_211_198_807_973);
    }

    #[test]
    fn a_metadata_id_is_a_random_uuid_in_base64() {
        let id = Names::from_seed(7).metadata_id();
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(&id)
            .unwrap();
        assert_eq!(bytes.len(), 16);
        assert_eq!(bytes[6] >> 4, 4);
        assert_eq!(bytes[8] >> 6, 0b10);
    }
}
