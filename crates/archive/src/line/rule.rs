//! Rules within a line: which purpose, basis and notice hold for which of its calls.

use super::when::{Dates, Day, Hours, Zone, falls_within};
use super::who::{
    Address, Direction, Prefix, Side, Sure, Who, on_side_with_address, on_side_with_prefix,
    somebody, was_called, went,
};
use crate::known::Number;
use crate::line::draw::Sample;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use voicelog_model::Timestamp;

/// One rule. The first in the order of the configuration whose conditions hold is the one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name: each decision that it led to is kept with it.
    pub name: String,
    /// Which calls it is for; without conditions all that are left.
    #[serde(default)]
    pub when: When,
    /// What holds for them: each fact takes the place of the line's own of that name.
    #[serde(default)]
    pub facts: Map<String, Value>,
    /// Of them, one in so many is recorded; without it as the line says.
    #[serde(default)]
    pub sample: Option<Sample>,
    /// How long their sound is kept; without it as the line says.
    #[serde(default)]
    pub sound_term: Option<String>,
}

/// Conditions. All that are named must hold; of each list, one entry.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct When {
    /// Addresses of queues: one of them is named among those who take part, on either side, or
    /// was called before the call was diverted.
    pub queue: Vec<Address>,
    /// Somebody on our side has one of these addresses.
    pub agent: Vec<Address>,
    /// Somebody on our side has a number that begins so.
    pub own_number: Vec<Prefix>,
    /// Somebody on the other side has a number that begins so.
    pub other_number: Vec<Prefix>,
    /// Which way the call went.
    pub direction: Option<Direction>,
    /// Days of the week.
    pub days: Vec<Day>,
    /// Parts of the day.
    pub hours: Vec<Hours>,
    /// Dates.
    pub dates: Vec<Dates>,
}

impl When {
    /// Whether the conditions hold for a call that was offered at that moment.
    pub(super) fn holds(
        &self,
        all: &[Who],
        called_before: &[Number],
        offered_at: Timestamp,
        zone: &Zone,
    ) -> Sure {
        let time = (&self.days[..], &self.hours[..], &self.dates[..]);
        let asked = |is_asked: bool, found: &dyn Fn() -> Sure| {
            if is_asked { found() } else { Sure::Yes }
        };
        [
            Sure::from(falls_within(offered_at, zone, time)),
            asked(!self.queue.is_empty(), &|| {
                let was_called = was_called(called_before, &self.queue);
                somebody(all, |who| who.has_address(&self.queue)).max(was_called)
            }),
            asked(!self.agent.is_empty(), &|| {
                on_side_with_address(all, Side::Own, &self.agent)
            }),
            asked(!self.own_number.is_empty(), &|| {
                on_side_with_prefix(all, Side::Own, &self.own_number)
            }),
            asked(!self.other_number.is_empty(), &|| {
                on_side_with_prefix(all, Side::Other, &self.other_number)
            }),
            self.direction
                .map_or(Sure::Yes, |direction| went(all, direction)),
        ]
        .into_iter()
        .min()
        .unwrap_or(Sure::Yes)
    }
}
