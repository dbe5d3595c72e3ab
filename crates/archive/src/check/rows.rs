//! Are the rows what the log says? Manifest, timeline, decisions and certificates lie in the
//! index, which nothing signs; their leaves lie in the log, which is signed.

use super::Findings;
use crate::error::Doing;
use crate::{Archive, ArchiveError};
use voicelog_evidence::Digest;
use voicelog_evidence::canonical::from_canonical;
use voicelog_evidence::certificate::Certificate;
use voicelog_evidence::digest::sha256;
use voicelog_evidence::manifest::Manifest;
use voicelog_evidence::timeline::Timeline;
use voicelog_evidence::tlog::{Leaf, LeafKind, commitment};
use voicelog_model::{Action, RecordingId, Scope};
use voicelog_store::index::{DecisionRow, LeafId, RecordingRow, State};

/// How far the beginning of a call in its row may be from the moment in its id: less than a day. Terms and
/// statutes count from it in years.
const DAY_MILLIS: u64 = 86_400_000;

/// Milliseconds since 1970 at which a call was taken up: the first six bytes of its id (RFC 9562 UUIDv7).
fn offered_at(id: RecordingId) -> u64 {
    let first = id.as_bytes().first_chunk();
    first.map_or(0, |bytes| u64::from_be_bytes(*bytes) >> 16)
}

/// What the leaf of a row must say.
struct Told {
    object: String,
    kinds: &'static [LeafKind],
    /// None where the salt went with the recording.
    commitment: Option<Digest>,
}

impl Archive {
    /// Holds one row, and the decisions about it, against their leaves.
    pub(super) fn check_row(
        &self,
        row: &RecordingRow,
        findings: &mut Findings,
    ) -> Result<(), ArchiveError> {
        let is_open = !matches!(row.state, State::Destroying | State::Destroyed);
        if is_open && row.started_at.unix_millis().abs_diff(offered_at(row.id)) >= DAY_MILLIS {
            let what = "its row says that it began at another time than its id";
            findings.add(1, Some(row.id), what);
        }
        match row.state {
            State::Sealed => self.check_manifest_row(row, findings)?,
            State::SoundDestroying | State::WithoutSound => {
                self.check_without_sound(row, findings)?;
                self.check_manifest_row(row, findings)?;
            }
            State::NotRecorded => {
                self.check_columns(row, findings)?;
                let timeline = self.index.timeline(row.id).doing("reading the timeline")?;
                let told = Told {
                    object: row.id.to_string(),
                    kinds: &[LeafKind::Refused],
                    commitment: Some(commitment(
                        &self.unrecorded_salt(row.id),
                        &sha256(&timeline.unwrap_or_default()),
                    )),
                };
                self.check_leaf(row.id, row.leaf, &told, findings)?;
            }
            State::Waiting
            | State::Recording
            | State::Finishing
            | State::Destroying
            | State::Destroyed => {}
        }
        self.check_ends(row, findings)?;
        for decision in self.index.decisions_of(row.id).doing("reading decisions")? {
            self.check_decision(row.id, is_open, &decision, findings)?;
        }
        Ok(())
    }

    /// The certificate of what ended, whole or sound.
    fn check_ends(&self, row: &RecordingRow, findings: &mut Findings) -> Result<(), ArchiveError> {
        let has = |scope| {
            let found = self.index.destruction_of(row.id, scope);
            Ok::<_, ArchiveError>(found.doing("reading the destruction")?.is_some())
        };
        // An old copy in which it was not complete: its sound went later, or was about to, and nothing else was left.
        let went_with_its_sound = row.state == State::Destroyed
            && row.sound_destroyed_at.is_some()
            && row.destroyed_at <= row.sound_destroyed_at
            && !has(Scope::Whole)?;
        if row.state == State::Destroyed && !went_with_its_sound {
            self.check_certificate(row.id, Scope::Whole, findings)?;
        }
        if went_with_its_sound && !has(Scope::Sound)? {
            let what = "it is destroyed, and nothing says by which decision";
            findings.add_unless_restored(5, row.id, what);
        } else if row.sound_destroyed_at.is_some() {
            self.check_certificate(row.id, Scope::Sound, findings)?;
        }
        Ok(())
    }

