//! One call's media over real sockets, with the sweep and the commands called by hand.

mod changing;

use super::intake::WAITING_BYTES_MAX;
use super::receive::{Receiver, SweepTime};
use super::session::{Dated, MediaSession};
use super::stream::StreamMedia;
use super::terms::StreamTerms;
use super::{Attention, Listening, MediaCounts, OwnName, PauseOrder, SharedCounts};
use crate::chunks::Chunks;
use crate::pace;
use crate::ports::MediaPorts;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use voicelog_archive::journal::{
    Cause, JournalEvent, KeyPacket, PacketKind, PauseReason, PausedBy, Record, ResumedBy,
    decode_chunk,
};
use voicelog_archive::line::{KeyAct, Sequence};
use voicelog_model::{
    Codec, DecisionId, Format, MediaStream, RecordingId, StreamNumber, Timestamp,
};
use voicelog_srs::srtp::{ControlProtector, MasterKey, Suite, Unprotector};

const SSRC: u32 = 0xdead_beef;

struct Bench {
    session: MediaSession,
    receiver: Receiver,
    shared: Arc<SharedCounts>,
    rtp: Vec<SocketAddr>,
    client: UdpSocket,
}

fn now() -> Timestamp {
    Timestamp::from_micros(pace::kernel_micros().unwrap())
}

fn format(payload_type: u8, encoding: &str) -> Format {
    Format {
        codec: Codec::read(encoding).unwrap(),
        payload_type,
        parameters: None,
    }
}

fn rtp(payload_type: u8, sequence: u16, ssrc: u32) -> Vec<u8> {
    let mut bytes = vec![0x80, payload_type];
    bytes.extend_from_slice(&sequence.to_be_bytes());
    bytes.extend_from_slice(&(u32::from(sequence) * 160).to_be_bytes());
    bytes.extend_from_slice(&ssrc.to_be_bytes());
    bytes.extend_from_slice(&[0xd5; 160]);
    bytes
}

/// What the reports of the bench are protected with; its media is not.
fn our_key() -> MasterKey {
    MasterKey::of_random(Suite::AeadAes128Gcm, &[3; 64])
}

impl Bench {
    fn new(streams: u16) -> Self {
        Self::of(streams, &[format(8, "PCMA")], false)
    }

    fn of(streams: u16, formats: &[Format], keep_keys: bool) -> Self {
        let mut ports = MediaPorts::new([127, 0, 0, 1].into(), 0..=0);
        let shared = Arc::new(SharedCounts::default());
        let mut rtp = Vec::new();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        let offered = client.local_addr().unwrap();
        let streams = (1..=streams)
            .map(|number| {
                let pair = ports.bind().unwrap();
                rtp.push(pair.address);
                let stream = MediaStream::of_formats(StreamNumber(number), formats).unwrap();
                let terms = StreamTerms::new(&stream, keep_keys);
                let protector = ControlProtector::new(&our_key());
                let own = OwnName::of_random([5; 20]);
                let terms = terms.reporting(own, 8_000, true, protector);
                StreamMedia::new(terms, pair, Some(offered))
            })
            .collect();
        let id = RecordingId::new(now(), [1; 10]);
        Self {
            session: MediaSession::new(id, streams, Arc::clone(&shared)),
            receiver: Receiver::new(),
            shared,
            rtp,
            client,
        }
    }

    fn send(&self, bytes: &[u8]) {
        self.client.send_to(bytes, self.rtp[0]).unwrap();
    }

    fn sweep(&mut self) {
        let time = SweepTime::of_kernel();
        self.session.sweep(&mut self.receiver, time, true);
    }

    fn close(&mut self, since: Timestamp, events: Vec<Dated>, cause: Option<Cause>) {
        let time = SweepTime::of_kernel();
        self.session
            .close(&mut self.receiver, time, since, events, cause);
    }

    fn pause(&mut self, millis: i64) {
        let order = PauseOrder {
            reason: PauseReason::CardData,
            by: PausedBy::Program,
            party: None,
            micros: millis * 1_000,
        };
        let time = SweepTime::of_kernel();
        let status = self.session.pause(&mut self.receiver, time, order);
        assert!(status.is_some());
    }

