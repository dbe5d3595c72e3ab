//! Bodies of the fuzz targets: each takes any bytes and must come back.
//!
//! They live here and not in the targets, so that the ordinary tests run them too.

use crate::audio::render;
use crate::bundle::BundleNote;
use crate::certificate::Certificate;
use crate::checkpoint::{Checkpoint, TlogProof};
use crate::cosignature::{Cosigner, CosignerKey};
use crate::digest::sha256;
use crate::journal::{ChunkReader, JournalEvent, PacketKind, Record};
use crate::key::{DataKey, KeyEncryptionKey, open_bytes, unwrap_key};
use crate::manifest::Manifest;
use crate::note::{Note, SigningKey, VerifierKey};
use crate::original::{self, EVENTS};
use crate::policy::{Policy, PolicyWitness};
use crate::receipt::Receipt;
use crate::segment::{CHAIN_START, SegmentReader};
use crate::timeline::{Timeline, TimelineBuilder, build};
use crate::timestamp::{Anchors, Question, is_policy};
use crate::tlog::{CompactRange, Leaf};
use crate::vcon::Algorithm;
use crate::witness::AddCheckpoint;
use voicelog_model::rtp::RtpPacket;
use voicelog_model::{
    Codec, DecisionId, Format, MediaStream, RecordingId, StreamNumber, Timestamp,
};

/// Reads a chunk, and builds the timeline of what it holds.
pub fn decode_chunk(data: &[u8]) {
    let mut timeline = TimelineBuilder::new();
    let Ok(mut reader) = ChunkReader::new(data) else {
        return;
    };
    while let Ok(Some(record)) = reader.next_record() {
        timeline.push_view(record);
    }
    let _timeline = timeline.finish();
}

/// Opens a segment with a key that did not seal it, whole and as the tail of a right header.
pub fn open_segment(data: &[u8]) {
    let (key, recording) = (
        DataKey::from_random([1; 32]),
        RecordingId::from_bytes([2; 16]),
    );
    let _opened = SegmentReader::open(&key, recording, 1, CHAIN_START, data);
    let (_, mut bytes) = crate::SegmentWriter::create(&key, recording, 1, CHAIN_START);
    bytes.extend_from_slice(data);
    let _opened = SegmentReader::open(&key, recording, 1, CHAIN_START, &bytes);
}

/// Opens a wrapped key and a sealed column.
pub fn open_key(data: &[u8]) {
    let (key, recording) = (
        DataKey::from_random([1; 32]),
        RecordingId::from_bytes([2; 16]),
    );
    let _key = unwrap_key(&[KeyEncryptionKey::new(1, [3; 32])], recording, data);
    let _column = open_bytes(&key, "fuzz", recording, data);
}

/// Reads the files of an original.
pub fn read_original(data: &[u8]) {
    let _packets = original::read_packets(StreamNumber(1), data);
    let _events = original::read_events(data);
    let framed = [original::header(EVENTS), data.to_vec()].concat();
    let _events = original::read_events(&framed);
}

/// Reads the canonical JSON documents.
pub fn read_documents(data: &[u8]) {
    let _manifest = Manifest::from_bytes(data);
    let _timeline = Timeline::from_bytes(data);
    let _leaf = Leaf::from_bytes(data);
    let _event = crate::from_canonical::<JournalEvent>(data);
    let _state = CompactRange::from_bytes(data);
}

/// Reads a note in all its uses.
pub fn read_note(data: &[u8]) {
    let Ok(key) = SigningKey::from_seed("fuzz.example", [1; 32]) else {
        return;
    };
    let _checkpoint = Checkpoint::verify(data, &key.verifier());
    let _certificate = Certificate::verify(data, &key.verifier());
    if let Ok(note) = Note::parse(data) {
        let _list = BundleNote::parse(note.unverified_text());
        let _checkpoint = Checkpoint::parse(note.unverified_text());
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _key = text.parse::<VerifierKey>();
        let _list = BundleNote::parse(text);
    }
}

/// Reads and verifies a proof.
pub fn read_proof(data: &[u8]) {
    let Ok(key) = SigningKey::from_seed("fuzz.example", [1; 32]) else {
        return;
    };
    if let Ok(proof) = TlogProof::parse(data) {
        let _checkpoint = proof.verify(&[0; 32], &key.verifier());
    }
}

