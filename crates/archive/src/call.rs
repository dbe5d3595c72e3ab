//! Calls in progress: what is known of them now, and who wants to hear when that changes.
//!
//! Addresses and names live here, in memory, while a call lasts. They reach the disk only sealed
//! under the key of a recording that may exist.

use crate::ArchiveError;
use crate::consent::Saying;
use crate::conversation::Link;
use crate::country;
use crate::keep::KeepState;
use crate::known::Number;
use crate::line::draw::Sample;
use crate::line::{Line, Rule, Side, Who};
use crate::notice::NoticeState;
use crate::private::PrivateCall;
use crate::report::CallReport;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use voicelog_law::Facts;
use voicelog_model::{MediaStream, Party, Pii, RecordingId, Timestamp, limits};
use voicelog_store::index::State;

/// A participant as the recording client names it.
#[derive(Debug, Clone)]
pub struct OfferedParty {
    /// Address as received.
    pub address: Pii<String>,
    /// Further addresses of the same participant: they count for the country.
    pub further_addresses: Vec<Pii<String>>,
    /// Display name as received.
    pub name: Option<Pii<String>>,
    /// Whether it placed the call; nothing where the client does not tell.
    pub is_caller: Option<bool>,
    /// The client says that this participant has left.
    pub has_left: bool,
}

/// What a client tells of a call besides who takes part: what it belongs with, and how well it told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// Ids by which it says what belongs together.
    pub links: Vec<Link>,
    /// The recording whose place this one takes (RFC 3891).
    pub replaces: Option<RecordingId>,
    /// Whom the conversation was for before it was diverted, the first one first. It is held
    /// against the rules of the line and kept nowhere.
    pub called_before: Vec<Pii<String>>,
    /// What was odd about it, and whose voice is where.
    pub report: CallReport,
}

/// A call that a recording client offers for recording.
#[derive(Debug, Clone)]
pub struct OfferedCall {
    /// User part of the address that the client called: the line.
    pub line: String,
    /// Who takes part, in the order of the metadata; `p1` is the first.
    pub parties: Vec<OfferedParty>,
    /// The media streams offered and accepted.
    pub streams: Vec<MediaStream>,
    /// When the offer arrived.
    pub offered_at: Timestamp,
    /// What else the client tells.
    pub about: About,
}

/// A call in progress.
#[derive(Debug, Clone)]
pub struct Call {
    /// Its recording, which may stay empty.
    pub id: RecordingId,
    /// The line it came in on.
    pub line: Arc<Line>,
    /// Who takes part.
    pub parties: Vec<Party>,
    /// What the line's rules can know of each of them.
    pub(crate) who: Vec<Who>,
    /// Its media streams.
    pub streams: Vec<MediaStream>,
    /// When it was offered.
    pub offered_at: Timestamp,
    /// What else the client told.
    pub about: About,
    /// Something was told that is not written down yet.
    pub(crate) is_news: bool,
    /// Facts said during the call, over the API.
    pub said: Map<String, Value>,
    /// How consent was said, where that is known.
    pub sayings: Vec<Saying>,
    /// What came of looking for the notice of the line; nothing where none is looked for.
    pub notice: Option<NoticeState>,
    /// Whether somebody asked to keep it; nothing where the line keeps every call.
    pub keep: Option<KeepState>,
    /// That it is a private call, if somebody on our side says so.
    pub private: Option<PrivateCall>,
    /// The exchange says that the conversation is on hold.
    pub(crate) is_on_hold: bool,
    /// What was answered about last.
    decided: Option<Asked>,
    /// How often what is asked about it became another.
    versions: u64,
    /// Its recording has a writer, or one is being made.
    is_begun: bool,
}

impl Call {
    pub(crate) fn new(id: RecordingId, offered: OfferedCall, line: Arc<Line>) -> Self {
        let mut call = Self {
            id,
            notice: line.notice.as_ref().map(|_notice| NoticeState::Awaited {}),
            keep: KeepState::on(line.keep, line.look_back_seconds),
            line,
            parties: Vec::new(),
            who: Vec::new(),
            streams: offered.streams,
            offered_at: offered.offered_at,
            about: offered.about,
            is_news: true,
            said: Map::new(),
            sayings: Vec::new(),
            private: None,
            is_on_hold: false,
            decided: None,
            versions: 0,
            is_begun: false,
        };
        call.set_parties(offered.parties);
        call
    }

