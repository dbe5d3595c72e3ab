//! The walls of the house: who may import whom, and that pure crates stay pure.
//!
//! The table is the one of `ARCHITECTURE.md`. A wall is a crate boundary because that is what
//! cargo can tell us about; what a pure crate's own source names is checked by reading it.

use crate::metadata::{Metadata, Package};
use crate::source;
use anyhow::{Context as _, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// One crate of ours.
struct Room {
    package: &'static str,
    /// No socket, clock, thread, random or file.
    pure: bool,
    /// What it may import (normal and build dependencies).
    may_import: &'static [&'static str],
    /// What its tests may import besides.
    tests_may_import: &'static [&'static str],
}

const fn room(
    package: &'static str,
    pure: bool,
    may_import: &'static [&'static str],
    tests_may_import: &'static [&'static str],
) -> Room {
    Room {
        package,
        pure,
        may_import,
        tests_may_import,
    }
}

const MODEL: &str = "voicelog-model";
const LAW: &str = "voicelog-law";
const SRS: &str = "voicelog-srs";
const EVIDENCE: &str = "voicelog-evidence";
const SOUNDFILE: &str = "voicelog-soundfile";
const STORE: &str = "voicelog-store";
const ARCHIVE: &str = "voicelog-archive";
const RECORDER: &str = "voicelog-recorder";
const ROOM: &str = "voicelog-room";
const CASEWORK: &str = "voicelog-casework";
const WEB: &str = "voicelog-web";
const TLS: &str = "voicelog-tls";
const SIM: &str = "voicelog-src-sim";
const LIBRARIES: &[&str] = &[
    MODEL, LAW, SRS, EVIDENCE, SOUNDFILE, STORE, ARCHIVE, TLS, RECORDER, ROOM, CASEWORK, WEB, SIM,
];

/// The table. A new edge here is a decision: write down why in `design/decisions/`.
const ROOMS: &[Room] = &[
    room(MODEL, true, &[], &[]),
    room(LAW, true, &[MODEL], &[]),
    // Its tests are called by the test client in every dialect, without a socket between them.
    room(SRS, true, &[MODEL], &[SIM]),
    room(EVIDENCE, true, &[MODEL], &[]),
    // It reads files of strangers with a library of others; of ours it has the decoder of Opus.
    room(SOUNDFILE, true, &[MODEL, EVIDENCE], &[]),
    room(STORE, false, &[MODEL], &[]),
    room(
        ARCHIVE,
        false,
        &[MODEL, LAW, EVIDENCE, SOUNDFILE, STORE],
        &[],
    ),
    room(TLS, false, &[MODEL], &[]),
    // Its tests play calls into it and look at what was kept.
    room(
        RECORDER,
        false,
        &[MODEL, SRS, ARCHIVE, TLS],
        &[SIM, LAW, EVIDENCE, STORE],
    ),
    // Its tests hold talks on a real archive and look at what was kept, and how a copy of it verifies.
    room(ROOM, false, &[MODEL, ARCHIVE], &[LAW, EVIDENCE, STORE]),
    room(CASEWORK, false, &[MODEL, LAW, EVIDENCE, ARCHIVE], &[STORE]),
    // Its tests fill an archive to have pages about something.
    room(
        WEB,
        false,
        &[MODEL, LAW, CASEWORK, ARCHIVE, ROOM, TLS],
        &[EVIDENCE, STORE],
    ),
    room(SIM, false, &[MODEL], &[SRS]),
    room("voicelog", false, LIBRARIES, &[]),
    room("voicelog-tests", false, LIBRARIES, &["voicelog"]),
    room("xtask", false, &[MODEL, LAW, EVIDENCE, SIM], &[]),
];

/// Packages that a pure crate may not reach: async runtimes, sockets, databases, threads.
const NOT_UNDER_PURE: &[&str] = &[
    "async-std",
    "axum",
    "crossbeam-channel",
    "diesel",
    "futures-executor",
    "h2",
    "hyper",
    "mio",
    "nix",
    "polling",
    "postgres",
    "quinn",
    "rayon",
    "reqwest",
    "rusqlite",
    "rustls",
    "smol",
    "socket2",
    "sqlx",
    "tempfile",
    "tokio",
    "tokio-postgres",
    "ureq",
];

/// Words that may not stand in the source of a pure crate, outside its tests.
const NOT_IN_PURE: &[&str] = &[
    "UdpSocket",
    "TcpStream",
    "TcpListener",
    "UnixStream",
    "UnixListener",
    "UnixDatagram",
    "std::fs",
    "std::thread",
    "std::process",
    "std::env",
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "getrandom",
    "rand::",
    "thread_rng",
];

