//! When the conversation began and ended by the client's clock: told in the journal, and nothing is
//! reckoned with it.

use super::Call;
use crate::control::Hands;
use voicelog_archive::journal::JournalEvent;
use voicelog_model::Timestamp;
use voicelog_srs::Metadata;

/// The client's moments.
#[derive(Debug, Default)]
pub(super) struct ClientTimes {
    told: Moments,
    written: Moments,
}

/// Start and end.
type Moments = (Option<Timestamp>, Option<Timestamp>);

impl ClientTimes {
    /// Takes in what the client tells. The conversation has ended when all its sessions have.
    pub(super) fn hear(&mut self, metadata: &Metadata) {
        let sessions = metadata.communication_sessions.iter();
        let started = sessions.clone().filter_map(|session| session.started).min();
        let ends: Option<Vec<_>> = sessions.map(|session| session.ended).collect();
        let ended = ends.and_then(|ends| ends.into_iter().max());
        self.told = (started.or(self.told.0), ended.or(self.told.1));
    }

    /// What the journal does not say yet.
    fn news(&mut self) -> Option<JournalEvent> {
        if self.told == self.written {
            return None;
        }
        self.written = self.told;
        let (started, ended) = self.told;
        Some(JournalEvent::ClientTimes { started, ended })
    }
}

impl Call {
    /// The client told of other moments than before.
    pub(super) fn mind_times(&mut self, hands: &mut Hands<'_>) {
        if self.started_at.is_some()
            && let Some(event) = self.times.news()
        {
            self.note(hands.now, event, hands);
        }
    }

    /// The first that the journal says of them, and how far our own clock was from another one.
    pub(super) fn note_first_times(&mut self, at: Timestamp) {
        let news = self.times.news();
        let check = self
            .clock_check
            .take()
            .map(|check| JournalEvent::ClockChecked {
                source: check.source,
                checked_at: check.checked_at,
                offset_us: check.offset_us,
                uncertainty_us: check.uncertainty_us,
            });
        let events = news.into_iter().chain(check);
        self.events.extend(events.map(|event| (at, event)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use voicelog_model::Pii;
    use voicelog_srs::metadata::CommunicationSession;

    fn told(sessions: &[(Option<i64>, Option<i64>)]) -> Metadata {
        let at = |seconds: Option<i64>| seconds.map(|at| Timestamp::from_micros(at * 1_000_000));
        let session = |(started, ended): &(Option<i64>, Option<i64>)| CommunicationSession {
            id: Pii::new(String::new()),
            sip_session_id: None,
            group: None,
            started: at(*started),
            ended: at(*ended),
        };
        Metadata {
            communication_sessions: sessions.iter().map(session).collect(),
            groups: Vec::new(),
            participants: Vec::new(),
            streams: Vec::new(),
            voices: Vec::new(),
            raw: Pii::new(Vec::new()),
            quirks: Vec::new(),
        }
    }

    #[test]
    fn a_conversation_begins_with_its_first_session_and_ends_with_its_last() {
        let mut times = ClientTimes::default();
        let mut news = |sessions: &[_]| {
            times.hear(&told(sessions));
            times.news()
        };
        let at = |seconds: i64| Some(Timestamp::from_micros(seconds * 1_000_000));
        let said = |started, ended| Some(JournalEvent::ClientTimes { started, ended });
        assert_eq!(news(&[(None, None)]), None, "nothing was told");
        assert_eq!(news(&[(Some(5), None)]), said(at(5), None));
        assert_eq!(news(&[(Some(5), None)]), None, "it is no news");
        assert_eq!(
            news(&[(Some(4), Some(9)), (Some(6), None)]),
            said(at(4), None)
        );
        assert_eq!(
            news(&[(Some(4), Some(9)), (Some(6), Some(8))]),
            said(at(4), at(9))
        );
        assert_eq!(news(&[]), None, "what was told stands");
    }
}
