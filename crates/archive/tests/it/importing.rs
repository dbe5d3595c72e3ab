//! Import: the file is kept byte for byte, or nothing of it is.

use crate::support::*;
use serde_json::{Map, Value, json};
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use voicelog_archive::check::Level;
use voicelog_archive::timeline::Verdict as Completeness;
use voicelog_archive::{
    Answer, Archive, ArchiveError, Finished, Import, Permit, SoundFile, State, StopImport, Verdict,
    act,
};
use voicelog_evidence::audio::wav;
use voicelog_evidence::digest::sha256;
use voicelog_evidence::manifest::Provenance;
use voicelog_evidence::part::{Plan, Window};
use voicelog_evidence::{Digest, verify};
use voicelog_model::{Action, Kind, RecordingId, Timestamp};
use voicelog_store::faulty::{DiskFaults, Schedule, Then, When};

/// A day after the recording was made.
fn now() -> Timestamp {
    seconds(86_400)
}

/// Three seconds in stereo, of which no two moments are alike.
fn recording_of(seed: u16) -> Vec<u8> {
    let side = |step: u16| -> Vec<i16> {
        let samples = (0..3 * 8_000_u16).map(|n| n.wrapping_mul(step).wrapping_add(seed));
        samples.map(u16::cast_signed).collect()
    };
    wav(&[&side(7), &side(1_013)], 8_000, Some("kept as well")).unwrap()
}

fn sound_file(bytes: &[u8]) -> Result<SoundFile, ArchiveError> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    SoundFile::of(file)
}

/// What the organisation says of a recording that its own exchange made.
fn origin() -> Map<String, Value> {
    let mut facts = facts("announced");
    for (name, value) in [
        ("channel", json!("phone")),
        ("line_subscriber", json!("recorder")),
        ("countries", json!(["NL"])),
        ("origin_of_import", json!("participant")),
        ("recorded_at", json!(START)),
    ] {
        facts.insert(name.to_owned(), value);
    }
    facts
}

fn with(name: &str, value: Value) -> Map<String, Value> {
    let mut facts = origin();
    facts.insert(name.to_owned(), value);
    facts
}

fn asked(archive: &Archive, import: &Import) -> Answer<act::Import> {
    archive.ask_to_import(import, &asker(), now()).unwrap()
}

fn permitted(answer: Answer<act::Import>) -> Permit<act::Import> {
    match answer.verdict {
        Verdict::Permit(permit) => permit,
        Verdict::Refusal(refusal) => panic!("refused: {refusal:?}"),
    }
}

fn imported(archive: &Archive, bytes: &[u8]) -> Result<Finished, ArchiveError> {
    let import = Import::new(sound_file(bytes)?, &origin(), now())?;
    let permit = permitted(archive.ask_to_import(&import, &asker(), now())?);
    let finished = archive.import(permit, &import, now())?;
    archive.sequence()?;
    Ok(finished)
}

fn copy(archive: &Archive, id: RecordingId) -> Permit<act::GiveCopy> {
    let facts = json!({ "requester_role": "data_subject" });
    let facts = facts.as_object().unwrap();
    let answer = archive.ask_for_copy(id, Action::GiveCopy, &asker(), facts, now());
    match answer.unwrap().verdict {
        Verdict::Permit(permit) => permit,
        Verdict::Refusal(refusal) => panic!("refused: {refusal:?}"),
    }
}

fn is_clean(archive: &Archive) {
    assert_eq!(archive.check(Level::Hash).unwrap().wrong, []);
}

#[test]
fn a_file_becomes_a_whole_recording_and_comes_back_byte_for_byte() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let bytes = recording_of(1);
    let finished = imported(archive, &bytes).unwrap();
    assert_eq!(finished.verdict, Completeness::Whole);
    let detail = archive.detail(finished.id).unwrap();
    assert_eq!(detail.summary.started_at, START);
    assert_eq!(detail.summary.ended_at, Some(seconds(3)));
    assert_eq!(detail.summary.state, State::Sealed);
    let manifest = detail.manifest.unwrap();
    assert_eq!(manifest.provenance, Provenance::File);
    let [stream] = &manifest.streams[..] else {
        panic!("one stream")
    };
    assert_eq!(stream.codec.to_string(), "file-wav/48000");
    let said = format!(
        "type=audio/wav;size={};sha256={}",
        bytes.len(),
        Digest(sha256(&bytes)).to_hex()
    );
    assert_eq!(stream.parameters.as_deref(), Some(said.as_str()));
    assert_eq!(stream.payload_bytes, bytes.len() as u64);

    let file = archive
        .export_file(copy(archive, finished.id), now())
        .unwrap();
    assert!(file == bytes, "byte for byte");
    is_clean(archive);
}

