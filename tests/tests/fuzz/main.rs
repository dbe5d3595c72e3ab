//! Every parser against damaged input from a fixed seed: some thousands in every run of the tests,
//! and with `cargo xtask fuzz` for as long as it says. The samples that are damaged are those here
//! and those kept in `fuzz/corpus`. The same bodies are fuzzed with coverage as the guide by the
//! targets in `fuzz/`.
//!
//! A body that panics fails its test; the input that did it is printed as hexadecimal bytes, to
//! become a test of its own.

#![cfg(test)]

mod evidence;
mod lists;
mod rooms;
mod sip;

use std::path::Path;
use std::time::{Duration, Instant};
use voicelog_law::Facts;
use voicelog_model::Timestamp;
use voicelog_model::rtcp;
use voicelog_model::rtp::RtpPacket;
use voicelog_tests::fuzz_smoke::{Dice, damaged};

/// Inputs for each parser.
const ROUNDS: usize = 4_000;
/// A parser that takes longer than this for one input of at most 80 kB is stuck, or can be made
/// to be. Generous: the tests run without optimisation, beside others.
const STUCK: Duration = Duration::from_secs(5);

/// Prints the input if the test ends while it is being read.
struct Blame<'a> {
    input: &'a [u8],
    round: usize,
}

impl Drop for Blame<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let hex: String = self
                .input
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            eprintln!("round {}: the input was {hex}", self.round);
        }
    }
}

fn smoke(target: &str, samples: &[Vec<u8>], body: impl Fn(&[u8])) {
    smoke_rounds(ROUNDS, target, samples, body);
}

/// A number that `cargo xtask fuzz` sets.
#[expect(
    clippy::disallowed_methods,
    reason = "how long is the choice of whoever runs it"
)]
fn setting(name: &str) -> u64 {
    std::env::var(name).map_or(0, |text| text.parse().unwrap())
}

/// What was kept of earlier runs, in the order of the files' names.
fn kept(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/corpus")
        .join(target);
    let Ok(files) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

/// Another row of numbers for each target and each seed (FNV-1a).
fn row_of(target: &str, seed: u64) -> u64 {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let start = target.bytes().fold(0xcbf2_9ce4_8422_2325, mix);
    seed.to_le_bytes().into_iter().fold(start, mix)
}

/// What this thread has had of a processor: a machine that does other things as well does not count.
fn worked() -> Duration {
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID);
    Duration::from(time.unwrap())
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long to go on is a question of real time"
)]
fn smoke_rounds(rounds: usize, target: &str, samples: &[Vec<u8>], body: impl Fn(&[u8])) {
    let mut samples = samples.to_vec();
    samples.extend(kept(target));
    let mut dice = Dice::new(row_of(target, setting("VOICELOG_FUZZ_SEED")));
    let length = Duration::from_secs(setting("VOICELOG_FUZZ_SECONDS"));
    let started = Instant::now();
    let whole = samples.iter().cloned();
    let broken = std::iter::repeat_with(|| damaged(&samples, &mut dice));
    let mut count = 0;
    for (round, input) in whole.chain(broken).enumerate() {
        if round >= rounds && started.elapsed() >= length {
            break;
        }
        count += 1;
        let _blame = Blame {
            input: &input,
            round,
        };
        let begun = worked();
        body(&input);
        let took = worked().saturating_sub(begun);
        assert!(took < STUCK, "took {took:?} for {} bytes", input.len());
    }
    println!("{target}: {count} inputs from {} samples", samples.len());
}

#[test]
fn fuzz_smoke_rtp() {
    let plain = [&[0x80, 8, 0, 1, 0, 0, 0, 160, 1, 2, 3, 4][..], &[0xd5; 160]].concat();
    let mut full = plain.clone();
    full.splice(..1, [0xb2]);
    let report = [
        &[0x81, 200, 0, 12, 1, 2, 3, 4][..],
        &[9; 44],
        &[0x82, 203, 0, 2],
        &[1; 8],
    ]
    .concat();
    smoke("rtp", &[plain, full, report], |input| {
        assert!(rtcp::read(input).count() <= input.len());
        if let Ok(packet) = RtpPacket::parse(input) {
            assert!(packet.payload.len() <= input.len());
        }
    });
}

#[test]
fn fuzz_smoke_facts() {
    let facts = br#"{"requested_action":"record","recorder_type":"company","channel":"phone",
        "participation":"participant","counterpart_types":["private_person"],"openness":"announced",
        "announcement":{"text_id":"verkoop-1","language":"nl"},"purpose":"bewijs_overeenkomst",
        "legal_basis":"b","countries":["NL","DE"],"retention_term":"P5Y",
        "consent_per_participant":{"p1":"given","p2":"refused"}}"#;
    let at = Timestamp::from_micros(1_790_000_000_000_000);
    smoke("facts", &[facts.to_vec()], |input| {
        let read = Facts::parse(input, at);
        // What was read can be written, and what was written is read as the same.
        if let Ok(facts) = read {
            let written = facts.canonical_json();
            assert_eq!(
                Facts::parse(written.as_bytes(), at).unwrap().hash(),
                facts.hash()
            );
        }
    });
}
