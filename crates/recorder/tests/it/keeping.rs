//! Keeping on request: what comes waits in memory, and is kept from the look-back on once somebody
//! asks. Without a request nothing is kept.

use crate::raw::{DUTCH, GERMAN, RawCall, STAFF};
use crate::support::*;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use voicelog_archive::journal::{AskedBy, JournalEvent, KeepReason, PauseReason, Record};
use voicelog_archive::line::Keys;
use voicelog_archive::timeline::{IntervalKind, KeepMark, Timeline, Verdict};
use voicelog_archive::{Archive, KeepRequest, KeepState, Line};
use voicelog_model::rtp::RtpPacket;
use voicelog_model::{Pii, RecordingId, Timestamp};
use voicelog_recorder::{CallState, KeepAnswer, MediaCounts, RecorderConfig, WishError};
use voicelog_src_sim::{SrtpSuite, place};

const KEYS: &str = "8 101\r\na=rtpmap:101 telephone-event/8000";
/// The look-back of the line `asked`.
const LOOK_BACK: i64 = 2_000_000;

fn request() -> KeepRequest {
    KeepRequest {
        reason: KeepReason::Complaint,
        by: AskedBy::Program,
        asked_by: Some(Pii::new("agent 2001".to_owned())),
        at: now(),
    }
}

fn counts(server: &Server) -> MediaCounts {
    server.recorder.status().calls[0].media
}

/// Asks, and gives the beginning of what is kept.
fn keep(server: &Server, id: RecordingId) -> Timestamp {
    match server.recorder.request_keep(id, request()) {
        Ok(KeepAnswer::Kept { from }) => from,
        other => panic!("{other:?}"),
    }
}

fn holds(server: &Server, packets: u64) {
    wait_until("media is held in memory", || {
        counts(server).waiting >= packets
    });
}

fn leaves_nothing(server: &Server, id: RecordingId) {
    let trace = server.archive.trace(id).unwrap();
    assert_eq!((trace.blobs, trace.bytes, trace.has_key), (0, 0, false));
    let status = server.recorder.status();
    assert_eq!((status.waiting_bytes, status.media.waiting), (0, 0));
}

/// Speaks once on each of the first streams, and waits until that was dealt with.
fn speak(server: &Server, call: &mut RawCall, streams: usize) {
    let seen =
        |counts: MediaCounts| counts.kept + counts.paused + counts.without_permit + counts.waiting;
    let before = seen(counts(server));
    for stream in 0..streams {
        call.speak(stream);
    }
    wait_until("packets are dealt with", || {
        seen(counts(server)) >= before + streams as u64
    });
}

/// The numbers of the packets of RTP that are kept, in order.
fn numbers(server: &Server, id: RecordingId) -> Vec<u16> {
    let opened = server.open(id);
    let packets = opened.records.iter().filter_map(|record| match record {
        Record::Packet { bytes, .. } => RtpPacket::parse(bytes).ok(),
        Record::Event { .. } => None,
    });
    packets.map(|packet| packet.sequence).collect()
}

/// The first interval of the first stream is the time of which nothing is kept, for want of a
/// request; and nothing is unexplained.
fn says_what_is_not_kept(timeline: &Timeline, from: Timestamp) {
    let first = &timeline.streams[0].intervals[0];
    assert_eq!(first.kind, IntervalKind::NotStarted, "{timeline:#?}");
    assert_eq!(first.grounds[0].rule, "line.keep");
    let end = timeline
        .call_started
        .plus_micros(first.end_us.cast_signed());
    assert_eq!(end, from);
    assert_eq!(timeline.verdict, Verdict::WholeWithDeclaredGaps);
}

