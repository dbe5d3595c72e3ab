//! What a file is: its kind, how long its sound lasts, and whether it can be heard. All of it is read, and nothing of it
//! kept.

use crate::hear::{Decoder, Heard, OPUS_RATE, is_opus, ticks_of};
use crate::kind::Kind;
use crate::open::{Opened, guarded};
use crate::vcon::Enclosed;
use crate::{SoundFileError, amr, pictures, whole};
use std::io::SeekFrom;
use symphonia::core::io::MediaSource;
use voicelog_model::Timestamp;

/// A recording longer than this has no sound file, so no longer one is taken.
pub const LENGTH_SECONDS_MAX: u64 = 24 * 3_600;
/// Packets that a decoder may fail at before it is held that it cannot hear the file.
const TRIES: usize = 32;
/// Of MPEG audio without any length in it, this part of the file at least has to be frames: what lies between, a reader
/// passes over without a word.
const FRAMES_PERCENT: u64 = 50;

/// What is in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// Kind of file.
    pub kind: Kind,
    /// How long its sound lasts, in µs.
    pub length_us: u64,
    /// What of it is heard; none where there is no decoder.
    pub heard: Option<Heard>,
    /// Tracks with sound; the first one counts.
    pub sounds: usize,
    /// Whether there are moving pictures in it.
    pub has_picture: bool,
    /// When its sound began, where whoever made the file wrote that down: in a vCon only.
    pub began: Option<Timestamp>,
}

/// Reads a file and says what it is. `open` gives its bytes from the start each time.
///
/// # Errors
/// It is no sound file, not whole, damaged, or longer than [`LENGTH_SECONDS_MAX`].
pub fn look<'s>(
    open: &mut dyn FnMut() -> Box<dyn MediaSource + 's>,
) -> Result<Contents, SoundFileError> {
    let mut source = open();
    let bytes = source.seek(SeekFrom::End(0))?;
    if bytes == 0 {
        return Err(SoundFileError::Empty);
    }
    let (kind, start) = Kind::of(&mut source)?.ok_or(SoundFileError::Unknown)?;
    whole::check(&mut source, kind, bytes)?;
    let has_picture = pictures::are_in(&mut source, kind, bytes)?;
    let mut contents = match kind {
        Kind::Amr | Kind::AmrWb => Contents {
            kind,
            length_us: amr::length_us(source, kind)?,
            heard: None,
            sounds: 1,
            has_picture: false,
            began: None,
        },
        Kind::Vcon => Enclosed::read(open())?.contents,
        _ => guarded(kind, || packets(kind, open(), bytes.saturating_sub(start)))?,
    };
    contents.has_picture |= has_picture;
    match contents.length_us {
        0 => Err(SoundFileError::NoSound),
        length if length > LENGTH_SECONDS_MAX * 1_000_000 => Err(SoundFileError::TooLong),
        _ => Ok(contents),
    }
}

/// What the packets of a file come to.
#[derive(Default)]
struct Sum {
    count: u64,
    bytes: u64,
    origin: Option<i64>,
    end: i64,
    last: (i64, i64),
}

fn packets(
    kind: Kind,
    source: Box<dyn MediaSource + '_>,
    bytes: u64,
) -> Result<Contents, SoundFileError> {
    let mut file = Opened::new(kind, source)?;
    let codec = file.codec.clone();
    let mut decoder = Decoder::new(&codec);
    let (mut tries, mut spec) = (0, None);
    let mut sum = Sum::default();
    while let Some(packet) = file.next()? {
        if spec.is_none() && tries < TRIES {
            tries += 1;
            let decoded = decoder.as_mut().and_then(|decoder| decoder.decode(&packet));
            spec = decoded.map(|decoded| (decoded.rate, decoded.channels));
        }
        let start = packet
            .pts
            .get()
            .saturating_add(signed(packet.trim_start.get()));
        let lasts = signed(ticks_of(&packet, &codec, file.tick));
        sum.origin.get_or_insert(start);
        sum.last = (start, sum.last.0);
        sum.end = sum.end.max(start.saturating_add(lasts));
        sum.count += 1;
        sum.bytes += packet.data.len() as u64;
        // Tables of a few bytes can tell of any number of packets with nothing in them.
        if sum.count > bytes {
            let why = "it tells of more packets than it has bytes".to_owned();
            let kind = kind.word();
            return Err(SoundFileError::Damaged { kind, why });
        }
        if micros(sum.length(), file.tick) > LENGTH_SECONDS_MAX * 1_000_000 {
            return Err(SoundFileError::TooLong);
        }
    }
    sum.hold_against(kind, &file, bytes)?;
    // Packets of Opus do not say which of their samples only set the decoder going; the head does.
    let delay = if is_opus(&codec) { file.delay } else { 0 };
    let unheard = u64::from(delay) * 1_000_000 / u64::from(OPUS_RATE);
    let length_us = micros(sum.length(), file.tick).saturating_sub(unheard);
    let heard = spec.map(|(rate, channels)| Heard {
        kind,
        rate,
        channels,
        frames: length_us * u64::from(rate) / 1_000_000,
        origin: sum.origin.unwrap_or(0),
        delay,
    });
    Ok(Contents {
        kind,
        length_us,
        heard,
        sounds: file.sounds,
        has_picture: file.has_picture,
        began: None,
    })
}

impl Sum {
    /// Ticks of sound. Where the last packet does not tell how long it lasts, as long as the one before it.
    fn length(&self) -> u64 {
        let (last, before) = self.last;
        let end = match self.end > last || self.count < 2 {
            true => self.end,
            false => last.saturating_add(last.saturating_sub(before).max(0)),
        };
        let length = end.saturating_sub(self.origin.unwrap_or(end));
        u64::try_from(length).unwrap_or(0)
    }

    /// Whether all the sound that the file says there is came.
    fn hold_against(
        &self,
        kind: Kind,
        file: &Opened<'_>,
        bytes: u64,
    ) -> Result<(), SoundFileError> {
        if self.count == 0 {
            return Err(SoundFileError::NoSound);
        }
        let counts = matches!(kind, Kind::Flac | Kind::Mpeg | Kind::Wav);
        // A frame of MPEG audio has up to 1,152 samples, and encoders count one more or less.
        let slack = if kind == Kind::Mpeg { 2 * 1_152 } else { 0 };
        if let Some(said) = file.said_frames.filter(|_| counts)
            && self.length() + slack < said
        {
            return Err(SoundFileError::CutOff(
                "it has less sound than it says there is",
            ));
        }
        let is_mpeg = matches!(kind, Kind::Mpeg | Kind::Aac);
        if is_mpeg && self.bytes.saturating_mul(100) < bytes.saturating_mul(FRAMES_PERCENT) {
            return Err(SoundFileError::Damaged {
                kind: kind.word(),
                why: "most of it is no sound".to_owned(),
            });
        }
        Ok(())
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn micros(ticks: u64, (numerator, denominator): (u32, u32)) -> u64 {
    let micros = u128::from(ticks) * u128::from(numerator) * 1_000_000 / u128::from(denominator);
    u64::try_from(micros).unwrap_or(u64::MAX)
}
