//! Mutants: a rule that is changed anywhere in its condition must be caught by facts that say
//! whether it holds. A rule that is left out is caught by its hit in `tests/rules.json`.
//!
//! `tests/rules.json` has a hit and a miss of each rule. `tests/edges.json` has what tells a rule
//! from the mutants that those let live. It was found by search and is kept, so that a change of
//! a rule shows there as a difference. With `LAW_WRITE` in the environment what still tells a rule
//! from a mutant is kept and what is wanting is looked for; what is not found is to be written
//! there by hand, or the rule says something twice and can be shorter.

use crate::decision::ReasonKind;
use crate::facts::Facts;
use crate::facts::values::Values;
use crate::interview::possible::{inputs_of, value_in};
use crate::rulebook::condition::{Condition, Meaning, Truth};
use crate::rulebook::{Does, Rule, Rulebook};
use crate::search::options;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use voicelog_model::{Action, Timestamp};

/// Facts and whether the rule holds for them.
type Told = Vec<(Map<String, Value>, bool)>;

fn at() -> Timestamp {
    "2026-11-21T10:02:00Z".parse().unwrap()
}

fn in_tests(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(name)
}

/// Facts for which a rule holds, and facts for which it does not, as they stand in the file.
#[derive(Default, Serialize, Deserialize)]
struct Edges {
    #[serde(default)]
    holds: Vec<Map<String, Value>>,
    #[serde(default)]
    does_not: Vec<Map<String, Value>>,
}

fn kept_edges() -> BTreeMap<String, Told> {
    let Ok(text) = std::fs::read(in_tests("edges.json")) else {
        return BTreeMap::new();
    };
    let edges: BTreeMap<String, Edges> = serde_json::from_slice(&text).unwrap();
    let told = |edges: Edges| {
        let holds = edges.holds.into_iter().map(|facts| (facts, true));
        let does_not = edges.does_not.into_iter().map(|facts| (facts, false));
        holds.chain(does_not).collect()
    };
    edges
        .into_iter()
        .map(|(rule, edges)| (rule, told(edges)))
        .collect()
}

/// The hit and the miss of each rule in `tests/rules.json`.
fn hits_and_misses() -> BTreeMap<String, Told> {
    let table: Value = serde_json::from_str(include_str!("../../../tests/rules.json")).unwrap();
    let mut told: BTreeMap<String, Told> = BTreeMap::new();
    for row in table["rules"].as_array().unwrap() {
        let base = table["bases"][row["base"].as_str().unwrap()].as_object();
        for (change, holds) in [("hit", true), ("miss", false)] {
            let mut facts = base.unwrap().clone();
            for (name, value) in row[change].as_object().unwrap() {
                if value.is_null() {
                    facts.remove(name);
                } else {
                    facts.insert(name.clone(), value.clone());
                }
            }
            let of_rule = told.entry(row["rule"].as_str().unwrap().to_owned());
            of_rule.or_default().push((facts, holds));
        }
    }
    told
}

/// The rules whose mutants may not live: those that refuse or ask a human, those that attach a
/// duty, and those that say whether it is met.
fn tested(rulebook: &Rulebook) -> impl Iterator<Item = &Rule> {
    let rules = rulebook.rules.values().map(|rule| &**rule);
    rules.filter(|rule| match rule.does {
        Does::Gate(kind) => kind != ReasonKind::Permit,
        Does::Missing { .. } | Does::Duty { .. } | Does::Mark { .. } => true,
        Does::Advice(_) | Does::Forecast => false,
    })
}

/// Everything that is told of a rule. The miss of a rule about a missing fact only shows that the
/// fact makes no difference, and that of a mark that the duty is not marked so.
fn told_of(rule: &Rule, hits: &BTreeMap<String, Told>, edges: &BTreeMap<String, Told>) -> Told {
    let is_seen_apart = matches!(rule.does, Does::Missing { .. } | Does::Mark { .. });
    let of = |told: &BTreeMap<String, Told>| told.get(&rule.id).cloned().unwrap_or_default();
    let mut told = of(hits);
    told.retain(|(_, holds)| *holds || !is_seen_apart);
    told.extend(of(edges));
    told
}

