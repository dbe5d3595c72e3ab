//! Load: many calls at once from one thread, one signalling socket and one media socket for each
//! stream of a call, at a real pace.

use crate::batch::Batch;
use crate::call::Call;
use crate::coder::Offered;
use crate::dialect::Dialect;
use crate::dialog::Transport;
use crate::error::SimError;
use crate::metadata::Participant;
use crate::pace::{self, Anchor, Lateness};
use crate::plan::{CallPlan, Flow, StreamPlan};
use crate::random::{Names, mix_at};
use crate::report::CallReport;
use crate::rtp::Payload;
use crate::signalling::{Signalling, open_media};
use crate::speech;
use crate::srtp::SrtpSuite;
use crate::tls::TlsClient;
use crate::weather::Weather;
use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longest sleep of the loop: the grain of the pace.
const TICK: Duration = Duration::from_millis(1);
/// How often the timers of all calls are looked at; a tenth of the shortest of them.
const TIMER_TICK: Duration = Duration::from_millis(50);
/// Milliseconds of sound in a packet.
const PACKET_MS: u32 = 20;
/// Streams of a call, in the dialect that has most.
const STREAMS: usize = 2;
/// How much longer than the notice a call is at least.
const AFTER_NOTICE: Duration = Duration::from_secs(2);
/// Most calls in one load, so that a slip of the keyboard is not a flood.
const CALLS_MAX: u32 = 20_000;

/// What the streams of a load carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadPayload {
    /// The Dutch sales call, over and over: to listen to.
    Speech,
    /// Other bytes in every packet: to compare. Stream `s` (from 0) of call `c` (from 0) carries
    /// [`Payload::Seeded`] of [`Load::stream_seed`].
    Seeded,
}

/// A load to be placed on a server.
#[derive(Debug, Clone)]
pub struct Load {
    /// Where the recording server listens.
    pub server: SocketAddr,
    /// How signalling travels; over TCP and TLS all calls share one connection.
    pub transport: Transport,
    /// Whom to believe over TLS.
    pub tls: Option<TlsClient>,
    /// User part of the request URI: the line that the server knows the calls by.
    pub request_user: String,
    /// Calls in all.
    pub calls: u32,
    /// How long media runs in each call, from its answer to our BYE.
    pub duration: Duration,
    /// Calls begun in a second.
    pub calls_per_second: u32,
    /// Who takes part; absent: a caller and a callee of its own for every call.
    pub participants: Option<Vec<Participant>>,
    /// What is sent.
    pub payload: LoadPayload,
    /// What is played first, to one side, while the others are silent: a notice, in A-law at 8 kHz. Only
    /// with [`LoadPayload::Speech`].
    pub notice: Option<Arc<[u8]>>,
    /// In which codec.
    pub offered: Offered,
    /// With what it is protected; absent: plain RTP.
    pub srtp: Option<SrtpSuite>,
    /// Two loads with the same seed send the same bytes.
    pub seed: u64,
    /// How long to wait for the final answer of each call.
    pub answer_within: Duration,
    /// The ways of writing a call, in turn.
    pub dialects: Vec<Dialect>,
    /// What happens in the middle of each call.
    pub flow: Flow,
    /// Calls in progress at once at most; 0: as many as there are.
    pub at_once: u32,
    /// What goes wrong with the media, on purpose.
    pub weather: Weather,
}

impl Load {
    /// A load of seeded bytes with two streams in each call.
    #[must_use]
    pub fn new(server: SocketAddr, request_user: &str, calls: u32, duration: Duration) -> Self {
        Self {
            server,
            transport: Transport::Udp,
            tls: None,
            request_user: request_user.to_owned(),
            calls,
            duration,
            calls_per_second: 100,
            participants: None,
            payload: LoadPayload::Seeded,
            notice: None,
            offered: Offered::G711,
            srtp: None,
            seed: 1,
            answer_within: Duration::from_secs(32),
            dialects: vec![Dialect::Plain],
            flow: Flow::Plain,
            at_once: 0,
            weather: Weather::default(),
        }
    }

    /// The seed of one stream's payload.
    #[must_use]
    pub const fn stream_seed(&self, call: u32, stream: u32) -> u64 {
        // Widening casts cannot lose; `u64::from` is not const.
        mix_at(self.seed, ((call as u64) << 8) | (stream as u64))
    }

    /// Caller and callee of one call, if the load does not name them: numbers in Amsterdam that
    /// nobody has, since no subscriber's number begins with 0. Their country is known on any line.
    #[must_use]
    pub fn default_participants(call: u32) -> Vec<Participant> {
        vec![
            Participant::new(&format!("tel:+312000{call:05}"), "Agent"),
            Participant::new(&format!("tel:+312001{call:05}"), "Klant"),
        ]
    }

