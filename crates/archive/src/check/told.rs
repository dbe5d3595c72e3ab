//! Is everything there that the log tells of? Whoever takes a row out of the index, with all that belongs to
//! it, leaves the entry of the log behind.
//!
//! What came after a backup is lost when an archive is restored from it; its entries come back with the list
//! of destructions. So the entries before the last `restored` need no rows any more; what they say was destroyed stays so.

use super::Findings;
use crate::error::Doing;
use crate::{Archive, ArchiveError};
use std::collections::{BTreeMap, BTreeSet};
use voicelog_evidence::Digest;
use voicelog_evidence::tlog::{Leaf, LeafKind};
use voicelog_model::{Action, DecisionId, RecordingId, Scope};
use voicelog_store::index::{LeafId, RecordingRow, State};

/// Holds, proposals, accounts and keys that the log tells of, and what rows tell of them.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// What the rows of holds and proposals say that their leaves commit to; read before the log, which only grows.
    rows: Vec<(RecordingId, Vec<Digest>)>,
    /// The same of accounts.
    account_rows: Vec<Digest>,
    /// The commitments of every hold, proposal and account, and of every end or answer of one.
    all: BTreeSet<Digest>,
    /// Those after the last time that the archive was restored, by recording.
    held: BTreeMap<RecordingId, Vec<Digest>>,
    /// The same of accounts.
    accounts: Vec<Digest>,
    /// What the index lacks, and what of.
    missing: Vec<(Option<RecordingId>, String)>,
    /// What the index has, and the log says was destroyed. A restore brings none of these back.
    undestroyed: BTreeSet<(RecordingId, Scope)>,
    tells_of_accounts: bool,
    /// The newest epoch.
    epoch: Option<u32>,
    was_restored: bool,
}

/// Whether a recording in this state still has its sound, or may have.
const fn has_sound(state: State) -> bool {
    !matches!(
        state,
        State::WithoutSound | State::Destroying | State::Destroyed
    )
}

/// Whether a leaf says that the archive was restored.
pub(super) fn is_restored(leaf: &[u8]) -> bool {
    Leaf::from_bytes(leaf).is_ok_and(|leaf| leaf.kind == LeafKind::Restored)
}

impl Archive {
    /// Notes what the rows of the holds on a recording, and of the proposals about it, say.
    pub(super) fn note_sealed(
        &self,
        row: &RecordingRow,
        told: &mut Told,
        findings: &mut Findings,
    ) -> Result<(), ArchiveError> {
        let mut whole = Vec::new();
        for found in self.sealed_leaves(row.id, row.state)? {
            match found {
                Ok(leaves) => whole.extend(leaves),
                Err(what) => findings.add(1, Some(row.id), format!("{what} is damaged")),
            }
        }
        if !whole.is_empty() {
            told.rows.push((row.id, whole));
        }
        for hold in self.holds_lifted_without_words(row.id, row.state)? {
            let what = format!("hold {hold} on it was lifted, and nothing says by whom");
            // A restore that takes the sound away lifts what was lifted after the backup, before the sound went.
            match row.state {
                State::SoundDestroying | State::WithoutSound => {
                    findings.add_unless_restored(1, row.id, &what);
                }
                _ => findings.add(1, Some(row.id), what),
            }
        }
        Ok(())
    }

    /// What the leaves of the holds on a recording, and of the proposals about it, must commit to; what of it does not
    /// open.
    fn sealed_leaves(
        &self,
        id: RecordingId,
        state: State,
    ) -> Result<Vec<Result<Vec<Digest>, String>>, ArchiveError> {
        let holds = self.hold_leaves(id, state)?.into_iter();
        let holds = holds.map(|one| one.map_err(|hold| format!("hold {hold} on it")));
        let proposals = self.proposal_leaves(id, state)?.into_iter();
        let named = |proposal| format!("proposal {proposal} about it");
        let proposals = proposals.map(|one| one.map_err(named));
        Ok(holds.chain(proposals).collect())
    }

    /// Notes what the rows of accounts say.
    pub(super) fn note_accounts(&self, told: &mut Told) -> Result<(), ArchiveError> {
        for leaves in self.account_leaves()? {
            told.account_rows.extend(leaves.into_iter().flatten());
        }
        Ok(())
    }

