//! The log of the built program, and those who watch it: a witness, an auditor, a timestamping authority.

#[path = "../../../crates/evidence/tests/it/authority.rs"]
mod authority;

use crate::support::{LINE, Server, running, voicelog, voicelog_json, write_config, write_file};
use authority::{Authority, Key};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;
use voicelog_evidence::zip;
use voicelog_src_sim::{CallPlan, place};

/// Other rules than the law alone: the log grows when they come into force.
const HOUSE_RULES: &str = concat!(
    "[law]\nhouse_rules = \"",
    env!("CARGO_MANIFEST_DIR"),
    "/../examples/house-rules\"\n"
);

/// A witness of the built program, killed when it is dropped.
struct Witness {
    process: Child,
    url: String,
    key: String,
}

impl Drop for Witness {
    fn drop(&mut self) {
        let _it_is_gone = self.process.kill();
        let _it_is_gone = self.process.wait();
    }
}

fn witness(state: &Path, log_key: &Path) -> Witness {
    let mut process = running(&[
        "witness",
        "--listen",
        "127.0.0.1:0",
        "--name",
        "getuige.voorbeeld.nl/w1",
        "--state",
        state.to_str().unwrap(),
        "--log-key",
        log_key.to_str().unwrap(),
    ]);
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let url = lines.next().unwrap().unwrap();
    let key = lines.next().unwrap().unwrap();
    let key = key.rsplit_once(' ').unwrap().1.to_owned();
    Witness { process, url, key }
}

/// A data folder with a log, made by a server that ran for a moment.
fn archive(folder: &Path) -> PathBuf {
    let config = write_config(folder, "");
    let mut server = Server::start(&config);
    server.terminate();
    config
}

fn with_witnesses(folder: &Path, witnesses: &[&Witness], law: &str) -> PathBuf {
    let named: Vec<_> = witnesses
        .iter()
        .map(|witness| format!("{{ url = \"{}\", key = \"{}\" }}", witness.url, witness.key))
        .collect();
    let log = format!("[log]\nwitnesses = [{}]\n{law}", named.join(", "));
    write_config(folder, &log)
}

fn log(config: &Path, arguments: &[&str]) -> std::process::Output {
    let config = config.to_str().unwrap();
    voicelog(&[&["--lang", "en", "--config", config, "log"], arguments].concat())
}

fn log_json(config: &Path, arguments: &[&str]) -> Value {
    let config = config.to_str().unwrap();
    voicelog_json(&[&["--config", config, "log"], arguments, &["--json"]].concat())
}

