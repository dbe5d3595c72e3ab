//! How long something must be kept (floor) and may be kept (ceiling).

use crate::facts::calendar;
use crate::facts::name;
use crate::facts::values::Values;
use voicelog_model::Timestamp;

/// The end of a chosen term (an ISO 8601 duration of years, months, weeks and days) that runs
/// from a moment, in Europe/Amsterdam; nothing for a term without end.
#[must_use]
pub fn end_of_term(from: Timestamp, term: &str) -> Option<Timestamp> {
    calendar::term(term).and_then(|term| calendar::after(from, term))
}

/// Floor and ceiling of one recording. What is not known is not there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Until when a statute demands that it is kept.
    pub(crate) floor: Option<Timestamp>,
    /// Until when the chosen term lets it be kept.
    pub(crate) ceiling: Option<Timestamp>,
    /// The archive keeps it for good.
    kept_for_good: bool,
}

impl Terms {
    /// Works out the terms. What is not recorded yet is reckoned from `at`.
    pub(crate) fn of(facts: &Values, at: Timestamp) -> Self {
        let not_yet = facts.is(name::RECORDING_STATE, "none_yet");
        let moment = |fact| {
            let known = facts.word(fact).and_then(calendar::moment);
            known.or_else(|| not_yet.then_some(at))
        };
        let (recorded, start) = (moment(name::RECORDED_AT), moment(name::START_EVENT));
        let end = |from: Option<Timestamp>, text: &str| {
            from.zip(calendar::term(text))
                .and_then(|(from, term)| calendar::after(from, term))
        };
        let statutory = if facts.is(name::SECTOR, "finance_investment")
            && facts.is(name::PURPOSE, "wettelijke_plicht")
        {
            // Gedelegeerde Verordening 2017/565 art. 76 lid 11: five years from creation.
            end(recorded, "P5Y")
        } else if facts.is(name::SECTOR, "debt_collection")
            && facts.is(name::PURPOSE, "bewijs_overeenkomst")
        {
            // Bki 5.1: the file at least two years after it is closed.
            end(start, "P2Y")
        } else {
            None
        };
        let keeps = facts.field_word(name::ARCHIVE, "selectielijst_result") == Some("bewaren");
        Self {
            floor: statutory,
            ceiling: facts
                .word(name::RETENTION_TERM)
                .and_then(|term| end(start, term)),
            kept_for_good: keeps,
        }
    }

    pub(crate) fn is_before_floor(&self, at: Timestamp) -> bool {
        self.kept_for_good || self.floor.is_some_and(|floor| at < floor)
    }

    pub(crate) fn has_run_out(&self, at: Timestamp) -> bool {
        self.ceiling.is_some_and(|ceiling| ceiling <= at)
    }

    /// Floor and ceiling, where the floor lies beyond the ceiling: then the floor wins.
    pub(crate) fn conflict(&self) -> Option<(Timestamp, Timestamp)> {
        self.floor
            .zip(self.ceiling)
            .filter(|(floor, ceiling)| floor > ceiling)
    }
}
