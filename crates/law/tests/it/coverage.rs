//! `coverage.md` says the truth as far as a test can tell: no row is missing, and what it names is
//! there.

use crate::common::{decided, rulebook};
use crate::rules::shows;
use serde_json::Value;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use voicelog_law::{Rulebook, facts_schema};

/// Every number that has to be there, in order. The gaps are those of the lists they come from.
const NUMBERS: &[(char, RangeInclusive<u32>)] = &[
    ('R', 1..=118),
    ('L', 1..=14),
    ('L', 20..=65),
    ('L', 70..=94),
    ('L', 100..=107),
    ('L', 110..=118),
];

/// Where the addresses of pages stand in the source.
const ROUTES: &[&str] = &[
    "crates/web/src/routes.rs",
    "crates/web/src/pages/interview.rs",
];

/// One row of the tables.
struct Row<'a> {
    id: &'a str,
    what: &'a str,
    by: &'a str,
    shown_by: &'a str,
}

/// A thing that `by` names in backticks.
enum Named<'a> {
    Page(&'a str),
    File(&'a str),
    Rule(&'a str),
    Fact(&'a str),
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn document() -> String {
    read(&root().join("crates/law/coverage.md"))
}

/// The rows of both tables; a line that looks like one but has another number of columns fails.
fn rows(document: &str) -> Vec<Row<'_>> {
    let lines = document
        .lines()
        .filter(|line| line.starts_with("| R") || line.starts_with("| L"));
    lines
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [id, what, by, shown_by] = cells[..] else {
                panic!("not four columns: {line}");
            };
            Row {
                id,
                what,
                by,
                shown_by,
            }
        })
        .collect()
}

fn in_backticks(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn named(by: &str) -> Vec<Named<'_>> {
    let mut all = Vec::new();
    for words in in_backticks(by) {
        all.push(match words {
            page if page.starts_with('/') => Named::Page(page),
            file if file.contains('/') => Named::File(file),
            rule if rule.contains('.') => Named::Rule(rule),
            fact => Named::Fact(fact),
        });
    }
    all
}

fn rules(by: &str) -> Vec<&str> {
    let rule = |named| match named {
        Named::Rule(rule) => Some(rule),
        _ => None,
    };
    named(by).into_iter().filter_map(rule).collect()
}

#[test]
fn every_number_has_one_row_in_order() {
    let document = document();
    let ids: Vec<&str> = rows(&document).iter().map(|row| row.id).collect();
    let wanted: Vec<String> = NUMBERS
        .iter()
        .flat_map(|(letter, numbers)| numbers.clone().map(move |n| format!("{letter}{n:02}")))
        .collect();
    assert_eq!(ids, wanted);
}

#[test]
fn every_row_is_covered_and_shown_or_says_why_not() {
    let document = document();
    let (mut whole, mut in_part, mut not_yet) = (0, 0, 0);
    for row in rows(&document) {
        let id = row.id;
        let words = row.what.split_whitespace().count();
        assert!((1..=15).contains(&words), "{id}: {words} words");
        if let Some(reason) = row.by.strip_prefix("not yet:") {
            assert!(!reason.trim().is_empty(), "{id}: not yet, and why?");
            assert_eq!(row.shown_by, "", "{id}: nothing there can be shown");
            not_yet += 1;
            continue;
        }
        let (there, lacks) = row.by.split_once("; lacks ").unwrap_or((row.by, ""));
        assert!(!named(there).is_empty(), "{id}: by what?");
        assert!(in_backticks(row.shown_by).next().is_some(), "{id}: shown?");
        if row.by.contains("lacks") {
            assert!(!lacks.trim().is_empty(), "{id}: lacks what?");
            in_part += 1;
        } else {
            whole += 1;
        }
    }
    let all = whole + in_part + not_yet;
    let counts =
        format!("Of {all} rows {whole} are covered, {in_part} in part, {not_yet} not yet.");
    assert!(document.contains(&counts), "the top has to say: {counts}");
}

#[test]
fn what_makes_a_row_work_is_there() {
    let document = document();
    let later = Rulebook::embedded("2027-12-02T12:00:00Z".parse().unwrap()).unwrap();
    let schema = facts_schema();
    let routes: String = ROUTES.iter().map(|path| read(&root().join(path))).collect();
    for row in rows(&document) {
        for named in named(row.by) {
            let (is_there, words) = match named {
                Named::Page(page) => (routes.contains(&format!("\"{page}\"")), page),
                Named::File(file) => (root().join(file).is_file(), file),
                // A rule that is known and starts later has its row already.
                Named::Rule(rule) => {
                    let known = rulebook().rule(rule).or_else(|| later.rule(rule));
                    (known.is_some(), rule)
                }
                Named::Fact(fact) => (schema["properties"].get(fact).is_some(), fact),
            };
            assert!(is_there, "{}: there is no `{words}`", row.id);
        }
    }
}

#[test]
fn what_shows_a_row_is_there_and_shows_it() {
    let document = document();
    let cases = root().join("crates/law/tests/cases");
    for row in rows(&document) {
        let (id, rules) = (row.id, rules(row.by));
        let mut source = None;
        for words in in_backticks(row.shown_by) {
            let case = cases.join(format!("{words}.json"));
            if words == "rules.json" {
                // Its own test sees to it that no rule is left out there.
                assert!(!rules.is_empty(), "{id}: names no rule");
            } else if words.contains('/') {
                source = Some(read(&root().join(words)));
            } else if case.is_file() {
                let case: Value = serde_json::from_str(&read(&case)).unwrap();
                let decision = decided(&case["facts"]);
                let shown = rules.iter().any(|rule| shows(&decision, rule));
                assert!(shown, "{id}: {words} shows none of {rules:?}");
            } else {
                let source = source.as_deref().unwrap_or_default();
                assert!(
                    source.contains(&format!("fn {words}(")),
                    "{id}: `{words}` is neither a case nor a test of the file before it"
                );
            }
        }
    }
}
