//! Calls that a telephone system says there were, held against what was recorded.
//!
//! A recorder can't know of a call that never reached it. Its telephone system can: so whoever
//! wants to be sure that nothing is missing gives its list, and gets a line for every call that
//! is missing, short or one-sided, with the probable cause. The causes come from the recorder's
//! diary: which minutes it ran, and what it turned away in them.

mod cause;
mod coverage;
mod guess;
mod table;

pub use cause::Cause;
pub use guess::Guess;
pub use table::{Expected, Table, TableError, Wrong};

use self::coverage::{Coverage, Lacking, Spans, lacking};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use voicelog_archive::timeline::Verdict;
use voicelog_archive::{
    Archive, ArchiveError, DiaryEntry, KnownCall, News, NewsKind, Number, State,
};
use voicelog_model::{Language, RecordingId, Timestamp};

/// Calls read from the archive at a time.
const PAGE_ROWS: usize = 500;
/// How long before a call of the list the recording that holds it can have begun: a list names the
/// part after a transfer as a call of its own.
const BEFORE: i64 = 12 * 3_600 * 1_000_000;
/// What may be missing of a call before it is short: two seconds, or one part in twenty.
const MISSING_MIN: i64 = 2_000_000;
const MISSING_PART: i64 = 20;
/// How the diary's words about lists begin; behind it stands what became of the calls.
const DIARY_WORD: &str = "expected_";

/// What became of a call of the list. The order is that of the work it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Found {
    /// Nothing is there of it.
    Missing,
    /// Less is there than the list says.
    Short,
    /// One side was never heard.
    OneSided,
    /// Something is missing in it that nothing declares.
    Gap,
    /// A call of that moment, of which nobody knows any more who took part, was perhaps this one.
    Perhaps,
    /// It is there but for what the law, a hold or a pause took away.
    PartlyNotPermitted,
    /// It is still being recorded or closed, or has only just begun.
    InProgress,
    /// It is there.
    Recorded,
}

impl Found {
    /// Every one.
    pub const ALL: [Self; 8] = [
        Self::Missing,
        Self::Short,
        Self::OneSided,
        Self::Gap,
        Self::Perhaps,
        Self::PartlyNotPermitted,
        Self::InProgress,
        Self::Recorded,
    ];

    /// The word in reports for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Short => "short",
            Self::OneSided => "one_sided",
            Self::Gap => "gap",
            Self::Perhaps => "perhaps",
            Self::PartlyNotPermitted => "partly_not_permitted",
            Self::InProgress => "in_progress",
            Self::Recorded => "recorded",
        }
    }

    /// For a person.
    #[must_use]
    pub const fn text(self, language: Language) -> &'static str {
        match self {
            Self::Missing => language.pick("niet opgenomen", "not recorded"),
            Self::Short => language.pick("korter dan het gesprek", "shorter than the call"),
            Self::OneSided => language.pick("maar één kant te horen", "one side only"),
            Self::Gap => language.pick("met een onverklaard gat", "with an unexplained gap"),
            Self::Perhaps => language.pick(
                "misschien verklaard: wie deelnam, weet niemand meer",
                "perhaps explained: nobody knows any more who took part",
            ),
            Self::PartlyNotPermitted => language.pick(
                "deels niet opgenomen: mocht niet, in de wacht of gepauzeerd",
                "partly not recorded: not permitted, on hold or paused",
            ),
            Self::InProgress => language.pick("nog niet afgerond", "not closed yet"),
            Self::Recorded => language.pick("opgenomen", "recorded"),
        }
    }

    /// What a word of the diary counts, if it is about calls of a list.
    #[must_use]
    pub fn of_diary(word: &str) -> Option<Self> {
        let word = word.strip_prefix(DIARY_WORD)?;
        Self::ALL.into_iter().find(|found| found.as_str() == word)
    }

    /// Whether a person has to look at it.
    #[must_use]
    pub const fn is_alarm(self) -> bool {
        matches!(
            self,
            Self::Missing | Self::Short | Self::OneSided | Self::Gap
        )
    }
}

/// One call of the list, and what became of it.
#[derive(Debug, Clone)]
pub struct Line {
    /// Line of the list.
    pub line: u64,
    /// The telephone system's own name for it.
    pub id: Option<String>,
    /// When it began, as the list says.
    pub from: Timestamp,
    /// Its length as the list says, in microseconds.
    pub length_us: i64,
    /// How much of that was kept in recordings, in microseconds.
    pub covered_us: i64,
    /// What became of it.
    pub found: Found,
    /// Why, as far as it can be told.
    pub cause: Option<Cause>,
    /// The recordings that hold it, oldest first; with [`Found::Perhaps`] the one that may be its.
    pub recordings: Vec<RecordingId>,
}

