//! What the watch on a call found, said: in the log, in the counts, to other systems.

use super::watch::{Alarm, Look};
use crate::alarms::AlarmKey;
use crate::control::Hands;
use crate::media::MediaCounts;
use voicelog_archive::News;
use voicelog_model::RecordingId;

/// Says what a look found.
pub(super) fn say(id: RecordingId, look: Look, counts: &MediaCounts, hands: &Hands<'_>) {
    let clear = |alarm: Alarm| {
        let key = AlarmKey::of_call(alarm.word(), id);
        hands.shared.clear(key, hands.now, |news| news);
    };
    match look {
        Look::Same => {}
        Look::Alarm(alarm) => raise(id, alarm, counts, hands),
        Look::Again => {
            clear(Alarm::NoMedia);
            tracing::info!(recording = %id, "RTP comes again");
        }
        Look::ReadAgain => {
            clear(Alarm::Metadata);
            tracing::info!(recording = %id, "the metadata can be read again");
        }
        Look::SideTaken => {
            clear(Alarm::SideRefused);
            tracing::info!(recording = %id, "every stream of sound is recorded again");
        }
        Look::LossOver => {
            clear(Alarm::Loss);
            tracing::info!(recording = %id, "packets come as they should again");
        }
    }
}

fn raise(id: RecordingId, alarm: Alarm, counts: &MediaCounts, hands: &Hands<'_>) {
    hands.shared.count(alarm.as_str());
    // What came and could not be used is not "nothing came": the fault is in the client's settings,
    // not in a firewall.
    let unagreed = counts
        .unagreed
        .filter(|_| matches!(alarm, Alarm::NoMedia | Alarm::OneSide));
    let say = |news: News| match unagreed {
        Some(payload_type) => news
            .with("payload_type_not_agreed", payload_type)
            .with("packets_unusable", counts.unusable),
        None => news,
    };
    let key = AlarmKey::of_call(alarm.word(), id);
    hands.shared.raise(key, hands.now, say);
    let unusable = counts.unusable;
    match (alarm, unagreed) {
        (Alarm::NoMedia, Some(payload_type)) => {
            tracing::warn!(recording = %id, payload_type, unusable, "no RTP that can be kept for ten seconds: packets come, of a payload type that was not agreed on; see which codec the client sends and which it offers");
        }
        (Alarm::NoMedia, None) => {
            tracing::warn!(recording = %id, "no RTP for ten seconds; see whether the client sends to the ports of our answer");
        }
        (Alarm::WrongKey, _) => {
            tracing::warn!(recording = %id, "the client's packets do not fit the SRTP key of its offer; see whether it says the key that it uses");
        }
        (Alarm::OneSide, Some(payload_type)) => {
            tracing::warn!(recording = %id, payload_type, unusable, "one side was never heard: packets come, of a payload type that was not agreed on; see which codec the client sends and which it offers");
        }
        (Alarm::OneSide, None) => {
            tracing::warn!(recording = %id, "one side was never heard; see whether the client sends both");
        }
        (Alarm::Metadata, _) => {
            tracing::warn!(recording = %id, "an update of the metadata cannot be read; the client is asked for all of it, and until it comes who takes part is what was told before");
        }
        (Alarm::SideRefused, _) => {
            tracing::warn!(recording = %id, "a stream of sound cannot be recorded as the client offers it; the recording says why");
        }
        (Alarm::Loss, _) => {
            tracing::warn!(recording = %id, "packets are being lost on their way; see the network between the client and here");
        }
    }
}
