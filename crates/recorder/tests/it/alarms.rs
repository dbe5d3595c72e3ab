//! What is said while something is wrong, and what a clock that is set does to a recording.

use crate::support::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use voicelog_archive::timeline::Verdict;
use voicelog_archive::{NewsKind, Subscription};
use voicelog_model::{Clock, Timestamp};
use voicelog_recorder::{CallState, RecorderConfig};
use voicelog_src_sim::{Disturbance, place};

/// The machine's clock, as somebody sets it.
#[derive(Debug, Default)]
struct SetClock(AtomicI64);

impl SetClock {
    fn set_by(&self, micros: i64) {
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        now().plus_micros(self.0.load(Ordering::SeqCst))
    }
}

impl Server {
    pub(crate) fn subscribe(&self) {
        self.archive.subscribe(vec![Subscription {
            endpoint: "test".to_owned(),
            kinds: NewsKind::ALL.to_vec(),
        }]);
    }

    /// The messages queued so far, as text.
    pub(crate) fn messages(&self) -> Vec<String> {
        let later = now().plus_micros(3_600_000_000);
        let rows = self.archive.due_messages("test", later, 100).unwrap();
        rows.into_iter()
            .map(|row| String::from_utf8(row.message.body).unwrap())
            .collect()
    }

    pub(crate) fn wait_for_message(&self, parts: &[&str]) {
        wait_until(&format!("a message with {parts:?}"), || {
            self.messages()
                .iter()
                .any(|message| parts.iter().all(|part| message.contains(part)))
        });
    }
}

#[test]
fn a_clock_that_is_set_during_a_call_stands_on_its_timeline_and_moves_nothing() {
    for by in [90_000_000, -90_000_000] {
        let clock = Arc::new(SetClock::default());
        let shared = Arc::clone(&clock);
        let server = server_by(&config(), shared);
        let call = place(&server.plan("announced", 1)).unwrap();
        let id = server.call_in(CallState::Recording);
        let kept = || server.recorder.status().calls[0].media.kept;
        wait_until("media flows", || kept() > 40);
        clock.set_by(by);
        let before = kept();
        wait_until("media goes on", || kept() > before + 80);
        let report = call.hang_up().unwrap();
        server.all_closed();
        let timeline = server.timeline(id);
        assert_eq!(timeline.verdict, Verdict::Whole, "{timeline:#?}");
        let [step] = timeline.clock_steps[..] else {
            panic!("{timeline:#?}")
        };
        assert!((step.by_us - by).abs() < 500_000, "{step:?}");
        assert!(step.at_us < timeline.length_us());
        assert!(timeline.length_us() < 30_000_000, "{timeline:#?}");
        for (stream, sent) in timeline.streams.iter().zip(&report.streams) {
            assert_eq!(stream.packets, sent.sent.packets);
        }
        assert_eq!(payloads(&server.open(id), 1), sent(&report)[0]);
    }
}

#[test]
fn a_call_that_loses_more_than_the_threshold_is_an_alarm_and_a_message() {
    let server = server();
    server.subscribe();
    let mut plan = server.plan("announced", 1);
    plan.duration = Some(Duration::from_secs(12));
    plan.streams[1].disturbance = Disturbance {
        drop: (0..600).filter(|number| number % 8 == 3).collect(),
        ..Disturbance::default()
    };
    let call = place(&plan).unwrap();
    let id = server.call_in(CallState::Recording);
    let id = id.to_string();
    server.wait_for_message(&["alarm.raised", "\"loss\"", &id]);
    assert_eq!(server.recorder.status().counts["alarm_loss"], 1);
    call.finish().unwrap();
    server.all_closed();
    server.wait_for_message(&["recording.finished", "whole_with_declared_gaps", &id]);
    for message in server.messages() {
        assert!(!message.contains("2001") && !message.contains("31201234567"));
    }
}

#[test]
fn a_disk_that_fills_is_an_alarm_before_calls_are_refused() {
    let server = server_with(&RecorderConfig {
        warn_free_bytes: u64::MAX,
        ..config()
    });
    server.subscribe();
    wait_until("the alarm", || {
        server
            .recorder
            .status()
            .counts
            .contains_key("alarm_disk_filling")
    });
    let status = server.recorder.status();
    assert_eq!(status.counts["alarm_disk_filling"], 1);
    assert!(status.accepting);
}

#[test]
fn a_call_that_is_not_permitted_is_a_message_too() {
    let server = server();
    server.subscribe();
    let call = place(&server.german_plan(1)).unwrap();
    let id = server.call_in(CallState::Waiting).to_string();
    call.hang_up().unwrap();
    server.all_closed();
    server.wait_for_message(&["recording.not_permitted", &id]);
}
