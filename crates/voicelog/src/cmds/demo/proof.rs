//! Steps 4 and 5: the bundle that a stranger verifies, and the destruction that is proven.

use super::{Stage, thief};
use crate::cmds::show;
use anyhow::{Context as _, Result, bail};
use voicelog_archive::check::Level;
use voicelog_casework::disclosure::{self, GivenCopy, Recipient};
use voicelog_casework::{Asked, listening, retention};
use voicelog_evidence::note::VerifierKey;
use voicelog_evidence::verify::{self, Report, Severity};
use voicelog_model::{Clock, Language, Pii, RecordingId};
use voicelog_store::durable;

/// Step 4: the bundle holds; with one byte changed it does not, and the place is named.
pub(crate) fn bundle(stage: &Stage, id: RecordingId) -> Result<bool> {
    let asked = disclosure::bundle(
        &stage.server.archive,
        id,
        &asker(),
        Recipient::Court,
        None,
        stage.clock.now(),
    )?;
    let Asked::Given(GivenCopy { bundle, .. }) = asked else {
        bail!("the law refuses the bundle")
    };
    let path = stage.folder.join("bundle.zip");
    durable::replace(&path, &bundle).context("cannot write the bundle")?;
    let key: VerifierKey = stage
        .server
        .archive
        .verifier_key()
        .parse()
        .map_err(|error| anyhow::anyhow!("the log's key is no key: {error}"))?;
    let read = std::fs::read(&path).context("cannot read the bundle")?;
    let report = verify::verify(&read, Some(&key));
    for finding in report
        .findings
        .iter()
        .filter(|finding| finding.severity != Severity::Ok)
    {
        stage.tell(&finding.text_nl, &finding.text_en);
    }
    let mut held = stage.check(
        report.holds(),
        format!(
            "bundel van {} bytes: {} controles kloppen",
            read.len(),
            report.findings.len()
        ),
        format!(
            "bundle of {} bytes: {} checks hold",
            read.len(),
            report.findings.len()
        ),
    );
    // The first byte of the container, one in the middle (media), one in the last header.
    for position in [0, read.len() / 2, read.len().saturating_sub(10)] {
        held &= one_byte_changed(stage, &read, position, &key);
    }
    Ok(held)
}

fn one_byte_changed(stage: &Stage, bundle: &[u8], position: usize, key: &VerifierKey) -> bool {
    let mut changed = bundle.to_vec();
    if let Some(byte) = changed.get_mut(position) {
        *byte ^= 1;
    }
    let report = verify::verify(&changed, Some(key));
    let broken = first_broken(&report, stage.lang);
    stage.check(
        !report.holds() && broken.is_some(),
        format!(
            "byte {position} veranderd: {}",
            broken.as_deref().unwrap_or("NIET opgemerkt")
        ),
        format!(
            "byte {position} changed: {}",
            broken.as_deref().unwrap_or("NOT noticed")
        ),
    )
}

fn first_broken(report: &Report, lang: Language) -> Option<String> {
    report
        .findings
        .iter()
        .find(|finding| finding.severity == Severity::Broken)
        .map(|finding| {
            format!(
                "{}: {}",
                finding.place,
                lang.pick(&finding.text_nl, &finding.text_en)
            )
        })
}

/// Step 5: the term ends (the demo's clock is moved), the recording is destroyed, the log still
/// verifies, and the audio cannot be read by any means.
pub(crate) fn destruction(stage: &Stage, id: RecordingId) -> Result<bool> {
    let archive = &stage.server.archive;
    let set_aside = thief::copy(&stage.folder.join("data"), id)?;
    let until = archive
        .summary(id)?
        .retain_until
        .context("the recording has no term")?;
    stage.clock.shift_to(until.plus_micros(1_000_000));
    stage.tell(
        format!("De klok van de demo staat nu op {until}; die van de machine niet."),
        format!("The demo's clock now stands at {until}; the machine's does not."),
    );
    // A jump that nobody answers for would destroy nothing.
    archive.confirm_clock(stage.clock.now())?;
    let swept = retention::run(archive, stage.clock.now())?;
    let mut certificate = None;
    for one in swept {
        match one.outcome? {
            Asked::Given(destroyed) if one.id == id => certificate = Some(destroyed.certificate),
            Asked::Given(_) => {}
            Asked::Refused { decision, .. } => show::decision(&decision, stage.lang, "      "),
        }
    }
    let Some(certificate) = certificate else {
        bail!("the recording was not destroyed")
    };
    for line in certificate.lines() {
        stage.tell(line, line);
    }
    let findings = archive.check(Level::Hash)?;
    let mut held = stage.check(
        findings.wrong.is_empty() && findings.leaves > 0,
        format!("het logboek klopt nog steeds: {} plaatsen", findings.leaves),
        format!("the log still verifies: {} places", findings.leaves),
    );
    let trace = archive.trace(id)?;
    held &= stage.check(
        trace.blobs == 0 && !trace.has_key,
        "geen bestand en geen sleutel meer",
        "no file and no key left",
    );
    held &= stage.check(
        !plays(stage, id),
        "de server geeft het geluid niet",
        "the server does not give the audio",
    );
    let opened = thief::opens(&stage.folder.join("data"), id, &set_aside)?;
    held &= stage.check(
        !set_aside.is_empty() && !opened,
        "ook een eerder apart gezette versleutelde kopie gaat met geen enkele sleutel open",
        "even an encrypted copy set aside before opens with no key that is left",
    );
    Ok(held)
}

/// Who asks in the demo.
fn asker() -> Pii<String> {
    Pii::new("demo".to_owned())
}

/// Whether the server still lets somebody listen who gives a good reason.
fn plays(stage: &Stage, id: RecordingId) -> bool {
    let (archive, now) = (&stage.server.archive, stage.clock.now());
    let asked = listening::open(archive, id, &asker(), "klacht 12", now);
    matches!(asked, Ok(Asked::Given(_)))
}
