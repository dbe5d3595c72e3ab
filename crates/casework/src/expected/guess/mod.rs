//! Missing calls, held against calls of their moment of which nobody knows any more who took part.
//!
//! Of a call of which nothing was kept, nobody may keep who took part; of a destroyed one nobody
//! can. So it explains a line of a list only *perhaps*: its moment fits, and its line where both are
//! known. Each explains one line at most.

use super::cause::Cause;
use super::table::Expected;
use super::{Archived, Found, Known, Line};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use voicelog_archive::timeline::Verdict;
use voicelog_archive::{LINE_NOT_SET_UP, Lines, Number, State};
use voicelog_model::{Language, RecordingId, Timestamp};

/// What became of a call that perhaps was the one of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guess {
    /// The law did not permit it.
    NotPermitted,
    /// It called a line that is not set up.
    LineNotSetUp,
    /// It was not drawn for the sample of its line.
    NotDrawn,
    /// Nobody asked to keep it, on a line that keeps what it is asked to keep.
    NotRequested,
    /// Its recording was destroyed.
    Destroyed,
    /// It is still in progress or being closed, and nothing of it is kept so far.
    InProgress,
    /// It was recorded, and its key is not there.
    KeyGone,
}

impl Guess {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::NotPermitted,
        Self::LineNotSetUp,
        Self::NotDrawn,
        Self::NotRequested,
        Self::Destroyed,
        Self::InProgress,
        Self::KeyGone,
    ];

    fn of(known: &Known) -> Self {
        match (known.state, known.verdict) {
            (State::Destroying | State::Destroyed, _) => Self::Destroyed,
            (State::Waiting | State::Recording | State::Finishing, _) => Self::InProgress,
            (State::Sealed | State::SoundDestroying | State::WithoutSound, _) => Self::KeyGone,
            (State::NotRecorded, Some(Verdict::NotDrawn)) => Self::NotDrawn,
            (State::NotRecorded, Some(Verdict::NotRequested)) => Self::NotRequested,
            (State::NotRecorded, _) if known.line == LINE_NOT_SET_UP => Self::LineNotSetUp,
            (State::NotRecorded, _) => Self::NotPermitted,
        }
    }

    /// The word in reports for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotPermitted => "not_permitted",
            Self::LineNotSetUp => "line_not_set_up",
            Self::NotDrawn => "not_drawn",
            Self::NotRequested => "not_requested",
            Self::Destroyed => "destroyed",
            Self::InProgress => "in_progress",
            Self::KeyGone => "key_gone",
        }
    }

    /// For a person.
    #[must_use]
    pub const fn text(self, language: Language) -> &'static str {
        match self {
            Self::NotPermitted => language.pick(
                "een gesprek van dat moment mocht niet worden opgenomen",
                "a call of that moment was not permitted",
            ),
            Self::LineNotSetUp => language.pick(
                "een gesprek van dat moment ging naar een lijn die niet is ingericht",
                "a call of that moment was to a line that is not set up",
            ),
            Self::NotDrawn => language.pick(
                "een gesprek van dat moment is niet geloot voor de steekproef",
                "a call of that moment was not drawn for the sample",
            ),
            Self::NotRequested => language.pick(
                "niemand vroeg om een gesprek van dat moment te bewaren",
                "nobody asked to keep a call of that moment",
            ),
            Self::Destroyed => language.pick(
                "een opname van dat moment is vernietigd",
                "a recording of that moment was destroyed",
            ),
            Self::InProgress => language.pick(
                "een gesprek van dat moment loopt nog, en er is nog niets van bewaard",
                "a call of that moment is still in progress, and nothing of it is kept yet",
            ),
            Self::KeyGone => language.pick(
                "de sleutel van een opname van dat moment is weg: zie `voicelog check`",
                "the key of a recording of that moment is gone: see `voicelog check`",
            ),
        }
    }
}

