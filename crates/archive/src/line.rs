//! Lines: which purpose, basis and notice a telephone line records under.
//!
//! A line is part of the legal record, so each decision is made from it and stores the facts that
//! came from it. A call on a line that nobody set up is answered, but not recorded.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What happens to a call that may not be recorded (yet).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenRefused {
    /// Answer without media and wait: notice or consent during the call can still start it.
    #[default]
    Wait,
    /// Refuse the recording session at once (SIP 403).
    Reject,
}

/// One line, as the configuration describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Short name, also the user part of the SIP address that recording clients call.
    pub name: String,
    /// What people read instead of the short name.
    #[serde(default)]
    pub title: String,
    /// ISO 3166-1 country of the line: its extensions and national numbers are there.
    #[serde(default = "home_country")]
    pub country: String,
    /// Host names of the organisation's own SIP domains.
    #[serde(default)]
    pub own_domains: Vec<String>,
    /// What to do with a call that may not be recorded.
    #[serde(default)]
    pub when_refused: WhenRefused,
    /// Facts that hold for every call on the line, with the names of a facts file.
    #[serde(default)]
    pub facts: Map<String, Value>,
}

fn home_country() -> String {
    "NL".to_owned()
}

impl Line {
    /// A line with nothing set up. The law will name what is missing.
    #[must_use]
    pub fn not_set_up(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            title: String::new(),
            country: home_country(),
            own_domains: Vec::new(),
            when_refused: WhenRefused::Wait,
            facts: Map::new(),
        }
    }

    /// Whether it is a line of the configuration.
    #[must_use]
    pub fn is_set_up(&self) -> bool {
        self.name != LINE_NOT_SET_UP
    }
}

/// What a recording has for a line where the client called one that nobody set up. No name of the
/// configuration may be this one.
pub const LINE_NOT_SET_UP: &str = "unknown";

/// All lines of the archive.
#[derive(Debug, Clone, Default)]
pub struct Lines(Vec<Line>);

impl Lines {
    /// Takes the lines of the configuration.
    #[must_use]
    pub const fn new(lines: Vec<Line>) -> Self {
        Self(lines)
    }

    /// The line that a recording client called, or one with nothing set up. The name of an
    /// unknown line is not kept: it comes from outside.
    #[must_use]
    pub fn find(&self, called: &str) -> Line {
        self.0
            .iter()
            .find(|line| line.name.eq_ignore_ascii_case(called))
            .cloned()
            .unwrap_or_else(|| Line::not_set_up(LINE_NOT_SET_UP))
    }

    /// Every line, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = &Line> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_nobody_set_up_has_no_facts() {
        let lines = Lines::new(vec![Line::not_set_up("sales")]);
        assert_eq!(lines.find("SALES").name, "sales");
        let unknown = lines.find("+31612345678");
        assert!(unknown.facts.is_empty() && unknown.name == LINE_NOT_SET_UP);
        assert!(lines.find("sales").is_set_up() && !unknown.is_set_up());
    }
}
