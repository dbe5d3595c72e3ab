//! House rules at the gate, and decisions made again.

use crate::support::*;
use voicelog_archive::{Archive, Verdict};
use voicelog_law::{Facts, HouseRules, Rulebook, Status, decide_without_unknown};
use voicelog_model::Timestamp;

/// From the second day on the house records no more sales calls.
fn rules(law: &Rulebook, from: Timestamp) -> HouseRules {
    let day = from.to_string();
    let day = day.split('T').next().unwrap();
    let text = format!(
        "@id(\"house.no_sales\")\n@kind(\"labour\")\n@article(\"Handboek 1\")\n\
         @valid_from(\"{day}\")\n@nl(\"Niet opnemen.\")\n@en(\"Do not record.\")\n\
         forbid (principal, action == Action::\"record\", resource)\n\
         when {{ context.organisation }};"
    );
    HouseRules::read(&[("house.cedar".to_owned(), text)], law).unwrap()
}

pub(crate) fn with_house(folder: &std::path::Path, from: Timestamp) -> Archive {
    let mut parts = parts(folder);
    let rules = rules(&parts.rulebook, from);
    parts.rulebook = parts.rulebook.with_house(&rules).unwrap();
    Archive::open(parts)
}

/// A day, in seconds.
const DAY: i64 = 86_400;

#[test]
fn a_house_rule_counts_from_its_day_on_in_a_server_that_runs() {
    let Fixture { archive, folder } = fixture();
    drop(archive);
    let archive = with_house(folder.path(), seconds(2 * DAY));
    let ask = |at| {
        let call = open_call(&archive, "announced");
        archive.ask_to_record(call.id, at).unwrap()
    };
    let answer = ask(START);
    assert!(
        matches!(answer.verdict, Verdict::Permit(_)),
        "{:?}",
        answer.decision
    );
    assert_eq!(answer.decision.rulebook.id, "nl+house");
    let later = ask(seconds(3 * DAY));
    let Verdict::Refusal(refusal) = later.verdict else {
        panic!("{:?}", later.decision);
    };
    assert_eq!(refusal.grounds[0].rule, "house.no_sales");
    assert_eq!(later.decision.reasons()[0].status, Status::House);
    assert_ne!(later.decision.rulebook.hash, answer.decision.rulebook.hash);
    // Both are made again by the rules of their own day.
    for kept in [answer.id, later.id] {
        let made = archive.decide_again(kept).unwrap();
        assert!(made.is_same(), "{made:?}");
    }
}

#[test]
fn a_decision_is_made_again_from_its_own_json_with_the_same_result() {
    let fixture = fixture();
    let call = open_call(&fixture.archive, "covert");
    let id = fixture.archive.ask_to_record(call.id, START).unwrap().id;
    let made = fixture.archive.decide_again(id).unwrap();
    // As somebody else would do it, with nothing but what was stored.
    let stored = serde_json::to_string(&made.stored).unwrap();
    let stored: voicelog_law::Decision = serde_json::from_str(&stored).unwrap();
    let facts = serde_json::to_string(&made.facts).unwrap();
    let facts = Facts::parse(facts.as_bytes(), stored.at).unwrap();
    assert_eq!(facts.hash(), stored.facts_hash);
    let rulebook = Rulebook::embedded(stored.at).unwrap();
    assert_eq!(rulebook.hash(), stored.rulebook.hash);
    assert_eq!(decide_without_unknown(&rulebook, &facts, stored.at), stored);
}

#[test]
fn house_rules_that_were_changed_without_a_new_day_are_noticed() {
    let Fixture { archive, folder } = fixture();
    drop(archive);
    let archive = with_house(folder.path(), START);
    let call = open_call(&archive, "announced");
    let id = archive.ask_to_record(call.id, START).unwrap().id;
    drop(archive);
    let made = Archive::open(parts(folder.path()))
        .decide_again(id)
        .unwrap();
    assert!(!made.is_same());
    assert_ne!(made.stored.rulebook, made.again.rulebook);
}
