//! House rules: what is wrong with them is said, all of it; what is right can only make an answer
//! graver.

mod effect;
mod faults;
mod warnings;

use crate::common::{changed, rulebook, sales_call};
use serde_json::{Value, json};
use std::path::Path;
use voicelog_law::{HouseFaults, HouseRules, Rulebook};

pub(super) fn read(files: &[(&str, &str)]) -> Result<HouseRules, HouseFaults> {
    let files: Vec<_> = files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    HouseRules::read(&files, rulebook())
}

pub(super) fn with(text: &str) -> Rulebook {
    match read(&[("house.cedar", text)]) {
        Ok(rules) => rulebook().with_house(&rules).unwrap(),
        Err(faults) => panic!("{faults}"),
    }
}

/// Every file of the example, by name.
pub(super) fn example() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/house-rules");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "cedar")
        })
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// A gate, a duty, a mark and an advice; each test changes what it is about.
pub(super) fn gate(id: &str, when: &str) -> String {
    format!(
        "@id(\"{id}\")\n@kind(\"labour\")\n@article(\"Handboek 1\")\n@valid_from(\"2026-10-01\")\n\
         @nl(\"Niet hier.\")\n@en(\"Not here.\")\n\
         forbid (principal, action == Action::\"record\", resource)\nwhen {{ {when} }};\n"
    )
}

pub(super) fn duty(id: &str, when: &str) -> String {
    format!(
        "@id(\"{id}\")\n@kind(\"duty\")\n@who(\"controller\")\n@what(\"tell_the_manager\")\n\
         @by(\"at_once\")\n@article(\"Handboek 2\")\n@valid_from(\"2026-10-01\")\n\
         @nl(\"Meld het.\")\n@en(\"Tell it.\")\n\
         permit (principal, action == Action::\"record\", resource)\nwhen {{ {when} }};\n"
    )
}

/// What a rule of kind `human` says besides, before its text.
pub(super) const WEIGHING: &str = "@weighs_nl(\"de chef\")\n@weighs_en(\"the chief\")\n\
                        @factors_nl(\"a; b\")\n@factors_en(\"a; b\")\n@nl(";

/// House rules of every kind that hold in many situations.
pub(super) fn broad() -> Rulebook {
    let human = gate("house.human", "context.organisation")
        .replace("labour", "human")
        .replace("@nl(", WEIGHING);
    let all = [
        human,
        gate(
            "house.covert",
            "context has openness && context.openness == \"covert\"",
        ),
        gate("house.destroy", "context.avg_applies == \"yes\"").replace("record", "destroy"),
        gate("house.always", "context.sound || !context.sound").replace(
            "action == Action::\"record\"",
            "action in Action::\"using\"",
        ),
        duty("house.tell", "context.line"),
    ];
    with(&all.concat())
}

/// A call that the law permits, with duties.
pub(super) fn permitted() -> Value {
    changed(&sales_call(), &json!({"purpose": "klacht"}))
}

pub(super) fn mark(id: &str, kind: &str, duty: &str, when: &str) -> String {
    format!(
        "@id(\"{id}\")\n@kind(\"{kind}\")\n@duty(\"{duty}\")\n@valid_from(\"2026-10-01\")\n\
         permit (principal, action == Action::\"record\", resource)\nwhen {{ {when} }};\n"
    )
}
