//! Call control between a real endpoint and ends that the test holds: what the deciders answer and
//! when is the test's, and so is what the media thread is told.

use super::{Control, Parts};
use crate::decider::{Asked, DeciderEnd, DeciderHandle, NoAnswer, Reply};
use crate::finisher::{FinisherEnd, FinisherHandle};
use crate::media::{Attention, LookBack, MediaCommand};
use crate::ports::MediaPorts;
use crate::shared::{CallState, Shared};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use tempfile::TempDir;
use voicelog_archive::journal::{AskedBy, Cause, JournalEvent, KeepReason};
use voicelog_archive::keys::EpochKeys;
use voicelog_archive::line::Keep;
use voicelog_archive::{Archive, Call, KeepRequest, Line, Lines, OfferedCall, Secrets};
use voicelog_evidence::key::{DataKey, KeyEncryptionKey};
use voicelog_evidence::note::SigningKey;
use voicelog_law::Rulebook;
use voicelog_model::{DecisionId, RecordingId, StreamNumber, Timestamp};
use voicelog_srs::{
    Activity, Command, EndCause, Endpoint, Event, Input, Output, Peer, SessionKey, StreamActivity,
    Transport,
};
use voicelog_store::blobs::Options;
use voicelog_store::{Access, ArchiveId, Layout, LocalStore};

const SECOND: i64 = 1_000_000;

struct Bench {
    control: Control,
    archive: Arc<Archive>,
    shared: Arc<Shared>,
    media: Receiver<MediaCommand>,
    key: SessionKey,
    now: Timestamp,
    _deciders: DeciderEnd,
    _finisher: FinisherEnd,
    _folder: TempDir,
}

