//! The notice of a line: looked for in the sound, and what it opens and closes.

use crate::support::*;
use serde_json::json;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use voicelog_archive::NoticeState;
use voicelog_archive::journal::{PacketKind, Record};
use voicelog_archive::notice::Notice;
use voicelog_archive::timeline::{IntervalKind, NoticeMark, Timeline, Verdict};
use voicelog_evidence::audio::decode_alaw;
use voicelog_model::{RecordingId, StreamNumber};
use voicelog_recorder::{CallState, MediaCounts, RecorderConfig};
use voicelog_src_sim::speech::{AGENT, CUSTOMER, NOTICE_BYTES, SILENCE};
use voicelog_src_sim::{
    CallPlan, Offered, Participant, Payload, RunningCall, SrtpSuite, StreamPlan, place,
};

const PACKET: usize = 160;
/// What is said before the notice: 1.2 s.
const BEFORE: usize = 60 * PACKET;

fn notice_server() -> Server {
    let samples: Vec<i16> = AGENT[..NOTICE_BYTES]
        .iter()
        .map(|byte| decode_alaw(*byte))
        .collect();
    let notice = Arc::new(Notice::new(&samples, 8_000).unwrap());
    let lines = ["notice", "notice-after"];
    let notices = lines.map(|line| (line.to_owned(), Arc::clone(&notice)));
    server_with(&RecorderConfig {
        notices: BTreeMap::from(notices),
        // Protected calls come here too; the network of a test is trusted.
        srtp_keys_without_tls: true,
        ..config()
    })
}

/// Somebody talks, then comes the notice as often as told, then the call goes on.
fn speech(notices: usize) -> Vec<u8> {
    let before = &CUSTOMER[NOTICE_BYTES..NOTICE_BYTES + BEFORE];
    let notice = AGENT[..NOTICE_BYTES].repeat(notices);
    [before, &notice, &AGENT[NOTICE_BYTES..]].concat()
}

fn spoken(label: &str, samples: Vec<u8>) -> StreamPlan {
    let samples = Payload::Samples {
        samples: Cow::Owned(samples),
        looping: false,
    };
    let mut stream = StreamPlan::new(label, samples);
    stream.keep_payload = true;
    stream
}

/// A call whose first stream is this and whose second one is somebody else.
fn plan(server: &Server, line: &str, first: Vec<u8>) -> CallPlan {
    let mut plan = server.plan(line, 1);
    plan.streams = vec![
        spoken("1", first),
        spoken("2", CUSTOMER[NOTICE_BYTES..].to_vec()),
    ];
    plan
}

fn counts(server: &Server) -> MediaCounts {
    server.recorder.status().calls[0].media
}

/// Waits for the notice, lets the call go on for half a second, hangs up. What was sent.
fn go_on_and_hang_up(server: &Server, call: RunningCall) -> (RecordingId, Vec<Vec<u8>>) {
    wait_until("the notice is heard", || {
        server.recorder.status().counts.get("notice_heard") == Some(&1)
    });
    let id = server.call_in(CallState::Recording);
    pass(500);
    let sent = sent(&call.hang_up().unwrap());
    server.all_closed();
    (id, sent)
}

fn only_mark(timeline: &Timeline) -> NoticeMark {
    assert_eq!(timeline.notices.len(), 1, "{timeline:#?}");
    timeline.notices[0]
}

fn is_nowhere_unexplained(timeline: &Timeline) {
    assert!(
        timeline
            .streams
            .iter()
            .flat_map(|stream| &stream.intervals)
            .all(|interval| interval.kind != IntervalKind::UndeclaredGap),
        "{timeline:#?}"
    );
}

#[test]
fn a_recording_begins_with_the_first_packet_of_the_notice_and_nothing_before_it_is_kept() {
    let server = notice_server();
    let call = place(&plan(&server, "notice", speech(1))).unwrap();
    let id = server.call_in(CallState::Waiting);
    wait_until("media waits in memory", || counts(&server).waiting > 40);
    assert_eq!(counts(&server).kept, 0);
    assert!(
        call.status().flows(),
        "the client was asked to send although the call waits"
    );
    let trace = server.archive.trace(id).unwrap();
    assert_eq!((trace.blobs, trace.bytes, trace.has_key), (0, 0, false));
    let (_, sent) = go_on_and_hang_up(&server, call);
    let opened = server.open(id);
    for (stream, sent) in (1..).zip(&sent) {
        let kept = payloads(&opened, stream);
        assert!(
            sent.ends_with(&kept),
            "what is kept is the whole of the end"
        );
        let first = sent.len() - kept.len();
        let apart = first.abs_diff(BEFORE);
        assert!(apart <= 2 * PACKET, "stream {stream}: {apart} bytes apart");
    }
    let timeline = server.timeline(id);
    is_nowhere_unexplained(&timeline);
    assert_eq!(timeline.verdict, Verdict::WholeWithDeclaredGaps);
    let mark = only_mark(&timeline);
    let hearing = mark.heard.unwrap();
    assert_eq!(hearing.stream, StreamNumber(1));
    assert!(hearing.similarity_permille > 950, "{hearing:?}");
    assert!(
        hearing.length_us.abs_diff(3_200_000) < 300_000,
        "{hearing:?}"
    );
    for stream in &timeline.streams {
        let not_started = &stream.intervals[0];
        assert_eq!(not_started.kind, IntervalKind::NotStarted);
        assert_eq!(not_started.end_us, mark.at_us);
    }
}

