//! Looking for a notice in the packets of a stream as they come, while the call goes on.
//!
//! The sound is decoded as it is for playing, and what was lost is silence of the same length, so
//! that the notice is found at the packet with which it began.

use super::decode::{Decode, decoder, shape};
use super::notice::{Notice, NoticeListener};
use crate::timeline::known_formats;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use voicelog_model::rtp::RtpPacket;
use voicelog_model::{Format, MediaStream, Timestamp};

/// The longest gap between two packets that is filled with silence, in seconds. Behind a longer
/// one the listener begins anew: nobody plays half a notice, waits, and plays the rest.
const GAP_SECONDS_MAX: u64 = 10;
/// Formats of one stream that are told apart.
const FORMATS_MAX: usize = 64;

/// A notice that was heard, by the arrival of packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Arrival of the packet with which it begins.
    pub start: Timestamp,
    /// Arrival of the packet with which it ends.
    pub end: Timestamp,
    /// How like it is, in thousandths: 800 to 1,000.
    pub similarity_permille: u16,
}

/// Listens to the packets of one stream for a notice.
pub struct StreamListener {
    formats: Vec<Format>,
    decoders: BTreeMap<usize, Box<dyn Decode>>,
    ear: Option<Ear>,
    samples: Vec<i16>,
}

impl fmt::Debug for StreamListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamListener({} formats)", self.formats.len())
    }
}

/// A stretch of sound without a break at one sample rate.
struct Ear {
    rate: u32,
    listener: NoticeListener,
    /// Samples so far.
    heard: u64,
    ssrc: u32,
    /// RTP timestamp of the packet that comes next.
    next: u32,
    /// Where in the sound which packet begins, and when it arrived; as far back as a notice goes.
    packets: VecDeque<(u64, Timestamp)>,
}

impl StreamListener {
    /// For a stream as it was announced.
    #[must_use]
    pub fn new(stream: &MediaStream) -> Self {
        Self {
            formats: known_formats(stream),
            decoders: BTreeMap::new(),
            ear: None,
            samples: Vec::new(),
        }
    }

    /// The stream is announced again: what it may hold besides from now on.
    pub fn announce(&mut self, stream: &MediaStream) {
        for format in stream.formats() {
            let known = current(&self.formats, format.payload_type);
            let is_current = known.is_some_and(|(_, known)| *known == format);
            if !is_current && self.formats.len() < FORMATS_MAX {
                self.formats.push(format);
            }
        }
    }

    /// Takes the next RTP packet, in the order of arrival. The notice, once it was heard whole.
    ///
    /// What cannot be decoded is silence. A packet that comes after a later one is left out: its
    /// place is silence already.
    pub fn push(&mut self, notice: &Notice, arrived: Timestamp, packet: &[u8]) -> Option<Found> {
        let packet = RtpPacket::parse(packet).ok()?;
        let (place, format) = current(&self.formats, packet.payload_type)?;
        let shape = shape(format, packet.payload)?;
        let clock = format.codec.clock_rate();
        let decoder = match self.decoders.entry(place) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => free.insert(decoder(format, shape.channels)?),
        };
        self.samples.clear();
        decoder.decode(packet.payload, &mut self.samples).ok()?;
        mix(&mut self.samples, decoder.channels());
        let ticks = scaled(self.samples.len() as u64, clock, shape.rate);
        let gap = match &self.ear {
            Some(ear) if ear.rate == shape.rate && ear.ssrc == packet.ssrc => {
                match packet.timestamp.wrapping_sub(ear.next) {
                    gap if u64::from(gap) <= GAP_SECONDS_MAX * u64::from(clock) => {
                        Some(scaled(gap.into(), shape.rate, clock))
                    }
                    // Behind what was heard already.
                    gap if gap > u32::MAX / 2 => return None,
                    _ => None,
                }
            }
            // Another source of the same sound goes on where the first one ended.
            Some(ear) if ear.rate == shape.rate => Some(0),
            _ => None,
        };
        let (ear, gap) = match (&mut self.ear, gap) {
            (Some(ear), Some(gap)) => (ear, gap),
            (ear, _) => (ear.insert(Ear::new(shape.rate, arrived)?), 0),
        };
        ear.ssrc = packet.ssrc;
        ear.next = packet
            .timestamp
            .wrapping_add(u32::try_from(ticks).unwrap_or(u32::MAX));
        let silence = vec![0; usize::try_from(gap).unwrap_or(0)];
        let before = ear.push(notice, &silence);
        ear.packets.push_back((ear.heard, arrived));
        before.or_else(|| ear.push(notice, &self.samples))
    }
}

