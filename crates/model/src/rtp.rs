//! The fixed header of an RTP packet (RFC 3550 §5.1), read without copying.
//!
//! It lives here because two rooms need the same reading of it: the recorder, to sort packets,
//! and the verifier, to do the arithmetic of completeness again.

/// A view of an RTP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RtpPacket<'a> {
    /// Marker bit; for audio: first packet after silence.
    pub marker: bool,
    /// Payload type, 0 to 127.
    pub payload_type: u8,
    /// Sequence number, wraps at 65,536.
    pub sequence: u16,
    /// Media timestamp in units of the codec's clock rate, wraps at 2^32.
    pub timestamp: u32,
    /// Synchronisation source.
    pub ssrc: u32,
    /// Payload without header extension and padding.
    pub payload: &'a [u8],
}

/// Why a datagram is not an RTP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum RtpError {
    /// Fewer bytes than its own header says it has.
    #[error("shorter than its header says")]
    Short,
    /// Version is not 2.
    #[error("version is not 2")]
    Version,
    /// Padding is longer than the packet.
    #[error("padding is longer than the packet")]
    Padding,
}

impl<'a> RtpPacket<'a> {
    /// Reads a datagram. Errors name what is wrong with it; nothing is guessed.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, RtpError> {
        let (fixed, rest) = bytes.split_first_chunk::<12>().ok_or(RtpError::Short)?;
        let [first, second, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3] = *fixed;
        if first >> 6 != 2 {
            return Err(RtpError::Version);
        }
        let contributing = usize::from(first & 0x0f) * 4;
        let mut payload = rest.get(contributing..).ok_or(RtpError::Short)?;
        if first & 0x10 != 0 {
            let (extension, after) = payload.split_first_chunk::<4>().ok_or(RtpError::Short)?;
            let [_, _, high, low] = *extension;
            let words = usize::from(u16::from_be_bytes([high, low]));
            payload = after.get(words * 4..).ok_or(RtpError::Short)?;
        }
        if first & 0x20 != 0 {
            let padding = usize::from(*payload.last().ok_or(RtpError::Padding)?);
            let kept = payload
                .len()
                .checked_sub(padding)
                .ok_or(RtpError::Padding)?;
            if padding == 0 {
                return Err(RtpError::Padding);
            }
            payload = payload.get(..kept).ok_or(RtpError::Padding)?;
        }
        Ok(Self {
            marker: second & 0x80 != 0,
            payload_type: second & 0x7f,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([r0, r1, r2, r3]),
            payload,
        })
    }

    /// Whether a datagram on a shared port is RTCP (RFC 5761 §4: types 192 to 223).
    #[must_use]
    pub fn is_rtcp(bytes: &[u8]) -> bool {
        matches!(bytes, [first, 192..=223, ..] if first >> 6 == 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packet(first: u8, tail: &[u8]) -> Vec<u8> {
        let mut bytes = vec![
            first, 0x88, 0x12, 0x34, 0, 0, 0, 160, 0xde, 0xad, 0xbe, 0xef,
        ];
        bytes.extend_from_slice(tail);
        bytes
    }

    #[test]
    fn a_plain_packet_is_read() {
        let bytes = packet(0x80, &[1, 2, 3]);
        let read = RtpPacket::parse(&bytes).unwrap();
        assert_eq!(
            (read.sequence, read.timestamp, read.ssrc),
            (0x1234, 160, 0xdead_beef)
        );
        assert_eq!((read.marker, read.payload_type), (true, 8));
        assert_eq!(read.payload, [1, 2, 3]);
    }

    #[test]
    fn contributing_sources_extension_and_padding_are_not_payload() {
        let bytes = packet(0xb1, &[9, 9, 9, 9, 0, 0, 0, 1, 7, 7, 7, 7, 1, 2, 0, 2]);
        assert_eq!(RtpPacket::parse(&bytes).unwrap().payload, [1, 2]);
    }

    #[test]
    fn what_is_cut_or_lies_about_its_length_is_refused() {
        assert_eq!(RtpPacket::parse(&[0x80; 11]), Err(RtpError::Short));
        assert_eq!(RtpPacket::parse(&packet(0x40, &[])), Err(RtpError::Version));
        assert_eq!(
            RtpPacket::parse(&packet(0x8f, &[0; 8])),
            Err(RtpError::Short)
        );
        assert_eq!(
            RtpPacket::parse(&packet(0x90, &[0, 0, 255, 255])),
            Err(RtpError::Short)
        );
        assert_eq!(
            RtpPacket::parse(&packet(0xa0, &[1, 9])),
            Err(RtpError::Padding)
        );
        assert_eq!(
            RtpPacket::parse(&packet(0xa0, &[1, 0])),
            Err(RtpError::Padding)
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ignored = RtpPacket::parse(&bytes);
        }
    }
}
