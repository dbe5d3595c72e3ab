//! `cargo xtask fuzz`: libFuzzer on every parser, guided by coverage, from the kept corpora.
//!
//! The instrumentation is LLVM's own, and the toolchain that everything else is built with can put
//! it in: no nightly and no `cargo-fuzz` is needed. Without a sanitizer, which needs nightly; there
//! is no unsafe code of ours for one to watch.

use crate::shell;
use anyhow::{Context as _, bail};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What makes LLVM count the edges and tell the comparisons to libFuzzer.
const INSTRUMENTED: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Ccodegen-units=1";
/// Longest input, in bytes: more than any datagram.
const INPUT_BYTES_MAX: u32 = 70_000;
/// Longest input that is kept with the source, and to how many bytes and files a target's folder may
/// grow by what is found: the corpora are small enough to be read and to travel with the source.
const KEPT_BYTES_MAX: u32 = 4_096;
const FOLDER_BYTES_MAX: u64 = 8_000;
const FOLDER_FILES_MAX: usize = 40;
/// Files of other tests that a target starts from too, by their folder.
const VECTORS: [(&str, &str); 4] = [
    ("bundle", "bundle/v1"),
    ("zip", "bundle/v1"),
    ("chunk", "journal/v1"),
    ("segment", "segment/v1"),
];
/// Seconds after which one input counts as stuck, and megabytes that a target may take.
const STUCK_SECONDS: u32 = 10;
const MEGABYTES_MAX: u32 = 1_024;
/// Seconds for each target, unless said.
const SECONDS: u64 = 20;

#[derive(Debug, PartialEq, Eq)]
struct Options {
    targets: Vec<String>,
    seconds: u64,
    keep: bool,
}

impl Options {
    fn parse(arguments: &[String]) -> anyhow::Result<Self> {
        let mut options = Self {
            targets: Vec::new(),
            seconds: SECONDS,
            keep: false,
        };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--seconds" => {
                    let value = words.next().context("--seconds needs a number")?;
                    options.seconds = value
                        .parse()
                        .with_context(|| format!("--seconds {value}: not a number"))?;
                }
                "--keep" => options.keep = true,
                option if option.starts_with('-') => {
                    bail!("`{option}` is no option; there are --seconds and --keep")
                }
                target => options.targets.push(target.to_owned()),
            }
        }
        Ok(options)
    }
}

