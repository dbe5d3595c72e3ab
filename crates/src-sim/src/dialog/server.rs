//! Requests of the server within the call: re-INVITE, UPDATE, BYE, OPTIONS, and our answers.

use super::{ALLOW, Dialog, GIVE_UP, Phase, Side, T1, T2, Unacknowledged};
use crate::message::{self, Message};
use crate::sdp::Direction;
use std::time::Instant;

/// An answer to write.
struct Reply<'a> {
    status: u16,
    reason: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: &'a [u8],
}

impl Reply<'_> {
    const fn bare(status: u16, reason: &'static str) -> Self {
        Reply {
            status,
            reason,
            headers: &[],
            body: b"",
        }
    }
}

impl Dialog {
    /// A request that came for this call.
    pub(super) fn request(&mut self, message: &Message, method: &str, now: Instant) {
        let Some((cseq, _)) = message.cseq() else {
            return;
        };
        if method == "ACK" {
            self.acknowledgement(message, cseq);
            return;
        }
        if let Some((known, served, answer)) = &self.served
            && *known == cseq
            && served == method
        {
            self.outgoing.push(answer.clone());
            return;
        }
        let ours = message
            .header("to")
            .and_then(|to| message::parameter(to, "tag"))
            .is_some_and(|tag| tag == self.tag);
        if !ours || self.phase == Phase::Over {
            self.reply(message, method, &Reply::bare(481, "Call Does Not Exist"));
            return;
        }
        match method {
            "BYE" => {
                self.reply(message, method, &Reply::bare(200, "OK"));
                self.end(Side::Server, None);
            }
            "INVITE" | "UPDATE" => self.offer(message, method, cseq, now),
            "OPTIONS" => {
                let headers = [("Allow", ALLOW), ("Accept", "application/sdp")];
                let reply = Reply {
                    headers: &headers,
                    ..Reply::bare(200, "OK")
                };
                self.reply(message, method, &reply);
            }
            // Every INVITE of the server is answered at once: there is nothing left to cancel.
            "CANCEL" => self.reply(message, method, &Reply::bare(481, "Nothing To Cancel")),
            _ => {
                let reply = Reply {
                    headers: &[("Allow", ALLOW)],
                    ..Reply::bare(405, "Method Not Allowed")
                };
                self.reply(message, method, &reply);
            }
        }
    }

    /// A re-INVITE or UPDATE: another direction, a refresh, or a request for metadata.
    fn offer(&mut self, message: &Message, method: &str, cseq: u32, now: Instant) {
        if self.has_invite_in_progress() || self.unacknowledged.is_some() {
            self.reply(message, method, &Reply::bare(491, "Request Pending"));
            return;
        }
        if message
            .body_of_type("application/rs-metadata-request")
            .is_some()
        {
            self.snapshot_wanted = true;
        }
        let offer = message.body_of_type("application/sdp");
        if method == "UPDATE" && offer.is_none() {
            self.reply(message, method, &Reply::bare(200, "OK"));
            return;
        }
        let mut lines = 0;
        if let Some(offer) = &offer {
            lines = offer
                .split(|b| *b == b'\n')
                .filter(|line| line.starts_with(b"m="))
                .count();
            if let Err(_why) = self.take_description(offer, Side::Server) {
                self.reply(message, method, &Reply::bare(488, "Not Acceptable Here"));
                return;
            }
        }
        for (place, stream) in self.media.streams.iter_mut().enumerate() {
            let takes = self
                .remote
                .get(place)
                .is_some_and(|s| s.direction.receives());
            stream.direction = match (&offer, takes) {
                (Some(_), false) => Direction::Inactive,
                _ => self.wish,
            };
        }
        let sdp = self.describe(lines);
        let contact = self.contact();
        let headers = [
            ("Contact", contact.as_str()),
            ("Allow", ALLOW),
            ("Content-Type", "application/sdp"),
        ];
        let reply = Reply {
            headers: &headers,
            body: sdp.as_bytes(),
            ..Reply::bare(200, "OK")
        };
        self.reply(message, method, &reply);
        if method == "INVITE"
            && let Some((_, _, bytes)) = &self.served
        {
            self.unacknowledged = Some(Unacknowledged {
                cseq,
                bytes: bytes.clone(),
                next: now + T1,
                interval: T1,
                gives_up: now + GIVE_UP,
                awaits_answer: offer.is_none(),
            });
        }
    }

    fn acknowledgement(&mut self, message: &Message, cseq: u32) {
        let Some(waiting) = self.unacknowledged.take_if(|waiting| waiting.cseq == cseq) else {
            return;
        };
        if waiting.awaits_answer
            && let Some(answer) = message.body_of_type("application/sdp")
            && self.take_description(&answer, Side::Server).is_err()
        {
            // RFC 3261 §13.3.1.4 asks for BYE when the answer in the ACK is no good; a recorder
            // that stumbles here should not lose the call: what was agreed before stays.
            self.events.push(super::Event::Media { by: Side::Server });
        }
    }

    /// Our 200 to an INVITE is sent again until its ACK comes, also over TCP.
    pub(super) fn server_timers(&mut self, now: Instant) {
        let Some(waiting) = &mut self.unacknowledged else {
            return;
        };
        if now >= waiting.gives_up {
            self.unacknowledged = None;
            self.hang_up(now);
        } else if now >= waiting.next {
            waiting.interval = (waiting.interval * 2).min(T2);
            waiting.next = now + waiting.interval;
            self.outgoing.push(waiting.bytes.clone());
        }
    }

    fn reply(&mut self, request: &Message, method: &str, reply: &Reply<'_>) {
        let mut headers: Vec<(&str, &str)> = Vec::new();
        headers.extend(request.headers("via").map(|value| ("Via", value)));
        headers.extend(
            request
                .headers("record-route")
                .map(|value| ("Record-Route", value)),
        );
        let copied = [
            ("From", "from"),
            ("To", "to"),
            ("Call-ID", "call-id"),
            ("CSeq", "cseq"),
        ];
        for (name, key) in copied {
            headers.extend(request.header(key).map(|value| (name, value)));
        }
        headers.extend_from_slice(reply.headers);
        let start = format!("SIP/2.0 {} {}", reply.status, reply.reason);
        let bytes = message::write(&start, &headers, reply.body);
        self.outgoing.push(bytes.clone());
        if let Some((cseq, _)) = request.cseq()
            && reply.status != 481
        {
            self.served = Some((cseq, method.to_owned(), bytes));
        }
    }
}
