//! Holds: placing one, ending one, and the list of those that stand.

use crate::api::holds::{Wanted, hold_id, page};
use crate::app::{Desk, Shared};
use crate::frame::html;
use crate::pages::{recording_id, who};
use crate::trouble::Trouble;
use crate::view::holds::{HoldForm, HoldPage, HoldView, HoldsPage, ReleasePage};
use crate::view::when::{When, day_start};
use crate::visitor::Visitor;
use axum::Extension;
use axum::extract::{Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use voicelog_archive::{ArchiveError, HoldAsked, HoldGround};
use voicelog_model::{HoldId, Kind, Pii, RecordingId};

/// Every hold that stands, the one to be looked at first at the top.
pub(crate) async fn list(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Trouble> {
    let lang = visitor.lang;
    let after = wanted.after()?;
    let ((holds, next), overdue, now) = desk
        .ask(move |archive, now| {
            let holds = page(archive, after)?;
            Ok::<_, ArchiveError>((holds, archive.overdue_holds(now)?, now))
        })
        .await?;
    let view = HoldsPage {
        p: visitor.page("recordings", lang.pick("Vernietigingsstops", "Holds")),
        overdue: overdue.count,
        next: next.map(|id| id.to_string()),
        holds: holds
            .into_iter()
            .map(|hold| HoldView::new(&hold.into(), now, lang))
            .collect(),
    };
    html(StatusCode::OK, &view)
}

async fn place_page(
    desk: &Desk,
    visitor: &Visitor,
    id: RecordingId,
    form: HoldForm,
) -> Result<Response, Trouble> {
    let lang = visitor.lang;
    let summary = desk.ask(move |archive, _now| archive.summary(id)).await?;
    let status = if form.is_wrong() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let path = format!("/recordings/{id}/hold");
    let view = HoldPage {
        p: visitor.page_at(&path, "recordings", lang.pick("Niet vernietigen", "Hold")),
        id: id.to_string(),
        started: When::new(summary.started_at, lang),
        grounds: form.grounds(lang),
        form,
    };
    html(status, &view)
}

pub(crate) async fn place_form(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    place_page(&desk, &visitor, recording_id(&id)?, HoldForm::default()).await
}

pub(crate) async fn place(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Form(mut form): Form<HoldForm>,
) -> Result<Response, Trouble> {
    let id = recording_id(&id)?;
    let by = Pii::new(who(&visitor)?.account.clone());
    let (ground, review) = (form.ground.parse::<HoldGround>(), day_start(&form.review));
    form.ground_missing = ground.is_err();
    form.owner_missing = form.owner.trim().is_empty();
    form.review_wrong = review.is_none();
    let (Ok(ground), Some(review_at), false) = (ground, review, form.is_wrong()) else {
        return place_page(&desk, &visitor, id, form).await;
    };
    let asked = HoldAsked {
        ground,
        owner: Pii::new(form.owner.clone()),
        review_at,
        note: Some(Pii::new(form.note.clone())),
        by,
    };
    // What is wrong with it besides, the archive says; what was filled in stays in the form.
    let placed = desk
        .ask_index(
            move |archive, now| match archive.place_hold(id, &asked, now) {
                Err(error) if error.kind() == Kind::Invalid => Ok(None),
                Err(error) => Ok(Some(Err(error))),
                Ok(hold) => Ok::<_, ArchiveError>(Some(Ok(hold))),
            },
        )
        .await?;
    match placed {
        Some(placed) => {
            let hold = placed.map_err(Trouble::from)?;
            tracing::info!(recording = %id, hold = %hold.id, "held");
            Ok(Redirect::to(&format!("/recordings/{id}#holds")).into_response())
        }
        None => {
            form.review_wrong = true;
            place_page(&desk, &visitor, id, form).await
        }
    }
}

async fn release_page(
    desk: &Desk,
    visitor: &Visitor,
    id: HoldId,
    is_missing: bool,
) -> Result<Response, Trouble> {
    let lang = visitor.lang;
    let (open, summary, now) = desk
        .ask(move |archive, now| {
            let hold = archive.hold(id)?;
            let all = archive.holds_opened(hold.recording)?;
            let open = all.into_iter().find(|open| open.hold.id == id);
            let open = open.ok_or(ArchiveError::NoHold(id))?;
            let summary = archive.summary(open.hold.recording)?;
            Ok::<_, ArchiveError>((open, summary, now))
        })
        .await?;
    let view = ReleasePage {
        p: visitor.page_at(
            &format!("/holds/{id}/release"),
            "recordings",
            lang.pick("Vernietigingsstop opheffen", "End a hold"),
        ),
        id: summary.id.to_string(),
        started: When::new(summary.started_at, lang),
        hold: HoldView::new(&open, now, lang),
        reason_missing: is_missing,
    };
    let status = if is_missing {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    html(status, &view)
}

pub(crate) async fn release_form(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    release_page(&desk, &visitor, hold_id(&id)?, false).await
}

/// Why it is not needed any more.
#[derive(serde::Deserialize)]
pub(crate) struct Reason {
    #[serde(default)]
    reason: String,
}

pub(crate) async fn release(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Form(form): Form<Reason>,
) -> Result<Response, Trouble> {
    let id = hold_id(&id)?;
    if form.reason.trim().is_empty() {
        return release_page(&desk, &visitor, id, true).await;
    }
    let by = Pii::new(who(&visitor)?.account.clone());
    let recording = desk
        .ask(move |archive, now| {
            archive.release(id, &Pii::new(form.reason), &by, now)?;
            archive.hold(id).map(|hold| hold.recording)
        })
        .await?;
    tracing::info!(%recording, hold = %id, "released");
    Ok(Redirect::to(&format!("/recordings/{recording}#holds")).into_response())
}
