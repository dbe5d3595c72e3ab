//! One call between two ticks of the sender. Who drives it (one thread for one call, or one thread
//! for thousands) is elsewhere.

use crate::dialog::{Dialog, Event, Identity, Side};
use crate::message::Message;
use crate::metadata::{Metadata, Participant};
use crate::pace::{self, Anchor, Lateness, Pace};
use crate::plan::{CallPlan, Flow, StreamPlan};
use crate::random::Names;
use crate::report::{Answer, CallReport, FlowChange, Outcome, StreamReport};
use crate::rtcp;
use crate::rtp::{Numbering, Sender, Sent};
use crate::sdp::{AnsweredStream, Direction, LocalMedia, LocalStream};
use crate::srtp::MasterKey;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Between two sender reports of a stream (RFC 3550 §6.2).
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// Takes the packets of a call: the number of the stream, where to, and the datagram.
pub(crate) type Sink<'a> = dyn FnMut(usize, SocketAddr, &[u8]) + 'a;

/// For how many packets somebody stands in for a participant at most: three seconds.
const STAND_IN_PACKETS: u64 = 150;

/// Who is told of first.
fn stood_in_for(parties: &[Participant], stand_in: Option<&str>) -> Vec<Participant> {
    let mut told = parties.to_vec();
    if let (Some(stand_in), Some(second)) = (stand_in, told.get_mut(1)) {
        *second = Participant {
            address: stand_in.to_owned(),
            name: String::new(),
        };
    }
    told
}

/// One stream between two ticks.
#[derive(Debug)]
struct Stream {
    label: String,
    sender: Sender,
    to: Option<SocketAddr>,
    flows: bool,
    /// It has just ceased to flow: what was held back goes out.
    to_flush: Option<SocketAddr>,
    /// When the next RTCP report is due, and what the last one said.
    report_at: Option<Instant>,
    last_report: Option<rtcp::Moment>,
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
    linger: Duration,
    flow: Flow,
    /// Who really takes part, as long as somebody stands in for them.
    in_truth: Option<Vec<Participant>>,
    has_stand_in: bool,
    /// We put it on hold, and have not taken it back yet.
    is_on_hold: bool,
    honours: bool,
    rtcp: bool,
    anchor: Anchor,
    asked_at: Instant,
    patience: Duration,
    pace: Option<Pace>,
    /// A queue of calls with media knows this one.
    entered: bool,
    /// Whoever counts calls knows that this one is over.
    counted: bool,
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
        let style = plan.dialect.style();
        let told = stood_in_for(&plan.participants, style.stand_in);
        let in_truth = (told != plan.participants).then(|| plan.participants.clone());
        let metadata = Metadata::new(&style.xml, &mut names, wall, &told, &labels, &plan.belongs);
        let mut keys: Vec<Option<MasterKey>> = Vec::new();
        for _stream in &labels {
            keys.push(plan.srtp.map(|suite| MasterKey::draw(suite, &mut names)));
        }
        let stream = |((label, port), key): ((&String, &u16), &Option<MasterKey>)| LocalStream {
            port: *port,
            label: label.clone(),
            open: true,
            direction: Direction::SendOnly,
            key: key.clone(),
        };
        let media = LocalMedia {
            style: &style.sdp,
            session: low_32(names.next()),
            version: 0,
            address: local.ip(),
            packet_ms: plan.packet_ms,
            formats: plan.offered.formats(),
            streams: labels.iter().zip(ports).zip(&keys).map(stream).collect(),
        };
        let streams = plan
            .streams
            .iter()
            .zip(&keys)
            .map(|(s, key)| Stream::new(s, plan, key.as_ref(), &mut names));
        let streams = streams.collect();
        let identity = Identity {
            server: plan.server,
            local,
            transport: plan.transport,
            line: plan.request_user.clone(),
            dialect: plan.dialect,
            belongs: plan.belongs.clone(),
        };
        let mut dialog = Dialog::new(identity, names, media, metadata);
        dialog.start(now);
        Self {
            dialog,
            streams,
            interval: Duration::from_millis(plan.packet_ms.into()),
            limit: plan.packets(),
            linger: plan.linger,
            flow: plan.flow.clone(),
            has_stand_in: style.stand_in.is_some(),
            in_truth,
            is_on_hold: false,
            honours: plan.honour_direction,
            rtcp: plan.rtcp,
            anchor,
            asked_at: now,
            patience: plan.answer_within,
            pace: None,
            entered: false,
            counted: false,
            answer: None,
            outcome: None,
            direction_reply: None,
            metadata_reply: None,
        }
    }

    /// The INVITE of a call in this plan, as it would go out from this address.
    pub(crate) fn invite_of(plan: &CallPlan, local: SocketAddr, seed: u64) -> Vec<u8> {
        let ports: Vec<u16> = (20_000..).step_by(2).take(plan.streams.len()).collect();
        let names = Names::from_seed(seed);
        let mut call = Self::start(plan, local, &ports, names, Anchor::take(), pace::now());
        call.dialog
            .take_outgoing()
            .into_iter()
            .next()
            .unwrap_or_default()
    }

    pub(crate) fn call_id(&self) -> &str {
        self.dialog.call_id()
    }

    /// The dialog as a `Replaces` header names it.
    pub(crate) fn named(&self) -> String {
        self.dialog.named()
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

    /// Whether it is over: says so once, for whoever counts. Several messages for one call can be
    /// taken in before anybody asks.
    pub(crate) const fn has_just_ended(&mut self) -> bool {
        self.dialog.is_over() && !std::mem::replace(&mut self.counted, true)
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
            (Some(pace), Some(limit)) => pace.taken() >= limit && now >= pace.due() + self.linger,
            _ => false,
        };
        if done {
            self.dialog.hang_up(now);
        }
        self.tell_the_truth(now);
        self.follow_flow(now);
        self.dialog.on_time(now);
        self.take_events(now);
    }

    /// Says who takes part in place of whoever stood in, once it is time.
    fn tell_the_truth(&mut self, now: Instant) {
        let (Some(pace), Some(parties)) = (self.pace, &self.in_truth) else {
            return;
        };
        let wait = self.limit.map_or(STAND_IN_PACKETS, |limit| limit / 4);
        if pace.taken() >= wait.min(STAND_IN_PACKETS)
            && self.dialog.update_participants(parties, now)
        {
            self.in_truth = None;
        }
    }

    /// Does what the plan says happens in the middle of the call. A step that can't be asked at
    /// once (the server is asking something itself) is tried at the next look.
    fn follow_flow(&mut self, now: Instant) {
        let (Some(pace), Some(limit)) = (self.pace, self.limit) else {
            return;
        };
        let (taken, third) = (pace.taken(), limit / 3);
        let done = match &self.flow {
            Flow::Plain => return,
            Flow::Hold if taken >= third => self.dialog.set_wish(Direction::Inactive, now),
            Flow::Resume if taken >= 2 * third => self.dialog.set_wish(Direction::SendOnly, now),
            Flow::Transfer(to) if taken >= limit / 2 => self.dialog.update_participants(to, now),
            Flow::Hold | Flow::Resume | Flow::Transfer(_) => return,
        };
        if done {
            // Who puts a call on hold stops sending then, and not when the other side has answered.
            self.is_on_hold = matches!(self.flow, Flow::Hold);
            self.flow = match self.flow {
                Flow::Hold => Flow::Resume,
                _ => Flow::Plain,
            };
            self.refresh(Side::Client, now);
        }
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
                if let Some(mut moment) = stream.last_report.filter(|_| self.dialog.is_leaving()) {
                    let made_at = stream.report_at.and_then(|at| at.checked_sub(REPORT_EVERY));
                    let since = made_at.map(|at| now.saturating_duration_since(at));
                    stream.sender.update(&mut moment, since.unwrap_or_default());
                    let goodbye = rtcp::goodbye(&moment, self.dialog.call_id());
                    let goodbye = stream.sender.control(goodbye);
                    sink(place, rtcp_address(to), &goodbye);
                }
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
                if self.rtcp && stream.report_at.is_none_or(|at| now >= at) {
                    stream.report_at = Some(now + REPORT_EVERY);
                    let wall = self.anchor.wall_at(now);
                    let moment = stream.sender.moment(number, late, wall);
                    let report = rtcp::report(&moment, self.dialog.call_id());
                    let report = stream.sender.control(report);
                    sink(place, rtcp_address(to), &report);
                    stream.last_report = Some(moment);
                }
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
                        lines: self.dialog.remote_lines(),
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
                self.dialog.flows(place) && !self.is_on_hold
            } else {
                self.dialog.is_talking() && to.is_some()
            };
            if let Some(remote) = remote {
                stream.sender.use_format(&remote.format);
            }
            if flows && !stream.flows && stream.changes.is_empty() && self.has_stand_in {
                // The conversation begins when it may be recorded: as long as planned from then on.
                self.pace = Some(Pace::new(now, self.interval));
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
            dialect: self.dialog.dialect(),
            call_id: self.dialog.call_id().to_owned(),
            answer: self.answer,
            outcome: self.outcome.unwrap_or(Outcome::NoAnswer),
            streams: self.streams.into_iter().map(|s| s.report(anchor)).collect(),
            lateness,
        }
    }
}

