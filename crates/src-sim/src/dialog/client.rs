//! Requests of ours: client transactions over UDP and TCP (RFC 3261 §17.1) and their answers.

use super::{ALLOW, Dialog, Event, GIVE_UP, Phase, Request, Side, T1, T2, ToldBy, Transport};
use crate::message::{self, Message};
use crate::sdp::Direction;
use std::time::{Duration, Instant};

/// The header that names a participant where there is no metadata.
const PARTICIPANT: &str = "X-Cisco-Recording-Participant";

/// What a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// The first INVITE.
    Invite,
    /// To give up the first INVITE.
    Cancel,
    /// A re-INVITE: one that pauses or resumes, or one that tells who takes part.
    Direction,
    /// An UPDATE with metadata.
    Metadata,
    /// The end.
    Bye,
}

/// A request without its final answer.
#[derive(Debug)]
pub(super) struct ClientTransaction {
    asked: Asked,
    method: &'static str,
    cseq: u32,
    branch: String,
    bytes: Vec<u8>,
    /// When to send it again, and the interval after that; `None` over TCP.
    again: Option<(Instant, Duration)>,
    gives_up: Instant,
    /// A provisional answer has come.
    proceeding: bool,
}

impl Dialog {
    /// Sends the INVITE: SDP and metadata together (RFC 7866 §9.1).
    pub(crate) fn start(&mut self, now: Instant) {
        let style = self.identity.dialect.style();
        let (content_type, body) = self.both_parts();
        let named = self.named_in_headers();
        let belongs = self.identity.belongs.clone();
        let mut headers = style.headers.to_vec();
        headers.extend(named.iter().map(|value| (PARTICIPANT, value.as_str())));
        headers.extend([
            ("Allow", ALLOW),
            ("Accept", "application/sdp, application/rs-metadata-request"),
            ("Content-Type", content_type.as_str()),
        ]);
        let told = [
            ("Session-ID", &belongs.session_id),
            ("Replaces", &belongs.replaces),
        ];
        for (name, value) in told {
            headers.extend(value.as_deref().map(|value| (name, value)));
        }
        self.ask(Asked::Invite, "INVITE", &headers, &body, now);
    }

    /// SDP and metadata in one body, or the SDP alone where headers name the participants.
    fn both_parts(&mut self) -> (String, Vec<u8>) {
        let style = self.identity.dialect.style();
        let own = format!("voicelog-{}", self.names.token());
        let boundary = style.body.boundary.unwrap_or(&own);
        let sdp = self.describe(0);
        if style.names_in_headers {
            return ("application/sdp".to_owned(), sdp.into_bytes());
        }
        let metadata = self.metadata.write();
        let body = message::sdp_and_metadata(&style.body, boundary, &sdp, &metadata);
        (format!("multipart/mixed;boundary={boundary}"), body)
    }

    /// A re-INVITE with our present wish.
    pub(super) fn reinvite(&mut self, now: Instant) {
        for stream in &mut self.media.streams {
            stream.direction = self.wish;
        }
        let sdp = self.describe(0);
        let body = ("application/sdp".to_owned(), sdp.into_bytes());
        self.offer_again(Asked::Direction, "INVITE", &body, now);
    }

    /// Tells who takes part now, in the way that is asked for.
    pub(super) fn tell_by(&mut self, by: ToldBy, now: Instant) {
        let style = self.identity.dialect.style();
        match by {
            ToldBy::Reinvite => {
                let body = self.both_parts();
                self.offer_again(Asked::Direction, "INVITE", &body, now);
            }
            ToldBy::UpdateWithOffer => {
                let body = self.both_parts();
                self.offer_again(Asked::Metadata, "UPDATE", &body, now);
            }
            ToldBy::Update => {
                let mut headers = style.headers.to_vec();
                headers.extend(style.body.headers_of_bare_metadata());
                let body = self.metadata.write();
                self.ask(Asked::Metadata, "UPDATE", &headers, body.as_bytes(), now);
            }
        }
    }

    /// A request within the call that has an offer.
    fn offer_again(
        &mut self,
        asked: Asked,
        method: &'static str,
        (content_type, body): &(String, Vec<u8>),
        now: Instant,
    ) {
        let named = self.named_in_headers();
        let mut headers = self.identity.dialect.style().headers.to_vec();
        headers.extend(named.iter().map(|value| (PARTICIPANT, value.as_str())));
        headers.extend([("Allow", ALLOW), ("Content-Type", content_type)]);
        self.ask(asked, method, &headers, body, now);
    }

    /// The participants as headers, for a dialect that names them so.
    fn named_in_headers(&self) -> Vec<String> {
        if !self.identity.dialect.style().names_in_headers {
            return Vec::new();
        }
        let named = |(address, place): (&str, usize)| {
            let uri = match address.strip_prefix("tel:") {
                Some(number) => format!("sip:{number}@{}", self.identity.local.ip()),
                None => address.to_owned(),
            };
            format!("<{uri}>;media-index=\"{place}\"")
        };
        self.metadata.addresses().zip(0..).map(named).collect()
    }

