//! The sound in a vCon (IETF draft vcon-core): each recording that it holds itself, laid where it began.

use crate::hear::{CHANNELS_MAX, Heard, samples};
use crate::kind::Kind;
use crate::look::{Contents, look};
use crate::{SoundFileError, Source};
use std::io::{Cursor, Read as _};
use std::ops::Range;
use voicelog_evidence::vcon::import::{
    Content, DialogKind, ImportError, ImportedVcon, SignatureState, VCON_BYTES_MAX, read,
};
use voicelog_model::{Language, Pii, Timestamp};

/// A vCon, with its sounds in memory.
#[derive(Debug)]
pub struct Enclosed {
    /// What is in it. It is heard where all its sounds can be, have one rate, and need no more than eight channels.
    pub contents: Contents,
    sounds: Vec<Sound>,
    /// Each sound keeps its channels; otherwise each is heard in one.
    keeps_channels: bool,
}

/// A sound in a vCon.
#[derive(Debug)]
struct Sound {
    bytes: Pii<Vec<u8>>,
    contents: Contents,
    /// When it began, after the first of them, in µs.
    at_us: u64,
    /// The channel in which it is heard, where each has one.
    lane: usize,
}

impl Sound {
    const fn end_us(&self) -> u64 {
        self.at_us.saturating_add(self.contents.length_us)
    }
}

impl Enclosed {
    /// Reads all of it. Of a vCon at most [`VCON_BYTES_MAX`] bytes are read.
    ///
    /// # Errors
    /// It is no vCon, something in it does not hold (a signature, a hash, a party that is not there), or there is sound that it
    /// only names: it would not be whole.
    pub fn read<'s>(source: Box<dyn Source + 's>) -> Result<Self, SoundFileError> {
        let mut bytes = Vec::new();
        let most = VCON_BYTES_MAX as u64 + 1;
        source.take(most).read_to_end(&mut bytes)?;
        let vcon = read(&bytes).map_err(|error| match error {
            ImportError::NoVcon | ImportError::Json { .. } => SoundFileError::Unknown,
            error => damaged(error.to_string()),
        })?;
        drop(bytes);
        must_hold(&vcon)?;
        Self::of(vcon)
    }

    fn of(vcon: ImportedVcon) -> Result<Self, SoundFileError> {
        let mut found = Vec::new();
        for (number, dialog) in vcon.dialogs.into_iter().enumerate() {
            if dialog.kind != DialogKind::Recording {
                continue;
            }
            match dialog.content {
                Content::Inline { bytes, .. } => found.push((dialog.start, bytes)),
                _elsewhere => return Err(SoundFileError::Elsewhere(number)),
            }
        }
        let began = found.iter().filter_map(|(start, _)| *start).min();
        let mut sounds = Vec::new();
        for (start, bytes) in found {
            let contents = look(&mut || Box::new(Cursor::new(bytes.expose().as_slice())))?;
            if contents.kind == Kind::Vcon {
                return Err(damaged("there is another vCon in it".to_owned()));
            }
            sounds.push(Sound {
                at_us: after(began, start),
                lane: 0,
                contents,
                bytes,
            });
        }
        if sounds.is_empty() {
            return Err(SoundFileError::NoSound);
        }
        sounds.sort_by_key(|sound| sound.at_us);
        let lanes = give_lanes(&mut sounds);
        let length_us = sounds.iter().map(Sound::end_us).max().unwrap_or(0);
        let keeps_channels = lanes == 1 && have_as_many_channels(&sounds);
        let contents = Contents {
            kind: Kind::Vcon,
            length_us,
            heard: heard(&sounds, lanes, keeps_channels, length_us),
            sounds: sounds.len(),
            has_picture: sounds.iter().any(|sound| sound.contents.has_picture),
            began,
        };
        Ok(Self {
            contents,
            sounds,
            keeps_channels,
        })
    }

    /// About how many bytes of memory it takes.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.sounds
            .iter()
            .map(|sound| sound.bytes.expose().len())
            .sum()
    }

    /// Those samples of its sound, those of a moment side by side; silence where there is none.
    ///
    /// # Errors
    /// [`SoundFileError::NotHeard`] where it cannot be heard.
    pub fn samples(&self, frames: Range<u64>) -> Result<Vec<i16>, SoundFileError> {
        let all = self.contents.heard.as_ref();
        let all = all.ok_or_else(|| SoundFileError::NotHeard("vCon".to_owned()))?;
        let frames = frames.start.min(all.frames)..frames.end.min(all.frames);
        let mut laid = vec![0; index(frames.end.saturating_sub(frames.start)) * all.channels];
        for sound in &self.sounds {
            let Some(heard) = &sound.contents.heard else {
                continue;
            };
            let starts = frames_in(sound.at_us, heard.rate);
            let of = |frame: u64| frame.saturating_sub(starts).min(heard.frames);
            let part = of(frames.start)..of(frames.end);
            if part.is_empty() {
                continue;
            }
            let place = (starts + part.start).saturating_sub(frames.start);
            let made = samples(
                &mut || Box::new(Cursor::new(sound.bytes.expose().as_slice())),
                heard,
                part,
            )?;
            let places = laid.chunks_exact_mut(all.channels).skip(index(place));
            for (place, moment) in places.zip(made.chunks_exact(heard.channels)) {
                if self.keeps_channels {
                    place.copy_from_slice(moment);
                } else if let Some(place) = place.get_mut(sound.lane) {
                    *place = mixed(moment);
                }
            }
        }
        Ok(laid)
    }
}

