//! Sounds whose content is known, and how much of them is left.

#![expect(
    clippy::float_arithmetic,
    clippy::cast_possible_truncation,
    reason = "a tone is a sine; nothing of this is in the product"
)]

use super::*;

/// A tone of half the full scale; a sample of each channel after the other.
pub(super) fn sine(hz: u32, rate: u32, moments: u32, channels: usize) -> Vec<i16> {
    let sample = |moment: u32| {
        let turns = f64::from(hz) * f64::from(moment) / f64::from(rate);
        (16_000.0 * (turns * std::f64::consts::TAU).sin()).round() as i16
    };
    (0..moments)
        .flat_map(|moment| std::iter::repeat_n(sample(moment), channels))
        .collect()
}

/// How far what was heard is from what was sent, in decibels: more is nearer.
pub(super) fn snr_db(sent: &[i16], heard: &[i16]) -> f64 {
    assert_eq!(sent.len(), heard.len());
    let power =
        |samples: &mut dyn Iterator<Item = f64>| samples.map(|sample| sample * sample).sum::<f64>();
    let signal = power(&mut sent.iter().map(|sample| f64::from(*sample)));
    let both = sent.iter().zip(heard);
    let noise = power(&mut both.map(|(sent, heard)| f64::from(*sent) - f64::from(*heard)));
    10.0 * (signal / noise.max(1.0)).log10()
}

#[test]
fn streams_of_different_rates_stand_side_by_side_at_the_highest() {
    let stream = |number, rate, channels| StreamAudio {
        stream: StreamNumber(number),
        rate,
        channels,
        spans: Vec::new(),
    };
    let narrow = stream(1, 8_000, vec![vec![0, 100]]);
    let wide = stream(2, 16_000, vec![vec![1, 2, 3, 4], vec![5, 6, 7, 8]]);
    let silent = stream(3, 48_000, Vec::new());
    let streams = [narrow, wide, silent.clone()];
    let (rate, channels) = side_by_side(&streams).unwrap();
    assert_eq!(rate, 16_000);
    let channels: Vec<&[i16]> = channels.iter().map(AsRef::as_ref).collect();
    assert_eq!(channels, [[0, 50, 100, 100], [1, 2, 3, 4], [5, 6, 7, 8]]);
    assert_eq!(side_by_side(&[silent]), None);
}

#[test]
fn a_span_says_when_in_which_codec_and_what_is_the_matter() {
    let span = Span {
        start_us: 10_000_000,
        end_us: 12_000_000,
        codec: Codec::Opus,
        lack: Lack::Damaged,
    };
    assert_eq!(
        describe_span(&span, Language::En),
        "from 00:10 to 00:12, opus/48000/2: damaged packets, silence here"
    );
    assert!(describe_span(&span, Language::Nl).contains("beschadigde pakketten"));
}
