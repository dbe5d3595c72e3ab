#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _packet = voicelog_model::rtp::RtpPacket::parse(data);
    let _said = voicelog_model::rtcp::read(data).count();
});
