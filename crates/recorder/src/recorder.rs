//! Starting, watching and stopping the recorder: which threads there are and how they end.

use crate::alarms::AlarmKey;
use crate::clock_check::ClockCheck;
use crate::config::{RecorderConfig, StartError};
use crate::control::{self, Control};
use crate::decider::{Decider, DeciderEnd, DeciderHandle};
use crate::finisher::{Finisher, FinisherEnd, FinisherHandle};
use crate::guard::ran_to_its_end;
use crate::media::{MediaCommand, MediaThread, Room};
use crate::ports::MediaPorts;
use crate::shared::{Shared, Status};
use crate::signalling::{self, ChangedCalls, Notice, Notices};
use crate::writer::{Writer, WriterEnd, WriterHandle};
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use voicelog_archive::notice::{Ear, EarEnd, EarHandle};
use voicelog_archive::{Archive, random};
use voicelog_model::{Clock, Timestamp, error::chain};
use voicelog_srs::Endpoint;
use voicelog_tls::TlsAcceptor;

/// How long the signalling thread may take to say that it takes no more calls.
const DRAIN_HEARD: Duration = Duration::from_secs(5);
/// How long the clients have to answer our BYE, at the end of a drain.
const GOODBYE: Duration = Duration::from_secs(2);
/// How far our clock may surely be from another one without an alarm, in microseconds.
const CLOCK_OFF_US: u64 = 500_000;
/// How long the last recordings have to be closed, after the calls were ended.
const CLOSING: Duration = Duration::from_secs(60);

/// The recorder, running. Dropping it stops it at once: what is in memory still reaches the disk,
/// the calls are left as after a crash, and recovery closes them. [`Recorder::drain`] is the
/// orderly way.
pub struct Recorder {
    pub(crate) notices: Notices,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    udp_address: Option<SocketAddr>,
    tcp_address: Option<SocketAddr>,
    tls_address: Option<SocketAddr>,
    drain: Duration,
    room: Arc<Room>,
    pub(crate) pause: Duration,
    pub(crate) pause_max: Duration,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recorder({} threads)", self.threads.len())
    }
}

impl Recorder {
    /// Binds the addresses and starts the threads.
    ///
    /// # Errors
    ///
    /// When an address cannot be bound, a file for TLS not be used or a thread not be made; nothing
    /// then runs.
    pub fn start(
        config: &RecorderConfig,
        archive: Arc<Archive>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        let sockets = Sockets::bind(config, &clock)?;
        raise_file_limit(config);
        warn_of_few_ports(config);
        let seed = random::bytes().map_err(|error| StartError::Thread(io::Error::other(error)))?;
        let shared = Arc::new(Shared::default());
        let (udp_address, tcp_address) = (sockets.udp_address, sockets.tcp_address);
        let tls_address = sockets.tls_address;
        let (notices, received) = Notices::new();
        let room = Arc::new(Room::new(config.waiting_bytes_max));
        let changed = ChangedCalls::default();
        let bell = changed.clone();
        archive.on_call_changed(Arc::new(move |id| bell.add(id)));
        let house = House {
            config,
            archive,
            clock,
            shared: Arc::clone(&shared),
            notices: notices.clone(),
            room: Arc::clone(&room),
        };
        let mut threads = Vec::new();
        let started = house.start_all(sockets, seed, received, changed, &mut threads);
        let recorder = Self {
            notices,
            shared,
            threads,
            udp_address,
            tcp_address,
            tls_address,
            drain: config.drain,
            room,
            pause: config.pause.min(config.pause_max),
            pause_max: config.pause_max,
        };
        // After an error the drop of `recorder` ends what was started.
        started.map_err(StartError::Thread)?;
        tracing::info!(
            udp = udp_address.is_some(),
            tcp = tcp_address.is_some(),
            tls = tls_address.is_some(),
            "recorder started"
        );
        Ok(recorder)
    }

    /// Where SIP over UDP is listened for, with its real port.
    #[must_use]
    pub const fn udp_address(&self) -> Option<SocketAddr> {
        self.udp_address
    }

    /// Where SIP over TCP is listened for, with its real port.
    #[must_use]
    pub const fn tcp_address(&self) -> Option<SocketAddr> {
        self.tcp_address
    }

    /// Where SIP over TLS is listened for, with its real port.
    #[must_use]
    pub const fn tls_address(&self) -> Option<SocketAddr> {
        self.tls_address
    }

    /// The recorder as it is now.
    #[must_use]
    pub fn status(&self) -> Status {
        Status {
            waiting_bytes: self.room.used(),
            ..self.shared.status()
        }
    }

