//! An archive on a temporary folder, and calls to put into it.

use serde_json::{Map, Value, json};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use tempfile::TempDir;
use voicelog_archive::journal::{Cause, ChunkBuilder, JournalEvent, PacketKind};
use voicelog_archive::keys::EpochKeys;
use voicelog_archive::{
    Answer, Archive, ArchiveError, Call, Finished, Line, Lines, OfferedCall, OfferedParty, Parts,
    Permit, Playable, RecordingWriter, Secrets, Verdict, act,
};
use voicelog_evidence::key::{DataKey, KeyEncryptionKey};
use voicelog_evidence::note::SigningKey;
use voicelog_law::Rulebook;
use voicelog_model::{
    Codec, DecisionId, InvitationId, MediaStream, Pii, RecordingId, StreamNumber, Timestamp,
};
use voicelog_store::blobs::Options;
use voicelog_store::faulty::{FaultyBlobs, FaultyIndex, FaultyKeys, Schedule};
use voicelog_store::{Access, ArchiveId, Layout, LocalStore};

pub(crate) const NAME: &str = "Jansen-van-der-Kanarie";
pub(crate) const AGENT: &str = "sip:2001@voorbeeld.example";

/// 2026-11-21T10:00:00Z.
pub(crate) const START: Timestamp = Timestamp::from_micros(1_795_255_200_000_000);

pub(crate) fn seconds(seconds: i64) -> Timestamp {
    START.plus_micros(seconds * 1_000_000)
}

/// Who asks to listen or for a copy.
pub(crate) fn asker() -> Pii<String> {
    Pii::new("Pietersen-van-der-Kanarie".to_owned())
}

pub(crate) struct Fixture {
    pub(crate) archive: Arc<Archive>,
    pub(crate) folder: TempDir,
}

pub(crate) fn facts(openness: &str) -> Map<String, Value> {
    let facts = json!({
        "recorder_type": "company", "counterpart_types": ["private_person"],
        "participation": "participant", "openness": openness,
        "purpose": "bewijs_overeenkomst", "legal_basis": "b", "structural": "all",
        "staff_informed": "each_call_signal", "or_status": "consented", "dpia": "done",
        "private_use_possible": true, "retention_term": "P1Y",
    });
    facts.as_object().unwrap().clone()
}

fn resting_on_consent() -> Map<String, Value> {
    let mut facts = facts("announced");
    facts.insert("legal_basis".to_owned(), json!("a"));
    facts
}

/// A person who records a conversation of their own: the AVG does not apply (art. 2 lid 2 c).
fn of_a_household() -> Map<String, Value> {
    let facts = json!({
        "recorder_type": "private_person", "counterpart_types": ["private_person"],
        "participation": "participant", "openness": "announced", "purpose": "eigen_gebruik_bewijs",
    });
    facts.as_object().unwrap().clone()
}

/// A statute demands five years, and a month was chosen (Wft; MiFID II art. 16(7)).
fn of_a_broker() -> Map<String, Value> {
    let mut facts = facts("announced");
    for (name, value) in [
        ("purpose", json!("wettelijke_plicht")),
        ("legal_basis", json!("c")),
        ("statutory_duty_ref", json!("BGfo 35")),
        ("sector", json!("finance_investment")),
        ("retention_term", json!("P1M")),
    ] {
        facts.insert(name.to_owned(), value);
    }
    facts
}

/// Complaints at the counter of a municipality, under a process of its selection list.
fn of_a_municipality() -> Map<String, Value> {
    let mut facts = facts("announced");
    for (name, value) in [
        ("recorder_type", json!("government_body")),
        ("counterpart_types", json!(["citizen"])),
        ("purpose", json!("dossier_overheid")),
        ("legal_basis", json!("e")),
        ("process_type", json!("8.1")),
        (
            "archive",
            json!({ "selectielijst_result": "vernietigen", "destruction_declaration": true }),
        ),
    ] {
        facts.insert(name.to_owned(), value);
    }
    facts
}

