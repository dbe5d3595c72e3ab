//! The end of the term: which recordings are due, or their sound, and its destruction.
//!
//! The index names candidates; whether one may be destroyed is asked of the law each time, with
//! the holds and terms of that moment.

use crate::Asked;
use crate::moment::month_start;
use serde_json::Value;
use std::ops::ControlFlow;
use voicelog_archive::{
    Answer, Archive, ArchiveError, Continued, DESTROYED_AT_ONCE_MAX, Destroyed, Permit,
    RecordingSummary, TermCursor, TermsAlike, TermsPreview, Verdict, act,
};
use voicelog_law::FactWords;
use voicelog_model::{Language, Pii, ProposalId, RecordingId, Scope, Timestamp};

/// How long the first refusal stands before the law is asked again, in microseconds: a day. Each question
/// costs a decision and a leaf of the log, for ever; so each further one stands twice as long.
const REFUSAL_STANDS_MICROS: i64 = 86_400 * 1_000_000;
/// … up to 32 days.
const DOUBLINGS_MAX: u32 = 5;

/// Recordings that one sweep puts into their groups, for the preview, at most.
const SORTED_MAX: usize = 20_000;

/// What a sweep would find of the terms that are over by `until`: how many it would destroy, what the law
/// would refuse and why, what is held and why. Nothing is destroyed, kept or logged.
pub fn preview(
    archive: &Archive,
    until: Timestamp,
    now: Timestamp,
) -> Result<TermsPreview, ArchiveError> {
    archive.sort_terms(SORTED_MAX)?;
    archive.preview_terms(until, now)
}

/// The term that was chosen, and between which bounds statutes let one choose, with their articles.
#[must_use]
pub fn term_in_words(alike: &TermsAlike, at: Timestamp, lang: Language) -> String {
    let words = FactWords::load(lang, at).ok();
    let say = |length: &str| {
        let said = words.as_ref();
        said.map_or_else(
            || length.to_owned(),
            |words| words.value("retention_term", &Value::from(length)),
        )
    };
    let chosen = alike.retention_term.as_deref();
    let mut parts = vec![chosen.map_or_else(|| lang.pick("geen", "none").to_owned(), say)];
    let bounds = [
        (alike.bounds.floor, lang.pick("ten minste", "at least")),
        (alike.bounds.ceiling, lang.pick("ten hoogste", "at most")),
    ];
    for (bound, how) in bounds {
        parts.extend(bound.map(|bound| format!("{how} {} ({})", say(bound.length), bound.article)));
    }
    if parts.len() == 1 {
        let text = lang.pick(
            "hiervoor is geen wettelijk getal bekend: niet langer dan nodig voor het doel (AVG 5 lid 1 e)",
            "no number of a statute is known for this: no longer than the purpose needs (AVG 5 lid 1 e)",
        );
        parts.push(text.to_owned());
    }
    parts.join("; ")
}

/// Why a sweep looks at a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SweepReason {
    /// Its destruction had begun, and was not complete.
    Continued,
    /// Two people agreed to destroy it, and that was not carried out.
    Confirmed,
    /// Its term, or that of its sound, has ended.
    TermEnded,
}

impl SweepReason {
    /// As logs and JSON name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Continued => "continued",
            Self::Confirmed => "confirmed",
            Self::TermEnded => "term_ended",
        }
    }
}

/// What the sweep did with one recording.
#[derive(Debug)]
pub struct Swept {
    /// Which recording.
    pub id: RecordingId,
    /// How much of it.
    pub scope: Scope,
    /// Why it was looked at.
    pub reason: SweepReason,
    /// Destroyed, refused by the law, or failed. One failure does not stop the sweep.
    pub outcome: Result<Asked<Destroyed>, ArchiveError>,
}

