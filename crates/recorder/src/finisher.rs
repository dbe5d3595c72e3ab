//! The finisher: closes recordings, off the path of media, and gives the log's leaves their place.
//!
//! A recording that cannot be closed now (the disk is full) is tried again while the server runs;
//! after a restart recovery does the same with the same function.

use crate::alarms::AlarmKey;
use crate::diary::Diary;
use crate::disk_watch::{DiskWatch, Room};
use crate::guard::contained;
use crate::pace::{Tick, kernel_micros};
use crate::readiness::LineWatch;
use crate::repeats::Repeats;
use crate::shared::Shared;
use crate::steps::Steps;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;
use voicelog_archive::timeline::Verdict;
use voicelog_archive::{Archive, ArchiveError, Finished, News, NewsKind, RecordingWriter};
use voicelog_model::{Clock, RecordingId, Timestamp, error::chain};

use crate::media::Dated;

/// How often pending leaves get their place in the log, and the room on the disk is looked at.
const BEAT: Duration = Duration::from_millis(250);
/// How long a recording that could not be closed waits for the next try.
const RETRY_AFTER: Duration = Duration::from_secs(10);

#[derive(Debug)]
enum Job {
    /// Written and durable; what is left is to close it.
    Recorded(Box<RecordingWriter>),
    /// Never permitted: these events are all there is.
    Unrecorded(RecordingId, Vec<Dated>),
}

/// A job that failed for a reason that may pass.
enum Again {
    /// Its last words are not on disk yet.
    Open(Box<RecordingWriter>),
    Recorded(RecordingId),
    Unrecorded(RecordingId, Vec<Dated>),
}

/// The way to the finisher.
#[derive(Debug, Clone)]
pub(crate) struct FinisherHandle {
    jobs: Sender<Job>,
}

impl FinisherHandle {
    /// Makes a way to the finisher, and its end of it.
    pub(crate) fn new() -> (Self, FinisherEnd) {
        let (jobs, received) = std::sync::mpsc::channel();
        (Self { jobs }, FinisherEnd(received))
    }

    /// Closes a recording.
    pub(crate) fn finish(&self, writer: RecordingWriter) {
        self.send(Job::Recorded(Box::new(writer)));
    }

    /// Closes a call of which nothing was kept.
    pub(crate) fn finish_unrecorded(&self, id: RecordingId, events: Vec<Dated>) {
        self.send(Job::Unrecorded(id, events));
    }

    fn send(&self, job: Job) {
        if self.jobs.send(job).is_err() {
            tracing::error!("the finisher is gone; recovery will close what is open");
        }
    }
}

/// The finisher's end of the way.
#[derive(Debug)]
pub(crate) struct FinisherEnd(Receiver<Job>);

/// The finisher's thread.
pub(crate) struct Finisher {
    archive: Arc<Archive>,
    clock: Arc<dyn Clock>,
    jobs: Receiver<Job>,
    shared: Arc<Shared>,
    keep_free_bytes: u64,
    disk: DiskWatch,
    lines: LineWatch,
    steps: Steps,
    again: VecDeque<(Tick, Again)>,
    next_beat: Tick,
    diary: Diary,
    /// What was last said to be wrong in the background of the store.
    trouble: Option<String>,
    /// The log cannot be continued, messages cannot be queued, the disk cannot be asked: all three
    /// last as long as the disk is full, and are tried four times a second.
    stuck: [Repeats; 3],
}

impl Finisher {
    /// A finisher that is not running yet.
    pub(crate) fn new(
        archive: Arc<Archive>,
        clock: Arc<dyn Clock>,
        end: FinisherEnd,
        shared: Arc<Shared>,
        (keep_free_bytes, warn_free_bytes): (u64, u64),
    ) -> Self {
        Self {
            archive,
            clock,
            jobs: end.0,
            shared,
            keep_free_bytes,
            disk: DiskWatch::new(warn_free_bytes, keep_free_bytes),
            lines: LineWatch::default(),
            steps: Steps::default(),
            again: VecDeque::new(),
            next_beat: Tick::now(),
            diary: Diary::default(),
            trouble: None,
            stuck: Default::default(),
        }
    }

