//! `voicelog log`: the log, its proofs, and those who vouch for it.

mod audit;

use crate::clock::SystemClock;
use crate::vouching::Vouchers;
use crate::{BadInput, Context, Ended, limited, print, wiring};
use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use voicelog_archive::{Archive, ArchiveError};
use voicelog_evidence::note::{NOTE_BYTES_MAX, Note, VerifierKey};
use voicelog_evidence::receipt::Receipt;
use voicelog_evidence::witness::AddCheckpoint;
use voicelog_model::{Clock, Language, RecordingId, Timestamp, error};
use voicelog_store::durable;

/// Entries that `show` prints.
const SHOWN: u64 = 20;

/// What to do with the log.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    /// Show how long it is, who vouches for it, and its last entries.
    Show(JsonArgs),
    /// Print the newest checkpoint: a signed text of a few lines. Keep it, and a later log that is not
    /// the same one, grown, is found out.
    Checkpoint(JsonArgs),
    /// Prove that a recording, or its destruction, is in the log.
    Prove {
        /// The recording.
        id: RecordingId,
        #[command(flatten)]
        json: JsonArgs,
    },
    /// Prove that the log only grew since a checkpoint that was kept.
    Consistency {
        /// The file with that checkpoint, or with a receipt.
        checkpoint: PathBuf,
        #[command(flatten)]
        json: JsonArgs,
    },
    /// Have the witnesses of the configuration sign the newest checkpoint now.
    Witness(JsonArgs),
    /// Have the timestamping authority of the configuration stamp the newest checkpoint now.
    Stamp {
        /// Keep the stamp in this folder: `checkpoint`, the text of it that was stamped in
        /// `checkpoint.txt`, and the answer in `checkpoint.tsr`, for `openssl ts -verify`.
        #[arg(long, value_name = "DIR")]
        keep: Option<PathBuf>,
        #[command(flatten)]
        json: JsonArgs,
    },
    /// Print the policy by which others can judge the log: its key, its witnesses, how many must sign.
    Policy(JsonArgs),
    /// Read a whole log from its address or from a folder, and check all of it.
    Audit(audit::Args),
}

#[derive(Debug, clap::Args)]
pub(crate) struct JsonArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Ended> {
    let now = SystemClock::default().now();
    match args {
        Args::Show(json) => show(json.json, context, now),
        Args::Checkpoint(json) => checkpoint(json.json, context, now),
        Args::Prove { id, json } => prove(*id, json.json, context, now),
        Args::Consistency { checkpoint, json } => consistency(checkpoint, json.json, context, now),
        Args::Witness(json) => witness(json.json, context, now),
        Args::Stamp { keep, json } => stamp(keep.as_deref(), json.json, context, now),
        Args::Policy(json) => policy(json.json, context, now),
        Args::Audit(args) => audit::run(args, context, now),
    }
}

fn nothing_logged(context: &Context) -> Ended {
    print::say(
        context.lang,
        "Het logboek is nog leeg.",
        "The log is still empty.",
    );
    Ended::Failed
}

fn show(as_json: bool, context: &Context, now: Timestamp) -> Result<Ended> {
    let archive = wiring::visit(context, now)?;
    let size = archive.log_size()?;
    let cosigned = signers(&archive, context, now)?;
    let rows = archive.leaves(size.saturating_sub(SHOWN), usize::try_from(SHOWN)?)?;
    let leaf = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap_or(Value::Null);
    if as_json {
        let leaves: Vec<_> = rows
            .iter()
            .map(|row| json!({ "place": row.index, "leaf": leaf(&row.bytes) }))
            .collect();
        print::json(&json!({
            "key": archive.verifier_key(), "size": size,
            "checkpoint": archive.checkpoint()?, "cosigned": cosigned, "last": leaves,
            "stamped": stamped(&archive)?,
        }))?;
        return Ok(Ended::Done);
    }
    let lang = context.lang;
    let key = archive.verifier_key();
    print::line(match lang {
        Language::Nl => format!("Sleutel:       {key}\nVermeldingen:  {size}"),
        Language::En => format!("Key:      {key}\nEntries:  {size}"),
    });
    for signer in &cosigned {
        let word = |name: &str| signer.get(name).and_then(Value::as_str).unwrap_or("-");
        let (name, at) = (word("witness"), word("at"));
        let entries = signer.get("size").and_then(Value::as_u64).unwrap_or(0);
        print::line(match lang {
            Language::Nl => format!("Getuige:  {name} tekende {entries} vermeldingen op {at}"),
            Language::En => format!("Witness:  {name} signed {entries} entries at {at}"),
        });
    }
    for row in archive.timestamps(1)? {
        let (entries, at) = (row.size, row.at);
        print::line(match lang {
            Language::Nl => format!("Stempel:  {entries} vermeldingen op {at}"),
            Language::En => format!("Stamp:    {entries} entries at {at}"),
        });
    }
    for row in rows.iter().rev() {
        let leaf = leaf(&row.bytes);
        let word = |name: &str| {
            leaf.get(name)
                .and_then(Value::as_str)
                .unwrap_or("?")
                .to_owned()
        };
        let (at, kind, object) = (word("at"), word("type"), word("object"));
        // Counted from one, as people do.
        print::line(format!("{:>8}  {at}  {kind:<20} {object}", row.index + 1));
    }
    Ok(Ended::Done)
}

