//! What a missing fact does. It counts only where the fact still makes a difference: with every
//! value tried, the outcomes differ.

use super::{kind_of, look};
use crate::decision::{Outcome, ReasonKind};
use crate::facts::Facts;
use crate::rulebook::{Does, Rule, Rulebook};
use std::collections::BTreeSet;
use voicelog_model::Timestamp;

/// Most trials for one question. Beyond it a fact counts: in doubt the answer is no.
const TRIALS_MAX: usize = 200;

/// Of the rules about missing facts, those whose fact can still change the outcome.
pub(super) fn that_matter<'r>(
    rulebook: &'r Rulebook,
    facts: &Facts,
    at: Timestamp,
    pending: Vec<&'r Rule>,
) -> Vec<&'r Rule> {
    let mut trials = Trials {
        rulebook,
        at,
        asked: BTreeSet::new(),
        left: TRIALS_MAX,
    };
    trials.that_matter(facts, pending)
}

fn fact_of(rule: &Rule) -> Option<&str> {
    match &rule.does {
        Does::Missing { fact, .. } => Some(fact),
        _ => None,
    }
}

struct Trials<'r> {
    rulebook: &'r Rulebook,
    at: Timestamp,
    /// The missing facts that are being tried; what they do themselves is left out of a trial.
    asked: BTreeSet<&'r str>,
    left: usize,
}

impl<'r> Trials<'r> {
    fn that_matter(&mut self, facts: &Facts, pending: Vec<&'r Rule>) -> Vec<&'r Rule> {
        let names: BTreeSet<&'r str> = pending.iter().filter_map(|rule| fact_of(rule)).collect();
        self.asked.extend(&names);
        let mut mattering = BTreeSet::new();
        for name in &names {
            let others: Vec<_> = names
                .iter()
                .copied()
                .filter(|other| other != name)
                .collect();
            if self.makes_a_difference(facts, name, &others) {
                mattering.insert(*name);
            }
        }
        for name in &names {
            self.asked.remove(name);
        }
        let matters = |rule: &&Rule| fact_of(rule).is_none_or(|name| mattering.contains(name));
        pending.into_iter().filter(matters).collect()
    }

    /// Whether two values of the fact give two outcomes, or all of them a graver one than leaving
    /// it open, for some values of the other facts that are asked for. Whether duties are
    /// attached makes no difference here.
    fn makes_a_difference(&mut self, facts: &Facts, name: &str, others: &[&str]) -> bool {
        let mut ranges = Vec::new();
        for trial in facts.trials(name) {
            let Some(range) = self.range(&trial) else {
                return true;
            };
            ranges.push((trial, range));
        }
        // Mostly two values differ at first sight, whatever is open besides.
        let highest_low = ranges.iter().map(|(_, range)| range.low).max();
        let lowest_high = ranges.iter().map(|(_, range)| range.high).min();
        if highest_low > lowest_high {
            return true;
        }
        let mut outcomes = BTreeSet::new();
        for (trial, range) in ranges {
            let outcome = if range.low == range.high {
                Some(range.low)
            } else {
                self.outcome(&trial)
            };
            let Some(outcome) = outcome else {
                return true;
            };
            outcomes.insert(outcome);
        }
        let mildest = outcomes.first().copied().unwrap_or(Outcome::Permitted);
        let graver = || !mildest.is_permitted();
        if outcomes.len() > 1 || (graver() && self.outcome(facts).is_none_or(|open| open < mildest))
        {
            return true;
        }
        // It makes none by itself; it may together with another that is missing as well.
        let Some((first, rest)) = others.split_first() else {
            return false;
        };
        let fixed: Vec<_> = facts.trials(first).collect();
        fixed
            .iter()
            .any(|facts| self.makes_a_difference(facts, name, rest))
            || self.makes_a_difference(facts, name, rest)
    }

    /// Between which outcomes it lies with one value tried: without, and with, all that is asked
    /// for only because of that value. `None` when there were too many trials.
    fn range(&mut self, facts: &Facts) -> Option<Range<'r>> {
        self.left = self.left.checked_sub(1)?;
        let look = look(self.rulebook, facts, self.at);
        let mut pending = look.pending;
        pending.retain(|rule| fact_of(rule).is_none_or(|name| !self.asked.contains(name)));
        let low = look.weighed.outcome(self.rulebook);
        let kinds = pending.iter().filter_map(|rule| kind_of(rule));
        let high = kinds.map(ReasonKind::outcome).fold(low, Outcome::max);
        Some(Range { low, high, pending })
    }

    /// The outcome with one value tried; `None` when there were too many trials. A fact that is
    /// asked for only because of that value counts if it makes a difference in its turn.
    fn outcome(&mut self, facts: &Facts) -> Option<Outcome> {
        let range = self.range(facts)?;
        if range.low == range.high {
            return Some(range.low);
        }
        let mattering = self.that_matter(facts, range.pending);
        let kinds = mattering.iter().filter_map(|rule| kind_of(rule));
        Some(kinds.map(ReasonKind::outcome).fold(range.low, Outcome::max))
    }
}

/// The mildest and the gravest outcome that are still possible.
struct Range<'r> {
    low: Outcome,
    high: Outcome,
    /// What is asked for besides.
    pending: Vec<&'r Rule>,
}