    /// Looks for the row of one leaf.
    pub(super) fn check_told(
        &self,
        id: LeafId,
        leaf: &[u8],
        told: &mut Told,
    ) -> Result<(), ArchiveError> {
        // That it is the leaf that was signed is looked at by whoever walks the log.
        let Ok(leaf) = Leaf::from_bytes(leaf) else {
            return Ok(());
        };
        let recording = leaf.object.parse::<RecordingId>().ok();
        match leaf.kind {
            LeafKind::Recorded | LeafKind::Destroyed | LeafKind::SoundDestroyed => {
                if let Some(id) = recording {
                    self.check_told_recording(id, leaf.kind, told)?;
                }
            }
            LeafKind::Permitted | LeafKind::Refused | LeafKind::DestructionRefused => {
                self.check_told_decision(&leaf.object, told)?;
            }
            LeafKind::Listened | LeafKind::Exported => {
                // The leaf has the id of the decision that permitted it.
                let decision = self.index.decision(DecisionId::from_bytes(id));
                let decision = decision.doing("looking for a decision")?;
                if decision.is_none_or(|row| row.recording != recording) {
                    let what = "the log tells of an access to it that the index does not have";
                    told.missing.push((recording, what.to_owned()));
                }
            }
            LeafKind::AccountMade | LeafKind::AccountEnded => {
                told.all.insert(leaf.commitment);
                told.accounts.push(leaf.commitment);
                told.tells_of_accounts |= leaf.kind == LeafKind::AccountMade;
            }
            LeafKind::Held
            | LeafKind::Released
            | LeafKind::Proposed
            | LeafKind::Confirmed
            | LeafKind::Declined => {
                told.all.insert(leaf.commitment);
                if let Some(id) = recording {
                    told.held.entry(id).or_default().push(leaf.commitment);
                }
            }
            LeafKind::KeyCreated => {
                let epoch = leaf.object.strip_prefix("epoch-");
                let epoch = epoch.and_then(|number| number.parse().ok());
                told.epoch = told.epoch.max(epoch);
            }
            LeafKind::Restored => {
                told.missing.clear();
                told.held.clear();
                told.accounts.clear();
                told.epoch = None;
                told.was_restored = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn check_told_recording(
        &self,
        id: RecordingId,
        kind: LeafKind,
        told: &mut Told,
    ) -> Result<(), ArchiveError> {
        let row = self.index.recording(id).doing("reading the index")?;
        match row.map(|row| row.state) {
            None => {
                let what = "the log tells of it, and the index does not have it";
                told.missing.push((Some(id), what.to_owned()));
            }
            Some(state) if kind == LeafKind::Destroyed && state != State::Destroyed => {
                told.undestroyed.insert((id, Scope::Whole));
            }
            Some(state) if kind == LeafKind::SoundDestroyed && has_sound(state) => {
                told.undestroyed.insert((id, Scope::Sound));
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// The object of a refusal is a decision, or a call of which nothing was recorded: a number of the same
    /// form.
    fn check_told_decision(&self, object: &str, told: &mut Told) -> Result<(), ArchiveError> {
        let row = match object.parse::<DecisionId>() {
            Ok(id) => self.index.decision(id).doing("looking for a decision")?,
            Err(_) => None,
        };
        // Of nothing, or of what the index does not have, it would be in no list. Only a recording that never
        // began has a decision and no row, and a refusal of a request, which stands in a register.
        let is_there = match row.map(|row| (row.action, row.recording)) {
            Some((Action::Record | Action::ImportFile | Action::RefuseRecording, Some(_begun))) => {
                true
            }
            Some((_action, Some(id))) => self
                .index
                .recording(id)
                .doing("reading the index")?
                .is_some(),
            _ => false,
        };
        let is_call = match object.parse::<RecordingId>() {
            Ok(id) if !is_there => self
                .index
                .recording(id)
                .doing("reading the index")?
                .is_some(),
            _ => false,
        };
        if !is_there && !is_call {
            let what =
                format!("the log tells of decision {object}, and the index does not have it");
            told.missing.push((None, what));
        }
        Ok(())
    }

    /// What can be said once the whole log was walked.
    pub(super) fn check_all_told(
        &self,
        mut told: Told,
        findings: &mut Findings,
    ) -> Result<(), ArchiveError> {
        // A leaf without a place counts as well. It is not signed yet, so it excuses nothing.
        let waiting = self.index.pending_leaves(usize::MAX);
        for leaf in waiting.doing("reading pending leaves")? {
            if !is_restored(&leaf.bytes) {
                self.check_told(leaf.id, &leaf.bytes, &mut told)?;
            }
        }
        // And one that a server gave its place meanwhile.
        let placed = self.index.leaves(findings.leaves, usize::MAX);
        for leaf in placed.doing("reading leaves")? {
            self.check_told(leaf.id, &leaf.bytes, &mut told)?;
        }
        for (recording, what) in std::mem::take(&mut told.missing) {
            findings.add(4, recording, what);
        }
        for (id, scope) in &told.undestroyed {
            let what = match scope {
                Scope::Whole => "the log says that it was destroyed, and the index does not",
                Scope::Sound => "the log says that its sound was destroyed, and the index does not",
            };
            findings.add(4, Some(*id), what);
        }
        self.check_held(&told, findings)?;
        self.check_accounts(&told, findings)?;
        self.check_kept_keys(told.epoch, findings)
    }

    fn check_held(&self, told: &Told, findings: &mut Findings) -> Result<(), ArchiveError> {
        for (id, commitments) in &told.rows {
            // A restore brings a hold back, and not always its entry.
            if commitments.iter().any(|one| !told.all.contains(one)) && !told.was_restored {
                let what =
                    "a hold on it or a proposal about it, or what came of one, is not in the log";
                findings.add(4, Some(*id), what);
            }
        }
        for (id, commitments) in &told.held {
            // Read now: what was placed since the log was read has its row by now.
            let row = self.index.recording(*id).doing("reading the index")?;
            let is_open =
                |row: &RecordingRow| !matches!(row.state, State::Destroying | State::Destroyed);
            let Some(row) = row.filter(is_open) else {
                continue;
            };
            let rows = self.sealed_leaves(*id, row.state)?;
            let is_damaged = rows.iter().any(Result::is_err);
            let there: BTreeSet<_> = rows.iter().flatten().flatten().collect();
            let is_lost = commitments.iter().any(|one| !there.contains(one));
            // One that does not open is named already.
            if is_lost && !is_damaged && self.data_key_opens(*id, row.state) {
                let what = "the log tells of a hold on it or a proposal about it, or of what came of one, that the index does not have";
                findings.add(4, Some(*id), what);
            }
        }
        Ok(())
    }

    fn check_accounts(&self, told: &Told, findings: &mut Findings) -> Result<(), ArchiveError> {
        // Read now: one that was made or told since the log was read is as it is by now.
        let now = self.account_leaves()?;
        if now.iter().any(Option::is_none) {
            let what = if told.tells_of_accounts {
                "the log was not told of an account that the index has"
            } else {
                "the log was not told of an account; the next start tells it"
            };
            findings.add(4, None, what);
        }
        // Also of an archive that was restored: an account and its entry are of one transaction, so a copy of the index
        // has both.
        let mut rows = told.account_rows.iter();
        if rows.any(|one| !told.all.contains(one)) {
            let what = "the log tells nothing of an account, or of its end, as its row has it";
            findings.add(4, None, what);
        }
        let there: BTreeSet<_> = now.iter().flatten().flatten().collect();
        if told.accounts.iter().any(|one| !there.contains(one)) {
            let what =
                "the log tells of an account, or of the end of one, that the index does not have";
            findings.add(4, None, what);
        }
        Ok(())
    }

    fn data_key_opens(&self, id: RecordingId, state: State) -> bool {
        state == State::NotRecorded || self.data_key(id).is_ok()
    }

    /// The records of the keys that wrap data keys open, and the newest that the log tells of is there.
    fn check_kept_keys(
        &self,
        newest: Option<u32>,
        findings: &mut Findings,
    ) -> Result<(), ArchiveError> {
        for name in self.damaged_key_records()? {
            findings.add(
                1,
                None,
                format!("what is kept of the keys (`{name}`) is damaged, or not of this archive"),
            );
        }
        if let Some(epoch) = newest
            && self.newest_kept_epoch()? < epoch
        {
            findings.add(1, None, format!("the key of epoch {epoch} is missing"));
        }
        Ok(())
    }

    /// Checkpoints that others vouch for are of this log. Whether an authority really stamped one, only its
    /// certificates tell; `voicelog log audit` and bundles look at that.
    pub(super) fn check_vouched(&self, findings: &mut Findings) -> Result<(), ArchiveError> {
        let cosigned = self.index.cosigned();
        let cosigned = cosigned.doing("reading the checkpoint with witnesses")?;
        if let Some(row) = cosigned {
            let read = self.own_checkpoint(&row.checkpoint);
            if !read.is_ok_and(|read| read.size == row.size) {
                findings.add(4, None, "the checkpoint with witnesses is not of this log");
            }
        }
        for row in self.timestamps(usize::MAX)? {
            let read = self.own_checkpoint(&row.checkpoint);
            if !read.is_ok_and(|read| read.size == row.size) {
                let at = row.at;
                findings.add(
                    4,
                    None,
                    format!("what was stamped at {at} is not of this log"),
                );
            }
        }
        Ok(())
    }
}
