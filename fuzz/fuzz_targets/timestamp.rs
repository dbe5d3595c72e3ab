#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    voicelog_evidence::fuzzing::read_timestamp(data);
});
