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
pub(crate) fn files(folder: &Path, language: Language) -> Result<Files> {
    if folder.is_file() {
        let file = folder.display();
        return Err(bad(match language {
            Language::Nl => {
                format!("huisregels: `{file}` is een bestand; noem de map waar het in staat")
            }
            Language::En => {
                format!("house rules: `{file}` is a file; name the folder that holds it")
            }
        }));
    }
    let mut found = Vec::new();
    collect(folder, folder, 0, language, &mut found)?;
    found.sort();
    if found.is_empty() {
        let folder = folder.display();
        return Err(bad(match language {
            Language::Nl => format!(
                "huisregels: er staat geen bestand `*.cedar` in `{folder}`; noem de map waar ze in staan"
            ),
            Language::En => format!(
                "house rules: there is no file `*.cedar` in `{folder}`; name the folder that holds them"
            ),
        }));
    }
    Ok(found)
}

fn collect(
    root: &Path,
    folder: &Path,
    depth: usize,
    language: Language,
    found: &mut Files,
) -> Result<()> {
    let cannot = |path: &Path, error: std::io::Error| {
        let path = path.display();
        bad(match language {
            Language::Nl => format!("huisregels: `{path}` is niet te lezen: {error}"),
            Language::En => format!("house rules: cannot read `{path}`: {error}"),
        })
    };
    if depth > DEPTH_MAX {
        let folder = folder.display();
        return Err(bad(match language {
            Language::Nl => format!("huisregels: `{folder}` ligt te diep; zet de bestanden hoger"),
            Language::En => {
                format!("house rules: `{folder}` lies too deep; keep the files nearer to the top")
            }
        }));
    }
    for entry in std::fs::read_dir(folder).map_err(|error| cannot(folder, error))? {
        let path = entry.map_err(|error| cannot(folder, error))?.path();
        if path.is_dir() {
            collect(root, &path, depth + 1, language, found)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "cedar")
        {
            let bytes = std::fs::read(&path).map_err(|error| cannot(&path, error))?;
            let text =
                String::from_utf8(bytes).map_err(|error| bad(not_utf8(&path, &error, language)))?;
            let name = path.strip_prefix(root).unwrap_or(&path);
            found.push((name.display().to_string(), text));
        }
    }
    Ok(())
}

fn not_utf8(path: &Path, error: &std::string::FromUtf8Error, language: Language) -> String {
    let good = error
        .as_bytes()
        .iter()
        .take(error.utf8_error().valid_up_to());
    let line = good.filter(|byte| **byte == b'\n').count() + 1;
    let path = path.display();
    match language {
        Language::Nl => format!(
            "huisregels: `{path}`, regel {line}: dit is geen UTF-8; bewaar het bestand als UTF-8"
        ),
        Language::En => {
            format!("house rules: `{path}`, line {line}: this is not UTF-8; save the file as UTF-8")
        }
    }
}

/// The house rules in a folder, to stand beside this law.
///
/// # Errors
/// The folder or one of its rules is at fault: then none of them is used.
pub(crate) fn read(folder: &Path, law: &Rulebook, language: Language) -> Result<HouseRules> {
    HouseRules::read(&files(folder, language)?, law)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) {
        voicelog_store::durable::replace(path, text.as_bytes()).unwrap();
    }

    #[test]
    fn every_file_of_rules_under_the_folder_is_read_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("c")).unwrap();
        for name in ["b.cedar", "a.cedar", "c/d.cedar", "README.md"] {
            write(&folder.path().join(name), name);
        }
        let files = files(folder.path(), Language::En).unwrap();
        let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a.cedar", "b.cedar", "c/d.cedar"]);
    }

    #[test]
    fn a_folder_without_rules_is_a_mistake_and_not_a_house_without_rules() {
        let folder = tempfile::tempdir().unwrap();
        let said = files(folder.path(), Language::En).unwrap_err().to_string();
        assert!(said.contains("no file `*.cedar`"), "{said}");
        let nowhere = folder.path().join("nowhere");
        let said = files(&nowhere, Language::Nl).unwrap_err().to_string();
        assert!(said.contains("niet te lezen"), "{said}");
    }

    #[test]
    fn a_file_that_is_not_utf8_is_named_with_the_line() {
        let folder = tempfile::tempdir().unwrap();
        let latin1 = b"// one\n// two\n@nl(\"caf\xe9\")";
        voicelog_store::durable::replace(&folder.path().join("a.cedar"), latin1).unwrap();
        let said = files(folder.path(), Language::En).unwrap_err().to_string();
        assert!(
            said.contains("a.cedar`, line 3: this is not UTF-8"),
            "{said}"
        );
    }

    #[test]
    fn one_mistake_stops_all_and_is_told_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let right = include_str!("../../../examples/house-rules/reglement-opnamen.cedar");
        write(&folder.path().join("a.cedar"), right);
        write(&folder.path().join("b.cedar"), "forbid (principal);");
        let law = Rulebook::embedded("2026-11-21T10:02:00Z".parse().unwrap()).unwrap();
        let said = read(folder.path(), &law, Language::En)
            .unwrap_err()
            .to_string();
        assert!(
            said.contains("none of the rules is used") && said.contains("b.cedar:1:"),
            "{said}"
        );
    }
}