    /// An alarm of another room stands, or does not: it is shown and told like those of the recorder.
    pub fn set_alarm(&self, alarm: &'static str, stands: bool, at: Timestamp) {
        let key = AlarmKey::of(alarm);
        if stands {
            self.shared.raise(key, at, |news| news);
        } else {
            self.shared.clear(key, at, |news| news);
        }
    }

    /// Our clock was held against another one: the journals of the calls from now on say so, for a day.
    /// More than half a second of difference is an alarm, as long as it lasts.
    pub fn set_clock_check(&self, check: ClockCheck) {
        let sure_us = check
            .offset_us
            .unsigned_abs()
            .saturating_sub(check.uncertainty_us);
        self.set_alarm("clock_differs", sure_us > CLOCK_OFF_US, check.checked_at);
        self.shared.set_clock_check(check);
    }

    /// Takes no new calls, waits for those in progress, ends what is left when the wait is over
    /// (BYE; the journal says `shutdown`), and closes every recording. `None` waits as long as the
    /// configuration says. Whether everything is closed; what is not, recovery closes.
    pub fn drain(&self, wait: Option<Duration>) -> bool {
        let (done, heard) = channel();
        self.notices.send(Notice::Drain(done));
        if heard.recv_timeout(DRAIN_HEARD).is_err() {
            tracing::error!("signalling does not answer");
        }
        if !self.shared.wait_finished(wait.unwrap_or(self.drain)) {
            self.notices.send(Notice::EndAll);
        }
        let is_finished = self.shared.wait_finished(CLOSING);
        let (done, idle) = channel();
        self.notices.send(Notice::TellIdle(done));
        if idle.recv_timeout(GOODBYE).is_err() {
            tracing::info!("not every client has answered our goodbye");
        }
        is_finished
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // The signalling thread ends and lets go of its ways to the others, they end one after
        // the other, each after its last job, and the finisher closes what it was given.
        self.notices.send(Notice::Quit);
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the recorder ended in a panic");
            }
        }
    }
}

/// Bound and not yet listened on.
struct Sockets {
    udp: Option<UdpSocket>,
    tcp: Option<TcpListener>,
    tls: Option<(TcpListener, TlsAcceptor)>,
    udp_address: Option<SocketAddr>,
    tcp_address: Option<SocketAddr>,
    tls_address: Option<SocketAddr>,
}

impl Sockets {
    fn bind(config: &RecorderConfig, clock: &Arc<dyn Clock>) -> Result<Self, StartError> {
        if config.sip_udp.is_none() && config.sip_tcp.is_none() && config.sip_tls.is_none() {
            return Err(StartError::NoAddress);
        }
        check_media(config)?;
        let listen = |address, transport| {
            move |source| StartError::Listen {
                address,
                transport,
                source,
            }
        };
        let mut sockets = Self {
            udp: None,
            tcp: None,
            tls: None,
            udp_address: None,
            tcp_address: None,
            tls_address: None,
        };
        if let Some(address) = config.sip_udp {
            let (socket, bound) = bind_udp(address).map_err(listen(address, "UDP"))?;
            (sockets.udp, sockets.udp_address) = (Some(socket), Some(bound));
        }
        if let Some(address) = config.sip_tcp {
            let (listener, bound) = bind_tcp(address).map_err(listen(address, "TCP"))?;
            (sockets.tcp, sockets.tcp_address) = (Some(listener), Some(bound));
        }
        if let Some(tls) = &config.sip_tls {
            let acceptor = voicelog_tls::acceptor(&tls.files, "SIP over TLS", clock)?;
            let (listener, bound) = bind_tcp(tls.address).map_err(listen(tls.address, "TLS"))?;
            (sockets.tls, sockets.tls_address) = (Some((listener, acceptor)), Some(bound));
        }
        Ok(sockets)
    }
}

fn bind_udp(address: SocketAddr) -> io::Result<(UdpSocket, SocketAddr)> {
    let socket = UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    let bound = socket.local_addr()?;
    Ok((socket, bound))
}

fn bind_tcp(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let bound = listener.local_addr()?;
    Ok((listener, bound))
}

/// A wrong media address or an empty range of ports would turn every call away; better said now.
fn check_media(config: &RecorderConfig) -> Result<(), StartError> {
    let (first, last) = (*config.media_ports.start(), *config.media_ports.end());
    let first_even = u32::from(first) + u32::from(first % 2);
    if config.media_ports != (0..=0) && first_even + 1 > u32::from(last) {
        return Err(StartError::NoMediaPorts { first, last });
    }
    let address = SocketAddr::new(config.media_address, 0);
    match UdpSocket::bind(address) {
        Ok(_free_again) => Ok(()),
        Err(source) => Err(StartError::Listen {
            address,
            transport: "media",
            source,
        }),
    }
}