fn stdout(output: &std::process::Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_witness_signs_the_log_as_long_as_it_only_grows_and_everybody_can_check_that() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path();
    archive(folder);
    let key = folder.join("data").join("log.vkey");
    let witness = witness(&folder.join("witness"), &key);
    let config = with_witnesses(folder, &[&witness], HOUSE_RULES);
    let before = folder.join("before");
    std::fs::create_dir(&before).unwrap();
    copy(&folder.join("data"), &before.join("data"));
    let old = folder.join("old.checkpoint");
    write_file(&old, &stdout(&log(&config, &["checkpoint"])));

    // The server asks the witness by itself, and shows what was signed.
    let mut server = Server::start(&config);
    let served = format!("{}/log", server.http);
    let policy = folder.join("policy.txt");
    write_file(&policy, &stdout(&log(&config, &["policy"])));
    let answer = log_json(&config, &["witness"]);
    assert!(answer["witnesses"][0]["signed_at"].is_string(), "{answer}");
    let keep = folder.join("kept");
    let audit = |place: &str, more: &[&str]| {
        let key = key.to_str().unwrap();
        let policy = policy.to_str().unwrap();
        let all = [
            &["audit", place, "--log-key", key, "--policy", policy],
            more,
        ]
        .concat();
        log(&config, &all)
    };
    let since = [
        "--since",
        old.to_str().unwrap(),
        "--keep",
        keep.to_str().unwrap(),
    ];
    let audited = audit(&served, &since);
    assert!(audited.status.success(), "{audited:?}");
    assert!(stdout(&audited).contains("Enough witnesses signed"));
    server.terminate();
    let offline = audit(keep.to_str().unwrap(), &since[..2]);
    assert!(offline.status.success(), "without a network: {offline:?}");

    // Its growth since the old checkpoint is proven to who has only that.
    let proven = log(&config, &["consistency", old.to_str().unwrap()]);
    assert!(stdout(&proven).starts_with("old "), "{proven:?}");

    // An older copy that is put back is told by the witness and by who kept a checkpoint.
    let newer = folder.join("newer.checkpoint");
    write_file(&newer, &stdout(&log(&config, &["checkpoint"])));
    std::fs::remove_dir_all(folder.join("data")).unwrap();
    copy(&before.join("data"), &folder.join("data"));
    let refused = log(&config, &["consistency", newer.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let output = log(&config, &["witness", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["witnesses"][0]["fault"], "rolled_back", "{answer}");
}

#[test]
fn a_witness_waits_ten_seconds_for_a_request_and_no_answer_of_it_is_kept_on_the_way() {
    let root = tempfile::tempdir().unwrap();
    archive(root.path());
    let witness = witness(
        &root.path().join("witness"),
        &root.path().join("data").join("log.vkey"),
    );
    let address = witness.url.strip_prefix("http://").unwrap();
    let mut slow = TcpStream::connect(address).unwrap();
    slow.set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let head = "POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 100\r\n\r\nold 1";
    slow.write_all(head.as_bytes()).unwrap();
    // Others are answered meanwhile.
    let nonsense = ureq::post(format!("{}/add-checkpoint", witness.url))
        .config()
        .http_status_as_error(false)
        .build()
        .send("old x")
        .unwrap();
    assert_eq!(nonsense.status(), 400);
    assert_eq!(nonsense.headers()["cache-control"], "no-store");
    let mut answer = [0; 12];
    slow.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
    let mut long = TcpStream::connect(address).unwrap();
    long.set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let head = "POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 99999999\r\n\r\nold 1";
    long.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 12];
    long.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[test]
fn a_witness_that_does_not_know_the_log_says_so_and_a_dead_one_says_nothing() {
    let root = tempfile::tempdir().unwrap();
    let (one, two) = (root.path().join("one"), root.path().join("two"));
    std::fs::create_dir(&one).unwrap();
    std::fs::create_dir(&two).unwrap();
    archive(&one);
    archive(&two);
    let witness = witness(&one.join("witness"), &one.join("data").join("log.vkey"));
    let config = with_witnesses(&two, &[&witness], "");
    let output = log(&config, &["witness", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["witnesses"][0]["fault"], "unknown_log", "{answer}");
    drop(witness);
    let output = log(&config, &["witness", "--json"]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["witnesses"][0]["fault"], "not_reached", "{answer}");
}

#[test]
fn a_tampered_log_does_not_pass_an_audit() {
    let root = tempfile::tempdir().unwrap();
    let config = archive(root.path());
    let mut server = Server::start(&config);
    let key = root.path().join("data").join("log.vkey");
    let keep = root.path().join("kept");
    let served = format!("{}/log", server.http);
    let audit = |place: &str, more: &[&str]| {
        let all = [&["audit", place, "--log-key", key.to_str().unwrap()], more].concat();
        log(&config, &all)
    };
    assert!(
        audit(&served, &["--keep", keep.to_str().unwrap()])
            .status
            .success()
    );
    server.terminate();
    let entries = std::fs::read_dir(keep.join("tile").join("entries")).unwrap();
    let partial = entries.map(|entry| entry.unwrap().path()).next().unwrap();
    let file = std::fs::read_dir(&partial)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let mut sed = Command::new("sed");
    let changed = sed
        .env("LC_ALL", "C")
        .args(["-i", "s/epoch-1/epoch-2/"])
        .arg(&file);
    assert!(changed.status().unwrap().success());
    let output = audit(keep.to_str().unwrap(), &[]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(stdout(&output).contains("does NOT hold"), "{output:?}");
}

/// Answers every request for a timestamp, until the listener is dropped with the test.
fn serve(authority: Authority, spoil: fn(Vec<u8>) -> Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/tsa", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).unwrap();
                let line = line.trim_end().to_ascii_lowercase();
                if let Some(value) = line.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.is_empty() {
                    break;
                }
            }
            let mut request = vec![0; length];
            stream.read_exact(&mut request).unwrap();
            let answer = spoil(authority.answer(&request));
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/timestamp-reply\r\n\
                 content-length: {}\r\nconnection: close\r\n\r\n",
                answer.len()
            );
            let mut stream = stream.into_inner();
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(&answer).unwrap();
        }
    });
    url
}

