//! Who besides the archive signed the checkpoint under which the recording is proven.

use super::files::Files;
use super::report::{Check, Findings, Text};
use crate::bundle::file;
use crate::checkpoint::TlogProof;
use crate::note::Note;
use crate::policy::Policy;

/// Judges the checkpoint's signature lines by a policy; without one, tells only that there are some.
/// That the archive's own line holds is the log's check.
pub(super) fn witnesses(files: &Files<'_>, policy: Option<&Policy>, findings: &mut Findings) {
    let proof = files.get(file::PROOF).map(TlogProof::parse);
    // A proof that is not there or cannot be read was told where the log was checked.
    let Some(Ok(proof)) = proof else { return };
    let Ok(note) = Note::parse(proof.checkpoint.as_bytes()) else {
        return;
    };
    let Some(policy) = policy else {
        let others = note.signatures().len().saturating_sub(1);
        if others > 0 {
            findings.warn(Check::Witnesses, file::PROOF, UNCHECKED);
        }
        return;
    };
    let judged = policy.judge(&note);
    findings.expect(
        judged.is_of_known_log,
        Check::Witnesses,
        file::PROOF,
        KNOWN_LOG,
        OTHER_LOG,
    );
    if !judged.bad.is_empty() {
        findings.broken(Check::Witnesses, file::PROOF, FORGED, None);
    }
    if policy.asks_for_witnesses() {
        findings.expect(
            judged.has_quorum,
            Check::Witnesses,
            file::PROOF,
            ENOUGH,
            TOO_FEW,
        );
    }
}

const UNCHECKED: Text = (
    "naast het archief tekenden ook anderen het logboek; wie dat zijn, is niet nagegaan (geef een --policy)",
    "others than the archive signed the log too; who they are was not checked (give a --policy)",
);
const KNOWN_LOG: Text = (
    "het logboek is een van de vertrouwde",
    "the log is one of those that are trusted",
);
const OTHER_LOG: Text = (
    "het logboek is geen van de vertrouwde",
    "the log is none of those that are trusted",
);
const FORGED: Text = (
    "een handtekening op naam van een vertrouwde getuige klopt niet",
    "a signature in the name of a trusted witness does not hold",
);
const ENOUGH: Text = (
    "genoeg vertrouwde getuigen tekenden het logboek",
    "enough trusted witnesses signed the log",
);
const TOO_FEW: Text = (
    "te weinig vertrouwde getuigen tekenden het logboek",
    "too few trusted witnesses signed the log",
);
