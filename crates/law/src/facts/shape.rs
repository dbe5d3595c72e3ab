//! Whether a value has the shape that its row of the table asks for.

use super::calendar;
use super::countries::COUNTRIES;
use super::error::{Findings, nearest, shown};
use super::table::{Field, Shape, words};
use crate::text::Text;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Longest text that a fact may hold, in bytes.
const TEXT_BYTES_MAX: usize = 4_096;
/// Most items in a list.
const ITEMS_MAX: usize = 256;

/// Checks one value and adds a finding for each thing that is wrong with it.
pub(super) fn check(place: &str, shape: Shape, value: &Value, findings: &mut Findings) {
    match (shape, value) {
        (_, Value::Null) => findings.add(
            place,
            "null bestaat hier niet; laat de sleutel weg als het niet bekend is",
            "null is not a value; leave the key out where it is not known",
        ),
        (Shape::Word(known), Value::String(word)) => check_word(place, known, word, findings),
        (Shape::Words(known, least), Value::Array(items)) => {
            check_set(place, items, least, findings);
            for word in items.iter().filter_map(Value::as_str) {
                check_word(place, known, word, findings);
            }
        }
        (Shape::Countries, Value::Array(items)) => {
            check_set(place, items, 1, findings);
            for code in items.iter().filter_map(Value::as_str) {
                check_country(place, code, true, findings);
            }
        }
        (Shape::Names(most), Value::Array(items)) => {
            check_set(place, items, 0, findings);
            if items.len() > most {
                findings.add(
                    place,
                    &format!("meer dan {most} namen; geef er hoogstens {most}"),
                    &format!("more than {most} ids; give at most {most}"),
                );
            }
        }
        (Shape::Texts, Value::Array(items)) => check_texts(place, items, findings),
        (Shape::Flag, Value::Bool(_)) => {}
        (Shape::Whole(low, high), Value::Number(number)) => {
            if !number.as_i64().is_some_and(|n| (low..=high).contains(&n)) {
                findings.add(
                    place,
                    &format!("geen geheel getal van {low} tot en met {high}"),
                    &format!("not a whole number from {low} to {high}"),
                );
            }
        }
        (Shape::Share, Value::Number(number)) => {
            if !number.as_f64().is_some_and(|n| n > 0.0 && n < 1.0) {
                findings.add(
                    place,
                    "geen getal boven 0 en onder 1",
                    "not a number above 0 and below 1",
                );
            }
        }
        (Shape::Consents, Value::Object(map)) => check_consents(place, map, findings),
        (Shape::Object(fields), Value::Object(map)) => check_object(place, fields, map, findings),
        (_, Value::String(text)) if is_text(shape) => check_text(place, shape, text, findings),
        _ => wrong_type(place, shape, value, findings),
    }
}

const fn is_text(shape: Shape) -> bool {
    matches!(
        shape,
        Shape::Text
            | Shape::Reference
            | Shape::Address
            | Shape::Moment
            | Shape::PastMoment
            | Shape::Day
            | Shape::Term
            | Shape::Country
            | Shape::LanguageTag
    )
}

fn wrong_type(place: &str, shape: Shape, value: &Value, findings: &mut Findings) {
    let (is_nl, is_en) = match value {
        Value::Null => ("null", "null"),
        Value::Bool(_) => ("waar of onwaar", "true or false"),
        Value::Number(_) => ("een getal", "a number"),
        Value::String(_) => ("een tekst", "a string"),
        Value::Array(_) => ("een lijst", "an array"),
        Value::Object(_) => ("een object", "an object"),
    };
    let (wanted_nl, wanted_en) = match shape {
        Shape::Flag => ("true of false", "true or false"),
        Shape::Whole(..) | Shape::Share => ("een getal", "a number"),
        Shape::Words(..) | Shape::Countries | Shape::Names(_) | Shape::Texts => {
            ("een lijst", "an array")
        }
        Shape::Consents | Shape::Object(_) => ("een object", "an object"),
        _ => ("een tekst", "a string"),
    };
    findings.add(
        place,
        &format!("is {is_nl}, moet {wanted_nl} zijn"),
        &format!("is {is_en}, must be {wanted_en}"),
    );
}

