//! Facts as values by name, with the few questions that the rest of the room asks of them.

use super::table::definitions;
use serde_json::Value;
use std::sync::LazyLock;

/// The names of all facts, sorted: the place of a name here is the place of its value.
static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut names: Vec<_> = definitions().map(|row| row.name).collect();
    names.sort_unstable();
    names
});

/// Values by name. What is not there is not known.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Values(Vec<Option<Value>>);

impl std::fmt::Debug for Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Default for Values {
    fn default() -> Self {
        Self(vec![None; NAMES.len()])
    }
}

impl Values {
    /// The place of a fact, for reading it often.
    pub(crate) fn place(name: &str) -> Option<usize> {
        NAMES.binary_search(&name).ok()
    }

    pub(crate) fn at_place(&self, place: usize) -> Option<&Value> {
        self.0.get(place)?.as_ref()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.at_place(Self::place(name)?)
    }

    /// The word, text, moment or code that the fact holds.
    pub(crate) fn word(&self, name: &str) -> Option<&str> {
        self.value(name).and_then(Value::as_str)
    }

    /// Whether the fact is known and is that word.
    pub(crate) fn is(&self, name: &str, word: &str) -> bool {
        self.word(name) == Some(word)
    }

    /// Whether the fact is known and is one of these words.
    pub(crate) fn is_one_of(&self, name: &str, words: &[&str]) -> bool {
        self.word(name).is_some_and(|word| words.contains(&word))
    }

    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.value(name).and_then(Value::as_bool)
    }

    /// The words of a set; nothing if it is not known or empty.
    pub(crate) fn words(&self, name: &str) -> impl Iterator<Item = &str> {
        let items = self.value(name).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(Value::as_str)
    }

    /// Whether a set is known and holds the word.
    pub(crate) fn holds(&self, name: &str, word: &str) -> bool {
        self.words(name).any(|held| held == word)
    }

    /// A field of an object fact.
    pub(crate) fn field(&self, name: &str, field: &str) -> Option<&Value> {
        self.value(name).and_then(|object| object.get(field))
    }

    /// A field of an object fact that is a text.
    pub(crate) fn field_word(&self, name: &str, field: &str) -> Option<&str> {
        self.field(name, field).and_then(Value::as_str)
    }

    /// A field of an object fact that is true or false.
    pub(crate) fn field_flag(&self, name: &str, field: &str) -> Option<bool> {
        self.field(name, field).and_then(Value::as_bool)
    }

    /// How many items a list in an object fact has; 0 if it is not known.
    pub(crate) fn field_len(&self, name: &str, field: &str) -> usize {
        self.field(name, field)
            .and_then(Value::as_array)
            .map_or(0, Vec::len)
    }

    /// A reference that is known and is not the word `none`.
    pub(crate) fn refers(&self, name: &str) -> bool {
        self.word(name).is_some_and(|word| word != "none")
    }

    /// Sets a fact of the table.
    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        if let Some(known) = Self::place(name).and_then(|place| self.0.get_mut(place)) {
            *known = Some(value.into());
        }
    }

    /// The same with another value for one, or without it.
    pub(crate) fn changed(&self, name: &'static str, value: Option<Value>) -> Self {
        let mut changed = self.clone();
        if let Some(known) = Self::place(name).and_then(|place| changed.0.get_mut(place)) {
            *known = value;
        }
        changed
    }

    /// Fills in a value where none is known.
    pub(crate) fn set_if_missing(&mut self, name: &'static str, value: impl Into<Value>) {
        if !self.has(name) {
            self.set(name, value);
        }
    }

    /// What is known, sorted by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        let pairs = NAMES.iter().zip(&self.0);
        pairs.filter_map(|(name, value)| Some((*name, value.as_ref()?)))
    }
}
