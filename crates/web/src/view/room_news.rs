//! How it stands with requests and minutes, in sentences, on the page of the talk itself.

use crate::view::rooms::name_of;
use voicelog_model::Language;
use voicelog_room::{MinutesState, PartyState, Request, State};

/// What there is to know, a sentence each. The script tells them to who listens to the screen, when they are others.
#[derive(Debug, Default)]
pub(crate) struct NewsView {
    pub(crate) lines: Vec<String>,
    /// Whoever looks has to do something.
    pub(crate) is_asked: bool,
}

impl NewsView {
    /// All of it, as it is said.
    pub(crate) fn said(&self) -> String {
        self.lines.join(" ")
    }
}

/// Who wants to record too: the host sees all, a guest their own.
pub(crate) fn requests(state: &State, lang: Language) -> NewsView {
    let own = |party: &&PartyState| state.is_host || party.id == state.me;
    let asks = |party: &PartyState| party.is_there && party.request == Some(Request::Asked);
    let parties = state.parties.iter().filter(own);
    NewsView {
        is_asked: state.is_host && parties.clone().any(asks),
        lines: parties
            .filter_map(|party| request(state, party, lang))
            .collect(),
    }
}

fn request(state: &State, party: &PartyState, lang: Language) -> Option<String> {
    let who = name_of(state, party, lang);
    Some(match (party.request.as_ref()?, state.is_host) {
        (Request::Asked, true) => format!(
            "{who} {}",
            lang.pick("vraagt om ook op te nemen.", "asks to record too.")
        ),
        (Request::Allowed, true) => format!(
            "{who} {}",
            lang.pick("mag van u ook opnemen.", "may record too: you allowed it.")
        ),
        (Request::Refused { .. }, true) => format!(
            "{who} {}",
            lang.pick("mag van u niet opnemen.", "may not record: you refused it.")
        ),
        (Request::Asked, false) => lang
            .pick(
                "U vroeg om ook op te nemen. Er is nog geen antwoord.",
                "You asked to record too. There is no answer yet.",
            )
            .to_owned(),
        (Request::Allowed, false) => lang
            .pick(
                "U mag ook opnemen. Houd de opname voor eigen gebruik.",
                "You may record too. Keep the recording for your own use.",
            )
            .to_owned(),
        (
            Request::Refused {
                reason,
                alternative,
                ..
            },
            false,
        ) => format!(
            "{} {reason} {} {alternative}",
            lang.pick(
                "U mag niet zelf opnemen. Reden:",
                "You may not record. Reason:"
            ),
            lang.pick("In plaats daarvan:", "Instead:"),
        ),
    })
}

/// How it stands with the minutes.
pub(crate) fn minutes(state: &State, lang: Language) -> NewsView {
    let Some(minutes) = &state.minutes else {
        return NewsView::default();
    };
    if minutes.is_kept {
        let kept = lang.pick("Het verslag is bewaard.", "The minutes are kept.");
        return NewsView {
            lines: vec![kept.to_owned()],
            is_asked: false,
        };
    }
    let me = state.parties.iter().find(|party| party.id == state.me);
    let has_signed = minutes.signed.contains(&state.me);
    let mut lines = vec![written(state, minutes, lang)];
    if minutes.remarks > 0 {
        lines.push(format!(
            "{} {}.",
            lang.pick("Opmerkingen:", "Remarks:"),
            minutes.remarks
        ));
    }
    lines.push(
        match has_signed {
            true => lang.pick("U heeft getekend.", "You have signed."),
            false => lang.pick("U heeft nog niet getekend.", "You have not signed yet."),
        }
        .to_owned(),
    );
    let waits = |party: &&PartyState| {
        party.is_there && party.id != state.me && !minutes.signed.contains(&party.id)
    };
    let others = state.parties.iter().filter(waits);
    let others: Vec<String> = others.map(|one| name_of(state, one, lang)).collect();
    if !others.is_empty() {
        lines.push(format!(
            "{} {}.",
            lang.pick("Nog niet getekend:", "Not signed yet:"),
            others.join(", ")
        ));
    }
    NewsView {
        lines,
        is_asked: !has_signed && me.is_some_and(|me| me.is_there),
    }
}

fn written(state: &State, minutes: &MinutesState, lang: Language) -> String {
    let writer = state
        .parties
        .iter()
        .find(|party| party.id == minutes.written_by);
    let writer = writer.map_or_else(String::new, |party| name_of(state, party, lang));
    format!(
        "{} {} {} {writer}.",
        lang.pick("Er is een verslag, versie", "There are minutes, version"),
        minutes.version,
        lang.pick("van", "by"),
    )
}