#[test]
fn a_call_that_somebody_asks_to_keep_is_kept_from_the_look_back_on_and_says_that_what_was_before_is_not()
 {
    let server = server();
    let call = place(&server.plan("asked", 1)).unwrap();
    let id = server.call_in(CallState::Waiting);
    holds(&server, 320);
    assert!(call.status().flows(), "the client is asked to send");
    assert_eq!(counts(&server).kept, 0);
    let trace = server.archive.trace(id).unwrap();
    assert_eq!((trace.blobs, trace.bytes, trace.has_key), (0, 0, false));
    assert!(server.recorder.status().waiting_bytes > 20_000);
    let asked = now();
    let from = keep(&server, id);
    let back = asked.micros_since(from);
    assert!((LOOK_BACK - 500_000..=LOOK_BACK).contains(&back), "{back}");
    assert_eq!(server.recorder.status().waiting_bytes, 0);
    let kept = counts(&server).kept;
    wait_until("recording goes on", || counts(&server).kept > kept + 20);
    let report = call.hang_up().unwrap();
    server.all_closed();
    let opened = server.open(id);
    for (stream, sent) in (1..).zip(sent(&report)) {
        let kept = payloads(&opened, stream);
        assert!(sent.ends_with(&kept), "the whole of the end, in order");
        assert!(kept.len() > 16_000 && sent.len() > kept.len() + 8_000);
    }
    let timeline = server.timeline(id);
    says_what_is_not_kept(&timeline, from);
    let [
        KeepMark::Requested {
            at_us,
            reason,
            by,
            party,
        },
    ] = &timeline.keeps[..]
    else {
        panic!("{:?}", timeline.keeps)
    };
    assert_eq!(
        (*reason, *by, party),
        (KeepReason::Complaint, AskedBy::Program, &None)
    );
    let at = timeline.call_started.plus_micros(at_us.cast_signed());
    assert_eq!(from, at.plus_micros(-LOOK_BACK));
    // The law permitted it from the start; each decision says whether anybody had asked.
    let decisions = server.detail(id).decisions;
    let states = decisions[..2].iter().map(|kept| {
        let again = server.archive.decide_again(kept.id).unwrap();
        assert!(again.is_same());
        assert_eq!(again.facts["structural"], "per_call_button");
        again.keep.unwrap()
    });
    let states: Vec<_> = states.collect();
    assert!(matches!(
        states[0],
        KeepState::NotRequested {
            look_back_seconds: 2
        }
    ));
    let KeepState::Requested(asked) = &states[1] else {
        panic!("{states:?}")
    };
    assert_eq!(asked.asked_by.as_ref().unwrap().expose(), "agent 2001");
}

#[test]
fn a_call_for_which_nobody_asks_leaves_nothing_but_what_proves_that() {
    let server = server();
    server.subscribe();
    let call = place(&server.plan("asked", 1)).unwrap();
    let id = server.call_in(CallState::Waiting);
    holds(&server, 40);
    call.hang_up().unwrap();
    server.all_closed();
    leaves_nothing(&server, id);
    let timeline = server.timeline(id);
    assert_eq!(timeline.verdict, Verdict::NotRequested);
    let interval = &timeline.streams[0].intervals[0];
    assert_eq!(interval.grounds[0].rule, "line.keep");
    assert_eq!(server.detail(id).decisions.len(), 1);
    // The law permitted it: nobody is told that it forbade.
    server.wait_for_message(&["recording.not_requested", &id.to_string()]);
    let all = server.messages().join("\n");
    assert!(!all.contains("not_permitted"), "{all}");
    // It is too late now.
    let late = server.recorder.request_keep(id, request());
    assert_eq!(late, Err(WishError::NoSuchCall));
    leaves_nothing(&server, id);
}

#[test]
fn a_call_that_is_asked_for_within_the_look_back_is_kept_whole_and_a_second_request_changes_nothing()
 {
    let server = server();
    let call = place(&server.plan("asked", 1)).unwrap();
    let id = server.call_in(CallState::Waiting);
    holds(&server, 20);
    let from = keep(&server, id);
    assert_eq!(keep(&server, id), from);
    wait_until("recording goes on", || counts(&server).kept > 60);
    let report = call.hang_up().unwrap();
    server.all_closed();
    let opened = server.open(id);
    assert_eq!(payloads(&opened, 1), sent(&report)[0]);
    let timeline = server.timeline(id);
    assert_eq!(
        (timeline.verdict, timeline.call_started),
        (Verdict::Whole, from)
    );
    assert_eq!(timeline.keeps.len(), 1);
}

