//! Destruction: key first, then blobs, then row with leaf, then checkpoint and certificate.
//!
//! Every step is durable and can be run again; `recover` continues a destruction that a crash cut
//! off by calling the same function. The key is the moment of no return.

use crate::error::Doing;
use crate::permit::{Permit, act};
use crate::retention::in_halves;
use crate::writer::segment_prefix;
use crate::{Archive, ArchiveError, random};
use std::sync::{MutexGuard, PoisonError};
use voicelog_evidence::canonical::{canonical_json, from_canonical};
use voicelog_evidence::certificate::{Certificate, DestructionStatement};
use voicelog_evidence::key::sound_key_name;
use voicelog_evidence::tlog::Leaf;
use voicelog_model::{DestructionId, RecordingId, Scope, Timestamp};
use voicelog_store::index::{LeafId, NewDestruction};

/// A recording that is gone, and the proof.
#[derive(Debug)]
pub struct Destroyed {
    /// Which recording.
    pub id: RecordingId,
    /// How much of it.
    pub scope: Scope,
    /// Stored objects that were deleted.
    pub objects: u64,
    /// Bytes that were deleted.
    pub bytes: u64,
    /// The certificate of destruction, a signed note.
    pub certificate: String,
}

/// A destruction that was begun earlier and went on now.
#[derive(Debug)]
pub struct Continued {
    /// Which recording.
    pub id: RecordingId,
    /// How much of it.
    pub scope: Scope,
    /// Complete now, or failed again.
    pub outcome: Result<Destroyed, ArchiveError>,
}

/// Recordings that are destroyed together at most. Each step of all of them is one transaction, and calls that begin
/// wait that long.
pub const DESTROYED_TOGETHER_MAX: usize = 200;

/// Recordings that it pays to give at once: they are destroyed on two threads, each [`DESTROYED_TOGETHER_MAX`] together.
pub const DESTROYED_AT_ONCE_MAX: usize = 2 * DESTROYED_TOGETHER_MAX;

impl Archive {
    /// Consumes the permit and destroys the recording. `now` is certified as the moment of what
    /// this run does; what a crash leaves to a later run gets the moment of that one.
    pub fn destroy(
        &self,
        permit: Permit<act::Destroy>,
        now: Timestamp,
    ) -> Result<Destroyed, ArchiveError> {
        let _one_at_a_time = self.destroying();
        let row = intent(permit, Scope::Whole, now)?;
        self.index
            .begin_destructions(std::slice::from_ref(&row))
            .doing("beginning the destruction")?;
        self.continue_one(&row, now)
    }

    /// The same for many, step by step together, so that what waits for the disk waits once for
    /// [`DESTROYED_TOGETHER_MAX`] of them, and two such groups at once. One that fails does not keep the others, except
    /// where nothing can be wiped at the moment: then that is the last that is told, and what was begun of the others
    /// goes on later.
    pub fn destroy_all(
        &self,
        permits: Vec<Permit<act::Destroy>>,
        now: Timestamp,
    ) -> Result<Vec<Continued>, ArchiveError> {
        let rows = permits.into_iter();
        let rows: Result<Vec<_>, _> = rows.map(|one| intent(one, Scope::Whole, now)).collect();
        Ok(self.destroy_rows(&rows?, now))
    }

    /// The same of the sound alone: the recording stays, with all that is known of the call.
    pub fn destroy_sound_all(
        &self,
        permits: Vec<Permit<act::DestroySound>>,
        now: Timestamp,
    ) -> Result<Vec<Continued>, ArchiveError> {
        let rows = permits.into_iter();
        let rows: Result<Vec<_>, _> = rows.map(|one| intent(one, Scope::Sound, now)).collect();
        Ok(self.destroy_rows(&rows?, now))
    }

    fn destroy_rows(&self, rows: &[NewDestruction], now: Timestamp) -> Vec<Continued> {
        let _one_at_a_time = self.destroying();
        in_groups(rows, |together, told| {
            let begun = self.begin_together(together, told);
            if !is_blocked(told) {
                self.continue_together(&begun, now, told);
            }
        })
    }

