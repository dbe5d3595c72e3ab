//! What stands about those who vouch for the log, for alarms.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use voicelog_archive::{Archive, ArchiveError, News, NewsKind};
use voicelog_model::Timestamp;

/// An alarm about the log: its word, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trouble {
    /// `log_witness` or `log_timestamp`.
    pub alarm: &'static str,
    /// Why, one word.
    pub reason: &'static str,
}

/// The alarms that stand, with when each was raised.
#[derive(Debug, Default)]
pub struct Standing(Mutex<BTreeMap<Trouble, Timestamp>>);

impl Standing {
    /// Those that stand now.
    #[must_use]
    pub fn all(&self) -> Vec<(Trouble, Timestamp)> {
        // Each change is one assignment: what a panic leaves behind is whole.
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter()
            .map(|(trouble, since)| (*trouble, *since))
            .collect()
    }

    /// What of one kind of alarm stands from now on; other systems are told what began and what is over.
    ///
    /// Errors: the messages cannot be queued.
    pub fn set(
        &self,
        archive: &Archive,
        alarm: &'static str,
        now: Timestamp,
        reasons: &[&'static str],
    ) -> Result<(), ArchiveError> {
        let mut news = Vec::new();
        {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let over: Vec<Trouble> = all
                .keys()
                .filter(|trouble| trouble.alarm == alarm && !reasons.contains(&trouble.reason))
                .copied()
                .collect();
            for trouble in over {
                all.remove(&trouble);
                news.push(told(trouble, NewsKind::AlarmCleared, now));
            }
            for reason in reasons {
                let trouble = Trouble { alarm, reason };
                all.entry(trouble).or_insert_with(|| {
                    news.push(told(trouble, NewsKind::AlarmRaised, now));
                    now
                });
            }
        }
        archive.tell(&news).map(drop)
    }
}

fn told(trouble: Trouble, kind: NewsKind, now: Timestamp) -> News {
    News::new(kind, now, None)
        .with("alarm", trouble.alarm)
        .with("reason", trouble.reason)
}
