//! What the bundle's documents claim, against what its original gives.

use super::facts::fact;
use super::files::Files;
use super::report::{Check, Fact, Findings, Text};
use crate::audio::{Plan, Rendering, decoder, wav_byte_len};
use crate::bundle::{
    BundleNote, EVENTS_BYTES_MAX, Opening, file, original_of, sound_files, sound_of,
};
use crate::canonical::{CanonicalError, from_canonical};
use crate::digest::Digest;
use crate::inventory::{Inventory, InventoryBuilder};
use crate::journal::{JournalEvent, RecordRef};
use crate::manifest::Manifest;
use crate::original::{self, EVENTS};
use crate::senders::{self, SenderClaims};
use crate::timeline::Timeline;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use voicelog_model::{Language, Timestamp};

/// The documents of a bundle, as far as they can be read.
pub(super) struct Claims {
    pub(super) manifest: Option<Manifest>,
    pub(super) timeline: Option<Timeline>,
    pub(super) opening: Option<Opening>,
    decision: Option<Value>,
}

impl Claims {
    pub(super) fn read(files: &Files<'_>, findings: &mut Findings) -> Self {
        Self {
            manifest: document(files, file::MANIFEST, Check::Original, findings),
            timeline: document(files, file::TIMELINE, Check::Timeline, findings),
            opening: document(files, file::OPENING, Check::Log, findings),
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

    /// Computes everything again from the original. What the senders said in it, if it can be read.
    pub(super) fn check(&self, files: &Files<'_>, findings: &mut Findings) -> Option<Vec<Fact>> {
        let manifest = self.manifest.as_ref()?;
        self.check_decision(manifest, files, findings);
        check_names(manifest, files, findings);
        let journal = Journal::read(manifest, files, findings)?;
        let records = journal.in_order(manifest, findings)?;
        let opening = self.opening.as_ref()?;
        let inventory = inventory(&records, opening.tree_salt.0, findings)?;
        check_original(manifest, &inventory, findings);
        check_timeline(manifest, &inventory.timeline, files, findings);
        check_sound(&inventory.timeline, &records, files, findings);
        Some(said_by_senders(&records, inventory.timeline.call_started))
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
fn said_by_senders(records: &[RecordRef<'_>], started: Timestamp) -> Vec<Fact> {
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
    let documents = [
        file::NOTE,
        file::README,
        file::MANIFEST,
        file::OPENING,
        file::DECISION,
        file::TIMELINE,
        file::PROOF,
        file::KEY,
    ];
    let mut expected: Vec<String> = documents.into_iter().map(str::to_owned).collect();
    expected.push(original_of(EVENTS));
    expected.extend(streams().map(original_of));
    // Which sounds there are follows from the packets, and is checked with the sound.
    let mut sounds = vec![file::ALL_SOUND.to_owned()];
    sounds.extend(streams().map(sound_of));
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
struct Journal<'a> {
    events: Vec<(u64, Timestamp, JournalEvent)>,
    packets: Vec<(u64, RecordRef<'a>)>,
}

impl<'a> Journal<'a> {
    fn read(manifest: &Manifest, files: &Files<'a>, findings: &mut Findings) -> Option<Self> {
        let events = files
            .need(file::EVENTS, Check::Original, findings)
            .and_then(|bytes| read_events(bytes, findings));
        let mut packets = Some(Vec::new());
        for stream in &manifest.streams {
            let name = original_of(stream.number);
            let read = files
                .need(&name, Check::Original, findings)
                .map(|bytes| original::read_packets(stream.number, bytes));
            match (read, &mut packets) {
                (Some(Ok(read)), Some(packets)) => packets.extend(read),
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
        let mut records: Vec<(u64, RecordRef<'_>)> = self.packets.clone();
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

const DAMAGED: Text = ("het origineel is beschadigd", "the original is damaged");

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

fn inventory(
    records: &[RecordRef<'_>],
    tree_salt: [u8; 32],
    findings: &mut Findings,
) -> Option<Inventory> {
    let mut builder = InventoryBuilder::new(tree_salt);
    for record in records {
        if let Err(error) = builder.push(*record) {
            findings.broken(Check::Original, file::EVENTS, DAMAGED, Some(&error));
            return None;
        }
    }
    Some(builder.finish())
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
const SOUND_BAD: Text = (
    "het geluid volgt niet uit het origineel",
    "the sound does not follow from the original",
);

fn check_sound(
    timeline: &Timeline,
    records: &[RecordRef<'_>],
    files: &Files<'_>,
    findings: &mut Findings,
) {
    let rendering = match Rendering::new(records.iter().copied(), timeline) {
        Ok(rendering) => rendering,
        Err(error) => {
            return findings.broken(Check::Sound, file::ALL_SOUND, SOUND_BAD, Some(&error));
        }
    };
    // Lengths first: so a small bundle cannot make us render a day of silence.
    let lengths = sound_lengths(&rendering.plans());
    let mut plausible = true;
    for (name, byte_len) in &lengths {
        if files.get(name).map(<[u8]>::len) != *byte_len {
            findings.broken(Check::Sound, name, SOUND_BAD, None);
            plausible = false;
        }
    }
    for name in files.names().iter().filter(|name| name.ends_with(".wav")) {
        if !lengths.iter().any(|(expected, _)| expected == name) {
            findings.broken(Check::Sound, name, SOUND_BAD, None);
            plausible = false;
        }
    }
    if !plausible {
        return;
    }
    match sound_files(&rendering.render(&decoder)) {
        Ok(rendered) => {
            if !rendered.iter().any(|(name, _)| name == file::SPANS)
                && files.get(file::SPANS).is_some()
            {
                findings.broken(Check::Sound, file::SPANS, SOUND_BAD, None);
            }
            for (name, bytes) in rendered {
                let same = files.get(&name) == Some(bytes.as_slice());
                findings.expect(same, Check::Sound, &name, SOUND_OK, SOUND_BAD);
            }
        }
        Err(error) => findings.broken(Check::Sound, file::ALL_SOUND, SOUND_BAD, Some(&error)),
    }
}

/// How long each file of sound is; none where it cannot be written at all.
fn sound_lengths(plans: &[Plan]) -> Vec<(String, Option<usize>)> {
    let sounding = || plans.iter().filter(|plan| plan.channels > 0);
    let rate = sounding().map(|plan| plan.rate).max();
    let longest = sounding().filter(|plan| Some(plan.rate) == rate);
    let samples = longest.map(|plan| plan.samples).max().unwrap_or(0);
    let channels = sounding().map(|plan| plan.channels).sum();
    let all = rate.map(|_| {
        (
            file::ALL_SOUND.to_owned(),
            wav_byte_len(channels, samples).ok(),
        )
    });
    let alone = sounding().map(|plan| {
        let byte_len = wav_byte_len(plan.channels, plan.samples).ok();
        (sound_of(plan.stream), byte_len)
    });
    all.into_iter().chain(alone).collect()
}
