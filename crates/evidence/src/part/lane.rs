//! One stream of a copy: whether its packets are in places that can be theirs.

use super::check::{Clock, PartFault};
use super::times::moment;
use super::{Placing, Plan, Shown, ShownRun, StreamScope};
use crate::journal::{PacketKind, RecordRef};
use crate::timeline::{Content, Interval, IntervalKind, StreamTimeline, content, known_formats};
use std::collections::BTreeMap;
use voicelog_model::Format;
use voicelog_model::rtp::RtpPacket;

/// How far the sound of a packet lies from its arrival at most, where it came in its turn, in
/// microseconds: a window of ten seconds in which nobody knows the delay yet, and what clocks drift.
const DELAY_US_MAX: u64 = 15_000_000;
/// How far it usually lies at most; beyond, a reader is told.
const DELAY_US_USUAL: u64 = 5_000_000;
/// A packet that does not tell its length lasts a fifth of a second at most.
const UNTOLD_PARTS: u32 = 5;

/// One stream of the copy.
pub(super) struct Lane<'s, 'a> {
    stream: &'s StreamTimeline,
    packets: &'s [(u64, RecordRef<'a>)],
    tree: &'s Shown,
    length_us: u64,
    /// What is redacted of it, by start: start, end, and the latest end so far.
    redacted: Vec<(u64, u64)>,
}

