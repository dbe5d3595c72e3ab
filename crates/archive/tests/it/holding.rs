//! Holds: what is held is not destroyed, whose hold it is stays sealed, and both ends are in the log.

use crate::support::*;
use voicelog_archive::{
    Archive, ArchiveError, HOLD_RULE, Hold, HoldAsked, HoldGround, OverdueHolds, State, Verdict,
};
use voicelog_evidence::tlog::{Leaf, LeafKind};
use voicelog_model::{Kind, Pii, RecordingId, Timestamp};

const OWNER: &str = "Meester-van-der-Kanarie";
const NOTE: &str = "zaak-kanarie-2026-114";

/// Long after the chosen term of a year.
fn later() -> Timestamp {
    seconds(400 * 86_400)
}

fn asked(ground: HoldGround, review_at: Timestamp) -> HoldAsked {
    HoldAsked {
        ground,
        owner: Pii::new(OWNER.to_owned()),
        review_at,
        note: Some(Pii::new(NOTE.to_owned())),
        by: asker(),
    }
}

fn hold(archive: &Archive, id: RecordingId, ground: HoldGround) -> Hold {
    let at = later();
    let asked = asked(ground, at.plus_micros(1_000_000));
    archive.place_hold(id, &asked, at).unwrap()
}

fn reason() -> Pii<String> {
    Pii::new("schikking-kanarie".to_owned())
}

fn kinds(archive: &Archive, id: RecordingId) -> Vec<LeafKind> {
    let rows = archive.leaves(0, 1_000).unwrap();
    let leaves = rows.iter().map(|row| Leaf::from_bytes(&row.bytes).unwrap());
    leaves
        .filter(|leaf| leaf.object == id.to_string())
        .map(|leaf| leaf.kind)
        .collect()
}

#[test]
fn what_is_held_is_refused_on_the_ground_of_the_hold_until_the_last_hold_is_lifted() {
    let Fixture {
        archive,
        folder: _folder,
    } = fixture();
    let id = record(&archive).id;
    let claim = hold(&archive, id, HoldGround::Claim);
    let seizure = hold(&archive, id, HoldGround::Seizure);
    for (lifted, is_held) in [(&claim, true), (&seizure, false)] {
        let answer = archive.ask_to_destroy(id, later()).unwrap();
        assert!(
            matches!(answer.verdict, Verdict::Refusal(_)),
            "{:?}",
            answer.decision
        );
        let rules: Vec<_> = answer
            .decision
            .reasons()
            .iter()
            .map(|reason| reason.rule.clone())
            .collect();
        assert!(rules.contains(&"avg.17.held".to_owned()), "{rules:?}");
        assert!(
            archive
                .release(lifted.id, &reason(), &asker(), later())
                .unwrap()
        );
        assert!(
            !archive
                .release(lifted.id, &reason(), &asker(), later())
                .unwrap(),
            "once"
        );
        let answer = archive.ask_to_destroy(id, later()).unwrap();
        assert_eq!(matches!(answer.verdict, Verdict::Refusal(_)), is_held);
    }
    assert_eq!(
        kinds(&archive, id),
        [
            LeafKind::Recorded,
            LeafKind::Held,
            LeafKind::Held,
            LeafKind::Released,
            LeafKind::Released
        ]
    );
}

#[test]
fn a_permit_from_before_the_hold_is_of_no_use() {
    let Fixture {
        archive,
        folder: _folder,
    } = fixture();
    let id = record(&archive).id;
    let answer = archive.ask_to_destroy(id, later()).unwrap();
    let Verdict::Permit(permit) = answer.verdict else {
        panic!("{:?}", answer.decision)
    };
    hold(&archive, id, HoldGround::Claim);
    let refused = archive.destroy(permit, later()).unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict);
    assert_eq!(archive.summary(id).unwrap().state, State::Sealed);
    assert!(archive.trace(id).unwrap().has_key);
}

