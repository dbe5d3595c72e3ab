//! The pages: each handler asks casework or the archive, and fills a view.

pub(crate) mod accounts;
pub(crate) mod asking;
pub(crate) mod authority;
pub(crate) mod copy_links;
pub(crate) mod copying;
pub(crate) mod declaration;
pub(crate) mod document;
pub(crate) mod health;
pub(crate) mod holds;
pub(crate) mod importing;
pub(crate) mod interview;
pub(crate) mod invitation;
pub(crate) mod joining;
pub(crate) mod log;
pub(crate) mod login;
pub(crate) mod minutes;
pub(crate) mod player;
pub(crate) mod proposals;
pub(crate) mod receipt;
pub(crate) mod recording;
pub(crate) mod recordings;
pub(crate) mod requests;
pub(crate) mod requests_in_room;
pub(crate) mod retention;
pub(crate) mod rooms;
pub(crate) mod setup;

use crate::trouble::Trouble;
use crate::visitor::{SignedIn, Visitor};
use axum::http::StatusCode;
use voicelog_model::RecordingId;

/// The recording that a path names. Whatever is no id is not found.
pub(crate) fn recording_id(text: &str) -> Result<RecordingId, Trouble> {
    text.parse().map_err(|_no_id| Trouble::not_found())
}

/// Who is signed in. The guard let nobody else through; should it ever, this does not.
pub(crate) fn who(visitor: &Visitor) -> Result<&SignedIn, Trouble> {
    visitor
        .signed_in
        .as_ref()
        .ok_or(Trouble::new(StatusCode::UNAUTHORIZED))
}