/// Where the range of ports carries fewer calls than are taken, the last of them would be turned away.
fn warn_of_few_ports(config: &RecorderConfig) {
    if let Some(room) = calls_with_ports(config) {
        tracing::warn!(
            room,
            calls_max = config.calls_max,
            "the media ports carry fewer calls of two streams than sip.calls_max: widen \
             sip.media_port_first to sip.media_port_last, or lower sip.calls_max"
        );
    }
}

/// How many calls of two streams the range of ports carries, where that is fewer than are taken.
fn calls_with_ports(config: &RecorderConfig) -> Option<usize> {
    let room = MediaPorts::pairs(&config.media_ports)? / 2;
    (room < config.calls_max).then_some(room)
}

/// Where the system allows fewer open files than all calls need, this is the moment to say so.
fn raise_file_limit(config: &RecorderConfig) {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let wanted = files_wanted(config.calls_max as u64);
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return;
    };
    let allowed = if soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok() {
        hard
    } else {
        soft
    };
    if allowed < wanted {
        tracing::warn!(
            allowed,
            wanted,
            calls_max = config.calls_max,
            "fewer open files are allowed than all calls need: raise the limit (LimitNOFILE= in \
             the service, ulimit -n), or lower sip.calls_max"
        );
    }
}

/// Files open at once when so many calls with two streams are in progress and others keep ending
/// (`design/store.md`, numbers).
const fn files_wanted(calls_max: u64) -> u64 {
    /// RTP and RTCP of two streams, and the object that the call is written to.
    const PER_CALL: u64 = 5;
    /// Objects in spools that are not retired yet, of calls that have ended: three spools' worth.
    const SPOOLED: u64 = 3 * 4_096;
    /// Connections for signalling (1,000) and for the pages (4,096), talks in rooms (1,000), index, keys, spools, logs.
    const OTHER: u64 = 6_600;
    calls_max
        .saturating_mul(PER_CALL)
        .saturating_add(SPOOLED + OTHER)
}

/// What the threads are built from.
struct House<'a> {
    config: &'a RecorderConfig,
    archive: Arc<Archive>,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    notices: Notices,
    room: Arc<Room>,
}

