//! A recording's WAV file made piece by piece, from any byte on: only what is asked for is decoded, and
//! only that is in memory.
//!
//! Read from its start it is byte for byte the file that [`super::render`] gives. From another byte on it
//! is the same as well, where a packet is decoded by itself (G.711, L16). A decoder that remembers (G.722,
//! Opus) begins some way before, and has then forgotten what differed as far as anybody hears.

use super::layout::{Kept, Lane, PacketPlace, Run, WavLayout};
use super::{Decoders, Piece, Sound, Stage, Stretched, scaled, stretched};
use crate::audio::decode::decoder;
use crate::audio::wav::put_samples;
use crate::timeline::Interval;
use std::borrow::Cow;
use std::ops::Range;
use voicelog_model::rtp::RtpPacket;

/// Most seconds of sound that are made at once.
const SECONDS_AT_ONCE: usize = 2;
/// How long a decoder that remembers hears before what is asked for, in seconds. For Opus 80 ms are
/// asked for (RFC 7845 §4.6).
const RUN_IN_SECONDS: usize = 1;

/// Gives the datagrams at those places, in that order; or why not.
type Fetch<'f, E> = dyn FnMut(&[PacketPlace]) -> Result<Vec<Vec<u8>>, E> + 'f;

/// A place in a WAV file that is being made.
pub struct WavReader {
    /// Which byte comes next, and where to stop.
    at: usize,
    end: usize,
    lanes: Vec<LaneReader>,
}

/// Says where it is, never what it holds.
impl std::fmt::Debug for WavReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WavReader(byte {} of {})", self.at, self.end)
    }
}

/// Packets of one interval that follow each other: where in it they begin, in units of their clock.
struct Taken<'a> {
    interval: usize,
    tick: u64,
    kept: &'a [Kept],
}

/// One stream of it.
#[derive(Default)]
struct LaneReader {
    /// The packet that is decoded next: its run, its place there, and where in the run it begins.
    run: usize,
    packet: usize,
    tick: u64,
    decoders: Decoders,
    /// Samples that were made and are still needed, from number `from` of the stream on.
    from: usize,
    held: Vec<Vec<i16>>,
}

impl WavLayout {
    /// The bytes of the file in that range, to be made with [`Self::next`].
    #[must_use]
    pub fn read(&self, range: Range<usize>) -> WavReader {
        let end = range.end.min(self.byte_len());
        let at = range.start.min(end);
        let frame = at.saturating_sub(self.head.len()) / self.frame_bytes();
        let lanes = self.lanes.iter().map(|lane| {
            let first = self.needed(lane, frame..frame).start;
            LaneReader::at(lane, first)
        });
        WavReader {
            at,
            end,
            lanes: lanes.collect(),
        }
    }

    /// The next bytes; none at the end. `fetch` gives the datagrams at those places, in that order.
    ///
    /// Errors: those of `fetch`.
    pub fn next<E>(&self, reader: &mut WavReader, fetch: &mut Fetch<'_, E>) -> Result<Vec<u8>, E> {
        let mut out = Vec::new();
        if let Some(head) = self.head.get(reader.at..) {
            out.extend(head.iter().take(reader.end - reader.at));
            reader.at += out.len();
        }
        let (start, head) = (reader.at, self.head.len());
        if start >= reader.end {
            return Ok(out);
        }
        let (of, rate) = (self.frame_bytes(), self.rate as usize);
        let first = (start - head) / of;
        let most = first + SECONDS_AT_ONCE * rate;
        let frames = first..(reader.end - head).div_ceil(of).min(most);
        let mut channels = Vec::with_capacity(self.channels);
        for (lane, reader) in self.lanes.iter().zip(&mut reader.lanes) {
            if lane.plan.channels > 0 {
                let needed = self.needed(lane, frames.clone());
                reader.make(lane, needed.end, fetch)?;
                self.lay(lane, reader, frames.clone(), &mut channels);
            }
        }
        let channels: Vec<&[i16]> = channels.iter().map(AsRef::as_ref).collect();
        let before = out.len();
        put_samples(&channels, frames.len(), &mut out);
        for (lane, reader) in self.lanes.iter().zip(&mut reader.lanes) {
            reader.forget(self.needed(lane, frames.end..frames.end).start);
        }
        // Asked for from within a moment, or up to within one.
        out.drain(before..before + (start - head - frames.start * of));
        out.truncate(before + reader.end - start);
        reader.at += out.len() - before;
        Ok(out)
    }

    /// Which samples of a stream those of the file are made of: itself, or two for each where it is stretched.
    fn needed(&self, lane: &Lane, frames: Range<usize>) -> Range<usize> {
        let (have, need) = (lane.plan.samples, self.samples);
        if have == need {
            return frames;
        }
        let place = |frame: usize| super::ratio(frame, have, need);
        let start = place(frames.start).min(have);
        start..(place(frames.end) + 2).min(have).max(start)
    }

    /// The channels of a stream in that part of the file, all of which was made.
    fn lay<'r>(
        &self,
        lane: &Lane,
        reader: &'r LaneReader,
        frames: Range<usize>,
        channels: &mut Vec<Cow<'r, [i16]>>,
    ) {
        let (have, need) = (lane.plan.samples, self.samples);
        for held in &reader.held {
            if have == need {
                let start = frames.start.saturating_sub(reader.from);
                let end = frames.end.saturating_sub(reader.from);
                let there = held.get(start..end).unwrap_or_default();
                channels.push(Cow::Borrowed(there));
                continue;
            }
            let sample = |place: usize| {
                let place = place.checked_sub(reader.from);
                place
                    .and_then(|place| held.get(place))
                    .copied()
                    .unwrap_or(0)
            };
            let one = |frame| stretched(frame, have, need, sample);
            channels.push(frames.clone().map(one).collect());
        }
    }
}

