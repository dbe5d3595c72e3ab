//! When a talk was being recorded: permitted, started, and not paused.

use voicelog_model::Timestamp;

/// Spans of time, in order, the last of which may be open.
#[derive(Debug, Default)]
pub(crate) struct Held {
    spans: Vec<(Timestamp, Option<Timestamp>)>,
}

impl Held {
    /// Recording goes on from here. Without effect while it does.
    pub(crate) fn open(&mut self, at: Timestamp) {
        if !self.is_open() {
            self.spans.push((at, None));
        }
    }

    /// Recording stops here.
    pub(crate) fn close(&mut self, at: Timestamp) {
        if let Some((from, to @ None)) = self.spans.last_mut() {
            *to = Some(at.max(*from));
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.spans.last(), Some((_, None)))
    }

    /// How often it was stopped or begun.
    pub(crate) const fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether recording was on all the time between two moments, the second of them too.
    pub(crate) fn covers(&self, start: Timestamp, end: Timestamp) -> bool {
        // What comes is most often of the last span.
        let mut newest_first = self.spans.iter().rev();
        newest_first.any(|(from, to)| *from <= start && to.is_none_or(|to| end < to))
    }

    /// The parts of the spans between two moments.
    pub(crate) fn between(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let parts = self
            .spans
            .iter()
            .map(move |(start, end)| ((*start).max(from), end.unwrap_or(until).min(until)));
        parts.filter(|(start, end)| start < end)
    }

    /// How long it was on until now, in microseconds.
    pub(crate) fn total(&self, now: Timestamp) -> u64 {
        let parts = self.between(Timestamp::from_micros(i64::MIN), now);
        let lengths = parts.map(|(from, to)| to.micros_since(from));
        u64::try_from(lengths.sum::<i64>()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second)
    }

    #[test]
    fn what_was_captured_is_held_against_what_held_then() {
        let mut held = Held::default();
        assert!(!held.covers(at(0), at(1)));
        held.open(at(10));
        held.open(at(12));
        held.close(at(20));
        held.close(at(25));
        held.open(at(30));
        for (start, end, covers) in [
            (9, 11, false),
            (10, 11, true),
            (18, 19, true),
            (19, 20, false),
            (22, 23, false),
            (19, 31, false),
            (29, 30, false),
            (30, 99, true),
        ] {
            assert_eq!(held.covers(at(start), at(end)), covers, "{start} to {end}");
        }
        assert_eq!(held.total(at(35)), 15);
        let parts: Vec<_> = held.between(at(15), at(32)).collect();
        assert_eq!(parts, [(at(15), at(20)), (at(30), at(32))]);
    }
}
