//! An archive on a temporary folder, a recorder in front of it, and calls into it.

use serde_json::{Map, Value, json};
use std::net::UdpSocket;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;
use voicelog_archive::journal::{PacketKind, Record};
use voicelog_archive::keys::EpochKeys;
use voicelog_archive::line::{
    Address as LineAddress, Direction, Keep, KeyAct, Keys, LineNotice, Sequence, When,
};
use voicelog_archive::timeline::{IntervalKind, Timeline};
use voicelog_archive::{
    Answer, Archive, ArchiveError, Detail, Line, Lines, OneIn, Parts, Permit, Playable, Rule,
    Sample, Secrets, Verdict, WhenRefused,
};
use voicelog_evidence::key::{DataKey, KeyEncryptionKey};
use voicelog_evidence::note::SigningKey;
use voicelog_evidence::original::{read_events, read_packets};
use voicelog_evidence::zip;
use voicelog_law::Rulebook;
use voicelog_model::rtp::RtpPacket;
use voicelog_model::{Action, Clock, Pii, RecordingId, StreamNumber, Timestamp};
use voicelog_recorder::{CallState, Recorder, RecorderConfig};
use voicelog_src_sim::{CallPlan, CallReport, Participant, Payload, StreamPlan, place};
use voicelog_store::blobs::Options;
use voicelog_store::{Access, ArchiveId, Layout, LocalStore};

/// Longer than anything here takes on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// The machine's clock: sockets have it too.
#[derive(Debug)]
pub(crate) struct MachineClock;

impl Clock for MachineClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "these tests run in real time, as sockets do"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap())
    }
}

pub(crate) fn now() -> Timestamp {
    MachineClock.now()
}

fn facts(openness: &str) -> Map<String, Value> {
    let facts = json!({
        "recorder_type": "company", "counterpart_types": ["private_person"],
        "participation": "participant", "openness": openness,
        "purpose": "bewijs_overeenkomst", "legal_basis": "b", "structural": "all",
        "staff_informed": "each_call_signal", "or_status": "consented", "dpia": "done",
        "private_use_possible": true, "retention_term": "P1Y",
    });
    facts.as_object().unwrap().clone()
}

fn line(name: &str, openness: &str, when_refused: WhenRefused) -> Line {
    Line {
        own_domains: vec!["voorbeeld.example".to_owned()],
        when_refused,
        facts: facts(openness),
        ..Line::not_set_up(name)
    }
}

/// A line that covers calls that come in and calls that go out in different ways, and those of one
/// queue like the latter.
fn ruled() -> Line {
    let queue = Rule {
        sound_term: None,
        name: "queue".to_owned(),
        when: When {
            queue: vec![LineAddress::try_from("+31881234599".to_owned()).unwrap()],
            ..When::default()
        },
        facts: facts("covert"),
        sample: None,
    };
    let outbound = Rule {
        sound_term: None,
        name: "outbound".to_owned(),
        when: When {
            direction: Some(Direction::Outbound),
            ..When::default()
        },
        facts: facts("covert"),
        sample: None,
    };
    Line {
        rules: vec![queue, outbound],
        ..line("ruled", "announced", WhenRefused::Wait)
    }
}

/// A line of whose calls one in two is recorded.
fn sampled() -> Line {
    let mut line = line("sampled", "announced", WhenRefused::Wait);
    line.facts.insert("structural".to_owned(), json!("sample"));
    Line {
        sample: Some(Sample {
            one_in: one_in_two(),
        }),
        ..line
    }
}

pub(crate) fn one_in_two() -> OneIn {
    OneIn::try_from(2).unwrap()
}