/// The condition with one thing changed, and what.
///
/// Without a `has` a rule that reads a fact that may be missing does not load, so a `has` is left
/// out only with what it goes before.
fn mutants(condition: &Condition) -> Vec<(String, Condition)> {
    let mut found = Vec::new();
    if !matches!(condition, Condition::Has(..)) {
        let turned = Condition::Not(Box::new(condition.clone()));
        found.push((format!("not {}", text(condition)), turned));
    }
    match condition {
        Condition::And(..) | Condition::Or(..) => of_parts(condition, &mut found),
        Condition::Not(inner) => {
            let of_inner = mutants(inner).into_iter();
            found.extend(of_inner.map(|(what, mutant)| (what, Condition::Not(Box::new(mutant)))));
        }
        Condition::Holds(set, item) => fewer(set, item, Condition::Holds, &mut found),
        Condition::HoldsAny(set, item) => fewer(set, item, Condition::HoldsAny, &mut found),
        _ => {}
    }
    found
}

type Join = fn(Box<Condition>, Box<Condition>) -> Condition;

/// The parts of a row of `&&`, or of a row of `||`.
fn parts<'c>(condition: &'c Condition, is_and: bool, found: &mut Vec<&'c Condition>) {
    match condition {
        Condition::And(left, right) if is_and => {
            parts(left, is_and, found);
            parts(right, is_and, found);
        }
        Condition::Or(left, right) if !is_and => {
            parts(left, is_and, found);
            parts(right, is_and, found);
        }
        other => found.push(other),
    }
}

/// Each part of a row changed, and each left out.
fn of_parts(condition: &Condition, found: &mut Vec<(String, Condition)>) {
    let is_and = matches!(condition, Condition::And(..));
    let join: Join = if is_and {
        Condition::And
    } else {
        Condition::Or
    };
    let row = |parts: Vec<Condition>| {
        let mut parts = parts.into_iter();
        let first = parts.next()?;
        Some(parts.fold(first, |left, right| join(Box::new(left), Box::new(right))))
    };
    let mut all = Vec::new();
    parts(condition, is_and, &mut all);
    for (place, part) in all.iter().enumerate() {
        for (what, mutant) in mutants(part) {
            let mut changed: Vec<Condition> = all.iter().map(|part| (*part).clone()).collect();
            changed[place] = mutant;
            found.extend(row(changed).map(|changed| (what, changed)));
        }
        let goes = |(other, kept): (usize, &Condition)| match part {
            Condition::Has(name, _) => {
                other == place || (other > place && kept.names().contains(name.as_str()))
            }
            _ => other == place,
        };
        let kept = all.iter().enumerate();
        let kept = kept.filter(|(other, part)| !goes((*other, *part)));
        let kept: Vec<Condition> = kept.map(|(_, part)| (*part).clone()).collect();
        found.extend(row(kept).map(|kept| (format!("without {}", text(part)), kept)));
    }
}

/// A list of words with one word less.
fn fewer(set: &Condition, item: &Condition, join: Join, found: &mut Vec<(String, Condition)>) {
    let less = |list: &Condition| -> Vec<(String, Condition)> {
        let Condition::Value(Value::Array(words)) = list else {
            return Vec::new();
        };
        let without = |place: usize| {
            let mut less = words.clone();
            let gone = less.remove(place);
            let rest = Condition::Value(Value::Array(less));
            (format!("without {gone} in {}", text(list)), rest)
        };
        (0..words.len()).map(without).collect()
    };
    let boxed = |one: &Condition| Box::new(one.clone());
    for (what, set) in less(set) {
        found.push((what, join(Box::new(set), boxed(item))));
    }
    for (what, items) in less(item) {
        found.push((what, join(boxed(set), Box::new(items))));
    }
}

/// A condition nearly as it stands in its file.
fn text(condition: &Condition) -> String {
    let path = |name: &str, field: &Option<String>| match field {
        Some(field) => format!("{name}.{field}"),
        None => name.to_owned(),
    };
    match condition {
        Condition::Value(value) => value.to_string(),
        Condition::Read(name, field) => path(name, field),
        Condition::Has(name, field) => format!("has {}", path(name, field)),
        Condition::Not(inner) => format!("!{}", text(inner)),
        Condition::And(left, right) => format!("({} && {})", text(left), text(right)),
        Condition::Or(left, right) => format!("({} || {})", text(left), text(right)),
        Condition::Equal(left, right) => format!("{} == {}", text(left), text(right)),
        Condition::Holds(set, item) => format!("{}.contains({})", text(set), text(item)),
        Condition::HoldsAny(set, items) => format!("{}.containsAny({})", text(set), text(items)),
        Condition::Less(left, right) => format!("{} < {}", text(left), text(right)),
        Condition::LessOrEqual(left, right) => format!("{} <= {}", text(left), text(right)),
        Condition::Other(parts) => format!("other{:?}", parts.iter().map(text).collect::<Vec<_>>()),
    }
}

/// What names stand for when all is settled.
struct Settled {
    filled: Values,
    known: RefCell<BTreeMap<String, Option<Value>>>,
}

