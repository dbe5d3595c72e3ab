//! Parties: the people and systems in a conversation.

use crate::pii::Pii;
use serde::{Deserialize, Serialize};

/// One participant (RFC 7865 §6.5), under a pseudonym that the rest of the house uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// `p1`, `p2` …: unique within the recording, means nothing outside it.
    pub id: String,
    /// Address as received (`tel:` or `sip:` URI), personal data.
    pub address: Pii<String>,
    /// Display name as received, personal data.
    pub name: Option<Pii<String>>,
    /// ISO 3166-1 alpha-2 country where the party is; `ZZ` = looked for and not known.
    pub country: String,
}
