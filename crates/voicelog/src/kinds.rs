//! Kinds of talk in a room: `[[room]]` in the configuration, and what must be right about one before the first talk.

use crate::lines::check_facts;
use anyhow::{Result, bail};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use voicelog_archive::Line;
use voicelog_law::Facts;
use voicelog_model::Timestamp;

/// What is true of every talk in a room; the configuration may not say otherwise.
const ALWAYS: [(&str, &str); 1] = [("participation", "participant")];
/// What each talk tells by itself.
const TOLD: [&str; 3] = ["openness", "consent_per_participant", "announcement"];

/// Days for which a link to a copy may work at most.
const COPY_DAYS_MAX: u16 = 366;

/// One kind of talk, as the configuration describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoomKind {
    /// Short name; recordings are listed under it.
    pub(crate) name: String,
    /// What people read instead.
    #[serde(default)]
    title: String,
    /// ISO 3166-1 country in which the rooms are.
    #[serde(default = "netherlands")]
    country: String,
    /// How long the sound is kept, where that is shorter than what is known of the talk.
    #[serde(default)]
    sound_term: Option<String>,
    /// For how many days whoever took part can fetch their copy with a link of their own; 0 for no link.
    #[serde(default = "two_weeks")]
    copy_days: u16,
    /// WAV file of the notice that the host's device plays when recording begins.
    #[serde(default)]
    pub(crate) notice: Option<String>,
    /// Facts that hold for every such talk, with the names of a facts file.
    #[serde(default)]
    facts: Map<String, Value>,
}

fn netherlands() -> String {
    "NL".to_owned()
}

const fn two_weeks() -> u16 {
    14
}

impl RoomKind {
    /// The same as the archive has it: a line that nobody can call.
    pub(crate) fn line(&self) -> Line {
        let mut facts = self.facts.clone();
        for (name, value) in ALWAYS {
            facts.insert(name.to_owned(), json!(value));
        }
        facts
            .entry("channel")
            .or_insert_with(|| json!("live_inside"));
        facts.entry("structural").or_insert_with(|| json!("single"));
        Line {
            title: self.title.clone(),
            country: self.country.clone(),
            sound_term: self.sound_term.clone(),
            copy_days: self.copy_days,
            facts,
            ..Line::not_set_up(&self.name)
        }
    }

    /// Its name, and what people read of it.
    pub(crate) fn in_words(&self) -> String {
        match self.title.as_str() {
            "" => self.name.clone(),
            title => format!("{} ({title})", self.name),
        }
    }

    /// Whatever would fail at every such talk.
    pub(crate) fn check(&self, now: Timestamp) -> Result<()> {
        let name = &self.name;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || name.len() > 64 || !name.bytes().all(is_name) {
            bail!(
                "room `{name}`: name is one word of at most 64 letters, digits, `-`, `_` and `.`, such as `beoordeling`; what people read is its title"
            );
        }
        let of_country = [
            ("requested_action".to_owned(), "record".into()),
            ("countries".to_owned(), vec![self.country.clone()].into()),
        ];
        Facts::from_map(&of_country.into_iter().collect(), now)
            .map_err(|error| anyhow::anyhow!("room `{name}`: country: {error}"))?;
        if let Some(channel) = self.facts.get("channel")
            && channel != "live_inside"
            && channel != "live_outside"
        {
            bail!(
                "room `{name}`: room.facts: channel is \"live_inside\" or \"live_outside\": people sit together; a telephone line is a [[line]]"
            );
        }
        for (known, value) in ALWAYS {
            if self.facts.get(known).is_some_and(|said| said != value) {
                bail!(
                    "room `{name}`: room.facts: {known} is always \"{value}\": who records with this page takes part in the talk; take it out"
                );
            }
        }
        if let Some(told) = TOLD.iter().find(|told| self.facts.contains_key(**told)) {
            bail!(
                "room `{name}`: room.facts: `{told}` is what those who take part choose, in each talk; take it out"
            );
        }
        if self.copy_days > COPY_DAYS_MAX {
            bail!(
                "room `{name}`: copy_days is {COPY_DAYS_MAX} at most: a link that is found later still gives the copy"
            );
        }
        if self
            .notice
            .as_ref()
            .is_some_and(|file| file.trim().is_empty())
        {
            bail!(
                "room `{name}`: notice names no file; give the recording that is to be played, or take it out"
            );
        }
        let line = self.line();
        let at = format!("room `{name}`: room.facts");
        check_facts(&line.facts, &at, now)?;
        let sound = line.sound_term.as_deref();
        crate::line_terms::check_sound(&line.facts, sound, &format!("room `{name}`"), now)
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    fn fault(text: &str) -> Option<String> {
        let at = "2026-11-21T10:00:00Z".parse().unwrap();
        Config::parse(text, at).err().map(|error| error.to_string())
    }

    #[test]
    fn a_kind_of_talk_brings_what_is_true_of_every_room() {
        let text = "[[room]]\nname = \"beoordeling\"\ntitle = \"Beoordeling\"\n[room.facts]\nrecorder_type = \"company\"\ncounterpart_types = [\"employee\"]\npurpose = \"notulen_verslag\"\nlegal_basis = \"a\"\ndpia = \"done\"\nretention_term = \"P1Y\"\n";
        let config = Config::parse(text, "2026-11-21T10:00:00Z".parse().unwrap()).unwrap();
        let line = config.rooms[0].line();
        assert!(line.is_of_a_room() && line.country == "NL");
        assert_eq!(line.facts["participation"], "participant");
        assert_eq!(line.facts["structural"], "single");
        assert_eq!(line.facts["purpose"], "notulen_verslag");
    }

    #[test]
    fn what_would_fail_at_every_talk_is_refused_at_the_start() {
        for (text, told) in [
            ("name = \"twee woorden\"", "one word"),
            ("name = \"a\"\ncountry = \"nl\"", "country"),
            ("name = \"a\"\nsound_term = \"soon\"", "sound_term"),
            ("name = \"a\"\ncopy_days = 367", "copy_days"),
            ("name = \"a\"\nnotice = \" \"", "no file"),
            (
                "name = \"a\"\n[room.facts]\nchannel = \"phone\"",
                "sit together",
            ),
            (
                "name = \"a\"\n[room.facts]\nparticipation = \"none\"",
                "takes part",
            ),
            (
                "name = \"a\"\n[room.facts]\nopenness = \"announced\"",
                "choose",
            ),
            (
                "name = \"a\"\n[room.facts]\ncountries = [\"NL\"]",
                "take it out",
            ),
            ("name = \"a\"\n[room.facts]\npurpose = \"x\"", "purpose"),
            ("name = \"a\"\nkeep_keys = true", "keep_keys"),
        ] {
            let fault = fault(&format!("[[room]]\n{text}\n")).unwrap_or_default();
            assert!(fault.contains(told), "{text}: {fault}");
        }
        let twice = "[[line]]\nname = \"Balie\"\n[[room]]\nname = \"balie\"\n";
        assert!(fault(twice).unwrap().contains("`balie`"));
        let live = "[[line]]\nname = \"a\"\n[line.facts]\nchannel = \"live_inside\"\n";
        assert!(fault(live).unwrap().contains("[[room]]"));
    }
}
