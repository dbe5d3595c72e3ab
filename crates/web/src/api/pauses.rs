//! Pausing a call while something is said that may not be recorded, and letting it go on.

use super::calls::{no_such_call, unknown_name};
use crate::app::{NotPaused, Paused, Shared};
use crate::trouble::Trouble;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use voicelog_archive::journal::PauseReason;
use voicelog_model::RecordingId;

/// What a program asks for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    reason: String,
    limit_seconds: Option<u64>,
}

/// Pauses a call. The answer comes when its media is no longer kept, and not before.
pub(crate) async fn pause(
    State(desk): State<Shared>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Trouble> {
    let id = crate::pages::recording_id(&id)?;
    let Ok(asked) = serde_json::from_slice::<Asked>(&body) else {
        return Err(Trouble::invalid(
            "Stuur een JSON-object met `reason` en, als u wilt, `limit_seconds` (een heel getal).",
            "Send a JSON object with `reason` and, if you like, `limit_seconds` (a whole number).",
        ));
    };
    let Some(reason) = PauseReason::from_word(&asked.reason) else {
        let known = PauseReason::ALL.map(PauseReason::as_str);
        return Err(unknown_name(&asked.reason, &known));
    };
    let limit = asked.limit_seconds.map(Duration::from_secs);
    let pauses = Arc::clone(&desk.app.pauses);
    let paused = tokio::task::spawn_blocking(move || pauses.pause(id, reason, limit))
        .await
        .map_err(|stopped| Trouble::internal(&stopped))?;
    match paused {
        Ok(paused) => Ok(Json(shown(paused)).into_response()),
        Err(why) => Err(trouble(why, &desk, id).await),
    }
}

/// Lets a paused call go on.
pub(crate) async fn resume(
    State(desk): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let id = crate::pages::recording_id(&id)?;
    let pauses = Arc::clone(&desk.app.pauses);
    let resumed = tokio::task::spawn_blocking(move || pauses.resume(id))
        .await
        .map_err(|stopped| Trouble::internal(&stopped))?;
    match resumed {
        Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(why) => Err(trouble(why, &desk, id).await),
    }
}

/// A pause as the API shows it.
pub(crate) fn shown(paused: Paused) -> Value {
    json!({
        "reason": paused.reason.as_str(),
        "since": paused.since,
        "until": paused.until,
    })
}

async fn trouble(why: NotPaused, desk: &Shared, id: RecordingId) -> Trouble {
    match why {
        NotPaused::NoSuchCall => no_such_call(desk, id).await,
        NotPaused::Length { seconds_max } => Trouble::invalid(
            format!("Een pauze duurt 1 tot {seconds_max} seconden."),
            format!("A pause lasts from 1 to {seconds_max} seconds."),
        ),
        NotPaused::IsNotPaused => Trouble::new(StatusCode::CONFLICT).saying(
            "De opname van dit gesprek is niet gepauzeerd.",
            "Recording of this call is not paused.",
        ),
        NotPaused::NoAnswer => Trouble::new(StatusCode::SERVICE_UNAVAILABLE)
            .saying(
                "De opnameserver antwoordde niet op tijd. Ga ervan uit dat het gesprek wordt opgenomen.",
                "The recorder did not answer in time. Take it that the call is being recorded.",
            )
            .retry_after(1),
    }
}
