//! Sampling: which calls are recorded where a line records one in so many.
//!
//! The draw of a call follows from its id alone, so whoever has the id (it stands in the log,
//! whether the call was recorded or not) can work it out again. Why there is no secret and no seed:
//! `design/archive.md`, "Sampling".

use crate::permit::Refusal;
use serde::{Deserialize, Serialize};
use std::fmt;
use voicelog_evidence::digest::sha256;
use voicelog_evidence::journal::{Ground, SAMPLE_RULE};
use voicelog_model::RecordingId;

/// What is hashed before the id, so that the draw is a draw and nothing else.
const LABEL: &[u8] = b"voicelog/draw/v1\0";

/// One call in so many is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// In how many.
    pub one_in: OneIn,
}

/// From 2 to 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct OneIn(u32);

impl TryFrom<u32> for OneIn {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, Self::Error> {
        if (2..=10_000).contains(&number) {
            Ok(Self(number))
        } else {
            Err(format!(
                "one in {number} is no sample; write a number from 2 to 10000, and leave `sample` out to record every call"
            ))
        }
    }
}

impl From<OneIn> for u32 {
    fn from(one_in: OneIn) -> Self {
        one_in.0
    }
}

/// The draw of a call: a number from 0 up to, and not, 1, in parts of 2^64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Draw(u64);

impl Draw {
    /// The first eight bytes, big-endian, of SHA-256 over the label, a zero byte and the 16 bytes
    /// of the id.
    #[must_use]
    pub fn of(id: RecordingId) -> Self {
        let hash = sha256(&[LABEL, id.as_bytes()].concat());
        let [a, b, c, d, e, f, g, h, ..] = hash;
        Self(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }

    /// Whether it is below one part in so many.
    #[must_use]
    pub const fn is_within(self, one_in: OneIn) -> bool {
        (self.0 as u128 * one_in.0 as u128) >> 64 == 0
    }
}

impl fmt::Display for Draw {
    /// With four decimals, cut off: `0.7301`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0.{:04}", (u128::from(self.0) * 10_000) >> 64)
    }
}

/// Why a call is not recorded although the law permits it; nothing if it was drawn.
pub(crate) fn left_out(id: RecordingId, one_in: OneIn) -> Option<Refusal> {
    let draw = Draw::of(id);
    if draw.is_within(one_in) {
        return None;
    }
    let one_in = one_in.0;
    let ground = Ground {
        rule: SAMPLE_RULE.to_owned(),
        articles: Vec::new(),
        text_nl: format!(
            "niet geloot: 1 op {one_in}, lot {}",
            draw.to_string().replace('.', ",")
        ),
        text_en: format!("not drawn: 1 in {one_in}, draw {draw}"),
    };
    Some(Refusal {
        grounds: vec![ground],
        look_back_seconds: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use voicelog_model::Timestamp;

    fn id(number: u64) -> RecordingId {
        let mut random = [0; 10];
        random[2..].copy_from_slice(&number.to_be_bytes());
        RecordingId::new(Timestamp::from_micros(1_790_000_000_000_000), random)
    }

    fn one_in(number: u32) -> OneIn {
        OneIn::try_from(number).unwrap()
    }

    #[test]
    fn the_draw_of_a_call_is_what_another_program_gets_from_its_id() {
        // printf 'voicelog/draw/v1\0' and sixteen zero bytes, through sha256sum.
        let zero = RecordingId::from_bytes([0; 16]);
        assert_eq!(Draw::of(zero).0, 0xcb55_fc90_1da0_097a);
    }

    #[test]
    fn one_in_ten_is_about_one_in_ten_and_who_is_in_a_smaller_sample_is_in_a_larger_one() {
        let drawn = |number| {
            let ids = (0..20_000).map(id);
            ids.filter(|id| Draw::of(*id).is_within(one_in(number)))
                .count()
        };
        assert!((1_850..2_150).contains(&drawn(10)), "{}", drawn(10));
        assert!((9_700..10_300).contains(&drawn(2)), "{}", drawn(2));
        assert!((0..2_000).map(id).all(|id| {
            let draw = Draw::of(id);
            !draw.is_within(one_in(10)) || draw.is_within(one_in(9))
        }));
    }

    #[test]
    fn the_edge_of_a_sample_is_exact() {
        let tenth = u64::MAX / 10;
        assert!(Draw(tenth).is_within(one_in(10)));
        assert!(!Draw(tenth + 1).is_within(one_in(10)));
        assert!(Draw(0).is_within(one_in(10_000)) && !Draw(u64::MAX).is_within(one_in(2)));
        assert_eq!(Draw(u64::MAX).to_string(), "0.9999");
    }

    #[test]
    fn who_is_not_drawn_is_told_so_with_the_draw() {
        let refused = (0..100).map(id).find_map(|id| left_out(id, one_in(10)));
        let ground = &refused.unwrap().grounds[0];
        assert!(ground.text_en.starts_with("not drawn: 1 in 10, draw 0."));
        assert!(ground.text_nl.starts_with("niet geloot: 1 op 10, lot 0,"));
    }

    #[test]
    fn one_in_one_is_no_sample() {
        for wrong in [0, 1, 10_001] {
            assert!(
                OneIn::try_from(wrong)
                    .unwrap_err()
                    .contains("from 2 to 10000")
            );
        }
    }
}
