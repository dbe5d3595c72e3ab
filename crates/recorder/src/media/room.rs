//! How much media waits in memory, of all calls together, and whose is the oldest.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::sync::atomic::{AtomicUsize, Ordering};
use voicelog_model::{RecordingId, Timestamp};

/// Memory for media that waits.
#[derive(Debug)]
pub(crate) struct Room {
    used: AtomicUsize,
    max: usize,
}

impl Room {
    /// So many bytes, of all calls together.
    pub(crate) const fn new(max: usize) -> Self {
        Self {
            used: AtomicUsize::new(0),
            max,
        }
    }

    /// Bytes that are taken.
    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    pub(super) fn take(&self, bytes: usize) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Whether more is taken than there is.
    pub(super) fn is_overfull(&self) -> bool {
        self.used() > self.max
    }

    /// Drops the oldest that waits, of whatever call, until what is left has room. `oldest`: when the
    /// oldest of each call was put by; `drop_oldest` drops that of one, and gives when the next was put by.
    ///
    /// Nothing is remembered between two looks: what waits of a call costs its own bytes and no more.
    pub(super) fn make(
        &self,
        oldest: Vec<(Timestamp, RecordingId)>,
        mut drop_oldest: impl FnMut(RecordingId) -> Option<Timestamp>,
    ) {
        let oldest = oldest.into_iter().map(Reverse);
        let mut oldest = oldest.collect::<BinaryHeap<_>>();
        while self.is_overfull()
            && let Some(mut first) = oldest.peek_mut()
        {
            let Reverse((at, id)) = &mut *first;
            match drop_oldest(*id) {
                Some(next) => *at = next,
                None => {
                    PeekMut::pop(first);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, VecDeque};

    #[test]
    fn the_oldest_goes_first_of_whatever_call_until_the_rest_has_room() {
        let room = Room::new(50);
        let at = Timestamp::from_micros;
        let ids = [1, 2, 3].map(|byte| RecordingId::from_bytes([byte; 16]));
        // Of ten bytes each; the third call has fallen silent.
        let mut calls = BTreeMap::from([
            (ids[0], VecDeque::from([10, 40, 70])),
            (ids[1], VecDeque::from([20, 30, 60, 90])),
            (ids[2], VecDeque::from([15])),
        ]);
        room.take(80);
        let fronts = calls.iter().map(|(id, all)| (at(all[0]), *id)).collect();
        let mut dropped = Vec::new();
        room.make(fronts, |id| {
            let all = calls.get_mut(&id).unwrap();
            dropped.push(all.pop_front().unwrap());
            room.give_back(10);
            all.front().copied().map(at)
        });
        assert_eq!((dropped, room.used()), (vec![10, 15, 20], 50));
        room.take(1_000);
        room.make(vec![(at(1), ids[0])], |_| None);
        assert_eq!(room.used(), 1_050, "and ends where nothing is left to drop");
    }
}
