//! Copies of a part: what they show is of the whole, what they leave out is gone, and both are said.

use crate::fixture::{
    Parts, archive_key, data_key, packet, recording, records, signed_again, verifier,
};
use voicelog_evidence::bundle::{self, BundleError, BundleInput, Papers};
use voicelog_evidence::part::{PartError, Plan, Redaction, Scope, SoundInstead, Window};
use voicelog_evidence::sheet::{Printer, Sheet};
use voicelog_evidence::{
    Digest, JournalEvent, PacketKind, Record, Report, from_canonical, verify, zip,
};
use voicelog_model::{Codec, Language, StreamNumber, Timestamp};

/// Where the sound of packet n starts, in samples: the call begins 40 ms before its first packet.
const FIRST_MS: u64 = 40;

pub(crate) fn redaction(streams: &[u16], start_ms: u64, end_ms: u64) -> Redaction {
    Redaction {
        streams: streams.iter().copied().map(StreamNumber).collect(),
        start_us: start_ms * 1_000,
        end_us: end_ms * 1_000,
        reason: "gaat over iemand anders".into(),
        legal_ground: "AVG art. 15 lid 4".into(),
        decided_by: "functionaris gegevensbescherming".into(),
        sound: SoundInstead::Silence,
    }
}

pub(crate) fn without(redactions: Vec<Redaction>) -> Plan {
    Plan {
        excerpt: None,
        redactions,
    }
}

pub(crate) fn excerpt(start_ms: u64, end_ms: u64) -> Plan {
    let window = Window {
        start_us: start_ms * 1_000,
        end_us: end_ms * 1_000,
    };
    Plan {
        excerpt: Some(window),
        redactions: Vec::new(),
    }
}

pub(crate) fn copy(parts: &Parts, plan: &Plan) -> Vec<u8> {
    let input = BundleInput {
        part: Some(plan),
        ..parts.input()
    };
    bundle::build(&input, &archive_key()).unwrap()
}

pub(crate) fn file(bundle: &[u8], name: &str) -> Vec<u8> {
    let files = zip::read(bundle).unwrap();
    let found = files.iter().find(|(other, _)| *other == name);
    found.map(|(_, bytes)| bytes.to_vec()).unwrap_or_default()
}

pub(crate) fn scope(bundle: &[u8]) -> Scope {
    from_canonical(&file(bundle, "scope.json")).unwrap()
}

/// The samples of a WAV file of one channel, by another program's reader.
pub(crate) fn samples(wav: &[u8]) -> Vec<i16> {
    let reader = hound::WavReader::new(wav).unwrap();
    reader.into_samples().map(Result::unwrap).collect()
}

pub(crate) fn assert_holds(bundle: &[u8]) -> Report {
    let report = verify(bundle, Some(&verifier()));
    assert!(report.holds(), "{:#?}", report.broken().collect::<Vec<_>>());
    report
}

