//! What holds for any facts, not only for those of a case.

use crate::any::{any_facts, decision, without};
use crate::common::{rulebook, today};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::OnceLock;
use voicelog_law::{Facts, Outcome, Rulebook, Status, decide, decide_without_unknown};

/// How many facts are drawn for each property; more with `PROPTEST_CASES`.
fn drawn(cases: u32) -> ProptestConfig {
    let config = ProptestConfig::default();
    let is_asked_for = std::env::var_os("PROPTEST_CASES").is_some();
    ProptestConfig {
        cases: if is_asked_for { config.cases } else { cases },
        // What fails becomes a test with a name, not a file of seeds.
        failure_persistence: None,
        ..config
    }
}

fn rules(decision: &voicelog_law::Decision) -> Vec<&str> {
    let reasons = decision.reasons.iter();
    reasons.map(|reason| reason.rule.as_str()).collect()
}

/// A fact as a word.
fn word<'a>(facts: &'a serde_json::Map<String, Value>, name: &str) -> &'a str {
    facts.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a set holds a word, or what stands in for it does.
fn holds(facts: &serde_json::Map<String, Value>, name: &str, item: &str, default: bool) -> bool {
    match facts.get(name).and_then(Value::as_array) {
        Some(items) => items.iter().any(|held| held == item),
        None => default,
    }
}

const ORGANISATIONS: &[&str] = &[
    "",
    "company",
    "employer",
    "government_body",
    "care_provider",
    "interest_group",
];

/// Where the table says that a missing fact refuses (R, F) or asks a human (H): the fact, and the
/// situation in the words of the table. Written from the table, not from the rules.
#[expect(clippy::too_many_lines, reason = "one table, read from top to bottom")]
fn must_refuse_without(facts: &Facts) -> Vec<&'static str> {
    let map = facts.to_map();
    let map = &map;
    let act = word(map, "requested_action");
    let is = |name: &str, words: &[&str]| words.contains(&word(map, name));
    let making = ["record", "listen_live"].contains(&act);
    let image = holds(map, "media", "image", false);
    let none = is("participation", &["none"]);
    let covert = is("openness", &["covert"]);
    let avg = is("recorder_type", ORGANISATIONS) || is("recorder_type", &["self_employed"]);
    let police = is("sector", &["police"]) && is("recorder_type", &["government_body"]);
    let staff = is("recorder_type", ORGANISATIONS)
        && (is("participation", &["participant"])
            || holds(map, "counterpart_types", "employee", false));
    let control = covert
        && is("purpose", &["controle_medewerker"])
        && is("recorder_type", ORGANISATIONS)
        && making;
    let inside = is("channel", &["live_inside"]);
    let closed = map.get("location_public_access") == Some(&json!(false));
    let line = is(
        "channel",
        &["phone", "video_call", "voicemail", "chatbot_voice"],
    );
    let live = is("channel", &["live_inside", "live_outside"]);
    let france = holds(map, "countries", "FR", false) && !is("content_nature", &["business"]);
    let grave = [
        "health",
        "union",
        "ethnicity",
        "religion",
        "politics",
        "sex_life",
        "genetic",
        "biometric_id",
        "criminal",
    ];
    let special = grave
        .iter()
        .any(|kind| holds(map, "special_data", kind, false));
    let recorded = !["call", "refuse_recording", "destroy"].contains(&act);
    let situations = [
        ("channel", recorded && (none || (making && image))),
        ("participation", making || act == "import_file"),
        ("line_subscriber", recorded && line && none),
        ("device_visible_with_authority", recorded && live && none),
        ("openness", making && image && (inside || closed)),
        (
            "openness",
            recorded && is("channel", &["live_outside"]) && none,
        ),
        ("openness", making && france),
        (
            "public_task_ref",
            control && is("recorder_type", &["government_body"]),
        ),
        ("dpia", control),
        ("suspicion", control),
        (
            "or_dates",
            making && is("or_status", &["nullity_invoked"]) && staff,
        ),
        ("legal_hold", act == "destroy" && avg && !police),
        ("origin_of_import", act == "import_file"),
        (
            "need_to_know_basis",
            act == "listen" && is("requester_role", &["controller_staff"]),
        ),
        ("outbound_marketing", act == "call"),
        (
            "location_public_access",
            making && image && covert && !inside,
        ),
        ("special_data_ground", making && special && avg && !police),
        ("ai_function", act == "analyse_ai" && staff && !police),
        (
            "archive",
            act == "destroy" && is("recorder_type", &["government_body"]),
        ),
    ];
    let mut names: Vec<_> = situations
        .into_iter()
        .filter(|(name, applies)| *applies && facts.has(name))
        .map(|(name, _)| name)
        .collect();
    names.dedup();
    names
}

