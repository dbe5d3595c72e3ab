//! How the server is doing, for people.

use crate::view::Fact;
use crate::view::alarms::{AlarmView, RefusedView};
use crate::view::badge::{Badge, Shape};
use crate::view::page::Page;
use crate::view::when::When;
use askama::Template;
use voicelog_archive::CalledInVain;
use voicelog_archive::keys::RecoveryState;
use voicelog_model::Language;

#[derive(Debug, Template)]
#[template(path = "health.html")]
pub(crate) struct HealthPage {
    pub(crate) p: Page,
    pub(crate) badge: Badge,
    pub(crate) meaning: &'static str,
    /// What is wrong now.
    pub(crate) alarms: Vec<AlarmView>,
    /// The clock, while nobody confirmed it after it jumped.
    pub(crate) clock: Option<ClockView>,
    pub(crate) facts: Vec<Fact>,
    /// What was turned away in the last hour.
    pub(crate) refused: Vec<RefusedView>,
    /// What was called and is no line.
    pub(crate) called: Vec<CalledView>,
}

/// A clock that jumped.
#[derive(Debug, Clone)]
pub(crate) struct ClockView {
    /// What it says.
    pub(crate) now: When,
    /// The last moment at which it was believed.
    pub(crate) seen: When,
}

/// A name that recording clients called and that is no line.
#[derive(Debug, Clone)]
pub(crate) struct CalledView {
    /// As far as it is remembered; nothing where the address had no name.
    pub(crate) name: Option<String>,
    /// The line that was perhaps meant.
    pub(crate) like: Option<String>,
    pub(crate) count: usize,
    pub(crate) last: When,
    /// The newest call.
    pub(crate) recording: String,
}

/// Each name once, the one that was called last first.
pub(crate) fn called(calls: &[CalledInVain], lang: Language) -> Vec<CalledView> {
    let mut views: Vec<CalledView> = Vec::new();
    for call in calls {
        let name = call.called.shown.as_ref().map(|name| name.expose().clone());
        match views.iter_mut().find(|view| view.name == name) {
            Some(view) => view.count += 1,
            None => views.push(CalledView {
                name,
                like: call.called.like.clone(),
                count: 1,
                last: When::new(call.at, lang),
                recording: call.recording.to_string(),
            }),
        }
    }
    views
}

/// How it stands with the keys: the recovery set, and what waits for the master key.
pub(crate) fn keys(recovery: &RecoveryState, waiting: usize, lang: Language) -> Vec<Fact> {
    let value = match (recovery, lang) {
        (RecoveryState::None, Language::Nl) => {
            "geen: wie de hoofdsleutel kwijtraakt, raakt elke opname kwijt".to_owned()
        }
        (RecoveryState::None, Language::En) => {
            "none: who loses the master key loses every recording".to_owned()
        }
        (RecoveryState::NotConfirmed(_), Language::Nl) => {
            "telt nog niet: er zijn nog geen twee bladen overgetypt".to_owned()
        }
        (RecoveryState::NotConfirmed(_), Language::En) => {
            "does not count yet: no two sheets were typed back".to_owned()
        }
        (RecoveryState::Foreign(_), Language::Nl) => {
            "niet de laatste die met de hoofdsleutel is bevestigd: maak een nieuwe".to_owned()
        }
        (RecoveryState::Foreign(_), Language::En) => {
            "not the last that was confirmed with the master key: make a new one".to_owned()
        }
        (RecoveryState::Confirmed { set, .. }, _) => {
            let since = set.confirmed_at.map(|at| When::new(at, lang).text);
            let since = since.unwrap_or_default();
            format!("{} {since}", lang.pick("telt sinds", "counts since"))
        }
    };
    let mut facts = vec![Fact {
        name: lang.pick("Herstelset van de sleutels", "Recovery set of the keys"),
        value,
    }];
    if waiting > 0 {
        facts.push(Fact {
            name: lang.pick(
                "Afgebroken opnamen die wachten op de hoofdsleutel",
                "Recordings that were cut off and wait for the master key",
            ),
            value: waiting.to_string(),
        });
    }
    facts
}
