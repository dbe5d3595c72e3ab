//! `voicelog log audit`: somebody else's log, whole, from its address or from a folder.

use crate::webhooks::trust_for;
use crate::{BadInput, Context, Ended, print};
use anyhow::{Result, anyhow};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use voicelog_casework::vouching::Fetcher;
use voicelog_evidence::audit::{Audit, AuditError, audit};
use voicelog_evidence::checkpoint::Checkpoint;
use voicelog_evidence::note::{Note, VerifierKey};
use voicelog_evidence::policy::Policy;
use voicelog_evidence::receipt::Receipt;
use voicelog_model::{Language, Timestamp, error};
use voicelog_store::durable;

/// Largest file of a log that is read: a bundle of 256 entries of 64 KiB.
const FILE_BYTES_MAX: u64 = 256 * 65_537;
/// How far ahead of our clock the last entry may be.
const AHEAD_MAX: i64 = 300 * 1_000_000;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The log's address (such as `https://opnamen.voorbeeld.nl/log`), or a folder that --keep filled.
    log: String,
    /// The log's key (text, or a file that holds it), from another source than the log.
    #[arg(long)]
    log_key: String,
    /// A checkpoint of the log that was kept earlier, or a receipt: the log must be that one, grown.
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
    /// Which witnesses must have signed (a C2SP tlog-policy file).
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Keep every file that was read, to audit it later without a network.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Whose certificates the server may show (PEM); else those that this machine believes.
    #[arg(long, value_name = "FILE")]
    issuers: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A file of the log that cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NotHad(String);

pub(super) fn run(args: &Args, context: &Context, now: Timestamp) -> Result<Ended> {
    let key = crate::cmds::verify::read_key(&args.log_key)?;
    let kept = args.since.as_ref();
    let kept = kept.map(|path| seen_before(path, &key)).transpose()?;
    let (since, receipt) = kept.unzip();
    let policy = args.policy.as_deref();
    let policy = policy.map(crate::cmds::verify::read_policy).transpose()?;
    let fetcher = fetcher(args)?;
    let mut fetch = |path: &str| -> Result<Vec<u8>, NotHad> {
        let bytes = match &fetcher {
            Some(fetcher) => fetcher
                .get(&args.log, path, FILE_BYTES_MAX)
                .map_err(NotHad)?,
            None => read_in_folder(Path::new(&args.log), path)?,
        };
        if let Some(folder) = &args.keep {
            keep(folder, path, &bytes).map_err(|error| NotHad(format!("{error:#}")))?;
        }
        Ok(bytes)
    };
    let found = audit(&mut fetch, &key, since.as_ref());
    match found {
        Ok(found) => {
            let ended = tell(&found, policy.as_ref(), args.json, context.lang, now)?;
            if let Some(receipt) = receipt.flatten().filter(|_| !args.json) {
                tell_of(&receipt, context.lang);
            }
            Ok(ended)
        }
        // Nothing is known of a log that cannot be read.
        Err(error @ AuditError::Fetch { .. }) => Err(error.into()),
        Err(error) => fail(&error::chain(&error).to_string(), args.json, context.lang),
    }
}

/// What somebody has seen of the log before.
fn seen_before(path: &Path, key: &VerifierKey) -> Result<(Checkpoint, Option<Receipt>)> {
    let (note, receipt) = super::kept_checkpoint(path, key)?;
    let read = Checkpoint::verify(&note, key);
    let read =
        read.map_err(|why| BadInput(format!("`{}`: {}", path.display(), error::chain(&why))))?;
    Ok((read, receipt))
}

/// The tree that a receipt proves its entry in is the beginning of the one that was read.
fn tell_of(receipt: &Receipt, lang: Language) {
    let (id, place) = (&receipt.leaf.object, receipt.proof.index + 1);
    print::line(match lang {
        Language::Nl => format!(
            "Het ontvangstbewijs van {id} klopt nog: de vermelding staat onveranderd op plaats {place}."
        ),
        Language::En => {
            format!("The receipt of {id} still holds: its entry stands unchanged at place {place}.")
        }
    });
}

