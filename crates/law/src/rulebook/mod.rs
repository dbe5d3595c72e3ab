//! Rulebooks: dated rules as Cedar policy text, checked when they are loaded, parsed once.
//!
//! Three sets per act: gates (may it happen), duties (what must be done) and advice. A fourth
//! holds what a missing fact does. What plainly can't hold is left out before Cedar is asked.
//!
//! **Invariant:** a rule that can't be evaluated refuses; it is never left out.

mod asked;
mod bare;
mod condition;
mod embedded;
mod error;
mod needs;
pub(crate) mod rule;
mod schema;
mod single;
mod versions;

pub(crate) use asked::Asked;
pub use bare::{BareCedar, BareQuestion};
pub(crate) use condition::{Condition, Meaning, Truth};
pub use error::{BeforeRulebook, RulebookError};
pub(crate) use rule::{Does, Rule};
pub(crate) use versions::{Version, Versions};

use crate::decision::{RulebookRef, Status};
use crate::facts::{calendar, table};
use crate::house::HouseRules;
use crate::text::Text;
use cedar_policy::{
    ActionConstraint, Entities, EntityUid, Policy, PolicyId, PolicySet, Schema, ValidationMode,
    Validator,
};
use rule::Origin;
use sha2::{Digest as _, Sha256};
use single::RuleSet;
use std::collections::BTreeMap;
use std::str::FromStr as _;
use std::sync::Arc;
use voicelog_model::{Action, Timestamp};

/// One rule, to show to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleText {
    /// Its id.
    pub id: String,
    /// Its articles.
    pub articles: Vec<String>,
    /// `criminal`, `privacy`, `labour`, `contract`, `human`, `permit`, `duty`, `advice`, or
    /// `mark` for a rule that says whether a duty is met.
    pub kind: &'static str,
    /// Whether its source was read.
    pub status: Status,
    /// First day of the version of the law that it follows.
    pub valid_from: String,
    /// Last day on which it is in force, for a rule that ends without another in its place.
    pub valid_until: Option<String>,
    /// What it says, in Dutch.
    pub text_nl: String,
    /// What it says, in English.
    pub text_en: String,
    /// The rule itself, as it is evaluated.
    pub cedar: String,
}

/// A rule that could not be evaluated; without an id where the facts themselves could not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RuleFailure {
    pub(crate) rule: Option<String>,
    pub(crate) why: String,
}

/// The rules of one act, by what they do.
#[derive(Debug, Clone, Default)]
struct ActRules {
    gates: RuleSet,
    missing: RuleSet,
    /// What a house forbids. A set of its own, without any permit.
    house: RuleSet,
    duties: RuleSet,
    advice: RuleSet,
}

impl ActRules {
    fn all(&self) -> impl Iterator<Item = &RuleSet> {
        let Self {
            gates,
            missing,
            house,
            duties,
            advice,
        } = self;
        [gates, missing, house, duties, advice].into_iter()
    }

    /// The set that a rule belongs in.
    const fn set_of(&mut self, rule: &Rule) -> &mut RuleSet {
        match rule.does {
            Does::Gate(_) | Does::Missing { .. } if rule.is_of_house() => &mut self.house,
            Does::Gate(_) => &mut self.gates,
            Does::Missing { .. } => &mut self.missing,
            Does::Duty { .. } | Does::Mark { .. } => &mut self.duties,
            Does::Advice(_) | Does::Forecast => &mut self.advice,
        }
    }
}

/// Which of the sets to evaluate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Gates,
    Missing,
    House,
    Duties,
    Advice,
}

/// The rules in force at one moment. Built once and shared between threads.
#[derive(Debug, Clone)]
pub struct Rulebook {
    /// What it is made from: also the rules that are not in force any more, or not yet.
    versions: Versions,
    /// The moment for which it is made.
    at: Timestamp,
    rules: BTreeMap<String, Arc<Rule>>,
    acts: BTreeMap<Action, ActRules>,
    reference: RulebookRef,
    /// From when these are the rules in force, as a full-date; nothing if no rule has begun.
    since: Option<String>,
    /// The day on which the next rule begins or has ended.
    until: Option<String>,
}

impl Rulebook {
    /// The Dutch rulebook that is part of the program, with the rules in force at `at`.
    ///
    /// # Errors
    /// A rule that does not parse, is not annotated, or does not fit the facts: our own mistake,
    /// which the tests of this crate catch.
    pub fn embedded(at: Timestamp) -> Result<Self, RulebookError> {
        Self::from_sources("nl", embedded::FILES, at)
    }

