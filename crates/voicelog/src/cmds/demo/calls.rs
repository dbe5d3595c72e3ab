//! Steps 1 to 3: calls that are recorded, refused, and recorded from consent on.

use super::{Stage, setting};
use crate::cmds::show;
use anyhow::{Context as _, Result, bail};
use serde_json::json;
use std::sync::mpsc;
use std::time::Duration;
use voicelog_archive::{Detail, State};
use voicelog_evidence::timeline::Verdict;
use voicelog_model::{Language, RecordingId};
use voicelog_src_sim::{CallPlan, Participant, place};

/// How long closing a recording may take after the call.
const CLOSE_TRIES: u32 = 100;
const CLOSE_PAUSE: Duration = Duration::from_millis(50);

/// What step 1 leaves for the later ones.
pub(crate) struct First {
    pub(crate) recording: RecordingId,
    pub(crate) held: bool,
}

fn plan(stage: &Stage, line: &str) -> Result<CallPlan> {
    let server = stage
        .server
        .recorder
        .udp_address()
        .context("SIP does not listen")?;
    Ok(CallPlan::speech(server, line))
}

/// Waits until the recording is closed.
fn closed(stage: &Stage, id: RecordingId) -> Result<Detail> {
    let (_keep, never) = mpsc::channel::<()>();
    for _try in 0..CLOSE_TRIES {
        let detail = stage.server.archive.detail(id)?;
        if matches!(detail.summary.state, State::Sealed | State::NotRecorded) {
            return Ok(detail);
        }
        let _timed_out = never.recv_timeout(CLOSE_PAUSE);
    }
    bail!("recording {id} was not closed in time")
}

fn record_decision(detail: &Detail, lang: Language) {
    for kept in &detail.decisions {
        if kept.action == voicelog_model::Action::Record {
            show::decision(&kept.decision, lang, "      ");
        }
    }
}

/// Step 1: permitted with duties, recorded, whole.
pub(crate) fn announced(stage: &Stage) -> Result<First> {
    let call = place(&plan(stage, setting::WITH_NOTICE)?)?;
    stage.tell("Het gesprek loopt …", "The call is running …");
    let report = call.finish()?;
    let id = stage.newest()?;
    let detail = closed(stage, id)?;
    record_decision(&detail, stage.lang);
    let timeline = detail.timeline.as_ref().context("there is no timeline")?;
    show::timeline(timeline, stage.lang, "      ");
    let sent: u64 = report
        .streams
        .iter()
        .map(|stream| stream.sent.packets)
        .sum();
    let kept: u64 = timeline.streams.iter().map(|stream| stream.packets).sum();
    let whole = matches!(
        timeline.verdict,
        Verdict::Whole | Verdict::WholeWithDeclaredGaps
    );
    let held = stage.check(
        whole && sent == kept && kept > 0,
        format!("opgenomen: {kept} van {sent} pakketten, opname {id}"),
        format!("recorded: {kept} of {sent} packets, recording {id}"),
    );
    Ok(First {
        recording: id,
        held,
    })
}

/// Step 2: refused, every unmet duty named, and not one sample stored, although the other side
/// sends media all the same.
pub(crate) fn unannounced(stage: &Stage) -> Result<bool> {
    let mut plan = plan(stage, setting::WITHOUT_NOTICE)?;
    plan.honour_direction = false;
    plan.duration = Some(Duration::from_secs(4));
    let report = place(&plan)?.finish()?;
    let id = stage.newest()?;
    let detail = closed(stage, id)?;
    record_decision(&detail, stage.lang);
    let sent: u64 = report
        .streams
        .iter()
        .map(|stream| stream.sent.packets)
        .sum();
    let trace = stage.server.archive.trace(id)?;
    let unmet = detail
        .decisions
        .iter()
        .flat_map(|kept| kept.decision.duties())
        .any(|duty| duty.met == Some(false) && !duty.articles.is_empty());
    let refused = detail.summary.state == State::NotRecorded && unmet;
    let stored_nothing = trace.blobs == 0 && trace.bytes == 0 && !trace.has_key;
    Ok(stage.check(
        refused && stored_nothing && sent > 0,
        format!(
            "geweigerd; de centrale stuurde toch {sent} pakketten, bewaard: {} bestanden, {} bytes, geen sleutel",
            trace.blobs, trace.bytes
        ),
        format!(
            "refused; the exchange sent {sent} packets all the same, stored: {} files, {} bytes, no key",
            trace.blobs, trace.bytes
        ),
    ))
}

/// Step 3: not started until consent is given, over the API, during the call.
pub(crate) fn germany(stage: &Stage) -> Result<bool> {
    let mut plan = plan(stage, setting::WITH_NOTICE)?;
    plan.participants = vec![
        Participant::new("sip:verkoop@voorbeeld.example", "Verkoop"),
        Participant::new("tel:+4930901820", "Kundin"),
    ];
    let call = place(&plan)?;
    let id = stage
        .server
        .archive
        .calls()
        .last()
        .context("there is no call")?
        .id;
    stage.tell(
        "Het gesprek loopt, zonder opname. Na 7 seconden geeft de klant toestemming …",
        "The call is running, not recorded. After 7 seconds the customer consents …",
    );
    let early = call.wait_for(Duration::from_secs(7), flows);
    consent(stage, id)?;
    let started = call.wait_for(Duration::from_secs(5), flows);
    call.finish()?;
    let detail = closed(stage, id)?;
    record_decision(&detail, stage.lang);
    let timeline = detail.timeline.as_ref().context("there is no timeline")?;
    show::timeline(timeline, stage.lang, "      ");
    let kept: u64 = timeline.streams.iter().map(|stream| stream.packets).sum();
    Ok(stage.check(
        !early && started && kept > 0 && timeline.verdict == Verdict::WholeWithDeclaredGaps,
        "geweigerd tot de toestemming, opgenomen vanaf de toestemming",
        "refused until consent, recorded from consent on",
    ))
}

fn flows(status: &voicelog_src_sim::CallStatus) -> bool {
    status.flows()
}

/// Says over the API that everyone has agreed.
fn consent(stage: &Stage, id: RecordingId) -> Result<()> {
    let url = format!("http://{}/v1/calls/{id}/facts", stage.server.http);
    let facts = json!({
        "openness": "announced_and_agreed",
        "consent_per_participant": { "p1": "given", "p2": "given" },
    });
    let answer = ureq::post(&url)
        .header(
            "Authorization",
            &format!("Bearer {}", stage.server.api_token.as_str()),
        )
        .send_json(facts)
        .context("the API did not take the consent")?;
    if answer.status() != 204 {
        bail!("the API answered {} to the consent", answer.status());
    }
    Ok(())
}
