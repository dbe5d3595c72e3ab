//! How the archive does when it is large: `cargo run --release -p voicelog-archive --example scale`.
//!
//! A million recordings in the index, of which one is real and the others are copies of its row; an hour's
//! call opened; a log that grows; recordings destroyed, together and one after the other. Prints what it saw; the
//! figures stand in `ref/performance.md`. `-- destruction` (or `list`, `sound`, `log`) runs that part alone.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement by hand"
)]

#[expect(dead_code, reason = "what the tests need besides")]
#[path = "../tests/it/support.rs"]
mod support;

use rusqlite::Connection;
use serde_json::{Map, json};
use std::time::{Duration, Instant};
use support::{Fixture, START, asker, end, fixture, open_call, permit, record, seconds};
use voicelog_archive::journal::{ChunkBuilder, JournalEvent, PacketKind};
use voicelog_archive::{Call, DESTROYED_TOGETHER_MAX, Permit, RecordingFilter, Verdict, act};
use voicelog_evidence::digest::Digest;
use voicelog_evidence::tlog::{Leaf, LeafKind};
use voicelog_model::{DecisionId, RecordingId, StreamNumber};

const ROWS: u32 = 1_000_000;
const LEAVES: u32 = 100_000;
const DESTROYED: u32 = 2_000;
const DESTROYED_ALONE: u32 = 100;
/// Packets of an hour, 20 ms each.
const HOUR: u32 = 180_000;

fn main() {
    let only = std::env::args().nth(1);
    let parts: [(&str, fn()); 4] = [
        ("list", pages_and_terms),
        ("sound", first_sound),
        ("log", log),
        ("destruction", destruction),
    ];
    for (name, measure) in parts {
        if only.as_deref().is_none_or(|only| only == name) {
            measure();
        }
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let begun = Instant::now();
    let made = work();
    (begun.elapsed(), made)
}

fn index_of(fixture: &Fixture) -> Connection {
    let layout = voicelog_store::Layout::in_folder(fixture.folder.path());
    Connection::open(layout.index).unwrap()
}

/// A page of the list, at the head and in the middle; and the preview of all terms.
fn pages_and_terms() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let id = record(archive).id;
    archive.sort_terms(10).unwrap();
    index_of(&fixture)
        .execute_batch(&format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})
             INSERT INTO recordings (id, state, started_at, ended_at, decision, line, sealed, manifest, timeline,
                                     report, verdict, byte_count, retain_until, leaf, facts_key)
             SELECT randomblob(16), state, started_at + i * 1000000, ended_at + i * 1000000, decision, line, sealed,
                    manifest, timeline, report, verdict, byte_count, retain_until + i * 1000000, NULL, facts_key
             FROM recordings, n WHERE id = x'{}';",
            id.to_string().replace('-', "")
        ))
        .unwrap();
    let filter = RecordingFilter::default();
    for round in 0..3 {
        let (head, (page, after)) = timed(|| archive.list(&filter, None, 50).unwrap());
        let middle = after.map(|mut cursor| {
            cursor.started_at = START.plus_micros(i64::from(ROWS / 2) * 1_000_000);
            timed(|| archive.list(&filter, Some(cursor), 50).unwrap()).0
        });
        let until = START.plus_micros(i64::from(2 * ROWS) * 1_000_000);
        // Five years on, so that every term is over.
        let until = until.plus_micros(5 * 366 * 86_400 * 1_000_000);
        let (preview, found) = timed(|| archive.preview_terms(until, until).unwrap());
        let groups: Vec<u64> = found.alike.iter().map(|alike| alike.count).collect();
        println!(
            "round {round}: {ROWS} rows: a page of {} in {head:?}, in the middle {middle:?}; preview in {preview:?} \
             ({} to destroy, {} refused, groups {groups:?})",
            page.len(),
            found.destroyed(),
            found.refused(),
        );
    }
}

/// An hour's call, from the question to its WAV file in memory.
fn first_sound() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let call = open_call(archive, "announced");
    let answer = archive.ask_to_record(call.id, START).unwrap();
    let decision = answer.id;
    let mut writer = archive.begin(permit(answer)).unwrap();
    write_hour(&fixture, &mut writer, &call, decision);
    // The last moment, without packets.
    let (closing, finished) = timed(|| end(archive, writer, 0).unwrap());
    for round in 0..3 {
        let (opening, opened) = timed(|| {
            let facts = Map::from_iter([
                ("requester_role".to_owned(), json!("controller_staff")),
                ("need_to_know_basis".to_owned(), json!("complaint 12")),
            ]);
            let answer = archive.ask_to_listen(finished.id, &asker(), &facts, seconds(4_000));
            let Verdict::Permit(permit) = answer.unwrap().verdict else {
                panic!("the law refuses to listen to the benchmark");
            };
            archive.listen(permit, seconds(4_000)).unwrap()
        });
        let (rendering, (wav, _spans)) = timed(|| opened.wav().unwrap());
        println!(
            "round {round}: an hour of two streams: opened in {opening:?}, WAV of {} bytes in {rendering:?} (closed in \
             {closing:?})",
            wav.len()
        );
    }
}

