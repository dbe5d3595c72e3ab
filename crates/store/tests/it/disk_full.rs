//! A disk that is really full, as far as the kernel tells it: a limit on the size of files makes
//! writes short and then refuses them, like no space left does, and needs no rights.

use crate::fixture::{archive, open_blobs};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, Signal};
use std::process::Command;
use voicelog_model::Kind;
use voicelog_store::Blobs as _;
use voicelog_store::blobs::cut_power;

const LIMIT: u64 = 1 << 20;

/// The limit holds for a whole process, so the test runs itself again in one of its own.
#[test]
fn a_write_that_finds_the_disk_full_leaves_whole_objects_and_the_rest_goes_on() {
    if std::env::args().any(|argument| argument == "--exact") {
        return with_full_disk();
    }
    let name =
        "disk_full::a_write_that_finds_the_disk_full_leaves_whole_objects_and_the_rest_goes_on";
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&child.stderr)
    );
    assert!(said.contains("1 passed"), "{said}");
}

fn with_full_disk() {
    // Otherwise the kernel ends the process at the first write beyond the limit. The thread that
    // settles inherits it.
    SigSet::from(Signal::SIGXFSZ).thread_block().unwrap();
    let (_folder, layout) = archive();
    let blobs = open_blobs(&layout);
    let (_, hard) = getrlimit(Resource::RLIMIT_FSIZE).unwrap();
    setrlimit(Resource::RLIMIT_FSIZE, LIMIT, hard).unwrap();

    let big = blobs.create("rec/1/1").unwrap();
    let chunk = vec![7; 100_000];
    let mut len = 0;
    let error = loop {
        match blobs.append(big, &chunk) {
            Ok(grown) => len = grown,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), Kind::Exhausted, "{error:?}");
    assert_eq!(len, 1_000_000, "the last chunk fitted in part");
    assert_eq!(blobs.len("rec/1/1").unwrap(), len, "and was taken back");
    // The spool is too small for it as well, and yet it can be made durable.
    blobs.commit().unwrap();

    let small = blobs.create("rec/2/1").unwrap();
    assert_eq!(blobs.append(small, b"another call").unwrap(), 12);
    blobs.commit().unwrap();
    assert_eq!(
        blobs.append(big, &[8; 10]).unwrap(),
        len + 10,
        "what fits still fits"
    );

    setrlimit(Resource::RLIMIT_FSIZE, hard, hard).unwrap();
    assert_eq!(
        blobs.append(big, &chunk).unwrap(),
        len + 100_010,
        "there is room again"
    );
    assert_eq!(blobs.seal(big).unwrap(), 1_100_010);
    blobs.abandon();
    drop(blobs);
    cut_power(&layout.blobs, &mut |_, _| None).unwrap();
    let blobs = open_blobs(&layout);
    let expected = [&[7; 1_000_000][..], &[8; 10], &chunk].concat();
    assert!(blobs.read("rec/1/1").unwrap() == expected);
    assert_eq!(blobs.read("rec/2/1").unwrap(), b"another call");
    assert_eq!(blobs.trouble(), None);
}
