//! An archive in a folder with one conversation of every kind that a page can be about. Shared
//! with the example server that the browser's checks run against.

use serde_json::{Map, Value, json};
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use voicelog_archive::journal::{Cause, ChunkBuilder, JournalEvent, PacketKind, SaidBy};
use voicelog_archive::keys::EpochKeys;
use voicelog_archive::line::Keep;
use voicelog_archive::{
    About, Answer, Archive, Call, CallReport, Line, Lines, Link, LinkKind, OfferedCall,
    OfferedParty, OneIn, Parts, RecordingWriter, Sample, Secrets, StreamReport, Verdict, act,
};
use voicelog_casework::{Asked, retention};
use voicelog_evidence::key::{DataKey, KeyEncryptionKey};
use voicelog_evidence::note::SigningKey;
use voicelog_law::{HouseRules, Rulebook};
use voicelog_model::{Codec, MediaStream, Pii, RecordingId, StreamNumber, Timestamp};
use voicelog_store::blobs::Options;
use voicelog_store::{Access, ArchiveId, Layout, LocalStore};

pub(crate) type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// A name as somebody hostile would have it.
pub(crate) const NAME: &str = "<script>alert('Jansen')</script>";
/// The address beside it.
pub(crate) const ADDRESS: &str = "tel:+31201234567";

const DAY: i64 = 86_400_000_000;
const SECOND: i64 = 1_000_000;
const STEP: i64 = 20_000;

/// The archive and what is in it.
#[derive(Debug)]
pub(crate) struct Filled {
    pub(crate) archive: Arc<Archive>,
    /// Two seconds without a gap.
    pub(crate) whole: RecordingId,
    /// Starts late, has a pause and a loss.
    pub(crate) declared: RecordingId,
    /// Its last seconds are missing.
    pub(crate) undeclared: RecordingId,
    /// Our disk was full after three seconds, and one participant had refused before.
    pub(crate) cut_short: RecordingId,
    /// Was never permitted.
    pub(crate) refused: RecordingId,
    /// Was not drawn for the sample of its line.
    pub(crate) not_drawn: RecordingId,
    pub(crate) not_requested: RecordingId,
    /// Its term was over.
    pub(crate) destroyed: RecordingId,
    /// One conversation: destroyed, after a transfer, and that once more from another client.
    pub(crate) parts: [RecordingId; 3],
    /// A call that waits for consent.
    pub(crate) waiting: RecordingId,
    /// A call to a name that is no line.
    pub(crate) not_set_up: RecordingId,
}

fn facts(openness: &str) -> Map<String, Value> {
    let mut facts = Map::new();
    for (name, value) in [
        ("recorder_type", json!("company")),
        ("counterpart_types", json!(["private_person"])),
        ("participation", json!("participant")),
        ("openness", json!(openness)),
        ("purpose", json!("bewijs_overeenkomst")),
        ("legal_basis", json!("b")),
        ("structural", json!("all")),
        ("staff_informed", json!("each_call_signal")),
        ("or_status", json!("consented")),
        ("dpia", json!("done")),
        ("private_use_possible", json!(true)),
        ("retention_term", json!("P1Y")),
    ] {
        facts.insert(name.to_owned(), value);
    }
    facts
}

/// Orders of an investment firm: the law keeps them for five years (Bgfo 35).
fn orders() -> Map<String, Value> {
    let mut facts = facts("announced");
    facts.insert("purpose".to_owned(), json!("wettelijke_plicht"));
    facts.insert("legal_basis".to_owned(), json!("c"));
    facts.insert(
        "statutory_duty_ref".to_owned(),
        json!("Wft 4:90 / MiFID II 16(7)"),
    );
    facts.insert("sector".to_owned(), json!("finance_investment"));
    facts.insert("retention_term".to_owned(), json!("P5Y"));
    facts
}

/// Kept so shortly that the term of one is over since the rulebook began.
fn for_four_weeks() -> Map<String, Value> {
    let mut facts = facts("announced");
    facts.insert("retention_term".to_owned(), json!("P4W"));
    facts
}

fn line(name: &str, facts: Map<String, Value>) -> Line {
    Line {
        own_domains: vec!["voorbeeld.example".to_owned()],
        facts,
        ..Line::not_set_up(name)
    }
}

/// A kind of talk of an employer with an employee.
fn in_a_room(name: &str, title: &str) -> Line {
    let mut facts = facts("announced");
    facts.remove("openness");
    for (fact, value) in [("channel", "live_inside"), ("structural", "single")] {
        facts.insert(fact.to_owned(), json!(value));
    }
    Line {
        title: title.to_owned(),
        copy_days: 14,
        ..line(name, facts)
    }
}

