//! A mistake of ours in one talk must not cost another.

use std::panic::{AssertUnwindSafe, catch_unwind};
use voicelog_model::RecordingId;

/// Runs what is done for one talk; `None` if it panicked. The caller then lets go of that talk.
pub(crate) fn contained_in<T>(
    id: RecordingId,
    doing: &'static str,
    act: impl FnOnce() -> T,
) -> Option<T> {
    // What the closure borrows may be half changed afterwards; it is the caller's to let it go.
    catch_unwind(AssertUnwindSafe(act))
        .inspect_err(
            |_panic| tracing::error!(recording = %id, doing, "a mistake of ours ends this talk"),
        )
        .ok()
}

/// The same for what is done for all of them.
pub(crate) fn contained<T>(doing: &'static str, act: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(act))
        .inspect_err(|_panic| tracing::error!(doing, "a mistake of ours"))
        .ok()
}

/// A place at which a test lets something go wrong; in the program it is nothing.
#[cfg(not(test))]
#[inline]
pub(crate) const fn mishap(_id: RecordingId, _doing: &'static str) {}

#[cfg(test)]
pub(crate) use tests::mishap;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Talks in which something goes wrong, and where.
    static WRONG: Mutex<Vec<(RecordingId, &str)>> = Mutex::new(Vec::new());

    pub(crate) fn go_wrong(id: RecordingId, doing: &'static str) {
        WRONG.lock().unwrap().push((id, doing));
    }

    pub(crate) fn mishap(id: RecordingId, doing: &'static str) {
        let is_it = WRONG.lock().unwrap().contains(&(id, doing));
        assert!(!is_it, "a mistake for the test");
    }
}
