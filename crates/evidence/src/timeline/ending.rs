//! The end of a recording that was our own doing: the conversation may have gone on without us, and
//! nothing that is shown of such a recording may sound as if it had not.

use super::{Interval, IntervalKind, Timeline, Verdict, clock_text};
use crate::journal::Cause;
use voicelog_model::Language;

/// Whether an end with that cause cut the conversation off.
pub(super) const fn cuts_short(end: Cause) -> bool {
    // The law's answer is no accident: what it left out is declared with its reason.
    matches!(
        end,
        Cause::Overload | Cause::DiskFull | Cause::Shutdown | Cause::Restart
    )
}

/// Where the recorder stopped while the conversation may have gone on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CutShort {
    /// In microseconds from the start of the call.
    pub at_us: u64,
    /// Why.
    pub cause: Cause,
}

impl Timeline {
    /// Where we stopped before the conversation did, and why; nothing where the call ended by itself
    /// or nothing of it was recorded.
    #[must_use]
    pub fn cut_short(&self) -> Option<CutShort> {
        let cause = self.end.filter(|end| cuts_short(*end))?;
        match self.verdict {
            Verdict::NotRecorded | Verdict::NotDrawn | Verdict::NotRequested => return None,
            Verdict::Whole
            | Verdict::WholeWithDeclaredGaps
            | Verdict::CutShort
            | Verdict::UndeclaredGap => {}
        }
        // What we lost or were not there for at the very end is not recorded either.
        let is_ours = |interval: &&Interval| {
            matches!(interval.kind, IntervalKind::Restart | IntervalKind::Dropped)
        };
        let last = self.streams.iter().filter_map(|s| s.intervals.last());
        let begun = last.filter(is_ours).map(|interval| interval.start_us).min();
        let at_us = begun.unwrap_or_else(|| self.length_us());
        Some(CutShort { at_us, cause })
    }
}

/// How a recording that we cut short ended, in a sentence: `de opnameserver stopte op 00:03 omdat de
/// schijf vol was; wat daarna is gezegd, is niet opgenomen`.
#[must_use]
pub fn ending_text(timeline: &Timeline, language: Language) -> Option<String> {
    let CutShort { at_us, cause } = timeline.cut_short()?;
    let at = clock_text(at_us);
    let (nl, en) = match cause {
        Cause::DiskFull => ("omdat de schijf vol was", "because the disk was full"),
        Cause::Shutdown => ("omdat hij werd afgesloten", "because it was shut down"),
        Cause::Restart => (
            "door een storing, en is later weer gestart",
            "because of a failure, and was started again later",
        ),
        _ => (
            "door een fout van de server zelf",
            "because of a fault of its own",
        ),
    };
    Some(match language {
        Language::Nl => {
            format!("de opnameserver stopte op {at} {nl}; wat daarna is gezegd, is niet opgenomen")
        }
        Language::En => {
            format!("the recorder stopped at {at} {en}; what was said after that is not recorded")
        }
    })
}
