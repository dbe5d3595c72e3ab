//! A pause from the API to the bundle that a stranger verifies.

use crate::support::{LINE, Server, pause, voicelog, voicelog_json, write_config};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use voicelog_evidence::zip;
use voicelog_src_sim::{CallPlan, CallReport, CallStatus, Payload, StreamPlan, place};

/// A call that is paused for a second in its middle; its id, and what was said.
fn paused_call(server: &Server) -> (String, CallReport) {
    let mut plan = CallPlan::speech(server.sip, LINE);
    plan.streams = (1..=2)
        .map(|number| {
            let mut stream = StreamPlan::new(&number.to_string(), Payload::Seeded(number));
            stream.keep_payload = true;
            stream
        })
        .collect();
    let call = place(&plan).unwrap();
    assert!(call.wait_for(Duration::from_secs(20), CallStatus::flows));
    let id = server.calls()["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    pause(Duration::from_millis(800));
    let asked = json!({ "reason": "card_data", "limit_seconds": 60 });
    server.post(&format!("/v1/calls/{id}/pause"), &asked);
    pause(Duration::from_secs(1));
    server.post(&format!("/v1/calls/{id}/resume"), &json!({}));
    pause(Duration::from_millis(800));
    (id, call.hang_up().unwrap())
}

fn timeline_of(bundle: &Path) -> Value {
    let bytes = std::fs::read(bundle).unwrap();
    let files = zip::read(&bytes).unwrap();
    let (_, timeline) = files
        .iter()
        .find(|(name, _)| *name == "timeline.json")
        .unwrap();
    serde_json::from_slice(timeline).unwrap()
}

#[test]
fn a_pause_is_declared_in_a_bundle_that_holds_and_nothing_said_in_it_is_in_there() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), "");
    let server = Server::start(&config);
    let (id, report) = paused_call(&server);
    server.wait_for_closed(1);

    let said = report.streams[0].payload.clone().unwrap();
    let kept = crate::sipp::payload(folder.path(), &server, &id);
    let same = kept.iter().zip(&said).take_while(|(a, b)| a == b).count();
    let before = same - same % 160;
    let after = kept.len() - before;
    assert!(before >= 20 * 160 && after >= 20 * 160, "{before} {after}");
    assert_eq!(kept[before..], said[said.len() - after..]);
    let left_out = (said.len() - kept.len()) / 160;
    assert!(left_out >= 40, "a second is 50 packets: {left_out}");

    let bundle = folder.path().join("bundle.zip");
    let timeline = timeline_of(&bundle);
    for stream in timeline["streams"].as_array().unwrap() {
        let intervals = stream["intervals"].as_array().unwrap();
        let paused = intervals
            .iter()
            .filter(|interval| interval["kind"] == "paused");
        let paused: Vec<_> = paused.collect();
        assert_eq!(paused.len(), 1, "{stream:#}");
        assert!(paused[0].to_string().contains("card_data"), "{}", paused[0]);
        assert!(
            !intervals
                .iter()
                .any(|interval| interval["kind"] == "undeclared_gap")
        );
    }
    let path = bundle.to_str().unwrap();
    let told = voicelog_json(&["verify", path, "--json"]);
    assert_eq!(told["holds"], true, "{told:#}");

    // Whoever says that the pause was for something else is found out.
    let mut bytes = std::fs::read(&bundle).unwrap();
    let place = bytes
        .windows(9)
        .position(|window| window == b"card_data")
        .unwrap();
    bytes[place] = b'b';
    let other = folder.path().join("other.zip");
    write_bytes(&other, &bytes);
    assert_eq!(
        voicelog(&["verify", other.to_str().unwrap()]).status.code(),
        Some(1)
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test's own file need not survive a power cut"
)]
fn write_bytes(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}
