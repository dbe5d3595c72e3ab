//! Giving a copy, or a copy of a part: to the person recorded, a lawyer, a court, a supervisor.

mod part;

pub use part::{PartRequest, PartRequestError, part_fault};
pub use voicelog_evidence::timeline::clock_text;

use crate::Asked;
use serde_json::{Map, Value, json};
use std::str::FromStr;
use voicelog_archive::{Archive, ArchiveError, VconForm, Verdict};
use voicelog_evidence::bundle::BundleError;
use voicelog_evidence::part::Plan;
use voicelog_law::Decision;
use voicelog_model::{Action, Language, Pii, RecordingId, Timestamp};

/// A copy that may be given.
#[derive(Debug)]
pub struct GivenCopy {
    /// The evidence bundle (ZIP): the whole recording, every voice, nothing masked; or the part that was
    /// asked for.
    pub bundle: Vec<u8>,
    /// The decision that permitted it, with the duties of whoever gives it.
    pub decision: Box<Decision>,
}

/// A vCon that may be given.
#[derive(Debug)]
pub struct GivenVcon {
    /// The vCon (JSON), with the sound in it.
    pub vcon: Vec<u8>,
    /// The decision that permitted it, with the duties of whoever gives it.
    pub decision: Box<Decision>,
}

/// A file that may be given back.
#[derive(Debug)]
pub struct GivenFile {
    /// The file that was imported, byte for byte.
    pub file: Vec<u8>,
    /// The decision that permitted it, with the duties of whoever gives it.
    pub decision: Box<Decision>,
}

/// Who gets the copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recipient {
    /// A court, in a procedure: the complete file.
    Court,
    /// The person who was recorded.
    DataSubject,
    /// The guardian of a child who was recorded.
    Guardian,
    /// The lawyer of the person recorded.
    Lawyer,
    /// A judge who asks for it.
    Judge,
    /// The data protection authority (Autoriteit Persoonsgegevens).
    Ap,
    /// The financial markets authority (AFM).
    Afm,
}

impl Recipient {
    /// Every recipient, with the word of the command line and the API.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Court, "court"),
        (Self::DataSubject, "data_subject"),
        (Self::Guardian, "guardian"),
        (Self::Lawyer, "lawyer"),
        (Self::Judge, "judge"),
        (Self::Ap, "ap"),
        (Self::Afm, "afm"),
    ];

    /// The recipient's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(recipient, _)| *recipient == self)
            .map_or("", |(_, word)| word)
    }

    /// Who that is, in words.
    #[must_use]
    pub const fn text(self, lang: Language) -> &'static str {
        match self {
            Self::Court => lang.pick(
                "De rechtbank, in een procedure",
                "The court, in a procedure",
            ),
            Self::DataSubject => lang.pick("Iemand die is opgenomen", "Somebody who was recorded"),
            Self::Guardian => lang.pick(
                "Ouder of voogd van een kind dat is opgenomen",
                "Parent or guardian of a child who was recorded",
            ),
            Self::Lawyer => lang.pick(
                "Advocaat van iemand die is opgenomen",
                "Lawyer of somebody who was recorded",
            ),
            Self::Judge => lang.pick("Een rechter die erom vraagt", "A judge who asks for it"),
            Self::Ap => lang.pick(
                "Autoriteit Persoonsgegevens",
                "Data protection authority (AP)",
            ),
            Self::Afm => lang.pick(
                "Autoriteit Financiële Markten",
                "Financial markets authority (AFM)",
            ),
        }
    }

    /// What the law is told of the one who gets it.
    fn facts(self) -> Map<String, Value> {
        let mut facts = Map::new();
        if self != Self::Court {
            facts.insert("requester_role".into(), json!(self.as_str()));
        }
        facts
    }

    const fn action(self) -> Action {
        match self {
            Self::Court => Action::FileInCourt,
            Self::DataSubject
            | Self::Guardian
            | Self::Lawyer
            | Self::Judge
            | Self::Ap
            | Self::Afm => Action::GiveCopy,
        }
    }
}

