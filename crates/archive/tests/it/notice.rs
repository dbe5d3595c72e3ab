//! The notice of a line: what it does to the facts of a call.

use crate::support::*;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use voicelog_archive::line::LineNotice;
use voicelog_archive::timeline::NoticeHearing;
use voicelog_archive::{Archive, Call, Line, Lines, NoticeState, Parts, Verdict};
use voicelog_model::{RecordingId, StreamNumber, Timestamp};

/// A line with a notice that says more of itself than the recorder can hear.
fn archive(keep_before: bool) -> (TempDir, Archive) {
    let folder = tempfile::tempdir().unwrap();
    let mut facts = facts("announced");
    facts.insert(
        "announcement".to_owned(),
        json!({ "text_id": "melding-3", "language": "nl" }),
    );
    let line = Line {
        own_domains: vec!["voorbeeld.example".to_owned()],
        facts,
        notice: Some(LineNotice {
            audio: "melding.wav".to_owned(),
            within_seconds: 60,
            keep_before,
        }),
        ..Line::not_set_up("sales")
    };
    let parts = Parts {
        lines: Lines::new(vec![line]),
        ..parts(folder.path())
    };
    (folder, Archive::open(parts))
}

fn call(archive: &Archive) -> Call {
    let offer = offer("sales", "tel:+31201234567");
    archive.open_call(offer, START).unwrap()
}

/// Whether it is permitted, and the facts that were asked about.
fn ask(archive: &Archive, id: RecordingId, at: Timestamp) -> (bool, Map<String, Value>) {
    let answer = archive.ask_to_record(id, at).unwrap();
    let asked = archive.decide_again(answer.id).unwrap();
    assert!(asked.is_same());
    (matches!(answer.verdict, Verdict::Permit(_)), asked.facts)
}

fn heard() -> NoticeState {
    NoticeState::Heard {
        at: seconds(2),
        from_us: 2_400_000,
        hearing: NoticeHearing {
            stream: StreamNumber(1),
            length_us: 5_900_000,
            similarity_permille: 987,
        },
    }
}

#[test]
fn until_the_notice_was_heard_nobody_was_told_and_then_the_facts_say_where() {
    let (_folder, archive) = archive(false);
    let id = call(&archive).id;
    let (is_permitted, facts) = ask(&archive, id, START);
    assert!(!is_permitted);
    assert_eq!(facts["openness"], "covert");
    assert!(!facts.contains_key("announcement") && !facts.contains_key("staff_informed"));
    assert!(archive.set_notice(id, heard()));
    let (is_permitted, facts) = ask(&archive, id, seconds(9));
    assert!(is_permitted);
    assert_eq!(facts["openness"], "announced");
    assert_eq!(facts["staff_informed"], "each_call_signal");
    assert_eq!(
        facts["announcement"],
        json!({
            "text_id": "melding-3", "language": "nl", "at": seconds(2),
            "heard_proof": "notice heard from 00:02.4 to 00:08.3 on stream 1, similarity 0.98",
        })
    );
}

#[test]
fn a_recording_that_began_before_is_permitted_until_the_notice_is_missed() {
    let (_folder, archive) = archive(true);
    let id = call(&archive).id;
    assert!(ask(&archive, id, START).0);
    assert!(archive.set_notice(id, NoticeState::Missed {}));
    let (is_permitted, facts) = ask(&archive, id, seconds(60));
    assert!(!is_permitted && facts["openness"] == "covert");
    // It cannot be heard after it was given up.
    assert!(!archive.set_notice(id, heard()));
    assert!(!ask(&archive, id, seconds(61)).0);
}

#[test]
fn nothing_that_is_said_takes_the_place_of_a_notice_that_has_to_be_heard() {
    let (_folder, archive) = archive(false);
    let id = call(&archive).id;
    let say = |facts: Value| archive.say(id, facts.as_object().unwrap().clone(), seconds(1));
    let consents = |word: &str| json!({ "consent_per_participant": { "p1": word, "p2": "given" } });
    say(json!({ "openness": "announced_and_agreed" })).unwrap();
    say(json!({ "announcement": { "text_id": "x" } })).unwrap();
    say(consents("given")).unwrap();
    let (is_permitted, facts) = ask(&archive, id, seconds(1));
    assert!(!is_permitted && facts["openness"] == "covert");
    // What is no consent is refused at once, and does not come out when the notice is heard.
    assert!(say(consents("perhaps")).is_err());
    archive.set_notice(id, heard());
    let (is_permitted, facts) = ask(&archive, id, seconds(9));
    assert!(is_permitted);
    assert_eq!(facts["openness"], "announced_and_agreed");
    assert_eq!(facts["consent_per_participant"]["p1"], "given");
}

#[test]
fn of_a_line_without_a_notice_none_is_awaited() {
    let fixture = fixture();
    let call = open_call(&fixture.archive, "announced");
    assert_eq!(call.notice, None);
    assert!(!fixture.archive.set_notice(call.id, heard()));
}
