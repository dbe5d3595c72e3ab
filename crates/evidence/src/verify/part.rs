//! What can be checked of a copy of a part: that what it shows is of the whole, and that it says what
//! it does not show.

use super::claims::{DAMAGED, Journal, SOUND_BAD, check_sound, said_by_senders};
use super::files::Files;
use super::report::{Check, Fact, Findings, Text};
use crate::audio::Rendering;
use crate::bundle::{file, original_of, tree_of};
use crate::digest::Digest;
use crate::journal::RecordRef;
use crate::manifest::Manifest;
use crate::part::{self, Scope, Shown};
use crate::timeline::{StreamTimeline, Timeline};
use std::collections::{BTreeMap, BTreeSet};
use voicelog_model::StreamNumber;

/// Checks original, timeline, scope and sound of a copy of a part.
pub(super) fn check(
    manifest: &Manifest,
    timeline: &Timeline,
    scope: Option<&Scope>,
    journal: &Journal<'_>,
    files: &Files<'_>,
    findings: &mut Findings,
) -> Option<Vec<Fact>> {
    check_indices(manifest, journal, findings);
    check_events(manifest, files, findings);
    let trees = check_trees(manifest, journal, files, findings);
    check_timeline(manifest, timeline, files, findings);
    let scope = scope?;
    let trees = trees?;
    let shown = |number: StreamNumber| {
        Some((
            journal.packets.get(&number)?.as_slice(),
            trees.get(&number)?,
        ))
    };
    match part::check(scope, timeline, &journal.events, shown) {
        Ok(far) => {
            findings.warn(Check::Scope, file::SCOPE, PART);
            for far in far {
                let seconds = far.most_us / 1_000_000;
                let (stream, nl, en) = (far.stream, FAR.0, FAR.1);
                let nl = format!("stroom {stream}: {nl} ({seconds} s)");
                let en = format!("stream {stream}: {en} ({seconds} s)");
                findings.warn_of(Check::Scope, file::SCOPE, nl, en);
            }
        }
        Err(error) => {
            findings.broken(Check::Scope, file::SCOPE, NOT_SO, Some(&error));
            return None;
        }
    }
    // Nothing of it could be laid out otherwise, nor would its size be bounded.
    let length_us = timeline.length_us();
    if !timeline
        .streams
        .iter()
        .all(|stream| covers(stream, length_us))
    {
        return None;
    }
    match Rendering::of_part(scope, timeline, shown) {
        Ok(rendering) => check_sound(&rendering, Some((scope, timeline)), files, findings),
        Err(error) => findings.broken(Check::Sound, file::ALL_SOUND, SOUND_BAD, Some(&error)),
    }
    let mut records: Vec<(u64, RecordRef<'_>)> =
        journal.packets.values().flatten().copied().collect();
    records.sort_by_key(|(index, _)| *index);
    let records: Vec<_> = records.into_iter().map(|(_, record)| record).collect();
    Some(said_by_senders(&records, timeline.call_started))
}

/// Every record that is there has a place of its own among those of the whole.
fn check_indices(manifest: &Manifest, journal: &Journal<'_>, findings: &mut Findings) {
    let packets = journal.packets.values().flatten().map(|(index, _)| *index);
    let events = journal.events.iter().map(|(index, ..)| *index);
    let mut seen = BTreeSet::new();
    let fit = packets
        .chain(events)
        .all(|index| index < manifest.record_count && seen.insert(index));
    findings.expect(fit, Check::Original, "original/", EACH_ITS_PLACE, NO_PLACE);
}

fn check_events(manifest: &Manifest, files: &Files<'_>, findings: &mut Findings) {
    if let Some(bytes) = files.get(file::EVENTS) {
        let same = Digest::of(bytes) == manifest.events_sha256;
        findings.expect(same, Check::Original, file::EVENTS, EVENTS, OTHER_EVENTS);
    }
}

/// The trees lead to the roots that the manifest has. None where one cannot be read.
fn check_trees(
    manifest: &Manifest,
    journal: &Journal<'_>,
    files: &Files<'_>,
    findings: &mut Findings,
) -> Option<BTreeMap<StreamNumber, Shown>> {
    let mut trees = BTreeMap::new();
    for stream in &manifest.streams {
        let name = tree_of(stream.number);
        let Some(bytes) = files.need(&name, Check::Original, findings) else {
            continue;
        };
        let packets = journal.packets.get(&stream.number)?;
        match Shown::read(stream.number, bytes, packets) {
            Ok(tree) => {
                let same = (tree.root, tree.leaf_count) == (stream.root, stream.leaf_count);
                let journal = original_of(stream.number);
                findings.expect(same, Check::Original, &journal, SHOWN, OTHER_PACKETS);
                trees.insert(stream.number, tree);
            }
            Err(error) => findings.broken(Check::Original, &name, DAMAGED, Some(&error)),
        }
    }
    (trees.len() == manifest.streams.len()).then_some(trees)
}

/// The timeline is that of the whole: it cannot be computed from a part.
fn check_timeline(
    manifest: &Manifest,
    timeline: &Timeline,
    files: &Files<'_>,
    findings: &mut Findings,
) {
    let stated = files.get(file::TIMELINE).unwrap_or_default();
    let of_streams = timeline.streams.iter().map(|stream| &stream.stream);
    let listed = manifest.streams.iter().map(|entry| entry.media_stream());
    let agrees = Digest::of(stated) == manifest.timeline_sha256
        && manifest.verdict == timeline.verdict
        && manifest.call_started == timeline.call_started
        && manifest.call_ended == timeline.call_ended
        && of_streams.eq(listed.collect::<Vec<_>>().iter())
        && same_counts(manifest, timeline)
        && timeline
            .streams
            .iter()
            .all(|stream| covers(stream, timeline.length_us()));
    findings.expect(
        agrees,
        Check::Timeline,
        file::TIMELINE,
        STATED,
        OTHER_TIMELINE,
    );
}

fn same_counts(manifest: &Manifest, timeline: &Timeline) -> bool {
    let told = manifest.streams.iter();
    let told = told.map(|entry| (entry.packets, entry.payload_bytes));
    let counted = timeline.streams.iter();
    told.eq(counted.map(|stream| (stream.packets, stream.payload_bytes)))
}

/// The intervals adjoin and cover the call, and none has more samples than microseconds: nothing could be
/// laid out otherwise, nor would its size be bounded.
fn covers(stream: &StreamTimeline, length_us: u64) -> bool {
    let mut end = 0;
    let adjoin = stream.intervals.iter().all(|interval| {
        let starts_there = interval.start_us == end && interval.end_us >= end;
        end = interval.end_us;
        starts_there && interval.samples <= interval.length_us().saturating_add(1)
    });
    adjoin && end == length_us
}

const PART: Text = (
    "dit is een kopie van een deel; wat is weggelaten staat erbij, en de rest is onveranderd",
    "this is a copy of a part; it says what was left out, and the rest is unaltered",
);
const FAR: Text = (
    "geluid staat ver van het moment waarop het aankwam; waarom, is aan een deel niet te zien",
    "sound is heard far from the moment at which it arrived; why, a part cannot show",
);
const NOT_SO: Text = (
    "wat is weggelaten is niet wat de kopie zegt",
    "what was left out is not what the copy says",
);
const EACH_ITS_PLACE: Text = (
    "elk gegeven heeft zijn eigen plaats in het geheel",
    "each record has its own place in the whole",
);
const NO_PLACE: Text = (
    "een gegeven heeft geen eigen plaats in het geheel",
    "a record has no place of its own in the whole",
);
const EVENTS: Text = (
    "de gebeurtenissen zijn die van de opname",
    "the events are those of the recording",
);
const OTHER_EVENTS: Text = (
    "de gebeurtenissen zijn veranderd",
    "the events were changed",
);
const SHOWN: Text = (
    "elk pakket dat er is, is dat van de opname",
    "every packet that is there is that of the recording",
);
const OTHER_PACKETS: Text = (
    "de pakketten zijn niet die van de opname",
    "the packets are not those of the recording",
);
const STATED: Text = (
    "de tijdlijn is die van het hele gesprek",
    "the timeline is that of the whole conversation",
);
const OTHER_TIMELINE: Text = (
    "de tijdlijn is niet die van het hele gesprek",
    "the timeline is not that of the whole conversation",
);
