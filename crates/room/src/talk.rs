//! One talk: who is in it, what they chose, and what is being recorded of it.

use crate::copies::OwnLink;
use crate::held::Held;
use crate::minutes::Minutes;
use crate::rooms::Presence;
use crate::state::{
    Choice, Decision, EndedBy, Fingerprint, NoticeState, PartyState, Phase, Request, State,
};
use crate::track::Track;
use crate::writer::WriterHandle;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use subtle::ConstantTimeEq as _;
use tokio::sync::watch;
use voicelog_archive::journal::{Cause, ChunkBuilder, JournalEvent};
use voicelog_archive::{Line, OfferedParty};
use voicelog_model::{Pii, RecordingId, Timestamp};

/// How long a talk can be recorded, pauses included: 12 hours.
const LENGTH_MICROS_MAX: i64 = 12 * 3_600 * 1_000_000;

/// Whoever is in a talk, as the registry found them by login or cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// Which talk.
    pub talk: RecordingId,
    /// Pseudonym.
    pub party: String,
    /// Whether they started it.
    pub is_host: bool,
    pub(crate) place: usize,
}

/// A participant.
#[derive(Debug)]
pub(crate) struct Person {
    /// SHA-256 of a guest's cookie; none for the host.
    pub(crate) token: Option<[u8; 32]>,
    pub(crate) name: Option<Pii<String>>,
    pub(crate) choice: Option<Choice>,
    /// That they record too, where an official answers it.
    pub(crate) request: Option<Request>,
    /// How often they agreed.
    pub(crate) agreed: u32,
    /// What a guest fetches their copy with later, once there is one; of the minutes too.
    pub(crate) copy: Option<OwnLink>,
    pub(crate) minutes_copy: Option<OwnLink>,
    pub(crate) joined_at: Timestamp,
    pub(crate) left_at: Option<Timestamp>,
}

impl Person {
    pub(crate) const fn is_there(&self) -> bool {
        self.left_at.is_none()
    }
}

/// Whether the law permits it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Permission {
    #[default]
    NotAsked,
    Given,
    Refused,
}

/// What is written, and where.
#[derive(Debug)]
pub(crate) enum Journal {
    /// Nothing may be written yet; these events wait.
    Waits(Vec<(Timestamp, JournalEvent)>),
    /// The writer takes it.
    Open,
    /// It is closed, or given up.
    Over,
}

/// What can change.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) host: Pii<String>,
    pub(crate) opened_at: Timestamp,
    pub(crate) code: Option<(String, Timestamp)>,
    pub(crate) people: Vec<Person>,
    pub(crate) tracks: Vec<Track>,
    pub(crate) permission: Permission,
    /// When the timeline begins: where the law first refused, or recording was started.
    pub(crate) began: Option<Timestamp>,
    pub(crate) started: Option<Timestamp>,
    pub(crate) paused_by: Option<usize>,
    /// The law could not be asked: nothing is kept until it was.
    pub(crate) is_unanswered: bool,
    /// What the law was asked last, as the archive counts.
    pub(crate) asked_version: Option<u64>,
    /// The law is being asked; what was captured from then on waits with its device.
    pub(crate) asking_since: Option<Timestamp>,
    pub(crate) held: Held,
    pub(crate) journal: Journal,
    /// The time of the last event in the journal about all streams.
    pub(crate) last_change: Timestamp,
    pub(crate) decision: Option<Decision>,
    pub(crate) ended: Option<(Timestamp, Cause)>,
    pub(crate) ended_by: Option<EndedBy>,
    /// It is being closed.
    pub(crate) is_closing: bool,
    /// It is closed, or given up; since when.
    pub(crate) closed: Option<Timestamp>,
    pub(crate) fingerprint: Option<Fingerprint>,
    /// What came of looking for the notice; nothing where there is none.
    pub(crate) notice: Option<NoticeState>,
    /// What somebody wrote of it.
    pub(crate) minutes: Option<Minutes>,
    /// When anybody was heard of.
    pub(crate) heard_at: Timestamp,
    /// Packets that were not kept: no permit, a pause, after leaving.
    pub(crate) not_kept: u64,
}

/// A talk. `acting` is held over law and disk, `inner` never.
#[derive(Debug)]
pub(crate) struct Talk {
    pub(crate) id: RecordingId,
    pub(crate) line: Arc<Line>,
    pub(crate) acting: Mutex<()>,
    inner: Mutex<Inner>,
    pub(crate) changes: watch::Sender<u64>,
}

