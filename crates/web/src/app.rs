//! What the pages and the API stand on: the archive, a clock, the recorder's state, settings.

use crate::cookie::Names;
use crate::playing::Playing;
use crate::throttle::{Allowance, Throttle};
use crate::trouble::Trouble;
use crate::wishes::Wishes;
use axum::http::StatusCode;
use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::sync::Semaphore;
use voicelog_archive::journal::PauseReason;
use voicelog_archive::{Archive, ArchiveError};
use voicelog_casework::importing::Uploads;
use voicelog_casework::memory::{self, Made};
use voicelog_model::{Clock, Language, RecordingId, Timestamp};
use voicelog_room::Rooms;

/// Settings of the web room.
#[derive(Clone)]
pub struct WebConfig {
    /// Address at which people reach the pages, such as `https://opnamen.voorbeeld.nl`: the links of
    /// invitations lead there. With https, cookies are bound to the host and travel over https alone.
    pub public_url: String,
    /// Addresses to which a recording client can send its calls, such as `UDP` with
    /// `sip:line@10.0.0.5:5060`; shown where a new user looks for them.
    pub recording_addresses: Vec<(&'static str, String)>,
    /// SHA-256 of the API's bearer token.
    pub api_token_sha256: [u8; 32],
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Bytes of memory that opening one recording, to listen to it or to copy it, may take.
    pub recording_bytes_max: u64,
    /// For whom is recorded, as guests of a talk read it; empty where nobody said.
    pub organisation: String,
    /// The authority that signs for these pages, where it is our own.
    pub authority: Option<OwnAuthority>,
}

/// An authority of our own: a device that is to believe it installs its certificate.
#[derive(Debug, Clone)]
pub struct OwnAuthority {
    /// X.509, DER.
    pub certificate: Vec<u8>,
}

impl fmt::Debug for WebConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebConfig")
            .field("public_url", &self.public_url)
            .field("recording_addresses", &self.recording_addresses)
            .finish_non_exhaustive()
    }
}

/// Why no new call is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// The server is starting or recovering.
    Starting,
    /// The server is stopping; calls in progress are being finished.
    Stopping,
    /// The disk is full or nearly so.
    DiskFull,
    /// As many calls are in progress as may be.
    Busy,
    /// No ports are free for the media of one more call.
    NoMediaPorts,
    /// The archive does not answer.
    ArchiveAway,
}

impl Pause {
    /// The word in `/healthz` and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Stopping => "stopping",
            Self::DiskFull => "disk_full",
            Self::Busy => "busy",
            Self::NoMediaPorts => "no_media_ports",
            Self::ArchiveAway => "archive_away",
        }
    }

    /// The reason in a sentence.
    #[must_use]
    pub const fn text(self, lang: Language) -> &'static str {
        let (nl, en) = match self {
            Self::Starting => ("De server start nog.", "The server is still starting."),
            Self::Stopping => (
                "De server stopt. Lopende gesprekken worden afgemaakt.",
                "The server is stopping. Calls in progress are being finished.",
            ),
            Self::DiskFull => (
                "De schijf is vol. Maak ruimte.",
                "The disk is full. Make room.",
            ),
            Self::Busy => (
                "Er lopen zoveel gesprekken als er mogen lopen.",
                "As many calls are in progress as may be.",
            ),
            Self::NoMediaPorts => (
                "Alle poorten voor geluid zijn in gebruik. Maak het bereik sip.media_port_first tot sip.media_port_last groter.",
                "All ports for media are in use. Widen the range sip.media_port_first to sip.media_port_last.",
            ),
            Self::ArchiveAway => (
                "Het archief antwoordt niet.",
                "The archive does not answer.",
            ),
        };
        lang.pick(nl, en)
    }
}

/// How the recorder is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Why no new call is taken; `None` while calls are taken.
    pub pause: Option<Pause>,
    /// Calls in progress, recorded or waiting.
    pub calls_in_progress: usize,
}

