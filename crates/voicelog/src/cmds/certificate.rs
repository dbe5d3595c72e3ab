//! `voicelog certificate`: the declaration of destruction, of one recording or of all in a time.

use super::recordings::{bad_id, is_free, write};
use super::verify::read_key;
use crate::clock::SystemClock;
use crate::{BadInput, Context, Ended, limited, print, wiring};
use anyhow::Result;
use serde_json::{Value, json};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use voicelog_casework::certificate::{self, Checked, Declaration, DeclarationError};
use voicelog_casework::moment;
use voicelog_evidence::note::VerifierKey;
use voicelog_law::moment_or_day;
use voicelog_model::{Clock as _, Language, RecordingId, Scope, Timestamp, error};

/// Largest file that is checked: a declaration of as many recordings as one can have.
const FILE_BYTES_MAX: u64 = 256 << 20;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Id of the destroyed recording.
    #[arg(required_unless_present_any = ["from", "check"], conflicts_with = "from")]
    id: Option<RecordingId>,
    /// Of all that was destroyed from this day or moment on (2026-11-01, or RFC 3339).
    #[arg(long, value_name = "DATE", requires = "to")]
    from: Option<String>,
    /// … and before this one.
    #[arg(long, value_name = "DATE", requires = "from")]
    to: Option<String>,
    /// The file to write: .pdf, .html, or .txt for the signed certificates alone. Without it these are
    /// printed.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write over a file that is there.
    #[arg(long)]
    force: bool,
    /// Check the certificates in a file (.txt or .html) and make nothing.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["id", "from", "output"])]
    check: Option<PathBuf>,
    /// The public key of the archive's log to check with (text, or a file that holds it). Without it, that of
    /// the archive here.
    #[arg(long, requires = "check")]
    log_key: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// In which form it is written.
#[derive(Debug, Clone, Copy)]
enum Form {
    Pdf,
    Html,
    Text,
}

