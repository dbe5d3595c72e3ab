//! Holds for programs: place, release, list. No personal data in an answer.

use crate::app::Shared;
use crate::pages::recording_id;
use crate::trouble::Trouble;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use voicelog_archive::{Archive, ArchiveError, Hold, HoldAsked, HoldCursor, HoldGround};
use voicelog_model::{HoldId, Pii, Timestamp};

/// Holds in one answer, at most; the next begins after the last.
const ROWS_MAX: usize = 1_000;

/// Where a list goes on.
#[derive(Default, Deserialize)]
pub(crate) struct Wanted {
    after: Option<String>,
}

/// A page of the holds that stand, the one to be looked at first at the top; and after which the next page
/// goes on, if there is one.
pub(crate) fn page(
    archive: &Archive,
    after: Option<HoldId>,
) -> Result<(Vec<Hold>, Option<HoldId>), ArchiveError> {
    let after = after.map(|id| archive.hold(id)).transpose()?;
    let cursor = after.map(|hold| HoldCursor {
        review_at: hold.review_at,
        id: hold.id,
    });
    let mut holds = archive.open_holds(cursor, ROWS_MAX + 1)?;
    let has_more = holds.len() > ROWS_MAX;
    holds.truncate(ROWS_MAX);
    let next = holds.last().filter(|_last| has_more).map(|last| last.id);
    Ok((holds, next))
}

impl Wanted {
    pub(crate) fn after(&self) -> Result<Option<HoldId>, Trouble> {
        self.after.as_deref().map(hold_id).transpose()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    ground: String,
    owner: String,
    review_at: Timestamp,
    #[serde(default)]
    note: Option<String>,
    asked_by: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ending {
    reason: String,
    asked_by: String,
}

/// The hold that a path names. Whatever is no id is not found.
pub(crate) fn hold_id(text: &str) -> Result<HoldId, Trouble> {
    text.parse().map_err(|_no_id| Trouble::not_found())
}

fn shown(hold: &Hold, now: Timestamp) -> Value {
    json!({
        "hold": hold.id,
        "recording": hold.recording,
        "ground": hold.ground.as_str(),
        "placedAt": hold.placed_at,
        "reviewAt": hold.review_at,
        "isOverdue": hold.is_overdue(now),
        "liftedAt": hold.lifted_at,
    })
}

pub(crate) async fn place(
    State(desk): State<Shared>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Trouble> {
    let id = recording_id(&id)?;
    let Ok(asked) = serde_json::from_slice::<Asked>(&body) else {
        return Err(Trouble::invalid(
            "Stuur een JSON-object met `ground`, `owner`, `review_at` (RFC 3339), `asked_by` en eventueel `note`.",
            "Send a JSON object with `ground`, `owner`, `review_at` (RFC 3339), `asked_by` and, if you like, `note`.",
        ));
    };
    let Ok(ground) = asked.ground.parse::<HoldGround>() else {
        let known = HoldGround::ALL.map(HoldGround::as_str);
        return Err(super::calls::unknown_name(&asked.ground, &known));
    };
    let by = super::keeping::somebody(&asked.asked_by, "asked_by")?;
    let (hold, now) = desk
        .ask(move |archive, now| {
            let asked = HoldAsked {
                ground,
                owner: Pii::new(asked.owner),
                review_at: asked.review_at,
                note: asked.note.map(Pii::new),
                by,
            };
            Ok::<_, ArchiveError>((archive.place_hold(id, &asked, now)?, now))
        })
        .await?;
    Ok((StatusCode::CREATED, Json(shown(&hold, now))).into_response())
}

pub(crate) async fn release(
    State(desk): State<Shared>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Trouble> {
    let id = hold_id(&id)?;
    let Ok(ending) = serde_json::from_slice::<Ending>(&body) else {
        return Err(Trouble::invalid(
            "Stuur een JSON-object met `reason` en `asked_by` (wie het vraagt).",
            "Send a JSON object with `reason` and `asked_by` (who asks).",
        ));
    };
    let by = super::keeping::somebody(&ending.asked_by, "asked_by")?;
    let (hold, is_lifted, now) = desk
        .ask(move |archive, now| {
            let is_lifted = archive.release(id, &Pii::new(ending.reason), &by, now)?;
            Ok::<_, ArchiveError>((archive.hold(id)?, is_lifted, now))
        })
        .await?;
    if !is_lifted {
        return Err(Trouble::new(StatusCode::CONFLICT).saying(
            "Deze vernietigingsstop was al opgeheven.",
            "This hold was lifted before.",
        ));
    }
    Ok(Json(shown(&hold, now)).into_response())
}

/// Those that stand, the one to be looked at first at the top.
pub(crate) async fn list(
    State(desk): State<Shared>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Trouble> {
    let after = wanted.after()?;
    let ((holds, next), overdue, now) = desk
        .ask(move |archive, now| {
            let holds = page(archive, after)?;
            Ok::<_, ArchiveError>((holds, archive.overdue_holds(now)?, now))
        })
        .await?;
    let items: Vec<Value> = holds.iter().map(|hold| shown(hold, now)).collect();
    Ok(Json(json!({ "items": items, "next": next, "overdue": overdue.count })).into_response())
}