    pub(crate) fn set_parties(&mut self, offered: Vec<OfferedParty>) {
        let home = self.line.home();
        // Who sits in a room has no address; the room is somewhere.
        let room = self.line.is_of_a_room().then(|| self.line.country.clone());
        let (known, named) = (self.sides(), self.parties.len());
        let there = self.present();
        self.is_news = true;
        let who = offered.iter().take(limits::PARTIES_MAX);
        let who = who.map(|party| Who::of(party, home)).collect();
        let parties = offered
            .into_iter()
            .take(limits::PARTIES_MAX)
            .enumerate()
            .map(|(index, party)| Party {
                id: pseudonym(index + 1),
                country: room.clone().unwrap_or_else(|| {
                    country::of_addresses(
                        std::iter::once(&party.address)
                            .chain(&party.further_addresses)
                            .map(|address| address.expose().as_str()),
                        home,
                    )
                }),
                address: party.address,
                name: party.name,
            })
            .collect();
        (self.who, self.parties) = (who, parties);
        // That all agreed was said of those who were there. Whoever joins or comes back is told of
        // the recording at most; until somebody says more, not all agreed.
        let mut known_before = self.parties.iter().zip(&self.who).take(named);
        let came_back =
            known_before.any(|(party, who)| !who.has_left && !there.contains(&party.id));
        if (self.sides() > known || came_back)
            && let Some(openness) = self.said.get_mut("openness")
            && *openness == "announced_and_agreed"
        {
            *openness = json!("announced");
        }
    }

    /// Pseudonyms of those who are in the conversation now, as far as the client names them.
    #[must_use]
    pub fn present(&self) -> Vec<String> {
        let all = self.parties.iter().zip(&self.who);
        let there = all.filter(|(_, who)| !who.has_left);
        there.map(|(party, _)| party.id.clone()).collect()
    }

    /// Takes in facts that were said; consents one by one, so that who is not named keeps its word.
    pub(crate) fn take_in(&mut self, said: Map<String, Value>) -> Result<(), ArchiveError> {
        for (name, value) in said {
            if !SAYABLE_FACTS.contains(&name.as_str()) {
                return Err(crate::archive::not_sayable(name));
            }
            match (self.said.get_mut(&name), value) {
                (Some(Value::Object(known)), Value::Object(new)) => known.extend(new),
                (_, value) => {
                    self.said.insert(name, value);
                }
            }
        }
        Ok(())
    }

    /// Puts what is said of the weighing of interests beside what the line says of it.
    pub(crate) fn weigh(&mut self, weighing: Map<String, Value>) {
        let known = self.line.facts.get(WEIGHING).and_then(Value::as_object);
        let mut whole = known.cloned().unwrap_or_default();
        whole.extend(weighing);
        self.said.insert(WEIGHING.to_owned(), Value::Object(whole));
    }

    /// Whether the law can be asked about it as it is, and as it will be once its notice is heard:
    /// what is said wrongly until then must not come out at that moment.
    pub(crate) fn check(&self, now: Timestamp) -> Result<(), ArchiveError> {
        let mut told = self.clone();
        told.notice = None;
        for candidate in self.candidates().iter().chain(&told.candidates()) {
            Facts::from_map(&candidate.facts, now).map_err(ArchiveError::Facts)?;
        }
        Ok(())
    }

    /// On whose side the participant with that pseudonym is.
    #[must_use]
    pub fn side_of(&self, party: &str) -> Side {
        let mut all = self.parties.iter().zip(&self.who);
        let found = all.find(|(known, _)| known.id == party);
        found.map_or(Side::Unknown, |(_, who)| who.side)
    }

    /// The numbers that were called before the call was diverted.
    fn called_before(&self) -> Vec<Number> {
        let addresses = self.about.called_before.iter();
        addresses
            .map(|address| Number::of(address.expose()))
            .collect()
    }

    /// All that an answer about it as it is now depends on.
    pub(crate) fn asked(&self) -> Asked {
        Asked {
            candidates: self.candidates(),
            keep: self.keep.clone(),
            private: self.private.clone(),
        }
    }

    /// How many people can be heard at least: even where the client names fewer participants, a
    /// conversation has two sides.
    fn sides(&self) -> usize {
        self.parties.len().max(2)
    }

