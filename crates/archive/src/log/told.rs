//! What the log is told of the archive itself: that it was made, which key wraps the keys of its
//! recordings, which rules are in force.
//!
//! None of these has a row of its own, so the index notes what the log was last told, in the
//! transaction that queues the leaf.

use crate::error::Doing;
use crate::{Archive, ArchiveError};
use std::sync::PoisonError;
use voicelog_evidence::canonical::canonical_json;
use voicelog_evidence::digest::sha256;
use voicelog_evidence::tlog::{Leaf, LeafKind};
use voicelog_law::Rulebook;
use voicelog_model::Timestamp;

/// The content behind these leaves is no secret, so whoever has it can check them.
const NO_SALT: [u8; 32] = [0; 32];
/// How far a clock may lie behind the log: what setting it right takes on an ordinary day.
const BEHIND_MAX: i64 = 300 * 1_000_000;

impl Archive {
    /// Tells the log what it was not told yet of this archive, its key and its rules. For the
    /// process that holds the server lock, before anything else is written.
    pub fn introduce(&self, now: Timestamp) -> Result<(), ArchiveError> {
        let key = self.verifier_key();
        self.tell_once("archive", LeafKind::ArchiveOpened, "archive", &key, now)?;
        self.tell_of_keys(now)?;
        self.tell_of_accounts(now)?;
        let rules = self.rulebook_at(now)?;
        self.tell_of_rules(&rules, now)
    }

    /// Tells the log which rules are in force, where they are others than it was told last. Nothing
    /// in an archive that was never introduced: a visitor beside the server tells nothing.
    pub(crate) fn tell_of_new_rules(
        &self,
        rules: &Rulebook,
        now: Timestamp,
    ) -> Result<(), ArchiveError> {
        let told = self.rules_told.lock();
        let told = told.unwrap_or_else(PoisonError::into_inner).clone();
        match told {
            Some(hash) if hash != rules.hash() => self.tell_of_rules(rules, now),
            _ => Ok(()),
        }
    }

    fn tell_of_rules(&self, rules: &Rulebook, now: Timestamp) -> Result<(), ArchiveError> {
        let document = canonical_json(rules.reference())?;
        let document = String::from_utf8_lossy(&document);
        let kind = LeafKind::RulebookChanged;
        if self
            .index
            .log_mark("rules")
            .doing("reading the log")?
            .as_deref()
            != Some(document.as_bytes())
        {
            // Before it is told: a crash in between asks once more than was needed.
            self.index
                .ask_all_again()
                .doing("asking everything again")?;
        }
        self.tell_once("rules", kind, rules.hash(), &document, now)?;
        let mut told = self
            .rules_told
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *told = Some(rules.hash().to_owned());
        Ok(())
    }

    /// Queues a leaf about a thing, unless the log was last told the same of it.
    pub(crate) fn tell_once(
        &self,
        name: &str,
        kind: LeafKind,
        object: &str,
        content: &str,
        now: Timestamp,
    ) -> Result<(), ArchiveError> {
        let told = self.index.log_mark(name).doing("reading the log")?;
        if told.as_deref() == Some(content.as_bytes()) {
            return Ok(());
        }
        let leaf = self.leaf(kind, object, &NO_SALT, &sha256(content.as_bytes()), now)?;
        self.index
            .queue_leaf_once(name, content.as_bytes(), &leaf)
            .doing("telling the log")?;
        Ok(())
    }

    /// The entry of the log with the last place.
    pub(crate) fn newest_entry(&self) -> Result<Option<Leaf>, ArchiveError> {
        let head = self.index.log_head().doing("reading the log's head")?;
        let Some(last) = head.size.checked_sub(1) else {
            return Ok(None);
        };
        let leaf = self.index.leaf(last).doing("reading a leaf")?;
        Ok(leaf.and_then(|leaf| Leaf::from_bytes(&leaf.bytes).ok()))
    }

    /// Refuses a clock that lies behind the last thing that the log tells, or behind the last moment that was believed: what would be written
    /// with it would seem to have been before what was.
    ///
    /// Errors: [`ArchiveError::ClockBehind`].
    pub fn check_clock(&self, now: Timestamp) -> Result<(), ArchiveError> {
        let told = self.newest_entry()?.map(|leaf| leaf.at);
        // Who wrote once with a clock that was behind would be believed by that entry afterwards.
        match told.max(self.clock_believed()?) {
            Some(last) if last > now.plus_micros(BEHIND_MAX) => {
                Err(ArchiveError::ClockBehind { now, last })
            }
            _ => Ok(()),
        }
    }
}
