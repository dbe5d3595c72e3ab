//! A copy later, in any browser: the code that a guest got at the end of a talk, typed or as a link.
//!
//! Opening it gives nothing yet. The copy is asked of the law like any other, under the pseudonym of whose link it is, and is
//! an act in the log. Codes cannot be tried in numbers: each try counts as one of the code of a talk does.

use crate::app::{Desk, Shared};
use crate::frame::html;
use crate::pages::copying;
use crate::pages::login::{address_key, too_often};
use crate::trouble::Trouble;
use crate::view::copy_links::{CopyCodePage, CopyLinkPage, path};
use crate::view::recording::is_minutes;
use crate::view::rooms::GroundView;
use crate::view::when::{self, When};
use crate::visitor::Visitor;
use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use voicelog_archive::{ArchiveError, CopyLink};
use voicelog_casework::Asked;
use voicelog_casework::disclosure::{PartRequest, Recipient};
use voicelog_casework::receipt::receipt;
use voicelog_model::Pii;
use voicelog_room::{Fingerprint, typed_copy_code};

/// Characters of what somebody typed that are looked at.
const TYPED_MAX: usize = 40;

/// A code as it was typed.
#[derive(Deserialize)]
pub(crate) struct Typed {
    #[serde(default)]
    code: String,
}

fn code_page(visitor: &Visitor, status: StatusCode, code: String) -> Result<Response, Trouble> {
    let title = visitor.lang.pick("Uw kopie ophalen", "Get your copy");
    let page = CopyCodePage {
        p: visitor.page_at("/copy", "", title),
        code,
        is_wrong: !status.is_success(),
    };
    html(status, &page)
}

/// What a code leads to, with the code as it was given out; `None` where it leads nowhere (any more).
async fn look_up(
    desk: &Desk,
    visitor: &Visitor,
    code: &str,
) -> Result<Option<(String, CopyLink)>, Trouble> {
    let key = address_key(visitor.client);
    desk.tries_of_code
        .take(key, desk.now())
        .map_err(too_often)?;
    let Some(code) = typed_copy_code(code) else {
        return Ok(None);
    };
    let secret = code.clone();
    let link = desk
        .ask(move |archive, now| archive.copy_link(&secret, now))
        .await?;
    if link.is_some() {
        desk.tries_of_code.give_back(&key);
    }
    Ok(link.map(|link| (code, link)))
}

pub(crate) async fn form(Extension(visitor): Extension<Visitor>) -> Result<Response, Trouble> {
    code_page(&visitor, StatusCode::OK, String::new())
}

pub(crate) async fn code(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Form(typed): Form<Typed>,
) -> Result<Response, Trouble> {
    let code: String = typed.code.chars().take(TYPED_MAX).collect();
    match look_up(&desk, &visitor, &code).await? {
        Some((code, _link)) => Ok(Redirect::to(&path(&code)).into_response()),
        None => code_page(&visitor, StatusCode::UNPROCESSABLE_ENTITY, code),
    }
}

pub(crate) async fn show(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(code): Path<String>,
) -> Result<Response, Trouble> {
    match look_up(&desk, &visitor, &code).await? {
        Some((code, link)) => page(&desk, &visitor, &code, &link, Vec::new()).await,
        None => code_page(&visitor, StatusCode::NOT_FOUND, String::new()),
    }
}

async fn page(
    desk: &Desk,
    visitor: &Visitor,
    code: &str,
    link: &CopyLink,
    refused: Vec<GroundView>,
) -> Result<Response, Trouble> {
    let (lang, id) = (visitor.lang, link.recording);
    let (detail, digest, receipt) = desk
        .ask(move |archive, _now| {
            let detail = archive.detail(id)?;
            Ok::<_, ArchiveError>((detail, archive.fingerprint(id)?, receipt(archive, id)?))
        })
        .await?;
    let print = digest.and_then(Fingerprint::of);
    let name = &detail.summary.line;
    let line = desk.app.archive.lines().room(name);
    let title = line.map(|line| line.title.clone());
    let status = match refused.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::FORBIDDEN,
    };
    let whole = detail.timeline.as_ref().map_or(0, |one| one.length_us());
    let until = link.to_us.unwrap_or(whole);
    let length = until.saturating_sub(link.from_us.unwrap_or(0));
    let view = CopyLinkPage {
        p: visitor.page_at(&path(code), "", lang.pick("Uw kopie", "Your copy")),
        path: path(code),
        title: title
            .filter(|title| !title.is_empty())
            .unwrap_or(name.clone()),
        is_minutes: is_minutes(&detail),
        length: when::length(length),
        started: When::new(detail.summary.started_at, lang),
        until: When::new(link.expires_at, lang),
        words: print.as_ref().map(|print| print.words.clone()),
        digest: print.map(|print| print.digest),
        receipt,
        refused,
    };
    html(status, &view)
}

/// The copy. Asking for it counts, whatever the law says.
pub(crate) async fn fetch(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(code): Path<String>,
) -> Result<Response, Trouble> {
    let Some((code, link)) = look_up(&desk, &visitor, &code).await? else {
        return code_page(&visitor, StatusCode::NOT_FOUND, String::new());
    };
    let part = (link.from_us.is_some() || link.to_us.is_some()).then(|| PartRequest {
        start_us: link.from_us,
        end_us: link.to_us,
        redactions: Vec::new(),
    });
    let place = copying::place(&desk)?;
    let secret = code.clone();
    let (recipient, asker) = (Recipient::DataSubject, Pii::new(link.party.clone()));
    let used = desk
        .ask(move |archive, now| archive.use_copy_link(&secret, now))
        .await?;
    if used.is_none() {
        // Somebody used it up since it was looked at.
        return code_page(&visitor, StatusCode::NOT_FOUND, String::new());
    }
    let asked = copying::ask_in(place, &desk, link.recording, recipient, asker, part);
    let (copied, send) = asked.await?;
    match copied? {
        Asked::Given(copy) => Ok(send(copy)),
        Asked::Refused { decision, .. } => {
            let refused = GroundView::of(&decision, visitor.lang);
            page(&desk, &visitor, &code, &link, refused).await
        }
    }
}
