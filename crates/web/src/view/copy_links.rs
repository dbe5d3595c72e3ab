//! A copy later: the code that somebody keeps, where it is typed, and what it leads to.

use crate::view::page::Page;
use crate::view::rooms::{GroundView, Way};
use crate::view::when::When;
use askama::Template;
use voicelog_casework::receipt::Receipt;
use voicelog_model::Language;
use voicelog_room::OwnLink;

/// With what somebody fetches their copy later.
#[derive(Debug)]
pub(crate) struct LaterView {
    pub(crate) path: String,
    pub(crate) way: Way,
    pub(crate) until: When,
}

impl LaterView {
    pub(crate) fn new(link: &OwnLink, public_url: &str, lang: Language) -> Self {
        Self {
            path: path(&link.code),
            way: Way::new(&link.code, "/copy", public_url),
            until: When::new(link.until, lang),
        }
    }
}

/// Where a code leads.
pub(crate) fn path(code: &str) -> String {
    format!("/copy/{code}")
}

/// Where a code is typed. What is wrong with one is not told: wrong, ended and used up are one answer.
#[derive(Debug, Template)]
#[template(path = "copy_code.html")]
pub(crate) struct CopyCodePage {
    pub(crate) p: Page,
    pub(crate) code: String,
    pub(crate) is_wrong: bool,
}

/// What a code leads to.
#[derive(Debug, Template)]
#[template(path = "copy_link.html")]
pub(crate) struct CopyLinkPage {
    pub(crate) p: Page,
    /// Its own path.
    pub(crate) path: String,
    /// What people read of the kind of talk.
    pub(crate) title: String,
    pub(crate) is_minutes: bool,
    /// How long what they were there for is.
    pub(crate) length: String,
    pub(crate) started: When,
    pub(crate) until: When,
    pub(crate) words: Option<String>,
    pub(crate) digest: Option<String>,
    pub(crate) receipt: Option<Receipt>,
    /// Why no copy is given, where the law said no.
    pub(crate) refused: Vec<GroundView>,
}
