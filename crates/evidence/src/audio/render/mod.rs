//! One stream's sound, laid out as its timeline says.

mod layout;
mod ogg;
mod part;
mod reader;

pub use layout::{PacketPlace, WavLayout, WavLayoutBuilder};
pub use reader::WavReader;

use super::decode::{Decode, decoder, shape};
use super::{AudioError, Lack, Span, StreamAudio};
use crate::journal::RecordRef;
use crate::part::Times;
use crate::timeline::{
    Assembly, Interval, IntervalKind, Placed, StreamTimeline, Timeline, known_formats,
};
use std::collections::BTreeMap;
use voicelog_model::limits::RECORDING_SECONDS_MAX;
use voicelog_model::rtp::RtpPacket;
use voicelog_model::{Format, StreamNumber};

/// Makes a decoder for a format, of so many channels.
type Make<'a> = &'a dyn Fn(&Format, usize) -> Option<Box<dyn Decode>>;

/// Renders every stream of a recording.
///
/// `records` are those of the journal, in order, and `timeline` the one that they give. Where an
/// interval of media is not exactly as long as its samples (declared clock drift), the sample at
/// place i of its L samples is the one at ⌊i·S/L⌋ of the S that were received.
pub fn render<'a>(
    records: impl IntoIterator<Item = RecordRef<'a>>,
    timeline: &Timeline,
) -> Result<Vec<StreamAudio>, AudioError> {
    Ok(Rendering::new(records, timeline)?.render(&decoder))
}

/// What the sound of a stream will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) stream: StreamNumber,
    /// Samples a second: the most of any packet.
    pub(crate) rate: u32,
    /// Channels; none where nothing of it can be decoded.
    pub(crate) channels: usize,
    /// Samples of each channel.
    pub(crate) samples: usize,
}

/// A packet of sound in its place.
#[derive(Debug, Clone, Copy)]
struct Sound<'a> {
    payload: &'a [u8],
    /// Place among the known formats of its stream.
    format: usize,
    ticks: u32,
}

/// Packets of sound that follow each other without a hole, all in one interval.
#[derive(Debug)]
struct Piece<'a> {
    /// Place of the interval among those of the stream.
    interval: usize,
    /// How far from the interval's start it begins, in units of the packets' clock.
    tick: u64,
    /// Something was left out of the copy before it, so that no decoder may remember it.
    is_fresh: bool,
    sounds: Vec<Sound<'a>>,
}

/// What a record is known by while it is sorted: its datagram.
pub(crate) const fn datagram(record: RecordRef<'_>) -> &[u8] {
    match record {
        RecordRef::Packet { bytes, .. } => bytes,
        RecordRef::Event { .. } => &[],
    }
}

/// The packets of sound of a recording, stream by stream, in the order of their media.
#[derive(Default)]
pub(crate) struct Sounds<'a>(BTreeMap<StreamNumber, Vec<Sound<'a>>>);

impl<'a> Sounds<'a> {
    /// The next packet that found its place, known by its datagram.
    pub(crate) fn push(&mut self, placed: Placed<&'a [u8]>) {
        self.0.entry(placed.stream).or_default().push(Sound {
            payload: RtpPacket::parse(placed.tag).map_or(&[][..], |packet| packet.payload),
            format: placed.format,
            ticks: placed.ticks,
        });
    }
}

/// The packets of a recording in the order of their media.
pub(crate) struct Rendering<'a, 't> {
    timeline: &'t Timeline,
    pieces: BTreeMap<StreamNumber, Vec<Piece<'a>>>,
    /// Where a copy of a part has a tone in the place of what it leaves out.
    tones: BTreeMap<StreamNumber, Times>,
    /// From where to where it is heard, in microseconds from the start of the call.
    window: (u64, u64),
}

impl<'a, 't> Rendering<'a, 't> {
    /// Sorts the packets; decodes nothing.
    pub(crate) fn new(
        records: impl IntoIterator<Item = RecordRef<'a>>,
        timeline: &'t Timeline,
    ) -> Result<Self, AudioError> {
        let mut sounds = Sounds::default();
        let mut assembly = Assembly::default();
        for record in records {
            assembly.push(record, datagram(record), &mut |placed| sounds.push(placed));
        }
        let _same_timeline = assembly.finish(&mut |placed| sounds.push(placed));
        Self::of(sounds, timeline)
    }

