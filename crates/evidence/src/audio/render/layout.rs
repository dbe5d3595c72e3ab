//! What a recording's WAV file holds and where its packets are, found out without decoding any: the file
//! can then be made piece by piece, as it is asked for ([`super::reader`]).

use super::{Plan, note, part_of, samples_at, scaled};
use crate::audio::decode::Glance;
use crate::audio::wav::put_head;
use crate::audio::{AudioError, Lack, Span};
use crate::bundle::StreamSpans;
use crate::journal::{PacketKind, RecordRef};
use crate::timeline::{Assembly, Interval, IntervalKind, Placed, Timeline, known_formats};
use std::collections::{BTreeMap, BTreeSet};
use voicelog_model::rtp::RtpPacket;
use voicelog_model::{Codec, Format, StreamNumber};

/// Where a packet is kept, in words of whoever keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PacketPlace {
    /// Which chunk of the journal, counted over the whole recording.
    pub chunk: u32,
    /// Which record of that chunk.
    pub record: u32,
}

/// A packet of sound: where it is kept, and how long it lasts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    pub(super) place: PacketPlace,
    /// In units of its format's clock.
    pub(super) ticks: u32,
    /// Place among the known formats of its stream.
    pub(super) format: u16,
}

/// The packets of one interval of media, which follow each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    /// Place of the interval among those of the stream.
    pub(super) interval: usize,
    /// Its packets among those of the stream.
    pub(super) first: usize,
    pub(super) count: usize,
    /// Units a second.
    pub(super) clock: u32,
    /// So many samples at the end of the loss before it come from its first packet.
    pub(super) recovered: usize,
}

/// One stream.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) plan: Plan,
    pub(super) formats: Vec<Format>,
    pub(super) intervals: Vec<Interval>,
    pub(super) runs: Vec<Run>,
    pub(super) packets: Vec<Kept>,
    /// A decoder of it remembers what it heard before.
    pub(super) remembers: bool,
    spans: Vec<Span>,
}

/// The WAV file of a recording, before it is made. Memory: 16 bytes for each packet of sound.
#[derive(Debug)]
pub struct WavLayout {
    pub(super) lanes: Vec<Lane>,
    /// Everything before the samples.
    pub(super) head: Vec<u8>,
    /// Of the file.
    pub(super) rate: u32,
    pub(super) channels: usize,
    /// Of each channel.
    pub(super) samples: usize,
}

impl WavLayout {
    /// Bytes of the file.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.head.len() + self.samples * self.frame_bytes()
    }

    /// Bytes of the samples of one moment.
    pub(super) const fn frame_bytes(&self) -> usize {
        self.channels * 2
    }

    /// Where the sound is not simply what was sent, by stream; those that have any.
    #[must_use]
    pub fn spans(&self) -> Vec<StreamSpans> {
        spans_of(&self.lanes)
    }

    /// About how many bytes of memory this takes.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        let packets: usize = self.lanes.iter().map(|lane| lane.packets.len()).sum();
        packets * size_of::<Kept>()
    }
}

fn spans_of(lanes: &[Lane]) -> Vec<StreamSpans> {
    let told = lanes.iter().filter(|lane| !lane.spans.is_empty());
    told.map(|lane| StreamSpans {
        number: lane.plan.stream,
        has_sound: lane.plan.channels > 0,
        spans: lane.spans.clone(),
    })
    .collect()
}

/// What is known of a packet until it finds its place.
#[derive(Debug, Clone, Copy)]
struct Came {
    place: PacketPlace,
    glance: Glance,
}

/// Lays the file out while the records of the recording come by, in the order of the journal.
#[derive(Debug)]
pub struct WavLayoutBuilder {
    assembly: Assembly<Came>,
    lanes: BTreeMap<StreamNumber, Growing>,
    /// Streams whose packets may be Opus.
    opus: BTreeSet<StreamNumber>,
    length_us: u64,
}

/// One stream while its packets come.
#[derive(Debug)]
struct Growing {
    formats: Vec<Format>,
    intervals: Vec<Interval>,
    /// The interval that the next packet is of, and how many are to come in it.
    interval: usize,
    to_come: u64,
    runs: Vec<Run>,
    packets: Vec<Kept>,
    /// What the packets of the last run lack, and from where to where in it, until its length is known.
    lacks: Vec<(Lack, u16, (u64, u64))>,
    ticks: u64,
    spans: Vec<Span>,
    rate: Option<u32>,
    channels: Option<usize>,
    remembers: bool,
    /// Whether any packet of sound came.
    came: bool,
    /// Of runs that begin behind a loss: the first packet, if it brings the one before it back.
    recovering: BTreeMap<usize, u32>,
}

