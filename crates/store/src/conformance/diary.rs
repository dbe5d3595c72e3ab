//! What every index promises about the recorder's diary.

use super::at;
use crate::index::DiaryEntry;
use crate::{Index, StoreError};

pub(super) fn adds_up_what_happened_in_a_minute(index: &dyn Index) -> Result<(), StoreError> {
    let entry = |minute: i64, what: &str, count: u64| DiaryEntry {
        minute: at(60 * minute),
        what: what.to_owned(),
        count,
    };
    assert_eq!(index.diary_begins()?, None);
    index.add_to_diary(&[
        entry(2, "ran", 1),
        entry(1, "ran", 1),
        entry(1, "offered", 3),
    ])?;
    index.add_to_diary(&[entry(1, "offered", 4), entry(1, "refused", 0)])?;
    assert_eq!(index.diary_begins()?, Some(at(60)));
    let first = [entry(1, "offered", 7), entry(1, "ran", 1)];
    assert_eq!(index.diary(at(0), at(120), 10)?, first);
    assert_eq!(index.diary(at(0), at(180), 2)?, first, "no more than asked");
    assert_eq!(index.diary(at(61), at(121), 10)?, [entry(2, "ran", 1)]);
    index.forget_diary(at(61))?;
    assert_eq!(index.diary(at(0), at(600), 10)?, [entry(2, "ran", 1)]);
    Ok(())
}
