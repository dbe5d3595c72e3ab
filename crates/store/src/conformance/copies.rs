//! What every index promises about copies of it, and about what an old one is told.

use super::index::{decide, hold, leaf, seal};
use super::log::sequenced;
use super::{at, decision_id, destruction_id, recording_id};
use crate::index::{Burial, Buried, DecisionRow, Login, NewDestruction, NewMessage, State};
use crate::{Index, StoreError};
use voicelog_model::{Action, RecordingId, Scope};

fn burial(number: u8, recording: RecordingId) -> Burial {
    Burial {
        started_at: at(7),
        destruction: NewDestruction {
            id: destruction_id(number),
            recording,
            scope: Scope::Whole,
            decision: decision_id(number),
            begun_at: at(500),
        },
        decision: DecisionRow {
            id: decision_id(number),
            at: at(499),
            action: Action::Destroy,
            outcome: "permitted".to_owned(),
            recording: Some(recording),
            document: b"{}".to_vec(),
            sealed_facts: Vec::new(),
            leaf: None,
        },
        done: Some(Buried {
            destroyed_at: at(501),
            statement: (
                format!("destruction/{}", destruction_id(number)),
                b"{}".to_vec(),
            ),
            leaf: leaf(number),
        }),
    }
}

pub(super) fn makes_tombstones_of_what_was_destroyed_since(
    index: &dyn Index,
) -> Result<(), StoreError> {
    let known = seal(index, 1, Some(100))?;
    index.place_hold(&hold(1, known), &leaf(141))?;
    let named = seal(index, 2, Some(100))?;
    index.place_hold(&hold(2, named), &leaf(142))?;
    let unknown = recording_id(9);
    let burials = [burial(11, known), burial(12, unknown)];
    assert_eq!(index.bury(&burials)?, 2);
    assert_eq!(index.bury(&burials)?, 0, "once");
    for id in [known, unknown] {
        let row = index.recording(id)?;
        let row = row.map(|row| (row.state, row.destroyed_at));
        assert_eq!(row, Some((State::Destroyed, Some(at(501)))));
        assert!(index.destruction_of(id, Scope::Whole)?.is_some());
    }
    let began = index.recording(unknown)?.map(|row| row.started_at);
    assert_eq!(began, Some(at(7)));

    let told = [
        (named, Scope::Whole, at(502)),
        (recording_id(8), Scope::Whole, at(503)),
        (known, Scope::Whole, at(504)),
    ];
    assert_eq!(
        index.bury_named(&told)?,
        1,
        "of those that are here and live"
    );
    let row = index.recording(named)?;
    let row = row.map(|row| (row.state, row.destroyed_at, row.sealed));
    assert_eq!(row, Some((State::Destroyed, Some(at(502)), Vec::new())));
    assert_eq!(index.manifest(named)?, None);
    assert_eq!(index.open_holds(None, 9)?, []);
    assert_eq!(index.check()?, [""; 0]);
    Ok(())
}

pub(super) fn places_holds_again(index: &dyn Index) -> Result<(), StoreError> {
    let (id, gone) = (seal(index, 1, Some(100))?, seal(index, 2, Some(100))?);
    index.place_hold(&hold(1, id), &leaf(141))?;
    index.bury_named(&[(gone, Scope::Whole, at(5))])?;
    let all = [
        hold(1, id),
        hold(2, id),
        hold(3, gone),
        hold(4, recording_id(9)),
    ];
    assert_eq!(index.hold_again(&all)?, 1);
    assert_eq!(index.hold_again(&all)?, 0, "once");
    assert_eq!(index.holds_of(id)?.len(), 2);
    let ledger = index.ledger(0)?;
    let mut standing: Vec<_> = ledger.holds.iter().map(|held| held.id).collect();
    standing.sort();
    assert_eq!(standing, [hold(1, id).id, hold(2, id).id]);
    assert!(!ledger.is_settled, "a leaf waits");
    Ok(())
}

pub(super) fn tells_what_was_destroyed_as_of_one_moment(
    index: &dyn Index,
) -> Result<(), StoreError> {
    let (done, begun) = (seal(index, 1, None)?, seal(index, 2, None)?);
    for (number, id) in [(8, done), (9, begun)] {
        decide(index, number, id)?;
        index.begin_destructions(&[burial(number, id).destruction])?;
    }
    let name = format!("destruction/{}", destruction_id(8));
    index.set_setting(&name, b"said")?;
    index.complete_destructions(&[(done, Scope::Whole, leaf(150))], at(600))?;
    let ledger = index.ledger(0)?;
    let mut found = ledger.destructions.iter();
    let (one, two) = (found.next(), found.next());
    assert!(found.next().is_none());
    let one = one.map(|one| (one.row.destruction.recording, &one.statement, &one.leaf));
    assert_eq!(one, Some((done, &Some(b"said".to_vec()), &Some(leaf(150)))));
    let two = two.map(|two| {
        (
            two.row.destruction.recording,
            &two.statement,
            two.started_at,
        )
    });
    assert_eq!(two, Some((begun, &None, at(2))));

    // Who has the log with the leaf in it knows that destruction, and not the one that only began.
    let waiting = index.pending_leaves(99)?;
    let placed: Vec<_> = waiting.iter().map(|leaf| sequenced(leaf, 9)).collect();
    index.append_leaves(0, &placed, &[], b"checkpoint", b"range")?;
    let size = index.log_head()?.size;
    let known = index.ledger(size)?.destructions.into_iter();
    let known: Vec<_> = known.map(|one| one.row.destruction.recording).collect();
    assert_eq!(known, [begun]);
    assert_eq!(index.ledger(size - 1)?.destructions.len(), 2);
    Ok(())
}

pub(super) fn ends_what_ran_when_a_copy_was_made(index: &dyn Index) -> Result<(), StoreError> {
    super::accounts::first_account(index, "a")?;
    let login = Login {
        token_hash: [5; 32],
        account: "a".to_owned(),
        csrf: [6; 32],
        expires_at: at(99),
    };
    index.insert_login(&login, at(1))?;
    index.set_setup_token(&[7; 32], at(99))?;
    let message = NewMessage {
        id: [1; 16],
        endpoint: "a".to_owned(),
        kind: "recording.finished".to_owned(),
        created_at: at(1),
        body: vec![1],
    };
    index.queue_messages(&[message], 9)?;
    super::accounts::further_account(index, 2, "b", "a")?;
    let proposed = super::proposals::propose(index, 3, "a")?;
    index.end_what_ran()?;
    assert_eq!(index.proposals_of(proposed)?, [], "they have lapsed");
    assert_eq!(index.login(&[5; 32], at(2))?, None);
    assert_eq!(index.account_count()?, 2, "who may sign in still may");
    assert_eq!(index.due_messages("a", at(999), 9)?, []);
    // Somebody can have them sent all the same.
    let parked = index.outbox()?;
    let parked = parked.first().map(|one| (one.dead, one.fault.as_deref()));
    assert_eq!(parked, Some((1, Some("restored"))));
    assert_eq!(index.revive_messages(at(5))?, 1);
    Ok(())
}
