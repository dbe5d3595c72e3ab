//! Facts drawn from the whole table: any act, any facts that do not contradict each other.

use crate::common::{rulebook, today};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use voicelog_law::{Decision, Definition, Facts, Shape, decide_without_unknown, definitions};
use voicelog_model::Action;

/// What most rules hang on; drawn more often than the rest of the table.
const WEIGHTY: &[&str] = &[
    "recorder_type",
    "counterpart_types",
    "channel",
    "media",
    "participation",
    "line_subscriber",
    "openness",
    "purpose",
    "legal_basis",
    "structural",
    "countries",
    "share_target",
    "requester_role",
];

/// A few values of one fact: every word of a list, and for the rest those that stand for others.
pub(crate) fn values_of(row: &Definition) -> Vec<Value> {
    if !row.trials.is_empty() {
        let read = |text: &&str| serde_json::from_str(text).unwrap();
        return row.trials.iter().map(read).collect();
    }
    match row.shape {
        Shape::Word(words) => words.iter().map(|word| json!(word)).collect(),
        Shape::Words(words, _) => {
            let ones = words.iter().map(|word| json!([word]));
            let pairs = words.windows(2).map(|pair| json!(pair));
            ones.chain(pairs).collect()
        }
        Shape::Flag => vec![json!(true), json!(false)],
        Shape::Reference | Shape::Address => vec![json!("none"), json!("https://example.org/x")],
        Shape::Text => vec![json!("x")],
        Shape::Share => vec![json!(0.1)],
        _ => panic!("{}: has values of its own", row.name),
    }
}

/// The facts with one more or another value; as they were if that would contradict the rest.
fn joined(facts: Facts, row: &Definition, pick: usize) -> Facts {
    let values = values_of(row);
    let value = values[pick % values.len()].clone();
    facts.with(row.name, value).unwrap_or(facts)
}

/// The least that can be known about an act.
pub(crate) fn bare(act: Action) -> Facts {
    let mut map = Map::new();
    map.insert("requested_action".to_owned(), json!(act.as_str()));
    if act == Action::UseFor {
        map.insert("purpose2".to_owned(), json!("personeelsmaatregel"));
    }
    Facts::from_map(&map, today()).unwrap()
}

fn row(name: &str) -> &'static Definition {
    definitions().find(|row| row.name == name).unwrap()
}

/// Any row of the table, and a value by number.
fn any_pick() -> impl Strategy<Value = (&'static Definition, usize)> {
    let rows: Vec<_> = definitions()
        .filter(|row| row.name != "requested_action")
        .collect();
    let weighty: Vec<_> = WEIGHTY.iter().map(|name| row(name)).collect();
    let name = prop_oneof![
        proptest::sample::select(weighty),
        proptest::sample::select(rows)
    ];
    (name, any::<usize>())
}

/// Any facts.
pub(crate) fn any_facts() -> impl Strategy<Value = Facts> {
    let acts = proptest::sample::select(Action::ALL.to_vec());
    let picks = proptest::collection::vec(any_pick(), 4..28);
    (acts, picks).prop_map(|(act, picks)| {
        let join = |facts, (row, pick)| joined(facts, row, pick);
        picks.into_iter().fold(bare(act), join)
    })
}

/// Facts without one of them; nothing if the rest then makes no sense.
pub(crate) fn without(facts: &Facts, name: &str) -> Option<Facts> {
    let mut map = facts.to_map();
    map.remove(name)?;
    Facts::from_map(&map, today()).ok()
}

/// What the rulebook says.
pub(crate) fn decision(facts: &Facts) -> Decision {
    decide_without_unknown(rulebook(), facts, today())
}
