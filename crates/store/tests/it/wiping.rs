//! What is destroyed is in no file of the archive any more, byte for byte.

use crate::fixture::{Dice, archive_in_memory, at, decision_id, open, recording_id};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use voicelog_model::{Action, DestructionId, HoldId, ProposalId, RecordingId, Scope};
use voicelog_store::blobs::Options;
use voicelog_store::index::*;
use voicelog_store::{Access, Blobs, Keys, Layout, LocalStore, StoreError};

/// Sixteen bytes that nothing else contains, repeated to a length.
fn canary(dice: &mut Dice, len: usize) -> Vec<u8> {
    let mark = dice.bytes(16);
    mark.into_iter().cycle().take(len).collect()
}

/// Pieces of eight bytes.
type Marks = HashSet<u64>;

/// Which marks are anywhere in the files below a folder.
fn found_in(folder: &Path, wanted: &Marks) -> Marks {
    // Most places are told apart by two bytes: a debug build hashes slowly.
    let mut maybe = vec![false; 1 << 16];
    wanted.iter().for_each(|mark| maybe[low(*mark)] = true);
    let mut found = Marks::new();
    for path in files_below(folder) {
        let mut window = 0_u64;
        for byte in std::fs::read(&path).unwrap() {
            window = window << 8 | u64::from(byte);
            if maybe[low(window)] && wanted.contains(&window) {
                found.insert(window);
            }
        }
    }
    found
}

