//! Webhooks: news for other systems, posted as JSON and signed as Standard Webhooks say.
//!
//! A message waits in a queue on the disk until its endpoint has taken it, at least once: whoever gets it
//! twice sees the same `webhook-id`. It is tried for a day, ever more seldom; then it is given up and
//! stays to be seen. Nothing here ever holds up a call.
//!
//! The address comes from the configuration, which only the administrator writes, so it may lead
//! anywhere, also into the own network. What comes back is not looked at beyond its status, and no
//! redirect is followed: an endpoint cannot make this server call another.

mod address;
mod delivery;
mod secret;
#[cfg(test)]
mod tests;

pub use address::check_address;
pub use delivery::{Courier, Endpoint, Round, Trust, TrustError};
pub use secret::{Secret, SecretError};

/// How long after each attempt that failed the next one is made, in seconds: together a day.
const PAUSES: [i64; 10] = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 28_800];

/// The pause after so many attempts that failed, in microseconds; nothing once it is given up.
#[must_use]
pub fn pause_after(attempts: u64) -> Option<i64> {
    let place = usize::try_from(attempts.checked_sub(1)?).ok()?;
    PAUSES.get(place).map(|seconds| seconds * 1_000_000)
}
