//! The authority that signs for these pages, where it is our own: how a device comes to believe it.

use crate::app::{OwnAuthority, Shared};
use crate::frame::html;
use crate::trouble::Trouble;
use crate::view::authority::AuthorityPage;
use crate::visitor::Visitor;
use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Where the certificate is fetched.
const FILE: &str = "/authority/voicelog.crt";

fn own(desk: &Shared) -> Result<&OwnAuthority, Trouble> {
    let own = desk.app.config.authority.as_ref();
    own.ok_or_else(Trouble::not_found)
}

pub(crate) async fn show(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Response, Trouble> {
    own(&desk)?;
    let title = visitor.lang.pick(
        "Dit apparaat de server laten vertrouwen",
        "Let this device trust the server",
    );
    let page = AuthorityPage {
        p: visitor.page_at("/authority", "", title),
        file: FILE,
    };
    html(StatusCode::OK, &page)
}

/// The certificate itself. It is public: it holds no secret, and is worth nothing but for these pages.
pub(crate) async fn certificate(State(desk): State<Shared>) -> Result<Response, Trouble> {
    let own = own(&desk)?;
    let headers = [
        (header::CONTENT_TYPE, "application/x-x509-ca-cert"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"voicelog.crt\"",
        ),
    ];
    Ok((headers, own.certificate.clone()).into_response())
}
