//! What the senders of the streams said of themselves in RTCP (RFC 3550 §6.4.1, §6.6): how their
//! own clock stood, and that they left. These are claims, told as such: nobody but the sender
//! vouches for them, and no timeline has them. They are read from the packets that were kept.

use crate::journal::{PacketKind, RecordRef};
use crate::timeline::clock_text;
use serde::{Deserialize, Serialize};
use voicelog_model::rtcp::{self, Said};
use voicelog_model::{Language, StreamNumber, Timestamp};

/// Sources that are told of.
const SOURCES_MAX: usize = 32;

/// What one source of a stream said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderClaim {
    /// The stream that it sent.
    pub stream: StreamNumber,
    /// How its clock stood, if it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<SenderClock>,
    /// When its goodbye arrived, in microseconds since the start of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_us: Option<u64>,
}

/// A sender's clock, from its first report to its last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderClock {
    /// The moment that the first report told.
    pub sender: Timestamp,
    /// When that report arrived, in microseconds since the start of the call.
    pub at_us: u64,
    /// When the last one arrived, likewise.
    pub until_us: u64,
    /// By how many milliseconds more than ours its clock went on in between.
    pub drift_ms: i64,
}

/// What a line about a clock, and one about a goodbye, is called in Dutch and in English.
pub(crate) const CLOCK: (&str, &str) = ("klok van de zender", "clock of the sender");
pub(crate) const GOODBYE: (&str, &str) = ("zender gestopt", "sender left");

impl SenderClaim {
    /// A line for each thing that it said.
    #[must_use]
    pub fn in_words(&self, lang: Language) -> Vec<String> {
        let line = |(nl, en): (&'static str, &'static str), text: String| {
            format!("{}: {text}", lang.pick(nl, en))
        };
        let clock = self.clock_in_words(lang).map(|text| line(CLOCK, text));
        let goodbye = self.goodbye_in_words(lang).map(|text| line(GOODBYE, text));
        clock.into_iter().chain(goodbye).collect()
    }

    pub(crate) fn clock_in_words(&self, lang: Language) -> Option<String> {
        let (clock, number) = (self.clock.as_ref()?, self.stream);
        let (sender, drift) = (clock.sender, clock.drift_ms);
        let (at, until) = (clock_text(clock.at_us), clock_text(clock.until_us));
        let moved = match lang {
            _ if clock.at_us == clock.until_us => String::new(),
            Language::Nl => format!("; tot {until} {drift:+} ms verschoven tegen onze klok"),
            Language::En => format!("; until {until} moved {drift:+} ms against our clock"),
        };
        Some(match lang {
            Language::Nl => format!("stroom {number}: {sender} op {at}, zegt de zender{moved}"),
            Language::En => format!("stream {number}: {sender} at {at}, says the sender{moved}"),
        })
    }

    pub(crate) fn goodbye_in_words(&self, lang: Language) -> Option<String> {
        let (number, at) = (self.stream, clock_text(self.left_us?));
        Some(match lang {
            Language::Nl => format!("stroom {number}: op {at}, zegt de zender"),
            Language::En => format!("stream {number}: at {at}, says the sender"),
        })
    }
}

/// A moment on the sender's clock and on ours.
#[derive(Debug, Clone, Copy)]
struct Reading {
    sender: Timestamp,
    ours: Timestamp,
}

/// One source.
#[derive(Debug)]
struct Source {
    stream: StreamNumber,
    ssrc: u32,
    readings: Option<(Reading, Reading)>,
    left: Option<Timestamp>,
}

/// Gathers what the senders said from the records of a journal, in their order.
#[derive(Debug, Default)]
pub struct SenderClaims {
    sources: Vec<Source>,
}

impl SenderClaims {
    /// Looks at the next record.
    pub fn push(&mut self, record: RecordRef<'_>) {
        if let RecordRef::Packet {
            stream,
            arrived,
            kind: PacketKind::Rtcp,
            bytes,
        } = record
        {
            for said in rtcp::read(bytes) {
                take(&mut self.sources, stream, arrived, said);
            }
        }
    }

