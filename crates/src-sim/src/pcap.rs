//! A packet capture of a conversation that never travelled: for tools that replay captures, as
//! SIPp does. Format: libpcap 2.4, Ethernet, IPv4, UDP, RTP.

use crate::rtp::{Numbering, Payload, Sender};
use std::borrow::Cow;

/// Milliseconds of audio in one packet.
const PACKET_MS: u32 = 20;
/// Bytes of one packet's payload.
const PACKET_BYTES: usize = 160;

/// Writes a capture in which side n of the conversation (raw A-law) goes from and to UDP port
/// `first_port` + 2n, all sides at the same time, one packet every 20 ms. Sequence numbers and
/// timestamps begin at 0; the source of side n is n + 1.
#[must_use]
pub fn capture(sides: &[&[u8]], first_port: u16) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 1] {
        // Magic, version 2.4 as two little-endian halves, zone, accuracy, length, Ethernet.
        file.extend_from_slice(&word.to_le_bytes());
    }
    let longest = sides.iter().map(|side| side.len()).max().unwrap_or(0);
    let packets = u32::try_from(longest.div_ceil(PACKET_BYTES)).unwrap_or(u32::MAX);
    let mut senders: Vec<(u16, Sender)> = (0_u16..)
        .zip(sides)
        .map(|(number, side)| (first_port.saturating_add(2 * number), sender(number, side)))
        .collect();
    for number in 0..packets {
        let seconds = number / (1_000 / PACKET_MS);
        let micros = number % (1_000 / PACKET_MS) * PACKET_MS * 1_000;
        for (port, sender) in &mut senders {
            sender.packet(number.into(), |rtp| {
                let frame = frame(*port, rtp);
                let length = u32::try_from(frame.len()).unwrap_or(0);
                for word in [seconds, micros, length, length] {
                    file.extend_from_slice(&word.to_le_bytes());
                }
                file.extend_from_slice(&frame);
            });
        }
    }
    file
}

fn sender(number: u16, side: &[u8]) -> Sender {
    let payload = Payload::Samples {
        samples: Cow::Owned(side.to_vec()),
        looping: false,
    };
    let numbering = Numbering {
        ssrc: u32::from(number) + 1,
        sequence: 0,
        timestamp: 0,
    };
    Sender::new(payload, PACKET_MS, numbering)
}

/// Ethernet, IPv4 and UDP around one RTP packet, loopback to loopback. No checksums: a tool that
/// replays writes its own.
fn frame(port: u16, rtp: &[u8]) -> Vec<u8> {
    let udp_bytes = u16::try_from(8 + rtp.len()).unwrap_or(u16::MAX);
    let ip_bytes = udp_bytes.saturating_add(20);
    let mut frame = vec![0; 12];
    frame.extend_from_slice(&[0x08, 0x00, 0x45, 0x00]);
    frame.extend_from_slice(&ip_bytes.to_be_bytes());
    // Identification and fragment 0, time to live 64, UDP, no checksum, 127.0.0.1 twice.
    frame.extend_from_slice(&[0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
    for half in [port, port, udp_bytes, 0] {
        frame.extend_from_slice(&half.to_be_bytes());
    }
    frame.extend_from_slice(rtp);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speech;
    use voicelog_model::rtp::RtpPacket;

    #[test]
    fn a_capture_holds_both_sides_whole() {
        let file = capture(&[speech::AGENT, speech::CUSTOMER], 6_000);
        let mut sides = [Vec::new(), Vec::new()];
        let mut rest = &file[24..];
        while !rest.is_empty() {
            let length = u32::from_le_bytes(rest[8..12].try_into().unwrap());
            let (frame, after) = rest[16..].split_at(usize::try_from(length).unwrap());
            let port = u16::from_be_bytes([frame[36], frame[37]]);
            let packet = RtpPacket::parse(&frame[42..]).unwrap();
            assert_eq!(u32::from(port - 6_000) / 2 + 1, packet.ssrc);
            sides[usize::from(port - 6_000) / 2].extend_from_slice(packet.payload);
            rest = after;
        }
        assert_eq!(sides[0], speech::AGENT);
        assert_eq!(sides[1], speech::CUSTOMER);
    }
}