fn line(name: &str, facts: Map<String, Value>) -> Line {
    Line {
        own_domains: vec!["voorbeeld.example".to_owned()],
        facts,
        ..Line::not_set_up(name)
    }
}

/// The sound is kept for three months, what is known of the call for as long as the facts say.
fn short_sound(name: &str, facts: Map<String, Value>) -> Line {
    Line {
        sound_term: Some("P3M".to_owned()),
        ..line(name, facts)
    }
}

/// The rulebook takes a while to load without optimisation, so all tests share one.
pub(crate) fn rulebook() -> Rulebook {
    static SHARED: OnceLock<Rulebook> = OnceLock::new();
    SHARED
        .get_or_init(|| Rulebook::embedded(START).unwrap())
        .clone()
}

pub(crate) fn parts(folder: &Path) -> Parts {
    parts_for(folder, Access::Write(Options::default()))
}

pub(crate) fn parts_for(folder: &Path, access: Access) -> Parts {
    let layout = Layout::in_folder(folder);
    if !layout.exists() {
        LocalStore::create(&layout, ArchiveId([7; 16]), START).unwrap();
    }
    parts_of(LocalStore::open(&layout, access).unwrap())
}

/// Those of a second process, next to the one that writes.
pub(crate) fn reading(folder: &Path) -> Parts {
    parts_of(LocalStore::open(&Layout::in_folder(folder), Access::Read).unwrap())
}

pub(crate) fn parts_of(store: LocalStore) -> Parts {
    Parts {
        index: Box::new(store.index),
        blobs: Box::new(store.blobs),
        keys: Box::new(store.keys),
        secrets: Secrets {
            epoch_keys: EpochKeys::given(KeyEncryptionKey::new(1, [1; 32])),
            signing_key: SigningKey::from_seed("voicelog/test", [2; 32]).unwrap(),
            decision_key: DataKey::from_random([3; 32]),
        },
        rulebook: rulebook(),
        lines: Lines::new(vec![
            line("announced", facts("announced")),
            line("covert", facts("covert")),
            line("consent", resting_on_consent()),
            line("household", of_a_household()),
            line("covered", facts("announced")),
            line("municipality", of_a_municipality()),
            line("broker", of_a_broker()),
            short_sound("short_sound", facts("announced")),
            short_sound("broker_short_sound", of_a_broker()),
        ]),
    }
}

/// The same, with storage that fails as the schedule says.
pub(crate) fn faulty(folder: &Path, schedule: &Schedule) -> Archive {
    Archive::open(with_faults(parts(folder), schedule))
}

/// The same where only the keys fail.
pub(crate) fn with_faulty_keys(folder: &Path, schedule: &Schedule) -> Archive {
    let mut parts = parts(folder);
    parts.keys = Box::new(FaultyKeys::new(parts.keys, schedule.clone()));
    Archive::open(parts)
}

pub(crate) fn with_faults(mut parts: Parts, schedule: &Schedule) -> Parts {
    parts.index = Box::new(FaultyIndex::new(parts.index, schedule.clone()));
    parts.blobs = Box::new(FaultyBlobs::new(parts.blobs, schedule.clone()));
    parts.keys = Box::new(FaultyKeys::new(parts.keys, schedule.clone()));
    parts
}

pub(crate) fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    Fixture {
        archive: Arc::new(Archive::open(parts(folder.path()))),
        folder,
    }
}

impl Fixture {
    /// The archive as it lies on the disk at this moment, spools included, with a change made to
    /// it, and opened.
    pub(crate) fn crash_then(self, change: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(self.folder.path(), folder.path());
        change(folder.path());
        Self {
            archive: Arc::new(Archive::open(parts(folder.path()))),
            folder,
        }
    }