fn check_word(place: &str, known: &[&str], word: &str, findings: &mut Findings) {
    if known.contains(&word) {
        return;
    }
    let instead = match (place, word) {
        ("share_target", "court") => Some("requested_action `file_in_court`"),
        ("share_target", "counterpart") => Some("requested_action `give_copy`"),
        ("share_target", "public") => Some("requested_action `publish`"),
        _ => None,
    };
    if let Some(instead) = instead {
        findings.add(
            place,
            &format!("`{word}` hoort bij een andere handeling; gebruik {instead}"),
            &format!("`{word}` belongs to another act; use {instead}"),
        );
    } else if is_unknown_word(word) {
        unknown_word(place, word, findings);
    } else {
        let (word, hint) = (shown(word), choose(word, known));
        findings.add(
            place,
            &format!("`{word}` bestaat niet; {}", hint.nl),
            &format!("`{word}` is not a value; {}", hint.en),
        );
    }
}

/// What could have been meant, and everything that there is.
fn choose(word: &str, known: &[&str]) -> Text {
    let all = known.join(", ");
    let (nl, en) = match nearest(word, known.iter().copied()) {
        Some(near) => (
            format!("bedoelt u `{near}`? Kies uit {all}"),
            format!("did you mean `{near}`? Choose from {all}"),
        ),
        None => (format!("kies uit {all}"), format!("choose from {all}")),
    };
    Text { nl, en }
}

/// Ways to say that it is not known, among them nothing that can be seen. `none` says that it is
/// known not to exist, in this spelling alone.
fn is_unknown_word(word: &str) -> bool {
    let is_unseen = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(
                c,
                '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}'
            )
    };
    let seen: String = word.chars().filter(|c| !is_unseen(*c)).collect();
    let seen = seen.to_lowercase();
    matches!(seen.as_str(), "" | "?" | "unknown") || seen == "none" && word != "none"
}

fn unknown_word(place: &str, word: &str, findings: &mut Findings) {
    findings.add(
        place,
        &format!("`{word}` bestaat niet; laat de sleutel weg als het niet bekend is"),
        &format!("`{word}` is not a value; leave the key out where it is not known"),
    );
}

/// A set: texts without doubles, at least so many.
fn check_set(place: &str, items: &[Value], least: usize, findings: &mut Findings) {
    check_texts(place, items, findings);
    if items.len() < least {
        findings.add(
            place,
            "is leeg; geef ten minste één waarde, of laat de sleutel weg",
            "is empty; give at least one value, or leave the key out",
        );
    }
    let mut seen = BTreeSet::new();
    for word in items.iter().filter_map(Value::as_str) {
        // Nobody is two people by another spelling.
        if !seen.insert(word.trim().to_lowercase()) {
            findings.add(
                place,
                &format!("`{}` staat er twee keer", shown(word)),
                &format!("`{}` is there twice", shown(word)),
            );
        }
    }
}

fn check_texts(place: &str, items: &[Value], findings: &mut Findings) {
    if items.len() > ITEMS_MAX {
        findings.add(
            place,
            &format!("meer dan {ITEMS_MAX} waarden"),
            &format!("more than {ITEMS_MAX} values"),
        );
    }
    for item in items.iter().take(ITEMS_MAX) {
        match item {
            Value::String(text) => check_text(place, Shape::Text, text, findings),
            other => wrong_type(place, Shape::Text, other, findings),
        }
    }
}

fn check_object(place: &str, fields: &[Field], map: &Map<String, Value>, findings: &mut Findings) {
    for (key, value) in map {
        if let Some(field) = fields.iter().find(|field| field.name == key) {
            check(&format!("{place}.{key}"), field.shape, value, findings);
            continue;
        }
        let names: Vec<_> = fields.iter().map(|field| field.name).collect();
        let (key, hint) = (shown(key), choose(key, &names));
        findings.add(
            place,
            &format!("heeft geen veld `{key}`; {}", hint.nl),
            &format!("has no field `{key}`; {}", hint.en),
        );
    }
}

