//! What a reader wants to know of the recording, once the report holds.

use super::claims::Claims;
use super::report::{Fact, Text};
use crate::bundle::BundleNote;
use crate::note::VerifierKey;
use crate::part::{Scope, left_out_texts, redaction_text, scope_title};
use crate::timeline::{Interval, Timeline, Verdict, clock_text, describe, ending_text, unplayable};
use voicelog_model::Language;

/// Gaps that are listed one by one; beyond, only their number.
const GAPS_LISTED_MAX: usize = 200;

/// Gathers the facts.
pub(super) fn facts(
    claims: &Claims,
    note: Option<&BundleNote>,
    log_size: Option<u64>,
    key: Option<&VerifierKey>,
    trusted: bool,
) -> Vec<Fact> {
    let mut facts = Vec::new();
    if let Some(manifest) = &claims.manifest {
        facts.push(same("opname", "recording", manifest.recording.to_string()));
        let started = manifest.call_started.to_string();
        let origin = |language| manifest.provenance.text(language).to_owned();
        let (nl, en) = (origin(Language::Nl), origin(Language::En));
        facts.push(fact(("herkomst", "origin"), nl, en));
        facts.push(same("begin van het gesprek", "start of the call", started));
    }
    if let Some(timeline) = &claims.timeline {
        if let Some(scope) = &claims.scope {
            of_scope(scope, timeline, &mut facts);
        }
        of_timeline(timeline, &mut facts);
    }
    if let Some(opening) = &claims.opening {
        let at = opening.leaf.at.to_string();
        facts.push(same("in het logboek sinds", "in the log since", at));
    }
    if let Some(size) = log_size {
        let names = ("omvang van het logboek", "size of the log");
        facts.push(fact(
            names,
            count(size, "plaats", "plaatsen"),
            count(size, "place", "places"),
        ));
    }
    if let Some(note) = note {
        facts.push(same("bundel gemaakt", "bundle made", note.made.to_string()));
    }
    if let Some(key) = key {
        let (nl, en) = if trusted {
            ("opgegeven door u", "given by you")
        } else {
            (
                "alleen door de bundel zelf genoemd",
                "stated by the bundle alone",
            )
        };
        facts.push(fact(
            ("sleutel", "key"),
            format!("{key} ({nl})"),
            format!("{key} ({en})"),
        ));
    }
    facts
}

/// What a copy of a part does not show, and why.
fn of_scope(scope: &Scope, timeline: &Timeline, facts: &mut Vec<Fact>) {
    let plan = scope.plan();
    let title = |language| scope_title(&plan, timeline.length_us(), language);
    facts.push(fact(
        ("kopie van een deel", "copy of a part"),
        title(Language::Nl),
        title(Language::En),
    ));
    for redaction in scope.redactions.iter().take(GAPS_LISTED_MAX) {
        let text = |language| redaction_text(redaction, language);
        facts.push(fact(
            ("gevraagd weg te laten", "asked to be left out"),
            text(Language::Nl),
            text(Language::En),
        ));
    }
    let [nl, en] = [Language::Nl, Language::En].map(|lang| left_out_texts(scope, timeline, lang));
    for (nl, en) in nl.into_iter().zip(en) {
        let name = ("weggelaten geluid", "sound that is left out");
        facts.push(fact(name, nl, en));
    }
}

fn of_timeline(timeline: &Timeline, facts: &mut Vec<Fact>) {
    facts.push(same("lengte", "length", clock_text(timeline.length_us())));
    let packets = timeline.streams.iter().map(|stream| stream.packets);
    let packets = packets.fold(0, u64::saturating_add);
    let streams = timeline.streams.len() as u64;
    let text = |stream, packet| format!("{stream}, {packet}");
    facts.push(fact(
        ("geluid", "sound"),
        text(
            count(streams, "stroom", "stromen"),
            count(packets, "pakket", "pakketten"),
        ),
        text(
            count(streams, "stream", "streams"),
            count(packets, "packet", "packets"),
        ),
    ));
    let (nl, en) = verdict(timeline.verdict);
    facts.push(fact(("oordeel", "verdict"), nl.to_owned(), en.to_owned()));
    let [nl, en] = [Language::Nl, Language::En].map(|language| ending_text(timeline, language));
    if let (Some(nl), Some(en)) = (nl, en) {
        facts.push(fact(("einde", "end"), nl, en));
    }
    for stream in &timeline.streams {
        let number = stream.stream.number;
        let [nl, en] = [Language::Nl, Language::En].map(|language| unplayable(stream, language));
        for (nl, en) in nl.into_iter().zip(en) {
            facts.push(fact(
                ("niet te horen", "not to be heard"),
                format!("stroom {number}: {nl}"),
                format!("stream {number}: {en}"),
            ));
        }
    }
    let gaps = || {
        timeline.streams.iter().flat_map(|stream| {
            let number = stream.stream.number.0;
            let gaps = stream.intervals.iter().filter(|interval| interval.is_gap());
            gaps.map(move |gap| (number, gap))
        })
    };
    for (number, gap) in gaps().take(GAPS_LISTED_MAX) {
        let text = |language| gap_text(number, gap, language);
        facts.push(fact(
            ("onderbreking", "gap"),
            text(Language::Nl),
            text(Language::En),
        ));
    }
    let unlisted = gaps().count().saturating_sub(GAPS_LISTED_MAX);
    if unlisted > 0 {
        let (nl, en) = (
            format!("en {unlisted} andere"),
            format!("and {unlisted} others"),
        );
        facts.push(fact(("onderbrekingen", "gaps"), nl, en));
    }
}

fn gap_text(stream: u16, gap: &Interval, language: Language) -> String {
    let word = language.pick("stroom", "stream");
    format!("{word} {stream}: {}", describe(gap, language))
}

const fn verdict(verdict: Verdict) -> Text {
    match verdict {
        Verdict::Whole => ("volledig", "whole"),
        Verdict::WholeWithDeclaredGaps => (
            "volledig, met verklaarde onderbrekingen",
            "whole, with declared gaps",
        ),
        Verdict::CutShort => (
            "AFGEBROKEN DOOR DE OPNAMESERVER",
            "CUT SHORT BY THE RECORDER",
        ),
        Verdict::NotDrawn => (
            "niet opgenomen: niet geloot voor de steekproef",
            "not recorded: not drawn for the sample",
        ),
        Verdict::NotRequested => (
            "niet opgenomen: niemand vroeg het te bewaren",
            "not recorded: nobody asked to keep it",
        ),
        Verdict::UndeclaredGap => ("ONVERKLAARDE ONDERBREKING", "UNDECLARED GAP"),
        Verdict::NotRecorded => (
            "niet opgenomen: het mocht niet",
            "not recorded: not permitted",
        ),
    }
}

/// A number with its word: one, or several.
fn count(number: u64, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}

fn same(name_nl: &'static str, name_en: &'static str, value: String) -> Fact {
    fact((name_nl, name_en), value.clone(), value)
}

pub(super) const fn fact((name_nl, name_en): Text, value_nl: String, value_en: String) -> Fact {
    Fact {
        name_nl,
        name_en,
        value_nl,
        value_en,
    }
}