#[test]
fn an_imported_recording_is_heard_and_its_copy_holds() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let bytes = recording_of(2);
    let id = imported(archive, &bytes).unwrap().id;
    let heard = listen(archive, permit_to_listen(archive, id, now()), now()).unwrap();
    let samples = |file: &[u8]| file[file.len() - 3 * 8_000 * 4..].to_vec();
    assert!(samples(&heard) == samples(&bytes));
    // From any byte on.
    let opened = archive
        .play(permit_to_listen(archive, id, now()), now())
        .unwrap();
    for range in [
        0..10,
        40..50,
        1_001..1_002,
        50_003..60_000,
        heard.len() - 3..heard.len(),
    ] {
        assert!(heard_in(archive, &opened, range.clone()).unwrap() == heard[range]);
    }
    let bundle = archive.export(copy(archive, id), None, now()).unwrap();
    let report = verify(&bundle, Some(&archive.log_key()));
    assert!(report.holds(), "{report:?}");
}

#[test]
fn of_an_imported_file_no_part_is_given_and_nothing_is_logged_of_it() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let id = imported(archive, &recording_of(3)).unwrap().id;
    let size = archive.log_size().unwrap();
    let permit = copy(archive, id);
    let part = Plan {
        excerpt: Some(Window {
            start_us: 1_000_000,
            end_us: 2_000_000,
        }),
        ..Plan::default()
    };
    let refused = archive.export(permit, Some(&part), now());
    assert!(
        matches!(refused, Err(ArchiveError::NoPartOfFile(_))),
        "{refused:?}"
    );
    archive.sequence().unwrap();
    assert_eq!(archive.log_size().unwrap(), size + 1, "the decision alone");
}

#[test]
fn what_the_law_refuses_leaves_its_decision_and_nothing_of_the_file() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let file = sound_file(&recording_of(4)).unwrap();
    for (facts, rule) in [
        (
            with("origin_of_import", json!("unknown")),
            "sr.139e.unknown_origin",
        ),
        (
            with("origin_of_import", json!("suspected_unlawful")),
            "sr.139e.suspect_origin",
        ),
        (
            {
                let mut facts = with("participation", json!("none"));
                facts.insert("channel".to_owned(), json!("live_inside"));
                facts.remove("line_subscriber");
                facts
            },
            "sr.139a.inside",
        ),
    ] {
        let import = Import::new(file.clone(), &facts, now()).unwrap();
        let answer = asked(archive, &import);
        let Verdict::Refusal(refusal) = answer.verdict else {
            panic!("{rule}: permitted")
        };
        assert!(
            refusal.grounds.iter().any(|ground| ground.rule == rule),
            "{refusal:?}"
        );
        archive.sequence().unwrap();
        let trace = archive.trace(import.id).unwrap();
        assert_eq!((trace.blobs, trace.has_key), (0, false));
        let detail = archive.detail(import.id).unwrap();
        assert_eq!(detail.summary.state, State::NotRecorded);
        assert_eq!(detail.decisions.len(), 1);
        assert_eq!(archive.recording_of_file(&file.sha256).unwrap(), None);
    }
    is_clean(archive);
}

#[test]
fn a_file_that_is_known_is_not_kept_twice_until_its_recording_is_destroyed() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let bytes = recording_of(5);
    let first = imported(archive, &bytes).unwrap().id;
    let file = sound_file(&bytes).unwrap();
    assert_eq!(
        archive.recording_of_file(&file.sha256).unwrap(),
        Some(first)
    );
    // Two at once: whoever comes second is told, and leaves nothing.
    let again = imported(archive, &bytes);
    assert!(
        matches!(again, Err(ArchiveError::FileKnown(id)) if id == first),
        "{again:?}"
    );
    let (rows, _) = archive.list(&Default::default(), None, 9).unwrap();
    let second = rows.iter().find(|row| row.id != first).unwrap();
    assert_eq!(second.state, State::NotRecorded);
    assert_eq!(archive.trace(second.id).unwrap().blobs, 0);
    assert_eq!(
        archive.recording_of_file(&file.sha256).unwrap(),
        Some(first)
    );
    is_clean(archive);

    let over = seconds(2 * 366 * 86_400);
    archive.confirm_clock(over).unwrap();
    let Verdict::Permit(permit) = archive.ask_to_destroy(first, over).unwrap().verdict else {
        panic!("refused")
    };
    archive.destroy(permit, over).unwrap();
    assert_eq!(
        archive.recording_of_file(&file.sha256).unwrap(),
        None,
        "nothing to find it by"
    );
    is_clean(archive);
    let index = std::fs::read(fixture.folder.path().join("index.db")).unwrap();
    let hash = Digest(sha256(&bytes));
    for trace in [&hash.0[..], hash.to_hex().as_bytes()] {
        assert!(!index.windows(trace.len()).any(|some| some == trace));
    }
}

