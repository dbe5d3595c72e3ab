//! What is wrong with house rules, or deserves a second look: where, and what would be right.

use crate::text::Text;
use serde_json::{Value, json};
use voicelog_model::{Kind, Language};

/// One thing about a file of house rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HouseFinding {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// Id of the rule, where it has one.
    pub rule: Option<String>,
    /// What it is and what would be right, one or two sentences.
    pub text: Text,
}

impl HouseFinding {
    /// `file:line:column: rule: text`.
    #[must_use]
    pub fn in_language(&self, language: Language) -> String {
        let Self {
            file, line, column, ..
        } = self;
        let text = self.text.pick(language);
        match &self.rule {
            Some(rule) => format!("{file}:{line}:{column}: `{rule}`: {text}"),
            None => format!("{file}:{line}:{column}: {text}"),
        }
    }

    /// The same for programs.
    #[must_use]
    pub fn to_json(&self, language: Language) -> Value {
        json!({
            "file": self.file, "line": self.line, "column": self.column, "rule": self.rule,
            "text": self.text.pick(language),
        })
    }
}

/// House rules can't be used. It holds everything that is wrong, in the order of the files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.in_language(Language::En))]
pub struct HouseFaults {
    findings: Vec<HouseFinding>,
}

impl HouseFaults {
    pub(super) fn new(mut findings: Vec<HouseFinding>) -> Self {
        in_order(&mut findings);
        findings.dedup();
        Self { findings }
    }

    /// Everything that is wrong.
    #[must_use]
    pub fn findings(&self) -> &[HouseFinding] {
        &self.findings
    }

    /// One line for each.
    #[must_use]
    pub fn in_language(&self, language: Language) -> String {
        let lines: Vec<_> = self
            .findings
            .iter()
            .map(|finding| finding.in_language(language))
            .collect();
        lines.join("\n")
    }

    /// The kind of trouble: the input is wrong.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        Kind::Invalid
    }
}

/// As somebody reads: file by file, from above to below.
pub(super) fn in_order(findings: &mut [HouseFinding]) {
    findings.sort_by(|left, right| {
        let place = |finding: &HouseFinding| (finding.line, finding.column);
        (&left.file, place(left)).cmp(&(&right.file, place(right)))
    });
}
