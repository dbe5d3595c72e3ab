//! What is wrong with a facts file: every place, and what would be right there.

use crate::text::Text;
use voicelog_model::{Kind, Language};

/// Most findings that one error names; a file with more has other problems.
const FINDINGS_MAX: usize = 50;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The fact, with its field: `openness`, `suspicion.end`; or `line 3, column 7`.
    pub place: String,
    /// What is wrong and what would be right, one clear sentence.
    pub text: Text,
}

/// The facts are bad input. It holds everything that is wrong, not only the first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.in_language(Language::En))]
pub struct FactsError {
    findings: Vec<Finding>,
}

impl FactsError {
    pub(super) fn new(mut findings: Vec<Finding>) -> Self {
        findings.truncate(FINDINGS_MAX);
        Self { findings }
    }

    /// Everything that is wrong, in the order of the file or the table.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// All sentences on one line.
    #[must_use]
    pub fn in_language(&self, language: Language) -> String {
        let sentences: Vec<_> = self
            .findings
            .iter()
            .map(|finding| finding.text.pick(language))
            .collect();
        sentences.join("; ")
    }

    /// The kind of trouble: the input is wrong.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        Kind::Invalid
    }

    /// What to do about it.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        "`voicelog law facts` prints every fact with its values"
    }
}

/// Collects findings while a file is read.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn add(&mut self, place: &str, nl: &str, en: &str) {
        self.0.push(Finding {
            place: place.to_owned(),
            text: Text::new(format!("`{place}`: {nl}"), format!("`{place}`: {en}")),
        });
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_error(self) -> FactsError {
        FactsError::new(self.0)
    }
}

/// A piece of the input, short enough to print.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut shown: String = text
        .chars()
        .filter(|c| !c.is_control())
        .take(LONGEST)
        .collect();
    if text.chars().count() > LONGEST {
        shown.push('…');
    }
    shown
}

/// The word of the list that looks most like the one given, if one looks like it at all.
pub(crate) fn nearest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const ALIKE: f64 = 0.72;
    // No word of ours is as long; what is longer is like none, and costs nothing to say so.
    const LONGEST: usize = 80;
    if given.len() > LONGEST {
        return None;
    }
    let given = given.to_lowercase();
    known
        .map(|word| (strsim::jaro_winkler(&given, word), word))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found_and_a_strange_word_has_none() {
        let known = ["openness", "purpose", "structural"];
        assert_eq!(nearest("opennes", known.into_iter()), Some("openness"));
        assert_eq!(nearest("Purpose", known.into_iter()), Some("purpose"));
        assert_eq!(nearest("zzz", known.into_iter()), None);
        let long = "openness".repeat(1_000);
        assert_eq!(nearest(&long, known.into_iter()), None);
    }
}
