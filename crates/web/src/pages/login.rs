//! Signing in and out.

use crate::accounts;
use crate::app::Shared;
use crate::cookie::{self, Keep};
use crate::frame::html;
use crate::trouble::Trouble;
use crate::view::login::LoginPage;
use crate::visitor::{Visitor, safe_next};
use axum::Extension;
use axum::extract::{Form, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::sync::atomic::Ordering;

/// Where to go afterwards.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    next: String,
}

/// The sign-in form as sent.
#[derive(Deserialize)]
pub(crate) struct Entry {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

fn page(visitor: &Visitor, next: &str, name: String, wrong: bool) -> LoginPage {
    let title = visitor.lang.pick("Inloggen", "Sign in");
    LoginPage {
        p: visitor.page_at("/login", "", title),
        next: safe_next(next).unwrap_or_default().to_owned(),
        name,
        wrong,
    }
}

pub(crate) async fn form(
    Extension(visitor): Extension<Visitor>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Trouble> {
    if visitor.signed_in.is_some() {
        return Ok(Redirect::to("/").into_response());
    }
    html(
        StatusCode::OK,
        &page(&visitor, &wanted.next, String::new(), false),
    )
}

/// The bucket that one address's tries fall in; for IPv6 that of its network, since one
/// subscriber has 2^64 addresses.
pub(crate) fn address_key(client: Option<IpAddr>) -> [u8; 32] {
    key_of(client, "")
}

/// The bucket of one address's tries with one name. Whoever shares an address with a guesser
/// signs in with another name, and is not kept out.
pub(crate) fn address_and_name_key(client: Option<IpAddr>, name: &str) -> [u8; 32] {
    key_of(client, name)
}

fn key_of(client: Option<IpAddr>, name: &str) -> [u8; 32] {
    let mut hasher = Sha256::new();
    match client {
        None => hasher.update(b"nowhere"),
        Some(IpAddr::V4(address)) => hasher.update(address.octets()),
        Some(IpAddr::V6(address)) => hasher.update((u128::from(address) >> 64).to_be_bytes()),
    }
    hasher.update(b"\0");
    hasher.update(name);
    hasher.finalize().into()
}

pub(crate) fn too_often(seconds: u64) -> Trouble {
    Trouble::new(StatusCode::TOO_MANY_REQUESTS)
        .saying(
            format!("U heeft te vaak geprobeerd. Over {seconds} seconden kan het weer."),
            format!("You tried too often. In {seconds} seconds you can try again."),
        )
        .retry_after(seconds)
}

pub(crate) async fn enter(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Form(entry): Form<Entry>,
) -> Result<Response, Trouble> {
    let name = accounts::name_as_kept(&entry.name);
    let said = name.as_deref().unwrap_or_default();
    let by_address = address_key(visitor.client);
    let by_both = address_and_name_key(visitor.client, said);
    let by_name = Sha256::digest(said).into();
    for (tries, key) in [
        (&desk.tries_of_address, by_address),
        (&desk.tries_of_both, by_both),
        (&desk.tries_of_name, by_name),
    ] {
        tries.take(key, desk.now()).map_err(|seconds| {
            tracing::warn!(
                seconds,
                "too many tries to sign in: none is taken for a while"
            );
            too_often(seconds)
        })?;
    }
    let account = match name {
        Some(name) => {
            desk.ask_index(move |archive, _now| archive.accounts().account(&name))
                .await?
        }
        None => None,
    };
    let right = accounts::is_password(&desk, entry.password, account.as_ref()).await?;
    let Some(account) = account.filter(|_| right) else {
        let since_start = desk.failed_sign_ins.fetch_add(1, Ordering::Relaxed) + 1;
        tracing::warn!(since_start, "a try to sign in failed");
        let again = page(&visitor, &entry.next, entry.name, true);
        return html(StatusCode::UNPROCESSABLE_ENTITY, &again);
    };
    desk.tries_of_both.forget(&by_both);
    desk.tries_of_name.forget(&by_name);
    let earlier = visitor.signed_in.map(|signed_in| signed_in.login);
    accounts::sign_in(
        &desk,
        account.name,
        earlier,
        safe_next(&entry.next).unwrap_or("/"),
    )
    .await
}

pub(crate) async fn leave(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Response, Trouble> {
    if let Some(signed_in) = visitor.signed_in {
        let login = signed_in.login;
        desk.playing.close_login(&login);
        desk.ask_index(move |archive, _now| archive.accounts().delete_login(&login))
            .await?;
    }
    let mut response = Redirect::to("/login").into_response();
    let gone = cookie::set(desk.cookies.session, "", desk.cookies.secure, Keep::Remove);
    if let Some(gone) = gone {
        response.headers_mut().append(header::SET_COOKIE, gone);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_ipv6_subscriber_is_one_address() {
        let key = |text: &str| address_key(Some(text.parse().unwrap()));
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_ne!(key("10.0.0.1"), key("10.0.0.2"));
    }
}
