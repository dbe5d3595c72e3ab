//! What every index promises about sound that ends before the rest of a recording.

use super::index::{decide, finished, hold, leaf, release, seal};
use super::{at, decision_id, destruction_id, recording_id};
use crate::index::{
    Burial, Buried, DecisionRow, NewDestruction, NewRecording, PendingLeaf, State, TermCursor,
};
use crate::{Index, StoreError};
use voicelog_model::{Action, RecordingId, Scope};

/// A sealed recording whose sound has a key and a term of its own.
fn seal_with_sound(index: &dyn Index, number: u8, until: i64) -> Result<RecordingId, StoreError> {
    let id = begin(index, number)?;
    let mut all = finished(number, Some(900));
    all.sound_until = Some(at(until));
    let recorded = PendingLeaf {
        id: *id.as_bytes(),
        bytes: b"recorded".to_vec(),
    };
    assert!(index.finish_recording(id, &all, &recorded)?);
    Ok(id)
}

fn begin(index: &dyn Index, number: u8) -> Result<RecordingId, StoreError> {
    let id = recording_id(number);
    decide(index, number, id)?;
    index.insert_recording(&NewRecording {
        id,
        started_at: at(i64::from(number)),
        state: State::Recording,
        line: "sales".to_owned(),
        decision: decision_id(number),
        sealed: format!("sealed parties {number}").into_bytes(),
        report: Vec::new(),
        has_sound_key: true,
    })?;
    Ok(id)
}

fn intent(number: u8, recording: RecordingId, scope: Scope) -> NewDestruction {
    NewDestruction {
        id: destruction_id(number),
        recording,
        scope,
        decision: decision_id(number),
        begun_at: at(500 + i64::from(number)),
    }
}

fn state(index: &dyn Index, id: RecordingId) -> Result<Option<State>, StoreError> {
    Ok(index.recording(id)?.map(|row| row.state))
}

pub(super) fn ends_before_the_rest(index: &dyn Index) -> Result<(), StoreError> {
    let id = seal_with_sound(index, 1, 100)?;
    let whole = seal(index, 2, Some(900))?;
    let alone = index.begin_destructions(&[intent(2, whole, Scope::Sound)]);
    assert!(
        matches!(alone, Err(StoreError::State { .. })),
        "one key, one end"
    );
    index.begin_destructions(&[intent(1, id, Scope::Sound)])?;
    assert_eq!(state(index, id)?, Some(State::SoundDestroying));
    assert_eq!(index.due(at(901), None, 9)?, [whole], "one after the other");
    decide(index, 11, id)?;
    let meanwhile = index.begin_destructions(&[intent(11, id, Scope::Whole)]);
    assert!(matches!(meanwhile, Err(StoreError::State { .. })));
    let held = index.place_hold(&hold(1, id), &leaf(141));
    assert!(
        matches!(held, Err(StoreError::State { .. })),
        "what was begun goes on"
    );
    let too_early = index.set_certificates(&[(id, Scope::Sound, b"early".to_vec())]);
    assert!(matches!(too_early, Err(StoreError::State { .. })));

    index.complete_destructions(&[(id, Scope::Sound, leaf(3))], at(600))?;
    index.complete_destructions(&[(id, Scope::Sound, leaf(4))], at(601))?;
    assert!(!index.pending_leaves(99)?.contains(&leaf(4)), "once");
    let row = index.recording(id)?;
    assert!(row.is_some_and(|row| {
        row.state == State::WithoutSound
            && row.sound_destroyed_at == Some(at(600))
            && row.destroyed_at.is_none()
            && row.byte_count == Some(0)
            && row.line == "sales"
            && row.sealed == b"sealed parties 1"
    }));
    assert!(index.manifest(id)?.is_some() && index.timeline(id)?.is_some());
    index.set_certificates(&[(id, Scope::Sound, b"of the sound".to_vec())])?;
    assert_eq!(index.certificate(id, Scope::Whole)?, None);
    assert_eq!(index.destructions_pending()?, []);
    let within = (at(600), at(601));
    assert_eq!(index.sound_destroyed(within, None, 9)?, [id]);
    assert_eq!(index.sound_destroyed(within, Some(id), 9)?, []);
    assert_eq!(index.sound_destroyed((at(0), at(600)), None, 9)?, []);

    // The whole ends as ever, and the sound's papers stay.
    assert_eq!(index.due(at(901), None, 9)?, [id, whole]);
    index.begin_destructions(&[intent(11, id, Scope::Whole)])?;
    assert_eq!(state(index, id)?, Some(State::Destroying));
    index.complete_destructions(&[(id, Scope::Whole, leaf(5))], at(700))?;
    assert_eq!(state(index, id)?, Some(State::Destroyed));
    index.complete_destructions(&[(id, Scope::Sound, leaf(6))], at(701))?;
    let kept = index.certificate(id, Scope::Sound)?;
    assert_eq!(kept.as_deref(), Some(&b"of the sound"[..]));
    let both = [Scope::Sound, Scope::Whole].map(|scope| index.destruction_of(id, scope));
    for (row, moment) in both.into_iter().zip([600, 700]) {
        assert_eq!(row?.and_then(|row| row.destroyed_at), Some(at(moment)));
    }
    Ok(())
}

