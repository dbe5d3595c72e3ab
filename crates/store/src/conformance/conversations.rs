//! What every index promises about conversations of several recordings.

use super::index::{begin, leaf};
use super::{at, recording_id};
use crate::index::{JoinedBy, LinkKey, Unrecorded};
use crate::{Index, StoreError};
use voicelog_model::RecordingId;

const GROUP: LinkKey = [1; 32];
const OTHER: LinkKey = [2; 32];

fn by(word: &str) -> JoinedBy {
    JoinedBy {
        word: word.to_owned(),
        is_copy: false,
    }
}

fn ids(index: &dyn Index, conversation: RecordingId) -> Result<Vec<RecordingId>, StoreError> {
    let rows = index.parts(conversation, 10)?;
    Ok(rows.iter().map(|row| row.id).collect())
}

pub(super) fn puts_parts_together(index: &dyn Index) -> Result<(), StoreError> {
    for number in 1..=5 {
        begin(index, number)?;
    }
    let [one, two, three, four, five] = [1, 2, 3, 4, 5].map(recording_id);
    assert_eq!(index.recording(one)?.and_then(|row| row.part), None);
    index.join(two, one, &by("group"))?;
    assert_eq!(ids(index, one)?, [one, two]);
    index.join(four, three, &by("session"))?;
    assert_eq!(ids(index, three)?, [three, four]);
    // What joins two conversations makes them one, and each part keeps its own word.
    let copy = JoinedBy {
        is_copy: true,
        ..by("replaces")
    };
    index.join(four, two, &copy)?;
    assert_eq!(ids(index, one)?, [one, two, three, four]);
    assert_eq!(ids(index, three)?, []);
    let part = index.recording(four)?.and_then(|row| row.part);
    assert!(part.is_some_and(|part| part.linked_by == "session" && part.is_copy));
    // Done again it changes nothing.
    index.join(four, two, &copy)?;
    assert_eq!(ids(index, one)?, [one, two, three, four]);
    assert_eq!(index.parts(one, 2)?.len(), 2, "no more than asked");
    assert_eq!(index.recording(five)?.and_then(|row| row.part), None);
    assert!(index.join(five, recording_id(9), &by("group")).is_err());
    Ok(())
}

pub(super) fn forgets_what_linked_them(index: &dyn Index) -> Result<(), StoreError> {
    let (one, two) = (begin(index, 1)?, begin(index, 2)?);
    index.note_call(one, &[(GROUP, "group".to_owned())], Some(b"odd"))?;
    let both = [(GROUP, "group".to_owned()), (OTHER, "session".to_owned())];
    index.note_call(two, &both, None)?;
    index.note_call(two, &both[..1], None)?;
    assert_eq!(index.report(one)?.as_deref(), Some(&b"odd"[..]));
    index.note_call(one, &[], Some(b"odder"))?;
    index.note_call(one, &[], None)?;
    assert_eq!(index.report(one)?.as_deref(), Some(&b"odder"[..]));
    assert_eq!(index.report(two)?, None);
    let found = index.linked(&[GROUP], 10)?;
    let found: Vec<_> = found.iter().map(|row| row.recording.id).collect();
    assert_eq!(found, [two, one], "newest first");
    assert_eq!(index.linked(&[GROUP, OTHER], 1)?.len(), 2, "for each key");
    assert_eq!(index.linked(&[OTHER], 1)?[0].kind, "session");

    let ended = Unrecorded {
        ended_at: at(100),
        verdict: "not_recorded".to_owned(),
        timeline: b"{}".to_vec(),
        retain_until: None,
    };
    index.end_unrecorded(one, &ended, Some(&leaf(1)))?;
    index.forget_link_keys(at(100))?;
    assert_eq!(index.linked(&[GROUP], 10)?.len(), 2);
    index.forget_link_keys(at(101))?;
    let found = index.linked(&[GROUP], 10)?;
    assert_eq!(found.len(), 1, "one that runs keeps its keys");

    index.distrust(&[GROUP], at(50))?;
    index.distrust(&[GROUP], at(40))?;
    assert_eq!(index.distrusted(&[OTHER, GROUP], at(50))?, [GROUP]);
    assert_eq!(index.distrusted(&[GROUP], at(51))?, [] as [LinkKey; 0]);
    Ok(())
}
