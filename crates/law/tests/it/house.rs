//! House rules: what is wrong with them is said, all of it; what is right can only make an answer
//! graver.

use crate::common::{changed, facts, rulebook, today};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::path::Path;
use voicelog_law::{
    Decision, Facts, HouseFaults, HouseRules, Outcome, ReasonKind, Rulebook, Status, decide,
    decide_without_unknown, facts_schema,
};
use voicelog_model::{Language, Timestamp};

fn read(files: &[(&str, &str)]) -> Result<HouseRules, HouseFaults> {
    let files: Vec<_> = files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    HouseRules::read(&files, rulebook())
}

fn with(text: &str) -> Rulebook {
    match read(&[("house.cedar", text)]) {
        Ok(rules) => rulebook().with_house(&rules).unwrap(),
        Err(faults) => panic!("{faults}"),
    }
}

/// Every file of the example, by name.
fn example() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/house-rules");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "cedar")
        })
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// A gate, a duty, a mark and an advice; each test changes what it is about.
fn gate(id: &str, when: &str) -> String {
    format!(
        "@id(\"{id}\")\n@kind(\"labour\")\n@article(\"Handboek 1\")\n@valid_from(\"2026-10-01\")\n\
         @nl(\"Niet hier.\")\n@en(\"Not here.\")\n\
         forbid (principal, action == Action::\"record\", resource)\nwhen {{ {when} }};\n"
    )
}

fn duty(id: &str, when: &str) -> String {
    format!(
        "@id(\"{id}\")\n@kind(\"duty\")\n@who(\"controller\")\n@what(\"tell_the_manager\")\n\
         @by(\"at_once\")\n@article(\"Handboek 2\")\n@valid_from(\"2026-10-01\")\n\
         @nl(\"Meld het.\")\n@en(\"Tell it.\")\n\
         permit (principal, action == Action::\"record\", resource)\nwhen {{ {when} }};\n"
    )
}

/// What a rule of kind `human` says besides, before its text.
const WEIGHING: &str = "@weighs_nl(\"de chef\")\n@weighs_en(\"the chief\")\n\
                        @factors_nl(\"a; b\")\n@factors_en(\"a; b\")\n@nl(";

/// House rules of every kind that hold in many situations.
fn broad() -> Rulebook {
    let human = gate("house.human", "context.organisation")
        .replace("labour", "human")
        .replace("@nl(", WEIGHING);
    let all = [
        human,
        gate(
            "house.covert",
            "context has openness && context.openness == \"covert\"",
        ),
        gate("house.destroy", "context.avg_applies == \"yes\"").replace("record", "destroy"),
        gate("house.always", "context.sound || !context.sound").replace(
            "action == Action::\"record\"",
            "action in Action::\"using\"",
        ),
        duty("house.tell", "context.line"),
    ];
    with(&all.concat())
}

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

/// A call that the law permits, with duties.
fn permitted() -> Value {
    json!({
        "recorder_type": "company", "counterpart_types": ["private_person"], "channel": "phone",
        "participation": "participant", "openness": "announced",
        "announcement": {"at": "2026-11-21T09:59:58Z", "text_id": "verkoop-1", "language": "nl"},
        "purpose": "klacht", "legal_basis": "b", "structural": "all",
        "countries": ["NL"], "or_status": "consented", "staff_informed": "each_call_signal",
        "dpia": "done", "retention_term": "P5Y", "private_use_possible": true,
        "requested_action": "record"
    })
}

fn decided(rulebook: &Rulebook, value: &Value) -> Decision {
    decide_without_unknown(rulebook, &facts(value), today())
}

