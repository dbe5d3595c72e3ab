//! What a rule can't hold without: seen by comparing words, before Cedar is asked.
//!
//! Of the rules of an act most speak of a situation that is plainly not this one. Evaluating all
//! of them makes up most of the time of a decision, so those are left out beforehand.
//!
//! **Invariant:** a rule is left out only where its condition comes out as "no" whatever else is
//! in it, and where nothing in it can fail to be evaluated. In doubt Cedar decides. A test holds
//! the rules that are left against Cedar's answer on all of them.

use super::asked::{Asked, Known, Name};
use super::condition::Condition;
use serde_json::Value;

/// What a rule reads, and what it can't hold without.
#[derive(Debug)]
pub(super) struct Needs {
    /// The names that it reads.
    pub(super) reads: Vec<Name>,
    may_hold: Check,
}

/// Something that is seen at once about what is read, and parts of it.
#[derive(Debug, PartialEq, Eq)]
enum Check {
    /// Not seen here.
    Open,
    /// Is there, or is not.
    Has(Path, bool),
    /// Is one of these, or is none of them. Of what is not there nothing is seen.
    Is(Path, Vec<Literal>, bool),
    /// A set holds one of these, or none of them.
    Holds(Path, Vec<Literal>, bool),
    All(Vec<Self>),
    Any(Vec<Self>),
}

/// A name, or a field of what it stands for.
#[derive(Debug, PartialEq, Eq)]
struct Path(Name, Option<String>);

#[derive(Debug, PartialEq, Eq)]
enum Literal {
    Flag(bool),
    Word(String),
}

impl Needs {
    pub(super) fn of(condition: &Condition) -> Self {
        let reads: Option<Vec<Name>> = if condition.is_followed() {
            condition.names().into_iter().map(Name::of).collect()
        } else {
            None
        };
        match reads {
            Some(reads) => Self {
                reads,
                may_hold: Check::of(condition, true),
            },
            // Something in it is not followed: it may read anything, and may fail.
            None => Self {
                reads: Name::all().collect(),
                may_hold: Check::Open,
            },
        }
    }

    /// Whether what the other can't hold without is the same.
    pub(super) fn are_those_of(&self, other: &Self) -> bool {
        self.may_hold == other.may_hold
    }

    /// Whether the rule may hold, as far as is seen at once.
    pub(super) fn may_be_met(&self, asked: &Asked) -> bool {
        self.may_hold.passes(asked)
    }
}

impl Check {
    /// What is needed for a condition to come out as `wanted`.
    fn of(condition: &Condition, wanted: bool) -> Self {
        let seen = match condition {
            Condition::Not(inner) => return Self::of(inner, !wanted),
            Condition::And(left, right) => return Self::both(left, right, wanted, wanted),
            Condition::Or(left, right) => return Self::both(left, right, wanted, !wanted),
            Condition::Has(name, field) => {
                Path::of(name, field.as_ref()).map(|path| Self::Has(path, wanted))
            }
            Condition::Read(..) => {
                Path::read(condition).map(|path| Self::Is(path, vec![Literal::Flag(true)], wanted))
            }
            Condition::Equal(left, right) => {
                Self::is(left, right, wanted).or_else(|| Self::is(right, left, wanted))
            }
            Condition::Holds(set, item) => {
                Self::is(item, set, wanted).or_else(|| Self::holds(set, item, wanted))
            }
            Condition::HoldsAny(set, items) => Self::holds(set, items, wanted),
            _ => None,
        };
        seen.unwrap_or(Self::Open)
    }

    fn is(read: &Condition, words: &Condition, wanted: bool) -> Option<Self> {
        Some(Self::Is(Path::read(read)?, literals(words)?, wanted))
    }

    fn holds(read: &Condition, words: &Condition, wanted: bool) -> Option<Self> {
        let words = literals(words)?;
        let are_words = words.iter().all(|word| matches!(word, Literal::Word(_)));
        are_words.then_some(Self::Holds(Path::read(read)?, words, wanted))
    }

    /// Two sides that come out as `wanted`: both of them, or one.
    fn both(left: &Condition, right: &Condition, wanted: bool, are_both: bool) -> Self {
        let mut parts = Vec::new();
        for part in [Self::of(left, wanted), Self::of(right, wanted)] {
            match part {
                Self::All(inner) if are_both => parts.extend(inner),
                Self::Any(inner) if !are_both => parts.extend(inner),
                Self::Open if are_both => {}
                other => parts.push(other),
            }
        }
        if are_both {
            Self::All(parts)
        } else {
            Self::Any(parts)
        }
    }

    fn passes(&self, asked: &Asked) -> bool {
        match self {
            Self::Open => true,
            Self::Has(path, wanted) => matches!(path.known(asked), Known::Missing) != *wanted,
            Self::Is(path, words, wanted) => match path.known(asked) {
                Known::Flag(flag) => words.contains(&Literal::Flag(flag)) == *wanted,
                Known::Word(word) => words.iter().any(|known| known.is(word)) == *wanted,
                Known::Missing | Known::Set(_) | Known::Other => true,
            },
            Self::Holds(path, words, wanted) => match path.known(asked) {
                Known::Set(items) => {
                    let is_one = |item: &str| words.iter().any(|word| word.is(item));
                    items.iter().filter_map(Value::as_str).any(is_one) == *wanted
                }
                _ => true,
            },
            Self::All(parts) => parts.iter().all(|part| part.passes(asked)),
            Self::Any(parts) => parts.iter().any(|part| part.passes(asked)),
        }
    }
}

impl Path {
    fn of(name: &str, field: Option<&String>) -> Option<Self> {
        Some(Self(Name::of(name)?, field.cloned()))
    }

    fn read(condition: &Condition) -> Option<Self> {
        match condition {
            Condition::Read(name, field) => Self::of(name, field.as_ref()),
            _ => None,
        }
    }

    fn known<'a>(&self, asked: &'a Asked) -> Known<'a> {
        asked.known(self.0, self.1.as_deref())
    }
}

impl Literal {
    fn is(&self, text: &str) -> bool {
        matches!(self, Self::Word(word) if word == text)
    }
}

/// A literal, or the literals of a set; nothing for what is neither a flag nor a word.
fn literals(condition: &Condition) -> Option<Vec<Literal>> {
    let literal = |value: &Value| match value {
        Value::Bool(flag) => Some(Literal::Flag(*flag)),
        Value::String(word) => Some(Literal::Word(word.clone())),
        _ => None,
    };
    match condition {
        Condition::Value(Value::Array(items)) => items.iter().map(literal).collect(),
        Condition::Value(value) => Some(vec![literal(value)?]),
        _ => None,
    }
}