    /// The INVITE of one call, as it would go out from this address: for whoever damages it first.
    #[must_use]
    pub fn invite(&self, call: u32, local: SocketAddr) -> Vec<u8> {
        let seed = self.stream_seed(call, 255);
        Call::invite_of(&self.plan(call, seed), local, seed)
    }

    /// The dialect of one call.
    #[must_use]
    pub fn dialect(&self, call: u32) -> Dialect {
        let dialects = self.dialects.iter().cycle();
        let place = usize::try_from(call).unwrap_or(0);
        let place = place.checked_rem(self.dialects.len()).unwrap_or(0);
        dialects.copied().nth(place).unwrap_or_default()
    }

    /// `base`: where the numbers of this run begin.
    fn plan(&self, call: u32, base: u64) -> CallPlan {
        let payload = |stream, samples| match self.payload {
            LoadPayload::Speech => self.spoken(stream, samples),
            LoadPayload::Seeded => Payload::Seeded(self.stream_seed(call, stream)),
        };
        let dialect = self.dialect(call);
        let packets = self.duration.as_millis().div_ceil(PACKET_MS.into());
        let packets = u64::try_from(packets).unwrap_or(u64::MAX);
        let spoken = [speech::AGENT, speech::CUSTOMER];
        let stream = |((label, said), number): ((&&str, &'static [u8]), u32)| {
            let seed = self.stream_seed(call, number);
            StreamPlan {
                disturbance: self.weather.over(packets, seed),
                first_sequence: Some(first_sequence(base, call, number)),
                ..StreamPlan::new(label, payload(number, said))
            }
        };
        let streams = dialect.labels().iter().zip(spoken).zip(0..);
        let participants = self.participants.clone();
        CallPlan {
            transport: self.transport,
            tls: self.tls.clone(),
            participants: participants.unwrap_or_else(|| Self::default_participants(call)),
            streams: streams.map(stream).collect(),
            packet_ms: PACKET_MS,
            dialect,
            flow: self.flow.clone(),
            linger: Duration::from_millis(self.weather.jitter_ms.into()),
            duration: Some(self.duration),
            answer_within: self.answer_within,
            offered: self.offered,
            srtp: self.srtp,
            ..CallPlan::speech(self.server, &self.request_user)
        }
    }

    /// What is said on a stream: after the notice, if there is one, and again and again.
    fn spoken(&self, stream: u32, samples: &'static [u8]) -> Payload {
        let Some(notice) = &self.notice else {
            return Payload::looping(samples);
        };
        let mut all = if stream == 0 {
            notice.to_vec()
        } else {
            vec![speech::SILENCE; notice.len()]
        };
        all.extend_from_slice(samples.get(speech::NOTICE_BYTES..).unwrap_or_default());
        Payload::Samples {
            samples: Cow::Owned(all),
            looping: true,
        }
    }

    fn check(&self) -> Result<(), SimError> {
        let bad = |why: String| Err(SimError::BadPlan { why });
        if self.calls == 0 || self.calls > CALLS_MAX {
            return bad(format!("a load has 1 to {CALLS_MAX} calls"));
        }
        if self.calls_per_second == 0 {
            return bad("at least one call a second must begin".to_owned());
        }
        if let Some(notice) = &self.notice {
            let millis = u64::try_from(notice.len() / 8).unwrap_or(u64::MAX);
            if self.duration < Duration::from_millis(millis) + AFTER_NOTICE {
                return bad(format!(
                    "the notice lasts {} s and the call {}: make the call two seconds longer than the notice at least",
                    millis.div_ceil(1_000),
                    self.duration.as_secs()
                ));
            }
        }
        self.weather.check()?;
        self.plan(0, 0).check()
    }
}

/// Where the numbers of a stream begin: each call of a run elsewhere, and each run elsewhere, so
/// that what was kept can be told apart afterwards by the numbers alone.
fn first_sequence(base: u64, call: u32, stream: u32) -> u16 {
    // An odd factor: no two of 65,536 calls begin at the same number.
    let step = if stream == 0 { 40_503 } else { 30_011 };
    let start = mix_at(base, stream.into());
    let number = start.wrapping_add(u64::from(call).wrapping_mul(step));
    u16::try_from(number & 0xffff).unwrap_or(0)
}

/// Where a load stands, told once a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Calls begun.
    pub begun: u32,
    /// Of these, answered with a 2xx.
    pub answered: u32,
    /// Of these, over (ended, refused or failed).
    pub over: u32,
}

