//! The writer: one thread that seals and appends what the media threads hand over, and makes it
//! durable for all calls at once.
//!
//! It takes what waits, up to a few megabytes, appends it, and commits once; while the disk is busy the
//! next heap grows, so a slow disk means larger heaps and not a longer queue. A recording that can't be
//! written any more ends its media and says so; the others go on.

use crate::chunks::Chunks;
use crate::finisher::FinisherHandle;
use crate::guard::{contained, contained_in, mishap};
use crate::shared::Shared;
use crate::signalling::{Notice, Notices};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;
use voicelog_archive::journal::{
    Cause, ChunkBuilder, JournalEvent, PacketKind, Record, decode_chunk,
};
use voicelog_archive::{Archive, ArchiveError, RecordingWriter};
use voicelog_model::{Clock, RecordingId, StreamNumber, Timestamp, error::chain};

/// Journal that waits for the writer at most, all calls together, in bytes. Above it the journals
/// stay with the media threads, each up to its own bound.
const BACKLOG_BYTES_MAX: usize = 64 << 20;
/// Journal that is made durable at once, in bytes: what waits longer than a disk takes for it does not
/// become one heap that takes longer still.
const HEAP_BYTES_MAX: usize = 4 << 20;
/// Chunks that are sealed, hashed and written together.
const TOGETHER: usize = 128;
/// How long to wait after a commit that failed, if nobody hands over anything.
const COMMIT_AGAIN: Duration = Duration::from_secs(1);

#[derive(Debug)]
enum Job {
    Open(Box<RecordingWriter>),
    Write(Chunks),
    End(RecordingId),
}

/// The way to the writer.
#[derive(Debug, Clone)]
pub(crate) struct WriterHandle {
    jobs: Sender<Job>,
    backlog: Arc<AtomicUsize>,
}

impl WriterHandle {
    /// Makes a way to the writer, and the writer's end of it.
    pub(crate) fn new() -> (Self, WriterEnd) {
        let (jobs, received) = std::sync::mpsc::channel();
        let backlog = Arc::new(AtomicUsize::new(0));
        let end = WriterEnd {
            jobs: received,
            backlog: Arc::clone(&backlog),
        };
        (Self { jobs, backlog }, end)
    }

    /// Whether the writer keeps up.
    pub(crate) fn has_room(&self) -> bool {
        self.backlog.load(Ordering::Relaxed) < BACKLOG_BYTES_MAX
    }

    /// A recording begins. Must come before its first chunk.
    pub(crate) fn open(&self, writer: RecordingWriter) {
        self.send(Job::Open(Box::new(writer)));
    }

    /// Hands chunks over. The queue is bounded by [`Self::has_room`], not here: this never blocks.
    pub(crate) fn write(&self, chunks: Chunks) {
        if chunks.is_empty() {
            return;
        }
        self.backlog.fetch_add(chunks.byte_len(), Ordering::Relaxed);
        self.send(Job::Write(chunks));
    }

    /// A recording ends, with its last chunk.
    pub(crate) fn end(&self, id: RecordingId, last: Vec<u8>) {
        self.write(Chunks::of_one(id, last));
        self.send(Job::End(id));
    }

    /// A recording ends and its last chunk is lost. Without effect if it never began.
    pub(crate) fn give_up(&self, id: RecordingId) {
        self.send(Job::End(id));
    }

    fn send(&self, job: Job) {
        if self.jobs.send(job).is_err() {
            tracing::error!("the writer is gone; media is lost");
        }
    }
}

/// The writer's end of the way.
#[derive(Debug)]
pub(crate) struct WriterEnd {
    jobs: Receiver<Job>,
    backlog: Arc<AtomicUsize>,
}

/// A recording that is being written.
struct Open {
    writer: RecordingWriter,
    failure: Option<Failure>,
}

/// What could not be written since something went wrong.
struct Failure {
    cause: Cause,
    packets: BTreeMap<StreamNumber, u64>,
    last_packet: Option<Timestamp>,
    events: ChunkBuilder,
}

/// The writer's thread.
pub(crate) struct Writer {
    archive: Arc<Archive>,
    clock: Arc<dyn Clock>,
    jobs: Receiver<Job>,
    backlog: Arc<AtomicUsize>,
    notices: Notices,
    finisher: FinisherHandle,
    shared: Arc<Shared>,
    open: HashMap<RecordingId, Open>,
    ended: Vec<RecordingWriter>,
    is_dirty: bool,
    /// Journal that was written since the last commit.
    heap_bytes: usize,
}

