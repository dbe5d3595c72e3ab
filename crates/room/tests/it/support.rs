//! A room with a real archive, and devices that send what browsers send.

use ropus::{Application, Channels, Encoder};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tempfile::TempDir;
use voicelog_archive::keys::EpochKeys;
use voicelog_archive::notice::Notice;
use voicelog_archive::timeline::{Timeline, Verdict as Completeness};
use voicelog_archive::{Archive, Detail, Line, Lines, Parts, Secrets, State as Kept, Verdict};
use voicelog_evidence::key::{DataKey, KeyEncryptionKey};
use voicelog_evidence::note::SigningKey;
use voicelog_law::Rulebook;
use voicelog_model::{Clock, Pii, RecordingId, SimClock, Timestamp};
use voicelog_room::{
    Act, Choice, ChunkRefused, Hash, Phase, PlayedNotice, Rooms, Seat, State, Taken,
};
use voicelog_store::blobs::Options;
use voicelog_store::faulty::{FaultyBlobs, FaultyIndex, Schedule};
use voicelog_store::index::Decisions as _;
use voicelog_store::{Access, ArchiveId, Layout, LocalStore};

/// 2026-11-23T10:00:00Z.
pub(crate) const START: Timestamp = Timestamp::from_micros(1_795_428_000_000_000);
pub(crate) const SECOND: i64 = 1_000_000;
const RATE: usize = 48_000;
const FRAME: usize = RATE / 50;

/// An assessment at an employer that keeps it for a year.
fn assessment() -> Map<String, Value> {
    let facts = json!({
        "recorder_type": "company", "counterpart_types": ["private_person"],
        "participation": "participant", "channel": "live_inside", "structural": "single",
        "purpose": "bewijs_overeenkomst", "legal_basis": "b",
        "staff_informed": "each_call_signal", "or_status": "consented", "dpia": "done",
        "private_use_possible": true, "retention_term": "P1Y",
    });
    facts.as_object().unwrap().clone()
}

/// The same on everybody's consent.
fn on_consent() -> Map<String, Value> {
    let mut facts = assessment();
    facts.insert("legal_basis".to_owned(), json!("a"));
    facts
}

/// With a fact that is none.
fn mistaken() -> Map<String, Value> {
    let mut facts = assessment();
    facts.insert("legal_basis".to_owned(), json!("z"));
    facts
}

fn kind(name: &str, facts: Map<String, Value>) -> Line {
    Line {
        title: format!("Gesprek {name}"),
        copy_days: 14,
        facts,
        ..Line::not_set_up(name)
    }
}

fn rulebook() -> Rulebook {
    static SHARED: OnceLock<Rulebook> = OnceLock::new();
    SHARED
        .get_or_init(|| Rulebook::embedded(START).unwrap())
        .clone()
}

fn parts(folder: &Path) -> Parts {
    let layout = Layout::in_folder(folder);
    if !layout.exists() {
        LocalStore::create(&layout, ArchiveId([7; 16]), START).unwrap();
    }
    let store = LocalStore::open(&layout, Access::Write(Options::default())).unwrap();
    Parts {
        index: Box::new(store.index),
        blobs: Box::new(store.blobs),
        keys: Box::new(store.keys),
        secrets: Secrets {
            epoch_keys: EpochKeys::given(KeyEncryptionKey::new(1, [1; 32])),
            signing_key: SigningKey::from_seed("voicelog/test", [2; 32]).unwrap(),
            decision_key: DataKey::from_random([3; 32]),
        },
        rulebook: rulebook(),
        lines: Lines::new(Vec::new()).with_rooms(vec![
            kind("contract", assessment()),
            kind("consent", on_consent()),
            kind("mistaken", mistaken()),
        ]),
    }
}

/// A place with rooms, whose clock stands still until it is moved.
pub(crate) struct Place {
    pub(crate) rooms: Arc<Rooms>,
    pub(crate) archive: Arc<Archive>,
    pub(crate) clock: Arc<SimClock>,
    pub(crate) folder: TempDir,
}

pub(crate) fn place() -> Place {
    place_over(None, None, BTreeMap::new())
}

