//! The writer: one thread that seals and appends what devices handed over, and makes it durable for all talks at once.
//!
//! As the recorder's, it takes what waits and commits once. Here somebody waits for each commit: a chunk is acknowledged
//! after it. What a full disk refuses stays sealed in memory, unacknowledged, and is tried again each second; meanwhile
//! devices keep what they have. Where the file of one talk cannot be written while others can, that talk alone waits, and
//! is given up after a minute.

use crate::chunk::Hash;
use crate::guard::{contained, contained_in, mishap};
use crate::keeper::KeeperHandle;
use crate::talk::Talk;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;
use voicelog_archive::{Archive, ArchiveError, RecordingWriter};
use voicelog_model::{Clock, Kind, RecordingId, Timestamp, error::chain};

/// Journal that waits for the writer at most, all talks together, in bytes. Above it devices keep what they have.
const BACKLOG_BYTES_MAX: usize = 32 << 20;
/// Journal that is made durable at once, in bytes.
const HEAP_BYTES_MAX: usize = 4 << 20;
/// How long to wait after a write or commit that failed, if nobody hands over anything.
const AGAIN: Duration = Duration::from_secs(1);
/// For how long writing the file of one talk is tried again, while others can be written: a minute.
const PATIENCE_MICROS: i64 = 60_000_000;

/// Whom to tell once a chunk is on the disk.
#[derive(Debug)]
pub(crate) struct Receipt {
    pub(crate) talk: Arc<Talk>,
    /// Place of the track.
    pub(crate) place: usize,
    /// So many chunks of it are on the disk then.
    pub(crate) taken: u32,
    pub(crate) chain: Hash,
}

impl Receipt {
    fn give(self) {
        let mut inner = self.talk.lock();
        if let Some(track) = inner.tracks.get_mut(self.place) {
            track.is_on_disk(self.taken, self.chain);
        }
    }
}

enum Job {
    Open(Box<RecordingWriter>),
    Write(RecordingId, Vec<Vec<u8>>, Option<Receipt>),
    End(Arc<Talk>),
    /// Nothing more is to be written of it.
    GiveUp(RecordingId),
    Stop,
}

/// The way to the writer.
#[derive(Clone)]
pub(crate) struct WriterHandle {
    jobs: Sender<Job>,
    backlog: Arc<AtomicUsize>,
    is_in_trouble: Arc<AtomicBool>,
}

impl fmt::Debug for WriterHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WriterHandle({:?})", self.backlog)
    }
}

/// The writer's end of the way.
pub(crate) struct WriterEnd {
    jobs: Receiver<Job>,
    backlog: Arc<AtomicUsize>,
    is_in_trouble: Arc<AtomicBool>,
}

impl WriterHandle {
    pub(crate) fn new() -> (Self, WriterEnd) {
        let (jobs, received) = std::sync::mpsc::channel();
        let backlog = Arc::new(AtomicUsize::new(0));
        let is_in_trouble = Arc::new(AtomicBool::new(false));
        let end = WriterEnd {
            jobs: received,
            backlog: Arc::clone(&backlog),
            is_in_trouble: Arc::clone(&is_in_trouble),
        };
        let way = Self {
            jobs,
            backlog,
            is_in_trouble,
        };
        (way, end)
    }

    /// Whether the writer keeps up, and the disk takes what it writes.
    pub(crate) fn has_room(&self) -> bool {
        !self.is_in_trouble.load(Ordering::Relaxed)
            && self.backlog.load(Ordering::Relaxed) < BACKLOG_BYTES_MAX
    }

    /// A recording begins. Must come before its first chunk.
    pub(crate) fn open(&self, writer: RecordingWriter) {
        self.send(Job::Open(Box::new(writer)));
    }

    /// Hands over chunks of the journal of one talk. Never blocks.
    pub(crate) fn write(&self, id: RecordingId, chunks: Vec<Vec<u8>>, receipt: Option<Receipt>) {
        let bytes = byte_len(&chunks);
        self.backlog.fetch_add(bytes, Ordering::Relaxed);
        self.send(Job::Write(id, chunks, receipt));
    }

    /// A talk ends; its keeper gets what is to be closed.
    pub(crate) fn end(&self, talk: Arc<Talk>) {
        self.send(Job::End(talk));
    }

    /// A talk is left as it is on the disk, for recovery to close.
    pub(crate) fn give_up(&self, id: RecordingId) {
        self.send(Job::GiveUp(id));
    }

