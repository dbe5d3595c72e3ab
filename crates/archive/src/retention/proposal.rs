//! A second person: somebody asks to destroy, the law refuses because that person is alone, and another account
//! confirms or declines.
//!
//! Whether a second person is needed is the law's answer, which house rules can make graver; nothing here knows it. The
//! fact that it is told, `second_person`, is found here and nowhere else: true only while a proposal of one account
//! stands that another one confirmed, by the names that are sealed with it. Where the row says confirmed and those names
//! do not open, the fact is false: what cannot be read is never the end of a term. A confirmation cannot be taken back, so the
//! permit that rests on it needs no second look; what stops it is a hold, at which storage looks once more.

use super::hold::{opened, text};
use crate::error::Doing;
use crate::gate::is_held;
use crate::{Archive, ArchiveError, random};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use voicelog_evidence::Digest;
use voicelog_evidence::canonical::canonical_json;
use voicelog_evidence::digest::sha256;
use voicelog_evidence::key::{DataKey, seal_bytes};
use voicelog_evidence::tlog::{LeafKind, commitment};
use voicelog_law::Facts;
use voicelog_model::{Action, Pii, ProposalId, RecordingId, Scope, Timestamp};
use voicelog_store::StoreError;
use voicelog_store::index::{NewAnswer, NewProposal, ProposalRow, State};

/// Longest reason of a proposal, and of an answer, in characters.
pub const PROPOSAL_REASON_CHARS_MAX: usize = 1_000;
/// How long a proposal stands, in microseconds: seven days.
pub const PROPOSAL_STANDS_MICROS: i64 = 7 * 86_400 * 1_000_000;
/// Proposals that a list gives at most.
const LISTED_MAX: usize = 1_000;
/// The fact that the law is told.
const SECOND_PERSON: &str = "second_person";

/// How it stands with a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProposalState {
    /// Nobody has answered.
    Open,
    /// A second person has confirmed, and it is not carried out.
    Confirmed,
    /// Somebody declined it, or who made it withdrew it.
    Declined,
    /// Its time is over: it can be used no more.
    Lapsed,
}

/// A proposal to destroy, without what only the recording's key opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Its id.
    pub id: ProposalId,
    /// What is to be destroyed.
    pub recording: RecordingId,
    /// When it was made.
    pub made_at: Timestamp,
    /// From when on it can be used no more.
    pub stands_until: Timestamp,
    /// When it was answered, and whether it was confirmed.
    pub answered: Option<(Timestamp, bool)>,
}

impl Proposal {
    /// How it stands with it.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> ProposalState {
        match self.answered {
            Some((_at, false)) => ProposalState::Declined,
            _ if self.stands_until <= now => ProposalState::Lapsed,
            Some((_at, true)) => ProposalState::Confirmed,
            None => ProposalState::Open,
        }
    }
}

/// What is sealed of a proposal. Names people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalDetails {
    /// Who asked.
    pub by: Pii<String>,
    /// Why.
    pub reason: Pii<String>,
    /// Who answered, and why if they said so.
    pub answer: Option<(Pii<String>, Option<Pii<String>>)>,
}

/// A proposal with what is sealed of it, as far as that opens here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenProposal {
    /// What stands in the open.
    pub proposal: Proposal,
    /// What is sealed; none where the key is lost or not here, or the row was changed.
    pub details: Option<ProposalDetails>,
}

/// What the row holds sealed, and what the leaf commits to.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SealedProposal {
    proposal: ProposalId,
    recording: RecordingId,
    made_at: Timestamp,
    stands_until: Timestamp,
    reason: Pii<String>,
    by: Pii<String>,
    salt: [u8; 32],
}

/// The same of the answer.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SealedAnswer {
    proposal: ProposalId,
    recording: RecordingId,
    at: Timestamp,
    is_confirmed: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<Pii<String>>,
    by: Pii<String>,
    salt: [u8; 32],
}

/// What the proposals about a recording prove of a second person.
#[derive(Debug)]
pub(crate) enum Confirmation {
    /// Nobody has confirmed one that stands.
    Absent,
    /// A row says confirmed, and no two people can be read in it; why.
    Unproven(ArchiveError),
    /// Another account has confirmed what this one asked.
    Proven(Pii<String>),
}

fn proposal_label(id: ProposalId) -> String {
    format!("proposal {id}")
}

fn answer_label(id: ProposalId) -> String {
    format!("proposal answer {id}")
}

