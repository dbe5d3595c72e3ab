//! Intervals in words, for people.

use super::keeping::{asked_text, keep_text};
use super::{Interval, IntervalKind, NoticeMark, StreamTimeline, Timeline};
use crate::journal::{Cause, Ground, PauseReason, Pausing};
use voicelog_model::{Codec, Language};

/// Keys of one stream that are told one by one.
const KEYS_LISTED_MAX: usize = 200;

/// An interval as a person says it: `niet begonnen tot 00:07, geen toestemming (§ 201 StGB)`.
#[must_use]
pub fn describe(interval: &Interval, language: Language) -> String {
    let kind = interval.kind_in_words();
    let what = language.pick(what_nl(kind), what_en(kind));
    let mut text = format!("{what} {}", when(interval, language));
    if let Some(missing) = missing(interval, language) {
        text.push_str(", ");
        text.push_str(&missing);
    }
    let reasons = if let Some(pausing) = &interval.pause {
        vec![pause_text(pausing, language)]
    } else if interval.grounds.is_empty() {
        cause(interval, language)
            .map(str::to_owned)
            .into_iter()
            .collect()
    } else {
        interval
            .grounds
            .iter()
            .map(|ground| reason(ground, language))
            .collect::<Vec<_>>()
    };
    if !reasons.is_empty() {
        text.push_str(", ");
        text.push_str(&reasons.join("; "));
    }
    text
}

/// What the names of the codecs of imported files begin with.
const FILE_CODECS: &str = "file-";

/// The codecs in which sound came and that cannot be played, a sentence each.
#[must_use]
pub fn unplayable(stream: &StreamTimeline, language: Language) -> Vec<String> {
    let codecs = stream.codecs().iter().filter(|codec| !codec.is_playable());
    // The whole of a file is there; what is heard of it is not made of packets.
    let is_file = |codec: &Codec| codec.name().starts_with(FILE_CODECS);
    let sentence = |codec: &Codec| match language {
        Language::Nl if is_file(codec) => {
            format!(
                "een bestand ({codec}): de pakketten bij elkaar zijn het bestand, byte voor byte"
            )
        }
        Language::En if is_file(codec) => {
            format!("a file ({codec}): the packets put together are the file, byte for byte")
        }
        Language::Nl => format!(
            "geluid in {codec}: voicelog kan dat niet afspelen; de pakketten zijn bewaard zoals ze kwamen"
        ),
        Language::En => format!(
            "sound in {codec}: voicelog cannot play that; the packets are kept as they came"
        ),
    };
    codecs
        .filter(|_| stream.packets > 0)
        .map(sentence)
        .collect()
}

/// What else is to be said of a stream: what came in a codec that cannot be played, and which keys
/// were pressed when.
#[must_use]
pub fn remarks(stream: &StreamTimeline, language: Language) -> Vec<String> {
    let mut remarks = unplayable(stream, language);
    for key in stream.keys.iter().take(KEYS_LISTED_MAX) {
        let interval = (key.start_us, key.start_us.saturating_add(key.length_us));
        let what = language.pick("toets ingedrukt", "key pressed");
        remarks.push(format!("{what} {}", between(interval, language)));
    }
    let unlisted = stream.keys.len().saturating_sub(KEYS_LISTED_MAX);
    if unlisted > 0 {
        remarks.push(match language {
            Language::Nl => format!("en nog {unlisted} keer een toets"),
            Language::En => format!("and {unlisted} more times a key"),
        });
    }
    if stream.left_out > 0 {
        remarks.push(match language {
            Language::Nl => format!(
                "{} pakketten die zeggen welke toets zijn weggelaten",
                stream.left_out
            ),
            Language::En => format!(
                "{} packets that say which key are left out",
                stream.left_out
            ),
        });
    }
    remarks
}

