//! The parser of facts: strict, complete in its findings, and clear about what would be right.

use crate::common::{decided, facts, today};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use voicelog_law::{
    Facts, FactsError, Particulars, Shape, definitions, facts_schema, purpose as purpose_named,
    purposes,
};
use voicelog_model::Language;

fn refused(text: &str) -> FactsError {
    match Facts::parse(text.as_bytes(), today()) {
        Ok(_) => panic!("{text} was read"),
        Err(error) => error,
    }
}

#[test]
fn a_byte_order_mark_says_nothing() {
    let text = "\u{feff}{\"requested_action\": \"record\"}";
    Facts::parse(text.as_bytes(), today()).unwrap();
    Particulars::parse("\u{feff}{\"place\": \"Utrecht\"}".as_bytes()).unwrap();
}

#[test]
fn a_file_that_is_not_utf8_is_refused_with_the_line() {
    let latin1 = b"{\n\"place\": \"Caf\xe9\"}";
    let error = Facts::parse(latin1, today()).unwrap_err();
    assert_eq!(error.findings()[0].place, "line 2, column 14");
    let error = Particulars::parse(latin1).unwrap_err();
    assert_eq!(error.findings()[0].0, "line 2, column 14");
}

/// The findings of facts that are wrong, given without the act.
fn findings(value: Value) -> Vec<String> {
    let mut value = value;
    let map = value.as_object_mut().unwrap();
    map.entry("requested_action").or_insert(json!("record"));
    let error = refused(&value.to_string());
    error
        .findings()
        .iter()
        .map(|finding| finding.text.en.clone())
        .collect()
}

fn finding(value: Value) -> String {
    let all = findings(value);
    assert_eq!(all.len(), 1, "{all:?}");
    all.into_iter().next().unwrap()
}

