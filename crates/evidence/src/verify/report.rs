//! What a check found, in words.

use super::outcome::Outcome;
use std::error::Error;
use voicelog_model::{Language, error::chain};

/// What was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// The ZIP file is in its one form, byte for byte.
    Container,
    /// The files are those of the signed list, with their hashes.
    Files,
    /// The list is signed.
    Signature,
    /// Whose key signed it.
    Key,
    /// The original is what the manifest says.
    Original,
    /// The timeline is the one that the original gives.
    Timeline,
    /// The sound is the one that the original gives.
    Sound,
    /// What is left out of a copy of a part is what it says, and nothing else is.
    Scope,
    /// The statement of completeness is the one that all this gives.
    Completeness,
    /// The vCon is the one that all this gives, and its signature holds under the certificate in it.
    Vcon,
    /// The decision is the one that the manifest names.
    Decision,
    /// Another clock than the archive's says when the log held it.
    Timestamp,
    /// The recording is in the archive's log.
    Log,
    /// Others signed the log too.
    Witnesses,
    /// The log says of it what it said when somebody got a receipt.
    Receipt,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// As it should be.
    Ok,
    /// Nothing is wrong, but the reader must know.
    Warning,
    /// Broken: changed, missing or contradictory.
    Broken,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was checked.
    pub check: Check,
    /// Whether it holds; a warning holds.
    pub ok: bool,
    /// How bad it is.
    pub severity: Severity,
    /// Where: the name of a file, or `ZIP` for the container.
    pub place: String,
    /// In Dutch.
    pub text_nl: String,
    /// In English.
    pub text_en: String,
}

/// Something that a reader wants to know of the recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What, in Dutch.
    pub name_nl: &'static str,
    /// What, in English.
    pub name_en: &'static str,
    /// Its value, in Dutch.
    pub value_nl: String,
    /// Its value, in English.
    pub value_en: String,
}

/// The result of checking a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What was found, in the order of checking. Every check that could be made is in it.
    pub findings: Vec<Finding>,
    /// What the bundle says of the recording. Believe it only where the report holds.
    pub facts: Vec<Fact>,
    /// What it is a bundle of, whether that is proven or not.
    pub(super) outcome: Option<Outcome>,
}

impl Report {
    pub(super) fn new(findings: Findings, facts: Vec<Fact>, outcome: Option<Outcome>) -> Self {
        Self {
            findings: findings.0,
            facts,
            outcome,
        }
    }

    /// Whether nothing is broken. A report without a single finding does not hold.
    #[must_use]
    pub fn holds(&self) -> bool {
        !self.findings.is_empty() && self.findings.iter().all(|finding| finding.ok)
    }

    /// The worst that was found.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.findings
            .iter()
            .map(|finding| finding.severity)
            .max()
            .unwrap_or(Severity::Broken)
    }

    /// What is broken.
    pub fn broken(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| !finding.ok)
    }

    /// The report as lines of text: findings, then facts. Where something is broken the facts are
    /// claims only, and a line above them says so.
    #[must_use]
    pub fn lines(&self, language: Language) -> Vec<String> {
        let finding = |finding: &Finding| {
            let mark = match finding.severity {
                Severity::Ok => "ok ",
                Severity::Warning => " ! ",
                Severity::Broken => "XX ",
            };
            format!(
                "{mark} {}: {}",
                finding.place,
                language.pick(&finding.text_nl, &finding.text_en)
            )
        };
        let fact = |fact: &Fact| {
            let name = language.pick(fact.name_nl, fact.name_en);
            format!(
                "    {name}: {}",
                language.pick(&fact.value_nl, &fact.value_en)
            )
        };
        let unproven = language.pick(
            "De bundel beweert het volgende; bewezen is het NIET:",
            "The bundle claims the following; it is NOT proven:",
        );
        let warned = !self.holds() && !self.facts.is_empty();
        self.findings
            .iter()
            .map(finding)
            .chain(warned.then(|| unproven.to_owned()))
            .chain(self.facts.iter().map(fact))
            .collect()
    }
}

/// A sentence in both languages.
pub(super) type Text = (&'static str, &'static str);

pub(super) const CONTAINER_BROKEN: Text = (
    "het ZIP-bestand is niet meer zoals het geschreven is; is het uitgepakt en opnieuw ingepakt, \
     controleer dan het bestand zoals het gegeven is",
    "the ZIP file is not as it was written; if it was unpacked and packed again, check the file as \
     it was given",
);

/// Findings while they are gathered.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn ok(&mut self, check: Check, place: &str, text: Text) {
        self.push(
            check,
            Severity::Ok,
            place,
            text.0.to_owned(),
            text.1.to_owned(),
        );
    }

    pub(super) fn warn(&mut self, check: Check, place: &str, text: Text) {
        self.push(
            check,
            Severity::Warning,
            place,
            text.0.to_owned(),
            text.1.to_owned(),
        );
    }

    /// As [`Self::warn`], in words that are made.
    pub(super) fn warn_of(&mut self, check: Check, place: &str, nl: String, en: String) {
        self.push(check, Severity::Warning, place, nl, en);
    }

    /// Notes something broken, with the technical cause where there is one.
    pub(super) fn broken(
        &mut self,
        check: Check,
        place: &str,
        text: Text,
        cause: Option<&dyn Error>,
    ) {
        let with_cause = |text: &str, word: &str| match cause {
            Some(error) => format!("{text} ({word}: {})", chain(error)),
            None => text.to_owned(),
        };
        let (nl, en) = (with_cause(text.0, "technisch"), with_cause(text.1, "cause"));
        self.push(check, Severity::Broken, place, nl, en);
    }

    /// Notes whether something holds, with a text for either case.
    pub(super) fn expect(&mut self, holds: bool, check: Check, place: &str, good: Text, bad: Text) {
        if holds {
            self.ok(check, place, good)
        } else {
            self.broken(check, place, bad, None)
        }
    }

    /// Puts what was found beside it behind.
    pub(super) fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }

    /// Whether nothing of this check is broken so far.
    pub(super) fn holds(&self, check: Check) -> bool {
        !self
            .0
            .iter()
            .any(|finding| finding.check == check && !finding.ok)
    }

    /// Whether nothing at all is broken so far.
    pub(super) fn all_hold(&self) -> bool {
        self.0.iter().all(|finding| finding.ok)
    }

    fn push(
        &mut self,
        check: Check,
        severity: Severity,
        place: &str,
        text_nl: String,
        text_en: String,
    ) {
        let ok = severity != Severity::Broken;
        self.0.push(Finding {
            check,
            ok,
            severity,
            place: place.to_owned(),
            text_nl,
            text_en,
        });
    }
}
