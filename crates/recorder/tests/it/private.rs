//! A private call: nothing of it is kept until the same person says that it is no longer one.

use crate::raw::{DUTCH, RawCall, STAFF};
use crate::support::*;
use serde_json::json;
use voicelog_archive::journal::{
    AskedBy, JournalEvent, KeepReason, PauseReason, PrivateEnd, Record,
};
use voicelog_archive::line::{KeyAct, Keys, Sequence};
use voicelog_archive::timeline::{Interval, IntervalKind, Timeline, Verdict};
use voicelog_archive::{KeepRequest, Line, RecordingFilter};
use voicelog_model::{Pii, RecordingId};
use voicelog_recorder::{CallState, KeepAnswer, MediaCounts, PrivateAnswer, WishError};
use voicelog_src_sim::place;

const KEYS: &str = "8 101\r\na=rtpmap:101 telephone-event/8000";
const COLLEAGUE: &str = "sip:2002@voorbeeld.example";

fn counts(server: &Server) -> MediaCounts {
    server.recorder.status().calls[0].media
}

fn begin(server: &Server, id: RecordingId, said_by: &str) -> Result<PrivateAnswer, WishError> {
    server
        .recorder
        .begin_private(id, Pii::new(said_by.to_owned()))
}

fn end(server: &Server, id: RecordingId, said_by: &str) -> Result<PrivateAnswer, WishError> {
    let said_by = Pii::new(said_by.to_owned());
    server
        .recorder
        .end_private(id, said_by, PrivateEnd::BusinessAgain)
}

/// What is private of the first stream.
fn private(timeline: &Timeline) -> Vec<&Interval> {
    let intervals = timeline.streams[0].intervals.iter();
    let private = |interval: &&Interval| {
        let pause = interval.pause.as_ref();
        pause.is_some_and(|pause| pause.reason == PauseReason::PrivateCall)
    };
    intervals.filter(private).collect()
}

#[test]
fn of_a_private_call_nothing_is_kept_until_the_same_person_says_that_it_is_no_longer_one() {
    let server = server();
    let call = place(&server.plan("announced", 1)).unwrap();
    let id = server.call_in(CallState::Recording);
    wait_until("media is kept", || counts(&server).kept > 20);
    assert_eq!(
        end(&server, id, "agent 2001"),
        Ok(PrivateAnswer::NotPrivate)
    );
    let Ok(PrivateAnswer::Private { since }) = begin(&server, id, "agent 2001") else {
        panic!("it should be private")
    };
    let kept = counts(&server).kept;
    wait_until("media is thrown away", || counts(&server).paused > 20);
    assert_eq!(counts(&server).kept, kept);
    // Nobody else can take it back, whether or not they say that it is private too.
    let again = begin(&server, id, "agent 2002");
    assert_eq!(again, Ok(PrivateAnswer::Private { since }));
    assert_eq!(
        end(&server, id, "agent 2002"),
        Ok(PrivateAnswer::AnotherPerson)
    );
    assert_eq!(server.recorder.status().calls[0].private, Some(since));
    assert_eq!(counts(&server).kept, kept);
    assert_eq!(end(&server, id, "agent 2001"), Ok(PrivateAnswer::Over));
    wait_until("media is kept again", || counts(&server).kept > kept + 20);
    let report = call.hang_up().unwrap();
    server.all_closed();

    let opened = server.open(id);
    for (stream, all) in (1..).zip(sent(&report)) {
        let kept = payloads(&opened, stream);
        let packets: Vec<_> = kept.chunks(160).collect();
        let all: Vec<_> = all.chunks(160).collect();
        let pairs = packets.iter().zip(&all);
        let before = pairs.take_while(|(kept, sent)| kept == sent).count();
        assert!(before > 5, "what was kept before stays");
        assert!(
            all.ends_with(&packets[before..]),
            "one hole, and nothing else is missing"
        );
        assert!(all.len() > packets.len());
    }
    let timeline = server.timeline(id);
    let [interval] = private(&timeline)[..] else {
        panic!("{timeline:#?}")
    };
    assert_eq!(interval.kind, IntervalKind::Paused);
    assert_eq!(timeline.verdict, Verdict::WholeWithDeclaredGaps);
    assert_eq!(timeline.streams[0].lost, 0);
    // Nobody is named in the journal by a name of theirs.
    let named = |record: &&Record| match record {
        Record::Event { event, .. } => format!("{event:?}").contains("agent"),
        Record::Packet { .. } => false,
    };
    assert_eq!(opened.records.iter().find(named), None);
}

