//! How much of a call is there: what was kept of it, not how long its recording lasted.

use voicelog_archive::journal::Cause;
use voicelog_archive::timeline::{Interval, IntervalKind, StreamTimeline, Timeline};
use voicelog_model::Timestamp;

/// Parts of time, in order and apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Spans(Vec<(Timestamp, Timestamp)>);

impl Spans {
    /// Of parts in any order, which may overlap.
    pub(super) fn of(parts: impl IntoIterator<Item = (Timestamp, Timestamp)>) -> Self {
        let mut parts: Vec<_> = parts.into_iter().filter(|(from, to)| from < to).collect();
        parts.sort();
        let mut apart: Vec<(Timestamp, Timestamp)> = Vec::new();
        for (from, to) in parts {
            match apart.last_mut() {
                Some((_, end)) if from <= *end => *end = to.max(*end),
                _ => apart.push((from, to)),
            }
        }
        Self(apart)
    }

    /// Both together.
    pub(super) fn join<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        Self::of(all.into_iter().flat_map(|spans| spans.0.iter().copied()))
    }

    /// How much of it falls between two moments, in microseconds.
    pub(super) fn within(&self, from: Timestamp, to: Timestamp) -> i64 {
        let parts = self.0.iter();
        parts
            .map(|(start, end)| (*end).min(to).micros_since((*start).max(from)).max(0))
            .sum()
    }
}

/// What became of the time of a recording.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Coverage {
    /// Something was kept of at least one stream, or it is known to have been silent.
    pub(super) kept: Spans,
    /// Nothing was, because the law, a hold or a pause took it away, or something was.
    pub(super) kept_or_withheld: Spans,
}

impl Coverage {
    /// By the timeline.
    pub(super) fn of(timeline: &Timeline) -> Self {
        let spans = |is_such: fn(&Interval) -> bool| {
            let intervals = timeline.streams.iter().flat_map(|stream| &stream.intervals);
            let such = intervals.filter(move |interval| is_such(interval));
            Spans::of(such.map(|interval| {
                let at = |micros: u64| {
                    let micros = i64::try_from(micros).unwrap_or(i64::MAX);
                    timeline.call_started.plus_micros(micros)
                };
                (at(interval.start_us), at(interval.end_us))
            }))
        };
        Self {
            kept: spans(is_kept),
            kept_or_withheld: spans(|interval| is_kept(interval) || is_withheld(interval)),
        }
    }
}

const fn is_kept(interval: &Interval) -> bool {
    matches!(
        interval.kind,
        IntervalKind::Media
            | IntervalKind::SilenceSuppressed
            // Neither lasts longer than two seconds.
            | IntervalKind::AwaitingFirstPacket
            | IntervalKind::AfterLastPacket
    )
}

fn is_withheld(interval: &Interval) -> bool {
    let by_somebody = interval.cause.is_some_and(|cause| {
        cause.is_of_client() || matches!(cause, Cause::Refusal | Cause::Operator)
    });
    match interval.kind {
        IntervalKind::Hold => true,
        IntervalKind::Paused => {
            by_somebody || interval.pause.is_some() || !interval.grounds.is_empty()
        }
        // A stream that the telephone system added later was not kept from anybody.
        IntervalKind::NotStarted => {
            !interval.grounds.is_empty() || interval.cause == Some(Cause::Refusal)
        }
        _ => false,
    }
}

/// Which side is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lacking {
    /// A stream is there and never brought a packet.
    Silent,
    /// Several people took part, and there is a stream of one of them only.
    Absent,
}

/// Whether a side of the conversation is missing, of which so many people were part.
pub(super) fn lacking(timeline: &Timeline, people: usize) -> Option<Lacking> {
    let streams = &timeline.streams;
    let silent = streams.iter().filter(|stream| is_silent(stream)).count();
    if silent > 0 && silent < streams.len() {
        return Some(Lacking::Silent);
    }
    let mut heard = streams.iter().filter(|stream| stream.packets > 0);
    let (Some(only), None) = (heard.next(), heard.next()) else {
        return None;
    };
    // One stream can hold all of them. It is of one person where the other side said so.
    let voices = timeline.voices_of(only.stream.number);
    let mut parties = voices
        .iter()
        .map(|stretch| stretch.voice.parties.as_slice());
    let first = parties.next()?;
    let is_of_one = first.len() == 1 && parties.all(|parties| parties == first);
    (is_of_one && people > 1).then_some(Lacking::Absent)
}

