//! What is kept of a call that may be recorded.

use crate::support::*;
use std::time::Duration;
use voicelog_archive::State;
use voicelog_archive::check::Level;
use voicelog_archive::journal::Cause;
use voicelog_archive::timeline::{IntervalKind, Verdict};
use voicelog_recorder::CallState;
use voicelog_src_sim::{Transport, place};

#[test]
fn a_call_is_kept_packet_for_packet_over_udp_and_over_tcp() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let server = server();
        let mut plan = server.plan("announced", 1);
        plan.transport = transport;
        if transport == Transport::Tcp {
            plan.server = server.recorder.tcp_address().unwrap();
        }
        plan.duration = Some(Duration::from_millis(1_500));
        let (id, report) = server.whole_call(&plan);
        let opened = server.open(id);
        for (stream, payload) in (1..).zip(sent(&report)) {
            assert_eq!(payload.len(), 75 * 160);
            assert_eq!(
                payloads(&opened, stream),
                payload,
                "stream {stream} over {transport:?}"
            );
        }
        let timeline = server.timeline(id);
        assert_eq!(timeline.verdict, Verdict::Whole, "{timeline:#?}");
        assert_eq!(timeline.end, Some(Cause::RecordingClient));
        assert_eq!(timeline.streams[0].stream.party.as_deref(), Some("p1"));
        assert_eq!(server.detail(id).summary.state, State::Sealed);
        drop(server.recorder);
        assert_eq!(server.archive.check(Level::Hash).unwrap().wrong, []);
    }
}

#[test]
fn two_calls_at_once_do_not_mix() {
    let server = server();
    let calls: Vec<_> = (1..=4)
        .map(|seed| {
            let mut plan = server.plan("announced", seed);
            plan.duration = Some(Duration::from_millis(800));
            place(&plan).unwrap()
        })
        .collect();
    let mut seen = Vec::new();
    wait_until("all four are recorded", || {
        seen = server.recorder.status().calls;
        seen.iter()
            .filter(|call| call.state == CallState::Recording)
            .count()
            == 4
    });
    let sent: Vec<_> = calls
        .into_iter()
        .map(|call| sent(&call.finish().unwrap()))
        .collect();
    server.all_closed();
    let mut kept: Vec<_> = seen
        .iter()
        .map(|call| server.open(call.id))
        .map(|opened| vec![payloads(&opened, 1), payloads(&opened, 2)])
        .collect();
    for streams in sent {
        let place = kept
            .iter()
            .position(|kept| *kept == streams)
            .expect("a call is not whole");
        kept.remove(place);
    }
}

#[test]
fn a_stranger_who_finds_the_port_is_not_on_the_recording() {
    let server = server();
    let call = place(&server.plan("announced", 1)).unwrap();
    let id = server.call_in(CallState::Recording);
    wait_until("media flows", || {
        server.recorder.status().calls[0].media.kept > 10
    });
    let port = call.status().answer.unwrap().streams[0].address.unwrap();
    let stranger = stranger();
    for sequence in 0..50 {
        stranger.send_to(&strange_packet(sequence), port).unwrap();
    }
    wait_until("the stranger is seen", || {
        server.recorder.status().calls[0].media.foreign == 50
    });
    let report = call.hang_up().unwrap();
    server.all_closed();
    assert_eq!(payloads(&server.open(id), 1), sent(&report)[0]);
}

#[test]
fn a_pause_of_the_client_stands_on_the_timeline() {
    let server = server();
    let call = place(&server.plan("announced", 1)).unwrap();
    let id = server.call_in(CallState::Recording);
    wait_until("media flows", || {
        server.recorder.status().calls[0].media.kept > 20
    });
    assert_eq!(call.pause().unwrap(), 200);
    pass(300);
    assert_eq!(call.resume().unwrap(), 200);
    let kept = server.recorder.status().calls[0].media.kept;
    wait_until("media flows again", || {
        server.recorder.status().calls[0].media.kept > kept + 20
    });
    let report = call.hang_up().unwrap();
    server.all_closed();
    let timeline = server.timeline(id);
    let paused: Vec<_> = timeline.streams[0]
        .intervals
        .iter()
        .filter(|interval| interval.kind == IntervalKind::Paused)
        .collect();
    assert_eq!(paused.len(), 1, "{timeline:#?}");
    // It is a hold, and the law does not let a hold be recorded.
    assert_eq!(paused[0].cause, Some(Cause::Refusal));
    assert_eq!(paused[0].grounds[0].rule, "avg.5.on_hold");
    assert!(paused[0].length_us() >= 250_000);
    assert_eq!(
        timeline.verdict,
        Verdict::WholeWithDeclaredGaps,
        "{timeline:#?}"
    );
    // Nothing is missing but what came while the law was asked whether it may go on.
    let (kept, all) = (payloads(&server.open(id), 2), &sent(&report)[1]);
    let (kept, all): (Vec<_>, Vec<_>) = (kept.chunks(160).collect(), all.chunks(160).collect());
    let pairs = kept.iter().zip(&all);
    let before = pairs.take_while(|(kept, sent)| kept == sent).count();
    assert!(before > 0 && all.ends_with(&kept[before..]));
}
