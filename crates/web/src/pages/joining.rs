//! Coming into a talk by its code: typed, or from the QR that the host shows.
//!
//! Codes cannot be tried in numbers: each try counts, and only one that was right is given back.

use crate::app::{Desk, Shared};
use crate::assets;
use crate::cookie::{self, Keep};
use crate::frame::{Island, html};
use crate::pages::login::{address_key, too_often};
use crate::pages::rooms::terms;
use crate::secret::Token;
use crate::trouble::Trouble;
use crate::view::rooms::{InvitedInPage, JoinPage, path};
use crate::visitor::Visitor;
use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use std::sync::Arc;
use voicelog_room::{Invitation, RoomError};

/// How long a guest's cookie stays: longer than a talk can last, and the hour after it.
const SEAT_SECONDS: u32 = 14 * 3_600;

/// A code as it was typed.
#[derive(Deserialize)]
pub(crate) struct Typed {
    #[serde(default)]
    code: String,
}

/// Who comes in.
#[derive(Deserialize)]
pub(crate) struct Guest {
    #[serde(default)]
    name: String,
}

fn code_page(visitor: &Visitor, status: StatusCode, code: String) -> Result<Response, Trouble> {
    let title = visitor.lang.pick("Naar een gesprek", "To a talk");
    let page = JoinPage {
        p: visitor.page_at("/join", "", title),
        code,
        is_wrong: !status.is_success(),
    };
    html(status, &page)
}

/// What a code leads to; `None` where it leads nowhere.
fn look_up(desk: &Desk, visitor: &Visitor, code: &str) -> Result<Option<Invitation>, Trouble> {
    let key = address_key(visitor.client);
    desk.tries_of_code
        .take(key, desk.now())
        .map_err(too_often)?;
    match desk.app.rooms.invitation(code) {
        Ok(invitation) => {
            desk.tries_of_code.give_back(&key);
            Ok(Some(invitation))
        }
        Err(RoomError::NoSuchCode) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn form(Extension(visitor): Extension<Visitor>) -> Result<Response, Trouble> {
    code_page(&visitor, StatusCode::OK, String::new())
}

pub(crate) async fn code(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Form(typed): Form<Typed>,
) -> Result<Response, Trouble> {
    let code: String = typed.code.chars().take(20).collect();
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    match look_up(&desk, &visitor, &plain)? {
        Some(_) => Ok(Redirect::to(&format!("/join/{plain}")).into_response()),
        None => code_page(&visitor, StatusCode::UNPROCESSABLE_ENTITY, code),
    }
}

pub(crate) async fn invitation(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(code): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let Some(invitation) = look_up(&desk, &visitor, &code)? else {
        return code_page(&visitor, StatusCode::NOT_FOUND, String::new());
    };
    if is_in(&desk, &visitor, &headers, &invitation) {
        return Ok(Redirect::to(&path(invitation.id)).into_response());
    }
    let lang = visitor.lang;
    let host = invitation.host.map(|host| host.expose().clone());
    let title = invitation.title.as_str();
    let page = InvitedInPage {
        p: visitor.page(
            "",
            lang.pick(
                "U bent uitgenodigd voor een gesprek",
                "You are invited to a talk",
            ),
        ),
        terms: terms(&desk, lang, Some(&invitation.kind), title, host),
        code,
        script: assets::room_script_path(),
    };
    let mut response = html(StatusCode::OK, &page)?;
    response.extensions_mut().insert(Island::Reader);
    Ok(response)
}

/// Whether they have a seat in it already.
fn is_in(desk: &Desk, visitor: &Visitor, headers: &HeaderMap, to: &Invitation) -> bool {
    let rooms = &desk.app.rooms;
    let host = visitor.signed_in.as_ref();
    let is_host = host.is_some_and(|host| rooms.host_seat(to.id, &host.account).is_some());
    let token = cookie::read(headers, desk.cookies.room).and_then(Token::parse);
    is_host || token.is_some_and(|token| rooms.guest_seat(to.id, &token.hash()).is_some())
}

pub(crate) async fn enter(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(code): Path<String>,
    headers: HeaderMap,
    Form(guest): Form<Guest>,
) -> Result<Response, Trouble> {
    let Some(invitation) = look_up(&desk, &visitor, &code)? else {
        return code_page(&visitor, StatusCode::NOT_FOUND, String::new());
    };
    let there = path(invitation.id);
    if is_in(&desk, &visitor, &headers, &invitation) {
        return Ok(Redirect::to(&there).into_response());
    }
    let token = Token::new(Desk::random()?);
    let (rooms, hash) = (Arc::clone(&desk.app.rooms), token.hash());
    desk.ask(move |_archive, _now| rooms.join(&code, Some(&guest.name), hash))
        .await?;
    let mut response = Redirect::to(&there).into_response();
    let keep = Keep::Seconds(SEAT_SECONDS);
    let seat = cookie::set(desk.cookies.room, &token.text(), desk.cookies.secure, keep);
    if let Some(seat) = seat {
        response.headers_mut().append(header::SET_COOKIE, seat);
    }
    Ok(response)
}
