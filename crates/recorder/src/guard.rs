//! A mistake of ours in one call must not cost another.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs what is done for one call; `None` if it panicked. The caller then ends that call and does
/// not trust what it had of it.
pub(crate) fn contained<T>(doing: &'static str, act: impl FnOnce() -> T) -> Option<T> {
    // What the closure borrows may be half changed afterwards; it is the caller's to let it go.
    catch_unwind(AssertUnwindSafe(act))
        .inspect_err(|_panic| tracing::error!(doing, "a mistake of ours ends one call"))
        .ok()
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_stays_where_it_is() {
        assert_eq!(contained("counting", || 1 + 1), Some(2));
        let lost: Option<()> = contained("failing on purpose", || panic!("on purpose"));
        assert!(lost.is_none());
        assert!(ran_to_its_end("test", || {}));
        assert!(!ran_to_its_end("test", || panic!("on purpose")));
    }
}
