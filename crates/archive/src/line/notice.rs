//! The notice of a line: the recording that says "this conversation is recorded", as the telephone
//! system plays it, and what holds until it was heard.

use crate::call::CONSENTS;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The shortest and the longest time, in seconds, in which a notice can be waited for.
const WITHIN_SECONDS: std::ops::RangeInclusive<u32> = 5..=300;

/// What is looked for in each call on a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineNotice {
    /// File with the sound of the notice, as the configuration names it.
    pub audio: String,
    /// How many seconds after the answer it must have been heard.
    #[serde(default = "a_minute")]
    pub within_seconds: u32,
    /// Record from the start and stop if the notice does not come. Otherwise media waits in memory
    /// until it was heard, and what was before it is never kept.
    #[serde(default)]
    pub keep_before: bool,
}

const fn a_minute() -> u32 {
    60
}

/// Makes facts what they are as long as nobody has been told.
///
/// Consent to what nobody was told of is none, and neither it nor a signal to staff goes together
/// with `covert`.
pub fn untold(facts: &mut Map<String, Value>) {
    facts.insert("openness".into(), "covert".into());
    facts.remove("announcement");
    facts.remove(CONSENTS);
    if facts
        .get("staff_informed")
        .is_some_and(|how| how == "each_call_signal")
    {
        facts.remove("staff_informed");
    }
}

impl LineNotice {
    /// What is wrong with it, and what would be right.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        if self.audio.trim().is_empty() {
            return Some(
                "notice.audio names no file; give the recording that is played".to_owned(),
            );
        }
        let (least, most) = WITHIN_SECONDS.into_inner();
        (!(least..=most).contains(&self.within_seconds)).then(|| {
            format!(
                "notice.within_seconds is {}; {least} to {most} seconds after the answer",
                self.within_seconds
            )
        })
    }
}
