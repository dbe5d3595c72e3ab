//! Participants named in headers, by clients that record from the network without SIPREC.
//!
//! One `X-Cisco-Recording-Participant` for each voice: an address, and in `media-index` the place
//! of the `m=` line that carries it, from 0.

use super::read::{Document, ParticipantElement, SenderElement, StreamElement};
use crate::limits::{PARTIES_MAX, STREAMS_MAX, TEXT_BYTES_MAX};
use crate::quirk::{Quirk, Quirks};
use crate::sip::grammar::{Address, plain, unquote};

/// What the headers say, as a complete document would: who no longer has one has left.
pub(super) fn read(values: &[String]) -> (Document, Quirks) {
    let mut quirks = Quirks::default();
    quirks.add(Quirk::ParticipantsInHeader);
    let mut document = Document::default();
    let mut places = Vec::new();
    for value in values {
        let value = Address::parse(value);
        if value.uri.is_empty() {
            continue;
        }
        if document.participants.len() >= PARTIES_MAX {
            document.is_cut = true;
            quirks.add(Quirk::MetadataCut);
            break;
        }
        let address = plain(value.uri, TEXT_BYTES_MAX);
        let index = value.param("media-index").flatten().map(unquote);
        let place = index.and_then(|index| index.trim().parse::<usize>().ok());
        if let Some(place) = place.filter(|place| *place < STREAMS_MAX) {
            places.push(place);
            document.senders.push(SenderElement {
                participant: address.clone(),
                sends: vec![place.to_string()],
            });
        }
        document.participants.push(ParticipantElement {
            id: address.clone(),
            addresses: vec![address],
            name: None,
            is_caller: None,
        });
    }
    places.sort_unstable();
    places.dedup();
    document.streams = places
        .into_iter()
        .map(|place| StreamElement {
            id: place.to_string(),
            label: None,
            session: None,
        })
        .collect();
    (document, quirks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(values: &[&str]) -> Document {
        let values: Vec<_> = values.iter().map(|value| (*value).to_owned()).collect();
        read(&values).0
    }

    #[test]
    fn an_address_and_the_place_of_its_line_are_read_with_brackets_and_without() {
        let document = told(&[
            "sip:1002@10.0.0.1;media-index=\"1\"",
            "\"Desk\" <sip:1001@10.0.0.1;user=phone>;media-index=0",
        ]);
        let ids: Vec<_> = document.participants.iter().map(|p| &p.id).collect();
        assert_eq!(ids, ["sip:1002@10.0.0.1", "sip:1001@10.0.0.1;user=phone"]);
        let sends: Vec<_> = document.senders.iter().map(|s| &s.sends[0]).collect();
        assert_eq!(sends, ["1", "0"]);
        let streams: Vec<_> = document.streams.iter().map(|s| &s.id).collect();
        assert_eq!(streams, ["0", "1"]);
    }

    #[test]
    fn a_place_that_is_none_leaves_the_participant() {
        let document = told(&[
            "sip:a@x;media-index=many",
            "sip:b@x",
            "",
            "sip:c@x;media-index=99",
        ]);
        assert_eq!(document.participants.len(), 3);
        assert!(document.senders.is_empty() && document.streams.is_empty());
    }

    #[test]
    fn endless_headers_stay_bounded() {
        let values: Vec<_> = (0..100).map(|n| format!("sip:{n}@x")).collect();
        let (document, quirks) = read(&values);
        assert_eq!(document.participants.len(), PARTIES_MAX);
        assert!(document.is_cut && quirks.as_slice().contains(&Quirk::MetadataCut));
    }
}
