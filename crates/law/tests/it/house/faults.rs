//! What is wrong with house rules, with its place and what would be right.

use super::{duty, example, gate, permitted, read, with};
use crate::common::{rulebook, today};
use voicelog_law::{Facts, HouseRules, decide};
use voicelog_model::Language;

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

/// The condition that others are made of.
const LINE: &str = "context.line";

fn nested(open: &str, deep: usize, close: &str) -> String {
    format!("{}{LINE}{}", open.repeat(deep), close.repeat(deep))
}

fn chain(link: &str, steps: usize) -> String {
    format!("{LINE}{}", format!(" {link} {LINE}").repeat(steps))
}

#[test]
fn a_rule_that_would_take_all_of_the_stack_is_refused_with_its_place() {
    for deep in [8, 1_000, 10_000] {
        all_said(&[
            (
                gate("house.a", &nested("(", deep, ")")),
                "house.cedar:8:15: `house.a`: too deep: at most 8 brackets",
            ),
            (gate("house.a", &nested("!(", deep, ")")), "too deep"),
            (gate("house.a", &nested("[", deep, "]")), "too deep"),
            (gate("house.a", &nested("{a: ", deep, "}")), "too deep"),
            (
                gate("house.a", &nested("if ", deep, " then true else true")),
                "too deep",
            ),
        ]);
    }
    let whens = "when { context.line }\n".repeat(50);
    let whens = gate("house.a", LINE).replace("\nwhen", &format!("\n{whens}when"));
    for steps in [40, 2_000] {
        all_said(&[
            (gate("house.a", &chain("&&", steps)), "too long: at most 40"),
            (gate("house.a", &chain("||", steps)), "too long"),
            (
                gate("house.a", &format!("context{}", ".line".repeat(steps + 1))),
                "too long",
            ),
            (gate("house.a", &"!".repeat(steps)), "too long"),
            (whens.clone(), "too long"),
        ]);
    }
}

#[test]
fn a_rule_within_the_limits_is_read_and_evaluated_on_half_the_stack_of_a_thread() {
    let at_most = [
        (nested("(", 7, ")"), true),
        (nested("!(", 7, ")"), false),
        (
            nested("!(context.line && context.live || ", 7, ")") + &" || context.line".repeat(18),
            true,
        ),
        (chain("&&", 39), true),
        (chain("||", 39), true),
    ];
    let checks = move || {
        for (when, is_so) in at_most {
            let with = with(&gate("house.a", &when));
            let facts = Facts::parse(permitted().to_string().as_bytes(), today()).unwrap();
            let decision = decide(&with, &facts, today());
            let mut reasons = decision.reasons().iter();
            assert_eq!(reasons.any(|reason| reason.rule == "house.a"), is_so);
            // Cedar passes over mistakes in silence where its stack is short.
            all_said(&[(
                gate("house.a", &when.replacen(LINE, "context.line > 3", 1)),
                "here belongs a number",
            )]);
        }
    };
    rulebook();
    let thread = std::thread::Builder::new().stack_size(1 << 20);
    thread.spawn(checks).unwrap().join().unwrap();
}

#[test]
fn reckoning_is_refused_since_a_rule_that_fails_refuses_everything() {
    let table = [
        "context has age_youngest && context.age_youngest * 2 > 9",
        "context has age_youngest && context.age_youngest > -1",
        "context has age_youngest && context.age_youngest + 1 > 9",
        "datetime(\"2026-01-01\") < datetime(\"2027-01-01\")",
    ];
    let wanted = "a house rule does not reckon";
    all_said(&table.map(|when| (gate("house.a", when), wanted)));
    with(&gate(
        "house.a",
        "context has age_youngest && context.age_youngest < 16",
    ));
}

#[test]
fn a_sign_that_a_terminal_obeys_is_refused_with_its_place() {
    let right = gate("house.a", LINE);
    let english = "house.cedar:6:5: `house.a`: there is a control character here (U+001B)";
    all_said(&[
        (right.replace("Not", "\\u{1b}[31mNot"), english),
        (right.replace("Not", "\\u{1_b}[31mNot"), english),
        (right.replace("Not", "\\\\\\x1b[31mNot"), english),
        (
            right.replace("Not", "\u{1b}[31mNot"),
            "house.cedar:6:6: `house.a`: there is a control character here (U+001B)",
        ),
        (right.replace("Handboek", "\\rHandboek"), "here (U+000D)"),
        (right.replace("Not", "\u{9b}Not"), "here (U+009B)"),
        (
            right.replace("house.a", "house.\u{7}a"),
            "house.cedar:1:12: there is a control character here (U+0007)",
        ),
        (right.replace("forbid", "// \r (\nforbid"), "here (U+000D)"),
    ]);
    with(&right.replace("Not here", "Not\\n\there \\\\x1b"));
    with(&right.replace('\n', "\r\n"));
}

#[test]
fn a_byte_order_mark_says_nothing() {
    with(&format!("\u{feff}{}", gate("house.a", LINE)));
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
fn the_example_is_right() {
    let rules =
        HouseRules::read(&example(), rulebook()).unwrap_or_else(|faults| panic!("{faults}"));
    assert!(rules.len() >= 6);
    assert_eq!(rules.warnings(rulebook()).unwrap(), []);
}
