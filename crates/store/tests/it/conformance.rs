//! Each backend keeps the promises of its trait.

use crate::fixture::{archive, open, open_blobs};
use voicelog_store::blobs::Options;
use voicelog_store::conformance;
use voicelog_store::faulty::{FaultyBlobs, FaultyIndex, FaultyKeys, Schedule};
use voicelog_store::{FileBlobs, FileKeys, SqliteIndex};

#[test]
fn objects_in_files_conform_up_to_the_longest() {
    conformance::blobs_as_long_as_allowed(|| {
        let (folder, layout) = archive();
        (Box::new(open_blobs(&layout)), Box::new(folder))
    })
    .unwrap();
}

#[test]
fn objects_in_files_conform() {
    conformance::blobs(|| {
        let (folder, layout) = archive();
        (Box::new(open_blobs(&layout)), Box::new(folder))
    })
    .unwrap();
}

#[test]
fn objects_in_files_conform_when_the_spool_is_replaced_all_the_time() {
    conformance::blobs(|| {
        let (folder, layout) = archive();
        let options = Options {
            spool_bytes_max: 100,
            spool_objects_max: 2,
            ..Options::default()
        };
        (
            Box::new(FileBlobs::open(&layout.blobs, options).unwrap()),
            Box::new(folder),
        )
    })
    .unwrap();
}

#[test]
fn keys_in_files_conform() {
    conformance::keys(|| {
        let (folder, layout) = archive();
        (
            Box::new(FileKeys::open(&layout.keys).unwrap()),
            Box::new(folder),
        )
    })
    .unwrap();
}

#[test]
fn the_index_in_sqlite_conforms() {
    conformance::index(|| {
        let (folder, layout) = archive();
        (
            Box::new(SqliteIndex::open(&layout.index).unwrap()),
            Box::new(folder),
        )
    })
    .unwrap();
}

#[test]
fn faulty_wrappers_without_a_fault_conform() {
    conformance::blobs(|| {
        let (folder, layout) = archive();
        let blobs = Box::new(open_blobs(&layout));
        (
            Box::new(FaultyBlobs::new(blobs, Schedule::counting())),
            Box::new(folder),
        )
    })
    .unwrap();
    conformance::keys(|| {
        let (folder, layout) = archive();
        let keys = Box::new(open(&layout).keys);
        (
            Box::new(FaultyKeys::new(keys, Schedule::counting())),
            Box::new(folder),
        )
    })
    .unwrap();
    conformance::index(|| {
        let (folder, layout) = archive();
        let index = Box::new(open(&layout).index);
        (
            Box::new(FaultyIndex::new(index, Schedule::counting())),
            Box::new(folder),
        )
    })
    .unwrap();
}
