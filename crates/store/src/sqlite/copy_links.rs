//! Links by which whoever took part fetches a copy later.

use super::recordings::require_not_ending;
use super::values::{Columns as _, Fail, first, integer, run};
use super::{SqliteIndex, sql};
use crate::StoreError;
use crate::index::{CopyLink, CopyLinks, Hash};
use rusqlite::{Connection, Row};
use voicelog_model::Timestamp;

impl CopyLinks for SqliteIndex {
    fn add_copy_links(&self, links: &[CopyLink]) -> Result<(), StoreError> {
        self.write("keep links to a copy", |transaction| {
            for link in links {
                require_not_ending(transaction, link.recording, "have a link")?;
                let values = (
                    link.key,
                    link.recording.as_bytes(),
                    &link.party,
                    link.from_us.map(integer),
                    link.to_us.map(integer),
                    link.expires_at.micros(),
                    integer(link.uses_left),
                );
                run(transaction, sql::ADD_COPY_LINK, values)?;
            }
            Ok(())
        })
    }

    fn copy_link(&self, key: &Hash, now: Timestamp) -> Result<Option<CopyLink>, StoreError> {
        self.read("look for a link to a copy", |connection| {
            find(connection, key, now)
        })
    }

    fn use_copy_link(&self, key: &Hash, now: Timestamp) -> Result<Option<CopyLink>, StoreError> {
        self.write("use a link to a copy", |transaction| {
            let found = find(transaction, key, now)?;
            if found.is_some() {
                run(transaction, sql::USE_COPY_LINK, [key])?;
            }
            Ok(found)
        })
    }

    fn forget_copy_links(&self, before: Timestamp) -> Result<(), StoreError> {
        self.write("forget links to copies", |transaction| {
            run(transaction, sql::FORGET_OLD_COPY_LINKS, [before.micros()])?;
            Ok(())
        })
    }
}

fn find(connection: &Connection, key: &Hash, now: Timestamp) -> Result<Option<CopyLink>, Fail> {
    let values = (key, now.micros());
    Ok(first(connection, sql::COPY_LINK, values, read_link)?)
}

fn read_link(row: &Row<'_>) -> rusqlite::Result<CopyLink> {
    let us = |column| {
        let value: Option<i64> = row.get(column)?;
        Ok::<_, rusqlite::Error>(value.and_then(|us| u64::try_from(us).ok()))
    };
    Ok(CopyLink {
        key: row.get(0)?,
        recording: row.recording(1)?,
        party: row.get(2)?,
        from_us: us(3)?,
        to_us: us(4)?,
        expires_at: row.moment(5)?,
        uses_left: row.count(6)?,
    })
}
