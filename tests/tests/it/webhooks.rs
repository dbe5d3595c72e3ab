//! A webhook of the built program, from the configuration to the server of somebody else.

use crate::support::{Server, endless_call, write_config, write_file};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use voicelog_src_sim::place;

/// The same 32 bytes twice.
const SECRET: &str = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
const SECRET_HEX: &str = "0707070707070707070707070707070707070707070707070707070707070707";
/// Longer than the first message and its second try take on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// A request as it came: its head in small letters where names are, and its body.
struct Got {
    head: String,
    body: Vec<u8>,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.unwrap().1
    }

    /// The signature of this message, as openssl makes it.
    fn signed_by_openssl(&self) -> String {
        let mut openssl = Command::new("openssl")
            .args(["dgst", "-sha256", "-mac", "HMAC", "-binary"])
            .args(["-macopt", &format!("hexkey:{SECRET_HEX}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = openssl.stdin.take().unwrap();
        let (id, at) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        stdin.write_all(format!("{id}.{at}.").as_bytes()).unwrap();
        stdin.write_all(&self.body).unwrap();
        drop(stdin);
        let mac = openssl.wait_with_output().unwrap().stdout;
        let mut encoder = Command::new("openssl")
            .args(["base64", "-A"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        encoder.stdin.take().unwrap().write_all(&mac).unwrap();
        let text = encoder.wait_with_output().unwrap().stdout;
        format!("v1,{}", String::from_utf8(text).unwrap())
    }
}

/// The lines of a configuration by which this address is told of one kind of event.
fn webhook(address: SocketAddr, event: &str) -> String {
    format!(
        "[[webhook]]\nname = \"beheer\"\nurl = \"http://{address}/hook\"\nsecret = \"{SECRET}\"\n\
         events = [\"{event}\"]\n"
    )
}

/// Waits for the next request, and answers it.
fn take(listener: &TcpListener, answer: &str) -> Got {
    let (mut stream, _) = accept(listener);
    stream.set_read_timeout(Some(LONG)).unwrap();
    let (mut bytes, mut piece) = (Vec::new(), [0; 4_096]);
    loop {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let got = Got {
                head,
                body: bytes[end + 4..].to_vec(),
            };
            if got.body.len() >= got.header("content-length").parse().unwrap() {
                let answer =
                    format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).unwrap();
                return got;
            }
        }
        let length = stream.read(&mut piece).unwrap();
        assert!(length > 0, "a request ends before its body does");
        bytes.extend_from_slice(&piece[..length]);
    }
}

/// Accepts with a limit.
fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    listener.set_nonblocking(true).unwrap();
    let deadline = crate::support::now() + LONG;
    loop {
        match listener.accept() {
            Ok((stream, from)) => {
                stream.set_nonblocking(false).unwrap();
                return (stream, from);
            }
            Err(error) => {
                assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
                assert!(crate::support::now() < deadline, "nobody comes");
                crate::support::pause(Duration::from_millis(20));
            }
        }
    }
}

/// A server that tells one thing, and who hears it.
fn told_of(folder: &Path, kind: &str) -> (Server, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = write_config(folder, "");
    let text = std::fs::read_to_string(&config).unwrap();
    let webhook = webhook(listener.local_addr().unwrap(), kind);
    write_file(&config, &format!("{webhook}{text}"));
    (Server::start(&config), listener)
}

#[test]
fn what_became_of_a_call_is_posted_with_a_signature_that_openssl_makes_too_and_again_until_it_is_taken()
 {
    let folder = tempfile::tempdir().unwrap();
    let (server, listener) = told_of(folder.path(), "recording.finished");
    let mut plan = endless_call(server.sip);
    plan.duration = Some(Duration::from_secs(1));
    place(&plan).unwrap().finish().unwrap();

    let refused = take(&listener, "503 Service Unavailable");
    let taken = take(&listener, "204 No Content");
    let rows = server.wait_for_closed(1);
    let told: Value = serde_json::from_slice(&taken.body).unwrap();
    assert_eq!(told["type"], "recording.finished");
    assert_eq!(
        told["data"],
        json!({
            "recording": rows[0]["id"], "verdict": rows[0]["verdict"], "end": "recording_client",
        })
    );
    assert!(taken.head.starts_with("POST /hook HTTP/1.1"));
    assert_eq!(taken.body, refused.body);
    assert_eq!(taken.header("webhook-id"), refused.header("webhook-id"));
    for got in [&refused, &taken] {
        assert_eq!(got.header("webhook-signature"), got.signed_by_openssl());
    }
    // Nobody's number or name went out.
    let said = String::from_utf8(taken.body).unwrap();
    assert!(
        !said.contains("+31") && !said.contains("voorbeeld"),
        "{said}"
    );
}

/// How many messages wait for the webhook.
fn waiting(server: &Server) -> u64 {
    let output = server.voicelog(&["webhooks", "--json"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    told["endpoints"][0]["waiting"].as_u64().unwrap()
}

#[test]
fn a_call_missing_of_a_list_is_a_message_with_one_id_however_often_the_list_is_given_unless_told_not_to()
 {
    let folder = tempfile::tempdir().unwrap();
    let (server, listener) = told_of(folder.path(), "expected.missing");
    let list = folder.path().join("calls.csv");
    let began = "2026-01-05T10:00:00Z";
    let text = format!("start;billsec;src;dst;uniqueid\n{began};60;0301112222;0302223333;pbx-1\n");
    write_file(&list, &text);
    let hold_against = |more: &[&str]| {
        let list = list.to_str().unwrap();
        let output = server.voicelog(&[&["expected", list], more].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "it is missing: {said}");
    };

    hold_against(&["--no-webhooks"]);
    server.post_text("/v1/expected?webhooks=false", &text);
    assert_eq!(waiting(&server), 0, "whoever asks to keep it back is heard");

    hold_against(&[]);
    let refused = take(&listener, "503 Service Unavailable");
    hold_against(&[]);
    assert_eq!(waiting(&server), 1, "what waits already waits once");
    let taken = take(&listener, "204 No Content");
    let told: Value = serde_json::from_slice(&taken.body).unwrap();
    assert_eq!(told["type"], "expected.missing");
    let data = &told["data"];
    assert_eq!(
        (&data["found"], &data["line"]),
        (&json!("missing"), &json!(2))
    );
    let moment = data["began_at"].as_str().unwrap();
    assert!(moment.starts_with("2026-01-05T10:00:00"), "{data}");
    assert!(data["cause"].is_string(), "{data}");
    assert_eq!(taken.header("webhook-signature"), taken.signed_by_openssl());
    assert_eq!(taken.header("webhook-id"), refused.header("webhook-id"));
    // Neither who called nor the telephone system's own name for the call goes out.
    let said = String::from_utf8(taken.body.clone()).unwrap();
    assert!(
        !said.contains("1112222") && !said.contains("pbx-1"),
        "{said}"
    );

    server.post_text("/v1/expected", &text);
    let again = take(&listener, "204 No Content");
    assert_eq!(again.header("webhook-id"), taken.header("webhook-id"));
    server.post_text("/v1/expected", &text.replace("pbx-1", "pbx-2"));
    let other = take(&listener, "204 No Content");
    assert_ne!(other.header("webhook-id"), taken.header("webhook-id"));
}