fn reason(value: &Pii<String>) -> Result<Pii<String>, ArchiveError> {
    text(value, PROPOSAL_REASON_CHARS_MAX).ok_or(ArchiveError::BadProposal(
        "a proposal is made or declined for a reason, in at most 1,000 characters",
    ))
}

impl Archive {
    /// Adds to the facts for destroying what nobody can tell: whether a second person has confirmed.
    pub(crate) fn gather_second_person(
        &self,
        id: RecordingId,
        is_asked: bool,
        facts: &mut Map<String, Value>,
        now: Timestamp,
    ) -> Result<Confirmation, ArchiveError> {
        let found = self.confirmation(id, now)?;
        let is_proven = matches!(found, Confirmation::Proven(_));
        // At the end of a term nobody asks, and nothing is said.
        if is_asked || !matches!(found, Confirmation::Absent) {
            facts.insert(SECOND_PERSON.into(), json!(is_proven));
        }
        Ok(found)
    }

    /// What the proposals about a recording that stand prove. One that does not open, or names one person twice, proves
    /// nothing; `check` names it.
    fn confirmation(&self, id: RecordingId, now: Timestamp) -> Result<Confirmation, ArchiveError> {
        let mut rows = self.proposal_rows(id)?;
        rows.retain(|row| proposal_of(row).state(now) == ProposalState::Confirmed);
        let Some(first) = rows.first() else {
            return Ok(Confirmation::Absent);
        };
        let own = self.data_key(id);
        let keys = self.hold_keys(&own);
        let asked = rows.iter().find_map(|row| {
            let details = details(&keys, row).ok()?;
            let (second, _reason) = details.answer?;
            (second.expose() != details.by.expose()).then_some(details.by)
        });
        let unproven = damaged(first.proposal.id);
        Ok(match asked {
            Some(by) => Confirmation::Proven(by),
            None => Confirmation::Unproven(own.err().unwrap_or(unproven)),
        })
    }

    /// Whether one person alone may not destroy a recording, and may with a second one. Nothing is kept or logged, and no
    /// permit comes of it.
    pub fn needs_second_person(
        &self,
        id: RecordingId,
        now: Timestamp,
    ) -> Result<bool, ArchiveError> {
        let mut facts = self.destroy_facts(id, Scope::Whole)?;
        if is_held(&facts) {
            return Ok(false);
        }
        let rules = self.rulebook_at(now)?;
        let mut may = |second: bool| {
            facts.insert(SECOND_PERSON.into(), json!(second));
            let checked = Facts::from_map(&facts, now).map_err(ArchiveError::Facts)?;
            let decision = voicelog_law::decide_without_unknown(&rules, &checked, now);
            Ok::<_, ArchiveError>(self.refusal(Action::Destroy, &decision).is_none())
        };
        Ok(!may(false)? && may(true)?)
    }

    /// Puts the destruction of a recording to a second person: from when this returns another account can confirm it, for
    /// seven days.
    ///
    /// Errors: a second person is not needed, or would not be enough; one stands already; no reason; `by` is no account.
    pub fn propose(
        &self,
        recording: RecordingId,
        why: &Pii<String>,
        by: &Pii<String>,
        now: Timestamp,
    ) -> Result<Proposal, ArchiveError> {
        let why = reason(why)?;
        if !self.needs_second_person(recording, now)? {
            return Err(ArchiveError::BadProposal(
                "a second person is not needed to destroy it, or would not be enough",
            ));
        }
        let id = ProposalId::new(now, random::bytes()?);
        let content = SealedProposal {
            proposal: id,
            recording,
            made_at: now,
            stands_until: now.plus_micros(PROPOSAL_STANDS_MICROS),
            reason: why,
            by: by.clone(),
            salt: random::bytes()?,
        };
        let bytes = canonical_json(&content)?;
        let object = recording.to_string();
        let leaf = self.leaf(
            LeafKind::Proposed,
            &object,
            &content.salt,
            &sha256(&bytes),
            now,
        )?;
        let new = NewProposal {
            id,
            recording,
            made_at: now,
            stands_until: content.stands_until,
            sealed: self.seal_for(recording, &proposal_label(id), &bytes)?,
        };
        self.index
            .propose(&new, by.expose(), &leaf)
            .doing("keeping a proposal")?;
        self.sequence()?;
        Ok(proposal_of(&ProposalRow {
            proposal: new,
            answer: None,
        }))
    }