    fn resume(&mut self) -> bool {
        let time = SweepTime::of_kernel();
        self.session.resume(time, ResumedBy::Program)
    }

    /// What the writer would get now.
    fn handed_over(&mut self) -> Option<Vec<u8>> {
        let mut chunks = Chunks::default();
        self.session.hand_over(now(), &mut chunks);
        chunks.iter().next().map(|(_, chunk)| chunk.to_vec())
    }

    fn counts(&self) -> MediaCounts {
        self.shared.read()
    }

    fn end(mut self) -> Vec<Record> {
        let at = now();
        let ended = vec![(
            at,
            JournalEvent::CallEnded {
                cause: Cause::RecordingClient,
            },
        )];
        let last = self
            .session
            .end(&mut self.receiver, SweepTime::of_kernel(), at, ended);
        last.map_or_else(Vec::new, |chunk| decode_chunk(&chunk).unwrap())
    }
}

fn sequences(records: &[Record]) -> Vec<u16> {
    records
        .iter()
        .filter_map(|record| match record {
            Record::Packet {
                bytes,
                kind: PacketKind::Rtp,
                ..
            } => Some(u16::from_be_bytes([bytes[2], bytes[3]])),
            _ => None,
        })
        .collect()
}

fn events(records: &[Record]) -> Vec<&JournalEvent> {
    records
        .iter()
        .filter_map(|record| match record {
            Record::Event { event, .. } => Some(event),
            Record::Packet { .. } => None,
        })
        .collect()
}

#[test]
fn what_arrived_before_the_permit_is_not_kept_even_if_it_is_read_after_it() {
    let mut bench = Bench::new(1);
    for sequence in 0..5 {
        bench.send(&rtp(8, sequence, SSRC));
    }
    bench.sweep();
    let permitted_at = now();
    for sequence in 5..8 {
        bench.send(&rtp(8, sequence, SSRC));
    }
    bench.session.keep(permitted_at, Vec::new(), false);
    bench.sweep();
    assert_eq!((bench.counts().kept, bench.counts().without_permit), (3, 5));
    assert_eq!(sequences(&bench.end()), [5, 6, 7]);
}

#[test]
fn without_a_permit_there_is_no_journal_at_all() {
    let mut bench = Bench::new(2);
    bench.close(now(), Vec::new(), None);
    for sequence in 0..30 {
        bench.send(&rtp(8, sequence, SSRC));
        bench.sweep();
    }
    assert_eq!(
        bench.counts(),
        MediaCounts {
            without_permit: 30,
            ..MediaCounts::default()
        }
    );
    assert!(bench.handed_over().is_none());
    assert!(bench.end().is_empty());
}

#[test]
fn what_waits_for_the_notice_is_heard_and_kept_from_the_notice_on_without_what_was_paused() {
    let mut bench = Bench::new(1);
    bench.session.attend(Attention::Listen(Some(60_000_000)));
    bench.close(now(), Vec::new(), None);
    let mut permitted_at = now();
    let mut pause_began = now();
    for sequence in 0..20 {
        match sequence {
            5 => permitted_at = now(),
            10 => {
                pause_began = now();
                bench.pause(60_000);
            }
            15 => assert!(bench.resume()),
            _ => {}
        }
        bench.send(&rtp(8, sequence, SSRC));
        bench.sweep();
        assert!(bench.session.overheard(now()).is_some() || (10..15).contains(&sequence));
        assert!(bench.handed_over().is_none());
    }
    let counts = bench.counts();
    assert_eq!((counts.waiting, counts.paused, counts.kept), (15, 5, 0));
    let decision = DecisionId::from_bytes([1; 16]);
    let permitted = vec![(permitted_at, JournalEvent::Permitted { decision })];
    bench.session.attend(Attention::Over);
    bench.session.release(permitted_at, permitted, false);
    bench.send(&rtp(8, 20, SSRC));
    bench.sweep();
    let counts = bench.counts();
    assert_eq!(
        (counts.waiting, counts.without_permit, counts.kept),
        (0, 5, 11)
    );
    let mut chunks = Chunks::default();
    bench.session.hand_over(now(), &mut chunks);
    let chunks = chunks.iter().map(|(_, chunk)| decode_chunk(chunk).unwrap());
    let mut records: Vec<_> = chunks.flatten().collect();
    records.extend(bench.end());
    let kept = sequences(&records);
    assert_eq!(kept, [5, 6, 7, 8, 9, 15, 16, 17, 18, 19, 20]);
    assert!(matches!(
        events(&records)[..],
        [
            JournalEvent::Permitted { .. },
            JournalEvent::RecordingPaused { .. },
            JournalEvent::RecordingResumed { .. },
            JournalEvent::CallEnded { .. },
        ]
    ));
    let paused = records.iter().find(|record| {
        let event = record.as_view();
        event.time() >= pause_began
    });
    assert!(matches!(
        paused,
        Some(Record::Event {
            event: JournalEvent::RecordingPaused { .. },
            ..
        })
    ));
}

