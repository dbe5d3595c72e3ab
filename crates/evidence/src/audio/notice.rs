//! Looking for a spoken notice in the sound of a stream.
//!
//! "This conversation is recorded" is a duty that somebody has to be able to check. The recording
//! of the notice, as the telephone system plays it, is held against the stream frame by frame:
//! how loud it is in each band, fifty times a second. Level and tone of the line make no
//! difference, since each band is held against its own mean; another codec hardly does.
//!
//! The similarity is Pearson's correlation over all bands and frames: 1 for the same sound,
//! about 0 for another one. What is measured on speech stands in `design/recorder.md`.

#![expect(
    clippy::float_arithmetic,
    reason = "a similarity is a measurement that is told, and no part of any format or digest"
)]

use super::bands::{BANDS, Bank, FRAMES_PER_SECOND, Frame};
use std::collections::VecDeque;

/// The shortest notice, in seconds of sound: a shorter one could be found by chance.
pub const NOTICE_SECONDS_MIN: u64 = 1;
/// The longest notice, in seconds.
pub const NOTICE_SECONDS_MAX: u64 = 60;
/// From this similarity on the notice was heard.
pub const NOTICE_SIMILARITY_MIN: f64 = 0.8;

/// Loudness of a frame, all bands together, that is more than silence.
const SOUND_DECIBELS: f64 = 20.0;
/// How many frames without a better place make a place the best.
const SETTLED_FRAMES: u32 = 10;

/// A notice cannot be looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoticeError {
    /// Too few samples a second.
    #[error("the sound has {0} samples a second; at least 8,000 are needed")]
    Rate(u32),
    /// No sound, or nearly none.
    #[error("the sound lasts {0} ms without the silence around it; a notice takes 1 to 60 seconds")]
    Length(u64),
}

/// A notice, ready to be looked for.
#[derive(Debug, Clone)]
pub struct Notice {
    /// Without silence at both ends, each band less its mean.
    frames: Vec<Frame>,
    /// Frames of silence before the first.
    lead: u64,
    /// Root of the sum of all squares.
    norm: f64,
}

/// Where a notice was heard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heard {
    /// Start of the notice in microseconds from the first sample, with the silence it starts with.
    pub start_us: u64,
    /// End of its sound, likewise.
    pub end_us: u64,
    /// How like it is, [`NOTICE_SIMILARITY_MIN`] to 1.
    pub similarity: f64,
}

impl Heard {
    /// How like it is, in thousandths.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 1,000"
    )]
    pub fn similarity_permille(&self) -> u16 {
        (self.similarity.clamp(0.0, 1.0) * 1_000.0).round() as u16
    }
}

impl Notice {
    /// Takes the samples of one channel. Errors: silence, or a length that no notice has.
    pub fn new(samples: &[i16], rate: u32) -> Result<Self, NoticeError> {
        let mut all = Vec::new();
        Bank::new(rate)
            .ok_or(NoticeError::Rate(rate))?
            .push(samples, |frame| all.push(frame));
        let is_sound = |frame: &Frame| frame.iter().sum::<f64>() > SOUND_DECIBELS;
        let lead = all.iter().take_while(|frame| !is_sound(frame)).count();
        let end = all.iter().rposition(is_sound).map_or(lead, |last| last + 1);
        let mut frames = all.get(lead..end).unwrap_or_default().to_vec();
        let count = frames.len() as u64;
        if !(NOTICE_SECONDS_MIN * FRAMES_PER_SECOND..=NOTICE_SECONDS_MAX * FRAMES_PER_SECOND)
            .contains(&count)
        {
            return Err(NoticeError::Length(count * 1_000 / FRAMES_PER_SECOND));
        }
        let means = sums(frames.iter()).map(|sum| sum / as_f64(count));
        for frame in &mut frames {
            for (loudness, mean) in frame.iter_mut().zip(means) {
                *loudness -= mean;
            }
        }
        let squares: f64 = frames
            .iter()
            .flatten()
            .map(|loudness| loudness * loudness)
            .sum();
        Ok(Self {
            frames,
            lead: lead as u64,
            norm: squares.sqrt(),
        })
    }

    /// Length of its sound in microseconds.
    #[must_use]
    pub fn length_us(&self) -> u64 {
        micros(self.frames.len() as u64)
    }

    /// Its sound and the silence that it starts with, in microseconds: so far back lies its start
    /// when it is heard.
    #[must_use]
    pub fn reach_us(&self) -> u64 {
        micros(self.frames.len() as u64 + self.lead)
    }

    /// Pearson's correlation with as many frames of a stream.
    fn similarity(&self, heard: &VecDeque<Frame>) -> f64 {
        let count = as_f64(self.frames.len() as u64);
        let (mut product, mut squares) = (0.0, 0.0);
        for (own, other) in self.frames.iter().zip(heard) {
            for (own, other) in own.iter().zip(other) {
                // The notice has no mean, so that of the stream makes no difference here.
                product += own * other;
                squares += other * other;
            }
        }
        let means: f64 = sums(heard.iter()).iter().map(|sum| sum * sum / count).sum();
        let norm = self.norm * (squares - means).max(0.0).sqrt();
        if norm > 0.0 { product / norm } else { 0.0 }
    }
}

