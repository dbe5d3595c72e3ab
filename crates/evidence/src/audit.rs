//! Auditing a whole log from its tiles: every leaf is read, every hash computed again, and the tree held
//! against its checkpoint and against an earlier one.

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::note::VerifierKey;
use crate::tlog::{
    CompactRange, Leaf, LeafKind, TILE_HEIGHT, TILE_WIDTH, Tile, TileKind, leaf_hash, read_entries,
    tiles_of,
};
use std::collections::BTreeMap;
use voicelog_model::Timestamp;

/// What an audit of a log that holds found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// The checkpoint that the whole log was held against.
    pub checkpoint: Checkpoint,
    /// The note of it, with all its signature lines.
    pub note: String,
    /// How many leaves of each kind there are.
    pub kinds: BTreeMap<LeafKind, u64>,
    /// Moment of the last leaf.
    pub last: Option<Timestamp>,
}

/// Why a log does not hold.
#[derive(Debug, thiserror::Error)]
pub enum AuditError<E: std::error::Error + 'static> {
    /// Something of it cannot be had.
    #[error("cannot get `{path}`")]
    Fetch {
        /// Its address below the log's.
        path: String,
        /// Why.
        #[source]
        source: E,
    },
    /// Its checkpoint.
    #[error("the checkpoint of the log does not hold")]
    Checkpoint(#[source] CheckpointError),
    /// It is shorter than it once was.
    #[error(
        "the log was seen with {seen} entries and now has {now}: it was put back to an earlier state"
    )]
    RolledBack {
        /// Entries in the earlier checkpoint.
        seen: u64,
        /// Entries now.
        now: u64,
    },
    /// It is another log than the earlier checkpoint is of.
    #[error("the first {at} entries of the log are others than when it was seen with that many")]
    Forked {
        /// Entries in the earlier checkpoint.
        at: u64,
    },
    /// A tile that is not what the leaves make it.
    #[error("`{path}` is not of the log's entries")]
    Tile {
        /// Its address.
        path: String,
    },
    /// An entry that is no leaf.
    #[error("entry {place} of the log is no entry that this program knows")]
    Leaf {
        /// Its place, counted from 1.
        place: u64,
    },
    /// The leaves make another tree.
    #[error("the entries of the log are others than its checkpoint says")]
    Root,
}

/// Audits a log. `fetch` gives what lies at an address below the log's: `checkpoint`, `tile/0/000`.
/// `since` is an earlier checkpoint of it, believed already.
pub fn audit<E: std::error::Error + 'static>(
    fetch: &mut dyn FnMut(&str) -> Result<Vec<u8>, E>,
    key: &VerifierKey,
    since: Option<&Checkpoint>,
) -> Result<Audit, AuditError<E>> {
    let mut get = |path: &str| {
        fetch(path).map_err(|source| AuditError::Fetch {
            path: path.to_owned(),
            source,
        })
    };
    let note = get("checkpoint")?;
    let checkpoint = Checkpoint::verify(&note, key).map_err(AuditError::Checkpoint)?;
    let size = checkpoint.size;
    let seen = since.map_or(0, |since| since.size);
    if seen > size {
        return Err(AuditError::RolledBack { seen, now: size });
    }
    let mut reading = Reading::default();
    for (hashes, entries) in
        tiles_of(TileKind::Hashes(0), size).zip(tiles_of(TileKind::Entries, size))
    {
        let bytes = get(&entries.path())?;
        let kept = get(&hashes.path())?;
        reading.take(&bytes, &kept, &hashes, since)?;
    }
    if reading.range.root() != checkpoint.root {
        return Err(AuditError::Root);
    }
    for level in 1..u64::BITS / TILE_HEIGHT {
        for tile in tiles_of(TileKind::Hashes(level), size) {
            let path = tile.path();
            let first = tile.first().unwrap_or(u64::MAX);
            let places = first..first.saturating_add(tile.width);
            let computed: Option<Vec<[u8; 32]>> = places
                .map(|place| reading.nodes.get(&(level, place)).copied())
                .collect();
            if computed.map(|hashes| hashes.concat()) != Some(get(&path)?) {
                return Err(AuditError::Tile { path });
            }
        }
    }
    Ok(Audit {
        checkpoint,
        note: String::from_utf8_lossy(&note).into_owned(),
        kinds: reading.kinds,
        last: reading.last,
    })
}

/// What was computed from the leaves so far.
#[derive(Default)]
struct Reading {
    range: CompactRange,
    nodes: BTreeMap<(u32, u64), [u8; 32]>,
    kinds: BTreeMap<LeafKind, u64>,
    last: Option<Timestamp>,
}