/// Of a stream that never brought anything although recording was on for a while.
fn is_silent(stream: &StreamTimeline) -> bool {
    let waited = stream.intervals.iter();
    let waited = waited.filter(|interval| interval.kind != IntervalKind::NotStarted);
    stream.packets == 0 && waited.map(Interval::length_us).sum::<u64>() > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use voicelog_archive::journal::{Ground, JournalEvent, Record, VoiceRule};
    use voicelog_archive::timeline::build;
    use voicelog_model::{Codec, DecisionId, Format, MediaStream, StreamNumber};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn stream(number: u16) -> MediaStream {
        let format = Format {
            codec: Codec::Pcma,
            payload_type: 8,
            parameters: None,
        };
        MediaStream::of_formats(StreamNumber(number), &[format]).unwrap()
    }

    fn event(second: i64, event: JournalEvent) -> Record {
        Record::Event {
            at: at(second),
            event,
        }
    }

    /// A minute of packets on these streams, of which what was not permitted is left out.
    fn timeline(streams: &[u16], refused: (i64, i64), parties: &[&str]) -> Timeline {
        let decision = DecisionId::new(at(0), [0; 10]);
        let mut records = vec![event(0, JournalEvent::CallStarted {})];
        for number in streams {
            let stream = stream(*number);
            records.push(event(0, JournalEvent::StreamAdded { stream }));
            let voice = JournalEvent::StreamVoice {
                stream: StreamNumber(*number),
                label: None,
                parties: parties.iter().map(|party| (*party).to_owned()).collect(),
                rule: Some(VoiceRule::Label),
            };
            records.push(event(0, voice));
        }
        records.push(event(0, JournalEvent::Permitted { decision }));
        for tick in 0..3_000_u16 {
            let second = i64::from(tick / 50);
            if second == refused.0 && tick % 50 == 0 {
                let ground = Ground {
                    rule: "r".to_owned(),
                    articles: Vec::new(),
                    text_nl: "nee".to_owned(),
                    text_en: "no".to_owned(),
                };
                let reasons = vec![ground];
                records.push(event(
                    second,
                    JournalEvent::PermitEnded { decision, reasons },
                ));
            }
            if second == refused.1 && tick % 50 == 0 {
                records.push(event(second, JournalEvent::Permitted { decision }));
            }
            if (refused.0..refused.1).contains(&second) {
                continue;
            }
            for number in streams {
                let mut bytes = vec![0x80, 8];
                bytes.extend_from_slice(&tick.to_be_bytes());
                bytes.extend_from_slice(&(u32::from(tick) * 160).to_be_bytes());
                bytes.extend_from_slice(&u32::from(*number).to_be_bytes());
                bytes.extend_from_slice(&[0xd5; 160]);
                records.push(Record::Packet {
                    arrived: at(0).plus_micros(i64::from(tick) * 20_000),
                    stream: StreamNumber(*number),
                    kind: voicelog_archive::journal::PacketKind::Rtp,
                    bytes,
                });
            }
        }
        let cause = Cause::RecordingClient;
        records.push(event(60, JournalEvent::CallEnded { cause }));
        build(records)
    }

    #[test]
    fn what_was_kept_counts_and_what_the_law_took_away_is_told_apart() {
        let coverage = Coverage::of(&timeline(&[1, 2], (10, 50), &["p1"]));
        let kept = coverage.kept.within(at(0), at(60));
        assert!((20_000_000..=20_100_000).contains(&kept), "{kept}");
        let both = coverage.kept_or_withheld.within(at(0), at(60));
        assert!((59_900_000..=60_000_000).contains(&both), "{both}");
        // Only the part that the call of the list lasted.
        let clipped = coverage.kept.within(at(55), at(70));
        assert!((4_900_000..=5_000_000).contains(&clipped), "{clipped}");
    }

    #[test]
    fn one_stream_of_one_person_of_several_is_one_side_and_a_mix_is_not() {
        let none = (99, 99);
        let one = timeline(&[1], none, &["p1"]);
        assert_eq!(lacking(&one, 2), Some(Lacking::Absent));
        assert_eq!(lacking(&one, 1), None);
        assert_eq!(lacking(&timeline(&[1], none, &["p1", "p2"]), 2), None);
        assert_eq!(lacking(&timeline(&[1], none, &[]), 2), None);
        assert_eq!(lacking(&timeline(&[1, 2], none, &["p1"]), 2), None);
        let mut silent = timeline(&[1, 2], none, &["p1"]);
        silent.streams[1].packets = 0;
        assert_eq!(lacking(&silent, 2), Some(Lacking::Silent));
    }
}
