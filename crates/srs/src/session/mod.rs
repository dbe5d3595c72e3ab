//! One recording session: its dialog, its offers and answers, what is known of the conversation.
//!
//! A session never looks at another one. It is told what arrived and what time it is; what it
//! wants sent or said goes into the [`Context`].
//!
//! **Invariant:** the caller hears `Offered` first and `Ended` last, each once. What the protocol
//! still needs after `Ended` (a BYE that is not answered yet) goes on unheard.

mod client;
pub(crate) mod dialog;
mod expiry;
mod media;
mod progress;
mod server;
mod update;

use crate::api::{Command, EndCause, Event, LocalDirection, Offer, SessionKey};
use crate::body::MetadataPart;
use crate::context::{Context, Response};
use crate::counters::Counted;
use crate::diversion::called_before;
use crate::limits::STREAMS_MAX;
use crate::metadata::{Metadata, MetadataState};
use crate::peer::Peer;
use crate::quirk::{Quirk, Quirks};
use crate::sdp::{self, MediaLine};
use crate::session_id::session_uuids;
use crate::sip::{HeaderName, Message, Method};
use crate::transaction::TransactionKey;
pub(crate) use client::session_of;
use client::{Bye, FinalAck, Reinvite};
use dialog::Dialog;
use expiry::Expiry;
pub(crate) use expiry::TimerRequest;
use media::Media;
use progress::Progress;
pub(crate) use server::{Request, key_refusal, sdp_refusal};
use std::net::IpAddr;
use update::Update;
use voicelog_model::{Pii, Timestamp};

/// The same for our requests: we take no reliable provisional response, since we send no PRACK.
const SUPPORTED_OF_REQUESTS: &str = "siprec, timer, replaces";

/// A recording session.
pub(crate) struct Session {
    pub(crate) key: SessionKey,
    pub(crate) dialog: Dialog,
    /// What its INVITE has in common with copies of it.
    pub(crate) merge_key: [u8; 32],
    request_user: String,
    media: Media,
    metadata: MetadataState,
    phase: Phase,
    /// The session that ends when this one is answered.
    replaces: Option<SessionKey>,
    /// The ends of the conversation, as the INVITE names them.
    session_ids: Vec<String>,
    called_before: Vec<Pii<String>>,
    progress: Progress,
    /// The client's offer that the caller has not answered yet.
    pending: Option<Pending>,
    /// Our 200 to an INVITE that is not acknowledged yet.
    unacknowledged: Option<Unacknowledged>,
    reinvite: Option<Reinvite>,
    update: Option<Update>,
    final_ack: Option<FinalAck>,
    bye: Option<Bye>,
    /// When to try our re-INVITE again after 491, and how often we have.
    retry_at: Option<Timestamp>,
    retries: u8,
    /// The caller waits for [`Event::DirectionAgreed`].
    is_direction_awaited: bool,
    /// The session timer.
    expiry: Expiry,
    /// When the session has lasted too long.
    expires: Timestamp,
    /// The client has sent something within the dialog since it was asked last.
    was_heard: bool,
}

#[derive(Clone, PartialEq, Eq)]
enum Phase {
    /// The INVITE waits for the caller's answer.
    Offered,
    /// Answered with 200.
    Established,
    /// `Ended` was said; a BYE with this reason is to be sent or is on its way.
    Closing(String),
    /// Nothing more to do.
    Over,
}

/// A request of the client that gets our 200.
struct Asked {
    transaction: TransactionKey,
    method: Method,
    cseq: u32,
    timer: TimerRequest,
}

/// How a session looks to another one that wants its place.
pub(crate) enum Standing {
    /// Not answered yet.
    Offered,
    /// Answered.
    Stands,
    /// Over, or about to be.
    Ending,
}

/// An offer of the client that waits for the caller.
struct Pending {
    asked: Asked,
    lines: Vec<MediaLine>,
    /// The client made no offer: these lines are ours, and our 200 offers them.
    is_ours: bool,
    until: Timestamp,
}

