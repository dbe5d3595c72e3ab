//! Closing: the manifest says what was written, whether it was summed up on the way or read back.

use crate::support::*;
use voicelog_archive::check::Level;
use voicelog_archive::journal::{Cause, ChunkBuilder, JournalEvent};
use voicelog_archive::timeline::Verdict as Completeness;
use voicelog_model::StreamNumber;

#[expect(
    clippy::disallowed_methods,
    reason = "damage is made the way it comes: behind the program's back"
)]
fn flip_last_byte(path: &std::path::Path) {
    let mut bytes = std::fs::read(path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn what_is_damaged_before_the_end_is_not_what_the_manifest_says_and_the_check_finds_it() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let call = open_call(archive, "announced");
    let mut writer = write_media(archive, &call, 75);
    archive.close(&mut writer).unwrap();
    archive.settle().unwrap();
    let layout = voicelog_store::Layout::in_folder(fixture.folder.path());
    let name = format!("objects/rec/{}/000001.seg", call.id);
    flip_last_byte(&layout.blobs.join(name));
    archive.finish(writer, seconds(2)).unwrap();
    let findings = archive.check(Level::Hash).unwrap();
    assert_eq!(findings.wrong.len(), 1, "{:?}", findings.wrong);
    assert_eq!(findings.wrong[0].recording, Some(call.id));
}

#[test]
fn a_call_in_which_more_happens_than_memory_is_kept_for_is_read_back_and_closed_the_same() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let call = open_call(archive, "announced");
    let mut writer = write_media(archive, &call, 75);
    let stream = StreamNumber(1);
    let mut chunk = ChunkBuilder::new();
    for turn in 0..400 {
        let at = seconds(2).plus_micros(turn * 50_000);
        let event = if turn % 2 == 0 {
            let by = Cause::RecordingClient;
            JournalEvent::StreamPaused { stream, by }
        } else {
            JournalEvent::StreamResumed { stream }
        };
        chunk.push_event(at, &event).unwrap();
        if turn % 50 == 49 {
            archive.append(&mut writer, &chunk.take()).unwrap();
        }
    }
    let finished = end(archive, writer, 1_200).unwrap();
    let pauses = &finished.timeline.streams[0].intervals;
    assert!(pauses.len() > 200, "{}", pauses.len());
    assert_ne!(finished.verdict, Completeness::Whole);
    assert_eq!(archive.check(Level::Hash).unwrap().wrong, []);
}