/// `cargo xtask walls`.
pub(crate) fn run() -> anyhow::Result<()> {
    let metadata = Metadata::of_workspace()?;
    let mut faults = import_faults(&metadata);
    faults.extend(reach_faults(&metadata)?);
    for package in metadata.members().filter(|package| is_pure(package)) {
        let files = source::rust_files(&package.folder().join("src"))?;
        for file in files {
            let text = std::fs::read_to_string(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            faults.extend(source_faults(&package.name, &file, &text));
        }
    }
    for fault in &faults {
        println!("{fault}");
    }
    if !faults.is_empty() {
        bail!(
            "{} holes in the walls; the table is in xtask/src/walls.rs",
            faults.len()
        );
    }
    println!(
        "walls: {} crates, every import as the table allows",
        ROOMS.len()
    );
    Ok(())
}

fn room_of(package: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.package == package)
}

fn is_pure(package: &Package) -> bool {
    room_of(&package.name).is_some_and(|room| room.pure)
}

/// Imports between our own crates that the table does not allow.
fn import_faults(metadata: &Metadata) -> Vec<String> {
    let mut faults = Vec::new();
    for package in metadata.members() {
        let Some(room) = room_of(&package.name) else {
            faults.push(format!("{}: not in the table of crates", package.name));
            continue;
        };
        let internal = package.dependencies.iter().filter(|dependency| {
            // A crate may name itself to switch on a feature for its own tests.
            dependency.path.is_some() && dependency.name != package.name
        });
        for dependency in internal {
            let name = dependency.name.as_str();
            let in_tests = dependency.kind.as_deref() == Some("dev");
            let allowed = room.may_import.contains(&name)
                || (in_tests && room.tests_may_import.contains(&name));
            if !allowed {
                let whose = if in_tests { "'s tests" } else { "" };
                faults.push(format!("{}{whose}: may not import {name}", package.name));
            }
        }
    }
    faults
}

/// Pure crates from which a runtime, a socket or a database can be reached, with the way there.
fn reach_faults(metadata: &Metadata) -> anyhow::Result<Vec<String>> {
    let names: BTreeMap<&str, &str> = metadata
        .packages
        .iter()
        .map(|package| (package.id.as_str(), package.name.as_str()))
        .collect();
    let nodes = &metadata
        .resolve
        .as_ref()
        .context("no resolved graph")?
        .nodes;
    let mut onward: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for node in nodes {
        let normal = node.deps.iter().filter(|edge| {
            let mut kinds = edge.dep_kinds.iter();
            kinds.any(|kind| kind.kind.is_none())
        });
        onward.insert(&node.id, normal.map(|edge| edge.pkg.as_str()).collect());
    }
    let mut faults = Vec::new();
    for package in metadata.members().filter(|package| is_pure(package)) {
        let mut seen = BTreeSet::new();
        let mut ways = vec![vec![package.id.as_str()]];
        while let Some(way) = ways.pop() {
            let Some(last) = way.last().copied() else {
                continue;
            };
            if !seen.insert(last) {
                continue;
            }
            let name = names.get(last).copied().unwrap_or(last);
            if NOT_UNDER_PURE.contains(&name) {
                let steps = way.iter().map(|id| names.get(id).copied().unwrap_or(id));
                let steps: Vec<&str> = steps.collect();
                faults.push(format!(
                    "{}: is pure, yet reaches {}",
                    package.name,
                    steps.join(" → ")
                ));
                continue;
            }
            for next in onward.get(last).into_iter().flatten() {
                let mut longer = way.clone();
                longer.push(next);
                ways.push(longer);
            }
        }
    }
    Ok(faults)
}

/// Whether a file is a module of tests: `tests.rs`, or in a folder `tests`.
fn is_of_tests(file: &Path) -> bool {
    file.components()
        .any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "tests.rs")))
}

