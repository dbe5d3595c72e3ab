//! The timeline as a picture and as a table that says the same.

use crate::view::when::{offset, span};
use voicelog_archive::journal::{Cause, Ground};
use voicelog_archive::timeline::{
    CutShort, Interval, IntervalKind as Kind, StreamTimeline, Timeline, pause_text, remarks,
};
use voicelog_model::Language;

/// Rows of one stream's table at most; the picture shows all.
const ROWS_MAX: usize = 400;
/// A gap narrower than this many thousandths of the bar gets no number in the picture.
const MARK_THOUSANDTHS_MIN: u64 = 25;

/// How one kind of interval is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LegendEntry {
    pub(crate) class: &'static str,
    pub(crate) pattern: Option<&'static str>,
    pub(crate) text: &'static str,
}

/// A piece of the bar, in percent of its width.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) class: &'static str,
    pub(crate) pattern: Option<&'static str>,
    pub(crate) x: String,
    pub(crate) width: String,
}

/// A number on the bar that is also in the table.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    pub(crate) x: String,
    pub(crate) number: usize,
}

/// A row of the table.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Number of the gap; sound has none.
    pub(crate) number: Option<usize>,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) length: String,
    pub(crate) what: &'static str,
    pub(crate) why: String,
    pub(crate) alarm: bool,
}

/// One stream.
#[derive(Debug, Clone)]
pub(crate) struct StreamView {
    pub(crate) number: u16,
    pub(crate) heading: String,
    pub(crate) title: String,
    /// The picture in one sentence.
    pub(crate) summary: String,
    pub(crate) caption: String,
    pub(crate) length: String,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) marks: Vec<Mark>,
    pub(crate) rows: Vec<Row>,
    pub(crate) left_out: usize,
    pub(crate) counts: String,
    /// What else is to be said of it.
    pub(crate) remarks: Vec<String>,
}

const fn drawn(kind: Kind) -> (&'static str, Option<&'static str>) {
    match kind {
        Kind::Media => ("bar-media", None),
        Kind::NotStarted => ("bar-gap", Some("pattern-dots")),
        Kind::Paused | Kind::Hold | Kind::Refused => ("bar-gap", Some("pattern-slant")),
        Kind::Loss => ("bar-gap", Some("pattern-upright")),
        Kind::Dropped => ("bar-gap", Some("pattern-grid")),
        Kind::Restart => ("bar-gap", Some("pattern-double")),
        Kind::SilenceSuppressed | Kind::SourceChange => ("bar-gap", Some("pattern-flat")),
        Kind::AwaitingFirstPacket => ("bar-gap", Some("pattern-rings")),
        Kind::AfterLastPacket => ("bar-gap", Some("pattern-dashes")),
        Kind::UndeclaredGap => ("bar-alarm", Some("pattern-cross")),
    }
}

/// What an interval is, in words.
pub(crate) const fn what(kind: Kind, lang: Language) -> &'static str {
    let (nl, en) = match kind {
        Kind::Media => ("Geluid", "Sound"),
        Kind::Loss => ("Kwijtgeraakt in het netwerk", "Lost in the network"),
        Kind::SilenceSuppressed => ("Stilte die niet is gestuurd", "Silence that was not sent"),
        Kind::NotStarted => ("Nog niet opgenomen", "Not recorded yet"),
        Kind::Paused => ("Gepauzeerd", "Paused"),
        Kind::Hold => ("In de wacht", "On hold"),
        Kind::AwaitingFirstPacket => (
            "Wachten op het eerste geluid",
            "Waiting for the first sound",
        ),
        Kind::Dropped => (
            "Verloren in de opnameserver",
            "Lost in the recording server",
        ),
        Kind::Restart => ("Opnameserver herstart", "Recording server restarted"),
        Kind::Refused => (
            "Niet opgenomen: voicelog kan deze stroom niet aannemen",
            "Not recorded: voicelog cannot take this stream",
        ),
        Kind::SourceChange => (
            "De zender begon opnieuw te tellen",
            "The sender began to count anew",
        ),
        Kind::AfterLastPacket => ("Na het laatste geluid", "After the last sound"),
        Kind::UndeclaredGap => ("Onverklaarde onderbreking", "Undeclared gap"),
    };
    lang.pick(nl, en)
}

