//! Times of a call, and what of the media of a stream a copy does not let anybody hear.

use super::{Placing, Scope, StreamScope};
use crate::timeline::{Interval, IntervalKind, StreamTimeline, Timeline};

/// A set of times, in microseconds from the start of the call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Times(Vec<(u64, u64)>);

impl Times {
    /// Unites spans in any order; what ends before it starts holds nothing.
    pub(crate) fn of(spans: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let mut spans: Vec<_> = spans.into_iter().filter(|span| span.0 < span.1).collect();
        spans.sort_unstable();
        let mut united: Vec<(u64, u64)> = Vec::new();
        for (start, end) in spans {
            match united.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => united.push((start, end)),
            }
        }
        Self(united)
    }

    /// The spans, in order and apart from each other.
    pub(crate) fn spans(&self) -> &[(u64, u64)] {
        &self.0
    }

    /// How much of a span is not in it, in microseconds.
    pub(crate) fn lacking(&self, (start, end): (u64, u64)) -> u64 {
        let from = self.0.partition_point(|span| span.1 <= start);
        let within = self.0.iter().skip(from).take_while(|span| span.0 < end);
        let held: u64 = within
            .map(|span| span.1.min(end).saturating_sub(span.0.max(start)))
            .sum();
        end.saturating_sub(start).saturating_sub(held)
    }
}

impl Times {
    /// A span, cut where it goes in and out of these times: start, end, and whether it is in them.
    pub(crate) fn cut(&self, (start, end): (u64, u64)) -> Vec<(u64, u64, bool)> {
        let (mut at, mut all) = (start, Vec::new());
        if start >= end {
            return all;
        }
        let from = self.0.partition_point(|span| span.1 <= start);
        let inside = self.0.iter().skip(from).take_while(|span| span.0 < end);
        for span in inside {
            let (from, until) = (span.0.max(start), span.1.min(end));
            all.extend((at < from).then_some((at, from, false)));
            all.push((from, until, true));
            at = until;
        }
        all.extend((at < end).then_some((at, end, false)));
        all
    }
}

/// The moment of so many ticks of an interval of media.
pub(super) fn moment(interval: &Interval, ticks: u64) -> u64 {
    let along =
        u128::from(interval.length_us()) * u128::from(ticks) / u128::from(interval.samples.max(1));
    let along = u64::try_from(along).unwrap_or(u64::MAX);
    interval.start_us.saturating_add(along)
}

/// The media of a stream of which no packet is placed, in order. `placed` is in order, without overlap
/// within an interval.
pub(super) fn unheard(stream: &StreamTimeline, placed: &[Placing]) -> Vec<(u64, u64)> {
    let mut all = Vec::new();
    let mut rest = placed;
    for (number, interval) in (0_u32..).zip(&stream.intervals) {
        let count = rest.partition_point(|placing| placing.interval <= number);
        let (within, behind) = rest.split_at(count);
        rest = behind;
        if interval.kind != IntervalKind::Media {
            continue;
        }
        let mut tick = 0;
        let ends = within.iter().map(|placing| {
            let length = placing.count.saturating_mul(placing.ticks.into());
            (placing.tick, placing.tick.saturating_add(length))
        });
        for (start, end) in ends.chain([(interval.samples, interval.samples)]) {
            let start = start.min(interval.samples);
            if start > tick {
                all.push((moment(interval, tick), moment(interval, start)));
            }
            tick = tick.max(end);
        }
    }
    all
}

/// The part of a span that lies within a window, if any does.
pub(super) fn within(span: (u64, u64), window: (u64, u64)) -> Option<(u64, u64)> {
    let (start, end) = (span.0.max(window.0), span.1.min(window.1));
    (start < end).then_some((start, end))
}

impl Scope {
    /// The time that the copy is of: the excerpt, or the call.
    #[must_use]
    pub fn window(&self, timeline: &Timeline) -> (u64, u64) {
        let excerpt = self.excerpt.map(|window| (window.start_us, window.end_us));
        excerpt.unwrap_or((0, timeline.length_us()))
    }

    /// The sound of a stream that is left out within that time, in microseconds from the start of the
    /// call: what was received, and is not heard in this copy. It can be more than was asked for.
    #[must_use]
    pub fn left_out_of(&self, stream: &StreamTimeline, timeline: &Timeline) -> Vec<(u64, u64)> {
        let window = self.window(timeline);
        let gaps = self.unheard_of(stream).into_iter();
        let gaps = Times::of(gaps.filter_map(|gap| within(gap, window)));
        gaps.spans().to_vec()
    }

    /// The times of a stream that the copy does not show: all outside the excerpt, and what is left out of
    /// it.
    pub(crate) fn absent_of(&self, stream: &StreamTimeline, timeline: &Timeline) -> Times {
        let (start, end) = self.window(timeline);
        let outside = [(0, start), (end, timeline.length_us())];
        Times::of(self.unheard_of(stream).into_iter().chain(outside))
    }

    fn unheard_of(&self, stream: &StreamTimeline) -> Vec<(u64, u64)> {
        let said = |one: &&StreamScope| one.number == stream.stream.number;
        let placed = self.streams.iter().find(said);
        unheard(stream, placed.map_or(&[][..], |said| &said.placed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_united_and_what_lacks_of_a_span_is_counted() {
        let times = Times::of([(10, 20), (5, 12), (20, 22), (30, 40), (35, 36), (50, 50)]);
        assert_eq!(times.spans(), [(5, 22), (30, 40)]);
        for (span, lacking) in [
            ((5, 22), 0),
            ((0, 50), 50 - 27),
            ((22, 30), 8),
            ((21, 31), 8),
            ((40, 60), 20),
            ((7, 7), 0),
            ((21, 6), 0),
        ] {
            assert_eq!(times.lacking(span), lacking, "{span:?}");
            let cut = times.cut(span);
            let outside = cut.iter().filter(|part| !part.2);
            assert_eq!(outside.map(|part| part.1 - part.0).sum::<u64>(), lacking);
            let sum: u64 = cut.iter().map(|part| part.1 - part.0).sum();
            assert_eq!(sum, span.1.saturating_sub(span.0));
        }
    }
}