#[test]
fn the_law_is_asked_with_that_fact_and_who_reviews_the_list_sees_that_a_part_was_private() {
    let server = server();
    let call = place(&server.plan("announced", 1)).unwrap();
    let id = server.call_in(CallState::Recording);
    wait_until("media is kept", || counts(&server).kept > 10);
    begin(&server, id, "agent 2001").unwrap();
    wait_until("the law was asked", || {
        server.detail(id).decisions.len() == 2
    });
    // In less time than a packet lasts there would be nothing to leave out.
    wait_until("a part is left out", || counts(&server).paused > 5);
    end(&server, id, "agent 2001").unwrap();
    wait_until("the law was asked again", || {
        server.detail(id).decisions.len() == 3
    });
    call.hang_up().unwrap();
    server.all_closed();
    let other = place(&server.plan("announced", 2)).unwrap();
    server.call_in(CallState::Recording);
    other.hang_up().unwrap();
    server.all_closed();
    let decisions = server.detail(id).decisions;
    let asked: Vec<_> = decisions
        .iter()
        .map(|kept| server.archive.decide_again(kept.id).unwrap())
        .collect();
    assert!(asked.iter().all(voicelog_archive::Again::is_same));
    let nature = |number: usize| asked[number].facts.get("content_nature").cloned();
    assert_eq!(nature(0), None);
    assert_eq!(nature(1), Some("private".into()));
    assert_eq!(nature(2), None);
    let said_by = |number: usize| {
        asked[number]
            .private
            .as_ref()
            .map(|it| it.said_by.expose().as_str())
    };
    assert_eq!((said_by(1), said_by(2)), (Some("agent 2001"), None));
    let all = RecordingFilter::default();
    let (list, _) = server.archive.list(&all, None, 10).unwrap();
    let marks: Vec<_> = list
        .iter()
        .map(|row| (row.id == id, row.is_partly_private))
        .collect();
    assert_eq!(marks, [(false, false), (true, true)]);
    let (talks, _) = server.archive.list_conversations(&all, None, 10).unwrap();
    assert!(talks[1].parts[0].is_partly_private && server.detail(id).summary.is_partly_private);
}

#[test]
fn by_key_a_call_is_private_from_the_key_on_and_another_agents_key_does_not_take_it_back() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH, COLLEAGUE]);
    let mut call = RawCall::place_as(&server, "keyed", 3, Some(&metadata), KEYS);
    let id = server.call_in(CallState::Recording);
    let speak = |call: &mut RawCall| {
        let seen = |counts: MediaCounts| counts.kept + counts.paused + counts.without_permit;
        let before = seen(counts(&server));
        call.speak(1);
        wait_until("a packet is dealt with", || seen(counts(&server)) > before);
    };
    speak(&mut call);
    // The other side has no say over it.
    call.press(1, "*5");
    speak(&mut call);
    let is_private = || server.recorder.status().calls[0].private.is_some();
    assert!(!is_private());
    call.press(0, "*5");
    wait_until("the key makes it private", is_private);
    let kept = counts(&server).kept;
    speak(&mut call);
    call.press(2, "*9");
    speak(&mut call);
    assert!(is_private());
    // What a program says is not what the person with the key says.
    assert_eq!(end(&server, id, "p1"), Ok(PrivateAnswer::AnotherPerson));
    assert_eq!(counts(&server).kept, kept);
    call.press(0, "*9");
    wait_until("the key takes it back", || !is_private());
    speak(&mut call);
    assert!(counts(&server).kept > kept);
    call.bye();
    server.all_closed();
    let opened = server.open(id);
    let events = opened.records.iter().filter_map(|record| match record {
        Record::Event { event, .. } => Some(event),
        Record::Packet { .. } => None,
    });
    let told = |event: &&JournalEvent| {
        matches!(
            event,
            JournalEvent::PrivateBegan { .. } | JournalEvent::PrivateEnded { .. }
        )
    };
    let (by, party) = (AskedBy::Key, Some("p1".to_owned()));
    let reason = PrivateEnd::BusinessAgain;
    let ended = JournalEvent::PrivateEnded {
        reason,
        by,
        party: party.clone(),
    };
    let told: Vec<_> = events.filter(told).collect();
    assert_eq!(told, [&JournalEvent::PrivateBegan { by, party }, &ended]);
}