/// A 200 to an INVITE, sent again until its ACK comes (RFC 3261 §13.3.1.4).
struct Unacknowledged {
    cseq: u32,
    to: Peer,
    bytes: Vec<u8>,
    next: Timestamp,
    interval: i64,
    until: Timestamp,
    /// The 200 holds our offer in this direction; the ACK brings the answer.
    offered: Option<LocalDirection>,
    is_first: bool,
}

/// What the endpoint found in a new INVITE.
pub(crate) struct Invitation<'a> {
    pub(crate) transaction: TransactionKey,
    pub(crate) timer: TimerRequest,
    pub(crate) merge_key: [u8; 32],
    pub(crate) message: &'a Message<'a>,
    pub(crate) replaces: Option<SessionKey>,
    pub(crate) dialog: Dialog,
    pub(crate) request_user: String,
    /// What it offers; `None` where the offer is ours to make (RFC 3261 §13.2.1).
    pub(crate) lines: Option<Vec<MediaLine>>,
    pub(crate) metadata: Option<&'a MetadataPart<'a>>,
    pub(crate) quirks: Quirks,
    /// Any address of ours; the answer brings the one for media.
    pub(crate) address: IpAddr,
}

impl Session {
    /// A session for an INVITE that can be offered to the caller; says so.
    pub(crate) fn invited(
        cx: &mut Context,
        now: Timestamp,
        key: SessionKey,
        invitation: Invitation<'_>,
    ) -> Self {
        let mut metadata = MetadataState::default();
        if !hear(&mut metadata, invitation.metadata, invitation.message) {
            metadata.take_side(invitation.message);
        }
        let is_ours = invitation.lines.is_none();
        let mut quirks = invitation.quirks;
        let lines = invitation.lines.unwrap_or_else(|| {
            quirks.add(Quirk::OfferByUs);
            sdp::proposed(labels_to_offer(&metadata))
        });
        let mut session = Self {
            key,
            media: Media::new(cx.ids.number(), invitation.address),
            metadata,
            merge_key: invitation.merge_key,
            called_before: called_before(invitation.message, &invitation.request_user),
            request_user: invitation.request_user,
            phase: Phase::Offered,
            replaces: invitation.replaces,
            session_ids: session_ids(invitation.message),
            progress: Progress::planned(invitation.message, now),
            pending: None,
            unacknowledged: None,
            reinvite: None,
            update: None,
            final_ack: None,
            bye: None,
            retry_at: None,
            retries: 0,
            is_direction_awaited: false,
            expiry: Expiry::default(),
            expires: now.plus_micros(cx.config.session_micros_max),
            was_heard: false,
            dialog: invitation.dialog,
        };
        cx.transactions.bind(&invitation.transaction, key);
        cx.respond(now, invitation.transaction, Response::new(100));
        let offer = session.offer(&lines, quirks);
        session.pending = Some(Pending {
            asked: Asked {
                transaction: invitation.transaction,
                method: Method::Invite,
                cseq: session.dialog.remote_cseq,
                timer: invitation.timer,
            },
            lines,
            is_ours,
            until: now.plus_micros(cx.config.answer_micros_max),
        });
        cx.event(key, Event::Offered(Box::new(offer)));
        session
    }

    fn offer(&self, lines: &[MediaLine], mut quirks: Quirks) -> Offer {
        let metadata = self.metadata.snapshot(&Media::offered_labels(lines));
        if metadata.is_none() {
            quirks.add(Quirk::MetadataMissing);
        }
        Offer {
            call_id: Pii::new(String::from_utf8_lossy(&self.dialog.call_id).into_owned()),
            request_user: Pii::new(self.request_user.clone()),
            streams: self.media.offered(lines),
            metadata,
            replaces: self.replaces,
            session_ids: self.session_ids.iter().cloned().map(Pii::new).collect(),
            called_before: self.called_before.clone(),
            quirks: quirks.into_vec(),
        }
    }

    fn metadata_now(&self) -> Option<Metadata> {
        self.metadata.snapshot(&self.media.labels())
    }

