//! A browser without a window: it keeps cookies, reads forms, and sends what a person would.

use crate::fixture::{self, Filled, Over};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tempfile::TempDir;
use tower::ServiceExt;
use voicelog_archive::journal::{KeepReason, PauseReason, PrivateEnd};
use voicelog_archive::notice::Notice;
use voicelog_archive::{Archive, KeepRequest};
use voicelog_casework::importing::{UploadSettings, Uploads};
use voicelog_model::{Clock, Pii, RecordingId, SimClock, Timestamp};
use voicelog_room::{PlayedNotice, Rooms};
use voicelog_web::{
    Alarm, App, Kept, Metrics, NotHeard, NotPaused, Pause, Paused, Pauses, Private, Status,
    StatusSource, WebConfig, Wishes, new_setup_token, router,
};

pub(crate) const TOKEN: &str = "the token of the programs";
pub(crate) const PASSWORD: &str = "paard accu nietje";

/// 2026-11-21T10:02:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_795_255_320_000_000);

/// A recorder whose state a test sets.
#[derive(Debug, Default)]
pub(crate) struct Recorder(
    pub(crate) Mutex<Option<Pause>>,
    pub(crate) Mutex<Vec<Alarm>>,
);

impl StatusSource for Recorder {
    fn status(&self) -> Status {
        Status {
            pause: *self.0.lock().unwrap(),
            calls_in_progress: 1,
        }
    }

    fn metrics(&self) -> Metrics {
        Metrics {
            waiting_bytes: 0,
            disk_minutes_left: Some(90),
            calls: vec![("recording", 1), ("waiting", 0)],
            closing: 2,
            packets: vec![("kept", 600)],
            events: vec![("alarm_no_media", 3)],
        }
    }

    fn alarms(&self) -> Vec<Alarm> {
        self.1.lock().unwrap().clone()
    }
}

/// Calls of which one is paused at a time; `None` for a recorder that does not answer. Which calls
/// there are, the archive knows.
#[derive(Debug)]
pub(crate) struct Telephones(
    pub(crate) Mutex<Option<Vec<(RecordingId, Paused)>>>,
    Arc<Archive>,
);

impl Pauses for Telephones {
    fn pause(
        &self,
        id: RecordingId,
        reason: PauseReason,
        limit: Option<Duration>,
    ) -> Result<Paused, NotPaused> {
        let seconds = limit.map_or(120, |limit| limit.as_secs());
        if seconds > 900 {
            return Err(NotPaused::Length { seconds_max: 900 });
        }
        let mut all = self.0.lock().unwrap();
        let all = all.as_mut().ok_or(NotPaused::NoAnswer)?;
        if self.1.call(id).is_none() {
            return Err(NotPaused::NoSuchCall);
        }
        let paused = Paused {
            reason,
            since: NOW,
            until: NOW.plus_micros(i64::try_from(seconds).unwrap() * 1_000_000),
        };
        all.push((id, paused));
        Ok(paused)
    }

    fn resume(&self, id: RecordingId) -> Result<(), NotPaused> {
        let mut all = self.0.lock().unwrap();
        let all = all.as_mut().ok_or(NotPaused::NoAnswer)?;
        if self.1.call(id).is_none() {
            return Err(NotPaused::NoSuchCall);
        }
        let before = all.len();
        all.retain(|(known, _)| *known != id);
        (all.len() < before)
            .then_some(())
            .ok_or(NotPaused::IsNotPaused)
    }

    fn paused(&self, id: RecordingId) -> Option<Paused> {
        let all = self.0.lock().unwrap();
        let mut all = all.iter().flatten();
        all.find(|(known, _)| *known == id)
            .map(|(_, paused)| *paused)
    }
}

impl Wishes for Telephones {
    fn keep(&self, id: RecordingId, request: KeepRequest) -> Result<Kept, NotHeard> {
        if self.0.lock().unwrap().is_none() {
            return Err(NotHeard::NoAnswer);
        }
        if self.1.call(id).is_none() {
            return Err(NotHeard::NoSuchCall);
        }
        Ok(match request.reason {
            KeepReason::Training => Kept::NotPermitted,
            KeepReason::Other => Kept::EveryCall,
            _ => Kept::From(request.at.plus_micros(-30_000_000)),
        })
    }

    fn begin_private(&self, id: RecordingId, _by: Pii<String>) -> Result<Private, NotHeard> {
        if self.1.call(id).is_none() {
            return Err(NotHeard::NoSuchCall);
        }
        let all = self.0.lock().unwrap();
        all.as_ref()
            .map_or(Err(NotHeard::NoAnswer), |_| Ok(Private::Since(NOW)))
    }

