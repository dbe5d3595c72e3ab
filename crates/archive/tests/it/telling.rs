//! What the log is told, and what it never says.

use crate::support::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use voicelog_archive::check::Level;
use voicelog_archive::journal::{AskedBy, ChunkBuilder, JournalEvent, PauseReason};
use voicelog_archive::{Archive, ArchiveError, HoldAsked, HoldGround, Verdict};
use voicelog_evidence::Digest;
use voicelog_evidence::canonical::canonical_json;
use voicelog_evidence::digest::sha256;
use voicelog_evidence::tlog::{self, Leaf, LeafKind, Tile, TileKind, commitment, leaf_hash};
use voicelog_model::{Action, HoldId, Pii, Timestamp};
use voicelog_store::index::{LogRows as _, PendingLeaf};
use voicelog_store::{Access, Layout, LocalStore};

fn leaves(archive: &Archive) -> Vec<Leaf> {
    archive.sequence().unwrap();
    let rows = archive.leaves(0, 10_000).unwrap();
    rows.iter()
        .map(|row| Leaf::from_bytes(&row.bytes).unwrap())
        .collect()
}

fn kinds(archive: &Archive) -> Vec<LeafKind> {
    leaves(archive).iter().map(|leaf| leaf.kind).collect()
}

/// Queues leaves about nothing, so many that the log has several tiles.
fn grow(fixture: &Fixture, count: u32) {
    grow_from(fixture, 0, count);
}

fn grow_from(fixture: &Fixture, from: u32, count: u32) {
    let index = store(fixture);
    for number in from..from + count {
        let mut id = [0xee; 16];
        id[..4].copy_from_slice(&number.to_be_bytes());
        let bytes = format!("leaf {number}").into_bytes();
        index.queue_leaf(&PendingLeaf { id, bytes }).unwrap();
    }
    fixture.archive.sequence().unwrap();
}

/// A call that is paused once by somebody who is named.
fn paused(archive: &Archive) -> voicelog_archive::Finished {
    let call = open_call(archive, "announced");
    let mut writer = write_media(archive, &call, 50);
    let mut chunk = ChunkBuilder::new();
    chunk.push_event(seconds(1), &pause()).unwrap();
    archive.append(&mut writer, &chunk.take()).unwrap();
    end(archive, writer, 100).unwrap()
}

fn pause() -> JournalEvent {
    JournalEvent::RecordingPaused {
        reason: PauseReason::CardData,
        by: AskedBy::Key,
        party: Some("p1".to_owned()),
    }
}

#[test]
fn the_making_of_an_archive_its_key_and_its_rules_are_told_once() {
    let fixture = fixture();
    fixture.archive.introduce(START).unwrap();
    let told = [
        LeafKind::ArchiveOpened,
        LeafKind::KeyCreated,
        LeafKind::RulebookChanged,
    ];
    assert_eq!(kinds(&fixture.archive), told);
    let fixture = fixture.reopen();
    fixture.archive.introduce(seconds(9)).unwrap();
    assert_eq!(kinds(&fixture.archive), told, "nothing new to tell");

    let no_salt = [0; 32];
    let all = leaves(&fixture.archive);
    let key = fixture.archive.verifier_key();
    assert_eq!(all[0].object, "archive");
    assert_eq!(
        all[0].commitment,
        commitment(&no_salt, &sha256(key.as_bytes()))
    );
    assert_eq!(all[1].object, "epoch-1");
    let rules = fixture.archive.rulebook();
    assert_eq!(all[2].object, rules.hash());
    let document = canonical_json(rules.reference()).unwrap();
    assert_eq!(all[2].commitment, commitment(&no_salt, &sha256(&document)));
}

