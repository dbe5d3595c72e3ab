//! Damaged INVITEs of every dialect, while calls record beside them: nothing panics, not one
//! packet of those calls is lost, and memory stays within its bound.

use crate::support::{LINE, Server, pause, running, voicelog, write_config_with};
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;
use voicelog_src_sim::{Dialect, Load};
use voicelog_tests::fuzz_smoke::{Dice, damaged};

/// Calls that record meanwhile.
const CALLS: u64 = 200;
/// Damaged messages, and every how many of them one goes over TCP.
const DAMAGED: u32 = 20_000;
const OVER_TCP: u32 = 10;
/// Sent in one go before the next look at the clock, and the pause after it.
const AT_ONCE: u32 = 20;
const BREATH: Duration = Duration::from_millis(25);
/// What the server may grow by, from the calls recording undisturbed to its highest: the
/// sessions that damaged INVITEs open (up to `calls_max`, each with a journal and ports) and the
/// connections they come over.
const GROWTH_KIB_MAX: u64 = 160 * 1024;

#[test]
fn twenty_thousand_damaged_invites_cost_two_hundred_calls_not_one_packet() {
    let folder = tempfile::tempdir().unwrap();
    let config = write_config_with(folder.path(), "", "calls_max = 400", (0, 0));
    let mut server = Server::start_logged(&config, &folder.path().join("log"));
    let test = running(&[
        "simulate",
        "--json",
        "--server",
        &server.sip.to_string(),
        "--line",
        LINE,
        "--calls",
        &CALLS.to_string(),
        "--rate",
        "200",
        "--seconds",
        "40",
        "--config",
        server.config(),
    ]);
    pause(Duration::from_secs(4));
    let (before, _) = server.memory_kib();
    let sent = send_damaged(server.sip);
    let (_, peak) = server.memory_kib();
    let output = test.wait_with_output().unwrap();
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["verdict"], "pass", "{told:#}");
    assert_eq!(told["received_from_the_start"], CALLS);

    let events = server.events();
    let read: u64 = [
        "requests",
        "responses",
        "ignored_not_sip",
        "ignored_keepalive",
    ]
    .iter()
    .map(|event| events.get(*event).copied().unwrap_or(0))
    .sum();
    println!(
        "{sent} damaged messages over UDP, read {read}; {before} KiB before, {peak} KiB at most: {events:?}"
    );
    // What was sent and is neither answered nor counted was lost in silence. The calls beside them
    // send three requests each.
    assert!(
        read >= sent + 3 * CALLS,
        "{read} of {sent} datagrams were read: {events:?}"
    );
    assert!(
        peak - before < GROWTH_KIB_MAX,
        "{before} KiB grew to {peak} KiB"
    );
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(!log.contains("panic"), "{log}");

    // And the archive with everything that they left in it is sound, also after a kill.
    server.kill();
    let server = Server::start(&config);
    let check = voicelog(&["check", "--level", "hash", "--config", server.config()]);
    assert!(
        check.status.success(),
        "{}",
        String::from_utf8_lossy(&check.stdout)
    );
}

/// Sends them, and gives how many datagrams the system took.
fn send_damaged(server: SocketAddr) -> u64 {
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let local = stranger.local_addr().unwrap();
    let load = Load {
        dialects: Dialect::ALL.to_vec(),
        ..Load::new(server, LINE, 1, Duration::from_secs(1))
    };
    let mut dice = Dice::new(20_261_121);
    let mut sent = 0;
    for number in 0..DAMAGED {
        let whole = [load.invite(number, local), load.invite(number + 1, local)];
        let mut bytes = damaged(&whole, &mut dice);
        // Longer ones do not fit into a datagram; TCP takes those.
        if number % OVER_TCP == 0 || bytes.len() > 60_000 {
            // Whether it is taken, cut off or refused is the server's affair.
            if let Ok(mut stream) = TcpStream::connect(server) {
                let _taken = stream.write_all(&bytes).is_ok();
            }
        } else {
            bytes.truncate(60_000);
            sent += u64::from(stranger.send_to(&bytes, server).is_ok());
        }
        if number % AT_ONCE == 0 {
            pause(BREATH);
        }
    }
    sent
}
