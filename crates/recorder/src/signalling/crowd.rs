//! Too many connections: which one makes room for a new one, and the alarm about it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use tokio::time::Instant;

/// What is known of an open connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) number: u64,
    pub(super) address: IpAddr,
    /// When it was made, or a whole message last came over it.
    pub(super) heard: Instant,
}

/// The connection to close for a new one: none that a call goes over, of the address that has the
/// most, the one that was silent for longest. So whoever opens many loses its own first.
pub(super) fn least_missed(places: &[Place], in_use: &BTreeSet<u64>) -> Option<u64> {
    let mut of_address: BTreeMap<IpAddr, usize> = BTreeMap::new();
    for place in places {
        *of_address.entry(place.address).or_default() += 1;
    }
    let free = places
        .iter()
        .filter(|place| !in_use.contains(&place.number));
    let least = free.max_by_key(|place| {
        let neighbours = of_address.get(&place.address);
        (neighbours, std::cmp::Reverse(place.heard))
    });
    least.map(|place| place.number)
}

/// Whether there are too many connections, with some distance between the beginning and the end.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    is_full: bool,
}

impl Crowd {
    /// There was no room for a connection. Whether that is news.
    pub(super) const fn full(&mut self) -> bool {
        !std::mem::replace(&mut self.is_full, true)
    }

    /// There are so many of so many now. Whether it is news that there is room again.
    pub(super) const fn look(&mut self, open: usize, most: usize) -> bool {
        let is_over = self.is_full && open < most - most / 10;
        if is_over {
            self.is_full = false;
        }
        is_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn whoever_has_the_most_loses_the_one_that_was_silent_for_longest_and_no_call_loses_any() {
        let start = Instant::now();
        let place = |number: u64, last: u8, seconds: u64| Place {
            number,
            address: [192, 0, 2, last].into(),
            heard: start + Duration::from_secs(seconds),
        };
        let places = [
            place(1, 1, 0),
            place(2, 9, 5),
            place(3, 9, 3),
            place(4, 9, 4),
        ];
        let spared = |numbers: &[u64]| numbers.iter().copied().collect();
        assert_eq!(least_missed(&places, &spared(&[])), Some(3));
        assert_eq!(least_missed(&places, &spared(&[3])), Some(4));
        assert_eq!(least_missed(&places, &spared(&[2, 3, 4])), Some(1));
        assert_eq!(least_missed(&places, &spared(&[1, 2, 3, 4])), None);
    }

    #[test]
    fn it_is_said_once_and_again_when_there_is_room() {
        let mut crowd = Crowd::default();
        assert!(!crowd.look(0, 100) && crowd.full() && !crowd.full());
        assert!(!crowd.look(95, 100) && crowd.look(89, 100) && !crowd.look(89, 100));
    }
}
