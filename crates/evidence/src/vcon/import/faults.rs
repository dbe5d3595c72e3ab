//! What does not hold in a vCon, in words.

use std::fmt;
use voicelog_model::Language;

/// Something that does not hold in a vCon, or that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where: `vcon`, `party 2`, `dialog 0`, `attachment 1`, `signature 0`; counted from 0, as in the
    /// document.
    pub place: String,
    /// What is the matter.
    pub kind: FaultKind,
}

/// What can be the matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// What has to be there is missing, or is no such thing.
    Missing,
    /// A moment that is none.
    Moment,
    /// It names a party, a dialog or a set that is not there.
    Dangling,
    /// Content in an encoding that is not known, or that is not in it.
    Encoding,
    /// The content is not that of its hash.
    Hash,
    /// Something lies elsewhere, and no hash says what.
    Unhashed,
    /// An address that is none, or not of `https`.
    Address,
    /// Content where there can be none, or in more than one place.
    Content,
    /// A lawful basis that cannot be read.
    Basis,
    /// It says to be made from another one in two ways.
    Derived,
    /// The uuid that was signed for is another.
    Uuid,
    /// More than is read.
    TooMany,
}

impl FaultKind {
    /// In words.
    #[must_use]
    pub const fn text(self, language: Language) -> &'static str {
        let (nl, en) = match self {
            Self::Missing => (
                "iets wat er moet zijn ontbreekt, of is niet wat het moet zijn",
                "something that has to be there is missing, or is not what it should be",
            ),
            Self::Moment => ("dit is geen tijdstip", "this is no moment"),
            Self::Dangling => (
                "het verwijst naar iets wat er niet is",
                "it refers to something that is not there",
            ),
            Self::Encoding => (
                "de inhoud staat niet in de vorm die erbij staat",
                "the content is not in the form that it says",
            ),
            Self::Hash => (
                "de inhoud is veranderd: de hash klopt niet",
                "the content was changed: the hash is not its own",
            ),
            Self::Unhashed => (
                "de inhoud ligt elders, en geen hash zegt wat het moet zijn",
                "the content lies elsewhere, and no hash says what it should be",
            ),
            Self::Address => (
                "dit is geen adres met https",
                "this is no address with https",
            ),
            Self::Content => (
                "hier hoort geen inhoud, of de inhoud staat op meer plaatsen",
                "there can be no content here, or it is in more than one place",
            ),
            Self::Basis => (
                "deze grondslag is niet te lezen",
                "this lawful basis cannot be read",
            ),
            Self::Derived => (
                "het zegt op twee manieren dat het van een ander gemaakt is",
                "it says in two ways that it is made from another",
            ),
            Self::Uuid => (
                "de handtekening is voor een andere uuid",
                "the signature is for another uuid",
            ),
            Self::TooMany => (
                "er zijn er meer dan gelezen worden",
                "there are more than are read",
            ),
        };
        language.pick(nl, en)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.kind.text(Language::En))
    }
}

/// Faults while they are gathered.
#[derive(Debug, Default)]
pub(super) struct Faults(pub(super) Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, place: &str, kind: FaultKind) {
        let is_same = |last: &Fault| last.place == place && last.kind == kind;
        // Once is enough, however often one entry has it.
        if !self.0.last().is_some_and(is_same) {
            self.0.push(Fault {
                place: place.to_owned(),
                kind,
            });
        }
    }
}