#[test]
fn a_hold_forbids_destruction_also_where_the_privacy_law_does_not_apply() {
    let Fixture {
        archive,
        folder: _folder,
    } = fixture();
    let call = open_call(&archive, "household");
    let writer = write_media(&archive, &call, 50);
    let id = end(&archive, writer, 50).unwrap().id;
    hold(&archive, id, HoldGround::Woo);
    let answer = archive.ask_to_destroy(id, later()).unwrap();
    assert!(
        answer.decision.is_permitted(),
        "the law alone would: {:?}",
        answer.decision
    );
    let Verdict::Refusal(refusal) = answer.verdict else {
        panic!("permitted")
    };
    assert_eq!(refusal.grounds[0].rule, HOLD_RULE);
}

#[test]
fn a_recording_can_be_held_while_it_is_made_and_one_of_which_nothing_is_kept_cannot() {
    let Fixture {
        archive,
        folder: _folder,
    } = fixture();
    let call = open_call(&archive, "announced");
    let writer = write_media(&archive, &call, 50);
    let review = seconds(30 * 86_400);
    archive
        .place_hold(call.id, &asked(HoldGround::Claim, review), seconds(1))
        .unwrap();
    end(&archive, writer, 50).unwrap();
    assert!(matches!(
        archive.ask_to_destroy(call.id, later()).unwrap().verdict,
        Verdict::Refusal(_)
    ));

    let refused = open_call(&archive, "covert");
    archive.ask_to_record(refused.id, START).unwrap();
    let error = archive.place_hold(refused.id, &asked(HoldGround::Claim, review), seconds(1));
    assert_eq!(error.unwrap_err().kind(), Kind::Conflict);
    let nobody = RecordingId::new(START, [9; 10]);
    let error = archive.place_hold(nobody, &asked(HoldGround::Claim, review), seconds(1));
    assert_eq!(error.unwrap_err().kind(), Kind::NotFound);
}

#[test]
fn a_hold_without_an_owner_or_with_a_review_that_has_passed_or_is_years_away_is_not_placed() {
    let Fixture {
        archive,
        folder: _folder,
    } = fixture();
    let id = record(&archive).id;
    let good = asked(HoldGround::Request, seconds(86_400));
    let wrong = [
        HoldAsked {
            owner: Pii::new("  ".to_owned()),
            ..good.clone()
        },
        HoldAsked {
            owner: Pii::new("x".repeat(201)),
            ..good.clone()
        },
        HoldAsked {
            note: Some(Pii::new("x".repeat(1_001))),
            ..good.clone()
        },
        HoldAsked {
            review_at: seconds(10),
            ..good.clone()
        },
        HoldAsked {
            review_at: seconds(367 * 86_400),
            ..good.clone()
        },
    ];
    for wrong in wrong {
        let error = archive.place_hold(id, &wrong, seconds(10)).unwrap_err();
        assert_eq!(error.kind(), Kind::Invalid);
        let told = format!("{error} {error:?} {}", error.help());
        assert!(!told.contains("anarie") && !told.contains("xxx"), "{told}");
    }
    assert_eq!(archive.holds(id).unwrap(), []);
    let placed = archive.place_hold(id, &good, seconds(10)).unwrap();
    let empty = archive.release(placed.id, &Pii::new(" ".to_owned()), &asker(), seconds(11));
    assert_eq!(empty.unwrap_err().kind(), Kind::Invalid);
    let unknown = voicelog_model::HoldId::new(START, [1; 10]);
    let none = archive.release(unknown, &reason(), &asker(), seconds(11));
    assert!(matches!(none, Err(ArchiveError::NoHold(_))));
}

#[test]
fn whose_hold_it_is_and_why_it_ended_are_sealed_and_in_no_file_and_no_leaf() {
    let Fixture { archive, folder } = fixture();
    let id = record(&archive).id;
    let placed = hold(&archive, id, HoldGround::Restriction);
    archive
        .release(placed.id, &reason(), &asker(), later())
        .unwrap();
    let opened = archive.holds_opened(id).unwrap();
    let details = opened[0].details.as_ref().unwrap();
    assert_eq!(details.owner.expose(), OWNER);
    assert_eq!(details.note.as_ref().unwrap().expose(), NOTE);
    assert_eq!(details.placed_by, asker());
    assert_eq!(details.released, Some((reason(), asker())));
    assert!(
        !format!("{opened:?}").contains("anarie"),
        "nor in what a log could get"
    );
    archive.settle().unwrap();
    drop(archive);
    for name in ["index.db", "index.db-wal"] {
        let bytes = std::fs::read(folder.path().join(name)).unwrap_or_default();
        let holds = |text: &str| {
            bytes
                .windows(text.len())
                .any(|window| window == text.as_bytes())
        };
        assert!(!holds("anarie"), "{name} holds a name");
    }
}

