//! Calls as people know them: what happens in one talk, and which recordings are parts of it.

use crate::support::*;
use std::time::Duration;
use voicelog_archive::journal::Cause;
use voicelog_archive::timeline::{IntervalKind, Timeline, Verdict};
use voicelog_archive::{Conversation, RecordingSummary, State};
use voicelog_model::{RecordingId, StreamNumber};
use voicelog_recorder::{CallState, RecorderConfig};
use voicelog_src_sim::{
    Belongs, CallPlan, CallReport, Dialect, Outcome, Participant, RunningCall, Side, place,
};

const GROUP: &str = "7c4d1ff2-group-of-one-talk";

fn agent() -> Participant {
    Participant::new("sip:2001@voorbeeld.example", "Verkoop")
}

fn colleague() -> Participant {
    Participant::new("sip:2002@voorbeeld.example", "Techniek")
}

fn customer() -> Participant {
    Participant::new("tel:+31201234567", "Klant")
}

/// Media and declared intervals are the call, stream by stream, and what was sent is what is there.
#[track_caller]
fn is_honest(timeline: &Timeline, report: &CallReport) {
    adds_up(timeline);
    for (stream, sent) in timeline.streams.iter().zip(&report.streams) {
        assert_eq!(stream.packets, sent.sent.packets, "{timeline:#?}");
    }
}

/// What comes after a hold and before the law's new answer is not kept, and belongs to the declared
/// pause.
fn is_honest_about_holds(timeline: &Timeline, report: &CallReport) {
    adds_up(timeline);
    for (stream, sent) in timeline.streams.iter().zip(&report.streams) {
        let not_kept = sent.sent.packets - stream.packets;
        assert!(not_kept <= 20, "{timeline:#?}");
    }
}

fn adds_up(timeline: &Timeline) {
    assert_ne!(timeline.verdict, Verdict::UndeclaredGap, "{timeline:#?}");
    assert_eq!(timeline.stray_packets, 0);
    for stream in &timeline.streams {
        let mut end = 0;
        for interval in &stream.intervals {
            assert_eq!(interval.start_us, end, "{timeline:#?}");
            end = interval.end_us;
        }
        assert_eq!(end, timeline.length_us());
        let placed: u64 = stream
            .intervals
            .iter()
            .map(|interval| interval.packets)
            .sum();
        assert_eq!(
            placed + stream.duplicates + stream.late + stream.outside,
            stream.packets,
            "{timeline:#?}"
        );
    }
}

impl Server {
    /// A call that says it belongs to a group.
    fn grouped(&self, seed: u64, group: &str, people: &[Participant]) -> CallPlan {
        let mut plan = self.plan("announced", seed);
        plan.participants = people.to_vec();
        plan.belongs.group = Some(group.to_owned());
        plan
    }

    /// Places a call and waits until it is recorded and media flows.
    fn talk(&self, plan: &CallPlan) -> (RecordingId, RunningCall) {
        let before: Vec<_> = self.ids();
        let call = place(plan).unwrap();
        let mut id = None;
        wait_until("the call is recorded", || {
            let calls = self.recorder.status().calls;
            id = calls
                .iter()
                .find(|call| !before.contains(&call.id) && call.media.kept > 20)
                .map(|call| call.id);
            id.is_some()
        });
        (id.unwrap(), call)
    }

    fn ids(&self) -> Vec<RecordingId> {
        let calls = self.recorder.status().calls;
        calls.iter().map(|call| call.id).collect()
    }

    fn more_media(&self, id: RecordingId) {
        let kept = || {
            let calls = self.recorder.status().calls;
            let call = calls.iter().find(|call| call.id == id);
            call.map_or(0, |call| call.media.kept)
        };
        let before = kept();
        wait_until("more media", || kept() > before + 20);
    }

    fn conversation(&self, id: RecordingId) -> Conversation {
        self.archive.conversation(id).unwrap()
    }

    fn parts(&self, id: RecordingId) -> Vec<RecordingId> {
        let conversation = self.conversation(id);
        conversation.parts.iter().map(|part| part.id).collect()
    }

    fn linked_by(&self, id: RecordingId) -> Option<String> {
        let part = self.detail(id).summary.part;
        part.map(|part| part.linked_by)
    }