pub(crate) fn contains(bundle: &[u8], needle: &[u8]) -> bool {
    bundle.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn a_redacted_copy_is_as_long_as_the_call_and_unaltered_but_for_what_is_left_out() {
    let parts = Parts::new(2, 100);
    let whole = parts.bundle();
    let copy = copy(&parts, &without(vec![redaction(&[1], 1_000, 1_200)]));
    assert_holds(&copy);
    let (said, heard) = (
        samples(&file(&whole, "audio/1.wav")),
        samples(&file(&copy, "audio/1.wav")),
    );
    assert_eq!(said.len(), heard.len());
    let left_out = scope(&copy).streams[0].left_out.clone();
    assert_eq!(left_out.len(), 1);
    let (start, end) = (left_out[0].start_us, left_out[0].end_us);
    assert!((880_000..=1_000_000).contains(&start), "{start}");
    assert!((1_200_000..=1_320_000).contains(&end), "{end}");
    let place = |micros: u64| usize::try_from(micros * 8 / 1_000).unwrap();
    let (start, end) = (place(start), place(end));
    assert_eq!(said[..start], heard[..start]);
    assert_eq!(said[end..], heard[end..]);
    assert!(heard[start..end].iter().all(|sample| *sample == 0));
    assert!(said[start..end].iter().any(|sample| *sample != 0));
    let other = "audio/2.wav";
    assert_eq!(samples(&file(&whole, other)), samples(&file(&copy, other)));
}

#[test]
fn a_tone_stands_where_a_tone_was_asked_for() {
    let parts = Parts::new(1, 100);
    let tone = Redaction {
        sound: SoundInstead::Tone,
        ..redaction(&[1], 1_000, 1_200)
    };
    let copy = copy(&parts, &without(vec![tone]));
    assert_holds(&copy);
    let heard = samples(&file(&copy, "audio/1.wav"));
    assert_eq!(
        heard[8_000..8_008],
        [0, 2_896, 4_096, 2_896, 0, -2_896, -4_096, -2_896]
    );
}

#[test]
fn nothing_of_what_is_left_out_is_in_the_copy() {
    // Packets 45 to 55 of stream 1 hold what nobody may hear: each a pattern of its own.
    let mut records = records(2, 100);
    let mut secrets = Vec::new();
    for record in &mut records {
        if let Record::Packet { stream, bytes, .. } = record
            && *stream == StreamNumber(1)
        {
            let n = u16::from_be_bytes([bytes[2], bytes[3]]).wrapping_add(2);
            if (45..=55).contains(&n) {
                for (at, byte) in bytes[12..].iter_mut().enumerate() {
                    *byte = u8::try_from((usize::from(n) * 31 + at * at * 7) % 251).unwrap();
                }
                secrets.push((n, bytes[12..].to_vec()));
            }
        }
    }
    let parts = Parts::of(&records);
    let whole = parts.bundle();
    let start = FIRST_MS + 45 * 20;
    let copy = copy(
        &parts,
        &without(vec![redaction(&[1], start, start + 11 * 20)]),
    );
    assert_holds(&copy);
    assert_eq!(secrets.len(), 11);
    for (n, secret) in &secrets {
        assert!(
            contains(&whole, &secret[..16]),
            "packet {n} is in the whole"
        );
        assert!(!contains(&copy, &secret[..16]), "packet {n}");
    }
    // Nor the salts that would let somebody try out what it was.
    let tree_salt = data_key().tree_salt(recording());
    let hex: String = tree_salt.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(contains(&whole, hex.as_bytes()));
    assert!(!contains(&copy, hex.as_bytes()) && !contains(&copy, &tree_salt));
    let salt = |leaf: u64| {
        let context = [&b"voicelog/v1/leaf-salt\0\0\x01"[..], &leaf.to_be_bytes()];
        voicelog_evidence::digest::hkdf_sha256(&tree_salt, &context)
    };
    let left_out = &scope(&copy).streams[0].left_out[0];
    for leaf in 0..20 {
        let is_shown =
            !(left_out.first_leaf..left_out.first_leaf + left_out.leaf_count).contains(&leaf);
        assert_eq!(contains(&copy, &salt(leaf)), is_shown, "leaf {leaf}");
    }
}

#[test]
fn an_excerpt_is_as_long_as_it_says_and_says_so_everywhere() {
    let parts = Parts::new(2, 200);
    let whole = parts.bundle();
    let copy = copy(&parts, &excerpt(1_000, 3_000));
    let report = assert_holds(&copy);
    let (said, heard) = (
        samples(&file(&whole, "audio/2.wav")),
        samples(&file(&copy, "audio/2.wav")),
    );
    assert_eq!(said[8_000..24_000], heard);
    let title = "excerpt 00:01 to 00:03 of 00:04";
    for name in ["audio/all.wav", "audio/1.wav", "README.txt"] {
        let text = String::from_utf8_lossy(&file(&copy, name)).into_owned();
        assert!(text.contains(title), "{name}");
        assert!(
            text.contains("uittreksel 00:01 tot 00:03 van 00:04"),
            "{name}"
        );
    }
    let note = String::from_utf8(file(&copy, "bundle.note")).unwrap();
    assert!(note.contains("\ncopy part\n"));
    let lines = report.lines(Language::En);
    assert!(lines.iter().any(|line| line.contains(title)), "{lines:#?}");
    assert!(copy.len() < whole.len() * 3 / 4);
}

/// Prints nothing but the title.
#[derive(Debug)]
struct Titles;

impl Printer for Titles {
    fn print(
        &self,
        title: &str,
        _made_at: Timestamp,
        _sheets: &[Sheet],
    ) -> Result<Vec<u8>, String> {
        Ok(title.as_bytes().to_vec())
    }
}

#[test]
fn page_and_paper_of_a_copy_have_it_in_their_title() {
    let parts = Parts::new(1, 60);
    let mut plan = excerpt(240, 871);
    plan.redactions = vec![redaction(&[1], 500, 600)];
    let said = "uittreksel 00:00,2 tot 00:00,9 van 00:01,3, 1 passage weggelaten / \
        excerpt 00:00.2 to 00:00.9 of 00:01.3, 1 passage left out";
    for (part, title) in [
        (None, format!("voicelog {}", recording())),
        (
            Some(&plan),
            format!("voicelog {} \u{2013} {said}", recording()),
        ),
    ] {
        let papers = Papers {
            printer: Some(&Titles),
            ..Papers::default()
        };
        let input = BundleInput {
            part,
            papers,
            ..parts.input()
        };
        let bundle = bundle::build(&input, &archive_key()).unwrap();
        assert_holds(&bundle);
        let text = |name| String::from_utf8(file(&bundle, name)).unwrap();
        assert_eq!(text("completeness.pdf"), title);
        let head = format!("<title>{title}</title>");
        assert!(text("completeness.html").contains(&head), "{head}");
    }
}

#[test]
fn an_excerpt_within_a_second_says_which_tenths_of_it() {
    let copy = copy(&Parts::new(1, 60), &excerpt(240, 871));
    assert_holds(&copy);
    for name in ["audio/all.wav", "README.txt", "completeness.html"] {
        let text = String::from_utf8_lossy(&file(&copy, name)).into_owned();
        assert!(
            text.contains("uittreksel 00:00,2 tot 00:00,9 van 00:01,3"),
            "{name}"
        );
        assert!(
            text.contains("excerpt 00:00.2 to 00:00.9 of 00:01.3"),
            "{name}"
        );
    }
}

#[test]
fn an_excerpt_can_have_passages_left_out_of_it() {
    let parts = Parts::new(2, 200);
    let mut plan = excerpt(1_000, 3_000);
    plan.redactions = vec![
        redaction(&[1, 2], 1_500, 1_600),
        redaction(&[2], 2_000, 2_100),
    ];
    let copy = copy(&parts, &plan);
    let report = assert_holds(&copy);
    let lines = report.lines(Language::Nl).join("\n");
    assert!(lines.contains("2 passages weggelaten"), "{lines}");
    assert!(lines.contains("AVG art. 15 lid 4"), "{lines}");
    let why: Vec<_> = scope(&copy).streams[1]
        .left_out
        .iter()
        .map(|left| (left.is_outside, left.redactions.clone()))
        .collect();
    assert_eq!(
        why,
        [
            (true, vec![]),
            (false, vec![0]),
            (false, vec![1]),
            (true, vec![])
        ]
    );
}

#[test]
fn packets_that_came_late_or_twice_go_with_what_is_left_out() {
    let mut records = records(1, 100);
    let at = |n: u16| {
        let sequence = n.wrapping_sub(2);
        move |record: &Record| matches!(record, Record::Packet { bytes, .. } if bytes[2..4] == sequence.to_be_bytes())
    };
    let fifty = records.iter().position(at(50)).unwrap();
    let (Record::Packet { bytes, .. }, Record::Packet { arrived, .. }) =
        (records[fifty].clone(), records[fifty + 30].clone())
    else {
        panic!("packets");
    };
    // Packet 50 comes once more, 600 ms later, among what is shown.
    let again = Record::Packet {
        stream: StreamNumber(1),
        arrived,
        kind: PacketKind::Rtp,
        bytes: bytes.clone(),
    };
    records.insert(fifty + 31, again);
    let parts = Parts::of(&records);
    let start = FIRST_MS + 50 * 20;
    let copy = copy(&parts, &without(vec![redaction(&[1], start, start + 20)]));
    assert_holds(&copy);
    assert!(contains(&parts.bundle(), &bytes));
    assert!(!contains(&copy, &bytes));
}

#[test]
fn a_packet_that_came_twice_goes_with_what_it_may_repeat() {
    // Of a codec that nobody here knows, a packet may repeat what was said two seconds before. Packet 110
    // does so with packet 60, and comes once more, when what it repeats is long over.
    let mut records = records(1, 400);
    let secret: Vec<u8> = (0..40_u8).map(|at| at.wrapping_mul(37) ^ 0x5a).collect();
    let mut again = None;
    for record in &mut records {
        match record {
            Record::Event {
                event: JournalEvent::StreamAdded { stream },
                ..
            } => {
                stream.codec = Codec::read("EVS/8000").unwrap();
                stream.payload_type = 96;
            }
            Record::Packet { bytes, .. } => {
                bytes[1] = 96;
                let n = u16::from_be_bytes([bytes[2], bytes[3]]).wrapping_add(2);
                if [60, 110].contains(&n) {
                    bytes[20..60].copy_from_slice(&secret);
                }
                if n == 110 {
                    again = Some(bytes.clone());
                }
            }
            Record::Event { .. } => {}
        }
    }
    let behind = records
        .iter()
        .position(|record| matches!(record, Record::Packet { bytes, .. } if bytes[2..4] == 288_u16.to_be_bytes()))
        .unwrap();
    let arrived = records[behind].as_view().time();
    records.insert(
        behind,
        Record::Packet {
            stream: StreamNumber(1),
            arrived,
            kind: PacketKind::Rtp,
            bytes: again.unwrap(),
        },
    );
    let parts = Parts::of(&records);
    assert_eq!(parts.inventory.timeline.streams[0].late, 1);
    let start = FIRST_MS + 60 * 20;
    let copy = copy(&parts, &without(vec![redaction(&[1], start, start + 20)]));
    assert_holds(&copy);
    let times = |bundle: &[u8]| {
        let found = bundle.windows(secret.len());
        found.filter(|window| *window == secret).count()
    };
    assert_eq!(times(&parts.bundle()), 3);
    assert_eq!(times(&copy), 0);
    // What came so much later that it can hold nothing of it is shown.
    assert!(contains(&copy, &packet(1, 390)[12..60]));
}

#[test]
fn ten_seconds_of_a_day_are_made_and_checked_by_themselves() {
    let mut records = records(1, 100);
    let mut late = crate::fixture::records(1, 600);
    let hours = |record: &mut Record, hours: i64| match record {
        Record::Packet { arrived, .. } => *arrived = arrived.plus_micros(hours * 3_600_000_000),
        Record::Event { at, .. } => *at = at.plus_micros(hours * 3_600_000_000),
    };
    let _end = records.pop();
    late.retain(|record| matches!(record, Record::Packet { .. }));
    late.iter_mut().for_each(|record| hours(record, 12));
    let mut end = crate::fixture::records(1, 0).pop().unwrap();
    hours(&mut end, 23);
    records.extend(late);
    records.push(end);
    let parts = Parts::of(&records);
    let noon = 12 * 3_600_000;
    let copy = copy(&parts, &excerpt(noon + 1_000, noon + 11_000));
    assert_holds(&copy);
    assert_eq!(samples(&file(&copy, "audio/1.wav")).len(), 80_000);
    assert!(copy.len() < 1_000_000, "{}", copy.len());
}

#[test]
fn a_changed_byte_anywhere_in_a_copy_is_found() {
    let parts = Parts::new(1, 12);
    let copy = copy(&parts, &without(vec![redaction(&[1], 140, 150)]));
    assert_holds(&copy);
    let key = verifier();
    let check = |at: usize| {
        let mut changed = copy.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(!verify(&changed, Some(&key)).holds(), "byte {at}");
    };
    std::thread::scope(|threads| {
        threads.spawn(|| (0..copy.len()).step_by(14).for_each(check));
        threads.spawn(|| (7..copy.len()).step_by(14).for_each(check));
    });
}

#[test]
fn a_packet_that_is_taken_from_or_put_into_a_copy_is_noticed() {
    let parts = Parts::new(1, 60);
    let copy = copy(&parts, &without(vec![redaction(&[1], 600, 700)]));
    let last_frame = 21 + 172;
    let broken = |change: &dyn Fn(&mut Vec<u8>)| {
        let lying = signed_again(&copy, |files| {
            let file = files
                .iter_mut()
                .find(|(name, _)| name == "original/1.journal");
            change(&mut file.unwrap().1);
        });
        let report = verify(&lying, Some(&verifier()));
        report
            .broken()
            .map(|finding| finding.place.clone())
            .collect::<Vec<_>>()
    };
    let taken = broken(&|bytes| bytes.truncate(bytes.len() - last_frame));
    assert!(
        taken.iter().any(|place| place.starts_with("original/1.")),
        "{taken:?}"
    );
    let changed = broken(&|bytes| *bytes.last_mut().unwrap() ^= 1);
    assert!(
        changed.contains(&"original/1.journal".to_owned()),
        "{changed:?}"
    );
    let twice = broken(&|bytes| {
        let mut again = bytes[bytes.len() - last_frame..].to_vec();
        again[7] += 1;
        bytes.extend(again);
    });
    assert!(!twice.is_empty());
}

#[test]
fn a_part_cannot_pass_for_the_whole() {
    let parts = Parts::new(1, 60);
    let copy = copy(&parts, &excerpt(200, 900));
    let whole = signed_again(&copy, |files| {
        files.retain(|(name, _)| name != "scope.json" && !name.ends_with(".tree"));
    });
    let report = verify(&whole, Some(&verifier()));
    let broken: Vec<_> = report
        .broken()
        .map(|finding| finding.place.as_str())
        .collect();
    assert!(broken.contains(&"bundle.note"), "{broken:?}");
    assert!(broken.contains(&"opening.json"), "{broken:?}");
    assert!(broken.contains(&"original/"), "{broken:?}");
}

#[test]
fn a_plan_that_cannot_be_is_refused_and_says_why() {
    let parts = Parts::new(1, 60);
    let refused = |plan: &Plan| {
        let input = BundleInput {
            part: Some(plan),
            ..parts.input()
        };
        match bundle::build(&input, &archive_key()) {
            Err(BundleError::Part(error)) => error,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(&Plan::default()), PartError::NothingAsked);
    assert!(matches!(
        refused(&excerpt(900, 900)),
        PartError::Window { .. }
    ));
    assert!(matches!(
        refused(&excerpt(0, 900_000)),
        PartError::Window { .. }
    ));
    let other = without(vec![redaction(&[2], 100, 200)]);
    assert!(matches!(refused(&other), PartError::NoSuchStream { .. }));
    let mut wordless = redaction(&[1], 100, 200);
    wordless.legal_ground = String::new();
    assert!(matches!(
        refused(&without(vec![wordless])),
        PartError::Text { .. }
    ));
    let covers_nothing = without(vec![redaction(&[1], 0, 1)]);
    assert_eq!(
        refused(&covers_nothing),
        PartError::CoversNothing("redaction 1".into())
    );
}

#[test]
fn the_events_of_a_copy_are_those_of_the_whole() {
    let parts = Parts::new(1, 60);
    let copy = copy(&parts, &excerpt(200, 900));
    let events = file(&copy, "original/events.journal");
    assert_eq!(Digest::of(&events), parts.manifest.events_sha256);
    let first = parts.records.first();
    let is_start = |record: &Record| {
        matches!(
            record,
            Record::Event {
                event: JournalEvent::CallStarted {},
                ..
            }
        )
    };
    assert!(first.is_some_and(is_start));
}

/// A call of two streams on a bad network: packets are lost, come twice, late and in another order.
pub(crate) fn bad_call(fates: &[(u8, u16)]) -> Vec<Record> {
    let mut records = records(2, u16::try_from(fates.len()).unwrap() + 3);
    let end = records.pop().unwrap();
    let mut changed = Vec::new();
    for (record, (fate, delay)) in records.into_iter().zip(fates.iter().cycle()) {
        let Record::Packet { arrived, .. } = &record else {
            changed.push(record);
            continue;
        };
        let later = arrived.plus_micros(i64::from(*delay) * 30);
        let again = |at| {
            let mut again = record.clone();
            if let Record::Packet { arrived, .. } = &mut again {
                *arrived = at;
            }
            again
        };
        match fate {
            0..20 => {}
            20..40 => changed.extend([again(later), again(later.plus_micros(40_000))]),
            40..60 => changed.push(again(arrived.plus_micros(i64::from(*delay) * 20))),
            _ => changed.push(again(later)),
        }
    }
    // Events keep their place; packets are in the order of their arrival.
    let first = changed
        .iter()
        .position(|record| matches!(record, Record::Packet { .. }));
    let start = first.unwrap_or(changed.len());
    changed[start..].sort_by_key(|record| record.as_view().time());
    changed.push(end);
    changed
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(40))]

    #[test]
    fn whatever_the_network_did_a_copy_holds_and_the_rest_is_unaltered(
        fates in proptest::collection::vec((0..255_u8, 0..3_000_u16), 20..150),
        start in 0..1_500_u64,
        length in 1..600_u64,
        stream in 1..3_u16,
    ) {
        let parts = Parts::of(&bad_call(&fates));
        let redaction = redaction(&[stream], start, start + length);
        let input = parts.input();
        let plan = without(vec![redaction]);
        let made = bundle::build(&BundleInput { part: Some(&plan), ..input }, &archive_key());
        // A time without a packet, or behind the end, is a mistake that is told.
        let copy = match made {
            Ok(copy) => copy,
            Err(BundleError::Part(_)) => return Ok(()),
            Err(error) => panic!("{error}"),
        };
        let report = verify(&copy, Some(&verifier()));
        proptest::prop_assert!(report.holds(), "{:#?}", report.broken().collect::<Vec<_>>());
        let whole = parts.bundle();
        for stream in &scope(&copy).streams {
            let name = format!("audio/{}.wav", stream.number);
            let (said, heard) = (samples(&file(&whole, &name)), samples(&file(&copy, &name)));
            proptest::prop_assert_eq!(said.len(), heard.len());
            let is_left_out = |at: usize| {
                let micros = at as u64 * 125;
                stream.left_out.iter().any(|left| (left.start_us..left.end_us + 125).contains(&(micros + 125)))
            };
            for at in (0..said.len()).filter(|at| !is_left_out(*at)) {
                proptest::prop_assert_eq!(said[at], heard[at], "sample {}", at);
            }
        }
    }
}