const fn cause_text(cause: Cause, lang: Language) -> &'static str {
    let (nl, en) = match cause {
        Cause::RecordingClient => ("door de telefooncentrale", "by the telephone exchange"),
        Cause::Operator => ("door een medewerker", "by a member of staff"),
        Cause::Refusal => ("de wet stond het niet toe", "the law did not permit it"),
        Cause::Overload => ("te veel werk tegelijk", "too much work at once"),
        Cause::DiskFull => ("de schijf was vol", "the disk was full"),
        Cause::Shutdown => (
            "de opnameserver werd gestopt",
            "the recording server was stopped",
        ),
        Cause::TimeOut => ("er kwam te lang niets", "nothing came for too long"),
        Cause::Restart => (
            "de opnameserver viel uit en startte weer",
            "the recording server failed and started again",
        ),
        Cause::NoMedia => ("er is nooit geluid gekomen", "no sound ever came"),
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
            "the exchange does not say what comes, or where to",
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
    lang.pick(nl, en)
}

fn grounds_text(grounds: &[Ground], lang: Language) -> String {
    let one = |ground: &Ground| {
        let text = lang.pick(&ground.text_nl, &ground.text_en);
        if ground.articles.is_empty() {
            text.to_owned()
        } else {
            format!("{text} ({})", ground.articles.join(", "))
        }
    };
    grounds.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn why(interval: &Interval, lang: Language) -> String {
    let mut parts = Vec::new();
    if let Some(pausing) = &interval.pause {
        parts.push(pause_text(pausing, lang));
    } else if !interval.grounds.is_empty() {
        parts.push(grounds_text(&interval.grounds, lang));
    } else if let Some(cause) = interval.cause {
        parts.push(cause_text(cause, lang).to_owned());
    }
    match interval.lost {
        0 => {}
        1 => parts.push(lang.pick("1 pakket", "1 packet").to_owned()),
        lost => parts.push(format!("{lost} {}", lang.pick("pakketten", "packets"))),
    }
    parts.join("; ")
}

/// A part of the whole as a percentage with three decimals, without floating point.
fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "0".to_owned();
    }
    let thousandths = u128::from(part.min(whole)) * 100_000 / u128::from(whole);
    format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000)
}

/// The legend of the kinds that occur, and every stream.
pub(crate) fn view(timeline: &Timeline, lang: Language) -> (Vec<LegendEntry>, Vec<StreamView>) {
    let mut legend: Vec<LegendEntry> = Vec::new();
    for interval in timeline.streams.iter().flat_map(|stream| &stream.intervals) {
        let (class, pattern) = drawn(interval.kind);
        let entry = LegendEntry {
            class,
            pattern,
            text: what(interval.kind_in_words(), lang),
        };
        if !legend.contains(&entry) {
            legend.push(entry);
        }
    }
    let streams = timeline
        .streams
        .iter()
        .map(|stream| one_stream(stream, timeline, lang))
        .collect();
    (legend, streams)
}

