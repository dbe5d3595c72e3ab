//! Backups and restores on an ugly day, with the built program.

use crate::support::{
    LINE, Server, binary, endless_call, pause, voicelog, voicelog_json, write_config, write_file,
};
use rusqlite::Connection;
use serde_json::Value;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;
use voicelog_src_sim::{CallPlan, place};

/// An archive with one recording.
fn archive(folder: &Path) -> PathBuf {
    let config = write_config(folder, "");
    let mut server = Server::start(&config);
    let mut plan = CallPlan::speech(server.sip, LINE);
    plan.duration = Some(Duration::from_secs(1));
    place(&plan).unwrap().finish().unwrap();
    server.wait_for_closed(1);
    assert!(server.terminate().success());
    config
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A backup, with its secrets in a file.
fn back_up(config: &Path, to: &Path, file: &Path) -> Output {
    voicelog(&[
        "backup",
        "create",
        text(to),
        "--with-secrets",
        text(file),
        "--json",
        "--config",
        text(config),
    ])
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The keys of backups that the machine itself has.
fn keys_here(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder.join("data/secrets")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut keys: Vec<_> = names
        .filter(|name| name.starts_with("backup-key-"))
        .collect();
    keys.sort();
    keys
}

fn packed(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_key_of_backups_is_in_the_file_of_secrets_before_it_is_anywhere_else() {
    let root = tempfile::tempdir().unwrap();
    let config = archive(root.path());
    let (to, file) = (root.path().join("backup"), root.path().join("secrets"));
    let create = |to: &Path, file: &Path| back_up(&config, to, file);
    let nowhere = root.path().join("nowhere/secrets");
    assert_eq!(create(&to, &nowhere).status.code(), Some(1));
    assert_eq!(
        keys_here(root.path()),
        [""; 0],
        "what nobody else has is not kept"
    );

    let occupied = root.path().join("occupied");
    std::fs::create_dir(&occupied).unwrap();
    write_file(&occupied.join("holiday.txt"), "x");
    assert_eq!(create(&occupied, &file).status.code(), Some(2));
    // What is refused changes no key, and writes nothing.
    assert_eq!(keys_here(root.path()), [""; 0]);
    assert!(!file.exists());

    assert!(create(&to, &file).status.success());
    assert_eq!(keys_here(root.path()), ["backup-key-0001"]);
    assert!(packed(&file)["files"]["backup-key-0001"].is_string());
    let verify = |file: &Path| {
        voicelog(&[
            "backup",
            "verify",
            text(&to),
            "--secrets",
            text(file),
            "--json",
        ])
    };
    let told: Value = serde_json::from_slice(&verify(&file).stdout).unwrap();
    assert_eq!(
        (&told["opened"], &told["wrong"]),
        (&true.into(), &Value::Array(vec![]))
    );

    // After a change of the key the former file opens nothing, and is not helped by what lies here.
    let former = root.path().join("former");
    std::fs::copy(&file, &former).unwrap();
    let second = create(&to, &file);
    assert!(second.status.success(), "{}", errors(&second));
    let newest = keys_here(root.path());
    assert_eq!(newest.len(), 1, "the former is gone");
    assert!(packed(&file)["files"][&newest[0]].is_string());
    assert!(verify(&file).status.success());
    let refused = verify(&former);
    assert_eq!(refused.status.code(), Some(1));
    let told: Value = serde_json::from_slice(&refused.stdout).unwrap();
    let wrong = told["wrong"][0].as_str().unwrap();
    assert!(wrong.contains("these secrets do not open it"), "{wrong}");

    // Nor does one whose keys are another archive's.
    let swapped = std::fs::read_to_string(&file).unwrap();
    let own = packed(&file)["files"]["master-key"].clone();
    write_file(
        &former,
        &swapped.replace(own.as_str().unwrap(), &"ab".repeat(32)),
    );
    let told: Value = serde_json::from_slice(&verify(&former).stdout).unwrap();
    let wrong = told["wrong"][0].as_str().unwrap();
    assert!(wrong.contains("the key `epoch-0001`"), "{wrong}");
}

#[test]
fn a_restore_that_would_fork_the_log_or_lacks_a_secret_says_what_that_means_and_writes_nothing() {
    let root = tempfile::tempdir().unwrap();
    let config = archive(root.path());
    let (to, file) = (root.path().join("backup"), root.path().join("secrets"));
    let created = back_up(&config, &to, &file);
    assert!(created.status.success(), "{}", errors(&created));
    let into = root.path().join("again");
    let restore = |more: &[&str]| {
        let mut all = vec![
            "restore",
            text(&into),
            "--from",
            text(&to),
            "--secrets",
            text(&file),
            "--json",
        ];
        all.extend_from_slice(more);
        voicelog(&all)
    };
    let refused = restore(&["--lang", "en"]);
    assert_eq!(refused.status.code(), Some(2));
    let why = errors(&refused);
    for word in [
        "would come back",
        "--destroyed",
        "--checkpoint",
        "--as-of-backup",
    ] {
        assert!(why.contains(word), "{why}");
    }
    let why = errors(&restore(&["--lang", "nl"]));
    assert!(why.contains("zou terugkomen"), "{why}");
    assert!(!into.exists());

    let whole = std::fs::read_to_string(&file).unwrap();
    write_file(&file, &whole.replace("decision-key", "another-key"));
    let refused = restore(&["--as-of-backup"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        errors(&refused).contains("lacks decision-key"),
        "{}",
        errors(&refused)
    );
    assert!(!into.exists());
    write_file(&file, &whole);

    // An empty folder is as good as none.
    std::fs::create_dir(&into).unwrap();
    let made = restore(&["--as-of-backup"]);
    assert!(made.status.success(), "{}", errors(&made));
    let told: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(
        (&told["damaged"], &told["holds"]),
        (&Value::Array(vec![]), &0.into())
    );
    let checked = voicelog_json(&["check", "--level", "hash", "--json", "--data", text(&into)]);
    assert_eq!(checked["holds"], true, "{checked:#}");
    for (lang, what) in [
        ("nl", "wordt teruggezet in een lege map"),
        ("en", "is restored into an empty folder"),
    ] {
        let refused = restore(&["--as-of-backup", "--lang", lang]);
        assert_eq!(refused.status.code(), Some(2));
        assert!(errors(&refused).contains(what), "{}", errors(&refused));
    }
}

#[test]
fn an_archive_that_was_restored_stays_also_when_nobody_can_be_told_of_it() {
    let root = tempfile::tempdir().unwrap();
    let config = archive(root.path());
    let (to, file) = (root.path().join("backup"), root.path().join("secrets"));
    let created = back_up(&config, &to, &file);
    assert!(created.status.success());
    let into = root.path().join("again");
    let full = File::options().write(true).open("/dev/full").unwrap();
    let told = Command::new(binary())
        .args(["restore", text(&into), "--from", text(&to)])
        .args(["--secrets", text(&file), "--as-of-backup", "--json"])
        .stdout(full)
        .status()
        .unwrap();
    assert!(told.success(), "the command goes on");
    let checked = voicelog_json(&["check", "--level", "hash", "--json", "--data", text(&into)]);
    assert_eq!(checked["holds"], true, "{checked:#}");
}

#[test]
fn a_restore_of_a_damaged_backup_names_what_did_not_come_back_and_the_check_does_too() {
    let root = tempfile::tempdir().unwrap();
    let config = archive(root.path());
    let (to, file) = (root.path().join("backup"), root.path().join("secrets"));
    let created = back_up(&config, &to, &file);
    assert!(created.status.success());
    let recording = std::fs::read_dir(to.join("objects/rec")).unwrap().next();
    let object = recording.unwrap().unwrap().path().join("000001.seg");
    let mut bytes = std::fs::read(&object).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::remove_file(&object).unwrap();
    write_bytes(&object, &bytes);
    let into = root.path().join("again");
    let restored = voicelog(&[
        "restore",
        text(&into),
        "--from",
        text(&to),
        "--secrets",
        text(&file),
        "--as-of-backup",
        "--json",
    ]);
    assert_eq!(restored.status.code(), Some(1), "{}", errors(&restored));
    let told: Value = serde_json::from_slice(&restored.stdout).unwrap();
    assert!(
        told["damaged"][0].as_str().unwrap().contains("000001.seg"),
        "{told:#}"
    );
    let checked = voicelog(&["check", "--json", "--data", text(&into)]);
    assert_eq!(checked.status.code(), Some(1));
}

#[test]
fn a_backup_after_a_power_cut_has_what_lies_in_the_spool_alone() {
    let root = tempfile::tempdir().unwrap();
    let config = write_config(root.path(), "");
    let mut server = Server::start(&config);
    let call = place(&endless_call(server.sip)).unwrap();
    pause(Duration::from_secs(3));
    server.kill();
    drop(call);
    let recording = std::fs::read_dir(root.path().join("data/blobs/objects/rec")).unwrap();
    let object = recording
        .map(Result::unwrap)
        .next()
        .unwrap()
        .path()
        .join("000001.seg");
    let before = std::fs::metadata(&object).unwrap().len();
    // What a power cut does: the spool was synced, the object was not.
    let cut = std::fs::OpenOptions::new()
        .write(true)
        .open(&object)
        .unwrap();
    cut.set_len(10).unwrap();
    drop(cut);
    let to = root.path().join("backup");
    let created = voicelog_json(&[
        "backup",
        "create",
        text(&to),
        "--json",
        "--config",
        text(&config),
    ]);
    let own = created["backup"]["backup"].as_str().unwrap();
    let copied = to.join(own).join("objects/rec");
    let copied = std::fs::read_dir(copied)
        .unwrap()
        .map(Result::unwrap)
        .next()
        .unwrap();
    let after = std::fs::metadata(copied.path().join("000001.seg"))
        .unwrap()
        .len();
    assert!(
        before > 10_000 && after > before / 2,
        "{before} and then {after}"
    );
}

#[test]
fn by_a_clock_that_jumped_nothing_is_destroyed_until_somebody_says_that_it_is_right() {
    let root = tempfile::tempdir().unwrap();
    let config = archive(root.path());
    let index = Connection::open(root.path().join("data/index.db")).unwrap();
    // The term is over, and the clock was seen last five years ago.
    let over = "UPDATE recordings SET retain_until = started_at + 1";
    assert_eq!(index.execute(over, []).unwrap(), 1);
    let seen = "UPDATE settings SET value = ?1 WHERE name = 'clock/seen'";
    let changed = index
        .execute(seen, [b"2021-01-01T00:00:00.000000Z"])
        .unwrap();
    assert_eq!(changed, 1, "the server noted when it saw the clock");
    let id: Vec<u8> = index
        .query_row("SELECT id FROM recordings", [], |row| row.get(0))
        .unwrap();
    drop(index);
    let id = voicelog_model::RecordingId::from_bytes(id.try_into().unwrap()).to_string();
    let run = |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.extend_from_slice(&["--json", "--config", text(&config)]);
        voicelog(&all)
    };
    for act in [&["retention", "run"][..], &["destroy", &id, "--yes"]] {
        let refused = run(act);
        assert_eq!(refused.status.code(), Some(1), "{act:?}");
        let why = errors(&refused);
        assert!(why.contains("it jumped"), "{why}");
    }
    let mut server = Server::start(&config);
    pause(Duration::from_secs(1));
    let health = server.health();
    let alarms = health["alarms"].as_array().unwrap();
    assert!(
        alarms.iter().any(|alarm| alarm["alarm"] == "clock_jumped"),
        "{health:#}"
    );
    assert!(server.terminate().success());

    let confirmed = run(&["retention", "confirm-clock"]);
    assert!(confirmed.status.success(), "{}", errors(&confirmed));
    let told: Value = serde_json::from_slice(&confirmed.stdout).unwrap();
    assert_eq!(told["seen_before"], "2021-01-01T00:00:00.000000Z");
    let swept = run(&["retention", "run"]);
    assert!(swept.status.code() != Some(1), "{}", errors(&swept));
    let told: Value = serde_json::from_slice(&swept.stdout).unwrap();
    assert_eq!(told[0]["id"], id.as_str(), "the law was asked: {told:#}");
}

#[test]
fn by_a_clock_behind_the_log_no_command_writes_in_it_and_those_that_read_go_on() {
    let root = tempfile::tempdir().unwrap();
    let config = archive(root.path());
    let index = Connection::open(root.path().join("data/index.db")).unwrap();
    let seen = "UPDATE settings SET value = ?1 WHERE name = 'clock/seen'";
    let ahead = [b"2099-01-01T00:00:00.000000Z"];
    assert_eq!(index.execute(seen, ahead).unwrap(), 1);
    drop(index);
    let run = |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.extend_from_slice(&["--json", "--config", text(&config)]);
        voicelog(&all)
    };
    let listed: Value = serde_json::from_slice(&run(&["list"]).stdout).unwrap();
    let id = listed[0]["id"].as_str().unwrap();
    let entries = || {
        let checked = run(&["check", "--level", "hash"]);
        assert!(checked.status.success(), "{}", errors(&checked));
        let told: Value = serde_json::from_slice(&checked.stdout).unwrap();
        told["leaves"].as_u64().unwrap()
    };
    let before = entries();
    let (sound, copy) = (root.path().join("a.wav"), root.path().join("a.zip"));
    let hold = ["hold", id, "--ground", "claim", "--owner", "mr X"];
    let play = ["play", id, "--reason", "complaint 12", "-o", text(&sound)];
    let export = ["export", id, "--for", "court", "-o", text(&copy)];
    for act in [
        &[&hold[..], &["--review", "2099-03-01"]].concat()[..],
        &play,
        &export,
        &["keys", "rotate"],
        &["destroy", id, "--yes"],
        &["retention", "run"],
    ] {
        let refused = run(act);
        assert_eq!(refused.status.code(), Some(1), "{act:?}");
        let why = errors(&refused);
        assert!(why.contains("one of the two is wrong"), "{act:?}: {why}");
        assert!(why.contains("confirm-clock"), "{act:?}: {why}");
    }
    assert_eq!(entries(), before);
    assert!(run(&["retention", "confirm-clock"]).status.success());
    assert!(run(&export).status.success());
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test's own file need not survive a power cut"
)]
fn write_bytes(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_folder_without_a_backup_is_said_to_be_one_and_nothing_is_written_where_one_is_gone() {
    let root = tempfile::tempdir().unwrap();
    let config = archive(root.path());
    let (to, file) = (root.path().join("backup"), root.path().join("secrets"));
    assert!(back_up(&config, &to, &file).status.success());
    // As where a disk is not mounted: its mount point is there, and empty.
    std::fs::rename(&to, root.path().join("elsewhere")).unwrap();
    std::fs::create_dir(&to).unwrap();
    let verified = voicelog(&["backup", "verify", text(&to), "--secrets", text(&file)]);
    assert_eq!(verified.status.code(), Some(2));
    let why = errors(&verified);
    assert!(why.contains("this folder holds no backup"), "{why}");
    let again = |more: &[&str]| {
        let mut all = vec!["backup", "create", text(&to), "--config", text(&config)];
        all.extend_from_slice(more);
        voicelog(&all)
    };
    let refused = again(&[]);
    assert_eq!(refused.status.code(), Some(2));
    let why = errors(&refused);
    assert!(why.contains("mounted") && why.contains("--anew"), "{why}");
    assert_eq!(std::fs::read_dir(&to).unwrap().count(), 0);
    let made = again(&["--anew"]);
    assert!(made.status.success(), "{}", errors(&made));
    let told = String::from_utf8_lossy(&made.stdout).into_owned();
    assert!(
        told.contains("1 file of recordings,") || told.contains("1 bestand met opnamen,"),
        "{told}"
    );
}
