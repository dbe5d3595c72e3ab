//! What is not kept, and how the timeline says so.

use crate::support::*;
use voicelog_archive::journal::Cause;
use voicelog_archive::timeline::{IntervalKind, Verdict};
use voicelog_room::{Act, Choice, Phase, RoomError};
use voicelog_store::faulty::Schedule;

#[test]
fn who_withdraws_is_not_recorded_from_that_moment_on() {
    let place = place();
    let meeting = place.meet("consent");
    place.rooms.choose(&meeting.guest, Choice::Agreed).unwrap();
    place.rooms.act(&meeting.host, Act::Start).unwrap();
    let mut device = place.device(&meeting.host);
    record(&place, &mut [&mut device], 2);
    place.rooms.act(&meeting.guest, Act::Withdraw).unwrap();
    assert_eq!(place.state(&meeting.host).phase, Phase::Refused);
    record(&place, &mut [&mut device], 3);
    device.send();
    place.rooms.choose(&meeting.guest, Choice::Agreed).unwrap();
    record(&place, &mut [&mut device], 1);
    place.rooms.act(&meeting.host, Act::End).unwrap();
    device.end();
    let detail = place.closed(meeting.id);
    assert_eq!(
        verdict(&detail),
        Verdict::WholeWithDeclaredGaps,
        "{:#?}",
        timeline(&detail)
    );
    let stream = &timeline(&detail).streams[0];
    assert!((148..=151).contains(&stream.packets), "{}", stream.packets);
    let refused = stream
        .intervals
        .iter()
        .find(|one| one.cause == Some(Cause::Refusal))
        .unwrap();
    assert_eq!((refused.start_us, refused.end_us), (2_000_000, 5_000_000));
    assert!(!refused.grounds.is_empty());
    assert_eq!(timeline(&detail).refusals[0].party, "p2");
}

#[test]
fn of_who_leaves_nothing_is_kept_that_their_device_records_later() {
    let place = place();
    let meeting = place.recording();
    let code = place.state(&meeting.host).code.unwrap();
    let third = place.rooms.join(&code, None, [3; 32]).unwrap();
    place.rooms.choose(&third, Choice::RecordsToo).unwrap();
    let (mut first, mut leaving) = (place.device(&meeting.host), place.device(&third));
    record(&place, &mut [&mut first, &mut leaving], 2);
    first.send();
    place.rooms.act(&third, Act::Leave).unwrap();
    record(&place, &mut [&mut first, &mut leaving], 3);
    first.send();
    leaving.send();
    assert!(!place.state(&meeting.host).parties[2].is_there);
    assert_eq!(place.state(&meeting.host).phase, Phase::Recording);
    // With the second one gone there is no talk any more.
    place.rooms.act(&meeting.guest, Act::Leave).unwrap();
    assert_eq!(place.state(&meeting.host).phase, Phase::Ended);
    first.end();
    leaving.end();
    let detail = place.closed(meeting.id);
    assert_eq!(
        verdict(&detail),
        Verdict::WholeWithDeclaredGaps,
        "{:#?}",
        timeline(&detail)
    );
    let [stays, left] = &timeline(&detail).streams[..] else {
        panic!()
    };
    assert_eq!(stays.packets, 250);
    assert!((99..=100).contains(&left.packets), "{}", left.packets);
    let gone: Vec<_> = timeline(&detail)
        .presence
        .iter()
        .map(|one| one.party.as_str())
        .collect();
    assert_eq!(gone, ["p3", "p3", "p2"], "joined, left, left");
}

#[test]
fn a_page_that_is_loaded_again_goes_on_with_a_declared_gap() {
    let place = place();
    let meeting = place.recording();
    let mut device = place.device(&meeting.host);
    record(&place, &mut [&mut device], 2);
    let last = device.now();
    place.wait(3 * SECOND);
    device.interrupted(last, "reloaded");
    device.resumed();
    record(&place, &mut [&mut device], 2);
    device.send();
    place.rooms.act(&meeting.host, Act::End).unwrap();
    device.end();
    let detail = place.closed(meeting.id);
    assert_eq!(
        verdict(&detail),
        Verdict::WholeWithDeclaredGaps,
        "{:#?}",
        timeline(&detail)
    );
    let stream = &timeline(&detail).streams[0];
    assert_eq!((stream.packets, stream.outside), (200, 0));
    let paused: Vec<_> = stream
        .intervals
        .iter()
        .filter(|one| one.kind == IntervalKind::Paused)
        .collect();
    assert_eq!(paused.len(), 1);
    assert_eq!(
        (paused[0].start_us, paused[0].end_us),
        (2_000_000, 5_000_000)
    );
    assert_eq!(paused[0].cause, Some(Cause::DeviceReloaded));
}

#[test]
fn a_mark_that_comes_after_a_later_pause_was_written_still_explains_its_gap() {
    let place = place();
    let meeting = place.recording();
    let mut device = place.device(&meeting.host);
    record(&place, &mut [&mut device], 2);
    device.interrupted(device.now(), "call");
    place.wait(4 * SECOND);
    device.resumed();
    record(&place, &mut [&mut device], 2);
    place.rooms.act(&meeting.guest, Act::Pause).unwrap();
    place.wait(2 * SECOND);
    place.rooms.act(&meeting.guest, Act::Resume).unwrap();
    record(&place, &mut [&mut device], 2);
    // Only now has it a network again.
    device.send();
    place.rooms.act(&meeting.host, Act::End).unwrap();
    device.end();
    let detail = place.closed(meeting.id);
    assert_eq!(
        verdict(&detail),
        Verdict::WholeWithDeclaredGaps,
        "{:#?}",
        timeline(&detail)
    );
    let stream = &timeline(&detail).streams[0];
    assert_eq!((stream.outside, stream.lost), (0, 0));
    let missing = stream
        .intervals
        .iter()
        .find(|one| one.kind == IntervalKind::Dropped)
        .unwrap();
    assert_eq!((missing.start_us, missing.end_us), (2_000_000, 6_000_000));
    assert_eq!(missing.cause, Some(Cause::DeviceCall));
}