    /// Who took part, as whoever listens sees it.
    fn people(&self, id: RecordingId) -> Vec<String> {
        let parties = self.play(id).unwrap().parties;
        let addresses = parties.iter().map(|party| party.address.expose());
        addresses.cloned().collect()
    }
}

/// Comings and goings of a timeline, without their times.
fn presence(timeline: &Timeline) -> Vec<(&str, bool)> {
    let presence = timeline.presence.iter();
    presence
        .map(|change| (change.party.as_str(), change.is_there))
        .collect()
}

#[test]
fn hold_and_resume_are_one_recording_with_a_declared_pause() {
    let server = server();
    let (id, call) = server.talk(&server.plan("announced", 1));
    assert_eq!(call.pause().unwrap(), 200);
    pass(400);
    assert_eq!(call.resume().unwrap(), 200);
    server.more_media(id);
    let report = call.hang_up().unwrap();
    server.all_closed();
    let timeline = server.timeline(id);
    is_honest_about_holds(&timeline, &report);
    assert!(kinds(&timeline).contains(&IntervalKind::Paused));
    assert_eq!(server.parts(id), [id]);
    assert_eq!(timeline.presence, []);
}

#[test]
fn a_blind_transfer_tells_who_left_and_who_came() {
    let server = server();
    let (id, call) = server.talk(&server.plan("announced", 1));
    assert_eq!(
        call.update_metadata(&[colleague(), customer()]).unwrap(),
        200
    );
    server.more_media(id);
    let report = call.hang_up().unwrap();
    server.all_closed();
    let timeline = server.timeline(id);
    is_honest(&timeline, &report);
    assert_eq!(presence(&timeline), [("p1", false), ("p3", true)]);
    let times: Vec<_> = timeline
        .presence
        .iter()
        .map(|change| change.at_us)
        .collect();
    assert!(times[0] > 0 && times[0] < timeline.length_us(), "{times:?}");
    // What was said before the transfer is the voice of the one who left.
    let voices = timeline.voices_of(StreamNumber(1));
    let voices: Vec<_> = voices
        .iter()
        .map(|stretch| (stretch.between.0, stretch.voice.parties.as_slice()))
        .collect();
    let [first, second] = [["p1".to_owned()], ["p3".to_owned()]];
    assert_eq!(voices, [(0, &first[..]), (times[0], &second[..])]);
    assert_eq!(timeline.voices_of(StreamNumber(2)).len(), 1);
    // Whoever came later is among those who took part, on the disk too.
    assert!(server.people(id).contains(&colleague().address));
}

#[test]
fn an_attended_transfer_that_replaces_its_session_is_one_conversation() {
    let server = server();
    let (first, call) = server.talk(&server.plan("announced", 1));
    let mut next = server.plan("announced", 2);
    next.participants = vec![colleague(), customer()];
    next.belongs.replaces = Some(call.status().named);
    let (second, next) = server.talk(&next);
    let before = call.finish().unwrap();
    let by_server = Outcome::Ended {
        by: Side::Server,
        status: None,
    };
    assert_eq!(before.outcome, by_server);
    let after = next.hang_up().unwrap();
    server.all_closed();
    is_honest(&server.timeline(second), &after);
    assert_eq!(server.parts(first), [first, second]);
    assert_eq!(server.parts(second), [first, second]);
    assert_eq!(server.linked_by(second).as_deref(), Some("replaces"));
}

#[test]
fn bye_and_a_new_invite_with_the_same_group_are_one_conversation() {
    let server = server();
    let (first, call) = server.talk(&server.grouped(1, GROUP, &[agent(), customer()]));
    let before = call.hang_up().unwrap();
    server.all_closed();
    let (second, call) = server.talk(&server.grouped(2, GROUP, &[colleague(), customer()]));
    let after = call.hang_up().unwrap();
    server.all_closed();
    is_honest(&server.timeline(first), &before);
    is_honest(&server.timeline(second), &after);
    assert_eq!(server.parts(first), [first, second]);
    assert_eq!(server.linked_by(second).as_deref(), Some("group"));
    let conversation = server.conversation(second);
    let sum: u64 = [first, second]
        .map(|id| server.detail(id).summary)
        .iter()
        .map(|part| {
            part.ended_at
                .unwrap()
                .micros_since(part.started_at)
                .unsigned_abs()
        })
        .sum();
    assert_eq!(conversation.length_us(), Some(sum));
    assert_eq!(conversation.place_of(second), Some(2));
}