/// The same where talks of the kind `contract` have this notice, at 48 kHz.
pub(crate) fn place_with_notice(samples: &[i16]) -> Place {
    let sound = Arc::new(Notice::new(samples, 48_000).unwrap());
    let file = Arc::from(&b"RIFF"[..]);
    let notice = PlayedNotice { sound, file };
    place_over(
        None,
        None,
        BTreeMap::from([("contract".to_owned(), notice)]),
    )
}

/// The same with an index that can fail.
pub(crate) fn place_with_index(index: &Schedule) -> Place {
    place_over(None, Some(index), BTreeMap::new())
}

/// The same on a disk that can be full.
pub(crate) fn place_on(disk: &Schedule) -> Place {
    place_over(Some(disk), None, BTreeMap::new())
}

fn place_over(
    disk: Option<&Schedule>,
    index: Option<&Schedule>,
    notices: BTreeMap<String, PlayedNotice>,
) -> Place {
    let folder = tempfile::tempdir().unwrap();
    let mut parts = parts(folder.path());
    if let Some(disk) = disk {
        parts.blobs = Box::new(FaultyBlobs::new(parts.blobs, disk.clone()));
    }
    if let Some(index) = index {
        parts.index = Box::new(FaultyIndex::new(parts.index, index.clone()));
    }
    let archive = Arc::new(Archive::open(parts));
    let clock = Arc::new(SimClock::new(START));
    let shared: Arc<dyn Clock> = Arc::<SimClock>::clone(&clock);
    let rooms = Rooms::start(Arc::clone(&archive), shared, notices).unwrap();
    Place {
        rooms: Arc::new(rooms),
        archive,
        clock,
        folder,
    }
}

/// The server that is started again after a crash.
pub(crate) fn recovered(place: Place) -> (Arc<Archive>, TempDir) {
    let Place {
        rooms,
        archive,
        clock,
        folder,
    } = place;
    drop(rooms);
    drop(archive);
    let archive = Archive::open(parts(folder.path()));
    archive
        .recover(clock.now().plus_micros(60 * SECOND))
        .unwrap();
    (Arc::new(archive), folder)
}

/// A talk of a host and a guest who agreed.
pub(crate) struct Meeting {
    pub(crate) id: RecordingId,
    pub(crate) host: Seat,
    pub(crate) guest: Seat,
}

impl Place {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A host opened a talk of that kind, and a guest came in.
    pub(crate) fn meet(&self, kind: &str) -> Meeting {
        let id = self.rooms.open(kind, "anna", Some("Anna")).unwrap();
        let host = self.rooms.host_seat(id, "anna").unwrap();
        let code = self.state(&host).code.unwrap();
        let guest = self.rooms.join(&code, Some("Bram"), [9; 32]).unwrap();
        Meeting { id, host, guest }
    }

    /// The same where the guest agreed and the host started.
    pub(crate) fn recording(&self) -> Meeting {
        let meeting = self.meet("contract");
        self.rooms
            .choose(&meeting.guest, Choice::RecordsToo)
            .unwrap();
        self.rooms.act(&meeting.host, Act::Start).unwrap();
        assert_eq!(self.state(&meeting.host).phase, Phase::Recording);
        meeting
    }

    pub(crate) fn state(&self, seat: &Seat) -> State {
        self.rooms.state(seat).unwrap()
    }

    /// Of how many decisions about a talk the facts are kept.
    pub(crate) fn facts_kept(&self, id: RecordingId) -> usize {
        let layout = Layout::in_folder(self.folder.path());
        let store = LocalStore::open(&layout, Access::Read).unwrap();
        let decisions = store.index.decisions_of(id).unwrap();
        decisions
            .iter()
            .filter(|one| !one.sealed_facts.is_empty())
            .count()
    }

    pub(crate) fn wait(&self, micros: i64) {
        self.clock.advance_micros(micros);
    }

    /// Waits until the recording is closed, and gives what is known of it.
    pub(crate) fn closed(&self, id: RecordingId) -> Detail {
        until("it is closed", || {
            self.rooms.tick();
            let detail = self.archive.detail(id).ok()?;
            let is_closed = matches!(detail.summary.state, Kept::Sealed | Kept::NotRecorded);
            is_closed.then_some(detail)
        })
    }

