//! Links by which guests fetch their copy later: from any browser, also after a restart (`design/room.md`, "A copy later").

use crate::error::RoomError;
use crate::minutes::Minutes;
use crate::rooms::{Presence, Rooms, Shared};
use crate::talk::{Person, Seat, Talk, pseudonym};
use crate::words;
use std::fmt;
use voicelog_archive::{ArchiveError, NewCopyLink, random};
use voicelog_model::{RecordingId, Timestamp, error::chain};

const DAY_MICROS: i64 = 24 * 3_600 * 1_000_000;

/// What somebody fetches their copy with.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnLink {
    /// The code, of 12 letters and digits.
    pub code: String,
    /// Until when it works.
    pub until: Timestamp,
}

impl fmt::Debug for OwnLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OwnLink(until {})", self.until)
    }
}

impl Rooms {
    /// With what they fetch their copy of the recording later; nothing for the host, who signs in, and for who has none.
    ///
    /// # Errors
    ///
    /// The talk is forgotten.
    pub fn own_link(&self, seat: &Seat) -> Result<Option<OwnLink>, RoomError> {
        self.person(seat, |person| person.copy.clone())
    }

    /// The same of the minutes.
    ///
    /// # Errors
    ///
    /// The talk is forgotten.
    pub fn own_link_to_minutes(&self, seat: &Seat) -> Result<Option<OwnLink>, RoomError> {
        self.person(seat, |person| person.minutes_copy.clone())
    }

    fn person(
        &self,
        seat: &Seat,
        read: impl FnOnce(&Person) -> Option<OwnLink>,
    ) -> Result<Option<OwnLink>, RoomError> {
        let talk = self.shared.find(seat.talk)?;
        let inner = talk.lock();
        Ok(inner.people.get(seat.place).and_then(read))
    }
}

impl Shared {
    /// Gives each guest who was there a link to the recording. Without one the copy can still be fetched for an hour.
    pub(crate) fn link_recording(&self, talk: &Talk) {
        let parts: Vec<_> = {
            let inner = talk.lock();
            let guests = 1..inner.people.len();
            guests
                .filter_map(|place| Some((place, inner.presence(place)?)))
                .collect()
        };
        for (place, link) in self.links(talk, talk.id, &parts) {
            if let Some(person) = talk.lock().people.get_mut(place) {
                person.copy = Some(link);
            }
        }
    }

    /// Gives a link to the minutes to each guest who signed them or is there.
    pub(crate) fn link_minutes(&self, talk: &Talk, id: RecordingId) {
        let parts: Vec<_> = {
            let inner = talk.lock();
            let signed = inner.minutes.as_ref().map(Minutes::state);
            let signed = signed.map_or_else(Vec::new, |minutes| minutes.signed);
            let people = inner.people.iter().enumerate().skip(1);
            people
                .filter(|(place, one)| one.is_there() || signed.contains(&pseudonym(*place)))
                .map(|(place, _)| (place, Presence::default()))
                .collect()
        };
        for (place, link) in self.links(talk, id, &parts) {
            if let Some(person) = talk.lock().people.get_mut(place) {
                person.minutes_copy = Some(link);
            }
        }
    }

    /// Links of those places, each with the part that they were there for; none where they could not be kept.
    fn links(
        &self,
        talk: &Talk,
        id: RecordingId,
        parts: &[(usize, Presence)],
    ) -> Vec<(usize, OwnLink)> {
        if parts.is_empty() || talk.line.copy_days == 0 {
            return Vec::new();
        }
        let made = self.make_links(talk, id, parts);
        made.unwrap_or_else(|error| {
            let error = chain(&error);
            tracing::error!(recording = %id, %error, "guests get no link to their copy");
            Vec::new()
        })
    }

    fn make_links(
        &self,
        talk: &Talk,
        id: RecordingId,
        parts: &[(usize, Presence)],
    ) -> Result<Vec<(usize, OwnLink)>, ArchiveError> {
        let mut links = Vec::with_capacity(parts.len());
        for (place, there) in parts {
            let random: [u8; words::COPY_LETTERS] = random::bytes()?;
            links.push(NewCopyLink {
                party: pseudonym(*place),
                secret: words::code(&random),
                part: (there.from_us, there.to_us),
            });
        }
        let days = i64::from(talk.line.copy_days);
        let end = self.clock.now().plus_micros(days * DAY_MICROS);
        let until = self.archive.keep_copy_links(id, &links, end)?;
        let codes = links.into_iter().map(|link| link.secret);
        let own = codes.map(|code| OwnLink { code, until });
        Ok(parts.iter().map(|(place, _)| *place).zip(own).collect())
    }
}
