//! The pages of the one-time links: set-up, invitation.

use crate::password::Weakness;
use crate::view::page::Page;
use askama::Template;
use voicelog_model::Language;

#[derive(Debug, Template)]
#[template(path = "setup.html")]
pub(crate) struct SetupPage {
    pub(crate) p: Page,
    /// The link itself, where the form goes.
    pub(crate) path: String,
    pub(crate) name: String,
    pub(crate) bad_name: bool,
    pub(crate) new: NewPassword,
}

impl SetupPage {
    const fn is_wrong(&self) -> bool {
        self.bad_name || self.new.weakness.is_some()
    }

    fn name_wrong(&self) -> &'static str {
        self.p.lang.pick(
            "Vul een naam in van hoogstens 64 tekens.",
            "Fill in a name of at most 64 characters.",
        )
    }
}

/// The two fields of a password that is chosen, and what is wrong with it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewPassword {
    pub(crate) lang: Language,
    pub(crate) weakness: Option<Weakness>,
}

impl NewPassword {
    pub(crate) fn wrong(self) -> Option<&'static str> {
        let (nl, en) = match self.weakness? {
            Weakness::TooShort => (
                "Het wachtwoord moet minstens 12 tekens hebben.",
                "The password must have at least 12 characters.",
            ),
            Weakness::TooLong => ("Het wachtwoord is te lang.", "The password is too long."),
            Weakness::TooSimple => (
                "Kies een wachtwoord dat moeilijker te raden is.",
                "Choose a password that is harder to guess.",
            ),
            Weakness::NotTheSame => return None,
        };
        Some(self.lang.pick(nl, en))
    }

    pub(crate) fn again_wrong(self) -> Option<&'static str> {
        (self.weakness == Some(Weakness::NotTheSame)).then(|| {
            self.lang.pick(
                "De wachtwoorden zijn niet gelijk.",
                "The passwords are not the same.",
            )
        })
    }
}

/// The form by which somebody who was invited makes their account.
#[derive(Debug, Template)]
#[template(path = "invitation.html")]
pub(crate) struct InvitationPage {
    pub(crate) p: Page,
    /// The link itself, where the form goes.
    pub(crate) path: String,
    /// Name of the account to be made.
    pub(crate) name: String,
    /// Who invites.
    pub(crate) by: String,
    pub(crate) new: NewPassword,
}

/// The link was used or is too old.
#[derive(Debug, Template)]
#[template(path = "setup_gone.html")]
pub(crate) struct SetupGonePage {
    pub(crate) p: Page,
    /// Whether it was the link of an invitation.
    pub(crate) is_invitation: bool,
}
