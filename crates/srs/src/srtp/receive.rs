//! Packets as they come: which of the 2^48 indices each has, whether it came before, and which key
//! it was made with (RFC 3711 §3.3).
//!
//! The packet names the lower 16 bits of its index only. How often they have rolled over follows
//! from the packets before; where packets were not read for a while, later counts are tried as
//! well. That is safe: the count is authenticated, so a wrong one fits no packet.

use super::cipher::{CONTROL_HEADER_BYTES, Cipher, sender};
use super::derive::Traffic;
use super::key::MasterKey;
use super::replay::Window;
use std::fmt;

/// Sources of one stream that are known at once. A client that starts anew brings another; only who
/// has the key can.
const SOURCES_MAX: usize = 16;

/// Packets after which the key before the last is forgotten: those under way when the keys changed
/// have come by then.
const PACKETS_AFTER_REKEY: u32 = 512;

/// Rollovers that are always tried beyond the likely one: a network that was cut for half an hour
/// (at 50 packets a second) must not cost the rest of the call.
const ROLLOVERS_TRIED: u64 = 2;

/// Rollovers that are tried at most beyond the likely one: more than ten hours of packets that
/// nobody read.
const ROLLOVERS_TRIED_MAX: u64 = 32;

/// Why a packet is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum SrtpError {
    /// No RTP or RTCP: cut, or its lengths do not fit.
    #[error("not a packet of RTP or RTCP")]
    Malformed,
    /// Not made with the key that was agreed, or changed on the way.
    #[error("the packet does not fit the key")]
    NotAuthentic,
    /// It has come before, or is too far behind to know.
    #[error("the packet has come before")]
    Replayed,
}

/// Takes the protection off what arrives on one stream.
pub struct Unprotector {
    master: MasterKey,
    current: Keyed,
    /// The key before, until packets of the new one have come.
    previous: Option<Keyed>,
    /// Packets that went by unread before a source was heard.
    unread: u64,
}

impl fmt::Debug for Unprotector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unprotector({})", self.master.suite())
    }
}

impl Unprotector {
    /// For what its owner sends under this key, from the start. `None` never comes about.
    #[must_use]
    pub fn new(master: &MasterKey) -> Option<Self> {
        Some(Self {
            current: Keyed::new(master)?,
            master: master.clone(),
            previous: None,
            unread: 0,
        })
    }

    /// The client says its key again, or another one. The same key changes nothing. With another
    /// one, packets of the one before that are still under way are taken too.
    pub fn rekey(&mut self, master: &MasterKey) {
        if *master == self.master {
            return;
        }
        let Some(mut keyed) = Keyed::new(master) else {
            return;
        };
        // Whether a count goes on under a new key or begins again is for the sender to know.
        keyed.media.extend_from_slice(&self.current.media);
        for source in &mut keyed.media {
            source.window.forget();
            source.may_restart = true;
        }
        self.master = master.clone();
        self.previous = Some(std::mem::replace(&mut self.current, keyed));
    }

    /// So many packets came and were not read: their count may have rolled over meanwhile.
    pub fn skipped(&mut self, packets: u64) {
        self.unread = self.unread.saturating_add(packets);
        for source in &mut self.current.media {
            source.unread = source.unread.saturating_add(packets);
        }
    }

    /// The packet of RTP that was protected, in the place where it lies. One that is not taken is
    /// left as it came.
    pub fn media<'a>(&mut self, packet: &'a mut [u8]) -> Result<&'a mut [u8], SrtpError> {
        let place = Place::read(packet).ok_or(SrtpError::Malformed)?;
        let length = match self.current.media(packet, place, self.unread) {
            Ok(length) => {
                self.current.taken = self.current.taken.saturating_add(1);
                if self.current.taken >= PACKETS_AFTER_REKEY {
                    self.previous = None;
                }
                length
            }
            Err(error) => match &mut self.previous {
                Some(previous) => previous.media(packet, place, 0).map_err(|_| error)?,
                None => return Err(error),
            },
        };
        packet.get_mut(..length).ok_or(SrtpError::Malformed)
    }

    /// The same of a packet of RTCP.
    pub fn control<'a>(&mut self, packet: &'a mut [u8]) -> Result<&'a mut [u8], SrtpError> {
        let length = match self.current.control(packet) {
            Ok(length) => length,
            Err(error) => match &mut self.previous {
                Some(previous) => previous.control(packet).map_err(|_| error)?,
                None => return Err(error),
            },
        };
        packet.get_mut(..length).ok_or(SrtpError::Malformed)
    }
}

/// What the header of a packet of RTP says.
#[derive(Debug, Clone, Copy)]
struct Place {
    sequence: u16,
    ssrc: u32,
    /// Bytes that are not encrypted: the fixed header, sources and extension.
    clear: usize,
}

