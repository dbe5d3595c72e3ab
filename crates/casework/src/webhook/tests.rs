//! Messages on their way to real servers on sockets, with a queue on the disk.

use super::*;
use base64::Engine as _;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use tempfile::TempDir;
use voicelog_archive::keys::EpochKeys;
use voicelog_archive::{Archive, Lines, News, NewsKind, Parts, Secrets, Subscription};
use voicelog_evidence::key::{DataKey, KeyEncryptionKey};
use voicelog_evidence::note::SigningKey;
use voicelog_law::Rulebook;
use voicelog_model::{Clock, RecordingId, SimClock, Timestamp};
use voicelog_store::blobs::Options;
use voicelog_store::{Access, ArchiveId, Layout, LocalStore};

/// The same 32 bytes in the three ways that this test needs them.
const SECRET: &str = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
const SECRET_HEX: &str = "0707070707070707070707070707070707070707070707070707070707070707";

fn start() -> Timestamp {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

fn open(folder: &TempDir) -> Arc<Archive> {
    let layout = Layout::in_folder(folder.path());
    if !layout.exists() {
        LocalStore::create(&layout, ArchiveId([7; 16]), start()).unwrap();
    }
    let store = LocalStore::open(&layout, Access::Write(Options::default())).unwrap();
    let archive = Archive::open(Parts {
        index: Box::new(store.index),
        blobs: Box::new(store.blobs),
        keys: Box::new(store.keys),
        secrets: Secrets {
            epoch_keys: EpochKeys::given(KeyEncryptionKey::new(1, [1; 32])),
            signing_key: SigningKey::from_seed("voicelog/test", [2; 32]).unwrap(),
            decision_key: DataKey::from_random([3; 32]),
        },
        rulebook: Rulebook::embedded(start()).unwrap(),
        lines: Lines::new(Vec::new()),
    });
    archive.subscribe(vec![Subscription {
        endpoint: "beheer".to_owned(),
        kinds: vec![NewsKind::Finished, NewsKind::AlarmRaised],
    }]);
    Arc::new(archive)
}

struct Bench {
    archive: Arc<Archive>,
    clock: Arc<SimClock>,
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            archive: open(&folder),
            clock: Arc::new(SimClock::new(start())),
            folder,
        }
    }

    fn courier(&self, url: &str, trust: &Trust) -> Courier {
        let endpoint = Endpoint {
            name: "beheer".to_owned(),
            url: url.to_owned(),
            secret: Secret::parse(SECRET).unwrap(),
        };
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as Arc<dyn Clock>;
        Courier::new(Arc::clone(&self.archive), clock, endpoint, trust)
    }

    fn plain(&self, server: &HttpServer) -> Courier {
        self.courier(&server.url, &Trust::nobody())
    }

    fn tell(&self) -> RecordingId {
        let id = RecordingId::new(self.clock.now(), [9; 10]);
        let news = News::new(NewsKind::Finished, self.clock.now(), Some(id));
        let left_out = self.archive.tell(&[news.with("verdict", "whole")]).unwrap();
        assert_eq!(left_out, 0);
        id
    }

    /// Waiting and given up.
    fn waiting(&self) -> (u64, u64) {
        let counts = self.archive.outbox().unwrap();
        counts.first().map_or((0, 0), |one| (one.waiting, one.dead))
    }

    fn fault(&self) -> String {
        let counts = self.archive.outbox().unwrap();
        counts[0].fault.clone().unwrap()
    }
}

fn go(courier: &Courier) -> Round {
    courier.round(&|| false).unwrap()
}

/// What a server got: head and body.
type Got = (String, Vec<u8>);

/// A server that gives these answers, one to each connection, and then is gone.
struct HttpServer {
    url: String,
    got: Receiver<Got>,
    thread: JoinHandle<()>,
}

