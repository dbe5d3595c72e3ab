//! What goes over from a session to the one that takes its place (`Replaces`, RFC 3891): a pause with
//! its limit, that the call is private, and that somebody asked to keep it. For the people in it, it is
//! one call, and what they asked for does not end where an exchange cuts.

use super::Call;
use super::private::order;
use crate::control::Hands;
use crate::media::{MediaCommand, PauseOrder, PauseStatus};
use std::sync::mpsc::channel;
use voicelog_archive::KeepState;
use voicelog_archive::journal::{AskedBy, JournalEvent};
use voicelog_model::Timestamp;
use voicelog_srs::SessionKey;

/// What a call has from the session whose place it takes.
#[derive(Debug, Default)]
pub(super) struct Carried {
    from: Option<SessionKey>,
    /// As it was when this one was offered, or later where it still stood then.
    before: Option<Box<voicelog_archive::Call>>,
    pause: Option<PauseStatus>,
    /// That somebody asked to keep it, for the journal.
    pub(super) requested: Option<JournalEvent>,
}

impl Call {
    /// It takes the place of another session, in which recording is paused or not, and of which the
    /// archive knows this.
    pub(in crate::control) fn takes_over(
        &mut self,
        from: SessionKey,
        pause: Option<PauseStatus>,
        before: Option<Box<voicelog_archive::Call>>,
    ) {
        self.carried = Carried {
            from: Some(from),
            before,
            pause,
            requested: None,
        };
    }

    /// The session whose place it takes.
    pub(in crate::control) const fn takes_the_place_of(&self) -> Option<SessionKey> {
        self.carried.from
    }

    /// The pause that it is in.
    pub(in crate::control) fn pause_now(&self) -> Option<PauseStatus> {
        self.counts.pause()
    }

    /// The archive knows the call: what it has from the session before counts before anything of it
    /// may be kept.
    pub(super) fn carry(&mut self, opened: &voicelog_archive::Call, hands: &mut Hands<'_>) {
        let Some(before) = self.carried.before.take() else {
            return;
        };
        // Said since it was opened, or of one that was over before that.
        hands.archive.take_over(&before, opened.id);
        let call = hands.archive.call(opened.id);
        if let Some(private) = call.as_ref().and_then(|call| call.private.as_ref()) {
            self.is_private_by_key = private.by == AskedBy::Key;
            let order = order(private.by, &private.said_by);
            hands.media(self.thread, MediaCommand::Private(opened.id, order, None));
            tracing::info!(recording = %opened.id, "it takes the place of a private call, and is one");
        }
        self.carried.requested = call.and_then(|call| requested(call.keep));
        let pause = self.carried.pause.take();
        if let Some(order) = pause.and_then(|pause| rest(pause, hands.now)) {
            // Nobody waits to hear that it is paused.
            let (done, _) = channel();
            hands.media(self.thread, MediaCommand::Pause(opened.id, order, done));
            tracing::info!(recording = %opened.id, "it takes the place of a call that is paused, and is");
        }
    }
}

/// That somebody asked to keep the call, as the journal tells it; nothing where nobody did.
fn requested(keep: Option<KeepState>) -> Option<JournalEvent> {
    let Some(KeepState::Requested(request)) = keep else {
        return None;
    };
    let party = request.asked_by.filter(|_| request.by == AskedBy::Key);
    Some(JournalEvent::KeepRequested {
        reason: request.reason,
        by: request.by,
        party: party.map(|party| party.expose().clone()),
    })
}

/// What is left of a pause. Who pressed the key is another pseudonym here, if anybody.
fn rest(pause: PauseStatus, now: Timestamp) -> Option<PauseOrder> {
    let micros = pause.until.micros_since(now);
    (micros > 0).then_some(PauseOrder {
        reason: pause.reason,
        by: pause.by,
        party: None,
        micros,
    })
}
