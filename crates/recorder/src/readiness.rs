//! Whether calls on each line could be recorded, for exchanges that ask (`OPTIONS`) before they
//! send one. Looked at beside the calls, since it asks the law and the disk.

use crate::pace::Tick;
use crate::shared::Shared;
use std::time::Duration;
use voicelog_archive::{Archive, Readiness};
use voicelog_model::{Timestamp, error::chain};

/// How often the lines are looked at: the law changes at midnight, the index when it fails.
const EVERY: Duration = Duration::from_secs(30);

/// When the lines were looked at, and what was found.
#[derive(Debug, Default)]
pub(crate) struct LineWatch {
    last: Option<(Tick, Readiness)>,
}

impl LineWatch {
    /// Looks at the lines if it is time.
    pub(crate) fn look(&mut self, archive: &Archive, shared: &Shared, at: Timestamp, now: Tick) {
        let is_fresh = |(then, _): &(Tick, Readiness)| now.since(*then) < EVERY;
        if self.last.as_ref().is_some_and(is_fresh) {
            return;
        }
        let readiness = archive.readiness(at).unwrap_or_else(|error| {
            tracing::error!(error = %chain(&error), "whether calls could be recorded cannot be found out");
            Readiness::default()
        });
        let before = self.last.replace((now, readiness.clone()));
        if before.is_some_and(|(_, before)| before == readiness) {
            return;
        }
        for (line, _) in readiness.lines.iter().filter(|(_, is_ready)| !**is_ready) {
            tracing::warn!(
                line,
                "no call on this line could be recorded; see its facts (voicelog law ask)"
            );
        }
        shared.set_readiness(readiness);
    }
}
