//! Test calls that the archive holds as not recorded, and why: the reason that an administrator would
//! otherwise have to look for.

use super::Advice;
use std::collections::BTreeSet;

/// A call of the line under test of which nothing was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unrecorded {
    /// Its id.
    pub id: String,
    /// What kept it out.
    pub because: Because,
    /// The notice of its line was looked for and not heard.
    pub notice_missed: bool,
    /// Why it was not permitted, each reason once.
    pub reasons: Vec<Advice>,
}

/// What kept a call out of the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// The law did not permit it.
    NotPermitted,
    /// It was not drawn for the sample of its line.
    NotDrawn,
    /// Nobody asked to keep it, on a line that keeps what it is asked to keep.
    NotRequested,
}

/// How many the line left out as it is set up to.
pub(super) fn left_out(unrecorded: &[Unrecorded]) -> usize {
    let such = |call: &&Unrecorded| call.because != Because::NotPermitted;
    unrecorded.iter().filter(such).count()
}

/// How many were left out by what.
fn count(unrecorded: &[Unrecorded], because: Because) -> usize {
    let such = |call: &&Unrecorded| call.because == because;
    unrecorded.iter().filter(such).count()
}

/// The same in words, to be put behind a sentence; of `most` calls, since others can call the line too.
pub(super) fn left_out_in_words(unrecorded: &[Unrecorded], most: usize) -> Advice {
    let mut words = Advice::new("", "");
    let drawn = count(unrecorded, Because::NotDrawn).min(most);
    if drawn > 0 {
        words.nl += &format!("; {drawn} niet geloot voor de steekproef van deze lijn");
        words.en += &format!("; {drawn} not drawn for the sample of this line");
    }
    let asked = count(unrecorded, Because::NotRequested).min(most - drawn);
    if asked > 0 {
        words.nl += &format!(
            "; {asked} niet bewaard, want niemand vroeg erom (deze lijn bewaart op verzoek)"
        );
        words.en +=
            &format!("; {asked} not kept, since nobody asked for it (this line keeps on request)");
    }
    words
}

/// How to see what a line keeps that keeps what it is asked to keep; nothing where calls were left out
/// for no such reason.
pub(super) fn how_to_ask(unrecorded: &[Unrecorded]) -> Option<Advice> {
    (count(unrecorded, Because::NotRequested) > 0).then(|| {
        Advice::new(
            "Deze lijn bewaart wat iemand vraagt te bewaren. Doe een proef met --seconds 30 en vraag het tijdens het \
             gesprek: `GET /v1/calls` noemt het, `POST /v1/calls/ID/keep` vraagt erom. Binnen look_back_seconds na \
             het begin wordt het hele gesprek bewaard, en dan wordt hier pakket voor pakket geteld.",
            "This line keeps what somebody asks to keep. Make a test with --seconds 30 and ask during the call: `GET \
             /v1/calls` names it, `POST /v1/calls/ID/keep` asks for it. Within look_back_seconds of its beginning the \
             whole call is kept, and then this counts packet for packet.",
        )
    })
}

/// Why the others were not recorded, with what to do; nothing where there are none.
pub(super) fn why(unrecorded: &[Unrecorded]) -> Option<Advice> {
    let is_refused = |call: &&Unrecorded| call.because == Because::NotPermitted;
    let refused = || unrecorded.iter().filter(is_refused);
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
