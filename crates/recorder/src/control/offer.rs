//! What a client offers, in the words of the archive.

use voicelog_archive::{OfferedCall, OfferedParty};
use voicelog_model::{MediaStream, Pii, Timestamp, limits};
use voicelog_srs::{Metadata, Offer, OfferedStream, Quirk};

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
    let unknown = is_incomplete.then(|| party(&[], None, None));
    // With more than we keep, the last place is for those who have none.
    let named_max = limits::PARTIES_MAX - usize::from(is_incomplete);
    metadata
        .participants
        .iter()
        .take(named_max)
        .map(|participant| {
            let name = participant.name.clone();
            party(&participant.addresses, name, participant.is_caller)
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
