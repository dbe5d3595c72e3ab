//! A refusal to be recorded in words: that it was said, and whether recording went on all the same.

use super::{IntervalKind, RefusalMark, StreamTimeline, Timeline, clock_text};
use crate::journal::{Cause, SaidBy};
use voicelog_model::Language;

/// Sound for so long after a refusal is recording that went on: until the law has answered again, what
/// arrives waits and is thrown away if the answer is no.
const WENT_ON_MICROS: u64 = 500_000;

/// Who refused, when and how, and what came of it: `p1 zei met een toets nee tegen de opname op 00:08; de
/// wet laat opnemen toch toe, en er is verder opgenomen`.
#[must_use]
pub fn refusal_text(mark: &RefusalMark, timeline: &Timeline, language: Language) -> String {
    let (party, at) = (&mark.party, clock_text(mark.at_us));
    let how = match mark.by {
        SaidBy::Key => language.pick("met een toets", "with a key"),
        SaidBy::Spoken => language.pick("hardop", "aloud"),
    };
    let went_on = timeline.streams.iter().any(|stream| went_on(stream, mark));
    let came = match (went_on, language) {
        (false, _) => "",
        (true, Language::Nl) => "; daarna is er opgenomen, want de wet liet dat toch toe",
        (true, Language::En) => {
            "; recording went on after that, for the law permits it all the same"
        }
    };
    match language {
        Language::Nl => format!("{party} zei {how} nee tegen de opname op {at}{came}"),
        Language::En => format!("{party} said no to the recording {how} at {at}{came}"),
    }
}

/// Whether sound of a stream was kept after a refusal, before any answer of the law that stopped it.
fn went_on(stream: &StreamTimeline, mark: &RefusalMark) -> bool {
    let after = mark.at_us.saturating_add(WENT_ON_MICROS);
    let intervals = stream.intervals.iter();
    intervals
        .skip_while(|interval| interval.end_us <= mark.at_us)
        .take_while(|interval| interval.cause != Some(Cause::Refusal))
        .any(|interval| interval.kind == IntervalKind::Media && interval.end_us > after)
}
