//! The interview: which questions are still worth asking, and what the answers say.
//!
//! A question is asked only if a rule that could make the answer graver still hangs on one of its
//! facts. So the interview ends as soon as nothing can change the outcome, and it never leaves
//! out what could. Nothing is remembered: all of it follows from the answers given.
//!
//! **Invariant:** the interview decides nothing. It makes facts; [`crate::decide`] decides.

mod answers;
pub(crate) mod possible;
mod question;
mod questions;

pub use answers::{Answer, Answers, Given};
pub use question::{Choice, Entry, EntryKind, Form, Question};

use crate::decision::{Outcome, ReasonKind};
use crate::facts::values::Values;
use crate::facts::{Facts, FactsError, name};
use crate::rulebook::{Does, Rule, Rulebook, Truth};
use crate::text::{Bilingual, Text};
use possible::Possible;
use question::Settles;
pub(crate) use questions::STAND_IN;
use questions::{question, questions};
use serde_json::Value;
use std::collections::BTreeSet;
use voicelog_model::{Action, Timestamp};

/// Asks a person what the law needs to know.
#[derive(Debug, Clone, Copy)]
pub struct Interview<'r> {
    rulebook: &'r Rulebook,
    at: Timestamp,
}

/// Where an interview stands.
#[derive(Debug, Clone)]
pub struct Walk {
    /// What was asked and answered, in order.
    pub given: Vec<Given>,
    /// What comes now.
    pub step: Step,
}

/// What comes now.
#[derive(Debug, Clone)]
pub enum Step {
    /// A question.
    Ask(Box<Ask>),
    /// Nothing more can change the outcome: the facts, to decide on.
    Done {
        /// What is known now.
        facts: Box<Facts>,
        /// Questions that change only the advice, not yet asked.
        more: Vec<Ask>,
    },
}

/// A question to put now.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Its name in the answers.
    pub key: String,
    /// The question.
    pub question: &'static Question,
    /// Its words here.
    pub words: Bilingual,
    /// The choices that do not contradict what is known.
    pub choices: Vec<&'static Choice>,
    /// The articles of the rules that hang on the answer.
    pub articles: Vec<String>,
    /// What is wrong with the answer that was given to it.
    pub problem: Option<Text>,
    /// The answer that was given to it.
    pub answer: Option<Answer>,
}

/// What is known in the middle of an interview.
#[derive(Debug, Clone, Default)]
struct Known {
    values: Values,
    /// The facts that were asked for, known or not.
    settled: BTreeSet<&'static str>,
    /// The exceptions that were on a list already, by question and choice.
    offered: BTreeSet<(&'static str, &'static str)>,
}

/// Facts that are never asked for: they change no outcome, or follow from others.
const NEVER_ASKED: &[&str] = &[name::START_EVENT];

impl<'r> Interview<'r> {
    /// An interview under one rulebook, for one moment.
    #[must_use]
    pub const fn new(rulebook: &'r Rulebook, at: Timestamp) -> Self {
        Self { rulebook, at }
    }

    /// Follows the answers from the first question on, as far as they reach. Answers to questions
    /// that no longer count are passed over.
    #[must_use]
    pub fn walk(&self, answers: &Answers) -> Walk {
        self.run(|ask| answers.get(&ask.key).cloned())
    }

    /// Puts the questions one by one, until one is not answered.
    fn run(&self, mut answer: impl FnMut(&Ask) -> Option<Answer>) -> Walk {
        let mut known = Known::default();
        known.settled.extend(NEVER_ASKED);
        let mut given: Vec<Given> = Vec::new();
        loop {
            let draft = known.draft(self.at);
            let Some(mut ask) = self.next(draft.as_ref(), &known, &given) else {
                return self.done(known, given, answer);
            };
            ask.answer = answer(&ask);
            let taken = match &ask.answer {
                Some(answer) => known.take(&ask, answer, self.at),
                None => Err(None),
            };
            match (taken, ask.answer.clone()) {
                (Ok(()), Some(answer)) => given.push(Given {
                    key: ask.key,
                    question: ask.question,
                    words: ask.words,
                    answer,
                }),
                (taken, _) => {
                    ask.problem = taken.err().flatten();
                    let step = Step::Ask(Box::new(ask));
                    return Walk { given, step };
                }
            }
        }
    }