/// Line, column and text of everything that is wrong, in English.
fn faults(text: &str) -> Vec<String> {
    let Err(faults) = read(&[("house.cedar", text)]) else {
        panic!("nothing is wrong with {text}");
    };
    let findings = faults.findings().iter();
    findings
        .map(|finding| finding.in_language(Language::En))
        .collect()
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
fn a_house_rule_can_permit_nothing_whatever_it_is_called() {
    let permit = gate("house.a", "context.line")
        .replace("\"labour\"", "\"permit\"")
        .replace("forbid", "permit");
    let said = faults(&permit);
    assert!(said[0].contains("can permit nothing"), "{said:?}");
    let gate_that_permits = gate("house.a", "context.line").replace("forbid", "permit");
    let said = faults(&gate_that_permits);
    assert!(said[0].contains("can permit nothing"), "{said:?}");
    let of_the_law = "@id(\"house.m\")\n@kind(\"met\")\n@duty(\"avg.13.notice\")\n@valid_from(\"2026-10-01\")\n\
                      permit (principal, action, resource);";
    let said = faults(of_the_law);
    assert!(said[0].contains("is a duty of the law"), "{said:?}");
}

/// Each text has this among its mistakes.
fn all_said(table: &[(String, &str)]) {
    for (text, wanted) in table {
        let said = faults(text);
        assert!(
            said.iter().any(|line| line.contains(wanted)),
            "{wanted}\nis not among\n{}",
            said.join("\n")
        );
    }
}

#[test]
fn a_mistake_in_a_condition_is_said_with_its_place_and_what_would_be_right() {
    let table = [
        (
            "context has purpos",
            "house.cedar:8:20: `house.a`: `purpos` is not a fact; did you mean `purpose`?",
        ),
        (
            "context has suspicion && context.suspicion has concreet",
            "has no field `concreet`; did you mean concrete?",
        ),
        (
            "context.openness == \"covert\"",
            "8:8: `house.a`: `context.openness` may be missing; ask for it first: `context has openness && …`",
        ),
        (
            "context has on_hold && context.on_hold == \"yes\"",
            "compares true or false with a word",
        ),
        (
            "context.staff_audible > 3",
            "`context.staff_audible` is true or false, and here belongs a number",
        ),
        (
            "context has channel && context.channel == \"phon\"",
            "8:50: `house.a`: `channel` can't be `phon`; did you mean `phone`? It can be: live_inside",
        ),
        (
            "context.avg_applies == \"maybe\"",
            "`avg_applies` can't be `maybe`",
        ),
        ("context.countries.contains(\"Holland\")", "a country code"),
        (
            "context.sample_rate == 1",
            "a rule can't read `sample_rate`",
        ),
        (
            "context.line || [].contains(\"x\")",
            "an empty list `[]` says nothing",
        ),
    ];
    all_said(&table.map(|(when, wanted)| (gate("house.a", when), wanted)));
}

/// A change that spoils a right rule, from and to, and what is then said.
const SPOILT: &[(&str, &str, &str)] = &[
    ("@article(\"Handboek 1\")\n", "", "`@article` is missing"),
    (
        "@en(\"Not here.\")\n",
        "",
        "house.cedar:5:1: `house.a`: the text `@en` is missing",
    ),
    ("@kind", "@knd", "`@kind` is missing"),
    (
        "@nl(",
        "@shrt_nl(\"x\")\n@nl(",
        "`@shrt_nl` does not go with kind `labour`; did you mean `@short_nl`?",
    ),
    (
        "@nl(",
        "@status(\"verified\")\n@nl(",
        "`@status` belongs to rules of the law",
    ),
    (
        "@nl(",
        "@gate(\"1\")\n@nl(",
        "`@gate` belongs to rules of the law",
    ),
    (
        "@nl(",
        "@fact(\"channel\")\n@nl(",
        "`@fact` belongs to rules of the law",
    ),
    (
        "@nl(",
        "@alternative_nl(\"x\")\n@nl(",
        "the text `@alternative_en` is missing",
    ),
    (
        "@nl(",
        "@valid_until(\"2026-09-30\")\n@nl(",
        "lies before the first",
    ),
    (
        "2026-10-01",
        "2026-02-30",
        "house.cedar:4:1: `house.a`: `2026-02-30` is not a date",
    ),
    (
        "\"labour\"",
        "\"criminal\"",
        "only the law makes something a crime",
    ),
    (
        "\"labour\"",
        "\"human\"",
        "the text `@weighs_nl` is missing",
    ),
    (
        "@nl(",
        "@weighs_nl(\"x\")\n@nl(",
        "`@weighs_nl` does not go with kind `labour`",
    ),
    ("house.a", "a", "`a` is no name of a house rule"),
    (
        "house.a",
        "avg.13.notice",
        "`avg.13.notice` is a rule of the law",
    ),
    (
        "principal,",
        "principal == Asker::\"x\",",
        "say nothing with `principal`",
    ),
    (
        "\"record\"",
        "\"recrod\"",
        "7:30: `house.a`: there is no act `recrod`; did you mean `record`?",
    ),
];

#[test]
fn a_mistake_in_what_a_rule_says_of_itself_is_said_with_what_would_be_right() {
    let right = gate("house.a", "context.line");
    let spoilt = SPOILT.iter();
    let spoilt = spoilt.map(|(from, to, wanted)| (right.replace(from, to), *wanted));
    all_said(&spoilt.collect::<Vec<_>>());
}

#[test]
fn a_mistake_in_a_file_is_said_with_what_would_be_right() {
    let right = gate("house.a", "context.line");
    all_said(&[
        (right.replace("};", "}"), "this is not Cedar"),
        (
            format!("{right}@id(\"house.b"),
            "9:5: this text does not end",
        ),
        (
            format!("{right}{}", gate("house.a", "context.live")),
            "9:1: `house.a`: `house.a` of 2026-10-01 is there already: house.cedar:1",
        ),
        (
            duty("house.d", "context.line").replace("at_once", "At once!"),
            "`At once!` is not a word of small letters",
        ),
        ("// nothing\n".to_owned(), "there is no rule in this file"),
    ]);
}

#[test]
fn all_mistakes_of_all_files_are_said_at_once() {
    let one =
        gate("house.a", "context has purpos") + &gate("house.b", "context.openness == \"covrt\"");
    let two = "@id(\"house.c\" forbid;\n".to_owned() + &gate("c", "context.line");
    let faults = read(&[("one.cedar", &one), ("two.cedar", &two)]).unwrap_err();
    let places: Vec<_> = faults
        .findings()
        .iter()
        .map(|finding| (finding.file.as_str(), finding.line))
        .collect();
    assert_eq!(
        places,
        [
            ("one.cedar", 8),
            ("one.cedar", 16),
            ("one.cedar", 16),
            ("two.cedar", 1),
            ("two.cedar", 2)
        ]
    );
    let dutch = faults.in_language(Language::Nl);
    assert!(dutch.contains("bedoelt u `purpose`?"), "{dutch}");
}

#[test]
fn a_house_rule_that_cannot_be_evaluated_refuses() {
    let house = with(&gate(
        "house.a",
        "context has age_youngest && context.age_youngest * 9223372036854775807 > 1",
    ));
    let decision = decided(&house, &changed(&permitted(), &json!({"age_youngest": 40})));
    assert_eq!(decision.outcome(), Outcome::ForbiddenPrivacy);
    let mut reasons = decision.reasons().iter();
    assert!(reasons.any(|reason| reason.rule == "house.a"));
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

#[test]
fn the_example_is_right() {
    let rules =
        HouseRules::read(&example(), rulebook()).unwrap_or_else(|faults| panic!("{faults}"));
    assert!(rules.len() >= 6);
    assert_eq!(rules.warnings(rulebook()).unwrap(), []);
}

/// What deserves a second look, in English.
fn warnings(text: &str) -> Vec<String> {
    let rules = read(&[("house.cedar", text)]).unwrap_or_else(|faults| panic!("{faults}"));
    let findings = rules.warnings(rulebook()).unwrap();
    let said = findings.iter();
    said.map(|finding| finding.in_language(Language::En))
        .collect()
}

fn mark(id: &str, kind: &str, duty: &str, when: &str) -> String {
    format!(
        "@id(\"{id}\")\n@kind(\"{kind}\")\n@duty(\"{duty}\")\n@valid_from(\"2026-10-01\")\n\
         permit (principal, action == Action::\"record\", resource)\nwhen {{ {when} }};\n"
    )
}

#[test]
fn a_rule_that_can_never_hold_is_pointed_out() {
    for when in [
        // Cedar sees it.
        "context.line && 1 == 2",
        // One value cannot be another.
        "context has purpose && context.purpose == \"klacht\" && context.purpose == \"overig\"",
        // The facts do not go together: nobody is covert and consents.
        "context has openness && context.openness == \"covert\" && context has announcement",
        // What is derived contradicts what it is derived from.
        "context.natural_person && context has recorder_type && context.recorder_type == \"company\"",
        // Out of the range of the fact.
        "context has age_youngest && context.age_youngest > 500",
    ] {
        let said = warnings(&gate("house.a", when));
        assert_eq!(said.len(), 1, "{when}: {said:?}");
        let is_it =
            said[0].contains("no set of facts was found") || said[0].contains("never holds");
        assert!(is_it && said[0].starts_with("house.cedar:"), "{said:?}");
    }
}

#[test]
fn a_rule_that_holds_for_some_facts_is_not_pointed_out() {
    for when in [
        "context.line",
        "context.counterpart_types.contains(\"minor\") && context.counterpart_types.contains(\"patient\") && context.counterpart_types.contains(\"relative\")",
        "context has age_youngest && context.age_youngest == 17",
        "context has or_dates && context.or_dates has invoked_at && context.organisation",
        "context has suspicion && context.suspicion has result && context.suspicion.result == \"pending\" && context.two_approved",
        "context has case_id && context.case_id == \"zaak-12\"",
        "!(context has purpose)",
    ] {
        let when = when.replace(
            "context.counterpart_types.contains",
            "context has counterpart_types && context.counterpart_types.contains",
        );
        let said = warnings(&gate("house.a", &when));
        let never = said.iter().any(|line| line.contains("no set of facts"));
        assert!(!never, "{when}: {said:?}");
    }
}

#[test]
fn a_rule_that_the_law_makes_needless_is_pointed_out() {
    // To listen in without taking part on somebody else's line is a crime already.
    let needless = gate(
        "house.a",
        "context has participation && context.participation == \"none\" && context.line && \
         context has line_subscriber && context.line_subscriber == \"other\"",
    );
    let said = warnings(&needless);
    assert!(
        said.len() == 1 && said[0].contains("seems to add nothing"),
        "{said:?}"
    );
    let duty = duty(
        "house.d",
        "context has participation && context.participation == \"none\" && context.line && \
         context has line_subscriber && context.line_subscriber == \"other\"",
    );
    let said = warnings(&duty);
    assert!(
        said.len() == 1 && said[0].contains("without effect"),
        "{said:?}"
    );
}

#[test]
fn house_rules_that_contradict_each_other_are_pointed_out() {
    // A duty to do what another rule forbids.
    let copy = duty("house.d", "context.organisation").replace("tell_the_manager", "give_copy");
    let no_copy = gate("house.a", "context.organisation").replace("\"record\"", "\"give_copy\"");
    let said = warnings(&(copy + &no_copy));
    assert!(
        said.iter().any(|line| line
            .contains("`house.d`: this duty demands `give_copy`, and `house.a` forbids that")),
        "{said:?}"
    );
    // A duty that is met only where another rule forbids the act.
    let covert = "context has openness && context.openness == \"covert\"";
    let all = [
        duty("house.d", "context.organisation"),
        mark("house.d.met", "met", "house.d", covert),
        gate("house.a", covert),
    ];
    let said = warnings(&all.concat());
    assert!(
        said.iter()
            .any(|line| line.contains("can only be met where `house.a` forbids the act")),
        "{said:?}"
    );
    // Met and not met at once.
    let all = [
        duty("house.d", "context.organisation"),
        mark(
            "house.d.met",
            "met",
            "house.d",
            "context has dpia && context.dpia == \"done\"",
        ),
        mark("house.d.unmet", "unmet", "house.d", "context.line"),
    ];
    let said = warnings(&all.concat());
    assert!(
        said.len() == 1
            && said[0].contains("`house.d.unmet` says the opposite for {")
            && said[0].contains("\"dpia\":\"done\""),
        "{said:?}"
    );
}

#[test]
fn a_duty_that_nothing_can_meet_before_the_first_second_is_pointed_out() {
    let duty = duty("house.d", "context.organisation").replace("at_once", "before_first_sample");
    let said = warnings(&duty);
    assert!(
        said.len() == 1 && said[0].contains("no recording ever begins"),
        "{said:?}"
    );
    let met = mark(
        "house.d.met",
        "met",
        "house.d",
        "context has dpia && context.dpia == \"done\"",
    );
    assert_eq!(warnings(&(duty + &met)), Vec::<String>::new());
}

#[test]
fn a_mark_for_a_duty_that_begins_later_is_pointed_out() {
    let duty = duty("house.d", "context.organisation").replace("2026-10-01", "2027-03-01");
    let met = mark(
        "house.d.met",
        "met",
        "house.d",
        "context has dpia && context.dpia == \"done\"",
    );
    let said = warnings(&(duty + &met));
    assert!(
        said.len() == 1 && said[0].contains("`house.d` is not in force"),
        "{said:?}"
    );
}