fn with_authority(folder: &Path, url: &str, anchor: &Path) -> PathBuf {
    let anchor = anchor.display();
    let log =
        format!("[log]\ntimestamp_authority = {{ url = \"{url}\", certificate = \"{anchor}\" }}\n");
    write_config(folder, &log)
}

#[test]
fn an_authority_stamps_the_log_and_openssl_believes_the_stamp() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path();
    archive(folder);
    let authority = Authority::new(Key::ALL[0]);
    let anchor = folder.join("anchor.pem");
    write_file(&anchor, &authority.anchor());
    let config = with_authority(folder, &serve(authority, |answer| answer), &anchor);
    let kept = folder.join("stamp");
    let stamped = log_json(&config, &["stamp", "--keep", kept.to_str().unwrap()]);
    assert_eq!(stamped["policy"], authority::POLICY, "{stamped}");
    let shown = log_json(&config, &["show"]);
    assert_eq!(shown["stamped"][0]["at"], stamped["at"]);
    let verified = Command::new("openssl")
        .args([
            "ts",
            "-verify",
            "-data",
            "checkpoint.txt",
            "-in",
            "checkpoint.tsr",
            "-CAfile",
        ])
        .arg(&anchor)
        .current_dir(&kept)
        .output()
        .unwrap();
    assert!(verified.status.success(), "{verified:?}");
    let checkpoint = stdout(&log(&config, &["checkpoint"]));
    assert_eq!(
        std::fs::read_to_string(kept.join("checkpoint")).unwrap(),
        checkpoint
    );
}

