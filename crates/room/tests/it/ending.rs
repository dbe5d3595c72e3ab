//! The ends that nobody planned: the server stops, crashes, or has no room on its disk.

use crate::support::*;
use std::time::Duration;
use voicelog_archive::check::Level;
use voicelog_archive::journal::Cause;
use voicelog_archive::timeline::Verdict;
use voicelog_evidence::Provenance;
use voicelog_room::{Act, ChunkRefused, EndedBy, Hash, Phase, RoomError, Taken};
use voicelog_store::faulty::Schedule;

#[test]
fn when_the_server_stops_the_talk_is_closed_and_says_that_it_was_cut_short() {
    let place = place();
    let meeting = place.recording();
    let mut device = place.device(&meeting.host);
    record(&place, &mut [&mut device], 2);
    device.send();
    assert!(place.rooms.settle(Duration::from_secs(20)));
    let detail = place.archive.detail(meeting.id).unwrap();
    assert_eq!(verdict(&detail), Verdict::CutShort);
    assert_eq!(timeline(&detail).end, Some(Cause::Shutdown));
    assert_eq!(timeline(&detail).streams[0].packets, 100);
    record(&place, &mut [&mut device], 1);
    let refused = device.put(2, &device.spool[0]);
    assert!(
        matches!(refused, Err(ChunkRefused::Ended { next: 2 })),
        "{refused:?}"
    );
    assert!(matches!(
        place.rooms.open("contract", "anna", None),
        Err(RoomError::Busy(_))
    ));
}

#[test]
fn after_a_crash_all_that_was_acknowledged_is_there_and_it_is_still_of_a_room() {
    let place = place();
    let meeting = place.recording();
    let mut device = place.device(&meeting.host);
    record(&place, &mut [&mut device], 3);
    device.send();
    let id = meeting.id;
    drop(device);
    let (archive, _folder) = recovered(place);
    let detail = archive.detail(id).unwrap();
    assert_eq!(timeline(&detail).end, Some(Cause::Restart));
    assert_eq!(timeline(&detail).streams[0].packets, 150);
    assert_eq!(
        verdict(&detail),
        Verdict::CutShort,
        "{:#?}",
        timeline(&detail)
    );
    assert_eq!(detail.manifest.unwrap().provenance, Provenance::Room);
    let found = archive.check(Level::Hash).unwrap();
    assert!(found.wrong.is_empty(), "{:?}", found.wrong);
}

#[test]
fn on_a_full_disk_nothing_is_acknowledged_and_with_room_it_goes_on() {
    let disk = Schedule::counting();
    let place = place_on(&disk);
    let meeting = place.recording();
    let mut device = place.device(&meeting.host);
    record(&place, &mut [&mut device], 1);
    device.send();
    let before = disk.operations().len();
    disk.set_down(true);
    record(&place, &mut [&mut device], 8);
    let spool = std::mem::take(&mut device.spool);
    let take = |number: u32, chunk: &[u8]| {
        place
            .rooms
            .take_chunk(&meeting.host, 1, number, Hash::of(chunk), chunk)
    };
    // Some wait for the disk; then no more are taken.
    let mut waiting = Vec::new();
    let refused = loop {
        let number = waiting.len() + 1;
        match take(u32::try_from(number).unwrap(), &spool[number - 1]) {
            Ok(Taken::Waits(told)) => waiting.push(told),
            Ok(Taken::OnDisk(_)) => panic!("what no disk took is acknowledged"),
            Err(refused) => break refused,
        }
    };
    assert!(
        matches!(refused, ChunkRefused::Busy { next: 1, .. }),
        "{refused:?}"
    );
    assert!((1..=4).contains(&waiting.len()));
    until("the disk was tried", || {
        (disk.operations().len() > before + 2).then_some(())
    });
    assert!(waiting.iter_mut().all(|told| told.try_recv().is_err()));
    assert_eq!(place.rooms.track(&meeting.host, 1).unwrap().next, 1);
    disk.set_down(false);
    for told in waiting {
        assert!(told.blocking_recv().unwrap() >= 2);
    }
    for (number, chunk) in (1..).zip(&spool) {
        until("there is room", || device.put(number, chunk).ok());
    }
    place.rooms.act(&meeting.host, Act::End).unwrap();
    device.end();
    let detail = place.closed(meeting.id);
    assert_eq!(verdict(&detail), Verdict::Whole, "{:#?}", timeline(&detail));
    assert_eq!(timeline(&detail).streams[0].packets, 450);
}

#[test]
fn the_check_finds_a_closed_talk_in_order() {
    let place = place();
    let meeting = place.recording();
    let mut device = place.device(&meeting.host);
    record(&place, &mut [&mut device], 2);
    place.rooms.act(&meeting.host, Act::End).unwrap();
    device.end();
    place.closed(meeting.id);
    assert_eq!(place.state(&meeting.host).phase, Phase::Ended);
    place.archive.sequence().unwrap();
    let found = place.archive.check(Level::Hash).unwrap();
    assert!(found.wrong.is_empty(), "{:?}", found.wrong);
}

#[test]
fn after_twelve_hours_a_talk_ends_by_itself_and_everybody_was_told_when() {
    let place = place();
    let meeting = place.recording();
    let ends_at = place.state(&meeting.guest).ends_at.unwrap();
    assert_eq!(ends_at.micros_since(place.now()), 12 * 3_600 * SECOND);
    // Somebody is heard of now and then, so it is not left alone.
    for _ in 0..12 * 6 - 1 {
        place.wait(600 * SECOND);
        place.state(&meeting.host);
    }
    place.wait(597 * SECOND);
    let mut device = place.device(&meeting.host);
    record(&place, &mut [&mut device], 2);
    place.rooms.tick();
    assert_eq!(place.state(&meeting.host).phase, Phase::Recording);
    record(&place, &mut [&mut device], 1);
    place.rooms.tick();
    let state = place.state(&meeting.guest);
    assert_eq!(state.phase, Phase::Ended);
    assert_eq!(state.ended_by, Some(EndedBy::Length));
    // What was captured before it ended may still come.
    device.send();
    device.end();
    let detail = place.closed(meeting.id);
    assert_eq!(verdict(&detail), Verdict::CutShort);
    assert_eq!(timeline(&detail).streams[0].packets, 149);
}

#[test]
fn a_talk_that_could_not_be_opened_leaves_nothing() {
    let place = place();
    let opened = place.rooms.open("mistaken", "anna", None);
    assert!(matches!(opened, Err(RoomError::Archive(_))), "{opened:?}");
    assert!(place.archive.calls().is_empty());
    assert!(place.rooms.of_host("anna").is_empty());
}
