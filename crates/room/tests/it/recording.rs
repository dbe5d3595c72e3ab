//! A talk from the first code to the fingerprint.

use crate::support::*;
use voicelog_archive::check::Level;
use voicelog_archive::timeline::{IntervalKind, Verdict};
use voicelog_archive::{Consent, ConsentBy};
use voicelog_evidence::Provenance;
use voicelog_model::Pii;
use voicelog_room::{Act, Choice, Phase, Presence, RoomError};

#[test]
fn a_talk_that_two_devices_record_is_whole_and_its_sound_is_what_they_sent() {
    let place = place();
    let meeting = place.recording();
    let (mut first, mut second) = (place.device(&meeting.host), place.device(&meeting.guest));
    for _ in 0..4 {
        record(&place, &mut [&mut first, &mut second], 1);
        first.send();
        second.send();
    }
    place.rooms.act(&meeting.host, Act::End).unwrap();
    first.end();
    second.end();
    let detail = place.closed(meeting.id);
    assert_eq!(verdict(&detail), Verdict::Whole, "{:#?}", timeline(&detail));
    let manifest = detail.manifest.as_ref().unwrap();
    assert_eq!(manifest.provenance, Provenance::Room);
    let heard = sound(&place.archive, meeting.id, place.now());
    assert_eq!(heard.len(), 2);
    for (stream, (heard, device)) in timeline(&detail)
        .streams
        .iter()
        .zip(heard.iter().zip([&first, &second]))
    {
        assert_eq!((stream.packets, stream.lost, stream.outside), (200, 0, 0));
        assert_eq!(stream.stream.label, Some(format!("p{}", device.track)));
        let media = stream
            .intervals
            .iter()
            .find(|one| one.kind == IntervalKind::Media)
            .unwrap();
        let from = usize::try_from(media.start_us * 48 / 1_000).unwrap();
        let said = said(&device.payloads);
        assert_eq!(said.len(), 4 * 48_000);
        assert!(
            said.iter().any(|sample| sample.unsigned_abs() > 4_000),
            "it is silence"
        );
        assert_eq!(
            heard[from..from + said.len()],
            said[..],
            "track {}",
            device.track
        );
    }
    let state = place.state(&meeting.guest);
    let fingerprint = state.fingerprint.unwrap();
    assert_eq!(state.phase, Phase::Ended);
    assert_eq!(state.recorded_us, 4_000_000);
    assert_eq!(fingerprint.words.split('-').count(), 4);
    let known = place.archive.fingerprint(meeting.id).unwrap();
    assert_eq!(known, Some(fingerprint.digest));
}

#[test]
fn each_step_is_seen_by_both() {
    let place = place();
    let meeting = place.meet("contract");
    let host = place.state(&meeting.host);
    assert_eq!(
        (host.phase, host.me.as_str(), host.is_host),
        (Phase::Waiting, "p1", true)
    );
    let guest = place.state(&meeting.guest);
    assert_eq!(
        (guest.me.as_str(), guest.is_host, guest.code),
        ("p2", false, None)
    );
    assert_eq!(guest.parties[0].name.as_deref(), Some("Anna"));
    assert_eq!(guest.parties[0].choice, Some(Choice::Agreed));
    assert_eq!(guest.parties[1].choice, None);
    let early = place.rooms.act(&meeting.host, Act::Start);
    assert!(matches!(early, Err(RoomError::NotNow(_))), "{early:?}");
    let before = place.state(&meeting.host).version;
    place.rooms.choose(&meeting.guest, Choice::Agreed).unwrap();
    let ready = place.state(&meeting.host);
    assert_eq!(ready.phase, Phase::Ready);
    assert!(ready.version > before);
    assert!(ready.decision.unwrap().outcome.starts_with("permitted"));
    let not_theirs = place.rooms.act(&meeting.guest, Act::Start);
    assert!(matches!(not_theirs, Err(RoomError::HostOnly)));
    let too_early = place.rooms.open_track(&meeting.host, "opus/48000/2", 111);
    assert!(matches!(too_early, Err(RoomError::NotNow(_))));
    place.rooms.act(&meeting.host, Act::Start).unwrap();
    assert_eq!(place.state(&meeting.guest).phase, Phase::Recording);
    for (codec, payload_type) in [
        ("opus/48000/2", 112),
        ("PCMA", 8),
        ("L16/44100", 112),
        ("", 0),
    ] {
        let wrong = place.rooms.open_track(&meeting.host, codec, payload_type);
        assert!(matches!(wrong, Err(RoomError::Codec)), "{codec}");
    }
    let samples = place
        .rooms
        .open_track(&meeting.host, "L16/48000", 112)
        .unwrap();
    assert_eq!(samples.track, 1);
}