/// Two calls of one talk, the second of which begins when the first has ended; they say so with one kind of
/// id only. The word of the link.
fn linked_after_bye(says: impl Fn(&mut Belongs, bool)) -> Option<String> {
    let server = server();
    let mut plan = server.plan("announced", 1);
    says(&mut plan.belongs, true);
    let (first, call) = server.talk(&plan);
    let before = call.hang_up().unwrap();
    server.all_closed();
    // The customer is transferred to a colleague.
    let mut plan = server.plan("announced", 2);
    plan.participants = vec![colleague(), customer()];
    says(&mut plan.belongs, false);
    let (second, call) = server.talk(&plan);
    let after = call.hang_up().unwrap();
    server.all_closed();
    is_honest(&server.timeline(first), &before);
    is_honest(&server.timeline(second), &after);
    for id in [first, second] {
        assert_eq!(server.parts(id), [first, second]);
    }
    let parts = server.conversation(first).parts;
    let is_copy = |part: &RecordingSummary| part.part.as_ref().unwrap().is_copy;
    assert!(!parts.iter().any(is_copy), "one came after the other");
    server.linked_by(second)
}

#[test]
fn bye_and_a_new_invite_with_one_end_of_the_same_session_id_are_one_conversation() {
    // The customer's end stays, the colleague has an id of their own (RFC 7989).
    let customer = "4755a9de7ab24d2c8e1f0a6b3c9d5e71";
    let agents = [
        "ab30317f1a784dc48ff824d0d3715d86",
        "7f3c19ad02b64e55b1c8d97e6a40f2b3",
    ];
    let linked_by = linked_after_bye(|belongs, is_first| {
        let agent = agents[usize::from(!is_first)];
        belongs.session_id = Some(if is_first {
            format!("{agent};remote={customer}")
        } else {
            format!("{customer};remote={agent}")
        });
    });
    assert_eq!(linked_by.as_deref(), Some("session_id"));
}

#[test]
fn bye_and_a_new_invite_with_the_same_session_in_the_metadata_are_one_conversation() {
    let linked_by = linked_after_bye(|belongs, _is_first| {
        belongs.session = Some("2hVpd7YQgRW2nD22h7q60JQ==".to_owned());
    });
    assert_eq!(linked_by.as_deref(), Some("session"));
}

#[test]
fn a_third_person_who_joins_a_conference_and_leaves_stands_on_the_timeline() {
    let server = server();
    let (id, call) = server.talk(&server.plan("announced", 1));
    let all = [agent(), customer(), colleague()];
    assert_eq!(call.update_metadata(&all).unwrap(), 200);
    server.more_media(id);
    assert_eq!(call.update_metadata(&all[..2]).unwrap(), 200);
    server.more_media(id);
    let report = call.hang_up().unwrap();
    server.all_closed();
    let timeline = server.timeline(id);
    is_honest(&timeline, &report);
    assert_eq!(presence(&timeline), [("p3", true), ("p3", false)]);
    assert_eq!(server.people(id).len(), 3);
}

#[test]
fn a_parked_call_that_another_agent_picks_up_is_one_recording() {
    let server = server();
    let (id, call) = server.talk(&server.plan("announced", 1));
    assert_eq!(call.pause().unwrap(), 200);
    assert_eq!(call.update_metadata(&[customer()]).unwrap(), 200);
    pass(1_200);
    assert_eq!(
        call.update_metadata(&[colleague(), customer()]).unwrap(),
        200
    );
    assert_eq!(call.resume().unwrap(), 200);
    server.more_media(id);
    let report = call.hang_up().unwrap();
    server.all_closed();
    let timeline = server.timeline(id);
    is_honest_about_holds(&timeline, &report);
    assert_eq!(presence(&timeline), [("p1", false), ("p3", true)]);
    let parked: Vec<_> = timeline.streams[0]
        .intervals
        .iter()
        .filter(|interval| interval.kind == IntervalKind::Paused)
        .collect();
    assert!(parked.len() == 1 && parked[0].length_us() > 1_000_000);
}

