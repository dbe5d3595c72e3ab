//! Names that recording clients called and that are no line: so that whoever made a typing error can
//! find it.
//!
//! A name comes from outside and can be a telephone number. So it is kept in memory only, and of a
//! number no more than who set it up needs to know it again; the log never has any of it.

use crate::address::Address;
use crate::known::Number;
use crate::{Archive, Lines};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use voicelog_model::{Pii, RecordingId, Timestamp};

/// Most calls that are remembered; beyond, the oldest is forgotten.
const CALLS_MAX: usize = 500;
/// Most letters of a name that are remembered.
const LETTERS_MAX: usize = 64;
/// Most letters that are wrong, missing or too many in a name that is nearly that of a line.
const WRONG_MAX: usize = 2;
/// A name of fewer letters is nearly any other.
const NEARLY_MIN: usize = 4;

/// A name that is no line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotALine {
    /// What kind of name, for the log: it says nothing about anybody.
    pub kind: &'static str,
    /// The name, for a page: of a number its ends only, nothing where the address had no name.
    pub shown: Option<Pii<String>>,
    /// The line that was perhaps meant.
    pub like: Option<String>,
}

/// A call that named no line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalledInVain {
    /// Its recording, in which nothing is.
    pub recording: RecordingId,
    /// When it was.
    pub at: Timestamp,
    /// What it called.
    pub called: NotALine,
}

impl Lines {
    /// What can be said of a name that is no line.
    #[must_use]
    pub fn not_a_line(&self, called: &str) -> NotALine {
        let address = Address::read(called);
        let name: String = called.chars().filter(|c| !c.is_control()).collect();
        let name: String = name.chars().take(LETTERS_MAX).collect();
        let number = Number::of(called);
        let same_number = || {
            self.iter()
                .find(|line| Number::of(&line.name).fits(&number))
        };
        let nearly = || {
            let near = self.iter().map(|line| (wrong(&line.name, &name), line));
            let near = near.filter(|(wrong, _)| *wrong <= WRONG_MAX);
            near.min_by_key(|(wrong, _)| *wrong).map(|(_, line)| line)
        };
        let (kind, shown, like) = if name.trim().is_empty() {
            ("an address without a name", None, None)
        } else if address.is_whole_number() {
            ("a telephone number", Some(ends(&name)), same_number())
        } else if address.is_number() {
            ("a short number", Some(name.clone()), None)
        } else if name.chars().count() < NEARLY_MIN {
            ("a name", Some(name.clone()), None)
        } else {
            ("a name", Some(name.clone()), nearly())
        };
        NotALine {
            kind,
            shown: shown.map(Pii::new),
            like: like.map(|line| line.name.clone()),
        }
    }
}

/// The first three and the last two letters of a number, and how many there are between: enough to
/// find it in a list of one's own.
fn ends(number: &str) -> String {
    let letters: Vec<char> = number.chars().collect();
    let (Some(first), Some(last)) = (letters.first_chunk::<3>(), letters.last_chunk::<2>()) else {
        return "…".to_owned();
    };
    let between = letters.len().saturating_sub(5);
    let (first, last) = (String::from_iter(first), String::from_iter(last));
    format!("{first}{}{last}", "·".repeat(between))
}

/// How many letters have to be changed, added or left out to make one name of the other.
fn wrong(left: &str, right: &str) -> usize {
    strsim::levenshtein(&left.to_lowercase(), &right.to_lowercase())
}

/// The newest calls that named no line, in memory.
#[derive(Debug, Default)]
pub(crate) struct Vain(Mutex<VecDeque<CalledInVain>>);

impl Vain {
    pub(crate) fn add(&self, call: CalledInVain) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() == CALLS_MAX {
            calls.pop_front();
        }
        calls.push_back(call);
    }
}

impl Archive {
    /// Calls that named no line since the start, newest first; the last 500 at most.
    #[must_use]
    pub fn called_in_vain(&self) -> Vec<CalledInVain> {
        let calls = self.vain.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().rev().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Line;

    fn told(called: &str) -> (&'static str, Option<String>, Option<String>) {
        let lines = ["verkoop", "inkoop", "+31207654321"].map(Line::not_set_up);
        let told = Lines::new(lines.into()).not_a_line(called);
        let shown = told.shown.map(|name| name.expose().clone());
        (told.kind, shown, told.like)
    }

    fn name(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn a_typing_error_is_told_with_the_line_that_was_perhaps_meant() {
        for (called, like) in [
            ("verkop", name("verkoop")),
            ("Verkoopp", name("verkoop")),
            ("inkop", name("inkoop")),
            ("klantenservice", None),
            ("ink", None),
        ] {
            assert_eq!(told(called), ("a name", name(called), like), "{called}");
        }
        assert_eq!(told("8000"), ("a short number", name("8000"), None));
        assert_eq!(told(""), ("an address without a name", None, None));
        let (_, shown, _) = told(&"x".repeat(9_000));
        assert_eq!(shown.unwrap().len(), LETTERS_MAX);
    }

    #[test]
    fn of_a_telephone_number_only_its_ends_are_remembered() {
        assert_eq!(
            told("+31612345678"),
            ("a telephone number", name("+31·······78"), None)
        );
        // The number of a line, written in another way.
        assert_eq!(
            told("0207654321"),
            (
                "a telephone number",
                name("020·····21"),
                name("+31207654321")
            )
        );
        let printed = format!("{:?}", Lines::default().not_a_line("anna"));
        assert!(!printed.contains("anna"), "{printed}");
    }

    #[test]
    fn names_differ_by_as_many_letters_as_have_to_change() {
        for (left, right, distance) in [
            ("", "", 0),
            ("verkoop", "VERKOOP", 0),
            ("verkoop", "verkop", 1),
            ("verkoop", "evrkoop", 2),
            ("abc", "xyz", 3),
            ("", "abc", 3),
        ] {
            assert_eq!(wrong(left, right), distance, "{left} {right}");
            assert_eq!(wrong(right, left), distance, "{right} {left}");
        }
    }
}
