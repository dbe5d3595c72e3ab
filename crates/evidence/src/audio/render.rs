//! One stream's sound, laid out as its timeline says.

use super::{AudioError, decode_alaw, decode_ulaw};
use crate::journal::RecordRef;
use crate::timeline::{Assembly, IntervalKind, StreamTimeline, Timeline, codec_of};
use std::collections::BTreeMap;
use voicelog_model::limits::RECORDING_SECONDS_MAX;
use voicelog_model::rtp::RtpPacket;
use voicelog_model::{Codec, MediaStream, StreamNumber};

/// Microseconds of a sample at 8 kHz, the rate of every codec that is known here.
const MICROS_PER_SAMPLE: u64 = 125;

/// The sound of one stream, as long as the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamAudio {
    /// The stream.
    pub stream: StreamNumber,
    /// Samples a second.
    pub rate: u32,
    /// The samples.
    pub samples: Vec<i16>,
}

/// Renders every stream of a recording.
///
/// `records` are those of the journal, in order, and `timeline` the one that they give. Where an
/// interval of media is not exactly as long as its samples (declared clock drift), the sample at
/// place i of its L samples is the one at ⌊i·S/L⌋ of the S that were received.
pub fn render<'a>(
    records: impl IntoIterator<Item = RecordRef<'a>>,
    timeline: &Timeline,
) -> Result<Vec<StreamAudio>, AudioError> {
    if timeline.length_us() / 1_000_000 > RECORDING_SECONDS_MAX {
        return Err(AudioError::CallTooLong(timeline.length_us() / 1_000_000));
    }
    let placed = packets_in_place(records);
    let nothing = Vec::new();
    let render = |stream: &StreamTimeline| StreamAudio {
        stream: stream.stream.number,
        rate: stream.stream.codec.clock_rate(),
        samples: render_stream(
            placed.get(&stream.stream.number).unwrap_or(&nothing),
            stream,
            sample_at(timeline.length_us()),
        ),
    };
    Ok(timeline.streams.iter().map(render).collect())
}

/// The audio packets of each stream, in the order of their media.
fn packets_in_place<'a>(
    records: impl IntoIterator<Item = RecordRef<'a>>,
) -> BTreeMap<StreamNumber, Vec<&'a [u8]>> {
    let mut packets: BTreeMap<StreamNumber, Vec<&'a [u8]>> = BTreeMap::new();
    let mut assembly = Assembly::default();
    let mut sink = |placed: crate::timeline::Placed<&'a [u8]>| {
        packets.entry(placed.stream).or_default().push(placed.tag);
    };
    for record in records {
        let tag = match record {
            RecordRef::Packet { bytes, .. } => bytes,
            RecordRef::Event { .. } => &[],
        };
        assembly.push(record, tag, &mut sink);
    }
    let _same_timeline = assembly.finish(&mut sink);
    packets
}

fn render_stream(packets: &[&[u8]], timeline: &StreamTimeline, length: usize) -> Vec<i16> {
    let mut out = vec![0; length];
    let mut received = Vec::new();
    let mut rest = packets.iter();
    for interval in &timeline.intervals {
        let count = usize::try_from(interval.packets).unwrap_or(usize::MAX);
        let within = rest.by_ref().take(count);
        if interval.kind != IntervalKind::Media {
            // Packets that were received but have no certain place: passed over.
            within.for_each(drop);
            continue;
        }
        received.clear();
        within.for_each(|packet| decode(packet, &timeline.stream, &mut received));
        received.truncate(usize::try_from(interval.samples).unwrap_or(usize::MAX));
        if let Some(place) = out.get_mut(sample_at(interval.start_us)..sample_at(interval.end_us)) {
            lay(&received, place);
        }
    }
    out
}

fn decode(packet: &[u8], stream: &MediaStream, out: &mut Vec<i16>) {
    let Ok(packet) = RtpPacket::parse(packet) else {
        return;
    };
    match codec_of(packet.payload_type, stream) {
        Some(Codec::Pcma) => out.extend(packet.payload.iter().map(|byte| decode_alaw(*byte))),
        Some(Codec::Pcmu) => out.extend(packet.payload.iter().map(|byte| decode_ulaw(*byte))),
        None => {}
    }
}

/// Fills `place` with `received`, sample for sample where both are equally long.
fn lay(received: &[i16], place: &mut [i16]) {
    if received.len() == place.len() {
        place.copy_from_slice(received);
        return;
    }
    let (have, need) = (received.len() as u64, place.len() as u64);
    for (at, sample) in (0_u64..).zip(place) {
        let from = usize::try_from(at * have / need.max(1)).unwrap_or(usize::MAX);
        *sample = received.get(from).copied().unwrap_or(0);
    }
}

