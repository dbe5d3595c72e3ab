//! Terms that change, sources that are doubted, and what was read a moment too late.

use super::*;
use crate::media::source::DOUBT_MICROS;

fn terms(formats: &[Format], key: Option<&MasterKey>) -> StreamTerms {
    let stream = MediaStream::of_formats(StreamNumber(1), formats).unwrap();
    let terms = StreamTerms::new(&stream, false);
    match key {
        None => terms,
        Some(key) => terms.protected(key, Unprotector::new(key).unwrap()),
    }
}

fn key(number: u8) -> MasterKey {
    MasterKey::of_random(Suite::AeadAes128Gcm, &[number; 64])
}

/// A report of the client, protected with its key.
fn protected_report(key: &MasterKey) -> Vec<u8> {
    let mut report = vec![0x80, 201, 0, 1];
    report.extend_from_slice(&SSRC.to_be_bytes());
    let protected = ControlProtector::new(key).unwrap().protect(&report);
    protected.unwrap()
}

#[test]
fn what_waits_when_a_stream_changes_is_kept_and_so_is_what_comes_as_it_was_agreed_before() {
    let mut bench = Bench::new(1);
    bench.session.keep(now(), Vec::new(), false);
    bench.send(&rtp(8, 1, SSRC));
    // Not read yet, as while the law is asked.
    let pcmu = terms(&[format(0, "PCMU")], None);
    bench.session.change_stream(pcmu, now());
    bench.send(&rtp(8, 2, SSRC));
    bench.send(&rtp(0, 3, SSRC));
    bench.sweep();
    assert_eq!(sequences(&bench.end()), [1, 2, 3]);
}

#[test]
fn a_payload_type_that_was_keys_is_not_kept_after_a_change_that_does_not_name_it() {
    let both = [format(8, "PCMA"), format(101, "telephone-event/8000")];
    let mut bench = Bench::of(1, &both, false);
    bench.session.keep(now(), Vec::new(), false);
    let pcmu = terms(&[format(0, "PCMU")], None);
    bench.session.change_stream(pcmu, now());
    bench.send(&rtp(101, 1, SSRC));
    bench.sweep();
    assert_eq!((bench.counts().kept, bench.counts().left_out), (0, 1));
}

#[test]
fn a_client_that_begins_to_protect_is_heard_in_the_clear_for_a_second_or_until_it_does() {
    let mut bench = Bench::new(1);
    bench.session.keep(now(), Vec::new(), false);
    let mine = key(1);
    let protected = || terms(&[format(8, "PCMA")], Some(&mine));
    bench.session.change_stream(protected(), now());
    bench.send(&rtp(8, 1, SSRC));
    bench.sweep();
    assert_eq!(bench.counts().kept, 1);
    let control = protected_report(&key(1));
    bench.send(&control);
    bench.sweep();
    bench.send(&rtp(8, 2, SSRC));
    bench.sweep();
    let counts = bench.counts();
    assert_eq!(
        (counts.control, counts.kept, counts.not_authentic),
        (1, 1, 1)
    );

    let mut bench = Bench::new(1);
    bench.session.keep(now(), Vec::new(), false);
    let long_ago = now().plus_micros(-1_000_000);
    bench.session.change_stream(protected(), long_ago);
    bench.send(&rtp(8, 1, SSRC));
    bench.sweep();
    assert_eq!((bench.counts().kept, bench.counts().not_authentic), (0, 1));
}

#[test]
fn a_client_that_stops_protecting_is_understood_in_both_ways() {
    let mut bench = Bench::new(1);
    bench.session.protect_for_test(&key(1));
    bench.session.keep(now(), Vec::new(), false);
    let plain = terms(&[format(8, "PCMA")], None);
    bench.session.change_stream(plain, now());
    bench.send(&rtp(8, 1, SSRC));
    bench.send(&protected_report(&key(1)));
    bench.sweep();
    let records = bench.end();
    assert_eq!(sequences(&records), [1]);
    let report = records.iter().find_map(|record| match record {
        Record::Packet {
            kind: PacketKind::Rtcp,
            bytes,
            ..
        } => Some(bytes.len()),
        _ => None,
    });
    assert_eq!(
        report,
        Some(8),
        "it is kept as it was before it was protected"
    );
}

