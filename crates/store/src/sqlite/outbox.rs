//! What is to be told to other systems.

use super::values::{Columns as _, limit, rows, run};
use super::{SqliteIndex, sql};
use crate::StoreError;
use crate::index::{MessageRow, NewMessage, Outbox, OutboxCount};
use voicelog_model::Timestamp;

impl Outbox for SqliteIndex {
    fn queue_messages(&self, messages: &[NewMessage], most: usize) -> Result<usize, StoreError> {
        self.write("queue messages", |transaction| {
            let mut left_out = 0;
            for message in messages {
                let values = (
                    message.id,
                    &message.endpoint,
                    &message.kind,
                    message.created_at.micros(),
                    &message.body,
                    i64::try_from(most).unwrap_or(i64::MAX),
                );
                left_out += usize::from(run(transaction, sql::QUEUE_MESSAGE, values)? == 0);
            }
            Ok(left_out)
        })
    }

    fn due_messages(
        &self,
        endpoint: &str,
        now: Timestamp,
        rows_max: usize,
    ) -> Result<Vec<MessageRow>, StoreError> {
        self.read("look for messages that are due", |connection| {
            let values = (endpoint, now.micros(), limit(rows_max));
            Ok(rows(connection, sql::DUE_MESSAGES, values, |row| {
                Ok(MessageRow {
                    message: NewMessage {
                        id: row.get(0)?,
                        endpoint: row.get(1)?,
                        kind: row.get(2)?,
                        created_at: row.moment(3)?,
                        body: row.get(4)?,
                    },
                    attempts: row.count(5)?,
                    next_at: row.moment_or_none(6)?,
                    fault: row.get(7)?,
                })
            })?)
        })
    }

    fn message_delivered(&self, id: &[u8; 16]) -> Result<(), StoreError> {
        self.write("take a message out", |transaction| {
            run(transaction, sql::MESSAGE_DELIVERED, [id])?;
            Ok(())
        })
    }

    fn message_failed(
        &self,
        id: &[u8; 16],
        next_at: Option<Timestamp>,
        fault: &str,
    ) -> Result<(), StoreError> {
        self.write("put a message back", |transaction| {
            let values = (id, next_at.map(Timestamp::micros), fault);
            run(transaction, sql::MESSAGE_FAILED, values)?;
            Ok(())
        })
    }

    fn outbox(&self) -> Result<Vec<OutboxCount>, StoreError> {
        self.read("count messages", |connection| {
            Ok(rows(connection, sql::OUTBOX, [], |row| {
                Ok(OutboxCount {
                    endpoint: row.get(0)?,
                    waiting: row.count(1)?,
                    dead: row.count(2)?,
                    fault: row.get(3)?,
                })
            })?)
        })
    }

    fn revive_messages(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.write("try messages again", |transaction| {
            let revived = run(transaction, sql::REVIVE_MESSAGES, [now.micros()])?;
            Ok(revived as u64)
        })
    }

    fn forget_messages(&self, before: Timestamp, endpoints: &[String]) -> Result<(), StoreError> {
        self.write("forget messages", |transaction| {
            run(transaction, sql::FORGET_DEAD_MESSAGES, [before.micros()])?;
            let known: Vec<String> = rows(transaction, sql::ENDPOINTS, [], |row| row.get(0))?;
            for endpoint in known.iter().filter(|known| !endpoints.contains(known)) {
                run(transaction, sql::FORGET_ENDPOINT, [endpoint])?;
            }
            Ok(())
        })
    }
}
