//! Two openings of one archive, as two processes make them; and parts that do not fit together.

use crate::fixture::{ARCHIVE, archive, at, open, open_blobs};
use voicelog_model::Kind;
use voicelog_store::blobs::{Options, UnknownBecause};
use voicelog_store::index::{Accounts as _, LogRows as _, NewAccount, PendingLeaf, SequencedLeaf};
use voicelog_store::{Access, ArchiveId, Blobs as _, FileBlobs, Index as _, Layout, LocalStore};
use voicelog_store::{Keys as _, SqliteIndex, StoreError, durable};

#[test]
fn one_process_writes_objects_and_others_read_them() {
    let (_folder, layout) = archive();
    let writer = open(&layout);
    let second = LocalStore::open(&layout, Access::Write(Options::default()));
    let error = second.map(drop).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error:?}");
    assert_eq!(error.kind(), Kind::Conflict);

    let reader = LocalStore::open(&layout, Access::Read).unwrap();
    let blob = writer.blobs.create("rec/1").unwrap();
    writer.blobs.append(blob, b"live").unwrap();
    assert_eq!(reader.blobs.read("rec/1").unwrap(), b"live");
    assert!(matches!(
        reader.blobs.create("rec/2"),
        Err(StoreError::ReadOnly { .. })
    ));
    assert!(matches!(
        reader.blobs.delete("rec/1"),
        Err(StoreError::ReadOnly { .. })
    ));
    assert!(matches!(
        reader.blobs.truncate("rec/1", 0),
        Err(StoreError::ReadOnly { .. })
    ));
    drop(writer);
    open(&layout);
}

#[test]
fn two_connections_take_turns_and_see_each_others_commits() {
    let (_folder, layout) = archive();
    let one = SqliteIndex::open(&layout.index).unwrap();
    let two = SqliteIndex::open(&layout.index).unwrap();
    let leaf = |number: u8| PendingLeaf {
        id: [number; 16],
        bytes: vec![number],
    };
    std::thread::scope(|scope| {
        for (index, numbers) in [(&one, 1..=60), (&two, 101..=160)] {
            scope.spawn(move || {
                for number in numbers {
                    index.queue_leaf(&leaf(number)).unwrap();
                    assert!(index.pending_leaves(500).unwrap().contains(&leaf(number)));
                }
            });
        }
    });
    assert_eq!(one.pending_leaves(500).unwrap().len(), 120);
    assert_eq!(
        one.pending_leaves(500).unwrap(),
        two.pending_leaves(500).unwrap()
    );
}

