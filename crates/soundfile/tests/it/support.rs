//! Files made with ffmpeg, sox and opusenc, and how alike two sounds are.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;
use voicelog_soundfile::{Contents, Heard, SoundFileError, Source, look, samples};

/// How long the sound of the files is.
pub(crate) const SECONDS: f64 = 7.3;

pub(crate) fn run(program: &str, args: &[&str], folder: &Path) -> Vec<u8> {
    let made = Command::new(program)
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}; `cargo xtask test` installs it"));
    let said = String::from_utf8_lossy(&made.stderr).into_owned();
    assert!(made.status.success(), "{program} {args:?}: {said}");
    made.stdout
}

/// A folder with `tone.wav`: a tone that rises, on both sides at its own height, so that no two moments are alike.
pub(crate) fn workshop() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let seconds = SECONDS.to_string();
    let args = [
        "-n", "-r", "48000", "-c", "2", "-b", "16", "tone.wav", "synth", &seconds, "sine",
        "200-2400", "sine", "2400-300", "vol", "0.5",
    ];
    run("sox", &args, folder.path());
    folder
}

/// Makes a file from the tone with ffmpeg.
pub(crate) fn ffmpeg(folder: &TempDir, name: &str, args: &[&str]) -> PathBuf {
    let before = ["-v", "error", "-y", "-i", "tone.wav"];
    let all: Vec<&str> = before.iter().chain(args).copied().chain([name]).collect();
    run("ffmpeg", &all, folder.path());
    folder.path().join(name)
}

pub(crate) fn look_at(bytes: &[u8]) -> Result<Contents, SoundFileError> {
    look(&mut || source(bytes))
}

fn source(bytes: &[u8]) -> Box<dyn Source + '_> {
    Box::new(Cursor::new(bytes))
}

/// All that is heard, in pieces of `piece` samples.
pub(crate) fn heard(bytes: &[u8], heard: &Heard, piece: u64) -> Vec<i16> {
    let mut all = Vec::new();
    let mut at = 0;
    while at < heard.frames {
        let part = at..(at + piece).min(heard.frames);
        let made = samples(&mut || source(bytes), heard, part.clone()).unwrap();
        let count = usize::try_from(part.end - part.start).unwrap();
        assert_eq!(made.len(), count * heard.channels, "{part:?}");
        all.extend(made);
        at = part.end;
    }
    all
}

/// What ffmpeg makes of a file.
pub(crate) fn by_ffmpeg(folder: &TempDir, name: &str) -> Vec<i16> {
    let args = ["-v", "error", "-i", name, "-f", "s16le", "-"];
    let bytes = run("ffmpeg", &args, folder.path());
    let pairs = bytes.as_chunks::<2>().0.iter();
    pairs.map(|pair| i16::from_le_bytes(*pair)).collect()
}

/// The best likeness of two sounds in decibels, where one may begin up to `most` samples after the other; and how much
/// later ours does.
pub(crate) fn likeness(ours: &[i16], theirs: &[i16], channels: usize, most: i64) -> (f64, i64) {
    let channels = i64::try_from(channels).unwrap();
    let len = i64::try_from(theirs.len().min(ours.len())).unwrap();
    let start = len / 4 / channels * channels;
    let body = start..(start + 8_000).min(len / 2);
    let of = |lag: i64| {
        let (mut signal, mut noise) = (0.0, 1.0e-9);
        for at in body.clone() {
            let theirs = f64::from(theirs[usize::try_from(at).unwrap()]);
            let ours = f64::from(ours[usize::try_from(at + lag * channels).unwrap()]);
            signal += theirs * theirs;
            noise += (ours - theirs) * (ours - theirs);
        }
        10.0 * (signal / noise).log10()
    };
    (-most..=most)
        .map(|lag| (of(lag), lag))
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .unwrap()
}
