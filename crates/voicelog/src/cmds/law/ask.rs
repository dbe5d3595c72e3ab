//! `voicelog law ask`: the interview on a terminal, one line for each answer.

use crate::{Context, Ended, print};
use anyhow::Result;
use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::Path;
use voicelog_law::{
    Answer, Answers, Ask, Entry, EntryKind, Facts, Form, Interview, Rulebook, Step, in_brackets,
};
use voicelog_model::{Language, Timestamp};

/// What a person typed at a question.
enum Typed {
    Answer(Answer),
    Back,
    Why,
    Quit,
    /// Nothing that can be understood, with what would be right.
    Unclear(String),
}

pub(super) fn run(
    rulebook: &Rulebook,
    save: Option<&Path>,
    now: Timestamp,
    context: &Context,
) -> Result<Ended> {
    let lang = context.lang;
    let interview = Interview::new(rulebook, now);
    print::say(
        lang,
        "Mag ik dit gesprek opnemen? Er wordt niets bewaard. ? = weet ik niet, < = terug, ! = waarom, q = stoppen.",
        "May I record this conversation? Nothing is stored. ? = I do not know, < = back, ! = why, q = stop.",
    );
    let mut lines = std::io::stdin().lock().lines();
    let mut answers = Answers::default();
    let mut wants_more = true;
    loop {
        let walk = interview.walk(&answers);
        let ask = match walk.step {
            Step::Ask(ask) => *ask,
            Step::Done { facts, mut more } => {
                if more.is_empty() || !wants_more {
                    return finish(&facts, rulebook, save, now, context);
                }
                more.remove(0)
            }
        };
        put(&ask, walk.given.len() + 1, lang);
        let Some(line) = lines.next().transpose()? else {
            return Ok(unfinished(lang));
        };
        match read(&ask, line.trim(), lang) {
            Typed::Answer(answer) => answers.set(&ask.key, answer),
            Typed::Back => {
                if let Some(last) = walk.given.last() {
                    answers.remove(&last.key);
                }
            }
            Typed::Why => why(&ask, lang),
            Typed::Quit if ask.is_for_advice() => wants_more = false,
            Typed::Quit => return Ok(unfinished(lang)),
            Typed::Unclear(text) => print::line(format!("  {text}")),
        }
    }
}

/// An interview without an answer: never an end that could be read as a permission.
fn unfinished(lang: Language) -> Ended {
    print::say(
        lang,
        "Gestopt voor het einde van de vragen: er is geen antwoord, en er is niets bewaard.",
        "Stopped before the last question: there is no answer, and nothing was stored.",
    );
    Ended::Wrong
}

/// Prints a question with its answers.
fn put(ask: &Ask, number: usize, lang: Language) {
    let words = ask.words.pick(lang);
    let note = if ask.is_for_advice() {
        lang.pick(
            " (alleen voor het advies; q slaat over)",
            " (for the advice only; q skips)",
        )
    } else {
        ""
    };
    print::line(format!(
        "\n{number}. {}{note}",
        print::tone(print::Tone::Strong, words)
    ));
    if let Some(problem) = &ask.problem {
        print::line(format!("  {}", problem.pick(lang)));
    }
    for (place, choice) in ask.choices.iter().enumerate() {
        print::line(format!("  {:2}  {}", place + 1, choice.label.pick(lang)));
    }
    let how = match ask.question.form {
        Form::One(_) => lang.pick("Uw keuze:", "Your choice:"),
        Form::Several(_) => lang.pick(
            "Nummers met komma's, of Enter als niets past:",
            "Numbers with commas, or Enter if none fits:",
        ),
        Form::Fields(entries) => {
            for entry in entries {
                print::line(format!(
                    "  {} ({})",
                    entry.label.pick(lang),
                    example(entry, lang)
                ));
            }
            lang.pick(
                "Uw antwoord, bij meer dan één met ; ertussen:",
                "Your answer, with ; between if there are several:",
            )
        }
    };
    print::line(how);
}

fn example(entry: &Entry, lang: Language) -> &'static str {
    match entry.kind {
        EntryKind::Day | EntryKind::MomentOfDay => "2026-11-21",
        EntryKind::Term => lang.pick(
            "P30D = 30 dagen, P6M, P5Y, unlimited = zonder einde",
            "P30D = 30 days, P6M, P5Y, unlimited = without end",
        ),
        EntryKind::Reference => "Bgfo 35",
    }
}

fn why(ask: &Ask, lang: Language) {
    print::line(format!("  {}", ask.question.because.pick(lang)));
    if !ask.articles.is_empty() {
        let articles: Vec<_> = ask.articles.iter().take(8).map(String::as_str).collect();
        print::line(format!(" {}", in_brackets(&articles)));
    }
}

/// Reads one line as an answer.
fn read(ask: &Ask, line: &str, lang: Language) -> Typed {
    let unclear = |nl: &str, en: &str| Typed::Unclear(lang.pick(nl, en).to_owned());
    match line {
        "<" => return Typed::Back,
        "!" => return Typed::Why,
        "q" => return Typed::Quit,
        "?" if ask.may_be_unknown() => return Typed::Answer(Answer::NotKnown),
        "?" => {
            return unclear(
                "Deze vraag moet u beantwoorden: zonder dit is er niets te beslissen.",
                "This one needs an answer: without it there is nothing to decide.",
            );
        }
        _ => {}
    }
    if let Form::Fields(entries) = ask.question.form {
        let texts = line.split(';').map(|text| text.trim().to_owned());
        let typed: BTreeMap<_, _> = entries
            .iter()
            .map(|entry| entry.id.to_owned())
            .zip(texts)
            .filter(|(_, text)| !text.is_empty())
            .collect();
        return if typed.is_empty() {
            unclear(
                "Vul iets in, of ? als u het niet weet.",
                "Type something, or ? if you do not know.",
            )
        } else {
            Typed::Answer(Answer::Typed(typed))
        };
    }
    let picked = line.split([',', ' ']).filter(|part| !part.is_empty());
    let ids: Option<Vec<String>> = picked
        .map(|part| {
            let place: usize = part.parse().ok()?;
            let choice = ask.choices.get(place.checked_sub(1)?)?;
            Some(choice.id.to_owned())
        })
        .collect();
    let is_one = matches!(ask.question.form, Form::One(_));
    match ids {
        Some(ids) if !is_one || ids.len() == 1 => Typed::Answer(Answer::Chosen(ids)),
        _ => Typed::Unclear(
            lang.pick(
                &format!("Kies een nummer van 1 tot en met {}.", ask.choices.len()),
                &format!("Choose a number from 1 to {}.", ask.choices.len()),
            )
            .to_owned(),
        ),
    }
}

fn finish(
    facts: &Facts,
    rulebook: &Rulebook,
    save: Option<&Path>,
    now: Timestamp,
    context: &Context,
) -> Result<Ended> {
    let decision = voicelog_law::decide_without_unknown(rulebook, facts, now);
    print::line("");
    super::answer(&decision, context);
    if let Some(path) = save {
        super::save_facts(path, &facts.to_map(), context)?;
    }
    Ok(if decision.is_permitted() {
        Ended::Done
    } else {
        Ended::Refused
    })
}
