//! Which recordings are parts of one conversation.

use super::recordings::{read_row, require_not_ending, require_state};
use super::values::{Fail, first, insert_erasable, limit, rows, run};
use super::{SqliteIndex, sql};
use crate::StoreError;
use crate::index::{Conversations, JoinedBy, LinkKey, LinkedRow, Part, RecordingRow};
use rusqlite::{Connection, Savepoint};
use voicelog_model::{RecordingId, Timestamp};

impl Conversations for SqliteIndex {
    fn note_call(
        &self,
        id: RecordingId,
        keys: &[(LinkKey, String)],
        report: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        self.write("note what was told of a call", |transaction| {
            require_not_ending(transaction, id, "be changed")?;
            for (key, kind) in keys {
                run(transaction, sql::ADD_LINK_KEY, (key, id.as_bytes(), kind))?;
            }
            let Some(report) = report else {
                return Ok(());
            };
            let old = first(transaction, sql::REPORT_OF, [id.as_bytes()], |row| {
                row.get::<_, Option<i64>>(0)
            })?;
            if let Some(old) = old.flatten() {
                run(transaction, sql::WIPE, [old])?;
            }
            let new = insert_erasable(transaction, report)?;
            run(transaction, sql::SET_REPORT, (id.as_bytes(), new))?;
            Ok(())
        })
    }

    fn linked(&self, keys: &[LinkKey], rows_max: usize) -> Result<Vec<LinkedRow>, StoreError> {
        self.read("look for linked recordings", |connection| {
            let mut all = Vec::new();
            for key in keys {
                let values = (key, limit(rows_max));
                for recording in rows(connection, sql::LINKED, values, read_row)? {
                    let of = (key, recording.id.as_bytes());
                    let kind = first(connection, sql::LINK_KIND, of, |row| row.get(0))?;
                    all.push(LinkedRow {
                        key: *key,
                        kind: kind.unwrap_or_default(),
                        recording,
                    });
                }
            }
            Ok(all)
        })
    }

    fn join(&self, id: RecordingId, other: RecordingId, by: &JoinedBy) -> Result<(), StoreError> {
        self.write("join two recordings", |transaction| {
            require_state(transaction, id)?;
            require_state(transaction, other)?;
            let own = part_of(transaction, id)?;
            let conversation = match part_of(transaction, other)? {
                Some(part) => part.conversation,
                None => {
                    let word = &by.word;
                    set_part(transaction, other, other, (word, false))?;
                    other
                }
            };
            let (word, is_copy) = match &own {
                Some(part) => (&part.linked_by, part.is_copy || by.is_copy),
                None => (&by.word, by.is_copy),
            };
            set_part(transaction, id, conversation, (word, is_copy))?;
            if let Some(part) = own.filter(|part| part.conversation != conversation) {
                let values = (part.conversation.as_bytes(), conversation.as_bytes());
                run(transaction, sql::MOVE_PARTS, values)?;
            }
            Ok(())
        })
    }

    fn parts(
        &self,
        conversation: RecordingId,
        rows_max: usize,
    ) -> Result<Vec<RecordingRow>, StoreError> {
        self.read("list the parts of a conversation", |connection| {
            let values = (conversation.as_bytes(), limit(rows_max));
            Ok(rows(connection, sql::PARTS, values, read_row)?)
        })
    }

    fn forget_link_keys(&self, before: Timestamp) -> Result<(), StoreError> {
        self.write("forget what linked recordings", |transaction| {
            run(transaction, sql::FORGET_LINK_KEYS, [before.micros()])?;
            Ok(())
        })
    }

    fn distrust(&self, keys: &[LinkKey], at: Timestamp) -> Result<(), StoreError> {
        self.write("distrust what links recordings", |transaction| {
            for key in keys {
                run(transaction, sql::DISTRUST, (key, at.micros()))?;
            }
            Ok(())
        })
    }

    fn distrusted(&self, keys: &[LinkKey], since: Timestamp) -> Result<Vec<LinkKey>, StoreError> {
        self.read("look for what is distrusted", |connection| {
            let mut found = Vec::new();
            for key in keys {
                let values = (key, since.micros());
                if first(connection, sql::DISTRUSTED, values, |_row| Ok(()))?.is_some() {
                    found.push(*key);
                }
            }
            Ok(found)
        })
    }
}

fn part_of(connection: &Connection, id: RecordingId) -> Result<Option<Part>, Fail> {
    let part = first(connection, sql::PART_OF, [id.as_bytes()], |row| {
        let Some(conversation) = row.get(0)? else {
            return Ok(None);
        };
        Ok(Some(Part {
            conversation: RecordingId::from_bytes(conversation),
            linked_by: row.get(1)?,
            is_copy: row.get(2)?,
        }))
    })?;
    Ok(part.flatten())
}

fn set_part(
    transaction: &Savepoint<'_>,
    id: RecordingId,
    conversation: RecordingId,
    (word, is_copy): (&str, bool),
) -> Result<(), Fail> {
    let values = (id.as_bytes(), conversation.as_bytes(), word, is_copy);
    run(transaction, sql::SET_PART, values)?;
    Ok(())
}
