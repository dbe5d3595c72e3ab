//! How the server is doing: briefly for a monitoring program, in words for people.

use crate::api::clock::confirm_as;
use crate::app::{Pause, Shared};
use crate::diary::LastHour;
use crate::frame::html;
use crate::trouble::Trouble;
use crate::view::Fact;
use crate::view::alarms::{AlarmView, RefusedView, refused};
use crate::view::badge::{Badge, Shape};
use crate::view::health::{ClockView, HealthPage, called, keys};
use crate::view::when::{When, bytes};
use crate::visitor::Visitor;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::json;
use voicelog_archive::{ArchiveError, OutboxCount};
use voicelog_casework::expected::Found;
use voicelog_model::Language;

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
    let (free, outbox, hour, in_vain, of_keys, clock) = desk
        .ask(move |archive, now| {
            let hour = LastHour::read(archive, now)?;
            let in_vain = archive.called_in_vain();
            let (recovery, waiting) = (archive.recovery_state()?, archive.waiting_for_key()?);
            let of_keys = keys(&recovery, waiting.len(), lang);
            let (free, outbox) = (archive.free_bytes()?, archive.outbox()?);
            let clock = jumped(archive.must_believe_clock(now), lang)?;
            Ok::<_, ArchiveError>((free, outbox, hour, in_vain, of_keys, clock))
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
        clock,
        refused: refused_in(&hour, lang),
        called: called(&in_vain, lang),
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
                "Tijd op de server",
                "Time on the server",
                When::new(desk.now(), lang).text,
            ),
        ],
    };
    view.facts
        .extend(addresses(&desk.app.config.recording_addresses, lang));
    view.facts.extend(of_keys);
    view.facts.extend(lists(&hour, lang));
    view.facts.extend(messages(&outbox, lang));
    html(StatusCode::OK, &view)
}

/// What there is to confirm of the clock.
fn jumped(
    believed: Result<(), ArchiveError>,
    lang: Language,
) -> Result<Option<ClockView>, ArchiveError> {
    match believed {
        Ok(()) => Ok(None),
        Err(ArchiveError::ClockJumped { now, seen }) => Ok(Some(ClockView {
            now: When::new(now, lang),
            seen: When::new(seen, lang),
        })),
        Err(error) => Err(error),
    }
}

/// What the page of the clock was about when it was sent.
#[derive(Deserialize)]
pub(crate) struct ClockForm {
    #[serde(default)]
    at: String,
}

/// Somebody saw what the clock says, and says that it is right. A page that was opened long ago shows what it says now.
pub(crate) async fn confirm_clock(
    State(desk): State<Shared>,
    Form(form): Form<ClockForm>,
) -> Result<Response, Trouble> {
    if let Ok(at) = form.at.parse() {
        confirm_as(&desk, at).await?;
    }
    Ok(Redirect::to("/health").into_response())
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
fn refused_in(hour: &LastHour, lang: Language) -> Vec<RefusedView> {
    let view = |(word, count): (&str, u64)| {
        let text = refused(word, lang)?;
        Some(RefusedView { text, count })
    };
    let mut all: Vec<_> = hour.iter().filter_map(view).collect();
    all.sort_by_key(|refused| std::cmp::Reverse(refused.count));
    all
}

/// Where recording clients can call.
fn addresses(all: &[(&'static str, String)], lang: Language) -> Vec<Fact> {
    let fact = |(transport, address): &(&'static str, String)| Fact {
        name: match *transport {
            "TLS" => lang.pick(
                "Adres voor de opnameclient, met TLS",
                "Address for the recording client, with TLS",
            ),
            "TCP" => lang.pick(
                "Adres voor de opnameclient, met TCP",
                "Address for the recording client, with TCP",
            ),
            _ => lang.pick(
                "Adres voor de opnameclient, met UDP",
                "Address for the recording client, with UDP",
            ),
        },
        value: address.clone(),
    };
    all.iter().map(fact).collect()
}

/// What the telephone system's own lists came to in the last hour; nothing where there was none.
fn lists(hour: &LastHour, lang: Language) -> Option<Fact> {
    let counts = hour.expected();
    let part = |(found, count): &(Found, u64)| {
        (*count > 0).then(|| format!("{count} {}", found.text(lang)))
    };
    let parts: Vec<_> = counts.iter().filter_map(part).collect();
    (!parts.is_empty()).then(|| Fact {
        name: lang.pick(
            "Lijsten van de telefooncentrale, het afgelopen uur",
            "Lists of the telephone system, in the last hour",
        ),
        value: parts.join("; "),
    })
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
