//! Files that are sent piece by piece: the law is asked before the first byte, what came lies sealed on the disk, and
//! once all of it is here it goes the way of every file. Design: `design/import.md`.
//!
//! **Invariant:** no lock is held while the disk, the law or a file is waited for.

mod work;
mod writing;

pub use writing::Writing;

use crate::Asked;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use voicelog_archive::{Archive, ArchiveError, FILE_BYTES_MAX, Spool, StopImport, random};
use voicelog_law::Decision;
use voicelog_model::{Clock, DecisionId, Pii, RecordingId, Timestamp};

/// Uploads that one person, or the programs together, have under way at once.
pub const UPLOADS_OF_ONE_MAX: usize = 4;
/// Uploads that are under way in all.
const UPLOADS_MAX: usize = 16;
/// Uploads of which it is remembered what came of them.
const REMEMBERED_MAX: usize = 64;
/// For how long nothing may come of an upload, and for how long it is remembered what came of it.
const EXPIRES_MICROS: i64 = 3_600 * 1_000_000;

/// The name of an upload: 128 random bits, which nobody guesses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UploadId([u8; 16]);

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for UploadId {
    type Err = ();

    /// Only the form that it is shown in.
    fn from_str(text: &str) -> Result<Self, ()> {
        let number = u128::from_str_radix(text, 16).map_err(|_no_number| ())?;
        let id = Self(number.to_be_bytes());
        (id.to_string() == text).then_some(id).ok_or(())
    }
}

/// Whose an upload is. To others it is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// An account.
    Account(String),
    /// The programs that have the token.
    Program,
}

/// What is set for uploads.
#[derive(Debug, Clone)]
pub struct UploadSettings {
    /// Where they lie until they are imported: a folder for nothing else. What is in it at the start is removed.
    pub folder: PathBuf,
    /// Bytes that are left on the disk for calls.
    pub keep_free: u64,
}

/// What came of asking to send a file.
#[derive(Debug)]
pub enum Begun {
    /// It can be sent.
    Upload(UploadId, Place),
    /// The law refuses what is said of it. Nothing was sent.
    Refused {
        /// The decision.
        id: DecisionId,
        /// What it says.
        decision: Box<Decision>,
    },
}

/// How far an upload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Bytes that are here, and on the disk.
    pub offset: u64,
    /// Bytes of the whole.
    pub byte_len: u64,
    /// When it goes, unless more comes before.
    pub expires_at: Timestamp,
}

/// What became of an upload.
#[derive(Debug, Clone)]
pub enum Progress {
    /// Bytes are still to come.
    Receiving(Place),
    /// All is here, and is looked at and taken in.
    Working,
    /// It came to its end: taken in, here before, refused by the law, or not what can be taken.
    Ended(Arc<Result<Asked<TakenIn>, ArchiveError>>),
}

/// A file that is in the archive now.
#[derive(Debug, Clone)]
pub struct TakenIn {
    /// Its recording.
    pub id: RecordingId,
    /// What is told of it to programs, as of any import.
    pub told: Value,
    /// The decision that permitted it; nothing where it was there before.
    pub decision: Option<Box<Decision>>,
}

