//! The worked cases: facts in, one outcome out, for the right reasons, with their articles and
//! with every duty, met, not met or not known.

use crate::common::{decided, facts};
use serde_json::{Map, Value, json};
use std::path::Path;

/// Every case in `tests/cases`, by name.
fn cases() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut cases: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let case =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, case)
        })
        .collect();
    cases.sort_by(|left, right| left.0.cmp(&right.0));
    cases
}

#[test]
fn every_worked_case_has_its_outcome_for_its_reasons() {
    let mut wrong = Vec::new();
    for (name, case) in cases() {
        assert_eq!(
            case["case"],
            name.as_str(),
            "the file is named after its case"
        );
        let decision = decided(&case["facts"]);
        let rules: Vec<_> = decision
            .reasons
            .iter()
            .map(|reason| reason.rule.as_str())
            .collect();
        if case["outcome"] != decision.outcome.as_str() {
            let (want, is) = (&case["outcome"], decision.outcome);
            wrong.push(format!("{name}: {want} wanted, {is} because of {rules:?}"));
        }
        for reason in case["reasons"].as_array().into_iter().flatten() {
            if !rules.contains(&reason.as_str().unwrap()) {
                wrong.push(format!("{name}: {reason} is not among {rules:?}"));
            }
        }
        if case["articles"] != json!(decision.articles()) {
            let (want, is) = (&case["articles"], decision.articles());
            wrong.push(format!("{name}: articles {want} wanted, are {is:?}"));
        }
        let duties = decision.duties.iter();
        let duties: Map<_, _> = duties
            .map(|duty| (duty.what.clone(), json!(duty.met)))
            .collect();
        if case["duties"] != Value::Object(duties.clone()) {
            let want = &case["duties"];
            wrong.push(format!("{name}: duties {want} wanted, are {duties:?}"));
        }
        let forecast = serde_json::to_value(decision.evidence.forecast).unwrap();
        if case.get("evidence").is_some_and(|want| *want != forecast) {
            wrong.push(format!(
                "{name}: evidence {} wanted, is {forecast}",
                case["evidence"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_case_is_decided_the_same_way_every_time() {
    for (name, case) in cases().into_iter().take(8) {
        let (one, two) = (decided(&case["facts"]), decided(&case["facts"]));
        assert_eq!(one, two, "{name}");
        assert_eq!(one.facts_hash, facts(&case["facts"]).hash());
    }
}