impl Reading {
    fn take<E: std::error::Error + 'static>(
        &mut self,
        entries: &[u8],
        hashes: &[u8],
        tile: &Tile,
        since: Option<&Checkpoint>,
    ) -> Result<(), AuditError<E>> {
        let wrong = |tile: &Tile| AuditError::Tile { path: tile.path() };
        let entries_tile = Tile {
            kind: TileKind::Entries,
            ..*tile
        };
        let leaves = read_entries(entries, tile.width).map_err(|_bundle| wrong(&entries_tile))?;
        let (kept, rest) = hashes.as_chunks::<32>();
        if kept.len() != leaves.len() || !rest.is_empty() || tile.width > TILE_WIDTH {
            return Err(wrong(tile));
        }
        for (bytes, kept) in leaves.into_iter().zip(kept) {
            let hash = leaf_hash(bytes);
            if hash != *kept {
                return Err(wrong(tile));
            }
            let nodes = &mut self.nodes;
            self.range.append_seen(hash, |height, place, hash| {
                if height.is_multiple_of(TILE_HEIGHT) {
                    nodes.insert((height / TILE_HEIGHT, place), hash);
                }
            });
            let size = self.range.size();
            let leaf = Leaf::from_bytes(bytes).map_err(|_leaf| AuditError::Leaf { place: size })?;
            *self.kinds.entry(leaf.kind).or_default() += 1;
            self.last = Some(leaf.at);
            if since.is_some_and(|since| since.size == size && since.root != self.range.root()) {
                return Err(AuditError::Forked { at: size });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::note::SigningKey;
    use crate::tlog::bundle_entries;

    #[derive(Debug, thiserror::Error)]
    #[error("not there")]
    struct NotThere;

    type Files = BTreeMap<String, Vec<u8>>;

    fn key() -> SigningKey {
        SigningKey::from_seed("example.com/log", [1; 32]).unwrap()
    }

    fn leaf(number: u64) -> Vec<u8> {
        let at = Timestamp::from_micros(1_790_000_000_000_000 + i64::try_from(number).unwrap());
        let leaf = Leaf::new(
            LeafKind::Permitted,
            at,
            format!("{number}"),
            Digest([0; 32]),
        );
        leaf.to_bytes().unwrap()
    }

    /// A log as files, and its tree at each size.
    fn log(size: u64) -> (Files, Vec<[u8; 32]>) {
        let mut reading = Reading::default();
        let mut roots = vec![reading.range.root()];
        let leaves: Vec<_> = (0..size).map(leaf).collect();
        let mut level_0 = Vec::new();
        for leaf in &leaves {
            level_0.push(leaf_hash(leaf));
            let nodes = &mut reading.nodes;
            reading
                .range
                .append_seen(leaf_hash(leaf), |height, place, hash| {
                    if height % 8 == 0 {
                        nodes.insert((height / 8, place), hash);
                    }
                });
            roots.push(reading.range.root());
        }
        let mut files = Files::new();
        let note = Checkpoint::sign(size, reading.range.root(), &key()).unwrap();
        files.insert("checkpoint".into(), note.into_bytes());
        let places = |tile: &Tile| {
            let first = usize::try_from(tile.first().unwrap()).unwrap();
            first..first + usize::try_from(tile.width).unwrap()
        };
        for tile in tiles_of(TileKind::Hashes(0), size) {
            files.insert(tile.path(), level_0[places(&tile)].concat());
        }
        for tile in tiles_of(TileKind::Entries, size) {
            let bytes = bundle_entries(leaves[places(&tile)].iter().map(Vec::as_slice));
            files.insert(tile.path(), bytes.unwrap());
        }
        for tile in tiles_of(TileKind::Hashes(1), size) {
            let hashes = places(&tile).map(|place| reading.nodes[&(1, place as u64)]);
            files.insert(tile.path(), hashes.collect::<Vec<_>>().concat());
        }
        (files, roots)
    }

    fn run(files: &Files, since: Option<&Checkpoint>) -> Result<Audit, AuditError<NotThere>> {
        let mut fetch = |path: &str| files.get(path).cloned().ok_or(NotThere);
        audit(&mut fetch, &key().verifier(), since)
    }

    fn seen(size: u64, root: [u8; 32]) -> Checkpoint {
        Checkpoint {
            origin: "example.com/log".into(),
            size,
            root,
        }
    }

    #[test]
    fn a_log_that_only_grew_holds() {
        let (files, roots) = log(700);
        for size in [0, 1, 255, 256, 257, 699, 700] {
            let since = seen(size, roots[usize::try_from(size).unwrap()]);
            let audit = run(&files, Some(&since)).unwrap();
            assert_eq!(audit.kinds[&LeafKind::Permitted], 700);
        }
        assert_eq!(run(&log(0).0, None).unwrap().last, None);
    }

    #[test]
    fn a_log_that_was_put_back_or_written_anew_is_found() {
        let (files, roots) = log(300);
        let error = run(&files, Some(&seen(301, [0; 32]))).unwrap_err();
        assert!(matches!(
            error,
            AuditError::RolledBack {
                seen: 301,
                now: 300
            }
        ));
        let error = run(&files, Some(&seen(299, roots[300]))).unwrap_err();
        assert!(matches!(error, AuditError::Forked { at: 299 }));
    }

    #[test]
    fn a_changed_byte_of_any_file_is_found_and_so_is_one_that_is_missing() {
        let (files, _roots) = log(520);
        for path in files.keys() {
            let mut changed = files.clone();
            let bytes = changed.get_mut(path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            assert!(run(&changed, None).is_err(), "{path}");
            changed.get_mut(path).unwrap().pop();
            assert!(run(&changed, None).is_err(), "{path} cut");
            changed.remove(path);
            assert!(
                matches!(run(&changed, None), Err(AuditError::Fetch { .. })),
                "{path}"
            );
        }
        let other = SigningKey::from_seed("example.com/log", [2; 32]).unwrap();
        let mut fetch = |path: &str| files.get(path).cloned().ok_or(NotThere);
        let error = audit(&mut fetch, &other.verifier(), None).unwrap_err();
        assert!(matches!(error, AuditError::Checkpoint(_)));
    }
}