#[test]
fn what_waited_in_vain_is_dropped_and_counted() {
    for ended in [false, true] {
        let mut bench = Bench::new(1);
        bench.session.attend(Attention::Listen(Some(60_000_000)));
        bench.close(now(), Vec::new(), None);
        for sequence in 0..5 {
            bench.send(&rtp(8, sequence, SSRC));
        }
        bench.sweep();
        assert_eq!(bench.counts().waiting, 5);
        if ended {
            let shared = Arc::clone(&bench.shared);
            assert!(bench.end().is_empty());
            assert_eq!(
                (shared.read().waiting, shared.read().without_permit),
                (0, 5)
            );
        } else {
            bench.session.keep(now(), Vec::new(), false);
            bench.sweep();
            assert_eq!(
                (bench.counts().waiting, bench.counts().without_permit),
                (0, 5)
            );
            assert!(sequences(&bench.end()).is_empty());
        }
    }
}

#[test]
fn while_the_law_is_asked_again_packets_wait_and_a_permit_loses_none_of_them() {
    let mut bench = Bench::new(1);
    bench.session.keep(now(), Vec::new(), false);
    bench.send(&rtp(8, 1, SSRC));
    bench.sweep();
    bench.session.hold();
    bench.send(&rtp(8, 2, SSRC));
    bench.sweep();
    assert_eq!(bench.counts().kept, 1);
    bench.session.keep(now(), Vec::new(), false);
    bench.sweep();
    assert_eq!(sequences(&bench.end()), [1, 2]);
}

#[test]
fn a_refusal_holds_from_the_moment_the_facts_changed() {
    let mut bench = Bench::new(1);
    bench.session.keep(now(), Vec::new(), false);
    bench.send(&rtp(8, 1, SSRC));
    let changed_at = now().plus_micros(1);
    bench.session.hold();
    while now() <= changed_at {}
    bench.send(&rtp(8, 2, SSRC));
    bench.close(changed_at, Vec::new(), None);
    bench.send(&rtp(8, 3, SSRC));
    bench.sweep();
    assert_eq!(sequences(&bench.end()), [1]);
}

#[test]
fn what_is_thrown_away_without_a_refusal_is_told_when_it_goes_on() {
    let mut bench = Bench::new(1);
    bench.session.keep(now(), Vec::new(), false);
    bench.close(now(), Vec::new(), Some(Cause::Refusal));
    bench.send(&rtp(8, 1, SSRC));
    bench.send(&rtp(8, 2, SSRC));
    bench.sweep();
    bench.session.keep(now(), Vec::new(), false);
    let records = bench.end();
    let dropped = JournalEvent::MediaDropped {
        stream: StreamNumber(1),
        packets: 2,
        cause: Cause::Refusal,
    };
    assert_eq!(events(&records)[0], &dropped);
}