/// A talk of an employer about own staff: why, and what else was considered, is asked each time.
fn of_an_employer() -> Line {
    let mut line = in_a_room("functioneren", "Functioneringsgesprek");
    let recorder = ("recorder_type".to_owned(), json!("employer"));
    line.facts.extend([recorder]);
    line
}

/// A talk of an official with a citizen: who wants to record too asks for it.
fn of_an_official() -> Line {
    let mut line = in_a_room("balie", "Gesprek aan de balie");
    for (name, value) in [
        ("recorder_type", json!("government_body")),
        ("counterpart_types", json!(["citizen"])),
        ("purpose", json!("dossier_overheid")),
        ("legal_basis", json!("e")),
        ("public_task_ref", json!("Gemeentewet 160")),
        ("process_type", json!("9.1")),
    ] {
        line.facts.insert(name.to_owned(), value);
    }
    line
}

/// A house rule: who asks to destroy may not be alone. At the end of a term nobody asks.
pub(crate) const NOT_ALONE: &str = r#"
@id("house.vier_ogen_bij_vernietigen")
@kind("contract")
@article("Reglement opnamen 7")
@valid_from("2026-10-01")
@nl("Niemand vernietigt een opname alleen.")
@en("Nobody destroys a recording alone.")
forbid (principal, action == Action::"destroy", resource)
when { context has second_person && !context.second_person };
"#;

/// Opens the archive in a folder; in an empty folder it makes one with a line of every kind.
pub(crate) fn open(folder: &Path, now: Timestamp) -> Outcome<Arc<Archive>> {
    open_under(folder, now, None)
}

/// The same under house rules.
fn open_under(folder: &Path, now: Timestamp, house: Option<&str>) -> Outcome<Arc<Archive>> {
    let mut rulebook = Rulebook::embedded(now)?;
    if let Some(text) = house {
        let rules = HouseRules::read(&[("house.cedar".to_owned(), text.to_owned())], &rulebook)
            .map_err(|faults| faults.to_string())?;
        rulebook = rulebook.with_house(&rules)?;
    }
    let layout = Layout::in_folder(folder);
    if !layout.exists() {
        LocalStore::create(&layout, ArchiveId([7; 16]), now)?;
    }
    let store = LocalStore::open(&layout, Access::Write(Options::default()))?;
    Ok(Arc::new(Archive::open(Parts {
        index: Box::new(store.index),
        blobs: Box::new(store.blobs),
        keys: Box::new(store.keys),
        secrets: Secrets {
            epoch_keys: EpochKeys::given(KeyEncryptionKey::new(1, [1; 32])),
            signing_key: SigningKey::from_seed("voicelog/pages", [2; 32])?,
            decision_key: DataKey::from_random([3; 32]),
        },
        rulebook,
        lines: Lines::new(vec![
            line("verkoop", facts("announced")),
            line("verkoop-heimelijk", facts("covert")),
            Line {
                sample: Some(Sample {
                    one_in: OneIn::try_from(10_000)?,
                }),
                ..line("steekproef", facts("announced"))
            },
            Line {
                keep: Keep::OnRequest,
                ..line("op-verzoek", facts("announced"))
            },
            line("orders", orders()),
            line("proefgesprekken", for_four_weeks()),
            Line {
                sound_term: Some("P4W".to_owned()),
                ..line("geluid-kort", facts("announced"))
            },
        ])
        .with_rooms(vec![
            in_a_room("beoordeling", "Beoordelingsgesprek"),
            of_an_employer(),
            of_an_official(),
        ]),
    })))
}

/// The conversations that are over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Over {
    whole: RecordingId,
    declared: RecordingId,
    undeclared: RecordingId,
    cut_short: RecordingId,
    refused: RecordingId,
    not_drawn: RecordingId,
    not_requested: RecordingId,
    destroyed: RecordingId,
    parts: [RecordingId; 3],
}

/// An archive with one conversation of every kind, as it is at `now`.
pub(crate) fn fill(folder: &Path, now: Timestamp) -> Outcome<Filled> {
    let over = fill_folder(folder, now)?;
    with_a_call(folder, over, now, None)
}

