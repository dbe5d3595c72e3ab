//! Bounds of this room, beside the shared ones in `voicelog_model::limits`.

pub(crate) use voicelog_model::limits::{
    METADATA_BYTES_MAX, METADATA_DEPTH_MAX, MULTIPART_PARTS_MAX, PARTIES_MAX, SIP_HEADERS_MAX,
    SIP_MESSAGE_BYTES_MAX, STREAMS_MAX,
};

/// Most values of one list header (`Via`, `Route`, `Record-Route`) that we follow.
pub(crate) const LIST_VALUES_MAX: usize = 70;
/// Deepest nesting of multipart bodies.
pub(crate) const MULTIPART_DEPTH_MAX: usize = 4;
/// Longest multipart boundary that we look for, in bytes (RFC 2046 §5.1.1 says 70).
pub(crate) const BOUNDARY_BYTES_MAX: usize = 200;
/// By how many bytes a `Content-Length` may be too large: a line end that was counted and not sent.
pub(crate) const MISCOUNT_BYTES_MAX: usize = 2;
/// Most `m=` lines of one SDP that are answered.
pub(crate) const MEDIA_LINES_MAX: usize = 64;
/// Longest `a=label` value that we keep, in bytes.
pub(crate) const LABEL_BYTES_MAX: usize = 64;
/// Longest id, name or address that we keep of metadata, in bytes.
pub(crate) const TEXT_BYTES_MAX: usize = 512;
/// Most addresses or streams that we keep of one participant.
pub(crate) const PER_PARTICIPANT_MAX: usize = 16;
/// Most communication sessions and groups that one rs-metadata document may describe.
pub(crate) const COMMUNICATION_SESSIONS_MAX: usize = 16;
/// Most nodes in one rs-metadata document.
pub(crate) const METADATA_NODES_MAX: u32 = 8_192;
/// Most attributes of one element: the XML reader compares each with each.
pub(crate) const XML_ATTRIBUTES_MAX: usize = 32;
/// Server transactions at once, for each session that may be open.
pub(crate) const TRANSACTIONS_PER_SESSION: usize = 4;
/// Server transactions at once, beside those.
pub(crate) const TRANSACTIONS_BASE: usize = 1_024;
/// Shortest interval of a session timer that we take, in seconds: the standard's own floor
/// (RFC 4028 §4).
pub(crate) const SESSION_SECONDS_MIN: u32 = 90;
/// How long the caller may think about an offer before a client that requires it (`100rel`) is
/// told that we are still there, in microseconds.
pub(crate) const PROGRESS_MICROS: i64 = 1_000_000;
/// How often we try a re-INVITE again after 491.
pub(crate) const GLARE_RETRIES_MAX: u8 = 6;
/// How long we wait for the final answer to a re-INVITE that was answered provisionally, in
/// microseconds (RFC 3261 §16.6 step 11 gives proxies the same three minutes).
pub(crate) const REINVITE_MICROS_MAX: i64 = 180_000_000;
/// Longest text of ours, or given to us, that goes in a header, in bytes.
pub(crate) const REASON_BYTES_MAX: usize = 120;
