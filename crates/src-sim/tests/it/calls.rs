//! No test here asserts how long something took; only what was sent, and in which order.

use crate::responder::{Heard, Responder, Script};
use sha2::{Digest, Sha256};
use std::net::UdpSocket;
use std::time::Duration;
use voicelog_model::rtp::RtpPacket;
use voicelog_model::{Codec, Kind, Language};
use voicelog_src_sim::{
    CallPlan, CallReport, Disturbance, Load, Outcome, Participant, Payload, Side, SimError,
    SimulateOptions, Transport, place, run, simulate, speech,
};

/// Long enough for a loaded machine; a test that waits so long has failed.
const LONG: Duration = Duration::from_secs(20);

fn plan(responder: &Responder, packets: u64) -> CallPlan {
    let mut plan = CallPlan::speech(responder.address, "verkoop");
    plan.duration = Some(Duration::from_millis(packets * 20));
    for stream in &mut plan.streams {
        stream.keep_payload = true;
        stream.first_timestamp = Some(0);
        stream.first_sequence = Some(65_530);
    }
    plan
}

fn sequences(packets: &[Vec<u8>]) -> Vec<u16> {
    let sequence = |bytes: &Vec<u8>| RtpPacket::parse(bytes).unwrap().sequence;
    packets.iter().map(sequence).collect()
}

/// The payload of a stream as a recorder would store it: in order, each packet once.
fn stored(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut packets: Vec<RtpPacket<'_>> = packets
        .iter()
        .map(|bytes| RtpPacket::parse(bytes).unwrap())
        .collect();
    let first = packets.iter().map(|p| p.timestamp).min().unwrap_or(0);
    packets.sort_by_key(|p| p.timestamp.wrapping_sub(first));
    packets.dedup_by_key(|p| p.sequence);
    packets.iter().flat_map(|p| p.payload.to_vec()).collect()
}

fn assert_all_arrived(report: &CallReport, heard: &Heard) {
    for (stream, packets) in report.streams.iter().zip(&heard.streams) {
        let stored = stored(packets);
        assert_eq!(stream.payload.as_ref(), Some(&stored), "{}", stream.label);
        assert_eq!(
            <[u8; 32]>::from(Sha256::digest(&stored)),
            stream.payload_sha256
        );
        assert_eq!(stream.sent.datagrams, u64::try_from(packets.len()).unwrap());
    }
}

#[test]
fn a_call_is_placed_spoken_and_ended_as_planned() {
    let responder = Responder::udp(Script::default());
    let call = place(&plan(&responder, 20)).unwrap();
    assert!(call.answer().receives());
    assert_eq!(call.answer().streams[1].label.as_deref(), Some("2"));
    let report = call.finish().unwrap();
    let by_us = Outcome::Ended {
        by: Side::Client,
        status: Some(200),
    };
    assert_eq!(report.outcome, by_us);
    let heard = responder.only_call();
    assert_all_arrived(&report, &heard);
    assert_eq!(stored(&heard.streams[0]), &speech::AGENT[..20 * 160]);
    assert_eq!(stored(&heard.streams[1]), &speech::CUSTOMER[..20 * 160]);
    let sent = &report.streams[0].sent;
    assert_eq!((sent.packets, sent.payload_bytes), (20, 3_200));
    assert_eq!(
        (sent.first_sequence, sent.last_sequence),
        (Some(65_530), Some(13))
    );
    assert!(report.streams[0].first_sent_at.unwrap() <= report.streams[0].last_sent_at.unwrap());
    assert_eq!((heard.count("ACK "), heard.count("BYE ")), (1, 1));
}

#[test]
fn the_whole_speech_is_sent_if_the_plan_gives_no_duration() {
    let responder = Responder::udp(Script::default());
    let mut plan = CallPlan::speech(responder.address, "verkoop");
    plan.streams[0].payload = Payload::once(&speech::AGENT[..4_001]);
    plan.streams[1].payload = Payload::once(&speech::CUSTOMER[..100]);
    let report = place(&plan).unwrap().finish().unwrap();
    let heard = responder.only_call();
    // 4,001 samples need 26 packets; silence fills the rest, on the shorter stream too.
    assert!(report.streams.iter().all(|s| s.sent.packets == 26));
    let agent = stored(&heard.streams[0]);
    assert_eq!(&agent[..4_001], &speech::AGENT[..4_001]);
    assert!(agent[4_001..].iter().all(|b| *b == speech::SILENCE));
}

