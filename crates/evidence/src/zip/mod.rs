//! ZIP files in one form only, so that every byte of a bundle is checked.
//!
//! Stored, not compressed; fixed times and attributes; entries in the order given; no extra
//! fields, comments, data descriptors or gaps. The reader accepts what the writer would have
//! written and nothing else. Source: APPNOTE.TXT 6.3 §4.3 to §4.4.

mod read;
mod write;

pub use read::read;
pub use write::write;

pub(crate) use read::{Scanned, outline, scan};

use voicelog_model::Kind;

const LOCAL: [u8; 4] = *b"PK\x03\x04";
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const END: [u8; 4] = *b"PK\x05\x06";
/// Version needed: 1.0, stored files only.
const VERSION: u16 = 10;
/// 1980-01-01, the first day that the format knows.
const DATE: u16 = 0x0021;
/// Most entries.
const ENTRIES_MAX: usize = 1_000;
/// Longest name in bytes.
const NAME_BYTES_MAX: usize = 255;
/// Fixed bytes of a local header.
const LOCAL_BYTES: usize = 30;

/// Why a ZIP file cannot be written, or is not one that we wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ZipError {
    /// A name that is empty, too long, doubled, not plain ASCII, or leads elsewhere.
    #[error("`{0}` cannot be the name of an entry")]
    Name(String),
    /// More entries or bytes than the format has numbers for.
    #[error("too many entries or bytes for a ZIP file")]
    TooLarge,
    /// The bytes at that place are not what a writer puts there.
    #[error("byte {at} of the ZIP file: {what}{}", entry_suffix(.entry))]
    Malformed {
        /// Where.
        at: usize,
        /// What is wrong.
        what: &'static str,
        /// The entry that it belongs to, where one is known.
        entry: Option<String>,
    },
    /// The content of an entry is not what its CRC-32 says.
    #[error("the content of `{entry}` (from byte {at}) does not match its CRC-32")]
    Content {
        /// Which entry.
        entry: String,
        /// Where its content starts.
        at: usize,
    },
}

impl ZipError {
    /// What kind of trouble it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Name(_) => Kind::Invalid,
            Self::TooLarge => Kind::Exhausted,
            Self::Malformed { .. } | Self::Content { .. } => Kind::Corrupt,
        }
    }
}

fn entry_suffix(entry: &Option<String>) -> String {
    entry
        .as_ref()
        .map_or_else(String::new, |name| format!(" (entry `{name}`)"))
}

/// Whether a name is a relative path of plain segments.
fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    name.len() <= NAME_BYTES_MAX
        && name
            .split('/')
            .all(|part| !part.is_empty() && !part.starts_with('.') && part.chars().all(plain))
}

/// One entry, as headers describe it.
struct Entry<'a> {
    name: &'a str,
    crc: u32,
    byte_len: u32,
    /// Where its local header starts.
    offset: u32,
}

impl Entry<'_> {
    /// The fields that local and central header share, from the version needed to the name length.
    fn shared(&self) -> [u8; 24] {
        let name_len = u16::try_from(self.name.len()).unwrap_or(u16::MAX);
        let parts = [
            &VERSION.to_le_bytes()[..],
            // No flags, stored, midnight.
            &[0; 6],
            &DATE.to_le_bytes(),
            &self.crc.to_le_bytes(),
            &self.byte_len.to_le_bytes(),
            &self.byte_len.to_le_bytes(),
            &name_len.to_le_bytes(),
        ];
        let mut shared = [0; 24];
        for (place, byte) in shared.iter_mut().zip(parts.into_iter().flatten()) {
            *place = *byte;
        }
        shared
    }

    fn put_local(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&LOCAL);
        out.extend_from_slice(&self.shared());
        // No extra field.
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(self.name.as_bytes());
    }

    fn put_central(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&CENTRAL);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&self.shared());
        // No extra field, comment, disk number or attributes.
        out.extend_from_slice(&[0; 12]);
        out.extend_from_slice(&self.offset.to_le_bytes());
        out.extend_from_slice(self.name.as_bytes());
    }
}

/// Central directory and end record of a file whose entries end at `at`.
fn directory(entries: &[Entry<'_>], at: usize) -> Result<Vec<u8>, ZipError> {
    let mut out = Vec::new();
    for entry in entries {
        entry.put_central(&mut out);
    }
    let count = u16::try_from(entries.len())
        .map_err(|_| ZipError::TooLarge)?
        .to_le_bytes();
    let byte_len = u32::try_from(out.len()).map_err(|_| ZipError::TooLarge)?;
    let offset = u32::try_from(at).map_err(|_| ZipError::TooLarge)?;
    out.extend_from_slice(&END);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&count);
    out.extend_from_slice(&count);
    out.extend_from_slice(&byte_len.to_le_bytes());
    out.extend_from_slice(&offset.to_le_bytes());
    out.extend_from_slice(&[0; 2]);
    Ok(out)
}