impl Form {
    fn of(path: &Path) -> Result<Self> {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("pdf") => Ok(Self::Pdf),
            Some("html") => Ok(Self::Html),
            Some("txt") => Ok(Self::Text),
            _ => Err(BadInput(format!(
                "`{}`: a declaration is a .pdf, a .html, or with the signed certificates alone a .txt",
                path.display()
            ))
            .into()),
        }
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Ended> {
    if let Some(file) = &args.check {
        return check(file, args, context);
    }
    let form = match &args.output {
        Some(path) => {
            is_free(path, args.force)?;
            let form = Form::of(path)?;
            if let Form::Pdf = form {
                is_free(&certificates_beside(path), args.force)?;
            }
            Some(form)
        }
        None => None,
    };
    let now = SystemClock::default().now();
    let archive = wiring::visit(context, now)?;
    let made = match (args.id, &args.from, &args.to) {
        (Some(id), _, _) => certificate::of_recording(&archive, id, now),
        (None, Some(from), Some(to)) => {
            let from = day_or_moment("--from", from, context.lang)?;
            let to = day_or_moment("--to", to, context.lang)?;
            certificate::of_period(&archive, from, to, now)
        }
        (None, _, _) => return Err(BadInput("name a recording, or --from and --to".into()).into()),
    };
    let made = made.map_err(bad_declaration)?;
    if let (Some(path), Some(form)) = (&args.output, form) {
        let bytes = match form {
            Form::Pdf => made.pdf(&archive, context.lang)?,
            Form::Html => made.page(&archive, context.lang).into_bytes(),
            Form::Text => made.text().into_bytes(),
        };
        write(path, &bytes)?;
        if let Form::Pdf = form {
            // Paper proves nothing by itself.
            write(&certificates_beside(path), made.text().as_bytes())?;
        }
    }
    match (&args.output, args.json) {
        (_, true) => print::json(&value(&made))?,
        (None, false) => print::line(made.text().trim_end()),
        (Some(path), false) => {
            let beside = matches!(form, Some(Form::Pdf)).then(|| certificates_beside(path));
            for path in [Some(path.clone()), beside].into_iter().flatten() {
                let written = context.lang.pick("geschreven", "written");
                print::line(format!("{written}: {}", path.display()));
            }
        }
    }
    Ok(Ended::Done)
}

/// The signed certificates that go with a declaration on paper.
fn certificates_beside(pdf: &Path) -> PathBuf {
    pdf.with_extension("txt")
}

fn day_or_moment(option: &str, text: &str, lang: Language) -> Result<Timestamp> {
    moment_or_day(text).map_err(|wrong| {
        let why = wrong.text();
        BadInput(format!("{option}: `{text}`: {}", why.pick(lang))).into()
    })
}

/// What was asked wrongly is bad input.
fn bad_declaration(error: DeclarationError) -> anyhow::Error {
    match error {
        DeclarationError::Archive(error) => bad_id(error),
        DeclarationError::NotDestroyed(_)
        | DeclarationError::Period
        | DeclarationError::TooMany => BadInput(error.to_string()).into(),
        other => anyhow::anyhow!("{}", error::chain(&other)),
    }
}

fn statement(one: &Checked) -> Value {
    json!({
        "statement": one.certificate.statement,
        "log_index": one.certificate.proof.index,
        "log_size": one.checkpoint.size,
        "log": one.checkpoint.origin,
    })
}

/// `opname … is vernietigd op 21 november 2026 11:02:00; plaats 27 in het logboek`.
fn in_words(one: &Checked, lang: Language) -> String {
    let statement = &one.certificate.statement;
    let (id, at) = (statement.recording, statement.key_destroyed_at);
    let what = match (lang, statement.scope) {
        (Language::Nl, Scope::Whole) => "opname",
        (Language::Nl, Scope::Sound) => "het geluid van opname",
        (Language::En, Scope::Whole) => "recording",
        (Language::En, Scope::Sound) => "the sound of recording",
    };
    let at = moment::moment(at, lang);
    // Counted from one, as people do; the proof counts from zero.
    let place = one.certificate.proof.index.saturating_add(1);
    match lang {
        Language::Nl => {
            format!("{what} {id} is vernietigd op {at}; plaats {place} in het logboek")
        }
        Language::En => format!("{what} {id} was destroyed on {at}; place {place} in the log"),
    }
}

fn value(made: &Declaration) -> Value {
    json!({
        "from": made.period.map(|(from, _)| from),
        "to": made.period.map(|(_, to)| to),
        "made_at": made.made_at,
        "log_key": made.key,
        "destroyed": made.checked.iter().map(statement).collect::<Vec<_>>(),
        "without_certificate": made.uncertified,
    })
}

fn check(file: &Path, args: &Args, context: &Context) -> Result<Ended> {
    let bad = |why: String| BadInput(format!("--check `{}`: {why}", file.display()));
    let bytes = limited::read(file, FILE_BYTES_MAX).map_err(|error| {
        bad(match error.kind() {
            ErrorKind::FileTooLarge => "larger than a declaration can be".to_owned(),
            _ => error.to_string(),
        })
    })?;
    let text = String::from_utf8(bytes).map_err(|_pdf| {
        bad("it is no text; of a declaration in PDF the certificates are a file of their own (.txt)"
            .to_owned())
    })?;
    let key: VerifierKey = match &args.log_key {
        Some(key) => read_key(key)?,
        None => {
            let archive = wiring::visit(context, SystemClock::default().now())?;
            archive.verifier_key().parse()?
        }
    };
    let found = certificate::check(&text, &key);
    if found.is_empty() {
        return Err(bad("there is no certificate of destruction in it".to_owned()).into());
    }
    let holds = found.iter().all(Result::is_ok);
    if args.json {
        let rows: Vec<_> = found
            .iter()
            .map(|one| match one {
                Ok(one) => json!({ "holds": true, "destroyed": statement(one) }),
                Err(why) => json!({ "holds": false, "why": error::chain(why).to_string() }),
            })
            .collect();
        print::json(&json!({ "holds": holds, "certificates": rows }))?;
    } else {
        for one in &found {
            print::line(match one {
                Ok(one) => format!("ok  {}", in_words(one, context.lang)),
                Err(why) => format!("XX  {}", error::chain(why)),
            });
        }
        let good = found.iter().filter(|one| one.is_ok()).count();
        let all = found.len();
        print::line(match context.lang {
            Language::Nl => format!("Bewijzen: {all}; kloppen: {good}."),
            Language::En => format!("Certificates: {all}; hold: {good}."),
        });
    }
    Ok(if holds { Ended::Done } else { Ended::Failed })
}
