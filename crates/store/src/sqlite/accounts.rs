//! Accounts, logins, the set-up token, invitations.

use super::values::{Columns as _, Fail, first, limit, rows, run};
use super::{ROWS_MAX, SqliteIndex, log, sql};
use crate::StoreError;
use crate::index::{
    Account, Accounts, Ended, EndedAccount, Hash, Invitation, Login, NewAccount, PendingLeaf,
};
use rusqlite::{Row, Savepoint};
use voicelog_model::{InvitationId, Timestamp};

impl Accounts for SqliteIndex {
    fn account(&self, name: &str) -> Result<Option<Account>, StoreError> {
        self.read("read an account", |connection| {
            Ok(first(connection, sql::ACCOUNT, [name], read_account)?)
        })
    }

    fn list_accounts(&self) -> Result<Vec<Account>, StoreError> {
        self.read("list accounts", |connection| {
            let values = [limit(ROWS_MAX)];
            Ok(rows(connection, sql::ACCOUNTS, values, read_account)?)
        })
    }

    fn account_count(&self) -> Result<u64, StoreError> {
        self.read("count accounts", |connection| {
            let count = first(connection, sql::ACCOUNT_COUNT, [], |row| row.count(0))?;
            Ok(count.unwrap_or(0))
        })
    }

    fn tell_accounts(&self, told: &[(String, Hash, PendingLeaf)]) -> Result<(), StoreError> {
        self.write("tell the log of accounts", |transaction| {
            for (name, salt, leaf) in told {
                if run(transaction, sql::TELL_ACCOUNT, (name, salt))? > 0 {
                    log::queue(transaction, leaf)?;
                }
            }
            Ok(())
        })
    }

    fn end_account(
        &self,
        name: &str,
        ended: &Ended,
        leaf: &PendingLeaf,
    ) -> Result<EndedAccount, StoreError> {
        self.write("end an account", |transaction| {
            require_account(transaction, &ended.by)?;
            if first(transaction, sql::ACCOUNT, [name], |_row| Ok(()))?.is_none() {
                return Ok(EndedAccount::NotThere);
            }
            let open = first(transaction, sql::ACCOUNTS_OPEN, [], |row| row.count(0))?;
            if open.is_none_or(|open| open < 2) {
                return Ok(EndedAccount::IsLast);
            }
            let values = (name, ended.at.micros(), &ended.by, ended.salt);
            run(transaction, sql::END_ACCOUNT, values)?;
            // No login has an empty token.
            run(transaction, sql::DELETE_LOGINS_OF, (name, &[][..]))?;
            run(transaction, sql::DELETE_INVITATIONS_BY, [name])?;
            log::queue(transaction, leaf)?;
            Ok(EndedAccount::Done)
        })
    }

    fn set_password(
        &self,
        name: &str,
        password_hash: &str,
        login: &Hash,
    ) -> Result<bool, StoreError> {
        self.write("set a password", |transaction| {
            let is_set = run(transaction, sql::SET_PASSWORD, (name, password_hash))? > 0;
            run(transaction, sql::DELETE_LOGINS_OF, (name, login))?;
            Ok(is_set)
        })
    }