impl Ear {
    fn new(rate: u32, arrived: Timestamp) -> Option<Self> {
        Some(Self {
            rate,
            listener: NoticeListener::new(rate).ok()?,
            heard: 0,
            ssrc: 0,
            next: 0,
            packets: VecDeque::from([(0, arrived)]),
        })
    }

    fn push(&mut self, notice: &Notice, samples: &[i16]) -> Option<Found> {
        self.heard += samples.len() as u64;
        let found = self.listener.push(notice, samples);
        // A second more than a notice reaches back.
        let reach = scaled(notice.reach_us() + 1_000_000, self.rate, 1_000_000);
        let oldest = self.heard.saturating_sub(reach);
        while self.packets.get(1).is_some_and(|(at, _)| *at <= oldest) {
            self.packets.pop_front();
        }
        let found = found?;
        Some(Found {
            start: self.packet_at(found.start_us)?,
            end: self.packet_at(found.end_us)?,
            similarity_permille: found.similarity_permille(),
        })
    }

    /// Arrival of the packet that holds that moment of the sound.
    fn packet_at(&self, micros: u64) -> Option<Timestamp> {
        let sample = scaled(micros, self.rate, 1_000_000);
        let mut packets = self.packets.iter().rev();
        let packet = packets.find(|(at, _)| *at <= sample);
        packet.or(self.packets.front()).map(|(_, arrived)| *arrived)
    }
}

/// The format that a payload type stands for now, and its place.
fn current(formats: &[Format], payload_type: u8) -> Option<(usize, &Format)> {
    let mut formats = formats.iter().enumerate().rev();
    formats.find(|(_, format)| format.payload_type == payload_type)
}

/// The mean of all channels, in place of the samples side by side.
fn mix(samples: &mut Vec<i16>, channels: usize) {
    if channels < 2 {
        return;
    }
    let count = i64::try_from(channels).unwrap_or(i64::MAX);
    let mean = |moment: &[i16]| {
        let sum: i64 = moment.iter().map(|sample| i64::from(*sample)).sum();
        i16::try_from(sum / count).unwrap_or(0)
    };
    *samples = samples.chunks_exact(channels).map(mean).collect();
}