impl Writer {
    /// A writer that is not running yet.
    pub(crate) fn new(
        archive: Arc<Archive>,
        clock: Arc<dyn Clock>,
        end: WriterEnd,
        notices: Notices,
        finisher: FinisherHandle,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            archive,
            clock,
            jobs: end.jobs,
            backlog: end.backlog,
            notices,
            finisher,
            shared,
            open: HashMap::new(),
            ended: Vec::new(),
            is_dirty: false,
            heap_bytes: 0,
        }
    }

    /// Runs until nobody can hand over any more.
    pub(crate) fn run(mut self) {
        loop {
            match self.next_job() {
                Ok(job) => self.carry_out(job),
                // Nothing new, but what there was is not durable yet.
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            while self.heap_bytes < HEAP_BYTES_MAX
                && let Ok(job) = self.jobs.try_recv()
            {
                self.carry_out(job);
            }
            self.heap_bytes = 0;
            self.commit();
        }
    }

    /// Waits for a job; after a commit that failed only until it is time for the next try.
    fn next_job(&self) -> Result<Job, RecvTimeoutError> {
        if self.is_dirty {
            self.jobs.recv_timeout(COMMIT_AGAIN)
        } else {
            self.jobs
                .recv()
                .map_err(|_gone| RecvTimeoutError::Disconnected)
        }
    }

    fn carry_out(&mut self, job: Job) {
        match job {
            Job::Open(writer) => {
                let open = Open {
                    writer: *writer,
                    failure: None,
                };
                self.open.insert(open.writer.id(), open);
            }
            Job::Write(chunks) => {
                self.write_all(&chunks);
                self.heap_bytes += chunks.byte_len();
                self.backlog.fetch_sub(chunks.byte_len(), Ordering::Relaxed);
            }
            Job::End(id) => {
                if let Some(open) = self.open.remove(&id)
                    && contained_in(id, "ending a recording", || self.end(open)).is_none()
                {
                    tracing::error!(recording = %id, "a recording is left for recovery to close");
                    self.shared.call_finished();
                }
            }
        }
    }

    /// Seals the chunks, hashes them side by side, and writes them: so many at once as a processor holds
    /// near.
    fn write_all(&mut self, chunks: &Chunks) {
        let chunks: Vec<_> = chunks.iter().collect();
        for some in chunks.chunks(TOGETHER) {
            for (id, chunk) in some {
                let before = self.sealed(*id);
                if contained_in(*id, "sealing media", || self.seal(*id, chunk)).is_none() {
                    let is_lost = self.sealed(*id) == before;
                    self.went_wrong(*id, chunk, is_lost);
                }
            }
            let are_hashed = self.hash(some);
            for (id, _chunk) in some {
                let mut write = || contained_in(*id, "writing media", || self.write(*id));
                if are_hashed.and_then(|()| write()).is_none() {
                    self.fail(*id, Cause::Overload);
                }
            }
        }
    }

    /// Hashes what was sealed, of many recordings at once. A mistake in it is one in all of them: what was
    /// summed up of them is worth nothing then.
    fn hash(&mut self, sealed: &[(RecordingId, &[u8])]) -> Option<()> {
        let writers = self.open.values_mut().map(|open| &mut open.writer);
        let unwritten = writers.filter(|writer| writer.has_unwritten());
        let are_hashed = contained("hashing media", || {
            RecordingWriter::settle_all(unwritten);
            for (id, _chunk) in sealed {
                mishap(*id, "hashing");
            }
        });
        if are_hashed.is_none() {
            let writers = self.open.values_mut().map(|open| &mut open.writer);
            for writer in writers.filter(|writer| writer.has_unwritten()) {
                writer.forget_sum();
            }
        }
        are_hashed
    }

    fn seal(&mut self, id: RecordingId, chunk: &[u8]) {
        let Some(open) = self.open.get_mut(&id) else {
            tracing::error!(recording = %id, "a chunk of a recording that is not open");
            return;
        };
        if let Some(failure) = &mut open.failure {
            return failure.count(chunk);
        }
        mishap(id, "sealing");
        if let Err(error) = self.archive.seal(&mut open.writer, chunk) {
            return self.refused(id, &error);
        }
        mishap(id, "sealed");
    }

    /// How much of a recording is sealed.
    fn sealed(&self, id: RecordingId) -> Option<(u32, u64)> {
        self.open.get(&id).map(|open| open.writer.sealed())
    }

    /// A mistake of ours was met while a chunk was sealed. If that was not done yet, the chunk is lost;
    /// otherwise the archive holds on to it, and it is written at the end.
    fn went_wrong(&mut self, id: RecordingId, chunk: &[u8], is_lost: bool) {
        self.fail(id, Cause::Overload);
        let open = self.open.get_mut(&id);
        if let Some(failure) = open.and_then(|open| open.failure.as_mut())
            && is_lost
        {
            // What is in it may be what went wrong.
            contained_in(id, "counting what is lost", || failure.count(chunk));
        }
    }

    fn write(&mut self, id: RecordingId) {
        let Some(open) = self.open.get_mut(&id) else {
            return;
        };
        if open.failure.is_some() {
            return;
        }
        mishap(id, "writing");
        match self.archive.write_out(&mut open.writer) {
            Ok(()) => self.is_dirty = true,
            Err(error) => self.refused(id, &error),
        }
    }

    /// The archive holds on to this chunk; what comes after it is not written.
    fn refused(&mut self, id: RecordingId, error: &ArchiveError) {
        tracing::error!(recording = %id, error = %chain(error),
            "the recording cannot be written; its media ends here");
        self.shared.set_disk_trouble(true);
        self.fail(id, Cause::DiskFull);
    }

    /// From here on nothing more of this recording is written, and its call is ended.
    fn fail(&mut self, id: RecordingId, cause: Cause) {
        if let Some(open) = self.open.get_mut(&id) {
            open.failure.get_or_insert_with(|| Failure::new(cause));
        }
        self.notices.send(Notice::MediaFailed(id, cause));
    }

    /// Writes what is left to say about a recording and lets it go. After a failure that is the
    /// chunk that failed, what is missing, and how the call ended; where there is still no room,
    /// the finisher tries until there is.
    fn end(&mut self, mut open: Open) {
        mishap(open.writer.id(), "closing");
        if let Some(failure) = open.failure.take() {
            let said = failure.into_chunk(self.clock.now());
            if let Err(error) = self.archive.append(&mut open.writer, &said) {
                let id = open.writer.id();
                tracing::warn!(recording = %id, error = %chain(&error),
                    "the recording cannot say yet where it stopped");
            }
        }
        self.is_dirty = true;
        self.ended.push(open.writer);
    }

    fn commit(&mut self) {
        if std::mem::take(&mut self.is_dirty) {
            match contained("making media durable", || self.archive.commit()) {
                Some(result) => self.note_commit(result),
                None => self.commit_failed(),
            }
        }
        for writer in self.ended.drain(..) {
            self.finisher.finish(writer);
        }
    }

    fn note_commit(&mut self, result: Result<(), ArchiveError>) {
        match result {
            Ok(()) => self.shared.set_disk_trouble(false),
            Err(error) => {
                // What was appended is in the files; whether it survives a power cut is unknown.
                // The next commit covers it again, and until one works no call is let in.
                tracing::error!(error = %chain(&error), "media was not made durable");
                self.commit_failed();
            }
        }
    }

    fn commit_failed(&mut self) {
        self.shared.set_disk_trouble(true);
        self.is_dirty = true;
    }
}