    /// The first moment of which this rulebook knows the law. Before it nothing is permitted,
    /// since the rules that forbid were not all read in the version then in force.
    ///
    /// # Errors
    /// The moment lies before it.
    pub fn knows_the_law_of(at: Timestamp) -> Result<(), BeforeRulebook> {
        let first = calendar::day(embedded::FIRST_DAY);
        match first {
            Some(first) if calendar::day_of(at) >= first => Ok(()),
            _ => Err(BeforeRulebook),
        }
    }

    /// A rulebook from files of Cedar policy text, given as name and content, with the rules in
    /// force at `at`. Of rules with the same id the youngest counts.
    ///
    /// # Errors
    /// As [`Rulebook::embedded`].
    pub fn from_sources(
        id: &str,
        files: &[(&str, &str)],
        at: Timestamp,
    ) -> Result<Self, RulebookError> {
        let schema = schema()?;
        let mut all = PolicySet::new();
        let mut law = Vec::new();
        for (place, text) in files {
            let policies = PolicySet::from_str(text).map_err(|error| RulebookError::Syntax {
                place: (*place).to_owned(),
                why: error.to_string(),
            })?;
            for policy in policies.policies() {
                let rule = rule::read(place, policy, Origin::Law)?;
                let dated = PolicyId::new(format!("{} from {}", rule.id, rule.valid_from));
                all.add(policy.new_id(dated))
                    .map_err(|_| RulebookError::Double {
                        rule: rule.id.clone(),
                    })?;
                let policy = policy.new_id(PolicyId::new(&rule.id));
                law.push((Arc::new(rule), policy));
            }
        }
        validate(&schema, &all)?;
        let versions = Versions {
            id: id.to_owned(),
            law: law.into(),
            house: [].into(),
            entities: Arc::new(schema.action_entities().map_err(facts_error)?),
        };
        Self::build(versions, at)
    }

    /// The same law on another day, with the same house rules.
    ///
    /// # Errors
    /// A rule in force that day points at one that is not.
    pub fn on(&self, at: Timestamp) -> Result<Self, RulebookError> {
        Self::build(self.versions.clone(), at)
    }

    /// The same law on the same day with the rules of an organisation besides. They can refuse and
    /// attach duties and advice; nothing that the law refuses becomes permitted by them.
    ///
    /// # Errors
    /// As [`Rulebook::on`].
    pub fn with_house(&self, house: &HouseRules) -> Result<Self, RulebookError> {
        let versions = Versions {
            house: house.versions(),
            ..self.versions.clone()
        };
        Self::build(versions, self.at)
    }

    fn build(versions: Versions, at: Timestamp) -> Result<Self, RulebookError> {
        let in_force = versions.in_force(&calendar::day_of(at).to_string());
        check_pointers(&in_force.rules)?;
        let mut acts: BTreeMap<Action, ActRules> = BTreeMap::new();
        let mut hasher = Sha256::new();
        let mut valid_from = String::new();
        let mut rules = BTreeMap::new();
        for (rule_id, (rule, policy)) in in_force.rules {
            for action in Action::ALL {
                if speaks_on(policy, action, &versions.entities) {
                    let set = acts.entry(action).or_default().set_of(rule);
                    set.add(Arc::clone(rule));
                }
            }
            // The text of a rule holds its annotations, so its texts for people too.
            hasher.update((rule_id.len() as u64).to_be_bytes());
            hasher.update(rule_id);
            hasher.update((rule.cedar.len() as u64).to_be_bytes());
            hasher.update(&rule.cedar);
            valid_from = valid_from.max(rule.valid_from.clone());
            rules.insert(rule_id.to_owned(), Arc::clone(rule));
        }
        let (since, until) = (in_force.since, in_force.until);
        let id = if versions.house.is_empty() {
            versions.id.clone()
        } else {
            format!("{}+house", versions.id)
        };
        Ok(Self {
            versions,
            at,
            rules,
            acts,
            reference: RulebookRef {
                id,
                valid_from,
                hash: crate::hash::text_of(hasher.finalize().as_slice()),
            },
            since,
            until,
        })
    }

