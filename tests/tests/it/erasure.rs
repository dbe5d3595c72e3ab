//! What was destroyed is nowhere: not in the folder, the index, its journal, the backups, the temporary
//! files or the log of the server, and no key that is left opens it. The same scan finds it before.

use crate::support::{LINE, Server, binary, pause, write_config};
use rusqlite::Connection;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use voicelog_archive::keys::{MasterKey, open_epochs};
use voicelog_evidence::Digest;
use voicelog_evidence::key::{open_bytes, unwrap_key};
use voicelog_model::RecordingId;
use voicelog_model::Timestamp;
use voicelog_src_sim::{CallPlan, Participant, Payload, StreamPlan, place};
use voicelog_store::FileKeys;

const NAME: &str = "Kanarie-van-der-Naam";
const NUMBER: &str = "+31209988776";
const OWNER: &str = "Kanarie-van-der-Stop";
const NOTE: &str = "kanarie-dossier-4711";
const REASON: &str = "kanarie-reden-0815";
const WHY: &str = "kanarie-schikking-1138";
const SPOKEN: &[u8] = b"<<the canary was spoken in this call and nowhere else at all>>>>";

/// A call with canaries in everything that names or says something.
fn canary_call(server: &Server) -> CallPlan {
    let mut plan = CallPlan::speech(server.sip, LINE);
    plan.participants = vec![
        Participant::new("sip:2001@voorbeeld.example", NAME),
        Participant::new(&format!("tel:{NUMBER}"), NAME),
    ];
    let spoken = Payload::Samples {
        samples: Cow::Borrowed(SPOKEN),
        looping: true,
    };
    plan.streams = vec![
        StreamPlan::new("1", spoken.clone()),
        StreamPlan::new("2", spoken),
    ];
    plan.duration = Some(Duration::from_secs(2));
    plan
}

/// Marks to look for, by what they are of.
type Marks = BTreeMap<String, Vec<u8>>;

fn words() -> Marks {
    let mut marks: Marks = [NAME, NUMBER, OWNER, NOTE, REASON, WHY]
        .iter()
        .map(|text| (format!("the text {text}"), text.as_bytes().to_vec()))
        .collect();
    marks.insert("what was spoken".to_owned(), SPOKEN.to_vec());
    marks
}

/// A piece from the middle of something sealed, long enough to be nothing else.
fn middle(bytes: &[u8]) -> Vec<u8> {
    let at = bytes.len() / 2;
    bytes[at.saturating_sub(12)..(at + 12).min(bytes.len())].to_vec()
}

