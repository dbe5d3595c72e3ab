//! The table of facts: the one definition of names, values, meanings, and of what a missing fact
//! does. The parser, the JSON Schema, the schema of the rules and the interview all read it.

mod act;
mod content;
mod conversation;
mod ground;
mod regime;

use super::name;
use crate::text::Bilingual;

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    /// Number of the row: `1`, `20b` …
    pub row: &'static str,
    /// The key in a facts file.
    pub name: &'static str,
    /// Which values it takes.
    pub shape: Shape,
    /// What happens when the key is missing, in the order in which it is looked at.
    pub missing: &'static [Missing],
    /// What the fact says.
    pub meaning: Bilingual,
    /// JSON values that stand for all others when we try what a missing fact could change.
    /// Empty: they follow from the shape.
    pub trials: &'static [&'static str],
}

/// Which values a fact takes.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// One word of a list.
    Word(&'static [&'static str]),
    /// A set of words of a list, with at least so many.
    Words(&'static [&'static str], usize),
    /// True or false.
    Flag,
    /// A whole number, both ends included.
    Whole(i64, i64),
    /// A number above 0 and below 1.
    Share,
    /// Free text, not empty.
    Text,
    /// A reference, or the word `none` for "known not to exist".
    Reference,
    /// A web address, or the word `none`.
    Address,
    /// An RFC 3339 date-time with an offset.
    Moment,
    /// An RFC 3339 date-time with an offset that is not later than now.
    PastMoment,
    /// An RFC 3339 full-date.
    Day,
    /// An ISO 8601 duration in years, months, weeks or days, or the word `unlimited`.
    Term,
    /// An ISO 3166-1 alpha-2 code.
    Country,
    /// A set of such codes, not empty; `ZZ` = asked and not known.
    Countries,
    /// A BCP 47 language tag.
    LanguageTag,
    /// A consent per participant: pseudonym or role to consent.
    Consents,
    /// A list of texts; order means nothing to the rules, doubles are allowed.
    Texts,
    /// A set of ids of people, at most so many.
    Names(usize),
    /// An object with these fields, each of which may be missing.
    Object(&'static [Field]),
}

/// One field of an object fact.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its key.
    pub name: &'static str,
    /// Its values; never an object.
    pub shape: Shape,
}

/// What a missing fact does, and when.
#[derive(Debug, Clone, Copy)]
pub struct Missing {
    /// What it does.
    pub effect: Effect,
    /// In which situation; empty = always.
    pub when: Bilingual,
}

/// What a missing fact does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The act is refused as an unknown criminal fact (R).
    RefuseCriminal,
    /// The act is refused on privacy (F).
    RefusePrivacy,
    /// A named human decides (H).
    AskHuman,
    /// A duty with `met: null` is attached (D).
    Duty,
    /// This value is taken (=x).
    Take(&'static str),
    /// No effect on the outcome (–).
    Nothing,
    /// The facts are bad input.
    InputError,
}

impl Effect {
    /// The letter of the table.
    #[must_use]
    pub const fn letter(self) -> &'static str {
        match self {
            Self::RefuseCriminal => "R",
            Self::RefusePrivacy => "F",
            Self::AskHuman => "H",
            Self::Duty => "D",
            Self::Take(_) => "=",
            Self::Nothing => "-",
            Self::InputError => "error",
        }
    }
}

impl Definition {
    const fn new(row: &'static str, name: &'static str, shape: Shape) -> Self {
        Self {
            row,
            name,
            shape,
            missing: &[],
            meaning: Bilingual { nl: "", en: "" },
            trials: &[],
        }
    }

    const fn missing(mut self, missing: &'static [Missing]) -> Self {
        self.missing = missing;
        self
    }

    const fn means(mut self, nl: &'static str, en: &'static str) -> Self {
        self.meaning = Bilingual { nl, en };
        self
    }

    const fn tried_with(mut self, trials: &'static [&'static str]) -> Self {
        self.trials = trials;
        self
    }

    /// The value that stands in always when the fact is missing, if there is one.
    #[must_use]
    pub fn default_value(&self) -> Option<&'static str> {
        match self.missing {
            [
                Missing {
                    effect: Effect::Take(value),
                    when,
                },
            ] if when.en.is_empty() => Some(value),
            _ => None,
        }
    }
}

const fn field(name: &'static str, shape: Shape) -> Field {
    Field { name, shape }
}

const fn always(effect: Effect) -> Missing {
    Missing {
        effect,
        when: Bilingual { nl: "", en: "" },
    }
}