/// The rules as files, with one more.
fn with_rules(more: &str) -> Rulebook {
    fn read(folder: &Path, files: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, files);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                files.push((path.display().to_string(), text));
            }
        }
    }
    let mut files = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/nl");
    read(&folder, &mut files);
    files.push(("more.cedar".to_owned(), more.to_owned()));
    let files: Vec<_> = files
        .iter()
        .map(|(place, text)| (&**place, &**text))
        .collect();
    Rulebook::from_sources("nl", &files, today()).unwrap_or_else(|error| panic!("{error}"))
}

/// For each kind of rule that refuses: the rulebook with rules of that kind added, one for each
/// word of facts that every situation has.
fn stricter() -> &'static [Rulebook] {
    static BOOKS: OnceLock<Vec<Rulebook>> = OnceLock::new();
    BOOKS.get_or_init(|| {
        let kinds = ["criminal", "privacy", "labour", "contract", "human"];
        let book = |(nth, kind): (usize, &str)| {
            let mut text = String::new();
            let conditions = [
                r#"context.recorder_type == "company""#,
                r#"context has openness && context.openness == "announced""#,
                r#"context has channel && context.channel != "phone""#,
                r#"context has purpose && context.purpose == "klacht""#,
                "context.natural_person",
                r#"context.media.contains("image")"#,
                r#"context.avg_applies == "yes""#,
                "context.staff_audible",
                "true",
            ];
            // An open norm says who weighs it, and on what.
            let weighs = match kind {
                "human" => {
                    r#"@weighs_nl("iemand") @weighs_en("somebody") @factors_nl("a") @factors_en("a")"#
                }
                _ => "",
            };
            let mut of_kind = conditions.iter().enumerate();
            // Each rulebook gets other rules, the last one a rule that always holds.
            let wanted = |(number, _): &(usize, &&str)| number % kinds.len() == nth || nth == 4;
            for (number, condition) in of_kind.by_ref().filter(wanted) {
                write!(
                    text,
                    r#"@id("more.{number}") @kind("{kind}") {weighs} @gate("6") @article("x")
                       @status("verified") @valid_from("2026-09-29") @nl("Nee.") @en("No.")
                       forbid (principal, action, resource) when {{ {condition} }};"#
                )
                .unwrap();
            }
            with_rules(&text)
        };
        kinds.into_iter().enumerate().map(book).collect()
    })
}

