//! The tree of a stream in a copy of a part: salts of the leaves that are shown, hashes of those that
//! are not.
//!
//! ```text
//! file = `VLOG-TRE` ‖ version (u16, 1) ‖ stream (u16) ‖ run*
//! run  = 0x01 ‖ leaves (u64) ‖ packets (u64) ‖ salt (32) for each leaf    leaves that are shown
//!      | 0x00 ‖ leaves (u64) ‖ hash (32) for each subtree                 leaves that are left out
//! ```

use super::extent::Held;
use crate::digest::Digest;
use crate::hashing::{Closed, settle};
use crate::journal::RecordRef;
use crate::original::OriginalError;
use crate::tlog::{CompactRange, root_of, whole_subtrees};
use crate::tree::{LeafNumbers, LeafSalts, leaf_hash_of};
use crate::wire::Reader;
use voicelog_model::StreamNumber;

const MAGIC: [u8; 8] = *b"VLOG-TRE";
const VERSION: u16 = 1;
const LEFT_OUT: u8 = 0;
const SHOWN: u8 = 1;

/// More leaves than any call has packets.
const LEAVES_MAX: u64 = 1 << 40;
/// Leaves that are hashed side by side.
const TOGETHER: usize = 64;

/// Writes the file of a stream.
pub(super) fn tree_file(
    tree_salt: &[u8; 32],
    stream: StreamNumber,
    packets: &[Held<'_>],
    is_shown: impl Fn(u64) -> bool,
) -> Result<Vec<u8>, OriginalError> {
    let mut out = [&MAGIC[..], &VERSION.to_be_bytes(), &stream.0.to_be_bytes()].concat();
    let mut salts = LeafSalts::new(tree_salt, stream);
    let leaves: Vec<&[Held<'_>]> = packets.chunk_by(|a, b| a.leaf == b.leaf).collect();
    let mut first = 0_u64;
    let shown = |leaf: &&[Held<'_>]| leaf.first().is_some_and(|held| is_shown(held.leaf));
    for run in leaves.chunk_by(|a, b| shown(a) == shown(b)) {
        let count = run.len() as u64;
        let is_shown = run.first().is_some_and(shown);
        out.push(if is_shown { SHOWN } else { LEFT_OUT });
        out.extend_from_slice(&count.to_be_bytes());
        let drawn: Vec<[u8; 32]> = run.iter().map(|_leaf| salts.take()).collect();
        if is_shown {
            let packets: usize = run.iter().map(|leaf| leaf.len()).sum();
            out.extend_from_slice(&(packets as u64).to_be_bytes());
            out.extend_from_slice(drawn.as_flattened());
        } else {
            let leaf = |(salt, (number, leaf)): (&[u8; 32], (u64, &&[Held<'_>]))| {
                let packets = leaf.iter().map(|held| (held.index, held.record.as_view()));
                leaf_hash_of(salt, stream, number, packets)
            };
            let hashes = digests(drawn.iter().zip((first..).zip(run)).map(leaf));
            let mut rest = hashes.as_slice();
            for level in whole_subtrees(first, count) {
                let size = 1_usize.checked_shl(level).unwrap_or(usize::MAX);
                let (subtree, behind) = rest.split_at(size.min(rest.len()));
                out.extend_from_slice(&root_of(subtree));
                rest = behind;
            }
        }
        first += count;
    }
    Ok(out)
}

fn digests(leaves: impl Iterator<Item = Closed>) -> Vec<[u8; 32]> {
    let mut leaves = leaves.peekable();
    let mut all = Vec::new();
    while leaves.peek().is_some() {
        let mut some: Vec<Closed> = leaves.by_ref().take(TOGETHER).collect();
        settle(some.iter_mut().map(Closed::hashing));
        all.extend(some.into_iter().map(Closed::digest));
    }
    all
}

/// What the file of a stream says, held against the packets that the copy has of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Root of the whole tree.
    pub(crate) root: Digest,
    /// Leaves of the whole tree.
    pub(crate) leaf_count: u64,
    /// Runs of leaves that are shown, in order.
    pub(crate) runs: Vec<ShownRun>,
}

/// Leaves that are shown, side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ShownRun {
    /// The first of them.
    pub(crate) first_leaf: u64,
    /// How many.
    pub(crate) leaf_count: u64,
    /// Place of their first packet among those that the copy has of the stream.
    pub(crate) first_packet: usize,
}

/// Why the file of a stream cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ShownError {
    /// Another file, or another stream's.
    #[error("this is no tree of this stream")]
    NotATree,
    /// Written by a newer voicelog.
    #[error("the tree has version {0}, which this program does not know")]
    Version(u16),
    /// Damaged, or not what a writer makes.
    #[error("the tree is malformed at byte {at}: {what}")]
    Malformed {
        /// Where reading stopped.
        at: usize,
        /// What is wrong there.
        what: &'static str,
    },
}

impl Shown {
    /// Reads the file of a stream and works out the root.
    pub(crate) fn read(
        stream: StreamNumber,
        bytes: &[u8],
        packets: &[(u64, RecordRef<'_>)],
    ) -> Result<Self, ShownError> {
        let mut reader = Reader::new(bytes);
        if reader.array() != Some(MAGIC) {
            return Err(ShownError::NotATree);
        }
        match reader.u16() {
            Some(VERSION) => {}
            Some(other) => return Err(ShownError::Version(other)),
            None => return Err(ShownError::NotATree),
        }
        if reader.u16() != Some(stream.0) {
            return Err(ShownError::NotATree);
        }
        let mut reading = Reading {
            stream,
            packets,
            taken: 0,
            range: CompactRange::new(),
            runs: Vec::new(),
        };
        let mut last = None;
        while !reader.is_empty() {
            let at = reader.at();
            let malformed = |what| ShownError::Malformed { at, what };
            let kind = reader.u8();
            if kind == last {
                return Err(malformed("two runs of one kind follow each other"));
            }
            last = kind;
            reading.run(&mut reader, kind).map_err(malformed)?;
        }
        if reading.taken != packets.len() {
            return Err(ShownError::Malformed {
                at: reader.at(),
                what: "there are packets of leaves that it does not show",
            });
        }
        Ok(Self {
            root: Digest(reading.range.root()),
            leaf_count: reading.range.size(),
            runs: reading.runs,
        })
    }

    /// The run that a packet of the copy is in, by its place.
    pub(crate) fn run_of(&self, packet: usize) -> Option<&ShownRun> {
        let behind = self.runs.partition_point(|run| run.first_packet <= packet);
        self.runs.get(behind.checked_sub(1)?)
    }

    /// What is left out: first leaf and number of leaves.
    pub(crate) fn left_out(&self) -> Vec<(u64, u64)> {
        let mut at = 0;
        let mut all = Vec::new();
        for (first, count) in self
            .runs
            .iter()
            .map(|run| (run.first_leaf, run.leaf_count))
            .chain([(self.leaf_count, 0)])
        {
            if first > at {
                all.push((at, first - at));
            }
            at = first + count;
        }
        all
    }
}

struct Reading<'p, 'a> {
    stream: StreamNumber,
    packets: &'p [(u64, RecordRef<'a>)],
    taken: usize,
    range: CompactRange,
    runs: Vec<ShownRun>,
}

impl Reading<'_, '_> {
    fn run(&mut self, reader: &mut Reader<'_>, kind: Option<u8>) -> Result<(), &'static str> {
        const CUT: &str = "it ends within a run";
        let count = reader.u64().ok_or(CUT)?;
        if count == 0 {
            return Err("a run has no leaf");
        }
        if count > LEAVES_MAX || self.range.size() > LEAVES_MAX {
            return Err("it has more leaves than a tree can have");
        }
        match kind {
            Some(LEFT_OUT) => {
                for level in whole_subtrees(self.range.size(), count) {
                    let root = reader.array().ok_or(CUT)?;
                    if !self.range.append_subtree(root, level) {
                        return Err("it has more leaves than a tree can have");
                    }
                }
                Ok(())
            }
            Some(SHOWN) => {
                let packets = usize::try_from(reader.u64().ok_or(CUT)?);
                let bytes = usize::try_from(count).ok().and_then(|n| n.checked_mul(32));
                let salts = bytes.and_then(|bytes| reader.take(bytes)).ok_or(CUT)?;
                let end = packets.ok().and_then(|n| self.taken.checked_add(n));
                let packets = end.and_then(|end| self.packets.get(self.taken..end));
                let packets = packets.ok_or("it shows more packets than there are")?;
                self.shown(salts.as_chunks::<32>().0, packets)
            }
            _ => Err("the kind of a run is unknown"),
        }
    }

    /// Hashes the leaves of the next packets, one for each salt.
    fn shown(
        &mut self,
        salts: &[[u8; 32]],
        packets: &[(u64, RecordRef<'_>)],
    ) -> Result<(), &'static str> {
        let first = self.range.size();
        self.runs.push(ShownRun {
            first_leaf: first,
            leaf_count: salts.len() as u64,
            first_packet: self.taken,
        });
        self.taken += packets.len();
        let mut numbers = LeafNumbers::from(first);
        let numbered: Vec<u64> = packets
            .iter()
            .map(|(_, record)| numbers.take(record.time()))
            .collect();
        let mut rest = packets;
        let leaves = numbered.chunk_by(|a, b| a == b);
        let counts: Vec<usize> = leaves.map(<[u64]>::len).collect();
        if counts.len() != salts.len() {
            return Err("its packets make another number of leaves");
        }
        let stream = self.stream;
        let leaf = |((number, salt), count): ((u64, &[u8; 32]), &usize)| {
            let (leaf, behind) = rest.split_at_checked(*count).unwrap_or((rest, &[]));
            rest = behind;
            leaf_hash_of(salt, stream, number, leaf.iter().copied())
        };
        for hash in digests((first..).zip(salts).zip(&counts).map(leaf)) {
            self.range.append(hash);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::sha256;

    #[test]
    fn subtrees_lead_to_the_root_of_the_whole() {
        let hash = |n: usize| sha256(&n.to_be_bytes());
        for size in 1..40_usize {
            let leaves: Vec<_> = (0..size).map(hash).collect();
            let spans = (0..size).flat_map(|first| (first + 1..=size).map(move |end| (first, end)));
            for (first, end) in spans {
                let mut range = CompactRange::new();
                leaves[..first].iter().for_each(|leaf| range.append(*leaf));
                let mut at = first;
                for level in whole_subtrees(first as u64, (end - first) as u64) {
                    let subtree = &leaves[at..at + (1 << level)];
                    assert!(range.append_subtree(root_of(subtree), level));
                    at += subtree.len();
                }
                assert_eq!(at, end);
                leaves[at..].iter().for_each(|leaf| range.append(*leaf));
                assert_eq!(
                    (range.size(), range.root()),
                    (size as u64, root_of(&leaves))
                );
            }
        }
    }

    #[test]
    fn no_subtree_starts_in_the_midst_of_another() {
        let mut range = CompactRange::new();
        range.append([1; 32]);
        assert!(!range.append_subtree([2; 32], 1));
        assert!(!range.append_subtree([2; 32], 64));
        assert!(range.append_subtree([2; 32], 0));
    }
}
