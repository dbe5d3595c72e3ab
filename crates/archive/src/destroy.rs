//! Destruction: key first, then blobs, then row, then leaf, then certificate.
//!
//! Every step is durable and can be run again; `recover` continues a destruction that a crash cut
//! off by calling the same function. The key is the moment of no return.

use crate::error::Doing;
use crate::permit::{Permit, act};
use crate::{Archive, ArchiveError, random};
use voicelog_evidence::certificate::Certificate;
use voicelog_evidence::digest::sha256;
use voicelog_evidence::tlog::LeafKind;
use voicelog_model::{DestructionId, RecordingId, Timestamp};
use voicelog_store::index::{LeafId, NewDestruction};

/// A recording that is gone, and the proof.
#[derive(Debug)]
pub struct Destroyed {
    /// Which recording.
    pub id: RecordingId,
    /// Blobs that were deleted.
    pub blobs: usize,
    /// Bytes that were deleted.
    pub bytes: u64,
    /// The certificate of destruction, a signed note.
    pub certificate: String,
}

impl Archive {
    /// Consumes the permit and destroys the recording.
    #[expect(clippy::needless_pass_by_value, reason = "a permit is used once")]
    pub fn destroy(
        &self,
        permit: Permit<act::Destroy>,
        now: Timestamp,
    ) -> Result<Destroyed, ArchiveError> {
        let id = permit.recording;
        let row = NewDestruction {
            id: DestructionId::new(now, random::bytes()?),
            recording: id,
            decision: permit.decision,
            begun_at: now,
        };
        self.index.begin_destruction(&row).doing("beginning the destruction")?;
        self.continue_destruction(&row, now)
    }

    /// The steps after the intent is durable. Safe to run any number of times.
    pub(crate) fn continue_destruction(
        &self,
        row: &NewDestruction,
        now: Timestamp,
    ) -> Result<Destroyed, ArchiveError> {
        let id = row.recording;
        self.keys.destroy(id).doing("destroying the data key")?;
        let (blobs, bytes) = self.delete_blobs(id)?;
        let certificate = Certificate {
            recording: id,
            destruction: row.id,
            decision: row.decision,
            destroyed_at: now,
            blobs: blobs as u64,
            bytes,
        };
        let text = certificate.text();
        let salt = self.certificate_salt(row.id);
        let hash = sha256(text.as_bytes());
        let leaf = self.leaf(LeafKind::Destroyed, &id.to_string(), &salt, &hash, now)?;
        self.index.complete_destruction(id, now, &leaf).doing("closing the destruction")?;
        self.sequence()?;
        let (leaf, proof) = self.proof_of(self.destruction_leaf(id)?, id)?;
        let signed = certificate.sign(&self.secrets.signing_key, &salt, &leaf, &proof);
        self.index.set_certificate(id, signed.as_bytes()).doing("keeping the certificate")?;
        Ok(Destroyed { id, blobs, bytes, certificate: signed })
    }

    /// INVARIANT 5: afterwards no ciphertext of the recording is left.
    fn delete_blobs(&self, id: RecordingId) -> Result<(usize, u64), ArchiveError> {
        let prefix = format!("rec/{id}/");
        let mut bytes = 0;
        let keys = self.blobs.list(&prefix).doing("listing segments")?;
        for entry in &keys {
            bytes += entry.len;
            self.blobs.delete(&entry.key).doing("deleting a segment")?;
        }
        let left = self.blobs.list(&prefix).doing("listing segments")?;
        if !left.is_empty() {
            return Err(ArchiveError::Corrupt { what: format!("the deletion of {id}") });
        }
        Ok((keys.len(), bytes))
    }

    fn certificate_salt(&self, id: DestructionId) -> [u8; 32] {
        self.secrets.decision_key.derive("certificate salt", id.as_bytes())
    }

    fn destruction_leaf(&self, id: RecordingId) -> Result<LeafId, ArchiveError> {
        self.index
            .destruction_of(id)
            .doing("reading the destruction")?
            .and_then(|row| row.leaf)
            .ok_or_else(|| ArchiveError::Corrupt { what: format!("the destruction of {id}") })
    }

    /// The certificate of a destroyed recording: signed, with the proof that its leaf is in the
    /// log; `None` if it was not destroyed.
    pub fn certificate(&self, id: RecordingId) -> Result<Option<String>, ArchiveError> {
        let bytes = self.index.certificate(id).doing("reading the certificate")?;
        bytes
            .map(|bytes| {
                String::from_utf8(bytes).map_err(|_text| ArchiveError::Corrupt {
                    what: format!("the certificate of {id}"),
                })
            })
            .transpose()
    }
}
