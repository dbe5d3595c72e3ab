//! Conversations: recordings that are parts of one talk, and how that is found out.
//!
//! A telephone system cuts one talk into several recording sessions: at a transfer, after a hold, in a
//! conference, or because two clients send the same. What it says belongs together is an id in its
//! metadata or its message. Such an id comes from outside. It can be forged, it can be the same for every
//! call of a product, and it can hold a telephone number. So it is never stored: what is stored for a day is
//! a hash of it under a key of the archive, bound to the line. It counts only with the people: see
//! [`Archive::write_down`].

use crate::error::Doing;
use crate::known::Number;
use crate::writer::{DETAILS_LABEL, SealedDetails};
use crate::{Archive, ArchiveError, Call, RecordingSummary, State, random};
use std::collections::BTreeSet;
use std::sync::PoisonError;
use voicelog_evidence::canonical::canonical_json;
use voicelog_evidence::key::seal_bytes;
use voicelog_model::{Pii, RecordingId, Timestamp};
use voicelog_store::index::{Cursor, JoinedBy, LinkKey, LinkedRow, RecordingFilter, RecordingRow};

/// How long after the end of one part a next one can begin: 10 minutes.
const WINDOW: i64 = 600 * 1_000_000;
/// How soon after the end of one part the next one begins where the exchange starts anew for the same
/// talk: 10 s.
const AT_ONCE: i64 = 10 * 1_000_000;
/// How long the keys of a call that has ended are kept, to notice an id that is used again: a day.
const KEYS_KEPT: i64 = 24 * 3_600 * 1_000_000;
/// How long an id is not believed that was seen in calls without anybody in common: 30 days.
const DISTRUSTED: i64 = 30 * 24 * 3_600 * 1_000_000;
/// Most parts of one conversation. An id with more is no id of a conversation.
pub const PARTS_MAX: usize = 64;
/// Fewest characters of an id, and how many of them must differ: less tells nothing apart.
const ID_CHARACTERS_MIN: usize = 8;
const ID_DIFFERENT_MIN: usize = 4;

/// What kind of id it is, from strong to weak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkKind {
    /// One end of a `Session-ID` (RFC 7989).
    SessionId,
    /// `session_id` of the metadata (RFC 7865 §6.3).
    Session,
    /// `group_id` of the metadata (RFC 7865 §6.2).
    Group,
}

impl LinkKind {
    /// Its word in the index and in lists.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SessionId => "session_id",
            Self::Session => "session",
            Self::Group => "group",
        }
    }

    /// Whether it names one conversation, so that two calls with it at the same time are the same talk.
    fn is_of_one_talk(word: &str) -> bool {
        word != Self::Group.as_str()
    }
}

/// The word for a part that took the place of another (RFC 3891).
pub const REPLACES: &str = "replaces";

/// An id by which a client says what belongs together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What kind of id.
    pub kind: LinkKind,
    /// The id, as received.
    pub id: Pii<String>,
}

impl Link {
    /// Whether the id can tell anything apart: `0`, `unknown` in many forms, and a nil UUID cannot.
    fn is_usable(&self) -> bool {
        let characters = self.id.expose().chars().filter(char::is_ascii_alphanumeric);
        let different: BTreeSet<char> = characters.clone().collect();
        characters.count() >= ID_CHARACTERS_MIN && different.len() >= ID_DIFFERENT_MIN
    }
}

/// One talk, of one or more recordings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Its parts, oldest first; never empty.
    pub parts: Vec<RecordingSummary>,
}

impl Conversation {
    /// When its first part began.
    #[must_use]
    pub fn started_at(&self) -> Option<Timestamp> {
        self.parts.first().map(|part| part.started_at)
    }

    /// How long its parts last together, in microseconds: what two of them cover counts once. Nothing
    /// while one runs.
    #[must_use]
    pub fn length_us(&self) -> Option<u64> {
        let mut total = 0;
        let mut until: Option<Timestamp> = None;
        for part in &self.parts {
            let end = part.ended_at?;
            let from = until.map_or(part.started_at, |until| until.max(part.started_at));
            total += u64::try_from(end.micros_since(from)).unwrap_or(0);
            until = until.max(Some(end));
        }
        Some(total)
    }