    /// Of packets that were sorted when the timeline was made.
    pub(crate) fn of(sounds: Sounds<'a>, timeline: &'t Timeline) -> Result<Self, AudioError> {
        check_length(timeline)?;
        let mut packets = sounds.0;
        let pieces = timeline.streams.iter().map(|stream| {
            let number = stream.stream.number;
            let packets = packets.remove(&number).unwrap_or_default();
            (number, pieces_of(packets, &stream.intervals))
        });
        Ok(Self {
            pieces: pieces.collect(),
            timeline,
            tones: BTreeMap::new(),
            window: (0, timeline.length_us()),
        })
    }

    fn pieces_of(&self, stream: &StreamTimeline) -> &[Piece<'a>] {
        let pieces = self.pieces.get(&stream.stream.number);
        pieces.map_or(&[][..], Vec::as_slice)
    }

    /// What each stream's sound will be, found out without decoding.
    pub(crate) fn plans(&self) -> Vec<Plan> {
        let streams = self.timeline.streams.iter();
        streams.map(|stream| self.plan(stream)).collect()
    }

    fn plan(&self, stream: &StreamTimeline) -> Plan {
        let formats = known_formats(&stream.stream);
        let sounds = || {
            self.pieces_of(stream)
                .iter()
                .flat_map(|piece| &piece.sounds)
        };
        let shapes =
            || sounds().filter_map(|sound| shape(formats.get(sound.format)?, sound.payload));
        let rate = shapes().map(|shape| shape.rate).max().unwrap_or(8_000);
        let channels = shapes().map(|shape| shape.channels).max();
        Plan {
            stream: stream.stream.number,
            rate,
            // A stream on which nothing came is silence, and known to be.
            channels: channels.unwrap_or(usize::from(sounds().next().is_none())),
            samples: samples_at(self.window.1, rate) - samples_at(self.window.0, rate),
        }
    }

    /// The sound of every stream.
    pub(crate) fn render(&self, make: Make<'_>) -> Vec<StreamAudio> {
        let streams = self.timeline.streams.iter();
        let render = |stream| {
            let plan = self.plan(stream);
            let first = samples_at(self.window.0, plan.rate);
            let formats = known_formats(&stream.stream);
            let mut stage = Stage::new(&plan, formats, make, first..first + plan.samples);
            // What is shown is laid over them: no word of what is left out can silence it.
            self.lay_tones(&mut stage);
            stage.play(self.pieces_of(stream), &stream.intervals);
            stage.audio
        };
        streams.map(render).collect()
    }
}

/// One decoder for each format, by its place among the known ones: each remembers what it heard.
type Decoders = BTreeMap<usize, Box<dyn Decode>>;

/// One stream while its sound is laid out.
struct Stage<'m> {
    formats: Vec<Format>,
    make: Make<'m>,
    decoders: Decoders,
    audio: StreamAudio,
    /// Which sample of the call the first one is, and how many there are: nothing else is held.
    first: usize,
    samples: usize,
    /// Of the packet that is decoded: as its decoder gives them, and by channel. Kept for their room.
    samples_of_packet: Vec<i16>,
    heard: Vec<Vec<i16>>,
}

impl<'m> Stage<'m> {
    /// Silence, in a window of the samples of the call.
    fn new(
        plan: &Plan,
        formats: Vec<Format>,
        make: Make<'m>,
        window: std::ops::Range<usize>,
    ) -> Self {
        Self {
            formats,
            make,
            decoders: Decoders::new(),
            audio: StreamAudio {
                stream: plan.stream,
                rate: plan.rate,
                channels: vec![vec![0; window.len()]; plan.channels],
                spans: Vec::new(),
            },
            first: window.start,
            samples: window.len(),
            samples_of_packet: Vec::new(),
            heard: Vec::new(),
        }
    }
}

