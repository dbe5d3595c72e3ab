//! WAV files (RIFF, 16-bit linear PCM), any number of channels.

use super::AudioError;

const BYTES_PER_SAMPLE: usize = 2;
/// Two for each stream of a recording.
const CHANNELS_MAX: usize = 2 * voicelog_model::limits::STREAMS_MAX;
/// `WAVE_FORMAT_PCM`.
const FORMAT_PCM: u16 = 1;
/// `WAVE_FORMAT_EXTENSIBLE`, asked for beyond two channels.
const FORMAT_EXTENSIBLE: u16 = 0xfffe;
/// `KSDATAFORMAT_SUBTYPE_PCM`, as its bytes stand in the file.
const SUBTYPE_PCM: [u8; 16] = [
    1, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71,
];

/// Bytes of a WAV file of so many channels and samples, where one can hold them.
pub fn wav_byte_len(
    channels: usize,
    samples: usize,
    comment: Option<&str>,
) -> Result<usize, AudioError> {
    let head = if channels > 2 { 68 } else { 44 };
    let head = head + comment.map_or(0, |comment| comment_chunk(comment).len());
    channels
        .checked_mul(samples)
        .and_then(|all| all.checked_mul(BYTES_PER_SAMPLE))
        .and_then(|body| body.checked_add(head))
        .filter(|total| (1..=CHANNELS_MAX).contains(&channels) && u32::try_from(*total).is_ok())
        .ok_or(AudioError::NoWav { channels, samples })
}

/// What the file says of itself: `LIST` of `INFO` with one `ICMT`, the text in UTF-8 with a zero behind
/// it, and another one where that makes its length even.
fn comment_chunk(comment: &str) -> Vec<u8> {
    let mut text = comment.as_bytes().to_vec();
    text.push(0);
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes();
    let text_length = length(text.len());
    text.resize(text.len().next_multiple_of(2), 0);
    let list_length = length(12 + text.len());
    [&b"LIST"[..], &list_length, b"INFOICMT", &text_length, &text].concat()
}

/// Writes a WAV file. Channels shorter than the longest are filled up with silence. `comment` is what
/// the file says of itself.
pub fn wav(channels: &[&[i16]], rate: u32, comment: Option<&str>) -> Result<Vec<u8>, AudioError> {
    let samples = channels
        .iter()
        .map(|channel| channel.len())
        .max()
        .unwrap_or(0);
    let total = wav_byte_len(channels.len(), samples, comment)?;
    let mut out = Vec::with_capacity(total);
    put_head(channels.len(), samples, rate, comment, &mut out)?;
    put_samples(channels, samples, &mut out);
    Ok(out)
}

/// Everything of a WAV file that comes before so many samples of each channel.
pub fn wav_head(channels: usize, samples: usize, rate: u32) -> Result<Vec<u8>, AudioError> {
    let mut head = Vec::new();
    put_head(channels, samples, rate, None, &mut head)?;
    Ok(head)
}

/// Appends everything before the samples.
pub(super) fn put_head(
    channels: usize,
    samples: usize,
    rate: u32,
    comment: Option<&str>,
    out: &mut Vec<u8>,
) -> Result<(), AudioError> {
    let total = wav_byte_len(channels, samples, comment)?;
    let too_large = |_| AudioError::NoWav { channels, samples };
    let count = u16::try_from(channels).map_err(too_large)?;
    let body = u32::try_from(channels * samples * BYTES_PER_SAMPLE).map_err(too_large)?;
    let extensible = channels > 2;
    out.extend_from_slice(b"RIFF");
    let riff_len = u32::try_from(total - 8).map_err(too_large)?;
    out.extend_from_slice(&riff_len.to_le_bytes());
    out.extend_from_slice(b"WAVEfmt ");
    let (format_len, format) = if extensible {
        (40_u32, FORMAT_EXTENSIBLE)
    } else {
        (16, FORMAT_PCM)
    };
    out.extend_from_slice(&format_len.to_le_bytes());
    out.extend_from_slice(&format.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&rate.to_le_bytes());
    out.extend_from_slice(&rate.saturating_mul(u32::from(count) * 2).to_le_bytes());
    out.extend_from_slice(&(count * 2).to_le_bytes());
    out.extend_from_slice(&16_u16.to_le_bytes());
    if extensible {
        // Size of what follows; valid bits; no channel stands for a place in a room.
        out.extend_from_slice(&22_u16.to_le_bytes());
        out.extend_from_slice(&16_u16.to_le_bytes());
        out.extend_from_slice(&0_u32.to_le_bytes());
        out.extend_from_slice(&SUBTYPE_PCM);
    }
    out.extend(comment.map(comment_chunk).into_iter().flatten());
    out.extend_from_slice(b"data");
    out.extend_from_slice(&body.to_le_bytes());
    Ok(())
}

