//! Accounts and invitations.

use crate::pages::accounts::BadName;
use crate::view::page::Page;
use crate::view::setup::NewPassword;
use crate::view::when::When;
use askama::Template;
use voicelog_archive::{Account, Invitation};
use voicelog_model::Language;

/// One account.
#[derive(Debug)]
pub(crate) struct AccountView {
    pub(crate) name: String,
    pub(crate) made: When,
    /// Whose invitation made it; nobody's the first one.
    pub(crate) invited_by: Option<String>,
    pub(crate) signed_in: Option<When>,
    /// When it ended, and who ended it.
    pub(crate) ended: Option<(When, String)>,
    /// Whether it is that of the one who looks.
    pub(crate) is_own: bool,
    pub(crate) can_be_ended: bool,
}

impl AccountView {
    pub(crate) fn new(account: &Account, own: &str, is_last: bool, lang: Language) -> Self {
        let ended = account.ended.as_ref();
        Self {
            name: account.name.clone(),
            made: When::new(account.created_at, lang),
            invited_by: account.invited_by.clone(),
            signed_in: account.signed_in_at.map(|at| When::new(at, lang)),
            ended: ended.map(|ended| (When::new(ended.at, lang), ended.by.clone())),
            is_own: account.name == own,
            can_be_ended: ended.is_none() && !is_last,
        }
    }
}

/// One invitation that can still be used.
#[derive(Debug)]
pub(crate) struct InvitationView {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) by: String,
    pub(crate) until: When,
}

impl InvitationView {
    pub(crate) fn new(invitation: Invitation, lang: Language) -> Self {
        Self {
            id: invitation.id.to_string(),
            name: invitation.name,
            by: invitation.invited_by,
            until: When::new(invitation.expires_at, lang),
        }
    }
}

/// Everybody who has or had an account, and who is invited.
#[derive(Debug, Template)]
#[template(path = "accounts.html")]
pub(crate) struct AccountsPage {
    pub(crate) p: Page,
    pub(crate) accounts: Vec<AccountView>,
    pub(crate) invitations: Vec<InvitationView>,
    /// What was filled in to invite somebody.
    pub(crate) name: String,
    pub(crate) bad_name: Option<BadName>,
}

impl AccountsPage {
    fn name_wrong(&self) -> Option<&'static str> {
        let (nl, en) = match self.bad_name? {
            BadName::Unfit => (
                "Vul een naam in van hoogstens 64 tekens.",
                "Fill in a name of at most 64 characters.",
            ),
            BadName::Taken => (
                "Deze naam is van iemand, of was dat. Kies een andere naam.",
                "This name is somebody’s, or was. Choose another name.",
            ),
        };
        Some(self.p.lang.pick(nl, en))
    }
}

/// The link of an invitation, shown once.
#[derive(Debug, Template)]
#[template(path = "invited.html")]
pub(crate) struct InvitedPage {
    pub(crate) p: Page,
    pub(crate) name: String,
    pub(crate) link: String,
    pub(crate) until: When,
}

/// Whether somebody is sure.
#[derive(Debug, Template)]
#[template(path = "end_account.html")]
pub(crate) struct EndAccountPage {
    pub(crate) p: Page,
    pub(crate) name: String,
    pub(crate) is_own: bool,
}

/// The form for another password of one's own.
#[derive(Debug, Template)]
#[template(path = "password.html")]
pub(crate) struct PasswordPage {
    pub(crate) p: Page,
    pub(crate) name: String,
    pub(crate) present_wrong: bool,
    pub(crate) new: NewPassword,
}
