//! A question as the rules see it: an act, and the facts with everything derived from them.

use super::RuleFailure;
use crate::derived::{DERIVED, Of, Seen};
use crate::facts::name;
use crate::facts::table::definitions;
use crate::facts::values::Values;
use cedar_policy::{Context, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression};
use serde_json::Value;
use std::cell::OnceCell;
use std::sync::LazyLock;
use voicelog_model::{Action, Timestamp};

/// Everything that rules can read: the facts, then what is derived.
static NAMES: LazyLock<Vec<Name>> = LazyLock::new(|| {
    let facts =
        definitions().filter_map(|row| Some((row.name, Place::Fact(Values::place(row.name)?))));
    let derived = DERIVED.iter().enumerate();
    let derived = derived.map(|(place, derived)| (derived.name, Place::Derived(place)));
    let all = facts.chain(derived).enumerate();
    all.map(|(index, (name, of))| Name { name, index, of })
        .collect()
});

/// A name that rules can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name {
    name: &'static str,
    index: usize,
    of: Place,
}

/// Where the value of a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Among the facts.
    Fact(usize),
    /// Among what is derived.
    Derived(usize),
}

impl Name {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().copied()
    }

    pub(super) fn of(name: &str) -> Option<Self> {
        Self::all().find(|known| known.name == name)
    }
}

/// Which names are wanted.
#[derive(Debug)]
pub(super) struct Wanted(Vec<bool>);

impl Wanted {
    pub(super) fn none() -> Self {
        Self(vec![false; NAMES.len()])
    }

    pub(super) fn all() -> Self {
        Self(vec![true; NAMES.len()])
    }

    pub(super) fn add(&mut self, name: Name) {
        if let Some(wanted) = self.0.get_mut(name.index) {
            *wanted = true;
        }
    }
}

/// What a name stands for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Known<'a> {
    Missing,
    Flag(bool),
    Word(&'a str),
    Set(&'a [Value]),
    /// A number or an object.
    Other,
}

/// A question put to the rules: act and facts, made once for all parts.
pub(crate) struct Asked {
    pub(super) action: Action,
    facts: Values,
    at: Timestamp,
    derived: Vec<OnceCell<Derived>>,
}

/// A derived value.
#[derive(Debug, Clone, Copy)]
enum Derived {
    Flag(bool),
    Word(&'static str),
}

impl Asked {
    /// Of facts with their defaults.
    pub(crate) fn new(action: Action, facts: Values, at: Timestamp) -> Self {
        Self {
            action,
            facts,
            at,
            derived: vec![OnceCell::new(); DERIVED.len()],
        }
    }

    /// The facts with their defaults.
    pub(crate) const fn facts(&self) -> &Values {
        &self.facts
    }

    /// What a name, or a field of it, stands for.
    pub(super) fn known(&self, name: Name, field: Option<&str>) -> Known<'_> {
        let value = match name.of {
            Place::Derived(place) => {
                return match self.derived(place) {
                    Some(Derived::Flag(flag)) => Known::Flag(flag),
                    Some(Derived::Word(word)) => Known::Word(word),
                    None => Known::Missing,
                };
            }
            Place::Fact(place) => self.facts.at_place(place),
        };
        let value = match field {
            Some(field) => value.and_then(|value| value.get(field)),
            None => value,
        };
        match value {
            None | Some(Value::Null) => Known::Missing,
            Some(Value::Bool(flag)) => Known::Flag(*flag),
            Some(Value::String(word)) => Known::Word(word),
            Some(Value::Array(items)) => Known::Set(items),
            Some(Value::Number(_) | Value::Object(_)) => Known::Other,
        }
    }

    /// Worked out when it is first read.
    fn derived(&self, place: usize) -> Option<Derived> {
        let work_out = || {
            let seen = Seen {
                facts: &self.facts,
                at: self.at,
            };
            DERIVED.get(place).map(|derived| match derived.of {
                Of::Flag(of) => Derived::Flag(of(&seen)),
                Of::Word(of) => Derived::Word(of(&seen)),
            })
        };
        let cell = self.derived.get(place)?;
        match cell.get() {
            Some(known) => Some(*known),
            None => {
                let found = work_out()?;
                Some(*cell.get_or_init(|| found))
            }
        }
    }

    /// The request for Cedar, with these names in its context and no others.
    ///
    /// The facts are typed by their parser, so they are not held against the schema again; a test
    /// does that for every case.
    pub(super) fn request(&self, wanted: &Wanted) -> Result<Request, RuleFailure> {
        let failure = |why: String| RuleFailure { rule: None, why };
        let names = Name::all().filter(|name| wanted.0.get(name.index) == Some(&true));
        let pairs = names.filter_map(|name| Some((name.name.to_owned(), self.expression(name)?)));
        let context = Context::from_pairs(pairs).map_err(|error| failure(error.to_string()))?;
        let [asker, conversation] = [("Asker", "asker"), ("Conversation", "this")];
        Request::new(
            uid(asker.0, asker.1).map_err(failure)?,
            uid("Action", self.action.as_str()).map_err(failure)?,
            uid(conversation.0, conversation.1).map_err(failure)?,
            context,
            None,
        )
        .map_err(|error| failure(error.to_string()))
    }

    fn expression(&self, name: Name) -> Option<RestrictedExpression> {
        match name.of {
            Place::Derived(place) => Some(match self.derived(place)? {
                Derived::Flag(flag) => RestrictedExpression::new_bool(flag),
                Derived::Word(word) => RestrictedExpression::new_string(word.to_owned()),
            }),
            // Rules see what is derived from it.
            Place::Fact(_) if name.name == name::CONSENT_PER_PARTICIPANT => None,
            Place::Fact(place) => expression(self.facts.at_place(place)?),
        }
    }
}

/// A value as rules see it; nothing for what they have no type for.
fn expression(value: &Value) -> Option<RestrictedExpression> {
    Some(match value {
        Value::Bool(flag) => RestrictedExpression::new_bool(*flag),
        Value::Number(number) => RestrictedExpression::new_long(number.as_i64()?),
        Value::String(text) => RestrictedExpression::new_string(text.clone()),
        Value::Array(items) => RestrictedExpression::new_set(items.iter().filter_map(expression)),
        Value::Object(map) => {
            let fields = map
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), expression(value)?)));
            RestrictedExpression::new_record(fields).ok()?
        }
        Value::Null => return None,
    })
}

/// The kinds of entity that a question names; read once, since reading a name is slow.
static KINDS: LazyLock<Vec<(&str, Option<EntityTypeName>)>> = LazyLock::new(|| {
    let kinds = ["Asker", "Action", "Conversation"];
    kinds.map(|kind| (kind, kind.parse().ok())).into()
});

/// The entity of one of these kinds.
pub(super) fn uid(kind: &str, id: &str) -> Result<EntityUid, String> {
    let known = KINDS.iter().find(|(name, _)| *name == kind);
    let kind = known
        .and_then(|(_, kind)| kind.clone())
        .ok_or_else(|| format!("`{kind}` is no kind of entity"))?;
    Ok(EntityUid::from_type_name_and_id(kind, EntityId::new(id)))
}
