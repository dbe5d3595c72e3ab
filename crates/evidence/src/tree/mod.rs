//! The Merkle tree over one stream: short salted leaves, so that an excerpt can be proven.
//!
//! A leaf is a run of packets whose arrivals lie less than [`LEAF_MICROS_MAX`] after the first of
//! the run. Its hash covers a salt of its own, so that whoever holds only a part of the stream
//! cannot guess the rest from the hashes beside it.

mod salts;

pub(crate) use salts::LeafSalts;

use crate::hashing::{Closed, Hashing, settle};
use crate::journal::{PacketKind, RecordRef};
use crate::original::packet_frame_header;
use crate::tlog::CompactRange;
use voicelog_model::limits::LEAF_MICROS_MAX;
use voicelog_model::{StreamNumber, Timestamp};

/// What waits to be hashed at most, in bytes; beyond it a tree does not wait for others.
const WAITING_BYTES_MAX: usize = 64 * 1024;

/// What a leaf of an ordinary stream takes, in bytes: five packets of G.711, and what goes before.
const LEAF_BYTES_USUAL: usize = 1_100;

/// The tree of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamTree {
    /// How many leaves it has.
    pub leaf_count: u64,
    /// Its root (RFC 6962 §2.1); of a stream without packets, the hash of nothing.
    pub root: [u8; 32],
}

/// Builds the tree of one stream, packet by packet. It keeps no more than one hash for each level
/// of the tree, and what waits to be hashed, so that it can be built while a call goes on.
#[derive(Clone)]
pub struct StreamTreeBuilder {
    stream: StreamNumber,
    salts: LeafSalts,
    open: Option<OpenLeaf>,
    /// Leaves that are complete and not in the tree yet.
    closed: Vec<Closed>,
    range: CompactRange,
    waiting_bytes: usize,
}

#[derive(Clone)]
struct OpenLeaf {
    started: Timestamp,
    hashing: Hashing,
}

impl StreamTreeBuilder {
    /// Starts the tree of a stream; `tree_salt` is [`crate::DataKey::tree_salt`].
    #[must_use]
    pub fn new(tree_salt: [u8; 32], stream: StreamNumber) -> Self {
        Self {
            stream,
            salts: LeafSalts::new(&tree_salt, stream),
            open: None,
            closed: Vec::new(),
            range: CompactRange::new(),
            waiting_bytes: 0,
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

    /// Adds a packet of the stream. It is hashed later, with others ([`settle_all`]).
    pub fn push_packet(&mut self, index: u64, arrived: Timestamp, kind: PacketKind, bytes: &[u8]) {
        if !self
            .open
            .as_ref()
            .is_some_and(|leaf| fits(leaf.started, arrived))
        {
            self.close_leaf();
            let number = self.range.size() + self.closed.len() as u64;
            self.open = Some(OpenLeaf {
                started: arrived,
                hashing: leaf(&self.salts.take(), self.stream, number),
            });
        }
        if let Some(leaf) = &mut self.open {
            let header = packet_frame_header(index, arrived, kind, bytes);
            leaf.hashing.put(&header);
            leaf.hashing.put(bytes);
            self.waiting_bytes += header.len() + bytes.len();
        }
        if self.waiting_bytes > WAITING_BYTES_MAX {
            settle_all(&mut [self], []);
        }
    }

    /// The tree.
    #[must_use]
    pub fn finish(mut self) -> StreamTree {
        self.close_leaf();
        settle_all(&mut [&mut self], []);
        StreamTree {
            root: self.range.root(),
            leaf_count: self.range.size(),
        }
    }

    fn close_leaf(&mut self) {
        if let Some(leaf) = self.open.take() {
            self.closed.push(leaf.hashing.close());
        }
    }

    fn hashings(&mut self) -> impl Iterator<Item = &mut Hashing> {
        let open = self.open.as_mut().map(|leaf| &mut leaf.hashing);
        self.closed.iter_mut().map(Closed::hashing).chain(open)
    }
}

impl std::fmt::Debug for StreamTreeBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let leaves = self.range.size() + self.closed.len() as u64;
        write!(f, "StreamTreeBuilder({}, {leaves} leaves)", self.stream)
    }
}

/// Hashes what waits in all these trees, and in `others`, side by side. Each tree is the same whether it
/// was settled with others, alone, or not before its end.
pub fn settle_all<'a>(
    trees: &mut [&mut StreamTreeBuilder],
    others: impl IntoIterator<Item = &'a mut Hashing>,
) {
    let of_trees = trees.iter_mut().flat_map(|tree| tree.hashings());
    let mut all: Vec<&mut Hashing> = others.into_iter().collect();
    settle(all.drain(..).chain(of_trees));
    let grown = trees.iter_mut().map(|tree| {
        tree.waiting_bytes = 0;
        let leaves = std::mem::take(&mut tree.closed).into_iter();
        (&mut tree.range, leaves.map(Closed::digest))
    });
    CompactRange::append_all(grown);
}

/// Whether a packet belongs to the leaf whose first packet arrived then.
fn fits(leaf_started: Timestamp, arrived: Timestamp) -> bool {
    (0..LEAF_MICROS_MAX).contains(&arrived.micros_since(leaf_started))
}

/// Numbers the leaves of one stream, from 0, or from any leaf whose first packet is the first that is taken.
#[derive(Debug, Default)]
pub(crate) struct LeafNumbers {
    open: Option<(u64, Timestamp)>,
}

impl LeafNumbers {
    /// Leaves from that number on.
    pub(crate) const fn from(first: u64) -> Self {
        // As if the leaf before had ended in the future: no packet belongs to it.
        Self {
            open: match first.checked_sub(1) {
                Some(before) => Some((before, Timestamp::from_micros(i64::MAX))),
                None => None,
            },
        }
    }

    /// The leaf of the next packet.
    pub(crate) fn take(&mut self, arrived: Timestamp) -> u64 {
        let number = match self.open {
            Some((number, started)) if fits(started, arrived) => return number,
            Some((number, _)) => number.saturating_add(1),
            None => 0,
        };
        self.open = Some((number, arrived));
        number
    }
}

/// The hash of a leaf of these packets, each with its index.
pub(crate) fn leaf_hash_of<'a>(
    salt: &[u8; 32],
    stream: StreamNumber,
    number: u64,
    packets: impl IntoIterator<Item = (u64, RecordRef<'a>)>,
) -> Closed {
    let mut leaf = leaf(salt, stream, number);
    for (index, record) in packets {
        if let RecordRef::Packet {
            arrived,
            kind,
            bytes,
            ..
        } = record
        {
            leaf.put(&packet_frame_header(index, arrived, kind, bytes));
            leaf.put(bytes);
        }
    }
    leaf.close()
}

/// A leaf's hash starts with 0 (RFC 6962 §2.1) ‖ salt ‖ stream (2) ‖ number of the leaf (8).
fn leaf(salt: &[u8; 32], stream: StreamNumber, number: u64) -> Hashing {
    let mut leaf = Hashing::new();
    leaf.reserve(LEAF_BYTES_USUAL);
    leaf.put(&[0]);
    leaf.put(salt);
    leaf.put(&stream.0.to_be_bytes());
    leaf.put(&number.to_be_bytes());
    leaf
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
        let mut salts = LeafSalts::new(&[5; 32], STREAM);
        let mut packets = packets(&arrivals).into_iter();
        let leaves = [2, 2, 1].into_iter().zip(0_u64..).map(|(count, leaf)| {
            let mut content = vec![0];
            content.extend(salts.take());
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
