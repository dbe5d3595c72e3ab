//! Cutting a part out of a recording.

use super::extent::{Held, Strand, survey};
use super::scope::redaction_name;
use super::shown::tree_file;
use super::{LeftOut, PartError, Placing, Plan, Scope, StreamScope};
use crate::journal::Record;
use crate::timeline::Timeline;
use std::collections::BTreeMap;
use voicelog_model::StreamNumber;

/// A part, cut out.
#[derive(Debug)]
pub(crate) struct Cut<'a> {
    pub(crate) scope: Scope,
    /// The streams, by number.
    pub(crate) streams: BTreeMap<StreamNumber, CutStream<'a>>,
}

/// What is shown of one stream.
#[derive(Debug)]
pub(crate) struct CutStream<'a> {
    /// Its packets that are shown, with their indices.
    pub(crate) records: Vec<(u64, &'a Record)>,
    /// Its tree, with the salts of what is shown and the hashes of what is not.
    pub(crate) tree: Vec<u8>,
}

/// Why a leaf is left out; empty where it is not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Why {
    is_outside: bool,
    redactions: Vec<u32>,
}

impl Why {
    const fn is_shown(&self) -> bool {
        !self.is_outside && self.redactions.is_empty()
    }
}

/// Cuts a part out of the whole journal of a recording. `tree_salt` is
/// [`crate::DataKey::tree_salt`], `timeline` the one that the journal gives.
pub(crate) fn cut<'a>(
    records: &'a [Record],
    timeline: &Timeline,
    tree_salt: &[u8; 32],
    plan: &Plan,
) -> Result<Cut<'a>, PartError> {
    let numbers: Vec<_> = timeline
        .streams
        .iter()
        .map(|stream| stream.stream.number)
        .collect();
    plan.check(timeline.length_us(), &numbers)?;
    let mut strands = survey(records, timeline);
    let mut streams = BTreeMap::new();
    let mut scopes = Vec::new();
    for number in numbers {
        let strand = strands.remove(&number).unwrap_or_default();
        let why = reasons(&strand, number, plan);
        scopes.push(StreamScope {
            number,
            left_out: left_out(&strand, &why, timeline.length_us()),
            placed: placed(&strand, &why),
        });
        let shown = |held: &&Held<'_>| is_shown(&why, held.leaf);
        let records = strand.packets.iter().filter(shown);
        streams.insert(
            number,
            CutStream {
                records: records.map(|held| (held.index, held.record)).collect(),
                tree: tree_file(tree_salt, number, &strand.packets, |leaf| {
                    is_shown(&why, leaf)
                })
                .map_err(PartError::Original)?,
            },
        );
    }
    let scope = Scope::new(plan, scopes);
    check_effect(&scope, &streams)?;
    Ok(Cut { scope, streams })
}

/// A plan that leaves nothing out where it says so, or everything, is a mistake.
fn check_effect(
    scope: &Scope,
    streams: &BTreeMap<StreamNumber, CutStream<'_>>,
) -> Result<(), PartError> {
    for place in 0..scope.redactions.len() {
        let left_out = scope.streams.iter().flat_map(|stream| &stream.left_out);
        let is_in = |left: &LeftOut| left.redactions.iter().any(|one| *one as usize == place);
        if !left_out.clone().any(is_in) {
            return Err(PartError::CoversNothing(redaction_name(place)));
        }
    }
    if streams.values().all(|stream| stream.records.is_empty()) {
        return Err(PartError::NothingShown);
    }
    Ok(())
}

/// Leaf by leaf, why it is left out.
fn reasons(strand: &Strand<'_>, number: StreamNumber, plan: &Plan) -> Vec<Why> {
    let mut leaves: Vec<Why> = Vec::new();
    let mut within: Vec<bool> = Vec::new();
    for held in &strand.packets {
        let leaf = usize::try_from(held.leaf).unwrap_or(usize::MAX);
        leaves.resize_with(leaves.len().max(leaf + 1), Why::default);
        within.resize(within.len().max(leaf + 1), false);
        let meets = |start_us: i64, (from_us, to_us): (u64, u64)| {
            let (from, to) = (i64::try_from(from_us), i64::try_from(to_us));
            start_us < to.unwrap_or(i64::MAX) && held.end_us > from.unwrap_or(i64::MAX)
        };
        if let Some(excerpt) = plan.excerpt
            && meets(held.start_us, (excerpt.start_us, excerpt.end_us))
            && let Some(within) = within.get_mut(leaf)
        {
            *within = true;
        }
        for (place, redaction) in (0_u32..).zip(&plan.redactions) {
            let window = (redaction.start_us, redaction.end_us);
            let reaches = meets(held.start_us.saturating_sub(held.repeats_us), window);
            if let Some(why) = leaves.get_mut(leaf)
                && redaction.streams.contains(&number)
                && reaches
                && why.redactions.last() != Some(&place)
                && !why.redactions.contains(&place)
            {
                why.redactions.push(place);
                why.redactions.sort_unstable();
            }
        }
    }
    if plan.excerpt.is_some() {
        for (why, within) in leaves.iter_mut().zip(within) {
            why.is_outside = !within;
        }
    }
    leaves
}