/// What lies of one recording in the folder: its wrapped key, its segments, its manifest, and the columns
/// that are sealed: details, facts of decisions, holds.
fn sealed(data: &Path, id: &str) -> Marks {
    let mut marks = Marks::new();
    let key = std::fs::read(data.join(format!("keys/{id}.key"))).unwrap();
    marks.insert("the wrapped key".to_owned(), middle(&key));
    for entry in std::fs::read_dir(data.join(format!("blobs/objects/rec/{id}"))).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        marks.insert(format!("segment {}", path.display()), middle(&bytes));
        // Manifest and timeline are no ciphertext, and much of them is alike in every call.
        let sha256 = Digest::of(&bytes).to_hex().into_bytes();
        marks.insert(
            format!("the hash of {}, in its manifest", path.display()),
            sha256,
        );
    }
    let index = Connection::open(data.join("index.db")).unwrap();
    let mut statement = index
        .prepare(
            "SELECT bytes FROM erasable WHERE length(bytes) > 64 AND seq IN (
                 SELECT sealed FROM recordings WHERE hex(id) = ?1
                 UNION SELECT facts FROM decisions WHERE hex(recording) = ?1
                 UNION SELECT sealed FROM holds WHERE hex(recording) = ?1
                 UNION SELECT release FROM holds WHERE hex(recording) = ?1)",
        )
        .unwrap();
    let hex = id.replace('-', "").to_uppercase();
    let rows = statement
        .query_map([&hex], |row| row.get::<_, Vec<u8>>(0))
        .unwrap();
    for (number, bytes) in rows.enumerate() {
        marks.insert(format!("sealed column {number}"), middle(&bytes.unwrap()));
    }
    let mut statement = index
        .prepare("SELECT key FROM copy_links WHERE hex(recording) = ?1")
        .unwrap();
    let rows = statement.query_map([&hex], |row| row.get::<_, Vec<u8>>(0));
    for key in rows.unwrap() {
        marks.insert("a link to a copy".to_owned(), key.unwrap());
    }
    marks
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.append(&mut files_of(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// Every mark that some file in these places holds.
fn scan(places: &[&Path], marks: &Marks) -> Vec<String> {
    let mut found = Vec::new();
    for file in places.iter().flat_map(|place| files_of(place)) {
        let bytes = std::fs::read(&file).unwrap();
        for (what, mark) in marks {
            if contains(&bytes, mark) {
                found.push(format!("{what} in {}", file.display()));
            }
        }
    }
    found
}

fn contains(bytes: &[u8], mark: &[u8]) -> bool {
    bytes.windows(mark.len()).any(|window| window == mark)
}

/// What the archive's own secrets open of a recording's details, in whatever row they lie.
fn opened(data: &Path, id: &str) -> Vec<u8> {
    let secret = std::fs::read(data.join("secrets/master-key")).unwrap();
    let master = MasterKey::from_random(secret.try_into().unwrap());
    let keys = FileKeys::open(&data.join("keys")).unwrap();
    let keys = open_epochs(&keys, &master).unwrap();
    let recording: RecordingId = id.parse().unwrap();
    let Ok(wrapped) = std::fs::read(data.join(format!("keys/{id}.key"))) else {
        return Vec::new();
    };
    let data_key = unwrap_key(&keys, recording, &wrapped).unwrap();
    let index = Connection::open(data.join("index.db")).unwrap();
    let mut statement = index.prepare("SELECT bytes FROM erasable").unwrap();
    let rows = statement
        .query_map([], |row| row.get::<_, Vec<u8>>(0))
        .unwrap();
    rows.filter_map(|bytes| {
        open_bytes(&data_key, "recording details", recording, &bytes.unwrap()).ok()
    })
    .flatten()
    .collect()
}

/// The program on this archive, with a temporary folder of its own.
struct Site<'a> {
    data: &'a Path,
    config: &'a str,
    temporary: &'a Path,
}

impl Site<'_> {
    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(binary())
            .args(arguments)
            .args(["--config", self.config])
            .env("TMPDIR", self.temporary)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn must(&self, arguments: &[&str]) -> Output {
        let output = self.run(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        output
    }

    /// What the program can still tell of a recording, and what the archive's secrets open.
    fn tells(&self, id: &str) -> Vec<u8> {
        let bundle = self.temporary.join("copy.zip");
        let to = bundle.to_str().unwrap();
        let mut all = opened(self.data, id);
        for arguments in [
            vec!["show", id, "--json"],
            vec!["holds", "--json"],
            vec!["export", id, "-o", to, "--for", "court"],
        ] {
            let output = self.run(&arguments);
            all.extend_from_slice(&output.stdout);
            all.extend_from_slice(&output.stderr);
        }
        if bundle.exists() {
            all.append(&mut std::fs::read(&bundle).unwrap());
            std::fs::remove_file(&bundle).unwrap();
        }
        all
    }
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn record(server: &Server, count: usize) -> String {
    let call = place(&canary_call(server)).unwrap();
    call.finish().unwrap();
    let rows = server.wait_for_closed(count);
    assert_eq!(rows[0]["state"], "sealed", "{}", rows[0]);
    rows[0]["id"].as_str().unwrap().to_owned()
}

/// The folders of the test.
struct Places {
    data: PathBuf,
    backup: PathBuf,
    temporary: PathBuf,
    logs: PathBuf,
}

impl Places {
    fn new(root: &Path) -> Self {
        let at = |name: &str| root.join(name);
        for name in ["tmp", "logs"] {
            std::fs::create_dir(at(name)).unwrap();
        }
        Self {
            data: at("data"),
            backup: at("backup"),
            temporary: at("tmp"),
            logs: at("logs"),
        }
    }

    fn scan(&self, marks: &Marks) -> Vec<String> {
        scan(
            &[&self.data, &self.backup, &self.temporary, &self.logs],
            marks,
        )
    }
}

#[test]
fn after_an_erasure_nothing_of_the_recording_is_left_and_no_backup_brings_it_back() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    let places = Places::new(root.path());
    let config = write_config(root.path(), "");
    let mut server = Server::start_logged(&config, &places.logs.join("first"));
    let (gone, kept) = (record(&server, 1), record(&server, 2));
    let site = Site {
        data: &places.data,
        config: config.to_str().unwrap(),
        temporary: &places.temporary,
    };
    let held = worked_with(&site, &gone);
    let (to, secrets) = (places.backup.to_str().unwrap(), at("secrets-1"));
    site.must(&[
        "backup",
        "create",
        to,
        "--with-secrets",
        secrets.to_str().unwrap(),
    ]);
    copy(&places.backup, &at("tape"));
    let marks = found_before(&site, &places, &gone);

    // Held: neither the program nor the server destroys it.
    assert!(server.terminate().success());
    let refused = site.run(&["destroy", &gone, "--yes", "--json"]);
    assert_eq!(refused.status.code(), Some(3), "refused");
    assert_eq!(json(&refused)["holds"][0]["hold"], held);
    site.must(&["release", &gone, "--reason", WHY, "--json"]);
    site.must(&["destroy", &gone, "--yes", "--json"]);

    let (list, newest) = (at("destroyed"), at("secrets-2"));
    site.must(&["backup", "destroyed", "-o", list.to_str().unwrap()]);
    site.must(&[
        "backup",
        "create",
        to,
        "--with-secrets",
        newest.to_str().unwrap(),
    ]);
    let mut server = Server::start_logged(&config, &places.logs.join("second"));
    pause(Duration::from_secs(1));
    let all: Marks = marks.into_iter().chain(words()).collect();
    assert_eq!(places.scan(&all), [""; 0]);
    let told = site.tells(&gone);
    for (what, mark) in words() {
        assert!(!contains(&told, &mark), "{what} is still told");
    }
    assert!(
        contains(&site.tells(&kept), SPOKEN),
        "the other call is still there"
    );
    assert!(server.terminate().success());

    restored_from_the_tape(&site, root.path(), &all, (&gone, &kept), &list);
    the_tape_is_dead(&site, root.path(), &newest);
}

/// Holds it and listens to it, with canaries for who and why. Gives the hold.
fn worked_with(site: &Site<'_>, id: &str) -> Value {
    let shown = json(&site.must(&["show", id, "--json"]));
    let began: Timestamp = shown["recording"]["started_at"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let review = began.plus_micros(40 * 86_400 * 1_000_000);
    let review = review.to_string();
    let hold = [
        "hold", id, "--ground", "claim", "--owner", OWNER, "--note", NOTE, "--review", &review,
        "--json",
    ];
    let held = json(&site.must(&hold));
    give_link(site.data, id);
    let wav = site.temporary.join("a.wav");
    site.must(&["play", id, "-o", wav.to_str().unwrap(), "--reason", REASON]);
    std::fs::remove_file(&wav).unwrap();
    held["hold"].clone()
}

/// A link to a copy, as a guest of a talk has one.
fn give_link(data: &Path, id: &str) {
    let index = Connection::open(data.join("index.db")).unwrap();
    let recording: RecordingId = id.parse().unwrap();
    let key = *Digest::of(id.as_bytes())
        .0
        .as_slice()
        .first_chunk::<32>()
        .unwrap();
    let row = "INSERT INTO copy_links VALUES (?1, ?2, 'p2', NULL, NULL, ?3, 10)";
    let values = (key, recording.as_bytes(), i64::MAX);
    index.execute(row, values).unwrap();
}

/// The scan can find: the sealed bytes in the files, and the canaries in what the program tells.
fn found_before(site: &Site<'_>, places: &Places, id: &str) -> Marks {
    let marks = sealed(site.data, id);
    assert!(marks.len() >= 7, "{marks:?}");
    let before = places.scan(&marks);
    for what in marks.keys() {
        let is_found = before.iter().any(|found| found.starts_with(what.as_str()));
        assert!(is_found, "{what} is not found");
    }
    assert_eq!(
        places.scan(&words()),
        [""; 0],
        "nothing lies there in the clear at any time"
    );
    let told = site.tells(id);
    for (what, mark) in words() {
        // Why the hold ended is not said yet.
        assert_eq!(contains(&told, &mark), !what.contains(WHY), "{what}");
    }
    marks
}

/// With the secrets of now the copy from before does not open at all.
fn the_tape_is_dead(site: &Site<'_>, root: &Path, secrets: &Path) {
    let (into, tape) = (root.join("never"), root.join("tape"));
    let refused = site.run(&[
        "restore",
        into.to_str().unwrap(),
        "--from",
        tape.to_str().unwrap(),
        "--secrets",
        secrets.to_str().unwrap(),
        "--as-of-backup",
    ]);
    assert_eq!(refused.status.code(), Some(2));
    let errors = String::from_utf8_lossy(&refused.stderr);
    assert!(
        errors.contains("key 1") && errors.contains("key 2"),
        "{errors}"
    );
    assert!(!into.join("index.db").exists() && !into.join("keys").exists());
}

/// The copy of the backup from before, with the secrets from before: what was destroyed since is on
/// the list, and does not come back.
fn restored_from_the_tape(
    site: &Site<'_>,
    root: &Path,
    marks: &Marks,
    (gone, kept): (&str, &str),
    list: &Path,
) {
    let into = root.join("again");
    let (folder, list) = (into.to_str().unwrap(), list.to_str().unwrap());
    let (tape, secrets) = (root.join("tape"), root.join("secrets-1"));
    let restore = [
        "restore",
        folder,
        "--from",
        tape.to_str().unwrap(),
        "--secrets",
        secrets.to_str().unwrap(),
        "--destroyed",
        list,
        "--json",
    ];
    let told = json(&site.must(&restore));
    assert_eq!(told["tombstones"], 1, "{told:#}");
    assert!(told["log_caught_up"].as_u64().unwrap() > 0);
    assert_eq!(told["log_lost"], 0);
    assert_eq!(scan(&[&into], marks), [""; 0]);
    let shown = json(&site.must(&["show", gone, "--json", "--data", folder]));
    assert_eq!(shown["recording"]["state"], "destroyed");
    assert!(
        shown["certificate"]
            .as_str()
            .unwrap()
            .contains("voicelog-destruction/v1")
    );
    let checked = json(&site.must(&["check", "--level", "hash", "--json", "--data", folder]));
    assert_eq!(checked["holds"], true, "{checked:#}");
    let wav = root.join("kept.wav");
    site.must(&[
        "play",
        kept,
        "-o",
        wav.to_str().unwrap(),
        "--reason",
        "looking",
        "--data",
        folder,
    ]);
    assert!(wav.metadata().unwrap().len() > 10_000);
    // Not over an archive that is there, and it says which is the older.
    let again = site.run(&restore);
    assert_eq!(again.status.code(), Some(2));
    let errors = String::from_utf8_lossy(&again.stderr);
    assert!(errors.contains("en is dus ouder"), "{errors}");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}
