//! What follows from a key that was pressed: pausing, going on and a private call at once, here; all else is told to
//! call control.

use super::pauses::{PauseOrder, Pauses};
use super::session::Dated;
use voicelog_archive::journal::{AskedBy, ResumedBy};
use voicelog_archive::line::KeyAct;
use voicelog_model::Timestamp;

/// A key was pressed that call control has to see to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeardKey {
    /// What it says.
    pub(crate) act: KeyAct,
    /// Pseudonym of who pressed it, where that is known.
    pub(crate) party: Option<String>,
}

/// Where what was heard goes.
pub(super) struct Acting<'a> {
    pub(super) pauses: &'a mut Pauses,
    /// For the journal.
    pub(super) events: &'a mut Vec<Dated>,
    /// For call control.
    pub(super) heard: &'a mut Vec<HeardKey>,
    /// How long a pause by key lasts at most, in microseconds.
    pub(super) pause_micros: i64,
}

/// Keys that call control has not taken yet at most.
const HEARD_MAX: usize = 100;

impl Acting<'_> {
    /// Does what a sequence says, from the moment on at which its last key went down.
    pub(super) fn act(&mut self, act: KeyAct, party: Option<&String>, at: Timestamp) {
        let event = if let Some(reason) = act.pause() {
            let order = PauseOrder {
                reason,
                by: AskedBy::Key,
                party: party.cloned(),
                micros: self.pause_micros,
            };
            Some(self.pauses.begin(order, at))
        } else if act == KeyAct::Resume {
            self.pauses.end(at, ResumedBy::Key)
        } else {
            if self.heard.len() < HEARD_MAX {
                let party = party.cloned();
                self.heard.push(HeardKey { act, party });
            }
            // That it is private counts at once; the rest is for call control to see to.
            let is_private = act == KeyAct::PrivateCall && party.is_some();
            is_private
                .then(|| self.pauses.begin_private(AskedBy::Key, party.cloned(), at))
                .flatten()
        };
        self.events.extend(event.map(|event| (at, event)));
    }
}
