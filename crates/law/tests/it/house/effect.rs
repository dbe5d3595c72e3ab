//! What right house rules do to an answer.

use super::{broad, duty, example, gate, permitted, with};
use crate::common::{changed, facts, rulebook, today};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::path::Path;
use voicelog_law::{
    Decision, Facts, Outcome, ReasonKind, Rulebook, Status, decide, decide_without_unknown,
    facts_schema,
};
use voicelog_model::{Language, Timestamp};

/// The facts of every worked case.
fn cases() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let read =
        |path| -> Value { serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap() };
    paths
        .iter()
        .map(|path| read(path)["facts"].clone())
        .collect()
}

/// Every listed value of every fact that is one word or a flag.
fn values() -> Vec<(String, Value)> {
    let schema = facts_schema();
    let mut all = Vec::new();
    for (name, shape) in schema["properties"].as_object().unwrap() {
        let words = shape["enum"].as_array().cloned().unwrap_or_default();
        let flags = if shape["type"] == "boolean" {
            vec![json!(true), json!(false)]
        } else {
            Vec::new()
        };
        all.extend(
            words
                .into_iter()
                .chain(flags)
                .map(|value| (name.clone(), value)),
        );
        all.push((name.clone(), Value::Null));
    }
    all
}

/// House rules never make it milder, and what the law says stays said.
fn never_milder(house: &Rulebook, value: &Value) {
    let (before, after) = (decided(rulebook(), value), decided(house, value));
    assert!(after.outcome() >= before.outcome(), "{value}");
    let refuses = |rule: &str| after.reasons.iter().any(|reason| reason.rule == rule);
    for reason in before
        .reasons
        .iter()
        .filter(|reason| reason.kind != ReasonKind::Permit)
    {
        assert!(refuses(&reason.rule), "{} is gone: {value}", reason.rule);
    }
    for duty in &before.duties {
        assert!(
            after.duties.contains(duty),
            "{} is gone: {value}",
            duty.rule
        );
    }
}

/// A recording whose term is over, and what is known of a second person.
fn to_destroy(second_person: Option<bool>) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/demo-5-destroy.json");
    let case: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let known = second_person.map_or(Value::Null, Value::Bool);
    changed(&case["facts"], &json!({ "second_person": known }))
}

#[test]
fn the_law_asks_for_no_second_person_and_a_house_can_also_at_the_end_of_a_term() {
    let known = [None, Some(false), Some(true)];
    let permits = |rules: &Rulebook| {
        known.map(|second| {
            decided(rules, &to_destroy(second)).outcome <= Outcome::PermittedWithDuties
        })
    };
    assert_eq!(permits(rulebook()), [true; 3]);
    let files = example();
    let house = voicelog_law::HouseRules::read(&files, rulebook()).unwrap();
    let house = rulebook().with_house(&house).unwrap();
    assert_eq!(permits(&house), [true, false, true]);
    let refused = decided(&house, &to_destroy(Some(false)));
    assert_eq!(refused.reasons[0].rule, "house.vier_ogen_bij_vernietigen");
    let stern = "!(context has second_person && context.second_person)";
    let stern = with(&gate("house.stern", stern).replace("record", "destroy"));
    assert_eq!(permits(&stern), [false, false, true]);
}

#[test]
fn house_rules_never_make_a_worked_case_milder() {
    let house = broad();
    for value in cases() {
        never_milder(&house, &value);
    }
}

#[test]
fn house_rules_never_make_anything_milder() {
    let (house, cases, values) = (broad(), cases(), values());
    let tried = std::cell::Cell::new(0);
    proptest!(ProptestConfig::with_cases(60), |(
        case in 0..cases.len(),
        changes in proptest::collection::vec(0..values.len(), 1..6),
    )| {
        let mut map = cases[case].as_object().unwrap().clone();
        for change in changes {
            let (name, value) = &values[change];
            if value.is_null() {
                map.remove(name);
            } else {
                map.insert(name.clone(), value.clone());
            }
        }
        // What contradicts itself is no question.
        if Facts::from_map(&map, today()).is_ok() {
            tried.set(tried.get() + 1);
            never_milder(&house, &Value::Object(map));
        }
    });
    assert!(tried.get() >= 10, "{tried:?} of 60 questions can be asked");
}

fn decided(rulebook: &Rulebook, value: &Value) -> Decision {
    decide_without_unknown(rulebook, &facts(value), today())
}