impl LaneReader {
    /// Before that sample of the stream, as far before it as its decoders need.
    fn at(lane: &Lane, sample: usize) -> Self {
        let run_in = if lane.remembers {
            RUN_IN_SECONDS * lane.plan.rate as usize
        } else {
            0
        };
        let sample = sample.saturating_sub(run_in);
        let mut reader = Self {
            from: sample,
            held: vec![Vec::new(); lane.plan.channels],
            ..Self::default()
        };
        while let Some((run, interval)) = lane.run(reader.run) {
            let place = Stretched::of(interval, lane.plan.rate, run.clock);
            if place.until > sample {
                for kept in lane.packets_of(run) {
                    let end = lane.place_of(run, &place, reader.tick + u64::from(kept.ticks));
                    if end > sample {
                        break;
                    }
                    reader.packet += 1;
                    reader.tick += u64::from(kept.ticks);
                }
                let begins = lane.place_of(run, &place, reader.tick);
                reader.from = reader.from.min(begins);
                break;
            }
            reader.run += 1;
        }
        reader
    }

    /// Makes the samples of the stream up to that one, and those behind it that come of the same packet.
    fn make<E>(&mut self, lane: &Lane, until: usize, fetch: &mut Fetch<'_, E>) -> Result<(), E> {
        let made = self.from + self.held.first().map_or(0, Vec::len);
        if until <= made {
            return Ok(());
        }
        let (taken, end) = self.take(lane, until);
        let places = taken.iter().flat_map(|taken| taken.kept);
        let places: Vec<PacketPlace> = places.map(|kept| kept.place).collect();
        let datagrams = fetch(&places)?;
        let mut payloads = datagrams
            .iter()
            .map(|bytes| RtpPacket::parse(bytes).map_or(&[][..], |packet| packet.payload));
        let pieces: Vec<_> = taken
            .iter()
            .map(|taken| Piece {
                interval: taken.interval,
                tick: taken.tick,
                is_fresh: false,
                sounds: taken
                    .kept
                    .iter()
                    .map(|kept| Sound {
                        payload: payloads.next().unwrap_or_default(),
                        format: usize::from(kept.format),
                        ticks: kept.ticks,
                    })
                    .collect(),
            })
            .collect();
        let mut stage = Stage::new(&lane.plan, lane.formats.clone(), &decoder, made..end);
        stage.decoders = std::mem::take(&mut self.decoders);
        stage.play(&pieces, &lane.intervals);
        self.decoders = stage.decoders;
        for (held, made) in self.held.iter_mut().zip(stage.audio.channels) {
            held.extend(made);
        }
        Ok(())
    }

    /// The packets that are decoded next, so that all samples up to `until` are made, piece by piece with interval
    /// and beginning; and up to which sample everything is made then.
    fn take<'a>(&mut self, lane: &'a Lane, until: usize) -> (Vec<Taken<'a>>, usize) {
        let (mut taken, mut end) = (Vec::new(), until.min(lane.plan.samples));
        while let Some((run, interval)) = lane.run(self.run) {
            let place = Stretched::of(interval, lane.plan.rate, run.clock);
            let recovered = if self.packet == 0 { run.recovered } else { 0 };
            if place.from.saturating_sub(recovered) >= end {
                break;
            }
            let (first, tick) = (self.packet, self.tick);
            let packets = lane.packets_of(run);
            for kept in packets.get(first..).unwrap_or_default() {
                let begins = lane.place_of(run, &place, self.tick);
                // Packets of no length belong to the first.
                if begins >= end && self.packet > first && self.tick > 0 {
                    break;
                }
                self.packet += 1;
                self.tick += u64::from(kept.ticks);
            }
            let kept = packets.get(first..self.packet).unwrap_or_default();
            taken.push(Taken {
                interval: run.interval,
                tick,
                kept,
            });
            if self.packet < packets.len() {
                end = end.max(lane.place_of(run, &place, self.tick));
                break;
            }
            end = end.max(place.until);
            (self.run, self.packet, self.tick) = (self.run + 1, 0, 0);
        }
        (taken, end.min(lane.plan.samples))
    }

    /// What comes before that sample is not needed any more.
    fn forget(&mut self, before: usize) {
        let count = before.saturating_sub(self.from);
        for held in &mut self.held {
            held.drain(..count.min(held.len()));
        }
        self.from += count;
    }
}

impl Lane {
    fn run(&self, number: usize) -> Option<(&Run, &Interval)> {
        let run = self.runs.get(number)?;
        Some((run, self.intervals.get(run.interval)?))
    }

    fn packets_of(&self, run: &Run) -> &[Kept] {
        let packets = self.packets.get(run.first..run.first + run.count);
        packets.unwrap_or_default()
    }

    /// Which sample of the stream a moment of a run falls on.
    fn place_of(&self, run: &Run, place: &Stretched, tick: u64) -> usize {
        let received = scaled(tick, self.plan.rate, run.clock);
        let within = if place.received == place.places() {
            received
        } else {
            place.place_of(received)
        };
        place.from.saturating_add(within).min(place.until)
    }
}
