//! The condition of a rule, and whether it holds, does not, or may still do either while facts
//! are open.
//!
//! Cedar decides; this only asks which facts a rule still hangs on. It reads the same policy, in
//! Cedar's own JSON form, and is held against Cedar for every rule and every worked case.

use serde_json::Value;
use std::collections::BTreeSet;

/// An expression of a policy, as far as rules use it.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    /// A literal.
    Value(Value),
    /// A fact or derived fact: `context.name`, with the field of an object fact behind it.
    Read(String, Option<String>),
    /// `has`: whether a fact, or a field of it, is there.
    Has(String, Option<String>),
    Not(Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Equal(Box<Self>, Box<Self>),
    /// A set holds an item.
    Holds(Box<Self>, Box<Self>),
    /// A set holds any item of another.
    HoldsAny(Box<Self>, Box<Self>),
    Less(Box<Self>, Box<Self>),
    LessOrEqual(Box<Self>, Box<Self>),
    /// A set literal, or anything else with parts. How it comes out is not followed.
    Other(Vec<Self>),
}

/// What a condition can still turn out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Truth {
    pub(crate) may_hold: bool,
    pub(crate) may_fail: bool,
}

impl Truth {
    const fn open(self) -> bool {
        self.may_hold && self.may_fail
    }

    const fn not(self) -> Self {
        Self {
            may_hold: self.may_fail,
            may_fail: self.may_hold,
        }
    }
}

/// What a name in the context may still stand for: values, and `None` for "is not there".
pub(crate) trait Meaning {
    /// Every value that the name can still have.
    fn values(&self, name: &str) -> Vec<Option<Value>>;
    /// Every value that a field of an object fact can still have.
    fn field(&self, name: &str, field: &str) -> Vec<Option<Value>>;
}

impl Condition {
    /// The `when` and `unless` clauses of a policy in Cedar's JSON form, as one condition.
    pub(crate) fn of_policy(policy: &Value) -> Self {
        let clauses = policy["conditions"].as_array().into_iter().flatten();
        let all = clauses.map(|clause| {
            let body = Self::of(&clause["body"]);
            if clause["kind"] == "unless" {
                Self::Not(Box::new(body))
            } else {
                body
            }
        });
        all.reduce(|left, right| Self::And(Box::new(left), Box::new(right)))
            .unwrap_or(Self::Value(Value::Bool(true)))
    }

    fn of(node: &Value) -> Self {
        let Some((kind, body)) = node.as_object().and_then(|map| map.iter().next()) else {
            return Self::Other(Vec::new());
        };
        let side = |name: &str| Box::new(Self::of(&body[name]));
        match kind.as_str() {
            "Value" => Self::Value(body.clone()),
            "Set" => Self::set(body),
            "." => match path(node) {
                Some((name, field)) => Self::Read(name, field),
                None => Self::Other(Vec::new()),
            },
            "has" => has(body),
            "!" => Self::Not(side("arg")),
            "&&" => Self::And(side("left"), side("right")),
            "||" => Self::Or(side("left"), side("right")),
            "==" => Self::Equal(side("left"), side("right")),
            "!=" => Self::Not(Box::new(Self::Equal(side("left"), side("right")))),
            "contains" => Self::Holds(side("left"), side("right")),
            "containsAny" => Self::HoldsAny(side("left"), side("right")),
            "<" => Self::Less(side("left"), side("right")),
            "<=" => Self::LessOrEqual(side("left"), side("right")),
            ">" => Self::Less(side("right"), side("left")),
            ">=" => Self::LessOrEqual(side("right"), side("left")),
            _ => Self::Other(
                body.as_object()
                    .map_or_else(Vec::new, |map| map.values().map(Self::of).collect()),
            ),
        }
    }

    /// A set of literals is a literal; any other set is not followed.
    fn set(items: &Value) -> Self {
        let items: Vec<_> = items
            .as_array()
            .map(|items| items.iter().map(Self::of).collect())
            .unwrap_or_default();
        let literals: Option<Vec<Value>> = items
            .iter()
            .map(|item| match item {
                Self::Value(value) => Some(value.clone()),
                _ => None,
            })
            .collect();
        literals.map_or(Self::Other(items), |values| {
            Self::Value(Value::Array(values))
        })
    }

    /// What this condition can still turn out to be.
    pub(crate) fn truth(&self, meaning: &impl Meaning) -> Truth {
        match self {
            Self::Not(inner) => inner.truth(meaning).not(),
            Self::And(left, right) => {
                let left = left.truth(meaning);
                if !left.may_hold {
                    return left;
                }
                let right = right.truth(meaning);
                Truth {
                    may_hold: right.may_hold,
                    may_fail: left.may_fail || right.may_fail,
                }
            }
            Self::Or(left, right) => {
                let left = left.truth(meaning);
                if !left.may_fail {
                    return left;
                }
                let right = right.truth(meaning);
                Truth {
                    may_hold: left.may_hold || right.may_hold,
                    may_fail: right.may_fail,
                }
            }
            Self::Has(name, field) => {
                let values = read(name, field.as_deref(), meaning);
                Truth {
                    may_hold: values.iter().any(Option::is_some),
                    may_fail: values.iter().any(Option::is_none),
                }
            }
            Self::Equal(left, right) => compared(left, right, meaning, |left, right| left == right),
            Self::Holds(set, item) => compared(set, item, meaning, |set, item| {
                set.as_array().is_some_and(|items| items.contains(item))
            }),
            Self::HoldsAny(set, items) => compared(set, items, meaning, |set, items| {
                let items = items.as_array().into_iter().flatten();
                let set = set.as_array();
                items
                    .into_iter()
                    .any(|item| set.is_some_and(|set| set.contains(item)))
            }),
            Self::Less(left, right) => compared(left, right, meaning, |left, right| {
                left.as_i64() < right.as_i64()
            }),
            Self::LessOrEqual(left, right) => compared(left, right, meaning, |left, right| {
                left.as_i64() <= right.as_i64()
            }),
            Self::Value(_) | Self::Read(..) => {
                let yes = Self::Value(Value::Bool(true));
                compared(self, &yes, meaning, |left, right| left == right)
            }
            Self::Other(_) => Truth {
                may_hold: true,
                may_fail: true,
            },
        }
    }

