//! How the server is doing: briefly for a monitoring program, in words for people.

use crate::app::{Pause, Shared};
use crate::frame::html;
use crate::trouble::Trouble;
use crate::view::Fact;
use crate::view::alarms::{AlarmView, RefusedView, refused};
use crate::view::badge::{Badge, Shape};
use crate::view::health::HealthPage;
use crate::view::when::{When, bytes};
use crate::visitor::Visitor;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::json;
use std::collections::BTreeMap;
use voicelog_archive::{ArchiveError, DiaryEntry, OutboxCount};
use voicelog_model::Language;

/// How far back refusals are counted, in microseconds.
const HOUR: i64 = 3_600_000_000;
/// Lines of the diary that are read: of each minute every word that there is, and more.
const DIARY_LINES_MAX: usize = 60 * 100;

/// 200 while new calls are taken, else 503 with the reason as one word. Nothing about anybody.
pub(crate) async fn short(State(desk): State<Shared>) -> Response {
    match desk.app.status.status().pause {
        None => Json(json!({ "status": "ok" })).into_response(),
        Some(pause) => {
            let body = Json(json!({ "status": "unavailable", "reason": pause.as_str() }));
            (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
        }
    }
}

pub(crate) async fn show(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Response, Trouble> {
    let lang = visitor.lang;
    let status = desk.app.status.status();
    let (free, outbox, diary) = desk
        .ask(|archive, now| {
            let diary = archive.diary(now.plus_micros(-HOUR), now, DIARY_LINES_MAX)?;
            Ok::<_, ArchiveError>((archive.free_bytes()?, archive.outbox()?, diary))
        })
        .await?;
    let standing = desk.app.status.alarms();
    let (badge, meaning) = headline(status.pause, !standing.is_empty(), lang);
    let fact = |nl, en, value| Fact {
        name: lang.pick(nl, en),
        value,
    };
    let mut view = HealthPage {
        p: visitor.page("health", lang.pick("Gezondheid", "Health")),
        badge,
        meaning,
        alarms: standing
            .iter()
            .map(|alarm| AlarmView::new(alarm, lang))
            .collect(),
        refused: refused_in(&diary, lang),
        facts: vec![
            fact(
                "Gesprekken die nu lopen",
                "Calls in progress",
                status.calls_in_progress.to_string(),
            ),
            fact(
                "Vrije ruimte op de schijf",
                "Free room on the disk",
                bytes(free, lang),
            ),
            fact(
                "Adres voor de opnameclient",
                "Address for the recording client",
                desk.app.config.recording_address.clone(),
            ),
            fact(
                "Tijd op de server",
                "Time on the server",
                When::new(desk.now(), lang).text,
            ),
        ],
    };
    view.facts.extend(messages(&outbox, lang));
    html(StatusCode::OK, &view)
}

/// In a word and a sentence: whether calls are taken, and whether something is wrong all the same.
const fn headline(pause: Option<Pause>, has_alarms: bool, lang: Language) -> (Badge, &'static str) {
    match pause {
        None if has_alarms => (
            Badge::new(
                Shape::Triangle,
                "alarm",
                lang.pick("Er is iets mis", "Something is wrong"),
            ),
            lang.pick(
                "Nieuwe gesprekken worden aangenomen. Hieronder staat wat aandacht vraagt.",
                "New calls are taken. Below is what needs attention.",
            ),
        ),
        None => (
            Badge::new(
                Shape::Check,
                "ok",
                lang.pick("Alles werkt", "Everything works"),
            ),
            lang.pick(
                "Nieuwe gesprekken worden aangenomen.",
                "New calls are taken.",
            ),
        ),
        Some(pause) => (
            Badge::new(
                Shape::Triangle,
                "alarm",
                lang.pick("Geen nieuwe gesprekken", "No new calls"),
            ),
            pause.text(lang),
        ),
    }
}

/// What was turned away by the diary, the most frequent first.
fn refused_in(diary: &[DiaryEntry], lang: Language) -> Vec<RefusedView> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for line in diary {
        let count = counts.entry(&line.what).or_default();
        *count = count.saturating_add(line.count);
    }
    let view = |(word, count): (&str, u64)| {
        let text = refused(word, lang)?;
        Some(RefusedView { text, count })
    };
    let mut all: Vec<_> = counts.into_iter().filter_map(view).collect();
    all.sort_by_key(|refused| std::cmp::Reverse(refused.count));
    all
}

/// What waits for other systems.
fn messages(outbox: &[OutboxCount], lang: Language) -> impl Iterator<Item = Fact> {
    outbox.iter().map(move |count| {
        let (waiting, dead) = (count.waiting, count.dead);
        let value = match lang {
            Language::Nl => format!("{}: {waiting} wachten, {dead} opgegeven", count.endpoint),
            Language::En => format!("{}: {waiting} waiting, {dead} given up", count.endpoint),
        };
        let fault = count.fault.as_ref();
        let fault = fault.map_or_else(String::new, |fault| format!(" ({fault})"));
        Fact {
            name: lang.pick(
                "Berichten aan een ander systeem",
                "Messages to another system",
            ),
            value: value + &fault,
        }
    })
}
