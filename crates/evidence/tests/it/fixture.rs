//! One small recording, made the way the archive makes it. The same every time.

use voicelog_evidence::bundle::{self, BundleInput, BundleNote, Papers};
use voicelog_evidence::digest::sha256;
use voicelog_evidence::manifest;
use voicelog_evidence::segment::CHAIN_START;
use voicelog_evidence::tlog::{commitment, inclusion_proof, leaf_hash, root_of};
use voicelog_evidence::{
    Cause, Checkpoint, ChunkBuilder, DataKey, Digest, Ground, Inventory, InventoryBuilder,
    JournalEvent, Leaf, LeafKind, Manifest, Note, PacketKind, Provenance, Record, SegmentEntry,
    SegmentReader, SegmentWriter, SigningKey, TlogProof, VerifierKey, canonical_json, decode_chunk,
    zip,
};
use voicelog_model::{Codec, DecisionId, MediaStream, RecordingId, StreamNumber, Timestamp};

/// 2026-11-21T10:02:00Z.
const STARTED: Timestamp = Timestamp::from_micros(1_795_255_320_000_000);

pub(crate) const fn recording_starts() -> Timestamp {
    STARTED
}

pub(crate) fn recording() -> RecordingId {
    RecordingId::new(STARTED, [7; 10])
}

pub(crate) fn data_key() -> DataKey {
    DataKey::from_random([0x11; 32])
}

pub(crate) fn archive_key() -> SigningKey {
    SigningKey::from_seed("archief.example/opnamen", [0x22; 32]).unwrap()
}

pub(crate) fn verifier() -> VerifierKey {
    archive_key().verifier()
}

/// A call of `streams` streams: refused at first, permitted after 40 ms, then `packets` packets of
/// 20 ms on each stream, of which the third is lost.
pub(crate) fn records(streams: u16, packets: u16) -> Vec<Record> {
    let at = |ms: i64, event| Record::Event {
        at: STARTED.plus_micros(ms * 1_000),
        event,
    };
    let mut records = vec![at(0, JournalEvent::CallStarted {})];
    for number in 1..=streams {
        let stream = MediaStream {
            number: StreamNumber(number),
            label: Some(format!("{}", 95 + number)),
            codec: if number % 2 == 1 {
                Codec::Pcma
            } else {
                Codec::Pcmu
            },
            payload_type: if number % 2 == 1 { 8 } else { 0 },
            parameters: None,
            also: vec![],
            party: Some(format!("p{number}")),
        };
        records.push(at(0, JournalEvent::StreamAdded { stream }));
    }
    let ground = Ground {
        rule: "de-stgb-201".into(),
        articles: vec!["§ 201 StGB".into()],
        text_nl: "geen toestemming".into(),
        text_en: "no consent".into(),
    };
    records.push(at(
        1,
        JournalEvent::NotPermitted {
            decision: DecisionId::from_bytes([1; 16]),
            outcome: "forbidden_criminal".into(),
            reasons: vec![ground],
        },
    ));
    records.push(at(
        40,
        JournalEvent::Permitted {
            decision: DecisionId::from_bytes([2; 16]),
        },
    ));
    for n in (0..packets).filter(|n| *n != 2) {
        for stream in 1..=streams {
            let arrived =
                STARTED.plus_micros(60_000 + i64::from(n) * 20_000 + i64::from(stream * 7));
            let bytes = packet(stream, n);
            let stream = StreamNumber(stream);
            records.push(Record::Packet {
                stream,
                arrived,
                kind: PacketKind::Rtp,
                bytes,
            });
        }
    }
    let end = 60 + i64::from(packets) * 20;
    records.push(at(
        end,
        JournalEvent::CallEnded {
            cause: Cause::RecordingClient,
        },
    ));
    records
}

/// The n-th packet of a stream: a tone that differs for each stream.
pub(crate) fn packet(stream: u16, n: u16) -> Vec<u8> {
    let mut bytes = vec![0x80, if stream % 2 == 1 { 8 } else { 0 }];
    bytes.extend_from_slice(&n.wrapping_add(65_534).to_be_bytes());
    bytes.extend_from_slice(&(u32::from(n) * 160).wrapping_sub(320).to_be_bytes());
    bytes.extend_from_slice(&(0xcafe_0000 + u32::from(stream)).to_be_bytes());
    bytes.extend((0..160_u16).map(|i| {
        let phase = n
            .wrapping_mul(160)
            .wrapping_add(i)
            .wrapping_mul(stream * 3 + 8)
            % 64;
        u8::try_from(if phase < 32 { 0x80 + phase } else { phase }).unwrap()
    }));
    bytes
}

/// The recording as stored: one segment of two chunks.
pub(crate) fn segment(records: &[Record]) -> (Vec<u8>, [u8; 32]) {
    let (mut writer, mut bytes) = SegmentWriter::create(&data_key(), recording(), 1, CHAIN_START);
    for half in records.chunks(records.len().div_ceil(2)) {
        writer.seal(&chunk(half), &mut bytes).unwrap();
    }
    (bytes, writer.chain())
}

pub(crate) fn chunk(records: &[Record]) -> Vec<u8> {
    let mut builder = ChunkBuilder::new();
    for record in records {
        match record {
            Record::Packet {
                stream,
                arrived,
                kind,
                bytes,
            } => {
                builder
                    .push_packet(*stream, *arrived, *kind, bytes)
                    .unwrap();
            }
            Record::Event { at, event } => builder.push_event(*at, event).unwrap(),
        }
    }
    builder.take()
}