#[test]
fn what_somebody_else_sends_waits_two_seconds_for_the_client_and_is_kept_if_it_does_not_come() {
    let mut bench = Bench::new(1);
    bench.session.keep(now(), Vec::new(), false);
    let elsewhere = UdpSocket::bind("127.0.0.1:0").unwrap();
    let send = |sequence| {
        elsewhere
            .send_to(&rtp(8, sequence, SSRC), bench.rtp[0])
            .unwrap()
    };
    send(1);
    send(2);
    bench.sweep();
    assert_eq!(bench.counts().kept, 0);
    let time = SweepTime::of_kernel().later(DOUBT_MICROS);
    bench.session.sweep(&mut bench.receiver, time, true);
    assert_eq!(bench.counts().kept, 2);
    assert_eq!(sequences(&bench.end()), [1, 2]);
}

#[test]
fn a_call_that_ends_before_the_two_seconds_keeps_what_came_of_it() {
    let mut bench = Bench::new(1);
    bench.session.keep(now(), Vec::new(), false);
    let elsewhere = UdpSocket::bind("127.0.0.1:0").unwrap();
    elsewhere.send_to(&rtp(8, 1, SSRC), bench.rtp[0]).unwrap();
    bench.sweep();
    assert_eq!(sequences(&bench.end()), [1]);
}

#[test]
fn what_waits_of_a_doubted_source_is_kept_no_longer_than_the_permit_reached() {
    let mut bench = Bench::new(1);
    bench.session.keep(now(), Vec::new(), false);
    let elsewhere = UdpSocket::bind("127.0.0.1:0").unwrap();
    elsewhere.send_to(&rtp(8, 1, SSRC), bench.rtp[0]).unwrap();
    bench.sweep();
    let changed_at = now();
    while now() <= changed_at {}
    elsewhere.send_to(&rtp(8, 2, SSRC), bench.rtp[0]).unwrap();
    bench.sweep();
    bench.close(changed_at, Vec::new(), None);
    bench.sweep();
    assert_eq!(bench.counts().without_permit, 1);
    assert_eq!(sequences(&bench.end()), [1]);
}

#[test]
fn once_a_change_of_the_facts_is_announced_nothing_more_is_read_or_handed_over() {
    let mut bench = Bench::new(1);
    bench.session.keep(now(), Vec::new(), false);
    bench.send(&rtp(8, 1, SSRC));
    bench.sweep();
    bench.shared.announce_hold();
    assert!(bench.session.is_held());
    bench.send(&rtp(8, 2, SSRC));
    bench.sweep();
    assert_eq!(bench.counts().kept, 1);
    // The command comes, and then the answer: a permit loses nothing.
    bench.session.hold();
    bench.session.keep(now(), Vec::new(), false);
    assert!(!bench.session.is_held());
    bench.sweep();
    assert_eq!(sequences(&bench.end()), [1, 2]);
}

fn permit_ended() -> JournalEvent {
    JournalEvent::PermitEnded {
        decision: DecisionId::from_bytes([1; 16]),
        reasons: Vec::new(),
    }
}

#[test]
fn what_was_read_after_the_facts_had_changed_is_taken_out_of_the_journal() {
    let mut bench = Bench::new(1);
    bench.session.keep(now(), Vec::new(), false);
    bench.send(&rtp(8, 1, SSRC));
    bench.sweep();
    let changed_at = now();
    while now() <= changed_at {}
    bench.send(&rtp(8, 2, SSRC));
    bench.sweep();
    bench.session.hold();
    bench.close(changed_at, vec![(changed_at, permit_ended())], None);
    bench.sweep();
    let counts = bench.counts();
    assert_eq!((counts.kept, counts.without_permit), (1, 1));
    let records = bench.end();
    assert_eq!(sequences(&records), [1]);
    assert_eq!(events(&records)[0], &permit_ended());
}

