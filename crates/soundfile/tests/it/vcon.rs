//! vCons that others made, with sound in them.

use crate::support::{heard, look_at, run, workshop};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use voicelog_model::Timestamp;
use voicelog_soundfile::{Contents, Kind, SoundFileError};

const START: &str = "2026-11-20T09:00:00Z";

/// A vCon of recordings, each with its start and a file.
fn vcon(recordings: &[(&str, &[u8])]) -> Value {
    let dialog = recordings.iter().map(|(start, bytes)| {
        json!({ "type": "recording", "start": start, "duration": 7.3, "parties": [0, 1], "mediatype": "audio/x-wav",
                "encoding": "base64url", "body": URL_SAFE_NO_PAD.encode(bytes) })
    });
    json!({
        "vcon": "0.4.0",
        "uuid": "0199a3c0-0000-8000-8000-000000000001",
        "created_at": START,
        "parties": [{ "name": "Anna" }, { "name": "Bram" }],
        "dialog": dialog.collect::<Vec<_>>(),
    })
}

fn look(vcon: &Value) -> Result<Contents, SoundFileError> {
    look_at(&serde_json::to_vec(vcon).unwrap())
}

fn all_of(vcon: &Value, piece: u64) -> Vec<i16> {
    let contents = look(vcon).unwrap();
    let bytes = serde_json::to_vec(vcon).unwrap();
    heard(&bytes, &contents.heard.unwrap(), piece)
}

/// `tone.wav` of two channels at 48 kHz, and the samples of it.
fn tone() -> (Vec<u8>, Vec<i16>) {
    let folder = workshop();
    let wav = std::fs::read(folder.path().join("tone.wav")).unwrap();
    let samples = crate::support::by_ffmpeg(&folder, "tone.wav");
    (wav, samples)
}

#[test]
fn one_recording_is_heard_to_the_sample_and_says_when_it_began() {
    let (wav, samples) = tone();
    let vcon = vcon(&[(START, &wav)]);
    let contents = look(&vcon).unwrap();
    assert_eq!((contents.kind, contents.sounds), (Kind::Vcon, 1));
    assert_eq!(contents.began, Some(START.parse::<Timestamp>().unwrap()));
    assert_eq!(contents.length_us, 7_300_000);
    let heard = contents.heard.unwrap();
    assert_eq!((heard.rate, heard.channels), (48_000, 2));
    assert!(all_of(&vcon, u64::MAX >> 1) == samples);
    assert!(all_of(&vcon, 48_077) == samples, "in pieces");
}

#[test]
fn what_was_said_later_is_heard_later_with_silence_between() {
    let (wav, samples) = tone();
    let vcon = vcon(&[("2026-11-20T09:00:10Z", &wav), (START, &wav)]);
    assert_eq!(look(&vcon).unwrap().length_us, 17_300_000);
    let all = all_of(&vcon, 100_000);
    let second = 2 * 48_000 * 10;
    assert!(all[..samples.len()] == samples);
    assert!(all[samples.len()..second].iter().all(|sample| *sample == 0));
    assert!(all[second..] == samples);
}

#[test]
fn sounds_at_one_time_are_heard_side_by_side_each_in_one_channel() {
    let (wav, samples) = tone();
    let vcon = vcon(&[(START, &wav), ("2026-11-20T09:00:01Z", &wav)]);
    let contents = look(&vcon).unwrap();
    assert_eq!(contents.heard.unwrap().channels, 2);
    let all = all_of(&vcon, 31_000);
    let mono: Vec<i16> = samples
        .chunks(2)
        .map(|both| i16::try_from((i32::from(both[0]) + i32::from(both[1])) / 2).unwrap())
        .collect();
    let lane = |lane| -> Vec<i16> { all.iter().copied().skip(lane).step_by(2).collect() };
    let (first, second) = (lane(0), lane(1));
    assert!(first[..mono.len()] == mono);
    assert!(second[48_000..48_000 + mono.len()] == mono);
    assert!(second[..48_000].iter().all(|sample| *sample == 0));
}

#[test]
fn sounds_of_two_rates_are_kept_and_not_heard() {
    let (wav, _) = tone();
    let folder = workshop();
    run(
        "sox",
        &["tone.wav", "low.wav", "rate", "8000"],
        folder.path(),
    );
    let low = std::fs::read(folder.path().join("low.wav")).unwrap();
    let contents = look(&vcon(&[(START, &wav), ("2026-11-20T09:01:00Z", &low)])).unwrap();
    assert_eq!((contents.sounds, contents.heard), (2, None));
    assert_eq!(contents.length_us, 67_300_000);
}

#[test]
fn a_vcon_that_is_not_whole_is_refused_and_says_what_is_wrong() {
    let (wav, _) = tone();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut changed = vcon(&[(START, &wav), (START, &wav)]);
        change(&mut changed);
        look(&changed).unwrap_err().to_string()
    };
    let elsewhere = with(&|vcon| {
        let dialog = vcon["dialog"][1].as_object_mut().unwrap();
        dialog.remove("body");
        dialog.remove("encoding");
        dialog.insert("url".into(), json!("https://elsewhere.example/call.wav"));
        dialog.insert(
            "content_hash".into(),
            json!(format!("sha512-{}", URL_SAFE_NO_PAD.encode([7; 64]))),
        );
    });
    assert!(
        elsewhere.contains("dialog 1") && elsewhere.contains("nothing is fetched"),
        "{elsewhere}"
    );
    let hash = with(&|vcon| {
        vcon["dialog"][0]["content_hash"] =
            json!(format!("sha512-{}", URL_SAFE_NO_PAD.encode([7; 64])));
    });
    assert!(hash.contains("dialog 0"), "{hash}");
    let cut = with(&|vcon| {
        vcon["dialog"][0]["body"] = json!(URL_SAFE_NO_PAD.encode(&wav[..wav.len() / 2]));
    });
    assert!(cut.contains("not whole"), "{cut}");
    let nested = with(&|vcon| {
        let inner = serde_json::to_vec(&self::vcon(&[(START, &wav)])).unwrap();
        vcon["dialog"][0]["body"] = json!(URL_SAFE_NO_PAD.encode(inner));
    });
    assert!(nested.contains("another vCon"), "{nested}");
    assert!(matches!(
        look(&json!({ "facts": 1 })),
        Err(SoundFileError::Unknown)
    ));
    assert!(matches!(
        look_at(b"{\"vcon\""),
        Err(SoundFileError::Unknown)
    ));
    assert!(matches!(look(&vcon(&[])), Err(SoundFileError::NoSound)));
}