const fn when(effect: Effect, nl: &'static str, en: &'static str) -> Missing {
    Missing {
        effect,
        when: Bilingual { nl, en },
    }
}

const fn take(value: &'static str) -> Missing {
    always(Effect::Take(value))
}

/// The words that more than one fact uses.
pub(crate) mod words {
    /// Who records.
    pub(crate) const RECORDERS: &[&str] = &[
        "private_person",
        "citizen",
        "employee",
        "self_employed",
        "company",
        "employer",
        "government_body",
        "care_provider",
        "interest_group",
        "journalist",
    ];
    /// Who is heard besides the recorder.
    pub(crate) const COUNTERPARTS: &[&str] = &[
        "private_person",
        "citizen",
        "employee",
        "self_employed",
        "company",
        "employer",
        "government_body",
        "care_provider",
        "interest_group",
        "journalist",
        "minor",
        "relative",
        "patient",
        "works_council_member",
        "lawyer",
        "member",
    ];
    /// What a recording is for. The Dutch words are terms of art, used in registers.
    pub(crate) const PURPOSES: &[&str] = &[
        "bewijs_overeenkomst",
        "wettelijke_plicht",
        "kwaliteit_training",
        "controle_medewerker",
        "eigen_gebruik_bewijs",
        "dossier_overheid",
        "veiligheid_noodhulp",
        "notulen_verslag",
        "klacht",
        "onderzoek",
        "journalistiek",
        "klokkenluider",
        "overig",
    ];
    /// What a recording may be used for later.
    pub(crate) const LATER_PURPOSES: &[&str] = &[
        "bewijs_overeenkomst",
        "wettelijke_plicht",
        "kwaliteit_training",
        "controle_medewerker",
        "eigen_gebruik_bewijs",
        "dossier_overheid",
        "veiligheid_noodhulp",
        "notulen_verslag",
        "klacht",
        "onderzoek",
        "journalistiek",
        "klokkenluider",
        "overig",
        "personeelsmaatregel",
        "rechtsvordering",
    ];
    /// The states of one person's consent.
    pub(crate) const CONSENTS: &[&str] = &[
        "given",
        "given_explicit",
        "given_by_guardian",
        "refused",
        "withdrawn",
        "none",
    ];
    /// The acts, in the words of `voicelog_model::Action`.
    pub(crate) const ACTS: &[&str] = &[
        "record",
        "listen_live",
        "keep",
        "listen",
        "transcribe",
        "analyse_ai",
        "share",
        "publish",
        "use_for",
        "file_in_court",
        "give_copy",
        "destroy",
        "import_file",
        "refuse_recording",
        "call",
    ];
}

/// Every fact, in the order of the table.
pub fn definitions() -> impl Iterator<Item = &'static Definition> {
    [
        conversation::ROWS,
        ground::ROWS,
        content::ROWS,
        act::ROWS,
        regime::ROWS,
    ]
    .into_iter()
    .flatten()
}

/// The fact of that name.
#[must_use]
pub(crate) fn definition(name: &str) -> Option<&'static Definition> {
    definitions().find(|definition| definition.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use voicelog_model::Action;

    #[test]
    fn the_table_has_every_row_once_and_explains_each_in_both_languages() {
        let rows: Vec<_> = definitions().collect();
        // 64 numbered rows, and 20b, 22b, 23b, 29b, 35b, 36b, 42b and 42c.
        assert_eq!(rows.len(), 72);
        let names: BTreeSet<_> = rows.iter().map(|row| row.name).collect();
        let numbers: BTreeSet<_> = rows.iter().map(|row| row.row).collect();
        assert_eq!((names.len(), numbers.len()), (72, 72));
        for row in rows {
            assert!(!row.meaning.nl.is_empty(), "{} has no Dutch", row.name);
            assert!(!row.meaning.en.is_empty(), "{} has no English", row.name);
            assert!(!row.missing.is_empty(), "{}: missing does what?", row.name);
        }
    }

    #[test]
    fn the_acts_are_the_acts_of_the_house() {
        let ours: Vec<_> = Action::ALL.iter().map(|act| act.as_str()).collect();
        assert_eq!(words::ACTS, ours);
    }

    #[test]
    fn the_longer_lists_hold_the_shorter_ones() {
        let holds = |long: &[&str], short: &[&str]| short.iter().all(|word| long.contains(word));
        assert!(holds(words::COUNTERPARTS, words::RECORDERS));
        assert!(holds(words::LATER_PURPOSES, words::PURPOSES));
    }
}
