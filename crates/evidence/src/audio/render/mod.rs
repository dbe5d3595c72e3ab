//! One stream's sound, laid out as its timeline says.

use super::decode::{Decode, decoder, shape};
use super::{AudioError, Lack, Span, StreamAudio};
use crate::journal::RecordRef;
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

/// The packets of a recording in the order of their media.
pub(crate) struct Rendering<'a, 't> {
    timeline: &'t Timeline,
    packets: BTreeMap<StreamNumber, Vec<Sound<'a>>>,
}

impl<'a, 't> Rendering<'a, 't> {
    /// Sorts the packets; decodes nothing.
    pub(crate) fn new(
        records: impl IntoIterator<Item = RecordRef<'a>>,
        timeline: &'t Timeline,
    ) -> Result<Self, AudioError> {
        let seconds = timeline.length_us() / 1_000_000;
        if seconds > RECORDING_SECONDS_MAX {
            return Err(AudioError::CallTooLong(seconds));
        }
        let mut packets: BTreeMap<StreamNumber, Vec<Sound<'a>>> = BTreeMap::new();
        let mut sink = |placed: Placed<&'a [u8]>| {
            let sound = Sound {
                payload: RtpPacket::parse(placed.tag).map_or(&[][..], |packet| packet.payload),
                format: placed.format,
                ticks: placed.ticks,
            };
            packets.entry(placed.stream).or_default().push(sound);
        };
        let mut assembly = Assembly::default();
        for record in records {
            let tag = match record {
                RecordRef::Packet { bytes, .. } => bytes,
                RecordRef::Event { .. } => &[],
            };
            assembly.push(record, tag, &mut sink);
        }
        let _same_timeline = assembly.finish(&mut sink);
        Ok(Self { timeline, packets })
    }

    fn packets_of(&self, stream: &StreamTimeline) -> &[Sound<'a>] {
        let packets = self.packets.get(&stream.stream.number);
        packets.map_or(&[][..], Vec::as_slice)
    }

    /// What each stream's sound will be, found out without decoding.
    pub(crate) fn plans(&self) -> Vec<Plan> {
        let streams = self.timeline.streams.iter();
        streams.map(|stream| self.plan(stream)).collect()
    }

    fn plan(&self, stream: &StreamTimeline) -> Plan {
        let formats = known_formats(&stream.stream);
        let packets = self.packets_of(stream);
        let shapes = || {
            packets
                .iter()
                .filter_map(|sound| shape(formats.get(sound.format)?, sound.payload))
        };
        let rate = shapes().map(|shape| shape.rate).max().unwrap_or(8_000);
        let channels = shapes().map(|shape| shape.channels).max();
        Plan {
            stream: stream.stream.number,
            rate,
            // A stream on which nothing came is silence, and known to be.
            channels: channels.unwrap_or(usize::from(packets.is_empty())),
            samples: samples_at(self.timeline.length_us(), rate),
        }
    }

    /// The sound of every stream.
    pub(crate) fn render(&self, make: Make<'_>) -> Vec<StreamAudio> {
        let streams = self.timeline.streams.iter();
        let render = |stream| {
            let plan = self.plan(stream);
            let mut stage = Stage {
                formats: known_formats(&stream.stream),
                make,
                decoders: BTreeMap::new(),
                audio: StreamAudio {
                    stream: plan.stream,
                    rate: plan.rate,
                    channels: vec![vec![0; plan.samples]; plan.channels],
                    spans: Vec::new(),
                },
            };
            stage.play(self.packets_of(stream), &stream.intervals);
            stage.audio
        };
        streams.map(render).collect()
    }
}

/// One stream while its sound is laid out.
struct Stage<'m> {
    formats: Vec<Format>,
    make: Make<'m>,
    /// One decoder for each format: each remembers what it heard.
    decoders: BTreeMap<usize, Box<dyn Decode>>,
    audio: StreamAudio,
}

