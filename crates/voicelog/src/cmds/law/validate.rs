//! `voicelog law validate`: is a folder of house rules right, and does each of them do something?

use crate::{Context, Ended, house, print};
use anyhow::Result;
use serde_json::json;
use std::path::Path;
use voicelog_law::{HouseFinding, HouseRules, Rulebook};
use voicelog_model::{Language, Timestamp};

pub(super) fn run(
    folder: &Path,
    now: Timestamp,
    as_json: bool,
    context: &Context,
) -> Result<Ended> {
    let lang = context.lang;
    let law = Rulebook::embedded(now)?;
    let files = house::files(folder, lang)?;
    let (faults, warnings, rules) = match HouseRules::read(&files, &law) {
        Ok(rules) => (Vec::new(), rules.warnings(&law)?, rules.len()),
        Err(faults) => (faults.findings().to_vec(), Vec::new(), 0),
    };
    if as_json {
        let list = |findings: &[HouseFinding]| -> Vec<_> {
            findings
                .iter()
                .map(|finding| finding.to_json(lang))
                .collect()
        };
        print::json(&json!({ "errors": list(&faults), "warnings": list(&warnings) }))?;
    } else {
        for (word, findings) in [
            (lang.pick("fout", "error"), &faults),
            (lang.pick("let op", "warning"), &warnings),
        ] {
            for finding in findings {
                print::line(format!("{word}: {}", finding.in_language(lang)));
            }
        }
        print::line(summary(
            files.len(),
            rules,
            faults.len(),
            warnings.len(),
            lang,
        ));
    }
    Ok(if faults.is_empty() {
        Ended::Done
    } else {
        Ended::Wrong
    })
}

fn summary(files: usize, rules: usize, faults: usize, warnings: usize, lang: Language) -> String {
    let [files, rules, faults, warnings] =
        [files, rules, faults, warnings].map(|number| number as u64);
    match lang {
        Language::Nl if faults > 0 => format!(
            "{} in {}; geen van de regels kan worden gebruikt, en waarschuwingen komen pas daarna",
            print::count(faults, "fout", "fouten"),
            print::count(files, "bestand", "bestanden")
        ),
        Language::En if faults > 0 => format!(
            "{} in {}; none of the rules can be used, and warnings come only after that",
            print::count(faults, "error", "errors"),
            print::count(files, "file", "files")
        ),
        Language::Nl => format!(
            "{} in {}: geen fouten, {}",
            print::count(rules, "regel", "regels"),
            print::count(files, "bestand", "bestanden"),
            print::count(warnings, "waarschuwing", "waarschuwingen")
        ),
        Language::En => format!(
            "{} in {}: no errors, {}",
            print::count(rules, "rule", "rules"),
            print::count(files, "file", "files"),
            print::count(warnings, "warning", "warnings")
        ),
    }
}