#[test]
fn a_row_that_was_changed_behind_the_archives_back_does_not_pass_for_the_hold_that_was_placed() {
    let made = fixture();
    let id = record(&made.archive).id;
    hold(&made.archive, id, HoldGround::Claim);
    for change in [
        "UPDATE holds SET review_at = review_at + 1",
        "UPDATE holds SET ground = 'woo'",
    ] {
        let copy = fixture_from(&made, change);
        let opened = copy.archive.holds_opened(id).unwrap();
        assert_eq!(opened[0].details, None, "{change}");
        let why = opened[0].closed.clone().unwrap();
        assert!(why.contains(&opened[0].hold.id.to_string()), "{why}");
    }
    assert!(made.archive.holds_opened(id).unwrap()[0].details.is_some());
}

fn fixture_from(made: &Fixture, change: &str) -> Fixture {
    let copy = tempfile::tempdir().unwrap();
    copy_folder(made.folder.path(), copy.path());
    let connection = rusqlite::Connection::open(copy.path().join("index.db")).unwrap();
    connection.execute(change, []).unwrap();
    drop(connection);
    Fixture {
        archive: std::sync::Arc::new(Archive::open(parts(copy.path()))),
        folder: copy,
    }
}

#[test]
fn a_hold_that_nobody_looked_at_in_time_goes_on_and_is_counted() {
    let Fixture {
        archive,
        folder: _folder,
    } = fixture();
    let id = record(&archive).id;
    let placed = hold(&archive, id, HoldGround::Claim);
    assert_eq!(
        archive.overdue_holds(later()).unwrap(),
        OverdueHolds::default()
    );
    let after = placed.review_at.plus_micros(1);
    let overdue = archive.overdue_holds(after).unwrap();
    assert_eq!((overdue.count, overdue.since), (1, Some(placed.review_at)));
    assert!(placed.is_overdue(after) && !placed.is_overdue(later()));
    assert!(matches!(
        archive.ask_to_destroy(id, after).unwrap().verdict,
        Verdict::Refusal(_)
    ));
    assert_eq!(
        archive.open_holds(None, 9).unwrap(),
        std::slice::from_ref(&placed)
    );
    archive
        .release(placed.id, &reason(), &asker(), after)
        .unwrap();
    assert_eq!(archive.overdue_holds(after).unwrap().count, 0);
}

#[test]
fn after_the_destruction_a_hold_that_was_lifted_says_when_and_on_which_ground_and_nothing_else() {
    let Fixture {
        archive,
        folder: _folder,
    } = fixture();
    let id = record(&archive).id;
    let placed = hold(&archive, id, HoldGround::Claim);
    archive
        .release(placed.id, &reason(), &asker(), later())
        .unwrap();
    let Verdict::Permit(permit) = archive.ask_to_destroy(id, later()).unwrap().verdict else {
        panic!("refused")
    };
    archive.destroy(permit, later()).unwrap();
    let left = archive.holds_opened(id).unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].hold.ground, HoldGround::Claim);
    assert_eq!(left[0].details, None);
    let again = archive.place_hold(
        id,
        &asked(HoldGround::Claim, later().plus_micros(9)),
        later(),
    );
    assert!(matches!(again, Err(ArchiveError::Destroyed { .. })));
}

