//! SRTP against the vectors of the standards and of libsrtp, and against a network that loses,
//! reorders, repeats and changes.

use super::cipher::Cipher;
use super::derive::{SessionKeys, Traffic, apply_counter_mode};
use super::*;
use aes::Aes128;
use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes128Gcm, Aes256Gcm, KeyInit};
use proptest::prelude::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn master(suite: Suite, text: &str) -> MasterKey {
    MasterKey::new(suite, &hex(text)).unwrap()
}

/// The master key of RFC 3711 appendix B.3.
const RFC_3711: &str = "E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6";

// --- Vectors.

#[test]
fn rfc_3711_appendix_b_2_the_keystream_of_counter_mode() {
    let cipher = Aes128::new_from_slice(&hex("2B7E151628AED2A6ABF7158809CF4F3C")).unwrap();
    let block: [u8; 16] = hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000").try_into().unwrap();
    let mut bytes = [0; 48];
    apply_counter_mode(&cipher, &block, &mut bytes);
    let expected = "E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB \
                    41E95B3BB0A2E8DD477901E4FCA894C0";
    assert_eq!(bytes[..], hex(expected));
}

#[test]
fn rfc_3711_appendix_b_3_session_keys() {
    let key = master(Suite::AesCm128HmacSha1_80, RFC_3711);
    let keys = SessionKeys::derive(&key, Traffic::Media);
    assert_eq!(
        keys.encryption[..16],
        hex("C61E7A93744F39EE10734AFE3FF7A087")
    );
    assert_eq!(keys.salt[..], hex("30CBBC08863D8C85D49DB34A9AE1"));
    assert_eq!(
        keys.authentication[..],
        hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4")
    );
}

/// Sealed is what stands in RFC 7714 §16: header and payload are the same in both.
fn rfc_7714<G: AeadInOut>(gcm: &G, sealed: &str) {
    let nonce = hex("51753c6580c2726f20718414");
    let header = hex("8040f17b 8041f8d3 5501a0b2");
    let mut payload = b"Gallia est omnis divisa in partes tres".to_vec();
    let tag = gcm
        .encrypt_inout_detached(
            nonce[..].try_into().unwrap(),
            &header,
            (&mut payload[..]).into(),
        )
        .unwrap();
    payload.extend_from_slice(&tag);
    assert_eq!(payload, hex(sealed));
}