/// The newest timestamps.
fn stamped(archive: &Archive) -> Result<Vec<Value>> {
    let rows = archive.timestamps(usize::try_from(SHOWN)?)?;
    let told = rows.into_iter();
    Ok(told
        .map(|row| json!({ "size": row.size, "at": row.at }))
        .collect())
}

/// The witnesses of the configuration that signed the kept checkpoint.
fn signers(archive: &Arc<Archive>, context: &Context, now: Timestamp) -> Result<Vec<Value>> {
    let Some(note) = archive.cosigned_checkpoint()? else {
        return Ok(Vec::new());
    };
    let size = archive.own_checkpoint(note.as_bytes())?.size;
    let policy = vouchers(context, now)?.witnesses(archive).policy()?;
    let judged = policy.judge(&Note::parse(note.as_bytes())?);
    let signed = judged.signed.into_iter();
    Ok(signed
        .map(|(name, at)| json!({ "witness": name, "at": at, "size": size }))
        .collect())
}

fn vouchers(context: &Context, now: Timestamp) -> Result<Vouchers> {
    Vouchers::read(&wiring::config(context, now)?.log)
}

fn checkpoint(as_json: bool, context: &Context, now: Timestamp) -> Result<Ended> {
    let archive = wiring::visit(context, now)?;
    archive.sequence()?;
    let Some((read, note)) = archive.newest_checkpoint()? else {
        return Ok(nothing_logged(context));
    };
    if as_json {
        let cosigned = archive.cosigned_checkpoint()?;
        print::json(&json!({ "size": read.size, "checkpoint": note, "cosigned": cosigned }))?;
    } else {
        print::line(note.trim_end_matches('\n'));
    }
    Ok(Ended::Done)
}

fn prove(id: RecordingId, as_json: bool, context: &Context, now: Timestamp) -> Result<Ended> {
    let archive = wiring::visit(context, now)?;
    let (leaf, proof) = match archive.prove(id) {
        Err(ArchiveError::NotFound(id)) => {
            return Err(BadInput(format!("nothing of {id} is in the log yet")).into());
        }
        proven => proven?,
    };
    if as_json {
        print::json(&json!({
            "leaf": serde_json::from_slice::<Value>(&leaf)?,
            "index": proof.index, "proof": proof.to_string(),
        }))?;
    } else {
        print::line(proof.to_string().trim_end_matches('\n'));
    }
    Ok(Ended::Done)
}

fn consistency(path: &Path, as_json: bool, context: &Context, now: Timestamp) -> Result<Ended> {
    let bad = |what: String| anyhow::Error::new(BadInput(what));
    let archive = wiring::visit(context, now)?;
    let (old, _receipt) = kept_checkpoint(path, &archive.log_key())?;
    archive.sequence()?;
    let Some((newest, note)) = archive.newest_checkpoint()? else {
        return Ok(nothing_logged(context));
    };
    let old = match archive.own_checkpoint(&old) {
        Ok(old) => old,
        // Not signed by this log's key: it says nothing of this log.
        Err(ArchiveError::ForeignCheckpoint(Some(why))) => {
            return Err(bad(format!(
                "`{}` is no checkpoint of this log: {why}",
                path.display()
            )));
        }
        other => other?,
    };
    let proof = AddCheckpoint {
        old: old.size,
        proof: archive.consistency(old.size, newest.size)?,
        checkpoint: note,
    };
    if as_json {
        print::json(&json!({
            "old": old.size, "new": newest.size, "consistent": true, "proof": proof.to_string(),
        }))?;
    } else {
        print::line(proof.to_string().trim_end_matches('\n'));
    }
    Ok(Ended::Done)
}

