//! What the archive holds, against what was sent.

use super::unrecorded::{self, Unrecorded};
use super::{Advice, Check};
use crate::Sent;
use crate::load::LoadReport;
use crate::report::{CallReport, StreamReport};

/// Packets at the start of a stream that may not be kept where a notice is looked for: half a second.
const NOTICE_SKIPS_MAX: u16 = 25;

/// One recording as the archive tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its id.
    pub id: String,
    /// Whether its timeline has a gap that nothing explains.
    pub undeclared_gap: bool,
    /// Its streams, in the order of their numbers.
    pub streams: Vec<KeptStream>,
}

/// One stream of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeptStream {
    /// Number of its first packet.
    pub first_sequence: Option<u16>,
    /// RTP packets, those that came twice twice.
    pub packets: u64,
    /// Packets missing, as their numbers say.
    pub lost: u64,
    /// Packets that came twice.
    pub duplicates: u64,
    /// Packets too late to be heard, or of another source.
    pub unused: u64,
}

/// The archive's part of the verdict. A call and its recording are the same where the numbers of
/// their packets begin alike: the archive keeps no Call-ID.
#[must_use]
pub fn judge_archive(
    load: &LoadReport,
    kept: &[Kept],
    unrecorded: &[Unrecorded],
    has_notice: bool,
) -> Vec<Check> {
    let skipped_max = if has_notice { NOTICE_SKIPS_MAX } else { 0 };
    let sent: Vec<&CallReport> = load.calls.iter().filter(|call| has_media(call)).collect();
    let pairs: Vec<_> = sent
        .iter()
        .filter_map(|call| {
            Some((
                *call,
                kept.iter().find(|kept| is_of(kept, call, skipped_max))?,
            ))
        })
        .collect();
    let mut checks = vec![
        found(sent.len(), pairs.len(), unrecorded),
        exact(&pairs, unrecorded),
        explained(&pairs),
    ];
    checks.extend(unheard(&pairs));
    checks
}

/// That what was kept cannot be played, where that is so.
fn unheard(pairs: &[(&CallReport, &Kept)]) -> Option<Check> {
    let streams = pairs.iter().flat_map(|(call, _)| &call.streams);
    let codec = (streams.map(|stream| &stream.codec)).find(|codec| !codec.is_playable())?;
    let name = codec.name();
    Some(Check::not_checked(
        "archive_sound",
        Advice::new(
            format!(
                "het geluid in {name} is bewaard zoals het kwam; voicelog kan het niet afspelen"
            ),
            format!("the sound in {name} is kept as it came; voicelog cannot play it"),
        ),
        Advice::new(
            "Wie wil luisteren, laat de centrale G.711, G.722 of Opus sturen; of neemt de pakketten uit het bewijspakket \
             en een programma dat deze codec kent.",
            "To listen, let the exchange send G.711, G.722 or Opus; or take the packets out of the bundle, and a program \
             that knows this codec.",
        ),
    ))
}

fn has_media(call: &CallReport) -> bool {
    call.streams.iter().any(|stream| stream.sent.packets > 0)
}

/// How many packets of a stream are not kept before its first. Where the notice is looked for, recording
/// begins where it was found, which can be a few packets from where it was played.
fn skipped(kept: &KeptStream, sent: &Sent) -> Option<u16> {
    Some(kept.first_sequence?.wrapping_sub(sent.first_sequence?))
}

fn is_of(kept: &Kept, call: &CallReport, skipped_max: u16) -> bool {
    let same = |(kept, sent): (&KeptStream, &StreamReport)| {
        let (kept_first, sent_first) = (kept.first_sequence, sent.sent.first_sequence);
        kept_first == sent_first || skipped(kept, &sent.sent).is_some_and(|n| n <= skipped_max)
    };
    kept.streams.len() == call.streams.len() && kept.streams.iter().zip(&call.streams).all(same)
}

fn found(sent: usize, found: usize, unrecorded: &[Unrecorded]) -> Check {
    let missing = sent.saturating_sub(found);
    let why = unrecorded::why(unrecorded).filter(|_| missing > 0);
    let left_out = unrecorded::left_out(unrecorded).min(missing);
    let words = unrecorded::left_out_in_words(unrecorded, missing);
    Check::new(
        "archive_calls",
        found + left_out == sent,
        Advice::new(
            format!("{found} van {sent} gesprekken met geluid staan in het archief{}", words.nl),
            format!("{found} of {sent} calls with media are in the archive{}", words.en),
        ),
        why.unwrap_or_else(|| Advice::new(
            "Het gesprek werd aangenomen en is er niet, of nog niet gesloten: zie het logboek van de server. Kwam er \
             geen pakket aan, kijk dan of een firewall RTP tegenhoudt (`media_address`, `media_port_first`).",
            "The call was answered and is not there, or not closed yet: see the server's log. If no packet arrived, \
             see whether a firewall stops RTP (`media_address`, `media_port_first`).",
        )),
    )
}