/// Puts every conversation that is over into a folder, and closes the archive.
pub(crate) fn fill_folder(folder: &Path, now: Timestamp) -> Outcome<Over> {
    let archive = open(folder, now)?;
    let destroyed = whole(&archive, "proefgesprekken", now.plus_micros(-40 * DAY))?;
    let parts = transferred(&archive, now.plus_micros(-39 * DAY))?;
    let over = Over {
        destroyed,
        parts,
        not_drawn: refused(&archive, "steekproef", now.plus_micros(-6 * DAY))?,
        not_requested: refused(&archive, "op-verzoek", now.plus_micros(-6 * DAY))?,
        refused: refused(&archive, "verkoop-heimelijk", now.plus_micros(-5 * DAY))?,
        cut_short: cut_short(&archive, now.plus_micros(-4 * DAY - 3_600 * SECOND))?,
        undeclared: undeclared(&archive, now.plus_micros(-4 * DAY))?,
        declared: declared(&archive, now.plus_micros(-3 * DAY))?,
        whole: whole(&archive, "orders", now.plus_micros(-2 * DAY))?,
    };
    for id in [destroyed, parts[0]] {
        match retention::destroy(&archive, id, now)? {
            Asked::Given(_) => {}
            Asked::Refused { decision, .. } => {
                return Err(format!("not destroyed: {decision:?}").into());
            }
        }
    }
    archive.sequence()?;
    Ok(over)
}

/// Opens a filled archive, under house rules if there are any, with a call in it that waits for consent.
pub(crate) fn with_a_call(
    folder: &Path,
    over: Over,
    now: Timestamp,
    house: Option<&str>,
) -> Outcome<Filled> {
    let archive = open_under(folder, now, house)?;
    let waiting = open_call(
        &archive,
        "verkoop",
        "tel:+4930123456",
        now.plus_micros(-SECOND),
    )?;
    archive.ask_to_record(waiting.id, now)?;
    // What was called in vain is known as long as the archive is open.
    let not_set_up = refused(&archive, "verkop", now.plus_micros(-3_600 * SECOND))?;
    refused(&archive, "+31612345678", now.plus_micros(-3_000 * SECOND))?;
    archive.sequence()?;
    Ok(Filled {
        archive,
        whole: over.whole,
        declared: over.declared,
        undeclared: over.undeclared,
        cut_short: over.cut_short,
        refused: over.refused,
        not_drawn: over.not_drawn,
        not_requested: over.not_requested,
        destroyed: over.destroyed,
        parts: over.parts,
        waiting: waiting.id,
        not_set_up,
    })
}

fn stream(number: u16) -> MediaStream {
    MediaStream {
        number: StreamNumber(number),
        label: Some(number.to_string()),
        codec: Codec::Pcma,
        payload_type: 8,
        parameters: None,
        also: vec![],
        party: Some(format!("p{number}")),
    }
}

fn open_call(archive: &Archive, line: &str, other: &str, at: Timestamp) -> Outcome<Call> {
    let party = |address: &str, name: &str| OfferedParty {
        address: Pii::new(address.to_owned()),
        further_addresses: Vec::new(),
        name: Some(Pii::new(name.to_owned())),
        is_caller: None,
        has_left: false,
    };
    let offered = OfferedCall {
        line: line.to_owned(),
        parties: vec![
            party("sip:2001@voorbeeld.example", "Balie Verkoop"),
            party(other, NAME),
        ],
        streams: vec![stream(1), stream(2)],
        offered_at: at,
        about: About::default(),
    };
    Ok(archive.open_call(offered, at)?)
}

/// One packet of a tone that can be heard.
fn rtp(sequence: u16) -> Vec<u8> {
    let mut bytes = vec![0x80, 8];
    bytes.extend_from_slice(&sequence.to_be_bytes());
    bytes.extend_from_slice(&(u32::from(sequence) * 160).to_be_bytes());
    bytes.extend_from_slice(&0xcafe_u32.to_be_bytes());
    bytes.extend([0xd5, 0x85, 0x95, 0x85, 0x55, 0x05, 0x15, 0x05].repeat(20));
    bytes
}

/// A journal that is being written.
struct Tape<'a> {
    archive: &'a Archive,
    writer: RecordingWriter,
    chunk: ChunkBuilder,
    start: Timestamp,
}

