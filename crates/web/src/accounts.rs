//! Local accounts and logins: the rules for names, and the making of a login session.

use crate::app::{Desk, Shared};
use crate::cookie::{self, Keep};
use crate::password;
use crate::secret::Token;
use crate::trouble::Trouble;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use voicelog_archive::{Account, Archive, Login};
use voicelog_model::Timestamp;

/// Longest name of an account, in characters.
pub(crate) const NAME_CHARACTERS_MAX: usize = 64;
/// How long a login lasts: a working day.
const LOGIN_MICROS: i64 = 12 * 3_600 * 1_000_000;
/// How long a set-up link lasts.
const SETUP_MICROS: i64 = 3_600 * 1_000_000;
/// How long an invitation lasts.
pub(crate) const INVITATION_MICROS: i64 = 24 * 3_600 * 1_000_000;

/// The set-up link could not be kept.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep the set-up link")]
pub struct SetupError(#[source] Box<dyn std::error::Error + Send + Sync>);

/// Makes a one-time set-up link in place of any earlier one and gives its path
/// (`/setup/<token>`), or `None` if there is an account already.
///
/// `random` must come from the operating system. Only the token's hash is kept. The link works
/// for one hour, once.
pub fn new_setup_token(
    archive: &Archive,
    random: [u8; 32],
    now: Timestamp,
) -> Result<Option<String>, SetupError> {
    let accounts = archive.accounts();
    if accounts
        .account_count()
        .map_err(|error| SetupError(Box::new(error)))?
        > 0
    {
        return Ok(None);
    }
    let token = Token::new(random);
    accounts
        .set_setup_token(&token.hash(), now.plus_micros(SETUP_MICROS))
        .map_err(|error| SetupError(Box::new(error)))?;
    Ok(Some(format!("/setup/{}", token.text())))
}

/// The one spelling under which a name is kept and looked up: trimmed, single spaces, lower case.
/// `None` if no name is left, it is too long, or it holds characters that cannot be seen.
pub(crate) fn name_as_kept(typed: &str) -> Option<String> {
    let name = typed
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase();
    let fits = (1..=NAME_CHARACTERS_MAX).contains(&name.chars().count());
    (fits && !name.chars().any(char::is_control)).then_some(name)
}

/// Signs in: a fresh token in a cookie, its hash in the index, and on to `next`.
///
/// Whatever token the browser came with is never taken over: it is ended, if it was one.
pub(crate) async fn sign_in(
    desk: &Shared,
    account: String,
    earlier: Option<[u8; 32]>,
    next: &str,
) -> Result<Response, Trouble> {
    let token = Token::new(Desk::random()?);
    let login = Login {
        token_hash: token.hash(),
        account,
        csrf: Desk::random()?,
        expires_at: desk.now().plus_micros(LOGIN_MICROS),
    };
    let is_in = desk
        .ask_index(move |archive, now| {
            if let Some(earlier) = earlier {
                archive.accounts().delete_login(&earlier)?;
            }
            archive.accounts().insert_login(&login, now)
        })
        .await?;
    if !is_in {
        // The account ended while its password was looked at.
        return Ok(Redirect::to("/login").into_response());
    }
    let names = desk.cookies;
    let mut response = Redirect::to(next).into_response();
    let cookies: [Option<HeaderValue>; 2] = [
        cookie::set(names.session, &token.text(), names.secure, Keep::Session),
        cookie::set(names.form, "", names.secure, Keep::Remove),
    ];
    for cookie in cookies.into_iter().flatten() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// A password as it is kept. One at a time: it costs memory and a core.
pub(crate) async fn hash_password(desk: &Desk, password: String) -> Result<String, Trouble> {
    let salt = Desk::random()?;
    let place = desk
        .hashing
        .acquire()
        .await
        .map_err(|closed| Trouble::internal(&closed))?;
    let hash = tokio::task::spawn_blocking(move || password::hash(&password, &salt))
        .await
        .map_err(|stopped| Trouble::internal(&stopped))?
        .map_err(|error| Trouble::internal(&error));
    drop(place);
    hash
}

/// Whether this is the password of an account; of none, it is not, and takes as long.
pub(crate) async fn is_password(
    desk: &Desk,
    password: String,
    account: Option<&Account>,
) -> Result<bool, Trouble> {
    let place = desk
        .hashing
        .acquire()
        .await
        .map_err(|closed| Trouble::internal(&closed))?;
    let kept = account.map(|account| account.password_hash.clone());
    let is_right =
        tokio::task::spawn_blocking(move || password::matches(&password, kept.as_deref()))
            .await
            .map_err(|stopped| Trouble::internal(&stopped));
    drop(place);
    is_right
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_spelling() {
        assert_eq!(
            name_as_kept("  Jan   de Vries "),
            Some("jan de vries".to_owned())
        );
        assert_eq!(name_as_kept("   "), None);
        assert_eq!(name_as_kept("a\u{7}b"), None);
        assert_eq!(name_as_kept(&"x".repeat(65)), None);
    }
}
