//! The texts themselves, held against the rulebook, the facts and each other.

use super::embedded::{self, FILES, File};
use super::particulars;
use super::template::{ClauseText, Part, Template, parts};
use super::words::{Words, shape_of};
use super::{DocumentError, DocumentText, FactWords, Particulars, WORDS};
use crate::facts::table::{Shape, definitions};
use crate::{Rulebook, facts::Facts};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use voicelog_model::{Language, Timestamp};

fn today() -> Timestamp {
    "2026-11-21T10:02:00Z".parse().unwrap()
}

fn template(file: &File) -> Template {
    Template::parse(file.path, file.text).unwrap_or_else(|error| panic!("{error}"))
}

/// Every document's texts, Dutch and English beside each other.
fn pairs() -> impl Iterator<Item = (&'static str, Template, Template)> {
    let documents = FILES.iter().filter(|(nl, _)| nl.name != WORDS);
    documents.map(|(nl, en)| (nl.path, template(nl), template(en)))
}

fn words(language: Language) -> Words {
    let mut files = embedded::files(language);
    let file = files.find(|file| file.name == WORDS).unwrap();
    Words::parse(file.path, file.text, language).unwrap()
}

#[test]
fn every_text_in_the_folder_is_part_of_the_program() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("documents");
    let mut found = BTreeSet::new();
    for language in ["nl", "en"] {
        for document in std::fs::read_dir(root.join(language)).unwrap() {
            let document = document.unwrap().path();
            for version in std::fs::read_dir(&document).unwrap() {
                let path = version.unwrap().path();
                let path = path.strip_prefix(&root).unwrap().to_str().unwrap();
                found.insert(path.replace('\\', "/"));
            }
        }
    }
    let known = FILES.iter().flat_map(|(nl, en)| [nl.path, en.path]);
    assert_eq!(found, known.map(str::to_owned).collect());
}

#[test]
fn every_rule_that_a_text_names_is_in_the_rulebook() {
    let rulebook = Rulebook::embedded(today()).unwrap();
    for (place, nl, en) in pairs() {
        for template in [nl, en] {
            let named = template.clauses().flat_map(|(_, clause)| {
                let parts = clause.blocks.iter().flat_map(|block| &block.parts);
                let inside = parts.filter_map(|part| match part {
                    Part::Articles(rule) | Part::Rule(rule) => Some(rule),
                    _ => None,
                });
                let notes = clause.follows.iter().chain(&clause.cites);
                notes.chain(inside).collect::<Vec<_>>()
            });
            for rule in named.chain(&template.but_not).chain(&template.cures) {
                assert!(rulebook.by_id(rule).is_some(), "{place}: no rule `{rule}`");
            }
        }
    }
}

#[test]
fn every_document_that_a_text_points_at_is_there() {
    for (place, nl, en) in pairs() {
        for template in [nl, en] {
            for part in template.clauses().flat_map(|(_, clause)| &clause.blocks) {
                for part in &part.parts {
                    let Part::Document(name) = part else { continue };
                    let found = DocumentText::load(name, Language::Nl, today());
                    assert!(found.is_ok(), "{place}: {name}");
                }
            }
        }
    }
}

#[test]
fn every_open_place_is_a_particular_or_a_fact_that_can_be_said() {
    let lists = [Language::Nl, Language::En].map(words);
    for (place, nl, en) in pairs() {
        for (template, words) in [(nl, &lists[0]), (en, &lists[1])] {
            for slot in template.slots() {
                if particulars::find(&slot.name).is_some() {
                    continue;
                }
                let name = &slot.name;
                let shape = shape_of(name).unwrap_or_else(|| panic!("{place}: no `{name}`"));
                assert!(
                    words.get(&format!("label.{name}")).is_some(),
                    "{place}: `{name}` has no label"
                );
                if let Shape::Word(known) | Shape::Words(known, _) = shape {
                    let form = slot.form.as_ref().map(|form| format!(":{form}"));
                    let key = format!("{name}{}", form.unwrap_or_default());
                    for word in known {
                        // Left open on purpose: "none" and "something else" say nothing.
                        let silent =
                            matches!(*word, "none") || key == "purpose:aim" && *word == "overig";
                        let said = words.get(&format!("{key}.{word}")).is_some();
                        assert!(said || silent, "{place}: `{key}.{word}` has no words");
                    }
                }
            }
        }
    }
}