#[test]
fn what_came_while_the_law_was_asked_after_a_refusal_is_not_kept() {
    let mut bench = Bench::new(1);
    bench.session.keep(now(), Vec::new(), false);
    bench.send(&rtp(8, 1, SSRC));
    bench.sweep();
    bench.close(now(), Vec::new(), None);
    bench.session.hold();
    bench.send(&rtp(8, 2, SSRC));
    bench.sweep();
    let permitted_at = now();
    bench.send(&rtp(8, 3, SSRC));
    bench.session.keep(permitted_at, Vec::new(), false);
    bench.sweep();
    assert_eq!((bench.counts().kept, bench.counts().without_permit), (2, 1));
    assert_eq!(sequences(&bench.end()), [1, 3]);
}

#[test]
fn a_second_refusal_keeps_nothing_of_what_came_since_the_first() {
    let mut bench = Bench::new(1);
    bench.session.keep(now(), Vec::new(), false);
    bench.close(now(), Vec::new(), None);
    bench.send(&rtp(8, 1, SSRC));
    bench.session.hold();
    bench.send(&rtp(8, 2, SSRC));
    let since = now().plus_micros(1_000_000);
    bench.close(since, Vec::new(), None);
    bench.sweep();
    assert_eq!((bench.counts().kept, bench.counts().without_permit), (0, 2));
    assert!(sequences(&bench.end()).is_empty());
}

#[test]
fn a_permit_for_facts_that_have_changed_keeps_nothing_before_the_next_answer() {
    let mut bench = Bench::new(1);
    let permitted_at = now();
    bench.session.keep(permitted_at, Vec::new(), true);
    bench.send(&rtp(8, 1, SSRC));
    bench.sweep();
    assert_eq!(bench.counts().kept, 0);
    // A permission loses nothing, a refusal holds from the change on.
    bench.session.keep(now(), Vec::new(), false);
    bench.sweep();
    bench.session.hold();
    let changed_at = now().plus_micros(1);
    while now() <= changed_at {}
    bench.send(&rtp(8, 2, SSRC));
    bench.session.keep(now(), Vec::new(), true);
    bench.close(changed_at, Vec::new(), None);
    assert_eq!(sequences(&bench.end()), [1]);
}

#[test]
fn what_waited_without_an_answer_is_told_as_dropped_however_often_the_law_was_asked() {
    let mut bench = Bench::new(1);
    bench.session.keep(now(), Vec::new(), false);
    bench.send(&rtp(8, 1, SSRC));
    bench.sweep();
    bench.session.hold();
    let held_at = now();
    bench.send(&rtp(8, 2, SSRC));
    bench.close(held_at, Vec::new(), Some(Cause::Refusal));
    bench.send(&rtp(8, 3, SSRC));
    bench.sweep();
    bench.session.hold();
    bench.send(&rtp(8, 4, SSRC));
    bench.close(held_at, Vec::new(), Some(Cause::Refusal));
    bench.sweep();
    bench.session.hold();
    bench.send(&rtp(8, 5, SSRC));
    let permitted_at = now();
    bench.send(&rtp(8, 6, SSRC));
    bench.session.keep(permitted_at, Vec::new(), false);
    let records = bench.end();
    assert_eq!(sequences(&records), [1, 6]);
    let dropped = JournalEvent::MediaDropped {
        stream: StreamNumber(1),
        packets: 4,
        cause: Cause::Refusal,
    };
    assert_eq!(events(&records)[0], &dropped);
    assert_eq!(events(&records).len(), 2);
}

#[test]
fn a_foreign_source_and_what_is_no_rtp_of_ours_are_counted_and_not_kept() {
    let mut bench = Bench::new(1);
    bench.session.keep(now(), Vec::new(), false);
    bench.send(&rtp(8, 1, SSRC));
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    stranger.send_to(&rtp(8, 2, 99), bench.rtp[0]).unwrap();
    bench.send(&rtp(0, 3, SSRC));
    bench.send(b"hello");
    bench.send(&[0x80; 3_000]);
    bench.send(&rtp(13, 4, SSRC));
    bench.sweep();
    let counts = bench.counts();
    assert_eq!((counts.kept, counts.foreign, counts.unusable), (2, 1, 3));
    assert_eq!(sequences(&bench.end()), [1, 4]);
}

