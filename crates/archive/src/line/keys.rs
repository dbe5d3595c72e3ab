//! What the keys of a telephone do during a call on a line.

use super::Side;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use voicelog_evidence::journal::{KeepReason, PauseReason};

/// Longest sequence of keys.
const SEQUENCE_KEYS_MAX: usize = 8;

/// Keys pressed one after the other: digits, `*`, `#` and `A` to `D`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sequence(String);

impl Sequence {
    /// The keys, a byte each.
    #[must_use]
    pub const fn keys(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl TryFrom<String> for Sequence {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_key = |key: u8| key.is_ascii_digit() || b"*#ABCD".contains(&key);
        if (1..=SEQUENCE_KEYS_MAX).contains(&text.len()) && text.bytes().all(is_key) {
            Ok(Self(text))
        } else {
            Err(format!(
                "{text:?} is no sequence of keys; write one to eight of 0 to 9, *, # and A to D, such as \"*7\""
            ))
        }
    }
}

impl From<Sequence> for String {
    fn from(sequence: Sequence) -> Self {
        sequence.0
    }
}

/// What a sequence of keys does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyAct {
    /// Recording pauses: the number of a payment card follows.
    PauseCardData,
    /// Recording pauses: a citizen service number follows.
    PauseCitizenNumber,
    /// Recording pauses: something private follows.
    PausePrivate,
    /// Recording pauses: somebody's health follows.
    PauseMedical,
    /// Recording pauses.
    PauseOther,
    /// Recording goes on.
    Resume,
    /// Whoever pressed it agrees to being recorded.
    Consent,
    /// Whoever pressed it does not agree, or not any more.
    Refuse,
    /// Everybody on the other side has agreed aloud, says whoever pressed it.
    OthersConsent,
    /// The call is to be kept: something is being agreed.
    KeepAgreement,
    /// The call is to be kept: somebody complains.
    KeepComplaint,
    /// The call is to be kept: somebody threatens or abuses.
    KeepThreat,
    /// The call is to be kept, to learn from.
    KeepTraining,
    /// The call is to be kept.
    KeepOther,
    /// This is a private call, says whoever pressed it.
    PrivateCall,
    /// It is about business again, says whoever pressed the other.
    BusinessAgain,
}

impl KeyAct {
    /// Why recording pauses, if it does.
    #[must_use]
    pub const fn pause(self) -> Option<PauseReason> {
        match self {
            Self::PauseCardData => Some(PauseReason::CardData),
            Self::PauseCitizenNumber => Some(PauseReason::CitizenNumber),
            Self::PausePrivate => Some(PauseReason::Private),
            Self::PauseMedical => Some(PauseReason::Medical),
            Self::PauseOther => Some(PauseReason::Other),
            _ => None,
        }
    }

    /// Why the call is to be kept, if it is.
    #[must_use]
    pub const fn keep(self) -> Option<KeepReason> {
        match self {
            Self::KeepAgreement => Some(KeepReason::Agreement),
            Self::KeepComplaint => Some(KeepReason::Complaint),
            Self::KeepThreat => Some(KeepReason::Threat),
            Self::KeepTraining => Some(KeepReason::Training),
            Self::KeepOther => Some(KeepReason::Other),
            _ => None,
        }
    }

    /// Whether it says something of a private call.
    #[must_use]
    pub const fn is_of_private_call(self) -> bool {
        matches!(self, Self::PrivateCall | Self::BusinessAgain)
    }

    /// Whether it is about consent, which can be what a call waits for.
    #[must_use]
    pub const fn is_consent(self) -> bool {
        matches!(self, Self::Consent | Self::Refuse | Self::OthersConsent)
    }
}

/// What each sequence does, by who presses it. Nothing is listened to unless it stands here.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keys {
    /// Pressed by somebody on our side.
    pub own: BTreeMap<Sequence, KeyAct>,
    /// Pressed by somebody on the other side.
    pub other: BTreeMap<Sequence, KeyAct>,
    /// Pressed on a stream of which the exchange does not tell whose voice it is.
    pub unknown: BTreeMap<Sequence, KeyAct>,
}

impl Keys {
    /// What the sequences do on a stream of somebody on that side.
    #[must_use]
    pub const fn of(&self, side: Side) -> &BTreeMap<Sequence, KeyAct> {
        match side {
            Side::Own => &self.own,
            Side::Other => &self.other,
            Side::Unknown => &self.unknown,
        }
    }

    /// Whether a key may bring what a call waits for: consent, or that somebody asks to keep it.
    #[must_use]
    pub fn listens_while_waiting(&self) -> bool {
        self.acts()
            .any(|act| act.is_consent() || act.keep().is_some())
    }

