//! Who stands in a vCon: the archive first, then every pseudonym that the timeline knows.

use crate::timeline::{IntervalKind, StreamTimeline, Timeline};
use serde_json::{Map, Value, json};

/// Place of the archive among the parties: it adds every attachment.
pub(super) const ARCHIVE: u64 = 0;

/// The pseudonyms in the order of their places, which are counted from 1.
pub(super) struct Parties<'a>(Vec<&'a str>);

impl<'a> Parties<'a> {
    pub(super) fn of(timeline: &'a Timeline) -> Self {
        let streams = timeline
            .streams
            .iter()
            .flat_map(|stream| &stream.stream.party);
        let voices = timeline.voices.iter().flat_map(|voice| &voice.parties);
        let present = timeline.presence.iter().map(|presence| &presence.party);
        let mut names: Vec<&str> = Vec::new();
        for name in streams.chain(voices).chain(present) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        Self(names)
    }

    /// The parties themselves.
    pub(super) fn value(&self, archive: &str) -> Value {
        let archive = json!({ "name": archive, "type": "organization" });
        let people = self.0.iter().map(|name| json!({ "name": name }));
        [archive].into_iter().chain(people).collect()
    }

    /// The places of all but the archive.
    pub(super) fn people(&self) -> Vec<u64> {
        (1..).zip(&self.0).map(|(place, _)| place).collect()
    }

    fn place(&self, name: &str) -> Option<u64> {
        (1..)
            .zip(&self.0)
            .find(|(_, known)| **known == name)
            .map(|(place, _)| place)
    }

    /// Whose voice a stream was at any time, each once: its own party first, then as it was said.
    pub(super) fn heard_in(&self, stream: &StreamTimeline, timeline: &Timeline) -> Vec<u64> {
        let number = stream.stream.number;
        let said = timeline
            .voices
            .iter()
            .filter(|voice| voice.stream == number);
        let names = stream
            .stream
            .party
            .iter()
            .chain(said.flat_map(|voice| &voice.parties));
        let mut places: Vec<u64> = Vec::new();
        for place in names.filter_map(|name| self.place(name)) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places
    }

    /// Who joined, left, and was put on hold, in order of time. Keys that were pressed are not in it:
    /// which ones, nobody kept.
    pub(super) fn history(&self, timeline: &Timeline) -> Vec<Value> {
        let mut events: Vec<(u64, u64, &str)> = Vec::new();
        for presence in &timeline.presence {
            let event = if presence.is_there { "join" } else { "drop" };
            let place = self.place(&presence.party);
            events.extend(place.map(|place| (presence.at_us, place, event)));
        }
        for stream in &timeline.streams {
            let held = stream
                .intervals
                .iter()
                .filter(|part| part.kind == IntervalKind::Hold);
            let held: Vec<_> = held.collect();
            for place in self.heard_in(stream, timeline) {
                for part in &held {
                    events.push((part.start_us, place, "hold"));
                    events.push((part.end_us, place, "unhold"));
                }
            }
        }
        // Stable: of one moment, who came and went stands before holds, and streams in their order.
        events.sort_by_key(|(at_us, ..)| *at_us);
        let told = events.into_iter().map(|(at_us, party, event)| {
            let at = timeline
                .call_started
                .plus_micros(i64::try_from(at_us).unwrap_or(i64::MAX));
            json!({ "party": party, "time": at, "event": event })
        });
        told.collect()
    }
}

/// A member, where there is something in it: an empty list says nothing.
pub(super) fn put_list(object: &mut Map<String, Value>, name: &str, list: Vec<Value>) {
    if !list.is_empty() {
        object.insert(name.to_owned(), Value::Array(list));
    }
}