/// Packets that were kept of a stream.
fn kept_packets(server: &Server, id: RecordingId, stream: u16) -> usize {
    let opened = server.open(id);
    let of_stream = |record: &&Record| {
        matches!(record, Record::Packet { stream: number, kind: PacketKind::Rtp, .. }
            if *number == StreamNumber(stream))
    };
    opened.records.iter().filter(of_stream).count()
}

/// The first stream has the notice; what waited before it was dropped, and all from it on was kept.
fn begins_with_its_notice(server: &Server, call: RunningCall) -> NoticeMark {
    let (id, sent) = go_on_and_hang_up(server, call);
    let opened = server.open(id);
    for (stream, sent) in (1..).zip(&sent) {
        let kept = payloads(&opened, stream);
        assert!(
            !kept.is_empty() && kept.len() < sent.len() && sent.ends_with(&kept),
            "{stream}"
        );
    }
    let timeline = server.timeline(id);
    is_nowhere_unexplained(&timeline);
    assert_eq!(timeline.verdict, Verdict::WholeWithDeclaredGaps);
    let mark = only_mark(&timeline);
    assert_eq!(timeline.streams[0].intervals[0].end_us, mark.at_us);
    assert_eq!(mark.heard.unwrap().stream, StreamNumber(1));
    mark
}

#[test]
fn a_notice_in_opus_is_heard_and_the_recording_begins_with_its_first_packet() {
    let server = notice_server();
    let mut plan = plan(&server, "notice", speech(1));
    plan.offered = Offered::Opus;
    let call = place(&plan).unwrap();
    let id = server.call_in(CallState::Waiting);
    let mark = begins_with_its_notice(&server, call);
    let hearing = mark.heard.unwrap();
    assert!(hearing.similarity_permille > 900, "{hearing:?}");
    assert!(
        hearing.length_us.abs_diff(3_200_000) < 300_000,
        "{hearing:?}"
    );
    // Packets of 20 ms from the notice on: its 160 and what came after.
    assert!(kept_packets(&server, id, 1) >= 158);
}

#[test]
fn what_waits_of_a_protected_call_is_kept_as_it_was_before_it_was_protected_once_the_notice_is_heard()
 {
    for suite in [SrtpSuite::AesCm128HmacSha1_80, SrtpSuite::AeadAes256Gcm] {
        let server = notice_server();
        let mut plan = plan(&server, "notice", speech(1));
        plan.srtp = Some(suite);
        // The count of rollovers changes while media waits.
        plan.streams[0].first_sequence = Some(65_500);
        let call = place(&plan).unwrap();
        let id = server.call_in(CallState::Waiting);
        wait_until("media waits in memory", || counts(&server).waiting > 40);
        let trace = server.archive.trace(id).unwrap();
        assert_eq!((trace.blobs, trace.bytes, trace.has_key), (0, 0, false));
        let mark = begins_with_its_notice(&server, call);
        assert!(mark.heard.unwrap().similarity_permille > 950, "{mark:?}");
        let media = server.recorder.status().media;
        assert_eq!(
            (media.not_authentic, media.replayed),
            (0, 0),
            "{}",
            suite.as_str()
        );
    }
}

#[test]
fn the_decision_says_where_the_notice_was_heard_and_the_one_before_that_nobody_was_told() {
    let server = notice_server();
    let call = place(&plan(&server, "notice", speech(1))).unwrap();
    let (id, _) = go_on_and_hang_up(&server, call);
    let decisions = server.detail(id).decisions;
    let first = server.archive.decide_again(decisions[0].id).unwrap();
    assert_eq!(first.facts["openness"], "covert");
    assert_eq!(first.notice, Some(NoticeState::Awaited {}));
    let second = server.archive.decide_again(decisions[1].id).unwrap();
    assert!(first.is_same() && second.is_same());
    assert_eq!(second.facts["openness"], "announced");
    let told = &second.facts["announcement"];
    let proof = told["heard_proof"].as_str().unwrap();
    assert!(
        proof.starts_with("notice heard from 00:01.") && proof.contains("on stream 1, similarity"),
        "{proof}"
    );
    let Some(NoticeState::Heard { at, .. }) = second.notice else {
        panic!("{:?}", second.notice)
    };
    assert_eq!(told["at"], json!(at));
}

