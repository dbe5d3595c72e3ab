//! Particulars: what a document needs and the law does not ask for. The name of the organisation,
//! whom to turn to, a date. Given by the person who makes the document; never stored, never
//! guessed.

use crate::facts::calendar;
use crate::text::{Bilingual, Text};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use voicelog_model::{Kind, Language};

/// Longest particular in characters.
const CHARACTERS_MAX: usize = 2_000;
/// Largest file of particulars in bytes.
const BYTES_MAX: usize = 64 * 1_024;

/// How a particular is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParticularKind {
    /// One line.
    Line,
    /// Several lines.
    Lines,
    /// A full-date: `2026-11-21`.
    Day,
    /// A web address that starts with `https://` or `http://`.
    Address,
}

/// One particular that can be given.
#[derive(Debug, Clone, Copy)]
pub struct Particular {
    /// The key.
    pub id: &'static str,
    /// What it is, in a few words.
    pub label: Bilingual,
    /// How it is written.
    pub kind: ParticularKind,
}

const fn particular(
    id: &'static str,
    kind: ParticularKind,
    nl: &'static str,
    en: &'static str,
) -> Particular {
    Particular {
        id,
        label: Bilingual { nl, en },
        kind,
    }
}

/// Every particular, in the order in which a form asks for them.
pub(super) const ALL: &[Particular] = &[
    particular(
        "organisation",
        ParticularKind::Line,
        "naam van de organisatie",
        "name of the organisation",
    ),
    particular(
        "sender",
        ParticularKind::Line,
        "naam van wie schrijft of vraagt",
        "name of the one who writes or asks",
    ),
    particular(
        "recipient",
        ParticularKind::Line,
        "naam van de geadresseerde",
        "name of the addressee",
    ),
    particular(
        "contact",
        ParticularKind::Line,
        "e-mail, telefoon of adres voor vragen",
        "e-mail, telephone or address for questions",
    ),
    particular(
        "officer",
        ParticularKind::Line,
        "functionaris voor gegevensbescherming, met contactgegevens",
        "data protection officer, with contact details",
    ),
    particular(
        "privacy_url",
        ParticularKind::Address,
        "webadres van de privacyverklaring",
        "web address of the privacy statement",
    ),
    particular(
        "subject",
        ParticularKind::Line,
        "onderwerp van het gesprek",
        "subject of the talk",
    ),
    particular(
        "talk_day",
        ParticularKind::Day,
        "dag van het gesprek",
        "day of the talk",
    ),
    particular("place", ParticularKind::Line, "plaats", "place"),
    particular(
        "present",
        ParticularKind::Line,
        "wie erbij zijn",
        "who take part",
    ),
    particular(
        "start_day",
        ParticularKind::Day,
        "dag waarop het opnemen begint",
        "day on which recording starts",
    ),
    particular(
        "signal",
        ParticularKind::Line,
        "hoe personeel merkt dat er wordt opgenomen",
        "how staff notice that it is recorded",
    ),
    particular(
        "listeners",
        ParticularKind::Line,
        "wie mogen luisteren",
        "who may listen",
    ),
    particular(
        "recipients",
        ParticularKind::Line,
        "wie de opname verder krijgen",
        "who else gets the recording",
    ),
    particular(
        "term_reason",
        ParticularKind::Lines,
        "waarom zo lang en niet korter",
        "why so long and not shorter",
    ),
    particular("reason", ParticularKind::Lines, "de reden", "the reason"),
    particular(
        "alternative",
        ParticularKind::Lines,
        "wat u in plaats daarvan aanbiedt",
        "what you offer instead",
    ),
    particular(
        "description",
        ParticularKind::Lines,
        "om welke opnamen het gaat",
        "which recordings it concerns",
    ),
    particular(
        "manner",
        ParticularKind::Line,
        "hoe er wordt vernietigd",
        "how they are destroyed",
    ),
    particular(
        "signed_by",
        ParticularKind::Line,
        "naam van wie tekent",
        "name of the one who signs",
    ),
];

/// The particular with this key.
pub(super) fn find(id: &str) -> Option<&'static Particular> {
    ALL.iter().find(|particular| particular.id == id)
}

/// The particulars are bad input: every place, and what would be right there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.in_language(Language::En))]
pub struct ParticularsError {
    findings: Vec<(String, Text)>,
}

