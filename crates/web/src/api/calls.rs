//! Calls in progress: which there are, and what is said about them while they last.

use super::pauses::shown;
use crate::app::{Paused, Shared};
use crate::trouble::Trouble;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use voicelog_archive::{Call, SAYABLE_FACTS};
use voicelog_model::RecordingId;

/// Calls in progress, without names and addresses: participants by pseudonym and country.
pub(crate) async fn list(State(desk): State<Shared>) -> Response {
    let calls = desk.app.archive.calls();
    let items: Vec<Value> = calls
        .iter()
        .map(|item| call(item, desk.app.pauses.paused(item.id)))
        .collect();
    Json(json!({ "items": items })).into_response()
}

fn call(call: &Call, paused: Option<Paused>) -> Value {
    let parties: Vec<Value> = call
        .parties
        .iter()
        .map(|party| json!({ "id": party.id, "country": party.country }))
        .collect();
    json!({
        "id": call.id,
        "line": call.line.name,
        "offeredAt": call.offered_at,
        "parties": parties,
        "said": call.said,
        "pause": paused.map(shown),
        "keep": super::keeping::shown(call),
        "private": call.private.as_ref().map(|private| json!({ "since": private.at })),
    })
}

/// Says facts about a call: consent given, the notice played. They count at once: the recorder
/// hears of it and asks the law again.
pub(crate) async fn say(
    State(desk): State<Shared>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Trouble> {
    let id = crate::pages::recording_id(&id)?;
    let facts: Map<String, Value> = serde_json::from_slice(&body).map_err(|error| {
        Trouble::invalid(
            format!(
                "De inhoud is geen JSON-object met feiten (regel {}, teken {}).",
                error.line(),
                error.column()
            ),
            format!(
                "The body is no JSON object of facts (line {}, column {}).",
                error.line(),
                error.column()
            ),
        )
    })?;
    if facts.is_empty() {
        return Err(Trouble::invalid(
            "Noem minstens één feit.",
            "Name at least one fact.",
        ));
    }
    if let Some(name) = facts
        .keys()
        .find(|name| !SAYABLE_FACTS.contains(&name.as_str()))
    {
        return Err(unknown_name(name, SAYABLE_FACTS));
    }
    let said = desk.ask(move |archive, now| archive.say(id, facts, now));
    match said.await {
        Err(trouble) if trouble.status == StatusCode::NOT_FOUND => {
            Err(no_such_call(&desk, id).await)
        }
        Err(trouble) => Err(trouble),
        Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

/// That no call in progress has this id: one that is over (409), or none that we know of (404).
pub(crate) async fn no_such_call(desk: &Shared, id: RecordingId) -> Trouble {
    match desk.ask(move |archive, _now| archive.summary(id)).await {
        Ok(_it_was) => Trouble::new(StatusCode::CONFLICT).saying(
            "Dit gesprek is voorbij. Dit kan alleen tijdens een gesprek.",
            "This call is over. This can be done during a call only.",
        ),
        Err(trouble) => trouble,
    }
}

/// A name that we do not know here, and the nearest that we do.
pub(crate) fn unknown_name(name: &str, known: &[&str]) -> Trouble {
    let name: String = name.chars().take(64).collect();
    match nearest(&name, known) {
        Some(nearest) => Trouble::invalid(
            format!("`{name}` kennen wij hier niet. Bedoelt u `{nearest}`?"),
            format!("`{name}` is not known here. Did you mean `{nearest}`?"),
        ),
        None => {
            let known = known.join(", ");
            Trouble::invalid(
                format!("`{name}` kennen wij hier niet. Wel: {known}."),
                format!("`{name}` is not known here. Known are: {known}."),
            )
        }
    }
}

fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    // What is longer than twice any name is like none of them.
    let is_like = known.iter().any(|known| name.len() <= 2 * known.len());
    known
        .iter()
        .filter(|_known| is_like)
        .map(|known| (strsim::damerau_levenshtein(name, known), *known))
        .min()
        .filter(|(distance, known)| *distance <= known.len().div_ceil(2))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_known_name_is_told() {
        assert_eq!(nearest("opennes", SAYABLE_FACTS), Some("openness"));
        assert_eq!(
            nearest("consent_per_participants", SAYABLE_FACTS),
            Some("consent_per_participant")
        );
        assert_eq!(nearest("xyzzy", SAYABLE_FACTS), None);
    }
}