    /// The place of a recording among the parts, from 1.
    #[must_use]
    pub fn place_of(&self, id: RecordingId) -> Option<usize> {
        let place = self.parts.iter().position(|part| part.id == id)?;
        Some(place + 1)
    }
}

/// How two calls go together by those who take part.
enum People {
    /// One of them names nobody.
    Unknown,
    /// Nobody is in both.
    Strangers,
    /// Somebody is, and somebody else is not.
    Some,
    /// The same people.
    Same,
}

impl People {
    fn of(one: &[Number], other: &[Number]) -> Self {
        if one.is_empty() || other.is_empty() {
            return Self::Unknown;
        }
        let all_in = |some: &[Number], those: &[Number]| {
            some.iter()
                .filter(|number| those.iter().any(|known| known.fits(number)))
                .count()
        };
        let (here, there) = (all_in(one, other), all_in(other, one));
        if here == one.len() && there == other.len() {
            Self::Same
        } else if here == 0 {
            Self::Strangers
        } else {
            Self::Some
        }
    }
}

impl Archive {
    /// Writes down what was told of a call since the last time: who takes part, what was odd, and
    /// which other recordings it belongs with. To be called once the call has its row, and again when
    /// more was told; nothing is done when nothing was.
    ///
    /// A recording with the same id on the same line belongs with this one if it runs or ended less
    /// than 10 minutes ago, and the people say so too: somebody is in both while one runs or within 10
    /// seconds after it; later, the same people. Where one of the two names nobody, only a `Session-ID`
    /// counts, which is unique by its making. An id that comes back after those 10 minutes, that calls
    /// without anybody in common have, or that has 64 parts, is constant or used again, and is not
    /// believed for 30 days.
    ///
    /// An error costs the call nothing: it is recorded all the same, and the next call tries again.
    pub fn write_down(&self, id: RecordingId, now: Timestamp) -> Result<(), ArchiveError> {
        let Some(call) = self.calls.take_news(id) else {
            return Ok(());
        };
        let written = self.write_down_call(&call, now);
        if written.is_err() {
            self.calls.give_news_back(id);
        }
        written
    }

    fn write_down_call(&self, call: &Call, now: Timestamp) -> Result<(), ArchiveError> {
        let row = self.row(call.id)?;
        if row.state == State::Recording {
            self.keep_parties(call, &row)?;
        }
        let report = self.new_report(call.id, &call.about.report)?;
        let keys = self.link_keys(call);
        if report.is_some() || !keys.is_empty() {
            self.index
                .note_call(call.id, &keys, report.as_deref())
                .doing("noting what was told of a call")?;
        }
        self.link(call, keys, now)
    }

    /// Whoever joined is among those who took part.
    fn keep_parties(&self, call: &Call, row: &RecordingRow) -> Result<(), ArchiveError> {
        let data_key = self.data_key(call.id)?;
        let known = self.details(row, &data_key)?;
        if known.parties == call.parties {
            return Ok(());
        }
        let details = canonical_json(&SealedDetails {
            parties: call.parties.clone(),
        })?;
        let nonce = random::bytes()?;
        let sealed = seal_bytes(&data_key, DETAILS_LABEL, call.id, nonce, &details);
        self.index
            .update_sealed(call.id, &sealed)
            .doing("keeping who takes part")
    }

    fn link(
        &self,
        call: &Call,
        keys: Vec<(LinkKey, String)>,
        now: Timestamp,
    ) -> Result<(), ArchiveError> {
        // Two parts that come in at once must each see the other. The lock guards no data.
        let _one_at_a_time = self.linking.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(replaced) = call.about.replaces {
            self.join(call.id, replaced, REPLACES, false)?;
        }
        if keys.is_empty() {
            return Ok(());
        }
        let mut keys: Vec<LinkKey> = keys.into_iter().map(|(key, _)| key).collect();
        let distrusted = self
            .index
            .distrusted(&keys, now.plus_micros(-DISTRUSTED))
            .doing("looking for ids that are not believed")?;
        keys.retain(|key| !distrusted.contains(key));
        let linked = self
            .index
            .linked(&keys, PARTS_MAX + 1)
            .doing("looking for calls that belong together")?;
        for key in keys {
            let rows: Vec<_> = linked
                .iter()
                .filter(|row| row.key == key && row.recording.id != call.id)
                .collect();
            self.link_by(call, key, &rows, now)?;
        }
        Ok(())
    }