impl Stage<'_> {
    fn play(&mut self, pieces: &[Piece<'_>], intervals: &[Interval]) {
        for pieces in pieces.chunk_by(|one, next| one.interval == next.interval) {
            let Some(first) = pieces.first() else {
                continue;
            };
            let Some(interval) = intervals.get(first.interval) else {
                continue;
            };
            // Packets that were received but have no certain place are passed over.
            if interval.kind != IntervalKind::Media {
                continue;
            }
            if first.is_fresh {
                self.decoders.clear();
            }
            let before = first.interval.checked_sub(1);
            let before = before.and_then(|before| intervals.get(before));
            if let Some(lost) = before.filter(|before| before.kind == IntervalKind::Loss)
                && let Some(sound) = first.sounds.first()
                && first.tick == 0
                && !first.is_fresh
            {
                self.recover(*sound, lost);
            }
            self.media(pieces, interval);
        }
    }

    /// An interval of media, packet by packet: each as long as the timeline says, whatever its
    /// decoder makes of it.
    fn media(&mut self, pieces: &[Piece<'_>], interval: &Interval) {
        let (rate, clock) = (self.audio.rate, self.clock_of(pieces));
        let total = pieces.iter().map(Piece::end_tick).max().unwrap_or(0);
        let total = total.max(interval.samples);
        let place = Stretched::of(interval, rate, clock);
        // Mostly nothing is stretched, and each packet is laid where it is heard at once.
        let is_plain = place.received == place.places();
        let window = self.first..self.first + self.samples;
        let mut channels = std::mem::take(&mut self.audio.channels);
        for (number, piece) in pieces.iter().enumerate() {
            if number > 0 && piece.is_fresh {
                self.decoders.clear();
            }
            let at = |ticks| scaled(ticks, rate, clock);
            let part = place.needed(&(at(piece.tick)..at(piece.end_tick())), window.clone());
            let mut received = match is_plain {
                true => Vec::new(),
                false => vec![vec![0; part.len()]; channels.len()],
            };
            let mut ticks = piece.tick;
            for sound in &piece.sounds {
                let from = ticks;
                ticks = ticks.saturating_add(sound.ticks.into());
                let (start, need) = (at(from), at(ticks) - at(from));
                if let Err(lack) = self.decode(*sound, channels.len(), need) {
                    let moment =
                        |ticks| interval.start_us + part_of(interval.length_us(), ticks, total);
                    self.note(lack, *sound, moment(from), moment(ticks));
                }
                for (samples, channel) in self.heard.iter().zip(&mut channels) {
                    if is_plain {
                        let end = place.until.saturating_sub(self.first).min(channel.len());
                        let room = channel.get_mut(..end).unwrap_or_default();
                        put(samples, place.from.saturating_add(start), self.first, room);
                    }
                }
                for (samples, received) in self.heard.iter().zip(&mut received) {
                    put(samples, start, part.start, received);
                }
            }
            for (received, channel) in received.iter().zip(&mut channels) {
                place.lay(received, part.start, channel, self.first);
            }
        }
        self.audio.channels = channels;
    }

    /// The end of a loss, as far as the packet behind it repeats what was lost.
    fn recover(&mut self, sound: Sound<'_>, lost: &Interval) {
        let Some(format) = self.formats.get(sound.format) else {
            return;
        };
        let (rate, clock) = (self.audio.rate, format.codec.clock_rate());
        let Some(shape) = shape(format, sound.payload) else {
            return;
        };
        let (start, end) = (
            samples_at(lost.start_us, rate),
            samples_at(lost.end_us, rate),
        );
        let length = scaled(u64::from(sound.ticks), rate, clock).min(end.saturating_sub(start));
        let moments = scaled(u64::from(sound.ticks), shape.rate, clock);
        let mut samples = Vec::new();
        let heard_on = self.audio.channels.len();
        let Some(decoder) = self.decoder(sound, heard_on) else {
            return;
        };
        let channels = decoder.channels();
        if decoder
            .recover(sound.payload, moments, &mut samples)
            .is_err()
            || samples.len() != moments * channels
        {
            return;
        }
        for (at, channel) in self.audio.channels.iter_mut().enumerate() {
            let mut repeated = Vec::new();
            let of = at.min(channels - 1);
            let side: Vec<i16> = samples.iter().skip(of).step_by(channels).copied().collect();
            stretch(
                &side,
                scaled(u64::from(sound.ticks), rate, clock),
                &mut repeated,
            );
            let tail = repeated.get(repeated.len() - length..).unwrap_or_default();
            put(tail, end - length, self.first, channel);
        }
        let length_us = u64::from(sound.ticks) * 1_000_000 / u64::from(clock.max(1));
        let from_us = lost.end_us.saturating_sub(length_us).max(lost.start_us);
        self.note(Lack::Recovered, sound, from_us, lost.end_us);
    }

    fn clock_of(&self, pieces: &[Piece<'_>]) -> u32 {
        let sound = pieces.first().and_then(|piece| piece.sounds.first());
        let format = sound.and_then(|sound| self.formats.get(sound.format));
        format.map_or(8_000, |format| format.codec.clock_rate())
    }

    fn decoder(&mut self, sound: Sound<'_>, channels: usize) -> Option<&mut Box<dyn Decode>> {
        let format = self.formats.get(sound.format)?;
        if !self.decoders.contains_key(&sound.format) {
            let made = (self.make)(format, channels)?;
            self.decoders.insert(sound.format, made);
        }
        self.decoders.get_mut(&sound.format)
    }

    /// The samples of a packet into [`Self::heard`], `need` of each of so many channels: silence where they are not as
    /// many as its span has.
    fn decode(&mut self, sound: Sound<'_>, channels: usize, need: usize) -> Result<(), Lack> {
        let mut samples = std::mem::take(&mut self.samples_of_packet);
        samples.clear();
        let decoded = self.decode_into(sound, channels, &mut samples);
        self.heard.resize_with(channels, Vec::new);
        for (channel, heard) in self.heard.iter_mut().enumerate() {
            heard.clear();
            match decoded {
                Ok(1) => stretch(&samples, need, heard),
                Ok(sides) => {
                    let side = samples.iter().skip(channel).step_by(sides).copied();
                    stretch(&side.collect::<Vec<_>>(), need, heard);
                }
                Err(_lack) => heard.resize(need, 0),
            }
        }
        self.samples_of_packet = samples;
        decoded.map(|_sides| ())
    }

    /// The samples of a packet as its decoder gives them, and of how many channels they are.
    fn decode_into(
        &mut self,
        sound: Sound<'_>,
        channels: usize,
        samples: &mut Vec<i16>,
    ) -> Result<usize, Lack> {
        let format = self.formats.get(sound.format).ok_or(Lack::Codec)?;
        let shape = shape(format, sound.payload).ok_or(Lack::Codec)?;
        let ticks = u64::from(sound.ticks);
        let need = scaled(ticks, shape.rate, format.codec.clock_rate());
        let decoder = self.decoder(sound, channels).ok_or(Lack::Codec)?;
        let sides = decoder.channels().max(1);
        decoder
            .decode(sound.payload, samples)
            .map_err(|_undecodable| Lack::Damaged)?;
        if samples.len() == need * sides {
            Ok(sides)
        } else {
            Err(Lack::Length)
        }
    }

    fn note(&mut self, lack: Lack, sound: Sound<'_>, start_us: u64, end_us: u64) {
        if let Some(format) = self.formats.get(sound.format) {
            note(&mut self.audio.spans, lack, format, (start_us, end_us));
        }
    }
}

/// LIMIT: beyond [`super::SPANS_MAX`], the last span stands for those that follow.
fn note(spans: &mut Vec<Span>, lack: Lack, format: &Format, (start_us, end_us): (u64, u64)) {
    let is_full = spans.len() >= super::SPANS_MAX;
    if let Some(last) = spans.last_mut() {
        let goes_on = last.lack == lack && last.codec == format.codec && last.end_us == start_us;
        if goes_on || is_full {
            last.end_us = end_us;
            return;
        }
    }
    spans.push(Span {
        start_us,
        end_us,
        codec: format.codec.clone(),
        lack,
    });
}

impl Piece<'_> {
    /// Where it ends, counted from the interval's start.
    fn end_tick(&self) -> u64 {
        let ticks = self.sounds.iter().map(|sound| u64::from(sound.ticks));
        self.tick.saturating_add(ticks.sum())
    }
}

/// The packets of a stream, interval by interval.
fn pieces_of<'a>(packets: Vec<Sound<'a>>, intervals: &[Interval]) -> Vec<Piece<'a>> {
    let mut rest = packets.into_iter();
    let piece = |(interval, of): (usize, &Interval)| {
        let count = usize::try_from(of.packets).unwrap_or(usize::MAX);
        let sounds: Vec<_> = rest.by_ref().take(count).collect();
        (!sounds.is_empty()).then_some(Piece {
            interval,
            tick: 0,
            is_fresh: false,
            sounds,
        })
    };
    intervals.iter().enumerate().filter_map(piece).collect()
}