impl ParticularsError {
    /// Every key at fault, with what would be right.
    #[must_use]
    pub fn findings(&self) -> &[(String, Text)] {
        &self.findings
    }

    /// All sentences on one line.
    #[must_use]
    pub fn in_language(&self, language: Language) -> String {
        let sentences: Vec<_> = self
            .findings
            .iter()
            .map(|(place, text)| format!("`{place}`: {}", text.pick(language)))
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
        "`voicelog law document --json` lists the particulars of every document"
    }
}

/// The particulars given for one document. What is not given becomes a line to fill in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Particulars(BTreeMap<&'static str, String>);

impl Particulars {
    /// Reads a JSON object whose keys are those of [`Particular`] and whose values are texts.
    ///
    /// # Errors
    /// Everything that is wrong with it: no JSON object, an unknown key, an empty or too long
    /// text, something that is no date or address.
    pub fn parse(json: &[u8]) -> Result<Self, ParticularsError> {
        let one = |found| ParticularsError {
            findings: vec![found],
        };
        if json.len() > BYTES_MAX {
            let wrong = Text::new("groter dan 64 kB", "larger than 64 kB");
            return Err(one(("particulars".to_owned(), wrong)));
        }
        let map = crate::facts::read_object(json, "particulars").map_err(one)?;
        Self::from_map(&map)
    }

    /// Reads particulars that are already a JSON object.
    ///
    /// # Errors
    /// As [`Particulars::parse`].
    pub fn from_map(map: &Map<String, Value>) -> Result<Self, ParticularsError> {
        let mut read = BTreeMap::new();
        let mut findings = Vec::new();
        for (key, value) in map {
            let checked = match (find(key), value) {
                (None, _) => Err(unknown(key)),
                (Some(particular), Value::String(text)) => {
                    checked(particular.kind, text).map(|text| (particular.id, text))
                }
                (Some(_), _) => Err(Text::new("moet een tekst zijn", "must be a string")),
            };
            match checked {
                Ok((id, text)) => {
                    read.insert(id, text);
                }
                Err(wrong) => findings.push((crate::facts::shown(key), wrong)),
            }
        }
        if findings.is_empty() {
            Ok(Self(read))
        } else {
            Err(ParticularsError { findings })
        }
    }

    /// One of them, if it was given.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(String::as_str)
    }

    pub(super) fn set_if_missing(&mut self, id: &'static str, text: &str) {
        self.0.entry(id).or_insert_with(|| text.to_owned());
    }
}

fn unknown(key: &str) -> Text {
    match crate::facts::nearest(key, ALL.iter().map(|particular| particular.id)) {
        Some(near) => Text::new(
            format!("bestaat niet; bedoelt u `{near}`?"),
            format!("does not exist; did you mean `{near}`?"),
        ),
        None => {
            let known: Vec<_> = ALL.iter().map(|particular| particular.id).collect();
            let known = known.join(", ");
            Text::new(
                format!("bestaat niet; wel: {known}"),
                format!("does not exist; these do: {known}"),
            )
        }
    }
}

/// The text as it goes into the document, or what is wrong with it.
fn checked(kind: ParticularKind, text: &str) -> Result<String, Text> {
    let text = text.replace("\r\n", "\n").trim().to_owned();
    if text.is_empty() {
        return Err(Text::new(
            "is leeg; laat de sleutel weg als u het niet weet",
            "is empty; leave the key out where you do not know",
        ));
    }
    if text.chars().count() > CHARACTERS_MAX {
        return Err(Text::new(
            format!("langer dan {CHARACTERS_MAX} tekens"),
            format!("longer than {CHARACTERS_MAX} characters"),
        ));
    }
    let may_break = kind == ParticularKind::Lines;
    if text
        .chars()
        .any(|c| c.is_control() && !(may_break && c == '\n'))
    {
        return Err(Text::new(
            "bevat een regeleinde of een ander stuurteken",
            "holds a line break or another control character",
        ));
    }
    match kind {
        ParticularKind::Day if calendar::day(&text).is_none() => Err(Text::new(
            "is geen datum zoals 2026-11-21",
            "is not a date such as 2026-11-21",
        )),
        ParticularKind::Address if !is_address(&text) => Err(Text::new(
            "is geen webadres dat begint met https:// of http://",
            "is not a web address that starts with https:// or http://",
        )),
        _ => Ok(text),
    }
}

fn is_address(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !text.contains(char::is_whitespace))
}
