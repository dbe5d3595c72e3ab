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
