#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| drop(voicelog_model::rtp::RtpPacket::parse(data)));
