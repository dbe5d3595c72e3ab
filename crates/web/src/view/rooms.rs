//! Talks in a room: starting one, coming in, the page on which it is recorded, and its end.

use crate::assets;
use crate::view::copy_links::LaterView;
use crate::view::decision;
use crate::view::page::Page;
use crate::view::room_news::{self, NewsView};
use crate::view::when;
use askama::Template;
use serde_json::{Map, Value};
use voicelog_casework::receipt::{Qr, Receipt};
use voicelog_law::{Decision, FactWords, purpose};
use voicelog_model::{Language, RecordingId};
use voicelog_room::{Choice, OpenTalk, PartyState, Phase, State};

/// A kind of talk that can be started.
#[derive(Debug)]
pub(crate) struct KindView {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) purpose: Option<&'static str>,
    /// Whether an employer has to say why, and what else was considered.
    pub(crate) is_of_employer: bool,
}

/// An open talk of whoever looks.
#[derive(Debug)]
pub(crate) struct OpenView {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) phase: &'static str,
}

impl OpenView {
    pub(crate) fn new(talk: &OpenTalk, lang: Language) -> Self {
        Self {
            id: talk.id.to_string(),
            title: talk.title.clone(),
            phase: phase(talk.phase, lang),
        }
    }
}

/// The form with which a talk is started, as it was filled in.
#[derive(Debug, Clone, Default)]
pub(crate) struct StartForm {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) why: String,
    pub(crate) other_way: String,
    /// Which fields are empty that may not be.
    pub(crate) missing: Vec<&'static str>,
}

impl StartForm {
    pub(crate) fn is_missing(&self, field: &str) -> bool {
        self.missing.contains(&field)
    }

    /// Whether this is the form that was sent.
    pub(crate) fn is_of(&self, kind: &str) -> bool {
        self.kind == kind
    }
}

/// Where talks are started.
#[derive(Debug, Template)]
#[template(path = "rooms.html")]
pub(crate) struct RoomsPage {
    pub(crate) p: Page,
    pub(crate) kinds: Vec<KindView>,
    pub(crate) open: Vec<OpenView>,
    pub(crate) form: StartForm,
}

/// Where a code is typed.
#[derive(Debug, Template)]
#[template(path = "join.html")]
pub(crate) struct JoinPage {
    pub(crate) p: Page,
    pub(crate) code: String,
    pub(crate) is_wrong: bool,
}

/// What everybody is told before anything is recorded: who, why, how long, who may listen, which rights.
#[derive(Debug)]
pub(crate) struct Terms {
    pub(crate) title: String,
    pub(crate) host: Option<String>,
    /// For whom they record, where the configuration says so.
    pub(crate) organisation: Option<String>,
    pub(crate) purpose: Option<&'static str>,
    pub(crate) listeners: Option<&'static str>,
    pub(crate) at_most: Option<&'static str>,
    /// The term that the organisation chose, in words.
    pub(crate) term: Option<String>,
    pub(crate) is_consent_basis: bool,
    /// A person who records for own proof is outside the AVG: there is no controller to ask.
    pub(crate) is_private: bool,
}

impl Terms {
    pub(crate) fn new(
        title: &str,
        host: Option<String>,
        facts: &Map<String, Value>,
        words: Option<&FactWords>,
        lang: Language,
    ) -> Self {
        let word = |name: &str| facts.get(name).and_then(Value::as_str);
        let purpose = word("purpose").and_then(purpose);
        let term = facts.get("retention_term");
        Self {
            title: title.to_owned(),
            host,
            organisation: None,
            purpose: purpose.map(|purpose| purpose.called.pick(lang)),
            listeners: purpose.map(|purpose| purpose.listeners.pick(lang)),
            at_most: purpose.map(|purpose| purpose.at_most.pick(lang)),
            term: term
                .zip(words)
                .map(|(term, words)| words.value("retention_term", term)),
            is_consent_basis: word("legal_basis") == Some("a"),
            is_private: word("recorder_type") == Some("private_person"),
        }
    }
}

/// What a code leads to.
#[derive(Debug, Template)]
#[template(path = "invited_in.html")]
pub(crate) struct InvitedInPage {
    pub(crate) p: Page,
    pub(crate) code: String,
    pub(crate) terms: Terms,
    pub(crate) script: &'static str,
}