/// The key is never printed: it can be somebody's name.
fn check_consents(place: &str, map: &Map<String, Value>, findings: &mut Findings) {
    if map.len() > ITEMS_MAX {
        findings.add(
            place,
            &format!("meer dan {ITEMS_MAX} deelnemers"),
            &format!("more than {ITEMS_MAX} participants"),
        );
    }
    for (id, consent) in map.iter().take(ITEMS_MAX) {
        let is_pseudonym = id.strip_prefix('p').is_some_and(|number| {
            !number.starts_with('0') && number.len() <= 4 && number.parse::<u16>().is_ok()
        });
        if !is_pseudonym && !words::COUNTERPARTS.contains(&id.as_str()) {
            findings.add(
                place,
                "een deelnemer heet p1, p2 … of een rol als `employee`, nooit bij naam",
                "a participant is called p1, p2 … or a role such as `employee`, never by name",
            );
            continue;
        }
        check(
            &format!("{place}.{id}"),
            Shape::Word(words::CONSENTS),
            consent,
            findings,
        );
    }
}

fn check_country(place: &str, code: &str, not_known_allowed: bool, findings: &mut Findings) {
    if COUNTRIES.contains(&code) || (not_known_allowed && code == "ZZ") {
        return;
    }
    let upper = code.to_uppercase();
    let right = match upper.as_str() {
        "UK" => "GB",
        "EL" => "GR",
        other if COUNTRIES.contains(&other) => other,
        _ => "NL, DE, BE, FR, GB …",
    };
    findings.add(
        place,
        &format!(
            "`{}` is geen landcode (ISO 3166-1); gebruik {right}",
            shown(code)
        ),
        &format!(
            "`{}` is not a country code (ISO 3166-1); use {right}",
            shown(code)
        ),
    );
}

fn check_text(place: &str, shape: Shape, text: &str, findings: &mut Findings) {
    if is_unknown_word(text) {
        return unknown_word(place, text, findings);
    }
    if text.len() > TEXT_BYTES_MAX {
        return findings.add(
            place,
            &format!("langer dan {TEXT_BYTES_MAX} bytes"),
            &format!("longer than {TEXT_BYTES_MAX} bytes"),
        );
    }
    let (right, nl, en) = match shape {
        Shape::Moment | Shape::PastMoment => (
            calendar::moment(text).is_some(),
            "geen tijdstip als 2026-11-21T10:02:00+01:00",
            "not a date-time such as 2026-11-21T10:02:00+01:00",
        ),
        Shape::Day => (
            calendar::day(text).is_some(),
            "geen dag als 2026-11-21",
            "not a date such as 2026-11-21",
        ),
        Shape::Term => (
            text == calendar::UNLIMITED || calendar::term(text).is_some(),
            "geen termijn als P2W, P6M of P5Y, en niet het woord unlimited",
            "not a term such as P2W, P6M or P5Y, nor the word unlimited",
        ),
        Shape::Address => (
            text == "none" || text.starts_with("https://") || text.starts_with("http://"),
            "geen webadres, en niet het woord none",
            "not a web address, nor the word none",
        ),
        Shape::LanguageTag => (
            is_language_tag(text),
            "geen taalcode als nl of en-GB",
            "not a language tag such as nl or en-GB",
        ),
        Shape::Country => return check_country(place, text, false, findings),
        _ => return,
    };
    if !right {
        findings.add(
            place,
            &format!("`{}` is {nl}", shown(text)),
            &format!("`{}` is {en}", shown(text)),
        );
    }
}

/// The shape of a tag (RFC 5646 §2.1), not whether the language exists.
fn is_language_tag(text: &str) -> bool {
    let mut parts = text.split('-');
    let primary = parts.next().unwrap_or_default();
    (2..=3).contains(&primary.len())
        && primary.chars().all(|c| c.is_ascii_alphabetic())
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric())
        })
}