    /// Where no segments can be read any more: what is kept opens, and the timeline is the one that the manifest names.
    fn check_without_sound(
        &self,
        row: &RecordingRow,
        findings: &mut Findings,
    ) -> Result<(), ArchiveError> {
        let id = row.id;
        if let Err(error @ ArchiveError::Key { .. }) = self.data_key(id) {
            let why = voicelog_model::error::chain(&error).to_string();
            findings.add(1, Some(id), why);
        }
        let timeline = self.index.timeline(id).doing("reading the timeline")?;
        match Manifest::from_bytes(&self.manifest_bytes(id)?) {
            Err(_text) => findings.add(1, Some(id), "its manifest cannot be read"),
            Ok(manifest) => {
                if Digest::of(&timeline.unwrap_or_default()) != manifest.timeline_sha256 {
                    let what = "its timeline is not the one that its manifest names";
                    findings.add(1, Some(id), what);
                }
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
        self.check_columns(row, findings)?;
        let told = Told {
            object: id.to_string(),
            kinds: &[LeafKind::Recorded],
            commitment: Some(commitment(
                &data_key.commitment_salt(id),
                &sha256(&document),
            )),
        };
        self.check_leaf(id, row.leaf, &told, findings)
    }

    /// What stands in the row in the open, for lists and terms, is what timeline, manifest and facts say.
    fn check_columns(
        &self,
        row: &RecordingRow,
        findings: &mut Findings,
    ) -> Result<(), ArchiveError> {
        let timeline = self.index.timeline(row.id).doing("reading the timeline")?;
        // One that cannot be read is found where the segments are.
        let Ok(timeline) = from_canonical::<Timeline>(&timeline.unwrap_or_default()) else {
            return Ok(());
        };
        let is_same = row.ended_at == Some(timeline.call_ended)
            && row.verdict.as_deref() == Some(timeline.verdict.as_str());
        if !is_same {
            findings.add(
                1,
                Some(row.id),
                "its row says something else than its timeline",
            );
        }
        // Facts that do not open are found with their decision.
        let told = || {
            let whole = self.retain_until(row.id, timeline.call_started)?;
            let sound = self.sound_until(row.id, timeline.call_started, whole)?;
            Ok::<_, ArchiveError>((whole, sound))
        };
        if row.state != State::NotRecorded
            && let Ok(terms) = told()
            && terms != (row.retain_until, row.sound_until)
        {
            findings.add(
                3,
                Some(row.id),
                "its term is not the one that it was recorded with",
            );
        }
        Ok(())
    }

    fn check_decision(
        &self,
        id: RecordingId,
        has_facts: bool,
        row: &DecisionRow,
        findings: &mut Findings,
    ) -> Result<(), ArchiveError> {
        let is_same = self.parse_decision(row).is_ok_and(|decision| {
            decision.action == row.action
                && decision.outcome.as_str() == row.outcome
                && decision.at == row.at
        });
        if !is_same {
            let what = format!(
                "the row of decision {} says something else than it does",
                row.id
            );
            findings.add(3, Some(id), what);
        }
        // With the recording the salts of its decisions are gone; with a restore that of the one by which its sound went.
        let has_facts = has_facts && !self.came_without_facts(id, row)?;
        let commitment = match has_facts.then(|| self.facts_of(row.id)).transpose() {
            Ok(kept) => kept.map(|kept| commitment(&kept.salt, &sha256(&row.document))),
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
            commitment,
        };
        self.check_leaf(id, row.leaf, &told, findings)
    }

    /// Whether a list of destructions brought this decision into an archive that was restored: facts are in no list.
    fn came_without_facts(&self, id: RecordingId, row: &DecisionRow) -> Result<bool, ArchiveError> {
        if !row.sealed_facts.is_empty() || row.action != Action::Destroy {
            return Ok(false);
        }
        let sound = self.index.destruction_of(id, Scope::Sound);
        let sound = sound.doing("reading the destruction")?;
        Ok(sound.is_some_and(|sound| sound.destruction.decision == row.id))
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
            leaf.object == *object
                && kinds.contains(&leaf.kind)
                && commitment.is_none_or(|told| leaf.commitment == told)
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
        scope: Scope,
        findings: &mut Findings,
    ) -> Result<(), ArchiveError> {
        let kept = self.index.certificate(id, scope);
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
        let statement = &certificate.statement;
        let row = self.index.destruction_of(id, scope);
        let row = row.doing("reading the destruction")?;
        let leaf = match row.as_ref().and_then(|row| row.leaf) {
            Some(leaf) => self.index.leaf_index_of(leaf).doing("looking in the log")?,
            None => None,
        };
        let is_same = row.is_some_and(|row| {
            row.destruction.id == statement.destruction
                && row.destruction.decision == statement.decision
                && row.destroyed_at == Some(certificate.leaf.at)
                && leaf == Some(certificate.proof.index)
        });
        if !is_same {
            let what = "its destruction says something else than its certificate";
            findings.add(5, Some(id), what);
        }
        let logged = self.index.leaf(certificate.proof.index);
        let logged = logged.doing("reading a leaf")?.map(|leaf| leaf.bytes);
        if (statement.recording, statement.scope) != (id, scope)
            || logged != certificate.leaf.to_bytes().ok()
        {
            findings.add(5, Some(id), "its certificate of destruction is of another");
        }
        Ok(())
    }
}
