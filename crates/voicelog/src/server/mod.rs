//! The running server: recorder, pages, and the work that is done by the clock.

use crate::clock::SystemClock;
use crate::clock_watch::{ClockGuard, ClockWatch};
use crate::config::{Config, Sip};
use crate::data_folder::DataFolder;
use crate::imports::Imports;
use crate::key_watch::KeyWatch;
use crate::pages_tls::{Certificate, Told};
use crate::pauses::RecorderPauses;
use crate::vouching::{Notary, Vouchers};
use crate::webhooks::Couriers;
use crate::wishes::RecorderWishes;
use crate::{BadInput, print, wiring};
use anyhow::{Context as _, Result, bail};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender, TryRecvError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use voicelog_archive::notice::Notice;
use voicelog_archive::{Archive, ArchiveError, News, NewsKind, Recovery, random};
use voicelog_casework::Asked;
use voicelog_casework::importing::{UploadSettings, Uploads};
use voicelog_casework::retention::{self, Swept};
use voicelog_casework::vouching::Standing;
use voicelog_model::{Clock, Timestamp, error};
use voicelog_recorder::{CallState, Recorder, RecorderConfig, SipTls, StartError, WhyNot};
use voicelog_room::{PlayedNotice, Rooms};
use voicelog_tls::{TlsFile, TlsFiles};
use voicelog_web::{Alarm, App, Metrics, OwnAuthority, PagesTls, Pause, StatusSource, WebConfig};
use zeroize::Zeroizing;

/// How often it is looked whether the recorder has failed for good.
const BROKEN_LOOK: Duration = Duration::from_secs(1);
/// How often it is looked whether other rules begin tomorrow.
const RULES_LOOK: Duration = Duration::from_secs(3_600);

/// How long stopping waits for talks in a room to be closed.
const ROOMS_WAIT: Duration = Duration::from_secs(10);

/// A server that runs until it is stopped.
pub(crate) struct Server {
    pub(crate) archive: Arc<Archive>,
    pub(crate) recorder: Arc<Recorder>,
    /// Talks in a room.
    rooms: Arc<Rooms>,
    /// Files that are being sent.
    uploads: Arc<Uploads>,
    pub(crate) recovery: Recovery,
    pub(crate) http: SocketAddr,
    /// Where people reach the pages.
    pub(crate) public_url: String,
    /// The fingerprint of the authority that signs for the pages, where it is our own.
    pub(crate) authority: Option<String>,
    pub(crate) api_token: Zeroizing<String>,
    /// Path of the one-time set-up page, while there is no account.
    pub(crate) setup_path: Option<String>,
    signals: Signals,
    runtime: Runtime,
    stop_web: Option<oneshot::Sender<()>>,
    web: Option<tokio::task::JoinHandle<()>>,
    couriers: Couriers,
    notary: Notary,
    clock_watch: ClockWatch,
    imports: Imports,
    stop_sweep: Sender<()>,
    sweep: Option<JoinHandle<()>>,
    // Held until everything above has stopped.
    _lock: std::fs::File,
}

