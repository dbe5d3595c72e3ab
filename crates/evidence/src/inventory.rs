//! Everything that follows from the records of a journal: timeline, trees, hash of the events.
//!
//! The archive takes this inventory when a call ends, recovery takes it after a crash, and a
//! verifier takes it again from a bundle: one function, so that what was stated can be compared
//! with what is there.

use crate::digest::Digest;
use crate::journal::RecordRef;
use crate::manifest::StreamEntry;
use crate::original::{self, EVENTS, OriginalError};
use crate::timeline::{Assembly, Placed, Timeline};
use crate::tree::{StreamTree, StreamTreeBuilder};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use voicelog_model::StreamNumber;

/// What follows from the records of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// The timeline.
    pub timeline: Timeline,
    /// The tree of every stream that the timeline has.
    pub trees: BTreeMap<StreamNumber, StreamTree>,
    /// Hash of the file of events.
    pub events_sha256: Digest,
    /// Number of records.
    pub record_count: u64,
}

impl Inventory {
    /// The streams as a manifest lists them.
    #[must_use]
    pub fn stream_entries(&self) -> Vec<StreamEntry> {
        let entry = |timeline: &crate::timeline::StreamTimeline| {
            let stream = &timeline.stream;
            let tree = self.trees.get(&stream.number);
            StreamEntry {
                number: stream.number,
                label: stream.label.clone(),
                codec: stream.codec.clone(),
                payload_type: stream.payload_type,
                parameters: stream.parameters.clone(),
                also: stream.also.clone(),
                party: stream.party.clone(),
                root: Digest(tree.map_or(crate::tlog::EMPTY_ROOT, |tree| tree.root)),
                leaf_count: tree.map_or(0, |tree| tree.leaf_count),
                packets: timeline.packets,
                payload_bytes: timeline.payload_bytes,
            }
        };
        self.timeline.streams.iter().map(entry).collect()
    }
}

/// Takes the inventory record by record, in the order of the journal. Memory grows with the
/// number of intervals, not with the number of packets.
#[derive(Debug)]
pub struct InventoryBuilder<T = ()> {
    tree_salt: [u8; 32],
    timeline: Assembly<T>,
    /// Boxed: a map keeps room for eleven in one piece, and a call has two.
    trees: BTreeMap<StreamNumber, Box<StreamTreeBuilder>>,
    events: Sha256,
    frame: Vec<u8>,
    record_count: u64,
}

impl InventoryBuilder {
    /// Nothing yet; `tree_salt` is [`crate::DataKey::tree_salt`].
    #[must_use]
    pub fn new(tree_salt: [u8; 32]) -> Self {
        Self::tagged(tree_salt)
    }

    /// Adds the next record. Fails only for an event that has no canonical JSON, which no journal
    /// holds.
    pub fn push(&mut self, record: RecordRef<'_>) -> Result<(), OriginalError> {
        self.push_tagged(record, (), &mut |_placed| {})
    }

    /// The inventory of the records so far.
    #[must_use]
    pub fn finish(self) -> Inventory {
        self.finish_tagged(&mut |_placed| {})
    }
}

impl<T: Copy> InventoryBuilder<T> {
    /// Nothing yet, of records that each have a tag: it is given back when the record finds its place among the sound.
    pub(crate) fn tagged(tree_salt: [u8; 32]) -> Self {
        Self {
            tree_salt,
            timeline: Assembly::default(),
            trees: BTreeMap::new(),
            events: Sha256::new().chain_update(original::header(EVENTS)),
            frame: Vec::new(),
            record_count: 0,
        }
    }

    /// As [`InventoryBuilder::push`].
    pub(crate) fn push_tagged(
        &mut self,
        record: RecordRef<'_>,
        tag: T,
        placed: &mut impl FnMut(Placed<T>),
    ) -> Result<(), OriginalError> {
        let index = self.record_count;
        match record {
            RecordRef::Packet {
                stream,
                arrived,
                kind,
                bytes,
            } => {
                let tree_salt = self.tree_salt;
                self.trees
                    .entry(stream)
                    .or_insert_with(|| Box::new(StreamTreeBuilder::new(tree_salt, stream)))
                    .push_packet(index, arrived, kind, bytes);
            }
            RecordRef::Event { .. } => {
                self.frame.clear();
                original::put_record(index, record, &mut self.frame)?;
                self.events.update(&self.frame);
            }
        }
        self.timeline.push(record, tag, placed);
        self.record_count += 1;
        Ok(())
    }

    /// The trees that are being built, to be settled with those of other recordings
    /// ([`crate::tree::settle_all`]).
    pub fn trees(&mut self) -> impl Iterator<Item = &mut StreamTreeBuilder> {
        self.trees.values_mut().map(Box::as_mut)
    }

    /// How many things it keeps that grow with what happens in the call: intervals, states, key
    /// presses, comings and goings. Each takes some 100 bytes.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.timeline.kept()
    }

    /// As [`InventoryBuilder::finish`].
    pub(crate) fn finish_tagged(self, placed: &mut impl FnMut(Placed<T>)) -> Inventory {
        let timeline = self.timeline.finish(placed);
        let mut trees = self.trees;
        let tree = |stream: &crate::timeline::StreamTimeline| {
            let number = stream.stream.number;
            let builder = trees
                .remove(&number)
                .unwrap_or_else(|| Box::new(StreamTreeBuilder::new(self.tree_salt, number)));
            (number, builder.finish())
        };
        Inventory {
            trees: timeline.streams.iter().map(tree).collect(),
            timeline,
            events_sha256: Digest(self.events.finalize().into()),
            record_count: self.record_count,
        }
    }
}
