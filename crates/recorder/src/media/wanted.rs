//! Which packets of a stream are kept, by payload type.

use voicelog_model::{Codec, MediaStream};

/// Comfort noise (RFC 3389): comes with either G.711 without being agreed.
const COMFORT_NOISE: u8 = 13;

/// The payload types of a stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// Bit n: packets of payload type n are kept.
    kept: u128,
    /// Bit n: payload type n tells of keys, and is left out.
    left_out: u128,
    /// Bit n: payload type n tells of keys.
    keys: u128,
}

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// It is kept.
    Keep,
    /// It says which key was pressed: only that one was, and when, may be kept.
    LeaveOut,
    /// Its payload type was not agreed on.
    Nothing,
}

impl Wanted {
    /// What was agreed on; with `keep_keys`, packets about keys are kept like any other.
    pub(super) fn of(stream: &MediaStream, keep_keys: bool) -> Self {
        let mut wanted = Self {
            kept: bit(COMFORT_NOISE),
            left_out: 0,
            keys: 0,
        };
        for format in stream.formats() {
            let tells_of_keys = matches!(format.codec, Codec::TelephoneEvent { .. });
            if tells_of_keys {
                wanted.keys |= bit(format.payload_type);
            }
            if tells_of_keys && !keep_keys {
                wanted.left_out |= bit(format.payload_type);
            } else {
                wanted.kept |= bit(format.payload_type);
            }
        }
        wanted
    }

    /// Other payload types, which are wanted beside those so far; one that has another meaning now has
    /// only that.
    pub(super) const fn add(&mut self, other: Self) {
        let before = !(other.kept | other.left_out);
        self.kept = self.kept & before | other.kept;
        self.left_out = self.left_out & before | other.left_out;
        self.keys = self.keys & before | other.keys;
    }

    /// Whether packets of that payload type tell which key was pressed.
    pub(super) fn is_key(self, payload_type: u8) -> bool {
        self.keys & bit(payload_type) != 0
    }

    pub(super) fn want(self, payload_type: u8) -> Want {
        let bit = bit(payload_type);
        if self.left_out & bit != 0 {
            Want::LeaveOut
        } else if self.kept & bit != 0 {
            Want::Keep
        } else {
            Want::Nothing
        }
    }
}

fn bit(payload_type: u8) -> u128 {
    1_u128.checked_shl(u32::from(payload_type)).unwrap_or(0)
}