    /// The facts of this call for the act `record`, once for each rule of its line that can be the
    /// one, with the rule's name; most often that is one.
    #[must_use]
    pub fn candidates(&self) -> Vec<Candidate> {
        self.line
            .candidates(&self.who, &self.called_before(), self.offered_at)
            .into_iter()
            .map(|rule| Candidate {
                rule: rule.map(|rule| rule.name.clone()),
                facts: self.facts_under(rule),
                sample: self.line.sample_under(rule),
                sound_term: self.line.sound_term_under(rule).map(str::to_owned),
            })
            .collect()
    }

    /// The facts of this call under a rule of its line, or under none: the line's, then what the
    /// call itself shows, then what was said during it.
    ///
    /// A recorder always fills `countries`; a call without any known participant counts as one
    /// with an unknown country. Where consents are told one by one, whoever takes part and is not
    /// among them has given none: so one person's consent is never everybody's.
    ///
    /// The question is what may be kept from now on, so those count who are there. Those who left
    /// count for what was kept while they were: see [`Archive::recorded_facts`].
    ///
    /// [`Archive::recorded_facts`]: crate::Archive
    fn facts_under(&self, rule: Option<&Rule>) -> Map<String, Value> {
        let mut facts = self.line.facts_under(rule);
        facts.insert("requested_action".into(), json!("record"));
        facts.entry("channel").or_insert_with(|| json!("phone"));
        let there = self.present();
        let known = self.parties.iter().filter(|p| there.contains(&p.id));
        let mut countries: Vec<&str> = known.map(|p| p.country.as_str()).collect();
        if countries.is_empty() {
            countries.push(country::UNKNOWN);
        }
        countries.sort_unstable();
        countries.dedup();
        facts.insert("countries".into(), json!(countries));
        for (name, value) in &self.said {
            facts.insert(name.clone(), value.clone());
        }
        self.mind_notice(&mut facts);
        self.mind_private(&mut facts);
        if self.is_on_hold {
            facts.insert("on_hold".into(), json!(true));
        }
        if let Some(Value::Object(consents)) = facts.get_mut(CONSENTS) {
            let sides = self.sides_now();
            consents.retain(|party, _| sides.contains(party));
            for party in sides {
                consents.entry(party).or_insert_with(|| json!("none"));
            }
        }
        facts
    }

    /// Pseudonyms of those who can be heard now. A conversation has two sides, so where fewer are
    /// named, the other is whoever is named next.
    fn sides_now(&self) -> Vec<String> {
        let mut sides = self.present();
        let mut next = self.parties.len() + 1;
        while sides.len() < 2 {
            sides.push(pseudonym(next));
            next += 1;
        }
        sides
    }

    /// What those said of being recorded who are not there any more.
    pub(crate) fn said_by_who_left(&self) -> Map<String, Value> {
        let Some(Value::Object(consents)) = self.said.get(CONSENTS) else {
            return Map::new();
        };
        let sides = self.sides_now();
        let left = consents.iter().filter(|(party, _)| !sides.contains(party));
        left.map(|(party, word)| (party.clone(), word.clone()))
            .collect()
    }
}

/// The facts of a call if a rule of its line is the one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The rule's name; nothing for the line's own facts.
    pub rule: Option<String>,
    /// What the law is asked about.
    pub facts: Map<String, Value>,
    /// Of such calls one in so many is recorded.
    pub sample: Option<Sample>,
    /// How long the sound is kept, where it has a term of its own.
    pub sound_term: Option<String>,
}

/// All that an answer depends on: the facts of the law, and what the organisation makes of its
/// permission, which is no fact and yet tells whether anything is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    candidates: Vec<Candidate>,
    keep: Option<KeepState>,
    private: Option<PrivateCall>,
}

/// What the participant with that number, from 1, is called.
fn pseudonym(number: usize) -> String {
    format!("p{number}")
}

/// The fact that holds the consent of each participant, by pseudonym.
pub(crate) const CONSENTS: &str = "consent_per_participant";

/// The fact that holds the weighing of interests.
const WEIGHING: &str = "lia";

/// The facts that may be said about a call while it lasts. All else belongs to the line.
pub const SAYABLE_FACTS: &[&str] = &[
    "announcement",
    "asked_if_recording",
    CONSENTS,
    "content_nature",
    "on_hold",
    "openness",
    "special_data",
    "special_data_ground",
    "threat_or_abuse",
    "counterpart_types",
    "age_youngest",
];

type Listener = Arc<dyn Fn(RecordingId) + Send + Sync>;