impl WavLayoutBuilder {
    /// Of a recording with that timeline.
    ///
    /// Errors: [`AudioError::CallTooLong`].
    pub fn new(timeline: &Timeline) -> Result<Self, AudioError> {
        super::check_length(timeline)?;
        let lanes: BTreeMap<_, _> = timeline
            .streams
            .iter()
            .map(|stream| {
                let formats = known_formats(&stream.stream);
                (
                    stream.stream.number,
                    Growing::new(formats, &stream.intervals),
                )
            })
            .collect();
        let may_be_opus = |lane: &&Growing| {
            let mut formats = lane.formats.iter();
            formats.any(|format| format.codec == Codec::Opus)
        };
        let opus = lanes.iter().filter(|(_, lane)| may_be_opus(lane));
        Ok(Self {
            assembly: Assembly::default(),
            opus: opus.map(|(number, _)| *number).collect(),
            lanes,
            length_us: timeline.length_us(),
        })
    }

    /// Takes the next record; `place` is where it is kept.
    pub fn push(&mut self, record: RecordRef<'_>, place: PacketPlace) {
        let glance = match record {
            RecordRef::Packet {
                stream,
                kind: PacketKind::Rtp,
                bytes,
                ..
            } => {
                let payload = RtpPacket::parse(bytes).map_or(&[][..], |packet| packet.payload);
                Glance::at(payload, self.opus.contains(&stream))
            }
            _ => Glance::at(&[], false),
        };
        let lanes = &mut self.lanes;
        let mut sink = |placed: Placed<Came>| {
            if let Some(lane) = lanes.get_mut(&placed.stream) {
                lane.push(&placed);
            }
        };
        self.assembly
            .push(record, Came { place, glance }, &mut sink);
    }

    /// All records came.
    ///
    /// Errors: [`AudioError::NothingDecodable`] where there is media, and no decoder for any;
    /// [`AudioError::NoWav`] where no WAV file can hold it.
    pub fn finish(self) -> Result<WavLayout, AudioError> {
        let mut lanes = self.lanes;
        let mut sink = |placed: Placed<Came>| {
            if let Some(lane) = lanes.get_mut(&placed.stream) {
                lane.push(&placed);
            }
        };
        let _same_timeline = self.assembly.finish(&mut sink);
        let length_us = self.length_us;
        let lanes: Vec<Lane> = lanes
            .into_iter()
            .map(|(number, lane)| lane.finish(number, length_us))
            .collect();
        let sounding = || lanes.iter().map(|lane| lane.plan).filter(Plan::sounds);
        let Some(rate) = sounding().map(|plan| plan.rate).max() else {
            let spans = spans_of(&lanes);
            let codecs = spans.iter().flat_map(|stream| &stream.spans);
            let names: BTreeSet<_> = codecs.map(|span| span.codec.to_string()).collect();
            let names: Vec<_> = names.into_iter().collect();
            return Err(AudioError::NothingDecodable(names.join(", ")));
        };
        let longest = sounding().filter(|plan| plan.rate == rate);
        let samples = longest.map(|plan| plan.samples).max().unwrap_or(0);
        let channels = sounding().map(|plan| plan.channels).sum();
        let mut head = Vec::new();
        put_head(channels, samples, rate, None, &mut head)?;
        Ok(WavLayout {
            lanes,
            head,
            rate,
            channels,
            samples,
        })
    }
}

impl Plan {
    /// Whether anything of it can be heard.
    const fn sounds(&self) -> bool {
        self.channels > 0
    }
}

impl Growing {
    fn new(formats: Vec<Format>, intervals: &[Interval]) -> Self {
        Self {
            formats,
            intervals: intervals.to_vec(),
            interval: 0,
            to_come: intervals.first().map_or(0, |interval| interval.packets),
            runs: Vec::new(),
            packets: Vec::new(),
            lacks: Vec::new(),
            ticks: 0,
            spans: Vec::new(),
            rate: None,
            channels: None,
            remembers: false,
            came: false,
            recovering: BTreeMap::new(),
        }
    }

