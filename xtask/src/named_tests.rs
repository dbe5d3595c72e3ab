//! The tests that `ref/pains.md` and the table of `design/srs.md` name exist: a promise that rests on a
//! test rests on nothing when the test has another name by now.

use crate::tidy::Document;
use std::collections::{BTreeMap, BTreeSet};

/// A list of promises, each with its tests.
struct List {
    place: &'static str,
    /// The heading of the section that is read; nothing: the whole document.
    heading: Option<&'static str>,
    /// Whether a line is a promise, which has to name a test.
    is_promise: fn(&str) -> bool,
    /// What a promise says that has no test.
    excuses: &'static [&'static str],
}

const LISTS: [List; 2] = [
    List {
        place: "ref/pains.md",
        heading: None,
        is_promise: |line| {
            let row = line.strip_prefix("| ").unwrap_or_default();
            row.starts_with(|c: char| c.is_ascii_digit())
        },
        excuses: &["**Not yet"],
    },
    List {
        place: "design/srs.md",
        heading: Some("## What the standards demand, and the test that shows it"),
        is_promise: |line| {
            line.starts_with("| ") && !line.starts_with("| what |") && !line.starts_with("| ---")
        },
        excuses: &["left out", "not needed"],
    },
];
/// Shorter words in backticks are no names of tests.
const NAME_BYTES_MIN: usize = 20;

/// Tests named there that are nowhere, and promises that name none and do not say why.
pub(crate) fn faults(documents: &[Document]) -> Vec<String> {
    let mut there: BTreeMap<&str, Vec<&Document>> = BTreeMap::new();
    for document in documents {
        for name in tests_of(document) {
            there.entry(name).or_default().push(document);
        }
    }
    let lists = LISTS.iter();
    lists
        .flat_map(|list| faults_of(list, documents, &there))
        .collect()
}

fn faults_of(
    list: &List,
    documents: &[Document],
    there: &BTreeMap<&str, Vec<&Document>>,
) -> Vec<String> {
    let place = list.place;
    let Some(document) = documents.iter().find(|document| document.place() == place) else {
        return vec![format!("{place}: is not there")];
    };
    let modules: BTreeSet<&str> = there
        .values()
        .flatten()
        .flat_map(|d| modules_of(d))
        .collect();
    let mut faults = Vec::new();
    let (mut is_inside, mut has_promises) = (list.heading.is_none(), false);
    for (line, text) in (1..).zip(document.text.lines()) {
        if let Some(heading) = list.heading.filter(|_| text.starts_with("## ")) {
            is_inside = text == heading;
        }
        if !is_inside {
            continue;
        }
        let words: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
        let mut names_one = words.iter().any(|word| modules.contains(word));
        for word in words {
            let (module, name) = word.rsplit_once("::").unwrap_or(("", word));
            if !is_test_name(name) {
                continue;
            }
            names_one = true;
            let is_there = there.get(name).is_some_and(|found| {
                module.is_empty() || found.iter().any(|d| modules_of(d).any(|m| m == module))
            });
            if !is_there {
                faults.push(format!("{place}:{line}: there is no test `{word}`"));
            }
        }
        let is_promise = (list.is_promise)(text);
        has_promises |= is_promise;
        if is_promise && !names_one && !list.excuses.iter().any(|excuse| text.contains(excuse)) {
            let excuses = list.excuses.join(" or ");
            faults.push(format!(
                "{place}:{line}: names no test and does not say {excuses}"
            ));
        }
    }
    if !has_promises {
        faults.push(format!("{place}: its table is not there"));
    }
    faults
}

/// By what names a module of tests is called: its file, or for `tests.rs` its folder.
fn modules_of(document: &Document) -> impl Iterator<Item = &str> {
    let stem = document.path.file_stem();
    let folder = document.path.parent().and_then(|folder| folder.file_name());
    [stem, folder]
        .into_iter()
        .flatten()
        .filter_map(|name| name.to_str())
}

fn is_test_name(word: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    word.len() >= NAME_BYTES_MIN && word.contains('_') && word.bytes().all(allowed)
}

/// Functions behind an attribute that ends in `test]`, as rustfmt writes them.
fn tests_of(document: &Document) -> Vec<&str> {
    if !document.has_extension("rs") {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut is_test = false;
    for line in document.text.lines().map(str::trim) {
        let name = line
            .strip_prefix("fn ")
            .or_else(|| line.strip_prefix("async fn "));
        match name.and_then(|rest| rest.split_once('(')) {
            Some((name, _)) if is_test => found.push(name),
            _ if line.starts_with("#[") => {
                is_test |= line.ends_with("test]");
                continue;
            }
            _ if line.starts_with("fn ") || line.is_empty() => {}
            // The arguments of an attribute over several lines.
            _ if is_test => continue,
            _ => {}
        }
        is_test = false;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(path: &str, text: &str) -> Document {
        Document {
            path: path.into(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_named_test_that_is_not_there_and_a_row_without_one_are_faults() {
        let source = "#[test]\n#[cfg(unix)]\nfn calls_are_kept_to_the_packet() {}\nfn calls_are_kept_by_no_test() {}\n";
        let list = "| | a | b |\n| 1 | x | `calls_are_kept_to_the_packet` |\n\
                    | 2 | x | `calls_are_kept_by_no_test` |\n| 3 | x | trust us |\n| 4 | x | **Not yet** |\n";
        let (pains, srs) = (LISTS[0].place, document(LISTS[1].place, SRS));
        let faults = faults(&[document("a.rs", source), document(pains, list), srs]);
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[0].contains(":3: there is no test"));
        assert!(faults[1].contains(":4: names no test"));
    }

    const SRS: &str = "## Other\n| `no_test_but_a_longer_word` |\n\
        ## What the standards demand, and the test that shows it\n| what | from | test |\n| --- | --- | --- |\n\
        | a | RFC 1 | left out |\n";

    #[test]
    fn the_table_of_the_standards_names_tests_with_their_module() {
        let source = "#[test]\nfn calls_are_kept_to_the_packet() {}\n";
        let table = format!(
            "{SRS}| b | RFC 2 | `calls::calls_are_kept_to_the_packet` |\n\
             | c | RFC 3 | `holds::calls_are_kept_to_the_packet` |\n| d | RFC 4 | `calls` |\n\
             | e | RFC 5 | `Contact` |\n## After\n| `calls::calls_are_kept_by_nobody` |\n"
        );
        let pains = document(LISTS[0].place, "| 1 | **Not yet** |\n");
        let faults = faults(&[
            document("crates/srs/tests/it/calls.rs", source),
            pains,
            document(LISTS[1].place, &table),
        ]);
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[0].contains(":8: there is no test `holds::"));
        assert!(faults[1].contains(":10: names no test"));
    }

    #[test]
    fn without_the_lists_and_without_a_table_there_are_faults() {
        assert_eq!(faults(&[]).len(), 2);
        let empty = [document(LISTS[0].place, ""), document(LISTS[1].place, "")];
        assert_eq!(faults(&empty).len(), 2);
    }
}
