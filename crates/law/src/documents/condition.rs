//! When a clause is there, or a document fits: a condition on facts, as it stands in a text.
//!
//! `purpose` (known, or true), `legal_basis = f`, `counterpart_types = employee|works_council_member`
//! (one of them is in the set), `not or_status = pvt_only`, `lia.interest`.

use super::particulars::{self, Particulars};
use crate::derived::{DERIVED, Of, Seen};
use crate::facts::table::{Shape, definition};
use crate::facts::values::Values;
use serde_json::Value;
use voicelog_model::Timestamp;

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    /// It holds where the test does not.
    negated: bool,
    name: String,
    /// A field of an object fact.
    field: Option<String>,
    /// The words of which it has to be one; none: it has to be known, and not false.
    words: Vec<String>,
}

/// What a condition is tested against.
pub(super) struct Situation<'a> {
    /// The facts with their defaults.
    pub(super) facts: &'a Values,
    pub(super) particulars: &'a Particulars,
    pub(super) at: Timestamp,
}

impl Condition {
    /// Reads one condition; or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (negated, text) = match text.strip_prefix("not ") {
            Some(rest) => (true, rest.trim()),
            None => (false, text),
        };
        let (place, words) = match text.split_once('=') {
            Some((place, words)) => {
                let words = words.split('|').map(|word| word.trim().to_owned());
                (place.trim(), words.collect())
            }
            None => (text, Vec::new()),
        };
        let (name, field) = match place.split_once('.') {
            Some((name, field)) => (name, Some(field.to_owned())),
            None => (place, None),
        };
        let condition = Self {
            negated,
            name: name.to_owned(),
            field,
            words,
        };
        match condition.fault() {
            Some(fault) => Err(fault),
            None => Ok(condition),
        }
    }

    /// What is wrong with it: a fact that does not exist, or a word that it can't be.
    fn fault(&self) -> Option<String> {
        let name = &self.name;
        let known: Option<Vec<&str>> =
            if let Some(derived) = DERIVED.iter().find(|derived| derived.name == name) {
                Some(match derived.of {
                    Of::Flag(_) => vec!["true", "false"],
                    Of::Word(_) => derived.words.to_vec(),
                })
            } else if let Some(row) = definition(name) {
                let shape = match (&self.field, row.shape) {
                    (None, shape) => Some(shape),
                    (Some(field), Shape::Object(fields)) => fields
                        .iter()
                        .find(|known| known.name == field)
                        .map(|field| field.shape),
                    (Some(_), _) => None,
                };
                match shape {
                    Some(shape) => words_of(shape),
                    None => return Some(format!("fact `{name}` has no such field")),
                }
            } else if particulars::find(name).is_some() {
                None
            } else {
                return Some(format!("there is no fact `{name}`"));
            };
        let strange = |word: &&String| {
            known
                .as_ref()
                .is_none_or(|known| !known.contains(&word.as_str()))
        };
        let strange = self.words.iter().find(strange)?;
        Some(format!("`{name}` can never be `{strange}`"))
    }

    /// Whether it holds.
    pub(super) fn holds(&self, situation: &Situation<'_>) -> bool {
        self.test(situation) != self.negated
    }

    fn test(&self, situation: &Situation<'_>) -> bool {
        let is_one = |word: &str| self.words.is_empty() || self.words.iter().any(|w| w == word);
        if let Some(derived) = DERIVED.iter().find(|derived| derived.name == self.name) {
            let seen = Seen {
                facts: situation.facts,
                at: situation.at,
            };
            return match derived.of {
                Of::Flag(of) if self.words.is_empty() => of(&seen),
                Of::Flag(of) => is_one(if of(&seen) { "true" } else { "false" }),
                Of::Word(of) => is_one(of(&seen)),
            };
        }
        if particulars::find(&self.name).is_some() {
            return situation.particulars.get(&self.name).is_some();
        }
        let value = match &self.field {
            Some(field) => situation.facts.field(&self.name, field),
            None => situation.facts.value(&self.name),
        };
        match value {
            None => false,
            Some(Value::Bool(flag)) if self.words.is_empty() => *flag,
            Some(Value::Bool(flag)) => is_one(if *flag { "true" } else { "false" }),
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).any(is_one),
            Some(Value::String(word)) => is_one(word),
            Some(_) => self.words.is_empty(),
        }
    }
}

/// The words that a fact of this shape can be; nothing where they can't be listed.
fn words_of(shape: Shape) -> Option<Vec<&'static str>> {
    match shape {
        Shape::Word(words) | Shape::Words(words, _) => Some(words.to_vec()),
        Shape::Flag => Some(vec!["true", "false"]),
        Shape::Reference | Shape::Address => Some(vec!["none"]),
        Shape::Countries => Some(crate::facts::countries::COUNTRIES.to_vec()),
        Shape::Term => Some(vec!["unlimited"]),
        _ => None,
    }
}
