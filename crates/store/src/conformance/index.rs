//! What every index promises.

use super::{Fresh, at, decision_id, recording_id};
use crate::index::{
    Cursor, DecisionRow, Finished, HoldCursor, HoldRow, NewHold, NewRecording, OverdueHolds,
    PendingLeaf, RecordingFilter, Release, State, TermCursor, Unrecorded,
};
use crate::{Index, StoreError};
use voicelog_model::{Action, HoldId, Kind, RecordingId};

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
        super::accounts::invites_people,
        super::accounts::ends_accounts,
        super::accounts::keeps_settings,
        super::proposals::are_of_one_account_and_answered_by_another,
        super::proposals::lapse_and_go_with_the_recording,
        super::diary::adds_up_what_happened_in_a_minute,
        super::conversations::puts_parts_together,
        super::conversations::forgets_what_linked_them,
        super::outbox::keeps_messages_until_they_are_delivered,
        super::log::grows,
        super::log::lets_one_sequencer_win,
        super::log::keeps_tiles,
        super::log::tells_the_log_once,
        super::log::keeps_who_else_vouches,
        super::destructions::ends_in_a_tombstone,
        super::destructions::goes_on_where_it_stopped,
        super::copies::makes_tombstones_of_what_was_destroyed_since,
        super::copies::places_holds_again,
        super::copies::tells_what_was_destroyed_as_of_one_moment,
        super::copies::ends_what_ran_when_a_copy_was_made,
        super::copy_links::work_until_they_are_used_up_or_end,
        super::copy_links::end_with_the_term_and_go_with_the_recording,
        super::destructions::honours_holds,
        super::destructions::all_or_none,
        super::sound::ends_before_the_rest,
        super::sound::is_due_by_its_own_term,
        super::sound::is_taken_out_of_an_old_copy,
        keeps_holds_with_their_leaves_and_lists_them_by_review,
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
        has_sound_key: false,
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
        sound_until: None,
        also: vec![leaf(number + 100)],
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
    assert_eq!(index.pending_leaves(9)?, [leaf(101), leaf(1)]);
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
        has_sound_key: false,
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

    index.place_hold(&hold(1, early), &leaf(121))?;
    index.place_hold(&hold(2, early), &leaf(122))?;
    assert_eq!(index.due(at(500), None, 9)?, [empty, late]);
    assert!(index.lift_hold(&release(1), &leaf(123))?);
    assert!(!index.lift_hold(&release(1), &leaf(124))?);
    assert_eq!(
        index.due(at(500), None, 9)?,
        [empty, late],
        "one hold is enough"
    );
    assert!(index.lift_hold(&release(2), &leaf(125))?);
    assert_eq!(index.due(at(500), None, 9)?, [early, empty, late]);

    index.set_retain_until(for_ever, Some(at(300)))?;
    index.set_retain_until(early, None)?;
    assert_eq!(index.due(at(500), None, 9)?, [empty, late, for_ever]);
    Ok(())
}

/// A hold that has to be looked at at moment 100 + its number.
pub(super) fn hold(number: u8, recording: RecordingId) -> NewHold {
    NewHold {
        id: HoldId::from_bytes([number; 16]),
        recording,
        placed_at: at(50),
        decision: None,
        ground: "claim".to_owned(),
        review_at: at(100 + i64::from(number)),
        sealed: b"sealed reason".to_vec(),
    }
}

pub(super) fn release(number: u8) -> Release {
    Release {
        hold: HoldId::from_bytes([number; 16]),
        at: at(60),
        sealed: b"sealed why".to_vec(),
    }
}

pub(super) fn keeps_holds_with_their_leaves_and_lists_them_by_review(
    index: &dyn Index,
) -> Result<(), StoreError> {
    let (one, two) = (seal(index, 1, None)?, seal(index, 2, None)?);
    let before = index.pending_leaves(99)?.len();
    index.place_hold(&hold(2, one), &leaf(132))?;
    index.place_hold(&hold(1, two), &leaf(131))?;
    index.place_hold(&hold(3, one), &leaf(133))?;
    let ids = |rows: Vec<HoldRow>| rows.into_iter().map(|row| row.hold.id).collect::<Vec<_>>();
    let id = |number| HoldId::from_bytes([number; 16]);
    assert_eq!(ids(index.open_holds(None, 9)?), [id(1), id(2), id(3)]);
    assert_eq!(ids(index.open_holds(None, 1)?), [id(1)]);
    let after = |number: u8| {
        let review_at = at(100 + i64::from(number));
        Some(HoldCursor {
            review_at,
            id: id(number),
        })
    };
    assert_eq!(ids(index.open_holds(after(1), 9)?), [id(2), id(3)]);
    assert_eq!(index.overdue_holds(at(100))?, OverdueHolds::default());
    let overdue = OverdueHolds {
        count: 2,
        since: Some(at(101)),
    };
    assert_eq!(
        index.overdue_holds(at(102))?,
        overdue,
        "at its moment it is due"
    );

    assert!(index.lift_hold(&release(1), &leaf(111))?);
    assert!(!index.lift_hold(&release(1), &leaf(112))?, "once");
    assert_eq!(ids(index.open_holds(None, 9)?), [id(2), id(3)]);
    let unknown = index.lift_hold(&release(9), &leaf(113));
    assert!(matches!(unknown, Err(StoreError::NotFound { .. })));
    let kept = index.hold(id(1))?;
    let lifted = HoldRow {
        hold: hold(1, two),
        lifted_at: Some(at(60)),
        release: b"sealed why".to_vec(),
    };
    assert_eq!(kept, Some(lifted));
    assert_eq!(index.hold(id(9))?, None);
    assert_eq!(ids(index.holds_of(one)?), [id(2), id(3)]);
    let queued = index.pending_leaves(99)?;
    let new: Vec<_> = queued.iter().skip(before).map(|leaf| leaf.id).collect();
    assert_eq!(
        new,
        [[132; 16], [131; 16], [133; 16], [111; 16]],
        "one for each act"
    );
    Ok(())
}
