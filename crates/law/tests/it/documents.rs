//! The documents as people get them. `tests/documents` holds situations and, beside each, every
//! document that goes with it, in both languages: a change of a text is read in their diff.
//! `LAW_WRITE=1 cargo test -p voicelog-law --test it documents` writes them anew.

use crate::any::any_facts;
use crate::common::{changed, facts, kept, rulebook, today};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use voicelog_law::{Document, DocumentError, DocumentText, Particulars, Style};
use voicelog_model::Language;

const LANGUAGES: [Language; 2] = [Language::Nl, Language::En];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents")
}

/// Every situation by name.
fn situations() -> Vec<(String, Value)> {
    let files = std::fs::read_dir(folder()).unwrap();
    let paths = files.map(|entry| entry.unwrap().path());
    let mut all: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            (name, serde_json::from_str(&text).unwrap())
        })
        .collect();
    all.sort_by(|left: &(String, Value), right| left.0.cmp(&right.0));
    all
}

fn situation(name: &str) -> Value {
    let mut all = situations().into_iter();
    all.find(|(known, _)| known == name).unwrap().1
}

fn particulars(value: &Value) -> Particulars {
    Particulars::from_map(value.as_object().unwrap()).unwrap()
}

/// One document as text, or why there is none.
fn made(name: &str, situation: &Value, language: Language) -> Result<String, DocumentError> {
    let text = DocumentText::load(name, language, today())?;
    let facts = facts(&situation["facts"]);
    let given = particulars(&situation["particulars"]);
    let document = text.make(rulebook(), &facts, &given, today())?;
    Ok(document.to_text())
}

/// Every document that goes with a situation, one after the other.
fn all_of(situation: &Value, language: Language) -> String {
    let facts = facts(&situation["facts"]);
    let fitting = DocumentText::fitting(&facts, language, today()).unwrap();
    let documents = fitting.iter().map(|text| {
        let made = made(text.name(), situation, language)
            .unwrap_or_else(|error| format!("{}\n", error.in_language(language)));
        // The hash changes with every rule; which it is, other tests look at.
        let lines = made.lines().map(|line| match line.split_once("sha256:") {
            Some((start, rest)) => {
                let rest = rest.trim_start_matches(|c: char| c.is_ascii_hexdigit());
                format!("{start}sha256:…{rest}\n")
            }
            None => format!("{line}\n"),
        });
        format!("══ {} ══\n\n{}", text.name(), lines.collect::<String>())
    });
    documents.collect::<Vec<_>>().join("\n\n")
}

fn golden(name: &str, language: Language) -> PathBuf {
    folder().join(format!("{name}.{}.txt", language.tag()))
}

