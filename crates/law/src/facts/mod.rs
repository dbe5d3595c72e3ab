//! Facts: what is known about one conversation and one act.
//!
//! A facts file is one JSON object. A missing key is the only way to say "not known"; everything
//! that is not in the table is an error that names the place and what would be right.

pub(crate) mod calendar;
mod canonical;
mod combinations;
pub(crate) mod countries;
pub(crate) mod defaults;
mod error;
mod json;
pub(crate) mod name;
mod schema;
mod shape;
pub(crate) mod table;
pub(crate) mod trials;
pub(crate) mod values;

pub use error::{FactsError, Finding};
pub(crate) use error::{nearest, shown};
pub use schema::facts_schema;

use crate::text::{BYTE_ORDER_MARK, Text};
use defaults::Mended;
use error::Findings;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use table::{definition, definitions};
use values::Values;
use voicelog_model::{Action, Timestamp, limits};

/// Words that the rulebook computes; a facts file never gives them.
const COMPUTED: &[&str] = &[
    "lawful_criminal",
    "avg_applies",
    "controller",
    "basis_valid",
    "all_agreed",
    "duty_set",
    "targeted_monitoring",
    "high_risk",
    "staff_audible",
    "or_consent_needed",
    "strictest_country",
    "incompatible_purpose",
    "evidence_forecast",
    "reputational_labour_risk",
    "retention_floor",
    "retention_ceiling",
    "human_decision_needed",
];

/// What is known about one conversation and one act. It holds no names of people, only roles,
/// pseudonyms and references.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    action: Action,
    /// As given. The hash is taken over this.
    given: Values,
    /// As read: mended, without defaults.
    read: Values,
    mended: Vec<Mended>,
    /// The moment against which "not later than now" was checked.
    checked_at: Timestamp,
}

impl Facts {
    /// Reads a facts file.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place and what would be right: no JSON
    /// object, an unknown key, a value that is not listed, a combination that contradicts itself.
    pub fn parse(json: &[u8], at: Timestamp) -> Result<Self, FactsError> {
        let mut findings = Findings::default();
        if json.len() > limits::FACTS_BYTES_MAX {
            let most = limits::FACTS_BYTES_MAX;
            findings.add(
                "facts",
                &format!("groter dan {most} bytes"),
                &format!("larger than {most} bytes"),
            );
            return Err(findings.into_error());
        }
        match read_object(json, "facts") {
            Ok(map) => Self::from_map(&map, at),
            Err((place, why)) => {
                findings.add(&place, &why.nl, &why.en);
                Err(findings.into_error())
            }
        }
    }

    /// Reads facts that are already a JSON object.
    ///
    /// # Errors
    /// As [`Facts::parse`].
    pub fn from_map(map: &Map<String, Value>, at: Timestamp) -> Result<Self, FactsError> {
        let mut findings = Findings::default();
        let mut given = Values::default();
        for (key, value) in map {
            match definition(key) {
                Some(row) => {
                    shape::check(row.name, row.shape, value, &mut findings);
                    given.set(row.name, value.clone());
                }
                None => unknown_key(key, &mut findings),
            }
        }
        if !given.has(name::REQUESTED_ACTION) {
            findings.add(
                name::REQUESTED_ACTION,
                "ontbreekt; noem de handeling, bijvoorbeeld `record`",
                "is missing; name the act, for example `record`",
            );
        }
        if !findings.is_empty() {
            return Err(findings.into_error());
        }
        combinations::check(&given, at, &mut findings);
        let act = given
            .value(name::REQUESTED_ACTION)
            .cloned()
            .unwrap_or_default();
        match serde_json::from_value(act) {
            Ok(action) if findings.is_empty() => Ok(Self::read(action, given, at)),
            _ => Err(findings.into_error()),
        }
    }

    fn read(action: Action, given: Values, checked_at: Timestamp) -> Self {
        let mut read = given.clone();
        let mended = defaults::mend(&mut read);
        Self {
            action,
            given,
            read,
            mended,
            checked_at,
        }
    }

    /// The same facts with one more, or with another value for one.
    ///
    /// # Errors
    /// As [`Facts::parse`].
    pub fn with(&self, name: &str, value: Value) -> Result<Self, FactsError> {
        let mut map = self.to_map();
        map.insert(name.to_owned(), value);
        Self::from_map(&map, self.checked_at)
    }

    /// These facts with each value of one fact that stands for others, without those that would
    /// contradict what is known. For finding out what a missing fact could change.
    pub(crate) fn trials(&self, name: &str) -> impl Iterator<Item = (Value, Self)> {
        let row = definition(name);
        let values = row.map(trials::values).unwrap_or_default();
        values.into_iter().filter_map(move |value| {
            let trial = self.trial(row?.name, &value)?;
            Some((value, trial))
        })
    }

    /// These facts with one value, which has the right shape; nothing if that would contradict
    /// what is known.
    pub(crate) fn trial(&self, name: &'static str, value: &Value) -> Option<Self> {
        let mut given = self.given.clone();
        given.set(name, value.clone());
        (!combinations::any(&given, self.checked_at))
            .then(|| Self::read(self.action, given, self.checked_at))
    }

