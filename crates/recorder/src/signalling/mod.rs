//! The signalling thread: SIP over UDP, TCP and TLS, the endpoint's timers, and call control.
//!
//! One thread with a runtime of its own. Nothing on it waits for the disk or for media.

mod crowd;
mod notice;
mod refusals;
mod tcp;

pub(crate) use notice::{ChangedCalls, Notice, Notices};

use crate::alarms::AlarmKey;
use crate::control::Control;
use crate::guard::contained;
use crate::shared::{Shared, WhyNot};
use crowd::Crowd;
use refusals::{Refusals, Said};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tcp::{Connections, TcpEvent};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc::{Receiver, UnboundedReceiver};
use tokio::time::{Instant, sleep_until};
use voicelog_model::{Clock, Timestamp, limits};
use voicelog_srs::{Endpoint, Input, Output, Peer, Transport};
use voicelog_tls::TlsAcceptor;

/// Datagrams read in a row before the rest of the thread gets its turn.
const DATAGRAMS_IN_A_ROW: usize = 64;
/// How often the state of the whole is looked at.
const TICK: Duration = Duration::from_secs(1);
/// The alarm that new calls are turned away.
const NO_NEW_CALLS: &str = "no_new_calls";
/// The alarm that every connection for SIP is taken.
const CONNECTIONS_FULL: &str = "connections_full";
/// The alarm that calls, or clients, are refused for what they send.
const CALLS_REFUSED: &str = "calls_refused";
/// Pause after a connection that could not be accepted: where files have run out, the next try
/// fails at once as well.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// What the signalling thread is made of.
pub(crate) struct Parts {
    pub(crate) endpoint: Endpoint,
    pub(crate) control: Control,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) udp: Option<std::net::UdpSocket>,
    pub(crate) tcp: Option<std::net::TcpListener>,
    pub(crate) tls: Option<(std::net::TcpListener, TlsAcceptor)>,
    pub(crate) notices: UnboundedReceiver<Notice>,
    pub(crate) changed: ChangedCalls,
    pub(crate) calls_max: usize,
    pub(crate) retry_after_seconds: u32,
}

/// What woke the thread up.
enum Woken {
    Udp,
    Tcp(TcpEvent),
    Accepted(Transport, TcpStream, SocketAddr),
    NotAccepted,
    Notice(Option<Notice>),
    Changed,
    Timeout,
    Tick,
}

struct Signalling {
    endpoint: Endpoint,
    control: Control,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    udp: Option<(UdpSocket, SocketAddr)>,
    tcp: Option<TcpListener>,
    tls: Option<TcpListener>,
    connections: Connections,
    crowd: Crowd,
    tcp_events: Receiver<TcpEvent>,
    notices: UnboundedReceiver<Notice>,
    changed: ChangedCalls,
    calls_max: usize,
    retry_after_seconds: u32,
    is_draining: bool,
    tell_idle: Option<std::sync::mpsc::Sender<()>>,
    /// The last moment that the endpoint was told.
    last_moment: Timestamp,
    /// By how much our clock was set back since the start, in microseconds.
    set_back: i64,
    datagram: Box<[u8]>,
    counts: std::collections::BTreeMap<&'static str, u64>,
    refusals: Refusals,
    next_tick: Instant,
    /// No connection is accepted before this moment.
    accept_again: Instant,
}

/// Runs the signalling thread until it is told to stop.
pub(crate) fn run(parts: Parts) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        Signalling::new(parts)?.run().await;
        Ok(())
    })
}

impl Signalling {
    /// Must be called inside the runtime: it registers the sockets there.
    fn new(parts: Parts) -> io::Result<Self> {
        let udp = match parts.udp {
            Some(socket) => {
                let address = socket.local_addr()?;
                Some((UdpSocket::from_std(socket)?, address))
            }
            None => None,
        };
        let (tls, acceptor) = parts.tls.unzip();
        let (connections, tcp_events) = Connections::new(acceptor);
        Ok(Self {
            endpoint: parts.endpoint,
            control: parts.control,
            clock: parts.clock,
            shared: parts.shared,
            udp,
            tcp: parts.tcp.map(TcpListener::from_std).transpose()?,
            tls: tls.map(TcpListener::from_std).transpose()?,
            connections,
            crowd: Crowd::default(),
            tcp_events,
            notices: parts.notices,
            changed: parts.changed,
            calls_max: parts.calls_max,
            retry_after_seconds: parts.retry_after_seconds,
            is_draining: false,
            tell_idle: None,
            last_moment: Timestamp::default(),
            set_back: 0,
            datagram: vec![0; limits::SIP_MESSAGE_BYTES_MAX].into_boxed_slice(),
            counts: std::collections::BTreeMap::new(),
            refusals: Refusals::default(),
            next_tick: Instant::now(),
            accept_again: Instant::now(),
        })
    }

