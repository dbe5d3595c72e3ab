//! The page that says what went wrong, without anything internal on it.

use crate::view::page::Page;
use askama::Template;

#[derive(Debug, Template)]
#[template(path = "error.html")]
pub(crate) struct ErrorPage {
    pub(crate) p: Page,
    pub(crate) detail: String,
    /// Also in the operator's log.
    pub(crate) request: String,
}