#[test]
fn what_the_law_permits_a_house_can_forbid_and_the_answer_says_whose_rule_it_is() {
    let house = with(&gate(
        "house.no_complaints",
        "context has purpose && context.purpose == \"klacht\"",
    ));
    assert!(decided(rulebook(), &permitted()).is_permitted());
    let decision = decided(&house, &permitted());
    assert_eq!(decision.outcome(), Outcome::ForbiddenPrivacy);
    let [reason] = decision.reasons() else {
        panic!("{:?}", decision.reasons());
    };
    assert_eq!(
        (
            reason.rule.as_str(),
            reason.status,
            reason.articles.as_slice()
        ),
        (
            "house.no_complaints",
            Status::House,
            &["Handboek 1".to_owned()][..]
        )
    );
    assert_eq!(
        decision.to_json(Language::En)["reasons"][0]["status"],
        "house"
    );
    // The duties of the law are still listed.
    assert!(decision.duties().len() > 3);
}

#[test]
fn a_duty_of_a_house_is_met_when_the_house_says_so() {
    let mark = "@id(\"house.tell.met\")\n@kind(\"met\")\n@duty(\"house.tell\")\n@valid_from(\"2026-10-01\")\n\
                permit (principal, action == Action::\"record\", resource)\n\
                when { context has dpia && context.dpia == \"done\" };";
    let house = with(&format!(
        "{}{mark}",
        duty("house.tell", "context.organisation")
    ));
    let met = |value: &Value| {
        let decision = decided(&house, value);
        let mut duties = decision.duties.into_iter();
        let duty = duties.find(|duty| duty.rule == "house.tell").unwrap();
        assert_eq!(duty.status, Status::House);
        duty.met
    };
    assert_eq!(met(&permitted()), Some(true));
    assert_eq!(met(&changed(&permitted(), &json!({"dpia": null}))), None);
}

#[test]
fn the_rulebook_is_named_and_hashed_with_the_house_rules() {
    let one = with(&gate("house.a", "context.line"));
    let other = with(&gate("house.a", "context.live"));
    assert_eq!((rulebook().id(), one.id()), ("nl", "nl+house"));
    assert_ne!(one.hash(), rulebook().hash());
    assert_ne!(one.hash(), other.hash());
    assert_eq!(one.hash(), with(&gate("house.a", "context.line")).hash());
    assert_eq!(one.rule("house.a").unwrap().status, Status::House);
}

#[test]
fn house_rules_are_dated_and_stay_when_the_law_is_loaded_for_another_day() {
    let first = gate("house.a", "context.line");
    let second = gate("house.a", "context.live").replace("2026-10-01", "2027-01-01");
    let last =
        gate("house.b", "context.sound").replace("\n@nl", "\n@valid_until(\"2026-12-31\")\n@nl");
    let house = with(&format!("{first}{second}{last}"));
    let at = |day: &str| -> Timestamp { format!("{day}T12:00:00Z").parse().unwrap() };
    assert!(
        house
            .rule("house.a")
            .unwrap()
            .cedar
            .contains("context.line")
    );
    assert!(house.rule("house.b").is_some());
    assert!(house.is_in_force(at("2026-12-31")) && !house.is_in_force(at("2027-01-01")));
    let next = house.on(at("2027-01-01")).unwrap();
    assert!(next.rule("house.a").unwrap().cedar.contains("context.live"));
    assert!(next.rule("house.b").is_none());
    assert!(next.is_in_force(at("2027-06-01")) && !next.is_in_force(at("2026-12-31")));
    assert_eq!(next.on(today()).unwrap().hash(), house.hash());
}

#[test]
fn a_rule_of_a_house_never_hides_that_the_law_refuses_for_what_is_not_known() {
    // The law refuses as criminal because it is not known who records; a house that refuses
    // whatever the answer is must not make that milder.
    let house = with(&gate("house.never", "context.sound || !context.sound"));
    let unknown = json!({"requested_action": "record"});
    let (before, after) = (decided(rulebook(), &unknown), decided(&house, &unknown));
    assert_eq!(before.outcome(), Outcome::ForbiddenCriminal);
    assert_eq!(after.outcome(), Outcome::ForbiddenCriminal);
}

#[test]
fn what_is_unknown_counts_the_house_rules() {
    let house = with(&gate(
        "house.ask",
        "context has house_rule && context.house_rule == \"ban\"",
    ));
    let unknown = |rulebook: &Rulebook| {
        decide(rulebook, &facts(&permitted()), today())
            .unknown
            .unwrap()
    };
    let asks = |unknown: Vec<String>| unknown.contains(&"house_rule".to_owned());
    assert!(!asks(unknown(rulebook())));
    assert!(asks(unknown(&house)));
}
