//! What a missing fact does. It counts only where the fact still makes a difference: with every
//! value tried, the outcomes differ.

use super::first_look;
use crate::decision::Outcome;
use crate::facts::Facts;
use crate::rulebook::{Does, Rule, Rulebook};
use std::collections::BTreeSet;
use voicelog_model::Timestamp;

/// Most trials for one question. Beyond it a fact counts: in doubt the answer is no.
const TRIALS_MAX: usize = 256;

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
    /// it open, for some values of the other facts that are asked for.
    fn makes_a_difference(&mut self, facts: &Facts, name: &str, others: &[&str]) -> bool {
        let mut outcomes = BTreeSet::new();
        for trial in facts.trials(name) {
            let Some(outcome) = self.outcome(&trial) else {
                return true;
            };
            outcomes.insert(outcome);
            if outcomes.len() > 1 {
                return true;
            }
        }
        let mildest = outcomes.first().copied().unwrap_or(Outcome::Permitted);
        if !mildest.is_permitted() && self.outcome(facts).is_none_or(|open| open < mildest) {
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

    /// The outcome with one value tried; `None` when there were too many trials. A fact that is
    /// asked for only because of the value tried counts if it makes a difference in its turn.
    fn outcome(&mut self, facts: &Facts) -> Option<Outcome> {
        self.left = self.left.checked_sub(1)?;
        let (mut weighed, mut pending, _) = first_look(self.rulebook, facts, self.at);
        pending.retain(|rule| fact_of(rule).is_none_or(|name| !self.asked.contains(name)));
        if !pending.is_empty() {
            weighed.missing = self.that_matter(facts, pending);
        }
        Some(weighed.outcome(self.rulebook))
    }
}
