//! The sound of the notices of lines and of kinds of talk, read when the server starts.

use crate::BadInput;
use crate::config::Config;
use anyhow::{Context, Result, bail};
use hound::{SampleFormat, WavReader};
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::Arc;
use voicelog_archive::notice::{NOTICE_SECONDS_MAX, Notice};
use voicelog_room::PlayedNotice;

/// Largest file of a notice in bytes: a minute of stereo at 48 kHz in 32 bits, and some room.
const FILE_BYTES_MAX: u64 = 32 << 20;
/// Most samples of one channel that are read: of a longer notice so many that its length is seen.
const SAMPLES_MAX: u64 = (NOTICE_SECONDS_MAX + 60) * 192_000;

/// The notice of each line that has one, by the line's name.
pub(crate) fn prepare(config: &Config) -> Result<BTreeMap<String, Arc<Notice>>> {
    let mut notices = BTreeMap::new();
    for line in &config.lines {
        if let Some(notice) = &line.notice {
            let (name, file) = (&line.name, &notice.audio);
            let (sound, _bytes) = read(file).map_err(|error| {
                BadInput(format!(
                    "line `{name}`: notice.audio (`{file}`) cannot be used: {error:#}"
                ))
            })?;
            notices.insert(name.clone(), Arc::new(sound));
        }
    }
    Ok(notices)
}

/// The notice of each kind of talk that has one, by the name of the kind.
pub(crate) fn prepare_rooms(config: &Config) -> Result<BTreeMap<String, PlayedNotice>> {
    let mut notices = BTreeMap::new();
    for room in &config.rooms {
        if let Some(file) = &room.notice {
            let name = &room.name;
            let (sound, bytes) = read(file).map_err(|error| {
                BadInput(format!(
                    "room `{name}`: notice (`{file}`) cannot be used: {error:#}"
                ))
            })?;
            let (sound, file) = (Arc::new(sound), bytes.into());
            notices.insert(name.clone(), PlayedNotice { sound, file });
        }
    }
    Ok(notices)
}

/// The samples of a WAV file, and how many there are a second.
pub(crate) fn sound(path: &std::path::Path) -> Result<(Vec<i16>, u32)> {
    samples(std::io::BufReader::new(
        std::fs::File::open(path)?.take(FILE_BYTES_MAX),
    ))
}

