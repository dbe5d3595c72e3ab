//! The rules in force, made ready before they begin: a call does not wait until the law of a new
//! day has been read.

use crate::{Archive, ArchiveError};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use voicelog_law::Rulebook;
use voicelog_model::Timestamp;

/// How long before they begin rules are made ready, in microseconds.
const AHEAD: i64 = 24 * 3_600 * 1_000_000;

/// The rules of now, and those of tomorrow if they are others.
pub(crate) struct Rules {
    // A change of either is one assignment: what a panic leaves behind is whole.
    now: RwLock<Arc<Rulebook>>,
    next: Mutex<Option<Arc<Rulebook>>>,
}

impl Rules {
    pub(crate) fn new(rulebook: Rulebook) -> Self {
        Self {
            now: RwLock::new(Arc::new(rulebook)),
            next: Mutex::default(),
        }
    }

    /// Those of the last question.
    pub(crate) fn kept(&self) -> Arc<Rulebook> {
        let kept = self.now.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&kept)
    }

    fn at(&self, now: Timestamp) -> Result<Arc<Rulebook>, ArchiveError> {
        let kept = self.kept();
        if kept.is_in_force(now) {
            return Ok(kept);
        }
        let mut place = self.now.write().unwrap_or_else(PoisonError::into_inner);
        // Whoever waited here finds it loaded.
        if !place.is_in_force(now) {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            *place = match next.take().filter(|next| next.is_in_force(now)) {
                Some(ready) => ready,
                None => ready(&place, now)?,
            };
            tracing::info!(
                valid_from = place.valid_from(),
                hash = place.hash(),
                "the rules have changed"
            );
        }
        Ok(Arc::clone(&place))
    }

    fn look_ahead(&self, now: Timestamp) -> Result<(), ArchiveError> {
        let rules = self.at(now)?;
        rules.prepare();
        let tomorrow = now.plus_micros(AHEAD);
        let is_ready = |next: &Arc<Rulebook>| next.is_in_force(tomorrow);
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if !rules.is_in_force(tomorrow) && !next.as_ref().is_some_and(is_ready) {
            *next = Some(ready(&rules, tomorrow)?);
        }
        Ok(())
    }
}

/// The same law on another day, with all that is read of it.
fn ready(rules: &Rulebook, at: Timestamp) -> Result<Arc<Rulebook>, ArchiveError> {
    let rules = rules.on(at).map_err(ArchiveError::Rulebook)?;
    rules.prepare();
    Ok(Arc::new(rules))
}

impl Archive {
    /// The rules that the last question was answered with.
    #[must_use]
    pub fn rulebook(&self) -> Arc<Rulebook> {
        self.rules.kept()
    }

    /// The rules in force at `now`, kept until others begin. Where nobody looked ahead they are
    /// put together anew on the thread that asks.
    pub fn rulebook_at(&self, now: Timestamp) -> Result<Arc<Rulebook>, ArchiveError> {
        self.rules.at(now)
    }

    /// Reads the rules of now and of tomorrow, so that no question waits for that.
    pub fn look_ahead(&self, now: Timestamp) -> Result<(), ArchiveError> {
        self.rules.look_ahead(now)?;
        self.tell_of_new_rules(&*self.rulebook_at(now)?, now)
    }
}