fn witness(as_json: bool, context: &Context, now: Timestamp) -> Result<Ended> {
    let archive = wiring::visit(context, now)?;
    let witnesses = vouchers(context, now)?.witnesses(&archive);
    if witnesses.is_empty() {
        return Err(BadInput("the configuration names no witness ([log] witnesses)".into()).into());
    }
    let answers = witnesses.ask()?;
    let all_signed = answers.iter().all(|(_, answer)| answer.is_ok());
    if as_json {
        let answers: Vec<_> = answers
            .iter()
            .map(|(name, answer)| match answer {
                Ok(at) => json!({ "witness": name, "signed_at": at }),
                Err(fault) => {
                    json!({ "witness": name, "fault": fault.word(), "why": fault.to_string() })
                }
            })
            .collect();
        print::json(&json!({ "witnesses": answers }))?;
    } else {
        for (name, answer) in &answers {
            print::line(match (answer, context.lang) {
                (Ok(at), Language::Nl) => format!("{name}: tekende op {at}"),
                (Ok(at), Language::En) => format!("{name}: signed at {at}"),
                (Err(fault), Language::Nl) => format!("{name}: tekende NIET: {fault}"),
                (Err(fault), Language::En) => format!("{name}: did NOT sign: {fault}"),
            });
        }
    }
    Ok(if all_signed {
        Ended::Done
    } else {
        Ended::Failed
    })
}

fn stamp(keep: Option<&Path>, as_json: bool, context: &Context, now: Timestamp) -> Result<Ended> {
    let archive = wiring::visit(context, now)?;
    let authority = vouchers(context, now)?.authority().ok_or_else(|| {
        let what = "the configuration names no authority ([log] timestamp_authority)";
        anyhow::Error::new(BadInput(what.to_owned()))
    })?;
    let Some(answer) = authority.ask(&archive, now)? else {
        return Ok(nothing_logged(context));
    };
    if let (Ok(_stamp), Some(folder)) = (&answer, keep) {
        keep_stamp(&archive, folder)?;
    }
    if as_json {
        print::json(&match &answer {
            Ok(stamp) => json!({
                "at": stamp.at, "policy": stamp.policy,
                "accuracy_us": stamp.accuracy_micros,
            }),
            Err(fault) => json!({ "fault": fault.word(), "why": fault.to_string() }),
        })?;
    } else {
        print::line(match (&answer, context.lang) {
            (Ok(stamp), Language::Nl) => format!("Gestempeld op {}", stamp.at),
            (Ok(stamp), Language::En) => format!("Stamped at {}", stamp.at),
            (Err(fault), Language::Nl) => format!("NIET gestempeld: {fault}"),
            (Err(fault), Language::En) => format!("NOT stamped: {fault}"),
        });
    }
    Ok(if answer.is_ok() {
        Ended::Done
    } else {
        Ended::Failed
    })
}

/// Writes the newest stamp where somebody else can check it.
fn keep_stamp(archive: &Archive, folder: &Path) -> Result<()> {
    let rows = archive.timestamps(1)?;
    let row = rows.first().context("the timestamp is not there")?;
    let text = Note::parse(&row.checkpoint)?.unverified_text();
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
    durable::replace(&folder.join("checkpoint"), &row.checkpoint)?;
    durable::replace(&folder.join("checkpoint.txt"), text.as_bytes())?;
    durable::replace(&folder.join("checkpoint.tsr"), &row.token)?;
    Ok(())
}

fn policy(as_json: bool, context: &Context, now: Timestamp) -> Result<Ended> {
    let archive = wiring::visit(context, now)?;
    let policy = vouchers(context, now)?.witnesses(&archive).policy()?;
    if as_json {
        print::json(&json!({ "policy": policy.to_string() }))?;
    } else {
        print::line(policy.to_string().trim_end_matches('\n'));
    }
    Ok(Ended::Done)
}

/// The signed checkpoint that somebody kept. A receipt has one as well, and what it is of must be in that tree.
fn kept_checkpoint(path: &Path, key: &VerifierKey) -> Result<(Vec<u8>, Option<Receipt>)> {
    let bytes = read_limited(path)?;
    let Ok(receipt) = Receipt::parse(&bytes) else {
        return Ok((bytes, None));
    };
    receipt.verify(key).map_err(|why| {
        let why = error::chain(&why).to_string();
        BadInput(format!(
            "`{}` is no receipt of this log: {why}",
            path.display()
        ))
    })?;
    let checkpoint = receipt.proof.checkpoint.clone().into_bytes();
    Ok((checkpoint, Some(receipt)))
}

/// Reads a file that is no longer than a note may be.
pub(crate) fn read_limited(path: &Path) -> Result<Vec<u8>> {
    limited::read(path, NOTE_BYTES_MAX as u64).map_err(|error| {
        let why = match error.kind() {
            ErrorKind::FileTooLarge => "it is longer than a checkpoint can be".to_owned(),
            _ => error.to_string(),
        };
        BadInput(format!("cannot read `{}`: {why}", path.display())).into()
    })
}
