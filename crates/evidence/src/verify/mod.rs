//! Checking an evidence bundle, with nothing but the file and, if given, the archive's key.
//!
//! Everything that the bundle claims is computed again from its original, and every claim is
//! followed up to the archive's signature. What is found is said in words, with its place; one
//! fault does not hide another.
//!
//! **Invariant:** a report that holds means: container, files, signature, original, timeline,
//! sound, decision and log agree, byte for byte. Without a key from another source it does not say
//! whose bundle it is, and says that it does not.

mod claims;
mod facts;
mod files;
mod log;
mod outcome;
mod part;
mod receipted;
mod report;
mod stamped;
mod sums;
mod vcon;
mod vouched;
mod words;

pub use outcome::Outcome;
pub use report::{Check, Fact, Finding, Report, Severity};
pub use sums::{Hands, Job};

use crate::note::VerifierKey;
use crate::policy::Policy;
use crate::receipt::Receipt;
use crate::timestamp::Anchors;
use crate::{bundle, zip};
use files::Files;
use report::{Findings, Text};
use std::ops::Range;
use sums::Sums;
use voicelog_model::limits::BUNDLE_BYTES_MAX;

/// How far from either end of a file [`is_bundle`] looks, in bytes: farther than the names of all
/// files of a bundle take up.
const LOOKED_AT: usize = 1024 * 1024;

/// What a file is, by all but the contents of its entries.
#[derive(Debug)]
pub enum Outline {
    /// No bundle, whole or broken.
    NoBundle,
    /// A bundle whose container is not in its form: what [`verify_with`] says of it.
    Broken(Report),
    /// A container in its form: it is worth reading.
    Container,
}

/// Looks at a file of `size` bytes before anybody reads it whole: `part` gives the bytes of a range that lies within it,
/// a few megabytes in all. Its errors are given back.
pub fn outline<E>(
    size: usize,
    mut part: impl FnMut(Range<usize>) -> Result<Vec<u8>, E>,
) -> Result<Outline, E> {
    let start = part(0..size.min(LOOKED_AT))?;
    let end = part(size.saturating_sub(LOOKED_AT).max(start.len())..size)?;
    if !is_bundle(&[start, end].concat()) {
        return Ok(Outline::NoBundle);
    }
    Ok(match zip::outline(size, part)? {
        Ok(_places) => Outline::Container,
        Err(error) => Outline::Broken(broken(&error)),
    })
}

/// What is said of a container that is not in its form.
fn broken(error: &zip::ZipError) -> Report {
    let mut findings = Findings::default();
    findings.broken(
        Check::Container,
        "ZIP",
        report::CONTAINER_BROKEN,
        Some(error),
    );
    Report::new(findings, Vec::new(), None)
}

/// Whether a file is a bundle at all, whole or broken: it names the signed list at its start,
/// where a bundle has it, or at its end, where every ZIP file has its names.
#[must_use]
pub fn is_bundle(file: &[u8]) -> bool {
    let name = bundle::file::NOTE.as_bytes();
    let names_it = |part: &[u8]| part.windows(name.len()).any(|window| window == name);
    let start = file.len().min(LOOKED_AT);
    let end = file.len().saturating_sub(LOOKED_AT);
    file.get(..start).is_some_and(names_it) || file.get(end..).is_some_and(names_it)
}

/// Checks a bundle. `trusted` is the archive's key as the checker knows it from elsewhere.
#[must_use]
pub fn verify(bundle: &[u8], trusted: Option<&VerifierKey>) -> Report {
    let trust = Trust {
        key: trusted,
        ..Trust::default()
    };
    verify_with(bundle, &trust)
}

/// Whom the checker believes, each known from elsewhere than the bundle.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trust<'a> {
    /// The archive's key.
    pub key: Option<&'a VerifierKey>,
    /// Which witnesses must have signed the log.
    pub policy: Option<&'a Policy>,
    /// Under which certificates a timestamp is believed.
    pub anchors: Option<&'a Anchors>,
    /// The policy that a timestamp must have been given under, in dots; without one, any.
    pub stamp_policy: Option<&'a str>,
    /// What somebody kept of this recording.
    pub receipt: Option<&'a Receipt>,
}

/// Checks a bundle by all that the checker believes.
#[must_use]
pub fn verify_with(bundle: &[u8], trust: &Trust<'_>) -> Report {
    verify_by(bundle, trust, &|jobs| {
        for job in jobs {
            job();
        }
    })
}

/// The same, with others who do a part of it. A job that they leave undone counts as something broken, never as right.
#[must_use]
pub fn verify_by(bundle: &[u8], trust: &Trust<'_>, hands: Hands<'_>) -> Report {
    let trusted = trust.key;
    if bundle.len() as u64 > BUNDLE_BYTES_MAX {
        return broken(&zip::ZipError::TooLarge);
    }
    let scanned = match zip::scan(bundle) {
        Ok(scanned) => scanned,
        Err(error) => return broken(&error),
    };
    let mut findings = Findings::default();
    let files = Files::new(&scanned, &mut findings);
    let key = files.key(trusted, &mut findings);
    let mut read = Findings::default();
    let claims = claims::Claims::read(&files, &mut read);
    let (sums, computed, said_by_senders) = compute(&files, &claims, hands);
    let note = files.signed_list(key.as_ref(), &sums.sha256(), &mut findings);
    findings.append(read);
    if let Some(note) = &note {
        claims.same_recording(note, &mut findings);
        claims.same_extent(note, &files, &mut findings);
    }
    claims.check_names(&files, &mut findings);
    findings.append(computed);
    vcon::check(
        &files,
        &claims,
        note.as_ref(),
        &sums.sha512(),
        &mut findings,
    );
    let size = log::check(&files, &claims, key.as_ref(), &mut findings);
    vouched::witnesses(&files, trust.policy, &mut findings);
    let stamped = stamped::check(&files, &claims, key.as_ref(), trust, &mut findings);
    words::check(&claims, &files, &mut findings);
    let receipted = receipted::check(&files, &claims, key.as_ref(), trust.receipt, &mut findings);
    let mut facts = facts::facts(
        &claims,
        note.as_ref(),
        size,
        key.as_ref(),
        trusted.is_some(),
    );
    facts.extend(stamped);
    facts.extend(receipted);
    facts.extend(said_by_senders);
    Report::new(findings, facts, Outcome::of(&claims))
}

/// All that takes long: the sums of the files, and what follows from the original.
fn compute<'a>(
    files: &Files<'a>,
    claims: &claims::Claims,
    hands: Hands<'_>,
) -> (Sums<'a>, Findings, Vec<Fact>) {
    let mut sums = Sums::of(files);
    let mut outcome = None;
    let mut jobs: Vec<Job<'_>> = vec![Box::new(|| {
        let mut findings = Findings::default();
        let said = claims.check(files, &mut findings).unwrap_or_default();
        outcome = Some((findings, said));
    })];
    jobs.extend(sums.jobs());
    hands(jobs);
    let (findings, said) = outcome.unwrap_or_else(|| {
        let mut findings = Findings::default();
        findings.broken(Check::Original, "original/", NOT_DONE, None);
        (findings, Vec::new())
    });
    (sums, findings, said)
}

const NOT_DONE: Text = (
    "dit is niet nagegaan; controleer de bundel nog eens",
    "this was not checked; verify the bundle again",
);
