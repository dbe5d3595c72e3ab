//! How the archive does when it is large: `cargo run --release -p voicelog-archive --example scale`.
//!
//! A million recordings in the index, of which one is real and the others are copies of its row; an hour's
//! call opened; a log that grows; recordings destroyed, together and one after the other. Prints what it saw; the
//! figures stand in `ref/performance.md`. `-- destruction` (or `list`, `sound`, `wav`, `log`, `import`) runs that part alone.

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
use std::io::Write as _;
use std::ops::Range;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{Fixture, START, asker, end, fixture, open_call, permit, record, seconds};
use voicelog_archive::journal::{ChunkBuilder, JournalEvent, PacketKind};
use voicelog_archive::{
    Archive, Call, DESTROYED_AT_ONCE_MAX, DESTROYED_TOGETHER_MAX, Import, Permit, Playable,
    RecordingFilter, SoundFile, Spool, StopImport, Verdict, act,
};
use voicelog_evidence::digest::Digest;
use voicelog_evidence::tlog::{Leaf, LeafKind};
use voicelog_model::{DecisionId, RecordingId, StreamNumber};

const ROWS: u32 = 1_000_000;
const LEAVES: u32 = 100_000;
const DESTROYED: u32 = 2_100;
const DESTROYED_ALONE: u32 = 100;
/// Packets of an hour, 20 ms each.
const HOUR: u32 = 180_000;

