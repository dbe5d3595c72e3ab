//! Giving a copy, or a copy of a part, to a program that asks for somebody.

use super::keeping::somebody;
use crate::app::Shared;
use crate::pages::copying::ask_for;
use crate::pages::recording_id;
use crate::trouble::Trouble;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};
use voicelog_casework::Asked;
use voicelog_casework::disclosure::{PartRequest, Recipient, part_fault};
use voicelog_model::Language;

/// What is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    recipient: String,
    asked_by: String,
    from: Option<String>,
    to: Option<String>,
    #[serde(default)]
    redactions: Vec<Value>,
}

fn part(wanted: &Wanted) -> Result<Option<PartRequest>, Trouble> {
    let moment = |text: &Option<String>| {
        let read = text.as_deref().map(PartRequest::moment).transpose();
        read.map_err(|error| {
            Trouble::invalid(
                "`from` en `to` zijn momenten van het gesprek: 3:40, 1:03:40 of 220.5 (seconden).",
                error.to_string(),
            )
        })
    };
    let plan = json!({ "redactions": wanted.redactions }).to_string();
    let redactions = PartRequest::redactions(plan.as_bytes()).map_err(|error| {
        let why = voicelog_model::error::chain(&error);
        Trouble::invalid(
            format!("`redactions` past niet: {why}."),
            format!("`redactions` does not fit: {why}."),
        )
    })?;
    let part = PartRequest {
        start_us: moment(&wanted.from)?,
        end_us: moment(&wanted.to)?,
        redactions,
    };
    Ok((part != PartRequest::default()).then_some(part))
}

pub(crate) async fn make(
    State(desk): State<Shared>,
    Extension(lang): Extension<Language>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Trouble> {
    let id = recording_id(&id)?;
    let Ok(wanted) = serde_json::from_slice::<Wanted>(&body) else {
        return Err(Trouble::invalid(
            "Stuur een JSON-object met `recipient` en `asked_by` (wie het vraagt), en als u wilt `from`, `to` en `redactions`.",
            "Send a JSON object with `recipient` and `asked_by` (who asks), and if you like `from`, `to` and `redactions`.",
        ));
    };
    let Ok(recipient) = wanted.recipient.parse::<Recipient>() else {
        let known = Recipient::ALL.map(|(_, word)| word);
        return Err(super::calls::unknown_name(&wanted.recipient, &known));
    };
    let asker = somebody(&wanted.asked_by, "asked_by")?;
    let part = part(&wanted)?;
    let (copied, send) = ask_for(&desk, id, recipient, asker, part).await?;
    match copied {
        Ok(Asked::Given(copy)) => Ok(send(copy)),
        Ok(Asked::Refused { id, decision }) => {
            let body = json!({ "id": id, "decision": decision.to_json(lang) });
            Ok((StatusCode::FORBIDDEN, Json(body)).into_response())
        }
        Err(error) => {
            let fault = part_fault(&error).ok_or_else(|| Trouble::internal(&error))?;
            Err(Trouble::invalid(fault.nl, fault.en))
        }
    }
}
