//! The receipt of a recording, to be kept by whoever took part.

use crate::app::Shared;
use crate::frame::html;
use crate::pages::recording_id;
use crate::trouble::Trouble;
use crate::view::receipt::ReceiptPage;
use crate::visitor::Visitor;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use voicelog_casework::receipt::receipt;

pub(crate) async fn show(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let id = recording_id(&id)?;
    let receipt = desk.ask(move |archive, _now| receipt(archive, id)).await?;
    let title = visitor.lang.pick("Ontvangstbewijs", "Receipt");
    let page = ReceiptPage {
        p: visitor.page("recordings", title),
        id: id.to_string(),
        receipt,
    };
    html(StatusCode::OK, &page)
}