#[test]
fn where_the_law_wants_consent_a_refusal_keeps_nothing_and_says_why() {
    let place = place();
    let meeting = place.meet("consent");
    place
        .rooms
        .choose(&meeting.guest, Choice::RatherNot)
        .unwrap();
    let state = place.state(&meeting.host);
    assert_eq!(state.phase, Phase::Refused);
    let decision = state.decision.unwrap();
    assert!(!decision.grounds.is_empty() && !decision.grounds[0].text_nl.is_empty());
    let start = place.rooms.act(&meeting.host, Act::Start);
    assert!(matches!(start, Err(RoomError::NotNow(_))));
    place.wait(60 * SECOND);
    place.rooms.act(&meeting.host, Act::End).unwrap();
    let detail = place.closed(meeting.id);
    assert_eq!(verdict(&detail), Verdict::NotRecorded);
    assert_eq!(timeline(&detail).refusals[0].party, "p2");
    assert!(!place.archive.trace(meeting.id).unwrap().has_key);
}

#[test]
fn who_agreed_can_still_choose_otherwise_and_back() {
    let place = place();
    let meeting = place.meet("consent");
    for (choice, phase) in [
        (Choice::Agreed, Phase::Ready),
        (Choice::RatherNot, Phase::Refused),
        (Choice::RecordsToo, Phase::Ready),
    ] {
        place.rooms.choose(&meeting.guest, choice).unwrap();
        assert_eq!(place.state(&meeting.host).phase, phase, "{choice:?}");
    }
}

#[test]
fn who_changes_their_mind_is_recorded_from_then_on_and_not_before() {
    let place = place();
    let meeting = place.meet("consent");
    place
        .rooms
        .choose(&meeting.guest, Choice::RatherNot)
        .unwrap();
    place.wait(30 * SECOND);
    place.rooms.choose(&meeting.guest, Choice::Agreed).unwrap();
    place.rooms.act(&meeting.host, Act::Start).unwrap();
    let mut device = place.device(&meeting.host);
    record(&place, &mut [&mut device], 2);
    place.rooms.act(&meeting.host, Act::End).unwrap();
    device.end();
    let detail = place.closed(meeting.id);
    assert_eq!(timeline(&detail).length_us(), 32_000_000);
    // The last one was captured in the moment of the end.
    assert_eq!(timeline(&detail).streams[0].packets, 99);
}

#[test]
fn a_talk_to_which_nobody_comes_leaves_nothing() {
    let place = place();
    let id = place.rooms.open("contract", "anna", None).unwrap();
    let host = place.rooms.host_seat(id, "anna").unwrap();
    assert_eq!(place.rooms.of_host("anna").len(), 1);
    assert!(place.rooms.of_host("bram").is_empty());
    // Nobody is heard of for a quarter of an hour.
    place.wait(15 * 60 * SECOND);
    place.rooms.tick();
    place.rooms.tick();
    assert_eq!(place.state(&host).phase, Phase::Ended);
    // The keeper's own thread may be the one that closes it.
    until("it is closed", || {
        place.archive.call(id).is_none().then_some(())
    });
    assert!(place.archive.detail(id).is_err());
    place.wait(3_600 * SECOND);
    place.rooms.tick();
    assert!(matches!(place.rooms.state(&host), Err(RoomError::NotFound)));
}

