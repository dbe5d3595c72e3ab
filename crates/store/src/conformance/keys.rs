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
    Ok(())
}