#[test]
fn what_is_said_of_a_file_has_to_fit() {
    let file = sound_file(&recording_of(6)).unwrap();
    let mut unsaid = origin();
    unsaid.remove("recorded_at");
    for (facts, word) in [
        (unsaid, "recorded_at"),
        (with("recorded_at", json!("yesterday")), "recorded_at"),
        (with("recorded_at", json!(seconds(86_399))), "future"),
        (with("recorded_at", json!("1969-07-20T20:17:40Z")), "1970"),
        (
            with("requested_action", json!("record")),
            "requested_action",
        ),
    ] {
        let error = Import::new(file.clone(), &facts, now()).unwrap_err();
        assert_eq!(error.kind(), Kind::Invalid);
        assert!(error.to_string().contains(word), "{error}");
    }
    for bytes in [&b""[..], b"text", &recording_of(6)[..9_000]] {
        assert_eq!(sound_file(bytes).unwrap_err().kind(), Kind::Invalid);
    }
}

#[test]
fn a_vcon_of_another_archive_is_kept_and_heard_and_its_own_moment_counts() {
    let signed = include_bytes!("../../../evidence/tests/vectors/vcon/0.4.0/signed.json");
    let file = sound_file(signed).unwrap();
    let contents = file.contents.clone();
    let began = contents.began.unwrap();
    let later = began.plus_micros(86_400_000_000);
    let mut facts = origin();
    facts.insert(
        "recorded_at".to_owned(),
        json!(began.plus_micros(120_000_000)),
    );
    let error = Import::new(file.clone(), &facts, later).unwrap_err();
    assert!(error.to_string().contains("another moment"), "{error}");
    facts.remove("recorded_at");

    let fixture = fixture();
    let archive = &fixture.archive;
    let import = Import::new(file, &facts, later).unwrap();
    assert_eq!(import.recorded_at, began);
    let permit = permitted(archive.ask_to_import(&import, &asker(), later).unwrap());
    let id = archive.import(permit, &import, later).unwrap().id;
    let wav = listen(archive, permit_to_listen(archive, id, later), later).unwrap();
    let heard = contents.heard.unwrap();
    let bytes = usize::try_from(heard.frames).unwrap() * heard.channels * 2;
    assert!(wav.len() > bytes, "a head, and the sound");
    assert!(wav[wav.len() - bytes..].iter().any(|byte| *byte != 0));
    let given = archive.export_file(copy(archive, id), now()).unwrap();
    assert!(
        given == signed,
        "byte for byte, so its signature still holds"
    );
    is_clean(archive);
}

#[test]
fn a_file_that_changes_while_it_is_read_leaves_nothing() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&recording_of(7)).unwrap();
    let import = Import::new(
        SoundFile::of(file.try_clone().unwrap()).unwrap(),
        &origin(),
        now(),
    )
    .unwrap();
    let permit = permitted(asked(archive, &import));
    file.write_all(b"more").unwrap();
    std::os::unix::fs::FileExt::write_at(&file, b"other", 5_000).unwrap();
    let failed = archive.import(permit, &import, now());
    assert!(
        matches!(failed, Err(ArchiveError::FileChanged)),
        "{failed:?}"
    );
    archive.sequence().unwrap();
    let trace = archive.trace(import.id).unwrap();
    assert_eq!((trace.blobs, trace.has_key), (0, false));
    assert_eq!(
        archive.summary(import.id).unwrap().state,
        State::NotRecorded
    );
    is_clean(archive);
}

#[test]
fn a_file_that_only_grew_leaves_nothing() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&recording_of(7)).unwrap();
    let opened = SoundFile::of(file.try_clone().unwrap()).unwrap();
    let import = Import::new(opened, &origin(), now()).unwrap();
    let permit = permitted(asked(archive, &import));
    file.write_all(b"more").unwrap();
    let failed = archive.import(permit, &import, now());
    assert!(
        matches!(failed, Err(ArchiveError::FileChanged)),
        "{failed:?}"
    );
    assert_eq!(archive.trace(import.id).unwrap().blobs, 0);
}

