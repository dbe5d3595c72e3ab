//! *I record too*, said to an official: a request with two endings (`design/room.md`, "A citizen records too").

use crate::acts::{Said, check_there};
use crate::error::RoomError;
use crate::rooms::{Rooms, Shared};
use crate::state::{Choice, Request};
use crate::talk::{Seat, Talk, pseudonym};
use serde_json::Value;
use voicelog_archive::{Answer, Line, RefusalSaid, Verdict, act};
use voicelog_model::{Pii, Timestamp};

/// How an official answers.
#[derive(Debug)]
pub enum RequestAnswer {
    /// The citizen records too.
    Allow,
    /// They do not, for this reason and with this in its place; in the month that begins at that moment.
    Refuse(Box<RefusalSaid>, Timestamp),
}

/// Whether talks of that kind are those of a government body with a citizen.
pub(crate) fn is_of_official(line: &Line) -> bool {
    line.facts.get("recorder_type").and_then(Value::as_str) == Some("government_body")
}

impl Shared {
    /// A guest of an official chose. True where that was no choice yet but a request, which the host answers.
    pub(crate) fn is_requested(
        &self,
        talk: &Talk,
        seat: &Seat,
        choice: Choice,
    ) -> Result<bool, RoomError> {
        if seat.is_host || !is_of_official(&talk.line) {
            return Ok(false);
        }
        let mut inner = talk.lock();
        let Some(person) = inner.people.get_mut(seat.place) else {
            return Ok(false);
        };
        match (choice, &person.request) {
            (Choice::RecordsToo, Some(Request::Allowed)) => Ok(false),
            (Choice::RecordsToo, Some(Request::Refused { .. })) => {
                Err(RoomError::NotNow("that you record too was refused"))
            }
            (Choice::RecordsToo, _) => {
                person.request = Some(Request::Asked);
                Ok(true)
            }
            (Choice::Agreed | Choice::RatherNot, asked) => {
                if *asked == Some(Request::Asked) {
                    person.request = None;
                }
                Ok(false)
            }
        }
    }
}

impl Rooms {
    /// The host answers the request of `party`. A refusal is asked of the law and on the disk before anybody sees it; where
    /// the law does not permit it the request stands, and can only be allowed.
    ///
    /// # Errors
    ///
    /// Nobody asked, the talk is over, it is not the host, or the law could not be asked.
    pub fn answer_request(
        &self,
        seat: &Seat,
        party: &str,
        answer: RequestAnswer,
        asker: &Pii<String>,
    ) -> Result<Option<Answer<act::Refuse>>, RoomError> {
        let talk = self.shared.find(seat.talk)?;
        let _acting = talk.act();
        let now = self.shared.clock.now();
        check_there(&talk.lock(), seat)?;
        if !seat.is_host {
            return Err(RoomError::HostOnly);
        }
        let place = {
            let inner = talk.lock();
            let is_asked = |(place, person): (usize, &crate::talk::Person)| {
                let asked = person.request == Some(Request::Asked) && person.is_there();
                (asked && pseudonym(place) == party).then_some(place)
            };
            let place = inner.people.iter().enumerate().find_map(is_asked);
            place.ok_or(RoomError::NotNow("nobody asks to record too"))?
        };
        let set = |request: Request| {
            if let Some(person) = talk.lock().people.get_mut(place) {
                person.request = Some(request);
            }
            talk.changed();
        };
        match answer {
            RequestAnswer::Allow => {
                set(Request::Allowed);
                let (guest, choice) = (talk.seat(place), Choice::RecordsToo);
                let said = self.shared.say_choice(
                    &talk,
                    &guest,
                    choice,
                    Some(Said::on_the_screen("given")),
                    now,
                );
                said.map(|()| None)
            }
            RequestAnswer::Refuse(mut said, month) => {
                said.talk = Some(talk.id);
                let archive = &self.shared.archive;
                let answer = archive.ask_to_refuse(&said, month, asker, now)?;
                if matches!(answer.verdict, Verdict::Permit(_)) {
                    set(Request::Refused {
                        decision: answer.id,
                        reason: said.text,
                        alternative: said.alternative,
                    });
                }
                Ok(Some(answer))
            }
        }
    }
}