    pub(super) fn is_waiting(&self, asked: Asked) -> bool {
        self.transactions.iter().any(|t| t.asked == asked)
    }

    /// Whether an INVITE of ours has no final answer yet.
    pub(super) fn has_invite_in_progress(&self) -> bool {
        self.transactions.iter().any(|t| t.method == "INVITE")
    }

    /// Sends a request in a new transaction.
    pub(super) fn ask(
        &mut self,
        asked: Asked,
        method: &'static str,
        headers: &[(&str, &str)],
        body: &[u8],
        now: Instant,
    ) {
        self.cseq = self.cseq.wrapping_add(1);
        let branch = format!("z9hG4bK{}", self.names.token());
        let bytes = self.write_request(&Request {
            method,
            cseq: self.cseq,
            branch: &branch,
            to: &self.to,
            headers,
            body,
        });
        self.begin(asked, method, branch, bytes, now);
    }

    fn begin(
        &mut self,
        asked: Asked,
        method: &'static str,
        branch: String,
        bytes: Vec<u8>,
        now: Instant,
    ) {
        self.outgoing.push(bytes.clone());
        let udp = self.identity.transport == Transport::Udp;
        self.transactions.push(ClientTransaction {
            asked,
            method,
            cseq: self.cseq,
            branch,
            bytes,
            again: udp.then(|| (now + T1, T1)),
            gives_up: now + GIVE_UP,
            proceeding: false,
        });
    }

    /// Gives up the INVITE. CANCEL may only follow a provisional answer (RFC 3261 §9.1).
    pub(super) fn cancel(&mut self, now: Instant) {
        self.phase = Phase::Cancelling;
        let invite = self.transactions.iter().find(|t| t.asked == Asked::Invite);
        let Some(invite) = invite.filter(|t| t.proceeding) else {
            return;
        };
        let branch = invite.branch.clone();
        let bytes = self.write_request(&Request {
            method: "CANCEL",
            cseq: invite.cseq,
            branch: &branch,
            to: &self.to,
            headers: &[],
            body: b"",
        });
        self.begin(Asked::Cancel, "CANCEL", branch, bytes, now);
        for transaction in &mut self.transactions {
            // The INVITE is given up for good when nothing follows the CANCEL.
            transaction.gives_up = now + GIVE_UP;
        }
    }

    /// Retransmits and gives up what is due.
    pub(super) fn client_timers(&mut self, now: Instant) {
        for transaction in &mut self.transactions {
            let Some((next, interval)) = transaction.again else {
                continue;
            };
            if now < next {
                continue;
            }
            let interval = if transaction.method == "INVITE" {
                interval * 2
            } else if transaction.proceeding {
                T2
            } else {
                (interval * 2).min(T2)
            };
            transaction.again = Some((now + interval, interval));
            self.outgoing.push(transaction.bytes.clone());
        }
        let waits = |t: &ClientTransaction| {
            // An INVITE that rings has no time-out of its own; the driver's patience decides.
            t.proceeding && t.asked == Asked::Invite && self.phase == Phase::Inviting
        };
        let late = |t: &ClientTransaction| now >= t.gives_up && !waits(t);
        let given_up: Vec<Asked> = self
            .transactions
            .iter()
            .filter(|t| late(t))
            .map(|t| t.asked)
            .collect();
        self.transactions.retain(|t| !given_up.contains(&t.asked));
        for asked in given_up {
            self.timed_out(asked);
        }
    }

    fn timed_out(&mut self, asked: Asked) {
        match asked {
            Asked::Invite => {
                self.events.push(Event::NoAnswer);
                self.end(Side::Client, None);
            }
            Asked::Cancel => {}
            Asked::Direction => self.direction_refused(408),
            Asked::Metadata => self.events.push(Event::MetadataReply { status: 408 }),
            Asked::Bye => self.end(Side::Client, None),
        }
    }

    /// An answer to a request of ours.
    pub(super) fn response(&mut self, message: &Message, status: u16, reason: &str, now: Instant) {
        let Some((cseq, method)) = message.cseq() else {
            return;
        };
        let via = message.header("via").unwrap_or_default();
        let branch = message::parameter(via, "branch");
        let same = |t: &ClientTransaction| t.method == method && Some(&t.branch) == branch.as_ref();
        let Some(place) = self.transactions.iter().position(same) else {
            self.acknowledge_again(cseq, method, status);
            return;
        };
        if status < 200 {
            self.provisional(place, now);
            return;
        }
        let transaction = self.transactions.remove(place);
        if transaction.method == "INVITE" {
            self.acknowledge(&transaction, message, status);
        }
        match transaction.asked {
            Asked::Invite => self.answered(message, status, reason, now),
            Asked::Cancel => {}
            Asked::Direction if status < 300 => self.direction_agreed(message, status),
            Asked::Direction if status == 491 => self.again_at = Some(now + self.glare_wait()),
            Asked::Direction => self.direction_refused(status),
            Asked::Metadata => self.events.push(Event::MetadataReply { status }),
            Asked::Bye => self.end(Side::Client, Some(status)),
        }
        let gone = matches!(status, 408 | 481) && self.phase == Phase::Talking;
        if gone {
            // RFC 3261 §12.2.1.2: the server no longer knows the call.
            self.end(Side::Server, None);
        }
    }

