//! One policy, and the rules of one part of an act.

use super::asked::{Asked, Name, Wanted};
use super::condition::Condition;
use super::needs::Needs;
use super::rule::Origin;
use super::{Rule, RuleFailure};
use cedar_policy::{AuthorizationError, Authorizer, Effect, Entities, Policy, PolicySet, Request};
use std::sync::{Arc, OnceLock};

/// The policy of a rule, and what is read of it.
#[derive(Debug)]
pub(crate) struct Single {
    pub(super) policy: Policy,
    origin: Origin,
    read: OnceLock<Read>,
}

/// What is read of a policy when it is first needed: it takes longer than all the rest of loading.
#[derive(Debug)]
struct Read {
    /// When it holds.
    condition: Condition,
    needs: Needs,
    /// The policy, on every act: its act was selected before it is evaluated. A house rule stays
    /// as it is: to put a policy together again takes more stack than all else that is done with
    /// it, and a house may write longer conditions than the law has.
    on_every_act: Policy,
}

impl Single {
    /// Of a policy whose id is that of its rule.
    pub(super) const fn new(policy: Policy, origin: Origin) -> Self {
        Self {
            policy,
            origin,
            read: OnceLock::new(),
        }
    }

    /// When it holds.
    pub(super) fn condition(&self) -> &Condition {
        &self.read().condition
    }

    fn read(&self) -> &Read {
        self.read
            .get_or_init(|| Read::of(&self.policy, self.origin))
    }
}

impl Read {
    fn of(policy: &Policy, origin: Origin) -> Self {
        let json = policy.to_json();
        // What can't be read may hold and may fail.
        let condition = json.as_ref().map_or_else(
            |_unreadable| Condition::Other(Vec::new()),
            Condition::of_policy,
        );
        let on_every_act = json.ok().filter(|_| origin == Origin::Law);
        let on_every_act = on_every_act.and_then(|mut json| {
            *json.get_mut("action")? = serde_json::json!({ "op": "All" });
            Policy::from_json(Some(policy.id().clone()), json).ok()
        });
        Self {
            needs: Needs::of(&condition),
            condition,
            on_every_act: on_every_act.unwrap_or_else(|| policy.clone()),
        }
    }
}

/// Rules of the same effect that can't hold without the same: one look and one call for all.
#[derive(Debug)]
struct Group {
    rules: Vec<Arc<Rule>>,
    set: Result<PolicySet, String>,
}

impl Group {
    fn of(rules: Vec<Arc<Rule>>) -> Self {
        let policies = rules.iter().map(|rule| &rule.single.read().on_every_act);
        Self {
            set: PolicySet::from_policies(policies.cloned()).map_err(|error| error.to_string()),
            rules,
        }
    }

    fn takes(rules: &[Arc<Rule>], other: &Rule) -> bool {
        rules.first().is_some_and(|rule| {
            rule.single.policy.effect() == other.single.policy.effect()
                && rule
                    .single
                    .read()
                    .needs
                    .are_those_of(&other.single.read().needs)
        })
    }

    fn may_hold(&self, asked: &Asked) -> bool {
        let first = self.rules.first();
        first.is_some_and(|rule| rule.single.read().needs.may_be_met(asked))
    }

    /// Adds the rules that hold, and those that could not be evaluated.
    fn evaluate<'r>(
        &'r self,
        ask: &Ask<'_>,
        held: &mut Vec<&'r Rule>,
        failed: &mut Vec<RuleFailure>,
    ) {
        let failure = |rule: &str, why: &str| RuleFailure {
            rule: Some(rule.to_owned()),
            why: why.to_owned(),
        };
        let set = match &self.set {
            Ok(set) => set,
            Err(why) => return failed.extend(self.rules.iter().map(|rule| failure(&rule.id, why))),
        };
        let response = ask.authorizer.is_authorized(ask.request, set, ask.entities);
        for error in response.diagnostics().errors() {
            let AuthorizationError::PolicyEvaluationError(error) = error;
            failed.push(failure(error.policy_id().as_ref(), &error.to_string()));
        }
        for id in response.diagnostics().reason() {
            let id: &str = id.as_ref();
            held.extend(
                self.rules
                    .iter()
                    .find(|rule| rule.id == id)
                    .map(|rule| &**rule),
            );
        }
    }
}

/// A question as Cedar takes it.
struct Ask<'a> {
    authorizer: Authorizer,
    request: &'a Request,
    entities: &'a Entities,
}

/// The rules of one part of an act.
#[derive(Debug, Clone, Default)]
pub(super) struct RuleSet {
    rules: Vec<Arc<Rule>>,
    /// Made when the act is first asked for.
    groups: Arc<OnceLock<Vec<Group>>>,
}

impl RuleSet {
    pub(super) fn add(&mut self, rule: Arc<Rule>) {
        self.rules.push(rule);
        self.groups = Arc::default();
    }

    pub(super) fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().map(|rule| &**rule)
    }

    fn groups(&self) -> &[Group] {
        self.groups.get_or_init(|| {
            let mut groups: Vec<Vec<Arc<Rule>>> = Vec::new();
            for rule in &self.rules {
                let rule = Arc::clone(rule);
                match groups.iter_mut().find(|group| Group::takes(group, &rule)) {
                    Some(group) => group.push(rule),
                    None => groups.push(vec![rule]),
                }
            }
            groups.into_iter().map(Group::of).collect()
        })
    }

    /// Reads all of its rules, so that the first question on the act does not wait for it.
    pub(super) fn prepare(&self) {
        self.groups();
    }

    /// The rules of this part that hold, as Cedar finds them in one set: where a rule forbids,
    /// those that permit are no reason. And those that could not be evaluated.
    pub(super) fn evaluate(
        &self,
        asked: &Asked,
        entities: &Entities,
    ) -> (Vec<&Rule>, Vec<RuleFailure>) {
        let groups = self.groups().iter().filter(|group| group.may_hold(asked));
        let groups: Vec<&Group> = groups.collect();
        if groups.is_empty() {
            return (Vec::new(), Vec::new());
        }
        let mut wanted = Wanted::none();
        for rule in groups.iter().flat_map(|group| &group.rules) {
            let names = rule.single.read().needs.reads.iter();
            names.for_each(|name: &Name| wanted.add(*name));
        }
        let request = match asked.request(&wanted) {
            Ok(request) => request,
            Err(failure) => return (Vec::new(), vec![failure]),
        };
        let ask = Ask {
            authorizer: Authorizer::new(),
            request: &request,
            entities,
        };
        let (mut held, mut failures) = (Vec::new(), Vec::new());
        for group in groups {
            group.evaluate(&ask, &mut held, &mut failures);
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
        for rule in &self.rules {
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
                let may_hold = |rule: &&Rule| rule.single.read().needs.may_be_met(&asked);
                all += part.rules().count();
                tried += part.rules().filter(may_hold).count();
                held += part.evaluate(&asked, &rulebook.versions.entities).0.len();
            }
        }
        assert!(
            tried * 5 < all && held * 3 > tried * 2,
            "{all} {tried} {held}"
        );
    }
}
