//! Whether what a copy of a part says of itself is so, as far as the copy can show it.
//!
//! What is shown cannot be made silent by a word: of all media that nothing is placed in, the scope says
//! that it is left out; and of what is shown, no more is without a place than the timeline of the whole
//! has packets that nobody hears.

use super::lane::Lane;
use super::times::{Times, unheard, within};
use super::{PartError, Plan, Scope, Shown, StreamScope};
use crate::journal::{JournalEvent, RecordRef};
use crate::timeline::{IntervalKind, StreamTimeline, Timeline, Verdict};
use voicelog_model::{StreamNumber, Timestamp};

/// How far what is left out may reach beyond what was asked, in microseconds: a leaf, what a packet
/// repeats, and packets that came together with others of another time.
const BEYOND_US_MAX: u64 = 15_000_000;
/// How much sound one packet holds at most that did not come in its turn.
const OUT_OF_TURN_US: u64 = 200_000;

/// What is wrong with the scope of a copy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PartFault {
    /// What was asked fits no such recording.
    #[error("{0}")]
    Plan(#[source] PartError),
    /// It tells of other streams than the recording has.
    #[error("it tells of other streams than the recording has")]
    Streams,
    /// What it says is left out is not what is left out.
    #[error("stream {0}: other leaves are left out than it says")]
    LeftOut(StreamNumber),
    /// Two entries of what is left out are one.
    #[error("stream {0}: leaves from {1} on are told apart from those before without a difference")]
    Apart(StreamNumber, u64),
    /// What is left out has no reason, or one that is none.
    #[error("stream {0}: leaves from {1} on are left out without a reason that fits")]
    Reason(StreamNumber, u64),
    /// Sound is not to be heard, and nothing says that it is left out there.
    #[error("stream {0}: nothing is heard at {1} µs, and it is not said to be left out there")]
    Silenced(StreamNumber, u64),
    /// More is left out than belongs to what was asked.
    #[error("stream {0}: more is left out than belongs to the times that are named")]
    Beyond(StreamNumber),
    /// Packets are shown that nobody hears, and more than nobody heard of the whole.
    #[error("stream {0}: more packets are shown without a place than the recording has")]
    Unplaced(StreamNumber),
    /// Packets are heard at a time at which they did not arrive.
    #[error("stream {0}: packets are put at a time at which they did not arrive")]
    Moved(StreamNumber),
    /// A packet has no place, a second one, or one that is not its own.
    #[error("stream {stream}, packets from {first} on: {what}")]
    Placing {
        /// The stream.
        stream: StreamNumber,
        /// Place of the first of them in the copy.
        first: u64,
        /// What is the matter.
        what: &'static str,
    },
}

/// The packets of one stream that a copy has, with their indices, and what its tree says.
pub(crate) type ShownStream<'s, 'a> = (&'s [(u64, RecordRef<'a>)], &'s Shown);

/// A stream of which packets are heard further from their arrival than is usual, and how far at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Far {
    pub(crate) stream: StreamNumber,
    pub(crate) most_us: u64,
}

/// Checks the scope of a copy against the timeline of the whole and the packets that are shown.
/// `events` are those of the whole, with their indices. Gives what a reader must be told.
pub(crate) fn check<'a>(
    scope: &Scope,
    timeline: &Timeline,
    events: &[(u64, Timestamp, JournalEvent)],
    shown: impl Fn(StreamNumber) -> Option<ShownStream<'a, 'a>>,
) -> Result<Vec<Far>, PartFault> {
    let plan = scope.plan();
    let numbers: Vec<_> = timeline
        .streams
        .iter()
        .map(|stream| stream.stream.number)
        .collect();
    plan.check(timeline.length_us(), &numbers)
        .map_err(PartFault::Plan)?;
    if !scope.streams.iter().map(|stream| stream.number).eq(numbers) {
        return Err(PartFault::Streams);
    }
    let clock = Clock::of(timeline.call_started, events);
    let mut told = Vec::new();
    for (said, stream) in scope.streams.iter().zip(&timeline.streams) {
        let (packets, tree) = shown(said.number).ok_or(PartFault::Streams)?;
        check_left_out(said, tree, &plan, timeline.length_us())?;
        let is_timed = timeline.verdict != Verdict::UndeclaredGap;
        let lane = Lane::new(stream, packets, tree, &plan);
        let used = lane.check(said)?;
        let budget = unheard_packets(stream).saturating_add(timeline.stray_packets);
        if lane.without_place(&used) > budget {
            return Err(PartFault::Unplaced(said.number));
        }
        check_unheard(said, stream, scope, timeline)?;
        if is_timed {
            let most_us = lane.check_times(said, &clock)?;
            let stream = said.number;
            told.extend(most_us.map(|most_us| Far { stream, most_us }));
        }
    }
    Ok(told)
}

