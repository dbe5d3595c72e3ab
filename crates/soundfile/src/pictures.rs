//! Whether there are moving pictures in a file, by what its container says of its tracks: whether anything here could show
//! them makes no difference. And whether a piece of it is too large to be read in one go.

use crate::SoundFileError;
use crate::kind::Kind;
use crate::open::PIECE_BYTES_MAX;
use crate::whole::{PARTS_MAX, damaged, read_at, vint};
use std::io::{BufReader, Read, Seek, SeekFrom};

type Found = Result<bool, SoundFileError>;

/// Of a file that was held against its lengths. Sound with a picture on its cover has none.
pub(crate) fn are_in<S: Read + Seek + ?Sized>(source: &mut S, kind: Kind, len: u64) -> Found {
    match kind {
        Kind::Mp4 => mp4(source, len),
        Kind::Ogg => ogg(source, len),
        Kind::Matroska => matroska(source, len),
        Kind::Wav | Kind::Mpeg | Kind::Aac | Kind::Flac | Kind::Amr | Kind::AmrWb => Ok(false),
        // What is in it is looked at one by one.
        Kind::Vcon => Ok(false),
    }
}

fn must_be_small(kind: Kind, bytes: u64) -> Result<(), SoundFileError> {
    match bytes > PIECE_BYTES_MAX {
        true => Err(damaged(kind, "a piece of it is too large")),
        false => Ok(()),
    }
}

/// MP4 (ISO/IEC 14496-12): each track says in `hdlr` of what it is.
fn mp4<S: Read + Seek + ?Sized>(source: &mut S, len: u64) -> Found {
    let (mut at, mut found) = (0, false);
    for _ in 0..PARTS_MAX {
        let Some([a, b, c, d, name @ ..]) = read_at::<8, _>(source, at)? else {
            return Ok(found);
        };
        let (mut head, mut bytes) = (8, u64::from(u32::from_be_bytes([a, b, c, d])));
        if bytes == 1 {
            head = 16;
            bytes = read_at::<8, _>(source, at + 8)?.map_or(0, u64::from_be_bytes);
        } else if bytes == 0 {
            bytes = len.saturating_sub(at);
        }
        if bytes < head {
            return Err(damaged(Kind::Mp4, "a box is shorter than its own head"));
        }
        let inside = at + head;
        match &name {
            b"moov" | b"trak" | b"mdia" | b"minf" | b"stbl" => {
                must_be_small(Kind::Mp4, bytes)?;
                at = inside;
                continue;
            }
            b"hdlr" => {
                let said = read_at::<12, _>(source, inside)?;
                let said = said.and_then(|said| said.last_chunk::<4>().copied());
                found |= matches!(said.as_ref(), Some(b"vide" | b"pict" | b"auxv"));
            }
            // The length of each sample, where they are all alike.
            b"stsz" => {
                let said = read_at::<8, _>(source, inside)?;
                let said = said.and_then(|said| said.last_chunk::<4>().copied());
                must_be_small(Kind::Mp4, said.map_or(0, u32::from_be_bytes).into())?;
            }
            _ => {}
        }
        at = at.saturating_add(bytes);
    }
    Err(damaged(Kind::Mp4, "it has too many boxes"))
}

/// What the first packet of a stream begins with where it is sound, or tells of the others.
const OGG_SOUND: [&[u8]; 6] = [
    b"OpusHead",
    b"\x01vorbis",
    b"\x7fFLAC",
    b"Speex   ",
    b"PCM     ",
    b"fishead\0",
];

/// Ogg (RFC 3533 §6): each stream begins with a page that says so. One that is not known may be anything.
fn ogg<S: Read + Seek + ?Sized>(source: &mut S, len: u64) -> Found {
    let (mut at, mut found) = (0, false);
    while at < len {
        let Some(head) = read_at::<27, _>(source, at)? else {
            return Ok(found);
        };
        let [_, _, _, _, _, flags, .., segments] = head;
        let mut lengths = vec![0; usize::from(segments)];
        source.read_exact(&mut lengths)?;
        let body: u64 = lengths.iter().map(|length| u64::from(*length)).sum();
        if flags & 2 != 0 {
            let mut first = Vec::new();
            source.take(body.min(8)).read_to_end(&mut first)?;
            found |= !OGG_SOUND.iter().any(|sound| first.starts_with(sound));
        }
        at += 27 + u64::from(segments) + body;
    }
    Ok(found)
}

/// Matroska (RFC 9559): each entry of the tracks has a type.
fn matroska<S: Read + Seek + ?Sized>(source: &mut S, len: u64) -> Found {
    const SEGMENT: u64 = 0x1853_8067;
    const CLUSTER: u64 = 0x1f43_b675;
    const TRACKS: u64 = 0x1654_ae6b;
    const TRACK: u64 = 0xae;
    const TRACK_TYPE: u64 = 0x83;
    const GROUP: u64 = 0xa0;
    source.seek(SeekFrom::Start(0))?;
    let mut source = BufReader::with_capacity(1 << 16, source);
    let (mut at, mut found) = (0, false);
    while at < len {
        let (Some((id, id_bytes)), Some((size, size_bytes))) =
            (vint(&mut source, true)?, vint(&mut source, false)?)
        else {
            return Ok(found);
        };
        at += id_bytes + size_bytes;
        match id {
            // Their parts follow.
            SEGMENT | CLUSTER | TRACKS | TRACK | GROUP => continue,
            TRACK_TYPE if size <= 8 => {
                let mut said = 0_u64;
                for byte in source.by_ref().take(size).bytes() {
                    said = said << 8 | u64::from(byte?);
                }
                // Video, both in one, and a logo.
                found |= matches!(said, 1 | 3 | 0x10);
            }
            _ => {
                must_be_small(Kind::Matroska, size)?;
                source.seek_relative(i64::try_from(size).unwrap_or(i64::MAX))?;
            }
        }
        at = at.saturating_add(size);
    }
    Ok(found)
}
