//! RTCP: what is kept of the client's, and what it gets.

use super::*;

#[test]
fn control_packets_of_the_streams_host_are_kept_from_both_ports() {
    let mut bench = Bench::keeping();
    let report = [0x80, 200, 0, 6, 0, 0, 0, 1];
    let mut control = bench.rtp[0];
    control.set_port(control.port() + 1);
    bench.client.send_to(&report, control).unwrap();
    bench.sweep();
    assert_eq!(bench.counts().foreign, 1, "no source is known yet");
    bench.say(1);
    bench.sweep();
    bench.send(&report);
    bench.client.send_to(&report, control).unwrap();
    bench.client.send_to(&rtp(8, 2, SSRC), control).unwrap();
    bench.sweep();
    let counts = bench.counts();
    assert_eq!((counts.kept, counts.control, counts.unusable), (1, 2, 1));
}

/// Sends packets and sweeps as if so many seconds later; the datagrams that came back.
fn reports_after(bench: &mut Bench, seconds: i64) -> Vec<Vec<u8>> {
    bench.say(1);
    bench.sweep();
    let time = SweepTime::of_kernel().later(seconds * 1_000_000);
    bench.session.sweep(&mut bench.receiver, time, true);
    bench.client.set_nonblocking(true).unwrap();
    let mut bytes = [0; 2_048];
    std::iter::from_fn(|| {
        let length = bench.client.recv(&mut bytes).ok()?;
        Some(bytes[..length].to_vec())
    })
    .collect()
}

#[test]
fn a_source_that_is_kept_gets_a_report_protected_with_our_key() {
    let mut bench = Bench::keeping();
    let mut reports = reports_after(&mut bench, 10);
    assert_eq!(reports.len(), 1);
    let report = Unprotector::new(&our_key()).unwrap();
    let mut report = report;
    let plain = report.control(&mut reports[0]).unwrap();
    assert_eq!(plain[..4], [0x81, 201, 0, 7]);
    assert_eq!(plain[8..12], SSRC.to_be_bytes());
}

#[test]
fn without_a_permit_and_while_the_law_is_asked_nobody_gets_a_report() {
    let mut bench = Bench::new(1);
    assert!(reports_after(&mut bench, 10).is_empty());
    bench.close(now(), Vec::new(), None);
    assert!(reports_after(&mut bench, 20).is_empty());
}

#[test]
fn a_goodbye_of_the_source_is_noted_until_it_sends_again() {
    let mut bench = Bench::keeping();
    bench.say(1);
    let goodbye = |ssrc: u32| [&[0x81, 203, 0, 1][..], &ssrc.to_be_bytes()].concat();
    bench.send(&goodbye(SSRC + 1));
    bench.sweep();
    assert!(!bench.counts().has_left(StreamNumber(1)), "of another one");
    bench.send(&goodbye(SSRC));
    bench.sweep();
    assert!(bench.counts().has_left(StreamNumber(1)));
    bench.say(2);
    bench.sweep();
    assert!(!bench.counts().has_left(StreamNumber(1)));
    assert_eq!(bench.counts().control, 2, "the packets themselves are kept");
}

#[test]
fn a_report_that_came_in_a_pause_is_not_kept_however_late_its_socket_is_read() {
    let mut bench = Bench::keeping();
    bench.say(1);
    bench.sweep();
    bench.pause(60_000);
    let mut control = bench.rtp[0];
    control.set_port(control.port() + 1);
    let report = [0x80, 200, 0, 6, 0, 0, 0, 1];
    bench.client.send_to(&report, control).unwrap();
    assert!(bench.resume());
    // Sockets of reports are read less often.
    for with_control in [false, false, true] {
        let time = SweepTime::of_kernel();
        bench.session.sweep(&mut bench.receiver, time, with_control);
    }
    assert_eq!((bench.counts().control, bench.counts().paused), (0, 1));
    bench.client.send_to(&report, control).unwrap();
    bench.sweep();
    assert_eq!(bench.counts().control, 1);
}
