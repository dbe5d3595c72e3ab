//! The WAV file made piece by piece, held against the one that is made whole.

use super::*;
use crate::audio::{side_by_side, wav};
use crate::bundle::SoundSpans;
use crate::journal::{Cause, JournalEvent, PacketKind, Record};
use crate::timeline::build;
use proptest::prelude::*;
use std::convert::Infallible;
use voicelog_model::{Codec, DecisionId, MediaStream, Timestamp};

fn layout(records: &[Record]) -> Result<WavLayout, AudioError> {
    let timeline = build(records.to_vec());
    let mut builder = WavLayoutBuilder::new(&timeline)?;
    for (record, at) in records.iter().zip(0..) {
        // Some records to a chunk.
        let place = PacketPlace {
            chunk: at / 7,
            record: at % 7,
        };
        builder.push(record.as_view(), place);
    }
    builder.finish()
}

/// A part of the file, and how many bytes each piece had.
fn read(layout: &WavLayout, records: &[Record], range: std::ops::Range<usize>) -> Vec<u8> {
    let mut fetch = |places: &[PacketPlace]| {
        let packet = |place: &PacketPlace| match &records[(place.chunk * 7 + place.record) as usize]
        {
            Record::Packet { bytes, .. } => bytes.clone(),
            Record::Event { .. } => panic!("no packet"),
        };
        Ok::<_, Infallible>(places.iter().map(packet).collect::<Vec<_>>())
    };
    let mut reader = layout.read(range);
    let mut all = Vec::new();
    loop {
        let Ok(piece) = layout.next(&mut reader, &mut fetch);
        if piece.is_empty() {
            return all;
        }
        all.extend(piece);
    }
}

/// Holds the file made in pieces, and what is told of it, against the one made whole.
pub(super) fn same_in_pieces(records: &[Record]) {
    let timeline = build(records.to_vec());
    let streams = render(records.iter().map(Record::as_view), &timeline).unwrap();
    let spans = SoundSpans::of(&streams).map_or_else(Vec::new, |spans| spans.streams);
    let layout = match (layout(records), side_by_side(&streams)) {
        (Ok(layout), Some(_)) => layout,
        (Err(AudioError::NothingDecodable(_)), None) => return,
        (other, _) => panic!("{other:?}"),
    };
    assert_eq!(layout.spans(), spans);
    let (rate, channels) = side_by_side(&streams).unwrap();
    let channels: Vec<&[i16]> = channels.iter().map(AsRef::as_ref).collect();
    let whole = wav(&channels, rate, None).unwrap();
    assert_eq!(layout.byte_len(), whole.len());
    assert!(
        read(&layout, records, 0..usize::MAX) == whole,
        "made from its start"
    );
    let remembers = layout.lanes.iter().any(|lane| lane.remembers);
    let places = [0, 1, 43, 44, 45, 67, 68, 333, 1_001, 5_000, 12_347, 33_333];
    for (at, start) in places.into_iter().enumerate() {
        for end in places.into_iter().skip(at).take(2).chain([whole.len()]) {
            let (start, end) = (start.min(whole.len()), end.min(whole.len()));
            let made = read(&layout, records, start..end);
            assert_eq!(made.len(), end - start, "{start}..{end}");
            // Where a decoder remembers, a second before is heard for it, and these calls are hardly longer.
            let is_same = made == whole[start..end];
            assert!(is_same || remembers, "{start}..{end}");
        }
    }
}

