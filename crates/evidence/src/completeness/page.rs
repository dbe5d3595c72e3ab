//! The certificate as a page that a judge can read and print: Dutch first, then English.

use super::{Completeness, Stream};
use crate::part::{Scope, Times, left_out_texts, redaction_text, scope_title};
use crate::timeline::{
    Interval, IntervalKind, StreamTimeline, Timeline, Verdict, clock_text, comings, describe,
    ending_text,
};
use askama::Template;
use voicelog_model::Language;

/// Gaps and passages that are listed one by one; beyond, only their number.
const LISTED_MAX: usize = 100;
/// Width of a stream's drawing.
pub(super) const WIDTH: u64 = 1_000;
/// Most pieces of a stream that are drawn.
const PIECES_MAX: usize = 2_000;

#[derive(Template)]
#[template(path = "completeness.html")]
struct Page {
    title: String,
    is_part: bool,
    sections: [Section; 2],
}

/// The page in one language.
pub(super) struct Section {
    pub(super) language: Language,
    lang: &'static str,
    pub(super) w: Words,
    pub(super) verdict: &'static str,
    pub(super) means: &'static str,
    pub(super) tone: &'static str,
    /// Sound and declared gaps are all of the call.
    pub(super) is_accounted: bool,
    pub(super) part: Option<String>,
    pub(super) passages: Vec<String>,
    /// What is left out in fact.
    pub(super) left_out: Vec<String>,
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) rows: Vec<Row>,
    pub(super) drawings: Vec<Drawing>,
    pub(super) gaps: Vec<String>,
    pub(super) unlisted: usize,
    pub(super) remarks: Vec<String>,
}

pub(super) struct Row {
    pub(super) cells: Vec<String>,
}

/// The time of one stream, drawn.
pub(super) struct Drawing {
    pub(super) label: String,
    pub(super) pieces: Vec<Piece>,
}

pub(super) struct Piece {
    pub(super) x: u64,
    pub(super) width: u64,
    pub(super) class: &'static str,
}

