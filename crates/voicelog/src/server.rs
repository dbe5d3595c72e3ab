//! The running server: recorder, pages, and the work that is done by the clock.

use crate::clock::SystemClock;
use crate::config::Config;
use crate::data_folder::DataFolder;
use crate::{print, wiring};
use anyhow::{Context as _, Result};
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender, TryRecvError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use voicelog_archive::{Archive, Recovery, random};
use voicelog_casework::Asked;
use voicelog_casework::retention::{self, Swept};
use voicelog_model::{Clock, error};
use voicelog_recorder::{Recorder, RecorderConfig, WhyNot};
use voicelog_web::{App, Pause, StatusSource, WebConfig};
use zeroize::Zeroizing;

/// A server that runs until it is stopped.
pub(crate) struct Server {
    pub(crate) archive: Arc<Archive>,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) recovery: Recovery,
    pub(crate) http: SocketAddr,
    pub(crate) api_token: Zeroizing<String>,
    /// Path of the one-time set-up page, while there is no account.
    pub(crate) setup_path: Option<String>,
    runtime: Runtime,
    stop_web: Option<oneshot::Sender<()>>,
    web: Option<tokio::task::JoinHandle<()>>,
    stop_sweep: Sender<()>,
    sweep: Option<JoinHandle<()>>,
    // Held until everything above has stopped.
    _lock: std::fs::File,
}

impl Server {
    /// Opens the archive, takes what was under way to its end, and starts to listen.
    pub(crate) fn start(config: &Config, clock: &Arc<SystemClock>) -> Result<Self> {
        let folder = DataFolder::create(&config.storage.data)?;
        let lock = folder.lock()?;
        let now = clock.now();
        let archive = wiring::create_or_open(&folder, config, now)?;
        let api_token = folder.api_token()?;
        let recovery = archive.recover(now).context("cannot recover the archive")?;
        let shared: Arc<dyn Clock> = Arc::clone(clock) as Arc<dyn Clock>;
        let recorder = Recorder::start(
            &recorder_config(config),
            Arc::clone(&archive),
            Arc::clone(&shared),
        )
        .context("cannot start the recorder")?;
        let recorder = Arc::new(recorder);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("http")
            .enable_all()
            .build()
            .context("cannot start the threads for HTTP")?;
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind(config.http.address))
            .with_context(|| {
                format!(
                    "cannot listen for HTTP on {}; is another server running? set http.address",
                    config.http.address
                )
            })?;
        let http = listener.local_addr()?;
        let app = App {
            archive: Arc::clone(&archive),
            clock: shared,
            status: Arc::new(RecorderStatus(Arc::clone(&recorder))),
            config: WebConfig {
                public_url: format!("http://{http}"),
                recording_address: recording_address(&recorder),
                api_token_sha256: Sha256::digest(api_token.as_bytes()).into(),
            },
        };
        let setup_path = voicelog_web::new_setup_token(&archive, random::bytes()?, now)
            .context("cannot make the set-up link")?;
        let (stop_web, stopped) = oneshot::channel::<()>();
        let web = runtime.spawn(async move {
            let shutdown = async {
                // A closed channel means the same as a message: stop.
                let _stopped = stopped.await;
            };
            voicelog_web::serve(listener, voicelog_web::router(app), shutdown).await;
        });
        let (stop_sweep, sweep) = start_sweep(config, &archive, clock);
        Ok(Self {
            archive,
            recorder,
            recovery,
            http,
            api_token,
            setup_path,
            runtime,
            stop_web: Some(stop_web),
            web: Some(web),
            stop_sweep,
            sweep: Some(sweep),
            _lock: lock,
        })
    }

    /// Waits for the signal to stop (SIGINT or SIGTERM).
    pub(crate) fn wait_for_signal(&self) -> Result<()> {
        self.runtime
            .block_on(async {
                let mut terminate =
                    tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
                tokio::select! {
                    interrupted = tokio::signal::ctrl_c() => interrupted,
                    _terminated = terminate.recv() => Ok(()),
                }
            })
            .context("cannot wait for a signal")
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
                _signal = tokio::signal::ctrl_c() => false,
            }
        });
        if !is_done {
            self.recorder.drain(Some(Duration::ZERO));
        }
        if !matches!(drain.join(), Ok(true)) {
            print::warn("voicelog: not every call could be closed; the next start closes them");
        }
        let _web_is_gone = self.stop_web.take().map(|stop| stop.send(()));
        let _sweep_is_gone = self.stop_sweep.send(());
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

fn recorder_config(config: &Config) -> RecorderConfig {
    RecorderConfig {
        sip_udp: Some(config.sip.udp),
        sip_tcp: Some(config.sip.tcp),
        media_address: config.sip.media_address,
        media_ports: config.sip.media_port_first..=config.sip.media_port_last,
        calls_max: config.sip.calls_max,
        keep_free_bytes: config.storage.keep_free_mib << 20,
        drain: Duration::from_secs(config.sip.drain_seconds),
        ..RecorderConfig::default()
    }
}

fn recording_address(recorder: &Recorder) -> String {
    recorder
        .udp_address()
        .map_or_else(String::new, |address| format!("sip:LINE@{address}"))
}

/// Looks for terms that ended, now and then. Whether anything is destroyed is the law's answer.
fn start_sweep(
    config: &Config,
    archive: &Arc<Archive>,
    clock: &Arc<SystemClock>,
) -> (Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = mpsc::channel();
    let archive = Arc::clone(archive);
    let clock = Arc::clone(clock);
    let minutes = config.retention.sweep_minutes;
    let sweep = std::thread::spawn(move || {
        let every = Duration::from_secs(if minutes == 0 {
            u64::MAX / 2
        } else {
            minutes * 60
        });
        let mut sweeper = retention::Sweeper::default();
        let mut is_stopping = false;
        while !is_stopping && matches!(stopped.recv_timeout(every), Err(RecvTimeoutError::Timeout))
        {
            let swept = sweeper.sweep(&archive, clock.now(), &mut |swept| {
                log_swept(&swept);
                is_stopping = !matches!(stopped.try_recv(), Err(TryRecvError::Empty));
                if is_stopping {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
            if let Err(error) = swept {
                tracing::error!("retention: {}", error::chain(&error));
            }
        }
    });
    (stop, sweep)
}

fn log_swept(swept: &Swept) {
    let recording = swept.id;
    match &swept.outcome {
        Ok(Asked::Given(destroyed)) => tracing::info!(
            %recording, objects = destroyed.objects, bytes = destroyed.bytes,
            "the term ended: destroyed"
        ),
        Ok(Asked::Refused { id, decision }) => tracing::warn!(
            %recording, decision = %id, outcome = decision.outcome().as_str(),
            "the term ended, but the law does not permit destruction; asked again in a day"
        ),
        Err(error) => tracing::error!(
            %recording, error = %error::chain(error),
            "the term ended, but destruction failed; the next sweep goes on"
        ),
    }
}

/// Tells the pages how the recorder is doing.
#[derive(Debug)]
struct RecorderStatus(Arc<Recorder>);

impl StatusSource for RecorderStatus {
    fn status(&self) -> voicelog_web::Status {
        let status = self.0.status();
        voicelog_web::Status {
            pause: status.why_not.map(pause),
            calls_in_progress: status.calls.len(),
        }
    }
}

fn pause(why: WhyNot) -> Pause {
    match why {
        WhyNot::Draining => Pause::Stopping,
        WhyNot::DiskNearlyFull | WhyNot::DiskTrouble => Pause::DiskFull,
        WhyNot::TooManyCalls => Pause::Busy,
    }
}
