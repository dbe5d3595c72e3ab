//! The page on which a recording is listened to: the only page with names and addresses.

use crate::view::page::Page;
use crate::view::timeline::{LegendEntry, StreamView};
use crate::view::when::When;
use crate::view::words;
use askama::Template;
use voicelog_model::{Language, Party};

/// A participant as shown. Made only for this page.
#[derive(Clone)]
pub(crate) struct PartyView {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) country: String,
}

impl PartyView {
    pub(crate) fn new(party: &Party, lang: Language) -> Self {
        Self {
            id: party.id.clone(),
            name: party.name.as_ref().map_or_else(
                || lang.pick("niet bekend", "not known").to_owned(),
                |name| name.expose().clone(),
            ),
            address: party.address.expose().clone(),
            country: words::country(&party.country, lang),
        }
    }
}

#[derive(Template)]
#[template(path = "player.html")]
pub(crate) struct PlayerPage {
    pub(crate) p: Page,
    pub(crate) id: String,
    pub(crate) started: When,
    pub(crate) length: String,
    /// Address of the sound.
    pub(crate) sound: String,
    pub(crate) reason: String,
    pub(crate) parties: Vec<PartyView>,
    /// Where the sound is not simply what was sent.
    pub(crate) spans: Vec<String>,
    pub(crate) legend: Vec<LegendEntry>,
    pub(crate) streams: Vec<StreamView>,
}
