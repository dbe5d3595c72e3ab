//! A mistake of ours in one talk, and a file of one talk that cannot be written.

use crate::chunk::{CHUNKS_MAX, Hash};
use crate::guard::tests::go_wrong;
use crate::{Act, Choice, ChunkRefused, EndedBy, Phase, Rooms, Seat, Taken};
use serde_json::json;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::oneshot;
use voicelog_archive::keys::EpochKeys;
use voicelog_archive::{Archive, Line, Lines, Parts, Secrets};
use voicelog_evidence::key::{DataKey, KeyEncryptionKey};
use voicelog_evidence::note::SigningKey;
use voicelog_law::Rulebook;
use voicelog_model::{RecordingId, SimClock, Timestamp};
use voicelog_store::blobs::{Faults, Options, Step};
use voicelog_store::{Access, ArchiveId, Layout, LocalStore};

/// 2026-11-23T10:00:00Z.
const START: Timestamp = Timestamp::from_micros(1_795_428_000_000_000);

/// A disk on which one file cannot be written, with that error; `None` is any file.
#[derive(Debug, Default)]
struct BadFile {
    bad: Mutex<Option<(Option<RecordingId>, i32)>>,
    tries: AtomicUsize,
}

/// `EIO` and `ENOSPC`.
const BROKEN: i32 = 5;
const FULL: i32 = 28;

impl Faults for BadFile {
    fn before(&self, step: Step, path: &Path) -> io::Result<()> {
        let bad = *self.bad.lock().unwrap();
        let Some((which, error)) = bad.filter(|_| step == Step::WriteObject) else {
            return Ok(());
        };
        let is_it = which.is_none_or(|id| path.to_string_lossy().contains(&id.to_string()));
        if is_it {
            self.tries.fetch_add(1, Ordering::SeqCst);
            return Err(io::Error::from_raw_os_error(error));
        }
        Ok(())
    }

    fn after(&self, _step: Step, _path: &Path) -> io::Result<()> {
        Ok(())
    }
}

fn archive(folder: &Path) -> Archive {
    archive_on(folder, Options::default())
}

fn archive_on(folder: &Path, options: Options) -> Archive {
    let layout = Layout::in_folder(folder);
    if !layout.exists() {
        LocalStore::create(&layout, ArchiveId([7; 16]), START).unwrap();
    }
    let store = LocalStore::open(&layout, Access::Write(options)).unwrap();
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

/// The first chunk of a track, with one packet.
fn first_chunk() -> Vec<u8> {
    let mut chunk = b"VLRC\x01\0\0\0\0".to_vec();
    chunk.extend_from_slice(&[0; 32]);
    chunk.push(1);
    chunk.extend_from_slice(&20_000_i64.to_be_bytes());
    chunk.extend_from_slice(&[0, 14, 0x80, 111, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 0xf8, 0xff]);
    chunk
}

/// Hands it over; nothing where it was acknowledged at once.
fn put(rooms: &Rooms, host: &Seat) -> Result<Option<oneshot::Receiver<u32>>, ChunkRefused> {
    let chunk = first_chunk();
    let taken = rooms.take_chunk(host, 1, 0, Hash::of(&chunk), &chunk)?;
    Ok(match taken {
        Taken::OnDisk(_) => None,
        Taken::Waits(told) => Some(told),
    })
}

/// Hands it over and waits; whether it was acknowledged.
fn is_kept(rooms: &Rooms, host: &Seat) -> bool {
    put(rooms, host)
        .unwrap()
        .is_none_or(|told| told.blocking_recv().is_ok())
}

struct Place {
    rooms: Rooms,
    clock: Arc<SimClock>,
    folder: TempDir,
    disk: Arc<BadFile>,
}

fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(SimClock::new(START));
    let disk = Arc::new(BadFile::default());
    let options = Options {
        faults: Some(Arc::<BadFile>::clone(&disk)),
        ..Options::default()
    };
    let opened = Arc::new(archive_on(folder.path(), options));
    let rooms = Rooms::start(opened, Arc::<SimClock>::clone(&clock), BTreeMap::new()).unwrap();
    Place {
        rooms,
        clock,
        folder,
        disk,
    }
}

impl Place {
    /// Two talks a second after both began to be recorded.
    fn two(&self) -> (Seat, Seat) {
        let both = (recording(&self.rooms), recording(&self.rooms));
        self.clock.advance_micros(1_000_000);
        both
    }

    fn ended_by(&self, seat: &Seat) -> Option<EndedBy> {
        self.rooms.state(seat).unwrap().ended_by
    }

    /// The next start closes that talk, and says so.
    fn must_be_recovered(self, talk: RecordingId) {
        let Self { rooms, folder, .. } = self;
        drop(rooms);
        let again = archive(folder.path());
        let recovered = again.recover(START.plus_micros(9_000_000)).unwrap();
        assert!(recovered.interrupted.contains(&talk), "{recovered:?}");
    }
}

/// Waits until the other threads have come so far.
#[expect(clippy::disallowed_methods, reason = "other threads do it")]
fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..2_000 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("never: {what}");
}