fn write_hour(
    fixture: &Fixture,
    writer: &mut voicelog_archive::RecordingWriter,
    call: &Call,
    decision: DecisionId,
) {
    let mut chunk = ChunkBuilder::new();
    chunk
        .push_event(START, &JournalEvent::CallStarted {})
        .unwrap();
    for stream in &call.streams {
        let stream = stream.clone();
        chunk
            .push_event(START, &JournalEvent::StreamAdded { stream })
            .unwrap();
    }
    chunk
        .push_event(START, &JournalEvent::Permitted { decision })
        .unwrap();
    for n in 0..HOUR {
        let arrived = START.plus_micros(i64::from(n) * 20_000);
        for number in [1, 2] {
            let bytes = packet(n);
            chunk
                .push_packet(StreamNumber(number), arrived, PacketKind::Rtp, &bytes)
                .unwrap();
        }
        if n % 15 == 14 {
            fixture.archive.append(writer, &chunk.take()).unwrap();
        }
    }
    fixture.archive.commit().unwrap();
}

fn packet(n: u32) -> Vec<u8> {
    let mut bytes = vec![0x80, 8];
    let [_, _, high, low] = n.to_be_bytes();
    bytes.extend_from_slice(&[high, low]);
    bytes.extend_from_slice(&(n * 160).to_be_bytes());
    bytes.extend_from_slice(&0xcafe_u32.to_be_bytes());
    bytes.extend((0..160_u32).map(|at| (n.wrapping_mul(31) ^ at).to_le_bytes()[0]));
    bytes
}

/// Leaves that wait, given their places.
fn log() {
    let fixture = fixture();
    let archive = &fixture.archive;
    archive.sequence().unwrap();
    let mut connection = index_of(&fixture);
    let transaction = connection.transaction().unwrap();
    for n in 0..LEAVES {
        let object = RecordingId::from_bytes(u128::from(n).to_be_bytes()).to_string();
        let leaf = Leaf::new(LeafKind::Recorded, START, object, Digest([7; 32]));
        transaction
            .execute(
                "INSERT INTO pending_leaves (id, bytes) VALUES (?1, ?2)",
                (u128::from(n).to_be_bytes(), leaf.to_bytes().unwrap()),
            )
            .unwrap();
    }
    transaction.commit().unwrap();
    let (took, ()) = timed(|| archive.sequence().unwrap());
    println!(
        "log: {LEAVES} leaves placed in {took:?}: {:.0} a second",
        f64::from(LEAVES) / took.as_secs_f64()
    );
}

/// Recordings destroyed as a sweep does it, and one after the other; the law asked about each.
fn destruction() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let (recording, ids) =
        timed(|| -> Vec<RecordingId> { (0..DESTROYED).map(|_| record(archive).id).collect() });
    let now = START.plus_micros(3 * 366 * 86_400 * 1_000_000);
    archive.confirm_clock(now).unwrap();
    let (alone, together) = ids.split_at(DESTROYED_ALONE as usize);
    let (took_alone, ()) = timed(|| {
        for id in alone {
            let answer = archive.ask_to_destroy(*id, now).unwrap();
            archive.destroy(permitted(answer.verdict), now).unwrap();
        }
    });
    let (mut asking, mut destroying) = (Duration::ZERO, Duration::ZERO);
    for ids in together.chunks(DESTROYED_TOGETHER_MAX) {
        let (took, answers) = timed(|| archive.ask_to_destroy_all(ids, now));
        asking += took;
        let permits = answers.into_iter();
        let permits = permits.map(|(_, answer)| permitted(answer.unwrap().verdict));
        let permits = permits.collect();
        let (took, told) = timed(|| archive.destroy_all(permits, now).unwrap());
        destroying += took;
        assert!(told.iter().all(|one| one.outcome.is_ok()));
    }
    let count = DESTROYED - DESTROYED_ALONE;
    println!(
        "destruction: {count} recordings of two seconds, {DESTROYED_TOGETHER_MAX} together: {:?} each (asking {:?}, \
         destroying {:?}); {DESTROYED_ALONE} one after the other: {:?} each; recorded in {:?} each",
        (asking + destroying) / count,
        asking / count,
        destroying / count,
        took_alone / DESTROYED_ALONE,
        recording / DESTROYED,
    );
}

fn permitted(verdict: Verdict<act::Destroy>) -> Permit<act::Destroy> {
    match verdict {
        Verdict::Permit(permit) => permit,
        Verdict::Refusal(_) => panic!("the law refuses to destroy the benchmark"),
    }
}
