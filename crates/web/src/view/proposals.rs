//! Proposals to destroy.

use crate::pages::proposals::is_standing;
use crate::view::page::Page;
use crate::view::when::When;
use askama::Template;
use voicelog_archive::{OpenProposal, Proposal, ProposalState};
use voicelog_model::{Language, Timestamp};

/// One proposal.
#[derive(Debug)]
pub(crate) struct ProposalView {
    pub(crate) id: String,
    pub(crate) made: When,
    pub(crate) until: When,
    pub(crate) state: &'static str,
    pub(crate) is_open: bool,
    pub(crate) is_confirmed: bool,
    /// Who asked and why; nothing where that was not opened.
    pub(crate) by: Option<String>,
    pub(crate) reason: Option<String>,
    /// When it was answered, and by whom with the reason where that was opened.
    pub(crate) answered: Option<(When, String)>,
}

impl ProposalView {
    pub(crate) fn new(open: &OpenProposal, now: Timestamp, lang: Language) -> Self {
        let details = open.details.as_ref();
        let answer = details.and_then(|details| details.answer.as_ref());
        let answer = answer.map(|(by, reason)| match reason {
            Some(reason) => format!("{}: {}", by.expose(), reason.expose()),
            None => by.expose().clone(),
        });
        let answered = open.proposal.answered;
        Self {
            by: details.map(|details| details.by.expose().clone()),
            reason: details.map(|details| details.reason.expose().clone()),
            answered: answered.map(|(at, _)| (When::new(at, lang), answer.unwrap_or_default())),
            ..Self::closed(&open.proposal, now, lang)
        }
    }

    /// Without names, for a list.
    pub(crate) fn closed(proposal: &Proposal, now: Timestamp, lang: Language) -> Self {
        let state = proposal.state(now);
        Self {
            id: proposal.id.to_string(),
            made: When::new(proposal.made_at, lang),
            until: When::new(proposal.stands_until, lang),
            state: word(state, lang),
            is_open: state == ProposalState::Open,
            is_confirmed: state == ProposalState::Confirmed,
            by: None,
            reason: None,
            answered: None,
        }
    }

    pub(crate) fn stands(open: &OpenProposal, now: Timestamp) -> bool {
        is_standing(open.proposal.state(now))
    }
}

const fn word(state: ProposalState, lang: Language) -> &'static str {
    match state {
        ProposalState::Open => lang.pick("wacht op een collega", "waits for a colleague"),
        ProposalState::Confirmed => lang.pick(
            "bevestigd, nog niet uitgevoerd",
            "confirmed, not carried out yet",
        ),
        ProposalState::Declined => lang.pick("afgewezen", "declined"),
        ProposalState::Lapsed => lang.pick("verlopen", "lapsed"),
    }
}

/// Somebody with an account, and who invited them.
#[derive(Debug)]
pub(crate) struct PersonView {
    pub(crate) name: String,
    pub(crate) invited_by: Option<String>,
    /// Whether the account has ended since.
    pub(crate) has_ended: bool,
}

/// The form by which somebody asks for a second person.
#[derive(Debug, Template)]
#[template(path = "propose.html")]
pub(crate) struct ProposePage {
    pub(crate) p: Page,
    pub(crate) id: String,
    pub(crate) started: When,
    /// Until when the chosen term still runs.
    pub(crate) term_runs_until: Option<When>,
    /// Whether a second person is needed, and enough.
    pub(crate) is_needed: bool,
    pub(crate) reason_missing: bool,
}

/// One proposal, with what one can answer.
#[derive(Debug, Template)]
#[template(path = "proposal.html")]
pub(crate) struct ProposalPage {
    pub(crate) p: Page,
    pub(crate) recording: String,
    pub(crate) started: When,
    pub(crate) term_runs_until: Option<When>,
    pub(crate) proposer: Option<PersonView>,
    pub(crate) you: PersonView,
    /// Whether who looks proposed it.
    pub(crate) is_own: bool,
    pub(crate) proposal: ProposalView,
    pub(crate) reason_missing: bool,
}