/// Listens to one stream for a notice.
#[derive(Debug, Clone)]
pub struct NoticeListener {
    bank: Bank,
    heard: VecDeque<Frame>,
    frames: u64,
    best: Option<(u64, f64)>,
    since_best: u32,
}

impl NoticeListener {
    /// For a stream of so many samples a second.
    pub fn new(rate: u32) -> Result<Self, NoticeError> {
        Ok(Self {
            bank: Bank::new(rate).ok_or(NoticeError::Rate(rate))?,
            heard: VecDeque::new(),
            frames: 0,
            best: None,
            since_best: 0,
        })
    }

    /// Takes the next samples. The place of the notice, once it has been heard whole and no
    /// better place came within a fifth of a second after it.
    pub fn push(&mut self, notice: &Notice, samples: &[i16]) -> Option<Heard> {
        let mut found = None;
        let Self {
            bank,
            heard,
            frames,
            best,
            since_best,
        } = self;
        bank.push(samples, |frame| {
            *frames += 1;
            heard.push_back(frame);
            if heard.len() > notice.frames.len() {
                heard.pop_front();
            }
            if heard.len() < notice.frames.len() || found.is_some() {
                return;
            }
            let similarity = notice.similarity(heard);
            let least = best.map_or(NOTICE_SIMILARITY_MIN, |(_, best)| best);
            if similarity >= least {
                (*best, *since_best) = (Some((*frames, similarity)), 0);
            } else if best.is_some() {
                *since_best += 1;
                if *since_best >= SETTLED_FRAMES {
                    found = best.take();
                }
            }
        });
        found.map(|(end, similarity)| notice.heard_at(end, similarity))
    }

    /// The stream is over: a place that was waiting for a better one is the best.
    pub fn finish(&mut self, notice: &Notice) -> Option<Heard> {
        let (end, similarity) = self.best.take()?;
        Some(notice.heard_at(end, similarity))
    }
}

impl Notice {
    fn heard_at(&self, end: u64, similarity: f64) -> Heard {
        let start = end.saturating_sub(self.frames.len() as u64);
        Heard {
            start_us: micros(start.saturating_sub(self.lead)),
            end_us: micros(end),
            similarity: similarity.min(1.0),
        }
    }
}

fn sums<'a>(frames: impl Iterator<Item = &'a Frame>) -> [f64; BANDS] {
    frames.fold([0.0; BANDS], |mut sums, frame| {
        for (sum, loudness) in sums.iter_mut().zip(frame) {
            *sum += loudness;
        }
        sums
    })
}

const fn micros(frames: u64) -> u64 {
    frames * 1_000_000 / FRAMES_PER_SECOND
}

