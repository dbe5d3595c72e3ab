//! Laying runs and states side by side, so that they cover the call.

use super::assemble::{Drop, Strand};
use super::clock::{Piece, PieceKind, Run, SHIFT_MICROS};
use super::ending::cuts_short;
use super::states::State;
use super::{HEAD_MICROS_MAX, Interval, IntervalKind, StreamTimeline, TAIL_MICROS_MAX, Verdict};
use crate::journal::{Cause, Ground, Pausing, SAMPLE_RULE};

/// How far an event about lost packets may stand from the hole it explains.
const DROP_BEFORE_MICROS: i64 = 1_000_000;
const DROP_AFTER_MICROS: i64 = 2_000_000;
/// Drift that clocks can have, in parts in a million; a delay below [`SHIFT_MICROS`] comes on top.
const DRIFT_PARTS: u64 = 1_000;

/// What the layout of a stream needs to know of the call.
#[derive(Clone, Copy)]
pub(super) struct WholeCall {
    pub(super) end: Option<Cause>,
    /// No media came on any of its streams.
    pub(super) is_silent: bool,
}

/// One stream, laid out.
pub(super) struct Laid {
    pub(super) timeline: StreamTimeline,
    drift_explained: bool,
}

/// Lays out one stream over a call of that length.
pub(super) fn lay_out<T: Copy>(strand: &Strand<T>, length_us: i64, call: WholeCall) -> Laid {
    let end = call.end;
    let mut layout = Layout {
        length_us,
        cursor: 0,
        intervals: Vec::new(),
        drops: strand.drops.clone(),
        drift_us: 0,
        drift_explained: true,
    };
    let changes = strand.states.changes();
    let runs = strand.runs();
    for (index, (from_us, state)) in changes.iter().enumerate() {
        let next = changes.get(index + 1);
        let until_us = next.map_or(length_us, |(from, _)| *from);
        let after = After {
            state: next.map(|(_, state)| state),
            end,
        };
        if *state == State::Active {
            let active = Active {
                from_us: *from_us,
                until_us,
                after,
                silent: strand.is_silent(),
                is_call_silent: call.is_silent,
            };
            layout.active(runs.get(&index).map_or(&[][..], Vec::as_slice), active);
        } else {
            layout.inactive(state, until_us, after);
        }
    }
    let mut timeline = strand.counted();
    timeline.drift_us = layout.drift_us;
    timeline.intervals = layout.intervals;
    Laid {
        timeline,
        drift_explained: layout.drift_explained,
    }
}

/// Whether an end leaves out what followed for a reason that the timeline gives.
const fn is_declared(end: Cause) -> bool {
    matches!(
        end,
        Cause::Refusal | Cause::Protection | Cause::Keys | Cause::Form
    )
}

/// What the law and the line said of a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said<'a> {
    /// It was permitted at some moment.
    pub(super) ever_permitted: bool,
    /// Why it was not permitted last.
    pub(super) refused: &'a [Ground],
    /// At some moment nothing stood in its way but that nobody had asked to keep it, and nobody ever did.
    pub(super) is_unasked: bool,
}

/// Whether nothing but this rule of the line said no.
pub(super) fn is_for(rule: &str, refused: &[Ground]) -> bool {
    !refused.is_empty() && refused.iter().all(|ground| ground.rule == rule)
}

/// What the streams together say.
pub(super) fn verdict(laid: &[Laid], end: Option<Cause>, said: Said<'_>) -> Verdict {
    let intervals = || laid.iter().flat_map(|laid| &laid.timeline.intervals);
    let is = |kind: IntervalKind| intervals().any(|interval| interval.kind == kind);
    if !said.ever_permitted && !is(IntervalKind::Media) {
        return if is_for(SAMPLE_RULE, said.refused) {
            Verdict::NotDrawn
        } else if said.is_unasked {
            Verdict::NotRequested
        } else {
            Verdict::NotRecorded
        };
    }
    let unexplained = laid.is_empty()
        || end.is_none()
        || is(IntervalKind::UndeclaredGap)
        || laid.iter().any(|laid| !laid.drift_explained);
    if unexplained {
        Verdict::UndeclaredGap
    } else if end.is_some_and(cuts_short) {
        Verdict::CutShort
    } else if intervals().any(Interval::is_gap) || end.is_some_and(is_declared) {
        Verdict::WholeWithDeclaredGaps
    } else {
        Verdict::Whole
    }
}

