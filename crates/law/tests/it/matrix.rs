//! Who may do what in which situation: every recorder, every act, a dozen situations, in one file
//! to read. A change of a rule shows there as a difference; that difference is what to review.

use crate::any::decision;
use crate::common::{kept, today};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use voicelog_law::{Facts, Outcome, facts_schema};
use voicelog_model::Action;

/// Everybody who may record, in the order of the facts.
fn recorders() -> Vec<String> {
    let schema = facts_schema();
    let words = &schema["properties"]["recorder_type"]["enum"];
    serde_json::from_value(words.clone()).unwrap()
}

/// A situation: its name, what it is, and its facts.
struct Situation {
    name: &'static str,
    what: &'static str,
    facts: Value,
}

/// The same everywhere unless a situation says otherwise: nothing is wanting in the set-up of an
/// organisation, so that what differs is the situation.
fn set_up() -> Value {
    json!({
        "counterpart_types": ["private_person"], "channel": "phone",
        "participation": "participant", "openness": "announced", "structural": "single",
        "or_status": "consented", "staff_informed": "each_call_signal", "dpia": "done",
        "retention_term": "P1Y", "countries": ["NL"], "special_data": [],
        "recorded_at": "2026-10-01T10:00:00+02:00", "legal_hold": {},
        "archive": {"selectielijst_result": "vernietigen", "destruction_declaration": true}
    })
}

#[expect(clippy::too_many_lines, reason = "one table, read from top to bottom")]
fn situations() -> Vec<Situation> {
    let situation = |name, what, facts| Situation { name, what, facts };
    vec![
        situation(
            "notice",
            "A telephone call with notice; the recorder takes part.",
            json!({}),
        ),
        situation(
            "agreed",
            "The same call; all agreed.",
            json!({"openness": "announced_and_agreed"}),
        ),
        situation(
            "covert",
            "The same call, covertly.",
            json!({"openness": "covert", "staff_informed": "policy_only"}),
        ),
        situation(
            "outsider",
            "A talk in a closed room, recorded covertly by one who takes no part.",
            json!({"channel": "live_inside", "participation": "none", "openness": "covert",
                   "staff_informed": "policy_only", "device_visible_with_authority": false}),
        ),
        situation(
            "own_line",
            "The recorder's own line, on which others talk who were told.",
            json!({"participation": "none", "line_subscriber": "recorder",
                   "counterpart_types": ["employee", "private_person"]}),
        ),
        situation(
            "minor",
            "A call with notice in which a child of ten is heard.",
            json!({"counterpart_types": ["private_person", "minor"], "age_youngest": 10}),
        ),
        situation(
            "staff",
            "All calls of own staff, for training; the works council was not asked.",
            json!({"counterpart_types": ["employee", "private_person"], "structural": "all",
                   "purpose": "kwaliteit_training", "or_status": "not_asked"}),
        ),
        situation(
            "health",
            "A call with notice in which health is spoken of, without a ground for that.",
            json!({"special_data": ["health"]}),
        ),
        situation(
            "germany",
            "A call with notice; somebody is in Germany, and not all agreed.",
            json!({"countries": ["DE", "NL"]}),
        ),
        situation(
            "film",
            "A talk in a closed room, filmed covertly by one who takes part.",
            json!({"channel": "live_inside", "media": ["audio", "image"], "openness": "covert",
                   "staff_informed": "policy_only"}),
        ),
        situation(
            "held",
            "A call with notice, a claim pending, the term over.",
            json!({"legal_hold": {"claim": true}, "recorded_at": "2025-01-01T10:00:00+01:00"}),
        ),
        situation(
            "destroyed",
            "A call with notice whose recording was destroyed.",
            json!({"recording_state": "destroyed"}),
        ),
        situation(
            "official",
            "A talk with an official of a public body, recorded in plain sight.",
            json!({"channel": "live_inside", "counterpart_types": ["government_body"],
                   "openness": "visible"}),
        ),
        situation(
            "unknown",
            "Only who records, and the act.",
            json!({"counterpart_types": null, "channel": null, "participation": null,
                   "openness": null, "structural": null, "or_status": null,
                   "staff_informed": null, "dpia": null, "retention_term": null,
                   "countries": null, "special_data": null, "recorded_at": null,
                   "legal_hold": null, "archive": null}),
        ),
    ]
}

/// What an act needs to be asked at all, or to be asked in the usual way.
fn of_act(act: Action) -> Value {
    match act {
        Action::Record | Action::ListenLive => json!({"recorded_at": null}),
        Action::Share => json!({"share_target": "third_party"}),
        Action::UseFor => json!({"purpose2": "personeelsmaatregel"}),
        Action::GiveCopy => json!({"requester_role": "data_subject"}),
        Action::ImportFile => json!({"origin_of_import": "participant"}),
        Action::AnalyseAi => json!({"ai_function": "summary"}),
        Action::Call => json!({"recorded_at": null,
            "outbound_marketing": {"consumer": true, "optin_proof": true}}),
        Action::RefuseRecording => json!({"recorded_at": null}),
        _ => json!({}),
    }
}