#[test]
fn a_call_of_which_nothing_was_kept_can_be_held_once_it_is_over() {
    let made = fixture();
    let archive = &made.archive;
    let call = open_call(archive, "covert");
    archive.ask_to_record(call.id, START).unwrap();
    let began = (
        START,
        voicelog_archive::journal::JournalEvent::CallStarted {},
    );
    archive
        .finish_unrecorded(call.id, &[began], seconds(9))
        .unwrap();
    let placed = hold(archive, call.id, HoldGround::Claim);
    assert_eq!(archive.open_holds(None, 9).unwrap()[0], placed);
    let opened = archive.holds_opened(call.id).unwrap();
    let details = opened[0].details.as_ref().unwrap();
    assert_eq!(details.owner.expose(), OWNER);
    archive
        .release(placed.id, &reason(), &asker(), later())
        .unwrap();
    let opened = archive.holds_opened(call.id).unwrap();
    let (why, by) = opened[0]
        .details
        .as_ref()
        .unwrap()
        .released
        .clone()
        .unwrap();
    assert_eq!((why, by), (reason(), asker()));
    assert_eq!(archive.open_holds(None, 9).unwrap(), []);
    assert_eq!(
        archive
            .check(voicelog_archive::check::Level::Hash)
            .unwrap()
            .wrong,
        []
    );
}

#[test]
fn a_ground_that_this_program_does_not_know_holds_and_is_listed_beside_the_others() {
    let made = fixture();
    let (id, other) = (record(&made.archive).id, record(&made.archive).id);
    hold(&made.archive, id, HoldGround::Woo);
    hold(&made.archive, other, HoldGround::Woo);
    let Fixture { archive, folder } = made;
    drop(archive);
    let index = rusqlite::Connection::open(folder.path().join("index.db")).unwrap();
    let newer = "UPDATE holds SET ground = 'parliament' WHERE recording = ?1";
    assert_eq!(index.execute(newer, [id.as_bytes()]).unwrap(), 1);
    drop(index);
    let archive = Archive::open(parts(folder.path()));
    let grounds: Vec<_> = archive.open_holds(None, 9).unwrap();
    assert_eq!(grounds.len(), 2);
    assert_eq!(archive.holds(id).unwrap()[0].ground, HoldGround::Unknown);
    let refused = archive.ask_to_destroy(id, later()).unwrap();
    assert!(matches!(refused.verdict, Verdict::Refusal(_)));
    let found = archive.preview_terms(later(), later()).unwrap();
    let held: Vec<_> = found
        .held
        .iter()
        .map(|one| (one.ground, one.count))
        .collect();
    assert_eq!(held, [(HoldGround::Woo, 1), (HoldGround::Unknown, 1)]);
    assert!("unknown".parse::<HoldGround>().is_err(), "nobody gives it");
}

#[test]
fn one_recording_whose_key_is_lost_is_named_among_the_holds_and_can_still_be_held_and_released() {
    let made = fixture();
    let archive = &made.archive;
    let (lost, other) = (record(archive).id, record(archive).id);
    let before = hold(archive, lost, HoldGround::Claim);
    hold(archive, other, HoldGround::Woo);
    std::fs::remove_file(made.folder.path().join(format!("keys/{lost}.key"))).unwrap();
    let made = made.reopen();
    let archive = &made.archive;
    assert_eq!(archive.open_holds(None, 9).unwrap().len(), 2);
    let opened = archive.holds_opened(lost).unwrap();
    assert_eq!((opened.len(), opened[0].details.clone()), (1, None));
    let why = opened[0].closed.clone().unwrap();
    assert!(why.contains(&lost.to_string()), "{why}");
    assert!(archive.holds_opened(other).unwrap()[0].details.is_some());

    // No key is needed to keep it.
    let second = hold(archive, lost, HoldGround::Request);
    let opened = archive.holds_opened(lost).unwrap();
    let found = opened
        .iter()
        .find(|open| open.hold.id == second.id)
        .unwrap();
    let owner = found.details.clone().unwrap().owner;
    assert_eq!(owner, asked(HoldGround::Request, later()).owner);
    for id in [before.id, second.id] {
        assert!(archive.release(id, &reason(), &asker(), later()).unwrap());
    }
    let opened = archive.holds_opened(lost).unwrap();
    let closed = opened.iter().filter(|open| open.closed.is_some());
    assert_eq!(closed.count(), 1);
}
