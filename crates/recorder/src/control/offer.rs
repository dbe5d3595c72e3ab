//! What a client offers, in the words of the archive.

use crate::media::OwnName;
use crate::ports::PortsError;
use voicelog_archive::journal::Cause;
use voicelog_archive::{About, Link, LinkKind, OfferedCall, OfferedParty, StreamReport, random};
use voicelog_model::{Codec, Format, MediaStream, Pii, Timestamp, limits};
use voicelog_srs::srtp::MasterKey;
use voicelog_srs::{Metadata, Offer, OfferedStream, Quirk, Refusal, session_uuids};
use zeroize::Zeroizing;

/// The payload type that stands for one that cannot be read.
const PAYLOAD_TYPE_MAX: u8 = 127;

/// A stream that cannot be taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum StreamError {
    /// No sockets for it.
    #[error(transparent)]
    Ports(#[from] PortsError),
    /// No key of ours to answer its key with, or no name for RTCP.
    #[error(transparent)]
    Random(#[from] random::RandomError),
    /// Its key can't be used, which is a mistake of ours: it was looked at before.
    #[error("an SRTP key does not fit its suite")]
    Key,
}

impl StreamError {
    /// Whether every port of the range is in use.
    pub(super) const fn is_for_want_of_ports(&self) -> bool {
        matches!(self, Self::Ports(PortsError::NoneFree))
    }

    /// What the client is told.
    pub(super) const fn reason(&self) -> &'static str {
        match self {
            Self::Ports(_) => "no free media port",
            Self::Random(_) | Self::Key => "no key can be made",
        }
    }
}

/// Who we are in RTCP on one stream.
pub(super) fn own_name() -> Result<OwnName, StreamError> {
    Ok(OwnName::of_random(random::bytes()?))
}

/// The client's key, and a new one of ours for what we send (RFC 4568 §5.1.3: each side has its
/// own).
pub(super) fn keys(theirs: &MasterKey) -> Result<(MasterKey, MasterKey), StreamError> {
    let random = Zeroizing::new(random::bytes()?);
    let ours = MasterKey::of_random(theirs.suite(), &random);
    Ok((theirs.clone(), ours))
}

/// A stream as the journal and the manifest name it; `None` if it cannot be recorded.
pub(super) fn media_stream(
    offered: &OfferedStream,
    metadata: Option<&Metadata>,
) -> Option<MediaStream> {
    of_formats(offered, &offered.formats, metadata)
}

/// A stream of sound that is refused, as far as its offer can be read, and why.
pub(super) fn refused_stream(
    offered: &OfferedStream,
    metadata: Option<&Metadata>,
) -> Option<(MediaStream, Cause)> {
    let refused = offered.refused.as_ref()?;
    let unnamed = Format {
        codec: Codec::unnamed(),
        payload_type: PAYLOAD_TYPE_MAX,
        parameters: None,
    };
    let stream = of_formats(offered, &refused.formats, metadata)
        .or_else(|| of_formats(offered, &[unnamed], metadata))?;
    let cause = match refused.why {
        Refusal::Protection => Cause::Protection,
        Refusal::Keys => Cause::Keys,
        Refusal::Form => Cause::Form,
    };
    Some((stream, cause))
}

fn of_formats(
    offered: &OfferedStream,
    formats: &[Format],
    metadata: Option<&Metadata>,
) -> Option<MediaStream> {
    // A mix of several voices belongs to none of them, and a guess is not written down as a fact.
    let party = match metadata.map(|metadata| metadata.voices_of(offered.number)) {
        Some([voice]) if voice.rule.is_verified() => Some(voice.party.clone()),
        _ => None,
    };
    let stream = MediaStream::of_formats(offered.number, formats)?;
    Some(MediaStream {
        label: offered.label.clone(),
        party,
        ..stream
    })
}

