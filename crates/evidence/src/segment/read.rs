//! Opening a segment, chunk by chunk.

use super::{
    FRAME_HEADER_BYTES, HEADER_BYTES, MAGIC, SEALED_BYTES_MAX, Seal, SegmentError, VERSION, header,
};
use crate::aead::TAG_BYTES;
use crate::key::DataKey;
use subtle::ConstantTimeEq;
use voicelog_model::RecordingId;

/// How a segment ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// After a whole frame. Whether frames are missing behind it, only the manifest knows.
    Clean,
    /// Within its header or a frame, or in zero bytes, as a crash leaves it.
    Torn {
        /// Bytes up to the end of the last whole frame; 0 where not even the header is whole.
        kept_bytes: usize,
    },
}

/// A segment, opened whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Plaintexts of its chunks.
    pub chunks: Vec<Vec<u8>>,
    /// Chain over header and whole frames.
    pub chain: [u8; 32],
    /// How it ends.
    pub tail: Tail,
}

/// Where a frame lies that was opened once, and what it is bound to: with it the frame can be opened again,
/// by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FramePlace {
    /// Byte of the file at which it begins.
    pub at: usize,
    /// Bytes of it.
    pub len: usize,
    /// Number of its chunk.
    counter: u64,
    /// The chain before it.
    chain: [u8; 32],
}

/// Opens the chunks of one segment, in order.
#[derive(Debug)]
pub struct SegmentReader<'a> {
    seal: Seal,
    segment: u32,
    bytes: &'a [u8],
    /// Bytes up to the end of the last whole frame.
    at: usize,
    tail: Option<Tail>,
}

impl<'a> SegmentReader<'a> {
    /// Opens a segment and all its chunks. The arguments are those of
    /// [`super::SegmentWriter::create`]; each of them is checked against the header.
    pub fn open(
        data_key: &DataKey,
        recording: RecordingId,
        segment: u32,
        previous_chain: [u8; 32],
        bytes: &[u8],
    ) -> Result<Segment, SegmentError> {
        let mut reader = SegmentReader::start(data_key, recording, segment, previous_chain, bytes)?;
        let mut chunks = Vec::new();
        let mut chunk = Vec::new();
        while reader.next_chunk(&mut chunk)? {
            chunks.push(std::mem::take(&mut chunk));
        }
        Ok(Segment {
            chunks,
            chain: reader.chain(),
            tail: reader.tail(),
        })
    }

    /// Checks the header only; the chunks follow with [`Self::next_chunk`].
    pub fn start(
        data_key: &DataKey,
        recording: RecordingId,
        segment: u32,
        previous_chain: [u8; 32],
        bytes: &'a [u8],
    ) -> Result<Self, SegmentError> {
        let expected = header(data_key, recording, segment, previous_chain);
        let seal = Seal::new(data_key, recording, segment, &expected);
        let found = bytes.get(..HEADER_BYTES).unwrap_or(bytes);
        let torn = found.len() < HEADER_BYTES;
        let same = expected
            .iter()
            .zip(found)
            .all(|(left, right)| left == right);
        let blank = torn && found.iter().all(|byte| *byte == 0);
        if torn && (same || blank) {
            // Nothing was sealed yet: the chain is still that of the segment before.
            let seal = Seal {
                chain: previous_chain,
                ..seal
            };
            let tail = Some(Tail::Torn { kept_bytes: 0 });
            return Ok(Self {
                seal,
                segment,
                bytes,
                at: 0,
                tail,
            });
        }
        // The header holds the key commitment: compared whole, in constant time.
        if !bool::from(expected.as_slice().ct_eq(found)) {
            return Err(header_error(segment, &expected, found));
        }
        Ok(Self {
            seal,
            segment,
            bytes,
            at: HEADER_BYTES,
            tail: None,
        })
    }

    /// Opens the next chunk into `out`, replacing what is there. False after the last whole frame.
    pub fn next_chunk(&mut self, out: &mut Vec<u8>) -> Result<bool, SegmentError> {
        out.clear();
        if self.tail.is_some() {
            return Ok(false);
        }
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.is_empty() {
            self.tail = Some(Tail::Clean);
            return Ok(false);
        }
        let Some(frame) = self.whole_frame(rest)? else {
            self.tail = Some(Tail::Torn {
                kept_bytes: self.at,
            });
            return Ok(false);
        };
        if !self.seal.open(frame, out) {
            return Err(self.not_authentic());
        }
        self.seal.advance(frame);
        self.seal.catch_up();
        self.at += frame.len();
        Ok(true)
    }

