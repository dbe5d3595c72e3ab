//! The sign-in page.

use crate::view::page::Page;
use askama::Template;

#[derive(Debug, Template)]
#[template(path = "login.html")]
pub(crate) struct LoginPage {
    pub(crate) p: Page,
    /// Where to go afterwards; empty for the list.
    pub(crate) next: String,
    /// The name typed before.
    pub(crate) name: String,
    /// Whether a try just failed. Which half was wrong is not told.
    pub(crate) wrong: bool,
}
