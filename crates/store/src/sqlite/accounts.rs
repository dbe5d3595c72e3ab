//! Accounts, logins, the set-up token.

use super::values::{Columns as _, first, run};
use super::{SqliteIndex, sql};
use crate::StoreError;
use crate::index::{Account, Accounts, Hash, Login};
use rusqlite::Savepoint;
use voicelog_model::Timestamp;

impl Accounts for SqliteIndex {
    fn insert_account(&self, account: &Account) -> Result<(), StoreError> {
        self.write("insert an account", |transaction| {
            if insert(transaction, account)? {
                return Ok(());
            }
            // A name is personal data: the message does not repeat it.
            Err(StoreError::Exists {
                noun: "account",
                id: "of that name".to_owned(),
            }
            .into())
        })
    }

    fn account(&self, name: &str) -> Result<Option<Account>, StoreError> {
        self.read("read an account", |connection| {
            Ok(first(connection, sql::ACCOUNT, [name], |row| {
                Ok(Account {
                    name: row.get(0)?,
                    password_hash: row.get(1)?,
                    role: row.get(2)?,
                    created_at: row.moment(3)?,
                })
            })?)
        })
    }

    fn account_count(&self) -> Result<u64, StoreError> {
        self.read("count accounts", |connection| {
            let count = first(connection, sql::ACCOUNT_COUNT, [], |row| row.count(0))?;
            Ok(count.unwrap_or(0))
        })
    }

    fn insert_login(&self, login: &Login, now: Timestamp) -> Result<(), StoreError> {
        self.write("insert a login", |transaction| {
            run(transaction, sql::DELETE_OLD_LOGINS, [now.micros()])?;
            let values = (
                login.token_hash,
                &login.account,
                login.csrf,
                login.expires_at.micros(),
            );
            run(transaction, sql::INSERT_LOGIN, values)?;
            Ok(())
        })
    }

    fn login(&self, token_hash: &Hash, now: Timestamp) -> Result<Option<Login>, StoreError> {
        self.read("read a login", |connection| {
            Ok(first(
                connection,
                sql::LOGIN,
                (token_hash, now.micros()),
                |row| {
                    Ok(Login {
                        token_hash: row.get(0)?,
                        account: row.get(1)?,
                        csrf: row.get(2)?,
                        expires_at: row.moment(3)?,
                    })
                },
            )?)
        })
    }

    fn delete_login(&self, token_hash: &Hash) -> Result<(), StoreError> {
        self.write("end a login", |transaction| {
            run(transaction, sql::DELETE_LOGIN, [token_hash])?;
            Ok(())
        })
    }

    fn set_setup_token(&self, hash: &Hash, expires_at: Timestamp) -> Result<(), StoreError> {
        self.write("set the set-up token", |transaction| {
            run(
                transaction,
                sql::SET_SETUP_TOKEN,
                (hash, expires_at.micros()),
            )?;
            Ok(())
        })
    }

    fn setup_token_works(&self, hash: &Hash, now: Timestamp) -> Result<bool, StoreError> {
        self.read("look at the set-up token", |connection| {
            let values = (hash, now.micros());
            let found = first(connection, sql::SETUP_TOKEN_WORKS, values, |row| {
                row.get::<_, i64>(0)
            })?;
            Ok(found.is_some())
        })
    }

    fn claim_first_account(
        &self,
        hash: &Hash,
        account: &Account,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write("make the first account", |transaction| {
            Ok(take(transaction, hash, now)? && insert(transaction, account)?)
        })
    }
}

fn take(transaction: &Savepoint<'_>, hash: &Hash, now: Timestamp) -> rusqlite::Result<bool> {
    Ok(run(transaction, sql::TAKE_SETUP_TOKEN, (hash, now.micros()))? > 0)
}

/// False if the name is taken.
fn insert(transaction: &Savepoint<'_>, account: &Account) -> rusqlite::Result<bool> {
    let values = (
        &account.name,
        &account.password_hash,
        &account.role,
        account.created_at.micros(),
    );
    Ok(run(transaction, sql::INSERT_ACCOUNT, values)? > 0)
}