/// Errors: [`AudioError::CallTooLong`].
fn check_length(timeline: &Timeline) -> Result<(), AudioError> {
    match timeline.length_us() / 1_000_000 {
        seconds if seconds > RECORDING_SECONDS_MAX => Err(AudioError::CallTooLong(seconds)),
        _ => Ok(()),
    }
}

/// Writes samples that begin at `at` into `out`, which begins at `first`, as far as there is room.
fn put(samples: &[i16], at: usize, first: usize, out: &mut [i16]) {
    let samples = samples.get(first.saturating_sub(at)..).unwrap_or_default();
    let places = out.get_mut(at.saturating_sub(first)..).unwrap_or_default();
    for (sample, place) in samples.iter().zip(places) {
        *place = *sample;
    }
}

/// The samples of an interval of media in their places in the call: place i of its L takes sample
/// ⌊i·S/L⌋ of the S that were received.
#[derive(Debug, Clone, Copy)]
struct Stretched {
    /// Its places, as samples of the call.
    from: usize,
    until: usize,
    /// S.
    received: usize,
}

impl Stretched {
    /// Those of an interval of media whose packets count in units of `clock`.
    fn of(interval: &Interval, rate: u32, clock: u32) -> Self {
        Self {
            from: samples_at(interval.start_us, rate),
            until: samples_at(interval.end_us, rate),
            received: scaled(interval.samples, rate, clock),
        }
    }

