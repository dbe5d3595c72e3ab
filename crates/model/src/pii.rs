//! A wrapper that keeps personal data out of logs by accident.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Personal data. `Debug` and `Display` never show it; `expose` does, and can be searched for.
///
/// It serialises as the bare value: only sealed columns and exports are serialised.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pii<T>(T);

impl<T> Pii<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Gives the value, where it is really needed.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[personal data]")
    }
}

impl<T> fmt::Display for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[personal data]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printing_never_shows_the_value() {
        let number = Pii::new("+31612345678");
        assert!(!format!("{number} {number:?} {:#?}", Some(&number)).contains("316"));
    }
}
