//! A crash at any moment: nothing committed is lost, and the gap is declared.

use crate::simulation::disk::Disk;
use crate::support::*;
use std::sync::Arc;
use voicelog_archive::check::Level;
use voicelog_archive::timeline::Verdict as Completeness;
use voicelog_archive::{Archive, State};
use voicelog_evidence::Digest;
use voicelog_model::RecordingId;
use voicelog_store::blobs::Options;
use voicelog_store::faulty::{Dice, Schedule};
use voicelog_store::{Access, Layout};

#[test]
fn a_recording_cut_off_by_a_crash_keeps_what_was_committed_and_declares_the_restart() {
    let fixture = fixture();
    let call = open_call(&fixture.archive, "announced");
    let writer = write_media(&fixture.archive, &call, 75);
    std::mem::forget(writer);
    let fixture = fixture.reopen();
    // The call was cut on a Friday, and the server comes back on Monday.
    let monday = seconds(3 * 86_400);
    let recovery = fixture.archive.recover(monday).unwrap();
    assert_eq!(recovery.interrupted, [call.id]);
    assert_eq!(recovery.damaged, []);
    let detail = fixture.archive.detail(call.id).unwrap();
    assert_eq!(detail.summary.state, State::Sealed);
    assert_eq!(detail.summary.verdict, Some(Completeness::CutShort));
    let timeline = detail.timeline.unwrap();
    assert_eq!(timeline.streams[0].packets, 75);
    // The last packet arrived at 1,480 ms.
    assert_eq!(timeline.length_us(), 1_980_000);
    assert_eq!(fixture.archive.check(Level::Hash).unwrap().wrong, []);
    let permit = permit_to_listen(&fixture.archive, call.id, monday);
    let heard = listen(&fixture.archive, permit, monday).unwrap();
    // 1,980 ms of two channels of 16 bits at 8 kHz, and the head.
    assert_eq!(heard.len(), 44 + 1_980 * 8 * 4);
    // Recovery is done: a second time there is nothing to do.
    fixture.archive.sequence().unwrap();
    assert_eq!(
        fixture.archive.recover(monday).unwrap(),
        voicelog_archive::Recovery::default()
    );
}

