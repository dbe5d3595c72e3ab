//! What every index promises.

use super::{Fresh, at, decision_id, recording_id};
use crate::index::{
    Cursor, DecisionRow, Finished, NewHold, NewRecording, PendingLeaf, RecordingFilter, State,
    TermCursor, Unrecorded,
};
use crate::{Index, StoreError};
use voicelog_model::{Action, Kind, RecordingId};

/// The suite.
pub fn index(mut make: impl FnMut() -> Fresh<Box<dyn Index>>) -> Result<(), StoreError> {
    for part in [
        lives_through_its_states,
        ends_without_a_recording,
        refuses_the_wrong_order,
        keeps_decisions,
        lists_newest_first,
        knows_what_is_due,
        super::accounts::signs_people_in,
        super::accounts::is_set_up_once,
        super::accounts::keeps_settings,
        super::diary::adds_up_what_happened_in_a_minute,
        super::conversations::puts_parts_together,
        super::conversations::forgets_what_linked_them,
        super::outbox::keeps_messages_until_they_are_delivered,
        super::log::grows,
        super::log::lets_one_sequencer_win,
        super::destructions::ends_in_a_tombstone,
        super::destructions::goes_on_where_it_stopped,
        super::destructions::honours_holds,
    ] {
        let (index, _guard) = make();
        part(&*index)?;
        assert_eq!(index.check()?, [""; 0]);
    }
    Ok(())
}

pub(super) fn leaf(number: u8) -> PendingLeaf {
    PendingLeaf {
        id: [number; 16],
        bytes: format!("leaf {number}").into_bytes(),
    }
}

pub(super) fn decide(index: &dyn Index, number: u8, about: RecordingId) -> Result<(), StoreError> {
    let decision = DecisionRow {
        id: decision_id(number),
        at: at(i64::from(number)),
        action: Action::Record,
        outcome: "permitted".to_owned(),
        recording: Some(about),
        document: br#"{"outcome":"permitted"}"#.to_vec(),
        sealed_facts: format!("sealed facts {number}").into_bytes(),
        leaf: None,
    };
    index.insert_decision(&decision, None)
}

/// A recording in state waiting, with its decision.
pub(super) fn begin(index: &dyn Index, number: u8) -> Result<RecordingId, StoreError> {
    let id = recording_id(number);
    decide(index, number, id)?;
    index.insert_recording(&NewRecording {
        id,
        started_at: at(i64::from(number)),
        state: State::Waiting,
        line: "sales".to_owned(),
        decision: decision_id(number),
        sealed: format!("sealed parties {number}").into_bytes(),
        report: Vec::new(),
    })?;
    Ok(id)
}

pub(super) fn finished(number: u8, retain_until: Option<i64>) -> Finished {
    Finished {
        ended_at: at(i64::from(number) + 60),
        verdict: "whole".to_owned(),
        manifest: format!("manifest {number}").into_bytes(),
        timeline: format!("timeline {number}").into_bytes(),
        byte_count: 1_000,
        retain_until: retain_until.map(at),
    }
}

/// What is known of a call of which nothing was kept.
pub(super) fn unrecorded(ended_at: i64, retain_until: Option<i64>) -> Unrecorded {
    Unrecorded {
        ended_at: at(ended_at),
        verdict: "not_recorded".to_owned(),
        timeline: b"timeline of nothing".to_vec(),
        retain_until: retain_until.map(at),
    }
}

/// A sealed recording.
pub(super) fn seal(
    index: &dyn Index,
    number: u8,
    retain_until: Option<i64>,
) -> Result<RecordingId, StoreError> {
    let id = begin(index, number)?;
    assert!(index.set_state(id, &[State::Waiting], State::Recording)?);
    let leaf = PendingLeaf {
        id: *id.as_bytes(),
        bytes: b"recorded".to_vec(),
    };
    assert!(index.finish_recording(id, &finished(number, retain_until), &leaf)?);
    Ok(id)
}

