//! A notice of one's own, made fit to be sent: A-law at 8 kHz, as the recorded conversation is.

use crate::g711::encode_a;
use crate::speech::SILENCE;
use std::sync::Arc;

/// Samples a second of what is sent.
const RATE: u64 = 8_000;
/// Samples of a packet of 20 ms: what follows the notice begins with a packet of its own.
const PACKET_SAMPLES: usize = 160;

/// Linear samples at any rate as A-law at 8 kHz, filled up with silence to whole packets. Samples that
/// fall together are averaged.
#[must_use]
pub fn notice_in_alaw(samples: &[i16], rate: u32) -> Arc<[u8]> {
    let rate = u64::from(rate.max(1));
    let count = samples.len() as u64 * RATE / rate;
    let place = |number: u64| usize::try_from(number * rate / RATE).unwrap_or(usize::MAX);
    let mut notice: Vec<u8> = (0..count)
        .map(|number| {
            let from = place(number);
            let until = place(number + 1).max(from + 1).min(samples.len());
            let these = samples.get(from..until).unwrap_or_default();
            let sum: i64 = these.iter().map(|sample| i64::from(*sample)).sum();
            let mean = sum / i64::try_from(these.len().max(1)).unwrap_or(1);
            encode_a(i16::try_from(mean).unwrap_or(0))
        })
        .collect();
    notice.resize(notice.len().next_multiple_of(PACKET_SAMPLES), SILENCE);
    notice.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::g711::decode_a;

    #[test]
    fn a_notice_of_any_rate_lasts_as_long_and_is_as_loud() {
        for rate in [8_000_u32, 16_000, 44_100, 48_000, 6_000] {
            let samples = vec![8_000_i16; usize::try_from(rate).unwrap() * 2];
            let notice = notice_in_alaw(&samples, rate);
            assert_eq!(notice.len(), 16_000, "{rate}");
            let wrong = notice
                .iter()
                .find(|byte| (decode_a(**byte) - 8_000).abs() > 300);
            assert_eq!(wrong, None, "{rate}");
        }
    }

    #[test]
    fn a_notice_is_filled_up_to_whole_packets_and_nothing_is_no_notice() {
        assert_eq!(notice_in_alaw(&[0; 161], 8_000).len(), 320);
        assert_eq!(notice_in_alaw(&[], 8_000).len(), 0);
        assert_eq!(notice_in_alaw(&[1], 0).len() % 160, 0);
    }
}
