//! Calls in every codec, from INVITE to what is heard.

use crate::raw::{DUTCH, RawCall, STAFF};
use crate::support::*;
use std::time::Duration;
use voicelog_archive::ArchiveError;
use voicelog_archive::timeline::{Verdict, remarks};
use voicelog_evidence::audio::AudioError;
use voicelog_model::{Language, RecordingId};
use voicelog_recorder::CallState;
use voicelog_src_sim::Offered;

/// Bytes of the header of a WAV file with two channels.
const WAV_HEADER: usize = 44;

fn rate(wav: &[u8]) -> u32 {
    u32::from_le_bytes(*wav[24..].first_chunk().unwrap())
}

/// The samples of one of two channels.
fn channel(wav: &[u8], of: usize) -> Vec<i16> {
    let samples = wav[WAV_HEADER..].as_chunks::<2>().0.iter();
    let samples: Vec<_> = samples.map(|bytes| i16::from_le_bytes(*bytes)).collect();
    samples.into_iter().skip(of).step_by(2).collect()
}

/// Mean size of the samples.
fn loudness(samples: &[i16]) -> u64 {
    let sum: u64 = samples
        .iter()
        .map(|sample| u64::from(sample.unsigned_abs()))
        .sum();
    sum / samples.len() as u64
}

#[test]
fn a_call_in_each_codec_is_kept_byte_for_byte_and_heard_as_loud_as_it_was_said() {
    let mut heard = Vec::new();
    for (offered, codec, expected_rate) in [
        (Offered::L16, "L16/16000", 16_000),
        (Offered::G722, "G722", 16_000),
        (Offered::Opus, "opus/48000/2", 48_000),
    ] {
        let server = server();
        let mut plan = server.plan("announced", 1);
        plan.offered = offered;
        plan.duration = Some(Duration::from_millis(1_500));
        let (id, report) = server.whole_call(&plan);
        let opened = server.open(id);
        for (stream, payload) in (1..).zip(sent(&report)) {
            assert_eq!(
                payloads(&opened, stream),
                payload,
                "stream {stream} of {codec}"
            );
        }
        let timeline = server.timeline(id);
        assert_eq!(timeline.verdict, Verdict::Whole, "{timeline:#?}");
        assert_eq!(timeline.streams[0].codecs()[0].to_string(), codec);
        let sound = server.play(id).unwrap();
        let wav = server.heard(&sound);
        assert_eq!((rate(&wav), &sound.spans), (expected_rate, &vec![]));
        let first = channel(&wav, 0);
        let length = timeline.length_us() * u64::from(expected_rate) / 1_000_000;
        assert_eq!(first.len() as u64, length, "{codec}");
        if offered == Offered::L16 {
            let said: Vec<_> = sent(&report)[0]
                .as_chunks::<2>()
                .0
                .iter()
                .map(|bytes| i16::from_be_bytes(*bytes))
                .collect();
            assert!(first.windows(said.len()).any(|window| window == said));
        }
        heard.push(loudness(&first));
    }
    let [linear, g722, opus] = heard[..] else {
        panic!("three codecs")
    };
    assert!(linear > 100, "the speech is audible: {linear}");
    for other in [g722, opus] {
        assert!(
            other * 4 > linear * 3 && other * 3 < linear * 4,
            "{heard:?}"
        );
    }
}

#[test]
fn a_codec_that_cannot_be_played_is_recorded_all_the_same_and_says_so() {
    let server = server();
    let mut call = RawCall::place_as(
        &server,
        "announced",
        1,
        Some(&RawCall::metadata(&[STAFF, DUTCH])),
        "96\r\na=rtpmap:96 EVS/16000",
    );
    let id = server.call_in(CallState::Recording);
    for n in 0..10 {
        call.speak_as(0, 96, n * 320, &[0x42; 33]);
        pass(20);
    }
    wait_until("all are kept", || {
        server.recorder.status().calls[0].media.kept == 10
    });
    call.bye();
    server.all_closed();
    let opened = server.open(id);
    assert_eq!(payloads(&opened, 1).len(), 330);
    match server.play(id) {
        Err(ArchiveError::Audio(AudioError::NothingDecodable(codecs))) => {
            assert_eq!(codecs, "EVS/16000");
        }
        other => panic!("{other:?}"),
    }
    let said = remarks(&server.timeline(id).streams[0], Language::En);
    assert_eq!(
        said,
        ["sound in EVS/16000: voicelog cannot play that; the packets are kept as they came"]
    );
}

/// A call on a line in which a key is pressed once: two packets of sound, five of the key.
fn with_a_key(server: &Server, line: &'static str) -> (RawCall, RecordingId) {
    let mut call = RawCall::place_as(
        server,
        line,
        1,
        Some(&RawCall::metadata(&[STAFF, DUTCH])),
        "0 101\r\na=rtpmap:101 telephone-event/8000",
    );
    let id = server.call_in(CallState::Recording);
    call.speak_as(0, 0, 0, &[0xff; 160]);
    for (end, duration) in [
        (0, 160_u16),
        (0, 320),
        (0x80, 480),
        (0x80, 480),
        (0x80, 480),
    ] {
        let [high, low] = duration.to_be_bytes();
        call.speak_as(0, 101, 160, &[7, end | 10, high, low]);
    }
    call.speak_as(0, 0, 640, &[0xff; 160]);
    wait_until("all are seen", || {
        let media = server.recorder.status().calls[0].media;
        media.kept + media.left_out == 7
    });
    (call, id)
}

#[test]
fn a_line_that_needs_the_digits_keeps_the_packets_that_tell_them() {
    let server = server();
    let (mut call, id) = with_a_key(&server, "digits");
    call.bye();
    server.all_closed();
    let stream = &server.timeline(id).streams[0];
    assert_eq!(
        (stream.keys.len(), stream.packets, stream.left_out),
        (1, 7, 0)
    );
}

#[test]
fn a_key_press_is_on_the_timeline_and_its_digit_nowhere() {
    let server = server();
    let (mut call, id) = with_a_key(&server, "announced");
    call.bye();
    server.all_closed();
    let stream = &server.timeline(id).streams[0];
    assert_eq!(stream.keys.len(), 1);
    assert_eq!(stream.keys[0].length_us, 60_000);
    assert_eq!((stream.lost, stream.left_out), (0, 5));
    let kept = payloads(&server.open(id), 1);
    assert_eq!(kept, [0xff; 320]);
}
