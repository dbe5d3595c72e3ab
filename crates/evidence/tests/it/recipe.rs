//! The recipe in a bundle, followed by a person who has bash, sha256sum and openssl.

use crate::authority::{Authority, Key};
use crate::fixture::{Parts, signed_again, verifier};
use crate::part::{copy, excerpt, file};
use crate::stamped::stamped_by;
use crate::tamper::rewritten;
use std::path::Path;
use std::process::Command;
use voicelog_evidence::{verify, zip};

/// Unpacks a bundle and runs the lines of its recipe; what they said, and whether they came to the end.
fn followed(bundle: &[u8], name: &str) -> (String, bool) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("recipe")
        .join(name);
    let _absent = std::fs::remove_dir_all(&folder);
    for (name, content) in zip::read(bundle).unwrap() {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = std::fs::File::create(path).unwrap();
        std::io::Write::write_all(&mut file, content).unwrap();
    }
    let recipe = std::fs::read_to_string(folder.join("recipe.txt")).unwrap();
    let (_words, lines) = recipe.split_once("set -euo pipefail").unwrap();
    let script = format!("set -euo pipefail{lines}");
    let mut bash = Command::new("bash");
    let ran = bash.arg("-c").arg(script).current_dir(&folder).output();
    let ran = ran.unwrap();
    let said = String::from_utf8(ran.stdout).unwrap();
    (said, ran.status.success())
}

/// What it says last: what it cannot check.
const NOT_CHECKED: &str = "Pakketten en geluid: alleen door de handtekening in stap 2; voor meer: verify.html.\n\
     Packets and sound: by the signature in step 2 alone; for more: verify.html.\n";

fn steps(count: u8) -> String {
    (1..=count).map(|step| format!("{step} OK\n")).collect()
}

#[test]
fn ordinary_tools_find_a_bundle_right_whole_or_in_part() {
    let parts = Parts::new(2, 60);
    for (name, bundle) in [
        ("whole", parts.bundle()),
        ("part", copy(&parts, &excerpt(200, 900))),
    ] {
        let (said, came_to_the_end) = followed(&bundle, name);
        let rest = said.strip_prefix(&steps(6));
        assert!(
            came_to_the_end && rest == Some(NOT_CHECKED),
            "{name}: {said}"
        );
    }
}

#[test]
fn it_says_that_packets_and_sound_are_not_held_against_the_log() {
    let (ours, other) = (Parts::new(1, 8).bundle(), rewritten().bundle());
    let swapped = signed_again(&ours, |files| {
        for (name, content) in files {
            if name == "original/1.journal" || name.starts_with("audio/") {
                *content = file(&other, name);
            }
        }
    });
    assert_ne!(file(&swapped, "audio/1.wav"), file(&ours, "audio/1.wav"));
    let (said, came_to_the_end) = followed(&swapped, "swapped");
    assert!(came_to_the_end && said.ends_with(NOT_CHECKED), "{said}");
    assert!(
        !verify(&swapped, Some(&verifier())).holds(),
        "a verifier finds it"
    );
    let recipe = String::from_utf8(file(&ours, "recipe.txt")).unwrap();
    let (told, _lines) = recipe.split_once("set -euo pipefail").unwrap();
    for said in ["Wat ze NIET laten zien", "What they do NOT show"] {
        assert!(told.contains(said), "{said}");
    }
}

#[test]
fn ordinary_tools_check_a_timestamp_too() {
    let authority = Authority::new(Key::P256);
    let parts = Parts::new(1, 20);
    let bundle = stamped_by(&authority, &parts);
    let (said, came_to_the_end) = followed(&bundle, "stamped");
    assert!(came_to_the_end && said.contains("\n7 OK ("), "{said}");
    let other = Authority::new(Key::P256);
    let foreign = signed_again(&bundle, |files| {
        let pem = files.iter_mut().find(|(name, _)| name == "timestamp.pem");
        pem.unwrap().1 = other.anchor().into_bytes();
    });
    let (said, came_to_the_end) = followed(&foreign, "foreign");
    assert!(!came_to_the_end && said == steps(6), "{said}");
}

#[test]
fn ordinary_tools_stop_where_a_bundle_is_wrong() {
    let stopped_after = |bundle: &[u8], name: &str| followed(bundle, name).0;
    let bundle = Parts::new(1, 20).bundle();
    for file in ["audio/1.wav", "bundle.note", "manifest.json"] {
        let changed = crate::tamper::repacked(&bundle, file, |content| {
            let middle = content.len() / 2;
            content[middle] ^= 1;
        });
        let (said, came_to_the_end) = followed(&changed, "changed");
        // A line of the list that is none any more is missed by its signature.
        let passed = if file == "bundle.note" {
            "2 OK"
        } else {
            "1 OK"
        };
        assert!(!said.contains(passed) && !came_to_the_end, "{file}: {said}");
    }
    // What the archive itself wrote anew is not what it logged.
    assert_eq!(stopped_after(&rewritten().bundle(), "rewritten"), steps(3));
    let mut elsewhere = Parts::new(1, 20);
    elsewhere.proof.index = 2;
    assert_eq!(stopped_after(&elsewhere.bundle(), "elsewhere"), steps(4));
}
