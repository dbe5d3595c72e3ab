//! Accounts that are made and that end, with what the log says of it.
//!
//! The log names nobody: its entry commits, with a salt that lies in the row, to the name, the moment and who invited or
//! ended. So an account that somebody puts into the index, or takes out of it, is found by `check`.
//!
//! An index from before has accounts without a salt. The log is told of them once, at the first start: where it tells of
//! any account, a row without a salt is one that somebody put there.

use crate::error::Doing;
use crate::{Archive, ArchiveError, random};
use serde::Serialize;
use voicelog_evidence::Digest;
use voicelog_evidence::canonical::canonical_json;
use voicelog_evidence::digest::sha256;
use voicelog_evidence::tlog::{Leaf, LeafKind, commitment};
use voicelog_model::{Pii, Timestamp};
use voicelog_store::index::{Account, Ended, EndedAccount, Hash, NewAccount, PendingLeaf};

/// What entries about accounts are of: the log names no account.
const OBJECT: &str = "account";
/// Entries of the log that are read at once.
const LEAVES_READ: usize = 10_000;
/// The one role that there is: every account may do everything.
const ADMINISTRATOR: &str = "administrator";

/// What the log commits to when an account is made.
#[derive(Serialize)]
struct Made<'a> {
    name: &'a str,
    role: &'a str,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    invited_by: Option<&'a str>,
}

/// The same when it ends.
#[derive(Serialize)]
struct AtEnd<'a> {
    name: &'a str,
    ended_at: Timestamp,
    ended_by: &'a str,
}

fn hash_of(made: &Made<'_>) -> Result<[u8; 32], ArchiveError> {
    Ok(sha256(&canonical_json(made)?))
}

fn hash_of_kept(account: &Account) -> Result<[u8; 32], ArchiveError> {
    hash_of(&Made {
        name: &account.name,
        role: &account.role,
        created_at: account.created_at,
        invited_by: account.invited_by.as_deref(),
    })
}

fn at_end(name: &str, ended: &Ended) -> Result<[u8; 32], ArchiveError> {
    Ok(sha256(&canonical_json(&AtEnd {
        name,
        ended_at: ended.at,
        ended_by: &ended.by,
    })?))
}

impl Archive {
    /// Makes the first account by the set-up token with this hash; false if that can no longer be used, or there is an
    /// account.
    pub fn make_first_account(
        &self,
        token: &Hash,
        name: &Pii<String>,
        password_hash: String,
        now: Timestamp,
    ) -> Result<bool, ArchiveError> {
        let (account, leaf) = self.new_account(name, password_hash, None, now)?;
        let is_made = self
            .index
            .claim_first_account(token, &account, &leaf, now)
            .doing("making the first account")?;
        self.sequence()?;
        Ok(is_made)
    }

    /// Makes the account that somebody was invited to by the token with this hash, under the name of the invitation. Gives
    /// that name; nothing if the invitation can no longer be used.
    pub fn make_invited_account(
        &self,
        token: &Hash,
        password_hash: String,
        now: Timestamp,
    ) -> Result<Option<Pii<String>>, ArchiveError> {
        let found = self.index.invitation(token, now);
        let Some(invitation) = found.doing("looking at an invitation")? else {
            return Ok(None);
        };
        let name = Pii::new(invitation.name);
        let by = Some(invitation.invited_by);
        let (account, leaf) = self.new_account(&name, password_hash, by, now)?;
        let is_made = self
            .index
            .claim_invitation(token, &account, &leaf, now)
            .doing("making an invited account")?;
        self.sequence()?;
        Ok(is_made.then_some(name))
    }