/// The sample that a moment of the call falls in.
fn sample_at(micros: u64) -> usize {
    usize::try_from(micros / MICROS_PER_SAMPLE).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Cause, JournalEvent, PacketKind, Record};
    use crate::timeline::build;
    use voicelog_model::{DecisionId, Timestamp};

    /// A call of one stream: (arrival in ms, sequence number) of 20 ms packets, whose bytes tell
    /// them apart.
    fn call(packets: &[(i64, u16)], end_ms: i64) -> Vec<Record> {
        let stream = MediaStream {
            number: StreamNumber(1),
            label: None,
            codec: Codec::Pcma,
            payload_type: 8,
            party: None,
        };
        let at = |ms: i64, event| Record::Event {
            at: Timestamp::from_micros(ms * 1_000),
            event,
        };
        let mut records = vec![
            at(0, JournalEvent::CallStarted {}),
            at(0, JournalEvent::StreamAdded { stream }),
            at(
                0,
                JournalEvent::Permitted {
                    decision: DecisionId::from_bytes([1; 16]),
                },
            ),
        ];
        for (ms, sequence) in packets {
            let mut bytes = vec![0x80, 8];
            bytes.extend_from_slice(&sequence.to_be_bytes());
            bytes.extend_from_slice(&(u32::from(*sequence) * 160).to_be_bytes());
            bytes.extend_from_slice(&[0, 0, 0, 1]);
            bytes.extend((0..160).map(|n| payload_byte(*sequence, n)));
            records.push(Record::Packet {
                stream: StreamNumber(1),
                arrived: Timestamp::from_micros(ms * 1_000),
                kind: PacketKind::Rtp,
                bytes,
            });
        }
        records.push(at(
            end_ms,
            JournalEvent::CallEnded {
                cause: Cause::RecordingClient,
            },
        ));
        records
    }

    fn payload_byte(sequence: u16, n: u16) -> u8 {
        u8::try_from((sequence * 31 + n * 7) % 256).unwrap()
    }

    fn sound(records: &[Record]) -> Vec<i16> {
        let timeline = build(records.to_vec());
        let mut streams = render(records.iter().map(Record::as_view), &timeline).unwrap();
        assert_eq!(streams.len(), 1);
        assert_eq!(streams[0].samples.len() as u64, timeline.length_us() / 125);
        streams.remove(0).samples
    }

    fn packet_sound(sequence: u16) -> Vec<i16> {
        (0..160)
            .map(|n| decode_alaw(payload_byte(sequence, n)))
            .collect()
    }

    #[test]
    fn what_was_sent_is_heard_sample_for_sample() {
        let packets: Vec<_> = (0..50)
            .map(|n| (20 + i64::from(n) * 20 + i64::from(n % 3), n))
            .collect();
        let heard = sound(&call(&packets, 1_007));
        let sent: Vec<_> = (0..50).flat_map(packet_sound).collect();
        assert_eq!(heard[..8_000], sent);
        assert_eq!(heard[8_000..], [0; 56]);
    }

    #[test]
    fn a_lost_packet_is_silence_of_its_own_length() {
        let packets: Vec<_> = (0..50)
            .filter(|n| *n != 20)
            .map(|n| (20 + i64::from(n) * 20, n))
            .collect();
        let heard = sound(&call(&packets, 1_000));
        assert_eq!(heard[20 * 160..21 * 160], [0; 160]);
        assert_eq!(heard[19 * 160..20 * 160], packet_sound(19));
        assert_eq!(heard[21 * 160..22 * 160], packet_sound(21));
    }

    #[test]
    fn packets_out_of_order_are_heard_in_order() {
        let heard = sound(&call(&[(20, 0), (60, 2), (61, 1), (80, 3), (80, 3)], 100));
        let sent: Vec<_> = (0..4).flat_map(packet_sound).collect();
        assert_eq!(heard[..640], sent);
    }

    #[test]
    fn media_beyond_the_end_is_cut_and_not_squeezed() {
        let heard = sound(&call(&[(5, 0), (25, 1), (45, 2)], 50));
        let sent: Vec<_> = (0..3).flat_map(packet_sound).collect();
        assert_eq!(heard, sent[..400]);
    }

    #[test]
    fn drift_stretches_evenly() {
        let mut place = [0; 8];
        lay(&[10, 20, 30, 40], &mut place);
        assert_eq!(place, [10, 10, 20, 20, 30, 30, 40, 40]);
        let mut place = [0; 3];
        lay(&[10, 20, 30, 40], &mut place);
        assert_eq!(place, [10, 20, 30]);
        lay(&[], &mut place);
        assert_eq!(place, [0; 3]);
    }

    #[test]
    fn a_call_that_claims_to_last_for_ever_is_not_rendered() {
        let records = call(&[(20, 0)], 100_000_000_000);
        let timeline = build(records.clone());
        assert!(render(records.iter().map(Record::as_view), &timeline).is_err());
    }
}
