//! Which moments of the call a packet holds sound of.

use crate::journal::{JournalEvent, PacketKind, Record};
use crate::timeline::{Assembly, Interval, IntervalKind, Placed, Timeline, known_formats};
use crate::tree::LeafNumbers;
use std::collections::BTreeMap;
use voicelog_model::rtp::RtpPacket;
use voicelog_model::{Codec, Format, StreamNumber, Timestamp};

/// How long a packet without a place may last: more than any of telephony does.
const UNPLACED_LASTS_US: i64 = 200_000;
/// How long before its arrival a packet may have been spoken that nothing else tells about.
const UNPLACED_DELAY_US: i64 = 2_000_000;
/// How far from its arrival a packet's timestamp is believed.
const TIMESTAMP_BELIEVED_US: u64 = 10_000_000;
/// How far back a packet of an unknown codec may repeat what was said (RFC 2198 has 14 bits of time).
const UNKNOWN_REPEATS_US: i64 = 2_048_000;

/// A packet of a stream.
#[derive(Debug)]
pub(super) struct Held<'a> {
    pub(super) index: u64,
    pub(super) record: &'a Record,
    /// Number of its leaf.
    pub(super) leaf: u64,
    /// When it arrived, in microseconds from the start of the call.
    pub(super) arrived_us: i64,
    /// Where it stands in the sound, if it does.
    pub(super) place: Option<Place>,
    /// The time that it holds sound of, in microseconds from the start of the call.
    pub(super) start_us: i64,
    pub(super) end_us: i64,
    /// How long before that it may repeat what was said.
    pub(super) repeats_us: i64,
    /// Its time is more than its arrival.
    is_timed: bool,
}

/// Where a packet stands in the sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) interval: usize,
    pub(super) tick: u64,
    pub(super) format: usize,
    pub(super) ticks: u32,
}

/// One stream: its packets in the order of the journal, and in which order they are heard.
#[derive(Debug, Default)]
pub(super) struct Strand<'a> {
    pub(super) packets: Vec<Held<'a>>,
    /// Places among the packets, those that are heard, in the order of the sound.
    pub(super) heard: Vec<usize>,
}

/// Looks through a whole journal.
pub(super) fn survey<'a>(
    records: &'a [Record],
    timeline: &Timeline,
) -> BTreeMap<StreamNumber, Strand<'a>> {
    let mut strands = gather(records, timeline.call_started);
    let mut order: BTreeMap<StreamNumber, Vec<Placed<usize>>> = BTreeMap::new();
    let mut sink = |placed: Placed<usize>| order.entry(placed.stream).or_default().push(placed);
    let mut assembly = Assembly::default();
    let mut counts: BTreeMap<StreamNumber, usize> = BTreeMap::new();
    for record in records {
        let tag = match record {
            Record::Packet { stream, .. } => {
                let count = counts.entry(*stream).or_default();
                *count += 1;
                *count - 1
            }
            Record::Event { .. } => usize::MAX,
        };
        assembly.push(record.as_view(), tag, &mut sink);
    }
    let _same_timeline = assembly.finish(&mut sink);
    for stream in &timeline.streams {
        let number = stream.stream.number;
        let strand = strands.entry(number).or_default();
        let formats = known_formats(&stream.stream);
        let order = order.remove(&number).unwrap_or_default();
        strand.place(&order, &stream.intervals, &formats);
        strand.guess();
    }
    strands
}

/// The packets of each stream, with their leaves; each at its arrival.
fn gather(records: &[Record], started: Timestamp) -> BTreeMap<StreamNumber, Strand<'_>> {
    let mut strands: BTreeMap<StreamNumber, (Strand<'_>, LeafNumbers)> = BTreeMap::new();
    let mut clock_ahead = 0_i64;
    for (index, record) in (0..).zip(records) {
        match record {
            Record::Event {
                event: JournalEvent::ClockStepped { by_us },
                ..
            } => clock_ahead = clock_ahead.saturating_add(*by_us),
            Record::Event { .. } => {}
            Record::Packet {
                stream, arrived, ..
            } => {
                let (strand, leaves) = strands.entry(*stream).or_default();
                let at_us = arrived.micros_since(started).saturating_sub(clock_ahead);
                strand.packets.push(Held {
                    index,
                    record,
                    leaf: leaves.take(*arrived),
                    arrived_us: at_us,
                    place: None,
                    start_us: at_us,
                    end_us: at_us.saturating_add(1),
                    repeats_us: 0,
                    is_timed: false,
                });
            }
        }
    }
    let strands = strands.into_iter();
    strands
        .map(|(number, (strand, _))| (number, strand))
        .collect()
}

