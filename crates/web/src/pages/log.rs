//! The transparency log.

use crate::app::Shared;
use crate::frame::html;
use crate::trouble::Trouble;
use crate::view::log::{LeafView, LogPage};
use crate::view::when::When;
use crate::view::words;
use crate::visitor::Visitor;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use voicelog_archive::timeline::Verdict;
use voicelog_archive::{Archive, ArchiveError, LeafRow};
use voicelog_model::{Language, Timestamp};

/// Entries on a page.
const LEAVES_MAX: u16 = 50;

/// Which page.
#[derive(Deserialize)]
pub(crate) struct Wishes {
    /// Only entries at places before this one, counted from one; the newest if left out.
    before: Option<u64>,
}

/// The parts of a leaf that the page shows. Its whole format is `evidence`'s.
#[derive(Deserialize)]
struct Shown {
    #[serde(rename = "type")]
    kind: String,
    at: Timestamp,
    object: String,
}

/// What became of a recording, where an entry that says "refused" is about the end of one.
fn verdict_of(archive: &Archive, row: &LeafRow) -> Option<Verdict> {
    let shown: Shown = serde_json::from_slice(&row.bytes).ok()?;
    if shown.kind != "refused" {
        return None;
    }
    // Most are about a decision; of a recording that is gone nothing more is known.
    let id = shown.object.parse().ok()?;
    archive.summary(id).ok()?.verdict
}

fn leaf_view(row: &LeafRow, verdict: Option<Verdict>, lang: Language) -> Option<LeafView> {
    let shown: Shown = serde_json::from_slice(&row.bytes).ok()?;
    // The log has one word for every end of a call without a recording; the law's is the harder one.
    let kind = match verdict {
        Some(other @ (Verdict::NotDrawn | Verdict::NotRequested)) => other.as_str(),
        _ => &shown.kind,
    };
    let is_recording = matches!(
        shown.kind.as_str(),
        "recorded"
            | "not_recorded"
            | "listened"
            | "exported"
            | "destroyed"
            | "sound_destroyed"
            | "paused"
            | "transcribed"
            | "shared"
            | "held"
            | "released"
            | "proposed"
            | "confirmed"
            | "declined"
    );
    Some(LeafView {
        // Counted from one, as people do; the format counts from zero.
        index: row.index + 1,
        at: When::new(shown.at, lang),
        what: words::leaf(kind, lang),
        object: shown.object,
        is_recording,
    })
}

pub(crate) async fn show(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Query(wishes): Query<Wishes>,
) -> Result<Response, Trouble> {
    let (size, until, checkpoint, leaves, key) = desk
        .ask(move |archive, _now| {
            let size = archive.log_size()?;
            let until = wishes
                .before
                .map_or(size, |before| before.saturating_sub(1).min(size));
            let count = until.min(u64::from(LEAVES_MAX));
            let leaves = archive.leaves(until - count, usize::try_from(count).unwrap_or(0))?;
            let leaves: Vec<_> = leaves
                .into_iter()
                .map(|leaf| (verdict_of(archive, &leaf), leaf))
                .collect();
            let key = archive.verifier_key();
            Ok::<_, ArchiveError>((size, until, archive.checkpoint()?, leaves, key))
        })
        .await?;
    let lang = visitor.lang;
    let view = LogPage {
        p: visitor.page("log", lang.pick("Logboek", "Log")),
        size,
        key,
        checkpoint,
        is_newest: until == size,
        older: leaves
            .first()
            .filter(|(_, leaf)| leaf.index > 0)
            .map(|(_, leaf)| leaf.index + 1),
        leaves: leaves
            .iter()
            .rev()
            .filter_map(|(verdict, leaf)| leaf_view(leaf, *verdict, lang))
            .collect(),
    };
    html(StatusCode::OK, &view)
}
