#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| drop(voicelog_law::Facts::parse(data, voicelog_model::Timestamp::default())));