/// A line on which keys pause and say consent.
fn keyed() -> Line {
    let table = |all: &[(&str, KeyAct)]| {
        let sequence = |text: &str| Sequence::try_from(text.to_owned()).unwrap();
        all.iter()
            .map(|(text, act)| (sequence(text), *act))
            .collect()
    };
    let own = [
        ("*7", KeyAct::PauseCardData),
        ("*8", KeyAct::Resume),
        ("*5", KeyAct::PrivateCall),
        ("*9", KeyAct::BusinessAgain),
        ("*3", KeyAct::OthersConsent),
        ("1", KeyAct::Consent),
    ];
    let other = [("1", KeyAct::Consent), ("2", KeyAct::Refuse)];
    Line {
        keys: Keys {
            own: table(&own),
            other: table(&other),
            ..Keys::default()
        },
        ..line("keyed", "announced", WhenRefused::Wait)
    }
}

/// A line of which next to no call is drawn.
fn rarely() -> Line {
    let one_in = OneIn::try_from(10_000).unwrap();
    Line {
        sample: Some(Sample { one_in }),
        ..line("rarely", "announced", WhenRefused::Wait)
    }
}

/// A line that keeps the calls that somebody asks to keep.
pub(crate) fn on_request(name: &str, look_back_seconds: u32) -> Line {
    let act = ("*4".to_owned(), KeyAct::KeepComplaint);
    let own = [act].into_iter().filter(|_act| look_back_seconds > 0);
    let mut facts = facts("announced");
    facts.insert("structural".to_owned(), json!("per_call_button"));
    Line {
        keep: Keep::OnRequest,
        look_back_seconds,
        keys: Keys {
            own: own
                .map(|(text, act)| (Sequence::try_from(text).unwrap(), act))
                .collect(),
            ..Keys::default()
        },
        facts,
        ..line(name, "announced", WhenRefused::Reject)
    }
}

/// A line whose notice is looked for.
fn with_notice(name: &str, keep_before: bool) -> Line {
    let notice = LineNotice {
        audio: "notice.wav".to_owned(),
        within_seconds: 5,
        keep_before,
    };
    Line {
        notice: Some(notice),
        ..line(name, "announced", WhenRefused::Wait)
    }
}

pub(crate) fn parts(folder: &Path) -> Parts {
    let layout = Layout::in_folder(folder);
    if !layout.exists() {
        LocalStore::create(&layout, ArchiveId([7; 16]), now()).unwrap();
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
        rulebook: Rulebook::embedded(now()).unwrap(),
        lines: Lines::new(vec![
            line("announced", "announced", WhenRefused::Wait),
            line("covert", "covert", WhenRefused::Wait),
            line("strict", "covert", WhenRefused::Reject),
            Line {
                keep_keys: true,
                ..line("digits", "announced", WhenRefused::Wait)
            },
            ruled(),
            sampled(),
            keyed(),
            rarely(),
            on_request("asked", 2),
            on_request("asked-late", 0),
            with_notice("notice", false),
            with_notice("notice-after", true),
        ]),
    }
}

pub(crate) fn open_archive(folder: &Path) -> Arc<Archive> {
    Arc::new(Archive::open(parts(folder)))
}

pub(crate) fn config() -> RecorderConfig {
    let any = Some("127.0.0.1:0".parse().unwrap());
    RecorderConfig {
        sip_udp: any,
        sip_tcp: any,
        keep_free_bytes: 0,
        ..RecorderConfig::default()
    }
}

/// A server: archive and recorder.
pub(crate) struct Server {
    pub(crate) recorder: Recorder,
    pub(crate) archive: Arc<Archive>,
    pub(crate) folder: TempDir,
}

pub(crate) fn server() -> Server {
    server_with(&config())
}

pub(crate) fn server_with(config: &RecorderConfig) -> Server {
    server_by(config, Arc::new(MachineClock))
}

/// A server whose clock is this one.
pub(crate) fn server_by(config: &RecorderConfig, clock: Arc<dyn Clock>) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let archive = open_archive(folder.path());
    let recorder = Recorder::start(config, Arc::clone(&archive), clock).unwrap();
    Server {
        recorder,
        archive,
        folder,
    }
}