fn low(mark: u64) -> usize {
    let [.., high, low] = mark.to_be_bytes();
    u16::from_be_bytes([high, low]).into()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let (folders, mut files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    files.extend(folders.iter().flat_map(|folder| files_below(folder)));
    files
}

/// The marks of a value: wherever eight bytes of a canary are left, one of these is.
fn marks(value: &[u8]) -> Marks {
    value
        .windows(8)
        .take(16)
        .map(|window| u64::from_be_bytes(window.try_into().unwrap()))
        .collect()
}

struct Made {
    id: RecordingId,
    marks: Marks,
}

/// A sealed recording with canaries in every place that must be wiped. Returns their marks, and
/// into `replaced` go those of sealed columns that were replaced on the way.
fn make(index: &dyn Index, dice: &mut Dice, n: u32, replaced: &mut Marks) -> Made {
    let id = recording_id(n);
    let mut value = |limit: usize| {
        let len = 48 + dice.below(limit);
        canary(dice, len)
    };
    // Mostly several to a page, so that pages are rearranged; some over many pages.
    let long = if n.is_multiple_of(8) { 30_000 } else { 1_200 };
    let (facts, first, sealed) = (value(900), value(600), value(1_200));
    let (manifest, timeline) = (value(long), value(1_200));
    let line = format!("line {n:08} of this call");
    let decision = DecisionRow {
        id: decision_id(n),
        at: at(n.into()),
        action: Action::Record,
        outcome: "permitted".to_owned(),
        recording: Some(id),
        document: b"{}".to_vec(),
        sealed_facts: facts.clone(),
        leaf: None,
    };
    index.insert_decision(&decision, None).unwrap();
    let recording = NewRecording {
        id,
        started_at: at(n.into()),
        state: State::Recording,
        line: line.clone(),
        decision: decision.id,
        sealed: first.clone(),
        report: Vec::new(),
        has_sound_key: false,
    };
    index.insert_recording(&recording).unwrap();
    index.update_sealed(id, &sealed).unwrap();
    let file = *value(1).first_chunk().unwrap();
    assert_eq!(index.claim_file(&file, id).unwrap(), None);
    replaced.extend(marks(&first));
    let finished = Finished {
        ended_at: at(i64::from(n) + 60),
        verdict: "whole".to_owned(),
        manifest: manifest.clone(),
        timeline: timeline.clone(),
        byte_count: 1,
        retain_until: None,
        sound_until: None,
        also: Vec::new(),
    };
    let leaf = PendingLeaf {
        id: *id.as_bytes(),
        bytes: b"leaf".to_vec(),
    };
    assert!(index.finish_recording(id, &finished, &leaf).unwrap());
    let (held, released) = (value(100), value(100));
    hold_and_release(index, id, &held, &released);
    let (proposed, declined) = (value(100), value(100));
    propose_and_decline(index, id, &proposed, &declined);
    let link = value(32);
    fetch_later(index, id, &link);
    let row = [facts, sealed, manifest, timeline, link];
    let wiped = row.iter().chain([&held, &released, &proposed, &declined]);
    let mut all: Marks = wiped.into_iter().flat_map(|value| marks(value)).collect();
    all.extend(marks(&line.as_bytes()[5..13]));
    all.extend(marks(&file));
    Made { id, marks: all }
}

/// A link to a copy, with what is kept of it.
fn fetch_later(index: &dyn Index, id: RecordingId, key: &[u8]) {
    let link = CopyLink {
        key: key[..32].try_into().unwrap(),
        recording: id,
        party: "p2".to_owned(),
        from_us: None,
        to_us: None,
        expires_at: at(i64::MAX / 4_000_000),
        uses_left: 1,
    };
    index.add_copy_links(&[link]).unwrap();
}

fn mark_of_file(dice: &mut Dice) -> [u8; 32] {
    canary(dice, 32).try_into().unwrap()
}

/// A hold that was lifted again, with what is sealed of both.
fn hold_and_release(index: &dyn Index, id: RecordingId, held: &[u8], released: &[u8]) {
    let leaf = |number: u8| PendingLeaf {
        id: id.as_bytes().map(|byte| byte ^ number),
        bytes: b"leaf".to_vec(),
    };
    let hold = NewHold {
        id: HoldId::from_bytes(*id.as_bytes()),
        recording: id,
        placed_at: at(0),
        decision: None,
        ground: "claim".to_owned(),
        review_at: at(1),
        sealed: held.to_vec(),
    };
    index.place_hold(&hold, &leaf(1)).unwrap();
    let release = Release {
        hold: hold.id,
        at: at(1),
        sealed: released.to_vec(),
    };
    assert!(index.lift_hold(&release, &leaf(2)).unwrap());
}

/// A proposal to destroy it that was declined, with what is sealed of both.
fn propose_and_decline(index: &dyn Index, id: RecordingId, proposed: &[u8], declined: &[u8]) {
    let leaf = |number: u8| PendingLeaf {
        id: id.as_bytes().map(|byte| byte ^ number),
        bytes: b"leaf".to_vec(),
    };
    if index.account_count().unwrap() == 0 {
        let account = NewAccount {
            name: "beheer".to_owned(),
            password_hash: String::new(),
            role: "administrator".to_owned(),
            created_at: at(0),
            invited_by: None,
            salt: [3; 32],
        };
        index.set_setup_token(&[1; 32], at(9)).unwrap();
        let made = index.claim_first_account(&[1; 32], &account, &leaf(8), at(0));
        assert!(made.unwrap());
    }
    let proposal = NewProposal {
        id: ProposalId::from_bytes(*id.as_bytes()),
        recording: id,
        made_at: at(0),
        stands_until: at(9),
        sealed: proposed.to_vec(),
    };
    index.propose(&proposal, "beheer", &leaf(3)).unwrap();
    let answer = NewAnswer {
        proposal: proposal.id,
        at: at(1),
        is_confirmed: false,
        sealed: declined.to_vec(),
    };
    assert!(index.answer_proposal(&answer, "beheer", &leaf(4)).unwrap());
}

fn destroy(index: &dyn Index, id: RecordingId) -> Result<(), StoreError> {
    let bytes = *id.as_bytes();
    index.begin_destructions(&[NewDestruction {
        id: DestructionId::from_bytes(bytes),
        recording: id,
        scope: Scope::Whole,
        decision: voicelog_model::DecisionId::from_bytes(bytes),
        begun_at: at(0),
    }])?;
    let mut leaf_id = bytes;
    leaf_id[15] ^= 0x80;
    let leaf = PendingLeaf {
        id: leaf_id,
        bytes: b"gone".to_vec(),
    };
    index.complete_destructions(&[(id, Scope::Whole, leaf)], at(9))
}

#[test]
fn a_tombstone_leaves_nothing_of_what_was_sealed_in_any_page_or_journal() {
    let (folder, layout) = archive_in_memory();
    let mut dice = Dice(0x5eed_0001);
    let (mut replaced, mut gone, mut alive) = (Marks::new(), Marks::new(), Vec::new());
    let index = open(&layout).index;
    for n in 1..=150 {
        alive.push(make(&index, &mut dice, n, &mut replaced));
        // In between, so that pages fill, split and empty in many orders.
        if dice.below(3) == 0 {
            let at = dice.below(alive.len());
            let made = alive.swap_remove(at);
            destroy(&index, made.id).unwrap();
            gone.extend(made.marks);
        }
    }
    let last = alive.pop().unwrap();
    destroy(&index, last.id).unwrap();
    gone.extend(last.marks);
    gone.extend(replaced);
    assert!(gone.len() > 1_000);
    assert_eq!(
        found_in(folder.path(), &gone).len(),
        0,
        "of {} marks",
        gone.len()
    );
    // The same search does find what is alive: the test can see.
    for made in &alive {
        assert_eq!(found_in(folder.path(), &made.marks).len(), made.marks.len());
        assert!(index.manifest(made.id).unwrap().is_some());
    }
    assert_eq!(index.check().unwrap(), [""; 0]);
}

#[test]
fn the_mark_of_a_file_whose_import_is_undone_is_in_no_page_and_no_journal() {
    let (folder, layout) = archive_in_memory();
    let mut dice = Dice(0x5eed_0004);
    let mut replaced = Marks::new();
    let index = open(&layout).index;
    let mut gone = Marks::new();
    for n in 1..=40 {
        let made = make(&index, &mut dice, n, &mut replaced);
        // Others beside it, so that its page is rearranged.
        index.forget_file(made.id).unwrap();
        let file = mark_of_file(&mut dice);
        assert_eq!(index.claim_file(&file, made.id).unwrap(), None);
        if n % 3 == 0 {
            assert_eq!(found_in(folder.path(), &marks(&file)), marks(&file));
            index.forget_file(made.id).unwrap();
            gone.extend(marks(&file));
        }
    }
    assert_eq!(found_in(folder.path(), &gone).len(), 0);
    let last = recording_id(40);
    let file = mark_of_file(&mut dice);
    index.forget_file(last).unwrap();
    assert_eq!(index.claim_file(&file, last).unwrap(), None);
    let reader = rusqlite::Connection::open(&layout.index).unwrap();
    let holds = "BEGIN; SELECT count(*) FROM imported_files;";
    reader.execute_batch(holds).unwrap();
    let blocked = index.forget_file(last);
    assert!(matches!(blocked, Err(StoreError::NotWiped)), "{blocked:?}");
    reader.execute_batch("COMMIT").unwrap();
    index.forget_file(last).unwrap();
    assert_eq!(found_in(folder.path(), &marks(&file)), Marks::new());
}

#[test]
fn while_a_reader_holds_old_pages_a_destruction_says_so_and_can_be_finished() {
    let (folder, layout) = archive_in_memory();
    let mut dice = Dice(0x5eed_0002);
    let mut replaced = Marks::new();
    let index = open(&layout).index;
    let made = make(&index, &mut dice, 1, &mut replaced);
    let reader = rusqlite::Connection::open(&layout.index).unwrap();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM recordings;")
        .unwrap();
    let blocked = destroy(&index, made.id);
    assert!(matches!(blocked, Err(StoreError::NotWiped)), "{blocked:?}");
    assert_eq!(
        index.destructions_pending().unwrap().len(),
        1,
        "recovery finds it"
    );
    reader.execute_batch("COMMIT").unwrap();
    destroy(&index, made.id).unwrap();
    assert_eq!(found_in(folder.path(), &made.marks), Marks::new());
}

#[test]
fn deleted_objects_and_destroyed_keys_are_in_no_spool_and_no_file() {
    let (folder, layout) = archive_in_memory();
    let mut dice = Dice(0x5eed_0003);
    let store = open(&layout);
    let (goes, stays, key) = (
        canary(&mut dice, 5_000),
        canary(&mut dice, 5_000),
        dice.bytes(64),
    );
    let id = recording_id(1);
    store.keys.put(id, &key).unwrap();
    // Another call goes on, so the spool is in use when the object is deleted.
    let other = store.blobs.create("rec/2/1").unwrap();
    let object = store.blobs.create("rec/1/1").unwrap();
    store.blobs.append(other, &stays).unwrap();
    store.blobs.append(object, &goes).unwrap();
    store.blobs.seal(object).unwrap();
    assert_eq!(found_in(folder.path(), &marks(&goes)).len(), 16);
    assert_eq!(found_in(folder.path(), &marks(&key)).len(), 16);

    store.keys.destroy(id).unwrap();
    store.blobs.delete("rec/1/1").unwrap();
    assert_eq!(found_in(folder.path(), &marks(&goes)), Marks::new());
    assert_eq!(found_in(folder.path(), &marks(&key)), Marks::new());
    assert!(!layout.blobs.join("objects/rec/1").exists());

    store.blobs.append(other, b"!").unwrap();
    store.blobs.commit().unwrap();
    store.blobs.abandon();
    drop(store);
    let store = reopen(&layout);
    assert!(matches!(
        store.blobs.read("rec/1/1"),
        Err(StoreError::NotFound { .. })
    ));
    assert_eq!(store.blobs.len("rec/2/1").unwrap(), 5_001);
}

fn reopen(layout: &Layout) -> LocalStore {
    LocalStore::open(layout, Access::Write(Options::default())).unwrap()
}