#[test]
fn where_every_call_is_kept_there_is_nothing_to_ask_and_a_call_that_does_not_exist_is_an_error() {
    let server = server();
    let call = place(&server.plan("announced", 1)).unwrap();
    let id = server.call_in(CallState::Recording);
    let asked = server.recorder.request_keep(id, request());
    assert_eq!(asked, Ok(KeepAnswer::EveryCall));
    let nobody = RecordingId::new(now(), [9; 10]);
    let asked = server.recorder.request_keep(nobody, request());
    assert_eq!(asked, Err(WishError::NoSuchCall));
    call.hang_up().unwrap();
    server.all_closed();
    assert_eq!(server.timeline(id).keeps, []);
}

#[test]
fn a_key_of_our_side_asks_and_one_of_the_other_side_does_not() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let mut call = RawCall::place_as(&server, "asked", 2, Some(&metadata), KEYS);
    assert_eq!(call.answered.as_deref(), Some("recvonly"));
    let id = server.call_in(CallState::Waiting);
    speak(&server, &mut call, 2);
    call.press(1, "*4");
    speak(&server, &mut call, 2);
    assert_eq!(server.call_in(CallState::Waiting), id);
    call.press(0, "*4");
    assert_eq!(server.call_in(CallState::Recording), id);
    speak(&server, &mut call, 2);
    call.bye();
    server.all_closed();
    assert_eq!(payloads(&server.open(id), 1).len(), 3 * 160);
    let timeline = server.timeline(id);
    let [KeepMark::Requested { by, party, .. }] = &timeline.keeps[..] else {
        panic!("{:?}", timeline.keeps)
    };
    assert_eq!((*by, party.as_deref()), (AskedBy::Key, Some("p1")));
}

#[test]
fn what_was_said_in_a_pause_is_in_no_look_back_and_a_request_does_not_end_the_pause() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let mut call = RawCall::place(&server, "asked", 1, Some(&metadata));
    let id = server.call_in(CallState::Waiting);
    let mut say = |times: usize| {
        for _time in 0..times {
            speak(&server, &mut call, 1);
        }
    };
    say(2);
    let pause = || {
        server
            .recorder
            .pause(id, PauseReason::CardData, None)
            .unwrap()
    };
    pause();
    say(3);
    assert_eq!((counts(&server).paused, counts(&server).waiting), (3, 2));
    server.recorder.resume(id).unwrap();
    say(1);
    pause();
    say(1);
    keep(&server, id);
    assert!(server.recorder.status().calls[0].pause.is_some());
    say(2);
    server.recorder.resume(id).unwrap();
    say(1);
    call.bye();
    server.all_closed();
    // 3 to 5, 7, and 8 and 9 were said in pauses.
    assert_eq!(numbers(&server, id), [1, 2, 6, 10]);
    let opened = server.open(id);
    let paused = |record: &&Record| {
        matches!(
            record,
            Record::Event {
                event: JournalEvent::RecordingPaused { .. },
                ..
            }
        )
    };
    assert_eq!(opened.records.iter().filter(paused).count(), 2);
    let timeline = server.timeline(id);
    assert_eq!(timeline.streams[0].lost, 0, "{timeline:#?}");
    assert_eq!(timeline.verdict, Verdict::WholeWithDeclaredGaps);
}

#[test]
fn a_hold_drops_what_is_held_and_a_request_meanwhile_begins_when_the_hold_is_over() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let mut call = RawCall::place(&server, "asked", 2, Some(&metadata));
    let id = server.call_in(CallState::Waiting);
    speak(&server, &mut call, 2);
    call.directions = vec!["inactive", "sendonly"];
    assert_eq!(call.offer("INVITE", 2, Some(&metadata)), 200);
    wait_until("what is held is dropped", || {
        server.recorder.status().waiting_bytes == 0 && counts(&server).waiting == 0
    });
    speak(&server, &mut call, 2);
    let asked = server.recorder.request_keep(id, request());
    assert_eq!(asked, Ok(KeepAnswer::NotPermitted));
    assert_eq!(server.call_in(CallState::Waiting), id);
    let over_at = now();
    call.directions.clear();
    assert_eq!(call.offer("INVITE", 2, Some(&metadata)), 200);
    assert_eq!(server.call_in(CallState::Recording), id);
    speak(&server, &mut call, 2);
    call.bye();
    server.all_closed();
    let opened = server.open(id);
    for record in &opened.records {
        if let Record::Packet { arrived, .. } = record {
            assert!(*arrived > over_at, "a packet from before the hold was over");
        }
    }
    assert_eq!(numbers(&server, id).len(), 2);
}