    async fn run(mut self) {
        self.on_tick();
        loop {
            let woken = self.wait().await;
            // A message that finds a mistake of ours costs itself, not the calls beside it.
            let goes_on = contained("acting on a message", || self.act(woken)).unwrap_or(true);
            if contained("answering a message", || self.pump()).is_none() {
                self.count("failed_inside");
            }
            if !goes_on {
                return;
            }
        }
    }

    async fn wait(&mut self) -> Woken {
        let timeout = self.next_timeout();
        tokio::select! {
            Some(()) = readable(self.udp.as_ref()) => Woken::Udp,
            Some(event) = self.tcp_events.recv() => Woken::Tcp(event),
            accepted = accept(Transport::Tcp, self.tcp.as_ref(), self.accept_again) => accepted,
            accepted = accept(Transport::Tls, self.tls.as_ref(), self.accept_again) => accepted,
            notice = self.notices.recv() => Woken::Notice(notice),
            () = self.changed.wait() => Woken::Changed,
            () = sleep_until(timeout) => Woken::Timeout,
            () = sleep_until(self.next_tick) => Woken::Tick,
        }
    }

    /// When the endpoint wants to be called. Its moments are on our clock, which may not be the
    /// machine's, so the wait is worked out anew each time and never longer than a tick.
    fn next_timeout(&self) -> Instant {
        let wait = self.endpoint.next_timeout().map(|at| {
            let now = self.clock.now().plus_micros(self.set_back);
            let micros = at.micros_since(now).max(0);
            Duration::from_micros(micros.unsigned_abs())
        });
        Instant::now() + wait.unwrap_or(TICK).min(TICK)
    }

    /// The moment for the endpoint, never earlier than the last: its timers count on that, and a machine's
    /// clock can be set back. From then on it is ahead by as much, so that timers go on.
    fn sip_now(&mut self) -> Timestamp {
        let now = self.clock.now().plus_micros(self.set_back);
        let behind = self.last_moment.micros_since(now);
        if behind > 0 {
            self.set_back = self.set_back.saturating_add(behind);
        }
        self.last_moment = self.last_moment.max(now);
        self.last_moment
    }

    /// False when the thread shall end.
    fn act(&mut self, woken: Woken) -> bool {
        let now = self.clock.now();
        // Before an answer of the law is taken: it may be about facts that have changed since.
        self.take_changed(now);
        match woken {
            Woken::Udp => self.read_datagrams(),
            Woken::Tcp(event) => self.on_tcp(event),
            Woken::Accepted(transport, stream, address) => {
                if self.connections.are_full() {
                    self.make_room(now);
                }
                if !self.connections.accept(transport, stream, address) {
                    self.count("tcp_too_many");
                }
            }
            Woken::NotAccepted => {
                self.count("tcp_not_accepted");
                self.accept_again = Instant::now() + ACCEPT_PAUSE;
            }
            Woken::Notice(Some(notice)) => return self.on_notice(notice, now),
            Woken::Notice(None) => return false,
            // Taken above.
            Woken::Changed => {}
            Woken::Timeout => {
                let now = self.sip_now();
                self.endpoint.handle(Input::Timeout { now });
            }
            Woken::Tick => self.on_tick(),
        }
        true
    }

    /// Lets endpoint and call control talk until neither has anything to say.
    fn pump(&mut self) {
        loop {
            let now = self.clock.now();
            while let Some((session, command)) = self.control.next_command() {
                let sip_now = self.sip_now();
                self.endpoint.handle(Input::Command {
                    now: sip_now,
                    session,
                    command,
                });
            }
            match self.endpoint.poll() {
                Some(Output::Transmit { to, bytes }) => self.transmit(to, bytes),
                Some(Output::Event(session, event)) => {
                    self.control.on_event(session, event, now);
                    // New participants hold the media before a stream of theirs is opened.
                    self.take_changed(now);
                }
                None => break,
            }
        }
        if self.endpoint.is_idle()
            && let Some(done) = self.tell_idle.take()
        {
            tell(&done);
        }
    }

    // --- The network.

