//! Opus packets as a file that players play: Ogg (RFC 3533) with Opus in it (RFC 7845).
//!
//! One way of writing, so that whoever has the packets can make the same file: `design/evidence-format.md`, "In Ogg".

/// Samples a second: the clock of Opus.
pub(crate) const RATE: u32 = 48_000;
/// Packets of a page at most.
const PACKETS_OF_PAGE: usize = 50;
/// Lacing values that fit a page (RFC 3533 §6).
const SEGMENTS_OF_PAGE: usize = 255;
/// Longest packet that fits a page of its own.
const PACKET_BYTES_MAX: usize = SEGMENTS_OF_PAGE * 255 - 1;
/// Silence of one channel as Opus packets (RFC 6716 §3.1), each with its samples: 20 ms and 2.5 ms.
const SILENCE: [(u64, [u8; 3]); 2] = [(960, [0xf8, 0xff, 0xfe]), (120, [0xe0, 0xff, 0xfe])];
const FIRST: u8 = 2;
const LAST: u8 = 4;
/// Where a file of this form says how many channels it has.
pub(crate) const CHANNELS_AT: usize = 37;

/// A file while it is written.
pub(crate) struct OggWriter {
    out: Vec<u8>,
    serial: u32,
    pages: u32,
    /// Of the page that is being filled.
    lacing: Vec<u8>,
    body: Vec<u8>,
    packets: usize,
    /// Samples up to the end of the last packet.
    samples: u64,
    /// Where the last page begins.
    last_page: usize,
}

impl OggWriter {
    /// A file with so many channels; `serial` tells it from other streams.
    pub(crate) fn new(serial: u32, channels: u8) -> Self {
        let mut file = Self {
            out: Vec::new(),
            serial,
            pages: 0,
            lacing: Vec::new(),
            body: Vec::new(),
            packets: 0,
            samples: 0,
            last_page: 0,
        };
        let mut head = b"OpusHead\x01".to_vec();
        head.push(channels);
        // No pre-skip: what came is heard from its first sample on.
        head.extend_from_slice(&0_u16.to_le_bytes());
        head.extend_from_slice(&RATE.to_le_bytes());
        head.extend_from_slice(&[0; 3]);
        let mut tags = b"OpusTags".to_vec();
        tags.extend_from_slice(&8_u32.to_le_bytes());
        tags.extend_from_slice(b"voicelog");
        tags.extend_from_slice(&0_u32.to_le_bytes());
        for packet in [head, tags] {
            file.put(&packet, 0);
            file.end_page();
        }
        file
    }

    /// The next packet, and how many samples it gives.
    pub(crate) fn packet(&mut self, packet: &[u8], samples: u64) {
        if packet.len() > PACKET_BYTES_MAX {
            return;
        }
        let needed = packet.len() / 255 + 1;
        if self.packets == PACKETS_OF_PAGE || self.lacing.len() + needed > SEGMENTS_OF_PAGE {
            self.end_page();
        }
        self.put(packet, samples);
    }

    /// Silence up to that sample, as near as packets come to it; none where the sound is beyond it.
    pub(crate) fn silence_until(&mut self, sample: u64) {
        for (length, packet) in SILENCE {
            while self.samples.saturating_add(length) <= sample {
                self.packet(&packet, length);
            }
        }
    }

    /// The file.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        if self.packets > 0 {
            self.end_page();
        }
        if let Some(flags) = self.out.get_mut(self.last_page + 5) {
            *flags |= LAST;
        }
        self.seal(self.last_page);
        self.out
    }

    fn put(&mut self, packet: &[u8], samples: u64) {
        self.lacing
            .resize(self.lacing.len() + packet.len() / 255, 255);
        // The remainder is below 255, and ends the packet.
        self.lacing
            .push(u8::try_from(packet.len() % 255).unwrap_or(0));
        self.body.extend_from_slice(packet);
        self.packets += 1;
        self.samples += samples;
    }

    fn end_page(&mut self) {
        let start = self.out.len();
        let flags = if self.pages == 0 { FIRST } else { 0 };
        self.out.extend_from_slice(b"OggS\x00");
        self.out.push(flags);
        self.out.extend_from_slice(&self.samples.to_le_bytes());
        self.out.extend_from_slice(&self.serial.to_le_bytes());
        self.out.extend_from_slice(&self.pages.to_le_bytes());
        self.out.extend_from_slice(&[0; 4]);
        self.out
            .push(u8::try_from(self.lacing.len()).unwrap_or(u8::MAX));
        self.out.append(&mut self.lacing);
        self.out.append(&mut self.body);
        self.seal(start);
        self.last_page = start;
        self.pages += 1;
        self.packets = 0;
    }

    /// The checksum of the page that begins there, which is the last one.
    fn seal(&mut self, start: usize) {
        let Some(page) = self.out.get_mut(start..) else {
            return;
        };
        if let Some(field) = page.get_mut(22..26) {
            field.fill(0);
        }
        let sum = page.iter().fold(0, |sum: u32, byte| {
            let top = (sum >> 24) as usize ^ usize::from(*byte);
            (sum << 8) ^ CRC.get(top).copied().unwrap_or(0)
        });
        if let Some(field) = page.get_mut(22..26) {
            field.copy_from_slice(&sum.to_le_bytes());
        }
    }
}

/// CRC-32 of the generator 0x04c11db7, from the top bit down (RFC 3533 §6).
static CRC: [u32; 256] = crc_table();

#[expect(
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "computed when it is compiled, where a mistake does not compile"
)]
const fn crc_table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = (byte as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            sum = (sum << 1) ^ (0x04c1_1db7 * (sum >> 31));
            bit += 1;
        }
        table[byte] = sum;
        byte += 1;
    }
    table
}
