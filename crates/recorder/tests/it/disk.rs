//! A disk that takes nothing more of one recording.

use crate::support::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use voicelog_archive::Archive;
use voicelog_archive::journal::Cause;
use voicelog_archive::timeline::Verdict;
use voicelog_model::Clock;
use voicelog_recorder::{CallState, Recorder, WhyNot};
use voicelog_src_sim::{Outcome, Side, place};
use voicelog_store::blobs::Unknown;
use voicelog_store::{BlobEntry, BlobId, Blobs, StoreError};

/// Blobs of which the first one takes nothing more, once told, and which make nothing durable, once
/// told.
#[derive(Debug)]
struct Tight {
    inner: Box<dyn Blobs>,
    first: Mutex<Option<BlobId>>,
    is_full: Arc<AtomicBool>,
    is_stuck: Arc<AtomicBool>,
}

impl Blobs for Tight {
    fn create(&self, key: &str) -> Result<BlobId, StoreError> {
        let blob = self.inner.create(key)?;
        self.first.lock().unwrap().get_or_insert(blob);
        Ok(blob)
    }
    fn append(&self, blob: BlobId, bytes: &[u8]) -> Result<u64, StoreError> {
        if self.is_full.load(Ordering::SeqCst) && *self.first.lock().unwrap() == Some(blob) {
            return Err(StoreError::Full {
                what: "the disk",
                limit: 0,
            });
        }
        self.inner.append(blob, bytes)
    }
    fn commit(&self) -> Result<(), StoreError> {
        if self.is_stuck.load(Ordering::SeqCst) {
            return Err(StoreError::Full {
                what: "the disk",
                limit: 0,
            });
        }
        self.inner.commit()
    }
    fn seal(&self, blob: BlobId) -> Result<u64, StoreError> {
        self.inner.seal(blob)
    }
    fn read(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        self.inner.read(key)
    }
    fn read_part(&self, key: &str, at: u64, len: usize) -> Result<Vec<u8>, StoreError> {
        self.inner.read_part(key, at, len)
    }
    fn len(&self, key: &str) -> Result<u64, StoreError> {
        self.inner.len(key)
    }
    fn list(&self, prefix: &str) -> Result<Vec<BlobEntry>, StoreError> {
        self.inner.list(prefix)
    }
    fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.inner.delete(key)
    }
    fn truncate(&self, key: &str, len: u64) -> Result<(), StoreError> {
        self.inner.truncate(key, len)
    }
    fn promised_len(&self, key: &str) -> Option<u64> {
        self.inner.promised_len(key)
    }

    fn free_bytes(&self) -> Result<u64, StoreError> {
        self.inner.free_bytes()
    }
    fn list_unknown(&self, is_known: &dyn Fn(&str) -> bool) -> Result<Vec<Unknown>, StoreError> {
        self.inner.list_unknown(is_known)
    }
    fn settle(&self) -> Result<(), StoreError> {
        self.inner.settle()
    }
    fn trouble(&self) -> Option<String> {
        self.inner.trouble()
    }
}

struct Faults {
    is_full: Arc<AtomicBool>,
    is_stuck: Arc<AtomicBool>,
}

fn server_with_faults() -> (Server, Faults) {
    let folder = tempfile::tempdir().unwrap();
    let faults = Faults {
        is_full: Arc::new(AtomicBool::new(false)),
        is_stuck: Arc::new(AtomicBool::new(false)),
    };
    let mut parts = parts(folder.path());
    parts.blobs = Box::new(Tight {
        inner: parts.blobs,
        first: Mutex::new(None),
        is_full: Arc::clone(&faults.is_full),
        is_stuck: Arc::clone(&faults.is_stuck),
    });
    let archive = Arc::new(Archive::open(parts));
    let clock: Arc<dyn Clock> = Arc::new(MachineClock);
    let recorder = Recorder::start(&config(), Arc::clone(&archive), clock).unwrap();
    let server = Server {
        recorder,
        archive,
        folder,
    };
    (server, faults)
}

#[test]
fn a_last_commit_that_failed_is_tried_again_although_no_call_comes() {
    let (server, faults) = server_with_faults();
    let call = place(&server.plan("announced", 1)).unwrap();
    server.call_in(CallState::Recording);
    wait_until("media is kept", || {
        server.recorder.status().calls[0].media.kept > 20
    });
    faults.is_stuck.store(true, Ordering::SeqCst);
    wait_until("no new calls are taken", || {
        server.recorder.status().why_not == Some(WhyNot::DiskTrouble)
    });
    call.hang_up().unwrap();
    wait_until("the call is over", || {
        server.recorder.status().calls.is_empty()
    });
    // Its last chunk has met the fault as well.
    pass(300);
    faults.is_stuck.store(false, Ordering::SeqCst);
    wait_until("new calls are taken", || server.recorder.status().accepting);
    server.all_closed();
}

#[test]
fn a_recording_that_cannot_be_written_ends_and_the_one_beside_it_goes_on() {
    let (server, faults) = server_with_faults();
    let is_full = faults.is_full;
    let first = place(&server.plan("announced", 1)).unwrap();
    let first_id = server.call_in(CallState::Recording);
    let second = place(&server.plan("announced", 2)).unwrap();
    wait_until("both are recorded", || {
        let calls = server.recorder.status().calls;
        calls.len() == 2 && calls.iter().all(|call| call.media.kept > 40)
    });
    let second_id = server
        .recorder
        .status()
        .calls
        .iter()
        .map(|call| call.id)
        .max()
        .unwrap();
    is_full.store(true, Ordering::SeqCst);
    let report = first.finish().unwrap();
    assert!(matches!(
        report.outcome,
        Outcome::Ended {
            by: Side::Server,
            ..
        }
    ));
    let kept = server.recorder.status().calls[0].media.kept;
    wait_until("the other one goes on", || {
        server.recorder.status().calls[0].media.kept > kept + 40
    });
    let report = second.hang_up().unwrap();
    server.all_closed();

    assert_eq!(server.timeline(second_id).verdict, Verdict::Whole);
    assert_eq!(payloads(&server.open(second_id), 1), sent(&report)[0]);
    // Once there is room, the recording says where it stopped and why.
    is_full.store(false, Ordering::SeqCst);
    wait_until("the first one is closed", || {
        server.detail(first_id).timeline.is_some()
    });
    let timeline = server.timeline(first_id);
    assert_eq!(timeline.end, Some(Cause::DiskFull));
    assert_eq!(timeline.verdict, Verdict::CutShort);
    assert!(
        timeline.streams[0].packets >= 10,
        "what was written is kept"
    );
    assert!(!payloads(&server.open(first_id), 1).is_empty());
}
