//! What a question is: its words, its answers, and the facts that each answer settles.

use crate::facts::Facts;
use crate::text::Bilingual;

/// One question of the interview.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    /// Stable name, used in forms and on the command line.
    pub id: &'static str,
    /// The question.
    pub asks: Bilingual,
    /// Why the law needs to know.
    pub because: Bilingual,
    /// How it is answered.
    pub form: Form,
    /// Other words for some acts.
    pub(crate) reworded: &'static [(Applies, Bilingual)],
    /// Whether it makes sense here at all.
    pub(crate) only: Applies,
    /// Whether "I do not know" is an answer.
    pub(crate) unknown: bool,
    /// Whether at least one of the list has to be taken: it is asked because of one.
    pub(crate) at_least_one: bool,
    /// Changes no outcome, only advice: asked on wish.
    pub(crate) extra: bool,
}

/// Whether something fits what is known so far.
pub(crate) type Applies = fn(&Facts) -> bool;

/// How a question is answered.
#[derive(Debug, Clone, Copy)]
pub enum Form {
    /// One of these.
    One(&'static [Choice]),
    /// Any of these, or none.
    Several(&'static [Choice]),
    /// Values that are typed.
    Fields(&'static [Entry]),
}

/// One answer of a list.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    /// Stable name within its question.
    pub id: &'static str,
    /// What it says.
    pub label: Bilingual,
    /// The facts that follow from choosing it.
    pub(crate) sets: &'static [Settles],
    /// The facts that follow from not choosing it, in a list where several can be chosen.
    pub(crate) otherwise: &'static [Settles],
    /// Facts that choosing it leaves open, for a question that follows.
    pub(crate) opens: &'static [&'static str],
    /// Whether it makes sense here.
    pub(crate) only: Applies,
}

/// A fact and its value as JSON. `None`: asked, and stays out of the facts.
pub(crate) type Settles = (&'static str, Option<&'static str>);

/// One value to type.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Stable name within its question.
    pub id: &'static str,
    /// What to type.
    pub label: Bilingual,
    /// Which kind of value.
    pub kind: EntryKind,
    /// The fact, and the field of an object fact.
    pub(crate) fact: &'static str,
    pub(crate) field: Option<&'static str>,
}

/// Kinds of values that are typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A day: `2026-11-21`.
    Day,
    /// A day that becomes the moment at which it begins in Amsterdam.
    MomentOfDay,
    /// A term: `P30D`, `P6M`, or `unlimited`.
    Term,
    /// The name of a statute or document, or `none`.
    Reference,
}

/// Fits always.
pub(crate) fn always(_: &Facts) -> bool {
    true
}

impl Question {
    pub(crate) const fn new(
        id: &'static str,
        (nl, en): (&'static str, &'static str),
        (why_nl, why_en): (&'static str, &'static str),
        form: Form,
    ) -> Self {
        Self {
            id,
            asks: Bilingual { nl, en },
            because: Bilingual {
                nl: why_nl,
                en: why_en,
            },
            form,
            reworded: &[],
            only: always,
            unknown: !matches!(form, Form::Several(_)),
            at_least_one: false,
            extra: false,
        }
    }

    /// A list that is asked because one of it fits.
    pub(crate) const fn at_least_one(mut self) -> Self {
        self.at_least_one = true;
        self
    }

    /// One that must be answered.
    pub(crate) const fn needed(mut self) -> Self {
        self.unknown = false;
        self
    }

    /// A list of which somebody may not know whether any holds.
    pub(crate) const fn or_unknown(mut self) -> Self {
        self.unknown = true;
        self
    }

    pub(crate) const fn reworded(mut self, reworded: &'static [(Applies, Bilingual)]) -> Self {
        self.reworded = reworded;
        self
    }

    pub(crate) const fn only(mut self, only: Applies) -> Self {
        self.only = only;
        self
    }

    pub(crate) const fn extra(mut self) -> Self {
        self.extra = true;
        self
    }

    /// The question in the words that fit these facts.
    #[must_use]
    pub(crate) fn words(&self, facts: Option<&Facts>) -> Bilingual {
        let fits = |(applies, _): &&(Applies, Bilingual)| facts.is_some_and(applies);
        self.reworded
            .iter()
            .find(fits)
            .map_or(self.asks, |(_, words)| *words)
    }

    /// The choices, if it has a list.
    #[must_use]
    pub const fn choices(&self) -> &'static [Choice] {
        match self.form {
            Form::One(choices) | Form::Several(choices) => choices,
            Form::Fields(_) => &[],
        }
    }

    /// Every fact that its answers settle or open, with doubles.
    pub(crate) fn facts(&self) -> Vec<&'static str> {
        match self.form {
            Form::One(choices) | Form::Several(choices) => {
                choices.iter().flat_map(|choice| choice.facts()).collect()
            }
            Form::Fields(entries) => entries.iter().map(|entry| entry.fact).collect(),
        }
    }

    /// The facts that it is about: of one choice out of many those that every choice speaks of.
    pub(crate) fn asks_for(&self) -> Vec<&'static str> {
        let mut facts = self.facts();
        if let Form::One(choices) = self.form {
            facts.retain(|fact| {
                let speaks = |choice: &Choice| choice.facts().any(|own| own == *fact);
                choices.iter().all(speaks)
            });
        }
        facts
    }
}

impl Choice {
    pub(crate) const fn new(
        id: &'static str,
        nl: &'static str,
        en: &'static str,
        sets: &'static [Settles],
    ) -> Self {
        Self {
            id,
            label: Bilingual { nl, en },
            sets,
            otherwise: &[],
            opens: &[],
            only: always,
        }
    }

    pub(crate) const fn otherwise(mut self, otherwise: &'static [Settles]) -> Self {
        self.otherwise = otherwise;
        self
    }

    pub(crate) const fn opens(mut self, opens: &'static [&'static str]) -> Self {
        self.opens = opens;
        self
    }

    pub(crate) const fn only(mut self, only: Applies) -> Self {
        self.only = only;
        self
    }

    /// Every fact that it speaks of.
    pub(crate) fn facts(&self) -> impl Iterator<Item = &'static str> {
        let settled = self.sets.iter().chain(self.otherwise);
        settled
            .map(|(fact, _)| *fact)
            .chain(self.opens.iter().copied())
    }
}