    /// Judges the recordings that have one key in common with a call.
    fn link_by(
        &self,
        call: &Call,
        key: LinkKey,
        rows: &[&LinkedRow],
        now: Timestamp,
    ) -> Result<(), ArchiveError> {
        let is_recent = |row: &RecordingRow| {
            row.ended_at
                .is_none_or(|ended| now.micros_since(ended) <= WINDOW)
        };
        let conversation = |row: &RecordingRow| {
            let part = row.part.as_ref();
            part.map_or(row.id, |part| part.conversation)
        };
        let recent: BTreeSet<RecordingId> = rows
            .iter()
            .filter(|row| is_recent(&row.recording))
            .map(|row| conversation(&row.recording))
            .collect();
        // Those of a talk that still goes on are no use of another time.
        let comes_back = rows
            .iter()
            .any(|row| !recent.contains(&conversation(&row.recording)));
        let own: Vec<Number> = numbers_of(call);
        let (mut fits, mut has_strangers) = (Vec::new(), false);
        for row in rows.iter().filter(|row| is_recent(&row.recording)) {
            let ended = row.recording.ended_at;
            let is_near = ended.is_none_or(|ended| now.micros_since(ended) <= AT_ONCE);
            let is_unique = row.kind == LinkKind::SessionId.as_str();
            match People::of(&own, &self.numbers_in(&row.recording)?) {
                People::Unknown if is_unique => fits.push((row, false)),
                People::Unknown => {}
                People::Strangers => has_strangers = true,
                People::Some if is_near => fits.push((row, false)),
                People::Some => {}
                People::Same => {
                    let is_copy = ended.is_none() && LinkKind::is_of_one_talk(&row.kind);
                    fits.push((row, is_copy));
                }
            }
        }
        if comes_back || rows.len() >= PARTS_MAX || has_strangers && fits.is_empty() {
            tracing::info!(
                recording = %call.id,
                "an id that should name one conversation is in others too; it is not believed"
            );
            return self
                .index
                .distrust(&[key], now)
                .doing("noting an id that is not believed");
        }
        for (row, is_copy) in fits {
            self.join(call.id, row.recording.id, &row.kind, is_copy)?;
        }
        Ok(())
    }

    fn join(
        &self,
        id: RecordingId,
        other: RecordingId,
        word: &str,
        is_copy: bool,
    ) -> Result<(), ArchiveError> {
        let by = JoinedBy {
            word: word.to_owned(),
            is_copy,
        };
        self.index.join(id, other, &by).doing("joining two calls")
    }

    /// The keys of a call: each id under a key of this archive, bound to its kind and the line. A line that
    /// nobody set up binds nothing.
    fn link_keys(&self, call: &Call) -> Vec<(LinkKey, String)> {
        let is_set_up = call.line.is_set_up();
        let links = call.about.links.iter().filter(|_| is_set_up);
        let usable = links.filter(|link| link.is_usable());
        let mut keys: Vec<(LinkKey, String)> = usable
            .map(|link| {
                let word = link.kind.as_str();
                // No name of a line and no word has a zero byte in it.
                let id = link.id.expose();
                let context = format!("{}\0{word}\0{id}", call.line.name);
                let key = self
                    .secrets
                    .decision_key
                    .derive("link key", context.as_bytes());
                (key, word.to_owned())
            })
            .collect();
        keys.sort_unstable();
        keys.dedup_by_key(|(key, _)| *key);
        keys
    }

    /// Who took part; nobody where that is not known, or not any more.
    fn numbers_in(&self, row: &RecordingRow) -> Result<Vec<Number>, ArchiveError> {
        if let Some(call) = self.calls.get(row.id) {
            return Ok(numbers_of(&call));
        }
        let data_key = match row.sealed.is_empty() {
            true => None,
            false => self.data_key_if_here(row.id)?,
        };
        let Some(data_key) = data_key else {
            return Ok(Vec::new());
        };
        let parties = self.details(row, &data_key)?.parties;
        Ok(numbers(
            parties.iter().map(|party| party.address.expose().as_str()),
        ))
    }

