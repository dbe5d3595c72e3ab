//! `voicelog law again`: would a decision that is kept come out the same today?

use super::save_facts;
use crate::{Context, Ended, print, wiring};
use anyhow::Result;
use serde_json::json;
use std::path::Path;
use voicelog_archive::{
    Again, Archive, ChosenRule, ConsentBy, Draw, KeepState, NoticeState, Saying,
};
use voicelog_law::Decision;
use voicelog_model::{DecisionId, Language, RecordingId, Timestamp};

/// The decision that is meant: by its own id, or the newest about the recording with that id.
fn meant(archive: &Archive, id: DecisionId) -> DecisionId {
    let recording = RecordingId::from_bytes(*id.as_bytes());
    let newest = match archive.decision(id) {
        Ok(None) => archive
            .detail(recording)
            .ok()
            .and_then(|detail| detail.decisions.last().map(|decision| decision.id)),
        _ => None,
    };
    newest.unwrap_or(id)
}

pub(super) fn run(
    id: DecisionId,
    save: Option<&Path>,
    now: Timestamp,
    as_json: bool,
    context: &Context,
) -> Result<Ended> {
    let archive = wiring::visit(context, now)?;
    let made = archive.decide_again(meant(&archive, id))?;
    let same = made.is_same();
    if as_json {
        print::json(&json!({
            "same": same, "stored": made.stored, "again": made.again, "line_rule": made.rule,
            "consent_said": made.sayings, "notice": made.notice,
            "keep": made.keep,
            "private": made.private,
        }))?;
    } else {
        for line in in_words(&made, context.lang) {
            print::line(line);
        }
    }
    if let Some(path) = save {
        save_facts(path, &made.facts, context)?;
    }
    Ok(if same { Ended::Done } else { Ended::Failed })
}

fn in_words(made: &Again, lang: Language) -> Vec<String> {
    let Again { stored, again, .. } = made;
    let of = |decision: &Decision| {
        let book = &decision.rulebook;
        let outcome = crate::cmds::show::outcome(decision.outcome(), lang);
        format!("{outcome} · {} {} {}", book.id, book.valid_from, book.hash)
    };
    let mut lines = vec![
        format!(
            "{} {} · {}",
            lang.pick("toen:", "then: "),
            of(stored),
            stored.at
        ),
        format!("{} {}", lang.pick("nu:  ", "again:"), of(again)),
    ];
    let said = if made.is_same() {
        lang.pick(
            "✔ Precies hetzelfde: uitkomst, redenen, plichten, advies en regels.",
            "✔ Exactly the same: outcome, reasons, duties, advice and rules.",
        )
    } else if stored.rulebook == again.rulebook {
        lang.pick(
            "✘ Niet hetzelfde, met dezelfde regels: dit is een andere versie van het programma.",
            "✘ Not the same, by the same rules: this is another version of the program.",
        )
    } else {
        lang.pick(
            "✘ De regels van toen zijn hier niet: een andere versie van het programma, of huisregels die zijn gewijzigd zonder nieuwe `@valid_from`.",
            "✘ The rules of then are not here: another version of the program, or house rules that were changed without a new `@valid_from`.",
        )
    };
    lines.push(said.to_owned());
    let rule = made.rule.as_ref();
    if let Some(rule) = rule.filter(|rule| rule.name.is_some() || !rule.also_possible.is_empty()) {
        lines.push(line_rule(rule, lang));
    }
    if let (Some(draw), Some(one_in)) = (draw(made), rule.and_then(|rule| rule.one_in)) {
        let is_drawn = draw.is_within(one_in);
        let number = u32::from(one_in);
        lines.push(match (is_drawn, lang) {
            (true, Language::Nl) => format!("Geloot: 1 op {number}, lot {draw}."),
            (true, Language::En) => format!("Drawn: 1 in {number}, draw {draw}."),
            (false, Language::Nl) => format!("Niet geloot: 1 op {number}, lot {draw}."),
            (false, Language::En) => format!("Not drawn: 1 in {number}, draw {draw}."),
        });
    }
    lines.extend(
        made.sayings
            .iter()
            .map(|saying| said_in_words(saying, lang)),
    );
    let notice = made.notice.map(|notice| notice_state(notice, lang));
    lines.extend(notice.map(str::to_owned));
    lines.extend(made.keep.as_ref().map(|keep| keep_state(keep, lang)));
    let private = lang.pick(
        "Het was een privégesprek: er werd niets van bewaard.",
        "It was a private call: nothing of it was kept.",
    );
    lines.extend(made.private.as_ref().map(|_said| private.to_owned()));
    lines
}

