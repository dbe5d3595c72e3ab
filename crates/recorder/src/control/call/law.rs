//! What the law's answers do to a call.
//!
//! | | permitted | refused | no answer |
//! |---|---|---|---|
//! | asking | begin, answer `recvonly` | wait (`inactive`) or reject (403) | reject (500 or 503) |
//! | waiting | begin, re-INVITE `recvonly` | wait on | wait on, ask again |
//! | recording | go on | stop, re-INVITE `inactive` | hold 5 s, then stop; ask again |
//! | stopped | go on, re-INVITE `recvonly` | stay stopped | stay stopped, ask again |
//!
//! Where the law permits and nobody has asked to keep the call, it waits as after a refusal, while what
//! comes is held in memory (`keep.rs`).
//!
//! Where keys about consent are listened for, `recvonly` stands throughout; and a client that holds
//! is not told to stop.
//!
//! While an answer is awaited media stays in the kernel: a permission then loses nothing, and a
//! refusal holds from the moment at which the facts changed. Where they changed so often meanwhile that
//! nobody asked about all of it, what waits is left out though what comes now is permitted.

use super::Call;
use super::keys::CallKeys;
use crate::control::Hands;
use crate::decider::{Asked, NoAnswer, Question, Reply};
use crate::media::{Attention, MediaCommand, MediaSession};
use crate::shared::{CallEntry, CallState, NO_ANSWER};
use std::sync::Arc;
use voicelog_archive::journal::{Cause, Ground, JournalEvent, KEEP_RULE, SAMPLE_RULE};
use voicelog_archive::{OfferedParty, WhenRefused};
use voicelog_model::{DecisionId, RecordingId, Timestamp};

/// How long media waits in the kernel for an answer of the law that fails to come; then it is
/// thrown away until there is one.
const WITHOUT_ANSWER_MICROS: i64 = 5_000_000;
/// The longest pause between two attempts to get an answer, in seconds.
const RETRY_SECONDS_MAX: i64 = 30;

impl Call {
    /// Takes a reply of the deciders.
    pub(in crate::control) fn on_reply(&mut self, reply: Reply, hands: &mut Hands<'_>) {
        self.is_asking = false;
        let is_first = reply.call.is_some();
        let back = self.notice.answered();
        if let Some(call) = reply.call {
            self.when_refused = call.line.when_refused;
            self.keys = CallKeys::of(&call.line.keys);
            self.opened(call.id, hands);
            self.carry(&call, hands);
            self.await_notice(&call, hands);
            if let Ok(asked) = &reply.asked {
                self.mind_what_was_said(asked.at(), hands);
            }
        }
        match reply.asked {
            Ok(asked) => {
                (self.failures, self.retry_at) = (0, None);
                let since = self.held_since.take();
                let is_decided = self.is_decided(hands);
                // Told meanwhile, and known to the answer already: there is nothing more to ask.
                if is_decided {
                    self.changed_at = None;
                }
                let unasked = since.filter(|_since| self.take_unasked(is_decided));
                match asked {
                    Asked::Permitted { decision, at } => {
                        if let Some(since) = unasked {
                            self.leave_out(since, hands);
                        }
                        self.on_permitted(decision, (at, back), hands);
                    }
                    Asked::Refused {
                        decision,
                        at,
                        outcome,
                        grounds,
                        look_back_seconds,
                    } => {
                        match look_back_seconds {
                            Some(seconds) => self.hold_for_look_back(at, seconds, hands),
                            None => self.drop_look_back(hands),
                        }
                        let when_refused = match look_back_seconds {
                            Some(_) => WhenRefused::Wait,
                            None => self.when_refused,
                        };
                        let refused = (decision, outcome, grounds);
                        self.on_refused(refused, (at, since), when_refused, hands);
                    }
                }
            }
            Err(reason) => {
                self.notice.not_answered(back);
                self.on_no_answer(reason, hands);
            }
        }
        if is_first {
            self.note_refusals(hands);
        }
        match (self.ended, self.changed_at.take()) {
            // What came between the change and the end waits in the kernel, or what came before it in
            // memory, for its answer.
            (Some(_), Some(at)) if self.has_media_that_waits() => self.ask_again(at, hands),
            (Some((at, cause)), _) => self.finish(at, cause, hands),
            (None, Some(at)) => self.ask_again(at, hands),
            (None, None) => {}
        }
        hands.show_state(self.id, self.state);
    }

    /// Whether the call was, since it was asked about, as nobody has asked about. It changed meanwhile: then the
    /// answer is about how it was before the one change, or, if it changed more than once or is now as the
    /// answer knew it, about how it was at a moment that nobody knows.
    fn take_unasked(&mut self, is_decided: bool) -> bool {
        let later = self.later_changes.take();
        later.is_some_and(|(first, last)| is_decided || first < last)
    }

    /// What came since then is not kept, though the law permits what comes now: a hold shorter than a question
    /// is a hold all the same.
    fn leave_out(&mut self, since: Timestamp, hands: &mut Hands<'_>) {
        if self.state == CallState::Recording {
            self.close_media(since, Vec::new(), Some(Cause::Refusal), hands);
            self.state = CallState::Stopped;
        }
    }