/// `cargo xtask fuzz [TARGET …] [--seconds N] [--keep]`.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let mut options = Options::parse(arguments)?;
    let known = targets()?;
    if let Some(unknown) = options.targets.iter().find(|name| !known.contains(*name)) {
        bail!(
            "there is no target `{unknown}`; there are {}",
            known.join(", ")
        );
    }
    if options.targets.is_empty() {
        options.targets = known;
    }
    let programs = build()?;
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    let lanes = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _lane in 0..lanes {
            scope.spawn(|| {
                while let Some(target) = options.targets.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(error) = one(&programs, target, &options) {
                        println!("{target}: {error:#}");
                        if let Ok(mut failed) = failed.lock() {
                            failed.push(target.clone());
                        }
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_default();
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

/// The targets, by the names of their files.
fn targets() -> anyhow::Result<Vec<String>> {
    let folder = shell::root().join("fuzz/fuzz_targets");
    let mut names = Vec::new();
    for file in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = file?.path();
        names.extend(
            path.file_stem()
                .map(|stem| stem.to_string_lossy().into_owned()),
        );
    }
    names.sort();
    Ok(names)
}

/// Builds all targets and gives the folder that they are in.
fn build() -> anyhow::Result<PathBuf> {
    let version = shell::read(&mut shell::command("rustc", &["-vV"]))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.context("rustc does not say what it builds for")?;
    let built = shell::root().join("target/fuzz");
    // Named although it is this machine's: what runs during the build is then not instrumented.
    let mut cargo = shell::command("cargo", &["build", "--release", "--bins", "--target", host]);
    cargo
        .current_dir(shell::root().join("fuzz"))
        .env("RUSTFLAGS", INSTRUMENTED)
        .env("CARGO_TARGET_DIR", &built);
    shell::run(&mut cargo)?;
    Ok(built.join(host).join("release"))
}

/// Fuzzes one target, and with `--keep` puts what it found new into the kept corpus.
fn one(programs: &Path, target: &str, options: &Options) -> anyhow::Result<()> {
    let program = programs.join(target);
    let kept = shell::root().join("fuzz/corpus").join(target);
    let found = shell::root().join("target/fuzz/found").join(target);
    for folder in [&kept, &found] {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let mut folders = vec![found.clone(), kept.clone()];
    folders.extend(vectors(target));
    let said = libfuzzer(
        &program,
        &[
            format!("-max_total_time={}", options.seconds),
            format!("-max_len={INPUT_BYTES_MAX}"),
            format!("-timeout={STUCK_SECONDS}"),
            format!("-rss_limit_mb={MEGABYTES_MAX}"),
            format!("-artifact_prefix={}/crash-", found.display()),
            "-print_final_stats=1".to_owned(),
        ],
        &folders.iter().map(PathBuf::as_path).collect::<Vec<_>>(),
    )?;
    let runs = said
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    let last = said
        .lines()
        .rev()
        .find(|line| line.contains(" cov: "))
        .unwrap_or_default();
    let covered = last
        .split(" cov: ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next());
    println!(
        "{target}: {} inputs, {} edges",
        runs.unwrap_or("?").trim(),
        covered.unwrap_or("?")
    );
    if options.keep {
        keep(&program, target, &kept, &found)?;
    }
    Ok(())
}

/// The test vectors that a target starts from.
fn vectors(target: &str) -> Option<PathBuf> {
    let (_, folder) = VECTORS.iter().find(|(name, _)| *name == target)?;
    Some(
        shell::root()
            .join("crates/evidence/tests/vectors")
            .join(folder),
    )
}

/// Keeps, of what was found, the smallest inputs that reach what no kept one reaches, as long as
/// there is room for them. Nothing that is kept goes: it has its name from somebody who chose it.
fn keep(program: &Path, target: &str, kept: &Path, found: &Path) -> anyhow::Result<()> {
    let merged = shell::root().join("target/fuzz/merged").join(target);
    if merged.exists() {
        std::fs::remove_dir_all(&merged).with_context(|| merged.display().to_string())?;
    }
    std::fs::create_dir_all(&merged).with_context(|| merged.display().to_string())?;
    let (mut room, mut known) = (FOLDER_BYTES_MAX, BTreeSet::new());
    for (byte_len, path) in files(kept)? {
        room = room.saturating_sub(byte_len);
        if let Some(name) = path.file_name() {
            std::fs::copy(&path, merged.join(name)).with_context(|| path.display().to_string())?;
            known.insert(name.to_owned());
        }
    }
    let limits = [
        "-set_cover_merge=1".to_owned(),
        format!("-max_len={KEPT_BYTES_MAX}"),
    ];
    libfuzzer(program, &limits, &[&merged, found])?;
    for (byte_len, path) in files(&merged)? {
        let Some(name) = path.file_name().filter(|name| !known.contains(*name)) else {
            continue;
        };
        if byte_len > room || known.len() >= FOLDER_FILES_MAX {
            break;
        }
        room -= byte_len;
        known.insert(name.to_owned());
        std::fs::copy(&path, kept.join(name)).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// The files of a folder with their lengths, the shortest first.
fn files(folder: &Path) -> anyhow::Result<Vec<(u64, PathBuf)>> {
    let mut all = Vec::new();
    for file in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let file = file?;
        all.push((file.metadata()?.len(), file.path()));
    }
    all.sort();
    Ok(all)
}

/// Runs a target to its end; its words are an error if it found something.
fn libfuzzer(program: &Path, options: &[String], folders: &[&Path]) -> anyhow::Result<String> {
    let output = std::process::Command::new(program)
        .args(options)
        .args(folders)
        .stdin(Stdio::null())
        .output()
        .with_context(|| program.display().to_string())?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        bail!("{}\n{said}", output.status);
    }
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> anyhow::Result<Options> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words)
    }

    #[test]
    fn targets_and_options_are_read() {
        let options = parse("sdp --seconds 600 rtp --keep").unwrap();
        assert_eq!(options.targets, ["sdp", "rtp"]);
        assert_eq!((options.seconds, options.keep), (600, true));
        assert!(parse("--seconds").is_err() && parse("--second 3").is_err());
    }

    #[test]
    fn every_target_starts_from_something_and_all_of_it_is_small() {
        let mut total = 0;
        for target in targets().unwrap() {
            let kept = files(&shell::root().join("fuzz/corpus").join(&target)).unwrap();
            let other = vectors(&target).map_or_else(Vec::new, |folder| files(&folder).unwrap());
            assert!(!kept.is_empty() || !other.is_empty(), "{target}");
            total += kept.iter().map(|(byte_len, _)| byte_len).sum::<u64>();
        }
        assert!((50_000..300_000).contains(&total), "{total} bytes");
    }

    #[test]
    fn every_target_is_built_by_its_name() {
        let manifest = std::fs::read_to_string(shell::root().join("fuzz/Cargo.toml")).unwrap();
        let known = targets().unwrap();
        assert!(known.contains(&"sip_message".to_owned()));
        for target in known {
            assert!(
                manifest.contains(&format!("name = \"{target}\"")),
                "{target}"
            );
        }
    }
}