    /// Its name: `nl`; `nl+house` with the rules of an organisation.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.reference.id
    }

    /// First day of the youngest of the rules in force, as a full-date.
    #[must_use]
    pub fn valid_from(&self) -> &str {
        &self.reference.valid_from
    }

    /// Whether these are the rules in force at `at`: no rule began or ended in between.
    #[must_use]
    pub fn is_in_force(&self, at: Timestamp) -> bool {
        let day = calendar::day_of(at).to_string();
        let is_over = self.until.as_ref().is_some_and(|next| *next <= day);
        self.since.as_ref().is_some_and(|first| *first <= day) && !is_over
    }

    /// `sha256:` over the rules in force, with their texts, by id.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.reference.hash
    }

    /// How decisions name this rulebook.
    #[must_use]
    pub const fn reference(&self) -> &RulebookRef {
        &self.reference
    }

    /// What a rule says in a few words ("no consent"), where it has such a text.
    #[must_use]
    pub fn short_text(&self, id: &str) -> Option<&Text> {
        self.rules.get(id)?.short.as_ref()
    }

    /// One rule.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<RuleText> {
        self.rules.get(id).map(|rule| show(rule))
    }

    /// Every rule in force, by id.
    pub fn rules(&self) -> impl Iterator<Item = RuleText> {
        self.rules.values().map(|rule| show(rule))
    }

    /// The moment for which it was made.
    pub(crate) const fn at(&self) -> Timestamp {
        self.at
    }

    /// The day for which it was made, as a full-date.
    pub(crate) fn day(&self) -> String {
        calendar::day_of(self.at).to_string()
    }

    /// The rules in force, by id.
    pub(crate) fn in_force(&self) -> BTreeMap<&str, &Version> {
        self.versions.in_force(&self.day()).rules
    }

    /// The acts on which a rule in force speaks.
    pub(crate) fn acts_of(&self, id: &str) -> Vec<Action> {
        let speaks = |sets: &ActRules| sets.all().any(|set| set.rules().any(|rule| rule.id == id));
        let acts = self.acts.iter().filter(|(_, sets)| speaks(sets));
        acts.map(|(action, _)| *action).collect()
    }

    /// The rules in force that say whether a duty is met.
    pub(crate) fn marks_of(&self, id: &str) -> Vec<&Rule> {
        let marks = |rule: &&Rule| matches!(&rule.does, Does::Mark { duty, .. } if duty == id);
        self.rules.values().map(Arc::as_ref).filter(marks).collect()
    }

    /// Every version of every rule.
    pub(crate) const fn versions(&self) -> &Versions {
        &self.versions
    }

    pub(crate) fn by_id(&self, id: &str) -> Option<&Rule> {
        self.rules.get(id).map(Arc::as_ref)
    }

    /// The ids of all rules that hold for these facts.
    #[cfg(test)]
    pub(crate) fn holding_all(
        &self,
        facts: &crate::facts::Facts,
        at: Timestamp,
    ) -> std::collections::BTreeSet<String> {
        let asked = Asked::new(facts.action(), facts.filled(), at);
        [Part::Gates, Part::Missing, Part::Duties]
            .into_iter()
            .flat_map(|part| self.holding(&asked, part).0)
            .map(|rule| rule.id.clone())
            .collect()
    }

    /// Reads the conditions of all rules now, which else happens when an act is first asked for:
    /// for whoever has to answer at once.
    pub fn prepare(&self) {
        self.acts
            .values()
            .flat_map(ActRules::all)
            .for_each(RuleSet::prepare);
    }

    /// The rules that can make the outcome of an act: gates, what missing facts do, duties.
    pub(crate) fn deciding(&self, action: Action) -> impl Iterator<Item = &Rule> {
        let sets = self.acts.get(&action).into_iter();
        sets.flat_map(|sets| [&sets.gates, &sets.missing, &sets.house, &sets.duties])
            .flat_map(RuleSet::rules)
    }

    /// The rules of one part that hold for these facts, in the order of the law; and the rules
    /// that could not be evaluated.
    pub(crate) fn holding(&self, asked: &Asked, part: Part) -> (Vec<&Rule>, Vec<RuleFailure>) {
        let Some(sets) = self.acts.get(&asked.action) else {
            return (Vec::new(), Vec::new());
        };
        let set = match part {
            Part::Gates => &sets.gates,
            Part::Missing => &sets.missing,
            Part::House => &sets.house,
            Part::Duties => &sets.duties,
            Part::Advice => &sets.advice,
        };
        let (mut rules, failures) = set.evaluate(asked, &self.versions.entities);
        rules.sort_by(|left, right| (left.gate, &left.id).cmp(&(right.gate, &right.id)));
        (rules, failures)
    }
}

fn facts_error(error: impl std::fmt::Display) -> RulebookError {
    RulebookError::Facts {
        why: error.to_string(),
    }
}

