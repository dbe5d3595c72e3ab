//! Names and contents of the static files that a log is served as (C2SP tlog-tiles v0.1.0).

use super::stored::TILE_WIDTH;
use super::{Leaf, TlogError};

/// Highest level of tiles in a name.
const LEVEL_MAX: u32 = 63;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TileKind {
    /// Hashes of this level.
    Hashes(u32),
    /// The leaves themselves.
    Entries,
}

/// One tile of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    /// What it holds.
    pub kind: TileKind,
    /// Its number at that level, from 0.
    pub number: u64,
    /// Hashes or leaves in it: 1 to 256.
    pub width: u64,
}

impl Tile {
    /// Its address below the log's prefix, such as `tile/0/x001/x234/067.p/5`.
    #[must_use]
    pub fn path(&self) -> String {
        let level = match self.kind {
            TileKind::Hashes(level) => level.to_string(),
            TileKind::Entries => "entries".to_owned(),
        };
        let mut digits = format!("{:03}", self.number % 1_000);
        let mut rest = self.number / 1_000;
        while rest > 0 {
            digits = format!("x{:03}/{digits}", rest % 1_000);
            rest /= 1_000;
        }
        if self.width == TILE_WIDTH {
            format!("tile/{level}/{digits}")
        } else {
            format!("tile/{level}/{digits}.p/{}", self.width)
        }
    }

    /// Reads what [`Self::path`] writes, in no other spelling.
    pub fn parse(path: &str) -> Result<Self, TlogError> {
        let malformed = TlogError::MalformedTile;
        let rest = path.strip_prefix("tile/").ok_or(malformed)?;
        let (level, rest) = rest.split_once('/').ok_or(malformed)?;
        let kind = match level {
            "entries" => TileKind::Entries,
            _ => TileKind::Hashes(
                level
                    .parse()
                    .ok()
                    .filter(|level| *level <= LEVEL_MAX)
                    .ok_or(malformed)?,
            ),
        };
        let (digits, width) = match rest.split_once(".p/") {
            Some((digits, width)) => (digits, width.parse().map_err(|_number| malformed)?),
            None => (rest, TILE_WIDTH),
        };
        let mut number = 0_u64;
        for group in digits.split('/') {
            let group = group.strip_prefix('x').unwrap_or(group);
            let value: u64 = group.parse().map_err(|_number| malformed)?;
            let shifted = number.checked_mul(1_000).ok_or(malformed)?;
            number = shifted.checked_add(value).ok_or(malformed)?;
        }
        let tile = Self {
            kind,
            number,
            width,
        };
        // Written once more: what has another spelling is no name of a tile.
        if (1..=TILE_WIDTH).contains(&width) && tile.path() == path {
            Ok(tile)
        } else {
            Err(malformed)
        }
    }

    /// The place of its first hash or leaf at its level.
    pub fn first(&self) -> Result<u64, TlogError> {
        self.number
            .checked_mul(TILE_WIDTH)
            .filter(|first| first.checked_add(self.width).is_some())
            .ok_or(TlogError::OutOfRange)
    }

    /// Whether the tree of this many leaves fills it so far.
    #[must_use]
    pub fn is_in(&self, size: u64) -> bool {
        let level = match self.kind {
            TileKind::Hashes(level) => level,
            TileKind::Entries => 0,
        };
        // Of 2^64 leaves there is nothing at level 8.
        let at_level = size.checked_shr(level.saturating_mul(8)).unwrap_or(0);
        self.first()
            .is_ok_and(|first| first.saturating_add(self.width) <= at_level)
    }
}

/// Every tile of a level of a tree of so many leaves, in order; the last is as wide as it is full.
pub fn tiles_of(kind: TileKind, size: u64) -> impl Iterator<Item = Tile> {
    let level = match kind {
        TileKind::Hashes(level) => level,
        TileKind::Entries => 0,
    };
    let at_level = size.checked_shr(level.saturating_mul(8)).unwrap_or(0);
    (0..at_level.div_ceil(TILE_WIDTH)).map(move |number| Tile {
        kind,
        number,
        width: TILE_WIDTH.min(at_level - number * TILE_WIDTH),
    })
}