impl Line {
    /// What is found of which call, the same each time that the list is given: by the telephone system's own
    /// name for the call, or where it gives none by the line of the list.
    fn finding(&self) -> String {
        let call = match &self.id {
            Some(id) => format!("id {id}"),
            None => format!("line {}", self.line),
        };
        let (found, from) = (self.found.as_str(), self.from.micros());
        let cause = self.cause.as_ref().map_or("", Cause::as_str);
        let recording = self.recordings.first().map(ToString::to_string);
        let recording = recording.unwrap_or_default();
        [found, cause, &recording, &from.to_string(), &call].join("\0")
    }

    /// For programs.
    #[must_use]
    pub fn to_json(&self, language: Language) -> Value {
        json!({
            "line": self.line,
            "id": self.id,
            "from": self.from,
            "seconds": self.length_us / 1_000_000,
            "recordedSeconds": self.covered_us / 1_000_000,
            "found": self.found.as_str(),
            "cause": self.cause.as_ref().map(Cause::as_str),
            "text": self.cause.as_ref().map(|cause| cause.text(language)),
            "recordings": self.recordings,
        })
    }
}

/// A whole list, held against the archive.
#[derive(Debug, Clone)]
pub struct Report {
    /// Every call, in the order of the list.
    pub lines: Vec<Line>,
    /// Lines that say that nobody answered.
    pub unanswered: u64,
    /// Lines that could not be read.
    pub unreadable: Vec<(u64, Wrong)>,
}

impl Report {
    /// How many calls became this.
    #[must_use]
    pub fn count(&self, found: Found) -> usize {
        self.lines.iter().filter(|line| line.found == found).count()
    }

    /// Whether every call of the list is accounted for, for sure.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        !self.has_alarms() && self.count(Found::Perhaps) == 0
    }

    /// Whether a person has to look: at a call, or at a line that can't be read.
    #[must_use]
    pub fn has_alarms(&self) -> bool {
        !self.unreadable.is_empty() || self.lines.iter().any(|line| line.found.is_alarm())
    }

    /// How many calls are explained perhaps, by what.
    #[must_use]
    pub fn perhaps(&self, guess: Guess) -> usize {
        let such = Some(Cause::Perhaps(guess));
        self.lines.iter().filter(|line| line.cause == such).count()
    }

    /// Notes in the recorder's diary how many calls became what. With `to_others`, tells other systems
    /// of each that needs a person.
    ///
    /// # Errors
    /// The archive can't be written.
    pub fn note(
        &self,
        archive: &Archive,
        now: Timestamp,
        to_others: bool,
    ) -> Result<(), ArchiveError> {
        let entry = |found: Found| DiaryEntry {
            minute: cause::minute(now),
            what: format!("{DIARY_WORD}{}", found.as_str()),
            count: self.count(found) as u64,
        };
        let entries: Vec<_> = Found::ALL.into_iter().map(entry).collect();
        archive.add_to_diary(&entries)?;
        if to_others {
            archive.tell(&self.news(now))?;
        }
        Ok(())
    }

    /// What other systems may want to hear: each call that is missing, short, one-sided or has a gap.
    #[must_use]
    pub fn news(&self, now: Timestamp) -> Vec<News> {
        let alarms = self.lines.iter().filter(|line| line.found.is_alarm());
        // A list may tell the same call twice, and each of its lines is a message.
        let mut told: BTreeMap<String, u32> = BTreeMap::new();
        let alarms = alarms.map(|line| {
            let finding = line.finding();
            let count = told.entry(finding.clone()).or_default();
            *count += 1;
            let news = News::new(NewsKind::Missing, now, line.recordings.first().copied())
                .known_by(format!("{finding}\0{count}"))
                .with("found", line.found.as_str())
                .with("line", line.line)
                .with("began_at", line.from.to_string());
            match &line.cause {
                Some(cause) => news.with("cause", cause.as_str()),
                None => news,
            }
        });
        alarms.collect()
    }

    /// For programs: the counts, and each line that is not simply recorded.
    #[must_use]
    pub fn to_json(&self, language: Language) -> Value {
        let counts: serde_json::Map<_, _> = Found::ALL
            .into_iter()
            .map(|found| (found.as_str().to_owned(), json!(self.count(found))))
            .collect();
        let perhaps: serde_json::Map<_, _> = Guess::ALL
            .into_iter()
            .map(|guess| (guess.as_str().to_owned(), json!(self.perhaps(guess))))
            .collect();
        let lines = self.lines.iter();
        let lines = lines.filter(|line| line.found != Found::Recorded);
        let unreadable = self.unreadable.iter();
        json!({
            "clean": self.is_clean(),
            "calls": self.lines.len(),
            "counts": counts,
            "perhaps": perhaps,
            "unanswered": self.unanswered,
            "lines": lines.map(|line| line.to_json(language)).collect::<Vec<_>>(),
            "unreadable": unreadable
                .map(|(line, wrong)| json!({ "line": line, "text": wrong.text(language) }))
                .collect::<Vec<_>>(),
        })
    }
}

