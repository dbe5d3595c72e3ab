//! What each check says of calls that went well and of those that did not.

use super::*;
use crate::dialect::Dialect;
use crate::dialog::Side;
use crate::pace::Lateness;
use crate::report::{Answer, StreamReport};
use crate::rtp::Sent;
use crate::sdp::{AnsweredStream, Direction};
use voicelog_model::Codec;

fn stream(label: &str, first: u16) -> StreamReport {
    StreamReport {
        label: label.to_owned(),
        ssrc: 1,
        codec: Codec::Pcma,
        sent: Sent {
            packets: 97,
            datagrams: 99,
            dropped: 3,
            first_sequence: Some(first),
            ..Sent::default()
        },
        payload_sha256: [0; 32],
        payload: None,
        first_sent_at: None,
        last_sent_at: None,
        changes: Vec::new(),
    }
}

fn answered_stream(label: &str) -> AnsweredStream {
    AnsweredStream {
        label: Some(label.to_owned()),
        address: Some(([127, 0, 0, 1], 5_000).into()),
        direction: Direction::RecvOnly,
        format: crate::Offered::G711.formats().remove(0),
        srtp: None,
    }
}

fn call() -> CallReport {
    CallReport {
        dialect: Dialect::Oracle,
        call_id: "a@b".to_owned(),
        answer: Some(Answer {
            status: 200,
            streams: vec![answered_stream("1"), answered_stream("2")],
            lines: 2,
            waited: Duration::from_millis(12),
        }),
        outcome: Outcome::Ended {
            by: Side::Client,
            status: Some(200),
        },
        streams: vec![stream("1", 100), stream("2", 65_535)],
        lateness: Lateness::default(),
    }
}

fn load(calls: Vec<CallReport>) -> LoadReport {
    LoadReport {
        calls,
        lateness: Lateness::default(),
        unsent: 0,
        took: Duration::from_secs(1),
    }
}

/// Names of the checks that failed.
fn failed(calls: Vec<CallReport>) -> Vec<&'static str> {
    let checks = judge(&load(calls), Duration::from_secs(1), &[]);
    let failed = checks
        .iter()
        .filter(|check| check.finding == Finding::Failed);
    assert!(failed.clone().all(|check| check.to_do.is_some()));
    failed.map(|check| check.name).collect()
}

#[test]
fn calls_that_went_well_fail_nothing() {
    assert_eq!(failed(vec![call(), call()]), [""; 0]);
}

#[test]
fn each_fault_is_found_by_its_own_check() {
    let changed = |change: fn(&mut CallReport)| {
        let mut broken = call();
        change(&mut broken);
        failed(vec![call(), broken])
    };
    let refused = |call: &mut CallReport| {
        call.answer = None;
        call.outcome = Outcome::Refused {
            status: 503,
            reason: "Full".to_owned(),
            retry_after: Some(5),
        };
    };
    assert_eq!(changed(refused), ["answered"]);
    assert_eq!(
        changed(|c| c.answer.as_mut().unwrap().lines = 3),
        ["answer_form"]
    );
    assert_eq!(
        changed(|c| c.answer.as_mut().unwrap().streams[1].label = None),
        ["answer_form"]
    );
    assert_eq!(
        changed(|c| c.answer.as_mut().unwrap().streams[0].direction = Direction::Inactive),
        ["recording"]
    );
    assert_eq!(
        changed(|c| c.answer.as_mut().unwrap().waited = Duration::from_millis(1_001)),
        ["set_up_time"]
    );
    let by_server = |c: &mut CallReport| {
        c.outcome = Outcome::Ended {
            by: Side::Server,
            status: None,
        };
    };
    assert_eq!(changed(by_server), ["ended"]);
}

#[test]
fn who_gives_no_labels_need_not_get_them_back() {
    let mut call = call();
    call.dialect = Dialect::Nbr;
    call.answer.as_mut().unwrap().streams[0].label = None;
    assert_eq!(failed(vec![call]), [""; 0]);
}

#[test]
fn a_refusal_is_told_with_its_reason_and_when_to_try_again() {
    let mut refused = call();
    refused.answer = None;
    refused.outcome = Outcome::Refused {
        status: 503,
        reason: "Full".to_owned(),
        retry_after: Some(5),
    };
    let check = answered(&load(vec![refused]));
    assert!(
        check.seen.en.contains("oracle: 503 Full, Retry-After: 5"),
        "{check:?}"
    );
    assert!(check.to_do.unwrap().nl.contains("calls_max"));
}

fn kept() -> Kept {
    let stream = |first_sequence| KeptStream {
        first_sequence: Some(first_sequence),
        packets: 99,
        lost: 3,
        duplicates: 2,
        unused: 0,
    };
    Kept {
        id: "r".to_owned(),
        undeclared_gap: false,
        streams: vec![stream(100), stream(65_535)],
    }
}

fn archive_failed(kept: &[Kept]) -> Vec<&'static str> {
    let checks = judge_archive(&load(vec![call()]), kept, &[], false);
    let failed = checks
        .iter()
        .filter(|check| check.finding == Finding::Failed);
    failed.map(|check| check.name).collect()
}

#[test]
fn the_archive_must_hold_each_call_to_the_packet_and_without_unexplained_gap() {
    assert_eq!(archive_failed(&[kept()]), [""; 0]);
    let changed = |change: fn(&mut Kept)| {
        let mut broken = kept();
        change(&mut broken);
        archive_failed(&[broken])
    };
    assert_eq!(changed(|k| k.streams[1].packets = 98), ["archive_packets"]);
    assert_eq!(changed(|k| k.streams[0].lost = 4), ["archive_packets"]);
    assert_eq!(changed(|k| k.streams[0].unused = 1), ["archive_packets"]);
    assert_eq!(changed(|k| k.undeclared_gap = true), ["archive_gaps"]);
    let elsewhere = |k: &mut Kept| k.streams[0].first_sequence = Some(101);
    assert_eq!(changed(elsewhere), ["archive_calls"]);
    assert_eq!(archive_failed(&[]), ["archive_calls"]);
}

