//! SIPp, a SIP client that is not ours, is recorded; what is stored is what it sent, byte for
//! byte, and what is heard is what another program decodes, sample for sample.

use crate::support::{LINE, Server, write_config};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use voicelog_evidence::journal::{PacketKind, RecordRef};
use voicelog_evidence::{original, zip};
use voicelog_model::StreamNumber;
use voicelog_model::rtp::RtpPacket;
use voicelog_src_sim::speech;

/// Bytes of a WAV file's header as we write it.
const WAV_HEADER: usize = 44;

#[test]
fn what_sipp_sent_is_stored_byte_for_byte_and_heard_sample_for_sample() {
    for transport in ["u1", "t1"] {
        let folder = tempfile::tempdir().unwrap();
        let config = write_config(folder.path(), "");
        let server = Server::start(&config);
        let scenario = repository("tests/sipp/record.xml");
        run(folder.path(), &server, transport, scenario.as_ref());
        let rows = server.wait_for_closed(1);
        assert_eq!(rows[0]["state"], "sealed");
        // Nothing came on the second stream, and that may not go unnoticed.
        assert_eq!(rows[0]["verdict"], "undeclared_gap");

        let id = rows[0]["id"].as_str().unwrap();
        assert_eq!(
            payload(folder.path(), &server, id),
            speech::AGENT,
            "{transport}"
        );

        let bytes = std::fs::read(folder.path().join("bundle.zip")).unwrap();
        let entries = zip::read(&bytes).unwrap();
        let (_, heard) = entries
            .iter()
            .find(|(path, _)| *path == "audio/1.wav")
            .unwrap();
        let heard = &heard[WAV_HEADER..];
        let decoded = decoded_by_sox(folder.path());
        let found = heard.windows(decoded.len()).any(|window| window == decoded);
        assert!(
            found,
            "{transport}: the samples heard are not those that were sent"
        );
    }
}

#[test]
fn who_takes_part_by_a_reinvite_and_by_an_update_of_sipp_is_known_and_its_media_goes_on() {
    for transport in ["u1", "t1"] {
        let folder = tempfile::tempdir().unwrap();
        let config = write_config(folder.path(), "");
        let server = Server::start(&config);
        let scenario = repository("tests/sipp/record-told.xml");
        run(folder.path(), &server, transport, scenario.as_ref());
        let rows = server.wait_for_closed(1);
        let id = rows[0]["id"].as_str().unwrap();
        let recording = server.recording(id);
        let presence = recording["timeline"]["presence"].as_array().unwrap();
        let presence: Vec<_> = presence
            .iter()
            .map(|change| {
                (
                    change["party"].as_str().unwrap(),
                    change["is_there"] == true,
                )
            })
            .collect();
        let expected = [("p2", false), ("p3", true), ("p3", false), ("p4", true)];
        assert_eq!(presence, expected, "{transport}");
        let payload = payload(folder.path(), &server, id);
        // Four of the six seconds at least, and not a byte of them lost or out of place.
        assert!(payload.len() > 32_000, "{transport}: {}", payload.len());
        assert!(speech::AGENT.starts_with(&payload), "{transport}");
    }
}

/// Exports a recording to `bundle.zip`, and gives every byte of payload of its first stream.
pub(crate) fn payload(folder: &Path, server: &Server, id: &str) -> Vec<u8> {
    let bundle = folder.join("bundle.zip");
    let exported = server.voicelog(&[
        "export",
        id,
        "-o",
        bundle.to_str().unwrap(),
        "--for",
        "court",
    ]);
    assert!(
        exported.status.success(),
        "{}",
        String::from_utf8_lossy(&exported.stderr)
    );
    let bytes = std::fs::read(bundle).unwrap();
    let entries = zip::read(&bytes).unwrap();
    let (_, original) = entries
        .iter()
        .find(|(path, _)| *path == "original/1.journal")
        .unwrap();
    let packets = original::read_packets(StreamNumber(1), original).unwrap();
    let mut payload = Vec::new();
    for (_index, packet) in &packets {
        if let RecordRef::Packet {
            kind: PacketKind::Rtp,
            bytes,
            ..
        } = packet
        {
            payload.extend_from_slice(RtpPacket::parse(bytes).unwrap().payload);
        }
    }
    payload
}

/// Asks another program to end, as Ctrl-C does.
pub(crate) fn interrupt(child: &Child) {
    let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
}

/// Runs a scenario of SIPp against the server, where the server lives.
pub(crate) fn run(folder: &Path, server: &Server, transport: &str, scenario: &Path) {
    std::fs::copy(
        repository("crates/src-sim/assets/agent.al"),
        folder.join("agent.al"),
    )
    .unwrap();
    let mut command = match &server.enter {
        None => Command::new("sipp"),
        Some(enter) => {
            let mut command = Command::new("nsenter");
            command.args(enter).arg("sipp");
            command
        }
    };
    let output = command
        .current_dir(folder)
        .arg(server.sip.to_string())
        .arg("-sf")
        .arg(scenario)
        .args(["-s", LINE, "-m", "1"])
        .args(["-i", "127.0.0.1", "-mi", "127.0.0.1", "-t", transport])
        .args([
            "-recv_timeout",
            "10000",
            "-timeout",
            "60s",
            "-timeout_error",
            "-nostdin",
        ])
        .stdin(Stdio::null())
        .output()
        .expect("SIPp should be installed: cargo xtask test does that");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The samples as sox decodes them: 16-bit little-endian.
fn decoded_by_sox(folder: &Path) -> Vec<u8> {
    let output = Command::new("sox")
        .args(["-D", "-t", "al", "-r", "8000", "-c", "1"])
        .arg(folder.join("agent.al"))
        .args(["-t", "s16", "-L", "-"])
        .output()
        .expect("sox should be installed: cargo xtask test does that");
    assert!(output.status.success());
    output.stdout
}

pub(crate) fn repository(path: &str) -> String {
    format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))
}
