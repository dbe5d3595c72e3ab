//! G.711: from A-law and µ-law bytes to 16-bit samples (ITU-T G.711, tables 1a to 2b).

/// The sample of an A-law byte: 13 bits, in the upper bits of 16.
#[must_use]
pub const fn decode_alaw(byte: u8) -> i16 {
    // Even bits are sent inverted (G.711 §3.1).
    let code = byte ^ 0x55;
    let exponent = (code >> 4) & 0x07;
    let mantissa = (code & 0x0f) as i16;
    let step = (mantissa << 4) + 8;
    let magnitude = match exponent {
        0 => step,
        _ => (step + 0x100) << (exponent - 1),
    };
    // The sign bit set means positive.
    if code & 0x80 != 0 {
        magnitude
    } else {
        -magnitude
    }
}

/// The sample of a µ-law byte: 14 bits, in the upper bits of 16.
#[must_use]
pub const fn decode_ulaw(byte: u8) -> i16 {
    // All bits are sent inverted (G.711 §3.2).
    let code = !byte;
    let exponent = (code >> 4) & 0x07;
    let mantissa = (code & 0x0f) as i16;
    let magnitude = (((mantissa << 3) + 0x84) << exponent) - 0x84;
    if code & 0x80 != 0 {
        -magnitude
    } else {
        magnitude
    }
}

/// All samples of A-law: a copy of a long call has a hundred million of them.
pub(super) static ALAW: [i16; 256] = table(true);
/// All samples of µ-law.
pub(super) static ULAW: [i16; 256] = table(false);

const fn table(is_alaw: bool) -> [i16; 256] {
    let mut samples = [0; 256];
    let mut rest: &mut [i16] = &mut samples;
    let mut byte = 0;
    while let Some((sample, after)) = rest.split_first_mut() {
        *sample = if is_alaw {
            decode_alaw(byte)
        } else {
            decode_ulaw(byte)
        };
        byte = byte.wrapping_add(1);
        rest = after;
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_are_those_of_the_recommendation() {
        // G.711 table 1a: the decision value numbers of the outermost and innermost steps,
        // scaled from 13 to 16 bits.
        assert_eq!(decode_alaw(0b1101_0101), 8);
        assert_eq!(decode_alaw(0b0101_0101), -8);
        assert_eq!(decode_alaw(0b1010_1010), 32_256);
        assert_eq!(decode_alaw(0b0010_1010), -32_256);
        // G.711 table 2a, scaled from 14 to 16 bits.
        assert_eq!(decode_ulaw(0xff), 0);
        assert_eq!(decode_ulaw(0x7f), 0);
        assert_eq!(decode_ulaw(0x80), 32_124);
        assert_eq!(decode_ulaw(0x00), -32_124);
    }

    #[test]
    fn louder_codes_are_louder_and_signs_mirror() {
        for code in 0..127_u8 {
            let (quieter, louder) = ((code | 0x80) ^ 0x55, ((code + 1) | 0x80) ^ 0x55);
            assert!(decode_alaw(quieter) < decode_alaw(louder));
            assert_eq!(decode_alaw(quieter), -decode_alaw(quieter ^ 0x80));
            assert!(decode_ulaw(0xff - code) < decode_ulaw(0xff - code - 1));
            assert_eq!(decode_ulaw(code), -decode_ulaw(code | 0x80));
        }
    }
}