/// A code that is shown: to be scanned, or to be typed at an address.
#[derive(Debug)]
pub(crate) struct Way {
    /// In groups of four, as people read it.
    pub(crate) code: String,
    pub(crate) address: String,
    pub(crate) qr: Option<Qr>,
}

impl Way {
    /// `page` is where it is typed, such as `/join`; below it lies where the picture leads.
    pub(crate) fn new(code: &str, page: &str, public_url: &str) -> Self {
        let address = format!("{}{page}", public_url.trim_end_matches('/'));
        let letters: Vec<char> = code.chars().collect();
        let groups = letters.chunks(4).map(String::from_iter);
        Self {
            code: groups.collect::<Vec<_>>().join(" "),
            qr: Qr::of(&format!("{address}/{code}")),
            address,
        }
    }
}

/// A participant, in a line.
#[derive(Debug)]
pub(crate) struct PartyView {
    pub(crate) text: String,
}

/// A reason of the law.
#[derive(Debug)]
pub(crate) struct GroundView {
    pub(crate) text: String,
    pub(crate) articles: Vec<String>,
}

impl GroundView {
    /// Why the law says no.
    pub(crate) fn of(decision: &Decision, lang: Language) -> Vec<Self> {
        let reasons = decision::reasons(decision, lang).into_iter();
        reasons
            .map(|reason| Self {
                text: reason.text,
                articles: reason.articles,
            })
            .collect()
    }
}

/// The page of a talk, for host and guest.
#[derive(Debug, Template)]
#[template(path = "room.html")]
pub(crate) struct RoomPage {
    pub(crate) p: Page,
    pub(crate) id: String,
    pub(crate) is_host: bool,
    pub(crate) phase: Phase,
    pub(crate) phase_text: &'static str,
    pub(crate) is_there: bool,
    pub(crate) has_chosen: bool,
    pub(crate) recorded: String,
    pub(crate) parties: Vec<PartyView>,
    pub(crate) grounds: Vec<GroundView>,
    pub(crate) terms: Terms,
    pub(crate) way: Option<Way>,
    pub(crate) problem: Option<String>,
    /// Who asks an official to record too; nothing in other kinds of talk.
    pub(crate) requests: Option<NewsView>,
    pub(crate) minutes: NewsView,
    /// Of the state that the page shows.
    pub(crate) version: u64,
    pub(crate) script: &'static str,
    pub(crate) capture: &'static str,
}

impl RoomPage {
    pub(crate) fn new(p: Page, state: &State, terms: Terms, public_url: &str) -> Self {
        let lang = p.lang;
        let me = state.parties.iter().find(|party| party.id == state.me);
        let grounds = state.decision.iter().flat_map(|decision| &decision.grounds);
        Self {
            id: state.id.to_string(),
            is_host: state.is_host,
            phase: state.phase,
            phase_text: phase(state.phase, lang),
            is_there: me.is_some_and(|me| me.is_there),
            has_chosen: me.is_some_and(|me| me.choice.is_some()),
            recorded: when::length(state.recorded_us),
            parties: parties(state, lang),
            grounds: grounds
                .map(|ground| GroundView {
                    text: lang.pick(&ground.text_nl, &ground.text_en).to_owned(),
                    articles: ground.articles.clone(),
                })
                .collect(),
            terms,
            way: state
                .code
                .as_deref()
                .filter(|_| state.is_host && state.phase != Phase::Ended)
                .map(|code| Way::new(code, "/join", public_url)),
            problem: None,
            requests: None,
            minutes: room_news::minutes(state, lang),
            version: state.version,
            script: assets::room_script_path(),
            capture: assets::capture_script_path(),
            p,
        }
    }

    /// `hidden` for a part that is not for this phase; the script shows and hides by the same list.
    pub(crate) fn unless(&self, phases: &str) -> &'static str {
        let word = word(self.phase);
        match self.is_there && phases.split(' ').any(|one| one == word) {
            true => "",
            false => "hidden",
        }
    }

    /// The same for what is there until, or after, somebody chose.
    pub(crate) fn unless_chosen(&self, phases: &str, chosen: bool) -> &'static str {
        match self.has_chosen == chosen {
            true => self.unless(phases),
            false => "hidden",
        }
    }

    pub(crate) const fn sign(&self) -> &'static str {
        match self.phase {
            Phase::Recording => "recording",
            Phase::Paused => "paused",
            Phase::Waiting | Phase::Ready | Phase::Refused | Phase::Ended => "off",
        }
    }
}

