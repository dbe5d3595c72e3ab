//! What pages show: plain values in the page's language, filled by the handlers, laid out by the
//! templates in `templates/`.

pub(crate) mod access;
pub(crate) mod accounts;
pub(crate) mod alarms;
pub(crate) mod asking;
pub(crate) mod authority;
pub(crate) mod badge;
pub(crate) mod conversation;
pub(crate) mod copy_links;
pub(crate) mod copying;
pub(crate) mod decision;
pub(crate) mod declaration;
pub(crate) mod document;
pub(crate) mod error;
pub(crate) mod health;
pub(crate) mod holds;
pub(crate) mod importing;
pub(crate) mod interview;
pub(crate) mod log;
pub(crate) mod login;
pub(crate) mod minutes;
pub(crate) mod page;
pub(crate) mod player;
pub(crate) mod proposals;
pub(crate) mod receipt;
pub(crate) mod recording;
pub(crate) mod recordings;
pub(crate) mod report;
pub(crate) mod requests;
pub(crate) mod retention;
pub(crate) mod room_news;
pub(crate) mod rooms;
pub(crate) mod setup;
pub(crate) mod timeline;
pub(crate) mod when;
pub(crate) mod words;

/// A name and a value, in a list of such pairs.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    pub(crate) name: &'static str,
    pub(crate) value: String,
}

/// One entry of a select.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    pub(crate) value: &'static str,
    pub(crate) text: &'static str,
    pub(crate) chosen: bool,
}
