//! Rules within a line: which facts a call is asked about, and that the decision says so.

use crate::support::*;
use serde_json::{Map, Value, json};
use voicelog_archive::line::{Dates, Direction, Prefix, When};
use voicelog_archive::{
    Archive, ChosenRule, Draw, Line, Lines, OfferedParty, OneIn, Rule, Sample, Verdict,
};
use voicelog_model::{Pii, RecordingId};

fn rule(name: &str, when: When, facts: &Value) -> Rule {
    Rule {
        sound_term: None,
        name: name.to_owned(),
        when,
        facts: facts.as_object().unwrap().clone(),
        sample: None,
    }
}

fn number(prefix: &str) -> When {
    When {
        other_number: vec![Prefix::try_from(prefix.to_owned()).unwrap()],
        ..When::default()
    }
}

/// An archive whose line `ruled` has these rules.
fn ruled(rules: Vec<Rule>) -> (tempfile::TempDir, Archive) {
    let folder = tempfile::tempdir().unwrap();
    let mut parts = parts(folder.path());
    parts.lines = Lines::new(vec![Line {
        own_domains: vec!["voorbeeld.example".to_owned()],
        facts: facts("announced"),
        rules,
        ..Line::not_set_up("ruled")
    }]);
    (folder, Archive::open(parts))
}

/// Asks; whether it is permitted, under which rule, and on which facts.
fn asked(archive: &Archive, id: RecordingId) -> (bool, ChosenRule, Map<String, Value>) {
    let answer = archive.ask_to_record(id, START).unwrap();
    let again = archive.decide_again(answer.id).unwrap();
    assert!(again.is_same());
    let is_permitted = matches!(answer.verdict, Verdict::Permit(_));
    (is_permitted, again.rule.unwrap(), again.facts)
}

fn party(address: &str, is_caller: Option<bool>) -> OfferedParty {
    OfferedParty {
        address: Pii::new(address.to_owned()),
        further_addresses: Vec::new(),
        name: None,
        is_caller,
        has_left: false,
    }
}

#[test]
fn a_decision_is_kept_with_the_rule_that_brought_its_facts_and_can_be_made_again() {
    let rules = vec![
        rule(
            "rotterdam",
            number("+3110"),
            &json!({ "openness": "covert" }),
        ),
        rule(
            "amsterdam",
            number("+3120"),
            &json!({ "retention_term": "P4W" }),
        ),
    ];
    let (_folder, archive) = ruled(rules);
    for (other, name, is_permitted, term) in [
        ("tel:+31201234567", Some("amsterdam"), true, "P4W"),
        ("tel:+31101234567", Some("rotterdam"), false, "P1Y"),
        ("tel:+31612345678", None, true, "P1Y"),
    ] {
        let id = archive.open_call(offer("ruled", other), START).unwrap().id;
        let (permitted, chosen, facts) = asked(&archive, id);
        assert_eq!(permitted, is_permitted, "{other}");
        assert_eq!(chosen.name.as_deref(), name);
        assert_eq!(chosen.also_possible, []);
        assert_eq!(facts["retention_term"], term);
    }
}

#[test]
fn where_it_is_not_known_which_rule_fits_the_strictest_answer_counts() {
    let inbound = When {
        direction: Some(Direction::Inbound),
        ..When::default()
    };
    let rules = || {
        vec![rule(
            "inbound",
            inbound.clone(),
            &json!({ "openness": "covert" }),
        )]
    };
    let (_folder, archive) = ruled(rules());
    let of = |ours, theirs| {
        let mut offer = offer("ruled", "tel:+31201234567");
        offer.parties = vec![party(AGENT, ours), party("tel:+31201234567", theirs)];
        asked(&archive, archive.open_call(offer, START).unwrap().id)
    };
    // The exchange tells who called.
    let (permitted, chosen, _) = of(Some(true), None);
    assert!(permitted && chosen.name.is_none());
    assert!(!of(None, Some(true)).0);
    // It does not: then it may have been inbound.
    let (permitted, chosen, facts) = of(None, None);
    assert!(!permitted);
    assert_eq!(chosen.name.as_deref(), Some("inbound"));
    assert_eq!(chosen.also_possible, [None]);
    assert_eq!(facts["openness"], "covert");
}

