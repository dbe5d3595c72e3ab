//! Two halves of many recordings, side by side: one waits for the disk while the other reckons.

use super::DESTROYED_TOGETHER_MAX;
use std::panic::resume_unwind;
use std::thread;

/// Does the same to the first [`DESTROYED_TOGETHER_MAX`] and to those behind them, on two threads; on this one alone
/// where there are no more than that. Gives what came of the first half, then of the second.
pub(crate) fn in_halves<T: Sync, R: Send>(
    all: &[T],
    act: impl Fn(&[T]) -> Vec<R> + Sync,
) -> Vec<R> {
    let (first, second) = all.split_at(all.len().min(DESTROYED_TOGETHER_MAX));
    if second.is_empty() {
        return act(first);
    }
    thread::scope(|scope| {
        let other = thread::Builder::new()
            .name("second-half".to_owned())
            .spawn_scoped(scope, || act(second));
        let mut done = act(first);
        done.extend(match other {
            Ok(other) => other.join().unwrap_or_else(|panic| resume_unwind(panic)),
            // No thread to be had: it takes longer.
            Err(_no_thread) => act(second),
        });
        done
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_done_once_and_told_in_order() {
        for count in [0, 1, DESTROYED_TOGETHER_MAX, 2 * DESTROYED_TOGETHER_MAX] {
            let all: Vec<usize> = (0..count).collect();
            assert_eq!(in_halves(&all, <[usize]>::to_vec), all);
        }
    }
}