#[test]
fn rfc_7714_section_16_packets_in_gcm() {
    rfc_7714(
        &Aes128Gcm::new_from_slice(&hex("000102030405060708090a0b0c0d0e0f")).unwrap(),
        "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833\
         899d7f27beb16a9152cf765ee4390cce",
    );
    rfc_7714(
        &Aes256Gcm::new_from_slice(&hex(
            "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        ))
        .unwrap(),
        "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b\
         7aa3db36dfffd6b0f9bb7878d7a76c13",
    );
}

/// A packet and a packet of RTCP as the tests of libsrtp (2.x, `srtp_driver.c`) protect them.
struct Reference {
    suite: Suite,
    key: &'static str,
    media: &'static str,
    control: Option<&'static str>,
}

const REFERENCES: [Reference; 3] = [
    Reference {
        suite: Suite::AesCm128HmacSha1_80,
        key: RFC_3711,
        media: "800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb",
        control: Some(
            "81c8000bcafebabe 7128035be487b9bdbef89041f977a5a8 80000001 993e08cd54d6c1230798",
        ),
    },
    Reference {
        suite: Suite::AesCm256HmacSha1_80,
        key: "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6 \
              3b04803de51ee7c96423ab5b78d2",
        media: "800f1234decafbadcafebabe f1d9de17ff251ff1aa007774b0b4b40d a08d9d9a5b3a55d8873b",
        control: None,
    },
    Reference {
        suite: Suite::AeadAes128Gcm,
        key: "000102030405060708090a0b0c0d0e0f a0a1a2a3a4a5a6a7a8a9aaab",
        media: "800f1234decafbadcafebabe c5002ede04cfdd2eb91159e0880aa06e \
                d2976826f796b201df3131a127e8a392",
        control: Some(
            "81c8000bcafebabe c98b8b5df0392a55852b6c21ac8e7025 \
             c52c6fbea2b3b446ea31123ba88ce61e 80000001",
        ),
    },
];

#[test]
fn what_libsrtp_protects_is_read_and_our_rtcp_is_what_libsrtp_sends() {
    let payload = [0xab; 16];
    for reference in REFERENCES {
        let key = master(reference.suite, reference.key);
        let mut receiver = Unprotector::new(&key).unwrap();
        let mut media = hex(reference.media);
        let header = media[..12].to_vec();
        assert_eq!(
            receiver.media(&mut media).unwrap(),
            [&header[..], &payload].concat()
        );
        let Some(control) = reference.control else {
            continue;
        };
        let mut packet = hex(control);
        let plain = [&packet[..8], &payload].concat();
        assert_eq!(receiver.control(&mut packet).unwrap(), plain);
        let mut sender = ControlProtector::new(&key).unwrap();
        assert_eq!(sender.protect(&plain).unwrap(), hex(control));
    }
}

/// Both reports that ffmpeg 5.1 sent in six seconds of a call; it counts from 0.
#[test]
fn the_reports_of_ffmpeg_are_read() {
    let key = "59535f5f5f73656d63746c202829207b093232303b7d0a7d0a756e6c6573";
    let key = master(SUITE, key);
    let mut receiver = Unprotector::new(&key).unwrap();
    for (packet, timestamp) in [
        (
            "80c80006d6a45c3a 59bf30e94431753457aadb4ecd5c7493470b3514 80000000 6e0cfe85ea128976bdbf",
            0xeab6_b003,
        ),
        (
            "80c80006d6a45c3a d098223447d03f3e86e4e7369884381d18298d67 80000001 8c7faa8b6ca209f0410a",
            0xeab7_5023_u32,
        ),
    ] {
        let mut packet = hex(packet);
        let report = receiver.control(&mut packet).unwrap();
        assert_eq!(report[16..20], timestamp.to_be_bytes());
    }
}

// --- A network.

/// A sender that knows its own index.
struct Sender {
    cipher: Cipher,
    ssrc: u32,
}

impl Sender {
    fn new(key: &MasterKey, ssrc: u32) -> Self {
        let cipher = Cipher::new(key, Traffic::Media).unwrap();
        Self { cipher, ssrc }
    }

    fn packet(&self, index: u64) -> Vec<u8> {
        self.cipher
            .seal_media(&plain(self.ssrc, index), 12, self.ssrc, index)
    }
}

/// The packet of that index before protection: its payload names the index.
fn plain(ssrc: u32, index: u64) -> Vec<u8> {
    let sequence = u16::try_from(index & 0xffff).unwrap();
    let mut bytes = vec![0x80, 8];
    bytes.extend(sequence.to_be_bytes());
    bytes.extend([0, 0, 0, 160]);
    bytes.extend(ssrc.to_be_bytes());
    bytes.extend(index.to_be_bytes());
    bytes
}

fn key(suite: Suite, byte: u8) -> MasterKey {
    MasterKey::of_random(suite, &[byte; 64])
}

const SUITE: Suite = Suite::AesCm128HmacSha1_80;

/// Hands packets of these indices over, and says of each whether it was taken; what is taken is
/// what was sent.
fn hand_over(receiver: &mut Unprotector, sender: &Sender, indices: &[u64]) -> Vec<bool> {
    let mut taken = Vec::new();
    for index in indices {
        let mut packet = sender.packet(*index);
        let read = receiver.media(&mut packet);
        if let Ok(bytes) = &read {
            assert_eq!(**bytes, plain(sender.ssrc, *index));
        }
        taken.push(read.is_ok());
    }
    taken
}

#[test]
fn numbers_roll_over_with_loss_and_reordering_at_the_wrap() {
    for suite in Suite::ALL {
        let key = key(*suite, 1);
        let sender = Sender::new(&key, 7);
        let mut receiver = Unprotector::new(&key).unwrap();
        let indices = [
            65_530, 65_532, 65_531, 65_537, 65_535, 65_536, 65_534, 65_540, 98_400, 131_070,
            131_073, 131_071, 131_072,
        ];
        let taken = hand_over(&mut receiver, &sender, &indices);
        assert!(taken.iter().all(|taken| *taken), "{suite}: {taken:?}");
    }
}

#[test]
fn the_first_packet_may_be_the_one_after_the_wrap() {
    let key = key(SUITE, 1);
    let sender = Sender::new(&key, 7);
    let mut receiver = Unprotector::new(&key).unwrap();
    let taken = hand_over(&mut receiver, &sender, &[65_537, 65_535, 65_538]);
    assert_eq!(taken, [true; 3]);
}

#[test]
fn packets_that_nobody_read_do_not_lose_the_count() {
    let key = key(SUITE, 1);
    let sender = Sender::new(&key, 7);
    let mut receiver = Unprotector::new(&key).unwrap();
    assert_eq!(hand_over(&mut receiver, &sender, &[10, 90_010]), [true; 2]);
    let mut receiver = Unprotector::new(&key).unwrap();
    assert_eq!(hand_over(&mut receiver, &sender, &[10]), [true]);
    let far = 3 * 65_536 + 20;
    assert_eq!(hand_over(&mut receiver, &sender, &[far]), [false]);
    receiver.skipped(far - 11);
    assert_eq!(
        hand_over(&mut receiver, &sender, &[far, far + 1]),
        [true; 2]
    );
    // A call that waited from its start.
    let mut receiver = Unprotector::new(&key).unwrap();
    receiver.skipped(far);
    assert_eq!(hand_over(&mut receiver, &sender, &[far]), [true]);
}

#[test]
fn a_packet_that_comes_again_is_told_from_one_that_was_changed() {
    for suite in Suite::ALL {
        let key = key(*suite, 1);
        let sender = Sender::new(&key, 7);
        let mut receiver = Unprotector::new(&key).unwrap();
        let packet = sender.packet(5);
        for place in 0..packet.len() {
            let mut changed = packet.clone();
            changed[place] ^= 1;
            let before = changed.clone();
            let error = receiver.media(&mut changed).unwrap_err();
            assert!(matches!(
                error,
                SrtpError::NotAuthentic | SrtpError::Malformed
            ));
            assert_eq!(changed, before, "left as it came");
        }
        assert!(receiver.media(&mut packet.clone()).is_ok());
        assert_eq!(
            receiver.media(&mut packet.clone()),
            Err(SrtpError::Replayed)
        );
    }
}

#[test]
fn another_key_fits_nothing_and_changes_nothing() {
    let sender = Sender::new(&key(SUITE, 2), 7);
    let mut receiver = Unprotector::new(&key(SUITE, 1)).unwrap();
    assert_eq!(
        hand_over(&mut receiver, &sender, &[1, 2, 70_000]),
        [false; 3]
    );
    let right = Sender::new(&key(SUITE, 1), 7);
    assert_eq!(hand_over(&mut receiver, &right, &[1, 2]), [true; 2]);
}

#[test]
fn the_same_key_again_keeps_the_count_and_another_one_takes_over() {
    let old = key(SUITE, 1);
    let sender = Sender::new(&old, 7);
    let mut receiver = Unprotector::new(&old).unwrap();
    assert_eq!(
        hand_over(&mut receiver, &sender, &[60_000, 70_000]),
        [true; 2]
    );
    receiver.rekey(&old);
    assert_eq!(
        hand_over(&mut receiver, &sender, &[70_000, 70_001]),
        [false, true]
    );
    // Whether a sender goes on counting under a new key or begins again, it is heard.
    for (new, first) in [(key(SUITE, 2), 70_003), (key(SUITE, 3), 4_467)] {
        receiver.rekey(&new);
        let after = Sender::new(&new, 7);
        assert_eq!(
            hand_over(&mut receiver, &after, &[first, first + 1, first]),
            [true, true, false]
        );
    }
}

#[test]
fn packets_under_way_when_the_key_changes_are_taken_and_later_ones_are_not() {
    let (old, new) = (key(SUITE, 1), key(SUITE, 2));
    let (before, after) = (Sender::new(&old, 7), Sender::new(&new, 7));
    let mut receiver = Unprotector::new(&old).unwrap();
    assert_eq!(hand_over(&mut receiver, &before, &[1, 2]), [true; 2]);
    receiver.rekey(&new);
    assert_eq!(hand_over(&mut receiver, &after, &[5]), [true]);
    assert_eq!(
        hand_over(&mut receiver, &before, &[3, 2, 4]),
        [true, false, true]
    );
    let many: Vec<u64> = (6..600).collect();
    assert!(
        hand_over(&mut receiver, &after, &many)
            .iter()
            .all(|taken| *taken)
    );
    assert_eq!(hand_over(&mut receiver, &before, &[600]), [false]);
}

#[test]
fn sources_are_counted_apart_and_more_than_we_hold_cost_the_oldest() {
    let key = key(SUITE, 1);
    let mut receiver = Unprotector::new(&key).unwrap();
    for ssrc in 0..20 {
        let sender = Sender::new(&key, ssrc);
        assert_eq!(
            hand_over(&mut receiver, &sender, &[65_535, 65_536]),
            [true; 2]
        );
    }
    let known = Sender::new(&key, 19);
    assert_eq!(
        hand_over(&mut receiver, &known, &[65_536, 65_537]),
        [false, true]
    );
}

#[test]
fn rtcp_is_taken_once_and_only_encrypted() {
    for suite in Suite::ALL {
        let key = key(*suite, 1);
        let mut sender = ControlProtector::new(&key).unwrap();
        let mut receiver = Unprotector::new(&key).unwrap();
        let report = [&[0x80, 201, 0, 1][..], &7_u32.to_be_bytes()].concat();
        let (first, second) = (
            sender.protect(&report).unwrap(),
            sender.protect(&report).unwrap(),
        );
        assert_eq!(receiver.control(&mut second.clone()).unwrap(), report);
        assert_eq!(receiver.control(&mut first.clone()).unwrap(), report);
        assert_eq!(
            receiver.control(&mut first.clone()),
            Err(SrtpError::Replayed)
        );
        let mut plain = report.clone();
        plain.extend([0; 30]);
        assert_eq!(receiver.control(&mut plain), Err(SrtpError::NotAuthentic));
        assert!(receiver.control(&mut first[..11].to_vec()).is_err());
        assert_eq!(sender.protect(&report[..7]), None);
    }
}

#[test]
fn the_header_extension_and_sources_stay_in_the_clear_and_are_authenticated() {
    let key = key(SUITE, 1);
    let cipher = Cipher::new(&key, Traffic::Media).unwrap();
    let plain = hex("b1080005 000000a0 00000007 01010101 bede0001 11223344 616263 000002");
    let sealed = cipher.seal_media(&plain, 24, 7, 5);
    assert_eq!(sealed[..24], plain[..24]);
    let mut receiver = Unprotector::new(&key).unwrap();
    assert_eq!(receiver.media(&mut sealed.clone()).unwrap(), plain);
    let mut lying = sealed;
    lying[18] = 0xff;
    assert_eq!(receiver.media(&mut lying), Err(SrtpError::Malformed));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_and_none_are_taken(
        bytes in proptest::collection::vec(any::<u8>(), 0..80),
        suite in proptest::sample::select(Suite::ALL),
    ) {
        let mut receiver = Unprotector::new(&key(suite, 1)).unwrap();
        prop_assert!(receiver.media(&mut bytes.clone()).is_err());
        let mut bytes = bytes;
        prop_assert!(receiver.control(&mut bytes).is_err());
    }

    #[test]
    fn every_packet_is_taken_that_is_not_too_far_from_its_place(
        start in 0_u64..70_000,
        steps in proptest::collection::vec((0_u64..20_000, 0_u64..100), 1..60),
    ) {
        let key = key(SUITE, 1);
        let sender = Sender::new(&key, 7);
        let mut receiver = Unprotector::new(&key).unwrap();
        let start = start & 0xffff;
        let mut newest = start;
        let mut seen = std::collections::BTreeSet::new();
        for (ahead, behind) in steps {
            newest += ahead;
            let index = newest.saturating_sub(behind).max(start);
            let is_new = seen.insert(index);
            prop_assert_eq!(hand_over(&mut receiver, &sender, &[index]), vec![is_new]);
            newest = seen.last().copied().unwrap_or(start);
        }
    }
}