impl Server {
    /// Opens the archive, takes what was under way to its end, and starts to listen.
    pub(crate) fn start(config: &Config, clock: &Arc<SystemClock>) -> Result<Self> {
        let notices = crate::notices::prepare(config)?;
        let of_rooms = crate::notices::prepare_rooms(config)?;
        let endpoints = crate::webhooks::endpoints(&config.webhooks)?;
        let vouchers = Vouchers::read(&config.log)?;
        warn_of_refusals(config);
        let folder = DataFolder::create(&config.storage.data)?;
        let lock = folder.lock("stop it first, or give another folder")?;
        let certificate = Certificate::of(&config.http, &folder, clock)?;
        let own = certificate.as_ref().and_then(Certificate::own_authority);
        let authority = certificate.as_ref().and_then(Certificate::fingerprint);
        let now = clock.now();
        let archive = wiring::create_or_open(&folder, config, now)?;
        let api_token = folder.api_token()?;
        archive.look_ahead(now).context("cannot load the rules")?;
        let recovery = archive.recover(now).context("cannot recover the archive")?;
        tell_of_recovery(&archive, &recovery, now).context("cannot queue messages")?;
        let shared: Arc<dyn Clock> = Arc::clone(clock) as Arc<dyn Clock>;
        let recording = recorder_config(config, notices);
        let recorder = Recorder::start(&recording, Arc::clone(&archive), Arc::clone(&shared))
            .map(Arc::new)
            .map_err(|error| not_started(&error))?;
        let notary = Notary::start(vouchers, &archive, clock)?;
        let runtime = http_threads()?;
        let signals = Signals::listen_in(&runtime).context("cannot listen for signals")?;
        let listener = listen(&runtime, config.http.address)?;
        let http = listener.local_addr()?;
        let public_url = config.http.url(http);
        let rooms = open_rooms(&archive, &shared, of_rooms)?;
        let uploads = open_uploads(config, &folder, &archive, &shared)?;
        let app = App {
            archive: Arc::clone(&archive),
            clock: shared,
            rooms: Arc::clone(&rooms),
            uploads: Arc::clone(&uploads),
            status: Arc::new(ServerStatus::of(&recorder, &notary, &rooms)),
            pauses: Arc::new(RecorderPauses(Arc::clone(&recorder))),
            wishes: Arc::new(RecorderWishes(Arc::clone(&recorder))),
            config: web_config(config, &public_url, &recorder, &api_token, own),
        };
        let setup_path = voicelog_web::new_setup_token(&archive, random::bytes()?, now)
            .context("cannot make the set-up link")?;
        let tls = certificate.map(|one| keep_new(one, &runtime, &public_url, &recorder));
        let (stop_web, web) = open_pages(&runtime, listener, tls, app);
        runtime.spawn(look_ahead(Arc::clone(&archive), Arc::clone(clock)));
        let couriers = Couriers::start(endpoints, &archive, clock)?;
        let (clock_watch, guard) = ClockWatch::start(&config.clock, &archive, &recorder, clock);
        let (stop_sweep, sweep) = start_sweep(config, &archive, &recorder, clock, guard);
        Ok(Self {
            imports: Imports::start(config, &archive, clock)?,
            archive,
            recorder,
            rooms,
            uploads,
            recovery,
            http,
            public_url,
            authority,
            api_token,
            setup_path,
            signals,
            runtime,
            stop_web: Some(stop_web),
            web: Some(web),
            couriers,
            notary,
            clock_watch,
            stop_sweep,
            sweep: Some(sweep),
            _lock: lock,
        })
    }

    /// Waits for the signal to stop (SIGINT or SIGTERM).
    ///
    /// # Errors
    /// When the recorder has failed for good: the process has to end and be started again.
    pub(crate) fn wait_for_signal(&mut self) -> Result<()> {
        let recorder = Arc::clone(&self.recorder);
        let is_broken = self.runtime.block_on(async {
            tokio::select! {
                () = self.signals.next() => false,
                () = broken(&recorder) => true,
            }
        });
        if is_broken {
            bail!(
                "a part of the recorder has failed, see the messages above; start the server again"
            );
        }
        Ok(())
    }

    /// Finishes the calls in progress, then stops. A signal cuts the waiting short: the calls
    /// that are left are ended by us, which their timelines say.
    pub(crate) fn stop(mut self, wait: Duration) {
        let recorder = Arc::clone(&self.recorder);
        let (drained, done) = oneshot::channel::<()>();
        let drain = std::thread::spawn(move || {
            let all_closed = recorder.drain(Some(wait));
            // Whoever waited may have been told by a signal.
            let _nobody_waits = drained.send(());
            all_closed
        });
        let is_done = self.runtime.block_on(async {
            tokio::select! {
                _drained = done => true,
                () = self.signals.next() => false,
            }
        });
        if !is_done {
            self.recorder.drain(Some(Duration::ZERO));
        }
        if !matches!(drain.join(), Ok(true)) {
            print::warn("voicelog: not every call could be closed; the next start closes them");
        }
        // While their pages are still there, so that everybody sees it.
        if !self.rooms.settle(ROOMS_WAIT) {
            print::warn("voicelog: not every talk could be closed; the next start closes them");
        }
        let _web_is_gone = self.stop_web.take().map(|stop| stop.send(()));
        let _sweep_is_gone = self.stop_sweep.send(());
        self.couriers.stop();
        self.notary.stop();
        self.clock_watch.stop();
        self.imports.stop();
        self.uploads.stop();
        if let Some(web) = self.web.take() {
            let _web_took_too_long = self
                .runtime
                .block_on(async { tokio::time::timeout(Duration::from_secs(2), web).await });
        }
        if let Some(sweep) = self.sweep.take() {
            let _sweep_panicked = sweep.join();
        }
        if let Err(error) = self.archive.settle() {
            print::warn(format!("voicelog: {}", error::chain(&error)));
        }
        self.runtime.shutdown_timeout(Duration::from_secs(1));
    }
}

