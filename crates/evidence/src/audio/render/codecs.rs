//! Other codecs than G.711, and decoders that fail or lie.

use super::pieces::same_in_pieces;
use super::*;
use crate::audio::decode::Undecodable;
use crate::audio::tests::{sine, snr_db};
use crate::journal::{Cause, JournalEvent, PacketKind, Record};
use crate::timeline::build;
use audio_codec::Encoder as _;
use audio_codec::g722::G722Encoder;
use ropus::{Application, Bitrate, Channels, Encoder, InbandFec};
use voicelog_model::{Codec, DecisionId, MediaStream, Timestamp};

/// A packet of a call: place among its formats, timestamp, payload, and how long it lasts in ms.
type Packet<'a> = (usize, u32, &'a [u8], i64);

/// A call of one stream that may hold these formats, from payload type 96 on. `None` is a packet
/// that was lost.
fn call(encodings: &[&str], packets: &[Option<Packet<'_>>]) -> Vec<Record> {
    let formats: Vec<_> = (96..)
        .zip(encodings)
        .map(|(payload_type, encoding)| Format {
            codec: Codec::read(encoding).unwrap(),
            payload_type,
            parameters: None,
        })
        .collect();
    let stream = MediaStream::of_formats(StreamNumber(1), &formats).unwrap();
    let at = |ms: i64, event| Record::Event {
        at: Timestamp::from_micros(ms * 1_000),
        event,
    };
    let decision = DecisionId::from_bytes([1; 16]);
    let mut records = vec![
        at(0, JournalEvent::CallStarted {}),
        at(0, JournalEvent::StreamAdded { stream }),
        at(0, JournalEvent::Permitted { decision }),
    ];
    let (mut ms, mut last) = (0, 20);
    for (sequence, packet) in (0_u16..).zip(packets) {
        last = packet.map_or(last, |(.., lasts)| lasts);
        ms += last;
        let Some((format, timestamp, payload, _)) = packet else {
            continue;
        };
        let mut bytes = vec![0x80, formats[*format].payload_type];
        bytes.extend_from_slice(&sequence.to_be_bytes());
        bytes.extend_from_slice(&timestamp.to_be_bytes());
        bytes.extend_from_slice(&[0, 0, 0, 1]);
        bytes.extend_from_slice(payload);
        records.push(Record::Packet {
            stream: StreamNumber(1),
            arrived: Timestamp::from_micros(ms * 1_000),
            kind: PacketKind::Rtp,
            bytes,
        });
    }
    let cause = Cause::RecordingClient;
    records.push(at(ms, JournalEvent::CallEnded { cause }));
    records
}

fn heard_by(records: &[Record], make: Make<'_>) -> StreamAudio {
    let timeline = build(records.to_vec());
    let rendering = Rendering::new(records.iter().map(Record::as_view), &timeline).unwrap();
    let plan = rendering.plans().remove(0);
    let audio = rendering.render(make).remove(0);
    assert_eq!(
        (plan.rate, plan.channels),
        (audio.rate, audio.channels.len())
    );
    for channel in &audio.channels {
        assert_eq!(channel.len(), plan.samples);
        assert_eq!(channel.len(), samples_at(timeline.length_us(), audio.rate));
    }
    audio
}

/// Also that the file that is made piece by piece is the same, and tells the same of itself.
fn heard(records: &[Record]) -> StreamAudio {
    let audio = heard_by(records, &decoder);
    same_in_pieces(records);
    audio
}

/// 20 ms packets of one format, one after the other.
fn in_turn<'a>(payloads: &'a [Vec<u8>], ticks: u32) -> Vec<Option<Packet<'a>>> {
    let packet = |(n, payload): (u32, &'a Vec<u8>)| Some((0, n * ticks, payload.as_slice(), 20));
    (0..).zip(payloads).map(packet).collect()
}

fn g722(tone: &[i16]) -> Vec<Vec<u8>> {
    let bytes = G722Encoder::new().encode(tone);
    bytes.chunks(160).map(<[u8]>::to_vec).collect()
}