#[test]
fn a_device_that_died_is_declared_from_its_last_packet_on() {
    let place = place();
    let meeting = place.recording();
    let (mut first, mut dies) = (place.device(&meeting.host), place.device(&meeting.guest));
    record(&place, &mut [&mut first, &mut dies], 2);
    dies.send();
    for _ in 0..10 {
        record(&place, &mut [&mut first], 10);
        first.send();
        place.rooms.tick();
    }
    let seen = place.state(&meeting.host).parties[1].tracks.clone();
    assert!(
        seen[0].is_interrupted && seen[0].silent_for_s == 100,
        "{seen:?}"
    );
    place.rooms.act(&meeting.guest, Act::Pause).unwrap();
    place.wait(SECOND);
    place.rooms.act(&meeting.guest, Act::Resume).unwrap();
    record(&place, &mut [&mut first], 5);
    place.rooms.act(&meeting.host, Act::End).unwrap();
    first.end();
    place.rooms.tick();
    assert!(
        place.state(&meeting.host).fingerprint.is_none(),
        "its last chunks may still come"
    );
    place.wait(120 * SECOND);
    let detail = place.closed(meeting.id);
    assert_eq!(
        verdict(&detail),
        Verdict::WholeWithDeclaredGaps,
        "{:#?}",
        timeline(&detail)
    );
    let died = &timeline(&detail).streams[1];
    assert_eq!(died.packets, 100);
    let caused: Vec<_> = died
        .intervals
        .iter()
        .filter(|one| one.cause == Some(Cause::TimeOut))
        .collect();
    assert_eq!(caused.len(), 2, "before the pause and after it");
}

#[test]
fn where_the_law_cannot_be_asked_nothing_is_kept_until_it_was() {
    let index = Schedule::counting();
    let place = place_with_index(&index);
    let meeting = place.meet("consent");
    place.rooms.choose(&meeting.guest, Choice::Agreed).unwrap();
    place.rooms.act(&meeting.host, Act::Start).unwrap();
    let mut device = place.device(&meeting.host);
    record(&place, &mut [&mut device], 2);
    device.send();
    index.set_down(true);
    let withdrawn = place.rooms.act(&meeting.guest, Act::Withdraw);
    assert!(
        matches!(withdrawn, Err(RoomError::Archive(_))),
        "{withdrawn:?}"
    );
    assert_eq!(place.state(&meeting.host).phase, Phase::Refused);
    record(&place, &mut [&mut device], 2);
    device.send();
    let agreed = place.rooms.choose(&meeting.guest, Choice::Agreed);
    assert!(agreed.is_err() && place.state(&meeting.host).phase == Phase::Refused);
    record(&place, &mut [&mut device], 2);
    device.send();
    index.set_down(false);
    until("the law is asked again", || {
        place.rooms.tick();
        (place.state(&meeting.host).phase == Phase::Recording).then_some(())
    });
    record(&place, &mut [&mut device], 1);
    place.rooms.act(&meeting.host, Act::End).unwrap();
    device.end();
    let detail = place.closed(meeting.id);
    assert_eq!(
        verdict(&detail),
        Verdict::WholeWithDeclaredGaps,
        "{:#?}",
        timeline(&detail)
    );
    let stream = &timeline(&detail).streams[0];
    assert_eq!(stream.outside, 0);
    assert!((147..=151).contains(&stream.packets), "{}", stream.packets);
}

#[test]
fn who_says_no_is_heard_however_often_they_changed_their_mind() {
    let place = place();
    let meeting = place.meet("consent");
    let choose = |choice| place.rooms.choose(&meeting.guest, choice);
    for _ in 0..100 {
        choose(Choice::Agreed).unwrap();
    }
    choose(Choice::RatherNot).unwrap();
    assert!(matches!(choose(Choice::Agreed), Err(RoomError::Full(_))));
    choose(Choice::RatherNot).unwrap();
    assert_eq!(place.state(&meeting.host).phase, Phase::Refused);
    let decisions = place.archive.detail(meeting.id).unwrap().decisions;
    assert_eq!(decisions.len(), 2, "the same choice is no new question");
}

#[test]
fn who_objects_is_asked_about_at_once_and_it_is_on_the_timeline() {
    let place = place();
    let meeting = place.recording();
    let mut device = place.device(&meeting.host);
    record(&place, &mut [&mut device], 1);
    place.rooms.act(&meeting.guest, Act::Object).unwrap();
    let decision = place.state(&meeting.host).decision.unwrap();
    let phase = place.state(&meeting.host).phase;
    assert_eq!(
        phase == Phase::Recording,
        decision.outcome.starts_with("permitted")
    );
    assert_eq!(
        place.state(&meeting.host).parties[1].choice,
        Some(Choice::RatherNot)
    );
    place.rooms.choose(&meeting.guest, Choice::Agreed).unwrap();
    assert_eq!(place.state(&meeting.host).phase, Phase::Recording);
    place.rooms.act(&meeting.host, Act::End).unwrap();
    device.end();
    let detail = place.closed(meeting.id);
    let said: Vec<_> = timeline(&detail)
        .refusals
        .iter()
        .map(|one| (one.party.as_str(), one.at_us))
        .collect();
    assert_eq!(said, [("p2", 1_000_000)]);
}