    /// Goes on with every destruction that was begun and is not complete: after a crash, or after
    /// a step that failed. One that fails again does not keep the others, except where nothing can be wiped
    /// at the moment: then the others would only keep calls from being written.
    pub fn continue_destructions(&self, now: Timestamp) -> Result<Vec<Continued>, ArchiveError> {
        // Before the list is read: what is being destroyed now is not left over.
        let _one_at_a_time = self.destroying();
        let pending = self
            .index
            .destructions_pending()
            .doing("looking for destructions")?;
        let rows: Vec<_> = pending.into_iter().map(|row| row.destruction).collect();
        Ok(in_groups(&rows, |together, told| {
            self.continue_together(together, now, told);
        }))
    }

    /// A destruction is the work of one: two would certify the same thing twice.
    fn destroying(&self) -> MutexGuard<'_, ()> {
        // The lock guards no data that a panic could leave half changed.
        self.destroying
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the intents durable; gives those for which that was possible. One of them may be held by now.
    fn begin_together(
        &self,
        rows: &[NewDestruction],
        told: &mut Vec<Continued>,
    ) -> Vec<NewDestruction> {
        if self.index.begin_destructions(rows).is_ok() {
            return rows.to_vec();
        }
        let mut begun = Vec::new();
        for row in rows {
            let one = self.index.begin_destructions(std::slice::from_ref(row));
            match one.doing("beginning the destruction") {
                Ok(()) => begun.push(row.clone()),
                Err(error) => {
                    told.push(Continued {
                        id: row.recording,
                        scope: row.scope,
                        outcome: Err(error),
                    });
                    if is_blocked(told) {
                        break;
                    }
                }
            }
        }
        begun
    }

    /// All together; where that fails each by itself, so that it is known which one it is.
    fn continue_together(
        &self,
        rows: &[NewDestruction],
        now: Timestamp,
        told: &mut Vec<Continued>,
    ) {
        if rows.len() > 1
            && let Ok(all) = self.continue_all(rows, now)
        {
            told.extend(all.into_iter().map(|destroyed| Continued {
                id: destroyed.id,
                scope: destroyed.scope,
                outcome: Ok(destroyed),
            }));
            return;
        }
        for row in rows {
            told.push(Continued {
                id: row.recording,
                scope: row.scope,
                outcome: self.continue_one(row, now),
            });
            if is_blocked(told) {
                return;
            }
        }
    }

    fn continue_one(
        &self,
        row: &NewDestruction,
        now: Timestamp,
    ) -> Result<Destroyed, ArchiveError> {
        let mut one = self.continue_all(std::slice::from_ref(row), now)?;
        let of = row.recording;
        one.pop().ok_or_else(|| damaged_certificate(of))
    }

    /// The steps after the intent is durable. Safe to run any number of times: what is
    /// certified is written down as it happens, each part once. No step begins before the one before it is durable for
    /// all of them.
    fn continue_all(
        &self,
        rows: &[NewDestruction],
        now: Timestamp,
    ) -> Result<Vec<Destroyed>, ArchiveError> {
        let ids: Vec<RecordingId> = rows.iter().map(|row| row.recording).collect();
        self.keys
            .destroy_all(&names_of_keys(rows))
            .doing("destroying the keys")?;
        let each = rows.iter().map(|row| (row, ()));
        let begun = self.written_down(each, "/key", |row, ()| self.key_is_gone(row, now))?;
        self.delete_blobs(&ids)?;
        let each = rows.iter().zip(begun);
        let statements = self.written_down(each, "", |_row, begun| {
            Ok(DestructionStatement {
                completed_at: now.max(begun.key_destroyed_at),
                ..begun
            })
        })?;
        let mut tombstones = Vec::with_capacity(rows.len());
        for (row, statement) in rows.iter().zip(&statements) {
            let (salt, hash) = (self.certificate_salt(row.id), statement.sha256()?);
            let object = row.recording.to_string();
            let leaf = self.leaf(statement.leaf_kind(), &object, &salt, &hash, now)?;
            tombstones.push((row.recording, row.scope, leaf));
        }
        self.index
            .complete_destructions(&tombstones, now)
            .doing("closing the destruction")?;
        self.sequence()?;
        self.certify(rows, statements)
    }

