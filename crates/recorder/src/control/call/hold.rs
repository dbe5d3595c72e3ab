//! Hold: while the client says that somebody is on hold, nothing is recorded (AP), whether or not it
//! goes on sending.

use super::Call;
use crate::control::Hands;
use std::collections::BTreeSet;
use voicelog_model::{RecordingId, StreamNumber};
use voicelog_srs::Metadata;

/// What the client said of holding.
#[derive(Debug, Default)]
pub(super) struct Hold {
    /// Streams that it sent on and now says it does not.
    streams: BTreeSet<StreamNumber>,
    /// Pseudonyms of participants who ever sent, by the metadata.
    senders: BTreeSet<String>,
    /// Somebody who takes part and sent does not send now, by the metadata.
    is_of_somebody: bool,
    /// What the archive was told last.
    is_told: bool,
}

impl Hold {
    /// A stream that was active is not, or is again.
    pub(super) fn stream(&mut self, number: StreamNumber, is_held: bool) {
        if is_held {
            self.streams.insert(number);
        } else {
            self.streams.remove(&number);
        }
    }

    /// What metadata says of who sends. Where no `send` was ever told, a missing one means nothing.
    pub(super) fn metadata(&mut self, metadata: &Metadata) {
        let mut present = metadata.participants.iter().filter(|who| !who.has_left);
        self.is_of_somebody =
            present.any(|who| who.sends.is_empty() && self.senders.contains(&who.pseudonym));
        let sending = metadata
            .participants
            .iter()
            .filter(|who| !who.sends.is_empty());
        self.senders
            .extend(sending.map(|who| who.pseudonym.clone()));
    }

    /// Tells the archive of a hold from before it knew the call. Whether there is one.
    pub(super) fn begins_with(&mut self, id: RecordingId, hands: &Hands<'_>) -> bool {
        self.is_told = self.is_on() && hands.archive.set_on_hold(id, true);
        self.is_told
    }

    pub(super) fn is_on(&self) -> bool {
        !self.streams.is_empty() || self.is_of_somebody
    }
}

impl Call {
    /// The client told who takes part and who sends.
    pub(in crate::control) fn on_senders(&mut self, metadata: &Metadata, hands: &mut Hands<'_>) {
        self.hold.metadata(metadata);
        self.mind_hold(hands);
    }

    /// Who sends at the beginning.
    pub(in crate::control) fn note_senders(&mut self, metadata: &Metadata) {
        self.hold.metadata(metadata);
    }

    /// Tells the archive of a hold that began or is over, and asks the law from this moment on.
    pub(in crate::control) fn mind_hold(&mut self, hands: &mut Hands<'_>) {
        let is_on = self.hold.is_on();
        let Some(id) = self.id.filter(|_id| is_on != self.hold.is_told) else {
            return;
        };
        if self.ended.is_none() && hands.archive.set_on_hold(id, is_on) {
            self.hold.is_told = is_on;
            self.on_changed(hands);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_stream_that_stops_is_a_hold_until_it_goes_on() {
        let mut hold = Hold::default();
        assert!(!hold.is_on());
        hold.stream(StreamNumber(2), true);
        hold.stream(StreamNumber(1), true);
        hold.stream(StreamNumber(2), false);
        assert!(hold.is_on());
        hold.stream(StreamNumber(1), false);
        assert!(!hold.is_on());
    }
}
