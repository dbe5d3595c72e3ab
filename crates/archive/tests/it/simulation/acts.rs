//! What one process does with its archive, drawn by dice, and what it is told.

use super::model::{Done, Held, Known, Model};
use crate::support::*;
use serde_json::Map;
use std::path::Path;
use voicelog_archive::backup::Created;
use voicelog_archive::journal::{
    AskedBy, Cause, ChunkBuilder, JournalEvent, PacketKind, PauseReason, ResumedBy,
};
use voicelog_archive::{
    Archive, ArchiveError, Call, HoldAsked, HoldGround, OfferedCall, RecordingWriter, State,
    Verdict,
};
use voicelog_evidence::audio::AudioError;
use voicelog_evidence::key::sound_key_name;
use voicelog_evidence::part::{Plan, Window};
use voicelog_evidence::tlog::LeafKind;
use voicelog_model::{Action, RecordingId, Scope, StreamNumber, Timestamp};
use voicelog_store::faulty::Dice;

const DAY: i64 = 86_400_000_000;
/// Calls of one life.
const CALLS_MAX: usize = 9;

/// What came of an act.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Did {
    /// There was nothing to do it with, or the law forbade it.
    Nothing,
    It,
}

/// A failed act: what it did it does not say.
pub(crate) type Outcome = Result<Did, String>;

fn text(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

/// A process that has the archive open.
pub(crate) struct Process<'a> {
    pub(crate) archive: &'a Archive,
    pub(crate) folder: &'a Path,
    pub(crate) model: &'a mut Model,
    pub(crate) dice: &'a mut Dice,
    pub(crate) now: &'a mut Timestamp,
    /// Whether nothing was made to fail: then what is asked is done.
    pub(crate) is_sound: bool,
    pub(crate) writers: Vec<RecordingWriter>,
}