/// The registry of talks, with the threads that write and close them.
fn open_rooms(
    archive: &Arc<Archive>,
    clock: &Arc<dyn Clock>,
    notices: BTreeMap<String, PlayedNotice>,
) -> Result<Arc<Rooms>> {
    let rooms = Rooms::start(Arc::clone(archive), Arc::clone(clock), notices);
    rooms
        .map(Arc::new)
        .context("cannot start the threads for talks in a room")
}

/// Where files that are sent lie until they are imported: within the data folder, and in no backup.
fn open_uploads(
    config: &Config,
    folder: &DataFolder,
    archive: &Arc<Archive>,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<Uploads>> {
    let settings = UploadSettings {
        folder: folder.root().join("uploads"),
        keep_free: config.storage.keep_free_mib << 20,
    };
    let uploads = Uploads::start(Arc::clone(archive), Arc::clone(clock), settings);
    uploads
        .map(Arc::new)
        .context("cannot make the folder `uploads` for files that are sent, or empty it")
}

/// Says which lines take a refusal by key that may change nothing.
fn warn_of_refusals(config: &Config) {
    for line in &config.lines {
        if crate::lines::may_not_heed_refusals(line) {
            tracing::warn!(
                line = line.name,
                "a key says \"refuse\", and with this legal_basis the law does not ask for consent: recording goes on, and the timeline says that somebody refused"
            );
        }
    }
}

fn listen(runtime: &Runtime, address: SocketAddr) -> Result<tokio::net::TcpListener> {
    let bound = runtime.block_on(tokio::net::TcpListener::bind(address));
    bound.with_context(|| {
        format!("cannot listen for HTTP on {address}; is another server running? set http.address")
    })
}

/// Answers requests until it is told to stop; over TLS where there is a certificate, which is kept new.
fn open_pages(
    runtime: &Runtime,
    listener: tokio::net::TcpListener,
    tls: Option<PagesTls>,
    app: App,
) -> (oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
    let (stop, stopped) = oneshot::channel::<()>();
    let pages = runtime.spawn(async move {
        let shutdown = async {
            // A closed channel means the same as a message: stop.
            let _stopped = stopped.await;
        };
        let router = voicelog_web::router(app);
        match tls {
            Some(tls) => voicelog_web::serve_over_tls(listener, tls, router, shutdown).await,
            None => voicelog_web::serve(listener, router, shutdown).await,
        }
    });
    (stop, pages)
}

/// Has the certificate of the pages renewed from now on. One that could not be is an alarm.
fn keep_new(
    certificate: Certificate,
    runtime: &Runtime,
    public_url: &str,
    recorder: &Arc<Recorder>,
) -> PagesTls {
    let tls = certificate.for_pages(public_url);
    let recorder = Arc::clone(recorder);
    let told: Told =
        Box::new(move |failed, at| recorder.set_alarm("certificate_not_renewed", failed, at));
    runtime.spawn(certificate.keep_new(told));
    tls
}

/// The threads that answer HTTP.
fn http_threads() -> Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("http")
        .enable_all()
        .build()
        .context("cannot start the threads for HTTP")
}

/// Tells other systems what became of the calls that the last end of the server cut off, and forgets what
/// is for nobody any more.
pub(crate) fn tell_of_recovery(
    archive: &Archive,
    recovery: &Recovery,
    now: Timestamp,
) -> Result<(), ArchiveError> {
    let mut news = Vec::new();
    let closed = recovery.interrupted.iter().chain(&recovery.closed);
    for id in closed.chain(&recovery.waiting) {
        let one = match archive.detail(*id)?.timeline {
            Some(timeline) => News::closed(now, *id, &timeline),
            None => News::new(NewsKind::Finished, now, Some(*id)),
        };
        news.push(one.with("recovered", true));
    }
    for (id, _why) in &recovery.damaged {
        let one = News::new(NewsKind::Failed, now, Some(*id));
        news.push(one.with("reason", "damaged"));
    }
    archive.tell(&news)?;
    archive.forget_messages(now)
}