/// Appends so many samples of each channel, those of a moment side by side.
pub(super) fn put_samples(channels: &[&[i16]], samples: usize, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + samples * channels.len() * BYTES_PER_SAMPLE, 0);
    let body = out.get_mut(start..).unwrap_or_default();
    // Players play one or two channels: mostly it is these.
    match channels {
        [one] if one.len() == samples => {
            for (bytes, sample) in body.as_chunks_mut().0.iter_mut().zip(*one) {
                *bytes = sample.to_le_bytes();
            }
        }
        [left, right] if left.len() == samples && right.len() == samples => {
            let both = left.iter().zip(*right);
            for (bytes, (left, right)) in body.as_chunks_mut().0.iter_mut().zip(both) {
                *bytes = pair(*left, *right);
            }
        }
        _ => {
            let mut body = body.as_chunks_mut().0.iter_mut();
            for at in 0..samples {
                for (channel, bytes) in channels.iter().zip(&mut body) {
                    *bytes = channel.get(at).copied().unwrap_or(0).to_le_bytes();
                }
            }
        }
    }
}

/// Two samples of one moment.
const fn pair(left: i16, right: i16) -> [u8; 4] {
    let ([a, b], [c, d]) = (left.to_le_bytes(), right.to_le_bytes());
    [a, b, c, d]
}

/// Samples that are made at once to be compared, few enough for the processor to keep them near.
const COMPARED_AT_ONCE: usize = 4_096;

/// Whether a file is, byte for byte, the one that [`wav`] writes. Made piece by piece: only one is in memory.
pub(crate) fn is_wav_of<'s>(
    file: &[u8],
    channels: &[&'s [i16]],
    rate: u32,
    comment: Option<&str>,
) -> Result<bool, AudioError> {
    let of_channels = channels.iter().map(|channel| channel.len());
    let samples = of_channels.max().unwrap_or(0);
    let mut made = Vec::new();
    put_head(channels.len(), samples, rate, comment, &mut made)?;
    let Some(mut rest) = file.strip_prefix(made.as_slice()) else {
        return Ok(false);
    };
    for first in (0..samples).step_by(COMPARED_AT_ONCE) {
        let end = (first + COMPARED_AT_ONCE).min(samples);
        let part = |channel: &&'s [i16]| {
            let there = channel.get(first..end.min(channel.len()));
            there.unwrap_or_default()
        };
        let parts: Vec<&[i16]> = channels.iter().map(part).collect();
        made.clear();
        put_samples(&parts, end - first, &mut made);
        match rest.strip_prefix(made.as_slice()) {
            Some(after) => rest = after,
            None => return Ok(false),
        }
    }
    Ok(rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_channel_is_a_plain_file() {
        let bytes = wav(&[&[1, -2]], 8_000, None).unwrap();
        assert_eq!(bytes.len(), 48);
        assert_eq!(&bytes[..4], b"RIFF");
        assert_eq!(bytes[4..8], 40_u32.to_le_bytes());
        assert_eq!(
            bytes[20..36],
            [1, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x80, 0x3e, 0, 0, 2, 0, 16, 0]
        );
        assert_eq!(bytes[40..], [4, 0, 0, 0, 1, 0, 0xfe, 0xff]);
    }

    #[test]
    fn channels_are_interleaved_and_filled_up() {
        let bytes = wav(&[&[1, 2], &[3]], 8_000, None).unwrap();
        assert_eq!(bytes[44..], [1, 0, 3, 0, 2, 0, 0, 0]);
        let three = wav(&[&[1], &[2], &[3]], 8_000, None).unwrap();
        assert_eq!(three.len(), wav_byte_len(3, 1, None).unwrap());
        assert_eq!(three[20..22], [0xfe, 0xff]);
        assert_eq!(three[68..], [1, 0, 2, 0, 3, 0]);
    }

    #[test]
    fn a_file_is_held_against_samples_to_its_last_byte() {
        let samples: Vec<i16> = (0..10_000).collect();
        let fewer = &samples[..9_000];
        for channels in [
            &[&samples[..]][..],
            &[&samples, &samples],
            &[&samples, fewer],
        ] {
            let file = wav(channels, 8_000, None).unwrap();
            let holds = |file: &[u8]| is_wav_of(file, channels, 8_000, None).unwrap();
            assert!(holds(&file));
            for at in [0, 24, 43, 44, 8_191, 8_236, file.len() - 1] {
                let mut changed = file.clone();
                changed[at] ^= 1;
                assert!(!holds(&changed), "byte {at}");
            }
            assert!(!holds(&file[..file.len() - 1]));
            assert!(!holds(&[&file[..], &[0]].concat()));
            assert!(!is_wav_of(&file, channels, 8_000, Some("a part")).unwrap());
        }
    }

    #[test]
    fn what_no_file_can_hold_is_refused() {
        assert!(wav(&[], 8_000, None).is_err());
        assert!(wav_byte_len(33, 1, None).is_err());
        assert!(wav_byte_len(1, usize::MAX, None).is_err());
        assert!(wav_byte_len(2, 1 << 30, None).is_err());
    }
}
