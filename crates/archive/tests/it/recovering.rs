//! A crash at any moment: nothing committed is lost, and the gap is declared.

use crate::support::*;
use voicelog_archive::State;
use voicelog_archive::check::Level;
use voicelog_archive::timeline::Verdict as Completeness;

#[test]
fn a_recording_cut_off_by_a_crash_keeps_what_was_committed_and_declares_the_restart() {
    let fixture = fixture();
    let call = open_call(&fixture.archive, "announced");
    let writer = write_media(&fixture.archive, &call, 75);
    std::mem::forget(writer);
    let fixture = fixture.reopen();
    let recovery = fixture.archive.recover(seconds(30)).unwrap();
    assert_eq!(recovery.interrupted, [call.id]);
    assert_eq!(recovery.damaged, []);
    let detail = fixture.archive.detail(call.id).unwrap();
    assert_eq!(detail.summary.state, State::Sealed);
    assert_eq!(
        detail.summary.verdict,
        Some(Completeness::WholeWithDeclaredGaps)
    );
    assert_eq!(detail.timeline.unwrap().streams[0].packets, 75);
    assert_eq!(fixture.archive.check(Level::Hash).unwrap().wrong, []);
    // Recovery is done: a second time there is nothing to do.
    assert_eq!(
        fixture.archive.recover(seconds(31)).unwrap(),
        voicelog_archive::Recovery::default()
    );
}

#[test]
fn a_waiting_call_cut_off_by_a_crash_is_closed_as_not_recorded() {
    let fixture = fixture();
    let call = open_call(&fixture.archive, "covert");
    fixture.archive.ask_to_record(call.id, START).unwrap();
    let fixture = fixture.reopen();
    let recovery = fixture.archive.recover(seconds(30)).unwrap();
    assert_eq!(recovery.waiting, [call.id]);
    let detail = fixture.archive.detail(call.id).unwrap();
    assert_eq!(detail.summary.state, State::NotRecorded);
    assert_eq!(detail.summary.verdict, Some(Completeness::NotRecorded));
}

#[test]
fn a_recording_that_ended_before_the_crash_is_closed_without_a_restart_on_its_timeline() {
    let fixture = fixture();
    let call = open_call(&fixture.archive, "announced");
    let mut writer = write_media(&fixture.archive, &call, 75);
    let mut chunk = voicelog_archive::journal::ChunkBuilder::new();
    let ended = voicelog_archive::journal::JournalEvent::CallEnded {
        cause: voicelog_archive::journal::Cause::RecordingClient,
    };
    chunk
        .push_event(START.plus_micros(1_500_000), &ended)
        .unwrap();
    fixture.archive.append(&mut writer, &chunk.take()).unwrap();
    fixture.archive.commit().unwrap();
    std::mem::forget(writer);
    let fixture = fixture.reopen();
    let recovery = fixture.archive.recover(seconds(30)).unwrap();
    assert_eq!(recovery.closed, [call.id]);
    let detail = fixture.archive.detail(call.id).unwrap();
    assert_eq!(detail.summary.verdict, Some(Completeness::Whole));
}

#[expect(
    clippy::disallowed_methods,
    reason = "plays the disk, which syncs nothing"
)]
fn overwrite(path: &std::path::Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}

/// The one segment of a recording, as a file.
fn segment_file(folder: &std::path::Path, id: voicelog_model::RecordingId) -> std::path::PathBuf {
    let layout = voicelog_store::Layout::in_folder(folder);
    layout.blobs.join(format!("objects/rec/{id}/000001.seg"))
}

#[test]
fn what_a_power_cut_leaves_behind_the_promised_length_is_cut_and_no_damage() {
    // Zeros, then bytes that were written: no length check survives that.
    let junk = [vec![0; 300], vec![0xa5; 700]].concat();
    for first_packets in [75, 0] {
        let fixture = fixture();
        let call = open_call(&fixture.archive, "announced");
        let writer = if first_packets > 0 {
            write_media(&fixture.archive, &call, first_packets)
        } else {
            // Nothing was ever committed: not even the header is there.
            let answer = fixture.archive.ask_to_record(call.id, START).unwrap();
            fixture.archive.begin(permit(answer)).unwrap()
        };
        std::mem::forget(writer);
        let fixture = fixture.crash_then(|folder| {
            let path = segment_file(folder, call.id);
            let mut bytes = std::fs::read(&path).unwrap();
            if first_packets == 0 {
                bytes.clear();
            }
            overwrite(&path, &[bytes, junk.clone()].concat());
        });
        let recovery = fixture.archive.recover(seconds(30)).unwrap();
        assert_eq!(recovery.damaged, []);
        assert_eq!(recovery.interrupted, [call.id]);
        assert_eq!(fixture.archive.check(Level::Hash).unwrap().wrong, []);
    }
}

#[test]
fn damage_below_the_promised_length_is_never_cut_away() {
    let fixture = fixture();
    let call = open_call(&fixture.archive, "announced");
    let writer = write_media(&fixture.archive, &call, 75);
    std::mem::forget(writer);
    let fixture = fixture.crash_then(|folder| {
        let path = segment_file(folder, call.id);
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        overwrite(&path, &bytes);
    });
    // The spool has these bytes, and puts them back.
    let recovery = fixture.archive.recover(seconds(30)).unwrap();
    assert_eq!(recovery.damaged, []);
    assert_eq!(recovery.interrupted, [call.id]);
    // Damage that no spool puts back.
    let fixture = self::fixture();
    let call = open_call(&fixture.archive, "announced");
    let writer = write_media(&fixture.archive, &call, 75);
    std::mem::forget(writer);
    let fixture = fixture.crash_then(|_folder| {});
    let path = segment_file(fixture.folder.path(), call.id);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[200] ^= 1;
    overwrite(&path, &bytes);
    let recovery = fixture.archive.recover(seconds(30)).unwrap();
    assert_eq!(recovery.damaged.len(), 1);
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}
