//! What goes over from a call to the one that takes its place (`Replaces`, RFC 3891): for the people in
//! it, it is one call. What keeps something from being recorded must not end where an exchange cuts,
//! nor may what somebody asked for.
//!
//! Facts that were said are of one session: that somebody agreed, or heard a notice, is not taken to
//! be so of another.

use crate::Archive;
use crate::call::Call;
use crate::keep::KeepState;
use voicelog_evidence::journal::AskedBy;
use voicelog_model::{Pii, RecordingId};

impl Call {
    /// Takes over what somebody said of the call before.
    pub(crate) fn take_over(&mut self, before: &Self) {
        if let (None, Some(private)) = (&self.private, &before.private) {
            let mut private = private.clone();
            if private.by == AskedBy::Key {
                private.said_by = self.called_here(before, &private.said_by);
            }
            self.private = Some(private);
        }
        if let (Some(KeepState::NotRequested { .. }), Some(KeepState::Requested(request))) =
            (&self.keep, &before.keep)
        {
            let mut request = request.clone();
            if request.by == AskedBy::Key {
                let asked_by = request.asked_by.as_ref();
                request.asked_by = asked_by
                    .map(|party| self.called_here(before, party))
                    .filter(|party| !party.expose().is_empty());
            }
            self.keep = Some(KeepState::Requested(request));
        }
    }

    /// The pseudonym here of a participant of the call before, by address; empty for one who is not
    /// here. Then it is nobody: `p1` here can be somebody else.
    fn called_here(&self, before: &Self, party: &Pii<String>) -> Pii<String> {
        let mut known = before.parties.iter();
        let known = known.find(|known| known.id == *party.expose());
        let mut all = self.parties.iter();
        let here = known.and_then(|known| {
            all.find(|here| {
                !here.address.expose().is_empty() && here.address.expose() == known.address.expose()
            })
        });
        Pii::new(here.map(|here| here.id.clone()).unwrap_or_default())
    }
}

impl Archive {
    /// A call takes over that it is private, and that somebody asked to keep it, from the one whose
    /// place it takes, as that was last. Whoever tells this asks the law again by itself: nobody else is
    /// told.
    pub fn take_over(&self, before: &Call, to: RecordingId) {
        let taken = self.calls.change_untold(to, |call| {
            call.take_over(before);
            Ok(())
        });
        // It is over already, and there is nothing to take anything over.
        if let Err(_over) = taken {}
    }
}