impl Process<'_> {
    /// One act. Gives its name.
    pub(crate) fn act(&mut self) -> (&'static str, Outcome) {
        *self.now = self.now.plus_micros(1_000_000);
        match self.dice.below(36) {
            0..5 => ("begin", self.begin()),
            5..11 => ("append", self.append()),
            11..16 => ("finish", self.finish()),
            16 => ("refuse", self.refuse()),
            17..20 => ("hold", self.hold()),
            20..22 => ("release", self.release()),
            22..25 => ("advance", self.advance()),
            25..27 => ("sweep", self.sweep()),
            27..31 => ("destroy", self.destroy_one()),
            31 => ("listen", self.listen()),
            32 => ("export", self.export(None)),
            33 => ("excerpt", self.excerpt()),
            34 => (
                "rotate",
                self.archive
                    .new_epoch(*self.now)
                    .map(|_done| Did::It)
                    .map_err(text),
            ),
            _ => ("rewrap", self.rewrap()),
        }
    }

    fn known(&mut self, id: RecordingId) -> &mut Known {
        let mut all = self.model.calls.iter_mut();
        all.find(|known| known.id == id).unwrap()
    }

    /// One of those that satisfy, if there is any.
    fn pick(&mut self, which: impl Fn(&Known) -> bool) -> Option<RecordingId> {
        let fitting: Vec<_> = self
            .model
            .calls
            .iter()
            .filter(|known| which(known))
            .collect();
        let one = self.dice.below(fitting.len());
        fitting.get(one).map(|known| known.id)
    }

    fn open(&self, line: &'static str) -> Result<Call, String> {
        let offered = OfferedCall {
            offered_at: *self.now,
            ..offer(line, "tel:+31201234567")
        };
        self.archive.open_call(offered, *self.now).map_err(text)
    }

    fn begin(&mut self) -> Outcome {
        if self.model.calls.len() >= CALLS_MAX {
            return Ok(Did::Nothing);
        }
        let line = match self.dice.below(4) {
            0 => "broker",
            1 => "short_sound",
            _ => "announced",
        };
        let call = self.open(line)?;
        let spoken = self.dice.bytes(32);
        let known = Known::new(call.id, line, *self.now, spoken);
        self.model.calls.push(known);
        let answer = self
            .archive
            .ask_to_record(call.id, *self.now)
            .map_err(text)?;
        let decision = answer.id;
        let Verdict::Permit(permit) = answer.verdict else {
            return Ok(Did::Nothing);
        };
        let mut writer = self.archive.begin(permit).map_err(text)?;
        self.known(call.id).begun = true;
        let mut chunk = ChunkBuilder::new();
        let mut push = |event| chunk.push_event(call.offered_at, &event).unwrap();
        push(JournalEvent::CallStarted {});
        for stream in call.streams {
            push(JournalEvent::StreamAdded { stream });
        }
        push(JournalEvent::Permitted { decision });
        let given = self.archive.append(&mut writer, &chunk.take());
        self.writers.push(writer);
        given.map(|()| Did::It).map_err(text)
    }

    /// Some packets, perhaps after a pause, perhaps committed.
    fn append(&mut self) -> Outcome {
        let place = self.dice.below(self.writers.len());
        if self.writers.is_empty() {
            return Ok(Did::Nothing);
        }
        let (pause, count) = (self.dice.below(5) == 0, self.dice.below(12));
        let commits = self.dice.below(3) > 0;
        let id = self.writers[place].id();
        let known = self.known(id);
        let mut chunk = ChunkBuilder::new();
        if pause {
            let at = moment(known);
            let (reason, by) = (PauseReason::CardData, AskedBy::Program);
            let event = JournalEvent::RecordingPaused {
                reason,
                by,
                party: None,
            };
            chunk.push_event(at, &event).unwrap();
            known.paused += 700_000;
            let event = JournalEvent::RecordingResumed {
                by: ResumedBy::Program,
            };
            chunk.push_event(moment(known), &event).unwrap();
        }
        for _packet in 0..count {
            let bytes = known.packet(known.sent);
            for stream in [1, 2] {
                chunk
                    .push_packet(StreamNumber(stream), moment(known), PacketKind::Rtp, &bytes)
                    .unwrap();
            }
            known.sent += 1;
        }
        if !chunk.is_empty() {
            let writer = &mut self.writers[place];
            self.archive.append(writer, &chunk.take()).map_err(text)?;
        }
        if commits {
            self.archive.commit().map_err(text)?;
            self.model.acknowledge(&self.writers);
        }
        Ok(Did::It)
    }

    fn finish(&mut self) -> Outcome {
        let place = self.dice.below(self.writers.len());
        if self.writers.is_empty() {
            return Ok(Did::Nothing);
        }
        let mut writer = self.writers.swap_remove(place);
        let id = writer.id();
        let at = moment(self.known(id));
        let mut chunk = ChunkBuilder::new();
        let cause = Cause::RecordingClient;
        chunk
            .push_event(at, &JournalEvent::CallEnded { cause })
            .unwrap();
        self.archive
            .append(&mut writer, &chunk.take())
            .map_err(text)?;
        self.archive.close(&mut writer).map_err(text)?;
        let known = self.known(id);
        known.durable = known.sent;
        self.archive.finish(writer, *self.now).map_err(text)?;
        self.known(id).closed = true;
        self.model.told(LeafKind::Recorded, id);
        match self.dice.below(3) {
            0 => Ok(Did::It),
            _ => self.archive.sequence().map(|()| Did::It).map_err(text),
        }
    }

    /// A call that the law forbids to record; of every other one nothing is closed.
    fn refuse(&mut self) -> Outcome {
        let call = self.open("covert")?;
        let answer = self
            .archive
            .ask_to_record(call.id, *self.now)
            .map_err(text)?;
        assert!(matches!(answer.verdict, Verdict::Refusal(_)));
        if self.dice.below(2) == 0 {
            return Ok(Did::Nothing);
        }
        let events = [(*self.now, JournalEvent::CallStarted {})];
        let ended = self.archive.finish_unrecorded(call.id, &events, *self.now);
        ended.map_err(text)?;
        self.model.told(LeafKind::Refused, call.id);
        Ok(Did::It)
    }

    fn hold(&mut self) -> Outcome {
        let Some(id) = self.pick(|known| known.begun && known.destroyed != Done::Yes) else {
            return Ok(Did::Nothing);
        };
        let asked = HoldAsked {
            ground: HoldGround::Claim,
            owner: asker(),
            review_at: self.now.plus_micros(30 * DAY),
            note: None,
            by: asker(),
        };
        match self.archive.place_hold(id, &asked, *self.now) {
            Ok(hold) => {
                let known = self.known(id);
                // Nothing was destroying it then, and nothing begins to from here.
                known.destroyed = Done::No;
                let released = Done::No;
                known.holds.push(Held {
                    id: hold.id,
                    released,
                });
                self.model.told(LeafKind::Held, id);
                Ok(Did::It)
            }
            Err(error) => {
                let known = self.known(id);
                known.unclear_hold = true;
                let explained = known.destroyed == Done::Perhaps || known.sound == Done::Perhaps;
                if explained {
                    Ok(Did::It)
                } else {
                    Err(text(error))
                }
            }
        }
    }

    fn release(&mut self) -> Outcome {
        let Some(id) = self.pick(|known| known.is_held() && known.is_kept()) else {
            return Ok(Did::Nothing);
        };
        let (archive, now) = (self.archive, *self.now);
        let known = self.known(id);
        let held = known
            .holds
            .iter_mut()
            .find(|held| held.released == Done::No);
        let held = held.unwrap();
        held.released = Done::Perhaps;
        let lifted = archive.release(held.id, &asker(), &asker(), now);
        assert!(lifted.map_err(text)?, "nobody else lifted it");
        held.released = Done::Yes;
        self.model.told(LeafKind::Released, id);
        Ok(Did::It)
    }

    /// Hours to years; a person says that the clock is right.
    fn advance(&mut self) -> Outcome {
        let hours = [1, 30, 24 * 20, 24 * 200, 24 * 400][self.dice.below(5)];
        *self.now = self.now.plus_micros(hours * DAY / 24);
        self.archive
            .confirm_clock(*self.now)
            .map(|_done| Did::It)
            .map_err(text)
    }

    /// Everything whose term is over, and that the law does not want kept, goes.
    fn sweep(&mut self) -> Outcome {
        let now = *self.now;
        for id in self.archive.due(now, None, 99).map_err(text)? {
            let known = self.known(id.id);
            assert!(!known.is_held(), "{}: held, and due", id.id);
            let chosen = if known.line == "broker" { 27 } else { 364 };
            assert!(
                known.at.plus_micros(chosen * DAY) < now,
                "{}: due too early",
                id.id
            );
            self.destroy(id.id)?;
        }
        for due in self.archive.due_sound(now, None, 99).map_err(text)? {
            self.end_sound(due.id)?;
        }
        if !self.is_sound {
            return Ok(Did::Nothing);
        }
        for known in &self.model.calls {
            let has_sound = known.sound == Done::No && known.destroyed == Done::No;
            let is_over = known.line == "short_sound" && known.at.plus_micros(95 * DAY) < now;
            assert!(
                !(is_over && has_sound && known.closed) || known.may_be_held(),
                "{}: its sound outlived its term",
                known.id
            );
            let is_over = known.line != "broker" && known.at.plus_micros(367 * DAY) < now;
            let must_go = is_over && known.closed && !known.may_be_held();
            // One that a process stopped in was carried on with when this one started.
            let is_gone = match known.destroyed {
                Done::Perhaps => {
                    let summary = self.archive.summary(known.id).map_err(text)?;
                    summary.state == State::Destroyed
                }
                known => known == Done::Yes,
            };
            assert!(!must_go || is_gone, "{}: outlived its term", known.id);
        }
        Ok(Did::It)
    }

    /// The sound, and nothing else of it.
    fn end_sound(&mut self, id: RecordingId) -> Result<(), String> {
        let now = *self.now;
        let mut answers = self.archive.ask_to_destroy_sound_all(&[id], now);
        let answer = answers.pop().unwrap().1.map_err(text)?;
        let marks = marks(self.folder, id, Scope::Sound);
        let archive = self.archive;
        let known = self.known(id);
        assert!(!known.is_held(), "{id}: held, and its sound is due");
        assert!(
            known.line == "short_sound" && known.at.plus_micros(88 * DAY) < now,
            "{id}: its sound is due too early"
        );
        let Verdict::Permit(permit) = answer.verdict else {
            panic!("{id}: nothing forbids to destroy its sound")
        };
        known.sound = Done::Perhaps;
        known.sound_marks = marks;
        for ended in archive.destroy_sound_all(vec![permit], now).map_err(text)? {
            ended.outcome.map_err(text)?;
        }
        known.sound = Done::Yes;
        assert_eq!(
            archive.summary(id).map_err(text)?.state,
            State::WithoutSound
        );
        Ok(())
    }

    fn destroy_one(&mut self) -> Outcome {
        match self.pick(Known::is_kept) {
            Some(id) => self.destroy(id),
            None => Ok(Did::Nothing),
        }
    }

    fn destroy(&mut self, id: RecordingId) -> Outcome {
        let now = *self.now;
        let answer = self.archive.ask_to_destroy(id, now).map_err(text)?;
        let marks = marks(self.folder, id, Scope::Whole);
        let archive = self.archive;
        let known = self.known(id);
        let permit = match answer.verdict {
            Verdict::Permit(permit) => permit,
            Verdict::Refusal(_) => {
                let is_over = known.at.plus_micros(367 * DAY) < now;
                let is_free = known.line != "broker" && is_over && !known.may_be_held();
                assert!(!is_free, "{id}: nothing forbids to destroy it");
                return Ok(Did::Nothing);
            }
        };
        assert!(
            !known.is_held(),
            "{id}: held, and the law permits to destroy it"
        );
        let floor = known.at.plus_micros(5 * 365 * DAY);
        assert!(
            known.line != "broker" || floor < now,
            "{id}: before the statute's floor"
        );
        known.destroyed = Done::Perhaps;
        known.marks = marks;
        archive.destroy(permit, now).map_err(text)?;
        known.destroyed = Done::Yes;
        assert_eq!(archive.summary(id).map_err(text)?.state, State::Destroyed);
        Ok(Did::It)
    }

    fn listen(&mut self) -> Outcome {
        let Some(id) = self.pick(Known::is_heard) else {
            return Ok(Did::Nothing);
        };
        let (archive, now) = (self.archive, *self.now);
        if listen_to(archive, self.known(id), now)? {
            self.model.told(LeafKind::Listened, id);
        }
        Ok(Did::It)
    }

    fn excerpt(&mut self) -> Outcome {
        let (start_us, end_us) = (20_000, 60_000);
        self.export(Some(&Plan {
            excerpt: Some(Window { start_us, end_us }),
            redactions: Vec::new(),
        }))
    }

    fn export(&mut self, part: Option<&Plan>) -> Outcome {
        let Some(id) = self.pick(|known| {
            // A part in which nothing was kept, because of a pause, is refused.
            known.is_heard() && known.durable > 4 && (part.is_none() || known.paused == 0)
        }) else {
            return Ok(Did::Nothing);
        };
        let (archive, now) = (self.archive, *self.now);
        let action = Action::FileInCourt;
        let answer = archive.ask_for_copy(id, action, &asker(), &Map::new(), now);
        if let Verdict::Permit(permit) = answer.map_err(text)?.verdict {
            let bundle = archive.export(permit, part, now).map_err(text)?;
            let report = voicelog_evidence::verify(&bundle, Some(&archive.log_key()));
            assert!(report.holds(), "{:#?}", report.broken().collect::<Vec<_>>());
            self.model.told(LeafKind::Exported, id);
        }
        Ok(Did::It)
    }

    fn rewrap(&mut self) -> Outcome {
        let done = self.archive.rewrap(*self.now).map_err(text)?;
        assert!(!self.is_sound || done.stuck.is_empty(), "{:?}", done.stuck);
        Ok(Did::It)
    }
}

