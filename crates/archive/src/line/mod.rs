//! Lines: which purpose, basis and notice a telephone line records under.
//!
//! A line is part of the legal record, so each decision is made from it and stores the facts that
//! came from it. A call on a line that nobody set up is answered, but not recorded. Rules within a
//! line say what holds for some of its calls: by queue, number, direction, agent and time.

mod called;
mod choose;
pub(crate) mod draw;
mod keep;
mod keys;
mod notice;
mod rule;
mod when;
mod who;

pub(crate) use called::Vain;
pub use called::{CalledInVain, NotALine};
pub(crate) use choose::Chosen;
pub use choose::ChosenRule;
pub use draw::{Draw, OneIn, Sample};
pub use keep::{Keep, LOOK_BACK_SECONDS_MAX};
pub use keys::{KeyAct, Keys, Sequence};
pub use notice::{LineNotice, untold};
pub use rule::{Rule, When};
pub use when::{Dates, Day, Hours, Zone};
pub use who::{Address, Direction, Prefix, Side, Who};

use crate::country::Home;

use crate::known::Number;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;
use voicelog_model::Timestamp;
use who::Sure;

/// What happens to a call that may not be recorded (yet).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenRefused {
    /// Answer without media and wait: notice or consent during the call can still start it.
    #[default]
    Wait,
    /// Refuse the recording session at once (SIP 403).
    Reject,
}

/// One line, as the configuration describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Short name, also the user part of the SIP address that recording clients call.
    pub name: String,
    /// It takes the calls whose address names no line as well. One line may.
    #[serde(default, rename = "default")]
    pub is_default: bool,
    /// What people read instead of the short name.
    #[serde(default)]
    pub title: String,
    /// ISO 3166-1 country of the line: its extensions and national numbers are there.
    #[serde(default = "home_country")]
    pub country: String,
    /// Host names of the organisation's own SIP domains.
    #[serde(default)]
    pub own_domains: Vec<String>,
    /// How the organisation's own numbers begin.
    #[serde(default)]
    pub own_numbers: Vec<Prefix>,
    /// At the own domains, whole numbers are international ones that the exchange writes without
    /// their `+`.
    #[serde(default)]
    pub numbers_without_plus: bool,
    /// The zone whose clock its rules go by.
    #[serde(default)]
    pub time_zone: Zone,
    /// What to do with a call that may not be recorded.
    #[serde(default)]
    pub when_refused: WhenRefused,
    /// Facts that hold for every call on the line, with the names of a facts file.
    #[serde(default)]
    pub facts: Map<String, Value>,
    /// Of the calls that may be recorded, one in so many is; without it all are.
    #[serde(default)]
    pub sample: Option<Sample>,
    /// How long the sound is kept, where that is shorter than what is known of the call: an ISO 8601 duration.
    #[serde(default)]
    pub sound_term: Option<String>,
    /// Which calls are kept: every one, or those that somebody asks to keep.
    #[serde(default)]
    pub keep: Keep,
    /// How many seconds of the time before somebody asks are kept; until then they wait in memory.
    #[serde(default)]
    pub look_back_seconds: u32,
    /// Whether the packets that say which key was pressed are kept: for a purpose that needs the digits.
    #[serde(default)]
    pub keep_keys: bool,
    /// What the keys of a telephone do during a call.
    #[serde(default)]
    pub keys: Keys,
    /// The notice that is looked for in each call.
    #[serde(default)]
    pub notice: Option<LineNotice>,
    /// For how many days whoever took part in a talk in a room can fetch a copy with a link of their own; none for nothing.
    #[serde(skip)]
    pub copy_days: u16,
    /// What holds for some of its calls: the first rule that fits is the one.
    #[serde(default, rename = "rule")]
    pub rules: Vec<Rule>,
}

fn home_country() -> String {
    "NL".to_owned()
}

