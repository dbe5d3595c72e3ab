//! What was asked of keeping a call, on a line that keeps what it is asked to keep.

use super::describe::clock_text;
use crate::journal::{AskedBy, JournalEvent, KeepReason};
use serde::{Deserialize, Serialize};
use voicelog_model::Language;

/// That somebody asked to keep the call, or that less could be kept of what was before than the
/// line says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum KeepMark {
    /// Somebody asked.
    Requested {
        /// When, in microseconds from the start of the call.
        at_us: u64,
        /// Why.
        reason: KeepReason,
        /// Who asked.
        by: AskedBy,
        /// Pseudonym of the participant who pressed the key, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        party: Option<String>,
    },
    /// What was before this moment was not held any more.
    Cut {
        /// Where what was kept begins, in microseconds from the start of the call.
        at_us: u64,
        /// How much is missing, in microseconds.
        by_us: u64,
    },
}

impl KeepMark {
    /// What an event says of it; nothing if it is another event.
    pub(super) fn of(event: &JournalEvent, at_us: u64) -> Option<Self> {
        match event {
            JournalEvent::KeepRequested { reason, by, party } => Some(Self::Requested {
                at_us,
                reason: *reason,
                by: *by,
                party: party.clone(),
            }),
            JournalEvent::LookBackCut { by_us } => Some(Self::Cut {
                at_us,
                // What JSON keeps exactly; a damaged journal may say more.
                by_us: (*by_us).min((1 << 53) - 1),
            }),
            _ => None,
        }
    }

    /// Where in the call, in microseconds from its start.
    #[must_use]
    pub const fn at_us(&self) -> u64 {
        match self {
            Self::Requested { at_us, .. } | Self::Cut { at_us, .. } => *at_us,
        }
    }
}

/// A mark in a sentence: `op 03:12 is gevraagd het gesprek te bewaren, om een klacht, met een toets
/// door p1`.
#[must_use]
pub fn keep_text(mark: &KeepMark, language: Language) -> String {
    let at = clock_text(mark.at_us());
    match mark {
        KeepMark::Requested {
            reason, by, party, ..
        } => {
            let (nl, en) = match reason {
                KeepReason::Agreement => ("om een afspraak", "for an agreement"),
                KeepReason::Complaint => ("om een klacht", "for a complaint"),
                KeepReason::Threat => ("om een bedreiging", "for a threat"),
                KeepReason::Training => ("om ervan te leren", "to learn from"),
                KeepReason::Other => ("om iets anders", "for something else"),
            };
            let reason = language.pick(nl, en);
            let by = asked_text(*by, party.as_deref(), language);
            match language {
                Language::Nl => {
                    format!("op {at} is gevraagd het gesprek te bewaren, {reason}, {by}")
                }
                Language::En => format!("at {at} it was asked to keep the call, {reason}, {by}"),
            }
        }
        KeepMark::Cut { by_us, .. } => {
            let (seconds, tenths) = (by_us / 1_000_000, by_us / 100_000 % 10);
            match language {
                Language::Nl => format!(
                    "bewaard vanaf {at}; de {seconds},{tenths} s daarvoor waren al uit het geheugen"
                ),
                Language::En => format!(
                    "kept from {at} on; the {seconds}.{tenths} s before were no longer in memory"
                ),
            }
        }
    }
}

/// Who asked: `met een toets door p1`.
pub(super) fn asked_text(by: AskedBy, party: Option<&str>, language: Language) -> String {
    let how = match by {
        AskedBy::Program => language.pick("op verzoek van een programma", "asked for by a program"),
        AskedBy::Key => language.pick("met een toets", "with a key"),
    };
    let of = language.pick("door", "by");
    party.map_or_else(|| how.to_owned(), |party| format!("{how} {of} {party}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Record;
    use crate::timeline::{Timeline, build, comings};
    use voicelog_model::Timestamp;

    #[test]
    fn who_asked_to_keep_a_call_and_what_was_no_longer_held_stands_on_the_timeline() {
        let event = |seconds: i64, event| Record::Event {
            at: Timestamp::from_micros(seconds * 1_000_000),
            event,
        };
        let requested = JournalEvent::KeepRequested {
            reason: KeepReason::Complaint,
            by: AskedBy::Key,
            party: Some("p1".to_owned()),
        };
        let timeline = build([
            event(0, JournalEvent::CallStarted {}),
            event(162, JournalEvent::LookBackCut { by_us: 17_640_000 }),
            event(192, requested),
        ]);
        assert_eq!(
            comings(&timeline, Language::Nl),
            [
                "bewaard vanaf 02:42; de 17,6 s daarvoor waren al uit het geheugen",
                "op 03:12 is gevraagd het gesprek te bewaren, om een klacht, met een toets door p1",
            ]
        );
        assert_eq!(
            comings(&timeline, Language::En),
            [
                "kept from 02:42 on; the 17.6 s before were no longer in memory",
                "at 03:12 it was asked to keep the call, for a complaint, with a key by p1",
            ]
        );
        let bytes = timeline.to_bytes().unwrap();
        assert_eq!(Timeline::from_bytes(&bytes).unwrap(), timeline);
    }
}
