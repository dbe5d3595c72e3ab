//! Putting the packets of one stream in the order of their sequence numbers (RFC 3550 A.1).

use super::content::Content;
use std::collections::BTreeMap;

/// How many later packets may come before a missing one is given up.
pub(super) const HELD_PACKETS_MAX: i64 = 64;
/// How long a missing packet is waited for, in microseconds.
pub(super) const HELD_MICROS_MAX: i64 = 1_000_000;
/// A jump of this much is another counting, not loss (RFC 3550 A.1: `MAX_DROPOUT`).
const JUMP_MAX: i64 = 3_000;
/// How far apart the numbers of two packets may be that make another source together.
const CANDIDATE_MAX: u16 = 64;
/// Numbers remembered to tell a packet that came twice from one that came late.
const SEEN_BITS: i64 = 128;

/// A packet as far as its order goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit<T> {
    pub(super) ssrc: u32,
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    /// First packet after silence, as the sender says (RFC 3551 §4.1).
    pub(super) marker: bool,
    /// What it holds.
    pub(super) content: Content,
    /// Ticks a second.
    pub(super) rate: u32,
    /// Place of its format among those known of the stream.
    pub(super) format: usize,
    /// Microseconds from the start of the call.
    pub(super) arrived_us: i64,
    pub(super) tag: T,
}

impl<T> Unit<T> {
    /// Whether it and another packet can belong to one source that nothing else is known of.
    fn is_near(&self, other: &Self) -> bool {
        let apart = other.sequence.wrapping_sub(self.sequence).cast_signed();
        self.ssrc == other.ssrc && (1..=CANDIDATE_MAX).contains(&apart.unsigned_abs())
    }
}

/// A packet in its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ordered<T> {
    pub(super) unit: Unit<T>,
    /// Numbers missing before it.
    pub(super) lost_before: u64,
    /// It is the first of another source, or of another counting.
    pub(super) starts_source: bool,
}

/// What became of the packets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) duplicates: u64,
    pub(super) reordered: u64,
    pub(super) late: u64,
    pub(super) foreign: u64,
}

/// Orders the packets of one stream.
#[derive(Debug)]
pub(super) struct Sequencer<T> {
    source: Option<Source<T>>,
    /// A packet that does not fit the source. Two of one source in a row, with numbers close to each
    /// other, make another source: what is missing between them was lost. One alone makes none.
    candidate: Option<Unit<T>>,
    counts: Counts,
}

#[derive(Debug)]
struct Source<T> {
    ssrc: u32,
    /// Highest number so far, counted on through wraps.
    highest: i64,
    /// The number that comes out next.
    next: i64,
    /// Bit n: `highest` − n was received.
    seen: u128,
    held: BTreeMap<i64, Unit<T>>,
    started: bool,
}

impl<T> Default for Sequencer<T> {
    fn default() -> Self {
        Self {
            source: None,
            candidate: None,
            counts: Counts::default(),
        }
    }
}

impl<T: Copy> Sequencer<T> {
    pub(super) const fn counts(&self) -> Counts {
        self.counts
    }

    /// Takes a packet and puts out what is in order by now.
    pub(super) fn push(&mut self, unit: Unit<T>, out: &mut impl FnMut(Ordered<T>)) {
        let Some(source) = &mut self.source else {
            self.source = Some(Source::new(unit));
            return self.drain(unit.arrived_us, out);
        };
        let jump = source.jump_to(&unit);
        if unit.ssrc == source.ssrc && jump.abs() < JUMP_MAX {
            self.counts.foreign += u64::from(self.candidate.take().is_some());
            if jump == 1 && source.has_put_out_all() {
                return source.follow(unit, out);
            }
            source.take(jump, unit, &mut self.counts);
            return self.drain(unit.arrived_us, out);
        }
        match self.candidate.replace(unit) {
            Some(first) if first.is_near(&unit) => {
                self.flush(out);
                let mut source = Source::new(first);
                let jump = source.jump_to(&unit);
                source.take(jump, unit, &mut self.counts);
                (self.source, self.candidate) = (Some(source), None);
                self.drain(unit.arrived_us, out);
            }
            Some(_) => self.counts.foreign += 1,
            None => {}
        }
    }

    /// Puts out what is still held; the next packet starts anew.
    pub(super) fn restart(&mut self, out: &mut impl FnMut(Ordered<T>)) {
        self.flush(out);
        self.counts.foreign += u64::from(self.candidate.take().is_some());
        self.source = None;
    }

