//! Files that somebody names, read up to a limit: one that grows, never ends, or is no file costs no more than that.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

/// Reads a file that is no longer than `most` bytes. Nothing is believed about its length but what was read.
///
/// Errors: it cannot be read; [`ErrorKind::FileTooLarge`] if it is longer.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(
            ErrorKind::FileTooLarge,
            format!("it is longer than {most} bytes"),
        ));
    }
    Ok(bytes)
}

/// As [`read`], for text.
pub(crate) fn read_text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(read(path, most)?)
        .map_err(|_bytes| io::Error::new(ErrorKind::InvalidData, "it is no text (UTF-8)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_longer_or_never_ends_is_refused_and_what_is_as_long_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        voicelog_store::durable::create(&file, b"four").unwrap();
        assert_eq!(read(&file, 4).unwrap(), b"four");
        assert_eq!(read_text(&file, 9).unwrap(), "four");
        for (path, most) in [(file.as_path(), 3), (Path::new("/dev/zero"), 70_000)] {
            let error = read(path, most).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        }
    }
}