fn fetcher(args: &Args) -> Result<Option<Fetcher>> {
    if !args.log.contains("://") {
        return Ok(None);
    }
    let trust = trust_for(&args.log, args.issuers.clone())
        .map_err(|error| BadInput(format!("{error:#}")))?;
    Ok(Some(Fetcher::new(&trust)))
}

fn read_in_folder(folder: &Path, path: &str) -> Result<Vec<u8>, NotHad> {
    let file = folder.join(path);
    let size = std::fs::metadata(&file).map_err(|error| NotHad(error.to_string()))?;
    if size.len() > FILE_BYTES_MAX {
        return Err(NotHad(
            "it is larger than a file of a log can be".to_owned(),
        ));
    }
    std::fs::read(&file).map_err(|error| NotHad(error.to_string()))
}

/// Paths come from our own arithmetic and never from the log, so they lead nowhere else.
fn keep(folder: &Path, path: &str, bytes: &[u8]) -> Result<()> {
    let file = folder.join(path);
    let parent = file
        .parent()
        .ok_or_else(|| anyhow!("no folder for `{path}`"))?;
    std::fs::create_dir_all(parent)?;
    durable::replace(&file, bytes)?;
    Ok(())
}

fn tell(
    found: &Audit,
    policy: Option<&Policy>,
    as_json: bool,
    lang: Language,
    now: Timestamp,
) -> Result<Ended> {
    if let Some(last) = found.last.filter(|last| *last > now.plus_micros(AHEAD_MAX)) {
        let why = format!("its last entry is of {last}, and the clock here says {now}");
        return fail(&why, as_json, lang);
    }
    let judged = match policy {
        Some(policy) => Some(policy.judge(&Note::parse(found.note.as_bytes())?)),
        None => None,
    };
    let holds = judged.as_ref().is_none_or(|judged| judged.holds());
    let signed: Vec<Value> = judged
        .iter()
        .flat_map(|judged| &judged.signed)
        .map(|(name, at)| json!({ "witness": name, "at": at }))
        .collect();
    let kinds: serde_json::Map<String, Value> = found
        .kinds
        .iter()
        .map(|(kind, count)| {
            let word = serde_json::to_value(kind).ok();
            let word = word
                .as_ref()
                .and_then(Value::as_str)
                .unwrap_or("?")
                .to_owned();
            (word, json!(count))
        })
        .collect();
    if as_json {
        print::json(&json!({
            "holds": holds, "size": found.checkpoint.size, "last": found.last, "kinds": kinds,
            "quorum": judged.as_ref().map(|judged| judged.has_quorum), "signed": signed,
        }))?;
    } else {
        let size = found.checkpoint.size;
        print::line(match lang {
            Language::Nl => {
                format!("Alle {size} vermeldingen gelezen; ze zijn wat de sleutel tekende.")
            }
            Language::En => format!("All {size} entries read; they are what the key signed."),
        });
        for (kind, count) in &kinds {
            print::line(format!("{count:>8}  {kind}"));
        }
        if let Some(judged) = &judged {
            for (name, at) in &judged.signed {
                print::line(format!("{name}: {at}"));
            }
            let (nl, en) = if holds {
                ("Genoeg getuigen tekenden.", "Enough witnesses signed.")
            } else {
                (
                    "Er tekenden NIET genoeg getuigen, of een handtekening klopt niet.",
                    "NOT enough witnesses signed, or a signature does not hold.",
                )
            };
            print::say(lang, nl, en);
        }
    }
    Ok(if holds { Ended::Done } else { Ended::Failed })
}

fn fail(why: &str, as_json: bool, lang: Language) -> Result<Ended> {
    if as_json {
        print::json(&json!({ "holds": false, "why": why }))?;
    } else {
        print::line(match lang {
            Language::Nl => format!("Het logboek klopt NIET: {why}"),
            Language::En => format!("The log does NOT hold: {why}"),
        });
    }
    Ok(Ended::Failed)
}