/// The words of the page.
pub(super) struct Words {
    pub(super) heading: &'static str,
    pub(super) recording: &'static str,
    pub(super) numbers: &'static str,
    pub(super) columns: [&'static str; 9],
    pub(super) gaps: &'static str,
    pub(super) none: &'static str,
    pub(super) and_more: &'static str,
    pub(super) left_out: &'static str,
    pub(super) legend: &'static str,
    pub(super) paper_legend: &'static str,
    pub(super) paper_absent: &'static str,
    pub(super) absent: &'static str,
    pub(super) asked: &'static str,
    pub(super) in_fact: &'static str,
    pub(super) remarks: &'static str,
    pub(super) shows: &'static str,
    pub(super) sum_text: &'static str,
    pub(super) shows_text: &'static str,
    pub(super) not: &'static str,
    pub(super) not_text: &'static str,
    pub(super) check: &'static str,
    pub(super) check_text: &'static str,
}

pub(super) fn page(said: &Completeness, timeline: &Timeline, scope: Option<&Scope>) -> String {
    let page = Page {
        title: said.title(scope),
        is_part: scope.is_some(),
        sections: sections(said, timeline, scope),
    };
    // A template over values that are there can only fail for want of memory.
    page.render().unwrap_or_default()
}

/// What it says in Dutch, and in English.
pub(super) fn sections(
    said: &Completeness,
    timeline: &Timeline,
    scope: Option<&Scope>,
) -> [Section; 2] {
    [Language::Nl, Language::En].map(|language| section(said, timeline, scope, language))
}

fn section(
    said: &Completeness,
    timeline: &Timeline,
    scope: Option<&Scope>,
    lang: Language,
) -> Section {
    let (verdict, mut means, mut tone) = verdict(said.verdict, lang);
    if scope.is_some() {
        // What holds of the whole is not to be read as if it held of this copy.
        means = lang.pick(
            "Dit oordeel gaat over de hele opname toen die gemaakt werd, niet over deze kopie.",
            "This verdict is about the whole recording when it was made, not about this copy.",
        );
        tone = "of-whole";
    }
    let gaps = timeline.streams.iter().flat_map(|stream| {
        let number = stream.stream.number;
        let gaps = stream.intervals.iter().filter(|interval| interval.is_gap());
        gaps.map(move |gap| (number, gap))
    });
    let word = lang.pick("stroom", "stream");
    let mut gaps: Vec<String> = gaps
        .map(|(number, gap)| format!("{word} {number}: {}", describe(gap, lang)))
        .collect();
    let unlisted = gaps.len().saturating_sub(LISTED_MAX);
    gaps.truncate(LISTED_MAX);
    let passages = scope.map(|scope| scope.redactions.iter().take(LISTED_MAX));
    let mut remarks: Vec<String> = ending_text(timeline, lang).into_iter().collect();
    remarks.extend(comings(timeline, lang));
    remarks.truncate(LISTED_MAX);
    Section {
        language: lang,
        lang: lang.pick("nl", "en"),
        w: words(lang),
        verdict,
        means,
        tone,
        is_accounted: scope.is_none()
            && matches!(
                said.verdict,
                Verdict::Whole | Verdict::WholeWithDeclaredGaps
            ),
        part: scope.map(|scope| scope_title(&scope.plan(), said.ours.length_us, lang)),
        passages: passages
            .into_iter()
            .flatten()
            .map(|redaction| redaction_text(redaction, lang))
            .collect(),
        left_out: scope
            .map(|scope| left_out_texts(scope, timeline, lang))
            .unwrap_or_default(),
        facts: facts(said, lang),
        rows: said
            .streams
            .iter()
            .map(|stream| row(stream, lang))
            .collect(),
        drawings: drawings(timeline, scope, lang),
        gaps,
        unlisted,
        remarks,
    }
}

const fn verdict(verdict: Verdict, lang: Language) -> (&'static str, &'static str, &'static str) {
    let (nl, en, nl_means, en_means, tone) = match verdict {
        Verdict::Whole => (
            "Volledig",
            "Whole",
            "Van begin tot eind is alles er wat de andere kant stuurde.",
            "From beginning to end, all that the other side sent is there.",
            "good",
        ),
        Verdict::WholeWithDeclaredGaps => (
            "Volledig, met verklaarde onderbrekingen",
            "Whole, with declared gaps",
            "Wat er niet is, staat hieronder, met de reden. Verder is alles er.",
            "What is not there is listed below, with the reason. All else is there.",
            "good",
        ),
        Verdict::CutShort => (
            "Afgebroken door de opnameserver",
            "Cut short by the recorder",
            "De opname stopte voor het gesprek voorbij was, of dat kan zo zijn. Tot daar is alles verklaard.",
            "The recording stopped before the conversation did, or may have. Up to there all is declared.",
            "bad",
        ),
        Verdict::UndeclaredGap => (
            "ONVERKLAARDE ONDERBREKING",
            "UNDECLARED GAP",
            "Er ontbreekt geluid, en niets verklaart waarom.",
            "Sound is missing, and nothing explains why.",
            "bad",
        ),
        Verdict::NotRecorded | Verdict::NotDrawn | Verdict::NotRequested => (
            "Niet opgenomen",
            "Not recorded",
            "Van dit gesprek is niets bewaard.",
            "Nothing was kept of this conversation.",
            "bad",
        ),
    };
    (lang.pick(nl, en), lang.pick(nl_means, en_means), tone)
}

fn facts(said: &Completeness, lang: Language) -> Vec<(&'static str, String)> {
    let not_told = lang.pick("niet gezegd", "not told");
    let told = |at: Option<voicelog_model::Timestamp>| {
        at.map_or_else(|| not_told.to_owned(), |at| at.to_string())
    };
    let ours = &said.ours;
    let client = said.client.as_ref();
    let clock = said.clock.as_ref().map_or_else(
        || {
            lang.pick(
                "de klok van de server, met geen andere vergeleken",
                "the server's clock, held against no other",
            )
            .to_owned()
        },
        |check| clock_line(check, lang),
    );
    vec![
        (lang.pick("Opname", "Recording"), said.recording.to_string()),
        (
            lang.pick("Herkomst", "Origin"),
            said.provenance.text(lang).to_owned(),
        ),
        (
            lang.pick("Gesprek, onze klok", "Call, our clock"),
            format!(
                "{} – {} ({})",
                ours.started,
                ours.ended,
                clock_text(ours.length_us)
            ),
        ),
        (
            lang.pick("Gesprek, zegt de andere kant", "Call, says the other side"),
            match client {
                Some(client) => format!("{} – {}", told(client.started), told(client.ended)),
                None => not_told.to_owned(),
            },
        ),
        (lang.pick("Klok", "Clock"), clock),
        (
            lang.pick("In het logboek", "In the log"),
            match lang {
                Language::Nl => format!(
                    "{}, plaats {} van {}",
                    said.log.origin,
                    said.log.index.saturating_add(1),
                    said.log.size
                ),
                Language::En => format!(
                    "{}, place {} of {}",
                    said.log.origin,
                    said.log.index.saturating_add(1),
                    said.log.size
                ),
            },
        ),
        (
            lang.pick("Vingerafdruk", "Fingerprint"),
            said.log.manifest_sha256.to_string(),
        ),
    ]
}

/// `ntp.example, on 2026-…: 0.8 ms behind, ± 3.1 ms`.
fn clock_line(check: &super::ClockCheck, lang: Language) -> String {
    let point = lang.pick(",", ".");
    let millis = |micros: u64| format!("{}{point}{}", micros / 1_000, micros / 100 % 10);
    let way = if check.offset_us < 0 {
        lang.pick("voor", "ahead")
    } else {
        lang.pick("achter", "behind")
    };
    let (offset, uncertainty) = (
        millis(check.offset_us.unsigned_abs()),
        millis(check.uncertainty_us),
    );
    let (source, at) = (&check.source, check.checked_at);
    match lang {
        Language::Nl => {
            format!("{source}, op {at}: onze klok liep {offset} ms {way}, ± {uncertainty} ms")
        }
        Language::En => {
            format!("{source}, at {at}: our clock was {offset} ms {way}, ± {uncertainty} ms")
        }
    }
}

fn row(stream: &Stream, lang: Language) -> Row {
    let codecs: Vec<String> = stream.codecs.iter().map(ToString::to_string).collect();
    let name = match &stream.party {
        Some(party) => format!("{} ({party})", stream.number),
        None => stream.number.to_string(),
    };
    let point = lang.pick(",", ".");
    let seconds =
        |micros: u64| format!("{}{point}{:03}", micros / 1_000_000, micros / 1_000 % 1_000);
    Row {
        cells: vec![
            name,
            codecs.join(", "),
            stream.expected.to_string(),
            stream.received.to_string(),
            stream.late.to_string(),
            stream.lost.to_string(),
            seconds(stream.media_us),
            seconds(stream.declared_us),
            seconds(stream.undeclared_us),
        ],
    }
}

/// Of a copy of a part only what it shows is drawn as it was.
fn drawings(timeline: &Timeline, scope: Option<&Scope>, lang: Language) -> Vec<Drawing> {
    let word = lang.pick("stroom", "stream");
    let draw = |stream: &StreamTimeline| {
        let absent = scope.map(|scope| scope.absent_of(stream, timeline));
        Drawing {
            label: format!("{word} {}", stream.stream.number),
            pieces: drawing(
                &stream.intervals,
                &absent.unwrap_or_default(),
                timeline.length_us(),
            ),
        }
    };
    timeline.streams.iter().map(draw).collect()
}

/// Pieces side by side that would look the same are one.
fn drawing(intervals: &[Interval], absent: &Times, length_us: u64) -> Vec<Piece> {
    let place = |micros: u64| micros.saturating_mul(WIDTH) / length_us.max(1);
    let mut pieces: Vec<Piece> = Vec::new();
    let parts = intervals.iter().flat_map(|interval| {
        let parts = absent.cut((interval.start_us, interval.end_us));
        parts.into_iter().map(move |part| (interval, part))
    });
    for (interval, (start_us, end_us, is_absent)) in parts {
        let class = match interval.kind {
            _ if is_absent => "absent",
            IntervalKind::Media => "media",
            IntervalKind::UndeclaredGap => "undeclared",
            _ if interval.is_gap() => "gap",
            _ => "edge",
        };
        let (x, end) = (place(start_us), place(end_us));
        // A gap is never too short to be seen.
        let width = end
            .saturating_sub(x)
            .max(u64::from(interval.is_gap() || is_absent) * 2);
        let is_full = pieces.len() >= PIECES_MAX;
        match pieces.last_mut() {
            Some(last) if last.class == class => {
                last.width = x.saturating_add(width).saturating_sub(last.x);
            }
            _ if is_full => {}
            _ => pieces.push(Piece { x, width, class }),
        }
    }
    pieces
}

const fn words(lang: Language) -> Words {
    match lang {
        Language::Nl => Words {
            heading: "Verklaring van volledigheid",
            recording: "De opname",
            numbers: "Wat er kwam, per stroom",
            columns: [
                "stroom",
                "codec",
                "verwacht",
                "ontvangen",
                "te laat",
                "kwijt",
                "geluid (s)",
                "verklaard stil (s)",
                "onverklaard (s)",
            ],
            gaps: "Onderbrekingen",
            none: "Geen.",
            and_more: "meer; alle staan in completeness.json",
            left_out: "Niet in deze kopie",
            legend: "Donker: geluid. Gestreept: verklaarde onderbreking. Rood omlijnd: onverklaard. Leeg: voor het eerste en na het laatste pakket.",
            paper_legend: "Vol: geluid. Half hoog: verklaarde onderbreking. Twee dunne lijnen: onverklaard. Leeg: voor het eerste en na het laatste pakket.",
            paper_absent: "Dunne lijn in het midden: niet in deze kopie.",
            absent: "Grijs: niet in deze kopie.",
            asked: "Gevraagd weg te laten:",
            in_fact: "Weggelaten geluid. Er wordt per tiende seconde weggelaten, en wat het weggelatene kan herhalen gaat mee, dus het is vaak iets meer dan gevraagd:",
            remarks: "Verder",
            shows: "Wat dit laat zien",
            sum_text: "Geluid en verklaarde onderbrekingen zijn samen precies zo lang als het gesprek, tot op een pakket.",
            shows_text: "Het archief zette dit in zijn logboek. Hierboven staat hoe groot dat toen was. Verify.html laat zien of er daarna iets is veranderd.",
            not: "Wat dit niet laat zien",
            not_text: "Dat wat aankwam ook is wat er gezegd is: het telefoonnet is niet van het archief. Wat de andere kant over haar klok zegt, kan niemand hier nagaan.",
            check: "Zelf nagaan",
            check_text: "Open verify.html uit dit pakket in een browser en sleep het pakket erin. Er is geen internet voor nodig.",
        },
        Language::En => Words {
            heading: "Statement of completeness",
            recording: "The recording",
            numbers: "What came, stream by stream",
            columns: [
                "stream",
                "codec",
                "expected",
                "received",
                "late",
                "lost",
                "sound (s)",
                "declared silent (s)",
                "undeclared (s)",
            ],
            gaps: "Gaps",
            none: "None.",
            and_more: "more; all are in completeness.json",
            left_out: "Not in this copy",
            legend: "Dark: sound. Striped: declared gap. Framed in red: undeclared. Empty: before the first and after the last packet.",
            paper_legend: "Full: sound. Half as high: declared gap. Two thin lines: undeclared. Empty: before the first and after the last packet.",
            paper_absent: "Thin line in the middle: not in this copy.",
            absent: "Grey: not in this copy.",
            asked: "Asked to be left out:",
            in_fact: "Sound that is left out. It goes by tenths of a second, and with it goes what may repeat it, so it is often a little more than was asked:",
            remarks: "Also",
            shows: "What this shows",
            sum_text: "Sound and declared gaps together are exactly as long as the call, to one packet.",
            shows_text: "The archive put this in its log, which was then as large as stated above. Verify.html shows whether anything was changed since.",
            not: "What this does not show",
            not_text: "That what arrived is what was said: the telephone network is not the archive's. What the other side says of its clock nobody can check here.",
            check: "Check it yourself",
            check_text: "Open verify.html from this bundle in a browser and drop the bundle into it. It needs no internet.",
        },
    }
}