/// What has to be the same in both languages.
fn frame(clause: &ClauseText) -> impl PartialEq + std::fmt::Debug + '_ {
    let slots: BTreeSet<String> = clause
        .blocks
        .iter()
        .flat_map(|block| &block.parts)
        .filter(|part| !matches!(part, Part::Words(_)))
        .map(|part| format!("{part:?}"))
        .collect();
    let forms: Vec<_> = clause.blocks.iter().map(|block| block.form).collect();
    (
        &clause.id,
        &clause.follows,
        &clause.cites,
        &clause.when,
        slots,
        forms,
    )
}

#[test]
fn both_languages_have_the_same_clauses_for_the_same_rules() {
    for (place, nl, en) in pairs() {
        assert_eq!(nl.fits, en.fits, "{place}");
        assert_eq!(
            (&nl.refused, &nl.but_not),
            (&en.refused, &en.but_not),
            "{place}"
        );
        assert_eq!(nl.clauses().count(), en.clauses().count(), "{place}");
        for ((section, dutch), (other, english)) in nl.clauses().zip(en.clauses()) {
            assert_eq!(section, other, "{place}");
            assert_eq!(frame(dutch), frame(english), "{place}: {}", dutch.id);
        }
    }
    let [nl, en] = [Language::Nl, Language::En].map(words);
    assert!(nl.keys().eq(en.keys()), "the words have the same keys");
}

#[test]
fn the_words_are_about_values_that_facts_can_have() {
    let list = words(Language::Nl);
    let facts: BTreeSet<String> = definitions()
        .flat_map(|row| match row.shape {
            Shape::Object(fields) => fields
                .iter()
                .map(|field| format!("{}.{}", row.name, field.name))
                .collect(),
            _ => vec![row.name.to_owned()],
        })
        .collect();
    for key in list.keys() {
        let own = ["and", "yes", "no", "document", "term.", "month.", "label."];
        if own.iter().any(|start| key.starts_with(start)) {
            continue;
        }
        if let Some(empty) = key.strip_prefix("none.") {
            assert!(facts.contains(empty), "no fact `{empty}`");
            continue;
        }
        let (name, word) = key.rsplit_once('.').unwrap();
        let name = name.split(':').next().unwrap();
        assert!(facts.contains(name), "no fact `{name}`");
        let known = match shape_of(name) {
            Some(Shape::Word(known) | Shape::Words(known, _)) => known,
            _ => &[],
        };
        assert!(known.contains(&word), "`{name}` is never `{word}`");
    }
}

#[test]
fn no_text_names_an_article_itself() {
    let signs = ["artikel", "article ", " art. ", " lid ", "ECLI", "2014/166"];
    for (place, nl, en) in pairs() {
        for template in [nl, en] {
            for (_, clause) in template.clauses() {
                for part in clause.blocks.iter().flat_map(|block| &block.parts) {
                    let Part::Words(text) = part else { continue };
                    for sign in signs {
                        assert!(
                            !text.contains(sign),
                            "{place}: {}: `{sign}` in {text}",
                            clause.id
                        );
                    }
                    let law = ["AVG", "WOR", "BW", "Sr", "Rv", "Awb", "Woo"]
                        .iter()
                        .any(|law| {
                            text.split_once(&format!("{law} "))
                                .is_some_and(|(_, rest)| {
                                    rest.starts_with(|c: char| c.is_ascii_digit())
                                })
                        });
                    assert!(!law, "{place}: {}: {text}", clause.id);
                }
            }
        }
    }
}

