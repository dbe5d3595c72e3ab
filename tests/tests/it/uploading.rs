//! Files that are sent to the real program, piece by piece: the line is lost, the program is killed, somebody gives up; and what
//! is left of it.

use crate::support::{Server, now, pause, voicelog, voicelog_json, write_config};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::io::Write as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;
use voicelog_evidence::Digest;

const CANARY: &[u8] = b"<<the canary is in this file and in no other at all>>";
const NAME: &str = "kanarie-van-de-bestandsnaam.wav";

fn origin() -> Value {
    json!({
        "recorder_type": "company", "counterpart_types": ["private_person"], "participation": "participant",
        "openness": "announced", "purpose": "bewijs_overeenkomst", "legal_basis": "b", "structural": "all",
        "staff_informed": "each_call_signal", "or_status": "consented", "dpia": "done", "private_use_possible": true,
        "retention_term": "P5Y", "channel": "phone", "line_subscriber": "recorder", "countries": ["NL"],
        "origin_of_import": "participant", "recorded_at": "2026-11-20T10:00:00Z",
    })
}

/// A program that sends files to a server.
struct Sender<'s> {
    server: &'s Server,
    agent: ureq::Agent,
}

impl<'s> Sender<'s> {
    fn new(server: &'s Server) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        Self {
            server,
            agent: config.build().into(),
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.http)
    }

    /// Where a file is to be sent, or the answer of who refuses.
    fn begin(&self, facts: &Value, length: usize) -> Result<String, Value> {
        let encoded = |text: &str| STANDARD.encode(text);
        let metadata = format!(
            "filename {},facts {},asked_by {}",
            encoded(NAME),
            encoded(&facts.to_string()),
            encoded("agent 2001")
        );
        let post = self.agent.post(self.url("/v1/imports"));
        let post = post
            .header("Authorization", self.server.bearer())
            .header("Tus-Resumable", "1.0.0")
            .header("Upload-Length", length.to_string())
            .header("Upload-Metadata", metadata);
        let mut answer = post.send_empty().unwrap();
        match answer.headers().get("location") {
            Some(at) => Ok(at.to_str().unwrap().to_owned()),
            None => Err(answer.body_mut().read_json().unwrap()),
        }
    }

    /// How many bytes are there; nothing where there is no such upload.
    fn offset(&self, at: &str) -> Option<usize> {
        let head = self.agent.head(self.url(at));
        let head = head
            .header("Authorization", self.server.bearer())
            .header("Tus-Resumable", "1.0.0");
        let answer = head.call().unwrap();
        let offset = answer.headers().get("upload-offset")?;
        Some(offset.to_str().unwrap().parse().unwrap())
    }

    fn send(&self, at: &str, offset: usize, bytes: &[u8]) -> u16 {
        let patch = self.agent.patch(self.url(at));
        let patch = patch
            .header("Authorization", self.server.bearer())
            .header("Tus-Resumable", "1.0.0")
            .header("Upload-Offset", offset.to_string())
            .header("Content-Type", "application/offset+octet-stream");
        patch.send(bytes).unwrap().status().as_u16()
    }

    /// Promises all of the bytes, sends some of them, and is gone.
    fn cut_off(&self, at: &str, bytes: &[u8], sent: usize) {
        let host = self.server.http.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        let head = format!(
            "PATCH {at} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n\
             Content-Type: application/offset+octet-stream\r\nContent-Length: {}\r\n\r\n",
            self.server.bearer(),
            bytes.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&bytes[..sent]).unwrap();
    }

    /// How many bytes came, once any did and nobody is busy with them.
    fn came(&self, at: &str) -> usize {
        let until = now() + Duration::from_secs(30);
        loop {
            let there = self.offset(at).unwrap();
            if there > 0 && self.send(at, there, b"") == 204 {
                return there;
            }
            assert!(now() < until, "nothing came");
            pause(Duration::from_millis(50));
        }
    }

    fn end(&self, at: &str) -> Value {
        let until = now() + Duration::from_secs(30);
        loop {
            let get = self.agent.get(self.url(at));
            let get = get.header("Authorization", self.server.bearer());
            let told: Value = get.call().unwrap().body_mut().read_json().unwrap();
            if told["state"] != "working" {
                return told;
            }
            assert!(now() < until, "{told}");
            pause(Duration::from_millis(50));
        }
    }

    fn cancel(&self, at: &str) -> u16 {
        let delete = self.agent.delete(self.url(at));
        let delete = delete
            .header("Authorization", self.server.bearer())
            .header("Tus-Resumable", "1.0.0");
        delete.call().unwrap().status().as_u16()
    }
}

fn ffmpeg(folder: &TempDir, args: &[&str], name: &str) -> Vec<u8> {
    let before = ["-v", "error", "-f", "lavfi", "-i"];
    let made = Command::new("ffmpeg")
        .args(before)
        .args(args)
        .arg(name)
        .current_dir(folder.path())
        .output();
    let made = made.expect("ffmpeg; `cargo xtask test` installs it");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    std::fs::read(folder.path().join(name)).unwrap()
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.append(&mut files_of(&path)),
            false => found.push(path),
        }
    }
    found
}

