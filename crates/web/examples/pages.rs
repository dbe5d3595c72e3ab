//! A server with one conversation of every kind, for looking at the pages and for the browser's
//! checks: `cargo run -p voicelog-web --example pages`.
//!
//! It prints the set-up link, keeps everything in a temporary folder, and stops when its standard
//! input closes.
#![expect(
    clippy::print_stdout,
    reason = "the link on standard output is what the example is for"
)]

#[path = "../tests/it/fixture.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod fixture;

use fixture::Outcome;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use voicelog_archive::journal::{PauseReason, PrivateEnd};
use voicelog_archive::{DiaryEntry, KeepRequest};
use voicelog_casework::importing::{UploadSettings, Uploads};
use voicelog_model::{Clock, Pii, RecordingId, SimClock, Timestamp};
use voicelog_room::Rooms;
use voicelog_web::{
    Alarm, App, Kept, Metrics, NotHeard, NotPaused, OwnAuthority, Paused, Pauses, Private, Status,
    StatusSource, WebConfig, Wishes, new_setup_token, router, serve,
};

/// A recorder that takes calls, with something wrong in one that is in progress, and with a client.
#[derive(Debug)]
struct Troubled {
    call: RecordingId,
    since: Timestamp,
}

impl StatusSource for Troubled {
    fn status(&self) -> Status {
        Status {
            pause: None,
            calls_in_progress: 1,
        }
    }

    fn metrics(&self) -> Metrics {
        Metrics::default()
    }

    fn alarms(&self) -> Vec<Alarm> {
        let alarm = |word, recording, reason| Alarm {
            word,
            recording,
            reason,
            since: self.since,
        };
        vec![
            alarm("no_media", Some(self.call), None),
            alarm(
                "calls_refused",
                None,
                Some("tls_client_certificate_expired"),
            ),
        ]
    }
}

/// Calls that nobody pauses.
#[derive(Debug)]
struct Calm;

impl Pauses for Calm {
    fn pause(
        &self,
        _id: RecordingId,
        _reason: PauseReason,
        _limit: Option<Duration>,
    ) -> Result<Paused, NotPaused> {
        Err(NotPaused::NoSuchCall)
    }

    fn resume(&self, _id: RecordingId) -> Result<(), NotPaused> {
        Err(NotPaused::NoSuchCall)
    }

    fn paused(&self, _id: RecordingId) -> Option<Paused> {
        None
    }
}

impl Wishes for Calm {
    fn keep(&self, _id: RecordingId, _request: KeepRequest) -> Result<Kept, NotHeard> {
        Err(NotHeard::NoSuchCall)
    }

    fn begin_private(&self, _id: RecordingId, _by: Pii<String>) -> Result<Private, NotHeard> {
        Err(NotHeard::NoSuchCall)
    }

    fn end_private(
        &self,
        _id: RecordingId,
        _by: Pii<String>,
        _reason: PrivateEnd,
    ) -> Result<Private, NotHeard> {
        Err(NotHeard::NoSuchCall)
    }
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let now: Timestamp = "2026-11-21T10:02:00Z".parse()?;
    let over = fixture::fill_folder(folder.path(), now)?;
    // Nobody destroys a recording alone, so that there are pages about a second person.
    let filled = fixture::with_a_call(folder.path(), over, now, Some(fixture::NOT_ALONE))?;
    let archive = filled.archive;
    archive.add_to_diary(&[DiaryEntry {
        minute: now.plus_micros(-180_000_000),
        what: "tls_client_certificate_expired".to_owned(),
        count: 7,
    }])?;
    let troubled = Troubled {
        call: filled.waiting,
        since: now.plus_micros(-180_000_000),
    };
    let path = new_setup_token(&archive, voicelog_archive::random::bytes()?, now)?
        .ok_or("there is an account already")?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let clock: Arc<dyn Clock> = Arc::new(SimClock::new(now));
    let rooms = Rooms::start(Arc::clone(&archive), Arc::clone(&clock), BTreeMap::new())?;
    let settings = UploadSettings {
        folder: folder.path().join("uploads"),
        keep_free: 0,
    };
    let uploads = Uploads::start(Arc::clone(&archive), Arc::clone(&clock), settings)?;
    let app = App {
        archive,
        clock,
        rooms: Arc::new(rooms),
        uploads: Arc::new(uploads),
        status: Arc::new(troubled),
        pauses: Arc::new(Calm),
        wishes: Arc::new(Calm),
        config: WebConfig {
            public_url: format!("http://{address}"),
            recording_addresses: vec![
                ("UDP", "sip:verkoop@127.0.0.1:5060".to_owned()),
                ("TLS", "sip:verkoop@127.0.0.1:5061;transport=tls".to_owned()),
            ],
            api_token_sha256: Sha256::digest(b"pages").into(),
            trusted_proxies: Vec::new(),
            recording_bytes_max: 1 << 30,
            organisation: "Voorbeeld BV".to_owned(),
            authority: Some(OwnAuthority {
                certificate: b"a certificate".to_vec(),
            }),
        },
    };
    println!("http://{address}{path}");
    let input_closes = async {
        // An error on standard input means as much as its end.
        let read = || std::io::stdin().read_to_end(&mut Vec::new()).is_ok();
        let _ended = tokio::task::spawn_blocking(read).await.is_ok();
    };
    serve(listener, router(app), input_closes).await;
    Ok(())
}
