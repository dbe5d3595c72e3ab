//! Bad input costs nothing and gets one clear sentence.

use crate::support::{Server, binary, endless_call, voicelog, write_config, write_file};
use std::net::UdpSocket;
use std::process::{Command, Stdio};
use voicelog_src_sim::place;
use voicelog_store::durable;

fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    write_file(&path, text);
    path.to_str().unwrap().to_owned()
}

#[test]
fn wrong_files_end_with_status_2_and_one_sentence_that_names_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let facts = file(
        &folder,
        "facts.json",
        r#"{"requested_action":"record","purpos":"klacht"}"#,
    );
    let config = file(&folder, "bad.toml", "[sip]\nupd = \"127.0.0.1:5060\"\n");
    let bundle = file(&folder, "bundle.zip", "this is no bundle");
    let request = file(&folder, "request.json", r#"{"requested_action":"record"}"#);
    let strange = file(&folder, "strange.json", r#"{"organisatoin":"x"}"#);
    let no_reason = file(
        &folder,
        "no-reason.json",
        r#"{"requested_action":"refuse_recording","counterpart_types":["government_body"]}"#,
    );
    let cases: [(&[&str], i32, &str); 9] = [
        (&["law", "decide", &facts], 2, "purpose"),
        (
            &["law", "decide", "no-such-file.json"],
            2,
            "no-such-file.json",
        ),
        (&["law", "document", "chekclist", &request], 2, "checklist"),
        (
            &["law", "document", "house-rules", &request],
            2,
            "announcement",
        ),
        (
            &["law", "document", "checklist", &request, "--with", &strange],
            2,
            "organisation",
        ),
        (&["serve", "--config", &config], 2, "udp"),
        (&["verify", "no-such-bundle.zip"], 2, "no-such-bundle.zip"),
        (&["verify", &bundle], 2, "no evidence bundle"),
        (&["show", "not-an-id"], 2, "not-an-id"),
    ];
    for (arguments, status, word) in cases {
        let output = voicelog(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {said}");
        assert!(said.contains(word), "{arguments:?}: {said}");
    }
    let output = voicelog(&["law", "document", "refusal", &no_reason]);
    assert_eq!(output.status.code(), Some(3), "the law refuses this letter");
    // A file that is not even the beginning of a bundle is bad input; a cut one does not hold.
    let cut = file(&folder, "cut.zip", "PK\u{3}\u{4} bundle.note");
    assert_eq!(voicelog(&["verify", &cut]).status.code(), Some(1));
}

/// Runs `voicelog verify` where it gets no more than 400 MB of address space.
fn verify_in_little_room(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new("sh")
        .args(["-c", "ulimit -v 400000; exec \"$0\" verify \"$@\""])
        .arg(binary())
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

#[test]
fn no_file_makes_verify_take_more_room_than_a_bundle_needs() {
    const BUNDLE: &[u8] =
        include_bytes!("../../../crates/evidence/tests/vectors/bundle/v1/call.zip");
    let folder = tempfile::tempdir().unwrap();
    // A sparse file of four gigabytes that starts so; the rest are zeros.
    let grown = |name: &str, start: &[u8], len: u64| {
        let path = folder.path().join(name);
        durable::create(&path, start).unwrap();
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(len).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let whole = BUNDLE.len() as u64;
    let bundle = grown("bundle.zip", BUNDLE, whole);
    assert_eq!(verify_in_little_room(&[&bundle]).0, Some(0));

    let local = |method: u8, packed: u32, promised: u32| {
        let name = b"bundle.note";
        let mut header = b"PK\x03\x04\x0a\0\0\0".to_vec();
        header.extend([method, 0, 0, 0, 0x21, 0, 0, 0, 0, 0]);
        header.extend([packed.to_le_bytes(), promised.to_le_bytes()].concat());
        header.extend([u8::try_from(name.len()).unwrap(), 0, 0, 0]);
        [&header[..], name].concat()
    };
    let most = u64::from(u32::MAX);
    let broken = [
        grown("zeros-behind.zip", BUNDLE, 3_900_000_000),
        grown("one-byte-behind.zip", BUNDLE, whole + 1),
        grown("promises-much.zip", &local(0, u32::MAX, u32::MAX), 4_096),
        grown("bomb.zip", &local(8, 4_000, u32::MAX), 4_096),
        grown("many.zip", &local(0, 0, 0).repeat(100_000), most),
    ];
    for file in &broken {
        let (status, said) = verify_in_little_room(&[file]);
        assert_eq!(status, Some(1), "{file}: {said}");
        assert!(said.contains("ZIP"), "{file}: {said}");
    }
    let too_long = grown("too-long.zip", BUNDLE, most + 1);
    let nothing = grown("nothing.zip", b"", most);
    let no_bundles = [
        "/dev/zero",
        folder.path().to_str().unwrap(),
        &too_long,
        &nothing,
    ];
    let endless = ["--log-key", "--policy", "--tsa-anchor", "--receipt"];
    let endless = endless.map(|option| vec![&*bundle, option, "/dev/zero"]);
    let no_policy = vec![&*bundle, "--tsa-policy", "policy"];
    let all = no_bundles.map(|file| vec![file]);
    for arguments in all.into_iter().chain(endless).chain([no_policy]) {
        let (status, said) = verify_in_little_room(&arguments);
        assert_eq!(status, Some(2), "{arguments:?}: {said}");
    }
}

#[test]
fn a_webhook_whose_file_of_issuers_cannot_be_used_is_bad_input_like_any_other_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let empty = file(&folder, "empty.pem", "no certificate\n");
    let missing = folder.path().join("no-such-issuers.pem");
    for (issuers, why) in [
        (missing.to_str().unwrap(), "no-such-issuers.pem"),
        (&*empty, "PEM"),
    ] {
        let config = write_config(folder.path(), "");
        let rest = std::fs::read_to_string(&config).unwrap();
        let webhook = format!(
            "[[webhook]]\nname = \"beheer\"\nurl = \"https://systeem.voorbeeld.example/\"\n\
             secret = \"whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\"\nissuers = \"{issuers}\"\n"
        );
        write_file(&config, &format!("{webhook}{rest}"));
        let output = voicelog(&["serve", "--config", config.to_str().unwrap()]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("beheer") && said.contains(why), "{said}");
        assert!(!folder.path().join("data").exists(), "nothing was made");
    }
}

#[test]
fn a_refusal_by_the_law_ends_with_status_3_and_the_whole_answer() {
    let folder = tempfile::tempdir().unwrap();
    let facts = file(
        &folder,
        "facts.json",
        r#"{"requested_action":"record","recorder_type":"company","channel":"phone",
            "participation":"participant","countries":["DE","NL"],"openness":"announced"}"#,
    );
    let output = voicelog(&["law", "decide", &facts, "--json"]);
    assert_eq!(output.status.code(), Some(3));
    let decision: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(decision["outcome"], "forbidden_criminal");
    assert!(!decision["reasons"].as_array().unwrap().is_empty());
}

#[test]
fn hostile_datagrams_cost_a_call_in_progress_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), "");
    let mut server = Server::start(&config);
    let mut plan = endless_call(server.sip);
    plan.duration = Some(std::time::Duration::from_secs(3));
    let call = place(&plan).unwrap();
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for round in 0..3_000_u32 {
        let mut bytes = b"INVITE sip:verkoop@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9\r\nCSeq: 1 INVITE\r\nContent-Type: multipart/mixed;boundary=b\r\nContent-Length: 70000\r\n\r\n--b\r\n<!DOCTYPE a [<!ENTITY b 'c'>]>".to_vec();
        for _change in 0..(round % 9) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let place = usize::try_from(seed).unwrap() % bytes.len();
            bytes[place] = seed.to_le_bytes()[7];
        }
        stranger.send_to(&bytes, server.sip).unwrap();
    }
    let report = call.finish().unwrap();
    let rows = server.wait_for_closed(1);
    let sealed = rows.iter().find(|row| row["state"] == "sealed").unwrap();
    assert!(
        sealed["verdict"].as_str().unwrap().starts_with("whole"),
        "{sealed}"
    );
    assert!(report.streams.iter().all(|stream| stream.sent.packets > 0));
    assert!(server.terminate().success());
}

