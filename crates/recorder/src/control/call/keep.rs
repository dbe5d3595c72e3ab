//! Keeping on request: what comes waits in memory, and is kept from the look-back on once somebody
//! asks.

use super::Call;
use crate::control::Hands;
use crate::media::{Attention, KeepAnswer, LookBack, MediaCommand};
use std::sync::mpsc::Sender;
use voicelog_archive::journal::{AskedBy, JournalEvent};
use voicelog_archive::{KeepAsked, KeepRequest};
use voicelog_model::Timestamp;

/// How much longer than the look-back media is held, in microseconds: for as long as the law may
/// take to answer once somebody has asked.
const ANSWER_MICROS: i64 = 6_000_000;

/// Who waits to hear what came of asking.
pub(crate) type KeepDone = Sender<Option<KeepAnswer>>;

/// What is known of keeping a call on request.
#[derive(Debug, Default)]
pub(super) struct CallKeep {
    /// Since when what comes is held in memory.
    since: Option<Timestamp>,
    /// What comes was held in memory, and may be again when the client resumes: nothing but its hold
    /// has been in the way since.
    is_for_later: bool,
    /// When somebody asked, and how much of the time before may be kept, in microseconds.
    requested: Option<(Timestamp, i64)>,
    /// Those who asked and have not heard yet.
    asking: Vec<KeepDone>,
}

impl CallKeep {
    /// Whether what comes is held in memory.
    pub(super) const fn is_holding(&self) -> bool {
        self.since.is_some()
    }

    /// Whether somebody has asked for what is held in memory.
    pub(super) const fn is_asked_and_held(&self) -> bool {
        self.since.is_some() && self.requested.is_some()
    }

    /// Whether what the client sends is held in memory, or will be once a hold is over.
    pub(super) const fn wants_media(&self) -> bool {
        self.is_holding() || self.is_for_later
    }

    /// From when on what is held may be kept, now that the law permits it. Nothing where nothing is
    /// held.
    pub(super) fn permitted(&mut self) -> Option<Timestamp> {
        let since = self.since.take()?;
        let (at, micros) = self.requested?;
        Some(since.max(at.plus_micros(-micros)))
    }

    /// Those who wait to hear that the call is kept.
    pub(super) fn take_asking(&mut self) -> Vec<KeepDone> {
        std::mem::take(&mut self.asking)
    }

    /// Our clock was set.
    pub(super) fn on_clock_step(&mut self, by_us: i64) {
        self.since = self.since.map(|since| since.plus_micros(by_us));
        if let Some((at, _)) = &mut self.requested {
            *at = at.plus_micros(by_us);
        }
    }
}

impl Call {
    /// The law permits to record from `at` on, and nobody has asked to keep the call: what comes is
    /// held in memory for so many seconds.
    pub(super) fn hold_for_look_back(&mut self, at: Timestamp, seconds: u32, hands: &Hands<'_>) {
        let Some(id) = self.id.filter(|_id| seconds > 0 && !self.keep.is_holding()) else {
            return;
        };
        self.keep.since = Some(at);
        self.keep.is_for_later = true;
        let look_back = LookBack {
            from: at,
            reach: i64::from(seconds) * 1_000_000 + ANSWER_MICROS,
        };
        let command = MediaCommand::Attend(id, Attention::LookBack(look_back));
        hands.media(self.thread, command);
    }

    /// Nothing may be held any more, and what is held is dropped. Who asked hears it.
    pub(super) fn drop_look_back(&mut self, hands: &Hands<'_>) {
        // What has changed since may bring another answer.
        if self.changed_at.is_none() {
            // While the client holds, that is what was refused, as far as anybody can tell: a client
            // that is told to stop could not go on by itself when it resumes.
            self.keep.is_for_later &= self.hold.is_on();
            for done in self.keep.take_asking() {
                tell(&done, KeepAnswer::NotPermitted);
            }
        }
        if let Some(id) = self.id.filter(|_id| self.keep.since.take().is_some()) {
            hands.media(self.thread, MediaCommand::Attend(id, Attention::Forget));
        }
    }

    /// Somebody asks to keep the call. Without one, `done` is dropped, which says so.
    pub(in crate::control) fn request_keep(
        &mut self,
        mut request: KeepRequest,
        done: Option<KeepDone>,
        hands: &mut Hands<'_>,
    ) {
        let (Some(id), None) = (self.id, self.ended) else {
            return;
        };
        // A name that a program tells is not for the journal, which knows pseudonyms only.
        let party = request
            .asked_by
            .as_ref()
            .filter(|_| request.by == AskedBy::Key);
        let event = JournalEvent::KeepRequested {
            reason: request.reason,
            by: request.by,
            party: party.map(|party| party.expose().clone()),
        };
        let at = hands.now;
        request.at = at;
        match hands.archive.request_keep(id, request) {
            Ok(KeepAsked::First { look_back_seconds }) => {
                self.keep.requested = Some((at, i64::from(look_back_seconds) * 1_000_000));
                self.keep.asking.extend(done);
                hands.shared.count("keep_requested");
                tracing::info!(recording = %id, "somebody asks to keep the call");
                self.note(at, event, hands);
                self.ask_soon(hands);
            }
            Ok(KeepAsked::Again) => self.tell_what_came(done, hands),
            Ok(KeepAsked::EveryCall) => {
                done.inspect(|done| tell(done, KeepAnswer::EveryCall));
            }
            // It has just ended.
            Err(error) => {
                tracing::info!(recording = %id, %error, "nobody can ask to keep this call any more");
            }
        }
    }

    /// Tells who asks after others did.
    fn tell_what_came(&mut self, done: Option<KeepDone>, hands: &Hands<'_>) {
        let (Some(id), Some(done)) = (self.id, done) else {
            return;
        };
        if self.is_begun {
            hands.media(self.thread, MediaCommand::TellKept(id, done));
        } else if self.is_asking || self.retry_at.is_some() {
            self.keep.asking.push(done);
        } else {
            tell(&done, KeepAnswer::NotPermitted);
        }
    }
}

fn tell(done: &KeepDone, what: KeepAnswer) {
    // Who asked may have given up waiting.
    if let Err(_gone) = done.send(Some(what)) {}
}
