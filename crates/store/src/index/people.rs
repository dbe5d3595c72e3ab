//! Accounts with their logins and invitations, and proposals of one account that another one answers.

use super::{Hash, PendingLeaf};
use crate::StoreError;
use voicelog_model::{InvitationId, ProposalId, RecordingId, Timestamp};

/// Local accounts, logins, the one-time set-up token and invitations.
pub trait Accounts {
    /// The account of that name, if there is one and it has not ended.
    fn account(&self, name: &str) -> Result<Option<Account>, StoreError>;

    /// All accounts, by name, those that have ended last.
    fn list_accounts(&self) -> Result<Vec<Account>, StoreError>;

    /// How many accounts there are, those that have ended as well.
    fn account_count(&self) -> Result<u64, StoreError>;

    /// Notes that the log was told of accounts, each by its name and with its salt, from before it told of any, and queues
    /// the leaves: all, or none. One that was told already stays as it is, and queues nothing.
    fn tell_accounts(&self, told: &[(String, Hash, PendingLeaf)]) -> Result<(), StoreError>;

    /// Ends an account with its logins and the invitations that it made, and queues the leaf. Its name is never given
    /// again.
    fn end_account(
        &self,
        name: &str,
        ended: &Ended,
        leaf: &PendingLeaf,
    ) -> Result<EndedAccount, StoreError>;

    /// Sets the password of an account and ends its other logins; false if there is no such account.
    fn set_password(
        &self,
        name: &str,
        password_hash: &str,
        login: &Hash,
    ) -> Result<bool, StoreError>;

    /// Keeps a login and forgets those that ended before `now`. False if the account has ended, or is not there.
    fn insert_login(&self, login: &Login, now: Timestamp) -> Result<bool, StoreError>;

    /// The login with that token hash, if neither it nor its account has ended.
    fn login(&self, token_hash: &Hash, now: Timestamp) -> Result<Option<Login>, StoreError>;

    /// Ends a login. One that is not there has ended already.
    fn delete_login(&self, token_hash: &Hash) -> Result<(), StoreError>;

    /// Sets the set-up token, in place of any that was set before.
    fn set_setup_token(&self, hash: &Hash, expires_at: Timestamp) -> Result<(), StoreError>;

    /// Whether the first account can be made with this set-up token: it is the one that was set,
    /// has not ended, and there is no account. Uses nothing up.
    fn setup_token_works(&self, hash: &Hash, now: Timestamp) -> Result<bool, StoreError>;

