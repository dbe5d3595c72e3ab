//! When new calls are turned away.

use crate::raw::RawCall;
use crate::support::*;
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::time::Duration;
use voicelog_model::Timestamp;
use voicelog_recorder::{CallState, Recorder, RecorderConfig, StartError, WhyNot};
use voicelog_src_sim::{SimError, place};

fn refused(server: &Server) -> (u16, Option<u32>) {
    let mut plan = server.plan("announced", 9);
    plan.duration = Some(Duration::from_millis(200));
    match place(&plan) {
        Err(SimError::Refused {
            status,
            retry_after,
            ..
        }) => (status, retry_after),
        other => panic!("{other:?}"),
    }
}

#[test]
fn with_too_little_room_on_the_disk_new_calls_get_503() {
    let server = server_with(&RecorderConfig {
        keep_free_bytes: u64::MAX,
        ..config()
    });
    assert_eq!(refused(&server), (503, Some(30)));
    let status = server.recorder.status();
    assert_eq!(
        (status.accepting, status.why_not),
        (false, Some(WhyNot::DiskNearlyFull))
    );
    wait_until("it is counted", || {
        server.recorder.status().counts.get("refused_not_accepting") == Some(&1)
    });
    // Whoever misses that call later finds it in the diary.
    let Server {
        recorder, archive, ..
    } = server;
    drop(recorder);
    let all = Timestamp::from_micros(0)..Timestamp::from_micros(i64::MAX);
    let diary = archive.diary(all.start, all.end, 100).unwrap();
    for what in ["ran", "no_new_calls_disk_full", "refused_not_accepting"] {
        let found = diary
            .iter()
            .any(|entry| entry.what == what && entry.count >= 1);
        assert!(found, "{what}: {diary:?}");
    }
}

#[test]
fn one_call_more_than_allowed_gets_503_and_the_others_go_on() {
    let server = server_with(&RecorderConfig {
        calls_max: 1,
        ..config()
    });
    let call = place(&server.plan("announced", 1)).unwrap();
    server.call_in(CallState::Recording);
    assert_eq!(refused(&server).0, 503);
    wait_until("media is kept", || {
        server.recorder.status().calls[0].media.kept > 20
    });
    call.hang_up().unwrap();
    server.all_closed();
}

/// The answer to an OPTIONS for this user; for the server itself without one.
fn options(server: &Server, user: &str) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (to, local) = (
        server.recorder.udp_address().unwrap(),
        socket.local_addr().unwrap(),
    );
    let at = if user.is_empty() { "" } else { "@" };
    let ping = format!(
        "OPTIONS sip:{user}{at}{to} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bKping\r\n\
         Max-Forwards: 70\r\nFrom: <sip:sbc@{local}>;tag=1\r\nTo: <sip:{user}{at}{to}>\r\n\
         Call-ID: ping@{local}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    );
    socket.set_read_timeout(Some(LONG)).unwrap();
    socket.send_to(ping.as_bytes(), to).unwrap();
    let mut answer = [0; 2_048];
    let length = socket.recv(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]);
    answer.split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn options_says_whether_a_call_to_that_line_would_be_recorded() {
    let server = server();
    for (user, wanted) in [
        ("announced", "200"),
        ("Announced", "200"),
        ("notice", "200"),
        // The law forbids every call on it.
        ("covert", "503"),
        // No such line.
        ("nosuch", "503"),
        // The server itself: there is a line that records.
        ("", "200"),
    ] {
        assert_eq!(options(&server, user), wanted, "{user}");
    }
    let full = server_with(&RecorderConfig {
        keep_free_bytes: u64::MAX,
        ..config()
    });
    assert_eq!(options(&full, "announced"), "503");
    let nothing = server_on(Vec::new());
    assert_eq!(options(&nothing, ""), "503");
}

