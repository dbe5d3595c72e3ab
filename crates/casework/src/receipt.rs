//! What a party keeps of a recording: the receipt as text, and as a QR code that a telephone reads.

use qrcodegen::{QrCode, QrCodeEcc};
use voicelog_archive::{Archive, ArchiveError};
use voicelog_model::RecordingId;

/// Light modules around the code, on each side (ISO/IEC 18004).
const QUIET: i32 = 4;

/// A receipt: it names the recording and nobody in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The text (`design/evidence-format.md`, "Receipt").
    pub text: String,
    /// The text as a QR code; none where it is longer than one can be.
    pub qr: Option<Qr>,
}

/// A QR code, drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Qr {
    /// Modules on each side, with the light edge.
    pub size: i32,
    /// The dark modules as a path of SVG, in modules.
    pub path: String,
    rows: Vec<Vec<bool>>,
}

/// The receipt of a recording; none as long as the log does not have it.
pub fn receipt(archive: &Archive, id: RecordingId) -> Result<Option<Receipt>, ArchiveError> {
    let text = archive.receipt(id)?;
    Ok(text.map(|text| Receipt {
        qr: Qr::of(&text),
        text,
    }))
}

impl Qr {
    /// `None` if the text is longer than a code can be (2,953 bytes).
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        // The lowest correction, so that the modules stay large; the text is signed anyway.
        let code = QrCode::encode_binary(text.as_bytes(), QrCodeEcc::Low).ok()?;
        let size = code.size() + 2 * QUIET;
        let row = |y| {
            (0..size)
                .map(|x| code.get_module(x - QUIET, y - QUIET))
                .collect()
        };
        let rows: Vec<Vec<bool>> = (0..size).map(row).collect();
        Some(Self {
            size,
            path: path(&rows),
            rows,
        })
    }

    /// The code as a picture (SVG), black on white.
    #[must_use]
    pub fn svg(&self) -> String {
        let (size, path) = (self.size, &self.path);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {size} {size}\" \
             shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{size}v{size}H0z\"/>\
             <path d=\"{path}\"/></svg>\n"
        )
    }

    /// The code for a terminal: two modules above each other in one character. Light is drawn, so that it
    /// reads on a dark ground.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let pairs = self.rows.chunks(2);
        pairs
            .map(|pair| {
                let (top, below) = (pair.first(), pair.get(1));
                let modules = top.into_iter().flatten().enumerate();
                modules
                    .map(|(x, top)| {
                        let below = below.and_then(|row| row.get(x)).copied().unwrap_or(false);
                        match (*top, below) {
                            (false, false) => '█',
                            (false, true) => '▀',
                            (true, false) => '▄',
                            (true, true) => ' ',
                        }
                    })
                    .collect()
            })
            .collect()
    }
}

/// Each run of dark modules as one rectangle.
fn path(rows: &[Vec<bool>]) -> String {
    let mut path = String::new();
    for (y, row) in rows.iter().enumerate() {
        let mut x = 0_usize;
        for run in row.chunk_by(|one, next| one == next) {
            let width = run.len();
            if run.first() == Some(&true) {
                path += &format!("M{x} {y}h{width}v1h-{width}z");
            }
            x = x.saturating_add(width);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_light_edge_and_its_corner_marks() {
        let qr = Qr::of("voicelog").unwrap();
        assert_eq!(qr.size, 21 + 8, "the smallest code there is");
        assert!(qr.path.starts_with("M4 4h7v1h-7z"), "{}", qr.path);
        assert_eq!(qr.lines().len(), 15);
        assert!(qr.lines().iter().all(|line| line.chars().count() == 29));
        assert!(qr.lines()[0].chars().all(|sign| sign == '█'));
    }

    #[test]
    fn a_text_that_is_too_long_has_none() {
        assert!(Qr::of(&"x".repeat(2_953)).is_some());
        assert!(Qr::of(&"x".repeat(2_954)).is_none());
    }
}