    /// A second person confirms a proposal: durable, with its leaf, before anything is destroyed. The destruction is a
    /// question of its own, with the holds of that moment.
    ///
    /// Errors: [`ArchiveError::SamePerson`]; [`ArchiveError::ProposalOver`]; `by` is no account; what is sealed of it
    /// does not open.
    pub fn confirm(
        &self,
        id: ProposalId,
        by: &Pii<String>,
        now: Timestamp,
    ) -> Result<Proposal, ArchiveError> {
        let row = self.proposal_row(id)?;
        let own = self.data_key(row.proposal.recording);
        let details = details(&self.hold_keys(&own), &row)?;
        if details.by.expose() == by.expose() {
            return Err(ArchiveError::SamePerson);
        }
        self.answer_proposal(&row, true, None, by, now)
    }

    /// Declines a proposal, or withdraws it: nothing is destroyed by it any more.
    ///
    /// Errors: no reason; [`ArchiveError::ProposalOver`]; `by` is no account.
    pub fn decline(
        &self,
        id: ProposalId,
        why: &Pii<String>,
        by: &Pii<String>,
        now: Timestamp,
    ) -> Result<Proposal, ArchiveError> {
        let why = reason(why)?;
        let row = self.proposal_row(id)?;
        self.answer_proposal(&row, false, Some(why), by, now)
    }

    fn answer_proposal(
        &self,
        row: &ProposalRow,
        is_confirmed: bool,
        reason: Option<Pii<String>>,
        by: &Pii<String>,
        now: Timestamp,
    ) -> Result<Proposal, ArchiveError> {
        let NewProposal { id, recording, .. } = row.proposal;
        let content = SealedAnswer {
            proposal: id,
            recording,
            at: now,
            is_confirmed,
            reason,
            by: by.clone(),
            salt: random::bytes()?,
        };
        let bytes = canonical_json(&content)?;
        let kind = match is_confirmed {
            true => LeafKind::Confirmed,
            false => LeafKind::Declined,
        };
        let object = recording.to_string();
        let leaf = self.leaf(kind, &object, &content.salt, &sha256(&bytes), now)?;
        let answer = NewAnswer {
            proposal: id,
            at: now,
            is_confirmed,
            sealed: self.seal_for(recording, &answer_label(id), &bytes)?,
        };
        let is_kept = self
            .index
            .answer_proposal(&answer, by.expose(), &leaf)
            .doing("answering a proposal")?;
        if !is_kept {
            return Err(ArchiveError::ProposalOver(id));
        }
        self.sequence()?;
        Ok(proposal_of(&ProposalRow {
            proposal: row.proposal.clone(),
            answer: Some(answer),
        }))
    }

    /// One proposal, with what is sealed of it. Names people.
    pub fn proposal_opened(&self, id: ProposalId) -> Result<OpenProposal, ArchiveError> {
        let row = self.proposal_row(id)?;
        let own = self.data_key(row.proposal.recording);
        Ok(open(&self.hold_keys(&own), &row))
    }

    /// Every proposal about a recording, oldest first, with what is sealed of it. Names people. None once it is destroyed.
    pub fn proposals_opened(
        &self,
        recording: RecordingId,
    ) -> Result<Vec<OpenProposal>, ArchiveError> {
        let rows = self.proposal_rows(recording)?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let own = self.data_key(recording);
        let keys = self.hold_keys(&own);
        Ok(rows.iter().map(|row| open(&keys, row)).collect())
    }

    /// Proposals that stand, answered by nobody or confirmed and not carried out; the one that lapses first at the top.
    pub fn proposals_standing(&self, now: Timestamp) -> Result<Vec<Proposal>, ArchiveError> {
        let rows = self.index.proposals_standing(now, LISTED_MAX);
        let rows = rows.doing("listing proposals")?;
        Ok(rows.iter().map(proposal_of).collect())
    }

    /// Recordings whose proposal is confirmed and was not carried out, as after a crash; not those about which the law is
    /// asked later. At most so many.
    pub fn confirmed_proposals(
        &self,
        now: Timestamp,
        most: usize,
    ) -> Result<Vec<RecordingId>, ArchiveError> {
        self.index
            .confirmed_proposals(now, most)
            .doing("looking for confirmed proposals")
    }

    /// What the leaves of every proposal about a recording must commit to; the id of one that does not open, or says
    /// something else than its row. Nothing where the key does not open, or the recording is being destroyed.
    pub(crate) fn proposal_leaves(
        &self,
        recording: RecordingId,
        state: State,
    ) -> Result<Vec<Result<Vec<Digest>, ProposalId>>, ArchiveError> {
        let rows = self.proposal_rows(recording)?;
        if rows.is_empty() || matches!(state, State::Destroying | State::Destroyed) {
            return Ok(Vec::new());
        }
        let own = self.data_key(recording);
        let keys = self.hold_keys(&own);
        let leaves = |row: &ProposalRow| leaves_of(&keys, row).map_err(|_damaged| row.proposal.id);
        let all = rows.iter().map(leaves);
        Ok(all.filter(|found| found.is_ok() || own.is_ok()).collect())
    }

