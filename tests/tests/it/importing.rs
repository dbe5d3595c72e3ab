//! Import with the real program, of files that other programs made.

use crate::support::{FACTS, Server, voicelog, voicelog_json, write_config, write_file};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
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
    let made = by_ffmpeg.map(|(name, _)| name);
    ["tone.wav", "enc.opus"].into_iter().chain(made).collect()
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
        run(&[
            "export",
            id,
            "--for",
            "data_subject",
            "-o",
            bundle.to_str().unwrap(),
        ]);
        run(&["verify", bundle.to_str().unwrap()]);
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
        if name.ends_with("wav") || name.ends_with("flac") {
            assert!(heard == samples_of(&folder, name), "{name}: to the sample");
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

fn rate_of(wav: &Path) -> u32 {
    let bytes = std::fs::read(wav).unwrap();
    u32::from_le_bytes(bytes[24..28].try_into().unwrap())
}

#[test]
fn what_the_law_refuses_ends_with_status_3_and_what_is_no_sound_with_status_2() {
    let folder = tempfile::tempdir().unwrap();
    let (config, facts) = archive(&folder);
    make(
        "sox",
        &folder,
        &[
            "-n", "-r", "8000", "-c", "1", "tone.wav", "synth", "2", "sine", "500",
        ],
    );
    let file = folder.path().join("tone.wav");
    let file = file.to_str().unwrap();
    let said = std::fs::read_to_string(&facts).unwrap();
    let run = |file: &str, facts: &str| {
        voicelog(&[
            "import", file, "--facts", facts, "--json", "--config", &config,
        ])
    };
    for (from, to, article) in [
        (
            "\"origin_of_import\":\"participant\"",
            "\"origin_of_import\":\"unknown\"",
            "Sr 139g",
        ),
        (
            "\"participation\":\"participant\"",
            "\"participation\":\"none\"",
            "Sr 139",
        ),
    ] {
        let other = folder.path().join("other.json");
        let text = said.replace(from, to).replace(
            "\"line_subscriber\":\"recorder\"",
            "\"line_subscriber\":\"other\"",
        );
        assert_ne!(text, said);
        write_file(&other, &text);
        let refused = run(file, other.to_str().unwrap());
        assert_eq!(refused.status.code(), Some(3));
        let answer: Value = serde_json::from_slice(&refused.stdout).unwrap();
        assert!(
            answer["reasons"].to_string().contains(article),
            "{answer:#}"
        );
    }
    let list = voicelog_json(&["list", "--json", "--config", &config]);
    let rows = list.as_array().unwrap();
    assert!(
        rows.len() == 2 && rows.iter().all(|row| row["state"] == "not_recorded"),
        "{list}"
    );
    assert_eq!(
        std::fs::read_dir(folder.path().join("data/blobs/objects"))
            .unwrap()
            .count(),
        0
    );
    for (name, text) in [
        ("empty.wav", ""),
        ("text.mp3", "this is no sound"),
        ("lie.wav", "RIFF\0\0\0\0WAVEfmt "),
    ] {
        let path = folder.path().join(name);
        write_file(&path, text);
        let wrong = run(path.to_str().unwrap(), &facts);
        assert_eq!(wrong.status.code(), Some(2), "{name}");
        assert!(
            String::from_utf8_lossy(&wrong.stderr).contains("voicelog: "),
            "{name}"
        );
    }
    let untold = folder.path().join("untold.json");
    write_file(&untold, "{\"origin_of_import\":\"participant\"}");
    let wrong = run(file, untold.to_str().unwrap());
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("recorded_at"));
}

#[test]
fn a_folder_is_watched_and_each_file_is_put_aside_with_its_answer() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = folder.path().join("monitor");
    std::fs::create_dir(&inbox).unwrap();
    make(
        "sox",
        &folder,
        &[
            "-n",
            "-r",
            "8000",
            "-c",
            "1",
            "-b",
            "16",
            "whole.wav",
            "synth",
            "3",
            "sine",
            "300-900",
        ],
    );
    make(
        "sox",
        &folder,
        &[
            "-n",
            "-r",
            "8000",
            "-c",
            "1",
            "-b",
            "16",
            "growing.wav",
            "synth",
            "4",
            "sine",
            "900-300",
        ],
    );
    let (whole, growing) = (
        folder.path().join("whole.wav"),
        folder.path().join("growing.wav"),
    );
    let bytes = std::fs::read(&growing).unwrap();
    std::fs::copy(&whole, inbox.join("whole.wav")).unwrap();
    write_file(
        &inbox.join("whole.json"),
        "{\"recorded_at\":\"2026-11-20T10:00:00Z\"}",
    );
    std::fs::copy(&whole, inbox.join("copy.wav")).unwrap();
    write_file(&inbox.join("text.wav"), "this is no sound");
    #[expect(
        clippy::disallowed_methods,
        reason = "a test's own file need not survive a power cut"
    )]
    std::fs::write(inbox.join("growing.wav"), &bytes[..bytes.len() / 2]).unwrap();
    let watched = format!(
        "[[import.folder]]\nname = \"asterisk\"\npath = \"{}\"\nsettle_seconds = 2\nrecorded_at = \"modified\"\n[import.folder.facts]\n{FACTS}{ORIGIN}",
        inbox.display()
    );
    let config = write_config(folder.path(), &watched);
    let mut server = Server::start(&config);
    let answer = |aside: &str, name: &str| {
        let path = inbox.join(aside).join(format!("{name}.answer.json"));
        let until = Instant::now() + Duration::from_secs(60);
        while !path.exists() {
            assert!(Instant::now() < until, "{aside}/{name} never came");
            std::thread::sleep(Duration::from_millis(200));
        }
        let text = std::fs::read_to_string(&path).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let first = answer("done", "whole.wav");
    let second = answer("done", "copy.wav");
    assert_eq!(first["id"], second["id"], "one recording");
    assert!(first["is_new"] != second["is_new"]);
    assert!(
        answer("refused", "text.wav")["error"]
            .as_str()
            .unwrap()
            .contains("no sound file")
    );
    assert!(
        inbox.join("growing.wav").exists(),
        "it is still being written"
    );
    assert!(inbox.join("done/whole.json").exists() && !inbox.join("whole.wav").exists());
    #[expect(
        clippy::disallowed_methods,
        reason = "a test's own file need not survive a power cut"
    )]
    std::fs::write(inbox.join("growing.wav"), &bytes).unwrap();
    let third = answer("done", "growing.wav");
    assert_eq!(
        (&third["is_new"], &third["verdict"]),
        (&json!(true), &json!("whole"))
    );
    assert_eq!(third["length_us"], 4_000_000);
    assert!(server.terminate().success());
    let check = voicelog(&[
        "check",
        "--level",
        "hash",
        "--config",
        config.to_str().unwrap(),
    ]);
    assert!(check.status.success());
}
