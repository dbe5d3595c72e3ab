//! Import with the real program, of files that other programs made.

use crate::support::{
    FACTS, Server, now, pause, voicelog, voicelog_json, write_config, write_file,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;
use tempfile::TempDir;

/// What is said of a file: the facts of a line, and where the file comes from.
const ORIGIN: &str = "channel = \"phone\"\nline_subscriber = \"recorder\"\ncountries = [\"NL\"]\n\
                      origin_of_import = \"participant\"\n";

fn make(program: &str, folder: &TempDir, args: &[&str]) {
    let made = Command::new(program)
        .args(args)
        .current_dir(folder.path())
        .output();
    let made =
        made.unwrap_or_else(|error| panic!("{program}: {error}; `cargo xtask test` installs it"));
    assert!(
        made.status.success(),
        "{program} {args:?}: {}",
        String::from_utf8_lossy(&made.stderr)
    );
}

/// A tone, and files made of it by other programs.
fn files(folder: &TempDir) -> Vec<&'static str> {
    make(
        "sox",
        folder,
        &[
            "-n", "-r", "16000", "-c", "1", "-b", "16", "tone.wav", "synth", "5", "sine",
            "200-3000", "vol", "0.4",
        ],
    );
    make("opusenc", folder, &["--quiet", "tone.wav", "enc.opus"]);
    let by_ffmpeg: [(&str, &[&str]); 6] = [
        ("ff.mp3", &["-b:a", "48k"]),
        ("ff.m4a", &["-c:a", "aac"]),
        ("ff.flac", &[]),
        ("ff.webm", &["-c:a", "libopus"]),
        ("ff.ogg", &["-c:a", "libvorbis"]),
        ("alaw.wav", &["-ar", "8000", "-c:a", "pcm_alaw"]),
    ];
    for (name, args) in by_ffmpeg {
        let before = ["-v", "error", "-i", "tone.wav"];
        let args: Vec<&str> = before.iter().chain(args).copied().chain([name]).collect();
        make("ffmpeg", folder, &args);
    }
    vcon_of(folder, "tone.wav", "other.vcon");
    let made = by_ffmpeg.map(|(name, _)| name);
    let ours = ["tone.wav", "enc.opus", "other.vcon"];
    ours.into_iter().chain(made).collect()
}

/// The file in a vCon, as another recorder would give it: unsigned, and with the sound in it.
fn vcon_of(folder: &TempDir, sound: &str, name: &str) {
    let sound = std::fs::read(folder.path().join(sound)).unwrap();
    let vcon = json!({
        "vcon": "0.4.0", "uuid": "0199a3c0-0000-8000-8000-000000000001", "created_at": "2026-11-20T11:00:00Z",
        "parties": [{ "tel": "tel:+31201234567" }, { "name": "Anna" }],
        "dialog": [{ "type": "recording", "start": "2026-11-20T10:00:00Z", "duration": 5.0, "parties": [0, 1],
                     "mediatype": "audio/x-wav", "encoding": "base64url", "body": URL_SAFE_NO_PAD.encode(sound) }],
    });
    write_file(&folder.path().join(name), &vcon.to_string());
}

/// A server was started once, so there is an archive; its configuration, and the facts of a file beside it.
fn archive(folder: &TempDir) -> (String, String) {
    let config = write_config(folder.path(), "");
    assert!(Server::start(&config).terminate().success());
    let facts = json!({
        "recorder_type": "company", "counterpart_types": ["private_person"], "participation": "participant",
        "openness": "announced", "purpose": "bewijs_overeenkomst", "legal_basis": "b", "structural": "all",
        "staff_informed": "each_call_signal", "or_status": "consented", "dpia": "done", "private_use_possible": true,
        "retention_term": "P5Y", "channel": "phone", "line_subscriber": "recorder", "countries": ["NL"],
        "origin_of_import": "participant", "recorded_at": "2026-11-20T10:00:00Z",
    });
    let path = folder.path().join("facts.json");
    write_file(&path, &facts.to_string());
    (
        config.to_str().unwrap().to_owned(),
        path.to_str().unwrap().to_owned(),
    )
}

fn import(folder: &TempDir, name: &str, facts: &str, config: &str) -> Value {
    let path = folder.path().join(name);
    let file = path.to_str().unwrap();
    voicelog_json(&[
        "import", file, "--facts", facts, "--json", "--config", config,
    ])
}

fn samples_of(folder: &TempDir, name: &str) -> Vec<u8> {
    let args = ["-v", "error", "-i", name, "-f", "s16le", "-"];
    let output = Command::new("ffmpeg")
        .args(args)
        .current_dir(folder.path())
        .output();
    output.unwrap().stdout
}