/// Goes on with destructions that were begun, carries out proposals that were confirmed, then destroys every recording
/// whose term has ended, and the sound of those where that of the sound has, if the law permits it.
pub fn run(archive: &Archive, now: Timestamp) -> Result<Vec<Swept>, ArchiveError> {
    let mut all = Vec::new();
    sweep(archive, now, &mut |swept| {
        all.push(swept);
        ControlFlow::Continue(())
    })?;
    Ok(all)
}

/// The same, telling `each` of every recording; it ends the sweep with `Break`. What the law refuses is
/// put off: it is no candidate until its next review, also after a restart.
///
/// It ends where old pages cannot be wiped, as beside a backup: each try would keep calls from being
/// written, and the next sweep goes on.
///
/// # Errors
/// [`ArchiveError::ClockJumped`]: nothing is destroyed by a clock that jumped.
pub fn sweep(
    archive: &Archive,
    now: Timestamp,
    each: &mut dyn FnMut(Swept) -> ControlFlow<()>,
) -> Result<(), ArchiveError> {
    archive.must_believe_clock(now)?;
    for continued in archive.continue_destructions(now)? {
        let is_blocked = continued
            .outcome
            .as_ref()
            .is_err_and(ArchiveError::is_blocked);
        let swept = Swept {
            id: continued.id,
            scope: continued.scope,
            reason: SweepReason::Continued,
            outcome: continued.outcome.map(Asked::Given),
        };
        if each(swept).is_break() || is_blocked {
            return Ok(());
        }
    }
    // What two people agreed on, and a crash kept from being done.
    let confirmed = archive.confirmed_proposals(now, DESTROYED_AT_ONCE_MAX)?;
    let answers = archive.ask_to_destroy_confirmed_all(&confirmed, now);
    let looked_at = (Scope::Whole, SweepReason::Confirmed);
    let all = destroy_answered(archive, looked_at, answers, now, Archive::destroy_all)?;
    if tell_each(all, each).is_break() {
        return Ok(());
    }
    // The whole first: of what goes as a whole the sound need not go alone.
    for scope in [Scope::Whole, Scope::Sound] {
        let goes_on = each_due(archive, scope, now, |due| {
            Ok(tell_each(destroy_due(archive, scope, due, now)?, each))
        })?;
        if goes_on.is_break() {
            break;
        }
    }
    archive.sort_terms(SORTED_MAX)?;
    Ok(())
}

/// Months before the term of refusals that are looked at: ten years, in which a server may have stood still.
const MONTHS_LOOKED_AT: i64 = 120;

/// Wipes what was said in refusals of requests to record, of every month that ended so many months ago; gives how many there
/// were. They are no recordings: no term of the law holds for them, and nothing is asked of it.
///
/// # Errors
/// [`ArchiveError::ClockJumped`]: nothing is wiped by a clock that jumped.
pub fn forget_requests(
    archive: &Archive,
    months: u16,
    now: Timestamp,
) -> Result<usize, ArchiveError> {
    archive.must_believe_clock(now)?;
    let mut forgotten = 0;
    for before in 1..=MONTHS_LOOKED_AT {
        let month = month_start(now, i64::from(months) + before);
        forgotten += archive.forget_requests(month)?;
    }
    Ok(forgotten)
}

/// Tells of all that was done, whatever is said of going on; whether the sweep goes on.
fn tell_each(all: Vec<Swept>, each: &mut dyn FnMut(Swept) -> ControlFlow<()>) -> ControlFlow<()> {
    let mut goes_on = ControlFlow::Continue(());
    for swept in all {
        let is_blocked = swept.outcome.as_ref().is_err_and(ArchiveError::is_blocked);
        if each(swept).is_break() || is_blocked {
            goes_on = ControlFlow::Break(());
        }
    }
    goes_on
}

