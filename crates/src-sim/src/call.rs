//! One call: its plan, its state between two ticks of the sender, and its report. Who drives it
//! (one thread for one call, or one thread for thousands) is elsewhere.

use crate::dialog::{Dialog, Event, Identity, Side, Transport};
use crate::error::SimError;
use crate::message::Message;
use crate::metadata::{Metadata, Participant};
use crate::pace::{Anchor, Lateness, Pace};
use crate::random::Names;
use crate::rtp::{Disturbance, Numbering, Payload, Sender, Sent, packet_bytes};
use crate::sdp::{AnsweredStream, Direction, LocalMedia, LocalStream};
use crate::speech;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use voicelog_model::{Codec, Timestamp, limits};

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

/// Everything about a call to be placed.
#[derive(Debug, Clone)]
pub struct CallPlan {
    /// Where the recording server listens.
    pub server: SocketAddr,
    /// How signalling travels.
    pub transport: Transport,
    /// User part of the request URI: the line that the server knows the call by.
    pub request_user: String,
    /// Who takes part; participant n sends stream n.
    pub participants: Vec<Participant>,
    /// The streams, in the order of the offer.
    pub streams: Vec<StreamPlan>,
    /// Milliseconds of audio in one packet, 10 to 100.
    pub packet_ms: u32,
    /// How long media runs from the answer, before our BYE. Absent: as long as the longest
    /// stream that is spoken once, or until somebody hangs up.
    pub duration: Option<Duration>,
    /// A real client sends nothing on a stream that the server made inactive. False: it sends all
    /// the same, to show that the server keeps nothing of it.
    pub honour_direction: bool,
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
            request_user: request_user.to_owned(),
            participants: vec![
                Participant::new("sip:verkoop@voorbeeld.example", "Verkoop"),
                Participant::new("tel:+31201234567", "Klant"),
            ],
            streams: vec![
                StreamPlan::new("1", Payload::once(speech::AGENT)),
                StreamPlan::new("2", Payload::once(speech::CUSTOMER)),
            ],
            packet_ms: 20,
            duration: None,
            honour_direction: true,
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
        if !(10..=100).contains(&self.packet_ms) {
            return bad("a packet lasts 10 to 100 milliseconds");
        }
        if self.participants.len() > limits::PARTIES_MAX {
            return bad("a call has at most 64 participants");
        }
        if !is_user(&self.request_user) {
            return bad("the line may hold letters, digits and -_.+~*'() only");
        }
        let is_token =
            |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_graphic());
        if !self.streams.iter().all(|stream| is_token(&stream.label)) {
            return bad("a label is one word of printable ASCII");
        }
        Ok(())
    }

    /// Packets of one stream from start to end, if there is an end.
    fn packets(&self) -> Option<u64> {
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

/// The server's answer to the INVITE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// SIP status, 200 to 299.
    pub status: u16,
    /// What it says about each stream, in the order of the offer.
    pub streams: Vec<AnsweredStream>,
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
        /// The reason phrase as sent.
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

/// Takes the packets of a call: the number of the stream, where to, and the datagram.
pub(crate) type Sink<'a> = dyn FnMut(usize, SocketAddr, &[u8]) + 'a;

/// One stream between two ticks.
#[derive(Debug)]
struct Stream {
    label: String,
    sender: Sender,
    to: Option<SocketAddr>,
    flows: bool,
    /// It has just ceased to flow: what was held back goes out.
    to_flush: Option<SocketAddr>,
    first_sent_at: Option<Instant>,
    last_sent_at: Option<Instant>,
    changes: Vec<FlowChange>,
}

/// One call between two ticks.
#[derive(Debug)]
pub(crate) struct Call {
    dialog: Dialog,
    streams: Vec<Stream>,
    interval: Duration,
    limit: Option<u64>,
    honours: bool,
    anchor: Anchor,
    asked_at: Instant,
    patience: Duration,
    pace: Option<Pace>,
    /// A queue of calls with media knows this one.
    entered: bool,
    answer: Option<Answer>,
    outcome: Option<Outcome>,
    pub(crate) direction_reply: Option<u16>,
    pub(crate) metadata_reply: Option<u16>,
}

impl Call {
    /// Builds the call and its INVITE. `ports`: where each stream is sent from.
    pub(crate) fn start(
        plan: &CallPlan,
        local: SocketAddr,
        ports: &[u16],
        mut names: Names,
        anchor: Anchor,
        now: Instant,
    ) -> Self {
        let labels: Vec<String> = plan.streams.iter().map(|s| s.label.clone()).collect();
        let wall = anchor.wall_at(now);
        let metadata = Metadata::new(&mut names, wall, &plan.participants, &labels);
        let stream = |(label, port): (&String, &u16)| LocalStream {
            port: *port,
            label: label.clone(),
            open: true,
            direction: Direction::SendOnly,
        };
        let media = LocalMedia {
            session: low_32(names.next()),
            version: 0,
            address: local.ip(),
            packet_ms: plan.packet_ms,
            streams: labels.iter().zip(ports).map(stream).collect(),
        };
        let streams = plan
            .streams
            .iter()
            .map(|s| Stream::new(s, plan, &mut names));
        let streams = streams.collect();
        let identity = Identity {
            server: plan.server,
            local,
            transport: plan.transport,
            line: plan.request_user.clone(),
        };
        let mut dialog = Dialog::new(identity, names, media, metadata);
        dialog.start(now);
        Self {
            dialog,
            streams,
            interval: Duration::from_millis(plan.packet_ms.into()),
            limit: plan.packets(),
            honours: plan.honour_direction,
            anchor,
            asked_at: now,
            patience: plan.answer_within,
            pace: None,
            entered: false,
            answer: None,
            outcome: None,
            direction_reply: None,
            metadata_reply: None,
        }
    }

    pub(crate) fn call_id(&self) -> &str {
        self.dialog.call_id()
    }

    pub(crate) const fn dialog(&mut self) -> &mut Dialog {
        &mut self.dialog
    }

    pub(crate) const fn answer(&self) -> Option<&Answer> {
        self.answer.as_ref()
    }

    pub(crate) const fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// What each stream does now: label, whether it flows, what was sent, what the server says.
    pub(crate) fn streams(
        &self,
    ) -> impl Iterator<Item = (&str, bool, &Sent, Option<&AnsweredStream>)> {
        self.streams.iter().enumerate().map(|(place, stream)| {
            let remote = self.dialog.remote().get(place);
            (
                stream.label.as_str(),
                stream.flows,
                &stream.sender.sent,
                remote,
            )
        })
    }

    pub(crate) const fn is_over(&self) -> bool {
        self.dialog.is_over()
    }

    /// When the first packet is due: once, for whoever keeps a queue of calls with media.
    pub(crate) fn media_entry(&mut self) -> Option<Instant> {
        let due = self.media_due().filter(|_| !self.entered);
        self.entered |= due.is_some();
        due
    }

    /// Takes in a message for this call.
    pub(crate) fn receive(&mut self, message: &Message, now: Instant) {
        self.dialog.receive(message, now);
        self.take_events(now);
    }

    /// Does what is due apart from media.
    pub(crate) fn on_time(&mut self, now: Instant) {
        let waited = now.saturating_duration_since(self.asked_at);
        if self.answer.is_none() && waited >= self.patience {
            self.dialog.hang_up(now);
        }
        let done = match (self.pace, self.limit) {
            (Some(pace), Some(limit)) => pace.taken() >= limit && now >= pace.due(),
            _ => false,
        };
        if done {
            self.dialog.hang_up(now);
        }
        self.dialog.on_time(now);
        self.take_events(now);
    }

    /// The transport failed. A call that stands is only lost if the transport cannot come back.
    pub(crate) fn transport_failed(&mut self, why: &str, for_good: bool, now: Instant) {
        if self.answer.is_none() && self.outcome.is_none() {
            self.outcome = Some(Outcome::Unreachable {
                why: why.to_owned(),
            });
            self.dialog.break_off(Side::Server);
        } else if for_good {
            self.dialog.break_off(Side::Server);
        }
        self.take_events(now);
    }

    /// When the next packet is due.
    pub(crate) fn media_due(&self) -> Option<Instant> {
        self.pace.map(|pace| pace.due())
    }

    /// Sends every packet that is due.
    pub(crate) fn send_due(&mut self, now: Instant, lateness: &mut Lateness, sink: &mut Sink<'_>) {
        for (place, stream) in self.streams.iter_mut().enumerate() {
            if let Some(to) = stream.to_flush.take() {
                stream.sender.pause(|bytes| sink(place, to, bytes));
            }
        }
        let Some(pace) = &mut self.pace else {
            return;
        };
        while self.limit.is_none_or(|limit| pace.taken() < limit) {
            let Some((number, late)) = pace.take(now) else {
                return;
            };
            for (place, stream) in self.streams.iter_mut().enumerate() {
                let (true, Some(to)) = (stream.flows, stream.to) else {
                    continue;
                };
                lateness.add(late);
                stream.first_sent_at.get_or_insert(now);
                stream.last_sent_at = Some(now);
                stream.sender.packet(number, |bytes| sink(place, to, bytes));
            }
        }
    }

    fn take_events(&mut self, now: Instant) {
        let mut by = None;
        for event in self.dialog.take_events() {
            match event {
                Event::Answered { status } => {
                    self.answer = Some(Answer {
                        status,
                        streams: self.dialog.remote().to_vec(),
                        waited: now.saturating_duration_since(self.asked_at),
                    });
                    self.pace = Some(Pace::new(now, self.interval));
                }
                Event::Media { by: side } => by = Some(side),
                Event::DirectionReply { status } => {
                    self.direction_reply = Some(status);
                    by = by.or(Some(Side::Client));
                }
                Event::MetadataReply { status } => self.metadata_reply = Some(status),
                Event::Refused {
                    status,
                    reason,
                    retry_after,
                } => self.conclude(Outcome::Refused {
                    status,
                    reason,
                    retry_after,
                }),
                Event::BadAnswer { why } => self.conclude(Outcome::BadAnswer { why }),
                Event::NoAnswer => self.conclude(Outcome::NoAnswer),
                Event::Ended { by: side, status } => {
                    by = Some(side);
                    self.conclude(Outcome::Ended { by: side, status });
                }
            }
        }
        self.refresh(by.unwrap_or(Side::Client), now);
    }

    /// The first reason is the one that counts. A call that we gave up had no answer.
    fn conclude(&mut self, outcome: Outcome) {
        let gave_up = matches!(outcome, Outcome::Refused { status: 487, .. });
        let outcome = if gave_up { Outcome::NoAnswer } else { outcome };
        self.outcome.get_or_insert(outcome);
    }

    /// Looks again at which streams flow.
    fn refresh(&mut self, by: Side, now: Instant) {
        for (place, stream) in self.streams.iter_mut().enumerate() {
            let remote = self.dialog.remote().get(place);
            let to = remote.and_then(|remote| remote.address);
            let flows = if self.honours {
                self.dialog.flows(place)
            } else {
                self.dialog.is_talking() && to.is_some()
            };
            if let Some(remote) = remote {
                stream.sender.use_codec(remote.codec);
            }
            if flows != stream.flows {
                stream.to_flush = stream.to.filter(|_| stream.flows);
                stream.changes.push(FlowChange {
                    at: self.anchor.wall_at(now),
                    flows,
                    by,
                });
            }
            stream.flows = flows;
            stream.to = to;
        }
    }

    /// Closes the books.
    pub(crate) fn report(self, lateness: Lateness) -> CallReport {
        let anchor = self.anchor;
        CallReport {
            call_id: self.dialog.call_id().to_owned(),
            answer: self.answer,
            outcome: self.outcome.unwrap_or(Outcome::NoAnswer),
            streams: self.streams.into_iter().map(|s| s.report(anchor)).collect(),
            lateness,
        }
    }
}

impl Stream {
    fn new(plan: &StreamPlan, call: &CallPlan, names: &mut Names) -> Self {
        let drawn = names.next();
        let numbering = Numbering {
            ssrc: low_32(names.next()),
            sequence: plan.first_sequence.unwrap_or_else(|| low_16(drawn)),
            timestamp: plan.first_timestamp.unwrap_or_else(|| low_32(drawn >> 16)),
        };
        let mut sender = Sender::new(plan.payload.clone(), call.packet_ms, numbering);
        sender.disturb(plan.disturbance.clone());
        if plan.keep_payload {
            sender.keep_payload();
        }
        Self {
            label: plan.label.clone(),
            sender,
            to: None,
            flows: false,
            to_flush: None,
            first_sent_at: None,
            last_sent_at: None,
            changes: Vec::new(),
        }
    }

    fn report(self, anchor: Anchor) -> StreamReport {
        let (ssrc, codec) = (self.sender.ssrc, self.sender.codec());
        let (sent, payload_sha256, payload) = self.sender.finish();
        StreamReport {
            label: self.label,
            ssrc,
            codec,
            sent,
            payload_sha256,
            payload,
            first_sent_at: self.first_sent_at.map(|at| anchor.wall_at(at)),
            last_sent_at: self.last_sent_at.map(|at| anchor.wall_at(at)),
            changes: self.changes,
        }
    }
}

fn low_16(number: u64) -> u16 {
    u16::try_from(number & 0xffff).unwrap_or(0)
}

fn low_32(number: u64) -> u32 {
    u32::try_from(number & 0xffff_ffff).unwrap_or(0)
}
