//! News for other systems: what happened to a recording, an alarm. Ids, words and moments, never anything
//! about a person. Whoever subscribed gets each as a message in a queue on the disk; somebody else
//! delivers it.

use crate::error::Doing;
use crate::{Archive, ArchiveError, random};
use serde_json::{Map, Value, json};
use std::sync::PoisonError;
use voicelog_evidence::timeline::{Timeline, Verdict};
use voicelog_model::{Pii, RecordingId, Timestamp};
use voicelog_store::index::{MessageRow, NewMessage, OutboxCount};

/// Most messages that wait for one endpoint. Beyond that what is new is left out, and counted.
pub const WAITING_MAX: usize = 10_000;
/// How long a message that could not be delivered is shown: 30 days.
const DEAD_KEPT: i64 = 30 * 24 * 3_600 * 1_000_000;

/// What can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NewsKind {
    /// A recording is closed.
    Finished,
    /// A call ended that was never permitted.
    NotPermitted,
    /// A call ended that was not drawn for the sample of its line.
    NotDrawn,
    /// A call ended that nobody asked to keep, on a line that keeps what it is asked to keep.
    NotRequested,
    /// A recording could not be closed, or its media could not be kept.
    Failed,
    /// An alarm was raised.
    AlarmRaised,
    /// It is over.
    AlarmCleared,
    /// A call of the telephone system's list is missing, short, one-sided or has a gap.
    Missing,
}

impl NewsKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Finished,
        Self::NotPermitted,
        Self::NotDrawn,
        Self::NotRequested,
        Self::Failed,
        Self::AlarmRaised,
        Self::AlarmCleared,
        Self::Missing,
    ];

    /// The word in configuration and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "recording.finished",
            Self::NotPermitted => "recording.not_permitted",
            Self::NotDrawn => "recording.not_drawn",
            Self::NotRequested => "recording.not_requested",
            Self::Failed => "recording.failed",
            Self::AlarmRaised => "alarm.raised",
            Self::AlarmCleared => "alarm.cleared",
            Self::Missing => "expected.missing",
        }
    }

    /// The kind with that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// What.
    pub kind: NewsKind,
    /// When.
    pub at: Timestamp,
    /// To which recording, if to one.
    pub recording: Option<RecordingId>,
    /// What else is to be said: names and words or numbers of our own, nothing that came from outside.
    pub details: Vec<(&'static str, Value)>,
    /// What makes it the same news when it is told again. Nothing of it goes out, and it is not kept.
    same_as: Option<Pii<String>>,
}

impl News {
    /// News without details.
    #[must_use]
    pub const fn new(kind: NewsKind, at: Timestamp, recording: Option<RecordingId>) -> Self {
        Self {
            kind,
            at,
            recording,
            details: Vec::new(),
            same_as: None,
        }
    }

    /// What a call came to when it was closed: its verdict and how it ended, and where we cut it short.
    #[must_use]
    pub fn closed(at: Timestamp, id: RecordingId, timeline: &Timeline) -> Self {
        let kind = match timeline.verdict {
            Verdict::NotRecorded => return Self::new(NewsKind::NotPermitted, at, Some(id)),
            Verdict::NotDrawn => return Self::new(NewsKind::NotDrawn, at, Some(id)),
            Verdict::NotRequested => return Self::new(NewsKind::NotRequested, at, Some(id)),
            Verdict::Whole
            | Verdict::WholeWithDeclaredGaps
            | Verdict::CutShort
            | Verdict::UndeclaredGap => NewsKind::Finished,
        };
        let news = Self::new(kind, at, Some(id))
            .with("verdict", timeline.verdict.as_str())
            .with("end", json!(timeline.end));
        match timeline.cut_short() {
            Some(cut) => news.with("cut_short_at_ms", cut.at_us / 1_000),
            None => news,
        }
    }

    /// The same with one more detail.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.details.push((name, value.into()));
        self
    }

    /// The same, known again by this text: told twice it is the same message to each endpoint, with the same
    /// id.
    #[must_use]
    pub fn known_by(mut self, what: String) -> Self {
        self.same_as = Some(Pii::new(what));
        self
    }

    /// The message: `type`, `timestamp` and `data`, as Standard Webhooks has them.
    fn body(&self) -> Vec<u8> {
        let mut data = Map::new();
        if let Some(id) = self.recording {
            data.insert("recording".to_owned(), json!(id));
        }
        for (name, value) in &self.details {
            data.insert((*name).to_owned(), value.clone());
        }
        let body = json!({ "type": self.kind.as_str(), "timestamp": self.at, "data": data });
        body.to_string().into_bytes()
    }
}

