//! What a participant chooses and does. Each act is one change after the other, law and disk included.

use crate::error::RoomError;
use crate::rooms::{Rooms, Shared, new_code};
use crate::state::{Choice, EndedBy, Phase};
use crate::talk::{Inner, Seat, Talk, pseudonym};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use voicelog_archive::journal::{AskedBy, Cause, JournalEvent, PauseReason, ResumedBy, SaidBy};
use voicelog_archive::{ArchiveError, Consent, ConsentBy};
use voicelog_model::{RecordingId, Timestamp};

/// How often one talk may be paused, so that its journal stays one that people can read.
const PAUSES_MAX: usize = 500;

/// How often somebody may agree.
const CHANGES_MAX: u32 = 100;

/// What a participant does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// The host starts recording.
    Start,
    /// Nothing is kept until somebody goes on.
    Pause,
    /// Go on.
    Resume,
    /// Take consent back.
    Withdraw,
    /// Object (AVG art. 21).
    Object,
    /// Leave the talk.
    Leave,
    /// Nobody else comes in: the code is dead at once.
    CloseDoor,
    /// There is a new code, and the one before is dead at once.
    RenewCode,
    /// The host ends it.
    End,
}

/// Consent as somebody said it: the word for it, and how.
pub(crate) struct Said {
    word: String,
    by: ConsentBy,
}

impl Said {
    pub(crate) fn on_the_screen(word: &str) -> Self {
        let (word, by) = (word.to_owned(), ConsentBy::Screen);
        Self { word, by }
    }
}

impl Rooms {
    /// What somebody chooses about being recorded. The law is asked again where that can change its answer.
    ///
    /// # Errors
    ///
    /// The talk is over, they left, or the law could not be asked; in the last case their choice counts, and nothing is
    /// kept until it was.
    pub fn choose(&self, seat: &Seat, choice: Choice) -> Result<(), RoomError> {
        let talk = self.shared.find(seat.talk)?;
        let _acting = talk.act();
        let now = self.shared.clock.now();
        check_there(&talk.lock(), seat)?;
        if self.shared.is_requested(&talk, seat, choice)? {
            talk.changed();
            return Ok(());
        }
        let word = match choice.agrees() {
            true => "given",
            false => "refused",
        };
        talk.lock().count_choice(seat, choice)?;
        let said = Some(Said::on_the_screen(word));
        self.shared.say_choice(&talk, seat, choice, said, now)
    }

    /// Takes in what a participant said of being recorded, as somebody who heard it tells it: it has the effect of the same
    /// choice on their own screen.
    ///
    /// # Errors
    ///
    /// No such talk or participant, the talk is over, they left, or the law could not be asked; in the last case what they
    /// said counts, and nothing is kept until it was.
    pub fn hear(&self, id: RecordingId, consent: Consent) -> Result<(), RoomError> {
        let talk = self.shared.find(id)?;
        let _acting = talk.act();
        let now = self.shared.clock.now();
        let (seat, before) = {
            let inner = talk.lock();
            let mut places = 0..inner.people.len();
            let place = places.find(|place| pseudonym(*place) == consent.party);
            let place = place.ok_or(ArchiveError::NoParty(id))?;
            let seat = talk.seat(place);
            check_there(&inner, &seat)?;
            (seat, inner.people.get(place).and_then(|one| one.choice))
        };
        let is_no = matches!(consent.word.as_str(), "refused" | "withdrawn");
        let choice = match (is_no, before) {
            (true, _) => Choice::RatherNot,
            (false, Some(Choice::RecordsToo)) => Choice::RecordsToo,
            (false, _) => Choice::Agreed,
        };
        talk.lock().count_choice(&seat, choice)?;
        let Consent { word, by, .. } = consent;
        let said = Some(Said { word, by });
        self.shared.say_choice(&talk, &seat, choice, said, now)
    }