fn lives_through_its_states(index: &dyn Index) -> Result<(), StoreError> {
    assert_eq!(index.recording(recording_id(1))?, None);
    let id = begin(index, 1)?;
    let Some(row) = index.recording(id)? else {
        return Err(StoreError::NotFound {
            noun: "recording",
            id: id.to_string(),
        });
    };
    assert_eq!(
        (row.state, row.started_at, row.line.as_str()),
        (State::Waiting, at(1), "sales")
    );
    assert_eq!(
        (row.decision, row.sealed),
        (decision_id(1), b"sealed parties 1".to_vec())
    );
    assert_eq!(
        (row.ended_at, row.verdict, row.byte_count),
        (None, None, None)
    );

    assert!(index.set_state(id, &[State::Waiting], State::Recording)?);
    assert!(
        !index.set_state(id, &[State::Waiting], State::Recording)?,
        "compare and set"
    );
    index.update_sealed(id, b"sealed again")?;
    assert!(index.set_state(id, &[State::Waiting, State::Recording], State::Finishing)?);
    assert_eq!(
        index
            .recordings_in_state(&[State::Finishing, State::Waiting])?
            .len(),
        1
    );
    assert_eq!(index.recordings_in_state(&[State::Recording])?.len(), 0);
    assert_eq!(index.recordings_in_state(&[])?.len(), 0);

    assert!(index.finish_recording(id, &finished(1, Some(99)), &leaf(1))?);
    assert!(
        !index.finish_recording(id, &finished(1, Some(99)), &leaf(2))?,
        "once"
    );
    assert_eq!(index.pending_leaves(9)?, [leaf(1)]);
    let row = index.recording(id)?;
    assert!(row.is_some_and(|row| {
        row.state == State::Sealed
            && row.sealed == b"sealed again"
            && row.ended_at == Some(at(61))
            && row.verdict.as_deref() == Some("whole")
            && row.byte_count == Some(1_000)
            && row.retain_until == Some(at(99))
            && row.leaf == Some(leaf(1).id)
    }));
    assert_eq!(index.manifest(id)?.as_deref(), Some(&b"manifest 1"[..]));
    assert_eq!(index.timeline(id)?.as_deref(), Some(&b"timeline 1"[..]));
    Ok(())
}

fn ends_without_a_recording(index: &dyn Index) -> Result<(), StoreError> {
    let empty = begin(index, 2)?;
    assert!(index.end_unrecorded(empty, &unrecorded(70, Some(99)), None)?);
    assert!(!index.end_unrecorded(empty, &unrecorded(71, None), None)?);
    assert_eq!(
        index.recording(empty)?.map(|row| row.state),
        Some(State::NotRecorded)
    );
    assert_eq!(index.manifest(empty)?, None);
    assert_eq!(
        index.timeline(empty)?.as_deref(),
        Some(&b"timeline of nothing"[..])
    );
    Ok(())
}

fn refuses_the_wrong_order(index: &dyn Index) -> Result<(), StoreError> {
    let id = recording_id(1);
    let mut recording = NewRecording {
        id,
        started_at: at(1),
        state: State::Recording,
        line: String::new(),
        decision: decision_id(1),
        sealed: Vec::new(),
        report: Vec::new(),
    };
    let no_decision = index.insert_recording(&recording);
    assert!(no_decision.is_err_and(|error| error.kind() == Kind::Conflict));
    assert_eq!(
        index.recording(id)?,
        None,
        "nothing of a failed transaction stays"
    );
    decide(index, 1, id)?;
    recording.state = State::Sealed;
    assert!(matches!(
        index.insert_recording(&recording),
        Err(StoreError::State { .. })
    ));
    recording.state = State::Recording;
    index.insert_recording(&recording)?;
    assert!(matches!(
        index.insert_recording(&recording),
        Err(StoreError::Exists { .. })
    ));

    let nobody = recording_id(9);
    let missing = index.set_state(nobody, &[State::Waiting], State::Recording);
    assert!(matches!(missing, Err(StoreError::NotFound { .. })));
    for state in [
        State::Sealed,
        State::NotRecorded,
        State::Destroying,
        State::Destroyed,
    ] {
        let into = index.set_state(id, &[State::Recording], state);
        assert!(
            matches!(into, Err(StoreError::State { .. })),
            "{state} has a verb of its own"
        );
    }
    assert!(
        !index.end_unrecorded(id, &unrecorded(2, None), Some(&leaf(3)))?,
        "something was kept"
    );
    let mut no_manifest = finished(1, None);
    no_manifest.manifest.clear();
    let refused = index.finish_recording(id, &no_manifest, &leaf(3));
    assert!(matches!(refused, Err(StoreError::Invalid { .. })));
    assert_eq!(index.pending_leaves(9)?, []);
    Ok(())
}

fn keeps_decisions(index: &dyn Index) -> Result<(), StoreError> {
    assert_eq!(index.decision(decision_id(1))?, None);
    let id = begin(index, 1)?;
    let later = DecisionRow {
        id: decision_id(7),
        at: at(100),
        action: Action::Listen,
        outcome: "forbidden_privacy".to_owned(),
        recording: Some(id),
        document: b"{}".to_vec(),
        sealed_facts: Vec::new(),
        leaf: Some(leaf(7).id),
    };
    index.insert_decision(&later, Some(&leaf(7)))?;
    assert!(
        index.insert_decision(&later, None).is_err(),
        "an id is used once"
    );
    assert_eq!(index.decision(later.id)?.as_ref(), Some(&later));
    assert_eq!(index.pending_leaves(9)?, [leaf(7)]);
    let about: Vec<_> = index
        .decisions_of(id)?
        .into_iter()
        .map(|row| row.id)
        .collect();
    assert_eq!(about, [decision_id(1), decision_id(7)]);
    let about_nothing = DecisionRow {
        id: decision_id(8),
        recording: None,
        leaf: None,
        ..later
    };
    index.insert_decision(&about_nothing, None)?;
    assert_eq!(index.decision(decision_id(8))?, Some(about_nothing));
    assert_eq!(index.decisions_of(id)?.len(), 2);
    Ok(())
}