    fn opened(&mut self, id: RecordingId, hands: &mut Hands<'_>) {
        self.id = Some(id);
        let sockets = std::mem::take(&mut self.sockets);
        let session = MediaSession::new(id, sockets, Arc::clone(&self.counts));
        hands.media(self.thread, MediaCommand::Add(Box::new(session)));
        let entry = CallEntry {
            state: self.state,
            offered_at: self.offered_at,
            counts: Arc::clone(&self.counts),
        };
        hands.shared.insert_call(id, entry);
        // It may have told more since it was offered.
        hands.archive.update_about(id, self.about.clone());
        if let Some(parties) = self.parties.take() {
            hands.archive.update_parties(id, parties);
            // What the law has just answered was asked without them.
            self.changed_at.get_or_insert(hands.now);
        }
        if self.hold.begins_with(id, hands) {
            self.changed_at.get_or_insert(hands.now);
        }
        self.listen(hands);
    }

    /// The archive has known the call for a while, and so has whoever asks it: what was said since
    /// then nobody here was told, for nobody here knew the call. `at`: when the law answered.
    fn mind_what_was_said(&mut self, at: Timestamp, hands: &mut Hands<'_>) {
        if !self.is_decided(hands) {
            self.notice.other_change(hands.now);
            self.changed_at.get_or_insert(at);
        }
    }

    /// Remembers participants until the archive knows the call.
    pub(in crate::control) fn keep_parties(&mut self, parties: Vec<OfferedParty>) {
        self.parties = Some(parties);
    }

    /// `back`: since when the media waits that may be kept now, because the notice was heard.
    fn on_permitted(
        &mut self,
        decision: DecisionId,
        (at, back): (Timestamp, Option<Timestamp>),
        hands: &mut Hands<'_>,
    ) {
        self.start(at);
        let back = self.keep.permitted().or(back);
        let back = back.filter(|_from| !self.is_begun);
        let at = back.unwrap_or(at);
        let before = std::mem::replace(&mut self.state, CallState::Recording);
        let mut events = std::mem::take(&mut self.events);
        if before != CallState::Recording {
            events.push((at, JournalEvent::Permitted { decision }));
        }
        self.grounds = None;
        self.is_begun = true;
        if let Some(id) = self.id {
            let command = MediaCommand::Keep {
                id,
                from: at,
                events,
                is_stale: self.changed_at.is_some(),
                with_waiting: back.is_some(),
                asked: self.keep.take_asking(),
            };
            hands.media(self.thread, command);
            tracing::info!(recording = %id, %decision, "permitted");
        }
        if before == CallState::Asking {
            self.answer(hands);
        } else {
            self.align(hands);
        }
    }

    fn on_refused(
        &mut self,
        (decision, outcome, grounds): (DecisionId, String, Vec<Ground>),
        (at, since): (Timestamp, Option<Timestamp>),
        when_refused: WhenRefused,
        hands: &mut Hands<'_>,
    ) {
        let since = since.unwrap_or(at);
        let before = self.grounds.replace(grounds.clone());
        let is_news = before.as_ref() != Some(&grounds);
        let mut events = Vec::new();
        match self.state {
            CallState::Asking | CallState::Waiting => {
                self.start(at);
                if is_news {
                    let event = JournalEvent::NotPermitted {
                        decision,
                        outcome,
                        reasons: grounds,
                    };
                    self.note(at, event, hands);
                }
            }
            // One that stopped for want of an answer was not refused until now.
            CallState::Recording | CallState::Stopped if before.is_none() => {
                let event = JournalEvent::PermitEnded {
                    decision,
                    reasons: grounds,
                };
                events.push((since, event));
            }
            CallState::Recording | CallState::Stopped => {}
        }
        self.close_media(since, events, None, hands);
        if let Some(id) = self.id {
            if self.notice.is_settled() {
                hands.media(self.thread, MediaCommand::Attend(id, Attention::Forget));
            }
            if self.is_for(SAMPLE_RULE) {
                tracing::info!(recording = %id, %decision, "permitted, and not drawn for the sample of its line: not recorded");
            } else if self.is_for(KEEP_RULE) {
                tracing::info!(recording = %id, %decision, "permitted, and nobody has asked to keep it yet");
            } else {
                tracing::info!(recording = %id, %decision, "not permitted");
            }
        }
        match self.state {
            CallState::Asking => {
                self.state = CallState::Waiting;
                match when_refused {
                    WhenRefused::Wait => self.answer(hands),
                    WhenRefused::Reject => {
                        self.reject(403, "recording is not permitted", Cause::Refusal, hands);
                    }
                }
            }
            CallState::Recording | CallState::Stopped => {
                self.state = CallState::Stopped;
                // The facts have changed since: what the client is told waits for that answer.
                if self.changed_at.is_none() {
                    self.align(hands);
                }
            }
            // The notice that it waited for was heard, and something else stands in the way.
            CallState::Waiting => self.align(hands),
        }
    }