/// How often a stream was put on hold. The packet that goes out in the same moment as the request can be
/// on either side of it, and what arrives when a hold has begun must not be kept.
fn holds(sent: &StreamReport) -> u64 {
    let stops = sent.changes.iter().filter(|change| !change.flows).count();
    // The last is the end of the call.
    u64::try_from(stops.saturating_sub(1)).unwrap_or(0)
}

/// Packet for packet: what was sent is there, what was lost on purpose is told as lost.
fn exact(pairs: &[(&CallReport, &Kept)], unrecorded: &[Unrecorded]) -> Check {
    if pairs.is_empty() {
        return nothing_to_compare(unrecorded);
    }
    let streams = || {
        pairs.iter().flat_map(|(call, kept)| {
            let both = call.streams.iter().zip(&kept.streams);
            both.map(|(sent, kept)| (*call, &sent.sent, kept, holds(sent)))
        })
    };
    let is_exact = |sent: &Sent, kept: &KeptStream, holds: u64| {
        // Of the packets before the notice nobody knows which were lost or sent twice.
        let before = u64::from(skipped(kept, sent).unwrap_or(0));
        let is_near = |kept: u64, sent: u64, before: u64| {
            (sent.saturating_sub(before)..=sent).contains(&kept)
        };
        let twice = sent.datagrams.saturating_sub(sent.packets);
        is_near(kept.packets, sent.datagrams, 2 * before + holds)
            && is_near(kept.lost, sent.dropped, before)
            && is_near(kept.duplicates, twice, before)
            && kept.unused == 0
    };
    let wrong: Vec<_> = streams()
        .filter(|(_, sent, kept, holds)| !is_exact(sent, kept, *holds))
        .collect();
    let example = wrong.first().map(|(call, sent, kept, _)| {
        format!(
            " ({}: {} / {}, - {} / {}, + {})",
            call.dialect, kept.packets, sent.datagrams, kept.lost, sent.dropped, kept.unused
        )
    });
    let example = example.unwrap_or_default();
    let (packets, lost) = streams().fold((0, 0), |(packets, lost), (_, sent, ..)| {
        (packets + sent.datagrams, lost + sent.dropped)
    });
    let kept: u64 = streams().map(|(_, _, kept, _)| kept.packets).sum();
    let told: u64 = streams().map(|(_, _, kept, _)| kept.lost).sum();
    let count = wrong.len();
    Check::new(
        "archive_packets",
        count == 0,
        Advice::new(
            format!(
                "{kept} van {packets} pakketten bewaard, {told} van {lost} expres verloren pakketten als verlies \
                 verklaard; {count} stromen kloppen niet{example}"
            ),
            format!(
                "{kept} of {packets} packets kept, {told} of {lost} packets lost on purpose declared as loss; \
                 {count} streams do not add up{example}"
            ),
        ),
        Advice::new(
            "Er ging onderweg meer verloren dan deze proef liet vallen. Kijk naar het netwerk en naar \
             `voicelog_packets_total` bij `/v1/metrics`: wat de server zelf liet vallen staat daar, en op de \
             tijdlijn als `dropped`.",
            "More was lost on the way than this test let fall. Look at the network and at \
             `voicelog_packets_total` in `/v1/metrics`: what the server itself dropped is there, and on the \
             timeline as `dropped`.",
        ),
    )
}

/// Nothing was recorded, which another check says: there is nothing to add up, and nothing was lost.
fn nothing_to_compare(unrecorded: &[Unrecorded]) -> Check {
    Check::not_checked(
        "archive_packets",
        Advice::new(
            "er is geen opname om pakket voor pakket na te tellen",
            "there is no recording to count packet for packet",
        ),
        unrecorded::how_to_ask(unrecorded).unwrap_or_else(|| {
            Advice::new(
                "Kijk eerst waarom er niets is opgenomen.",
                "See first why nothing was recorded.",
            )
        }),
    )
}

fn explained(pairs: &[(&CallReport, &Kept)]) -> Check {
    let first = pairs.iter().find(|(_, kept)| kept.undeclared_gap);
    let count = pairs.iter().filter(|(_, kept)| kept.undeclared_gap).count();
    let example = first.map(|(call, kept)| format!(" ({}: {})", call.dialect, kept.id));
    let example = example.unwrap_or_default();
    Check::new(
        "archive_gaps",
        count == 0,
        Advice::new(
            format!("{count} opnamen met een onverklaarde onderbreking{example}"),
            format!("{count} recordings with an undeclared gap{example}"),
        ),
        Advice::new(
            "Bekijk de tijdlijn met `voicelog show ID`: daar staat waar geluid ontbreekt.",
            "Look at the timeline with `voicelog show ID`: it says where media is missing.",
        ),
    )
}