impl Line {
    /// A line with nothing set up. The law will name what is missing.
    #[must_use]
    pub fn not_set_up(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            is_default: false,
            title: String::new(),
            country: home_country(),
            own_domains: Vec::new(),
            own_numbers: Vec::new(),
            numbers_without_plus: false,
            time_zone: Zone::default(),
            when_refused: WhenRefused::Wait,
            facts: Map::new(),
            sample: None,
            sound_term: None,
            keep: Keep::Every,
            look_back_seconds: 0,
            keep_keys: false,
            keys: Keys::default(),
            notice: None,
            copy_days: 0,
            rules: Vec::new(),
        }
    }

    /// Where its participants are at home.
    pub(crate) fn home(&self) -> Home<'_> {
        Home {
            country: &self.country,
            own_domains: &self.own_domains,
            own_numbers: &self.own_numbers,
            numbers_without_plus: self.numbers_without_plus,
        }
    }

    /// The rules that can be the one for a call, in their order; `None` stands for the line's own
    /// facts, which hold where no rule fits.
    ///
    /// The first that fits for sure is the last: none behind it is asked. One of which it is not
    /// known whether it fits, since the exchange does not tell or a number is withheld, is a
    /// candidate, and so is what comes behind it. Who asks the law takes the strictest answer.
    pub(crate) fn candidates(
        &self,
        all: &[Who],
        called_before: &[Number],
        offered_at: Timestamp,
    ) -> Vec<Option<&Rule>> {
        let mut candidates = Vec::new();
        for rule in &self.rules {
            match rule
                .when
                .holds(all, called_before, offered_at, &self.time_zone)
            {
                Sure::No => {}
                Sure::Maybe => candidates.push(Some(rule)),
                Sure::Yes => {
                    candidates.push(Some(rule));
                    return candidates;
                }
            }
        }
        candidates.push(None);
        candidates
    }

    /// The sample that a rule of this line takes: its own, or that of the line.
    #[must_use]
    pub fn sample_under(&self, rule: Option<&Rule>) -> Option<Sample> {
        rule.and_then(|rule| rule.sample).or(self.sample)
    }

    /// The term of the sound under a rule of this line: its own, or that of the line.
    #[must_use]
    pub fn sound_term_under<'a>(&'a self, rule: Option<&'a Rule>) -> Option<&'a str> {
        let own = rule.and_then(|rule| rule.sound_term.as_deref());
        own.or(self.sound_term.as_deref())
    }

    /// Whether the sound of its calls gets a key of its own. Which rule holds can change while a call lasts, and
    /// the key is made when it begins: so one rule with such a term is enough.
    pub(crate) fn names_sound_term(&self) -> bool {
        self.sound_term.is_some() || self.rules.iter().any(|rule| rule.sound_term.is_some())
    }

    /// The facts that a rule of this line brings, or those of the line itself.
    #[must_use]
    pub fn facts_under(&self, rule: Option<&Rule>) -> Map<String, Value> {
        let mut facts = self.facts.clone();
        facts.extend(rule.map(|rule| rule.facts.clone()).unwrap_or_default());
        facts
    }

    /// Whether it is a kind of talk in a room: its facts say that people sit together.
    #[must_use]
    pub fn is_of_a_room(&self) -> bool {
        is_in_a_room(&self.facts)
    }

    /// Whether it is a line of the configuration.
    #[must_use]
    pub fn is_set_up(&self) -> bool {
        self.name != LINE_NOT_SET_UP
    }
}

/// Whether these facts are of a talk in a room. It is what a decision rests on and is kept with it, so how a recording
/// came to us is still known after a crash.
pub(crate) fn is_in_a_room(facts: &Map<String, Value>) -> bool {
    let channel = facts.get("channel").and_then(Value::as_str);
    matches!(channel, Some("live_inside" | "live_outside"))
}

/// What a recording has for a line where the client called one that nobody set up. No name of the
/// configuration may be this one.
pub const LINE_NOT_SET_UP: &str = "unknown";

/// All lines of the archive, and the kinds of talk in a room.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    of_calls: Vec<Arc<Line>>,
    of_rooms: Vec<Arc<Line>>,
}

