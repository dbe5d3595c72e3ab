//! How much of a recording an act of destruction is about.

use serde::{Deserialize, Serialize};

/// How much of a recording is destroyed.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Everything: the sound, and all that is known of the call.
    #[default]
    Whole,
    /// The sound alone. What is known of the call stays.
    Sound,
}

impl Scope {
    /// The word in the index and in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Sound => "sound",
        }
    }

    /// The scope with that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Whole, Self::Sound]
            .into_iter()
            .find(|scope| scope.as_str() == word)
    }

    /// Whether it is everything. Documents name no scope then, as those of before there were scopes.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        matches!(self, Self::Whole)
    }
}