    /// The same with the place of the frame that it opened. None after the last whole frame.
    pub fn next_frame(&mut self, out: &mut Vec<u8>) -> Result<Option<FramePlace>, SegmentError> {
        let (at, counter, chain) = (self.at, self.seal.counter, self.seal.chain);
        Ok(self.next_chunk(out)?.then(|| FramePlace {
            at,
            len: self.at - at,
            counter,
            chain,
        }))
    }

    /// The chain over header and all frames read so far.
    #[must_use]
    pub const fn chain(&self) -> [u8; 32] {
        self.seal.chain
    }

    /// How the segment ends; where not all chunks were read yet, torn behind the last one read.
    #[must_use]
    pub fn tail(&self) -> Tail {
        self.tail.unwrap_or(Tail::Torn {
            kept_bytes: self.at,
        })
    }

    /// The first frame of `rest`; `None` where it is torn.
    fn whole_frame(&self, rest: &'a [u8]) -> Result<Option<&'a [u8]>, SegmentError> {
        // Some file systems leave zero bytes where data was not yet written; no frame is zeros.
        if rest.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let Some([l0, l1, l2, l3, c0, c1, c2, c3]) = rest.first_chunk::<FRAME_HEADER_BYTES>()
        else {
            return Ok(None);
        };
        let (length, check) = ([*l0, *l1, *l2, *l3], [*c0, *c1, *c2, *c3]);
        match self.seal.sealed_len(length, check) {
            Some(sealed_len) => Ok(rest.get(..FRAME_HEADER_BYTES + sealed_len)),
            None => Err(self.not_authentic()),
        }
    }

    const fn not_authentic(&self) -> SegmentError {
        SegmentError::NotAuthentic {
            segment: self.segment,
            chunk: self.seal.counter,
            at: self.at,
        }
    }
}

/// Opens single frames of one segment again, in any order.
#[derive(Debug)]
pub struct FrameOpener {
    seal: Seal,
    segment: u32,
}

impl FrameOpener {
    /// Of the segment with these arguments of [`SegmentReader::start`].
    #[must_use]
    pub fn new(
        data_key: &DataKey,
        recording: RecordingId,
        segment: u32,
        previous_chain: [u8; 32],
    ) -> Self {
        let header = header(data_key, recording, segment, previous_chain);
        Self {
            seal: Seal::new(data_key, recording, segment, &header),
            segment,
        }
    }

    /// Opens one frame into `out`, replacing what is there; `frame` is all bytes of it. It is authentic as the frame with
    /// that number, after all those that came before it when its place was told.
    pub fn open(
        &mut self,
        place: &FramePlace,
        frame: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SegmentError> {
        out.clear();
        (self.seal.counter, self.seal.chain) = (place.counter, place.chain);
        let head = frame.first_chunk::<FRAME_HEADER_BYTES>();
        let sealed_len = head.and_then(|[l0, l1, l2, l3, c0, c1, c2, c3]| {
            let (length, check) = ([*l0, *l1, *l2, *l3], [*c0, *c1, *c2, *c3]);
            self.seal.sealed_len(length, check)
        });
        let is_whole = sealed_len.is_some_and(|len| FRAME_HEADER_BYTES + len == frame.len());
        if is_whole && self.seal.open(frame, out) {
            return Ok(());
        }
        Err(SegmentError::NotAuthentic {
            segment: self.segment,
            chunk: place.counter,
            at: place.at,
        })
    }
}

impl Seal {
    /// Bytes of the sealed part of a frame, by its head; `None` where that was changed.
    fn sealed_len(&self, length: [u8; 4], check: [u8; 4]) -> Option<usize> {
        let sealed_len = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        let plausible = (TAG_BYTES..=SEALED_BYTES_MAX).contains(&sealed_len);
        (plausible && self.length_check(length) == check).then_some(sealed_len)
    }