#[test]
fn where_the_law_takes_the_permission_back_what_is_held_is_dropped_and_never_kept() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let mut call = RawCall::place(&server, "asked", 1, Some(&metadata));
    let id = server.call_in(CallState::Waiting);
    speak(&server, &mut call, 1);
    assert!(counts(&server).waiting > 0);
    // Somebody in Germany joins, who has agreed to nothing.
    let joined = RawCall::metadata(&[STAFF, DUTCH, GERMAN]);
    assert_eq!(call.update(&joined), 200);
    wait_until("what is held is dropped", || counts(&server).waiting == 0);
    let asked = server.recorder.request_keep(id, request());
    assert_eq!(asked, Ok(KeepAnswer::NotPermitted));
    speak(&server, &mut call, 1);
    let agreed_at = now();
    let all = json!({ "p1": "given", "p2": "given", "p3": "given" });
    server.say(id, &json!({ "consent_per_participant": all }));
    assert_eq!(server.call_in(CallState::Recording), id);
    wait_until("media is kept", || {
        call.speak(0);
        counts(&server).kept > 0
    });
    call.bye();
    server.all_closed();
    let opened = server.open(id);
    assert!(opened.records.iter().all(|record| match record {
        Record::Packet { arrived, .. } => *arrived >= agreed_at,
        Record::Event { .. } => true,
    }));
    let timeline = server.timeline(id);
    let rules = timeline.streams[0].intervals.iter();
    let rules: Vec<_> = rules
        .filter_map(|interval| interval.grounds.first())
        .map(|ground| ground.rule.as_str())
        .collect();
    assert_eq!(rules[0], "line.keep");
    assert!(rules.len() >= 2 && rules[1] != "line.keep", "{rules:?}");
}

#[test]
fn a_stream_that_begins_later_is_held_from_its_beginning() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let mut call = RawCall::place(&server, "asked", 1, Some(&metadata));
    let id = server.call_in(CallState::Waiting);
    speak(&server, &mut call, 1);
    assert_eq!(call.offer("INVITE", 2, Some(&metadata)), 200);
    speak(&server, &mut call, 2);
    keep(&server, id);
    speak(&server, &mut call, 2);
    call.bye();
    server.all_closed();
    let opened = server.open(id);
    assert_eq!(payloads(&opened, 1).len(), 3 * 160);
    assert_eq!(payloads(&opened, 2).len(), 2 * 160);
    let timeline = server.timeline(id);
    assert_eq!((timeline.streams.len(), timeline.stray_packets), (2, 0));
}

#[test]
fn of_a_protected_call_the_look_back_is_kept_as_it_was_before_it_was_protected() {
    let server = server_with(&RecorderConfig {
        srtp_keys_without_tls: true,
        ..config()
    });
    let mut plan = server.plan("asked", 1);
    plan.srtp = Some(SrtpSuite::ALL[0]);
    plan.streams[0].first_sequence = Some(65_520);
    let call = place(&plan).unwrap();
    let id = server.call_in(CallState::Waiting);
    holds(&server, 300);
    keep(&server, id);
    let kept = counts(&server).kept;
    wait_until("recording goes on", || counts(&server).kept > kept + 20);
    let report = call.hang_up().unwrap();
    server.all_closed();
    let opened = server.open(id);
    let kept = payloads(&opened, 1);
    assert!(kept.len() > 16_000 && sent(&report)[0].ends_with(&kept));
    assert_eq!(server.recorder.status().media.not_authentic, 0);
}

