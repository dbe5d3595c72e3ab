//! Recording: permitted and whole, refused and empty, waiting and then permitted.

use crate::support::*;
use serde_json::{Map, json};
use voicelog_archive::check::Level;
use voicelog_archive::timeline::Verdict as Completeness;
use voicelog_archive::{Access, Came, State, Verdict};
use voicelog_evidence::verify::{Report, verify};
use voicelog_evidence::zip;
use voicelog_model::{Action, Language, Pii, RecordingId};

#[test]
fn a_lawful_call_is_kept_whole_and_the_check_holds() {
    let fixture = fixture();
    let finished = record(&fixture.archive);
    assert_eq!(
        finished.verdict,
        Completeness::Whole,
        "{:#?}",
        finished.timeline
    );
    fixture.archive.sequence().unwrap();
    let findings = fixture.archive.check(Level::Hash).unwrap();
    assert_eq!(findings.wrong, []);
    assert_eq!((findings.recordings, findings.segments), (1, 1));
    assert_eq!(
        findings.leaves, 2,
        "one for the permission, one for the recording"
    );
}

#[test]
fn a_bundle_of_it_verifies_and_names_the_archive_as_its_source() {
    let fixture = fixture();
    let id = record(&fixture.archive).id;
    let report = exported(&fixture.archive, id);
    assert!(report.holds(), "{:#?}", report.findings);
}

/// A bundle for a court, and what a stranger finds in it.
fn exported(archive: &voicelog_archive::Archive, id: RecordingId) -> Report {
    let answer = archive
        .ask_for_copy(id, Action::FileInCourt, &asker(), &Map::new(), seconds(60))
        .unwrap();
    let Verdict::Permit(permit) = answer.verdict else {
        panic!("{:?}", answer.decision)
    };
    let bundle = archive.export(permit, None, seconds(60)).unwrap();
    verify(&bundle, Some(&archive.verifier_key().parse().unwrap()))
}

#[test]
fn the_archive_itself_says_that_the_copy_is_whole_and_on_record() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let call = open_call(archive, "announced");
    let writer = write_media(archive, &call, 100);
    end(archive, writer, 100).unwrap();
    let answer = archive
        .ask_for_copy(
            call.id,
            Action::FileInCourt,
            &asker(),
            &Map::new(),
            seconds(60),
        )
        .unwrap();
    let advice = &answer.decision.advice;
    let asks_for_a_hash = |text: &str| text.contains("Leg een hash");
    assert!(
        !advice
            .iter()
            .any(|advice| asks_for_a_hash(advice.text.pick(Language::Nl))),
        "{advice:?}"
    );
}

#[test]
fn a_bundle_of_a_call_that_was_permitted_twice_verifies() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let call = open_call(archive, "announced");
    let writer = write_media(archive, &call, 100);
    let facts = json!({ "counterpart_types": ["private_person", "employee"] });
    archive
        .say(call.id, facts.as_object().unwrap().clone(), seconds(1))
        .unwrap();
    let again = archive.ask_to_record(call.id, seconds(1)).unwrap();
    assert_eq!(archive.resume(permit(again)).unwrap(), call.id);
    end(archive, writer, 100).unwrap();
    let report = exported(archive, call.id);
    assert!(report.holds(), "{:#?}", report.findings);
}

#[test]
fn what_was_said_after_the_last_permit_counts_for_later_acts() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let call = open_call(archive, "announced");
    let writer = write_media(archive, &call, 100);
    let special = json!({ "special_data": ["health"] });
    archive
        .say(call.id, special.as_object().unwrap().clone(), seconds(1))
        .unwrap();
    let refused = archive.ask_to_record(call.id, seconds(1)).unwrap();
    assert!(matches!(refused.verdict, Verdict::Refusal(_)));
    end(archive, writer, 100).unwrap();
    let answer = archive
        .ask_to_listen(call.id, &asker(), &reader(), seconds(60))
        .unwrap();
    assert!(
        matches!(answer.verdict, Verdict::Refusal(_)),
        "{:?}",
        answer.decision
    );
}

#[test]
fn a_joiner_who_was_not_recorded_does_not_close_what_the_others_agreed_to() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let german = "tel:+4930901820";
    let call = archive
        .open_call(offer("announced", german), START)
        .unwrap();
    let both = json!({ "consent_per_participant": { "p1": "given", "p2": "given" } });
    let both = both.as_object().unwrap();
    archive.say(call.id, both.clone(), START).unwrap();
    let writer = write_media(archive, &call, 100);
    let mut parties = offer("announced", german).parties;
    parties.extend(offer("announced", "tel:+3225550123").parties.pop());
    assert!(archive.update_parties(call.id, parties));
    let stopped = archive.ask_to_record(call.id, seconds(1)).unwrap();
    assert!(matches!(stopped.verdict, Verdict::Refusal(_)));
    end(archive, writer, 100).unwrap();
    let answer = archive
        .ask_to_listen(call.id, &asker(), &reader(), seconds(60))
        .unwrap();
    assert!(
        matches!(answer.verdict, Verdict::Permit(_)),
        "{:?}",
        answer.decision
    );
}

