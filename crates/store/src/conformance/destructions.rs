//! What every index promises about the end of a recording.

use super::index::{begin, decide, hold, leaf, release, seal, unrecorded};
use super::{at, decision_id, destruction_id};
use crate::index::{NewDestruction, NewHold, State};
use crate::{Index, StoreError};
use voicelog_model::{RecordingId, Scope};

fn intent(number: u8, recording: RecordingId) -> NewDestruction {
    NewDestruction {
        id: destruction_id(number),
        recording,
        scope: Scope::Whole,
        decision: decision_id(number),
        begun_at: at(500 + i64::from(number)),
    }
}

pub(super) fn ends_in_a_tombstone(index: &dyn Index) -> Result<(), StoreError> {
    let id = seal(index, 1, Some(100))?;
    let other = seal(index, 2, Some(100))?;
    let no_decision = NewDestruction {
        decision: decision_id(9),
        ..intent(1, id)
    };
    assert!(
        index
            .begin_destructions(std::slice::from_ref(&no_decision))
            .is_err(),
        "no decision, no destruction"
    );
    decide(index, 9, id)?;
    index.begin_destructions(&[no_decision])?;
    assert_eq!(
        index.recording(id)?.map(|row| row.state),
        Some(State::Destroying)
    );
    assert_eq!(index.due(at(999), None, 9)?, [other]);
    assert!(matches!(
        index.update_sealed(id, b"x"),
        Err(StoreError::State { .. })
    ));
    assert!(matches!(
        index.set_retain_until(id, None),
        Err(StoreError::State { .. })
    ));
    assert!(matches!(
        index.set_certificates(&[(id, Scope::Whole, b"too early".to_vec())]),
        Err(StoreError::State { .. })
    ));

    index.complete_destructions(&[(id, Scope::Whole, leaf(1))], at(600))?;
    only_the_tombstone_is_left(index, id)?;
    assert_eq!(index.destroyed_recordings(None, 9)?, [id]);
    assert_eq!(index.destroyed_recordings(Some(id), 9)?, []);

    assert_eq!(index.certificate(id, Scope::Whole)?, None);
    index.set_certificates(&[(id, Scope::Whole, b"certificate".to_vec())])?;
    index.set_certificates(&[(id, Scope::Whole, b"certificate".to_vec())])?;
    assert!(matches!(
        index.set_certificates(&[(id, Scope::Whole, b"another".to_vec())]),
        Err(StoreError::Exists { .. })
    ));
    assert_eq!(
        index.certificate(id, Scope::Whole)?.as_deref(),
        Some(&b"certificate"[..])
    );
    assert_eq!(index.destructions_pending()?, []);

    assert_eq!(
        index.manifest(other)?.as_deref(),
        Some(&b"manifest 2"[..]),
        "others are whole"
    );
    assert_eq!(
        index.recording(other)?.map(|row| row.line),
        Some("sales".to_owned())
    );
    Ok(())
}

fn only_the_tombstone_is_left(index: &dyn Index, id: RecordingId) -> Result<(), StoreError> {
    let Some(row) = index.recording(id)? else {
        return Err(StoreError::NotFound {
            noun: "recording",
            id: id.to_string(),
        });
    };
    assert_eq!(
        (row.state, row.destroyed_at),
        (State::Destroyed, Some(at(600)))
    );
    assert_eq!(
        (row.started_at, row.ended_at),
        (at(1), Some(at(61))),
        "times stay"
    );
    assert_eq!((row.line.as_str(), row.sealed.as_slice()), ("", &b""[..]));
    assert_eq!((row.verdict, row.byte_count), (None, None));
    assert_eq!((index.manifest(id)?, index.timeline(id)?), (None, None));
    for decision in index.decisions_of(id)? {
        assert_eq!(decision.sealed_facts, b"");
        assert_ne!(decision.document, b"", "what was decided stays");
    }
    assert!(
        decide(index, 8, id).is_err(),
        "no new facts about what is destroyed"
    );
    Ok(())
}