impl<'s, 'a> Lane<'s, 'a> {
    pub(super) fn new(
        stream: &'s StreamTimeline,
        packets: &'s [(u64, RecordRef<'a>)],
        tree: &'s Shown,
        plan: &Plan,
    ) -> Self {
        let number = stream.stream.number;
        let asked = plan.redactions.iter();
        let asked = asked.filter(|redaction| redaction.streams.contains(&number));
        let mut redacted: Vec<_> = asked.map(|one| (one.start_us, one.end_us)).collect();
        redacted.sort_unstable();
        let mut latest = 0;
        for (_, end) in &mut redacted {
            latest = latest.max(*end);
            *end = latest;
        }
        Self {
            stream,
            packets,
            tree,
            length_us: stream.intervals.last().map_or(0, |last| last.end_us),
            redacted,
        }
    }

    /// Which of the packets have a place. Each has one at most, and it can be its own.
    pub(super) fn check(&self, said: &StreamScope) -> Result<Vec<bool>, PartFault> {
        let formats = known_formats(&self.stream.stream);
        let mut used = vec![false; self.packets.len()];
        // Of each interval: where the last packets end, and how many there are.
        let mut ends: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
        let mut last = None;
        for placing in &said.placed {
            let fault = |what| PartFault::Placing {
                stream: said.number,
                first: placing.first,
                what,
            };
            if last.is_some_and(|last| last > placing.interval) {
                return Err(fault("their interval comes before the last one"));
            }
            last = Some(placing.interval);
            let interval = self.interval(placing).map_err(fault)?;
            let (end, count) = ends.entry(placing.interval).or_default();
            if placing.tick < *end {
                return Err(fault("they overlap those before"));
            }
            *end = self.extent(placing, interval).map_err(fault)?;
            *count = count.saturating_add(placing.count);
            if *count > interval.packets {
                return Err(fault("they are more than their interval has"));
            }
            let run = self.run(placing).map_err(fault)?;
            let format = formats.get(placing.format as usize);
            let format = format.ok_or_else(|| fault("there is no such format"))?;
            for ordinal in run {
                let (Some(used), Some((_, record))) =
                    (used.get_mut(ordinal), self.packets.get(ordinal))
                else {
                    return Err(fault("there are no such packets"));
                };
                if std::mem::replace(used, true) {
                    return Err(fault("a packet has two places"));
                }
                if !fits(*record, format, placing.ticks) {
                    return Err(fault("a packet is not of that format and length"));
                }
            }
            let (start_us, end_us) = (moment(interval, placing.tick), moment(interval, *end));
            if self.is_redacted(start_us, end_us) {
                return Err(fault("they hold sound that is said to be left out"));
            }
        }
        Ok(used)
    }

    /// RTP packets that are shown and have no place.
    pub(super) fn without_place(&self, used: &[bool]) -> u64 {
        let packets = self.packets.iter().zip(used);
        let bare = packets.filter(|((_, record), used)| !**used && rtp(*record).is_some());
        bare.count() as u64
    }

    fn interval(&self, placing: &Placing) -> Result<&'s Interval, &'static str> {
        let interval = self.stream.intervals.get(placing.interval as usize);
        let interval = interval.filter(|interval| interval.kind == IntervalKind::Media);
        interval.ok_or("they are in no interval of media")
    }

    /// Where the packets end within their interval, in ticks. Media that reaches beyond the end of the
    /// call is cut there, and only there.
    fn extent(&self, placing: &Placing, interval: &Interval) -> Result<u64, &'static str> {
        let length = placing.count.checked_mul(u64::from(placing.ticks));
        let end = length.and_then(|length| placing.tick.checked_add(length));
        let is_last = interval.end_us == self.length_us;
        end.filter(|end| *end <= interval.samples || is_last)
            .ok_or("they are longer than their interval")
    }

    /// Their places in the copy, all in one run of leaves.
    fn run(&self, placing: &Placing) -> Result<std::ops::Range<usize>, &'static str> {
        const NONE: &str = "there are no such packets";
        let first = usize::try_from(placing.first).map_err(|_| NONE)?;
        let count = usize::try_from(placing.count).map_err(|_| NONE)?;
        let end = first.checked_add(count).ok_or(NONE)?;
        if count == 0 || end > self.packets.len() {
            return Err(NONE);
        }
        let run = |ordinal| {
            let run = self.tree.run_of(ordinal);
            run.map(|run: &ShownRun| run.first_leaf)
        };
        if run(first) != run(end - 1) {
            return Err("something is left out between them");
        }
        Ok(first..end)
    }

    /// Whether a time is a part of a redaction: more than a microsecond into it.
    fn is_redacted(&self, start_us: u64, end_us: u64) -> bool {
        let before = self
            .redacted
            .partition_point(|(from, _)| from.saturating_add(1) < end_us);
        let latest = before
            .checked_sub(1)
            .and_then(|last| self.redacted.get(last));
        latest.is_some_and(|(_, until)| start_us < *until)
    }

    /// The packets lie where they arrived, but for no more than came out of their turn. How far the
    /// furthest is, where that is more than usual.
    pub(super) fn check_times(
        &self,
        said: &StreamScope,
        clock: &Clock,
    ) -> Result<Option<u64>, PartFault> {
        let behind = self.behind();
        let (mut moved, mut most_us) = (0_u64, 0);
        for placing in &said.placed {
            let at = placing.interval as usize;
            let (Some(interval), Some(behind)) = (self.stream.intervals.get(at), behind.get(at))
            else {
                continue;
            };
            let first = usize::try_from(placing.first).unwrap_or(usize::MAX);
            let mut tick = placing.tick;
            let count = usize::try_from(placing.count).unwrap_or(usize::MAX);
            for (index, record) in self.packets.iter().skip(first).take(count) {
                tick = tick.saturating_add(placing.ticks.into());
                let heard = i64::try_from(moment(interval, tick)).unwrap_or(i64::MAX);
                let late = heard.saturating_sub(clock.at_us(*index, record.time()));
                let allowed = if late > 0 { *behind } else { 0 };
                most_us = most_us.max(late.unsigned_abs());
                moved += u64::from(late.unsigned_abs() > DELAY_US_MAX.saturating_add(allowed));
            }
        }
        if moved > self.stream.reordered {
            return Err(PartFault::Moved(said.number));
        }
        Ok(Some(most_us).filter(|most| *most > DELAY_US_USUAL))
    }

    /// Of each interval, how far its sound may have been pushed on by that of others: media that follows
    /// media at once is of a source that was to be heard while another one was.
    fn behind(&self) -> Vec<u64> {
        let (mut pushed, mut was_media) = (0_u64, false);
        let intervals = self.stream.intervals.iter();
        intervals
            .map(|interval| {
                let is_media = interval.kind == IntervalKind::Media;
                if is_media && was_media {
                    pushed = pushed.saturating_add(interval.length_us());
                }
                was_media = is_media;
                pushed
            })
            .collect()
    }
}

/// Whether a packet holds sound of that format, so many ticks of it.
fn fits(record: RecordRef<'_>, format: &Format, ticks: u32) -> bool {
    let Some(packet) = rtp(record).filter(|packet| packet.payload_type == format.payload_type)
    else {
        return false;
    };
    match content(&packet, format) {
        Content::Sound(holds) => holds == ticks,
        Content::Untold => {
            let most = (format.codec.clock_rate() / UNTOLD_PARTS).max(1);
            (1..=most).contains(&ticks)
        }
        Content::ComfortNoise | Content::Key(_) | Content::Nothing => false,
    }
}

fn rtp(record: RecordRef<'_>) -> Option<RtpPacket<'_>> {
    match record {
        RecordRef::Packet {
            kind: PacketKind::Rtp,
            bytes,
            ..
        } => RtpPacket::parse(bytes).ok(),
        _ => None,
    }
}
