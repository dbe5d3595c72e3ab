//! What every store of objects promises.

use super::Fresh;
use crate::blobs::{OBJECT_BYTES_MAX, UnknownBecause};
use crate::{BlobEntry, Blobs, StoreError};

/// The suite, but for [`blobs_as_long_as_allowed`].
pub fn blobs(mut make: impl FnMut() -> Fresh<Box<dyn Blobs>>) -> Result<(), StoreError> {
    for part in [
        grows,
        is_written_once,
        lists,
        goes_away,
        go_away_together,
        is_cut,
        has_limits,
        is_shared,
    ] {
        let (blobs, _guard) = make();
        part(&*blobs)?;
        blobs.settle()?;
        assert_eq!(blobs.trouble(), None);
    }
    Ok(())
}

/// What it promises about the longest object: apart, because it writes that much.
pub fn blobs_as_long_as_allowed(
    mut make: impl FnMut() -> Fresh<Box<dyn Blobs>>,
) -> Result<(), StoreError> {
    let (blobs, _guard) = make();
    let blob = blobs.create("big")?;
    let chunk = vec![7; 1 << 24];
    let chunk_len = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
    for number in 1..=OBJECT_BYTES_MAX / chunk_len {
        assert_eq!(blobs.append(blob, &chunk)?, number * chunk_len);
        blobs.commit()?;
    }
    assert!(matches!(
        blobs.append(blob, b"x"),
        Err(StoreError::Full { .. })
    ));
    assert_eq!(blobs.seal(blob)?, OBJECT_BYTES_MAX);
    blobs.delete("big")?;
    Ok(())
}

fn grows(blobs: &dyn Blobs) -> Result<(), StoreError> {
    let one = blobs.create("rec/1/000001.seg")?;
    let two = blobs.create("rec/2/000001.seg")?;
    assert_eq!(blobs.append(one, b"one ")?, 4);
    assert_eq!(blobs.append(two, b"two ")?, 4);
    assert_eq!(blobs.append(one, b"")?, 4);
    assert_eq!(
        blobs.read("rec/1/000001.seg")?,
        b"one ",
        "readers see what is appended"
    );
    blobs.commit()?;
    blobs.commit()?;
    assert_eq!(blobs.append(one, b"more")?, 8);
    assert_eq!(blobs.seal(one)?, 8);
    assert_eq!(blobs.len("rec/1/000001.seg")?, 8);
    assert_eq!(blobs.read("rec/1/000001.seg")?, b"one more");
    let part = |at, len| blobs.read_part("rec/1/000001.seg", at, len);
    assert_eq!(part(2, 4)?, b"e mo");
    assert_eq!(part(6, 100)?, b"re", "up to its end");
    assert_eq!(part(9, 1)?, b"");
    assert!(matches!(
        blobs.read_part("rec/3", 0, 1),
        Err(StoreError::NotFound { .. })
    ));
    assert_eq!(blobs.append(two, b"too")?, 7, "others go on");
    assert_eq!(blobs.seal(two)?, 7);
    assert_eq!(blobs.read("rec/2/000001.seg")?, b"two too");
    Ok(())
}

fn is_written_once(blobs: &dyn Blobs) -> Result<(), StoreError> {
    let blob = blobs.create("rec/1")?;
    assert!(matches!(
        blobs.create("rec/1"),
        Err(StoreError::Exists { .. })
    ));
    blobs.seal(blob)?;
    assert_eq!(blobs.read("rec/1")?, b"");
    assert!(matches!(
        blobs.append(blob, b"x"),
        Err(StoreError::NotFound { .. })
    ));
    assert!(matches!(blobs.seal(blob), Err(StoreError::NotFound { .. })));
    assert!(matches!(
        blobs.create("rec/1"),
        Err(StoreError::Exists { .. })
    ));
    Ok(())
}

fn go_away_together(blobs: &dyn Blobs) -> Result<(), StoreError> {
    let all = ["rec/a/1", "rec/a/2", "rec/b/1", "rec/c/1"].map(str::to_owned);
    for key in &all {
        let blob = blobs.create(key)?;
        blobs.append(blob, key.as_bytes())?;
        blobs.seal(blob)?;
    }
    let open = blobs.create("rec/d/1")?;
    let with_one_being_written = ["rec/a/1", "rec/d/1"].map(str::to_owned);
    assert!(matches!(
        blobs.delete_all(&with_one_being_written),
        Err(StoreError::State { .. })
    ));
    assert_eq!(blobs.read("rec/a/1")?, b"rec/a/1", "nothing was deleted");
    blobs.seal(open)?;
    let gone = ["rec/a/1", "rec/b/1", "rec/nowhere/1", "rec/c/1"].map(str::to_owned);
    blobs.delete_all(&gone)?;
    blobs.delete_all(&gone)?;
    let left: Vec<_> = blobs.list("")?.into_iter().map(|entry| entry.key).collect();
    assert_eq!(left, ["rec/a/2", "rec/d/1"]);
    // The last ones of all: the folders above go as well.
    blobs.delete_all(&left)?;
    assert_eq!(blobs.list("")?, []);
    blobs.create("rec/a/1").and_then(|blob| blobs.seal(blob))?;
    Ok(())
}

