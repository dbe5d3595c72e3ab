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
mod needs;
mod rule;
mod schema;
mod single;

pub(crate) use asked::Asked;
pub use bare::{BareCedar, BareQuestion};
pub(crate) use condition::{Meaning, Truth};
pub(crate) use rule::{Does, Rule};

use crate::decision::{RulebookRef, Status};
use crate::facts::{calendar, table};
use crate::text::{Bilingual, Text};
use cedar_policy::{
    ActionConstraint, Entities, EntityUid, Policy, PolicyId, PolicySet, Schema, ValidationMode,
    Validator,
};
use sha2::{Digest as _, Sha256};
use single::{Found, RuleSet};
use std::collections::BTreeMap;
use std::str::FromStr as _;
use std::sync::Arc;
use voicelog_model::{Action, Kind, Timestamp};

/// A rulebook does not load.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulebookError {
    /// The text is not Cedar.
    #[error("`{place}` is not Cedar policy text: {why}")]
    Syntax {
        /// The file.
        place: String,
        /// What the parser says.
        why: String,
    },
    /// An annotation is missing or wrong.
    #[error("`{place}`: rule `{rule}`: annotation `@{annotation}`: {why}")]
    Annotation {
        /// The file.
        place: String,
        /// The rule, if it has an id.
        rule: String,
        /// The annotation.
        annotation: String,
        /// What is wrong with it.
        why: String,
    },
    /// A rule speaks of something that facts do not have, or in the wrong way.
    #[error("rules do not fit the facts: {why}")]
    Facts {
        /// What the validator says.
        why: String,
    },
    /// Two rules with one id are valid from the same day.
    #[error("rule `{rule}` is there twice from the same day")]
    Double {
        /// The rule.
        rule: String,
    },
    /// A rule points at a fact or a duty that is not there.
    #[error("rule `{rule}` points at `{target}`, which is not there")]
    Dangling {
        /// The rule.
        rule: String,
        /// What it points at.
        target: String,
    },
}

/// A moment before the first day of the rulebook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", Self::TEXT.en)]
pub struct BeforeRulebook;

impl BeforeRulebook {
    /// What is wrong and what would be right.
    pub const TEXT: Bilingual = Bilingual {
        nl: "dit regelboek kent het recht vanaf 29 september 2026; kies die dag of later",
        en: "this rulebook knows the law from 29 September 2026 on; choose that day or later",
    };

    /// The kind of trouble: the input is wrong.
    #[must_use]
    pub const fn kind(self) -> Kind {
        Kind::Invalid
    }
}

impl RulebookError {
    /// The kind of trouble: the input is wrong.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        Kind::Invalid
    }

    /// What to do about it.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        "`design/law.md` says how a rule is written"
    }
}

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
    duties: RuleSet,
    advice: RuleSet,
}

/// Which of the sets to evaluate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Gates,
    Missing,
    Duties,
    Advice,
}