    /// Uses the set-up token up, makes the first account and queues the leaf, in one step: all of it or nothing.
    fn claim_first_account(
        &self,
        hash: &Hash,
        account: &NewAccount,
        leaf: &PendingLeaf,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Keeps an invitation and forgets those that ended before `made_at`. False if somebody has or had that name, or
    /// is invited under it. Errors: who invites has no account, or no longer.
    fn invite(&self, invitation: &Invitation) -> Result<bool, StoreError>;

    /// Invitations that can still be used, oldest first.
    fn invitations(&self, now: Timestamp) -> Result<Vec<Invitation>, StoreError>;

    /// The invitation with that token hash, if it can still be used. Uses nothing up.
    fn invitation(&self, hash: &Hash, now: Timestamp) -> Result<Option<Invitation>, StoreError>;

    /// Withdraws an invitation; false if it was used or withdrawn before.
    fn withdraw_invitation(&self, id: InvitationId) -> Result<bool, StoreError>;

    /// Uses an invitation up, makes its account and queues the leaf, in one step: all of it or nothing. False if it
    /// can no longer be used, or is of another name.
    fn claim_invitation(
        &self,
        hash: &Hash,
        account: &NewAccount,
        leaf: &PendingLeaf,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
}

/// Proposals to destroy, each of one account for another one to answer.
pub trait Proposals {
    /// Keeps a proposal of an account and queues the leaf. Errors: [`StoreError::Exists`] if one stands for the recording;
    /// [`StoreError::State`] if it is not kept, or its destruction has begun; [`StoreError::NotFound`] if `by` is no account
    /// any more.
    fn propose(
        &self,
        proposal: &NewProposal,
        by: &str,
        leaf: &PendingLeaf,
    ) -> Result<(), StoreError>;

    /// Keeps the answer of an account and queues the leaf; where it is confirmed, what was put off of the recording is asked again. False, and nothing
    /// changed, if it was answered before or has lapsed. Errors: as [`Proposals::propose`].
    fn answer_proposal(
        &self,
        answer: &NewAnswer,
        by: &str,
        leaf: &PendingLeaf,
    ) -> Result<bool, StoreError>;

    /// The proposal, if there is one.
    fn proposal(&self, id: ProposalId) -> Result<Option<ProposalRow>, StoreError>;

    /// All proposals about a recording, oldest first.
    fn proposals_of(&self, recording: RecordingId) -> Result<Vec<ProposalRow>, StoreError>;

    /// Proposals that have not lapsed, and are not answered or are confirmed and not carried out; the one that lapses first
    /// at the top.
    fn proposals_standing(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<ProposalRow>, StoreError>;

    /// Recordings whose proposal is confirmed, has not lapsed, and is not carried out; not those about which the law is asked
    /// later.
    fn confirmed_proposals(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<RecordingId>, StoreError>;
}

/// A local account as it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// Name to sign in with.
    pub name: String,
    /// Password hash in its own text form.
    pub password_hash: String,
    /// Role, one word.
    pub role: String,
    /// When it is made.
    pub created_at: Timestamp,
    /// Whose invitation made it; nobody's the first one.
    pub invited_by: Option<String>,
    /// Salt of its entry in the log.
    pub salt: Hash,
}

/// A local account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Name to sign in with.
    pub name: String,
    /// Password hash in its own text form; empty once it has ended.
    pub password_hash: String,
    /// Role, one word.
    pub role: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whose invitation made it; nobody's the first one.
    pub invited_by: Option<String>,
    /// When somebody signed in with it last.
    pub signed_in_at: Option<Timestamp>,
    /// Salt of its entry in the log; none until the log is told of an account that is older than such entries.
    pub salt: Option<Hash>,
    /// When it ended, if it did.
    pub ended: Option<Ended>,
}

/// The end of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// Which account ended it.
    pub by: String,
    /// Salt of its entry in the log.
    pub salt: Hash,
}

/// What came of ending an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedAccount {
    /// It has ended.
    Done,
    /// There is no such account, or it had ended before.
    NotThere,
    /// It is the only one: nobody could sign in any more.
    IsLast,
}

/// A one-time link by which an account can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its id, by which it is withdrawn.
    pub id: InvitationId,
    /// SHA-256 of the token in the link; the token itself is never stored.
    pub hash: Hash,
    /// Name of the account to be made.
    pub name: String,
    /// Which account invites.
    pub invited_by: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Somebody asked to destroy a recording, and a second person has to confirm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProposal {
    /// Its id, chosen by the archive.
    pub id: ProposalId,
    /// What is to be destroyed.
    pub recording: RecordingId,
    /// When it was made.
    pub made_at: Timestamp,
    /// From when on it can be used no more.
    pub stands_until: Timestamp,
    /// Ciphertext of who asked, and why.
    pub sealed: Vec<u8>,
}

/// The answer to a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAnswer {
    /// Which proposal.
    pub proposal: ProposalId,
    /// When.
    pub at: Timestamp,
    /// Confirmed, or else declined.
    pub is_confirmed: bool,
    /// Ciphertext of who answered, and why.
    pub sealed: Vec<u8>,
}

/// A proposal as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalRow {
    /// What was proposed.
    pub proposal: NewProposal,
    /// The answer, if there is one.
    pub answer: Option<NewAnswer>,
}

/// A signed-in browser.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// SHA-256 of the token in the cookie; the token itself is never stored.
    pub token_hash: Hash,
    /// Name of the account.
    pub account: String,
    /// Secret that forms must carry.
    pub csrf: Hash,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