    fn seal_for(
        &self,
        recording: RecordingId,
        label: &str,
        bytes: &[u8],
    ) -> Result<Vec<u8>, ArchiveError> {
        let own = self.data_key(recording).ok();
        let (key, nonce) = (self.hold_key(own.as_ref()), random::bytes()?);
        Ok(seal_bytes(key, label, recording, nonce, bytes))
    }

    fn proposal_rows(&self, recording: RecordingId) -> Result<Vec<ProposalRow>, ArchiveError> {
        let rows = self.index.proposals_of(recording);
        rows.doing("looking for proposals")
    }

    fn proposal_row(&self, id: ProposalId) -> Result<ProposalRow, ArchiveError> {
        self.index
            .proposal(id)
            .doing("reading a proposal")?
            .ok_or(ArchiveError::NoProposal(id))
    }
}

impl ArchiveError {
    /// Whether a proposal for this recording stands already.
    #[must_use]
    pub const fn is_proposed_already(&self) -> bool {
        matches!(
            self,
            Self::Store {
                source: StoreError::Exists { .. },
                ..
            }
        )
    }
}

fn proposal_of(row: &ProposalRow) -> Proposal {
    let answer = row.answer.as_ref();
    Proposal {
        id: row.proposal.id,
        recording: row.proposal.recording,
        made_at: row.proposal.made_at,
        stands_until: row.proposal.stands_until,
        answered: answer.map(|answer| (answer.at, answer.is_confirmed)),
    }
}

fn open(keys: &[&DataKey], row: &ProposalRow) -> OpenProposal {
    OpenProposal {
        proposal: proposal_of(row),
        details: details(keys, row).ok(),
    }
}

/// Opens what is sealed, and holds it against what stands in the open.
fn details(keys: &[&DataKey], row: &ProposalRow) -> Result<ProposalDetails, ArchiveError> {
    let (made, _bytes) = made(keys, row)?;
    let answer = answered(keys, row)?;
    Ok(ProposalDetails {
        by: made.by,
        reason: made.reason,
        answer: answer.map(|(answer, _bytes)| (answer.by, answer.reason)),
    })
}

fn leaves_of(keys: &[&DataKey], row: &ProposalRow) -> Result<Vec<Digest>, ArchiveError> {
    let (made, bytes) = made(keys, row)?;
    let mut leaves = vec![commitment(&made.salt, &sha256(&bytes))];
    if let Some((answer, bytes)) = answered(keys, row)? {
        leaves.push(commitment(&answer.salt, &sha256(&bytes)));
    }
    Ok(leaves)
}

fn made(keys: &[&DataKey], row: &ProposalRow) -> Result<(SealedProposal, Vec<u8>), ArchiveError> {
    let NewProposal { id, recording, .. } = row.proposal;
    let sealed = &row.proposal.sealed;
    let bytes = opened(keys, &proposal_label(id), recording, sealed).ok_or_else(|| damaged(id))?;
    let content: SealedProposal = serde_json::from_slice(&bytes).map_err(|_text| damaged(id))?;
    let is_the_row = content.proposal == id
        && content.recording == recording
        && content.made_at == row.proposal.made_at
        && content.stands_until == row.proposal.stands_until;
    is_the_row
        .then_some((content, bytes))
        .ok_or_else(|| damaged(id))
}

fn answered(
    keys: &[&DataKey],
    row: &ProposalRow,
) -> Result<Option<(SealedAnswer, Vec<u8>)>, ArchiveError> {
    let NewProposal { id, recording, .. } = row.proposal;
    let Some(answer) = &row.answer else {
        return Ok(None);
    };
    let sealed = &answer.sealed;
    let bytes = opened(keys, &answer_label(id), recording, sealed).ok_or_else(|| damaged(id))?;
    let content: SealedAnswer = serde_json::from_slice(&bytes).map_err(|_text| damaged(id))?;
    let is_the_row = content.proposal == id
        && content.recording == recording
        && content.at == answer.at
        && content.is_confirmed == answer.is_confirmed;
    is_the_row
        .then_some(Some((content, bytes)))
        .ok_or_else(|| damaged(id))
}

fn damaged(id: ProposalId) -> ArchiveError {
    ArchiveError::Corrupt {
        what: format!("proposal {id}"),
    }
}
