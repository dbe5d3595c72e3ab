//! Which values are tried for a fact: those that stand for all others, and those that a condition
//! names.

use crate::facts::table::{Field, Shape, definition};
use crate::facts::{Facts, fits, trials};
use crate::rulebook::Condition;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Most words of a list of which every selection is tried.
const WORDS_MAX: usize = 4;
/// Most objects made for one fact.
const OBJECTS_MAX: usize = 240;

/// What a condition compares names and their fields with.
type Named = BTreeMap<(String, Option<String>), Vec<Value>>;

/// The options of every open fact: the value it has in `base` first, and missing as well.
pub(crate) fn of(
    condition: &Condition,
    base: &Facts,
    open: &BTreeSet<&'static str>,
) -> BTreeMap<&'static str, Vec<Option<Value>>> {
    let mut named = Named::new();
    collect(condition, &mut named);
    let options = |fact: &&'static str| {
        let mut options = vec![base.given().value(fact).cloned()];
        let made = named_values(fact, &named).into_iter().map(Some);
        for option in made.chain(plain(fact)) {
            if !options.contains(&option) {
                options.push(option);
            }
        }
        (*fact, options)
    };
    open.iter().map(options).collect()
}

/// The values that stand for all others, and missing.
pub(super) fn plain(fact: &str) -> Vec<Option<Value>> {
    let values = definition(fact).map(trials::values).unwrap_or_default();
    values.into_iter().map(Some).chain([None]).collect()
}

/// Gathers what is compared with what.
fn collect(condition: &Condition, named: &mut Named) {
    match condition {
        Condition::Value(_) => {}
        Condition::Read(name, field) | Condition::Has(name, field) => {
            named.entry((name.clone(), field.clone())).or_default();
        }
        Condition::Not(inner) => collect(inner, named),
        Condition::And(left, right)
        | Condition::Or(left, right)
        | Condition::Equal(left, right)
        | Condition::Holds(left, right)
        | Condition::HoldsAny(left, right)
        | Condition::Less(left, right)
        | Condition::LessOrEqual(left, right) => pair(left, right, named),
        Condition::Other(parts) => match parts.as_slice() {
            [left, right] => pair(left, right, named),
            parts => parts.iter().for_each(|part| collect(part, named)),
        },
    }
}

fn pair(left: &Condition, right: &Condition, named: &mut Named) {
    for (fact, other) in [(left, right), (right, left)] {
        if let (Condition::Read(name, field), Condition::Value(value)) = (fact, other) {
            let values = named.entry((name.clone(), field.clone())).or_default();
            match value {
                Value::Array(items) => values.extend(items.iter().cloned()),
                one => values.push(one.clone()),
            }
        }
        collect(fact, named);
    }
}

/// Values of a fact made from what the condition names.
fn named_values(fact: &str, named: &Named) -> Vec<Value> {
    let Some(row) = definition(fact) else {
        return Vec::new();
    };
    let values = match row.shape {
        Shape::Object(fields) => objects(fact, fields, named),
        shape => {
            let key = (fact.to_owned(), None);
            of_shape(shape, named.get(&key).map_or(&[][..], Vec::as_slice))
        }
    };
    values
        .into_iter()
        .filter(|value| fits(row, value))
        .collect()
}

/// Values of one shape, made from these.
fn of_shape(shape: Shape, named: &[Value]) -> Vec<Value> {
    match shape {
        Shape::Words(..) | Shape::Countries | Shape::Texts | Shape::Names(_) => selections(named),
        Shape::Whole(..) => named
            .iter()
            .filter_map(Value::as_i64)
            .flat_map(|number| [number, number.saturating_sub(1), number.saturating_add(1)])
            .map(|number| json!(number))
            .collect(),
        _ => named.to_vec(),
    }
}

/// Lists of words: each by itself, and every selection of a few, or all of many.
fn selections(words: &[Value]) -> Vec<Value> {
    let mut lists: Vec<Value> = words.iter().map(|word| json!([word])).collect();
    if words.len() <= WORDS_MAX {
        for mask in 1..(1_usize << words.len()) {
            let chosen = words
                .iter()
                .enumerate()
                .filter(|(place, _)| mask >> place & 1 == 1)
                .map(|(_, word)| word.clone());
            lists.push(chosen.collect());
        }
    } else {
        lists.push(json!(words));
    }
    lists
}

/// Objects with the fields that the condition reads, each with its values or missing, put over
/// those that stand for all others.
fn objects(fact: &str, fields: &[Field], named: &Named) -> Vec<Value> {
    let known = definition(fact).map(trials::values).unwrap_or_default();
    let known = known.into_iter().filter_map(|value| match value {
        Value::Object(map) => Some(map),
        _ => None,
    });
    let mut objects: Vec<Map<_, _>> = std::iter::once(Map::new()).chain(known).collect();
    for field in fields {
        let key = (fact.to_owned(), Some(field.name.to_owned()));
        let Some(values) = named.get(&key) else {
            continue;
        };
        let mut options = of_shape(field.shape, values);
        options.extend(of_field(field.shape));
        let mut wider = Vec::new();
        for object in &objects {
            for option in &options {
                let mut object = object.clone();
                object.insert(field.name.to_owned(), option.clone());
                wider.push(object);
            }
            wider.push(object.clone());
        }
        wider.truncate(OBJECTS_MAX);
        objects = wider;
    }
    objects.into_iter().map(Value::Object).collect()
}

fn of_field(shape: Shape) -> Vec<Value> {
    match shape {
        Shape::Word(words) => words.iter().map(|word| json!(word)).collect(),
        Shape::Flag => vec![json!(true), json!(false)],
        Shape::Reference | Shape::Address => vec![json!("https://example.org/x"), json!("none")],
        Shape::Country => vec![json!("NL"), json!("US")],
        Shape::Texts | Shape::Names(_) => vec![json!([]), json!(["a"]), json!(["a", "b"])],
        Shape::Moment | Shape::PastMoment => vec![json!("2026-10-01T12:00:00Z")],
        Shape::Day => vec![json!("2026-10-01")],
        Shape::LanguageTag => vec![json!("nl")],
        _ => vec![json!("x")],
    }
}