/// Who takes part. The order is that of the pseudonyms, so those who left keep their place: they
/// were in the conversation that is being recorded. If there may be somebody whom the metadata
/// could not tell us of, one more stands at the end, without an address.
pub(super) fn parties(metadata: &Metadata) -> Vec<OfferedParty> {
    let is_incomplete = metadata.quirks.contains(&Quirk::ParticipantsUnknown);
    let unknown = is_incomplete.then(|| party(&[], None, None));
    // With more than we keep, the last place is for those who have none.
    let named_max = limits::PARTIES_MAX - usize::from(is_incomplete);
    metadata
        .participants
        .iter()
        .take(named_max)
        .map(|participant| {
            let name = participant.name.clone();
            OfferedParty {
                has_left: participant.has_left,
                ..party(&participant.addresses, name, participant.is_caller)
            }
        })
        .chain(unknown)
        .collect()
}

fn party(
    addresses: &[Pii<String>],
    name: Option<Pii<String>>,
    is_caller: Option<bool>,
) -> OfferedParty {
    let (first, further) = match addresses {
        [first, further @ ..] => (first.clone(), further.to_vec()),
        // Without an address the country is unknown, which the law takes as the strictest.
        [] => (Pii::new(String::new()), Vec::new()),
    };
    OfferedParty {
        address: first,
        further_addresses: further,
        name,
        is_caller,
        has_left: false,
    }
}

/// The call, for the archive.
pub(super) fn call(
    offer: &Offer,
    streams: Vec<MediaStream>,
    about: About,
    offered_at: Timestamp,
) -> OfferedCall {
    OfferedCall {
        line: offer.request_user.expose().clone(),
        parties: offer.metadata.as_ref().map(parties).unwrap_or_default(),
        streams,
        offered_at,
        about,
    }
}

/// Most ids of a call by which it says what it belongs with.
const LINKS_MAX: usize = 32;

/// Adds what an offer says of the call besides who takes part.
pub(super) fn add_offer(about: &mut About, offer: &Offer) {
    for id in &offer.session_ids {
        add_link(about, LinkKind::SessionId, id.expose());
    }
    if !offer.called_before.is_empty() {
        about.called_before.clone_from(&offer.called_before);
    }
    add_quirks(about, &offer.quirks);
    if let Some(metadata) = &offer.metadata {
        add_metadata(about, metadata);
    }
}

/// Adds what metadata says of the call. What was told before stays told: a later document need not
/// repeat a group for the earlier one to have been true.
pub(super) fn add_metadata(about: &mut About, metadata: &Metadata) {
    for group in &metadata.groups {
        add_link(about, LinkKind::Group, group.expose());
    }
    for session in &metadata.communication_sessions {
        add_link(about, LinkKind::Session, session.id.expose());
        if let Some(group) = &session.group {
            add_link(about, LinkKind::Group, group.expose());
        }
        let ends = session.sip_session_id.iter();
        for end in ends.flat_map(|id| session_uuids(id.expose())) {
            add_link(about, LinkKind::SessionId, &end);
        }
    }
    add_quirks(about, &metadata.quirks);
    for voices in &metadata.voices {
        let told = StreamReport {
            stream: voices.number,
            voices: voices
                .voices
                .iter()
                .map(|voice| voice.party.clone())
                .collect(),
            rule: voices
                .voices
                .iter()
                .map(|voice| voice.rule)
                .max()
                .map(|rule| rule.as_str().to_owned()),
        };
        let streams = &mut about.report.streams;
        match streams.iter_mut().find(|known| known.stream == told.stream) {
            Some(known) => *known = told,
            None => streams.push(told),
        }
    }
}

fn add_link(about: &mut About, kind: LinkKind, id: &str) {
    let link = Link {
        kind,
        id: Pii::new(id.to_owned()),
    };
    if !id.is_empty() && about.links.len() < LINKS_MAX && !about.links.contains(&link) {
        about.links.push(link);
    }
}

fn add_quirks(about: &mut About, quirks: &[Quirk]) {
    for word in quirks.iter().map(|quirk| quirk.as_str()) {
        if !about.report.quirks.iter().any(|known| known == word) {
            about.report.quirks.push(word.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_quirk_has_a_sentence_for_people() {
        for quirk in Quirk::ALL {
            let word = quirk.as_str();
            assert!(voicelog_archive::odd::is_known(word), "{word}");
        }
    }
}