#[test]
fn the_act_alone_is_required() {
    assert!(Facts::parse(br#"{"requested_action":"record"}"#, today()).is_ok());
    let error = refused("{}");
    assert_eq!(
        error.to_string(),
        "`requested_action`: is missing; name the act, for example `record`"
    );
    assert_eq!(
        error.in_language(Language::Nl),
        "`requested_action`: ontbreekt; noem de handeling, bijvoorbeeld `record`"
    );
}

#[test]
fn what_is_no_json_object_is_refused_with_its_place() {
    assert_eq!(
        refused("[]").to_string(),
        "`facts`: must be one JSON object"
    );
    let text = "{\"requested_action\": \"record\",\n \"on_hold\": tru}";
    assert!(
        refused(text).to_string().starts_with("`line 2, column"),
        "{}",
        refused(text)
    );
    let text = r#"{"requested_action":"record","legal_hold":{"claim":true,"claim":false}}"#;
    assert!(
        refused(text).to_string().contains("twice"),
        "{}",
        refused(text)
    );
    let large = format!(
        "{{\"requested_action\":\"record\",\"x\":\"{}\"}}",
        "x".repeat(1 << 20)
    );
    assert!(refused(&large).to_string().contains("larger than"));
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(500), "]".repeat(500));
    assert!(refused(&deep).to_string().contains("not valid JSON"));
}

#[test]
fn an_unknown_key_names_the_nearest_known_one() {
    assert_eq!(
        finding(json!({"opennes": "covert"})),
        "`opennes`: is not a fact; did you mean `openness`?"
    );
    assert_eq!(
        finding(json!({"qqqq": 1})),
        "`qqqq`: is not a fact; `voicelog law facts` names them all"
    );
    assert_eq!(
        finding(json!({"avg_applies": "yes"})),
        "`avg_applies`: is computed and never stands in a facts file"
    );
    assert_eq!(
        finding(json!({"lia": {"intrest": "x"}})),
        "`lia`: has no field `intrest`; did you mean `interest`? Choose from interest, necessity, alternatives_considered, safeguards, outcome, signed_by, date"
    );
}

#[test]
fn an_unlisted_value_names_the_nearest_listed_one() {
    assert_eq!(
        finding(json!({"openness": "anounced"})),
        "`openness`: `anounced` is not a value; did you mean `announced`? Choose from announced_and_agreed, announced, announced_objected, visible, covert, accidental"
    );
    assert_eq!(
        finding(json!({"extent": "zzz"})),
        "`extent`: `zzz` is not a value; choose from whole, part"
    );
    assert_eq!(
        finding(json!({"countries": ["UK"]})),
        "`countries`: `UK` is not a country code (ISO 3166-1); use GB"
    );
    assert_eq!(
        finding(json!({"requested_action": "share", "share_target": "court"})),
        "`share_target`: `court` belongs to another act; use requested_action `file_in_court`"
    );
}

#[test]
fn unknown_is_said_by_leaving_the_key_out_only() {
    for wrong in [json!(null), json!("?"), json!("unknown"), json!("")] {
        let sentence = finding(json!({"purpose": wrong}));
        assert!(
            sentence.ends_with("leave the key out where it is not known"),
            "{sentence}"
        );
        let sentence = finding(json!({"need_to_know_basis": wrong}));
        assert!(
            sentence.ends_with("leave the key out where it is not known"),
            "{sentence}"
        );
    }
    // Nor by what cannot be seen, or by another spelling of a word.
    for blank in [" ", "\u{200b}\t", "Unknown", "None", " none "] {
        let sentence = finding(json!({"need_to_know_basis": blank}));
        assert!(
            sentence.ends_with("leave the key out where it is not known"),
            "{sentence}"
        );
        finding(json!({"suspicion": {"tried_alternatives": [blank]}}));
    }
    let twice = json!({"suspicion": {"approved_by": ["jan", "Jan "]}});
    assert!(finding(twice).contains("twice"));
    let asked = json!({"requested_action": "import_file", "origin_of_import": "unknown"});
    assert!(facts(&asked).has("origin_of_import"));
}

#[test]
fn types_ranges_and_forms_are_held() {
    for (wrong, part) in [
        (json!({"on_hold": "true"}), "must be true or false"),
        (json!({"media": "audio"}), "must be an array"),
        (json!({"media": []}), "is empty"),
        (
            json!({"media": ["audio", "audio"]}),
            "`audio` is there twice",
        ),
        (json!({"media": [1]}), "must be a string"),
        (json!({"age_youngest": 17.5}), "whole number from 0 to 120"),
        (json!({"age_youngest": 121}), "whole number from 0 to 120"),
        (
            json!({"structural": "sample", "sample_rate": 1}),
            "above 0 and below 1",
        ),
        (json!({"recorded_at": "2026-11-20"}), "not a date-time"),
        (
            json!({"recorded_at": "2026-11-20T10:00:00"}),
            "not a date-time",
        ),
        (json!({"dpia_detail": {"date": "2026-02-30"}}), "not a date"),
        (json!({"retention_term": "5 years"}), "not a term"),
        (json!({"retention_term": "PT5H"}), "not a term"),
        (json!({"gov_policy_published": "yes"}), "not a web address"),
        (
            json!({"announcement": {"language": "nederlands!"}}),
            "not a language tag",
        ),
        (
            json!({"legal_hold": {"claim": "yes"}}),
            "must be true or false",
        ),
        (
            json!({"legal_hold": {"claim": null}}),
            "null is not a value",
        ),
        (json!({"legal_hold": []}), "must be an object"),
    ] {
        let sentence = finding(wrong.clone());
        assert!(sentence.contains(part), "{wrong}: {sentence}");
    }
    let three = json!({"suspicion": {"approved_by": ["a", "b", "c"]}});
    assert!(finding(three).contains("at most 2"));
}

#[test]
fn a_participant_is_never_called_by_name_and_the_name_is_not_printed() {
    let sentence = finding(json!({"consent_per_participant": {"Jan Jansen": "given"}}));
    assert!(sentence.contains("p1, p2"), "{sentence}");
    assert!(!sentence.contains("Jan"), "{sentence}");
    let right = json!({
        "requested_action": "record",
        "consent_per_participant": {"p1": "given", "p12": "refused", "employee": "none"}
    });
    assert!(facts(&right).has("consent_per_participant"));
    assert!(finding(json!({"consent_per_participant": {"p01": "given"}})).contains("p1, p2"));
}

#[test]
fn everything_that_is_wrong_is_named_at_once() {
    let all = findings(json!({"opennes": "covert", "media": [], "on_hold": 1}));
    assert_eq!(all.len(), 3, "{all:?}");
}

#[test]
fn every_combination_to_reject_is_rejected_and_names_both_facts() {
    let rows: Vec<Value> = serde_json::from_str(include_str!("../combinations.json")).unwrap();
    let mut places = BTreeSet::new();
    for row in rows {
        let [first, second] = [0, 1].map(|at| row["names"][at].as_str().unwrap());
        let all = findings(row["facts"].clone());
        let place = format!("`{first} + {second}`: ");
        let found = all.iter().find(|text| text.starts_with(&place));
        places.insert(found.unwrap_or_else(|| panic!("{row}: {all:?}")).clone());
    }
    // Each has a sentence of its own.
    assert_eq!(places.len(), 34);
    // Two equal names in `approved_by` are a double in a set.
    let twice = json!({"suspicion": {"approved_by": ["a", "a"]}});
    assert!(finding(twice).contains("`a` is there twice"));
}

#[test]
fn what_looks_like_a_contradiction_but_is_none_is_read() {
    for right in [
        json!({"channel": "live_inside", "line_subscriber": "not_applicable"}),
        json!({"channel": "voicemail", "participation": "none", "line_subscriber": "other"}),
        json!({"openness": "covert", "consent_per_participant": {"p1": "none"}}),
        json!({"special_data": [], "special_data_ground": "none"}),
        json!({"requested_action": "give_copy", "recording_state": "destroyed"}),
        json!({"recorded_at": "2026-11-21T11:02:00+01:00"}),
        json!({"requested_action": "use_for", "purpose": "kwaliteit_training",
               "purpose2": "personeelsmaatregel", "suspicion": {}}),
    ] {
        let mut right = right;
        let map = right.as_object_mut().unwrap();
        map.entry("requested_action").or_insert(json!("record"));
        let _read = facts(&right);
    }
}

#[test]
fn the_hash_does_not_depend_on_order_and_does_depend_on_content() {
    let one = facts(
        &json!({"requested_action": "record", "media": ["audio", "image"],
                            "suspicion": {"concrete": true, "approved_by": ["b", "a"]}}),
    );
    let text = r#"{"suspicion":{"approved_by":["a","b"],"concrete":true},
                   "media":["image","audio"],"requested_action":"record"}"#;
    let two = Facts::parse(text.as_bytes(), today()).unwrap();
    assert_eq!(
        one.canonical_json(),
        r#"{"media":["audio","image"],"requested_action":"record","suspicion":{"approved_by":["a","b"],"concrete":true}}"#
    );
    assert_eq!(one.hash(), two.hash());
    // The hash of those bytes, as any other program computes it.
    assert_eq!(
        one.hash(),
        "sha256:0b93d8d8055af479fd58d3676f476e137ff7f13fba71a378bc306722e1928300"
    );
    let three = one.with("media", json!(["audio"])).unwrap();
    assert_ne!(one.hash(), three.hash());
    assert!(one.with("media", json!(["sound"])).is_err());
}

