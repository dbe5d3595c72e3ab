//! What a sender says about its own stream: RTCP sender reports with its name (RFC 3550 §6.4.1,
//! §6.5), and the goodbye (§6.6).

use voicelog_model::Timestamp;

/// Seconds from 1900, where NTP counts from, to 1970.
const NTP_TO_UNIX_SECONDS: u64 = 2_208_988_800;

/// The state of a stream at one moment, for a report.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) ssrc: u32,
    /// The same moment on the wall clock and on the media clock.
    pub(crate) wall: Timestamp,
    pub(crate) media: u32,
    pub(crate) packets: u64,
    pub(crate) payload_bytes: u64,
}

/// A sender report and the source's name, as one compound packet.
pub(crate) fn report(moment: &Moment, name: &str) -> Vec<u8> {
    let mut packet = header(200, 0, 6);
    let micros = u64::try_from(moment.wall.micros()).unwrap_or(0);
    let seconds = (micros / 1_000_000).wrapping_add(NTP_TO_UNIX_SECONDS);
    let fraction = ((micros % 1_000_000) << 32) / 1_000_000;
    for word in [
        moment.ssrc,
        low_32(seconds),
        low_32(fraction),
        moment.media,
        low_32(moment.packets),
        low_32(moment.payload_bytes),
    ] {
        packet.extend_from_slice(&word.to_be_bytes());
    }
    packet.extend_from_slice(&description(moment.ssrc, name));
    packet
}

/// The source leaves.
pub(crate) fn goodbye(moment: &Moment, name: &str) -> Vec<u8> {
    let mut packet = report(moment, name);
    packet.extend_from_slice(&header(203, 1, 1));
    packet.extend_from_slice(&moment.ssrc.to_be_bytes());
    packet
}

/// SDES with one item, CNAME.
fn description(ssrc: u32, name: &str) -> Vec<u8> {
    let name: Vec<u8> = name.bytes().take(255).collect();
    let mut chunk = ssrc.to_be_bytes().to_vec();
    chunk.push(1);
    chunk.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
    chunk.extend_from_slice(&name);
    // The list ends with one zero byte at least, up to the next word.
    chunk.resize(chunk.len() / 4 * 4 + 4, 0);
    let words = u16::try_from(chunk.len() / 4).unwrap_or(u16::MAX);
    let mut packet = header(202, 1, words);
    packet.append(&mut chunk);
    packet
}

fn header(kind: u8, count: u8, words: u16) -> Vec<u8> {
    let mut header = vec![0x80 | count, kind];
    header.extend_from_slice(&words.to_be_bytes());
    header
}

fn low_32(number: u64) -> u32 {
    u32::try_from(number & 0xffff_ffff).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use voicelog_model::rtp::RtpPacket;

    fn moment() -> Moment {
        Moment {
            ssrc: 0x0102_0304,
            wall: Timestamp::from_micros(1_500_000),
            media: 8_000,
            packets: 50,
            payload_bytes: 8_000,
        }
    }

    /// Types and lengths of the packets in a compound packet, which they must fill exactly.
    fn kinds(mut bytes: &[u8]) -> Vec<u8> {
        let mut kinds = Vec::new();
        while !bytes.is_empty() {
            assert_eq!(bytes[0] >> 6, 2);
            kinds.push(bytes[1]);
            let words = u16::from_be_bytes([bytes[2], bytes[3]]);
            bytes = &bytes[4 + usize::from(words) * 4..];
        }
        kinds
    }

    #[test]
    fn a_report_ties_the_wall_clock_to_the_media_clock() {
        let packet = report(&moment(), "abcdef@src");
        assert!(RtpPacket::is_rtcp(&packet));
        assert_eq!(
            &packet[8..12],
            &low_32(NTP_TO_UNIX_SECONDS + 1).to_be_bytes()
        );
        assert_eq!(&packet[12..16], &0x8000_0000_u32.to_be_bytes());
        assert_eq!(&packet[16..20], &8_000_u32.to_be_bytes());
    }

    #[test]
    fn compound_packets_add_up_for_names_of_every_length() {
        for length in 0..9 {
            let name = "x".repeat(length);
            assert_eq!(kinds(&report(&moment(), &name)), [200, 202]);
            assert_eq!(kinds(&goodbye(&moment(), &name)), [200, 202, 203]);
        }
    }
}
