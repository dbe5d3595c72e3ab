//! The Cedar calls of one decision without anything around them: what the rest of this room costs
//! is told as a ratio to them (`cargo xtask bench`).

use super::asked::{Asked, Wanted};
use super::{ActRules, Rulebook};
use crate::facts::Facts;
use cedar_policy::{Authorizer, Entities, PolicySet, Request};
use std::collections::BTreeMap;
use voicelog_model::{Action, Timestamp};

/// The policies of each act in four sets, as Cedar takes them: gates, missing facts, duties,
/// advice.
#[derive(Debug)]
pub struct BareCedar<'r> {
    acts: BTreeMap<Action, [PolicySet; 4]>,
    entities: &'r Entities,
}

/// One question, ready for Cedar.
#[derive(Debug)]
pub struct BareQuestion<'b> {
    request: Request,
    sets: &'b [PolicySet; 4],
    entities: &'b Entities,
}

impl<'r> BareCedar<'r> {
    /// The sets of a rulebook.
    #[must_use]
    pub fn of(rulebook: &'r Rulebook) -> Self {
        let sets = |rules: &ActRules| {
            [&rules.gates, &rules.missing, &rules.duties, &rules.advice].map(|set| set.in_one())
        };
        let acts = rulebook.acts.iter();
        Self {
            acts: acts.map(|(act, rules)| (*act, sets(rules))).collect(),
            entities: &rulebook.versions.entities,
        }
    }

    /// The question that [`crate::decide`] puts for these facts; nothing if there are no rules on
    /// the act.
    #[must_use]
    pub fn question(&self, facts: &Facts, at: Timestamp) -> Option<BareQuestion<'_>> {
        let asked = Asked::new(facts.action(), facts.filled(), at);
        Some(BareQuestion {
            request: asked.request(&Wanted::all()).ok()?,
            sets: self.acts.get(&facts.action())?,
            entities: self.entities,
        })
    }
}

impl BareQuestion<'_> {
    /// Evaluates every set once. How many rules hold, so that no call can be left out.
    #[must_use]
    pub fn evaluate(&self) -> usize {
        let authorizer = Authorizer::new();
        let held = self.sets.iter().map(|set| {
            let response = authorizer.is_authorized(&self.request, set, self.entities);
            response.diagnostics().reason().count()
        });
        held.sum()
    }
}