fn one_stream(stream: &StreamTimeline, timeline: &Timeline, lang: Language) -> StreamView {
    let whole = timeline.length_us();
    let mut pieces = Vec::new();
    let mut marks = Vec::new();
    let mut rows = Vec::new();
    let mut gaps = 0;
    for interval in &stream.intervals {
        let length = interval.length_us();
        let (class, pattern) = drawn(interval.kind);
        pieces.push(Piece {
            class,
            pattern,
            x: percent(interval.start_us, whole),
            width: percent(length, whole),
        });
        let number = interval.is_gap().then(|| {
            gaps += 1;
            gaps
        });
        if let Some(number) = number
            && length.saturating_mul(1_000) >= whole.saturating_mul(MARK_THOUSANDTHS_MIN)
        {
            marks.push(Mark {
                x: percent(interval.start_us + length / 2, whole),
                number,
            });
        }
        rows.push(Row {
            number,
            from: offset(interval.start_us),
            to: offset(interval.end_us),
            length: span(length, lang),
            what: what(interval.kind_in_words(), lang),
            why: why(interval, lang),
            alarm: interval.kind == Kind::UndeclaredGap,
        });
    }
    let left_out = rows.len().saturating_sub(ROWS_MAX);
    rows.truncate(ROWS_MAX);
    let heading = heading(stream, lang);
    StreamView {
        number: stream.stream.number.0,
        title: format!("{}: {heading}", lang.pick("Tijdlijn", "Timeline")),
        summary: summary(stream, timeline.cut_short(), lang),
        caption: format!(
            "{}: {heading}",
            lang.pick("De tijdlijn in woorden", "The timeline in words")
        ),
        heading,
        length: offset(whole),
        pieces,
        marks,
        rows,
        left_out,
        counts: counts(stream, lang),
        remarks: remarks(stream, lang),
    }
}

fn heading(stream: &StreamTimeline, lang: Language) -> String {
    let stroom = lang.pick("Stroom", "Stream");
    match &stream.stream.party {
        Some(party) => format!(
            "{stroom} {}, {} {party}",
            stream.stream.number,
            lang.pick("deelnemer", "participant")
        ),
        None => format!("{stroom} {}", stream.stream.number),
    }
}

/// The picture in a sentence. Where we ourselves stopped, what is there is not the whole conversation.
fn summary(stream: &StreamTimeline, cut: Option<CutShort>, lang: Language) -> String {
    let gaps: Vec<String> = stream
        .intervals
        .iter()
        .filter(|interval| interval.is_gap())
        .take(12)
        .map(|interval| {
            let length = span(interval.length_us(), lang);
            format!(
                "{} {} {} ({length})",
                what(interval.kind_in_words(), lang),
                lang.pick("vanaf", "from"),
                offset(interval.start_us)
            )
        })
        .collect();
    let has_sound = stream.intervals.iter().any(|i| i.kind == Kind::Media);
    let mut text = if !gaps.is_empty() {
        let gaps = gaps.join("; ");
        format!("{}: {gaps}.", lang.pick("Onderbrekingen", "Gaps"))
    } else if !has_sound {
        lang.pick("Geen geluid.", "No sound.").to_owned()
    } else if cut.is_some() {
        lang.pick("Geluid vanaf het begin.", "Sound from the start.")
            .to_owned()
    } else {
        lang.pick("Geluid van begin tot eind.", "Sound from start to end.")
            .to_owned()
    };
    if let Some(cut) = cut {
        let at = offset(cut.at_us);
        text.push_str(&match lang {
            Language::Nl => format!(" De opnameserver stopte op {at}."),
            Language::En => format!(" The recorder stopped at {at}."),
        });
    }
    text
}

fn counts(stream: &StreamTimeline, lang: Language) -> String {
    match lang {
        Language::Nl => format!(
            "{} pakketten ontvangen, {} verloren, {} dubbel, {} te laat.",
            stream.packets, stream.lost, stream.duplicates, stream.late
        ),
        Language::En => format!(
            "{} packets received, {} lost, {} twice, {} late.",
            stream.packets, stream.lost, stream.duplicates, stream.late
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_percentages_and_never_more_than_the_whole() {
        assert_eq!(percent(1, 3), "33.333");
        assert_eq!(percent(9, 3), "100.000");
        assert_eq!(percent(1, 0), "0");
        assert_eq!(percent(u64::MAX, u64::MAX), "100.000");
    }
}