pub(super) fn is_due_by_its_own_term(index: &dyn Index) -> Result<(), StoreError> {
    let first = seal_with_sound(index, 1, 100)?;
    let second = seal_with_sound(index, 2, 200)?;
    let third = seal_with_sound(index, 3, 800)?;
    assert_eq!(index.due_sound(at(99), None, 9)?, []);
    assert_eq!(index.due_sound(at(300), None, 9)?, [first, second]);
    let after = TermCursor {
        retain_until: at(100),
        id: first,
    };
    assert_eq!(index.due_sound(at(300), Some(after), 9)?, [second]);
    index.place_hold(&hold(1, first), &leaf(141))?;
    let held = index.begin_destructions(&[intent(1, first, Scope::Sound)]);
    assert!(matches!(held, Err(StoreError::State { state: "held", .. })));
    index.ask_again(second, Scope::Sound, at(400))?;
    assert_eq!(index.due_sound(at(300), None, 9)?, []);
    assert_eq!(
        index.due(at(900), None, 9)?,
        [second, third],
        "the whole is not put off"
    );
    let terms = index.sound_terms(at(300))?;
    assert_eq!((terms.all, terms.held, terms.put_off), (2, 1, 1));
    assert_eq!(terms.next, Some(at(800)));
    index.ask_all_again()?;
    assert_eq!(index.due_sound(at(300), None, 9)?, [second]);
    index.ask_again(first, Scope::Sound, at(9_000))?;
    assert!(index.lift_hold(&release(1), &leaf(142))?);
    assert_eq!(index.due_sound(at(300), None, 9)?, [first, second]);
    let listed = index.recordings_in_state(&[State::WithoutSound])?;
    assert_eq!(listed, []);
    Ok(())
}

fn burial(number: u8, recording: RecordingId, is_done: bool) -> Burial {
    Burial {
        started_at: at(7),
        destruction: intent(number, recording, Scope::Sound),
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
        done: is_done.then(|| Buried {
            destroyed_at: at(501),
            statement: (
                format!("destruction/{}", destruction_id(number)),
                b"{}".to_vec(),
            ),
            leaf: leaf(number),
        }),
    }
}

pub(super) fn is_taken_out_of_an_old_copy(index: &dyn Index) -> Result<(), StoreError> {
    let sealed = seal_with_sound(index, 1, 100)?;
    index.place_hold(&hold(1, sealed), &leaf(141))?;
    let begun = seal_with_sound(index, 2, 100)?;
    let named = seal_with_sound(index, 3, 100)?;
    let running = begin(index, 4)?;
    let ran_and_begun = begin(index, 5)?;
    index.place_hold(&hold(3, ran_and_begun), &leaf(144))?;
    let unknown = recording_id(9);
    let burials = [
        burial(11, sealed, true),
        burial(12, begun, false),
        burial(14, running, true),
        burial(15, ran_and_begun, false),
        burial(19, unknown, true),
    ];
    assert_eq!(index.bury(&burials)?, 4);
    assert_eq!(index.recording(unknown)?, None, "nothing of it came along");
    assert_eq!(state(index, sealed)?, Some(State::WithoutSound));
    assert_eq!(index.open_holds(None, 9)?, [], "it was lifted since");
    assert_eq!(state(index, begun)?, Some(State::SoundDestroying));
    assert_eq!(
        state(index, running)?,
        Some(State::Destroyed),
        "nothing is left of it without the sound"
    );
    assert_eq!(state(index, ran_and_begun)?, Some(State::Destroyed));
    assert_eq!(index.destruction_of(ran_and_begun, Scope::Sound)?, None);
    assert_eq!(index.bury(&burials[3..4])?, 0, "once");
    assert!(index.manifest(sealed)?.is_some());
    assert_eq!(index.destructions_pending()?.len(), 3);

    let told = [
        (named, Scope::Sound, at(502)),
        (sealed, Scope::Sound, at(503)),
    ];
    assert_eq!(index.bury_named(&told)?, 1);
    assert_eq!(state(index, named)?, Some(State::WithoutSound));
    // A hold that was placed since is not lifted by the same list.
    index.place_hold(&hold(2, sealed), &leaf(143))?;
    assert_eq!(index.bury(&burials[..1])?, 0);
    assert_eq!(index.open_holds(None, 9)?.len(), 1);
    Ok(())
}