#[expect(
    clippy::cast_precision_loss,
    reason = "at most some thousands of frames"
)]
const fn as_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::audio::{decode_alaw, decode_ulaw};
    use audio_codec::g722::{G722Decoder, G722Encoder};
    use audio_codec::{Decoder as _, Encoder as _};

    /// Something like speech: pulses of changing pitch through two resonances that move, with
    /// pauses.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts and samples of a made-up sound"
    )]
    pub(in crate::audio) fn babble(seed: u64, rate: u32, seconds: f64) -> Vec<i16> {
        let mut state = seed;
        let mut next = move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from(state >> 33).unwrap()) / f64::from(1_u32 << 31)
        };
        let rate = f64::from(rate);
        let total = (rate * seconds) as usize;
        let mut out = Vec::with_capacity(total);
        let mut before = [[0.0; 2]; 2];
        while out.len() < total {
            let period = (rate / (90.0 + 120.0 * next())) as usize;
            let loud = if next() < 0.2 { 0.0 } else { 4_000.0 * next() };
            let formants = [300.0 + 600.0 * next(), 900.0 + 1_600.0 * next()];
            for n in 0..(rate * (0.06 + 0.14 * next())) as usize {
                let pulse = if n % period == 0 { loud } else { 0.0 };
                let mut sum = 0.0;
                for (formant, [last, second]) in formants.into_iter().zip(&mut before) {
                    // A resonance that rings for some ten milliseconds at any rate.
                    let radius = (-std::f64::consts::PI * 100.0 / rate).exp();
                    let turn = std::f64::consts::TAU * formant / rate;
                    let value =
                        pulse + 2.0 * radius * turn.cos() * *last - radius * radius * *second;
                    (*second, *last) = (*last, value);
                    sum += value;
                }
                out.push(sum.clamp(-32_000.0, 32_000.0) as i16);
            }
        }
        out.truncate(total);
        out
    }

    fn listen(notice: &Notice, rate: u32, stream: &[i16]) -> Option<Heard> {
        let mut listener = NoticeListener::new(rate).unwrap();
        // In packets of 20 ms, as a stream comes.
        let found = stream
            .chunks(usize::try_from(rate / 50).unwrap())
            .find_map(|packet| listener.push(notice, packet));
        found.or_else(|| listener.finish(notice))
    }

    /// Other speech, the notice after 2.4 s, other speech.
    fn call(notice: &[i16], rate: u32) -> Vec<i16> {
        [&babble(7, rate, 2.4), notice, &babble(8, rate, 5.0)].concat()
    }

    fn is_at_2_4_seconds(heard: Heard) -> bool {
        heard.start_us.abs_diff(2_400_000) <= 40_000
    }

    #[test]
    fn a_notice_is_found_where_it_was_played() {
        let sound = babble(1, 8_000, 4.0);
        let notice = Notice::new(&sound, 8_000).unwrap();
        let heard = listen(&notice, 8_000, &call(&sound, 8_000)).unwrap();
        assert!(
            is_at_2_4_seconds(heard) && heard.similarity > 0.97,
            "{heard:?}"
        );
    }

    #[test]
    fn it_is_found_through_each_codec_at_other_rates_and_levels() {
        let wide = babble(1, 16_000, 4.0);
        let narrow: Vec<i16> = wide.iter().step_by(2).copied().collect();
        let notice = Notice::new(&narrow, 8_000).unwrap();
        let stream = call(&wide, 16_000);
        let through_g722 = G722Decoder::new().decode(&G722Encoder::new().encode(&stream));
        let heard = listen(&notice, 16_000, &through_g722).unwrap();
        assert!(is_at_2_4_seconds(heard), "{heard:?}");
        let quiet: Vec<i16> = call(&narrow, 8_000)
            .iter()
            .map(|sample| sample / 10)
            .collect();
        let heard = listen(&notice, 8_000, &quiet).unwrap();
        assert!(is_at_2_4_seconds(heard), "{heard:?}");
        // Both laws of G.711 by their own tables: the nearest value that they have.
        for law in [decode_alaw, decode_ulaw] {
            let values: Vec<i16> = (0..=255).map(law).collect();
            let nearest = |sample: &i16| {
                let apart = |value: &&i16| i32::from(**value).abs_diff(i32::from(*sample));
                *values.iter().min_by_key(apart).unwrap()
            };
            let coded: Vec<i16> = call(&narrow, 8_000).iter().map(nearest).collect();
            let heard = listen(&notice, 8_000, &coded).unwrap();
            assert!(is_at_2_4_seconds(heard), "{heard:?}");
        }
    }

    #[test]
    fn it_is_found_above_a_noise() {
        let sound = babble(1, 8_000, 4.0);
        let notice = Notice::new(&sound, 8_000).unwrap();
        let mut noise = 1_u32;
        let stream: Vec<i16> = call(&sound, 8_000)
            .iter()
            .map(|sample| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                sample.saturating_add(i16::try_from(noise >> 24).unwrap() - 128)
            })
            .collect();
        let heard = listen(&notice, 8_000, &stream).unwrap();
        assert!(is_at_2_4_seconds(heard), "{heard:?}");
    }

    #[test]
    fn other_speech_half_a_notice_and_silence_are_not_it() {
        let sound = babble(1, 8_000, 4.0);
        let notice = Notice::new(&sound, 8_000).unwrap();
        for seed in 10..20 {
            assert_eq!(listen(&notice, 8_000, &babble(seed, 8_000, 20.0)), None);
        }
        let half = &sound[..sound.len() / 2];
        assert_eq!(listen(&notice, 8_000, &call(half, 8_000)), None);
        assert_eq!(listen(&notice, 8_000, &vec![0; 80_000]), None);
        // A second, other notice of the same voice.
        let other = babble(2, 8_000, 4.0);
        assert_eq!(listen(&notice, 8_000, &call(&other, 8_000)), None);
    }

    #[test]
    fn silence_around_the_notice_makes_no_difference() {
        let sound = babble(1, 8_000, 4.0);
        let padded = [&[0; 8_000][..], &sound, &[0; 4_000]].concat();
        let notice = Notice::new(&padded, 8_000).unwrap();
        assert!(notice.length_us().abs_diff(4_000_000) < 200_000);
        let heard = listen(&notice, 8_000, &call(&sound, 8_000)).unwrap();
        assert!(heard.start_us.abs_diff(1_400_000) < 200_000, "{heard:?}");
    }

    #[test]
    fn what_is_no_notice_says_why() {
        let refused = |samples: &[i16], rate| Notice::new(samples, rate).unwrap_err();
        assert_eq!(refused(&[0; 16_000], 8_000), NoticeError::Length(0));
        assert_eq!(
            refused(&babble(1, 8_000, 61.0), 8_000),
            NoticeError::Length(61_000)
        );
        assert_eq!(refused(&[1], 4_000), NoticeError::Rate(4_000));
        assert!(matches!(
            refused(&babble(1, 8_000, 0.5), 8_000),
            NoticeError::Length(500)
        ));
    }
}
