//! The HTTP API, version 1: the same verbs for programs. `openapi.json` describes it.

pub(crate) mod calls;
pub(crate) mod clock;
pub(crate) mod consent;
pub(crate) mod copies;
pub(crate) mod declarations;
pub(crate) mod expected;
pub(crate) mod holds;
pub(crate) mod imports;
pub(crate) mod keeping;
pub(crate) mod law;
pub(crate) mod metrics;
pub(crate) mod pauses;
pub(crate) mod private;
pub(crate) mod problem;
pub(crate) mod recordings;
pub(crate) mod rooms;

use crate::app::Shared;
use crate::trouble::Trouble;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use voicelog_archive::ArchiveError;

/// The API's own description.
pub(crate) const DESCRIPTION: &str = include_str!("openapi.json");

pub(crate) async fn description() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DESCRIPTION).into_response()
}

/// The log's current checkpoint and the key that it verifies with.
pub(crate) async fn checkpoint(State(desk): State<Shared>) -> Result<Response, Trouble> {
    let (checkpoint, key) = desk
        .ask(|archive, _now| Ok::<_, ArchiveError>((archive.checkpoint()?, archive.verifier_key())))
        .await?;
    Ok(Json(json!({ "checkpoint": checkpoint, "verifierKey": key })).into_response())
}

/// Whether new calls are taken. Always 200: `/healthz` is there for monitoring.
pub(crate) async fn health(State(desk): State<Shared>) -> Result<Response, Trouble> {
    let status = desk.app.status.status();
    let (free, trouble, recovery, waiting) = desk
        .ask(|archive, _now| {
            let recovery = archive.recovery_state()?.as_str();
            let waiting = archive.waiting_for_key()?.len();
            Ok::<_, ArchiveError>((archive.free_bytes()?, archive.trouble(), recovery, waiting))
        })
        .await?;
    let body = json!({
        "accepting": status.pause.is_none(),
        "reason": status.pause.map(crate::app::Pause::as_str),
        "callsInProgress": status.calls_in_progress,
        "freeBytes": free,
        "storageTrouble": trouble.is_some(),
        "recoverySet": recovery,
        "waitingForKey": waiting,
        "alarms": desk.app.status.alarms().iter().map(alarm).collect::<Vec<_>>(),
    });
    Ok((StatusCode::OK, Json(body)).into_response())
}

fn alarm(alarm: &crate::app::Alarm) -> serde_json::Value {
    json!({
        "alarm": alarm.word,
        "recording": alarm.recording,
        "reason": alarm.reason,
        "since": alarm.since,
    })
}