impl Settled {
    fn of(facts: &Facts) -> Self {
        Self {
            filled: facts.filled(),
            known: RefCell::default(),
        }
    }
}

impl Meaning for Settled {
    fn values(&self, name: &str) -> Vec<Option<Value>> {
        let mut known = self.known.borrow_mut();
        let value = known.entry(name.to_owned());
        vec![
            value
                .or_insert_with(|| value_in(name, &self.filled, at()))
                .clone(),
        ]
    }

    fn field(&self, name: &str, field: &str) -> Vec<Option<Value>> {
        let whole = self.values(name).into_iter().flatten().next();
        vec![whole.and_then(|value| value.get(field).cloned())]
    }
}

/// The mutants that nothing told of the rule tells from it.
fn living<'m>(
    rule: &Rule,
    told: &Told,
    mutants: &'m [(String, Condition)],
) -> Vec<&'m (String, Condition)> {
    let seen: Vec<(Settled, Truth)> = told
        .iter()
        .map(|(map, _)| {
            let settled = Settled::of(&Facts::from_map(map, at()).unwrap());
            let own = rule.condition().truth(&settled);
            (settled, own)
        })
        .collect();
    let lives = |(_, mutant): &&(String, Condition)| {
        let mut seen = seen.iter();
        seen.all(|(settled, own)| mutant.truth(settled) == *own)
    };
    mutants.iter().filter(lives).collect()
}

#[test]
fn no_mutant_of_a_rule_lives() {
    let rulebook = Rulebook::embedded(at()).unwrap();
    if std::env::var_os("LAW_WRITE").is_some() {
        write_the_edges(&rulebook);
    }
    let (hits, edges) = (hits_and_misses(), kept_edges());
    let (mut alive, mut all) = (Vec::new(), 0);
    for rule in tested(&rulebook) {
        let mutants = mutants(rule.condition());
        all += mutants.len();
        for (what, _) in living(rule, &told_of(rule, &hits, &edges), &mutants) {
            alive.push(format!("{}: {what}", rule.id));
        }
    }
    println!("{all} mutants");
    assert!(
        alive.is_empty(),
        "{} of {all} live. Facts that tell them from their rules are found by\n\
         LAW_WRITE=1 cargo test --release -p voicelog-law --lib mutant\n{}",
        alive.len(),
        alive.join("\n")
    );
}

