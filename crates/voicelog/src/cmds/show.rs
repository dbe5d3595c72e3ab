//! A decision and a timeline as text, for `show`, `law decide` and the demo.

use crate::print::{self, Tone};
use voicelog_archive::odd::odd;
use voicelog_archive::{
    Access, CallReport, Came, Conversation, Detail, LINE_NOT_SET_UP, LINE_OF_IMPORTS,
    RecordingSummary, StoredDecision,
};
use voicelog_casework::moment::moment;
use voicelog_evidence::audio::describe_span;
use voicelog_evidence::bundle::StreamSpans;
use voicelog_evidence::timeline::{Timeline, Verdict, comings, describe, ending_text, remarks};
use voicelog_law::{Decision, Outcome, Status, in_brackets};
use voicelog_model::{Action, Language, RecordingId};

/// The line's name, or that nobody set it up.
pub(crate) fn line_name(line: &str, lang: Language) -> &str {
    match line {
        LINE_NOT_SET_UP => lang.pick("(niet ingericht)", "(not set up)"),
        LINE_OF_IMPORTS => lang.pick("(ingelezen bestand)", "(imported file)"),
        line => line,
    }
}

/// The outcome in words.
pub(crate) fn outcome(outcome: Outcome, lang: Language) -> &'static str {
    match outcome {
        Outcome::Permitted => lang.pick("toegestaan", "permitted"),
        Outcome::PermittedWithDuties => {
            lang.pick("toegestaan, met plichten", "permitted, with duties")
        }
        Outcome::NeedsHuman => lang.pick("een mens moet beslissen", "a person must decide"),
        Outcome::ForbiddenPrivacy => lang.pick(
            "verboden (privacy, geheim, contract of arbeid)",
            "forbidden (privacy, secrecy, contract or labour)",
        ),
        Outcome::ForbiddenCriminal => {
            lang.pick("verboden (strafrecht)", "forbidden (criminal law)")
        }
    }
}

/// Prints a decision: outcome, reasons, duties, advice.
pub(crate) fn decision(decision: &Decision, lang: Language, indent: &str) {
    answer(decision, lang, indent);
    duties(decision, lang, indent);
}

/// Prints the outcome of a decision with its reasons.
fn answer(decision: &Decision, lang: Language, indent: &str) {
    let permitted = decision.is_permitted();
    let (tone, mark) = if permitted {
        (Tone::Good, "✔")
    } else {
        (Tone::Bad, "✘")
    };
    let word = outcome(decision.outcome(), lang);
    print::line(format!(
        "{indent}{} {}",
        print::tone(tone, mark),
        print::tone(Tone::Strong, word)
    ));
    for reason in decision.reasons() {
        let text = reason.text.pick(lang);
        let note = source(reason.status, lang);
        print::line(format!(
            "{indent}  – {text}{}{note}",
            in_brackets(&reason.articles)
        ));
        if let Some(weighing) = &reason.weighing {
            let who = weighing.who.pick(lang);
            let label = lang.pick("wie weegt:", "who weighs:");
            print::line(format!("{indent}    {label} {who}"));
            for factor in &weighing.factors {
                print::line(format!("{indent}      · {}", factor.pick(lang)));
            }
        }
    }
}

/// Prints the duties of a decision, and what their marks mean.
pub(crate) fn duties(decision: &Decision, lang: Language, indent: &str) {
    for duty in decision.duties() {
        let mark = match duty.met {
            Some(true) => "✔",
            Some(false) => "✘",
            None => "?",
        };
        let text = duty.text.pick(lang);
        let note = source(duty.status, lang);
        print::line(format!(
            "{indent}  {mark} {text}{}{note}",
            in_brackets(&duty.articles)
        ));
        let proof = duty.proof.as_ref().map_or_else(String::new, |proof| {
            format!(" · {} {}", lang.pick("bewijs:", "proof:"), proof.pick(lang))
        });
        let (who, by) = (duty.who_in(lang), duty.by_in(lang));
        print::line(format!("{indent}      {who} · {by}{proof}"));
    }
    if !decision.duties().is_empty() {
        let legend = lang.pick(
            "(plichten: ✔ nagekomen, ✘ niet nagekomen, ? niet bekend)",
            "(duties: ✔ met, ✘ not met, ? not known)",
        );
        print::line(format!("{indent}  {legend}"));
    }
}

