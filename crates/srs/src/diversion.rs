//! Whom the conversation was for before it was diverted: `Diversion` (RFC 5806) and `History-Info`
//! (RFC 7044), as a client copies them from the conversation into its INVITE.
//!
//! They are claims of the client like the metadata. They choose among the rules of a line and
//! nothing else.

use crate::limits::{PER_PARTICIPANT_MAX, TEXT_BYTES_MAX};
use crate::sip::grammar::{Address, plain};
use crate::sip::uri::Uri;
use crate::sip::{HeaderName, Message};
use voicelog_model::Pii;

/// The addresses that were called before, the first one first, each once. Our own, by which the
/// recording session itself was called, is not among them.
pub(crate) fn called_before(message: &Message<'_>, request_user: &str) -> Vec<Pii<String>> {
    // The newest diversion stands first (RFC 5806 §4); an index tells the order of a history
    // (RFC 7044 §5).
    let mut history = message.headers.list(HeaderName::HistoryInfo);
    history.sort_by_cached_key(|entry| index_of(entry));
    let diversions = message.headers.list(HeaderName::Diversion);
    let mut all: Vec<Pii<String>> = Vec::new();
    for entry in history.iter().chain(diversions.iter().rev()) {
        let uri = Address::parse(entry).uri;
        // What a history adds behind `?` (why, and how private) is no part of the address.
        let uri = uri.split_once('?').map_or(uri, |(uri, _)| uri);
        let is_ours =
            Uri::parse(uri).is_some_and(|uri| uri.user().eq_ignore_ascii_case(request_user));
        let address = Pii::new(plain(uri, TEXT_BYTES_MAX));
        if !uri.is_empty() && !is_ours && !all.contains(&address) && all.len() < PER_PARTICIPANT_MAX
        {
            all.push(address);
        }
    }
    all
}

/// `1.2.1` as numbers; an entry without one comes last.
fn index_of(entry: &str) -> (bool, Vec<u32>) {
    let index = Address::parse(entry).param("index").flatten();
    let numbers: Option<Vec<u32>> = index.and_then(|index| {
        index
            .split('.')
            .map(|part| part.trim().parse().ok())
            .collect()
    });
    (numbers.is_none(), numbers.unwrap_or_default())
}
