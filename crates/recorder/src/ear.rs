//! The ear: the thread that looks for the notices of lines in the sound of calls.
//!
//! Decoding is no work for a media thread, so it gets copies of the journals of those calls that
//! await a notice. What waits for it is bounded; beyond, a call is not listened to, which is said
//! and never counts as heard.

use crate::guard::contained;
use crate::signalling::{Notice as Message, Notices};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use voicelog_archive::journal::{ChunkReader, PacketKind, RecordRef};
use voicelog_archive::notice::{Found, Notice, StreamListener};
use voicelog_model::{MediaStream, RecordingId, StreamNumber};
use zeroize::Zeroizing;

/// Journals that wait for the ear at most, in bytes: some ten seconds of a hundred calls.
const WAITING_BYTES_MAX: usize = 16 << 20;

/// A notice was heard in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hearing {
    pub(crate) stream: StreamNumber,
    pub(crate) found: Found,
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
}

/// The way to the ear. Never blocks.
#[derive(Debug, Clone)]
pub(crate) struct EarHandle {
    jobs: Sender<Job>,
    waiting: Arc<AtomicUsize>,
}

/// The ear's end of the way.
#[derive(Debug)]
pub(crate) struct EarEnd {
    jobs: Receiver<Job>,
    waiting: Arc<AtomicUsize>,
}

impl EarHandle {
    /// Makes a way to the ear, and its end of it.
    pub(crate) fn new() -> (Self, EarEnd) {
        let (jobs, received) = channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let end = EarEnd {
            jobs: received,
            waiting: Arc::clone(&waiting),
        };
        (Self { jobs, waiting }, end)
    }

    /// Looks for a notice in a call from now on.
    pub(crate) fn look(&self, id: RecordingId, notice: Arc<Notice>, streams: Vec<MediaStream>) {
        self.send(Job::Look(id, notice, streams));
    }

    /// A stream of a call was added, or became another.
    pub(crate) fn stream(&self, id: RecordingId, stream: MediaStream) {
        self.send(Job::Stream(id, Box::new(stream)));
    }

    /// Looks no more in a call.
    pub(crate) fn forget(&self, id: RecordingId) {
        self.send(Job::Forget(id));
    }

    /// The next chunk of a call's journal. False if it is not listened to: too much waits.
    pub(crate) fn chunk(&self, id: RecordingId, plaintext: Zeroizing<Vec<u8>>) -> bool {
        let len = plaintext.len();
        let before = self.waiting.fetch_add(len, Ordering::Relaxed);
        let is_taken = before.saturating_add(len) <= WAITING_BYTES_MAX
            && self.jobs.send(Job::Chunk(id, plaintext)).is_ok();
        if !is_taken {
            self.waiting.fetch_sub(len, Ordering::Relaxed);
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
pub(crate) struct Ear {
    end: EarEnd,
    notices: Notices,
    calls: BTreeMap<RecordingId, Looking>,
}

impl Ear {
    /// An ear that is not running yet.
    pub(crate) const fn new(end: EarEnd, notices: Notices) -> Self {
        Self {
            end,
            notices,
            calls: BTreeMap::new(),
        }
    }

    /// Runs until nobody can give it anything any more.
    pub(crate) fn run(mut self) {
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
                    self.end.waiting.fetch_sub(chunk.len(), Ordering::Relaxed);
                    self.listen(id, &chunk);
                }
                Job::Forget(id) => {
                    self.calls.remove(&id);
                }
            }
        }
    }

    fn listen(&mut self, id: RecordingId, chunk: &[u8]) {
        let Some(looking) = self.calls.get_mut(&id) else {
            return;
        };
        let message = match contained("listening for a notice", || looking.listen(chunk)) {
            Some(None) => return,
            Some(Some(hearing)) => Message::Announced(id, hearing),
            // A decoder that fails says nothing of what was played.
            None => Message::NotListened(id),
        };
        self.calls.remove(&id);
        self.notices.send(message);
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
