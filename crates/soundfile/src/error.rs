//! Why a file is no sound file that can be imported.

use voicelog_model::Kind;

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum SoundFileError {
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// Its first bytes are those of no format that is taken.
    #[error(
        "this is no sound file of a known kind: WAV, MP3, AAC, MP4 (M4A), Ogg, FLAC, WebM (Matroska), AMR or vCon"
    )]
    Unknown,
    /// It is shorter than it says.
    #[error("the file is not whole: {0}. It was cut off, or is still being written")]
    CutOff(&'static str),
    /// It is not what it seems.
    #[error("the file is damaged, or no {kind}: {why}")]
    Damaged {
        /// What it seems to be.
        kind: &'static str,
        /// What does not fit.
        why: String,
    },
    /// There is no sound in it.
    #[error("there is no sound in the file")]
    NoSound,
    /// It lasts longer than a recording may.
    #[error("the sound lasts longer than 24 hours")]
    TooLong,
    /// It has more samples in a second than any sound that is taken.
    #[error("the sound has more than 384,000 samples in a second")]
    TooFast,
    /// It says of itself that it holds more sound than so few bytes can.
    #[error(
        "the file says that it lasts {seconds} seconds, and has {bytes} bytes: too few for that much sound"
    )]
    TooFewBytes {
        /// How long it says it lasts.
        seconds: u64,
        /// How large it is.
        bytes: u64,
    },
    /// It is a vCon, and there is sound that it only names.
    #[error(
        "the sound of dialog {0} of this vCon lies elsewhere, and nothing is fetched: import that sound, or a vCon that holds it"
    )]
    Elsewhere(usize),
    /// There is no decoder for its sound.
    #[error("its sound ({0}) cannot be decoded here")]
    NotHeard(String),
    /// It could not be read.
    #[error("cannot read the file")]
    Io(#[from] std::io::Error),
}

impl SoundFileError {
    /// What kind of trouble it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Io(_) => Kind::Unavailable,
            _ => Kind::Invalid,
        }
    }
}