    fn read_datagrams(&mut self) {
        for _datagram in 0..DATAGRAMS_IN_A_ROW {
            let now = self.sip_now();
            let Some((socket, local)) = &self.udp else {
                return;
            };
            let local = *local;
            let (length, address) = match socket.try_recv_from(&mut self.datagram) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // An ICMP message about an earlier datagram of ours; the socket goes on.
                Err(_) => {
                    self.count("udp_error");
                    continue;
                }
            };
            let from = Peer {
                transport: Transport::Udp,
                address,
                connection: None,
            };
            self.endpoint.handle(Input::Message {
                now,
                from,
                local,
                bytes: self.datagram.get(..length).unwrap_or_default(),
            });
            self.pump();
        }
    }

    fn on_tcp(&mut self, event: TcpEvent) {
        let now = self.sip_now();
        match event {
            TcpEvent::Message { from, local, bytes } => {
                if let Some(connection) = from.connection {
                    self.connections.heard(connection);
                }
                self.endpoint.handle(Input::Message {
                    now,
                    from,
                    local,
                    bytes: &bytes,
                });
            }
            TcpEvent::Connected(connection, stream, waiting) => {
                self.connections.connected(connection, stream, waiting);
            }
            TcpEvent::Closed(connection, why) => {
                if let Some(why) = why {
                    self.count(why);
                }
                self.close(connection, now);
            }
        }
    }

    fn close(&mut self, connection: u64, now: Timestamp) {
        if self.connections.close(connection) {
            self.endpoint
                .handle(Input::ConnectionClosed { now, connection });
        }
    }

    /// There is no room for a connection: one that no call goes over is closed, since otherwise clients
    /// that only connect would keep the exchange out.
    fn make_room(&mut self, now: Timestamp) {
        let in_use = self.endpoint.connections_in_use();
        if let Some(connection) = self.connections.least_missed(&in_use) {
            self.count("tcp_closed_for_another");
            let sip_now = self.sip_now();
            self.close(connection, sip_now);
        }
        if self.crowd.full() {
            self.count("alarm_connections_full");
            tracing::warn!(
                most = limits::SIP_CONNECTIONS_MAX,
                "all connections for SIP are taken; the longest silent one without a call is closed for each new one"
            );
            let alarm = AlarmKey::of(CONNECTIONS_FULL);
            self.shared.raise(alarm, now, |news| news);
        }
    }

    fn mind_crowd(&mut self, now: Timestamp) {
        let open = self.connections.len();
        if self.crowd.look(open, limits::SIP_CONNECTIONS_MAX) {
            tracing::info!("there is room for connections again");
            let alarm = AlarmKey::of(CONNECTIONS_FULL);
            self.shared.clear(alarm, now, |news| news);
        }
    }

    fn transmit(&mut self, to: Peer, bytes: Vec<u8>) {
        let is_sent = match to.transport {
            Transport::Udp => self.udp.as_ref().is_some_and(|(socket, _)| {
                // What cannot be sent now is as good as lost on the way: SIP sends it again.
                socket.try_send_to(&bytes, to.address).is_ok()
            }),
            Transport::Tcp | Transport::Tls => match self.connections.send(to, bytes) {
                Ok(()) => true,
                Err(connection) => {
                    if let Some(connection) = connection {
                        let now = self.sip_now();
                        self.endpoint
                            .handle(Input::ConnectionClosed { now, connection });
                    }
                    false
                }
            },
        };
        if !is_sent {
            self.count("not_sent");
        }
    }

    // --- The rest of the recorder.

    fn take_changed(&mut self, now: Timestamp) {
        for id in self.changed.take() {
            self.control.on_changed(id, now);
        }
    }

    fn on_notice(&mut self, notice: Notice, now: Timestamp) -> bool {
        match notice {
            Notice::Answered(reply) => self.control.on_reply(*reply, now),
            Notice::MediaFailed(id, cause) => self.control.on_media_failed(id, cause, now),
            Notice::Key(id, heard) => self.control.on_key(id, &heard, now),
            Notice::Announced(id, hearing) => self.control.on_notice_heard(id, hearing, now),
            Notice::NotListened(id) => self.control.on_not_listened(id, now),
            Notice::Pause(id, order, done) => self.control.pause(id, order, done, now),
            Notice::Resume(id, done) => self.control.resume(id, done, now),
            Notice::Keep(id, request, done) => self.control.request_keep(id, *request, done, now),
            Notice::Private(id, said_by, done) => {
                self.control.begin_private(id, said_by, done, now);
            }
            Notice::PrivateOver(id, said_by, reason, done) => {
                self.control.end_private(id, &said_by, reason, done, now);
            }
            Notice::WaitingRoomFull => self.shared.count("waiting_memory_full"),
            Notice::ClockStepped(id, by_us) => self.control.on_clock_step(id, by_us, now),
            Notice::Drain(done) => {
                self.is_draining = true;
                self.look_at_admission();
                tell(&done);
            }
            Notice::EndAll => self.control.end_all(now),
            Notice::TellIdle(done) => self.tell_idle = Some(done),
            Notice::Quit => return false,
        }
        true
    }

    fn on_tick(&mut self) {
        self.next_tick = Instant::now() + TICK;
        let now = self.clock.now();
        let heard = self.endpoint.take_heard();
        self.control.on_heard(&heard, now);
        self.control.on_tick(now);
        self.look_at_admission();
        self.mind_crowd(now);
        for (counted, count) in self.endpoint.counters().iter() {
            if count > 0 {
                self.shared.set_count(counted.as_str(), count);
            }
        }
        for (reason, count) in &self.counts {
            self.shared.set_count(reason, *count);
        }
        self.say_refusals(now);
    }

    /// Says which calls do not get in, once a minute for each cause.
    fn say_refusals(&mut self, now: Timestamp) {
        let counters = self.endpoint.counters();
        let count_of = |cause: &str| {
            let mut theirs = counters.iter().filter(|(it, _)| it.as_str() == cause);
            let theirs = theirs.next().map(|(_, count)| count);
            theirs
                .or_else(|| self.counts.get(cause).copied())
                .unwrap_or_else(|| self.shared.count_of(cause))
        };
        for said in self.refusals.look(count_of, now) {
            match said {
                Said::Refused { cause, count, help } => {
                    tracing::warn!(cause, count, "refused: {help}");
                    let alarm = AlarmKey::of(CALLS_REFUSED).because(cause);
                    self.shared
                        .raise(alarm, now, |news| news.with("count", count));
                }
                Said::Over { cause } => {
                    let alarm = AlarmKey::of(CALLS_REFUSED).because(cause);
                    self.shared.clear(alarm, now, |news| news);
                }
            }
        }
    }

    /// Whether new calls are taken. The endpoint answers 503 with `Retry-After` while they are not.
    fn look_at_admission(&mut self) {
        if let Some(readiness) = self.shared.take_readiness() {
            self.endpoint.set_ready(readiness.lines, readiness.others);
        }
        let why_not = if self.is_draining {
            Some(WhyNot::Draining)
        } else if self.control.len() >= self.calls_max {
            Some(WhyNot::TooManyCalls)
        } else if let Some(trouble) = self.shared.trouble_why_not() {
            Some(trouble)
        } else {
            (!self.control.has_media_ports()).then_some(WhyNot::NoMediaPorts)
        };
        self.endpoint
            .set_accepting(why_not.is_none(), self.retry_after_seconds);
        if self.shared.set_why_not(why_not) {
            match why_not {
                Some(why_not) => tracing::warn!(?why_not, "{}", turned_away(why_not)),
                None => tracing::info!("new calls are taken"),
            }
            self.alarm_of_admission(why_not);
        }
    }

    /// Whoever stops the server knows that it takes no calls; everything else is an alarm.
    fn alarm_of_admission(&self, why_not: Option<WhyNot>) {
        let now = self.clock.now();
        for standing in self.shared.alarms() {
            if standing.key.alarm == NO_NEW_CALLS {
                self.shared.clear(standing.key, now, |news| news);
            }
        }
        if let Some(why_not) = why_not.filter(|why_not| *why_not != WhyNot::Draining) {
            let alarm = AlarmKey::of(NO_NEW_CALLS).because(why_not.as_str());
            self.shared.count("alarm_no_new_calls");
            self.shared.raise(alarm, now, |news| news);
        }
    }

    fn count(&mut self, reason: &'static str) {
        let count = self.counts.entry(reason).or_default();
        *count = count.saturating_add(1);
    }
}