impl Strand<'_> {
    /// Gives each packet of sound its place and its time.
    fn place(&mut self, order: &[Placed<usize>], intervals: &[Interval], formats: &[Format]) {
        let mut rest = order;
        for (number, interval) in intervals.iter().enumerate() {
            let count = usize::try_from(interval.packets).unwrap_or(usize::MAX);
            let (within, behind) = rest.split_at(count.min(rest.len()));
            rest = behind;
            let total = interval.samples.max(1);
            // As a reader reckons it; what runs on behind the interval is heard at its end at most.
            let moment = |ticks: u64| {
                let along = u128::from(interval.length_us()) * u128::from(ticks);
                let along = u64::try_from(along / u128::from(total)).unwrap_or(u64::MAX);
                let at = interval.start_us.saturating_add(along);
                i64::try_from(at.min(interval.end_us)).unwrap_or(i64::MAX)
            };
            let mut tick = 0;
            for placed in within {
                let from = tick;
                tick += u64::from(placed.ticks);
                let Some(held) = self.packets.get_mut(placed.tag) else {
                    continue;
                };
                // What was received but has no certain place may be from anywhere in its interval.
                let is_heard = interval.kind == IntervalKind::Media;
                let (start, end) = if is_heard { (from, tick) } else { (0, total) };
                (held.start_us, held.end_us) = (moment(start), moment(end).saturating_add(1));
                held.repeats_us = repeats(formats.get(placed.format), held);
                held.is_timed = true;
                if is_heard {
                    held.place = Some(Place {
                        interval: number,
                        tick: from,
                        format: placed.format,
                        ticks: placed.ticks,
                    });
                    self.heard.push(placed.tag);
                }
            }
        }
    }

    /// A time for what has no place in the sound: by its timestamp, where a packet of the same source
    /// has one, and else by its arrival.
    fn guess(&mut self) {
        // Of each source: timestamp of the last packet with a place, and when it starts.
        let mut known: BTreeMap<u32, (u32, i64, u32)> = BTreeMap::new();
        for held in &mut self.packets {
            let Record::Packet { kind, bytes, .. } = held.record else {
                continue;
            };
            if *kind == PacketKind::Rtcp {
                continue;
            }
            let arrived_us = held.arrived_us;
            let packet = RtpPacket::parse(bytes);
            if let (Ok(packet), Some(place)) = (&packet, held.place) {
                let lasts = held.end_us.saturating_sub(held.start_us).max(1);
                let rate = i64::from(place.ticks) * 1_000_000 / lasts;
                let rate = u32::try_from(rate).unwrap_or(u32::MAX).max(1);
                known.insert(packet.ssrc, (packet.timestamp, held.start_us, rate));
                continue;
            }
            if held.is_timed {
                continue;
            }
            let near = packet.ok().and_then(|packet| {
                let (timestamp, start_us, rate) = known.get(&packet.ssrc)?;
                let ahead = packet.timestamp.wrapping_sub(*timestamp).cast_signed();
                Some(start_us + i64::from(ahead) * 1_000_000 / i64::from(*rate))
            });
            // It may be of the time before its arrival whatever its timestamp says (two senders can use one
            // source), and whoever repeats what was said does so in packets that nobody hears as well.
            let (from_us, to_us) = (arrived_us - UNPLACED_DELAY_US, arrived_us.saturating_add(1));
            let near =
                near.filter(|start_us| start_us.abs_diff(arrived_us) < TIMESTAMP_BELIEVED_US);
            (held.start_us, held.end_us) = match near {
                Some(start_us) => (
                    start_us.min(from_us),
                    start_us.saturating_add(UNPLACED_LASTS_US).max(to_us),
                ),
                None => (from_us, to_us),
            };
            held.repeats_us = UNKNOWN_REPEATS_US;
        }
    }
}

/// How far back a packet may repeat what was said: Opus the length of a packet (RFC 6716 §2.1.7),
/// what we know not at all.
fn repeats(format: Option<&Format>, held: &Held<'_>) -> i64 {
    match format.map(|format| &format.codec) {
        Some(Codec::Pcma | Codec::Pcmu | Codec::G722 | Codec::L16 { .. }) => 0,
        Some(Codec::Gsm | Codec::G729 | Codec::Ilbc | Codec::ComfortNoise { .. }) => 0,
        // Behind the padding of a packet Opus can carry up to a second of what was said before.
        Some(Codec::Opus) if is_padded(held) => UNKNOWN_REPEATS_US,
        Some(Codec::Opus | Codec::Amr | Codec::AmrWb) => {
            // AMR can carry frames of packets before (RFC 4867 §4.3.1) in a few times its length.
            held.end_us.saturating_sub(held.start_us).saturating_mul(5)
        }
        _ => UNKNOWN_REPEATS_US,
    }
}

/// Whether an Opus packet has padding (RFC 6716 §3.2.5: code 3, with the padding bit set).
fn is_padded(held: &Held<'_>) -> bool {
    let Record::Packet { bytes, .. } = held.record else {
        return false;
    };
    let payload = RtpPacket::parse(bytes).map_or(&[][..], |packet| packet.payload);
    matches!(*payload, [first, second, ..] if first & 3 == 3 && second & 0x40 != 0)
}
