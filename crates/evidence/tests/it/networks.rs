//! Copies of a part of calls on networks that do what networks do: whatever came, and however, a copy can
//! be made, it verifies, and what is not left out is heard as in the whole.

use crate::fixture::{Parts, archive_key, packet, recording_starts, records, verifier};
use crate::part::{excerpt, file, redaction, samples, scope, without};
use proptest::prelude::*;
use voicelog_evidence::bundle::{self, BundleError, BundleInput};
use voicelog_evidence::part::Plan;
use voicelog_evidence::{Cause, JournalEvent, PacketKind, Record, verify};
use voicelog_model::StreamNumber;

/// What one of several senders does for a while.
#[derive(Debug, Clone)]
struct Turn {
    /// 0; 1 with another source; 2 with the source of 0 and other numbers.
    sender: u8,
    /// How long nothing comes before it.
    pause_ms: i64,
    packets: u16,
    /// Between two packets.
    pace_ms: i64,
    /// How long the network holds it up.
    delay_ms: i64,
    /// The other side says that nothing comes meanwhile.
    is_told: bool,
    /// Its clock went on meanwhile.
    is_timed: bool,
    /// Which of its packets are lost, come twice, or change places with the next.
    fates: u64,
}

fn turn() -> impl Strategy<Value = Turn> {
    let pause = prop_oneof![0..180_i64, 0..180_i64, 0..12_000_i64];
    let pace = prop_oneof![Just(20_i64), 0..25_i64];
    let delay = prop_oneof![Just(0_i64), Just(0_i64), 0..9_000_i64];
    let fates = prop_oneof![Just(0_u64), any::<u64>()];
    let packets = prop_oneof![1..4_u16, 1..120_u16, 500..700_u16];
    let when = (0..3_u8, pause, packets, pace, delay);
    (when, any::<bool>(), any::<bool>(), fates).prop_map(|(when, is_told, is_timed, fates)| {
        let (sender, pause_ms, packets, pace_ms, delay_ms) = when;
        Turn {
            sender,
            pause_ms,
            packets,
            pace_ms,
            delay_ms,
            is_told,
            is_timed,
            fates,
        }
    })
}

/// The call in which they take their turns on one stream.
fn call(turns: &[Turn], tail_ms: i64) -> Vec<Record> {
    let mut records = records(1, 0);
    let _end = records.pop();
    let mut counters = [(0_u16, 0_u32), (500, 9_000), (20, 70_000)];
    let (mut now_ms, mut latest_ms) = (60_i64, 60_i64);
    let at = |ms: i64| recording_starts().plus_micros(ms * 1_000);
    let mut told = Vec::new();
    let mut packets = Vec::new();
    let mut n = 0_u16;
    for turn in turns {
        if turn.is_told {
            let (stream, by) = (StreamNumber(1), Cause::RecordingClient);
            told.push((latest_ms + 1, JournalEvent::StreamPaused { stream, by }));
            let until = (now_ms + turn.pause_ms + turn.delay_ms).max(latest_ms + 1);
            told.push((until, JournalEvent::StreamResumed { stream }));
        }
        now_ms += turn.pause_ms;
        let (sequence, timestamp) = &mut counters[usize::from(turn.sender)];
        if turn.is_timed {
            *timestamp = timestamp.wrapping_add(u32::try_from(turn.pause_ms * 8).unwrap());
        }
        for at in 0..turn.packets {
            let fate = turn.fates >> (at % 29 * 2) & 3;
            let mut bytes = packet(1, n);
            n = n.wrapping_add(1);
            bytes[2..4].copy_from_slice(&sequence.to_be_bytes());
            bytes[4..8].copy_from_slice(&timestamp.to_be_bytes());
            if turn.sender == 1 {
                bytes[8..12].copy_from_slice(&[1; 4]);
            }
            let arrived_ms = (now_ms + turn.delay_ms).max(latest_ms);
            let arrivals: &[i64] = match fate {
                0 => &[0],
                1 if at > 0 => &[],
                2 => &[0, 30],
                _ => &[45],
            };
            for later in arrivals {
                packets.push((arrived_ms + later, bytes.clone()));
            }
            *sequence = sequence.wrapping_add(1);
            *timestamp = timestamp.wrapping_add(160);
            latest_ms = arrived_ms;
            now_ms += turn.pace_ms;
        }
        now_ms = now_ms.max(latest_ms);
    }
    packets.sort_by_key(|(arrived, _)| *arrived);
    let end_ms = packets.last().map_or(60, |(last, _)| *last) + tail_ms;
    let told = told
        .into_iter()
        .map(|(ms, event)| Record::Event { at: at(ms), event });
    let packets = packets.into_iter().map(|(arrived, bytes)| Record::Packet {
        stream: StreamNumber(1),
        arrived: at(arrived),
        kind: PacketKind::Rtp,
        bytes,
    });
    let mut came: Vec<Record> = told.chain(packets).collect();
    came.sort_by_key(|record| record.as_view().time());
    records.extend(came);
    records.push(Record::Event {
        at: at(end_ms),
        event: JournalEvent::CallEnded {
            cause: Cause::RecordingClient,
        },
    });
    records
}

