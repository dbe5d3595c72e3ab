//! Links in documents, and the documents that comments in the source point at, exist.

use crate::tidy::Document;
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// Links of one file that lead nowhere.
pub(crate) fn faults(document: &Document, known: &BTreeSet<&Path>) -> Vec<String> {
    let mut faults = Vec::new();
    if document.has_extension("md") {
        for (line, target) in markdown_links(&document.text) {
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") || file.starts_with("mailto:") {
                continue;
            }
            let folder = document.path.parent().unwrap_or(Path::new(""));
            if !exists(&flat(&folder.join(file)), known) {
                faults.push(format!(
                    "{}:{line}: links to `{file}`, which is not there",
                    document.place()
                ));
            }
        }
    }
    if document.has_extension("rs") {
        for (line, target) in documents_named(&document.text) {
            if !exists(Path::new(&target), known) {
                faults.push(format!(
                    "{}:{line}: names `{target}`, which is not there",
                    document.place()
                ));
            }
        }
    }
    faults
}

/// A file of the repository, or a folder with files in it.
pub(crate) fn exists(path: &Path, known: &BTreeSet<&Path>) -> bool {
    known.contains(path) || known.iter().any(|file| file.starts_with(path))
}

/// `a/b/../c` → `a/c`.
fn flat(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            Component::CurDir => {}
            other => out.push(other),
        }
    }
    out
}

/// `[text](target)` outside code blocks, with line numbers from 1.
fn markdown_links(text: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for piece in line.split("](").skip(1) {
            if let Some((target, _)) = piece.split_once(')') {
                links.push((index + 1, target.trim().to_owned()));
            }
        }
    }
    links
}

/// `design/….md`, `ref/….md` and files of the root such as `glossary.md` in comments.
fn documents_named(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let Some(comment) = line.trim_start().strip_prefix("//") else {
            continue;
        };
        let is_end = |c: char| !(c.is_alphanumeric() || "/-_.".contains(c));
        for word in comment.split(is_end) {
            let word = word.trim_end_matches('.');
            let folder = ["design/", "ref/"]
                .iter()
                .any(|start| word.starts_with(start));
            let of_root = matches!(word, "glossary.md" | "ARCHITECTURE.md" | "README.md");
            if (folder && word.ends_with(".md")) || of_root {
                found.push((index + 1, word.to_owned()));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_of(path: &str, text: &str) -> Vec<String> {
        let known: Vec<PathBuf> = ["design/archive.md", "README.md", "ref/config.md"]
            .map(PathBuf::from)
            .into();
        let known = known.iter().map(PathBuf::as_path).collect();
        let document = Document {
            path: PathBuf::from(path),
            text: text.to_owned(),
        };
        faults(&document, &known)
    }

    #[test]
    fn a_link_to_nothing_is_a_fault() {
        let text = "see [a](archive.md), [b](../README.md#top), [c](https://x.nl), [d](no.md)";
        assert_eq!(
            faults_of("design/x.md", text),
            ["design/x.md:1: links to `no.md`, which is not there"]
        );
    }

    #[test]
    fn code_blocks_are_no_links() {
        assert!(faults_of("README.md", "```\nv[0](x.md)\n```\n").is_empty());
    }

    #[test]
    fn a_comment_that_names_a_missing_document_is_a_fault() {
        assert_eq!(faults_of("a.rs", "//! See `design/none.md`.").len(), 1);
        assert!(faults_of("a.rs", "//! See `design/archive.md` and README.md.").is_empty());
        assert!(faults_of("a.rs", "let x = \"design/none.md\";").is_empty());
    }
}