    fn end_private(
        &self,
        _id: RecordingId,
        said_by: Pii<String>,
        reason: PrivateEnd,
    ) -> Result<Private, NotHeard> {
        Ok(match (said_by.expose().as_str(), reason) {
            ("agent 2001", PrivateEnd::BusinessAgain) => Private::Over,
            ("agent 2001", PrivateEnd::Mistake) => Private::NotPrivate,
            _ => Private::AnotherPerson,
        })
    }
}

pub(crate) struct Site {
    pub(crate) router: Router,
    pub(crate) archive: Arc<Archive>,
    filled: Option<Filled>,
    pub(crate) clock: Arc<SimClock>,
    pub(crate) rooms: Arc<Rooms>,
    pub(crate) uploads: Arc<Uploads>,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) telephones: Arc<Telephones>,
    pub(crate) folder: TempDir,
}

/// A site over http with one conversation of every kind.
pub(crate) fn site() -> Site {
    site_at("http://127.0.0.1:8080")
}

pub(crate) fn site_at(public_url: &str) -> Site {
    site_with(|config| public_url.clone_into(&mut config.public_url))
}

/// A site where nobody destroys a recording alone.
pub(crate) fn site_of_two() -> Site {
    site_under(Some(fixture::NOT_ALONE), |_config| {})
}

/// A site with one conversation of every kind and settings of its own.
pub(crate) fn site_with(change: impl FnOnce(&mut WebConfig)) -> Site {
    site_under(None, change)
}

/// A site under a house rule.
pub(crate) fn site_under_rule(rule: &str) -> Site {
    site_under(Some(rule), |_config| {})
}

fn site_under(house: Option<&str>, change: impl FnOnce(&mut WebConfig)) -> Site {
    let folder = tempfile::tempdir().unwrap();
    let (template, over) = template();
    copy(template.path(), folder.path());
    let filled = fixture::with_a_call(folder.path(), *over, NOW, house).unwrap();
    let archive = Arc::clone(&filled.archive);
    let mut config = config();
    change(&mut config);
    site_over(archive, Some(filled), folder, (config, 0))
}

fn config() -> WebConfig {
    WebConfig {
        public_url: "http://127.0.0.1:8080".to_owned(),
        recording_addresses: vec![
            ("UDP", "sip:verkoop@127.0.0.1:5060".to_owned()),
            ("TLS", "sip:verkoop@127.0.0.1:5061;transport=tls".to_owned()),
        ],
        api_token_sha256: Sha256::digest(TOKEN).into(),
        trusted_proxies: Vec::new(),
        recording_bytes_max: 1 << 30,
        organisation: "Smit en Zonen".to_owned(),
        authority: None,
    }
}

/// Filling an archive asks the law many times, so it is done once; each test gets a copy.
fn template() -> &'static (TempDir, Over) {
    static TEMPLATE: OnceLock<(TempDir, Over)> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        // Statics are never dropped: what is left behind lies in the build folder.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let over = fixture::fill_folder(folder.path(), NOW).unwrap();
        (folder, over)
    })
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// A site with nothing in it.
pub(crate) fn empty_site() -> Site {
    empty_site_keeping_free(0)
}

/// The same, where so many bytes are left on the disk for calls.
pub(crate) fn empty_site_keeping_free(keep_free: u64) -> Site {
    let folder = tempfile::tempdir().unwrap();
    let archive = fixture::open(folder.path(), NOW).unwrap();
    site_over(archive, None, folder, (config(), keep_free))
}

/// What a browser would play; the sound that is looked for is two seconds of a rough tone.
fn notice() -> PlayedNotice {
    let samples: Vec<i16> = (0..16_000_i16)
        .map(|place| place % 47 * (place / 1_000) * 8)
        .collect();
    PlayedNotice {
        sound: Arc::new(Notice::new(&samples, 8_000).unwrap()),
        file: Arc::from(&b"RIFF a file of sound"[..]),
    }
}

fn site_over(
    archive: Arc<Archive>,
    filled: Option<Filled>,
    folder: TempDir,
    (config, keep_free): (WebConfig, u64),
) -> Site {
    let clock = Arc::new(SimClock::new(NOW));
    let recorder = Arc::new(Recorder::default());
    let telephones = Arc::new(Telephones(
        Mutex::new(Some(Vec::new())),
        Arc::clone(&archive),
    ));
    let pauses: Arc<dyn Pauses> = Arc::<Telephones>::clone(&telephones);
    let wishes: Arc<dyn Wishes> = Arc::<Telephones>::clone(&telephones);
    let shared_clock: Arc<dyn Clock> = Arc::<SimClock>::clone(&clock);
    let status: Arc<dyn StatusSource> = Arc::<Recorder>::clone(&recorder);
    let notices = BTreeMap::from([("beoordeling".to_owned(), notice())]);
    let rooms = Rooms::start(Arc::clone(&archive), Arc::clone(&shared_clock), notices).unwrap();
    let rooms = Arc::new(rooms);
    let settings = UploadSettings {
        folder: folder.path().join("uploads"),
        keep_free,
    };
    let uploads = Uploads::start(Arc::clone(&archive), Arc::clone(&shared_clock), settings);
    let uploads = Arc::new(uploads.unwrap());
    let router = router(App {
        archive: Arc::clone(&archive),
        clock: shared_clock,
        uploads: Arc::clone(&uploads),
        rooms: Arc::clone(&rooms),
        status,
        pauses,
        wishes,
        config,
    });
    Site {
        router,
        archive,
        filled,
        clock,
        rooms,
        uploads,
        recorder,
        telephones,
        folder,
    }
}