/// What counts of a call that the archive knows of.
#[derive(Debug, Clone)]
struct Known {
    id: RecordingId,
    /// Its line; nothing in it once it is destroyed.
    line: String,
    state: State,
    verdict: Option<Verdict>,
    from: Timestamp,
    /// Nothing while it runs.
    to: Option<Timestamp>,
    numbers: Option<Vec<Number>>,
    /// Which side of it is missing.
    lacking: Option<Lacking>,
    /// What became of its time.
    coverage: Coverage,
    cut: Option<voicelog_archive::journal::Cause>,
}

impl Known {
    fn of(call: KnownCall) -> Self {
        let KnownCall {
            summary,
            timeline,
            numbers,
        } = call;
        let verdict = summary.verdict;
        let people = numbers.as_ref().map_or(0, Vec::len);
        Self {
            id: summary.id,
            line: summary.line,
            state: summary.state,
            verdict,
            from: summary.started_at,
            to: summary.ended_at,
            numbers,
            lacking: timeline
                .as_ref()
                .and_then(|timeline| lacking(timeline, people)),
            coverage: timeline.as_ref().map(Coverage::of).unwrap_or_default(),
            cut: timeline.and_then(|timeline| timeline.end),
        }
    }

    /// How many of these took part; nothing where that is not known any more.
    fn how_many_of(&self, numbers: &[Number]) -> Option<usize> {
        let known = self.numbers.as_ref()?;
        let took_part = |number: &&Number| known.iter().any(|known| known.fits(number));
        Some(numbers.iter().filter(took_part).count())
    }

    /// Whether it began at about that moment.
    fn begins_at(&self, moment: Timestamp, slack: i64) -> bool {
        self.from.micros_since(moment).abs() <= slack
    }

    /// Whether a part of it falls in that time.
    fn overlaps(&self, call: &Expected, slack: i64) -> bool {
        let ends = self
            .to
            .is_none_or(|to| to.micros_since(call.from) >= -slack);
        ends && self.from.micros_since(call.to) <= slack
    }
}

/// Holds a list against the archive. Clocks of the two may differ by `slack` microseconds.
///
/// # Errors
/// The archive can't be read.
pub fn compare(
    archive: &Archive,
    table: Table,
    slack: i64,
    now: Timestamp,
) -> Result<Report, ArchiveError> {
    let table = table.without_future(now.plus_micros(slack));
    let known = Archived::read(archive, &table.calls, slack)?;
    let calls = table.calls.iter();
    let mut lines: Vec<Line> = calls.map(|call| judge(call, &known, slack)).collect();
    guess::match_by_moment(&mut lines, &table.calls, &known, archive.lines(), slack);
    for (line, call) in lines.iter_mut().zip(&table.calls) {
        if line.found == Found::Missing {
            let cause = cause::of_missing(archive, call, slack, now)?;
            if cause == Cause::TooRecent {
                line.found = Found::InProgress;
            }
            line.cause = Some(cause);
        }
    }
    Ok(Report {
        lines,
        unanswered: table.unanswered,
        unreadable: table.unreadable,
    })
}

/// Everything that the archive knows of that time.
#[derive(Debug, Default)]
struct Archived {
    /// Oldest first.
    calls: Vec<Known>,
    /// Places in `calls`, in the same order, by [`Number::bucket`].
    by_number: HashMap<u64, Vec<usize>>,
}

impl Archived {
    fn of(mut calls: Vec<Known>) -> Self {
        calls.sort_by_key(|known| (known.from, known.id));
        let mut by_number: HashMap<u64, Vec<usize>> = HashMap::new();
        for (place, known) in calls.iter().enumerate() {
            for number in known.numbers.iter().flatten() {
                by_number.entry(number.bucket()).or_default().push(place);
            }
        }
        Self { calls, by_number }
    }