    pub(crate) fn device(&self, seat: &Seat) -> Device {
        Device::new(self, seat)
    }
}

/// A browser that records.
pub(crate) struct Device {
    rooms: Arc<Rooms>,
    clock: Arc<SimClock>,
    seat: Seat,
    pub(crate) track: u16,
    began: Timestamp,
    encoder: Encoder,
    tone: usize,
    /// What it hears from now on, instead of its tone.
    pub(crate) hears: VecDeque<i16>,
    sequence: u16,
    timestamp: u32,
    pub(crate) ssrc: u32,
    frames: Vec<u8>,
    /// Chunks that are not acknowledged.
    pub(crate) spool: Vec<Vec<u8>>,
    pub(crate) made: u32,
    pub(crate) chain: Hash,
    /// Every packet's payload that it made, with the moment of its capture.
    pub(crate) payloads: Vec<(Timestamp, Vec<u8>)>,
}

impl Device {
    fn new(place: &Place, seat: &Seat) -> Self {
        let opened = place.rooms.open_track(seat, "opus/48000/2", 111).unwrap();
        assert_eq!((opened.now_us, opened.next), (0, 0));
        let tone = 200 * usize::from(opened.track);
        Self {
            rooms: Arc::clone(&place.rooms),
            clock: Arc::clone(&place.clock),
            seat: seat.clone(),
            track: opened.track,
            began: place.now(),
            encoder: Encoder::builder(48_000, Channels::Mono, Application::Voip)
                .build()
                .unwrap(),
            tone,
            hears: VecDeque::new(),
            sequence: 1_000,
            timestamp: 7_000,
            ssrc: 0xabc0 + u32::from(opened.track),
            frames: Vec::new(),
            spool: Vec::new(),
            made: 0,
            chain: Hash::default(),
            payloads: Vec::new(),
        }
    }

