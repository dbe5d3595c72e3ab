//! The vCon in a bundle: it is made again from the other files and compared.

use super::claims::Claims;
use super::files::Files;
use super::report::{Check, Findings, Text};
use crate::bundle::{BundleNote, StreamSound, file};
use crate::vcon::{Basis, Bodies, Payload, Profile, Signed, Source, VconError, payload};
use serde_json::Value;
use std::collections::BTreeMap;

/// Checks the vCon as far as the documents can be read that it is made from.
pub(super) fn check(
    files: &Files<'_>,
    claims: &Claims,
    note: Option<&BundleNote>,
    sums: &BTreeMap<&str, [u8; 64]>,
    findings: &mut Findings,
) {
    let Some(bytes) = files.need(file::VCON, Check::Vcon, findings) else {
        return;
    };
    let signed = match Signed::parse(bytes) {
        Ok(signed) => signed,
        Err(error) => {
            findings.broken(Check::Vcon, file::VCON, UNREADABLE, Some(&error));
            return;
        }
    };
    match again(&signed, files, claims, note, sums) {
        Some(Ok(made)) => {
            let same = made.bytes == signed.payload && made.uuid == signed.uuid;
            findings.expect(same, Check::Vcon, file::VCON, FOLLOWS, OTHER);
        }
        // Of documents that no vCon can be made of, this is none.
        Some(Err(error)) => findings.broken(Check::Vcon, file::VCON, OTHER, Some(&error)),
        None => {}
    }
    match signed.verify() {
        // Whoever checks the signed list knows of this file as much as of the others.
        Ok(()) => findings.ok(Check::Vcon, file::VCON, SIGNED),
        Err(error) => findings.broken(Check::Vcon, file::VCON, BAD_SIGNATURE, Some(&error)),
    }
}

/// The vCon that the other files give, as far as they can be read. What it says of the lawful basis is its own.
fn again(
    signed: &Signed,
    files: &Files<'_>,
    claims: &Claims,
    note: Option<&BundleNote>,
    sums: &BTreeMap<&str, [u8; 64]>,
) -> Option<Result<Payload, VconError>> {
    let timeline = claims.timeline.as_ref()?;
    let scope = claims.scope.as_ref();
    if scope.is_none() && files.get(file::SCOPE).is_some() {
        return None;
    }
    // What is no JSON has no basis, and is not what is made.
    let stated: Value = serde_json::from_slice(&signed.payload).unwrap_or_default();
    let basis = Basis::in_payload(&stated);
    let streams = timeline.streams.iter().map(|stream| stream.stream.number);
    let sounds = streams.filter_map(|number| {
        let mut sound = StreamSound::find(number, |name| files.get(name))?;
        sound.sha512 = sums.get(sound.name.as_str()).copied();
        Some(sound)
    });
    let key = files.named_key()?;
    let source = Source {
        recording: claims.manifest.as_ref()?.recording,
        archive: key.name(),
        timeline,
        decision: claims.decision.as_ref()?,
        scope,
        basis: basis.as_ref(),
        sounds: sounds.collect(),
        logged: claims.opening.as_ref()?.leaf.at,
        made: note?.made,
        profile: Profile::Core,
        bodies: Bodies::Beside,
    };
    Some(payload(&source))
}

const UNREADABLE: Text = (
    "de vCon is beschadigd, of niet ondertekend zoals het hoort",
    "the vCon is damaged, or not signed as it should be",
);
const FOLLOWS: Text = (
    "de vCon zegt wat de andere bestanden zeggen; de grondslag erin noemt het archief zelf",
    "the vCon says what the other files say; the lawful basis in it is the archive's own word",
);
const OTHER: Text = (
    "de vCon zegt iets anders dan de andere bestanden",
    "the vCon says something else than the other files",
);
const SIGNED: Text = (
    "de handtekening van de vCon hoort bij het certificaat dat erin zit; van wie dat certificaat is, zegt de bundel niet",
    "the signature of the vCon belongs to the certificate in it; whose certificate that is, the bundle does not say",
);
const BAD_SIGNATURE: Text = (
    "de handtekening van de vCon hoort niet bij het certificaat dat erin zit",
    "the signature of the vCon does not belong to the certificate in it",
);
