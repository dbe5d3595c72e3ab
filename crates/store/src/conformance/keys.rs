//! What every store of keys promises.

use super::{Fresh, recording_id};
use crate::{Keys, StoreError};

/// The suite.
pub fn keys(mut make: impl FnMut() -> Fresh<Box<dyn Keys>>) -> Result<(), StoreError> {
    let (keys, _guard) = make();
    let (one, two) = (recording_id(1), recording_id(2));
    assert!(matches!(keys.get(one), Err(StoreError::NotFound { .. })));
    keys.put(two, b"wrapped two")?;
    keys.put(one, b"wrapped one")?;
    keys.put(one, b"wrapped one")?;
    assert!(matches!(
        keys.put(one, b"another"),
        Err(StoreError::Exists { .. })
    ));
    assert_eq!(keys.get(one)?, b"wrapped one");
    assert_eq!(keys.list()?, [one, two]);

    keys.destroy(one)?;
    keys.destroy(one)?;
    assert!(matches!(keys.get(one), Err(StoreError::NotFound { .. })));
    assert_eq!(keys.list()?, [two], "destroying one key touches no other");
    assert_eq!(keys.get(two)?, b"wrapped two");

    for wrong in [
        &[][..],
        &[0; 40],
        &[7; crate::keys::WRAPPED_KEY_BYTES_MAX + 1],
    ] {
        assert!(matches!(
            keys.put(one, wrong),
            Err(StoreError::Invalid { .. })
        ));
    }
    wrapped_again(&*keys)?;
    many_at_once(&*keys)?;
    records(&*keys)?;
    turns(&*keys)
}

fn turns(keys: &dyn Keys) -> Result<(), StoreError> {
    let held = keys.turn("voicelog keys rewrap", false)?;
    let refused = keys.turn("voicelog keys rotate", false);
    let told = refused.err().map(|error| error.to_string());
    let told = told.unwrap_or_default();
    assert!(told.contains("`voicelog keys rewrap` (process"), "{told}");
    // Recordings go on meanwhile.
    keys.put(recording_id(4), b"wrapped four")?;
    drop(held);
    keys.turn("voicelog keys rotate", true).map(|_turn| ())
}

fn wrapped_again(keys: &dyn Keys) -> Result<(), StoreError> {
    let (two, three) = (recording_id(2), recording_id(3));
    assert!(!keys.replace(two, b"something else", b"again")?);
    assert_eq!(keys.get(two)?, b"wrapped two", "it was not what was meant");
    assert!(keys.replace(two, b"wrapped two", b"again, and longer")?);
    assert_eq!(keys.get(two)?, b"again, and longer");
    assert!(!keys.replace(three, b"wrapped three", b"again")?);
    assert!(
        matches!(keys.get(three), Err(StoreError::NotFound { .. })),
        "what is not there does not come back"
    );
    assert!(keys.replace(two, b"again, and longer", &[0; 40]).is_err());
    assert_eq!(keys.list()?, [two]);
    Ok(())
}

fn many_at_once(keys: &dyn Keys) -> Result<(), StoreError> {
    let many: Vec<_> = (20..60).map(recording_id).collect();
    for id in &many {
        keys.put(*id, b"wrapped")?;
    }
    let (gone, left) = many.split_at(35);
    // One that is not there is destroyed already.
    keys.destroy(recording_id(20))?;
    keys.destroy_all(gone)?;
    keys.destroy_all(&[])?;
    for id in gone {
        assert!(matches!(keys.get(*id), Err(StoreError::NotFound { .. })));
    }
    for id in left {
        assert_eq!(keys.get(*id)?, b"wrapped", "others are as they were");
    }
    keys.destroy_all(left)
}

fn records(keys: &dyn Keys) -> Result<(), StoreError> {
    assert!(keys.records()?.is_empty());
    assert!(matches!(
        keys.record("epoch-0001"),
        Err(StoreError::NotFound { .. })
    ));
    assert!(keys.swap_record("epoch-0002", None, b"two")?);
    assert!(keys.swap_record("epoch-0001", None, b"one")?);
    assert!(!keys.swap_record("epoch-0001", None, b"another")?);
    assert!(!keys.swap_record("epoch-0001", Some(b"two"), b"another")?);
    assert!(!keys.swap_record("epoch-0003", Some(b"two"), b"another")?);
    assert_eq!(keys.record("epoch-0001")?, b"one");
    assert!(keys.swap_record("epoch-0001", Some(b"one"), b"another")?);
    assert_eq!(keys.record("epoch-0001")?, b"another");
    assert_eq!(keys.records()?, ["epoch-0001", "epoch-0002"]);
    keys.destroy_record("epoch-0001")?;
    keys.destroy_record("epoch-0001")?;
    assert_eq!(keys.records()?, ["epoch-0002"]);
    for wrong in ["", "../two", "Epoch", "epoch 1", "a-name-that-is-too-long"] {
        assert!(matches!(
            keys.swap_record(wrong, None, b"x"),
            Err(StoreError::Invalid { .. })
        ));
    }
    assert!(keys.swap_record("empty", None, b"").is_err());
    Ok(())
}
