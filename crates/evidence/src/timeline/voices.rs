//! Whose voice a stream was, and until when: what the other side says of it changes, at a transfer or
//! when it swaps its streams.

use super::Timeline;
use crate::journal::VoiceRule;
use serde::{Deserialize, Serialize};
use voicelog_model::StreamNumber;

/// Whose voice a stream is from a moment on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoiceMark {
    /// Which stream.
    pub stream: StreamNumber,
    /// From when on, in microseconds from the start of the call.
    pub at_us: u64,
    /// The stream's SDP label from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Pseudonyms. None: not known. More than one: a mix that cannot be separated.
    pub parties: Vec<String>,
    /// By what that is known; nothing where nobody is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<VoiceRule>,
}

/// A part of the call in which a stream was the voice of the same people, by the same rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch<'a> {
    /// Start and end in microseconds from the start of the call.
    pub between: (u64, u64),
    /// Whose voice.
    pub voice: &'a VoiceMark,
}

impl Timeline {
    /// Whose voice a stream was, stretch by stretch, in order; those of no length are left out. Empty
    /// where nobody ever said.
    #[must_use]
    pub fn voices_of(&self, stream: StreamNumber) -> Vec<Stretch<'_>> {
        let mut stretches: Vec<Stretch<'_>> = Vec::new();
        for voice in self.voices.iter().filter(|mark| mark.stream == stream) {
            let between = (voice.at_us, self.length_us().max(voice.at_us));
            let Some(last) = stretches.last_mut() else {
                stretches.push(Stretch { between, voice });
                continue;
            };
            if (&last.voice.parties, last.voice.rule) == (&voice.parties, voice.rule) {
                continue;
            }
            last.between.1 = voice.at_us.max(last.between.0);
            if last.between.0 == last.between.1 {
                stretches.pop();
            }
            stretches.push(Stretch { between, voice });
        }
        stretches
    }
}

#[cfg(test)]
mod tests {
    use crate::journal::{Cause, JournalEvent, Record, VoiceRule};
    use crate::timeline::{Timeline, build};
    use voicelog_model::{StreamNumber, Timestamp};

    fn voice(stream: u16, label: &str, parties: &[&str], rule: VoiceRule) -> JournalEvent {
        JournalEvent::StreamVoice {
            stream: StreamNumber(stream),
            label: Some(label.to_owned()),
            parties: parties.iter().map(|party| (*party).to_owned()).collect(),
            rule: Some(rule),
        }
    }

    fn timeline(events: Vec<(i64, JournalEvent)>) -> Timeline {
        let ended = JournalEvent::CallEnded {
            cause: Cause::RecordingClient,
        };
        let events = [(0, JournalEvent::CallStarted {})]
            .into_iter()
            .chain(events)
            .chain([(60, ended)]);
        build(events.map(|(second, event)| Record::Event {
            at: Timestamp::from_micros(second * 1_000_000),
            event,
        }))
    }

    fn stretches(timeline: &Timeline, stream: u16) -> Vec<(u64, u64, String)> {
        let all = timeline.voices_of(StreamNumber(stream)).into_iter();
        all.map(|stretch| {
            let (from, to) = stretch.between;
            let parties = stretch.voice.parties.join("+");
            (from / 1_000_000, to / 1_000_000, parties)
        })
        .collect()
    }

    #[test]
    fn a_transfer_and_a_swap_of_streams_change_whose_voice_it_is_from_then_on() {
        let label = VoiceRule::Label;
        let timeline = timeline(vec![
            (0, voice(1, "1", &["p1"], label)),
            (0, voice(2, "2", &["p2"], label)),
            (20, voice(1, "1", &["p3"], label)),
            (40, voice(1, "2", &["p2"], label)),
            (40, voice(2, "1", &["p3"], label)),
        ]);
        let of = |from, to, party: &str| (from, to, party.to_owned());
        assert_eq!(
            stretches(&timeline, 1),
            [of(0, 20, "p1"), of(20, 40, "p3"), of(40, 60, "p2")]
        );
        assert_eq!(stretches(&timeline, 2), [of(0, 40, "p2"), of(40, 60, "p3")]);
        assert_eq!(timeline.voices[3].label.as_deref(), Some("2"));
        let bytes = timeline.to_bytes().unwrap();
        assert_eq!(Timeline::from_bytes(&bytes).unwrap(), timeline);
    }

    #[test]
    fn what_says_nothing_new_or_holds_for_no_time_is_no_stretch() {
        let label = VoiceRule::Label;
        let timeline = timeline(vec![
            (5, voice(1, "1", &["p1"], VoiceRule::Order)),
            (5, voice(1, "1", &["p1"], label)),
            (9, voice(1, "7", &["p1"], label)),
            (30, voice(1, "7", &[], label)),
        ]);
        assert_eq!(
            stretches(&timeline, 1),
            [(5, 30, "p1".to_owned()), (30, 60, String::new())]
        );
        assert_eq!(stretches(&timeline, 2), []);
    }
}
