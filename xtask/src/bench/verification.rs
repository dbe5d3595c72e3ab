//! How fast a bundle is verified, against the plain hash of the same bytes.
//!
//! The bundle is of one long call, built in memory: in real time it would take as long to make as
//! it lasts. What is verified is what `voicelog verify` verifies, by the same function.

use super::process;
use super::table::as_f64;
use anyhow::{Context as _, bail};
use sha2::{Digest as _, Sha256};
use std::path::Path;
use std::process::Command;
use std::time::Instant;
use voicelog_evidence::bundle::{self, BundleInput, Papers};
use voicelog_evidence::tlog::{commitment, inclusion_proof, leaf_hash, root_of};
use voicelog_evidence::{
    Cause, Checkpoint, DataKey, Digest, InventoryBuilder, JournalEvent, Leaf, LeafKind, Manifest,
    PacketKind, Provenance, Record, SegmentEntry, SigningKey, TlogProof, canonical_json, manifest,
    verify,
};
use voicelog_model::{Codec, DecisionId, MediaStream, RecordingId, StreamNumber, Timestamp};

pub(super) const STARTED: Timestamp = Timestamp::from_micros(1_795_255_320_000_000);
pub(super) const PACKET_MICROS: i64 = 20_000;
const PACKETS_PER_SECOND: u32 = 50;
const SAMPLES_PER_PACKET: u32 = 160;
pub(super) const STREAMS: u16 = 2;
/// The best of so many runs counts: what disturbs a run only ever makes it slower.
const RUNS: usize = 3;

/// What was measured.
pub(crate) struct Verification {
    minutes: u32,
    bundle_bytes: u64,
    verify_seconds: f64,
    hash_seconds: f64,
    /// What the program takes by the clock of the wall, on two cores, and `openssl dgst -sha256` beside it.
    program_seconds: f64,
    hash_by_clock_seconds: f64,
}

impl Verification {
    pub(crate) fn print(&self) {
        let speed = |seconds: f64| as_f64(self.bundle_bytes) / seconds / 1e6;
        println!(
            "| verification, MB/s (bundle of a call of {} minutes, {:.0} MB; beside it SHA-256 of the same bytes) | {:.0} | {:.0} | {:.2} |",
            self.minutes,
            as_f64(self.bundle_bytes) / 1e6,
            speed(self.verify_seconds),
            speed(self.hash_seconds),
            self.hash_seconds / self.verify_seconds
        );
        println!(
            "| the same file by `voicelog verify` on two cores, by the clock; beside it `openssl dgst -sha256` | {:.0} | {:.0} | {:.2} |",
            speed(self.program_seconds),
            speed(self.hash_by_clock_seconds),
            self.hash_by_clock_seconds / self.program_seconds
        );
    }
}

/// Builds the bundle and measures.
#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures how long things take, of a file that nobody keeps"
)]
pub(crate) fn measure(quick: bool, programs: &Path) -> anyhow::Result<Verification> {
    let minutes = if quick { 2 } else { 30 };
    let bundle = bundle_of(minutes)?;
    let verify_seconds = best_of(|| {
        let report = verify(&bundle, None);
        if let Some(finding) = report.broken().next() {
            bail!("the bundle of the benchmark does not hold: {finding:?}");
        }
        Ok(())
    })?;
    let hash_seconds = best_of(|| {
        std::hint::black_box(Sha256::digest(&bundle));
        Ok(())
    })?;
    let file = programs.join("bench-bundle.zip");
    std::fs::write(&file, &bundle).context("the bundle of the benchmark")?;
    let program = programs.join("voicelog");
    let program_seconds = best_by_clock(|| verified_by(&program, &file))?;
    let hash_by_clock_seconds = best_by_clock(|| {
        let openssl = Command::new("openssl")
            .args(["dgst", "-sha256"])
            .arg(&file)
            .output();
        anyhow::ensure!(
            openssl.context("cannot run openssl")?.status.success(),
            "openssl failed"
        );
        Ok(())
    })?;
    std::fs::remove_file(&file).context("the bundle of the benchmark")?;
    Ok(Verification {
        minutes,
        bundle_bytes: u64::try_from(bundle.len()).context("a bundle that large")?,
        verify_seconds,
        hash_seconds,
        program_seconds,
        hash_by_clock_seconds,
    })
}

/// The program with two cores, while this process is held on one.
fn verified_by(program: &Path, bundle: &Path) -> anyhow::Result<()> {
    let mut verify = Command::new("taskset");
    verify.args(["-c", "0,1"]).arg(program).arg("verify");
    let said = verify.arg(bundle).output().context("cannot run taskset")?;
    anyhow::ensure!(
        said.status.success(),
        "the bundle of the benchmark does not hold: {}",
        String::from_utf8_lossy(&said.stderr)
    );
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures how long things take"
)]
fn best_by_clock(mut run: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..RUNS {
        let begun = Instant::now();
        run()?;
        best = best.min(begun.elapsed().as_secs_f64());
    }
    Ok(best)
}

