//! Protected calls (SRTP), from src-sim and from a client that is not ours.

use crate::pki::{TlsClient, tls_server};
use crate::raw::{DUTCH, RawCall, STAFF};
use crate::support::*;
use rustls::version::TLS13;
use std::process::{Command, Stdio};
use std::time::Duration;
use voicelog_archive::journal::{PacketKind, Record};
use voicelog_archive::timeline::Verdict;
use voicelog_model::RecordingId;
use voicelog_recorder::{CallState, RecorderConfig};
use voicelog_src_sim::{SimError, SrtpSuite, place};

/// A server on a network that is trusted as it is.
fn trusting() -> Server {
    server_with(&RecorderConfig {
        srtp_keys_without_tls: true,
        ..config()
    })
}

/// The packets of RTCP of a stream.
fn control(opened: &Kept) -> Vec<&[u8]> {
    let records = opened.records.iter();
    records
        .filter_map(|record| match record {
            Record::Packet {
                kind: PacketKind::Rtcp,
                bytes,
                ..
            } => Some(&bytes[..]),
            _ => None,
        })
        .collect()
}

#[test]
fn a_call_in_each_suite_is_kept_as_it_was_before_it_was_protected() {
    for suite in SrtpSuite::ALL {
        let server = trusting();
        let mut plan = server.plan("announced", 1);
        plan.srtp = Some(suite);
        plan.rtcp = true;
        plan.duration = Some(Duration::from_millis(1_200));
        // The count of rollovers changes on the way.
        plan.streams[0].first_sequence = Some(65_520);
        plan.streams[0].disturbance.swap_with_next = [14, 15, 20].into();
        plan.streams[0].disturbance.duplicate = [30].into();
        let (id, report) = server.whole_call(&plan);
        let opened = server.open(id);
        let name = suite.as_str();
        let said = sent(&report);
        assert_eq!(payloads(&opened, 2), said[1], "{name}");
        assert_eq!(payloads(&opened, 1).len(), said[0].len(), "{name}");
        assert_eq!(server.timeline(id).verdict, Verdict::Whole, "{name}");
        let media = server.recorder.status().media;
        // On a busy machine the client may send fewer packets than planned; none of them is lost.
        let packets: u64 = report
            .streams
            .iter()
            .map(|stream| stream.sent.packets)
            .sum();
        assert!(packets > 80, "{name}: the duplicate is among them");
        assert_eq!(
            (media.kept, media.not_authentic, media.replayed),
            (packets, 0, 1),
            "{name}"
        );
        let reports = control(&opened);
        assert!(reports.len() >= 2, "{name}");
        for report in reports {
            assert_eq!(
                report[..4],
                [0x80, 200, 0, 6],
                "{name}: a sender report in the clear"
            );
        }
    }
}

#[test]
fn keys_that_come_without_tls_are_refused_with_the_remedy() {
    let server = server();
    let mut plan = server.plan("announced", 1);
    plan.srtp = Some(SrtpSuite::AesCm128HmacSha1_80);
    let Err(SimError::Refused { status, .. }) = place(&plan) else {
        panic!("it is taken");
    };
    assert_eq!(status, 488);
    wait_until("it is counted", || {
        let counts = server.recorder.status().counts;
        counts.get("refused_srtp_keys_without_tls") == Some(&1)
    });
}

// --- ffmpeg as the client.

const KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
const OTHER_KEY: &str = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";

/// A call over TLS whose offer says this.
fn call_over_tls(formats: &'static str) -> (Server, RawCall, RecordingId) {
    let (server, authority) = tls_server(None);
    let client = TlsClient::connect(&server, &authority, &TLS13, None);
    let to = server.recorder.tls_address().unwrap();
    let metadata = RawCall::metadata(&[STAFF, DUTCH]);
    let call =
        RawCall::place_protected(Box::new(client), to, "announced", Some(&metadata), formats);
    let id = server.call_in(CallState::Recording);
    (server, call, id)
}