    /// Ends an account: its logins and invitations end with it, and its name is never given again. The last account
    /// cannot be ended.
    ///
    /// Errors: `by` is no account, or no longer.
    pub fn end_account(
        &self,
        name: &Pii<String>,
        by: &Pii<String>,
        now: Timestamp,
    ) -> Result<EndedAccount, ArchiveError> {
        let ended = Ended {
            at: now,
            by: by.expose().clone(),
            salt: random::bytes()?,
        };
        let content = at_end(name.expose(), &ended)?;
        let leaf = self.leaf(LeafKind::AccountEnded, OBJECT, &ended.salt, &content, now)?;
        let came = self
            .index
            .end_account(name.expose(), &ended, &leaf)
            .doing("ending an account")?;
        self.sequence()?;
        Ok(came)
    }

    /// All accounts, by name, those that have ended last.
    pub fn list_accounts(&self) -> Result<Vec<Account>, ArchiveError> {
        self.index.list_accounts().doing("reading accounts")
    }

    /// Tells the log of accounts from before it told of any, all at once; of none where it tells of one.
    pub(crate) fn tell_of_accounts(&self, now: Timestamp) -> Result<(), ArchiveError> {
        let mut untold = self.list_accounts()?;
        untold.retain(|account| account.salt.is_none());
        // Only then is all of the log read.
        if untold.is_empty() || self.log_tells_of_accounts()? {
            return Ok(());
        }
        let mut told = Vec::new();
        for account in untold {
            let salt = random::bytes()?;
            let content = hash_of_kept(&account)?;
            let leaf = self.leaf(LeafKind::AccountMade, OBJECT, &salt, &content, now)?;
            told.push((account.name, salt, leaf));
        }
        self.index
            .tell_accounts(&told)
            .doing("telling the log of accounts")
    }

    fn log_tells_of_accounts(&self) -> Result<bool, ArchiveError> {
        let is_of_account = |bytes: &[u8]| {
            Leaf::from_bytes(bytes).is_ok_and(|leaf| leaf.kind == LeafKind::AccountMade)
        };
        // What waits first: it may get its place meanwhile, and is met there.
        let waiting = self.index.pending_leaves(usize::MAX);
        let waiting = waiting.doing("reading pending leaves")?;
        if waiting.iter().any(|leaf| is_of_account(&leaf.bytes)) {
            return Ok(true);
        }
        let mut from = 0;
        loop {
            let leaves = self.leaves(from, LEAVES_READ)?;
            if leaves.iter().any(|leaf| is_of_account(&leaf.bytes)) {
                return Ok(true);
            }
            from += leaves.len() as u64;
            if leaves.len() < LEAVES_READ {
                return Ok(false);
            }
        }
    }

    fn new_account(
        &self,
        name: &Pii<String>,
        password_hash: String,
        invited_by: Option<String>,
        now: Timestamp,
    ) -> Result<(NewAccount, PendingLeaf), ArchiveError> {
        let account = NewAccount {
            name: name.expose().clone(),
            password_hash,
            role: ADMINISTRATOR.to_owned(),
            created_at: now,
            invited_by,
            salt: random::bytes()?,
        };
        let content = hash_of(&Made {
            name: &account.name,
            role: &account.role,
            created_at: now,
            invited_by: account.invited_by.as_deref(),
        })?;
        let leaf = self.leaf(LeafKind::AccountMade, OBJECT, &account.salt, &content, now)?;
        Ok((account, leaf))
    }

    /// What the log must have of every account that there is or was; nothing of one that it was not told of yet.
    pub(crate) fn account_leaves(&self) -> Result<Vec<Option<Vec<Digest>>>, ArchiveError> {
        self.list_accounts()?.iter().map(leaves_of).collect()
    }
}

fn leaves_of(account: &Account) -> Result<Option<Vec<Digest>>, ArchiveError> {
    let Some(salt) = account.salt else {
        return Ok(None);
    };
    let mut leaves = vec![commitment(&salt, &hash_of_kept(account)?)];
    if let Some(ended) = &account.ended {
        leaves.push(commitment(&ended.salt, &at_end(&account.name, ended)?));
    }
    Ok(Some(leaves))
}
