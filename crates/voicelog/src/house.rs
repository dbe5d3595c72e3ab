//! Reads the folder with house rules.

use crate::{BadInput, Context, print, wiring};
use anyhow::Result;
use std::path::Path;
use voicelog_law::{HouseFaults, HouseRules, Rulebook};
use voicelog_model::{Language, Timestamp};

/// Name and text of every file of rules.
type Files = Vec<(String, String)>;

/// Deepest folder in the folder that is looked into.
const DEPTH_MAX: usize = 8;

fn bad(what: String) -> anyhow::Error {
    anyhow::Error::new(BadInput(what))
}

/// Every `*.cedar` under a folder, by path. A folder without any is a mistake: it would mean no
/// rules at all, and nobody would know.
pub(crate) fn files(folder: &Path) -> Result<Files> {
    let mut found = Vec::new();
    collect(folder, folder, 0, &mut found)?;
    found.sort();
    if found.is_empty() {
        return Err(bad(format!(
            "house rules: there is no file `*.cedar` in `{}`; name the folder that holds them",
            folder.display()
        )));
    }
    Ok(found)
}

fn collect(root: &Path, folder: &Path, depth: usize, found: &mut Files) -> Result<()> {
    let cannot = |path: &Path, error: std::io::Error| {
        bad(format!(
            "house rules: cannot read `{}`: {error}",
            path.display()
        ))
    };
    if depth > DEPTH_MAX {
        return Err(bad(format!(
            "house rules: `{}` lies too deep; keep the files nearer to the top",
            folder.display()
        )));
    }
    for entry in std::fs::read_dir(folder).map_err(|error| cannot(folder, error))? {
        let path = entry.map_err(|error| cannot(folder, error))?.path();
        if path.is_dir() {
            collect(root, &path, depth + 1, found)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "cedar")
        {
            let text = std::fs::read_to_string(&path).map_err(|error| cannot(&path, error))?;
            let name = path.strip_prefix(root).unwrap_or(&path);
            found.push((name.display().to_string(), text));
        }
    }
    Ok(())
}

/// The house rules in a folder, to stand beside this law.
///
/// # Errors
/// The folder or one of its rules is at fault: then none of them is used.
pub(crate) fn read(folder: &Path, law: &Rulebook, language: Language) -> Result<HouseRules> {
    HouseRules::read(&files(folder)?, law)
        .map_err(|faults| bad(in_words(folder, &faults, language)))
}

/// The law of a day for a command, with the house rules of the folder that it names, else with
/// those of its configuration file.
pub(crate) fn rulebook(
    folder: Option<&Path>,
    at: Timestamp,
    context: &Context,
) -> Result<Rulebook> {
    let law = Rulebook::embedded(at)?;
    let rules = match (folder, &context.config) {
        (Some(folder), _) => Some(read(folder, &law, context.lang)?),
        (None, Some(_)) => wiring::config(context, at)?.law.rules,
        (None, None) => None,
    };
    Ok(match rules {
        Some(rules) => law.with_house(&rules)?,
        None => law,
    })
}

/// Everything that is wrong, a line for each.
pub(crate) fn in_words(folder: &Path, faults: &HouseFaults, language: Language) -> String {
    let count = faults.findings().len() as u64;
    let folder = folder.display();
    let count = match language {
        Language::Nl => print::count(count, "fout", "fouten"),
        Language::En => print::count(count, "mistake", "mistakes"),
    };
    let head = match language {
        Language::Nl => {
            format!("huisregels in `{folder}`: {count}; geen van de regels wordt gebruikt")
        }
        Language::En => format!("house rules in `{folder}`: {count}; none of the rules is used"),
    };
    format!("{head}\n{}", faults.in_language(language))
}
