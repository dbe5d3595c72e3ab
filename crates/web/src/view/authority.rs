//! The page of the authority that signs for these pages.

use crate::view::page::Page;
use askama::Template;

#[derive(Debug, Template)]
#[template(path = "authority.html")]
pub(crate) struct AuthorityPage {
    pub(crate) p: Page,
    /// Where the certificate is fetched.
    pub(crate) file: &'static str,
}
