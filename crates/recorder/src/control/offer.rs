//! What a client offers, in the words of the archive.

use voicelog_archive::{OfferedCall, OfferedParty};
use voicelog_model::{MediaStream, Pii, Timestamp, limits};
use voicelog_srs::{Metadata, Offer, OfferedStream};

/// A stream as the journal and the manifest name it; `None` if it cannot be recorded.
pub(super) fn media_stream(
    offered: &OfferedStream,
    metadata: Option<&Metadata>,
) -> Option<MediaStream> {
    let format = offered.format?;
    // A mix of several voices belongs to none of them.
    let party = match metadata.map(|metadata| metadata.voices_of(offered.number)) {
        Some([voice]) => Some(voice.party.clone()),
        _ => None,
    };
    Some(MediaStream {
        number: offered.number,
        label: offered.label.clone(),
        codec: format.codec,
        payload_type: format.payload_type,
        party,
    })
}

/// Who takes part. The order is that of the pseudonyms, so those who left keep their place: they
/// were in the conversation that is being recorded.
pub(super) fn parties(metadata: &Metadata) -> Vec<OfferedParty> {
    metadata
        .participants
        .iter()
        .take(limits::PARTIES_MAX)
        .map(|participant| OfferedParty {
            // Without an address the country is unknown, which the law takes as the strictest.
            address: participant
                .addresses
                .first()
                .cloned()
                .unwrap_or_else(|| Pii::new(String::new())),
            name: participant.name.clone(),
        })
        .collect()
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