#[test]
fn files_of_other_programs_are_kept_heard_proven_and_given_back_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let names = files(&folder);
    let (config, facts) = archive(&folder);
    for name in names {
        let imported = import(&folder, name, &facts, &config);
        assert_eq!(
            (&imported["is_new"], &imported["verdict"]),
            (&json!(true), &json!("whole")),
            "{name}: {imported}"
        );
        assert_eq!(imported["is_heard"], true, "{name}");
        let id = imported["id"].as_str().unwrap();
        let out = |end: &str| folder.path().join(format!("{name}.{end}"));
        let run = |args: &[&str]| {
            let output = voicelog(&[args, &["--config", &config]].concat());
            let why = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(0), "{name} {args:?}: {why}");
        };
        let (original, bundle, played) = (out("original"), out("zip"), out("played.wav"));
        run(&[
            "export",
            id,
            "--for",
            "data_subject",
            "--original",
            "-o",
            original.to_str().unwrap(),
        ]);
        let given = std::fs::read(&original).unwrap();
        assert!(
            given == std::fs::read(folder.path().join(name)).unwrap(),
            "{name}: byte for byte"
        );
        let path = bundle.to_str().unwrap();
        run(&["export", id, "--for", "data_subject", "-o", path]);
        run(&["verify", path]);
        second_verifier(&bundle);
        run(&[
            "play",
            id,
            "-o",
            played.to_str().unwrap(),
            "--reason",
            "complaint 12",
        ]);
        let heard = samples_of(&folder, &format!("{name}.played.wav"));
        let seconds = heard.len() as f64 / 2.0 / f64::from(rate_of(&played));
        assert!((4.9..5.2).contains(&seconds), "{name}: {seconds} s");
        let spoken = name.replace("other.vcon", "tone.wav");
        if spoken.ends_with("wav") || spoken.ends_with("flac") {
            assert!(
                heard == samples_of(&folder, &spoken),
                "{name}: to the sample"
            );
        }
        let shown = voicelog_json(&["show", id, "--json", "--config", &config]);
        assert_eq!(shown["manifest"]["provenance"], "file");
        let again = import(&folder, name, &facts, &config);
        assert_eq!(
            (&again["is_new"], again["id"].as_str()),
            (&json!(false), Some(id))
        );
    }
    let check = voicelog(&["check", "--level", "hash", "--config", &config]);
    assert!(check.status.success());
}

/// The one that shares nothing with the program, in Node.
fn second_verifier(bundle: &Path) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../verifier/verify.mjs");
    let verified = Command::new("node").arg(script).arg(bundle).output();
    let verified = verified.expect("node; `cargo xtask test` installs it");
    let said = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(verified.status.success(), "{said}");
}

fn rate_of(wav: &Path) -> u32 {
    let bytes = std::fs::read(wav).unwrap();
    u32::from_le_bytes(bytes[24..28].try_into().unwrap())
}

/// A rising tone by sox, so many seconds long.
fn tone(folder: &TempDir, name: &str, seconds: &str) -> PathBuf {
    let what = ["-n", "-r", "8000", "-c", "1", "-b", "16", name];
    let args = [&what[..], &["synth", seconds, "sine", "300-900"]].concat();
    make("sox", folder, &args);
    folder.path().join(name)
}

fn import_as(file: &Path, facts: &Path, config: &str) -> Output {
    let (file, facts) = (file.to_str().unwrap(), facts.to_str().unwrap());
    voicelog(&[
        "import", file, "--facts", facts, "--json", "--config", config,
    ])
}

#[test]
fn what_the_law_refuses_ends_with_status_3_and_its_whole_answer() {
    let folder = tempfile::tempdir().unwrap();
    let (config, facts) = archive(&folder);
    let file = tone(&folder, "tone.wav", "2");
    let said = std::fs::read_to_string(&facts).unwrap();
    let other = folder.path().join("other.json");
    for (from, to, article) in [
        (
            "origin_of_import\":\"participant",
            "origin_of_import\":\"unknown",
            "Sr 139g",
        ),
        (
            "participation\":\"participant",
            "participation\":\"none",
            "Sr 139",
        ),
    ] {
        let text = said.replace(from, to);
        assert_ne!(text, said);
        // The line of somebody else.
        write_file(&other, &text.replace("\"recorder\"", "\"other\""));
        let refused = import_as(&file, &other, &config);
        assert_eq!(refused.status.code(), Some(3));
        let answer: Value = serde_json::from_slice(&refused.stdout).unwrap();
        assert!(
            answer["reasons"].to_string().contains(article),
            "{answer:#}"
        );
    }
    let list = voicelog_json(&["list", "--json", "--config", &config]);
    let rows = list.as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert!(
        rows.iter().all(|row| row["state"] == "not_recorded"),
        "{list}"
    );
    let objects = folder.path().join("data/blobs/objects");
    assert_eq!(std::fs::read_dir(objects).unwrap().count(), 0);
}

