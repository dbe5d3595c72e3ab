//! Decisions.

use super::recordings::{not_now, state_of};
use super::values::{Columns as _, Fail, first, insert_erasable, rows, run};
use super::{SqliteIndex, log, sql};
use crate::StoreError;
use crate::index::{DecisionRow, Decisions, PendingLeaf, State};
use rusqlite::types::Type;
use rusqlite::{Connection, Row, Savepoint};
use voicelog_model::{Action, DecisionId, RecordingId};

impl Decisions for SqliteIndex {
    fn insert_decision(
        &self,
        decision: &DecisionRow,
        leaf: Option<&PendingLeaf>,
    ) -> Result<(), StoreError> {
        self.write("insert a decision", |transaction| {
            insert(transaction, decision, leaf)
        })
    }

    fn insert_decisions(&self, decisions: &[(DecisionRow, PendingLeaf)]) -> Result<(), StoreError> {
        self.write("insert decisions", |transaction| {
            decisions
                .iter()
                .try_for_each(|(decision, leaf)| insert(transaction, decision, Some(leaf)))
        })
    }

    fn decision(&self, id: DecisionId) -> Result<Option<DecisionRow>, StoreError> {
        self.read("read a decision", |connection| one(connection, id))
    }

    fn decisions_of(&self, recording: RecordingId) -> Result<Vec<DecisionRow>, StoreError> {
        self.read("list decisions", |connection| {
            Ok(rows(
                connection,
                sql::DECISIONS_OF,
                [recording.as_bytes()],
                read_row,
            )?)
        })
    }
}

fn insert(
    transaction: &Savepoint<'_>,
    decision: &DecisionRow,
    leaf: Option<&PendingLeaf>,
) -> Result<(), Fail> {
    if let Some(recording) = decision.recording
        && !decision.sealed_facts.is_empty()
        && state_of(transaction, recording)? == Some(State::Destroyed)
    {
        let act = "get sealed facts that nothing would wipe";
        return Err(not_now(recording, State::Destroyed, act).into());
    }
    let facts = insert_erasable(transaction, &decision.sealed_facts)?;
    let values = (
        decision.id.as_bytes(),
        decision.at.micros(),
        decision.action.as_str(),
        &decision.outcome,
        decision.recording.as_ref().map(RecordingId::as_bytes),
        &decision.document,
        facts,
        leaf.map(|leaf| leaf.id),
    );
    run(transaction, sql::INSERT_DECISION, values)?;
    match leaf {
        Some(leaf) => log::queue(transaction, leaf),
        None => Ok(()),
    }
}

pub(super) fn one(connection: &Connection, id: DecisionId) -> Result<Option<DecisionRow>, Fail> {
    Ok(first(connection, sql::DECISION, [id.as_bytes()], read_row)?)
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<DecisionRow> {
    let word: String = row.get(2)?;
    let action = Action::ALL
        .into_iter()
        .find(|action| action.as_str() == word)
        .ok_or_else(|| {
            let why = format!("`{word}` is not an act that this program knows");
            rusqlite::Error::FromSqlConversionFailure(2, Type::Text, why.into())
        })?;
    Ok(DecisionRow {
        id: row.decision(0)?,
        at: row.moment(1)?,
        action,
        outcome: row.get(3)?,
        recording: row
            .get::<_, Option<[u8; 16]>>(4)?
            .map(RecordingId::from_bytes),
        document: row.get(5)?,
        sealed_facts: row.sealed(6)?,
        leaf: row.get(7)?,
    })
}