fn main() {
    let only = std::env::args().nth(1);
    let parts: [(&str, fn()); 6] = [
        ("list", pages_and_terms),
        ("sound", first_sound),
        ("wav", wav_beside_others),
        ("log", log),
        ("import", imports),
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

/// Processor seconds so far, user and system: of all threads here, and of all programs that were started and
/// have ended. `/proc/self/stat` counts a hundred a second.
fn processor_time() -> (f64, f64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let mut fields = fields.split_whitespace().skip(11);
    let mut seconds = || fields.next().unwrap().parse::<f64>().unwrap() / 100.0;
    (seconds() + seconds(), seconds() + seconds())
}

/// An hour's call as a stereo WAV file, and what others need to make the same of the bare bytes of its packets, all on the
/// same disk, after one another. Ours opens the recording (authenticates and decrypts it all) and decodes it; the
/// others read two files of A-law. Pin it to one core: `taskset -c 1 …`.
fn wav_beside_others() {
    let fixture = fixture();
    let (id, _closing) = hour(&fixture);
    let folder = tempfile::tempdir_in(fixture.folder.path()).unwrap();
    let place = |name: &str| folder.path().join(name);
    let sound: Vec<u8> = (0..HOUR).flat_map(|n| packet(n).split_off(12)).collect();
    for side in ["left.al", "right.al"] {
        std::fs::write(place(side), &sound).unwrap();
    }
    let raw = |format: &str| format.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let sox = raw("-q -M -t al -r 8000 -c 1 left.al -t al -r 8000 -c 1 right.al -b 16 sox.wav");
    let ffmpeg = raw(
        "-loglevel error -y -threads 1 -f alaw -ar 8000 -ac 1 -i left.al -f alaw -ar 8000 -ac 1 -i right.al \
         -filter_complex amerge=inputs=2 -bitexact ffmpeg.wav",
    );
    for round in 0..3 {
        let before = processor_time().0;
        let mut file = std::fs::File::create(place("voicelog.wav")).unwrap();
        let opened = opened(&fixture.archive, id);
        let mut write = |piece: &[u8]| file.write_all(piece).unwrap();
        read(&fixture.archive, &opened, 0..opened.byte_len(), &mut write);
        let ours = processor_time().0 - before;
        let mut others = Vec::new();
        for (program, arguments) in [("sox", &sox), ("ffmpeg", &ffmpeg)] {
            let before = processor_time().1;
            let mut command = Command::new(program);
            let ended = command.args(arguments).current_dir(folder.path()).status();
            if !ended.is_ok_and(|status| status.success()) {
                println!("{program} is not here, or fails: not measured");
                continue;
            }
            let theirs = processor_time().1 - before;
            let samples = |name: &str| std::fs::read(place(name)).unwrap().split_off(44);
            // A call ends with the arrival of its last packet, which is not heard then.
            let same = samples(&format!("{program}.wav")).starts_with(&samples("voicelog.wav"));
            others.push(format!(
                "{program} {theirs:.2} s, {:.2} times ours ({} samples)",
                theirs / ours,
                if same { "the same" } else { "OTHER" }
            ));
        }
        println!(
            "round {round}: stereo WAV of an hour of A-law, processor time: voicelog {ours:.2} s; {}",
            others.join("; ")
        );
    }
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

/// What a player asks for first.
const FIRST_BYTES: usize = 64 << 10;

/// An hour's call of two streams, recorded; and how long it took to close it.
fn hour(fixture: &Fixture) -> (RecordingId, Duration) {
    let archive = &fixture.archive;
    let call = open_call(archive, "announced");
    let answer = archive.ask_to_record(call.id, START).unwrap();
    let decision = answer.id;
    let mut writer = archive.begin(permit(answer)).unwrap();
    write_hour(fixture, &mut writer, &call, decision);
    // The last moment, without packets.
    let (closing, finished) = timed(|| end(archive, writer, 0).unwrap());
    (finished.id, closing)
}

/// Asks, and opens it.
fn opened(archive: &Archive, id: RecordingId) -> Playable {
    let facts = Map::from_iter([
        ("requester_role".to_owned(), json!("controller_staff")),
        ("need_to_know_basis".to_owned(), json!("complaint 12")),
    ]);
    let answer = archive.ask_to_listen(id, &asker(), &facts, seconds(4_000));
    let Verdict::Permit(permit) = answer.unwrap().verdict else {
        panic!("the law refuses to listen to the benchmark");
    };
    archive.play(permit, seconds(4_000)).unwrap()
}

/// Makes a range of its file, and gives each piece.
fn read(
    archive: &Archive,
    opened: &Playable,
    range: Range<usize>,
    each: &mut dyn FnMut(&[u8]),
) -> usize {
    let (mut reader, mut count) = (opened.read(range), 0);
    loop {
        let piece = archive.sound(opened, &mut reader).unwrap();
        if piece.is_empty() {
            return count;
        }
        count += piece.len();
        each(&piece);
    }
}

/// An hour's call, from the question to the first sound of its WAV file, and to all of it.
fn first_sound() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let (id, closing) = hour(&fixture);
    for round in 0..3 {
        let before = processor_time().0;
        let (opening, opened) = timed(|| opened(archive, id));
        let cpu = processor_time().0 - before;
        let read = |range| read(archive, &opened, range, &mut |_piece| {});
        let all = opened.byte_len();
        let (first, _) = timed(|| read(0..FIRST_BYTES));
        let (later, _) = timed(|| read(all / 2..all / 2 + FIRST_BYTES));
        let (rest, count) = timed(|| read(0..all));
        println!(
            "round {round}: an hour of two streams: first {FIRST_BYTES} bytes of sound after {:?} (opened in {opening:?}, \
             {cpu:.2} s of processor time), as many from the middle in {later:?}, all {count} in {rest:?}; {} bytes held (closed in {closing:?})",
            opening + first,
            opened.held_bytes(),
        );
    }
}

/// An hour of sound as a file of another program, imported from the disk, and as it was sent piece by piece. With `TMPDIR` in
/// memory the disk is left out.
fn imports() {
    let folder = tempfile::tempdir().unwrap();
    let made = |name: &str, args: &[&str]| {
        let path = folder.path().join(name);
        let noise = "anoisesrc=duration=3600:sample_rate=8000:amplitude=0.3";
        let ffmpeg = Command::new("ffmpeg")
            .args(["-v", "error", "-f", "lavfi", "-i", noise, "-ac", "2"])
            .args(args)
            .arg(&path)
            .status();
        assert!(ffmpeg.unwrap().success());
        path
    };
    let files = [
        ("WAV", made("hour.wav", &["-c:a", "pcm_s16le"])),
        (
            "Opus",
            made("hour.opus", &["-c:a", "libopus", "-b:a", "32k"]),
        ),
    ];
    for (name, path) in files {
        let bytes = std::fs::read(&path).unwrap();
        for is_sent in [false, true] {
            let fixture = fixture();
            let now = START.plus_micros(86_400_000_000);
            let (spooled, spool) = timed(|| {
                let mut spool = Spool::create(folder.path().join("spool"), now).unwrap();
                let pieces = bytes.chunks(4 << 20).filter(|_| is_sent);
                pieces.for_each(|piece| spool.push(piece).unwrap());
                spool
            });
            let before = processor_time().0;
            let (looked, file) = timed(|| match is_sent {
                true => SoundFile::of_bytes(Arc::new(spool), &StopImport::default()),
                false => SoundFile::open(&path),
            });
            let (taken, id) = timed(|| take_in(&fixture.archive, file.unwrap(), now));
            println!(
                "an hour of {name}, {} bytes, sent in pieces: {is_sent}: spooled in {spooled:?}, looked at and hashed in {looked:?}, \
                 the law asked and taken in in {taken:?}; {:.2} s of processor time ({id})",
                bytes.len(),
                processor_time().0 - before,
            );
        }
    }
}

fn take_in(archive: &Archive, file: SoundFile, now: voicelog_model::Timestamp) -> RecordingId {
    let mut facts = support::facts("announced");
    for (name, value) in [
        ("channel", json!("phone")),
        ("line_subscriber", json!("recorder")),
        ("countries", json!(["NL"])),
        ("origin_of_import", json!("participant")),
        ("recorded_at", json!(START)),
    ] {
        facts.insert(name.to_owned(), value);
    }
    let import = Import::new(file, &facts, now).unwrap();
    let answer = archive.ask_to_import(&import, &asker(), now).unwrap();
    let Verdict::Permit(permit) = answer.verdict else {
        panic!("refused: {:?}", answer.decision);
    };
    archive.import(permit, &import, now).unwrap().id
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
    for ids in together.chunks(DESTROYED_AT_ONCE_MAX) {
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
        "destruction: {count} recordings of two seconds, {DESTROYED_TOGETHER_MAX} together on each of two threads: {:?} each (asking {:?}, \
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