fn damaged(why: String) -> SoundFileError {
    let kind = Kind::Vcon.word();
    SoundFileError::Damaged { kind, why }
}

/// A vCon that does not hold is not whole.
fn must_hold(vcon: &ImportedVcon) -> Result<(), SoundFileError> {
    if let Some(fault) = vcon.faults.first() {
        let what = fault.kind.text(Language::En);
        return Err(damaged(format!("{}: {what}", fault.place)));
    }
    let is_broken = |state| state == SignatureState::Broken;
    if vcon.signatures.iter().any(|found| is_broken(found.state)) {
        return Err(damaged("its signature does not hold".to_owned()));
    }
    Ok(())
}

/// Microseconds after the first; 0 of one that does not say when it began.
fn after(first: Option<Timestamp>, start: Option<Timestamp>) -> u64 {
    let micros = first
        .zip(start)
        .map(|(a, b)| b.micros().abs_diff(a.micros()));
    micros.unwrap_or(0)
}

/// Gives each sound the first channel that is free when it begins; they are in the order of their beginnings.
fn give_lanes(sounds: &mut [Sound]) -> usize {
    let mut ends: Vec<u64> = Vec::new();
    for sound in sounds {
        let free = ends.iter().position(|end| *end <= sound.at_us);
        sound.lane = free.unwrap_or(ends.len());
        match ends.get_mut(sound.lane) {
            Some(end) => *end = sound.end_us(),
            None => ends.push(sound.end_us()),
        }
    }
    ends.len()
}

fn have_as_many_channels(sounds: &[Sound]) -> bool {
    let channels = |sound: &Sound| sound.contents.heard.as_ref().map(|heard| heard.channels);
    let first = sounds.first().and_then(channels);
    sounds.iter().all(|sound| channels(sound) == first)
}

/// What is heard of all of them, if each can be, and they have one rate.
fn heard(sounds: &[Sound], lanes: usize, keeps_channels: bool, length_us: u64) -> Option<Heard> {
    let all = sounds.iter().map(|sound| sound.contents.heard.as_ref());
    let all: Vec<&Heard> = all.collect::<Option<_>>()?;
    let first = all.first()?;
    let channels = if keeps_channels {
        first.channels
    } else {
        lanes
    };
    let has_one_rate = all.iter().all(|one| one.rate == first.rate);
    (has_one_rate && channels <= CHANNELS_MAX).then(|| Heard {
        kind: Kind::Vcon,
        rate: first.rate,
        channels,
        frames: frames_in(length_us, first.rate),
        origin: 0,
        delay: 0,
    })
}

fn frames_in(micros: u64, rate: u32) -> u64 {
    let frames = u128::from(micros) * u128::from(rate) / 1_000_000;
    u64::try_from(frames).unwrap_or(u64::MAX)
}

fn index(frames: u64) -> usize {
    usize::try_from(frames).unwrap_or(usize::MAX)
}

/// All channels of a moment in one.
fn mixed(moment: &[i16]) -> i16 {
    let sum: i64 = moment.iter().map(|sample| i64::from(*sample)).sum();
    let count = i64::try_from(moment.len()).unwrap_or(1).max(1);
    i16::try_from(sum / count).unwrap_or(0)
}