#[test]
fn media_starts_when_the_server_turns_from_inactive_to_recvonly() {
    let responder = Responder::udp(Script {
        direction: "inactive",
        reinvite: Some((60, "recvonly")),
        ..Script::default()
    });
    let mut plan = plan(&responder, 0);
    plan.duration = None;
    let call = place(&plan).unwrap();
    assert!(!call.answer().receives());
    assert!(!call.status().flows());
    assert_eq!(call.status().streams[0].sent.packets, 0);
    assert!(call.wait_for(LONG, |s| s.streams[0].sent.packets >= 5));
    assert!(call.status().flows());
    let report = call.hang_up().unwrap();
    let heard = responder.only_call();
    assert_all_arrived(&report, &heard);
    // The conversation went on meanwhile: what comes first is what was said at that moment.
    let first = RtpPacket::parse(&heard.streams[0][0]).unwrap();
    let start = usize::try_from(first.timestamp).unwrap();
    assert!(start > 0 && first.marker && first.sequence == 65_530);
    assert_eq!(first.payload, &speech::AGENT[start..start + 160]);
    let changes = &report.streams[0].changes;
    assert_eq!((changes[0].flows, changes[0].by), (true, Side::Server));
    assert_eq!((changes[1].flows, changes[1].by), (false, Side::Client));
}

#[test]
fn a_stubborn_client_sends_although_the_server_is_inactive() {
    let responder = Responder::udp(Script {
        direction: "inactive",
        ..Script::default()
    });
    let mut plan = plan(&responder, 5);
    plan.honour_direction = false;
    let report = place(&plan).unwrap().finish().unwrap();
    assert_eq!(report.streams[0].sent.packets, 5);
    assert_all_arrived(&report, &responder.only_call());
}

#[test]
fn an_honest_client_sends_nothing_to_a_server_that_stays_inactive() {
    let responder = Responder::udp(Script {
        direction: "inactive",
        ..Script::default()
    });
    let report = place(&plan(&responder, 10)).unwrap().finish().unwrap();
    assert!(
        report
            .streams
            .iter()
            .all(|s| s.sent.packets == 0 && s.changes.is_empty())
    );
    assert!(responder.only_call().streams.iter().all(Vec::is_empty));
}

#[test]
fn the_server_hangs_up() {
    let responder = Responder::udp(Script {
        bye_after: Some(6),
        ..Script::default()
    });
    let mut plan = plan(&responder, 0);
    plan.duration = None;
    let call = place(&plan).unwrap();
    assert!(call.wait_for(LONG, |s| s.outcome.is_some()));
    assert!(matches!(call.pause(), Err(SimError::Ended)));
    let report = call.finish().unwrap();
    assert!(report.ended_by_server());
    assert!(report.streams[0].sent.packets >= 3);
}

#[test]
fn a_refusal_gives_status_and_time_to_try_again() {
    let responder = Responder::udp(Script {
        status: 503,
        ..Script::default()
    });
    let error = place(&plan(&responder, 5)).unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    let refused = matches!(
        error,
        SimError::Refused {
            status: 503,
            retry_after: Some(30),
            ..
        }
    );
    assert!(refused, "{error}");
    assert_eq!(responder.only_call().count("ACK "), 1);
}

#[test]
fn a_port_where_nobody_listens_is_said_at_once() {
    let closed = UdpSocket::bind("127.0.0.1:0").unwrap();
    let server = closed.local_addr().unwrap();
    drop(closed);
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut plan = CallPlan::speech(server, "verkoop");
        plan.transport = transport;
        let error = place(&plan).unwrap_err();
        assert!(matches!(error, SimError::Unreachable { .. }), "{error}");
    }
}

#[test]
fn a_server_that_never_answers_is_cancelled() {
    let responder = Responder::udp(Script {
        status: 180,
        ..Script::default()
    });
    let mut plan = plan(&responder, 5);
    plan.answer_within = Duration::from_millis(60);
    let error = place(&plan).unwrap_err();
    assert!(matches!(error, SimError::NoAnswer { .. }), "{error}");
    let heard = responder.only_call();
    assert_eq!((heard.count("CANCEL "), heard.count("ACK ")), (1, 1));
}

