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