pub(crate) fn inventory(records: &[Record]) -> Inventory {
    let mut builder = InventoryBuilder::new(data_key().tree_salt(recording()));
    for record in records {
        builder.push(record.as_view()).unwrap();
    }
    builder.finish()
}

/// Everything that a bundle is made of; tests change a part and build again.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) records: Vec<Record>,
    pub(crate) inventory: Inventory,
    pub(crate) manifest: Manifest,
    pub(crate) decision: Vec<u8>,
    pub(crate) leaf: Leaf,
    pub(crate) proof: TlogProof,
}

impl Parts {
    pub(crate) fn new(streams: u16, packets: u16) -> Self {
        Self::of(&records(streams, packets))
    }

    pub(crate) fn of(records: &[Record]) -> Self {
        let (segment, _chain) = segment(records);
        let opened =
            SegmentReader::open(&data_key(), recording(), 1, CHAIN_START, &segment).unwrap();
        let records: Vec<_> = opened
            .chunks
            .iter()
            .flat_map(|chunk| decode_chunk(chunk).unwrap())
            .collect();
        let inventory = inventory(&records);
        let rulebook = Digest([0x33; 32]);
        let decision = serde_json::json!({
            "outcome": "permitted_with_duties", "rulebook": { "id": "nl", "hash": rulebook },
        });
        let decision = canonical_json(&decision).unwrap();
        let timeline = inventory.timeline.to_bytes().unwrap();
        let entry = SegmentEntry {
            number: 1,
            byte_len: segment.len() as u64,
            sha256: Digest::of(&segment),
        };
        let manifest = Manifest {
            version: manifest::VERSION,
            recording: recording(),
            provenance: Provenance::Phone,
            call_started: inventory.timeline.call_started,
            call_ended: inventory.timeline.call_ended,
            streams: inventory.stream_entries(),
            segments: vec![entry],
            record_count: inventory.record_count,
            events_sha256: inventory.events_sha256,
            timeline_sha256: Digest::of(&timeline),
            decision_sha256: Digest::of(&decision),
            rulebook_hash: rulebook,
            verdict: inventory.timeline.verdict,
            tool: "voicelog 0.1.0".into(),
        };
        let (leaf, proof) = logged(&manifest);
        Self {
            records,
            inventory,
            manifest,
            decision,
            leaf,
            proof,
        }
    }

    pub(crate) fn bundle(&self) -> Vec<u8> {
        self.bundle_signed_by(&archive_key())
    }

    pub(crate) fn bundle_signed_by(&self, key: &SigningKey) -> Vec<u8> {
        bundle::pack(&self.input(), key).unwrap()
    }

    pub(crate) fn input(&self) -> BundleInput<'_> {
        BundleInput {
            manifest: &self.manifest,
            timeline: &self.inventory.timeline,
            decision: &self.decision,
            records: &self.records,
            commitment_salt: data_key().commitment_salt(recording()),
            tree_salt: data_key().tree_salt(recording()),
            leaf: &self.leaf,
            proof: &self.proof,
            made_at: STARTED.plus_micros(3_600_000_000),
            part: None,
            basis: None,
            vcon_signer: None,
            papers: Papers::default(),
        }
    }
}

/// A bundle with other contents, listed and signed again by the archive's own key: what an archive that
/// lies could make.
pub(crate) fn signed_again(
    bundle: &[u8],
    change: impl FnOnce(&mut Vec<(String, Vec<u8>)>),
) -> Vec<u8> {
    let read = zip::read(bundle).unwrap();
    let note = Note::parse(read[0].1).unwrap();
    let mut note = BundleNote::parse(note.unverified_text()).unwrap();
    let owned = |(name, bytes): &(&str, &[u8])| ((*name).to_owned(), bytes.to_vec());
    let mut files: Vec<_> = read[1..].iter().map(owned).collect();
    change(&mut files);
    let listed = files
        .iter()
        .map(|(name, bytes)| (name.clone(), Digest::of(bytes)));
    note.files = listed.collect();
    let signed = archive_key().sign(&note.to_string()).unwrap();
    let files = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    let entries: Vec<_> = [("bundle.note", signed.as_bytes())]
        .into_iter()
        .chain(files)
        .collect();
    zip::write(&entries).unwrap()
}

/// A log of six entries, of which the fourth commits to the manifest, a second after the call.
pub(crate) fn logged(manifest: &Manifest) -> (Leaf, TlogProof) {
    logged_at(manifest, manifest.call_ended.plus_micros(1_000_000))
}

/// The same, at a moment that the archive says.
pub(crate) fn logged_at(manifest: &Manifest, at: Timestamp) -> (Leaf, TlogProof) {
    let salt = data_key().commitment_salt(recording());
    let committed = commitment(&salt, &sha256(&manifest.to_bytes().unwrap()));
    let leaf = Leaf::new(LeafKind::Recorded, at, recording().to_string(), committed);
    let mut hashes: Vec<_> = (0..6_u8).map(|n| leaf_hash(&[n])).collect();
    hashes[3] = leaf.hash().unwrap();
    let checkpoint = Checkpoint::sign(6, root_of(&hashes), &archive_key()).unwrap();
    let proof = TlogProof {
        index: 3,
        hashes: inclusion_proof(&hashes, 3, 6).unwrap(),
        checkpoint,
    };
    (leaf, proof)
}