    /// Runs until nobody can hand over any more.
    pub(crate) fn run(mut self) {
        loop {
            let wait = self.next_beat.since(Tick::now());
            match self.jobs.recv_timeout(wait) {
                Ok(job) => self.carry_out(job),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.on_beat();
        }
        self.sequence();
        self.tell();
        self.diary.note(&self.shared, self.clock.now());
        if let Err(error) = self.diary.write(&self.archive, self.clock.now()) {
            tracing::error!(error = %chain(&error), "the last minute is not in the diary");
        }
    }

    fn on_beat(&mut self) {
        let now = Tick::now();
        if now < self.next_beat {
            return;
        }
        self.next_beat = now.plus(BEAT);
        let looked = contained("continuing the log, looking at the disk", || {
            self.sequence();
            self.look_at_disk();
            self.look_at_lines();
            self.look_for_trouble();
            self.look_at_clock();
            self.tell();
            self.write_diary();
        });
        if looked.is_none() {
            self.shared.set_disk_is_full(true);
        }
        while self.again.front().is_some_and(|(due, _)| *due <= now) {
            if let Some((_, job)) = self.again.pop_front()
                && contained("closing a recording again", || self.retry(job)).is_none()
            {
                tracing::error!("a recording is left for recovery to close");
            }
        }
    }

    fn sequence(&mut self) {
        let [stuck, ..] = &mut self.stuck;
        match self.archive.sequence() {
            Ok(_) => stuck.is_over(),
            // The leaves stay pending; the next beat tries again.
            Err(error) => {
                if let Some(times) = stuck.happened(Tick::now()) {
                    tracing::error!(times, error = %chain(&error), "the log could not be continued");
                }
            }
        }
    }

    /// Whether there is room for new calls. Here, because asking can block.
    pub(crate) fn look_at_disk(&mut self) {
        match self.archive.free_bytes() {
            Ok(free) => {
                let [_, _, stuck] = &mut self.stuck;
                stuck.is_over();
                self.shared.set_disk_is_full(free < self.keep_free_bytes);
                self.mind_room(free);
            }
            Err(error) => {
                let [_, _, stuck] = &mut self.stuck;
                if let Some(times) = stuck.happened(Tick::now()) {
                    tracing::error!(times, error = %chain(&error), "the disk cannot be asked for its room");
                }
                self.shared.set_disk_is_full(true);
            }
        }
    }

    /// Whether calls could be recorded, line by line.
    pub(crate) fn look_at_lines(&mut self) {
        let at = self.clock.now();
        self.lines
            .look(&self.archive, &self.shared, at, Tick::now());
    }

    /// Says it when there is little room, while there is time to do something.
    fn mind_room(&mut self, free: u64) {
        let room = self.disk.look(free, Tick::now());
        let minutes_left = self.disk.minutes_left();
        self.shared.set_disk_minutes_left(minutes_left);
        let is_short = match room {
            Room::Same => return,
            Room::Short => {
                self.shared.count("alarm_disk_filling");
                tracing::warn!(
                    free,
                    minutes_left,
                    "the disk is filling; below storage.keep_free_mib no new call is taken"
                );
                true
            }
            Room::Enough => {
                tracing::info!(free, "there is enough room on the disk again");
                false
            }
        };
        let say = |news: News| {
            let news = news.with("free_bytes", free);
            match minutes_left {
                Some(minutes) => news.with("minutes_left", minutes),
                None => news,
            }
        };
        let (alarm, now) = (AlarmKey::of("disk_filling"), self.clock.now());
        if is_short {
            self.shared.raise(alarm, now, say);
        } else {
            self.shared.clear(alarm, now, say);
        }
    }

    /// Says it when the machine's clock was set.
    fn look_at_clock(&mut self) {
        let (is_known, step) = self.steps.look(|| {
            let now = kernel_micros();
            (Timestamp::from_micros(now.unwrap_or(0)), now.is_some())
        });
        let Some(by_us) = step.filter(|_| is_known) else {
            return;
        };
        self.shared.count("alarm_clock_stepped");
        let by_ms = by_us / 1_000;
        tracing::warn!(
            by_ms,
            "the machine's clock was set; calls in progress say so on their timelines"
        );
        let news = News::new(NewsKind::AlarmRaised, self.clock.now(), None);
        let news = news.with("alarm", "clock_stepped");
        self.shared.tell(news.with("by_ms", by_ms));
    }

    /// Takes news to the queue on the disk.
    fn tell(&mut self) {
        let news = self.shared.take_news();
        if news.is_empty() {
            return;
        }
        let [_, stuck, _] = &mut self.stuck;
        match self.archive.tell(&news) {
            Ok(0) => stuck.is_over(),
            Ok(left_out) => {
                stuck.is_over();
                for _message in 0..left_out {
                    self.shared.count("news_left_out");
                }
                tracing::warn!(
                    left_out,
                    "messages to other systems are left out: too many wait"
                );
            }
            Err(error) => {
                if let Some(times) = stuck.happened(Tick::now()) {
                    tracing::error!(times, error = %chain(&error), "messages to other systems cannot be queued yet");
                }
                self.shared.give_news_back(news, true);
            }
        }
    }

    fn write_diary(&mut self) {
        let now = self.clock.now();
        if self.diary.note(&self.shared, now)
            && let Err(error) = self.diary.write(&self.archive, now)
        {
            // It waits for the next minute.
            tracing::error!(error = %chain(&error), "the diary cannot be written");
        }
    }

    /// Says what went wrong behind the store's back, once each time it is something else.
    fn look_for_trouble(&mut self) {
        let trouble = self.archive.trouble();
        if trouble == self.trouble {
            return;
        }
        match &trouble {
            Some(trouble) => tracing::error!(
                trouble,
                "media is safe, but the disk does not take it to its place; look at the disk"
            ),
            None => tracing::info!("the disk takes media to its place again"),
        }
        self.trouble = trouble;
    }

    fn carry_out(&mut self, job: Job) {
        let done = contained("closing a recording", || match job {
            Job::Recorded(writer) => self.close(writer),
            Job::Unrecorded(id, events) => self.finish_unrecorded(id, events),
        });
        if done.is_none() {
            tracing::error!("a recording is left for recovery to close");
        }
        self.shared.call_finished();
    }

    fn retry(&mut self, job: Again) {
        match job {
            Again::Open(writer) => self.close(writer),
            Again::Recorded(id) => {
                let finished = self.archive.finish_from_disk(id, self.clock.now());
                self.finished(id, finished);
            }
            Again::Unrecorded(id, events) => self.finish_unrecorded(id, events),
        }
    }

    /// Writes what a full disk held up (how much is missing, how the call ended), then closes.
    fn close(&mut self, mut writer: Box<RecordingWriter>) {
        let id = writer.id();
        match self.archive.close(&mut writer) {
            Ok(()) => {
                let finished = self.archive.finish(*writer, self.clock.now());
                self.finished(id, finished);
            }
            Err(error) => self.failed(id, &error, Again::Open(writer)),
        }
    }

    fn finished(&mut self, id: RecordingId, finished: Result<Finished, ArchiveError>) {
        match finished {
            Ok(finished) => {
                self.shared.count(word(finished.verdict));
                let news = News::closed(self.clock.now(), id, &finished.timeline);
                self.shared.tell(news);
                tracing::info!(recording = %id, verdict = finished.verdict.as_str(), "recorded");
            }
            Err(error) => self.failed(id, &error, Again::Recorded(id)),
        }
    }

    fn finish_unrecorded(&mut self, id: RecordingId, events: Vec<Dated>) {
        match self
            .archive
            .finish_unrecorded(id, &events, self.clock.now())
        {
            Ok(finished) => {
                self.shared.count(word(finished.verdict));
                let news = News::closed(self.clock.now(), id, &finished.timeline);
                self.shared.tell(news);
                let verdict = finished.verdict.as_str();
                tracing::info!(recording = %id, verdict, "nothing was recorded");
            }
            // That it could not be asked was logged when it happened.
            Err(ArchiveError::NotFound(_)) => {
                tracing::info!(recording = %id, "nothing is kept of a call about which the law was not asked");
            }
            Err(error) => self.failed(id, &error, Again::Unrecorded(id, events)),
        }
    }

    fn failed(&mut self, id: RecordingId, error: &ArchiveError, again: Again) {
        tracing::error!(recording = %id, error = %chain(error), "the recording is not closed");
        self.shared.count("not_closed");
        let is_tried_again = error.kind().is_worth_retrying();
        let news = News::new(NewsKind::Failed, self.clock.now(), Some(id));
        let news = news.with("reason", "not_closed");
        self.shared.tell(news.with("tried_again", is_tried_again));
        if is_tried_again {
            self.again.push_back((Tick::now().plus(RETRY_AFTER), again));
        }
    }
}

/// What a call came to, in the diary and in metrics.
const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Whole => "ended_whole",
        Verdict::WholeWithDeclaredGaps => "ended_with_declared_gaps",
        Verdict::CutShort => "ended_cut_short",
        Verdict::UndeclaredGap => "ended_with_undeclared_gap",
        Verdict::NotRecorded => "ended_not_recorded",
        Verdict::NotDrawn => "ended_not_drawn",
        Verdict::NotRequested => "ended_not_requested",
    }
}