/// What the timestamps of the samples are of, for [`read_timestamp`].
pub const STAMPED: &[u8] = b"voicelog/fuzz\n";

/// Verifies the answer of an authority. Behind it, from the first `-----BEGIN` on, are the certificates that are believed.
/// Tells whether the stamp is.
pub fn read_timestamp(data: &[u8]) -> bool {
    let begin = b"-----BEGIN";
    let behind = data.windows(begin.len()).position(|window| window == begin);
    let (answer, anchors) = data.split_at(behind.unwrap_or(data.len()));
    let question = Question {
        imprint: sha256(STAMPED),
        ..Question::default()
    };
    let text = std::str::from_utf8(anchors).unwrap_or_default();
    let _policy = is_policy(text);
    let anchors = Anchors::from_pem(text);
    anchors.is_ok_and(|anchors| question.verify(answer, &anchors).is_ok())
}

/// Reads what witnesses and whoever kept a receipt send: a receipt, a policy, a cosigned note, a request to cosign.
pub fn read_vouching(data: &[u8]) {
    let (Ok(log), Ok(witness)) = (
        SigningKey::from_seed("fuzz.example", [1; 32]),
        Cosigner::from_seed("witness.example", [2; 32]),
    ) else {
        return;
    };
    if let Ok(receipt) = Receipt::parse(data) {
        let _checkpoint = receipt.verify(&log.verifier());
        let _checkpoint = receipt.verify(&receipt.key);
    }
    let policy = Policy::parse(data);
    if let Ok(policy) = &policy {
        assert_eq!(
            Policy::parse(policy.to_string().as_bytes()).as_ref(),
            Ok(policy),
            "what is written is read as the same"
        );
    }
    if let Ok(note) = Note::parse(data) {
        let _signed = witness.verifier().verify(&note);
        let one = PolicyWitness {
            name: "one".to_owned(),
            key: witness.verifier(),
            url: None,
        };
        let _judged = Policy::new(log.verifier(), vec![one], 1).map(|policy| policy.judge(&note));
    }
    if let Ok(request) = AddCheckpoint::parse(data) {
        let _judged = request.judge(&[log.verifier()], None);
        let last = Checkpoint {
            origin: "fuzz.example".to_owned(),
            size: request.old,
            root: [0; 32],
        };
        let _judged = request.judge(&[log.verifier()], Some(&last));
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _key = text.parse::<CosignerKey>();
    }
}

/// Reads a signed vCon and checks its signature; a certificate, and the numbers of an RSA key.
pub fn read_vcon(data: &[u8]) {
    if let Ok(signed) = crate::vcon::Signed::parse(data) {
        let _holds = signed.verify();
        let payload = serde_json::from_slice(&signed.payload).unwrap_or_default();
        let _basis = crate::vcon::Basis::in_payload(&payload);
    }
    let _holds = crate::vcon::is_signed_by(data, Algorithm::Es256, data, data);
    let _holds = crate::vcon::is_signed_by(data, Algorithm::Rs256, data, data);
}

/// Reads the vCon of somebody else.
pub fn import_vcon(data: &[u8]) {
    if let Ok(vcon) = crate::vcon::import::read(data) {
        let _holds = vcon.is_signed() && vcon.holds();
    }
}

/// Reads a ZIP file.
pub fn read_zip(data: &[u8]) {
    let _files = crate::zip::read(data);
}

/// Verifies a bundle.
pub fn verify_bundle(data: &[u8]) {
    let _report = crate::verify(data, None);
}

/// The call of one stream that these bytes stand for, rendered. Each packet is its payload's
/// length, payload type (of those in `ENCODINGS`), bytes of sequence and time gone by, payload.
pub fn render_sound(data: &[u8]) {
    let records = call_of(data);
    let timeline = build(records.clone());
    is_covered(&timeline);
    let streams = render(records.iter().map(Record::as_view), &timeline).unwrap_or_default();
    for stream in &streams {
        let length = u128::from(timeline.length_us()) * u128::from(stream.rate) / 1_000_000;
        for channel in &stream.channels {
            assert_eq!(
                channel.len() as u128,
                length,
                "sound is as long as the call"
            );
        }
    }
}

