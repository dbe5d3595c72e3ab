//! House rules that are right and deserve a second look.

use super::{duty, gate, mark, read};
use crate::common::rulebook;
use voicelog_model::Language;

/// What deserves a second look, in English.
fn warnings(text: &str) -> Vec<String> {
    let rules = read(&[("house.cedar", text)]).unwrap_or_else(|faults| panic!("{faults}"));
    let findings = rules.warnings(rulebook()).unwrap();
    let said = findings.iter();
    said.map(|finding| finding.in_language(Language::En))
        .collect()
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