    fn read(archive: &Archive, calls: &[Expected], slack: i64) -> Result<Self, ArchiveError> {
        let (Some(from), Some(to)) = (
            calls.iter().map(|call| call.from).min(),
            calls.iter().map(|call| call.to).max(),
        ) else {
            return Ok(Self::default());
        };
        let (from, to) = (from.plus_micros(-BEFORE), to.plus_micros(slack));
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let (page, next) = archive.known_calls(from, to, after, PAGE_ROWS)?;
            all.extend(page.into_iter().map(Known::of));
            if next.is_none() {
                return Ok(Self::of(all));
            }
            after = next;
        }
    }

    /// Those of that time in which one of the numbers of a call took part, oldest first.
    fn near(&self, call: &Expected, slack: i64) -> Vec<&Known> {
        let earliest = call.from.plus_micros(-BEFORE);
        let latest = call.to.plus_micros(slack);
        let begins = |place: &usize| self.calls.get(*place).map(|known| known.from);
        let mut places: BTreeSet<usize> = BTreeSet::new();
        for number in &call.numbers {
            let of_number = self.by_number.get(&number.bucket());
            let of_number = of_number.map_or(&[][..], Vec::as_slice);
            let first = of_number.partition_point(|place| begins(place) < Some(earliest));
            let rest = of_number.iter().skip(first);
            places.extend(rest.take_while(|place| begins(place) <= Some(latest)));
        }
        let near = places.into_iter().filter_map(|place| self.calls.get(place));
        near.filter(|known: &&Known| known.overlaps(call, slack))
            .collect()
    }
}

/// What became of one call, without looking for why it is missing.
fn judge(call: &Expected, known: &Archived, slack: i64) -> Line {
    let near = known.near(call, slack);
    let both = near
        .iter()
        .filter(|known| known.how_many_of(&call.numbers) == Some(2) && known.overlaps(call, slack));
    let mut fit: Vec<&Known> = both.copied().collect();
    if fit.is_empty() {
        // A list names the queue, the recording who took the call: one number and the moment.
        let one = near.iter().filter(|known| {
            known.how_many_of(&call.numbers) == Some(1) && known.begins_at(call.from, slack)
        });
        fit = one
            .copied()
            .min_by_key(|known| known.from.micros_since(call.from).abs())
            .into_iter()
            .collect();
    }
    let (covered_us, accounted_us) = covered(call, &fit, slack);
    let mut line = Line {
        line: call.line,
        id: call.id.clone(),
        from: call.from,
        length_us: call.to.micros_since(call.from),
        covered_us,
        found: Found::Recorded,
        cause: None,
        recordings: fit.iter().map(|known| known.id).collect(),
    };
    let is_short = |covered_us: i64| {
        line.length_us - covered_us > MISSING_MIN.max(line.length_us / MISSING_PART)
    };
    let (is_kept_short, is_short) = (is_short(covered_us), is_short(accounted_us));
    let is_open = |known: &&Known| {
        matches!(
            known.state,
            State::Waiting | State::Recording | State::Finishing
        )
    };
    (line.found, line.cause) = if fit.is_empty() {
        (Found::Missing, None)
    } else if fit.iter().any(is_open) {
        (Found::InProgress, None)
    } else if is_short {
        (Found::Short, Some(cause::of_short(call, &fit, slack)))
    } else if fit
        .iter()
        .any(|known| known.verdict == Some(Verdict::UndeclaredGap))
    {
        (Found::Gap, None)
    } else if let Some(side) = fit.iter().find_map(|known| known.lacking) {
        let cause = match side {
            Lacking::Silent => Cause::SideNeverSent,
            Lacking::Absent => Cause::SideAbsent,
        };
        (Found::OneSided, Some(cause))
    } else if is_kept_short {
        (Found::PartlyNotPermitted, None)
    } else {
        (Found::Recorded, None)
    };
    line
}

/// How much of a call's length was kept of it, in microseconds, and how much was kept or taken away
/// by the law, a hold or a pause. Moments of two clocks are compared only as closely as `slack`.
fn covered(call: &Expected, fit: &[&Known], slack: i64) -> (i64, i64) {
    let length = call.to.micros_since(call.from);
    let (from, to) = (call.from.plus_micros(-slack), call.to.plus_micros(slack));
    // That its sound went since does not make it less of a recording.
    let was_kept = |state| {
        matches!(
            state,
            State::Sealed | State::SoundDestroying | State::WithoutSound
        )
    };
    let sealed = || fit.iter().filter(|known| was_kept(known.state));
    let within = |spans: Spans| spans.within(from, to).min(length);
    let kept = Spans::join(sealed().map(|known| &known.coverage.kept));
    let both = Spans::join(sealed().map(|known| &known.coverage.kept_or_withheld));
    (within(kept), within(both))
}

#[cfg(test)]
mod tests;