#[test]
fn an_answer_that_does_not_hold_is_told_and_not_kept() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path();
    archive(folder);
    let authority = Authority::new(Key::ALL[2]);
    let anchor = folder.join("anchor.pem");
    write_file(&anchor, &authority.anchor());
    let spoil = |mut answer: Vec<u8>| {
        let last = answer.len() - 1;
        answer[last] ^= 1;
        answer
    };
    let config = with_authority(folder, &serve(authority, spoil), &anchor);
    let output = log(&config, &["stamp", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["fault"], "not_believed", "{answer}");
    assert_eq!(
        log_json(&config, &["show"])["stamped"],
        serde_json::json!([])
    );
    // An authority that is not there, and a file that holds no certificate.
    let nowhere = with_authority(folder, "http://127.0.0.1:9/tsa", &anchor);
    let output = log(&nowhere, &["stamp", "--json"]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["fault"], "not_reached", "{answer}");
    write_file(&anchor, "no certificate");
    let output = log(&nowhere, &["stamp"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp")
        .arg("-a")
        .args([from, to])
        .status()
        .unwrap();
    assert!(copied.success());
}

/// One call, recorded by a server that has ended: its configuration and the recording's id.
fn recorded(folder: &Path) -> (PathBuf, String) {
    let config = write_config(folder, "");
    let mut server = Server::start(&config);
    let mut plan = CallPlan::speech(server.sip, LINE);
    plan.duration = Some(Duration::from_secs(1));
    place(&plan).unwrap().finish().unwrap();
    let rows = server.wait_for_closed(1);
    assert!(server.terminate().success());
    (config, rows[0]["id"].as_str().unwrap().to_owned())
}

/// The report of `voicelog verify`.
fn verified(bundle: &Path, more: &[&str]) -> Value {
    let output = voicelog(&[&["verify", bundle.to_str().unwrap(), "--json"], more].concat());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn severity_of(report: &Value, check: &str) -> String {
    let findings = report["findings"].as_array().unwrap();
    let about = findings.iter().find(|finding| finding["check"] == check);
    about.unwrap()["severity"].as_str().unwrap().to_owned()
}

#[test]
fn a_vcon_says_what_is_in_it_and_that_it_was_changed_where_it_was() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path();
    let (config, id) = recorded(folder);
    let file = folder.join("call.json");
    let (place, to) = (config.to_str().unwrap(), file.to_str().unwrap());
    let written = voicelog(&[
        "export", &id, "--for", "court", "--vcon", "-o", to, "--config", place,
    ]);
    assert!(written.status.success(), "{written:?}");
    let told = verified(&file, &[]);
    assert_eq!(
        (&told["holds"], &told["signed"]),
        (&true.into(), &true.into())
    );
    assert_eq!(told["bases"][0]["lawful_basis"], "contract", "{told:#}");
    assert!(told["dialogs"][1]["bytes"].as_u64().unwrap() > 1_000);
    let said = voicelog(&["verify", to, "--lang", "en"]);
    assert!(stdout(&said).contains("ask for the bundle"), "{said:?}");

    // It says nothing of a log, so whoever names one is not told that it holds.
    let key = folder.join("data").join("log.vkey");
    let trusting = voicelog(&["verify", to, "--log-key", key.to_str().unwrap()]);
    assert_eq!(trusting.status.code(), Some(2), "{trusting:?}");
    let pipe = folder.join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let waited_for = voicelog(&["verify", pipe.to_str().unwrap()]);
    assert_eq!(waited_for.status.code(), Some(2), "it does not wait");

    let mut signed: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let signature = signed["signatures"][0]["signature"].as_str().unwrap();
    let (first, rest) = signature.split_at(1);
    let other = if first == "A" { "B" } else { "A" };
    signed["signatures"][0]["signature"] = format!("{other}{rest}").into();
    write_file(&file, &signed.to_string());
    let changed = voicelog(&["verify", to, "--lang", "en"]);
    assert_eq!(changed.status.code(), Some(1), "{changed:?}");
    assert!(stdout(&changed).contains("XX  signature 0"), "{changed:?}");
    write_file(&file, "{ \"neither\": 1 }");
    assert_eq!(voicelog(&["verify", to]).status.code(), Some(2));
}

#[test]
fn who_kept_only_a_receipt_holds_it_against_the_whole_log() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path();
    let (config, id) = recorded(folder);
    let place = config.to_str().unwrap();
    let kept = folder.join("receipt.txt");
    let receipt = stdout(&voicelog(&["receipt", &id, "--config", place]));
    write_file(&kept, &receipt);
    let key = folder.join("data").join("log.vkey");
    let mut server = Server::start(&config);
    let served = format!("{}/log", server.http);
    let audit = |since: &Path| {
        let since = since.to_str().unwrap();
        let key = key.to_str().unwrap();
        log(
            &config,
            &["audit", &served, "--log-key", key, "--since", since],
        )
    };
    let audited = audit(&kept);
    assert!(audited.status.success(), "{audited:?}");
    assert!(
        stdout(&audited).contains("still holds"),
        "{}",
        stdout(&audited)
    );
    let changed = folder.join("changed.txt");
    let index = receipt
        .lines()
        .find(|line| line.starts_with("index "))
        .unwrap();
    write_file(&changed, &receipt.replace(index, "index 0"));
    let refused = audit(&changed);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    server.terminate();
    let proven = log(&config, &["consistency", kept.to_str().unwrap()]);
    assert!(stdout(&proven).starts_with("old "), "{proven:?}");
}

#[test]
fn a_receipt_that_somebody_kept_is_held_against_a_later_bundle() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path();
    let (config, id) = recorded(folder);
    let config = config.to_str().unwrap();
    let [kept, code, bundle] =
        ["kept.tlog-proof", "kept.svg", "bundle.zip"].map(|name| folder.join(name));
    let given = voicelog(&[
        "--config",
        config,
        "receipt",
        &id,
        "-o",
        kept.to_str().unwrap(),
        "--qr",
        code.to_str().unwrap(),
    ]);
    assert!(given.status.success(), "{given:?}");
    assert!(std::fs::read_to_string(&code).unwrap().starts_with("<svg "));
    let exported = voicelog(&[
        "--config",
        config,
        "export",
        &id,
        "-o",
        bundle.to_str().unwrap(),
        "--for",
        "court",
    ]);
    assert!(exported.status.success(), "{exported:?}");
    let report = verified(&bundle, &["--receipt", kept.to_str().unwrap()]);
    assert_eq!(severity_of(&report, "Receipt"), "Ok");
    assert_eq!(report["holds"], true);
    // The same text, about a moment that the archive never signed.
    let text = std::fs::read_to_string(&kept).unwrap();
    let index = text.lines().find_map(|line| line.strip_prefix("index "));
    let index: u64 = index.unwrap().parse().unwrap();
    let [said, other] = [index, index + 1].map(|index| format!("\nindex {index}\n"));
    write_file(&kept, &text.replace(&said, &other));
    let changed = verified(&bundle, &["--receipt", kept.to_str().unwrap()]);
    assert_eq!(severity_of(&changed, "Receipt"), "Broken");
    assert_eq!(changed["holds"], false);
}

