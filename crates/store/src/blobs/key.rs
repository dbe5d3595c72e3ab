//! Which texts may be the key of an object.

use crate::StoreError;

/// Longest key in bytes.
const KEY_BYTES_MAX: usize = 200;

/// Whether `key` is allowed: parts of `a-z 0-9 . -` between single slashes, none of them starting
/// with a dot. So a key can never leave the store's folder or hide in it.
pub fn check_key(key: &str) -> Result<(), StoreError> {
    let ok = !key.is_empty() && key.len() <= KEY_BYTES_MAX && key.split('/').all(is_part);
    if ok {
        Ok(())
    } else {
        Err(StoreError::Invalid {
            what: "not a key of an object",
            value: key
                .chars()
                .take(KEY_BYTES_MAX)
                .flat_map(char::escape_default)
                .collect(),
        })
    }
}

fn is_part(part: &str) -> bool {
    !part.is_empty()
        && !part.starts_with('.')
        && part
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_segments_are_allowed() {
        for key in ["a", "rec/0190-ab/000001.seg", "rec/0190/a.b-c"] {
            check_key(key).unwrap();
        }
    }

    #[test]
    fn keys_that_leave_the_folder_or_hide_in_it_are_not() {
        let long = "a".repeat(201);
        for key in [
            "", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "a/.b", "A", "a b", "a\0", "a\\b",
            "é", &long,
        ] {
            assert!(check_key(key).is_err(), "{key:?}");
        }
    }
}
