//! The machine's clock, and one that the demo moves.

use nix::time::{ClockId, clock_gettime};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use voicelog_archive::Uptime;
use voicelog_model::{Clock, Timestamp};

/// Where the kernel tells which start of the machine this is.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

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

/// Time since the machine was started, sleep included: a clock that nobody sets. None where the kernel does not tell it.
pub(crate) fn uptime() -> Option<Uptime> {
    let boot = std::fs::read_to_string(BOOT_ID).ok()?;
    let since = clock_gettime(ClockId::CLOCK_BOOTTIME).ok()?;
    Some(Uptime::new(boot.trim().to_owned(), Duration::from(since)))
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