#[test]
fn house_rules_with_a_mistake_are_listed_by_place_and_never_half_used() {
    let folder = tempfile::tempdir().unwrap();
    let rule = r#"@id("house.none_from_staff")
@kind("contract")
@article("Staff handbook 4.2")
@valid_from("2026-11-01")
@nl("Neem geen collega's op.")
@en("Do not record colleagues.")
forbid (principal, action == Action::"record", resource)
when { context.WHO == "employee" };
"#;
    file(&folder, "staff.cedar", &rule.replace("WHO", "recoder_type"));
    let house = folder.path().to_str().unwrap().to_owned();
    let output = voicelog(&["law", "validate", &house]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("staff.cedar:8:"), "{said}");
    assert!(said.contains("`recorder_type`"), "{said}");
    let elsewhere = tempfile::tempdir().unwrap();
    let config = format!("[law]\nhouse_rules = \"{house}\"\n");
    let config = file(&elsewhere, "voicelog.toml", &config);
    let output = voicelog(&["serve", "--config", &config]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("staff.cedar:8:"), "{said}");

    file(
        &folder,
        "staff.cedar",
        &rule.replace("WHO", "recorder_type"),
    );
    assert_eq!(
        voicelog(&["law", "validate", &house]).status.code(),
        Some(0)
    );
    let call = r#"{"requested_action":"record","recorder_type":"employee","channel":"phone","participation":"participant"}"#;
    let facts = file(&elsewhere, "call.json", call);
    assert_eq!(voicelog(&["law", "decide", &facts]).status.code(), Some(0));
    let output = voicelog(&["law", "decide", &facts, "--house", &house]);
    assert_eq!(output.status.code(), Some(3), "the handbook forbids it");
}