    /// The names on which an open condition hangs. Parts that are settled are left out.
    pub(crate) fn hangs_on<'a>(&'a self, meaning: &impl Meaning, names: &mut BTreeSet<&'a str>) {
        if !self.truth(meaning).open() {
            return;
        }
        match self {
            Self::Not(inner) => inner.hangs_on(meaning, names),
            Self::And(left, right) | Self::Or(left, right) => {
                left.hangs_on(meaning, names);
                right.hangs_on(meaning, names);
            }
            _ => self.reads(names),
        }
    }

    /// Whether all of it is followed. What is, can't fail to be evaluated: the validator saw to
    /// that, and of all that rules use only reckoning with numbers still can.
    pub(super) fn is_followed(&self) -> bool {
        match self {
            Self::Value(_) | Self::Read(..) | Self::Has(..) => true,
            Self::Not(inner) => inner.is_followed(),
            Self::And(left, right)
            | Self::Or(left, right)
            | Self::Equal(left, right)
            | Self::Holds(left, right)
            | Self::HoldsAny(left, right)
            | Self::Less(left, right)
            | Self::LessOrEqual(left, right) => left.is_followed() && right.is_followed(),
            Self::Other(_) => false,
        }
    }

    /// Every name that it reads.
    pub(crate) fn names(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        self.reads(&mut names);
        names
    }

    /// Every name that is read.
    fn reads<'a>(&'a self, names: &mut BTreeSet<&'a str>) {
        match self {
            Self::Value(_) => {}
            Self::Read(name, _) | Self::Has(name, _) => {
                names.insert(name);
            }
            Self::Not(inner) => inner.reads(names),
            Self::And(left, right)
            | Self::Or(left, right)
            | Self::Equal(left, right)
            | Self::Holds(left, right)
            | Self::HoldsAny(left, right)
            | Self::Less(left, right)
            | Self::LessOrEqual(left, right) => {
                left.reads(names);
                right.reads(names);
            }
            Self::Other(parts) => parts.iter().for_each(|part| part.reads(names)),
        }
    }

    /// What the two sides of a comparison may still be. `None`: not followed.
    fn values(&self, meaning: &impl Meaning) -> Option<Vec<Value>> {
        match self {
            Self::Value(value) => Some(vec![value.clone()]),
            Self::Read(name, field) => {
                let values = read(name, field.as_deref(), meaning);
                Some(values.into_iter().flatten().collect())
            }
            _ => None,
        }
    }
}

fn read(name: &str, field: Option<&str>, meaning: &impl Meaning) -> Vec<Option<Value>> {
    match field {
        Some(field) => meaning.field(name, field),
        None => meaning.values(name),
    }
}

/// A comparison holds and fails for some of the values that both sides may have. Of a value that
/// is not there nothing holds and nothing fails: a `has` before it decides.
fn compared(
    left: &Condition,
    right: &Condition,
    meaning: &impl Meaning,
    hit: fn(&Value, &Value) -> bool,
) -> Truth {
    let (Some(lefts), Some(rights)) = (left.values(meaning), right.values(meaning)) else {
        return Truth {
            may_hold: true,
            may_fail: true,
        };
    };
    let mut truth = Truth {
        may_hold: false,
        may_fail: false,
    };
    for left in &lefts {
        for right in &rights {
            if hit(left, right) {
                truth.may_hold = true;
            } else {
                truth.may_fail = true;
            }
        }
    }
    truth
}

/// A `has` node. `context has name.field` asks for both.
fn has(body: &Value) -> Condition {
    let attributes: Vec<&str> = match &body["attr"] {
        Value::Array(parts) => parts.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    let left = &body["left"];
    let of_context = left["Var"] == "context";
    match (of_context, attributes.as_slice()) {
        (true, [name]) => Condition::Has((*name).to_owned(), None),
        (true, [name, field]) => Condition::Has((*name).to_owned(), Some((*field).to_owned())),
        (false, [field]) => match path(left) {
            Some((name, None)) => Condition::Has(name, Some((*field).to_owned())),
            _ => Condition::Other(Vec::new()),
        },
        _ => Condition::Other(Vec::new()),
    }
}

/// `context.name` or `context.name.field`.
fn path(node: &Value) -> Option<(String, Option<String>)> {
    let body = node.get(".")?;
    let attribute = body["attr"].as_str()?.to_owned();
    let left = &body["left"];
    if left["Var"] == "context" {
        return Some((attribute, None));
    }
    let (name, None) = path(left)? else {
        return None;
    };
    Some((name, Some(attribute)))
}
