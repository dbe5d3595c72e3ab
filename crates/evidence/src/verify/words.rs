//! What a bundle says to people in words of its own: it is held against what this program would write.
//!
//! Words are not frozen, so others are not wrong: a bundle of another version has them too. Whoever reads
//! them must know that nobody checked them.

use super::claims::Claims;
use super::files::Files;
use super::report::{Check, Findings, Text};
use crate::bundle::{file, readme, recipe};
use crate::checkpoint::TlogProof;
use crate::completeness::{Completeness, CompletenessInput};
use crate::manifest::Manifest;
use crate::original;
use crate::part::Scope;
use crate::timeline::Timeline;

/// Compares README, recipe and the page of the statement, where all that they are made from holds.
pub(super) fn check(claims: &Claims, files: &Files<'_>, findings: &mut Findings) {
    let (Some(manifest), Some(timeline)) = (&claims.manifest, &claims.timeline) else {
        return;
    };
    if !findings.all_hold() {
        return;
    }
    let scope = claims.scope.as_ref();
    let part = scope.map(|scope| (scope, timeline.length_us()));
    let in_ogg = files.names().iter().any(|name| name.ends_with(".opus"));
    let page = statement(manifest, timeline, scope, files);
    let page = page.map(|statement| statement.page(timeline, scope).into_bytes());
    for (name, expected) in [
        (
            file::README,
            readme(manifest.recording, part, in_ogg).into_bytes(),
        ),
        (file::RECIPE, recipe().to_vec()),
        (file::COMPLETENESS_PAGE, page.unwrap_or_default()),
    ] {
        if files.get(name) == Some(expected.as_slice()) {
            findings.ok(Check::Files, name, FOLLOWS);
        } else {
            findings.warn(Check::Files, name, OTHER);
        }
    }
}

/// The statement of completeness, made again.
fn statement(
    manifest: &Manifest,
    timeline: &Timeline,
    scope: Option<&Scope>,
    files: &Files<'_>,
) -> Option<Completeness> {
    let proof = TlogProof::parse(files.get(file::PROOF)?).ok()?;
    let events = original::read_events(files.get(file::EVENTS)?).ok()?;
    let input = CompletenessInput {
        manifest,
        manifest_bytes: files.get(file::MANIFEST)?,
        timeline,
        scope,
        proof: &proof,
    };
    Completeness::new(&input, events.iter().map(|(_, _, event)| event))
}

const FOLLOWS: Text = (
    "de tekst voor mensen is die bij deze gegevens",
    "the text for people is the one that belongs to these documents",
);
const OTHER: Text = (
    "deze tekst is het woord van het archief: dit programma schrijft hem anders, en ging hem niet na",
    "this text is the archive's word: this program writes another one, and did not check it",
);