/// What the log says when new calls are turned away, with what to do.
const fn turned_away(why_not: WhyNot) -> &'static str {
    match why_not {
        WhyNot::TooManyCalls => {
            "new calls are turned away: as many are in progress as sip.calls_max allows"
        }
        WhyNot::DiskNearlyFull => {
            "new calls are turned away: less room is left on the disk than storage.keep_free_mib"
        }
        WhyNot::DiskTrouble => "new calls are turned away: the disk does not take what is written",
        WhyNot::NoMediaPorts => {
            "new calls are turned away: all media ports are in use; widen sip.media_port_first to \
             sip.media_port_last, or lower sip.calls_max"
        }
        WhyNot::Draining => "new calls are turned away: the server is being stopped",
        WhyNot::Broken => "new calls are turned away: a part of the recorder has failed",
    }
}

fn tell(done: &std::sync::mpsc::Sender<()>) {
    if done.send(()).is_err() {
        tracing::debug!("nobody waits for this any more");
    }
}

/// Resolves when a datagram waits; never without a socket.
async fn readable(udp: Option<&(UdpSocket, SocketAddr)>) -> Option<()> {
    match udp {
        // An error shows itself when the socket is read.
        Some((socket, _)) => match socket.readable().await {
            Ok(()) | Err(_) => Some(()),
        },
        None => std::future::pending().await,
    }
}

/// Resolves when a client connects, not before `from`; never without a listener.
async fn accept(transport: Transport, listener: Option<&TcpListener>, from: Instant) -> Woken {
    let Some(listener) = listener else {
        return std::future::pending().await;
    };
    sleep_until(from).await;
    match listener.accept().await {
        Ok((stream, address)) => Woken::Accepted(transport, stream, address),
        // Too many open files, or the client is gone already.
        Err(_) => Woken::NotAccepted,
    }
}
