//! What the bundle's documents claim, against what its original gives.

use super::facts::fact;
use super::files::Files;
use super::part;
use super::report::{Check, Fact, Findings, Text};
use crate::audio::{CHANNELS_PLAYED, Plan, Rendering, Sounds, datagram, decoder, wav_byte_len};
use crate::bundle::{
    BundleNote, EVENTS_BYTES_MAX, Opening, SoundSpans, each_sound_file, file, goes_in_ogg, ogg_of,
    original_of, sound_of, tree_of,
};
use crate::canonical::{CanonicalError, from_canonical};
use crate::checkpoint::TlogProof;
use crate::completeness::{Completeness, CompletenessInput};
use crate::digest::Digest;
use crate::inventory::{Inventory, InventoryBuilder};
use crate::journal::{JournalEvent, RecordRef};
use crate::manifest::Manifest;
use crate::original::{self, EVENTS};
use crate::part::{Scope, both_titles};
use crate::senders::{self, SenderClaims};
use crate::timeline::Timeline;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use voicelog_model::limits::STREAMS_MAX;
use voicelog_model::{Language, StreamNumber, Timestamp};

/// The documents of a bundle, as far as they can be read.
pub(super) struct Claims {
    pub(super) manifest: Option<Manifest>,
    pub(super) timeline: Option<Timeline>,
    pub(super) opening: Option<Opening>,
    /// Of a copy of a part.
    pub(super) scope: Option<Scope>,
    pub(super) decision: Option<Value>,
}

impl Claims {
    pub(super) fn read(files: &Files<'_>, findings: &mut Findings) -> Self {
        Self {
            manifest: manifest(files, findings),
            timeline: document(files, file::TIMELINE, Check::Timeline, findings),
            opening: document(files, file::OPENING, Check::Log, findings),
            scope: files
                .get(file::SCOPE)
                .and_then(|_there| document(files, file::SCOPE, Check::Scope, findings)),
            decision: document(files, file::DECISION, Check::Decision, findings),
        }
    }

    /// The signed list and the manifest are of one recording.
    pub(super) fn same_recording(&self, note: &BundleNote, findings: &mut Findings) {
        if self
            .manifest
            .as_ref()
            .is_some_and(|manifest| manifest.recording != note.recording)
        {
            let text = (
                "dit is van een andere opname",
                "this is of another recording",
            );
            findings.broken(Check::Files, file::MANIFEST, text, None);
        }
    }

    /// A copy of a part says so in the signed list, and holds no salt of what it does not show.
    pub(super) fn same_extent(
        &self,
        note: &BundleNote,
        files: &Files<'_>,
        findings: &mut Findings,
    ) {
        let is_part = files.get(file::SCOPE).is_some();
        if note.is_part != is_part {
            let text = (
                "de lijst zegt iets anders dan de bestanden over of dit het hele gesprek is",
                "the list and the files disagree on whether this is the whole conversation",
            );
            findings.broken(Check::Files, file::NOTE, text, None);
        }
        let opening = self.opening.as_ref();
        if opening.is_some_and(|opening| opening.tree_salt.is_some() == is_part) {
            let text = (
                "hier hoort bij een heel gesprek wel een zout van de bomen, en bij een deel niet",
                "a whole conversation has a salt of its trees here, and a part has none",
            );
            findings.broken(Check::Original, file::OPENING, text, None);
        }
    }

    /// The files are those that a bundle of these streams has.
    pub(super) fn check_names(&self, files: &Files<'_>, findings: &mut Findings) {
        if let Some(manifest) = &self.manifest {
            check_names(manifest, files, findings);
        }
    }

    /// Computes everything again from the original. What the senders said in it, if it can be read.
    pub(super) fn check(&self, files: &Files<'_>, findings: &mut Findings) -> Option<Vec<Fact>> {
        let manifest = self.manifest.as_ref()?;
        self.check_decision(manifest, files, findings);
        let journal = Journal::read(manifest, files, findings)?;
        self.check_completeness(manifest, &journal, files, findings);
        if files.get(file::SCOPE).is_some() {
            let timeline = self.timeline.as_ref()?;
            return part::check(
                manifest,
                timeline,
                self.scope.as_ref(),
                &journal,
                files,
                findings,
            );
        }
        let records = journal.in_order(manifest, findings)?;
        let tree_salt = self.opening.as_ref()?.tree_salt?;
        let (inventory, sounds) = inventory(&records, tree_salt.0, findings)?;
        check_original(manifest, &inventory, findings);
        check_timeline(manifest, &inventory.timeline, files, findings);
        match Rendering::of(sounds, &inventory.timeline) {
            Ok(rendering) if goes_in_ogg(manifest, &rendering) => {
                check_ogg(&rendering, files, findings);
            }
            Ok(rendering) => check_sound(&rendering, None, files, findings),
            Err(error) => findings.broken(Check::Sound, file::ALL_SOUND, SOUND_BAD, Some(&error)),
        }
        Some(said_by_senders(&records, inventory.timeline.call_started))
    }

