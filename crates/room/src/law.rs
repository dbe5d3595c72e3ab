//! Asking the law about a talk, and what follows from its answer.

use crate::error::RoomError;
use crate::rooms::Shared;
use crate::state::{Choice, Decision, Reason};
use crate::talk::{Inner, Journal, Permission, Talk};
use voicelog_archive::journal::{AskedBy, Ground, JournalEvent, PauseReason, ResumedBy};
use voicelog_archive::{Answer, Permit, Refusal, Verdict, act};
use voicelog_model::{DecisionId, Language, Timestamp, error::chain};

impl Inner {
    /// Recording goes on where it is started, permitted, answered and not paused.
    pub(crate) fn hold_if_due(&mut self, now: Timestamp) {
        let is_due = self.started.is_some()
            && self.ended.is_none()
            && self.permission == Permission::Given
            && self.paused_by.is_none()
            && !self.is_unanswered;
        if is_due {
            self.held.open(now);
        }
    }

    /// Whether there is something to ask the law: everybody chose, somebody said no, or it is being recorded.
    fn is_to_be_asked(&self) -> bool {
        let mut there = self.people.iter().filter(|person| person.is_there());
        let said_no = there.any(|person| person.choice == Some(Choice::RatherNot));
        self.ended.is_none() && (self.started.is_some() || self.has_all_chosen() || said_no)
    }
}

impl Shared {
    /// Asks the law where what it would be asked is not what it answered last. The caller holds `acting`.
    pub(crate) fn ask_if_needed(&self, talk: &Talk, now: Timestamp) -> Result<(), RoomError> {
        let is_unanswered = {
            let inner = talk.lock();
            if !inner.is_to_be_asked() {
                return Ok(());
            }
            inner.is_unanswered
        };
        if self.archive.is_decided(talk.id) && !is_unanswered {
            return Ok(());
        }
        let answer = self.ask(talk, now)?;
        let shown = shown(&answer);
        let mut inner = talk.lock();
        inner.decision = Some(shown);
        match answer.verdict {
            Verdict::Permit(permit) => {
                drop(inner);
                self.permitted(talk, permit, now)
            }
            Verdict::Refusal(refusal) => {
                self.refused(talk, &mut inner, answer.id, refusal, now);
                Ok(())
            }
        }
    }

    /// Asks the law. Where it cannot be asked, nothing is kept until it was.
    fn ask(&self, talk: &Talk, now: Timestamp) -> Result<Answer<act::Record>, RoomError> {
        let is_begun = {
            let mut inner = talk.lock();
            inner.asking_since = inner.started.map(|_started| now);
            inner.began.is_some()
        };
        if !is_begun {
            self.archive.set_offered_at(talk.id, now);
        }
        let answer = self.archive.ask_to_record(talk.id, now);
        let mut inner = talk.lock();
        match answer {
            Ok(answer) => {
                // Until what it says is applied, chunks wait.
                Ok(answer)
            }
            Err(error) => {
                inner.asking_since = None;
                self.unanswered(talk, &mut inner, now);
                tracing::error!(recording = %talk.id, error = %chain(&error),
                    "the law could not be asked about a talk; nothing is kept until it was");
                Err(error.into())
            }
        }
    }

    fn unanswered(&self, talk: &Talk, inner: &mut Inner, now: Timestamp) {
        let is_new = !std::mem::replace(&mut inner.is_unanswered, true);
        inner.held.close(now);
        inner.last_change = now;
        if is_new && inner.started.is_some() && inner.paused_by.is_none() {
            let event = JournalEvent::RecordingPaused {
                reason: PauseReason::Other,
                by: AskedBy::Program,
                party: None,
            };
            talk.note(inner, &self.writer, now, event);
        }
    }

    fn answered(&self, talk: &Talk, inner: &mut Inner, now: Timestamp) {
        inner.asking_since = None;
        let was_unanswered = std::mem::take(&mut inner.is_unanswered);
        if was_unanswered && inner.started.is_some() && inner.paused_by.is_none() {
            let by = ResumedBy::Program;
            let event = JournalEvent::RecordingResumed { by };
            talk.note(inner, &self.writer, now, event);
            inner.last_change = now;
        }
    }

