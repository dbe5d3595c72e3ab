//! That the server's clock is right after it jumped: said by somebody who looked at another one.

use crate::app::{Desk, Shared};
use crate::trouble::Trouble;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use voicelog_archive::ArchiveError;
use voicelog_model::Timestamp;

/// How far the moment that is said may be from the server's: who reads a page and then a clock needs some minutes.
const NEAR_MICROS: i64 = 900 * 1_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    at: Timestamp,
}

/// What came of it.
pub(crate) enum Confirmed {
    /// From this moment of the server's clock on it is believed.
    At(Timestamp),
    /// It was believed before: nothing was done.
    NotNeeded,
    /// The server's clock says something else.
    Differs(Timestamp),
}

/// Confirms the clock, if what is said of the time agrees with it.
pub(crate) async fn confirm_as(desk: &Desk, said: Timestamp) -> Result<Confirmed, Trouble> {
    desk.ask(move |archive, now| {
        match archive.must_believe_clock(now) {
            Ok(()) => return Ok(Confirmed::NotNeeded),
            Err(ArchiveError::ClockJumped { .. }) => {}
            Err(error) => return Err(error),
        }
        if now.micros_since(said).saturating_abs() > NEAR_MICROS {
            return Ok(Confirmed::Differs(now));
        }
        archive.confirm_clock(now)?;
        tracing::warn!("somebody confirmed that the clock is right");
        Ok(Confirmed::At(now))
    })
    .await
}

pub(crate) async fn confirm(State(desk): State<Shared>, body: Bytes) -> Result<Response, Trouble> {
    let Ok(said) = serde_json::from_slice::<Said>(&body) else {
        return Err(Trouble::invalid(
            "Stuur een JSON-object met `at`: hoe laat het nu is volgens een andere klok (RFC 3339).",
            "Send a JSON object with `at`: what the time is by another clock (RFC 3339).",
        ));
    };
    let conflict = Trouble::new(StatusCode::CONFLICT);
    match confirm_as(&desk, said.at).await? {
        Confirmed::At(at) => Ok(Json(json!({ "confirmedAt": at })).into_response()),
        Confirmed::NotNeeded => Err(conflict.saying(
            "De klok is niet versprongen: er is niets te bevestigen.",
            "The clock did not jump: there is nothing to confirm.",
        )),
        Confirmed::Differs(now) => Err(conflict.saying(
            format!("De klok van de server zegt {now}. Zet eerst de klok goed."),
            format!("The server's clock says {now}. Set the clock right first."),
        )),
    }
}