fn scaled(count: u64, to: u32, from: u32) -> u64 {
    let scaled = u128::from(count) * u128::from(to) / u128::from(from.max(1));
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::decode_alaw;
    use crate::audio::notice::tests::babble;
    use audio_codec::Encoder as _;
    use audio_codec::g722::G722Encoder;
    use voicelog_model::{Codec, StreamNumber};

    fn stream(codec: Codec, payload_type: u8) -> MediaStream {
        MediaStream {
            number: StreamNumber(1),
            label: None,
            codec,
            payload_type,
            parameters: None,
            also: vec![],
            party: None,
        }
    }

    fn alaw(samples: &[i16]) -> Vec<u8> {
        let apart = |byte: u8, sample: i16| i32::from(decode_alaw(byte)).abs_diff(sample.into());
        let nearest = |sample: &i16| (0..=255).min_by_key(|byte| apart(*byte, *sample)).unwrap();
        samples.iter().map(nearest).collect()
    }

    /// Packets of 20 ms, 160 bytes and 160 ticks each; packet n arrives at n times 20 ms.
    fn packets(payload_type: u8, first: u32, bytes: &[u8]) -> Vec<(Timestamp, Vec<u8>)> {
        let packet = |(number, payload): (u32, &[u8])| {
            let mut packet = vec![0x80, payload_type];
            packet.extend(u16::try_from(number).unwrap().to_be_bytes());
            packet.extend(first.wrapping_add(number * 160).to_be_bytes());
            packet.extend([7; 4]);
            packet.extend(payload);
            (Timestamp::from_micros(i64::from(number) * 20_000), packet)
        };
        (0..).zip(bytes.chunks_exact(160)).map(packet).collect()
    }

    fn listen(
        stream: &MediaStream,
        notice: &Notice,
        packets: &[(Timestamp, Vec<u8>)],
    ) -> Option<Found> {
        let mut listener = StreamListener::new(stream);
        let mut packets = packets.iter();
        packets.find_map(|(arrived, packet)| listener.push(notice, *arrived, packet))
    }

    fn is_at_2_4_seconds(found: Found) -> bool {
        (found.start.micros() - 2_400_000).abs() <= 40_000
            && (found.end.micros() - 6_400_000).abs() <= 60_000
    }

    #[test]
    fn a_notice_is_found_at_the_packet_with_which_it_began_also_where_the_clock_wraps() {
        let sound = babble(1, 8_000, 4.0);
        let notice = Notice::new(&sound, 8_000).unwrap();
        let call = [&babble(7, 8_000, 2.4), &sound[..], &babble(8, 8_000, 2.0)].concat();
        for first in [0, u32::MAX - 20_000] {
            let packets = packets(8, first, &alaw(&call));
            let found = listen(&stream(Codec::Pcma, 8), &notice, &packets).unwrap();
            assert!(is_at_2_4_seconds(found), "{found:?}");
            assert!(found.similarity_permille > 950, "{found:?}");
        }
    }

    #[test]
    fn what_was_lost_before_it_does_not_move_it_and_what_comes_late_or_twice_does_not_either() {
        let sound = babble(1, 8_000, 4.0);
        let notice = Notice::new(&sound, 8_000).unwrap();
        let call = [&babble(7, 8_000, 2.4), &sound[..], &babble(8, 8_000, 2.0)].concat();
        let mut packets = packets(8, 0, &alaw(&call));
        packets.swap(200, 201);
        let again = packets[180].clone();
        packets.insert(183, again);
        packets.drain(20..60);
        let found = listen(&stream(Codec::Pcma, 8), &notice, &packets).unwrap();
        assert!(is_at_2_4_seconds(found), "{found:?}");
    }

    #[test]
    fn it_is_found_in_a_codec_with_another_rate_than_the_clock() {
        let wide = babble(1, 16_000, 4.0);
        let notice = Notice::new(&wide, 16_000).unwrap();
        let call = [&babble(7, 16_000, 2.4), &wide[..], &babble(8, 16_000, 2.0)].concat();
        let packets = packets(9, 0, &G722Encoder::new().encode(&call));
        let found = listen(&stream(Codec::G722, 9), &notice, &packets).unwrap();
        assert!(is_at_2_4_seconds(found), "{found:?}");
    }

    #[test]
    fn packets_of_no_known_format_broken_ones_and_hours_of_nothing_are_no_notice() {
        let sound = babble(1, 8_000, 2.0);
        let notice = Notice::new(&sound, 8_000).unwrap();
        let unknown = packets(77, 0, &alaw(&sound));
        assert_eq!(listen(&stream(Codec::Pcma, 8), &notice, &unknown), None);
        let undecodable = packets(18, 0, &alaw(&sound));
        assert_eq!(
            listen(&stream(Codec::G729, 18), &notice, &undecodable),
            None
        );
        let mut listener = StreamListener::new(&stream(Codec::Pcma, 8));
        for (number, (arrived, mut packet)) in (0..).zip(packets(8, 0, &alaw(&sound))) {
            // Every packet an hour behind the one before: none of it adjoins.
            packet[4..8].copy_from_slice(&(number * 28_800_000_u32).to_be_bytes());
            assert_eq!(listener.push(&notice, arrived, &packet), None);
            assert_eq!(listener.push(&notice, arrived, &packet[..5]), None);
        }
        assert_eq!(listener.ear.unwrap().heard, 160);
    }

    #[test]
    fn both_sides_of_a_stereo_stream_are_heard_as_one() {
        let mut samples = vec![100, 300, -5, -7, i16::MAX, i16::MAX];
        mix(&mut samples, 2);
        assert_eq!(samples, [200, -6, i16::MAX]);
    }
}