/// Some seconds of a tone, sent by ffmpeg at its real pace. The same as A-law, from ffmpeg as well.
fn ffmpeg(call: &RawCall, suite: &str, key: &str, seconds: usize) -> Vec<u8> {
    let to = format!("srtp://{}?pkt_size=172", call.to[0]);
    let output = Command::new("ffmpeg")
        .args("-hide_banner -loglevel error -nostdin -re -f lavfi".split(' '))
        .args([
            "-i",
            &format!("sine=frequency=440:sample_rate=8000:duration={seconds}"),
        ])
        .args("-ac 1 -c:a pcm_alaw -f rtp -sdp_file /dev/null".split(' '))
        .args(["-srtp_out_suite", suite, "-srtp_out_params", key, &to])
        .args("-ac 1 -c:a pcm_alaw -f alaw pipe:1".split(' '))
        .stdin(Stdio::null())
        .output()
        .expect("ffmpeg should be installed: `cargo xtask test` does it");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    output.stdout
}

#[test]
fn what_ffmpeg_protects_is_kept_byte_for_byte() {
    // It reports at the start, when nobody knows it yet, and every five seconds.
    for (suite, seconds, reports, formats) in [
        (
            "AES_CM_128_HMAC_SHA1_80",
            6,
            1,
            "8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^31",
        ),
        // ffmpeg's name for the suite with a tag of 80 bits on RTCP, as RFC 4568 wants it; what it
        // calls by the other name has 32 there.
        (
            "SRTP_AES128_CM_HMAC_SHA1_32",
            1,
            0,
            "8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz",
        ),
    ] {
        let (server, mut call, id) = call_over_tls(formats);
        let said = ffmpeg(&call, suite, KEY, seconds);
        assert_eq!(said.len(), seconds * 8_000);
        call.bye();
        server.all_closed();
        let opened = server.open(id);
        assert_eq!(payloads(&opened, 1), said, "{suite}");
        assert_eq!(server.timeline(id).verdict, Verdict::Whole);
        assert!(
            control(&opened).len() >= reports,
            "its sender reports are kept"
        );
        let media = server.recorder.status().media;
        assert_eq!(
            (media.not_authentic, media.replayed, media.unusable),
            (0, 0, 0)
        );
    }
}

#[test]
fn a_client_that_uses_another_key_than_it_said_is_an_alarm_and_nothing_of_it_is_kept() {
    let (server, mut call, id) = call_over_tls(
        "8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz",
    );
    ffmpeg(&call, "AES_CM_128_HMAC_SHA1_80", OTHER_KEY, 2);
    wait_until("an alarm", || {
        server.recorder.status().counts.get("alarm_wrong_srtp_key") == Some(&1)
    });
    call.bye();
    server.all_closed();
    assert!(payloads(&server.open(id), 1).is_empty());
    let media = server.recorder.status().media;
    assert!(media.not_authentic >= 100, "{media:?}");
    assert_eq!(media.kept, 0);
}

#[test]
fn plain_rtp_on_a_protected_stream_is_not_kept() {
    let (server, mut call, id) = call_over_tls(
        "8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz",
    );
    for _packet in 0..5 {
        call.speak(0);
    }
    wait_until("all are seen", || {
        server.recorder.status().calls[0].media.not_authentic == 5
    });
    call.bye();
    server.all_closed();
    assert!(payloads(&server.open(id), 1).is_empty());
}

#[test]
fn no_key_is_on_the_disk() {
    let server = trusting();
    let (mut call, key) = (
        RawCall::place_protected_over_udp(
            &server,
            "announced",
            Some(&RawCall::metadata(&[STAFF, DUTCH])),
            "8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz",
        ),
        &b"YS___semctl"[..],
    );
    server.call_in(CallState::Recording);
    call.bye();
    server.all_closed();
    let mut folders = vec![server.folder.path().to_path_buf()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let bytes = std::fs::read(&path).unwrap();
            for secret in [key, &KEY.as_bytes()[..16]] {
                let is_there = bytes.windows(secret.len()).any(|window| window == secret);
                assert!(!is_there, "{}", path.display());
            }
        }
    }
    assert!(files > 3);
}
