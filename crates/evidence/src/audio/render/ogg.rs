//! The packets of Opus as they came, in a file for players: nothing is decoded.

use super::{Rendering, samples_at};
use crate::audio::ogg::{OggWriter, RATE};
use crate::timeline::{IntervalKind, StreamTimeline, known_formats};
use voicelog_model::{Codec, StreamNumber};

impl Rendering<'_, '_> {
    /// Whether every packet with sound is Opus.
    pub(crate) fn is_all_opus(&self) -> bool {
        self.timeline.streams.iter().all(|stream| {
            let formats = known_formats(&stream.stream);
            let mut sounds = self
                .pieces_of(stream)
                .iter()
                .flat_map(|piece| &piece.sounds);
            sounds.all(|sound| {
                let format = formats.get(sound.format);
                format.is_some_and(|format| format.codec == Codec::Opus)
            })
        })
    }

    /// Each stream as a file of Ogg, by number. Gaps stay as long as they were.
    pub(crate) fn in_ogg(&self) -> Vec<(StreamNumber, Vec<u8>)> {
        let streams = self.timeline.streams.iter();
        streams
            .map(|stream| (stream.stream.number, self.stream_in_ogg(stream)))
            .collect()
    }

    fn stream_in_ogg(&self, stream: &StreamTimeline) -> Vec<u8> {
        let plan = self.plan(stream);
        let at = |us| u64::try_from(samples_at(us, RATE)).unwrap_or(u64::MAX);
        let channels = u8::try_from(plan.channels).unwrap_or(1);
        let mut file = OggWriter::new(u32::from(plan.stream.0), channels);
        for piece in self.pieces_of(stream) {
            let interval = stream.intervals.get(piece.interval);
            let media = interval.filter(|interval| interval.kind == IntervalKind::Media);
            let Some(interval) = media else {
                continue;
            };
            file.silence_until(at(interval.start_us));
            for sound in &piece.sounds {
                file.packet(sound.payload, sound.ticks.into());
            }
        }
        file.silence_until(at(self.window.1));
        file.finish()
    }
}