    /// Forgets the link keys of calls that ended a day ago.
    pub fn forget_links(&self, now: Timestamp) -> Result<(), ArchiveError> {
        self.index
            .forget_link_keys(now.plus_micros(-KEYS_KEPT))
            .doing("forgetting what linked calls")
    }

    /// The conversation that a recording is a part of, if only of itself.
    pub fn conversation(&self, id: RecordingId) -> Result<Conversation, ArchiveError> {
        let row = self.row(id)?;
        self.conversation_of(&row)
    }

    fn conversation_of(&self, row: &RecordingRow) -> Result<Conversation, ArchiveError> {
        let Some(part) = &row.part else {
            return Ok(Conversation {
                parts: vec![self.summary_of(row)?],
            });
        };
        let parts = self
            .index
            .parts(part.conversation, PARTS_MAX * 2)
            .doing("listing the parts of a conversation")?;
        let parts = parts.iter().map(|row| self.summary_of(row));
        Ok(Conversation {
            parts: parts.collect::<Result<_, _>>()?,
        })
    }

    /// One page of conversations, newest first, and where the next page starts. A conversation stands
    /// where the newest of its parts stands that the filter takes; all its parts are with it. A page
    /// of `limit` recordings can have fewer conversations.
    pub fn list_conversations(
        &self,
        filter: &RecordingFilter,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<(Vec<Conversation>, Option<Cursor>), ArchiveError> {
        let page = self
            .index
            .list_recordings(filter, after, limit)
            .doing("listing recordings")?;
        let mut conversations = Vec::new();
        for row in &page.rows {
            let conversation = self.conversation_of(row)?;
            let is_taken = |part: &&RecordingSummary| {
                filter.state.is_none_or(|state| part.state == state)
                    && filter.from.is_none_or(|from| part.started_at >= from)
                    && filter.to.is_none_or(|to| part.started_at < to)
            };
            let newest = conversation.parts.iter().rfind(is_taken);
            // Its other parts stand with the newest one.
            if newest.is_none_or(|part| part.id == row.id) {
                conversations.push(conversation);
            }
        }
        Ok((conversations, page.next))
    }
}

fn numbers_of(call: &Call) -> Vec<Number> {
    numbers(
        call.parties
            .iter()
            .map(|party| party.address.expose().as_str()),
    )
}

fn numbers<'a>(addresses: impl Iterator<Item = &'a str>) -> Vec<Number> {
    addresses
        .map(Number::of)
        .filter(|number| !number.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_tells_nothing_apart_links_nothing() {
        let is_usable = |id: &str| {
            Link {
                kind: LinkKind::Group,
                id: Pii::new(id.to_owned()),
            }
            .is_usable()
        };
        for id in [
            "",
            "0",
            "unknown",
            "AAAAAAAAAAAAAAAAAAAAAA==",
            "00000000-0000-0000-0000-000000000000",
            "1111-1111-1112",
            "---------------------",
        ] {
            assert!(!is_usable(id), "{id}");
        }
        for id in [
            "hVpd7YQgRW2nD22h7q60JQ==",
            "urn:uuid:7c4d1ff2-1f9d-4f7e",
            "20250101-call-17",
        ] {
            assert!(is_usable(id), "{id}");
        }
    }

    #[test]
    fn people_are_the_same_strangers_or_some_of_them_are() {
        let of = |list: &[&str]| numbers(list.iter().copied());
        let verdict = |one: &[&str], other: &[&str]| match People::of(&of(one), &of(other)) {
            People::Unknown => "unknown",
            People::Strangers => "strangers",
            People::Some => "some",
            People::Same => "same",
        };
        let both = ["sip:2001@x", "tel:+31201234567"];
        assert_eq!(verdict(&both, &["0201234567", "2001"]), "same");
        assert_eq!(verdict(&both, &["2002", "0201234567"]), "some");
        assert_eq!(verdict(&both, &["2001", "0201234567", "2003"]), "some");
        assert_eq!(verdict(&both, &["2002", "0301234567"]), "strangers");
        assert_eq!(verdict(&both, &[""]), "unknown");
    }
}
