//! The sending side of one media stream: packets (RFC 3550 §5.1), what is in them, and the count
//! and the hash of what went out.

use crate::coder::Coder;
use crate::srtp::{MasterKey, Protector};
use crate::{random, rtcp, speech};
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;
use voicelog_model::{Codec, Format, Timestamp};

/// Bytes of the fixed RTP header.
pub(crate) const HEADER_BYTES: usize = 12;

/// What a stream carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// A-law samples; after the last one they begin again, or silence follows.
    Samples {
        /// One byte a sample, 8 kHz.
        samples: Cow<'static, [u8]>,
        /// Whether they begin again.
        looping: bool,
    },
    /// Bytes that follow from a seed, different in every packet of every stream, so that a
    /// packet stored in the wrong place is found out. Not audible speech.
    Seeded(u64),
}

impl Payload {
    /// Samples that are spoken once; silence follows.
    #[must_use]
    pub const fn once(samples: &'static [u8]) -> Self {
        Self::Samples {
            samples: Cow::Borrowed(samples),
            looping: false,
        }
    }

    /// Samples that begin again after the last one.
    #[must_use]
    pub const fn looping(samples: &'static [u8]) -> Self {
        Self::Samples {
            samples: Cow::Borrowed(samples),
            looping: true,
        }
    }

    /// Bytes of one round; `None` if there is no end to it.
    #[must_use]
    pub fn once_bytes(&self) -> Option<usize> {
        match self {
            Self::Samples {
                samples,
                looping: false,
            } => Some(samples.len()),
            _ => None,
        }
    }

    /// Fills `out` with what is said in packet `number` of the conversation, in A-law (or as
    /// seeded bytes): the same for the same number, whether or not other packets were sent.
    pub fn fill(&self, number: u64, out: &mut [u8]) {
        match self {
            Self::Samples { samples, looping } => fill_samples(samples, *looping, number, out),
            Self::Seeded(seed) => {
                let words = u64::try_from(out.len().div_ceil(8)).unwrap_or(u64::MAX);
                let first = number.wrapping_mul(words);
                for (word, place) in (first..).zip(out.chunks_mut(8)) {
                    let bytes = random::mix_at(*seed, word).to_le_bytes();
                    place.copy_from_slice(bytes.get(..place.len()).unwrap_or_default());
                }
            }
        }
    }
}

fn fill_samples(samples: &[u8], looping: bool, number: u64, out: &mut [u8]) {
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    let start = number.saturating_mul(out.len());
    let again = looping && !samples.is_empty();
    let mut at = match start.checked_rem(samples.len()) {
        Some(place) if again => place,
        _ => start,
    };
    let mut rest = out;
    while !rest.is_empty() {
        let run = samples.get(at..).unwrap_or_default();
        if run.is_empty() && !again {
            rest.fill(speech::SILENCE);
            return;
        }
        let length = run.len().min(rest.len());
        let (place, after) = std::mem::take(&mut rest).split_at_mut(length);
        place.copy_from_slice(run.get(..length).unwrap_or_default());
        rest = after;
        at = 0;
        if !again {
            at = samples.len();
        }
    }
}

/// What goes wrong on the way, on purpose, for tests. Packets are counted from 0, which is the
/// first one of the stream; a packet keeps its sequence number whatever happens to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Disturbance {
    /// Made, but never sent: a loss.
    pub drop: BTreeSet<u64>,
    /// Sent twice.
    pub duplicate: BTreeSet<u64>,
    /// Sent after the packet that follows it.
    pub swap_with_next: BTreeSet<u64>,
}

/// Counts and hash of one stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sent {
    /// Different packets put on the line (a duplicate counts once, a dropped one not at all).
    pub packets: u64,
    /// Datagrams put on the line, duplicates included.
    pub datagrams: u64,
    /// Payload bytes of the packets.
    pub payload_bytes: u64,
    /// Packets made and then dropped on purpose.
    pub dropped: u64,
    /// Sequence number of the first packet, if there was one.
    pub first_sequence: Option<u16>,
    /// Sequence number of the last packet.
    pub last_sequence: Option<u16>,
}