#[test]
fn a_call_that_stays_private_says_so_to_its_end_and_a_call_that_is_over_cannot_become_private() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let mut call = RawCall::place(&server, "announced", 1, Some(&metadata));
    let id = server.call_in(CallState::Recording);
    call.speak(0);
    wait_until("a packet is kept", || counts(&server).kept == 1);
    begin(&server, id, "agent 2001").unwrap();
    // A pause of a program does not end it.
    server
        .recorder
        .pause(id, PauseReason::CardData, None)
        .unwrap();
    server.recorder.resume(id).unwrap();
    assert_eq!(call.offer("INVITE", 2, Some(&metadata)), 200);
    call.speak(0);
    call.speak(1);
    wait_until("media is thrown away", || counts(&server).paused >= 2);
    call.bye();
    server.all_closed();
    assert_eq!(begin(&server, id, "agent 2001"), Err(WishError::NoSuchCall));
    assert_eq!(payloads(&server.open(id), 1).len(), 160);
    assert_eq!(payloads(&server.open(id), 2).len(), 0);
    let timeline = server.timeline(id);
    let [interval] = private(&timeline)[..] else {
        panic!("{timeline:#?}")
    };
    assert_eq!(interval.end_us, timeline.length_us());
    let said = voicelog_archive::timeline::describe(interval, voicelog_model::Language::En);
    assert!(
        said.contains("a private call, asked for by a program"),
        "{said}"
    );
}

#[test]
fn what_was_held_before_a_call_became_private_is_in_no_look_back() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let mut call = RawCall::place(&server, "asked", 1, Some(&metadata));
    let id = server.call_in(CallState::Waiting);
    call.speak(0);
    wait_until("a packet is held", || counts(&server).waiting == 1);
    begin(&server, id, "agent 2001").unwrap();
    assert_eq!(server.recorder.status().waiting_bytes, 0);
    call.speak(0);
    wait_until("a packet is thrown away", || counts(&server).paused == 1);
    end(&server, id, "agent 2001").unwrap();
    let held = counts(&server).waiting;
    call.speak(0);
    wait_until("a packet is held again", || counts(&server).waiting > held);
    let request = KeepRequest {
        reason: KeepReason::Agreement,
        by: AskedBy::Program,
        asked_by: None,
        at: now(),
    };
    let kept = server.recorder.request_keep(id, request);
    assert!(matches!(kept, Ok(KeepAnswer::Kept { .. })), "{kept:?}");
    call.bye();
    server.all_closed();
    assert_eq!(
        payloads(&server.open(id), 1).len(),
        160,
        "the third packet alone"
    );
    assert!(server.timeline(id).is_partly_private());
}

/// A line of a private person who records their own business calls without saying so: in France that
/// is a crime once the talk is private.
fn french() -> Line {
    let facts = json!({
        "recorder_type": "private_person", "counterpart_types": ["company"],
        "participation": "participant", "openness": "covert", "content_nature": "business",
    });
    let own = [("*5", KeyAct::PrivateCall), ("*9", KeyAct::BusinessAgain)];
    let own = own.map(|(keys, act)| (Sequence::try_from(keys.to_owned()).unwrap(), act));
    Line {
        own_domains: vec!["voorbeeld.example".to_owned()],
        facts: facts.as_object().unwrap().clone(),
        keys: Keys {
            own: own.into_iter().collect(),
            ..Keys::default()
        },
        ..Line::not_set_up("french")
    }
}

#[test]
fn where_the_law_forbids_a_private_call_the_key_that_ends_it_is_heard_all_the_same() {
    let server = server_on(vec![french()]);
    let metadata = RawCall::metadata(&[STAFF, "tel:+33140000000"]);
    let mut call = RawCall::place_as(&server, "french", 2, Some(&metadata), KEYS);
    let id = server.call_in(CallState::Recording);
    call.press(0, "*5");
    assert_eq!(server.call_in(CallState::Stopped), id);
    assert_eq!(
        call.try_ask("OPTIONS"),
        None,
        "the client is not told to stop"
    );
    call.press(0, "*9");
    assert_eq!(server.call_in(CallState::Recording), id);
    assert_eq!(server.recorder.status().calls[0].private, None);
    call.bye();
    server.all_closed();
}