/// Two streams, of 20 ms packets: `kept` says of each which packets came, `drift` by how many millionths of its
/// length a packet comes later than its timestamp says.
fn two_streams(kept: [&[bool]; 2], encodings: [&str; 2], drift: i64) -> Vec<Record> {
    let at = |us: i64, event| Record::Event {
        at: Timestamp::from_micros(us),
        event,
    };
    let mut records = vec![at(0, JournalEvent::CallStarted {})];
    let formats = encodings.map(|encoding| Format {
        codec: Codec::read(encoding).unwrap(),
        payload_type: 96,
        parameters: None,
    });
    for (format, number) in formats.iter().zip(1..) {
        let formats = std::slice::from_ref(format);
        let stream = MediaStream::of_formats(StreamNumber(number), formats).unwrap();
        records.push(at(0, JournalEvent::StreamAdded { stream }));
    }
    let decision = DecisionId::from_bytes([1; 16]);
    records.push(at(0, JournalEvent::Permitted { decision }));
    let count = kept.map(<[bool]>::len).into_iter().max().unwrap();
    let (mut end, mut number) = (0, 0_u16);
    for n in 0..count {
        end = 20_000 * (1_000_000 + drift) / 1_000_000 * i64::try_from(n + 1).unwrap();
        for (at, format) in formats.iter().enumerate() {
            if kept[at].get(n).copied().unwrap_or(false) {
                let ticks = format.codec.clock_rate() / 50 * u32::from(number);
                let mut bytes = vec![0x80, 96];
                bytes.extend(number.to_be_bytes());
                bytes.extend(ticks.to_be_bytes());
                bytes.extend([0, 0, 0, 1]);
                let length = match format.codec {
                    Codec::L16 { .. } => 640,
                    _ => 160,
                };
                let sample = |at: u16| number.wrapping_mul(31).wrapping_add(at).to_le_bytes()[0];
                bytes.extend((0..length).map(sample));
                records.push(Record::Packet {
                    stream: StreamNumber(u16::try_from(at + 1).unwrap()),
                    arrived: Timestamp::from_micros(end),
                    kind: PacketKind::Rtp,
                    bytes,
                });
            }
        }
        number += 1;
    }
    let cause = Cause::RecordingClient;
    records.push(at(end, JournalEvent::CallEnded { cause }));
    records
}

#[test]
fn streams_of_different_rates_and_a_clock_that_drifts_are_the_same_in_pieces() {
    let (all, few) = (
        vec![true; 150],
        [vec![true; 40], vec![false; 60], vec![true; 30]].concat(),
    );
    for drift in [0, 900, -700] {
        for encodings in [
            ["PCMA", "PCMU"],
            ["PCMA", "L16/16000"],
            ["L16/16000", "PCMA"],
        ] {
            same_in_pieces(&two_streams([&all, &few], encodings, drift));
            same_in_pieces(&two_streams([&few, &all], encodings, drift));
            same_in_pieces(&two_streams([&[], &few], encodings, drift));
        }
    }
}

#[test]
fn no_more_is_fetched_than_what_is_asked_for_needs() {
    let all = vec![true; 3_000];
    let records = two_streams([&all, &all], ["PCMA", "PCMA"], 0);
    let layout = layout(&records).unwrap();
    let mut fetched = 0;
    let mut reader = layout.read(1_000_000..1_000_100);
    let mut fetch = |places: &[PacketPlace]| {
        fetched += places.len();
        Ok::<_, Infallible>(vec![vec![0x80; 172]; places.len()])
    };
    let Ok(piece) = layout.next(&mut reader, &mut fetch);
    assert_eq!(piece.len(), 100);
    assert!(fetched <= 4, "{fetched} packets for 25 samples");
}

#[test]
fn what_cannot_be_fetched_stops_the_sound() {
    let all = vec![true; 300];
    let records = two_streams([&all, &all], ["PCMA", "PCMA"], 0);
    let layout = layout(&records).unwrap();
    let mut reader = layout.read(0..layout.byte_len());
    assert_eq!(layout.next(&mut reader, &mut |_| Err("gone")), Err("gone"));
}

#[test]
fn a_decoder_that_remembers_has_heard_enough_before_a_place_that_is_jumped_to() {
    let all = vec![true; 200];
    let records = two_streams([&all, &all], ["G722", "G722"], 0);
    let layout = layout(&records).unwrap();
    let whole = read(&layout, &records, 0..layout.byte_len());
    let from = 44 + 4 * 16_000 * 3;
    let jumped = read(&layout, &records, from..whole.len());
    let samples = |bytes: &[u8]| -> Vec<i32> {
        let (samples, _) = bytes.as_chunks();
        samples
            .iter()
            .map(|two| i16::from_le_bytes(*two).into())
            .collect()
    };
    let apart = samples(&jumped).into_iter().zip(samples(&whole[from..]));
    let most = apart.map(|(one, other)| (one - other).abs()).max();
    assert!(most.unwrap() <= 16, "{most:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn whatever_was_lost_and_whatever_came_it_is_the_same_in_pieces(
        one in proptest::collection::vec(any::<bool>(), 0..120),
        payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 1..60),
        encoding in prop_oneof![Just("opus/48000/2"), Just("G722"), Just("PCMU"), Just("L16/44100/2")],
    ) {
        let mut records = two_streams([&one, &[true; 100]], ["PCMA", encoding], 0);
        // Other bytes than it ever gets.
        let mut others = payloads.iter().cycle();
        for record in &mut records {
            if let Record::Packet { stream: StreamNumber(2), bytes, .. } = record {
                bytes.truncate(12);
                bytes.extend(others.next().unwrap());
            }
        }
        same_in_pieces(&records);
    }
}