/// Makes the rules of tomorrow ready today, again and again.
async fn look_ahead(archive: Arc<Archive>, clock: Arc<SystemClock>) {
    let mut looks = tokio::time::interval(RULES_LOOK);
    loop {
        looks.tick().await;
        let (archive, now) = (Arc::clone(&archive), clock.now());
        match tokio::task::spawn_blocking(move || archive.look_ahead(now)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!("the rules of tomorrow: {}", error::chain(&error)),
            // The server is stopping.
            Err(_cancelled) => return,
        }
    }
}

/// Resolves when the recorder cannot go on.
async fn broken(recorder: &Recorder) {
    let mut looks = tokio::time::interval(BROKEN_LOOK);
    while recorder.status().why_not != Some(WhyNot::Broken) {
        looks.tick().await;
    }
}

/// The signals that ask the server to stop. Listened to from the start, so that none is missed
/// between the first and the second.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen_in(runtime: &Runtime) -> std::io::Result<Self> {
        let _entered = runtime.enter();
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Ready at the next one.
    async fn next(&mut self) {
        tokio::select! {
            _interrupted = self.interrupt.recv() => {}
            _terminated = self.terminate.recv() => {}
        }
    }
}

fn recorder_config(config: &Config, notices: BTreeMap<String, Arc<Notice>>) -> RecorderConfig {
    RecorderConfig {
        sip_udp: Some(config.sip.udp),
        sip_tcp: Some(config.sip.tcp),
        sip_tls: sip_tls(&config.sip),
        media_address: config.sip.media_address,
        media_ports: config.sip.media_port_first..=config.sip.media_port_last,
        accept_without_siprec: config.sip.accept_without_siprec,
        srtp_keys_without_tls: config.sip.srtp_keys_without_tls,
        calls_max: config.sip.calls_max,
        keep_free_bytes: config.storage.keep_free_mib << 20,
        warn_free_bytes: config.storage.warn_free_mib << 20,
        loss_percent: config.sip.loss_percent,
        drain: Duration::from_secs(config.sip.drain_seconds),
        waiting_bytes_max: megabytes(config.sip.waiting_mib),
        notices,
        pause: Duration::from_secs(config.pause.seconds),
        pause_max: Duration::from_secs(config.pause.seconds_max),
        ..RecorderConfig::default()
    }
}

/// So many MiB in bytes.
fn megabytes(mib: u64) -> usize {
    usize::try_from(mib.saturating_mul(1 << 20)).unwrap_or(usize::MAX)
}

/// The configuration was looked at when it was read: whoever gives an address gives both files.
fn sip_tls(sip: &Sip) -> Option<SipTls> {
    Some(SipTls {
        address: sip.tls?,
        files: TlsFiles {
            certificate: sip.tls_certificate.clone()?,
            key: sip.tls_key.clone()?,
            client_ca: sip.tls_client_ca.clone(),
        },
    })
}

/// Why the recorder does not start, and which key of the configuration is about it.
fn not_started(error: &StartError) -> anyhow::Error {
    let key = match error {
        StartError::Listen { transport, .. } => match *transport {
            "UDP" => "set sip.udp; ",
            "TCP" => "set sip.tcp; ",
            "TLS" => "set sip.tls; ",
            _ => "set sip.media_address; ",
        },
        StartError::Tls(error) => match error.file {
            TlsFile::Certificate => "see sip.tls_certificate; ",
            TlsFile::Key => "see sip.tls_key; ",
            TlsFile::ClientCa => "see sip.tls_client_ca; ",
        },
        StartError::NoAddress => "set sip.udp, sip.tcp or sip.tls; ",
        StartError::NoMediaPorts { .. } => "set sip.media_port_first and sip.media_port_last; ",
        StartError::Thread(_) => "",
    };
    let (why, help) = (error::chain(error).to_string(), error.help());
    let text = format!("cannot start the recorder: {why}: {key}{help}");
    match error {
        // A setting that can't be meant, or a file that it names: bad input, like any other.
        StartError::Tls(_) | StartError::NoAddress => BadInput(text).into(),
        // Somebody else has the port, or the machine has no more.
        StartError::Listen { .. } | StartError::NoMediaPorts { .. } | StartError::Thread(_) => {
            anyhow::Error::msg(text)
        }
    }
}