fn opus(tone: &[i16], channels: Channels, fec: InbandFec) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::builder(48_000, channels, Application::Voip)
        .bitrate(Bitrate::try_bits(24_000).unwrap())
        .inband_fec(fec)
        .packet_loss_perc(30)
        .build()
        .unwrap();
    let mut bytes = [0; 4_000];
    tone.chunks_exact(960 * channels.count())
        .map(|frame| {
            let len = encoder.encode(frame, &mut bytes).unwrap();
            bytes[..len].to_vec()
        })
        .collect()
}

#[test]
fn g722_is_heard_at_sixteen_thousand_samples_a_second() {
    let tone = sine(1_000, 16_000, 16_000, 1);
    let audio = heard(&call(&["G722"], &in_turn(&g722(&tone), 160)));
    assert_eq!((audio.rate, audio.spans.as_slice()), (16_000, &[][..]));
    let snr = snr_db(&tone[1_000..15_000], &audio.channels[0][1_022..15_022]);
    assert!(snr > 20.0, "{snr} dB");
}

#[test]
fn a_stereo_stream_is_heard_on_two_channels() {
    let tone = sine(400, 48_000, 48_000, 2);
    let payloads = opus(&tone, Channels::Stereo, InbandFec::Disabled);
    let audio = heard(&call(&["opus/48000/2"], &in_turn(&payloads, 960)));
    assert_eq!((audio.rate, audio.channels.len()), (48_000, 2));
    let linear: Vec<u8> = [1_i16, -1]
        .iter()
        .flat_map(|sample| sample.to_be_bytes())
        .collect();
    let payloads = vec![linear.repeat(320); 3];
    let audio = heard(&call(&["L16/16000/2"], &in_turn(&payloads, 320)));
    assert_eq!(audio.channels, [vec![1; 960], vec![-1; 960]]);
}

#[test]
fn a_stream_whose_codec_changes_is_heard_at_the_highest_rate_of_its_packets() {
    let tone = g722(&sine(1_000, 16_000, 3_200, 1));
    let loud = vec![0x80; 160];
    let packets: Vec<_> = (0..20)
        .map(|n: u32| match n {
            0..10 => Some((1, n * 160, loud.as_slice(), 20)),
            _ => Some((0, n * 160, tone[n as usize - 10].as_slice(), 20)),
        })
        .collect();
    let audio = heard(&call(&["G722", "PCMU"], &packets));
    assert_eq!((audio.rate, audio.channels[0].len()), (16_000, 6_400));
    assert_eq!(audio.channels[0][..3_200], [32_124; 3_200]);
    assert!(
        audio.channels[0][4_000..]
            .iter()
            .any(|sample| *sample > 10_000)
    );
    assert_eq!(audio.spans, []);
}

#[test]
fn a_stream_that_nobody_can_decode_has_no_sound_and_says_so() {
    let payloads = vec![vec![1; 33]; 50];
    let audio = heard(&call(&["EVS/16000"], &in_turn(&payloads, 320)));
    assert_eq!(audio.channels.len(), 0, "never a silent file");
    let span = &audio.spans[0];
    assert_eq!(
        (span.start_us, span.end_us, span.lack),
        (0, 1_000_000, Lack::Codec)
    );
    assert_eq!(span.codec.to_string(), "EVS/16000");
    assert_eq!(audio.spans.len(), 1);
}

#[test]
fn of_a_stream_that_partly_can_be_decoded_the_rest_is_silence_of_its_length() {
    let (loud, other) = (vec![0x80; 160], vec![0; 20]);
    let packets: Vec<_> = (0..30)
        .map(|n: u32| match n {
            10..20 => Some((1, n * 160, other.as_slice(), 20)),
            _ => Some((0, n * 160, loud.as_slice(), 20)),
        })
        .collect();
    let audio = heard(&call(&["PCMU", "G729"], &packets));
    let sound = &audio.channels[0];
    assert_eq!(sound[..1_600], [32_124; 1_600]);
    assert_eq!(sound[1_600..3_200], [0; 1_600]);
    assert_eq!(sound[3_200..], [32_124; 1_600]);
    let span = &audio.spans[0];
    assert_eq!(
        (span.start_us, span.end_us, span.lack),
        (200_000, 400_000, Lack::Codec)
    );
}

