//! Opus (RFC 6716): every packet of 2.5 to 120 ms, mono and stereo, and what a packet repeats of
//! the one before it (§2.1.7).

use super::decode::{Decode, Undecodable};
use crate::timeline::opus_ticks;
use ropus::opus::decoder::{MAX_FRAMES, opus_packet_parse_impl};
use ropus::{Channels, DecodeMode, Decoder};
use std::panic::{AssertUnwindSafe, catch_unwind};

const RATE: u32 = 48_000;

/// Channels by the first byte of a packet (RFC 6716 §3.1).
pub(super) fn channels(payload: &[u8]) -> usize {
    match payload.first() {
        Some(first) if first & 4 != 0 => 2,
        _ => 1,
    }
}

/// A decoder of one stream.
pub(super) struct Opus {
    decoder: Decoder,
    channels: usize,
}

impl Opus {
    /// A decoder that puts out that many channels, whatever its packets hold.
    pub(super) fn new(channels: usize) -> Option<Self> {
        let decoder = Decoder::new(RATE, layout(channels)).ok()?;
        Some(Self { decoder, channels })
    }

    fn run(
        &mut self,
        payload: &[u8],
        moments: usize,
        mode: DecodeMode,
        out: &mut Vec<i16>,
    ) -> Result<(), Undecodable> {
        let start = out.len();
        out.resize(start + moments * self.channels, 0);
        let place = out.get_mut(start..).unwrap_or_default();
        let decoder = &mut self.decoder;
        // A packet is somebody else's bytes and the decoder somebody else's code: it must not be
        // able to end the rendering of a call.
        let decoded = catch_unwind(AssertUnwindSafe(|| decoder.decode(payload, place, mode)));
        if let Ok(Ok(decoded)) = decoded {
            out.truncate(start + decoded * self.channels);
            return Ok(());
        }
        out.truncate(start);
        if decoded.is_err() {
            self.decoder = Decoder::new(RATE, layout(self.channels)).map_err(|_| Undecodable)?;
        }
        Err(Undecodable)
    }
}

/// A decoder for packets that come from elsewhere than a call: out of a file.
pub struct OpusDecoder(Opus);

impl std::fmt::Debug for OpusDecoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OpusDecoder")
    }
}

impl OpusDecoder {
    /// One that puts out one channel or two, whatever its packets hold; none for any other number.
    #[must_use]
    pub fn new(channels: usize) -> Option<Self> {
        (1..=2).contains(&channels).then_some(())?;
        Opus::new(channels).map(Self)
    }

    /// Adds the sound of a packet at 48 kHz, those samples of a moment side by side. False where it is no packet: nothing
    /// is added.
    pub fn decode(&mut self, packet: &[u8], out: &mut Vec<i16>) -> bool {
        Decode::decode(&mut self.0, packet, out).is_ok()
    }

    /// How many samples of one channel a packet holds, by its first two bytes (RFC 6716 §3.1, §3.2).
    #[must_use]
    pub fn samples_in(packet: &[u8]) -> Option<u32> {
        opus_ticks(packet)
    }
}

const fn layout(channels: usize) -> Channels {
    match channels {
        2 => Channels::Stereo,
        _ => Channels::Mono,
    }
}

impl Decode for Opus {
    fn channels(&self) -> usize {
        self.channels
    }

    fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) -> Result<(), Undecodable> {
        let ticks = opus_ticks(payload).ok_or(Undecodable)?;
        let moments = usize::try_from(ticks).map_err(|_| Undecodable)?;
        self.run(payload, moments, DecodeMode::Normal, out)
    }

    fn recover(
        &mut self,
        payload: &[u8],
        moments: usize,
        out: &mut Vec<i16>,
    ) -> Result<(), Undecodable> {
        // Without a repeated frame the decoder would make sound up.
        if !repeats(payload) {
            return Err(Undecodable);
        }
        self.run(payload, moments, DecodeMode::Fec, out)
    }
}

/// Whether the frames of a packet are where its head says (RFC 6716 §3.2), so that a decoder makes sound of
/// them, whatever they hold.
pub(super) fn is_whole(payload: &[u8]) -> bool {
    let Ok(len @ 1..) = i32::try_from(payload.len()) else {
        return false;
    };
    let parsed = catch_unwind(|| {
        let (mut head, mut sizes, mut start) = (0, [0; MAX_FRAMES], 0);
        opus_packet_parse_impl(payload, len, false, &mut head, &mut sizes, &mut start, None)
    });
    opus_ticks(payload).is_some() && parsed.is_ok_and(|frames| frames > 0)
}

