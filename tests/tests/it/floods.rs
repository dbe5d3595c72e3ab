//! Floods, while calls record beside them: each is bounded, counted and refused by its rule, and
//! costs the calls nothing. Floods with damaged messages are in `damaged`; the limit on connections
//! and messages that are too large are tests of the recorder's own.

use crate::support::{LINE, Server, pause, running, write_config_with};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::process::Child;
use std::time::Duration;
use voicelog_src_sim::{CallPlan, Load, Outcome, Payload, StreamPlan, place, run, speech};

/// Connections that send a byte now and then, and how many seconds they go on: a message must be
/// there after 30.
const SLOW: usize = 100;
const SLOW_SECONDS: u32 = 36;
/// Datagrams of each flood of media, and how many of them go out in one go.
const DATAGRAMS: u32 = 12_000;
const AT_ONCE: u32 = 40;

fn beside(server: &Server, calls: &str, seconds: &str) -> Child {
    running(&[
        "simulate",
        "--json",
        "--server",
        &server.sip.to_string(),
        "--line",
        LINE,
        "--calls",
        calls,
        "--seconds",
        seconds,
        "--config",
        server.config(),
    ])
}

fn passes(test: Child) {
    let output = test.wait_with_output().unwrap();
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["verdict"], "pass", "{told:#}");
}

/// So many packets of RTP to each of these ports, from nobody who was asked.
fn flood(ports: &[SocketAddr]) {
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    for number in 0..DATAGRAMS {
        let [_, _, high, low] = number.to_be_bytes();
        let mut packet = [0xd5; 172];
        packet[..12].copy_from_slice(&[0x80, 8, high, low, 0, 0, high, low, 9, 9, 9, 9]);
        for port in ports {
            // A closed port answers with an error of its own (ICMP), which says so and no more.
            let _refused = stranger.send_to(&packet, port).is_err();
        }
        if number % AT_ONCE == 0 {
            pause(Duration::from_millis(10));
        }
    }
}

#[test]
fn slow_senders_and_media_from_strangers_and_to_closed_ports_cost_the_calls_beside_them_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config_with(folder.path(), "", "", (50_000, 51_999));
    let server = Server::start(&config);
    let test = beside(&server, "20", "30");
    let slow: Vec<_> = (0..SLOW)
        .map(|_| TcpStream::connect(server.sip).unwrap())
        .collect();
    let slow = std::thread::spawn(move || drip(slow));

    // A call of ours whose ports we know, as a stranger could have found them.
    let mut plan = CallPlan::speech(server.sip, LINE);
    plan.streams = vec![
        StreamPlan::new("1", Payload::looping(speech::AGENT)),
        StreamPlan::new("2", Payload::looping(speech::CUSTOMER)),
    ];
    let call = place(&plan).unwrap();
    pause(Duration::from_millis(500));
    let (before, _) = server.memory_kib();
    let streams = call.status().answer.unwrap().streams;
    let open: Vec<_> = streams
        .iter()
        .map(|stream| stream.address.unwrap())
        .collect();
    flood(&open);
    let closed: Vec<SocketAddr> = (51_900..51_904)
        .map(|port| ([127, 0, 0, 1], port).into())
        .collect();
    flood(&closed);
    let report = call.hang_up().unwrap();
    assert!(report.streams.iter().all(|stream| stream.sent.packets > 0));

    let still_open = slow.join().unwrap();
    assert_eq!(
        still_open, 0,
        "connections that never finish a message are closed after 30 s"
    );
    passes(test);
    let (_, peak) = server.memory_kib();
    assert!(peak - before < 32 * 1024, "{before} KiB grew to {peak} KiB");
    let events = server.events();
    assert!(
        events["tcp_idle"] >= u64::try_from(SLOW).unwrap(),
        "{events:?}"
    );
    let packets = server.counts("voicelog_packets_total{fate=\"");
    assert!(packets["foreign"] >= u64::from(DATAGRAMS), "{packets:?}");
    // The call that the strangers sent to is whole as well.
    let rows = server.wait_for_closed(21);
    assert!(rows.iter().all(|row| row["verdict"] == "whole"), "{rows:?}");
}

/// One byte a second on each connection, of a message that never ends; how many are open after it.
fn drip(mut connections: Vec<TcpStream>) -> usize {
    let message = b"INVITE sip:verkoop@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9\r\n";
    for byte in message
        .iter()
        .cycle()
        .take(usize::try_from(SLOW_SECONDS).unwrap())
    {
        for connection in &mut connections {
            // Closed by now: that is what is wanted.
            let _closed = connection.write_all(&[*byte]).is_err();
        }
        pause(Duration::from_secs(1));
    }
    let is_open = |connection: &mut &mut TcpStream| {
        connection.set_nonblocking(true).unwrap();
        let read = connection.read(&mut [0]);
        matches!(read, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
    };
    connections
        .iter_mut()
        .filter_map(|mut c| is_open(&mut c).then_some(()))
        .count()
}

#[test]
fn an_invite_flood_gets_503_with_a_time_to_try_again_and_the_calls_before_it_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config_with(folder.path(), "", "calls_max = 20", (0, 0));
    let server = Server::start(&config);
    let test = beside(&server, "20", "8");
    pause(Duration::from_secs(3));
    let load = Load {
        calls_per_second: 500,
        ..Load::new(server.sip, LINE, 1_000, Duration::from_secs(1))
    };
    let report = run(&load).unwrap();
    for call in &report.calls {
        let refused = matches!(
            &call.outcome,
            Outcome::Refused { status: 503, retry_after: Some(seconds), .. } if *seconds > 0
        );
        assert!(refused, "{:?}", call.outcome);
    }
    passes(test);
    let events = server.events();
    let refused = ["refused_not_accepting", "refused_full"];
    let refused: u64 = refused.iter().filter_map(|event| events.get(*event)).sum();
    assert!(refused >= 1_000, "{events:?}");
}