/// The recorder in numbers, each with its word in snake case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metrics {
    /// Calls in progress, by what is being done with them.
    pub calls: Vec<(&'static str, u64)>,
    /// Calls that have ended and are being closed.
    pub closing: u64,
    /// Datagrams of media since the start, by what became of them.
    pub packets: Vec<(&'static str, u64)>,
    /// How often what happened since the start.
    pub events: Vec<(&'static str, u64)>,
    /// Bytes of media that wait in memory.
    pub waiting_bytes: u64,
    /// After how many minutes the disk is too full for new calls, if it goes on as in the last hour.
    pub disk_minutes_left: Option<u64>,
}

/// An alarm that was raised and is not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alarm {
    /// Its word.
    pub word: &'static str,
    /// The recording, where it is about one.
    pub recording: Option<RecordingId>,
    /// Why, in a word, where there are several reasons.
    pub reason: Option<&'static str>,
    /// When it was raised.
    pub since: Timestamp,
}

/// Who tells how the recorder is doing. The binary implements it over the recorder.
pub trait StatusSource: Send + Sync + fmt::Debug {
    /// The state at this moment. Must not block.
    fn status(&self) -> Status;

    /// The numbers of this moment. Must not block.
    fn metrics(&self) -> Metrics;

    /// The alarms that stand at this moment. Must not block.
    fn alarms(&self) -> Vec<Alarm>;
}

/// A pause that a call is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paused {
    /// Why.
    pub reason: PauseReason,
    /// From when on nothing is kept.
    pub since: Timestamp,
    /// When recording goes on by itself.
    pub until: Timestamp,
}

/// Why a pause was not made, or not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotPaused {
    /// No call in progress has this recording.
    NoSuchCall,
    /// No pause, or one longer than may be.
    Length {
        /// The longest that may be asked for, in seconds.
        seconds_max: u64,
    },
    /// There is no pause to end.
    IsNotPaused,
    /// The recorder did not answer: nobody knows.
    NoAnswer,
}

/// Who pauses calls. The binary implements it over the recorder.
pub trait Pauses: Send + Sync + fmt::Debug {
    /// Pauses recording of a call, and returns when its media is no longer kept. May block.
    ///
    /// # Errors
    ///
    /// Nobody may take it that recording is paused.
    fn pause(
        &self,
        id: RecordingId,
        reason: PauseReason,
        limit: Option<Duration>,
    ) -> Result<Paused, NotPaused>;

    /// Lets a paused call go on. May block.
    ///
    /// # Errors
    ///
    /// It was not paused, or nobody knows.
    fn resume(&self, id: RecordingId) -> Result<(), NotPaused>;

    /// The pause that a call is in. Must not block.
    fn paused(&self, id: RecordingId) -> Option<Paused>;
}

/// What the router is made from.
#[derive(Debug, Clone)]
pub struct App {
    /// The archive.
    pub archive: Arc<Archive>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// How the recorder is doing.
    pub status: Arc<dyn StatusSource>,
    /// Who pauses calls.
    pub pauses: Arc<dyn Pauses>,
    /// Who carries out other wishes about calls.
    pub wishes: Arc<dyn Wishes>,
    /// Talks in a room.
    pub rooms: Arc<Rooms>,
    /// Files that are being sent.
    pub uploads: Arc<Uploads>,
    /// Settings.
    pub config: WebConfig,
}

/// Tries of one address with any name: each costs a core for a moment, so this is what keeps one
/// visitor from holding the queue. Wide, since people behind one proxy may share an address.
const TRIES_OF_AN_ADDRESS: Allowance = Allowance {
    burst: 60,
    one_per_micros: 1_000_000,
};
/// Tries of one address with one name, and with one name from everywhere. The second is wider, so
/// that a stranger cannot easily shut out the owner of a name.
const TRIES_OF_BOTH: Allowance = Allowance {
    burst: 10,
    one_per_micros: 30_000_000,
};
const TRIES_OF_A_NAME: Allowance = Allowance {
    burst: 30,
    one_per_micros: 30_000_000,
};

/// Codes of talks that one address tries. There are 2^40 of them, and at most a thousand in use.
const TRIES_OF_A_CODE: Allowance = Allowance {
    burst: 10,
    one_per_micros: 10_000_000,
};