impl Stream {
    fn new(plan: &StreamPlan, call: &CallPlan, key: Option<&MasterKey>, names: &mut Names) -> Self {
        let drawn = names.next();
        let numbering = Numbering {
            ssrc: low_32(names.next()),
            sequence: plan.first_sequence.unwrap_or_else(|| low_16(drawn)),
            timestamp: plan.first_timestamp.unwrap_or_else(|| low_32(drawn >> 16)),
        };
        let mut sender = Sender::new(plan.payload.clone(), call.packet_ms, numbering);
        sender.disturb(plan.disturbance.clone());
        if let Some(key) = key {
            sender.protect(key);
        }
        if plan.keep_payload {
            sender.keep_payload();
        }
        Self {
            label: plan.label.clone(),
            sender,
            to: None,
            flows: false,
            to_flush: None,
            report_at: None,
            last_report: None,
            first_sent_at: None,
            last_sent_at: None,
            changes: Vec::new(),
        }
    }

    fn report(self, anchor: Anchor) -> StreamReport {
        let (ssrc, codec) = (self.sender.ssrc, self.sender.codec().clone());
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

/// RTCP goes to the port after that of the media (RFC 3550 §11).
fn rtcp_address(media: SocketAddr) -> SocketAddr {
    SocketAddr::new(media.ip(), media.port().saturating_add(1))
}

fn low_16(number: u64) -> u16 {
    u16::try_from(number & 0xffff).unwrap_or(0)
}

fn low_32(number: u64) -> u32 {
    u32::try_from(number & 0xffff_ffff).unwrap_or(0)
}