    /// Whether a key can say that a private call is one no longer.
    #[must_use]
    pub fn end_private_calls(&self) -> bool {
        self.acts().any(|act| act == KeyAct::BusinessAgain)
    }

    /// Whether a key asks to keep a call.
    #[must_use]
    pub fn asks_to_keep(&self) -> bool {
        self.acts().any(|act| act.keep().is_some())
    }

    fn acts(&self) -> impl Iterator<Item = KeyAct> {
        let all = [&self.own, &self.other, &self.unknown];
        all.into_iter().flat_map(BTreeMap::values).copied()
    }

    /// What is wrong with them, with the name of the table; nothing if they can be told apart and
    /// each can do what it says.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let tables = [
            ("own", &self.own),
            ("other", &self.other),
            ("unknown", &self.unknown),
        ];
        for (name, table) in tables {
            for (sequence, other) in table
                .keys()
                .flat_map(|one| table.keys().map(move |two| (one, two)))
            {
                if sequence != other && other.0.contains(&sequence.0) {
                    return Some(format!(
                        "keys.{name}: `{}` stands within `{}`, so whoever presses the longer one presses the other as well",
                        sequence.0, other.0
                    ));
                }
            }
            let is_of = |act: KeyAct| table.values().any(|other| *other == act);
            let is_ours = |act: &KeyAct| act.keep().is_some() || act.is_of_private_call();
            if name != "own" && table.values().any(is_ours) {
                return Some(format!(
                    "keys.{name}: to keep a call is for somebody on our side to ask, and so it is to say that it is private; put it under keys.own"
                ));
            }
            if is_of(KeyAct::BusinessAgain) && !is_of(KeyAct::PrivateCall) {
                return Some(format!(
                    "keys.{name}: `business_again` takes `private_call` back, and no key says that; who said it over the API takes it back there"
                ));
            }
            if name == "unknown" && (is_of(KeyAct::Consent) || is_of(KeyAct::Refuse)) {
                return Some(
                    "keys.unknown: whose consent is a key whose side is not known? Put `consent` and `refuse` under keys.other".to_owned(),
                );
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(all: &[(&str, KeyAct)]) -> BTreeMap<Sequence, KeyAct> {
        let sequence = |text: &str| Sequence::try_from(text.to_owned()).unwrap();
        all.iter()
            .map(|(text, act)| (sequence(text), *act))
            .collect()
    }

    #[test]
    fn a_sequence_is_one_to_eight_keys_of_a_telephone() {
        for right in ["1", "*7", "#*0A", "12345678"] {
            assert!(Sequence::try_from(right.to_owned()).is_ok(), "{right}");
        }
        for wrong in ["", "123456789", "*x", "a", "١"] {
            assert!(Sequence::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn of_two_sequences_neither_may_stand_within_the_other() {
        let keys = |own| Keys {
            own,
            ..Keys::default()
        };
        let card = KeyAct::PauseCardData;
        let right = keys(table(&[("*7", card), ("*8", KeyAct::Resume), ("78", card)]));
        assert_eq!(right.fault(), None);
        for (shorter, longer) in [("*7", "*71"), ("7", "*7"), ("7", "*71")] {
            let wrong = keys(table(&[(longer, card), (shorter, KeyAct::Resume)]));
            let fault = wrong.fault().unwrap();
            let named = format!("keys.own: `{shorter}` stands within `{longer}`");
            assert!(fault.contains(&named), "{fault}");
        }
    }

    #[test]
    fn consent_is_somebodys_and_keeping_is_our_sides_so_a_stream_of_nobody_can_do_neither() {
        let keys = Keys {
            unknown: table(&[("1", KeyAct::Consent)]),
            ..Keys::default()
        };
        assert!(keys.fault().unwrap().contains("keys.other"));
        assert!(keys.listens_while_waiting());
        let pausing = Keys {
            unknown: table(&[("*7", KeyAct::PauseCardData)]),
            ..Keys::default()
        };
        assert_eq!(pausing.fault(), None);
        let keeping = || table(&[("*4", KeyAct::KeepComplaint)]);
        for (keys, right) in [
            (
                Keys {
                    own: keeping(),
                    ..Keys::default()
                },
                None,
            ),
            (
                Keys {
                    other: keeping(),
                    ..Keys::default()
                },
                Some("keys.other"),
            ),
            (
                Keys {
                    unknown: keeping(),
                    ..Keys::default()
                },
                Some("keys.unknown"),
            ),
        ] {
            let fault = keys.fault();
            assert_eq!(fault.is_some(), right.is_some(), "{fault:?}");
            assert!(
                fault
                    .unwrap_or_default()
                    .contains(right.unwrap_or_default())
            );
            assert!(keys.listens_while_waiting() && keys.asks_to_keep());
        }
        assert!(!pausing.listens_while_waiting());
    }
}
