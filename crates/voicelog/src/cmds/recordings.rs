//! `voicelog list`, `show`, `play`, `export` and `destroy`.

use super::{holds, show};
use crate::clock::SystemClock;
use crate::{BadInput, Context, Ended, print, wiring};
use anyhow::{Context as _, Result};
use serde_json::json;
use std::path::{Path, PathBuf};
use voicelog_archive::StreamSpans;
use voicelog_archive::{
    Access, Archive, ArchiveError, LINE_NOT_SET_UP, RecordingFilter, RecordingSummary, State,
    VconForm,
};
use voicelog_casework::disclosure::{self, PartRequest, PartRequestError, Recipient};
use voicelog_casework::moment::moment;
use voicelog_casework::{Asked, listening, retention};
use voicelog_evidence::bundle::{self, BundleError, SoundSpans};
use voicelog_evidence::vcon::{Profile, VconError};
use voicelog_law::Decision;
use voicelog_model::{Clock, Kind, Language, Pii, RecordingId, Timestamp, error};
use voicelog_store::durable;

#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// How many at most.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// Id of the recording.
    id: RecordingId,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PlayArgs {
    /// Id of the recording.
    id: RecordingId,
    /// The WAV file to write.
    #[arg(short, long, value_name = "FILE.wav")]
    output: PathBuf,
    /// Why you must hear it. Kept, sealed, with the decision and the name of your account here.
    #[arg(long)]
    reason: String,
    /// Write over a file that is there.
    #[arg(long)]
    force: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// Id of the recording.
    id: RecordingId,
    /// The bundle to write, or with --vcon the vCon.
    #[arg(short, long, value_name = "BUNDLE.zip")]
    output: PathBuf,
    /// Who gets it: court, data_subject, guardian, lawyer, judge, ap or afm.
    #[arg(long = "for", value_name = "RECIPIENT")]
    recipient: Recipient,
    /// Only from this moment of the call on (3:40, 1:03:40 or 220.5 seconds). The copy says that it is an
    /// excerpt, on every page and in every sound file.
    #[arg(long, value_name = "MOMENT")]
    from: Option<String>,
    /// Only up to this moment of the call.
    #[arg(long, value_name = "MOMENT")]
    to: Option<String>,
    /// Leave out the passages in this file (JSON: `redactions`, each with stream, from, to, reason,
    /// legal_ground, decided_by). The copy proves that the rest is unaltered, and says what is missing and why.
    #[arg(long, value_name = "PLAN.json")]
    redact: Option<PathBuf>,
    /// Write a vCon (IETF, JSON) with the sound in it, and not the bundle. It proves who signed it; that it is
    /// whole and unaltered, and in the log, only the bundle proves.
    #[arg(long)]
    vcon: bool,
    /// For which readers the vCon is: core (the draft), or compat (what today's common readers take).
    #[arg(long, requires = "vcon", default_value = "core", value_parser = profile)]
    profile: Profile,
    /// Write the file that was imported, byte for byte, and not the bundle.
    #[arg(long, conflicts_with_all = ["vcon", "from", "to", "redact"])]
    original: bool,
    /// Do not sign the vCon, for readers that do not take the signed form. It proves nothing then.
    #[arg(long, requires = "vcon")]
    unsigned: bool,
    /// Write over a file that is there.
    #[arg(long)]
    force: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DestroyArgs {
    /// Id of the recording.
    id: RecordingId,
    /// Destroy it although the chosen term still runs.
    #[arg(long)]
    yes: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn row(summary: &RecordingSummary) -> serde_json::Value {
    json!({
        "id": summary.id,
        "state": summary.state.as_str(),
        "line": summary.line,
        "started_at": summary.started_at,
        "ended_at": summary.ended_at,
        "verdict": summary.verdict.map(voicelog_evidence::timeline::Verdict::as_str),
        "is_partly_private": summary.is_partly_private,
        "retain_until": summary.retain_until,
        "destroyed_at": summary.destroyed_at,
        "sound_until": summary.sound_until,
        "sound_destroyed_at": summary.sound_destroyed_at,
        "conversation": summary.part.as_ref().map(|part| part.conversation),
        "linked_by": summary.part.as_ref().map(|part| part.linked_by.as_str()),
        "is_copy": summary.part.as_ref().is_some_and(|part| part.is_copy),
    })
}

pub(crate) fn list(args: &ListArgs, context: &Context) -> Result<Ended> {
    let archive = wiring::visit(context, SystemClock::default().now())?;
    let (conversations, _next) = archive.list_conversations(
        &RecordingFilter::default(),
        None,
        usize::try_from(args.limit)?,
    )?;
    if args.json {
        let recordings = conversations
            .iter()
            .flat_map(|talk| talk.parts.iter().rev());
        print::json(&recordings.map(row).collect::<Vec<_>>())?;
        return Ok(Ended::Done);
    }
    for conversation in &conversations {
        show::conversation(conversation, context.lang);
    }
    if conversations.is_empty() {
        print::say(
            context.lang,
            "Er zijn nog geen opnamen.",
            "There are no recordings yet.",
        );
    }
    Ok(Ended::Done)
}

pub(crate) fn show(args: &ShowArgs, context: &Context) -> Result<Ended> {
    let now = SystemClock::default().now();
    let archive = wiring::visit(context, now)?;
    let detail = archive.detail(args.id).map_err(bad_id)?;
    let accesses = archive.accesses(args.id)?;
    let holds = archive.holds_opened(args.id)?;
    let conversation = archive.conversation(args.id)?;
    if args.json {
        let decisions: Vec<_> = detail
            .decisions
            .iter()
            .map(|kept| {
                json!({
                    "id": kept.id,
                    "at": kept.at,
                    "action": kept.action,
                    "decision": kept.decision.to_json(context.lang),
                })
            })
            .collect();
        let accesses: Vec<_> = accesses.iter().map(access).collect();
        print::json(&json!({
            "recording": row(&detail.summary),
            "accesses": accesses,
            "holds": holds
                .iter()
                .map(|open| holds::value(open, now))
                .collect::<Vec<_>>(),
            "decisions": decisions,
            "timeline": detail.timeline,
            "manifest": detail.manifest,
            "log_index": detail.log_index,
            "certificate": detail.certificate,
            "sound_certificate": detail.sound_certificate,
            "parts": conversation.parts.iter().map(row).collect::<Vec<_>>(),
            "report": detail.report,
        }))?;
        return Ok(Ended::Done);
    }
    let summary = &detail.summary;
    print::line(format!(
        "{}  {}  {}",
        summary.id,
        summary.started_at,
        voicelog_web::state(summary.state, context.lang)
    ));
    if summary.line == LINE_NOT_SET_UP {
        print::say(
            context.lang,
            "LIJN NIET INGERICHT: de centrale belde een naam die in de configuratie geen lijn is, meestal een schrijffout. Voeg een [[line]] met die naam toe, of verbeter hem in de centrale. Welke naam dat was, staat tot de volgende start op de pagina van het gesprek en op Gezondheid. Wat de wet hieronder zegt, is het strengste antwoord: zonder lijn is er geen doel en geen melding.",
            "LINE NOT SET UP: the exchange called a name that is no line in the configuration, most often a typing error. Add a [[line]] with that name, or set it right in the exchange. Which name it was is on the page of the call and on Health, until the next start. What the law says below is its strictest answer: without a line there is no purpose and no notice.",
        );
    }
    show::sound(summary, context.lang);
    show::place(&conversation, args.id, context.lang);
    show::media(&detail, context.lang);
    show::accesses(&accesses, context.lang, "");
    holds::print_holds(&holds, now, context.lang);
    show::decisions(&detail.decisions, context.lang);
    // Counted from one, as people do; JSON counts from zero, as the format does.
    if let Some(index) = detail.log_index {
        print::line(match context.lang {
            Language::Nl => format!("plaats {} in het logboek", index + 1),
            Language::En => format!("place {} in the log", index + 1),
        });
    }
    if let Some(certificate) = &detail.certificate {
        print::line(certificate);
    }
    Ok(Ended::Done)
}

pub(crate) fn play(args: &PlayArgs, context: &Context) -> Result<Ended> {
    is_free(&args.output, args.force)?;
    let now = SystemClock::default().now();
    let archive = wiring::act(context, now)?;
    let asked = match listening::open(&archive, args.id, &asker(), &args.reason, now) {
        Ok(asked) => asked,
        Err(error) => return failed(error, &archive, args.json, context),
    };
    archive.sequence()?;
    match asked {
        Asked::Given(sound) => {
            let mut wav = Vec::with_capacity(sound.byte_len());
            let mut reader = sound.read(0..sound.byte_len());
            loop {
                let some = archive.sound(&sound, &mut reader)?;
                if some.is_empty() {
                    break;
                }
                wav.extend(some);
            }
            write(&args.output, &wav)?;
            told(&args.output, wav.len(), &sound.spans, args.json, context)?;
            Ok(Ended::Done)
        }
        Asked::Refused { decision, .. } => refused(&decision, args.json, context),
    }
}

pub(crate) fn export(args: &ExportArgs, context: &Context) -> Result<Ended> {
    is_free(&args.output, args.force)?;
    let now = SystemClock::default().now();
    let archive = wiring::act(context, now)?;
    let part = part(args)?;
    let (file, decision) = match copy(args, &archive, part.as_ref(), now) {
        Ok(Asked::Given(copy)) => copy,
        Ok(Asked::Refused { decision, .. }) => return refused(&decision, args.json, context),
        Err(error) => return failed(error, &archive, args.json, context),
    };
    write(&args.output, &file)?;
    let spans = match args.original {
        true => Vec::new(),
        false => spans_of(&file),
    };
    told(&args.output, file.len(), &spans, args.json, context)?;
    if args.json {
        return Ok(Ended::Done);
    }
    show::duties(&decision, context.lang, "");
    if archive.asks_for_timestamps() && !args.vcon && !args.original && !bundle::is_stamped(&file) {
        print::say(
            context.lang,
            "Let op: deze kopie heeft geen tijdstempel, want de tijdstempeldienst gaf er geen. \
             `voicelog log stamp` zegt waarom.",
            "Note: this copy has no timestamp, for the authority gave none. `voicelog log stamp` says why.",
        );
    }
    let others = decision.duties().iter();
    let is_redacted = part.is_some_and(|part| !part.redactions.is_empty());
    if others
        .filter(|duty| duty.met != Some(true))
        .any(|duty| duty.what == "mask_third_parties")
        && !is_redacted
    {
        print::say(
            context.lang,
            "Let op: dit bestand bevat alle stemmen. Laat weg wat over anderen gaat met --redact, \
             voor u het geeft.",
            "Note: this file holds every voice. Leave out what is about others with --redact, before \
             you give it.",
        );
    }
    Ok(Ended::Done)
}

/// A file that may be given, and the decision that permits it.
type Given = (Vec<u8>, Box<Decision>);

/// The bundle that was asked for, or the vCon.
fn copy(
    args: &ExportArgs,
    archive: &Archive,
    part: Option<&PartRequest>,
    now: Timestamp,
) -> Result<Asked<Given>, ArchiveError> {
    let (id, recipient) = (args.id, args.recipient);
    if args.original {
        let asked = disclosure::file(archive, id, &asker(), recipient, now)?;
        return Ok(asked.map(|copy| (copy.file, copy.decision)));
    }
    if !args.vcon {
        let asked = disclosure::bundle(archive, id, &asker(), recipient, part, now)?;
        return Ok(asked.map(|copy| (copy.bundle, copy.decision)));
    }
    let form = VconForm {
        profile: args.profile,
        is_signed: !args.unsigned,
    };
    let asked = disclosure::vcon(archive, id, &asker(), recipient, part, form, now)?;
    Ok(asked.map(|copy| (copy.vcon, copy.decision)))
}

fn profile(word: &str) -> Result<Profile, String> {
    let found = Profile::ALL.iter().find(|(_, known)| *known == word);
    let found = found.map(|(profile, _)| *profile);
    found.ok_or_else(|| format!("`{word}` is no profile; say core or compat"))
}

/// The part that was asked for; none where all was.
fn part(args: &ExportArgs) -> Result<Option<PartRequest>> {
    let bad = |error: PartRequestError| anyhow::Error::new(BadInput(error.to_string()));
    let moment = |text: &Option<String>| {
        let text = text.as_deref();
        text.map(PartRequest::moment).transpose().map_err(bad)
    };
    let redactions = match &args.redact {
        Some(path) => {
            let plan = std::fs::read(path)
                .map_err(|error| BadInput(format!("cannot read `{}`: {error}", path.display())))?;
            PartRequest::redactions(&plan)
                .map_err(|error| BadInput(format!("`{}`: {error}", path.display())))?
        }
        None => Vec::new(),
    };
    let part = PartRequest {
        start_us: moment(&args.from)?,
        end_us: moment(&args.to)?,
        redactions,
    };
    let is_asked = args.redact.is_some() || part != PartRequest::default();
    Ok(is_asked.then_some(part))
}

pub(crate) fn destroy(args: &DestroyArgs, context: &Context) -> Result<Ended> {
    let now = SystemClock::default().now();
    let (archive, _lock) = wiring::work(context, now)?;
    let summary = archive.summary(args.id).map_err(bad_id)?;
    if !args.yes
        && matches!(summary.state, State::Sealed | State::WithoutSound)
        && let Some(until) = retention::term_runs_until(&summary, now)
    {
        let until = moment(until, Language::En);
        return Err(BadInput(format!(
            "the chosen term of {} runs until {until}, and nothing was destroyed. Only a statute or a hold would forbid it now, and the archive knows of no request, claim or court case that it was not told of. Say --yes to destroy it before its term",
            args.id
        ))
        .into());
    }
    let asked = match retention::destroy_for(&archive, args.id, &asker(), now) {
        Ok(asked) => asked,
        Err(error) => return failed(error, &archive, args.json, context),
    };
    match asked {
        Asked::Given(destroyed) => {
            if args.json {
                print::json(&json!({
                    "id": destroyed.id,
                    "objects": destroyed.objects,
                    "bytes": destroyed.bytes,
                    "certificate": destroyed.certificate,
                }))?;
            } else {
                print::line(destroyed.certificate);
            }
            Ok(Ended::Done)
        }
        Asked::Refused { decision, .. } => {
            let mut holds = archive.holds_opened(args.id)?;
            holds.retain(|open| open.hold.lifted_at.is_none());
            let needs_second = archive.needs_second_person(args.id, now)?;
            if !args.json {
                refused(&decision, false, context)?;
                holds::print_holds(&holds, now, context.lang);
                if needs_second {
                    print::line(second_person(context.lang));
                }
                return Ok(Ended::Refused);
            }
            let mut answer = decision.to_json(context.lang);
            if let Some(members) = answer.as_object_mut() {
                let holds: Vec<_> = holds.iter().map(|open| holds::value(open, now)).collect();
                members.insert("holds".to_owned(), json!(holds));
                members.insert("needs_second_person".to_owned(), json!(needs_second));
            }
            print::json(&answer)?;
            Ok(Ended::Refused)
        }
    }
}

/// What to do where one person alone may not, and may with a second one. Nobody identified whoever types a command, so
/// a command neither proposes nor confirms.
const fn second_person(lang: Language) -> &'static str {
    lang.pick(
        "Met zijn tweeën mag het wel: leg het op de pagina van de opname voor aan een collega met een ander account.",
        "With a second person it is permitted: on the page of the recording, put it to a colleague with another account.",
    )
}

/// Who asks: the account of this machine that runs the command.
pub(crate) fn asker() -> Pii<String> {
    let id = nix::unistd::getuid();
    let account = nix::unistd::User::from_uid(id).ok().flatten();
    let name = account.map_or_else(|| format!("uid {id}"), |account| account.name);
    Pii::new(format!("{name} (command line)"))
}

fn access(access: &Access) -> serde_json::Value {
    json!({
        "decision": access.decision,
        "at": access.at,
        "action": access.action,
        "came": access.came.as_str(),
        "account": access.asker,
        "reason": access.reason,
        "recipient": access.recipient,
    })
}

pub(crate) fn refused(decision: &Decision, as_json: bool, context: &Context) -> Result<Ended> {
    if as_json {
        print::json(&decision.to_json(context.lang))?;
    } else {
        show::decision(decision, context.lang, "");
    }
    Ok(Ended::Refused)
}

/// What becomes of an error. That the recording, or its sound, was destroyed is answered with its certificate.
fn failed(
    error: ArchiveError,
    archive: &Archive,
    as_json: bool,
    context: &Context,
) -> Result<Ended> {
    let (id, at, is_sound) = match error {
        ArchiveError::Destroyed { id, at } => (id, at, false),
        ArchiveError::SoundDestroyed { id, at } => (id, at, true),
        error => return Err(bad_id(error)),
    };
    let certificate = match is_sound {
        true => archive.sound_certificate(id)?,
        false => archive.certificate(id)?,
    };
    if as_json {
        let moment = if is_sound {
            "sound_destroyed_at"
        } else {
            "destroyed_at"
        };
        print::json(&json!({ "id": id, moment: at, "certificate": certificate }))?;
        return Ok(Ended::Failed);
    }
    if is_sound {
        show::sound(&archive.summary(id)?, context.lang);
        print::line(certificate.unwrap_or_default());
        return Ok(Ended::Failed);
    }
    let on = at.map(|at| moment(at, context.lang)).unwrap_or_default();
    print::warn(match context.lang {
        Language::Nl => format!(
            "voicelog: opname {id} is vernietigd op {on}; hier is het bewijs van vernietiging"
        ),
        Language::En => format!(
            "voicelog: recording {id} was destroyed on {on}; here is the certificate of destruction"
        ),
    });
    print::line(certificate.unwrap_or_default());
    Ok(Ended::Failed)
}

/// An id that is not there is bad input; all else is a failure.
pub(crate) fn bad_id(error: ArchiveError) -> anyhow::Error {
    if let ArchiveError::Bundle {
        source: BundleError::Part(error),
        ..
    } = error
    {
        anyhow::Error::new(BadInput(error.to_string()))
    } else if let ArchiveError::Bundle {
        source: BundleError::Vcon(error @ VconError::NoSound),
        ..
    } = error
    {
        anyhow::Error::new(BadInput(error.to_string()))
    } else if matches!(error, ArchiveError::Audio(_)) {
        // The recording is there; what is missing is a decoder.
        anyhow::anyhow!("{}", error::chain(&error))
    } else if matches!(error.kind(), Kind::NotFound | Kind::Invalid) {
        anyhow::Error::new(BadInput(error.to_string()))
    } else {
        // What happened first, then what to do about it.
        let (why, help) = (error::chain(&error).to_string(), error.help());
        anyhow::anyhow!("{why}; {help}")
    }
}

/// Refuses to write over a file, before anything is asked or logged.
pub(crate) fn is_free(path: &Path, force: bool) -> Result<()> {
    if force || !path.exists() {
        return Ok(());
    }
    Err(anyhow::Error::new(BadInput(format!(
        "`{}` is there already; name another file, or say --force to write over it",
        path.display()
    ))))
}

/// Where the sound in a bundle is not simply what was sent; nothing if all of it is.
fn spans_of(bundle: &[u8]) -> Vec<StreamSpans> {
    SoundSpans::in_bundle(bundle).map_or_else(Vec::new, |spans| spans.streams)
}

/// Says what was written, and what of the sound in it is not simply what was sent.
fn told(
    path: &Path,
    bytes: usize,
    spans: &[StreamSpans],
    as_json: bool,
    context: &Context,
) -> Result<()> {
    if as_json {
        return print::json(&json!({ "file": path, "bytes": bytes, "spans": spans }));
    }
    let path = path.display();
    print::line(match context.lang {
        Language::Nl => format!("geschreven: {path} ({bytes} bytes)"),
        Language::En => format!("written: {path} ({bytes} bytes)"),
    });
    show::spans(spans, context.lang);
    Ok(())
}

pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    durable::replace(path, bytes).with_context(|| format!("cannot write `{}`", path.display()))
}