    pub(crate) fn stop(&self) {
        self.send(Job::Stop);
    }

    fn send(&self, job: Job) {
        if self.jobs.send(job).is_err() {
            // Nothing is acknowledged any more, so devices keep what they have.
            self.is_in_trouble.store(true, Ordering::Relaxed);
            tracing::error!("the writer of talks is gone; start the server again");
        }
    }
}

fn byte_len(chunks: &[Vec<u8>]) -> usize {
    chunks.iter().map(Vec::len).sum()
}

/// A recording that is being written.
struct Open {
    writer: RecordingWriter,
    /// What is sealed and not on the disk yet.
    receipts: Vec<Receipt>,
    /// Its end has come; it waits for what is not on the disk yet.
    ending: Option<Arc<Talk>>,
    /// Since when its own file cannot be written, though the disk takes others.
    refused_since: Option<Timestamp>,
}

/// What came of writing to the files of talks, once each.
#[derive(Default)]
struct Round {
    written: usize,
    refused: Vec<(RecordingId, Kind)>,
}

impl Round {
    /// Whether this is the disk, and not the file of one talk.
    fn is_of_the_disk(&self) -> bool {
        let is_full = self
            .refused
            .iter()
            .any(|(_, kind)| *kind == Kind::Exhausted);
        is_full || (self.refused.len() > 1 && self.written == 0)
    }
}

/// The writer's thread.
pub(crate) struct Writer {
    archive: Arc<Archive>,
    clock: Arc<dyn Clock>,
    end: WriterEnd,
    keeper: KeeperHandle,
    open: HashMap<RecordingId, Open>,
    /// Those with something that is not durable.
    touched: Vec<RecordingId>,
    heap_bytes: usize,
    is_stopped: bool,
}

impl Writer {
    pub(crate) fn new(
        archive: Arc<Archive>,
        clock: Arc<dyn Clock>,
        end: WriterEnd,
        keeper: KeeperHandle,
    ) -> Self {
        Self {
            archive,
            clock,
            end,
            keeper,
            open: HashMap::new(),
            touched: Vec::new(),
            heap_bytes: 0,
            is_stopped: false,
        }
    }