#[test]
fn what_is_no_sound_or_does_not_fit_what_is_said_ends_with_status_2() {
    let folder = tempfile::tempdir().unwrap();
    let (config, facts) = archive(&folder);
    let file = folder.path().join("file");
    for text in ["", "this is no sound", "RIFF\0\0\0\0WAVEfmt "] {
        write_file(&file, text);
        let wrong = import_as(&file, Path::new(&facts), &config);
        assert_eq!(wrong.status.code(), Some(2), "{text}");
        assert!(wrong.stdout.is_empty() && !wrong.stderr.is_empty());
    }
    let untold = folder.path().join("untold.json");
    write_file(&untold, "{\"origin_of_import\":\"participant\"}");
    let wrong = import_as(&tone(&folder, "tone.wav", "2"), &untold, &config);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("recorded_at"));
    let list = voicelog_json(&["list", "--json", "--config", &config]);
    assert_eq!(list, json!([]), "the law was not asked");
}

/// A folder that is watched.
struct Inbox(PathBuf);

impl Inbox {
    fn put(&self, name: &str, bytes: &[u8]) {
        let mut file = std::fs::File::create(self.0.join(name)).unwrap();
        file.write_all(bytes).unwrap();
    }

    /// The answer beside a file that was put aside, once it is.
    fn answer(&self, aside: &str, name: &str) -> Value {
        let path = self.0.join(aside).join(format!("{name}.answer.json"));
        let until = now() + Duration::from_secs(60);
        while !path.exists() {
            assert!(now() < until, "{aside}/{name} never came");
            pause(Duration::from_millis(200));
        }
        serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap()
    }

    fn has(&self, name: &str) -> bool {
        self.0.join(name).exists()
    }
}

#[test]
fn a_folder_is_watched_and_each_file_is_put_aside_with_its_answer() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = Inbox(folder.path().join("monitor"));
    std::fs::create_dir(&inbox.0).unwrap();
    let whole = std::fs::read(tone(&folder, "whole.wav", "3")).unwrap();
    let growing = std::fs::read(tone(&folder, "growing.wav", "4")).unwrap();
    inbox.put(
        "whole.wav.json",
        b"{\"recorded_at\":\"2026-11-20T10:00:00Z\"}",
    );
    inbox.put("whole.wav", &whole);
    inbox.put("copy.wav", &whole);
    inbox.put("text.wav", b"this is no sound");
    inbox.put("odd.wav", &whole);
    inbox.put("odd.wav.json", b"no facts");
    inbox.put("growing.wav", &growing[..growing.len() / 2]);
    let watched = format!(
        "[[import.folder]]\nname = \"asterisk\"\npath = \"{}\"\nsettle_seconds = 2\n\
         recorded_at = \"modified\"\n[import.folder.facts]\n{FACTS}{ORIGIN}",
        inbox.0.display()
    );
    let config = write_config(folder.path(), &watched);
    let mut server = Server::start(&config);
    let (first, second) = (
        inbox.answer("done", "whole.wav"),
        inbox.answer("done", "copy.wav"),
    );
    assert_eq!(first["id"], second["id"], "one recording");
    assert!(first["is_new"] != second["is_new"]);
    let refused = inbox.answer("refused", "text.wav");
    assert!(refused["error"].as_str().unwrap().contains("no sound file"));
    let odd = inbox.answer("refused", "odd.wav");
    assert!(odd["error"].as_str().unwrap().contains("no JSON object"));
    assert!(inbox.has("growing.wav"), "it is still being written");
    assert!(inbox.has("done/whole.wav.json") && !inbox.has("whole.wav"));
    inbox.put("growing.wav", &growing);
    let third = inbox.answer("done", "growing.wav");
    assert_eq!(
        (&third["is_new"], &third["verdict"]),
        (&json!(true), &json!("whole"))
    );
    assert_eq!(third["length_us"], 4_000_000);
    assert!(server.terminate().success());
    let config = config.to_str().unwrap();
    assert!(
        voicelog(&["check", "--level", "hash", "--config", config])
            .status
            .success()
    );
}

#[test]
fn a_folder_that_is_not_there_keeps_nothing_else_from_working_and_is_watched_once_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = Inbox(folder.path().join("monitor"));
    let watched = format!(
        "[[import.folder]]\nname = \"asterisk\"\npath = \"{}\"\nsettle_seconds = 1\n\
         recorded_at = \"modified\"\n[import.folder.facts]\n{FACTS}{ORIGIN}",
        inbox.0.display()
    );
    let config = write_config(folder.path(), &watched);
    let mut server = Server::start_logged(&config, &folder.path().join("log"));
    let log = || std::fs::read_to_string(folder.path().join("log")).unwrap();
    let until = now() + Duration::from_secs(30);
    while !log().contains("cannot be read") {
        assert!(now() < until, "{}", log());
        pause(Duration::from_millis(200));
    }
    std::fs::create_dir(&inbox.0).unwrap();
    let tone = std::fs::read(tone(&folder, "tone.wav", "3")).unwrap();
    inbox.put("tone.wav", &tone);
    assert_eq!(inbox.answer("done", "tone.wav")["is_new"], true);
    assert!(server.terminate().success());
    assert_eq!(log().matches("cannot be read").count(), 1, "{}", log());
}