pub(super) fn goes_on_where_it_stopped(index: &dyn Index) -> Result<(), StoreError> {
    let id = seal(index, 1, None)?;
    assert!(matches!(
        index.complete_destructions(&[(id, Scope::Whole, leaf(1))], at(1)),
        Err(StoreError::State { .. })
    ));
    index.begin_destructions(&[intent(1, id)])?;
    index.begin_destructions(&[intent(1, id)])?;
    let other_intent = NewDestruction {
        id: destruction_id(7),
        ..intent(1, id)
    };
    assert!(matches!(
        index.begin_destructions(&[other_intent]),
        Err(StoreError::State { .. })
    ));
    let pending = index.destructions_pending()?;
    assert_eq!(pending.len(), 1);
    assert!(pending.iter().all(|row| row.destruction == intent(1, id)));
    assert!(
        pending
            .iter()
            .all(|row| row.destroyed_at.is_none() && row.leaf.is_none())
    );
    assert_eq!(
        index.destruction_of(id, Scope::Whole)?.as_ref(),
        pending.first()
    );

    index.complete_destructions(&[(id, Scope::Whole, leaf(1))], at(600))?;
    index.complete_destructions(&[(id, Scope::Whole, leaf(2))], at(601))?;
    let waiting = index.pending_leaves(9)?;
    assert_eq!(waiting.iter().filter(|found| **found == leaf(1)).count(), 1);
    assert!(
        !waiting.contains(&leaf(2)),
        "done again, it queues no second leaf"
    );
    let pending = index.destructions_pending()?;
    assert!(pending.iter().all(|row| row.destroyed_at == Some(at(600))));
    assert!(
        pending
            .iter()
            .all(|row| row.leaf == Some(leaf(1).id) && !row.has_certificate)
    );
    index.set_certificates(&[(id, Scope::Whole, b"certificate".to_vec())])?;
    assert_eq!(
        index
            .destruction_of(id, Scope::Whole)?
            .map(|row| row.has_certificate),
        Some(true)
    );
    assert_eq!(index.destructions_pending()?, []);
    Ok(())
}

pub(super) fn honours_holds(index: &dyn Index) -> Result<(), StoreError> {
    let id = seal(index, 1, Some(100))?;
    let held = NewHold {
        decision: Some(decision_id(1)),
        ..hold(1, id)
    };
    index.place_hold(&held, &leaf(141))?;
    let held = index.begin_destructions(&[intent(1, id)]);
    assert!(matches!(held, Err(StoreError::State { state: "held", .. })));
    assert!(index.lift_hold(&release(1), &leaf(142))?);
    index.begin_destructions(&[intent(1, id)])?;
    assert!(matches!(
        index.place_hold(&hold(2, id), &leaf(143)),
        Err(StoreError::State { .. })
    ));
    index.complete_destructions(&[(id, Scope::Whole, leaf(1))], at(600))?;
    let reasons: Vec<_> = index
        .holds_of(id)?
        .into_iter()
        .map(|row| (row.hold.sealed, row.release))
        .collect();
    assert_eq!(reasons, [(Vec::new(), Vec::new())]);

    let running = begin(index, 3)?;
    assert!(matches!(
        index.begin_destructions(&[intent(3, running)]),
        Err(StoreError::State { .. })
    ));
    assert!(index.end_unrecorded(running, &unrecorded(90, None), None)?);
    index.begin_destructions(&[intent(3, running)])?;
    index.complete_destructions(&[(running, Scope::Whole, leaf(3))], at(601))
}

pub(super) fn all_or_none(index: &dyn Index) -> Result<(), StoreError> {
    let all = [
        seal(index, 1, Some(100))?,
        seal(index, 2, Some(100))?,
        seal(index, 3, Some(100))?,
    ];
    let [one, two, three] = all;
    let held = NewHold {
        decision: Some(decision_id(2)),
        ..hold(1, two)
    };
    index.place_hold(&held, &leaf(141))?;
    let intents = [intent(1, one), intent(2, two), intent(3, three)];
    let refused = index.begin_destructions(&intents);
    assert!(matches!(
        refused,
        Err(StoreError::State { state: "held", .. })
    ));
    for id in all {
        let state = index.recording(id)?.map(|row| row.state);
        assert_eq!(state, Some(State::Sealed), "not even the one before it");
    }
    assert!(index.lift_hold(&release(1), &leaf(142))?);
    index.begin_destructions(&intents)?;
    assert_eq!(index.destructions_pending()?.len(), 3);

    let running = begin(index, 4)?;
    let gone = [
        (one, Scope::Whole, leaf(1)),
        (two, Scope::Whole, leaf(2)),
        (three, Scope::Whole, leaf(3)),
    ];
    let with_another = [
        (one, Scope::Whole, leaf(1)),
        (running, Scope::Whole, leaf(4)),
    ];
    assert!(index.complete_destructions(&with_another, at(600)).is_err());
    assert_eq!(
        index.recording(one)?.map(|row| row.state),
        Some(State::Destroying)
    );
    index.complete_destructions(&gone, at(600))?;
    assert_eq!(index.destroyed_recordings(None, 9)?.len(), 3);
    let certificates = all.map(|id| (id, Scope::Whole, id.as_bytes().to_vec()));
    let mut wrong = certificates.to_vec();
    wrong.push((running, Scope::Whole, b"too early".to_vec()));
    assert!(index.set_certificates(&wrong).is_err());
    assert_eq!(index.certificate(one, Scope::Whole)?, None);
    index.set_certificates(&certificates)?;
    assert_eq!(index.destructions_pending()?, []);
    Ok(())
}
