//! RTCP with a client: what it hears of its own stream.

use crate::raw::{DUTCH, RawCall, STAFF};
use crate::support::*;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;
use voicelog_recorder::CallState;

fn call(server: &Server, formats: &'static str) -> RawCall {
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let call = RawCall::place_as(server, "announced", 1, Some(&metadata), formats);
    server.call_in(CallState::Recording);
    call
}

/// Speaks, leaving out every tenth packet, until a datagram comes on the socket.
fn speak_until_report(call: &mut RawCall, socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    socket.set_nonblocking(true).unwrap();
    let mut bytes = vec![0; 2_048];
    for packet in 0..1_000_u32 {
        if packet % 10 == 9 {
            call.leave_out();
        } else {
            call.speak(0);
        }
        pass(20);
        if let Ok((length, from)) = socket.recv_from(&mut bytes) {
            bytes.truncate(length);
            return (bytes, from);
        }
    }
    panic!("no report came");
}

fn word(bytes: &[u8], place: usize) -> u32 {
    u32::from_be_bytes(*bytes[place..].first_chunk().unwrap())
}

#[test]
fn a_client_is_told_what_is_lost_where_its_own_reports_come_from() {
    let server = server();
    let mut call = call(&server, "8");
    let control = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = SocketAddr::new(call.to[0].ip(), call.to[0].port() + 1);
    call.speak(0);
    wait_until("the source is known", || {
        server.recorder.status().calls[0].media.kept == 1
    });
    let mut report = vec![0x80, 200, 0, 6, 0, 0, 0, 0];
    report.extend(0xeead_7fbf_747a_e147_u64.to_be_bytes());
    report.extend([0; 12]);
    control.send_to(&report, to).unwrap();
    let (bytes, from) = speak_until_report(&mut call, &control);
    assert_eq!(from, to, "from the port that it sends its own to");
    assert_eq!(bytes[..4], [0x81, 201, 0, 7]);
    assert_eq!(word(&bytes, 8), 0, "its source");
    let (lost, highest) = (word(&bytes, 12) & 0xff_ffff, word(&bytes, 16));
    assert!(highest >= 10, "{highest}");
    assert!(lost.abs_diff(highest / 10) <= 1, "{lost} of {highest}");
    assert_eq!(
        word(&bytes, 24),
        0x7fbf_747a,
        "its report, by the middle of its clock"
    );
    assert!((1..10 * 65_536).contains(&word(&bytes, 28)));
    assert_eq!(bytes[33], 202, "and our name");
    call.bye();
}

#[test]
fn with_one_port_for_both_the_report_comes_from_there() {
    let server = server();
    let mut call = call(&server, "8\r\na=rtcp-mux");
    let socket = call.media[0].try_clone().unwrap();
    let (bytes, from) = speak_until_report(&mut call, &socket);
    assert_eq!((bytes[1], from), (201, call.to[0]));
    call.bye();
}

#[test]
fn a_call_that_may_not_be_recorded_gets_no_report() {
    let server = server();
    let mut call = RawCall::place_as(&server, "covert", 1, None, "8\r\na=rtcp-mux");
    server.call_in(CallState::Waiting);
    let socket = call.media[0].try_clone().unwrap();
    socket.set_nonblocking(true).unwrap();
    for _packet in 0..250 {
        call.speak(0);
        pass(20);
    }
    assert!(socket.recv(&mut [0; 100]).is_err());
    call.bye();
}

#[test]
fn what_the_senders_say_of_their_clocks_and_that_they_left_is_in_the_report_once_it_is_closed() {
    let server = server();
    let mut plan = server.plan("announced", 1);
    plan.rtcp = true;
    plan.duration = Some(Duration::from_secs(6));
    let (id, _) = server.whole_call(&plan);
    let report = server.detail(id).report.unwrap();
    assert_eq!(report.senders.len(), 2, "{report:?}");
    for (claim, stream) in report.senders.iter().zip([1, 2]) {
        assert_eq!(claim.stream.0, stream);
        let clock = claim.clock.as_ref().unwrap();
        // The client's clock is this machine's; half a second is plenty on a busy one.
        assert!(clock.drift_ms.abs() < 500, "{claim:?}");
        assert!(
            clock.until_us > clock.at_us && claim.left_us >= Some(clock.until_us),
            "{claim:?}"
        );
    }
    // The voices, which were told during the call, are still there.
    assert_eq!(report.streams.len(), 2);
}