/// What follows a state: another one, or the end of the call.
#[derive(Clone, Copy)]
struct After<'a> {
    state: Option<&'a State>,
    end: Option<Cause>,
}

impl After<'_> {
    /// Whether the other side itself said that media stops.
    const fn is_said_by_client(self) -> bool {
        match self.state {
            Some(State::Paused(by)) => by.is_of_client(),
            Some(_) => false,
            None => matches!(self.end, Some(Cause::RecordingClient)),
        }
    }

    const fn is_down(self) -> bool {
        matches!(self.state, Some(State::Down))
    }
}

/// A stretch that was to be recorded.
#[derive(Clone, Copy)]
struct Active<'a> {
    from_us: i64,
    until_us: i64,
    after: After<'a>,
    /// No media ever came on the stream.
    silent: bool,
    /// Nor on any other.
    is_call_silent: bool,
}

struct Layout {
    length_us: i64,
    /// End of the last interval.
    cursor: i64,
    intervals: Vec<Interval>,
    /// Drops that explain nothing yet.
    drops: Vec<Drop>,
    drift_us: i64,
    drift_explained: bool,
}

/// An interval without its place.
struct Filling {
    kind: IntervalKind,
    cause: Option<Cause>,
    packets: u64,
    samples: u64,
    /// Ticks a second of its media.
    rate: u32,
    lost: u64,
    grounds: Vec<Ground>,
    pause: Option<Pausing>,
}

impl Filling {
    const fn empty(kind: IntervalKind, cause: Option<Cause>) -> Self {
        Self {
            kind,
            cause,
            packets: 0,
            samples: 0,
            rate: 1,
            lost: 0,
            grounds: Vec::new(),
            pause: None,
        }
    }
}

impl Layout {
    /// Fills the time up to `until_us`, as far as it is not filled and within the call.
    fn fill(&mut self, until_us: i64, mut filling: Filling) {
        let end = until_us.min(self.length_us);
        let length = end.saturating_sub(self.cursor);
        let (Ok(start_us), Ok(end_us), 1..) =
            (u64::try_from(self.cursor), u64::try_from(end), length)
        else {
            return;
        };
        if end < until_us {
            // Media that reaches beyond the end of the call is cut there, not squeezed.
            let held = u128::from(length.unsigned_abs()) * u128::from(filling.rate) / 1_000_000;
            filling.samples = filling.samples.min(u64::try_from(held).unwrap_or(u64::MAX));
        }
        let Filling {
            kind,
            cause,
            packets,
            samples,
            lost,
            grounds,
            pause,
            ..
        } = filling;
        if kind == IntervalKind::Restart
            && let Some(last) = self.intervals.last_mut()
            && last.kind == kind
        {
            // What was lost before it stopped and what it was not there for are one.
            last.end_us = end_us;
            self.cursor = end;
            return;
        }
        self.intervals.push(Interval {
            kind,
            start_us,
            end_us,
            cause,
            packets,
            samples,
            lost,
            grounds,
            pause,
        });
        self.cursor = end;
    }

    /// A stretch in which nothing was to be recorded.
    fn inactive(&mut self, state: &State, until_us: i64, after: After<'_>) {
        let length = until_us.saturating_sub(self.cursor);
        let brief = |max: u64| length.unsigned_abs() <= max && after.state.is_some();
        let filling = match state {
            // A moment before what follows is part of it: waiting for the first packet, or of
            // the refusal.
            State::Absent if brief(TAIL_MICROS_MAX) => return,
            State::Undecided if brief(HEAD_MICROS_MAX) => return,
            State::Absent => Filling::empty(IntervalKind::NotStarted, Some(Cause::RecordingClient)),
            State::Undecided => Filling::empty(IntervalKind::NotStarted, None),
            State::NotPermitted(grounds) => Filling {
                grounds: grounds.clone(),
                ..Filling::empty(IntervalKind::NotStarted, Some(Cause::Refusal))
            },
            State::PermitEnded(grounds) => Filling {
                grounds: grounds.clone(),
                ..Filling::empty(IntervalKind::Paused, Some(Cause::Refusal))
            },
            State::Paused(by) => Filling::empty(IntervalKind::Paused, Some(*by)),
            State::Refused(why) => Filling::empty(IntervalKind::Refused, Some(*why)),
            State::Withheld(pausing) => Filling {
                pause: Some(pausing.clone()),
                ..Filling::empty(IntervalKind::Paused, Some(Cause::Operator))
            },
            State::Down => Filling::empty(IntervalKind::Restart, Some(Cause::Restart)),
            // Not reached: the caller sends these to `active`.
            State::Active => return,
        };
        self.fill(until_us, filling);
    }

