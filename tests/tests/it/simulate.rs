//! `voicelog simulate`, the acceptance test for administrators: every dialect, with loss, jitter,
//! doubles and packets out of order, held against the archive to the packet.

use crate::support::{FACTS, LINE, Server, voicelog, write_config};
use serde_json::Value;
use voicelog_src_sim::{Dialect, speech};

fn simulate(server: &Server, arguments: &[&str]) -> (Option<i32>, Value) {
    let address = server.sip.to_string();
    let common = ["simulate", "--json", "--server", &address];
    let output = voicelog(&[&common[..], arguments].concat());
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let told = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("no JSON ({error}): {errors}"));
    (output.status.code(), told)
}

/// Checks by what came of them.
fn with_finding<'a>(told: &'a Value, finding: &str) -> Vec<&'a str> {
    let checks = told["checks"].as_array().unwrap().iter();
    let same = checks.filter(|check| check["finding"] == finding);
    same.map(|check| check["name"].as_str().unwrap()).collect()
}

#[test]
fn every_dialect_with_loss_jitter_and_doubles_is_kept_to_the_packet_over_udp_and_over_tcp() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), "");
    let server = Server::start(&config);
    for transport in ["udp", "tcp"] {
        let (status, told) = simulate(
            &server,
            &[
                "--line",
                LINE,
                "--dialect",
                "all",
                "--seconds",
                "4",
                "--loss",
                "2",
                "--duplicate",
                "1",
                "--reorder",
                "1",
                "--jitter",
                "30",
                "--transport",
                transport,
                "--config",
                server.config(),
            ],
        );
        assert_eq!(told["verdict"], "pass", "{transport}: {told:#}");
        assert_eq!(status, Some(0));
        assert_eq!(told["calls"], Dialect::ALL.len());
        assert_eq!(with_finding(&told, "not_checked"), [""; 0]);
    }
}

#[test]
fn a_transfer_in_every_dialect_loses_nothing_and_who_left_and_who_came_is_known_of_each_call() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), "");
    let server = Server::start(&config);
    let (status, told) = simulate(
        &server,
        &[
            "--line",
            LINE,
            "--dialect",
            "all",
            "--flow",
            "transfer",
            "--from",
            "tel:+31200000000",
            "--to",
            "tel:+31200100000",
            "--seconds",
            "4",
            "--config",
            server.config(),
        ],
    );
    assert_eq!(told["verdict"], "pass", "{told:#}");
    assert_eq!(
        (status, &told["calls"]),
        (Some(0), &Dialect::ALL.len().into())
    );
    assert_eq!(with_finding(&told, "not_checked"), [""; 0]);
    let rows = server.wait_for_closed(Dialect::ALL.len());
    assert_eq!(rows.len(), Dialect::ALL.len());
    let mut with_stand_in = 0;
    for row in &rows {
        let recording = server.recording(row["id"].as_str().unwrap());
        let presence = recording["timeline"]["presence"].as_array().unwrap().iter();
        let presence: Vec<_> = presence
            .map(|change| {
                (
                    change["party"].as_str().unwrap(),
                    change["is_there"] == true,
                )
            })
            .collect();
        // Where somebody stood in for the second participant, there was another change before.
        let twice = [("p2", false), ("p3", true), ("p3", false), ("p4", true)];
        with_stand_in += usize::from(presence == twice);
        let once = [("p2", false), ("p3", true)];
        assert!(presence == once || presence == twice, "{presence:?}");
    }
    let expected = Dialect::ALL.iter().filter(|dialect| dialect.has_stand_in());
    assert_eq!(with_stand_in, expected.count());
}