/// Facts laid over one another; `null` takes one away.
fn laid(layers: &[Value]) -> Map<String, Value> {
    let mut map = Map::new();
    for (name, value) in layers.iter().flat_map(|layer| layer.as_object().unwrap()) {
        if value.is_null() {
            map.remove(name);
        } else {
            map.insert(name.clone(), value.clone());
        }
    }
    map
}

const fn short(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Permitted => "P",
        Outcome::PermittedWithDuties => "PD",
        Outcome::NeedsHuman => "C",
        Outcome::ForbiddenCriminal => "FC",
        Outcome::ForbiddenPrivacy => "FP",
    }
}

/// The outcome in short and the rules that give it; `-` where such facts contradict themselves.
fn answer(situation: &Situation, recorder: &str, act: Action) -> (&'static str, String) {
    let who = json!({"recorder_type": recorder, "requested_action": act.as_str()});
    let map = laid(&[set_up(), of_act(act), situation.facts.clone(), who]);
    let Ok(facts) = Facts::from_map(&map, today()) else {
        return ("-", "contradicts itself".to_owned());
    };
    let decision = decision(&facts);
    let rules: Vec<_> = decision.reasons.iter().map(|r| r.rule.as_str()).collect();
    (short(decision.outcome), rules.join(", "))
}

fn section(situation: &Situation, recorders: &[String], text: &mut String) {
    writeln!(text, "\n## {}\n\n{}\n", situation.name, situation.what).unwrap();
    writeln!(text, "| | {} |", recorders.join(" | ")).unwrap();
    writeln!(text, "| --- |{}", " --- |".repeat(recorders.len())).unwrap();
    let mut why = String::new();
    for act in Action::ALL {
        let answers: Vec<_> = recorders
            .iter()
            .map(|recorder| answer(situation, recorder, act))
            .collect();
        let cells: Vec<_> = answers.iter().map(|(outcome, _)| *outcome).collect();
        writeln!(text, "| {act} | {} |", cells.join(" | ")).unwrap();
        // Those who get the same answer for the same reasons stand together.
        let mut groups: BTreeMap<usize, (&(&str, String), Vec<&str>)> = BTreeMap::new();
        for (recorder, answer) in recorders.iter().zip(&answers) {
            let first = answers.iter().position(|other| other == answer).unwrap();
            let group = groups.entry(first).or_insert((answer, Vec::new()));
            group.1.push(recorder);
        }
        writeln!(why, "\n{act}\n").unwrap();
        for ((outcome, rules), who) in groups.values() {
            let who = if who.len() == recorders.len() {
                "all".to_owned()
            } else {
                who.join(", ")
            };
            writeln!(why, "- {outcome} {who}: {rules}").unwrap();
        }
    }
    text.push_str(&why);
}

fn matrix() -> String {
    let mut text = "# Who may do what\n\n\
        Made by the test `matrix` of this crate, and held against the rules by it; \
        `LAW_WRITE=1 cargo test -p voicelog-law --test it matrix` writes it anew. Read the \
        difference: it is what a change of the rules does.\n\n\
        P permitted, PD permitted with duties, C a human decides, FP forbidden on privacy, FC \
        forbidden by criminal law, - facts that contradict themselves. A situation adds to a \
        set-up in which nothing is wanting (works council, DPIA, term, no special data); sharing \
        is with a third party, the new use is a measure against staff, a copy is for the person \
        recorded, the analysis is a summary, the call has its opt-in.\n"
        .to_owned();
    let recorders = recorders();
    for situation in situations() {
        section(&situation, &recorders, &mut text);
    }
    text
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/matrix.md")
}

#[test]
fn the_matrix_is_what_the_rules_say() {
    let is = matrix();
    let kept = kept(&file(), &is);
    let (was, now) = (by_place(&kept), by_place(&is));
    let gone = was.difference(&now).map(|line| format!("- {line}"));
    let new = now.difference(&was).map(|line| format!("+ {line}"));
    let mut changed: Vec<_> = gone.chain(new).collect();
    changed.sort_by(|left, right| left.get(2..).cmp(&right.get(2..)));
    assert!(
        is == kept,
        "the rules say something else than tests/matrix.md. If that is meant, write it anew with\n\
         LAW_WRITE=1 cargo test -p voicelog-law --test it matrix\nand read the difference:\n{}",
        changed.join("\n")
    );
}

/// The lines that give reasons, each with its situation and act before it.
fn by_place(text: &str) -> BTreeSet<String> {
    let (mut situation, mut act) = ("", "");
    let mut lines = BTreeSet::new();
    for line in text.lines() {
        match line.split_once(' ') {
            Some(("##", name)) => situation = name,
            Some(("-", answer)) => {
                lines.insert(format!("{situation}, {act}: {answer}"));
            }
            None if !line.is_empty() => act = line,
            _ => {}
        }
    }
    lines
}