#[test]
fn a_file_of_which_the_line_was_lost_goes_on_and_comes_back_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let noise = "anoisesrc=duration=40:sample_rate=16000:amplitude=0.4";
    let bytes = ffmpeg(&folder, &[noise, "-c:a", "pcm_s16le"], "noise.wav");
    assert!(bytes.len() > 1_200_000);
    let config = write_config(folder.path(), "");
    let mut server = Server::start(&config);
    let sender = Sender::new(&server);
    let at = sender.begin(&origin(), bytes.len()).unwrap();
    sender.cut_off(&at, &bytes, 1_100_000);
    let there = sender.came(&at);
    assert!(there <= 1_100_000, "{there}");
    assert_eq!(sender.send(&at, there - 1, &bytes[(there - 1)..]), 409);
    assert_eq!(sender.send(&at, there, &bytes[there..]), 204);
    let end = sender.end(&at);
    assert_eq!(end["state"], "imported", "{end}");
    assert_eq!(end["import"]["verdict"], "whole");
    let id = end["recording"].as_str().unwrap().to_owned();
    assert!(files_of(&folder.path().join("data/uploads")).is_empty());
    assert!(server.terminate().success());

    let config = config.to_str().unwrap();
    let given = folder.path().join("given.wav");
    let args = ["export", &id, "--for", "data_subject", "--original", "-o"];
    let args = [&args[..], &[given.to_str().unwrap(), "--config", config]].concat();
    let output = voicelog(&args);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(std::fs::read(&given).unwrap() == bytes, "byte for byte");
    let list = voicelog_json(&["list", "--json", "--config", config]);
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert!(
        voicelog(&["check", "--level", "hash", "--config", config])
            .status
            .success()
    );
}

/// What must be nowhere: what was said in the file, its name, and its hash in either form.
fn marks(bytes: &[u8]) -> Vec<Vec<u8>> {
    let hash = Digest::of(bytes);
    vec![
        CANARY[..24].to_vec(),
        NAME.as_bytes().to_vec(),
        hash.0.to_vec(),
        hash.to_hex().into_bytes(),
    ]
}

fn is_nowhere(places: &[&Path], marks: &[Vec<u8>], when: &str) {
    for path in places.iter().flat_map(|place| files_of(place)) {
        let bytes = std::fs::read(&path).unwrap();
        for mark in marks {
            let found = bytes.windows(mark.len()).any(|window| window == mark);
            assert!(
                !found,
                "{when}: {:?} in {}",
                String::from_utf8_lossy(mark),
                path.display()
            );
        }
    }
}

#[test]
fn of_a_file_that_was_refused_given_up_or_cut_off_by_a_crash_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = ffmpeg(&folder, &["sine=frequency=300:duration=30"], "tone.wav");
    for at in (100_000..bytes.len() - 1_000).step_by(50_000) {
        bytes[at..(at + CANARY.len())].copy_from_slice(CANARY);
    }
    let marks = marks(&bytes);
    let (data, logs) = (folder.path().join("data"), folder.path().join("logs"));
    std::fs::create_dir(&logs).unwrap();
    let places = [data.as_path(), logs.as_path()];
    let config = write_config(folder.path(), "");
    let mut server = Server::start_logged(&config, &logs.join("first"));
    let sender = Sender::new(&server);

    let mut unknown = origin();
    unknown["origin_of_import"] = json!("suspected_unlawful");
    let refused = sender.begin(&unknown, bytes.len()).unwrap_err();
    assert!(
        refused["decision"]["reasons"]
            .to_string()
            .contains("Sr 139")
    );
    is_nowhere(&places, &marks, "refused before");

    let at = sender.begin(&origin(), bytes.len()).unwrap();
    assert_eq!(sender.send(&at, 0, &bytes[..500_000]), 204);
    let spooled = files_of(&data.join("uploads"));
    assert!(spooled[0].metadata().unwrap().len() > 500_000);
    is_nowhere(&places, &marks, "in its midst");
    assert_eq!(sender.cancel(&at), 204);
    assert!(files_of(&data.join("uploads")).is_empty());

    // Whole, and no sound: only the file tells.
    let mut broken = bytes.clone();
    broken[..4].copy_from_slice(b"RIFX");
    let at = sender.begin(&origin(), broken.len()).unwrap();
    assert_eq!(sender.send(&at, 0, &broken), 204);
    assert_eq!(sender.end(&at)["state"], "failed");
    is_nowhere(&places, &marks, "given up, or no sound");

    // The program is killed in the midst of it: what lies there is noise, and goes at the next start.
    let at = sender.begin(&origin(), bytes.len()).unwrap();
    assert_eq!(sender.send(&at, 0, &bytes[..500_000]), 204);
    server.kill();
    assert_eq!(files_of(&data.join("uploads")).len(), 1);
    is_nowhere(&places, &marks, "after a crash");
    let mut server = Server::start_logged(&config, &logs.join("second"));
    assert!(files_of(&data.join("uploads")).is_empty());
    let sender = Sender::new(&server);
    assert_eq!(sender.offset(&at), None, "it is begun again");
    is_nowhere(&places, &marks, "after the next start");

    // The same scan does find what is kept: its hash is in the manifest.
    let at = sender.begin(&origin(), bytes.len()).unwrap();
    assert_eq!(sender.send(&at, 0, &bytes), 204);
    let id = sender.end(&at)["recording"].as_str().unwrap().to_owned();
    let hex = marks.last().unwrap();
    let has_hash = |path: &PathBuf| {
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(hex.len()).any(|window| window == hex)
    };
    assert!(files_of(&data).iter().any(has_hash));
    is_nowhere(&places, &marks[..2], "what is kept is sealed");
    assert!(server.terminate().success());
    let config = config.to_str().unwrap();
    let args = ["destroy", &id, "--yes", "--json", "--config", config];
    let output = voicelog(&args);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    is_nowhere(&places, &marks, "after its destruction");
}
