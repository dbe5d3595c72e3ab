//! What became of a call.

use crate::dialect::Dialect;
use crate::dialog::Side;
use crate::pace::Lateness;
use crate::rtp::Sent;
use crate::sdp::AnsweredStream;
use std::time::Duration;
use voicelog_model::{Codec, Timestamp};

/// The server's answer to the INVITE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// SIP status, 200 to 299.
    pub status: u16,
    /// What it says about each stream, in the order of the offer.
    pub streams: Vec<AnsweredStream>,
    /// How many `m=` lines it has.
    pub lines: usize,
    /// From the first INVITE sent to the final answer.
    pub waited: Duration,
}

impl Answer {
    /// Whether the server takes media on every stream from the start.
    #[must_use]
    pub fn receives(&self) -> bool {
        self.streams.iter().all(AnsweredStream::receives)
    }
}

/// How a call came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It stood, and was ended.
    Ended {
        /// Who hung up.
        by: Side,
        /// The answer to our BYE, if we sent one and it was answered.
        status: Option<u16>,
    },
    /// It was refused.
    Refused {
        /// SIP status, 300 to 699.
        status: u16,
        /// The reason phrase as sent, and the text of its warning if there is one.
        reason: String,
        /// Seconds after which the server says to try again.
        retry_after: Option<u32>,
    },
    /// No final answer came.
    NoAnswer,
    /// The answer could not be used.
    BadAnswer {
        /// What is wrong with it.
        why: String,
    },
    /// Nobody was there.
    Unreachable {
        /// What the system said.
        why: String,
    },
}

/// A moment at which media of one stream began or ceased to flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowChange {
    /// When.
    pub at: Timestamp,
    /// Whether it flows from then on.
    pub flows: bool,
    /// Whose doing it was.
    pub by: Side,
}

/// What was sent on one stream.
#[derive(Debug, Clone)]
pub struct StreamReport {
    /// SDP label.
    pub label: String,
    /// RTP source.
    pub ssrc: u32,
    /// Codec used.
    pub codec: Codec,
    /// Counts and sequence numbers.
    pub sent: Sent,
    /// SHA-256 of the payload of every packet sent, in the order of sequence numbers, each once.
    pub payload_sha256: [u8; 32],
    /// That payload itself, if the plan asked to keep it.
    pub payload: Option<Vec<u8>>,
    /// When the first packet went out.
    pub first_sent_at: Option<Timestamp>,
    /// When the last packet went out.
    pub last_sent_at: Option<Timestamp>,
    /// When media began and ceased to flow; the first entry is at the answer if it flowed then.
    pub changes: Vec<FlowChange>,
}

/// What became of a call.
#[derive(Debug, Clone)]
pub struct CallReport {
    /// The product whose way of writing the call followed.
    pub dialect: Dialect,
    /// SIP `Call-ID`.
    pub call_id: String,
    /// The answer, if the call was answered with a 2xx.
    pub answer: Option<Answer>,
    /// How it ended.
    pub outcome: Outcome,
    /// What was sent.
    pub streams: Vec<StreamReport>,
    /// How late the sender itself was.
    pub lateness: Lateness,
}

impl CallReport {
    /// Whether the server ended the call.
    #[must_use]
    pub const fn ended_by_server(&self) -> bool {
        matches!(
            self.outcome,
            Outcome::Ended {
                by: Side::Server,
                ..
            }
        )
    }
}
