//! What a call is to be.

use crate::coder::Offered;
use crate::dialect::Dialect;
use crate::dialog::Transport;
use crate::error::SimError;
use crate::metadata::Participant;
use crate::rtp::{Disturbance, Payload, packet_bytes};
use crate::speech;
use crate::srtp::SrtpSuite;
use crate::tls::TlsClient;
use std::net::SocketAddr;
use std::time::Duration;
use voicelog_model::limits;

/// What one stream of a call carries.
#[derive(Debug, Clone)]
pub struct StreamPlan {
    /// SDP label (RFC 4574), unique within the call.
    pub label: String,
    /// What is said.
    pub payload: Payload,
    /// What goes wrong with it, on purpose.
    pub disturbance: Disturbance,
    /// First sequence number; random if absent.
    pub first_sequence: Option<u16>,
    /// Timestamp of the conversation's first packet; random if absent.
    pub first_timestamp: Option<u32>,
    /// Whether the report holds every byte sent, not only its hash.
    pub keep_payload: bool,
}

impl StreamPlan {
    /// A stream without disturbance.
    #[must_use]
    pub fn new(label: &str, payload: Payload) -> Self {
        Self {
            label: label.to_owned(),
            payload,
            disturbance: Disturbance::default(),
            first_sequence: None,
            first_timestamp: None,
            keep_payload: false,
        }
    }
}

/// What happens in the middle of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Flow {
    /// Nothing.
    #[default]
    Plain,
    /// At a third of the call it is put on hold by a re-INVITE (`inactive`), until two thirds.
    Hold,
    /// The hold ends at two thirds of the call.
    Resume,
    /// At half of the call these are the participants.
    Transfer(Vec<Participant>),
}

/// By what a client says that a call belongs with others. Nothing: ids of its own in the metadata, and no
/// header.
#[derive(Debug, Clone, Default)]
pub struct Belongs {
    /// `group_id` of the metadata (RFC 7865 §6.2).
    pub group: Option<String>,
    /// `session_id` of the metadata (RFC 7865 §6.3).
    pub session: Option<String>,
    /// Value of `Session-ID` (RFC 7989).
    pub session_id: Option<String>,
    /// Value of `Replaces` (RFC 3891): see [`crate::CallStatus::named`].
    pub replaces: Option<String>,
}

/// Everything about a call to be placed.
#[derive(Debug, Clone)]
pub struct CallPlan {
    /// Where the recording server listens.
    pub server: SocketAddr,
    /// How signalling travels.
    pub transport: Transport,
    /// Whom to believe over TLS; needed there, and of no use elsewhere.
    pub tls: Option<TlsClient>,
    /// User part of the request URI: the line that the server knows the call by.
    pub request_user: String,
    /// Who takes part; participant n sends stream n.
    pub participants: Vec<Participant>,
    /// The streams, in the order of the offer.
    pub streams: Vec<StreamPlan>,
    /// By what the client says that the call belongs with others.
    pub belongs: Belongs,
    /// What each stream offers to be.
    pub offered: Offered,
    /// The product whose way of writing a call is followed.
    pub dialect: Dialect,
    /// What happens in the middle of the call, where it has an end.
    pub flow: Flow,
    /// How long after the moment of the last packet the BYE is sent: what is still on its way
    /// must not come after it.
    pub linger: Duration,
    /// Milliseconds of audio in one packet, 10 to 100.
    pub packet_ms: u32,
    /// How long media runs from the answer, before our BYE. Absent: as long as the longest
    /// stream that is spoken once, or until somebody hangs up.
    pub duration: Option<Duration>,
    /// A real client sends nothing on a stream that the server made inactive. False: it sends all
    /// the same, to show that the server keeps nothing of it.
    pub honour_direction: bool,
    /// Whether each stream also sends RTCP: a sender report every 5 seconds and a goodbye, to the
    /// port after that of its media.
    pub rtcp: bool,
    /// With what each stream is protected; absent: plain RTP.
    pub srtp: Option<SrtpSuite>,
    /// How long to wait for the final answer before giving up.
    pub answer_within: Duration,
}

