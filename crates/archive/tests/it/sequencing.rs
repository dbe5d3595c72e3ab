//! Two processes that give leaves their place at the same time.

use crate::support::*;
use voicelog_archive::Archive;
use voicelog_archive::check::Level;
use voicelog_store::faulty::Schedule;
use voicelog_store::index::{LogRows as _, PendingLeaf};
use voicelog_store::{Access, Layout, LocalStore};

/// The operations of one round of sequencing.
const ROUND: [&str; 3] = ["log_head", "pending_leaves", "append_leaves"];

#[test]
fn whoever_loses_the_race_for_the_head_goes_on_from_the_new_one() {
    for operation in ROUND {
        let fixture = fixture();
        let folder = fixture.folder.path();
        let queue = LocalStore::open(&Layout::in_folder(folder), Access::Read)
            .unwrap()
            .index;
        for number in 0..5 {
            let leaf = PendingLeaf {
                id: [number; 16],
                bytes: vec![number],
            };
            queue.queue_leaf(&leaf).unwrap();
        }
        let other = Archive::open(reading(folder));
        let schedule = Schedule::interrupted(operation, move || other.sequence().unwrap());
        let slow = Archive::open(with_faults(reading(folder), &schedule));
        slow.sequence()
            .unwrap_or_else(|error| panic!("behind {operation}: {error:?}"));
        assert_eq!(slow.log_size().unwrap(), 5, "behind {operation}");
        assert_eq!(fixture.archive.check(Level::Hash).unwrap().wrong, []);
    }
}
