//! The declaration of destruction of one recording.

use crate::view::page::Page;
use askama::Template;

#[derive(Debug, Template)]
#[template(path = "declaration.html")]
pub(crate) struct DeclarationPage {
    pub(crate) p: Page,
    pub(crate) id: String,
    /// The document, as HTML that is escaped already.
    pub(crate) body: String,
    pub(crate) certificate: String,
}