/// What the law would answer: for whoever wants to know the duties before giving the copy. Nothing
/// is kept, and nothing can be done with it.
pub fn foresee(
    archive: &Archive,
    id: RecordingId,
    recipient: Recipient,
    now: Timestamp,
) -> Result<Decision, ArchiveError> {
    archive.foresee_copy(id, recipient.action(), &recipient.facts(), now)
}

impl FromStr for Recipient {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .iter()
            .find(|(_, word)| *word == text)
            .map(|(recipient, _)| *recipient)
            .ok_or_else(|| {
                let words: Vec<&str> = Self::ALL.iter().map(|(_, word)| *word).collect();
                format!("`{text}` is no recipient; say one of {}", words.join(", "))
            })
    }
}

/// Asks for the evidence bundle of a recording, or of a part of it. `asker` is the account that asks;
/// it is kept, sealed, with the decision ([`Archive::accesses`]).
///
/// Errors: [`ArchiveError::Bundle`] where the part fits no such recording; then the law was not asked.
pub fn bundle(
    archive: &Archive,
    id: RecordingId,
    asker: &Pii<String>,
    recipient: Recipient,
    part: Option<&PartRequest>,
    now: Timestamp,
) -> Result<Asked<GivenCopy>, ArchiveError> {
    let plan = match part {
        Some(part) => plan(archive, id, part)?,
        None => None,
    };
    let facts = recipient.facts();
    let answer = archive.ask_for_copy(id, recipient.action(), asker, &facts, now)?;
    match answer.verdict {
        Verdict::Permit(permit) => Ok(Asked::Given(GivenCopy {
            bundle: archive.export(permit, plan.as_ref(), now)?,
            decision: Box::new(answer.decision),
        })),
        Verdict::Refusal(_) => Ok(Asked::Refused {
            id: answer.id,
            decision: Box::new(answer.decision),
        }),
    }
}

/// Asks for a recording, or a part of it, as a vCon with the sound in it. As [`bundle`] in all else: it is
/// a copy, whatever its form.
pub fn vcon(
    archive: &Archive,
    id: RecordingId,
    asker: &Pii<String>,
    recipient: Recipient,
    part: Option<&PartRequest>,
    form: VconForm,
    now: Timestamp,
) -> Result<Asked<GivenVcon>, ArchiveError> {
    let plan = match part {
        Some(part) => plan(archive, id, part)?,
        None => None,
    };
    let facts = recipient.facts();
    let answer = archive.ask_for_copy(id, recipient.action(), asker, &facts, now)?;
    match answer.verdict {
        Verdict::Permit(permit) => Ok(Asked::Given(GivenVcon {
            vcon: archive.export_vcon(permit, plan.as_ref(), form, now)?,
            decision: Box::new(answer.decision),
        })),
        Verdict::Refusal(_) => Ok(Asked::Refused {
            id: answer.id,
            decision: Box::new(answer.decision),
        }),
    }
}

/// Asks for the file that a recording was imported from, byte for byte. As [`bundle`] in all else: it is a copy.
///
/// Errors: [`ArchiveError::NoFile`] where it was not imported.
pub fn file(
    archive: &Archive,
    id: RecordingId,
    asker: &Pii<String>,
    recipient: Recipient,
    now: Timestamp,
) -> Result<Asked<GivenFile>, ArchiveError> {
    let facts = recipient.facts();
    let answer = archive.ask_for_copy(id, recipient.action(), asker, &facts, now)?;
    match answer.verdict {
        Verdict::Permit(permit) => Ok(Asked::Given(GivenFile {
            file: archive.export_file(permit, now)?,
            decision: Box::new(answer.decision),
        })),
        Verdict::Refusal(_) => Ok(Asked::Refused {
            id: answer.id,
            decision: Box::new(answer.decision),
        }),
    }
}

/// Where there is no timeline there is no recording either, and asking for the copy says so.
fn plan(
    archive: &Archive,
    id: RecordingId,
    part: &PartRequest,
) -> Result<Option<Plan>, ArchiveError> {
    let timeline = archive.detail(id)?.timeline;
    let plan = timeline.map(|timeline| part.plan(&timeline)).transpose();
    plan.map_err(|error| ArchiveError::Bundle {
        id,
        source: BundleError::Part(error),
    })
}
