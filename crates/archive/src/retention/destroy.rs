//! Destruction: key first, then blobs, then row with leaf, then checkpoint and certificate.
//!
//! Every step is durable and can be run again; `recover` continues a destruction that a crash cut
//! off by calling the same function. The key is the moment of no return.

use crate::error::Doing;
use crate::permit::{Permit, act};
use crate::writer::segment_prefix;
use crate::{Archive, ArchiveError, random};
use std::sync::{MutexGuard, PoisonError};
use voicelog_evidence::canonical::{canonical_json, from_canonical};
use voicelog_evidence::certificate::{Certificate, DestructionStatement};
use voicelog_evidence::tlog::{Leaf, LeafKind};
use voicelog_model::{DestructionId, RecordingId, Timestamp};
use voicelog_store::index::{LeafId, NewDestruction};

/// A recording that is gone, and the proof.
#[derive(Debug)]
pub struct Destroyed {
    /// Which recording.
    pub id: RecordingId,
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
    /// Complete now, or failed again.
    pub outcome: Result<Destroyed, ArchiveError>,
}

impl Archive {
    /// Consumes the permit and destroys the recording. `now` is certified as the moment of what
    /// this run does; what a crash leaves to a later run gets the moment of that one.
    #[expect(clippy::needless_pass_by_value, reason = "a permit is used once")]
    pub fn destroy(
        &self,
        permit: Permit<act::Destroy>,
        now: Timestamp,
    ) -> Result<Destroyed, ArchiveError> {
        let _one_at_a_time = self.destroying();
        let id = permit.recording;
        let row = NewDestruction {
            id: DestructionId::new(now, random::bytes()?),
            recording: id,
            decision: permit.decision,
            begun_at: now,
        };
        self.index
            .begin_destruction(&row)
            .doing("beginning the destruction")?;
        self.continue_destruction(&row, now)
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
        let mut all = Vec::new();
        for row in pending {
            let outcome = self.continue_destruction(&row.destruction, now);
            let is_blocked = outcome.as_ref().is_err_and(ArchiveError::is_blocked);
            all.push(Continued {
                id: row.destruction.recording,
                outcome,
            });
            if is_blocked {
                break;
            }
        }
        Ok(all)
    }

    /// A destruction is one thread's work: two would certify the same thing twice.
    fn destroying(&self) -> MutexGuard<'_, ()> {
        // The lock guards no data that a panic could leave half changed.
        self.destroying
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The steps after the intent is durable. Safe to run any number of times: what is
    /// certified is written down as it happens, each part once.
    fn continue_destruction(
        &self,
        row: &NewDestruction,
        now: Timestamp,
    ) -> Result<Destroyed, ArchiveError> {
        let id = row.recording;
        self.keys.destroy(id).doing("destroying the data key")?;
        let begun = self.written_down(row, "/key", || self.key_is_gone(row, now))?;
        self.delete_blobs(id)?;
        let statement = self.written_down(row, "", || {
            Ok(DestructionStatement {
                completed_at: now.max(begun.key_destroyed_at),
                ..begun
            })
        })?;
        let salt = self.certificate_salt(row.id);
        let hash = statement.sha256()?;
        let leaf = self.leaf(LeafKind::Destroyed, &id.to_string(), &salt, &hash, now)?;
        self.index
            .complete_destruction(id, now, &leaf)
            .doing("closing the destruction")?;
        self.sequence()?;
        let (leaf, proof) = self.proof_of(self.destruction_leaf(id)?, id)?;
        let leaf = Leaf::from_bytes(&leaf).map_err(|_leaf| self.damaged_certificate(id))?;
        let (objects, bytes) = (statement.objects, statement.bytes);
        let certificate = Certificate {
            statement,
            salt,
            leaf,
            proof,
        };
        let signed = certificate.sign(&self.secrets.signing_key)?;
        self.index
            .set_certificate(id, signed.as_bytes())
            .doing("keeping the certificate")?;
        Ok(Destroyed {
            id,
            objects,
            bytes,
            certificate: signed,
        })
    }

    /// A statement about a destruction: the one that was written down under that name, or else the
    /// one that is `made` now, which is written down.
    fn written_down(
        &self,
        row: &NewDestruction,
        part: &str,
        made: impl FnOnce() -> Result<DestructionStatement, ArchiveError>,
    ) -> Result<DestructionStatement, ArchiveError> {
        let name = format!("destruction/{}{part}", row.id);
        if let Some(kept) = self.index.setting(&name).doing("reading a statement")? {
            return from_canonical(&kept).map_err(|_text| self.damaged_certificate(row.recording));
        }
        let statement = made()?;
        self.index
            .set_setting(&name, &canonical_json(&statement)?)
            .doing("writing down a statement")?;
        Ok(statement)
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
        Ok(DestructionStatement {
            version: DestructionStatement::VERSION,
            destruction: row.id,
            recording: row.recording,
            decision: row.decision,
            key_destroyed_at: now,
            completed_at: now,
            keys: 1,
            objects: entries.len() as u64,
            bytes: entries.iter().map(|entry| entry.len).sum(),
            // The facts are wiped with the row, at the end.
            was: self.account_of(row.recording, row.decision, now),
        })
    }

    /// INVARIANT 5: afterwards no ciphertext of the recording is left.
    fn delete_blobs(&self, id: RecordingId) -> Result<(), ArchiveError> {
        let prefix = segment_prefix(id);
        for entry in self.blobs.list(&prefix).doing("listing segments")? {
            self.blobs.delete(&entry.key).doing("deleting a segment")?;
        }
        if self
            .blobs
            .list(&prefix)
            .doing("listing segments")?
            .is_empty()
        {
            Ok(())
        } else {
            Err(ArchiveError::Corrupt {
                what: format!("the deletion of {id}"),
            })
        }
    }

    fn damaged_certificate(&self, id: RecordingId) -> ArchiveError {
        ArchiveError::Corrupt {
            what: format!("the certificate of {id}"),
        }
    }

    fn certificate_salt(&self, id: DestructionId) -> [u8; 32] {
        self.secrets
            .decision_key
            .derive("certificate salt", id.as_bytes())
    }

    pub(crate) fn destruction_leaf(&self, id: RecordingId) -> Result<LeafId, ArchiveError> {
        self.index
            .destruction_of(id)
            .doing("reading the destruction")?
            .and_then(|row| row.leaf)
            .ok_or_else(|| ArchiveError::Corrupt {
                what: format!("the destruction of {id}"),
            })
    }

    /// The certificate of a destroyed recording: signed, with the proof that its leaf is in the
    /// log; `None` if it was not destroyed.
    pub fn certificate(&self, id: RecordingId) -> Result<Option<String>, ArchiveError> {
        let bytes = self
            .index
            .certificate(id)
            .doing("reading the certificate")?;
        bytes
            .map(|bytes| String::from_utf8(bytes).map_err(|_text| self.damaged_certificate(id)))
            .transpose()
    }
}
