//! Every dialect from its INVITE to its BYE, as the test client writes it: who takes part changes by a
//! re-INVITE, by an UPDATE with an offer, and by an UPDATE that is metadata and nothing else.

use crate::client::{LOCAL, REMOTE, Seen, World, answer_streams};
use voicelog_model::StreamNumber;
use voicelog_src_sim::{CallByHand, Dialect, Participant, ToldBy};
use voicelog_srs::metadata::{AttributionRule, Metadata};
use voicelog_srs::{Event, LocalDirection, SessionKey};

/// Who stays, and who it is talked to, one after the other.
const STAYS: &str = "+31201230001";
const OTHERS: [&str; 4] = [
    "+31201230002",
    "+31201230003",
    "+31201230004",
    "+31201230005",
];

fn two(other: &str) -> [Participant; 2] {
    [
        Participant::new(&format!("tel:{STAYS}"), "Ans Verzonnen"),
        Participant::new(&format!("tel:{other}"), ""),
    ]
}

/// A number as the product writes it in its metadata or headers.
fn written(dialect: Dialect, number: &str) -> String {
    match dialect {
        Dialect::Nbr => format!("sip:{number}@192.0.2.10"),
        Dialect::Opensips => format!("sip:{number}@pbx.example?a=1&b=2"),
        _ => format!("tel:{number}"),
    }
}

/// Whose voice each stream is, where `one` is who stays, and by which rule that is known.
fn voices_in<'a>(
    dialect: Dialect,
    one: &'a str,
    other: &'a str,
) -> (Vec<Vec<&'a str>>, AttributionRule) {
    let each = || vec![vec![one], vec![other]];
    match dialect {
        Dialect::Broadworks | Dialect::Metaswitch => {
            (vec![vec![one, other]], AttributionRule::Label)
        }
        Dialect::Ribbon => (vec![vec![other], vec![one]], AttributionRule::Label),
        Dialect::Nbr | Dialect::Sems => (each(), AttributionRule::Send),
        Dialect::Cube | Dialect::Opensips => (each(), AttributionRule::Order),
        _ => (each(), AttributionRule::Label),
    }
}

/// A call that both sides see, and what carries between them.
struct Both {
    world: World,
    call: CallByHand,
    key: SessionKey,
    /// What the server knows of the conversation.
    metadata: Metadata,
}

impl Both {
    fn talking(dialect: Dialect) -> Self {
        let between = (REMOTE.parse().unwrap(), LOCAL.parse().unwrap());
        let mut call = CallByHand::begin(dialect, between, &two(OTHERS[0]), 7);
        let mut world = World::new();
        carry(&mut world, &mut call);
        let Some((key, Event::Offered(mut offer))) = world.events.pop_front() else {
            panic!("{dialect}: nothing is offered");
        };
        assert_eq!(offer.streams.len(), dialect.labels().len(), "{dialect}");
        let streams = u16::try_from(offer.streams.len()).unwrap();
        world.command(key, answer_streams(streams, LocalDirection::Receive));
        carry(&mut world, &mut call);
        world.expect_event(&Event::Answered);
        Self {
            world,
            call,
            key,
            metadata: offer.metadata.take().unwrap(),
        }
    }

    /// Tells by this request, and gives the answer to it. Nothing else may come of it than that the
    /// metadata changed.
    fn tell(&mut self, other: &str, by: ToldBy) -> Seen {
        self.call.tell(&two(other), by);
        let mut seen = carry(&mut self.world, &mut self.call);
        let answer = seen.pop().unwrap();
        assert!(
            seen.iter().all(|seen| seen.status() == 100),
            "{by:?}: {seen:?}"
        );
        let Some((key, Event::MetadataChanged(metadata))) = self.world.events.pop_front() else {
            panic!("{by:?}: no news of the participants: {}", answer.text);
        };
        assert_eq!(key, self.key);
        assert_eq!(self.world.events.len(), 0, "{by:?}");
        self.metadata = *metadata;
        answer
    }
}

/// Brings every message to the other side until there is none left, and tells what the server sent.
fn carry(world: &mut World, call: &mut CallByHand) -> Vec<Seen> {
    let mut all = Vec::new();
    loop {
        let from_client = call.outgoing();
        for bytes in &from_client {
            world.send_bytes(bytes);
        }
        let from_server: Vec<Seen> = world.sent.drain(..).collect();
        for seen in &from_server {
            assert!(call.receive(seen.text.as_bytes()), "{}", seen.text);
        }
        if from_client.is_empty() && from_server.is_empty() {
            return all;
        }
        all.extend(from_server);
    }
}

/// Who is there: the first, and after however many others the newest one, whose voice is where the dialect
/// has it.
fn assert_there(dialect: Dialect, metadata: &Metadata, number: &str, by: &str) {
    let (newest, before) = metadata.participants.split_last().unwrap();
    let address = newest.addresses[0].expose();
    assert_eq!(address, &written(dialect, number), "{dialect} {by}");
    let left: Vec<bool> = before.iter().map(|person| person.has_left).collect();
    let mut expected = vec![true; before.len()];
    expected[0] = false;
    assert_eq!((left, newest.has_left), (expected, false), "{dialect} {by}");
    let (voices, rule) = voices_in(dialect, "p1", &newest.pseudonym);
    for (parties, number) in voices.iter().zip(1..) {
        let found = metadata.voices_of(StreamNumber(number));
        let found: Vec<_> = found.iter().map(|v| (&*v.party, v.rule)).collect();
        let expected: Vec<_> = parties.iter().map(|party| (*party, rule)).collect();
        assert_eq!(found, expected, "{dialect} {by}: stream {number}");
    }
}

#[test]
fn in_every_dialect_people_and_voices_are_right_after_a_reinvite_an_update_with_an_offer_and_a_bare_update()
 {
    for dialect in Dialect::ALL {
        let mut both = Both::talking(dialect);
        let quirks = both.metadata.quirks.clone();
        assert_eq!(both.metadata.participants.len(), 2, "{dialect}");
        for (by, number) in dialect.told_by().iter().zip(&OTHERS[1..]) {
            let people = both.metadata.participants.len();
            let answer = both.tell(number, *by);
            assert_eq!(answer.status(), 200, "{dialect} {by:?}: {}", answer.text);
            let lines = answer.body().matches("m=audio ").count();
            let labels = answer.body().matches("a=label:").count();
            let offered = dialect.labels().len();
            let expected = match (by, dialect.says_labels()) {
                (ToldBy::Update, _) => (0, 0),
                (_, true) => (offered, offered),
                (_, false) => (offered, 0),
            };
            assert_eq!((lines, labels), expected, "{dialect} {by:?}");
            assert_eq!(both.metadata.participants.len(), people + 1, "{dialect}");
            assert_there(dialect, &both.metadata, number, &format!("{by:?}"));
            assert_eq!(both.metadata.quirks, quirks, "{dialect} {by:?}");
        }
        both.call.hang_up();
        carry(&mut both.world, &mut both.call);
        assert!(both.call.is_over(), "{dialect}");
        assert_eq!(both.world.endpoint.open_sessions(), 0, "{dialect}");
    }
}

#[test]
fn who_is_told_of_twice_by_different_requests_is_the_same_person() {
    for dialect in Dialect::ALL {
        let mut both = Both::talking(dialect);
        for by in dialect.told_by() {
            both.tell(OTHERS[1], *by);
            assert_eq!(both.metadata.participants.len(), 3, "{dialect} {by:?}");
            assert_there(dialect, &both.metadata, OTHERS[1], &format!("{by:?}"));
        }
    }
}
