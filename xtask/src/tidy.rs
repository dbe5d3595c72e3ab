//! `cargo xtask tidy`: what neither the compiler nor clippy looks at.
//!
//! Sizes of files and front doors, leftovers, paths of one person's machine, links in documents,
//! and the places that documents and comments point at.

use crate::{doc_links, doc_paths, named_tests, shell};
use anyhow::{Context as _, bail};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A Rust file longer than this is a fault: make the room a folder.
const LINES_MAX: usize = 700;
/// The same for a file of tests alone, which is a list and no room.
const TEST_LINES_MAX: usize = 1_000;
/// Longer than this is only mentioned.
const LINES_SOFT: usize = 450;
/// A front door (`lib.rs`) says what the room is for and re-exports; no more.
const FRONT_DOOR_LINES_MAX: usize = 80;

/// A text file of the repository.
pub(crate) struct Document {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl Document {
    pub(crate) fn has_extension(&self, wanted: &str) -> bool {
        self.path.extension().is_some_and(|found| found == wanted)
    }

    /// The path with `/`, relative to the root.
    pub(crate) fn place(&self) -> String {
        self.path.to_string_lossy().replace('\\', "/")
    }
}

/// The path relative to the root of the repository, for messages.
pub(crate) fn relative(path: &Path) -> String {
    let path = path.strip_prefix(shell::root()).unwrap_or(path);
    path.display().to_string()
}

/// `cargo xtask tidy`.
pub(crate) fn run() -> anyhow::Result<()> {
    let paths = shell::files()?;
    let mut documents = Vec::new();
    for path in &paths {
        let whole = shell::root().join(path);
        let bytes =
            std::fs::read(&whole).with_context(|| format!("cannot read {}", path.display()))?;
        // What is not UTF-8 is no text: a sample of sound, a test vector.
        if let Ok(text) = String::from_utf8(bytes) {
            let path = path.clone();
            documents.push(Document { path, text });
        }
    }
    let known: BTreeSet<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let mut faults = Vec::new();
    for document in &documents {
        faults.extend(faults_of(document));
        faults.extend(doc_links::faults(document, &known));
        faults.extend(doc_paths::faults(document, &documents, &known));
    }
    faults.extend(named_tests::faults(&documents));
    let long = documents.iter().filter(|document| {
        let lines = document.text.lines().count();
        document.has_extension("rs") && lines > LINES_SOFT && lines <= LINES_MAX
    });
    for document in long {
        println!(
            "note: {}: {} lines",
            document.place(),
            document.text.lines().count()
        );
    }
    for fault in &faults {
        println!("{fault}");
    }
    if !faults.is_empty() {
        bail!("{} things to put right", faults.len());
    }
    println!("tidy: {} files", documents.len());
    Ok(())
}

fn faults_of(document: &Document) -> Vec<String> {
    let place = document.place();
    let mut faults = Vec::new();
    if document.has_extension("rs") {
        faults.extend(size_faults(document));
        faults.extend(leftovers(document));
    }
    if place.ends_with("Cargo.toml") && !document.text.contains("[workspace]") {
        let inherits = document.text.contains("[lints]\nworkspace = true");
        if !inherits {
            faults.push(format!("{place}: has no `[lints]` with `workspace = true`"));
        }
    }
    if place.starts_with("design/") && place.ends_with(".md") && place != "design/README.md" {
        let mut lines = document.text.lines();
        if !lines.any(|line| line.starts_with("Status: ")) {
            faults.push(format!(
                "{place}: has no line `Status: draft | current | superseded by …`"
            ));
        }
    }
    faults.extend(machine_paths(document));
    faults
}

fn size_faults(document: &Document) -> Vec<String> {
    let place = document.place();
    let lines = document.text.lines().count();
    let mut faults = Vec::new();
    let tests_only = place.ends_with("/tests.rs") || place.contains("/tests/");
    let max = if tests_only {
        TEST_LINES_MAX
    } else {
        LINES_MAX
    };
    if lines > max {
        faults.push(format!("{place}: {lines} lines, more than {max}"));
    }
    if place.ends_with("src/lib.rs") && lines > FRONT_DOOR_LINES_MAX {
        let max = FRONT_DOOR_LINES_MAX;
        faults.push(format!(
            "{place}: {lines} lines, more than {max}: a front door is short"
        ));
    }
    faults
}

/// Words that say "not finished". Put together here so that this file does not contain them.
fn leftovers(document: &Document) -> Vec<String> {
    let words = [
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["XX", "X"].concat(),
        ["dbg", "!("].concat(),
    ];
    let mut faults = Vec::new();
    for (index, line) in document.text.lines().enumerate() {
        for word in words.iter().filter(|word| line.contains(word.as_str())) {
            faults.push(format!(
                "{}:{}: `{word}` left over",
                document.place(),
                index + 1
            ));
        }
    }
    faults
}

/// Absolute paths that exist on one person's machine only.
fn machine_paths(document: &Document) -> Vec<String> {
    let folders = ["work", "root", "home", "tmp", "Users"];
    // A document may show a command that writes to the folder that every machine has.
    let shown = |folder: &str| folder == "tmp" && document.has_extension("md");
    let folders = folders.into_iter().filter(|folder| !shown(folder));
    let mut faults = Vec::new();
    for (index, line) in document.text.lines().enumerate() {
        for folder in folders.clone() {
            let path = format!("/{folder}/");
            let hits = line.match_indices(&path).filter(|(at, _)| {
                // `crates/home/` and `https://host/home/` are no absolute paths.
                let before = line.get(..*at).and_then(|text| text.chars().next_back());
                !before.is_some_and(|c| c.is_alphanumeric() || "./_-}".contains(c))
            });
            if hits.count() > 0 {
                let place = document.place();
                faults.push(format!(
                    "{place}:{}: `{path}` is a path of one machine",
                    index + 1
                ));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(path: &str, text: &str) -> Document {
        Document {
            path: PathBuf::from(path),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_long_file_and_a_long_front_door_are_faults() {
        let long = "\n".repeat(LINES_MAX + 1);
        assert_eq!(faults_of(&document("crates/x/src/a.rs", &long)).len(), 1);
        let door = "\n".repeat(FRONT_DOOR_LINES_MAX + 1);
        assert_eq!(faults_of(&document("crates/x/src/lib.rs", &door)).len(), 1);
        assert_eq!(faults_of(&document("crates/x/src/a.rs", &door)).len(), 0);
    }

    #[test]
    fn leftovers_are_faults_in_rust_files() {
        let text = ["// TO", "DO later\n"].concat();
        assert_eq!(
            faults_of(&document("a.rs", &text)),
            [["a.rs:1: `TO", "DO` left over"].concat()]
        );
        assert!(faults_of(&document("a.md", &text)).is_empty());
    }

    #[test]
    fn a_crate_without_the_lints_of_the_workspace_is_a_fault() {
        let with = "[package]\n\n[lints]\nworkspace = true\n";
        assert!(faults_of(&document("crates/x/Cargo.toml", with)).is_empty());
        assert_eq!(
            faults_of(&document("crates/x/Cargo.toml", "[package]\n")).len(),
            1
        );
    }

    #[test]
    fn a_design_document_says_its_status() {
        assert_eq!(faults_of(&document("design/x.md", "# X\n")).len(), 1);
        assert!(faults_of(&document("design/x.md", "# X\n\nStatus: current\n")).is_empty());
    }

    #[test]
    fn a_path_of_one_machine_is_a_fault_and_a_url_is_none() {
        let path = ["see /ho", "me/me/x"].concat();
        assert_eq!(faults_of(&document("a.md", &path)).len(), 1);
        assert!(faults_of(&document("a.md", "see crates/home/x, https://a.nl/home/x")).is_empty());
    }
}
