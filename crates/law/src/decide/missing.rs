//! What a missing fact does. It counts only where the fact still makes a difference: with every
//! value tried, the outcomes of the law differ.

use super::{Reach, kind_of, look};
use crate::decision::{Outcome, ReasonKind};
use crate::facts::Facts;
use crate::facts::table::definition;
use crate::rulebook::{Does, Rule, Rulebook};
use serde_json::Value;
use std::collections::BTreeSet;
use voicelog_model::Timestamp;

/// Most trials for one question. Beyond it a fact counts: in doubt the answer is no.
const TRIALS_MAX: usize = 200;

/// Two values of a missing fact that give two outcomes, whatever else is missing. With other
/// facts changed they mostly still do, which is quickly seen.
#[derive(Debug)]
pub(super) struct Witness {
    fact: &'static str,
    milder: Value,
    graver: Value,
}

/// What is left of the rules about missing facts.
#[derive(Debug, Default)]
pub(super) struct Mattering<'r> {
    /// Those whose fact can still change the outcome.
    pub(super) rules: Vec<&'r Rule>,
    /// How that was seen, where it was seen at first sight.
    pub(super) witnesses: Vec<Witness>,
}

/// Of the rules about missing facts, those whose fact can still change the outcome.
pub(super) fn that_matter<'r>(
    rulebook: &'r Rulebook,
    facts: &Facts,
    at: Timestamp,
    pending: Vec<&'r Rule>,
) -> Mattering<'r> {
    Trials::new(rulebook, at).that_matter(facts, pending)
}