impl Site {
    /// What is in it.
    pub(crate) const fn filled(&self) -> &Filled {
        self.filled.as_ref().unwrap()
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Page {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }

    pub(crate) fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn location(&self) -> &str {
        self.header(header::LOCATION)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }

    /// The token in the page's form.
    pub(crate) fn form_token(&self) -> &str {
        self.between("name=\"form_token\" value=\"", "\"")
    }

    pub(crate) fn between(&self, start: &str, end: &str) -> &str {
        let after = self
            .text()
            .split_once(start)
            .unwrap_or_else(|| panic!("no {start}"))
            .1;
        after.split_once(end).unwrap().0
    }

    pub(crate) fn shows(&self, text: &str) -> bool {
        self.text().contains(text)
    }
}

/// Sends one request.
pub(crate) async fn send(router: &Router, request: Request<Body>) -> Page {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes().to_vec();
    Page {
        status: parts.status,
        headers: parts.headers,
        bytes,
    }
}

/// A browser with its cookies.
pub(crate) struct Browser<'s> {
    pub(crate) site: &'s Site,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) lang: &'static str,
}

impl<'s> Browser<'s> {
    pub(crate) fn new(site: &'s Site) -> Self {
        Self {
            site,
            cookies: BTreeMap::new(),
            lang: "en",
        }
    }

    /// A browser that is signed in.
    pub(crate) async fn signed_in(site: &'s Site) -> Self {
        let mut browser = Self::new(site);
        let archive = &site.archive;
        let path = new_setup_token(archive, [9; 32], site.clock.now())
            .unwrap()
            .unwrap();
        let page = browser.set_up(&path, PASSWORD, PASSWORD).await;
        assert_eq!(
            (page.status, page.location()),
            (StatusCode::SEE_OTHER, "/"),
            "{}",
            page.text()
        );
        browser
    }

    /// The browser of somebody whom this one invites, signed in.
    pub(crate) async fn invite(&mut self, name: &str) -> Self {
        let page = self.post("/accounts", &[("name", name)]).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text());
        let link = page.between("<pre>", "</pre>").to_owned();
        let path = link.strip_prefix("http://127.0.0.1:8080").unwrap();
        let mut other = Self::new(self.site);
        assert!(other.get(path).await.shows(name));
        let fields = [("password", PASSWORD), ("again", PASSWORD)];
        let page = other.post(path, &fields).await;
        assert_eq!((page.status, page.location()), (StatusCode::SEE_OTHER, "/"));
        other
    }

    pub(crate) async fn set_up(&mut self, path: &str, password: &str, again: &str) -> Page {
        self.get(path).await;
        let fields = [("name", "Beheer"), ("password", password), ("again", again)];
        self.post(path, &fields).await
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT_LANGUAGE, self.lang)
            .header(header::HOST, "127.0.0.1:8080");
        if cookies.is_empty() {
            request
        } else {
            request.header(header::COOKIE, cookies.join("; "))
        }
    }

    pub(crate) async fn send(&mut self, request: Request<Body>) -> Page {
        let page = send(&self.site.router, request).await;
        for set in page.headers.get_all(header::SET_COOKIE) {
            let set = set.to_str().unwrap();
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            if set.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        page
    }

    pub(crate) async fn get(&mut self, path: &str) -> Page {
        let request = self.request("GET", path).body(Body::empty()).unwrap();
        self.send(request).await
    }

    /// Sends a form with the token of a page of ours.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let from = if self.cookies.contains_key("voicelog") {
            "/"
        } else {
            "/login"
        };
        let token = self.get(from).await.form_token().to_owned();
        self.post_with(path, &token, fields).await
    }

    pub(crate) async fn post_with(
        &mut self,
        path: &str,
        token: &str,
        fields: &[(&str, &str)],
    ) -> Page {
        let mut body = format!("form_token={token}");
        for (name, value) in fields {
            body.push_str(&format!("&{name}={}", percent(value)));
        }
        let request = self
            .request("POST", path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        self.send(request).await
    }
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// A request of a program, with the token.
pub(crate) async fn program(site: &Site, method: &str, path: &str, body: &str) -> Page {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::AUTHORIZATION, format!("Bearer {TOKEN}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap();
    send(&site.router, request).await
}
