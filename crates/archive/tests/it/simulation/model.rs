//! What a simulated life was told, and what must hold of an archive that says so.

use super::disk::all_below;
use crate::support::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use voicelog_archive::check::Level;
use voicelog_archive::timeline::Timeline;
use voicelog_archive::{Archive, RecordingWriter, State};
use voicelog_evidence::Digest;
use voicelog_evidence::audio::decode_alaw;
use voicelog_evidence::certificate::Certificate;
use voicelog_evidence::tlog::{Leaf, LeafKind, verify_consistency};
use voicelog_model::{HoldId, RecordingId, Timestamp};

/// Whether something was done: a failure says nothing about that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    No,
    Perhaps,
    Yes,
}

/// A hold that was acknowledged.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) id: HoldId,
    pub(crate) released: Done,
}

/// A call, and what was acknowledged of it.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) id: RecordingId,
    pub(crate) line: &'static str,
    pub(crate) at: Timestamp,
    /// What is said in it, again and again.
    pub(crate) spoken: Vec<u8>,
    /// Packets of each stream: given to the archive, and durable as it said.
    pub(crate) sent: u16,
    pub(crate) durable: u16,
    /// Microseconds of pauses before the next packet.
    pub(crate) paused: i64,
    pub(crate) begun: bool,
    pub(crate) closed: bool,
    pub(crate) destroyed: Done,
    /// Whether its sound was destroyed before the rest.
    pub(crate) sound: Done,
    pub(crate) holds: Vec<Held>,
    /// A hold that failed, and stands perhaps.
    pub(crate) unclear_hold: bool,
    /// What its manifest was when somebody looked first.
    pub(crate) manifest: Option<Digest>,
    /// Pieces of its key and segments, from before its destruction.
    pub(crate) marks: Vec<Vec<u8>>,
    /// The same of its sound.
    pub(crate) sound_marks: Vec<Vec<u8>>,
}

impl Known {
    pub(crate) fn new(id: RecordingId, line: &'static str, at: Timestamp, spoken: Vec<u8>) -> Self {
        Self {
            id,
            line,
            at,
            spoken,
            sent: 0,
            durable: 0,
            paused: 0,
            begun: false,
            closed: false,
            destroyed: Done::No,
            sound: Done::No,
            holds: Vec::new(),
            unclear_hold: false,
            manifest: None,
            marks: Vec::new(),
            sound_marks: Vec::new(),
        }
    }

    /// Whether it must not be destroyed.
    pub(crate) fn is_held(&self) -> bool {
        self.holds.iter().any(|held| held.released == Done::No)
    }

    /// Whether it must be refused to destroy it, or may be.
    pub(crate) fn may_be_held(&self) -> bool {
        let stands = |held: &Held| held.released != Done::Yes;
        self.unclear_hold || self.holds.iter().any(stands)
    }

    /// Whether it is surely there, closed and whole.
    pub(crate) fn is_kept(&self) -> bool {
        self.closed && self.destroyed == Done::No
    }

    /// Whether it is surely there with its sound.
    pub(crate) fn is_heard(&self) -> bool {
        self.is_kept() && self.sound == Done::No
    }

    /// The packet with that number.
    pub(crate) fn packet(&self, number: u16) -> Vec<u8> {
        let mut bytes = rtp(number);
        let sound = self.spoken.iter().cycle();
        for (byte, sound) in bytes.iter_mut().skip(12).zip(sound) {
            *byte = *sound;
        }
        bytes
    }

    /// What was said is what is heard, from the first packet on, and between it is silent. Speech in A-law is never
    /// quite silent.
    pub(crate) fn assert_same(&self, timeline: &Timeline, wav: &[u8]) {
        let head = 44;
        let samples = wav[head..].as_chunks::<2>().0.iter();
        let samples: Vec<_> = samples.map(|two| i16::from_le_bytes(*two)).collect();
        assert_eq!(timeline.streams.len(), 2, "{}", self.id);
        for (channel, stream) in timeline.streams.iter().enumerate() {
            self.assert_count(stream.packets);
            let heard = samples.iter().skip(channel).step_by(2);
            let heard = heard.copied().filter(|sample| *sample != 0);
            let packets = 0..u16::try_from(stream.packets).unwrap();
            let said = packets.flat_map(|number| self.packet(number).split_off(12));
            assert!(heard.eq(said.map(decode_alaw)), "{}: other words", self.id);
        }
    }