/// Asks about some recordings whose term has ended, and destroys those that the law permits to.
fn destroy_due(
    archive: &Archive,
    scope: Scope,
    due: &[RecordingId],
    now: Timestamp,
) -> Result<Vec<Swept>, ArchiveError> {
    let looked_at = (scope, SweepReason::TermEnded);
    match scope {
        Scope::Whole => {
            let answers = archive.ask_to_destroy_all(due, now);
            destroy_answered(archive, looked_at, answers, now, Archive::destroy_all)
        }
        Scope::Sound => {
            let answers = archive.ask_to_destroy_sound_all(due, now);
            destroy_answered(archive, looked_at, answers, now, Archive::destroy_sound_all)
        }
    }
}

/// What the law answered about some recordings.
type Answers<A> = Vec<(RecordingId, Result<Answer<A>, ArchiveError>)>;

/// The act that such answers permit.
type Destroy<A> = fn(&Archive, Vec<Permit<A>>, Timestamp) -> Result<Vec<Continued>, ArchiveError>;

/// Destroys what the law permits to, and puts off what it does not.
fn destroy_answered<A>(
    archive: &Archive,
    (scope, reason): (Scope, SweepReason),
    answers: Answers<A>,
    now: Timestamp,
    destroy: Destroy<A>,
) -> Result<Vec<Swept>, ArchiveError> {
    let (mut all, mut permits) = (Vec::new(), Vec::new());
    for (id, answer) in answers {
        let outcome = match answer {
            // What two people agreed on and cannot be proven now: the next ones have their turn.
            Err(error) if reason == SweepReason::Confirmed => {
                put_off(archive, (id, scope), now).and(Err(error))
            }
            Err(error) => Err(error),
            Ok(Answer {
                verdict: Verdict::Permit(permit),
                ..
            }) => {
                permits.push(permit);
                continue;
            }
            Ok(refused) => put_off(archive, (id, scope), now).map(|()| Asked::Refused {
                id: refused.id,
                decision: Box::new(refused.decision),
            }),
        };
        all.push(Swept {
            id,
            scope,
            reason,
            outcome,
        });
    }
    let destroyed = destroy(archive, permits, now)?;
    all.extend(destroyed.into_iter().map(|continued| Swept {
        id: continued.id,
        scope,
        reason,
        outcome: continued.outcome.map(Asked::Given),
    }));
    Ok(all)
}

/// What the law refuses is no candidate until its next review.
fn put_off(
    archive: &Archive,
    (id, scope): (RecordingId, Scope),
    now: Timestamp,
) -> Result<(), ArchiveError> {
    let refused = archive.refused_destructions(id, scope)?;
    archive.ask_again(id, scope, next_review(refused, now))
}

/// When the law is asked again about what it refused so many times.
fn next_review(refused: u32, now: Timestamp) -> Timestamp {
    let doublings = refused.saturating_sub(1).min(DOUBLINGS_MAX);
    now.plus_micros(REFUSAL_STANDS_MICROS << doublings)
}

