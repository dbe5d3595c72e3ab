//! Witnesses on real sockets, that answer as a test tells them.

use super::{Authority, AuthoritySettings, WitnessFault, WitnessSettings, Witnesses};
use crate::webhook::Trust;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use tempfile::TempDir;
use voicelog_archive::keys::EpochKeys;
use voicelog_archive::{Archive, ArchiveError, Lines, Parts, Secrets, Stamper as _};
use voicelog_evidence::cosignature::Cosigner;
use voicelog_evidence::key::{DataKey, KeyEncryptionKey};
use voicelog_evidence::note::{Note, SigningKey};
use voicelog_evidence::timestamp::Anchors;
use voicelog_evidence::witness::AddCheckpoint;
use voicelog_law::Rulebook;
use voicelog_model::Timestamp;
use voicelog_store::blobs::Options;
use voicelog_store::{Access, ArchiveId, Layout, LocalStore};

fn start() -> Timestamp {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

/// An archive whose log has some entries.
fn archive() -> (TempDir, Arc<Archive>) {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::in_folder(folder.path());
    LocalStore::create(&layout, ArchiveId([7; 16]), start()).unwrap();
    let store = LocalStore::open(&layout, Access::Write(Options::default())).unwrap();
    let archive = Archive::open(Parts {
        index: Box::new(store.index),
        blobs: Box::new(store.blobs),
        keys: Box::new(store.keys),
        secrets: Secrets {
            epoch_keys: EpochKeys::given(KeyEncryptionKey::new(1, [1; 32])),
            signing_key: SigningKey::from_seed("voicelog/test", [2; 32]).unwrap(),
            decision_key: DataKey::from_random([3; 32]),
        },
        rulebook: Rulebook::embedded(start()).unwrap(),
        lines: Lines::new(Vec::new()),
    });
    archive.introduce(start()).unwrap();
    archive.sequence().unwrap();
    (folder, Arc::new(archive))
}

/// What a witness does with a request.
#[derive(Clone, Copy)]
enum Does {
    Signs,
    SaysThatItSaw(u64),
    HangsUp,
}

/// A witness that does one thing after the other, and tells which size each request began from.
fn witness(seed: u8, acts: Vec<Does>) -> (WitnessSettings, Receiver<u64>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let key = Cosigner::from_seed(&format!("example.com/w{seed}"), [seed; 32]).unwrap();
    let settings = WitnessSettings {
        url,
        key: key.verifier(),
    };
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for act in acts {
            let (mut stream, _peer) = listener.accept().unwrap();
            let mut seen = Vec::new();
            let request = loop {
                let mut piece = [0; 4_096];
                let count = stream.read(&mut piece).unwrap();
                seen.extend_from_slice(&piece[..count]);
                let Some(at) = seen.windows(4).position(|four| four == b"\r\n\r\n") else {
                    continue;
                };
                if let Ok(request) = AddCheckpoint::parse(&seen[at + 4..]) {
                    break request;
                }
            };
            tell.send(request.old).unwrap();
            let note = Note::parse(request.checkpoint.as_bytes()).unwrap();
            let (status, body) = match act {
                Does::Signs => ("200 OK", key.cosign(note.unverified_text(), start())),
                Does::SaysThatItSaw(size) => ("409 Conflict", format!("{size}\n")),
                Does::HangsUp => continue,
            };
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
            );
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (settings, told)
}

fn witnesses(archive: &Arc<Archive>, all: Vec<WitnessSettings>) -> Witnesses {
    let all = all.into_iter().map(|one| (one, Trust::nobody()));
    Witnesses::new(Arc::clone(archive), all.collect(), 1)
}

#[test]
fn a_wrong_size_that_a_witness_named_once_is_not_believed_the_next_time() {
    let (_folder, archive) = archive();
    let (one, old) = witness(1, vec![Does::SaysThatItSaw(999_999), Does::Signs]);
    let witnesses = witnesses(&archive, vec![one]);
    let first = witnesses.ask().unwrap().remove(0).1;
    assert!(
        matches!(first, Err(WitnessFault::RolledBack { seen: 999_999, .. })),
        "{first:?}"
    );
    assert_eq!(witnesses.ask().unwrap().remove(0).1, Ok(start()));
    assert_eq!(old.iter().collect::<Vec<_>>(), [0, 0]);
}

#[test]
fn who_signed_a_checkpoint_before_stays_below_it_when_he_is_not_reached_the_next_time() {
    let (_folder, archive) = archive();
    let (one, _old) = witness(1, vec![Does::Signs, Does::Signs]);
    let (two, _old) = witness(2, vec![Does::Signs, Does::HangsUp]);
    let keys = [one.key.clone(), two.key.clone()];
    let witnesses = witnesses(&archive, vec![one, two]);
    let signed = |archive: &Archive| {
        let kept = archive.cosigned_checkpoint().unwrap().unwrap();
        let note = Note::parse(kept.as_bytes()).unwrap();
        keys.clone()
            .map(|key| matches!(key.verify(&note), Ok(Some(_))))
    };
    witnesses.ask().unwrap();
    assert_eq!(signed(&archive), [true, true]);
    let again = witnesses.ask().unwrap();
    assert!(again[1].1.is_err(), "{again:?}");
    assert_eq!(signed(&archive), [true, true]);
}

/// An authority that nobody reaches.
fn unreachable() -> Authority {
    let key = rcgen::KeyPair::generate().unwrap();
    let anchor = rcgen::CertificateParams::default()
        .self_signed(&key)
        .unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", closed.local_addr().unwrap());
    drop(closed);
    let settings = AuthoritySettings {
        url,
        anchors: Anchors::from_pem(&anchor.pem()).unwrap(),
        policy: None,
    };
    Authority::new(settings, &Trust::nobody())
}

#[test]
fn a_copy_that_went_without_a_stamp_is_known_to_whoever_watches_and_the_next_copies_do_not_wait() {
    let (_folder, archive) = archive();
    let authority = unreachable();
    let (checkpoint, _note) = archive.newest_checkpoint().unwrap().unwrap();
    assert!(!authority.was_missed());
    let minutes = |count: i64| start().plus_micros(count * 60 * 1_000_000);
    let asked = |at| authority.stamp(&checkpoint, at).unwrap_err();
    assert!(asked(start()).contains("no answer"));
    assert!(authority.was_missed());
    assert!(asked(minutes(14)).contains("a short while ago"));
    assert!(asked(minutes(15)).contains("no answer"));
}

#[test]
fn a_sweep_by_a_clock_that_jumped_does_nothing_and_says_so() {
    let (_folder, archive) = archive();
    let years = start().plus_micros(5 * 365 * 86_400 * 1_000_000);
    let swept = crate::retention::run(&archive, years);
    assert!(
        matches!(swept, Err(ArchiveError::ClockJumped { .. })),
        "{swept:?}"
    );
    assert!(crate::retention::run(&archive, start()).unwrap().is_empty());
}
