//! Proposals to destroy.

use super::accounts::require_account;
use super::recordings::{not_now, require_state};
use super::values::{Columns as _, Fail, first, insert_erasable, limit, rows, run};
use super::{SqliteIndex, log, sql};
use crate::StoreError;
use crate::index::{NewAnswer, NewProposal, PendingLeaf, ProposalRow, Proposals, State};
use rusqlite::{Connection, Row, Savepoint};
use voicelog_model::{ProposalId, RecordingId, Timestamp};

impl Proposals for SqliteIndex {
    fn propose(
        &self,
        proposal: &NewProposal,
        by: &str,
        leaf: &PendingLeaf,
    ) -> Result<(), StoreError> {
        self.write("keep a proposal", |transaction| {
            require_account(transaction, by)?;
            let recording = proposal.recording;
            require_kept(transaction, recording, "be proposed for destruction")?;
            let values = (proposal.made_at.micros(), recording.as_bytes());
            let standing = first(transaction, sql::HAS_STANDING_PROPOSAL, values, |_row| {
                Ok(())
            })?;
            if standing.is_some() {
                return Err(StoreError::Exists {
                    noun: "proposal",
                    id: format!("for recording {recording}"),
                }
                .into());
            }
            let sealed = insert_erasable(transaction, &proposal.sealed)?;
            let values = (
                proposal.id.as_bytes(),
                recording.as_bytes(),
                proposal.made_at.micros(),
                proposal.stands_until.micros(),
                sealed,
            );
            run(transaction, sql::INSERT_PROPOSAL, values)?;
            log::queue(transaction, leaf)
        })
    }

    fn answer_proposal(
        &self,
        answer: &NewAnswer,
        by: &str,
        leaf: &PendingLeaf,
    ) -> Result<bool, StoreError> {
        self.write("answer a proposal", |transaction| {
            require_account(transaction, by)?;
            let present = one(transaction, answer.proposal)?.ok_or_else(|| {
                Fail::from(StoreError::NotFound {
                    noun: "proposal",
                    id: answer.proposal.to_string(),
                })
            })?;
            let recording = present.proposal.recording;
            require_kept(transaction, recording, "be destroyed by a proposal")?;
            let is_open = present.answer.is_none() && answer.at < present.proposal.stands_until;
            if !is_open {
                return Ok(false);
            }
            let sealed = insert_erasable(transaction, &answer.sealed)?;
            let values = (
                answer.proposal.as_bytes(),
                answer.at.micros(),
                answer.is_confirmed,
                sealed,
            );
            run(transaction, sql::ANSWER_PROPOSAL, values)?;
            if answer.is_confirmed {
                let again = (recording.as_bytes(), None::<i64>);
                run(transaction, sql::ASK_AGAIN, again)?;
            }
            log::queue(transaction, leaf)?;
            Ok(true)
        })
    }

    fn proposal(&self, id: ProposalId) -> Result<Option<ProposalRow>, StoreError> {
        self.read("read a proposal", |connection| one(connection, id))
    }

    fn proposals_of(&self, recording: RecordingId) -> Result<Vec<ProposalRow>, StoreError> {
        self.read("list proposals", |connection| {
            let id = recording.as_bytes();
            Ok(rows(connection, sql::PROPOSALS_OF, [id], read_row)?)
        })
    }

    fn proposals_standing(
        &self,
        now: Timestamp,
        rows_max: usize,
    ) -> Result<Vec<ProposalRow>, StoreError> {
        self.read("list proposals", |connection| {
            let values = (now.micros(), limit(rows_max));
            Ok(rows(connection, sql::PROPOSALS_STANDING, values, read_row)?)
        })
    }

    fn confirmed_proposals(
        &self,
        now: Timestamp,
        rows_max: usize,
    ) -> Result<Vec<RecordingId>, StoreError> {
        self.read("list confirmed proposals", |connection| {
            let values = (now.micros(), limit(rows_max));
            Ok(rows(connection, sql::CONFIRMED_PROPOSALS, values, |row| {
                row.recording(0)
            })?)
        })
    }
}

fn require_kept(
    transaction: &Savepoint<'_>,
    id: RecordingId,
    act: &'static str,
) -> Result<(), Fail> {
    match require_state(transaction, id)? {
        State::Sealed | State::WithoutSound => Ok(()),
        state => Err(not_now(id, state, act).into()),
    }
}

fn one(connection: &Connection, id: ProposalId) -> Result<Option<ProposalRow>, Fail> {
    Ok(first(connection, sql::PROPOSAL, [id.as_bytes()], read_row)?)
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<ProposalRow> {
    let id = row.get(0).map(ProposalId::from_bytes)?;
    let answer = match (row.moment_or_none(5)?, row.get::<_, Option<bool>>(6)?) {
        (Some(at), Some(is_confirmed)) => Some(NewAnswer {
            proposal: id,
            at,
            is_confirmed,
            sealed: row.sealed(7)?,
        }),
        (_, _) => None,
    };
    Ok(ProposalRow {
        proposal: NewProposal {
            id,
            recording: row.recording(1)?,
            made_at: row.moment(2)?,
            stands_until: row.moment(3)?,
            sealed: row.sealed(4)?,
        },
        answer,
    })
}
