//! Are the rows what the log says? Manifest, timeline, decisions and certificates lie in the
//! index, which nothing signs; their leaves lie in the log, which is signed.

use super::Findings;
use crate::error::Doing;
use crate::{Archive, ArchiveError};
use voicelog_evidence::Digest;
use voicelog_evidence::certificate::Certificate;
use voicelog_evidence::digest::sha256;
use voicelog_evidence::manifest::Manifest;
use voicelog_evidence::tlog::{Leaf, LeafKind, commitment};
use voicelog_model::RecordingId;
use voicelog_store::index::{DecisionRow, LeafId, RecordingRow, State};

/// What the leaf of a row must say.
struct Told {
    object: String,
    kinds: &'static [LeafKind],
    commitment: Digest,
}

impl Archive {
    /// Holds one row, and the decisions about it, against their leaves.
    pub(super) fn check_row(
        &self,
        row: &RecordingRow,
        findings: &mut Findings,
    ) -> Result<(), ArchiveError> {
        match row.state {
            State::Sealed => self.check_manifest_row(row, findings)?,
            State::NotRecorded => {
                let timeline = self.index.timeline(row.id).doing("reading the timeline")?;
                let told = Told {
                    object: row.id.to_string(),
                    kinds: &[LeafKind::Refused],
                    commitment: commitment(
                        &self.unrecorded_salt(row.id),
                        &sha256(&timeline.unwrap_or_default()),
                    ),
                };
                self.check_leaf(row.id, row.leaf, &told, findings)?;
            }
            State::Destroyed => self.check_certificate(row.id, findings)?,
            State::Waiting | State::Recording | State::Finishing | State::Destroying => {}
        }
        // With the recording the salts of its decisions are gone.
        if !matches!(row.state, State::Destroying | State::Destroyed) {
            for decision in self.index.decisions_of(row.id).doing("reading decisions")? {
                self.check_decision(row.id, &decision, findings)?;
            }
        }
        Ok(())
    }

    fn check_manifest_row(
        &self,
        row: &RecordingRow,
        findings: &mut Findings,
    ) -> Result<(), ArchiveError> {
        let id = row.id;
        let document = self.manifest_bytes(id)?;
        match Manifest::from_bytes(&document).map(|manifest| self.named_decision(&manifest)) {
            // That it cannot be read is found where its segments are looked at.
            Err(_text) => return Ok(()),
            Ok(Ok(_named)) => {}
            Ok(Err(ArchiveError::Corrupt { .. })) => {
                let what = "the decision that its manifest names is not there";
                findings.add(3, Some(id), what);
            }
            Ok(Err(error)) => return Err(error),
        }
        // A key that does not open is found where the segments are read.
        let Ok(data_key) = self.data_key(id) else {
            return Ok(());
        };
        if self.details(row, &data_key).is_err() {
            findings.add(1, Some(id), "its sealed details do not open");
        }
        let told = Told {
            object: id.to_string(),
            kinds: &[LeafKind::Recorded],
            commitment: commitment(&data_key.commitment_salt(id), &sha256(&document)),
        };
        self.check_leaf(id, row.leaf, &told, findings)
    }

    fn check_decision(
        &self,
        id: RecordingId,
        row: &DecisionRow,
        findings: &mut Findings,
    ) -> Result<(), ArchiveError> {
        let kept = match self.facts_of(row.id) {
            Ok(kept) => kept,
            Err(ArchiveError::Corrupt { what }) => {
                findings.add(3, Some(id), format!("{what} do not open"));
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let told = Told {
            object: row.id.to_string(),
            kinds: &[
                LeafKind::Permitted,
                LeafKind::Refused,
                LeafKind::DestructionRefused,
            ],
            commitment: commitment(&kept.salt, &sha256(&row.document)),
        };
        self.check_leaf(id, row.leaf, &told, findings)
    }

    /// Finds the leaf of a row in the log, or among those that wait, and holds it against the row.
    /// That the leaf itself is what was signed is checked with the whole log.
    fn check_leaf(
        &self,
        id: RecordingId,
        leaf: Option<LeafId>,
        told: &Told,
        findings: &mut Findings,
    ) -> Result<(), ArchiveError> {
        let bytes = match leaf {
            Some(leaf) => self.leaf_bytes(leaf)?,
            None => None,
        };
        let Told {
            object,
            kinds,
            commitment,
        } = told;
        let Some(bytes) = bytes else {
            findings.add(4, Some(id), format!("the log has no entry of {object}"));
            return Ok(());
        };
        let is_told = Leaf::from_bytes(&bytes).is_ok_and(|leaf| {
            leaf.object == *object && kinds.contains(&leaf.kind) && leaf.commitment == *commitment
        });
        if !is_told {
            let what = format!("the log says something else of {object} than its row");
            findings.add(4, Some(id), what);
        }
        Ok(())
    }

    /// A leaf by its id, in the log or waiting for its place.
    pub(crate) fn leaf_bytes(&self, id: LeafId) -> Result<Option<Vec<u8>>, ArchiveError> {
        // A server may give it its place between the first two looks, so there is a third.
        if let Some(bytes) = self.placed_leaf(id)? {
            return Ok(Some(bytes));
        }
        let waiting = self.index.pending_leaves(usize::MAX);
        let waiting = waiting.doing("reading pending leaves")?;
        match waiting.into_iter().find(|leaf| leaf.id == id) {
            Some(leaf) => Ok(Some(leaf.bytes)),
            None => self.placed_leaf(id),
        }
    }

    fn placed_leaf(&self, id: LeafId) -> Result<Option<Vec<u8>>, ArchiveError> {
        let Some(index) = self.index.leaf_index_of(id).doing("looking in the log")? else {
            return Ok(None);
        };
        let leaf = self.index.leaf(index).doing("reading a leaf")?;
        Ok(leaf.map(|leaf| leaf.bytes))
    }

    /// The certificate verifies, is of this recording, and its leaf is the one in the log.
    fn check_certificate(
        &self,
        id: RecordingId,
        findings: &mut Findings,
    ) -> Result<(), ArchiveError> {
        let kept = self.index.certificate(id);
        let Some(signed) = kept.doing("reading the certificate")? else {
            let what = "its certificate of destruction is missing; the next start makes it";
            findings.add(5, Some(id), what);
            return Ok(());
        };
        let key = self.secrets.signing_key.verifier();
        let certificate = match Certificate::verify(&signed, &key) {
            Ok((certificate, _checkpoint)) => certificate,
            Err(error) => {
                let why = voicelog_model::error::chain(&error);
                let what = format!("its certificate of destruction does not verify: {why}");
                findings.add(5, Some(id), what);
                return Ok(());
            }
        };
        let logged = self.index.leaf(certificate.proof.index);
        let logged = logged.doing("reading a leaf")?.map(|leaf| leaf.bytes);
        if certificate.statement.recording != id || logged != certificate.leaf.to_bytes().ok() {
            findings.add(5, Some(id), "its certificate of destruction is of another");
        }
        Ok(())
    }
}