#[test]
fn a_code_lets_in_for_an_hour_and_a_cookie_opens_its_own_talk_alone() {
    let place = place();
    let meeting = place.meet("contract");
    let other = place.meet("consent");
    let code = place.state(&meeting.host).code.unwrap();
    let (first, last) = code.split_at(4);
    let typed = format!("{}-{last}", first.to_lowercase());
    assert_eq!(place.rooms.invitation(&typed).unwrap().id, meeting.id);
    assert_eq!(
        place.rooms.guest_seat(meeting.id, &[9; 32]),
        Some(meeting.guest)
    );
    assert_eq!(place.rooms.guest_seat(meeting.id, &[8; 32]), None);
    place.rooms.join(&code, None, [8; 32]).unwrap();
    assert_eq!(place.rooms.guest_seat(other.id, &[8; 32]), None);
    assert_eq!(place.rooms.host_seat(meeting.id, "bram"), None);
    for nobody in ["", "AAAA", "K7QM4T2X"] {
        assert!(matches!(
            place.rooms.invitation(nobody),
            Err(RoomError::NoSuchCode)
        ));
    }
    place.wait(3_600 * SECOND - 1);
    assert!(place.rooms.invitation(&code).is_ok());
    place.wait(1);
    assert!(matches!(
        place.rooms.invitation(&code),
        Err(RoomError::NoSuchCode)
    ));
    let late = place.rooms.join(&code, None, [7; 32]);
    assert!(matches!(late, Err(RoomError::NoSuchCode)));
    assert!(matches!(
        place.rooms.open("none", "anna", None),
        Err(RoomError::NoSuchKind)
    ));
}

#[test]
fn the_host_closes_the_door_and_a_new_code_ends_the_one_before() {
    let place = place();
    let meeting = place.meet("contract");
    let first = place.state(&meeting.host).code.unwrap();
    let refused = place.rooms.act(&meeting.guest, Act::CloseDoor);
    assert!(matches!(refused, Err(RoomError::HostOnly)), "{refused:?}");
    place.rooms.act(&meeting.host, Act::CloseDoor).unwrap();
    let join = |code: &str| place.rooms.join(code, None, [8; 32]);
    assert!(matches!(join(&first), Err(RoomError::NoSuchCode)));
    assert_eq!(place.state(&meeting.host).code, None);
    // Who is in it stays in it.
    assert!(place.rooms.guest_seat(meeting.id, &[9; 32]).is_some());
    place.rooms.act(&meeting.host, Act::RenewCode).unwrap();
    let second = place.state(&meeting.host).code.unwrap();
    place.wait(3_599 * SECOND);
    place.rooms.act(&meeting.host, Act::RenewCode).unwrap();
    let third = place.state(&meeting.host).code.unwrap();
    for dead in [&first, &second] {
        assert!(matches!(join(dead), Err(RoomError::NoSuchCode)));
    }
    place.wait(3_599 * SECOND);
    assert_eq!(join(&third).unwrap().party, "p3");
}

#[test]
fn a_no_that_a_program_tells_has_the_effect_of_one_on_the_own_screen() {
    let place = place();
    let meeting = place.meet("consent");
    let tell = |party: &str, word: &str| {
        let by = ConsentBy::Spoken {
            marked_by: Some(Pii::new("Anna".to_owned())),
        };
        let (party, word) = (party.to_owned(), word.to_owned());
        place.rooms.hear(meeting.id, Consent { party, word, by })
    };
    place.rooms.choose(&meeting.guest, Choice::Agreed).unwrap();
    place.rooms.act(&meeting.host, Act::Start).unwrap();
    place.wait(SECOND);
    tell("p2", "refused").unwrap();
    let state = place.state(&meeting.guest);
    assert_eq!(state.phase, Phase::Refused);
    assert_eq!(state.parties[1].choice, Some(Choice::RatherNot));
    tell("p2", "given").unwrap();
    assert_eq!(place.state(&meeting.guest).phase, Phase::Recording);
    assert!(tell("p7", "refused").is_err());
}

