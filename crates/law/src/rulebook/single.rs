//! One policy by itself, and the rules of one part of an act.

use super::asked::{Asked, Name, Wanted};
use super::condition::Condition;
use super::needs::Needs;
use super::{Rule, RuleFailure};
use cedar_policy::{AuthorizationError, Authorizer, Effect, Entities, Policy, PolicySet, Request};
use std::sync::{Arc, OnceLock};

/// One policy by itself, so that it can be evaluated without its neighbours.
#[derive(Debug)]
pub(crate) struct Single {
    pub(super) policy: Policy,
    read: OnceLock<Read>,
}

/// What is read of a policy when it is first needed: it takes longer than all the rest of loading.
#[derive(Debug)]
struct Read {
    /// When it holds.
    condition: Condition,
    needs: Needs,
    /// The policy by itself, on every act: its act was selected before it is evaluated.
    set: Result<PolicySet, String>,
}

impl Single {
    /// Of a policy whose id is that of its rule.
    pub(super) const fn new(policy: Policy) -> Self {
        Self {
            policy,
            read: OnceLock::new(),
        }
    }

    /// When it holds.
    pub(super) fn condition(&self) -> &Condition {
        &self.read().condition
    }

    /// Whether it holds; an error if it can't be evaluated.
    fn evaluate(
        &self,
        authorizer: &Authorizer,
        request: &Request,
        entities: &Entities,
    ) -> Result<bool, String> {
        let set = self.read().set.as_ref().map_err(Clone::clone)?;
        let response = authorizer.is_authorized(request, set, entities);
        let diagnostics = response.diagnostics();
        match diagnostics.errors().next() {
            Some(error) => {
                let AuthorizationError::PolicyEvaluationError(error) = error;
                Err(error.to_string())
            }
            None => Ok(diagnostics.reason().next().is_some()),
        }
    }

    fn read(&self) -> &Read {
        self.read.get_or_init(|| Read::of(&self.policy))
    }
}

impl Read {
    fn of(policy: &Policy) -> Self {
        let json = policy.to_json();
        // What can't be read may hold and may fail.
        let condition = json.as_ref().map_or_else(
            |_unreadable| Condition::Other(Vec::new()),
            Condition::of_policy,
        );
        let on_every_act = json.ok().and_then(|mut json| {
            *json.get_mut("action")? = serde_json::json!({ "op": "All" });
            Policy::from_json(Some(policy.id().clone()), json).ok()
        });
        let policy = on_every_act.unwrap_or_else(|| policy.clone());
        Self {
            needs: Needs::of(&condition),
            condition,
            set: PolicySet::from_policies([policy]).map_err(|error| error.to_string()),
        }
    }
}

/// The rules of one part of an act.
#[derive(Debug, Clone, Default)]
pub(super) struct RuleSet(Vec<Arc<Rule>>);

impl RuleSet {
    pub(super) fn add(&mut self, rule: Arc<Rule>) {
        self.0.push(rule);
    }