/// Leaves as an entry bundle: each after its length (`u16`).
pub fn bundle_entries<'a>(
    leaves: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<u8>, TlogError> {
    let mut bytes = Vec::new();
    for leaf in leaves {
        let length = u16::try_from(leaf.len()).map_err(|_length| TlogError::MalformedLeaf)?;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(leaf);
    }
    Ok(bytes)
}

/// Reads an entry bundle of exactly `width` leaves.
pub fn read_entries(mut bytes: &[u8], width: u64) -> Result<Vec<&[u8]>, TlogError> {
    let mut leaves = Vec::new();
    while !bytes.is_empty() {
        let malformed = TlogError::MalformedTile;
        let (length, rest) = bytes.split_first_chunk::<2>().ok_or(malformed)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (leaf, rest) = rest.split_at_checked(length).ok_or(malformed)?;
        leaves.push(leaf);
        bytes = rest;
        if leaves.len() > 256 {
            return Err(malformed);
        }
    }
    if u64::try_from(leaves.len()) == Ok(width) {
        Ok(leaves)
    } else {
        Err(TlogError::MalformedTile)
    }
}

/// The moment of the last leaf that a bundle holds, if it holds one that this program knows.
#[must_use]
pub fn last_moment(leaves: &[&[u8]]) -> Option<voicelog_model::Timestamp> {
    let leaf = Leaf::from_bytes(leaves.last()?).ok()?;
    Some(leaf.at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_have_the_names_of_the_specification() {
        for (kind, number, width, path) in [
            (TileKind::Hashes(0), 0, 256, "tile/0/000"),
            (TileKind::Hashes(3), 1_234_067, 256, "tile/3/x001/x234/067"),
            (TileKind::Hashes(1), 7, 5, "tile/1/007.p/5"),
            (TileKind::Entries, 1_000, 255, "tile/entries/x001/000.p/255"),
        ] {
            let tile = Tile {
                kind,
                number,
                width,
            };
            assert_eq!(tile.path(), path);
            assert_eq!(Tile::parse(path), Ok(tile));
        }
    }

    #[test]
    fn other_spellings_are_no_tiles() {
        for path in [
            "",
            "tile",
            "tile/0",
            "tile/0/",
            "tile/0/0",
            "tile/00/000",
            "tile/64/000",
            "tile/+1/000",
            "tile/0/x000/001",
            "tile/0/001/002",
            "tile/0/x001",
            "tile/0/x001/x002",
            "tile/0/1000",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/05",
            "tile/0/000.p/",
            "tile/0/000/",
            "tile/0/../000",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        ] {
            assert_eq!(Tile::parse(path), Err(TlogError::MalformedTile), "{path}");
        }
    }

    #[test]
    fn a_tree_has_the_tiles_that_the_specification_counts() {
        let count = |level| tiles_of(TileKind::Hashes(level), 70_000).collect::<Vec<_>>();
        let (leaves, ones, twos) = (count(0), count(1), count(2));
        assert_eq!((leaves.len(), leaves[273].width), (274, 112));
        assert_eq!((ones.len(), ones[0].width, ones[1].width), (2, 256, 17));
        assert_eq!((twos.len(), twos[0].width), (1, 1));
        assert_eq!(count(3), []);
        assert_eq!(count(63), []);
        let all = leaves.iter().chain(&ones).chain(&twos);
        assert!(all.clone().all(|tile| tile.is_in(70_000)));
        assert!(
            !Tile {
                width: 113,
                ..leaves[273]
            }
            .is_in(70_000)
        );
        assert!(
            !Tile {
                number: 274,
                ..leaves[273]
            }
            .is_in(70_000)
        );
        let far = Tile {
            number: u64::MAX,
            ..leaves[0]
        };
        assert!(!far.is_in(u64::MAX));
    }

    #[test]
    fn entries_come_back_as_they_were() {
        let leaves: [&[u8]; 3] = [b"one", b"", b"three"];
        let bytes = bundle_entries(leaves).unwrap();
        assert_eq!(bytes, b"\0\x03one\0\0\0\x05three");
        assert_eq!(read_entries(&bytes, 3).unwrap(), leaves);
        assert!(read_entries(&bytes, 2).is_err());
        assert!(read_entries(&bytes[..bytes.len() - 1], 3).is_err());
        assert!(
            read_entries(&[0; 700], 350).is_err(),
            "more than a tile holds"
        );
        assert!(bundle_entries([&[0; 65_536][..]]).is_err());
    }
}