/// The files of a bundle that is exported with this configuration.
fn exported(config: &Path, id: &str, bundle: &Path) -> (BTreeSet<String>, String) {
    let (config, path) = (config.to_str().unwrap(), bundle.to_str().unwrap());
    let output = voicelog(&[
        "--lang", "en", "--config", config, "export", id, "-o", path, "--for", "court", "--force",
    ]);
    assert!(output.status.success(), "{output:?}");
    let bytes = std::fs::read(bundle).unwrap();
    let names = zip::read(&bytes).unwrap();
    let names = names.into_iter().map(|(name, _)| name.to_owned()).collect();
    (names, stdout(&output))
}

#[test]
fn a_copy_of_what_was_never_stamped_is_stamped_first_and_goes_without_where_nobody_answers() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path();
    let (_config, id) = recorded(folder);
    let authority = Authority::new(Key::ALL[0]);
    let anchor = folder.join("anchor.pem");
    write_file(&anchor, &authority.anchor());
    let bundle = folder.join("bundle.zip");

    let nowhere = with_authority(folder, "http://127.0.0.1:9/tsa", &anchor);
    let (names, said) = exported(&nowhere, &id, &bundle);
    assert!(!names.contains("timestamp.tsr"), "{names:?}");
    assert!(said.contains("has no timestamp"), "{said}");
    assert_eq!(verified(&bundle, &[])["holds"], true);

    let config = with_authority(folder, &serve(authority, |answer| answer), &anchor);
    let (names, _said) = exported(&config, &id, &bundle);
    assert!(names.contains("timestamp.tsr"), "{names:?}");
    let believed = verified(&bundle, &["--tsa-anchor", anchor.to_str().unwrap()]);
    assert_eq!(severity_of(&believed, "Timestamp"), "Ok");
}

#[test]
fn a_bundle_brings_the_page_that_checks_it_and_the_moment_by_another_clock() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path();
    let (_config, id) = recorded(folder);
    let id = id.as_str();
    let authority = Authority::new(Key::ALL[0]);
    let anchor = folder.join("anchor.pem");
    write_file(&anchor, &authority.anchor());
    let config = with_authority(folder, &serve(authority, |answer| answer), &anchor);
    let stamped = log_json(&config, &["stamp"]);
    let bundle = folder.join("bundle.zip");
    let (names, _said) = exported(&config, id, &bundle);
    for name in [
        "verify.html",
        "completeness.pdf",
        "timestamp.tlog-proof",
        "timestamp.tsr",
        "timestamp.pem",
    ] {
        assert!(names.contains(name), "{name} in {names:?}");
    }
    let severity = |report: &Value| severity_of(report, "Timestamp");
    let believed = verified(&bundle, &["--tsa-anchor", anchor.to_str().unwrap()]);
    assert_eq!(
        (severity(&believed).as_str(), &believed["holds"]),
        ("Ok", &Value::from(true))
    );
    let at = stamped["at"].as_str().unwrap();
    assert!(
        believed["facts"].to_string().contains(at),
        "{at}: {believed}"
    );
    assert_eq!(
        severity(&verified(&bundle, &[])),
        "Warning",
        "only its own word"
    );
    let other = folder.join("other.pem");
    write_file(&other, &Authority::new(Key::ALL[1]).anchor());
    let doubted = verified(&bundle, &["--tsa-anchor", other.to_str().unwrap()]);
    assert_eq!(
        (severity(&doubted).as_str(), &doubted["holds"]),
        ("Broken", &Value::from(false))
    );
}