    /// Whether it was this rule of the line, not the law, that said no last.
    fn is_for(&self, rule: &str) -> bool {
        let grounds = self.grounds.as_deref().unwrap_or_default();
        !grounds.is_empty() && grounds.iter().all(|ground| ground.rule == rule)
    }

    /// There is no answer, and that is never a permission. A new call is turned away; one that
    /// waits goes on waiting; one that is recorded leaves its media in the kernel for a while,
    /// since the next attempt may permit it, and then stops.
    fn on_no_answer(&mut self, reason: NoAnswer, hands: &mut Hands<'_>) {
        let now = hands.now;
        if self.state == CallState::Asking {
            let status = if reason.may_pass { 503 } else { 500 };
            // Of one that the client has given up, nothing was refused.
            if self.ended.is_none() {
                hands.shared.count(NO_ANSWER);
            }
            return self.reject(status, "the archive cannot answer", Cause::Overload, hands);
        }
        let since = *self.held_since.get_or_insert(now);
        let pause = RETRY_SECONDS_MAX.min(1 << self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        self.retry_at = Some(now.plus_micros(pause * 1_000_000));
        if self.state == CallState::Recording {
            self.mind_patience(hands);
        } else if self.keep.is_holding() {
            // What comes stays in the kernel meanwhile, and what is held where it is.
            self.mind_patience(hands);
        } else {
            // What was thrown away for want of an answer stays that, until there is one.
            let cause = self.is_stopped_without_answer().then_some(Cause::Refusal);
            self.close_media(since, Vec::new(), cause, hands);
        }
    }

    /// Stops a recording whose media has waited too long for an answer, and drops what is held in
    /// memory for want of one, also while a decider is
    /// still at it.
    pub(super) fn mind_patience(&mut self, hands: &mut Hands<'_>) {
        let Some(since) = self.held_since else {
            return;
        };
        if hands.now.micros_since(since) < WITHOUT_ANSWER_MICROS {
            return;
        }
        if self.state == CallState::Recording {
            self.stop_without_answer(since, hands);
        } else if self.keep.is_holding() {
            self.drop_look_back(hands);
            self.close_media(since, Vec::new(), None, hands);
            self.align(hands);
        }
    }

    fn stop_without_answer(&mut self, since: Timestamp, hands: &mut Hands<'_>) {
        self.close_media(since, Vec::new(), Some(Cause::Refusal), hands);
        self.state = CallState::Stopped;
        self.align(hands);
        hands.show_state(self.id, self.state);
    }

    /// Whether the recording stopped although nothing refused it.
    fn is_stopped_without_answer(&self) -> bool {
        self.state == CallState::Stopped && self.grounds.is_none()
    }

    /// The facts have changed: media waits from this moment on, and the law is asked.
    pub(in crate::control) fn on_changed(&mut self, hands: &mut Hands<'_>) {
        if self.ended.is_some() || self.state == CallState::Asking && self.id.is_none() {
            return;
        }
        self.note_refusals(hands);
        // On whose side somebody is can have changed, whatever the law says of it.
        self.listen(hands);
        let has_answer = !self.is_asking && self.held_since.is_none() && self.retry_at.is_none();
        if has_answer && self.is_decided(hands) {
            return;
        }
        self.notice.other_change(hands.now);
        if self.has_other_facts(hands) && self.held_since.is_some_and(|since| hands.now > since) {
            let (first, _last) = self.later_changes.unwrap_or((hands.now, hands.now));
            self.later_changes = Some((first, hands.now));
        }
        if self.is_asking {
            self.changed_at.get_or_insert(hands.now);
        } else {
            self.ask_again(hands.now, hands);
        }
    }

    /// Whether what the law is asked about became another since the last look.
    fn has_other_facts(&mut self, hands: &Hands<'_>) -> bool {
        let versions = self.id.map(|id| hands.archive.versions(id));
        std::mem::replace(&mut self.versions_seen, versions) != versions
    }

    /// Whether there is media that the next answer may permit to keep, though nothing comes any more.
    fn has_media_that_waits(&self) -> bool {
        match self.state {
            CallState::Recording => true,
            CallState::Waiting => self.keep.is_asked_and_held() || self.notice.has_media(),
            _ => false,
        }
    }

    /// Whether the last answer is to the call as it is now.
    fn is_decided(&self, hands: &Hands<'_>) -> bool {
        self.id.is_some_and(|id| hands.archive.is_decided(id))
    }

    pub(super) fn ask_again(&mut self, since: Timestamp, hands: &mut Hands<'_>) {
        let Some(id) = self.id else {
            return;
        };
        self.held_since.get_or_insert(since);
        self.versions_seen = Some(hands.archive.versions(id));
        self.retry_at = None;
        self.is_asking = true;
        self.notice.ask();
        self.counts.announce_hold();
        hands.media(self.thread, MediaCommand::Hold(id));
        hands.decider.ask(Question::Again {
            session: self.key,
            id,
            is_begun: self.is_begun,
        });
    }
}