/// Two senders, bursts that reach beyond the end of the call, and packets that nobody hears.
pub(crate) fn turns() -> Vec<Record> {
    let turn = |sender, packets, pace_ms, fates| Turn {
        sender,
        pause_ms: 20,
        packets,
        pace_ms,
        delay_ms: 0,
        is_told: false,
        is_timed: true,
        fates,
    };
    call(
        &[
            turn(0, 40, 20, 0),
            turn(1, 30, 10, 0x90),
            turn(0, 20, 15, 0x0240),
            turn(2, 3, 20, 0),
            turn(1, 30, 5, 0),
        ],
        10,
    )
}

/// Makes the copy and checks it. None where there is nothing to leave out, or nothing would be left.
fn checked(parts: &Parts, plan: &Plan) -> Option<()> {
    let input = BundleInput {
        part: Some(plan),
        ..parts.input()
    };
    let copy = match bundle::build(&input, &archive_key()) {
        Ok(copy) => copy,
        Err(BundleError::Part(_)) => return None,
        Err(error) => panic!("{error}: {:#?}", parts.inventory.timeline.streams[0]),
    };
    let report = verify(&copy, Some(&verifier()));
    assert!(report.holds(), "{:#?}", report.broken().collect::<Vec<_>>());
    let timeline = &parts.inventory.timeline;
    let scope = scope(&copy);
    let (start_us, end_us) = scope.window(timeline);
    let whole = samples(&file(&parts.bundle(), "audio/1.wav"));
    let heard = samples(&file(&copy, "audio/1.wav"));
    let first = usize::try_from(start_us / 125).unwrap();
    assert_eq!(heard.len(), usize::try_from(end_us / 125).unwrap() - first);
    let left_out = scope.left_out_of(&timeline.streams[0], timeline);
    for (at, sample) in heard.iter().enumerate() {
        let micros = (first + at) as u64 * 125;
        let is_left_out = left_out
            .iter()
            .any(|(start, end)| (*start..end + 125).contains(&(micros + 125)));
        if !is_left_out {
            assert_eq!(*sample, whole[first + at], "sample {at} of {left_out:?}");
        }
    }
    Some(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn senders_may_take_turns_pause_repeat_themselves_and_be_held_up(
        turns in proptest::collection::vec(turn(), 1..7),
        tail_ms in 0..600_i64,
        place in 0..1_000_u64,
        length_ms in 1..4_000_u64,
    ) {
        let parts = Parts::of(&call(&turns, tail_ms));
        let call_ms = parts.inventory.timeline.length_us() / 1_000;
        let start = (call_ms.saturating_sub(2)) * place / 1_000;
        let end = (start + length_ms).min(call_ms);
        prop_assume!(start < end);
        checked(&parts, &without(vec![redaction(&[1], start, end)]));
        checked(&parts, &excerpt(start, end));
        let middle = (start + end) / 2;
        if start < middle {
            let mut both = excerpt(start, end);
            both.redactions = vec![redaction(&[1], start, middle), redaction(&[1], middle, end)];
            checked(&parts, &both);
        }
    }
}
