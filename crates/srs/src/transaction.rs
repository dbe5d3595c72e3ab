//! Server transactions (RFC 3261 §17.2, RFC 6026): the same answer to the same request, for as
//! long as it may still come.

use crate::api::{Config, SessionKey};
use crate::peer::{Peer, Transport};
use crate::sip::write::ReplyTo;
use crate::sip::{Message, Method, via::Via};
use crate::timers::{Owner, Timers};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use voicelog_model::Timestamp;

/// Identifies a transaction (RFC 3261 §17.2.3): a digest, so that it is small whatever came in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TransactionKey([u8; 32]);

impl TransactionKey {
    /// The key of a request's own transaction; an ACK and a CANCEL have that of their INVITE when
    /// `method` says so.
    ///
    /// Call-ID and CSeq go in beside the branch, since some clients use a branch twice. Without a
    /// branch that is unique by itself (RFC 2543) the `From` tag takes its place.
    pub(crate) fn new(message: &Message<'_>, via: &Via, cseq: u32, method: &Method) -> Self {
        let from_tag = message.tag(crate::sip::HeaderName::From);
        let branch = via.unique_branch().or(from_tag.as_deref());
        let mut hash = Sha256::new();
        for part in [
            method.as_str().as_bytes(),
            branch.unwrap_or_default().as_bytes(),
            via.host.as_bytes(),
            &via.port.unwrap_or(0).to_be_bytes(),
            message.call_id().unwrap_or_default(),
            &cseq.to_be_bytes(),
        ] {
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            hash.update(length.to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

struct ServerTransaction {
    is_invite: bool,
    peer: Peer,
    /// There until the final response.
    reply: Option<ReplyTo>,
    session: Option<SessionKey>,
    /// The last response, for the next time the request comes.
    last: Vec<u8>,
    state: State,
}

enum State {
    /// No final response yet.
    Proceeding,
    /// A final response to INVITE other than 2xx, sent again until the ACK (timers G and H).
    Completed {
        next: Option<Timestamp>,
        interval: i64,
        until: Timestamp,
    },
    /// Nothing more to do but know the request when it comes again (timers I, J and L).
    Absorbing { until: Timestamp },
}

/// All server transactions.
#[derive(Default)]
pub(crate) struct Transactions(BTreeMap<TransactionKey, ServerTransaction>);

impl Transactions {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// What to send when the request comes again: `None` = unknown request, empty bytes = wait.
    pub(crate) fn again(&self, key: &TransactionKey) -> Option<(Peer, &[u8])> {
        let transaction = self.0.get(key)?;
        Some((transaction.peer, &transaction.last))
    }

    pub(crate) fn open(&mut self, key: TransactionKey, reply: ReplyTo, method: &Method) {
        let transaction = ServerTransaction {
            is_invite: *method == Method::Invite,
            peer: reply.peer,
            reply: Some(reply),
            session: None,
            last: Vec::new(),
            state: State::Proceeding,
        };
        self.0.insert(key, transaction);
    }

    /// Ties a transaction to the session that will answer it.
    pub(crate) fn bind(&mut self, key: &TransactionKey, session: SessionKey) {
        if let Some(transaction) = self.0.get_mut(key) {
            transaction.session = Some(session);
        }
    }

    /// The session that an INVITE without final response waits for.
    pub(crate) fn waiting_session(&self, key: &TransactionKey) -> Option<SessionKey> {
        let transaction = self.0.get(key)?;
        transaction.reply.as_ref()?;
        transaction.session
    }

    /// What a response to this request copies; `None` once it has its final response.
    pub(crate) fn reply(&self, key: &TransactionKey) -> Option<&ReplyTo> {
        self.0.get(key)?.reply.as_ref()
    }

    /// Notes a response that is being sent, and what follows from it.
    pub(crate) fn responded(
        &mut self,
        now: Timestamp,
        key: TransactionKey,
        status: u16,
        bytes: &[u8],
        config: &Config,
        timers: &mut Timers,
    ) {
        let Some(transaction) = self.0.get_mut(&key) else {
            return;
        };
        transaction.last = bytes.to_vec();
        if status < 200 {
            return;
        }
        transaction.reply = None;
        let is_udp = transaction.peer.transport == Transport::Udp;
        let until = now.plus_micros(64 * config.t1_micros);
        if !transaction.is_invite && !is_udp {
            self.0.remove(&key);
            return;
        }
        transaction.state = if transaction.is_invite && status >= 300 {
            State::Completed {
                next: is_udp.then(|| now.plus_micros(config.t1_micros)),
                interval: config.t1_micros,
                until,
            }
        } else {
            State::Absorbing { until }
        };
        timers.set(Owner::Transaction(key), transaction.state.deadline());
    }

    /// An ACK with the branch of its INVITE: it acknowledges a refusal. Says whether there is such
    /// an INVITE.
    pub(crate) fn acknowledged(
        &mut self,
        now: Timestamp,
        key: &TransactionKey,
        config: &Config,
        timers: &mut Timers,
    ) -> bool {
        let Some(transaction) = self.0.get_mut(key) else {
            return false;
        };
        if matches!(transaction.state, State::Completed { .. }) {
            let linger = match transaction.peer.transport {
                Transport::Udp => config.t4_micros,
                Transport::Tcp | Transport::Tls => 0,
            };
            transaction.state = State::Absorbing {
                until: now.plus_micros(linger),
            };
            timers.set(Owner::Transaction(*key), transaction.state.deadline());
        }
        true
    }

    /// A deadline has come: what to send again, if anything.
    pub(crate) fn timeout(
        &mut self,
        now: Timestamp,
        key: TransactionKey,
        config: &Config,
        timers: &mut Timers,
    ) -> Option<(Peer, Vec<u8>)> {
        let transaction = self.0.get_mut(&key)?;
        let is_over = match &transaction.state {
            State::Proceeding => false,
            State::Completed { until, .. } | State::Absorbing { until } => *until <= now,
        };
        if is_over {
            self.0.remove(&key);
            return None;
        }
        let mut again = None;
        if let State::Completed { next, interval, .. } = &mut transaction.state
            && next.is_some_and(|next| next <= now)
        {
            *interval = (*interval * 2).min(config.t2_micros);
            *next = Some(now.plus_micros(*interval));
            again = Some((transaction.peer, transaction.last.clone()));
        }
        timers.set(Owner::Transaction(key), transaction.state.deadline());
        again
    }

    /// Forgets a transaction whose client is out of reach.
    pub(crate) fn remove(&mut self, key: &TransactionKey, timers: &mut Timers) {
        self.0.remove(key);
        timers.set(Owner::Transaction(*key), None);
    }
}

impl State {
    fn deadline(&self) -> Option<Timestamp> {
        match self {
            Self::Proceeding => None,
            Self::Completed { next, until, .. } => {
                Some(next.map_or(*until, |next| next.min(*until)))
            }
            Self::Absorbing { until } => Some(*until),
        }
    }
}