    pub(super) fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.0.iter().map(|rule| &**rule)
    }

    /// The rules of this part that hold, as Cedar finds them in one set: where a rule forbids,
    /// those that permit are no reason. And those that could not be evaluated.
    pub(super) fn evaluate(
        &self,
        asked: &Asked,
        entities: &Entities,
    ) -> (Vec<&Rule>, Vec<RuleFailure>) {
        let may_hold = |rule: &&Rule| rule.single.read().needs.may_be_met(asked);
        let rules: Vec<&Rule> = self.rules().filter(may_hold).collect();
        if rules.is_empty() {
            return (Vec::new(), Vec::new());
        }
        let mut wanted = Wanted::none();
        let names = rules
            .iter()
            .flat_map(|rule| &rule.single.read().needs.reads);
        names.for_each(|name: &Name| wanted.add(*name));
        let request = match asked.request(&wanted) {
            Ok(request) => request,
            Err(failure) => return (Vec::new(), vec![failure]),
        };
        let authorizer = Authorizer::new();
        let (mut held, mut failures) = (Vec::new(), Vec::new());
        for rule in rules {
            match rule.single.evaluate(&authorizer, &request, entities) {
                Ok(true) => held.push(rule),
                Ok(false) => {}
                Err(why) => failures.push(RuleFailure {
                    rule: Some(rule.id.clone()),
                    why,
                }),
            }
        }
        let forbids = |rule: &Rule| rule.single.policy.effect() == Effect::Forbid;
        if held.iter().any(|rule| forbids(rule)) {
            held.retain(|rule| forbids(rule));
        }
        (held, failures)
    }

    /// All of its rules in one set, as Cedar is used without what this room adds.
    pub(super) fn in_one(&self) -> PolicySet {
        let mut set = PolicySet::new();
        for rule in &self.0 {
            // Ids are unique, so none is left out.
            set.add(rule.single.policy.clone()).ok();
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Facts;
    use crate::rulebook::Rulebook;
    use std::collections::BTreeSet;
    use std::path::Path;
    use voicelog_model::Timestamp;

    fn at() -> Timestamp {
        "2026-11-21T10:02:00Z".parse().unwrap()
    }

    /// The facts of every worked case.
    fn cases() -> Vec<Facts> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
        let files = std::fs::read_dir(folder).unwrap();
        let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let read = |path| {
            let case: serde_json::Value =
                serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            Facts::from_map(case["facts"].as_object().unwrap(), at()).unwrap()
        };
        files.into_iter().map(read).collect()
    }

    /// What is evaluated one by one, after leaving out what plainly can't hold, against what
    /// Cedar finds in all rules of the part as they stand in their files.
    fn agrees_with_cedar(rulebook: &Rulebook, facts: &Facts) {
        let asked = Asked::new(facts.action(), facts.filled(), at());
        let request = asked.request(&Wanted::all()).unwrap();
        let Some(act) = rulebook.acts.get(&facts.action()) else {
            return;
        };
        for part in act.all() {
            let entities = &rulebook.versions.entities;
            let (ours, _) = part.evaluate(&asked, entities);
            let set = part.in_one();
            let whole = Authorizer::new().is_authorized(&request, &set, entities);
            let ours: BTreeSet<_> = ours.iter().map(|rule| rule.id.clone()).collect();
            let reasons = whole.diagnostics().reason();
            let whole: BTreeSet<_> = reasons.map(ToString::to_string).collect();
            assert_eq!(ours, whole, "{}", facts.canonical_json());
        }
    }

    #[test]
    fn what_is_left_out_beforehand_cedar_would_not_have_found() {
        let rulebook = Rulebook::embedded(at()).unwrap();
        let mut nth = 0_usize;
        for case in cases() {
            agrees_with_cedar(&rulebook, &case);
            // The same with one fact changed, or more known: some of very many.
            for row in crate::definitions() {
                for (_, trial) in case.trials(row.name) {
                    nth += 1;
                    if nth.is_multiple_of(29) {
                        agrees_with_cedar(&rulebook, &trial);
                    }
                }
            }
        }
    }

    #[test]
    fn most_rules_are_left_out_beforehand_and_of_those_that_are_not_most_hold() {
        let rulebook = Rulebook::embedded(at()).unwrap();
        let (mut all, mut tried, mut held) = (0, 0, 0);
        for facts in cases() {
            let asked = Asked::new(facts.action(), facts.filled(), at());
            let act = &rulebook.acts[&facts.action()];
            for part in act.all() {
                let may_hold = |rule: &&Arc<Rule>| rule.single.read().needs.may_be_met(&asked);
                all += part.0.len();
                tried += part.0.iter().filter(may_hold).count();
                held += part.evaluate(&asked, &rulebook.versions.entities).0.len();
            }
        }
        assert!(
            tried * 5 < all && held * 3 > tried * 2,
            "{all} {tried} {held}"
        );
    }
}
