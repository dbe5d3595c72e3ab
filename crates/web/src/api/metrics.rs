//! Numbers for Prometheus, in its text format (version 0.0.4). Nothing about anybody.

use crate::app::{Alarm, Metrics, Shared, Status};
use crate::diary::LastHour;
use crate::trouble::Trouble;
use crate::view::alarms::WORDS;
use crate::view::requests::reason_words;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::fmt::Write as _;
use voicelog_archive::{ArchiveError, OutboxCount, RefusedRequest};
use voicelog_casework::moment::month_start;

const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(crate) async fn show(State(desk): State<Shared>) -> Result<Response, Trouble> {
    let (free, outbox, hour, requests) = desk
        .ask(|archive, now| {
            let hour = LastHour::read(archive, now)?;
            let requests = archive.refused_requests(month_start(now, 0))?;
            Ok::<_, ArchiveError>((archive.free_bytes()?, archive.outbox()?, hour, requests))
        })
        .await?;
    let source = &desk.app.status;
    let metrics = source.metrics();
    let mut text = page(source.status(), &metrics, free);
    memory(&mut text, &metrics);
    forecast(&mut text, &metrics);
    alarms(&mut text, &source.alarms());
    expected(&mut text, &hour);
    webhooks(&mut text, &outbox);
    refused(&mut text, &requests);
    Ok(([(header::CONTENT_TYPE, FORMAT)], text).into_response())
}

fn page(status: Status, metrics: &Metrics, free_bytes: u64) -> String {
    let mut text = String::new();
    let accepting = u64::from(status.pause.is_none());
    one(
        &mut text,
        (
            "voicelog_accepting_calls",
            "gauge",
            "1 while new calls are taken.",
        ),
        accepting,
    );
    let pause = status.pause.map(|pause| (pause.as_str(), 1));
    several(
        &mut text,
        ("voicelog_paused", "gauge", "Why no new calls are taken."),
        "reason",
        pause.as_slice(),
    );
    several(
        &mut text,
        ("voicelog_calls", "gauge", "Calls in progress."),
        "state",
        &metrics.calls,
    );
    one(
        &mut text,
        (
            "voicelog_calls_closing",
            "gauge",
            "Calls that have ended and are being closed.",
        ),
        metrics.closing,
    );
    several(
        &mut text,
        (
            "voicelog_packets_total",
            "counter",
            "Datagrams of media since the start, by what became of them.",
        ),
        "fate",
        &metrics.packets,
    );
    several(
        &mut text,
        (
            "voicelog_events_total",
            "counter",
            "What happened since the start: messages, calls offered and ended, what was refused or ignored, alarms.",
        ),
        "event",
        &metrics.events,
    );
    one(
        &mut text,
        (
            "voicelog_disk_free_bytes",
            "gauge",
            "Free room where media is written.",
        ),
        free_bytes,
    );
    text
}

fn memory(text: &mut String, metrics: &Metrics) {
    one(
        text,
        (
            "voicelog_waiting_media_bytes",
            "gauge",
            "Media that waits in memory, for a notice or for somebody who asks to keep the call.",
        ),
        metrics.waiting_bytes,
    );
}

fn forecast(text: &mut String, metrics: &Metrics) {
    if let Some(minutes) = metrics.disk_minutes_left {
        one(
            text,
            (
                "voicelog_disk_minutes_left",
                "gauge",
                "Minutes until no new call is taken, if the disk fills as in the last hour.",
            ),
            minutes,
        );
    }
}

/// Each alarm has its number, also while it does not stand: so what watches it can be tried out.
fn alarms(text: &mut String, standing: &[Alarm]) {
    let count = |word: &&'static str| {
        let alike = standing.iter().filter(|alarm| alarm.word == *word);
        (*word, alike.count() as u64)
    };
    let counts: Vec<_> = WORDS.iter().map(count).collect();
    several(
        text,
        (
            "voicelog_alarms",
            "gauge",
            "Alarms that were raised and are not over.",
        ),
        "alarm",
        &counts,
    );
}

/// Of the last hour: a list is held against the archive by a program of its own, now and then.
fn expected(text: &mut String, hour: &LastHour) {
    let counts = hour.expected();
    let counts: Vec<_> = counts
        .iter()
        .map(|(found, n)| (found.as_str(), *n))
        .collect();
    several(
        text,
        (
            "voicelog_expected_calls",
            "gauge",
            "Calls of the telephone system's lists that were held against the archive in the last hour, by what became of them.",
        ),
        "found",
        &counts,
    );
}

/// Names of endpoints are letters, digits and hyphens: they need no escaping.
fn webhooks(text: &mut String, outbox: &[OutboxCount]) {
    let name = |count: &OutboxCount| count.endpoint.clone();
    let waiting: Vec<_> = outbox.iter().map(|c| (name(c), c.waiting)).collect();
    let dead: Vec<_> = outbox.iter().map(|c| (name(c), c.dead)).collect();
    for (metric, counts) in [
        (
            (
                "voicelog_webhook_messages_waiting",
                "gauge",
                "Messages that an endpoint has not taken yet.",
            ),
            waiting,
        ),
        (
            (
                "voicelog_webhook_messages_given_up",
                "gauge",
                "Messages that an endpoint did not take for a day.",
            ),
            dead,
        ),
    ] {
        let counts: Vec<_> = counts.iter().map(|(name, n)| (name.as_str(), *n)).collect();
        several(text, metric, "endpoint", &counts);
    }
}

/// Of this month: what the law did not permit to refuse was not refused.
fn refused(text: &mut String, requests: &[RefusedRequest]) {
    let is = |one: &&RefusedRequest, word| {
        one.is_permitted && one.said.as_ref().is_some_and(|said| said.reason == word)
    };
    let count = |word| requests.iter().filter(|one| is(one, word)).count() as u64;
    let counts: Vec<_> = reason_words().map(|word| (word, count(word))).collect();
    several(
        text,
        (
            "voicelog_requests_refused",
            "gauge",
            "Citizens who asked to record and were refused since the month began, by reason.",
        ),
        "reason",
        &counts,
    );
}

/// Name, type and what it is, of one metric.
type Head<'a> = (&'a str, &'a str, &'a str);

fn head(text: &mut String, (name, kind, help): Head<'_>) {
    // Writing to a `String` can't fail.
    let _written = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn one(text: &mut String, metric: Head<'_>, value: u64) {
    head(text, metric);
    let _written = writeln!(text, "{} {value}", metric.0);
}

/// The labels are words of our own: they need no escaping.
fn several(text: &mut String, metric: Head<'_>, label: &str, values: &[(&str, u64)]) {
    head(text, metric);
    for (word, value) in values {
        let _written = writeln!(text, "{}{{{label}=\"{word}\"}} {value}", metric.0);
    }
}