/// Who came and went during the call, who refused, what came of looking for the notice, who asked to keep
/// it, and when the recorder's clock was set, a sentence each.
#[must_use]
pub fn comings(timeline: &Timeline, language: Language) -> Vec<String> {
    let mut sentences: Vec<(u64, String)> = Vec::new();
    for change in &timeline.presence {
        let (party, at) = (&change.party, clock_text(change.at_us));
        let what = if change.is_there {
            language.pick("kwam erbij op", "joined at")
        } else {
            language.pick("ging weg op", "left at")
        };
        sentences.push((change.at_us, format!("{party} {what} {at}")));
    }
    for step in &timeline.clock_steps {
        let at = clock_text(step.at_us);
        let (seconds, millis) = (
            step.by_us.abs() / 1_000_000,
            step.by_us.abs() / 1_000 % 1_000,
        );
        let point = language.pick(",", ".");
        let way = if step.by_us < 0 {
            language.pick("terug", "back")
        } else {
            language.pick("vooruit", "forward")
        };
        let clock = language.pick("de klok van de server sprong", "the server's clock was set");
        let on = language.pick("op", "at");
        let s = format!("{clock} {seconds}{point}{millis:03} s {way} {on} {at}");
        sentences.push((step.at_us, s));
    }
    for mark in &timeline.notices {
        sentences.push((mark.at_us, notice_text(mark, language)));
    }
    for mark in &timeline.refusals {
        sentences.push((mark.at_us, super::refusal_text(mark, timeline, language)));
    }
    for mark in &timeline.keeps {
        sentences.push((mark.at_us(), keep_text(mark, language)));
    }
    for mark in &timeline.sources {
        let (stream, at) = (mark.stream, clock_text(mark.at_us));
        let sentence = match language {
            Language::Nl => format!(
                "stroom {stream} kwam tot {at} van een ander adres dan de centrale noemt: wat daarvoor te horen is, kan van iemand anders zijn"
            ),
            Language::En => format!(
                "until {at} stream {stream} came from another address than the exchange names: what is heard before may be somebody else's"
            ),
        };
        sentences.push((mark.at_us, sentence));
    }
    sentences.sort_by_key(|(at_us, _)| *at_us);
    sentences
        .into_iter()
        .map(|(_, sentence)| sentence)
        .collect()
}

/// What came of looking for the notice: `melding gehoord van 00:02,4 tot 00:08,3 op stroom 1,
/// gelijkenis 0,98`.
#[must_use]
pub fn notice_text(mark: &NoticeMark, language: Language) -> String {
    let point = language.pick(",", ".");
    let tenths = |micros: u64| format!("{}{point}{}", clock_text(micros), micros / 100_000 % 10);
    let at = tenths(mark.at_us);
    let Some(heard) = &mark.heard else {
        return match language {
            Language::Nl => format!("melding niet gehoord; tot {at} is ernaar geluisterd"),
            Language::En => format!("notice not heard; it was listened for until {at}"),
        };
    };
    let end = tenths(mark.at_us.saturating_add(heard.length_us));
    let (whole, hundredths) = (
        heard.similarity_permille / 1_000,
        heard.similarity_permille % 1_000 / 10,
    );
    let (stream, like) = (heard.stream, format!("{whole}{point}{hundredths:02}"));
    match language {
        Language::Nl => {
            format!("melding gehoord van {at} tot {end} op stroom {stream}, gelijkenis {like}")
        }
        Language::En => {
            format!("notice heard from {at} to {end} on stream {stream}, similarity {like}")
        }
    }
}

/// A place in the call: `07:05`, or `1:07:05` after an hour. Parts of a second are cut off.
#[must_use]
pub fn clock_text(micros: u64) -> String {
    let seconds = micros / 1_000_000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes:02}:{seconds:02}")
    }
}

/// Which side of a time a moment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// Where it begins.
    Start,
    /// Where it ends.
    End,
}

/// An edge of a time: `00:12`, or with tenths where it is no whole second, `00:12,4`. A start is rounded down and an end up, so
/// that what is told covers what is meant. It is in sound files too: `design/evidence-format.md`, "Copy of a part".
#[must_use]
pub fn edge_text(micros: u64, edge: Edge, language: Language) -> String {
    let tenths = match edge {
        Edge::Start => micros / 100_000,
        Edge::End => micros.div_ceil(100_000),
    };
    let second = clock_text((tenths / 10).saturating_mul(1_000_000));
    match tenths % 10 {
        0 => second,
        part => format!("{second}{}{part}", language.pick(",", ".")),
    }
}

