//! Our side of RTCP: what we report of a stream (RFC 3550 §6.4.2, §6.5), and when (§6.2, §6.3).
//!
//! A report goes to the source that the stream listens to, and only if packets of it were kept since
//! the last report: nobody who sends nothing is ever sent anything, and there is never more going
//! out than came in. While no permit is held nothing is kept, so nothing is reported either.

use std::fmt;
use std::net::SocketAddr;
use voicelog_model::Timestamp;
use voicelog_model::rtcp::{Said, SenderReport};
use voicelog_model::rtp::RtpPacket;
use voicelog_srs::srtp::ControlProtector;

/// The shortest interval between two reports, before it is varied (RFC 3550 §6.2).
const INTERVAL_MICROS: i64 = 5_000_000;

/// Who we are in RTCP: random for each stream, so that it says nothing of this machine
/// (RFC 7022 §4.2).
#[derive(Clone)]
pub(crate) struct OwnName {
    /// Our synchronisation source.
    pub(crate) ssrc: u32,
    /// 96 random bits as text.
    pub(crate) name: [u8; 16],
}

impl OwnName {
    /// From random bytes.
    pub(crate) fn of_random(random: [u8; 20]) -> Self {
        let [a, b, c, d, rest @ ..] = random;
        const LETTERS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        Self {
            ssrc: u32::from_be_bytes([a, b, c, d]),
            name: rest.map(|byte| *LETTERS.get(usize::from(byte & 63)).unwrap_or(&b'A')),
        }
    }
}

/// What is reported of one stream.
pub(super) struct Reports {
    own: OwnName,
    /// Protects what we send, where the stream is protected.
    protector: Option<ControlProtector>,
    /// RTCP goes over the port of RTP (RFC 5761).
    is_muxed: bool,
    /// Ticks a second of the stream's clock.
    rate: u32,
    source: Option<Reception>,
    /// From where the source's own RTCP came last.
    control: Option<SocketAddr>,
    next: Option<Timestamp>,
    /// Varies the interval, so that many calls do not report at once.
    noise: u32,
}

impl fmt::Debug for Reports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reports")
    }
}

impl Reports {
    pub(super) const fn new(
        own: OwnName,
        rate: u32,
        is_muxed: bool,
        protector: Option<ControlProtector>,
    ) -> Self {
        let noise = own.ssrc;
        Self {
            own,
            protector,
            is_muxed,
            rate,
            source: None,
            control: None,
            next: None,
            noise,
        }
    }

    /// The stream is reported of in another way from now on, by the same name.
    pub(super) fn go_on_as(&mut self, other: Self) {
        let is_other_clock = self.rate != other.rate;
        (self.rate, self.is_muxed) = (other.rate, other.is_muxed);
        self.protector = other.protector;
        if is_other_clock {
            self.source = None;
        }
    }

    /// Whether they go over the socket of RTP.
    pub(super) const fn is_muxed(&self) -> bool {
        self.is_muxed
    }

    /// A packet of the source was taken in.
    pub(super) fn heard(&mut self, packet: &RtpPacket<'_>, arrived: Timestamp) {
        match &mut self.source {
            Some(source) if source.ssrc == packet.ssrc => source.heard(packet, arrived, self.rate),
            // Another source, counted from its first packet.
            other => *other = Some(Reception::new(packet, arrived, self.rate)),
        }
        if self.next.is_none() {
            // The first comes after half the time (RFC 3550 §6.2).
            let wait = self.interval() / 2;
            self.next = Some(arrived.plus_micros(wait));
        }
    }

    /// What the source said of itself. True if it says goodbye.
    pub(super) fn said(&mut self, said: Said, from: SocketAddr, arrived: Timestamp) -> bool {
        let Some(source) = &mut self.source else {
            return false;
        };
        self.control = Some(from);
        match said {
            Said::Report(report) if report.ssrc == source.ssrc => {
                source.last_report = Some((report, arrived));
                false
            }
            Said::Goodbye { ssrc } => ssrc == source.ssrc,
            Said::Report(_) => false,
        }
    }

