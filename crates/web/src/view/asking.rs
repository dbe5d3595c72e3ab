//! The pages on which somebody asks for something, and the one that says no.

use crate::view::Choice;
use crate::view::badge::{Badge, Shape};
use crate::view::decision::{self, DecisionView, DutyView, ReasonView};
use crate::view::holds::HoldView;
use crate::view::page::Page;
use crate::view::when::When;
use askama::Template;
use voicelog_casework::disclosure::Recipient;
use voicelog_law::Decision;
use voicelog_model::Language;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Listen,
    Copy,
    Destroy,
}

#[derive(Debug, Template)]
#[template(path = "asking.html")]
pub(crate) struct AskingPage {
    pub(crate) p: Page,
    pub(crate) id: String,
    pub(crate) started: When,
    pub(crate) what: What,
    pub(crate) reason_missing: bool,
    pub(crate) recipient_missing: bool,
    pub(crate) confirm_missing: bool,
    /// Until when the chosen term still runs.
    pub(crate) term_runs_until: Option<When>,
    pub(crate) recipients: Vec<Choice>,
}

/// What the law would answer, before anybody asked.
#[derive(Debug)]
pub(crate) struct ForeseenView {
    pub(crate) recipient: &'static str,
    pub(crate) recipient_value: &'static str,
    pub(crate) permitted: bool,
    pub(crate) outcome: Badge,
    pub(crate) meaning: &'static str,
    pub(crate) reasons: Vec<ReasonView>,
    pub(crate) duties: Vec<DutyView>,
}

impl ForeseenView {
    pub(crate) fn new(recipient: Recipient, decision: &Decision, lang: Language) -> Self {
        let recipient_value = recipient.as_str();
        let text = recipients(lang)
            .into_iter()
            .find(|choice| choice.value == recipient_value)
            .map_or("", |choice| choice.text);
        Self {
            recipient: text,
            recipient_value,
            permitted: decision.is_permitted(),
            outcome: decision::outcome(decision.outcome(), lang),
            meaning: decision::meaning(decision, lang),
            reasons: decision::reasons(decision, lang),
            duties: decision::duties(decision, lang),
        }
    }
}

impl AskingPage {
    const fn is_wrong(&self) -> bool {
        self.reason_missing || self.recipient_missing || self.confirm_missing
    }
}

/// The law refused. The decision is shown whole.
#[derive(Debug, Template)]
#[template(path = "refused.html")]
pub(crate) struct RefusedPage {
    pub(crate) p: Page,
    /// Whether destruction was asked for.
    pub(crate) of_destruction: bool,
    /// Whether one person alone may not, and may with a second one.
    pub(crate) needs_second_person: bool,
    /// The holds that stand, where destruction was asked for.
    pub(crate) holds: Vec<HoldView>,
    pub(crate) id: String,
    pub(crate) started: When,
    pub(crate) d: DecisionView,
}

/// Who can get a copy.
pub(crate) fn recipients(lang: Language) -> Vec<Choice> {
    Recipient::ALL
        .into_iter()
        .map(|(recipient, value)| Choice {
            value,
            text: recipient.text(lang),
            chosen: false,
        })
        .collect()
}