const fn what_nl(kind: IntervalKind) -> &'static str {
    match kind {
        IntervalKind::Media => "geluid",
        IntervalKind::Loss => "pakketten kwijtgeraakt onderweg",
        IntervalKind::SilenceSuppressed => "de zender stuurde niets (stilte)",
        IntervalKind::NotStarted => "niet begonnen",
        IntervalKind::Paused => "gepauzeerd",
        IntervalKind::Refused => "niet opgenomen: voicelog kan deze stroom niet aannemen",
        IntervalKind::Hold => "gesprek in de wacht",
        IntervalKind::AwaitingFirstPacket => "wachten op het eerste geluid",
        IntervalKind::SourceChange => {
            "de zender begon opnieuw te tellen; of er iets ontbreekt is niet te zien"
        }
        IntervalKind::Dropped => "pakketten verloren door de opnameserver",
        IntervalKind::Restart => "opnameserver lag stil",
        IntervalKind::AfterLastPacket => "na het laatste geluid",
        IntervalKind::UndeclaredGap => "onverklaarde onderbreking",
    }
}

const fn what_en(kind: IntervalKind) -> &'static str {
    match kind {
        IntervalKind::Media => "sound",
        IntervalKind::Loss => "packets lost on their way",
        IntervalKind::SilenceSuppressed => "the sender sent nothing (silence)",
        IntervalKind::NotStarted => "not started",
        IntervalKind::Paused => "paused",
        IntervalKind::Refused => "not recorded: voicelog cannot take this stream",
        IntervalKind::Hold => "call on hold",
        IntervalKind::AwaitingFirstPacket => "waiting for the first sound",
        IntervalKind::SourceChange => {
            "the sender began to count anew; whether anything is missing cannot be seen"
        }
        IntervalKind::Dropped => "packets lost by the recorder",
        IntervalKind::Restart => "recorder was down",
        IntervalKind::AfterLastPacket => "after the last sound",
        IntervalKind::UndeclaredGap => "undeclared gap",
    }
}

fn when(interval: &Interval, language: Language) -> String {
    let is_short = interval.length_us() < 1_000_000;
    if interval.kind == IntervalKind::NotStarted && interval.start_us == 0 && !is_short {
        let end = edge_text(interval.end_us, Edge::End, language);
        return format!("{} {end}", language.pick("tot", "until"));
    }
    between((interval.start_us, interval.end_us), language)
}

/// From when to when. Less than a second: when, and how long: `op 00:12,3 (0,020 s)`.
#[must_use]
pub fn between((start_us, end_us): (u64, u64), language: Language) -> String {
    let length_us = end_us.saturating_sub(start_us);
    if length_us < 1_000_000 {
        let start = edge_text(start_us, Edge::Start, language);
        let millis = length_us.div_ceil(1_000);
        let at = language.pick("op", "at");
        let point = language.pick(",", ".");
        return format!(
            "{at} {start} ({}{point}{:03} s)",
            millis / 1_000,
            millis % 1_000
        );
    }
    from_to((start_us, end_us), language)
}

/// From when to when, however short: `van 00:12,3 tot 00:12,4`.
#[must_use]
pub fn from_to((start_us, end_us): (u64, u64), language: Language) -> String {
    let start = edge_text(start_us, Edge::Start, language);
    let end = edge_text(end_us, Edge::End, language);
    match language {
        Language::Nl => format!("van {start} tot {end}"),
        Language::En => format!("from {start} to {end}"),
    }
}

fn missing(interval: &Interval, language: Language) -> Option<String> {
    match (interval.lost, language) {
        (0, _) => None,
        (1, Language::Nl) => Some("1 pakket".to_owned()),
        (1, Language::En) => Some("1 packet".to_owned()),
        (lost, Language::Nl) => Some(format!("{lost} pakketten")),
        (lost, Language::En) => Some(format!("{lost} packets")),
    }
}

fn cause(interval: &Interval, language: Language) -> Option<&'static str> {
    let (nl, en) = match interval.cause? {
        Cause::RecordingClient => ("door de telefooncentrale", "by the telephone system"),
        Cause::Operator => ("door een medewerker", "by a person on our side"),
        Cause::Refusal => ("opnemen mag niet", "recording is not permitted"),
        Cause::Overload => ("overbelasting", "overload"),
        Cause::DiskFull => ("schijf vol", "disk full"),
        Cause::Shutdown => ("server afgesloten", "server shut down"),
        Cause::TimeOut => ("te lang niets gehoord", "nothing heard for too long"),
        Cause::Restart => ("herstart na een storing", "restarted after a failure"),
        Cause::NoMedia => ("er kwam nooit geluid", "no sound ever came"),
        Cause::Protection => (
            "beveiligd op een manier die voicelog niet heeft (DTLS-SRTP)",
            "protected in a way that voicelog does not have (DTLS-SRTP)",
        ),
        Cause::Keys => (
            "de sleutels van SRTP zijn niet te gebruiken, of kwamen onversleuteld",
            "the keys of SRTP cannot be used, or came in the clear",
        ),
        Cause::Form => (
            "de centrale zegt niet wat er komt of waarheen",
            "the telephone system does not say what comes, or where to",
        ),
        Cause::Device => (
            "het apparaat nam niet meer op",
            "the device recorded no more",
        ),
        Cause::DeviceCall => ("de telefoon ging", "the telephone rang"),
        Cause::DeviceHidden => (
            "het scherm van het apparaat ging op slot, of er kwam iets anders voor",
            "the screen of the device was locked, or something else came before it",
        ),
        Cause::DeviceMuted => ("de microfoon was uitgezet", "the microphone was muted"),
        Cause::DeviceGone => (
            "het apparaat had geen microfoon meer",
            "the device had no microphone any more",
        ),
        Cause::DeviceReloaded => (
            "de pagina werd opnieuw geladen",
            "the page was loaded again",
        ),
        Cause::DeviceFull => (
            "het geheugen van het apparaat was vol",
            "the device had no room for more",
        ),
    };
    Some(language.pick(nl, en))
}