/// The page of a talk that is over.
#[derive(Debug, Template)]
#[template(path = "room_ended.html")]
pub(crate) struct EndedPage {
    pub(crate) p: Page,
    pub(crate) id: String,
    pub(crate) is_host: bool,
    pub(crate) title: String,
    pub(crate) recorded: String,
    pub(crate) was_recorded: bool,
    /// Something went wrong: the next start of the server closes it.
    pub(crate) has_failed: bool,
    /// It lasted as long as a talk may.
    pub(crate) was_too_long: bool,
    pub(crate) minutes: NewsView,
    pub(crate) words: Option<String>,
    pub(crate) digest: Option<String>,
    pub(crate) receipt: Option<Receipt>,
    /// With what a guest fetches it later.
    pub(crate) later: Option<LaterView>,
    /// Why no copy is given, where the law said no.
    pub(crate) refused: Vec<GroundView>,
    pub(crate) script: &'static str,
}

/// A talk's phase as the configuration of pages and scripts has it.
const fn word(phase: Phase) -> &'static str {
    match phase {
        Phase::Waiting => "waiting",
        Phase::Ready => "ready",
        Phase::Recording => "recording",
        Phase::Paused => "paused",
        Phase::Refused => "refused",
        Phase::Ended => "ended",
    }
}

/// The sentence of a phase.
pub(crate) const fn phase(phase: Phase, lang: Language) -> &'static str {
    match phase {
        Phase::Waiting => lang.pick(
            "Er wordt niet opgenomen. We wachten tot iedereen gekozen heeft.",
            "Nothing is being recorded. We wait until everybody has chosen.",
        ),
        Phase::Ready => lang.pick(
            "Er wordt niet opgenomen. De opname kan beginnen.",
            "Nothing is being recorded. The recording can start.",
        ),
        Phase::Recording => lang.pick("Er wordt opgenomen.", "This talk is being recorded."),
        Phase::Paused => lang.pick(
            "Pauze. Er wordt niets bewaard.",
            "Pause. Nothing is being kept.",
        ),
        Phase::Refused => lang.pick(
            "Er wordt niet opgenomen. Dat mag nu niet.",
            "Nothing is being recorded. It is not allowed now.",
        ),
        Phase::Ended => lang.pick("De opname is afgelopen.", "The recording has ended."),
    }
}

/// What a participant is called on the page of whoever looks.
pub(crate) fn name_of(state: &State, party: &PartyState, lang: Language) -> String {
    let number = party.id.trim_start_matches('p');
    match (party.id == state.me, &party.name) {
        (true, _) => lang.pick("u", "you").to_owned(),
        (false, Some(name)) => name.clone(),
        (false, None) if number == "1" => lang.pick("wie begon", "who started it").to_owned(),
        (false, None) => format!("{} {number}", lang.pick("gast", "guest")),
    }
}

/// Who is in it, in the words that the script uses too.
fn parties(state: &State, lang: Language) -> Vec<PartyView> {
    let line = |party: &PartyState| {
        let who = name_of(state, party, lang);
        let said = match (party.is_there, party.choice) {
            (false, _) => lang.pick("is weg uit het gesprek", "has left the talk"),
            (true, Some(Choice::Agreed)) => lang.pick("vindt het goed", "agrees"),
            (true, Some(Choice::RatherNot)) => lang.pick("liever niet", "rather not"),
            (true, Some(Choice::RecordsToo)) => lang.pick("neemt ook op", "records too"),
            (true, None) => lang.pick("heeft nog niet gekozen", "has not chosen yet"),
        };
        PartyView {
            text: format!("{who} · {said}"),
        }
    };
    state.parties.iter().map(line).collect()
}

/// The recording that a talk becomes has the talk's id; its page is for who is signed in.
pub(crate) fn path(id: RecordingId) -> String {
    format!("/rooms/{id}")
}
