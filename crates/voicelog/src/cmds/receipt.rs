//! `voicelog receipt`: what a party keeps of a recording.

use super::recordings;
use crate::clock::SystemClock;
use crate::{BadInput, Context, Ended, limited, print, wiring};
use anyhow::{Context as _, Result};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use voicelog_casework::receipt::{Qr, receipt};
use voicelog_evidence::receipt::{RECEIPT_BYTES_MAX, Receipt};
use voicelog_model::{Clock as _, RecordingId};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Id of the recording.
    id: RecordingId,
    /// The file to write the text to; without it, it is printed.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Also write the QR code, as a picture (SVG).
    #[arg(long, value_name = "FILE")]
    qr: Option<PathBuf>,
    /// Also show the QR code here.
    #[arg(long)]
    show_qr: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Ended> {
    let archive = wiring::visit(context, SystemClock::default().now())?;
    let Some(receipt) = receipt(&archive, args.id).map_err(recordings::bad_id)? else {
        print::say(
            context.lang,
            "Deze opname staat nog niet in het logboek.",
            "This recording is not in the log yet.",
        );
        return Ok(Ended::Failed);
    };
    let code = || {
        let code = receipt.qr.as_ref();
        code.context("the receipt is longer than a QR code can be; give the text")
    };
    if let Some(file) = &args.qr {
        recordings::write(file, code()?.svg().as_bytes())?;
    }
    if args.show_qr {
        code().map(Qr::lines)?.into_iter().for_each(print::line);
    }
    match &args.output {
        Some(file) => recordings::write(file, receipt.text.as_bytes())?,
        None => print::line(receipt.text.trim_end()),
    }
    Ok(Ended::Done)
}

/// Reads a receipt from a file.
pub(crate) fn read(path: &Path) -> Result<Receipt> {
    let bad = |why: String| BadInput(format!("--receipt `{}`: {why}", path.display()));
    let bytes = limited::read(path, RECEIPT_BYTES_MAX as u64).map_err(|error| {
        bad(match error.kind() {
            ErrorKind::FileTooLarge => "larger than a receipt can be".to_owned(),
            _ => error.to_string(),
        })
    })?;
    Receipt::parse(&bytes).map_err(|error| bad(error.to_string()).into())
}
