//! The clock that terms are held against. A clock that is years ahead would end every term at once, and
//! what is destroyed does not come back.
//!
//! So the archive keeps the last moment at which its clock was believed, with what a clock said then that nobody sets: the
//! time since the machine was started. Since then the two may have come apart by an hour in all, which is what setting a
//! clock right takes; that allowance comes back slowly. Where the machine was started again in between, nobody knows how
//! long it was off, and a week is believed. What is written meanwhile moves nothing: an entry of the log that a wrong clock
//! dated is no reason to believe that clock.
//!
//! After a larger step nothing is destroyed until a person says that the clock is right; that is an entry of the log. The
//! step is kept, so that starting the server again does not make anybody forget it.

use crate::error::Doing;
use crate::{Archive, ArchiveError, random};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use voicelog_evidence::canonical::canonical_json;
use voicelog_evidence::digest::sha256;
use voicelog_evidence::tlog::LeafKind;
use voicelog_model::Timestamp;

/// Name of the setting with the last moment that was believed.
const SEEN: &str = "clock/seen";
/// Name of the setting with the step that nobody confirmed yet; empty where there is none.
const JUMPED: &str = "clock/jumped";
/// The object of the leaf.
const OBJECT: &str = "clock";
/// How far the clock may be ahead of what was seen last where the machine was off in between: a week, in microseconds.
const UNWATCHED_MAX: i64 = 7 * 86_400 * 1_000_000;
/// How far it may come apart from the clock that nobody sets, all steps together: an hour.
const APART_MAX: i64 = 3_600 * 1_000_000;
/// After how much time a microsecond of that allowance is there again: all of it after six days.
const RETURNS_IN: i64 = 144;
/// How far it may be set back at once: what setting it right takes on an ordinary day.
const BACK_MAX: i64 = 300 * 1_000_000;

/// What a clock says that nobody sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uptime {
    /// Which start of the machine.
    pub boot: String,
    /// Microseconds since then, sleep included.
    pub micros: i64,
}

impl Uptime {
    /// So long after that start.
    #[must_use]
    pub fn new(boot: String, since: Duration) -> Self {
        let micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
        Self { boot, micros }
    }
}

/// Reads that clock; none where it cannot be read.
pub type UptimeClock = Box<dyn Fn() -> Option<Uptime> + Send + Sync>;

/// The last moment that was believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    at: Timestamp,
    /// What the other clock said then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uptime: Option<Uptime>,
    /// How far the two had come apart, without what came back since: microseconds.
    #[serde(default)]
    apart: i64,
}

/// Why the clock is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Why {
    /// It moved by itself. Back in its place, it is believed again.
    Moved,
    /// A time server is far away.
    Server,
}

/// What the leaf commits to.
#[derive(Serialize)]
struct Statement {
    /// What the clock said.
    at: Timestamp,
    /// What had been believed last.
    seen: Timestamp,
}

impl Seen {
    /// What is seen now, if it is believed. A clock is believed within what it may do on an ordinary day.
    fn believe(&self, now: Timestamp, uptime: Option<Uptime>) -> Result<Self, ArchiveError> {
        let jumped = || ArchiveError::ClockJumped { now, seen: self.at };
        let moved = now.micros_since(self.at);
        let Some(passed) = self.passed(uptime.as_ref()) else {
            if !(-BACK_MAX..=UNWATCHED_MAX).contains(&moved) {
                return Err(jumped());
            }
            return Ok(Self {
                // Never back: a clock that was set back by a minute, again and again, would go anywhere.
                at: now.max(self.at),
                uptime,
                apart: self.apart,
            });
        };
        let ahead = moved.saturating_sub(passed);
        let before = self.apart.saturating_sub(passed / RETURNS_IN).max(0);
        let apart = before.saturating_add(ahead.saturating_abs());
        if ahead < -BACK_MAX || apart > APART_MAX {
            return Err(jumped());
        }
        Ok(Self {
            at: now,
            uptime,
            apart,
        })
    }

    /// Microseconds since then by the other clock; none where the machine was started again.
    fn passed(&self, uptime: Option<&Uptime>) -> Option<i64> {
        let (then, now) = (self.uptime.as_ref()?, uptime?);
        (then.boot == now.boot && then.micros <= now.micros).then(|| now.micros - then.micros)
    }
}

impl Archive {
    /// Holds its clock against one that nobody sets. Without, only a week is looked at.
    #[must_use]
    pub fn with_uptime_clock(self, clock: UptimeClock) -> Self {
        Self {
            uptime_clock: Some(clock),
            ..self
        }
    }