    /// The outcome is settled. What is answered of the questions for advice still counts.
    fn done(
        &self,
        mut known: Known,
        mut given: Vec<Given>,
        mut answer: impl FnMut(&Ask) -> Option<Answer>,
    ) -> Walk {
        let draft = known.draft(self.at);
        let extra = |question: &&Question| {
            question.extra && draft.as_ref().is_some_and(|facts| (question.only)(facts))
        };
        let mut more = Vec::new();
        for question in questions().filter(extra) {
            let ask = Ask::new(question, question.id.to_owned(), draft.as_ref());
            match answer(&ask) {
                Some(answer) if known.take(&ask, &answer, self.at).is_ok() => given.push(Given {
                    key: ask.key,
                    question,
                    words: ask.words,
                    answer,
                }),
                _ => more.push(ask),
            }
        }
        let step = match known.facts(self.at) {
            Ok(facts) => Step::Done {
                facts: Box::new(facts),
                more,
            },
            // Choices that contradict are not offered; should two answers still do, the last one
            // is asked again.
            Err(error) => {
                let last = given.pop();
                let question = last.as_ref().map_or(first(), |given| given.question);
                let mut ask = Ask::new(question, question.id.to_owned(), draft.as_ref());
                ask.problem = error.findings().first().map(|finding| finding.text.clone());
                ask.answer = last.map(|given| given.answer);
                Step::Ask(Box::new(ask))
            }
        };
        Walk { given, step }
    }

    /// A question that was answered, to be answered otherwise; nothing if it was not asked.
    #[must_use]
    pub fn again(&self, answers: &Answers, key: &str) -> Option<Ask> {
        let mut without = answers.clone();
        without.remove(key);
        let mut ask = match self.walk(&without).step {
            Step::Ask(ask) => *ask,
            Step::Done { more, .. } => more.into_iter().find(|ask| ask.key == key)?,
        };
        ask.answer = answers.get(key).cloned();
        (ask.key == key).then_some(ask)
    }

    /// The next question that can still change the outcome.
    fn next(&self, draft: Option<&Facts>, known: &Known, given: &[Given]) -> Option<Ask> {
        let Some(facts) = draft else {
            return Some(Ask::new(first(), first().id.to_owned(), None));
        };
        // A new purpose belongs to the act itself.
        if facts.action() == Action::UseFor && !known.settled.contains(name::PURPOSE2) {
            let question = question("new_purpose")?;
            return Some(Ask::new(question, question.id.to_owned(), draft));
        }
        let possible = Possible::new(facts, &known.settled, self.at);
        let mut open = self.hanging(facts.action(), &possible);
        open.retain(|(fact, _)| !known.settled.contains(fact));
        let mut wanted: BTreeSet<&str> = open.iter().map(|(fact, _)| *fact).collect();
        // Who it is decides what is put to them, also where no rule hangs on it any more. Who
        // refuses is not the one who records.
        let is_other = facts.action() == Action::RefuseRecording;
        if !is_other && !known.settled.contains(name::RECORDER_TYPE) {
            wanted.insert(name::RECORDER_TYPE);
        }
        let (question, key) = questions().find_map(|question| {
            let is_wanted = question.asks_for().iter().any(|fact| wanted.contains(fact));
            let fits = !question.extra && is_wanted && (question.only)(facts);
            let key = fits.then(|| key(question, given))??;
            let choices = known.choices(question, facts, &wanted, self.at);
            let has_answers = !choices.is_empty() || matches!(question.form, Form::Fields(_));
            has_answers.then_some((question, (key, choices)))
        })?;
        let (key, choices) = key;
        let mut ask = Ask::new(question, key, draft);
        ask.choices = choices;
        let settles = question.facts();
        for (_, rule) in open.iter().filter(|(fact, _)| settles.contains(fact)) {
            for article in &rule.articles {
                if !ask.articles.contains(article) {
                    ask.articles.push(article.clone());
                }
            }
        }
        Some(ask)
    }