pub(crate) fn schema() -> Result<Schema, RulebookError> {
    let (schema, _warnings) = Schema::from_cedarschema_str(&schema::text()).map_err(facts_error)?;
    Ok(schema)
}

/// Strict: also a rule that could never hold is a mistake.
fn validate(schema: &Schema, policies: &PolicySet) -> Result<(), RulebookError> {
    let result = Validator::new(schema.clone()).validate(policies, ValidationMode::Strict);
    let errors = result.validation_errors().map(ToString::to_string);
    let warnings = result.validation_warnings().map(ToString::to_string);
    let why: Vec<_> = errors.chain(warnings).take(10).collect();
    if why.is_empty() {
        Ok(())
    } else {
        Err(RulebookError::Facts {
            why: why.join("; "),
        })
    }
}

/// Whether the scope of a rule includes an act, so that it belongs in that act's sets.
fn speaks_on(policy: &Policy, action: Action, entities: &Entities) -> bool {
    let Ok(act) = asked::uid("Action", action.as_str()) else {
        return true;
    };
    let includes = |group: &EntityUid| *group == act || entities.is_ancestor_of(group, &act);
    match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::In(groups) => groups.iter().any(includes),
        ActionConstraint::Eq(group) => includes(&group),
    }
}

/// What a rule points at must be there: the fact it misses, the duty it marks.
///
/// A house rule may point at a duty that begins later: it then has no effect, and can't stop a
/// server that loads its rules at midnight.
fn check_pointers(rules: &BTreeMap<&str, &Version>) -> Result<(), RulebookError> {
    for (id, (rule, _)) in rules.iter().filter(|(_, (rule, _))| !rule.is_of_house()) {
        let dangling = match &rule.does {
            Does::Missing { fact, .. } if table::definition(fact).is_none() => Some(fact),
            Does::Mark { duty, .. } => {
                let target = rules.get(duty.as_str()).map(|(rule, _)| &rule.does);
                (!matches!(target, Some(Does::Duty { .. }))).then_some(duty)
            }
            _ => None,
        };
        if let Some(target) = dangling {
            return Err(RulebookError::Dangling {
                rule: (*id).to_owned(),
                target: target.clone(),
            });
        }
    }
    Ok(())
}

fn show(rule: &Rule) -> RuleText {
    RuleText {
        id: rule.id.clone(),
        articles: rule.articles.clone(),
        kind: match rule.does {
            Does::Gate(kind) | Does::Missing { kind, .. } => kind.as_str(),
            Does::Duty { .. } => "duty",
            Does::Mark { .. } => "mark",
            Does::Advice(_) | Does::Forecast => "advice",
        },
        status: rule.status,
        valid_from: rule.valid_from.clone(),
        valid_until: rule.valid_until.clone(),
        text_nl: rule.text.nl.clone(),
        text_en: rule.text.en.clone(),
        cedar: rule.cedar.clone(),
    }
}

#[cfg(test)]
mod tests {
    mod mutants;

    use super::*;
    use crate::facts::Facts;
    use serde_json::Value;

    #[test]
    fn facts_always_have_the_types_that_the_rules_count_on() {
        let at: Timestamp = "2026-11-21T10:02:00Z".parse().unwrap();
        let schema = schema().unwrap();
        let check = |facts: &Facts| {
            let act = asked::uid("Action", facts.action().as_str()).unwrap();
            let asked = Asked::new(facts.action(), facts.filled(), at);
            let request = asked.request(&asked::Wanted::all()).unwrap();
            let context = request.context().unwrap();
            if let Err(error) = context.validate(&schema, &act) {
                panic!("{}: {error}", facts.canonical_json());
            }
        };
        for text in [
            include_str!("../../tests/cases/C52.json"),
            include_str!("../../tests/cases/C55-approved.json"),
            include_str!("../../tests/cases/demo-3-germany.json"),
        ] {
            let case: Value = serde_json::from_str(text).unwrap();
            let facts = Facts::parse(case["facts"].to_string().as_bytes(), at).unwrap();
            check(&facts);
        }
        // Every fact with every value that stands for others, for every act.
        for action in Action::ALL {
            let text = match action {
                Action::UseFor => {
                    r#"{"requested_action":"use_for","purpose2":"klacht"}"#.to_owned()
                }
                other => format!(r#"{{"requested_action":"{other}"}}"#),
            };
            let facts = Facts::parse(text.as_bytes(), at).unwrap();
            check(&facts);
            for row in facts.missing() {
                for (_, trial) in facts.trials(row.name).take(4) {
                    check(&trial);
                }
            }
        }
    }
}
