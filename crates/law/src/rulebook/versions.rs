//! Every version of every rule, parsed once; and which of them are in force on a day.

use super::rule::Rule;
use crate::facts::calendar;
use cedar_policy::{Entities, Policy};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One version of one rule. The policy has the id of the rule.
pub(crate) type Version = (Arc<Rule>, Policy);

/// All versions of a rulebook, those of a house behind those of the law.
#[derive(Debug, Clone)]
pub(crate) struct Versions {
    /// Its name.
    pub(super) id: String,
    pub(super) law: Arc<[Version]>,
    pub(super) house: Arc<[Version]>,
    /// The acts and their groups: the same in every question.
    pub(super) entities: Arc<Entities>,
}

/// The versions in force on a day.
pub(crate) struct InForce<'v> {
    pub(crate) rules: BTreeMap<&'v str, &'v Version>,
    /// The last day, not after this one, on which a rule began or had just ended.
    pub(super) since: Option<String>,
    /// The first day after this one on which a rule begins or has just ended.
    pub(super) until: Option<String>,
}

impl Versions {
    pub(super) fn all(&self) -> impl Iterator<Item = &Version> {
        self.law.iter().chain(self.house.iter())
    }

    /// The ids of the rules of the law, whatever their day.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.law.iter().map(|(rule, _)| rule.id.as_str())
    }

    /// Every day on which a rule begins or has just ended, in order, each once.
    pub(crate) fn days_of_change(&self) -> Vec<String> {
        let mut days: Vec<_> = self
            .all()
            .flat_map(|(rule, _)| [Some(rule.valid_from.clone()), day_after_end(rule)])
            .flatten()
            .collect();
        days.sort();
        days.dedup();
        days
    }

    /// Of each id the youngest version that has begun, unless that has ended. Days are
    /// full-dates, compared as text.
    pub(crate) fn in_force(&self, day: &str) -> InForce<'_> {
        let mut rules: BTreeMap<&str, &Version> = BTreeMap::new();
        for version in self.all() {
            let (rule, _) = version;
            let is_younger = rules
                .get(rule.id.as_str())
                .is_none_or(|(known, _)| known.valid_from < rule.valid_from);
            if rule.valid_from.as_str() <= day && is_younger {
                rules.insert(&rule.id, version);
            }
        }
        rules.retain(|_, (rule, _)| rule.valid_until.as_deref().is_none_or(|last| day <= last));
        let days = self.days_of_change();
        let (past, future): (Vec<_>, Vec<_>) =
            days.into_iter().partition(|change| change.as_str() <= day);
        InForce {
            rules,
            since: past.into_iter().next_back(),
            until: future.into_iter().next(),
        }
    }
}

/// The first day on which a rule with an end is not in force any more.
fn day_after_end(rule: &Rule) -> Option<String> {
    let last = calendar::day(rule.valid_until.as_deref()?)?;
    Some(last.tomorrow().ok()?.to_string())
}