#[test]
fn what_the_edges_say_is_what_cedar_says() {
    let rulebook = Rulebook::embedded(at()).unwrap();
    let mut wrong = Vec::new();
    for (id, told) in kept_edges() {
        for (map, holds) in told {
            let facts = Facts::from_map(&map, at()).unwrap();
            if rulebook.holding_all(&facts, at()).contains(&id) != holds {
                let now = if holds { "does not hold" } else { "holds" };
                wrong.push(format!("{id} {now} for {}", facts.canonical_json()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "tests/edges.json says something else. If that is meant, write it anew with\n\
         LAW_WRITE=1 cargo test --release -p voicelog-law --lib mutant\n{}",
        wrong.join("\n")
    );
}

/// Facts near to a base that tell a mutant from its rule: with one fact changed that the rule
/// reads, or two.
struct Near<'r> {
    rule: &'r Rule,
    base: Facts,
    /// One fact away, whether or not the facts then contradict each other.
    one: Vec<Values>,
    options: Vec<(&'static str, Vec<Option<Value>>)>,
}

impl<'r> Near<'r> {
    fn new(rule: &'r Rule, base: Facts) -> Self {
        let names = rule.condition().names();
        // Who records decides which facts go together.
        let read = names.into_iter().flat_map(inputs_of);
        let read = read.chain(["recorder_type"]);
        let read = read.filter(|fact| *fact != "requested_action");
        let options = options::of(rule.condition(), &base, &read.collect());
        let mut near = Self {
            rule,
            base,
            one: Vec::new(),
            options: options.into_iter().collect(),
        };
        near.one = near.around(near.base.given(), "");
        near
    }

    /// These facts with one changed that comes after a name.
    fn around(&self, given: &Values, after: &str) -> Vec<Values> {
        let later = self.options.iter().filter(|(fact, _)| *fact > after);
        let changed = later.flat_map(|(fact, options)| {
            let options = options.iter();
            options.map(|option| given.changed(fact, option.clone()))
        });
        changed.filter(|changed| changed != given).collect()
    }

    fn telling(&self, mutant: &Condition, two: bool) -> Option<(Facts, bool)> {
        if !two {
            return self.one.iter().find_map(|given| self.tells(given, mutant));
        }
        let last = self.options.last().map(|(fact, _)| *fact)?;
        self.one.iter().find_map(|given| {
            // The fact changed first comes before the second, so that no pair is tried twice.
            let changed = |fact: &&str| given.value(fact) != self.base.given().value(fact);
            let mut facts = self.options.iter().map(|(fact, _)| *fact);
            let first = facts.find(changed).unwrap_or(last);
            let mut around = self.around(given, first).into_iter();
            around.find_map(|given| self.tells(&given, mutant))
        })
    }

    fn tells(&self, given: &Values, mutant: &Condition) -> Option<(Facts, bool)> {
        let action = self.base.action();
        let settled = Settled::of(&Facts::draft(action, given.clone(), at()));
        let own = self.rule.condition().truth(&settled);
        if mutant.truth(&settled) == own || own.may_hold == own.may_fail {
            return None;
        }
        Some((Facts::checked(action, given.clone(), at())?, own.may_hold))
    }
}

/// Where to look from: what is told of the rule, on each of its acts; and next to nothing.
fn bases(rulebook: &Rulebook, rule: &Rule, told: &Told) -> Vec<Facts> {
    let mut bases = Vec::new();
    for (map, _) in told {
        bases.push(Facts::from_map(map, at()).unwrap());
        for act in rulebook.acts_of(&rule.id) {
            let mut map = map.clone();
            map.insert("requested_action".to_owned(), json!(act.as_str()));
            bases.extend(Facts::from_map(&map, at()));
        }
    }
    for act in rulebook.acts_of(&rule.id) {
        let mut map = Map::new();
        map.insert("requested_action".to_owned(), json!(act.as_str()));
        if act == Action::UseFor {
            map.insert("purpose2".to_owned(), json!("klacht"));
        }
        bases.push(Facts::from_map(&map, at()).unwrap());
    }
    bases
}

/// Keeps what still tells a rule from a mutant, looks for what is wanting, and writes both.
#[expect(
    clippy::disallowed_methods,
    reason = "a file of the repository, not of an archive"
)]
fn write_the_edges(rulebook: &Rulebook) {
    let (hits, known) = (hits_and_misses(), kept_edges());
    let mut lines = Vec::new();
    for rule in tested(rulebook) {
        let mutants = mutants(rule.condition());
        let own = told_of(rule, &hits, &BTreeMap::new());
        let lives = |edges: &Told| {
            let told: Told = own.iter().chain(edges).cloned().collect();
            living(rule, &told, &mutants)
        };
        // What is kept stays, as far as it still tells the rule from a mutant.
        let mut edges = Told::new();
        for (map, _) in known.get(&rule.id).into_iter().flatten() {
            let Ok(facts) = Facts::from_map(map, at()) else {
                continue;
            };
            let before = lives(&edges).len();
            let holds = rulebook.holding_all(&facts, at()).contains(&rule.id);
            edges.push((map.clone(), holds));
            if lives(&edges).len() == before {
                edges.pop();
            }
        }
        let mut near: Vec<_> = bases(rulebook, rule, &own)
            .into_iter()
            .map(|base| Near::new(rule, base))
            .collect();
        let mut given_up = BTreeSet::new();
        loop {
            let told: Told = own.iter().chain(&edges).cloned().collect();
            let living = living(rule, &told, &mutants);
            let next = living
                .into_iter()
                .find(|(what, _)| !given_up.contains(what));
            let Some((what, mutant)) = next else { break };
            let telling = |two| near.iter().find_map(|near| near.telling(mutant, two));
            match telling(false).or_else(|| telling(true)) {
                Some((facts, holds)) => {
                    edges.push((facts.to_map(), holds));
                    near.push(Near::new(rule, facts));
                    given_up.clear();
                }
                None => {
                    println!("{}: {what}", rule.id);
                    given_up.insert(what.clone());
                }
            }
        }
        if !edges.is_empty() {
            lines.push(lines_of(rule, &edges));
        }
    }
    let text = format!("{{\n{}\n}}\n", lines.join(",\n"));
    std::fs::write(in_tests("edges.json"), text).unwrap();
}

/// One line for each set of facts.
fn lines_of(rule: &Rule, edges: &Told) -> String {
    let rows = |wanted: bool| {
        let rows = edges.iter().filter(|(_, holds)| *holds == wanted);
        let rows: Vec<_> = rows
            .map(|(facts, _)| format!("\n      {}", json!(facts)))
            .collect();
        rows.join(",")
    };
    format!(
        "  {}: {{\n    \"holds\": [{}],\n    \"does_not\": [{}]\n  }}",
        json!(rule.id),
        rows(true),
        rows(false)
    )
}
