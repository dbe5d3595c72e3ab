//! Whether a container is as long as it says. A decoder passes over an end that is missing; whoever keeps a
//! file as evidence does not.

use crate::SoundFileError;
use crate::kind::Kind;
use std::io::{BufReader, Read, Seek, SeekFrom};

type Checked = Result<(), SoundFileError>;

/// Parts of a container that are walked at most.
pub(crate) const PARTS_MAX: usize = 1 << 20;

/// Holds a file against the lengths in it, for the containers that have any outside of their sound.
pub(crate) fn check<S: Read + Seek + ?Sized>(source: &mut S, kind: Kind, len: u64) -> Checked {
    match kind {
        Kind::Wav => riff(source, len),
        Kind::Mp4 => mp4(source, len),
        Kind::Ogg => ogg(source, len),
        Kind::Matroska => matroska(source, len),
        // Their frames tell, or their JSON (`look`).
        Kind::Mpeg | Kind::Aac | Kind::Flac | Kind::Amr | Kind::AmrWb | Kind::Vcon => Ok(()),
    }
}

pub(crate) fn damaged(kind: Kind, why: &str) -> SoundFileError {
    SoundFileError::Damaged {
        kind: kind.word(),
        why: why.to_owned(),
    }
}

/// The bytes at a place; none where they reach behind the end.
pub(crate) fn read_at<const N: usize, S: Read + Seek + ?Sized>(
    source: &mut S,
    at: u64,
) -> Result<Option<[u8; N]>, SoundFileError> {
    source.seek(SeekFrom::Start(at))?;
    let mut bytes = [0; N];
    match source.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// RIFF: chunks of a name, a length and that many bytes, filled up to an even number.
fn riff<S: Read + Seek + ?Sized>(source: &mut S, len: u64) -> Checked {
    let mut at = 12;
    for _ in 0..PARTS_MAX {
        let Some([a, b, c, d, rest @ ..]) = read_at::<8, _>(source, at)? else {
            return Err(SoundFileError::CutOff("it ends before its sound begins"));
        };
        let bytes = u32::from_le_bytes(rest);
        let end = at + 8 + u64::from(bytes);
        if [a, b, c, d] == *b"data" {
            return match bytes {
                // Who writes the length last has not come to it.
                0 | u32::MAX => Err(SoundFileError::CutOff(
                    "its header does not say yet how much sound there is",
                )),
                _ if end > len => Err(SoundFileError::CutOff(
                    "its header says that there is more sound than the file has",
                )),
                _ => Ok(()),
            };
        }
        at = end + u64::from(bytes % 2);
    }
    Err(damaged(Kind::Wav, "it has too many parts"))
}

/// MP4: boxes of a length and a name, one after the other up to the end.
fn mp4<S: Read + Seek + ?Sized>(source: &mut S, len: u64) -> Checked {
    let (mut at, mut has_index) = (0, false);
    for _ in 0..PARTS_MAX {
        if at == len {
            return match has_index {
                true => Ok(()),
                false => Err(SoundFileError::CutOff("the index of its sound is missing")),
            };
        }
        let Some([a, b, c, d, name @ ..]) = read_at::<8, _>(source, at)? else {
            return Err(SoundFileError::CutOff("it ends within a box"));
        };
        let mut bytes = u64::from(u32::from_be_bytes([a, b, c, d]));
        if bytes == 1 {
            let large = read_at::<8, _>(source, at + 8)?;
            bytes = large.map_or(0, u64::from_be_bytes).max(16);
        } else if bytes == 0 {
            bytes = len - at;
        }
        if bytes < 8 {
            return Err(damaged(Kind::Mp4, "a box is shorter than its own head"));
        }
        has_index |= name == *b"moov";
        at = match at.checked_add(bytes) {
            Some(end) if end <= len => end,
            _ => return Err(SoundFileError::CutOff("a box reaches behind its end")),
        };
    }
    Err(damaged(Kind::Mp4, "it has too many boxes"))
}

/// Ogg: pages, each with a table of lengths (RFC 3533 §6).
fn ogg<S: Read + Seek + ?Sized>(source: &mut S, len: u64) -> Checked {
    let mut at = 0;
    while at < len {
        let cut = SoundFileError::CutOff("its last page ends too soon");
        let Some(head) = read_at::<27, _>(source, at)? else {
            return Err(cut);
        };
        let (b"OggS", [.., segments]) = (head.first_chunk::<4>().unwrap_or(&[0; 4]), head) else {
            return Err(damaged(Kind::Ogg, "there is something between two pages"));
        };
        let mut lengths = vec![0; usize::from(segments)];
        if source.read_exact(&mut lengths).is_err() {
            return Err(cut);
        }
        let body: u64 = lengths.iter().map(|length| u64::from(*length)).sum();
        at += 27 + u64::from(segments) + body;
    }
    match at == len {
        true => Ok(()),
        false => Err(SoundFileError::CutOff("its last page ends too soon")),
    }
}

/// Matroska: elements of an id, a length and that many bytes (RFC 8794). What was written while it was sent does not
/// know how long its segment and its clusters are; what is in them knows.
fn matroska<S: Read + Seek + ?Sized>(source: &mut S, len: u64) -> Checked {
    const SEGMENT: u64 = 0x1853_8067;
    const CLUSTER: u64 = 0x1f43_b675;
    source.seek(SeekFrom::Start(0))?;
    let mut source = BufReader::with_capacity(1 << 16, source);
    let mut at = 0;
    while at < len {
        let (Some((id, id_bytes)), Some((size, size_bytes))) =
            (vint(&mut source, true)?, vint(&mut source, false)?)
        else {
            return Err(SoundFileError::CutOff("it ends within an element"));
        };
        at += id_bytes + size_bytes;
        let unknown = (1_u64 << (7 * size_bytes)) - 1;
        if size == unknown {
            if id != SEGMENT && id != CLUSTER {
                return Err(damaged(
                    Kind::Matroska,
                    "an element does not say how long it is",
                ));
            }
            continue;
        }
        at = at.saturating_add(size);
        if at > len {
            return Err(SoundFileError::CutOff("an element reaches behind its end"));
        }
        source.seek_relative(i64::try_from(size).unwrap_or(i64::MAX))?;
    }
    Ok(())
}

/// A number of EBML (RFC 8794 §4) and how many bytes it takes, with the bit that says so or without; none at the end.
pub(crate) fn vint<S: Read>(
    source: &mut S,
    with_marker: bool,
) -> Result<Option<(u64, u64)>, SoundFileError> {
    let mut byte = || -> Result<Option<u8>, SoundFileError> {
        let mut byte = [0];
        Ok((source.read(&mut byte)? == 1).then_some(byte[0]))
    };
    let Some(first) = byte()? else {
        return Ok(None);
    };
    let bytes = first.leading_zeros() + 1;
    if bytes > 8 {
        return Err(damaged(Kind::Matroska, "a length is too long"));
    }
    let marker = 1_u64 << (8 - bytes);
    let mut value = u64::from(first) & if with_marker { u64::MAX } else { marker - 1 };
    for _ in 1..bytes {
        let Some(next) = byte()? else {
            return Ok(None);
        };
        value = value << 8 | u64::from(next);
    }
    Ok(Some((value, u64::from(bytes))))
}
