//! What is kept of keys, on disk and on paper, was written once and must open for ever. The files in `tests/vectors` are
//! frozen; that none is changed or taken away, the golden files of the formats of evidence see to.

use super::*;
use crate::keys::MasterKey;
use crate::keys::record::EpochRecord;
use voicelog_evidence::note::SigningKey;

const AT: Timestamp = Timestamp::from_micros(1_830_000_000_000_000);
const EPOCH: &[u8] = include_bytes!("../../tests/vectors/epoch/v2/epoch-0003");
const SET: &[u8] = include_bytes!("../../tests/vectors/recovery/v2/recovery");
const SHEETS: &str = include_str!("../../tests/vectors/sheet/v1/sheets.txt");
const SECRET: [u8; SECRET_BYTES] = [7; SECRET_BYTES];

fn master() -> MasterKey {
    MasterKey::from_random([1; 32])
}

fn public() -> SealingKey {
    OpeningKey::from_random(SECRET).sealing_key()
}

#[test]
fn three_sheets_are_printed_as_ever_and_any_two_of_them_open_the_set() {
    let sheet = |number| {
        let mut share = [0; SECRET_BYTES];
        share.copy_from_slice(&shares::share(&SECRET, &[0x5a; SECRET_BYTES], number));
        Sheet {
            set: set_bytes(&public()),
            number,
            share,
        }
    };
    let printed = [1, 2, 3].map(|number| sheet(number).lines().join("\n") + "\n");
    assert_eq!(printed.join("\n"), SHEETS);
    let kept: Vec<Sheet> = SHEETS
        .split("\n\n")
        .map(|text| Sheet::parse(text).unwrap())
        .collect();
    for (one, two) in [(0, 1), (0, 2), (1, 2)] {
        let key = key_of_sheets(&kept[one], &kept[two]).unwrap();
        assert_eq!(key.sealing_key(), public());
    }
}

#[test]
fn the_record_of_an_epoch_opens_with_master_key_and_set_and_is_written_as_ever() {
    let kept = EpochRecord::from_bytes("epoch-0003", EPOCH).unwrap();
    let key = SigningKey::from_seed("archief.example/opnamen", [0x22; 32]).unwrap();
    assert!(kept.is_signed(&key.verifier()));
    assert_eq!(kept.open(&master()).unwrap().expose(), &[9; 32]);
    let set = OpeningKey::from_random(SECRET);
    assert_eq!(kept.open_with_set(&set).unwrap().expose(), &[9; 32]);
    // What is wrapped differs each time.
    let mut written = EpochRecord::new(&KeyEncryptionKey::new(3, [9; 32]), AT);
    written.slots = kept.slots;
    written.sign(&key).unwrap();
    assert_eq!(written.to_bytes().unwrap(), EPOCH);
}

#[test]
fn the_record_of_a_recovery_set_is_vouched_for_by_the_master_key_and_written_as_ever() {
    let kept: SetRecord = from_canonical(SET).unwrap();
    assert_eq!(kept.key(), public());
    assert!(kept.is_bound(&master()).unwrap());
    let other = MasterKey::from_random([2; 32]);
    assert!(!kept.is_bound(&other).unwrap());
    let written = SetRecord {
        version: VERSION,
        public_key: Hex(public().0.to_vec()),
        created_at: AT,
        confirmed_at: Some(AT.plus_micros(60_000_000)),
        bound: kept.bound,
    };
    assert_eq!(canonical_json(&written).unwrap(), SET);
}
