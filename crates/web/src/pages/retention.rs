//! What the next look at the terms would find, before anything happens; and what is about to end.

use crate::app::Shared;
use crate::frame::html;
use crate::trouble::Trouble;
use crate::view::proposals::ProposalView;
use crate::view::retention::RetentionPage;
use crate::view::when::day_end;
use crate::visitor::Visitor;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use voicelog_archive::ArchiveError;
use voicelog_casework::retention;

/// Until when; now if left out or no day.
#[derive(Deserialize)]
pub(crate) struct Wishes {
    #[serde(default)]
    until: String,
}

pub(crate) async fn show(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Query(wishes): Query<Wishes>,
) -> Result<Response, Trouble> {
    let until = day_end(&wishes.until);
    let (found, proposals, now) = desk
        .ask(move |archive, now| {
            let found = retention::preview(archive, until.unwrap_or(now), now)?;
            Ok::<_, ArchiveError>((found, archive.proposals_standing(now)?, now))
        })
        .await?;
    let title = visitor.lang.pick("Bewaartermijnen", "Retention");
    let day = until.map(|_day| wishes.until).unwrap_or_default();
    let mut view = RetentionPage::new(visitor.page("recordings", title), &found, day);
    let named = |one| ProposalView::closed(one, now, visitor.lang);
    view.proposals = proposals.iter().map(named).collect();
    html(StatusCode::OK, &view)
}