impl<'a> Tape<'a> {
    fn start(
        archive: &'a Archive,
        call: &Call,
        before: &[(Timestamp, JournalEvent)],
        at: Timestamp,
    ) -> Outcome<Self> {
        let answer = archive.ask_to_record(call.id, at)?;
        let decision = answer.id;
        let writer = archive.begin(permit(answer)?)?;
        let mut tape = Tape {
            archive,
            writer,
            chunk: ChunkBuilder::new(),
            start: call.offered_at,
        };
        tape.event(call.offered_at, &JournalEvent::CallStarted {})?;
        for stream in &call.streams {
            let added = JournalEvent::StreamAdded {
                stream: stream.clone(),
            };
            tape.event(call.offered_at, &added)?;
        }
        for (at, event) in before {
            tape.event(*at, event)?;
        }
        tape.event(at, &JournalEvent::Permitted { decision })?;
        Ok(tape)
    }

    fn event(&mut self, at: Timestamp, event: &JournalEvent) -> Outcome<()> {
        Ok(self.chunk.push_event(at, event)?)
    }

    /// Packets on both streams, each 20 ms after the one before.
    fn sound(&mut self, sequences: std::ops::Range<u16>) -> Outcome<()> {
        for sequence in sequences {
            let arrived = self.start.plus_micros(i64::from(sequence) * STEP);
            for number in [1, 2] {
                let packet = rtp(sequence);
                self.chunk
                    .push_packet(StreamNumber(number), arrived, PacketKind::Rtp, &packet)?;
            }
            if sequence % 15 == 14 {
                self.archive.append(&mut self.writer, &self.chunk.take())?;
            }
        }
        Ok(())
    }

    /// A report of the sender of the first stream, whose clock is two minutes fast and gains.
    fn sender_says(&mut self, micros: i64, goodbye: bool) -> Outcome<()> {
        let (since_1900, fast) = (2_208_988_800_000_000, 120 * SECOND);
        let arrived = self.start.plus_micros(micros);
        let wall = since_1900 + self.start.micros() + fast + micros + micros / 100;
        let mut packet = vec![0x80, 200, 0, 6, 0, 0, 0xca, 0xfe];
        packet.extend(u32::try_from(wall / SECOND)?.to_be_bytes());
        let fraction = u32::try_from(((wall % SECOND) << 32) / SECOND)?;
        packet.extend(fraction.to_be_bytes());
        packet.extend([0; 12]);
        if goodbye {
            packet.extend([0x81, 203, 0, 1, 0, 0, 0xca, 0xfe]);
        }
        let chunk = &mut self.chunk;
        Ok(chunk.push_packet(StreamNumber(1), arrived, PacketKind::Rtcp, &packet)?)
    }

    fn end(self, at: Timestamp) -> Outcome<RecordingId> {
        self.end_by(Cause::RecordingClient, at)
    }

    fn end_by(mut self, cause: Cause, at: Timestamp) -> Outcome<RecordingId> {
        let id = self.writer.id();
        self.event(at, &JournalEvent::CallEnded { cause })?;
        self.archive.append(&mut self.writer, &self.chunk.take())?;
        self.archive.commit()?;
        self.archive.close(&mut self.writer)?;
        self.archive.finish(self.writer, at)?;
        Ok(id)
    }
}

fn permit(answer: Answer<act::Record>) -> Outcome<voicelog_archive::Permit<act::Record>> {
    match answer.verdict {
        Verdict::Permit(permit) => Ok(permit),
        Verdict::Refusal(refusal) => Err(format!("refused: {refusal:?}").into()),
    }
}

pub(crate) fn whole(archive: &Archive, line: &str, at: Timestamp) -> Outcome<RecordingId> {
    let call = open_call(archive, line, ADDRESS, at)?;
    let mut tape = Tape::start(archive, &call, &[], at)?;
    tape.sound(0..100)?;
    tape.end(at.plus_micros(100 * STEP))
}