impl Lines {
    /// Takes the lines of the configuration.
    #[must_use]
    pub fn new(lines: Vec<Line>) -> Self {
        Self {
            of_calls: lines.into_iter().map(Arc::new).collect(),
            of_rooms: Vec::new(),
        }
    }

    /// The same with these kinds of talk in a room, which no recording client reaches.
    #[must_use]
    pub fn with_rooms(self, kinds: Vec<Line>) -> Self {
        Self {
            of_rooms: kinds.into_iter().map(Arc::new).collect(),
            ..self
        }
    }

    /// The kind of talk with that name.
    #[must_use]
    pub fn room(&self, kind: &str) -> Option<Arc<Line>> {
        self.of_rooms.iter().find(|line| line.name == kind).cloned()
    }

    /// Every kind of talk, in the order of the configuration.
    pub fn rooms(&self) -> impl Iterator<Item = &Line> {
        self.of_rooms.iter().map(Arc::as_ref)
    }

    /// The line that a recording client called, the default line where the address names none, or
    /// one with nothing set up. The name of an unknown line reaches no disk: it comes from outside.
    #[must_use]
    pub fn find(&self, called: &str) -> Arc<Line> {
        let mut lines = self.of_calls.iter();
        lines
            .find(|line| line.name.eq_ignore_ascii_case(called))
            .or_else(|| self.of_calls.iter().find(|line| line.is_default))
            .cloned()
            .unwrap_or_else(|| Arc::new(Line::not_set_up(LINE_NOT_SET_UP)))
    }