    fn active(&mut self, runs: &[&Run], active: Active<'_>) {
        let Active {
            from_us,
            until_us,
            after,
            silent,
            is_call_silent,
        } = active;
        let mut before: Option<&Run> = None;
        for run in runs {
            self.wait_for(run, from_us, before);
            self.run(run);
            before = Some(run);
        }
        let heard = before.is_some();
        let until_us = until_us.min(self.length_us);
        if until_us <= self.cursor {
            return;
        }
        let open_us = until_us
            .saturating_sub(self.cursor.max(from_us))
            .max(0)
            .unsigned_abs();
        let tail = if let Some(dropped) = self.drop_within(self.cursor, until_us) {
            dropped
        } else if after.is_down() && open_us <= HEAD_MICROS_MAX {
            Filling::empty(IntervalKind::Restart, Some(Cause::Restart))
        } else if heard {
            let max = if after.is_said_by_client() {
                HEAD_MICROS_MAX
            } else {
                TAIL_MICROS_MAX
            };
            waiting_or_gap(IntervalKind::AfterLastPacket, open_us, max, None)
        } else if is_call_silent {
            // A call of which nothing came at all was not waited for: it is missing.
            Filling::empty(IntervalKind::UndeclaredGap, Some(Cause::NoMedia))
        } else {
            let cause = silent.then_some(Cause::NoMedia);
            waiting_or_gap(
                IntervalKind::AwaitingFirstPacket,
                open_us,
                HEAD_MICROS_MAX,
                cause,
            )
        };
        self.fill(until_us, tail);
    }

    /// The time before a run, behind the one before it in the same stretch. No media is placed before
    /// the permission to record it.
    fn wait_for(&mut self, run: &Run, from_us: i64, before: Option<&Run>) {
        let start = run.start_us().max(self.cursor).max(from_us);
        let (first_arrival, _) = run.arrivals();
        let open_us = start
            .saturating_sub(self.cursor.max(from_us))
            .unsigned_abs();
        let filling = if open_us > TAIL_MICROS_MAX
            && let Some(dropped) = self.drop_within(self.cursor, first_arrival)
        {
            dropped
        } else if let Some(lost @ 1..) = run.missing_before() {
            Filling {
                lost,
                ..Filling::empty(IntervalKind::Loss, None)
            }
        } else if open_us > TAIL_MICROS_MAX && run.missing_before().is_some() {
            // The same source goes on, without loss and by another clock.
            Filling::empty(IntervalKind::SilenceSuppressed, None)
        } else if let Some(before) = before
            && run.missing_before().is_none()
            && open_us > before.packet_us().unsigned_abs()
        {
            // The numbers of two sources say nothing of what is missing between them.
            waiting_or_gap(IntervalKind::SourceChange, open_us, TAIL_MICROS_MAX, None)
        } else {
            let max = before.map_or(HEAD_MICROS_MAX, |_| TAIL_MICROS_MAX);
            waiting_or_gap(IntervalKind::AwaitingFirstPacket, open_us, max, None)
        };
        self.fill(start, filling);
    }