#[test]
fn a_mistake_in_one_talk_costs_that_talk_and_nothing_of_it_is_acknowledged() {
    let place = place();
    let (wrong, right) = place.two();
    go_wrong(wrong.talk, "sealing");
    assert!(!is_kept(&place.rooms, &wrong));
    assert!(is_kept(&place.rooms, &right));
    assert_eq!(place.ended_by(&wrong), Some(EndedBy::Failure));
    assert_eq!(place.rooms.state(&right).unwrap().phase, Phase::Recording);
    place.must_be_recovered(wrong.talk);
}

#[test]
fn a_mistake_of_the_keeper_in_one_talk_ends_it_once_and_the_others_are_looked_after() {
    let place = place();
    let (wrong, right) = place.two();
    assert!(is_kept(&place.rooms, &wrong));
    go_wrong(wrong.talk, "looking");
    for _again in 0..3 {
        place.rooms.tick();
    }
    assert_eq!(place.ended_by(&wrong), Some(EndedBy::Failure));
    let failures = place.rooms.failures();
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert_eq!(failures[0].0, wrong.talk);
    // The keeper itself is still there: it ends what is left alone, and closes it.
    assert!(is_kept(&place.rooms, &right));
    place.clock.advance_micros(15 * 60 * 1_000_000);
    until("it is ended", || place.rooms.open_count() == 0);
    assert_eq!(place.ended_by(&right), Some(EndedBy::Nobody));
    place.must_be_recovered(wrong.talk);
}

#[test]
fn a_file_of_one_talk_that_cannot_be_written_holds_that_talk_alone_and_then_ends_it() {
    let place = place();
    let (wrong, right) = place.two();
    *place.disk.bad.lock().unwrap() = Some((Some(wrong.talk), BROKEN));
    let mut told = put(&place.rooms, &wrong).unwrap().unwrap();
    until("it was tried", || {
        place.disk.tries.load(Ordering::SeqCst) > 0
    });
    assert!(is_kept(&place.rooms, &right));
    assert!(told.try_recv().is_err());
    assert_eq!(place.ended_by(&wrong), None, "it may be over in a moment");
    // It is tried again, and after a minute it is given up.
    let tries = place.disk.tries.load(Ordering::SeqCst);
    until("it was tried again", || {
        place.disk.tries.load(Ordering::SeqCst) > tries
    });
    place.clock.advance_micros(60_000_000);
    until("it is given up", || place.ended_by(&wrong).is_some());
    assert_eq!(place.ended_by(&wrong), Some(EndedBy::Failure));
    assert!(told.blocking_recv().is_err());
    assert_eq!(place.rooms.state(&right).unwrap().phase, Phase::Recording);
    place.must_be_recovered(wrong.talk);
}

#[test]
fn a_file_that_can_be_written_again_within_a_minute_costs_nothing() {
    let place = place();
    let (wrong, right) = place.two();
    *place.disk.bad.lock().unwrap() = Some((Some(wrong.talk), BROKEN));
    let told = put(&place.rooms, &wrong).unwrap().unwrap();
    until("it was tried", || {
        place.disk.tries.load(Ordering::SeqCst) > 0
    });
    *place.disk.bad.lock().unwrap() = None;
    assert_eq!(told.blocking_recv(), Ok(1));
    assert!(is_kept(&place.rooms, &right));
    assert!(place.rooms.failures().is_empty());
}

#[test]
fn a_full_disk_holds_all_talks_and_ends_none() {
    let place = place();
    let (one, other) = place.two();
    *place.disk.bad.lock().unwrap() = Some((None, FULL));
    let told = put(&place.rooms, &one).unwrap().unwrap();
    until("it is known", || !place.rooms.shared.writer.has_room());
    let busy = put(&place.rooms, &other);
    assert!(matches!(busy, Err(ChunkRefused::Busy { .. })), "{busy:?}");
    place.clock.advance_micros(120_000_000);
    let tries = place.disk.tries.load(Ordering::SeqCst);
    until("it was tried again", || {
        place.disk.tries.load(Ordering::SeqCst) > tries + 1
    });
    assert!(place.rooms.failures().is_empty());
    *place.disk.bad.lock().unwrap() = None;
    assert_eq!(told.blocking_recv(), Ok(1));
    until("the other goes on", || put(&place.rooms, &other).is_ok());
}

#[test]
fn a_track_of_as_many_chunks_as_it_may_have_ends_and_its_device_can_open_another() {
    let place = place();
    let (talk, _other) = place.two();
    let found = place.rooms.shared.find(talk.talk).unwrap();
    let full = |inner: &mut crate::talk::Inner| {
        let track = &mut inner.tracks[0];
        (track.taken, track.durable) = (CHUNKS_MAX, CHUNKS_MAX);
    };
    full(&mut found.lock());
    let refused = place.rooms.take_chunk(
        &talk,
        1,
        CHUNKS_MAX,
        Hash::of(&first_chunk()),
        &first_chunk(),
    );
    assert!(
        matches!(refused, Err(ChunkRefused::Ended { next: CHUNKS_MAX })),
        "{refused:?}"
    );
    assert!(!place.rooms.track(&talk, 1).unwrap().is_open);
    let next = place.rooms.open_track(&talk, "opus/48000/2", 111).unwrap();
    assert_eq!(next.track, 2);
}
