//! SIP over TLS: calls, and clients that do not do as they should.

use crate::pki::{Authority, NOW, TlsClient, file, options, tls_server};
use crate::raw::{DUTCH, GERMAN, RawCall, STAFF};
use crate::support::*;
use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use voicelog_archive::journal::Cause;
use voicelog_model::limits;
use voicelog_recorder::CallState;

const BOTH: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

fn wait_for_count(server: &Server, word: &'static str) {
    wait_until(word, || {
        server.recorder.status().counts.get(word).copied() >= Some(1)
    });
}

/// A connection to the port for TLS, without TLS.
fn plain(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.recorder.tls_address().unwrap()).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream
}

/// Waits until the server closes.
fn until_closed(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    // It may be reset where it has not read everything.
    if let Err(error) = stream.read_to_end(&mut rest) {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
}

#[test]
fn a_call_over_tls_is_recorded_from_the_invite_to_the_bye() {
    for version in BOTH {
        let (server, authority) = tls_server(None);
        let client = TlsClient::connect(&server, &authority, version, None);
        let to = server.recorder.tls_address().unwrap();
        let metadata = RawCall::metadata(&[STAFF, DUTCH]);
        let mut call = RawCall::place_over(Box::new(client), to, "announced", 2, Some(&metadata));
        let id = server.call_in(CallState::Recording);
        for _packet in 0..20 {
            call.speak(0);
            call.speak(1);
            pass(20);
        }
        call.bye();
        server.all_closed();
        assert_eq!(server.timeline(id).end, Some(Cause::RecordingClient));
        let opened = server.open(id);
        for stream in [1, 2] {
            assert_eq!(payloads(&opened, stream), vec![0xd5; 20 * 160]);
        }
    }
}

#[test]
fn our_own_requests_go_back_over_the_connection_that_the_call_came_over() {
    let (server, authority) = tls_server(None);
    let client = TlsClient::connect(&server, &authority, &TLS13, None);
    let to = server.recorder.tls_address().unwrap();
    let metadata = RawCall::metadata(&[STAFF, GERMAN]);
    let mut call = RawCall::place_over(Box::new(client), to, "announced", 2, Some(&metadata));
    let id = server.call_in(CallState::Waiting);
    server.say(
        id,
        &json!({ "consent_per_participant": { "p1": "given", "p2": "given" } }),
    );
    let reinvite = call.next_request();
    assert!(reinvite.starts_with("INVITE sip:src@"), "{reinvite}");
    assert!(reinvite.contains("a=recvonly"), "{reinvite}");
    for line in [
        format!("\r\nVia: SIP/2.0/TLS {to};"),
        format!("\r\nContact: <sip:{to};transport=tls>;+sip.srs\r\n"),
    ] {
        assert!(reinvite.contains(&line), "{line}: {reinvite}");
    }
}

#[test]
fn the_connection_is_lost_and_the_call_goes_on_over_another() {
    let (server, authority) = tls_server(None);
    let connect = || Box::new(TlsClient::connect(&server, &authority, &TLS13, None));
    let to = server.recorder.tls_address().unwrap();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let mut call = RawCall::place_over(connect(), to, "announced", 2, Some(&metadata));
    let id = server.call_in(CallState::Recording);
    call.go_on_over(connect());
    call.speak(0);
    call.bye();
    server.all_closed();
    assert_eq!(server.timeline(id).end, Some(Cause::RecordingClient));
}

#[test]
fn what_is_no_tls_and_what_breaks_off_is_counted_and_costs_its_own_connection() {
    let (server, authority) = tls_server(None);
    let mut other = TlsClient::connect(&server, &authority, &TLS13, None);
    assert!(other.ask().unwrap().starts_with("SIP/2.0 200 "));
    for bytes in [options(1).into_bytes(), vec![0xff; 80_000], vec![0; 80_000]] {
        let mut stream = plain(&server);
        // It may be closed before all of it is sent.
        let _closed = stream.write_all(&bytes);
        until_closed(&mut stream);
    }
    wait_for_count(&server, "tls_not_tls");
    drop(plain(&server));
    wait_for_count(&server, "tls_broken_off");
    let distrusting = Authority::new("somebody else");
    let mut client = TlsClient::connect(&server, &distrusting, &TLS13, None);
    client.ask().unwrap_err();
    wait_for_count(&server, "tls_refused_by_client");
    assert!(other.ask().unwrap().starts_with("SIP/2.0 200 "));
}

#[test]
fn half_a_handshake_is_waited_for_ten_seconds_and_nobody_else_waits() {
    let (server, authority) = tls_server(None);
    let mut half = plain(&server);
    // The head of a record that promises more than comes.
    half.write_all(&[0x16, 3, 1, 2, 0, 1, 0, 1]).unwrap();
    let mut other = TlsClient::connect(&server, &authority, &TLS12, None);
    assert!(other.ask().unwrap().starts_with("SIP/2.0 200 "));
    until_closed(&mut half);
    wait_for_count(&server, "tls_too_slow");
    assert!(other.ask().unwrap().starts_with("SIP/2.0 200 "));
}

#[test]
fn a_connection_counts_before_its_handshake_and_the_longest_silent_one_makes_room() {
    let (server, authority) = tls_server(None);
    let mut first = TlsClient::connect(&server, &authority, &TLS13, None);
    assert!(first.ask().unwrap().starts_with("SIP/2.0 200 "));
    let tcp = server.recorder.tcp_address().unwrap();
    let held: Vec<_> = (2..limits::SIP_CONNECTIONS_MAX)
        .map(|number| {
            let mut stream = TcpStream::connect(tcp).unwrap();
            // Whoever has sent a whole message may stay for hours.
            let number = u32::try_from(number).unwrap();
            stream.write_all(options(number).as_bytes()).unwrap();
            stream
        })
        .collect();
    let half = plain(&server);
    let mut next = TlsClient::connect(&server, &authority, &TLS13, None);
    assert!(next.ask().unwrap().starts_with("SIP/2.0 200 "));
    wait_for_count(&server, "tcp_closed_for_another");
    first.ask().unwrap_err();
    drop((held, half));
}

#[test]
fn a_client_that_asks_and_never_reads_loses_its_connection() {
    let (server, authority) = tls_server(None);
    let mut deaf = TlsClient::connect(&server, &authority, &TLS13, None);
    let mut other = TlsClient::connect(&server, &authority, &TLS13, None);
    let lost = (0..1_000_000).find(|number| deaf.write(&options(*number)).is_err());
    assert!(lost.is_some());
    assert!(other.ask().unwrap().starts_with("SIP/2.0 200 "));
}

#[test]
fn where_clients_must_show_a_certificate_the_right_one_opens_and_no_other() {
    let (clients, strangers) = (Authority::new("clients"), Authority::new("strangers"));
    let (server, authority) = tls_server(Some(&clients));
    let cases = [
        (None, "tls_no_client_certificate"),
        (Some(strangers.issue(NOW)), "tls_client_certificate_refused"),
        (
            Some(clients.issue((2020, 2021))),
            "tls_client_certificate_expired",
        ),
    ];
    let right = clients.issue(NOW);
    for version in BOTH {
        for (shown, _) in &cases {
            let mut client = TlsClient::connect(&server, &authority, version, shown.as_ref());
            client.ask().unwrap_err();
        }
        let mut client = TlsClient::connect(&server, &authority, version, Some(&right));
        assert!(client.ask().unwrap().starts_with("SIP/2.0 200 "));
    }
    for (_, word) in cases {
        wait_until(word, || {
            server.recorder.status().counts.get(word) == Some(&2)
        });
    }
}

#[test]
fn openssl_as_a_client_gets_its_answer_over_both_versions() {
    let clients = Authority::new("clients");
    let (server, authority) = tls_server(Some(&clients));
    let (folder, own) = (tempfile::tempdir().unwrap(), clients.issue(NOW));
    let name = |name, text: &str| file(folder.path(), name, text);
    for version in ["-tls1_2", "-tls1_3"] {
        let mut openssl = Command::new("openssl")
            .args(["s_client", "-quiet", "-verify_return_error", version])
            .args(["-verify_ip", "127.0.0.1", "-connect"])
            .arg(server.recorder.tls_address().unwrap().to_string())
            .arg("-CAfile")
            .arg(name("root.pem", &authority.pem))
            .arg("-cert")
            .arg(name("own.pem", &own.certificate))
            .arg("-key")
            .arg(name("key.pem", &own.key))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("openssl should be installed: `cargo xtask test` does it");
        let mut input = openssl.stdin.take().unwrap();
        input.write_all(options(1).as_bytes()).unwrap();
        let mut answer = [0; 15];
        openssl
            .stdout
            .take()
            .unwrap()
            .read_exact(&mut answer)
            .unwrap();
        assert_eq!(&answer, b"SIP/2.0 200 OK\r");
        openssl.kill().unwrap();
        openssl.wait().unwrap();
    }
}