fn web_config(
    config: &Config,
    public_url: &str,
    recorder: &Recorder,
    api_token: &str,
    authority: Option<OwnAuthority>,
) -> WebConfig {
    WebConfig {
        public_url: public_url.to_owned(),
        recording_addresses: recording_addresses(recorder),
        api_token_sha256: Sha256::digest(api_token.as_bytes()).into(),
        trusted_proxies: config.http.trusted_proxy.clone(),
        recording_bytes_max: config.http.recording_mib << 20,
        organisation: config.organisation.name.clone(),
        authority,
    }
}

/// Where a recording client can call, over what it can.
fn recording_addresses(recorder: &Recorder) -> Vec<(&'static str, String)> {
    let all = [
        ("UDP", "", recorder.udp_address()),
        ("TCP", ";transport=tcp", recorder.tcp_address()),
        ("TLS", ";transport=tls", recorder.tls_address()),
    ];
    let address = |(transport, parameter, address): (_, &str, Option<SocketAddr>)| {
        Some((transport, format!("sip:LINE@{}{parameter}", address?)))
    };
    all.into_iter().filter_map(address).collect()
}

/// Looks for terms that ended, now and then. Whether anything is destroyed is the law's answer.
fn start_sweep(
    config: &Config,
    archive: &Arc<Archive>,
    recorder: &Arc<Recorder>,
    clock: &Arc<SystemClock>,
    guard: Arc<ClockGuard>,
) -> (Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = mpsc::channel();
    let archive = Arc::clone(archive);
    let recorder = Arc::clone(recorder);
    let clock = Arc::clone(clock);
    let (minutes, months) = (
        config.retention.sweep_minutes,
        config.retention.requests_months,
    );
    let expected = config.backup.expected_every_hours;
    let keys = KeyWatch::new(config);
    let sweep = std::thread::spawn(move || {
        let every = Duration::from_secs(if minutes == 0 {
            u64::MAX / 2
        } else {
            minutes * 60
        });
        let mut is_stopping = false;
        let look = |now| {
            look_at_holds(&archive, &recorder, now);
            look_at_backups(&archive, &recorder, expected, now);
            keys.look(&archive, &recorder, now);
        };
        look(clock.now());
        while !is_stopping && matches!(stopped.recv_timeout(every), Err(RecvTimeoutError::Timeout))
        {
            // What a clock says that jumped may be wrong, and nothing that is destroyed comes back.
            let swept = match guard.look() {
                false => Ok(()),
                true => retention::sweep(&archive, clock.now(), &mut |swept| {
                    log_swept(&swept);
                    is_stopping = !matches!(stopped.try_recv(), Err(TryRecvError::Empty));
                    if is_stopping {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    }
                }),
            };
            let swept = swept.and_then(|()| match is_stopping {
                true => Ok(0),
                false => retention::forget_requests(&archive, months, clock.now()),
            });
            match swept {
                Ok(0) => {}
                Ok(refusals) => {
                    tracing::info!(refusals, "retention: what was said in refusals is wiped");
                }
                Err(error) => tracing::error!("retention: {}", error::chain(&error)),
            }
            look(clock.now());
        }
    });
    (stop, sweep)
}

/// A hold that nobody looked at in time is an alarm. It goes on: nothing here lifts one.
fn look_at_holds(archive: &Archive, recorder: &Recorder, now: Timestamp) {
    match archive.overdue_holds(now) {
        Ok(overdue) => recorder.set_alarm("hold_review_overdue", overdue.count > 0, now),
        Err(error) => tracing::error!("holds: {}", error::chain(&error)),
    }
}

