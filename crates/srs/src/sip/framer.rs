//! Cuts whole messages out of a TCP byte stream (RFC 3261 §18.3, RFC 5626 §4.4.1).
//!
//! The head is searched for its end once, from where the last search stopped; the lengths come
//! from the whole head, never from a part of it. So it does not matter where the segments break.

use super::message::HeaderName;
use super::parse::{content_length, head_end, headers, logical_lines};
use crate::limits::SIP_MESSAGE_BYTES_MAX;
use voicelog_model::Kind;

/// What comes out of the stream.
#[derive(Clone, PartialEq, Eq)]
pub enum Frame {
    /// One whole message, for [`crate::Input::Message`].
    Message(Vec<u8>),
    /// A double line end: answer it with [`PONG`] on the same connection.
    KeepAlive,
}

impl std::fmt::Debug for Frame {
    /// Shows the length only: messages hold personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Message(bytes) => write!(f, "Message({} bytes)", bytes.len()),
            Self::KeepAlive => f.write_str("KeepAlive"),
        }
    }
}

/// The answer to a keepalive (RFC 5626 §4.4.1).
pub const PONG: &[u8] = b"\r\n";

/// The stream cannot be followed any further; close the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FramingError {
    /// No end of the headers within the largest message that we take.
    #[error("the headers of a message are longer than {SIP_MESSAGE_BYTES_MAX} bytes")]
    HeadTooLong,
    /// Headers and body together are more than the largest message that we take.
    #[error("a message is longer than {SIP_MESSAGE_BYTES_MAX} bytes")]
    TooLarge,
    /// `Content-Length` is not a number, or there are two that differ.
    #[error("the length of a body is not one number")]
    ContentLength,
    /// There is a `Content-Type` and no `Content-Length`: nobody knows where the body ends.
    #[error("a message over TCP has a body and does not say how long it is")]
    LengthMissing,
}

impl FramingError {
    /// The kind of this error, in the words all rooms share.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::HeadTooLong | Self::TooLarge => Kind::Exhausted,
            Self::ContentLength | Self::LengthMissing => Kind::Invalid,
        }
    }
}

/// Reads one connection's bytes. Push what arrives, then take frames until there are none.
///
/// It holds at most one unfinished message and what was pushed since frames were last taken.
#[derive(Default)]
pub struct StreamFramer {
    buffer: Vec<u8>,
    /// Bytes of `buffer` already taken.
    start: usize,
    /// Up to where the search for the end of the head has come.
    searched: usize,
    /// Length of the whole message, once its head is complete.
    message_len: Option<usize>,
    failed: Option<FramingError>,
}

impl std::fmt::Debug for StreamFramer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let waiting = self.buffer.len() - self.start;
        write!(
            f,
            "StreamFramer({waiting} bytes waiting, {:?})",
            self.failed
        )
    }
}

