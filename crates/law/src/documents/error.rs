//! Why there is no document.

use crate::text::{Text, in_brackets};
use voicelog_model::{Kind, Language};

/// There is no document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// No document has that name.
    #[error("{}", self.in_language(Language::En))]
    NoSuch {
        /// The name asked for, short enough to print.
        name: String,
        /// The name that looks most like it.
        near: Option<String>,
    },
    /// The document is not for this situation.
    #[error("{}", self.in_language(Language::En))]
    DoesNotFit {
        /// Its name.
        name: String,
        /// The names of those that are.
        fitting: Vec<String>,
    },
    /// No clause of it belongs to these facts: it would be a title without a sentence.
    #[error("{}", self.in_language(Language::En))]
    NothingToSay {
        /// Its name.
        name: String,
    },
    /// The document would mislead: the law refuses what it speaks of.
    #[error("{}", self.in_language(Language::En))]
    Refused {
        /// Its name.
        name: String,
        /// The reasons of the law, each with its articles.
        reasons: Vec<(Text, Vec<String>)>,
    },
    /// The document may not leave this open.
    #[error("{}", self.in_language(Language::En))]
    Wanting {
        /// Its name.
        name: String,
        /// The keys of what is wanting, with what they are.
        what: Vec<(String, String)>,
    },
    /// A text that is part of the program is wrong: our own mistake.
    #[error("`{place}`: {why}")]
    Text {
        /// The file, and the line or clause.
        place: String,
        /// What is wrong with it.
        why: String,
    },
}

impl DocumentError {
    /// What happened and what would be right, in one language.
    #[must_use]
    pub fn in_language(&self, language: Language) -> String {
        match self {
            Self::NoSuch { name, near } => {
                let near = near.as_ref().map(|near| {
                    language.pick("; bedoelt u", "; did you mean").to_owned()
                        + &format!(" `{near}`?")
                });
                let (nl, en) = ("er is geen document", "there is no document");
                format!(
                    "{} `{name}`{}",
                    language.pick(nl, en),
                    near.unwrap_or_default()
                )
            }
            Self::DoesNotFit { name, fitting } => {
                let (nl, en) = (
                    "hoort niet bij deze feiten; wel passen:",
                    "does not go with these facts; these do:",
                );
                let fitting = if fitting.is_empty() {
                    language.pick("geen", "none").to_owned()
                } else {
                    fitting.join(", ")
                };
                format!("`{name}` {} {fitting}", language.pick(nl, en))
            }
            Self::NothingToSay { name } => {
                let (nl, en) = (
                    "wordt niet gemaakt: geen regel die bij deze feiten geldt, vraagt wat erin staat",
                    "is not made: no rule that holds for these facts asks for what it says",
                );
                format!("`{name}` {}", language.pick(nl, en))
            }
            Self::Refused { name, reasons } => {
                let (nl, en) = (
                    "wordt niet gemaakt, want het zou misleiden:",
                    "is not made, for it would mislead:",
                );
                let reasons: Vec<_> = reasons
                    .iter()
                    .map(|(text, articles)| {
                        format!("{}{}", text.pick(language), in_brackets(articles))
                    })
                    .collect();
                format!("`{name}` {} {}", language.pick(nl, en), reasons.join(" "))
            }
            Self::Wanting { name, what } => {
                let (nl, en) = (
                    "mag dit niet openlaten; vul in:",
                    "may not leave this open; fill in:",
                );
                let what: Vec<_> = what
                    .iter()
                    .map(|(key, label)| format!("`{key}` ({label})"))
                    .collect();
                format!("`{name}` {} {}", language.pick(nl, en), what.join(", "))
            }
            Self::Text { .. } => self.to_string(),
        }
    }

    /// Whether the law, not the asker's input, is why there is no document.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }

    /// The kind of trouble.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::NoSuch { .. } => Kind::NotFound,
            Self::DoesNotFit { .. }
            | Self::NothingToSay { .. }
            | Self::Refused { .. }
            | Self::Wanting { .. } => Kind::Invalid,
            Self::Text { .. } => Kind::Internal,
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::NoSuch { .. } | Self::DoesNotFit { .. } | Self::NothingToSay { .. } => {
                "`voicelog law document` lists them"
            }
            Self::Refused { .. } => {
                "`voicelog law decide` gives the whole answer with what else can be done"
            }
            Self::Wanting { .. } => "give it with --with PARTICULARS.json",
            Self::Text { .. } => "`design/law.md` says how a text is written",
        }
    }
}