#[test]
fn other_rules_are_told_before_the_first_decision_that_they_make() {
    let fixture = fixture();
    let archive = &fixture.archive;
    archive.introduce(START).unwrap();
    // The rules of an earlier year are others.
    let earlier = Timestamp::from_micros(1_500_000_000_000_000);
    archive.look_ahead(earlier).unwrap();
    archive.look_ahead(earlier).unwrap();
    let changed = |leaf: &&Leaf| leaf.kind == LeafKind::RulebookChanged;
    let told: Vec<_> = leaves(archive).iter().filter(changed).cloned().collect();
    assert_eq!(told.len(), 2);
    assert_ne!(told[0].object, told[1].object);
    let call = open_call(archive, "announced");
    archive.ask_to_record(call.id, START).unwrap();
    let all = kinds(archive);
    let last = [LeafKind::RulebookChanged, LeafKind::Permitted];
    assert!(all.ends_with(&last), "{all:?}");
}

#[test]
fn a_pause_is_a_leaf_that_commits_to_what_was_said_of_it() {
    let fixture = fixture();
    let id = paused(&fixture.archive).id;
    let all = leaves(&fixture.archive);
    let [_permitted, paused, recorded] = &all[..] else {
        panic!("{all:?}")
    };
    assert_eq!(
        (paused.kind, recorded.kind),
        (LeafKind::Paused, LeafKind::Recorded)
    );
    assert_eq!((&paused.object, paused.at), (&id.to_string(), seconds(1)));
    let bundle = copy(&fixture.archive, id);
    let entries = voicelog_evidence::zip::read(&bundle).unwrap();
    let (_name, opening) = entries
        .iter()
        .find(|(name, _)| *name == "opening.json")
        .unwrap();
    let opening: Value = serde_json::from_slice(opening).unwrap();
    let salt = opening["commitment_salt"].as_str().unwrap();
    let salt: Digest = format!("sha256:{salt}").parse().unwrap();
    let told = format!(
        r#"{{"at":"{}","event":{{"by":"key","party":"p1","reason":"card_data","type":"recording_paused"}}}}"#,
        seconds(1)
    );
    let expected = commitment(&salt.0, &sha256(told.as_bytes()));
    assert_eq!(paused.commitment, expected);
    assert_eq!(fixture.archive.check(Level::Hash).unwrap().wrong, []);
}

fn copy(archive: &Archive, id: voicelog_model::RecordingId) -> Vec<u8> {
    let facts = Map::new();
    let answer = archive
        .ask_for_copy(id, Action::FileInCourt, &asker(), &facts, seconds(60))
        .unwrap();
    let Verdict::Permit(permit) = answer.verdict else {
        panic!("{:?}", answer.decision)
    };
    archive.export(permit, None, seconds(60)).unwrap()
}

fn store(fixture: &Fixture) -> voicelog_store::SqliteIndex {
    let layout = Layout::in_folder(fixture.folder.path());
    LocalStore::open(&layout, Access::Read).unwrap().index
}

/// A claim, so that the law keeps the recording.
fn hold(fixture: &Fixture, recording: voicelog_model::RecordingId) -> HoldId {
    let person = |name: &str| Pii::new(name.to_owned());
    let asked = HoldAsked {
        ground: HoldGround::Claim,
        owner: person("Pietersen"),
        review_at: seconds(86_400),
        note: Some(person("klacht over voorbeeld")),
        by: person("Kanarie"),
    };
    let archive = &fixture.archive;
    archive
        .place_hold(recording, &asked, seconds(30))
        .unwrap()
        .id
}

#[test]
fn a_refusal_to_destroy_is_told_apart_from_a_refusal_to_record() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let id = record(archive).id;
    hold(&fixture, id);
    let answer = archive.ask_to_destroy(id, seconds(60)).unwrap();
    assert!(matches!(answer.verdict, Verdict::Refusal(_)));
    let last = leaves(archive).pop().unwrap();
    assert_eq!(last.kind, LeafKind::DestructionRefused);
    assert_eq!(last.object, answer.id.to_string());
    assert_eq!(archive.check(Level::Hash).unwrap().wrong, []);
}

