//! Every limit in one place. Whatever comes from outside is held against one of these.

/// Largest SIP message, header and body, in bytes (a UDP datagram cannot be larger).
pub const SIP_MESSAGE_BYTES_MAX: usize = 65_535;
/// Most header fields in one SIP message.
pub const SIP_HEADERS_MAX: usize = 256;
/// Most parts in one multipart body.
pub const MULTIPART_PARTS_MAX: usize = 16;
/// Largest rs-metadata document in bytes.
pub const METADATA_BYTES_MAX: usize = 65_535;
/// Deepest nesting of elements in rs-metadata.
pub const METADATA_DEPTH_MAX: usize = 32;
/// Most participants we keep of one conversation.
pub const PARTIES_MAX: usize = 64;
/// Most media streams in one recording session.
pub const STREAMS_MAX: usize = 16;
/// Largest RTP or RTCP datagram we keep, in bytes.
pub const RTP_PACKET_BYTES_MAX: usize = 2_048;
/// Calls in progress at once, unless the configuration says otherwise.
pub const CALLS_MAX_DEFAULT: usize = 4_000;
/// TCP connections for signalling at once.
pub const SIP_CONNECTIONS_MAX: usize = 1_000;
/// Longest a recording may run before it is closed, in seconds.
pub const RECORDING_SECONDS_MAX: u64 = 24 * 3600;
/// Plaintext bytes in one chunk (the unit that is sealed) at most.
pub const CHUNK_BYTES_MAX: usize = 1 << 20;
/// Ciphertext bytes in one segment (a file) at most; the next chunk opens a new one.
pub const SEGMENT_BYTES_MAX: u64 = 64 << 20;
/// Time that media waits in memory before it is sealed and written, in milliseconds.
pub const CHUNK_MILLIS: u64 = 300;
/// Span of one leaf of a stream's Merkle tree at most, in microseconds.
pub const LEAF_MICROS_MAX: i64 = 100_000;
/// Largest facts file in bytes.
pub const FACTS_BYTES_MAX: usize = 1 << 20;
/// Largest evidence bundle that we read, in bytes (the ZIP format without its 64-bit form).
pub const BUNDLE_BYTES_MAX: u64 = u32::MAX as u64;
/// Largest body of an HTTP request in bytes.
pub const HTTP_BODY_BYTES_MAX: usize = 1 << 20;

const _: () = assert!(METADATA_BYTES_MAX <= SIP_MESSAGE_BYTES_MAX);
const _: () = assert!(RTP_PACKET_BYTES_MAX * 8 < CHUNK_BYTES_MAX);
const _: () = assert!((CHUNK_BYTES_MAX as u64) < SEGMENT_BYTES_MAX);