    /// The law permits it. Before the start that only says that it can be started.
    fn permitted(
        &self,
        talk: &Talk,
        permit: Permit<act::Record>,
        now: Timestamp,
    ) -> Result<(), RoomError> {
        let decision = permit.decision();
        let is_recorded = talk.lock().started.is_some();
        let resumed = match is_recorded {
            true => self.archive.resume(permit).map(|_id| ()),
            false => Ok(()),
        };
        let mut inner = talk.lock();
        self.answered(talk, &mut inner, now);
        resumed?;
        let before = std::mem::replace(&mut inner.permission, Permission::Given);
        if is_recorded && before != Permission::Given {
            talk.note(
                &mut inner,
                &self.writer,
                now,
                JournalEvent::Permitted { decision },
            );
            inner.last_change = now;
        }
        inner.hold_if_due(now);
        Ok(())
    }

    /// The law does not permit it (any more): from this moment on nothing is kept.
    fn refused(
        &self,
        talk: &Talk,
        inner: &mut Inner,
        decision: DecisionId,
        refusal: Refusal,
        now: Timestamp,
    ) {
        inner.held.close(now);
        inner.began.get_or_insert(now);
        inner.permission = Permission::Refused;
        inner.last_change = now;
        self.answered(talk, inner, now);
        let outcome = inner.decision.as_ref().map(|shown| shown.outcome.clone());
        let reasons = refusal.grounds;
        let event = match inner.started {
            Some(_) => JournalEvent::PermitEnded { decision, reasons },
            None => JournalEvent::NotPermitted {
                decision,
                outcome: outcome.unwrap_or_default(),
                reasons,
            },
        };
        talk.note(inner, &self.writer, now, event);
    }

    /// Asks once more and begins to record. The caller holds `acting`, and the talk is ready.
    pub(crate) fn begin(&self, talk: &Talk, now: Timestamp) -> Result<(), RoomError> {
        let answer = self.ask(talk, now)?;
        let shown = shown(&answer);
        let permit = match answer.verdict {
            Verdict::Permit(permit) => permit,
            Verdict::Refusal(refusal) => {
                let mut inner = talk.lock();
                inner.decision = Some(shown);
                self.refused(talk, &mut inner, answer.id, refusal, now);
                return Err(RoomError::NotNow("the law does not permit it any more"));
            }
        };
        let decision = permit.decision();
        let begun = self.archive.begin(permit);
        let mut inner = talk.lock();
        self.answered(talk, &mut inner, now);
        let writer = begun?;
        inner.decision = Some(shown);
        // The writer has to know of it before the first event.
        self.writer.open(writer);
        let began = *inner.began.get_or_insert(now);
        let waited = std::mem::replace(&mut inner.journal, Journal::Open);
        talk.note(
            &mut inner,
            &self.writer,
            began,
            JournalEvent::CallStarted {},
        );
        if let Journal::Waits(events) = waited {
            // What was said before there was a timeline counted for the question, and stands in its decision.
            for (at, event) in events.into_iter().filter(|(at, _)| *at >= began) {
                talk.note(&mut inner, &self.writer, at, event);
            }
        }
        talk.note(
            &mut inner,
            &self.writer,
            now,
            JournalEvent::Permitted { decision },
        );
        (inner.started, inner.last_change) = (Some(now), now);
        inner.permission = Permission::Given;
        inner.hold_if_due(now);
        self.await_notice(talk, &mut inner);
        Ok(())
    }
}

/// An answer as people see it: the reasons of a refusal, or those of the law.
fn shown(answer: &Answer<act::Record>) -> Decision {
    let grounds = match &answer.verdict {
        Verdict::Refusal(refusal) => refusal.grounds.iter().map(reason).collect(),
        Verdict::Permit(_) => {
            let reasons = answer.decision.reasons().iter();
            reasons
                .map(|reason| Reason {
                    text_nl: reason.text.pick(Language::Nl).to_owned(),
                    text_en: reason.text.pick(Language::En).to_owned(),
                    articles: reason.articles.clone(),
                })
                .collect()
        }
    };
    Decision {
        outcome: answer.decision.outcome().as_str().to_owned(),
        grounds,
    }
}

pub(crate) fn reason(ground: &Ground) -> Reason {
    Reason {
        text_nl: ground.text_nl.clone(),
        text_en: ground.text_en.clone(),
        articles: ground.articles.clone(),
    }
}