    fn provisional(&mut self, place: usize, now: Instant) {
        if let Some(transaction) = self.transactions.get_mut(place) {
            transaction.proceeding = true;
            if transaction.method == "INVITE" {
                transaction.again = None;
            }
        }
        if self.phase == Phase::Cancelling && !self.is_waiting(Asked::Cancel) {
            self.cancel(now);
        }
    }

    /// The owner of the Call-ID waits 2.1 to 4 s after glare (RFC 3261 §14.1).
    const fn glare_wait(&mut self) -> Duration {
        Duration::from_millis(2_100 + self.names.next() % 190 * 10)
    }

    /// ACK: in the dialog for a 2xx (RFC 3261 §13.2.2.4), in the transaction otherwise (§17.1.1.3).
    fn acknowledge(&mut self, transaction: &ClientTransaction, answer: &Message, status: u16) {
        let to = answer.header("to").unwrap_or(&self.to).to_owned();
        let mut branch = transaction.branch.clone();
        if status < 300 {
            if let Some(contact) = answer.header("contact") {
                message::uri_of(contact).clone_into(&mut self.target);
            }
            if transaction.asked == Asked::Invite {
                self.routes = routes(answer);
            }
            self.to.clone_from(&to);
            branch = format!("z9hG4bK{}", self.names.token());
        }
        let bytes = self.write_request(&Request {
            method: "ACK",
            cseq: transaction.cseq,
            branch: &branch,
            to: &to,
            headers: &[],
            body: b"",
        });
        self.outgoing.push(bytes.clone());
        self.acknowledged = Some((transaction.cseq, bytes));
    }

    /// The final answer to an INVITE came again: so must our ACK.
    fn acknowledge_again(&mut self, cseq: u32, method: &str, status: u16) {
        if let Some((known, bytes)) = &self.acknowledged
            && *known == cseq
            && method == "INVITE"
            && status >= 200
        {
            self.outgoing.push(bytes.clone());
        }
    }

    fn answered(&mut self, answer: &Message, status: u16, reason: &str, now: Instant) {
        if status >= 300 {
            let retry_after = answer.header("retry-after").and_then(|value| {
                let digits = value.split(|c: char| !c.is_ascii_digit()).next();
                digits.and_then(|digits| digits.parse().ok())
            });
            // RFC 3261 §20.43: `code agent "text"`; the text says more than the phrase.
            let warning = answer.header("warning").and_then(|w| w.split('"').nth(1));
            self.events.push(Event::Refused {
                status,
                reason: warning.map_or_else(
                    || reason.to_owned(),
                    |warning| format!("{reason} ({warning})"),
                ),
                retry_after,
            });
            self.end(Side::Server, None);
            return;
        }
        let gave_up = self.phase == Phase::Cancelling;
        self.phase = Phase::Talking;
        let body = answer.body_of_type("application/sdp").unwrap_or_default();
        match self.take_description(&body, Side::Server) {
            Ok(()) => self.events.push(Event::Answered { status }),
            Err(why) => self.events.push(Event::BadAnswer { why }),
        }
        if gave_up || self.remote.is_empty() {
            self.hang_up(now);
        }
    }

    fn direction_agreed(&mut self, answer: &Message, status: u16) {
        self.sending = self.wish == Direction::SendOnly;
        let body = answer.body_of_type("application/sdp").unwrap_or_default();
        let read = self.take_description(&body, Side::Client);
        let status = if read.is_ok() { status } else { 488 };
        self.events.push(Event::DirectionReply { status });
    }

    /// A re-INVITE that fails leaves everything as it was (RFC 3261 §14.1).
    fn direction_refused(&mut self, status: u16) {
        self.wish = match self.wish {
            Direction::Inactive => Direction::SendOnly,
            _ => Direction::Inactive,
        };
        self.sending = self.wish == Direction::SendOnly;
        self.events.push(Event::Media { by: Side::Client });
        self.events.push(Event::DirectionReply { status });
    }
}

/// The route set: `Record-Route` values in reverse order (RFC 3261 §12.1.2).
fn routes(answer: &Message) -> Vec<String> {
    let mut routes = Vec::new();
    for line in answer.headers("record-route") {
        let mut depth = 0_u32;
        let split = line.split(|c: char| {
            match c {
                '<' => depth += 1,
                '>' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c == ',' && depth == 0
        });
        routes.extend(split.map(|route| route.trim().to_owned()));
    }
    routes.reverse();
    routes
}