#[test]
fn calls_in_each_codec_pass_and_of_one_that_cannot_be_played_it_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), "");
    let server = Server::start(&config);
    let all = [
        ("g711", "PCMA", true),
        ("g722", "G722", true),
        ("opus", "opus/48000/2", true),
        ("l16", "L16/16000", true),
        ("g729", "G729", false),
    ];
    for (place, (word, codec, is_played)) in (1..).zip(all) {
        let (status, told) = simulate(
            &server,
            &[
                "--line",
                LINE,
                "--codec",
                word,
                "--seconds",
                "2",
                "--loss",
                "2",
                "--config",
                server.config(),
            ],
        );
        assert_eq!(status, Some(0), "{word}: {told:#}");
        let held = with_finding(&told, "held");
        assert!(held.contains(&"archive_packets"), "{word}: {told:#}");
        let unseen = with_finding(&told, "not_checked");
        let expected: &[&str] = if is_played { &[] } else { &["archive_sound"] };
        assert_eq!(unseen, expected, "{word}");
        let rows = server.wait_for_closed(place);
        let recording = server.recording(rows[0]["id"].as_str().unwrap());
        for stream in recording["timeline"]["streams"].as_array().unwrap() {
            assert_eq!(stream["stream"]["codec"], codec, "{word}: {stream:#}");
        }
        let wav = folder.path().join(format!("{word}.wav"));
        let wav = wav.to_str().unwrap();
        let id = rows[0]["id"].as_str().unwrap();
        let played = server.voicelog(&["play", id, "-o", wav, "--reason", "proef"]);
        let said = String::from_utf8_lossy(&played.stderr).into_owned();
        let status = if is_played { 0 } else { 1 };
        assert_eq!(played.status.code(), Some(status), "{word}: {said}");
        assert!(is_played || said.contains("G729"), "{said}");
    }
}

#[test]
fn a_hold_and_a_transfer_lose_nothing_and_the_archive_is_asked_over_the_api() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), "");
    let server = Server::start(&config);
    let token = folder.path().join("data/secrets/api-token");
    for (flow, dialect) in [
        ("hold", "webex"),
        ("transfer", "plain"),
        ("transfer", "nbr"),
    ] {
        let (status, told) = simulate(
            &server,
            &[
                "--line",
                LINE,
                "--dialect",
                dialect,
                "--flow",
                flow,
                "--calls",
                "3",
                "--at-once",
                "2",
                "--seconds",
                "2",
                "--api",
                &server.http,
                "--token-file",
                token.to_str().unwrap(),
            ],
        );
        assert_eq!(status, Some(0), "{flow}: {told:#}");
        assert!(with_finding(&told, "held").contains(&"archive_packets"));
    }
}

#[test]
fn a_line_that_is_not_set_up_fails_the_test_and_what_was_not_looked_at_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), "");
    let server = Server::start(&config);
    let (status, told) = simulate(&server, &["--line", "nergens", "--seconds", "1"]);
    assert_eq!((status, &told["verdict"]), (Some(1), &Value::from("fail")));
    assert_eq!(with_finding(&told, "failed"), ["recording"]);
    assert_eq!(with_finding(&told, "not_checked"), ["archive"]);
    let looked = [
        "--line",
        "nergens",
        "--seconds",
        "1",
        "--config",
        server.config(),
    ];
    let (_, told) = simulate(&server, &looked);
    let told = told.to_string();
    assert!(
        told.contains("Not recorded: the line is not set up") && !told.contains("crime"),
        "{told}"
    );
    let said = voicelog(&[
        "simulate",
        "--lang",
        "en",
        "--line",
        LINE,
        "--seconds",
        "1",
        "--server",
        &server.sip.to_string(),
    ]);
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("PASS for what could be seen"), "{said}");
    let wrong = voicelog(&[
        "simulate",
        "--line",
        LINE,
        "--server",
        "127.0.0.1:9",
        "--loss",
        "51",
    ]);
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn a_line_with_a_notice_passes_when_the_notice_is_played_and_says_what_is_missing_when_it_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("melding.wav");
    notice(&file);
    let more = format!(
        "[[line]]\nname = \"melding\"\n[line.facts]\n{FACTS}\n[line.notice]\naudio = \"{}\"\nwithin_seconds = 8\n",
        file.display()
    );
    let config = write_config(folder.path(), &more);
    let server = Server::start(&config);
    let place = [
        "--line",
        "melding",
        "--seconds",
        "10",
        "--config",
        server.config(),
    ];
    let with_it = [&place[..], &["--notice", file.to_str().unwrap()]].concat();
    let (status, told) = simulate(&server, &with_it);
    assert_eq!(
        (status, &told["verdict"]),
        (Some(0), &Value::from("pass")),
        "{told:#}"
    );
    assert!(with_finding(&told, "held").contains(&"archive_packets"));
    let (status, told) = simulate(&server, &place);
    assert_eq!(status, Some(1), "{told:#}");
    assert_eq!(with_finding(&told, "failed"), ["archive_calls"], "{told:#}");
    assert_eq!(with_finding(&told, "not_checked"), ["archive_packets"]);
    assert!(told.to_string().contains("--notice FILE"), "{told:#}");
}

