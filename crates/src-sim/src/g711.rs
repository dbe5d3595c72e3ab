//! A-law to µ-law (ITU-T G.711 table 4), for a server that picks PCMU although PCMA comes first.

/// The µ-law byte for an A-law byte.
pub(crate) fn a_to_mu(byte: u8) -> u8 {
    encode_mu(decode_a(byte))
}

/// A-law byte to a 16-bit linear sample.
pub(crate) fn decode_a(byte: u8) -> i32 {
    // G.711 §3.3: even bits are inverted on the line.
    let bits = i32::from(byte ^ 0x55);
    let exponent = (bits >> 4) & 0x07;
    let mantissa = bits & 0x0f;
    let size = if exponent == 0 {
        (mantissa << 4) + 8
    } else {
        ((mantissa << 4) + 0x108) << (exponent - 1)
    };
    if bits & 0x80 == 0 { -size } else { size }
}

/// 16-bit linear sample to an A-law byte: the one whose sample is nearest.
pub(crate) fn encode_a(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x00 } else { 0x80 };
    let size = i32::from(sample).abs().min(0x7fff);
    let exponent = (1..8_i32)
        .rev()
        .find(|step| size >> (step + 7) != 0)
        .unwrap_or(0);
    let mantissa = (size >> (exponent.max(1) + 3)) & 0x0f;
    u8::try_from(((exponent << 4) | mantissa | sign) ^ 0x55).unwrap_or(0xd5)
}

/// 16-bit linear sample to a µ-law byte.
fn encode_mu(sample: i32) -> u8 {
    const BIAS: i32 = 0x84;
    let sign = if sample < 0 { 0x00 } else { 0x80 };
    let size = (sample.abs() + BIAS).min(0x7fff);
    let exponent = (0..8_i32)
        .rev()
        .find(|step| size >> (step + 7) != 0)
        .unwrap_or(0);
    let mantissa = (size >> (exponent + 3)) & 0x0f;
    // The low seven bits are sent inverted; the sign bit is 1 for positive.
    let code = (!((exponent << 4) | mantissa) & 0x7f) | sign;
    u8::try_from(code).unwrap_or(0xff)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode_mu(byte: u8) -> i32 {
        let bits = i32::from(!byte);
        let size = ((((bits & 0x0f) << 3) + 0x84) << ((bits >> 4) & 0x07)) - 0x84;
        if bits & 0x80 == 0 { size } else { -size }
    }

    #[test]
    fn known_points_of_the_two_laws_hold() {
        assert_eq!(decode_a(0xd5), 8);
        assert_eq!(decode_a(0x55), -8);
        assert_eq!(decode_a(0xaa), 32_256);
        assert_eq!(encode_mu(0), 0xff);
        assert_eq!(encode_mu(32_256), 0x80);
        assert_eq!(encode_mu(-32_256), 0x00);
    }

    #[test]
    fn every_a_law_byte_is_the_one_that_its_own_sample_becomes() {
        for byte in 0..=255_u8 {
            let sample = i16::try_from(decode_a(byte)).unwrap();
            assert_eq!(encode_a(sample), byte, "{sample}");
        }
    }

    #[test]
    fn every_sample_survives_the_change_of_law_within_one_step() {
        for byte in 0..=255_u8 {
            let before = decode_a(byte);
            let after = decode_mu(a_to_mu(byte));
            let step = (before.abs() / 16).max(16);
            assert!(
                (before - after).abs() <= step,
                "{byte:#x}: {before} became {after}"
            );
        }
    }
}
