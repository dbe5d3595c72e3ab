//! Whose voice each stream is now, as the client tells it: what the keys of a stream count for, and
//! what the journal says of it from here on.

use super::Call;
use super::CallStream;
use crate::control::Hands;
use std::collections::BTreeMap;
use voicelog_archive::journal::{JournalEvent, VoiceRule};
use voicelog_model::{StreamNumber, Timestamp};
use voicelog_srs::metadata::{AttributionRule, Voice};
use voicelog_srs::{Metadata, Quirk};

/// Whose voice each stream is.
#[derive(Debug, Default)]
pub(super) struct Voices {
    /// As the client told last; a stream of which it told nothing is not in it.
    told: BTreeMap<StreamNumber, Vec<Voice>>,
    /// What the journal says of each stream: its label, and whose voice it is.
    written: BTreeMap<StreamNumber, (Option<String>, Vec<Voice>)>,
}

impl Voices {
    /// Takes in what the client tells.
    pub(super) fn hear(&mut self, metadata: &Metadata) {
        for stream in &metadata.voices {
            self.told.insert(stream.number, stream.voices.clone());
        }
    }

    /// Pseudonym of whose voice a stream is; nothing for a mix, and nothing where it is only a guess.
    pub(super) fn party(&self, stream: StreamNumber) -> Option<String> {
        match self.told.get(&stream)?.as_slice() {
            [voice] if voice.rule.is_verified() => Some(voice.party.clone()),
            _ => None,
        }
    }

    /// What the journal does not say yet.
    pub(super) fn news(&mut self, streams: &[CallStream]) -> Vec<JournalEvent> {
        let mut news = Vec::new();
        for stream in streams.iter().map(|stream| &stream.media) {
            let Some(voices) = self.told.get(&stream.number) else {
                continue;
            };
            let now = (stream.label.clone(), voices.clone());
            if self.written.get(&stream.number) == Some(&now) {
                continue;
            }
            news.push(JournalEvent::StreamVoice {
                stream: stream.number,
                label: stream.label.clone(),
                parties: voices.iter().map(|voice| voice.party.clone()).collect(),
                rule: voices.iter().map(|voice| voice.rule).max().map(word),
            });
            self.written.insert(stream.number, now);
        }
        news
    }
}

const fn word(rule: AttributionRule) -> VoiceRule {
    match rule {
        AttributionRule::Label => VoiceRule::Label,
        AttributionRule::Send => VoiceRule::Send,
        AttributionRule::Order => VoiceRule::Order,
    }
}

impl Call {
    /// Whose voice is where may have changed: the journal says so from this moment on, and keys count
    /// for whoever speaks now.
    pub(in crate::control) fn mind_voices(&mut self, hands: &mut Hands<'_>) {
        if self.started_at.is_some() {
            for event in self.voices.news(&self.streams) {
                self.note(hands.now, event, hands);
            }
        }
        self.listen(hands);
    }

    /// The first of what the journal says of the voices.
    pub(super) fn note_first_voices(&mut self, at: Timestamp) {
        let news = self.voices.news(&self.streams);
        self.events
            .extend(news.into_iter().map(|event| (at, event)));
    }

    /// Says it when what the client tells cannot be read, and when it can be again: who takes part is
    /// then what was told before, and somebody may have come whom nobody told us of.
    pub(in crate::control) fn mind_reading(&mut self, metadata: &Metadata, hands: &Hands<'_>) {
        let is_behind = metadata.quirks.contains(&Quirk::UpdateNotRead);
        let look = self.watch.look_at_metadata(is_behind);
        if let Some(id) = self.id {
            super::saying::say(id, look, &self.counts.read(), hands);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voices(parties: &[(&str, AttributionRule)]) -> Vec<Voice> {
        let voices = parties.iter();
        voices
            .map(|(party, rule)| Voice {
                party: (*party).to_owned(),
                rule: *rule,
            })
            .collect()
    }

    #[test]
    fn a_stream_is_somebodys_only_if_the_client_says_so_of_one_person() {
        let (label, order) = (AttributionRule::Label, AttributionRule::Order);
        let number = StreamNumber(1);
        let mut known = Voices::default();
        assert_eq!(known.party(number), None);
        for (told, party) in [
            (voices(&[("p1", label)]), Some("p1")),
            (voices(&[("p2", label)]), Some("p2")),
            (voices(&[("p1", label), ("p2", label)]), None),
            (voices(&[("p1", order)]), None),
            (voices(&[]), None),
        ] {
            known.told.insert(number, told);
            assert_eq!(known.party(number).as_deref(), party);
        }
    }
}
