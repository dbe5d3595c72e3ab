//! Pauses of a call on our side, and private calls: from which moment to which nothing that arrives is kept.
//!
//! A pause is a stretch of time and belongs to the call, not to a stream, an SSRC or an answer of
//! the law: it goes on over a re-INVITE, a transfer and a hold. It holds for what waits in the
//! kernel as well, by its arrival time.

use std::collections::VecDeque;
use voicelog_archive::journal::{AskedBy, JournalEvent, PauseReason, PrivateEnd, ResumedBy};
use voicelog_model::Timestamp;

/// Stretches that are over and remembered, for packets of theirs that are still in the kernel.
const OVER_MAX: usize = 64;

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PauseOrder {
    /// Why.
    pub(crate) reason: PauseReason,
    /// Who asks.
    pub(crate) by: AskedBy,
    /// Pseudonym of who pressed the key, where that is known.
    pub(crate) party: Option<String>,
    /// How long at most, in microseconds.
    pub(crate) micros: i64,
}

/// Who says that a call is private, or is no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PrivateOrder {
    /// How it is said.
    pub(crate) by: AskedBy,
    /// Pseudonym of who pressed the key.
    pub(crate) party: Option<String>,
}

/// A pause that a call is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PauseStatus {
    /// Why.
    pub reason: PauseReason,
    /// How it was asked for.
    pub by: AskedBy,
    /// From when on nothing is kept.
    pub since: Timestamp,
    /// When recording goes on by itself.
    pub until: Timestamp,
}

/// The pauses of one call, and the private call that it may be.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    now: Option<PauseStatus>,
    /// Since when it is a private call.
    private: Option<Timestamp>,
    over: VecDeque<(Timestamp, Timestamp)>,
}

impl Pauses {
    /// The pause that the call is in.
    pub(super) const fn status(&self) -> Option<PauseStatus> {
        self.now
    }

    /// Since when it is a private call, if it is.
    pub(super) const fn private(&self) -> Option<Timestamp> {
        self.private
    }

    /// Whether what arrives now is not kept.
    pub(super) const fn are_on(&self) -> bool {
        self.now.is_some() || self.private.is_some()
    }

    /// It is a private call from that moment on. Nothing if it was one.
    pub(super) fn begin_private(
        &mut self,
        by: AskedBy,
        party: Option<String>,
        at: Timestamp,
    ) -> Option<JournalEvent> {
        if self.private.is_some() {
            return None;
        }
        self.private = Some(at);
        Some(JournalEvent::PrivateBegan { by, party })
    }

    /// It is no longer one. Nothing if it was none.
    pub(super) fn end_private(
        &mut self,
        reason: PrivateEnd,
        by: AskedBy,
        party: Option<String>,
        at: Timestamp,
    ) -> Option<JournalEvent> {
        let since = self.private.take()?;
        self.remember(since, at);
        Some(JournalEvent::PrivateEnded { reason, by, party })
    }

    /// Our clock was set: the same moments are meant.
    pub(super) fn on_clock_step(&mut self, by_us: i64) {
        if let Some(pause) = &mut self.now {
            pause.since = pause.since.plus_micros(by_us);
            pause.until = pause.until.plus_micros(by_us);
        }
        self.private = self.private.map(|since| since.plus_micros(by_us));
        for (since, until) in &mut self.over {
            *since = since.plus_micros(by_us);
            *until = until.plus_micros(by_us);
        }
    }

    /// Whether what arrived then is not kept.
    pub(super) fn covers(&self, arrived: Timestamp) -> bool {
        self.now.is_some_and(|pause| pause.since <= arrived)
            || self.private.is_some_and(|since| since <= arrived)
            || self
                .over
                .iter()
                .any(|(since, until)| *since <= arrived && arrived < *until)
    }

    /// Pauses from that moment on; another pause that is going on becomes this one.
    pub(super) fn begin(&mut self, order: PauseOrder, at: Timestamp) -> JournalEvent {
        let PauseOrder {
            reason,
            by,
            party,
            micros,
        } = order;
        let since = self.now.map_or(at, |before| before.since.min(at));
        self.now = Some(PauseStatus {
            reason,
            by,
            since,
            until: at.plus_micros(micros),
        });
        JournalEvent::RecordingPaused { reason, by, party }
    }

