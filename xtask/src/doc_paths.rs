//! The places in the source that documents name in backticks exist: `crates/x/src/y.rs` as a
//! file, `archive::gate::may` as something that the module really declares.

use crate::doc_links::exists;
use crate::source;
use crate::tidy::Document;
use std::collections::BTreeSet;
use std::path::Path;

/// Folders whose paths, named in a document, must exist.
const FOLDERS: &[&str] = &[
    "crates/", "design/", "ref/", "tests/", "xtask/", "fuzz/", ".ci/",
];

/// Places named in one document that are not there.
pub(crate) fn faults(
    document: &Document,
    all: &[Document],
    known: &BTreeSet<&Path>,
) -> Vec<String> {
    if !document.has_extension("md") {
        return Vec::new();
    }
    let mut faults = Vec::new();
    for (line, words) in in_backticks(&document.text) {
        let missing = if FOLDERS.iter().any(|folder| words.starts_with(folder)) {
            // Places such as `crates/x/src/*.rs` or `design/decisions/NNNN-….md` are patterns.
            let is_pattern = words.contains(['*', '…', ' ', '<']) || words.contains("NAME");
            !is_pattern && !is_there(words.trim_end_matches('/'), known)
        } else {
            names_missing_item(words, all)
        };
        if missing {
            faults.push(format!(
                "{}:{line}: names `{words}`, which is not there",
                document.place()
            ));
        }
    }
    faults
}

/// From the root, or, as the document of one room may write it, inside some crate.
fn is_there(path: &str, known: &BTreeSet<&Path>) -> bool {
    let inside = |file: &&Path| {
        let mut parts = file.iter();
        let is_crate = parts.next().is_some_and(|part| part == "crates");
        parts.next();
        is_crate && parts.as_path().starts_with(path)
    };
    exists(Path::new(path), known) || known.iter().any(inside)
}

/// Text between single backticks outside code blocks, with line numbers from 1.
fn in_backticks(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if !in_code {
            let odd = line.split('`').skip(1).step_by(2);
            found.extend(odd.map(|words| (index + 1, words)));
        }
    }
    found
}

/// Whether `words` reads `crate::module::item` of one of our crates, and no such thing is there.
fn names_missing_item(words: &str, all: &[Document]) -> bool {
    let path = words.split(['(', '<', '{', ' ']).next().unwrap_or_default();
    let path = path.strip_prefix("voicelog_").unwrap_or(path);
    let mut parts = path.split("::");
    let Some(first) = parts.next() else {
        return false;
    };
    let folder = format!("crates/{}/src", first.replace('_', "-"));
    let is_crate = all
        .iter()
        .any(|document| document.path.starts_with(&folder));
    if !path.contains("::") || !is_crate {
        return false;
    }
    // Walk down the modules as far as there are files, then look for a declaration there.
    let mut here = folder.clone();
    let mut file = format!("{folder}/lib.rs");
    for part in parts {
        let flat = format!("{here}/{part}.rs");
        let nested = format!("{here}/{part}/mod.rs");
        let module = [flat, nested]
            .into_iter()
            .find(|path| text_of(path, all).is_some());
        if let Some(module) = module {
            here = format!("{here}/{part}");
            file = module;
            continue;
        }
        let in_file = text_of(&file, all).is_some_and(|text| declares(text, part));
        // A type may be declared in a file of the folder and re-exported at its door.
        let inside = || {
            let under = all
                .iter()
                .filter(|document| document.path.starts_with(&here));
            under
                .into_iter()
                .any(|document| declares(&document.text, part))
        };
        return !(in_file || inside());
    }
    false
}

fn text_of<'a>(path: &str, all: &'a [Document]) -> Option<&'a str> {
    let found = all.iter().find(|document| document.path == Path::new(path));
    found.map(|document| document.text.as_str())
}

/// Whether the source declares an item of that name (or a variant or a field of it).
fn declares(text: &str, name: &str) -> bool {
    const KEYWORDS: &[&str] = &[
        "fn", "struct", "enum", "trait", "type", "const", "static", "mod", "union",
    ];
    KEYWORDS
        .iter()
        .any(|keyword| !source::lines_with_path(text, &format!("{keyword} {name}")).is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn documents() -> Vec<Document> {
        let files = [
            (
                "crates/archive/src/lib.rs",
                "mod gate;\npub use gate::Permit;",
            ),
            (
                "crates/archive/src/gate/mod.rs",
                "pub struct Permit;\nimpl Gate { pub fn may() {} }",
            ),
            ("crates/archive/src/finish/mod.rs", "mod rows;"),
            ("crates/archive/tests/it/faults.rs", ""),
            (
                "crates/archive/src/finish/rows.rs",
                "pub(crate) enum Row {}",
            ),
        ];
        let one = |(path, text): (&str, &str)| Document {
            path: PathBuf::from(path),
            text: text.to_owned(),
        };
        files.into_iter().map(one).collect()
    }

    fn faults_in(text: &str) -> Vec<String> {
        let all = documents();
        let known: BTreeSet<&Path> = all.iter().map(|document| document.path.as_path()).collect();
        let document = Document {
            path: PathBuf::from("ARCHITECTURE.md"),
            text: text.to_owned(),
        };
        faults(&document, &all, &known)
    }

    #[test]
    fn a_file_that_is_named_must_be_there() {
        assert!(faults_in("`crates/archive/src/gate/mod.rs`, `crates/archive/`").is_empty());
        assert!(faults_in("`tests/it/faults.rs`").is_empty());
        assert_eq!(
            faults_in("`crates/archive/src/door.rs`, `tests/none.rs`").len(),
            2
        );
    }

    #[test]
    fn an_item_that_is_named_must_be_declared_in_its_module() {
        assert!(
            faults_in("`archive::gate::may`, `archive::Permit`, `archive::finish::Row`").is_empty()
        );
        assert_eq!(faults_in("`archive::gate::open`").len(), 1);
        assert_eq!(faults_in("`archive::door`").len(), 1);
    }

    #[test]
    fn paths_of_others_and_code_blocks_are_not_looked_at() {
        assert!(
            faults_in("`std::fs::write`, `a b`, `Kind::Invalid`\n```\n`archive::no`\n```")
                .is_empty()
        );
    }
}