    /// The facts of an interview that goes on: what is asked next may still be wanting.
    pub(crate) fn draft(action: Action, given: Values, at: Timestamp) -> Self {
        Self::read(action, given, at)
    }

    /// These facts with one value, which has the right shape; nothing if that would add a
    /// contradiction.
    pub(crate) fn joined(&self, name: &'static str, value: Value) -> Option<Self> {
        let mut given = self.given.clone();
        given.set(name, value);
        let (before, after) = (&self.given, &given);
        let count = |facts| combinations::count(facts, self.checked_at);
        (count(after) <= count(before)).then(|| Self::read(self.action, given, self.checked_at))
    }

    /// Facts whose values have the right shape; nothing if they contradict each other.
    pub(crate) fn checked(action: Action, given: Values, at: Timestamp) -> Option<Self> {
        (!combinations::any(&given, at)).then(|| Self::read(action, given, at))
    }

    /// The facts that contradict each other among these, each once.
    pub(crate) fn contradicting(given: &Values, at: Timestamp) -> Vec<&'static str> {
        combinations::names(given, at)
    }

    /// The facts as given.
    pub(crate) const fn given(&self) -> &Values {
        &self.given
    }

    /// The word that a fact holds, if it was given.
    pub(crate) fn word(&self, name: &str) -> Option<&str> {
        self.given.word(name)
    }

    /// Whether a set was given and holds a word.
    pub(crate) fn holds(&self, name: &str, word: &str) -> bool {
        self.given.holds(name, word)
    }

    /// Whether a fact was given and is one of these words.
    pub(crate) fn is_one_of(&self, name: &str, words: &[&str]) -> bool {
        self.given.is_one_of(name, words)
    }

    /// The act asked about.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.action
    }

    /// Whether a fact was given.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.given.has(name)
    }

    /// The facts as given, as a JSON object.
    #[must_use]
    pub fn to_map(&self) -> Map<String, Value> {
        let entries = self.given.iter();
        entries
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect()
    }

    /// RFC 8785 canonical JSON with sets sorted: equal facts have equal bytes.
    #[must_use]
    pub fn canonical_json(&self) -> String {
        canonical::text(&self.given)
    }

    /// `sha256:` and the hash of the canonical JSON in hexadecimal.
    #[must_use]
    pub fn hash(&self) -> String {
        crate::hash::text_of(Sha256::digest(self.canonical_json()).as_slice())
    }

    pub(crate) fn mended(&self) -> &[Mended] {
        &self.mended
    }

    /// The facts as read, with every default filled in.
    pub(crate) fn filled(&self) -> Values {
        let mut filled = self.read.clone();
        defaults::fill(&mut filled);
        filled
    }

    /// The facts that were not given, in the order of the table.
    pub(crate) fn missing(&self) -> impl Iterator<Item = &'static table::Definition> {
        definitions().filter(|row| !self.given.has(row.name))
    }
}

/// Whether a fact can have this value.
pub(crate) fn fits(row: &table::Definition, value: &Value) -> bool {
    let mut findings = Findings::default();
    shape::check(row.name, row.shape, value, &mut findings);
    findings.is_empty()
}

/// Reads one JSON object without double keys, at any depth; nothing if it is none.
#[must_use]
pub fn strict_object(bytes: &[u8]) -> Option<Map<String, Value>> {
    read_object(bytes, "").ok()
}

/// The same; else where it is wrong, and how. `whole` is the place that stands for all of it.
pub(crate) fn read_object(bytes: &[u8], whole: &str) -> Result<Map<String, Value>, (String, Text)> {
    let mark = BYTE_ORDER_MARK.as_bytes();
    match serde_json::from_slice(bytes.strip_prefix(mark).unwrap_or(bytes)) {
        Ok(json::Strict(Value::Object(map))) => Ok(map),
        Ok(_) => {
            let wrong = Text::new("moet één JSON-object zijn", "must be one JSON object");
            Err((whole.to_owned(), wrong))
        }
        Err(error) => {
            let place = format!("line {}, column {}", error.line(), error.column());
            let why = error.to_string();
            let why = why.split(" at line ").next().unwrap_or_default();
            let wrong = Text::new(
                format!("geen geldige JSON ({why})"),
                format!("not valid JSON ({why})"),
            );
            Err((place, wrong))
        }
    }
}

fn unknown_key(key: &str, findings: &mut Findings) {
    if COMPUTED.contains(&key) {
        return findings.add(
            key,
            "wordt berekend en staat nooit in een feitenbestand",
            "is computed and never stands in a facts file",
        );
    }
    let near = nearest(key, definitions().map(|row| row.name));
    let place = shown(key);
    match near {
        Some(near) => findings.add(
            &place,
            &format!("is geen feit; bedoelt u `{near}`?"),
            &format!("is not a fact; did you mean `{near}`?"),
        ),
        None => findings.add(
            &place,
            "is geen feit; `voicelog law facts` noemt ze alle",
            "is not a fact; `voicelog law facts` names them all",
        ),
    }
}
