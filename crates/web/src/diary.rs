//! What the recorder's diary counts of the last hour.

use std::collections::BTreeMap;
use voicelog_archive::{Archive, ArchiveError};
use voicelog_casework::expected::Found;
use voicelog_model::Timestamp;

/// How far back it is read, in microseconds.
const HOUR: i64 = 3_600_000_000;
/// Lines that are read: of each minute every word that there is, and more.
const LINES_MAX: usize = 60 * 100;

/// How often what happened in the last hour.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LastHour(BTreeMap<String, u64>);

impl LastHour {
    pub(crate) fn read(archive: &Archive, now: Timestamp) -> Result<Self, ArchiveError> {
        // To the end of this minute: what is told to the minute stands at its beginning.
        let to = now.plus_micros(1);
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for line in archive.diary(now.plus_micros(-HOUR), to, LINES_MAX)? {
            let count = counts.entry(line.what).or_default();
            *count = count.saturating_add(line.count);
        }
        Ok(Self(counts))
    }

    /// Each word with its count.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(word, count)| (word.as_str(), *count))
    }

    /// Calls of the telephone system's lists, by what became of them; every word, also with none.
    pub(crate) fn expected(&self) -> Vec<(Found, u64)> {
        let count = |found: Found| {
            let such = self
                .iter()
                .filter(|(word, _)| Found::of_diary(word) == Some(found));
            (found, such.map(|(_, count)| count).sum())
        };
        Found::ALL.into_iter().map(count).collect()
    }
}