impl Place {
    fn read(packet: &[u8]) -> Option<Self> {
        let (fixed, rest) = packet.split_first_chunk::<12>()?;
        let [first, _, s0, s1, _, _, _, _, r0, r1, r2, r3] = *fixed;
        if first >> 6 != 2 {
            return None;
        }
        let contributing = usize::from(first & 0x0f) * 4;
        let mut clear = 12 + contributing;
        if first & 0x10 != 0 {
            let extension = rest.get(contributing..)?.first_chunk::<4>()?;
            let [_, _, high, low] = *extension;
            clear += 4 + usize::from(u16::from_be_bytes([high, low])) * 4;
        }
        (clear <= packet.len()).then_some(Self {
            sequence: u16::from_be_bytes([s0, s1]),
            ssrc: u32::from_be_bytes([r0, r1, r2, r3]),
            clear,
        })
    }
}

/// One source under one key.
#[derive(Debug, Clone, Copy)]
struct Source {
    ssrc: u32,
    window: Window,
    /// Packets that went by unread since it was last heard.
    unread: u64,
    /// The key is new, and nothing of this source came with it yet.
    may_restart: bool,
}

/// One key, and what came with it.
struct Keyed {
    for_media: Cipher,
    for_control: Cipher,
    /// The one that was heard last is at the end.
    media: Vec<Source>,
    control: Vec<Source>,
    taken: u32,
}

impl Keyed {
    fn new(master: &MasterKey) -> Option<Self> {
        Some(Self {
            for_media: Cipher::new(master, Traffic::Media)?,
            for_control: Cipher::new(master, Traffic::Control)?,
            media: Vec::with_capacity(SOURCES_MAX),
            control: Vec::with_capacity(SOURCES_MAX),
            taken: 0,
        })
    }

    fn media(&mut self, packet: &mut [u8], place: Place, unread: u64) -> Result<usize, SrtpError> {
        let known = self.media.iter().find(|source| source.ssrc == place.ssrc);
        let mut source = known.copied().unwrap_or(Source {
            ssrc: place.ssrc,
            window: Window::default(),
            unread,
            may_restart: true,
        });
        let is_known = known.is_some();
        let rollover = if is_known {
            likely(source.window.newest(), place.sequence)
        } else {
            0
        };
        let index_of = |rollover: u64| (rollover << 16) | u64::from(place.sequence);
        let is_likely_seen = source.window.has_seen(index_of(rollover));
        let tried = (ROLLOVERS_TRIED + (source.unread >> 16)).min(ROLLOVERS_TRIED_MAX);
        let beyond = (1..=tried).filter_map(|more| rollover.checked_add(more));
        let afresh = (0..=1).filter(|begun| source.may_restart && *begun < rollover);
        for rollover in std::iter::once(rollover).chain(beyond).chain(afresh) {
            let index = index_of(rollover);
            if rollover > u64::from(u32::MAX) || source.window.has_seen(index) {
                continue;
            }
            if let Ok(length) = self
                .for_media
                .open_media(packet, place.clear, place.ssrc, index)
            {
                if source.may_restart {
                    source.window = Window::default();
                }
                source.window.note(index);
                source.unread = 0;
                source.may_restart = false;
                remember(&mut self.media, source);
                return Ok(length);
            }
        }
        Err(if is_likely_seen {
            SrtpError::Replayed
        } else {
            SrtpError::NotAuthentic
        })
    }

    fn control(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let header = packet.first_chunk::<CONTROL_HEADER_BYTES>();
        let ssrc = sender(header.ok_or(SrtpError::Malformed)?);
        let index = self.for_control.control_index(packet);
        let index = index.ok_or(SrtpError::NotAuthentic)?;
        let known = self.control.iter().find(|source| source.ssrc == ssrc);
        let mut source = known.copied().unwrap_or(Source {
            ssrc,
            window: Window::default(),
            unread: 0,
            may_restart: false,
        });
        if source.window.has_seen(u64::from(index)) {
            return Err(SrtpError::Replayed);
        }
        let length = self
            .for_control
            .open_control(packet, index)
            .map_err(|_| SrtpError::NotAuthentic)?;
        source.window.note(u64::from(index));
        remember(&mut self.control, source);
        Ok(length)
    }
}

/// Notes a source that was just heard; the one that was silent longest gives way. No memory is
/// taken: the list has its room from the start.
fn remember(sources: &mut Vec<Source>, source: Source) {
    if let Some(last) = sources.last_mut().filter(|last| last.ssrc == source.ssrc) {
        *last = source;
        return;
    }
    sources.retain(|known| known.ssrc != source.ssrc);
    if sources.len() >= SOURCES_MAX {
        sources.remove(0);
    }
    sources.push(source);
}

/// How often the sequence number has rolled over, judged by the newest packet before: the count
/// that brings the packet nearest to it (RFC 3711 §3.3.1).
fn likely(newest: u64, sequence: u16) -> u64 {
    let (rollover, last, next) = (newest >> 16, newest & 0xffff, u64::from(sequence));
    if next > last + 0x8000 {
        rollover.saturating_sub(1)
    } else if next + 0x8000 < last {
        rollover + 1
    } else {
        rollover
    }
}