/// The leaves that are left out are those that it says, each for a reason that is about the stream.
fn check_left_out(
    said: &StreamScope,
    tree: &Shown,
    plan: &Plan,
    length_us: u64,
) -> Result<(), PartFault> {
    let number = said.number;
    let mut joined: Vec<(u64, u64)> = Vec::new();
    let mut before: Option<&super::LeftOut> = None;
    for left in &said.left_out {
        match (joined.last_mut(), before) {
            (Some((first, count)), Some(before))
                if first.checked_add(*count) == Some(left.first_leaf) =>
            {
                if (before.is_outside, &before.redactions) == (left.is_outside, &left.redactions) {
                    return Err(PartFault::Apart(number, left.first_leaf));
                }
                *count = count.saturating_add(left.leaf_count);
            }
            _ => joined.push((left.first_leaf, left.leaf_count)),
        }
        before = Some(left);
        let is_about = |place: &u32| {
            let redaction = plan.redactions.get(*place as usize);
            redaction.is_some_and(|one| one.streams.contains(&number))
        };
        let in_order = left.redactions.is_sorted_by(|one, next| one < next);
        let has_reason = left.is_outside || !left.redactions.is_empty();
        let outside_what = !left.is_outside || plan.excerpt.is_some();
        let has_time = left.start_us <= left.end_us && left.end_us <= length_us;
        let is_so = in_order && has_time && has_reason && outside_what;
        if !(is_so && left.redactions.iter().all(is_about)) {
            return Err(PartFault::Reason(number, left.first_leaf));
        }
    }
    let has_leaves = said.left_out.iter().all(|left| left.leaf_count > 0);
    if !has_leaves || joined != tree.left_out() {
        return Err(PartFault::LeftOut(number));
    }
    Ok(())
}

/// RTP packets of the whole that are in no interval of media.
fn unheard_packets(stream: &StreamTimeline) -> u64 {
    let media = stream.intervals.iter();
    let media = media.filter(|interval| interval.kind == IntervalKind::Media);
    let heard = media.fold(0_u64, |sum, interval| sum.saturating_add(interval.packets));
    stream.packets.saturating_sub(heard)
}

/// Media that nobody hears is said to be left out: outside the excerpt for any reason, within it by a
/// redaction that is about that time.
fn check_unheard(
    said: &StreamScope,
    stream: &StreamTimeline,
    scope: &Scope,
    timeline: &Timeline,
) -> Result<(), PartFault> {
    let all = Times::of(
        said.left_out
            .iter()
            .map(|left| (left.start_us, left.end_us)),
    );
    let redacted = || said.left_out.iter().filter(|left| !left.is_outside);
    let inside = Times::of(redacted().map(|left| (left.start_us, left.end_us)));
    let near = Times::of(redacted().flat_map(|left| {
        let asked = left.redactions.iter();
        let asked = asked.filter_map(|place| scope.redactions.get(*place as usize));
        asked.filter_map(|redaction| {
            let start = redaction.start_us.saturating_sub(BEYOND_US_MAX);
            let end = redaction.end_us.saturating_add(BEYOND_US_MAX);
            within((left.start_us, left.end_us), (start, end))
        })
    }));
    let window = scope.window(timeline);
    let mut far_us = 0_u64;
    for gap in unheard(stream, &said.placed) {
        let within = within(gap, window);
        if all.lacking(gap) > 0 || within.is_some_and(|gap| inside.lacking(gap) > 0) {
            return Err(PartFault::Silenced(said.number, gap.0));
        }
        let far = within.map_or(0, |gap| near.lacking(gap));
        far_us = far_us.saturating_add(far);
    }
    let out_of_turn_us = stream.reordered.saturating_mul(OUT_OF_TURN_US);
    if far_us > out_of_turn_us && timeline.verdict != Verdict::UndeclaredGap {
        return Err(PartFault::Beyond(said.number));
    }
    Ok(())
}

/// The recorder's clock as one that nobody set.
pub(super) struct Clock {
    started: Timestamp,
    /// From which index on it is ahead, and by how much.
    steps: Vec<(u64, i64)>,
}

impl Clock {
    fn of(started: Timestamp, events: &[(u64, Timestamp, JournalEvent)]) -> Self {
        let mut ahead = 0_i64;
        let step = |(index, _, event): &(u64, Timestamp, JournalEvent)| match event {
            JournalEvent::ClockStepped { by_us } => {
                ahead = ahead.saturating_add(*by_us);
                Some((*index, ahead))
            }
            _ => None,
        };
        Self {
            started,
            steps: events.iter().filter_map(step).collect(),
        }
    }

    /// Microseconds from the start of the call.
    pub(super) fn at_us(&self, index: u64, arrived: Timestamp) -> i64 {
        let before = self.steps.partition_point(|(from, _)| *from < index);
        let ahead = before.checked_sub(1).and_then(|last| self.steps.get(last));
        let ahead = ahead.map_or(0, |(_, ahead)| *ahead);
        arrived.micros_since(self.started).saturating_sub(ahead)
    }
}