/// Explains what is missing as far as it can be, perhaps.
///
/// A line of the list takes the earliest call in reach of its clock, the lines in the order of
/// their moments and those whose telephone line is known first: so nearly as many are explained as can
/// be, and which one does not turn on the order of the list.
pub(super) fn match_by_moment(
    lines: &mut [Line],
    calls: &[Expected],
    known: &Archived,
    set_up: &Lines,
    slack: i64,
) {
    let mut unnamed = Unnamed::of(known);
    let missing = lines.iter_mut().zip(calls);
    let mut missing: Vec<_> = missing
        .filter(|(line, _)| line.found == Found::Missing)
        .map(|(line, call)| (line, line_of(call, set_up)))
        .collect();
    missing.sort_by_key(|(line, on)| (Reverse(on.is_some()), line.from));
    for (line, on) in missing {
        let found = match on {
            Some(on) => on
                .iter()
                .find_map(|name| unnamed.take(name, line.from, slack)),
            None => unnamed.take_any(line.from, slack),
        };
        if let Some(found) = found {
            line.found = Found::Perhaps;
            line.cause = Some(Cause::Perhaps(Guess::of(found)));
            line.recordings = vec![found.id];
        }
    }
}

/// Names under which the archive can have a call of the list, the likeliest first; nothing where
/// the list does not tell its line. It does in a column of its own, or by the number that was called
/// where a line is named by that.
fn line_of(call: &Expected, set_up: &Lines) -> Option<Vec<String>> {
    let [_, callee] = &call.numbers;
    let by_column = call.on_line.as_deref();
    let by_number = || {
        let mut named = set_up
            .iter()
            .filter(|line| Number::of(&line.name).fits(callee));
        named.next().map(|line| line.name.as_str())
    };
    let name = by_column.or_else(by_number)?;
    // What names no line goes to the default line, if there is one.
    let found = set_up.find(name).name.to_lowercase();
    // A destroyed recording has no line any more.
    Some(vec![found, String::new()])
}

/// Calls without names, by their line and in the order of their beginnings.
struct Unnamed<'k>(BTreeMap<String, OfLine<'k>>);

type OfLine<'k> = BTreeMap<(Timestamp, RecordingId), &'k Known>;

impl<'k> Unnamed<'k> {
    fn of(known: &'k Archived) -> Self {
        let mut all: BTreeMap<String, OfLine<'k>> = BTreeMap::new();
        for known in known.calls.iter().filter(|known| known.numbers.is_none()) {
            let of_line = all.entry(known.line.to_lowercase()).or_default();
            of_line.insert((known.from, known.id), known);
        }
        Self(all)
    }

    /// The earliest in reach of that moment.
    fn first(of_line: &OfLine<'k>, moment: Timestamp, slack: i64) -> Option<&'k Known> {
        let from = (moment.plus_micros(-slack), RecordingId::from_bytes([0; 16]));
        let to = (
            moment.plus_micros(slack),
            RecordingId::from_bytes([0xff; 16]),
        );
        of_line.range(from..=to).next().map(|(_, known)| *known)
    }

    fn take(&mut self, line: &str, moment: Timestamp, slack: i64) -> Option<&'k Known> {
        let of_line = self.0.get_mut(line)?;
        let found = Self::first(of_line, moment, slack)?;
        of_line.remove(&(found.from, found.id))
    }

    fn take_any(&mut self, moment: Timestamp, slack: i64) -> Option<&'k Known> {
        let firsts = self.0.iter().filter_map(|(line, of_line)| {
            let found = Self::first(of_line, moment, slack)?;
            Some((found.from, found.id, line))
        });
        let firsts: BTreeSet<_> = firsts.collect();
        let (from, id, line) = firsts.into_iter().next()?;
        let line = line.clone();
        self.0.get_mut(&line)?.remove(&(from, id))
    }
}

#[cfg(test)]
mod tests;