    /// Carries out what somebody does.
    ///
    /// # Errors
    ///
    /// It does not fit the state of the talk, or is not theirs to do; or the law could not be asked, and then nothing is
    /// kept until it was.
    pub fn act(&self, seat: &Seat, act: Act) -> Result<(), RoomError> {
        let talk = self.shared.find(seat.talk)?;
        let _acting = talk.act();
        let now = self.shared.clock.now();
        check_there(&talk.lock(), seat)?;
        let shared = &self.shared;
        match act {
            Act::Start => shared.start(&talk, seat, now),
            Act::Pause => shared.pause(&talk, seat, now),
            Act::Resume => shared.resume(&talk, now),
            Act::Withdraw => {
                let said = Some(Said::on_the_screen("withdrawn"));
                shared.say_choice(&talk, seat, Choice::RatherNot, said, now)
            }
            Act::Object => shared.say_choice(&talk, seat, Choice::RatherNot, None, now),
            Act::Leave => shared.leave(&talk, seat, now),
            Act::CloseDoor | Act::RenewCode | Act::End if !seat.is_host => Err(RoomError::HostOnly),
            Act::CloseDoor => {
                talk.lock().code = None;
                talk.changed();
                Ok(())
            }
            Act::RenewCode => {
                let code = new_code(now)?;
                talk.lock().code = Some(code);
                talk.changed();
                Ok(())
            }
            Act::End => {
                shared.end(&talk, EndedBy::People, now);
                Ok(())
            }
        }
    }
}

impl Inner {
    /// Each change of mind is a question to the law, which is kept; who says yes for the hundredth time is refused, who
    /// says no never is.
    fn count_choice(&mut self, seat: &Seat, choice: Choice) -> Result<(), RoomError> {
        if let Some(person) = self.people.get_mut(seat.place)
            && choice.agrees()
        {
            if person.agreed >= CHANGES_MAX {
                return Err(RoomError::Full("changes of mind"));
            }
            person.agreed += 1;
        }
        Ok(())
    }
}

/// The fact of how openly it is done.
fn openly(openness: &str) -> Map<String, Value> {
    let mut said = Map::new();
    said.insert("openness".to_owned(), json!(openness));
    said
}

pub(crate) fn check_there(inner: &Inner, seat: &Seat) -> Result<(), RoomError> {
    if inner.ended.is_some() {
        return Err(RoomError::NotNow("the talk is over"));
    }
    let person = inner.people.get(seat.place);
    match person.is_some_and(|person| person.is_there()) {
        true => Ok(()),
        false => Err(RoomError::NotNow("you have left the talk")),
    }
}

impl Shared {
    /// A choice, and the word for it as consent, where it is about consent.
    pub(crate) fn say_choice(
        &self,
        talk: &Talk,
        seat: &Seat,
        choice: Choice,
        said: Option<Said>,
        now: Timestamp,
    ) -> Result<(), RoomError> {
        let by = match &said {
            Some(Said {
                by: ConsentBy::Spoken { .. },
                ..
            }) => SaidBy::Spoken,
            _ => SaidBy::Key,
        };
        let openness = {
            let mut inner = talk.lock();
            inner.heard_at = now;
            let before = inner.people.get(seat.place).and_then(|one| one.choice);
            if before == Some(Choice::RatherNot) && !choice.agrees() {
                // A no after a no is no news: not to the law, and not to the log, which keeps every answer for ever.
                return Ok(());
            }
            inner.openness_if(seat.place, choice)
        };
        match said {
            Some(Said { word, by }) => {
                let party = seat.party.clone();
                let consent = Consent { party, word, by };
                self.archive
                    .consent_with(talk.id, consent, openly(openness), now)?;
            }
            None => self.archive.say(talk.id, openly(openness), now)?,
        }
        {
            let mut inner = talk.lock();
            let person = inner.people.get_mut(seat.place);
            if let Some(person) = person {
                person.choice = Some(choice);
            }
            if !choice.agrees() {
                let party = seat.party.clone();
                let event = JournalEvent::RefusalSaid { party, by };
                talk.note(&mut inner, &self.writer, now, event);
            }
        }
        let asked = self.ask_if_needed(talk, now);
        talk.changed();
        asked
    }

