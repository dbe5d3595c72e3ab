//! Files that are sent piece by piece, over real sockets: what is refused before a byte, each way in which it goes wrong, and
//! what is left of it.

use crate::sockets::start;
use crate::support::*;
use axum::body::Body;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use voicelog_archive::RecordingFilter;
use voicelog_evidence::audio::wav;
use voicelog_model::Clock as _;

const OFFSET_STREAM: &str = "application/offset+octet-stream";

/// What came back over a socket.
#[derive(Debug)]
struct Reply {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Reply {
    fn field(&self, name: &str) -> &str {
        let mut lines = self.head.lines();
        let line = lines.find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        });
        line.unwrap_or("")
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A program with the token, at a server on a socket.
struct Program(SocketAddr);

impl Program {
    fn head(&self, method: &str, path: &str, fields: &[(&str, &str)]) -> String {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\naccept-language: en\r\nauthorization: Bearer {TOKEN}\r\n"
        );
        for (name, value) in fields {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head + "\r\n"
    }

    async fn ask(&self, method: &str, path: &str, fields: &[(&str, &str)], body: &[u8]) -> Reply {
        let length = body.len().to_string();
        let own = [("tus-resumable", "1.0.0"), ("content-length", &length)];
        let fields: Vec<_> = own.into_iter().chain(fields.iter().copied()).collect();
        let mut stream = TcpStream::connect(self.0).await.unwrap();
        stream
            .write_all(self.head(method, path, &fields).as_bytes())
            .await
            .unwrap();
        // It may be refused before all of it was read.
        let _refused = stream.write_all(body).await.is_err();
        reply(&mut stream).await
    }

    async fn begin(&self, facts: &Map<String, Value>, length: usize) -> Reply {
        let metadata = metadata(facts);
        let length = length.to_string();
        let fields = [
            ("upload-length", length.as_str()),
            ("upload-metadata", metadata.as_str()),
        ];
        self.ask("POST", "/v1/imports", &fields, b"").await
    }

    async fn patch(&self, at: &str, offset: usize, bytes: &[u8]) -> Reply {
        let offset = offset.to_string();
        let fields = [("content-type", OFFSET_STREAM), ("upload-offset", &offset)];
        self.ask("PATCH", at, &fields, bytes).await
    }

    /// The same without a word on how much it is, and one byte more a little later.
    async fn patch_too_much(&self, at: &str, bytes: &[u8]) -> Reply {
        let fields = [
            ("tus-resumable", "1.0.0"),
            ("transfer-encoding", "chunked"),
            ("content-type", OFFSET_STREAM),
            ("upload-offset", "0"),
        ];
        let mut stream = TcpStream::connect(self.0).await.unwrap();
        let head = self.head("PATCH", at, &fields);
        stream.write_all(head.as_bytes()).await.unwrap();
        let size = format!("{:x}\r\n", bytes.len());
        stream.write_all(size.as_bytes()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        tokio::time::timeout(Duration::from_millis(200), std::future::pending::<()>())
            .await
            .unwrap_err();
        stream.write_all(b"\r\n1\r\nx\r\n0\r\n\r\n").await.unwrap();
        reply(&mut stream).await
    }

    /// What became of it, once it is decided.
    async fn end(&self, at: &str) -> Value {
        for _again in 0..600 {
            let told = self.ask("GET", at, &[], b"").await.json();
            if told["state"] != "working" {
                return told;
            }
            tokio::time::timeout(Duration::from_millis(50), std::future::pending::<()>())
                .await
                .unwrap_err();
        }
        panic!("it is still being taken in");
    }
}

async fn reply(stream: &mut TcpStream) -> Reply {
    let mut bytes = Vec::new();
    // Where the server closed before it read all, the end can be lost.
    let _cut = stream.read_to_end(&mut bytes).await.is_err();
    let split = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let split = split.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&bytes)));
    let head = String::from_utf8(bytes[..split].to_vec()).unwrap();
    Reply {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head,
        body: bytes[(split + 4)..].to_vec(),
    }
}

