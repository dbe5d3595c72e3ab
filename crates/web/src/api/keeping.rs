//! Asking to keep a call, on a line that keeps what it is asked to keep.

use super::calls::{no_such_call, unknown_name};
use crate::app::Shared;
use crate::trouble::Trouble;
use crate::wishes::{Kept, NotHeard};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use voicelog_archive::journal::{AskedBy, KeepReason};
use voicelog_archive::{Call, KeepRequest, KeepState};
use voicelog_model::{Pii, RecordingId};

/// Longest name of who asks, in characters.
const NAME_CHARS_MAX: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    reason: String,
    asked_by: String,
}

/// Asks to keep a call. The answer 200 comes when it is kept, and not before.
pub(crate) async fn keep(
    State(desk): State<Shared>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Trouble> {
    let id = crate::pages::recording_id(&id)?;
    let Ok(asked) = serde_json::from_slice::<Asked>(&body) else {
        return Err(Trouble::invalid(
            "Stuur een JSON-object met `reason` en `asked_by` (wie het vraagt).",
            "Send a JSON object with `reason` and `asked_by` (who asks).",
        ));
    };
    let Some(reason) = KeepReason::from_word(&asked.reason) else {
        let known = KeepReason::ALL.map(KeepReason::as_str);
        return Err(unknown_name(&asked.reason, &known));
    };
    let request = KeepRequest {
        reason,
        by: AskedBy::Program,
        asked_by: Some(somebody(&asked.asked_by, "asked_by")?),
        at: desk.app.clock.now(),
    };
    let wishes = Arc::clone(&desk.app.wishes);
    let kept = tokio::task::spawn_blocking(move || wishes.keep(id, request))
        .await
        .map_err(|stopped| Trouble::internal(&stopped))?;
    let kept = match kept {
        Ok(kept) => kept,
        Err(why) => return Err(not_heard(why, &desk, id).await),
    };
    Ok(match kept {
        Kept::From(from) => Json(json!({ "kept": true, "from": from })).into_response(),
        Kept::NotPermitted => {
            (StatusCode::ACCEPTED, Json(json!({ "kept": false }))).into_response()
        }
        Kept::EveryCall => {
            return Err(Trouble::new(StatusCode::CONFLICT).saying(
                "Op deze lijn wordt elk gesprek bewaard dat mag worden opgenomen; er valt niets te vragen.",
                "On this line every call is kept that may be recorded; there is nothing to ask.",
            ));
        }
    })
}

/// A name of somebody on our side, as the program that asks knows them.
pub(crate) fn somebody(name: &str, member: &str) -> Result<Pii<String>, Trouble> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        return Err(Trouble::invalid(
            format!("`{member}` zegt in 1 tot {NAME_CHARS_MAX} tekens wie het vraagt."),
            format!("`{member}` says in 1 to {NAME_CHARS_MAX} characters who asks."),
        ));
    }
    Ok(Pii::new(name.to_owned()))
}

/// Whether somebody has to ask to keep a call, and has; nothing where every call is kept.
pub(crate) fn shown(call: &Call) -> Option<Value> {
    Some(match call.keep.as_ref()? {
        KeepState::NotRequested { look_back_seconds } => {
            json!({ "requested": false, "lookBackSeconds": look_back_seconds })
        }
        KeepState::Requested(request) => json!({
            "requested": true, "reason": request.reason.as_str(), "at": request.at,
        }),
    })
}

pub(crate) async fn not_heard(why: NotHeard, desk: &Shared, id: RecordingId) -> Trouble {
    match why {
        NotHeard::NoSuchCall => no_such_call(desk, id).await,
        NotHeard::NoAnswer => Trouble::new(StatusCode::SERVICE_UNAVAILABLE)
            .saying(
                "De opnameserver antwoordde niet op tijd. Niemand weet of het is gelukt; vraag het nog eens.",
                "The recorder did not answer in time. Nobody knows whether it was done; ask again.",
            )
            .retry_after(1),
    }
}
