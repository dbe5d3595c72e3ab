//! What is agreed on about a stream, and how it changes while packets under the former terms are still
//! on their way.

use super::reports::{OwnName, Reports};
use super::stream::StreamMedia;
use super::wanted::Wanted;
use voicelog_model::rtp::RtpPacket;
use voicelog_model::{MediaStream, StreamNumber, Timestamp};
use voicelog_srs::srtp::{ControlProtector, MasterKey, SrtpError, Unprotector};

/// How long packets may still come as they were agreed on before, in microseconds: a client changes
/// over when it has our answer.
const CHANGE_MICROS: i64 = 1_000_000;

/// What is agreed on about a stream, but for its sockets.
#[derive(Debug)]
pub(crate) struct StreamTerms {
    pub(super) number: StreamNumber,
    pub(super) wanted: Wanted,
    /// The client's key (SRTP), and what takes its protection off.
    pub(super) protection: Option<(MasterKey, Unprotector)>,
    /// What we report to the client of it; `None` = nothing.
    pub(super) reports: Option<Reports>,
}

impl StreamTerms {
    /// A stream in the clear. Packets that say which key was pressed are kept only with `keep_keys`.
    pub(crate) fn new(stream: &MediaStream, keep_keys: bool) -> Self {
        Self {
            number: stream.number,
            wanted: Wanted::of(stream, keep_keys),
            protection: None,
            reports: None,
        }
    }

    /// The same stream, protected with the client's key (SRTP).
    pub(crate) fn protected(mut self, key: &MasterKey, unprotector: Unprotector) -> Self {
        self.protection = Some((key.clone(), unprotector));
        self
    }

    /// The same stream, of which receiver reports go out (RTCP), protected by `protector` if it is.
    pub(crate) fn reporting(
        mut self,
        own: OwnName,
        rate: u32,
        is_muxed: bool,
        protector: Option<ControlProtector>,
    ) -> Self {
        self.reports = Some(Reports::new(own, rate, is_muxed, protector));
        self
    }
}

/// The protection that a stream had before it got another one.
#[derive(Debug)]
pub(super) struct Former {
    /// `None` = none.
    unprotector: Option<Unprotector>,
    /// Until when packets may still have it.
    until: Timestamp,
}

impl StreamMedia {
    /// Other terms hold from now on, on the same sockets.
    ///
    /// What was agreed on before is still taken: payload types keep the meaning that they had unless
    /// they have another one now (RFC 3264 §8.3.2 forbids that), and for a second so does the protection.
    pub(crate) fn change(&mut self, terms: StreamTerms, now: Timestamp) {
        self.wanted.add(terms.wanted);
        match (&mut self.unprotector, terms.protection) {
            (None, None) => {}
            // Also of another suite: packets under the key before are taken for a while.
            (Some(mine), Some((key, _))) => mine.rekey(&key),
            (before, after) => {
                self.former = Some(Former {
                    unprotector: before.take(),
                    until: now.plus_micros(CHANGE_MICROS),
                });
                *before = after.map(|(_, unprotector)| unprotector);
            }
        }
        match (&mut self.reports, terms.reports) {
            (Some(mine), Some(new)) => mine.go_on_as(new),
            (mine, new) => *mine = new,
        }
    }
}

/// A packet as it was before it was protected.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plain<'p> {
    pub(super) bytes: &'p [u8],
    /// It was protected: whoever sent it has the key, and is no stranger.
    pub(super) is_authentic: bool,
}

/// The packet as it was before it was protected, in the same place. `former`: how packets may have
/// been protected until a moment ago; forgotten with the first that comes otherwise.
pub(super) fn unprotect<'p>(
    current: &mut Option<Unprotector>,
    former: &mut Option<Former>,
    bytes: &'p mut [u8],
    is_control: bool,
    arrived: Timestamp,
) -> Result<Plain<'p>, SrtpError> {
    if former
        .as_ref()
        .is_some_and(|former| arrived >= former.until)
    {
        *former = None;
    }
    // The length of what was protected; nothing for what came in the clear.
    let opened = match (current, former.as_mut()) {
        (None, None) => None,
        (None, Some(before)) => {
            // Whether it fits the former key is certain: the key makes the packet's seal.
            let before = before.unprotector.as_mut();
            match before.map(|before| open(before, bytes, is_control)) {
                Some(Ok(length)) => Some(length),
                Some(Err(SrtpError::Replayed)) => return Err(SrtpError::Replayed),
                Some(Err(SrtpError::NotAuthentic | SrtpError::Malformed)) | None => None,
            }
        }
        (Some(now), None) => Some(open(now, bytes, is_control)?),
        (Some(now), Some(before)) => match (open(now, bytes, is_control), &before.unprotector) {
            (Ok(length), _) => {
                *former = None;
                Some(length)
            }
            (Err(SrtpError::NotAuthentic), None) => None,
            (Err(error), _) => return Err(error),
        },
    };
    let length = opened.unwrap_or(bytes.len());
    let bytes = bytes.get(..length).ok_or(SrtpError::Malformed)?;
    Ok(Plain {
        bytes,
        is_authentic: opened.is_some(),
    })
}

fn open(
    unprotector: &mut Unprotector,
    bytes: &mut [u8],
    is_control: bool,
) -> Result<usize, SrtpError> {
    let plain = match is_control {
        true if !RtpPacket::is_rtcp(bytes) => return Err(SrtpError::Malformed),
        true => unprotector.control(bytes),
        false => unprotector.media(bytes),
    };
    plain.map(|plain| plain.len())
}