fn read_request(stream: &mut impl Read) -> Got {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| {
                    let (name, value) = line.split_once(':')?;
                    name.eq_ignore_ascii_case("content-length")
                        .then(|| value.trim().parse::<usize>().unwrap())
                })
                .unwrap_or(0);
            let start = head.len() + 4;
            if bytes.len() >= start + length {
                return (head.to_owned(), bytes[start..start + length].to_vec());
            }
        }
        let length = stream.read(&mut buffer).unwrap();
        assert!(length > 0, "a request that is cut off");
        bytes.extend_from_slice(&buffer[..length]);
    }
}

fn answer(stream: &mut impl Write, head: &str) {
    let text = format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(text.as_bytes()).unwrap();
}

fn serve(answers: &[&'static str]) -> HttpServer {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (sender, got) = channel();
    let answers = answers.to_vec();
    let thread = std::thread::spawn(move || {
        for head in answers {
            let (mut stream, _) = listener.accept().unwrap();
            sender.send(read_request(&mut stream)).unwrap();
            answer(&mut stream, head);
        }
    });
    HttpServer { url, got, thread }
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let line = head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    });
    line.unwrap_or_else(|| panic!("no {name} in {head}"))
}

#[test]
fn a_message_says_what_happened_and_openssl_agrees_with_its_signature() {
    let bench = Bench::new();
    let server = serve(&["204 No Content"]);
    let id = bench.tell();
    assert_eq!(go(&bench.plain(&server)).delivered, 1);
    server.thread.join().unwrap();
    let (head, body) = server.got.recv().unwrap();
    let told: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        told,
        json!({
            "type": "recording.finished",
            "timestamp": start(),
            "data": { "recording": id, "verdict": "whole" },
        })
    );
    assert!(head.starts_with("POST /hook HTTP/1.1"));
    let (message, seconds) = (
        header(&head, "webhook-id"),
        header(&head, "webhook-timestamp"),
    );
    assert_eq!(seconds, "1795255200");

    let mut openssl = Command::new("openssl")
        .args(["dgst", "-sha256", "-mac", "HMAC", "-binary"])
        .args(["-macopt", &format!("hexkey:{SECRET_HEX}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("openssl is needed");
    let mut stdin = openssl.stdin.take().unwrap();
    stdin
        .write_all(format!("{message}.{seconds}.").as_bytes())
        .unwrap();
    stdin.write_all(&body).unwrap();
    drop(stdin);
    let mac = openssl.wait_with_output().unwrap().stdout;
    let expected = base64::engine::general_purpose::STANDARD.encode(mac);
    let signature = header(&head, "webhook-signature");
    assert_eq!(signature, format!("v1,{expected}"));
    assert_eq!(bench.waiting(), (0, 0));
}

#[test]
fn news_that_nobody_subscribed_to_is_not_queued() {
    let bench = Bench::new();
    let news = News::new(NewsKind::Missing, start(), None);
    assert_eq!(bench.archive.tell(&[news]).unwrap(), 0);
    let counts = bench.archive.outbox().unwrap();
    assert_eq!(counts.len(), 1, "it has its numbers all the same");
    assert_eq!(bench.waiting(), (0, 0));
}

#[test]
fn a_server_that_is_down_gets_the_message_when_it_is_up_again_also_after_a_restart() {
    let mut bench = Bench::new();
    bench.tell();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = gone.local_addr().unwrap();
    drop(gone);
    let courier = bench.courier(&format!("http://{address}/"), &Trust::nobody());
    assert_eq!(go(&courier).failed, 1);
    assert_eq!(bench.fault(), "no_connection");
    assert_eq!(go(&courier), Round::default(), "not at once again");
    drop(courier);

    // The folder has one archive open at a time.
    let elsewhere = tempfile::tempdir().unwrap();
    bench.archive = open(&elsewhere);
    bench.archive = open(&bench.folder);
    bench.clock.advance_micros(5_000_000);
    let server = serve(&["200 OK"]);
    assert_eq!(go(&bench.plain(&server)).delivered, 1);
    server.thread.join().unwrap();
    assert_eq!(bench.waiting(), (0, 0));
}

#[test]
fn a_message_that_fails_keeps_its_id_and_is_given_up_after_a_day_and_stays_to_be_seen() {
    let bench = Bench::new();
    let server = serve(&["500 Oops"; 11]);
    bench.tell();
    let courier = bench.plain(&server);
    let mut ids = Vec::new();
    let begun = bench.clock.now();
    for attempt in 1..=11 {
        let round = go(&courier);
        assert_eq!(round.failed, 1, "attempt {attempt}");
        let (head, _) = server.got.recv().unwrap();
        ids.push(header(&head, "webhook-id").to_owned());
        match pause_after(attempt) {
            Some(pause) => bench.clock.advance_micros(pause),
            None => assert_eq!(round.given_up, 1),
        }
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    let hours = bench.clock.now().micros_since(begun) / 3_600_000_000;
    assert_eq!(hours, 23);
    assert_eq!(
        (bench.waiting(), bench.fault()),
        ((0, 1), "http_500".to_owned())
    );
    assert_eq!(go(&courier), Round::default());
    // Somebody repairs the other side and asks for what was given up.
    let server = serve(&["200 OK"]);
    assert_eq!(bench.archive.revive_messages(bench.clock.now()).unwrap(), 1);
    assert_eq!(go(&bench.plain(&server)).delivered, 1);
}

#[test]
fn a_redirect_is_not_followed_and_who_is_gone_gets_no_more() {
    let bench = Bench::new();
    let elsewhere = serve(&["200 OK"]);
    let head: &'static str = format!("302 Found\r\nlocation: {}", elsewhere.url).leak();
    let server = serve(&[head, "410 Gone"]);
    bench.tell();
    let courier = bench.plain(&server);
    assert_eq!(go(&courier).failed, 1);
    assert_eq!(bench.fault(), "http_302");
    assert!(elsewhere.got.try_recv().is_err(), "nobody came there");
    bench.clock.advance_micros(5_000_000);
    assert_eq!(go(&courier).given_up, 1);
    assert_eq!(bench.waiting(), (0, 1));
}

#[test]
fn a_server_that_never_answers_is_left_after_a_while() {
    let bench = Bench::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    bench.tell();
    let courier = bench.courier(&url, &Trust::nobody());
    // It is never accepted: the system takes the connection and nobody reads.
    assert_eq!(go(&courier).failed, 1);
    assert_eq!(bench.fault(), "too_slow");
    drop(listener);
}

/// A server over TLS, with a certificate that it made itself. Gives its address and the certificate.
fn serve_tls(connections: usize) -> (String, Vec<u8>, JoinHandle<()>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let pem = made.cert.pem().into_bytes();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "https://localhost:{}/",
        listener.local_addr().unwrap().port()
    );
    let thread = std::thread::spawn(move || {
        for _connection in 0..connections {
            let (socket, _): (TcpStream, _) = listener.accept().unwrap();
            let tls = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(tls, socket);
            // One that does not believe the certificate hangs up in the handshake.
            let mut first = [0; 1];
            if stream.read_exact(&mut first).is_ok() {
                read_request(&mut stream);
                answer(&mut stream, "200 OK");
            }
        }
    });
    (url, pem, thread)
}

#[test]
fn over_https_only_a_certificate_of_a_known_issuer_is_believed() {
    let bench = Bench::new();
    let (url, pem, thread) = serve_tls(2);
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let stranger = Trust::from_pem(other.cert.pem().as_bytes()).unwrap();
    bench.tell();
    assert_eq!(go(&bench.courier(&url, &stranger)).failed, 1);
    assert_eq!(bench.fault(), "tls");
    bench.clock.advance_micros(5_000_000);
    let known = Trust::from_pem(&pem).unwrap();
    assert_eq!(go(&bench.courier(&url, &known)).delivered, 1);
    thread.join().unwrap();
    assert_eq!(Trust::from_pem(b"nothing").err(), Some(TrustError));
}

#[test]
fn a_queue_does_not_grow_without_end() {
    let bench = Bench::new();
    let news: Vec<News> = (0..voicelog_archive::news::WAITING_MAX + 3)
        .map(|_| News::new(NewsKind::AlarmRaised, start(), None))
        .collect();
    assert_eq!(bench.archive.tell(&news).unwrap(), 3);
}