#[test]
fn the_same_call_from_two_clients_is_one_conversation_and_a_copy() {
    let server = server();
    let mut plan = server.plan("announced", 1);
    let (one, other) = (
        "ab30317f1a784dc48ff824d0d3715d86",
        "4755a9de7ab24d2c8e1f0a6b3c9d5e71",
    );
    plan.belongs.session_id = Some(format!("{one};remote={other}"));
    let (first, call) = server.talk(&plan);
    // The other client stands at the other end.
    plan.belongs.session_id = Some(format!("{other};remote={one}"));
    let (second, again) = server.talk(&plan);
    let reports = [call.hang_up().unwrap(), again.hang_up().unwrap()];
    server.all_closed();
    for (id, report) in [first, second].into_iter().zip(&reports) {
        is_honest(&server.timeline(id), report);
    }
    let conversation = server.conversation(first);
    let copies: Vec<_> = conversation
        .parts
        .iter()
        .map(|part| part.part.as_ref().unwrap().is_copy)
        .collect();
    assert_eq!(copies, [false, true]);
    assert_eq!(server.linked_by(second).as_deref(), Some("session_id"));
    // What both cover counts once.
    let [begun, ended] = [
        conversation.parts.iter().map(|part| part.started_at).min(),
        conversation
            .parts
            .iter()
            .filter_map(|part| part.ended_at)
            .max(),
    ];
    let whole = ended.unwrap().micros_since(begun.unwrap());
    assert_eq!(conversation.length_us(), Some(whole.unsigned_abs()));
}

#[test]
fn a_client_that_never_says_bye_leaves_a_conversation_that_says_so() {
    let server = server_with(&RecorderConfig {
        silent_call: Duration::from_secs(4),
        ..config()
    });
    let (first, call) = server.talk(&server.grouped(1, GROUP, &[agent(), customer()]));
    // From here on nothing is heard of it.
    assert_eq!(call.pause().unwrap(), 200);
    let (second, next) = server.talk(&server.grouped(2, GROUP, &[agent(), customer()]));
    let lost = call.finish().unwrap();
    server.more_media(second);
    let report = next.hang_up().unwrap();
    server.all_closed();
    is_honest(&server.timeline(first), &lost);
    is_honest(&server.timeline(second), &report);
    assert_eq!(server.timeline(first).end, Some(Cause::TimeOut));
    assert_eq!(server.parts(first), [first, second]);
}

#[test]
fn calls_of_strangers_with_one_constant_id_are_not_one_conversation() {
    let server = server();
    let strangers = [
        Participant::new("sip:2009@voorbeeld.example", "Inkoop"),
        Participant::new("tel:+31301112222", "Leverancier"),
    ];
    let (first, call) = server.talk(&server.grouped(1, GROUP, &[agent(), customer()]));
    let (second, other) = server.talk(&server.grouped(2, GROUP, &strangers));
    // From now on the id is not believed, whoever has it.
    let (third, last) = server.talk(&server.grouped(3, GROUP, &[agent(), customer()]));
    for call in [call, other, last] {
        call.hang_up().unwrap();
    }
    server.all_closed();
    for id in [first, second, third] {
        assert_eq!(server.parts(id), [id]);
    }
}

#[test]
fn an_empty_or_nil_id_and_another_line_link_nothing() {
    let server = server();
    let nil = "0".repeat(32);
    let mut seen = Vec::new();
    for (line, group, session_id) in [
        ("announced", "", &nil),
        ("announced", "", &nil),
        ("announced", GROUP, &nil),
        ("covert", GROUP, &nil),
    ] {
        let mut plan = server.grouped(1, group, &[agent(), customer()]);
        plan.request_user = line.to_owned();
        plan.belongs.session_id = Some(session_id.clone());
        let before = server.ids();
        let call = place(&plan).unwrap();
        wait_until("the call is taken up", || {
            server.ids().iter().any(|id| !before.contains(id))
        });
        let id = server.ids().into_iter().find(|id| !before.contains(id));
        seen.push((id.unwrap(), call));
    }
    let ids: Vec<_> = seen.iter().map(|(id, _)| *id).collect();
    for (_, call) in seen {
        call.hang_up().unwrap();
    }
    server.all_closed();
    for id in ids {
        assert_eq!(server.parts(id), [id]);
    }
}

