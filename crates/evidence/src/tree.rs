//! The Merkle tree over one stream: short salted leaves, so that an excerpt can be proven.
//!
//! A leaf is a run of packets whose arrivals lie less than [`LEAF_MICROS_MAX`] after the first of
//! the run. Its hash covers a salt of its own, so that whoever holds only a part of the stream
//! cannot guess the rest from the hashes beside it.

use crate::digest::KeyDerivation;
use crate::journal::{PacketKind, RecordRef};
use crate::original::packet_frame_header;
use crate::tlog::CompactRange;
use sha2::{Digest as _, Sha256};
use voicelog_model::limits::LEAF_MICROS_MAX;
use voicelog_model::{StreamNumber, Timestamp};

/// The tree of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamTree {
    /// How many leaves it has.
    pub leaf_count: u64,
    /// Its root (RFC 6962 §2.1); of a stream without packets, the hash of nothing.
    pub root: [u8; 32],
}

/// Builds the tree of one stream, packet by packet. It keeps no more than one hash for each level
/// of the tree, so that it can be built while a call goes on.
#[derive(Debug, Clone)]
pub struct StreamTreeBuilder {
    stream: StreamNumber,
    salts: KeyDerivation,
    open: Option<OpenLeaf>,
    range: CompactRange,
}

#[derive(Debug, Clone)]
struct OpenLeaf {
    started: Timestamp,
    hasher: Sha256,
}

impl StreamTreeBuilder {
    /// Starts the tree of a stream; `tree_salt` is [`crate::DataKey::tree_salt`].
    #[must_use]
    pub fn new(tree_salt: [u8; 32], stream: StreamNumber) -> Self {
        Self {
            stream,
            salts: KeyDerivation::from_key(&tree_salt),
            open: None,
            range: CompactRange::new(),
        }
    }

    /// Adds a record with its index in the journal. Events and packets of other streams are
    /// passed over, so that a whole journal can be pushed.
    pub fn push(&mut self, index: u64, record: RecordRef<'_>) {
        if let RecordRef::Packet {
            stream,
            arrived,
            kind,
            bytes,
        } = record
            && stream == self.stream
        {
            self.push_packet(index, arrived, kind, bytes);
        }
    }

    /// Adds a packet of the stream.
    pub fn push_packet(&mut self, index: u64, arrived: Timestamp, kind: PacketKind, bytes: &[u8]) {
        let fits =
            |leaf: &OpenLeaf| (0..LEAF_MICROS_MAX).contains(&arrived.micros_since(leaf.started));
        if !self.open.as_ref().is_some_and(fits) {
            self.close_leaf();
            let hasher = leaf_hasher(&self.salts, self.stream, self.range.size());
            self.open = Some(OpenLeaf {
                started: arrived,
                hasher,
            });
        }
        if let Some(leaf) = &mut self.open {
            leaf.hasher
                .update(packet_frame_header(index, arrived, kind, bytes));
            leaf.hasher.update(bytes);
        }
    }

    /// The tree.
    #[must_use]
    pub fn finish(mut self) -> StreamTree {
        self.close_leaf();
        StreamTree {
            root: self.range.root(),
            leaf_count: self.range.size(),
        }
    }

    fn close_leaf(&mut self) {
        if let Some(leaf) = self.open.take() {
            self.range.append(leaf.hasher.finalize().into());
        }
    }
}

/// The salt of one leaf: HKDF-SHA-256 of the tree salt, `info` = `voicelog/v1/leaf-salt` ‖ 0 ‖
/// stream (2) ‖ number of the leaf from 0 (8).
fn leaf_salt(tree_salt: &KeyDerivation, stream: StreamNumber, leaf: u64) -> [u8; 32] {
    let place = (stream.0.to_be_bytes(), leaf.to_be_bytes());
    tree_salt.derive(&[b"voicelog/v1/leaf-salt", &[0], &place.0, &place.1])
}

