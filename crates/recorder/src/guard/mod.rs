//! A mistake of ours in one call must not cost another.

#[cfg(test)]
mod mishaps;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use mishaps::mishap;

use std::panic::{AssertUnwindSafe, catch_unwind};
use voicelog_model::RecordingId;

/// Runs what is done for one call or for all; `None` if it panicked. The caller then lets go of what it
/// did it for, and does not trust what it had of it.
pub(crate) fn contained<T>(doing: &'static str, act: impl FnOnce() -> T) -> Option<T> {
    // What the closure borrows may be half changed afterwards; it is the caller's to let it go.
    catch_unwind(AssertUnwindSafe(act))
        .inspect_err(|_panic| tracing::error!(doing, "a mistake of ours ends one call"))
        .ok()
}

/// The same where it is known which recording it is done for.
pub(crate) fn contained_in<T>(
    id: RecordingId,
    doing: &'static str,
    act: impl FnOnce() -> T,
) -> Option<T> {
    catch_unwind(AssertUnwindSafe(act))
        .inspect_err(
            |_panic| tracing::error!(recording = %id, doing, "a mistake of ours ends this call"),
        )
        .ok()
}

/// A place at which a test lets something go wrong in the midst of what is done for a recording
/// (`mishaps.rs`); in the program it is nothing.
#[cfg(not(test))]
#[inline]
pub(crate) const fn mishap(_id: RecordingId, _place: &'static str) {}

/// Runs a thread's whole work. Whether it came to its end: if not, the part of the recorder that
/// it did is gone for good.
pub(crate) fn ran_to_its_end(thread: &str, run: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(run))
        .inspect_err(|_panic| {
            tracing::error!(
                thread,
                "a thread of the recorder has failed; start the server again"
            )
        })
        .is_ok()
}
