//! What every index promises about the log.

use super::index::leaf;
use crate::index::{CosignedRow, LogHead, PendingLeaf, SequencedLeaf, TileHash, TimestampRow};
use crate::{Index, StoreError};
use voicelog_model::Timestamp;

pub(super) fn sequenced(leaf: &PendingLeaf, number: u8) -> SequencedLeaf {
    SequencedLeaf {
        id: leaf.id,
        bytes: leaf.bytes.clone(),
        hash: [number; 32],
    }
}

pub(super) fn grows(index: &dyn Index) -> Result<(), StoreError> {
    assert_eq!(index.log_head()?, LogHead::default());
    index.append_leaves(0, &[], &[], b"empty", b"")?;
    assert_eq!(index.log_head()?.checkpoint, b"empty");
    for number in [3, 1, 2] {
        index.queue_leaf(&leaf(number))?;
    }
    assert!(index.queue_leaf(&leaf(2)).is_err(), "it waits already");
    assert_eq!(
        index.pending_leaves(9)?,
        [leaf(3), leaf(1), leaf(2)],
        "in order of arrival"
    );
    assert_eq!(index.pending_leaves(1)?, [leaf(3)]);
    assert_eq!(index.leaf_index_of(leaf(3).id)?, None);

    let batch = [sequenced(&leaf(3), 10), sequenced(&leaf(1), 11)];
    index.append_leaves(0, &batch, &[], b"two", b"range of two")?;
    let head = LogHead {
        size: 2,
        checkpoint: b"two".to_vec(),
        compact_range: b"range of two".to_vec(),
    };
    assert_eq!(index.log_head()?, head);
    assert_eq!(index.pending_leaves(9)?, [leaf(2)]);
    index.append_leaves(2, &[sequenced(&leaf(2), 12)], &[], b"three", b"range")?;

    assert_eq!(index.leaf_index_of(leaf(1).id)?, Some(1));
    let second = index.leaf(1)?;
    assert!(second.is_some_and(|row| {
        (row.index, row.id, row.bytes, row.hash) == (1, leaf(1).id, leaf(1).bytes, [11; 32])
    }));
    assert_eq!(index.leaf(3)?, None);
    assert_eq!(index.leaf(u64::MAX)?, None);
    assert_eq!(index.leaf_hashes(0, 3)?, [[10; 32], [11; 32], [12; 32]]);
    assert_eq!(index.leaf_hashes(1, 2)?, [[11; 32]]);
    assert_eq!(index.leaf_hashes(2, 1)?, [[0; 32]; 0]);
    let places: Vec<u64> = index
        .leaves(1, 9)?
        .into_iter()
        .map(|row| row.index)
        .collect();
    assert_eq!(places, [1, 2]);
    assert_eq!(index.leaves(0, 1)?.len(), 1);
    assert!(
        matches!(index.queue_leaf(&leaf(1)), Err(StoreError::Exists { .. })),
        "in the log"
    );
    Ok(())
}

pub(super) fn keeps_tiles(index: &dyn Index) -> Result<(), StoreError> {
    let tile = |level, place, number| TileHash {
        level,
        place,
        hash: [number; 32],
    };
    index.queue_leaf(&leaf(1))?;
    let lost = index.append_leaves(7, &[], &[tile(1, 9, 9)], b"lost", b"");
    assert!(matches!(lost, Err(StoreError::LogMoved { .. })));
    let one = sequenced(&leaf(1), 1);
    index.append_leaves(0, &[one], &[tile(1, 0, 1), tile(2, 0, 2)], b"one", b"")?;
    index.add_tiles(&[tile(1, 1, 3), tile(1, 0, 99)])?;
    assert_eq!(
        index.tile_hashes(1, 0, 9)?,
        [[1; 32], [3; 32]],
        "what is there stays"
    );
    assert_eq!(index.tile_hashes(1, 1, 2)?, [[3; 32]]);
    assert_eq!(index.tile_hashes(2, 0, 1)?, [[2; 32]]);
    assert_eq!(index.tile_hashes(3, 0, 1)?, [[0; 32]; 0]);
    Ok(())
}

