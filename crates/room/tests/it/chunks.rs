//! What devices hand over: late, twice, out of turn, damaged, or not theirs to hand over.

use crate::support::*;
use voicelog_archive::timeline::Verdict;
use voicelog_room::{Act, ChunkRefused, Hash, RoomError, Seat};

#[test]
fn chunks_that_come_twenty_seconds_late_are_kept_where_they_belong() {
    let place = place();
    let meeting = place.recording();
    let (mut first, mut second) = (place.device(&meeting.host), place.device(&meeting.guest));
    record(&place, &mut [&mut first, &mut second], 2);
    second.send();
    // The network of the first is gone, and somebody pauses meanwhile.
    for _ in 0..10 {
        record(&place, &mut [&mut first, &mut second], 1);
        second.send();
    }
    place.rooms.act(&meeting.guest, Act::Pause).unwrap();
    record(&place, &mut [&mut first, &mut second], 3);
    place.rooms.act(&meeting.host, Act::Resume).unwrap();
    record(&place, &mut [&mut first, &mut second], 5);
    first.send();
    place.rooms.act(&meeting.host, Act::End).unwrap();
    first.end();
    second.end();
    let detail = place.closed(meeting.id);
    assert_eq!(
        verdict(&detail),
        Verdict::WholeWithDeclaredGaps,
        "{:#?}",
        timeline(&detail)
    );
    for stream in &timeline(&detail).streams {
        // Twelve seconds before the pause, five after it; nothing of the three between.
        let kept = stream.packets;
        assert!((848..=851).contains(&kept), "{kept}");
        assert_eq!((stream.outside, stream.lost), (0, 0));
        let pauses: Vec<_> = stream
            .intervals
            .iter()
            .filter_map(|one| one.pause.as_ref())
            .collect();
        assert_eq!(pauses.len(), 1);
        assert_eq!(pauses[0].party.as_deref(), Some("p2"));
    }
}

#[test]
fn a_chunk_is_taken_once_in_its_turn_and_whole() {
    let place = place();
    let meeting = place.recording();
    let mut device = place.device(&meeting.host);
    record(&place, &mut [&mut device], 3);
    let spool = std::mem::take(&mut device.spool);
    let next_of = |refused| match refused {
        Err(ChunkRefused::OutOfTurn { next }) => next,
        other => panic!("{other:?}"),
    };
    assert_eq!(next_of(device.put(1, &spool[1])), 0);
    assert_eq!(device.put(0, &spool[0]).unwrap(), 1);
    // The acknowledgement was lost on its way.
    assert_eq!(device.put(0, &spool[0]).unwrap(), 1);
    assert!(matches!(
        device.put(0, &spool[1]),
        Err(ChunkRefused::Differs { next: 1 })
    ));
    assert_eq!(next_of(device.put(2, &spool[2])), 1);
    // Chunk 2 at the address of chunk 1, one that was damaged, and one with another digest.
    let misplaced = device.put(1, &spool[2]);
    assert!(
        matches!(misplaced, Err(ChunkRefused::Malformed { next: 1, .. })),
        "{misplaced:?}"
    );
    let mut damaged = spool[1].clone();
    damaged[60] ^= 1;
    damaged.truncate(damaged.len() - 1);
    let damaged = device.put(1, &damaged);
    assert!(
        matches!(damaged, Err(ChunkRefused::Malformed { next: 1, .. })),
        "{damaged:?}"
    );
    let digest = place
        .rooms
        .take_chunk(&meeting.host, 1, 1, Hash([0; 32]), &spool[1]);
    assert!(matches!(digest, Err(ChunkRefused::Digest)));
    let large = vec![0; 100 * 262_144];
    assert!(matches!(device.put(1, &large), Err(ChunkRefused::TooLarge)));
    // None of it touched what is held.
    let held = place.rooms.track(&meeting.host, 1).unwrap();
    assert_eq!(
        (held.next, held.chain),
        (1, Hash::of(&spool[0]).to_string())
    );
    assert_eq!(device.put(1, &spool[1]).unwrap(), 2);
    assert_eq!(device.put(2, &spool[2]).unwrap(), 3);
    place.rooms.act(&meeting.host, Act::End).unwrap();
    device.end();
    let detail = place.closed(meeting.id);
    assert_eq!(verdict(&detail), Verdict::Whole);
    assert_eq!(timeline(&detail).streams[0].packets, 150);
}

#[test]
fn nobody_writes_in_somebody_elses_track() {
    let place = place();
    let meeting = place.recording();
    let mut device = place.device(&meeting.host);
    record(&place, &mut [&mut device], 1);
    let other = place.recording();
    let chunk = &device.spool[0];
    for seat in [&meeting.guest, &other.host] {
        let refused = put(&place.rooms, seat, 1, 0, chunk);
        assert!(
            matches!(refused, Err(ChunkRefused::NotFound)),
            "{refused:?}"
        );
        assert!(matches!(
            place.rooms.track(seat, 1),
            Err(RoomError::NotFound)
        ));
        let refused = place.rooms.end_track(seat, 1, 0, Hash::default());
        assert!(matches!(refused, Err(ChunkRefused::NotFound)));
    }
    let no_track = put(&place.rooms, &meeting.host, 2, 0, chunk);
    assert!(matches!(no_track, Err(ChunkRefused::NotFound)));
    device.send();
}

#[test]
fn what_claims_to_be_captured_later_than_now_is_refused_with_its_chunk() {
    let place = place();
    let meeting = place.recording();
    let mut device = place.device(&meeting.host);
    record(&place, &mut [&mut device], 5);
    place.wait(-4 * SECOND);
    assert_eq!(device.put(0, &device.spool[0]).unwrap(), 1);
    assert_eq!(device.put(1, &device.spool[1]).unwrap(), 2);
    assert_eq!(
        device.put(2, &device.spool[2]).unwrap(),
        3,
        "two clocks differ by two seconds"
    );
    let refused = device.put(3, &device.spool[3]);
    assert!(
        matches!(refused, Err(ChunkRefused::Malformed { next: 3, .. })),
        "{refused:?}"
    );
    place.wait(4 * SECOND);
    assert_eq!(device.put(3, &device.spool[3]).unwrap(), 4);
}

#[test]
fn after_its_end_a_track_takes_nothing_but_repetitions() {
    let place = place();
    let meeting = place.recording();
    let mut device = place.device(&meeting.host);
    record(&place, &mut [&mut device], 2);
    let spool = device.spool.clone();
    device.put(0, &spool[0]).unwrap();
    let end = |chunks, chain| {
        let seat: &Seat = &meeting.host;
        place.rooms.end_track(seat, 1, chunks, chain)
    };
    let early = end(2, device.chain);
    assert!(
        matches!(early, Err(ChunkRefused::OutOfTurn { next: 1 })),
        "{early:?}"
    );
    let other = end(1, Hash([1; 32]));
    assert!(
        matches!(other, Err(ChunkRefused::Differs { next: 1 })),
        "{other:?}"
    );
    assert!(!end(1, Hash::of(&spool[0])).unwrap().is_open);
    assert!(!end(1, Hash::of(&spool[0])).unwrap().is_open, "said twice");
    assert_eq!(device.put(0, &spool[0]).unwrap(), 1);
    let refused = device.put(1, &spool[1]);
    assert!(
        matches!(refused, Err(ChunkRefused::Ended { next: 1 })),
        "{refused:?}"
    );
}
