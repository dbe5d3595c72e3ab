//! The sound of a copy of a part.

use super::{Piece, Rendering, Sound, Stage, check_length, put, samples_at};
use crate::audio::AudioError;
use crate::journal::RecordRef;
use crate::part::{Scope, Shown, SoundInstead, StreamScope, Times};
use crate::timeline::Timeline;
use std::collections::BTreeMap;
use voicelog_model::StreamNumber;
use voicelog_model::rtp::RtpPacket;

/// One turn of the tone, in eight steps.
const TONE: [i16; 8] = [0, 2_896, 4_096, 2_896, 0, -2_896, -4_096, -2_896];
/// Turns of the tone a second.
const TONE_HERTZ: usize = 1_000;

impl<'a, 't> Rendering<'a, 't> {
    /// Of a copy of a part, whose scope was checked: `shown` gives a stream's packets in the copy and
    /// what its tree says.
    pub(crate) fn of_part<'s>(
        scope: &Scope,
        timeline: &'t Timeline,
        shown: impl Fn(StreamNumber) -> Option<(&'s [(u64, RecordRef<'a>)], &'s Shown)>,
    ) -> Result<Self, AudioError>
    where
        'a: 's,
    {
        check_length(timeline)?;
        let mut pieces = BTreeMap::new();
        let mut tones = BTreeMap::new();
        for stream in &scope.streams {
            let (packets, tree) = shown(stream.number).unwrap_or((&[], &EMPTY));
            // At the start nothing is remembered, and nothing left out before the first leaf.
            let mut before = Some(0);
            let piece = |placing: &crate::part::Placing| {
                let first = usize::try_from(placing.first).unwrap_or(usize::MAX);
                let count = usize::try_from(placing.count).unwrap_or(usize::MAX);
                let run = tree.run_of(first).map(|run| run.first_leaf);
                let is_fresh = std::mem::replace(&mut before, run) != run;
                let sounds = packets.iter().skip(first).take(count);
                Piece {
                    interval: placing.interval as usize,
                    tick: placing.tick,
                    is_fresh,
                    sounds: sounds
                        .map(|(_, record)| Sound {
                            payload: payload(*record),
                            format: placing.format as usize,
                            ticks: placing.ticks,
                        })
                        .collect(),
                }
            };
            pieces.insert(stream.number, stream.placed.iter().map(piece).collect());
            tones.insert(stream.number, tones_of(scope, stream));
        }
        Ok(Self {
            timeline,
            pieces,
            tones,
            window: scope.window(timeline),
        })
    }

    /// Puts tones in the place of what is left out, where they were asked for; silence is there already.
    pub(super) fn lay_tones(&self, stage: &mut Stage<'_>) {
        let audio = &mut stage.audio;
        let rate = audio.rate;
        let tones = self.tones.get(&audio.stream).map_or(&[][..], Times::spans);
        for (start_us, end_us) in tones {
            let start = samples_at(*start_us, rate).max(stage.first);
            let end = samples_at(*end_us, rate).min(stage.first.saturating_add(stage.samples));
            let tone: Vec<i16> = (start..end).map(|at| tone(at, rate)).collect();
            for channel in &mut audio.channels {
                put(&tone, start, stage.first, channel);
            }
        }
    }
}

static EMPTY: Shown = Shown {
    root: crate::Digest([0; 32]),
    leaf_count: 0,
    runs: Vec::new(),
};

/// A tone where any of the redactions asks for one.
fn tones_of(scope: &Scope, stream: &StreamScope) -> Times {
    let is_tone = |left: &&crate::part::LeftOut| {
        let mut asked = left.redactions.iter();
        asked.any(|place| {
            let redaction = scope.redactions.get(*place as usize);
            redaction.is_some_and(|redaction| redaction.sound == SoundInstead::Tone)
        })
    };
    let with_tone = stream.left_out.iter().filter(is_tone);
    Times::of(with_tone.map(|left| (left.start_us, left.end_us)))
}

fn tone(at: usize, rate: u32) -> i16 {
    let rate = usize::try_from(rate).unwrap_or(1).max(1);
    let along = at.wrapping_mul(TONE_HERTZ) % rate;
    TONE.get(along * TONE.len() / rate).copied().unwrap_or(0)
}

fn payload(record: RecordRef<'_>) -> &[u8] {
    match record {
        RecordRef::Packet { bytes, .. } => {
            RtpPacket::parse(bytes).map_or(&[][..], |packet| packet.payload)
        }
        RecordRef::Event { .. } => &[],
    }
}