    /// The open facts on which a rule hangs that could still change the outcome.
    fn hanging(&self, action: Action, possible: &Possible<'_>) -> Vec<(&'static str, &'r Rule)> {
        let rules = self.rulebook.deciding(action);
        let weighed: Vec<(&Rule, Outcome, Truth)> = rules
            .filter_map(|rule| {
                let outcome = match &rule.does {
                    // What a missing fact does counts only where a gate hangs on that fact.
                    Does::Gate(kind) => kind.outcome(),
                    Does::Duty { .. } => Outcome::PermittedWithDuties,
                    _ => return None,
                };
                Some((rule, outcome, rule.condition().truth(possible)))
            })
            .collect();
        let sure = |rule: &&(&Rule, Outcome, Truth)| rule.2.may_hold && !rule.2.may_fail;
        let permits = |rule: &Rule| rule.does == Does::Gate(ReasonKind::Permit);
        let gravest = weighed.iter().filter(sure).map(|rule| rule.1).max();
        let is_permitted = weighed.iter().filter(sure).any(|rule| permits(rule.0));
        // What has no permit that is sure is at least for a human to decide.
        let counts = |rule: &Rule, outcome: Outcome| {
            let graver = gravest.is_none_or(|gravest| outcome > gravest);
            let may_permit = !is_permitted
                && permits(rule)
                && gravest.is_none_or(|gravest| gravest < Outcome::NeedsHuman);
            graver && !permits(rule) || may_permit
        };
        let mut open = Vec::new();
        for (rule, outcome, truth) in weighed {
            if truth.may_hold && truth.may_fail && counts(rule, outcome) {
                let mut names = BTreeSet::new();
                rule.condition().hangs_on(possible, &mut names);
                let facts = names.iter().flat_map(|name| possible.open_facts_of(name));
                open.extend(facts.map(|fact| (fact, rule)));
            }
        }
        open
    }
}

/// The question that every interview begins with.
const fn first() -> &'static Question {
    questions::FIRST
}

/// Under which name a question is put now: a list of exceptions can come back with those that
/// count only now. Nothing if it was put often enough.
fn key(question: &Question, given: &[Given]) -> Option<String> {
    let times = given
        .iter()
        .filter(|given| given.question.id == question.id)
        .count();
    match (times, question.form) {
        (0, _) => Some(question.id.to_owned()),
        (1 | 2, Form::Several(_)) => Some(format!("{}-{}", question.id, times + 1)),
        _ => None,
    }
}

impl Ask {
    fn new(question: &'static Question, key: String, draft: Option<&Facts>) -> Self {
        Self {
            key,
            question,
            words: question.words(draft),
            choices: question.choices().iter().collect(),
            articles: Vec::new(),
            problem: None,
            answer: None,
        }
    }

    /// Whether it changes no outcome, only the advice.
    #[must_use]
    pub const fn is_for_advice(&self) -> bool {
        self.question.extra
    }

    /// Whether "I do not know" is an answer to it.
    #[must_use]
    pub const fn may_be_unknown(&self) -> bool {
        self.question.unknown
    }
}

impl Known {
    /// The facts so far; nothing before the act is known.
    fn draft(&self, at: Timestamp) -> Option<Facts> {
        let act = self.values.value(name::REQUESTED_ACTION)?.clone();
        let action = serde_json::from_value(act).ok()?;
        Some(Facts::draft(action, self.values.clone(), at))
    }

    fn facts(&self, at: Timestamp) -> Result<Facts, FactsError> {
        let entries = self.values.iter();
        let map = entries.map(|(name, value)| (name.to_owned(), value.clone()));
        Facts::from_map(&map.collect(), at)
    }

