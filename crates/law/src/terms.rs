//! How long something must be kept (floor) and may be kept (ceiling). What statutes set is a dated
//! table; what the organisation chose is a fact.

use crate::Facts;
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

/// What a term of a statute does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    /// It must be kept until the term ends.
    Floor,
    /// It may be kept until the term ends.
    Ceiling,
}

/// From when a term of a statute runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunsFrom {
    /// The recording was made.
    Creation,
    /// The event that the organisation named: the file was closed.
    StartEvent,
}

/// A term that a statute sets for a sector, in one version of that statute.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StatutoryTerm {
    /// The same for all versions.
    pub(crate) name: &'static str,
    pub(crate) bound: Bound,
    pub(crate) sector: &'static str,
    /// Only for this purpose; nothing for all.
    pub(crate) purpose: Option<&'static str>,
    pub(crate) runs_from: RunsFrom,
    /// An ISO 8601 duration.
    pub(crate) length: &'static str,
    pub(crate) article: &'static str,
    /// First day of the version that was read, as a full-date.
    pub(crate) valid_from: &'static str,
    /// Last day, if it ends without another version in its place.
    pub(crate) valid_until: Option<&'static str>,
}

/// A bound that a statute sets to a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TermBound {
    /// How long: an ISO 8601 duration.
    pub length: &'static str,
    /// The article that sets it.
    pub article: &'static str,
}

/// The bounds of a term: the shortest and the longest that statutes let one choose for recordings with some
/// facts. Where the rulebook knows none there is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TermBounds {
    /// It must be kept so long.
    pub floor: Option<TermBound>,
    /// It may be kept so long.
    pub ceiling: Option<TermBound>,
}

impl TermBounds {
    /// The bounds by the law of a moment.
    #[must_use]
    pub fn of(facts: &Facts, at: Timestamp) -> Self {
        Self::of_values(&facts.filled(), at)
    }

    fn of_values(facts: &Values, at: Timestamp) -> Self {
        let day = calendar::day_of(at).to_string();
        let find = |bound: Bound| {
            let mut terms = in_force(STATUTORY, &day).filter(|term| term.bound == bound);
            let found = terms.find(|term| term.is_of(facts));
            found.map(|term| TermBound {
                length: term.length,
                article: term.article,
            })
        };
        Self {
            floor: find(Bound::Floor),
            ceiling: find(Bound::Ceiling),
        }
    }

    /// The floor, where a chosen term (`unlimited` for one without end) is shorter. Lengths are compared from
    /// `at` on.
    #[must_use]
    pub fn below_floor(&self, chosen: &str, at: Timestamp) -> Option<TermBound> {
        let end = end_of_term(at, chosen)?;
        let is_below =
            |floor: &TermBound| end_of_term(at, floor.length).is_some_and(|last| end < last);
        self.floor.filter(is_below)
    }

    /// The ceiling, where a chosen term is longer, or has no end.
    #[must_use]
    pub fn beyond_ceiling(&self, chosen: &str, at: Timestamp) -> Option<TermBound> {
        let end = end_of_term(at, chosen);
        let is_beyond =
            |ceiling: &TermBound| end.is_none() || end > end_of_term(at, ceiling.length);
        self.ceiling.filter(is_beyond)
    }
}

/// The name of the longest time that an emergency call may be kept.
const EMERGENCY: &str = "emergency_call";

/// Every version of every such term. A change of the law is one more row with the same name.
pub(crate) const STATUTORY: &[StatutoryTerm] = &[
    StatutoryTerm {
        name: "investment_order",
        bound: Bound::Floor,
        sector: "finance_investment",
        purpose: Some("wettelijke_plicht"),
        runs_from: RunsFrom::Creation,
        length: "P5Y",
        article: "Verordening 2017/565 art. 76 lid 11",
        valid_from: "2026-09-29",
        valid_until: None,
    },
    StatutoryTerm {
        name: "debt_collection_file",
        bound: Bound::Floor,
        sector: "debt_collection",
        purpose: Some("bewijs_overeenkomst"),
        runs_from: RunsFrom::StartEvent,
        length: "P2Y",
        article: "Bki 5.1",
        valid_from: "2024-04-01",
        valid_until: None,
    },
    StatutoryTerm {
        name: EMERGENCY,
        bound: Bound::Ceiling,
        sector: "emergency",
        purpose: None,
        runs_from: RunsFrom::Creation,
        length: "P2M",
        article: "Tw 11.10 lid 10",
        valid_from: "2026-08-15",
        valid_until: None,
    },
];

impl StatutoryTerm {
    fn is_floor_of(&self, facts: &Values) -> bool {
        self.bound == Bound::Floor && self.is_of(facts)
    }

    /// Whether it is a term of this sector and purpose.
    fn is_of(&self, facts: &Values) -> bool {
        facts.is(name::SECTOR, self.sector)
            && self
                .purpose
                .is_none_or(|purpose| facts.is(name::PURPOSE, purpose))
    }
}

/// Of each term the youngest version that has begun on a day, unless that has ended. Days are
/// full-dates, compared as text.
pub(crate) fn in_force<'t>(
    table: &'t [StatutoryTerm],
    day: &'t str,
) -> impl Iterator<Item = &'t StatutoryTerm> {
    let has_begun = move |term: &&StatutoryTerm| term.valid_from <= day;
    let is_youngest = move |term: &&StatutoryTerm| {
        let mut same = table.iter().filter(|other| other.name == term.name);
        !same.any(|other| has_begun(&other) && other.valid_from > term.valid_from)
    };
    let is_not_over = move |term: &&StatutoryTerm| term.valid_until.is_none_or(|last| day <= last);
    table
        .iter()
        .filter(has_begun)
        .filter(is_youngest)
        .filter(is_not_over)
}

/// Whether the term chosen is longer than the law of the moment lets it be. Lengths are compared
/// from that moment on.
pub(crate) fn is_beyond_ceiling(facts: &Values, at: Timestamp) -> bool {
    let Some(chosen) = facts.word(name::RETENTION_TERM) else {
        return false;
    };
    let bounds = TermBounds::of_values(facts, at);
    bounds.beyond_ceiling(chosen, at).is_some()
}

/// Whether an emergency call is kept longer than the law of the moment lets it.
pub(crate) fn emergency_call_is_over(facts: &Values, at: Timestamp) -> bool {
    let day = calendar::day_of(at).to_string();
    let recorded = facts.word(name::RECORDED_AT).and_then(calendar::moment);
    let mut ceilings = in_force(STATUTORY, &day).filter(|term| term.name == EMERGENCY);
    let end = ceilings.find_map(|term| end_of_term(recorded?, term.length));
    end.is_some_and(|end| end < at)
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
        let day = calendar::day_of(at).to_string();
        let mut floors = in_force(STATUTORY, &day).filter(|term| term.is_floor_of(facts));
        let statutory = floors.find_map(|term| {
            let from = match term.runs_from {
                RunsFrom::Creation => recorded,
                RunsFrom::StartEvent => start,
            };
            end(from, term.length)
        });
        // What a decision of substitution replaced may go; what replaces it stays (Archiefwet 7).
        let keeps = facts.field_word(name::ARCHIVE, "selectielijst_result") == Some("bewaren")
            && facts.field_flag(name::ARCHIVE, "substitution_decision") != Some(true);
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
