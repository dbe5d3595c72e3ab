//! A receipt that somebody kept, held against the bundle: whether what was given then is what is given now.

use super::claims::Claims;
use super::files::Files;
use super::report::{Check, Fact, Findings, Text};
use crate::bundle::file;
use crate::checkpoint::{Checkpoint, TlogProof};
use crate::note::VerifierKey;
use crate::receipt::Receipt;

/// Where what is wrong with the receipt is: it is no file of the bundle.
const PLACE: &str = "receipt";

/// Checks that the receipt holds under the archive's key, that the bundle's entry in the log is the same one
/// at the same place, and that the two do not show two histories.
pub(super) fn check(
    files: &Files<'_>,
    claims: &Claims,
    key: Option<&VerifierKey>,
    receipt: Option<&Receipt>,
    findings: &mut Findings,
) -> Option<Fact> {
    let receipt = receipt?;
    // Without a key or a proof the bundle is broken already, and says so.
    let key = key?;
    let proof = TlogProof::parse(files.get(file::PROOF)?).ok()?;
    let now = Checkpoint::verify(proof.checkpoint.as_bytes(), key).ok()?;
    let leaf = &claims.opening.as_ref()?.leaf;
    if receipt.key.to_string() != key.to_string() {
        findings.broken(Check::Receipt, PLACE, OTHER_ARCHIVE, None);
        return None;
    }
    let then = match receipt.verify(key) {
        Ok(then) => then,
        Err(error) => {
            findings.broken(Check::Receipt, PLACE, DOES_NOT_HOLD, Some(&error));
            return None;
        }
    };
    if receipt.leaf.object != leaf.object {
        findings.broken(Check::Receipt, PLACE, OTHER_RECORDING, None);
    } else if receipt.leaf != *leaf || receipt.proof.index != proof.index {
        findings.broken(Check::Receipt, PLACE, REWRITTEN, None);
    } else if then.size == now.size && then.root != now.root {
        findings.broken(Check::Receipt, PLACE, TWO_HISTORIES, None);
    } else {
        findings.ok(Check::Receipt, PLACE, SAME);
    }
    Some(super::facts::fact(
        (
            "ontvangstbewijs: het logboek telde toen",
            "receipt: the log then had",
        ),
        format!("{} plaatsen", then.size),
        format!("{} places", then.size),
    ))
}

const OTHER_ARCHIVE: Text = (
    "het ontvangstbewijs is van een ander archief",
    "the receipt is of another archive",
);
const DOES_NOT_HOLD: Text = (
    "het ontvangstbewijs klopt zelf niet: het is veranderd, of nooit door dit archief gegeven",
    "the receipt itself does not hold: it was changed, or never given by this archive",
);
const OTHER_RECORDING: Text = (
    "het ontvangstbewijs is van een andere opname",
    "the receipt is of another recording",
);
const REWRITTEN: Text = (
    "deze opname staat nu ANDERS in het logboek dan toen het ontvangstbewijs gegeven werd",
    "this recording is in the log OTHERWISE than when the receipt was given",
);
const TWO_HISTORIES: Text = (
    "het archief laat twee verschillende logboeken zien: een in het ontvangstbewijs en een in het pakket",
    "the archive shows two different logs: one in the receipt and one in the bundle",
);
const SAME: Text = (
    "deze opname staat in het logboek zoals toen het ontvangstbewijs gegeven werd",
    "this recording is in the log as it was when the receipt was given",
);