#[test]
fn the_client_pauses_resumes_and_tells_who_takes_part() {
    let responder = Responder::udp(Script::default());
    let mut plan = plan(&responder, 0);
    plan.duration = None;
    let call = place(&plan).unwrap();
    assert!(call.wait_for(LONG, |s| s.streams[0].sent.packets >= 3));
    assert_eq!(call.pause().unwrap(), 200);
    assert!(!call.status().flows());
    let parties = [Participant::new("sip:chef@voorbeeld.example", "Chef")];
    assert_eq!(call.update_metadata(&parties).unwrap(), 200);
    assert_eq!(call.resume().unwrap(), 200);
    let before = call.status().streams[0].sent.packets;
    assert!(call.wait_for(LONG, |s| s.streams[0].sent.packets > before + 2));
    let report = call.hang_up().unwrap();
    let heard = responder.only_call();
    assert_all_arrived(&report, &heard);
    let flows: Vec<bool> = report.streams[0].changes.iter().map(|c| c.flows).collect();
    assert_eq!(flows, [true, false, true, false]);
    assert!(
        heard
            .messages
            .iter()
            .any(|m| m.starts_with("UPDATE ") && m.contains("<name>Chef"))
    );
    // Numbers go on without a hole over the pause; the second talk spurt has the marker.
    let numbers = sequences(&heard.streams[0]);
    assert!(numbers.windows(2).all(|w| w[1] == w[0].wrapping_add(1)));
    let marked = |b: &&Vec<u8>| RtpPacket::parse(b).unwrap().marker;
    assert_eq!(heard.streams[0].iter().filter(marked).count(), 2);
}

#[test]
fn a_pause_asked_while_the_server_asks_something_waits_its_turn() {
    let responder = Responder::udp(Script {
        direction: "inactive",
        reinvite: Some((20, "recvonly")),
        ..Script::default()
    });
    let mut plan = plan(&responder, 0);
    plan.duration = None;
    let call = place(&plan).unwrap();
    assert!(call.wait_for(LONG, |s| s.flows()));
    assert_eq!(call.pause().unwrap(), 200);
    assert!(!call.status().flows());
    let heard = {
        call.hang_up().unwrap();
        responder.only_call()
    };
    // The 200 to the server's request was acknowledged before ours went out.
    assert_eq!((heard.count("SIP/2.0 200"), heard.count("INVITE ")), (1, 2));
}

#[test]
fn losses_duplicates_and_swaps_happen_as_planned() {
    let responder = Responder::udp(Script::default());
    let mut plan = plan(&responder, 8);
    plan.streams[1].disturbance = Disturbance {
        drop: [1, 2].into(),
        duplicate: [4].into(),
        swap_with_next: [5, 7].into(),
    };
    let report = place(&plan).unwrap().finish().unwrap();
    let heard = responder.only_call();
    assert_all_arrived(&report, &heard);
    assert_eq!(
        sequences(&heard.streams[0]),
        [65_530, 65_531, 65_532, 65_533, 65_534, 65_535, 0, 1]
    );
    assert_eq!(
        sequences(&heard.streams[1]),
        [65_530, 65_533, 65_534, 65_534, 0, 65_535, 1]
    );
    assert_eq!(report.streams[1].sent.dropped, 2);
}

#[test]
fn a_server_that_picks_mu_law_gets_mu_law() {
    let responder = Responder::udp(Script {
        payload_type: 0,
        ..Script::default()
    });
    let report = place(&plan(&responder, 3)).unwrap().finish().unwrap();
    assert_eq!(report.streams[0].codec, Codec::Pcmu);
    let heard = responder.only_call();
    assert_all_arrived(&report, &heard);
    assert_eq!(
        RtpPacket::parse(&heard.streams[0][0]).unwrap().payload_type,
        0
    );
}

#[test]
fn sender_reports_and_a_goodbye_go_to_the_next_port() {
    let responder = Responder::udp(Script::default());
    let mut plan = plan(&responder, 4);
    plan.rtcp = true;
    let report = place(&plan).unwrap().finish().unwrap();
    let heard = responder.only_call();
    assert_all_arrived(&report, &heard);
    assert_eq!(heard.reports.len(), 4);
    assert!(heard.reports.iter().all(|bytes| RtpPacket::is_rtcp(bytes)));
    let ssrc = report.streams[0].ssrc.to_be_bytes();
    let ours: Vec<_> = heard.reports.iter().filter(|r| r[4..8] == ssrc).collect();
    // The first after one packet, the last after all four, with a goodbye at its end.
    assert_eq!(
        (&ours[0][20..24], &ours[1][20..24]),
        (&[0, 0, 0, 1][..], &[0, 0, 0, 4][..])
    );
    assert_eq!(ours[1][ours[1].len() - 7], 203);
}