/// Whether one of the rules pending still gives this outcome, as far as a witness shows.
pub(super) fn still_gives<'r>(
    rulebook: &'r Rulebook,
    facts: &Facts,
    at: Timestamp,
    pending: &[&'r Rule],
    outcome: Outcome,
    witnesses: &[Witness],
) -> bool {
    let mut trials = Trials::new(rulebook, at);
    trials.asked = pending.iter().filter_map(|rule| fact_of(rule)).collect();
    witnesses.iter().any(|witness| {
        let gives = |rule: &&&Rule| {
            fact_of(rule) == Some(witness.fact)
                && kind_of(rule).map(ReasonKind::outcome) == Some(outcome)
        };
        let mut range = |value| trials.range(&facts.trial(witness.fact, value)?);
        pending.iter().any(|rule| gives(&rule))
            && match (range(&witness.milder), range(&witness.graver)) {
                (Some(milder), Some(graver)) => milder.high < graver.low,
                _ => false,
            }
    })
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
    const fn new(rulebook: &'r Rulebook, at: Timestamp) -> Self {
        Self {
            rulebook,
            at,
            asked: BTreeSet::new(),
            left: TRIALS_MAX,
        }
    }

    fn that_matter(&mut self, facts: &Facts, pending: Vec<&'r Rule>) -> Mattering<'r> {
        let names: BTreeSet<&'r str> = pending.iter().filter_map(|rule| fact_of(rule)).collect();
        self.asked.extend(&names);
        let mut mattering = BTreeSet::new();
        let mut witnesses = Vec::new();
        for name in &names {
            let others: Vec<_> = names
                .iter()
                .copied()
                .filter(|other| other != name)
                .collect();
            match self.difference(facts, name, &others) {
                Difference::None => {}
                Difference::Somewhere => {
                    mattering.insert(*name);
                }
                Difference::AtFirstSight(witness) => {
                    mattering.insert(*name);
                    witnesses.push(witness);
                }
            }
        }
        for name in &names {
            self.asked.remove(name);
        }
        let matters = |rule: &&Rule| fact_of(rule).is_none_or(|name| mattering.contains(name));
        Mattering {
            rules: pending.into_iter().filter(matters).collect(),
            witnesses,
        }
    }

    /// Whether two values of the fact give two outcomes, or all of them a graver one than leaving
    /// it open, for some values of the other facts that are asked for. Whether duties are
    /// attached makes no difference here.
    fn difference(&mut self, facts: &Facts, name: &str, others: &[&str]) -> Difference {
        let mut ranges = Vec::new();
        for (value, trial) in facts.trials(name) {
            let Some(range) = self.range(&trial) else {
                return Difference::Somewhere;
            };
            ranges.push((value, trial, range));
        }
        // Mostly two values differ at first sight, whatever is open besides.
        let milder = ranges.iter().min_by_key(|(_, _, range)| range.high);
        let graver = ranges.iter().max_by_key(|(_, _, range)| range.low);
        if let (Some(milder), Some(graver), Some(row)) = (milder, graver, definition(name))
            && milder.2.high < graver.2.low
        {
            return Difference::AtFirstSight(Witness {
                fact: row.name,
                milder: milder.0.clone(),
                graver: graver.0.clone(),
            });
        }
        let mut outcomes = BTreeSet::new();
        for (_, trial, range) in ranges {
            let outcome = if range.is_point() {
                Some(range.low)
            } else {
                self.outcome(&trial)
            };
            match outcome {
                Some(outcome) => outcomes.insert(outcome),
                None => return Difference::Somewhere,
            };
        }
        let mildest = outcomes.first().copied().unwrap_or(Outcome::Permitted);
        let is_graver_than_open =
            !mildest.is_permitted() && self.outcome(facts).is_none_or(|open| open < mildest);
        if outcomes.len() > 1 || is_graver_than_open {
            return Difference::Somewhere;
        }
        self.difference_with(facts, name, others)
    }

    /// It makes none by itself; it may together with another that is missing as well.
    fn difference_with(&mut self, facts: &Facts, name: &str, others: &[&str]) -> Difference {
        let Some((first, rest)) = others.split_first() else {
            return Difference::None;
        };
        let fixed: Vec<_> = facts.trials(first).map(|(_, trial)| trial).collect();
        let found = fixed
            .iter()
            .chain([facts])
            .any(|facts| !matches!(self.difference(facts, name, rest), Difference::None));
        if found {
            Difference::Somewhere
        } else {
            Difference::None
        }
    }

    /// Between which outcomes it lies with one value tried: without, and with, all that is asked
    /// for only because of that value. `None` when there were too many trials.
    fn range(&mut self, facts: &Facts) -> Option<Range<'r>> {
        self.left = self.left.checked_sub(1)?;
        let look = look(self.rulebook, facts, self.at, Reach::Law);
        let mut pending = look.pending;
        pending.retain(|rule| fact_of(rule).is_none_or(|name| !self.asked.contains(name)));
        let low = look.weighed.outcome(self.rulebook);
        Some(Range {
            low,
            high: gravest(low, &pending),
            pending,
        })
    }

    /// The outcome with one value tried; `None` when there were too many trials. A fact that is
    /// asked for only because of that value counts if it makes a difference in its turn.
    fn outcome(&mut self, facts: &Facts) -> Option<Outcome> {
        let range = self.range(facts)?;
        if range.is_point() {
            return Some(range.low);
        }
        let mattering = self.that_matter(facts, range.pending);
        Some(gravest(range.low, &mattering.rules))
    }
}

/// The gravest of an outcome and what these rules give.
fn gravest(outcome: Outcome, rules: &[&Rule]) -> Outcome {
    let kinds = rules.iter().filter_map(|rule| kind_of(rule));
    kinds.map(ReasonKind::outcome).fold(outcome, Outcome::max)
}

/// Whether a missing fact makes a difference.
enum Difference {
    None,
    /// It does, or there were too many trials to know.
    Somewhere,
    AtFirstSight(Witness),
}

/// The mildest and the gravest outcome that are still possible.
struct Range<'r> {
    low: Outcome,
    high: Outcome,
    /// What is asked for besides.
    pending: Vec<&'r Rule>,
}

impl Range<'_> {
    fn is_point(&self) -> bool {
        self.low == self.high
    }
}
