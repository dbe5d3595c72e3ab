//! Which calls the archive knows of, for whoever holds them against a list of another system.
//!
//! The numbers of those who took part are personal data. They are opened here, compared here, and
//! never handed out: whoever asks has the numbers already, and hears only whether they fit.

use crate::address::Address;
use crate::error::Doing as _;
use crate::read::summary_of;
use crate::{Archive, ArchiveError, RecordingSummary, State};
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use voicelog_evidence::timeline::Timeline;
use voicelog_model::{Party, Pii, Timestamp};
use voicelog_store::index::{Cursor, DiaryEntry, RecordingFilter, RecordingRow};

/// Fewest digits by which two numbers are the same although one names its country and the other
/// does not. Shorter ones are extensions: those are the same, or they are not.
const DIGITS_LEAST: usize = 7;

/// A telephone number or name of an account, as far as it can be compared.
#[derive(Clone, PartialEq, Eq)]
pub struct Number(Pii<String>);

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Number")
    }
}

impl Number {
    /// Of an address (`tel:` or `sip:` URI), a number however it is written, or an account.
    #[must_use]
    pub fn of(address: &str) -> Self {
        Self(Pii::new(Address::read(address).user.to_ascii_lowercase()))
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.expose().is_empty()
    }

    /// The same for all numbers that can fit each other, so that they need not all be compared.
    #[must_use]
    pub fn bucket(&self) -> u64 {
        let number = self.0.expose().as_str();
        let compared = significant(number).map_or(number, |digits| {
            let start = digits.len().saturating_sub(DIGITS_LEAST);
            digits.get(start..).unwrap_or(digits)
        });
        let mut hasher = DefaultHasher::new();
        compared.hash(&mut hasher);
        hasher.finish()
    }

    /// Whether it can be the same telephone: `0201234567` and `+31201234567` can.
    #[must_use]
    pub fn fits(&self, other: &Self) -> bool {
        let [left, right] = [self, other].map(|number| number.0.expose().as_str());
        if left.is_empty() || right.is_empty() {
            return false;
        }
        left == right
            || match (significant(left), significant(right)) {
                (Some(left), Some(right)) => {
                    let (short, long) = if left.len() <= right.len() {
                        (left, right)
                    } else {
                        (right, left)
                    };
                    short == long || short.len() >= DIGITS_LEAST && long.ends_with(short)
                }
                _ => false,
            }
    }
}

/// The digits of a number without what only says that it is international or national.
fn significant(number: &str) -> Option<&str> {
    let digits = number.strip_prefix('+').unwrap_or(number);
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    let digits = digits.trim_start_matches('0');
    (is_number && !digits.is_empty()).then_some(digits)
}

/// A call that the archive knows of.
#[derive(Debug, Clone)]
pub struct KnownCall {
    /// Its line in the list.
    pub summary: RecordingSummary,
    /// What became of its media, once it is closed.
    pub timeline: Option<Timeline>,
    /// The numbers of those who took part; nothing once they are destroyed.
    pub numbers: Option<Vec<Number>>,
}

impl Archive {
    /// One page of the calls that began in `from..to`, newest first, and where the next begins.
    pub fn known_calls(
        &self,
        from: Timestamp,
        to: Timestamp,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<(Vec<KnownCall>, Option<Cursor>), ArchiveError> {
        let filter = RecordingFilter {
            from: Some(from),
            to: Some(to),
            ..RecordingFilter::default()
        };
        let page = self
            .index
            .list_recordings(&filter, after, limit)
            .doing("listing calls")?;
        let calls: Result<_, _> = page.rows.iter().map(|row| self.known_call(row)).collect();
        Ok((calls?, page.next))
    }

    fn known_call(&self, row: &RecordingRow) -> Result<KnownCall, ArchiveError> {
        let is_gone = matches!(row.state, State::Destroying | State::Destroyed);
        let of = |parties: &[Party]| {
            let addresses = parties.iter().map(|party| party.address.expose());
            addresses.map(|address| Number::of(address)).collect()
        };
        let numbers = if is_gone {
            None
        } else if let Some(call) = self.calls.get(row.id) {
            // Until the law permits something, who takes part is known in memory only.
            Some(of(&call.parties))
        } else if let Some(data_key) = self.data_key_if_here(row.id)? {
            let parties = self.details(row, &data_key)?.parties;
            Some(of(&parties))
        } else {
            None
        };
        let timeline = self.index.timeline(row.id).doing("reading a timeline")?;
        let timeline = timeline.map(|bytes| {
            Timeline::from_bytes(&bytes).map_err(|_text| ArchiveError::Corrupt {
                what: format!("the timeline of {}", row.id),
            })
        });
        Ok(KnownCall {
            summary: summary_of(row),
            timeline: timeline.transpose()?,
            numbers,
        })
    }

    /// Adds to the recorder's diary: what happened in which minute, never to whom.
    pub fn add_to_diary(&self, entries: &[DiaryEntry]) -> Result<(), ArchiveError> {
        self.index.add_to_diary(entries).doing("writing the diary")
    }

    /// The diary of the minutes that begin in `from..to`, oldest first.
    pub fn diary(
        &self,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Vec<DiaryEntry>, ArchiveError> {
        let read = self.index.diary(from, to, limit);
        read.doing("reading the diary")
    }

    /// The first minute of the diary that is still there.
    pub fn diary_begins(&self) -> Result<Option<Timestamp>, ArchiveError> {
        self.index.diary_begins().doing("reading the diary")
    }

    /// Forgets the diary of the minutes before.
    pub fn forget_diary(&self, before: Timestamp) -> Result<(), ArchiveError> {
        self.index
            .forget_diary(before)
            .doing("shortening the diary")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_the_same_however_it_is_written() {
        for (left, right, is_same) in [
            (
                "sip:+31201234567@pbx.example;user=phone",
                "020-123 45 67",
                true,
            ),
            ("tel:+31-20-123-4567", "0031201234567", true),
            ("<sip:201@10.0.0.1>", "201", true),
            ("201", "1201", false),
            ("201", "+31201234201", false),
            ("sip:Anna@voorbeeld.nl", "anna", true),
            ("sip:anna@voorbeeld.nl", "sip:bart@voorbeeld.nl", false),
            ("+31201234567", "+32201234567", false),
            ("", "", false),
            ("000", "+", false),
        ] {
            let fits = Number::of(left).fits(&Number::of(right));
            assert_eq!(fits, is_same, "{left} {right}");
            let buckets = [left, right].map(|address| Number::of(address).bucket());
            assert!(!is_same || buckets[0] == buckets[1], "{left} {right}");
        }
        assert_eq!(format!("{:?}", Number::of("0201234567")), "Number");
    }
}
