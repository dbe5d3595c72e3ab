//! A copy later: the link that a guest gets at the end.

use crate::support::*;
use voicelog_model::Language;
use voicelog_room::Act;

const DAY: i64 = 24 * 3_600 * SECOND;

/// A talk of three seconds, of which another guest heard the last one.
fn ended(place: &Place) -> (Meeting, voicelog_room::Seat) {
    let meeting = place.recording();
    let mut device = place.device(&meeting.host);
    record(place, &mut [&mut device], 2);
    let code = place.state(&meeting.host).code.unwrap();
    let late = place.rooms.join(&code, Some("Cees"), [8; 32]).unwrap();
    let agreed = place.rooms.choose(&late, voicelog_room::Choice::Agreed);
    agreed.unwrap();
    record(place, &mut [&mut device], 1);
    device.send();
    place.rooms.act(&meeting.host, Act::End).unwrap();
    device.end();
    place.closed(meeting.id);
    until("it is told", || {
        place.state(&meeting.host).fingerprint.map(drop)
    });
    (meeting, late)
}

#[test]
fn each_guest_gets_a_link_of_their_own_to_what_they_were_there_for_and_the_host_signs_in() {
    let place = place();
    let (meeting, late) = ended(&place);
    assert_eq!(place.rooms.own_link(&meeting.host).unwrap(), None);
    let first = place.rooms.own_link(&meeting.guest).unwrap().unwrap();
    let second = place.rooms.own_link(&late).unwrap().unwrap();
    assert_ne!(first.code, second.code);
    assert_eq!(first.until, place.now().plus_micros(14 * DAY));
    let found = |code: &str| place.archive.copy_link(code, place.now()).unwrap();
    let whole = found(&first.code).unwrap();
    assert_eq!((whole.recording, whole.party.as_str()), (meeting.id, "p2"));
    assert_eq!((whole.from_us, whole.to_us), (None, None));
    let part = found(&second.code).unwrap();
    assert_eq!((part.from_us, part.to_us), (Some(2_000_000), None));
    place.wait(14 * DAY);
    assert_eq!(found(&first.code), None, "it has ended");
}

#[test]
fn a_link_works_after_a_restart_and_what_is_in_it_is_nowhere_on_the_disk() {
    let place = place();
    let (meeting, _late) = ended(&place);
    let link = place.rooms.own_link(&meeting.guest).unwrap().unwrap();
    let now = place.now();
    let (archive, folder) = recovered(place);
    let found = archive.copy_link(&link.code, now).unwrap().unwrap();
    assert_eq!(found.recording, meeting.id);
    let left = |path: &std::path::Path| {
        let bytes = std::fs::read(path).unwrap();
        let code = link.code.as_bytes();
        assert!(!bytes.windows(code.len()).any(|part| part == code));
    };
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            left(&path);
        }
    }
    for _time in 0..10 {
        assert!(archive.use_copy_link(&link.code, now).unwrap().is_some());
    }
    assert_eq!(archive.use_copy_link(&link.code, now).unwrap(), None);
}

#[test]
fn signed_minutes_have_a_link_too_also_where_nothing_was_recorded() {
    let place = place();
    let meeting = place.meet("contract");
    let rooms = &place.rooms;
    let said = "We agreed.";
    rooms
        .write_minutes(&meeting.host, 0, said, Language::En)
        .unwrap();
    assert_eq!(rooms.own_link_to_minutes(&meeting.guest).unwrap(), None);
    for seat in [&meeting.host, &meeting.guest] {
        rooms.sign_minutes(seat, 1).unwrap();
    }
    let link = rooms.own_link_to_minutes(&meeting.guest).unwrap().unwrap();
    let kept = rooms.minutes(&meeting.host).unwrap().unwrap().kept.unwrap();
    let found = place.archive.copy_link(&link.code, place.now()).unwrap();
    assert_eq!(found.unwrap().recording, kept.id);
    assert_eq!(rooms.own_link_to_minutes(&meeting.host).unwrap(), None);
}