    /// The choices that fit and contradict nothing; of a list of exceptions those that count.
    fn choices(
        &self,
        question: &Question,
        facts: &Facts,
        wanted: &BTreeSet<&str>,
        at: Timestamp,
    ) -> Vec<&'static Choice> {
        let is_list = matches!(question.form, Form::Several(_));
        let fits = |choice: &&'static Choice| {
            let is_new = !self.offered.contains(&(question.id, choice.id));
            let counts = choice.facts().any(|fact| wanted.contains(fact));
            let counts = !is_list || (is_new && counts);
            counts && self.joins(facts, choice, at) && (choice.only)(facts)
        };
        question.choices().iter().filter(fits).collect()
    }

    /// Whether all that a choice says, one after the other, contradicts nothing that is known.
    fn joins(&self, facts: &Facts, choice: &Choice, at: Timestamp) -> bool {
        let mut joined = facts.clone();
        choice.sets.iter().all(|(fact, value)| {
            let Some(value) = value.and_then(|value| resolved(value, at)) else {
                return true;
            };
            let more = joined.joined(fact, merged(self.values.value(fact), value));
            more.map(|more| joined = more).is_some()
        })
    }

    /// Takes an answer in.
    ///
    /// # Errors
    /// What is wrong with it, for the person who gave it; nothing is taken in then.
    fn take(&mut self, ask: &Ask, answer: &Answer, at: Timestamp) -> Result<(), Option<Text>> {
        let mut next = self.clone();
        match (answer, ask.question.form) {
            // Without the act there is nothing to ask about.
            (Answer::NotKnown, _) if !ask.may_be_unknown() => {
                return Err(Some(answers::choose_one()));
            }
            (Answer::NotKnown, _) => next.settled.extend(ask.question.asks_for()),
            (Answer::Chosen(ids), Form::One(_)) => {
                let [id] = ids.as_slice() else {
                    return Err(Some(answers::choose_one()));
                };
                let choice = ask.choices.iter().find(|choice| choice.id == id);
                let choice = choice.ok_or_else(|| Some(answers::no_choice(id)))?;
                next.apply(choice.sets, at);
            }
            (Answer::Chosen(ids), Form::Several(all)) => {
                if ids.is_empty() && ask.question.at_least_one {
                    return Err(Some(answers::choose_some()));
                }
                let known = |id: &&String| all.iter().any(|choice| choice.id == **id);
                if let Some(id) = ids.iter().find(|id| !known(id)) {
                    return Err(Some(answers::no_choice(id)));
                }
                let taken = |choice: &&Choice| answer.has(choice.id);
                let (yes, no): (Vec<&Choice>, Vec<&Choice>) =
                    ask.choices.iter().copied().partition(taken);
                let offered = ask
                    .choices
                    .iter()
                    .map(|choice| (ask.question.id, choice.id));
                next.offered.extend(offered);
                no.iter()
                    .for_each(|choice| next.apply(choice.otherwise, at));
                yes.iter().for_each(|choice| next.apply(choice.sets, at));
            }
            (Answer::Typed(texts), Form::Fields(entries)) => {
                for entry in entries {
                    next.settled.insert(entry.fact);
                    let text = texts.get(entry.id).map(|text| text.trim());
                    if let Some(text) = text.filter(|text| !text.is_empty()) {
                        let value = answers::typed(entry, text, at).map_err(Some)?;
                        next.put(entry, value);
                    }
                }
            }
            _ => return Err(Some(answers::choose_one())),
        }
        *self = next;
        Ok(())
    }

    fn apply(&mut self, settles: &'static [Settles], at: Timestamp) {
        for (fact, value) in settles {
            self.settled.insert(fact);
            if let Some(value) = value.and_then(|value| resolved(value, at)) {
                let value = merged(self.values.value(fact), value);
                self.values.set(fact, value);
            }
        }
    }

    fn put(&mut self, entry: &Entry, value: Value) {
        let value = match entry.field {
            None => value,
            Some(field) => {
                let field = serde_json::json!({ field: value });
                merged(self.values.value(entry.fact), field)
            }
        };
        self.values.set(entry.fact, value);
    }
}

/// Sets and objects grow; everything else is replaced.
fn merged(known: Option<&Value>, new: Value) -> Value {
    match (known, new) {
        (Some(Value::Array(known)), Value::Array(new)) => {
            let mut all = known.clone();
            for item in new {
                if !all.contains(&item) {
                    all.push(item);
                }
            }
            Value::Array(all)
        }
        (Some(Value::Object(known)), Value::Object(new)) => {
            let mut all = known.clone();
            all.extend(new);
            Value::Object(all)
        }
        (_, new) => new,
    }
}

/// A value of the table of questions. `@` is the moment of the interview, `@+P2W` two weeks later.
fn resolved(text: &str, at: Timestamp) -> Option<Value> {
    let value: Value = serde_json::from_str(text).ok()?;
    Some(match value {
        Value::String(text) => moment(&text, at).map_or(Value::String(text), Value::String),
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| {
                let said = value.as_str().and_then(|text| moment(text, at));
                (key, said.map_or(value, Value::String))
            })
            .collect(),
        other => other,
    })
}

fn moment(text: &str, at: Timestamp) -> Option<String> {
    match text.strip_prefix('@')? {
        "" => Some(at.to_string()),
        later => crate::end_of_term(at, later.strip_prefix('+')?).map(|end| end.to_string()),
    }
}

#[cfg(test)]
mod tests;