#[test]
fn of_two_sequencers_at_the_same_size_exactly_one_wins() {
    let (_folder, layout) = archive();
    let indexes = [1, 2].map(|_| SqliteIndex::open(&layout.index).unwrap());
    for size in 0..20_u64 {
        let id = [u8::try_from(size).unwrap(); 16];
        indexes[0]
            .queue_leaf(&PendingLeaf { id, bytes: vec![1] })
            .unwrap();
        let leaf = SequencedLeaf {
            id,
            bytes: vec![1],
            hash: [0; 32],
        };
        let results: Vec<_> = std::thread::scope(|scope| {
            let threads = [b"one", b"two"]
                .into_iter()
                .zip(&indexes)
                .map(|(name, index)| {
                    let leaves = std::slice::from_ref(&leaf);
                    scope.spawn(move || index.append_leaves(size, leaves, &[], name, b""))
                });
            let threads: Vec<_> = threads.collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        let lost =
            |result: &&Result<(), StoreError>| matches!(result, Err(StoreError::LogMoved { .. }));
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
        assert_eq!(results.iter().filter(lost).count(), 1);
        let winner = if results[0].is_ok() { b"one" } else { b"two" };
        assert_eq!(indexes[0].log_head().unwrap().checkpoint, winner);
    }
}

#[test]
fn a_setup_token_makes_one_administrator_however_many_try() {
    let (_folder, layout) = archive();
    let index = SqliteIndex::open(&layout.index).unwrap();
    index.set_setup_token(&[7; 32], at(100)).unwrap();
    let made: Vec<bool> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|number| {
                let layout = &layout;
                scope.spawn(move || {
                    let account = NewAccount {
                        name: format!("beheer {number}"),
                        password_hash: String::new(),
                        role: "administrator".to_owned(),
                        created_at: at(1),
                        invited_by: None,
                        salt: [3; 32],
                    };
                    let leaf = PendingLeaf {
                        id: [number; 16],
                        bytes: vec![1],
                    };
                    let index = SqliteIndex::open(&layout.index).unwrap();
                    index
                        .claim_first_account(&[7; 32], &account, &leaf, at(1))
                        .unwrap()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(made.iter().filter(|made| **made).count(), 1);
    assert_eq!(index.account_count().unwrap(), 1);
}

#[test]
fn an_index_of_a_newer_schema_or_another_program_is_refused() {
    let (folder, layout) = archive();
    let change = |sql: &str| {
        rusqlite::Connection::open(&layout.index)
            .unwrap()
            .execute_batch(sql)
            .unwrap();
    };
    let next = voicelog_store::SCHEMA_VERSION + 1;
    change(&format!(
        "INSERT INTO schema_history VALUES ({next}, 0, 'voicelog 9')"
    ));
    let newer = SqliteIndex::open(&layout.index).unwrap_err();
    assert!(matches!(
        newer,
        StoreError::NewerSchema {
            found,
            known: voicelog_store::SCHEMA_VERSION
        } if found == next
    ));
    assert_eq!(
        newer.to_string(),
        format!(
            "the index has schema {next}, and this program knows schemas up to {}",
            voicelog_store::SCHEMA_VERSION
        )
    );
    change(&format!(
        "DELETE FROM schema_history WHERE version = {next}"
    ));
    SqliteIndex::open(&layout.index).unwrap();
    change("PRAGMA application_id = 7");
    assert!(matches!(
        SqliteIndex::open(&layout.index),
        Err(StoreError::Foreign { .. })
    ));

    let other = folder.path().join("other.db");
    assert!(matches!(
        SqliteIndex::open(&other),
        Err(StoreError::NotFound { .. })
    ));
    durable::create(
        &other,
        b"this is no database, and long enough to be looked at",
    )
    .unwrap();
    assert_eq!(SqliteIndex::open(&other).unwrap_err().kind(), Kind::Corrupt);
    durable::replace(&other, b"").unwrap();
    assert!(matches!(
        SqliteIndex::open(&other),
        Err(StoreError::Foreign { .. })
    ));
}

#[test]
fn parts_of_different_archives_do_not_open_together() {
    let (_folder, layout) = archive();
    let folder = tempfile::tempdir().unwrap();
    let other = Layout::in_folder(folder.path());
    LocalStore::create(&other, ArchiveId([1; 16]), at(0)).unwrap();
    let mixes = [
        Layout {
            blobs: other.blobs.clone(),
            ..layout.clone()
        },
        Layout {
            keys: other.keys.clone(),
            ..layout.clone()
        },
        Layout {
            index: other.index,
            ..layout.clone()
        },
        Layout {
            keys: layout.blobs.clone(),
            ..layout.clone()
        },
        Layout {
            blobs: folder.path().join("nothing"),
            ..layout.clone()
        },
    ];
    for mix in mixes {
        let error = LocalStore::open(&mix, Access::Write(Options::default())).unwrap_err();
        assert!(matches!(error, StoreError::Foreign { .. }), "{error:?}");
        assert!(!error.help().is_empty());
    }
    assert_eq!(open(&layout).index.archive(), ARCHIVE);
}

#[test]
fn making_an_archive_that_was_cut_off_can_be_done_again_and_a_finished_one_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::in_folder(folder.path());
    assert!(!layout.exists());
    FileBlobs::create_folder(&layout.blobs, ARCHIVE).unwrap();
    durable::create(&folder.path().join(".index.db.new"), b"half a database").unwrap();
    LocalStore::create(&layout, ARCHIVE, at(0)).unwrap();
    assert!(layout.exists());
    open(&layout)
        .keys
        .put(crate::fixture::recording_id(1), b"key")
        .unwrap();
    let again = LocalStore::create(&layout, ARCHIVE, at(1));
    assert!(matches!(again, Err(StoreError::Exists { .. })));
    assert_eq!(open(&layout).keys.list().unwrap().len(), 1);
    let mut names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["blobs", "index.db", "keys"],
        "no journals or halves are left"
    );
}

#[test]
fn what_does_not_belong_among_the_objects_is_reported_and_stays() {
    let (_folder, layout) = archive();
    let blobs = open_blobs(&layout);
    let blob = blobs.create("rec/1/000001.seg").unwrap();
    blobs.append(blob, b"x").unwrap();
    blobs.commit().unwrap();
    let inside = |name: &str| layout.blobs.join(name);
    durable::create(&inside("objects/rec/1/.000001.seg.swp"), b"four").unwrap();
    durable::create(&inside("objects/Notes.TXT"), b"").unwrap();
    durable::create(&inside("spool/old"), b"").unwrap();
    durable::create(&inside("stray"), b"").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", inside("objects/rec/link")).unwrap();
    let known = |key: &str| key == "rec/1/000001.seg";
    let found = blobs.list_unknown(&known).unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|one| (one.path.as_str(), one.why))
        .collect();
    assert_eq!(
        found,
        [
            ("objects/Notes.TXT", UnknownBecause::NotAKey),
            ("objects/rec/1/.000001.seg.swp", UnknownBecause::NotAKey),
            ("objects/rec/link", UnknownBecause::NotAFile),
            ("spool/old", UnknownBecause::NotAKey),
            ("stray", UnknownBecause::NotAKey),
        ]
    );
    assert_eq!(blobs.list("").unwrap().len(), 1, "lists show objects only");
    assert_eq!(blobs.list_unknown(&known).unwrap().len(), 5);
}

#[test]
fn a_damaged_index_is_found_by_its_check() {
    let (_folder, layout) = archive();
    let index = SqliteIndex::open(&layout.index).unwrap();
    assert_eq!(index.check().unwrap(), [""; 0]);
    let other = rusqlite::Connection::open(&layout.index).unwrap();
    other
        .execute_batch("PRAGMA foreign_keys = OFF; UPDATE log_head SET size = 3;")
        .unwrap();
    other
        .execute_batch("INSERT INTO erasable (bytes) VALUES (x'01')")
        .unwrap();
    other
        .execute_batch(
            "INSERT INTO holds (id, recording, placed_at) VALUES (zeroblob(16), zeroblob(16), 1)",
        )
        .unwrap();
    let findings = index.check().unwrap();
    assert_eq!(findings.len(), 3, "{findings:?}");
    assert!(findings[1].contains("says 3 leaves"), "{findings:?}");
}
