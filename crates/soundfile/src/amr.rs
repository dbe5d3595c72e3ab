//! AMR files (RFC 4867 §5): frames of 20 ms one after the other. No decoder; how long it lasts its frames tell.

use crate::SoundFileError;
use crate::kind::{AMR_MAGIC, AMR_WB_MAGIC, Kind};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};

/// Bytes of a frame behind its first one, by frame type; none for a type that is not used.
const AMR: [Option<u64>; 16] = [
    Some(12),
    Some(13),
    Some(15),
    Some(17),
    Some(19),
    Some(20),
    Some(26),
    Some(31),
    Some(5),
    None,
    None,
    None,
    None,
    None,
    None,
    Some(0),
];
const AMR_WB: [Option<u64>; 16] = [
    Some(17),
    Some(23),
    Some(32),
    Some(36),
    Some(40),
    Some(46),
    Some(50),
    Some(58),
    Some(60),
    Some(5),
    None,
    None,
    None,
    None,
    Some(0),
    Some(0),
];
/// What a frame lasts.
const FRAME_MICROS: u64 = 20_000;

/// How long the sound lasts, in µs.
pub(crate) fn length_us<S: Read + Seek>(mut source: S, kind: Kind) -> Result<u64, SoundFileError> {
    let (magic, bytes_of) = match kind {
        Kind::AmrWb => (AMR_WB_MAGIC, &AMR_WB),
        _ => (AMR_MAGIC, &AMR),
    };
    source.seek(SeekFrom::Start(magic.len() as u64))?;
    let mut source = BufReader::with_capacity(1 << 16, source);
    let mut length = 0;
    while let Some(first) = source.fill_buf()?.first().copied() {
        source.consume(1);
        let frame_type = usize::from(first >> 3 & 0x0f);
        let bytes = bytes_of.get(frame_type).copied().flatten();
        // The first bit and the last two of a header are 0.
        let Some(bytes) = bytes.filter(|_| first & 0x83 == 0) else {
            return Err(SoundFileError::Damaged {
                kind: kind.word(),
                why: "there is a frame of no known type".to_owned(),
            });
        };
        if std::io::copy(&mut source.by_ref().take(bytes), &mut std::io::sink())? < bytes {
            return Err(SoundFileError::CutOff("its last frame ends too soon"));
        }
        length += FRAME_MICROS;
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn length(bytes: &[u8]) -> Result<u64, SoundFileError> {
        length_us(Cursor::new(bytes), Kind::Amr)
    }

    #[test]
    fn each_frame_lasts_twenty_milliseconds() {
        let frame = [&[0x3c][..], &[0; 31]].concat();
        let file = [AMR_MAGIC, &frame, &frame, &[0x7c]].concat();
        assert_eq!(length(&file).unwrap(), 60_000);
        assert!(matches!(
            length(&file[..file.len() - 5]),
            Err(SoundFileError::CutOff(_))
        ));
        let other = [AMR_MAGIC, &[0x4c]].concat();
        assert!(matches!(
            length(&other),
            Err(SoundFileError::Damaged { .. })
        ));
    }
}