proptest! {
    #![proptest_config(drawn(150))]

    #[test]
    fn a_decision_has_reasons_that_are_rules_with_a_text_and_a_source(facts in any_facts()) {
        let decision = decision(&facts);
        prop_assert!(!decision.reasons.is_empty());
        prop_assert_eq!(decision.facts_hash.as_str(), facts.hash());
        for reason in &decision.reasons {
            prop_assert!(!reason.text.nl.is_empty() && !reason.text.en.is_empty());
            if reason.rule == "rulebook.silent" {
                prop_assert_eq!(decision.outcome, Outcome::NeedsHuman);
                continue;
            }
            prop_assert!(rulebook().rule(&reason.rule).is_some(), "{}", reason.rule);
            let sourced = !reason.articles.is_empty() || reason.status != Status::Verified;
            prop_assert!(sourced, "{}", reason.rule);
            let gravest = decision.outcome.max(reason.kind.outcome());
            prop_assert_eq!(gravest, decision.outcome, "{}", &reason.rule);
        }
    }

    #[test]
    fn leaving_out_a_fact_whose_absence_must_refuse_never_permits_what_was_refused(
        facts in any_facts()
    ) {
        let before = decision(&facts);
        if before.is_permitted() {
            return Ok(());
        }
        for name in must_refuse_without(&facts) {
            let Some(less) = without(&facts, name) else { continue };
            let after = decision(&less);
            prop_assert!(
                !after.is_permitted(),
                "{} without {name}: {:?}, {:?}", facts.canonical_json(), rules(&before), rules(&after)
            );
        }
    }

    #[test]
    fn one_more_country_never_makes_an_answer_milder(facts in any_facts()) {
        let map = facts.to_map();
        let known = map.get("countries").and_then(Value::as_array).cloned();
        let known = known.unwrap_or_else(|| vec![json!("NL")]);
        let before = decision(&facts.with("countries", json!(known)).unwrap());
        for country in ["DE", "FR", "BE", "GB", "US", "ZZ"] {
            let mut more = known.clone();
            if more.contains(&json!(country)) {
                continue;
            }
            more.push(json!(country));
            let after = decision(&facts.with("countries", json!(more)).unwrap());
            prop_assert!(
                after.outcome >= before.outcome,
                "{} with {country}: {:?}, {:?}",
                facts.canonical_json(), rules(&before), rules(&after)
            );
        }
    }

    #[test]
    fn the_order_of_sets_and_keys_means_nothing(facts in any_facts()) {
        let turned: serde_json::Map<_, _> = facts
            .to_map()
            .into_iter()
            .rev()
            .map(|(name, value)| match value {
                Value::Array(items) => (name, Value::Array(items.into_iter().rev().collect())),
                other => (name, other),
            })
            .collect();
        let turned = Facts::from_map(&turned, today()).unwrap();
        prop_assert_eq!(decision(&facts), decision(&turned));
    }

    #[test]
    fn what_only_proves_a_duty_or_only_advises_leaves_the_outcome(facts in any_facts()) {
        let before = decision(&facts);
        let at = "2026-11-20T09:00:00Z";
        // What was announced was not covert: where that is not known yet, it says more.
        let announcement = json!({"at": at, "text_id": "a", "language": "nl"});
        let announced = facts.has("openness").then_some(("announcement", announcement));
        // Nor was anything announced where the recorder denied it.
        let asked = ("asked_if_recording", json!("asked_truth"));
        let asked = (!facts.has(asked.0)).then_some(asked);
        for (name, value) in announced.into_iter().chain(asked).chain([
            ("private_use_possible", json!(true)),
            ("private_use_possible", json!(false)),
            ("process_type", json!("x")),
            ("case_id", json!("x")),
            ("dpia_detail", json!({"reason": "x"})),
            ("relationship_state", json!("dispute")),
            ("other_proof_available", json!(true)),
            ("house_rule", json!("ban")),
            ("gov_policy_published", json!("none")),
            ("instruction_proof", json!("none")),
            ("integrity", json!({"unbroken": false})),
            ("requester_function", json!("coach")),
        ]) {
            let Ok(more) = facts.with(name, value) else { continue };
            let after = decision(&more);
            prop_assert_eq!(
                (before.outcome, rules(&before)), (after.outcome, rules(&after)),
                "{} with {}", facts.canonical_json(), name
            );
            let named = |decision: &voicelog_law::Decision| -> BTreeSet<String> {
                decision.duties.iter().map(|duty| duty.rule.clone()).collect()
            };
            prop_assert_eq!(named(&before), named(&after), "{}", name);
        }
    }
}

proptest! {
    #![proptest_config(drawn(40))]

    #[test]
    fn one_more_rule_that_forbids_never_permits_and_never_makes_an_answer_milder(
        facts in any_facts()
    ) {
        let before = decision(&facts);
        // A fact that is missing refuses as long as it can change the answer. Where one more rule
        // gives the same answer whatever the fact is, it does not count any more.
        let rests_on_what_is_missing = before.reasons.iter().any(|reason| {
            let rule = rulebook().rule(&reason.rule);
            rule.is_some_and(|rule| rule.cedar.contains("@fact("))
        });
        for stricter in stricter() {
            let after = decide_without_unknown(stricter, &facts, today());
            prop_assert!(
                (before.is_permitted() || !after.is_permitted())
                    && (after.outcome >= before.outcome || rests_on_what_is_missing),
                "{}: {:?}, {:?}", facts.canonical_json(), rules(&before), rules(&after)
            );
        }
    }

    #[test]
    fn looking_for_what_is_unknown_leaves_the_rest_of_a_decision(facts in any_facts()) {
        let mut whole = decide(rulebook(), &facts, today());
        prop_assert!(whole.unknown.take().is_some());
        prop_assert_eq!(whole, decision(&facts));
    }
}