#[test]
fn a_client_that_holds_is_not_told_to_stop_and_what_it_says_when_it_resumes_is_held_at_once() {
    // With a key it would be asked to send for that alone.
    let server = server_on(vec![Line {
        keys: Keys::default(),
        ..on_request("asked", 2)
    }]);
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let mut call = RawCall::place(&server, "asked", 2, Some(&metadata));
    let id = server.call_in(CallState::Waiting);
    speak(&server, &mut call, 2);
    call.directions = vec!["inactive"; 2];
    assert_eq!(call.offer("INVITE", 2, None), 200);
    wait_until("what was held is wiped", || {
        server.recorder.status().waiting_bytes == 0 && counts(&server).waiting == 0
    });
    assert_eq!(server.detail(id).decisions.len(), 2);
    assert_eq!(call.try_ask("OPTIONS"), None, "the server asks nothing");
    call.directions.clear();
    assert_eq!(call.offer("INVITE", 2, None), 200);
    assert_eq!(call.answered.as_deref(), Some("recvonly"));
    wait_until("it is held again", || {
        call.speak(0);
        counts(&server).waiting > 0
    });
    assert_eq!(call.try_ask("OPTIONS"), None, "the server asks nothing");
    // Once the law itself says no, the client is told to stop, and nothing is held.
    server.say(id, &json!({ "openness": "covert" }));
    assert!(call.next_request().contains("a=inactive"));
    drop(call);
}

#[test]
fn without_a_look_back_nothing_is_held_and_the_client_sends_from_the_request_on() {
    let server = server();
    let call = place(&server.plan("asked-late", 1)).unwrap();
    let id = server.call_in(CallState::Waiting);
    pass(200);
    assert!(!call.status().flows());
    assert_eq!((counts(&server).waiting, counts(&server).kept), (0, 0));
    let asked = now();
    assert!(keep(&server, id) >= asked);
    assert!(call.wait_for(LONG, |status| status.flows()));
    wait_until("media is kept", || counts(&server).kept > 20);
    let report = call.hang_up().unwrap();
    server.all_closed();
    assert!(sent(&report)[0].ends_with(&payloads(&server.open(id), 1)));
    assert_eq!(server.timeline(id).verdict, Verdict::WholeWithDeclaredGaps);
}

/// Sends as many packets of so many bytes each time, for so many times 20 ms. When each was sent.
fn talk(call: &mut RawCall, times: usize, packets: usize, length: usize) -> Vec<Timestamp> {
    let mut sent = Vec::new();
    for _time in 0..times {
        for _packet in 0..packets {
            sent.push(now());
            let timestamp = u32::try_from(sent.len()).unwrap() * 160;
            call.speak_as(0, 97, timestamp, &vec![0x55; length]);
        }
        pass(20);
    }
    sent
}

/// The last packet that is not kept was sent before `from`, and every later one is kept.
fn is_whole_from(server: &Server, id: RecordingId, from: Timestamp, sent: &[Timestamp]) {
    let kept = numbers(server, id);
    let first = usize::from(kept[0]);
    assert_eq!(first + kept.len(), sent.len() + 1, "from the first one on");
    assert!(kept.is_sorted() && first > 1);
    let late = sent[first - 2].micros_since(from);
    assert!(late < 0, "{late} us behind the beginning, and not kept");
}

fn is_cut(timeline: &Timeline, from: Timestamp) {
    says_what_is_not_kept(timeline, from);
    let [
        KeepMark::Cut { at_us, by_us },
        KeepMark::Requested {
            at_us: requested, ..
        },
    ] = &timeline.keeps[..]
    else {
        panic!("{:?}", timeline.keeps)
    };
    assert_eq!(at_us - (requested - LOOK_BACK.unsigned_abs()), *by_us);
}