fn is_shown(why: &[Why], leaf: u64) -> bool {
    let leaf = usize::try_from(leaf).unwrap_or(usize::MAX);
    why.get(leaf).is_some_and(Why::is_shown)
}

/// Leaves that are left out for the same reason, side by side. Their time is that of their sound; of a
/// leaf that nobody hears anything of, that of its arrival.
fn left_out(strand: &Strand<'_>, why: &[Why], length_us: u64) -> Vec<LeftOut> {
    let mut extents: Vec<Option<(i64, i64)>> = vec![None; why.len()];
    for is_heard in [true, false] {
        let mut found: Vec<Option<(i64, i64)>> = vec![None; why.len()];
        let packets = strand.packets.iter();
        for held in packets.filter(|held| held.place.is_some() == is_heard) {
            let leaf = usize::try_from(held.leaf).unwrap_or(usize::MAX);
            let (start, end) = if is_heard {
                (held.start_us, held.end_us)
            } else {
                (held.arrived_us, held.arrived_us)
            };
            if let Some(extent) = found.get_mut(leaf) {
                let (from, until) = extent.unwrap_or((start, end));
                *extent = Some((from.min(start), until.max(end)));
            }
        }
        for (extent, found) in extents.iter_mut().zip(found) {
            *extent = extent.or(found);
        }
    }
    let micros = |at: i64| u64::try_from(at).unwrap_or(0).min(length_us);
    let mut all: Vec<LeftOut> = Vec::new();
    let mut ended = 0;
    for ((leaf, why), extent) in (0_u64..).zip(why).zip(extents) {
        if why.is_shown() {
            continue;
        }
        let (start_us, end_us) = extent.unwrap_or_default();
        let (start_us, end_us) = (micros(start_us), micros(end_us));
        match all.last_mut() {
            Some(last)
                if ended == leaf
                    && (last.is_outside, &last.redactions) == (why.is_outside, &why.redactions) =>
            {
                last.leaf_count += 1;
                last.start_us = last.start_us.min(start_us);
                last.end_us = last.end_us.max(end_us);
            }
            _ => all.push(LeftOut {
                first_leaf: leaf,
                leaf_count: 1,
                start_us,
                end_us,
                is_outside: why.is_outside,
                redactions: why.redactions.clone(),
            }),
        }
        ended = leaf + 1;
    }
    all
}

/// Where the packets are that are shown, in the order of the sound.
fn placed(strand: &Strand<'_>, why: &[Why]) -> Vec<Placing> {
    let mut ordinals = vec![None; strand.packets.len()];
    let (mut next, mut run, mut last_leaf) = (0_u64, 0_u64, None);
    for (held, ordinal) in strand.packets.iter().zip(&mut ordinals) {
        if is_shown(why, held.leaf) {
            if last_leaf.is_some_and(|last: u64| held.leaf > last + 1) {
                run += 1;
            }
            last_leaf = Some(held.leaf);
            *ordinal = Some((next, run));
            next += 1;
        }
    }
    let mut all: Vec<(Placing, u64)> = Vec::new();
    for at in &strand.heard {
        let (Some(Some((ordinal, run))), Some(held)) = (ordinals.get(*at), strand.packets.get(*at))
        else {
            continue;
        };
        let Some(place) = held.place else {
            continue;
        };
        let interval = u32::try_from(place.interval).unwrap_or(u32::MAX);
        let format = u32::try_from(place.format).unwrap_or(u32::MAX);
        if let Some((last, of)) = all.last_mut()
            && (last.interval, last.format, last.ticks, *of)
                == (interval, format, place.ticks, *run)
            && last.first + last.count == *ordinal
            && last.tick + last.count * u64::from(last.ticks) == place.tick
        {
            last.count += 1;
            continue;
        }
        let placing = Placing {
            interval,
            tick: place.tick,
            format,
            ticks: place.ticks,
            first: *ordinal,
            count: 1,
        };
        all.push((placing, *run));
    }
    all.into_iter().map(|(placing, _)| placing).collect()
}
