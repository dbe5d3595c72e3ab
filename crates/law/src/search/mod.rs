//! Looks for facts under which the condition of a rule holds: to find rules that never do, and what
//! a rule changes.
//!
//! It tries the values that stand for all others, and every value that the condition itself names,
//! and leaves off as soon as the condition can't hold any more. That no facts are found is no
//! proof, and is never said as one.

pub(crate) mod options;

use crate::facts::values::Values;
use crate::facts::{Facts, name};
use crate::interview::possible::{anything, inputs_of, value_in};
use crate::rulebook::{Condition, Meaning};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use voicelog_model::Timestamp;

/// What a search came to.
#[derive(Debug)]
pub(crate) enum Found<T> {
    /// Facts were found, and this was made of them.
    Yes(T),
    /// All was tried.
    No,
    /// Not all was tried: it would have been too much.
    GaveUp,
}

/// How much is tried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    /// Most values set.
    pub(crate) steps: usize,
    /// Most sets of facts looked at.
    pub(crate) facts: usize,
}

/// Looks for facts under which a condition holds and of which `accept` makes something. It starts
/// from `base` and changes only what the condition hangs on, without the facts in `fixed`.
pub(crate) fn search<T>(
    condition: &Condition,
    base: &Facts,
    fixed: &[&str],
    at: Timestamp,
    budget: Budget,
    accept: impl FnMut(&Facts) -> Option<T>,
) -> Found<T> {
    let names = condition.names();
    let open: BTreeSet<&'static str> = names
        .iter()
        .flat_map(|name| inputs_of(name))
        .filter(|fact| *fact != name::REQUESTED_ACTION && !fixed.contains(fact))
        .collect();
    let options = options::of(condition, base, &open);
    let mut looking = Looking {
        condition,
        base,
        fixed,
        at,
        options,
        left: budget,
        gave_up: false,
        accept,
    };
    let found = looking.step(base.given(), open);
    match found {
        Some(found) => Found::Yes(found),
        None if looking.gave_up => Found::GaveUp,
        None => Found::No,
    }
}

struct Looking<'a, F> {
    condition: &'a Condition,
    base: &'a Facts,
    fixed: &'a [&'a str],
    at: Timestamp,
    options: BTreeMap<&'static str, Vec<Option<Value>>>,
    left: Budget,
    gave_up: bool,
    accept: F,
}

impl<T, F: FnMut(&Facts) -> Option<T>> Looking<'_, F> {
    /// One value further; `open` names the facts without one.
    fn step(&mut self, given: &Values, open: BTreeSet<&'static str>) -> Option<T> {
        let Some(left) = self.left.steps.checked_sub(1) else {
            self.gave_up = true;
            return None;
        };
        self.left.steps = left;
        let hanging = {
            let meaning = self.meaning(given, &open);
            let truth = self.condition.truth(&meaning);
            if !truth.may_hold {
                return None;
            }
            let mut names = BTreeSet::new();
            self.condition.hangs_on(&meaning, &mut names);
            let mut facts = names.into_iter().flat_map(inputs_of);
            facts.find(|fact| open.contains(fact))
        };
        let Some(fact) = hanging else {
            return self.look_at(given, 2);
        };
        let mut rest = open;
        rest.remove(fact);
        for option in self.options.get(fact).cloned().unwrap_or_default() {
            let found = self.step(&given.changed(fact, option), rest.clone());
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// Whether these facts will do. Where they contradict each other, other facts are changed
    /// until they do not, `deep` of them at most.
    fn look_at(&mut self, given: &Values, deep: usize) -> Option<T> {
        let action = self.base.action();
        let contradicting = Facts::contradicting(given, self.at);
        if contradicting.is_empty() {
            let facts = Facts::checked(action, given.clone(), self.at)?;
            let Some(left) = self.left.facts.checked_sub(1) else {
                self.gave_up = true;
                return None;
            };
            self.left.facts = left;
            return (self.accept)(&facts);
        }
        let deeper = deep.checked_sub(1)?;
        for fact in contradicting {
            if fact == name::REQUESTED_ACTION || self.fixed.contains(&fact) {
                continue;
            }
            for option in options::plain(fact) {
                let changed = given.changed(fact, option);
                let none_open = BTreeSet::new();
                let still_holds = {
                    let meaning = self.meaning(&changed, &none_open);
                    self.condition.truth(&meaning).may_hold
                };
                if still_holds && let Some(found) = self.look_at(&changed, deeper) {
                    return Some(found);
                }
            }
        }
        None
    }

    fn meaning<'m>(&'m self, given: &Values, open: &'m BTreeSet<&'static str>) -> Partly<'m> {
        let facts = Facts::draft(self.base.action(), given.clone(), self.at);
        Partly {
            filled: facts.filled(),
            open,
            options: &self.options,
            at: self.at,
        }
    }
}

/// What names stand for while some facts have no value yet.
struct Partly<'a> {
    filled: Values,
    open: &'a BTreeSet<&'static str>,
    options: &'a BTreeMap<&'static str, Vec<Option<Value>>>,
    at: Timestamp,
}

impl Meaning for Partly<'_> {
    fn values(&self, name: &str) -> Vec<Option<Value>> {
        if !inputs_of(name).iter().any(|fact| self.open.contains(fact)) {
            return vec![value_in(name, &self.filled, self.at)];
        }
        // What stands in where it is missing, too.
        let mut values = vec![value_in(name, &self.filled, self.at)];
        values.extend(self.options.get(name).cloned().unwrap_or_default());
        values.extend(anything(name));
        values
    }

    fn field(&self, name: &str, field: &str) -> Vec<Option<Value>> {
        let whole = self.values(name).into_iter();
        whole
            .map(|value| value.and_then(|value| value.get(field).cloned()))
            .collect()
    }
}
