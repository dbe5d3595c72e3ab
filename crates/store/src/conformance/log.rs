//! What every index promises about the log.

use super::index::leaf;
use crate::index::{LogHead, PendingLeaf, SequencedLeaf};
use crate::{Index, StoreError};

fn sequenced(leaf: &PendingLeaf, number: u8) -> SequencedLeaf {
    SequencedLeaf {
        id: leaf.id,
        bytes: leaf.bytes.clone(),
        hash: [number; 32],
    }
}

pub(super) fn grows(index: &dyn Index) -> Result<(), StoreError> {
    assert_eq!(index.log_head()?, LogHead::default());
    index.append_leaves(0, &[], b"empty", b"")?;
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
    index.append_leaves(0, &batch, b"two", b"range of two")?;
    let head = LogHead {
        size: 2,
        checkpoint: b"two".to_vec(),
        compact_range: b"range of two".to_vec(),
    };
    assert_eq!(index.log_head()?, head);
    assert_eq!(index.pending_leaves(9)?, [leaf(2)]);
    index.append_leaves(2, &[sequenced(&leaf(2), 12)], b"three", b"range")?;

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

pub(super) fn lets_one_sequencer_win(index: &dyn Index) -> Result<(), StoreError> {
    index.queue_leaf(&leaf(1))?;
    index.queue_leaf(&leaf(2))?;
    let one = sequenced(&leaf(1), 1);
    index.append_leaves(0, std::slice::from_ref(&one), b"one", b"")?;
    let head = index.log_head()?;
    let late = index.append_leaves(0, &[sequenced(&leaf(2), 2)], b"late", b"");
    assert!(matches!(
        late,
        Err(StoreError::LogMoved {
            expected: 0,
            found: 1
        })
    ));
    let ahead = index.append_leaves(2, &[], b"ahead", b"");
    assert!(matches!(
        ahead,
        Err(StoreError::LogMoved {
            expected: 2,
            found: 1
        })
    ));
    let again = index.append_leaves(1, &[one], b"again", b"");
    assert!(
        matches!(again, Err(StoreError::Corrupt { .. })),
        "it does not wait any more"
    );
    let changed = SequencedLeaf {
        bytes: b"other bytes".to_vec(),
        ..sequenced(&leaf(2), 2)
    };
    let good = sequenced(&leaf(2), 2);
    let both = index.append_leaves(1, &[good, changed], b"changed", b"");
    assert!(matches!(both, Err(StoreError::Corrupt { .. })));
    assert_eq!(index.log_head()?, head, "nothing of a lost race stays");
    assert_eq!(index.pending_leaves(9)?, [leaf(2)]);
    assert_eq!(index.leaf(1)?, None);
    Ok(())
}
