//! A sheet of paper with one share, in a form that people can type back: four lines, each with its own check.
//!
//! Bytes: version (1) ‖ set (4) ‖ number of the sheet (1) ‖ share (32) ‖ check of all of these (2), ten on a line. A line
//! is its number, sixteen characters of base 32 in groups of four, and a group that checks the line: the first 20 bits
//! of SHA-256(`voicelog/v1/sheet-line` ‖ number of the line ‖ its ten bytes). The alphabet is Crockford's: no I, L, O or U;
//! who types one of the first three means 1, 1 or 0.

use super::shares::SECRET_BYTES;
use std::fmt;
use voicelog_evidence::digest::sha256;
use voicelog_model::Language;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const VERSION: u8 = 1;
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Lines on a sheet.
pub const SHEET_LINES: usize = 4;
const LINE_BYTES: usize = 10;
const LINE_CHARS: usize = 16;
const CHECK_CHARS: usize = 4;
const SHEET_BYTES: usize = SHEET_LINES * LINE_BYTES;

/// One of the three sheets of a recovery set.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Sheet {
    /// Which set it belongs to.
    pub(super) set: [u8; 4],
    /// Its number: 1, 2 or 3.
    pub(super) number: u8,
    pub(super) share: [u8; SECRET_BYTES],
}

/// What is wrong with one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineFault {
    /// So many characters are there; twenty belong there, besides the line's number.
    Length(usize),
    /// A character that stands on no sheet.
    Character(char),
    /// A character is wrong, or two were swapped, or it is another line of the sheet.
    Check,
}

/// Why what was typed is no sheet, or two sheets are no pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SheetError {
    /// So many lines with something on them are there, not four.
    Lines(usize),
    /// Lines with something wrong, by number.
    Faults(Vec<(usize, LineFault)>),
    /// Each line is right, and they do not belong to one sheet.
    Mixed,
    /// Written by a newer voicelog.
    Version(u8),
    /// Twice the same sheet.
    Same,
    /// Of two sets.
    OtherSet,
}

impl SheetError {
    /// What is wrong, for people.
    #[must_use]
    pub fn in_language(&self, language: Language) -> String {
        let nl = matches!(language, Language::Nl);
        let pick = |dutch: &str, english: &str| if nl { dutch } else { english }.to_owned();
        match self {
            Self::Lines(found) if nl => {
                format!("er staan {found} regels; een blad heeft er {SHEET_LINES}")
            }
            Self::Lines(found) => {
                format!("there are {found} lines; a sheet has {SHEET_LINES}")
            }
            Self::Faults(faults) => {
                let faults: Vec<String> = faults
                    .iter()
                    .map(|(line, fault)| fault.on_line(*line, nl))
                    .collect();
                faults.join("; ")
            }
            Self::Mixed => pick(
                "de regels zijn van verschillende bladen",
                "the lines are of different sheets",
            ),
            Self::Version(_) => pick(
                "dit blad is van een nieuwere versie van voicelog",
                "this sheet is of a newer voicelog",
            ),
            Self::Same => pick(
                "dit is tweemaal hetzelfde blad; er zijn er twee verschillende nodig",
                "this is twice the same sheet; two different ones are needed",
            ),
            Self::OtherSet => pick(
                "de twee bladen zijn van verschillende herstelsets",
                "the two sheets are of different recovery sets",
            ),
        }
    }
}

impl LineFault {
    fn on_line(self, line: usize, nl: bool) -> String {
        let all = LINE_CHARS + CHECK_CHARS;
        match self {
            Self::Length(found) if nl => {
                format!("regel {line} heeft {found} tekens, er horen er {all} te staan")
            }
            Self::Length(found) => {
                format!("line {line} has {found} characters, {all} belong there")
            }
            Self::Character(found) if nl => {
                format!("op regel {line} staat `{found}`, dat teken komt niet voor")
            }
            Self::Character(found) => {
                format!("`{found}` on line {line} is a character that is never used")
            }
            Self::Check if nl => format!("regel {line} klopt niet: kijk elk teken na"),
            Self::Check => format!("line {line} is not right: check every character"),
        }
    }
}

impl fmt::Display for SheetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_language(Language::En))
    }
}

impl std::error::Error for SheetError {}

impl fmt::Debug for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sheet({} of set {:02x?})", self.number, self.set)
    }
}

