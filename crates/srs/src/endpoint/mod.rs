//! The endpoint: everything that arrives comes in here and is given to the session it belongs to.
//!
//! **Invariant:** no input makes it panic, and nothing it holds grows beyond what the limits
//! allow: sessions, transactions, and one deadline for each of them.

mod invite;
mod receive;
mod replaces;

use crate::api::{Command, Config, EndCause, Input, Output, SessionKey};
use crate::context::Context;
use crate::counters::{Counted, Counters};
use crate::ids::IdSource;
use crate::limits::REASON_BYTES_MAX;
use crate::session::Session;
use crate::sip::framer::FramingError;
use crate::sip::grammar::plain;
use crate::timers::{Owner, Timers};
use crate::transaction::Transactions;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use voicelog_model::Timestamp;

/// The Session Recording Server of one machine.
///
/// Give it what happens with [`handle`](Self::handle), take what it wants with
/// [`poll`](Self::poll) until there is nothing, and call it again at
/// [`next_timeout`](Self::next_timeout) at the latest.
pub struct Endpoint {
    cx: Context,
    /// Each in a place of its own: the nodes of a map are half empty.
    sessions: BTreeMap<SessionKey, Box<Session>>,
    /// Dialogs by our tag, which is ours alone.
    by_tag: BTreeMap<String, SessionKey>,
    /// Live INVITEs by client, call and number: the same one may come by two ways.
    by_invite: BTreeMap<[u8; 32], SessionKey>,
    last_key: u64,
    /// `Some` = refuse new calls, with this `Retry-After` in seconds.
    refusing: Option<u32>,
    /// What the caller could record; `None` = whatever comes.
    ready: Option<Ready>,
}

/// Which users of ours could be called for a recording.
struct Ready {
    users: BTreeMap<String, bool>,
    others: bool,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("sessions", &self.sessions.len())
            .field("transactions", &self.cx.transactions.len())
            .field("refusing", &self.refusing)
            .finish_non_exhaustive()
    }
}

