//! The way from the manifest into the archive's log.

use super::claims::Claims;
use super::files::Files;
use super::report::{Check, Findings, Text};
use crate::bundle::file;
use crate::checkpoint::TlogProof;
use crate::digest::sha256;
use crate::note::VerifierKey;
use crate::tlog::{LeafKind, commitment};

/// Checks commitment, leaf, place and checkpoint; gives the size of the log.
pub(super) fn check(
    files: &Files<'_>,
    claims: &Claims,
    key: Option<&VerifierKey>,
    findings: &mut Findings,
) -> Option<u64> {
    let proof_bytes = files.need(file::PROOF, Check::Log, findings)?;
    let proof = TlogProof::parse(proof_bytes)
        .map_err(|error| findings.broken(Check::Log, file::PROOF, NO_PROOF, Some(&error)))
        .ok()?;
    let opening = claims.opening.as_ref()?;
    let manifest_bytes = files.get(file::MANIFEST)?;
    let leaf = &opening.leaf;
    let expected = commitment(&opening.commitment_salt.0, &sha256(manifest_bytes));
    findings.expect(
        leaf.commitment == expected,
        Check::Log,
        file::OPENING,
        SEALED,
        NOT_SEALED,
    );
    let manifest = claims.manifest.as_ref()?;
    if leaf.kind != LeafKind::Recorded || leaf.object != manifest.recording.to_string() {
        findings.broken(Check::Log, file::OPENING, OTHER_LEAF, None);
    }
    let leaf_hash = leaf
        .hash()
        .map_err(|error| findings.broken(Check::Log, file::OPENING, OTHER_LEAF, Some(&error)))
        .ok()?;
    match proof.verify(&leaf_hash, key?) {
        Ok(checkpoint) => {
            findings.ok(Check::Log, file::PROOF, IN_LOG);
            Some(checkpoint.size)
        }
        Err(error) => {
            findings.broken(Check::Log, file::PROOF, NOT_IN_LOG, Some(&error));
            None
        }
    }
}

const NO_PROOF: Text = ("dit is geen bewijs", "this is no proof");
const SEALED: Text = (
    "de plaats in het logboek is van deze opname",
    "the place in the log is of this recording",
);
const NOT_SEALED: Text = (
    "de plaats in het logboek is niet van deze opname",
    "the place in the log is not of this recording",
);
const OTHER_LEAF: Text = (
    "de plaats in het logboek gaat over iets anders",
    "the place in the log is about something else",
);
const IN_LOG: Text = (
    "de opname staat in het logboek van het archief",
    "the recording is in the archive's log",
);
const NOT_IN_LOG: Text = (
    "dat de opname in het logboek van het archief staat, is niet bewezen",
    "it is not proven that the recording is in the archive's log",
);
