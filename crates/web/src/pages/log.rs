//! The transparency log.

use crate::app::Shared;
use crate::frame::html;
use crate::trouble::Trouble;
use crate::view::log::{LeafView, LogPage};
use crate::view::when::When;
use crate::view::words;
use crate::visitor::Visitor;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use voicelog_archive::{ArchiveError, LeafRow};
use voicelog_model::{Language, Timestamp};

/// Entries shown.
const LEAVES_MAX: u16 = 50;

/// The parts of a leaf that the page shows. Its whole format is `evidence`'s.
#[derive(Deserialize)]
struct Shown {
    #[serde(rename = "type")]
    kind: String,
    at: Timestamp,
    object: String,
}

fn leaf_view(row: &LeafRow, lang: Language) -> Option<LeafView> {
    let shown: Shown = serde_json::from_slice(&row.bytes).ok()?;
    let is_recording = matches!(
        shown.kind.as_str(),
        "recorded" | "not_recorded" | "listened" | "exported" | "destroyed"
    );
    Some(LeafView {
        // Counted from one, as people do; the format counts from zero.
        index: row.index + 1,
        at: When::new(shown.at, lang),
        what: words::leaf(&shown.kind, lang),
        object: shown.object,
        is_recording,
    })
}

pub(crate) async fn show(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Response, Trouble> {
    let (size, checkpoint, leaves, key) = desk
        .ask(|archive, _now| {
            let size = archive.log_size()?;
            let from = size.saturating_sub(u64::from(LEAVES_MAX));
            let leaves = archive.leaves(from, usize::from(LEAVES_MAX))?;
            Ok::<_, ArchiveError>((size, archive.checkpoint()?, leaves, archive.verifier_key()))
        })
        .await?;
    let lang = visitor.lang;
    let view = LogPage {
        p: visitor.page("log", lang.pick("Logboek", "Log")),
        size,
        key,
        checkpoint,
        leaves: leaves
            .iter()
            .rev()
            .filter_map(|leaf| leaf_view(leaf, lang))
            .collect(),
    };
    html(StatusCode::OK, &view)
}