impl StreamFramer {
    /// A framer for a new connection.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes as they came from the connection. After an error they are dropped.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.searched = self.searched.saturating_sub(self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether bytes of an unfinished message wait, so that a deadline should run.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.start < self.buffer.len()
    }

    /// The next frame, or nothing until more bytes come.
    ///
    /// A message that says it is too large comes out once as its head alone, so that the endpoint
    /// can answer 413; the call after that gives the error.
    ///
    /// # Errors
    ///
    /// When the stream cannot be followed: every later call gives the same error.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FramingError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if self.message_len.is_none() {
            if let Some(frame) = self.line_ends() {
                return Ok(Some(frame));
            }
            if let Some(head_only) = self.head()? {
                return Ok(Some(head_only));
            }
        }
        let Some(length) = self.message_len else {
            return Ok(None);
        };
        let Some(bytes) = self.buffer.get(self.start..self.start + length) else {
            return Ok(None);
        };
        let message = bytes.to_vec();
        self.take(length);
        Ok(Some(Frame::Message(message)))
    }

    fn take(&mut self, length: usize) {
        self.start += length;
        self.searched = self.start;
        self.message_len = None;
        if self.start >= self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
            self.searched = 0;
        }
    }

    /// Line ends between messages: pairs are keepalives, single ones are nothing.
    fn line_ends(&mut self) -> Option<Frame> {
        loop {
            let waiting = self.buffer.get(self.start..)?;
            if waiting.starts_with(b"\r\n\r\n") {
                self.take(4);
                return Some(Frame::KeepAlive);
            }
            let skip = match waiting {
                // Too few bytes to tell a keepalive from a single line end.
                [] | [b'\r'] | [b'\r', b'\n'] | [b'\r', b'\n', b'\r'] => return None,
                [b'\r', b'\n', ..] => 2,
                [b'\r' | b'\n', ..] => 1,
                _ => return None,
            };
            self.take(skip);
        }
    }

    /// Looks for the end of the head; when found, works out the length of the message.
    fn head(&mut self) -> Result<Option<Frame>, FramingError> {
        let waiting = self.buffer.get(self.start..).unwrap_or_default();
        let from = self.searched.saturating_sub(self.start);
        if matches!(waiting, [] | [b'\r' | b'\n', ..]) {
            return Ok(None);
        }
        let Some(end) = head_end(waiting, from) else {
            if waiting.len() > SIP_MESSAGE_BYTES_MAX {
                return self.fail(FramingError::HeadTooLong);
            }
            // The empty line may be half here: look at the last three bytes again.
            self.searched = self.start + waiting.len().saturating_sub(3).max(from);
            return Ok(None);
        };
        let head = waiting.get(..end).unwrap_or_default();
        // Lines that are no headers are the endpoint's to refuse; here only the length counts.
        let headers = headers(logical_lines(head).into_iter().skip(1)).headers;
        let length = match content_length(&headers) {
            Ok(Some(length)) => length,
            Ok(None) if headers.first(HeaderName::ContentType).is_none() => 0,
            Ok(None) => return self.fail(FramingError::LengthMissing),
            Err(_) => return self.fail(FramingError::ContentLength),
        };
        if end.saturating_add(length) > SIP_MESSAGE_BYTES_MAX {
            let head = head.to_vec();
            self.failed = Some(FramingError::TooLarge);
            self.buffer = Vec::new();
            self.start = 0;
            return Ok(Some(Frame::Message(head)));
        }
        self.message_len = Some(end + length);
        Ok(None)
    }

    fn fail<T>(&mut self, error: FramingError) -> Result<T, FramingError> {
        self.failed = Some(error);
        self.buffer = Vec::new();
        self.start = 0;
        Err(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ONE: &[u8] =
        b"INVITE sip:a SIP/2.0\r\nContent-Length: 4\r\nTo: <sip:b>\r\nCall-ID: c\r\n\r\nbody";
    const TWO: &[u8] = b"ACK sip:a SIP/2.0\r\nTo: <sip:b>\r\nl:0\r\n\r\n";

    fn drain(framer: &mut StreamFramer) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(frame) = framer.next_frame().unwrap() {
            frames.push(frame);
        }
        frames
    }

    #[test]
    fn every_way_to_break_two_messages_into_three_segments_gives_the_two_messages() {
        let stream = [ONE, b"\r\n", TWO].concat();
        let wanted = [Frame::Message(ONE.to_vec()), Frame::Message(TWO.to_vec())];
        for first in 0..=stream.len() {
            for second in first..=stream.len() {
                let mut framer = StreamFramer::new();
                let mut frames = Vec::new();
                for piece in [&stream[..first], &stream[first..second], &stream[second..]] {
                    framer.push(piece);
                    frames.extend(drain(&mut framer));
                }
                assert_eq!(frames, wanted, "broken at {first} and {second}");
                assert!(!framer.is_waiting());
            }
        }
    }

    #[test]
    fn bytes_one_by_one_and_all_at_once_are_the_same() {
        let stream = [b"\r\n\r\n", ONE, TWO, b"\r\n\r\n", ONE].concat();
        let mut all = StreamFramer::new();
        all.push(&stream);
        let mut single = StreamFramer::new();
        let mut frames = Vec::new();
        for byte in &stream {
            single.push(&[*byte]);
            frames.extend(drain(&mut single));
        }
        assert_eq!(frames, drain(&mut all));
        assert_eq!(frames.iter().filter(|f| **f == Frame::KeepAlive).count(), 2);
    }

    #[test]
    fn a_body_without_length_is_an_error_and_stays_one() {
        let mut framer = StreamFramer::new();
        framer.push(b"INVITE sip:a SIP/2.0\r\nc: application/sdp\r\n\r\nv=0");
        assert_eq!(framer.next_frame(), Err(FramingError::LengthMissing));
        framer.push(TWO);
        assert_eq!(framer.next_frame(), Err(FramingError::LengthMissing));
    }

    #[test]
    fn two_lengths_that_differ_are_an_error() {
        let mut framer = StreamFramer::new();
        framer.push(b"BYE sip:a SIP/2.0\r\nl: 1\r\nContent-Length: 2\r\n\r\nab");
        assert_eq!(framer.next_frame(), Err(FramingError::ContentLength));
    }

    #[test]
    fn a_message_that_is_too_large_comes_as_its_head_and_then_the_error() {
        let mut framer = StreamFramer::new();
        framer.push(b"INVITE sip:a SIP/2.0\r\nl: 70000\r\n\r\n");
        assert!(matches!(framer.next_frame(), Ok(Some(Frame::Message(_)))));
        assert_eq!(framer.next_frame(), Err(FramingError::TooLarge));
    }

    #[test]
    fn headers_without_end_are_an_error_at_the_limit() {
        let mut framer = StreamFramer::new();
        for _ in 0..SIP_MESSAGE_BYTES_MAX / 1_000 {
            framer.push(&[b'a'; 1_000]);
            assert_eq!(framer.next_frame(), Ok(None));
        }
        framer.push(&[b'a'; 1_000]);
        assert_eq!(framer.next_frame(), Err(FramingError::HeadTooLong));
    }

    proptest! {
        #[test]
        fn no_stream_makes_it_panic(
            bytes in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'l'), Just(b':'), Just(b'3'), any::<u8>()], 0..200),
            step in 1usize..9,
        ) {
            let mut framer = StreamFramer::new();
            for piece in bytes.chunks(step) {
                framer.push(piece);
                while let Ok(Some(_)) = framer.next_frame() {}
            }
        }
    }
}