/// A call that is transferred: the exchange ends its session and begins two new ones.
fn transferred(archive: &Archive, at: Timestamp) -> Outcome<[RecordingId; 3]> {
    let line = "proefgesprekken";
    let first = whole(archive, line, at)?;
    let at = at.plus_micros(3 * SECOND);
    let call = open_call(archive, line, ADDRESS, at)?;
    let stream = |number: u16, rule: &str| StreamReport {
        stream: StreamNumber(number),
        voices: vec![format!("p{number}")],
        rule: Some(rule.to_owned()),
    };
    let session = Link {
        kind: LinkKind::Session,
        id: Pii::new("c0ffee00-1234".to_owned()),
    };
    let mut about = About {
        links: vec![session],
        replaces: Some(first),
        called_before: Vec::new(),
        report: CallReport {
            quirks: vec!["unknown_label".to_owned(), "metadata_trailing".to_owned()],
            streams: vec![stream(1, "label"), stream(2, "order")],
            senders: Vec::new(),
        },
    };
    archive.update_about(call.id, about.clone());
    let mut tape = Tape::start(archive, &call, &[], at)?;
    archive.write_down(call.id, at)?;
    about.replaces = None;
    let again = open_call(archive, line, ADDRESS, at.plus_micros(STEP))?;
    archive.update_about(again.id, about);
    let mut copy = Tape::start(archive, &again, &[], at.plus_micros(STEP))?;
    archive.write_down(again.id, at)?;
    tape.sound(0..100)?;
    let p3 = || "p3".to_owned();
    tape.event(
        at.plus_micros(2 * SECOND),
        &JournalEvent::PartyJoined { party: p3() },
    )?;
    tape.sound(100..200)?;
    tape.event(
        at.plus_micros(4 * SECOND),
        &JournalEvent::PartyLeft { party: p3() },
    )?;
    tape.sender_says(SECOND, false)?;
    tape.sender_says(3 * SECOND, true)?;
    copy.sound(0..200)?;
    let second = tape.end(at.plus_micros(200 * STEP))?;
    let third = copy.end(at.plus_micros(201 * STEP))?;
    Ok([first, second, third])
}

fn undeclared(archive: &Archive, at: Timestamp) -> Outcome<RecordingId> {
    let call = open_call(archive, "verkoop", ADDRESS, at)?;
    let mut tape = Tape::start(archive, &call, &[], at)?;
    tape.sound(0..150)?;
    tape.end(at.plus_micros(9 * SECOND))
}

/// A call that a full disk cut short, after somebody had pressed the key that says no.
fn cut_short(archive: &Archive, at: Timestamp) -> Outcome<RecordingId> {
    let call = open_call(archive, "verkoop", ADDRESS, at)?;
    let mut tape = Tape::start(archive, &call, &[], at)?;
    tape.sound(0..50)?;
    let refusal = JournalEvent::RefusalSaid {
        party: "p2".to_owned(),
        by: SaidBy::Key,
    };
    tape.event(at.plus_micros(SECOND), &refusal)?;
    tape.sound(50..150)?;
    tape.end_by(Cause::DiskFull, at.plus_micros(151 * STEP))
}

fn declared(archive: &Archive, at: Timestamp) -> Outcome<RecordingId> {
    let call = open_call(archive, "verkoop", "tel:+4930123456", at)?;
    let refused = archive.ask_to_record(call.id, at)?;
    let event = refused
        .refusal_event()
        .ok_or("a call with Germany was permitted without consent")?;
    let consent = at.plus_micros(7 * SECOND);
    let said = json!({
        "consent_per_participant": { "p1": "given", "p2": "given" },
        "openness": "announced_and_agreed",
    });
    let said = said.as_object().cloned().ok_or("no object")?;
    archive.say(call.id, said, consent)?;
    let mut tape = Tape::start(archive, &call, &[(at, event)], consent)?;
    tape.sound(350..600)?;
    let pause = at.plus_micros(600 * STEP);
    tape.event(
        pause,
        &JournalEvent::StreamPaused {
            stream: StreamNumber(1),
            by: Cause::RecordingClient,
        },
    )?;
    tape.event(
        pause,
        &JournalEvent::StreamPaused {
            stream: StreamNumber(2),
            by: Cause::RecordingClient,
        },
    )?;
    let goes_on = at.plus_micros(700 * STEP);
    tape.event(
        goes_on,
        &JournalEvent::StreamResumed {
            stream: StreamNumber(1),
        },
    )?;
    tape.event(
        goes_on,
        &JournalEvent::StreamResumed {
            stream: StreamNumber(2),
        },
    )?;
    tape.sound(700..800)?;
    tape.sound(806..900)?;
    tape.end(at.plus_micros(900 * STEP))
}

fn refused(archive: &Archive, line: &str, at: Timestamp) -> Outcome<RecordingId> {
    let call = open_call(archive, line, ADDRESS, at)?;
    let answer = archive.ask_to_record(call.id, at)?;
    let event = answer
        .refusal_event()
        .ok_or("a covert recording was permitted")?;
    let mut events = vec![(at, JournalEvent::CallStarted {})];
    for stream in &call.streams {
        events.push((
            at,
            JournalEvent::StreamAdded {
                stream: stream.clone(),
            },
        ));
    }
    events.push((at, event));
    let end = at.plus_micros(12 * SECOND);
    events.push((
        end,
        JournalEvent::CallEnded {
            cause: Cause::RecordingClient,
        },
    ));
    archive.finish_unrecorded(call.id, &events, end)?;
    Ok(call.id)
}