#[test]
fn clients_that_only_connect_do_not_keep_a_call_out() {
    let server = server();
    let to = server.recorder.tcp_address().unwrap();
    let mut plan = server.plan("announced", 1);
    plan.transport = voicelog_src_sim::Transport::Tcp;
    plan.server = to;
    let first = place(&plan).unwrap();
    let id = server.call_in(CallState::Recording);
    let idle: Vec<_> = (0..1_000)
        .map(|_| TcpStream::connect(to).unwrap())
        .collect();
    let second = place(&plan).unwrap();
    wait_until("both are recorded", || {
        let calls = server.recorder.status().calls;
        calls
            .iter()
            .filter(|call| call.state == CallState::Recording)
            .count()
            == 2
    });
    wait_until("it is an alarm, once", || {
        let counts = server.recorder.status().counts;
        let closed = counts.get("tcp_closed_for_another");
        closed >= Some(&1) && counts.get("alarm_connections_full") == Some(&1)
    });
    // The connection of the call in progress is not one of those that made room.
    let report = first.hang_up().unwrap();
    second.hang_up().unwrap();
    server.all_closed();
    assert_eq!(payloads(&server.open(id), 1), sent(&report)[0]);
    drop(idle);
}

#[test]
fn it_does_not_start_without_an_address_or_without_ports() {
    let folder = tempfile::tempdir().unwrap();
    let archive = open_archive(folder.path());
    let clock = std::sync::Arc::new(MachineClock);
    let start = |config: &RecorderConfig| {
        Recorder::start(config, std::sync::Arc::clone(&archive), clock.clone()).err()
    };
    let nowhere = RecorderConfig {
        sip_udp: None,
        sip_tcp: None,
        ..config()
    };
    assert!(matches!(start(&nowhere), Some(StartError::NoAddress)));
    let no_ports = RecorderConfig {
        media_ports: 5_001..=5_001,
        ..config()
    };
    assert!(matches!(
        start(&no_ports),
        Some(StartError::NoMediaPorts { .. })
    ));
    let elsewhere = RecorderConfig {
        media_address: "192.0.2.1".parse().unwrap(),
        ..config()
    };
    assert!(matches!(
        start(&elsewhere),
        Some(StartError::Listen {
            transport: "media",
            ..
        })
    ));
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let twice = RecorderConfig {
        sip_udp: Some(taken.local_addr().unwrap()),
        ..config()
    };
    assert!(matches!(
        start(&twice),
        Some(StartError::Listen {
            transport: "UDP",
            ..
        })
    ));
}

#[test]
fn hostile_clients_over_tcp_lose_their_connection_and_nobody_else_anything() {
    let server = server();
    let mut plan = server.plan("announced", 1);
    plan.transport = voicelog_src_sim::Transport::Tcp;
    plan.server = server.recorder.tcp_address().unwrap();
    let call = place(&plan).unwrap();
    let id = server.call_in(CallState::Recording);
    let connect = || {
        let stream = TcpStream::connect(server.recorder.tcp_address().unwrap()).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream
    };
    // Messages that never end, and some that are never finished.
    let unfinished: Vec<_> = (0..50)
        .map(|_| {
            let mut stream = connect();
            stream.write_all(b"INVITE sip:x@y SIP/2.0\r\nVia").unwrap();
            stream
        })
        .collect();
    for flood in [
        vec![b'a'; 80_000],
        b"INVITE sip:x@y SIP/2.0\r\nContent-Length: 99999999999\r\n\r\n".to_vec(),
        vec![0xff; 80_000],
    ] {
        let mut stream = connect();
        // It may be closed before all of it is sent.
        let _closed = stream.write_all(&flood);
        let mut rest = Vec::new();
        let _reset = stream.read_to_end(&mut rest);
    }
    wait_until("they are counted", || {
        let refused = server.recorder.status().counts;
        refused.get("tcp_framing").is_some_and(|count| *count >= 2)
    });
    let report = call.hang_up().unwrap();
    server.all_closed();
    assert_eq!(payloads(&server.open(id), 1), sent(&report)[0]);
    drop(unfinished);
}

#[test]
fn a_call_without_siprec_is_recorded_only_where_the_configuration_says_so() {
    let (status, _refused) = RawCall::place_plain(&server(), "announced");
    assert_eq!(status, 403);
    let server = server_with(&RecorderConfig {
        accept_without_siprec: true,
        ..config()
    });
    let (status, mut call) = RawCall::place_plain(&server, "announced");
    assert_eq!(status, 200);
    // Nobody says who takes part, so no country is known: that is the strictest, and nothing is kept.
    server.call_in(CallState::Waiting);
    call.bye();
    server.all_closed();
}
