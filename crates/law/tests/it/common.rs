//! The rulebook at the day of the cases, and how cases are read.

use serde_json::{Map, Value, json};
use std::path::Path;
use std::sync::OnceLock;
use voicelog_law::{Decision, Facts, Rulebook, decide_without_unknown};
use voicelog_model::Timestamp;

/// The day on which the cases are decided.
pub(crate) fn today() -> Timestamp {
    "2026-11-21T10:02:00Z".parse().unwrap()
}

/// The rulebook of that day, loaded once.
pub(crate) fn rulebook() -> &'static Rulebook {
    static RULEBOOK: OnceLock<Rulebook> = OnceLock::new();
    RULEBOOK.get_or_init(|| match Rulebook::embedded(today()) {
        Ok(rulebook) => rulebook,
        Err(error) => panic!("{error}"),
    })
}

/// Facts from JSON that the test knows to be right.
pub(crate) fn facts(value: &Value) -> Facts {
    let text = value.to_string();
    match Facts::parse(text.as_bytes(), today()) {
        Ok(facts) => facts,
        Err(error) => panic!("{error} in {text}"),
    }
}

/// Decides such facts, without looking for what is unknown.
pub(crate) fn decided(value: &Value) -> Decision {
    decide_without_unknown(rulebook(), &facts(value), today())
}

/// Facts with other facts put over them; `null` takes one away.
pub(crate) fn changed(base: &Value, change: &Value) -> Value {
    let mut map: Map<String, Value> = base.as_object().unwrap().clone();
    for (name, value) in change.as_object().unwrap() {
        if value.is_null() {
            map.remove(name);
        } else {
            map.insert(name.clone(), value.clone());
        }
    }
    Value::Object(map)
}

/// A file that is kept to be read, with what the rules say now: what stands in it. With
/// `LAW_WRITE` in the environment it is written anew first.
#[expect(
    clippy::disallowed_methods,
    reason = "a file of the repository, not of an archive"
)]
pub(crate) fn kept(path: &Path, now: &str) -> String {
    if std::env::var_os("LAW_WRITE").is_some() {
        std::fs::write(path, now).unwrap();
    }
    std::fs::read_to_string(path).unwrap_or_default()
}

/// The demo's sales call, with notice and everything set up.
pub(crate) fn sales_call() -> Value {
    json!({
        "recorder_type": "company", "counterpart_types": ["private_person"], "channel": "phone",
        "participation": "participant", "openness": "announced",
        "announcement": {"at": "2026-11-21T09:59:58Z", "text_id": "verkoop-1", "language": "nl"},
        "purpose": "bewijs_overeenkomst", "legal_basis": "b", "structural": "all",
        "countries": ["NL"], "or_status": "consented", "staff_informed": "each_call_signal",
        "dpia": "done", "retention_term": "P5Y", "private_use_possible": true,
        "requested_action": "record"
    })
}