#[test]
fn the_rulebook_of_a_recording_is_the_one_that_permitted_it() {
    let fixture = fixture();
    let call = open_call(&fixture.archive, "announced");
    std::mem::forget(write_media(&fixture.archive, &call, 100));
    let Fixture { archive, folder } = fixture;
    let before = archive.rulebook().hash().to_owned();
    drop(archive);
    let mut parts = parts(folder.path());
    parts.rulebook = voicelog_law::Rulebook::embedded(seconds(-20 * 366 * 86_400)).unwrap();
    assert_ne!(parts.rulebook.hash(), before);
    let archive = voicelog_archive::Archive::open(parts);
    archive.recover(seconds(30)).unwrap();
    let manifest = archive.detail(call.id).unwrap().manifest.unwrap();
    assert_eq!(manifest.rulebook_hash.to_string(), before);
}

#[test]
fn a_refused_call_leaves_its_decision_and_not_one_byte_of_media() {
    let fixture = fixture();
    let call = open_call(&fixture.archive, "covert");
    let answer = fixture.archive.ask_to_record(call.id, START).unwrap();
    let event = answer.refusal_event().expect("it should be refused");
    assert!(matches!(answer.verdict, Verdict::Refusal(_)));
    let events = [
        (
            START,
            voicelog_archive::journal::JournalEvent::CallStarted {},
        ),
        (START, event),
        (
            seconds(9),
            voicelog_archive::journal::JournalEvent::CallEnded {
                cause: voicelog_archive::journal::Cause::RecordingClient,
            },
        ),
    ];
    let finished = fixture
        .archive
        .finish_unrecorded(call.id, &events, seconds(9))
        .unwrap();
    assert_eq!(finished.verdict, Completeness::NotRecorded);
    let trace = fixture.archive.trace(call.id).unwrap();
    assert_eq!((trace.blobs, trace.bytes, trace.has_key), (0, 0, false));
    let detail = fixture.archive.detail(call.id).unwrap();
    assert_eq!(detail.summary.state, State::NotRecorded);
    assert!(!detail.decisions[0].decision.reasons().is_empty());
    assert!(detail.timeline.is_some());
    assert_eq!(fixture.archive.check(Level::Hash).unwrap().wrong, []);
}

#[test]
fn what_belongs_to_the_line_cannot_be_said_during_a_call() {
    let fixture = fixture();
    let call = open_call(&fixture.archive, "announced");
    let facts = json!({ "recorder_type": "private_person" });
    let error = fixture
        .archive
        .say(call.id, facts.as_object().unwrap().clone(), START)
        .unwrap_err();
    assert_eq!(error.kind(), voicelog_model::Kind::Invalid);
    let facts = json!({ "openness": "announcd" });
    assert!(
        fixture
            .archive
            .say(call.id, facts.as_object().unwrap().clone(), START)
            .is_err()
    );
    assert!(fixture.archive.call(call.id).unwrap().said.is_empty());
}

#[test]
fn a_call_on_a_line_that_nobody_set_up_is_not_recorded() {
    let fixture = fixture();
    let call = open_call(&fixture.archive, "whatever");
    let answer = fixture.archive.ask_to_record(call.id, START).unwrap();
    assert!(
        matches!(answer.verdict, Verdict::Refusal(_)),
        "{:?}",
        answer.decision
    );
}

#[test]
fn listening_asks_for_a_reason_and_is_logged() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let id = record(archive).id;
    let no_reason = json!({ "requester_role": "controller_staff" });
    let refused = archive
        .ask_to_listen(id, &asker(), no_reason.as_object().unwrap(), seconds(60))
        .unwrap();
    assert!(matches!(refused.verdict, Verdict::Refusal(_)));
    let answer = archive
        .ask_to_listen(id, &asker(), &reader(), seconds(60))
        .unwrap();
    let Verdict::Permit(permit) = answer.verdict else {
        panic!("{:?}", answer.decision)
    };
    let opened = archive.play(permit, seconds(60)).unwrap();
    assert_eq!(opened.parties[0].name.as_ref().unwrap().expose(), NAME);
    archive.sequence().unwrap();
    let leaves = archive.leaves(0, 100).unwrap();
    let text = |leaf: &voicelog_archive::LeafRow| String::from_utf8(leaf.bytes.clone()).unwrap();
    assert!(leaves.iter().any(|leaf| text(leaf).contains("listened")));
}

