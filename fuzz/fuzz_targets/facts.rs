#![no_main]

use voicelog_law::Facts;
use voicelog_model::Timestamp;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _facts = Facts::parse(data, Timestamp::default());
});
