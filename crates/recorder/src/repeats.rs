//! The same trouble over and over, told once a minute.

use crate::pace::Tick;
use std::time::Duration;

/// How long the same trouble is not told again.
const QUIET: Duration = Duration::from_secs(60);

/// One kind of trouble.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    told_at: Option<Tick>,
    untold: u64,
}

impl Repeats {
    /// It happened. How often it did since it was last told, this time included, if it is to be told now.
    pub(crate) fn happened(&mut self, now: Tick) -> Option<u64> {
        self.untold += 1;
        if self.told_at.is_some_and(|at| now < at.plus(QUIET)) {
            return None;
        }
        self.told_at = Some(now);
        Some(std::mem::take(&mut self.untold))
    }

    /// It is over: the next time is told at once.
    pub(crate) const fn is_over(&mut self) {
        self.told_at = None;
        self.untold = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_told_at_once_then_once_a_minute_with_a_count_and_anew_after_it_was_over() {
        let mut trouble = Repeats::default();
        let start = Tick::now();
        let at = |seconds| start.plus(Duration::from_secs(seconds));
        let told: Vec<_> = [0, 1, 59, 60, 61, 130]
            .into_iter()
            .map(|seconds| trouble.happened(at(seconds)))
            .collect();
        assert_eq!(told, [Some(1), None, None, Some(3), None, Some(2)]);
        trouble.is_over();
        assert_eq!(trouble.happened(at(131)), Some(1));
    }
}