    const fn places(&self) -> usize {
        self.until.saturating_sub(self.from)
    }

    /// Which sample a place takes.
    fn taken(&self, place: usize) -> usize {
        ratio(place, self.received, self.places())
    }

    /// The first place that takes that sample or a later one.
    fn place_of(&self, sample: usize) -> usize {
        let (of, places) = (self.received as u128, self.places() as u128);
        let place = (sample as u128 * places).div_ceil(of.max(1));
        usize::try_from(place).unwrap_or(usize::MAX)
    }

    /// Those samples of a piece that are heard within a window of the call.
    fn needed(
        &self,
        piece: &std::ops::Range<usize>,
        window: std::ops::Range<usize>,
    ) -> std::ops::Range<usize> {
        let first = self.from.max(window.start);
        let end = self.until.min(window.end);
        if first >= end || self.received == 0 {
            return 0..0;
        }
        let start = piece.start.max(self.taken(first - self.from));
        let end = piece.end.min(self.taken(end - 1 - self.from) + 1);
        start..end.min(self.received).max(start)
    }

    /// Lays samples, the first of which is number `at` of those received, into a channel that begins at
    /// sample `first` of the call; sample for sample where nothing is stretched.
    fn lay(&self, samples: &[i16], at: usize, channel: &mut [i16], first: usize) {
        if samples.is_empty() {
            return;
        }
        if self.received == self.places() {
            return put(samples, self.from.saturating_add(at), first, channel);
        }
        let start = self.place_of(at).max(first.saturating_sub(self.from));
        let end = self.place_of(at.saturating_add(samples.len()));
        let places = channel
            .iter_mut()
            .skip((self.from + start).saturating_sub(first));
        for (place, out) in (start..end.min(self.places())).zip(places) {
            *out = samples
                .get(self.taken(place).wrapping_sub(at))
                .copied()
                .unwrap_or(0);
        }
    }
}

/// `whole` × `of` ÷ `total`, rounded down, for places of samples.
fn ratio(whole: usize, of: usize, total: usize) -> usize {
    let part = whole as u128 * of as u128 / (total as u128).max(1);
    usize::try_from(part).unwrap_or(usize::MAX)
}

/// `ticks` of a clock as samples at another rate, rounded down.
fn scaled(ticks: u64, rate: u32, clock: u32) -> usize {
    let samples = u128::from(ticks) * u128::from(rate) / u128::from(clock.max(1));
    usize::try_from(samples).unwrap_or(usize::MAX)
}

/// `whole` × `of` ÷ `total`, rounded down.
fn part_of(whole: u64, of: u64, total: u64) -> u64 {
    let part = u128::from(whole) * u128::from(of) / u128::from(total.max(1));
    u64::try_from(part).unwrap_or(whole)
}

/// The sample that a moment of the call falls in.
pub(crate) fn samples_at(micros: u64, rate: u32) -> usize {
    scaled(micros, rate, 1_000_000)
}

/// Appends `need` samples made of those there are: the same where they are as many, silence where
/// there are none, and else on straight lines between them.
pub(super) fn stretch(samples: &[i16], need: usize, out: &mut Vec<i16>) {
    if samples.len() == need {
        return out.extend_from_slice(samples);
    }
    let sample = |place: usize| samples.get(place).copied().unwrap_or(0);
    out.extend((0..need).map(|at| stretched(at, samples.len(), need, sample)));
}

/// Sample `at` of the `need` that `have` are stretched to, on a straight line between two of them.
fn stretched(at: usize, have: usize, need: usize, sample: impl Fn(usize) -> i16) -> i16 {
    let (have, of) = (have as u64, need as u64);
    let along = at as u64 * have;
    let (place, rest) = (along / of, along % of);
    let sample = |place: u64| {
        let last = have.saturating_sub(1);
        i64::from(sample(
            usize::try_from(place.min(last)).unwrap_or(usize::MAX),
        ))
    };
    let (left, right) = (sample(place), sample(place + 1));
    let rest = i64::try_from(rest).unwrap_or(0);
    let between = left + (right - left) * rest / i64::try_from(of).unwrap_or(1);
    i16::try_from(between).unwrap_or(0)
}

#[cfg(test)]
mod codecs;
#[cfg(test)]
mod pieces;
#[cfg(test)]
mod tests;
