//! What a fact or derived fact can still be, while some facts have not been asked for.

use crate::derived::{DERIVED, Of, Seen};
use crate::facts::table::{Definition, Field, Shape, definition, definitions};
use crate::facts::values::Values;
use crate::facts::{Facts, name, trials};
use crate::rulebook::Meaning;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use voicelog_model::Timestamp;

/// Most combinations of open facts that are tried for one name. Beyond it the name can be
/// anything that its type allows: then more is asked, never less.
const TRIALS_MAX: usize = 150;

/// What is known, and what was asked for without becoming known.
pub(super) struct Possible<'a> {
    facts: &'a Facts,
    /// The facts that are asked for already, or have no value that fits what is known.
    settled: BTreeSet<&'static str>,
    at: Timestamp,
    seen: RefCell<BTreeMap<String, Vec<Option<Value>>>>,
}

impl<'a> Possible<'a> {
    /// `asked` names the facts that have been asked for, whatever the answer.
    pub(super) fn new(facts: &'a Facts, asked: &BTreeSet<&'static str>, at: Timestamp) -> Self {
        let fits = |row: &Definition| {
            let mut values = trials::values(row).into_iter();
            values.any(|value| facts.joined(row.name, value).is_some())
        };
        let closed = definitions().filter(|row| !asked.contains(row.name) && !fits(row));
        let settled = closed.map(|row| row.name).chain(asked.iter().copied());
        Self {
            facts,
            settled: settled.collect(),
            at,
            seen: RefCell::new(BTreeMap::new()),
        }
    }

    /// The facts that are open and that a name hangs on.
    pub(super) fn open_facts_of(&self, name: &str) -> Vec<&'static str> {
        let mut open: Vec<_> = inputs_of(name);
        let read_otherwise = [None, Some("private_person")];
        if !read_otherwise.contains(&self.facts.word(name::RECORDER_TYPE)) {
            // Only a private person is read as something else, for who is heard.
            let heard = [name::COUNTERPART_TYPES, name::AGE_YOUNGEST];
            let direct = directly_read_by(name);
            open.retain(|fact| !heard.contains(fact) || direct.contains(fact));
        }
        open.retain(|fact| !self.settled.contains(fact));
        open
    }

    fn find(&self, name: &str) -> Vec<Option<Value>> {
        let open = self.open_facts_of(name);
        if open.is_empty() {
            return vec![value_of(name, self.facts, self.at)];
        }
        let tries = |fact: &&str| 1 + definition(fact).map_or(0, |row| trials::values(row).len());
        if open.iter().map(tries).product::<usize>() > TRIALS_MAX {
            return anything(name);
        }
        let mut found = Vec::new();
        self.try_all(name, self.facts, &open, &mut found);
        found
    }

    /// Tries every value of every open fact, those that contradict left out.
    fn try_all(
        &self,
        name: &str,
        facts: &Facts,
        open: &[&'static str],
        found: &mut Vec<Option<Value>>,
    ) {
        let Some((fact, rest)) = open.split_first() else {
            let value = value_of(name, facts, self.at);
            if !found.contains(&value) {
                found.push(value);
            }
            return;
        };
        self.try_all(name, facts, rest, found);
        for value in definition(fact).map(trials::values).unwrap_or_default() {
            if let Some(facts) = facts.joined(fact, value) {
                self.try_all(name, &facts, rest, found);
            }
        }
    }
}

impl Meaning for Possible<'_> {
    fn values(&self, name: &str) -> Vec<Option<Value>> {
        if let Some(known) = self.seen.borrow().get(name) {
            return known.clone();
        }
        let found = self.find(name);
        self.seen
            .borrow_mut()
            .insert(name.to_owned(), found.clone());
        found
    }

    fn field(&self, name: &str, field: &str) -> Vec<Option<Value>> {
        let row = definition(name);
        let is_open = !self.settled.contains(name);
        if let Some(Definition {
            shape: Shape::Object(fields),
            ..
        }) = row
            && is_open
        {
            let shape = fields.iter().find(|known| known.name == field);
            return shape.map(values_of_field).unwrap_or_default();
        }
        let whole = self.values(name).into_iter();
        whole
            .map(|value| value.and_then(|value| value.get(field).cloned()))
            .collect()
    }
}

