//! Giving a copy out: the evidence bundle, or the vCon alone.

use crate::import::file_said;
use crate::log::Stamping;
use crate::permit::{Permit, act};
use crate::{Archive, ArchiveError};
use serde_json::Value;
use voicelog_evidence::bundle::{self, BundleError, BundleInput};
use voicelog_evidence::manifest::{Manifest, Provenance};
use voicelog_evidence::part::Plan;
use voicelog_evidence::tlog::{Leaf, LeafKind};
use voicelog_evidence::vcon::{self, ArchiveSigner, Basis, LegalBasis, Profile, VconError};
use voicelog_model::{RecordingId, Timestamp};
use voicelog_store::index::DecisionRow;

/// How a vCon is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VconForm {
    /// For which readers.
    pub profile: Profile,
    /// As JWS; otherwise as the plain JSON, which proves nothing.
    pub is_signed: bool,
}

impl Archive {
    /// Makes the evidence bundle of a recording, or of a part of it, and puts in the log that it was given.
    ///
    /// Errors: [`ArchiveError::Bundle`] where `part` does not fit the recording; then nothing is given and
    /// nothing logged.
    #[expect(clippy::needless_pass_by_value, reason = "a permit is used once")]
    pub fn export(
        &self,
        permit: Permit<act::GiveCopy>,
        part: Option<&Plan>,
        now: Timestamp,
    ) -> Result<Vec<u8>, ArchiveError> {
        let bundle = self.bundle_of(permit.recording, part, Stamping::Now, now)?;
        self.log_export(&permit, now)?;
        Ok(bundle)
    }

    /// The same as a vCon with the sound in it.
    #[expect(clippy::needless_pass_by_value, reason = "a permit is used once")]
    pub fn export_vcon(
        &self,
        permit: Permit<act::GiveCopy>,
        part: Option<&Plan>,
        form: VconForm,
        now: Timestamp,
    ) -> Result<Vec<u8>, ArchiveError> {
        let id = permit.recording;
        // A vCon brings no timestamp.
        let bundle = self.bundle_of(id, part, Stamping::Kept, now)?;
        let vcon = self.vcon_in(&bundle, form);
        let vcon = vcon.map_err(|error| ArchiveError::Bundle {
            id,
            source: BundleError::Vcon(error),
        })?;
        self.log_export(&permit, now)?;
        Ok(vcon)
    }

    fn vcon_in(&self, bundle: &[u8], form: VconForm) -> Result<Vec<u8>, VconError> {
        let vcon = vcon::from_bundle(bundle, form.profile)?;
        if !form.is_signed {
            return Ok(vcon.unsigned().to_vec());
        }
        match self.vcon_signer.as_deref() {
            Some(signer) => vcon.signed(signer),
            None => vcon.signed(&ArchiveSigner::new(&self.secrets.signing_key)),
        }
    }

    /// The file that a recording was imported from, byte for byte.
    ///
    /// Errors: [`ArchiveError::NoFile`] where it was not imported; then nothing is given and nothing logged.
    #[expect(clippy::needless_pass_by_value, reason = "a permit is used once")]
    pub fn export_file(
        &self,
        permit: Permit<act::GiveCopy>,
        now: Timestamp,
    ) -> Result<Vec<u8>, ArchiveError> {
        let id = permit.recording;
        let known = self.known_of(id)?;
        let said = file_said(&known.manifest).ok_or(ArchiveError::NoFile(id))?;
        let (file, segments) = self.imported_file(id, known.keys.of_segments(), said)?;
        known.are_whole(&segments)?;
        self.log_export(&permit, now)?;
        Ok(file)
    }

    /// Nobody is given what is not in the log, and nothing is in the log that nobody could be given.
    fn log_export(
        &self,
        permit: &Permit<act::GiveCopy>,
        now: Timestamp,
    ) -> Result<(), ArchiveError> {
        self.log_access(LeafKind::Exported, permit.recording, permit.decision, now)?;
        self.sequence()?;
        Ok(())
    }

    fn bundle_of(
        &self,
        id: RecordingId,
        part: Option<&Plan>,
        stamping: Stamping,
        now: Timestamp,
    ) -> Result<Vec<u8>, ArchiveError> {
        self.sequence()?;
        let row = self.row(id)?;
        let recorded = row.leaf.ok_or(ArchiveError::NotFound(id))?;
        let (leaf, proof) = self.proof_of(recorded, id)?;
        // Before anything is opened: an authority can be slow.
        let stamped = self.stamped(proof.index, id, stamping, now)?;
        let opened = self.opened(id)?;
        let data_key = self.data_key(id)?;
        let damaged = || ArchiveError::Corrupt {
            what: format!("the documents of {id}"),
        };
        let manifest =
            Manifest::from_bytes(&self.manifest_bytes(id)?).map_err(|_text| damaged())?;
        if part.is_some() && manifest.provenance == Provenance::File {
            return Err(ArchiveError::NoPartOfFile(id));
        }
        let decision = self.named_decision(&manifest)?;
        let basis = self.lawful_basis(&decision, row.retain_until)?;
        let input = BundleInput {
            manifest: &manifest,
            timeline: &opened.timeline,
            decision: &decision.document,
            records: &opened.records,
            commitment_salt: data_key.commitment_salt(id),
            tree_salt: data_key.tree_salt(id),
            leaf: &Leaf::from_bytes(&leaf).map_err(|_leaf| damaged())?,
            proof: &proof,
            made_at: now,
            part,
            basis: basis.as_ref(),
            vcon_signer: self.vcon_signer.as_deref(),
            papers: self.papers_with(stamped.as_ref()),
        };
        bundle::build(&input, &self.secrets.signing_key)
            .map_err(|source| ArchiveError::Bundle { id, source })
    }

    /// The lawful basis under which a decision permitted to record. None where the line names none of the
    /// GDPR.
    fn lawful_basis(
        &self,
        decision: &DecisionRow,
        expires: Option<Timestamp>,
    ) -> Result<Option<Basis>, ArchiveError> {
        let facts = self.facts_of(decision.id)?.facts;
        let word = |name: &str| facts.get(name).and_then(Value::as_str);
        let basis = word("legal_basis").and_then(LegalBasis::of_point);
        let basis = basis.zip(word("purpose"));
        Ok(basis.map(|(basis, purpose)| Basis {
            basis,
            purpose: purpose.to_owned(),
            expires,
        }))
    }
}