#[test]
fn a_call_over_tcp_is_the_same_call() {
    let responder = Responder::tcp(Script {
        reinvite: Some((20, "inactive")),
        ..Script::default()
    });
    let mut plan = plan(&responder, 0);
    (plan.transport, plan.duration) = (Transport::Tcp, None);
    let call = place(&plan).unwrap();
    assert!(call.wait_for(LONG, |s| s.streams[0].sent.packets > 0 && !s.flows()));
    let report = call.hang_up().unwrap();
    let heard = responder.only_call();
    assert_all_arrived(&report, &heard);
    assert!(heard.messages[0].contains("Via: SIP/2.0/TCP "));
    assert_eq!(report.streams[0].changes[1].by, Side::Server);
}

#[test]
fn a_plan_that_cannot_be_carried_out_says_what_is_wrong() {
    let server = "127.0.0.1:5060".parse().unwrap();
    let mut plan = CallPlan::speech(server, "verkoop@elders\r\nEvil: 1");
    assert!(matches!(place(&plan), Err(SimError::BadPlan { .. })));
    plan.request_user = "verkoop".to_owned();
    plan.packet_ms = 1;
    assert!(matches!(place(&plan), Err(SimError::BadPlan { .. })));
    let load = Load::new(server, "verkoop", 0, LONG);
    assert!(matches!(run(&load), Err(SimError::BadPlan { .. })));
}

#[test]
fn every_stream_of_a_load_carries_its_own_bytes_and_nothing_is_lost() {
    let responder = Responder::udp(Script::default());
    let mut load = Load::new(responder.address, "verkoop", 12, Duration::from_millis(300));
    load.calls_per_second = 200;
    let report = run(&load).unwrap();
    let calls = responder.finish();
    assert_eq!(
        (report.calls.len(), calls.len(), report.unsent),
        (12, 12, 0)
    );
    assert_eq!(report.lateness.packets(), 12 * 2 * 15);
    let mut hashes = Vec::new();
    for (number, call) in (0..).zip(&report.calls) {
        let heard = &calls[&call.call_id];
        let party = format!("tel:+312000{number:05}");
        assert!(heard.messages[0].contains(&party));
        for (place, stream) in (0..).zip(&call.streams) {
            assert_eq!(stream.sent.packets, 15);
            let stored = stored(&heard.streams[place]);
            assert_eq!(
                <[u8; 32]>::from(Sha256::digest(&stored)),
                stream.payload_sha256
            );
            let seed = load.stream_seed(number, u32::try_from(place).unwrap());
            let mut first = [0; 160];
            Payload::Seeded(seed).fill(0, &mut first);
            assert_eq!(stored[..160], first);
            hashes.push(stream.payload_sha256);
        }
    }
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), 24);
}

#[test]
fn a_call_that_is_answered_without_media_says_so_and_where_the_reason_is() {
    let responder = Responder::udp(Script {
        direction: "inactive",
        ..Script::default()
    });
    let mut options = SimulateOptions::new(responder.address, "verkoop");
    options.duration = Duration::from_millis(100);
    let report = simulate(&options).unwrap();
    assert_eq!((report.answered, report.never_wanted), (1, 1));
    assert!(report.text(Language::Nl).contains("a=inactive"));
    assert!(report.text(Language::En).contains("media never wanted"));
}

#[test]
fn calls_that_are_refused_do_not_end_those_that_run() {
    let responder = Responder::udp(Script {
        calls_max: 1,
        ..Script::default()
    });
    let mut options = SimulateOptions::new(responder.address, "verkoop");
    (options.calls, options.duration) = (3, Duration::from_millis(500));
    let report = simulate(&options).unwrap();
    assert_eq!((report.answered, report.packets), (1, 50));
    assert_eq!(report.refused, [(503, 2)].into());
    assert_eq!((report.unanswered, report.bye_unanswered), (0, 0));
    assert!(
        responder
            .finish()
            .values()
            .any(|call| call.count("BYE ") == 1)
    );
}

#[test]
fn simulate_reports_a_healthy_installation_and_one_that_refuses() {
    let responder = Responder::udp(Script::default());
    let mut options = SimulateOptions::new(responder.address, "verkoop");
    (options.calls, options.duration) = (3, Duration::from_secs(1));
    options.from = Some("sip:sanne@voorbeeld.example".to_owned());
    let report = simulate(&options).unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!((report.packets, report.payload_bytes), (300, 48_000));
    let calls = responder.finish();
    let named = |h: &Heard| h.messages[0].contains("sip:sanne@voorbeeld.example");
    assert!(calls.values().all(named));

    let responder = Responder::udp(Script {
        status: 488,
        ..Script::default()
    });
    options.server = responder.address;
    let report = simulate(&options).unwrap();
    assert_eq!(report.refused, [(488, 3)].into());
    assert!(!report.is_clean());
}
