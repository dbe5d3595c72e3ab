//! What the senders of the streams said of themselves in RTCP (RFC 3550 §6.4.1, §6.6): how their
//! own clock stood, and that they left. These are claims, told as such: nobody but the sender
//! vouches for them. They are read from the packets that were kept, and stand nowhere else.

use super::facts::fact;
use super::report::Fact;
use crate::journal::{PacketKind, RecordRef};
use crate::timeline::clock_text;
use voicelog_model::rtcp::{self, Said};
use voicelog_model::{StreamNumber, Timestamp};

/// Sources that are told of.
const SOURCES_MAX: usize = 32;

/// A moment on the sender's clock and on ours.
#[derive(Debug, Clone, Copy)]
struct Reading {
    sender: Timestamp,
    ours: Timestamp,
}

/// One source.
struct Source {
    stream: StreamNumber,
    ssrc: u32,
    readings: Option<(Reading, Reading)>,
    left: Option<Timestamp>,
}

/// Gathers them. `started` is the start of the call.
pub(super) fn facts(records: &[RecordRef<'_>], started: Timestamp) -> Vec<Fact> {
    let mut sources: Vec<Source> = Vec::new();
    for record in records {
        if let RecordRef::Packet {
            stream,
            arrived,
            kind: PacketKind::Rtcp,
            bytes,
        } = *record
        {
            for said in rtcp::read(bytes) {
                take(&mut sources, stream, arrived, said);
            }
        }
    }
    let place = |at: Timestamp| clock_text(u64::try_from(at.micros_since(started)).unwrap_or(0));
    sources
        .iter()
        .flat_map(|source| [clock(source, place), goodbye(source, place)])
        .flatten()
        .collect()
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

fn clock(source: &Source, place: impl Fn(Timestamp) -> String) -> Option<Fact> {
    let (first, last) = source.readings?;
    let number = source.stream;
    let (at, until) = (place(first.ours), place(last.ours));
    let sender = first.sender;
    let by_sender = last.sender.micros_since(first.sender);
    let drift = by_sender.saturating_sub(last.ours.micros_since(first.ours)) / 1_000;
    let (drift_nl, drift_en) = if last.ours == first.ours {
        (String::new(), String::new())
    } else {
        (
            format!("; tot {until} {drift:+} ms verschoven tegen onze klok"),
            format!("; until {until} moved {drift:+} ms against our clock"),
        )
    };
    Some(fact(
        ("klok van de zender", "clock of the sender"),
        format!("stroom {number}: {sender} op {at}, zegt de zender{drift_nl}"),
        format!("stream {number}: {sender} at {at}, says the sender{drift_en}"),
    ))
}

fn goodbye(source: &Source, place: impl Fn(Timestamp) -> String) -> Option<Fact> {
    let (number, at) = (source.stream, place(source.left?));
    Some(fact(
        ("zender gestopt", "sender left"),
        format!("stroom {number}: op {at}, zegt de zender"),
        format!("stream {number}: at {at}, says the sender"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let facts = facts(&records, start());
        let text = |fact: Fact| format!("{}: {}", fact.name_en, fact.value_en);
        facts.into_iter().map(text).collect()
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