    /// Opens a whole frame behind what is in `out`, which is empty; false, and still empty, where it is not authentic.
    fn open(&self, frame: &[u8], out: &mut Vec<u8>) -> bool {
        let sealed = frame.get(FRAME_HEADER_BYTES..).unwrap_or_default();
        let Some((body, tag)) = sealed.split_last_chunk::<TAG_BYTES>() else {
            return false;
        };
        out.extend_from_slice(body);
        let is_authentic = self.cipher.open(self.nonce(), &self.aad(), out, *tag);
        if !is_authentic {
            out.clear();
        }
        is_authentic
    }
}

/// Names the first field of a header that is not as expected.
fn header_error(segment: u32, expected: &[u8; HEADER_BYTES], found: &[u8]) -> SegmentError {
    let differs = expected
        .iter()
        .zip(found)
        .position(|(left, right)| left != right);
    let what = match differs {
        Some(0..MAGIC_END) => return SegmentError::NotASegment { segment },
        Some(MAGIC_END..VERSION_END) => {
            let version = match found.get(MAGIC_END..VERSION_END) {
                Some([high, low]) => u16::from_be_bytes([*high, *low]),
                _ => VERSION,
            };
            return SegmentError::Version { segment, version };
        }
        Some(VERSION_END..12) => "reserved bytes",
        Some(12..28) => "recording",
        Some(28..32) => "segment number",
        Some(32..64) => "chain of the segment before",
        _ => "key commitment",
    };
    SegmentError::Header { segment, what }
}

const MAGIC_END: usize = MAGIC.len();
const VERSION_END: usize = MAGIC_END + 2;

#[cfg(test)]
mod tests {
    use super::super::{CHAIN_START, FRAME_OVERHEAD_BYTES, SegmentWriter};
    use super::*;

    const CHUNKS: [&[u8]; 4] = [
        b"first chunk",
        b"",
        b"the third, somewhat longer chunk",
        b"4",
    ];

    fn recording(byte: u8) -> RecordingId {
        RecordingId::from_bytes([byte; 16])
    }

    fn key() -> DataKey {
        DataKey::from_random([0x42; 32])
    }

    /// The bytes of a segment, where each frame ends, and its chain.
    fn segment() -> (Vec<u8>, Vec<usize>, [u8; 32]) {
        let (mut writer, mut bytes) = SegmentWriter::create(&key(), recording(1), 3, [7; 32]);
        let mut ends = vec![bytes.len()];
        for chunk in CHUNKS {
            writer.seal(chunk, &mut bytes).unwrap();
            ends.push(bytes.len());
        }
        assert_eq!(writer.byte_len(), bytes.len() as u64);
        assert_eq!(writer.chunk_count(), 4);
        (bytes, ends, writer.chain())
    }

    fn open(bytes: &[u8]) -> Result<Segment, SegmentError> {
        SegmentReader::open(&key(), recording(1), 3, [7; 32], bytes)
    }

    #[test]
    fn what_was_sealed_opens_in_order() {
        let (bytes, _, chain) = segment();
        let opened = open(&bytes).unwrap();
        assert_eq!(opened.chunks, CHUNKS);
        assert_eq!((opened.chain, opened.tail), (chain, Tail::Clean));
        let plain: usize = CHUNKS.iter().map(|chunk| chunk.len()).sum();
        assert_eq!(bytes.len(), HEADER_BYTES + plain + 4 * FRAME_OVERHEAD_BYTES);
    }

    #[test]
    fn a_frame_that_was_opened_opens_again_by_itself_and_as_nothing_else() {
        let (bytes, ends, _) = segment();
        let mut reader = SegmentReader::start(&key(), recording(1), 3, [7; 32], &bytes).unwrap();
        let (mut chunk, mut places) = (Vec::new(), Vec::new());
        while let Some(place) = reader.next_frame(&mut chunk).unwrap() {
            places.push(place);
        }
        let open = |place: &FramePlace, bytes: &[u8]| {
            let mut opener = FrameOpener::new(&key(), recording(1), 3, [7; 32]);
            let mut chunk = Vec::new();
            opener.open(place, bytes, &mut chunk).map(|()| chunk)
        };
        for (n, place) in places.iter().enumerate() {
            assert_eq!((place.at, place.at + place.len), (ends[n], ends[n + 1]));
            let frame = &bytes[place.at..place.at + place.len];
            assert_eq!(open(place, frame).unwrap(), CHUNKS[n]);
            for at in 0..frame.len() {
                let mut changed = frame.to_vec();
                changed[at] ^= 1;
                assert!(open(place, &changed).is_err(), "byte {at}");
                assert!(open(place, &frame[..at]).is_err(), "cut at {at}");
            }
            let other = &places[(n + 1) % places.len()];
            assert!(open(other, frame).is_err());
            assert!(open(place, &[frame, &[0]].concat()).is_err());
        }
    }

