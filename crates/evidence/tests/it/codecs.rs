//! Bundles of calls whose sound cannot all be made.

use crate::fixture::{Parts, records, verifier};
use voicelog_evidence::bundle::SoundSpans;
use voicelog_evidence::verify::Check;
use voicelog_evidence::{JournalEvent, Record, canonical_json, from_canonical, verify, zip};
use voicelog_model::{Codec, Language};

/// The usual call, whose second stream is in another codec.
pub(crate) fn call_with(encoding: &str) -> Vec<Record> {
    call_with_on(&[2], encoding)
}

/// The same with that encoding on each of those streams.
pub(crate) fn call_with_on(streams: &[u16], encoding: &str) -> Vec<Record> {
    let mut records = records(2, 12);
    for record in &mut records {
        if let Record::Event {
            event: JournalEvent::StreamAdded { stream },
            ..
        } = record
            && streams.contains(&stream.number.0)
        {
            // A dynamic type: type 0 alone would be taken for what it always is.
            stream.codec = Codec::read(encoding).unwrap();
            stream.payload_type = 96;
        }
        if let Record::Packet { stream, bytes, .. } = record
            && streams.contains(&stream.0)
        {
            bytes[1] = 96;
        }
    }
    records
}

fn names(bundle: &[u8]) -> Vec<String> {
    let entries = zip::read(bundle).unwrap();
    entries.iter().map(|(name, _)| (*name).to_owned()).collect()
}

fn content<'a>(bundle: &'a [u8], wanted: &str) -> &'a [u8] {
    let entries = zip::read(bundle).unwrap();
    entries
        .into_iter()
        .find(|(name, _)| *name == wanted)
        .unwrap()
        .1
}

#[test]
fn a_stream_that_cannot_be_decoded_is_in_the_bundle_without_sound_and_it_verifies() {
    let bundle = Parts::of(&call_with("EVS/16000")).bundle();
    let report = verify(&bundle, Some(&verifier()));
    assert!(report.holds(), "{:#?}", report.broken().collect::<Vec<_>>());
    let said = report.lines(Language::En).join("\n");
    assert!(
        said.contains("stream 2: sound in EVS/16000: voicelog cannot play that"),
        "{said}"
    );
    let names = names(&bundle);
    assert!(names.iter().any(|name| name == "original/2.journal"));
    assert!(
        names.iter().all(|name| name != "audio/2.wav"),
        "never a silent file"
    );
    let spans: SoundSpans = from_canonical(content(&bundle, "audio/spans.json")).unwrap();
    assert_eq!(spans.streams.len(), 1);
    assert_eq!(
        (spans.streams[0].number.0, spans.streams[0].has_sound),
        (2, false)
    );
    assert_eq!(spans.streams[0].spans[0].codec.to_string(), "EVS/16000");
}

#[test]
fn a_call_of_which_nothing_can_be_decoded_has_no_sound_at_all() {
    let mut records = call_with("EVS/16000");
    records.retain(|record| match record {
        Record::Packet { stream, .. } => stream.0 == 2,
        Record::Event {
            event: JournalEvent::StreamAdded { stream },
            ..
        } => stream.number.0 == 2,
        Record::Event { .. } => true,
    });
    let bundle = Parts::of(&records).bundle();
    assert!(verify(&bundle, Some(&verifier())).holds());
    assert!(names(&bundle).iter().all(|name| !name.ends_with(".wav")));
}

#[test]
fn wideband_beside_narrowband_verifies() {
    let bundle = Parts::of(&call_with("G722")).bundle();
    let report = verify(&bundle, Some(&verifier()));
    assert!(report.holds(), "{:#?}", report.broken().collect::<Vec<_>>());
    let rate = |name| u32::from_le_bytes(*content(&bundle, name)[24..28].first_chunk().unwrap());
    assert_eq!(rate("audio/1.wav"), 8_000);
    assert_eq!(rate("audio/2.wav"), 16_000);
    assert_eq!(rate("audio/all.wav"), 16_000);
}

#[test]
fn who_hides_that_sound_could_not_be_decoded_is_found_out() {
    let parts = Parts::of(&call_with("EVS/16000"));
    let bundle = parts.bundle();
    let entries = zip::read(&bundle).unwrap();
    let without: Vec<_> = entries
        .iter()
        .copied()
        .filter(|(name, _)| *name != "audio/spans.json")
        .collect();
    let report = verify(&zip::write(&without).unwrap(), Some(&verifier()));
    assert!(report.broken().any(|finding| finding.check == Check::Sound));
    let mut spans: SoundSpans = from_canonical(content(&bundle, "audio/spans.json")).unwrap();
    spans.streams[0].spans.clear();
    let shorter = canonical_json(&spans).unwrap();
    let changed: Vec<_> = entries
        .iter()
        .map(|(name, bytes)| match *name {
            "audio/spans.json" => (*name, shorter.as_slice()),
            _ => (*name, *bytes),
        })
        .collect();
    let report = verify(&zip::write(&changed).unwrap(), Some(&verifier()));
    assert!(report.broken().any(|finding| finding.check == Check::Sound));
}
