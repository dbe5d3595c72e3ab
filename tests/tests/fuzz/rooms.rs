//! Chunks that devices in a room hand over.

use super::smoke;
use voicelog_room::chunk::{Chunk, Frame, Hash};

/// Whatever is read fits into the bytes that it is from, in the order of its capture.
fn read(input: &[u8]) {
    let number = input.get(5..9).and_then(|number| number.try_into().ok());
    let before = input.get(9..41).and_then(|chain| chain.try_into().ok());
    let (Some(number), Some(before)) = (number, before) else {
        return;
    };
    // The number and chain that the bytes themselves name, so that the reader gets past them.
    let number = u32::from_be_bytes(number);
    let Ok(chunk) = Chunk::read(input, number, Hash(before), 111) else {
        return;
    };
    let packets = chunk.frames.iter().map(|frame| match frame {
        Frame::Packet { bytes, .. } => bytes.len(),
        Frame::Mark { .. } => 0,
    });
    assert!(packets.sum::<usize>() + 11 * chunk.frames.len() + 41 <= input.len());
    let moments: Vec<i64> = chunk.frames.iter().map(Frame::captured).collect();
    assert!(moments.is_sorted());
}

fn frame(kind: u8, captured: i64, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend_from_slice(&captured.to_be_bytes());
    bytes.extend_from_slice(&u16::try_from(content.len()).unwrap().to_be_bytes());
    bytes.extend_from_slice(content);
    bytes
}

#[test]
fn fuzz_smoke_room_chunk() {
    let mut sample = b"VLRC\x01\0\0\0\x07".to_vec();
    sample.extend_from_slice(&[3; 32]);
    for count in 1..4 {
        let packet = [&[0x80, 111, 0, 1, 0, 0, 3, 192, 0, 0, 0, 7][..], b"sound"].concat();
        sample.extend(frame(1, count * 20_000, &packet));
    }
    let interrupted = br#"{"mark":"interrupted","reason":"reloaded"}"#;
    sample.extend(frame(2, 60_000, interrupted));
    sample.extend(frame(2, 90_000, br#"{"mark":"resumed"}"#));
    assert!(Chunk::read(&sample, 7, Hash([3; 32]), 111).is_ok());
    smoke("room_chunk", &[sample], read);
}
