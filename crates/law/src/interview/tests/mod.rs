mod knowing;

use super::*;
use crate::decide_without_unknown;
use serde_json::{Map, json};
use std::path::Path;

fn at() -> Timestamp {
    "2026-11-21T10:02:00Z".parse().unwrap()
}

/// Every worked case: its name and its facts.
fn cases() -> Vec<(String, Map<String, Value>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut cases: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let case: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let mut facts = case["facts"].as_object().unwrap().clone();
            // What a missing key means, said aloud: the first question asks for it.
            facts.entry("media").or_insert_with(|| json!(["audio"]));
            // One answer stands for the consents of all.
            if let Some(all) = facts.get("consent_per_participant") {
                let grave = ["refused", "withdrawn", "none", "given", "given_explicit"];
                let worst = grave.iter().find(|word| {
                    all.as_object()
                        .unwrap()
                        .values()
                        .any(|value| value == *word)
                });
                let worst = worst.copied().unwrap_or("given_by_guardian");
                facts.insert("consent_per_participant".to_owned(), json!({ "p1": worst }));
            }
            (name, facts)
        })
        .collect();
    cases.sort_by(|left, right| left.0.cmp(&right.0));
    cases
}

/// What a person with these facts is asked, and the facts that come out.
fn interviewed(rulebook: &Rulebook, facts: &Map<String, Value>) -> (Vec<Given>, Facts) {
    let walk = Interview::new(rulebook, at()).run(|ask| {
        let is_advice = ask.question.extra;
        (!is_advice).then(|| knowing::answer(facts, ask))
    });
    match walk.step {
        Step::Done { facts, .. } => (walk.given, *facts),
        Step::Ask(ask) => panic!("{}: {:?} on {:?}", ask.key, ask.problem, ask.answer),
    }
}