    #[test]
    fn a_cut_anywhere_keeps_every_whole_frame() {
        let (bytes, ends, _) = segment();
        for cut in 0..bytes.len() {
            let opened = open(&bytes[..cut]).unwrap();
            let whole = ends.iter().filter(|end| **end <= cut).count();
            assert_eq!(
                opened.chunks,
                CHUNKS[..whole.saturating_sub(1)],
                "cut at {cut}"
            );
            let kept_bytes = if whole == 0 { 0 } else { ends[whole - 1] };
            let tail = if kept_bytes == cut && cut > 0 {
                Tail::Clean
            } else {
                Tail::Torn { kept_bytes }
            };
            assert_eq!(opened.tail, tail, "cut at {cut}");
        }
    }

    #[test]
    fn zero_bytes_behind_the_last_frame_are_a_tear() {
        let (bytes, ends, chain) = segment();
        for zeros in [1, 7, 8, 4096] {
            let opened = open(&[bytes.clone(), vec![0; zeros]].concat()).unwrap();
            assert_eq!(
                opened.tail,
                Tail::Torn {
                    kept_bytes: ends[4]
                }
            );
            assert_eq!((opened.chunks.len(), opened.chain), (4, chain));
        }
        assert_eq!(open(&[0; 40]).unwrap().tail, Tail::Torn { kept_bytes: 0 });
    }

    #[test]
    fn a_changed_bit_anywhere_is_named_by_its_chunk() {
        let (bytes, ends, _) = segment();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                let error = open(&changed).unwrap_err();
                if at >= HEADER_BYTES {
                    let chunk = ends.iter().filter(|end| **end <= at).count() as u64 - 1;
                    let at_byte = ends[usize::try_from(chunk).unwrap()];
                    assert_eq!(
                        error,
                        SegmentError::NotAuthentic {
                            segment: 3,
                            chunk,
                            at: at_byte
                        },
                        "byte {at}"
                    );
                }
            }
        }
    }

    #[test]
    fn frames_cannot_change_places_or_segments() {
        let (bytes, ends, _) = segment();
        let frame = |index: usize| &bytes[ends[index]..ends[index + 1]];
        let header = &bytes[..HEADER_BYTES];
        let swapped = [header, frame(1), frame(0), frame(2), frame(3)].concat();
        let dropped = [header, frame(0), frame(2), frame(3)].concat();
        let doubled = [header, frame(0), frame(0)].concat();
        for (wrong, chunk) in [(swapped, 0), (dropped, 1), (doubled, 1)] {
            assert!(
                matches!(open(&wrong), Err(SegmentError::NotAuthentic { chunk: at, .. }) if at == chunk)
            );
        }
    }

    #[test]
    fn a_segment_opens_only_as_itself() {
        let (bytes, ..) = segment();
        let header = |what| SegmentError::Header { segment: 3, what };
        let open = |key: &DataKey, id, number, chain| {
            SegmentReader::open(key, id, number, chain, &bytes).unwrap_err()
        };
        assert_eq!(open(&key(), recording(2), 3, [7; 32]), header("recording"));
        assert_eq!(
            open(&key(), recording(1), 3, CHAIN_START),
            header("chain of the segment before")
        );
        let other = DataKey::from_random([0x43; 32]);
        assert_eq!(
            open(&other, recording(1), 3, [7; 32]),
            header("key commitment")
        );
        assert_eq!(
            open(&key(), recording(1), 4, [7; 32]),
            SegmentError::Header {
                segment: 4,
                what: "segment number"
            }
        );
    }

    #[test]
    fn an_unknown_version_is_refused_by_number() {
        let (mut bytes, ..) = segment();
        bytes[9] = 2;
        assert_eq!(
            open(&bytes),
            Err(SegmentError::Version {
                segment: 3,
                version: 2
            })
        );
        bytes[0] = b'X';
        assert_eq!(open(&bytes), Err(SegmentError::NotASegment { segment: 3 }));
    }

    #[test]
    fn a_chunk_that_is_too_long_is_not_sealed() {
        let (mut writer, mut bytes) = SegmentWriter::create(&key(), recording(1), 1, CHAIN_START);
        let before = (writer.chain(), bytes.clone());
        let long = vec![0; voicelog_model::limits::CHUNK_BYTES_MAX + 1];
        assert_eq!(
            writer.seal(&long, &mut bytes),
            Err(SegmentError::ChunkTooLong(long.len()))
        );
        assert_eq!((writer.chain(), bytes), before);
    }
}