/// The rules in force at one moment. Built once and shared between threads.
#[derive(Debug, Clone)]
pub struct Rulebook {
    id: String,
    rules: BTreeMap<String, Rule>,
    acts: BTreeMap<Action, ActRules>,
    /// The acts and their groups: the same in every question.
    entities: Entities,
    reference: RulebookRef,
    /// First day of the oldest of the rules that are not in force yet, as a full-date.
    next_change: Option<String>,
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
        let today = calendar::day_of(at).to_string();
        let mut all = PolicySet::new();
        let mut in_force: BTreeMap<String, (Rule, Policy)> = BTreeMap::new();
        let mut next_change: Option<String> = None;
        for (place, text) in files {
            let policies = PolicySet::from_str(text).map_err(|error| RulebookError::Syntax {
                place: (*place).to_owned(),
                why: error.to_string(),
            })?;
            for policy in policies.policies() {
                let rule = rule::read(place, policy)?;
                let dated = PolicyId::new(format!("{} from {}", rule.id, rule.valid_from));
                all.add(policy.new_id(dated))
                    .map_err(|_| RulebookError::Double {
                        rule: rule.id.clone(),
                    })?;
                let is_younger = in_force
                    .get(&rule.id)
                    .is_none_or(|(known, _)| known.valid_from < rule.valid_from);
                if rule.valid_from > today {
                    let is_sooner = next_change
                        .as_ref()
                        .is_none_or(|known| rule.valid_from < *known);
                    if is_sooner {
                        next_change = Some(rule.valid_from);
                    }
                } else if is_younger {
                    let policy = policy.new_id(PolicyId::new(&rule.id));
                    in_force.insert(rule.id.clone(), (rule, policy));
                }
            }
        }
        validate(&schema, &all)?;
        check_pointers(&in_force)?;
        let mut rulebook = Self::build(id, &schema, in_force)?;
        rulebook.next_change = next_change;
        Ok(rulebook)
    }

    fn build(
        id: &str,
        schema: &Schema,
        in_force: BTreeMap<String, (Rule, Policy)>,
    ) -> Result<Self, RulebookError> {
        let entities = schema.action_entities().map_err(facts_error)?;
        let mut acts: BTreeMap<Action, ActRules> = BTreeMap::new();
        let mut hasher = Sha256::new();
        let mut valid_from = String::new();
        let mut rules = BTreeMap::new();
        for (rule_id, (rule, policy)) in in_force {
            for action in Action::ALL {
                if !speaks_on(&policy, action, &entities) {
                    continue;
                }
                let sets = acts.entry(action).or_default();
                let set = match rule.does {
                    Does::Gate(_) => &mut sets.gates,
                    Does::Missing { .. } => &mut sets.missing,
                    Does::Duty { .. } | Does::Mark { .. } => &mut sets.duties,
                    Does::Advice(_) | Does::Forecast => &mut sets.advice,
                };
                set.add(Arc::clone(&rule.single));
            }
            // The text of a rule holds its annotations, so its texts for people too.
            hasher.update((rule_id.len() as u64).to_be_bytes());
            hasher.update(&rule_id);
            hasher.update((rule.cedar.len() as u64).to_be_bytes());
            hasher.update(&rule.cedar);
            valid_from = valid_from.max(rule.valid_from.clone());
            rules.insert(rule_id, rule);
        }
        Ok(Self {
            id: id.to_owned(),
            rules,
            acts,
            entities,
            reference: RulebookRef {
                id: id.to_owned(),
                valid_from,
                hash: crate::hash::text_of(hasher.finalize().as_slice()),
            },
            next_change: None,
        })
    }

    /// Its name: `nl`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
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
        let is_over = self.next_change.as_ref().is_some_and(|next| *next <= day);
        self.reference.valid_from <= day && !is_over
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
        self.rules.get(id).map(show)
    }

    /// Every rule in force, by id.
    pub fn rules(&self) -> impl Iterator<Item = RuleText> {
        self.rules.values().map(show)
    }

    pub(crate) fn by_id(&self, id: &str) -> Option<&Rule> {
        self.rules.get(id)
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

    /// The rules that can make the outcome of an act: gates, what missing facts do, duties.
    pub(crate) fn deciding(&self, action: Action) -> impl Iterator<Item = &Rule> {
        let sets = self.acts.get(&action).into_iter();
        sets.flat_map(|sets| [&sets.gates, &sets.missing, &sets.duties])
            .flat_map(RuleSet::ids)
            .filter_map(|id| self.rules.get(id))
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
            Part::Duties => &sets.duties,
            Part::Advice => &sets.advice,
        };
        let Found { holding, failures } = set.evaluate(asked, &self.entities);
        let mut rules: Vec<_> = holding
            .into_iter()
            .filter_map(|id| self.rules.get(id))
            .collect();
        rules.sort_by(|left, right| (left.gate, &left.id).cmp(&(right.gate, &right.id)));
        (rules, failures)
    }
}

fn facts_error(error: impl std::fmt::Display) -> RulebookError {
    RulebookError::Facts {
        why: error.to_string(),
    }
}

fn schema() -> Result<Schema, RulebookError> {
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
fn check_pointers(rules: &BTreeMap<String, (Rule, Policy)>) -> Result<(), RulebookError> {
    for (id, (rule, _)) in rules {
        let dangling = match &rule.does {
            Does::Missing { fact, .. } if table::definition(fact).is_none() => Some(fact),
            Does::Mark { duty, .. } => {
                let target = rules.get(duty).map(|(rule, _)| &rule.does);
                (!matches!(target, Some(Does::Duty { .. }))).then_some(duty)
            }
            _ => None,
        };
        if let Some(target) = dangling {
            return Err(RulebookError::Dangling {
                rule: id.clone(),
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
        text_nl: rule.text.nl.clone(),
        text_en: rule.text.en.clone(),
        cedar: rule.cedar.clone(),
    }
}

#[cfg(test)]
mod tests {
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
