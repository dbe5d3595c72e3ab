//! A file opened by its container: which track is heard, and its packets one after the other.

use crate::SoundFileError;
use crate::kind::Kind;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::common::Limit;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, SeekMode, SeekTo, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;
use symphonia::core::units::{TimeBase, Timestamp};

/// A piece that a reader takes into memory in one go: a packet, an index.
pub(crate) const PIECE_BYTES_MAX: u64 = 1 << 26;
/// Samples of one channel in a second.
pub(crate) const RATE_MAX: u32 = 384_000;
/// Names and pictures in a file are not looked at.
const METADATA_BYTES_MAX: usize = 1 << 16;

/// An open file, before its first packet.
pub(crate) struct Opened<'s> {
    kind: Kind,
    reader: Box<dyn FormatReader + 's>,
    /// The track that is heard: the first with sound.
    track: u32,
    pub(crate) codec: AudioCodecParameters,
    /// A tick of its times, in seconds.
    pub(crate) tick: (u32, u32),
    /// Samples at the start that only set the decoder going, where its packets do not say so themselves.
    pub(crate) delay: u32,
    /// Sound that its container says there is, in samples of one channel.
    pub(crate) said_frames: Option<u64>,
    /// How many tracks with sound there are.
    pub(crate) sounds: usize,
    /// Whether there are moving pictures.
    pub(crate) has_picture: bool,
}

/// A library that reads a stranger's bytes can have a mistake in it: then the file is damaged, and the program goes on.
pub(crate) fn guarded<T>(
    kind: Kind,
    act: impl FnOnce() -> Result<T, SoundFileError>,
) -> Result<T, SoundFileError> {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|_panic| {
        Err(SoundFileError::Damaged {
            kind: kind.word(),
            why: "its reader gave up on it".to_owned(),
        })
    })
}

pub(crate) fn failed(kind: Kind, error: Error) -> SoundFileError {
    match error {
        Error::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
            SoundFileError::CutOff("it ends where more should follow")
        }
        Error::IoError(error) => SoundFileError::Io(error),
        Error::ResetRequired => SoundFileError::Damaged {
            kind: kind.word(),
            why: "several sounds follow each other in it".to_owned(),
        },
        other => SoundFileError::Damaged {
            kind: kind.word(),
            why: other.to_string(),
        },
    }
}

impl<'s> Opened<'s> {
    /// Opens a file of that kind.
    pub(crate) fn new(
        kind: Kind,
        source: Box<dyn MediaSource + 's>,
    ) -> Result<Self, SoundFileError> {
        let stream = MediaSourceStream::new(source, MediaSourceStreamOptions::default());
        let metadata = MetadataOptions::default()
            .limit_tag_bytes(Limit::Maximum(METADATA_BYTES_MAX))
            .limit_visual_bytes(Limit::Maximum(METADATA_BYTES_MAX));
        let options = FormatOptions::default();
        let probe = symphonia::default::get_probe();
        let reader = probe
            .probe(&Hint::new(), stream, options, metadata)
            .map_err(|error| failed(kind, error))?;
        let all = reader.tracks();
        let has_picture = all
            .iter()
            .any(|track| track.track_type() == Some(TrackType::Video));
        let sounds = all.iter().filter_map(|track| match &track.codec_params {
            Some(CodecParameters::Audio(codec)) => Some((track, codec)),
            _ => None,
        });
        let count = sounds.clone().count();
        let (track, codec) = sounds.into_iter().next().ok_or(SoundFileError::NoSound)?;
        if codec.sample_rate.is_some_and(|rate| rate > RATE_MAX) {
            return Err(SoundFileError::TooFast);
        }
        let base = track
            .time_base
            .or_else(|| codec.sample_rate.and_then(TimeBase::try_from_recip));
        let base = base.ok_or_else(|| SoundFileError::Damaged {
            kind: kind.word(),
            why: "it does not say at which rate its sound was taken".to_owned(),
        })?;
        Ok(Self {
            kind,
            track: track.id,
            codec: codec.clone(),
            tick: (base.numer.get(), base.denom.get()),
            delay: track.delay.unwrap_or(0),
            said_frames: track.num_frames,
            sounds: count,
            has_picture,
            reader,
        })
    }

    /// The next packet of the track; none at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Packet>, SoundFileError> {
        loop {
            match self.reader.next_packet() {
                Ok(Some(packet)) if packet.track_id != self.track => {}
                Ok(Some(packet)) if packet.data.len() as u64 > PIECE_BYTES_MAX => {
                    return Err(SoundFileError::Damaged {
                        kind: self.kind.word(),
                        why: "a piece of it is too large".to_owned(),
                    });
                }
                Ok(packet) => return Ok(packet),
                // One that was written while it was sent has no other end (`whole` saw that nothing is cut off).
                Err(Error::IoError(error))
                    if self.kind == Kind::Matroska && error.kind() == ErrorKind::UnexpectedEof =>
                {
                    return Ok(None);
                }
                Err(error) => return Err(failed(self.kind, error)),
            }
        }
    }

    /// Goes to a packet at or before that moment, in ticks. False where it cannot: then it is of no use any more.
    pub(crate) fn seek(&mut self, ticks: i64) -> bool {
        let to = SeekTo::Timestamp {
            ts: Timestamp::new(ticks),
            track_id: self.track,
        };
        let sought = self.reader.seek(SeekMode::Accurate, to);
        sought.is_ok_and(|sought| sought.actual_ts.get() <= ticks)
    }
}
