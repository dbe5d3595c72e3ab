//! What sealing costs by itself: the processor time that the recorder's own functions need for the same calls,
//! without sockets, signalling, law, disk and index.
//!
//! There is no recorder that does not seal, to subtract from one that does. So this is what sealing takes of the server's
//! time if it runs as fast there as alone. It counts on the high side in two places: the records of a chunk are read here for
//! the trees alone, and the server needs them for its timeline as well; and a checkpoint is signed for each call, where
//! the server signs one for all that end together.

use super::process;
use super::verification::{PACKET_MICROS, STARTED, STREAMS, packet};
use anyhow::Context as _;
use voicelog_evidence::segment::CHAIN_START;
use voicelog_evidence::{
    Checkpoint, ChunkBuilder, ChunkReader, DataKey, PacketKind, RecordRef, SegmentWriter,
    SigningKey, StreamTreeBuilder, tree,
};
use voicelog_model::limits::CHUNK_MILLIS;
use voicelog_model::{RecordingId, StreamNumber};

/// Recordings whose hashing is done side by side, as in the recorder's writer.
const TOGETHER: usize = 128;

/// One call as it is sealed.
struct Recording {
    segment: SegmentWriter,
    trees: Vec<StreamTreeBuilder>,
    records: u64,
    /// Sealed, and on its way to the disk.
    unwritten: Vec<u8>,
}

impl Recording {
    fn begin(number: u32) -> Self {
        let id = RecordingId::from_bytes(u128::from(number).to_be_bytes());
        let data_key = DataKey::from_random([0x11; 32]);
        let (segment, unwritten) = SegmentWriter::create(&data_key, id, 1, CHAIN_START);
        let streams = (1..=STREAMS).map(StreamNumber);
        let tree = |stream| StreamTreeBuilder::new(data_key.tree_salt(id), stream);
        Self {
            segment,
            trees: streams.map(tree).collect(),
            records: 0,
            unwritten,
        }
    }

    fn seal(&mut self, chunk: &[u8]) -> anyhow::Result<()> {
        self.unwritten.clear();
        self.segment.seal(chunk, &mut self.unwritten)?;
        let mut records = ChunkReader::new(chunk)?;
        while let Some(record) = records.next_record()? {
            if let RecordRef::Packet { stream, .. } = record {
                let tree = self.trees.get_mut(usize::from(stream.0) - 1);
                tree.context("no such stream")?.push(self.records, record);
            }
            self.records += 1;
        }
        Ok(())
    }

    fn end(self, key: &SigningKey) -> anyhow::Result<()> {
        let roots = self.trees.into_iter().map(|tree| tree.finish().root);
        std::hint::black_box(roots.collect::<Vec<_>>());
        std::hint::black_box(Checkpoint::sign(1, self.segment.chain(), key)?);
        Ok(())
    }
}

/// Processor seconds for sealing that many calls of that many seconds, from their chunks on.
pub(crate) fn measure(calls: u32, seconds: u32) -> anyhow::Result<f64> {
    let key = SigningKey::from_seed("voicelog/bench", [0x22; 32])?;
    let mut recordings: Vec<Recording> = (0..calls).map(Recording::begin).collect();
    let packets_each = u32::try_from(CHUNK_MILLIS * 1_000)? / u32::try_from(PACKET_MICROS)?;
    let mut used = 0.0;
    let mut next = 0;
    for _ in 0..u64::from(seconds) * 1_000 / CHUNK_MILLIS {
        let chunk = chunk_of(next..next + packets_each)?;
        next += packets_each;
        // To each its own, as they come from the network.
        let chunks = vec![chunk; recordings.len()];
        used += timed(|| {
            for (some, chunks) in recordings.chunks_mut(TOGETHER).zip(chunks.chunks(TOGETHER)) {
                seal_together(some, chunks)?;
            }
            Ok(())
        })?;
    }
    used += timed(|| recordings.into_iter().try_for_each(|one| one.end(&key)))?;
    Ok(used)
}

fn seal_together(recordings: &mut [Recording], chunks: &[Vec<u8>]) -> anyhow::Result<()> {
    let (mut trees, mut files) = (Vec::new(), Vec::new());
    for (recording, chunk) in recordings.iter_mut().zip(chunks) {
        recording.seal(chunk)?;
        files.push(recording.segment.hashing());
        trees.extend(&mut recording.trees);
    }
    tree::settle_all(&mut trees, files);
    Ok(())
}

fn timed(work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let begun = process::own_thread_seconds()?;
    work()?;
    Ok(process::own_thread_seconds()? - begun)
}

/// What both streams of a call bring between two commits.
fn chunk_of(numbers: std::ops::Range<u32>) -> anyhow::Result<Vec<u8>> {
    let mut chunk = ChunkBuilder::new();
    for n in numbers {
        let arrived = STARTED.plus_micros(i64::from(n) * PACKET_MICROS);
        for stream in (1..=STREAMS).map(StreamNumber) {
            chunk.push_packet(stream, arrived, PacketKind::Rtp, &packet(stream, n))?;
        }
    }
    Ok(chunk.take())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chunks_of_a_call_are_sealed_one_after_the_other() {
        let mut recordings: Vec<Recording> = (0..3).map(Recording::begin).collect();
        for from in [0, 15] {
            let chunk = chunk_of(from..from + 15).unwrap();
            seal_together(&mut recordings, &vec![chunk; 3]).unwrap();
        }
        for recording in &recordings {
            assert_eq!(
                (recording.segment.chunk_count(), recording.records),
                (2, 60)
            );
        }
        let [one, other, _] = &recordings[..] else {
            panic!("three recordings");
        };
        assert_ne!(one.segment.chain(), other.segment.chain());
    }
}
