//! What a change that is on its way will do is told before it comes.

use crate::common::{rulebook, today};
use voicelog_law::{Change, HouseRules, Outcome, Rulebook};
use voicelog_model::{Action, Language, Timestamp};

fn at(day: &str) -> Timestamp {
    format!("{day}T12:00:00Z").parse().unwrap()
}

#[test]
fn the_rule_that_begins_in_december_2027_is_told_with_the_duty_that_it_brings() {
    let preview = rulebook().preview(at("2027-12-02")).unwrap();
    let rules: Vec<_> = preview
        .rules
        .iter()
        .map(|rule| (rule.day.as_str(), rule.rule.as_str(), rule.change))
        .collect();
    assert_eq!(
        rules,
        [("2027-12-02", "ai_act.annex_iii.emotion", Change::Begins)]
    );
    assert!(preview.answers.len() >= 2);
    for answer in &preview.answers {
        assert_eq!(answer.action, Action::AnalyseAi);
        assert_eq!(answer.assumed["ai_function"], "emotion");
        assert_eq!(answer.outcomes.0, answer.outcomes.1);
        assert!(answer.duties[0].1.en.contains("high-risk system"));
    }
    let told = |recorder: &str, purpose: &str| {
        let mut answers = preview.answers.iter();
        answers.any(|answer| answer.situations.contains(&(recorder, purpose)))
    };
    assert!(told("company", "veiligheid_noodhulp") && told("government_body", "klacht"));
    // The act does not apply to what people do at home.
    assert!(!preview.answers.iter().any(|answer| {
        answer
            .situations
            .iter()
            .any(|(recorder, _)| *recorder == "private_person")
    }));
    assert!(rulebook().preview(at("2027-12-01")).unwrap().is_empty());
    let json = preview.to_json(Language::En);
    assert_eq!(json["rules"][0]["change"], "begins");
    assert_eq!(json["answers"][0]["assumed"]["ai_function"], "emotion");
}

const RULE: &str = r#"
@id("house.copy") @kind("human") @article("Reglement 9") @valid_from("2026-10-01")
@weighs_nl("de chef") @weighs_en("the chief") @factors_nl("a") @factors_en("a")
@nl("Een mens beslist.") @en("A person decides.")
forbid (principal, action == Action::"give_copy", resource)
when { context has requester_role && context.requester_role == "data_subject" };
@id("house.copy") @kind("privacy") @article("Reglement 9") @valid_from("2027-01-01") @valid_until("2027-06-30")
@nl("Niet meer.") @en("No more.")
forbid (principal, action == Action::"give_copy", resource)
when { context has requester_role && context.requester_role == "data_subject" };
"#;

#[test]
fn a_house_rule_that_changes_and_ends_is_told_with_what_becomes_of_the_answers() {
    let files = [("house.cedar".to_owned(), RULE.to_owned())];
    let rules = HouseRules::read(&files, rulebook()).unwrap();
    let house = rulebook().with_house(&rules).unwrap();
    let preview = house.preview(at("2027-08-01")).unwrap();
    let days: Vec<_> = preview
        .rules
        .iter()
        .map(|rule| (rule.day.as_str(), rule.change, rule.text.en.as_str()))
        .collect();
    assert_eq!(
        days,
        [
            ("2027-01-01", Change::Changes, "No more."),
            ("2027-07-01", Change::Ends, "No more.")
        ]
    );
    // Between the two days a person no longer has to decide.
    let answers = preview.answers.iter();
    let outcomes: Vec<_> = answers.map(|answer| answer.outcomes).collect();
    assert!(
        outcomes.contains(&(Outcome::NeedsHuman, Outcome::PermittedWithDuties)),
        "{outcomes:?}"
    );
    let half_way = house.preview(at("2027-03-01")).unwrap();
    let outcomes: Vec<_> = half_way
        .answers
        .iter()
        .map(|answer| answer.outcomes)
        .collect();
    assert!(
        outcomes.contains(&(Outcome::NeedsHuman, Outcome::ForbiddenPrivacy)),
        "{outcomes:?}"
    );
}

#[test]
fn a_new_file_of_law_is_told_before_it_is_in_force() {
    let now = r#"
@id("t.permit") @kind("permit") @gate("2") @article("Wet 1") @status("verified")
@valid_from("2020-01-01") @nl("Mag.") @en("Allowed.")
permit (principal, action, resource);
@id("t.old") @kind("duty") @who("controller") @what("tell") @by("at_once") @article("Wet 2")
@status("verified") @valid_from("2020-01-01") @valid_until("2026-12-31") @nl("Oud.") @en("Old.")
permit (principal, action == Action::"keep", resource);
"#;
    let later = r#"
@id("t.no") @kind("privacy") @gate("5") @article("Wet 3") @status("verified")
@valid_from("2027-01-01") @nl("Mag niet meer.") @en("No longer allowed.")
forbid (principal, action == Action::"keep", resource)
when { context has purpose && context.purpose == "klacht" && context has sector && context.sector == "care" };
"#;
    let files = [("now.cedar", now), ("later.cedar", later)];
    let rulebook = Rulebook::from_sources("t", &files, today()).unwrap();
    let preview = rulebook.preview(at("2027-01-01")).unwrap();
    let rules: Vec<_> = preview
        .rules
        .iter()
        .map(|rule| (rule.rule.as_str(), rule.change))
        .collect();
    assert_eq!(rules, [("t.no", Change::Begins), ("t.old", Change::Ends)]);
    let refused = preview.answers.iter().find(|answer| {
        answer.outcomes == (Outcome::PermittedWithDuties, Outcome::ForbiddenPrivacy)
    });
    let refused = refused.unwrap();
    assert_eq!(refused.assumed["sector"], "care");
    assert!(
        refused
            .situations
            .iter()
            .all(|(_, purpose)| *purpose == "klacht")
    );
    let milder = (Outcome::PermittedWithDuties, Outcome::Permitted);
    let mut answers = preview.answers.iter();
    assert!(answers.any(|answer| answer.outcomes == milder && answer.assumed.is_empty()));
}