fn metadata(facts: &Map<String, Value>) -> String {
    let facts = STANDARD.encode(Value::Object(facts.clone()).to_string());
    format!(
        "filename {},facts {facts},asked_by {}",
        STANDARD.encode("canary-name.wav"),
        STANDARD.encode("agent 2001")
    )
}

/// What the organisation says of a recording that its own exchange made.
fn origin() -> Map<String, Value> {
    let facts = json!({
        "recorder_type": "company", "counterpart_types": ["private_person"], "participation": "participant",
        "openness": "announced", "purpose": "bewijs_overeenkomst", "legal_basis": "b", "structural": "all",
        "staff_informed": "each_call_signal", "or_status": "consented", "dpia": "done", "private_use_possible": true,
        "retention_term": "P5Y", "channel": "phone", "line_subscriber": "recorder", "countries": ["NL"],
        "origin_of_import": "participant", "recorded_at": "2026-11-20T10:00:00Z",
    });
    facts.as_object().unwrap().clone()
}

const CANARY: &[u8] = b"<<a canary that is in this file and nowhere else>>";

/// Two seconds of sound, with a canary in it.
fn sound(seed: i16) -> Vec<u8> {
    let samples: Vec<i16> = (0..16_000)
        .map(|n: i16| n.wrapping_mul(7).wrapping_add(seed))
        .collect();
    let mut bytes = wav(&[&samples], 8_000, None).unwrap();
    let at = bytes.len() / 2;
    bytes[at..(at + CANARY.len())].copy_from_slice(CANARY);
    bytes
}

