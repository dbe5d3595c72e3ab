//! The two fonts of everything that is printed, and how wide a text is in them.

use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::instance::{LocationRef, Size};
use skrifa::metrics::GlyphMetrics;
use skrifa::{FontRef, MetadataProvider};

/// What stands where the font has no sign for a character.
const UNKNOWN: char = '?';

/// A font with its widths.
pub(super) struct Face {
    pub(super) font: Font,
    signs: skrifa::charmap::Charmap<'static>,
    widths: GlyphMetrics<'static>,
}

/// Plain and bold.
pub(super) struct Faces {
    pub(super) plain: Face,
    pub(super) bold: Face,
}

impl Faces {
    /// `None` if the fonts in the program are none; a test opens them.
    pub(super) fn new() -> Option<Self> {
        Some(Self {
            plain: Face::new(dejavu::sans::regular())?,
            bold: Face::new(dejavu::sans::bold())?,
        })
    }
}

impl Face {
    fn new(bytes: &'static [u8]) -> Option<Self> {
        let reader = FontRef::new(bytes).ok()?;
        Some(Self {
            font: Font::new(bytes.to_vec().into(), 0)?,
            signs: reader.charmap(),
            // Of an em of one point.
            widths: reader.glyph_metrics(Size::new(1.0), LocationRef::default()),
        })
    }

    /// The text with a sign for every character: what cannot be shown is seen to be missing.
    pub(super) fn shown(&self, text: &str) -> String {
        let shown = |sign: char| match sign {
            sign if sign.is_whitespace() => ' ',
            // Signs without a meaning of their own: nobody could search or read them aloud.
            '\u{e000}'..='\u{f8ff}' | '\u{feff}' => UNKNOWN,
            sign if sign.is_control() || self.signs.map(sign).is_none() => UNKNOWN,
            sign => sign,
        };
        text.chars().map(shown).collect()
    }

    /// How wide a text is at a size, both in points.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|sign| self.advance(sign)).sum::<f32>() * size
    }

    /// The glyphs of a text that is [`Self::shown`].
    pub(super) fn glyphs(&self, text: &str) -> Vec<KrillaGlyph> {
        text.char_indices()
            .map(|(at, sign)| {
                let glyph = self.signs.map(sign).unwrap_or_default();
                let range = at..at.saturating_add(sign.len_utf8());
                let id = GlyphId::new(glyph.to_u32());
                KrillaGlyph::new(id, self.advance(sign), 0.0, 0.0, 0.0, range, None)
            })
            .collect()
    }

    fn advance(&self, sign: char) -> f32 {
        let glyph = self.signs.map(sign).unwrap_or_default();
        self.widths.advance_width(glyph).unwrap_or_default()
    }

    /// The text in lines that fit a width: broken at spaces, and within a word only where it does not fit
    /// by itself. All lines but the last keep the space that was their end, so that words stay words.
    pub(super) fn lines(&self, text: &str, size: f32, width: f32) -> Vec<String> {
        let text = self.shown(text);
        let mut lines = Vec::new();
        let mut line = String::new();
        for word in text.split_inclusive(' ') {
            if !line.is_empty()
                && self.width(&line, size) + self.width(word.trim_end(), size) > width
            {
                lines.push(std::mem::take(&mut line));
            }
            for sign in word.chars() {
                let room = width - self.advance(sign) * size;
                if sign != ' ' && !line.is_empty() && self.width(&line, size) > room {
                    lines.push(std::mem::take(&mut line));
                }
                line.push(sign);
            }
        }
        if !line.is_empty() || lines.is_empty() {
            lines.push(line);
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faces() -> Faces {
        Faces::new().unwrap()
    }

    #[test]
    fn lines_fit_and_together_are_the_text() {
        let face = faces().plain;
        let hash = "0123456789abcdef".repeat(8);
        let text = format!("Van begin tot eind is alles er: {hash} en verder niets.");
        for width in [40.0, 90.0, 300.0] {
            let lines = face.lines(&text, 10.0, width);
            assert_eq!(lines.concat(), text);
            for line in lines {
                assert!(
                    face.width(line.trim_end(), 10.0) <= width,
                    "{line} in {width}"
                );
            }
        }
    }

    #[test]
    fn what_the_font_has_no_sign_for_is_seen_to_be_missing() {
        let face = faces().bold;
        assert_eq!(face.shown("naïef – § 3\tἄλφα"), "naïef – § 3 ἄλφα");
        assert_eq!(face.shown("a\u{e001}b\u{0}c漢\n"), "a?b?c? ");
        assert!(face.lines("", 10.0, 50.0).concat().is_empty());
    }

    #[test]
    fn every_sign_has_a_glyph_of_its_width() {
        let face = faces().plain;
        let glyphs = face.glyphs("Wij");
        assert_eq!(glyphs.len(), 3);
        let sum: f32 = glyphs.iter().map(|glyph| glyph.x_advance).sum();
        assert!((sum - face.width("Wij", 1.0)).abs() < 1e-6);
        assert!(sum > 1.0 && sum < 3.0, "{sum} em");
    }
}