    fn flush(&mut self, out: &mut impl FnMut(Ordered<T>)) {
        if let Some(source) = &mut self.source {
            while source.put_first(out) {}
        }
    }

    fn drain(&mut self, now_us: i64, out: &mut impl FnMut(Ordered<T>)) {
        if let Some(source) = &mut self.source {
            while source.is_due(now_us) && source.put_first(out) {}
        }
    }
}

impl<T: Copy> Source<T> {
    fn new(first: Unit<T>) -> Self {
        let number = i64::from(first.sequence);
        Self {
            ssrc: first.ssrc,
            highest: number,
            next: number,
            seen: 1,
            held: BTreeMap::from([(number, first)]),
            started: false,
        }
    }

    /// Whether everything that came is put out, and nothing is waited for: how it mostly is.
    fn has_put_out_all(&self) -> bool {
        self.started && self.next > self.highest && self.held.is_empty()
    }

    /// Puts out the packet that comes next, where [`Self::has_put_out_all`]: as if it were taken
    /// and put out, without the map in between.
    fn follow(&mut self, unit: Unit<T>, out: &mut impl FnMut(Ordered<T>)) {
        self.highest += 1;
        self.seen = self.seen << 1 | 1;
        self.next = self.highest + 1;
        out(Ordered {
            unit,
            lost_before: 0,
            starts_source: false,
        });
    }

    /// How far the packet's number is from the highest one, the short way round.
    fn jump_to(&self, unit: &Unit<T>) -> i64 {
        // The number modulo 2^16 is all that the packet carries.
        let [.., high, low] = self.highest.to_be_bytes();
        i64::from(
            unit.sequence
                .wrapping_sub(u16::from_be_bytes([high, low]))
                .cast_signed(),
        )
    }

    fn take(&mut self, jump: i64, unit: Unit<T>, counts: &mut Counts) {
        if let Ok(ahead @ 1..) = u32::try_from(jump) {
            self.highest += jump;
            self.seen = self.seen.checked_shl(ahead).unwrap_or(0) | 1;
            self.held.insert(self.highest, unit);
            return;
        }
        let behind = jump.unsigned_abs();
        let bit = u32::try_from(behind)
            .ok()
            .and_then(|behind| 1_u128.checked_shl(behind));
        match bit {
            Some(bit) if behind < SEEN_BITS.unsigned_abs() => {
                if self.seen & bit != 0 {
                    counts.duplicates += 1;
                    return;
                }
                self.seen |= bit;
            }
            _ => {
                counts.late += 1;
                return;
            }
        }
        let number = self.highest + jump;
        if number < self.next && self.started {
            counts.late += 1;
            return;
        }
        counts.reordered += 1;
        self.next = self.next.min(number);
        self.held.insert(number, unit);
    }

    /// Whether the first packet held is the next, or is waited before for too long. The very first
    /// waits for a second: the two may have changed places.
    fn is_due(&self, now_us: i64) -> bool {
        if !self.started && self.held.len() < 2 {
            return false;
        }
        self.held.first_key_value().is_some_and(|(number, unit)| {
            *number == self.next
                || self.highest - self.next >= HELD_PACKETS_MAX
                || now_us - unit.arrived_us > HELD_MICROS_MAX
        })
    }