impl House<'_> {
    fn start_all(
        &self,
        sockets: Sockets,
        seed: [u8; 32],
        received: UnboundedReceiver<Notice>,
        changed: ChangedCalls,
        threads: &mut Vec<JoinHandle<()>>,
    ) -> io::Result<()> {
        let (finisher, finisher_end) = FinisherHandle::new();
        let (writer, writer_end) = WriterHandle::new();
        let (decider, decider_end) = DeciderHandle::new();
        threads.push(self.start_finisher(finisher_end)?);
        threads.push(self.start_writer(writer_end, finisher.clone())?);
        for _decider in 0..self.config.decider_threads.max(1) {
            threads.push(self.start_decider(decider_end.clone(), writer.clone())?);
        }
        let (ear, ear_end) = EarHandle::new();
        threads.push(self.start_ear(ear_end)?);
        let mut media = Vec::new();
        for _media in 0..self.config.media_threads.max(1) {
            let (commands, thread) = self.start_media(writer.clone(), ear.clone())?;
            media.push(commands);
            threads.push(thread);
        }
        let parts = signalling::Parts {
            endpoint: Endpoint::new(self.sip_config(), seed),
            control: Control::new(self.control_parts(decider, finisher, ear, media)),
            clock: Arc::clone(&self.clock),
            shared: Arc::clone(&self.shared),
            udp: sockets.udp,
            tcp: sockets.tcp,
            tls: sockets.tls,
            notices: received,
            changed,
            calls_max: self.config.calls_max,
            retry_after_seconds: self.retry_after_seconds(),
        };
        let shared = Arc::clone(&self.shared);
        threads.push(self.spawn("voicelog-sip", move || {
            if let Err(error) = signalling::run(parts) {
                tracing::error!(error = %chain(&error), "signalling has ended");
                shared.set_broken();
            }
        })?);
        Ok(())
    }

    fn control_parts(
        &self,
        decider: DeciderHandle,
        finisher: FinisherHandle,
        ear: EarHandle,
        media: Vec<Sender<MediaCommand>>,
    ) -> control::Parts {
        let config = self.config;
        control::Parts {
            archive: Arc::clone(&self.archive),
            shared: Arc::clone(&self.shared),
            decider,
            finisher,
            ear,
            sounds: config.notices.clone(),
            media,
            ports: MediaPorts::new(config.media_address, config.media_ports.clone()),
            media_address: config.media_address,
            retry_after_seconds: self.retry_after_seconds(),
            loss_permille: self.config.loss_percent.saturating_mul(10),
            silent_micros: micros(config.silent_call),
            pause_micros: micros(config.pause.min(config.pause_max)),
        }
    }

    fn sip_config(&self) -> voicelog_srs::Config {
        voicelog_srs::Config {
            contact_host: self.config.contact_host.clone(),
            accept_without_siprec: self.config.accept_without_siprec,
            srtp_keys_without_tls: self.config.srtp_keys_without_tls,
            sessions_max: self.config.calls_max,
            retry_after_seconds: self.retry_after_seconds(),
            session_micros_max: micros(self.config.recording_max),
            ..voicelog_srs::Config::default()
        }
    }

    fn retry_after_seconds(&self) -> u32 {
        u32::try_from(self.config.retry_after.as_secs()).unwrap_or(u32::MAX)
    }

    fn start_finisher(&self, end: FinisherEnd) -> io::Result<JoinHandle<()>> {
        let mut finisher = Finisher::new(
            Arc::clone(&self.archive),
            Arc::clone(&self.clock),
            end,
            Arc::clone(&self.shared),
            (self.config.keep_free_bytes, self.config.warn_free_bytes),
        );
        // Before the first call can come in.
        finisher.look_at_disk();
        finisher.look_at_lines();
        self.spawn("voicelog-finish", move || finisher.run())
    }

    fn start_writer(&self, end: WriterEnd, finisher: FinisherHandle) -> io::Result<JoinHandle<()>> {
        let writer = Writer::new(
            Arc::clone(&self.archive),
            Arc::clone(&self.clock),
            end,
            self.notices.clone(),
            finisher,
            Arc::clone(&self.shared),
        );
        self.spawn("voicelog-write", move || writer.run())
    }

    fn start_decider(&self, end: DeciderEnd, writer: WriterHandle) -> io::Result<JoinHandle<()>> {
        let decider = Decider::new(
            Arc::clone(&self.archive),
            Arc::clone(&self.clock),
            end,
            writer,
            self.notices.clone(),
        );
        self.spawn("voicelog-law", move || decider.run())
    }

    fn start_ear(&self, end: EarEnd) -> io::Result<JoinHandle<()>> {
        let notices = self.notices.clone();
        // Decoders must not change threads, so all that holds them is made there.
        self.spawn("voicelog-notice", move || {
            Ear::new(end, Box::new(move |news| notices.send(news.into()))).run()
        })
    }

    fn start_media(
        &self,
        writer: WriterHandle,
        ear: EarHandle,
    ) -> io::Result<(Sender<MediaCommand>, JoinHandle<()>)> {
        let (commands, received) = channel();
        let clock = Arc::clone(&self.clock);
        // The thread makes its buffers itself: they hold pointers that must not change threads.
        let notices = self.notices.clone();
        let room = Arc::clone(&self.room);
        let run = move || MediaThread::new(clock, received, writer, ear, notices, room).run();
        Ok((commands, self.spawn("voicelog-media", run)?))
    }

    /// Starts a thread. If it fails, so has the recorder, and the status says it.
    fn spawn(
        &self,
        name: &'static str,
        run: impl FnOnce() + Send + 'static,
    ) -> io::Result<JoinHandle<()>> {
        let shared = Arc::clone(&self.shared);
        let run = move || {
            if !ran_to_its_end(name, run) {
                shared.set_broken();
            }
        };
        std::thread::Builder::new().name(name.to_owned()).spawn(run)
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_ports_for_all_calls_are_found_at_the_start() {
        let of = |media_ports, calls_max| {
            calls_with_ports(&RecorderConfig {
                media_ports,
                calls_max,
                ..RecorderConfig::default()
            })
        };
        assert_eq!(of(22_000..=22_999, 300), Some(250));
        assert_eq!(of(22_000..=22_999, 250), None);
        assert_eq!(of(26_000..=26_007, 300), Some(2));
        assert_eq!(of(0..=0, 300), None);
    }

    #[test]
    fn four_thousand_calls_need_the_files_that_the_design_counts() {
        let sockets_and_others = 4 * 4_000 + 6_600;
        let objects = files_wanted(4_000) - sockets_and_others;
        assert!((16_000..16_500).contains(&objects), "{objects}");
    }
}