#[test]
fn half_a_frame_is_taken_away_and_the_manifest_tells_of_whole_ones() {
    let fixture = fixture();
    let call = open_call(&fixture.archive, "announced");
    std::mem::forget(write_media(&fixture.archive, &call, 75));
    let fixture = fixture.reopen();
    let path = format!("blobs/objects/rec/{}/000001.seg", call.id);
    let path = fixture.folder.path().join(path);
    let len = std::fs::metadata(&path).unwrap().len();
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(len - 5).unwrap();
    fixture.archive.recover(seconds(30)).unwrap();
    let manifest = fixture.archive.detail(call.id).unwrap().manifest.unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert!(bytes.len() > 96 && (bytes.len() as u64) < len - 5);
    assert_eq!(manifest.segments[0].byte_len, bytes.len() as u64);
    assert_eq!(manifest.segments[0].sha256, Digest::of(&bytes));
    assert_eq!(fixture.archive.check(Level::Hash).unwrap().wrong, []);
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
    assert_eq!(detail.timeline.unwrap().length_us(), 500_000);
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

/// Closes the archive, brings the index back as it was when `backup` was made, and starts.
fn restored(fixture: Fixture, backup: &[u8]) -> Fixture {
    let Fixture { archive, folder } = fixture;
    drop(archive);
    for end in ["-wal", "-shm"] {
        let name = folder.path().join(format!("index.db{end}"));
        assert!(!name.exists() || std::fs::remove_file(name).is_ok());
    }
    let mut file = std::fs::File::create(folder.path().join("index.db")).unwrap();
    std::io::Write::write_all(&mut file, backup).unwrap();
    Fixture {
        archive: Arc::new(Archive::open(parts(folder.path()))),
        folder,
    }
}

fn backup(fixture: &Fixture) -> Vec<u8> {
    std::fs::read(fixture.folder.path().join("index.db")).unwrap()
}

#[test]
fn an_older_index_destroys_no_key_of_what_was_recorded_since() {
    let fixture = fixture().reopen();
    let yesterday = backup(&fixture);
    let id = record(&fixture.archive).id;
    let fixture = restored(fixture, &yesterday);
    let archive = &fixture.archive;
    assert!(archive.summary(id).is_err(), "the index knows it");
    let recovery = archive.recover(seconds(60)).unwrap();
    assert_eq!(recovery.damaged.len(), 1);
    assert_eq!(recovery.damaged[0].0, id);
    assert!(recovery.damaged[0].1.contains("restore the index"));
    let trace = archive.trace(id).unwrap();
    assert_eq!((trace.blobs, trace.has_key), (1, true));
}

#[test]
fn an_index_in_which_a_recording_still_waits_destroys_no_key_of_it() {
    let fixture = fixture();
    let call = open_call(&fixture.archive, "covert");
    fixture.archive.ask_to_record(call.id, START).unwrap();
    // As if it was permitted later: what another recording left, under its name.
    let key = fixture.folder.path().join(format!("keys/{}.key", call.id));
    let blob = fixture
        .folder
        .path()
        .join(format!("blobs/objects/rec/{}", call.id));
    let other = record(&fixture.archive).id;
    fixture.archive.settle().unwrap();
    let from = |name: String| fixture.folder.path().join(name);
    std::fs::copy(from(format!("keys/{other}.key")), &key).unwrap();
    std::fs::create_dir_all(&blob).unwrap();
    let segment = from(format!("blobs/objects/rec/{other}/000001.seg"));
    std::fs::copy(segment, blob.join("000001.seg")).unwrap();
    let fixture = fixture.reopen();
    let recovery = fixture.archive.recover(seconds(60)).unwrap();
    assert!(recovery.damaged.iter().any(|(id, _)| *id == call.id));
    let trace = fixture.archive.trace(call.id).unwrap();
    assert_eq!((trace.blobs, trace.has_key), (1, true));
    assert_eq!(
        fixture.archive.summary(call.id).unwrap().state,
        State::Waiting
    );
}

#[test]
fn a_key_that_nothing_was_sealed_with_goes() {
    let fixture = fixture();
    let other = record(&fixture.archive).id;
    let stray = RecordingId::new(START, [9; 10]);
    let keys = fixture.folder.path().join("keys");
    std::fs::copy(
        keys.join(format!("{other}.key")),
        keys.join(format!("{stray}.key")),
    )
    .unwrap();
    assert!(fixture.archive.trace(stray).unwrap().has_key);
    let recovery = fixture.archive.recover(seconds(60)).unwrap();
    assert_eq!(recovery.damaged, []);
    assert!(!fixture.archive.trace(stray).unwrap().has_key);
    assert!(fixture.archive.trace(other).unwrap().has_key);
}

#[expect(
    clippy::disallowed_methods,
    reason = "plays the disk, which syncs nothing"
)]
fn overwrite(path: &std::path::Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}

/// The one segment of a recording, as a file.
fn segment_file(folder: &std::path::Path, id: RecordingId) -> std::path::PathBuf {
    let layout = Layout::in_folder(folder);
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

#[test]
fn what_a_killed_server_never_committed_is_on_the_disk_before_a_manifest_names_it() {
    for seed in 1..9 {
        let folder = tempfile::tempdir().unwrap();
        drop(parts(folder.path()));
        let layout = Layout::in_folder(folder.path());
        let disk = Arc::new(Disk::new(&layout.blobs, tempfile::tempdir().unwrap()));
        let open = |schedule: &Schedule| {
            disk.arm(None, schedule);
            let options = Options {
                faults: Some(Arc::clone(&disk) as _),
                ..Options::default()
            };
            let parts = parts_for(folder.path(), Access::Write(options));
            Archive::open(with_faults(parts, schedule))
        };
        let schedule = Schedule::counting();
        let archive = open(&schedule);
        let call = open_call(&archive, "announced");
        let answer = archive.ask_to_record(call.id, START).unwrap();
        let decision = answer.id;
        let mut writer = archive.begin(permit(answer)).unwrap();
        archive
            .append(&mut writer, &first_chunk(&call, decision, 20))
            .unwrap();
        schedule.kill();
        drop(archive);
        // What it had not committed is in the machine's memory yet, and is closed as it is.
        let schedule = Schedule::counting();
        let archive = open(&schedule);
        let recovery = archive.recover(seconds(30)).unwrap();
        assert_eq!(recovery.interrupted, [call.id]);
        let closed = archive.detail(call.id).unwrap().timeline.unwrap();
        assert_eq!(closed.streams[0].packets, 20);
        disk.cut_now();
        drop(archive);
        disk.cut_power(&mut Dice(seed));
        let archive = open(&Schedule::counting());
        assert_eq!(archive.recover(seconds(60)).unwrap().damaged, []);
        assert_eq!(archive.check(Level::Hash).unwrap().wrong, [], "dice {seed}");
    }
}