    pub(crate) const fn standing(&self) -> Standing {
        match self.phase {
            Phase::Offered => Standing::Offered,
            Phase::Established => Standing::Stands,
            Phase::Closing(_) | Phase::Over => Standing::Ending,
        }
    }

    /// The session whose place this one has now taken; said once.
    pub(crate) fn take_replaced(&mut self) -> Option<SessionKey> {
        let is_answered = self.phase == Phase::Established;
        self.replaces.take_if(|_| is_answered)
    }

    /// Whether the client has shown since the last time that it is there. While its session timer
    /// runs it counts as there: whoever is gone refreshes no longer.
    pub(crate) fn take_heard(&mut self) -> bool {
        let is_timed = self.phase == Phase::Established && self.expiry.is_running();
        std::mem::take(&mut self.was_heard) || is_timed
    }

    /// Whether the endpoint can forget the session.
    pub(crate) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// The caller has heard `Ended`.
    pub(crate) const fn is_closing(&self) -> bool {
        matches!(self.phase, Phase::Closing(_) | Phase::Over)
    }

    /// What the caller wants.
    pub(crate) fn command(&mut self, cx: &mut Context, now: Timestamp, command: Command) {
        if self.is_closing() {
            cx.count(Counted::LateCommand);
            return;
        }
        match command {
            Command::Answer {
                media_address,
                streams,
                direction,
            } => self.answer(cx, now, media_address, &streams, direction),
            Command::Reject {
                status,
                reason,
                retry_after,
            } => {
                let status = if (400..700).contains(&status) {
                    status
                } else {
                    500
                };
                let mut response = Response::new(status).warning(399, &reason);
                if let Some(seconds) = retry_after {
                    response = response.retry_after(seconds.into());
                }
                self.reject(cx, now, response);
            }
            Command::Receive => self.want(cx, LocalDirection::Receive),
            Command::Pause => self.want(cx, LocalDirection::Inactive),
            Command::End { reason } => self.end(cx, now, EndCause::ByUs, &reason),
        }
    }

    fn want(&mut self, cx: &mut Context, direction: LocalDirection) {
        if self.phase == Phase::Offered {
            cx.count(Counted::LateCommand);
            return;
        }
        self.media.wanted = direction;
        self.is_direction_awaited = true;
    }

    /// Ends the session from our side: with BYE, or by refusing its INVITE.
    pub(crate) fn end(&mut self, cx: &mut Context, now: Timestamp, cause: EndCause, reason: &str) {
        if self.is_closing() {
            return;
        }
        let was_offered = self.phase == Phase::Offered;
        self.update = None;
        if let Some(pending) = self.pending.take() {
            let status = match (was_offered, cause) {
                (true, EndCause::Timeout) => 500,
                (true, _) => 480,
                (false, _) => 487,
            };
            let response = Response::new(status)
                .tag(&self.dialog.local_tag)
                .warning(399, reason);
            cx.respond(now, pending.asked.transaction, response);
        }
        self.phase = if was_offered {
            Phase::Over
        } else {
            Phase::Closing(reason.to_owned())
        };
        cx.event(self.key, Event::Ended { cause });
    }

    /// The client ended it, or nobody can be told any more.
    fn over(&mut self, cx: &mut Context, cause: EndCause) {
        if !self.is_closing() {
            cx.event(self.key, Event::Ended { cause });
        }
        self.phase = Phase::Over;
    }

    /// Whether anything of the session goes over this connection.
    pub(crate) fn uses(&self, connection: u64) -> bool {
        self.connections().any(|used| used == connection)
    }

    /// The connections that it goes over.
    pub(crate) fn connections(&self) -> impl Iterator<Item = u64> {
        let answer = self.unacknowledged.as_ref().and_then(|u| u.to.connection);
        [self.dialog.peer.connection, answer].into_iter().flatten()
    }