/// A small reading of JSON Schema: what the generated one uses.
fn fits(schema: &Value, value: &Value) -> bool {
    let one_of = schema["enum"]
        .as_array()
        .is_none_or(|all| all.contains(value));
    let pattern_of = |schema: &Value| schema["pattern"].as_str().map(str::to_owned);
    let kind = match schema["type"].as_str() {
        Some("string") => value.as_str().is_some_and(|text| {
            text.len() as u64 >= schema["minLength"].as_u64().unwrap_or(0)
                && (pattern_of(schema).is_none() || !text.is_empty())
                && !schema["not"]["enum"]
                    .as_array()
                    .is_some_and(|all| all.contains(value))
        }),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.as_i64().is_some_and(|number| {
            schema["minimum"].as_i64().unwrap() <= number
                && number <= schema["maximum"].as_i64().unwrap()
        }),
        Some("number") => value
            .as_f64()
            .is_some_and(|number| number > 0.0 && number < 1.0),
        Some("array") => value.as_array().is_some_and(|items| {
            items.len() as u64 >= schema["minItems"].as_u64().unwrap_or(0)
                && items.iter().all(|item| fits(&schema["items"], item))
        }),
        Some("object") => value.as_object().is_some_and(|map| {
            map.iter()
                .all(|(key, value)| match schema["properties"].get(key) {
                    Some(inner) => fits(inner, value),
                    None => {
                        schema["additionalProperties"].is_object()
                            && fits(&schema["additionalProperties"], value)
                    }
                })
        }),
        _ => false,
    };
    one_of && kind
}

