//! The one-time link of an invitation: it makes the account that somebody was invited to, and signs it in.

use crate::accounts;
use crate::app::{Desk, Shared};
use crate::frame::html;
use crate::pages::login::{address_key, too_often};
use crate::pages::setup::gone;
use crate::password::{self, Weakness};
use crate::secret::Token;
use crate::trouble::Trouble;
use crate::view::setup::{InvitationPage, NewPassword};
use crate::visitor::Visitor;
use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use voicelog_archive::Invitation;

/// The form as sent.
#[derive(Deserialize)]
pub(crate) struct Choice {
    #[serde(default)]
    password: String,
    #[serde(default)]
    again: String,
}

fn page(
    visitor: &Visitor,
    token: &Token,
    invitation: Invitation,
    weakness: Option<Weakness>,
) -> Result<Response, Trouble> {
    let lang = visitor.lang;
    let path = format!("/invitation/{}", token.text());
    let status = match weakness {
        None => StatusCode::OK,
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let view = InvitationPage {
        p: visitor.page_at(
            &path,
            "",
            lang.pick("Welkom bij voicelog", "Welcome to voicelog"),
        ),
        path,
        name: invitation.name,
        by: invitation.invited_by,
        new: NewPassword { lang, weakness },
    };
    html(status, &view)
}

/// The token of a link that can still be used, with its invitation. Looking is slowed down like guessing.
async fn open_link(
    desk: &Desk,
    visitor: &Visitor,
    text: &str,
) -> Result<Option<(Token, Invitation)>, Trouble> {
    desk.tries_of_address
        .take(address_key(visitor.client), desk.now())
        .map_err(too_often)?;
    let Some(token) = Token::parse(text) else {
        return Ok(None);
    };
    let hash = token.hash();
    let found = desk
        .ask_index(move |archive, now| archive.accounts().invitation(&hash, now))
        .await?;
    Ok(found.map(|invitation| (token, invitation)))
}

pub(crate) async fn form(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(token): Path<String>,
) -> Result<Response, Trouble> {
    match open_link(&desk, &visitor, &token).await? {
        Some((token, invitation)) => page(&visitor, &token, invitation, None),
        None => gone(&visitor, true),
    }
}

pub(crate) async fn claim(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(token): Path<String>,
    Form(choice): Form<Choice>,
) -> Result<Response, Trouble> {
    let Some((token, invitation)) = open_link(&desk, &visitor, &token).await? else {
        return gone(&visitor, true);
    };
    let weakness = password::weakness(&choice.password, &choice.again, &invitation.name);
    if weakness.is_some() {
        return page(&visitor, &token, invitation, weakness);
    }
    let password_hash = accounts::hash_password(&desk, choice.password).await?;
    let hash = token.hash();
    let made = desk
        .ask(move |archive, now| archive.make_invited_account(&hash, password_hash, now))
        .await?;
    let Some(name) = made else {
        return gone(&visitor, true);
    };
    tracing::info!("an account was made by an invitation");
    let earlier = visitor.signed_in.map(|signed_in| signed_in.login);
    accounts::sign_in(&desk, name.expose().clone(), earlier, "/").await
}
