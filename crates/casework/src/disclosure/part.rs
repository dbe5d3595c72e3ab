//! Which part of a recording a copy is to show, as a person says it.

use serde::Deserialize;
use voicelog_archive::ArchiveError;
use voicelog_evidence::Timeline;
use voicelog_evidence::bundle::BundleError;
use voicelog_evidence::part::{PartError, Plan, Redaction, SoundInstead, Window};
use voicelog_evidence::timeline::clock_text;
use voicelog_law::Text;
use voicelog_model::StreamNumber;

/// Largest plan that is read, in bytes.
const PLAN_BYTES_MAX: usize = 1 << 20;

/// A part of a recording: an excerpt, passages to leave out, or both.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartRequest {
    /// Where an excerpt starts, in microseconds from the start of the call.
    pub start_us: Option<u64>,
    /// Where an excerpt ends.
    pub end_us: Option<u64>,
    /// What is left out.
    pub redactions: Vec<Passage>,
}

/// A passage to leave out, as a plan has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passage {
    /// The stream; all of them where none is named.
    #[serde(default)]
    stream: Option<StreamNumber>,
    #[serde(deserialize_with = "moment")]
    from: u64,
    #[serde(deserialize_with = "moment")]
    to: u64,
    reason: String,
    legal_ground: String,
    decided_by: String,
    #[serde(default = "tone")]
    sound: SoundInstead,
}

const fn tone() -> SoundInstead {
    SoundInstead::Tone
}

/// Why a plan cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PartRequestError {
    /// It is larger than any plan.
    #[error("a plan has at most {PLAN_BYTES_MAX} bytes")]
    TooLarge,
    /// It is no plan.
    #[error("this is no plan of what to leave out: {0}")]
    Malformed(#[source] serde_json::Error),
    /// It is no moment of a call.
    #[error("`{0}` is no moment of a call; write 3:40, 1:03:40 or 220.5 (seconds)")]
    Moment(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanFile {
    redactions: Vec<Passage>,
}

impl PartRequest {
    /// Reads a plan: a JSON object with `redactions`, a list of objects with `stream` (its number; left
    /// out: all), `from` and `to` (as in [`PartRequest::moment`]), `reason`, `legal_ground`, `decided_by`, and
    /// `sound` (`tone`, where nothing is said, or `silence`).
    pub fn redactions(plan: &[u8]) -> Result<Vec<Passage>, PartRequestError> {
        if plan.len() > PLAN_BYTES_MAX {
            return Err(PartRequestError::TooLarge);
        }
        let plan: PlanFile = serde_json::from_slice(plan).map_err(PartRequestError::Malformed)?;
        Ok(plan.redactions)
    }

    /// Reads a moment of a call, in microseconds from its start: `3:40`, `1:03:40`, `220` or `220.5`; at
    /// most six decimals.
    pub fn moment(text: &str) -> Result<u64, PartRequestError> {
        read_moment(text).ok_or_else(|| PartRequestError::Moment(text.to_owned()))
    }

    /// The plan that this is for a recording with that timeline.
    pub(super) fn plan(&self, timeline: &Timeline) -> Result<Plan, PartError> {
        let streams: Vec<_> = timeline
            .streams
            .iter()
            .map(|stream| stream.stream.number)
            .collect();
        let length_us = timeline.length_us();
        let is_excerpt = self.start_us.is_some() || self.end_us.is_some();
        let excerpt = is_excerpt.then(|| Window {
            start_us: self.start_us.unwrap_or(0),
            end_us: self.end_us.map_or(length_us, |end| end_at(end, length_us)),
        });
        let redaction = |passage: &Passage| Redaction {
            streams: passage
                .stream
                .map_or_else(|| streams.clone(), |one| vec![one]),
            start_us: passage.from,
            end_us: end_at(passage.to, length_us),
            reason: passage.reason.trim().to_owned(),
            legal_ground: passage.legal_ground.trim().to_owned(),
            decided_by: passage.decided_by.trim().to_owned(),
            sound: passage.sound,
        };
        let plan = Plan {
            excerpt,
            redactions: self.redactions.iter().map(redaction).collect(),
        };
        plan.check(length_us, &streams)?;
        Ok(plan)
    }
}

/// The end that somebody means who writes the call's last second, as it is shown: the end of the call, which lies within
/// that second.
fn end_at(written: u64, length_us: u64) -> u64 {
    let is_last_second = clock_text(written) == clock_text(length_us);
    let is_whole = written.is_multiple_of(1_000_000);
    match is_last_second && (is_whole || written > length_us) {
        true => length_us,
        false => written,
    }
}

/// Why a part fits no such recording, in words; none where an error is about something else.
#[must_use]
pub fn part_fault(error: &ArchiveError) -> Option<Text> {
    let ArchiveError::Bundle {
        source: BundleError::Part(fault),
        ..
    } = error
    else {
        return None;
    };
    let nl = match fault {
        PartError::NothingAsked => "Er is niets gekozen om weg te laten.".to_owned(),
        PartError::Window { length_us, .. } => format!(
            "Een begin ligt voor zijn eind, en beide liggen binnen het gesprek, dat {} duurt.",
            clock_text(*length_us)
        ),
        PartError::NoSuchStream { stream, .. } => {
            format!("Deze opname heeft geen stroom {stream}.")
        }
        PartError::CoversNothing(_) => {
            "Op een plaats die weg moet, is bij die stem geen geluid. Kijk de tijden na.".to_owned()
        }
        PartError::NothingShown => {
            "Er blijft niets over. Kies een langer stuk, of laat minder weg.".to_owned()
        }
        PartError::Text { .. } => "Waarom, op welke grond en wie dat besliste: elk in hoogstens 500 tekens, zonder stuurtekens.".to_owned(),
        PartError::TooMany(_) => "Er wordt op te veel plaatsen iets weggelaten.".to_owned(),
        PartError::Original(_) => return None,
    };
    let en = fault.to_string();
    Some(Text { nl, en })
}

fn moment<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = String::deserialize(deserializer)?;
    PartRequest::moment(&text).map_err(serde::de::Error::custom)
}

fn read_moment(text: &str) -> Option<u64> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str, most: usize| {
        let fits =
            (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| part.parse::<u64>().ok()).flatten()
    };
    let parts: Vec<&str> = clock.split(':').collect();
    let seconds = match *parts.as_slice() {
        [seconds] => digits(seconds, 6)?,
        [minutes, seconds] => digits(minutes, 4)? * 60 + below_sixty(digits(seconds, 2)?)?,
        [hours, minutes, seconds] => {
            let minutes = below_sixty(digits(minutes, 2)?)?;
            digits(hours, 2)? * 3_600 + minutes * 60 + below_sixty(digits(seconds, 2)?)?
        }
        _ => return None,
    };
    let micros = digits(&format!("{fraction:0<6}"), 6)?;
    Some(seconds * 1_000_000 + micros)
}