#[test]
fn every_worked_case_is_answered_in_at_most_twelve_questions() {
    let rulebook = Rulebook::embedded(at()).unwrap();
    let mut counts = Vec::new();
    let mut wrong = Vec::new();
    for (name, facts) in cases() {
        let whole = Facts::from_map(&facts, at()).unwrap();
        let want = decide_without_unknown(&rulebook, &whole, at());
        let (given, found) = interviewed(&rulebook, &facts);
        let is = decide_without_unknown(&rulebook, &found, at());
        let asked: Vec<_> = given
            .iter()
            .map(|given| format!("{}={}", given.key, given.answer.to_text()))
            .collect();
        if is.outcome != want.outcome || given.len() > 12 {
            wrong.push(format!(
                "{name}: {} wanted, {} found in {} questions: {asked:?} because of {:?}",
                want.outcome,
                is.outcome,
                given.len(),
                is.reasons
                    .iter()
                    .map(|reason| &reason.rule)
                    .collect::<Vec<_>>(),
            ));
        }
        println!("{name} {} {asked:?}", given.len());
        if name.starts_with('C') {
            counts.push(given.len());
        }
    }
    counts.sort_unstable();
    println!("{counts:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let few = counts.iter().filter(|count| **count < 7).count();
    assert!(
        few * 2 > counts.len(),
        "most in fewer than seven: {counts:?}"
    );
}

#[test]
fn conditions_come_out_as_cedar_says_when_everything_is_known() {
    let rulebook = Rulebook::embedded(at()).unwrap();
    let all: BTreeSet<&'static str> = crate::definitions().map(|row| row.name).collect();
    for (name, facts) in cases() {
        let facts = Facts::from_map(&facts, at()).unwrap();
        let possible = Possible::new(&facts, &all, at());
        let holding = rulebook.holding_all(&facts, at());
        for rule in rulebook.deciding(facts.action()) {
            let truth = rule.condition().truth(&possible);
            // Cedar names a permit only where nothing forbids.
            let is_permit = rule.does == Does::Gate(ReasonKind::Permit);
            if is_permit && !holding.contains(&rule.id) {
                continue;
            }
            let holds = holding.contains(&rule.id);
            assert_eq!(
                (truth.may_hold, truth.may_fail),
                (holds, !holds),
                "{name}: {}",
                rule.id
            );
        }
    }
}

#[test]
fn every_fact_that_can_change_an_outcome_is_asked_for() {
    let rulebook = Rulebook::embedded(at()).unwrap();
    let asked: BTreeSet<_> = questions().flat_map(|question| question.facts()).collect();
    for act in Action::ALL {
        for rule in rulebook.deciding(act) {
            if matches!(rule.does, Does::Duty { .. } | Does::Mark { .. }) {
                continue;
            }
            for name in rule.condition().names() {
                for fact in possible::inputs_of(name) {
                    let is_asked = asked.contains(fact) || NEVER_ASKED.contains(&fact);
                    assert!(
                        is_asked,
                        "{} reads {fact}, which no question asks for",
                        rule.id
                    );
                }
            }
        }
    }
}

#[test]
fn what_a_choice_sets_is_a_value_of_its_fact() {
    for question in questions() {
        for choice in question.choices() {
            for (fact, value) in choice.sets.iter().chain(choice.otherwise) {
                let Some(value) = value.map(|value| resolved(value, at()).unwrap()) else {
                    continue;
                };
                let map = Map::from_iter([
                    ("requested_action".to_owned(), json!("record")),
                    ((*fact).to_owned(), value.clone()),
                ]);
                if let Err(error) = Facts::from_map(&map, at()) {
                    let shape = error
                        .findings()
                        .iter()
                        .find(|found| !found.place.contains('+'));
                    assert!(shape.is_none(), "{}: {}: {error}", question.id, choice.id);
                }
            }
        }
    }
}

#[test]
fn what_is_asked_for_the_advice_changes_no_outcome() {
    let rulebook = Rulebook::embedded(at()).unwrap();
    let mut put = BTreeSet::new();
    for (name, facts) in cases() {
        let base = Facts::from_map(&facts, at()).unwrap();
        let want = decide_without_unknown(&rulebook, &base, at()).outcome;
        for question in questions().filter(|question| question.extra && (question.only)(&base)) {
            for choice in question.choices() {
                let mut changed = facts.clone();
                for (fact, value) in choice.sets {
                    let value = value.and_then(|value| resolved(value, at()));
                    changed.insert((*fact).to_owned(), value.unwrap());
                }
                let Ok(changed) = Facts::from_map(&changed, at()) else {
                    continue; // It contradicts the case: the interview does not offer it.
                };
                put.insert(question.id);
                let is = decide_without_unknown(&rulebook, &changed, at()).outcome;
                assert_eq!(is, want, "{name}: {} {}", question.id, choice.id);
            }
        }
    }
    let all = questions().filter(|question| question.extra);
    assert_eq!(put, all.map(|question| question.id).collect());
}

/// What is asked of somebody who answers these, and knows nothing else.
fn asked(rulebook: &Rulebook, answers: &[(&str, &str)]) -> Vec<String> {
    let mut keys = Vec::new();
    let walk = Interview::new(rulebook, at()).run(|ask| {
        keys.push(ask.key.clone());
        let chosen = answers.iter().find(|(key, _)| *key == ask.key);
        let chosen = chosen.map(|(_, id)| Answer::Chosen(vec![(*id).to_owned()]));
        let nothing = match ask.question.form {
            Form::Several(_) => Answer::Chosen(Vec::new()),
            _ => Answer::NotKnown,
        };
        (!ask.is_for_advice()).then(|| chosen.unwrap_or(nothing))
    });
    assert!(matches!(walk.step, Step::Done { .. }), "{keys:?}");
    keys
}

#[test]
fn a_house_that_forbids_everything_still_asks_who_it_is_and_never_what_others_are_asked() {
    let text = "@id(\"house.never\")\n@kind(\"labour\")\n@article(\"1\")\n\
                @valid_from(\"2026-10-01\")\n@nl(\"Nooit.\")\n@en(\"Never.\")\n\
                forbid (principal, action, resource);";
    let law = Rulebook::embedded(at()).unwrap();
    let files = [("house.cedar".to_owned(), text.to_owned())];
    let house = crate::HouseRules::read(&files, &law).unwrap();
    let house = law.with_house(&house).unwrap();
    for act in ["record", "keep", "destroy", "import_file"] {
        let keys = asked(&house, &[("act", act), ("recorder", "employee")]);
        assert_eq!(keys[..2], ["act", "recorder"], "{act}");
        let by_law = asked(&law, &[("act", act), ("recorder", "employee")]);
        let more: Vec<_> = keys.iter().filter(|key| !by_law.contains(key)).collect();
        assert!(more.is_empty(), "{act}: {more:?} beside {by_law:?}");
    }
}

#[test]
fn every_new_purpose_can_be_said_to_have_been_told_beforehand() {
    let purposes = |id: &str, fact: &str| {
        let choices = question(id).unwrap().choices().iter();
        let values = choices
            .flat_map(|choice| choice.sets)
            .filter(|set| set.0 == fact);
        values
            .filter_map(|(_, value)| Some(value.as_ref()?.trim_matches(['[', ']']).to_owned()))
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(
        purposes("told_purposes", "announced_purposes"),
        purposes("new_purpose", "purpose2")
    );
}
