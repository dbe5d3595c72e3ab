//! Every parser against damaged input from a fixed seed. The same bodies are fuzzed for as long
//! as one likes with the targets in `fuzz/`.
//!
//! A body that panics fails its test; the input that did it is printed as hexadecimal bytes, to
//! become a test of its own.

#![cfg(test)]

mod evidence;
mod sip;

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

fn smoke(seed: u64, samples: &[Vec<u8>], body: impl Fn(&[u8])) {
    smoke_rounds(ROUNDS, seed, samples, body);
}

#[expect(
    clippy::disallowed_methods,
    reason = "whether a parser is stuck is a question of real time"
)]
fn smoke_rounds(rounds: usize, seed: u64, samples: &[Vec<u8>], body: impl Fn(&[u8])) {
    let mut dice = Dice::new(seed);
    let whole = samples.iter().cloned();
    let broken = std::iter::repeat_with(|| damaged(samples, &mut dice));
    for (round, input) in whole.chain(broken).take(rounds).enumerate() {
        let _blame = Blame {
            input: &input,
            round,
        };
        let begun = Instant::now();
        body(&input);
        let took = begun.elapsed();
        assert!(took < STUCK, "took {took:?} for {} bytes", input.len());
    }
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
    smoke(7, &[plain, full, report], |input| {
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
    smoke(8, &[facts.to_vec()], |input| {
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
