//! Slows down guessing of passwords: buckets that leak, one per key, in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use voicelog_model::Timestamp;

/// Keys remembered at most. When full, the bucket that is nearest to empty is forgotten.
const KEYS_MAX: usize = 4_096;

/// How many tries a key has and how fast they come back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    /// Tries in a row.
    pub(crate) burst: u32,
    /// Microseconds after which one try comes back.
    pub(crate) one_per_micros: i64,
}

/// One kind of key with its allowance.
#[derive(Debug)]
pub(crate) struct Throttle {
    allowance: Allowance,
    /// Per key, the moment at which all its tries are back.
    full_again_at: Mutex<BTreeMap<[u8; 32], Timestamp>>,
}

impl Throttle {
    pub(crate) const fn new(allowance: Allowance) -> Self {
        Self {
            allowance,
            full_again_at: Mutex::new(BTreeMap::new()),
        }
    }

    /// A try that was right counts for nothing.
    pub(crate) fn give_back(&self, key: &[u8; 32]) {
        let mut buckets = self
            .full_again_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(full_again) = buckets.get_mut(key) {
            *full_again = full_again.plus_micros(-self.allowance.one_per_micros);
        }
    }

    /// Takes one try. `Err` gives the whole seconds until the next one comes back.
    pub(crate) fn take(&self, key: [u8; 32], now: Timestamp) -> Result<(), u64> {
        let mut buckets = self
            .full_again_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let step = self.allowance.one_per_micros;
        let room = step.saturating_mul(i64::from(self.allowance.burst));
        let full_again = buckets.get(&key).copied().unwrap_or(now).max(now);
        let after = full_again.plus_micros(step);
        let over = after.micros_since(now).saturating_sub(room);
        if over > 0 {
            return Err(u64::try_from(over.div_euclid(1_000_000)).unwrap_or(0) + 1);
        }
        if buckets.len() >= KEYS_MAX && !buckets.contains_key(&key) {
            buckets.retain(|_, full_again| *full_again > now);
            if buckets.len() >= KEYS_MAX
                && let Some(nearest) = buckets.iter().min_by_key(|(_, at)| **at).map(|(k, _)| *k)
            {
                buckets.remove(&nearest);
            }
        }
        buckets.insert(key, after);
        Ok(())
    }

    /// Gives all tries back, after a success.
    pub(crate) fn forget(&self, key: &[u8; 32]) {
        self.full_again_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWANCE: Allowance = Allowance {
        burst: 3,
        one_per_micros: 30_000_000,
    };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn after_the_burst_a_try_comes_back_at_the_stated_pace() {
        let throttle = Throttle::new(ALLOWANCE);
        for _ in 0..3 {
            throttle.take([1; 32], at(100)).unwrap();
        }
        let wait = throttle.take([1; 32], at(100)).unwrap_err();
        assert!((30..=31).contains(&wait), "{wait}");
        assert!(
            throttle.take([2; 32], at(100)).is_ok(),
            "another key is not touched"
        );
        assert!(throttle.take([1; 32], at(131)).is_ok());
        assert!(throttle.take([1; 32], at(131)).is_err());
    }

    #[test]
    fn success_gives_all_tries_back() {
        let throttle = Throttle::new(ALLOWANCE);
        for _ in 0..3 {
            throttle.take([1; 32], at(0)).unwrap();
        }
        throttle.forget(&[1; 32]);
        assert!(throttle.take([1; 32], at(0)).is_ok());
    }

    #[test]
    fn a_flood_of_keys_does_not_grow_the_memory() {
        let throttle = Throttle::new(ALLOWANCE);
        for number in 0..KEYS_MAX + 500 {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&number.to_be_bytes());
            throttle.take(key, at(0)).unwrap();
        }
        assert!(throttle.full_again_at.lock().unwrap().len() <= KEYS_MAX);
    }
}
