//! What the client refused to agree on, asked again. A permit that comes while the call lasts reaches
//! the client by a re-INVITE only; one refusal must not cost the rest of the conversation.

use super::Call;
use crate::control::Hands;
use voicelog_model::Timestamp;
use voicelog_srs::LocalDirection;

/// The first pause before the client is asked again, in microseconds.
const PAUSE: i64 = 30_000_000;
/// The longest.
const PAUSE_MAX: i64 = 600_000_000;
/// A client that has just shown that it is there is asked after this part of the pause.
const PART_WHEN_HEARD: i64 = 6;

/// A direction that the client refused.
#[derive(Debug, Default)]
pub(super) struct Wish {
    refused_at: Option<Timestamp>,
    refusals: u32,
}

impl Wish {
    fn pause(&self, is_heard: bool) -> i64 {
        let doublings = self.refusals.saturating_sub(1).min(10);
        let pause = (PAUSE << doublings).min(PAUSE_MAX);
        if is_heard {
            pause / PART_WHEN_HEARD
        } else {
            pause
        }
    }

    /// Our clock was set.
    pub(super) fn on_clock_step(&mut self, by_us: i64) {
        self.refused_at = self.refused_at.map(|at| at.plus_micros(by_us));
    }
}

impl Call {
    /// The client refused our re-INVITE, or did not answer it.
    pub(in crate::control) fn on_reinvite_refused(
        &mut self,
        status: u16,
        agreed: LocalDirection,
        hands: &mut Hands<'_>,
    ) {
        tracing::warn!(
            recording = ?self.id(),
            status,
            "the client refused a change of direction; it will be asked again"
        );
        hands.shared.count("reinvite_refused");
        self.told = agreed;
        self.wish.refused_at = Some(hands.now);
        self.wish.refusals = self.wish.refusals.saturating_add(1);
    }

    /// The client agreed.
    pub(in crate::control) fn on_agreed(&mut self) {
        self.wish = Wish::default();
    }

    /// Asks again what was refused, if it is time and still wanted.
    pub(in crate::control) fn mind_wish(&mut self, is_heard: bool, hands: &mut Hands<'_>) {
        let Some(refused_at) = self.wish.refused_at else {
            return;
        };
        if hands.now.micros_since(refused_at) >= self.wish.pause(is_heard) {
            self.wish.refused_at = None;
            self.align(hands);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_grows_and_is_shorter_for_a_client_that_is_heard() {
        let after = |refusals, is_heard| {
            let wish = Wish {
                refused_at: None,
                refusals,
            };
            wish.pause(is_heard) / 1_000_000
        };
        assert_eq!(
            [after(1, false), after(2, false), after(99, false)],
            [30, 60, 600]
        );
        assert_eq!(
            [after(1, true), after(2, true), after(99, true)],
            [5, 10, 100]
        );
    }
}
