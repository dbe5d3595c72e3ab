//! Consent: everybody's own, and never lost.

use crate::support::*;
use serde_json::{Value, json};
use std::sync::Arc;
use voicelog_archive::journal::{AskedBy, Cause, JournalEvent};
use voicelog_archive::{Archive, Call, OfferedParty, PrivateCall, Verdict};
use voicelog_model::{Pii, RecordingId, Timestamp};

const GERMAN: &str = "tel:+4930901820";

fn german_call(archive: &Archive) -> Call {
    archive
        .open_call(offer("announced", GERMAN), START)
        .unwrap()
}

fn say(archive: &Archive, id: RecordingId, facts: &Value, at: Timestamp) {
    archive
        .say(id, facts.as_object().unwrap().clone(), at)
        .unwrap();
}

fn is_permitted(archive: &Archive, id: RecordingId, at: Timestamp) -> bool {
    let answer = archive.ask_to_record(id, at).unwrap();
    matches!(answer.verdict, Verdict::Permit(_))
}

fn parties(addresses: &[&str]) -> Vec<OfferedParty> {
    let party = |address: &&str| OfferedParty {
        address: Pii::new((*address).to_owned()),
        further_addresses: Vec::new(),
        name: None,
        is_caller: None,
        has_left: false,
    };
    addresses.iter().map(party).collect()
}

#[test]
fn consent_of_everyone_lifts_a_refusal_and_consent_of_one_does_not() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let id = german_call(archive).id;
    assert!(!is_permitted(archive, id, START));
    let consents = |facts: Value| json!({ "consent_per_participant": facts });
    // Whoever is not named has not agreed.
    say(archive, id, &consents(json!({ "p1": "given" })), seconds(3));
    assert!(!is_permitted(archive, id, seconds(3)));
    say(archive, id, &consents(json!({ "p2": "none" })), seconds(5));
    assert!(!is_permitted(archive, id, seconds(5)));
    say(archive, id, &consents(json!({ "p2": "given" })), seconds(7));
    assert!(is_permitted(archive, id, seconds(7)));
}

#[test]
fn who_joins_after_all_agreed_has_not_agreed() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let each = |facts| json!({ "consent_per_participant": facts });
    let together = json!({ "openness": "announced_and_agreed" });
    for (both, third) in [
        (
            each(json!({ "p1": "given", "p2": "given" })),
            each(json!({ "p3": "given" })),
        ),
        (together.clone(), together),
    ] {
        let id = german_call(archive).id;
        say(archive, id, &both, seconds(1));
        assert!(is_permitted(archive, id, seconds(1)), "{both}");
        let three = parties(&[AGENT, GERMAN, "tel:+31201234567"]);
        assert!(archive.update_parties(id, three.clone()));
        assert!(!is_permitted(archive, id, seconds(2)), "{both}");
        say(archive, id, &third, seconds(3));
        assert!(is_permitted(archive, id, seconds(3)), "{both}");
        // The same participants once more are nobody new.
        assert!(archive.update_parties(id, three));
        assert!(is_permitted(archive, id, seconds(4)), "{both}");
    }
}

#[test]
fn where_the_client_names_one_side_only_the_other_has_not_agreed() {
    let fixture = fixture();
    let archive = &fixture.archive;
    for named in [&[][..], &[GERMAN]] {
        let mut offered = offer("announced", GERMAN);
        offered.parties = parties(named);
        let id = archive.open_call(offered, START).unwrap().id;
        let one = json!({ "consent_per_participant": { "p1": "given" } });
        say(archive, id, &one, seconds(1));
        assert!(!is_permitted(archive, id, seconds(1)), "{named:?}");
    }
}

#[test]
fn nothing_said_at_the_same_time_is_lost() {
    const SPEAKERS: usize = 8;
    const ROUNDS: usize = 20;
    let fixture = fixture();
    let archive = &fixture.archive;
    let id = german_call(archive).id;
    let threads: Vec<_> = (0..SPEAKERS)
        .map(|speaker| {
            let archive = Arc::clone(archive);
            std::thread::spawn(move || {
                for round in 0..ROUNDS {
                    let who = format!("p{}", speaker * ROUNDS + round + 1);
                    let facts = json!({ "consent_per_participant": { who: "withdrawn" } });
                    say(&archive, id, &facts, seconds(1));
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let said = archive.call(id).unwrap().said;
    let consents = said["consent_per_participant"].as_object().unwrap();
    assert_eq!(consents.len(), SPEAKERS * ROUNDS);
}

/// Records with consent of both, says something more after a second, and asks to listen: whether
/// one may, and the hash of the facts that the law saw.
fn asked_to_listen(line: &str, other: &str, said: &Value) -> (bool, String) {
    let fixture = fixture();
    let archive = &fixture.archive;
    let call = archive.open_call(offer(line, other), START).unwrap();
    let both = json!({ "consent_per_participant": { "p1": "given", "p2": "given" } });
    say(archive, call.id, &both, START);
    let writer = write_media(archive, &call, 100);
    say(archive, call.id, said, seconds(1));
    archive.ask_to_record(call.id, seconds(1)).unwrap();
    end(archive, writer, 100).unwrap();
    let answer = archive.ask_to_listen(call.id, &asker(), &reader(), seconds(60));
    let answer = answer.unwrap();
    let may = matches!(answer.verdict, Verdict::Permit(_));
    (may, answer.decision.facts_hash)
}

#[test]
fn consent_taken_back_counts_later_only_where_the_basis_is_consent() {
    let (nothing, dutch) = (json!({}), "tel:+31201234567");
    let withdrawn = json!({ "consent_per_participant": { "p2": "withdrawn" } });
    let objected = json!({ "openness": "announced_objected" });
    // German law asks for consent to the recording, and it was given when that was made.
    let (may, before) = asked_to_listen("announced", GERMAN, &nothing);
    assert!(may);
    assert_eq!(
        asked_to_listen("announced", GERMAN, &withdrawn),
        (true, before)
    );
    let (may, before) = asked_to_listen("consent", dutch, &nothing);
    assert!(may);
    assert_ne!(asked_to_listen("consent", dutch, &withdrawn).1, before);
    assert!(!asked_to_listen("consent", dutch, &objected).0);
}

#[test]
fn a_call_that_takes_the_place_of_a_private_one_is_private_although_that_one_is_over() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let before = open_call(archive, "covert").id;
    let private = PrivateCall {
        by: AskedBy::Program,
        said_by: Pii::new("reception".to_owned()),
        at: START,
    };
    archive.begin_private(before, private.clone()).unwrap();
    assert!(!is_permitted(archive, before, START));
    // As it was when the other was offered; the client ends it before anybody opens that one.
    let known = archive.call(before).unwrap();
    let cause = Cause::RecordingClient;
    let events = [
        (START, JournalEvent::CallStarted {}),
        (seconds(1), JournalEvent::CallEnded { cause }),
    ];
    archive
        .finish_unrecorded(before, &events, seconds(1))
        .unwrap();
    let mut offered = offer("announced", "tel:+31201234567");
    offered.about.replaces = Some(before);
    let after = archive.open_call(offered, seconds(1)).unwrap();
    archive.take_over(&known, after.id);
    assert_eq!(archive.call(after.id).unwrap().private, Some(private));
}
