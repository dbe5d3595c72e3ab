//! The registry of talks: who may come in, by which code, and where what they ask for is done.

use crate::error::RoomError;
use crate::guard::contained;
use crate::keeper::{self, KeeperHandle};
use crate::notice::PlayedNotice;
use crate::state::{Phase, State};
use crate::talk::{Inner, Person, Seat, Talk, offered, pseudonym, title};
use crate::words;
use crate::writer::{Writer, WriterHandle};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use tokio::sync::watch;
use voicelog_archive::journal::JournalEvent;
use voicelog_archive::notice::{Ear, EarHandle};
use voicelog_archive::{Archive, ArchiveError, Consent, ConsentBy, Line, random};
use voicelog_model::{Clock, Pii, RecordingId, Timestamp, error::chain};

/// Talks that are open at once at most.
pub(crate) const TALKS_MAX: usize = 1_000;
/// Participants of a talk at most, who left included.
pub(crate) const PEOPLE_MAX: usize = 16;
/// How long a code can be used: an hour.
const CODE_MICROS: i64 = 3_600_000_000;
/// Letters of a name that somebody says.
const NAME_LETTERS_MAX: usize = 100;

/// A kind of talk that can be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// Its name in the configuration.
    pub name: String,
    /// What people read instead.
    pub title: String,
}

/// A talk of a host that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenTalk {
    /// Its id.
    pub id: RecordingId,
    /// What people read of its kind.
    pub title: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Where it is.
    pub phase: Phase,
    /// How many are in it.
    pub present: usize,
    /// The code, while it can be used.
    pub code: Option<String>,
}

/// What a code leads to, before anybody comes in.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// Which talk.
    pub id: RecordingId,
    /// Its kind: purpose, basis, term and so on are among its facts.
    pub kind: Arc<Line>,
    /// What people read of it.
    pub title: String,
    /// Who invites, as the host is called.
    pub host: Option<Pii<String>>,
}

/// For how much of a talk somebody was there, in microseconds from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Presence {
    /// When they came; nothing where they were there when it began.
    pub from_us: Option<u64>,
    /// When they left; nothing where they stayed to its end.
    pub to_us: Option<u64>,
}

/// What the threads and the requests share.
pub(crate) struct Shared {
    pub(crate) archive: Arc<Archive>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) writer: WriterHandle,
    pub(crate) keeper: KeeperHandle,
    pub(crate) ear: EarHandle,
    /// The notices of the kinds of talk that have one, by the name of the kind.
    pub(crate) notices: BTreeMap<String, PlayedNotice>,
    pub(crate) talks: RwLock<BTreeMap<RecordingId, Arc<Talk>>>,
    pub(crate) is_stopping: AtomicBool,
    /// Held while somebody looks whether all talks are closed; it guards no data.
    pub(crate) closing: Mutex<()>,
    /// A talk was closed.
    pub(crate) one_closed: Condvar,
    /// Talks that were left for recovery to close.
    pub(crate) failures: Mutex<Vec<(RecordingId, Timestamp)>>,
}

/// All talks. Dropping it without [`Rooms::settle`] is a crash: what is on the disk is for recovery.
pub struct Rooms {
    pub(crate) shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl fmt::Debug for Rooms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rooms({})", self.shared.all().len())
    }
}

impl Rooms {
    /// Starts the thread that writes, the one that closes talks and looks at the clock, and the one that listens for the
    /// notices of those kinds of talk that have one, by the name of the kind.
    ///
    /// # Errors
    ///
    /// The system gives no thread.
    pub fn start(
        archive: Arc<Archive>,
        clock: Arc<dyn Clock>,
        notices: BTreeMap<String, PlayedNotice>,
    ) -> std::io::Result<Self> {
        let (writer, writer_end) = WriterHandle::new();
        let (keeper, keeper_end) = KeeperHandle::new();
        let (ear, ear_end) = EarHandle::new();
        let shared = Arc::new(Shared {
            archive: Arc::clone(&archive),
            clock,
            writer,
            keeper: keeper.clone(),
            ear,
            notices,
            talks: RwLock::default(),
            is_stopping: AtomicBool::new(false),
            closing: Mutex::default(),
            one_closed: Condvar::new(),
            failures: Mutex::default(),
        });
        let writing = Writer::new(archive, Arc::clone(&shared.clock), writer_end, keeper);
        let thread = |name: &str| std::thread::Builder::new().name(name.to_owned());
        let writing = thread("room writer").spawn(move || {
            contained("writing talks", || writing.run());
        })?;
        let kept = Arc::clone(&shared);
        let keeping = thread("room keeper").spawn(move || keeper::run(&kept, &keeper_end))?;
        let told = Arc::clone(&shared);
        let ear = Ear::new(ear_end, Box::new(move |news| told.on_ear_news(news)));
        let listening = thread("room ear").spawn(move || ear.run())?;
        Ok(Self {
            shared,
            threads: vec![writing, keeping, listening],
        })
    }