impl Stage<'_> {
    fn play(&mut self, packets: &[Sound<'_>], intervals: &[Interval]) {
        let mut rest = packets;
        let mut before: Option<&Interval> = None;
        for interval in intervals {
            let count = usize::try_from(interval.packets).unwrap_or(usize::MAX);
            let (within, behind) = rest.split_at(count.min(rest.len()));
            rest = behind;
            // Packets that were received but have no certain place are passed over.
            if interval.kind == IntervalKind::Media
                && let Some(first) = within.first()
            {
                if let Some(lost) = before.filter(|before| before.kind == IntervalKind::Loss) {
                    self.recover(*first, lost);
                }
                self.media(within, interval);
            }
            before = Some(interval);
        }
    }

    /// An interval of media, packet by packet: each as long as the timeline says, whatever its
    /// decoder makes of it.
    fn media(&mut self, packets: &[Sound<'_>], interval: &Interval) {
        let (rate, clock) = (self.audio.rate, self.clock_of(packets));
        let place = |ticks: u64| scaled(ticks, rate, clock);
        let total: u64 = packets.iter().map(|sound| u64::from(sound.ticks)).sum();
        let mut received = vec![Vec::new(); self.audio.channels.len()];
        let mut ticks = 0;
        for sound in packets {
            let from = ticks;
            ticks += u64::from(sound.ticks);
            let need = place(ticks) - place(from);
            let decoded = self.decode(*sound);
            if let Err(lack) = decoded {
                let moment = |ticks| interval.start_us + part(interval.length_us(), ticks, total);
                self.note(lack, *sound, moment(from), moment(ticks));
            }
            let decoded = decoded.unwrap_or_default();
            for (at, channel) in received.iter_mut().enumerate() {
                // One channel is heard on both sides.
                let samples = decoded.get(at).or(decoded.first());
                stretch(samples.map_or(&[][..], Vec::as_slice), need, channel);
            }
        }
        let most = place(interval.samples);
        for (samples, channel) in received.iter_mut().zip(&mut self.audio.channels) {
            samples.truncate(most);
            let start = samples_at(interval.start_us, rate);
            if let Some(place) = channel.get_mut(start..samples_at(interval.end_us, rate)) {
                lay(samples, place);
            }
        }
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
        let length = scaled(u64::from(sound.ticks), rate, clock).min(end - start);
        let moments = scaled(u64::from(sound.ticks), shape.rate, clock);
        let mut samples = Vec::new();
        let Some(decoder) = self.decoder(sound) else {
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
            let from = repeated.len() - length;
            if let (Some(place), Some(tail)) =
                (channel.get_mut(end - length..end), repeated.get(from..))
            {
                place.copy_from_slice(tail);
            }
        }
        let length_us = u64::from(sound.ticks) * 1_000_000 / u64::from(clock.max(1));
        let from_us = lost.end_us.saturating_sub(length_us).max(lost.start_us);
        self.note(Lack::Recovered, sound, from_us, lost.end_us);
    }

    fn clock_of(&self, packets: &[Sound<'_>]) -> u32 {
        let format = packets
            .first()
            .and_then(|sound| self.formats.get(sound.format));
        format.map_or(8_000, |format| format.codec.clock_rate())
    }

    fn decoder(&mut self, sound: Sound<'_>) -> Option<&mut Box<dyn Decode>> {
        let format = self.formats.get(sound.format)?;
        if !self.decoders.contains_key(&sound.format) {
            let made = (self.make)(format, self.audio.channels.len())?;
            self.decoders.insert(sound.format, made);
        }
        self.decoders.get_mut(&sound.format)
    }

    /// The samples of a packet, channel by channel, if they are as many as its span has.
    fn decode(&mut self, sound: Sound<'_>) -> Result<Vec<Vec<i16>>, Lack> {
        let format = self.formats.get(sound.format).ok_or(Lack::Codec)?;
        let shape = shape(format, sound.payload).ok_or(Lack::Codec)?;
        let need = scaled(
            u64::from(sound.ticks),
            shape.rate,
            format.codec.clock_rate(),
        );
        let decoder = self.decoder(sound).ok_or(Lack::Codec)?;
        let channels = decoder.channels().max(1);
        let mut samples = Vec::with_capacity(need * channels);
        decoder
            .decode(sound.payload, &mut samples)
            .map_err(|_undecodable| Lack::Damaged)?;
        if samples.len() != need * channels {
            return Err(Lack::Length);
        }
        let side = |of| samples.iter().skip(of).step_by(channels).copied().collect();
        Ok((0..channels).map(side).collect())
    }

    /// LIMIT: beyond [`super::SPANS_MAX`], the last span stands for those that follow.
    fn note(&mut self, lack: Lack, sound: Sound<'_>, start_us: u64, end_us: u64) {
        let Some(format) = self.formats.get(sound.format) else {
            return;
        };
        let is_full = self.audio.spans.len() >= super::SPANS_MAX;
        if let Some(last) = self.audio.spans.last_mut() {
            let goes_on =
                last.lack == lack && last.codec == format.codec && last.end_us == start_us;
            if goes_on || is_full {
                last.end_us = end_us;
                return;
            }
        }
        self.audio.spans.push(Span {
            start_us,
            end_us,
            codec: format.codec.clone(),
            lack,
        });
    }
}

/// `ticks` of a clock as samples at another rate, rounded down.
fn scaled(ticks: u64, rate: u32, clock: u32) -> usize {
    let samples = u128::from(ticks) * u128::from(rate) / u128::from(clock.max(1));
    usize::try_from(samples).unwrap_or(usize::MAX)
}

/// `whole` × `of` ÷ `total`, rounded down.
fn part(whole: u64, of: u64, total: u64) -> u64 {
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
    let (have, of) = (samples.len() as u64, need as u64);
    for at in 0..of {
        let along = at * have;
        let (place, rest) = (along / of, along % of);
        let sample = |place: u64| {
            let last = have.saturating_sub(1);
            let place = usize::try_from(place.min(last)).unwrap_or(usize::MAX);
            i64::from(samples.get(place).copied().unwrap_or(0))
        };
        let (left, right) = (sample(place), sample(place + 1));
        let rest = i64::try_from(rest).unwrap_or(0);
        let between = left + (right - left) * rest / i64::try_from(of).unwrap_or(1);
        out.push(i16::try_from(between).unwrap_or(0));
    }
}

/// Fills `place` with `received`, sample for sample where both are equally long.
fn lay(received: &[i16], place: &mut [i16]) {
    if received.len() == place.len() {
        place.copy_from_slice(received);
        return;
    }
    let (have, need) = (received.len() as u64, place.len() as u64);
    for (at, sample) in (0_u64..).zip(place) {
        let from = usize::try_from(at * have / need.max(1)).unwrap_or(usize::MAX);
        *sample = received.get(from).copied().unwrap_or(0);
    }
}

#[cfg(test)]
mod codecs;
#[cfg(test)]
mod tests;
