//! The one-time set-up link: it makes the first account and signs it in.
//!
//! There is no default password, and being first does not make anybody administrator: without the
//! link, which only who runs the server has seen, no account can be made.

use crate::accounts;
use crate::app::Shared;
use crate::frame::html;
use crate::pages::login::{address_key, too_often};
use crate::password::{self, Weakness};
use crate::secret::Token;
use crate::trouble::Trouble;
use crate::view::setup::{NewPassword, SetupGonePage, SetupPage};
use crate::visitor::Visitor;
use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use voicelog_model::Pii;

/// The form as sent.
#[derive(Deserialize)]
pub(crate) struct Choice {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    again: String,
}

fn page(
    visitor: &Visitor,
    token: &Token,
    name: String,
    bad_name: bool,
    weakness: Option<Weakness>,
) -> SetupPage {
    let path = format!("/setup/{}", token.text());
    SetupPage {
        p: visitor.page_at(
            &path,
            "",
            visitor
                .lang
                .pick("Welkom bij voicelog", "Welcome to voicelog"),
        ),
        path,
        name,
        bad_name,
        new: NewPassword {
            lang: visitor.lang,
            weakness,
        },
    }
}

/// The answer to a link that was used, or is too old.
pub(crate) fn gone(visitor: &Visitor, is_invitation: bool) -> Result<Response, Trouble> {
    let title = visitor
        .lang
        .pick("Deze link werkt niet meer", "This link no longer works");
    html(
        StatusCode::GONE,
        &SetupGonePage {
            p: visitor.page_at("/login", "", title),
            is_invitation,
        },
    )
}

/// The token of a link that can still be used: not used, not replaced, not too old.
async fn open_link(desk: &Shared, text: &str) -> Result<Option<Token>, Trouble> {
    let Some(token) = Token::parse(text) else {
        return Ok(None);
    };
    let hash = token.hash();
    let works = desk
        .ask_index(move |archive, now| archive.accounts().setup_token_works(&hash, now))
        .await?;
    Ok(works.then_some(token))
}

pub(crate) async fn form(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(token): Path<String>,
) -> Result<Response, Trouble> {
    let Some(token) = open_link(&desk, &token).await? else {
        return gone(&visitor, false);
    };
    html(
        StatusCode::OK,
        &page(&visitor, &token, String::new(), false, None),
    )
}

pub(crate) async fn claim(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Path(token): Path<String>,
    Form(choice): Form<Choice>,
) -> Result<Response, Trouble> {
    desk.tries_of_address
        .take(address_key(visitor.client), desk.now())
        .map_err(too_often)?;
    let Some(token) = open_link(&desk, &token).await? else {
        return gone(&visitor, false);
    };
    let name = accounts::name_as_kept(&choice.name);
    let kept_name = name.clone().unwrap_or_default();
    let weakness = password::weakness(&choice.password, &choice.again, &kept_name);
    let bad_name = name.is_none();
    let (Some(name), None) = (name, weakness) else {
        let again = page(&visitor, &token, choice.name, bad_name, weakness);
        return html(StatusCode::UNPROCESSABLE_ENTITY, &again);
    };
    let password_hash = accounts::hash_password(&desk, choice.password).await?;
    let (hash, of) = (token.hash(), Pii::new(name.clone()));
    let claimed = desk
        .ask(move |archive, now| archive.make_first_account(&hash, &of, password_hash, now))
        .await?;
    if !claimed {
        return gone(&visitor, false);
    }
    let earlier = visitor.signed_in.map(|signed_in| signed_in.login);
    accounts::sign_in(&desk, name, earlier, "/").await
}