/// What was offered of key presses and of three codecs.
fn formats() -> Vec<Format> {
    vec![
        format(9, "G722"),
        format(96, "opus/48000/2"),
        format(97, "EVS/16000"),
        format(101, "telephone-event"),
    ]
}

#[test]
fn every_payload_type_that_was_agreed_is_kept_also_one_that_nobody_can_decode() {
    let mut bench = Bench::of(1, &formats(), false);
    bench.session.keep(now(), Vec::new(), false);
    for (sequence, payload_type) in (1..).zip([9, 96, 97, 13, 9, 0, 8, 98]) {
        bench.send(&rtp(payload_type, sequence, SSRC));
    }
    bench.sweep();
    assert_eq!((bench.counts().kept, bench.counts().unusable), (5, 3));
    assert_eq!(sequences(&bench.end()), [1, 2, 3, 4, 5]);
}

#[test]
fn which_key_was_pressed_is_not_kept_and_the_journal_says_that_it_was_left_out() {
    let digit = 7;
    let key = |sequence| {
        let mut packet = rtp(101, sequence, SSRC);
        packet.truncate(12);
        packet.extend_from_slice(&[digit, 0x8a, 0x03, 0x20]);
        packet
    };
    let mut bench = Bench::of(1, &formats(), false);
    bench.session.keep(now(), Vec::new(), false);
    bench.send(&rtp(9, 1, SSRC));
    bench.send(&key(2));
    bench.send(&rtp(9, 3, SSRC));
    bench.sweep();
    assert_eq!((bench.counts().kept, bench.counts().left_out), (2, 1));
    let records = bench.end();
    assert_eq!(sequences(&records), [1, 3]);
    let packet = KeyPacket {
        payload_type: 101,
        sequence: 2,
        timestamp: 320,
        ssrc: SSRC,
        duration: 800,
        has_ended: true,
    };
    let stream = StreamNumber(1);
    assert!(events(&records).contains(&&JournalEvent::KeyLeftOut { stream, packet }));

    let mut keeping = Bench::of(1, &formats(), true);
    keeping.session.keep(now(), Vec::new(), false);
    keeping.send(&rtp(9, 1, SSRC));
    keeping.send(&key(2));
    keeping.sweep();
    assert_eq!((keeping.counts().kept, keeping.counts().left_out), (2, 0));
    let kept = keeping.end();
    assert!(
        kept.iter()
            .any(|record| matches!(record, Record::Packet { bytes, .. } if *bytes == key(2)))
    );
}

#[test]
fn a_flood_of_key_presses_is_bounded_and_counted() {
    let mut bench = Bench::of(1, &formats(), false);
    bench.session.keep(now(), Vec::new(), false);
    let mut sent = 0;
    while bench.counts().dropped == 0 && sent < 60_000 {
        for _ in 0..100 {
            bench.send(&rtp(101, sent, SSRC));
            sent += 1;
        }
        bench.sweep();
    }
    let counts = bench.counts();
    assert!(counts.dropped > 0 && counts.left_out < 3_000, "{counts:?}");
    let records = bench.end();
    let dropped = events(&records).into_iter().any(|event| {
        matches!(
            event,
            JournalEvent::MediaDropped {
                cause: Cause::Overload,
                ..
            }
        )
    });
    assert!(dropped);
}

#[test]
fn control_packets_of_the_streams_host_are_kept_from_both_ports() {
    let mut bench = Bench::new(1);
    bench.session.keep(now(), Vec::new(), false);
    let report = [0x80, 200, 0, 6, 0, 0, 0, 1];
    let mut control = bench.rtp[0];
    control.set_port(control.port() + 1);
    bench.client.send_to(&report, control).unwrap();
    bench.sweep();
    assert_eq!(bench.counts().foreign, 1, "no source is known yet");
    bench.send(&rtp(8, 1, SSRC));
    bench.sweep();
    bench.send(&report);
    bench.client.send_to(&report, control).unwrap();
    bench.client.send_to(&rtp(8, 2, SSRC), control).unwrap();
    bench.sweep();
    let counts = bench.counts();
    assert_eq!((counts.kept, counts.control, counts.unusable), (1, 2, 1));
}

