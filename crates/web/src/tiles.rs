//! The log for everybody: checkpoint, tiles and entries as static files (C2SP tlog-tiles v0.1.0). None
//! of it holds personal data, so nobody signs in for it.

use crate::app::Shared;
use crate::trouble::Trouble;
use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use voicelog_archive::Tile;

/// What was once a tile of a log stays that for ever.
const FOR_EVER: (HeaderName, &str) = (header::CACHE_CONTROL, "public, max-age=31536000, immutable");
/// The log grows.
const NOT_AT_ALL: (HeaderName, &str) = (header::CACHE_CONTROL, "no-cache");

pub(crate) async fn checkpoint(State(desk): State<Shared>) -> Result<Response, Trouble> {
    let checkpoint = desk
        .ask(|archive, _now| archive.published_checkpoint())
        .await?
        .ok_or_else(Trouble::not_found)?;
    let kind = (header::CONTENT_TYPE, "text/plain; charset=utf-8");
    Ok((StatusCode::OK, [NOT_AT_ALL, kind], checkpoint).into_response())
}

pub(crate) async fn tile(
    State(desk): State<Shared>,
    Path(path): Path<String>,
) -> Result<Response, Trouble> {
    // Names are spelled in one way, so that a cache never holds the same twice.
    let tile = Tile::parse(&format!("tile/{path}")).map_err(|_name| Trouble::not_found())?;
    let bytes = desk
        .ask(move |archive, _now| archive.tile(&tile))
        .await?
        .ok_or_else(Trouble::not_found)?;
    let kind = (header::CONTENT_TYPE, "application/octet-stream");
    Ok((StatusCode::OK, [FOR_EVER, kind], bytes).into_response())
}