    /// Runs until it is stopped.
    pub(crate) fn run(mut self) {
        while !self.is_stopped {
            match self.next_job() {
                Ok(job) => self.carry_out(job),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            while self.heap_bytes < HEAP_BYTES_MAX
                && let Ok(job) = self.end.jobs.try_recv()
            {
                self.carry_out(job);
            }
            self.heap_bytes = 0;
            self.write_and_commit();
        }
    }

    fn next_job(&self) -> Result<Job, RecvTimeoutError> {
        if self.touched.is_empty() {
            let job = self.end.jobs.recv();
            job.map_err(|_gone| RecvTimeoutError::Disconnected)
        } else {
            self.end.jobs.recv_timeout(AGAIN)
        }
    }

    fn carry_out(&mut self, job: Job) {
        match job {
            Job::Open(writer) => {
                let open = Open {
                    writer: *writer,
                    receipts: Vec::new(),
                    ending: None,
                    refused_since: None,
                };
                self.open.insert(open.writer.id(), open);
            }
            Job::Write(id, chunks, receipt) => {
                let bytes = byte_len(&chunks);
                self.heap_bytes += bytes;
                self.seal(id, &chunks, receipt);
                self.end.backlog.fetch_sub(bytes, Ordering::Relaxed);
            }
            Job::End(talk) => {
                let id = talk.id;
                match self.open.get_mut(&id) {
                    Some(open) => {
                        open.ending = Some(talk);
                        self.touched.push(id);
                    }
                    // Given up before: recovery closes it at the next start.
                    None => self.keeper.given_up(talk),
                }
            }
            Job::GiveUp(id) => {
                // Whoever says so has told everybody.
                self.open.remove(&id);
            }
            Job::Stop => self.is_stopped = true,
        }
    }

    fn seal(&mut self, id: RecordingId, chunks: &[Vec<u8>], receipt: Option<Receipt>) {
        let Some(open) = self.open.get_mut(&id) else {
            return;
        };
        let archive = &self.archive;
        let writer = &mut open.writer;
        let sealed = contained_in(id, "sealing", || {
            mishap(id, "sealing");
            chunks
                .iter()
                .try_for_each(|chunk| archive.seal(writer, chunk))
        });
        match sealed {
            Some(Ok(())) => {
                open.receipts.extend(receipt);
                self.touched.push(id);
            }
            Some(Err(error)) => {
                tracing::error!(recording = %id, error = %chain(&error), "a talk cannot be sealed");
                self.give_up(id);
            }
            None => self.give_up(id),
        }
    }

    /// Nothing more is written of it: what is on the disk is for recovery to close. Nobody who waits is told that
    /// theirs was kept.
    fn give_up(&mut self, id: RecordingId) {
        let Some(open) = self.open.remove(&id) else {
            return;
        };
        tracing::error!(recording = %id, "a talk is left for recovery to close");
        self.keeper.failed(id);
        if let Some(talk) = open.ending {
            self.keeper.given_up(talk);
        }
    }

    fn write_and_commit(&mut self) {
        self.touched.sort_unstable();
        self.touched.dedup();
        if self.touched.is_empty() {
            return;
        }
        self.hash();
        let round = self.write_all();
        let is_committed = match contained("making talks durable", || self.archive.commit()) {
            Some(Ok(())) => {
                self.acknowledge();
                true
            }
            Some(Err(error)) => {
                tracing::error!(error = %chain(&error), "talks were not made durable");
                false
            }
            None => false,
        };
        let is_in_trouble = !is_committed || round.is_of_the_disk();
        self.end
            .is_in_trouble
            .store(is_in_trouble, Ordering::Relaxed);
        let now = self.clock.now();
        for (id, kind) in round.refused {
            self.refused(id, kind, (!is_in_trouble).then_some(now));
        }
    }

    /// Writes what was sealed of each talk to its file.
    fn write_all(&mut self) -> Round {
        let mut round = Round::default();
        for id in self.touched.clone() {
            let Some(open) = self.open.get_mut(&id) else {
                continue;
            };
            if !open.writer.has_unwritten() {
                continue;
            }
            let archive = &self.archive;
            match contained_in(id, "writing", || archive.write_out(&mut open.writer)) {
                Some(Ok(())) => {
                    open.refused_since = None;
                    round.written += 1;
                }
                Some(Err(error)) => {
                    say_refused(id, &error, open.refused_since.is_none());
                    round.refused.push((id, error.kind()));
                }
                None => self.give_up(id),
            }
        }
        round
    }

    /// The file of a talk could not be written. Where others can be, at that moment, it is given up: at once if trying
    /// again cannot help, and otherwise after a minute. Its devices keep what they have until then: no more than a few
    /// chunks of a track wait for the disk.
    fn refused(&mut self, id: RecordingId, kind: Kind, alone_at: Option<Timestamp>) {
        let Some(open) = self.open.get_mut(&id) else {
            return;
        };
        let Some(now) = alone_at else {
            open.refused_since = None;
            return;
        };
        let since = *open.refused_since.get_or_insert(now);
        if kind != Kind::Unavailable || now.micros_since(since) >= PATIENCE_MICROS {
            self.give_up(id);
        }
    }

    /// Hashes what was sealed, side by side. After a mistake in it what was summed up is worth nothing.
    fn hash(&mut self) {
        let writers = self.open.values_mut().map(|open| &mut open.writer);
        let unwritten = writers.filter(|writer| writer.has_unwritten());
        if contained("hashing talks", || RecordingWriter::settle_all(unwritten)).is_none() {
            for open in self.open.values_mut() {
                open.writer.forget_sum();
            }
        }
    }

    /// What is on the disk now is acknowledged, and those that ended go to their keeper.
    fn acknowledge(&mut self) {
        let open = &mut self.open;
        let mut ended = Vec::new();
        self.touched.retain(|id| {
            let Some(recording) = open.get_mut(id) else {
                return false;
            };
            if recording.writer.has_unwritten() {
                return true;
            }
            recording.receipts.drain(..).for_each(Receipt::give);
            if recording.ending.is_some() {
                ended.push(*id);
            }
            false
        });
        for id in ended {
            if let Some(Open {
                writer,
                ending: Some(talk),
                ..
            }) = self.open.remove(&id)
            {
                self.keeper.close(talk, writer);
            }
        }
    }
}

fn say_refused(id: RecordingId, error: &ArchiveError, is_new: bool) {
    if is_new {
        tracing::error!(recording = %id, error = %chain(error),
            "a talk cannot be written now; devices keep what they have");
    } else {
        tracing::debug!(recording = %id, error = %chain(error), "a talk still cannot be written");
    }
}

#[cfg(test)]
mod tests;