impl Failure {
    fn new(cause: Cause) -> Self {
        Self {
            cause,
            packets: BTreeMap::new(),
            last_packet: None,
            events: ChunkBuilder::new(),
        }
    }

    /// Counts the packets of a chunk that could not be written, and keeps its events.
    fn count(&mut self, plaintext: &[u8]) {
        let records = match decode_chunk(plaintext) {
            Ok(records) => records,
            Err(error) => {
                tracing::error!(%error, "a chunk of ours is no journal");
                return;
            }
        };
        for record in records {
            match record {
                Record::Packet {
                    stream,
                    kind: PacketKind::Rtp,
                    arrived,
                    ..
                } => {
                    *self.packets.entry(stream).or_default() += 1;
                    self.last_packet = self.last_packet.max(Some(arrived));
                }
                Record::Packet { .. } => {}
                Record::Event { at, event } => {
                    if let Err(error) = self.events.push_event(at, &event) {
                        tracing::error!(%error, "an event of the journal is lost");
                    }
                }
            }
        }
    }

    /// The chunk that says what is missing.
    fn into_chunk(mut self, now: Timestamp) -> Vec<u8> {
        let mut chunk = ChunkBuilder::new();
        let last_packet = self.last_packet.unwrap_or(now);
        for (stream, packets) in self.packets {
            let event = JournalEvent::MediaDropped {
                stream,
                packets,
                cause: self.cause,
            };
            if let Err(error) = chunk.push_event(last_packet, &event) {
                tracing::error!(%error, "an event of the journal is lost");
            }
        }
        // The events come last, so that the end of the call stays the end of the journal.
        let events = decode_chunk(&self.events.take()).unwrap_or_default();
        for record in events {
            if let Record::Event { at, event } = record
                && let Err(error) = chunk.push_event(at, &event)
            {
                tracing::error!(%error, "an event of the journal is lost");
            }
        }
        chunk.take()
    }
}
