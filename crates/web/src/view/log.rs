//! The transparency log as it is now.

use crate::view::page::Page;
use crate::view::when::When;
use askama::Template;

/// One entry.
#[derive(Debug, Clone)]
pub(crate) struct LeafView {
    pub(crate) index: u64,
    pub(crate) at: When,
    pub(crate) what: String,
    pub(crate) object: String,
    /// Whether the object is a recording, which has a page.
    pub(crate) is_recording: bool,
}

#[derive(Debug, Template)]
#[template(path = "log.html")]
pub(crate) struct LogPage {
    pub(crate) p: Page,
    pub(crate) size: u64,
    pub(crate) key: String,
    pub(crate) checkpoint: Option<String>,
    pub(crate) leaves: Vec<LeafView>,
    /// Whether the newest entry is among them.
    pub(crate) is_newest: bool,
    /// The place before which the next, older page ends.
    pub(crate) older: Option<u64>,
}
