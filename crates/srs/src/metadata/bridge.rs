//! Participants named by the built-in bridge of a telephone: no SIPREC, no document and no header,
//! but parameters in the `From` of a call that carries one side of the conversation.
//!
//! `x-nearend` or `x-farend` says whose side it is, `x-nearendaddr` and `x-farendaddr` who they
//! are, and `x-refci` is the same in the call that carries the other side.

use super::read::{Document, ParticipantElement, SenderElement, StreamElement};
use crate::limits::TEXT_BYTES_MAX;
use crate::sip::grammar::{Address, plain};
use crate::sip::message::{HeaderName, Message};
use crate::sip::uri::Uri;

/// The only stream of such a call.
const STREAM: &str = "0";

/// Whether a call says that it carries one side of a conversation.
pub(crate) fn is_side(message: &Message<'_>) -> bool {
    let from = message.headers.text(HeaderName::From).unwrap_or_default();
    let uri = Uri::parse(Address::parse(&from).uri);
    uri.is_some_and(|uri| uri.has_param("x-nearend") || uri.has_param("x-farend"))
}

/// What such a `From` says, as a complete document would.
pub(super) fn read(message: &Message<'_>) -> Option<Document> {
    let from = message.headers.text(HeaderName::From)?;
    let uri = Uri::parse(Address::parse(&from).uri)?;
    let is_near = uri.has_param("x-nearend");
    if !is_near && !uri.has_param("x-farend") {
        return None;
    }
    let mut document = Document::default();
    for (name, speaks) in [("x-nearendaddr", is_near), ("x-farendaddr", !is_near)] {
        let address = uri.param(name).unwrap_or_default();
        let address = match address {
            // Whoever is not named takes part all the same, and nobody knows from where.
            "" => String::new(),
            number if number.starts_with('+') => format!("tel:{number}"),
            address if address.contains(':') => address.to_owned(),
            address if address.contains('@') => format!("sip:{address}"),
            extension => format!("sip:{extension}@{}", uri.host),
        };
        let address = plain(&address, TEXT_BYTES_MAX);
        if speaks {
            document.senders.push(SenderElement {
                participant: name.to_owned(),
                sends: vec![STREAM.to_owned()],
            });
        }
        document.participants.push(ParticipantElement {
            id: name.to_owned(),
            addresses: Some(address)
                .filter(|text| !text.is_empty())
                .into_iter()
                .collect(),
            name: None,
            is_caller: None,
        });
    }
    document.streams.push(StreamElement {
        id: STREAM.to_owned(),
        label: None,
        session: None,
    });
    // No session: two calls of one session would be the same media twice, and these are its two sides.
    let id = uri.param("x-refci").map(|id| plain(id, TEXT_BYTES_MAX));
    document.groups.extend(id);
    Some(document)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::parse;

    fn told(from: &str) -> Option<Document> {
        let text = format!("INVITE sip:a SIP/2.0\r\nFrom: {from}\r\n\r\n");
        read(&parse(text.as_bytes()).unwrap().message)
    }

    #[test]
    fn both_ends_are_named_and_one_of_them_speaks() {
        let document = told("\"2001\" <sip:2001@10.0.0.1;x-farend;x-refci=27298698;x-nearendaddr=2001;x-farendaddr=+31201234567>;tag=1").unwrap();
        let addresses: Vec<_> = document
            .participants
            .iter()
            .map(|p| p.addresses[0].as_str())
            .collect();
        assert_eq!(addresses, ["sip:2001@10.0.0.1", "tel:+31201234567"]);
        assert_eq!(document.senders.len(), 1);
        assert_eq!(document.senders[0].participant, "x-farendaddr");
        assert_eq!(document.groups, ["27298698"]);
    }

    #[test]
    fn an_end_without_an_address_takes_part_all_the_same() {
        let document = told("<sip:a@b;x-nearend>").unwrap();
        assert_eq!(document.participants.len(), 2);
        assert!(document.participants.iter().all(|p| p.addresses.is_empty()));
        assert!(told("<sip:a@b;x-other>").is_none());
    }
}