/// Listens, where the law permits it, and holds what comes back against what was sent.
pub(crate) fn listen_to(archive: &Archive, known: &Known, now: Timestamp) -> Result<bool, String> {
    let answer = archive.ask_to_listen(known.id, &asker(), &reader(), now);
    let Verdict::Permit(permit) = answer.map_err(text)?.verdict else {
        return Ok(false);
    };
    let opened = match archive.play(permit, now) {
        // A call that was cut off before its first chunk.
        Err(ArchiveError::Audio(AudioError::NothingDecodable(codecs))) if codecs.is_empty() => {
            assert_eq!(known.durable, 0, "{}: nothing is heard", known.id);
            return Ok(false);
        }
        opened => opened.map_err(text)?,
    };
    let heard = heard_in(archive, &opened, 0..opened.byte_len()).map_err(text)?;
    known.assert_same(&opened.timeline, &heard);
    Ok(true)
}

/// A backup, made or brought up to date.
pub(crate) fn back_up(archive: &Archive, folder: &Path, now: Timestamp) -> Result<Created, String> {
    let made = archive.create_backup(folder, &crate::backup::backup_key(1), now);
    made.map_err(text)
}

/// When the next packet arrives.
fn moment(known: &Known) -> Timestamp {
    let media = i64::from(known.sent) * 20_000;
    known.at.plus_micros(media + known.paused)
}

/// Pieces of what lies there of a recording, or of its sound: the wrapped keys, and the segments.
fn marks(folder: &Path, id: RecordingId, scope: Scope) -> Vec<Vec<u8>> {
    let segments = folder.join(format!("blobs/objects/rec/{id}"));
    let segments = std::fs::read_dir(segments).into_iter().flatten();
    let mut paths: Vec<_> = segments.map(|entry| entry.unwrap().path()).collect();
    paths.push(folder.join(format!("keys/{}.key", sound_key_name(id))));
    if scope == Scope::Whole {
        paths.push(folder.join(format!("keys/{id}.key")));
    }
    let pieces = paths.iter().filter_map(|path| {
        let bytes = std::fs::read(path).ok()?;
        let end = bytes.len().checked_sub(24)?;
        // Neither the header nor the length of a frame, which are alike everywhere.
        Some(bytes[end..].to_vec())
    });
    pieces.collect()
}