    /// Closes the archive, as a crash would, and opens it again.
    pub(crate) fn reopen(self) -> Self {
        let Self { archive, folder } = self;
        drop(archive);
        Self {
            archive: Arc::new(Archive::open(parts(folder.path()))),
            folder,
        }
    }
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy_folder(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

pub(crate) fn stream(number: u16) -> MediaStream {
    MediaStream {
        number: StreamNumber(number),
        label: Some(number.to_string()),
        codec: Codec::Pcma,
        payload_type: 8,
        parameters: None,
        also: vec![],
        party: Some(format!("p{number}")),
    }
}

pub(crate) fn offer(line: &str, other: &str) -> OfferedCall {
    let party = |address: &str| OfferedParty {
        address: Pii::new(address.to_owned()),
        further_addresses: Vec::new(),
        name: Some(Pii::new(NAME.to_owned())),
        is_caller: None,
        has_left: false,
    };
    OfferedCall {
        line: line.to_owned(),
        parties: vec![party(AGENT), party(other)],
        streams: vec![stream(1), stream(2)],
        offered_at: START,
        about: voicelog_archive::About::default(),
    }
}

pub(crate) fn open_call(archive: &Archive, line: &str) -> Call {
    archive
        .open_call(offer(line, "tel:+31201234567"), START)
        .unwrap()
}

pub(crate) fn permit(answer: Answer<act::Record>) -> Permit<act::Record> {
    match answer.verdict {
        Verdict::Permit(permit) => permit,
        Verdict::Refusal(refusal) => panic!("refused: {refusal:?}"),
    }
}

pub(crate) fn rtp(sequence: u16) -> Vec<u8> {
    let mut bytes = vec![0x80, 8];
    bytes.extend_from_slice(&sequence.to_be_bytes());
    bytes.extend_from_slice(&(u32::from(sequence) * 160).to_be_bytes());
    bytes.extend_from_slice(&0xcafe_u32.to_be_bytes());
    bytes.extend(std::iter::repeat_n(sequence.to_le_bytes()[0], 160));
    bytes
}

/// A chunk that holds the beginning of a recording and `count` packets on each stream.
pub(crate) fn first_chunk(call: &Call, decision: DecisionId, count: u16) -> Vec<u8> {
    let mut chunk = ChunkBuilder::new();
    push_beginning(&mut chunk, call, decision);
    for sequence in 0..count {
        push_packets(&mut chunk, sequence);
    }
    chunk.take()
}

fn push_beginning(chunk: &mut ChunkBuilder, call: &Call, decision: DecisionId) {
    chunk
        .push_event(START, &JournalEvent::CallStarted {})
        .unwrap();
    for stream in &call.streams {
        chunk
            .push_event(
                START,
                &JournalEvent::StreamAdded {
                    stream: stream.clone(),
                },
            )
            .unwrap();
    }
    chunk
        .push_event(START, &JournalEvent::Permitted { decision })
        .unwrap();
}

fn push_packets(chunk: &mut ChunkBuilder, sequence: u16) {
    let arrived = START.plus_micros(i64::from(sequence) * 20_000);
    for number in [1, 2] {
        let bytes = rtp(sequence);
        chunk
            .push_packet(StreamNumber(number), arrived, PacketKind::Rtp, &bytes)
            .unwrap();
    }
}

/// Writes the beginning of a recording and `count` packets on each stream.
pub(crate) fn write_media(archive: &Archive, call: &Call, count: u16) -> RecordingWriter {
    let answer = archive.ask_to_record(call.id, START).unwrap();
    let decision = answer.id;
    let mut writer = archive.begin(permit(answer)).unwrap();
    write_to(archive, &mut writer, call, decision, count);
    writer
}

/// Writes the beginning of a recording that has a writer, and `count` packets on each stream.
pub(crate) fn write_to(
    archive: &Archive,
    writer: &mut RecordingWriter,
    call: &Call,
    decision: DecisionId,
    count: u16,
) {
    let mut chunk = ChunkBuilder::new();
    push_beginning(&mut chunk, call, decision);
    for sequence in 0..count {
        push_packets(&mut chunk, sequence);
        if sequence % 15 == 14 {
            archive.append(writer, &chunk.take()).unwrap();
        }
    }
    if !chunk.is_empty() {
        archive.append(writer, &chunk.take()).unwrap();
    }
    archive.commit().unwrap();
}

/// Ends and closes a recording whose media is written.
pub(crate) fn end(
    archive: &Archive,
    mut writer: RecordingWriter,
    packets: u16,
) -> Result<Finished, ArchiveError> {
    let at = START.plus_micros(i64::from(packets) * 20_000);
    let mut chunk = ChunkBuilder::new();
    chunk
        .push_event(
            at,
            &JournalEvent::CallEnded {
                cause: Cause::RecordingClient,
            },
        )
        .unwrap();
    archive.append(&mut writer, &chunk.take())?;
    archive.close(&mut writer)?;
    archive.finish(writer, at)
}

/// A whole recording of two seconds.
pub(crate) fn record(archive: &Archive) -> Finished {
    let call = open_call(archive, "announced");
    let writer = write_media(archive, &call, 100);
    end(archive, writer, 100).unwrap()
}

/// What somebody says who asks to listen.
pub(crate) fn reader() -> Map<String, Value> {
    let facts =
        json!({ "requester_role": "controller_staff", "need_to_know_basis": "complaint 12" });
    facts.as_object().unwrap().clone()
}

pub(crate) fn permit_to_listen(
    archive: &Archive,
    id: RecordingId,
    at: Timestamp,
) -> Permit<act::Listen> {
    let answer = archive.ask_to_listen(id, &asker(), &reader(), at);
    match answer.unwrap().verdict {
        Verdict::Permit(permit) => permit,
        Verdict::Refusal(refusal) => panic!("refused: {refusal:?}"),
    }
}

/// A range of the file of an opened recording, as a player gets it.
pub(crate) fn heard_in(
    archive: &Archive,
    opened: &Playable,
    range: Range<usize>,
) -> Result<Vec<u8>, ArchiveError> {
    let (mut reader, mut heard) = (opened.read(range), Vec::new());
    loop {
        let piece = archive.sound(opened, &mut reader)?;
        if piece.is_empty() {
            return Ok(heard);
        }
        heard.extend(piece);
    }
}

/// Opens a recording and hears all of it: a WAV file.
pub(crate) fn listen(
    archive: &Archive,
    permit: Permit<act::Listen>,
    at: Timestamp,
) -> Result<Vec<u8>, ArchiveError> {
    let opened = archive.play(permit, at)?;
    let heard = heard_in(archive, &opened, 0..opened.byte_len())?;
    assert_eq!(heard.len(), opened.byte_len());
    Ok(heard)
}

/// Those of an archive whose parts lie elsewhere.
pub(crate) fn parts_at(layout: &Layout) -> Parts {
    parts_of(LocalStore::open(layout, Access::Write(Options::default())).unwrap())
}

/// Makes the first account.
pub(crate) fn first_account(archive: &Archive, name: &str) -> Pii<String> {
    let accounts = archive.accounts();
    accounts.set_setup_token(&[1; 32], seconds(60)).unwrap();
    let name = Pii::new(name.to_owned());
    let made = archive.make_first_account(&[1; 32], &name, "x".to_owned(), START);
    assert!(made.unwrap());
    name
}

/// Makes one more, by an invitation.
pub(crate) fn invited_account(archive: &Archive, name: &str, by: &Pii<String>) -> Pii<String> {
    let hash = voicelog_archive::random::bytes().unwrap();
    let invitation = voicelog_archive::Invitation {
        id: InvitationId::new(START, [4; 10]),
        hash,
        name: name.to_owned(),
        invited_by: by.expose().clone(),
        made_at: START,
        expires_at: seconds(60),
    };
    assert!(archive.accounts().invite(&invitation).unwrap());
    let made = archive.make_invited_account(&hash, "x".to_owned(), START);
    made.unwrap().unwrap()
}
