//! Codecs with other clocks, silence that is declared, keys that are pressed.

use super::*;
use crate::journal::KeyPacket;
use voicelog_model::Format;

/// A payload type of the calls below.
fn format(payload_type: u8, encoding: &str) -> Format {
    Format {
        codec: Codec::read(encoding).unwrap(),
        payload_type,
        parameters: None,
    }
}

/// A call whose stream may hold these formats, as payload types from 96 on; permitted.
fn call_of(encodings: &[&str]) -> Call {
    let formats: Vec<_> = (96..)
        .zip(encodings)
        .map(|(payload_type, encoding)| format(payload_type, encoding))
        .collect();
    let mut call = Call::new();
    call.records.truncate(1);
    let stream = MediaStream::of_formats(StreamNumber(1), &formats).unwrap();
    call.event(0, JournalEvent::StreamAdded { stream });
    call.event(0, permitted());
    call
}

impl Call {
    /// A packet at its own timestamp; the next one is `ticks` later.
    fn put(&mut self, at: i64, second: u8, payload: &[u8], ticks: u32) {
        let mut bytes = vec![0x80, second];
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        bytes.extend_from_slice(&self.timestamp.to_be_bytes());
        bytes.extend_from_slice(&self.ssrc.to_be_bytes());
        bytes.extend_from_slice(payload);
        self.records.push(Record::Packet {
            stream: StreamNumber(1),
            arrived: Timestamp::from_micros(START + at),
            kind: PacketKind::Rtp,
            bytes,
        });
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(ticks);
    }

    /// `packets` of `ms` each from `from` on.
    fn speak(&mut self, from: i64, packets: i64, second: u8, payload: &[u8], ticks: u32, ms: i64) {
        for n in 1..=packets {
            self.put(from + n * ms * MS, second, payload, ticks);
        }
    }
}