/// Why a pause on our side was, and who asked for it: `om kaartgegevens, met een toets door p1`.
#[must_use]
pub fn pause_text(pausing: &Pausing, language: Language) -> String {
    let (nl, en) = match pausing.reason {
        PauseReason::CardData => ("om kaartgegevens", "for card data"),
        PauseReason::CitizenNumber => ("om een burgerservicenummer", "for a citizen number"),
        PauseReason::Private => ("om iets van privé", "for something private"),
        PauseReason::Medical => ("om iemands gezondheid", "for somebody's health"),
        PauseReason::Other => ("om iets anders", "for something else"),
        PauseReason::PrivateCall => ("een privégesprek", "a private call"),
    };
    let reason = language.pick(nl, en);
    let by = asked_text(pausing.by, pausing.party.as_deref(), language);
    format!("{reason}, {by}")
}

fn reason(ground: &Ground, language: Language) -> String {
    let text = language.pick(&ground.text_nl, &ground.text_en);
    if ground.articles.is_empty() {
        text.to_owned()
    } else {
        format!("{text} ({})", ground.articles.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{AskedBy, JournalEvent, Record};
    use crate::timeline::KeyPress;
    use voicelog_model::{Codec, MediaStream, StreamNumber, Timestamp};

    fn interval(kind: IntervalKind, start_us: u64, end_us: u64) -> Interval {
        Interval {
            kind,
            start_us,
            end_us,
            cause: None,
            packets: 0,
            samples: 0,
            lost: 0,
            grounds: vec![],
            pause: None,
        }
    }

    #[test]
    fn a_refusal_names_its_article() {
        let ground = Ground {
            rule: "de-201".into(),
            articles: vec!["§ 201 StGB".into()],
            text_nl: "geen toestemming".into(),
            text_en: "no consent".into(),
        };
        let waited = Interval {
            cause: Some(Cause::Refusal),
            grounds: vec![ground],
            ..interval(IntervalKind::NotStarted, 0, 7_040_000)
        };
        assert_eq!(
            describe(&waited, Language::Nl),
            "niet begonnen tot 00:07,1, geen toestemming (§ 201 StGB)"
        );
        assert_eq!(
            describe(&waited, Language::En),
            "not started until 00:07.1, no consent (§ 201 StGB)"
        );
    }

    #[test]
    fn short_and_long_intervals_read_well() {
        let lost = Interval {
            lost: 1,
            ..interval(IntervalKind::Loss, 12_000_000, 12_020_000)
        };
        assert_eq!(
            describe(&lost, Language::Nl),
            "pakketten kwijtgeraakt onderweg op 00:12 (0,020 s), 1 pakket"
        );
        let paused = Interval {
            cause: Some(Cause::Operator),
            ..interval(IntervalKind::Paused, 3_599_000_000, 3_725_000_000)
        };
        assert_eq!(
            describe(&paused, Language::En),
            "paused from 59:59 to 1:02:05, by a person on our side"
        );
    }

    #[test]
    fn the_edges_of_a_time_are_told_so_that_they_cover_it() {
        let told = |from, to| from_to((from, to), Language::Nl);
        assert_eq!(told(8_000_000, 9_500_000), "van 00:08 tot 00:09,5");
        assert_eq!(told(7_929_000, 9_509_000), "van 00:07,9 tot 00:09,6");
        assert_eq!(told(200_000, 900_001), "van 00:00,2 tot 00:01");
        assert_eq!(
            told(3_599_999_999, 3_599_999_999),
            "van 59:59,9 tot 1:00:00"
        );
        assert_eq!(told(0, 0), "van 00:00 tot 00:00");
        assert_eq!(
            from_to((12_345_678, 12_345_678), Language::En),
            "from 00:12.3 to 00:12.4"
        );
        assert_eq!(
            between((12_345_678, 12_365_678), Language::En),
            "at 00:12.3 (0.020 s)"
        );
        // However far it is, it is told.
        assert_ne!(edge_text(u64::MAX, Edge::End, Language::Nl), "");
    }

    #[test]
    fn a_pause_on_our_side_says_why_and_who_asked_for_it() {
        let paused = Interval {
            cause: Some(Cause::Operator),
            pause: Some(Pausing {
                reason: PauseReason::CardData,
                by: AskedBy::Key,
                party: Some("p1".to_owned()),
            }),
            ..interval(IntervalKind::Paused, 12_000_000, 70_000_000)
        };
        assert_eq!(
            describe(&paused, Language::Nl),
            "gepauzeerd van 00:12 tot 01:10, om kaartgegevens, met een toets door p1"
        );
        assert_eq!(
            describe(&paused, Language::En),
            "paused from 00:12 to 01:10, for card data, with a key by p1"
        );
    }

    #[test]
    fn the_notice_is_told_with_its_place_and_likeness_and_that_it_was_not_heard() {
        let event = |millis: i64, event| Record::Event {
            at: Timestamp::from_micros(millis * 1_000),
            event,
        };
        let heard = JournalEvent::NoticeHeard {
            stream: StreamNumber(1),
            length_us: 5_900_000,
            similarity_permille: 987,
        };
        let timeline = crate::timeline::build([
            event(0, JournalEvent::CallStarted {}),
            event(2_400, heard),
            event(60_000, JournalEvent::NoticeMissed {}),
        ]);
        assert_eq!(
            comings(&timeline, Language::Nl),
            [
                "melding gehoord van 00:02,4 tot 00:08,3 op stroom 1, gelijkenis 0,98",
                "melding niet gehoord; tot 01:00,0 is ernaar geluisterd",
            ]
        );
        assert_eq!(
            comings(&timeline, Language::En),
            [
                "notice heard from 00:02.4 to 00:08.3 on stream 1, similarity 0.98",
                "notice not heard; it was listened for until 01:00.0",
            ]
        );
        let bytes = timeline.to_bytes().unwrap();
        assert_eq!(Timeline::from_bytes(&bytes).unwrap(), timeline);
    }

    #[test]
    fn what_cannot_be_played_and_which_keys_were_pressed_is_said() {
        let stream = MediaStream {
            number: StreamNumber(1),
            label: None,
            codec: Codec::Pcma,
            payload_type: 8,
            parameters: None,
            also: vec![],
            party: None,
        };
        let mut timeline = crate::timeline::build([
            Record::Event {
                at: Timestamp::from_micros(0),
                event: JournalEvent::CallStarted {},
            },
            Record::Event {
                at: Timestamp::from_micros(0),
                event: JournalEvent::StreamAdded { stream },
            },
        ]);
        let mut stream = timeline.streams.remove(0);
        assert_eq!(remarks(&stream, Language::Nl), [""; 0]);
        stream.packets = 50;
        stream.heard = vec![Codec::Pcma, Codec::G729];
        stream.keys = vec![
            KeyPress {
                start_us: 12_000_000,
                length_us: 120_000,
            };
            201
        ];
        stream.left_out = 9;
        let dutch = remarks(&stream, Language::Nl);
        assert_eq!(dutch.len(), 203);
        assert_eq!(
            dutch[0],
            "geluid in G729: voicelog kan dat niet afspelen; de pakketten zijn bewaard zoals ze kwamen"
        );
        assert_eq!(dutch[1], "toets ingedrukt op 00:12 (0,120 s)");
        assert_eq!(dutch[201], "en nog 1 keer een toets");
        assert_eq!(
            remarks(&stream, Language::En)[202],
            "9 packets that say which key are left out"
        );
        stream.heard = vec![Codec::read("file-mpeg/48000").unwrap()];
        assert_eq!(
            remarks(&stream, Language::En)[0],
            "a file (file-mpeg/48000): the packets put together are the file, byte for byte"
        );
    }
}