#[test]
fn parts_that_were_not_permitted_are_parts_all_the_same() {
    let server = server();
    let mut plan = server.german_plan(1);
    plan.belongs.group = Some(GROUP.to_owned());
    let call = place(&plan).unwrap();
    let first = server.call_in(CallState::Waiting);
    let again = place(&plan).unwrap();
    wait_until("both wait", || server.ids().len() == 2);
    let second = server.ids().into_iter().find(|id| *id != first).unwrap();
    for call in [call, again] {
        call.hang_up().unwrap();
    }
    server.all_closed();
    assert_eq!(server.parts(second), [first, second]);
    let parts = server.conversation(first).parts;
    assert!(parts.iter().all(|part| part.state == State::NotRecorded));
}

#[test]
fn what_links_recordings_is_nowhere_on_the_disk() {
    let server = server();
    let mut plan = server.grouped(1, GROUP, &[agent(), customer()]);
    plan.belongs.session = Some("session-31612345678".to_owned());
    let (id, call) = server.talk(&plan);
    call.hang_up().unwrap();
    server.all_closed();
    assert_eq!(server.parts(id), [id]);
    drop(server.recorder);
    drop(server.archive);
    for file in ["index.db", "index.db-wal"] {
        let bytes = std::fs::read(server.folder.path().join(file)).unwrap_or_default();
        for secret in [GROUP, "session-31612345678"] {
            let is_there = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!is_there, "{secret} in {file}");
        }
    }
}

#[test]
fn the_report_of_a_call_says_what_was_odd_and_whose_voice_is_where() {
    let server = server();
    let (id, call) = server.talk(&server.plan("announced", 1));
    call.hang_up().unwrap();
    server.all_closed();
    let (quirks, told) = told(&server, id);
    assert_eq!(quirks, [""; 0]);
    let label = Some("label".to_owned());
    assert_eq!(
        told,
        [
            (1, "p1".to_owned(), label.clone()),
            (2, "p2".to_owned(), label)
        ]
    );
}

/// A stream: its number, whose voices it has, and by which rule that is known.
type Attributed = (u16, String, Option<String>);

/// The quirks of a call, and its streams.
fn told(server: &Server, id: RecordingId) -> (Vec<String>, Vec<Attributed>) {
    let report = server.detail(id).report.expect("it should be kept");
    let streams = report.streams.iter();
    let streams = streams.map(|stream| {
        (
            stream.stream.0,
            stream.voices.join("+"),
            stream.rule.clone(),
        )
    });
    (report.quirks, streams.collect())
}

/// A call as a product writes it.
fn call_in(server: &Server, dialect: Dialect) -> RecordingId {
    let mut plan = server.plan("announced", 1);
    plan.dialect = dialect;
    plan.streams.truncate(dialect.labels().len());
    for (stream, label) in plan.streams.iter_mut().zip(dialect.labels()) {
        (*label).clone_into(&mut stream.label);
    }
    let (id, call) = server.talk(&plan);
    let report = call.hang_up().unwrap();
    server.all_closed();
    is_honest(&server.timeline(id), &report);
    id
}

#[test]
fn voices_that_only_their_order_tells_are_in_the_report_as_a_guess_beside_what_was_odd() {
    let server = server();
    let id = call_in(&server, Dialect::Opensips);
    let (quirks, told) = told(&server, id);
    assert_eq!(quirks, ["metadata_ampersand"]);
    let order = Some("order".to_owned());
    assert_eq!(
        told,
        [
            (1, "p1".to_owned(), order.clone()),
            (2, "p2".to_owned(), order)
        ]
    );
    // A guess is written at no stream of the timeline.
    let timeline = server.timeline(id);
    assert!(
        timeline
            .streams
            .iter()
            .all(|stream| stream.stream.party.is_none())
    );
}

#[test]
fn one_stream_with_the_voices_of_both_is_in_the_report_as_a_mix() {
    let server = server();
    let id = call_in(&server, Dialect::Metaswitch);
    let (quirks, told) = told(&server, id);
    assert_eq!(quirks, ["namespace_draft", "many_senders"]);
    assert_eq!(told, [(1, "p1+p2".to_owned(), Some("label".to_owned()))]);
    assert_eq!(server.timeline(id).streams[0].stream.party, None);
}