    /// A report that is due, and where to.
    pub(super) fn due(
        &mut self,
        now: Timestamp,
        media: Option<SocketAddr>,
    ) -> Option<(SocketAddr, Vec<u8>)> {
        if self.next.is_none_or(|next| now < next) {
            return None;
        }
        let wait = self.interval();
        self.next = Some(now.plus_micros(wait));
        let to = self.destination(media?)?;
        let block = self.source.as_mut()?.block(now)?;
        let report = compound(&self.own, &block);
        match &mut self.protector {
            Some(protector) => Some((to, protector.protect(&report)?)),
            None => Some((to, report)),
        }
    }

    /// Where the source's own RTCP comes from if it is the same host, else the port above its RTP
    /// (RFC 3550 §11); with one port for both, where its RTP comes from.
    fn destination(&self, media: SocketAddr) -> Option<SocketAddr> {
        if self.is_muxed {
            return Some(media);
        }
        match self.control {
            Some(control) if control.ip() == media.ip() => Some(control),
            _ => Some(SocketAddr::new(media.ip(), media.port().checked_add(1)?)),
        }
    }

    /// Between a half and three halves of the interval, made shorter as RFC 3550 §6.3.1 says.
    fn interval(&mut self) -> i64 {
        // Numerical Recipes' generator; its upper bits are good enough to spread reports.
        self.noise = self
            .noise
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        let spread = i64::from(self.noise >> 12) * INTERVAL_MICROS / (1 << 20);
        (INTERVAL_MICROS / 2 + spread) * 100_000 / 121_828
    }
}

/// A receiver report with one block, and our name.
fn compound(own: &OwnName, block: &[u8; 24]) -> Vec<u8> {
    let mut bytes = vec![0x81, 201, 0, 7];
    bytes.extend_from_slice(&own.ssrc.to_be_bytes());
    bytes.extend_from_slice(block);
    // SDES: one chunk of source, CNAME with its length, and two zeros that end it.
    bytes.extend_from_slice(&[0x81, 202, 0, 6]);
    bytes.extend_from_slice(&own.ssrc.to_be_bytes());
    bytes.extend_from_slice(&[1, 16]);
    bytes.extend_from_slice(&own.name);
    bytes.extend_from_slice(&[0, 0]);
    bytes
}

/// What came of one source (RFC 3550 appendix A.1, A.3, A.8).
#[derive(Debug)]
struct Reception {
    ssrc: u32,
    /// The first number, and the highest with its rollovers.
    first: u64,
    highest: u64,
    received: u64,
    /// Both at the last report.
    expected_before: u64,
    received_before: u64,
    /// Arrival less timestamp of the last packet, in ticks, modulo 2^32.
    transit: u32,
    /// Sixteen times the jitter, in ticks.
    jitter: u64,
    last_report: Option<(SenderReport, Timestamp)>,
}

impl Reception {
    fn new(packet: &RtpPacket<'_>, arrived: Timestamp, rate: u32) -> Self {
        let first = u64::from(packet.sequence);
        Self {
            ssrc: packet.ssrc,
            first,
            highest: first,
            received: 1,
            expected_before: 0,
            received_before: 0,
            transit: ticks(arrived, rate).wrapping_sub(packet.timestamp),
            jitter: 0,
            last_report: None,
        }
    }

    fn heard(&mut self, packet: &RtpPacket<'_>, arrived: Timestamp, rate: u32) {
        self.received = self.received.saturating_add(1);
        let last = u16::try_from(self.highest & 0xffff).unwrap_or(0);
        let ahead = packet.sequence.wrapping_sub(last);
        if ahead < 0x8000 {
            self.highest = self.highest.saturating_add(u64::from(ahead));
        }
        let transit = ticks(arrived, rate).wrapping_sub(packet.timestamp);
        let difference = transit.wrapping_sub(self.transit);
        let difference = difference.min(difference.wrapping_neg());
        self.transit = transit;
        self.jitter = (self.jitter + u64::from(difference)).saturating_sub((self.jitter + 8) >> 4);
    }

