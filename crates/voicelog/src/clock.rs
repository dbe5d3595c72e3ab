//! The machine's clock, and one that the demo moves.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use voicelog_model::{Clock, Timestamp};

/// The machine's clock, plus a shift that only the demo uses.
#[derive(Debug, Default)]
pub(crate) struct SystemClock {
    shift_micros: AtomicI64,
}

impl SystemClock {
    /// Moves this clock forward. The machine's own clock stays as it is.
    pub(crate) fn shift_to(&self, moment: Timestamp) {
        let shift = moment.micros_since(machine_time());
        self.shift_micros.store(shift, Ordering::SeqCst);
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        machine_time().plus_micros(self.shift_micros.load(Ordering::SeqCst))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the machine's clock is read"
)]
fn machine_time() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
