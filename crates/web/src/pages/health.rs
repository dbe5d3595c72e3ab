//! How the server is doing: briefly for a monitoring program, in words for people.

use crate::app::Shared;
use crate::frame::html;
use crate::trouble::Trouble;
use crate::view::Fact;
use crate::view::badge::{Badge, Shape};
use crate::view::health::HealthPage;
use crate::view::when::{When, bytes};
use crate::visitor::Visitor;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::json;
use voicelog_archive::ArchiveError;
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
    let (free, outbox) = desk
        .ask(|archive, _now| Ok::<_, ArchiveError>((archive.free_bytes()?, archive.outbox()?)))
        .await?;
    let (badge, meaning) = match status.pause {
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
    };
    let fact = |nl, en, value| Fact {
        name: lang.pick(nl, en),
        value,
    };
    let mut view = HealthPage {
        p: visitor.page("health", lang.pick("Gezondheid", "Health")),
        badge,
        meaning,
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
    view.facts.extend(outbox.iter().map(|count| {
        let (waiting, dead) = (count.waiting, count.dead);
        let value = match lang {
            Language::Nl => format!("{}: {waiting} wachten, {dead} opgegeven", count.endpoint),
            Language::En => format!("{}: {waiting} waiting, {dead} given up", count.endpoint),
        };
        let fault = count.fault.as_ref();
        let fault = fault.map_or_else(String::new, |fault| format!(" ({fault})"));
        fact(
            "Berichten aan een ander systeem",
            "Messages to another system",
            value + &fault,
        )
    }));
    html(StatusCode::OK, &view)
}