/// What became of a load.
#[derive(Debug, Clone)]
pub struct LoadReport {
    /// Every call in the order begun. The calls' own `lateness` is empty: see the next field.
    pub calls: Vec<CallReport>,
    /// How late the sender was, over all packets of all calls.
    pub lateness: Lateness,
    /// Datagrams that the kernel did not take.
    pub unsent: u64,
    /// From the first INVITE to the last end of a call.
    pub took: Duration,
}

/// Runs a load to its end, in the calling thread.
///
/// # Errors
/// [`SimError::BadPlan`] and [`SimError::Socket`]; a call that fails is in the report.
pub fn run(load: &Load) -> Result<LoadReport, SimError> {
    run_with(load, |_| ())
}

/// As [`run`], and says once a second where it stands.
///
/// # Errors
/// As [`run`].
pub fn run_with(load: &Load, mut progress: impl FnMut(Progress)) -> Result<LoadReport, SimError> {
    load.check()?;
    let mut engine = Engine::open(load)?;
    let mut told = engine.started;
    while !engine.is_done() {
        let now = pace::now();
        engine.tick(now);
        if now.saturating_duration_since(told) >= Duration::from_secs(1) {
            told = now;
            progress(engine.progress());
        }
        engine.rest();
    }
    progress(engine.progress());
    Ok(engine.report())
}

/// A datagram that the weather holds back.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Delayed {
    at: Instant,
    stream: usize,
    to: SocketAddr,
    bytes: Vec<u8>,
}

struct Engine<'a> {
    load: &'a Load,
    signalling: Signalling,
    batches: Vec<Batch>,
    ports: Vec<u16>,
    names: Names,
    base: u64,
    anchor: Anchor,
    started: Instant,
    calls: Vec<Call>,
    by_call_id: HashMap<String, usize>,
    /// Calls with media, the one whose packet is due first on top.
    media: BinaryHeap<Reverse<(Instant, usize)>>,
    timers_at: Instant,
    over: usize,
    /// Datagrams that the weather holds back, the one that goes first on top.
    delayed: BinaryHeap<Reverse<Delayed>>,
    lateness: Lateness,
    last_over_at: Instant,
}

impl<'a> Engine<'a> {
    fn open(load: &'a Load) -> Result<Self, SimError> {
        let server = load.server;
        let signalling = Signalling::open(server, load.transport, load.tls.as_ref())?;
        let (mut batches, mut ports) = (Vec::new(), Vec::new());
        for _ in 0..STREAMS {
            let socket = open_media(signalling.local().ip(), server)?;
            let local = socket.local_addr();
            ports.push(
                local
                    .map_err(|source| SimError::Socket { server, source })?
                    .port(),
            );
            batches.push(Batch::new(socket));
        }
        let started = pace::now();
        let mut names = Names::from_system()?;
        Ok(Self {
            load,
            signalling,
            batches,
            ports,
            base: names.next(),
            names,
            anchor: Anchor::take(),
            started,
            calls: Vec::new(),
            by_call_id: HashMap::new(),
            media: BinaryHeap::new(),
            timers_at: started,
            over: 0,
            delayed: BinaryHeap::new(),
            lateness: Lateness::default(),
            last_over_at: started,
        })
    }

    fn is_done(&self) -> bool {
        let begun = self.calls.len();
        usize::try_from(self.load.calls).is_ok_and(|all| begun >= all) && self.over >= begun
    }

    fn tick(&mut self, now: Instant) {
        self.begin_calls(now);
        self.take_messages(now);
        if now >= self.timers_at {
            self.timers_at = now + TIMER_TICK;
            for place in 0..self.calls.len() {
                self.after(place, now, |call| call.on_time(now));
            }
        }
        self.send_media(now);
    }

    /// Begins the calls whose turn has come.
    fn begin_calls(&mut self, now: Instant) {
        let ran = now.saturating_duration_since(self.started).as_micros();
        let due = ran * u128::from(self.load.calls_per_second) / 1_000_000 + 1;
        let room = match self.load.at_once {
            0 => usize::MAX,
            most => usize::try_from(most).unwrap_or(usize::MAX),
        };
        while self.calls.len() < usize::try_from(self.load.calls).unwrap_or(usize::MAX)
            && u128::try_from(self.calls.len()).is_ok_and(|begun| begun < due)
            && self.calls.len() - self.over < room
        {
            let place = self.calls.len();
            let plan = self
                .load
                .plan(u32::try_from(place).unwrap_or(u32::MAX), self.base);
            let names = Names::from_seed(self.names.next());
            let local = self.signalling.local();
            let call = Call::start(&plan, local, &self.ports, names, self.anchor, now);
            self.by_call_id.insert(call.call_id().to_owned(), place);
            self.calls.push(call);
            self.after(place, now, |_| ());
        }
    }

