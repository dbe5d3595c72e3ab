//! Calls that are rendered, and what is heard of them.

use super::pieces::same_in_pieces;
use super::*;
use crate::audio::decode_alaw;
use crate::journal::{Cause, JournalEvent, PacketKind, Record};
use crate::timeline::build;
use voicelog_model::{Codec, DecisionId, MediaStream, Timestamp};

/// A call of one stream: (arrival in ms, sequence number) of 20 ms packets, whose bytes tell
/// them apart.
fn call(packets: &[(i64, u16)], end_ms: i64) -> Vec<Record> {
    let stream = MediaStream {
        number: StreamNumber(1),
        label: None,
        codec: Codec::Pcma,
        payload_type: 8,
        parameters: None,
        also: vec![],
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
    same_in_pieces(records);
    let timeline = build(records.to_vec());
    let mut streams = render(records.iter().map(Record::as_view), &timeline).unwrap();
    assert_eq!(streams.len(), 1);
    assert_eq!(
        streams[0].channels[0].len() as u64,
        timeline.length_us() / 125
    );
    streams.remove(0).channels.remove(0)
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

/// Samples 10, 20, 30 and 40 of an interval of so many places, as a window of the call shows them that
/// begins so many samples into it; each sample laid by itself, where `apart`.
fn stretched(places: usize, window: std::ops::Range<usize>, apart: bool) -> Vec<i16> {
    let place = Stretched {
        from: 100,
        until: 100 + places,
        received: 4,
    };
    let window = window.start + 100..window.end + 100;
    let mut out = vec![-1; window.len()];
    let step = if apart { 1 } else { 4 };
    for start in (0..4).step_by(step) {
        let needed = place.needed(&(start..start + step), window.clone());
        let samples: Vec<i16> = needed.clone().map(|n| [10, 20, 30, 40][n]).collect();
        place.lay(&samples, needed.start, &mut out, window.start);
    }
    out
}

#[test]
fn drift_stretches_evenly_whichever_part_of_it_is_asked_for() {
    for apart in [false, true] {
        for (places, all) in [
            (8, &[10, 10, 20, 20, 30, 30, 40, 40][..]),
            (3, &[10, 20, 30]),
            (4, &[10, 20, 30, 40]),
            (5, &[10, 10, 20, 30, 40]),
        ] {
            for start in 0..places {
                for end in start..=places {
                    let heard = stretched(places, start..end, apart);
                    assert_eq!(heard, all[start..end], "{places} {start}..{end} {apart}");
                }
            }
        }
    }
}

#[test]
fn a_call_that_claims_to_last_for_ever_is_not_rendered() {
    let records = call(&[(20, 0)], 100_000_000_000);
    let timeline = build(records.clone());
    assert!(render(records.iter().map(Record::as_view), &timeline).is_err());
}
