//! Deadlines, one for each owner, the nearest first.

use crate::api::SessionKey;
use crate::transaction::TransactionKey;
use std::collections::{BTreeMap, BTreeSet};
use voicelog_model::Timestamp;

/// Whose deadline it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    Transaction(TransactionKey),
    Session(SessionKey),
}

/// All deadlines. Setting one replaces the owner's earlier one, so the set never outgrows the
/// number of owners.
#[derive(Default)]
pub(crate) struct Timers {
    queue: BTreeSet<(Timestamp, Owner)>,
    by_owner: BTreeMap<Owner, Timestamp>,
}

impl Timers {
    pub(crate) fn set(&mut self, owner: Owner, at: Option<Timestamp>) {
        if let Some(old) = self.by_owner.remove(&owner) {
            self.queue.remove(&(old, owner));
        }
        if let Some(at) = at {
            self.by_owner.insert(owner, at);
            self.queue.insert((at, owner));
        }
    }

    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Takes out the nearest deadline that has come.
    pub(crate) fn expired(&mut self, now: Timestamp) -> Option<Owner> {
        let (at, owner) = *self.queue.first()?;
        if at > now {
            return None;
        }
        self.queue.remove(&(at, owner));
        self.by_owner.remove(&owner);
        Some(owner)
    }
}
