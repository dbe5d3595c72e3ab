//! What a sound is like, fifty times a second: how loud it is in each of a few bands.
//!
//! A bank of band-pass filters and not a Fourier transform: it takes any sample rate as it comes,
//! one sample after the other, and keeps no window.

#![expect(
    clippy::float_arithmetic,
    reason = "a similarity is a measurement that is told, and no part of any format or digest"
)]

/// Bands between 300 and 2,800 Hz: what every telephone carries.
pub(super) const BANDS: usize = 14;
/// Frames a second.
pub(super) const FRAMES_PER_SECOND: u64 = 50;

const LOWEST_HERTZ: f64 = 300.0;
const HIGHEST_HERTZ: f64 = 2_800.0;
/// Centre of a band divided by its width: neighbours overlap a little.
const SHARPNESS: f64 = 4.0;
/// Power that counts as silence: that of a noise of about ten of 32,768 steps. Below it nothing is
/// told apart, since codecs and lines differ there and speech does not.
const FLOOR: f64 = 100.0;

/// Loudness of one fiftieth of a second in each band, in decibels above the floor.
pub(super) type Frame = [f64; BANDS];

/// Turns samples into frames.
#[derive(Debug, Clone)]
pub(super) struct Bank {
    filters: [BandPass; BANDS],
    rate: u64,
    /// Samples and frames so far.
    samples: u64,
    frames: u64,
    /// Samples in the frame that is being filled.
    filling: u32,
}

impl Bank {
    /// For so many samples a second; `None` below 8,000, where the highest band is not.
    pub(super) fn new(rate: u32) -> Option<Self> {
        let step = (HIGHEST_HERTZ / LOWEST_HERTZ).powf(1.0 / 13.0);
        let mut centre = LOWEST_HERTZ / step;
        let filters = [(); BANDS].map(|()| {
            centre *= step;
            BandPass::new(centre / f64::from(rate))
        });
        (rate >= 8_000).then_some(Self {
            filters,
            rate: rate.into(),
            samples: 0,
            frames: 0,
            filling: 0,
        })
    }

    /// Takes samples and puts out the frames that they complete.
    pub(super) fn push(&mut self, samples: &[i16], mut each: impl FnMut(Frame)) {
        for sample in samples {
            for filter in &mut self.filters {
                filter.push(f64::from(*sample));
            }
            self.samples += 1;
            self.filling += 1;
            if self.samples * FRAMES_PER_SECOND >= (self.frames + 1) * self.rate {
                self.frames += 1;
                let count = f64::from(std::mem::take(&mut self.filling));
                each(self.filters.each_mut().map(|filter| filter.loudness(count)));
            }
        }
    }
}

/// A band-pass filter of second order (two poles, two zeros; bilinear transform with the centre
/// where it belongs), and the power that went through it.
#[derive(Debug, Clone)]
struct BandPass {
    gain: f64,
    back: [f64; 2],
    inputs: [f64; 2],
    outputs: [f64; 2],
    power: f64,
}

impl BandPass {
    /// `centre` in turns a sample.
    fn new(centre: f64) -> Self {
        let turn = std::f64::consts::TAU * centre;
        let width = turn.sin() / (2.0 * SHARPNESS);
        Self {
            gain: width / (1.0 + width),
            back: [
                -2.0 * turn.cos() / (1.0 + width),
                (1.0 - width) / (1.0 + width),
            ],
            inputs: [0.0; 2],
            outputs: [0.0; 2],
            power: 0.0,
        }
    }

    fn push(&mut self, input: f64) {
        let [_, input_2] = self.inputs;
        let [output_1, output_2] = self.outputs;
        let [back_1, back_2] = self.back;
        let output = self.gain * (input - input_2) - back_1 * output_1 - back_2 * output_2;
        let [input_1, _] = self.inputs;
        self.inputs = [input, input_1];
        self.outputs = [output, output_1];
        self.power += output * output;
    }

    fn loudness(&mut self, samples: f64) -> f64 {
        let power = std::mem::take(&mut self.power) / samples.max(1.0);
        10.0 * (power / FLOOR + 1.0).log10()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::tests::sine;

    fn frames(rate: u32, samples: &[i16]) -> Vec<Frame> {
        let mut frames = Vec::new();
        Bank::new(rate)
            .unwrap()
            .push(samples, |frame| frames.push(frame));
        frames
    }

    #[test]
    fn a_tone_is_loudest_in_its_own_band_at_every_rate() {
        for rate in [8_000, 11_025, 16_000, 44_100, 48_000] {
            let tone = sine(712, rate, rate, 1);
            let frames = frames(rate, &tone);
            assert_eq!(frames.len(), 50, "{rate}");
            let frame = frames[40];
            let loudest = (0..BANDS).max_by(|a, b| frame[*a].total_cmp(&frame[*b]));
            assert_eq!(loudest, Some(5), "{rate}: {frame:?}");
            assert!(frame[5] > frame[0] + 15.0 && frame[5] > frame[12] + 15.0);
        }
        assert!(Bank::new(7_999).is_none());
    }

    #[test]
    fn silence_is_nothing_in_every_band() {
        for frame in frames(8_000, &[0; 800]) {
            assert!(frame.iter().all(|loudness| *loudness == 0.0));
        }
    }
}
