//! Consent that somebody gave, refused or took back aloud, as whoever heard it tells it.

use super::calls::unknown_name;
use crate::app::Shared;
use crate::trouble::Trouble;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;
use voicelog_archive::{Consent, ConsentBy};
use voicelog_model::Pii;
use voicelog_room::RoomError;

/// What can be said of consent aloud.
const WORDS: &[&str] = &[
    "given",
    "given_explicit",
    "given_by_guardian",
    "refused",
    "withdrawn",
];
/// Longest name of who heard it, in characters.
const NAME_CHARS_MAX: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    participant: String,
    consent: String,
    marked_by: String,
}

/// Takes in what a participant said, with who heard it; the law is asked again at once.
pub(crate) async fn tell(
    State(desk): State<Shared>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Trouble> {
    let id = crate::pages::recording_id(&id)?;
    let Ok(told) = serde_json::from_slice::<Told>(&body) else {
        return Err(Trouble::invalid(
            "Stuur een JSON-object met `participant` (p1, p2 …), `consent` en `marked_by` (wie het hoorde).",
            "Send a JSON object with `participant` (p1, p2 …), `consent` and `marked_by` (who heard it).",
        ));
    };
    if !WORDS.contains(&told.consent.as_str()) {
        return Err(unknown_name(&told.consent, WORDS));
    }
    let marked_by = told.marked_by.trim();
    if marked_by.is_empty() || marked_by.chars().count() > NAME_CHARS_MAX {
        return Err(Trouble::invalid(
            format!("`marked_by` zegt in 1 tot {NAME_CHARS_MAX} tekens wie de toestemming hoorde."),
            format!("`marked_by` says in 1 to {NAME_CHARS_MAX} characters who heard the consent."),
        ));
    }
    let consent = Consent {
        party: told.participant,
        word: told.consent,
        by: ConsentBy::Spoken {
            marked_by: Some(Pii::new(marked_by.to_owned())),
        },
    };
    let rooms = Arc::clone(&desk.app.rooms);
    desk.ask(move |archive, now| match rooms.hear(id, consent.clone()) {
        // No talk in a room, but a call.
        Err(RoomError::NotFound) => archive.consent(id, consent, now).map_err(RoomError::from),
        heard => heard,
    })
    .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