    fn take_messages(&mut self, now: Instant) {
        let mut touched = Vec::new();
        let (calls, by_call_id) = (&mut self.calls, &self.by_call_id);
        let received = self.signalling.receive(|message| {
            let id = message.header("call-id").unwrap_or_default();
            if let Some(place) = by_call_id.get(id)
                && let Some(call) = calls.get_mut(*place)
            {
                call.receive(message, now);
                touched.push(*place);
            }
        });
        for place in touched {
            self.settle(place, now);
        }
        if let Err(error) = received {
            let for_good = error.kind() != std::io::ErrorKind::ConnectionRefused;
            for place in 0..self.calls.len() {
                let why = error.to_string();
                self.after(place, now, |call| {
                    call.transport_failed(&why, for_good, now);
                });
            }
        }
    }

    /// Does something with a call and then what follows from it.
    fn after(&mut self, place: usize, now: Instant, act: impl FnOnce(&mut Call)) {
        let Some(call) = self.calls.get_mut(place) else {
            return;
        };
        if !call.is_over() {
            act(call);
        }
        self.settle(place, now);
    }

    /// Sends what the call has to say; enters it for media; counts its end.
    fn settle(&mut self, place: usize, now: Instant) {
        let Some(call) = self.calls.get_mut(place) else {
            return;
        };
        let mut failed = None;
        for bytes in call.dialog().take_outgoing() {
            if let Err(error) = self.signalling.send(&bytes) {
                failed = Some(error);
            }
        }
        if let Some(error) = failed {
            let for_good = error.kind() != std::io::ErrorKind::ConnectionRefused;
            call.transport_failed(&error.to_string(), for_good, now);
        }
        if let Some(due) = call.media_entry() {
            self.media.push(Reverse((due, place)));
        }
        if call.has_just_ended() {
            self.over += 1;
            self.last_over_at = now;
        }
    }

    fn send_media(&mut self, now: Instant) {
        let (batches, lateness) = (&mut self.batches, &mut self.lateness);
        let (delayed, weather, seed) = (&mut self.delayed, self.load.weather, self.load.seed);
        let mut sink = |stream: usize, to: SocketAddr, bytes: &[u8]| {
            let wait = weather.delay(seed, stream, bytes);
            if !wait.is_zero() {
                let bytes = bytes.to_vec();
                let at = now + wait;
                delayed.push(Reverse(Delayed {
                    at,
                    stream,
                    to,
                    bytes,
                }));
            } else if let Some(batch) = batches.get_mut(stream) {
                batch.add(to, bytes);
            }
        };
        while let Some(Reverse((due, place))) = self.media.peek().copied() {
            if due > now {
                break;
            }
            self.media.pop();
            let Some(call) = self.calls.get_mut(place).filter(|call| !call.is_over()) else {
                continue;
            };
            call.send_due(now, lateness, &mut sink);
            if let Some(next) = call.media_due() {
                // After its last packet a call stays entered until its BYE is answered, so that
                // what was held back goes out; it is due again no sooner than the next tick.
                self.media.push(Reverse((next.max(now + TICK), place)));
            }
        }
        while self
            .delayed
            .peek()
            .is_some_and(|Reverse(first)| first.at <= now)
        {
            let Some(Reverse(ready)) = self.delayed.pop() else {
                break;
            };
            if let Some(batch) = self.batches.get_mut(ready.stream) {
                batch.add(ready.to, &ready.bytes);
            }
        }
        for batch in &mut self.batches {
            batch.flush();
        }
    }

    fn rest(&self) {
        let tick = pace::now() + TICK;
        let due = self.media.peek().map(|Reverse((due, _))| *due);
        pace::wait_until(due.map_or(tick, |due| due.min(tick)));
    }

    fn progress(&self) -> Progress {
        let count = |wanted: fn(&Call) -> bool| {
            let counted = self.calls.iter().filter(|call| wanted(call)).count();
            u32::try_from(counted).unwrap_or(u32::MAX)
        };
        Progress {
            begun: count(|_| true),
            answered: count(|call| call.answer().is_some()),
            over: count(Call::is_over),
        }
    }

    fn report(self) -> LoadReport {
        let reports = self.calls.into_iter();
        LoadReport {
            calls: reports.map(|c| c.report(Lateness::default())).collect(),
            lateness: self.lateness,
            unsent: self.batches.iter().map(Batch::unsent).sum(),
            took: self.last_over_at.saturating_duration_since(self.started),
        }
    }
}
