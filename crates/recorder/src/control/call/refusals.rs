//! Who said not to agree to being recorded: on the timeline whatever the law makes of it. A basis that
//! needs no consent lets recording go on, and then nothing else in the archive would tell of the refusal.

use super::Call;
use crate::control::Hands;
use voicelog_archive::ConsentBy;
use voicelog_archive::journal::{JournalEvent, SaidBy};

/// The words of the fact `consent_per_participant` that say no.
const NO: [&str; 2] = ["refused", "withdrawn"];

impl Call {
    /// Puts the refusals that were said since the last look into the journal.
    pub(super) fn note_refusals(&mut self, hands: &mut Hands<'_>) {
        let Some(call) = self.id.and_then(|id| hands.archive.call(id)) else {
            return;
        };
        // Before its first event a journal has none; the next look comes with the next change.
        let Some(started_at) = self.started_at else {
            return;
        };
        let sayings = call.sayings.iter().skip(self.sayings_seen);
        for saying in sayings.filter(|saying| NO.contains(&saying.consent.as_str())) {
            let by = match saying.by {
                ConsentBy::Key | ConsentBy::Screen => SaidBy::Key,
                ConsentBy::Spoken { .. } => SaidBy::Spoken,
            };
            let party = saying.party.clone();
            let at = saying.at.max(started_at);
            self.note(at, JournalEvent::RefusalSaid { party, by }, hands);
        }
        self.sayings_seen = call.sayings.len();
    }
}