    /// The report block; `None` if nothing came since the last one.
    fn block(&mut self, now: Timestamp) -> Option<[u8; 24]> {
        let received = self.received.checked_sub(self.received_before)?;
        if received == 0 {
            return None;
        }
        let all = self.highest.saturating_sub(self.first) + 1;
        let expected = all.saturating_sub(self.expected_before);
        let lost = expected.saturating_sub(received);
        let fraction = (lost << 8).checked_div(expected).unwrap_or(0).min(255);
        // Duplicates make it negative; 24 bits with a sign.
        let cumulative = i64::try_from(all).ok()? - i64::try_from(self.received).ok()?;
        let [_, _, _, _, _, c0, c1, c2] = cumulative.clamp(-0x80_0000, 0x7f_ffff).to_be_bytes();
        (self.expected_before, self.received_before) = (all, self.received);
        let (middle, delay) = self.last_report.map_or((0, 0), |(report, arrived)| {
            let micros = u64::try_from(now.micros_since(arrived)).unwrap_or(0);
            (report.middle(), low_32(micros * 65_536 / 1_000_000))
        });
        let mut block = [0; 24];
        let fraction = u8::try_from(fraction).unwrap_or(u8::MAX);
        let words = [
            self.ssrc,
            u32::from_be_bytes([fraction, c0, c1, c2]),
            low_32(self.highest),
            low_32(self.jitter >> 4),
            middle,
            delay,
        ];
        for (place, word) in block.as_chunks_mut::<4>().0.iter_mut().zip(words) {
            *place = word.to_be_bytes();
        }
        Some(block)
    }
}

/// A moment in ticks of a clock, modulo 2^32.
fn ticks(at: Timestamp, rate: u32) -> u32 {
    let ticks = i128::from(at.micros()) * i128::from(rate) / 1_000_000;
    u32::try_from(ticks & 0xffff_ffff).unwrap_or(0)
}

