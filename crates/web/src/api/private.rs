//! Saying that a call is private, and that it is no longer.

use super::calls::unknown_name;
use super::keeping::{not_heard, somebody};
use crate::app::Shared;
use crate::trouble::Trouble;
use crate::wishes::Private;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use voicelog_archive::journal::PrivateEnd;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    said_by: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SaidOver {
    said_by: String,
    reason: String,
}

/// Somebody says that a call is private. The answer comes when its media is no longer kept.
pub(crate) async fn begin(
    State(desk): State<Shared>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Trouble> {
    let id = crate::pages::recording_id(&id)?;
    let Ok(said) = serde_json::from_slice::<Said>(&body) else {
        return Err(Trouble::invalid(
            "Stuur een JSON-object met `said_by` (wie zegt dat het privé is).",
            "Send a JSON object with `said_by` (who says that it is private).",
        ));
    };
    let said_by = somebody(&said.said_by, "said_by")?;
    let wishes = Arc::clone(&desk.app.wishes);
    let private = tokio::task::spawn_blocking(move || wishes.begin_private(id, said_by))
        .await
        .map_err(|stopped| Trouble::internal(&stopped))?;
    match private {
        Ok(private) => answer(private),
        Err(why) => Err(not_heard(why, &desk, id).await),
    }
}

/// Who said that a call is private says that it is no longer.
pub(crate) async fn end(
    State(desk): State<Shared>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Trouble> {
    let id = crate::pages::recording_id(&id)?;
    let Ok(said) = serde_json::from_slice::<SaidOver>(&body) else {
        return Err(Trouble::invalid(
            "Stuur een JSON-object met `said_by` (wie zei dat het privé was) en `reason`.",
            "Send a JSON object with `said_by` (who said that it was private) and `reason`.",
        ));
    };
    let Some(reason) = PrivateEnd::from_word(&said.reason) else {
        let known = PrivateEnd::ALL.map(PrivateEnd::as_str);
        return Err(unknown_name(&said.reason, &known));
    };
    let said_by = somebody(&said.said_by, "said_by")?;
    let wishes = Arc::clone(&desk.app.wishes);
    let private = tokio::task::spawn_blocking(move || wishes.end_private(id, said_by, reason))
        .await
        .map_err(|stopped| Trouble::internal(&stopped))?;
    match private {
        Ok(private) => answer(private),
        Err(why) => Err(not_heard(why, &desk, id).await),
    }
}

fn answer(private: Private) -> Result<Response, Trouble> {
    let conflict = |nl, en| Err(Trouble::new(StatusCode::CONFLICT).saying(nl, en));
    match private {
        Private::Since(since) => Ok(Json(json!({ "since": since })).into_response()),
        Private::Over => Ok(StatusCode::NO_CONTENT.into_response()),
        Private::NotPrivate => conflict(
            "Niemand heeft gezegd dat dit gesprek privé is.",
            "Nobody has said that this call is private.",
        ),
        Private::AnotherPerson => conflict(
            "Iemand anders heeft gezegd dat dit gesprek privé is. Alleen die persoon kan dat terugnemen.",
            "Somebody else said that this call is private. Only they can take that back.",
        ),
    }
}