/// A backup that was expected and not made is an alarm.
fn look_at_backups(archive: &Archive, recorder: &Recorder, hours: u32, now: Timestamp) {
    if hours == 0 {
        return;
    }
    let since = now.plus_micros(-i64::from(hours) * 3_600 * 1_000_000);
    match archive.last_backup() {
        Ok(last) => {
            let is_old = last.is_none_or(|last| last < since);
            recorder.set_alarm("backup_old", is_old, now);
        }
        Err(error) => tracing::error!("backup: {}", error::chain(&error)),
    }
}

fn log_swept(swept: &Swept) {
    let (recording, scope) = (swept.id, swept.scope.as_str());
    let reason = swept.reason.as_str();
    match &swept.outcome {
        Ok(Asked::Given(destroyed)) => tracing::info!(
            %recording, scope, reason, objects = destroyed.objects, bytes = destroyed.bytes,
            "retention: destroyed"
        ),
        Ok(Asked::Refused { id, decision }) => tracing::warn!(
            %recording, scope, reason, decision = %id, outcome = decision.outcome().as_str(),
            "retention: the law does not permit destruction; asked again later"
        ),
        Err(error) => tracing::error!(
            %recording, scope, reason, error = %error::chain(error),
            "retention: destruction failed; a later sweep tries again"
        ),
    }
}

/// Tells the pages how the recorder and the talks in rooms are doing, and who vouches for the log.
#[derive(Debug)]
struct ServerStatus(Arc<Recorder>, Arc<Standing>, Arc<Rooms>);

impl ServerStatus {
    fn of(recorder: &Arc<Recorder>, notary: &Notary, rooms: &Arc<Rooms>) -> Self {
        let standing = Arc::clone(&notary.standing);
        Self(Arc::clone(recorder), standing, Arc::clone(rooms))
    }
}

impl StatusSource for ServerStatus {
    fn status(&self) -> voicelog_web::Status {
        let status = self.0.status();
        voicelog_web::Status {
            pause: status.why_not.map(pause),
            calls_in_progress: status.calls.len(),
        }
    }

    fn alarms(&self) -> Vec<Alarm> {
        let standing = self.0.status().alarms.into_iter();
        standing
            .map(|standing| Alarm {
                word: standing.key.alarm,
                recording: standing.key.recording,
                reason: standing.key.reason,
                since: standing.since,
            })
            .chain(self.1.all().into_iter().map(|(trouble, since)| Alarm {
                word: trouble.alarm,
                recording: None,
                reason: Some(trouble.reason),
                since,
            }))
            .chain(self.2.failures().into_iter().map(|(talk, since)| Alarm {
                word: "talk_failed",
                recording: Some(talk),
                reason: None,
                since,
            }))
            .collect()
    }

    fn metrics(&self) -> Metrics {
        let status = self.0.status();
        let states = [
            ("asking", CallState::Asking),
            ("waiting", CallState::Waiting),
            ("recording", CallState::Recording),
            ("stopped", CallState::Stopped),
        ];
        let of_state = |state| status.calls.iter().filter(move |call| call.state == state);
        let calls = states.map(|(word, state)| (word, of_state(state).count() as u64));
        let media = status.media;
        Metrics {
            calls: calls.into(),
            closing: status.closing as u64,
            packets: vec![
                ("kept", media.kept),
                ("control", media.control),
                ("without_permit", media.without_permit),
                ("foreign", media.foreign),
                ("unusable", media.unusable),
                ("dropped", media.dropped),
                ("left_out", media.left_out),
                ("srtp_auth_failed", media.not_authentic),
                ("srtp_replayed", media.replayed),
                ("source_changed", media.source_changes),
                ("paused", media.paused),
            ],
            events: status
                .counts
                .into_iter()
                .chain([("talk_failed", self.2.failures().len() as u64)])
                .collect(),
            waiting_bytes: status.waiting_bytes as u64,
            disk_minutes_left: status.disk_minutes_left,
        }
    }
}

fn pause(why: WhyNot) -> Pause {
    match why {
        WhyNot::Draining | WhyNot::Broken => Pause::Stopping,
        WhyNot::DiskNearlyFull | WhyNot::DiskTrouble => Pause::DiskFull,
        WhyNot::NoMediaPorts => Pause::NoMediaPorts,
        WhyNot::TooManyCalls => Pause::Busy,
    }
}

#[cfg(test)]
mod tests;