    fn start(&self, talk: &Talk, seat: &Seat, now: Timestamp) -> Result<(), RoomError> {
        if !seat.is_host {
            return Err(RoomError::HostOnly);
        }
        if talk.lock().phase() != Phase::Ready {
            return Err(RoomError::NotNow(
                "the talk can be started once everybody chose and the law permits it",
            ));
        }
        let begun = self.begin(talk, now);
        talk.changed();
        begun
    }

    fn pause(&self, talk: &Talk, seat: &Seat, now: Timestamp) -> Result<(), RoomError> {
        let mut inner = talk.lock();
        if inner.started.is_none() || inner.paused_by.is_some() {
            return Err(RoomError::NotNow("there is nothing to pause"));
        }
        if inner.held.len() >= PAUSES_MAX {
            return Err(RoomError::Full("pauses"));
        }
        inner.paused_by = Some(seat.place);
        inner.held.close(now);
        inner.last_change = now;
        let event = JournalEvent::RecordingPaused {
            reason: PauseReason::Other,
            by: AskedBy::Program,
            party: Some(seat.party.clone()),
        };
        talk.note(&mut inner, &self.writer, now, event);
        drop(inner);
        talk.changed();
        Ok(())
    }

    fn resume(&self, talk: &Talk, now: Timestamp) -> Result<(), RoomError> {
        let mut inner = talk.lock();
        if inner.paused_by.take().is_none() {
            return Err(RoomError::NotNow("it is not paused"));
        }
        if !inner.is_unanswered {
            let by = ResumedBy::Program;
            let event = JournalEvent::RecordingResumed { by };
            talk.note(&mut inner, &self.writer, now, event);
        }
        inner.last_change = now;
        inner.hold_if_due(now);
        drop(inner);
        talk.changed();
        Ok(())
    }

    fn leave(&self, talk: &Talk, seat: &Seat, now: Timestamp) -> Result<(), RoomError> {
        let is_last = {
            let mut inner = talk.lock();
            if let Some(person) = inner.people.get_mut(seat.place) {
                person.left_at = Some(now);
            }
            let party = pseudonym(seat.place);
            let event = JournalEvent::PartyLeft { party };
            talk.note(&mut inner, &self.writer, now, event);
            self.stop_tracks_of(talk, &mut inner, seat.place, now);
            inner.present() < 2
        };
        if is_last {
            self.end(talk, EndedBy::People, now);
            return Ok(());
        }
        let told = self.people_changed(talk, now);
        talk.changed();
        told
    }

    /// Nobody records a talk they take no part in (Sr art. 139a).
    fn stop_tracks_of(&self, talk: &Talk, inner: &mut Inner, owner: usize, now: Timestamp) {
        let mut events = Vec::new();
        for track in inner.tracks.iter_mut().filter(|track| track.owner == owner) {
            if track.stopped.is_none() {
                track.stopped = Some(now);
                track.last_change = now;
                let (stream, by) = (track.number, Cause::Device);
                events.push(JournalEvent::StreamPaused { stream, by });
            }
        }
        for event in events {
            talk.note(inner, &self.writer, now, event);
        }
    }

    /// Somebody came or left: the archive is told, and the law asked where it may answer otherwise now.
    pub(crate) fn people_changed(&self, talk: &Talk, now: Timestamp) -> Result<(), RoomError> {
        let (people, openness) = {
            let inner = talk.lock();
            (inner.offered(), inner.openness())
        };
        self.archive.update_parties(talk.id, people);
        self.archive.say(talk.id, openly(openness), now)?;
        self.ask_if_needed(talk, now)
    }
}