/// Prints every decision: the newest about each act whole, of those before it outcome and reasons. The
/// duties of all would be screens of the same.
pub(crate) fn decisions(decisions: &[StoredDecision], lang: Language) {
    for (place, kept) in decisions.iter().enumerate() {
        let question = voicelog_web::question(kept.action, lang);
        print::line(format!("{}  {question}", kept.at));
        let mut later = decisions.iter().skip(place + 1);
        if later.any(|other| other.action == kept.action) {
            answer(&kept.decision, lang, "  ");
            let later = lang.pick(
                "  (later is opnieuw besloten: zie hieronder)",
                "  (it was decided again later: see below)",
            );
            print::line(later);
        } else {
            decision(&kept.decision, lang, "  ");
        }
    }
}

/// Prints who listened and who got a copy, one line each.
pub(crate) fn accesses(accesses: &[Access], lang: Language, indent: &str) {
    if accesses.is_empty() {
        return;
    }
    let heading = lang.pick(
        "Wie luisterde of een kopie kreeg:",
        "Who listened or got a copy:",
    );
    print::line(format!("{indent}{heading}"));
    for access in accesses {
        let gone = match access.came {
            Came::OnlyLogged => lang.pick("(niet meer bekend)", "(not known any more)"),
            _ => lang.pick(
                "(vernietigd met de opname)",
                "(destroyed with the recording)",
            ),
        };
        let asker = access.asker.as_ref().map_or(gone, |asker| asker.expose());
        let what = match access.action {
            Action::Listen => lang.pick("beluisteren", "listen"),
            Action::FileInCourt => lang.pick("kopie voor de rechter", "copy for a court"),
            _ => lang.pick("kopie", "copy"),
        };
        let recipient = access
            .recipient
            .as_deref()
            .map_or_else(String::new, |role| {
                format!(" {} {role}", lang.pick("voor", "for"))
            });
        let came = match access.came {
            Came::Opened => "",
            Came::NotOpened => lang.pick(" (niet geopend)", " (not opened)"),
            Came::Refused => lang.pick(" (geweigerd)", " (refused)"),
            Came::OnlyLogged => lang.pick(
                " (alleen het logboek weet ervan, sinds het archief is teruggezet)",
                " (only the log tells of it, since the archive was restored)",
            ),
        };
        let reason = access.reason.as_ref().map_or_else(String::new, |reason| {
            format!("  {}: {}", lang.pick("reden", "reason"), reason.expose())
        });
        let at = access.at;
        print::line(format!(
            "{indent}  {at}  {asker}  {what}{recipient}{came}{reason}"
        ));
    }
}

/// What is said of a rule that does not rest on a text of the law that was read.
pub(crate) const fn source(status: Status, lang: Language) -> &'static str {
    match status {
        Status::Verified => "",
        Status::Unverified => lang.pick(" (bron nog niet nagelezen)", " (source not read yet)"),
        Status::House => lang.pick(" (huisregel)", " (house rule)"),
    }
}

/// The verdict in words.
pub(crate) fn verdict(verdict: Verdict, lang: Language) -> &'static str {
    match verdict {
        Verdict::Whole => lang.pick("volledig", "whole"),
        Verdict::WholeWithDeclaredGaps => lang.pick(
            "volledig, met verklaarde onderbrekingen",
            "whole, with declared gaps",
        ),
        Verdict::UndeclaredGap => lang.pick(
            "LET OP: onverklaarde onderbreking",
            "WARNING: undeclared gap",
        ),
        Verdict::CutShort => lang.pick(
            "AFGEBROKEN DOOR DE OPNAMESERVER",
            "CUT SHORT BY THE RECORDER",
        ),
        Verdict::NotRecorded => lang.pick("niet opgenomen", "not recorded"),
        Verdict::NotDrawn => lang.pick(
            "niet opgenomen: niet geloot voor de steekproef",
            "not recorded: not drawn for the sample",
        ),
        Verdict::NotRequested => lang.pick(
            "niet opgenomen: niemand vroeg het te bewaren",
            "not recorded: nobody asked to keep it",
        ),
    }
}

/// Prints a timeline, one line per interval of each stream.
pub(crate) fn timeline(timeline: &Timeline, lang: Language, indent: &str) {
    let tone = match timeline.verdict {
        Verdict::Whole | Verdict::WholeWithDeclaredGaps => Tone::Good,
        Verdict::CutShort | Verdict::UndeclaredGap | Verdict::NotRecorded => Tone::Bad,
        Verdict::NotDrawn | Verdict::NotRequested => Tone::Strong,
    };
    print::line(format!(
        "{indent}{}",
        print::tone(tone, verdict(timeline.verdict, lang))
    ));
    if let Some(ending) = ending_text(timeline, lang) {
        print::line(format!("{indent}{}", print::tone(tone, &ending)));
    }
    for coming in comings(timeline, lang) {
        print::line(format!("{indent}{coming}"));
    }
    for stream in &timeline.streams {
        let label = lang.pick("stroom", "stream");
        print::line(format!("{indent}{label} {}:", stream.stream.number));
        for interval in &stream.intervals {
            print::line(format!("{indent}  {}", describe(interval, lang)));
        }
        for remark in remarks(stream, lang) {
            print::line(format!("{indent}  {remark}"));
        }
    }
}