/// What people are called.
pub(crate) fn pseudonym(place: usize) -> String {
    format!("p{}", place + 1)
}

impl Talk {
    pub(crate) fn new(
        id: RecordingId,
        line: Arc<Line>,
        host: (Pii<String>, Option<Pii<String>>),
        code: (String, Timestamp),
        now: Timestamp,
    ) -> Self {
        let (host, name) = host;
        let first = Person {
            token: None,
            name,
            choice: Some(Choice::Agreed),
            request: None,
            agreed: 1,
            copy: None,
            minutes_copy: None,
            joined_at: now,
            left_at: None,
        };
        let inner = Inner {
            host,
            opened_at: now,
            code: Some(code),
            people: vec![first],
            tracks: Vec::new(),
            permission: Permission::NotAsked,
            began: None,
            started: None,
            paused_by: None,
            is_unanswered: false,
            asked_version: None,
            asking_since: None,
            held: Held::default(),
            journal: Journal::Waits(Vec::new()),
            last_change: now,
            decision: None,
            ended: None,
            ended_by: None,
            is_closing: false,
            closed: None,
            fingerprint: None,
            notice: None,
            minutes: None,
            heard_at: now,
            not_kept: 0,
        };
        Self {
            id,
            line,
            acting: Mutex::new(()),
            inner: Mutex::new(inner),
            changes: watch::Sender::new(1),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        // A mistake in the midst of a change costs this talk; its keeper closes what there is.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One change after the other, law and disk included.
    pub(crate) fn act(&self) -> MutexGuard<'_, ()> {
        self.acting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something is to be seen.
    pub(crate) fn changed(&self) {
        self.changes.send_modify(|version| *version += 1);
    }

    /// Writes an event, or lets it wait for the journal.
    pub(crate) fn note(
        &self,
        inner: &mut Inner,
        writer: &WriterHandle,
        at: Timestamp,
        event: JournalEvent,
    ) {
        if let Journal::Waits(events) = &mut inner.journal {
            events.push((at, event));
            return;
        }
        let mut chunk = ChunkBuilder::new();
        match chunk.push_event(at, &event) {
            Ok(()) => self.write(inner, writer, vec![chunk.take()]),
            Err(error) => tracing::error!(recording = %self.id, %error, "an event is not written"),
        }
    }

    /// Hands chunks of the journal to the writer, in the order of this talk's lock.
    pub(crate) fn write(&self, inner: &Inner, writer: &WriterHandle, chunks: Vec<Vec<u8>>) {
        if matches!(inner.journal, Journal::Open) {
            writer.write(self.id, chunks, None);
        }
    }

    /// As one participant sees it.
    pub(crate) fn state(&self, inner: &Inner, seat: &Seat, now: Timestamp) -> State {
        let until = inner.ended.map_or(now, |(at, _)| at);
        State {
            version: *self.changes.borrow(),
            id: self.id,
            kind: self.line.name.clone(),
            title: title(&self.line).to_owned(),
            phase: inner.phase(),
            me: seat.party.clone(),
            is_host: seat.is_host,
            code: inner.code_at(now).filter(|_| seat.is_host).cloned(),
            parties: inner.parties(seat, now),
            started_at: inner.started,
            recorded_us: inner.held.total(until),
            paused_by: inner.paused_by.map(pseudonym),
            decision: inner.decision.clone(),
            ends_at: inner.ends_at(),
            ended_by: inner.ended_by,
            minutes: inner.minutes.as_ref().map(Minutes::state),
            notice: inner.notice,
            fingerprint: inner.fingerprint.clone(),
        }
    }
}

/// What people read of a kind of talk.
pub(crate) fn title(line: &Line) -> &str {
    match line.title.as_str() {
        "" => &line.name,
        title => title,
    }
}

impl Inner {
    pub(crate) fn phase(&self) -> Phase {
        match (self.permission, self.started) {
            _ if self.ended.is_some() => Phase::Ended,
            (Permission::Refused, _) => Phase::Refused,
            (Permission::NotAsked, _) => Phase::Waiting,
            (Permission::Given, None) => match self.has_all_chosen() {
                true => Phase::Ready,
                false => Phase::Waiting,
            },
            (Permission::Given, Some(_)) if self.paused_by.is_some() => Phase::Paused,
            (Permission::Given, Some(_)) if self.is_unanswered => Phase::Refused,
            (Permission::Given, Some(_)) => Phase::Recording,
        }
    }

    /// When it ends by itself.
    pub(crate) fn ends_at(&self) -> Option<Timestamp> {
        self.started
            .map(|started| started.plus_micros(LENGTH_MICROS_MAX))
    }

    /// Whether there are two at least, and each of them chose.
    pub(crate) fn has_all_chosen(&self) -> bool {
        let mut there = self.people.iter().filter(|person| person.is_there());
        self.present() >= 2 && there.all(|person| person.choice.is_some())
    }

    /// For how much of a talk that is over somebody was there.
    pub(crate) fn presence(&self, place: usize) -> Option<Presence> {
        let (person, began) = (self.people.get(place)?, self.began?);
        let (ended, _cause) = self.ended?;
        let left = person.left_at.unwrap_or(ended).min(ended);
        let since = |at: Timestamp| u64::try_from(at.micros_since(began)).ok();
        if left <= began || left <= person.joined_at {
            return None;
        }
        Some(Presence {
            from_us: since(person.joined_at).filter(|from| *from > 0),
            to_us: since(left).filter(|_| left < ended),
        })
    }

    /// How many are in the talk.
    pub(crate) fn present(&self) -> usize {
        self.people.iter().filter(|p| p.is_there()).count()
    }

    /// What is known of how openly it is done: a value of the fact `openness`.
    pub(crate) fn openness(&self) -> &'static str {
        openness_of(
            self.people
                .iter()
                .filter(|one| one.is_there())
                .map(|one| one.choice),
        )
    }

    /// The same once the participant in that place has chosen so.
    pub(crate) fn openness_if(&self, place: usize, choice: Choice) -> &'static str {
        let people = self.people.iter().enumerate();
        let there = people.filter(|(_, person)| person.is_there());
        openness_of(there.map(|(at, person)| match at == place {
            true => Some(choice),
            false => person.choice,
        }))
    }

