//! The uuid of a vCon: version 8, as vcon-core makes them ("uuid"). Like version 7, with 62 bits of the
//! SHA-1 of a name where version 7 is random.

use crate::digest::{hex, sha256};
use sha1::{Digest as _, Sha1};
use uuid::Uuid;
use voicelog_model::{RecordingId, Timestamp};

/// What tells the vCons of an archive apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) recording: RecordingId,
    /// Name of the archive: that of its key.
    pub(super) archive: &'a str,
    /// It has the form of today's common readers, which is another vCon.
    pub(super) is_compatible: bool,
}

impl Named<'_> {
    /// The name that is hashed: the archive's, with a part in front for each vCon of it. The draft allows
    /// subdomains for that.
    fn name(&self) -> String {
        let form = if self.is_compatible { "compat." } else { "" };
        format!("{form}{}.{}", self.recording, self.archive)
    }

    /// Of the whole recording: always the same, so that a copy of a part can refer to it.
    pub(super) fn whole(&self) -> Uuid {
        let [t0, t1, t2, t3, t4, t5, high, low, ..] = *self.recording.as_bytes();
        let random = u16::from_be_bytes([high & 0x0f, low]);
        version_8([t0, t1, t2, t3, t4, t5], random, &self.name())
    }

    /// Of a copy of a part with that scope, made at that moment.
    pub(super) fn part(&self, scope: &[u8], made: Timestamp) -> Uuid {
        let [_, _, time @ ..] = made.unix_millis().to_be_bytes();
        // RFC 9562 §6.2, method 3: the 12 bits behind the milliseconds are the fraction of one.
        let fraction = made.micros().rem_euclid(1_000) * 4_096 / 1_000;
        let fraction = u16::try_from(fraction).unwrap_or(0);
        let digest = sha256(scope);
        let (label, _) = digest.split_at(16);
        version_8(time, fraction, &format!("{}.{}", hex(label), self.name()))
    }
}

fn version_8(time: [u8; 6], random: u16, name: &str) -> Uuid {
    let [high, low] = random.to_be_bytes();
    let hash: [u8; 20] = Sha1::digest(name.as_bytes()).into();
    let [n0, n1, n2, n3, n4, n5, n6, n7, ..] = hash;
    let name = u64::from_be_bytes([n0, n1, n2, n3, n4, n5, n6, n7]) >> 2;
    let mut bytes = [0; 16];
    let [t0, t1, t2, t3, t4, t5] = time;
    let [c0, c @ ..] = name.to_be_bytes();
    let (front, back) = bytes.split_at_mut(8);
    front.copy_from_slice(&[t0, t1, t2, t3, t4, t5, 0x80 | (high & 0x0f), low]);
    back.copy_from_slice(&[&[0x80 | c0][..], &c].concat());
    Uuid::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named() -> Named<'static> {
        Named {
            recording: RecordingId::new(Timestamp::from_micros(1_795_255_320_000_000), [7; 10]),
            archive: "archief.example/opnamen",
            is_compatible: false,
        }
    }

    #[test]
    fn a_uuid_is_version_8_with_the_time_of_the_recording_and_the_hash_of_the_name() {
        let uuid = named().whole();
        assert_eq!(uuid.get_version_num(), 8);
        assert_eq!(uuid.as_bytes()[..6], named().recording.as_bytes()[..6]);
        // printf %s NAME | sha1sum, then the first 16 digits shifted right by two, under 0b10.
        let name = format!("{}.archief.example/opnamen", named().recording);
        let hash: [u8; 20] = Sha1::digest(name.as_bytes()).into();
        let bits = u128::from_be_bytes(*uuid.as_bytes()) & ((1 << 62) - 1);
        let first = u64::from_be_bytes(hash[..8].try_into().unwrap());
        assert_eq!(u64::try_from(bits).unwrap(), first >> 2);
    }

    #[test]
    fn every_recording_form_scope_and_moment_has_a_uuid_of_its_own() {
        let compatible = Named {
            is_compatible: true,
            ..named()
        };
        let other = Named {
            recording: RecordingId::new(Timestamp::from_micros(1_795_255_320_000_000), [8; 10]),
            ..named()
        };
        let at = Timestamp::from_micros(1_795_255_320_000_000);
        let mut made = vec![
            named().whole(),
            compatible.whole(),
            other.whole(),
            named().part(b"{}", at),
            named().part(b"{ }", at),
            named().part(b"{}", at.plus_micros(1)),
        ];
        made.sort();
        made.dedup();
        assert_eq!(made.len(), 6);
    }
}
