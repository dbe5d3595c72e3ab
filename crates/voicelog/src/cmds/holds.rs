//! `voicelog hold`, `release` and `holds`.

use super::recordings::{asker, bad_id};
use crate::clock::SystemClock;
use crate::{BadInput, Context, Ended, print, wiring};
use anyhow::Result;
use serde_json::{Value, json};
use voicelog_archive::{Archive, ArchiveError, HoldAsked, HoldCursor, HoldGround, OpenHold};
use voicelog_casework::moment::moment;
use voicelog_law::moment_or_day;
use voicelog_model::{Clock, HoldId, Kind, Language, Pii, RecordingId, Timestamp};

/// Holds read at a time.
const PAGE_ROWS: usize = 500;

#[derive(Debug, clap::Args)]
pub(crate) struct HoldArgs {
    /// Id of the recording.
    id: RecordingId,
    /// Why: claim, request, woo, seizure or restriction.
    #[arg(long)]
    ground: HoldGround,
    /// Whose hold it is: who knows of the case and says when it is over. Kept sealed.
    #[arg(long, value_name = "NAME")]
    owner: String,
    /// The day on which the owner looks whether it is still needed (2027-03-01, or RFC 3339). The
    /// hold goes on after it.
    #[arg(long, value_name = "DATE")]
    review: String,
    /// A file number, what it is about. Kept sealed.
    #[arg(long)]
    note: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ReleaseArgs {
    /// Id of the hold, or of a recording that has one hold.
    id: String,
    /// Why it is not needed any more. Kept sealed.
    #[arg(long)]
    reason: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Only those whose review has passed.
    #[arg(long)]
    overdue: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A hold for programs, with what is sealed where that can be opened.
pub(crate) fn value(open: &OpenHold, now: Timestamp) -> Value {
    let (hold, details) = (&open.hold, open.details.as_ref());
    json!({
        "hold": hold.id,
        "recording": hold.recording,
        "ground": hold.ground.as_str(),
        "placed_at": hold.placed_at,
        "review_at": hold.review_at,
        "is_overdue": hold.is_overdue(now),
        "lifted_at": hold.lifted_at,
        "closed": open.closed,
        "owner": details.map(|details| &details.owner),
        "note": details.and_then(|details| details.note.as_ref()),
        "placed_by": details.map(|details| &details.placed_by),
        "released_by": details.and_then(|details| details.released.as_ref()).map(|(_, by)| by),
        "release_reason": details.and_then(|details| details.released.as_ref()).map(|(why, _)| why),
    })
}

/// The holds of one recording, on lines.
pub(crate) fn print_holds(holds: &[OpenHold], now: Timestamp, lang: Language) {
    if holds.is_empty() {
        return;
    }
    print::say(lang, "Vernietigingsstop:", "Holds:");
    for open in holds {
        print_hold(open, now, lang);
    }
}

fn print_hold(open: &OpenHold, now: Timestamp, lang: Language) {
    let hold = &open.hold;
    let (id, ground) = (hold.id, hold.ground.text(lang));
    let state = match hold.lifted_at {
        Some(at) => {
            let on = lang.pick("opgeheven op", "lifted on");
            format!("{on} {}", moment(at, lang))
        }
        None if hold.is_overdue(now) => format!(
            "{} {}",
            lang.pick(
                "LOOPT NOG, had bekeken moeten zijn op",
                "STANDS, was to be looked at on"
            ),
            moment(hold.review_at, lang)
        ),
        None => format!(
            "{} {}",
            lang.pick("bekijken op", "to be looked at on"),
            moment(hold.review_at, lang)
        ),
    };
    print::line(format!("  {id}  {ground}; {state}"));
    if let Some(why) = &open.closed {
        print::line(format!(
            "    ✘ {}: {why}",
            lang.pick(
                "van wie hij is gaat hier niet open",
                "whose it is does not open here"
            )
        ));
    }
    let Some(details) = &open.details else { return };
    let note = details
        .note
        .as_ref()
        .map(|note| format!("; {}", note.expose()));
    print::line(format!(
        "    {} {}{}",
        lang.pick("van", "of"),
        details.owner.expose(),
        note.unwrap_or_default()
    ));
    if let Some((why, by)) = &details.released {
        print::line(format!(
            "    {} {}: {}",
            lang.pick("opgeheven door", "lifted by"),
            by.expose(),
            why.expose()
        ));
    }
}

pub(crate) fn hold(args: &HoldArgs, context: &Context) -> Result<Ended> {
    let now = SystemClock::default().now();
    let review_at = moment_or_day(&args.review).map_err(|wrong| {
        BadInput(format!(
            "--review: `{}`: {}",
            args.review,
            wrong.text().pick(context.lang)
        ))
    })?;
    let archive = wiring::act(context, now)?;
    let asked = HoldAsked {
        ground: args.ground,
        owner: Pii::new(args.owner.clone()),
        review_at,
        note: args.note.clone().map(Pii::new),
        by: asker(),
    };
    let hold = archive.place_hold(args.id, &asked, now).map_err(bad_hold)?;
    if args.json {
        print::json(&value(&hold.into(), now))?;
    } else {
        print_hold(&hold.into(), now, context.lang);
    }
    Ok(Ended::Done)
}

pub(crate) fn release(args: &ReleaseArgs, context: &Context) -> Result<Ended> {
    let now = SystemClock::default().now();
    let archive = wiring::act(context, now)?;
    let id = named(&archive, &args.id)?;
    let is_lifted = archive
        .release(id, &Pii::new(args.reason.clone()), &asker(), now)
        .map_err(bad_hold)?;
    let hold = archive.hold(id)?;
    if args.json {
        print::json(&value(&hold.into(), now))?;
    } else if is_lifted {
        print_hold(&hold.into(), now, context.lang);
    } else {
        print::say(
            context.lang,
            "Deze stop was al opgeheven; er is niets veranderd.",
            "This hold was lifted before; nothing has changed.",
        );
    }
    Ok(Ended::Done)
}

/// The hold that was meant: by its own id, or as the only one that stands on a recording.
fn named(archive: &Archive, text: &str) -> Result<HoldId> {
    let bad = |text: String| anyhow::Error::new(BadInput(text));
    let id: HoldId = text.parse().map_err(|error| bad(format!("{error}")))?;
    match archive.hold(id) {
        Ok(hold) => return Ok(hold.id),
        Err(ArchiveError::NoHold(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let recording = RecordingId::from_bytes(*id.as_bytes());
    archive.summary(recording).map_err(|error| match error {
        ArchiveError::NotFound(_) => {
            bad(format!("`{text}` is neither a hold nor a recording here"))
        }
        other => other.into(),
    })?;
    let mut open = archive.holds(recording)?;
    open.retain(|hold| hold.lifted_at.is_none());
    match open.as_slice() {
        [only] => Ok(only.id),
        [] => Err(bad(format!("no hold stands on recording {recording}"))),
        several => {
            let ids: Vec<_> = several.iter().map(|hold| hold.id.to_string()).collect();
            Err(bad(format!(
                "{} holds stand on recording {recording}; name one of {}",
                several.len(),
                ids.join(", ")
            )))
        }
    }
}

pub(crate) fn list(args: &ListArgs, context: &Context) -> Result<Ended> {
    let now = SystemClock::default().now();
    let archive = wiring::visit(context, now)?;
    let mut rows = Vec::new();
    let mut after = None;
    loop {
        let page = archive.open_holds(after, PAGE_ROWS)?;
        let Some(last) = page.last() else { break };
        after = Some(HoldCursor {
            review_at: last.review_at,
            id: last.id,
        });
        for hold in page {
            if args.overdue && !hold.is_overdue(now) {
                continue;
            }
            let opened = archive.holds_opened(hold.recording)?;
            rows.extend(opened.into_iter().find(|open| open.hold.id == hold.id));
        }
    }
    let ended = match rows.iter().any(|open| open.closed.is_some()) {
        true => Ended::Failed,
        false => Ended::Done,
    };
    if args.json {
        let rows: Vec<_> = rows.iter().map(|open| value(open, now)).collect();
        print::json(&rows)?;
        return Ok(ended);
    }
    for open in &rows {
        print::line(open.hold.recording);
        print_hold(open, now, context.lang);
    }
    if rows.is_empty() {
        print::say(
            context.lang,
            "Er is geen vernietigingsstop.",
            "There are no holds.",
        );
    }
    Ok(ended)
}

/// What was said wrongly is bad input, as an id that is not there.
fn bad_hold(error: ArchiveError) -> anyhow::Error {
    if error.kind() == Kind::Invalid {
        let (why, help) = (error.to_string(), error.help());
        return BadInput(format!("{why}; {help}")).into();
    }
    bad_id(error)
}