#[test]
fn calls_that_are_not_drawn_for_a_sample_are_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let more = format!(
        "[[line]]\nname = \"steekproef\"\nsample = {{ one_in = 10000 }}\n[line.facts]\n{}",
        FACTS.replace("structural = \"all\"", "structural = \"sample\"")
    );
    let config = write_config(folder.path(), &more);
    let server = Server::start(&config);
    let (status, told) = simulate(
        &server,
        &[
            "--line",
            "steekproef",
            "--seconds",
            "1",
            "--calls",
            "2",
            "--config",
            server.config(),
        ],
    );
    assert_eq!(status, Some(0), "{told:#}");
    assert!(
        told.to_string()
            .contains("2 not drawn for the sample of this line"),
        "{told:#}"
    );
}

#[test]
fn on_a_line_that_keeps_on_request_a_call_that_nobody_asked_for_is_no_failure_and_how_to_ask_is_said()
 {
    let folder = tempfile::tempdir().unwrap();
    let more = format!(
        "[[line]]\nname = \"verzoek\"\nkeep = \"on_request\"\nlook_back_seconds = 5\n[line.facts]\n{}",
        FACTS.replace("structural = \"all\"", "structural = \"per_call_button\"")
    );
    let config = write_config(folder.path(), &more);
    let server = Server::start(&config);
    let place = [
        "--line",
        "verzoek",
        "--seconds",
        "1",
        "--config",
        server.config(),
    ];
    let (status, told) = simulate(&server, &place);
    assert_eq!(status, Some(0), "{told:#}");
    let told_text = told.to_string();
    assert!(
        told_text.contains("1 not kept, since nobody asked for it"),
        "{told:#}"
    );
    assert!(told_text.contains("/v1/calls/ID/keep"), "{told:#}");
    assert_eq!(with_finding(&told, "not_checked"), ["archive_packets"]);
}

#[test]
fn somebody_who_stands_in_for_a_participant_is_replaced_and_the_call_recorded_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), "");
    let server = Server::start(&config);
    let (status, told) = simulate(
        &server,
        &[
            "--line",
            LINE,
            "--dialect",
            "avaya",
            "--seconds",
            "3",
            "--config",
            server.config(),
        ],
    );
    assert_eq!(status, Some(0), "{told:#}");
    assert!(
        told.to_string()
            .contains("1 once it was told who took part"),
        "{told:#}"
    );
    assert!(with_finding(&told, "held").contains(&"archive_packets"));
}

/// A file with three seconds of speech backwards, which nobody says otherwise, as `sox` makes it.
fn notice(file: &std::path::Path) {
    use std::io::Write as _;
    let mut sound = speech::AGENT[..speech::NOTICE_BYTES].to_vec();
    sound.reverse();
    let mut sox = std::process::Command::new("sox")
        .args([
            "-t",
            "al",
            "-r",
            "8000",
            "-c",
            "1",
            "-",
            "-e",
            "signed-integer",
            "-b",
            "16",
        ])
        .arg(file)
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    sox.stdin.take().unwrap().write_all(&sound).unwrap();
    assert!(sox.wait().unwrap().success());
}