#[test]
fn every_document_of_every_situation_reads_as_reviewed() {
    let mut wrong = Vec::new();
    for (name, situation) in situations() {
        for language in LANGUAGES {
            let path = golden(&name, language);
            let is = all_of(&situation, language);
            let reviewed = kept(&path, &is);
            if is != reviewed {
                let pairs = is
                    .lines()
                    .zip(reviewed.lines().chain(std::iter::repeat("")));
                let first = pairs.into_iter().find(|(is, was)| is != was);
                wrong.push(format!("{name} {}: {first:?}", language.tag()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "documents that read otherwise than in tests/documents. If that is meant, write them anew with\n\
         LAW_WRITE=1 cargo test -p voicelog-law --test it documents\nand read the difference:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn every_document_is_shown_by_a_situation() {
    let names = DocumentText::all(Language::Nl, today()).unwrap();
    assert_eq!(names.len(), 12);
    for text in names {
        let shown = situations().into_iter().any(|(_, situation)| {
            text.fits(&facts(&situation["facts"]), today())
                && made(text.name(), &situation, Language::Nl).is_ok()
        });
        assert!(shown, "{}", text.name());
    }
}

#[test]
fn a_document_cites_only_articles_that_its_rules_have() {
    for (name, situation) in situations() {
        let facts = facts(&situation["facts"]);
        let given = particulars(&situation["particulars"]);
        for text in DocumentText::fitting(&facts, Language::En, today()).unwrap() {
            let document = text.make(rulebook(), &facts, &given, today()).unwrap();
            for note in &document.notes {
                let rule = rulebook().rule(&note.rule).unwrap();
                assert_eq!((&rule.articles, rule.status), (&note.articles, note.status));
            }
            let page = document.to_text();
            assert!(page.contains(rulebook().hash()), "{name}: {}", text.name());
            assert!(page.contains("no legal advice"), "{name}: {}", text.name());
        }
    }
}

#[test]
fn what_nobody_said_becomes_a_line_to_fill_in() {
    let open = made("announcement", &situation("employer"), Language::Nl).unwrap();
    assert!(open.contains("………………… (naam van de organisatie)"), "{open}");
    assert!(open.contains("………………… (bewaartermijn)"), "{open}");
    let told = made("announcement", &situation("call-centre"), Language::Nl).unwrap();
    assert!(
        told.contains("Voorbeeld B.V.") && told.contains("30 dagen"),
        "{told}"
    );
    assert!(!told.contains('…'), "{told}");
}

#[test]
fn what_the_rulebook_reads_without_being_told_is_said() {
    let mut situation = situation("employer");
    let told = made("register-entry", &situation, Language::En).unwrap();
    assert!(
        told.contains("Not said, and read so by the rulebook: basis: a contract"),
        "{told}"
    );
    situation["facts"]["legal_basis"] = json!("b");
    let told = made("register-entry", &situation, Language::En).unwrap();
    assert!(!told.contains("read so by the rulebook: basis"), "{told}");
}

#[test]
fn a_clause_is_there_only_where_its_rule_holds() {
    let with = |change: Value| {
        let situation = situation("employer");
        let facts = changed(&situation["facts"], &change);
        let situation = json!({ "facts": facts, "particulars": {} });
        made("works-council", &situation, Language::En).unwrap()
    };
    let asked = with(json!({}));
    assert!(asked.contains("Request for consent") && asked.contains("WOR 27 lid 1 k"));
    let none = with(json!({ "or_status": "no_or" }));
    assert!(
        !none.contains("Request for consent") && none.contains("WOR 35c lid 4"),
        "{none}"
    );
    let statute = with(json!({
        "purpose": "wettelijke_plicht", "legal_basis": "c", "statutory_duty_ref": "Bgfo 35",
    }));
    assert!(!statute.contains("Request for consent"), "{statute}");
    assert!(statute.contains("Message to the works council") && statute.contains("Bgfo 35"));
}

#[test]
fn a_document_for_what_is_not_allowed_says_so_at_its_top() {
    let draft = made("staff-notice", &situation("employer"), Language::En).unwrap();
    let top: String = draft.lines().take(8).collect();
    assert!(
        top.contains("as things stand, recording is not allowed"),
        "{top}"
    );
    assert!(top.contains("works council"), "{top}");
}

#[test]
fn a_text_that_announces_a_crime_is_not_made() {
    let situation = json!({
        "facts": {
            "recorder_type": "company", "counterpart_types": ["private_person"],
            "channel": "live_inside", "participation": "none", "openness": "announced",
            "device_visible_with_authority": false, "requested_action": "record",
        },
        "particulars": {},
    });
    let error = made("announcement", &situation, Language::En).unwrap_err();
    assert!(error.is_refusal(), "{error}");
    assert!(error.to_string().contains("Sr 139a"), "{error}");
    // Where consent can put it right, the text asks for it, under the warning.
    let abroad = self::situation("small-company");
    let mut facts = abroad["facts"].clone();
    facts["consent_per_participant"] = json!({ "p1": "none" });
    let asks = json!({ "facts": facts, "particulars": {} });
    let text = made("announcement", &asks, Language::En).unwrap();
    assert!(
        text.contains("recording is not allowed") && text.contains("Do you agree?"),
        "{text}"
    );
}

#[test]
fn the_police_get_no_announcement_since_no_rule_of_theirs_asks_for_one() {
    let situation = json!({
        "facts": {
            "recorder_type": "government_body", "sector": "police", "openness": "announced",
            "counterpart_types": ["citizen"], "requested_action": "record",
        },
        "particulars": {},
    });
    let error = made("announcement", &situation, Language::En).unwrap_err();
    assert!(matches!(error, DocumentError::DoesNotFit { .. }), "{error}");
}

/// Every sentence of a document: what it lets somebody say, read, tick or fill in.
fn sentences(document: &Document) -> usize {
    let clauses = document
        .sections
        .iter()
        .flat_map(|section| &section.clauses);
    clauses.map(|clause| clause.blocks.len()).sum()
}

proptest! {
    #[test]
    fn no_document_is_made_without_a_sentence(facts in any_facts()) {
        for text in DocumentText::fitting(&facts, Language::Nl, today()).unwrap() {
            match text.make(rulebook(), &facts, &Particulars::default(), today()) {
                Ok(document) => {
                    prop_assert!(sentences(&document) > 0, "{}", text.name());
                    let spoken = document.sections.iter().any(|section| section.id == "spoken");
                    prop_assert!(spoken || text.name() != "announcement", "nothing is announced");
                }
                Err(error) => {
                    // Where no rule asks for a word, there is nothing to announce.
                    let is_known = match &error {
                        DocumentError::Refused { .. } | DocumentError::Wanting { .. } => true,
                        DocumentError::NothingToSay { name } => name == "announcement",
                        _ => false,
                    };
                    prop_assert!(is_known, "{}", error);
                }
            }
        }
    }
}

#[test]
fn where_no_rule_asks_for_a_word_no_announcement_is_made() {
    let situation = json!({
        "facts": {
            "requested_action": "record", "participation": "participant", "openness": "covert",
            "structural": "targeted_person", "instruction_proof": "none",
        },
        "particulars": {},
    });
    let error = made("announcement", &situation, Language::En).unwrap_err();
    assert!(
        matches!(error, DocumentError::NothingToSay { .. }),
        "{error}"
    );
}

#[test]
fn a_government_body_refuses_only_with_a_reason_and_something_else() {
    let whole = situation("municipality-refuses");
    assert!(made("refusal", &whole, Language::Nl).is_ok());
    for wanting in ["reason", "alternative"] {
        let mut part = whole.clone();
        part["particulars"].as_object_mut().unwrap().remove(wanting);
        let error = made("refusal", &part, Language::Nl).unwrap_err();
        assert!(error.is_refusal(), "without {wanting}: {error}");
        assert!(error.to_string().contains("2014/166"), "{error}");
    }
    // Said in the facts it counts as well.
    let mut told = whole;
    told["particulars"] = json!({});
    told["facts"]["weighty_reason"] =
        json!({ "text": "rust", "alternative_offered": "een verslag" });
    let letter = made("refusal", &told, Language::Nl).unwrap();
    assert!(
        letter.contains("“rust”") && letter.contains("“een verslag”"),
        "{letter}"
    );
    // An employer owes no reason.
    let employer = made("refusal", &situation("employee-refused"), Language::Nl).unwrap();
    assert!(employer.contains("(de reden)"), "{employer}");
}

#[test]
fn a_declaration_of_destruction_needs_all_but_itself() {
    let due = situation("municipality-destroys");
    assert!(made("destruction", &due, Language::Nl).is_ok());
    let held = changed(&due["facts"], &json!({ "legal_hold": { "claim": true } }));
    let early = changed(
        &due["facts"],
        &json!({ "recorded_at": "2026-03-02T10:00:00+01:00" }),
    );
    for facts in [held, early] {
        let situation = json!({ "facts": facts, "particulars": {} });
        let error = made("destruction", &situation, Language::Nl).unwrap_err();
        assert!(error.is_refusal(), "{error}");
    }
}

#[test]
fn what_does_not_fit_or_does_not_exist_is_said_with_what_does() {
    let situation = situation("private-person");
    let error = made("house-rules", &situation, Language::En).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("announcement, weighing, checklist, minutes, request"),
        "{error}"
    );
    let error = made("anouncement", &situation, Language::En).unwrap_err();
    assert!(
        error.to_string().contains("did you mean `announcement`"),
        "{error}"
    );
}

#[test]
fn what_is_filled_in_is_escaped_on_the_page() {
    let mut situation = situation("municipality-refuses");
    let script = "<script>alert('x')</script> & \"more\"";
    situation["particulars"]["recipient"] = json!(script);
    situation["particulars"]["reason"] = json!(format!("{script}\nsecond line"));
    let text = DocumentText::load("refusal", Language::Nl, today()).unwrap();
    let document = text
        .make(
            rulebook(),
            &facts(&situation["facts"]),
            &particulars(&situation["particulars"]),
            today(),
        )
        .unwrap();
    for style in [Style::Inside, Style::At("/x\"y")] {
        let page = document.to_html(style);
        assert!(
            !page.contains("<script") && page.contains("&lt;script&gt;"),
            "{page}"
        );
        assert!(page.contains("<html lang=\"nl\">") && page.matches("<h1>").count() == 1);
        assert!(page.contains("<br>second line") && !page.contains("/x\"y"));
    }
}

#[test]
fn particulars_are_strict() {
    for (json, why) in [
        (r#"{"organisatoin":"x"}"#, "did you mean `organisation`"),
        (r#"{"organisation":""}"#, "leave the key out"),
        (r#"{"organisation":1}"#, "must be a string"),
        (r#"{"organisation":"a\nb"}"#, "line break"),
        (r#"{"talk_day":"3 december"}"#, "2026-11-21"),
        (r#"{"privacy_url":"javascript:alert(1)"}"#, "https://"),
        (r#"{"reason":"a","reason":"b"}"#, "twice in one object"),
        ("[]", "one JSON object"),
    ] {
        let error = Particulars::parse(json.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(why), "{json}: {error}");
    }
    assert!(Particulars::parse(br#"{"reason":"a\nb"}"#).is_ok());
}