fn low_32(number: u64) -> u32 {
    u32::try_from(number & 0xffff_ffff).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use voicelog_model::rtcp;

    const MEDIA: &str = "192.0.2.1:4000";

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_micros(1_790_000_000_000_000 + millis * 1_000)
    }

    fn reports(is_muxed: bool) -> Reports {
        Reports::new(OwnName::of_random([9; 20]), 8_000, is_muxed, None)
    }

    fn packet(sequence: u16, timestamp: u32) -> RtpPacket<'static> {
        RtpPacket {
            marker: false,
            payload_type: 8,
            sequence,
            timestamp,
            ssrc: 7,
            payload: &[],
        }
    }

    fn word(report: &[u8], place: usize) -> u32 {
        u32::from_be_bytes(*report[place..].first_chunk().unwrap())
    }

    fn due(reports: &mut Reports, now: Timestamp) -> Option<(SocketAddr, Vec<u8>)> {
        reports.due(now, Some(MEDIA.parse().unwrap()))
    }

    #[test]
    fn loss_rollovers_and_the_last_sender_report_are_told() {
        let mut reports = reports(false);
        // 65530 to 65535 and 0 to 13, of which every fifth is lost.
        for place in 0..20_u16 {
            if place % 5 != 4 {
                let at = at(i64::from(place) * 20);
                reports.heard(
                    &packet(65_530_u16.wrapping_add(place), u32::from(place) * 160),
                    at,
                );
            }
        }
        let report = SenderReport {
            ssrc: 7,
            ntp: 0x1111_2222_3333_4444,
            timestamp: 0,
        };
        let from = "192.0.2.1:5001".parse().unwrap();
        assert!(!reports.said(Said::Report(report), from, at(7_500)));
        let (to, bytes) = due(&mut reports, at(8_000)).unwrap();
        assert_eq!(to, from, "where its RTCP comes from");
        assert_eq!(bytes[..4], [0x81, 201, 0, 7]);
        assert_eq!(word(&bytes, 8), 7);
        // 3 of 19 are known to be missing: the last one lost is not known of yet.
        assert_eq!(bytes[12], u8::try_from(3 * 256 / 19).unwrap());
        assert_eq!(word(&bytes, 12) & 0xff_ffff, 3);
        assert_eq!(word(&bytes, 16), 65_536 + 12);
        assert_eq!(word(&bytes, 20), 0, "no jitter");
        assert_eq!(word(&bytes, 24), 0x2222_3333);
        assert_eq!(word(&bytes, 28), 32_768, "half a second");
        assert_eq!(bytes[32..36], [0x81, 202, 0, 6]);
        assert_eq!(bytes.len(), 60);
        assert_eq!(
            rtcp::read(&bytes).count(),
            0,
            "a well-formed compound, without a sender's report"
        );
    }

    #[test]
    fn who_sends_nothing_is_sent_nothing() {
        let mut reports = reports(false);
        assert_eq!(due(&mut reports, at(60_000)), None);
        reports.heard(&packet(1, 0), at(0));
        assert_eq!(due(&mut reports, at(1_000)), None, "not at once");
        assert!(due(&mut reports, at(5_000)).is_some());
        for second in 6..100 {
            assert_eq!(due(&mut reports, at(second * 1_000)), None);
        }
        assert_eq!(
            reports.due(at(200_000), None),
            None,
            "nobody is listened to"
        );
    }

    #[test]
    fn reports_are_two_to_six_seconds_apart_and_not_all_alike() {
        let mut reports = reports(false);
        let mut sent = Vec::new();
        for step in 0..6_000_u16 {
            let now = at(i64::from(step) * 20);
            reports.heard(&packet(step, u32::from(step) * 160), now);
            if due(&mut reports, now).is_some() {
                sent.push(now);
            }
        }
        let gaps: Vec<_> = sent
            .windows(2)
            .map(|pair| pair[1].micros_since(pair[0]))
            .collect();
        assert!(
            gaps.iter().all(|gap| (2_000_000..6_300_000).contains(gap)),
            "{gaps:?}"
        );
        assert!(gaps.iter().max().unwrap() - gaps.iter().min().unwrap() > 500_000);
    }

    #[test]
    fn without_its_rtcp_a_report_goes_to_the_port_above_or_to_the_same_one() {
        for (is_muxed, port) in [(false, 4_001), (true, 4_000)] {
            let mut reports = reports(is_muxed);
            reports.heard(&packet(1, 0), at(0));
            // Somebody elsewhere who claims to be the source changes nothing.
            let elsewhere = "198.51.100.9:9".parse().unwrap();
            reports.said(Said::Goodbye { ssrc: 8 }, elsewhere, at(10));
            assert_eq!(due(&mut reports, at(9_000)).unwrap().0.port(), port);
        }
    }

    #[test]
    fn jitter_follows_the_delay_as_the_standard_reckons_it() {
        let mut reports = reports(false);
        for place in 0..400_u16 {
            // Every other packet is 10 ms late: 80 ticks to and fro.
            let late = i64::from(place % 2) * 10;
            let timestamp = u32::from(place) * 160;
            reports.heard(&packet(place, timestamp), at(i64::from(place) * 20 + late));
        }
        let (_, bytes) = due(&mut reports, at(9_000)).unwrap();
        assert!(
            (78..=80).contains(&word(&bytes, 20)),
            "{}",
            word(&bytes, 20)
        );
    }

    #[test]
    fn only_the_source_itself_says_goodbye() {
        let mut reports = reports(false);
        let from: SocketAddr = MEDIA.parse().unwrap();
        assert!(
            !reports.said(Said::Goodbye { ssrc: 7 }, from, at(0)),
            "never heard"
        );
        reports.heard(&packet(1, 0), at(0));
        assert!(!reports.said(Said::Goodbye { ssrc: 8 }, from, at(10)));
        assert!(reports.said(Said::Goodbye { ssrc: 7 }, from, at(10)));
    }
}