/// A leaf's hash starts with 0 (RFC 6962 §2.1) ‖ salt ‖ stream (2) ‖ number of the leaf (8).
fn leaf_hasher(tree_salt: &KeyDerivation, stream: StreamNumber, leaf: u64) -> Sha256 {
    Sha256::new()
        .chain_update([0])
        .chain_update(leaf_salt(tree_salt, stream, leaf))
        .chain_update(stream.0.to_be_bytes())
        .chain_update(leaf.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::sha256;
    use crate::original::put_record;
    use crate::tlog::root_of;

    const STREAM: StreamNumber = StreamNumber(2);

    fn packets(arrivals: &[i64]) -> Vec<(u64, Timestamp, Vec<u8>)> {
        let numbered = arrivals.iter().enumerate();
        numbered
            .map(|(at, micros)| {
                (
                    at as u64 * 3,
                    Timestamp::from_micros(*micros),
                    vec![7; at + 1],
                )
            })
            .collect()
    }

    fn tree(arrivals: &[i64]) -> StreamTree {
        let mut builder = StreamTreeBuilder::new([5; 32], STREAM);
        for (index, arrived, bytes) in packets(arrivals) {
            builder.push_packet(index, arrived, PacketKind::Rtp, &bytes);
        }
        builder.finish()
    }

    #[test]
    fn a_leaf_spans_less_than_its_limit() {
        assert_eq!(tree(&[0, 20_000, 99_999]).leaf_count, 1);
        assert_eq!(tree(&[0, 20_000, 100_000]).leaf_count, 2);
        assert_eq!(
            tree(&[50_000, 49_999]).leaf_count,
            2,
            "time that goes back starts a leaf"
        );
        assert_eq!(tree(&[]).root, sha256(b""));
    }

    #[test]
    fn a_leaf_is_what_the_document_says() {
        let arrivals = [10, 20, 300_000, 300_050, 900_000];
        let salts = KeyDerivation::from_key(&[5; 32]);
        let mut packets = packets(&arrivals).into_iter();
        let leaves = [2, 2, 1].into_iter().zip(0_u64..).map(|(count, leaf)| {
            let mut content = vec![0];
            content.extend(leaf_salt(&salts, STREAM, leaf));
            content.extend([0, 2]);
            content.extend(leaf.to_be_bytes());
            for (index, arrived, bytes) in packets.by_ref().take(count) {
                let record = RecordRef::Packet {
                    stream: STREAM,
                    arrived,
                    kind: PacketKind::Rtp,
                    bytes: &bytes,
                };
                put_record(index, record, &mut content).unwrap();
            }
            sha256(&content)
        });
        let leaves: Vec<_> = leaves.collect();
        assert_eq!(tree(&arrivals).root, root_of(&leaves));
    }

    #[test]
    fn every_packet_stream_and_salt_changes_the_root() {
        let mut roots = vec![tree(&[0, 1]).root, tree(&[0, 2]).root, tree(&[0]).root];
        for (salt, stream, kind, index) in [
            ([6; 32], STREAM, PacketKind::Rtp, 0),
            ([5; 32], StreamNumber(3), PacketKind::Rtp, 0),
            ([5; 32], STREAM, PacketKind::Rtcp, 0),
            ([5; 32], STREAM, PacketKind::Rtp, 1),
        ] {
            let mut builder = StreamTreeBuilder::new(salt, stream);
            let arrived = Timestamp::from_micros(0);
            builder.push(
                index,
                RecordRef::Packet {
                    stream,
                    arrived,
                    kind,
                    bytes: &[7],
                },
            );
            let other = StreamNumber(9);
            builder.push(
                5,
                RecordRef::Packet {
                    stream: other,
                    arrived,
                    kind,
                    bytes: &[7],
                },
            );
            roots.push(builder.finish().root);
        }
        let count = roots.len();
        roots.sort_unstable();
        roots.dedup();
        assert_eq!(roots.len(), count);
    }
}