#[test]
fn a_talk_has_sixteen_participants_and_eight_devices_that_record() {
    let place = place();
    let meeting = place.recording();
    let code = place.state(&meeting.host).code.unwrap();
    let join = |number: u8| place.rooms.join(&code, None, [100 + number; 32]);
    let guests: Vec<_> = (0..14).map(|number| join(number).unwrap()).collect();
    let one_more = join(100);
    assert!(matches!(one_more, Err(RoomError::Full(_))), "{one_more:?}");
    let open = |seat| place.rooms.open_track(seat, "opus/48000/2", 111);
    let agreed = place.rooms.choose(&guests[0], Choice::Agreed);
    assert!(agreed.is_ok() && matches!(open(&guests[0]), Err(RoomError::NotNow(_))));
    for guest in &guests[1..5] {
        place.rooms.choose(guest, Choice::RecordsToo).unwrap();
        open(guest).unwrap();
    }
    open(&guests[1]).unwrap();
    let third = open(&guests[1]);
    assert!(matches!(third, Err(RoomError::Full(_))), "{third:?}");
    open(&guests[2]).unwrap();
    open(&guests[3]).unwrap();
    // The last place is for who started the talk.
    let eighth = open(&guests[4]);
    assert!(matches!(eighth, Err(RoomError::Full(_))), "{eighth:?}");
    open(&meeting.host).unwrap();
    assert!(matches!(open(&meeting.host), Err(RoomError::Full(_))));
}

#[test]
fn what_the_law_was_asked_about_a_talk_that_nobody_started_is_forgotten_when_it_ends() {
    let place = place();
    let meeting = place.meet("contract");
    place.rooms.choose(&meeting.guest, Choice::Agreed).unwrap();
    assert_eq!(place.state(&meeting.host).phase, Phase::Ready);
    let kept = place.facts_kept(meeting.id);
    assert!(kept > 0, "the question and its answer are durable");
    place.rooms.act(&meeting.host, Act::End).unwrap();
    until("it is closed", || {
        place.rooms.tick();
        place.archive.call(meeting.id).is_none().then_some(())
    });
    assert_eq!(place.facts_kept(meeting.id), 0);
    assert!(place.archive.detail(meeting.id).is_err());
    assert_eq!(place.archive.check(Level::Hash).unwrap().wrong, []);
}

#[test]
fn a_no_after_a_no_is_nothing_that_the_law_is_asked_about_again() {
    let place = place();
    let meeting = place.meet("contract");
    place
        .rooms
        .choose(&meeting.guest, Choice::RatherNot)
        .unwrap();
    let asked = place.facts_kept(meeting.id);
    for _again in 0..5 {
        place.rooms.act(&meeting.guest, Act::Withdraw).unwrap();
        place.rooms.act(&meeting.guest, Act::Object).unwrap();
        place
            .rooms
            .choose(&meeting.guest, Choice::RatherNot)
            .unwrap();
    }
    assert_eq!(place.facts_kept(meeting.id), asked);
}

#[test]
fn who_came_later_or_left_earlier_was_there_for_that_part() {
    let place = place();
    let meeting = place.recording();
    let code = place.state(&meeting.host).code.unwrap();
    let gone = place.rooms.join(&code, None, [3; 32]).unwrap();
    place.rooms.choose(&gone, Choice::Agreed).unwrap();
    place.rooms.act(&gone, Act::Leave).unwrap();
    place.wait(2 * SECOND);
    let late = place.rooms.join(&code, None, [4; 32]).unwrap();
    place.rooms.choose(&late, Choice::Agreed).unwrap();
    place.wait(3 * SECOND);
    place.rooms.act(&late, Act::Leave).unwrap();
    place.wait(SECOND);
    place.rooms.act(&meeting.host, Act::End).unwrap();
    let there = |seat| place.rooms.presence(seat).unwrap();
    assert_eq!(there(&meeting.host), Some(Presence::default()));
    assert_eq!(there(&meeting.guest), Some(Presence::default()));
    assert_eq!(there(&gone), None, "they left in the moment they came");
    let part = Presence {
        from_us: Some(2_000_000),
        to_us: Some(5_000_000),
    };
    assert_eq!(there(&late), Some(part));
}