pub(super) fn tells_the_log_once(index: &dyn Index) -> Result<(), StoreError> {
    assert_eq!(index.log_mark("rules")?, None);
    assert!(index.queue_leaf_once("rules", b"one", &leaf(1))?);
    assert!(
        !index.queue_leaf_once("rules", b"one", &leaf(2))?,
        "told already"
    );
    assert!(index.queue_leaf_once("key", b"one", &leaf(3))?);
    assert!(index.queue_leaf_once("rules", b"two", &leaf(4))?);
    assert!(
        index.queue_leaf_once("rules", b"one", &leaf(5))?,
        "as before, and anew"
    );
    assert!(
        index.queue_leaf_once("rules", b"three", &leaf(5)).is_err(),
        "the leaf waits already"
    );
    assert_eq!(index.log_mark("rules")?, Some(b"one".to_vec()));
    assert_eq!(
        index.pending_leaves(9)?,
        [leaf(1), leaf(3), leaf(4), leaf(5)]
    );
    Ok(())
}

pub(super) fn keeps_who_else_vouches(index: &dyn Index) -> Result<(), StoreError> {
    assert_eq!(index.cosigned()?, None);
    let cosigned = |size, text: &str| CosignedRow {
        size,
        checkpoint: text.into(),
    };
    for row in [
        cosigned(5, "five"),
        cosigned(4, "late"),
        cosigned(5, "more"),
    ] {
        index.set_cosigned(&row)?;
    }
    assert_eq!(
        index.cosigned()?,
        Some(cosigned(5, "more")),
        "never a smaller one"
    );
    let stamp = |size, at| TimestampRow {
        size,
        at: Timestamp::from_micros(at),
        checkpoint: b"checkpoint".to_vec(),
        token: b"token".to_vec(),
    };
    for row in [stamp(3, 30), stamp(7, 70), stamp(9, 90)] {
        index.add_timestamp(&row)?;
    }
    assert_eq!(index.timestamps(2)?, [stamp(9, 90), stamp(7, 70)]);
    assert_eq!(index.timestamp_over(2)?, Some(stamp(3, 30)));
    assert_eq!(
        index.timestamp_over(3)?,
        Some(stamp(7, 70)),
        "places count from zero"
    );
    assert_eq!(index.timestamp_over(9)?, None);
    Ok(())
}

pub(super) fn lets_one_sequencer_win(index: &dyn Index) -> Result<(), StoreError> {
    index.queue_leaf(&leaf(1))?;
    index.queue_leaf(&leaf(2))?;
    let one = sequenced(&leaf(1), 1);
    index.append_leaves(0, std::slice::from_ref(&one), &[], b"one", b"")?;
    let head = index.log_head()?;
    let late = index.append_leaves(0, &[sequenced(&leaf(2), 2)], &[], b"late", b"");
    assert!(matches!(
        late,
        Err(StoreError::LogMoved {
            expected: 0,
            found: 1
        })
    ));
    let ahead = index.append_leaves(2, &[], &[], b"ahead", b"");
    assert!(matches!(
        ahead,
        Err(StoreError::LogMoved {
            expected: 2,
            found: 1
        })
    ));
    let again = index.append_leaves(1, &[one], &[], b"again", b"");
    assert!(
        matches!(again, Err(StoreError::Corrupt { .. })),
        "it does not wait any more"
    );
    let changed = SequencedLeaf {
        bytes: b"other bytes".to_vec(),
        ..sequenced(&leaf(2), 2)
    };
    let good = sequenced(&leaf(2), 2);
    let both = index.append_leaves(1, &[good, changed], &[], b"changed", b"");
    assert!(matches!(both, Err(StoreError::Corrupt { .. })));
    assert_eq!(index.log_head()?, head, "nothing of a lost race stays");
    assert_eq!(index.pending_leaves(9)?, [leaf(2)]);
    assert_eq!(index.leaf(1)?, None);
    Ok(())
}