    /// Makes the certificates, with the proofs of their leaves, and keeps them.
    fn certify(
        &self,
        rows: &[NewDestruction],
        statements: Vec<DestructionStatement>,
    ) -> Result<Vec<Destroyed>, ArchiveError> {
        let mut all = Vec::with_capacity(rows.len());
        let leaves = rows.iter().map(|row| {
            let leaf = self.destruction_leaf(row.recording, row.scope)?;
            Ok((leaf, row.recording))
        });
        let proofs = self.proofs_of(&leaves.collect::<Result<Vec<_>, ArchiveError>>()?)?;
        for ((row, statement), (leaf, proof)) in rows.iter().zip(statements).zip(proofs) {
            let id = row.recording;
            let leaf = Leaf::from_bytes(&leaf).map_err(|_leaf| damaged_certificate(id))?;
            let (objects, bytes) = (statement.objects, statement.bytes);
            let certificate = Certificate {
                statement,
                salt: self.certificate_salt(row.id),
                leaf,
                proof,
            };
            all.push(Destroyed {
                id,
                scope: row.scope,
                objects,
                bytes,
                certificate: certificate.sign(&self.secrets.signing_key)?,
            });
        }
        let signed = all
            .iter()
            .map(|one| (one.id, one.scope, one.certificate.clone().into_bytes()));
        self.index
            .set_certificates(&signed.collect::<Vec<_>>())
            .doing("keeping the certificate")?;
        Ok(all)
    }

    /// Statements about destructions: those that were written down under that name, or else those that
    /// are `made` now, which are written down together.
    fn written_down<'a, T>(
        &self,
        each: impl Iterator<Item = (&'a NewDestruction, T)>,
        part: &str,
        made: impl Fn(&NewDestruction, T) -> Result<DestructionStatement, ArchiveError>,
    ) -> Result<Vec<DestructionStatement>, ArchiveError> {
        let (mut all, mut new) = (Vec::new(), Vec::new());
        for (row, before) in each {
            let name = format!("destruction/{}{part}", row.id);
            let kept = self.index.setting(&name).doing("reading a statement")?;
            let statement = match kept {
                Some(kept) => {
                    from_canonical(&kept).map_err(|_text| damaged_certificate(row.recording))?
                }
                None => {
                    let statement = made(row, before)?;
                    new.push((name, canonical_json(&statement)?));
                    statement
                }
            };
            all.push(statement);
        }
        if !new.is_empty() {
            self.index
                .set_settings(&new)
                .doing("writing down a statement")?;
        }
        Ok(all)
    }

    /// What can be stated as soon as the key is gone and while the segments can still be counted.
    fn key_is_gone(
        &self,
        row: &NewDestruction,
        now: Timestamp,
    ) -> Result<DestructionStatement, ArchiveError> {
        let entries = self
            .blobs
            .list(&segment_prefix(row.recording))
            .doing("listing segments")?;
        // The sound can have had a key of its own, and gone with it before.
        let of = self.row(row.recording)?;
        let has_both = of.has_sound_key && of.sound_destroyed_at.is_none();
        let keys = match row.scope {
            Scope::Whole if has_both => 2,
            Scope::Whole | Scope::Sound => 1,
        };
        Ok(DestructionStatement {
            version: DestructionStatement::VERSION,
            destruction: row.id,
            recording: row.recording,
            scope: row.scope,
            decision: row.decision,
            key_destroyed_at: now,
            completed_at: now,
            keys,
            objects: entries.len() as u64,
            bytes: entries.iter().map(|entry| entry.len).sum(),
            // The facts are wiped with the row, at the end.
            was: self.account_of(&of, row.scope, row.decision, now),
        })
    }

    /// INVARIANT 5: afterwards no ciphertext of the recordings is left.
    fn delete_blobs(&self, ids: &[RecordingId]) -> Result<(), ArchiveError> {
        let mut keys = Vec::new();
        for id in ids {
            let entries = self.blobs.list(&segment_prefix(*id));
            let entries = entries.doing("listing segments")?;
            keys.extend(entries.into_iter().map(|entry| entry.key));
        }
        // Also where none is left: a deletion that was killed may not be on the disk yet.
        self.blobs.delete_all(&keys).doing("deleting a segment")?;
        for id in ids {
            let left = self.blobs.list(&segment_prefix(*id));
            if !left.doing("listing segments")?.is_empty() {
                return Err(ArchiveError::Corrupt {
                    what: format!("the deletion of {id}"),
                });
            }
        }
        Ok(())
    }