#[test]
fn whoever_stops_does_not_wait_for_a_file_and_nothing_of_it_is_kept() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.wav");
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(&recording_of(9)).unwrap();
    let stop = StopImport::default();
    let import = Import::new(
        SoundFile::open_until(&path, &stop).unwrap(),
        &origin(),
        now(),
    );
    let import = import.unwrap();
    let permit = permitted(asked(archive, &import));
    stop.store(true, Ordering::Relaxed);
    let failed = archive.import(permit, &import, now());
    assert!(
        matches!(failed, Err(ArchiveError::ImportStopped)),
        "{failed:?}"
    );
    assert_eq!(archive.trace(import.id).unwrap().blobs, 0);
    let unread = SoundFile::open_until(&path, &stop);
    assert!(
        matches!(unread, Err(ArchiveError::ImportStopped)),
        "{unread:?}"
    );
    is_clean(archive);
}

#[test]
fn what_could_not_be_undone_at_once_is_undone_before_the_next_import() {
    let bytes = recording_of(10);
    let counting = Schedule::counting();
    let folder = tempfile::tempdir().unwrap();
    imported(&faulty(folder.path(), &counting), &bytes).unwrap();
    let names: std::collections::BTreeSet<_> = counting.operations().into_iter().collect();
    let mut again = 0;
    for name in names {
        let folder = tempfile::tempdir().unwrap();
        // From there on nothing works for a while: neither the import, nor to undo it.
        let down: Arc<std::sync::OnceLock<Schedule>> = Arc::default();
        let by = Arc::clone(&down);
        let schedule = Schedule::interrupted(name, move || by.get().unwrap().set_down(true));
        down.set(schedule.clone()).unwrap();
        let archive = faulty(folder.path(), &schedule);
        let told = imported(&archive, &bytes);
        schedule.set_down(false);
        if told.is_ok() {
            continue;
        }
        let sha256 = sound_file(&bytes).unwrap().sha256;
        again += usize::from(archive.recording_of_file(&sha256).is_err());
        archive.undo_imports(now());
        let (rows, _) = archive.list(&Default::default(), None, 9).unwrap();
        for row in rows.iter().filter(|row| row.state != State::Sealed) {
            assert_eq!(row.state, State::NotRecorded, "{name}");
            let trace = archive.trace(row.id).unwrap();
            assert_eq!((trace.blobs, trace.has_key), (0, false), "{name}");
        }
        if archive.recording_of_file(&sha256).unwrap().is_none() {
            imported(&archive, &bytes).unwrap();
        }
    }
    assert!(again > 0);
}

#[test]
fn a_crash_in_the_midst_of_an_import_leaves_nothing_of_the_file() {
    let bytes = recording_of(8);
    let counting = Schedule::counting();
    let folder = tempfile::tempdir().unwrap();
    let archive = faulty(folder.path(), &counting);
    let disk = DiskFaults::below(folder.path(), &counting);
    imported(&archive, &bytes).unwrap();
    drop(disk);
    let operations = counting.operations();
    let (mut kept, mut undone) = (0, 0);
    for (number, name) in operations.iter().enumerate() {
        for (when, then) in [
            (When::Before, Then::Dead),
            (When::After, Then::Dead),
            (When::Before, Then::GoOn),
            (When::After, Then::GoOn),
        ] {
            let place = format!("operation {} ({name}), {when:?}, {then:?}", number + 1);
            let folder = tempfile::tempdir().unwrap();
            let schedule = Schedule::failing(number + 1, when, then);
            let archive = faulty(folder.path(), &schedule);
            let disk = DiskFaults::below(folder.path(), &schedule);
            let told = imported(&archive, &bytes);
            drop((disk, archive));
            let archive = Arc::new(Archive::open(parts(folder.path())));
            // Until it is undone nobody is told that the file is here: they would put it away.
            let sha256 = sound_file(&bytes).unwrap().sha256;
            if let Ok(Some(id)) = archive.recording_of_file(&sha256) {
                assert_eq!(archive.summary(id).unwrap().state, State::Sealed, "{place}");
            }
            let recovery = archive.recover(now()).unwrap();
            assert_eq!(recovery.damaged, [], "{place}");
            assert_eq!(archive.check(Level::Hash).unwrap().wrong, [], "{place}");
            let (rows, _) = archive.list(&Default::default(), None, 9).unwrap();
            for row in &rows {
                let trace = archive.trace(row.id).unwrap();
                match row.state {
                    State::Sealed => {
                        kept += 1;
                        let file = archive.export_file(copy(&archive, row.id), now()).unwrap();
                        assert!(file == bytes, "{place}");
                    }
                    State::NotRecorded => {
                        undone += 1;
                        assert!(told.is_err(), "{place}");
                        assert_eq!((trace.blobs, trace.has_key), (0, false), "{place}");
                        // It can be imported as if nothing had been.
                        imported(&archive, &bytes).unwrap();
                    }
                    other => panic!("{place}: {other}"),
                }
            }
        }
    }
    assert!(kept > 0 && undone > 0, "{kept} {undone}");
}
