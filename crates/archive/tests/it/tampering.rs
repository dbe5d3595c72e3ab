//! What somebody changed on disk: `check` finds it, and nobody listens to half a recording.

use crate::support::*;
use serde_json::Map;
use std::path::{Path, PathBuf};
use voicelog_archive::check::{Finding, Level};
use voicelog_archive::journal::{Cause, JournalEvent};
use voicelog_archive::{Archive, ArchiveError, Verdict};
use voicelog_model::RecordingId;
use voicelog_store::index::Recordings as _;
use voicelog_store::{Access, Layout, LocalStore};

/// A year and a day after the recording.
fn after_the_term() -> voicelog_model::Timestamp {
    seconds(366 * 86_400)
}

fn write(path: &Path, bytes: &[u8]) {
    let mut file = std::fs::File::create(path).unwrap();
    std::io::Write::write_all(&mut file, bytes).unwrap();
}

/// Closes the archive, puts other bytes in place of some in its index, and opens it again.
fn with_changed_index(fixture: Fixture, from: &[u8], to: &[u8]) -> Fixture {
    assert_eq!(from.len(), to.len());
    let Fixture { archive, folder } = fixture;
    drop(archive);
    let path = folder.path().join("index.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let places: Vec<usize> = (0..bytes.len() - from.len())
        .filter(|at| bytes[*at..].starts_with(from))
        .collect();
    assert!(!places.is_empty(), "{}", String::from_utf8_lossy(from));
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    write(&path, &bytes);
    Fixture {
        archive: std::sync::Arc::new(Archive::open(parts(folder.path()))),
        folder,
    }
}

fn findings(fixture: &Fixture) -> Vec<Finding> {
    fixture.archive.check(Level::Hash).unwrap().wrong
}

fn has(found: &[Finding], invariant: u8, what: &str) -> bool {
    found
        .iter()
        .any(|finding| finding.invariant == invariant && finding.what.contains(what))
}

/// A recording that the log holds, in an archive where nothing is wrong.
fn recorded() -> (Fixture, RecordingId) {
    let fixture = fixture();
    let id = record(&fixture.archive).id;
    fixture.archive.sequence().unwrap();
    assert_eq!(findings(&fixture), []);
    (fixture, id)
}

#[test]
fn a_manifest_that_was_replaced_is_found() {
    let (fixture, id) = recorded();
    let fixture = with_changed_index(fixture, b"\"tool\":\"voicelog", b"\"tool\":\"voicelot");
    let found = findings(&fixture);
    let what = format!("the log says something else of {id}");
    assert!(has(&found, 4, &what), "{found:?}");
}

#[test]
fn a_decision_that_was_replaced_is_found() {
    let (fixture, _) = recorded();
    let fixture = with_changed_index(
        fixture,
        b"{\"action\":\"record\"",
        b"{\"action\":\"listen\"",
    );
    let found = findings(&fixture);
    assert!(
        has(&found, 3, "the decision that its manifest names"),
        "{found:?}"
    );
    assert!(has(&found, 4, "the log says something else"), "{found:?}");
}

#[test]
fn sealed_details_that_were_replaced_are_found() {
    let (fixture, id) = recorded();
    let layout = Layout::in_folder(fixture.folder.path());
    let store = LocalStore::open(&layout, Access::Read).unwrap();
    let sealed = store.index.recording(id).unwrap().unwrap().sealed;
    drop(store);
    let mut changed = sealed.clone();
    *changed.last_mut().unwrap() ^= 1;
    let fixture = with_changed_index(fixture, &sealed, &changed);
    let found = findings(&fixture);
    assert!(has(&found, 1, "sealed details"), "{found:?}");
}

#[test]
fn the_timeline_of_a_refused_call_that_was_replaced_is_found() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let call = open_call(archive, "covert");
    archive.ask_to_record(call.id, START).unwrap();
    let cause = Cause::RecordingClient;
    let events = [
        (START, JournalEvent::CallStarted {}),
        (seconds(1), JournalEvent::CallEnded { cause }),
    ];
    archive
        .finish_unrecorded(call.id, &events, seconds(1))
        .unwrap();
    assert_eq!(findings(&fixture), []);
    let fixture = with_changed_index(fixture, b"\"stray_packets\":0", b"\"stray_packets\":1");
    let found = findings(&fixture);
    assert!(has(&found, 4, "the log says something else"), "{found:?}");
}

#[test]
fn a_certificate_that_was_replaced_is_found() {
    let (fixture, id) = recorded();
    let answer = fixture
        .archive
        .ask_to_destroy(id, after_the_term())
        .unwrap();
    let Verdict::Permit(permit) = answer.verdict else {
        panic!("{:?}", answer.decision)
    };
    fixture.archive.destroy(permit, after_the_term()).unwrap();
    assert_eq!(findings(&fixture), []);
    let fixture = with_changed_index(fixture, b"is vernietigd", b"is vernietigt");
    let found = findings(&fixture);
    assert!(
        has(&found, 5, "certificate of destruction does not verify"),
        "{found:?}"
    );
}

