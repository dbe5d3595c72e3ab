use super::*;
use proptest::prelude::*;

fn head(number: u32, before: Hash) -> Vec<u8> {
    [&b"VLRC\x01"[..], &number.to_be_bytes(), &before.0].concat()
}

fn frame(kind: u8, captured: i64, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap();
    let mut bytes = vec![kind];
    bytes.extend_from_slice(&captured.to_be_bytes());
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(content);
    bytes
}

fn packet(sequence: u16) -> Vec<u8> {
    let mut bytes = vec![0x80, 111];
    bytes.extend_from_slice(&sequence.to_be_bytes());
    bytes.extend_from_slice(&[0; 8]);
    bytes.extend_from_slice(b"sound");
    bytes
}

fn read(bytes: &[u8]) -> Result<Chunk<'_>, ChunkError> {
    Chunk::read(bytes, 7, Hash([3; 32]), 111)
}

#[test]
fn packets_and_marks_are_read_in_their_order() {
    let mut bytes = head(7, Hash([3; 32]));
    let sound = packet(1);
    bytes.extend(frame(1, 20_000, &sound));
    bytes.extend(frame(
        2,
        20_000,
        br#"{"mark":"interrupted","reason":"device_gone"}"#,
    ));
    bytes.extend(frame(2, 90_000, br#"{"mark":"resumed"}"#));
    let reason = Reason::DeviceGone;
    assert_eq!(
        read(&bytes).unwrap().frames,
        [
            Frame::Packet {
                captured: 20_000,
                bytes: &sound
            },
            Frame::Mark {
                captured: 20_000,
                mark: Mark::Interrupted { reason }
            },
            Frame::Mark {
                captured: 90_000,
                mark: Mark::Resumed {}
            },
        ]
    );
    assert_eq!(read(&head(7, Hash([3; 32]))).unwrap().frames, []);
}

#[test]
fn a_chunk_of_another_place_is_refused_by_number_and_by_chain() {
    assert_eq!(read(&head(8, Hash([3; 32]))), Err(ChunkError::Number(8)));
    assert_eq!(read(&head(7, Hash([4; 32]))), Err(ChunkError::Chain));
    for bytes in [
        &b""[..],
        b"VLRC",
        b"VLRC\x02",
        b"RIFF\x01",
        b"VLRC\x01\0\0\0\x07",
    ] {
        assert_eq!(read(bytes), Err(ChunkError::Head), "{bytes:?}");
    }
    let large = vec![0; CHUNK_BYTES_MAX + 1];
    assert_eq!(read(&large), Err(ChunkError::TooLarge(large.len())));
}

#[test]
fn a_frame_out_of_form_is_refused_with_its_place() {
    let long = vec![0x80; RTP_PACKET_BYTES_MAX + 1];
    let mut other = packet(1);
    other[1] = 112;
    for wrong in [
        frame(0, 0, &packet(1)),
        frame(3, 0, &packet(1)),
        frame(1, 0, &packet(1)[..12]),
        frame(1, 0, &long),
        frame(1, 0, &other),
        frame(1, -1, &packet(1)),
        frame(1, CAPTURED_MAX + 1, &packet(1)),
        frame(1, 0, &packet(1))[..20].to_vec(),
        frame(2, 0, br#"{"mark":"interrupted","reason":"bored"}"#),
        frame(2, 0, br#"{"mark":"interrupted"}"#),
        frame(2, 0, br#"{"mark":"resumed","why":"x"}"#),
        frame(2, 0, &[b' '; 257]),
        vec![1],
    ] {
        let mut bytes = head(7, Hash([3; 32]));
        bytes.extend(frame(1, 0, &packet(1)));
        let place = bytes.len();
        bytes.extend(&wrong);
        match read(&bytes) {
            Err(ChunkError::Frame { at, .. }) => assert_eq!(at, place, "{wrong:?}"),
            other => panic!("{wrong:?}: {other:?}"),
        }
    }
    let mut bytes = head(7, Hash([3; 32]));
    bytes.extend(frame(1, 40_000, &packet(1)));
    bytes.extend(frame(1, 39_999, &packet(2)));
    assert!(matches!(read(&bytes), Err(ChunkError::Frame { .. })));
}

#[test]
fn a_hash_has_one_spelling_but_for_case() {
    let hash = Hash::of(b"x");
    assert_eq!(Hash::from_hex(&hash.to_string()), Some(hash));
    let text = hash.to_string();
    for wrong in [
        text.split_at(1).1,
        "",
        &text.replace('2', "+"),
        &format!("{text}0"),
    ] {
        assert_eq!(Hash::from_hex(wrong), None, "{wrong}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(tail in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = head(7, Hash([3; 32]));
        bytes.extend(frame(1, 0, &packet(1)));
        bytes.extend(tail);
        let _read = read(&bytes);
    }
}
