//! How long the end of a talk of an hour takes, until its copy is made and verified:
//! `cargo run --release -p voicelog-web --example hour_of_talk [MINUTES]`.
//!
//! Two devices recorded (Opus at 32 kbit/s). The hour is that of a clock that is set; the rest is real: archive, disk, law, copy.

use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use voicelog_archive::keys::EpochKeys;
use voicelog_archive::{Archive, Line, Lines, Parts, Secrets};
use voicelog_casework::Asked;
use voicelog_casework::disclosure::{self, Recipient};
use voicelog_evidence::key::{DataKey, KeyEncryptionKey};
use voicelog_evidence::note::SigningKey;
use voicelog_law::Rulebook;
use voicelog_model::{Clock, Pii, SimClock, Timestamp};
use voicelog_room::{Act, Choice, Hash, Rooms, Seat, Taken};
use voicelog_store::blobs::Options;
use voicelog_store::{Access, ArchiveId, Layout, LocalStore};

type Failure = Box<dyn std::error::Error>;

/// 2026-11-23T10:00:00Z.
const START: Timestamp = Timestamp::from_micros(1_795_428_000_000_000);

fn archive(folder: &std::path::Path) -> Result<Archive, Failure> {
    let layout = Layout::in_folder(folder);
    LocalStore::create(&layout, ArchiveId([7; 16]), START)?;
    let store = LocalStore::open(&layout, Access::Write(Options::default()))?;
    let facts = json!({
        "recorder_type": "company", "counterpart_types": ["private_person"],
        "participation": "participant", "channel": "live_inside", "structural": "single",
        "purpose": "bewijs_overeenkomst", "legal_basis": "b",
        "staff_informed": "each_call_signal", "or_status": "consented", "dpia": "done",
        "private_use_possible": true, "retention_term": "P1Y",
    });
    let kind = Line {
        facts: facts.as_object().cloned().unwrap_or_default(),
        ..Line::not_set_up("contract")
    };
    Ok(Archive::open(Parts {
        index: Box::new(store.index),
        blobs: Box::new(store.blobs),
        keys: Box::new(store.keys),
        secrets: Secrets {
            epoch_keys: EpochKeys::given(KeyEncryptionKey::new(1, [1; 32])),
            signing_key: SigningKey::from_seed("voicelog/example", [2; 32])?,
            decision_key: DataKey::from_random([3; 32]),
        },
        rulebook: Rulebook::embedded(START)?,
        lines: Lines::new(Vec::new()).with_rooms(vec![kind]),
    }))
}

/// A device: its seat, and the chain of what it handed over.
struct Device(Seat, u16, Hash);

impl Device {
    /// A second of packets, the first of which begins at that second of the track.
    fn chunk(&self, number: u32) -> Vec<u8> {
        let mut chunk = b"VLRC\x01".to_vec();
        chunk.extend_from_slice(&number.to_be_bytes());
        chunk.extend_from_slice(&self.2.0);
        for place in 1..=50 {
            let count = number * 50 + place;
            chunk.push(1);
            chunk.extend_from_slice(&(i64::from(count) * 20_000).to_be_bytes());
            chunk.extend_from_slice(&92_u16.to_be_bytes());
            chunk.extend_from_slice(&[0x80, 111]);
            chunk.extend_from_slice(&count.to_be_bytes()[2..]);
            chunk.extend_from_slice(&count.wrapping_mul(960).to_be_bytes());
            chunk.extend_from_slice(&7_u32.to_be_bytes());
            // Mono, 20 ms, the whole band; what follows a decoder takes for noise.
            chunk.push(0xf8);
            let noise = Hash::of(&count.to_be_bytes()).0;
            chunk.extend(noise.iter().cycle().take(79));
        }
        chunk
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "it measures how long things take"
)]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "other threads close the talk")]
fn wait_a_little() {
    std::thread::sleep(Duration::from_millis(1));
}

/// Hands over a second of both devices, and waits until it is on the disk.
fn second(rooms: &Rooms, devices: &mut [Device; 2], number: u32) -> Result<(), Failure> {
    let mut waiting = Vec::new();
    for device in devices {
        let chunk = device.chunk(number);
        let hash = Hash::of(&chunk);
        if let Taken::Waits(told) = rooms.take_chunk(&device.0, device.1, number, hash, &chunk)? {
            waiting.push(told);
        }
        device.2 = hash;
    }
    for told in waiting {
        told.blocking_recv()?;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "it is what it is for")]
fn main() -> Result<(), Failure> {
    let minutes = std::env::args().nth(1).and_then(|word| word.parse().ok());
    let seconds: u32 = minutes.unwrap_or(60) * 60;
    let folder = tempfile::tempdir()?;
    let archive = Arc::new(archive(folder.path())?);
    let clock = Arc::new(SimClock::new(START));
    let shared: Arc<dyn Clock> = Arc::<SimClock>::clone(&clock);
    let rooms = Rooms::start(Arc::clone(&archive), shared, BTreeMap::new())?;
    let id = rooms.open("contract", "anna", Some("Anna"))?;
    let host = rooms.host_seat(id, "anna").ok_or("no host")?;
    let code = rooms.state(&host)?.code.ok_or("no code")?;
    let guest = rooms.join(&code, Some("Bram"), [9; 32])?;
    rooms.choose(&guest, Choice::RecordsToo)?;
    rooms.act(&host, Act::Start)?;
    let open = |seat: &Seat| -> Result<Device, Failure> {
        let opened = rooms.open_track(seat, "opus/48000/2", 111)?;
        Ok(Device(seat.clone(), opened.track, Hash::default()))
    };
    let mut devices = [open(&host)?, open(&guest)?];
    let filling = now();
    for number in 0..seconds {
        clock.advance_micros(1_000_000);
        second(&rooms, &mut devices, number)?;
    }
    println!("handing over: {:.2} s", filling.elapsed().as_secs_f64());
    let ending = now();
    rooms.act(&host, Act::End)?;
    for device in &devices {
        rooms.end_track(&device.0, device.1, seconds, device.2)?;
    }
    while rooms.state(&host)?.fingerprint.is_none() {
        wait_a_little();
    }
    let closed = ending.elapsed();
    let asker = Pii::new("anna".to_owned());
    let given = disclosure::bundle(
        &archive,
        id,
        &asker,
        Recipient::DataSubject,
        None,
        clock.now(),
    )?;
    let Asked::Given(copy) = given else {
        return Err("the law refuses the copy".into());
    };
    let made = ending.elapsed();
    let report = voicelog_evidence::verify::verify(&copy.bundle, None);
    let verified = ending.elapsed();
    let load = std::fs::read_to_string("/proc/loadavg")?;
    println!("end to closed: {:.2} s", closed.as_secs_f64());
    println!(
        "end to copy made: {:.2} s, {} bytes",
        made.as_secs_f64(),
        copy.bundle.len()
    );
    println!(
        "end to copy verified: {:.2} s, holds: {}",
        verified.as_secs_f64(),
        report.holds()
    );
    println!("load {load}");
    Ok(())
}
