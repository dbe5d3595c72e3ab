//! Accounts: who has one, who is invited, and one's own password.

use crate::accounts::{self, INVITATION_MICROS};
use crate::app::{Desk, Shared};
use crate::frame::html;
use crate::pages::login::{address_and_name_key, too_often};
use crate::pages::who;
use crate::password::{self, Weakness};
use crate::secret::Token;
use crate::trouble::Trouble;
use crate::view::accounts::{
    AccountView, AccountsPage, EndAccountPage, InvitationView, InvitedPage, PasswordPage,
};
use crate::view::setup::NewPassword;
use crate::view::when::When;
use crate::visitor::Visitor;
use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use voicelog_archive::{EndedAccount, Invitation};
use voicelog_model::{InvitationId, Pii};

/// What is wrong with the name of somebody who is invited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadName {
    /// None is left of it, or it is too long.
    Unfit,
    /// Somebody has it, had it, or is invited under it.
    Taken,
}

async fn page(
    desk: &Desk,
    visitor: &Visitor,
    name: String,
    bad_name: Option<BadName>,
) -> Result<Response, Trouble> {
    let lang = visitor.lang;
    let own = who(visitor)?.account.clone();
    let (all, invitations) = desk
        .ask_index(move |archive, now| {
            let all = archive.accounts().list_accounts()?;
            let invitations = archive.accounts().invitations(now);
            invitations.map(|invitations| (all, invitations))
        })
        .await?;
    let is_last = all.iter().filter(|one| one.ended.is_none()).count() < 2;
    let view = AccountsPage {
        p: visitor.page_at("/accounts", "accounts", "Accounts"),
        accounts: all
            .iter()
            .map(|one| AccountView::new(one, &own, is_last, lang))
            .collect(),
        invitations: invitations
            .into_iter()
            .map(|one| InvitationView::new(one, lang))
            .collect(),
        name,
        bad_name,
    };
    let status = match bad_name {
        None => StatusCode::OK,
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    html(status, &view)
}

pub(crate) async fn list(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Response, Trouble> {
    page(&desk, &visitor, String::new(), None).await
}

/// A name, as a form sends it; for ending an account, also whether somebody is sure.
#[derive(Deserialize)]
pub(crate) struct Named {
    #[serde(default)]
    name: String,
    #[serde(default)]
    confirm: String,
}

/// Makes an invitation. Its link is on the answer and nowhere else: only what its token hashes to is kept.
pub(crate) async fn invite(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Form(form): Form<Named>,
) -> Result<Response, Trouble> {
    let by = who(&visitor)?.account.clone();
    let Some(name) = accounts::name_as_kept(&form.name) else {
        return page(&desk, &visitor, form.name, Some(BadName::Unfit)).await;
    };
    let token = Token::new(Desk::random()?);
    let now = desk.now();
    let invitation = Invitation {
        id: InvitationId::new(now, Desk::random()?),
        hash: token.hash(),
        name: name.clone(),
        invited_by: by,
        made_at: now,
        expires_at: now.plus_micros(INVITATION_MICROS),
    };
    let until = invitation.expires_at;
    let is_kept = desk
        .ask_index(move |archive, _now| archive.accounts().invite(&invitation))
        .await?;
    if !is_kept {
        return page(&desk, &visitor, form.name, Some(BadName::Taken)).await;
    }
    tracing::info!("somebody was invited to make an account");
    let lang = visitor.lang;
    let base = desk.app.config.public_url.trim_end_matches('/');
    let title = lang.pick("Uitnodiging", "Invitation");
    let view = InvitedPage {
        p: visitor.page_at("/accounts", "accounts", title),
        link: format!("{base}/invitation/{}", token.text()),
        name,
        until: When::new(until, lang),
    };
    html(StatusCode::OK, &view)
}

pub(crate) async fn withdraw(
    State(desk): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let id: InvitationId = id.parse().map_err(|_no_id| Trouble::not_found())?;
    // One that is gone by now is withdrawn, or used: the list tells which.
    desk.ask_index(move |archive, _now| archive.accounts().withdraw_invitation(id))
        .await?;
    Ok(Redirect::to("/accounts").into_response())
}

/// Ends an account, once somebody said that they are sure. The name goes by the form: an address is written down in
/// places where it does not belong.
pub(crate) async fn end(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Form(form): Form<Named>,
) -> Result<Response, Trouble> {
    let lang = visitor.lang;
    let by = Pii::new(who(&visitor)?.account.clone());
    let is_own = form.name == *by.expose();
    let named = form.name.clone();
    let account = desk
        .ask_index(move |archive, _now| archive.accounts().account(&named))
        .await?;
    if account.is_none() {
        return Err(Trouble::not_found());
    }
    if form.confirm != "yes" {
        let title = lang.pick("Account beëindigen", "End an account");
        let view = EndAccountPage {
            p: visitor.page_at("/accounts", "accounts", title),
            name: form.name,
            is_own,
        };
        return html(StatusCode::OK, &view);
    }
    let name = Pii::new(form.name);
    let came = desk
        .ask(move |archive, now| archive.end_account(&name, &by, now))
        .await?;
    match came {
        EndedAccount::Done => tracing::info!("an account was ended"),
        EndedAccount::NotThere => return Err(Trouble::not_found()),
        EndedAccount::IsLast => {
            return Err(Trouble::new(StatusCode::CONFLICT).saying(
                "Dit is het enige account. Zonder account kan niemand meer inloggen. Nodig eerst iemand anders uit.",
                "This is the only account. Without one nobody can sign in any more. Invite somebody else first.",
            ));
        }
    }
    let to = if is_own { "/login" } else { "/accounts" };
    Ok(Redirect::to(to).into_response())
}

/// The form for a new password as sent.
#[derive(Deserialize)]
pub(crate) struct Change {
    #[serde(default)]
    present: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    again: String,
}

fn password_page(
    visitor: &Visitor,
    is_wrong: bool,
    weakness: Option<Weakness>,
) -> Result<Response, Trouble> {
    let lang = visitor.lang;
    let title = lang.pick("Wachtwoord wijzigen", "Change the password");
    let view = PasswordPage {
        p: visitor.page_at("/accounts/password", "accounts", title),
        name: who(visitor)?.account.clone(),
        present_wrong: is_wrong,
        new: NewPassword { lang, weakness },
    };
    let status = match is_wrong || weakness.is_some() {
        true => StatusCode::UNPROCESSABLE_ENTITY,
        false => StatusCode::OK,
    };
    html(status, &view)
}

pub(crate) async fn password_form(
    Extension(visitor): Extension<Visitor>,
) -> Result<Response, Trouble> {
    password_page(&visitor, false, None)
}

/// Changes one's own password. The present one is asked for: a browser that was left open must not be enough.
pub(crate) async fn change_password(
    State(desk): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Form(form): Form<Change>,
) -> Result<Response, Trouble> {
    let signed_in = who(&visitor)?.clone();
    let key = address_and_name_key(visitor.client, &signed_in.account);
    desk.tries_of_both
        .take(key, desk.now())
        .map_err(too_often)?;
    let name = signed_in.account.clone();
    let account = desk
        .ask_index(move |archive, _now| archive.accounts().account(&name))
        .await?;
    if !accounts::is_password(&desk, form.present, account.as_ref()).await? {
        return password_page(&visitor, true, None);
    }
    desk.tries_of_both.forget(&key);
    let weakness = password::weakness(&form.password, &form.again, &signed_in.account);
    if weakness.is_some() {
        return password_page(&visitor, false, weakness);
    }
    let hash = accounts::hash_password(&desk, form.password).await?;
    desk.ask_index(move |archive, _now| {
        let accounts = archive.accounts();
        accounts.set_password(&signed_in.account, &hash, &signed_in.login)
    })
    .await?;
    tracing::info!("somebody changed their password");
    Ok(Redirect::to("/accounts").into_response())
}
