//! Texts that a person reads, in both languages.

use serde::{Deserialize, Serialize};
use voicelog_model::Language;

/// What some editors put before the first sign of a file; it says nothing.
pub(crate) const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A text that is part of the program, in Dutch (plain, level B1) and English.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bilingual {
    /// Dutch.
    pub nl: &'static str,
    /// English.
    pub en: &'static str,
}

impl Bilingual {
    /// The text in one language.
    #[must_use]
    pub const fn pick(&self, language: Language) -> &'static str {
        match language {
            Language::Nl => self.nl,
            Language::En => self.en,
        }
    }
}

/// A text of a decision, in Dutch (plain, level B1) and English.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Dutch.
    pub nl: String,
    /// English.
    pub en: String,
}

impl Text {
    /// A text in both languages.
    pub fn new(nl: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            nl: nl.into(),
            en: en.into(),
        }
    }

    /// The text in one language.
    #[must_use]
    pub fn pick(&self, language: Language) -> &str {
        language.pick(&self.nl, &self.en)
    }
}

impl From<Bilingual> for Text {
    fn from(text: Bilingual) -> Self {
        Self::new(text.nl, text.en)
    }
}

/// Articles as they stand behind a sentence, with the space before them: ` [AVG 13; AVG 14]`.
/// Nothing where there are none.
#[must_use]
pub fn in_brackets<S: AsRef<str>>(articles: &[S]) -> String {
    let articles = articles.iter().map(AsRef::as_ref);
    let articles: Vec<&str> = articles.filter(|article| !article.is_empty()).collect();
    if articles.is_empty() {
        String::new()
    } else {
        format!(" [{}]", articles.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_are_never_empty() {
        assert_eq!(in_brackets(&["AVG 13", "AVG 14"]), " [AVG 13; AVG 14]");
        assert_eq!(in_brackets(&[""]), "");
        assert_eq!(in_brackets::<String>(&[]), "");
    }
}