/// Datagrams as they come from the wire (RTP, RTCP, keys as RFC 4733 has them, anything else), on a
/// stream of sound and keys. Each is its length, milliseconds gone by, and its bytes.
pub fn take_datagrams(data: &[u8]) {
    let mut records = beginning_of(&[(8, "PCMA"), (101, "telephone-event")]);
    let (mut rest, mut micros) = (data, 0_i64);
    while let Some((head, after)) = rest.split_first_chunk::<2>() {
        let [length, gone] = *head;
        let bytes = after.get(..usize::from(length)).unwrap_or(after);
        rest = after.get(bytes.len()..).unwrap_or_default();
        micros += i64::from(gone) * 1_000;
        let kind = if RtpPacket::is_rtcp(bytes) {
            PacketKind::Rtcp
        } else {
            PacketKind::Rtp
        };
        records.push(Record::Packet {
            stream: StreamNumber(1),
            arrived: Timestamp::from_micros(micros),
            kind,
            bytes: bytes.to_vec(),
        });
    }
    is_covered(&build(records));
}

/// The intervals of every stream adjoin and cover the call.
fn is_covered(timeline: &Timeline) {
    for stream in &timeline.streams {
        let mut end = 0;
        for interval in &stream.intervals {
            assert_eq!(interval.start_us, end, "intervals adjoin");
            end = interval.end_us;
        }
        assert_eq!(end, timeline.length_us(), "intervals cover the call");
    }
}

/// What the packets of [`render_sound`] can be, as payload types from 96 on.
const ENCODINGS: [&str; 12] = [
    "PCMU",
    "G722",
    "opus/48000/2",
    "L16/16000/2",
    "telephone-event",
    "CN",
    "EVS/16000",
    "AMR",
    "G729",
    "iLBC",
    "GSM",
    "L16/44100",
];

/// A call of one stream, permitted, that can be any of these.
fn beginning_of(encodings: &[(u8, &str)]) -> Vec<Record> {
    let formats: Vec<_> = encodings
        .iter()
        .filter_map(|(payload_type, encoding)| {
            Some(Format {
                codec: Codec::read(encoding)?,
                payload_type: *payload_type,
                parameters: None,
            })
        })
        .collect();
    let event = |event| Record::Event {
        at: Timestamp::from_micros(0),
        event,
    };
    let number = StreamNumber(1);
    let decision = DecisionId::from_bytes([1; 16]);
    let mut records = vec![event(JournalEvent::CallStarted {})];
    records.extend(
        MediaStream::of_formats(number, &formats)
            .map(|stream| event(JournalEvent::StreamAdded { stream })),
    );
    records.push(event(JournalEvent::Permitted { decision }));
    records
}

fn call_of(data: &[u8]) -> Vec<Record> {
    let encodings: Vec<_> = (96..).zip(ENCODINGS).collect();
    let mut records = beginning_of(&encodings);
    let number = StreamNumber(1);
    let (mut rest, mut sequence, mut timestamp, mut micros) = (data, 0_u16, 0_u32, 0_i64);
    while let Some((head, after)) = rest.split_first_chunk::<4>() {
        let [length, kind, skipped, gone] = *head;
        let payload = after.get(..usize::from(length)).unwrap_or(after);
        rest = after.get(payload.len()..).unwrap_or_default();
        sequence = sequence
            .wrapping_add(u16::from(skipped % 4))
            .wrapping_add(1);
        timestamp = timestamp.wrapping_add(u32::from(gone) * 40);
        micros += i64::from(gone) * 1_000;
        let mut bytes = vec![0x80, (kind & 0x80) | (96 + kind % 12)];
        bytes.extend_from_slice(&sequence.to_be_bytes());
        bytes.extend_from_slice(&timestamp.to_be_bytes());
        bytes.extend_from_slice(&[0, 0, 0, 1]);
        bytes.extend_from_slice(payload);
        records.push(Record::Packet {
            stream: number,
            arrived: Timestamp::from_micros(micros),
            kind: PacketKind::Rtp,
            bytes,
        });
    }
    records
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_bytes_make_anything_panic(data in proptest::collection::vec(any::<u8>(), 0..300)) {
            super::decode_chunk(&data);
            super::open_segment(&data);
            super::open_key(&data);
            super::read_original(&data);
            super::read_documents(&data);
            super::read_note(&data);
            super::read_proof(&data);
            super::read_timestamp(&data);
            super::read_vouching(&data);
            super::read_vcon(&data);
            super::import_vcon(&data);
            super::read_zip(&data);
            super::verify_bundle(&data);
            super::render_sound(&data);
        }
    }
}
