//! The end of the term: which recordings are due, and their destruction.
//!
//! The index names candidates; whether one may be destroyed is asked of the law each time, with
//! the holds and terms of that moment.

use crate::Asked;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use voicelog_archive::{Archive, ArchiveError, Destroyed, RecordingSummary, TermCursor, Verdict};
use voicelog_model::{RecordingId, Timestamp};

/// Recordings read from the index at a time.
const PAGE_ROWS: usize = 500;

/// How long a refusal stands before the same question is put again, in microseconds: a day. Each
/// question costs a decision and a leaf of the log, for ever.
const REFUSAL_STANDS_MICROS: i64 = 86_400 * 1_000_000;

/// Recordings whose term will have ended by `until`, soonest first. Nothing is destroyed.
pub fn preview(archive: &Archive, until: Timestamp) -> Result<Vec<RecordingSummary>, ArchiveError> {
    let mut all = Vec::new();
    each_due(archive, until, &mut |due| {
        all.push(due);
        ControlFlow::Continue(())
    })?;
    Ok(all)
}

/// What the sweep did with one recording.
#[derive(Debug)]
pub struct Swept {
    /// Which recording.
    pub id: RecordingId,
    /// Destroyed, refused by the law, or failed. One failure does not stop the sweep.
    pub outcome: Result<Asked<Destroyed>, ArchiveError>,
}

/// Goes on with destructions that were begun, then destroys every recording whose term has ended,
/// if the law permits it.
pub fn run(archive: &Archive, now: Timestamp) -> Result<Vec<Swept>, ArchiveError> {
    let mut all = Vec::new();
    Sweeper::default().sweep(archive, now, &mut |swept| {
        all.push(swept);
        ControlFlow::Continue(())
    })?;
    Ok(all)
}

/// Sweeps again and again, and remembers what the law refused, so that it is not asked each time.
#[derive(Debug, Default)]
pub struct Sweeper {
    /// By recording: the term it was refused under, and when.
    refused: BTreeMap<RecordingId, (Option<Timestamp>, Timestamp)>,
}

impl Sweeper {
    /// One sweep, as [`run`]. What the law refused less than a day ago is left out, unless its
    /// term was changed. `each` is told of every recording, and ends the sweep with `Break`.
    pub fn sweep(
        &mut self,
        archive: &Archive,
        now: Timestamp,
        each: &mut dyn FnMut(Swept) -> ControlFlow<()>,
    ) -> Result<(), ArchiveError> {
        for continued in archive.continue_destructions(now)? {
            let swept = Swept {
                id: continued.id,
                outcome: continued.outcome.map(Asked::Given),
            };
            if each(swept).is_break() {
                return Ok(());
            }
        }
        self.forget_old(now);
        each_due(archive, now, &mut |due| {
            if self.is_refused(due.id, due.retain_until) {
                return ControlFlow::Continue(());
            }
            let outcome = destroy(archive, due.id, now);
            if matches!(outcome, Ok(Asked::Refused { .. })) {
                self.refused.insert(due.id, (due.retain_until, now));
            }
            each(Swept {
                id: due.id,
                outcome,
            })
        })
    }

    fn forget_old(&mut self, now: Timestamp) {
        self.refused
            .retain(|_, (_, at)| at.plus_micros(REFUSAL_STANDS_MICROS) > now);
    }

    fn is_refused(&self, id: RecordingId, retain_until: Option<Timestamp>) -> bool {
        self.refused
            .get(&id)
            .is_some_and(|(under, _)| *under == retain_until)
    }
}

/// Every recording whose term has ended by `until`, page by page.
fn each_due(
    archive: &Archive,
    until: Timestamp,
    each: &mut dyn FnMut(RecordingSummary) -> ControlFlow<()>,
) -> Result<(), ArchiveError> {
    let mut after = None;
    loop {
        let page = archive.due(until, after, PAGE_ROWS)?;
        let last = page.last().and_then(|last| {
            Some(TermCursor {
                retain_until: last.retain_until?,
                id: last.id,
            })
        });
        for due in page {
            if each(due).is_break() {
                return Ok(());
            }
        }
        after = last;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// Until when the chosen term of a recording still runs; `None` once it has ended, or when none
/// was chosen. The law does not hold anybody to a term of their own choice: only a statute's floor
/// and a hold forbid destruction. So whoever asks for it before has to be told.
#[must_use]
pub fn term_runs_until(recording: &RecordingSummary, now: Timestamp) -> Option<Timestamp> {
    recording.retain_until.filter(|until| *until > now)
}

/// Asks to destroy one recording, and does so if the law permits it.
pub fn destroy(
    archive: &Archive,
    id: RecordingId,
    now: Timestamp,
) -> Result<Asked<Destroyed>, ArchiveError> {
    let answer = archive.ask_to_destroy(id, now)?;
    match answer.verdict {
        Verdict::Permit(permit) => Ok(Asked::Given(archive.destroy(permit, now)?)),
        Verdict::Refusal(_) => Ok(Asked::Refused {
            id: answer.id,
            decision: Box::new(answer.decision),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_runs_until_it_ends_and_none_runs_where_none_was_chosen() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let recording = |retain_until| RecordingSummary {
            is_partly_private: false,
            id: RecordingId::from_bytes([7; 16]),
            line: String::new(),
            state: voicelog_archive::State::Sealed,
            started_at: at(0),
            ended_at: None,
            verdict: None,
            retain_until,
            destroyed_at: None,
            part: None,
        };
        assert_eq!(term_runs_until(&recording(Some(at(5))), at(4)), Some(at(5)));
        assert_eq!(term_runs_until(&recording(Some(at(5))), at(5)), None);
        assert_eq!(term_runs_until(&recording(None), at(4)), None);
    }

    #[test]
    fn a_refusal_stands_for_a_day_or_until_the_term_changes() {
        let id = RecordingId::from_bytes([7; 16]);
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let mut sweeper = Sweeper::default();
        sweeper.refused.insert(id, (Some(at(5)), at(10)));
        sweeper.forget_old(at(10 + 3_600));
        assert!(sweeper.is_refused(id, Some(at(5))));
        assert!(!sweeper.is_refused(id, Some(at(6))), "another term");
        sweeper.forget_old(at(10 + 86_400));
        assert!(!sweeper.is_refused(id, Some(at(5))), "a day later");
    }
}