fn lists(blobs: &dyn Blobs) -> Result<(), StoreError> {
    for key in ["rec/b/2", "rec/b/1", "rec/a/1", "rec/ab", "other"] {
        let blob = blobs.create(key)?;
        blobs.append(blob, key.as_bytes())?;
        blobs.seal(blob)?;
    }
    let keys = |prefix: &str| -> Result<Vec<String>, StoreError> {
        Ok(blobs
            .list(prefix)?
            .into_iter()
            .map(|entry| entry.key)
            .collect())
    };
    assert_eq!(
        keys("")?,
        ["other", "rec/a/1", "rec/ab", "rec/b/1", "rec/b/2"]
    );
    assert_eq!(keys("rec/b/")?, ["rec/b/1", "rec/b/2"]);
    assert_eq!(keys("rec/a")?, ["rec/a/1", "rec/ab"]);
    assert_eq!(keys("rec/c/")?, [""; 0]);
    assert_eq!(
        blobs.list("other")?,
        [BlobEntry {
            key: "other".to_owned(),
            len: 5
        }]
    );
    assert!(matches!(blobs.list("../"), Err(StoreError::Invalid { .. })));

    let unknown = blobs.list_unknown(&|key| key != "rec/ab")?;
    assert_eq!(unknown.len(), 1);
    assert!(
        unknown
            .iter()
            .all(|found| found.path.ends_with("rec/ab") && found.len == 6)
    );
    assert!(
        unknown
            .iter()
            .all(|found| found.why == UnknownBecause::NotReferred)
    );
    assert_eq!(keys("rec/ab")?, ["rec/ab"], "what is unknown stays");
    Ok(())
}

fn goes_away(blobs: &dyn Blobs) -> Result<(), StoreError> {
    let stays = blobs.create("rec/2/1")?;
    blobs.append(stays, b"stays")?;
    let goes = blobs.create("rec/1/1")?;
    blobs.append(goes, b"goes")?;
    assert!(
        matches!(blobs.delete("rec/1/1"), Err(StoreError::State { .. })),
        "being written"
    );
    blobs.seal(goes)?;
    blobs.delete("rec/1/1")?;
    blobs.delete("rec/1/1")?;
    blobs.delete("never/was/there")?;
    assert!(matches!(
        blobs.read("rec/1/1"),
        Err(StoreError::NotFound { .. })
    ));
    assert!(matches!(
        blobs.len("rec/1/1"),
        Err(StoreError::NotFound { .. })
    ));
    assert_eq!(blobs.append(stays, b"!")?, 6);
    blobs.seal(stays)?;
    assert_eq!(blobs.read("rec/2/1")?, b"stays!");
    // The folder that became empty is nobody's obstacle.
    let again = blobs.create("rec/1/1")?;
    blobs.seal(again)?;
    assert_eq!(blobs.len("rec/1/1")?, 0);
    Ok(())
}

fn is_cut(blobs: &dyn Blobs) -> Result<(), StoreError> {
    let blob = blobs.create("rec/1")?;
    blobs.append(blob, b"whole torn")?;
    assert!(matches!(
        blobs.truncate("rec/1", 5),
        Err(StoreError::State { .. })
    ));
    blobs.seal(blob)?;
    blobs.truncate("rec/1", 5)?;
    blobs.truncate("rec/1", 5)?;
    assert_eq!(blobs.read("rec/1")?, b"whole");
    blobs.truncate("rec/1", 50)?;
    assert_eq!(blobs.len("rec/1")?, 5, "cutting never makes it longer");
    assert!(matches!(
        blobs.truncate("rec/2", 0),
        Err(StoreError::NotFound { .. })
    ));
    Ok(())
}

fn has_limits(blobs: &dyn Blobs) -> Result<(), StoreError> {
    for key in ["", "../up", "rec//1", "rec/.hidden", "REC/1", "rec/1/"] {
        assert!(
            matches!(blobs.create(key), Err(StoreError::Invalid { .. })),
            "{key}"
        );
        assert!(
            matches!(blobs.read(key), Err(StoreError::Invalid { .. })),
            "{key}"
        );
        assert!(
            matches!(blobs.delete(key), Err(StoreError::Invalid { .. })),
            "{key}"
        );
    }
    assert!(blobs.free_bytes()? > 0);
    Ok(())
}

/// One writer, many committers and readers: nobody sees anything but a prefix of what is written.
fn is_shared(blobs: &dyn Blobs) -> Result<(), StoreError> {
    const ROUNDS: usize = 100;
    let blob = blobs.create("rec/shared")?;
    let whole: Vec<u8> = (0..ROUNDS * 10)
        .map(|i| u8::try_from(i % 251).unwrap_or(0))
        .collect();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            whole
                .chunks(10)
                .try_for_each(|chunk| blobs.append(blob, chunk).map(drop))
        });
        let others: Vec<_> = (0..4)
            .map(|number| {
                let whole = &whole;
                scope.spawn(move || -> Result<(), StoreError> {
                    for _ in 0..20 {
                        if number % 2 == 0 {
                            blobs.commit()?;
                        } else {
                            assert!(whole.starts_with(&blobs.read("rec/shared")?));
                        }
                    }
                    Ok(())
                })
            })
            .collect();
        for thread in others.into_iter().chain([writer]) {
            let ended = thread.join();
            assert!(matches!(ended, Ok(Ok(()))), "{ended:?}");
        }
    });
    blobs.seal(blob)?;
    assert_eq!(blobs.read("rec/shared")?, whole);
    Ok(())
}