    /// Its sound is there with its key, or gone with both and certified.
    fn assert_sound(&mut self, archive: &Archive, state: State) {
        let id = self.id;
        let trace = archive.trace(id).unwrap();
        if state == State::Sealed {
            assert_ne!(self.sound, Done::Yes, "{id}: its sound is back");
            assert_eq!(trace.has_sound_key, self.line == "short_sound", "{id}");
            self.sound = Done::No;
            return;
        }
        assert_ne!(
            self.sound,
            Done::No,
            "{id}: its sound was destroyed by nobody"
        );
        assert_eq!((trace.blobs, trace.has_sound_key), (0, false), "{id}");
        let signed = archive.sound_certificate(id).unwrap().unwrap();
        Certificate::verify(signed.as_bytes(), &archive.log_key()).unwrap();
        self.sound = Done::Yes;
    }

    fn assert_count(&self, count: u64) {
        let (durable, sent) = (u64::from(self.durable), u64::from(self.sent));
        assert!(
            (durable..=sent).contains(&count),
            "{}: {count} packets, of {sent} sent and {durable} acknowledged",
            self.id
        );
    }
}

/// Everything that is known of one archive.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) calls: Vec<Known>,
    /// Size and root of the log, whenever somebody looked.
    pub(crate) checkpoints: Vec<(u64, [u8; 32])>,
    /// Entries of the log that must be there, and how many of each.
    pub(crate) leaves: BTreeMap<(LeafKind, String), usize>,
}

impl Model {
    pub(crate) fn told(&mut self, kind: LeafKind, id: RecordingId) {
        *self.leaves.entry((kind, id.to_string())).or_default() += 1;
    }

    /// What must hold once the archive has recovered: `recover` found nothing damaged, and the check finds
    /// nothing.
    pub(crate) fn assert_holds(&mut self, archive: &Archive, folder: &Path) {
        let found = archive.check(Level::Hash).unwrap().wrong;
        assert_eq!(found, [], "the check finds something");
        for known in &mut self.calls {
            Self::assert_recording(archive, known);
        }
        self.assert_log(archive);
        let gone = self
            .calls
            .iter()
            .filter(|known| known.destroyed == Done::Yes);
        let marks: Vec<_> = gone
            .flat_map(|known| known.marks.iter().chain([&known.spoken]))
            .collect();
        assert_nowhere(folder, &marks);
        let silent = self.calls.iter().filter(|known| known.sound == Done::Yes);
        let marks: Vec<_> = silent.flat_map(|known| &known.sound_marks).collect();
        assert_nowhere(folder, &marks);
    }

    fn assert_recording(archive: &Archive, known: &mut Known) {
        let id = known.id;
        let Ok(summary) = archive.summary(id) else {
            assert!(!known.begun, "{id}: acknowledged, and not there");
            return;
        };
        let trace = archive.trace(id).unwrap();
        match summary.state {
            State::Sealed | State::WithoutSound => {
                assert!(known.destroyed != Done::Yes, "{id}: destroyed, and there");
                known.assert_sound(archive, summary.state);
                let detail = archive.detail(id).unwrap();
                assert!(
                    detail.log_index.is_some(),
                    "{id}: closed, and not in the log"
                );
                let timeline = detail.timeline.unwrap();
                for stream in &timeline.streams {
                    known.assert_count(stream.packets);
                }
                assert!(known.durable == 0 || timeline.streams.len() == 2, "{id}");
                let manifest = Digest::of(format!("{:?}", detail.manifest.unwrap()).as_bytes());
                let first = *known.manifest.get_or_insert(manifest);
                assert_eq!(first, manifest, "{id}: another manifest");
                known.closed = true;
            }
            // It ran when the backup was made, and its sound went since.
            State::Destroyed if summary.destroyed_at == summary.sound_destroyed_at => {
                assert_eq!(known.sound, Done::Yes, "{id}");
                assert_eq!((trace.blobs, trace.has_key), (0, false), "{id}");
                known.destroyed = Done::Perhaps;
            }
            State::Destroyed => {
                known.sound = match summary.sound_destroyed_at {
                    Some(_at) => Done::Yes,
                    None => Done::No,
                };
                assert!(!trace.has_sound_key, "{id}");
                assert!(known.destroyed != Done::No, "{id}: destroyed by nobody");
                assert!(!known.is_held(), "{id}: destroyed although it is held");
                assert_eq!((trace.blobs, trace.has_key), (0, false), "{id}");
                let signed = archive.certificate(id).unwrap().unwrap();
                let (certificate, _checkpoint) =
                    Certificate::verify(signed.as_bytes(), &archive.log_key()).unwrap();
                assert_eq!(certificate.statement.recording, id);
                known.destroyed = Done::Yes;
            }
            State::NotRecorded => {
                assert!(!known.begun, "{id}: begun, and not recorded");
                assert_eq!((trace.blobs, trace.has_key), (0, false), "{id}");
            }
            other => panic!("{id}: still {other}"),
        }
        Self::assert_holds_of(archive, known, summary.state);
    }