/// Prints a conversation of the list: one line for each of its parts.
pub(crate) fn conversation(conversation: &Conversation, lang: Language) {
    let total = conversation.parts.len();
    if total > 1 {
        let started = conversation.parts.first().map(|part| part.started_at);
        let started = started.map(|at| at.to_string()).unwrap_or_default();
        let talk = lang.pick("één gesprek in", "one conversation in");
        let parts = lang.pick("deelopnamen", "parts");
        print::line(format!("{started}  {talk} {total} {parts}"));
    }
    let indent = if total > 1 { "  " } else { "" };
    for part in &conversation.parts {
        let verdict = part.verdict.map_or("", |found| verdict(found, lang));
        let line = line_name(&part.line, lang);
        let copy = match &part.part {
            Some(link) if link.is_copy => lang.pick("  (hetzelfde nog eens)", "  (the same again)"),
            _ => "",
        };
        let private = if part.is_partly_private {
            lang.pick("  (deels privé)", "  (partly private)")
        } else {
            ""
        };
        print::line(format!(
            "{indent}{}  {}  {:24}  {line:16}  {verdict}{private}{copy}",
            part.id,
            part.started_at,
            voicelog_web::state(part.state, lang)
        ));
    }
}

/// Prints until when the sound is kept, or when it went and why, where it has a term of its own.
pub(crate) fn sound(summary: &RecordingSummary, lang: Language) {
    let line = match (summary.sound_destroyed_at, summary.sound_until) {
        (Some(at), _) => {
            let on = moment(at, lang);
            match lang {
                Language::Nl => format!(
                    "Het geluid is vernietigd op {on}, omdat de termijn van het geluid voorbij is. Tijdlijn en besluiten zijn er nog."
                ),
                Language::En => format!(
                    "The sound was destroyed on {on}, because the term of the sound is over. Timeline and decisions are still there."
                ),
            }
        }
        (None, Some(until)) if summary.destroyed_at.is_none() => {
            let until = moment(until, lang);
            match lang {
                Language::Nl => format!("Het geluid wordt bewaard tot {until}."),
                Language::En => format!("The sound is kept until {until}."),
            }
        }
        (None, _) => return,
    };
    print::line(line);
}

/// Prints which part of a conversation a recording is, and the others.
pub(crate) fn place(conversation: &Conversation, id: RecordingId, lang: Language) {
    let total = conversation.parts.len();
    let Some(place) = conversation.place_of(id).filter(|_| total > 1) else {
        return;
    };
    print::line(match lang {
        Language::Nl => format!("deelopname {place} van {total} van één gesprek:"),
        Language::En => format!("part {place} of {total} of one conversation:"),
    });
    for (part, number) in conversation.parts.iter().zip(1..) {
        let link = part.part.as_ref();
        let word = match link {
            Some(link) if link.is_copy => lang.pick("hetzelfde nog eens", "the same again"),
            Some(link) if number > 1 => link.linked_by.as_str(),
            _ => "",
        };
        print::line(format!(
            "  {number}  {}  {}  {word}",
            part.id, part.started_at
        ));
    }
}

/// Prints what became of a recording's media, and whose voice is where.
pub(crate) fn media(detail: &Detail, lang: Language) {
    if let Some(manifest) = &detail.manifest {
        let label = lang.pick("herkomst", "origin");
        print::line(format!("{label}: {}", manifest.provenance.text(lang)));
    }
    if let Some(found) = &detail.timeline {
        timeline(found, lang, "");
    }
    if let Some(told) = &detail.report {
        report(told, detail.timeline.as_ref(), lang);
    }
}

/// Prints whose voice is where, how that is known, what was odd, and what the senders said of
/// themselves.
fn report(report: &CallReport, timeline: Option<&Timeline>, lang: Language) {
    for voice in report.voices_in_words(timeline, lang) {
        print::line(voice);
    }
    for word in &report.quirks {
        let label = lang.pick("vreemd:", "odd:");
        print::line(format!("{label} {}", odd(word, lang)));
    }
    for claim in &report.senders {
        claim.in_words(lang).into_iter().for_each(print::line);
    }
}

/// Prints where the sound is not simply what was sent.
pub(crate) fn spans(streams: &[StreamSpans], lang: Language) {
    let label = lang.pick("stroom", "stream");
    for stream in streams {
        for span in &stream.spans {
            let text = describe_span(span, lang);
            print::line(format!("{label} {}: {text}", stream.number));
        }
    }
}