    pub(crate) fn code_at(&self, now: Timestamp) -> Option<&String> {
        let code = self.code.as_ref().filter(|(_, until)| now < *until);
        code.filter(|_| self.ended.is_none()).map(|(code, _)| code)
    }

    /// The seat of a guest with that cookie.
    pub(crate) fn guest(&self, token: &[u8; 32]) -> Option<usize> {
        self.people.iter().position(|person| {
            let known = person.token.as_ref();
            known.is_some_and(|known| bool::from(known.ct_eq(token)))
        })
    }

    /// Who takes part, as the archive is told of it.
    pub(crate) fn offered(&self) -> Vec<OfferedParty> {
        let people = self.people.iter();
        people
            .map(|person| offered(person.name.clone(), !person.is_there()))
            .collect()
    }

    /// Everybody. What was answered to somebody who wants to record too, only they and the host read.
    fn parties(&self, seat: &Seat, now: Timestamp) -> Vec<PartyState> {
        let people = self.people.iter().enumerate();
        people
            .map(|(place, person)| PartyState {
                id: pseudonym(place),
                name: person.name.as_ref().map(|name| name.expose().clone()),
                choice: person.choice,
                request: person
                    .request
                    .clone()
                    .filter(|_| seat.is_host || seat.place == place),
                is_there: person.is_there(),
                tracks: self
                    .tracks
                    .iter()
                    .filter(|track| track.owner == place)
                    .map(|track| track.state(now))
                    .collect(),
            })
            .collect()
    }

    /// Whether what people see of silent tracks is another than they were told; notes it.
    pub(crate) fn is_silence_news(&mut self, now: Timestamp) -> bool {
        let mut is_news = false;
        for track in &mut self.tracks {
            let silence = track.silence(now);
            is_news |= std::mem::replace(&mut track.told, silence) != silence;
        }
        is_news
    }

    /// Whether nothing more is to come from a device.
    pub(crate) fn are_tracks_closed(&self) -> bool {
        self.tracks.iter().all(|track| !track.is_open)
    }
}

fn openness_of(choices: impl Iterator<Item = Option<Choice>>) -> &'static str {
    let choices: Vec<Option<Choice>> = choices.collect();
    if choices.contains(&Some(Choice::RatherNot)) {
        "announced_objected"
    } else if choices.len() >= 2 && choices.iter().all(Option::is_some) {
        "announced_and_agreed"
    } else {
        "announced"
    }
}

/// A participant of a room: a name perhaps, and no address.
pub(crate) fn offered(name: Option<Pii<String>>, has_left: bool) -> OfferedParty {
    OfferedParty {
        address: Pii::new(String::new()),
        further_addresses: Vec::new(),
        name,
        is_caller: None,
        has_left,
    }
}
