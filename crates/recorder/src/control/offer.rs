//! What a client offers, in the words of the archive.

use crate::media::OwnName;
use crate::ports::PortsError;
use voicelog_archive::{OfferedCall, OfferedParty, random};
use voicelog_model::{MediaStream, Pii, Timestamp, limits};
use voicelog_srs::srtp::MasterKey;
use voicelog_srs::{Metadata, Offer, OfferedStream, Quirk};
use zeroize::Zeroizing;

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
    // A mix of several voices belongs to none of them, and a guess is not written down as a fact.
    let party = match metadata.map(|metadata| metadata.voices_of(offered.number)) {
        Some([voice]) if voice.rule.is_verified() => Some(voice.party.clone()),
        _ => None,
    };
    let stream = MediaStream::of_formats(offered.number, &offered.formats)?;
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
    let unknown = is_incomplete.then(|| party(&[], None));
    // With more than we keep, the last place is for those who have none.
    let named_max = limits::PARTIES_MAX - usize::from(is_incomplete);
    metadata
        .participants
        .iter()
        .take(named_max)
        .map(|participant| party(&participant.addresses, participant.name.clone()))
        .chain(unknown)
        .collect()
}

fn party(addresses: &[Pii<String>], name: Option<Pii<String>>) -> OfferedParty {
    let (first, further) = match addresses {
        [first, further @ ..] => (first.clone(), further.to_vec()),
        // Without an address the country is unknown, which the law takes as the strictest.
        [] => (Pii::new(String::new()), Vec::new()),
    };
    OfferedParty {
        address: first,
        further_addresses: further,
        name,
    }
}

/// The call, for the archive.
pub(super) fn call(offer: &Offer, streams: Vec<MediaStream>, offered_at: Timestamp) -> OfferedCall {
    OfferedCall {
        line: offer.request_user.expose().clone(),
        parties: offer.metadata.as_ref().map(parties).unwrap_or_default(),
        streams,
        offered_at,
    }
}