fn lists_newest_first(index: &dyn Index) -> Result<(), StoreError> {
    for number in 1..=7 {
        begin(index, number)?;
    }
    assert!(index.end_unrecorded(recording_id(4), &unrecorded(9, None), None)?);
    let pages = |filter: &RecordingFilter, limit: usize| -> Result<Vec<RecordingId>, StoreError> {
        let mut found = Vec::new();
        let mut after: Option<Cursor> = None;
        loop {
            let page = index.list_recordings(filter, after, limit)?;
            assert!(page.rows.len() <= limit);
            found.extend(page.rows.iter().map(|row| row.id));
            after = page.next;
            if after.is_none() {
                return Ok(found);
            }
        }
    };
    let ids = |numbers: &[u8]| numbers.iter().map(|n| recording_id(*n)).collect::<Vec<_>>();
    for limit in 1..=8 {
        assert_eq!(
            pages(&RecordingFilter::default(), limit)?,
            ids(&[7, 6, 5, 4, 3, 2, 1])
        );
        let waiting = RecordingFilter {
            state: Some(State::Waiting),
            ..RecordingFilter::default()
        };
        assert_eq!(pages(&waiting, limit)?, ids(&[7, 6, 5, 3, 2, 1]));
        let some = RecordingFilter {
            from: Some(at(2)),
            to: Some(at(5)),
            state: None,
        };
        assert_eq!(pages(&some, limit)?, ids(&[4, 3, 2]));
    }
    Ok(())
}

fn knows_what_is_due(index: &dyn Index) -> Result<(), StoreError> {
    let early = seal(index, 1, Some(100))?;
    let late = seal(index, 2, Some(200))?;
    let for_ever = seal(index, 3, None)?;
    let running = begin(index, 4)?;
    let empty = begin(index, 5)?;
    assert!(index.end_unrecorded(empty, &unrecorded(10, Some(150)), None)?);
    index.set_retain_until(running, Some(at(1)))?;
    assert_eq!(index.due(at(99), None, 9)?, []);
    assert_eq!(
        index.due(at(100), None, 9)?,
        [early],
        "a term ends at its last moment"
    );
    assert_eq!(index.due(at(500), None, 9)?, [early, empty, late]);
    assert_eq!(index.due(at(500), None, 1)?, [early]);
    let after = |retain_until, id| Some(TermCursor { retain_until, id });
    assert_eq!(index.due(at(500), after(at(100), early), 1)?, [empty]);
    assert_eq!(index.due(at(500), after(at(150), empty), 9)?, [late]);
    assert_eq!(index.due(at(500), after(at(200), late), 9)?, []);

    let hold = |number: u8| NewHold {
        id: [number; 16],
        recording: early,
        placed_at: at(50),
        decision: None,
        sealed: b"sealed reason".to_vec(),
    };
    index.place_hold(&hold(1))?;
    index.place_hold(&hold(2))?;
    assert_eq!(index.due(at(500), None, 9)?, [empty, late]);
    assert!(index.lift_hold([1; 16], at(60))?);
    assert!(!index.lift_hold([1; 16], at(61))?);
    assert_eq!(
        index.due(at(500), None, 9)?,
        [empty, late],
        "one hold is enough"
    );
    assert!(index.lift_hold([2; 16], at(60))?);
    assert_eq!(index.due(at(500), None, 9)?, [early, empty, late]);
    assert!(matches!(
        index.lift_hold([9; 16], at(1)),
        Err(StoreError::NotFound { .. })
    ));
    let lifted: Vec<_> = index
        .holds_of(early)?
        .into_iter()
        .map(|row| row.lifted_at)
        .collect();
    assert_eq!(lifted, [Some(at(60)), Some(at(60))]);
    assert_eq!(
        index.holds_of(early)?.first().map(|row| row.hold.clone()),
        Some(hold(1))
    );

    index.set_retain_until(for_ever, Some(at(300)))?;
    index.set_retain_until(early, None)?;
    assert_eq!(index.due(at(500), None, 9)?, [empty, late, for_ever]);
    Ok(())
}