/// Everything that could be personal in what is done below.
const CANARIES: [&str; 8] = [
    NAME,
    "Kanarie",
    "Pietersen",
    "voorbeeld",
    // Not the number alone: four digits also stand in a hash now and then.
    "sip:2001",
    "31201234567",
    "klacht",
    "card_data",
];

fn people_come_and_go(archive: &Archive) {
    let first = first_account(archive, "Kanarie");
    let second = invited_account(archive, "Pietersen", &first);
    archive.end_account(&second, &first, seconds(60)).unwrap();
}

#[test]
fn no_leaf_of_a_busy_archive_holds_personal_data() {
    let fixture = fixture();
    let archive = &fixture.archive;
    archive.introduce(START).unwrap();
    let id = paused(archive).id;
    let refused = open_call(archive, "covert");
    assert!(matches!(
        archive.ask_to_record(refused.id, START).unwrap().verdict,
        Verdict::Refusal(_)
    ));
    let events = [(START, JournalEvent::CallStarted {})];
    archive
        .finish_unrecorded(refused.id, &events, seconds(5))
        .unwrap();
    let reason = json!({ "requester_role": "controller_staff", "access_reason": "klacht" });
    let _said_or_refused =
        archive.ask_to_listen(id, &asker(), reason.as_object().unwrap(), seconds(60));
    copy(archive, id);
    people_come_and_go(archive);
    let held = hold(&fixture, id);
    archive.ask_to_destroy(id, seconds(60)).unwrap();
    let said = |text: &str| Pii::new(text.to_owned());
    let lifted = archive.release(held, &said("klacht af"), &said("Kanarie"), seconds(61));
    assert!(lifted.unwrap());
    let after = START.plus_micros(366 * 86_400 * 1_000_000);
    let Verdict::Permit(permit) = archive.ask_to_destroy(id, after).unwrap().verdict else {
        panic!("due")
    };
    archive.destroy(permit, after).unwrap();
    archive.sequence().unwrap();

    let mut found = BTreeMap::<String, u32>::new();
    for row in archive.leaves(0, 1_000).unwrap() {
        let text = String::from_utf8(row.bytes).unwrap();
        for canary in CANARIES {
            assert!(!text.contains(canary), "{canary} in {text}");
        }
        // Nothing stands in it but what the format names, and none of that is free text.
        let value: Map<String, Value> = serde_json::from_str(&text).unwrap();
        let members: Vec<_> = value.keys().map(String::as_str).collect();
        assert_eq!(members, ["at", "commitment", "object", "type", "v"]);
        let object = value["object"].as_str().unwrap();
        let is_digest = |text: &str| {
            text.strip_prefix("sha256:")
                .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
        };
        let is_known = object.len() == 36 && object.parse::<voicelog_model::RecordingId>().is_ok()
            || ["account", "archive", "epoch-1"].contains(&object)
            || is_digest(object);
        assert!(is_known, "{object}");
        assert!(is_digest(value["commitment"].as_str().unwrap()));
        *found
            .entry(value["type"].as_str().unwrap().to_owned())
            .or_default() += 1;
    }
    for kind in [
        "archive_opened",
        "rulebook_changed",
        "key_created",
        "permitted",
        "refused",
        "paused",
        "recorded",
        "exported",
        "held",
        "released",
        "destruction_refused",
        "destroyed",
        "account_made",
        "account_ended",
    ] {
        assert!(found.contains_key(kind), "{kind} is not among {found:?}");
    }
}

#[test]
fn a_clock_behind_the_log_is_refused() {
    let fixture = fixture();
    let archive = &fixture.archive;
    archive.check_clock(START).unwrap();
    record(archive);
    archive.sequence().unwrap();
    archive.check_clock(START.plus_micros(-60_000_000)).unwrap();
    let refused = archive.check_clock(START.plus_micros(-3_600_000_000));
    assert!(
        matches!(refused, Err(ArchiveError::ClockBehind { .. })),
        "{refused:?}"
    );
}

