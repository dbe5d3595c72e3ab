//! Recordings for programs: the list and one. No personal data.

use crate::app::Shared;
use crate::pages::recordings::{cursor_text, parse_cursor};
use crate::trouble::Trouble;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use voicelog_archive::{
    ArchiveError, Conversation, Detail, RecordingFilter, RecordingSummary, State as RecordingState,
};
use voicelog_model::{Language, Timestamp};

/// Recordings in one answer, unless the program asks for fewer or more, and at most.
const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 200;

/// The parameters of the list.
const PARAMETERS: &[&str] = &["state", "from", "to", "cursor", "limit"];

#[derive(Default)]
struct Wishes {
    filter: RecordingFilter,
    cursor: String,
    limit: usize,
}

fn wishes(parameters: &BTreeMap<String, String>) -> Result<Wishes, Trouble> {
    let mut wishes = Wishes {
        limit: LIMIT_DEFAULT,
        ..Wishes::default()
    };
    for (name, value) in parameters {
        let wrong = |right: &str| {
            Trouble::invalid(
                format!("`{name}` is niet goed: verwacht {right}."),
                format!("`{name}` is wrong: expected {right}."),
            )
        };
        let moment = || {
            value
                .parse::<Timestamp>()
                .map_err(|_text| wrong("RFC 3339, 2026-11-21T10:02:00Z"))
        };
        match name.as_str() {
            "state" => {
                let words: Vec<&str> = RecordingState::ALL
                    .iter()
                    .map(|state| state.as_str())
                    .collect();
                let state =
                    RecordingState::from_word(value).ok_or_else(|| wrong(&words.join(", ")))?;
                wishes.filter.state = Some(state);
            }
            "from" => wishes.filter.from = Some(moment()?),
            "to" => wishes.filter.to = Some(moment()?),
            "cursor" => wishes.cursor.clone_from(value),
            "limit" => {
                let limit = value
                    .parse()
                    .ok()
                    .filter(|limit| (1..=LIMIT_MAX).contains(limit));
                wishes.limit = limit.ok_or_else(|| wrong("1–200"))?;
            }
            other => return Err(super::calls::unknown_name(other, PARAMETERS)),
        }
    }
    Ok(wishes)
}

pub(crate) async fn list(
    State(desk): State<Shared>,
    Query(parameters): Query<BTreeMap<String, String>>,
) -> Result<Response, Trouble> {
    let Wishes {
        filter,
        cursor,
        limit,
    } = wishes(&parameters)?;
    let after = parse_cursor(&cursor)?;
    let (summaries, next) = desk
        .ask(move |archive, _now| archive.list(&filter, after, limit))
        .await?;
    let next = next.map(|cursor| cursor_text(&cursor));
    let items: Vec<Value> = summaries.iter().map(summary).collect();
    let mut response = Json(json!({ "items": items, "nextCursor": next })).into_response();
    if let Some(link) = next.and_then(|next| link(&parameters, &next)) {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

/// The next page as a link (RFC 8288).
fn link(parameters: &BTreeMap<String, String>, next: &str) -> Option<HeaderValue> {
    let mut query: Vec<String> = parameters
        .iter()
        .filter(|(name, _)| *name != "cursor")
        .map(|(name, value)| format!("{name}={}", value.replace('+', "%2B")))
        .collect();
    query.push(format!("cursor={next}"));
    HeaderValue::from_str(&format!(
        "</v1/recordings?{}>; rel=\"next\"",
        query.join("&")
    ))
    .ok()
}

pub(crate) async fn show(
    State(desk): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let id = crate::pages::recording_id(&id)?;
    let accept = crate::visitor::field(&headers, header::ACCEPT_LANGUAGE);
    let lang = crate::lang::choose(None, None, accept);
    let (detail, conversation) = desk
        .ask(move |archive, _now| {
            Ok::<_, ArchiveError>((archive.detail(id)?, archive.conversation(id)?))
        })
        .await?;
    let body = document(&detail, &conversation, lang).map_err(|error| Trouble::internal(&error))?;
    Ok(Json(body).into_response())
}

/// The receipt as text: for the party that takes part, by whatever way the program has.
pub(crate) async fn receipt(
    State(desk): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let id = crate::pages::recording_id(&id)?;
    let receipt = desk.ask(move |archive, _now| archive.receipt(id)).await?;
    match receipt {
        Some(text) => Ok(text.into_response()),
        None => Err(Trouble::new(StatusCode::CONFLICT).saying(
            "Deze opname staat nog niet in het logboek. Vraag het na het einde van het gesprek nog eens.",
            "This recording is not in the log yet. Ask again after the end of the conversation.",
        )),
    }
}

fn summary(summary: &RecordingSummary) -> Value {
    json!({
        "id": summary.id,
        "line": summary.line,
        "state": summary.state.as_str(),
        "startedAt": summary.started_at,
        "endedAt": summary.ended_at,
        "verdict": summary.verdict,
        "isPartlyPrivate": summary.is_partly_private,
        "retainUntil": summary.retain_until,
        "destroyedAt": summary.destroyed_at,
        "soundUntil": summary.sound_until,
        "soundDestroyedAt": summary.sound_destroyed_at,
        "conversation": summary.part.as_ref().map(|part| part.conversation),
        "linkedBy": summary.part.as_ref().map(|part| part.linked_by.as_str()),
        "isCopy": summary.part.as_ref().is_some_and(|part| part.is_copy),
    })
}

fn document(
    detail: &Detail,
    conversation: &Conversation,
    lang: Language,
) -> Result<Value, serde_json::Error> {
    let mut body = summary(&detail.summary);
    let decisions: Vec<Value> = detail
        .decisions
        .iter()
        .map(
            |kept| json!({ "id": kept.id, "at": kept.at, "decision": kept.decision.to_json(lang) }),
        )
        .collect();
    if let Value::Object(members) = &mut body {
        members.insert("decisions".into(), Value::Array(decisions));
        members.insert("timeline".into(), serde_json::to_value(&detail.timeline)?);
        members.insert("manifest".into(), serde_json::to_value(&detail.manifest)?);
        members.insert("logIndex".into(), json!(detail.log_index));
        let parts: Vec<Value> = conversation.parts.iter().map(summary).collect();
        members.insert("parts".into(), Value::Array(parts));
        members.insert("report".into(), serde_json::to_value(&detail.report)?);
        members.insert("certificate".into(), json!(detail.certificate));
        let of_sound = json!(detail.sound_certificate);
        members.insert("soundCertificate".into(), of_sound);
    }
    Ok(body)
}
