//! The ear: the thread that looks for notices in the sound of calls and talks.
//!
//! Decoding is no work for whoever takes media in, so it gets copies of the journals of those that
//! await a notice. What waits for it is bounded; beyond, a call is not listened to, which is said
//! and never counts as heard.

use super::{Found, Notice, StreamListener};
use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use voicelog_evidence::journal::{ChunkReader, PacketKind, RecordRef};
use voicelog_model::{MediaStream, RecordingId, StreamNumber};
use zeroize::Zeroizing;

/// Journals that wait for the ear at most, in bytes: some ten seconds of a hundred calls.
const WAITING_BYTES_MAX: usize = 16 << 20;

/// A notice was heard in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hearing {
    /// In which of its streams.
    pub stream: StreamNumber,
    /// From when to when, and how like the notice it is.
    pub found: Found,
}

/// What the ear tells of a recording. It looks no more in it then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EarNews {
    /// The notice was heard.
    Heard(RecordingId, Hearing),
    /// Nobody could listen: a decoder failed.
    NotListened(RecordingId),
}

#[derive(Debug)]
enum Job {
    /// Look for this in the streams of a call.
    Look(RecordingId, Arc<Notice>, Vec<MediaStream>),
    /// A stream was added, or became another.
    Stream(RecordingId, Box<MediaStream>),
    /// A chunk of a call's journal.
    Chunk(RecordingId, Zeroizing<Vec<u8>>),
    /// Look no more.
    Forget(RecordingId),
    /// There is nothing more to look for.
    Stop,
}

/// The way to the ear. Never blocks.
#[derive(Debug, Clone)]
pub struct EarHandle {
    jobs: Sender<Job>,
    waiting: Arc<AtomicUsize>,
}

/// The ear's end of the way.
#[derive(Debug)]
pub struct EarEnd {
    jobs: Receiver<Job>,
    waiting: Arc<AtomicUsize>,
}

impl EarHandle {
    /// Makes a way to the ear, and its end of it.
    pub fn new() -> (Self, EarEnd) {
        let (jobs, received) = channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let end = EarEnd {
            jobs: received,
            waiting: Arc::clone(&waiting),
        };
        (Self { jobs, waiting }, end)
    }

    /// Looks for a notice in a call from now on.
    pub fn look(&self, id: RecordingId, notice: Arc<Notice>, streams: Vec<MediaStream>) {
        self.send(Job::Look(id, notice, streams));
    }

    /// A stream of a call was added, or became another.
    pub fn stream(&self, id: RecordingId, stream: MediaStream) {
        self.send(Job::Stream(id, Box::new(stream)));
    }

    /// Looks no more in a call.
    pub fn forget(&self, id: RecordingId) {
        self.send(Job::Forget(id));
    }

    /// Ends the ear, whoever else has a way to it.
    pub fn stop(&self) {
        self.send(Job::Stop);
    }

    /// Whether it has listened to all that it was given, and told what it heard.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.waiting.load(Ordering::Acquire) == 0
    }

    /// The next chunk of a call's journal. False if it is not listened to: too much waits.
    #[must_use]
    pub fn chunk(&self, id: RecordingId, plaintext: Zeroizing<Vec<u8>>) -> bool {
        let len = plaintext.len();
        let before = self.waiting.fetch_add(len, Ordering::Relaxed);
        let is_taken = before.saturating_add(len) <= WAITING_BYTES_MAX
            && self.jobs.send(Job::Chunk(id, plaintext)).is_ok();
        if !is_taken {
            self.waiting.fetch_sub(len, Ordering::Release);
        }
        is_taken
    }

    fn send(&self, job: Job) {
        if self.jobs.send(job).is_err() {
            tracing::error!("nobody listens for notices any more");
        }
    }
}

/// A call that is listened to.
struct Looking {
    notice: Arc<Notice>,
    streams: BTreeMap<StreamNumber, StreamListener>,
}

impl Looking {
    fn announce(&mut self, stream: &MediaStream) {
        self.streams
            .entry(stream.number)
            .and_modify(|listener| listener.announce(stream))
            .or_insert_with(|| StreamListener::new(stream));
    }

    /// Listens to a chunk; a chunk that does not read is none.
    fn listen(&mut self, chunk: &[u8]) -> Option<Hearing> {
        let mut records = ChunkReader::new(chunk).ok()?;
        while let Ok(Some(record)) = records.next_record() {
            if let RecordRef::Packet {
                stream,
                arrived,
                kind: PacketKind::Rtp,
                bytes,
            } = record
                && let Some(listener) = self.streams.get_mut(&stream)
                && let Some(found) = listener.push(&self.notice, arrived, bytes)
            {
                return Some(Hearing { stream, found });
            }
        }
        None
    }
}

/// The ear's thread.
pub struct Ear {
    end: EarEnd,
    tell: Box<dyn Fn(EarNews) + Send>,
    calls: BTreeMap<RecordingId, Looking>,
}

impl fmt::Debug for Ear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ear({} calls)", self.calls.len())
    }
}

impl Ear {
    /// An ear that is not running yet, and whom it tells what it heard.
    #[must_use]
    pub fn new(end: EarEnd, tell: Box<dyn Fn(EarNews) + Send>) -> Self {
        Self {
            end,
            tell,
            calls: BTreeMap::new(),
        }
    }

    /// Runs until it is stopped, or nobody can give it anything any more.
    pub fn run(mut self) {
        while let Ok(job) = self.end.jobs.recv() {
            match job {
                Job::Look(id, notice, streams) => {
                    let mut looking = Looking {
                        notice,
                        streams: BTreeMap::new(),
                    };
                    for stream in &streams {
                        looking.announce(stream);
                    }
                    self.calls.insert(id, looking);
                }
                Job::Stream(id, stream) => {
                    if let Some(looking) = self.calls.get_mut(&id) {
                        looking.announce(&stream);
                    }
                }
                Job::Chunk(id, chunk) => {
                    self.listen(id, &chunk);
                    self.end.waiting.fetch_sub(chunk.len(), Ordering::Release);
                }
                Job::Forget(id) => {
                    self.calls.remove(&id);
                }
                Job::Stop => return,
            }
        }
    }

    fn listen(&mut self, id: RecordingId, chunk: &[u8]) {
        let Some(looking) = self.calls.get_mut(&id) else {
            return;
        };
        let news = match catch_unwind(AssertUnwindSafe(|| looking.listen(chunk))) {
            Ok(None) => return,
            Ok(Some(hearing)) => EarNews::Heard(id, hearing),
            // A decoder that fails says nothing of what was played.
            Err(_panic) => {
                tracing::error!(recording = %id, "a mistake of ours while a notice was looked for");
                EarNews::NotListened(id)
            }
        };
        self.calls.remove(&id);
        (self.tell)(news);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_the_ear_is_bounded_and_what_is_beyond_is_refused() {
        let (handle, end) = EarHandle::new();
        let id = RecordingId::from_bytes([1; 16]);
        let mut taken = 0;
        while handle.chunk(id, Zeroizing::new(vec![0; 1 << 20])) {
            taken += 1;
        }
        assert_eq!(taken, 16);
        assert_eq!(end.jobs.try_iter().count(), 16);
        drop(end);
        assert!(!handle.chunk(id, Zeroizing::new(vec![0; 1])));
    }
}
