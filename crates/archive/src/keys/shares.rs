//! A secret in three shares, of which any two give it back and one alone tells nothing: Shamir's scheme (1979) over
//! GF(2^8) with the polynomial x^8 + x^4 + x^3 + x + 1, byte by byte.
//!
//! With a threshold of two the polynomial is a straight line: share(x) = secret + random · x. Why it is our own:
//! `design/decisions/0013-keys.md`.

use zeroize::Zeroizing;

/// Bytes of a secret.
pub(super) const SECRET_BYTES: usize = 32;

/// Multiplies in the field, in the same time for all values.
const fn times(a: u8, b: u8) -> u8 {
    let (mut a, mut product, mut bit) = (a, 0, 0);
    while bit < 8 {
        product ^= a & (((b >> bit) & 1).wrapping_neg());
        a = (a << 1) ^ (0x1b & (a >> 7).wrapping_neg());
        bit += 1;
    }
    product
}

/// 1 / a, as a^254. Of zero it is zero, which nobody asks.
const fn inverse(a: u8) -> u8 {
    let (mut result, mut step) = (1, 0);
    while step < 254 {
        result = times(result, a);
        step += 1;
    }
    result
}

/// The share at `x`, which is not 0. `random` is as long as the secret, and the same for all shares of it.
pub(super) fn share(secret: &[u8], random: &[u8], x: u8) -> Zeroizing<Vec<u8>> {
    let bytes = secret
        .iter()
        .zip(random)
        .map(|(secret, random)| secret ^ times(*random, x));
    Zeroizing::new(bytes.collect())
}

/// The secret that two shares, at different places, lie on one line with.
pub(super) fn combine(one: (u8, &[u8]), two: (u8, &[u8])) -> Zeroizing<Vec<u8>> {
    let ((x1, one), (x2, two)) = (one, two);
    let over = inverse(x1 ^ x2);
    let (weight1, weight2) = (times(x2, over), times(x1, over));
    let bytes = one
        .iter()
        .zip(two)
        .map(|(one, two)| times(*one, weight1) ^ times(*two, weight2));
    Zeroizing::new(bytes.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_those_of_the_published_example() {
        // draft-mcgrew-tss-03, section 9: the same field, two shares of a secret of five bytes.
        let secret = b"test\0";
        let (one, two) = (
            [0xB9, 0xFA, 0x07, 0xE1, 0x85],
            [0xF5, 0x40, 0x9B, 0x45, 0x11],
        );
        let random: Vec<u8> = secret.iter().zip(one).map(|(a, b)| a ^ b).collect();
        assert_eq!(*share(secret, &random, 2), two);
        assert_eq!(*combine((1, &one), (2, &two)), secret);
    }

    #[test]
    fn multiplication_is_that_of_the_field() {
        // FIPS 197, sections 4.2 and 4.2.1: the same field.
        assert_eq!(times(0x57, 0x83), 0xc1);
        assert_eq!(times(0x57, 0x13), 0xfe);
        for a in 1..=255 {
            assert_eq!(times(a, inverse(a)), 1);
        }
    }

    #[test]
    fn any_two_shares_of_three_give_the_secret_back_in_either_order() {
        let (secret, random) = ([0x5a, 0, 0xff, 7], [1, 0x80, 0xc3, 0]);
        let shares: Vec<_> = (1..=3).map(|x| (x, share(&secret, &random, x))).collect();
        for (x1, one) in &shares {
            for (x2, two) in &shares {
                if x1 != x2 {
                    assert_eq!(*combine((*x1, one), (*x2, two)), secret);
                }
            }
        }
    }

    #[test]
    fn one_share_tells_nothing_of_the_secret() {
        // For every byte that the secret may have, each value of a share comes of exactly one random byte.
        for x in 1..=3 {
            for secret in 0..=255 {
                let mut seen = [0_u32; 256];
                for random in 0..=255 {
                    seen[usize::from(share(&[secret], &[random], x)[0])] += 1;
                }
                assert_eq!(seen, [1; 256]);
            }
        }
    }
}