    /// The kinds of talk that the configuration has.
    #[must_use]
    pub fn kinds(&self) -> Vec<Kind> {
        let rooms = self.shared.archive.lines().rooms();
        rooms
            .map(|line| Kind {
                name: line.name.clone(),
                title: title(line).to_owned(),
            })
            .collect()
    }

    /// Opens a talk of that kind. `account` is the host's, and `name` what the others read of them.
    ///
    /// # Errors
    ///
    /// No such kind, as many talks as may be, or the server is stopping.
    pub fn open(
        &self,
        kind: &str,
        account: &str,
        name: Option<&str>,
    ) -> Result<RecordingId, RoomError> {
        self.open_weighed(kind, account, name, None)
    }

    /// The same with what the host says of the weighing of interests, which goes to the law.
    ///
    /// # Errors
    ///
    /// As [`Rooms::open`], or the law cannot read it. Nothing is open then.
    pub fn open_weighed(
        &self,
        kind: &str,
        account: &str,
        name: Option<&str>,
        weighing: Option<Map<String, Value>>,
    ) -> Result<RecordingId, RoomError> {
        let shared = &self.shared;
        shared.check_going_on()?;
        let now = shared.clock.now();
        if self.open_count() >= TALKS_MAX {
            return Err(RoomError::Full("talks"));
        }
        let name = name.and_then(said_name);
        let code = new_code(now)?;
        let parties = vec![offered(name.clone(), false)];
        let call = shared
            .archive
            .open_room(kind, parties, now)
            .map_err(|error| match error {
                ArchiveError::NoSuchRoom => RoomError::NoSuchKind,
                other => RoomError::Archive(other),
            })?;
        let consent = Consent {
            party: pseudonym(0),
            word: "given".to_owned(),
            by: ConsentBy::Screen,
        };
        let told = shared.archive.consent(call.id, consent, now);
        let told = told.and_then(|()| match weighing {
            Some(weighing) => shared.archive.weigh_room(call.id, weighing, now),
            None => Ok(()),
        });
        if let Err(error) = told {
            shared.archive.withdraw_room(call.id);
            return Err(error.into());
        }
        let host = (Pii::new(account.to_owned()), name);
        let talk = Talk::new(call.id, call.line, host, code, now);
        shared.write_talks().insert(call.id, Arc::new(talk));
        Ok(call.id)
    }

    /// The talks of a host that are not over, newest first.
    #[must_use]
    pub fn of_host(&self, account: &str) -> Vec<OpenTalk> {
        let now = self.shared.clock.now();
        let mut open = Vec::new();
        for talk in self.shared.all().iter().rev() {
            let inner = talk.lock();
            if inner.ended.is_some() || inner.host.expose() != account {
                continue;
            }
            open.push(OpenTalk {
                id: talk.id,
                title: title(&talk.line).to_owned(),
                opened_at: inner.opened_at,
                phase: inner.phase(),
                present: inner.present(),
                code: inner.code_at(now).cloned(),
            });
        }
        open
    }

    /// What a code leads to. Whoever asks this for strangers counts how often they try.
    ///
    /// # Errors
    ///
    /// [`RoomError::NoSuchCode`].
    pub fn invitation(&self, code: &str) -> Result<Invitation, RoomError> {
        let talk = self.shared.of_code(code)?;
        let inner = talk.lock();
        Ok(Invitation {
            id: talk.id,
            kind: Arc::clone(&talk.line),
            title: title(&talk.line).to_owned(),
            host: inner.people.first().and_then(|host| host.name.clone()),
        })
    }

    /// Somebody comes in by the code. `token` is the SHA-256 of the cookie that they get.
    ///
    /// # Errors
    ///
    /// No such code, or no place.
    pub fn join(&self, code: &str, name: Option<&str>, token: [u8; 32]) -> Result<Seat, RoomError> {
        let shared = &self.shared;
        shared.check_going_on()?;
        let talk = shared.of_code(code)?;
        let _acting = talk.act();
        let now = shared.clock.now();
        let place = {
            let mut inner = talk.lock();
            // It may have ended, or another code come, since it was found.
            if inner.code_at(now) != words::typed(code).as_ref() {
                return Err(RoomError::NoSuchCode);
            }
            if inner.people.len() >= PEOPLE_MAX {
                return Err(RoomError::Full("participants"));
            }
            let place = inner.people.len();
            inner.people.push(Person {
                token: Some(token),
                name: name.and_then(said_name),
                choice: None,
                request: None,
                agreed: 0,
                copy: None,
                minutes_copy: None,
                joined_at: now,
                left_at: None,
            });
            inner.heard_at = now;
            if inner.began.is_some() {
                let party = pseudonym(place);
                let event = JournalEvent::PartyJoined { party };
                talk.note(&mut inner, &shared.writer, now, event);
            }
            place
        };
        // They are in, whatever the law says of it: where it could not be asked, nothing is kept until it was.
        if let Err(error) = shared.people_changed(&talk, now) {
            let error = chain(&error);
            tracing::error!(recording = %talk.id, %error, "the law is asked again");
        }
        talk.changed();
        Ok(talk.seat(place))
    }