#[test]
fn a_damaged_packet_is_silence_of_its_length_and_is_told() {
    let tone = sine(400, 48_000, 48_000, 1);
    let mut payloads = opus(&tone, Channels::Mono, InbandFec::Disabled);
    // 20 ms by its first byte, in two frames of equal length that cannot be: RFC 6716 §3.2.3.
    payloads[20] = vec![(payloads[20][0] & 0xe0) | 0x01, 0, 0, 0];
    let ticks = crate::timeline::opus_ticks(&payloads[20]);
    assert!(ticks.is_some());
    let audio = heard(&call(&["opus/48000/2"], &in_turn(&payloads, 960)));
    assert_eq!(audio.spans.len(), 1);
    assert_eq!(audio.spans[0].lack, Lack::Damaged);
    assert_eq!(audio.spans[0].start_us, 400_000);
    assert_eq!(audio.channels[0][19_200..20_160], [0; 960]);
}

/// Puts out another number of samples than there is room for, and every third time none.
struct Liar(usize, isize);

impl Decode for Liar {
    fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) -> Result<(), Undecodable> {
        self.0 += 1;
        let len = match self.0 % 3 {
            0 => return Err(Undecodable),
            1 => payload.len(),
            _ => payload.len().saturating_add_signed(self.1),
        };
        out.resize(out.len() + len, 7);
        Ok(())
    }
}

#[test]
fn a_decoder_that_lies_is_caught_and_shifts_nothing() {
    for lie in [-1, 1, -160, 16_000] {
        let payloads = vec![vec![0; 160]; 9];
        let records = call(&["PCMU"], &in_turn(&payloads, 160));
        let audio = heard_by(&records, &|_, _| Some(Box::new(Liar(0, lie))));
        let told: Vec<_> = audio
            .spans
            .iter()
            .map(|span| (span.start_us / 20_000, span.end_us / 20_000, span.lack))
            .collect();
        use Lack::{Damaged, Length};
        assert_eq!(
            told,
            [
                (1, 2, Length),
                (2, 3, Damaged),
                (4, 5, Length),
                (5, 6, Damaged),
                (7, 8, Length),
                (8, 9, Damaged)
            ]
        );
        for (n, packet) in audio.channels[0].chunks(160).enumerate() {
            let expected = if n % 3 == 0 { 7 } else { 0 };
            assert!(
                packet.iter().all(|sample| *sample == expected),
                "packet {n}, lie {lie}"
            );
        }
    }
}

#[test]
fn a_lost_packet_is_heard_where_the_next_one_repeats_it_and_told_apart() {
    let tone = sine(400, 48_000, 48_000, 1);
    let payloads = opus(&tone, Channels::Mono, InbandFec::Forced);
    let whole = heard(&call(&["opus/48000/2"], &in_turn(&payloads, 960)));
    assert_eq!(whole.spans, []);
    let mut packets = in_turn(&payloads, 960);
    (packets[24], packets[25]) = (None, None);
    let audio = heard(&call(&["opus/48000/2"], &packets));
    let span = &audio.spans[0];
    assert_eq!(
        (span.start_us, span.end_us, span.lack),
        (500_000, 520_000, Lack::Recovered)
    );
    assert_eq!(audio.spans.len(), 1);
    let (sent, mended) = (&whole.channels[0], &audio.channels[0]);
    assert_eq!(
        mended[24 * 960..25 * 960],
        [0; 960],
        "of two, the first is gone"
    );
    let loudest = |sound: &[i16]| {
        sound
            .iter()
            .map(|sample| sample.unsigned_abs())
            .max()
            .unwrap()
    };
    let again = 25 * 960..26 * 960;
    assert!(loudest(&mended[again.clone()]) > loudest(&sent[again]) / 4);
}
