//! Each kind of file, as other programs make it.

use crate::support::{SECONDS, by_ffmpeg, ffmpeg, heard, likeness, look_at, run, workshop};
use tempfile::TempDir;
use voicelog_soundfile::{Contents, Kind};

/// Kind, length, rate and channels are what went in, and what is heard is what ffmpeg hears: at least so many decibels
/// alike, beginning at most so many samples elsewhere.
fn holds(folder: &TempDir, name: &str, kind: Kind, decibels: f64, most: i64) -> Contents {
    let bytes = std::fs::read(folder.path().join(name)).unwrap();
    let contents = look_at(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!((contents.kind, contents.sounds), (kind, 1), "{name}");
    let seconds = contents.length_us as f64 / 1.0e6;
    assert!((seconds - SECONDS).abs() < 0.12, "{name}: {seconds} s");
    let found = contents
        .heard
        .clone()
        .unwrap_or_else(|| panic!("{name} is not heard"));
    let ours = heard(&bytes, &found, u64::MAX);
    let theirs = by_ffmpeg(folder, name);
    let (alike, lag) = likeness(&ours, &theirs, found.channels, 3_000);
    assert!(
        alike >= decibels && lag.abs() <= most,
        "{name}: {alike} dB at {lag}"
    );
    // In pieces it is the same, as far as anybody hears; without a codec that remembers, to the sample.
    let pieces = heard(&bytes, &found, u64::from(found.rate) + 77);
    assert_eq!(pieces.len(), ours.len(), "{name}");
    let (alike, lag) = likeness(&pieces, &ours, found.channels, 3);
    assert!(
        alike > 50.0 && lag == 0,
        "{name} in pieces: {alike} dB at {lag}"
    );
    if matches!(kind, Kind::Wav | Kind::Flac) {
        assert!(pieces == ours && theirs == ours, "{name}: to the sample");
    }
    contents
}

#[test]
fn wave_files_of_every_make_are_heard_to_the_sample() {
    let folder = workshop();
    holds(&folder, "tone.wav", Kind::Wav, 90.0, 0);
    for (name, args) in [
        ("mono8.wav", &["-ac", "1", "-ar", "8000"][..]),
        ("alaw.wav", &["-ac", "1", "-ar", "8000", "-c:a", "pcm_alaw"]),
        (
            "ulaw.wav",
            &["-ac", "1", "-ar", "8000", "-c:a", "pcm_mulaw"],
        ),
        ("u8.wav", &["-ac", "1", "-c:a", "pcm_u8"]),
    ] {
        ffmpeg(&folder, name, args);
        holds(&folder, name, Kind::Wav, 90.0, 0);
    }
    run(
        "sox",
        &[
            "tone.wav", "-e", "signed", "-b", "16", "sox.wav", "rate", "16000",
        ],
        folder.path(),
    );
    let contents = holds(&folder, "sox.wav", Kind::Wav, 90.0, 0);
    assert_eq!(contents.heard.unwrap().rate, 16_000);
}

#[test]
fn flac_is_heard_to_the_sample() {
    let folder = workshop();
    ffmpeg(&folder, "tone.flac", &[]);
    let contents = holds(&folder, "tone.flac", Kind::Flac, 90.0, 0);
    assert_eq!(contents.length_us, 7_300_000);
}

#[test]
fn mpeg_audio_is_heard_at_a_steady_and_at_a_changing_rate() {
    let folder = workshop();
    ffmpeg(&folder, "cbr.mp3", &["-b:a", "64k", "-metadata", "title=x"]);
    ffmpeg(
        &folder,
        "vbr.mp3",
        &["-q:a", "5", "-ac", "1", "-ar", "16000"],
    );
    ffmpeg(
        &folder,
        "bare.mp3",
        &["-b:a", "64k", "-write_xing", "0", "-id3v2_version", "0"],
    );
    for name in ["cbr.mp3", "vbr.mp3", "bare.mp3"] {
        holds(&folder, name, Kind::Mpeg, 30.0, 1_200);
    }
}

#[test]
fn aac_is_heard_in_mp4_and_by_itself() {
    let folder = workshop();
    ffmpeg(&folder, "tone.m4a", &["-c:a", "aac", "-b:a", "96k"]);
    holds(&folder, "tone.m4a", Kind::Mp4, 30.0, 2_200);
    ffmpeg(
        &folder,
        "front.m4a",
        &["-c:a", "aac", "-ac", "1", "-movflags", "+faststart"],
    );
    holds(&folder, "front.m4a", Kind::Mp4, 30.0, 2_200);
    ffmpeg(&folder, "tone.aac", &["-c:a", "aac", "-b:a", "96k"]);
    holds(&folder, "tone.aac", Kind::Aac, 30.0, 2_200);
}

#[test]
fn opus_and_vorbis_are_heard_in_ogg() {
    let folder = workshop();
    ffmpeg(&folder, "tone.opus", &["-c:a", "libopus", "-b:a", "48k"]);
    holds(&folder, "tone.opus", Kind::Ogg, 30.0, 0);
    run(
        "opusenc",
        &[
            "--quiet",
            "--bitrate",
            "24",
            "--downmix-mono",
            "tone.wav",
            "enc.opus",
        ],
        folder.path(),
    );
    let contents = holds(&folder, "enc.opus", Kind::Ogg, 30.0, 0);
    assert_eq!(contents.length_us, 7_300_000);
    ffmpeg(&folder, "tone.ogg", &["-c:a", "libvorbis"]);
    holds(&folder, "tone.ogg", Kind::Ogg, 30.0, 0);
}

#[test]
fn opus_is_heard_in_webm_also_where_nobody_knew_how_long_it_would_be() {
    let folder = workshop();
    ffmpeg(&folder, "tone.webm", &["-c:a", "libopus"]);
    holds(&folder, "tone.webm", Kind::Matroska, 25.0, 400);
    // As a browser writes it.
    let args = [
        "-c:a",
        "libopus",
        "-f",
        "webm",
        "-live",
        "1",
        "-cluster_time_limit",
        "1000",
    ];
    ffmpeg(&folder, "live.webm", &args);
    holds(&folder, "live.webm", Kind::Matroska, 25.0, 400);
}

#[test]
fn what_is_no_sound_here_is_measured_and_not_heard() {
    let folder = workshop();
    let frame = [&[0x3c][..], &[0x55; 31]].concat();
    let amr = [&b"#!AMR\n"[..], &frame.repeat(365)].concat();
    let contents = look_at(&amr).unwrap();
    assert_eq!(
        (contents.kind, contents.length_us, contents.heard),
        (Kind::Amr, 7_300_000, None)
    );
    // A codec that nothing here decodes.
    ffmpeg(
        &folder,
        "gsm.wav",
        &["-ac", "1", "-ar", "8000", "-c:a", "g726"],
    );
    let bytes = std::fs::read(folder.path().join("gsm.wav")).unwrap();
    match look_at(&bytes) {
        Ok(contents) => assert_eq!(contents.heard, None),
        Err(error) => assert!(error.kind() == voicelog_model::Kind::Invalid, "{error}"),
    }
}

#[test]
fn a_film_is_told_from_a_sound() {
    let folder = workshop();
    let picture = [
        "-f",
        "lavfi",
        "-i",
        "color=c=blue:s=64x64:r=5:d=2",
        "-shortest",
        "-c:a",
        "aac",
    ];
    ffmpeg(&folder, "film.mp4", &picture);
    let bytes = std::fs::read(folder.path().join("film.mp4")).unwrap();
    assert!(look_at(&bytes).unwrap().has_picture);
}