#[test]
fn opus_is_counted_by_its_own_clock() {
    let mut call = call_of(&["opus/48000/2"]);
    // 60 ms in each packet, by its first byte; the second one is lost.
    call.put(60 * MS, 96, &[0x18, 0], 2_880);
    call.sequence += 1;
    call.timestamp = call.timestamp.wrapping_add(2_880);
    call.speak(120 * MS, 48, 96, &[0x18, 0], 2_880, 60);
    call.event(3_000 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    assert_eq!(
        shape(&timeline),
        [(Media, 0, 60), (Loss, 60, 120), (Media, 120, 3_000)]
    );
    let media = &timeline.streams[0].intervals[2];
    assert_eq!((media.packets, media.samples), (48, 48 * 2_880));
    assert_eq!(timeline.verdict, Verdict::WholeWithDeclaredGaps);
}

#[test]
fn the_clock_of_g722_says_eight_thousand() {
    let mut call = call_of(&["G722"]);
    call.speak(0, 50, 96, &[0; 160], 160, 20);
    call.event(1_000 * MS, ended(Cause::RecordingClient));
    assert_eq!(shape(&call.timeline()), [(Media, 0, 1_000)]);
}

#[test]
fn a_codec_that_nobody_knows_is_counted_by_its_timestamps() {
    let mut call = call_of(&["EVS/16000"]);
    // Packets of 40 ms, of lengths that say nothing; one is lost, and one comes after a silence.
    call.speak(0, 10, 96, &[1; 33], 640, 40);
    call.sequence += 1;
    call.timestamp = call.timestamp.wrapping_add(640);
    call.speak(440 * MS, 10, 96, &[1; 7], 640, 40);
    call.timestamp = call.timestamp.wrapping_add(16_000);
    call.speak(1_840 * MS, 5, 0x80 | 96, &[1; 61], 640, 40);
    call.event(2_040 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    assert_eq!(
        shape(&timeline),
        [
            (Media, 0, 400),
            (Loss, 400, 440),
            (Media, 440, 840),
            (SilenceSuppressed, 840, 1_840),
            (Media, 1_840, 2_040),
        ]
    );
    assert_eq!(timeline.verdict, Verdict::WholeWithDeclaredGaps);
}

#[test]
fn a_payload_type_may_change_in_mid_stream_and_its_clock_with_it() {
    let mut call = call_of(&["PCMU", "G722", "opus/48000/2"]);
    call.speak(0, 25, 96, &[0; 160], 160, 20);
    call.speak(500 * MS, 25, 97, &[0; 160], 160, 20);
    call.speak(1_000 * MS, 25, 98, &[0x98, 0], 960, 20);
    // Three packets are lost where the clock changes back.
    call.sequence += 3;
    call.speak(1_560 * MS, 22, 96, &[0; 160], 160, 20);
    call.event(2_000 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    assert_eq!(
        shape(&timeline),
        [
            (Media, 0, 1_000),
            (Media, 1_000, 1_500),
            (Loss, 1_500, 1_560),
            (Media, 1_560, 2_000),
        ]
    );
    assert_eq!(timeline.streams[0].intervals[2].lost, 3);
}

#[test]
fn a_stream_announced_again_may_hold_more_from_then_on() {
    let mut call = Call::permitted();
    call.talk(20 * MS, 10);
    let again = MediaStream::of_formats(
        StreamNumber(1),
        &[format(8, "PCMU"), format(96, "opus/48000/2")],
    );
    call.event(
        210 * MS,
        JournalEvent::StreamAdded {
            stream: again.unwrap(),
        },
    );
    call.speak(200 * MS, 10, 96, &[0x98, 0], 960, 20);
    call.event(400 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    assert_eq!(shape(&timeline), [(Media, 0, 200), (Media, 200, 400)]);
    let also: Vec<_> = timeline.streams[0]
        .stream
        .also
        .iter()
        .map(|format| format.codec.to_string())
        .collect();
    assert_eq!(also, ["PCMU", "opus/48000/2"]);
}

#[test]
fn comfort_noise_declares_the_silence_that_follows() {
    let mut call = Call::permitted();
    call.talk(20 * MS, 50);
    // Silence begins; its sound is said again after half a second, and lasts for two.
    call.put(1_020 * MS, 13, &[40], 4_000);
    call.put(1_520 * MS, 13, &[40], 12_000);
    call.talk(3_020 * MS, 50);
    call.event(4_000 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    assert_eq!(
        shape(&timeline),
        [
            (Media, 0, 1_000),
            (SilenceSuppressed, 1_000, 3_000),
            (Media, 3_000, 4_000)
        ]
    );
    assert_eq!(timeline.streams[0].lost, 0);
}

#[test]
fn packets_lost_before_comfort_noise_are_loss_and_what_follows_is_silence() {
    let mut call = Call::permitted();
    call.talk(20 * MS, 50);
    call.skip(2);
    call.put(1_060 * MS, 13, &[40], 8_000);
    call.talk(2_060 * MS, 10);
    call.event(2_240 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    assert_eq!(
        shape(&timeline),
        [
            (Media, 0, 1_000),
            (Loss, 1_000, 1_040),
            (SilenceSuppressed, 1_040, 2_040),
            (Media, 2_040, 2_240),
        ]
    );
    assert_eq!(timeline.streams[0].intervals[1].lost, 2);
}

#[test]
fn of_a_silence_a_lost_packet_explains_no_more_than_its_own_length() {
    // After comfort noise the loss comes last; before a marked packet it comes first.
    for (noise, marker, expected) in [
        (
            true,
            0,
            [(SilenceSuppressed, 1_000, 1_980), (Loss, 1_980, 2_000)],
        ),
        (
            false,
            0x80,
            [(Loss, 1_000, 1_020), (SilenceSuppressed, 1_020, 2_000)],
        ),
    ] {
        let mut call = Call::permitted();
        call.talk(20 * MS, 50);
        if noise {
            call.put(1_020 * MS, 13, &[40], 0);
        }
        call.sequence += 1;
        call.timestamp = call.timestamp.wrapping_add(8_000);
        call.put(2_020 * MS, 8 | marker, &[0xd5; 160], 160);
        call.event(2_020 * MS, ended(Cause::RecordingClient));
        let timeline = call.timeline();
        assert_eq!(shape(&timeline)[1..3], expected);
    }
}

#[test]
fn a_key_press_is_one_event_with_its_start_and_length_however_often_its_end_is_said() {
    let mut call = call_of(&["PCMA", "telephone-event"]);
    call.speak(0, 50, 96, &[0xd5; 160], 160, 20);
    let pressed = call.timestamp;
    let key = |call: &mut Call, at: i64, end: u8, duration: u16| {
        let [high, low] = duration.to_be_bytes();
        call.put(at, 97, &[5, end | 10, high, low], 0);
    };
    for n in 1..=5_u16 {
        key(&mut call, (1_000 + i64::from(n) * 20) * MS, 0, n * 160);
    }
    for _ in 0..3 {
        key(&mut call, 1_120 * MS, 0x80, 960);
    }
    call.timestamp = pressed.wrapping_add(960);
    call.speak(1_120 * MS, 44, 96, &[0xd5; 160], 160, 20);
    call.event(2_000 * MS, ended(Cause::RecordingClient));
    let timeline = call.timeline();
    let stream = &timeline.streams[0];
    assert_eq!(
        stream.keys,
        [KeyPress {
            start_us: 1_000_000,
            length_us: 120_000
        }]
    );
    assert_eq!(
        shape(&timeline),
        [
            (Media, 0, 1_000),
            (SilenceSuppressed, 1_000, 1_120),
            (Media, 1_120, 2_000)
        ]
    );
    assert_eq!((stream.lost, stream.left_out), (0, 0));
    let text = String::from_utf8(timeline.to_bytes().unwrap()).unwrap();
    assert!(text.contains(r#""keys":[{"length_us":120000,"start_us":1000000}]"#));
}

#[test]
fn a_key_that_is_held_for_longer_than_its_packets_can_count_is_still_one() {
    let mut call = call_of(&["PCMA", "telephone-event"]);
    call.speak(0, 10, 96, &[0xd5; 160], 160, 20);
    call.put(220 * MS, 97, &[5, 10, 0xff, 0xff], 0xffff);
    call.put(8_400 * MS, 97, &[5, 0x8a, 0, 160], 0);
    call.put(9_000 * MS, 97, &[5, 10, 0, 160], 0);
    call.event(9_100 * MS, ended(Cause::RecordingClient));
    let keys = call.timeline().streams[0].keys.clone();
    assert_eq!(
        keys.len(),
        1,
        "the last packet has the timestamp of the one that ended: {keys:?}"
    );
    assert_eq!(keys[0].length_us, (0xffff + 160) * 125);
}

/// What the journal says of packets about keys that it leaves out.
fn without_keys(records: &[Record]) -> Vec<Record> {
    let left_out = |record: &Record| {
        let Record::Packet {
            stream,
            arrived,
            bytes,
            ..
        } = record
        else {
            return record.clone();
        };
        let packet = voicelog_model::rtp::RtpPacket::parse(bytes).unwrap();
        if packet.payload_type != 97 {
            return record.clone();
        }
        let packet = KeyPacket::of(&packet);
        let event = JournalEvent::KeyLeftOut {
            stream: *stream,
            packet,
        };
        Record::Event {
            at: *arrived,
            event,
        }
    };
    records.iter().map(left_out).collect()
}

#[test]
fn keys_that_the_journal_left_out_stand_in_the_timeline_all_the_same_and_are_no_loss() {
    let mut call = call_of(&["PCMA", "telephone-event"]);
    call.speak(0, 50, 96, &[0xd5; 160], 160, 20);
    let pressed = call.timestamp;
    for n in 1..=8_u8 {
        let end = if n > 5 { 0x80 } else { 0 };
        call.put(
            (1_000 + i64::from(n) * 20) * MS,
            97,
            &[5, end | 10, 3, n],
            0,
        );
    }
    call.timestamp = pressed.wrapping_add(160 * 8);
    call.speak(1_160 * MS, 42, 96, &[0xd5; 160], 160, 20);
    call.event(2_000 * MS, ended(Cause::RecordingClient));
    let kept = build(call.records.clone());
    let left_out = build(without_keys(&call.records));
    assert_eq!(kept.streams[0].keys.len(), 1);
    assert_eq!(left_out.streams[0].keys, kept.streams[0].keys);
    assert_eq!(left_out.streams[0].intervals, kept.streams[0].intervals);
    assert_eq!(
        (left_out.streams[0].lost, left_out.streams[0].left_out),
        (0, 8)
    );
}

/// What a packet of a generated call is.
#[derive(Debug, Clone, Copy)]
enum Step {
    Talk(usize),
    Lose(u16),
    Noise,
    Silence(i64),
    Key(u16),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..4_usize).prop_map(Step::Talk),
        1 => (1..4_u16).prop_map(Step::Lose),
        1 => Just(Step::Noise),
        1 => (1..60_i64).prop_map(Step::Silence),
        1 => (1..4_u16).prop_map(Step::Key),
    ];
    proptest::collection::vec(step, 1..120).prop_map(|steps| {
        // A call that begins and ends with speech: nothing at its edges needs an explanation.
        let talk = [Step::Talk(0), Step::Talk(0)];
        [&talk[..], &steps, &talk].concat()
    })
}

/// Plays the steps in slots of 20 ms; says how many packets of sound there were.
fn play(steps: &[Step]) -> (Call, u64) {
    let mut call = call_of(&[
        "PCMU",
        "telephone-event",
        "opus/48000/2",
        "G722",
        "EVS/16000",
    ]);
    let sounds: [(u8, &[u8], u32); 4] = [
        (96, &[0; 160], 8_000),
        (98, &[0x98, 0], 48_000),
        (99, &[0; 160], 8_000),
        (100, &[7; 20], 16_000),
    ];
    let (mut slot, mut spoken, mut marker) = (0_i64, 0, 0x80);
    // One SSRC has one clock; a packet of another rate tells the same moment in its own units.
    let put = |call: &mut Call, slot: i64, second: u8, payload: &[u8], rate: u32| {
        call.timestamp = u32::try_from(slot).unwrap() * (rate / 50);
        call.put((slot + 1) * 20 * MS, second, payload, 0);
    };
    for step in steps {
        match *step {
            Step::Talk(which) => {
                let (payload_type, payload, rate) = sounds[which];
                put(&mut call, slot, marker | payload_type, payload, rate);
                (slot, marker, spoken) = (slot + 1, 0, spoken + 1);
            }
            Step::Lose(packets) => {
                call.sequence = call.sequence.wrapping_add(packets);
                slot += i64::from(packets);
            }
            Step::Noise => put(&mut call, slot, 13, &[40], 8_000),
            Step::Silence(slots) => (slot, marker) = (slot + slots, 0x80),
            Step::Key(packets) => {
                for n in 0..packets {
                    put(&mut call, slot, 97, &[5, 10, 0, n.to_be_bytes()[1]], 8_000);
                }
            }
        }
    }
    call.event((slot + 1) * 20 * MS, ended(Cause::RecordingClient));
    (call, spoken)
}

proptest! {
    #[test]
    fn media_and_declared_intervals_are_the_call_whatever_codecs_silences_and_keys(steps in steps()) {
        let (call, spoken) = play(&steps);
        let packets = call.records.iter().filter(|record| matches!(record, Record::Packet { .. })).count();
        let records = call.records.clone();
        // It adjoins and covers the call: checked there.
        let timeline = call.timeline();
        let stream = &timeline.streams[0];
        let placed: u64 = stream.intervals.iter().map(|interval| interval.packets).sum();
        let counted = stream.duplicates + stream.late + stream.outside;
        prop_assert!(placed + counted >= spoken, "{placed} + {counted} of {spoken}");
        prop_assert_eq!(stream.packets, packets as u64);
        let undeclared = stream.intervals.iter().any(|interval| interval.kind == UndeclaredGap);
        prop_assert!(!undeclared, "{:?}", stream.intervals);
        let keys_left_out = build(without_keys(&records));
        prop_assert_eq!(&keys_left_out.streams[0].intervals, &stream.intervals);
        prop_assert_eq!(&keys_left_out.streams[0].keys, &stream.keys);
    }
}
