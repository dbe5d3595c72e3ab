//! A mistake of ours in the midst of writing one talk.

use crate::chunk::Hash;
use crate::{Act, Choice, Phase, Rooms, Seat, Taken};
use serde_json::json;
use std::path::Path;
use std::sync::{Arc, Mutex};
use voicelog_archive::keys::EpochKeys;
use voicelog_archive::{Archive, Line, Lines, Parts, Secrets};
use voicelog_evidence::key::{DataKey, KeyEncryptionKey};
use voicelog_evidence::note::SigningKey;
use voicelog_law::Rulebook;
use voicelog_model::{RecordingId, SimClock, Timestamp};
use voicelog_store::blobs::Options;
use voicelog_store::{Access, ArchiveId, Layout, LocalStore};

/// 2026-11-23T10:00:00Z.
const START: Timestamp = Timestamp::from_micros(1_795_428_000_000_000);

/// The talk of which a chunk goes wrong.
static WRONG: Mutex<Option<RecordingId>> = Mutex::new(None);

pub(super) fn mishap(id: RecordingId) {
    let is_it = *WRONG.lock().unwrap() == Some(id);
    assert!(!is_it, "a mistake for the test");
}

fn archive(folder: &Path) -> Archive {
    let layout = Layout::in_folder(folder);
    if !layout.exists() {
        LocalStore::create(&layout, ArchiveId([7; 16]), START).unwrap();
    }
    let store = LocalStore::open(&layout, Access::Write(Options::default())).unwrap();
    let facts = json!({
        "recorder_type": "private_person", "counterpart_types": ["private_person"],
        "participation": "participant", "channel": "live_inside", "purpose": "eigen_gebruik_bewijs",
    });
    let kind = Line {
        facts: facts.as_object().unwrap().clone(),
        ..Line::not_set_up("own")
    };
    Archive::open(Parts {
        index: Box::new(store.index),
        blobs: Box::new(store.blobs),
        keys: Box::new(store.keys),
        secrets: Secrets {
            epoch_keys: EpochKeys::given(KeyEncryptionKey::new(1, [1; 32])),
            signing_key: SigningKey::from_seed("voicelog/test", [2; 32]).unwrap(),
            decision_key: DataKey::from_random([3; 32]),
        },
        rulebook: Rulebook::embedded(START).unwrap(),
        lines: Lines::new(Vec::new()).with_rooms(vec![kind]),
    })
}

/// A talk that is being recorded, of whose host a device has a track.
fn recording(rooms: &Rooms) -> Seat {
    let id = rooms.open("own", "anna", None).unwrap();
    let host = rooms.host_seat(id, "anna").unwrap();
    let code = rooms.state(&host).unwrap().code.unwrap();
    let guest = rooms.join(&code, None, [9; 32]).unwrap();
    rooms.choose(&guest, Choice::Agreed).unwrap();
    rooms.act(&host, Act::Start).unwrap();
    rooms.open_track(&host, "opus/48000/2", 111).unwrap();
    host
}

/// Hands over a chunk with one packet; whether it was acknowledged.
fn is_kept(rooms: &Rooms, host: &Seat) -> bool {
    let mut chunk = b"VLRC\x01\0\0\0\0".to_vec();
    chunk.extend_from_slice(&[0; 32]);
    chunk.push(1);
    chunk.extend_from_slice(&20_000_i64.to_be_bytes());
    chunk.extend_from_slice(&[0, 14, 0x80, 111, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 0xf8, 0xff]);
    match rooms
        .take_chunk(host, 1, 0, Hash::of(&chunk), &chunk)
        .unwrap()
    {
        Taken::OnDisk(_) => true,
        Taken::Waits(told) => told.blocking_recv().is_ok(),
    }
}

#[test]
fn a_mistake_in_one_talk_costs_that_talk_and_nothing_of_it_is_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(SimClock::new(START));
    let opened = Arc::new(archive(folder.path()));
    let rooms = Rooms::start(opened, Arc::<SimClock>::clone(&clock)).unwrap();
    let (wrong, right) = (recording(&rooms), recording(&rooms));
    clock.advance_micros(1_000_000);
    *WRONG.lock().unwrap() = Some(wrong.talk);
    assert!(!is_kept(&rooms, &wrong));
    assert!(is_kept(&rooms, &right));
    assert_eq!(rooms.state(&wrong).unwrap().phase, Phase::Ended);
    assert_eq!(rooms.state(&right).unwrap().phase, Phase::Recording);
    // The next start closes it.
    drop(rooms);
    let again = archive(folder.path());
    let recovered = again.recover(START.plus_micros(9_000_000)).unwrap();
    assert!(recovered.interrupted.contains(&wrong.talk), "{recovered:?}");
}
