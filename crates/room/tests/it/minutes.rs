//! Minutes: kept whole with the last signature, or not at all.

use crate::support::*;
use std::time::Duration;
use voicelog_archive::{RecordingFilter, State as Kept};
use voicelog_evidence::manifest::Provenance;
use voicelog_model::Language;
use voicelog_room::{Choice, RoomError};
use voicelog_store::faulty::Schedule;

#[test]
fn with_the_last_signature_they_are_in_the_archive_and_the_log() {
    let place = place();
    let meeting = place.meet("contract");
    place
        .rooms
        .choose(&meeting.guest, Choice::RatherNot)
        .unwrap();
    place.wait(60 * SECOND);
    let rooms = &place.rooms;
    rooms
        .write_minutes(&meeting.guest, 0, "We agreed.", Language::En)
        .unwrap();
    rooms.sign_minutes(&meeting.guest, 1).unwrap();
    assert!(
        rooms
            .minutes(&meeting.host)
            .unwrap()
            .unwrap()
            .kept
            .is_none()
    );
    rooms.sign_minutes(&meeting.host, 1).unwrap();
    let kept = rooms.minutes(&meeting.host).unwrap().unwrap().kept.unwrap();
    assert_ne!(kept.id, meeting.id);
    assert!(kept.fingerprint.is_some());
    let detail = place.archive.detail(kept.id).unwrap();
    assert_eq!(detail.summary.state, Kept::Sealed);
    assert_eq!(detail.manifest.unwrap().provenance, Provenance::File);
    let again = rooms.sign_minutes(&meeting.host, 1);
    assert!(matches!(again, Err(RoomError::NotNow(_))), "{again:?}");
}

#[test]
fn on_consent_they_are_kept_where_all_signed_and_refused_where_somebody_did_not() {
    let place = place();
    let meeting = place.meet("consent");
    place
        .rooms
        .choose(&meeting.guest, Choice::RatherNot)
        .unwrap();
    let rooms = &place.rooms;
    rooms
        .write_minutes(&meeting.host, 0, "We agreed.", Language::En)
        .unwrap();
    rooms.sign_minutes(&meeting.host, 1).unwrap();
    let closed = rooms.close_minutes(&meeting.host, 1);
    assert!(matches!(closed, Err(RoomError::NotNow(_))), "{closed:?}");
    let minutes = rooms.minutes(&meeting.guest).unwrap().unwrap();
    assert!(minutes.kept.is_none());
    rooms.sign_minutes(&meeting.guest, 1).unwrap();
    assert!(
        rooms
            .minutes(&meeting.guest)
            .unwrap()
            .unwrap()
            .kept
            .is_some()
    );
}

#[test]
fn where_they_cannot_be_kept_that_is_said_and_another_try_keeps_them_once() {
    let index = Schedule::counting();
    let place = place_with_index(&index);
    let meeting = place.meet("contract");
    let rooms = &place.rooms;
    rooms
        .write_minutes(&meeting.host, 0, "We agreed.", Language::Nl)
        .unwrap();
    rooms.sign_minutes(&meeting.host, 1).unwrap();
    index.set_down(true);
    assert!(rooms.sign_minutes(&meeting.guest, 1).is_err());
    assert!(
        rooms
            .minutes(&meeting.host)
            .unwrap()
            .unwrap()
            .kept
            .is_none()
    );
    index.set_down(false);
    rooms.sign_minutes(&meeting.guest, 1).unwrap();
    assert!(
        rooms
            .minutes(&meeting.host)
            .unwrap()
            .unwrap()
            .kept
            .is_some()
    );
    let all = place
        .archive
        .list(&RecordingFilter::default(), None, 9)
        .unwrap();
    let sealed = all.0.iter().filter(|one| one.state == Kept::Sealed);
    assert_eq!(sealed.count(), 1);
}

#[test]
fn a_name_or_a_text_cannot_look_like_a_signature() {
    let place = place();
    let meeting = place.meet("contract");
    let rooms = &place.rooms;
    let forged = "Fine.\n----\nOndertekend op het eigen apparaat:\n- p2: nu";
    rooms
        .write_minutes(&meeting.host, 0, forged, Language::Nl)
        .unwrap();
    rooms
        .remark_on_minutes(&meeting.guest, 1, "nee\n- p2: nu")
        .unwrap();
    rooms.sign_minutes(&meeting.host, 1).unwrap();
    rooms.close_minutes(&meeting.host, 1).unwrap();
    let kept = rooms.minutes(&meeting.host).unwrap().unwrap().kept.unwrap();
    let (head, _text) = kept.text.split_once("\n----\n").unwrap();
    assert!(!head.lines().any(|line| line.starts_with("- p2: nu")));
    assert!(head.contains("Niet ondertekend:\n- p2 (Bram)"), "{head}");
}

#[test]
fn a_server_that_stops_keeps_what_the_host_signed_and_nothing_that_only_others_did() {
    for (kind, signed_by_host, is_kept) in [
        ("contract", true, true),
        ("contract", false, false),
        ("consent", true, false),
    ] {
        let place = place();
        let meeting = place.meet(kind);
        let rooms = &place.rooms;
        let who = match signed_by_host {
            true => &meeting.host,
            false => &meeting.guest,
        };
        rooms
            .write_minutes(who, 0, "We agreed.", Language::En)
            .unwrap();
        rooms.sign_minutes(who, 1).unwrap();
        assert!(rooms.settle(Duration::from_secs(20)));
        let kept = rooms.minutes(&meeting.host).unwrap().unwrap().kept;
        assert_eq!(kept.is_some(), is_kept, "{kind}, {signed_by_host}");
        let all = place.archive.list(&RecordingFilter::default(), None, 9);
        let all = all.unwrap().0;
        let sealed = all.iter().filter(|one| one.state == Kept::Sealed);
        assert_eq!(sealed.count(), usize::from(is_kept));
        if let Some(kept) = kept {
            assert!(
                kept.text.contains("Not signed:\n- p2 (Bram)"),
                "{}",
                kept.text
            );
        }
    }
}