#[test]
fn the_youngest_version_that_is_not_after_the_day_is_used() {
    for (nl, en) in FILES {
        assert_eq!(nl.version, en.version);
        assert!(
            crate::facts::calendar::day(nl.version).is_some(),
            "{}",
            nl.path
        );
    }
    let early: Timestamp = "2026-09-28T10:00:00Z".parse().unwrap();
    assert!(DocumentText::load("checklist", Language::Nl, early).is_err());
    assert!(DocumentText::load("checklist", Language::Nl, today()).is_ok());
    assert!(DocumentText::load(WORDS, Language::Nl, today()).is_err());
}

#[test]
fn a_text_that_is_wrong_says_where() {
    let head = "title: T\nabout: A\nfits: requested_action = record\n";
    for (text, line, why) in [
        ("== a", ":4", "Heading"),
        ("== a | A\nwords", ":5", "begins with"),
        ("== a | A\n[x]\n@whenever purpose", ":6", "whenever"),
        ("== a | A\n[x]\n@when purpos", ":6", "purpos"),
        ("== a | A\n[x]\n@when legal_basis = z", ":6", "`z`"),
        ("== a | A\n[x]\n{open\n", "", "without `}`"),
        ("== a | A\n[x]\n{|99}\n", "", "small number"),
    ] {
        let error = Template::parse("t", &format!("{head}{text}"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(&format!("`t{line}")) && error.contains(why),
            "{error}"
        );
    }
    assert!(
        Template::parse("t", "title: T\n").is_err(),
        "a head without `fits`"
    );
    assert!(parts("a {b} c").is_ok());
}

#[test]
fn what_only_stands_in_for_a_text_is_never_printed() {
    let facts = br#"{"requested_action":"refuse_recording","recorder_type":"citizen",
        "counterpart_types":["government_body"],
        "weighty_reason":{"text":"answered in the interview: yes",
                          "alternative_offered":"answered in the interview: yes"}}"#;
    let facts = Facts::parse(facts, today()).unwrap();
    let rulebook = Rulebook::embedded(today()).unwrap();
    let text = DocumentText::load("refusal", Language::Nl, today()).unwrap();
    let error = text.make(&rulebook, &facts, &Particulars::default(), today());
    let error = error.unwrap_err().in_language(Language::Nl);
    assert!(
        error.contains("`reason`") && error.contains("`alternative`"),
        "{error}"
    );
}

#[test]
fn a_text_none_of_whose_clauses_belongs_to_the_facts_makes_no_document() {
    let facts = br#"{"requested_action": "record", "recorder_type": "private_person"}"#;
    let facts = Facts::parse(facts, today()).unwrap();
    let rulebook = Rulebook::embedded(today()).unwrap();
    let file = File {
        name: "short",
        version: "2026-09-29",
        path: "short.txt",
        text: "title: Short\nabout: Nothing.\nfits: requested_action = record\n\n\
               == only | Only\n\n[hold]\n@when on_hold\nA sentence.\n",
    };
    let text = DocumentText::read(&file, Language::En, today()).unwrap();
    let made = text.make(&rulebook, &facts, &Particulars::default(), today());
    let name = "short".to_owned();
    assert_eq!(made, Err(DocumentError::NothingToSay { name }));
}

#[test]
fn every_recorder_purpose_act_and_sector_is_said_in_words() {
    for language in [Language::Nl, Language::En] {
        let words = FactWords::load(language, today()).unwrap();
        for name in ["recorder_type", "purpose", "requested_action", "sector"] {
            let Some(Shape::Word(values)) = shape_of(name) else {
                panic!("{name} is no word");
            };
            for value in values {
                let said = words.0.get(&format!("{name}.{value}"));
                assert!(said.is_some(), "{name}: {value}");
            }
        }
        assert_eq!(
            words.value("retention_term", &Value::from("P1Y")),
            match language {
                Language::Nl => "1 jaar",
                Language::En => "1 year",
            }
        );
    }
}