fn segment(fixture: &Fixture, id: RecordingId, number: u32) -> PathBuf {
    let name = format!("blobs/objects/rec/{id}/{number:06}.seg");
    fixture.folder.path().join(name)
}

/// Why a recording cannot be listened to and cannot be exported, which is the same.
fn not_opened(archive: &Archive, id: RecordingId) -> &'static str {
    let at = seconds(60);
    let permit = permit_to_listen(archive, id, at);
    let Err(ArchiveError::NotWhole { what, .. }) = archive.play(permit, at) else {
        panic!("it opens")
    };
    let court = voicelog_model::Action::FileInCourt;
    let answer = archive
        .ask_for_copy(id, court, &asker(), &Map::new(), at)
        .unwrap();
    let Verdict::Permit(copy) = answer.verdict else {
        panic!("refused")
    };
    assert!(matches!(
        archive.export(copy, None, at),
        Err(ArchiveError::NotWhole { what: same, .. }) if same == what
    ));
    what
}

#[test]
fn sound_that_was_changed_or_destroyed_after_it_was_opened_is_not_heard() {
    let (fixture, id) = recorded();
    let archive = &fixture.archive;
    let permit = permit_to_listen(archive, id, seconds(60));
    let sound = archive.play(permit, seconds(60)).unwrap();
    let read = || heard_in(archive, &sound, 0..sound.byte_len());
    assert_eq!(read().unwrap().len(), sound.byte_len());
    let path = segment(&fixture, id, 1);
    let whole = std::fs::read(&path).unwrap();
    for at in [whole.len() / 4, whole.len() / 2, whole.len() - 200] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        write(&path, &changed);
        assert!(matches!(read(), Err(ArchiveError::Segment { .. })), "{at}");
        write(&path, &whole[..at]);
        assert!(matches!(read(), Err(ArchiveError::Segment { .. })), "{at}");
    }
    write(&path, &whole);
    assert_eq!(read().unwrap().len(), sound.byte_len());
    let later = after_the_term();
    archive.confirm_clock(later).unwrap();
    let answer = archive.ask_to_destroy(id, later).unwrap();
    let Verdict::Permit(permit) = answer.verdict else {
        panic!("{:?}", answer.decision)
    };
    archive.destroy(permit, later).unwrap();
    let error = read().unwrap_err();
    assert!(matches!(error, ArchiveError::Destroyed { .. }), "{error}");
}

#[test]
fn a_segment_that_was_cut_behind_a_frame_is_not_listened_to() {
    let (fixture, id) = recorded();
    let fixture = fixture.reopen();
    let path = segment(&fixture, id, 1);
    let bytes = std::fs::read(&path).unwrap();
    // Header, then frames of a length, its check, and as many bytes.
    let mut ends = vec![96];
    while let Some(length) = bytes
        .get(ends[ends.len() - 1]..)
        .and_then(<[u8]>::first_chunk)
    {
        ends.push(ends[ends.len() - 1] + 8 + u32::from_be_bytes(*length) as usize);
    }
    assert!(ends.len() > 3 && ends[ends.len() - 1] == bytes.len());
    write(&path, &bytes[..ends[ends.len() - 2]]);
    assert!(not_opened(&fixture.archive, id).contains("segments"));
}

#[test]
fn a_recording_whose_last_segment_is_gone_is_not_listened_to() {
    let fixture = fixture();
    let id = open_call(&fixture.archive, "announced");
    std::mem::forget(write_media(&fixture.archive, &id, 75));
    let id = id.id;
    let fixture = fixture.reopen();
    fixture.archive.recover(seconds(30)).unwrap();
    fixture.archive.settle().unwrap();
    std::fs::remove_file(segment(&fixture, id, 2)).unwrap();
    assert!(not_opened(&fixture.archive, id).contains("segments"));
}

#[test]
fn a_recording_with_another_timeline_is_not_listened_to() {
    let (fixture, id) = recorded();
    let fixture = with_changed_index(fixture, b"\"stray_packets\":0", b"\"stray_packets\":1");
    assert!(not_opened(&fixture.archive, id).contains("timeline"));
}

#[test]
fn a_lost_data_key_is_found_at_once_and_by_every_check() {
    let (fixture, id) = recorded();
    let keys = Layout::in_folder(fixture.folder.path()).keys;
    std::fs::remove_file(keys.join(format!("{id}.key"))).unwrap();
    for level in [Level::Presence, Level::Size, Level::Hash] {
        let found = fixture.archive.check(level).unwrap().wrong;
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(has(&found, 1, "its data key is missing"));
    }
    let recovery = fixture.archive.recover(seconds(60)).unwrap();
    assert_eq!(recovery.without_key, [id]);
    let permit = permit_to_listen(&fixture.archive, id, seconds(60));
    let error = listen(&fixture.archive, permit, seconds(60)).unwrap_err();
    assert!(matches!(error, ArchiveError::NoKey(_)), "{error}");
}