    /// Looks at the clock: believed, it is noted; not believed, that is kept until somebody confirms it, or until it is
    /// back in its place on a machine that ran all the while.
    ///
    /// Errors: [`ArchiveError::ClockJumped`], forwards or backwards.
    pub fn look_at_clock(&self, now: Timestamp) -> Result<(), ArchiveError> {
        let uptime = self.uptime();
        let Some(seen) = self.clock_seen()? else {
            return self.note_clock(now, uptime);
        };
        let is_watched = seen.passed(uptime.as_ref()).is_some();
        let jumped = self.clock_jumped()?;
        match (seen.believe(now, uptime), jumped) {
            (Ok(next), None) => self.note(&next),
            (Ok(next), Some(Why::Moved)) if is_watched => self.note(&next),
            (Ok(_), Some(_)) => Err(ArchiveError::ClockJumped { now, seen: seen.at }),
            (Err(error), jumped) => {
                if jumped.is_none() {
                    self.note_jump(Why::Moved)?;
                }
                Err(error)
            }
        }
    }

    /// A time server says that the clock is far from right: from now on it is not believed until somebody confirms it.
    pub fn distrust_clock(&self) -> Result<(), ArchiveError> {
        match self.clock_jumped()? {
            Some(Why::Server) => Ok(()),
            None | Some(Why::Moved) => self.note_jump(Why::Server),
        }
    }

    /// Refuses a clock that nothing may be destroyed by. Notes nothing.
    ///
    /// Errors: [`ArchiveError::ClockJumped`].
    pub fn must_believe_clock(&self, now: Timestamp) -> Result<(), ArchiveError> {
        let Some(seen) = self.clock_seen()? else {
            return Ok(());
        };
        if self.clock_jumped()?.is_some() {
            return Err(ArchiveError::ClockJumped { now, seen: seen.at });
        }
        seen.believe(now, self.uptime()).map(|_believed| ())
    }

    /// Notes the newest entry of the log as what was seen last, in an archive that never looked. Before
    /// anything is written by the clock of today.
    pub fn begin_to_watch_clock(&self, now: Timestamp) -> Result<(), ArchiveError> {
        match self.index.setting(SEEN).doing("reading a setting")? {
            Some(_seen) => Ok(()),
            None => {
                let at = self.clock_seen()?.map_or(now, |seen| seen.at);
                self.note_clock(at, None)
            }
        }
    }

    /// Somebody says that the clock is right. Tells what had been seen before.
    pub fn confirm_clock(&self, now: Timestamp) -> Result<Option<Timestamp>, ArchiveError> {
        let seen = self.clock_seen()?.map(|seen| seen.at);
        let content = canonical_json(&Statement {
            at: now,
            seen: seen.unwrap_or(now),
        })?;
        let kind = LeafKind::ClockConfirmed;
        let leaf = self.leaf(kind, OBJECT, &random::bytes()?, &sha256(&content), now)?;
        self.index.queue_leaf(&leaf).doing("logging the clock")?;
        self.note_clock(now, self.uptime())?;
        self.sequence()?;
        Ok(seen)
    }

    fn uptime(&self) -> Option<Uptime> {
        self.uptime_clock.as_ref().and_then(|clock| clock())
    }

    /// The last moment at which the clock was believed; before the first, that of the newest entry of the
    /// log.
    fn clock_seen(&self) -> Result<Option<Seen>, ArchiveError> {
        let of = |at| Seen {
            at,
            uptime: None,
            apart: 0,
        };
        if let Some(kept) = self.index.setting(SEEN).doing("reading a setting")? {
            // Before there was more to keep, it was the moment alone.
            let alone = std::str::from_utf8(&kept)
                .ok()
                .and_then(|text| text.parse().ok());
            let seen = alone.map(of).or_else(|| serde_json::from_slice(&kept).ok());
            return seen
                .map(Some)
                .ok_or_else(|| damaged("the moment at which the clock was seen"));
        }
        Ok(self.newest_entry()?.map(|leaf| of(leaf.at)))
    }

    /// The last moment at which the clock was believed.
    pub(crate) fn clock_believed(&self) -> Result<Option<Timestamp>, ArchiveError> {
        Ok(self.clock_seen()?.map(|seen| seen.at))
    }

    /// The step that nobody confirmed yet.
    fn clock_jumped(&self) -> Result<Option<Why>, ArchiveError> {
        let kept = self.index.setting(JUMPED).doing("reading a setting")?;
        match kept.filter(|kept| !kept.is_empty()) {
            None => Ok(None),
            Some(kept) => serde_json::from_slice(&kept)
                .map(Some)
                .map_err(|_text| damaged("that the clock jumped")),
        }
    }

    fn note_clock(&self, at: Timestamp, uptime: Option<Uptime>) -> Result<(), ArchiveError> {
        let apart = 0;
        self.note(&Seen { at, uptime, apart })
    }

    /// Believed, and so no step is left to be confirmed: both at once.
    fn note(&self, seen: &Seen) -> Result<(), ArchiveError> {
        self.index
            .set_settings(&[
                (SEEN.to_owned(), canonical_json(seen)?),
                (JUMPED.to_owned(), Vec::new()),
            ])
            .doing("noting the clock")
    }

    fn note_jump(&self, why: Why) -> Result<(), ArchiveError> {
        self.index
            .set_setting(JUMPED, &canonical_json(&why)?)
            .doing("noting that the clock jumped")
    }
}

fn damaged(what: &str) -> ArchiveError {
    ArchiveError::Corrupt {
        what: what.to_owned(),
    }
}