#[test]
fn a_stranger_who_comes_first_and_stays_does_not_keep_the_client_off() {
    let mut bench = Bench::new(1);
    bench.session.keep(now(), Vec::new(), false);
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    for sequence in 0..10 {
        stranger
            .send_to(&rtp(8, 100 + sequence, 99), bench.rtp[0])
            .unwrap();
        bench.send(&rtp(8, sequence, SSRC));
    }
    bench.sweep();
    assert_eq!((bench.counts().kept, bench.counts().foreign), (10, 10));
    assert_eq!(bench.counts().source_changes, 1);
    let records = bench.end();
    assert_eq!(sequences(&records), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let changed = JournalEvent::SourceChanged {
        stream: StreamNumber(1),
        was_elsewhere: false,
    };
    assert_eq!(events(&records)[0], &changed);
}

#[test]
fn a_stream_that_changes_its_ssrc_says_so_in_the_journal() {
    let mut bench = Bench::new(1);
    bench.session.keep(now(), Vec::new(), false);
    bench.send(&rtp(8, 1, SSRC));
    bench.send(&rtp(8, 2, SSRC + 1));
    let records = bench.end();
    assert_eq!(sequences(&records), [1, 2]);
    let changed = JournalEvent::SourceChanged {
        stream: StreamNumber(1),
        was_elsewhere: false,
    };
    assert_eq!(events(&records)[0], &changed);
}

#[test]
fn a_journal_that_nobody_takes_stays_within_its_bound_and_counts_the_rest() {
    let mut bench = Bench::new(1);
    bench.session.keep(now(), Vec::new(), false);
    let mut sent = 0_u64;
    while bench.counts().dropped == 0 {
        for _packet in 0..100 {
            let sequence = u16::try_from(sent % 65_536).unwrap();
            bench.send(&rtp(8, sequence, SSRC));
            sent += 1;
        }
        bench.sweep();
        assert!(sent < 10_000);
    }
    let counts = bench.counts();
    assert_eq!(counts.kept + counts.dropped, sent);
    let chunk = bench.handed_over().unwrap();
    assert!(chunk.len() < WAITING_BYTES_MAX + 300);
    let told = decode_chunk(&bench.handed_over().unwrap()).unwrap();
    let dropped = JournalEvent::MediaDropped {
        stream: StreamNumber(1),
        packets: counts.dropped,
        cause: Cause::Overload,
    };
    assert_eq!(events(&told), [&dropped]);
}

#[test]
fn a_key_that_comes_while_the_law_is_being_asked_counts_though_the_answer_is_no() {
    let key_of = |sequence: u16| [&rtp(101, sequence, SSRC)[..12], &[1, 10, 0, 160]].concat();
    let formats = [format(8, "PCMA"), format(101, "telephone-event")];
    let mut bench = Bench::of(1, &formats, false);
    let sequence = Sequence::try_from("1".to_owned()).unwrap();
    let listening = Listening {
        party: Some("p2".to_owned()),
        acts: Arc::new(vec![(sequence, KeyAct::Consent)]),
    };
    bench.session.listen(&[(StreamNumber(1), listening)], 0);
    bench.session.keep(now(), Vec::new(), false);
    bench.send(&rtp(8, 1, SSRC));
    bench.sweep();
    let changed = now();
    bench.session.hold();
    bench.send(&rtp(8, 2, SSRC));
    bench.send(&key_of(3));
    bench.close(changed, Vec::new(), None);
    let heard = bench.session.take_heard();
    let acts: Vec<_> = heard.iter().map(|heard| heard.act).collect();
    assert_eq!(acts, [KeyAct::Consent]);
    assert_eq!((bench.counts().kept, bench.counts().left_out), (1, 0));
}

#[test]
fn after_a_failure_only_the_end_is_said() {
    let mut bench = Bench::new(1);
    bench.session.keep(now(), Vec::new(), false);
    bench.send(&rtp(8, 1, SSRC));
    bench.sweep();
    bench.session.fail();
    bench.session.keep(now(), Vec::new(), false);
    bench.send(&rtp(8, 2, SSRC));
    bench.sweep();
    let records = bench.end();
    assert!(sequences(&records).is_empty());
    let ended = JournalEvent::CallEnded {
        cause: Cause::RecordingClient,
    };
    assert_eq!(events(&records), [&ended]);
}

/// Sends packets and sweeps as if so many seconds later; the datagrams that came back.
fn reports_after(bench: &mut Bench, seconds: i64) -> Vec<Vec<u8>> {
    bench.send(&rtp(8, 1, SSRC));
    bench.sweep();
    let time = SweepTime::of_kernel().later(seconds * 1_000_000);
    bench.session.sweep(&mut bench.receiver, time, true);
    bench.client.set_nonblocking(true).unwrap();
    let mut bytes = [0; 2_048];
    std::iter::from_fn(|| {
        let length = bench.client.recv(&mut bytes).ok()?;
        Some(bytes[..length].to_vec())
    })
    .collect()
}

#[test]
fn a_source_that_is_kept_gets_a_report_protected_with_our_key() {
    let mut bench = Bench::new(1);
    bench.session.keep(now(), Vec::new(), false);
    let mut reports = reports_after(&mut bench, 10);
    assert_eq!(reports.len(), 1);
    let report = Unprotector::new(&our_key()).unwrap();
    let mut report = report;
    let plain = report.control(&mut reports[0]).unwrap();
    assert_eq!(plain[..4], [0x81, 201, 0, 7]);
    assert_eq!(plain[8..12], SSRC.to_be_bytes());
}

#[test]
fn without_a_permit_and_while_the_law_is_asked_nobody_gets_a_report() {
    let mut bench = Bench::new(1);
    assert!(reports_after(&mut bench, 10).is_empty());
    bench.close(now(), Vec::new(), None);
    assert!(reports_after(&mut bench, 20).is_empty());
}

#[test]
fn a_goodbye_of_the_source_is_noted_until_it_sends_again() {
    let mut bench = Bench::new(1);
    bench.session.keep(now(), Vec::new(), false);
    bench.send(&rtp(8, 1, SSRC));
    let goodbye = |ssrc: u32| [&[0x81, 203, 0, 1][..], &ssrc.to_be_bytes()].concat();
    bench.send(&goodbye(SSRC + 1));
    bench.sweep();
    assert!(!bench.counts().has_left(StreamNumber(1)), "of another one");
    bench.send(&goodbye(SSRC));
    bench.sweep();
    assert!(bench.counts().has_left(StreamNumber(1)));
    bench.send(&rtp(8, 2, SSRC));
    bench.sweep();
    assert!(!bench.counts().has_left(StreamNumber(1)));
    assert_eq!(bench.counts().control, 2, "the packets themselves are kept");
}

/// Protected media needs a sender, which is in the tests of the whole recorder; here it is only
/// what does not fit.
#[test]
fn packets_that_do_not_fit_the_key_are_counted_and_leave_the_source_as_it_was() {
    let mut bench = Bench::new(1);
    bench.session.protect_for_test(&our_key());
    bench.session.keep(now(), Vec::new(), false);
    bench.send(&rtp(8, 1, SSRC));
    bench.send(&[0x80, 8, 0]);
    let report = [&[0x80, 201, 0, 1][..], &SSRC.to_be_bytes(), &[0; 30]].concat();
    bench.send(&report);
    bench.sweep();
    let counts = bench.counts();
    assert_eq!(
        (counts.not_authentic, counts.unusable, counts.kept),
        (2, 1, 0)
    );
    assert!(sequences(&bench.end()).is_empty());
}
