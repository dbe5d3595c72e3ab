//! Every rule is hit by one set of facts and missed by another.

use crate::common::{changed, decided, rulebook, today};
use serde_json::Value;
use std::collections::BTreeSet;
use voicelog_law::{Decision, Forecast, Rulebook};

/// `tests/rules.json`: a few situations, and per rule a change that hits it and one that misses.
fn table() -> Value {
    serde_json::from_str(include_str!("../rules.json")).unwrap()
}

/// Whether a decision shows that the rule holds.
pub(crate) fn shows(decision: &Decision, rule: &str) -> bool {
    let met = |duty: &str| {
        let mut duties = decision.duties.iter();
        duties
            .find(|known| known.rule == duty)
            .and_then(|duty| duty.met)
    };
    match rule {
        "forecast.usual" | "forecast.announced_to_official" => {
            decision.evidence.forecast != Forecast::NotApplicable
        }
        "forecast.government_covert" => decision.evidence.forecast == Forecast::ExclusionRisk,
        "forecast.works_council" => decision.evidence.forecast == Forecast::NotApplicable,
        _ if rule.starts_with("forecast.") => decision.evidence.forecast == Forecast::Weighed,
        _ => match (rule.strip_suffix(".met"), rule.strip_suffix(".unmet")) {
            (Some(duty), _) => met(duty) == Some(true),
            (_, Some(duty)) => met(duty) == Some(false),
            _ => {
                decision.reasons.iter().any(|reason| reason.rule == rule)
                    || decision.duties.iter().any(|duty| duty.rule == rule)
                    || decision.advice.iter().any(|advice| advice.rule == rule)
            }
        },
    }
}

#[test]
fn every_rule_is_hit_once_and_missed_once() {
    let table = table();
    let mut wrong = Vec::new();
    let mut tested = BTreeSet::new();
    for row in table["rules"].as_array().unwrap() {
        let rule = row["rule"].as_str().unwrap();
        assert!(tested.insert(rule.to_owned()), "{rule} is there twice");
        let base = &table["bases"][row["base"].as_str().unwrap()];
        for (change, wanted) in [("hit", true), ("miss", false)] {
            let decision = decided(&changed(base, &row[change]));
            if shows(&decision, rule) != wanted {
                let rules: Vec<_> = decision.reasons.iter().map(|r| &r.rule).collect();
                wrong.push(format!(
                    "{rule}: no {change}; {} {rules:?}",
                    decision.outcome
                ));
            }
        }
    }
    for rule in rulebook().rules() {
        if !tested.contains(&rule.id) {
            wrong.push(format!("{}: has no test", rule.id));
        }
        tested.remove(&rule.id);
    }
    wrong.extend(
        tested
            .iter()
            .map(|rule| format!("{rule}: is no rule in force")),
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_says_what_a_lawyer_needs() {
    for rule in rulebook().rules() {
        assert!(!rule.valid_from.is_empty() && rule.cedar.contains(&rule.id));
        if rule.kind == "mark" {
            continue;
        }
        for text in [&rule.text_nl, &rule.text_en] {
            assert!(
                text.ends_with(['.', '"']),
                "{}: `{text}` is no sentence",
                rule.id
            );
        }
        let unread = serde_json::to_value(rule.status).unwrap() == "unverified";
        assert!(
            unread || !rule.articles.is_empty(),
            "{}: verified where?",
            rule.id
        );
    }
}

#[test]
fn a_rule_can_be_shown_with_its_text() {
    let rule = rulebook().rule("stgb.201").unwrap();
    assert_eq!(
        (rule.kind, rule.articles.as_slice()),
        ("criminal", &["§ 201 StGB".to_owned()][..])
    );
    assert!(
        rule.cedar.starts_with("@id(\"stgb.201\")"),
        "{}",
        rule.cedar
    );
    assert!(rulebook().rule("stgb.202").is_none());
}

#[test]
fn a_later_rulebook_holds_the_rules_that_are_then_in_force() {
    let later = Rulebook::embedded("2027-12-02T12:00:00Z".parse().unwrap()).unwrap();
    assert!(rulebook().rule("ai_act.annex_iii.emotion").is_none());
    assert!(later.rule("ai_act.annex_iii.emotion").is_some());
    assert_ne!(rulebook().hash(), later.hash());
    assert_eq!(later.valid_from(), "2027-12-02");
    assert_eq!(rulebook().valid_from(), "2026-09-29");
    assert_eq!(
        Rulebook::embedded(today()).unwrap().hash(),
        rulebook().hash()
    );
}

#[test]
fn a_rulebook_knows_the_days_on_which_it_is_in_force() {
    let at = |text: &str| text.parse().unwrap();
    assert!(rulebook().is_in_force(today()));
    assert!(rulebook().is_in_force(at("2027-12-01T22:59:59Z")));
    // Midnight in Amsterdam.
    assert!(!rulebook().is_in_force(at("2027-12-01T23:00:00Z")));
    assert!(!rulebook().is_in_force(at("2026-09-28T12:00:00Z")));
    let later = Rulebook::embedded(at("2027-12-02T12:00:00Z")).unwrap();
    assert!(later.is_in_force(at("2030-01-01T00:00:00Z")));
    assert!(!later.is_in_force(today()));
}

#[test]
fn before_the_rulebook_starts_nothing_is_permitted() {
    let earlier = Rulebook::embedded("2026-09-28T12:00:00Z".parse().unwrap()).unwrap();
    assert!(earlier.rules().all(|rule| rule.kind != "permit"));
    // All that is permitted later rests on rules that forbid, and those are all in force by then.
    let young = rulebook()
        .rules()
        .filter(|rule| rule.valid_from.as_str() > earlier.valid_from());
    for rule in young {
        assert!(rule.valid_from.as_str() <= "2026-09-29", "{}", rule.id);
    }
}

#[test]
fn a_rulebook_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(rulebook());
}