    /// Goes on from that moment. Nothing if there is no pause.
    pub(super) fn end(&mut self, at: Timestamp, by: ResumedBy) -> Option<JournalEvent> {
        let pause = self.now.take()?;
        self.remember(pause.since, at);
        Some(JournalEvent::RecordingResumed { by })
    }

    /// A stretch is over, and packets of it may still be in the kernel.
    fn remember(&mut self, since: Timestamp, until: Timestamp) {
        if self.over.len() == OVER_MAX {
            // The oldest two become one: what lay between them is not kept either.
            if let (Some((since, _)), Some((_, until))) =
                (self.over.pop_front(), self.over.pop_front())
            {
                self.over.push_front((since, until));
            }
        }
        self.over.push_back((since, until));
    }

    /// When the pause has lasted as long as it may, if that is so by now.
    pub(super) fn is_due(&self, now: Timestamp) -> Option<Timestamp> {
        let until = self.now?.until;
        (until <= now).then_some(until)
    }

    /// Everything that had arrived by now was read.
    pub(super) fn forget_over(&mut self) {
        self.over.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_micros(millis * 1_000)
    }

    fn order(reason: PauseReason, millis: i64) -> PauseOrder {
        PauseOrder {
            reason,
            by: AskedBy::Program,
            party: None,
            micros: millis * 1_000,
        }
    }

    #[test]
    fn what_arrives_from_the_first_moment_until_the_last_is_not_kept() {
        let mut pauses = Pauses::default();
        assert!(!pauses.covers(at(100)));
        pauses.begin(order(PauseReason::CardData, 1_000), at(100));
        assert!(!pauses.covers(at(99)) && pauses.covers(at(100)) && pauses.covers(at(5_000)));
        assert!(pauses.end(at(200), ResumedBy::Program).is_some());
        assert!(!pauses.covers(at(99)) && pauses.covers(at(199)) && !pauses.covers(at(200)));
        assert!(pauses.end(at(300), ResumedBy::Program).is_none());
    }

    #[test]
    fn a_pause_ends_at_its_limit_and_a_second_one_moves_the_limit_but_not_the_beginning() {
        let mut pauses = Pauses::default();
        pauses.begin(order(PauseReason::CardData, 1_000), at(100));
        assert_eq!(pauses.is_due(at(1_099)), None);
        assert_eq!(pauses.is_due(at(1_500)), Some(at(1_100)));
        pauses.begin(order(PauseReason::Medical, 1_000), at(900));
        assert_eq!(pauses.is_due(at(1_500)), None);
        let status = pauses.status().unwrap();
        assert_eq!((status.since, status.until), (at(100), at(1_900)));
        assert_eq!(status.reason, PauseReason::Medical);
    }

    #[test]
    fn a_private_call_has_no_limit_and_covers_what_a_pause_within_it_leaves() {
        let mut pauses = Pauses::default();
        let party = Some("p1".to_owned());
        let began = pauses.begin_private(AskedBy::Key, party.clone(), at(100));
        assert!(matches!(began, Some(JournalEvent::PrivateBegan { .. })));
        assert!(pauses.begin_private(AskedBy::Key, None, at(200)).is_none());
        pauses.begin(order(PauseReason::CardData, 1_000), at(300));
        assert!(pauses.end(at(400), ResumedBy::Program).is_some());
        assert!(!pauses.covers(at(99)) && pauses.covers(at(450)));
        assert_eq!(
            (pauses.is_due(at(i64::from(u32::MAX))), pauses.are_on()),
            (None, true)
        );
        let (reason, by) = (PrivateEnd::Mistake, AskedBy::Key);
        assert!(pauses.end_private(reason, by, party, at(500)).is_some());
        assert!(pauses.end_private(reason, by, None, at(600)).is_none());
        assert!(pauses.covers(at(499)) && !pauses.covers(at(500)) && !pauses.are_on());
    }

    #[test]
    fn however_many_pauses_wait_for_the_kernel_none_is_forgotten_and_the_memory_is_bounded() {
        let mut pauses = Pauses::default();
        for number in 0..1_000 {
            pauses.begin(order(PauseReason::Other, 1_000), at(number * 10));
            pauses.end(at(number * 10 + 5), ResumedBy::Program);
        }
        assert!((0..1_000).all(|number| pauses.covers(at(number * 10 + 4))));
        assert!(pauses.over.len() <= OVER_MAX && !pauses.covers(at(9_996)));
        pauses.forget_over();
        assert!(!pauses.covers(at(4)));
    }
}
