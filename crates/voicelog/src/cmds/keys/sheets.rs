//! The sheets of a recovery set as pages to print: one file each, Dutch and English, no script.

use crate::BadInput;
use anyhow::{Context as _, Result};
use qrcodegen::{QrCode, QrCodeEcc};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use voicelog_archive::keys::{Sheet, Sheets};
use voicelog_model::Timestamp;
use voicelog_store::durable;
use zeroize::Zeroizing;

/// Quiet modules around a QR code (ISO/IEC 18004).
const QUIET: i32 = 4;

const STYLE: &str = "body{font-family:sans-serif;max-width:42rem;margin:2rem auto;line-height:1.4;color:#000}\
ol{font:1.25rem/2 monospace}svg{width:14rem;height:14rem}h1{font-size:1.4rem}@page{margin:2cm}";

/// The folder must be empty or not there: nobody's files are in the way of sheets, nor sheets in that of others.
pub(super) fn check_folder(folder: &Path) -> Result<()> {
    let is_used = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if is_used {
        return Err(BadInput(format!(
            "`{}` is not empty; the sheets go into a folder of their own",
            folder.display()
        ))
        .into());
    }
    Ok(())
}

/// Writes the three files, for their owner alone.
pub(super) fn write(
    folder: &Path,
    made: &Sheets,
    archive: &str,
    now: Timestamp,
) -> Result<Vec<PathBuf>> {
    durable::create_folder(folder)?;
    let mut files = Vec::new();
    for sheet in &made.sheets {
        let path = folder.join(format!("{}-{}.html", made.name, sheet.number()));
        let page = page(sheet, &made.name, archive, now)?;
        durable::create(&path, page.as_bytes())
            .with_context(|| format!("cannot write `{}`", path.display()))?;
        files.push(path);
    }
    Ok(files)
}

fn page(sheet: &Sheet, set: &str, archive: &str, now: Timestamp) -> Result<Zeroizing<String>> {
    let (number, lines) = (sheet.number(), sheet.lines());
    let code = qr(&lines.join("\n"))?;
    let mut items = Zeroizing::new(String::new());
    for line in lines.iter() {
        writeln!(items, "<li>{line}</li>")?;
    }
    let (items, code) = (items.as_str(), code.as_str());
    Ok(Zeroizing::new(format!(
        "<!doctype html>\n<html lang=\"nl\">\n<head>\n<meta charset=\"utf-8\">\n\
         <title>voicelog herstelblad {number} van 3 ({set})</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>Herstelblad {number} van 3</h1>\n\
         <p>Archief {archive}, set {set}, gemaakt {now}.</p>\n\
         <ol>\n{items}</ol>\n{code}\n\
         <p>Met twee van de drie bladen kan iedereen die het archief heeft, alle opnamen openen. Met één blad kan \
         niemand iets. Bewaar dit blad waar de andere twee niet liggen, en waar de server niet staat.</p>\n\
         <p>Nodig als de hoofdsleutel kwijt is: <code>voicelog keys recovery use</code>, en typ dan twee bladen \
         over. De laatste vier tekens van een regel controleren die regel. De letters I, L, O en U komen niet voor. De \
         code hierboven bevat dezelfde vier regels.</p>\n\
         <section lang=\"en\">\n<h1>Recovery sheet {number} of 3</h1>\n\
         <p>With two of the three sheets anybody who has the archive can open all recordings. With one sheet nobody \
         can do anything. Keep this sheet where the other two are not, and where the server is not.</p>\n\
         <p>Needed when the master key is lost: <code>voicelog keys recovery use</code>, then type two sheets. The \
         last four characters of a line check that line. The letters I, L, O and U are never used. The code above \
         holds the same four lines.</p>\n</section>\n</body>\n</html>\n"
    )))
}

/// A QR code as a picture in the page.
fn qr(text: &str) -> Result<Zeroizing<String>> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).context("cannot make a QR code")?;
    let size = code.size();
    let whole = size + 2 * QUIET;
    let mut path = Zeroizing::new(String::new());
    for y in 0..size {
        for x in (0..size).filter(|x| code.get_module(*x, y)) {
            write!(path, "M{},{}h1v1h-1z", x + QUIET, y + QUIET)?;
        }
    }
    let path = path.as_str();
    Ok(Zeroizing::new(format!(
        "<svg viewBox=\"0 0 {whole} {whole}\" role=\"img\" aria-label=\"QR\">\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/><path d=\"{path}\"/></svg>"
    )))
}