fn start() -> Timestamp {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

fn archive(folder: &TempDir) -> Archive {
    let layout = Layout::in_folder(folder.path());
    LocalStore::create(&layout, ArchiveId([7; 16]), start()).unwrap();
    let store = LocalStore::open(&layout, Access::Write(Options::default())).unwrap();
    Archive::open(voicelog_archive::Parts {
        index: Box::new(store.index),
        blobs: Box::new(store.blobs),
        keys: Box::new(store.keys),
        secrets: Secrets {
            epoch_keys: EpochKeys::given(KeyEncryptionKey::new(1, [1; 32])),
            signing_key: SigningKey::from_seed("voicelog/test", [2; 32]).unwrap(),
            decision_key: DataKey::from_random([3; 32]),
        },
        rulebook: Rulebook::embedded(start()).unwrap(),
        lines: Lines::new(vec![Line {
            keep: Keep::OnRequest,
            look_back_seconds: 30,
            ..Line::not_set_up("asked")
        }]),
    })
}

/// An offer of one stream, as the endpoint makes it.
fn offered() -> (SessionKey, Event) {
    let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
               m=audio 4000 RTP/AVP 8\r\na=label:1\r\na=sendonly\r\n";
    let invite = format!(
        "INVITE sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1\r\n\
         Max-Forwards: 70\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:x@h>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:a@127.0.0.1:5060>;+sip.src\r\nRequire: siprec\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    );
    let mut endpoint = Endpoint::new(voicelog_srs::Config::default(), [1; 32]);
    let address = "127.0.0.1:5060".parse().unwrap();
    endpoint.handle(Input::Message {
        now: start(),
        from: Peer {
            transport: Transport::Udp,
            address,
            connection: None,
        },
        local: address,
        bytes: invite.as_bytes(),
    });
    loop {
        if let Output::Event(key, event) = endpoint.poll().expect("an offer") {
            return (key, event);
        }
    }
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let archive = Arc::new(archive(&folder));
        let shared = Arc::new(Shared::default());
        let (decider, deciders) = DeciderHandle::new();
        let (finisher, finisher_end) = FinisherHandle::new();
        let (commands, media) = channel();
        let media_address = [127, 0, 0, 1].into();
        let mut control = Control::new(Parts {
            archive: Arc::clone(&archive),
            shared: Arc::clone(&shared),
            decider,
            finisher,
            ear: voicelog_archive::notice::EarHandle::new().0,
            sounds: std::collections::BTreeMap::new(),
            media: vec![commands],
            ports: MediaPorts::new(media_address, 0..=0),
            media_address,
            retry_after_seconds: 1,
            loss_permille: 50,
            silent_micros: i64::MAX,
            pause_micros: 60 * SECOND,
        });
        let (key, event) = offered();
        control.on_event(key, event, start());
        Self {
            control,
            archive,
            shared,
            media,
            key,
            now: start(),
            _deciders: deciders,
            _finisher: finisher_end,
            _folder: folder,
        }
    }

    /// A call that is being recorded.
    fn recording() -> (Self, RecordingId) {
        let mut bench = Self::new();
        let call = bench.open();
        let id = call.id;
        let permit = bench.permit();
        bench.first_reply(call, permit);
        assert_eq!(bench.state(), Some(CallState::Recording));
        bench.told();
        (bench, id)
    }

    /// The archive knows the call, and the law was asked about it as it is.
    fn open(&self) -> Call {
        self.open_on("x")
    }

    fn open_on(&self, line: &str) -> Call {
        let offered = OfferedCall {
            line: line.to_owned(),
            parties: Vec::new(),
            streams: Vec::new(),
            offered_at: start(),
            about: voicelog_archive::About::default(),
        };
        let call = self.archive.open_call(offered, start()).unwrap();
        self.archive.ask_to_record(call.id, start()).unwrap();
        call
    }

    fn first_reply(&mut self, call: Call, asked: Asked) {
        let reply = Reply {
            session: self.key,
            call: Some(Box::new(call)),
            asked: Ok(asked),
        };
        self.control.on_reply(reply, self.now);
    }

    /// The facts of the call change, and control is told.
    fn change(&mut self, id: RecordingId) {
        assert!(self.archive.set_on_hold(id, true));
        self.control.on_changed(id, self.now);
    }

    fn permit(&self) -> Asked {
        Asked::Permitted {
            decision: DecisionId::new(self.now, [1; 10]),
            at: self.now,
        }
    }

    fn refusal(&self) -> Asked {
        Asked::Refused {
            look_back_seconds: None,
            decision: DecisionId::new(self.now, [2; 10]),
            at: self.now,
            outcome: "refused".to_owned(),
            grounds: Vec::new(),
        }
    }

    /// Permitted, and nobody has asked to keep it.
    fn held(&self) -> Asked {
        Asked::Refused {
            look_back_seconds: Some(30),
            decision: DecisionId::new(self.now, [2; 10]),
            at: self.now,
            outcome: "permitted".to_owned(),
            grounds: Vec::new(),
        }
    }

    fn keep_request(&self) -> KeepRequest {
        KeepRequest {
            reason: KeepReason::Complaint,
            by: AskedBy::Program,
            asked_by: None,
            at: self.now,
        }
    }

    fn reply(&mut self, asked: Result<Asked, NoAnswer>) {
        let reply = Reply {
            session: self.key,
            call: None,
            asked,
        };
        self.control.on_reply(reply, self.now);
    }

    /// The law is asked about the call as it is, and permits it.
    fn ask_and_permit(&mut self, id: RecordingId) {
        self.archive.ask_to_record(id, start()).unwrap();
        let permit = self.permit();
        self.reply(Ok(permit));
    }

    /// Something is said of the call that the law has to be asked about.
    fn say(&mut self, id: RecordingId) {
        let said = serde_json::json!({ "threat_or_abuse": true });
        let said = said.as_object().unwrap().clone();
        self.archive.say(id, said, self.now).unwrap();
        self.control.on_changed(id, self.now);
    }

    /// The client ends the call.
    fn end(&mut self) {
        let ended = Event::Ended {
            cause: EndCause::ByRecordingClient,
        };
        self.control.on_event(self.key, ended, self.now);
    }

    fn no_answer(&mut self) {
        self.reply(Err(NoAnswer { may_pass: true }));
    }

    fn pass(&mut self, seconds: i64) {
        self.now = self.now.plus_micros(seconds * SECOND);
        self.control.on_tick(self.now);
    }

    fn state(&self) -> Option<CallState> {
        self.shared.status().calls.first().map(|call| call.state)
    }

    /// What the media thread was told since the last look.
    fn told(&self) -> Vec<MediaCommand> {
        self.media.try_iter().collect()
    }

    /// The moment, events and cause of the one `Close` since the last look.
    fn closed(&self) -> Option<(Timestamp, usize, Option<Cause>)> {
        let mut found = None;
        for command in self.told() {
            if let MediaCommand::Close {
                since,
                events,
                cause,
                ..
            } = command
            {
                assert!(found.is_none(), "closed twice");
                let ended =
                    |event: &JournalEvent| matches!(event, JournalEvent::PermitEnded { .. });
                let ended = events.iter().filter(|(_, event)| ended(event)).count();
                found = Some((since, ended, cause));
            }
        }
        found
    }
}

#[test]
fn a_recording_stops_after_five_seconds_also_while_the_law_is_still_being_asked() {
    let (mut bench, id) = Bench::recording();
    let changed_at = bench.now;
    bench.change(id);
    bench.pass(4);
    assert_eq!(
        (bench.state(), bench.closed()),
        (Some(CallState::Recording), None)
    );
    bench.pass(1);
    assert_eq!(bench.state(), Some(CallState::Stopped));
    assert_eq!(bench.closed(), Some((changed_at, 0, Some(Cause::Refusal))));
    // The answer that comes at last lets it go on.
    let permit = bench.permit();
    bench.reply(Ok(permit));
    assert_eq!(bench.state(), Some(CallState::Recording));
}

#[test]
fn what_is_thrown_away_for_want_of_an_answer_stays_that_through_every_try() {
    let (mut bench, id) = Bench::recording();
    let changed_at = bench.now;
    bench.change(id);
    bench.no_answer();
    bench.pass(6);
    assert_eq!(bench.closed(), Some((changed_at, 0, Some(Cause::Refusal))));
    // The tick has asked again.
    bench.no_answer();
    assert_eq!(bench.closed(), Some((changed_at, 0, Some(Cause::Refusal))));
    bench.pass(31);
    // A refusal at last holds from the change on, and the journal says so.
    let refusal = bench.refusal();
    bench.reply(Ok(refusal));
    assert_eq!(bench.closed(), Some((changed_at, 1, None)));
    bench.change(id);
    bench.no_answer();
    assert_eq!(
        bench.closed().map(|(_, ended, cause)| (ended, cause)),
        Some((0, None))
    );
}

#[test]
fn what_is_held_for_a_request_waits_five_seconds_for_an_answer_and_is_dropped_then() {
    let mut bench = Bench::new();
    let call = bench.open();
    let id = call.id;
    let held = bench.held();
    bench.first_reply(call, held);
    let attended = |told: &[MediaCommand]| {
        let mut found = None;
        for command in told {
            if let MediaCommand::Attend(_, what) = command {
                found = Some(*what);
            }
        }
        found
    };
    let told = bench.told();
    let look_back = LookBack {
        from: start(),
        reach: 36 * SECOND,
    };
    assert_eq!(attended(&told), Some(Attention::LookBack(look_back)));
    bench.change(id);
    bench.no_answer();
    bench.pass(4);
    // What comes stays in the kernel, and what is held where it is.
    let told = bench.told();
    assert!(
        told.iter()
            .all(|command| matches!(command, MediaCommand::Hold(_))),
        "{told:?}"
    );
    bench.pass(1);
    let told = bench.told();
    assert_eq!(attended(&told), Some(Attention::Forget), "{told:?}");
    assert!(
        told.iter()
            .any(|command| matches!(command, MediaCommand::Close { .. }))
    );
    assert_eq!(bench.state(), Some(CallState::Waiting));
}

#[test]
fn a_permit_for_facts_that_have_changed_since_holds_on() {
    let (mut bench, id) = Bench::recording();
    bench.change(id);
    bench.change(id);
    let permit = bench.permit();
    bench.reply(Ok(permit));
    let told = bench.told();
    assert!(
        told.iter()
            .any(|command| matches!(command, MediaCommand::Keep { is_stale: true, .. })),
        "{told:?}"
    );
    bench.ask_and_permit(id);
    let told = bench.told();
    assert!(
        matches!(
            told[..],
            [MediaCommand::Keep {
                is_stale: false,
                ..
            }]
        ),
        "{told:?}"
    );
}

#[test]
fn what_is_said_of_a_call_before_the_first_answer_to_it_is_asked_about() {
    let mut bench = Bench::new();
    let call = bench.open();
    let id = call.id;
    // The archive knows the call and takes this in; control does not know it yet.
    bench.change(id);
    let permit = bench.permit();
    bench.first_reply(call, permit);
    let told = bench.told();
    let [
        MediaCommand::Add(_),
        MediaCommand::Keep { is_stale: true, .. },
        MediaCommand::Hold(_),
    ] = &told[..]
    else {
        panic!("{told:?}")
    };
    let refusal = bench.refusal();
    bench.reply(Ok(refusal));
    assert_eq!(bench.closed(), Some((start(), 1, None)));
    assert_eq!(bench.state(), Some(CallState::Stopped));
}

#[test]
fn a_request_to_keep_that_comes_while_the_law_is_being_asked_is_asked_about() {
    let mut bench = Bench::new();
    let call = bench.open_on("asked");
    let id = call.id;
    let held = bench.held();
    bench.first_reply(call, held);
    // A fact is said; the question goes out with it, and without the request that comes next.
    bench.change(id);
    bench.archive.ask_to_record(id, start()).unwrap();
    let request = bench.keep_request();
    let (done, answer) = channel();
    bench.control.request_keep(id, request, done, bench.now);
    bench.told();
    let held = bench.held();
    bench.reply(Ok(held));
    let told = bench.told();
    assert!(
        matches!(told.last(), Some(MediaCommand::Hold(_))),
        "{told:?}"
    );
    bench.ask_and_permit(id);
    let told = bench.told();
    let [
        MediaCommand::Keep {
            with_waiting,
            asked,
            ..
        },
    ] = &told[..]
    else {
        panic!("{told:?}")
    };
    assert!(*with_waiting && asked.len() == 1);
    drop((told, answer));
}

#[test]
fn a_call_that_ends_without_an_answer_says_what_waited() {
    let (mut bench, id) = Bench::recording();
    let changed_at = bench.now;
    bench.change(id);
    bench.end();
    bench.no_answer();
    assert_eq!(bench.closed(), Some((changed_at, 0, Some(Cause::Refusal))));
    assert_eq!(bench.control.len(), 0);
}

#[test]
fn a_call_that_ends_while_an_answer_is_stale_waits_for_the_answer_to_what_was_changed_last() {
    let (mut bench, id) = Bench::recording();
    bench.change(id);
    bench.archive.ask_to_record(id, start()).unwrap();
    bench.now = bench.now.plus_micros(1_000);
    assert!(bench.archive.set_on_hold(id, false));
    bench.control.on_changed(id, bench.now);
    bench.end();
    bench.told();
    let permit = bench.permit();
    bench.reply(Ok(permit));
    let told = bench.told();
    assert!(
        matches!(
            told[..],
            [
                MediaCommand::Keep { is_stale: true, .. },
                MediaCommand::Hold(_)
            ]
        ),
        "{told:?}"
    );
    bench.ask_and_permit(id);
    let told = bench.told();
    assert!(
        matches!(
            told[..],
            [
                MediaCommand::Keep {
                    is_stale: false,
                    ..
                },
                MediaCommand::End(..)
            ]
        ),
        "{told:?}"
    );
    assert_eq!(bench.control.len(), 0);
}

#[test]
fn a_call_that_ends_between_two_tries_to_get_an_answer_says_what_waited() {
    let (mut bench, id) = Bench::recording();
    let changed_at = bench.now;
    bench.control.on_changed(id, changed_at);
    bench.no_answer();
    assert_eq!(bench.closed(), None);
    bench.end();
    assert_eq!(bench.closed(), Some((changed_at, 0, Some(Cause::Refusal))));
    assert_eq!(bench.control.len(), 0);
}

#[test]
fn why_the_client_or_its_timer_ended_a_call_is_in_the_journal() {
    for (cause, told) in [
        (EndCause::ByRecordingClient, Cause::RecordingClient),
        (EndCause::Replaced, Cause::RecordingClient),
        (EndCause::NotRefreshed, Cause::TimeOut),
        (EndCause::NoAck, Cause::TimeOut),
    ] {
        let (mut bench, id) = Bench::recording();
        bench.told();
        let ended = Event::Ended { cause };
        bench.control.on_event(bench.key, ended, bench.now);
        let [MediaCommand::End(of, _, events)] = &bench.told()[..] else {
            panic!("{cause:?}");
        };
        assert_eq!(*of, id);
        let wanted = JournalEvent::CallEnded { cause: told };
        assert_eq!(events.last().map(|(_, event)| event), Some(&wanted));
    }
}

#[test]
fn a_mistake_in_one_call_ends_it_and_closes_what_was_kept() {
    let (mut bench, id) = Bench::recording();
    while bench.control.next_command().is_some() {}
    bench
        .control
        .with(bench.key, start(), |_call, _hands| panic!("on purpose"));
    assert_eq!((bench.control.len(), bench.state()), (0, None));
    let told = bench.told();
    assert!(
        matches!(&told[..], [MediaCommand::End(ended, ..)] if *ended == id),
        "{told:?}"
    );
    let (_, command) = bench.control.next_command().unwrap();
    assert!(matches!(command, Command::End { .. }));
}

/// Somebody is put on hold, or comes back.
fn activity(activity: Activity) -> Event {
    Event::DirectionChanged {
        streams: vec![StreamActivity {
            number: StreamNumber(1),
            activity,
            remote: None,
            key: None,
        }],
    }
}

#[test]
fn a_hold_shorter_than_a_question_is_a_hold_all_the_same() {
    for fails_once in [false, true] {
        let (mut bench, id) = Bench::recording();
        // The law is being asked about something else.
        let changed_at = bench.now;
        bench.say(id);
        if fails_once {
            bench.no_answer();
        } else {
            bench.archive.ask_to_record(id, start()).unwrap();
        }
        for what in [Activity::Inactive, Activity::Active].map(activity) {
            bench.now = bench.now.plus_micros(1_000);
            bench.control.on_event(bench.key, what, bench.now);
        }
        bench.told();
        while bench.control.next_command().is_some() {}

        bench.archive.ask_to_record(id, start()).unwrap();
        bench.now = bench.now.plus_micros(1_000);
        let answered_at = bench.now;
        let permit = bench.permit();
        bench.reply(Ok(permit));
        let told = bench.told();
        let [
            MediaCommand::Close { since, cause, .. },
            MediaCommand::Keep { from, is_stale, .. },
        ] = &told[..]
        else {
            panic!("{told:?}")
        };
        assert_eq!((*since, *cause), (changed_at, Some(Cause::Refusal)));
        assert_eq!((*from, *is_stale), (answered_at, false));
        assert_eq!(bench.state(), Some(CallState::Recording));
        // The client has resumed: it is not told to stop.
        assert!(bench.control.next_command().is_none());
    }
}

#[test]
fn one_change_while_the_law_is_being_asked_costs_nothing_of_what_it_then_permits() {
    let (mut bench, id) = Bench::recording();
    bench.say(id);
    bench.archive.ask_to_record(id, start()).unwrap();
    bench.now = bench.now.plus_micros(1_000);
    let held_at = bench.now;
    let hold = activity(Activity::Inactive);
    bench.control.on_event(bench.key, hold, bench.now);
    bench.told();
    bench.now = bench.now.plus_micros(1_000);
    let permit = bench.permit();
    bench.reply(Ok(permit));
    let told = bench.told();
    assert!(
        matches!(
            told[..],
            [
                MediaCommand::Keep { is_stale: true, .. },
                MediaCommand::Hold(_)
            ]
        ),
        "{told:?}"
    );
    // What comes of the hold is from the moment of the hold on.
    let refusal = bench.refusal();
    bench.reply(Ok(refusal));
    assert_eq!(bench.closed(), Some((held_at, 1, None)));
}

#[test]
fn who_asks_to_keep_a_call_that_then_ends_is_answered_though_the_law_was_busy() {
    let mut bench = Bench::new();
    let call = bench.open_on("asked");
    let id = call.id;
    let held = bench.held();
    bench.first_reply(call, held);
    bench.say(id);
    bench.archive.ask_to_record(id, start()).unwrap();
    let (done, _answer) = channel();
    let request = bench.keep_request();
    bench.control.request_keep(id, request, done, bench.now);
    bench.end();
    let held = bench.held();
    bench.reply(Ok(held));
    assert_eq!(
        bench.control.len(),
        1,
        "the law has not answered the request"
    );
    bench.told();
    bench.ask_and_permit(id);
    let told = bench.told();
    assert!(
        matches!(
            told[..],
            [
                MediaCommand::Keep {
                    with_waiting: true,
                    ..
                },
                MediaCommand::End(..)
            ]
        ),
        "{told:?}"
    );
    assert_eq!(bench.control.len(), 0);
}