fn below_sixty(number: u64) -> Option<u64> {
    (number < 60).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_second_of_a_call_means_its_end() {
        let length = 64_600_000;
        for (written, end) in [
            (64_000_000, length),
            (64_900_000, length),
            (64_300_000, 64_300_000),
            (63_000_000, 63_000_000),
            (65_000_000, 65_000_000),
        ] {
            assert_eq!(end_at(written, length), end, "{written}");
        }
    }

    #[test]
    fn a_moment_is_written_as_people_write_it() {
        for (text, micros) in [
            ("0", 0),
            ("00:12", 12_000_000),
            ("3:40", 220_000_000),
            ("1:03:40", 3_820_000_000),
            ("220.5", 220_500_000),
            ("00:00.000001", 1),
        ] {
            assert_eq!(PartRequest::moment(text).unwrap(), micros, "{text}");
        }
        for text in [
            "",
            "-1",
            "1:60",
            "1:2:3:4",
            "1.0000001",
            "12a",
            "+3",
            "1:",
            ".5",
            "9999999",
        ] {
            assert!(PartRequest::moment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_plan_says_what_and_why() {
        let plan =
            br#"{"redactions":[{"stream":2,"from":"0:12","to":"0:14.5","reason":"a third person",
            "legal_ground":"AVG art. 15 lid 4","decided_by":"privacy officer"}]}"#;
        let passages = PartRequest::redactions(plan).unwrap();
        assert_eq!((passages[0].from, passages[0].to), (12_000_000, 14_500_000));
        assert_eq!(passages[0].sound, SoundInstead::Tone);
        for (from, to) in [
            ("\"stream\":2", "\"streams\":2"),
            ("0:12", "later"),
            ("\"reason\":\"a third person\",", ""),
        ] {
            let wrong = String::from_utf8_lossy(plan).replace(from, to);
            let error = PartRequest::redactions(wrong.as_bytes()).unwrap_err();
            assert!(matches!(error, PartRequestError::Malformed(_)), "{error}");
        }
    }
}
