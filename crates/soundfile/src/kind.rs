//! What kind of file it is, by its first bytes.

use std::io::{Read, Seek, SeekFrom};

/// A kind of sound file that can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// RIFF WAVE.
    Wav,
    /// MPEG audio, layers 1 to 3 (MP3).
    Mpeg,
    /// AAC in ADTS frames.
    Aac,
    /// ISO base media file format (MP4, M4A, 3GP).
    Mp4,
    /// Ogg: Opus, Vorbis, FLAC.
    Ogg,
    /// FLAC as it is.
    Flac,
    /// Matroska and WebM.
    Matroska,
    /// AMR, 8 kHz (RFC 4867 §5).
    Amr,
    /// AMR, 16 kHz.
    AmrWb,
    /// A vCon with sound in it (IETF draft vcon-core).
    Vcon,
}

/// The first bytes of an AMR file.
pub(crate) const AMR_MAGIC: &[u8] = b"#!AMR\n";
/// The first bytes of an AMR file at 16 kHz.
pub(crate) const AMR_WB_MAGIC: &[u8] = b"#!AMR-WB\n";
/// Bytes at the start that tell.
const HEAD_BYTES: usize = 12;

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Wav,
        Self::Mpeg,
        Self::Aac,
        Self::Mp4,
        Self::Ogg,
        Self::Flac,
        Self::Matroska,
        Self::Amr,
        Self::AmrWb,
        Self::Vcon,
    ];

    /// The word for it, in `file-WORD`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Mpeg => "mpeg",
            Self::Aac => "aac",
            Self::Mp4 => "mp4",
            Self::Ogg => "ogg",
            Self::Flac => "flac",
            Self::Matroska => "matroska",
            Self::Amr => "amr",
            Self::AmrWb => "amr-wb",
            Self::Vcon => "vcon",
        }
    }

    /// The kind with that word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Its media type (RFC 6838), as registered; WAV as RFC 2361 would have it and nobody writes it is `audio/wav`.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Wav => "audio/wav",
            Self::Mpeg => "audio/mpeg",
            Self::Aac => "audio/aac",
            Self::Mp4 => "audio/mp4",
            Self::Ogg => "audio/ogg",
            Self::Flac => "audio/flac",
            Self::Matroska => "audio/matroska",
            Self::Amr => "audio/AMR",
            Self::AmrWb => "audio/AMR-WB",
            Self::Vcon => "application/vcon+json",
        }
    }

    /// What the bytes of a file say, and where its sound begins; none for anything else. Leaves the source anywhere.
    pub(crate) fn of<S: Read + Seek + ?Sized>(
        source: &mut S,
    ) -> std::io::Result<Option<(Self, u64)>> {
        let head = head_at(source, 0)?;
        let Some(start) = id3_bytes(&head) else {
            return Ok(Self::of_head(&head).map(|kind| (kind, 0)));
        };
        // A tag of names and pictures stands before the sound of these only.
        let kind = Self::of_head(&head_at(source, start)?);
        let kind = kind.filter(|kind| matches!(kind, Self::Mpeg | Self::Aac | Self::Flac));
        Ok(kind.map(|kind| (kind, start)))
    }

    fn of_head(head: &[u8; HEAD_BYTES]) -> Option<Self> {
        let at = |start: usize, text: &[u8]| head.get(start..start + text.len()) == Some(text);
        match head {
            _ if at(0, b"RIFF") && at(8, b"WAVE") => Some(Self::Wav),
            _ if at(4, b"ftyp") => Some(Self::Mp4),
            _ if at(0, b"OggS") => Some(Self::Ogg),
            _ if at(0, b"fLaC") => Some(Self::Flac),
            _ if at(0, &[0x1a, 0x45, 0xdf, 0xa3]) => Some(Self::Matroska),
            _ if at(0, AMR_WB_MAGIC) => Some(Self::AmrWb),
            _ if at(0, AMR_MAGIC) => Some(Self::Amr),
            // Sync word; the two bits of the layer are 0 in ADTS, and 1 to 3 in MPEG audio.
            [0xff, second, ..] if second & 0xf6 == 0xf0 => Some(Self::Aac),
            [0xff, second, ..] if second & 0xe0 == 0xe0 && second & 0x18 != 0x08 => {
                Some(Self::Mpeg)
            }
            // JSON; whether it is a vCon, reading it tells.
            _ if head.trim_ascii_start().first() == Some(&b'{') => Some(Self::Vcon),
            _ => None,
        }
    }
}

/// The first bytes from there on; zeros behind the end.
fn head_at<S: Read + Seek + ?Sized>(
    source: &mut S,
    start: u64,
) -> std::io::Result<[u8; HEAD_BYTES]> {
    source.seek(SeekFrom::Start(start))?;
    let mut head = Vec::new();
    source.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    let mut whole = [0; HEAD_BYTES];
    for (place, byte) in whole.iter_mut().zip(head) {
        *place = byte;
    }
    Ok(whole)
}

/// How long an ID3v2 tag is that begins here.
fn id3_bytes(head: &[u8; HEAD_BYTES]) -> Option<u64> {
    let [b'I', b'D', b'3', _, _, flags, a, b, c, d, ..] = *head else {
        return None;
    };
    let size = [a, b, c, d]
        .into_iter()
        .fold(0_u64, |size, byte| (size << 7) | u64::from(byte & 0x7f));
    let footer = if flags & 0x10 == 0 { 0 } else { 10 };
    Some(10 + size + footer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn kind(bytes: &[u8]) -> Option<Kind> {
        Kind::of(&mut Cursor::new(bytes))
            .unwrap()
            .map(|(kind, _start)| kind)
    }

    #[test]
    fn the_first_bytes_tell_and_nothing_else() {
        assert_eq!(kind(b"RIFF\x24\0\0\0WAVEfmt "), Some(Kind::Wav));
        assert_eq!(kind(b"RIFF\x24\0\0\0AVI LIST"), None);
        assert_eq!(kind(b"\0\0\0\x20ftypM4A "), Some(Kind::Mp4));
        assert_eq!(kind(b"#!AMR-WB\n\x04"), Some(Kind::AmrWb));
        assert_eq!(kind(b"#!AMR\n\x3c"), Some(Kind::Amr));
        assert_eq!(kind(&[0xff, 0xfb, 0x90, 0]), Some(Kind::Mpeg));
        assert_eq!(kind(&[0xff, 0xf1, 0x50, 0x80]), Some(Kind::Aac));
        assert_eq!(kind(b"\n  {\"vcon\": "), Some(Kind::Vcon));
        assert_eq!(kind(b"%PDF-1.7"), None);
        assert_eq!(kind(b""), None);
        assert_eq!(kind(b"RI"), None);
    }

    #[test]
    fn a_tag_before_the_sound_is_passed_over() {
        let tagged = |sound: &[u8]| [b"ID3\x04\0\0\0\0\x01\x00", &[0; 128][..], sound].concat();
        assert_eq!(kind(&tagged(&[0xff, 0xfb, 0x90, 0])), Some(Kind::Mpeg));
        assert_eq!(kind(&tagged(b"fLaC")), Some(Kind::Flac));
        assert_eq!(kind(&tagged(b"%PDF")), None);
        assert_eq!(
            kind(b"ID3\x04\0\0\x7f\x7f\x7f\x7f"),
            None,
            "it ends nowhere"
        );
    }
}
