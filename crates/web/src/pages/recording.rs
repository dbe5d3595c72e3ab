//! One recording.

use crate::app::Shared;
use crate::frame::html;
use crate::pages::recording_id;
use crate::trouble::Trouble;
use crate::view::recording::{RecordingPage, title};
use crate::visitor::Visitor;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use voicelog_archive::ArchiveError;

pub(crate) async fn show(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let id = recording_id(&id)?;
    let (detail, accesses, checkpoint) = desk
        .ask(move |archive, _now| {
            let accesses = archive.accesses(id)?;
            Ok::<_, ArchiveError>((archive.detail(id)?, accesses, archive.checkpoint()?))
        })
        .await?;
    let p = visitor.page("recordings", title(&detail.summary, visitor.lang));
    html(
        StatusCode::OK,
        &RecordingPage::new(p, &detail, &accesses, checkpoint),
    )
}