/// One stream being sent.
#[derive(Debug)]
pub(crate) struct Sender {
    payload: Payload,
    pub(crate) ssrc: u32,
    codec: Codec,
    payload_type: u8,
    coder: Coder,
    /// Of A-law.
    packet_bytes: usize,
    /// Sequence number of packet 0 and timestamp of the conversation's packet 0.
    first_sequence: u16,
    first_timestamp: u32,
    /// Packets made so far.
    made: u64,
    /// The next packet is the first after silence (marker bit, RFC 3551 §4.1).
    after_silence: bool,
    disturbance: Disturbance,
    held: Option<Vec<u8>>,
    protector: Option<Protector>,
    hash: Sha256,
    kept: Option<Vec<u8>>,
    pub(crate) sent: Sent,
}

/// How a stream is numbered; in tests chosen to make numbers wrap.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbering {
    pub(crate) ssrc: u32,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
}

impl Sender {
    pub(crate) fn new(payload: Payload, packet_ms: u32, numbering: Numbering) -> Self {
        let packet_bytes = packet_bytes(packet_ms);
        Self {
            payload,
            ssrc: numbering.ssrc,
            codec: Codec::Pcma,
            payload_type: 8,
            coder: Coder::Alaw,
            packet_bytes,
            first_sequence: numbering.sequence,
            first_timestamp: numbering.timestamp,
            made: 0,
            after_silence: true,
            disturbance: Disturbance::default(),
            held: None,
            protector: None,
            hash: Sha256::new(),
            kept: None,
            sent: Sent::default(),
        }
    }

    pub(crate) fn disturb(&mut self, disturbance: Disturbance) {
        self.disturbance = disturbance;
    }

    /// Protects everything from the first packet on.
    pub(crate) fn protect(&mut self, key: &MasterKey) {
        self.protector = Some(Protector::new(key));
    }

    /// Protects a packet of RTCP where that was agreed on.
    pub(crate) fn control(&mut self, packet: Vec<u8>) -> Vec<u8> {
        match &mut self.protector {
            Some(protector) => protector.control(&packet),
            None => packet,
        }
    }

    /// Keeps every byte of payload sent, for [`Self::finish`].
    pub(crate) fn keep_payload(&mut self) {
        self.kept = Some(Vec::new());
    }

    pub(crate) const fn codec(&self) -> &Codec {
        &self.codec
    }

    /// What the server picked.
    pub(crate) fn use_format(&mut self, format: &Format) {
        self.payload_type = format.payload_type;
        if self.codec != format.codec {
            self.codec = format.codec.clone();
            // Bytes that are no speech go out as they are: it is bytes that are compared.
            self.coder = match (&self.payload, &self.codec) {
                (Payload::Seeded(_), Codec::Pcmu) => Coder::Alaw,
                (_, codec) => Coder::of(codec),
            };
        }
    }

    /// Nothing is sent for a while; what was held back to be swapped goes out first.
    pub(crate) fn pause(&mut self, mut send: impl FnMut(&[u8])) {
        self.after_silence = true;
        if let Some(held) = self.held.take() {
            self.put(&held, &mut send);
        }
    }

    /// Makes packet `number` of the conversation and sends it, or what the disturbance makes of it.
    pub(crate) fn packet(&mut self, number: u64, mut send: impl FnMut(&[u8])) {
        let mut said = [0; MAX_PACKET_BYTES];
        let Some(said) = said.get_mut(..self.packet_bytes) else {
            return;
        };
        let ordinal = self.made;
        self.made += 1;
        let sequence = low_16(ordinal).wrapping_add(self.first_sequence);
        let header = self.header(number, sequence);
        self.after_silence = false;
        self.payload.fill(number, said);
        let mut payload = Vec::with_capacity(self.packet_bytes);
        self.coder.encode(said, &mut payload);
        if self.disturbance.drop.contains(&ordinal) {
            self.sent.dropped += 1;
            return;
        }
        self.account(sequence, &payload);
        let bytes = [&header[..], &payload].concat();
        let bytes = match &mut self.protector {
            Some(protector) => protector.media(&bytes),
            None => bytes,
        };
        if self.disturbance.swap_with_next.contains(&ordinal) && self.held.is_none() {
            self.held = Some(bytes);
            return;
        }
        self.put(&bytes, &mut send);
        if self.disturbance.duplicate.contains(&ordinal) {
            self.put(&bytes, &mut send);
        }
        if let Some(held) = self.held.take() {
            self.put(&held, &mut send);
        }
    }

