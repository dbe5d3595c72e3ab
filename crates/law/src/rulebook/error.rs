//! Why a rulebook does not load, or knows nothing of a moment.

use crate::text::Bilingual;
use voicelog_model::Kind;

/// A rulebook does not load.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulebookError {
    /// The text is not Cedar.
    #[error("`{place}` is not Cedar policy text: {why}")]
    Syntax {
        /// The file.
        place: String,
        /// What the parser says.
        why: String,
    },
    /// An annotation is missing or wrong.
    #[error("`{place}`: rule `{rule}`: annotation `@{annotation}`: {why}")]
    Annotation {
        /// The file.
        place: String,
        /// The rule, if it has an id.
        rule: String,
        /// The annotation.
        annotation: String,
        /// What is wrong with it.
        why: String,
    },
    /// A rule speaks of something that facts do not have, or in the wrong way.
    #[error("rules do not fit the facts: {why}")]
    Facts {
        /// What the validator says.
        why: String,
    },
    /// Two rules with one id are valid from the same day.
    #[error("rule `{rule}` is there twice from the same day")]
    Double {
        /// The rule.
        rule: String,
    },
    /// A rule points at a fact or a duty that is not there.
    #[error("rule `{rule}` points at `{target}`, which is not there")]
    Dangling {
        /// The rule.
        rule: String,
        /// What it points at.
        target: String,
    },
}

/// A moment before the first day of the rulebook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", Self::TEXT.en)]
pub struct BeforeRulebook;

impl BeforeRulebook {
    /// What is wrong and what would be right.
    pub const TEXT: Bilingual = Bilingual {
        nl: "dit regelboek kent het recht vanaf 29 september 2026; kies die dag of later",
        en: "this rulebook knows the law from 29 September 2026 on; choose that day or later",
    };

    /// The kind of trouble: the input is wrong.
    #[must_use]
    pub const fn kind(self) -> Kind {
        Kind::Invalid
    }
}

impl RulebookError {
    /// The kind of trouble: the input is wrong.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        Kind::Invalid
    }

    /// What to do about it.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        "`design/law.md` says how a rule is written"
    }
}
