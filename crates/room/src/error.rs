//! What can go wrong with a talk, and with what a device hands over.

use crate::chunk::{CHUNK_BYTES_MAX, ChunkError};
use voicelog_archive::ArchiveError;

/// Why something about a talk was not done. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum RoomError {
    /// No such talk, or not for whoever asks; or it has no such track of theirs.
    #[error("no such talk here")]
    NotFound,
    /// The configuration has no such kind of talk.
    #[error("no such kind of talk")]
    NoSuchKind,
    /// The code leads nowhere (any more).
    #[error("this code is not in use, or not any more")]
    NoSuchCode,
    /// As many talks are open as may be, participants in it, or devices that record.
    #[error("no room for more {0}")]
    Full(&'static str),
    /// It does not fit the state that the talk is in.
    #[error("{0}")]
    NotNow(&'static str),
    /// Only the host may.
    #[error("only the host of the talk may do this")]
    HostOnly,
    /// A codec or payload type that devices do not send.
    #[error("a device sends opus/48000/2 as 111 or L16/48000 as 112")]
    Codec,
    /// The server is stopping, or the disk is full: what a device has it keeps, and tries again.
    #[error("{0}")]
    Busy(&'static str),
    /// The archive or the law could not be asked.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A part of the program that this needs is gone.
    #[error("a part of the server has failed")]
    Gone,
}

/// Why a chunk was not taken. What is held is untouched, and `next` of the track says where to go on.
#[derive(Debug, thiserror::Error)]
pub enum ChunkRefused {
    /// No such talk or no such track of whoever asks.
    #[error("no such track here")]
    NotFound,
    /// The digest is not that of the body.
    #[error("Content-Digest is not that of the body")]
    Digest,
    /// Larger than a chunk may be.
    #[error("a chunk has at most {CHUNK_BYTES_MAX} bytes")]
    TooLarge,
    /// It was acknowledged before with another digest.
    #[error("chunk was acknowledged before, and was another one")]
    Differs {
        /// Where to go on.
        next: u32,
    },
    /// Others come first.
    #[error("chunk {next} comes first")]
    OutOfTurn {
        /// Where to go on.
        next: u32,
    },
    /// It is not in the form, does not fit the chain, or claims to be captured later than now.
    #[error("{why}")]
    Malformed {
        /// What is wrong.
        why: Malformed,
        /// Where to go on.
        next: u32,
    },
    /// The track is closed.
    #[error("the track has ended")]
    Ended {
        /// How many chunks were taken.
        next: u32,
    },
    /// It cannot be kept now; the device keeps it and tries again.
    #[error("{why}")]
    Busy {
        /// Why.
        why: &'static str,
        /// Where to go on.
        next: u32,
    },
}

/// What is wrong with a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Its form.
    #[error(transparent)]
    Form(#[from] ChunkError),
    /// It claims to be captured later than now.
    #[error("a frame claims to be captured later than now")]
    FromTheFuture,
    /// It begins before the chunk in front of it ended.
    #[error("a frame was captured before those of the chunk in front of it")]
    BeforeTheLast,
}