#[test]
fn what_was_not_checked_does_not_fail_and_is_counted() {
    let note = || Advice::new("a", "b");
    let verdict = Verdict {
        checks: vec![Check::not_checked("archive", note(), note())],
    };
    assert!(verdict.passes());
    assert_eq!(verdict.count(Finding::NotChecked), 1);
}

/// A call of the line that was not recorded: not drawn, or refused with that reason.
fn unrecorded(reason: Option<&str>) -> Unrecorded {
    let reasons = reason.into_iter().map(|text| Advice::new(text, text));
    Unrecorded {
        id: "01a2".to_owned(),
        because: reason.map_or(Because::NotDrawn, |_| Because::NotPermitted),
        notice_missed: false,
        reasons: reasons.collect(),
    }
}

#[test]
fn a_call_that_was_not_drawn_is_no_failure_and_a_refusal_is_told_with_its_reason() {
    let mut left_out = call();
    for stream in &mut left_out.answer.as_mut().unwrap().streams {
        stream.direction = Direction::Inactive;
    }
    let load = load(vec![call(), left_out]);
    let check = wanted(&load, &[unrecorded(None)]);
    assert_eq!(check.finding, Finding::Held, "{check:?}");
    assert!(check.seen.en.contains("1 not drawn for the sample"));
    let check = wanted(&load, &[unrecorded(Some("no consent (§ 201 StGB)"))]);
    assert_eq!(check.finding, Finding::Failed);
    let to_do = check.to_do.unwrap().en;
    assert!(
        to_do.contains("Not recorded: no consent (§ 201 StGB).") && to_do.contains("show 01a2"),
        "{to_do}"
    );
}

#[test]
fn what_is_kept_and_cannot_be_played_is_said_and_is_no_failure() {
    let checks = |codec: Codec| {
        let mut call = call();
        call.streams[1].codec = codec;
        judge_archive(&load(vec![call]), &[kept()], &[], false)
    };
    let named = |check: &&Check| check.name == "archive_sound";
    let played = checks(Codec::Opus);
    assert_eq!(played.iter().find(named), None);
    let unheard = checks(Codec::G729);
    let check = unheard.iter().find(named).unwrap();
    assert_eq!(check.finding, Finding::NotChecked);
    assert!(check.seen.nl.contains("G729") && check.to_do.is_some());
    assert!(Verdict { checks: unheard }.passes());
}

#[test]
fn a_call_that_nobody_asked_to_keep_is_no_failure_and_how_to_ask_is_said() {
    let calls = [Unrecorded {
        because: Because::NotRequested,
        ..unrecorded(None)
    }];
    let mut waits = call();
    for stream in &mut waits.answer.as_mut().unwrap().streams {
        stream.direction = Direction::Inactive;
    }
    let check = wanted(&load(vec![waits]), &calls);
    assert_eq!(check.finding, Finding::Held, "{check:?}");
    assert!(check.seen.en.contains("nobody asked for it"), "{check:?}");
    let checks = judge_archive(&load(vec![call()]), &[], &calls, false);
    let of = |name: &str| checks.iter().find(|check| check.name == name).unwrap();
    assert_eq!(of("archive_calls").finding, Finding::Held);
    assert!(of("archive_calls").seen.nl.contains("niemand vroeg erom"));
    let packets = of("archive_packets");
    assert_eq!(packets.finding, Finding::NotChecked);
    let to_do = &packets.to_do.as_ref().unwrap().en;
    assert!(to_do.contains("/v1/calls/ID/keep"), "{to_do}");
}

#[test]
fn where_nothing_was_recorded_nobody_says_that_packets_were_lost_on_the_way() {
    let missed = Unrecorded {
        notice_missed: true,
        ..unrecorded(Some("nobody was told"))
    };
    let checks = judge_archive(&load(vec![call()]), &[], &[missed], false);
    let of = |name: &str| checks.iter().find(|check| check.name == name).unwrap();
    assert_eq!(of("archive_packets").finding, Finding::NotChecked);
    let calls = of("archive_calls");
    assert_eq!(calls.finding, Finding::Failed);
    let to_do = &calls.to_do.as_ref().unwrap().en;
    assert!(
        to_do.contains("--notice FILE") && !to_do.contains("firewall"),
        "{to_do}"
    );
    let checks = judge_archive(&load(vec![call()]), &[], &[unrecorded(None)], false);
    let failed = checks
        .iter()
        .filter(|check| check.finding == Finding::Failed);
    assert_eq!(failed.count(), 0, "{checks:?}");
}

#[test]
fn a_recording_that_begins_a_few_packets_into_the_notice_is_that_call_only_with_a_notice() {
    let kept = |first: u16, packets: u64| KeptStream {
        first_sequence: Some(first),
        packets,
        lost: 3,
        duplicates: 2,
        unused: 0,
    };
    let late = Kept {
        id: "01a2".to_owned(),
        undeclared_gap: false,
        streams: vec![kept(104, 95), kept(3, 95)],
    };
    let failed = |has_notice| {
        let checks = judge_archive(
            &load(vec![call()]),
            std::slice::from_ref(&late),
            &[],
            has_notice,
        );
        checks
            .iter()
            .filter(|check| check.finding == Finding::Failed)
            .count()
    };
    assert_eq!(failed(true), 0);
    assert!(failed(false) > 0);
}
