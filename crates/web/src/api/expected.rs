//! The telephone system's list of calls, held against what was recorded. The list is not kept.

use super::law::unfit;
use crate::app::Shared;
use crate::trouble::Trouble;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use voicelog_archive::ArchiveError;
use voicelog_casework::expected::{Table, compare};
use voicelog_model::Language;

/// Most bytes of a list over HTTP; the command line takes longer ones.
pub(crate) const BYTES_MAX: usize = 16 << 20;
/// Most seconds that two clocks may differ, and how many they do unless it is said.
const SLACK_MAX: i64 = 600;
const SLACK: i64 = 30;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wishes {
    slack: Option<i64>,
    /// Whether other systems are told; they are unless it is said.
    webhooks: Option<bool>,
}

/// Holds the list in the body (CSV) against the archive.
pub(crate) async fn hold_against(
    State(desk): State<Shared>,
    Extension(lang): Extension<Language>,
    Query(wishes): Query<Wishes>,
    body: Bytes,
) -> Result<Response, Trouble> {
    let slack = wishes.slack.unwrap_or(SLACK);
    if !(0..=SLACK_MAX).contains(&slack) {
        return Err(unfit(
            format!("`slack` is een aantal seconden van 0 tot en met {SLACK_MAX}."),
            format!("`slack` is a number of seconds from 0 to {SLACK_MAX}."),
        ));
    }
    let table = Table::read(&*body).map_err(|error| {
        unfit(
            error.in_language(Language::Nl),
            error.in_language(Language::En),
        )
    })?;
    let to_others = wishes.webhooks.unwrap_or(true);
    let report = desk
        .ask(move |archive, now| {
            let report = compare(archive, table, slack * 1_000_000, now)?;
            report.note(archive, now, to_others)?;
            Ok::<_, ArchiveError>(report)
        })
        .await?;
    Ok(Json(report.to_json(lang)).into_response())
}