impl Endpoint {
    /// A new endpoint. `seed` must be secret and new for each start: tags and branches that
    /// nobody may foresee come from it.
    #[must_use]
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        let is_host = |c: &char| c.is_ascii_alphanumeric() || "-.:[]".contains(*c);
        // A timer of nothing would never let time pass.
        let millisecond = 1_000;
        let t1_micros = config.t1_micros.max(millisecond);
        let config = Config {
            contact_host: config
                .contact_host
                .map(|host| host.chars().filter(is_host).collect::<String>())
                .filter(|host| !host.is_empty()),
            product: plain(&config.product, REASON_BYTES_MAX),
            t1_micros,
            t2_micros: config.t2_micros.max(t1_micros),
            t4_micros: config.t4_micros.max(millisecond),
            ..config
        };
        Self {
            cx: Context {
                config,
                ids: IdSource::new(seed),
                counters: Counters::default(),
                outputs: VecDeque::new(),
                transactions: Transactions::default(),
                timers: Timers::default(),
            },
            sessions: BTreeMap::new(),
            by_tag: BTreeMap::new(),
            by_invite: BTreeMap::new(),
            last_key: 0,
            refusing: None,
            ready: None,
        }
    }

    /// Takes in one thing that happened. Time must not run backwards between calls.
    pub fn handle(&mut self, input: Input<'_>) {
        match input {
            Input::Message {
                now,
                from,
                local,
                bytes,
            } => self.receive(now, from, local, bytes),
            Input::Timeout { now } => self.timeout(now),
            Input::ConnectionClosed { now, connection } => self.connection_closed(now, connection),
            Input::Command {
                now,
                session,
                command,
            } => self.command(now, session, command),
        }
    }

    /// The next thing to do, in order.
    pub fn poll(&mut self) -> Option<Output> {
        self.cx.outputs.pop_front()
    }

    /// When [`Input::Timeout`] is due, if nothing else happens before.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Timestamp> {
        self.cx.timers.next()
    }

    /// Whether new calls are taken. While not, an INVITE that would begin one and an OPTIONS
    /// outside a call get 503; calls in progress go on.
    pub const fn set_accepting(&mut self, accepting: bool, retry_after_seconds: u32) {
        self.refusing = if accepting {
            None
        } else {
            Some(retry_after_seconds)
        };
    }

    /// Says which user parts (in lower case) could be called for a recording, and whether any other
    /// could. An OPTIONS for one that could not gets 503; an INVITE is offered all the same.
    pub fn set_ready(&mut self, users: BTreeMap<String, bool>, others: bool) {
        self.ready = Some(Ready { users, others });
    }

    /// What was counted since the start.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.cx.counters
    }

    /// Counts a connection that had to be closed because of its bytes.
    pub fn framing_failed(&mut self, _error: FramingError) {
        self.cx.count(Counted::Unframeable);
    }

    /// Sessions that have not ended for the caller.
    #[must_use]
    pub fn open_sessions(&self) -> usize {
        self.sessions.values().filter(|s| !s.is_closing()).count()
    }

    /// The sessions whose client has shown since the last call that it is there: by any request
    /// within the dialog, by a response, or by a session timer that runs (RFC 4028).
    pub fn take_heard(&mut self) -> Vec<SessionKey> {
        let sessions = self.sessions.values_mut();
        let heard = sessions.filter_map(|session| session.take_heard().then_some(session.key));
        heard.collect()
    }

    /// The connections that sessions go over.
    #[must_use]
    pub fn connections_in_use(&self) -> BTreeSet<u64> {
        let sessions = self.sessions.values();
        sessions.flat_map(|session| session.connections()).collect()
    }

    /// Whether nothing waits for an answer any more: no session, not even one whose BYE is on its
    /// way. A clean shutdown ends all sessions and waits for this, with a deadline of its own.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.sessions.is_empty()
    }

    /// Ends every session, as [`Command::End`] would.
    pub fn end_all(&mut self, now: Timestamp, reason: &str) {
        let keys: Vec<_> = self.sessions.keys().copied().collect();
        for key in keys {
            self.with(now, key, |session, cx| {
                session.end(cx, now, EndCause::ByUs, reason);
            });
        }
    }

    fn command(&mut self, now: Timestamp, key: SessionKey, command: Command) {
        let known = self.with(now, key, |session, cx| {
            session.command(cx, now, command);
            session.take_replaced()
        });
        match known {
            None => self.cx.count(Counted::LateCommand),
            Some(None) => {}
            Some(Some(replaced)) => {
                self.with(now, replaced, |session, cx| {
                    let reason = "replaced by another session";
                    session.end(cx, now, EndCause::Replaced, reason);
                });
            }
        }
    }

    fn connection_closed(&mut self, now: Timestamp, connection: u64) {
        let users = self.sessions.values().filter(|s| s.uses(connection));
        let keys: Vec<_> = users.map(|session| session.key).collect();
        for key in keys {
            self.with(now, key, |session, cx| {
                session.connection_closed(cx, connection)
            });
        }
    }

    fn timeout(&mut self, now: Timestamp) {
        // Each owner at most once: a deadline that is set again lies in the future.
        let mut owners = Vec::new();
        while let Some(owner) = self.cx.timers.expired(now) {
            owners.push(owner);
        }
        for owner in owners {
            match owner {
                Owner::Session(key) => {
                    self.with(now, key, |session, cx| session.timeout(cx, now));
                }
                Owner::Transaction(key) => {
                    let Context {
                        transactions,
                        config,
                        timers,
                        ..
                    } = &mut self.cx;
                    if let Some((to, bytes)) = transactions.timeout(now, key, config, timers) {
                        self.cx.transmit(to, bytes);
                    }
                }
            }
        }
    }

    /// Lets a session act, then does what follows from its new state. `None` = no such session.
    fn with<T>(
        &mut self,
        now: Timestamp,
        key: SessionKey,
        act: impl FnOnce(&mut Session, &mut Context) -> T,
    ) -> Option<T> {
        let session = self.sessions.get_mut(&key)?;
        let result = act(session, &mut self.cx);
        session.settle(&mut self.cx, now);
        if session.is_over() {
            self.cx.timers.set(Owner::Session(key), None);
            self.by_tag.remove(&session.dialog.local_tag);
            self.by_invite.remove(&session.merge_key);
            self.sessions.remove(&key);
        } else {
            let deadline = session.deadline();
            self.cx.timers.set(Owner::Session(key), deadline);
        }
        Some(result)
    }
}