/// All calls in progress.
#[derive(Default)]
pub(crate) struct Calls {
    calls: Mutex<BTreeMap<RecordingId, Box<Call>>>,
    listener: Mutex<Option<Listener>>,
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Calls({})", self.lock().len())
    }
}

impl Calls {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<RecordingId, Box<Call>>> {
        // A poisoned map is still a whole map: a change that panics has not taken place.
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn insert(&self, call: Call) {
        self.lock().insert(call.id, Box::new(call));
    }

    pub(crate) fn remove(&self, id: RecordingId) -> Option<Call> {
        self.lock().remove(&id).map(|call| *call)
    }

    pub(crate) fn get(&self, id: RecordingId) -> Option<Call> {
        self.lock().get(&id).map(|call| Call::clone(call))
    }

    pub(crate) fn ids(&self) -> Vec<RecordingId> {
        self.lock().keys().copied().collect()
    }

    /// Changes a call under the lock. On an error nothing is changed.
    pub(crate) fn change_untold(
        &self,
        id: RecordingId,
        change: impl FnOnce(&mut Call) -> Result<(), ArchiveError>,
    ) -> Result<(), ArchiveError> {
        let mut calls = self.lock();
        let call = calls.get_mut(&id).ok_or(ArchiveError::NotFound(id))?;
        let mut changed = call.clone();
        change(&mut changed)?;
        changed.versions += u64::from(changed.asked() != call.asked());
        *call = changed;
        Ok(())
    }

    /// Changes a call under the lock and tells the listener afterwards. On an error nothing is
    /// changed and nobody is told.
    pub(crate) fn change(
        &self,
        id: RecordingId,
        change: impl FnOnce(&mut Call) -> Result<(), ArchiveError>,
    ) -> Result<(), ArchiveError> {
        self.change_untold(id, change)?;
        let listener = self
            .listener
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(listener) = listener {
            listener(id);
        }
        Ok(())
    }

    /// The law has answered about a call as it was.
    pub(crate) fn decided(&self, id: RecordingId, asked: Asked) {
        if let Some(call) = self.lock().get_mut(&id) {
            call.decided = Some(asked);
        }
    }

    /// Whether the law has answered about a call as it is.
    pub(crate) fn is_decided(&self, id: RecordingId) -> bool {
        let call = self.get(id);
        call.is_some_and(|call| call.decided.as_ref() == Some(&call.asked()))
    }

    /// How often what the law is asked about a call became another.
    pub(crate) fn versions(&self, id: RecordingId) -> Option<u64> {
        self.lock().get(&id).map(|call| call.versions)
    }

    /// What else the client tells; nobody needs to be told, for no fact of the law changes.
    pub(crate) fn set_about(&self, id: RecordingId, about: About) -> bool {
        let mut calls = self.lock();
        let Some(call) = calls.get_mut(&id) else {
            return false;
        };
        call.is_news |= call.about != about;
        call.about = about;
        true
    }

    /// The call, if something was told of it that is not written down yet.
    pub(crate) fn take_news(&self, id: RecordingId) -> Option<Call> {
        let mut calls = self.lock();
        let call = calls.get_mut(&id)?;
        std::mem::take(&mut call.is_news).then(|| Call::clone(call))
    }

    /// It could not be written down.
    pub(crate) fn give_news_back(&self, id: RecordingId) {
        if let Some(call) = self.lock().get_mut(&id) {
            call.is_news = true;
        }
    }

    /// Takes the one writer that a recording may have: two would seal other media with the same
    /// nonces. Errors: somebody has it.
    pub(crate) fn take_writer(&self, id: RecordingId) -> Result<Call, ArchiveError> {
        let mut calls = self.lock();
        let call = calls.get_mut(&id).ok_or(ArchiveError::NotFound(id))?;
        if std::mem::replace(&mut call.is_begun, true) {
            return Err(ArchiveError::State {
                id,
                state: State::Recording.as_str(),
                wanted: "begun",
            });
        }
        Ok(Call::clone(call))
    }

    /// No writer came of it; the next permit may try again.
    pub(crate) fn give_writer_back(&self, id: RecordingId) {
        if let Some(call) = self.lock().get_mut(&id) {
            call.is_begun = false;
        }
    }

    /// Whether the call is in progress and its recording has no writer.
    pub(crate) fn has_no_writer(&self, id: RecordingId) -> bool {
        self.lock().get(&id).is_some_and(|call| !call.is_begun)
    }

    pub(crate) fn listen(&self, listener: Listener) {
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
    }
}