    fn assert_holds_of(archive: &Archive, known: &mut Known, state: State) {
        let id = known.id;
        let there = archive.holds(id).unwrap();
        for held in &mut known.holds {
            let hold = there.iter().find(|hold| hold.id == held.id);
            let hold = hold.unwrap_or_else(|| panic!("{id}: hold {} is gone", held.id));
            match (held.released, hold.lifted_at) {
                (Done::No, Some(_)) => panic!("{id}: hold {} was lifted by nobody", held.id),
                (Done::Yes, None) => panic!("{id}: hold {} stands again", held.id),
                (Done::Perhaps, at) => {
                    held.released = if at.is_some() { Done::Yes } else { Done::No }
                }
                _ => {}
            }
        }
        // One of which nobody was told, because it failed when it was in place.
        for hold in there {
            let mut all = known.holds.iter();
            if !all.any(|held| held.id == hold.id) {
                assert!(known.unclear_hold, "{id}: a hold that nobody placed");
                let released = if hold.lifted_at.is_some() {
                    Done::Yes
                } else {
                    Done::No
                };
                known.holds.push(Held {
                    id: hold.id,
                    released,
                });
            }
        }
        known.unclear_hold = false;
        if matches!(state, State::Sealed | State::WithoutSound) {
            let opened = archive.holds_opened(id).unwrap();
            assert!(opened.iter().all(|hold| hold.details.is_some()), "{id}");
        }
    }

    /// The log only grew, and has what was acknowledged.
    fn assert_log(&mut self, archive: &Archive) {
        let Some((now, _note)) = archive.newest_checkpoint().unwrap() else {
            assert_eq!(self.checkpoints, [], "the log is gone");
            return;
        };
        for (size, root) in &self.checkpoints {
            assert_eq!(
                archive.root_at(*size).unwrap(),
                *root,
                "another log at {size}"
            );
        }
        if let Some((size, root)) = self.checkpoints.last() {
            let proof = archive.consistency(*size, now.size).unwrap();
            verify_consistency(*size, root, now.size, &now.root, &proof).unwrap();
        }
        self.checkpoints.push((now.size, now.root));
        let mut there: BTreeMap<(LeafKind, String), usize> = BTreeMap::new();
        for row in archive.leaves(0, usize::MAX >> 1).unwrap() {
            let leaf = Leaf::from_bytes(&row.bytes).unwrap();
            *there.entry((leaf.kind, leaf.object)).or_default() += 1;
        }
        for (what, count) in &self.leaves {
            let found = there.get(what).copied().unwrap_or(0);
            assert!(found >= *count, "the log has {found} of {count} {what:?}");
        }
        for known in &self.calls {
            let one = |kind| there.get(&(kind, known.id.to_string())).copied();
            assert!(
                !known.closed || one(LeafKind::Recorded) > Some(0),
                "{}",
                known.id
            );
            let destroyed = (known.destroyed == Done::Yes).then_some(1);
            assert_eq!(one(LeafKind::Destroyed), destroyed, "{}", known.id);
            let sound = (known.sound == Done::Yes).then_some(1);
            assert_eq!(one(LeafKind::SoundDestroyed), sound, "{}", known.id);
        }
    }

    /// Packets that a writer had got when its process died.
    pub(crate) fn acknowledge(&mut self, writers: &[RecordingWriter]) {
        let ids: BTreeSet<_> = writers
            .iter()
            .filter(|writer| !writer.has_unwritten())
            .map(RecordingWriter::id)
            .collect();
        for known in self
            .calls
            .iter_mut()
            .filter(|known| ids.contains(&known.id))
        {
            known.durable = known.sent;
        }
    }
}

/// None of these is in any file below the folder.
pub(crate) fn assert_nowhere(folder: &Path, marks: &[&Vec<u8>]) {
    if marks.is_empty() {
        return;
    }
    let begins: BTreeMap<[u8; 8], &Vec<u8>> = marks
        .iter()
        .map(|mark| (*mark.first_chunk().unwrap(), *mark))
        .collect();
    let is_begin: Vec<bool> = (0..=u8::MAX)
        .map(|byte| begins.keys().any(|begin| begin[0] == byte))
        .collect();
    for path in all_below(folder).iter().filter(|path| path.is_file()) {
        let bytes = std::fs::read(path).unwrap();
        for (at, byte) in bytes.iter().enumerate() {
            if !is_begin[usize::from(*byte)] {
                continue;
            }
            let begin = bytes[at..].first_chunk();
            let mark = begin.and_then(|begin: &[u8; 8]| begins.get(begin));
            let is_there = mark.is_some_and(|mark| bytes[at..].starts_with(mark));
            assert!(!is_there, "what was destroyed is in {}", path.display());
        }
    }
}
