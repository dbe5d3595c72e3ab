//! Minutes of a talk, on everybody's own device: writing, remarking, signing, and the copy. All of it are forms.

use crate::app::{Desk, Shared};
use crate::frame::html;
use crate::pages::copying;
use crate::trouble::Trouble;
use crate::view::copy_links::LaterView;
use crate::view::minutes::MinutesPage;
use crate::view::rooms::{GroundView, path};
use crate::visitor::Visitor;
use axum::Extension;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use std::sync::Arc;
use voicelog_casework::Asked;
use voicelog_casework::disclosure::Recipient;
use voicelog_casework::receipt::receipt;
use voicelog_model::Pii;
use voicelog_room::Seat;

/// What somebody does with the minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Doing {
    Write,
    Remark,
    Sign,
    Close,
}

#[derive(Deserialize)]
pub(crate) struct Done {
    #[serde(rename = "do")]
    doing: Doing,
    /// The version that they saw.
    #[serde(default)]
    version: u32,
    #[serde(default)]
    text: String,
}

pub(crate) async fn show(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Extension(seat): Extension<Seat>,
) -> Result<Response, Trouble> {
    let view = page(&desk, &visitor, &seat).await?;
    html(StatusCode::OK, &view)
}

async fn page(desk: &Desk, visitor: &Visitor, seat: &Seat) -> Result<MinutesPage, Trouble> {
    let talk = desk.app.rooms.state(seat)?;
    let minutes = desk.app.rooms.minutes(seat)?;
    let title = visitor
        .lang
        .pick("Verslag van dit gesprek", "Minutes of this talk");
    let at = format!("{}/minutes", path(talk.id));
    let frame = visitor.page_at(&at, "rooms", title);
    let mut view = MinutesPage::new(frame, &talk, seat, minutes.as_ref());
    if let Some(kept) = minutes.and_then(|minutes| minutes.kept) {
        view.receipt = desk
            .ask(move |archive, _now| receipt(archive, kept.id))
            .await?;
        let link = desk.app.rooms.own_link_to_minutes(seat)?;
        view.later =
            link.map(|link| LaterView::new(&link, &desk.app.config.public_url, visitor.lang));
    }
    Ok(view)
}

pub(crate) async fn act(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Extension(seat): Extension<Seat>,
    Form(done): Form<Done>,
) -> Result<Response, Trouble> {
    let (rooms, by, lang) = (Arc::clone(&desk.app.rooms), seat.clone(), visitor.lang);
    let (doing, text) = (done.doing, done.text.clone());
    let did = desk
        .ask(move |_archive, _now| match doing {
            Doing::Write => rooms.write_minutes(&by, done.version, &done.text, lang),
            Doing::Remark => rooms.remark_on_minutes(&by, done.version, &done.text),
            Doing::Sign => rooms.sign_minutes(&by, done.version),
            Doing::Close => rooms.close_minutes(&by, done.version),
        })
        .await;
    let Err(trouble) = did else {
        return Ok(Redirect::to(&format!("{}/minutes", path(seat.talk))).into_response());
    };
    // Nothing that was typed is lost; what happened to the minutes is said.
    let mut view = page(&desk, &visitor, &seat).await?;
    view.problem = Some(match trouble.status.is_server_error() {
        true => lang
            .pick(
                "Het verslag is niet bewaard: er ging iets mis op de server. De handtekeningen blijven staan. Probeer het opnieuw.",
                "The minutes are not kept: something went wrong on the server. The signatures stay. Try again.",
            )
            .to_owned(),
        false => trouble.detail(lang).to_owned(),
    });
    if doing == Doing::Write {
        view.typed = text;
    }
    html(trouble.status, &view)
}

/// The copy, for whoever took part: the same for all. The law is asked, and it is logged.
pub(crate) async fn copy(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Extension(seat): Extension<Seat>,
) -> Result<Response, Trouble> {
    let kept = desk
        .app
        .rooms
        .minutes(&seat)?
        .and_then(|minutes| minutes.kept);
    let Some(kept) = kept else {
        return Err(Trouble::not_found());
    };
    let asker = match visitor.signed_in.as_ref().filter(|_| seat.is_host) {
        Some(signed_in) => signed_in.account.clone(),
        None => seat.party.clone(),
    };
    let recipient = Recipient::DataSubject;
    let (copied, send) = copying::ask_for(&desk, kept.id, recipient, Pii::new(asker), None).await?;
    match copied? {
        Asked::Given(copy) => Ok(send(copy)),
        Asked::Refused { decision, .. } => {
            let mut view = page(&desk, &visitor, &seat).await?;
            view.refused = GroundView::of(&decision, visitor.lang);
            html(StatusCode::FORBIDDEN, &view)
        }
    }
}