    /// The certificate for machines follows from the other documents; the page says it in words.
    fn check_completeness(
        &self,
        manifest: &Manifest,
        journal: &Journal<'_>,
        files: &Files<'_>,
        findings: &mut Findings,
    ) {
        let stated = files.need(file::COMPLETENESS, Check::Completeness, findings);
        let proof = files.get(file::PROOF).map(TlogProof::parse);
        let (Some(stated), Some(Ok(proof)), Some(timeline)) = (stated, proof, &self.timeline)
        else {
            return;
        };
        let input = CompletenessInput {
            manifest,
            manifest_bytes: files.get(file::MANIFEST).unwrap_or_default(),
            timeline,
            scope: self.scope.as_ref(),
            proof: &proof,
        };
        let events = journal.events.iter().map(|(_, _, event)| event);
        let computed = Completeness::new(&input, events);
        let computed = computed.and_then(|computed| computed.to_bytes().ok());
        findings.expect(
            computed.as_deref() == Some(stated),
            Check::Completeness,
            file::COMPLETENESS,
            (
                "de verklaring van volledigheid volgt uit het origineel",
                "the statement of completeness follows from the original",
            ),
            (
                "de verklaring van volledigheid volgt niet uit het origineel",
                "the statement of completeness does not follow from the original",
            ),
        );
    }

    fn check_decision(&self, manifest: &Manifest, files: &Files<'_>, findings: &mut Findings) {
        let (Some(bytes), Some(decision)) = (files.get(file::DECISION), &self.decision) else {
            return;
        };
        findings.expect(
            Digest::of(bytes) == manifest.decision_sha256,
            Check::Decision,
            file::DECISION,
            (
                "het besluit is dat van de opname",
                "the decision is that of the recording",
            ),
            (
                "het besluit is niet dat van de opname",
                "the decision is not that of the recording",
            ),
        );
        let rulebook = decision.pointer("/rulebook/hash").and_then(Value::as_str);
        if rulebook.is_some_and(|hash| hash != manifest.rulebook_hash.to_string()) {
            let text = (
                "het besluit noemt een ander wetboek van regels dan de opname",
                "the decision names another rulebook than the recording",
            );
            findings.broken(Check::Decision, file::DECISION, text, None);
        }
    }
}