#[test]
fn the_schema_names_every_fact_and_accepts_what_the_parser_accepts() {
    let schema = facts_schema();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert_eq!(schema["required"], json!(["requested_action"]));
    assert_eq!(schema["additionalProperties"], json!(false));
    for row in definitions() {
        let property = &schema["properties"][row.name];
        assert!(property["x-if-missing"].is_array(), "{}", row.name);
        if let Shape::Word(words) = row.shape {
            assert_eq!(property["enum"], json!(words), "{}", row.name);
        }
    }
    let whole = json!({
        "requested_action": "record", "recorder_type": "company", "media": ["audio"],
        "countries": ["NL", "ZZ"], "consent_per_participant": {"p1": "given"},
        "announcement": {"at": "2026-11-21T10:00:00Z", "language": "nl-NL"},
        "age_youngest": 40, "structural": "sample", "sample_rate": 0.1,
        "suspicion": {"approved_by": ["a", "b"], "tried_alternatives": ["x"]},
        "purpose": "onderzoek", "processing": {"country": "NL"}, "retention_term": "P1Y"
    });
    let _read = facts(&whole);
    assert!(fits(&schema, &whole));
    for wrong in [
        json!({"requested_action": "rec"}),
        json!({"opennes": "covert"}),
        json!({"media": []}),
        json!({"processing": {"land": "NL"}}),
        json!({"purpose": "unknown"}),
    ] {
        assert!(!fits(&schema, &wrong), "{wrong}");
    }
}

/// Any JSON value, not too deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z_]{0,12}".prop_map(Value::from),
        Just(json!("2026-11-21T10:00:00Z")),
        Just(json!("none")),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z_]{1,12}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _answer = Facts::parse(&bytes, today());
    }

    #[test]
    fn no_value_of_a_fact_makes_it_panic_and_what_is_read_is_read_again(
        row in 0..71_usize, value in any_json()
    ) {
        let name = definitions().nth(row).unwrap().name;
        let mut map = serde_json::Map::new();
        map.insert("requested_action".to_owned(), json!("record"));
        map.insert(name.to_owned(), value);
        if let Ok(facts) = Facts::from_map(&map, today()) {
            let again = Facts::parse(facts.canonical_json().as_bytes(), today()).unwrap();
            prop_assert_eq!(again.hash(), facts.hash());
        }
    }
}

#[test]
fn every_purpose_has_what_belongs_to_it_and_its_first_letter_is_the_default() {
    let schema = facts_schema();
    let words = schema["properties"]["purpose"]["enum"].as_array().unwrap();
    let names: Vec<_> = purposes().map(|purpose| json!(purpose.name)).collect();
    assert_eq!(&names, words);
    for (recorder, purpose, letter) in [
        ("company", "bewijs_overeenkomst", Some("b")),
        ("company", "kwaliteit_training", Some("f")),
        ("company", "veiligheid_noodhulp", Some("d")),
        ("company", "wettelijke_plicht", Some("c")),
        ("company", "eigen_gebruik_bewijs", None),
        ("company", "overig", None),
        ("employer", "klokkenluider", None),
        ("self_employed", "eigen_gebruik_bewijs", Some("f")),
        ("government_body", "dossier_overheid", Some("e")),
        ("government_body", "klacht", Some("e")),
        ("citizen", "eigen_gebruik_bewijs", Some("household")),
        ("journalist", "journalistiek", None),
    ] {
        let known = purpose_named(purpose).unwrap();
        assert_eq!(
            known.basis_for(recorder).first().copied(),
            letter,
            "{recorder} {purpose}"
        );
        let asked = json!({
            "recorder_type": recorder, "purpose": purpose, "requested_action": "listen",
        });
        let is_named = decided(&asked).advice.iter().any(|advice| {
            advice.rule == format!("purpose.{purpose}")
                && advice.text.en.contains(known.listeners.en)
        });
        assert!(is_named, "{purpose}: who may listen");
    }
}