/// A notice, and the file that it is.
fn read(path: &str) -> Result<(Notice, Vec<u8>)> {
    let file = std::fs::File::open(path)?;
    let length = file.metadata()?.len();
    if length > FILE_BYTES_MAX {
        bail!("it has {length} bytes; a notice has at most {FILE_BYTES_MAX}");
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    let (samples, rate) = samples(Cursor::new(&bytes))?;
    Ok((Notice::new(&samples, rate)?, bytes))
}

/// The samples of a WAV file, all channels mixed, and how many there are a second.
fn samples(file: impl Read) -> Result<(Vec<i16>, u32)> {
    const WANTED: &str = "it is no WAV file with linear samples (PCM); make one with `ffmpeg -i FILE -ac 1 -ar 8000 notice.wav`";
    let mut wav = WavReader::new(file).context(WANTED)?;
    let spec = wav.spec();
    let values: Result<Vec<f32>, hound::Error> = match spec.sample_format {
        SampleFormat::Float => wav.samples::<f32>().take(most(spec.channels)).collect(),
        SampleFormat::Int => {
            let unit = full_scale(spec.bits_per_sample);
            let samples = wav.samples::<i32>().take(most(spec.channels));
            samples.map(|sample| Ok(as_f32(sample?) / unit)).collect()
        }
    };
    let values = values.context(WANTED)?;
    let channels = usize::from(spec.channels.max(1));
    let mixed = values.chunks_exact(channels).map(|moment| {
        let mean = moment.iter().sum::<f32>() / f32::from(spec.channels.max(1));
        as_i16(mean * 32_767.0)
    });
    Ok((mixed.collect(), spec.sample_rate))
}

fn most(channels: u16) -> usize {
    usize::try_from(SAMPLES_MAX * u64::from(channels.max(1))).unwrap_or(usize::MAX)
}

/// The largest value of so many bits.
fn full_scale(bits: u16) -> f32 {
    as_f32(
        1_i32
            .checked_shl(u32::from(bits.saturating_sub(1)))
            .unwrap_or(i32::MAX),
    )
    .abs()
    .max(1.0)
}

#[expect(clippy::cast_precision_loss, reason = "sixteen bits of it are used")]
const fn as_f32(sample: i32) -> f32 {
    sample as f32
}

#[expect(clippy::cast_possible_truncation, reason = "casting a float saturates")]
const fn as_i16(sample: f32) -> i16 {
    sample as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use hound::{WavSpec, WavWriter};
    use std::path::Path;
    use voicelog_model::Timestamp;

    /// Two seconds in a file of that kind: left as told, right silent.
    fn file(bits_per_sample: u16, sample_format: SampleFormat, channels: u16) -> Vec<u8> {
        let spec = WavSpec {
            channels,
            sample_rate: 8_000,
            bits_per_sample,
            sample_format,
        };
        let mut bytes = Cursor::new(Vec::new());
        let mut writer = WavWriter::new(&mut bytes, spec).unwrap();
        for number in 0..16_000_i32 {
            // Half of full scale, 500 Hz.
            let sign = if number / 8 % 2 == 0 { 1 } else { -1 };
            for channel in 0..channels {
                let sign = if channel == 0 { sign } else { 0 };
                match sample_format {
                    SampleFormat::Float => writer.write_sample(0.5 * as_f32(sign)).unwrap(),
                    SampleFormat::Int => {
                        let half = 1_i32 << (bits_per_sample - 2);
                        writer.write_sample(sign * half).unwrap();
                    }
                }
            }
        }
        writer.finalize().unwrap();
        bytes.into_inner()
    }

    fn config(audio: &Path) -> Config {
        let audio = audio.display();
        let text = format!("[[line]]\nname = \"verkoop\"\n[line.notice]\naudio = \"{audio}\"\n");
        Config::parse(&text, Timestamp::from_micros(1_790_000_000_000_000)).unwrap()
    }

    #[test]
    fn samples_of_every_kind_come_out_alike_and_channels_are_mixed() {
        for (bits, format, channels, level) in [
            (8, SampleFormat::Int, 1, 16_384_i16),
            (16, SampleFormat::Int, 1, 16_384),
            (24, SampleFormat::Int, 1, 16_384),
            (32, SampleFormat::Int, 1, 16_384),
            (32, SampleFormat::Float, 1, 16_384),
            (16, SampleFormat::Int, 2, 8_192),
        ] {
            let (samples, rate) = samples(&file(bits, format, channels)[..]).unwrap();
            assert_eq!((samples.len(), rate), (16_000, 8_000));
            assert!(
                samples
                    .iter()
                    .all(|sample| sample.abs().abs_diff(level) <= 1),
                "{bits} {format:?} {channels}: {}",
                samples[0]
            );
        }
    }

    #[test]
    fn a_file_that_can_be_used_is_the_notice_of_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notice.wav");
        voicelog_store::durable::replace(&path, &file(16, SampleFormat::Int, 1)).unwrap();
        let notices = prepare(&config(&path)).unwrap();
        assert!(notices["verkoop"].length_us().abs_diff(2_000_000) < 50_000);
    }

    #[test]
    fn the_notice_of_a_kind_of_talk_is_played_as_the_file_that_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notice.wav");
        let config = |path: &Path| {
            let text = format!(
                "[[room]]\nname = \"balie\"\nnotice = \"{}\"\n",
                path.display()
            );
            Config::parse(&text, Timestamp::from_micros(1_790_000_000_000_000)).unwrap()
        };
        let bytes = file(16, SampleFormat::Int, 1);
        voicelog_store::durable::replace(&path, &bytes).unwrap();
        let notices = prepare_rooms(&config(&path)).unwrap();
        assert_eq!(notices["balie"].file[..], bytes[..]);
        assert!(notices["balie"].sound.length_us().abs_diff(2_000_000) < 50_000);
        let lost = prepare_rooms(&config(&folder.path().join("gone.wav"))).unwrap_err();
        let told = format!("{lost:#}");
        assert!(
            told.contains("room `balie`") && told.contains("gone.wav"),
            "{told}"
        );
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named_with_its_line_and_why() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notice.wav");
        let why = |bytes: Option<&[u8]>| {
            if let Some(bytes) = bytes {
                voicelog_store::durable::replace(&path, bytes).unwrap();
            }
            let error = prepare(&config(&path)).unwrap_err();
            let text = format!("{error:#}");
            assert!(
                text.contains("line `verkoop`") && text.contains("notice.wav"),
                "{text}"
            );
            text
        };
        assert!(why(None).contains("No such file"));
        assert!(why(Some(b"ID3 this is something else")).contains("ffmpeg"));
        let mut silent = file(16, SampleFormat::Int, 1);
        silent[44..].fill(0);
        assert!(why(Some(&silent)).contains("1 to 60 seconds"));
        let cut = &file(16, SampleFormat::Int, 1)[..45];
        why(Some(cut));
    }
}