impl Sheet {
    /// Its number: 1, 2 or 3.
    #[must_use]
    pub const fn number(&self) -> u8 {
        self.number
    }

    /// The four lines as they are printed, without their numbers.
    #[must_use]
    pub fn lines(&self) -> Zeroizing<Vec<String>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(SHEET_BYTES));
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.set);
        bytes.push(self.number);
        bytes.extend_from_slice(&self.share);
        let check = check_of_all(&bytes);
        bytes.extend_from_slice(&check);
        let lines = bytes.chunks(LINE_BYTES).zip(1_u8..);
        Zeroizing::new(lines.map(|(line, number)| written(number, line)).collect())
    }

    /// Reads what somebody typed: four lines, with or without their numbers, in any case, with any spaces.
    pub fn parse(text: &str) -> Result<Self, SheetError> {
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        if lines.len() != SHEET_LINES {
            return Err(SheetError::Lines(lines.len()));
        }
        let (mut bytes, mut faults) = (Zeroizing::new(Vec::new()), Vec::new());
        for (number, line) in (1_u8..).zip(lines) {
            match read(number, line) {
                Ok(line) => bytes.extend_from_slice(&line),
                Err(fault) => faults.push((usize::from(number), fault)),
            }
        }
        if !faults.is_empty() {
            return Err(SheetError::Faults(faults));
        }
        Self::from_bytes(&bytes)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, SheetError> {
        let (body, check) = bytes.split_last_chunk::<2>().ok_or(SheetError::Mixed)?;
        if *check != check_of_all(body) {
            return Err(SheetError::Mixed);
        }
        let (version, body) = body.split_first().ok_or(SheetError::Mixed)?;
        if *version != VERSION {
            return Err(SheetError::Version(*version));
        }
        let (set, body) = body.split_first_chunk::<4>().ok_or(SheetError::Mixed)?;
        let (number, share) = body.split_first().ok_or(SheetError::Mixed)?;
        let share = share.try_into().map_err(|_length| SheetError::Mixed)?;
        if !(1..=3).contains(number) {
            return Err(SheetError::Mixed);
        }
        Ok(Self {
            set: *set,
            number: *number,
            share,
        })
    }
}

fn check_of_all(bytes: &[u8]) -> [u8; 2] {
    let [a, b, ..] = sha256(&[b"voicelog/v1/sheet".as_slice(), bytes].concat());
    [a, b]
}

/// The group that checks a line.
fn check_of_line(number: u8, bytes: &[u8]) -> Vec<u8> {
    let hash = sha256(&[b"voicelog/v1/sheet-line".as_slice(), &[number], bytes].concat());
    let mut digits = base32(&hash);
    digits.truncate(CHECK_CHARS);
    digits
}

/// Five bits at a time, the first bits first, as values of 0 to 31.
fn base32(bytes: &[u8]) -> Vec<u8> {
    let bit = |at: usize| {
        let byte = bytes.get(at / 8).copied().unwrap_or(0);
        (byte >> (7 - at % 8)) & 1
    };
    let digit = |digit: usize| (0..5).fold(0, |value, at| (value << 1) | bit(digit * 5 + at));
    (0..(bytes.len() * 8).div_ceil(5)).map(digit).collect()
}

fn written(number: u8, bytes: &[u8]) -> String {
    let mut digits = Zeroizing::new(base32(bytes));
    digits.extend(check_of_line(number, bytes));
    let groups = digits.chunks(4).map(|group| {
        let letters = group
            .iter()
            .filter_map(|digit| ALPHABET.get(usize::from(*digit)));
        letters
            .map(|letter| char::from(*letter))
            .collect::<String>()
    });
    groups.collect::<Vec<_>>().join(" ")
}