/// A server with these lines only.
pub(crate) fn server_on(lines: Vec<Line>) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let parts = Parts {
        lines: Lines::new(lines),
        ..parts(folder.path())
    };
    let archive = Arc::new(Archive::open(parts));
    let recorder = Recorder::start(&config(), Arc::clone(&archive), Arc::new(MachineClock));
    Server {
        recorder: recorder.unwrap(),
        archive,
        folder,
    }
}

/// A line on which every Dutch call may be recorded, and which takes the calls that name no line.
pub(crate) fn default_line() -> Line {
    Line {
        is_default: true,
        ..line("rest", "announced", WhenRefused::Wait)
    }
}

/// Waits until something holds. There is no event to wait on across the socket.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let (_sender, never) = std::sync::mpsc::channel::<()>();
    for _try in 0..2_000 {
        if holds() {
            return;
        }
        assert!(never.recv_timeout(Duration::from_millis(10)).is_err());
    }
    panic!("it never came about: {what}");
}

/// Lets real time pass, for media to flow.
pub(crate) fn pass(millis: u64) {
    let (_sender, never) = std::sync::mpsc::channel::<()>();
    assert!(never.recv_timeout(Duration::from_millis(millis)).is_err());
}

impl Server {
    /// Stops at once, as a crash would; what is left is its folder.
    pub(crate) fn stop(self) -> TempDir {
        drop(self.recorder);
        drop(self.archive);
        self.folder
    }

    /// A Dutch call with two streams whose packets all differ.
    pub(crate) fn plan(&self, line: &str, seed: u64) -> CallPlan {
        let mut plan = CallPlan::speech(self.recorder.udp_address().unwrap(), line);
        plan.participants = vec![
            Participant::new("sip:2001@voorbeeld.example", "Verkoop"),
            Participant::new("tel:+31201234567", "Klant"),
        ];
        plan.streams = (1..=2)
            .map(|number| {
                let mut stream =
                    StreamPlan::new(&number.to_string(), Payload::Seeded(seed * 10 + number));
                stream.keep_payload = true;
                stream
            })
            .collect();
        plan.duration = None;
        plan
    }

    /// The same with a participant in Germany, which asks for everybody's consent.
    pub(crate) fn german_plan(&self, seed: u64) -> CallPlan {
        let mut plan = self.plan("announced", seed);
        plan.participants[1] = Participant::new("tel:+4930901820", "Kunde");
        plan
    }

    /// The only call there is, once it is in a state.
    pub(crate) fn call_in(&self, state: CallState) -> RecordingId {
        let mut found = None;
        wait_until(&format!("a call that is {state:?}"), || {
            let calls = self.recorder.status().calls;
            found = calls
                .iter()
                .find(|call| call.state == state)
                .map(|call| call.id);
            found.is_some()
        });
        found.unwrap()
    }

    /// Places a call, and waits until it has ended by itself and is closed; what was sent.
    pub(crate) fn whole_call(&self, plan: &CallPlan) -> (RecordingId, CallReport) {
        let call = place(plan).unwrap();
        let id = self.call_in(CallState::Recording);
        let report = call.finish().unwrap();
        self.all_closed();
        (id, report)
    }

    /// Waits until every call is over and closed.
    pub(crate) fn all_closed(&self) {
        wait_until("all calls are closed", || {
            let status = self.recorder.status();
            status.calls.is_empty() && status.closing == 0
        });
    }

    pub(crate) fn detail(&self, id: RecordingId) -> Detail {
        self.archive.detail(id).unwrap()
    }

    pub(crate) fn timeline(&self, id: RecordingId) -> Timeline {
        self.detail(id).timeline.expect("it should be closed")
    }

    pub(crate) fn say(&self, id: RecordingId, facts: &Value) {
        self.archive
            .say(id, facts.as_object().unwrap().clone(), now())
            .unwrap();
    }