/// Whether a packet holds the frame before it once more.
pub(super) fn repeats(payload: &[u8]) -> bool {
    let Ok(len @ 2..) = i32::try_from(payload.len()) else {
        return false;
    };
    let asked = catch_unwind(|| ropus::opus::decoder::opus_packet_has_lbrr(payload, len));
    matches!(asked, Ok(Ok(true)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::tests::{sine, snr_db};
    use proptest::prelude::*;
    use ropus::{Application, Bitrate, Encoder, FrameDuration, InbandFec};

    /// Packets of a tone; `moments` is the length of one at 48 kHz.
    fn packets(
        tone: &[i16],
        moments: usize,
        channels: usize,
        length: FrameDuration,
    ) -> Vec<Vec<u8>> {
        let mut encoder = Encoder::builder(RATE, layout(channels), Application::Audio)
            .bitrate(Bitrate::try_bits(64_000).unwrap())
            .frame_duration(length)
            .build()
            .unwrap();
        let encode = |frame: &[i16]| {
            let mut bytes = [0; 4_000];
            let len = encoder.encode(frame, &mut bytes).unwrap();
            bytes[..len].to_vec()
        };
        tone.chunks_exact(moments * channels).map(encode).collect()
    }

    fn heard(packets: &[Vec<u8>], channels: usize) -> Vec<i16> {
        let mut decoder = Opus::new(channels).unwrap();
        let mut out = Vec::new();
        for packet in packets {
            let before = out.len();
            decoder.decode(packet, &mut out).unwrap();
            let ticks = opus_ticks(packet).unwrap() as usize;
            assert_eq!(out.len() - before, ticks * channels);
        }
        out
    }

    /// The best agreement of two sounds over the delays that the codec can have.
    fn agreement(sent: &[i16], heard: &[i16]) -> f64 {
        let body = 10_000..30_000;
        (0..700)
            .map(|delay| {
                snr_db(
                    &sent[body.clone()],
                    &heard[body.start + delay..body.end + delay],
                )
            })
            .fold(f64::MIN, f64::max)
    }

    #[test]
    fn packets_of_every_length_come_out_as_long_as_they_say_and_as_the_tone_they_were() {
        let tone = sine(1_000, RATE, 48_000, 1);
        for (moments, length) in [
            (120, FrameDuration::Ms2_5),
            (240, FrameDuration::Ms5),
            (480, FrameDuration::Ms10),
            (960, FrameDuration::Ms20),
            (1_920, FrameDuration::Ms40),
            (2_880, FrameDuration::Ms60),
            (3_840, FrameDuration::Ms80),
            (4_800, FrameDuration::Ms100),
            (5_760, FrameDuration::Ms120),
        ] {
            let packets = packets(&tone, moments, 1, length);
            assert_eq!(opus_ticks(&packets[0]), u32::try_from(moments).ok());
            let snr = agreement(&tone, &heard(&packets, 1));
            assert!(snr > 15.0, "{moments}: {snr} dB");
        }
    }

    #[test]
    fn stereo_keeps_its_sides_apart() {
        let tone = sine(1_000, RATE, 48_000, 1);
        let sides: Vec<i16> = tone.iter().flat_map(|sample| [*sample, 0]).collect();
        let packets = packets(&sides, 960, 2, FrameDuration::Ms20);
        assert_eq!(channels(&packets[9]), 2);
        let heard = heard(&packets, 2);
        let (left, right): (Vec<_>, Vec<_>) = heard
            .as_chunks::<2>()
            .0
            .iter()
            .map(|[l, r]| (*l, *r))
            .unzip();
        assert!(agreement(&tone, &left) > 15.0);
        let loudest = right[4_800..]
            .iter()
            .map(|sample| sample.unsigned_abs())
            .max()
            .unwrap();
        assert!(loudest < 1_000, "{loudest}");
    }

    #[test]
    fn a_lost_packet_is_recovered_from_the_next_where_that_repeats_it() {
        let tone = sine(400, RATE, 48_000, 1);
        let mut encoder = Encoder::builder(RATE, Channels::Mono, Application::Voip)
            .bitrate(Bitrate::try_bits(24_000).unwrap())
            .inband_fec(InbandFec::Enabled)
            .packet_loss_perc(30)
            .build()
            .unwrap();
        let mut bytes = [0; 4_000];
        let mut encode = |frame: &[i16]| {
            let len = encoder.encode(frame, &mut bytes).unwrap();
            bytes[..len].to_vec()
        };
        let packets: Vec<_> = tone.chunks_exact(960).map(&mut encode).collect();
        let lost = (20..40)
            .find(|n| repeats(&packets[n + 1]))
            .expect("one is repeated");
        let mut decoder = Opus::new(1).unwrap();
        let (mut whole, mut mended) = (heard(&packets, 1), Vec::new());
        for packet in &packets[..lost] {
            decoder.decode(packet, &mut mended).unwrap();
        }
        decoder
            .recover(&packets[lost + 1], 960, &mut mended)
            .unwrap();
        assert_eq!(mended.len(), (lost + 1) * 960);
        let span = lost * 960..(lost + 1) * 960;
        let snr = snr_db(&whole[span.clone()], &mended[span]);
        assert!(snr > 3.0, "{snr} dB");
        whole.clear();
        let plain = self::packets(&tone, 960, 1, FrameDuration::Ms20);
        assert_eq!(
            decoder.recover(&plain[9], 960, &mut whole),
            Err(Undecodable)
        );
        assert!(whole.is_empty(), "nothing is made up");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(payload in proptest::collection::vec(any::<u8>(), 0..300), stereo in any::<bool>()) {
            let channels = if stereo { 2 } else { 1 };
            let mut decoder = Opus::new(channels).unwrap();
            let mut out = Vec::new();
            for _ in 0..2 {
                let before = out.len();
                let decoded = decoder.decode(&payload, &mut out);
                prop_assert_eq!(decoded.is_ok(), is_whole(&payload), "it is told without decoding");
                match decoded {
                    Ok(()) => prop_assert_eq!(out.len() - before, opus_ticks(&payload).unwrap() as usize * channels),
                    Err(Undecodable) => prop_assert_eq!(out.len(), before),
                }
                let recovered = decoder.recover(&payload, 960, &mut out);
                prop_assert_eq!(recovered.is_ok(), repeats(&payload));
            }
        }
    }
}