fn read(number: u8, line: &str) -> Result<Zeroizing<Vec<u8>>, LineFault> {
    let typed = line
        .chars()
        .filter(|letter| !letter.is_whitespace() && *letter != '-');
    let mut typed: Vec<char> = typed.collect();
    // The line's number may be typed along, as it is printed: a digit and perhaps a sign behind it.
    if typed.len() > LINE_CHARS + CHECK_CHARS && typed.first() == Some(&char::from(b'0' + number)) {
        typed.remove(0);
        if matches!(typed.first(), Some('.' | ':' | ')')) {
            typed.remove(0);
        }
    }
    let mut digits = Zeroizing::new(Vec::with_capacity(typed.len()));
    for letter in &typed {
        let meant = match letter.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        let digit = (0_u8..)
            .zip(ALPHABET)
            .find(|(_, one)| char::from(**one) == meant);
        digits.push(digit.ok_or(LineFault::Character(*letter))?.0);
    }
    if digits.len() != LINE_CHARS + CHECK_CHARS {
        return Err(LineFault::Length(digits.len()));
    }
    let (value, check) = digits.split_at(LINE_CHARS);
    let mut bytes = Zeroizing::new(Vec::with_capacity(LINE_BYTES));
    for group in value.chunks(8) {
        let bits = group
            .iter()
            .fold(0_u64, |bits, digit| (bits << 5) | u64::from(*digit));
        bytes.extend(bits.to_be_bytes().iter().skip(3));
    }
    if check == check_of_line(number, &bytes) {
        Ok(bytes)
    } else {
        Err(LineFault::Check)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(number: u8) -> Sheet {
        let mut share = [0; SECRET_BYTES];
        for (at, byte) in (0_u8..).zip(&mut share) {
            *byte = at.wrapping_mul(37) ^ number;
        }
        Sheet {
            set: [1, 2, 3, 4],
            number,
            share,
        }
    }

    #[test]
    fn what_is_printed_reads_back_however_it_is_typed() {
        let sheet = sheet(2);
        let lines = sheet.lines();
        assert!(lines.iter().all(|line| line.len() == 24));
        let plain = lines.join("\n");
        let numbered: Vec<String> = (1..)
            .zip(lines.iter())
            .map(|(n, l)| format!("{n}. {l}"))
            .collect();
        let typed = [
            plain.clone(),
            plain.to_lowercase(),
            plain.replace(' ', ""),
            plain.replace(' ', "-"),
            plain.replace('0', "o").replace('1', "l"),
            numbered.join("\n\n"),
        ];
        for text in typed {
            assert_eq!(Sheet::parse(&text), Ok(sheet.clone()), "{text}");
        }
    }

    #[test]
    fn every_wrong_character_and_every_swap_is_found_and_its_line_named() {
        let lines = sheet(1).lines();
        for line in 0..SHEET_LINES {
            let right: Vec<char> = lines[line].replace(' ', "").chars().collect();
            let refused = |typed: Vec<char>, fault| {
                let mut all = lines.to_vec();
                all[line] = typed.into_iter().collect();
                let error = Sheet::parse(&all.join("\n")).unwrap_err();
                assert_eq!(error, SheetError::Faults(vec![(line + 1, fault)]));
            };
            for at in 0..right.len() {
                let mut changed = right.clone();
                changed[at] = if right[at] == 'A' { 'B' } else { 'A' };
                refused(changed, LineFault::Check);
                let mut swapped = right.clone();
                swapped.swap(at, (at + 1) % right.len());
                if swapped != right {
                    refused(swapped, LineFault::Check);
                }
                let mut strange = right.clone();
                strange[at] = 'U';
                refused(strange, LineFault::Character('U'));
            }
            refused(right[1..].to_vec(), LineFault::Length(19));
        }
    }

    #[test]
    fn lines_in_another_order_or_of_two_sheets_are_not_taken_for_one() {
        let (one, two) = (sheet(1).lines(), sheet(2).lines());
        let swapped = [&one[0], &one[2], &one[1], &one[3]]
            .map(String::as_str)
            .join("\n");
        let error = Sheet::parse(&swapped).unwrap_err();
        let fault = LineFault::Check;
        assert_eq!(error, SheetError::Faults(vec![(2, fault), (3, fault)]));
        let mixed = [&one[0], &two[1], &one[2], &one[3]]
            .map(String::as_str)
            .join("\n");
        assert_eq!(Sheet::parse(&mixed), Err(SheetError::Mixed));
        assert_eq!(
            Sheet::parse(&one[..3].join("\n")),
            Err(SheetError::Lines(3))
        );
    }

    #[test]
    fn what_is_wrong_is_said_in_both_languages() {
        let error = SheetError::Faults(vec![(2, LineFault::Check), (3, LineFault::Length(19))]);
        assert!(
            error
                .in_language(Language::Nl)
                .contains("regel 2 klopt niet")
        );
        assert!(error.to_string().contains("line 3 has 19 characters"));
    }
}