/// What handlers share.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) app: App,
    pub(crate) cookies: Names,
    pub(crate) tries_of_address: Throttle,
    pub(crate) tries_of_both: Throttle,
    pub(crate) tries_of_name: Throttle,
    pub(crate) tries_of_code: Throttle,
    /// Tries to sign in that failed since the start; for the operator.
    pub(crate) failed_sign_ins: AtomicU64,
    /// One password at a time is hashed: it costs 64 MiB and a core that calls may need.
    pub(crate) hashing: Semaphore,
    pub(crate) playing: Playing,
    /// One interview at a time is worked out: it costs a core that calls may need.
    pub(crate) interviews: Semaphore,
    /// One recording at a time is opened: it costs memory and a core that calls may need.
    pub(crate) opening: Arc<Semaphore>,
    /// Bundles that are being sent: each is in memory until its last byte has gone.
    pub(crate) sending: Arc<Semaphore>,
}

/// Bundles sent at once at most.
const SENDING_MAX: usize = 2;

/// Handlers' state.
pub(crate) type Shared = Arc<Desk>;

impl Desk {
    pub(crate) fn new(app: App) -> Self {
        Self {
            cookies: Names::new(app.config.public_url.starts_with("https://")),
            app,
            tries_of_address: Throttle::new(TRIES_OF_AN_ADDRESS),
            tries_of_both: Throttle::new(TRIES_OF_BOTH),
            tries_of_name: Throttle::new(TRIES_OF_A_NAME),
            tries_of_code: Throttle::new(TRIES_OF_A_CODE),
            failed_sign_ins: AtomicU64::new(0),
            hashing: Semaphore::new(1),
            playing: Playing::default(),
            interviews: Semaphore::new(1),
            opening: Arc::new(Semaphore::new(1)),
            sending: Arc::new(Semaphore::new(SENDING_MAX)),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    /// Asks the archive something, off the async threads.
    pub(crate) async fn ask<T, E>(
        &self,
        question: impl FnOnce(&Archive, Timestamp) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Trouble>
    where
        T: Send + 'static,
        E: Into<Trouble> + Send + 'static,
    {
        let archive = Arc::clone(&self.app.archive);
        let now = self.now();
        tokio::task::spawn_blocking(move || question(&archive, now))
            .await
            .map_err(|stopped| Trouble::internal(&stopped))?
            .map_err(Into::into)
    }

    /// The same for what opens a whole recording: one at a time, and none that would take more
    /// memory than it may. `command` does the same outside the server.
    pub(crate) async fn open<T: Send + 'static>(
        &self,
        id: RecordingId,
        made: Made,
        command: &str,
        opening: impl FnOnce(&Archive, Timestamp) -> Result<T, ArchiveError> + Send + 'static,
    ) -> Result<T, Trouble> {
        let needed = self
            .ask(move |archive, _now| memory::needed(archive, id, made))
            .await?;
        let most = self.app.config.recording_bytes_max;
        if needed > most {
            let (needed, most) = (needed >> 20, most >> 20);
            return Err(Trouble::new(StatusCode::PAYLOAD_TOO_LARGE).saying(
                format!(
                    "Deze opname is te lang om hier te openen: dat kost ongeveer {needed} MiB geheugen en het mag {most} MiB kosten (http.recording_mib). Op de server kan het wel: `voicelog {command}`."
                ),
                format!(
                    "This recording is too long to be opened here: it takes about {needed} MiB of memory and may take {most} MiB (http.recording_mib). It can be done on the server: `voicelog {command}`."
                ),
            ));
        }
        let place = Arc::clone(&self.opening)
            .acquire_owned()
            .await
            .map_err(|closed| Trouble::internal(&closed))?;
        self.ask(move |archive, now| {
            // Inside: the thread goes on when the one who asked has stopped waiting.
            let _place = place;
            opening(archive, now)
        })
        .await
    }

    /// The same for questions whose errors are all ours.
    pub(crate) async fn ask_index<T, E>(
        &self,
        question: impl FnOnce(&Archive, Timestamp) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Trouble>
    where
        T: Send + 'static,
        E: Error + Send + 'static,
    {
        self.ask(move |archive, now| {
            question(archive, now).map_err(|error| Trouble::internal(&error))
        })
        .await
    }

    /// Random bytes through the archive's one door.
    pub(crate) fn random<const N: usize>() -> Result<[u8; N], Trouble> {
        voicelog_archive::random::bytes().map_err(|error| Trouble::internal(&error))
    }
}
