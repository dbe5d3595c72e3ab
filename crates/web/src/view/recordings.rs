//! The list of recordings.

use crate::view::badge::{Badge, Shape};
use crate::view::conversation::ConversationView;
use crate::view::page::Page;
use crate::view::when::{When, length_between};
use crate::view::{Choice, words};
use askama::Template;
use voicelog_archive::{LINE_NOT_SET_UP, LINE_OF_IMPORTS, RecordingSummary, State};
use voicelog_model::Language;

/// One recording on one line.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) started: When,
    pub(crate) line: String,
    pub(crate) length: String,
    pub(crate) badge: Badge,
    /// A part of the call was private.
    pub(crate) is_partly_private: bool,
    pub(crate) state: &'static str,
}

impl Row {
    pub(crate) fn new(summary: &RecordingSummary, lang: Language) -> Self {
        let badge = words::badge(summary, lang);
        let state = words::state(summary.state, lang);
        Self {
            id: summary.id.to_string(),
            started: When::new(summary.started_at, lang),
            line: line_name(&summary.line, lang),
            length: summary.ended_at.map_or_else(
                || "–".to_owned(),
                |end| length_between(summary.started_at, end),
            ),
            // One word is enough where both columns would say the same.
            state: if state == badge.text { "–" } else { state },
            badge,
            is_partly_private: summary.is_partly_private,
        }
    }
}

/// The line's name; a destroyed recording has none any more, and one that nobody set up never had.
pub(crate) fn line_name(line: &str, lang: Language) -> String {
    match line {
        "" => lang.pick("(gewist)", "(erased)").to_owned(),
        LINE_NOT_SET_UP => lang.pick("(niet ingericht)", "(not set up)").to_owned(),
        LINE_OF_IMPORTS => lang
            .pick("(ingelezen bestand)", "(imported file)")
            .to_owned(),
        named => named.to_owned(),
    }
}

/// The states to choose from, in the order of life.
pub(crate) fn states(chosen: Option<State>, lang: Language) -> Vec<Choice> {
    State::ALL
        .into_iter()
        .map(|state| Choice {
            value: state.as_str(),
            text: words::state(state, lang),
            chosen: chosen == Some(state),
        })
        .collect()
}

#[derive(Debug, Template)]
#[template(path = "recordings.html")]
pub(crate) struct RecordingsPage {
    pub(crate) p: Page,
    pub(crate) conversations: Vec<ConversationView>,
    pub(crate) states: Vec<Choice>,
    pub(crate) from: String,
    pub(crate) to: String,
    /// Whether the list is narrowed.
    pub(crate) filtered: bool,
    /// Whether this is not the first page.
    pub(crate) is_later_page: bool,
    /// Address of the first page with the same filter.
    pub(crate) first: String,
    /// Address of the next page, if there is one.
    pub(crate) later: Option<String>,
    /// How many proposals to destroy wait for a second person.
    pub(crate) proposed: usize,
    /// Why no new calls are taken, if none are.
    pub(crate) pause: Option<&'static str>,
    /// Where a recording client can call, with the transport.
    pub(crate) recording_addresses: Vec<(&'static str, String)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_erased_or_not_set_up_is_said_to_be_so() {
        let archive_word = voicelog_archive::Lines::default()
            .find("sales")
            .name
            .clone();
        assert_eq!(line_name(&archive_word, Language::Nl), "(niet ingericht)");
        assert_eq!(line_name("", Language::En), "(erased)");
        assert_eq!(line_name("verkoop", Language::Nl), "verkoop");
    }
}