/// Why something cannot be done with an upload.
#[derive(Debug, thiserror::Error)]
pub enum UploadRefused {
    /// There is no such upload, or it is somebody else's.
    #[error("there is no such upload")]
    NotFound,
    /// It was there, and nothing came of it for too long.
    #[error("the upload has expired; nothing of it was kept")]
    Expired,
    /// The bytes do not begin where the last ones ended.
    #[error("the next byte is byte {0}")]
    Offset(u64),
    /// Somebody else sends to it at this moment, or it is being taken in.
    #[error("the upload is busy")]
    Busy,
    /// More than it was said to have, or than any file may have.
    #[error("these are more than {0} bytes")]
    TooLarge(u64),
    /// It has no bytes.
    #[error("a file has at least one byte")]
    Empty,
    /// This person, or all together, have as many under way as may be.
    #[error("too many uploads are under way")]
    TooMany,
    /// The bytes cannot be written.
    #[error("what was sent cannot be written")]
    Disk(#[source] io::Error),
    /// Its facts do not fit, or there is no room.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

/// One upload.
#[derive(Debug)]
struct Upload {
    owner: Owner,
    asker: Pii<String>,
    facts: Map<String, Value>,
    byte_len: u64,
    offset: u64,
    expires_at: Timestamp,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nobody sends; what came is here.
    Idle(Spool),
    /// Whoever sends has it.
    Sending,
    /// Whoever takes it in has it.
    Working,
    Expired,
    Ended(Arc<Result<Asked<TakenIn>, ArchiveError>>),
}

impl Upload {
    const fn is_under_way(&self) -> bool {
        matches!(self.state, State::Idle(_) | State::Sending | State::Working)
    }

    const fn place(&self) -> Place {
        Place {
            offset: self.offset,
            byte_len: self.byte_len,
            expires_at: self.expires_at,
        }
    }
}

/// What those who send, ask and take in share.
#[derive(Debug)]
struct Desk {
    archive: Arc<Archive>,
    clock: Arc<dyn Clock>,
    settings: UploadSettings,
    uploads: Mutex<BTreeMap<UploadId, Upload>>,
    /// Those that are whole, for the thread that takes them in.
    whole: Sender<Option<UploadId>>,
    stop: StopImport,
}

impl Desk {
    fn uploads(&self) -> MutexGuard<'_, BTreeMap<UploadId, Upload>> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn expiry(&self) -> Timestamp {
        self.clock.now().plus_micros(EXPIRES_MICROS)
    }

    /// What nobody sent to for too long goes, and so does what is remembered for long enough.
    fn sweep(&self) {
        let now = self.clock.now();
        let mut gone = Vec::new();
        let mut uploads = self.uploads();
        uploads.retain(|_, upload| {
            if upload.expires_at > now {
                return true;
            }
            match std::mem::replace(&mut upload.state, State::Expired) {
                State::Idle(spool) => gone.push(spool),
                busy @ (State::Sending | State::Working) => upload.state = busy,
                State::Expired | State::Ended(_) => return false,
            }
            upload.expires_at = now.plus_micros(EXPIRES_MICROS);
            true
        });
        let over = |upload: &Upload| !upload.is_under_way();
        while uploads.values().filter(|upload| over(upload)).count() > REMEMBERED_MAX {
            let all = uploads.iter().filter(|(_, upload)| over(upload));
            let oldest = all.min_by_key(|(_, upload)| upload.expires_at);
            let Some(oldest) = oldest.map(|(id, _)| *id) else {
                break;
            };
            uploads.remove(&oldest);
        }
        // Their files are removed without the lock.
        drop(uploads);
        drop(gone);
    }
}

/// Files that are being sent, and the thread that takes them in.
#[derive(Debug)]
pub struct Uploads {
    desk: Arc<Desk>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Uploads {
    /// Makes the folder, removes what an earlier run left in it, and starts the thread.
    ///
    /// # Errors
    /// The folder or the thread cannot be made.
    pub fn start(
        archive: Arc<Archive>,
        clock: Arc<dyn Clock>,
        settings: UploadSettings,
    ) -> io::Result<Self> {
        std::fs::create_dir_all(&settings.folder)?;
        Spool::sweep(&settings.folder)?;
        let (whole, next) = mpsc::channel();
        let desk = Arc::new(Desk {
            archive,
            clock,
            settings,
            uploads: Mutex::default(),
            whole,
            stop: Arc::new(AtomicBool::new(false)),
        });
        let at_work = Arc::clone(&desk);
        let thread = std::thread::Builder::new().name("uploads".to_owned());
        let thread = thread.spawn(move || work::work(&at_work, &next))?;
        Ok(Self {
            desk,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Ends within the file at hand, of which nothing is kept then.
    pub fn stop(&self) {
        self.desk.stop.store(true, Ordering::Relaxed);
        // Where the thread panicked nobody hears it.
        let _is_gone = self.desk.whole.send(None);
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            let _panicked = thread.join();
        }
        drop(thread);
        self.desk.uploads().clear();
    }

    /// Asks the law about a file of which that is said, and makes room for it.
    ///
    /// # Errors
    /// What is said of it does not fit, it is too large, or there is no room. Nothing is kept then.
    pub fn begin(
        &self,
        owner: Owner,
        asker: Pii<String>,
        facts: Map<String, Value>,
        byte_len: u64,
    ) -> Result<Begun, UploadRefused> {
        let desk = &self.desk;
        let now = desk.clock.now();
        desk.sweep();
        match byte_len {
            0 => return Err(UploadRefused::Empty),
            _ if byte_len > FILE_BYTES_MAX => return Err(UploadRefused::TooLarge(FILE_BYTES_MAX)),
            _ => {}
        }
        let refused = desk.archive.refuse_before_upload(&facts, &asker, now)?;
        if let Some(answer) = refused {
            desk.archive.sequence()?;
            return Ok(Begun::Refused {
                id: answer.id,
                decision: Box::new(answer.decision),
            });
        }
        let id = UploadId(random::bytes().map_err(ArchiveError::from)?);
        let path = desk.settings.folder.join(format!("{id}.part"));
        let free = desk.archive.free_bytes()?;
        let spool = Spool::create(path, now).map_err(UploadRefused::Disk)?;
        let upload = Upload {
            owner,
            asker,
            facts,
            byte_len,
            offset: 0,
            expires_at: desk.expiry(),
            state: State::Idle(spool),
        };
        let place = upload.place();
        self.admit(id, upload, free)?;
        Ok(Begun::Upload(id, place))
    }

    /// Takes an upload up, if it is not one too many. One that is not taken up is dropped after the lock.
    fn admit(&self, id: UploadId, upload: Upload, free: u64) -> Result<(), UploadRefused> {
        let mut uploads = self.desk.uploads();
        let under_way = || uploads.values().filter(|one| one.is_under_way());
        let of_owner = under_way().filter(|one| one.owner == upload.owner);
        if under_way().count() >= UPLOADS_MAX || of_owner.count() >= UPLOADS_OF_ONE_MAX {
            return Err(UploadRefused::TooMany);
        }
        // While it is taken in it lies there twice, one after the other.
        let largest = under_way().map(|one| one.byte_len).max().unwrap_or(0);
        let promised = under_way().map(|one| one.byte_len - one.offset);
        let needed = promised.sum::<u64>() + upload.byte_len + largest.max(upload.byte_len);
        if free < needed.saturating_add(self.desk.settings.keep_free) {
            return Err(ArchiveError::NoRoom(upload.byte_len).into());
        }
        uploads.insert(id, upload);
        Ok(())
    }

    /// How far an upload is.
    ///
    /// # Errors
    /// It is not there, or not any more.
    pub fn progress(&self, owner: &Owner, id: UploadId) -> Result<Progress, UploadRefused> {
        self.desk.sweep();
        let uploads = self.desk.uploads();
        let upload = own(uploads.get(&id), owner)?;
        match &upload.state {
            // It waits for its turn.
            State::Idle(_) if upload.offset == upload.byte_len => Ok(Progress::Working),
            State::Idle(_) | State::Sending => Ok(Progress::Receiving(upload.place())),
            State::Working => Ok(Progress::Working),
            State::Expired => Err(UploadRefused::Expired),
            State::Ended(end) => Ok(Progress::Ended(Arc::clone(end))),
        }
    }

    /// The place of an upload, whole or not.
    ///
    /// # Errors
    /// It is not there, or not any more.
    pub fn place(&self, owner: &Owner, id: UploadId) -> Result<Place, UploadRefused> {
        self.desk.sweep();
        let uploads = self.desk.uploads();
        let upload = own(uploads.get(&id), owner)?;
        match upload.state {
            State::Expired => Err(UploadRefused::Expired),
            _ => Ok(upload.place()),
        }
    }

    /// Begins to send more, from the place where the last byte was taken.
    ///
    /// # Errors
    /// It is not there, another one sends, or the place is another.
    pub fn write(
        &self,
        owner: &Owner,
        id: UploadId,
        offset: u64,
    ) -> Result<Writing, UploadRefused> {
        self.desk.sweep();
        let mut uploads = self.desk.uploads();
        let upload = uploads.get_mut(&id).filter(|one| one.owner == *owner);
        let upload = upload.ok_or(UploadRefused::NotFound)?;
        match std::mem::replace(&mut upload.state, State::Sending) {
            State::Idle(spool) if upload.offset == offset => {
                let byte_len = upload.byte_len;
                Ok(Writing::new(
                    Arc::clone(&self.desk),
                    id,
                    spool,
                    offset,
                    byte_len,
                ))
            }
            other => {
                let refused = match &other {
                    State::Idle(_) | State::Ended(_) => UploadRefused::Offset(upload.offset),
                    State::Sending | State::Working => UploadRefused::Busy,
                    State::Expired => UploadRefused::Expired,
                };
                upload.state = other;
                Err(refused)
            }
        }
    }

    /// Gives an upload up. What came of it is removed.
    ///
    /// # Errors
    /// It is not there; or it is being taken in, and what comes of it is known soon.
    pub fn cancel(&self, owner: &Owner, id: UploadId) -> Result<(), UploadRefused> {
        let mut uploads = self.desk.uploads();
        let upload = own(uploads.get(&id), owner)?;
        if matches!(upload.state, State::Working) {
            return Err(UploadRefused::Busy);
        }
        // Whoever sends to it finds it gone, and what came of it goes with the sender.
        let gone = uploads.remove(&id);
        drop(uploads);
        drop(gone);
        Ok(())
    }
}

impl Drop for Uploads {
    fn drop(&mut self) {
        self.stop();
    }
}

fn own<'a>(upload: Option<&'a Upload>, owner: &Owner) -> Result<&'a Upload, UploadRefused> {
    let own = upload.filter(|one| one.owner == *owner);
    own.ok_or(UploadRefused::NotFound)
}
