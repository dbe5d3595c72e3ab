//! Backups and lists of destructions that were written once and must be read for ever. The files in `tests/vectors` are
//! frozen; that none is changed or taken away, the golden files of the formats of evidence see to.

use super::*;
use crate::backup::BackupStatement;
use voicelog_evidence::tlog::root_of;
use voicelog_model::BackupId;

const AT: Timestamp = Timestamp::from_micros(1_830_000_000_000_000);
const NOTE: &[u8] = include_bytes!("../../tests/vectors/backup/v2/backup.note");
const LIST: &[u8] = include_bytes!("../../tests/vectors/destroyed/v3/destroyed");

fn key() -> SigningKey {
    SigningKey::from_seed("archief.example/opnamen", [0x22; 32]).unwrap()
}

#[test]
fn the_statement_of_a_backup_is_read_and_written_as_ever() {
    let statement = BackupStatement {
        version: BackupStatement::VERSION,
        archive: "archief.example/opnamen".to_owned(),
        store: "0123456789abcdef0123456789abcdef".to_owned(),
        backup: BackupId::from_bytes([5; 16]),
        made_at: AT,
        epoch: 7,
        log_size: 1_234,
        objects: 56,
        object_bytes: 7_890_123,
        index_parts: 2,
        key_parts: 1,
        list_sha256: Digest([8; 32]),
    };
    let written = statement.sign(&key()).unwrap();
    assert_eq!(written, String::from_utf8_lossy(NOTE));
    let read = BackupStatement::verify(NOTE, &key().verifier()).unwrap();
    assert_eq!(read, statement);
}

/// A destruction that is complete, one that was begun, a hold that stands, and an entry of the log.
fn lines() -> Vec<Line> {
    let recording = RecordingId::from_bytes([1; 16]);
    let leaf = |kind, object: String, id| {
        let leaf = Leaf::new(kind, AT, object, Digest([6; 32]));
        LeafLine {
            id: RecordingId::from_bytes(id),
            bytes: String::from_utf8(leaf.to_bytes().unwrap()).unwrap(),
        }
    };
    let complete = Entry {
        recording,
        started_at: Some(AT.plus_micros(-31_536_000_000_000)),
        destruction: DestructionId::from_bytes([2; 16]),
        scope: Scope::Whole,
        begun_at: AT,
        decision: DecisionId::from_bytes([3; 16]),
        decided_at: AT.plus_micros(-5),
        outcome: "permitted".to_owned(),
        document: "{\"outcome\":\"permitted\"}".to_owned(),
        decision_leaf: Some(RecordingId::from_bytes([4; 16])),
        done: Some(Done {
            destroyed_at: AT.plus_micros(7),
            statement: "{\"version\":1}".to_owned(),
            leaf: leaf(LeafKind::Destroyed, recording.to_string(), [5; 16]),
        }),
    };
    let begun = Entry {
        recording: RecordingId::from_bytes([7; 16]),
        scope: Scope::Sound,
        decision_leaf: None,
        done: None,
        ..complete.clone()
    };
    let hold = HoldLine {
        hold: HoldId::from_bytes([8; 16]),
        recording: RecordingId::from_bytes([9; 16]),
        ground: "claim".to_owned(),
        placed_at: AT,
        review_at: AT.plus_micros(86_400_000_000),
        sealed: Some("00ff".to_owned()),
    };
    let opened = leaf(LeafKind::ArchiveOpened, "archive".to_owned(), [10; 16]);
    vec![
        Line::Destroyed(Box::new(complete)),
        Line::Destroyed(Box::new(begun)),
        Line::Hold(Box::new(hold)),
        Line::Leaf(opened),
    ]
}

#[test]
fn a_list_of_destructions_is_read_and_written_as_ever() {
    let written = lines().into_iter().flat_map(|line| {
        let mut line = canonical_json(&line).unwrap();
        line.push(b'\n');
        line
    });
    let written: Vec<u8> = written.collect();
    let head = Head {
        version: VERSION,
        archive: "archief.example/opnamen".to_owned(),
        made_at: AT,
        log_from: 0,
        log_size: 1,
        checkpoint: Checkpoint::sign(1, root_of(&[[3; 32]]), &key()).unwrap(),
        destructions: 2,
        lines_sha256: Digest::of(&written),
    };
    let written = head.signed(&key(), &written).unwrap();
    assert_eq!(
        String::from_utf8_lossy(&written),
        String::from_utf8_lossy(LIST)
    );
    let read = DestroyedList::read(LIST, &key().verifier(), None).unwrap();
    assert_eq!(read.head, head);
    assert_eq!((read.entries.len(), read.leaves.len()), (2, 1));
    let burials = read.burials();
    let done: Vec<bool> = burials.iter().map(|burial| burial.done.is_some()).collect();
    assert_eq!(done, [true, false]);
    let holds = read.holds();
    assert_eq!(holds.len(), 1);
    assert_eq!(holds[0].sealed, [0x00, 0xff]);
}