/// What the senders said of themselves: told, and nothing is reckoned with it.
pub(super) fn said_by_senders(records: &[RecordRef<'_>], started: Timestamp) -> Vec<Fact> {
    let mut claims = SenderClaims::default();
    for record in records {
        claims.push(*record);
    }
    let told = |name, [nl, en]: [Option<String>; 2]| Some(fact(name, nl?, en?));
    let both = [Language::Nl, Language::En];
    let claims = claims.finish(started);
    let facts = claims.iter().flat_map(|claim| {
        let clock = both.map(|lang| claim.clock_in_words(lang));
        let goodbye = both.map(|lang| claim.goodbye_in_words(lang));
        [told(senders::CLOCK, clock), told(senders::GOODBYE, goodbye)]
    });
    facts.flatten().collect()
}

/// The manifest, if its streams are such as a recording can have: no more than the limit, and none with
/// the number of the events.
fn manifest(files: &Files<'_>, findings: &mut Findings) -> Option<Manifest> {
    let manifest: Manifest = document(files, file::MANIFEST, Check::Original, findings)?;
    let streams = &manifest.streams;
    if streams.len() > STREAMS_MAX || streams.iter().any(|stream| stream.number == EVENTS) {
        let text = (
            "de opname noemt stromen die geen opname kan hebben",
            "the recording lists streams that no recording can have",
        );
        findings.broken(Check::Original, file::MANIFEST, text, None);
        return None;
    }
    Some(manifest)
}

fn document<T: DeserializeOwned + Serialize>(
    files: &Files<'_>,
    name: &str,
    check: Check,
    findings: &mut Findings,
) -> Option<T> {
    let read: Result<T, CanonicalError> = from_canonical(files.need(name, check, findings)?);
    const BAD: Text = (
        "dit bestand is beschadigd, of van een versie die dit programma niet kent",
        "this file is damaged, or of a version that this program does not know",
    );
    read.map_err(|error| findings.broken(check, name, BAD, Some(&error)))
        .ok()
}

/// The container holds the files of the manifest and no others.
fn check_names(manifest: &Manifest, files: &Files<'_>, findings: &mut Findings) {
    let streams = || manifest.streams.iter().map(|stream| stream.number);
    let is_part = files.get(file::SCOPE).is_some();
    let documents = [
        file::NOTE,
        file::README,
        file::RECIPE,
        file::VERIFIER,
        file::COMPLETENESS_PAGE,
        file::COMPLETENESS_PAPER,
        file::COMPLETENESS,
        file::VCON,
        file::MANIFEST,
        file::OPENING,
        file::SCOPE,
        file::DECISION,
        file::TIMELINE,
        file::PROOF,
        file::KEY,
        file::POLICY,
        file::STAMPED,
        file::STAMP,
        file::STAMP_ANCHORS,
    ];
    let documents = documents
        .into_iter()
        .filter(|name| is_part || *name != file::SCOPE)
        .filter(|name| !file::OPTIONAL.contains(name) || files.get(name).is_some());
    let mut expected: Vec<String> = documents.map(str::to_owned).collect();
    expected.push(original_of(EVENTS));
    for number in streams() {
        expected.push(original_of(number));
        expected.extend(is_part.then(|| tree_of(number)));
    }
    // Which sounds there are follows from the packets, and is checked with the sound.
    let mut sounds = vec![file::ALL_SOUND.to_owned(), file::MIXED_SOUND.to_owned()];
    sounds.extend(streams().flat_map(|number| [sound_of(number), ogg_of(number)]));
    sounds.push(file::SPANS.to_owned());
    expected.extend(sounds.into_iter().filter(|name| files.get(name).is_some()));
    if expected
        .iter()
        .map(String::as_str)
        .eq(files.names().iter().copied())
    {
        return;
    }
    for name in files
        .names()
        .iter()
        .filter(|name| !expected.iter().any(|other| other == *name))
    {
        let text = (
            "dit bestand hoort niet bij de opname",
            "this file is no part of the recording",
        );
        findings.broken(Check::Files, name, text, None);
    }
    for name in expected.iter().filter(|name| files.get(name).is_none()) {
        let text = ("dit bestand ontbreekt", "this file is missing");
        findings.broken(Check::Files, name, text, None);
    }
    if findings.holds(Check::Files) {
        let text = (
            "de bestanden staan in een andere volgorde",
            "the files are out of order",
        );
        findings.broken(Check::Files, "ZIP", text, None);
    }
}

/// The journal, put together from the files of the original.
pub(super) struct Journal<'a> {
    pub(super) events: Vec<(u64, Timestamp, JournalEvent)>,
    /// Of each stream, in the order of their indices.
    pub(super) packets: BTreeMap<StreamNumber, Vec<(u64, RecordRef<'a>)>>,
}

impl<'a> Journal<'a> {
    fn read(manifest: &Manifest, files: &Files<'a>, findings: &mut Findings) -> Option<Self> {
        let events = files
            .need(file::EVENTS, Check::Original, findings)
            .and_then(|bytes| read_events(bytes, findings));
        let mut packets = Some(BTreeMap::new());
        for stream in &manifest.streams {
            let name = original_of(stream.number);
            let read = files
                .need(&name, Check::Original, findings)
                .map(|bytes| original::read_packets(stream.number, bytes));
            match (read, &mut packets) {
                (Some(Ok(read)), Some(packets)) => {
                    packets.insert(stream.number, read);
                }
                (Some(Ok(_)), None) => {}
                (Some(Err(error)), _) => {
                    findings.broken(Check::Original, &name, DAMAGED, Some(&error));
                    packets = None;
                }
                (None, _) => packets = None,
            }
        }
        Some(Self {
            events: events?,
            packets: packets?,
        })
    }

    /// All records in the order of the journal; none where one is missing or doubled.
    fn in_order(&self, manifest: &Manifest, findings: &mut Findings) -> Option<Vec<RecordRef<'_>>> {
        let mut records: Vec<(u64, RecordRef<'_>)> =
            self.packets.values().flatten().copied().collect();
        records.extend(
            self.events
                .iter()
                .map(|(index, at, event)| (*index, RecordRef::Event { at: *at, event })),
        );
        records.sort_by_key(|(index, _)| *index);
        let counted = (0..)
            .zip(&records)
            .all(|(place, (index, _))| place == *index);
        findings.expect(
            counted && records.len() as u64 == manifest.record_count,
            Check::Original,
            "original/",
            (
                "geen enkel gegeven ontbreekt of is dubbel",
                "no record is missing or doubled",
            ),
            (
                "er ontbreken gegevens, of er zijn er te veel",
                "records are missing, or too many",
            ),
        );
        counted.then(|| records.into_iter().map(|(_, record)| record).collect())
    }
}

pub(super) const DAMAGED: Text = ("het origineel is beschadigd", "the original is damaged");

fn read_events(
    bytes: &[u8],
    findings: &mut Findings,
) -> Option<Vec<(u64, Timestamp, JournalEvent)>> {
    if bytes.len() > EVENTS_BYTES_MAX {
        let text = (
            "er zijn te veel gebeurtenissen",
            "there are too many events",
        );
        findings.broken(Check::Original, file::EVENTS, text, None);
        return None;
    }
    original::read_events(bytes)
        .map_err(|error| findings.broken(Check::Original, file::EVENTS, DAMAGED, Some(&error)))
        .ok()
}

/// What follows from the records, and their sound, sorted on the way.
fn inventory<'a>(
    records: &[RecordRef<'a>],
    tree_salt: [u8; 32],
    findings: &mut Findings,
) -> Option<(Inventory, Sounds<'a>)> {
    let mut builder = InventoryBuilder::tagged(tree_salt);
    let mut sounds = Sounds::default();
    for record in records {
        let tag = datagram(*record);
        let pushed = builder.push_tagged(*record, tag, &mut |placed| sounds.push(placed));
        if let Err(error) = pushed {
            findings.broken(Check::Original, file::EVENTS, DAMAGED, Some(&error));
            return None;
        }
    }
    let inventory = builder.finish_tagged(&mut |placed| sounds.push(placed));
    Some((inventory, sounds))
}

fn check_original(manifest: &Manifest, inventory: &Inventory, findings: &mut Findings) {
    findings.expect(
        inventory.events_sha256 == manifest.events_sha256,
        Check::Original,
        file::EVENTS,
        (
            "de gebeurtenissen zijn die van de opname",
            "the events are those of the recording",
        ),
        (
            "de gebeurtenissen zijn veranderd",
            "the events were changed",
        ),
    );
    let computed = inventory.stream_entries();
    for stated in &manifest.streams {
        let same = computed.iter().any(|entry| entry == stated);
        findings.expect(
            same,
            Check::Original,
            &original_of(stated.number),
            (
                "elk pakket is dat van de opname",
                "every packet is that of the recording",
            ),
            (
                "de pakketten zijn niet die van de opname",
                "the packets are not those of the recording",
            ),
        );
    }
    if computed.len() != manifest.streams.len() {
        let text = (
            "de opname noemt andere stromen dan haar gebeurtenissen",
            "the recording lists other streams than its events",
        );
        findings.broken(Check::Original, file::MANIFEST, text, None);
    }
}

fn check_timeline(
    manifest: &Manifest,
    timeline: &Timeline,
    files: &Files<'_>,
    findings: &mut Findings,
) {
    let Some(stated) = files.get(file::TIMELINE) else {
        return;
    };
    findings.expect(
        timeline.to_bytes().is_ok_and(|computed| computed == stated),
        Check::Timeline,
        file::TIMELINE,
        (
            "de tijdlijn volgt uit het origineel",
            "the timeline follows from the original",
        ),
        (
            "de tijdlijn volgt niet uit het origineel",
            "the timeline does not follow from the original",
        ),
    );
    let agrees = Digest::of(stated) == manifest.timeline_sha256
        && manifest.verdict == timeline.verdict
        && manifest.call_started == timeline.call_started
        && manifest.call_ended == timeline.call_ended;
    if !agrees {
        let text = (
            "de opname noemt een andere tijdlijn, tijd of uitkomst",
            "the recording states another timeline, time or verdict",
        );
        findings.broken(Check::Timeline, file::MANIFEST, text, None);
    }
}

const SOUND_OK: Text = (
    "het geluid volgt uit het origineel",
    "the sound follows from the original",
);
pub(super) const SOUND_BAD: Text = (
    "het geluid volgt niet uit het origineel",
    "the sound does not follow from the original",
);

pub(super) fn check_sound(
    rendering: &Rendering<'_, '_>,
    part: Option<(&Scope, &Timeline)>,
    files: &Files<'_>,
    findings: &mut Findings,
) {
    // Lengths first: so a small bundle cannot make us render a day of silence.
    let comment = part.map(|(scope, timeline)| both_titles(scope, timeline.length_us()));
    let lengths = sound_lengths(&rendering.plans(), comment.as_deref());
    let mut plausible = true;
    for (name, byte_len) in &lengths {
        if files.get(name).map(<[u8]>::len) != *byte_len {
            findings.broken(Check::Sound, name, SOUND_BAD, None);
            plausible = false;
        }
    }
    for name in files.names().iter().filter(|name| is_sound(name)) {
        if !lengths.iter().any(|(expected, _)| expected == name) {
            findings.broken(Check::Sound, name, SOUND_BAD, None);
            plausible = false;
        }
    }
    if !plausible {
        return;
    }
    let streams = rendering.render(&decoder);
    if SoundSpans::of(&streams).is_none() && files.get(file::SPANS).is_some() {
        findings.broken(Check::Sound, file::SPANS, SOUND_BAD, None);
    }
    let compared = each_sound_file(&streams, part, &mut |name, made| {
        let same = match files.get(name) {
            Some(there) => made.is(there)?,
            None => false,
        };
        findings.expect(same, Check::Sound, name, SOUND_OK, SOUND_BAD);
        Ok(())
    });
    if let Err(error) = compared {
        findings.broken(Check::Sound, file::ALL_SOUND, SOUND_BAD, Some(&error));
    }
}

/// The packets as they came, in Ogg: nothing is decoded, so there is nothing else to be told of them.
fn check_ogg(rendering: &Rendering<'_, '_>, files: &Files<'_>, findings: &mut Findings) {
    let streams = rendering.in_ogg();
    let expected = |name: &str| streams.iter().any(|(number, _)| name == ogg_of(*number));
    for name in files.names() {
        if (is_sound(name) || *name == file::SPANS) && !expected(name) {
            findings.broken(Check::Sound, name, SOUND_BAD, None);
        }
    }
    for (number, made) in &streams {
        let name = ogg_of(*number);
        let same = files.get(&name).is_some_and(|there| there == made);
        findings.expect(same, Check::Sound, &name, SOUND_OK, SOUND_BAD);
    }
}

/// Whether a file is one to listen to.
fn is_sound(name: &str) -> bool {
    name.ends_with(".wav") || name.ends_with(".opus")
}

/// How long each file of sound is; none where it cannot be written at all.
fn sound_lengths(plans: &[Plan], comment: Option<&str>) -> Vec<(String, Option<usize>)> {
    let sounding = || plans.iter().filter(|plan| plan.channels > 0);
    let rate = sounding().map(|plan| plan.rate).max();
    let longest = sounding().filter(|plan| Some(plan.rate) == rate);
    let samples = longest.map(|plan| plan.samples).max().unwrap_or(0);
    let channels = sounding().map(|plan| plan.channels).sum();
    let of_all = |name: &str, channels| {
        let byte_len = wav_byte_len(channels, samples, comment).ok();
        (name.to_owned(), byte_len)
    };
    let all = rate.map(|_| of_all(file::ALL_SOUND, channels));
    let is_mixed = channels > CHANNELS_PLAYED;
    let mixed = is_mixed.then(|| of_all(file::MIXED_SOUND, 1));
    let alone = sounding().map(|plan| {
        let byte_len = wav_byte_len(plan.channels, plan.samples, comment).ok();
        (sound_of(plan.stream), byte_len)
    });
    all.into_iter().chain(mixed).chain(alone).collect()
}