    fn insert_login(&self, login: &Login, now: Timestamp) -> Result<bool, StoreError> {
        self.write("insert a login", |transaction| {
            run(transaction, sql::DELETE_OLD_LOGINS, [now.micros()])?;
            let values = (
                login.token_hash,
                &login.account,
                login.csrf,
                login.expires_at.micros(),
            );
            let is_in = run(transaction, sql::INSERT_LOGIN, values)? > 0;
            run(transaction, sql::SIGNED_IN, (&login.account, now.micros()))?;
            Ok(is_in)
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
        account: &NewAccount,
        leaf: &PendingLeaf,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write("make the first account", |transaction| {
            let is_taken = run(transaction, sql::TAKE_SETUP_TOKEN, (hash, now.micros()))? > 0;
            Ok(is_taken && insert(transaction, account, leaf)?)
        })
    }

    fn invite(&self, invitation: &Invitation) -> Result<bool, StoreError> {
        self.write("keep an invitation", |transaction| {
            require_account(transaction, &invitation.invited_by)?;
            let now = invitation.made_at.micros();
            run(transaction, sql::DELETE_OLD_INVITATIONS, [now])?;
            let name = &invitation.name;
            if first(transaction, sql::NAME_IS_TAKEN, [name], |_row| Ok(()))?.is_some() {
                return Ok(false);
            }
            let values = (
                invitation.id.as_bytes(),
                invitation.hash,
                name,
                &invitation.invited_by,
                now,
                invitation.expires_at.micros(),
            );
            run(transaction, sql::INSERT_INVITATION, values)?;
            Ok(true)
        })
    }

    fn invitations(&self, now: Timestamp) -> Result<Vec<Invitation>, StoreError> {
        self.read("list invitations", |connection| {
            let values = (now.micros(), limit(ROWS_MAX));
            Ok(rows(connection, sql::INVITATIONS, values, read_invitation)?)
        })
    }

    fn invitation(&self, hash: &Hash, now: Timestamp) -> Result<Option<Invitation>, StoreError> {
        self.read("look at an invitation", |connection| {
            let values = (hash, now.micros());
            Ok(first(connection, sql::INVITATION, values, read_invitation)?)
        })
    }

    fn withdraw_invitation(&self, id: InvitationId) -> Result<bool, StoreError> {
        self.write("withdraw an invitation", |transaction| {
            Ok(run(transaction, sql::DELETE_INVITATION, [id.as_bytes()])? > 0)
        })
    }

    fn claim_invitation(
        &self,
        hash: &Hash,
        account: &NewAccount,
        leaf: &PendingLeaf,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write("make an invited account", |transaction| {
            let values = (hash, now.micros());
            let found = first(transaction, sql::INVITATION, values, read_invitation)?;
            let Some(found) = found.filter(|found| {
                found.name == account.name && Some(&found.invited_by) == account.invited_by.as_ref()
            }) else {
                return Ok(false);
            };
            run(transaction, sql::DELETE_INVITATION, [found.id.as_bytes()])?;
            insert(transaction, account, leaf)
        })
    }
}

/// Whether it is somebody's who may still act. A name is personal data: the error does not repeat it.
pub(super) fn require_account(transaction: &Savepoint<'_>, name: &str) -> Result<(), Fail> {
    match first(transaction, sql::ACCOUNT, [name], |_row| Ok(()))? {
        Some(()) => Ok(()),
        None => Err(StoreError::NotFound {
            noun: "account",
            id: "of that name".to_owned(),
        }
        .into()),
    }
}

/// False if the name is taken.
fn insert(
    transaction: &Savepoint<'_>,
    account: &NewAccount,
    leaf: &PendingLeaf,
) -> Result<bool, Fail> {
    let values = (
        &account.name,
        &account.password_hash,
        &account.role,
        account.created_at.micros(),
        &account.invited_by,
        account.salt,
    );
    let is_new = run(transaction, sql::INSERT_ACCOUNT, values)? > 0;
    if is_new {
        log::queue(transaction, leaf)?;
    }
    Ok(is_new)
}

fn read_account(row: &Row<'_>) -> rusqlite::Result<Account> {
    let (by, salt): (Option<String>, Option<Hash>) = (row.get(8)?, row.get(9)?);
    let ended = row.moment_or_none(7)?.map(|at| Ended {
        at,
        by: by.unwrap_or_default(),
        salt: salt.unwrap_or_default(),
    });
    Ok(Account {
        name: row.get(0)?,
        password_hash: row.get(1)?,
        role: row.get(2)?,
        created_at: row.moment(3)?,
        invited_by: row.get(4)?,
        signed_in_at: row.moment_or_none(5)?,
        salt: row.get(6)?,
        ended,
    })
}

fn read_invitation(row: &Row<'_>) -> rusqlite::Result<Invitation> {
    Ok(Invitation {
        id: row.get(0).map(InvitationId::from_bytes)?,
        hash: row.get(1)?,
        name: row.get(2)?,
        invited_by: row.get(3)?,
        made_at: row.moment(4)?,
        expires_at: row.moment(5)?,
    })
}
