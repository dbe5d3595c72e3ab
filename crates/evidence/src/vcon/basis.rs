//! On which lawful basis, and for what, the recording was made (draft vcon-lawful-basis-02). What the
//! archive says of it; nothing else in a bundle follows from it or leads to it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use voicelog_model::Timestamp;

/// Longest purpose that is read.
const PURPOSE_CHARACTERS_MAX: usize = 200;

/// A basis of GDPR article 6(1), in the draft's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegalBasis {
    /// Point (a).
    Consent,
    /// Point (b).
    Contract,
    /// Point (c).
    LegalObligation,
    /// Point (d).
    VitalInterests,
    /// Point (e).
    PublicTask,
    /// Point (f).
    LegitimateInterests,
}

impl LegalBasis {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Consent, "a"),
        (Self::Contract, "b"),
        (Self::LegalObligation, "c"),
        (Self::VitalInterests, "d"),
        (Self::PublicTask, "e"),
        (Self::LegitimateInterests, "f"),
    ];

    /// The basis of a point of article 6(1); none for any other word.
    #[must_use]
    pub fn of_point(point: &str) -> Option<Self> {
        let found = Self::ALL.into_iter().find(|(_, letter)| *letter == point);
        found.map(|(basis, _)| basis)
    }

    fn article(self) -> String {
        let found = Self::ALL.into_iter().find(|(basis, _)| *basis == self);
        format!("6(1)({})", found.map_or("", |(_, letter)| letter))
    }
}

/// What the archive says of the basis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basis {
    /// The basis.
    pub basis: LegalBasis,
    /// For what: the purpose of the line.
    pub purpose: String,
    /// When the recording is to be destroyed; none where no end is known.
    pub expires: Option<Timestamp>,
}

/// The attachment's body, in the draft's members.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    lawful_basis: LegalBasis,
    /// Null: no end is known.
    expiration: Option<Timestamp>,
    purpose_grants: [Grant; 1],
    metadata: Metadata,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Grant {
    purpose: String,
    granted: bool,
    granted_at: Timestamp,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    gdpr_article: String,
}

impl Basis {
    pub(super) fn body(&self, since: Timestamp) -> Result<Value, serde_json::Error> {
        serde_json::to_value(Body {
            lawful_basis: self.basis,
            expiration: self.expires,
            purpose_grants: [Grant {
                purpose: self.purpose.clone(),
                granted: true,
                granted_at: since,
            }],
            metadata: Metadata {
                gdpr_article: self.basis.article(),
            },
        })
    }

    /// What the lawful basis of an unsigned vCon says. None where it has none, or none that can be read.
    pub(crate) fn in_payload(payload: &Value) -> Option<Self> {
        let attachments = payload.get("attachments")?.as_array()?;
        let is_basis = |value: &&Value| value.get("purpose").is_some_and(|word| word == PURPOSE);
        let body = attachments.iter().find(is_basis)?.get("body")?;
        let Body {
            lawful_basis,
            expiration,
            purpose_grants: [grant],
            metadata: _,
        } = Body::deserialize(body).ok()?;
        let fits = (1..=PURPOSE_CHARACTERS_MAX).contains(&grant.purpose.chars().count());
        fits.then_some(Self {
            basis: lawful_basis,
            purpose: grant.purpose,
            expires: expiration,
        })
    }
}

/// What the attachment and the extension are called.
pub(super) const PURPOSE: &str = "lawful_basis";
