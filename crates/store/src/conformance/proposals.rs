//! What every index promises about proposals to destroy.

use super::accounts::{first_account, further_account};
use super::index::{leaf, seal};
use super::{at, decision_id, destruction_id};
use crate::index::{NewAnswer, NewDestruction, NewProposal, State};
use crate::{Index, StoreError};
use voicelog_model::{ProposalId, RecordingId, Scope};

fn proposal(number: u8, recording: RecordingId) -> NewProposal {
    NewProposal {
        id: ProposalId::new(at(1), [number; 10]),
        recording,
        made_at: at(10),
        stands_until: at(100),
        sealed: format!("sealed proposal {number}").into_bytes(),
    }
}

fn answer(of: &NewProposal, seconds: i64, is_confirmed: bool) -> NewAnswer {
    NewAnswer {
        proposal: of.id,
        at: at(seconds),
        is_confirmed,
        sealed: b"sealed answer".to_vec(),
    }
}

/// A sealed recording with a proposal of an account.
pub(super) fn propose(index: &dyn Index, number: u8, by: &str) -> Result<RecordingId, StoreError> {
    let id = seal(index, number, Some(5))?;
    index.propose(&proposal(number, id), by, &leaf(number))?;
    Ok(id)
}

pub(super) fn are_of_one_account_and_answered_by_another(
    index: &dyn Index,
) -> Result<(), StoreError> {
    first_account(index, "beheer")?;
    further_account(index, 2, "anna", "beheer")?;
    let id = propose(index, 3, "beheer")?;
    let new = proposal(3, id);
    let row = index.proposal(new.id)?;
    assert_eq!(
        row.map(|row| (row.proposal, row.answer)),
        Some((new.clone(), None))
    );
    let twice = index.propose(&proposal(4, id), "anna", &leaf(4));
    assert!(
        matches!(twice, Err(StoreError::Exists { .. })),
        "one stands"
    );
    let other = seal(index, 5, None)?;
    let stranger = index.propose(&proposal(5, other), "nobody", &leaf(5));
    assert!(matches!(stranger, Err(StoreError::NotFound { .. })));
    assert_eq!(index.confirmed_proposals(at(20), 9)?, []);

    let yes = answer(&new, 20, true);
    assert!(index.answer_proposal(&yes, "nobody", &leaf(6)).is_err());
    index.ask_again(id, Scope::Whole, at(1_000))?;
    assert!(index.answer_proposal(&yes, "anna", &leaf(6))?);
    assert!(index.pending_leaves(99)?.contains(&leaf(6)));
    assert!(
        !index.answer_proposal(&answer(&new, 21, false), "anna", &leaf(7))?,
        "once"
    );
    assert!(!index.pending_leaves(99)?.contains(&leaf(7)));
    assert_eq!(index.confirmed_proposals(at(20), 9)?, [id], "asked at once");
    index.ask_again(id, Scope::Whole, at(50))?;
    assert_eq!(index.confirmed_proposals(at(49), 9)?, [], "put off");
    assert_eq!(index.confirmed_proposals(at(50), 9)?, [id]);
    assert_eq!(index.confirmed_proposals(at(100), 9)?, [], "lapsed");
    let standing = index.proposals_standing(at(20), 9)?;
    assert_eq!(standing.len(), 1);
    assert!(
        standing
            .into_iter()
            .all(|one| one.answer.as_ref() == Some(&yes))
    );
    let twice = index.propose(&proposal(4, id), "anna", &leaf(4));
    assert!(twice.is_err(), "a confirmed one stands");
    Ok(())
}

pub(super) fn lapse_and_go_with_the_recording(index: &dyn Index) -> Result<(), StoreError> {
    first_account(index, "beheer")?;
    let id = propose(index, 3, "beheer")?;
    let new = proposal(3, id);
    assert_eq!(index.proposals_standing(at(100), 9)?, []);
    let late = answer(&new, 100, true);
    assert!(!index.answer_proposal(&late, "beheer", &leaf(6))?, "lapsed");
    let again = NewProposal {
        made_at: at(100),
        stands_until: at(200),
        ..proposal(4, id)
    };
    index.propose(&again, "beheer", &leaf(7))?;
    let no = answer(&again, 110, false);
    assert!(index.answer_proposal(&no, "beheer", &leaf(8))?);
    assert_eq!(index.proposals_standing(at(111), 9)?, [], "declined");
    assert_eq!(index.proposals_of(id)?.len(), 2);

    let destruction = NewDestruction {
        id: destruction_id(1),
        recording: id,
        scope: Scope::Whole,
        decision: decision_id(3),
        begun_at: at(120),
    };
    index.begin_destructions(&[destruction])?;
    let begun = index.propose(&proposal(9, id), "beheer", &leaf(9));
    assert!(matches!(
        begun,
        Err(StoreError::State { state, .. }) if state == State::Destroying.as_str()
    ));
    index.complete_destructions(&[(id, Scope::Whole, leaf(10))], at(121))?;
    assert_eq!(index.proposals_of(id)?, []);
    Ok(())
}