#[test]
fn when_memory_is_full_the_oldest_is_dropped_and_the_timeline_says_how_much() {
    let server = server_with(&RecorderConfig {
        waiting_bytes_max: 12_000,
        ..config()
    });
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let formats = "97\r\na=rtpmap:97 PCMA/8000";
    let mut call = RawCall::place_as(&server, "asked", 1, Some(&metadata), formats);
    let id = server.call_in(CallState::Waiting);
    let mut sent = talk(&mut call, 150, 1, 160);
    // A hand-over's worth may be on top until the next look.
    assert!(server.recorder.status().waiting_bytes < 24_000);
    assert!(server.recorder.status().counts["waiting_memory_full"] >= 1);
    let asked = now();
    let from = keep(&server, id);
    assert!(asked.micros_since(from) < LOOK_BACK - 500_000);
    sent.extend(talk(&mut call, 10, 1, 160));
    call.bye();
    server.all_closed();
    is_whole_from(&server, id, from, &sent);
    is_cut(&server.timeline(id), from);
}

#[test]
fn a_codec_that_needs_more_than_its_room_is_cut_where_the_timeline_says() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let formats = "97\r\na=rtpmap:97 L16/44100/2";
    let mut call = RawCall::place_as(&server, "asked", 1, Some(&metadata), formats);
    let id = server.call_in(CallState::Waiting);
    let mut sent = talk(&mut call, 100, 4, 1_400);
    let from = keep(&server, id);
    sent.extend(talk(&mut call, 10, 4, 1_400));
    call.bye();
    server.all_closed();
    is_whole_from(&server, id, from, &sent);
    is_cut(&server.timeline(id), from);
}

#[test]
fn what_comes_from_elsewhere_than_was_offered_is_kept_when_somebody_asks() {
    let server = server();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let mut call = RawCall::place(&server, "asked", 2, Some(&metadata));
    let id = server.call_in(CallState::Waiting);
    // A NAT, or an exchange that sends from another port than it names.
    call.media[0] = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    for _packet in 0..3 {
        call.speak(0);
    }
    for _sweep in 0..2 {
        let waiting = counts(&server).waiting;
        call.speak(1);
        wait_until("both streams were read", || {
            counts(&server).waiting > waiting
        });
    }
    let from = keep(&server, id);
    call.speak(0);
    call.bye();
    server.all_closed();
    let opened = server.open(id);
    assert_eq!(payloads(&opened, 1).len(), 4 * 160);
    assert_eq!(payloads(&opened, 2).len(), 2 * 160);
    assert_eq!(server.timeline(id).call_started, from);
}

#[test]
fn draining_keeps_what_was_asked_for_and_drops_what_was_not() {
    let server = server();
    let asked = place(&server.plan("asked", 1)).unwrap();
    let id = server.call_in(CallState::Waiting);
    holds(&server, 20);
    keep(&server, id);
    let other = place(&server.plan("asked", 2)).unwrap();
    let other_id = server.call_in(CallState::Waiting);
    wait_until("the other is held", || {
        server.recorder.status().waiting_bytes > 2_000
    });
    assert!(server.recorder.drain(Some(Duration::from_millis(100))));
    let report = asked.finish().unwrap();
    other.finish().unwrap();
    leaves_nothing(&server, other_id);
    assert_eq!(server.timeline(other_id).verdict, Verdict::NotRequested);
    let kept = payloads(&server.open(id), 1);
    assert!(sent(&report)[0].starts_with(&kept) && !kept.is_empty());
}

#[test]
fn a_crash_while_media_is_held_leaves_nothing_and_recovery_says_why() {
    let server = server();
    let _call = place(&server.plan("asked", 1)).unwrap();
    let id = server.call_in(CallState::Waiting);
    holds(&server, 20);
    let folder = server.stop();
    let archive: Arc<Archive> = open_archive(folder.path());
    archive.recover(now()).unwrap();
    let trace = archive.trace(id).unwrap();
    assert_eq!((trace.blobs, trace.bytes, trace.has_key), (0, 0, false));
    let timeline = archive.detail(id).unwrap().timeline.unwrap();
    assert_eq!(timeline.verdict, Verdict::NotRequested);
    // A call without media has no stream there; its reason stands in the decision.
    let decision = archive.detail(id).unwrap().decisions[0].id;
    let again = archive.decide_again(decision).unwrap();
    assert!(matches!(again.keep, Some(KeepState::NotRequested { .. })));
}