    fn certificate_salt(&self, id: DestructionId) -> [u8; 32] {
        self.secrets
            .decision_key
            .derive("certificate salt", id.as_bytes())
    }

    pub(crate) fn destruction_leaf(
        &self,
        id: RecordingId,
        scope: Scope,
    ) -> Result<LeafId, ArchiveError> {
        self.index
            .destruction_of(id, scope)
            .doing("reading the destruction")?
            .and_then(|row| row.leaf)
            .ok_or_else(|| ArchiveError::Corrupt {
                what: format!("the destruction of {id}"),
            })
    }

    /// The certificate of a destroyed recording: signed, with the proof that its leaf is in the
    /// log; `None` if it was not destroyed.
    pub fn certificate(&self, id: RecordingId) -> Result<Option<String>, ArchiveError> {
        self.certificate_of(id, Scope::Whole)
    }

    /// The certificate of the destruction of its sound alone; `None` if that did not go before the rest.
    pub fn sound_certificate(&self, id: RecordingId) -> Result<Option<String>, ArchiveError> {
        self.certificate_of(id, Scope::Sound)
    }

    /// Recordings whose sound was destroyed before the rest, from one moment to before another, by id, after the one
    /// given.
    pub fn sound_destroyed(
        &self,
        within: (Timestamp, Timestamp),
        after: Option<RecordingId>,
        limit: usize,
    ) -> Result<Vec<RecordingId>, ArchiveError> {
        let found = self.index.sound_destroyed(within, after, limit);
        found.doing("listing what was destroyed")
    }

    fn certificate_of(
        &self,
        id: RecordingId,
        scope: Scope,
    ) -> Result<Option<String>, ArchiveError> {
        let bytes = self
            .index
            .certificate(id, scope)
            .doing("reading the certificate")?;
        bytes
            .map(|bytes| String::from_utf8(bytes).map_err(|_text| damaged_certificate(id)))
            .transpose()
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "a permit is used once: it ends here"
)]
fn intent<A>(
    permit: Permit<A>,
    scope: Scope,
    now: Timestamp,
) -> Result<NewDestruction, ArchiveError> {
    let Permit {
        recording,
        decision,
        ..
    } = permit;
    Ok(NewDestruction {
        id: DestructionId::new(now, random::bytes()?),
        recording,
        scope,
        decision,
        begun_at: now,
    })
}

/// The names of the keys that these destructions end. A recording is destroyed with the key of its sound, whether it
/// has one or not.
fn names_of_keys(rows: &[NewDestruction]) -> Vec<RecordingId> {
    let mut names = Vec::with_capacity(2 * rows.len());
    for row in rows {
        names.push(sound_key_name(row.recording));
        if row.scope == Scope::Whole {
            names.push(row.recording);
        }
    }
    names
}

/// Does the same to all, some together and two such groups at once, and gives what is told of them. Where one could not
/// be wiped at the moment, it is told last, and nothing is begun after it.
fn in_groups(
    rows: &[NewDestruction],
    act: impl Fn(&[NewDestruction], &mut Vec<Continued>) + Sync,
) -> Vec<Continued> {
    let mut all = Vec::new();
    for at_once in rows.chunks(DESTROYED_AT_ONCE_MAX) {
        let mut told = in_halves(at_once, |together| {
            let mut told = Vec::new();
            act(together, &mut told);
            told
        });
        let is_blocked_one = |one: &Continued| is_blocked(std::slice::from_ref(one));
        // The other group may have come further.
        told.sort_by_key(is_blocked_one);
        all.append(&mut told);
        if is_blocked(&all) {
            break;
        }
    }
    all
}

/// Whether the last one could not be wiped at the moment.
fn is_blocked(told: &[Continued]) -> bool {
    let last = told.last().and_then(|one| one.outcome.as_ref().err());
    last.is_some_and(ArchiveError::is_blocked)
}

fn damaged_certificate(id: RecordingId) -> ArchiveError {
    ArchiveError::Corrupt {
        what: format!("the certificate of {id}"),
    }
}