#[test]
fn a_notice_that_does_not_come_leaves_nothing_and_the_client_is_told_to_stop() {
    let server = notice_server();
    let mut plan = plan(&server, "notice", AGENT[NOTICE_BYTES..].to_vec());
    plan.streams[1] = spoken("2", vec![SILENCE; PACKET]);
    let call = place(&plan).unwrap();
    let id = server.call_in(CallState::Waiting);
    wait_until("media waits in memory", || counts(&server).waiting > 100);
    wait_until("the notice is given up", || {
        server.recorder.status().counts.get("notice_missed") == Some(&1)
    });
    assert!(call.wait_for(LONG, |status| !status.flows()));
    wait_until("the memory is dropped", || counts(&server).waiting == 0);
    assert_eq!(counts(&server).kept, 0);
    assert!(counts(&server).without_permit > 100);
    call.hang_up().unwrap();
    server.all_closed();
    let trace = server.archive.trace(id).unwrap();
    assert_eq!((trace.blobs, trace.bytes, trace.has_key), (0, 0, false));
    let timeline = server.timeline(id);
    assert_eq!(timeline.verdict, Verdict::NotRecorded);
    assert_eq!(only_mark(&timeline).heard, None);
    let last = server.detail(id).decisions.last().unwrap().id;
    let last = server.archive.decide_again(last).unwrap();
    assert_eq!(last.notice, Some(NoticeState::Missed {}));
}

#[test]
fn a_call_that_ends_before_the_notice_leaves_nothing() {
    let server = notice_server();
    let call = place(&plan(&server, "notice", speech(1))).unwrap();
    let id = server.call_in(CallState::Waiting);
    wait_until("media waits in memory", || counts(&server).waiting > 40);
    call.hang_up().unwrap();
    server.all_closed();
    let trace = server.archive.trace(id).unwrap();
    assert_eq!((trace.blobs, trace.bytes, trace.has_key), (0, 0, false));
    assert_eq!(server.timeline(id).verdict, Verdict::NotRecorded);
}

#[test]
fn a_line_that_keeps_what_is_before_records_from_the_start_and_proves_the_notice() {
    let server = notice_server();
    let mut plan = plan(&server, "notice-after", CUSTOMER[NOTICE_BYTES..].to_vec());
    // Played by the other side, and twice: the first time counts.
    plan.streams[1] = spoken("2", speech(2));
    let call = place(&plan).unwrap();
    let (id, sent) = go_on_and_hang_up(&server, call);
    let opened = server.open(id);
    assert_eq!(payloads(&opened, 2), sent[1]);
    let timeline = server.timeline(id);
    is_nowhere_unexplained(&timeline);
    let mark = only_mark(&timeline);
    assert_eq!(mark.heard.unwrap().stream, StreamNumber(2));
    assert!(mark.at_us.abs_diff(1_200_000) < 300_000, "{mark:?}");
    let last = server.detail(id).decisions.last().unwrap().id;
    let last = server.archive.decide_again(last).unwrap();
    assert!(last.facts["announcement"]["heard_proof"].is_string());
}

#[test]
fn a_recording_that_began_before_stops_when_the_notice_does_not_come() {
    let server = notice_server();
    let mut plan = plan(&server, "notice-after", AGENT[NOTICE_BYTES..].to_vec());
    plan.duration = Some(Duration::from_secs(12));
    let call = place(&plan).unwrap();
    let id = server.call_in(CallState::Recording);
    assert_eq!(server.call_in(CallState::Stopped), id);
    call.hang_up().unwrap();
    server.all_closed();
    let timeline = server.timeline(id);
    is_nowhere_unexplained(&timeline);
    let mark = only_mark(&timeline);
    assert!(mark.heard.is_none() && mark.at_us >= 5_000_000, "{mark:?}");
    let last = timeline.streams[0].intervals.last().unwrap();
    assert_eq!(last.kind, IntervalKind::Paused);
    assert!(!last.grounds.is_empty() && last.start_us >= 5_000_000);
}

#[test]
fn where_the_notice_is_not_enough_the_memory_is_dropped_and_consent_opens_only_what_follows() {
    let server = notice_server();
    let mut plan = plan(&server, "notice", speech(1));
    plan.participants[1] = Participant::new("tel:+4930901820", "Kunde");
    plan.honour_direction = false;
    let call = place(&plan).unwrap();
    let id = server.call_in(CallState::Waiting);
    wait_until("the notice is heard", || {
        server.recorder.status().counts.get("notice_heard") == Some(&1)
    });
    wait_until("the memory is dropped", || counts(&server).waiting == 0);
    let said_at = now();
    let consent = json!({ "consent_per_participant": { "p1": "given", "p2": "given" } });
    server.say(id, &consent);
    server.call_in(CallState::Recording);
    wait_until("media is kept", || counts(&server).kept > 20);
    call.hang_up().unwrap();
    server.all_closed();
    let timeline = server.timeline(id);
    // Until the notice for want of it, from then on for want of consent.
    let intervals = timeline.streams[0].intervals.iter();
    let not_started = intervals.filter(|interval| interval.kind == IntervalKind::NotStarted);
    let not_started: Vec<_> = not_started.collect();
    assert!(not_started.len() >= 2, "{timeline:#?}");
    let not_started = not_started[not_started.len() - 1];
    let began = timeline
        .call_started
        .plus_micros(not_started.end_us.cast_signed());
    assert!(began >= said_at);
}