    /// The next packet of sound, in the order of the media.
    fn push(&mut self, placed: &Placed<Came>) {
        let Placed {
            tag, format, ticks, ..
        } = *placed;
        while self.to_come == 0 {
            self.end_run();
            self.interval += 1;
            let Some(next) = self.intervals.get(self.interval) else {
                return;
            };
            self.to_come = next.packets;
        }
        self.to_come -= 1;
        // At what rate it is heard goes by all packets, also those that have no certain place.
        self.came = true;
        let Some(known) = self.formats.get(format) else {
            return;
        };
        if let Some(shape) = tag.glance.shape(known) {
            self.rate = self.rate.max(Some(shape.rate));
            self.channels = self.channels.max(Some(shape.channels));
        }
        let interval = self.intervals.get(self.interval);
        if interval.is_none_or(|interval| interval.kind != IntervalKind::Media) {
            return;
        }
        let (known, number) = (known.clone(), u16::try_from(format).unwrap_or(u16::MAX));
        if self
            .runs
            .last()
            .is_none_or(|run| run.interval != self.interval)
        {
            self.begin_run(&known, &tag.glance, ticks);
        }
        self.remembers |= matches!(known.codec, Codec::G722 | Codec::Opus);
        let from = self.ticks;
        self.ticks = from.saturating_add(ticks.into());
        if let Some(lack) = lack(&tag.glance, &known, ticks) {
            self.lacks.push((lack, number, (from, self.ticks)));
        }
        self.packets.push(Kept {
            place: tag.place,
            ticks,
            format: number,
        });
        if let Some(run) = self.runs.last_mut() {
            run.count += 1;
        }
    }

    fn begin_run(&mut self, format: &Format, glance: &Glance, ticks: u32) {
        let clock = format.codec.clock_rate();
        let before = self.interval.checked_sub(1);
        let before = before.and_then(|before| self.intervals.get(before));
        let lost = before.filter(|before| before.kind == IntervalKind::Loss);
        if let Some(lost) = lost
            && glance.recovers(format)
        {
            let length_us = u64::from(ticks) * 1_000_000 / u64::from(clock.max(1));
            let from_us = lost.end_us.saturating_sub(length_us).max(lost.start_us);
            let span = (from_us, lost.end_us);
            note(&mut self.spans, Lack::Recovered, format, span);
            self.recovering.insert(self.runs.len(), ticks);
        }
        self.runs.push(Run {
            interval: self.interval,
            first: self.packets.len(),
            count: 0,
            clock,
            recovered: 0,
        });
    }

    /// What its packets lack is told by the moment, now that it is known how long they are together.
    fn end_run(&mut self) {
        let lacks = std::mem::take(&mut self.lacks);
        let ticks = std::mem::take(&mut self.ticks);
        let Some(interval) = self.intervals.get(self.interval) else {
            return;
        };
        let total = ticks.max(interval.samples);
        let moment = |ticks| interval.start_us + part_of(interval.length_us(), ticks, total);
        for (lack, format, (from, until)) in lacks {
            if let Some(format) = self.formats.get(usize::from(format)) {
                note(&mut self.spans, lack, format, (moment(from), moment(until)));
            }
        }
    }

    fn finish(mut self, stream: StreamNumber, length_us: u64) -> Lane {
        self.end_run();
        let rate = self.rate.unwrap_or(8_000);
        for (run, ticks) in &self.recovering {
            if let Some(run) = self.runs.get_mut(*run) {
                run.recovered = scaled((*ticks).into(), rate, run.clock);
            }
        }
        self.packets.shrink_to_fit();
        Lane {
            plan: Plan {
                stream,
                rate,
                // A stream on which nothing came is silence, and known to be.
                channels: self.channels.unwrap_or(usize::from(!self.came)),
                samples: samples_at(length_us, rate),
            },
            formats: self.formats,
            intervals: self.intervals,
            runs: self.runs,
            packets: self.packets,
            remembers: self.remembers,
            spans: self.spans,
        }
    }
}

/// What will be the matter with the sound of a packet, as [`super::Stage::decode`] finds it.
fn lack(glance: &Glance, format: &Format, ticks: u32) -> Option<Lack> {
    let Some(shape) = glance.shape(format) else {
        return Some(Lack::Codec);
    };
    let need = scaled(ticks.into(), shape.rate, format.codec.clock_rate());
    glance.gives(format, need).err()
}
