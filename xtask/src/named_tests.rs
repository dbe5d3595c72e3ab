//! The tests that `ref/pains.md` names exist: a promise that rests on a test rests on nothing when
//! the test has another name by now.

use crate::tidy::Document;
use std::collections::BTreeSet;

const PLACE: &str = "ref/pains.md";
/// Shorter words in backticks are no names of tests.
const NAME_BYTES_MIN: usize = 20;

/// Tests named there that are nowhere, and lines that name none and do not say why.
pub(crate) fn faults(documents: &[Document]) -> Vec<String> {
    let Some(list) = documents.iter().find(|document| document.place() == PLACE) else {
        return vec![format!("{PLACE}: is not there")];
    };
    let there: BTreeSet<&str> = documents.iter().flat_map(tests_of).collect();
    let mut faults = Vec::new();
    for (line, text) in (1..).zip(list.text.lines()) {
        let names: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
        let names: Vec<&str> = names
            .into_iter()
            .filter(|name| is_test_name(name))
            .collect();
        for name in names.iter().filter(|name| !there.contains(*name)) {
            faults.push(format!("{PLACE}:{line}: there is no test `{name}`"));
        }
        let is_pain = text
            .strip_prefix("| ")
            .is_some_and(|row| row.starts_with(|c: char| c.is_ascii_digit()));
        if is_pain && names.is_empty() && !text.contains("**Not yet") {
            faults.push(format!(
                "{PLACE}:{line}: names no test and does not say **Not yet**"
            ));
        }
    }
    faults
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
        let faults = faults(&[document("a.rs", source), document(PLACE, list)]);
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[0].contains(":3: there is no test"));
        assert!(faults[1].contains(":4: names no test"));
    }

    #[test]
    fn without_the_list_there_is_a_fault() {
        assert_eq!(faults(&[]).len(), 1);
    }
}