/// Who wants to be told what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Name of the endpoint.
    pub endpoint: String,
    /// What it wants to hear.
    pub kinds: Vec<NewsKind>,
}

impl Archive {
    /// Says who wants to be told what, in place of what was said before. Without it nobody is told
    /// anything.
    pub fn subscribe(&self, subscriptions: Vec<Subscription>) {
        *self
            .subscriptions
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = subscriptions;
    }

    fn subscriptions(&self) -> Vec<Subscription> {
        self.subscriptions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Queues news for whoever subscribed to it; what waits already waits once. Tells how many messages were
    /// left out since too many wait.
    pub fn tell(&self, news: &[News]) -> Result<usize, ArchiveError> {
        let subscriptions = self.subscriptions();
        let mut messages = Vec::new();
        for one in news {
            for subscriber in subscriptions.iter().filter(|s| s.kinds.contains(&one.kind)) {
                messages.push(NewMessage {
                    id: self.message_id(one, &subscriber.endpoint)?,
                    endpoint: subscriber.endpoint.clone(),
                    kind: one.kind.as_str().to_owned(),
                    created_at: one.at,
                    body: one.body(),
                });
            }
        }
        if messages.is_empty() {
            return Ok(0);
        }
        self.index
            .queue_messages(&messages, WAITING_MAX)
            .doing("queueing messages to other systems")
    }

    /// Random, or for news that is known again always the same: under a key of this archive, so that nobody
    /// can try what stands behind it.
    fn message_id(&self, news: &News, endpoint: &str) -> Result<[u8; 16], ArchiveError> {
        let Some(what) = &news.same_as else {
            return Ok(random::bytes()?);
        };
        let context = format!("{endpoint}\0{}\0{}", news.kind.as_str(), what.expose());
        let key = &self.secrets.decision_key;
        let hash = key.derive("message id", context.as_bytes());
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(hash) {
            *to = from;
        }
        Ok(id)
    }

    /// Messages of an endpoint that are due, at most `limit`.
    pub fn due_messages(
        &self,
        endpoint: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<MessageRow>, ArchiveError> {
        self.index
            .due_messages(endpoint, now, limit)
            .doing("looking for messages to other systems")
    }

    /// A message was taken.
    pub fn message_delivered(&self, id: &[u8; 16]) -> Result<(), ArchiveError> {
        self.index
            .message_delivered(id)
            .doing("noting that a message was delivered")
    }

    /// An attempt failed; without a next moment the message is given up.
    pub fn message_failed(
        &self,
        id: &[u8; 16],
        next_at: Option<Timestamp>,
        fault: &str,
    ) -> Result<(), ArchiveError> {
        self.index
            .message_failed(id, next_at, fault)
            .doing("noting that a message was not delivered")
    }

    /// What waits for other systems, and what was given up; of each that is told anything, also where
    /// that is nothing.
    pub fn outbox(&self) -> Result<Vec<OutboxCount>, ArchiveError> {
        let mut counts = self.index.outbox().doing("counting messages")?;
        for subscriber in self.subscriptions() {
            if !counts.iter().any(|c| c.endpoint == subscriber.endpoint) {
                counts.push(OutboxCount {
                    endpoint: subscriber.endpoint,
                    waiting: 0,
                    dead: 0,
                    fault: None,
                });
            }
        }
        counts.sort_by(|left, right| left.endpoint.cmp(&right.endpoint));
        Ok(counts)
    }

    /// Tries what was given up again; tells how many messages.
    pub fn revive_messages(&self, now: Timestamp) -> Result<u64, ArchiveError> {
        self.index
            .revive_messages(now)
            .doing("trying messages again")
    }

    /// Forgets what was given up long ago, and what is for nobody any more.
    pub fn forget_messages(&self, now: Timestamp) -> Result<(), ArchiveError> {
        let subscriptions = self.subscriptions();
        let endpoints: Vec<String> = subscriptions.into_iter().map(|s| s.endpoint).collect();
        self.index
            .forget_messages(now.plus_micros(-DEAD_KEPT), &endpoints)
            .doing("forgetting old messages")
    }
}