/// Processor seconds of one run: what else goes on beside it does not count.
fn best_of(mut run: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..RUNS {
        let begun = process::own_thread_seconds()?;
        run()?;
        best = best.min(process::own_thread_seconds()? - begun);
    }
    Ok(best)
}

fn records(minutes: u32) -> Vec<Record> {
    let event = |at: Timestamp, event| Record::Event { at, event };
    let mut records = vec![event(STARTED, JournalEvent::CallStarted {})];
    for number in (1..=STREAMS).map(StreamNumber) {
        let stream = MediaStream {
            number,
            label: Some(number.to_string()),
            codec: Codec::Pcma,
            payload_type: 8,
            parameters: None,
            also: vec![],
            party: Some(format!("p{number}")),
        };
        records.push(event(STARTED, JournalEvent::StreamAdded { stream }));
    }
    let decision = DecisionId::from_bytes([2; 16]);
    records.push(event(STARTED, JournalEvent::Permitted { decision }));
    let mut arrived = STARTED;
    for n in 0..minutes * 60 * PACKETS_PER_SECOND {
        arrived = arrived.plus_micros(PACKET_MICROS);
        for stream in (1..=STREAMS).map(StreamNumber) {
            let bytes = packet(stream, n);
            let kind = PacketKind::Rtp;
            records.push(Record::Packet {
                stream,
                arrived,
                kind,
                bytes,
            });
        }
    }
    let cause = Cause::RecordingClient;
    let end = arrived.plus_micros(PACKET_MICROS);
    records.push(event(end, JournalEvent::CallEnded { cause }));
    records
}

/// Packet `n` of a stream; what is said differs from packet to packet.
pub(super) fn packet(stream: StreamNumber, n: u32) -> Vec<u8> {
    let [_, _, high, low] = n.to_be_bytes();
    let timestamp = n.wrapping_mul(SAMPLES_PER_PACKET).to_be_bytes();
    let source = u32::from(stream.0).to_be_bytes();
    let mut bytes = vec![0x80, 8, high, low];
    bytes.extend_from_slice(&timestamp);
    bytes.extend_from_slice(&source);
    bytes.extend((0..SAMPLES_PER_PACKET).map(|sample| {
        let [.., byte] = (sample.wrapping_mul(n | 1) >> 3).to_be_bytes();
        byte
    }));
    bytes
}

fn bundle_of(minutes: u32) -> anyhow::Result<Vec<u8>> {
    let recording = RecordingId::new(STARTED, [7; 10]);
    let data_key = DataKey::from_random([0x11; 32]);
    let key = SigningKey::from_seed("voicelog/bench", [0x22; 32])?;
    let records = records(minutes);
    let mut inventory = InventoryBuilder::new(data_key.tree_salt(recording));
    for record in &records {
        inventory.push(record.as_view())?;
    }
    let inventory = inventory.finish();
    let timeline = &inventory.timeline;
    let rulebook = Digest([0x33; 32]);
    let decision = serde_json::json!({
        "outcome": "permitted_with_duties", "rulebook": { "id": "nl", "hash": rulebook },
    });
    let decision = canonical_json(&decision)?;
    // No segment is in a bundle; what stands here of it cannot be checked from one.
    let segment = SegmentEntry {
        number: 1,
        byte_len: 1,
        sha256: Digest([4; 32]),
    };
    let manifest = Manifest {
        version: manifest::VERSION,
        recording,
        provenance: Provenance::Phone,
        call_started: timeline.call_started,
        call_ended: timeline.call_ended,
        streams: inventory.stream_entries(),
        segments: vec![segment],
        record_count: inventory.record_count,
        events_sha256: inventory.events_sha256,
        timeline_sha256: Digest::of(&timeline.to_bytes()?),
        decision_sha256: Digest::of(&decision),
        rulebook_hash: rulebook,
        verdict: timeline.verdict,
        tool: "xtask bench".to_owned(),
    };
    let commitment_salt = data_key.commitment_salt(recording);
    let committed = commitment(&commitment_salt, &Digest::of(&manifest.to_bytes()?).0);
    let at = manifest.call_ended;
    let leaf = Leaf::new(LeafKind::Recorded, at, recording.to_string(), committed);
    let hashes = [leaf_hash(b"another"), leaf.hash()?];
    let proof = TlogProof {
        index: 1,
        hashes: inclusion_proof(&hashes, 1, 2)?,
        checkpoint: Checkpoint::sign(2, root_of(&hashes), &key)?,
    };
    let input = BundleInput {
        part: None,
        basis: None,
        vcon_signer: None,
        papers: Papers::default(),
        manifest: &manifest,
        timeline,
        decision: &decision,
        records: &records,
        commitment_salt,
        tree_salt: data_key.tree_salt(recording),
        leaf: &leaf,
        proof: &proof,
        made_at: at,
    };
    bundle::build(&input, &key).context("cannot build the bundle")
}