    /// A run, piece by piece; drift is spread evenly over it.
    fn run(&mut self, run: &Run) {
        let start = self.cursor;
        let measured = run.drift_us();
        self.drift_us = self.drift_us.saturating_add(measured);
        let allowed = SHIFT_MICROS.unsigned_abs()
            + run.micros(run.samples()).unsigned_abs() / 1_000_000 * DRIFT_PARTS;
        let explained = measured.unsigned_abs() <= allowed;
        self.drift_explained &= explained;
        // What no clock does is not smoothed over: such media keeps the sender's time.
        let drift = if explained { measured } else { 0 };
        let (mut samples, mut extra) = (0, 0_i64);
        let pieces = run.pieces();
        let mut index = 0;
        while let Some(first) = pieces.get(index) {
            let mut piece = *first;
            index += 1;
            // A delay that did not stay has left a seam between two pieces of media.
            while let Some(next) = pieces.get(index)
                && (piece.kind, next.kind) == (PieceKind::Media, PieceKind::Media)
            {
                piece.samples += next.samples;
                piece.packets += next.packets;
                index += 1;
            }
            samples += piece.samples;
            extra = piece.extra_us.saturating_add(extra);
            let until = start
                .saturating_add(run.micros(samples))
                .saturating_add(extra)
                .saturating_add(share(drift, samples, run.samples()));
            self.piece(&piece, run.rate(), until);
        }
    }

    fn piece(&mut self, piece: &Piece, rate: u32, until_us: i64) {
        let (before, after) = piece.between;
        let kind = match piece.kind {
            PieceKind::Media => IntervalKind::Media,
            PieceKind::Silence => IntervalKind::SilenceSuppressed,
            PieceKind::Loss | PieceKind::Shift => {
                return self.hole(piece, until_us, before, after);
            }
            PieceKind::Uncounted => IntervalKind::UndeclaredGap,
        };
        let samples = if kind == IntervalKind::Media {
            piece.samples
        } else {
            0
        };
        let (packets, lost) = (piece.packets, piece.lost);
        self.fill(
            until_us,
            Filling {
                packets,
                samples,
                rate,
                lost,
                ..Filling::empty(kind, None)
            },
        );
    }

    /// Missing media: dropped by us as far as an event says so, otherwise lost or unexplained.
    fn hole(&mut self, piece: &Piece, until_us: i64, before: i64, after: i64) {
        let mut lost = piece.lost;
        if let Some(mut dropped) = self.drop_within(before, after) {
            let ours = dropped.lost.min(lost);
            if piece.kind == PieceKind::Loss {
                dropped.lost = ours;
            }
            let length = until_us.saturating_sub(self.cursor);
            let part_us = if lost > ours {
                share(length, ours, lost)
            } else {
                length
            };
            self.fill(self.cursor.saturating_add(part_us), dropped);
            lost -= ours;
        }
        let kind = match piece.kind {
            PieceKind::Loss => IntervalKind::Loss,
            _ => IntervalKind::UndeclaredGap,
        };
        self.fill(
            until_us,
            Filling {
                lost,
                ..Filling::empty(kind, None)
            },
        );
    }

    /// Takes the drops that can explain a hole between two arrivals.
    fn drop_within(&mut self, before: i64, after: i64) -> Option<Filling> {
        let window =
            before.saturating_sub(DROP_BEFORE_MICROS)..=after.saturating_add(DROP_AFTER_MICROS);
        let taken: Vec<Drop> = self
            .drops
            .iter()
            .filter(|drop| window.contains(&drop.at_us))
            .copied()
            .collect();
        let first = taken.first()?;
        self.drops.retain(|drop| !window.contains(&drop.at_us));
        let lost = taken
            .iter()
            .fold(0_u64, |sum, drop| sum.saturating_add(drop.packets));
        Some(Filling {
            lost,
            ..Filling::empty(IntervalKind::Dropped, Some(first.cause))
        })
    }
}

fn waiting_or_gap(kind: IntervalKind, open_us: u64, max: u64, cause: Option<Cause>) -> Filling {
    if open_us <= max {
        Filling::empty(kind, None)
    } else {
        Filling::empty(IntervalKind::UndeclaredGap, cause)
    }
}

/// `whole` × `part` ÷ `of`, rounded towards zero.
fn share(whole: i64, part: u64, of: u64) -> i64 {
    let share = i128::from(whole) * i128::from(part) / i128::from(of.max(1));
    i64::try_from(share).unwrap_or(whole)
}