    /// Opens a recording to listen to it.
    pub(crate) fn play(&self, id: RecordingId) -> Result<Playable, ArchiveError> {
        let facts =
            json!({ "requester_role": "controller_staff", "need_to_know_basis": "complaint 12" });
        let facts = facts.as_object().unwrap();
        let answer = self.archive.ask_to_listen(id, &asker(), facts, now());
        self.archive.play(permit(answer.unwrap()), now())
    }

    /// All the sound of an opened recording: a WAV file.
    pub(crate) fn heard(&self, opened: &Playable) -> Vec<u8> {
        let (mut reader, mut wav) = (opened.read(0..opened.byte_len()), Vec::new());
        loop {
            let piece = self.archive.sound(opened, &mut reader).unwrap();
            if piece.is_empty() {
                return wav;
            }
            wav.extend(piece);
        }
    }

    /// Everything that was kept of a recording, as its copy has it.
    pub(crate) fn open(&self, id: RecordingId) -> Kept {
        let court = Action::FileInCourt;
        let answer = self
            .archive
            .ask_for_copy(id, court, &asker(), &Map::new(), now());
        let copy = self.archive.export(permit(answer.unwrap()), None, now());
        let copy = copy.unwrap();
        let mut records = Vec::new();
        for (name, bytes) in zip::read(&copy).unwrap() {
            let original = name.strip_prefix("original/");
            match original.and_then(|name| name.strip_suffix(".journal")) {
                Some("events") => {
                    let events = read_events(bytes).unwrap().into_iter();
                    records.extend(events.map(|(n, at, event)| (n, Record::Event { at, event })));
                }
                Some(stream) => {
                    let stream = StreamNumber(stream.parse().unwrap());
                    let packets = read_packets(stream, bytes).unwrap().into_iter();
                    records.extend(packets.map(|(n, packet)| (n, packet.to_record())));
                }
                None => {}
            }
        }
        records.sort_by_key(|(n, _)| *n);
        Kept {
            records: records.into_iter().map(|(_, record)| record).collect(),
        }
    }
}

/// What is kept of a recording.
pub(crate) struct Kept {
    /// In the order of arrival.
    pub(crate) records: Vec<Record>,
}

fn asker() -> Pii<String> {
    Pii::new("somebody".to_owned())
}

fn permit<A>(answer: Answer<A>) -> Permit<A> {
    match answer.verdict {
        Verdict::Permit(permit) => permit,
        Verdict::Refusal(_) => panic!("{:?}", answer.decision),
    }
}

/// The payload kept of each stream, in the order of arrival.
pub(crate) fn payloads(opened: &Kept, stream: u16) -> Vec<u8> {
    let mut all = Vec::new();
    for record in &opened.records {
        if let Record::Packet {
            stream: number,
            kind: PacketKind::Rtp,
            bytes,
            ..
        } = record
            && *number == StreamNumber(stream)
        {
            all.extend_from_slice(RtpPacket::parse(bytes).unwrap().payload);
        }
    }
    all
}

/// What the client sent, stream by stream.
pub(crate) fn sent(report: &CallReport) -> Vec<Vec<u8>> {
    report
        .streams
        .iter()
        .map(|stream| stream.payload.clone().unwrap())
        .collect()
}

/// The kinds of interval on the first stream.
pub(crate) fn kinds(timeline: &Timeline) -> Vec<IntervalKind> {
    timeline.streams[0]
        .intervals
        .iter()
        .map(|interval| interval.kind)
        .collect()
}

/// A G.711 packet of some stranger.
pub(crate) fn strange_packet(sequence: u16) -> Vec<u8> {
    let mut bytes = vec![0x80, 8];
    bytes.extend_from_slice(&sequence.to_be_bytes());
    bytes.extend_from_slice(&(u32::from(sequence) * 160).to_be_bytes());
    bytes.extend_from_slice(&[0xba; 4]);
    bytes.extend_from_slice(&[0x55; 160]);
    bytes
}

pub(crate) fn stranger() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").unwrap()
}