/// Every recording whose term, or that of its sound, has ended by `until`, page by page.
fn each_due(
    archive: &Archive,
    scope: Scope,
    until: Timestamp,
    mut each: impl FnMut(&[RecordingId]) -> Result<ControlFlow<()>, ArchiveError>,
) -> Result<ControlFlow<()>, ArchiveError> {
    let mut after = None;
    loop {
        let page = match scope {
            Scope::Whole => archive.due(until, after, DESTROYED_AT_ONCE_MAX)?,
            Scope::Sound => archive.due_sound(until, after, DESTROYED_AT_ONCE_MAX)?,
        };
        let last = page.last().and_then(|last| {
            let retain_until = match scope {
                Scope::Whole => last.retain_until?,
                Scope::Sound => last.sound_until?,
            };
            Some(TermCursor {
                retain_until,
                id: last.id,
            })
        });
        let ids: Vec<_> = page.iter().map(|due| due.id).collect();
        if each(&ids)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        after = last;
        if after.is_none() {
            return Ok(ControlFlow::Continue(()));
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
///
/// # Errors
/// [`ArchiveError::ClockJumped`]: floors and terms are counted by a clock that may be wrong.
pub fn destroy(
    archive: &Archive,
    id: RecordingId,
    now: Timestamp,
) -> Result<Asked<Destroyed>, ArchiveError> {
    ask_and_destroy(archive, id, None, now)
}

/// The same, asked by an account. Its name is sealed with the decision; that one asked is certified.
pub fn destroy_for(
    archive: &Archive,
    id: RecordingId,
    asker: &Pii<String>,
    now: Timestamp,
) -> Result<Asked<Destroyed>, ArchiveError> {
    ask_and_destroy(archive, id, Some(asker), now)
}

/// A second person confirms a proposal, and the recording is destroyed if the law permits that now. The confirmation is
/// durable before: where the destruction fails, the next sweep carries it out.
///
/// # Errors
/// [`ArchiveError::SamePerson`], [`ArchiveError::ProposalOver`]; [`ArchiveError::ClockJumped`], and then nothing is
/// confirmed.
pub fn confirm(
    archive: &Archive,
    id: ProposalId,
    by: &Pii<String>,
    now: Timestamp,
) -> Result<Asked<Destroyed>, ArchiveError> {
    archive.must_believe_clock(now)?;
    let proposal = archive.confirm(id, by, now)?;
    let answer = archive.ask_to_destroy_confirmed(proposal.recording, now)?;
    destroy_permitted(archive, answer, now)
}

fn ask_and_destroy(
    archive: &Archive,
    id: RecordingId,
    asker: Option<&Pii<String>>,
    now: Timestamp,
) -> Result<Asked<Destroyed>, ArchiveError> {
    archive.must_believe_clock(now)?;
    let answer = archive.ask_to_destroy_for(id, asker, now)?;
    destroy_permitted(archive, answer, now)
}

fn destroy_permitted(
    archive: &Archive,
    answer: Answer<act::Destroy>,
    now: Timestamp,
) -> Result<Asked<Destroyed>, ArchiveError> {
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
    use voicelog_law::{TermBound, TermBounds};

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
            sound_until: None,
            sound_destroyed_at: None,
            part: None,
        };
        assert_eq!(term_runs_until(&recording(Some(at(5))), at(4)), Some(at(5)));
        assert_eq!(term_runs_until(&recording(Some(at(5))), at(5)), None);
        assert_eq!(term_runs_until(&recording(None), at(4)), None);
    }

    #[test]
    fn a_term_is_told_with_the_bounds_that_statutes_set_and_their_articles() {
        let bound = |length| TermBound {
            length,
            article: "Wet 1",
        };
        let said = |floor, ceiling, lang| {
            let alike = TermsAlike {
                line: String::new(),
                purpose: None,
                count: 1,
                retention_term: Some("P1Y".to_owned()),
                bounds: TermBounds { floor, ceiling },
                refusals: Vec::new(),
            };
            let at = Timestamp::from_micros(1_795_000_000_000_000);
            term_in_words(&alike, at, lang)
        };
        let both = said(Some(bound("P1M")), Some(bound("P5Y")), Language::Nl);
        assert_eq!(
            both,
            "1 jaar; ten minste 1 maand (Wet 1); ten hoogste 5 jaar (Wet 1)"
        );
        let none = said(None, None, Language::En);
        assert!(none.starts_with("1 year; no number of a statute"), "{none}");
    }

    #[test]
    fn a_refusal_stands_for_a_day_and_each_further_one_twice_as_long_up_to_32_days() {
        let days = |refused| {
            next_review(refused, Timestamp::from_micros(0)).micros() / REFUSAL_STANDS_MICROS
        };
        let all: Vec<_> = [0, 1, 2, 3, 6, 7, u32::MAX].map(days).into();
        assert_eq!(all, [1, 1, 2, 4, 32, 32, 32]);
    }
}
