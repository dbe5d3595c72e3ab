//! Which packets are kept, and what is told of the others.

use super::*;

#[test]
fn a_foreign_source_and_what_is_no_rtp_of_ours_are_counted_and_not_kept() {
    let mut bench = Bench::keeping();
    bench.say(1);
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
    bench.keep();
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
    bench.keep();
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
    keeping.keep();
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
    bench.keep();
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
fn a_stranger_who_comes_first_and_stays_does_not_keep_the_client_off() {
    let mut bench = Bench::keeping();
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    for sequence in 0..10 {
        stranger
            .send_to(&rtp(8, 100 + sequence, 99), bench.rtp[0])
            .unwrap();
        bench.say(sequence);
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
    let bench = Bench::keeping();
    bench.say(1);
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
    let mut bench = Bench::keeping();
    let mut sent = 0_u64;
    while bench.counts().dropped == 0 {
        for _packet in 0..100 {
            let sequence = u16::try_from(sent % 65_536).unwrap();
            bench.say(sequence);
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

/// Protected media needs a sender, which is in the tests of the whole recorder; here it is only
/// what does not fit.
#[test]
fn packets_that_do_not_fit_the_key_are_counted_and_leave_the_source_as_it_was() {
    let mut bench = Bench::new(1);
    bench.session.protect_for_test(&our_key());
    bench.keep();
    bench.say(1);
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