    fn header(&self, number: u64, sequence: u16) -> [u8; HEADER_BYTES] {
        let timestamp = self.timestamp(number);
        let marker = if self.after_silence { 0x80 } else { 0 };
        let [s0, s1] = sequence.to_be_bytes();
        let [t0, t1, t2, t3] = timestamp.to_be_bytes();
        let [r0, r1, r2, r3] = self.ssrc.to_be_bytes();
        let kind = marker | self.payload_type;
        [0x80, kind, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3]
    }

    /// What RTCP says of this stream just after packet `number`, which went out so late.
    pub(crate) fn moment(&self, number: u64, late: Duration, wall: Timestamp) -> rtcp::Moment {
        rtcp::Moment {
            ssrc: self.ssrc,
            wall,
            media: self.timestamp(number).wrapping_add(self.ticks(late)),
            packets: self.sent.packets,
            payload_bytes: self.sent.payload_bytes,
        }
    }

    fn ticks(&self, of: Duration) -> u32 {
        let ticks = of.as_micros() * u128::from(self.codec.clock_rate()) / 1_000_000;
        u32::try_from(ticks).unwrap_or(0)
    }

    /// Brings a moment up to date that was made so long before.
    pub(crate) fn update(&self, moment: &mut rtcp::Moment, since: Duration) {
        let micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
        moment.wall = moment.wall.plus_micros(micros);
        moment.media = moment.media.wrapping_add(self.ticks(since));
        moment.packets = self.sent.packets;
        moment.payload_bytes = self.sent.payload_bytes;
    }

    /// The media clock at packet `number`; it runs on while nothing is sent (RFC 3550 §5.1).
    fn timestamp(&self, number: u64) -> u32 {
        let samples = u64::try_from(self.packet_bytes).unwrap_or(0);
        let ticks = samples * u64::from(self.codec.clock_rate()) / 8_000;
        low_32(number.wrapping_mul(ticks)).wrapping_add(self.first_timestamp)
    }

    fn account(&mut self, sequence: u16, payload: &[u8]) {
        self.hash.update(payload);
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(payload);
        }
        self.sent.packets += 1;
        self.sent.payload_bytes += u64::try_from(payload.len()).unwrap_or(0);
        self.sent.first_sequence.get_or_insert(sequence);
        self.sent.last_sequence = Some(sequence);
    }

    fn put(&mut self, bytes: &[u8], send: &mut impl FnMut(&[u8])) {
        self.sent.datagrams += 1;
        send(bytes);
    }

    /// SHA-256 of the payload of every packet sent, in the order of sequence numbers, each once;
    /// and those bytes, if they were kept.
    pub(crate) fn finish(self) -> (Sent, [u8; 32], Option<Vec<u8>>) {
        (self.sent, self.hash.finalize().into(), self.kept)
    }
}

/// Longest payload of one packet: 100 ms.
const MAX_PACKET_BYTES: usize = 800;

/// Payload bytes of a packet of G.711 that lasts so many milliseconds.
pub(crate) fn packet_bytes(packet_ms: u32) -> usize {
    let bytes = u64::from(packet_ms) * u64::from(Codec::Pcma.clock_rate()) / 1_000;
    usize::try_from(bytes).map_or(MAX_PACKET_BYTES, |bytes| bytes.min(MAX_PACKET_BYTES))
}

fn low_16(number: u64) -> u16 {
    u16::try_from(number & 0xffff).unwrap_or(0)
}

