//! Test calls that the archive holds as not recorded, and why: the reason that an administrator would
//! otherwise have to look for.

use super::Advice;
use std::collections::BTreeSet;

/// A call of the line under test of which nothing was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unrecorded {
    /// Its id.
    pub id: String,
    /// It was not drawn for the sample of its line.
    pub not_drawn: bool,
    /// The notice of its line was looked for and not heard.
    pub notice_missed: bool,
    /// Why it was not permitted, each reason once.
    pub reasons: Vec<Advice>,
}

/// How many were left out by the draw.
pub(super) fn not_drawn(unrecorded: &[Unrecorded]) -> usize {
    unrecorded.iter().filter(|call| call.not_drawn).count()
}

/// Why the others were not recorded, with what to do; nothing where there are none.
pub(super) fn why(unrecorded: &[Unrecorded]) -> Option<Advice> {
    let refused = || unrecorded.iter().filter(|call| !call.not_drawn);
    let first = refused().next()?;
    let reasons = || refused().flat_map(|call| &call.reasons);
    let list = |text: fn(&Advice) -> &str| {
        let all: BTreeSet<&str> = reasons().map(text).collect();
        all.into_iter().collect::<Vec<_>>().join("; ")
    };
    let (id, nl, en) = (
        &first.id,
        list(|reason| &reason.nl),
        list(|reason| &reason.en),
    );
    let [notice_nl, notice_en] = if refused().any(|call| call.notice_missed) {
        [
            " De melding van de lijn is niet gehoord: laat hem afspelen met --notice FILE.",
            " The notice of the line was not heard: have it played with --notice FILE.",
        ]
    } else {
        ["", ""]
    };
    Some(Advice::new(
        format!("Niet opgenomen: {nl}.{notice_nl} Het hele oordeel: `voicelog show {id}`."),
        format!("Not recorded: {en}.{notice_en} The whole decision: `voicelog show {id}`."),
    ))
}