#[test]
fn what_is_taken_out_is_found_although_something_older_was_read_last() {
    let mut bench = Bench::new(2);
    bench.session.keep(now(), Vec::new(), false);
    let older = rtp(8, 7, SSRC + 1);
    bench.client.send_to(&older, bench.rtp[1]).unwrap();
    let changed_at = now();
    while now() <= changed_at {}
    bench.say(1);
    // The second stream is read after the first.
    bench.sweep();
    bench.close(changed_at, Vec::new(), None);
    bench.sweep();
    let counts = bench.counts();
    assert_eq!((counts.kept, counts.without_permit), (1, 1));
    assert_eq!(sequences(&bench.end()), [7]);
}

#[test]
fn no_packet_is_behind_the_end_of_its_permit_even_if_it_was_sealed_before_anybody_could_know() {
    let mut bench = Bench::new(1);
    bench.session.keep(now(), Vec::new(), false);
    let changed_at = now();
    while now() <= changed_at {}
    bench.send(&rtp(8, 1, SSRC));
    bench.sweep();
    let sealed = decode_chunk(&bench.handed_over().unwrap()).unwrap();
    let arrived = sealed[0].as_view().time();
    bench.close(changed_at, vec![(changed_at, permit_ended())], None);
    let records = bench.end();
    let ended = records.iter().find(|record| {
        matches!(
            record,
            Record::Event {
                event: JournalEvent::PermitEnded { .. },
                ..
            }
        )
    });
    assert!(ended.unwrap().as_view().time() > arrived);
}

#[test]
fn in_the_clear_nobody_is_believed_for_the_key_that_others_have() {
    let mut bench = Bench::new(1);
    // Who is not where the client said may be anybody.
    let named = "192.0.2.1:4000".parse().unwrap();
    bench.session.move_stream(StreamNumber(1), named);
    bench.keep();
    let protected = terms(&[format(8, "PCMA")], Some(&key(1)));
    bench.session.change_stream(protected, now());
    bench.say(1);
    bench.sweep();
    assert_eq!(bench.counts().kept, 0, "it waits for somebody better");
    assert_eq!(sequences(&bench.end()), [1]);
}

/// Sends from another host of loopback.
fn stranger() -> UdpSocket {
    UdpSocket::bind("127.0.0.2:0").unwrap()
}

#[test]
fn who_has_not_the_key_takes_no_place_while_the_recording_is_paused_and_keys_are_listened_for() {
    let mut bench = Bench::listening();
    // The client is behind a NAT, so that it fits the offer no better than anybody.
    let named = "192.0.2.1:4000".parse().unwrap();
    bench.session.move_stream(StreamNumber(1), named);
    bench.keep();
    bench.say(1);
    bench.sweep();
    bench.session.protect_for_test(&key(1));
    bench.pause(60_000);
    let press = [&rtp(101, 3, 99)[..12], &[1, 10, 0, 160]].concat();
    for packet in [rtp(8, 2, 99), press] {
        stranger().send_to(&packet, bench.rtp[0]).unwrap();
    }
    // The client has been silent for as long as lets another one take over.
    let time = SweepTime::of_kernel().later(3_000_000);
    bench.session.sweep(&mut bench.receiver, time, true);
    assert_eq!(bench.counts().paused, 2);
    assert!(bench.session.take_heard().is_empty());
    assert!(bench.resume());
    bench.send(&protected_report(&key(1)));
    bench.sweep();
    let counts = bench.counts();
    assert_eq!((counts.foreign, counts.control), (0, 1));
}

#[test]
fn what_waited_of_somebody_else_is_not_believed_once_the_client_was_heard_in_a_pause() {
    let mut bench = Bench::listening();
    bench.keep();
    stranger().send_to(&rtp(8, 1, 99), bench.rtp[0]).unwrap();
    bench.sweep();
    assert_eq!(bench.counts().kept, 0, "it waits for the client");
    bench.pause(60_000);
    bench.say(2);
    bench.sweep();
    assert!(bench.resume());
    bench.say(3);
    bench.sweep();
    let counts = bench.counts();
    assert_eq!((counts.kept, counts.foreign), (1, 1));
    assert_eq!(sequences(&bench.end()), [3]);
}
