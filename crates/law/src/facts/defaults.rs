//! What is taken where a fact is missing, and what is read otherwise than it was written.

use super::name;
use super::table::definitions;
use super::values::Values;
use crate::purposes;
use crate::text::Bilingual;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Something that was read otherwise than it was written; the answer says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mended(pub(crate) Bilingual);

const CITIZEN: Mended = Mended(Bilingual {
    nl: "Wie opneemt staat tegenover een overheid en telt daarom als burger (`citizen`), niet als `private_person`.",
    en: "The recorder faces a government body and therefore counts as a citizen (`citizen`), not as `private_person`.",
});
const MINOR: Mended = Mended(Bilingual {
    nl: "De jongste die te horen is, is jonger dan 18; `minor` is daarom toegevoegd aan `counterpart_types`.",
    en: "The youngest person heard is under 18; `minor` was therefore added to `counterpart_types`.",
});

/// Reads the two cases that are mended rather than rejected.
pub(super) fn mend(facts: &mut Values) -> Vec<Mended> {
    let mut mended = Vec::new();
    let faces_government = facts.holds(name::COUNTERPART_TYPES, "government_body");
    if facts.is(name::RECORDER_TYPE, "private_person") && faces_government {
        facts.set(name::RECORDER_TYPE, "citizen");
        mended.push(CITIZEN);
    }
    let age = facts.value(name::AGE_YOUNGEST).and_then(Value::as_i64);
    if age.is_some_and(|age| age < 18) && !facts.holds(name::COUNTERPART_TYPES, "minor") {
        let mut heard: Vec<_> = facts
            .words(name::COUNTERPART_TYPES)
            .map(str::to_owned)
            .collect();
        heard.push("minor".to_owned());
        facts.set(name::COUNTERPART_TYPES, heard);
        mended.push(MINOR);
    }
    mended
}

/// What always stands in for a missing fact.
static ALWAYS: LazyLock<Vec<(&'static str, Value)>> = LazyLock::new(|| {
    let rows = definitions().filter(|row| row.name != name::CONFIDENTIALITY_CLAUSE);
    rows.filter_map(|row| Some((row.name, serde_json::from_str(row.default_value()?).ok()?)))
        .collect()
});

/// Fills in every default: first what always stands in, then what depends on other facts.
pub(super) fn fill(facts: &mut Values) {
    for (name, value) in ALWAYS.iter() {
        if !facts.has(name) {
            facts.set(name, value.clone());
        }
    }
    let natural = facts.is_one_of(
        name::RECORDER_TYPE,
        &["private_person", "citizen", "employee"],
    );
    if natural {
        facts.set_if_missing(name::PURPOSE, "eigen_gebruik_bewijs");
        facts.set_if_missing(name::STRUCTURAL, "single");
    }
    if facts.is(name::RECORDER_TYPE, "journalist") {
        facts.set_if_missing(name::PURPOSE, "journalistiek");
    }
    if let Some(letter) = first_letter(facts) {
        facts.set_if_missing(name::LEGAL_BASIS, letter);
    }
    fill_act(facts);
    let privileged = facts.holds(name::COUNTERPART_TYPES, "lawyer")
        || facts.is(name::CONTENT_NATURE, "confidential_profession");
    let clause = if privileged { "privilege" } else { "none" };
    facts.set_if_missing(name::CONFIDENTIALITY_CLAUSE, clause);
    if facts.holds(name::COUNTERPART_TYPES, "minor") {
        // As if under 12: the strictest of the ages that the law tells apart.
        facts.set_if_missing(name::AGE_YOUNGEST, 11);
    }
    if let Some(purpose) = facts.word(name::PURPOSE).map(str::to_owned) {
        facts.set_if_missing(name::ANNOUNCED_PURPOSES, json!([purpose]));
    }
    if let Some(moment) = facts.word(name::RECORDED_AT).map(str::to_owned) {
        facts.set_if_missing(name::START_EVENT, moment);
    }
}

/// The defaults that follow from the act.
fn fill_act(facts: &mut Values) {
    let act = facts.word(name::REQUESTED_ACTION).unwrap_or_default();
    let (share, copy) = (act == "share", act == "give_copy");
    let state = match act {
        "record" | "listen_live" | "call" | "refuse_recording" => "none_yet",
        _ => "exists",
    };
    facts.set_if_missing(name::RECORDING_STATE, state);
    if share {
        facts.set_if_missing(name::SHARE_TARGET, "third_party");
    }
    if copy {
        facts.set_if_missing(name::REQUESTER_ROLE, "third_party");
    }
}

/// The first letter that belongs to purpose and recorder, if there is one.
fn first_letter(facts: &Values) -> Option<&'static str> {
    let recorder = facts.word(name::RECORDER_TYPE)?;
    let purpose = facts.word(name::PURPOSE)?;
    purposes::purpose(purpose)?
        .basis_for(recorder)
        .first()
        .copied()
}