#[test]
fn proofs_and_tiles_are_those_of_the_whole_log_at_any_size() {
    let fixture = fixture();
    let archive = &fixture.archive;
    let id = record(archive).id;
    let mut size = 0;
    for more in [3_u32, 300, 777] {
        size += more;
        grow_from(&fixture, size - more, more);
        let rows = archive.leaves(0, 10_000).unwrap();
        let hashes: Vec<_> = rows.iter().map(|row| leaf_hash(&row.bytes)).collect();
        let now = u64::try_from(hashes.len()).unwrap();
        assert_eq!(archive.root_at(now).unwrap(), tlog::root_of(&hashes));
        let (leaf, proof) = archive.prove(id).unwrap();
        let key = archive.verifier_key().parse().unwrap();
        assert_eq!(proof.verify(&leaf_hash(&leaf), &key).unwrap().size, now);
        for old in [0, 1, 2, now / 2, now - 1, now] {
            let expected = tlog::consistency_proof(&hashes, old, now).unwrap();
            assert_eq!(archive.consistency(old, now).unwrap(), expected);
        }
    }
    assert_eq!(archive.check(Level::Hash).unwrap().wrong, []);
}

#[test]
fn an_index_without_tiles_gives_the_same_proofs_and_gets_them_at_the_next_start() {
    let fixture = fixture();
    grow(&fixture, 1_000);
    let archive = &fixture.archive;
    let tile = Tile {
        kind: TileKind::Hashes(1),
        number: 0,
        width: 3,
    };
    let before = archive.tile(&tile).unwrap().unwrap();
    let proof = archive.consistency(300, 1_000).unwrap();
    let fixture = fixture.crash_then(|folder| {
        let index = Layout::in_folder(folder).index;
        rusqlite::Connection::open(index)
            .unwrap()
            .execute("DELETE FROM log_tiles", [])
            .unwrap();
    });
    let archive = &fixture.archive;
    assert_eq!(archive.tile(&tile).unwrap().unwrap(), before);
    archive.recover(START).unwrap();
    assert_eq!(
        store(&fixture).tile_hashes(1, 0, 9).unwrap().concat(),
        before
    );
    assert_eq!(archive.consistency(300, 1_000).unwrap(), proof);
}

#[test]
fn a_tile_that_is_not_of_its_leaves_is_found() {
    let fixture = fixture();
    grow(&fixture, 600);
    let fixture = fixture.crash_then(|folder| {
        let index = Layout::in_folder(folder).index;
        rusqlite::Connection::open(index)
            .unwrap()
            .execute(
                "UPDATE log_tiles SET hash = zeroblob(32) WHERE place = 1",
                [],
            )
            .unwrap();
    });
    let wrong = fixture.archive.check(Level::Hash).unwrap().wrong;
    assert!(
        wrong
            .iter()
            .any(|wrong| format!("{wrong:?}").contains("tile 2 at level 1")),
        "{wrong:?}"
    );
}

#[test]
fn a_tile_beyond_the_log_is_not_there() {
    let fixture = fixture();
    grow(&fixture, 300);
    let tile = |path| fixture.archive.tile(&Tile::parse(path).unwrap()).unwrap();
    assert_eq!(tile("tile/0/000").unwrap().len(), 8_192);
    assert_eq!(tile("tile/0/001.p/44").unwrap().len(), 44 * 32);
    assert_eq!(
        tile("tile/0/001.p/7").unwrap().len(),
        7 * 32,
        "of an earlier size"
    );
    assert_eq!(tile("tile/1/000.p/1").unwrap().len(), 32);
    for beyond in [
        "tile/0/001.p/45",
        "tile/0/001",
        "tile/1/000.p/2",
        "tile/2/000.p/1",
        "tile/63/000",
    ] {
        assert_eq!(tile(beyond), None, "{beyond}");
    }
}