/// What a participant had said of being recorded, also where the outcome does not turn on it.
fn said_in_words(saying: &Saying, lang: Language) -> String {
    let (party, word, at) = (&saying.party, &saying.consent, saying.at);
    let (nl, en) = match word.as_str() {
        "given" => ("stemde in met de opname", "agreed to the recording"),
        "refused" => ("zei nee tegen de opname", "said no to the recording"),
        "withdrawn" => ("trok de instemming in", "withdrew the consent"),
        _ => ("zei over de opname", "said of the recording"),
    };
    let what = match word.as_str() {
        "given" | "refused" | "withdrawn" => lang.pick(nl, en).to_owned(),
        other => format!("{}: {other}", lang.pick(nl, en)),
    };
    let how = match saying.by {
        ConsentBy::Key => lang.pick("met een toets", "with a key"),
        ConsentBy::Screen => lang.pick("op het eigen scherm", "on the own screen"),
        ConsentBy::Spoken { .. } => lang.pick("hardop", "aloud"),
    };
    format!("{party} {what}, {how}, {at}.")
}

/// What was known of the notice that the line looks for.
const fn notice_state(notice: NoticeState, lang: Language) -> &'static str {
    match notice {
        NoticeState::Awaited {} => lang.pick(
            "De melding van de lijn was nog niet gehoord.",
            "The notice of the line had not been heard yet.",
        ),
        NoticeState::Heard { .. } => lang.pick(
            "De melding van de lijn was gehoord; waar, staat in het feit `announcement`.",
            "The notice of the line had been heard; the fact `announcement` says where.",
        ),
        NoticeState::Missed {} => lang.pick(
            "De melding van de lijn is in haar tijd niet gehoord.",
            "The notice of the line was not heard in its time.",
        ),
    }
}

/// Whether somebody had asked to keep the call.
fn keep_state(keep: &KeepState, lang: Language) -> String {
    match (keep, lang) {
        (KeepState::NotRequested { look_back_seconds }, Language::Nl) => format!(
            "Niemand had gevraagd het gesprek te bewaren; hoogstens {look_back_seconds} s stond in het geheugen."
        ),
        (KeepState::NotRequested { look_back_seconds }, Language::En) => format!(
            "Nobody had asked to keep the call; {look_back_seconds} s at most were held in memory."
        ),
        (KeepState::Requested(request), Language::Nl) => {
            format!(
                "Gevraagd om te bewaren ({}) op {}.",
                request.reason.as_str(),
                request.at
            )
        }
        (KeepState::Requested(request), Language::En) => {
            format!(
                "Asked to be kept ({}) at {}.",
                request.reason.as_str(),
                request.at
            )
        }
    }
}

/// The draw of the call, worked out again, where its line takes a sample.
fn draw(made: &Again) -> Option<Draw> {
    made.rule.as_ref()?.one_in?;
    Some(Draw::of(made.recording?))
}

/// Which rule of its line the facts came from.
fn line_rule(rule: &ChosenRule, lang: Language) -> String {
    let of = |name: &Option<String>| match name {
        Some(name) => format!("`{name}`"),
        None => lang.pick("de lijn zelf", "the line itself").to_owned(),
    };
    let chosen = of(&rule.name);
    let others: Vec<_> = rule.also_possible.iter().map(of).collect();
    let others = others.join(", ");
    match (rule.also_possible.is_empty(), lang) {
        (true, Language::Nl) => format!("De feiten komen van regel {chosen} van de lijn."),
        (true, Language::En) => format!("The facts come from rule {chosen} of the line."),
        (false, Language::Nl) => format!(
            "De feiten komen van regel {chosen} van de lijn. Het kon ook {others} zijn; de strengste telt."
        ),
        (false, Language::En) => format!(
            "The facts come from rule {chosen} of the line. It could also be {others}; the strictest counts."
        ),
    }
}