#[test]
fn what_is_heard_piece_by_piece_is_the_sound_of_the_copy_byte_for_byte() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let id = record(archive).id;
    let at = seconds(60);
    let answer = archive.ask_for_copy(id, Action::FileInCourt, &asker(), &Map::new(), at);
    let Verdict::Permit(permit) = answer.unwrap().verdict else {
        panic!("refused")
    };
    let copy = archive.export(permit, None, at).unwrap();
    let files = zip::read(&copy).unwrap();
    let (_, whole) = files
        .iter()
        .find(|(name, _)| *name == "audio/all.wav")
        .unwrap();
    let sound = archive.play(permit_to_listen(archive, id, at), at).unwrap();
    assert_eq!((sound.byte_len(), &sound.spans), (whole.len(), &vec![]));
    for size in [1_013, 4_096, 64_001, whole.len()] {
        let mut heard = Vec::new();
        while heard.len() < whole.len() {
            let range = heard.len()..heard.len() + size;
            heard.extend(heard_in(archive, &sound, range).unwrap());
        }
        assert!(heard == *whole, "in ranges of {size} bytes");
    }
}

#[test]
fn who_listened_and_who_got_a_copy_can_be_found_and_stands_nowhere_in_the_clear() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let id = record(archive).id;
    let no_reason = json!({ "requester_role": "controller_staff" });
    archive
        .ask_to_listen(id, &asker(), no_reason.as_object().unwrap(), seconds(50))
        .unwrap();
    let answer = archive
        .ask_to_listen(id, &asker(), &reader(), seconds(60))
        .unwrap();
    let listened = answer.id;
    let Verdict::Permit(permit) = answer.verdict else {
        panic!("{:?}", answer.decision)
    };
    listen(archive, permit, seconds(60)).unwrap();
    let person = json!({ "requester_role": "data_subject" });
    let person = person.as_object().unwrap();
    let answer = archive
        .ask_for_copy(id, Action::GiveCopy, &asker(), person, seconds(70))
        .unwrap();
    assert!(matches!(answer.verdict, Verdict::Permit(_)));
    let accesses = archive.accesses(id).unwrap();
    let came: Vec<Came> = accesses.iter().map(|access| access.came).collect();
    assert_eq!(came, [Came::Refused, Came::Opened, Came::NotOpened]);
    assert_eq!(
        accesses[1],
        Access {
            decision: listened,
            at: seconds(60),
            action: Action::Listen,
            came: Came::Opened,
            asker: Some(asker()),
            reason: Some(Pii::new("complaint 12".to_owned())),
            recipient: None,
        }
    );
    assert_eq!(accesses[2].recipient.as_deref(), Some("data_subject"));
    archive.sequence().unwrap();
    assert_eq!(archive.accesses(id).unwrap(), accesses, "placed in the log");
    assert_eq!(archive.check(Level::Hash).unwrap().wrong, []);
    for canary in [asker().expose().as_bytes(), b"complaint 12"] {
        assert!(!is_on_disk(&fixture, canary));
    }
}

#[test]
fn nothing_on_disk_holds_a_name_or_an_address_in_the_clear() {
    let fixture = fixture();
    record(&fixture.archive);
    fixture.archive.sequence().unwrap();
    for canary in [NAME.as_bytes(), AGENT.as_bytes(), b"+31201234567"] {
        assert!(!is_on_disk(&fixture, canary));
    }
    assert!(
        is_on_disk(&fixture, b"announced"),
        "the line is, in the clear"
    );
}

/// Whether a file of the archive holds these bytes.
fn is_on_disk(fixture: &Fixture, canary: &[u8]) -> bool {
    let mut files = vec![fixture.folder.path().to_owned()];
    while let Some(path) = files.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).unwrap();
            files.extend(entries.map(|entry| entry.unwrap().path()));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        if bytes.windows(canary.len()).any(|window| window == canary) {
            return true;
        }
    }
    false
}

#[test]
fn a_rule_that_comes_into_force_while_the_archive_is_open_is_applied() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let id = record(archive).id;
    let later = "2027-12-02T12:00:00Z".parse().unwrap();
    let before = archive.ask_to_destroy(id, START).unwrap();
    let after = archive.ask_to_destroy(id, later).unwrap();
    assert_eq!(before.decision.rulebook.valid_from, "2026-09-29");
    assert_eq!(after.decision.rulebook.valid_from, "2027-12-02");
    assert_eq!(archive.rulebook().valid_from(), "2027-12-02");
}

#[test]
fn rules_made_ready_the_day_before_begin_on_their_day_and_not_earlier() {
    let archive = fixture().archive;
    let at = |text: &str| text.parse().unwrap();
    archive.look_ahead(at("2027-12-01T12:00:00Z")).unwrap();
    for (moment, valid_from) in [
        ("2027-12-01T22:59:59Z", "2026-09-29"),
        ("2027-12-01T23:00:00Z", "2027-12-02"),
        ("2027-12-03T12:00:00Z", "2027-12-02"),
    ] {
        let rules = archive.rulebook_at(at(moment)).unwrap();
        assert_eq!(rules.valid_from(), valid_from, "{moment}");
    }
    // A clock that was set back gets the law of then.
    let rules = archive.rulebook_at(START).unwrap();
    assert_eq!(rules.valid_from(), "2026-09-29");
}