    /// A TCP connection is gone.
    pub(crate) fn connection_closed(&mut self, cx: &mut Context, connection: u64) {
        if let Some(unacknowledged) = &mut self.unacknowledged
            && unacknowledged.to.connection == Some(connection)
        {
            unacknowledged.to.connection = None;
        }
        if self.dialog.peer.connection != Some(connection) {
            return;
        }
        self.dialog.peer.connection = None;
        match self.phase {
            Phase::Offered => {
                if let Some(pending) = self.pending.take() {
                    cx.transactions
                        .remove(&pending.asked.transaction, &mut cx.timers);
                }
                self.over(cx, EndCause::Transport);
            }
            Phase::Established => cx.event(self.key, Event::ConnectionLost),
            Phase::Closing(_) | Phase::Over => {}
        }
    }

    /// The next moment at which something must be done.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        let expires = match self.phase {
            Phase::Offered => Some(self.expires),
            Phase::Established => {
                let expiry = self.expiry.deadline();
                Some(expiry.map_or(self.expires, |at| at.min(self.expires)))
            }
            Phase::Closing(_) | Phase::Over => None,
        };
        let unacknowledged = self.unacknowledged.as_ref().map(|u| u.next.min(u.until));
        [
            expires,
            self.retry_at,
            self.progress_deadline(),
            self.pending.as_ref().map(|pending| pending.until),
            unacknowledged,
            self.reinvite
                .as_ref()
                .map(|reinvite| reinvite.transaction.deadline()),
            self.update
                .as_ref()
                .map(|update| update.transaction.deadline()),
            self.bye.as_ref().map(|bye| bye.transaction.deadline()),
            self.final_ack.as_ref().map(|ack| ack.until),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Some deadline has come.
    pub(crate) fn timeout(&mut self, cx: &mut Context, now: Timestamp) {
        if self.expires <= now && !self.is_closing() {
            self.end(cx, now, EndCause::Timeout, "the session lasted too long");
        }
        if self.phase == Phase::Established && self.expiry.timeout(now) {
            let reason = "nobody refreshed the session in time";
            self.end(cx, now, EndCause::NotRefreshed, reason);
        }
        if self
            .pending
            .as_ref()
            .is_some_and(|pending| pending.until <= now)
        {
            cx.count(Counted::Unanswered);
            self.unanswered(cx, now);
        }
        self.progress_timeout(cx, now);
        self.retransmit_answer(cx, now);
        self.client_timeout(cx, now);
    }

    /// What follows from the state that is now reached: called after everything that changes it.
    pub(crate) fn settle(&mut self, cx: &mut Context, now: Timestamp) {
        match &self.phase {
            Phase::Offered | Phase::Over => {}
            Phase::Established => {
                self.pursue_update(cx, now);
                self.pursue_direction(cx, now);
            }
            // RFC 3261 §15: no BYE before the ACK has come or is given up.
            Phase::Closing(_) if self.unacknowledged.is_some() => {}
            Phase::Closing(reason) => {
                if self.bye.is_none() {
                    let reason = Dialog::reason(reason);
                    self.send_bye(cx, now, &reason);
                }
            }
        }
    }
}

/// The labels of the lines that we offer. Where the metadata names streams it is those. Else two,
/// since a conversation has two sides, and what the client has not it refuses.
fn labels_to_offer(metadata: &MetadataState) -> Vec<Option<String>> {
    let mut labels: Vec<Option<String>> = Vec::new();
    for label in metadata.stream_labels() {
        if (label.is_none() || !labels.contains(&label)) && labels.len() < STREAMS_MAX {
            labels.push(label);
        }
    }
    if labels.is_empty() {
        labels = vec![Some("1".to_owned()), Some("2".to_owned())];
    }
    labels
}

/// Takes in what a message says of the conversation. Says whether it says anything.
fn hear(
    state: &mut MetadataState,
    document: Option<&MetadataPart<'_>>,
    message: &Message<'_>,
) -> bool {
    let named = message.headers.list(HeaderName::RecordingParticipant);
    match document {
        Some(document) => state.take_part(document),
        None if !named.is_empty() => state.take_headers(&named),
        None => return false,
    }
    true
}

fn session_ids(message: &Message<'_>) -> Vec<String> {
    let told = message.headers.text(HeaderName::SessionId);
    told.map_or_else(Vec::new, |told| session_uuids(&told))
}