fn values_of_field(field: &Field) -> Vec<Option<Value>> {
    let values = match field.shape {
        Shape::Word(words) => words.iter().map(|word| json!(word)).collect(),
        Shape::Flag => vec![json!(true), json!(false)],
        Shape::Reference => vec![json!("none"), json!("x")],
        Shape::Country => vec![json!("NL"), json!("US")],
        _ => vec![json!("x")],
    };
    values.into_iter().map(Some).chain([None]).collect()
}

/// The value of a name with defaults filled in.
fn value_of(name: &str, facts: &Facts, at: Timestamp) -> Option<Value> {
    value_in(name, &facts.filled(), at)
}

/// The value of a name in facts that have their defaults.
pub(crate) fn value_in(name: &str, filled: &Values, at: Timestamp) -> Option<Value> {
    let Some(derived) = DERIVED.iter().find(|derived| derived.name == name) else {
        return filled.value(name).cloned();
    };
    let seen = Seen { facts: filled, at };
    Some(match derived.of {
        Of::Flag(of) => json!(of(&seen)),
        Of::Word(of) => json!(of(&seen)),
    })
}

/// Everything that the type of a name allows.
pub(crate) fn anything(name: &str) -> Vec<Option<Value>> {
    let derived = DERIVED.iter().find(|derived| derived.name == name);
    match derived.map(|derived| derived.of) {
        Some(Of::Flag(_)) => vec![Some(json!(true)), Some(json!(false))],
        Some(Of::Word(_)) => {
            let words = derived.map(|derived| derived.words).unwrap_or_default();
            words.iter().map(|word| Some(json!(word))).collect()
        }
        None => {
            let values = definition(name).map(trials::values).unwrap_or_default();
            values.into_iter().map(Some).chain([None]).collect()
        }
    }
}

/// The facts that a name is computed from, without those of their defaults.
fn directly_read_by(name: &str) -> Vec<&'static str> {
    let derived = DERIVED.iter().find(|derived| derived.name == name);
    match derived {
        Some(derived) => derived.reads.to_vec(),
        None => definition(name).map(|row| row.name).into_iter().collect(),
    }
}

/// The facts that a name is computed from, those of its defaults included.
pub(crate) fn inputs_of(name: &str) -> Vec<&'static str> {
    let mut inputs: Vec<&'static str> = Vec::new();
    let mut pending = directly_read_by(name);
    while let Some(fact) = pending.pop() {
        if !inputs.contains(&fact) {
            inputs.push(fact);
            pending.extend(defaults_read(fact));
        }
    }
    inputs
}

/// What the default of a fact, or the way it is read, hangs on.
fn defaults_read(fact: &str) -> &'static [&'static str] {
    match fact {
        name::RECORDER_TYPE => &[name::COUNTERPART_TYPES],
        name::COUNTERPART_TYPES => &[name::AGE_YOUNGEST],
        name::PURPOSE | name::STRUCTURAL => &[name::RECORDER_TYPE],
        name::LEGAL_BASIS => &[name::RECORDER_TYPE, name::PURPOSE],
        // A confidential profession is asked for as a duty of secrecy, not as a kind of content.
        name::CONFIDENTIALITY_CLAUSE => &[name::COUNTERPART_TYPES],
        name::AGE_YOUNGEST => &[name::COUNTERPART_TYPES],
        name::ANNOUNCED_PURPOSES => &[name::PURPOSE],
        name::START_EVENT => &[name::RECORDED_AT],
        _ => &[],
    }
}
