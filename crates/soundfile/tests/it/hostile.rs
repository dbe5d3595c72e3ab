//! Files that lie, that were cut, that are nothing: a clear error, and never anything else.

use crate::support::{ffmpeg, look_at, run, workshop};
use proptest::prelude::*;
use std::io::Cursor;
use voicelog_soundfile::{SoundFileError, look, samples};

fn refused(bytes: &[u8]) -> SoundFileError {
    look_at(bytes).expect_err("it is not taken")
}

#[test]
fn nothing_and_what_is_no_sound_is_told_so() {
    assert!(matches!(refused(b""), SoundFileError::Empty));
    for bytes in [
        &b"hello, this is text"[..],
        b"%PDF-1.7\n",
        b"PK\x03\x04aaaaaaaaaaaa",
        &[0; 4_000],
    ] {
        assert!(matches!(refused(bytes), SoundFileError::Unknown));
    }
    // The name is right, and so are the first bytes: the rest is not.
    for head in [
        &b"\0\0\0\x18ftypM4A xxxxxxxxxxxx"[..],
        b"fLaC",
        b"OggS",
        b"\x1a\x45\xdf\xa3\x84aaaa",
    ] {
        let file = [head, &b"this is no sound at all. ".repeat(40)].concat();
        let error = refused(&file);
        assert_eq!(error.kind(), voicelog_model::Kind::Invalid, "{error}");
    }
    let text = [&[0xff, 0xfb][..], &b"this is no sound at all. ".repeat(400)].concat();
    let error = refused(&text);
    assert_eq!(error.kind(), voicelog_model::Kind::Invalid, "{error}");
}

#[test]
fn a_file_that_was_cut_is_not_taken() {
    let folder = workshop();
    for (name, args) in [
        ("cut.flac", &[][..]),
        ("cut.mp3", &["-b:a", "64k"]),
        ("cut.m4a", &["-c:a", "aac"]),
        ("front.m4a", &["-c:a", "aac", "-movflags", "+faststart"]),
        ("cut.opus", &["-c:a", "libopus"]),
        ("cut.webm", &["-c:a", "libopus"]),
        ("cut.wav", &["-c:a", "pcm_s16le"]),
    ] {
        let bytes = std::fs::read(ffmpeg(&folder, name, args)).unwrap();
        assert!(look_at(&bytes).is_ok(), "{name}");
        let error = refused(&bytes[..bytes.len() * 2 / 3 + 1]);
        assert!(
            matches!(error, SoundFileError::CutOff(_)),
            "{name}: {error}"
        );
    }
}

#[test]
fn a_file_that_is_still_being_written_is_not_taken() {
    let folder = workshop();
    let piped = run(
        "ffmpeg",
        &["-v", "error", "-i", "tone.wav", "-f", "wav", "-"],
        folder.path(),
    );
    assert!(
        matches!(refused(&piped), SoundFileError::CutOff(_)),
        "its length was never written"
    );
}

#[test]
fn hours_in_a_few_bytes_are_refused_without_decoding_them() {
    let folder = workshop();
    // A day and an hour of silence.
    let silence = "anullsrc=r=1000:cl=mono";
    let args = [
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        silence,
        "-t",
        "90000",
        "long.flac",
    ];
    run("ffmpeg", &args, folder.path());
    let bytes = std::fs::read(folder.path().join("long.flac")).unwrap();
    assert!(matches!(refused(&bytes), SoundFileError::TooLong));
}

#[test]
fn pictures_are_seen_though_nothing_here_can_show_them() {
    let folder = workshop();
    let pictures = [
        "-f",
        "lavfi",
        "-i",
        "testsrc=size=176x144:rate=25:duration=7",
    ];
    for (name, args) in [
        ("a.ogv", &["-c:v", "libtheora", "-c:a", "libvorbis"][..]),
        ("a.3gp", &["-c:v", "h263", "-c:a", "aac"]),
        ("a.mkv", &["-c:v", "mpeg2video", "-c:a", "libopus"]),
        ("b.mkv", &["-c:v", "ffv1", "-c:a", "flac"]),
    ] {
        let args: Vec<&str> = pictures.iter().chain(args).copied().collect();
        let bytes = std::fs::read(ffmpeg(&folder, name, &args)).unwrap();
        assert!(look_at(&bytes).unwrap().has_picture, "{name}");
    }
    for (name, args) in [
        ("a.ogg", &["-c:a", "libvorbis"][..]),
        ("a.opus", &["-c:a", "libopus"]),
        ("a.oga", &["-c:a", "flac"]),
        ("a.m4a", &["-c:a", "aac"]),
        ("a.webm", &["-c:a", "libopus"]),
    ] {
        let bytes = std::fs::read(ffmpeg(&folder, name, args)).unwrap();
        assert!(!look_at(&bytes).unwrap().has_picture, "{name}");
    }
}

#[test]
fn a_rate_beyond_any_sound_and_a_piece_beyond_any_packet_are_refused() {
    let folder = workshop();
    let mut bytes = std::fs::read(ffmpeg(&folder, "a.wav", &["-c:a", "pcm_s16le"])).unwrap();
    bytes[24..28].copy_from_slice(&384_000_u32.to_le_bytes());
    assert!(look_at(&bytes).is_ok());
    bytes[24..28].copy_from_slice(&384_001_u32.to_le_bytes());
    assert!(matches!(refused(&bytes), SoundFileError::TooFast));

    let webm = std::fs::read(ffmpeg(&folder, "a.webm", &["-c:a", "libopus"])).unwrap();
    // An element of 65 MiB behind all the others, which `whole` finds whole.
    let large = 65_u64 << 20;
    let head = [&[0xa3][..], &(1 << 56 | large).to_be_bytes()].concat();
    let zeros = vec![0; usize::try_from(large).unwrap()];
    let bytes = [&webm[..], &head, &zeros].concat();
    let error = refused(&bytes);
    assert!(error.to_string().contains("too large"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_change_to_a_file_does_more_than_spoil_it(
        which in 0_usize..6,
        changes in proptest::collection::vec((any::<u32>(), any::<u8>()), 1..12),
        cut in any::<u16>(),
    ) {
        let mut bytes = FILES.with(|files| files[which].clone());
        for (at, byte) in changes {
            let at = at as usize % bytes.len();
            bytes[at] = byte;
        }
        if cut % 3 == 0 {
            bytes.truncate(bytes.len() * usize::from(cut) / usize::from(u16::MAX));
        }
        let looked = look(&mut || Box::new(Cursor::new(&bytes[..])));
        if let Ok(contents) = looked
            && let Some(heard) = contents.heard
        {
            let part = heard.frames / 2..(heard.frames / 2 + 5_000).min(heard.frames);
            if let Ok(made) = samples(&mut || Box::new(Cursor::new(&bytes[..])), &heard, part.clone()) {
                prop_assert_eq!(made.len() as u64, (part.end - part.start) * heard.channels as u64);
            }
        }
    }
}

thread_local! {
    static FILES: Vec<Vec<u8>> = {
        let folder = workshop();
        let kinds = ["a.flac", "a.mp3", "a.m4a", "a.opus", "a.webm", "a.wav"];
        let short = ["-t", "1", "-ac", "1"];
        let made = kinds.map(|name| {
            let codec = if name.ends_with("webm") { &["-c:a", "libopus"][..] } else { &[] };
            let args: Vec<&str> = short.iter().chain(codec).copied().collect();
            std::fs::read(ffmpeg(&folder, name, &args)).unwrap()
        });
        made.into()
    };
}