/// Sockets, clocks, threads, files and random that a pure crate's own source names.
fn source_faults(package: &str, file: &Path, text: &str) -> Vec<String> {
    if is_of_tests(file) {
        return Vec::new();
    }
    let bare = source::without_tests(&source::without_comments(text));
    let mut faults = Vec::new();
    for word in NOT_IN_PURE {
        for line in source::lines_with_path(&bare, word) {
            let place = crate::tidy::relative(file);
            faults.push(format!(
                "{place}:{line}: {package} is pure, yet names `{word}`"
            ));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(dependencies: &str, deps: &str) -> Metadata {
        let text = format!(
            r#"{{"target_directory":"t","workspace_members":["law"],
            "packages":[
              {{"id":"law","name":"voicelog-law","manifest_path":"l/Cargo.toml","dependencies":[{dependencies}]}},
              {{"id":"cedar","name":"cedar-policy","manifest_path":"c/Cargo.toml","dependencies":[]}},
              {{"id":"tokio","name":"tokio","manifest_path":"t/Cargo.toml","dependencies":[]}}],
            "resolve":{{"nodes":[
              {{"id":"law","deps":[{{"pkg":"cedar","dep_kinds":[{{"kind":null}}]}}]}},
              {{"id":"cedar","deps":[{deps}]}}]}}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn an_import_that_the_table_does_not_allow_is_a_fault() {
        let edge = r#"{"name":"voicelog-store","kind":null,"path":"s"}"#;
        let faults = import_faults(&metadata(edge, ""));
        assert_eq!(faults, ["voicelog-law: may not import voicelog-store"]);
    }

    #[test]
    fn a_forbidden_import_is_a_fault_in_tests_and_build_scripts_too() {
        let dev = r#"{"name":"voicelog-store","kind":"dev","path":"s"}"#;
        assert_eq!(
            import_faults(&metadata(dev, "")),
            ["voicelog-law's tests: may not import voicelog-store"]
        );
        let build = r#"{"name":"voicelog-store","kind":"build","path":"s"}"#;
        assert_eq!(import_faults(&metadata(build, "")).len(), 1);
    }

    #[test]
    fn an_allowed_import_is_none() {
        let edge = r#"{"name":"voicelog-model","kind":null,"path":"m"}"#;
        assert!(import_faults(&metadata(edge, "")).is_empty());
    }

    #[test]
    fn a_crate_that_is_not_in_the_table_is_a_fault() {
        let mut metadata = metadata("", "");
        metadata.packages[0].name = "voicelog-utils".to_owned();
        assert_eq!(
            import_faults(&metadata),
            ["voicelog-utils: not in the table of crates"]
        );
    }

    #[test]
    fn a_runtime_two_steps_away_is_found_with_the_way_to_it() {
        let far = r#"{"pkg":"tokio","dep_kinds":[{"kind":null}]}"#;
        let faults = reach_faults(&metadata("", far)).unwrap();
        assert_eq!(
            faults,
            ["voicelog-law: is pure, yet reaches voicelog-law → cedar-policy → tokio"]
        );
    }

    #[test]
    fn what_only_tests_reach_does_not_count() {
        let dev = r#"{"pkg":"tokio","dep_kinds":[{"kind":"dev"}]}"#;
        assert!(reach_faults(&metadata("", dev)).unwrap().is_empty());
    }

    fn faults_in(text: &str) -> usize {
        source_faults("voicelog-law", Path::new("lib.rs"), text).len()
    }

    #[test]
    fn a_socket_a_clock_a_file_in_the_source_is_a_fault() {
        assert_eq!(faults_in("use std::net::{SocketAddr, UdpSocket};"), 1);
        assert_eq!(faults_in("let t = jiff::Timestamp::now();"), 1);
        assert_eq!(
            faults_in("use std::{collections::BTreeMap, fs, io::{self, Read}};"),
            1
        );
        assert_eq!(
            faults_in("let x = std::fs::read(p);\nlet y = std::thread::spawn(f);"),
            2
        );
    }

    #[test]
    fn a_module_of_tests_may_read_files() {
        let fault = "use std::fs;";
        for (file, faults) in [
            ("src/a/tests.rs", 0),
            ("src/a/tests/b.rs", 0),
            ("src/a/b.rs", 1),
        ] {
            let found = source_faults("voicelog-law", Path::new(file), fault);
            assert_eq!(found.len(), faults, "{file}");
        }
    }

    #[test]
    fn comments_strings_and_tests_may_name_them() {
        assert_eq!(
            faults_in("// no std::fs here\n/* UdpSocket /* nested */ */"),
            0
        );
        assert_eq!(faults_in("const WHY: &str = \"no std::thread\"; // \""), 0);
        assert_eq!(
            faults_in("#[cfg(test)]\nmod tests { use std::fs; fn f() { if a { } } }"),
            0
        );
        assert_eq!(faults_in("#[cfg(test)]\nmod tests {}\nuse std::fs;"), 1);
        assert_eq!(faults_in("fn operand::x() { strand::y() }"), 0);
    }
}
