//! Taking out of a journal that nobody has yet what should not have come into it: packets that arrived
//! after the facts of a call had changed, read before the media thread was told.

use voicelog_archive::journal::{ChunkBuilder, ChunkReader, JournalEvent, PacketKind, RecordRef};
use voicelog_model::{StreamNumber, Timestamp};
use zeroize::Zeroizing;

/// Streams that packets were of which were taken out, once for each packet, with its kind.
pub(super) type TakenOut = Vec<(StreamNumber, PacketKind)>;

/// Takes out every packet that arrived at or after that moment; packets about keys that were left out
/// are gone with them.
pub(super) fn cut(journal: &mut ChunkBuilder, since: Timestamp) -> TakenOut {
    let chunk = Zeroizing::new(journal.take());
    copy_until(&chunk, since, journal)
}

/// The same of a chunk.
pub(super) fn cut_chunk(chunk: &mut Vec<u8>, since: Timestamp) -> TakenOut {
    let before = Zeroizing::new(std::mem::take(chunk));
    let mut rest = ChunkBuilder::new();
    let out = copy_until(&before, since, &mut rest);
    *chunk = rest.take();
    out
}

fn copy_until(chunk: &[u8], since: Timestamp, journal: &mut ChunkBuilder) -> TakenOut {
    let mut out = Vec::new();
    let Ok(mut records) = ChunkReader::new(chunk) else {
        return out;
    };
    while let Ok(Some(record)) = records.next_record() {
        let is_after = record.time() >= since;
        let kept = match record {
            RecordRef::Packet { stream, kind, .. } if is_after => {
                out.push((stream, kind));
                Ok(())
            }
            RecordRef::Event {
                event: JournalEvent::KeyLeftOut { .. },
                ..
            } if is_after => Ok(()),
            RecordRef::Packet {
                stream,
                arrived,
                kind,
                bytes,
            } => journal.push_packet(stream, arrived, kind, bytes),
            RecordRef::Event { at, event } => journal.push_event(at, event),
        };
        if let Err(error) = kept {
            tracing::error!(%error, "a record of the journal is lost");
        }
    }
    out
}
