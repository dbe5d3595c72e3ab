//! The texts that are part of the program: language, document, first day of the version.

use crate::facts::calendar;
use std::collections::BTreeSet;
use voicelog_model::{Language, Timestamp};

/// One version of a text in one language.
#[derive(Debug, Clone, Copy)]
pub(super) struct File {
    /// The document.
    pub(super) name: &'static str,
    /// First day on which it is used, as a full-date.
    pub(super) version: &'static str,
    /// Where it stands, for messages.
    pub(super) path: &'static str,
    pub(super) text: &'static str,
}

macro_rules! texts {
    ($($name:literal $version:literal),* $(,)?) => {
        &[$((
            texts!(@file "nl/", $name, $version),
            texts!(@file "en/", $name, $version),
        )),*]
    };
    (@file $language:literal, $name:literal, $version:literal) => {
        File {
            name: $name,
            version: $version,
            path: concat!($language, $name, "/", $version, ".txt"),
            text: include_str!(concat!(
                "../../documents/", $language, $name, "/", $version, ".txt"
            )),
        }
    };
}

/// Every version of every text, in Dutch and in English.
pub(super) const FILES: &[(File, File)] = texts![
    "announcement" "2026-09-29",
    "staff-notice" "2026-09-29",
    "privacy-statement" "2026-09-29",
    "weighing" "2026-09-29",
    "works-council" "2026-09-29",
    "register-entry" "2026-09-29",
    "refusal" "2026-09-29",
    "house-rules" "2026-09-29",
    "checklist" "2026-09-29",
    "minutes" "2026-09-29",
    "request" "2026-09-29",
    "destruction" "2026-09-29",
    "words" "2026-09-29",
];

/// The files in one language.
pub(super) fn files(language: Language) -> impl Iterator<Item = File> {
    FILES.iter().map(move |(nl, en)| match language {
        Language::Nl => *nl,
        Language::En => *en,
    })
}

/// The youngest version of each text that is not after the day of `at`.
pub(super) fn in_force(language: Language, at: Timestamp) -> impl Iterator<Item = File> {
    let today = calendar::day_of(at).to_string();
    let known: Vec<File> = files(language)
        .filter(|file| *file.version <= *today)
        .collect();
    let youngest = known.clone();
    known.into_iter().filter(move |file| {
        let later = |other: &File| other.name == file.name && other.version > file.version;
        !youngest.iter().any(later)
    })
}

/// The names of all texts, each once.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let names: BTreeSet<_> = FILES.iter().map(|(nl, _)| nl.name).collect();
    names.into_iter()
}
