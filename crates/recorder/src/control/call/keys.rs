//! Keys and pauses: who may do what with the keys of a telephone, and pausing for whoever asks.

use super::Call;
use crate::control::Hands;
use crate::media::{HeardKey, Listening, MediaCommand, PauseOrder, PauseStatus};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use voicelog_archive::journal::{AskedBy, PrivateEnd};
use voicelog_archive::line::{KeyAct, Keys, Sequence, Side};
use voicelog_archive::{Consent, ConsentBy, KeepRequest};
use voicelog_model::Pii;

/// What the keys do in a call, as its line says.
#[derive(Debug, Default)]
pub(super) struct CallKeys {
    own: Arc<Vec<(Sequence, KeyAct)>>,
    other: Arc<Vec<(Sequence, KeyAct)>>,
    unknown: Arc<Vec<(Sequence, KeyAct)>>,
    /// What the call waits for can come by key, so media is asked for also while it waits.
    pub(super) listen_while_waiting: bool,
    /// A key can say that a private call is one no longer.
    pub(super) end_private: bool,
}

impl CallKeys {
    pub(super) fn of(keys: &Keys) -> Self {
        let list = |table: &BTreeMap<Sequence, KeyAct>| {
            let all = table.iter().map(|(sequence, act)| (sequence.clone(), *act));
            Arc::new(all.collect::<Vec<_>>())
        };
        Self {
            own: list(&keys.own),
            other: list(&keys.other),
            unknown: list(&keys.unknown),
            listen_while_waiting: keys.listens_while_waiting(),
            end_private: keys.end_private_calls(),
        }
    }

    fn is_empty(&self) -> bool {
        self.own.is_empty() && self.other.is_empty() && self.unknown.is_empty()
    }

    fn of_side(&self, side: Side) -> Arc<Vec<(Sequence, KeyAct)>> {
        Arc::clone(match side {
            Side::Own => &self.own,
            Side::Other => &self.other,
            Side::Unknown => &self.unknown,
        })
    }
}

impl Call {
    /// Tells the media thread which keys do what on which stream, by whose voice it is now.
    pub(super) fn listen(&self, hands: &Hands<'_>) {
        let Some(id) = self.id.filter(|_id| !self.keys.is_empty()) else {
            return;
        };
        let call = hands.archive.call(id);
        let all = self.streams.iter().map(|stream| {
            let party = self.voices.party(stream.media.number);
            let side = match (&call, &party) {
                (Some(call), Some(party)) => call.side_of(party),
                _ => Side::Unknown,
            };
            let acts = self.keys.of_side(side);
            (stream.media.number, Listening { party, acts })
        });
        let all = all.collect();
        hands.media(
            self.thread,
            MediaCommand::Listen(id, all, hands.pause_micros),
        );
    }

    /// A key about consent, keeping the call or a private call was pressed. What is said with it counts at once: the archive tells,
    /// and the law is asked again.
    pub(in crate::control) fn on_key(&mut self, heard: &HeardKey, hands: &mut Hands<'_>) {
        let (Some(id), None) = (self.id, self.ended) else {
            return;
        };
        if let Some(reason) = heard.act.keep() {
            let request = KeepRequest {
                reason,
                by: AskedBy::Key,
                asked_by: heard.party.clone().map(Pii::new),
                at: hands.now,
            };
            return self.request_keep(request, None, hands);
        }
        if let Some(party) = heard
            .party
            .clone()
            .filter(|_| heard.act.is_of_private_call())
        {
            let (by, party) = (AskedBy::Key, Pii::new(party));
            return if heard.act == KeyAct::PrivateCall {
                self.begin_private(by, party, None, hands);
            } else {
                self.end_private((by, &party), PrivateEnd::BusinessAgain, None, hands);
            };
        }
        let (parties, word, by) = match heard.act {
            KeyAct::Consent => (
                heard.party.clone().into_iter().collect(),
                "given",
                ConsentBy::Key,
            ),
            KeyAct::Refuse => (
                heard.party.clone().into_iter().collect(),
                "refused",
                ConsentBy::Key,
            ),
            KeyAct::OthersConsent => {
                let marked_by = heard.party.clone().map(Pii::new);
                (
                    hands
                        .archive
                        .call(id)
                        .map(|call| call.other_side())
                        .unwrap_or_default(),
                    "given",
                    ConsentBy::Spoken { marked_by },
                )
            }
            _ => return,
        };
        for party in parties {
            let consent = Consent {
                party,
                word: word.to_owned(),
                by: by.clone(),
            };
            match hands.archive.consent(id, consent, hands.now) {
                Ok(()) if heard.act == KeyAct::Refuse => {
                    tracing::info!(recording = %id, "a refusal was said with a key; the law is asked what follows");
                }
                Ok(()) => tracing::info!(recording = %id, "consent was said with a key"),
                Err(error) => {
                    let error = voicelog_model::error::chain(&error);
                    tracing::error!(recording = %id, %error, "consent that was said with a key cannot be taken in");
                }
            }
        }
    }

    /// Has the media thread pause. Without a call, `done` is dropped, which says so.
    pub(in crate::control) fn pause(
        &mut self,
        order: PauseOrder,
        done: Sender<Option<PauseStatus>>,
        hands: &mut Hands<'_>,
    ) {
        if let (Some(id), None) = (self.id, self.ended) {
            hands.media(self.thread, MediaCommand::Pause(id, order, done));
        }
    }

    /// Has the media thread go on.
    pub(in crate::control) fn resume(&mut self, done: Sender<Option<bool>>, hands: &mut Hands<'_>) {
        if let (Some(id), None) = (self.id, self.ended) {
            hands.media(self.thread, MediaCommand::Resume(id, done));
        }
    }
}