    /// What they said, in the order in which they first said something. `started` is the start of
    /// the call.
    #[must_use]
    pub fn finish(self, started: Timestamp) -> Vec<SenderClaim> {
        let since = |at: Timestamp| u64::try_from(at.micros_since(started)).unwrap_or(0);
        let claims = self.sources.into_iter().map(|source| SenderClaim {
            stream: source.stream,
            clock: source.readings.map(|(first, last)| {
                let by_sender = last.sender.micros_since(first.sender);
                let by_us = last.ours.micros_since(first.ours);
                SenderClock {
                    sender: first.sender,
                    at_us: since(first.ours),
                    until_us: since(last.ours),
                    drift_ms: by_sender.saturating_sub(by_us) / 1_000,
                }
            }),
            left_us: source.left.map(since),
        });
        claims
            .filter(|claim| claim.clock.is_some() || claim.left_us.is_some())
            .collect()
    }
}

fn take(sources: &mut Vec<Source>, stream: StreamNumber, arrived: Timestamp, said: Said) {
    let ssrc = match said {
        Said::Report(report) => report.ssrc,
        Said::Goodbye { ssrc } => ssrc,
    };
    let known = sources
        .iter()
        .position(|source| (source.stream, source.ssrc) == (stream, ssrc));
    if known.is_none() && sources.len() < SOURCES_MAX {
        sources.push(Source {
            stream,
            ssrc,
            readings: None,
            left: None,
        });
    }
    let place = known.unwrap_or(sources.len().saturating_sub(1));
    let Some(source) = sources.get_mut(place).filter(|source| source.ssrc == ssrc) else {
        return;
    };
    match said {
        Said::Report(report) => {
            if let Some(sender) = report.wall() {
                let reading = Reading {
                    sender,
                    ours: arrived,
                };
                let first = source.readings.map_or(reading, |(first, _)| first);
                source.readings = Some((first, reading));
            }
        }
        Said::Goodbye { .. } => source.left = Some(arrived),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::{canonical_json, from_canonical};

    fn report(ssrc: u32, seconds: u64) -> Vec<u8> {
        let mut bytes = vec![0x80, 200, 0, 6];
        bytes.extend(ssrc.to_be_bytes());
        bytes.extend((seconds << 32).to_be_bytes());
        bytes.extend([0; 12]);
        bytes
    }

    fn start() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    fn told(packets: &[(u16, i64, Vec<u8>)]) -> Vec<String> {
        let records: Vec<_> = packets
            .iter()
            .map(|(stream, millis, bytes)| RecordRef::Packet {
                stream: StreamNumber(*stream),
                arrived: start().plus_micros(millis * 1_000),
                kind: PacketKind::Rtcp,
                bytes,
            })
            .collect();
        let mut claims = SenderClaims::default();
        records.into_iter().for_each(|record| claims.push(record));
        let claims = claims.finish(start());
        // What is kept of them is read again as the same.
        let kept = canonical_json(&claims).unwrap();
        assert_eq!(from_canonical::<Vec<SenderClaim>>(&kept).unwrap(), claims);
        let claims = claims.iter();
        claims
            .flat_map(|claim| claim.in_words(Language::En))
            .collect()
    }

    #[test]
    fn the_clock_of_each_sender_its_drift_and_its_goodbye_are_told_as_claims() {
        let goodbye = vec![0x81, 203, 0, 1, 0, 0, 0, 7];
        // 2026-11-22T10:00:05Z by NTP.
        let ntp = 4_004_330_405;
        let told = told(&[
            (1, 5_000, report(7, ntp)),
            (2, 6_000, report(8, 0)),
            (1, 65_003, report(7, ntp + 60)),
            (1, 70_000, goodbye),
        ]);
        assert_eq!(
            told,
            [
                "clock of the sender: stream 1: 2026-11-22T10:00:05.000000Z at 00:05, says the sender; until 01:05 moved -3 ms against our clock",
                "sender left: stream 1: at 01:10, says the sender",
            ]
        );
    }

    #[test]
    fn however_many_sources_there_are_the_list_ends() {
        let packets: Vec<_> = (0..200).map(|ssrc| (1, 0, report(ssrc, 9 << 20))).collect();
        assert_eq!(told(&packets).len(), SOURCES_MAX);
    }
}