fn files_of(folder: &std::path::Path) -> Vec<PathBuf> {
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

/// The canary is in no file of the data folder.
fn is_nowhere(site: &Site, why: &str) {
    for path in files_of(site.folder.path()) {
        let bytes = std::fs::read(&path).unwrap();
        let found = bytes.windows(20).any(|window| window == &CANARY[..20]);
        assert!(!found, "{why}: {}", path.display());
    }
}

/// Files that are being sent.
fn spooled(site: &Site) -> Vec<PathBuf> {
    files_of(&site.folder.path().join("uploads"))
}

fn rows(site: &Site) -> usize {
    let (rows, _) = site
        .archive
        .list(&RecordingFilter::default(), None, 99)
        .unwrap();
    rows.len()
}

#[tokio::test]
async fn a_file_that_is_cut_off_in_its_midst_goes_on_there_and_becomes_a_recording() {
    let site = empty_site();
    let (address, _stop, _server) = start(&site).await;
    let program = Program(address);
    let bytes = sound(1);
    let begun = program.begin(&origin(), bytes.len()).await;
    assert_eq!(begun.status, 201, "{begun:?}");
    assert_eq!(begun.field("tus-resumable"), "1.0.0");
    assert!(begun.field("upload-expires").ends_with(" GMT"), "{begun:?}");
    let at = begun.field("location").to_owned();
    assert!(at.starts_with("/v1/imports/"), "{at}");

    // The line is lost when half of what was promised is there.
    let mut cut = TcpStream::connect(address).await.unwrap();
    let length = bytes.len().to_string();
    let fields = [
        ("tus-resumable", "1.0.0"),
        ("content-type", OFFSET_STREAM),
        ("upload-offset", "0"),
        ("content-length", &length),
    ];
    let head = program.head("PATCH", &at, &fields);
    cut.write_all(head.as_bytes()).await.unwrap();
    cut.write_all(&bytes[..(bytes.len() / 2)]).await.unwrap();
    cut.flush().await.unwrap();
    drop(cut);
    let mut there = 0;
    for _again in 0..100 {
        let known = program.ask("HEAD", &at, &[], b"").await;
        assert_eq!((known.status, known.body.len()), (200, 0));
        assert_eq!(known.field("upload-length"), length);
        assert_eq!(known.field("cache-control"), "no-store");
        there = known.field("upload-offset").parse().unwrap();
        let sent = program.patch(&at, there, b"").await;
        if there > 0 && sent.status == 204 {
            break;
        }
    }
    assert!(there > 0 && there <= bytes.len() / 2, "{there}");
    assert_eq!(spooled(&site).len(), 1);
    is_nowhere(&site, "while it is sent");

    let rest = program.patch(&at, there, &bytes[there..]).await;
    assert_eq!(
        (rest.status, rest.field("upload-offset")),
        (204, length.as_str())
    );
    let end = program.end(&at).await;
    assert_eq!(end["state"], "imported", "{end}");
    assert_eq!(end["import"]["verdict"], "whole");
    let sha256: String = Sha256::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(end["import"]["sha256"], format!("sha256:{sha256}"));
    assert_eq!(rows(&site), 1);
    assert!(spooled(&site).is_empty());
    is_nowhere(&site, "once it is imported");

    // The same file again: it is here already, and nothing is kept twice.
    let again = program.begin(&origin(), bytes.len()).await;
    let at = again.field("location").to_owned();
    assert_eq!(program.patch(&at, 0, &bytes).await.status, 204);
    let known = program.end(&at).await;
    assert_eq!(
        (&known["state"], &known["recording"]),
        (&json!("known"), &end["recording"])
    );
    assert_eq!(rows(&site), 1);
}

#[tokio::test]
async fn what_the_law_refuses_is_refused_before_a_byte_and_is_on_record() {
    let site = empty_site();
    let (address, _stop, _server) = start(&site).await;
    let program = Program(address);
    let mut facts = origin();
    facts.insert("origin_of_import".to_owned(), json!("unknown"));
    let refused = program.begin(&facts, 1_000).await;
    assert_eq!(refused.status, 403);
    let answer = refused.json();
    assert!(
        answer["decision"]["reasons"].to_string().contains("Sr 139"),
        "{answer:#}"
    );
    assert!(refused.field("location").is_empty());
    let (rows, _) = site
        .archive
        .list(&RecordingFilter::default(), None, 9)
        .unwrap();
    let [row] = rows.as_slice() else {
        panic!("{rows:?}")
    };
    assert_eq!(row.state.as_str(), "not_recorded");
    assert_eq!(
        answer["id"],
        json!(site.archive.detail(row.id).unwrap().decisions[0].id)
    );
    assert!(spooled(&site).is_empty());
}

#[tokio::test]
async fn facts_that_do_not_fit_make_no_upload_and_ask_no_law() {
    let site = empty_site();
    let (address, _stop, _server) = start(&site).await;
    let program = Program(address);
    let without = |name: &str| {
        let mut facts = origin();
        facts.remove(name);
        facts
    };
    let with = |name: &str, value: Value| {
        let mut facts = origin();
        facts.insert(name.to_owned(), value);
        facts
    };
    for (facts, length, status) in [
        (without("recorded_at"), 10, 400),
        (with("recorded_at", json!("2027-11-20T10:00:00Z")), 10, 400),
        (with("requested_action", json!("record")), 10, 400),
        (with("openess", json!("announced")), 10, 422),
        (with("openness", json!("loud")), 10, 422),
        (origin(), 0, 400),
        (origin(), (1 << 30) + 1, 413),
    ] {
        let wrong = program.begin(&facts, length).await;
        assert_eq!(wrong.status, status, "{facts:?} {length}: {wrong:?}");
        assert_eq!(wrong.field("content-type"), "application/problem+json");
        assert_eq!(wrong.field("tus-resumable"), "1.0.0");
    }
    let metadata = metadata(&origin());
    for fields in [
        vec![("upload-metadata", metadata.as_str())],
        vec![("upload-length", "10")],
        vec![("upload-length", "-1"), ("upload-metadata", &metadata)],
        vec![
            ("upload-length", "10"),
            ("upload-metadata", "facts bm8=,asked_by eA=="),
        ],
        vec![("upload-length", "10"), ("upload-metadata", "facts e30=")],
        vec![("upload-defer-length", "1"), ("upload-metadata", &metadata)],
    ] {
        let wrong = program.ask("POST", "/v1/imports", &fields, b"").await;
        assert_eq!(wrong.status, 400, "{fields:?}");
    }
    assert_eq!((rows(&site), spooled(&site).len()), (0, 0));
}

#[tokio::test]
async fn a_body_that_turns_out_longer_than_the_file_is_no_file() {
    let site = empty_site();
    let (address, _stop, _server) = start(&site).await;
    let program = Program(address);
    let bytes = vec![7; (1 << 20) + 5_000];
    let begun = program.begin(&origin(), bytes.len()).await;
    let at = begun.field("location").to_owned();
    let refused = program.patch_too_much(&at, &bytes).await;
    assert_eq!(refused.status, 413);
    let told = program.ask("GET", &at, &[], b"").await.json();
    assert_eq!(told["state"], "receiving", "{told}");
}

/// A piece that is sent wrongly: what is wrong, the fields beside the type, the bytes, and the status that it gets.
type Wrong<'a> = (&'a str, Vec<(&'a str, &'a str)>, &'a [u8], u16);

fn wrong_pieces<'a>(other_sum: &'a str, whole: &'a [u8]) -> Vec<Wrong<'a>> {
    let of = ("content-type", OFFSET_STREAM);
    let at = |place| vec![of, ("upload-offset", place)];
    let right_and = |field| [at("1000"), vec![field]].concat();
    vec![
        ("too early", at("999"), b"x", 409),
        ("too late", at("1001"), b"x", 409),
        ("no place", vec![of], b"x", 400),
        ("no number", at("+1000"), b"x", 400),
        (
            "another type",
            vec![("content-type", "audio/wav"), ("upload-offset", "1000")],
            b"x",
            415,
        ),
        ("more than was said", at("1000"), whole, 413),
        (
            "another hash",
            right_and(("upload-checksum", other_sum)),
            b"xyz",
            460,
        ),
        (
            "another algorithm",
            right_and(("upload-checksum", "sha1 eHl6")),
            b"xyz",
            400,
        ),
    ]
}

#[tokio::test]
async fn each_thing_that_is_sent_wrongly_is_told_and_changes_nothing() {
    let site = empty_site();
    let (address, _stop, _server) = start(&site).await;
    let program = Program(address);
    let bytes = sound(2);
    let begun = program.begin(&origin(), bytes.len()).await;
    let at = begun.field("location").to_owned();
    assert_eq!(program.patch(&at, 0, &bytes[..1_000]).await.status, 204);
    let checksum = |text: &str| format!("sha256 {}", STANDARD.encode(Sha256::digest(text)));
    let (other_sum, right_sum) = (checksum("other"), checksum("xyz"));
    for (what, fields, body, status) in wrong_pieces(&other_sum, &bytes) {
        let wrong = program.ask("PATCH", &at, &fields, body).await;
        assert_eq!(wrong.status, status, "{what}: {wrong:?}");
        assert_eq!(wrong.field("tus-version"), "1.0.0", "{what}");
        let known = program.ask("HEAD", &at, &[], b"").await;
        assert_eq!(known.field("upload-offset"), "1000", "{what}");
    }
    for nobody in [format!("/v1/imports/{}", "0".repeat(32)), format!("{at}x")] {
        assert_eq!(program.patch(&nobody, 0, b"x").await.status, 404);
    }
    let old = program.head("HEAD", &at, &[("tus-resumable", "0.2.2")]);
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(old.as_bytes()).await.unwrap();
    assert_eq!(reply(&mut stream).await.status, 412, "another version");
    let fields = [
        ("content-type", OFFSET_STREAM),
        ("upload-offset", "1000"),
        ("upload-checksum", &right_sum),
    ];
    let right = program.ask("PATCH", &at, &fields, b"xyz").await;
    assert_eq!((right.status, right.field("upload-offset")), (204, "1003"));
    assert_eq!(program.ask("DELETE", &at, &[], b"").await.status, 204);
    assert_eq!(program.ask("HEAD", &at, &[], b"").await.status, 404);
    assert!(spooled(&site).is_empty());
    is_nowhere(&site, "once it is given up");
}

#[tokio::test]
async fn two_do_not_send_to_one_upload_at_once() {
    let site = empty_site();
    let (address, _stop, _server) = start(&site).await;
    let program = Program(address);
    let bytes = sound(3);
    let at = program
        .begin(&origin(), bytes.len())
        .await
        .field("location")
        .to_owned();
    let mut first = TcpStream::connect(address).await.unwrap();
    let length = bytes.len().to_string();
    let fields = [
        ("tus-resumable", "1.0.0"),
        ("content-type", OFFSET_STREAM),
        ("upload-offset", "0"),
        ("content-length", &length),
    ];
    first
        .write_all(program.head("PATCH", &at, &fields).as_bytes())
        .await
        .unwrap();
    first.write_all(&bytes[..10]).await.unwrap();
    // A place that is wrong, so that it never gets a turn itself.
    let mut second = program.patch(&at, 1, b"").await;
    for _again in 0..100 {
        if second.status == 423 {
            break;
        }
        second = program.patch(&at, 1, b"").await;
    }
    assert_eq!(second.status, 423, "{second:?}");
    assert!(!second.field("retry-after").is_empty());
    first.write_all(&bytes[10..]).await.unwrap();
    assert_eq!(reply(&mut first).await.status, 204);
    assert_eq!(program.end(&at).await["state"], "imported");
}

#[tokio::test]
async fn two_uploads_of_one_file_at_once_become_one_recording() {
    let site = empty_site();
    let (address, _stop, _server) = start(&site).await;
    let program = Program(address);
    let bytes = sound(4);
    let mut both = Vec::new();
    for _upload in 0..2 {
        let begun = program.begin(&origin(), bytes.len()).await;
        both.push(begun.field("location").to_owned());
    }
    for (from, to) in [(0, 9_000), (9_000, bytes.len())] {
        for at in &both {
            assert_eq!(program.patch(at, from, &bytes[from..to]).await.status, 204);
        }
    }
    let (one, other) = (program.end(&both[0]).await, program.end(&both[1]).await);
    assert_eq!(one["recording"], other["recording"]);
    let mut states = [
        one["state"].as_str().unwrap(),
        other["state"].as_str().unwrap(),
    ];
    states.sort_unstable();
    assert_eq!(states, ["imported", "known"]);
    assert_eq!(rows(&site), 1);
}

#[tokio::test]
async fn a_file_that_is_no_sound_or_says_what_is_not_so_is_told_so_and_nothing_of_it_stays() {
    let site = empty_site();
    let (address, _stop, _server) = start(&site).await;
    let program = Program(address);
    let mut cut = sound(5);
    cut.truncate(20_000);
    for (bytes, says) in [(CANARY.repeat(40), "no sound file"), (cut, "not whole")] {
        let at = program
            .begin(&origin(), bytes.len())
            .await
            .field("location")
            .to_owned();
        assert_eq!(program.patch(&at, 0, &bytes).await.status, 204);
        let end = program.end(&at).await;
        assert_eq!(end["state"], "failed", "{end}");
        assert!(end["detail"].as_str().unwrap().contains(says), "{end}");
        is_nowhere(&site, says);
    }
    // Its sound ends after now: only the file can tell.
    let mut facts = origin();
    facts.insert("recorded_at".to_owned(), json!(site.clock.now()));
    let bytes = sound(6);
    let at = program
        .begin(&facts, bytes.len())
        .await
        .field("location")
        .to_owned();
    assert_eq!(program.patch(&at, 0, &bytes).await.status, 204);
    let end = program.end(&at).await;
    assert!(end["detail"].as_str().unwrap().contains("future"), "{end}");
    assert_eq!((rows(&site), spooled(&site).len()), (0, 0));
}

#[tokio::test]
async fn so_many_at_once_and_no_more_and_those_that_expire_make_room() {
    let site = empty_site();
    let (address, _stop, _server) = start(&site).await;
    let program = Program(address);
    let mut all = Vec::new();
    for _upload in 0..4 {
        let begun = program.begin(&origin(), 5_000).await;
        assert_eq!(begun.status, 201);
        all.push(begun.field("location").to_owned());
    }
    let more = program.begin(&origin(), 5_000).await;
    assert_eq!(more.status, 429, "{more:?}");
    assert_eq!(spooled(&site).len(), 4);
    site.clock.advance_micros(3_599_000_000);
    assert_eq!(program.patch(&all[0], 0, &CANARY[..10]).await.status, 204);
    site.clock.advance_micros(2_000_000);
    assert_eq!(program.ask("HEAD", &all[1], &[], b"").await.status, 410);
    assert_eq!(program.patch(&all[1], 0, b"x").await.status, 410);
    assert_eq!(program.ask("HEAD", &all[0], &[], b"").await.status, 200);
    assert_eq!(spooled(&site).len(), 1, "more came of the first");
    assert_eq!(program.begin(&origin(), 5_000).await.status, 201);
}

#[tokio::test]
async fn a_disk_without_room_takes_no_upload() {
    let site = empty_site_keeping_free(1 << 60);
    let (address, _stop, _server) = start(&site).await;
    let refused = Program(address).begin(&origin(), 5_000).await;
    assert_eq!(refused.status, 507, "{refused:?}");
    assert!(spooled(&site).is_empty());
}

#[tokio::test]
async fn an_upload_is_there_for_whoever_began_it_and_for_nobody_else() {
    let site = empty_site();
    let mut browser = Browser::signed_in(&site).await;
    let mut other = browser.invite("anna").await;
    let metadata = metadata(&origin());
    let request = |browser: &Browser<'_>, method: &str, path: &str| {
        browser
            .request(method, path)
            .header("tus-resumable", "1.0.0")
            .header("upload-length", "5000")
            .header("upload-metadata", &metadata)
            .body(Body::empty())
            .unwrap()
    };
    let begun = browser
        .send(request(&browser, "POST", "/import/uploads"))
        .await;
    assert_eq!(begun.status, StatusCode::CREATED, "{}", begun.text());
    let at = begun.location().to_owned();
    assert!(at.starts_with("/import/uploads/"), "{at}");
    let of_program = at.replace("/import/uploads", "/v1/imports");
    assert_eq!(browser.get(&at).await.json()["state"], "receiving");
    for method in ["HEAD", "DELETE"] {
        let page = other.send(request(&other, method, &at)).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{method}");
        let page = program(&site, "GET", &of_program, "").await;
        assert_eq!(page.status, StatusCode::NOT_FOUND);
    }
    // Another site made the browser send it.
    for (field, value) in [("sec-fetch-site", "cross-site"), ("tus-resumable", "")] {
        let mut foreign = request(&browser, "DELETE", &at);
        match value {
            "" => drop(foreign.headers_mut().remove(field)),
            _ => drop(foreign.headers_mut().insert(field, value.parse().unwrap())),
        }
        assert_eq!(
            browser.send(foreign).await.status,
            StatusCode::FORBIDDEN,
            "{field}"
        );
    }
    let gone = browser.send(request(&browser, "DELETE", &at)).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn what_is_possible_is_told() {
    let site = empty_site();
    let page = program(&site, "OPTIONS", "/v1/imports", "").await;
    assert_eq!(page.status, StatusCode::NO_CONTENT);
    assert_eq!(page.header("tus-version"), "1.0.0");
    assert_eq!(
        page.header("tus-extension"),
        "creation,expiration,termination,checksum"
    );
    assert_eq!(page.header("tus-max-size"), (1 << 30).to_string());
    assert_eq!(page.header("tus-checksum-algorithm"), "sha256");
}

#[tokio::test]
async fn a_server_that_stops_leaves_nothing_of_what_was_sent() {
    let site = empty_site();
    let (address, _stop, _server) = start(&site).await;
    let program = Program(address);
    let at = program
        .begin(&origin(), 50_000)
        .await
        .field("location")
        .to_owned();
    assert_eq!(program.patch(&at, 0, &sound(7)[..10_000]).await.status, 204);
    assert_eq!(spooled(&site).len(), 1);
    site.uploads.stop();
    assert!(spooled(&site).is_empty());
    assert_eq!(program.ask("HEAD", &at, &[], b"").await.status, 404);
}

/// Answers the page's questions until it asks when the recording was made: of what is offered, this.
async fn answered(browser: &mut Browser<'_>, origin: &str) -> Vec<(String, String)> {
    let mut said: Vec<(String, String)> = Vec::new();
    for _question in 0..60 {
        let fields: Vec<(&str, &str)> = said
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        let page = browser.post("/import", &fields).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text());
        if page.shows("name=\"clock\"") {
            return said;
        }
        let key = page.between("name=\"ask\" value=\"", "\"").to_owned();
        let offered: Vec<&str> = page
            .text()
            .split("name=\"c\" value=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap())
            .collect();
        let wanted = match key.as_str() {
            "recorder" => "private_person",
            "origin" => origin,
            _ => offered.first().copied().unwrap_or("?"),
        };
        let answer = match page.shows("type=\"checkbox\"") {
            true => "",
            false if offered.contains(&wanted) => wanted,
            false => "?",
        };
        said.push((format!("a.{key}"), answer.to_owned()));
    }
    panic!("it asks for ever: {said:?}");
}

#[tokio::test]
async fn the_page_asks_what_the_law_asks_and_offers_to_send_once_it_is_permitted() {
    let site = empty_site();
    let mut browser = Browser::signed_in(&site).await;
    let start = browser.get("/import").await;
    assert!(start.shows("<noscript>") && start.shows("voicelog import"));
    let policy = start.header("content-security-policy");
    assert!(policy.contains("script-src 'self'") && policy.contains("connect-src 'self'"));
    let said = answered(&mut browser, "participant").await;
    assert!(said.iter().all(|(key, _)| key != "a.act"), "{said:?}");
    let with = |more: &[(&str, &str)]| -> Vec<(String, String)> {
        let more = more
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        said.iter().cloned().chain(more).collect()
    };
    for (day, clock) in [("", ""), ("2026-11-20", "25:00"), ("2027-01-01", "10:00")] {
        let fields = with(&[("do", "ask"), ("day", day), ("clock", clock)]);
        let page = post(&mut browser, &fields).await;
        assert_eq!(
            page.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{day} {clock}"
        );
    }
    assert_eq!(rows(&site), 0, "the law was not asked");
    let fields = with(&[("do", "ask"), ("day", "2026-11-20"), ("clock", "11:00")]);
    let page = post(&mut browser, &fields).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    let facts = page
        .between("data-facts=\"", "\"")
        .replace("&#34;", "\"")
        .replace("&quot;", "\"");
    let facts: Value = serde_json::from_str(&facts).unwrap_or_else(|_| panic!("{facts}"));
    assert_eq!(
        facts["recorded_at"], "2026-11-20T10:00:00.000000Z",
        "Dutch local time"
    );
    assert_eq!(facts["origin_of_import"], "participant");
    // What the page gives the script is what the upload is made of.
    let bytes = sound(8);
    let begun = browser
        .request("POST", "/import/uploads")
        .header("tus-resumable", "1.0.0")
        .header("upload-length", bytes.len())
        .header("upload-metadata", metadata(facts.as_object().unwrap()))
        .body(Body::empty())
        .unwrap();
    let at = browser.send(begun).await.location().to_owned();
    let sent = browser
        .request("PATCH", &at)
        .header("tus-resumable", "1.0.0")
        .header("content-type", OFFSET_STREAM)
        .header("upload-offset", "0")
        .body(Body::from(bytes))
        .unwrap();
    assert_eq!(browser.send(sent).await.status, StatusCode::NO_CONTENT);
    while browser.get(&at).await.json()["state"] == "working" {
        tokio::task::yield_now().await;
    }
    let end = browser.get(&at.replace("/uploads", "")).await;
    assert!(end.shows("The recording was imported"), "{}", end.text());
    let recording = end.between("href=\"/recordings/", "\"").to_owned();
    assert_eq!(
        browser
            .get(&format!("/recordings/{recording}"))
            .await
            .status,
        StatusCode::OK
    );
}

async fn post(browser: &mut Browser<'_>, fields: &[(String, String)]) -> Page {
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    browser.post("/import", &fields).await
}

#[tokio::test]
async fn a_refusal_is_shown_whole_before_there_is_anything_to_send() {
    let site = empty_site();
    let mut browser = Browser::signed_in(&site).await;
    let mut fields = answered(&mut browser, "unlawful").await;
    for (key, value) in [("do", "ask"), ("day", "2026-11-20"), ("clock", "11:00")] {
        fields.push((key.to_owned(), value.to_owned()));
    }
    let page = post(&mut browser, &fields).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(
        page.shows("Sr 139") && !page.shows("type=\"file\""),
        "{}",
        page.text()
    );
    assert_eq!(rows(&site), 1, "it is on record");
}
