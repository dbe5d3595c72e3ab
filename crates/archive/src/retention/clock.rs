//! The clock that terms are held against. A clock that is years ahead would end every term at once, and
//! what is destroyed does not come back.
//!
//! So the archive keeps the last moment at which its clock was believed, and moves it on only in steps that
//! an ordinary day takes. What is written meanwhile moves nothing: an entry of the log that a wrong clock
//! dated is no reason to believe that clock. After a larger step nothing is destroyed until a person says
//! that the clock is right; that is an entry of the log.

use crate::error::Doing;
use crate::{Archive, ArchiveError, random};
use serde::Serialize;
use std::time::Duration;
use voicelog_evidence::canonical::canonical_json;
use voicelog_evidence::digest::sha256;
use voicelog_evidence::tlog::{Leaf, LeafKind};
use voicelog_model::Timestamp;

/// Name of the setting with the last moment that was believed.
const SEEN: &str = "clock/seen";
/// The object of the leaf.
const OBJECT: &str = "clock";
/// How far the clock may be ahead of what was seen last where nobody watched it: a week, in microseconds.
const UNWATCHED_MAX: i64 = 7 * 86_400 * 1_000_000;
/// How far it may run ahead of a clock that nobody sets: an hour.
const WATCHED_MAX: i64 = 3_600 * 1_000_000;
/// How far it may be set back: what setting it right takes on an ordinary day.
const BACK_MAX: i64 = 300 * 1_000_000;

/// What the leaf commits to.
#[derive(Serialize)]
struct Statement {
    /// What the clock said.
    at: Timestamp,
    /// What had been believed last.
    seen: Timestamp,
}

impl Archive {
    /// Looks at the clock: believed, it is noted. `watched` is how long ago this process did so last, by a
    /// clock that nobody sets.
    ///
    /// Errors: [`ArchiveError::ClockJumped`], forwards or backwards.
    pub fn look_at_clock(
        &self,
        now: Timestamp,
        watched: Option<Duration>,
    ) -> Result<(), ArchiveError> {
        let seen = self.clock_seen()?;
        let ahead = watched.map_or(UNWATCHED_MAX, |since| {
            let since = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
            since.saturating_add(WATCHED_MAX)
        });
        believe(seen, now, ahead)?;
        // Never back: a clock that was set back by a minute, again and again, would go anywhere.
        self.note_clock(seen.map_or(now, |seen| seen.max(now)))
    }

    /// Refuses a clock that nothing may be destroyed by. Notes nothing.
    ///
    /// Errors: [`ArchiveError::ClockJumped`].
    pub fn must_believe_clock(&self, now: Timestamp) -> Result<(), ArchiveError> {
        believe(self.clock_seen()?, now, UNWATCHED_MAX)
    }

    /// Notes the newest entry of the log as what was seen last, in an archive that never looked. Before
    /// anything is written by the clock of today.
    pub fn begin_to_watch_clock(&self, now: Timestamp) -> Result<(), ArchiveError> {
        match self.index.setting(SEEN).doing("reading a setting")? {
            Some(_seen) => Ok(()),
            None => self.note_clock(self.clock_seen()?.unwrap_or(now)),
        }
    }

    /// Somebody says that the clock is right. Tells what had been seen before.
    pub fn confirm_clock(&self, now: Timestamp) -> Result<Option<Timestamp>, ArchiveError> {
        let seen = self.clock_seen()?;
        let content = canonical_json(&Statement {
            at: now,
            seen: seen.unwrap_or(now),
        })?;
        let kind = LeafKind::ClockConfirmed;
        let leaf = self.leaf(kind, OBJECT, &random::bytes()?, &sha256(&content), now)?;
        self.index.queue_leaf(&leaf).doing("logging the clock")?;
        self.note_clock(now)?;
        self.sequence()?;
        Ok(seen)
    }

    /// The last moment at which the clock was believed; before the first, that of the newest entry of the
    /// log.
    fn clock_seen(&self) -> Result<Option<Timestamp>, ArchiveError> {
        if let Some(kept) = self.index.setting(SEEN).doing("reading a setting")? {
            let text = String::from_utf8(kept).ok();
            let seen = text.and_then(|text| text.parse().ok());
            return seen.map(Some).ok_or_else(|| ArchiveError::Corrupt {
                what: "the moment at which the clock was seen".to_owned(),
            });
        }
        let head = self.index.log_head().doing("reading the log's head")?;
        let Some(last) = head.size.checked_sub(1) else {
            return Ok(None);
        };
        let leaf = self.index.leaf(last).doing("reading a leaf")?;
        let told = leaf.and_then(|leaf| Leaf::from_bytes(&leaf.bytes).ok());
        Ok(told.map(|leaf| leaf.at))
    }

    fn note_clock(&self, at: Timestamp) -> Result<(), ArchiveError> {
        let text = at.to_string();
        self.index
            .set_setting(SEEN, text.as_bytes())
            .doing("noting the clock")
    }
}

fn believe(seen: Option<Timestamp>, now: Timestamp, ahead: i64) -> Result<(), ArchiveError> {
    match seen {
        Some(seen) if now > seen.plus_micros(ahead) || now < seen.plus_micros(-BACK_MAX) => {
            Err(ArchiveError::ClockJumped { now, seen })
        }
        _ => Ok(()),
    }
}