fn low_32(number: u64) -> u32 {
    u32::try_from(number & 0xffff_ffff).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use voicelog_model::rtp::RtpPacket;

    fn sender(payload: Payload) -> Sender {
        let numbering = Numbering {
            ssrc: 0xdead_beef,
            sequence: 65_534,
            timestamp: u32::MAX - 100,
        };
        Sender::new(payload, 20, numbering)
    }

    fn send(sender: &mut Sender, numbers: std::ops::Range<u64>) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        for number in numbers {
            sender.packet(number, |bytes| out.push(bytes.to_vec()));
        }
        out
    }

    fn sequences(packets: &[Vec<u8>]) -> Vec<u16> {
        let sequence = |bytes: &Vec<u8>| RtpPacket::parse(bytes).unwrap().sequence;
        packets.iter().map(sequence).collect()
    }

    #[test]
    fn numbers_wrap_and_the_clock_runs_on_over_a_pause() {
        let mut sender = sender(Payload::once(speech::AGENT));
        let mut packets = send(&mut sender, 0..3);
        sender.pause(|_| {});
        packets.extend(send(&mut sender, 10..11));
        assert_eq!(sequences(&packets), [65_534, 65_535, 0, 1]);
        let last = RtpPacket::parse(&packets[3]).unwrap();
        assert_eq!(last.timestamp, (u32::MAX - 100).wrapping_add(1_600));
        assert!(last.marker && last.payload_type == 8 && last.ssrc == 0xdead_beef);
        assert_eq!(last.payload, &speech::AGENT[1_600..1_760]);
        assert!(!RtpPacket::parse(&packets[1]).unwrap().marker);
    }

    #[test]
    fn the_hash_is_of_what_was_sent_in_order_each_once() {
        let mut sender = sender(Payload::Seeded(9));
        sender.keep_payload();
        sender.disturb(Disturbance {
            drop: [1].into(),
            duplicate: [2].into(),
            swap_with_next: [3].into(),
        });
        let packets = send(&mut sender, 0..6);
        assert_eq!(sequences(&packets), [65_534, 0, 0, 2, 1, 3]);
        let (sent, hash, kept) = sender.finish();
        let mut expected = Vec::new();
        for number in [0, 2, 3, 4, 5] {
            let mut payload = [0; 160];
            Payload::Seeded(9).fill(number, &mut payload);
            expected.extend_from_slice(&payload);
        }
        assert_eq!(<[u8; 32]>::from(Sha256::digest(&expected)), hash);
        assert_eq!(kept, Some(expected));
        assert_eq!((sent.packets, sent.datagrams, sent.dropped), (5, 6, 1));
        assert_eq!(sent.first_sequence, Some(65_534));
        assert_eq!(sent.last_sequence, Some(3));
    }

    #[test]
    fn a_packet_held_back_is_not_forgotten_at_a_pause() {
        let mut sender = sender(Payload::Seeded(1));
        sender.disturb(Disturbance {
            swap_with_next: [0].into(),
            ..Disturbance::default()
        });
        assert!(send(&mut sender, 0..1).is_empty());
        let mut out = Vec::new();
        sender.pause(|bytes| out.push(bytes.to_vec()));
        assert_eq!(sequences(&out), [65_534]);
    }

    #[test]
    fn after_the_last_sample_comes_silence_or_the_first() {
        let mut payload = [0; 4];
        Payload::once(&[1, 2, 3, 4, 5]).fill(1, &mut payload);
        assert_eq!(payload, [5, 0xd5, 0xd5, 0xd5]);
        Payload::looping(&[1, 2, 3, 4, 5]).fill(1, &mut payload);
        assert_eq!(payload, [5, 1, 2, 3]);
        Payload::looping(&[]).fill(1, &mut payload);
        assert_eq!(payload, [0xd5; 4]);
    }

    #[test]
    fn mu_law_is_sent_when_the_server_picks_it() {
        let mut sender = sender(Payload::once(&[0xd5; 160]));
        sender.use_format(&crate::Offered::G711.formats()[1]);
        let packets = send(&mut sender, 0..1);
        let packet = RtpPacket::parse(&packets[0]).unwrap();
        assert_eq!(packet.payload_type, 0);
        assert_eq!(packet.payload, [crate::g711::a_to_mu(0xd5); 160]);
    }

    proptest! {
        #[test]
        fn no_two_packets_of_two_streams_are_alike(a in any::<u64>(), b in any::<u64>(), n in 0..9_000_u64) {
            prop_assume!(a != b);
            let bytes = |seed: u64, number| {
                let mut payload = [0; 160];
                Payload::Seeded(seed).fill(number, &mut payload);
                payload
            };
            prop_assert_ne!(bytes(a, n), bytes(b, n));
            prop_assert_ne!(bytes(a, n), bytes(a, n + 1));
        }
    }
}
