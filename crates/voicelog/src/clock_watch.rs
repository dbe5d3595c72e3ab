//! Watching the machine's clock: against one that nobody sets, and now and then against a time server.
//! While it is not believed, no term ends.

use crate::clock::SystemClock;
use crate::config::ClockConfig;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;
use voicelog_archive::{Archive, ArchiveError, random};
use voicelog_model::{Clock, error};
use voicelog_recorder::{ClockCheck, Recorder, check_clock};

/// How often the clock is looked at.
const LOOK: Duration = Duration::from_secs(300);
/// How many looks lie between two questions to the time server.
const LOOKS_PER_QUESTION: u32 = 2;
/// So many answers in a row that are far away count; one alone may be wrong by itself.
const FAR_ANSWERS: u32 = 2;
/// How far the time server may be away before no term ends: an hour, in microseconds.
const OFF_MAX_MICROS: u64 = 3_600 * 1_000_000;
/// The alarm that stands while the clock is not believed.
const ALARM: &str = "clock_jumped";

/// Whether terms may be held against the clock.
#[derive(Debug)]
pub(crate) struct ClockGuard {
    archive: Arc<Archive>,
    recorder: Arc<Recorder>,
    clock: Arc<SystemClock>,
    /// How many times in a row the time server was far away.
    far_answers: AtomicU32,
}

impl ClockGuard {
    pub(crate) fn new(
        archive: &Arc<Archive>,
        recorder: &Arc<Recorder>,
        clock: &Arc<SystemClock>,
    ) -> Self {
        Self {
            archive: Arc::clone(archive),
            recorder: Arc::clone(recorder),
            clock: Arc::clone(clock),
            far_answers: AtomicU32::new(0),
        }
    }

    /// Looks at the clock; false while it is not believed, and then the alarm stands.
    pub(crate) fn look(&self) -> bool {
        let now = self.clock.now();
        let is_believed = match self.archive.look_at_clock(now) {
            Ok(()) => true,
            Err(why) => {
                // The alarm says it once; anything else is said each time.
                if !matches!(why, ArchiveError::ClockJumped { .. }) {
                    tracing::error!("clock: {}", error::chain(&why));
                }
                false
            }
        };
        self.recorder.set_alarm(ALARM, !is_believed, now);
        // After one answer that is far away no term ends, until the server is asked again.
        is_believed && self.far_answers.load(Ordering::SeqCst) == 0
    }

    /// Whether the server is to be asked again soon.
    fn doubts(&self) -> bool {
        let far = self.far_answers.load(Ordering::SeqCst);
        far > 0 && far < FAR_ANSWERS
    }

    fn ask(&self, server: &str) {
        let Ok(nonce) = random::bytes() else {
            return;
        };
        match check_clock(server, &*self.clock, nonce) {
            Ok(check) => {
                self.weigh(is_off(&check));
                self.recorder.set_clock_check(check);
            }
            Err(error) => {
                // Nobody says any more that it is wrong.
                self.weigh(false);
                tracing::warn!("clock: {}", error::chain(&error));
            }
        }
    }

    /// Two answers in a row that are far away are a jump like any other: a person says when the clock is right. One
    /// alone is forgotten.
    pub(crate) fn weigh(&self, is_far: bool) {
        let before = self.far_answers.load(Ordering::SeqCst);
        let far = if is_far { before.saturating_add(1) } else { 0 };
        if far >= FAR_ANSWERS {
            if let Err(error) = self.archive.distrust_clock() {
                tracing::error!("clock: {}", error::chain(&error));
                return;
            }
            // From here on it is kept. Where somebody confirms it all the same, two more answers are needed.
            self.far_answers.store(0, Ordering::SeqCst);
        } else {
            self.far_answers.store(far, Ordering::SeqCst);
        }
    }
}

/// Whether a time server is surely far away.
const fn is_off(check: &ClockCheck) -> bool {
    let sure = check.offset_us.unsigned_abs();
    sure.saturating_sub(check.uncertainty_us) > OFF_MAX_MICROS
}

/// The thread that looks.
#[derive(Debug)]
pub(crate) struct ClockWatch {
    looking: Option<(Sender<()>, JoinHandle<()>)>,
}

impl ClockWatch {
    pub(crate) fn start(
        config: &ClockConfig,
        archive: &Arc<Archive>,
        recorder: &Arc<Recorder>,
        clock: &Arc<SystemClock>,
    ) -> (Self, Arc<ClockGuard>) {
        let server = config.server.clone();
        let guard = Arc::new(ClockGuard::new(archive, recorder, clock));
        let shared = Arc::clone(&guard);
        let (stop, stopped) = mpsc::channel();
        let look = move || {
            for number in 0_u32.. {
                if let Some(server) = &server
                    && (number % LOOKS_PER_QUESTION == 0 || guard.doubts())
                {
                    guard.ask(server);
                }
                guard.look();
                if !matches!(stopped.recv_timeout(LOOK), Err(RecvTimeoutError::Timeout)) {
                    return;
                }
            }
        };
        let looking = Some((stop, std::thread::spawn(look)));
        (Self { looking }, shared)
    }

    /// Waits for an answer that is still awaited, at most some seconds.
    pub(crate) fn stop(&mut self) {
        if let Some((stop, thread)) = self.looking.take() {
            drop(stop);
            let _panicked = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::uptime;
    use voicelog_model::Timestamp;

    #[test]
    fn a_time_server_that_is_surely_an_hour_away_ends_no_term() {
        let check = |offset_us, uncertainty_us| ClockCheck {
            source: "time.example".to_owned(),
            checked_at: Timestamp::from_micros(0),
            offset_us,
            uncertainty_us,
        };
        let hour = 3_600_000_000;
        assert!(is_off(&check(hour + 1_000, 500)));
        assert!(is_off(&check(-hour - 1_000, 500)));
        assert!(!is_off(&check(hour + 1_000, 2_000)), "not surely");
        assert!(!is_off(&check(-500_000, 10)));
    }

    #[test]
    fn the_clock_that_nobody_sets_goes_on_and_tells_which_start_of_the_machine_it_is_of() {
        let (one, two) = (uptime().unwrap(), uptime().unwrap());
        assert!(two.micros >= one.micros && one.micros > 0);
        assert_eq!(one.boot, two.boot);
        assert!(one.boot.len() > 30);
    }
}