#[test]
fn the_strictest_counts_also_where_it_comes_later() {
    let going = |direction| When {
        direction: Some(direction),
        ..When::default()
    };
    let covert = json!({ "openness": "covert" });
    let rules = vec![
        rule("lenient", going(Direction::Inbound), &json!({})),
        rule("strict", going(Direction::Outbound), &covert),
    ];
    let (_folder, archive) = ruled(rules);
    let id = open_call(&archive, "ruled").id;
    let (permitted, chosen, _) = asked(&archive, id);
    assert!(!permitted);
    assert_eq!(chosen.name.as_deref(), Some("strict"));
    assert_eq!(chosen.also_possible, [Some("lenient".to_owned()), None]);
}

#[test]
fn who_joins_can_bring_another_rule() {
    let rules = vec![rule(
        "rotterdam",
        number("+3110"),
        &json!({ "openness": "covert" }),
    )];
    let (_folder, archive) = ruled(rules);
    let offered = offer("ruled", "tel:+31201234567");
    let mut parties = offered.parties.clone();
    let id = archive.open_call(offered, START).unwrap().id;
    assert!(asked(&archive, id).0);
    parties.push(party("tel:+31101234567", None));
    assert!(archive.update_parties(id, parties));
    let (permitted, chosen, _) = asked(&archive, id);
    assert!(!permitted);
    assert_eq!(chosen.name.as_deref(), Some("rotterdam"));
}

#[test]
fn a_holiday_is_a_rule_of_its_days_and_goes_by_the_moment_of_the_offer() {
    // START is the 21st of November.
    let day = |text: &str| When {
        dates: vec![Dates::try_from(text.to_owned()).unwrap()],
        ..When::default()
    };
    for (date, is_permitted) in [("2026-11-21", false), ("2026-11-22", true)] {
        let rules = vec![rule("holiday", day(date), &json!({ "openness": "covert" }))];
        let (_folder, archive) = ruled(rules);
        let call = open_call(&archive, "ruled");
        assert_eq!(asked(&archive, call.id).0, is_permitted, "{date}");
        // Asked again the next day, it is still the call of that day.
        let later = archive.ask_to_record(call.id, seconds(86_400)).unwrap();
        assert_eq!(matches!(later.verdict, Verdict::Permit(_)), is_permitted);
    }
}

/// An archive whose line `sampled` records one call in two.
fn sampled() -> (tempfile::TempDir, Archive, OneIn) {
    let one_in = OneIn::try_from(2).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut parts = parts(folder.path());
    parts.lines = Lines::new(vec![Line {
        own_domains: vec!["voorbeeld.example".to_owned()],
        facts: facts("announced"),
        sample: Some(Sample { one_in }),
        ..Line::not_set_up("sampled")
    }]);
    (folder, Archive::open(parts), one_in)
}

#[test]
fn of_a_sampled_line_the_draw_of_its_id_says_which_calls_are_recorded_however_often_it_is_asked() {
    let (_folder, archive, one_in) = sampled();
    let mut drawn = 0;
    for _call in 0..40 {
        let id = open_call(&archive, "sampled").id;
        let is_drawn = Draw::of(id).is_within(one_in);
        for second in 0..2 {
            let answer = archive.ask_to_record(id, seconds(second)).unwrap();
            let again = archive.decide_again(answer.id).unwrap();
            assert_eq!(again.rule.unwrap().one_in, Some(one_in));
            match answer.verdict {
                Verdict::Permit(_) => assert!(is_drawn),
                Verdict::Refusal(refusal) => {
                    assert!(!is_drawn);
                    let told = format!("not drawn: 1 in 2, draw {}", Draw::of(id));
                    assert_eq!(refusal.grounds[0].text_en, told);
                }
            }
        }
        drawn += usize::from(is_drawn);
    }
    assert!((1..40).contains(&drawn), "{drawn}");
}

#[test]
fn a_call_that_was_not_drawn_is_in_the_list_and_leaves_no_key_also_after_a_crash() {
    let (_folder, archive, one_in) = sampled();
    let mut calls = std::iter::repeat_with(|| open_call(&archive, "sampled").id);
    let id = calls.find(|id| !Draw::of(*id).is_within(one_in)).unwrap();
    archive.ask_to_record(id, START).unwrap();
    archive.recover(seconds(60)).unwrap();
    assert!(archive.detail(id).unwrap().timeline.is_some());
    assert_eq!(
        archive.summary(id).unwrap().state,
        voicelog_archive::State::NotRecorded
    );
    let trace = archive.trace(id).unwrap();
    assert_eq!((trace.blobs, trace.has_key), (0, false));
}
