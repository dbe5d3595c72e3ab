//! What every index promises about links by which somebody fetches a copy.

use super::index::{begin, leaf, seal};
use super::{at, decision_id, destruction_id};
use crate::index::{CopyLink, NewDestruction};
use crate::{Index, StoreError};
use voicelog_model::{RecordingId, Scope};

fn link(number: u8, recording: RecordingId) -> CopyLink {
    CopyLink {
        key: [number; 32],
        recording,
        party: format!("p{number}"),
        from_us: Some(5),
        to_us: None,
        expires_at: at(1_000),
        uses_left: 2,
    }
}

pub(super) fn work_until_they_are_used_up_or_end(index: &dyn Index) -> Result<(), StoreError> {
    let id = seal(index, 1, None)?;
    let (one, other) = (link(1, id), link(2, id));
    index.add_copy_links(&[one.clone(), other.clone()])?;
    assert_eq!(index.copy_link(&[3; 32], at(200))?, None, "nobody's");
    for _look in 0..3 {
        let found = index.copy_link(&one.key, at(200))?;
        assert_eq!(found, Some(one.clone()), "looking uses nothing up");
    }
    assert!(index.use_copy_link(&one.key, at(200))?.is_some());
    assert!(index.use_copy_link(&one.key, at(200))?.is_some());
    assert_eq!(index.use_copy_link(&one.key, at(200))?, None, "used up");
    assert_eq!(index.copy_link(&one.key, at(200))?, None);
    assert!(index.copy_link(&other.key, at(999))?.is_some());
    assert_eq!(index.copy_link(&other.key, at(1_000))?, None, "it ended");
    index.forget_copy_links(at(999))?;
    assert!(index.copy_link(&other.key, at(200))?.is_some());
    index.forget_copy_links(at(1_000))?;
    assert_eq!(index.copy_link(&other.key, at(200))?, None, "it is gone");
    Ok(())
}

pub(super) fn end_with_the_term_and_go_with_the_recording(
    index: &dyn Index,
) -> Result<(), StoreError> {
    let id = seal(index, 1, Some(500))?;
    let one = link(1, id);
    let running = begin(index, 2)?;
    let both = [one.clone(), link(2, running)];
    index.add_copy_links(&both)?;
    let found = index.copy_link(&one.key, at(499))?;
    assert_eq!(found.map(|found| found.expires_at), Some(at(500)));
    assert_eq!(
        index.copy_link(&one.key, at(500))?,
        None,
        "the term is over"
    );
    assert_eq!(index.copy_link(&[2; 32], at(200))?, None, "not closed yet");

    super::index::decide(index, 9, id)?;
    index.begin_destructions(&[NewDestruction {
        id: destruction_id(1),
        recording: id,
        scope: Scope::Whole,
        decision: decision_id(9),
        begun_at: at(300),
    }])?;
    assert_eq!(index.copy_link(&one.key, at(301))?, None);
    assert_eq!(index.use_copy_link(&one.key, at(301))?, None);
    let refused = index.add_copy_links(&[link(3, id)]);
    assert!(
        matches!(refused, Err(StoreError::State { .. })),
        "{refused:?}"
    );
    index.complete_destructions(&[(id, Scope::Whole, leaf(77))], at(302))?;
    // Only where the row is gone can the same be kept again, of another recording.
    let other = seal(index, 3, None)?;
    index.add_copy_links(&[CopyLink {
        recording: other,
        ..one
    }])?;
    Ok(())
}