    /// The host's seat in a talk, if that account started it.
    #[must_use]
    pub fn host_seat(&self, id: RecordingId, account: &str) -> Option<Seat> {
        let talk = self.shared.find(id).ok()?;
        let is_host = talk.lock().host.expose() == account;
        is_host.then(|| talk.seat(0))
    }

    /// The seat of the guest whose cookie has this SHA-256, if it is one of this talk.
    #[must_use]
    pub fn guest_seat(&self, id: RecordingId, token: &[u8; 32]) -> Option<Seat> {
        let talk = self.shared.find(id).ok()?;
        let place = talk.lock().guest(token)?;
        Some(talk.seat(place))
    }

    /// The talk as they see it; they were heard of.
    ///
    /// # Errors
    ///
    /// It is forgotten.
    pub fn state(&self, seat: &Seat) -> Result<State, RoomError> {
        let talk = self.shared.find(seat.talk)?;
        let now = self.shared.clock.now();
        let mut inner = talk.lock();
        inner.heard_at = now;
        Ok(talk.state(&inner, seat, now))
    }

    /// For how much of a talk that is over they were there: its bounds in microseconds from its beginning, each left out
    /// where it is that of the talk. Nothing, where they heard nothing of it.
    ///
    /// # Errors
    ///
    /// It is forgotten.
    pub fn presence(&self, seat: &Seat) -> Result<Option<Presence>, RoomError> {
        let talk = self.shared.find(seat.talk)?;
        let inner = talk.lock();
        Ok(inner.presence(seat.place))
    }

    /// Tells of changes: the version of the state.
    ///
    /// # Errors
    ///
    /// It is forgotten.
    pub fn changes(&self, seat: &Seat) -> Result<watch::Receiver<u64>, RoomError> {
        Ok(self.shared.find(seat.talk)?.changes.subscribe())
    }

    /// Talks that something went wrong with, and when, since the server was started: its next start closes what is on the
    /// disk of them.
    #[must_use]
    pub fn failures(&self) -> Vec<(RecordingId, Timestamp)> {
        self.shared.failures().clone()
    }

    /// How many talks are open.
    #[must_use]
    pub fn open_count(&self) -> usize {
        let all = self.shared.all();
        all.iter()
            .filter(|talk| talk.lock().ended.is_none())
            .count()
    }

    /// Looks at the clock: silent tracks, codes, talks to be ended, closed or forgotten. The keeper's thread does this
    /// four times a second.
    pub fn tick(&self) {
        keeper::tick(&self.shared);
    }
}

impl Drop for Rooms {
    fn drop(&mut self) {
        self.shared.is_stopping.store(true, Ordering::Relaxed);
        self.shared.writer.stop();
        self.shared.keeper.stop();
        self.shared.ear.stop();
        for thread in self.threads.drain(..) {
            // What it stopped of was said when it did.
            let _panicked = thread.join();
        }
    }
}

/// A code, and until when it can be used.
pub(crate) fn new_code(now: Timestamp) -> Result<(String, Timestamp), RoomError> {
    let random: [u8; words::CODE_LETTERS] = random::bytes().map_err(ArchiveError::from)?;
    let code = words::code(&random);
    Ok((code, now.plus_micros(CODE_MICROS)))
}

/// A name as somebody said it, held within bounds; nothing where they said none.
fn said_name(name: &str) -> Option<Pii<String>> {
    let kept = name.trim().chars().filter(|c| !c.is_control());
    let name: String = kept.take(NAME_LETTERS_MAX).collect();
    (!name.is_empty()).then(|| Pii::new(name))
}

impl Talk {
    pub(crate) fn seat(&self, place: usize) -> Seat {
        Seat {
            talk: self.id,
            party: pseudonym(place),
            is_host: place == 0,
            place,
        }
    }
}

impl Shared {
    pub(crate) fn write_talks(
        &self,
    ) -> std::sync::RwLockWriteGuard<'_, BTreeMap<RecordingId, Arc<Talk>>> {
        self.talks.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every talk, oldest first.
    pub(crate) fn all(&self) -> Vec<Arc<Talk>> {
        let talks = self.talks.read().unwrap_or_else(PoisonError::into_inner);
        talks.values().cloned().collect()
    }

    pub(crate) fn find(&self, id: RecordingId) -> Result<Arc<Talk>, RoomError> {
        let talks = self.talks.read().unwrap_or_else(PoisonError::into_inner);
        talks.get(&id).cloned().ok_or(RoomError::NotFound)
    }

    fn of_code(&self, code: &str) -> Result<Arc<Talk>, RoomError> {
        let code = words::typed(code).ok_or(RoomError::NoSuchCode)?;
        let now = self.clock.now();
        let is_it = |inner: &Inner| inner.code_at(now) == Some(&code);
        let mut all = self.all().into_iter();
        all.find(|talk| is_it(&talk.lock()))
            .ok_or(RoomError::NoSuchCode)
    }

    pub(crate) fn check_going_on(&self) -> Result<(), RoomError> {
        match self.is_stopping.load(Ordering::Relaxed) {
            true => Err(RoomError::Busy("the server is stopping")),
            false => Ok(()),
        }
    }
}