    fn put_first(&mut self, out: &mut impl FnMut(Ordered<T>)) -> bool {
        let Some((number, unit)) = self.held.pop_first() else {
            return false;
        };
        let lost_before = u64::try_from(number - self.next).unwrap_or(0);
        let starts_source = !self.started;
        self.started = true;
        self.next = number + 1;
        out(Ordered {
            unit,
            lost_before,
            starts_source,
        });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unit(ssrc: u32, sequence: u16, at: usize) -> Unit<usize> {
        let arrived_us = i64::try_from(at).unwrap() * 20_000;
        Unit {
            ssrc,
            sequence,
            timestamp: 0,
            marker: false,
            content: Content::Sound(160),
            rate: 8_000,
            format: 0,
            arrived_us,
            tag: at,
        }
    }

    /// Sequence numbers in the order they come out, with what is lost before each.
    fn order(packets: &[(u32, u16)]) -> (Vec<(u16, u64)>, Counts) {
        let mut sequencer = Sequencer::default();
        let mut out = Vec::new();
        let mut sink = |ordered: Ordered<usize>| {
            out.push((ordered.unit.sequence, ordered.lost_before));
        };
        for (at, (ssrc, sequence)) in packets.iter().enumerate() {
            sequencer.push(unit(*ssrc, *sequence, at), &mut sink);
        }
        sequencer.restart(&mut sink);
        (out, sequencer.counts())
    }

    fn of_one_source(sequences: &[u16]) -> (Vec<(u16, u64)>, Counts) {
        order(
            &sequences
                .iter()
                .map(|sequence| (7, *sequence))
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn numbers_wrap_without_loss() {
        let (out, counts) = of_one_source(&[65_534, 65_535, 0, 1]);
        assert_eq!(out, [(65_534, 0), (65_535, 0), (0, 0), (1, 0)]);
        assert_eq!(counts, Counts::default());
    }

    #[test]
    fn what_comes_out_of_order_is_put_in_its_place() {
        let (out, counts) = of_one_source(&[10, 12, 11, 11, 13, 16, 15]);
        assert_eq!(out, [(10, 0), (11, 0), (12, 0), (13, 0), (15, 1), (16, 0)]);
        assert_eq!((counts.reordered, counts.duplicates), (2, 1));
    }

    #[test]
    fn a_packet_that_comes_after_its_place_was_given_up_is_late() {
        let mut sequences: Vec<u16> = (0..100).filter(|n| *n != 5).collect();
        sequences.push(5);
        let (out, counts) = of_one_source(&sequences);
        assert_eq!(out.len(), 99);
        assert_eq!(out[5], (6, 1));
        assert_eq!(counts.late, 1);
    }

    #[test]
    fn two_packets_in_a_row_make_another_source_and_one_does_not() {
        let (out, counts) = order(&[(1, 5), (1, 6), (2, 900), (1, 7), (3, 40), (3, 41), (3, 42)]);
        assert_eq!(
            out.iter().map(|(n, _)| *n).collect::<Vec<_>>(),
            [5, 6, 7, 40, 41, 42]
        );
        assert!(out.iter().all(|(_, lost)| *lost == 0));
        assert_eq!(counts.foreign, 1);
    }

    #[test]
    fn a_new_source_whose_second_packet_is_lost_or_comes_first_loses_no_other() {
        let (out, counts) = order(&[(1, 5), (1, 6), (2, 900), (2, 902), (2, 903)]);
        assert_eq!(out, [(5, 0), (6, 0), (900, 0), (902, 1), (903, 0)]);
        assert_eq!(counts, Counts::default());
        let (out, counts) = order(&[(1, 5), (2, 901), (2, 900), (2, 902)]);
        assert_eq!(out, [(5, 0), (900, 0), (901, 0), (902, 0)]);
        assert_eq!((counts.foreign, counts.reordered), (0, 1));
    }

    #[test]
    fn a_packet_that_comes_twice_or_far_from_the_next_makes_no_source() {
        for stray in [
            [(2, 900), (2, 900)],
            [(2, 900), (2, 965)],
            [(2, 900), (3, 901)],
        ] {
            let (out, counts) = order(&[(1, 5), stray[0], stray[1], (1, 6)]);
            assert_eq!(out, [(5, 0), (6, 0)], "{stray:?}");
            assert_eq!(counts.foreign, 2);
        }
    }

    #[test]
    fn a_source_that_counts_anew_is_followed() {
        let (out, _) = of_one_source(&[5, 6, 30_000, 30_001, 30_002]);
        assert_eq!(
            out.iter().map(|(n, lost)| (*n, *lost)).collect::<Vec<_>>(),
            [(5, 0), (6, 0), (30_000, 0), (30_001, 0), (30_002, 0)]
        );
    }

    proptest! {
        #[test]
        fn every_packet_comes_out_once_or_is_counted(
            packets in proptest::collection::vec((0..3_u32, prop_oneof![0..300_u16, any::<u16>()]), 0..300)
        ) {
            let (out, counts) = order(&packets);
            let counted = counts.duplicates + counts.late + counts.foreign;
            prop_assert_eq!(out.len() as u64 + counted, packets.len() as u64);
        }

        #[test]
        fn swapping_neighbours_changes_nothing(swaps in proptest::collection::vec(any::<bool>(), 60)) {
            let mut sequences: Vec<u16> = (65_500..=65_535).chain(0..90).collect();
            for (at, swap) in swaps.iter().enumerate() {
                if *swap {
                    sequences.swap(2 * at, 2 * at + 1);
                }
            }
            let (out, _) = of_one_source(&sequences);
            prop_assert!(out.iter().all(|(_, lost)| *lost == 0));
            prop_assert_eq!(out.len(), 126);
        }
    }
}
