//! One recording.

use crate::app::Shared;
use crate::frame::html;
use crate::pages::recording_id;
use crate::trouble::Trouble;
use crate::view::alarms::AlarmView;
use crate::view::holds::HoldView;
use crate::view::proposals::ProposalView;
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
    let (detail, accesses, checkpoint, conversation, in_vain, holds) = desk
        .ask(move |archive, now| {
            let accesses = archive.accesses(id)?;
            let conversation = archive.conversation(id)?;
            let checkpoint = archive.checkpoint()?;
            let mut in_vain = archive.called_in_vain().into_iter();
            let in_vain = in_vain.find(|call| call.recording == id);
            let detail = archive.detail(id)?;
            let holds = (
                archive.holds_opened(id)?,
                archive.proposals_opened(id)?,
                now,
            );
            Ok::<_, ArchiveError>((detail, accesses, checkpoint, conversation, in_vain, holds))
        })
        .await?;
    let p = visitor.page("recordings", title(&detail.summary, visitor.lang));
    let lang = visitor.lang;
    let mut view = RecordingPage::new(p, &detail, &accesses, checkpoint, &conversation);
    view.add_called(in_vain.as_ref());
    let (holds, proposals, now) = holds;
    let standing = proposals
        .iter()
        .filter(|open| ProposalView::stands(open, now));
    view.proposals = standing
        .map(|open| ProposalView::new(open, now, lang))
        .collect();
    view.holds = holds
        .iter()
        .map(|open| HoldView::new(open, now, lang))
        .collect();
    let standing = desk.app.status.alarms();
    let of_it = standing.iter().filter(|alarm| alarm.recording == Some(id));
    view.alarms = of_it.map(|alarm| AlarmView::new(alarm, lang)).collect();
    html(StatusCode::OK, &view)
}