    /// Microseconds since the track began.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now().micros_since(self.began)
    }

    /// Captures one frame of 20 ms that ends now.
    pub(crate) fn capture(&mut self) {
        let said: Vec<i16> = (0..FRAME)
            .map(|place| self.hears.pop_front().unwrap_or_else(|| self.sample(place)))
            .collect();
        let mut bytes = [0; 1_000];
        let length = self.encoder.encode(&said, &mut bytes).unwrap();
        let mut packet = vec![0x80, 111];
        packet.extend_from_slice(&self.sequence.to_be_bytes());
        packet.extend_from_slice(&self.timestamp.to_be_bytes());
        packet.extend_from_slice(&self.ssrc.to_be_bytes());
        packet.extend_from_slice(&bytes[..length]);
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(u32::try_from(FRAME).unwrap());
        self.payloads
            .push((self.clock.now(), bytes[..length].to_vec()));
        self.frame(1, self.now(), &packet);
    }

    /// A saw tooth, of another pitch for each device.
    fn sample(&self, place: usize) -> i16 {
        let at = self.payloads.len() * FRAME + place;
        let wave = (at * self.tone) % RATE;
        i16::try_from(wave * 16_000 / RATE).unwrap() - 8_000
    }

    fn frame(&mut self, kind: u8, captured: i64, content: &[u8]) {
        self.frames.push(kind);
        self.frames.extend_from_slice(&captured.to_be_bytes());
        let length = u16::try_from(content.len()).unwrap();
        self.frames.extend_from_slice(&length.to_be_bytes());
        self.frames.extend_from_slice(content);
    }

    /// The microphone is taken away at that moment.
    pub(crate) fn interrupted(&mut self, captured: i64, reason: &str) {
        let mark = format!(r#"{{"mark":"interrupted","reason":"{reason}"}}"#);
        self.frame(2, captured, mark.as_bytes());
    }

    /// It is back, with a new source.
    pub(crate) fn resumed(&mut self) {
        self.frame(2, self.now(), br#"{"mark":"resumed"}"#);
        self.ssrc += 0x1000;
        self.sequence = self.sequence.wrapping_mul(7);
    }

    /// Puts what was captured into a chunk of the spool.
    pub(crate) fn cut(&mut self) {
        let mut chunk = b"VLRC\x01".to_vec();
        chunk.extend_from_slice(&self.made.to_be_bytes());
        chunk.extend_from_slice(&self.chain.0);
        chunk.append(&mut self.frames);
        self.made += 1;
        self.chain = Hash::of(&chunk);
        self.spool.push(chunk);
    }

    /// Hands over one chunk and waits for its acknowledgement.
    pub(crate) fn put(&self, number: u32, chunk: &[u8]) -> Result<u32, ChunkRefused> {
        put(&self.rooms, &self.seat, self.track, number, chunk)
    }

    /// Hands over all that waits.
    pub(crate) fn send(&mut self) {
        for chunk in std::mem::take(&mut self.spool) {
            let number = u32::from_be_bytes(chunk[5..9].try_into().unwrap());
            assert_eq!(self.put(number, &chunk).unwrap(), number + 1);
        }
    }

    /// Nothing more comes.
    pub(crate) fn end(&mut self) {
        self.send();
        let ended = self
            .rooms
            .end_track(&self.seat, self.track, self.made, self.chain);
        assert!(!ended.unwrap().is_open);
    }
}

pub(crate) fn put(
    rooms: &Rooms,
    seat: &Seat,
    track: u16,
    number: u32,
    chunk: &[u8],
) -> Result<u32, ChunkRefused> {
    match rooms.take_chunk(seat, track, number, Hash::of(chunk), chunk)? {
        Taken::OnDisk(next) => Ok(next),
        Taken::Waits(told) => told.blocking_recv().map_err(|_gone| ChunkRefused::Busy {
            why: "gone",
            next: 0,
        }),
    }
}

/// They all record for so many seconds, and cut a chunk each second.
pub(crate) fn record(place: &Place, devices: &mut [&mut Device], seconds: usize) {
    for _second in 0..seconds {
        for _frame in 0..50 {
            place.wait(20_000);
            for device in devices.iter_mut() {
                device.capture();
            }
        }
        for device in devices.iter_mut() {
            device.cut();
        }
    }
}

pub(crate) fn timeline(detail: &Detail) -> &Timeline {
    detail.timeline.as_ref().unwrap()
}

pub(crate) fn verdict(detail: &Detail) -> Completeness {
    timeline(detail).verdict
}

/// The sound of a closed recording: samples of each channel at 48 kHz.
pub(crate) fn sound(archive: &Archive, id: RecordingId, at: Timestamp) -> Vec<Vec<i16>> {
    let facts = json!({ "requester_role": "controller_staff", "need_to_know_basis": "case 12" });
    let asker = Pii::new("anna".to_owned());
    let answer = archive
        .ask_to_listen(id, &asker, facts.as_object().unwrap(), at)
        .unwrap();
    let Verdict::Permit(permit) = answer.verdict else {
        panic!("refused")
    };
    let opened = archive.play(permit, at).unwrap();
    let mut reader = opened.read(0..opened.byte_len());
    let mut bytes = Vec::new();
    loop {
        let piece = archive.sound(&opened, &mut reader).unwrap();
        if piece.is_empty() {
            break;
        }
        bytes.extend(piece);
    }
    let channels = usize::from(u16::from_le_bytes([bytes[22], bytes[23]]));
    let samples: Vec<i16> = bytes[44..]
        .chunks_exact(2)
        .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    (0..channels)
        .map(|channel| {
            samples
                .iter()
                .skip(channel)
                .step_by(channels)
                .copied()
                .collect()
        })
        .collect()
}

/// What a device's packets say, decoded one after the other.
pub(crate) fn said(payloads: &[(Timestamp, Vec<u8>)]) -> Vec<i16> {
    let mut decoder = ropus::Decoder::new(48_000, Channels::Mono).unwrap();
    let mut said = Vec::new();
    for (_, payload) in payloads {
        let mut samples = [0_i16; 5_760];
        let count = decoder
            .decode(payload, &mut samples, ropus::DecodeMode::Normal)
            .unwrap();
        said.extend_from_slice(&samples[..count]);
    }
    said
}

/// Waits for what the threads of the rooms do.
#[expect(clippy::disallowed_methods, reason = "other threads take real time")]
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _look in 0..4_000 {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("waited twenty seconds until {what}");
}