    /// Every line, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = &Line> {
        self.of_calls.iter().map(Arc::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OfferedParty;
    use voicelog_model::Pii;

    #[test]
    fn a_line_that_nobody_set_up_has_no_facts() {
        let lines = Lines::new(vec![Line::not_set_up("sales")]);
        assert_eq!(lines.find("SALES").name, "sales");
        let unknown = lines.find("+31612345678");
        assert!(unknown.facts.is_empty() && unknown.name == LINE_NOT_SET_UP);
        assert!(lines.find("sales").is_set_up() && !unknown.is_set_up());
    }

    #[test]
    fn no_recording_client_reaches_a_kind_of_talk_in_a_room() {
        let lines = Lines::new(vec![Line::not_set_up("sales")]);
        let lines = lines.with_rooms(vec![Line::not_set_up("meeting")]);
        assert_eq!(lines.find("meeting").name, LINE_NOT_SET_UP);
        assert!(lines.room("meeting").is_some() && lines.room("sales").is_none());
        assert_eq!(lines.iter().count(), 1);
    }

    #[test]
    fn the_default_line_takes_the_calls_that_name_no_line_and_no_other() {
        let rest = Line {
            is_default: true,
            ..Line::not_set_up("rest")
        };
        let lines = Lines::new(vec![rest, Line::not_set_up("sales")]);
        for (called, wanted) in [("", "rest"), ("8000", "rest"), ("Sales", "sales")] {
            assert_eq!(lines.find(called).name, wanted, "{called}");
        }
    }

    fn rule(name: &str, when: When) -> Rule {
        Rule {
            name: name.to_owned(),
            when,
            facts: Map::new(),
            sample: None,
            sound_term: None,
        }
    }

    /// The names of the candidates for a call with these addresses; the line itself is `-`.
    fn candidates(rules: Vec<Rule>, addresses: &[&str]) -> Vec<String> {
        candidates_of(rules, addresses, &[])
    }

    /// The same for a call that was for others before.
    fn candidates_of(rules: Vec<Rule>, addresses: &[&str], before: &[&str]) -> Vec<String> {
        let line = Line {
            own_domains: vec!["voorbeeld.nl".to_owned()],
            rules,
            ..Line::not_set_up("sales")
        };
        let all: Vec<_> = addresses
            .iter()
            .map(|address| OfferedParty {
                address: Pii::new((*address).to_owned()),
                further_addresses: Vec::new(),
                name: None,
                is_caller: None,
                has_left: false,
            })
            .map(|party| Who::of(&party, line.home()))
            .collect();
        let at = "2026-12-25T11:00:00Z".parse().unwrap();
        let before: Vec<_> = before.iter().map(|address| Number::of(address)).collect();
        let found = line.candidates(&all, &before, at).into_iter();
        found
            .map(|rule| rule.map_or("-", |rule| &rule.name).to_owned())
            .collect()
    }

    fn agent(name: &str) -> When {
        When {
            agent: vec![Address::try_from(name.to_owned()).unwrap()],
            ..When::default()
        }
    }

    fn from(number: &str) -> When {
        When {
            other_number: vec![Prefix::try_from(number.to_owned()).unwrap()],
            ..When::default()
        }
    }

    fn on(date: &str) -> When {
        When {
            dates: vec![Dates::try_from(date.to_owned()).unwrap()],
            ..When::default()
        }
    }

    #[test]
    fn the_first_rule_that_fits_is_the_one_and_the_line_itself_is_for_the_rest() {
        let call = ["sip:2001@voorbeeld.nl", "tel:+31612345678"];
        let rules = || {
            vec![
                rule("germany", from("+49")),
                rule("trainee", agent("2001")),
                rule("mobile", from("+316")),
            ]
        };
        assert_eq!(candidates(rules(), &call), ["trainee"]);
        let other = ["sip:2002@voorbeeld.nl", "tel:+31201234567"];
        assert_eq!(candidates(rules(), &other), ["-"]);
    }

    #[test]
    fn a_queue_that_the_call_was_diverted_from_is_the_queue_of_that_call() {
        let queue = |address: &str| When {
            queue: vec![Address::try_from(address.to_owned()).unwrap()],
            ..When::default()
        };
        let rules = || {
            vec![
                rule("emergency", queue("+31881234599")),
                rule("rest", When::default()),
            ]
        };
        let call = ["sip:2001@voorbeeld.nl", "tel:+31612345678"];
        assert_eq!(candidates(rules(), &call), ["rest"]);
        let before = ["sip:0881234599@sbc.example", "sip:2009@voorbeeld.nl"];
        assert_eq!(candidates_of(rules(), &call, &before), ["emergency"]);
        assert_eq!(
            candidates_of(rules(), &call, &["sip:2009@voorbeeld.nl", ""]),
            ["rest"]
        );
        // Who is in it says nothing of agents: whoever was called before is not in the talk.
        let agents = vec![rule("trainee", agent("2009"))];
        assert_eq!(candidates_of(agents, &call, &before), ["-"]);
    }

    #[test]
    fn a_rule_of_which_nobody_knows_whether_it_fits_is_a_candidate_and_so_is_what_follows() {
        let withheld = ["sip:2001@voorbeeld.nl", "sip:anonymous@anonymous.invalid"];
        let rules = vec![
            rule("easter", on("2026-04-05")),
            rule("germany", from("+49")),
            rule("christmas", on("2026-12-25")),
            rule("rest", When::default()),
        ];
        assert_eq!(candidates(rules, &withheld), ["germany", "christmas"]);
    }

    #[test]
    fn of_a_call_in_which_nobody_is_named_every_rule_about_people_may_be_the_one() {
        let rules = vec![rule("germany", from("+49")), rule("trainee", agent("2001"))];
        assert_eq!(candidates(rules, &[]), ["germany", "trainee", "-"]);
    }

    #[test]
    fn a_fact_of_a_rule_takes_the_place_of_the_lines_own_and_leaves_the_others() {
        let facts = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap();
        let line = Line {
            facts: facts(r#"{"purpose":"klacht","legal_basis":"b"}"#),
            ..Line::not_set_up("sales")
        };
        let training = Rule {
            facts: facts(r#"{"purpose":"kwaliteit_training"}"#),
            ..rule("training", When::default())
        };
        let both = line.facts_under(Some(&training));
        assert_eq!(
            both,
            facts(r#"{"purpose":"kwaliteit_training","legal_basis":"b"}"#)
        );
        assert_eq!(line.facts_under(None), line.facts);
    }
}
