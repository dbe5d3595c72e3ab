//! Who is there, as the client tells it, and what else it tells of the call while it lasts.

use super::Call;
use crate::clock_check::ClockCheck;
use crate::control::Hands;
use voicelog_archive::About;
use voicelog_archive::journal::JournalEvent;
use voicelog_srs::Metadata;

/// Who was there when the client last told.
#[derive(Debug, Default)]
pub(super) struct Presence {
    /// By pseudonym; empty until anybody was named.
    known: Vec<(String, bool)>,
}

impl Presence {
    /// Takes in what the client tells now, and gives who has come or gone since the last time.
    fn take(&mut self, metadata: &Metadata) -> Vec<JournalEvent> {
        let mut events = Vec::new();
        for participant in &metadata.participants {
            let (party, is_there) = (participant.pseudonym.clone(), !participant.has_left);
            let known = self.known.iter_mut().find(|(known, _)| *known == party);
            let was_there = match known {
                Some((_, known)) => std::mem::replace(known, is_there),
                None => {
                    self.known.push((party.clone(), is_there));
                    false
                }
            };
            match (was_there, is_there) {
                (false, true) => events.push(JournalEvent::PartyJoined { party }),
                (true, false) => events.push(JournalEvent::PartyLeft { party }),
                (true, true) | (false, false) => {}
            }
        }
        events
    }
}

impl Call {
    /// How far our clock was from another one, not long before the call.
    pub(in crate::control) fn is_timed_by(&mut self, check: Option<ClockCheck>) {
        self.clock_check = check;
    }

    /// What the offer told: whoever is named there was there from the start.
    pub(in crate::control) fn is_told(&mut self, about: About, metadata: Option<&Metadata>) {
        self.about = about;
        if let Some(metadata) = metadata {
            self.presence.take(metadata);
            self.voices.hear(metadata);
            self.times.hear(metadata);
        }
    }

    /// The client tells more of the call.
    pub(in crate::control) fn hear(
        &mut self,
        metadata: Option<&Metadata>,
        hands: &mut Hands<'_>,
        add: impl FnOnce(&mut About),
    ) {
        let before = self.about.clone();
        add(&mut self.about);
        if let Some(id) = self.id
            && self.about != before
        {
            hands.archive.update_about(id, self.about.clone());
        }
        if let Some(metadata) = metadata {
            self.voices.hear(metadata);
            self.times.hear(metadata);
            self.mind_times(hands);
        }
        let is_first = self.presence.known.is_empty();
        let events = metadata.map(|metadata| self.presence.take(metadata));
        // Whoever is named before the call's interval starts, or first of all, was there all the time.
        if self.started_at.is_some() && !is_first {
            for event in events.unwrap_or_default() {
                self.note(hands.now, event, hands);
            }
        }
    }
}