impl CallPlan {
    /// The Dutch sales call of [`speech`]: two streams, spoken once, 12.7 seconds.
    #[must_use]
    pub fn speech(server: SocketAddr, request_user: &str) -> Self {
        Self {
            server,
            transport: Transport::Udp,
            tls: None,
            request_user: request_user.to_owned(),
            participants: vec![
                Participant::new("sip:verkoop@voorbeeld.example", "Verkoop"),
                Participant::new("tel:+31201234567", "Klant"),
            ],
            streams: vec![
                StreamPlan::new("1", Payload::once(speech::AGENT)),
                StreamPlan::new("2", Payload::once(speech::CUSTOMER)),
            ],
            belongs: Belongs::default(),
            offered: Offered::G711,
            dialect: Dialect::Plain,
            flow: Flow::Plain,
            linger: Duration::ZERO,
            packet_ms: 20,
            duration: None,
            honour_direction: true,
            rtcp: false,
            srtp: None,
            answer_within: Duration::from_secs(32),
        }
    }

    /// Says what is wrong with the plan, if anything is.
    pub(crate) fn check(&self) -> Result<(), SimError> {
        let bad = |why: &str| {
            Err(SimError::BadPlan {
                why: why.to_owned(),
            })
        };
        if self.streams.is_empty() || self.streams.len() > limits::STREAMS_MAX {
            return bad("a call has 1 to 16 streams");
        }
        if self.transport == Transport::Tls && self.tls.is_none() {
            return bad("over TLS it must be said whom to believe");
        }
        if !(10..=100).contains(&self.packet_ms) {
            return bad("a packet lasts 10 to 100 milliseconds");
        }
        if !self.offered.takes(self.packet_ms) {
            return bad(
                "a packet of Opus lasts 10, 20, 40, 60, 80 or 100 ms, one of L16 at most 60, one of G.729 a multiple of 10",
            );
        }
        if self.participants.len() > limits::PARTIES_MAX {
            return bad("a call has at most 64 participants");
        }
        if !is_user(&self.request_user) {
            return bad("the line may hold letters, digits and -_.+~*'() only");
        }
        let headers = [&self.belongs.session_id, &self.belongs.replaces];
        if headers
            .into_iter()
            .flatten()
            .any(|value| value.chars().any(char::is_control))
        {
            return bad("a header holds no control characters");
        }
        let is_token =
            |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_graphic());
        if !self.streams.iter().all(|stream| is_token(&stream.label)) {
            return bad("a label is one word of printable ASCII");
        }
        Ok(())
    }

    /// Packets of one stream from start to end, if there is an end.
    pub(crate) fn packets(&self) -> Option<u64> {
        let ms = u128::from(self.packet_ms);
        if let Some(duration) = self.duration {
            return u64::try_from(duration.as_millis().div_ceil(ms)).ok();
        }
        let once = |stream: &StreamPlan| stream.payload.once_bytes();
        let longest = self.streams.iter().map(once).collect::<Option<Vec<_>>>()?;
        let bytes = longest.into_iter().max()?;
        u64::try_from(bytes.div_ceil(packet_bytes(self.packet_ms))).ok()
    }
}

/// RFC 3261 §25.1, `user` without escapes and without the characters that split a URI.
fn is_user(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.+~*'()!".contains(&b);
    !text.is_empty() && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> CallPlan {
        CallPlan::speech("127.0.0.1:5060".parse().unwrap(), "verkoop")
    }

    #[test]
    fn a_call_lasts_as_long_as_its_longest_stream_unless_it_is_told_or_has_no_end() {
        let mut plan = plan();
        assert_eq!(plan.packets(), Some(635));
        plan.streams[0].payload = Payload::once(&speech::AGENT[..161]);
        plan.streams[1].payload = Payload::once(&speech::CUSTOMER[..10]);
        assert_eq!(plan.packets(), Some(2));
        plan.streams[1].payload = Payload::looping(speech::CUSTOMER);
        assert_eq!(plan.packets(), None);
        plan.duration = Some(Duration::from_millis(1_001));
        assert_eq!(plan.packets(), Some(51));
    }

    #[test]
    fn nothing_that_is_said_of_the_line_or_a_label_can_add_a_header() {
        for user in ["", "a b", "a\r\nX: y", "a@b", "a>"] {
            let mut plan = plan();
            plan.request_user = user.to_owned();
            assert!(plan.check().is_err(), "{user:?}");
        }
        let mut plan = plan();
        plan.streams[0].label = "1\r\na=recvonly".to_owned();
        assert!(plan.check().is_err());
    }
}
