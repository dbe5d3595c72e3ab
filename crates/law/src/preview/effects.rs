//! What the rules that differ between two days do in ordinary situations.

use super::{AnswerChange, Change, differing};
use crate::decide::decide_without_unknown;
use crate::decision::Decision;
use crate::facts::{Facts, name};
use crate::rulebook::Condition;
use crate::rulebook::Rulebook;
use crate::search::{Budget, Found, search};
use crate::situations::{Situation, situations};
use crate::text::Text;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use voicelog_model::Action;

/// How far one looks from one situation for facts that a rule speaks of.
const BUDGET: Budget = Budget {
    steps: 300,
    facts: 1,
};

/// Every change in the answers. Only acts of a rule that differs are asked about, in each ordinary
/// situation: as it is, and with what the rule asks for added.
pub(super) fn between(now: &Rulebook, then: &Rulebook) -> Vec<AnswerChange> {
    let (before, after) = (now.in_force(), then.in_force());
    let mut asked: BTreeMap<Action, Vec<&Condition>> = BTreeMap::new();
    for (_, rule) in differing(&before, &after) {
        for book in [now, then] {
            let Some(version) = book.by_id(&rule.id) else {
                continue;
            };
            for action in book.acts_of(&rule.id) {
                asked.entry(action).or_default().push(version.condition());
            }
        }
    }
    let mut effects: Vec<AnswerChange> = Vec::new();
    for (action, conditions) in asked {
        for situation in situations(action, then.at()) {
            for effect in in_situation(now, then, &situation, &conditions) {
                add(effect, &mut effects);
            }
        }
    }
    effects
}

/// What changes in one situation, each change once.
fn in_situation(
    now: &Rulebook,
    then: &Rulebook,
    situation: &Situation,
    conditions: &[&Condition],
) -> Vec<AnswerChange> {
    let fixed = [name::RECORDER_TYPE, name::PURPOSE];
    let mut questions = vec![situation.facts.clone()];
    for condition in conditions {
        let found = search(
            condition,
            &situation.facts,
            &fixed,
            then.at(),
            BUDGET,
            |facts| Some(facts.clone()),
        );
        if let Found::Yes(facts) = found
            && !questions.contains(&facts)
        {
            questions.push(facts);
        }
    }
    let mut effects: Vec<AnswerChange> = Vec::new();
    for facts in questions {
        let is_new = |effect: &AnswerChange| !effects.iter().any(|known| is_same(known, effect));
        if let Some(effect) = effect(now, then, situation, &facts).filter(is_new) {
            effects.push(effect);
        }
    }
    effects
}

/// The answers of both days to one question, if they differ.
fn effect(
    now: &Rulebook,
    then: &Rulebook,
    situation: &Situation,
    facts: &Facts,
) -> Option<AnswerChange> {
    let at = then.at();
    let before = decide_without_unknown(now, facts, at);
    let after = decide_without_unknown(then, facts, at);
    let effect = AnswerChange {
        action: facts.action(),
        situations: vec![(situation.recorder, situation.purpose)],
        assumed: assumed(situation, facts),
        outcomes: (before.outcome(), after.outcome()),
        reasons: changed(
            &texts(&before, Part::Reasons),
            &texts(&after, Part::Reasons),
        ),
        duties: changed(&texts(&before, Part::Duties), &texts(&after, Part::Duties)),
    };
    let is_same = effect.outcomes.0 == effect.outcomes.1
        && effect.reasons.is_empty()
        && effect.duties.is_empty();
    (!is_same).then_some(effect)
}

/// The facts that differ from the ordinary situation; `null` for those that are not known.
fn assumed(situation: &Situation, facts: &Facts) -> Map<String, Value> {
    let (usual, these) = (situation.facts.to_map(), facts.to_map());
    let mut assumed = Map::new();
    for (name, value) in &these {
        if usual.get(name) != Some(value) {
            assumed.insert(name.clone(), value.clone());
        }
    }
    for name in usual.keys().filter(|name| !these.contains_key(*name)) {
        assumed.insert(name.clone(), Value::Null);
    }
    assumed
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Reasons,
    Duties,
}

/// The texts of one part of an answer, by rule.
fn texts(decision: &Decision, part: Part) -> BTreeMap<&str, &Text> {
    match part {
        Part::Reasons => {
            let reasons = decision.reasons().iter();
            reasons
                .map(|reason| (reason.rule.as_str(), &reason.text))
                .collect()
        }
        Part::Duties => {
            let duties = decision.duties().iter();
            duties
                .map(|duty| (duty.rule.as_str(), &duty.text))
                .collect()
        }
    }
}

fn changed(before: &BTreeMap<&str, &Text>, after: &BTreeMap<&str, &Text>) -> Vec<(Change, Text)> {
    let gone = before.iter().filter(|(rule, _)| !after.contains_key(*rule));
    let gone = gone.map(|(_, text)| (Change::Ends, (*text).clone()));
    let come = after
        .iter()
        .filter_map(|(rule, text)| match before.get(rule) {
            None => Some((Change::Begins, (*text).clone())),
            Some(was) if was != text => Some((Change::Changes, (*text).clone())),
            Some(_) => None,
        });
    gone.chain(come).collect()
}

/// Whether two effects are one, but for the situation.
fn is_same(left: &AnswerChange, right: &AnswerChange) -> bool {
    (left.action, left.outcomes) == (right.action, right.outcomes)
        && (&left.reasons, &left.duties) == (&right.reasons, &right.duties)
}

/// Adds an effect, to the situations of one that is the same where there is one.
fn add(effect: AnswerChange, effects: &mut Vec<AnswerChange>) {
    let mut known = effects.iter_mut();
    let same = known.find(|known| is_same(known, &effect) && known.assumed == effect.assumed);
    match same {
        Some(known) => known.situations.extend(effect.situations),
        None => effects.push(effect),
    }
}
