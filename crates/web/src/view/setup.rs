//! The pages of the one-time set-up link.

use crate::password::Weakness;
use crate::view::page::Page;
use askama::Template;

#[derive(Debug, Template)]
#[template(path = "setup.html")]
pub(crate) struct SetupPage {
    pub(crate) p: Page,
    /// The link itself, where the form goes.
    pub(crate) path: String,
    pub(crate) name: String,
    pub(crate) bad_name: bool,
    pub(crate) weakness: Option<Weakness>,
}

impl SetupPage {
    fn is_wrong(&self) -> bool {
        self.bad_name || self.weakness.is_some()
    }

    fn name_wrong(&self) -> &'static str {
        self.p.lang.pick(
            "Vul een naam in van hoogstens 64 tekens.",
            "Fill in a name of at most 64 characters.",
        )
    }

    fn password_wrong(&self) -> Option<&'static str> {
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
        Some(self.p.lang.pick(nl, en))
    }

    fn again_wrong(&self) -> Option<&'static str> {
        (self.weakness == Some(Weakness::NotTheSame)).then(|| {
            self.p.lang.pick(
                "De wachtwoorden zijn niet gelijk.",
                "The passwords are not the same.",
            )
        })
    }
}

/// The link was used or is too old.
#[derive(Debug, Template)]
#[template(path = "setup_gone.html")]
pub(crate) struct SetupGonePage {
    pub(crate) p: Page,
}
